/* SPDX-License-Identifier: BSD-3-Clause
 * A worker without thread, clock, sockets and OpenSSL: datagrams go in and come out as values, and
 * the test plays the handshake thread and control. Calls of a browser (BUNDLE of audio and video on
 * the shared access port) and a phone (a port pair per media). A broken promise ends the process,
 * so that fuzz targets can use it. */
#ifndef AGW_TESTS_AGW_LAB_H
#define AGW_TESTS_AGW_LAB_H

#include "agw/bridge.h"
#include "agw/call.h"
#include "agw/demux.h"
#include "agw/worker.h"
#include "base/wire.h"
#include "rtp/header.h"
#include "tests/ice/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define LAB_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAB_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define LAB_TSAN 1
#endif
#endif
#ifdef LAB_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, len)   ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

enum {
    LAB_IN = 2 * AGW_PKT_BATCH, /* datagrams that may wait */
    LAB_OUT = 384,
    LAB_CALLS = 2,
    LAB_ASSOCS = 64,
    LAB_AUDIO = 1, /* media ids */
    LAB_VIDEO = 2,
    LAB_PT_AUDIO = 8,
    LAB_PT_VIDEO = 96,
    LAB_PT_EVENT = 101,
    LAB_ACCESS = 1, /* transport ids */
    LAB_CORE_AUDIO = 2,
    LAB_CORE_VIDEO = 3,
};

#define LAB_PWD "ourownpasswordourownpass"

/* --- I/O made of arrays ------------------------------------------------------------------------
 */

typedef struct lab_in {
    agw_port *port;
    agw_addr from;
    bool exact; /* the sanitizer shall see a read behind its end */
    uint8_t tos;
    size_t len;
    uint8_t data[AGW_PKT_MAX];
} lab_in;

typedef struct lab_out {
    agw_port *port;
    agw_addr to;
    uint8_t kind, tos;
    const agw_transport *transport; /* RTP and RTCP; may be gone when the turn is over */
    agw_call_ref *ref;
    size_t len;
    uint8_t data[AGW_PKT_MAX + AGW_PKT_TAILROOM];
} lab_out;

typedef struct lab_io {
    agw_io io; /* first */
    lab_in in[LAB_IN];
    size_t n_in, next_in;
    lab_out out[LAB_OUT];
    size_t n_out;
    agw_port *refuse; /* cannot be added */
} lab_io;

static inline agw_io *lab_io_open(const agw_io_config *config)
{
    lab_io *l = calloc(1, sizeof *l);
    AGW_ASSERT(l != NULL);
    l->io.backend = config->backend;
    return &l->io;
}

static inline void lab_io_close(agw_io *io)
{
    free(io);
}

static inline agw_err lab_io_add(agw_io *io, agw_port *port)
{
    AGW_ASSERT(port->io == NULL);
    if (((lab_io *)io)->refuse == port)
        return AGW_ERR_LIMIT;
    port->io = io;
    port->id = agw_io_new_id(io);
    return AGW_OK;
}

static inline void lab_io_remove(agw_io *io, agw_port *port)
{
    AGW_ASSERT(port->io == io);
    port->io = NULL;
    port->id = 0;
}

static inline void lab_io_wait(agw_io *io, agw_ns now, agw_ns deadline)
{
    (void)io, (void)now, (void)deadline;
}

static inline void lab_io_wake(agw_io *io)
{
    (void)io;
}

static inline size_t lab_io_rx(agw_io *io, agw_pkt *pkts[], size_t n)
{
    lab_io *l = (lab_io *)io;
    size_t got = 0;
    while (got < n && l->next_in < l->n_in) {
        const lab_in *in = &l->in[l->next_in++];
        if (in->port->io != io)
            continue; /* nobody reads it any more */
        agw_pkt *pkt = pkts[got++];
        agw_pkt_reset(pkt);
        memcpy(pkt->data, in->data, in->len);
        pkt->len = in->len;
        pkt->port = in->port;
        pkt->remote = in->from;
        pkt->tos = in->tos;
        if (in->exact)
            ASAN_POISON_MEMORY_REGION(pkt->data + pkt->len, agw_pkt_room(pkt));
    }
    if (l->next_in == l->n_in)
        l->n_in = l->next_in = 0;
    return got;
}

