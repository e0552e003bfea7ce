/* SPDX-License-Identifier: BSD-3-Clause
 * Our sessions on OpenSSL against plain libsrtp2 on its own library (NSS in Debian): whatever comes
 * in, both give the same answer and the same bytes. The oracle's sessions are made before the
 * hooks, and a session keeps the ciphers it was made with. */
#include "oracle.h"
#include "srtp/hooks.h"
#include "unit.h"

#include <time.h>

enum { STREAMS = 5, PACKETS = 1500, RECENT = 48 };

typedef struct oracle {
    srtp_t tx, rx;
} oracle;

static oracle oracles[AGW_SRTP_SUITES];

/* Must be the first test of the program. */
static void test_srtp_identity_oracle_is_made_before_the_hooks(void)
{
    CU_ASSERT_EQUAL_FATAL(srtp_init(), srtp_err_status_ok);
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        oracles[suite].tx = oracle_session(suite, ssrc_any_outbound);
        oracles[suite].rx = oracle_session(suite, ssrc_any_inbound);
        CU_ASSERT_TRUE_FATAL(oracles[suite].tx != NULL && oracles[suite].rx != NULL);
    }
    CU_ASSERT_EQUAL_FATAL(agw_srtp_init(), AGW_OK);
}

static void receive(agw_srtp_session *ours, srtp_t theirs, const packet *in)
{
    packet a = *in, b = *in;
    int b_len = (int)b.len;
    const agw_err err = agw_srtp_unprotect(ours, a.data, &a.len);
    const srtp_err_status_t status = srtp_unprotect(theirs, b.data, &b_len);
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

static void identity_rtp(unsigned suite)
{
    agw_srtp_session *tx = test_session((agw_srtp_suite)suite, true);
    agw_srtp_session *rx = test_session((agw_srtp_suite)suite, false);
    CU_ASSERT_TRUE_FATAL(tx != NULL && rx != NULL);
    static packet recent[RECENT];
    uint16_t seq[STREAMS];
    for (unsigned i = 0; i < STREAMS; i++)
        seq[i] = (uint16_t)(65400 + below(100)); /* the roll-over counter moves soon */
    memset(recent, 0, sizeof recent);
    for (unsigned i = 0; i < PACKETS; i++) {
        const unsigned stream = below(STREAMS);
        packet ours;
        random_rtp(&ours, 0x1000 + stream, seq[stream]);
        seq[stream] = (uint16_t)(seq[stream] + 1 + (below(10) == 0 ? below(20) : 0));
        packet theirs = ours;
        int len = (int)theirs.len;
        CU_ASSERT_EQUAL(agw_srtp_protect(tx, ours.data, &ours.len, 16), AGW_OK);
        CU_ASSERT_EQUAL(srtp_protect(oracles[suite].tx, theirs.data, &len), srtp_err_status_ok);
        CU_ASSERT_EQUAL_FATAL(ours.len, (size_t)len);
        CU_ASSERT_EQUAL(memcmp(ours.data, theirs.data, ours.len), 0);
        /* a shuffling, duplicating, damaging network */
        const unsigned slot = below(RECENT);
        packet arrived = recent[slot];
        recent[slot] = ours;
        if (arrived.len == 0)
            continue;
        if (below(8) == 0) {
            packet bad = arrived;
            damage(&bad);
            receive(rx, oracles[suite].rx, &bad);
        }
        receive(rx, oracles[suite].rx, &arrived);
        if (below(8) == 0)
            receive(rx, oracles[suite].rx, &arrived);
    }
    uint32_t roc = 0;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(tx, 0x1000, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 1); /* the wrap was in it */
    agw_srtp_session_free(tx);
    agw_srtp_session_free(rx);
}

static void identity_rtcp(unsigned suite)
{
    agw_srtp_session *tx = test_session((agw_srtp_suite)suite, true);
    agw_srtp_session *rx = test_session((agw_srtp_suite)suite, false);
    CU_ASSERT_TRUE_FATAL(tx != NULL && rx != NULL);
    for (unsigned i = 0; i < 200; i++) {
        packet ours;
        for (size_t k = 0; k < sizeof ours.data; k++)
            ours.data[k] = (uint8_t)test_random(&seed);
        ours.len = 8 + 4 * below(100);
        ours.data[0] = 0x80;
        ours.data[1] = 201;
        agw_put32(ours.data + 4, 0x2000 + below(STREAMS));
        packet theirs = ours;
        int len = (int)theirs.len;
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(tx, ours.data, &ours.len, 20), AGW_OK);
        CU_ASSERT_EQUAL(srtp_protect_rtcp(oracles[suite].tx, theirs.data, &len), 0);
        CU_ASSERT_EQUAL_FATAL(ours.len, (size_t)len);
        CU_ASSERT_EQUAL(memcmp(ours.data, theirs.data, ours.len), 0);
        if (below(4) == 0)
            damage(&ours);
        theirs = ours;
        len = (int)theirs.len;
        /* what is shorter than header, index and tag is not given to libsrtp2 at all */
        const agw_err err = agw_srtp_unprotect_rtcp(rx, ours.data, &ours.len);
        if (err == AGW_ERR_MALFORMED)
            continue;
        const srtp_err_status_t status = srtp_unprotect_rtcp(oracles[suite].rx, theirs.data, &len);
        CU_ASSERT_EQUAL(err == AGW_OK, status == srtp_err_status_ok);
        if (err != AGW_OK || status != srtp_err_status_ok)
            continue;
        CU_ASSERT_EQUAL_FATAL(ours.len, (size_t)len);
        CU_ASSERT_EQUAL(memcmp(ours.data, theirs.data, ours.len), 0);
    }
    agw_srtp_session_free(tx);
    agw_srtp_session_free(rx);
}

static void test_srtp_identity_random_rtp_is_the_same_as_plain_libsrtp(void)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++)
        identity_rtp(suite);
}

static void test_srtp_identity_random_rtcp_is_the_same_as_plain_libsrtp(void)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++)
        identity_rtcp(suite);
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        srtp_dealloc(oracles[suite].tx);
        srtp_dealloc(oracles[suite].rx);
    }
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
    AGW_CASE(test_srtp_identity_oracle_is_made_before_the_hooks),
    AGW_CASE(test_srtp_identity_random_rtp_is_the_same_as_plain_libsrtp),
    AGW_CASE(test_srtp_identity_random_rtcp_is_the_same_as_plain_libsrtp),
    AGW_CASE(test_srtp_session_rfc3711_3_4_authentic_srtcp_in_the_clear_is_refused),
};

/* An argument repeats a seed. */
int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    return agw_unit_run("srtp identity", cases, sizeof cases / sizeof *cases);
}
