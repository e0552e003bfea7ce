/* SPDX-License-Identifier: BSD-3-Clause
 * Datagrams are told apart by their first byte (RFC 7983) and taken only from the gateway's
 * candidate; STUN counts when its MESSAGE-INTEGRITY is right, DTLS when the certificate is the
 * signalled one, media when SRTP says so. */
#include "bench/kit/browser.h"

#include "base/rand.h"
#include "base/secret.h"
#include "bench/kit/check.h"
#include "ice/stun.h"
#include "rtp/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    UFRAG = 4, /* Chromium's lengths */
    PWD = 24,
    CNAME = 16,
    PORT_FIRST = 32768, /* Linux's ephemeral ports */
    PORTS = 28232,
    PCMU = 0,
    VP8 = 96,
    H264 = 102,
    TELEPHONE_EVENT = 126,
    PRIORITY_PRFLX = 1845501695, /* RFC 8445 section 5.1.2: type 110, network-id 1's preference */
    RTO_MS = 50,
    RTO_MAX_MS = 1600,
    CONSENT_MIN_MS = 4000, /* RFC 7675 section 5.1: every 5 s, times 0.8 to 1.2 */
    CONSENT_SPAN_MS = 2000,
};
static const agw_ns GIVE_UP = AGW_S(10);

static void on_datagram(void *owner, const kit_datagram *d);

static void new_credentials(kit_browser *b)
{
    agw_rand_text(b->ufrag, UFRAG);
    agw_rand_text(b->pwd, PWD);
}

/* Zeroes it. */
static void unbind(const kit_browser *b, agw_addr *addr)
{
    if (agw_addr_is_set(addr))
        kit_wire_unbind(b->world->wire, addr);
    memset(addr, 0, sizeof *addr);
}

void kit_browser_init(kit_browser *b, kit_world *world, const kit_browser_config *config)
{
    memset(b, 0, sizeof *b);
    b->world = world;
    b->config = *config;
    b->local = kit_world_host(world);
    b->local.port = (uint16_t)(PORT_FIRST + agw_rand32() % PORTS);
    new_credentials(b);
    agw_rand_text(b->cname, CNAME);
    agw_rand_bytes(&b->tie_breaker, sizeof b->tie_breaker);
    b->ssrc = agw_rand32();
    b->mid[0] = '0';
    b->pt_out = b->pt_in = config->video ? VP8 : PCMU;
    b->pt_more = config->video ? H264 : TELEPHONE_EVENT;
    if (config->codecs != NULL) {
        b->codecs = *config->codecs;
        b->pt_out = b->pt_in = b->codecs.codec[0].pt;
    }
    kit_wire_bind(world->wire, &b->local, on_datagram, b);
}

static void drop_early(kit_browser *b)
{
    free(b->early);
    b->early = NULL;
    b->early_len = 0;
}

void kit_browser_fini(kit_browser *b)
{
    if (b->world == NULL)
        return;
    unbind(b, &b->local);
    unbind(b, &b->next);
    unbind(b, &b->former);
    kit_world_cancel(b->world, &b->check_timer);
    kit_world_cancel(b->world, &b->dtls_timer);
    agw_dtls_free(b->dtls);
    kit_srtp_close(&b->srtp, b);
    drop_early(b);
    memset(b, 0, sizeof *b);
}

/* --- descriptions --- */

/* Where the next description says that we are, and where checks leave from. */
static const agw_addr *candidate(const kit_browser *b)
{
    return agw_addr_is_set(&b->next) ? &b->next : &b->local;
}

static size_t write_sdp(kit_browser *b, bool answer, kit_setup setup, char out[KIT_SDP_MAX])
{
    agw_fingerprint fp;
    agw_dtls_ctx_fingerprint(b->config.dtls, AGW_HASH_SHA256, &fp);
    const kit_sdp_fields fields = {.local = *candidate(b),
                                   .video = b->config.video,
                                   .answer = answer,
                                   .ufrag = b->ufrag,
                                   .pwd = b->pwd,
                                   .cname = b->cname,
                                   .mid = b->mid,
                                   .fingerprint = &fp,
                                   .setup = setup,
                                   .ssrc = b->ssrc,
                                   .pt = b->pt_in,
                                   .pt_more = b->pt_more,
                                   .codecs = &b->codecs};
    return kit_sdp_write_browser(&fields, out);
}