/* Media goes to the pair that ICE selected, while it has consent, or to the signalled (or latched)
 * address; never in the clear where SDP says otherwise. */
static inline void lab_assert_destination(const agw_pkt *pkt)
{
    const agw_transport *t = pkt->transport;
    const agw_component *rtcp = &t->component[AGW_RTCP_COMPONENT];
    const bool is_rtcp = pkt->port == rtcp->ports[0] || pkt->port == rtcp->ports[1];
    const agw_component *c = is_rtcp ? rtcp : &t->component[AGW_RTP_COMPONENT];
    agw_ice_pair pair;
    AGW_ASSERT(t->security <= AGW_SECURITY_PASS || t->srtp_out != NULL);
    if (c->ice == NULL) {
        AGW_ASSERT(agw_addr_equal(&pkt->remote, c->latched ? &c->source : &c->signalled));
        return;
    }
    AGW_ASSERT(agw_ice_may_send(c->ice) && agw_ice_selected(c->ice, &pair));
    AGW_ASSERT(pair.port_id == pkt->port->id && agw_addr_equal(&pkt->remote, &pair.remote));
    AGW_ASSERT(agw_ice_is_valid(c->ice, pair.port_id, &pair.remote));
}

static inline size_t lab_io_tx(agw_io *io, agw_pkt *const pkts[], size_t n)
{
    lab_io *l = (lab_io *)io;
    size_t sent = 0;
    for (size_t i = 0; i < n; i++) {
        agw_pkt *pkt = pkts[i];
        ASAN_UNPOISON_MEMORY_REGION(pkt->buf, sizeof pkt->buf);
        if (pkt->verdict != AGW_FORWARD)
            continue;
        AGW_ASSERT(pkt->port->io == io && agw_addr_is_set(&pkt->remote));
        AGW_ASSERT(pkt->remote.family == pkt->port->local.family);
        AGW_ASSERT(l->n_out < LAB_OUT && pkt->len <= sizeof l->out[0].data);
        lab_out *out = &l->out[l->n_out++];
        const bool is_media = pkt->kind == AGW_PKT_RTP || pkt->kind == AGW_PKT_RTCP;
        if (is_media)
            lab_assert_destination(pkt);
        *out = (lab_out){pkt->port,
                         pkt->remote,
                         pkt->kind,
                         pkt->tos,
                         is_media ? pkt->transport : NULL,
                         is_media ? pkt->transport->call->ref : NULL,
                         pkt->len,
                         {0}};
        memcpy(out->data, pkt->data, pkt->len);
        sent++;
    }
    agw_counter_add(&io->tx_packets, sent);
    return sent;
}

static const agw_io_backend lab_backend = {
    .name = "lab",
    .open = lab_io_open,
    .close = lab_io_close,
    .add = lab_io_add,
    .remove = lab_io_remove,
    .wait = lab_io_wait,
    .rx = lab_io_rx,
    .tx = lab_io_tx,
    .wake = lab_io_wake,
};

/* --- calls -------------------------------------------------------------------------------------
 */

/* What the handshake thread would know of an association. */
typedef struct lab_assoc {
    agw_assoc *assoc; /* NULL = ended */
    agw_transport_name whose;
    agw_dtls_role role; /* ours */
    bool asks_cookie;
    size_t datagrams;
    bool is_done; /* for the test: it has given keys */
} lab_assoc;

