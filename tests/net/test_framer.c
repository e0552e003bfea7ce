/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/framer.h"

#include "base/wire.h"
#include "unit.h"

#include <string.h>

static agw_framer framer;
static const uint8_t *packet;
static size_t packet_len;

static void begin(void)
{
    memset(&framer, 0, sizeof framer);
}

static void feed(const void *bytes, size_t len)
{
    size_t room;
    uint8_t *at = agw_framer_room(&framer, &room);
    CU_ASSERT_TRUE_FATAL(len <= room);
    if (len != 0)
        memcpy(at, bytes, len);
    agw_framer_add(&framer, len);
}

static agw_framer_result next(void)
{
    return agw_framer_next(&framer, &packet, &packet_len);
}

static bool next_is(const char *text)
{
    return next() == AGW_FRAMER_PACKET && packet_len == strlen(text) &&
           memcmp(packet, text, packet_len) == 0;
}

static void feed_long(size_t len)
{
    static uint8_t zeros[AGW_FRAMER_HEAD + AGW_PKT_MAX + 1];
    agw_put16(zeros, (uint16_t)len);
    feed(zeros, AGW_FRAMER_HEAD + len);
}

static void test_framer_rfc4571_2_split_at_every_byte(void)
{
    static const char STREAM[] = "\0\3abc\0\1x\0\5defgh";
    const size_t size = sizeof STREAM - 1;
    for (size_t cut = 0; cut <= size; cut++) {
        size_t n = 0;
        begin();
        feed(STREAM, cut);
        n += next() == AGW_FRAMER_PACKET;
        n += next() == AGW_FRAMER_PACKET;
        n += next() == AGW_FRAMER_PACKET;
        CU_ASSERT_EQUAL(n, (cut >= 5) + (cut >= 8) + (cut >= 15));
        CU_ASSERT_EQUAL(next(), AGW_FRAMER_MORE);
        feed(STREAM + cut, size - cut);
        for (; n < 2; n++)
            CU_ASSERT_EQUAL(next(), AGW_FRAMER_PACKET);
        CU_ASSERT_TRUE(cut == size || next_is("defgh"));
        CU_ASSERT_EQUAL(next(), AGW_FRAMER_MORE);
    }
}

static void test_framer_rfc4571_2_empty_packets_are_passed_over(void)
{
    begin();
    feed("\0\0\0\0\0\1x\0\0", 9);
    CU_ASSERT_TRUE(next_is("x"));
    CU_ASSERT_EQUAL(next(), AGW_FRAMER_MORE);
    feed("\0\1y", 3);
    CU_ASSERT_TRUE(next_is("y"));
}

static void test_framer_longest_packet_is_whole_one_byte_more_is_cut(void)
{
    begin();
    feed_long(AGW_PKT_MAX);
    CU_ASSERT_EQUAL(next(), AGW_FRAMER_PACKET);
    CU_ASSERT_EQUAL(packet_len, AGW_PKT_MAX);
    feed_long(AGW_PKT_MAX + 1);
    CU_ASSERT_EQUAL(next(), AGW_FRAMER_CUT);
    CU_ASSERT_EQUAL(next(), AGW_FRAMER_MORE);
    feed("\0\1x", 3);
    CU_ASSERT_TRUE(next_is("x"));
}

/* The longest length there is, fed in as much as there is room for. */
static void test_framer_bytes_of_a_cut_packet_need_no_room(void)
{
    static const uint8_t zeros[AGW_FRAMER_ROOM];
    size_t left = UINT16_MAX;
    begin();
    feed("\xff\xff", 2);
    CU_ASSERT_EQUAL(next(), AGW_FRAMER_CUT);
    while (left > 0) {
        size_t room;
        (void)agw_framer_room(&framer, &room);
        CU_ASSERT_EQUAL_FATAL(room, AGW_FRAMER_ROOM);
        const size_t n = left < room ? left : room;
        feed(zeros, n);
        left -= n;
        CU_ASSERT_EQUAL_FATAL(next(), AGW_FRAMER_MORE);
    }
    feed("\0\2ok", 4);
    CU_ASSERT_TRUE(next_is("ok"));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_framer_rfc4571_2_split_at_every_byte),
    AGW_CASE(test_framer_rfc4571_2_empty_packets_are_passed_over),
    AGW_CASE(test_framer_longest_packet_is_whole_one_byte_more_is_cut),
    AGW_CASE(test_framer_bytes_of_a_cut_packet_need_no_room),
};

AGW_UNIT_MAIN("framer", CASES)
