/* SPDX-License-Identifier: BSD-3-Clause
 * Receiver statistics and round-trip time on virtual time. */
#include "rtp/seq.h"
#include "unit.h"

enum { CLOCK = 8000, SAMPLES = 160 };

static agw_rtp_receiver started(uint16_t seq)
{
    agw_rtp_receiver r;
    agw_rtp_receiver_init(&r, CLOCK);
    CU_ASSERT_EQUAL(agw_rtp_receiver_on_packet(&r, seq, 0, 172, AGW_S(1)), AGW_RTP_ARRIVAL_NEW);
    return r;
}

/* A packet that left and arrived in time. */
static agw_rtp_arrival packet(agw_rtp_receiver *r, uint16_t seq)
{
    return agw_rtp_receiver_on_packet(r, seq, 0, 172, AGW_S(1));
}

static agw_rtcp_report report(agw_rtp_receiver *r)
{
    agw_rtcp_report b;
    agw_rtp_receiver_report(r, 7, AGW_S(1), &b);
    return b;
}

static void test_rtp_seq_rfc3550_a_1_wraps_are_counted(void)
{
    agw_rtp_receiver r = started(65534);
    CU_ASSERT_EQUAL(agw_rtp_receiver_ext_seq(&r), 65534);
    CU_ASSERT_EQUAL(packet(&r, 65535), AGW_RTP_ARRIVAL_NEW);
    CU_ASSERT_EQUAL(packet(&r, 0), AGW_RTP_ARRIVAL_NEW);
    CU_ASSERT_EQUAL(agw_rtp_receiver_ext_seq(&r), 65536);
    CU_ASSERT_EQUAL(report(&r).lost, 0);
}

static void test_rtp_seq_rfc3550_a_1_late_across_the_wrap_does_not_move_back(void)
{
    agw_rtp_receiver r = started(65534);
    CU_ASSERT_EQUAL(packet(&r, 1), AGW_RTP_ARRIVAL_NEW);
    CU_ASSERT_EQUAL(packet(&r, 65535), AGW_RTP_ARRIVAL_REORDERED);
    CU_ASSERT_EQUAL(packet(&r, 0), AGW_RTP_ARRIVAL_REORDERED);
    CU_ASSERT_EQUAL(packet(&r, 0), AGW_RTP_ARRIVAL_DUPLICATE);
    CU_ASSERT_EQUAL(packet(&r, 1), AGW_RTP_ARRIVAL_DUPLICATE);
    CU_ASSERT_EQUAL(agw_rtp_receiver_ext_seq(&r), 65537);
    CU_ASSERT_EQUAL(r.reordered, 2);
    CU_ASSERT_EQUAL(r.duplicates, 2);
}

static void test_rtp_seq_rfc3550_a_1_dropout_bound(void)
{
    agw_rtp_receiver r = started(100);
    CU_ASSERT_EQUAL(packet(&r, 100 + 2999), AGW_RTP_ARRIVAL_NEW);
    r = started(100);
    CU_ASSERT_EQUAL(packet(&r, 100 + 3000), AGW_RTP_ARRIVAL_JUMP);
}

static void test_rtp_seq_rfc3550_a_1_misorder_bound(void)
{
    agw_rtp_receiver r = started(1000);
    CU_ASSERT_EQUAL(packet(&r, 901), AGW_RTP_ARRIVAL_REORDERED);
    CU_ASSERT_EQUAL(packet(&r, 900), AGW_RTP_ARRIVAL_JUMP);
}

static void test_rtp_seq_rfc3550_a_1_two_in_sequence_are_a_restart(void)
{
    agw_rtp_receiver r = started(100);
    CU_ASSERT_EQUAL(packet(&r, 102), AGW_RTP_ARRIVAL_NEW);
    CU_ASSERT_EQUAL(packet(&r, 20000), AGW_RTP_ARRIVAL_JUMP);
    CU_ASSERT_EQUAL(packet(&r, 30000), AGW_RTP_ARRIVAL_JUMP);
    CU_ASSERT_EQUAL(packet(&r, 103), AGW_RTP_ARRIVAL_NEW); /* strays only */
    CU_ASSERT_EQUAL(packet(&r, 20000), AGW_RTP_ARRIVAL_JUMP);
    CU_ASSERT_EQUAL(packet(&r, 20001), AGW_RTP_ARRIVAL_RESTART);
    CU_ASSERT_EQUAL(agw_rtp_receiver_ext_seq(&r), 20001);
    CU_ASSERT_EQUAL(agw_rtp_receiver_lost(&r), 1); /* 101 is still missed */
    CU_ASSERT_EQUAL(report(&r).lost, 0);
    CU_ASSERT_EQUAL(r.restarts, 1);
}