typedef struct lab_call {
    agw_call *call; /* NULL: closed */
    bool has_ended; /* AGW_MAIL_CALL_GONE has come: no message may come any more */
    agw_port core[4];
    agw_media_stats stats[AGW_PLAN_MEDIA_MAX];
    agw_plan *plan;                         /* what the next lab_apply() sends a copy of */
    agw_addr sources[AGW_PLAN_SOURCES_MAX]; /* those of its first core leg */
    agw_fingerprint fingerprints[3][AGW_PLAN_FP_MAX]; /* of each transport */
    size_t applies;
    uint32_t gone;   /* transports that came back */
    uint32_t played; /* files and tones that did */
    agw_event events[32];
    size_t n_events;            /* the newest ones, at most 32 */
    agw_srtp_session *in, *out; /* the browser's */
    struct agw_recording *recording;
} lab_call;

typedef struct lab {
    agw_worker *w;
    lab_io *io;
    agw_ring *control, *dtls;
    agw_outbox dtls_box;
    agw_port access, access6, other_access; /* the latter of another interface */
    lab_call calls[LAB_CALLS];
    lab_assoc assocs[LAB_ASSOCS];
    size_t n_assocs;
    agw_ns now;
    uint32_t check_id;
} lab;

static inline agw_call_ref *lab_ref(lab_call *c)
{
    return (agw_call_ref *)(void *)c;
}

static inline agw_addr lab_addr(uint8_t host, uint16_t port)
{
    agw_addr a = {.ip = {10, 0, 0, host}, .port = port, .family = AGW_FAMILY_IP4};
    return a;
}

static inline agw_addr lab_addr6(uint8_t host, uint16_t port)
{
    agw_addr a = {.ip = {0xfd}, .port = port, .family = AGW_FAMILY_IP6};
    a.ip[15] = host;
    return a;
}

static inline void lab_open_port(agw_port *port, agw_addr local, bool shared)
{
    memset(port, 0, sizeof *port);
    port->local = local;
    port->shared = shared;
}

static inline uint32_t lab_slot(const lab *l, const lab_call *c, uint32_t transport_id)
{
    return (uint32_t)(c - l->calls) * 8 + transport_id;
}

static inline agw_transport *lab_transport(const lab *l, const lab_call *c, uint32_t transport_id)
{
    return l->w->slots[lab_slot(l, c, transport_id)];
}

static inline void lab_fingerprint(agw_fingerprint *fp, uint8_t who)
{
    memset(fp, 0, sizeof *fp);
    fp->hash = AGW_HASH_SHA256;
    fp->len = 32;
    memset(fp->bytes, who, 32);
}

static inline void lab_new_ufrag(lab *l, lab_call *c)
{
    agw_demux_ufrag(c->plan->transports[0].local_ufrag, lab_slot(l, c, LAB_ACCESS),
                    &(agw_rand_stock){.left = 0});
}

static inline void lab_plan_media(agw_media_plan *m, uint32_t id, agw_media_kind kind)
{
    *m = (agw_media_plan){.id = id, .kind = (uint8_t)kind};
    for (uint32_t side = 0; side < 2; side++) {
        agw_end_plan *e = &m->end[side];
        e->transport_id = side == AGW_SIDE_A ? LAB_ACCESS
                          : id == LAB_AUDIO  ? LAB_CORE_AUDIO
                                             : LAB_CORE_VIDEO;
        e->may_send = e->may_receive = true;
        e->egress_ssrc = side == AGW_SIDE_A ? 0xa0000000u + id : 0; /* toward the core unchanged */
        e->feedback = side == AGW_SIDE_A ? AGW_FB_NACK | AGW_FB_PLI : 0;
        e->reduced_size = side == AGW_SIDE_A;
        e->n_pts = 1;
        e->pts[0] =
            kind == AGW_MEDIA_VIDEO
                ? (agw_pt_plan){.ingress = LAB_PT_VIDEO, .egress = LAB_PT_VIDEO, .clock_hz = 90000}
                : (agw_pt_plan){.ingress = LAB_PT_AUDIO, .egress = LAB_PT_AUDIO, .clock_hz = 8000};
    }
}

/* Where the phone of a call listens: RTP of audio, RTCP of audio, RTP of video, RTCP of video. */
static inline agw_addr lab_phone(const lab *l, const lab_call *c, size_t i)
{
    return lab_addr((uint8_t)(101 + (c - l->calls)), (uint16_t)(4000 + i));
}

