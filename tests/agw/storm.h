/* SPDX-License-Identifier: BSD-3-Clause
 * A storm of legal and illegal events on one worker, chosen by a row of bytes: random ones in a
 * test, a fuzzer's in a fuzz target. A small model beside it knows what must never happen:
 *  - media of a packet that was not authentic, not from its place, or behind a closed gate leaves;
 *  - anything goes to an address that is neither validated nor signalled;
 *  - one call's media comes out of another one, or something comes about a call that has ended;
 *  - a map, timer, port, key or association stays behind. */
#ifndef AGW_TESTS_AGW_STORM_H
#define AGW_TESTS_AGW_STORM_H

#include "tests/agw/lab.h"

enum {
    STORM_HOSTS = 8,
    STORM_KEYS = 16,    /* associations of a call whose keys the model knows */
    STORM_MAILS = 24,   /* less than a worker takes in one turn */
    STORM_STRANGER = 99 /* a certificate that no SDP names */
};

static const char STORM_MAGIC[6] = "STORM";

/* What a datagram's payload says behind the magic. */
typedef struct storm_tag {
    char must;    /* 'E': it must not come out; 'N': it may */
    uint8_t call; /* and if so, here; LAB_CALLS = whoever has the address */
    uint8_t life;
} storm_tag;

/* A packet that is written when the turn begins: only then it is known what may come out. */
typedef struct storm_media {
    bool to_core; /* from the browser */
    bool is_rtcp;
    uint8_t call, life, host, key, port, pt;
} storm_media;

typedef struct storm_key {
    bool is_matching; /* the certificate was named by a plan */
    agw_srtp_session *in, *out;
} storm_key;

typedef struct storm_call {
    uint8_t life;
    bool validated[STORM_HOSTS], nominated[STORM_HOSTS]; /* in this life */
    bool has_sent[4][STORM_HOSTS], signalled[STORM_HOSTS];
    bool may_latch;    /* was asked for in this life */
    agw_addr heard[2]; /* where each phone was said to be last; 0.0.0.0 does not change it */
    char ufrags[2][AGW_UFRAG_LEN + 1], remote_ufrags[2][8], planned_ufrag[8];
    bool named[256]; /* certificates in a plan of this life */
    storm_key keys[STORM_KEYS];
    size_t n_keys;
    uint8_t last_cert;
    uint16_t seq;
} storm_call;

typedef struct storm {
    lab lab;
    bool is_plain; /* the access leg has no SRTP */
    const uint8_t *at, *end;
    storm_call calls[LAB_CALLS];
    storm_media media[AGW_PKT_BATCH];
    size_t n_media, n_mails;
    uint16_t last_seed;         /* of keys: never the same again */
    bool answered[STORM_HOSTS]; /* a check of a known ufrag came from there in this turn */
} storm;

static inline uint8_t storm_byte(storm *s)
{
    return s->at < s->end ? *s->at++ : 0;
}

static inline agw_addr storm_host(uint8_t host)
{
    return lab_addr((uint8_t)(200 + host), (uint16_t)(7000 + host));
}

/* STORM_HOSTS: none of them. */
static inline uint8_t storm_host_of(const agw_addr *addr)
{
    uint8_t host = 0;
    while (host < STORM_HOSTS && addr->ip[3] != 200 + host)
        host++;
    return host;
}

/* --- the model's opinion -----------------------------------------------------------------------
 */

static inline void storm_forget_keys(storm_call *m)
{
    for (size_t i = 0; i < m->n_keys; i++) {
        agw_srtp_session_free(m->keys[i].in);
        agw_srtp_session_free(m->keys[i].out);
    }
    m->n_keys = 0;
}

static inline const agw_media_plan *storm_media_plan(const lab_call *c, uint8_t port)
{
    const size_t i = port / 2;
    return i < c->plan->n_medias ? &c->plan->medias[i] : NULL;
}

static inline bool storm_is_open(const agw_media_plan *m, agw_side from)
{
    return m != NULL && m->end[from].may_send && m->end[1 - from].may_receive;
}