size_t kit_browser_write_offer(kit_browser *b, char out[KIT_SDP_MAX])
{
    b->offered = true;
    return write_sdp(b, false, KIT_SETUP_ACTPASS, out);
}

size_t kit_browser_write_answer(kit_browser *b, char out[KIT_SDP_MAX])
{
    return write_sdp(b, true, b->dtls_client ? KIT_SETUP_ACTIVE : KIT_SETUP_PASSIVE, out);
}

/* NULL, or what Chromium would not accept either. */
static const char *missing(const kit_browser *b, const kit_sdp *s)
{
    if (s->ufrag[0] == '\0' || s->pwd[0] == '\0')
        return "the gateway's SDP has no ICE credentials";
    if (!agw_addr_is_set(&s->candidate))
        return "the gateway's SDP has no candidate for us";
    if (s->fingerprint.len == 0)
        return "the gateway's SDP has no fingerprint";
    if (s->setup == KIT_SETUP_NONE ||
        (b->offered && s->setup == KIT_SETUP_ACTPASS && b->state != KIT_BROWSER_READY))
        return "the gateway's SDP names no DTLS role";
    if (!s->rtcp_mux)
        return "the gateway's SDP has no rtcp-mux";
    return NULL;
}

agw_err kit_browser_take(kit_browser *b, const char *sdp, size_t len)
{
    kit_sdp s;
    if (kit_sdp_read(&s, sdp, len, b->config.video, &b->failure) != AGW_OK)
        return AGW_ERR_MALFORMED;
    b->failure = missing(b, &s);
    const int pt = b->codecs.count > 0 ? kit_codecs_take(&b->codecs, &s, !b->offered)
                                       : kit_sdp_pt(&s, b->config.video ? "VP8" : "PCMU");
    if (b->failure == NULL && pt < 0)
        b->failure = "the gateway's SDP does not have our codec";
    if (b->failure != NULL)
        return AGW_ERR_MALFORMED;
    if (b->remote_ufrag[0] == '\0')
        b->controlling = b->offered;
    b->controlling |= s.ice_lite; /* roles stay over restarts, RFC 8445 sections 6.1.1 and 9 */
    b->remote = s.candidate;
    b->remote_fingerprint = s.fingerprint;
    snprintf(b->remote_ufrag, sizeof b->remote_ufrag, "%s", s.ufrag);
    snprintf(b->remote_pwd, sizeof b->remote_pwd, "%s", s.pwd);
    b->dtls_client =
        s.setup == KIT_SETUP_PASSIVE || (s.setup == KIT_SETUP_ACTPASS && !b->config.dtls_server);
    b->pt_out = (uint8_t)pt;
    if (!b->offered) {
        b->pt_in = b->pt_out;
        b->pt_more = kit_sdp_pt(&s, b->config.video ? "H264" : "telephone-event");
        snprintf(b->mid, sizeof b->mid, "%s", s.mid[0] != '\0' ? s.mid : "0");
    }
    return AGW_OK;
}

/* --- DTLS --- */

static void settle(kit_browser *b, kit_browser_state state, const char *failure)
{
    b->state = state;
    b->failure = failure;
    if (state == KIT_BROWSER_FAILED) {
        kit_world_cancel(b->world, &b->check_timer);
        kit_world_cancel(b->world, &b->dtls_timer);
    }
    if (b->config.on_ready != NULL)
        b->config.on_ready(b->config.owner);
}

static void join_key(uint8_t out[AGW_SRTP_KEY_MAX], const agw_dtls_result *r, bool client)
{
    AGW_ASSERT(r->key_len + r->salt_len <= AGW_SRTP_KEY_MAX);
    memcpy(out, client ? r->client_key : r->server_key, r->key_len);
    memcpy(out + r->key_len, client ? r->client_salt : r->server_salt, r->salt_len);
}

static bool open_srtp(kit_browser *b, agw_srtp_suite suite, const agw_dtls_result *r)
{
    uint8_t in[AGW_SRTP_KEY_MAX], out[AGW_SRTP_KEY_MAX];
    join_key(out, r, b->dtls_client);
    join_key(in, r, !b->dtls_client);
    const bool ok = kit_srtp_open(&b->srtp, b->world, suite, in, out);
    agw_secret_wipe(in, sizeof in);
    agw_secret_wipe(out, sizeof out);
    return ok;
}