static void test_rtp_seq_rfc3550_a_1_restart_at_the_wrap(void)
{
    agw_rtp_receiver r = started(30000);
    CU_ASSERT_EQUAL(packet(&r, 65535), AGW_RTP_ARRIVAL_JUMP);
    CU_ASSERT_EQUAL(packet(&r, 0), AGW_RTP_ARRIVAL_RESTART);
}

static void test_rtp_seq_rfc3550_a_3_loss_and_fraction(void)
{
    agw_rtp_receiver r = started(0);
    for (uint16_t seq = 1; seq < 100; seq++) {
        if (seq % 4 != 0)
            (void)packet(&r, seq);
    }
    agw_rtcp_report b = report(&r); /* 100 expected, 24 lost */
    CU_ASSERT_EQUAL(b.ssrc, 7);
    CU_ASSERT_EQUAL(b.lost, 24);
    CU_ASSERT_EQUAL(b.fraction_lost, 24 * 256 / 100);
    CU_ASSERT_EQUAL(b.ext_seq, 99);
    for (uint16_t seq = 100; seq < 200; seq++)
        (void)packet(&r, seq);
    b = report(&r);
    CU_ASSERT_EQUAL(b.lost, 24);
    CU_ASSERT_EQUAL(b.fraction_lost, 0); /* of the new interval */
    b = report(&r);
    CU_ASSERT_EQUAL(b.fraction_lost, 0); /* nothing expected */
}

static void test_rtp_seq_rfc3550_6_4_1_duplicates_make_loss_negative(void)
{
    agw_rtp_receiver r = started(0);
    for (unsigned i = 0; i < 3; i++)
        (void)packet(&r, 0);
    const agw_rtcp_report b = report(&r);
    CU_ASSERT_EQUAL(b.lost, -3);
    CU_ASSERT_EQUAL(b.fraction_lost, 0);
}

static void test_rtp_seq_rfc3550_6_4_1_loss_stops_at_24_bits(void)
{
    agw_rtp_receiver r = started(0);
    uint16_t seq = 0;
    for (unsigned i = 0; i < 3000; i++)
        (void)packet(&r, seq = (uint16_t)(seq + 2999));
    CU_ASSERT_EQUAL(agw_rtp_receiver_lost(&r), 3000 * 2998);
    CU_ASSERT_EQUAL(report(&r).lost, 0x7fffff);
}

static void test_rtp_seq_rfc3550_a_8_steady_stream_has_no_jitter(void)
{
    agw_rtp_receiver r;
    agw_rtp_receiver_init(&r, CLOCK);
    for (uint32_t i = 0; i < 200; i++)
        (void)agw_rtp_receiver_on_packet(&r, (uint16_t)i, 0xfffff000u + i * SAMPLES, 172,
                                         AGW_S(1000000) + AGW_MS(20) * (agw_ns)i);
    CU_ASSERT_EQUAL(agw_rtp_receiver_jitter(&r), 0);
}

/* Every second packet 5 ms late: |D| = 40 units, and J goes toward it. */
static void test_rtp_seq_rfc3550_a_8_jitter_approaches_the_mean_difference(void)
{
    agw_rtp_receiver r;
    agw_rtp_receiver_init(&r, CLOCK);
    for (uint32_t i = 0; i < 2; i++)
        (void)agw_rtp_receiver_on_packet(&r, (uint16_t)i, i * SAMPLES, 172,
                                         AGW_MS(20) * (agw_ns)i + (i % 2 ? AGW_MS(5) : 0));
    CU_ASSERT_EQUAL(agw_rtp_receiver_jitter(&r), 40 / 16);
    for (uint32_t i = 2; i < 500; i++)
        (void)agw_rtp_receiver_on_packet(&r, (uint16_t)i, i * SAMPLES, 172,
                                         AGW_MS(20) * (agw_ns)i + (i % 2 ? AGW_MS(5) : 0));
    CU_ASSERT_TRUE(agw_rtp_receiver_jitter(&r) >= 38 && agw_rtp_receiver_jitter(&r) <= 40);
    CU_ASSERT_EQUAL(report(&r).jitter, agw_rtp_receiver_jitter(&r));
}