static inline bool storm_has_pt(const agw_media_plan *m, uint8_t pt)
{
    return m != NULL && m->end[0].pts[0].ingress == pt;
}

static inline bool storm_is_validated_anywhere(const storm *s, uint8_t host)
{
    for (size_t i = 0; i < LAB_CALLS; i++) {
        if (host < STORM_HOSTS && s->calls[i].validated[host])
            return true;
    }
    return false;
}

/* Whether a browser's packet may come out at all. */
static inline bool storm_may_pass_to_core(const storm *s, const storm_media *p)
{
    const storm_call *m = &s->calls[p->call];
    const lab_call *c = &s->lab.calls[p->call];
    const bool is_keyed = p->key < m->n_keys && m->keys[p->key].is_matching;
    if (s->is_plain) /* the address is the only proof there is */
        return storm_is_validated_anywhere(s, p->host);
    return c->call != NULL && p->life == m->life && m->validated[p->host] && is_keyed &&
           storm_has_pt(storm_media_plan(c, p->port), p->pt) &&
           storm_is_open(storm_media_plan(c, p->port), AGW_SIDE_A);
}

static inline bool storm_may_pass_to_access(const storm *s, const storm_media *p)
{
    const storm_call *m = &s->calls[p->call];
    const lab_call *c = &s->lab.calls[p->call];
    const agw_addr from = storm_host(p->host);
    if (c->call == NULL || p->port / 2u + 1 >= c->plan->n_transports ||
        !storm_has_pt(storm_media_plan(c, p->port), p->pt) ||
        !storm_is_open(storm_media_plan(c, p->port), AGW_SIDE_B))
        return false;
    return m->may_latch || agw_addr_ip_equal(&from, &m->heard[p->port / 2u]);
}

static inline void storm_check_tag(const storm *s, const uint8_t *data, size_t len, size_t call)
{
    if (len < 12 + sizeof STORM_MAGIC + sizeof(storm_tag) ||
        memcmp(data + 12, STORM_MAGIC, sizeof STORM_MAGIC) != 0)
        return;
    storm_tag tag;
    memcpy(&tag, data + 12 + sizeof STORM_MAGIC, sizeof tag);
    AGW_ASSERT(tag.must == 'N');
    AGW_ASSERT(tag.call == LAB_CALLS || (tag.call == call && tag.life == s->calls[call].life));
}

static inline void storm_check_access(storm *s, const lab_out *out, size_t call)
{
    storm_call *m = &s->calls[call];
    const uint8_t host = storm_host_of(&out->to);
    AGW_ASSERT(host < STORM_HOSTS && m->nominated[host]);
    bool is_read = s->is_plain;
    if (s->is_plain && out->kind == AGW_PKT_RTP)
        storm_check_tag(s, out->data, out->len, call);
    for (size_t i = 0; i < m->n_keys && !is_read; i++) {
        uint8_t copy[sizeof out->data];
        size_t len = out->len;
        memcpy(copy, out->data, len);
        const agw_err err = out->kind == AGW_PKT_RTCP
                                ? agw_srtp_unprotect_rtcp(m->keys[i].in, copy, &len)
                                : agw_srtp_unprotect(m->keys[i].in, copy, &len);
        if (err != AGW_OK)
            continue;
        AGW_ASSERT(m->keys[i].is_matching);
        is_read = true;
        if (out->kind == AGW_PKT_RTP)
            storm_check_tag(s, copy, len, call);
    }
    AGW_ASSERT(is_read); /* by keys of this call that count */
}

/* RTCP of our own may have left just before the newest plan came into force: the worker's state at
 * that moment has been looked at by lab_assert_destination(). */
