/* SPDX-License-Identifier: BSD-3-Clause
 * One egress stream out of any ingress streams, on virtual time. */
#include "base/wire.h"
#include "rtp/rewrite.h"
#include "unit.h"

#include <string.h>

enum { EGRESS = 0x60e0e0e0, A = 0x1aaa0001, B = 0x2bbb0002, C = 0x3ccc0003, AUDIO = 8000 };

typedef struct sent {
    agw_rewrite_result result;
    bool marker;
    uint16_t seq;
    uint32_t timestamp, ssrc;
} sent;

static sent send_at(agw_rewrite *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
                    uint32_t clock_hz, agw_ns now)
{
    uint8_t pkt[172] = {0x80, 8};
    agw_put16(pkt + 2, seq);
    agw_put32(pkt + 4, timestamp);
    agw_put32(pkt + 8, ssrc);
    sent s = {.result = agw_rewrite_rtp(r, pkt, sizeof pkt, clock_hz, now)};
    s.marker = (pkt[1] & 0x80) != 0;
    s.seq = agw_get16(pkt + 2);
    s.timestamp = agw_get32(pkt + 4);
    s.ssrc = agw_get32(pkt + 8);
    return s;
}

static sent send(agw_rewrite *r, uint32_t ssrc, uint16_t seq, agw_ns now)
{
    return send_at(r, ssrc, seq, seq * 160u, AUDIO, now);
}

static agw_rewrite fresh(void)
{
    agw_rewrite r;
    agw_rewrite_init(&r, EGRESS);
    return r;
}

static void test_rtp_rewrite_first_stream_keeps_its_numbers(void)
{
    agw_rewrite r = fresh();
    for (uint16_t i = 0; i < 5; i++) {
        const sent s = send(&r, A, (uint16_t)(65533 + i), AGW_MS(20) * i);
        CU_ASSERT_EQUAL(s.result, AGW_REWRITE_OK);
        CU_ASSERT_EQUAL(s.ssrc, EGRESS);
        CU_ASSERT_EQUAL(s.seq, (uint16_t)(65533 + i));
        CU_ASSERT_EQUAL(s.timestamp, (uint16_t)(65533 + i) * 160u);
        CU_ASSERT_FALSE(s.marker);
    }
    CU_ASSERT_EQUAL(r.packets, 5);
    CU_ASSERT_EQUAL(r.octets, 5 * 160);
}

static void test_rtp_rewrite_transparent_changes_nothing(void)
{
    agw_rewrite r;
    agw_rewrite_init(&r, 0);
    (void)send(&r, A, 1, 0);
    const sent s = send(&r, B, 40000, AGW_MS(20));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_OK);
    CU_ASSERT_EQUAL(s.ssrc, B);
    CU_ASSERT_EQUAL(s.seq, 40000);
    CU_ASSERT_EQUAL(s.timestamp, 40000 * 160u);
    CU_ASSERT_FALSE(s.marker);
    uint32_t ext = 0, ssrc = 0;
    CU_ASSERT_TRUE(agw_rewrite_ingress_ssrc(&r, 77, &ssrc));
    CU_ASSERT_EQUAL(ssrc, 77);
    CU_ASSERT_TRUE(agw_rewrite_ingress_ext_seq(&r, 0x12345, &ext));
    CU_ASSERT_EQUAL(ext, 0x12345);
}

static void test_rtp_rewrite_rfc3550_5_1_change_goes_on_in_number_and_time(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 100, 16000, AUDIO, AGW_S(1));
    const sent s = send_at(&r, B, 7000, 123456, AUDIO, AGW_MS(1030));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_EQUAL(s.ssrc, EGRESS);
    CU_ASSERT_EQUAL(s.seq, 101);
    CU_ASSERT_EQUAL(s.timestamp, 16000 + 240); /* 30 ms */
    CU_ASSERT_TRUE(s.marker);
    const sent next = send_at(&r, B, 7001, 123456 + 160, AUDIO, AGW_MS(1050));
    CU_ASSERT_EQUAL(next.result, AGW_REWRITE_OK);
    CU_ASSERT_EQUAL(next.seq, 102);
    CU_ASSERT_EQUAL(next.timestamp, 16000 + 240 + 160);
    CU_ASSERT_FALSE(next.marker);
}

