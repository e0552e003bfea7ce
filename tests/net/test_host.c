/* SPDX-License-Identifier: BSD-3-Clause
 * net/host: descriptor limit, the kernel's port range, local addresses. */
#include "net/host.h"

#include "loopback.h"
#include "unit.h"

#include <sys/resource.h>

static void test_host_rlimit_raises_and_never_lowers(void)
{
    struct rlimit before, now;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit low = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    CU_ASSERT_EQUAL(agw_net_rlimit(100), 100);
    CU_ASSERT_EQUAL(agw_net_rlimit(10), 100);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &now), 0);
    CU_ASSERT_EQUAL(now.rlim_cur, 100);
    CU_ASSERT_EQUAL(agw_net_rlimit(before.rlim_max), before.rlim_max);
    CU_ASSERT_TRUE(agw_net_rlimit((size_t)1 << 60) >= before.rlim_max); /* more than there can be */
}

static bool range_is(const char *text, uint16_t min, uint16_t max)
{
    uint16_t a = 1, b = 1;
    return agw_net_parse_range(text, &a, &b) == AGW_OK && a == min && b == max;
}

static void test_host_local_range_is_parsed(void)
{
    uint16_t a, b;
    CU_ASSERT_TRUE(range_is("32768\t60999\n", 32768, 60999));
    CU_ASSERT_TRUE(range_is("1 65535", 1, 65535));
    CU_ASSERT_EQUAL(agw_net_parse_range("1 65536", &a, &b), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_net_parse_range("5", &a, &b), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_net_parse_range("", &a, &b), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_net_parse_range("9 8", &a, &b), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_net_parse_range("x 8", &a, &b), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_net_local_range(&a, &b), AGW_OK);
    CU_ASSERT_TRUE(a <= b);
}

static void test_host_local_addresses_hold_loopback_once(void)
{
    agw_addr list[256];
    size_t n = 0, found = 0;
    CU_ASSERT_EQUAL_FATAL(agw_net_local_addresses(list, 256, &n), AGW_OK);
    const agw_addr lo = loopback(AGW_FAMILY_IP4);
    for (size_t i = 0; i < n; i++) {
        found += agw_addr_equal(&list[i], &lo);
        CU_ASSERT_EQUAL(list[i].port, 0);
        CU_ASSERT_TRUE(agw_net_is_local(&list[i]));
    }
    CU_ASSERT_EQUAL(found, 1);
}

static void test_host_local_addresses_room_bounds(void)
{
    agw_addr list[256];
    size_t n = 0, again = 0;
    CU_ASSERT_EQUAL_FATAL(agw_net_local_addresses(list, 256, &n), AGW_OK);
    CU_ASSERT_EQUAL(agw_net_local_addresses(list, n, &again), AGW_OK);
    CU_ASSERT_EQUAL(again, n);
    CU_ASSERT_EQUAL(agw_net_local_addresses(list, n - 1, &again), AGW_ERR_NO_SPACE);
}

static void test_host_is_local_tells_ours_from_others(void)
{
    agw_addr a = loopback(AGW_FAMILY_IP4);
    CU_ASSERT_TRUE(agw_net_is_local(&a));
    a.ip[3] = 77; /* all of 127.0.0.0/8 is, though no interface lists it */
    CU_ASSERT_TRUE(agw_net_is_local(&a));
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&a, "203.0.113.77"), AGW_OK); /* RFC 5737: nobody's */
    CU_ASSERT_FALSE(agw_net_is_local(&a));
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&a, "2001:db8:99::77"), AGW_OK);
    CU_ASSERT_FALSE(agw_net_is_local(&a));
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&a, "239.1.2.3"), AGW_OK);
    CU_ASSERT_FALSE(agw_net_is_local(&a));
    const agw_addr none = {0};
    CU_ASSERT_FALSE(agw_net_is_local(&none));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_host_rlimit_raises_and_never_lowers),
    AGW_CASE(test_host_local_range_is_parsed),
    AGW_CASE(test_host_local_addresses_hold_loopback_once),
    AGW_CASE(test_host_local_addresses_room_bounds),
    AGW_CASE(test_host_is_local_tells_ours_from_others),
};

AGW_UNIT_MAIN("host", CASES)