static inline void storm_check_core(storm *s, const lab_out *out, size_t call)
{
    const storm_call *m = &s->calls[call];
    const lab_call *c = &s->lab.calls[call];
    const uint8_t host = storm_host_of(&out->to);
    size_t port = 0;
    while (port < 4 && out->port != &c->core[port])
        port++;
    AGW_ASSERT(port < 4 && host < STORM_HOSTS);
    AGW_ASSERT(m->signalled[host] || (m->may_latch && m->has_sent[port][host]));
    if (out->kind != AGW_PKT_RTP)
        return;
    AGW_ASSERT(port / 2 + 1 < c->plan->n_transports);
    AGW_ASSERT(agw_addr_equal(&out->to, &c->plan->transports[1 + port / 2].remote_rtp) ||
               (m->may_latch && m->has_sent[port][host]));
    storm_check_tag(s, out->data, out->len, call);
}

static inline void storm_check_out(storm *s, const lab_out *out)
{
    const uint8_t host = storm_host_of(&out->to);
    const size_t call = (size_t)((const lab_call *)(const void *)out->ref - s->lab.calls);
    if (out->kind == AGW_PKT_STUN)
        AGW_ASSERT(host < STORM_HOSTS && s->answered[host]);
    else if (out->kind == AGW_PKT_DTLS)
        AGW_ASSERT(storm_is_validated_anywhere(s, host));
    else if (out->port->shared)
        storm_check_access(s, out, call);
    else
        storm_check_core(s, out, call);
}

/* Every address in the map is of a transport that stands, and knows it. */
static inline void storm_check_map(const storm *s)
{
    size_t known = 0;
    for (uint32_t slot = 0; slot < 8 * LAB_CALLS; slot++) {
        agw_transport *t = s->lab.w->slots[slot];
        for (size_t i = 0; t != NULL && i < t->n_remotes; i++, known++)
            AGW_ASSERT(agw_map_get(s->lab.w->by_remote, &t->remotes[i]) == t);
    }
    AGW_ASSERT(agw_map_count(s->lab.w->by_remote) == known);
}

/* --- turns -------------------------------------------------------------------------------------
 */

static inline void storm_write_media(storm *s, const storm_media *p)
{
    storm_call *m = &s->calls[p->call];
    lab_call *c = &s->lab.calls[p->call];
    uint8_t buf[AGW_PKT_MAX] = {0x80, 200, 0, 6};
    const bool may = p->to_core ? storm_may_pass_to_core(s, p) : storm_may_pass_to_access(s, p);
    const bool by_address = s->is_plain && p->to_core;
    const storm_tag tag = {may ? 'N' : 'E', by_address ? LAB_CALLS : p->call, m->life};
    const uint32_t ssrc = 0x1000u * (p->port + 1u) + p->host;
    size_t len = 28;
    if (p->is_rtcp) {
        agw_put32(buf + 4, ssrc);
    } else {
        len = lab_rtp(buf, p->pt, ssrc, ++m->seq, 0);
        memcpy(buf + 12, STORM_MAGIC, sizeof STORM_MAGIC);
        memcpy(buf + 12 + sizeof STORM_MAGIC, &tag, sizeof tag);
    }
    if (!p->to_core) {
        m->has_sent[p->port][p->host] = true;
        lab_say(&s->lab, &c->core[p->port], storm_host(p->host), buf, len);
        return;
    }
    if (!s->is_plain && p->key < m->n_keys) {
        agw_srtp_session *out = m->keys[p->key].out;
        const agw_err err = p->is_rtcp ? agw_srtp_protect_rtcp(out, buf, &len, sizeof buf - len)
                                       : agw_srtp_protect(out, buf, &len, sizeof buf - len);
        if (err != AGW_OK)
            return;
    }
    lab_say(&s->lab, &s->lab.access, storm_host(p->host), buf, len);
}

static inline void storm_turn(storm *s)
{
    for (size_t i = 0; i < s->n_media; i++)
        storm_write_media(s, &s->media[i]);
    lab_turn(&s->lab);
    for (size_t i = 0; i < s->lab.io->n_out; i++)
        storm_check_out(s, &s->lab.io->out[i]);
    storm_check_map(s);
    memset(s->answered, 0, sizeof s->answered);
    s->n_media = s->n_mails = 0;
}

static inline void storm_make_room(storm *s)
{
    if (s->n_media + s->lab.io->n_in >= AGW_PKT_BATCH - 2 || s->n_mails >= STORM_MAILS)
        storm_turn(s);
}

