/* SPDX-License-Identifier: BSD-3-Clause
 * base/addr: texts, prefixes, classes and the socket API's forms. */
#include "base/addr.h"

#include "unit.h"

#include <netinet/in.h>
#include <string.h>

static agw_addr ip(const char *text)
{
    agw_addr a = {0};
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&a, text), AGW_OK);
    return a;
}

static bool parses_ip(const char *text)
{
    agw_addr a;
    return agw_addr_parse_ip(&a, text) == AGW_OK;
}

static bool parses(const char *text)
{
    agw_addr a;
    return agw_addr_parse(&a, text) == AGW_OK;
}

static bool parses_prefix(const char *text)
{
    agw_prefix p;
    return agw_prefix_parse(&p, text) == AGW_OK;
}

static void test_addr_ip_of_both_families_is_parsed(void)
{
    const agw_addr v4 = ip("192.0.2.7");
    CU_ASSERT_EQUAL(v4.family, AGW_FAMILY_IP4);
    CU_ASSERT_EQUAL(v4.port, 0);
    CU_ASSERT_EQUAL(memcmp(v4.ip, "\xc0\x00\x02\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
    const agw_addr v6 = ip("2001:db8::1");
    CU_ASSERT_EQUAL(v6.family, AGW_FAMILY_IP6);
    CU_ASSERT_EQUAL(memcmp(v6.ip, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16), 0);
    const agw_addr bracketed = ip("[2001:db8::1]");
    CU_ASSERT_TRUE(agw_addr_equal(&v6, &bracketed));
}

static void test_addr_mapped_ipv6_is_ipv4(void)
{
    const agw_addr mapped = ip("::ffff:192.0.2.7");
    const agw_addr plain = ip("192.0.2.7");
    CU_ASSERT_TRUE(agw_addr_equal(&mapped, &plain));
}

static void test_addr_ip_refuses_what_is_none(void)
{
    static const char *const BAD[] = {"",          "[",
                                      "[]",        "1.2.3",
                                      "1.2.3.256", "1.2.3.4:5",
                                      "[1.2.3.4]", "::g",
                                      "example",   "fe80::1%eth0",
                                      " 1.2.3.4",  "[::1",
                                      "::1]",      "1:2:3:4:5:6:7:8:9"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CU_ASSERT_FALSE(parses_ip(BAD[i]));
    char longest[200];
    memset(longest, '1', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    CU_ASSERT_FALSE(parses_ip(longest));
    CU_ASSERT_FALSE(parses(longest));
    CU_ASSERT_FALSE(parses_prefix(longest));
}

static void test_addr_port_bounds(void)
{
    agw_addr a;
    CU_ASSERT_EQUAL(agw_addr_parse(&a, "10.0.0.1:65535"), AGW_OK);
    CU_ASSERT_EQUAL(a.port, 65535);
    CU_ASSERT_EQUAL(agw_addr_parse(&a, "[fd00::1]:0"), AGW_OK);
    CU_ASSERT_EQUAL(a.port, 0);
    CU_ASSERT_EQUAL(a.family, AGW_FAMILY_IP6);
    static const char *const BAD[] = {"10.0.0.1:65536",
                                      "10.0.0.1:",
                                      "10.0.0.1",
                                      "10.0.0.1:-1",
                                      "10.0.0.1: 1",
                                      "10.0.0.1:1x",
                                      ":1",
                                      "fd00::1:5060",
                                      "[fd00::1]",
                                      "[fd00::1]5",
                                      "10.0.0.1:99999999999999999999"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CU_ASSERT_FALSE(parses(BAD[i]));
}

static void test_addr_text_round_trip(void)
{
    static const char *const TEXTS[] = {"0.0.0.0:1", "255.255.255.255:65535", "10.99.100.9:80",
                                        "[::]:9", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        agw_addr a;
        char text[AGW_ADDR_TEXT];
        CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&a, TEXTS[i]), AGW_OK);
        CU_ASSERT_STRING_EQUAL(agw_addr_text(&a, text, sizeof text), TEXTS[i]);
    }
    char text[AGW_ADDR_TEXT];
    const agw_addr v6 = ip("[fd00::1]");
    CU_ASSERT_STRING_EQUAL(agw_addr_ip_text(&v6, text, sizeof text), "fd00::1");
    const agw_addr none = {0};
    CU_ASSERT_STRING_EQUAL(agw_addr_ip_text(&none, text, sizeof text), "none");
}

static void test_addr_prefix_bounds(void)
{
    CU_ASSERT_TRUE(parses_prefix("0.0.0.0/0"));
    CU_ASSERT_TRUE(parses_prefix("10.0.0.0/32"));
    CU_ASSERT_FALSE(parses_prefix("10.0.0.0/33"));
    CU_ASSERT_TRUE(parses_prefix("fd00::/128"));
    CU_ASSERT_FALSE(parses_prefix("fd00::/129"));
    CU_ASSERT_FALSE(parses_prefix("10.0.0.0/"));
    CU_ASSERT_FALSE(parses_prefix("/8"));
    CU_ASSERT_FALSE(parses_prefix("10.0.0.0/-1"));
}

static bool held(const char *prefix, const char *addr)
{
    agw_prefix p;
    CU_ASSERT_EQUAL_FATAL(agw_prefix_parse(&p, prefix), AGW_OK);
    const agw_addr a = ip(addr);
    return agw_prefix_holds(&p, &a);
}

static void test_addr_prefix_holds_to_the_bit(void)
{
    CU_ASSERT_TRUE(held("10.1.2.0/23", "10.1.3.255"));
    CU_ASSERT_FALSE(held("10.1.2.0/23", "10.1.4.0"));
    CU_ASSERT_FALSE(held("10.1.2.0/23", "10.1.1.255"));
    CU_ASSERT_TRUE(held("128.0.0.0/1", "255.0.0.1"));
    CU_ASSERT_FALSE(held("128.0.0.0/1", "127.255.255.255"));
    CU_ASSERT_TRUE(held("10.0.0.1", "10.0.0.1"));
    CU_ASSERT_FALSE(held("10.0.0.1", "10.0.0.0"));
    CU_ASSERT_TRUE(held("0.0.0.0/0", "8.8.8.8"));
    CU_ASSERT_FALSE(held("0.0.0.0/0", "::1"));
    CU_ASSERT_TRUE(held("fc00::/7", "fdff::1"));
    CU_ASSERT_FALSE(held("fc00::/7", "fe00::1"));
}

static void test_addr_classes_have_their_borders(void)
{
    static const struct {
        const char *text;
        bool private;
    } CASES[] = {{"9.255.255.255", false}, {"10.0.0.0", true},        {"10.255.255.255", true},
                 {"11.0.0.0", false},      {"172.15.255.255", false}, {"172.16.0.0", true},
                 {"172.31.255.255", true}, {"172.32.0.0", false},     {"192.168.0.1", true},
                 {"192.169.0.0", false},   {"169.254.1.1", true},     {"100.63.255.255", false},
                 {"100.64.0.0", true},     {"100.127.255.255", true}, {"100.128.0.0", false},
                 {"fbff::1", false},       {"fc00::", true},          {"fdff::", true},
                 {"fe00::", false},        {"fe80::1", true},         {"febf::1", true},
                 {"fec0::1", false},       {"2001:db8::1", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const agw_addr a = ip(CASES[i].text);
        CU_ASSERT_EQUAL(agw_addr_is_private(&a), CASES[i].private);
    }
    const agw_addr loop4 = ip("127.9.9.9"), loop6 = ip("::1"), any4 = ip("0.0.0.0"),
                   any6 = ip("::"), multi4 = ip("224.0.0.1"), top4 = ip("239.255.255.255"),
                   past4 = ip("240.0.0.0"), multi6 = ip("ff02::1"), none = {0};
    CU_ASSERT_TRUE(agw_addr_is_loopback(&loop4) && agw_addr_is_loopback(&loop6));
    CU_ASSERT_FALSE(agw_addr_is_loopback(&any4) || agw_addr_is_loopback(&any6));
    CU_ASSERT_TRUE(agw_addr_is_any(&any4) && agw_addr_is_any(&any6));
    CU_ASSERT_FALSE(agw_addr_is_any(&none) || agw_addr_is_any(&loop6));
    CU_ASSERT_TRUE(agw_addr_is_multicast(&multi4) && agw_addr_is_multicast(&top4) &&
                   agw_addr_is_multicast(&multi6));
    CU_ASSERT_FALSE(agw_addr_is_multicast(&past4) || agw_addr_is_multicast(&loop4));
    CU_ASSERT_FALSE(agw_addr_is_set(&none));
}

static void test_addr_sockaddr_round_trip(void)
{
    static const char *const TEXTS[] = {"192.0.2.1:5004", "[2001:db8::2]:65535"};
    for (size_t i = 0; i < 2; i++) {
        agw_addr a, back;
        struct sockaddr_storage sa;
        CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&a, TEXTS[i]), AGW_OK);
        const socklen_t len = agw_addr_to_sockaddr(&a, &sa);
        CU_ASSERT_EQUAL(len, i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        memset(&back, 0xff, sizeof back); /* padding of the output must not matter */
        CU_ASSERT_EQUAL(agw_addr_from_sockaddr(&back, (const struct sockaddr *)&sa), AGW_OK);
        CU_ASSERT_TRUE(agw_addr_equal(&a, &back));
    }
    const struct sockaddr other = {.sa_family = AF_UNIX};
    agw_addr a;
    CU_ASSERT_EQUAL(agw_addr_from_sockaddr(&a, &other), AGW_ERR_UNSUPPORTED);
}

static void test_addr_equality_of_address_ignores_the_port(void)
{
    agw_addr a = ip("192.0.2.1"), b = ip("192.0.2.1");
    b.port = 1;
    CU_ASSERT_FALSE(agw_addr_equal(&a, &b));
    CU_ASSERT_TRUE(agw_addr_ip_equal(&a, &b));
    b.ip[3] = 2;
    CU_ASSERT_FALSE(agw_addr_ip_equal(&a, &b));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_addr_ip_of_both_families_is_parsed),
    AGW_CASE(test_addr_mapped_ipv6_is_ipv4),
    AGW_CASE(test_addr_ip_refuses_what_is_none),
    AGW_CASE(test_addr_port_bounds),
    AGW_CASE(test_addr_text_round_trip),
    AGW_CASE(test_addr_prefix_bounds),
    AGW_CASE(test_addr_prefix_holds_to_the_bit),
    AGW_CASE(test_addr_classes_have_their_borders),
    AGW_CASE(test_addr_sockaddr_round_trip),
    AGW_CASE(test_addr_equality_of_address_ignores_the_port),
};

AGW_UNIT_MAIN("addr", CASES)
