/* SPDX-License-Identifier: BSD-3-Clause
 * Two DTLS ends joined by a network on virtual time: one is our session, the other ours or a bare
 * OpenSSL. gettimeofday() is defined here, so that OpenSSL's retransmission follows the same clock;
 * include this in one file of a test only. */
#ifndef AGW_TESTS_DTLS_LINK_H
#define AGW_TESTS_DTLS_LINK_H

#include "dtls/bio.h"
#include "dtls/session.h"
#include "unit.h"
#include "vectors/vector.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/time.h>

enum { LINK_ROOM = 256, LINK_MTU = 2048, LINK_SERVER = 0, LINK_CLIENT = 1 };

static agw_ns link_now = AGW_S(1000);

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
 */
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = 1700000000 + link_now / AGW_S(1);
    tv->tv_usec = link_now % AGW_S(1) / AGW_US(1);
    return 0;
}

typedef struct link_datagram {
    agw_ns at;
    int to;
    size_t len;
    uint8_t data[LINK_MTU];
} link_datagram;

typedef struct link_end {
    agw_dtls *ours; /* or */
    SSL *ssl;
    agw_bio_queue queue;
    bool done;
} link_end;

typedef struct link_net link_net;
/** Sees each datagram before it travels; may inject others. false: it is lost. */
typedef bool link_filter(link_net *net, int to, const uint8_t *data, size_t len);

struct link_net {
    link_end ends[2];
    link_datagram flight[LINK_ROOM];
    size_t flying;
    link_filter *filter;
    unsigned seen[2]; /* datagrams written towards each end */
    uint64_t random;
    unsigned loss_percent;
    void *arg;
};

static inline uint32_t link_random(link_net *net)
{
    net->random ^= net->random << 13;
    net->random ^= net->random >> 7;
    net->random ^= net->random << 17;
    return (uint32_t)(net->random >> 32);
}

/** Puts a datagram on its way to an end, whoever wrote it. */
static inline void link_inject(link_net *net, int to, const uint8_t *data, size_t len, agw_ns delay)
{
    CU_ASSERT_FATAL(net->flying < LINK_ROOM && len <= LINK_MTU);
    link_datagram *d = &net->flight[net->flying++];
    d->at = link_now + delay;
    d->to = to;
    d->len = len;
    memcpy(d->data, data, len);
}

static inline bool link_take(link_end *e, uint8_t *buf, size_t *len)
{
    return e->ours != NULL ? agw_dtls_take(e->ours, buf, LINK_MTU, len)
                           : agw_bio_take(&e->queue, buf, LINK_MTU, len);
}

static inline void link_send_all(link_net *net)
{
    for (int from = 0; from < 2; from++) {
        uint8_t buf[LINK_MTU];
        size_t len;
        while (link_take(&net->ends[from], buf, &len)) {
            CU_ASSERT_TRUE(len <= AGW_DTLS_MTU);
            const int to = 1 - from;
            net->seen[to]++;
            const bool lost = net->loss_percent > 0 && link_random(net) % 100 < net->loss_percent;
            if ((net->filter == NULL || net->filter(net, to, buf, len)) && !lost)
                link_inject(net, to, buf, len, AGW_MS(5));
        }
    }
}

static inline void link_drive(link_end *e)
{
    uint8_t data[2048];
    ERR_clear_error();
    if (!e->done)
        e->done = SSL_do_handshake(e->ssl) == 1;
    else
        while (SSL_read(e->ssl, data, sizeof data) > 0)
            continue;
}

static inline void link_deliver(link_net *net, const link_datagram *d)
{
    link_end *e = &net->ends[d->to];
    uint8_t *exact = must(malloc(d->len > 0 ? d->len : 1)); /* one byte too many is seen */
    memcpy(exact, d->data, d->len);
    if (e->ours != NULL) {
        agw_dtls_on_datagram(e->ours, link_now, exact, d->len);
    } else {
        e->queue.in = exact;
        e->queue.in_len = d->len;
        link_drive(e);
        e->queue.in = NULL;
    }
    free(exact);
}

static inline agw_ns link_deadline(const link_end *e)
{
    struct timeval left;
    if (e->ours != NULL)
        return agw_dtls_deadline(e->ours);
    if (e->ssl == NULL || e->done || DTLSv1_get_timeout(e->ssl, &left) != 1)
        return AGW_NEVER;
    return link_now + AGW_S(left.tv_sec) + AGW_US(left.tv_usec);
}