/* --- events ------------------------------------------------------------------------------------
 */

static inline const char *storm_ufrag(const agw_transport_plan *t)
{
    return t->remote_ufrag != NULL ? t->remote_ufrag : "";
}

static inline void storm_post_plan(storm *s, size_t call)
{
    storm_call *m = &s->calls[call];
    lab_call *c = &s->lab.calls[call];
    const agw_transport_plan *t = c->plan->transports;
    if (strcmp(m->ufrags[0], t[0].local_ufrag) != 0 ||
        strcmp(m->remote_ufrags[0], storm_ufrag(&t[0])) != 0) {
        memcpy(m->ufrags[1], m->ufrags[0], sizeof m->ufrags[0]);
        memcpy(m->remote_ufrags[1], m->remote_ufrags[0], sizeof m->remote_ufrags[0]);
        snprintf(m->ufrags[0], sizeof m->ufrags[0], "%.8s", t[0].local_ufrag);
        snprintf(m->remote_ufrags[0], sizeof m->remote_ufrags[0], "%.7s", storm_ufrag(&t[0]));
    }
    m->named[t[0].fingerprints[0].bytes[0]] = true;
    for (size_t i = 1; i < c->plan->n_transports; i++) {
        const uint8_t rtp = storm_host_of(&t[i].remote_rtp),
                      rtcp = storm_host_of(&t[i].remote_rtcp);
        m->may_latch = m->may_latch || t[i].latch_rule == AGW_LATCH_ONCE;
        if (agw_addr_is_set(&t[i].remote_rtp))
            m->heard[i - 1] = t[i].remote_rtp;
        if (rtp < STORM_HOSTS)
            m->signalled[rtp] = true;
        if (rtcp < STORM_HOSTS)
            m->signalled[rtcp] = true;
    }
    lab_post_plan(&s->lab, c);
    s->n_mails++;
}

static inline void storm_open_call(storm *s, size_t call)
{
    storm_call *m = &s->calls[call];
    lab_call *c = &s->lab.calls[call];
    const storm_call fresh = {.life = (uint8_t)(m->life + 1), .last_cert = 1};
    storm_turn(s); /* the former call has gone, and no packet of it is on its way */
    storm_forget_keys(m);
    *m = fresh;
    lab_call_open(&s->lab, c);
    if (s->is_plain)
        c->plan->transports[0].security = AGW_SECURITY_PLAIN;
    for (size_t i = 0; i < 2; i++) {
        c->plan->transports[1 + i].remote_rtp = storm_host((uint8_t)(4 + 2 * call));
        c->plan->transports[1 + i].remote_rtcp = storm_host((uint8_t)(5 + 2 * call));
    }
    storm_post_plan(s, call);
}

static inline void storm_toggle_video(lab_call *c)
{
    agw_plan *p = c->plan;
    p->n_medias = p->n_medias == 2 ? 1 : 2;
    p->n_transports = p->n_medias + 1;
}

static inline void storm_flip_gate(storm *s, lab_call *c)
{
    const uint8_t which = storm_byte(s);
    agw_end_plan *end = &c->plan->medias[which & 1].end[which >> 1 & 1];
    if (which & 4)
        end->may_send = !end->may_send;
    else
        end->may_receive = !end->may_receive;
}

static inline void storm_move_phone(storm *s, lab_call *c)
{
    const uint8_t where = storm_byte(s);
    agw_transport_plan *t = &c->plan->transports[1 + (where & 1)];
    agw_addr *addr = where & 2 ? &t->remote_rtp : &t->remote_rtcp;
    const uint8_t host = where >> 2 & 15;
    *addr = host < STORM_HOSTS ? storm_host(host) : host == 8 ? lab_addr6(1, 9) : (agw_addr){0};
}