/* The same SSRC at 48 kHz, then at 8 kHz, with timestamps that have nothing to do with the ones
 * before: only jitter and the sender's clock begin anew. */
static void test_rtp_seq_rfc3550_a_8_another_clock_begins_jitter_anew(void)
{
    agw_rtp_receiver r;
    agw_rtp_receiver_init(&r, 48000);
    uint16_t seq = 65000;
    for (uint32_t i = 0; i < 600; i++, seq++) {
        if (i % 100 != 99)
            (void)agw_rtp_receiver_on_packet(&r, seq, i * 960, 172,
                                             AGW_MS(20) * (agw_ns)i + (i % 2 ? AGW_MS(9) : 0));
    }
    CU_ASSERT_TRUE(agw_rtp_receiver_jitter(&r) > 380);
    const uint32_t ext = agw_rtp_receiver_ext_seq(&r);
    agw_rtp_receiver_set_clock(&r, CLOCK);
    CU_ASSERT_EQUAL(agw_rtp_receiver_jitter(&r), 0);
    agw_ns now = AGW_S(12);
    for (uint32_t i = 0; i < 400; i++, seq++, now += AGW_MS(20)) {
        const agw_ns late = i % 2 ? AGW_MS(5) : 0;
        (void)agw_rtp_receiver_on_packet(&r, seq, 0xdead0000u + i * SAMPLES, 172, now + late);
        if (i == 0)
            CU_ASSERT_EQUAL(agw_rtp_receiver_jitter(&r), 0);
        CU_ASSERT_EQUAL(agw_rtp_receiver_timestamp(&r, now + late), 0xdead0000u + i * SAMPLES);
    }
    CU_ASSERT_TRUE(agw_rtp_receiver_jitter(&r) >= 38 && agw_rtp_receiver_jitter(&r) <= 40);
    CU_ASSERT_EQUAL(agw_rtp_receiver_ext_seq(&r), ext + 401); /* the last one before was lost */
    CU_ASSERT_EQUAL(agw_rtp_receiver_lost(&r), 6);
    CU_ASSERT_EQUAL(r.packets, 594 + 400);
}

static void test_rtp_seq_unknown_clock_has_no_jitter(void)
{
    agw_rtp_receiver r;
    agw_rtp_receiver_init(&r, 0);
    for (uint16_t i = 0; i < 20; i++)
        (void)agw_rtp_receiver_on_packet(&r, i, i * 99u, 172, AGW_MS(i * i));
    CU_ASSERT_EQUAL(agw_rtp_receiver_jitter(&r), 0);
}

static void test_rtp_seq_counts_packets_and_bytes(void)
{
    agw_rtp_receiver r = started(5);
    (void)packet(&r, 6);
    (void)packet(&r, 6);
    (void)packet(&r, 40000);
    CU_ASSERT_EQUAL(r.packets, 4);
    CU_ASSERT_EQUAL(r.bytes, 4 * 172);
}

static void test_rtp_seq_report_before_any_packet_is_empty(void)
{
    agw_rtp_receiver r;
    agw_rtp_receiver_init(&r, CLOCK);
    const agw_rtcp_report b = report(&r);
    CU_ASSERT_EQUAL(b.ext_seq, 0);
    CU_ASSERT_EQUAL(b.lost, 0);
    CU_ASSERT_EQUAL(b.lsr, 0);
    CU_ASSERT_EQUAL(b.dlsr, 0);
}

static void test_rtp_seq_rfc3550_6_4_1_lsr_and_dlsr(void)
{
    agw_rtp_receiver r = started(0);
    agw_rtcp_report b;
    agw_rtp_receiver_report(&r, 7, AGW_S(5), &b);
    CU_ASSERT_EQUAL(b.lsr, 0);
    agw_rtp_receiver_on_sr(&r, 0xb705b705, AGW_S(10));
    agw_rtp_receiver_report(&r, 7, AGW_MS(15250), &b); /* RFC 3550 figure 2: 5.25 s */
    CU_ASSERT_EQUAL(b.lsr, 0xb705b705);
    CU_ASSERT_EQUAL(b.dlsr, 0x00054000);
}

