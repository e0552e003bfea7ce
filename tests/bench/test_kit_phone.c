/* SPDX-License-Identifier: BSD-3-Clause
 * Two phones with keys in SDP that read each other's descriptions. */
#include "bench/kit/phone.h"
#include "control/sdp.h"
#include "srtp/sdes.h"
#include "unit.h"

#include "fake_wire.h"

static kit_phone a, b;
static unsigned rtp_seen, rtcp_seen;

static void on_rtp(void *owner, const uint8_t *rtp, size_t len, agw_ns at)
{
    (void)owner, (void)at;
    CU_ASSERT_EQUAL(len, 20);
    CU_ASSERT_EQUAL(rtp[12], 'x');
    rtp_seen++;
}

static void on_rtcp(void *owner, const uint8_t *rtcp, size_t len, agw_ns at)
{
    (void)owner, (void)at;
    CU_ASSERT_EQUAL(len, 8);
    CU_ASSERT_EQUAL(rtcp[1], 201);
    rtcp_seen++;
}

static void begin(agw_srtp_suite suite_a, agw_srtp_suite suite_b)
{
    fake_begin();
    rtp_seen = rtcp_seen = 0;
    kit_phone_config config = {.suite = suite_a, .on_rtp = on_rtp, .on_rtcp = on_rtcp};
    kit_phone_init(&a, &fake_world, &config);
    config.suite = suite_b;
    kit_phone_init(&b, &fake_world, &config);
}

static void end(void)
{
    kit_phone_fini(&a);
    kit_phone_fini(&b);
    fake_end();
}

static agw_err tell(kit_phone *from, kit_phone *to)
{
    char sdp[KIT_SDP_MAX];
    return kit_phone_take(to, sdp, kit_phone_write_sdp(from, sdp));
}

static bool sends(kit_phone *from, uint8_t seq)
{
    const uint8_t rtp[20] = {0x80, 0, 0, seq, [11] = 7, [12] = 'x'};
    return kit_phone_send_rtp(from, rtp, sizeof rtp);
}

static void talk(uint8_t seq)
{
    const uint8_t rr[8] = {0x80, 201, 0, 1, 0, 0, 0, 7};
    CU_ASSERT(sends(&a, seq) && sends(&b, seq));
    CU_ASSERT(kit_phone_send_rtcp(&a, rr, sizeof rr) && kit_phone_send_rtcp(&b, rr, sizeof rr));
    fake_run(0);
}