/* Blocks come and go, and the second payload type of audio is telephone-event, or was. */
static inline void storm_change_acts(storm *s, const lab_call *c)
{
    const uint8_t what = storm_byte(s);
    agw_end_plan *e = &c->plan->medias[0].end[what & 1];
    e->acts ^= what >> 1 & (AGW_ACT_BLOCK | AGW_ACT_BLOCK_DTMF);
    if (what & 0x80) {
        e->n_pts = 2;
        e->pts[1] = (agw_pt_plan){.ingress = LAB_PT_EVENT,
                                  .egress = LAB_PT_EVENT,
                                  .is_event = !e->pts[1].is_event,
                                  .clock_hz = 8000};
    }
}

static inline void storm_post_digit(storm *s, lab_call *c)
{
    const uint8_t what = storm_byte(s);
    if (c->applies == 0)
        return;
    agw_mail *mail = agw_mail_new(AGW_MAIL_PLAY, NULL, 0);
    mail->call = c->call;
    mail->id = LAB_AUDIO;
    mail->side = what & 1;
    mail->digit = (agw_rtp_event_order){.event = what >> 4, .duration_ms = 100, .pause_ms = 100};
    lab_post(&s->lab, mail);
}

/* What an offer and its answer may change. */
static inline void storm_change_plan(storm *s, size_t call)
{
    storm_call *m = &s->calls[call];
    lab_call *c = &s->lab.calls[call];
    agw_transport_plan *t = c->plan->transports;
    switch (storm_byte(s) % 16) {
    case 0: /* a session timer */
        break;
    case 1:
        storm_flip_gate(s, c);
        break;
    case 2:
        storm_move_phone(s, c);
        break;
    case 3:
        t[1].latch_rule ^= AGW_LATCH_ONCE;
        break;
    case 4:
        t[1].source_rule ^= AGW_SOURCE_STRICT;
        break;
    case 5:
        storm_toggle_video(c);
        break;
    case 6:
        lab_new_ufrag(&s->lab, c);
        break;
    case 7:
        lab_new_ufrag(&s->lab, c);
        t[0].remote_ufrag = t[0].remote_pwd = NULL;
        break;
    case 8:
        snprintf(m->planned_ufrag, sizeof m->planned_ufrag, "f%03u", storm_byte(s));
        t[0].remote_ufrag = m->planned_ufrag;
        t[0].remote_pwd = "browserpasswordbrowserpw";
        break;
    case 9:
        lab_fingerprint(&t[0].fingerprints[0],
                        ++m->last_cert == STORM_STRANGER ? ++m->last_cert : m->last_cert);
        t[0].dtls_epoch++;
        break;
    case 10:
        t[0].dtls_epoch++;
        break;
    case 11:
        t[0].dtls = storm_byte(s) % 3;
        break;
    case 12:
        t[0].n_fingerprints ^= 1;
        break;
    case 13:
        storm_change_acts(s, c);
        break;
    case 14:
        storm_post_digit(s, c);
        break;
    default:
        t[1].rtcp_mux = !t[1].rtcp_mux;
        break;
    }
    storm_post_plan(s, call);
}

static inline void storm_check(storm *s, size_t call, uint8_t host, uint8_t how)
{
    storm_call *m = &s->calls[call];
    uint8_t buf[512];
    const size_t generation = how & 1;
    const bool nominate = how & 2, is_forged = how & 4;
    if (m->ufrags[generation][0] == '\0')
        return;
    const char *remote = m->remote_ufrags[generation];
    const size_t len = lab_write_check(
        &s->lab, m->ufrags[generation], remote[0] != '\0' ? remote : "whoever",
        is_forged ? "notourpasswordnotourpass" : LAB_PWD, nominate, buf, sizeof buf);
    lab_say(&s->lab, how & 8 ? &s->lab.other_access : &s->lab.access, storm_host(host), buf, len);
    if (is_forged || how & 8 || s->lab.calls[call].call == NULL)
        return;
    s->answered[host] = m->validated[host] = true;
    m->nominated[host] = m->nominated[host] || nominate;
}

