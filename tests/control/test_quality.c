/* SPDX-License-Identifier: BSD-3-Clause
 * Samples of quality from counters, and what becomes of them. */
#include "control/quality.h"
#include "unit.h"

typedef struct stream {
    agw_media_stats stats;
    agw_quality quality;
    uint64_t packets, lost, runs;
} stream;

enum { SECOND = 50 }; /* packets */

/* Ten seconds, of which so many packets in 500 are lost, in so many runs. */
static agw_quality_sample ten_seconds(stream *s, const char *codec, uint64_t lost, uint64_t runs)
{
    agw_quality_sample sample = {0};
    agw_end_stats *from = &s->stats.end[0];
    s->packets += 10 * SECOND - lost;
    s->lost += lost;
    s->runs += runs;
    agw_counter_set(&from->rtp_in.packets, s->packets);
    agw_counter_set(&from->lost_in, s->lost);
    agw_counter_set(&from->loss_runs_in, s->runs);
    CU_ASSERT_TRUE(
        agw_quality_take(&s->quality, from, &s->stats.end[1], codec, 1700000000, &sample));
    return sample;
}

static void set(agw_counter *counter, uint64_t value)
{
    agw_counter_set(counter, value);
}

static void test_quality_rtc_7_a_clean_stream(void)
{
    stream s = {0};
    CU_ASSERT_EQUAL(ten_seconds(&s, "PCMA/8000", 0, 0).mos_x10, 44);
    CU_ASSERT_EQUAL(ten_seconds(&s, "G722/8000", 0, 0).mos_x10, 43);
    CU_ASSERT_EQUAL(ten_seconds(&s, "AMR-WB/16000", 0, 0).mos_x10, 43);
    CU_ASSERT_EQUAL(ten_seconds(&s, "opus/48000/2", 0, 0).mos_x10, 44);
    CU_ASSERT_EQUAL(ten_seconds(&s, "", 0, 0).mos_x10, 44);
    CU_ASSERT_EQUAL(s.quality.samples, 5);
}

static void test_quality_rtc_7_loss_is_of_these_ten_seconds(void)
{
    stream s = {0};
    CU_ASSERT_EQUAL(ten_seconds(&s, "PCMA/8000", 25, 25).loss_1000, 50);
    const agw_quality_sample clean = ten_seconds(&s, "PCMA/8000", 0, 0);
    CU_ASSERT_EQUAL(clean.loss_1000, 0);
    CU_ASSERT_EQUAL(clean.mos_x10, 44);
}

static void test_quality_rtc_7_what_the_receiver_reports_counts_when_it_is_worse(void)
{
    stream s = {0};
    set(&s.stats.end[1].loss_out_256, 64);
    set(&s.stats.end[1].jitter_out_us, 30000);
    set(&s.stats.end[0].jitter_in_us, 10000);
    set(&s.stats.end[0].rtt_us, 20000);
    set(&s.stats.end[1].rtt_us, 50000);
    const agw_quality_sample q = ten_seconds(&s, "PCMA/8000", 5, 5);
    CU_ASSERT_EQUAL(q.loss_1000, 250);
    CU_ASSERT_EQUAL(q.jitter_us, 30000);
    CU_ASSERT_EQUAL(q.leg_us, 20000);
    CU_ASSERT_EQUAL(q.round_trip_us, 70000);
}

/* Our jitter buffer ends the first leg: 10 % are lost there with 5 % that are late, 20 % behind it.
 */
static void test_quality_rtc_7_where_the_codec_changes_both_legs_add_up(void)
{
    stream passed = {0}, chained = {0};
    agw_end_stats *from = &chained.stats.end[0];
    set(&chained.stats.end[1].loss_out_256, 51);
    set(&from->transcode.packets_in, 450);
    set(&from->transcode.late, 25);
    const agw_quality_sample both = ten_seconds(&chained, "PCMA/8000", 50, 50);
    CU_ASSERT_TRUE(both.loss_1000 >= 319 && both.loss_1000 <= 321); /* 1 - 0.85 * 0.8 */
    set(&from->transcode.packets_in, 900);
    set(&from->transcode.by_fec_ms, 1000); /* 50 packets: half as bad */
    set(&chained.stats.end[1].loss_out_256, 0);
    CU_ASSERT_EQUAL(ten_seconds(&chained, "opus/48000/2", 50, 50).loss_1000, 50);
    const agw_quality_sample clean = ten_seconds(&passed, "PCMA/8000", 0, 0);
    stream delayed = {0};
    set(&delayed.stats.end[0].transcode.packets_in, 500);
    set(&delayed.stats.end[0].transcode.delay_us, 80000);
    CU_ASSERT_TRUE(ten_seconds(&delayed, "PCMA/8000", 0, 0).r_x10 < clean.r_x10);
}