static void test_phone_sdes_offer_and_answer_make_sessions(void)
{
    static const agw_srtp_suite SUITES[] = {AGW_SRTP_AES_CM_128_80, AGW_SRTP_AEAD_128_GCM};
    for (size_t i = 0; i < 2; i++) {
        begin(SUITES[i], SUITES[i]);
        kit_sealer_open(&fake_world);
        CU_ASSERT_FALSE(sends(&a, 1));
        CU_ASSERT_EQUAL_FATAL(tell(&a, &b), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(tell(&b, &a), AGW_OK);
        CU_ASSERT_NOT_EQUAL(a.srtp.spared, b.srtp.spared);
        talk(1);
        CU_ASSERT_EQUAL_FATAL(tell(&a, &b), AGW_OK); /* nothing changes */
        CU_ASSERT_EQUAL_FATAL(tell(&b, &a), AGW_OK);
        talk(2);
        CU_ASSERT_EQUAL(rtp_seen, 4);
        CU_ASSERT_EQUAL(rtcp_seen, 4);
        uint8_t *room = kit_wire_room(&fake_wire);
        const uint8_t rtp[20] = {0x80, 0, 0, 3, [11] = 7, [12] = 'x'};
        memcpy(room, rtp, sizeof rtp);
        const size_t len = kit_phone_protect_room(&a, room, sizeof rtp);
        CU_ASSERT_EQUAL(len, sizeof rtp + agw_srtp_suite_get(SUITES[i])->rtp_tag_len);
        kit_wire_commit(&fake_wire, &a.local, &b.local, len);
        fake_run(0);
        CU_ASSERT_EQUAL(rtp_seen, 5);
        CU_ASSERT_EQUAL(a.srtp.auth_failed + b.srtp.auth_failed, 0);
        kit_phone_fini(&a);
        kit_phone_fini(&b);
        kit_sealer_close(&fake_world);
        fake_end();
    }
}

static void test_phone_sdes_counts_what_is_not_authentic(void)
{
    begin(AGW_SRTP_AEAD_128_GCM, AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_EQUAL_FATAL(tell(&a, &b), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(tell(&b, &a), AGW_OK);
    uint8_t rtp[20 + AGW_SRTP_TRAILER_MAX] = {0x80, 0, 0, 1, [11] = 7, [12] = 'x'};
    kit_wire_send(&fake_wire, &a.local, &b.local, rtp, 20); /* in the clear */
    const size_t len = kit_srtp_protect(&a.srtp, rtp, 20, false);
    kit_wire_send(&fake_wire, &a.local, &b.local, rtp, len);
    kit_wire_send(&fake_wire, &a.local, &b.local, rtp, len);
    fake_run(0);
    CU_ASSERT_EQUAL(rtp_seen, 1);
    CU_ASSERT_EQUAL(b.srtp.auth_failed, 1);
    CU_ASSERT_EQUAL(b.srtp.replayed, 1);
    end();
}

static void test_phone_sdes_refuses_what_it_did_not_ask_for(void)
{
    static const agw_srtp_suite NONE = AGW_SRTP_NONE, CM = AGW_SRTP_AES_CM_128_80,
                                GCM = AGW_SRTP_AEAD_128_GCM;
    const agw_srtp_suite pairs[][2] = {{CM, NONE}, {NONE, CM}, {CM, GCM}, {GCM, CM}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        begin(pairs[i][0], pairs[i][1]);
        CU_ASSERT_EQUAL(tell(&a, &b), AGW_ERR_MALFORMED);
        CU_ASSERT_PTR_NOT_NULL(b.failure);
        end();
    }
    begin(CM, CM);
    b.crypto.tag = 2;
    CU_ASSERT_EQUAL(tell(&b, &a), AGW_OK); /* an offer may have any */
    end();
    begin(CM, CM);
    CU_ASSERT_EQUAL_FATAL(tell(&a, &b), AGW_OK);
    b.crypto.tag = 2;
    CU_ASSERT_EQUAL(tell(&b, &a), AGW_ERR_MALFORMED);
    end();
}

/* The gateway's parser and ours read the same key. */
static void test_phone_sdes_line_is_read_alike(void)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        begin((agw_srtp_suite)suite, AGW_SRTP_NONE);
        char text[KIT_SDP_MAX];
        const size_t len = kit_phone_write_sdp(&a, text);
        kit_sdp s;
        const char *why;
        CU_ASSERT_EQUAL_FATAL(kit_sdp_read(&s, text, len, false, &why), AGW_OK);
        CU_ASSERT(s.savp && s.crypto_count == 1 && s.crypto.tag == 1);
        agw_sdp *parsed;
        CU_ASSERT_EQUAL_FATAL(agw_sdp_parse(&parsed, text, len, NULL), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(parsed->medias[0].crypto.n, 1);
        agw_sdes line;
        const char *value = parsed->medias[0].crypto.v[0];
        CU_ASSERT_EQUAL_FATAL(agw_sdes_parse(&line, value, strlen(value), &why), AGW_OK);
        CU_ASSERT_EQUAL(line.suite, s.crypto.suite);
        CU_ASSERT_EQUAL(memcmp(line.key, s.crypto.key, agw_sdes_key_len(line.suite)), 0);
        CU_ASSERT_EQUAL(memcmp(line.key, a.crypto.key, agw_sdes_key_len(line.suite)), 0);
        agw_sdp_free(parsed);
        end();
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_phone_sdes_offer_and_answer_make_sessions),
    AGW_CASE(test_phone_sdes_counts_what_is_not_authentic),
    AGW_CASE(test_phone_sdes_refuses_what_it_did_not_ask_for),
    AGW_CASE(test_phone_sdes_line_is_read_alike),
};
AGW_UNIT_MAIN("kit phone", cases)