static void test_rtp_rewrite_change_in_the_same_instant_moves_one_unit(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 1, 500, AUDIO, AGW_S(1));
    CU_ASSERT_EQUAL(send_at(&r, B, 9, 0, AUDIO, AGW_S(1)).timestamp, 501);
    CU_ASSERT_EQUAL(send_at(&r, C, 9, 0, 0, AGW_S(9)).timestamp, 502); /* clock unknown */
}

/* Two sources are never in step: the receiver shall see neither an overlap nor a hole. */
static void test_rtp_rewrite_a_change_within_three_packets_goes_on_by_one(void)
{
    static const agw_ns AFTER[] = {0, AGW_MS(3), AGW_MS(20), AGW_MS(59)};
    for (size_t i = 0; i < sizeof AFTER / sizeof AFTER[0]; i++) {
        agw_rewrite r = fresh();
        (void)send(&r, A, 1, 0);
        (void)send(&r, A, 2, AGW_MS(20));
        CU_ASSERT_EQUAL(send(&r, B, 900, AGW_MS(20) + AFTER[i]).timestamp, 3 * 160);
    }
    agw_rewrite r = fresh();
    (void)send(&r, A, 1, 0);
    (void)send(&r, A, 2, AGW_MS(20));
    CU_ASSERT_EQUAL(send(&r, B, 900, AGW_MS(80)).timestamp, 2 * 160 + 480); /* silence in between */
}

/* A pause is no packet's length, and neither is a packet of another clock. */
static void test_rtp_rewrite_only_packets_in_sequence_of_the_same_clock_tell_a_length(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 1, 0, AUDIO, 0);
    (void)send_at(&r, A, 2, 481, AUDIO, AGW_MS(60)); /* more than 60 ms */
    CU_ASSERT_EQUAL(send_at(&r, B, 9, 0, AUDIO, AGW_MS(70)).timestamp, 481 + 80);
    r = fresh();
    (void)send_at(&r, A, 1, 0, AUDIO, 0);
    (void)send_at(&r, A, 3, 320, AUDIO, AGW_MS(40)); /* one is missing */
    CU_ASSERT_EQUAL(send_at(&r, B, 9, 0, AUDIO, AGW_MS(50)).timestamp, 320 + 80);
    r = fresh();
    (void)send_at(&r, A, 1, 0, 48000, 0);
    (void)send_at(&r, A, 2, 960, 48000, AGW_MS(20));
    CU_ASSERT_EQUAL(send_at(&r, B, 9, 0, AUDIO, AGW_MS(30)).timestamp, 960 + 80);
}

static void test_rtp_rewrite_take_over_lets_a_replaced_ssrc_back_at_once(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, B, 500, AGW_MS(20));
    agw_rewrite_take_over(&r);
    const sent s = send(&r, A, 101, AGW_MS(21));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_EQUAL(s.seq, 102);
    CU_ASSERT_EQUAL(send(&r, B, 501, AGW_MS(40)).result, AGW_REWRITE_DROP);
}

static void test_rtp_rewrite_video_marker_is_left_alone(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 1, 500, 90000, AGW_S(1));
    const sent s = send_at(&r, B, 9, 0, 90000, AGW_S(2));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_FALSE(s.marker);
    CU_ASSERT_EQUAL(s.timestamp, 500 + 90000);
}

static void test_rtp_rewrite_change_at_the_wrap(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 65535, 0xffffffff, AUDIO, AGW_S(1));
    const sent s = send_at(&r, B, 3, 3, AUDIO, AGW_S(2));
    CU_ASSERT_EQUAL(s.seq, 0);
    CU_ASSERT_EQUAL(s.timestamp, 7999);
    CU_ASSERT_EQUAL(send(&r, B, 4, AGW_S(2)).seq, 1);
}

