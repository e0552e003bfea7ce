/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/demux.h"

#include "unit.h"

#include <string.h>

static agw_pkt_kind kind_of(uint8_t first, uint8_t second, size_t len, agw_drop *why)
{
    uint8_t buf[64] = {first, second};
    return agw_demux_kind(buf, len, why);
}

static agw_pkt_kind expected(unsigned first)
{
    if (first < 4)
        return AGW_PKT_STUN;
    if (first >= 20 && first < 64)
        return AGW_PKT_DTLS;
    return first >= 128 && first < 192 ? AGW_PKT_RTP : AGW_PKT_UNKNOWN;
}

static void test_demux_rfc7983_7_every_first_byte(void)
{
    agw_drop why;
    for (unsigned first = 0; first < 256; first++)
        CU_ASSERT_EQUAL(kind_of((uint8_t)first, 0, 64, &why), expected(first));
}

static void test_demux_rfc5761_4_rtcp_is_192_to_223_of_the_second_byte(void)
{
    agw_drop why;
    for (unsigned second = 0; second < 256; second++)
        CU_ASSERT_EQUAL(kind_of(0x80, (uint8_t)second, 64, &why),
                        second >= 192 && second < 224 ? AGW_PKT_RTCP : AGW_PKT_RTP);
}

static void test_demux_shortest_of_each_kind(void)
{
    static const struct {
        uint8_t first, second;
        size_t len;
    } shortest[] = {{0, 1, 20}, {22, 254, 13}, {0x80, 8, 12}, {0x80, 201, 8}};
    for (size_t i = 0; i < sizeof shortest / sizeof shortest[0]; i++) {
        agw_drop why;
        CU_ASSERT_NOT_EQUAL(kind_of(shortest[i].first, shortest[i].second, shortest[i].len, &why),
                            AGW_PKT_UNKNOWN);
        CU_ASSERT_EQUAL(kind_of(shortest[i].first, shortest[i].second, shortest[i].len - 1, &why),
                        AGW_PKT_UNKNOWN);
        CU_ASSERT_EQUAL(why, AGW_DROP_TOO_SHORT);
    }
}

static void test_demux_unknown_kinds_have_their_own_reason(void)
{
    agw_drop why;
    CU_ASSERT_EQUAL(kind_of(64, 0, 64, &why), AGW_PKT_UNKNOWN);
    CU_ASSERT_EQUAL(why, AGW_DROP_KIND);
    CU_ASSERT_EQUAL(agw_demux_kind(NULL, 0, &why), AGW_PKT_UNKNOWN);
    CU_ASSERT_EQUAL(why, AGW_DROP_TOO_SHORT);
}

static void test_demux_ufrag_names_its_slot(void)
{
    static const uint32_t SLOTS[] = {0, 1, 63, 64, 4095, AGW_WORKER_SLOTS - 1};
    char ufrag[AGW_UFRAG_LEN + 1], again[AGW_UFRAG_LEN + 1];
    agw_rand_stock stock = {.left = 0};
    for (size_t i = 0; i < sizeof SLOTS / sizeof SLOTS[0]; i++) {
        agw_demux_ufrag(ufrag, SLOTS[i], &stock);
        agw_demux_ufrag(again, SLOTS[i], &stock);
        CU_ASSERT_EQUAL(strlen(ufrag), AGW_UFRAG_LEN);
        CU_ASSERT_EQUAL(agw_demux_slot(ufrag, AGW_UFRAG_LEN), SLOTS[i]);
        CU_ASSERT_STRING_NOT_EQUAL(ufrag, again); /* 24 random bits */
    }
}

static void test_demux_foreign_ufrags_name_no_slot(void)
{
    CU_ASSERT_TRUE(agw_demux_slot("AAAAAAA", 7) >= AGW_WORKER_SLOTS);
    CU_ASSERT_TRUE(agw_demux_slot("AAAAAAAAA", 9) >= AGW_WORKER_SLOTS);
    CU_ASSERT_TRUE(agw_demux_slot("A A AAAA", 8) >= AGW_WORKER_SLOTS);
    CU_ASSERT_TRUE(agw_demux_slot("////AAAA", 8) >= AGW_WORKER_SLOTS);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_demux_rfc7983_7_every_first_byte),
    AGW_CASE(test_demux_rfc5761_4_rtcp_is_192_to_223_of_the_second_byte),
    AGW_CASE(test_demux_shortest_of_each_kind),
    AGW_CASE(test_demux_unknown_kinds_have_their_own_reason),
    AGW_CASE(test_demux_ufrag_names_its_slot),
    AGW_CASE(test_demux_foreign_ufrags_name_no_slot),
};

AGW_UNIT_MAIN("demux", cases)