static inline void lab_plan(lab *l, lab_call *c)
{
    agw_plan_free(c->plan);
    c->plan = agw_plan_new(3, 2);
    AGW_ASSERT(c->plan != NULL);
    agw_transport_plan *t = c->plan->transports;
    t[0] = (agw_transport_plan){.id = LAB_ACCESS,
                                .side = AGW_SIDE_A,
                                .security = AGW_SECURITY_DTLS,
                                .rtcp_mux = true,
                                .tos = AGW_TOS_EF,
                                .ice = true,
                                .local_pwd = LAB_PWD,
                                .remote_ufrag = "brow",
                                .remote_pwd = "browserpasswordbrowserpw",
                                .dtls = AGW_DTLS_PASSIVE,
                                .n_fingerprints = 1};
    t[0].fingerprints = c->fingerprints[0];
    lab_fingerprint(&t[0].fingerprints[0], 1);
    lab_new_ufrag(l, c);
    for (size_t i = 0; i < 2; i++)
        t[1 + i] = (agw_transport_plan){.id = (uint32_t)(LAB_CORE_AUDIO + i),
                                        .side = AGW_SIDE_B,
                                        .tos = AGW_TOS_EF,
                                        .remote_rtp = lab_phone(l, c, 2 * i),
                                        .remote_rtcp = lab_phone(l, c, 2 * i + 1),
                                        .fingerprints = c->fingerprints[1 + i]};
    t[1].sources = c->sources;
    lab_plan_media(&c->plan->medias[0], LAB_AUDIO, AGW_MEDIA_AUDIO);
    lab_plan_media(&c->plan->medias[1], LAB_VIDEO, AGW_MEDIA_VIDEO);
}

/* Named in messages and never used: made once, as a fuzzer has no time. */
static inline agw_dtls_ctx *lab_dtls_ctx(void)
{
    static agw_dtls_ctx *ctx;
    if (ctx == NULL)
        ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
    AGW_ASSERT(ctx != NULL);
    return ctx;
}

static inline void lab_call_open(lab *l, lab_call *c)
{
    AGW_ASSERT(c->call == NULL);
    c->call = agw_call_new(lab_ref(c), "lab", lab_dtls_ctx());
    AGW_ASSERT(c->call != NULL);
    c->has_ended = false;
    c->applies = c->gone = c->played = 0;
    lab_plan(l, c);
}

static inline void lab_no_wake(void *owner)
{
    (void)owner;
}

static inline void lab_open(lab *l)
{
    memset(l, 0, sizeof *l);
    l->now = AGW_S(1000);
    lab_open_port(&l->access, lab_addr(1, 3000), true);
    lab_open_port(&l->access6, lab_addr6(1, 3000), true);
    lab_open_port(&l->other_access, lab_addr(2, 3000), true);
    agw_port *ports[] = {&l->access, &l->access6, &l->other_access};
    const agw_io_config io = {.backend = &lab_backend};
    l->w = agw_worker_new(0, &io, ports, 3);
    l->control = agw_ring_new(1024);
    l->dtls = agw_ring_new(1024);
    AGW_ASSERT(l->w != NULL && l->control != NULL && l->dtls != NULL);
    l->io = (lab_io *)l->w->io;
    l->w->handshakes = calloc(1, sizeof *l->w->handshakes);
    AGW_ASSERT(l->w->handshakes != NULL);
    l->w->n_handshakes = 1;
    l->w->control = (agw_outbox){.ring = l->control, .wake = lab_no_wake};
    l->w->handshakes[0] = (agw_outbox){.ring = l->dtls, .wake = lab_no_wake};
    l->w->now = l->now;
    for (size_t i = 0; i < LAB_CALLS; i++) {
        for (size_t p = 0; p < 4; p++)
            lab_open_port(&l->calls[i].core[p], lab_addr(1, (uint16_t)(5000 + 10 * i + p)), false);
        l->calls[i].has_ended = true;
    }
}

/* --- messages ----------------------------------------------------------------------------------
 */

