/* SPDX-License-Identifier: BSD-3-Clause
 * Candidates as SDP writes them. */
#include "ice/candidate.h"

#include "unit.h"
#include "vectors/vector.h"

#include <string.h>

static agw_err parse(agw_candidate *c, const char *text)
{
    /* An exact-size copy lets a sanitizer see one byte too many. */
    const size_t len = strlen(text);
    char *copy = must(malloc(len > 0 ? len : 1));
    memcpy(copy, text, len);
    const agw_err err = agw_candidate_parse(c, copy, len);
    free(copy);
    return err;
}

static void test_candidate_rfc8839_5_1_host_of_chromium(void)
{
    agw_candidate c;
    char text[AGW_ADDR_TEXT];
    CU_ASSERT_EQUAL(parse(&c, "561500007 1 udp 2122194687 10.77.1.2 49110 typ host generation 3 "
                              "ufrag S37V network-id 1 network-cost 10"),
                    AGW_OK);
    CU_ASSERT_STRING_EQUAL(c.foundation, "561500007");
    CU_ASSERT_EQUAL(c.component, 1);
    CU_ASSERT_EQUAL(c.transport, AGW_CANDIDATE_UDP);
    CU_ASSERT_EQUAL(c.priority, 2122194687u);
    CU_ASSERT_EQUAL(c.type, AGW_CANDIDATE_HOST);
    CU_ASSERT_EQUAL(c.generation, 3);
    CU_ASSERT_STRING_EQUAL(agw_addr_text(&c.addr, text, sizeof text), "10.77.1.2:49110");
    CU_ASSERT_FALSE(agw_addr_is_set(&c.related));
}

static void test_candidate_rfc8839_5_1_srflx_with_related_address(void)
{
    agw_candidate c;
    char text[AGW_ADDR_TEXT];
    CU_ASSERT_EQUAL(parse(&c, "candidate:2 2 UDP 1694498815 192.0.2.3 45664 typ srflx raddr "
                              "203.0.113.141 rport 8998\r\n"),
                    AGW_OK);
    CU_ASSERT_EQUAL(c.component, 2);
    CU_ASSERT_EQUAL(c.type, AGW_CANDIDATE_SRFLX);
    CU_ASSERT_STRING_EQUAL(agw_addr_text(&c.related, text, sizeof text), "203.0.113.141:8998");
    CU_ASSERT_EQUAL(parse(&c, "2 1 udp 5 fd00::1 9 typ relay rport 7 raddr ::"), AGW_OK);
    CU_ASSERT_EQUAL(c.addr.family, AGW_FAMILY_IP6);
    CU_ASSERT_EQUAL(c.type, AGW_CANDIDATE_RELAY);
    CU_ASSERT_TRUE(agw_addr_is_set(&c.related));
}