static inline void storm_media_event(storm *s, size_t call, uint8_t host, bool to_core)
{
    const uint8_t what = storm_byte(s);
    storm_media *p = &s->media[s->n_media++];
    *p = (storm_media){.to_core = to_core,
                       .is_rtcp = (what & 3) == 3,
                       .call = (uint8_t)call,
                       .life = s->calls[call].life,
                       .host = host,
                       .key = (what >> 2) % (STORM_KEYS + 1)};
    if (s->calls[call].n_keys != 0 && (what & 0xc0))
        p->key = (uint8_t)(s->calls[call].n_keys - 1); /* the newest, more often */
    p->port = what & 1 ? 2 : 0;
    p->pt = what & 1 ? LAB_PT_VIDEO : LAB_PT_AUDIO;
    if (!to_core && p->is_rtcp != ((what & 0x38) == 0x38))
        p->port++; /* the RTCP port, rightly or wrongly */
    if ((what & 0x3c) == 0x34)
        p->pt = 77;
}

static inline void storm_dtls_datagram(storm *s, uint8_t host)
{
    uint8_t record[13] = {22, 0xfe, 0xff};
    record[0] = (uint8_t)(20 + storm_byte(s) % 6);
    lab_say(&s->lab, &s->lab.access, storm_host(host), record, sizeof record);
}

static inline void storm_add_key(storm *s, lab_assoc *a, uint8_t cert)
{
    const size_t call = a->whose.slot / 8;
    storm_call *m = &s->calls[call];
    const agw_transport *t = s->lab.w->slots[a->whose.slot];
    if (a->is_done)
        return; /* a handshake ends once */
    a->is_done = true;
    s->last_seed++;
    lab_post(&s->lab, lab_done(a, cert, s->last_seed));
    if (t == NULL || t->name.generation != a->whose.generation)
        return; /* too late: such keys must not be used */
    if (m->n_keys == STORM_KEYS) {
        agw_srtp_session_free(m->keys[0].in);
        agw_srtp_session_free(m->keys[0].out);
        memmove(m->keys, m->keys + 1, (STORM_KEYS - 1) * sizeof m->keys[0]);
        m->n_keys--;
    }
    lab_call peer = {0};
    lab_make_sessions(&peer, a->role, s->last_seed);
    m->keys[m->n_keys++] = (storm_key){m->named[cert], peer.in, peer.out};
}

static inline void storm_handshake_answer(storm *s)
{
    const uint8_t what = storm_byte(s);
    if (s->lab.n_assocs == 0)
        return;
    const size_t back =
        (what & 0x80) ? (what >> 4 & 7) % s->lab.n_assocs : 0; /* mostly the newest */
    lab_assoc *a = &s->lab.assocs[s->lab.n_assocs - 1 - back];
    if (a->whose.slot >= 8 * LAB_CALLS)
        return;
    const uint8_t last_cert = s->calls[a->whose.slot / 8].last_cert;
    s->n_mails++;
    switch (what & 15) {
    case 0:
        lab_post(&s->lab, lab_answer(a, AGW_MAIL_DTLS_FAILED, "storm"));
        break;
    case 1:
        lab_post(&s->lab, lab_answer(a, AGW_MAIL_DTLS_CLOSED, NULL));
        break;
    case 2:
        storm_add_key(s, a, STORM_STRANGER);
        break;
    case 3:
    case 4:
    case 5:
        lab_post(&s->lab, lab_answer(a, AGW_MAIL_DTLS_SEND, "0123456789abcdefghijklmnop"));
        break;
    default:
        storm_add_key(s, a, last_cert);
        break;
    }
}

static inline bool storm_has_magic(const uint8_t *data, size_t len)
{
    return len >= sizeof STORM_MAGIC && memmem(data, len, STORM_MAGIC, sizeof STORM_MAGIC) != NULL;
}