/* NULL, or why the keys cannot be used. */
static const char *take_keys(kit_browser *b)
{
    agw_dtls_result r;
    if (agw_dtls_get_result(b->dtls, &r) != AGW_OK)
        return "no keys from DTLS";
    const bool known = agw_fingerprint_matches(&b->remote_fingerprint, r.peer);
    const agw_srtp_suite suite = agw_srtp_suite_by_use_srtp_id((uint16_t)r.srtp_profile);
    const bool opened = known && suite != AGW_SRTP_NONE && open_srtp(b, suite, &r);
    agw_dtls_result_wipe(&r);
    if (!known)
        return "the gateway's certificate is not the one in its SDP";
    return opened ? NULL : "no SRTP session";
}

static void on_dtls_timer(void *owner);

/* Sends what DTLS has to say and looks what has become of it. The last thing its callers do. */
static void pump(kit_browser *b)
{
    uint8_t buf[AGW_DTLS_MTU];
    size_t len;
    while (agw_dtls_take(b->dtls, buf, sizeof buf, &len))
        kit_wire_send(b->world->wire, &b->local, &b->remote, buf, len);
    kit_world_at(b->world, &b->dtls_timer, agw_dtls_deadline(b->dtls), on_dtls_timer, b);
    const agw_dtls_state state = agw_dtls_state_of(b->dtls);
    if (state == AGW_DTLS_HANDSHAKING)
        return;
    if (b->state == KIT_BROWSER_READY && state != AGW_DTLS_ESTABLISHED) {
        b->state = KIT_BROWSER_FAILED;
        b->failure = "the gateway has ended DTLS";
        kit_world_cancel(b->world, &b->check_timer);
    }
    if (b->state != KIT_BROWSER_HANDSHAKING)
        return;
    if (state != AGW_DTLS_ESTABLISHED) {
        settle(b, KIT_BROWSER_FAILED, agw_dtls_reason(b->dtls));
        return;
    }
    b->ready_at = b->world->now;
    const char *failure = take_keys(b);
    settle(b, failure == NULL ? KIT_BROWSER_READY : KIT_BROWSER_FAILED, failure);
}

static void on_dtls_timer(void *owner)
{
    kit_browser *b = owner;
    agw_dtls_on_deadline(b->dtls, b->world->now);
    if (b->world->now < b->pause_until) /* what is resent waits with what is answered */
        kit_world_at(b->world, &b->dtls_timer, b->pause_until, on_dtls_timer, b);
    else
        pump(b);
}

static void pump_soon(kit_browser *b)
{
    if (b->config.dtls_pause == 0) {
        pump(b);
    } else if (b->pause_until <= b->world->now) {
        b->pause_until = b->world->now + b->config.dtls_pause;
        kit_world_at(b->world, &b->dtls_timer, b->pause_until, on_dtls_timer, b);
    }
}

static void take_dtls(kit_browser *b, const uint8_t *data, size_t len)
{
    if (b->dtls == NULL) {
        /* A gateway that has seen our check may be faster than its answer to it. */
        drop_early(b);
        b->early = malloc(len);
        if (b->early != NULL) {
            memcpy(b->early, data, len);
            b->early_len = len;
        }
        return;
    }
    if (agw_dtls_on_datagram(b->dtls, b->world->now, data, len) != AGW_DTLS_DROP_NONE)
        b->stats.dtls_dropped++;
    pump_soon(b);
}

static void start_dtls(kit_browser *b)
{
    b->state = KIT_BROWSER_HANDSHAKING;
    b->connected_at = b->world->now;
    b->dtls = agw_dtls_new(b->config.dtls, b->dtls_client ? AGW_DTLS_CLIENT : AGW_DTLS_SERVER,
                           b->world->now);
    if (b->dtls == NULL) {
        settle(b, KIT_BROWSER_FAILED, "no memory");
        return;
    }
    agw_dtls_set_timeout(b->dtls, GIVE_UP);
    agw_dtls_start(b->dtls, b->world->now);
    if (b->early != NULL &&
        agw_dtls_on_datagram(b->dtls, b->world->now, b->early, b->early_len) != AGW_DTLS_DROP_NONE)
        b->stats.dtls_dropped++;
    drop_early(b);
    pump_soon(b);
}

