/* SPDX-License-Identifier: BSD-3-Clause
 * A gateway on loopback with a browser and a phone made of our own rooms, for tests of whole calls.
 */
#ifndef AGW_TESTS_AGW_WORLD_H
#define AGW_TESTS_AGW_WORLD_H

#include "agw/gateway.h"
#include "base/wire.h"
#include "dtls/session.h"
#include "ice/checks.h"
#include "srtp/session.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 5000, /* only reached when something is broken */
    QUIET_MS = 60,      /* how long nothing must come where nothing may come */
    DATAGRAM = 2048,
    AUDIO = 1, /* media ids */
    VIDEO = 2,
    PT_AUDIO = 8,
    PT_VIDEO = 96,
};

#define BROWSER_UFRAG "brow"
#define BROWSER_PWD   "browserpasswordbrowserpw"

typedef struct world {
    agw_gateway *gw;
    agw_call_ref *call;
    agw_transport_info access, core[2]; /* core: audio, video */
    agw_event events[64];
    size_t n_events;
} world;

/* One end that is not ours: a socket, and what it needs to speak WebRTC. */
typedef struct party {
    int fd;
    bool tcp; /* connected, packets framed as RFC 4571 says */
    agw_addr local;
    agw_dtls_ctx *ctx;
    agw_dtls *dtls;
    agw_srtp_session *in, *out;
    uint32_t handshake_datagrams; /* DTLS datagrams received, ever */
} party;

static inline agw_addr loopback(void)
{
    agw_addr a;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&a, "127.0.0.1"), AGW_OK);
    return a;
}

static inline void world_open(world *w, uint32_t workers)
{
    char why[200] = "";
    memset(w, 0, sizeof *w);
    agw_gateway_config config = {
        .n_interfaces = 1,
        .port_min = 16000, /* a wide range: what others hold is skipped */
        .port_max = 31998,
        .workers = workers,
        .tick_us = 500,
        .ice_tcp = true,
        .stun_rate = 100,
    };
    config.interfaces[0].ip4 = loopback();
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new(&w->gw, &config, why, sizeof why), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(w->gw, "test-call", w, &w->call), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(
        agw_gateway_reserve(w->gw, w->call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_SHARED, &w->access),
        AGW_OK);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(
            agw_gateway_reserve(w->gw, w->call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_PAIR, &w->core[i]),
            AGW_OK);
}

static inline void world_close(world *w)
{
    agw_gateway_free(w->gw);
}

static inline uint64_t drops(const world *w, agw_drop reason)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < agw_gateway_workers(w->gw); i++)
        sum += agw_counter_get(&agw_gateway_worker_stats(w->gw, i)->drops[reason]);
    return sum;
}

/* Waits for a drop counter to reach n. */
static inline bool dropped(const world *w, agw_drop reason, uint64_t n)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (drops(w, reason) < n && agw_clock_now() < until)
        poll(NULL, 0, 1);
    return drops(w, reason) >= n;
}

static inline void world_apply(world *w, agw_plan *plan)
{
    agw_gateway_apply(w->gw, w->call, plan);
    agw_gateway_wake_workers(w->gw);
}

static inline void world_end_call(world *w)
{
    agw_gateway_call_free(w->gw, w->call);
    agw_gateway_wake_workers(w->gw);
}

static inline bool saw_event(world *w, agw_event_kind kind)
{
    for (size_t i = 0; i < w->n_events; i++) {
        if (w->events[i].kind == kind)
            return true;
    }
    return false;
}

static inline bool wait_event(world *w, agw_event_kind kind)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (!saw_event(w, kind) && agw_clock_now() < until) {
        struct pollfd p = {agw_gateway_event_fd(w->gw), POLLIN, 0};
        poll(&p, 1, 10);
        while (w->n_events < sizeof w->events / sizeof w->events[0] &&
               agw_gateway_next_event(w->gw, &w->events[w->n_events]))
            w->n_events++;
    }
    return saw_event(w, kind);
}

/* --- parties
 * -------------------------------------------------------------------------------------- */

/* At 127.0.0.host, on any port. */
static inline void party_open_at(party *p, uint8_t host)
{
    struct sockaddr_storage ss;
    memset(p, 0, sizeof *p);
    agw_addr at = loopback();
    at.ip[3] = host;
    socklen_t len = agw_addr_to_sockaddr(&at, &ss);
    p->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(p->fd, (struct sockaddr *)&ss, len), 0);
    len = sizeof ss;
    CU_ASSERT_EQUAL_FATAL(getsockname(p->fd, (struct sockaddr *)&ss, &len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&p->local, (struct sockaddr *)&ss), AGW_OK);
}

static inline void party_open(party *p)
{
    party_open_at(p, 1);
}

