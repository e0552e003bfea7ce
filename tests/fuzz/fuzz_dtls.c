/* SPDX-License-Identifier: BSD-3-Clause
 * Datagrams of a peer to a session of ours. An input is one octet (bit 0: our role) and then pieces
 * of [2 octets length][1 octet tens of milliseconds that pass first][datagram]. Random numbers and
 * clocks are replaced, so that the seed that was recorded from a whole handshake still fits. */
#include "base/wire.h"
#include "dtls/session.h"

#include <openssl/rand.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t EPOCH_S = 1700000000;
static uint64_t random_state;
static agw_ns clock_now;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
 */
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = EPOCH_S + clock_now / AGW_S(1);
    tv->tv_usec = clock_now % AGW_S(1) / AGW_US(1);
    return 0;
}

time_t time(time_t *timer)
{
    if (timer != NULL)
        *timer = EPOCH_S;
    return EPOCH_S;
}

static int next_bytes(unsigned char *out, int len)
{
    for (int i = 0; i < len; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(random_state >> 56);
    }
    return 1;
}

static int is_seeded(void)
{
    return 1;
}

static agw_dtls_ctx *context(void)
{
    static agw_dtls_ctx *ctx;
    static RAND_METHOD method;
    if (ctx == NULL) {
        method.bytes = method.pseudorand = next_bytes;
        method.status = is_seeded;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        AGW_ASSERT(RAND_set_rand_method(&method) == 1); /* no other way tames all draws */
#pragma GCC diagnostic pop
        random_state = 1;
        ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
        AGW_ASSERT(ctx != NULL);
    }
    random_state = 2;
    clock_now = AGW_S(10);
    return ctx;
}

static void drain(agw_dtls *d)
{
    uint8_t out[AGW_DTLS_MTU];
    size_t len;
    while (agw_dtls_take(d, out, sizeof out, &len))
        AGW_ASSERT(len > 0 && len <= sizeof out);
}

static void check(const agw_dtls *d)
{
    agw_dtls_result r;
    const bool up = agw_dtls_state_of(d) == AGW_DTLS_ESTABLISHED;
    AGW_ASSERT(!up || agw_dtls_get_result(d, &r) == AGW_OK);
    AGW_ASSERT(agw_dtls_state_of(d) != AGW_DTLS_FAILED || agw_dtls_deadline(d) == AGW_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const agw_dtls_role role = (data[0] & 1) != 0 ? AGW_DTLS_CLIENT : AGW_DTLS_SERVER;
    agw_dtls *d = agw_dtls_new(context(), role, clock_now);
    AGW_ASSERT(d != NULL);
    agw_dtls_start(d, clock_now);
    for (size_t at = 1; size - at >= 3;) {
        const size_t left = size - at - 3, want = agw_get16(data + at);
        const size_t len = want < left ? want : left;
        clock_now += AGW_MS(10) * data[at + 2];
        if (agw_dtls_deadline(d) <= clock_now)
            agw_dtls_on_deadline(d, clock_now);
        agw_dtls_on_datagram(d, clock_now, data + at + 3, len);
        drain(d);
        check(d);
        at += 3 + len;
    }
    agw_dtls_free(d);
    return 0;
}