static void test_rtp_rewrite_reordered_and_duplicate_keep_their_offset(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, B, 500, AGW_MS(20));
    CU_ASSERT_EQUAL(send(&r, B, 503, AGW_MS(40)).seq, 104);
    CU_ASSERT_EQUAL(send(&r, B, 501, AGW_MS(41)).seq, 102);
    CU_ASSERT_EQUAL(send(&r, B, 503, AGW_MS(42)).seq, 104);
    CU_ASSERT_EQUAL(send(&r, B, 504, AGW_MS(60)).seq, 105);
    const uint32_t highest_ts = agw_rewrite_egress_timestamp(&r, 504 * 160);
    (void)send(&r, B, 502, AGW_MS(70));
    const sent s = send(&r, C, 1, AGW_MS(80));
    CU_ASSERT_EQUAL(s.seq, 106);
    CU_ASSERT_EQUAL(s.timestamp, highest_ts + 160); /* 20 ms after the highest, not the last */
}

/* Its egress number has been used by the stream before. */
static void test_rtp_rewrite_late_from_before_the_change_is_dropped(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, B, 500, AGW_MS(20));
    CU_ASSERT_EQUAL(send(&r, B, 499, AGW_MS(21)).result, AGW_REWRITE_DROP);
    CU_ASSERT_EQUAL(send(&r, B, 500, AGW_MS(22)).result, AGW_REWRITE_OK);
    agw_rewrite first = fresh();
    (void)send(&first, A, 100, 0);
    CU_ASSERT_EQUAL(send(&first, A, 99, 0).seq, 99); /* nothing was before the first stream */
}

static void test_rtp_rewrite_replaced_ssrc_is_dropped_while_the_new_one_speaks(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, B, 500, AGW_MS(20));
    for (int i = 1; i < 50; i++) {
        CU_ASSERT_EQUAL(send(&r, A, (uint16_t)(100 + i), AGW_MS(20 + 20 * i)).result,
                        AGW_REWRITE_DROP);
        CU_ASSERT_EQUAL(send(&r, B, (uint16_t)(500 + i), AGW_MS(20 + 20 * i)).seq, 101 + i);
    }
}

static void test_rtp_rewrite_replaced_ssrc_comes_back_after_200_ms_not_before(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, B, 500, AGW_MS(20));
    CU_ASSERT_EQUAL(send(&r, A, 101, AGW_MS(220) - 1).result, AGW_REWRITE_DROP);
    const sent s = send(&r, A, 102, AGW_MS(220));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_EQUAL(s.seq, 102);
    CU_ASSERT_EQUAL(send(&r, B, 501, AGW_MS(221)).result, AGW_REWRITE_DROP);
    CU_ASSERT_EQUAL(send(&r, A, 103, AGW_MS(240)).result, AGW_REWRITE_OK);
}

static void test_rtp_rewrite_four_replaced_ssrcs_are_remembered(void)
{
    agw_rewrite r = fresh();
    for (uint32_t ssrc = 1; ssrc <= 5; ssrc++)
        (void)send(&r, ssrc, 100, AGW_MS(ssrc));
    for (uint32_t ssrc = 1; ssrc <= 4; ssrc++)
        CU_ASSERT_EQUAL(send(&r, ssrc, 101, AGW_MS(10)).result, AGW_REWRITE_DROP);
    (void)send(&r, 6, 100, AGW_MS(11));
    CU_ASSERT_EQUAL(send(&r, 2, 102, AGW_MS(12)).result, AGW_REWRITE_DROP);
    CU_ASSERT_EQUAL(send(&r, 1, 102, AGW_MS(12)).result, AGW_REWRITE_SWITCHED); /* forgotten */
}