static inline void lab_take_dtls(lab *l, agw_mail *mail)
{
    lab_assoc *a = NULL;
    for (size_t i = 0; i < l->n_assocs; i++) {
        if (l->assocs[i].assoc == mail->assoc)
            a = &l->assocs[i];
    }
    if (mail->kind == AGW_MAIL_DTLS_START) {
        AGW_ASSERT(a == NULL);
        if (l->n_assocs == LAB_ASSOCS) { /* the oldest is forgotten; it must have ended */
            AGW_ASSERT(l->assocs[0].assoc == NULL);
            memmove(l->assocs, l->assocs + 1, --l->n_assocs * sizeof l->assocs[0]);
        }
        a = &l->assocs[l->n_assocs++];
        *a = (lab_assoc){.assoc = mail->assoc,
                         .whose = {UINT16_MAX, 0},
                         .role = mail->role,
                         .asks_cookie = mail->ask_cookie};
        mail->assoc = NULL;
        for (uint32_t slot = 0; slot < 8 * LAB_CALLS; slot++) {
            const agw_transport *t = l->w->slots[slot];
            if (t != NULL && t->assoc == a->assoc)
                a->whose = t->name;
        }
    } else {
        AGW_ASSERT(a != NULL);
        a->datagrams += mail->kind == AGW_MAIL_DTLS_DATA;
        if (mail->kind == AGW_MAIL_DTLS_END) {
            free(a->assoc);
            a->assoc = NULL;
        }
    }
    agw_mail_free(mail);
}

static inline void lab_take_control(agw_mail *mail)
{
    lab_call *c = (lab_call *)(void *)mail->ref;
    AGW_ASSERT(!c->has_ended); /* nothing comes about a call that has ended */
    if (mail->kind == AGW_MAIL_EVENT) {
        const size_t room = sizeof c->events / sizeof c->events[0];
        if (c->n_events == room)
            memmove(c->events, c->events + 1, --c->n_events * sizeof c->events[0]);
        c->events[c->n_events++] = mail->event;
    } else if (mail->kind == AGW_MAIL_TRANSPORT_GONE) {
        c->gone++;
    } else if (mail->kind == AGW_MAIL_AUDIO_GONE) {
        c->played++;
    } else {
        AGW_ASSERT(mail->kind == AGW_MAIL_CALL_GONE);
        c->has_ended = true;
    }
    agw_mail_free(mail);
}

/* One turn; what leaves is in io->out, of this turn only. */
static inline void lab_turn(lab *l)
{
    l->io->n_out = 0;
    while (agw_worker_turn(l->w, l->now))
        continue;
    for (agw_mail *mail; (mail = agw_ring_pop(l->dtls)) != NULL;)
        lab_take_dtls(l, mail);
    for (agw_mail *mail; (mail = agw_ring_pop(l->control)) != NULL;)
        lab_take_control(mail);
}

static inline void lab_post(lab *l, agw_mail *mail)
{
    AGW_ASSERT(agw_ring_push(l->w->mailbox, mail));
}

static inline agw_resource lab_resource(lab *l, lab_call *c, uint32_t id)
{
    agw_resource r = {.id = id, .slot = lab_slot(l, c, id)};
    if (id == LAB_ACCESS) {
        r.shared = true;
        r.rtp[0] = &l->access;
        r.rtp[1] = &l->access6;
    } else {
        r.rtp[0] = &c->core[2 * (id - LAB_CORE_AUDIO)];
        r.rtcp[0] = &c->core[2 * (id - LAB_CORE_AUDIO) + 1];
    }
    return r;
}