static inline void party_close(party *p)
{
    agw_srtp_session_free(p->in);
    agw_srtp_session_free(p->out);
    agw_dtls_free(p->dtls);
    agw_dtls_ctx_unref(p->ctx);
    close(p->fd);
}

static inline void say_framed(const party *p, const void *data, size_t len)
{
    uint8_t framed[2 + DATAGRAM];
    agw_put16(framed, (uint16_t)len);
    memcpy(framed + 2, data, len);
    CU_ASSERT_EQUAL(send(p->fd, framed, 2 + len, MSG_NOSIGNAL), (ssize_t)(2 + len));
}

static inline void say(const party *p, const agw_addr *to, const void *data, size_t len)
{
    struct sockaddr_storage ss;
    if (p->tcp) {
        say_framed(p, data, len);
        return;
    }
    const socklen_t ss_len = agw_addr_to_sockaddr(to, &ss);
    CU_ASSERT_EQUAL(sendto(p->fd, data, len, 0, (struct sockaddr *)&ss, ss_len), (ssize_t)len);
}

/* 0: the connection has ended. */
static inline size_t hear_framed(const party *p, uint8_t *out)
{
    uint8_t head[2];
    if (recv(p->fd, head, sizeof head, MSG_WAITALL) != sizeof head)
        return 0;
    const size_t len = agw_get16(head);
    CU_ASSERT_FATAL(len <= DATAGRAM);
    return recv(p->fd, out, len, MSG_WAITALL) == (ssize_t)len ? len : 0;
}

/* Length of the next datagram, 0 when none comes in that time. */
static inline size_t hear(const party *p, uint8_t *out, int wait_ms)
{
    struct pollfd pfd = {p->fd, POLLIN, 0};
    if (poll(&pfd, 1, wait_ms) != 1)
        return 0;
    if (p->tcp)
        return hear_framed(p, out);
    const ssize_t n = recv(p->fd, out, DATAGRAM, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

static inline void browser_check_as(party *b, const agw_transport_info *to, const char *pwd,
                                    bool nominate)
{
    static uint32_t last_id; /* no two checks of a test are one */
    char username[64];
    uint8_t buf[512];
    snprintf(username, sizeof username, "%s:%s", to->ufrag, BROWSER_UFRAG);
    const check c = {
        .username = username,
        .pwd = pwd,
        .use_candidate = nominate,
        .priority = 0x6e0001ff,
        .id = ++last_id,
    };
    say(b, &to->rtp[0], buf, check_write(&c, buf, sizeof buf));
}

/* A check, and its answer. */
static inline bool browser_check(party *b, const agw_transport_info *to)
{
    uint8_t buf[DATAGRAM];
    browser_check_as(b, to, to->pwd, true);
    for (size_t n; (n = hear(b, buf, PATIENCE_MS)) != 0;) {
        if (n >= 20 && buf[0] == 1 && buf[1] == 1) /* success response */
            return true;
    }
    return false;
}

static inline void browser_make(party *b)
{
    b->ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->ctx);
}

static inline agw_srtp_session *session_of(const agw_dtls_result *r, bool client, bool egress)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    memcpy(key, client ? r->client_key : r->server_key, r->key_len);
    memcpy(key + r->key_len, client ? r->client_salt : r->server_salt, r->salt_len);
    return agw_srtp_session_new(agw_srtp_suite_by_use_srtp_id((uint16_t)r->srtp_profile), key,
                                r->key_len + r->salt_len, egress);
}

static inline void browser_flush(party *b, const agw_addr *to)
{
    uint8_t buf[DATAGRAM];
    size_t len;
    while (agw_dtls_take(b->dtls, buf, sizeof buf, &len))
        say(b, to, buf, len);
}

/* The handshake as DTLS client or server; true: keys on both sides of the browser. */
static inline bool browser_handshake(party *b, const agw_transport_info *to, agw_dtls_role role)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    uint8_t buf[DATAGRAM];
    b->dtls = agw_dtls_new(b->ctx, role, agw_clock_now());
    agw_dtls_start(b->dtls, agw_clock_now());
    browser_flush(b, &to->rtp[0]);
    while (agw_dtls_state_of(b->dtls) == AGW_DTLS_HANDSHAKING && agw_clock_now() < until) {
        const size_t n = hear(b, buf, 20);
        const agw_ns now = agw_clock_now();
        if (n != 0 && buf[0] >= 20 && buf[0] < 64) {
            b->handshake_datagrams++;
            (void)agw_dtls_on_datagram(b->dtls, now, buf, n);
        }
        if (agw_dtls_deadline(b->dtls) <= now)
            agw_dtls_on_deadline(b->dtls, now);
        browser_flush(b, &to->rtp[0]);
    }
    agw_dtls_result r;
    if (agw_dtls_get_result(b->dtls, &r) != AGW_OK)
        return false;
    b->in = session_of(&r, role != AGW_DTLS_CLIENT, false);
    b->out = session_of(&r, role == AGW_DTLS_CLIENT, true);
    return b->in != NULL && b->out != NULL;
}