/* --- ICE --- */

void kit_browser_restart(kit_browser *b)
{
    AGW_ASSERT(b->state == KIT_BROWSER_READY);
    unbind(b, &b->next);
    b->next = b->local;
    b->next.port = (uint16_t)(PORT_FIRST + (b->local.port - PORT_FIRST + 1u) % PORTS);
    kit_wire_bind(b->world->wire, &b->next, on_datagram, b);
    new_credentials(b);
    kit_world_cancel(b->world, &b->check_timer); /* until there are both halves of a username */
}

/* No check has been answered since the beginning, or since a restart. */
static bool is_checking(const kit_browser *b)
{
    return b->state == KIT_BROWSER_CHECKING || agw_addr_is_set(&b->next);
}

/* The new address is valid: media goes there from now on. */
static void be_at_next(kit_browser *b)
{
    if (!agw_addr_is_set(&b->next))
        return;
    unbind(b, &b->former);
    b->former = b->local;
    b->local = b->next;
    memset(&b->next, 0, sizeof b->next);
}

size_t kit_browser_write_check(kit_browser *b, uint8_t out[256], bool nominate)
{
    char username[sizeof b->remote_ufrag + sizeof b->ufrag];
    snprintf(username, sizeof username, "%s:%s", b->remote_ufrag, b->ufrag);
    const kit_check check = {.id = b->check_id,
                             .username = username,
                             .key = b->remote_pwd,
                             .tie_breaker = b->tie_breaker,
                             .priority = PRIORITY_PRFLX,
                             .controlling = b->controlling,
                             .nominate = nominate};
    return kit_check_write(&check, out, 256);
}

static void send_check(kit_browser *b)
{
    uint8_t buf[256];
    const size_t len = kit_browser_write_check(b, buf, b->controlling);
    kit_wire_send(b->world->wire, candidate(b), &b->remote, buf, len);
    b->check_open = true;
    b->stats.checks_sent++;
}

static void on_check_timer(void *owner)
{
    kit_browser *b = owner;
    const agw_ns now = b->world->now;
    agw_ns wait = AGW_MS(CONSENT_MIN_MS + agw_rand32() % (CONSENT_SPAN_MS + 1));
    if (is_checking(b)) {
        if (b->state == KIT_BROWSER_CHECKING && now - b->started_at >= GIVE_UP) {
            settle(b, KIT_BROWSER_FAILED, "no connectivity check was answered");
            return;
        }
        const unsigned doubled = b->check_sends < 5 ? b->check_sends : 5;
        wait = AGW_MS(agw_earlier(RTO_MS << doubled, RTO_MAX_MS));
        b->check_sends++;
    } else { /* RFC 7675 section 5.1: no consent check is repeated */
        agw_rand_bytes(b->check_id, sizeof b->check_id);
    }
    send_check(b);
    kit_world_at(b->world, &b->check_timer, now + wait, on_check_timer, b);
}

void kit_browser_start(kit_browser *b)
{
    if (b->state != KIT_BROWSER_READY)
        b->state = KIT_BROWSER_CHECKING;
    b->started_at = b->world->now;
    b->check_sends = 0;
    agw_rand_bytes(b->check_id, sizeof b->check_id);
    on_check_timer(b);
}

static void take_check(kit_browser *b, const agw_stun_msg *m, const kit_datagram *d)
{
    const bool ours = m->head.local_ufrag != NULL && m->head.local_ufrag_len == strlen(b->ufrag) &&
                      memcmp(m->head.local_ufrag, b->ufrag, m->head.local_ufrag_len) == 0;
    uint8_t reply[AGW_STUN_REPLY_MAX];
    if (!ours || agw_stun_verify(m, d->data, d->len, b->pwd, strlen(b->pwd)) != AGW_OK) {
        b->stats.stun_bad++;
        return;
    }
    const size_t len = agw_stun_write_success(m, &d->from, b->pwd, reply, sizeof reply);
    kit_wire_send(b->world->wire, &b->local, &d->from, reply, len);
    b->stats.checks_taken++;
}