static void test_rtp_rewrite_ssrc_that_came_back_takes_no_second_place(void)
{
    agw_rewrite r = fresh();
    for (uint32_t ssrc = 1; ssrc <= 5; ssrc++)
        (void)send(&r, ssrc, 100, AGW_MS(ssrc));
    CU_ASSERT_EQUAL(send(&r, 3, 101, AGW_MS(300)).result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_EQUAL(send(&r, 1, 101, AGW_MS(301)).result, AGW_REWRITE_DROP);
}

static void test_rtp_rewrite_rfc3550_a_1_restarted_sender_goes_on_without_a_break(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    CU_ASSERT_EQUAL(send(&r, A, 20000, AGW_MS(20)).result, AGW_REWRITE_DROP);
    const sent s = send(&r, A, 20001, AGW_MS(40));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_EQUAL(s.seq, 101);
    CU_ASSERT_EQUAL(s.timestamp, 100 * 160 + 320);
    CU_ASSERT_EQUAL(send(&r, A, 20002, AGW_MS(60)).seq, 102);
}

static void test_rtp_rewrite_rfc3550_a_1_jump_bounds(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 1000, 0);
    CU_ASSERT_EQUAL(send(&r, A, 1000 + 2999, 0).seq, 3999);
    r = fresh();
    (void)send(&r, A, 1000, 0);
    CU_ASSERT_EQUAL(send(&r, A, 1000 + 3000, 0).result, AGW_REWRITE_DROP);
    r = fresh();
    (void)send(&r, A, 5000, 0);
    CU_ASSERT_EQUAL(send(&r, A, 2000, 0).result, AGW_REWRITE_OK);
    CU_ASSERT_EQUAL(send(&r, A, 1999, 0).result, AGW_REWRITE_DROP);
}

/* Video sent again on request comes in bursts far behind the newest packet. */
static void test_rtp_rewrite_repeated_video_is_not_taken_for_a_restart(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 5000, 0, 90000, 0);
    for (uint16_t burst = 0; burst < 10; burst++) {
        for (uint16_t i = 0; i < 4; i++)
            CU_ASSERT_EQUAL(send_at(&r, A, (uint16_t)(4000 + 4 * burst + i), 0, 90000, 0).seq,
                            4000 + 4 * burst + i);
        CU_ASSERT_EQUAL(send_at(&r, A, (uint16_t)(5001 + burst), 0, 90000, 0).seq, 5001 + burst);
    }
    for (uint16_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(send(&r, A, (uint16_t)(4000 + i), 0).result, AGW_REWRITE_OK);
    CU_ASSERT_EQUAL(send(&r, A, 4004, 0).result, AGW_REWRITE_SWITCHED);
}

static void test_rtp_rewrite_back_mapping_of_the_current_stream(void)
{
    agw_rewrite r = fresh();
    uint32_t ssrc = 0, ext = 0;
    uint16_t seq = 0;
    CU_ASSERT_FALSE(agw_rewrite_ingress_ssrc(&r, EGRESS, &ssrc)); /* nothing came yet */
    CU_ASSERT_FALSE(agw_rewrite_ingress_seq(&r, 1, &seq));
    (void)send(&r, A, 65530, 0);
    (void)send(&r, B, 1000, AGW_MS(20));
    for (uint16_t i = 1; i <= 20; i++)
        (void)send(&r, B, (uint16_t)(1000 + i), AGW_MS(20 + 20 * i));
    CU_ASSERT_FALSE(agw_rewrite_ingress_ssrc(&r, A, &ssrc));
    CU_ASSERT_TRUE(agw_rewrite_ingress_ssrc(&r, EGRESS, &ssrc));
    CU_ASSERT_EQUAL(ssrc, B);
    CU_ASSERT_TRUE(agw_rewrite_ingress_seq(&r, 65531, &seq));
    CU_ASSERT_EQUAL(seq, 1000);
    CU_ASSERT_TRUE(agw_rewrite_ingress_seq(&r, 5, &seq)); /* behind the egress wrap */
    CU_ASSERT_EQUAL(seq, 1010);
    CU_ASSERT_FALSE(agw_rewrite_ingress_seq(&r, 65530, &seq)); /* was A's */
    CU_ASSERT_TRUE(agw_rewrite_ingress_ext_seq(&r, 0x10000 + 15, &ext));
    CU_ASSERT_EQUAL(ext, 1020);                                /* B has not wrapped */
    CU_ASSERT_TRUE(agw_rewrite_ingress_ext_seq(&r, 15, &ext)); /* a peer that counts otherwise */
    CU_ASSERT_EQUAL(ext, 1020);
    CU_ASSERT_FALSE(agw_rewrite_ingress_ext_seq(&r, 65530, &ext));
}