/* --- packets
 * ---------------------------------------------------------------------------------------- */

static inline size_t make_rtp(uint8_t *out, uint8_t pt, uint32_t ssrc, uint16_t seq)
{
    out[0] = 0x80;
    out[1] = pt;
    agw_put16(out + 2, seq);
    agw_put32(out + 4, seq * 160u);
    agw_put32(out + 8, ssrc);
    memset(out + 12, seq & 0xff, 160);
    return 172;
}

static inline void browser_rtp(const party *b, const agw_addr *to, uint8_t pt, uint32_t ssrc,
                               uint16_t seq)
{
    uint8_t buf[DATAGRAM];
    size_t len = make_rtp(buf, pt, ssrc, seq);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_protect(b->out, buf, &len, sizeof buf - len), AGW_OK);
    say(b, to, buf, len);
}

static inline void phone_rtp(const party *p, const agw_addr *to, uint8_t pt, uint32_t ssrc,
                             uint16_t seq)
{
    uint8_t buf[DATAGRAM];
    say(p, to, buf, make_rtp(buf, pt, ssrc, seq));
}

/* The next RTP (or RTCP) that comes and is authentic, deciphered; 0 = none. */
static inline size_t browser_hear(const party *b, bool rtcp, uint8_t *buf, int wait_ms)
{
    for (size_t n; (n = hear(b, buf, wait_ms)) != 0;) {
        const bool is_rtcp = n > 8 && buf[0] >> 6 == 2 && buf[1] >= 192 && buf[1] < 224;
        if (buf[0] >> 6 != 2 || is_rtcp != rtcp)
            continue;
        const agw_err err =
            rtcp ? agw_srtp_unprotect_rtcp(b->in, buf, &n) : agw_srtp_unprotect(b->in, buf, &n);
        CU_ASSERT_EQUAL(err, AGW_OK);
        return n;
    }
    return 0;
}

/* --- plans
 * ------------------------------------------------------------------------------------------- */

/* The first transport of a plan. */
static inline void plan_browser(agw_plan *plan, const agw_transport_info *info, const party *b)
{
    agw_transport_plan *t = &plan->transports[0];
    agw_fingerprint fingerprint;
    t->id = info->id;
    t->side = AGW_SIDE_A;
    t->security = AGW_SECURITY_DTLS;
    t->rtcp_mux = true;
    t->tos = AGW_TOS_EF;
    t->ice = true;
    snprintf(t->local_ufrag, sizeof t->local_ufrag, "%s", info->ufrag);
    snprintf(t->local_pwd, sizeof t->local_pwd, "%s", info->pwd);
    t->remote_ufrag = BROWSER_UFRAG;
    t->remote_pwd = BROWSER_PWD;
    t->dtls = AGW_DTLS_PASSIVE;
    t->n_fingerprints = 1;
    agw_dtls_ctx_fingerprint(b->ctx, AGW_HASH_SHA256, &fingerprint);
    AGW_ASSERT(agw_plan_make_room(plan, agw_plan_room(sizeof fingerprint)) == AGW_OK);
    t->fingerprints = agw_plan_keep(plan, &fingerprint, sizeof fingerprint);
}

static inline void plan_phone(agw_transport_plan *t, const agw_transport_info *info,
                              const party *rtp, const party *rtcp)
{
    t->id = info->id;
    t->side = AGW_SIDE_B;
    t->security = AGW_SECURITY_PLAIN;
    t->tos = AGW_TOS_EF;
    t->remote_rtp = rtp->local;
    t->remote_rtcp = rtcp->local;
}

static inline void plan_media(agw_media_plan *m, uint32_t id, agw_media_kind kind, uint8_t pt,
                              uint32_t access_id, uint32_t core_id)
{
    m->id = id;
    m->kind = (uint8_t)kind;
    for (int side = 0; side < 2; side++) {
        agw_end_plan *e = &m->end[side];
        e->transport_id = side == AGW_SIDE_A ? access_id : core_id;
        e->may_send = e->may_receive = true;
        e->egress_ssrc = 0xa0000000u + id * 16u + (uint32_t)side;
        e->n_pts = 1;
        e->pts[0] = (agw_pt_plan){
            .ingress = pt, .egress = pt, .clock_hz = kind == AGW_MEDIA_VIDEO ? 90000 : 8000};
    }
}

#endif