static void test_candidate_rfc8839_5_1_of_no_use_is_unsupported(void)
{
    agw_candidate c;
    CU_ASSERT_EQUAL(
        parse(&c, "1 1 tcp 1518214911 10.77.1.2 9 typ host tcptype active generation 0"),
        AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(c.transport, AGW_CANDIDATE_TCP);
    CU_ASSERT_EQUAL(c.tcptype, AGW_CANDIDATE_TCP_ACTIVE);
    CU_ASSERT_EQUAL(parse(&c, "1 1 udp 1 1b9d4a5e-0f0c-4b4c-8d5a-000000000000.local 5000 typ host"),
                    AGW_ERR_UNSUPPORTED);
    CU_ASSERT_TRUE(c.is_mdns);
    CU_ASSERT_EQUAL(c.priority, 1);
    CU_ASSERT_EQUAL(parse(&c, "1 1 udp 1 host.example.com 5000 typ host"), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_FALSE(c.is_mdns);
    CU_ASSERT_EQUAL(parse(&c, "1 1 udp 1 10.0.0.1 5000 typ teleport"), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(parse(&c, "1 1 sctp 1 10.0.0.1 5000 typ host"), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(parse(&c, "1 1 udp 1 10.0.0.1 0 typ host"), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(parse(&c, "1 2 udp 1 10.0.0.1 5000 typ host"), AGW_OK);
    CU_ASSERT_EQUAL(parse(&c, "1 3 udp 1 10.0.0.1 5000 typ host"), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(parse(&c, "1 256 udp 1 10.0.0.1 5000 typ host"), AGW_ERR_UNSUPPORTED);
}

static void test_candidate_rfc8839_5_1_malformed_is_refused(void)
{
    static const char *const BAD[] = {
        "",
        " ",
        "candidate:",
        "1",
        "1 1",
        "1 1 udp",
        "1 1 udp 1",
        "1 1 udp 1 10.0.0.1",
        "1 1 udp 1 10.0.0.1 5000",
        "1 1 udp 1 10.0.0.1 5000 typ",
        "1 1 udp 1 10.0.0.1 5000 type host",
        "1 0 udp 1 10.0.0.1 5000 typ host",
        "1 257 udp 1 10.0.0.1 5000 typ host",
        "1 x udp 1 10.0.0.1 5000 typ host",
        "1 -1 udp 1 10.0.0.1 5000 typ host",
        "1 1 udp 4294967296 10.0.0.1 5000 typ host",
        "1 1 udp 1 10.0.0.1 65536 typ host",
        "1 1 udp 1 10.0.0.256 5000 typ host",
        "1 1 udp 1 10.0.0.1:5000 5000 typ host",
        "1 1 udp 1 exa$mple 5000 typ host",
        "1 1 udp 1 10.0.0.1 5000 typ host raddr 1.2.3 rport 5",
        "1 1 udp 1 10.0.0.1 5000 typ srflx raddr 1.2.3.4 rport 99999",
        "\"1\" 1 udp 1 10.0.0.1 5000 typ host",
        "123456789012345678901234567890123 1 udp 1 10.0.0.1 5000 typ host",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        agw_candidate c;
        CU_ASSERT_EQUAL(parse(&c, BAD[i]), AGW_ERR_MALFORMED);
    }
}

static void test_candidate_rfc8839_5_1_bounds_are_accepted(void)
{
    agw_candidate c;
    CU_ASSERT_EQUAL(parse(&c,
                          "12345678901234567890123456789012 1 udp 4294967295 10.0.0.1 65535 typ "
                          "host lonely"),
                    AGW_OK);
    CU_ASSERT_EQUAL(strlen(c.foundation), 32);
    CU_ASSERT_EQUAL(c.priority, UINT32_MAX);
    CU_ASSERT_EQUAL(c.addr.port, 65535);
}

static void test_candidate_rfc8839_5_1_written_is_read_back(void)
{
    static const char *const LINES[] = {
        "7 1 udp 2130706431 10.0.0.1 40000 typ host",
        "7 2 udp 1 fd00::1 40000 typ prflx raddr fd00::2 rport 7",
        "7 1 tcp 1 10.0.0.1 9 typ host tcptype passive",
        "7 1 udp 1 10.0.0.1 9 typ relay raddr 0.0.0.0 rport 0",
    };
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        agw_candidate c;
        char text[AGW_CANDIDATE_TEXT];
        const agw_err err = parse(&c, LINES[i]);
        CU_ASSERT_TRUE(err == AGW_OK || err == AGW_ERR_UNSUPPORTED);
        CU_ASSERT_EQUAL(agw_candidate_write(&c, text, sizeof text), AGW_OK);
        CU_ASSERT_STRING_EQUAL(text, LINES[i]);
        CU_ASSERT_EQUAL(agw_candidate_write(&c, text, strlen(LINES[i]) + 1), AGW_OK);
        CU_ASSERT_EQUAL(agw_candidate_write(&c, text, strlen(LINES[i])), AGW_ERR_NO_SPACE);
    }
}

static void test_candidate_rfc8445_5_1_2_priority(void)
{
    CU_ASSERT_EQUAL(agw_candidate_priority(AGW_CANDIDATE_HOST, 65535, 1), 2130706431u);
    CU_ASSERT_EQUAL(agw_candidate_priority(AGW_CANDIDATE_SRFLX, 65535, 1), 1694498815u);
    CU_ASSERT_EQUAL(agw_candidate_priority(AGW_CANDIDATE_PRFLX, 65535, 1), 1862270975u);
    CU_ASSERT_EQUAL(agw_candidate_priority(AGW_CANDIDATE_RELAY, 65535, 2), 16777214u);
    CU_ASSERT_EQUAL(agw_candidate_priority(AGW_CANDIDATE_HOST, 0, 256), 126u << 24);
}

/* Below every candidate over UDP but relayed ones; direction-pref of a passive one is 4. */
static void test_candidate_rfc6544_4_2_priority_of_passive_tcp(void)
{
    const uint32_t v4 = agw_candidate_tcp_priority(AGW_CANDIDATE_HOST, AGW_FAMILY_IP4, 1);
    const uint32_t v6 = agw_candidate_tcp_priority(AGW_CANDIDATE_HOST, AGW_FAMILY_IP6, 1);
    CU_ASSERT_EQUAL(v6, 90u << 24 | ((4u << 13) + 8191u) << 8 | 255u);
    CU_ASSERT_EQUAL(v4, v6 - 256);
    CU_ASSERT_EQUAL(v4 >> 21 & 7, 4);
    CU_ASSERT_TRUE(v6 < agw_candidate_priority(AGW_CANDIDATE_SRFLX, 0, 256));
    CU_ASSERT_TRUE(v4 > agw_candidate_priority(AGW_CANDIDATE_RELAY, 65535, 1));
    CU_ASSERT_TRUE(agw_candidate_tcp_priority(AGW_CANDIDATE_PRFLX, AGW_FAMILY_IP6, 1) < v4);
}

static void test_candidate_rfc8445_5_1_1_3_foundation_tells_bases_apart(void)
{
    agw_addr a, b;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&a, "10.0.0.1:1000"), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&b, "10.0.0.1:2000"), AGW_OK);
    char x[AGW_CANDIDATE_FOUNDATION], y[AGW_CANDIDATE_FOUNDATION];
    agw_candidate_foundation(x, AGW_CANDIDATE_HOST, &a, AGW_CANDIDATE_UDP);
    CU_ASSERT_STRING_EQUAL(x,
                           agw_candidate_foundation(y, AGW_CANDIDATE_HOST, &b, AGW_CANDIDATE_UDP));
    b.ip[3] = 2;
    CU_ASSERT_STRING_NOT_EQUAL(
        x, agw_candidate_foundation(y, AGW_CANDIDATE_HOST, &b, AGW_CANDIDATE_UDP));
    CU_ASSERT_STRING_NOT_EQUAL(
        x, agw_candidate_foundation(y, AGW_CANDIDATE_SRFLX, &a, AGW_CANDIDATE_UDP));
    CU_ASSERT_STRING_NOT_EQUAL(
        x, agw_candidate_foundation(y, AGW_CANDIDATE_HOST, &a, AGW_CANDIDATE_TCP));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_candidate_rfc8839_5_1_host_of_chromium),
    AGW_CASE(test_candidate_rfc8839_5_1_srflx_with_related_address),
    AGW_CASE(test_candidate_rfc8839_5_1_of_no_use_is_unsupported),
    AGW_CASE(test_candidate_rfc8839_5_1_malformed_is_refused),
    AGW_CASE(test_candidate_rfc8839_5_1_bounds_are_accepted),
    AGW_CASE(test_candidate_rfc8839_5_1_written_is_read_back),
    AGW_CASE(test_candidate_rfc8445_5_1_2_priority),
    AGW_CASE(test_candidate_rfc6544_4_2_priority_of_passive_tcp),
    AGW_CASE(test_candidate_rfc8445_5_1_1_3_foundation_tells_bases_apart),
};
AGW_UNIT_MAIN("candidate", CASES)