static void test_rtp_rewrite_egress_timestamp_follows_the_current_stream(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 1, 1000, AUDIO, 0);
    CU_ASSERT_EQUAL(agw_rewrite_egress_timestamp(&r, 1160), 1160);
    const sent s = send_at(&r, B, 1, 999999, AUDIO, AGW_MS(20));
    CU_ASSERT_EQUAL(agw_rewrite_egress_timestamp(&r, 999999), s.timestamp);
}

static void hold(agw_rewrite *r, uint32_t ssrc, uint32_t ext_seq, agw_ns now)
{
    agw_rewrite_hold(r, ssrc, ext_seq, ext_seq * 160u, now);
}

/* What control does not let pass leaves no hole: numbers without a break, time as it passed. */
static void test_rtp_rewrite_rfc3551_4_1_what_is_held_back_leaves_no_hole(void)
{
    static const unsigned LENGTHS[] = {1, 5, 1500, 2999, 3000, 70000};
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        agw_rewrite r = fresh();
        uint32_t ext = 65000, in = 0;
        (void)send(&r, B, 7, 0);
        const uint16_t first = send(&r, A, (uint16_t)ext, AGW_S(1)).seq;
        (void)send(&r, A, (uint16_t)(ext + 1), AGW_MS(1020));
        const uint32_t shift = agw_rewrite_egress_timestamp(&r, 0);
        agw_ns now = AGW_MS(1040);
        ext += 2;
        for (unsigned k = 0; k < LENGTHS[i]; k++, ext++, now += AGW_MS(20)) {
            hold(&r, A, ext, now);
            CU_ASSERT_TRUE(agw_rewrite_ingress_ext_seq(&r, (uint16_t)(first + 1), &in));
            CU_ASSERT_EQUAL(in, ext); /* reports say that all has come */
        }
        sent s = send_at(&r, A, (uint16_t)ext, ext * 160u, AUDIO, now);
        CU_ASSERT_EQUAL(s.result, AGW_REWRITE_RESUMED);
        CU_ASSERT_EQUAL(s.seq, first + 2);
        CU_ASSERT_EQUAL(s.timestamp, ext * 160u + shift);
        CU_ASSERT_TRUE(s.marker);
        s = send_at(&r, A, (uint16_t)(ext + 1), (ext + 1) * 160u, AUDIO, now + AGW_MS(20));
        CU_ASSERT_EQUAL(s.result, AGW_REWRITE_OK);
        CU_ASSERT_EQUAL(s.seq, first + 3);
        CU_ASSERT_FALSE(s.marker);
        CU_ASSERT_TRUE(agw_rewrite_ingress_ext_seq(&r, (uint16_t)(first + 3), &in));
        CU_ASSERT_EQUAL(in, ext + 1); /* and the wraps of the source are counted */
    }
}