/* Posts a copy of the call's plan; the next turn takes it. */
static inline void lab_post_plan(lab *l, lab_call *c)
{
    const agw_plan *p = c->plan;
    agw_mail *mail = agw_mail_new(AGW_MAIL_APPLY, NULL, 0);
    mail->call = c->call;
    mail->recording = c->recording;
    mail->plan = agw_plan_new(p->n_transports, p->n_medias);
    mail->resources = calloc(p->n_transports + 1, sizeof *mail->resources);
    mail->stats = calloc(p->n_medias + 1, sizeof(agw_media_stats *));
    AGW_ASSERT(mail->plan != NULL && mail->resources != NULL && mail->stats != NULL);
    for (size_t i = 0; i < p->n_transports; i++) {
        mail->plan->transports[i] = p->transports[i];
        mail->resources[i] = lab_resource(l, c, p->transports[i].id);
    }
    for (size_t i = 0; i < p->n_medias; i++) {
        mail->plan->medias[i] = p->medias[i];
        mail->stats[i] = &c->stats[i];
    }
    c->applies++;
    lab_post(l, mail);
}

static inline void lab_apply(lab *l, lab_call *c)
{
    lab_post_plan(l, c);
    lab_turn(l);
}

/* A digit as if that party had pressed it. */
static inline void lab_play(lab *l, lab_call *c, agw_side from, uint8_t event, uint16_t ms)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_PLAY, NULL, 0);
    mail->call = c->call;
    mail->id = LAB_AUDIO;
    mail->side = (uint8_t)from;
    mail->digit =
        (agw_rtp_event_order){.event = event, .volume = 8, .duration_ms = ms, .pause_ms = 100};
    lab_post(l, mail);
    lab_turn(l);
}

/* A reference of the audio is given; to is the party that hears it, in PCMA. */
static inline void lab_play_media(lab *l, lab_call *c, agw_side to, agw_play_order order)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_PLAY_MEDIA, NULL, 0);
    mail->call = c->call;
    mail->play = order;
    mail->play.media_id = LAB_AUDIO;
    mail->play.to = to;
    mail->play.pt = LAB_PT_AUDIO;
    mail->play.format = agw_codec_plain(AGW_CODEC_PCMA);
    lab_post(l, mail);
    lab_turn(l);
}

static inline void lab_stop_media(lab *l, lab_call *c, agw_side to)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_STOP_MEDIA, NULL, 0);
    mail->call = c->call;
    mail->id = LAB_AUDIO;
    mail->side = (uint8_t)to;
    lab_post(l, mail);
    lab_turn(l);
}

static inline void lab_post_close(lab *l, lab_call *c)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_CLOSE, NULL, 0);
    mail->call = c->call;
    c->call = NULL;
    lab_post(l, mail);
}

/* Ends every call and asserts that all has come back. */
static inline void lab_close(lab *l)
{
    for (size_t i = 0; i < LAB_CALLS; i++) {
        lab_call *c = &l->calls[i];
        if (c->call != NULL && c->applies == 0)
            agw_call_free(c->call);
        else if (c->call != NULL)
            lab_post_close(l, c);
        c->has_ended = c->has_ended || c->applies == 0;
    }
    lab_turn(l);
    const agw_worker *w = l->w;
    AGW_ASSERT(w->calls == NULL && agw_counter_get(&w->stats.calls) == 0);
    AGW_ASSERT(agw_counter_get(&w->stats.transports) == 0);
    AGW_ASSERT(agw_map_count(w->by_remote) == 0 && agw_timerq_next(&w->timers) == AGW_NEVER);
    AGW_ASSERT(agw_timerq_next(&w->media_timers) == AGW_NEVER);
    AGW_ASSERT(agw_timerq_next(&w->chain_timers) == AGW_NEVER);
    for (size_t i = 0; i < l->n_assocs; i++)
        AGW_ASSERT(l->assocs[i].assoc == NULL);
    for (size_t i = 0; i < LAB_CALLS; i++) {
        lab_call *c = &l->calls[i];
        AGW_ASSERT(c->has_ended);
        for (size_t p = 0; p < 4; p++)
            AGW_ASSERT(c->core[p].io == NULL && c->core[p].owner == NULL);
        agw_plan_free(c->plan);
        agw_srtp_session_free(c->in);
        agw_srtp_session_free(c->out);
    }
    agw_worker_free(l->w);
    agw_ring_free(l->control);
    agw_ring_free(l->dtls);
}

