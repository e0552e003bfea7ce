/* SPDX-License-Identifier: BSD-3-Clause
 * Checks as the kit writes them, read by the gateway's parser and byte by byte. */
#include "bench/kit/check.h"

#include "base/wire.h"
#include "ice/stun.h"
#include "unit.h"

#include <string.h>

static const uint8_t ID[12] = "abcdefghijkl";

static kit_check check(void)
{
    return (kit_check){.id = ID,
                       .username = "them:us",
                       .key = "the password of the peer",
                       .tie_breaker = 0x0102030405060708,
                       .priority = 0x6e001eff,
                       .controlling = true,
                       .nominate = true};
}

static agw_stun_msg parsed(const uint8_t *buf, size_t len)
{
    agw_stun_msg m;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&m, buf, len), AGW_OK);
    return m;
}

static void test_check_rfc8445_7_1_has_what_a_check_needs(void)
{
    const kit_check c = check();
    uint8_t buf[KIT_CHECK_MAX];
    const size_t len = kit_check_write(&c, buf, sizeof buf);
    const agw_stun_msg m = parsed(buf, len);
    CU_ASSERT_EQUAL(m.head.msg_class, AGW_STUN_REQUEST);
    CU_ASSERT_EQUAL(m.head.method, AGW_STUN_METHOD_BINDING);
    CU_ASSERT_EQUAL(memcmp(m.head.id, ID, sizeof ID), 0);
    CU_ASSERT_EQUAL(m.head.local_ufrag_len, 4);
    CU_ASSERT_EQUAL(memcmp(m.head.local_ufrag, "them", 4), 0);
    CU_ASSERT_EQUAL(m.head.remote_ufrag_len, 2);
    CU_ASSERT_EQUAL(memcmp(m.head.remote_ufrag, "us", 2), 0);
    CU_ASSERT_EQUAL(m.priority, c.priority);
    CU_ASSERT_EQUAL(m.tie_breaker, c.tie_breaker);
    CU_ASSERT(m.is_controlling && m.use_candidate && !m.is_controlled);
    CU_ASSERT_EQUAL(m.unknown_count, 0);
    CU_ASSERT(agw_stun_fingerprint_ok(&m, buf, len));
    CU_ASSERT_EQUAL(agw_stun_verify(&m, buf, len, c.key, strlen(c.key)), AGW_OK);
    CU_ASSERT_EQUAL(agw_stun_verify(&m, buf, len, "another", 7), AGW_ERR_AUTH);
}

static void test_check_attributes_stand_in_chromiums_order(void)
{
    static const uint16_t ORDER[] = {0x0006, 0xc057, 0x802a, 0x0025, 0x0024, 0x0008, 0x8028};
    const kit_check c = check();
    uint8_t buf[KIT_CHECK_MAX];
    const size_t len = kit_check_write(&c, buf, sizeof buf);
    size_t at = AGW_STUN_HEADER;
    for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
        CU_ASSERT_FATAL(at + 4 <= len);
        CU_ASSERT_EQUAL(agw_get16(buf + at), ORDER[i]);
        at += 4 + ((agw_get16(buf + at + 2) + 3u) & ~3u);
    }
    CU_ASSERT_EQUAL(at, len);
}

static void test_check_controlled_does_not_nominate(void)
{
    kit_check c = check();
    c.controlling = c.nominate = false;
    uint8_t buf[KIT_CHECK_MAX];
    const agw_stun_msg m = parsed(buf, kit_check_write(&c, buf, sizeof buf));
    CU_ASSERT(m.is_controlled && !m.is_controlling && !m.use_candidate);
}

static void test_check_can_be_written_without_proofs(void)
{
    kit_check c = check();
    c.key = NULL;
    c.username = NULL;
    uint8_t buf[KIT_CHECK_MAX];
    const size_t len = kit_check_write(&c, buf, sizeof buf);
    const agw_stun_msg m = parsed(buf, len);
    CU_ASSERT_PTR_NULL(m.head.local_ufrag);
    CU_ASSERT_EQUAL(m.integrity_at, 0);
    CU_ASSERT(agw_stun_fingerprint_ok(&m, buf, len));
}

static void test_check_that_does_not_fit_is_not_written(void)
{
    const kit_check c = check();
    uint8_t buf[KIT_CHECK_MAX];
    const size_t len = kit_check_write(&c, buf, sizeof buf);
    CU_ASSERT_EQUAL(kit_check_write(&c, buf, len), len);
    CU_ASSERT_EQUAL(kit_check_write(&c, buf, len - 1), 0);
    char name[KIT_CHECK_MAX + 1];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const kit_check wide = {.id = ID, .username = name, .key = "key"};
    CU_ASSERT_EQUAL(kit_check_write(&wide, buf, sizeof buf), 0);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_check_rfc8445_7_1_has_what_a_check_needs),
    AGW_CASE(test_check_attributes_stand_in_chromiums_order),
    AGW_CASE(test_check_controlled_does_not_nominate),
    AGW_CASE(test_check_can_be_written_without_proofs),
    AGW_CASE(test_check_that_does_not_fit_is_not_written),
};

AGW_UNIT_MAIN("kit_check", CASES)