static inline void link_on_deadline(link_end *e)
{
    if (e->ours != NULL)
        agw_dtls_on_deadline(e->ours, link_now);
    else if (e->ssl != NULL)
        DTLSv1_handle_timeout(e->ssl);
}

static inline bool link_is_up(const link_end *e)
{
    return e->ours != NULL ? agw_dtls_state_of(e->ours) == AGW_DTLS_ESTABLISHED : e->done;
}

static inline bool link_both_up(link_net *net)
{
    return link_is_up(&net->ends[0]) && link_is_up(&net->ends[1]);
}

static inline link_datagram link_earliest(link_net *net)
{
    size_t best = 0;
    for (size_t i = 1; i < net->flying; i++) {
        if (net->flight[i].at < net->flight[best].at)
            best = i;
    }
    const link_datagram d = net->flight[best];
    memmove(&net->flight[best], &net->flight[best + 1],
            (--net->flying - best) * sizeof net->flight[0]);
    return d;
}

/** One step: what is written is sent, then the next datagram or deadline happens, not after
 * `until`. false: nothing left to happen before it. */
static inline bool link_step(link_net *net, agw_ns until)
{
    link_send_all(net);
    const agw_ns a = link_deadline(&net->ends[0]), b = link_deadline(&net->ends[1]);
    const agw_ns timer = agw_earlier(a, b);
    agw_ns arrival = AGW_NEVER;
    for (size_t i = 0; i < net->flying; i++)
        arrival = agw_earlier(arrival, net->flight[i].at);
    const agw_ns next = agw_earlier(timer, arrival);
    if (next > until || next == AGW_NEVER) {
        link_now = until;
        return false;
    }
    link_now = next > link_now ? next : link_now;
    if (arrival <= timer) {
        const link_datagram d = link_earliest(net);
        link_deliver(net, &d);
    } else {
        link_on_deadline(&net->ends[a <= b ? 0 : 1]);
    }
    return true;
}

/** Runs until both ends are up, or for so long. */
static inline bool link_run(link_net *net, agw_ns how_long)
{
    const agw_ns until = link_now + how_long;
    while (!link_both_up(net) && link_step(net, until))
        continue;
    link_send_all(net);
    return link_both_up(net);
}

/** Lets everything settle for so long. */
static inline void link_settle(link_net *net, agw_ns how_long)
{
    const agw_ns until = link_now + how_long;
    while (link_step(net, until))
        continue;
}

static inline agw_dtls_ctx *link_context(const char *srtp)
{
    agw_dtls_ctx *ctx = agw_dtls_ctx_new(agw_cert_new(), srtp);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    return ctx;
}

static inline void link_ours(link_net *net, int end, agw_dtls_ctx *ctx)
{
    net->ends[end].ours =
        agw_dtls_new(ctx, end == LINK_SERVER ? AGW_DTLS_SERVER : AGW_DTLS_CLIENT, link_now);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net->ends[end].ours);
}

/** A bare OpenSSL at that end, which has a certificate of ours. */
static inline void link_bare(link_net *net, int end, SSL_CTX *ctx, const BIO_METHOD *method)
{
    link_end *e = &net->ends[end];
    e->ssl = SSL_new(ctx);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e->ssl);
    BIO *bio = agw_bio_new(method, &e->queue);
    SSL_set_bio(e->ssl, bio, bio);
    SSL_set_mtu(e->ssl, AGW_DTLS_MTU);
    if (end == LINK_SERVER)
        SSL_set_accept_state(e->ssl);
    else
        SSL_set_connect_state(e->ssl);
}

static inline void link_start(link_net *net)
{
    for (int i = 0; i < 2; i++) {
        if (net->ends[i].ours != NULL)
            agw_dtls_start(net->ends[i].ours, link_now);
        else
            link_drive(&net->ends[i]);
    }
}

static inline void link_fini(link_net *net)
{
    for (int i = 0; i < 2; i++) {
        agw_dtls_free(net->ends[i].ours);
        SSL_free(net->ends[i].ssl);
        agw_bio_truncate(&net->ends[i].queue, 0);
    }
}

#endif