static void test_rtp_rewrite_a_transparent_stream_goes_on_under_its_ssrc(void)
{
    agw_rewrite r;
    uint32_t in = 0;
    agw_rewrite_init(&r, 0);
    hold(&r, A, 9, 0); /* nothing was shown yet: nothing to go on with */
    CU_ASSERT_TRUE(agw_rewrite_transparent(&r));
    CU_ASSERT_EQUAL(send(&r, A, 100, AGW_MS(20)).seq, 100);
    hold(&r, B, 9, AGW_MS(30)); /* of another source */
    CU_ASSERT_TRUE(agw_rewrite_transparent(&r));
    for (uint32_t ext = 101; ext < 106; ext++)
        hold(&r, A, 0x10000 + ext, AGW_MS(20) * (agw_ns)(ext - 99));
    const sent s = send(&r, A, 106, AGW_MS(140));
    CU_ASSERT_EQUAL(s.ssrc, A);
    CU_ASSERT_EQUAL(s.seq, 101);
    CU_ASSERT_EQUAL(s.timestamp, 106 * 160);
    CU_ASSERT_TRUE(s.marker);
    CU_ASSERT_EQUAL(send(&r, A, 107, AGW_MS(160)).seq, 102);
    CU_ASSERT_TRUE(agw_rewrite_ingress_ext_seq(&r, 102, &in));
    CU_ASSERT_EQUAL(in, 0x10000 + 107);
    CU_ASSERT_EQUAL(send(&r, B, 900, AGW_MS(180)).seq, 103);
}

/* Their numbers are taken. */
static void test_rtp_rewrite_late_from_before_the_pause_is_dropped(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, A, 101, AGW_MS(20));
    for (uint32_t ext = 102; ext < 110; ext++)
        hold(&r, A, ext, AGW_MS(40));
    CU_ASSERT_EQUAL(send(&r, A, 111, AGW_MS(220)).seq, 102);
    CU_ASSERT_EQUAL(send(&r, A, 110, AGW_MS(221)).result, AGW_REWRITE_DROP);
    CU_ASSERT_EQUAL(send(&r, A, 99, AGW_MS(222)).result, AGW_REWRITE_DROP);
    CU_ASSERT_EQUAL(send(&r, A, 112, AGW_MS(240)).seq, 103);
}

/* Another end of a digit, say, whose place audio has taken: it follows without a pause. */
static void test_rtp_rewrite_rfc3551_4_1_no_marker_where_nothing_has_paused(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 1, 0);
    (void)send(&r, A, 2, AGW_MS(20));
    agw_rewrite_hold(&r, A, 3, 320, AGW_MS(20));
    sent s = send_at(&r, A, 4, 480, AUDIO, AGW_MS(40));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_OK);
    CU_ASSERT_TRUE(s.seq == 3 && !s.marker);
    agw_rewrite_hold(&r, A, 5, 640, AGW_MS(60));
    s = send_at(&r, A, 6, 800, AUDIO, AGW_MS(80));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_RESUMED);
    CU_ASSERT_TRUE(s.seq == 4 && s.marker);
}

/* A decoder of video takes what follows without a hole for whole. */
static void test_rtp_rewrite_video_leaves_one_number_out(void)
{
    agw_rewrite r = fresh();
    uint16_t seq = 0;
    (void)send_at(&r, A, 10, 0, 90000, 0);
    for (uint32_t ext = 11; ext < 500; ext++)
        agw_rewrite_hold(&r, A, ext, ext * 300, AGW_MS(ext));
    const sent s = send_at(&r, A, 500, 150000, 90000, AGW_MS(500));
    CU_ASSERT_EQUAL(s.seq, 12);
    CU_ASSERT_EQUAL(s.timestamp, 150000);
    CU_ASSERT_FALSE(s.marker);
    CU_ASSERT_FALSE(agw_rewrite_ingress_seq(&r, 11, &seq)); /* asked for in vain */
    CU_ASSERT_TRUE(agw_rewrite_ingress_seq(&r, 12, &seq) && seq == 500);
}

