/* SPDX-License-Identifier: BSD-3-Clause
 * Our sessions, on every engine, against plain libsrtp2 on its own library (NSS in Debian):
 * whatever comes in, both give the same answer and the same bytes. */
#include "oracle.h"
#include "unit.h"

#include <time.h>

enum { STREAMS = 5, PACKETS = 1500, RECENT = 48 };

typedef struct oracle {
    srtp_t tx, rx;
} oracle;

static void oracle_open(oracle *o, unsigned suite)
{
    o->tx = oracle_session(suite, ssrc_any_outbound);
    o->rx = oracle_session(suite, ssrc_any_inbound);
    CU_ASSERT_TRUE_FATAL(o->tx != NULL && o->rx != NULL);
}

static void oracle_close(oracle *o)
{
    srtp_dealloc(o->tx);
    srtp_dealloc(o->rx);
}

typedef agw_err our_call(agw_srtp_session *s, uint8_t *data, size_t *len);
typedef srtp_err_status_t their_call(srtp_t ctx, void *data, int *len);

static void receive(our_call *our, agw_srtp_session *ours, their_call *their, srtp_t theirs,
                    const packet *in)
{
    packet a = *in, b = *in;
    int b_len = (int)b.len;
    const agw_err err = our(ours, a.data, &a.len);
    const srtp_err_status_t status = their(theirs, b.data, &b_len);
    CU_ASSERT_EQUAL(err == AGW_OK, status == srtp_err_status_ok);
    const bool is_replay =
        status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
    /* a cut packet that is also too old is the one to us and the other to libsrtp2 */
    CU_ASSERT_TRUE(err == AGW_ERR_MALFORMED || (err == AGW_ERR_REPLAY) == is_replay);
    if (err != AGW_OK || status != srtp_err_status_ok)
        return;
    CU_ASSERT_EQUAL_FATAL(a.len, (size_t)b_len);
    CU_ASSERT_EQUAL(memcmp(a.data, b.data, a.len), 0);
}

/* A shuffling, duplicating, damaging network; sent goes in, at most three come out. */
typedef struct network {
    our_call *our;
    their_call *their;
    agw_srtp_session *ours;
    srtp_t theirs;
    packet recent[RECENT];
} network;

static void pass(network *n, const packet *sent)
{
    const unsigned slot = below(RECENT);
    const packet arrived = n->recent[slot];
    n->recent[slot] = *sent;
    if (arrived.len == 0)
        return;
    if (below(8) == 0) {
        packet bad = arrived;
        damage(&bad);
        receive(n->our, n->ours, n->their, n->theirs, &bad);
    }
    receive(n->our, n->ours, n->their, n->theirs, &arrived);
    if (below(8) == 0)
        receive(n->our, n->ours, n->their, n->theirs, &arrived);
}

static void identity_rtp(agw_srtp_engine *e, unsigned suite)
{
    static network net;
    oracle o;
    uint16_t seq[STREAMS];
    oracle_open(&o, suite);
    agw_srtp_session *tx = test_session_on(e, (agw_srtp_suite)suite, true);
    net = (network){.our = agw_srtp_unprotect,
                    .their = srtp_unprotect,
                    .ours = test_session_on(e, (agw_srtp_suite)suite, false),
                    .theirs = o.rx};
    CU_ASSERT_TRUE_FATAL(tx != NULL && net.ours != NULL);
    for (unsigned i = 0; i < STREAMS; i++)
        seq[i] = (uint16_t)(65400 + below(100)); /* the roll-over counter moves soon */
    for (unsigned i = 0; i < PACKETS; i++) {
        const unsigned stream = below(STREAMS);
        packet ours;
        random_rtp(&ours, 0x1000 + stream, seq[stream]);
        seq[stream] = (uint16_t)(seq[stream] + 1 + (below(10) == 0 ? below(20) : 0));
        packet theirs = ours;
        int len = (int)theirs.len;
        CU_ASSERT_EQUAL(agw_srtp_protect(tx, ours.data, &ours.len, 16), AGW_OK);
        CU_ASSERT_EQUAL(srtp_protect(o.tx, theirs.data, &len), srtp_err_status_ok);
        CU_ASSERT_EQUAL_FATAL(ours.len, (size_t)len);
        CU_ASSERT_EQUAL(memcmp(ours.data, theirs.data, ours.len), 0);
        pass(&net, &ours);
    }
    uint32_t roc = 0;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(tx, 0x1000, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 1); /* the wrap was in it */
    agw_srtp_session_free(tx);
    agw_srtp_session_free(net.ours);
    oracle_close(&o);
}