/* Bytes as they come, to any port, from anywhere; perhaps under the newest keys of a call. */
static inline void storm_raw(storm *s, size_t call, uint8_t host)
{
    uint8_t buf[AGW_PKT_MAX];
    const uint8_t how = storm_byte(s);
    size_t len = storm_byte(s);
    if (how & 0x70)
        len &= 63;
    else if (how & 0x80)
        len *= 8;
    if ((size_t)(s->end - s->at) < len)
        len = (size_t)(s->end - s->at);
    if (len > sizeof buf)
        len = sizeof buf;
    memcpy(buf, s->at, len);
    s->at += len;
    const storm_call *m = &s->calls[call];
    agw_port *port = (how & 7) < 4 ? &s->lab.calls[call].core[how & 3] : &s->lab.access;
    if (storm_has_magic(buf, len))
        return;
    /* keys make some of it authentic, so it must not be given a tag that promises otherwise */
    bool is_signed = false;
    if ((how & 8) && port->shared && m->n_keys > 0 && len >= 12) {
        agw_srtp_session *out = m->keys[m->n_keys - 1].out;
        const agw_err err = agw_rtp_is_rtcp(buf, len)
                                ? agw_srtp_protect_rtcp(out, buf, &len, sizeof buf - len)
                                : agw_srtp_protect(out, buf, &len, sizeof buf - len);
        if (err != AGW_OK)
            return;
        is_signed = true;
    }
    lab_say(&s->lab, port, storm_host(host), buf, len);
    if (!port->shared)
        s->calls[call].has_sent[how & 3][host] = true;
    /* nothing is written behind a packet that is dropped, consumed or forwarded in the clear */
    const bool is_stun = len > 0 && buf[0] < 4;
    s->lab.io->in[s->lab.io->n_in - 1].exact =
        !is_stun && !is_signed && (s->is_plain || port->shared);
}

static inline void storm_close_or_open(storm *s, size_t call)
{
    lab_call *c = &s->lab.calls[call];
    if (c->call == NULL) {
        storm_open_call(s, call);
        return;
    }
    lab_post_close(&s->lab, c);
    s->n_mails++;
}

/* Mostly from where the party lives, so that something works and can be broken. */
static inline uint8_t storm_whence(size_t call, uint8_t who, bool is_phone)
{
    const uint8_t home = (uint8_t)(2 * call + (is_phone ? 4 : 0));
    return who & 0xc0 ? home : who >> 1 & (STORM_HOSTS - 1);
}

static inline void storm_event(storm *s)
{
    const uint8_t op = storm_byte(s), who = storm_byte(s);
    const size_t call = who & 1;
    const uint8_t browser = storm_whence(call, who, false);
    storm_make_room(s);
    if (op == 255 || (op == 254 && s->lab.calls[call].call == NULL)) {
        storm_close_or_open(s, call);
    } else if (op >= 252) {
        s->lab.now += AGW_S(who % 41);
        storm_turn(s);
    } else if (op >= 210) {
        s->lab.now += AGW_MS(who);
        storm_turn(s);
    } else if (op >= 204) {
        storm_raw(s, call, browser);
    } else if (op >= 195) {
        if (s->lab.calls[call].call != NULL)
            storm_change_plan(s, call);
    } else if (op >= 170) {
        storm_handshake_answer(s);
    } else if (op >= 155) {
        storm_dtls_datagram(s, browser);
    } else if (op >= 110) {
        storm_check(s, call, browser, op < 150 ? (op & 1) * 2 : storm_byte(s));
    } else if (op & 1) {
        storm_media_event(s, call, browser, true);
    } else {
        storm_media_event(s, call, storm_whence(call, who, true), false);
    }
}

/* The first byte chooses: bit 0, the access leg is plain. */
static inline void storm_run(const uint8_t *bytes, size_t n)
{
    storm *s = calloc(1, sizeof *s);
    AGW_ASSERT(s != NULL);
    s->at = bytes;
    s->end = bytes + n;
    s->is_plain = storm_byte(s) & 1;
    lab_open(&s->lab);
    for (size_t i = 0; i < LAB_CALLS; i++)
        storm_open_call(s, i);
    while (s->at < s->end)
        storm_event(s);
    storm_turn(s);
    lab_close(&s->lab);
    for (size_t i = 0; i < LAB_CALLS; i++)
        storm_forget_keys(&s->calls[i]);
    free(s);
}

#endif