static void test_rtp_seq_rfc3550_6_4_1_round_trip(void)
{
    agw_rtp_sr_log log = {0};
    agw_rtcp_report b = {.lsr = 0xb705b705, .dlsr = 0x00054000};
    agw_ns rtt = -1;
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_S(1), &rtt), AGW_ERR_NOT_FOUND);
    agw_rtp_sr_log_sent(&log, 0xb705b705, AGW_S(100));
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_MS(111375), &rtt), AGW_OK);
    CU_ASSERT_EQUAL(rtt, AGW_MS(6125)); /* figure 2: 6.125 s */
    b.lsr = 0;
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_S(111), &rtt), AGW_ERR_NOT_FOUND);
}

static void test_rtp_seq_round_trip_of_an_impossible_dlsr(void)
{
    agw_rtp_sr_log log = {0};
    agw_rtcp_report b = {.lsr = 1, .dlsr = 0x10000};
    agw_ns rtt = -1;
    agw_rtp_sr_log_sent(&log, 1, AGW_S(100));
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_MS(100979), &rtt), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_MS(100980), &rtt), AGW_OK);
    CU_ASSERT_EQUAL(rtt, 0);
    b.dlsr = UINT32_MAX;
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_S(101), &rtt), AGW_ERR_MALFORMED);
}

static void test_rtp_seq_round_trip_remembers_the_last_eight(void)
{
    agw_rtp_sr_log log = {0};
    agw_ns rtt = -1;
    for (uint32_t i = 1; i <= AGW_RTP_SR_LOG + 1; i++)
        agw_rtp_sr_log_sent(&log, i, AGW_S(i));
    agw_rtcp_report b = {.lsr = 1};
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_S(60), &rtt), AGW_ERR_NOT_FOUND);
    b.lsr = 2;
    CU_ASSERT_EQUAL(agw_rtp_sr_log_round_trip(&log, &b, AGW_S(3), &rtt), AGW_OK);
    CU_ASSERT_EQUAL(rtt, AGW_S(1));
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_seq_rfc3550_a_1_wraps_are_counted),
    AGW_CASE(test_rtp_seq_rfc3550_a_1_late_across_the_wrap_does_not_move_back),
    AGW_CASE(test_rtp_seq_rfc3550_a_1_dropout_bound),
    AGW_CASE(test_rtp_seq_rfc3550_a_1_misorder_bound),
    AGW_CASE(test_rtp_seq_rfc3550_a_1_two_in_sequence_are_a_restart),
    AGW_CASE(test_rtp_seq_rfc3550_a_1_restart_at_the_wrap),
    AGW_CASE(test_rtp_seq_rfc3550_a_3_loss_and_fraction),
    AGW_CASE(test_rtp_seq_rfc3550_6_4_1_duplicates_make_loss_negative),
    AGW_CASE(test_rtp_seq_rfc3550_6_4_1_loss_stops_at_24_bits),
    AGW_CASE(test_rtp_seq_rfc3550_a_8_steady_stream_has_no_jitter),
    AGW_CASE(test_rtp_seq_rfc3550_a_8_jitter_approaches_the_mean_difference),
    AGW_CASE(test_rtp_seq_rfc3550_a_8_another_clock_begins_jitter_anew),
    AGW_CASE(test_rtp_seq_unknown_clock_has_no_jitter),
    AGW_CASE(test_rtp_seq_counts_packets_and_bytes),
    AGW_CASE(test_rtp_seq_report_before_any_packet_is_empty),
    AGW_CASE(test_rtp_seq_rfc3550_6_4_1_lsr_and_dlsr),
    AGW_CASE(test_rtp_seq_rfc3550_6_4_1_round_trip),
    AGW_CASE(test_rtp_seq_round_trip_of_an_impossible_dlsr),
    AGW_CASE(test_rtp_seq_round_trip_remembers_the_last_eight),
};
AGW_UNIT_MAIN("rtp seq", cases)