static void random_rtcp(packet *p, uint32_t ssrc)
{
    for (size_t k = 0; k < sizeof p->data; k++)
        p->data[k] = (uint8_t)test_random(&seed);
    p->len = 8 + 4 * below(100);
    p->data[0] = 0x80;
    p->data[1] = 201;
    agw_put32(p->data + 4, ssrc);
}

/* Some packets are so late that they come from behind the replay window. */
static void identity_rtcp(agw_srtp_engine *e, unsigned suite)
{
    static network net;
    static packet late;
    oracle o;
    oracle_open(&o, suite);
    agw_srtp_session *tx = test_session_on(e, (agw_srtp_suite)suite, true);
    net = (network){.our = agw_srtp_unprotect_rtcp,
                    .their = srtp_unprotect_rtcp,
                    .ours = test_session_on(e, (agw_srtp_suite)suite, false),
                    .theirs = o.rx};
    CU_ASSERT_TRUE_FATAL(tx != NULL && net.ours != NULL);
    late.len = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        packet ours;
        random_rtcp(&ours, 0x2000 + below(STREAMS));
        packet theirs = ours;
        int len = (int)theirs.len;
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(tx, ours.data, &ours.len, 20), AGW_OK);
        CU_ASSERT_EQUAL(srtp_protect_rtcp(o.tx, theirs.data, &len), 0);
        CU_ASSERT_EQUAL_FATAL(ours.len, (size_t)len);
        CU_ASSERT_EQUAL(memcmp(ours.data, theirs.data, ours.len), 0);
        if (i % 700 == 0) {
            if (late.len != 0)
                receive(net.our, net.ours, net.their, net.theirs, &late);
            late = ours;
        } else {
            pass(&net, &ours);
        }
    }
    agw_srtp_session_free(tx);
    agw_srtp_session_free(net.ours);
    oracle_close(&o);
}

static void each(void (*identity)(agw_srtp_engine *e, unsigned suite))
{
    agw_srtp_engine *e = agw_srtp_engine_new();
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        identity(NULL, suite);
        if (e != NULL)
            identity(e, suite);
    }
    agw_srtp_engine_free(e);
}

static void test_srtp_identity_random_rtp_is_the_same_as_plain_libsrtp(void)
{
    each(identity_rtp);
}

static void test_srtp_identity_random_rtcp_is_the_same_as_plain_libsrtp(void)
{
    each(identity_rtcp);
}

/* The peer has the key and signs, but does not encrypt: that was never agreed. */
static void test_srtp_session_rfc3711_3_4_authentic_srtcp_in_the_clear_is_refused(void)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        for (unsigned clear = 0; clear < 2; clear++) {
            srtp_t tx = NULL;
            srtp_policy_t p;
            oracle_policy(&p, suite, key, ssrc_any_outbound);
            p.rtcp.sec_serv = clear ? sec_serv_auth : sec_serv_conf_and_auth;
            CU_ASSERT_EQUAL_FATAL(srtp_create(&tx, &p), srtp_err_status_ok);
            agw_srtp_session *rx = test_session((agw_srtp_suite)suite, false);
            CU_ASSERT_PTR_NOT_NULL_FATAL(rx);
            uint8_t pkt[ROOM];
            int n = (int)test_rtcp(pkt, 9);
            CU_ASSERT_EQUAL_FATAL(srtp_protect_rtcp(tx, pkt, &n), srtp_err_status_ok);
            size_t len = (size_t)n;
            CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(rx, pkt, &len), clear ? AGW_ERR_AUTH : AGW_OK);
            agw_srtp_session_free(rx);
            srtp_dealloc(tx);
        }
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_srtp_identity_random_rtp_is_the_same_as_plain_libsrtp),
    AGW_CASE(test_srtp_identity_random_rtcp_is_the_same_as_plain_libsrtp),
    AGW_CASE(test_srtp_session_rfc3711_3_4_authentic_srtcp_in_the_clear_is_refused),
};

/* An argument repeats a seed. */
int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    if (srtp_init() != srtp_err_status_ok)
        return 2;
    return agw_unit_run("srtp identity", cases, sizeof cases / sizeof *cases);
}
