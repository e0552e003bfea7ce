/* SPDX-License-Identifier: BSD-3-Clause
 * Handshake threads share one context: references and SSL_CTX stand it (run it under TSan, too). */
#include "dtls/session.h"
#include "unit.h"

#include <pthread.h>

enum { THREADS = 3, ROUNDS = 15 };

static bool move(agw_dtls *from, agw_dtls *to)
{
    uint8_t buf[AGW_DTLS_MTU];
    size_t len;
    bool moved = false;
    while (agw_dtls_take(from, buf, sizeof buf, &len)) {
        agw_dtls_on_datagram(to, 0, buf, len);
        moved = true;
    }
    return moved;
}

static bool handshake(agw_dtls_ctx *ctx)
{
    agw_dtls *server = agw_dtls_new(ctx, AGW_DTLS_SERVER, 0);
    agw_dtls *client = agw_dtls_new(ctx, AGW_DTLS_CLIENT, 0);
    agw_dtls_start(client, 0);
    while (move(client, server) || move(server, client))
        continue;
    const bool up = agw_dtls_state_of(server) == AGW_DTLS_ESTABLISHED &&
                    agw_dtls_state_of(client) == AGW_DTLS_ESTABLISHED;
    agw_dtls_free(server);
    agw_dtls_free(client);
    return up;
}

/* Each thread owns one reference and gives it back. Returns NULL when all went well. */
static void *run(void *arg)
{
    agw_dtls_ctx *ctx = arg;
    bool ok = true;
    for (int i = 0; i < ROUNDS; i++)
        ok = handshake(ctx) && ok;
    agw_dtls_ctx_unref(ctx);
    return ok ? NULL : arg;
}

static void test_dtls_context_is_shared_by_threads(void)
{
    agw_dtls_ctx *ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, run, agw_dtls_ctx_ref(ctx)), 0);
    agw_dtls_ctx_unref(ctx); /* the last thread frees it */
    for (int i = 0; i < THREADS; i++) {
        void *failed = ctx;
        CU_ASSERT_EQUAL(pthread_join(threads[i], &failed), 0);
        CU_ASSERT_PTR_NULL(failed);
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_dtls_context_is_shared_by_threads),
};
AGW_UNIT_MAIN("dtls_threads", CASES)