/* The sender's clock stood still, or it began anew, while it was not heard. */
static void test_rtp_rewrite_rfc3550_5_1_time_goes_on_where_timestamps_do_not(void)
{
    static const uint32_t TIMESTAMPS[] = {480, 0xdeadbeef, 320 + 80000 - 8001, 320 + 80000 + 8001};
    for (size_t i = 0; i < sizeof TIMESTAMPS / sizeof TIMESTAMPS[0]; i++) {
        agw_rewrite r = fresh();
        (void)send(&r, A, 1, 0);
        (void)send(&r, A, 2, AGW_MS(20));
        hold(&r, A, 3, AGW_MS(40));
        const sent s = send_at(&r, A, 4, TIMESTAMPS[i], AUDIO, AGW_MS(10020));
        CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
        CU_ASSERT_TRUE(s.seq == 3 && s.marker);
        CU_ASSERT_EQUAL(s.timestamp, 320 + 80000);
    }
    agw_rewrite r = fresh();
    (void)send(&r, A, 1, 0);
    (void)send(&r, A, 2, AGW_MS(20));
    hold(&r, A, 3, AGW_MS(40));
    CU_ASSERT_EQUAL(send_at(&r, A, 4, 320 + 80000 - 7999, AUDIO, AGW_MS(10020)).result,
                    AGW_REWRITE_RESUMED);
}

static void test_rtp_rewrite_another_source_behind_what_was_held_back(void)
{
    agw_rewrite r = fresh();
    (void)send(&r, A, 100, 0);
    (void)send(&r, A, 101, AGW_MS(20));
    hold(&r, A, 102, AGW_MS(40));
    const sent s = send(&r, B, 7000, AGW_MS(500));
    CU_ASSERT_EQUAL(s.result, AGW_REWRITE_SWITCHED);
    CU_ASSERT_EQUAL(s.seq, 102);
    CU_ASSERT_EQUAL(s.timestamp, 101 * 160 + 480 * 8);
    CU_ASSERT_EQUAL(send(&r, B, 7001, AGW_MS(520)).result, AGW_REWRITE_OK);
}

/* All packets of a digit carry its begin. What comes behind it, of another source or of our own,
 * stands behind the time that it has lasted. */
static void test_rtp_rewrite_rfc4733_2_5_1_2_time_goes_on_over_a_digit(void)
{
    agw_rewrite r = fresh();
    (void)send_at(&r, A, 1, 0, AUDIO, AGW_S(1));
    (void)send_at(&r, A, 2, 160, AUDIO, AGW_MS(1020));
    for (uint16_t i = 0; i < 50; i++) { /* a second */
        const agw_ns now = AGW_MS(1040) + AGW_MS(20) * i;
        CU_ASSERT_EQUAL(send_at(&r, A, (uint16_t)(3 + i), 320, AUDIO, now).timestamp, 320);
        CU_ASSERT_EQUAL(agw_rewrite_timestamp_at(&r, AUDIO, now + AGW_MS(10)), 320 + 80 + i * 160u);
    }
    const sent s = send_at(&r, B, 900, 5, AUDIO, AGW_MS(2040));
    CU_ASSERT_EQUAL(s.seq, 53);
    CU_ASSERT_EQUAL(s.timestamp, 320 + 8000);
}

/* So do packets of a video frame. */
static void test_rtp_rewrite_rfc3550_5_1_a_frame_has_the_time_of_its_first_packet(void)
{
    agw_rewrite r = fresh();
    for (uint16_t i = 0; i < 10; i++)
        (void)send_at(&r, A, i, 0, 90000, AGW_S(1) + AGW_MS(i));
    CU_ASSERT_EQUAL(agw_rewrite_timestamp_at(&r, 90000, AGW_MS(1040)), 3600);
    (void)send_at(&r, A, 10, 3000, 90000, AGW_MS(1033));
    CU_ASSERT_EQUAL(agw_rewrite_timestamp_at(&r, 90000, AGW_MS(1043)), 3900);
}

