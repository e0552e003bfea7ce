/* SPDX-License-Identifier: BSD-3-Clause
 * Consent timers on virtual time. */
#include "ice/consent.h"

#include "unit.h"

static void test_consent_rfc7675_5_1_expires_at_30s_not_before(void)
{
    agw_ns now = AGW_MS(1000);
    agw_consent c;
    agw_consent_init(&c, now, 0);
    CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, AGW_MS(5000) - 1, 0), AGW_CONSENT_IDLE);
    while (agw_consent_on_deadline(&c, now, 0) != AGW_CONSENT_STOP_MEDIA)
        now = agw_consent_deadline(&c);
    CU_ASSERT_EQUAL(now, AGW_MS(31000));
    CU_ASSERT_FALSE(agw_consent_may_send(&c));
    CU_ASSERT_EQUAL(agw_consent_deadline(&c), AGW_NEVER);
    CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, now, 0), AGW_CONSENT_IDLE);
}

static void test_consent_rfc7675_5_1_checks_4_to_6_s_apart(void)
{
    for (uint32_t rnd = 0; rnd <= 2001; rnd++) {
        agw_consent c;
        agw_consent_init(&c, 0, rnd);
        const agw_ns first = agw_consent_deadline(&c);
        CU_ASSERT_EQUAL(first, AGW_MS(4000 + rnd % 2001));
        CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, first - 1, rnd), AGW_CONSENT_IDLE);
        CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, first, rnd), AGW_CONSENT_SEND_CHECK);
        CU_ASSERT_EQUAL(agw_consent_deadline(&c) - first, AGW_MS(4000 + rnd % 2001));
    }
}

static void test_consent_rfc7675_5_1_responses_keep_it(void)
{
    agw_consent c;
    agw_consent_init(&c, 0, 0);
    agw_ns now = 0;
    for (int i = 0; i < 100; i++) {
        now = agw_consent_deadline(&c);
        CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, now, 1000), AGW_CONSENT_SEND_CHECK);
        CU_ASSERT_FALSE(agw_consent_renew(&c, now + AGW_MS(50)));
    }
    CU_ASSERT_TRUE(agw_consent_may_send(&c));
}

static void test_consent_rfc7675_5_1_expired_is_not_renewed_without_restart(void)
{
    agw_consent c;
    agw_consent_init(&c, 0, 0);
    CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, AGW_S(30), 0), AGW_CONSENT_STOP_MEDIA);
    CU_ASSERT_FALSE(agw_consent_renew(&c, AGW_S(31)));
    CU_ASSERT_FALSE(agw_consent_may_send(&c));
    agw_consent_init(&c, AGW_S(32), 0);
    CU_ASSERT_TRUE(agw_consent_may_send(&c));
}

static void test_consent_lite_is_unwatched_until_a_check(void)
{
    agw_consent c;
    agw_consent_init_lite(&c);
    CU_ASSERT_EQUAL(agw_consent_deadline(&c), AGW_NEVER);
    CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, AGW_S(1000), 0), AGW_CONSENT_IDLE);
    CU_ASSERT_TRUE(agw_consent_may_send(&c));
}

static void test_consent_lite_expires_30s_after_a_check_and_comes_back(void)
{
    agw_consent c;
    agw_consent_init_lite(&c);
    CU_ASSERT_FALSE(agw_consent_renew(&c, AGW_S(5)));
    CU_ASSERT_EQUAL(agw_consent_deadline(&c), AGW_S(35));
    CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, AGW_S(35) - 1, 0), AGW_CONSENT_IDLE);
    CU_ASSERT_EQUAL(agw_consent_on_deadline(&c, AGW_S(35), 0), AGW_CONSENT_STOP_MEDIA);
    CU_ASSERT_FALSE(agw_consent_may_send(&c));
    CU_ASSERT_TRUE(agw_consent_renew(&c, AGW_S(40)));
    CU_ASSERT_TRUE(agw_consent_may_send(&c));
    CU_ASSERT_EQUAL(agw_consent_deadline(&c), AGW_S(70));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_consent_rfc7675_5_1_expires_at_30s_not_before),
    AGW_CASE(test_consent_rfc7675_5_1_checks_4_to_6_s_apart),
    AGW_CASE(test_consent_rfc7675_5_1_responses_keep_it),
    AGW_CASE(test_consent_rfc7675_5_1_expired_is_not_renewed_without_restart),
    AGW_CASE(test_consent_lite_is_unwatched_until_a_check),
    AGW_CASE(test_consent_lite_expires_30s_after_a_check_and_comes_back),
};
AGW_UNIT_MAIN("consent", CASES)