static void test_quality_rtc_7_bursts_are_worse_than_single_losses(void)
{
    stream single = {0}, bursts = {0};
    CU_ASSERT_TRUE(ten_seconds(&bursts, "PCMA/8000", 48, 16).r_x10 <
                   ten_seconds(&single, "PCMA/8000", 48, 44).r_x10);
}

/* C8: down with loss, jitter and delay, each alone; in tenths of R, so that no step is lost. */
static void test_quality_rtc_7_falls_with_loss_jitter_and_delay(void)
{
    static const char *const CODECS[] = {"PCMA/8000", "AMR/8000", "AMR-WB/16000", "opus/48000/2"};
    for (size_t c = 0; c < sizeof CODECS / sizeof CODECS[0]; c++) {
        agw_quality_sample before[3] = {{.r_x10 = 1001}, {.r_x10 = 1001}, {.r_x10 = 1001}};
        for (uint64_t i = 0; i < 50; i++) {
            stream loss = {0}, jitter = {0}, delay = {0};
            set(&jitter.stats.end[0].jitter_in_us, i * 4000);
            set(&delay.stats.end[1].rtt_us, i * 16000);
            const agw_quality_sample now[3] = {ten_seconds(&loss, CODECS[c], i * 5, i * 5),
                                               ten_seconds(&jitter, CODECS[c], 0, 0),
                                               ten_seconds(&delay, CODECS[c], 0, 0)};
            for (size_t k = 0; k < 3; k++) {
                CU_ASSERT_TRUE(now[k].r_x10 < before[k].r_x10);
                CU_ASSERT_TRUE(now[k].mos_x10 >= AGW_MOS_X10_MIN);
                before[k] = now[k];
            }
        }
    }
}

static void test_quality_rtc_7_average_lowest_highest(void)
{
    stream s = {0};
    static const uint64_t LOST[] = {0, 100, 10};
    for (size_t i = 0; i < sizeof LOST / sizeof LOST[0]; i++)
        (void)ten_seconds(&s, "PCMA/8000", LOST[i], LOST[i]);
    CU_ASSERT_EQUAL(s.quality.lowest.loss_1000, 200);
    CU_ASSERT_EQUAL(s.quality.highest.loss_1000, 0);
    CU_ASSERT_EQUAL(s.quality.lowest.at_s, 1700000000);
    CU_ASSERT_EQUAL(agw_quality_average(&s.quality).loss_1000, 220 / 3);
    const int64_t mos = agw_quality_average(&s.quality).mos_x10;
    CU_ASSERT_TRUE(mos > s.quality.lowest.mos_x10 && mos < s.quality.highest.mos_x10);
}

static void test_quality_rtc_7_silence_is_no_sample_and_another_source_begins_anew(void)
{
    stream s = {0};
    agw_quality_sample sample;
    (void)ten_seconds(&s, "PCMA/8000", 100, 100);
    CU_ASSERT_FALSE(
        agw_quality_take(&s.quality, &s.stats.end[0], &s.stats.end[1], "PCMA/8000", 0, &sample));
    CU_ASSERT_EQUAL(s.quality.samples, 1);
    set(&s.stats.end[0].ssrc_in, 7);
    CU_ASSERT_EQUAL(ten_seconds(&s, "PCMA/8000", 0, 0).loss_1000, 0);
    CU_ASSERT_EQUAL(s.quality.samples, 1);
    CU_ASSERT_EQUAL(s.quality.lowest.loss_1000, 0);
}

/* docs/CONTROL.md, MOS. */
static void test_quality_rtc_7_the_worked_example(void)
{
    stream s = {0};
    set(&s.stats.end[0].jitter_in_us, 12000);
    set(&s.stats.end[0].rtt_us, 20000);
    set(&s.stats.end[1].rtt_us, 120000);
    const agw_quality_sample q = ten_seconds(&s, "PCMA/8000", 15, 10);
    CU_ASSERT_EQUAL(q.mos_x10, 40);
    CU_ASSERT_EQUAL(q.r_x10, 799);
    CU_ASSERT_EQUAL(q.loss_1000, 30);
    CU_ASSERT_EQUAL(q.round_trip_us, 140000);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_quality_rtc_7_a_clean_stream),
    AGW_CASE(test_quality_rtc_7_loss_is_of_these_ten_seconds),
    AGW_CASE(test_quality_rtc_7_what_the_receiver_reports_counts_when_it_is_worse),
    AGW_CASE(test_quality_rtc_7_where_the_codec_changes_both_legs_add_up),
    AGW_CASE(test_quality_rtc_7_bursts_are_worse_than_single_losses),
    AGW_CASE(test_quality_rtc_7_falls_with_loss_jitter_and_delay),
    AGW_CASE(test_quality_rtc_7_average_lowest_highest),
    AGW_CASE(test_quality_rtc_7_the_worked_example),
    AGW_CASE(test_quality_rtc_7_silence_is_no_sample_and_another_source_begins_anew),
};

AGW_UNIT_MAIN("quality", CASES)