/** One on the heap, with its first call opened but not yet applied; lab_end() ends it. */
static inline lab *lab_new(void)
{
    lab *l = malloc(sizeof *l);
    AGW_ASSERT(l != NULL);
    lab_open(l);
    lab_call_open(l, &l->calls[0]);
    return l;
}

static inline void lab_end(lab *l)
{
    lab_close(l);
    free(l);
}

/* --- datagrams ---------------------------------------------------------------------------------
 */

static inline void lab_say(lab *l, agw_port *port, agw_addr from, const void *data, size_t len)
{
    AGW_ASSERT(l->io->n_in < LAB_IN && len <= AGW_PKT_MAX);
    lab_in *in = &l->io->in[l->io->n_in++];
    *in = (lab_in){.port = port, .from = from, .len = len};
    if (len != 0)
        memcpy(in->data, data, len);
}

static inline size_t lab_write_check(lab *l, const char *local_ufrag, const char *remote_ufrag,
                                     const char *pwd, bool nominate, uint8_t *out, size_t room)
{
    char username[2 * AGW_ICE_REMOTE_MAX + 2];
    snprintf(username, sizeof username, "%s:%s", local_ufrag, remote_ufrag);
    const check c = {.username = username,
                     .pwd = pwd,
                     .use_candidate = nominate,
                     .priority = 0x6e0001ff,
                     .id = ++l->check_id};
    return check_write(&c, out, room);
}

/* A valid check by the credentials of the call's plan. */
static inline void lab_check(lab *l, const lab_call *c, agw_addr from, bool nominate)
{
    uint8_t buf[512];
    const agw_transport_plan *t = &c->plan->transports[0];
    const size_t len = lab_write_check(l, t->local_ufrag, t->remote_ufrag, t->local_pwd, nominate,
                                       buf, sizeof buf);
    lab_say(l, from.family == AGW_FAMILY_IP6 ? &l->access6 : &l->access, from, buf, len);
}

static inline size_t lab_rtp(uint8_t *out, uint8_t pt, uint32_t ssrc, uint16_t seq, uint8_t tag)
{
    out[0] = 0x80;
    out[1] = pt;
    agw_put16(out + 2, seq);
    agw_put32(out + 4, seq * 160u);
    agw_put32(out + 8, ssrc);
    memset(out + 12, tag, 20);
    return 32;
}

static inline void lab_browser_says(lab *l, lab_call *c, agw_addr from, uint8_t *packet, size_t len)
{
    uint8_t buf[AGW_PKT_MAX];
    memcpy(buf, packet, len);
    const agw_err err = agw_rtp_is_rtcp(buf, len)
                            ? agw_srtp_protect_rtcp(c->out, buf, &len, sizeof buf - len)
                            : agw_srtp_protect(c->out, buf, &len, sizeof buf - len);
    if (err == AGW_OK)
        lab_say(l, &l->access, from, buf, len);
}

static inline void lab_browser_rtp(lab *l, lab_call *c, agw_addr from, uint8_t pt, uint32_t ssrc,
                                   uint16_t seq)
{
    uint8_t buf[64];
    lab_browser_says(l, c, from, buf, lab_rtp(buf, pt, ssrc, seq, 'b'));
}

static inline void lab_phone_rtp(lab *l, lab_call *c, size_t port, agw_addr from, uint8_t pt,
                                 uint32_t ssrc, uint16_t seq)
{
    uint8_t buf[64];
    lab_say(l, &c->core[port], from, buf, lab_rtp(buf, pt, ssrc, seq, 'p'));
}

/* What left in the last turn by this port, of this kind; NULL = no more. nth counts from 0. */
static inline lab_out *lab_sent(lab *l, const agw_port *port, agw_pkt_kind kind, size_t nth)
{
    for (size_t i = 0; i < l->io->n_out; i++) {
        lab_out *out = &l->io->out[i];
        if (out->port == port && out->kind == kind && nth-- == 0)
            return out;
    }
    return NULL;
}

/* The first packet that left for the browser of this call in the last turn, in the clear from now
 * on; NULL = none. */