static void take_response(kit_browser *b, const agw_stun_msg *m, const kit_datagram *d)
{
    if (!b->check_open || memcmp(m->head.id, b->check_id, sizeof b->check_id) != 0 ||
        agw_stun_verify(m, d->data, d->len, b->remote_pwd, strlen(b->remote_pwd)) != AGW_OK ||
        !agw_addr_equal(&m->mapped, candidate(b))) {
        b->stats.stun_bad++;
        return;
    }
    b->check_open = false;
    b->stats.checks_answered++;
    if (!is_checking(b))
        return;
    be_at_next(b);
    const agw_ns wait = AGW_MS(CONSENT_MIN_MS + agw_rand32() % (CONSENT_SPAN_MS + 1));
    kit_world_at(b->world, &b->check_timer, b->world->now + wait, on_check_timer, b);
    if (b->state == KIT_BROWSER_CHECKING)
        start_dtls(b);
}

static void take_stun(kit_browser *b, const kit_datagram *d)
{
    agw_stun_msg m;
    const bool sound = agw_stun_parse(&m, d->data, d->len) == AGW_OK &&
                       agw_stun_fingerprint_ok(&m, d->data, d->len) &&
                       m.head.method == AGW_STUN_METHOD_BINDING;
    if (sound && m.head.msg_class == AGW_STUN_REQUEST)
        take_check(b, &m, d);
    else if (sound && m.head.msg_class == AGW_STUN_RESPONSE)
        take_response(b, &m, d);
    else if (!sound || m.head.msg_class == AGW_STUN_ERROR)
        b->stats.stun_bad++; /* an indication is a keep-alive */
}

/* --- media --- */

static void take_rtp(void *owner, agw_err err, uint8_t *rtp, size_t len, agw_ns at)
{
    kit_browser *b = owner;
    if (kit_srtp_is_authentic(&b->srtp, err) && b->config.on_rtp != NULL)
        b->config.on_rtp(b->config.owner, rtp, len, at);
}

static void take_rtcp(kit_browser *b, const kit_datagram *d)
{
    const size_t len = kit_srtp_take_rtcp(&b->srtp, d);
    if (len != 0 && b->config.on_rtcp != NULL)
        b->config.on_rtcp(b->config.owner, d->data, len, d->at);
}

static void take_media(kit_browser *b, const kit_datagram *d)
{
    if (b->srtp.in == NULL)
        b->stats.unknown++;
    else if (agw_rtp_is_rtcp(d->data, d->len))
        take_rtcp(b, d);
    else
        kit_srtp_take(&b->srtp, d, take_rtp, b);
}

static void on_datagram(void *owner, const kit_datagram *d)
{
    kit_browser *b = owner;
    if (b->state == KIT_BROWSER_NEW)
        return; /* as if the gateway's description were still on its way: nothing can be proven */
    if (!agw_addr_equal(&d->from, &b->remote)) {
        b->stats.other_source++;
        return;
    }
    const unsigned first = d->len == 0 ? 255 : d->data[0];
    if (first <= 3)
        take_stun(b, d);
    else if (first >= 20 && first <= 63 && b->state != KIT_BROWSER_FAILED)
        take_dtls(b, d->data, d->len);
    else if (first >= 128 && first <= 191)
        take_media(b, d);
    else
        b->stats.unknown++;
}

size_t kit_browser_protect(kit_browser *b, uint8_t *rtp, size_t len, bool rtcp)
{
    return b->state == KIT_BROWSER_READY ? kit_srtp_protect(&b->srtp, rtp, len, rtcp) : 0;
}

size_t kit_browser_protect_room(kit_browser *b, uint8_t *rtp, size_t len)
{
    return b->state == KIT_BROWSER_READY ? kit_srtp_protect_room(&b->srtp, rtp, len) : 0;
}

static bool protect_and_send(kit_browser *b, uint8_t *data, size_t len, bool rtcp)
{
    const size_t protected_len = kit_browser_protect(b, data, len, rtcp);
    if (protected_len == 0)
        return false;
    kit_wire_send(b->world->wire, &b->local, &b->remote, data, protected_len);
    return true;
}

bool kit_browser_send_rtp(kit_browser *b, uint8_t *rtp, size_t len)
{
    return protect_and_send(b, rtp, len, false);
}

bool kit_browser_send_rtcp(kit_browser *b, uint8_t *rtcp, size_t len)
{
    return protect_and_send(b, rtcp, len, true);
}