/* Whatever comes in: numbers of different packets differ, and what goes ahead goes by one. */
static void test_rtp_rewrite_random_sources_never_reuse_a_number(void)
{
    agw_rewrite r = fresh();
    static uint8_t used[65536];
    memset(used, 0, sizeof used);
    uint64_t x = 88172645463325252u;
    uint16_t seq[4] = {60000, 10, 33000, 65000};
    agw_ns now = 0;
    unsigned source = 0;
    for (unsigned i = 0; i < 40000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17; /* fixed seed: xorshift64 */
        if (x % 500 == 0) {
            source = (unsigned)(x >> 20) % 4;
            now += AGW_MS(250);
        }
        now += AGW_MS(20);
        const sent s = send(&r, 1 + source, seq[source]++, now);
        CU_ASSERT_NOT_EQUAL_FATAL(s.result, AGW_REWRITE_DROP);
        CU_ASSERT_FALSE(used[s.seq]);
        used[s.seq] = 1;
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_rewrite_first_stream_keeps_its_numbers),
    AGW_CASE(test_rtp_rewrite_transparent_changes_nothing),
    AGW_CASE(test_rtp_rewrite_rfc3550_5_1_change_goes_on_in_number_and_time),
    AGW_CASE(test_rtp_rewrite_change_in_the_same_instant_moves_one_unit),
    AGW_CASE(test_rtp_rewrite_a_change_within_three_packets_goes_on_by_one),
    AGW_CASE(test_rtp_rewrite_only_packets_in_sequence_of_the_same_clock_tell_a_length),
    AGW_CASE(test_rtp_rewrite_take_over_lets_a_replaced_ssrc_back_at_once),
    AGW_CASE(test_rtp_rewrite_video_marker_is_left_alone),
    AGW_CASE(test_rtp_rewrite_change_at_the_wrap),
    AGW_CASE(test_rtp_rewrite_reordered_and_duplicate_keep_their_offset),
    AGW_CASE(test_rtp_rewrite_late_from_before_the_change_is_dropped),
    AGW_CASE(test_rtp_rewrite_replaced_ssrc_is_dropped_while_the_new_one_speaks),
    AGW_CASE(test_rtp_rewrite_replaced_ssrc_comes_back_after_200_ms_not_before),
    AGW_CASE(test_rtp_rewrite_four_replaced_ssrcs_are_remembered),
    AGW_CASE(test_rtp_rewrite_ssrc_that_came_back_takes_no_second_place),
    AGW_CASE(test_rtp_rewrite_rfc3550_a_1_restarted_sender_goes_on_without_a_break),
    AGW_CASE(test_rtp_rewrite_rfc3550_a_1_jump_bounds),
    AGW_CASE(test_rtp_rewrite_repeated_video_is_not_taken_for_a_restart),
    AGW_CASE(test_rtp_rewrite_back_mapping_of_the_current_stream),
    AGW_CASE(test_rtp_rewrite_egress_timestamp_follows_the_current_stream),
    AGW_CASE(test_rtp_rewrite_rfc3551_4_1_what_is_held_back_leaves_no_hole),
    AGW_CASE(test_rtp_rewrite_a_transparent_stream_goes_on_under_its_ssrc),
    AGW_CASE(test_rtp_rewrite_late_from_before_the_pause_is_dropped),
    AGW_CASE(test_rtp_rewrite_rfc3551_4_1_no_marker_where_nothing_has_paused),
    AGW_CASE(test_rtp_rewrite_video_leaves_one_number_out),
    AGW_CASE(test_rtp_rewrite_rfc3550_5_1_time_goes_on_where_timestamps_do_not),
    AGW_CASE(test_rtp_rewrite_another_source_behind_what_was_held_back),
    AGW_CASE(test_rtp_rewrite_rfc4733_2_5_1_2_time_goes_on_over_a_digit),
    AGW_CASE(test_rtp_rewrite_rfc3550_5_1_a_frame_has_the_time_of_its_first_packet),
    AGW_CASE(test_rtp_rewrite_random_sources_never_reuse_a_number),
};
AGW_UNIT_MAIN("rtp rewrite", cases)