static inline lab_out *lab_to_browser(lab *l, const lab_call *c)
{
    lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    if (out == NULL || agw_srtp_unprotect(c->in, out->data, &out->len) != AGW_OK)
        return NULL;
    return out;
}

/* --- the handshake thread ----------------------------------------------------------------------
 */

/* The newest association of a transport, ended or not; NULL = none. */
static inline lab_assoc *lab_assoc_of(lab *l, const lab_call *c, uint32_t transport_id)
{
    for (size_t i = l->n_assocs; i > 0; i--) {
        if (l->assocs[i - 1].whose.slot == lab_slot(l, c, transport_id))
            return &l->assocs[i - 1];
    }
    return NULL;
}

static inline void lab_session_key(uint8_t out[30], uint16_t seed, bool client)
{
    memset(out, client ? 'c' : 's', 30);
    agw_put16(out, seed);
}

/* The peer of our role, with the keys of this seed. */
static inline void lab_make_sessions(lab_call *c, agw_dtls_role role, uint16_t seed)
{
    uint8_t key[30];
    agw_srtp_session_free(c->in);
    agw_srtp_session_free(c->out);
    lab_session_key(key, seed, role == AGW_DTLS_CLIENT);
    c->in = agw_srtp_session_new(AGW_SRTP_AES_CM_128_80, key, sizeof key, false);
    lab_session_key(key, seed, role != AGW_DTLS_CLIENT);
    c->out = agw_srtp_session_new(AGW_SRTP_AES_CM_128_80, key, sizeof key, true);
    AGW_ASSERT(c->in != NULL && c->out != NULL);
}

/* Established with a certificate whose fingerprint is lab_fingerprint(peer). */
static inline agw_mail *lab_done(const lab_assoc *a, uint8_t peer, uint16_t seed)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_DONE, NULL, 0);
    agw_dtls_result *r = calloc(1, sizeof *r);
    AGW_ASSERT(r != NULL);
    uint8_t key[30];
    *r = (agw_dtls_result){.srtp_profile = AGW_SRTP_PROFILE_AES128_CM_SHA1_80,
                           .role = a->role,
                           .key_len = 16,
                           .salt_len = 14,
                           .version = "DTLSv1.2",
                           .cipher = "LAB"};
    lab_session_key(key, seed, true);
    memcpy(r->client_key, key, 16);
    memcpy(r->client_salt, key + 16, 14);
    lab_session_key(key, seed, false);
    memcpy(r->server_key, key, 16);
    memcpy(r->server_salt, key + 16, 14);
    lab_fingerprint(&r->peer[AGW_HASH_SHA256], peer);
    mail->result = r;
    mail->whose = a->whose;
    return mail;
}

static inline agw_mail *lab_answer(const lab_assoc *a, agw_mail_kind kind, const char *text)
{
    agw_mail *mail = agw_mail_new(kind, text, text != NULL ? strlen(text) + 1 : 0);
    mail->whose = a->whose;
    return mail;
}

/* ICE, DTLS as the plan says, keys on both sides. */
static inline void lab_connect(lab *l, lab_call *c, agw_addr from)
{
    static const uint8_t HELLO[13] = {22, 0xfe, 0xff};
    lab_check(l, c, from, true);
    lab_turn(l);
    if (c->plan->transports[0].dtls != AGW_DTLS_ACTIVE) {
        lab_say(l, &l->access, from, HELLO, sizeof HELLO);
        lab_turn(l);
    }
    const lab_assoc *a = lab_assoc_of(l, c, LAB_ACCESS);
    AGW_ASSERT(a != NULL && a->assoc != NULL);
    lab_make_sessions(c, a->role, 1);
    lab_post(l, lab_done(a, 1, 1));
    lab_turn(l);
}

static inline size_t lab_events(const lab_call *c, agw_event_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_events; i++)
        n += c->events[i].kind == kind;
    return n;
}

static inline uint64_t lab_drops(const lab *l, agw_drop why)
{
    return agw_counter_get(&l->w->stats.drops[why]);
}

#endif
