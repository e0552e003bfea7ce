/* SPDX-License-Identifier: BSD-3-Clause
 * Samples of quality from counters, and what becomes of them. */
#include "control/quality.h"
#include "unit.h"

#include <math.h>

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

/* The jitter buffer ran dry now and then, though nothing was lost. */
static void test_quality_rtc_7_what_was_made_up_counts_as_lost(void)
{
    stream s = {0};
    agw_end_stats *from = &s.stats.end[0];
    set(&from->transcode.packets_in, 500);
    set(&from->transcode.concealed_ms, 500);
    CU_ASSERT_EQUAL(ten_seconds(&s, "PCMA/8000", 0, 0).loss_1000, 50);
    set(&from->transcode.packets_in, 1000);
    set(&from->transcode.concealed_ms, 620); /* of a gap of 200 ms, the beginning */
    CU_ASSERT_EQUAL(ten_seconds(&s, "PCMA/8000", 10, 1).loss_1000, 20);
}

static void test_quality_rtc_7_a_listener_does_not_hear_the_delay(void)
{
    stream near = {0}, far = {0}, lossy = {0};
    set(&far.stats.end[1].rtt_us, 800000);
    const agw_quality_sample a = ten_seconds(&near, "PCMA/8000", 10, 10);
    const agw_quality_sample b = ten_seconds(&far, "PCMA/8000", 10, 10);
    const agw_quality_sample c = ten_seconds(&lossy, "PCMA/8000", 50, 45);
    CU_ASSERT_TRUE(b.mos_x10 < a.mos_x10);
    CU_ASSERT_EQUAL(b.mos_lq_x10, a.mos_lq_x10);
    CU_ASSERT_EQUAL(b.r_lq_x10, a.r_lq_x10);
    CU_ASSERT_TRUE(c.r_lq_x10 < a.r_lq_x10 && c.mos_lq_x10 < a.mos_lq_x10);
    CU_ASSERT_TRUE(a.r_lq_x10 > a.r_x10);
    CU_ASSERT_EQUAL(agw_quality_average(&far.quality).r_lq_x10, b.r_lq_x10);
}

static void test_quality_rtc_7_bursts_are_worse_than_single_losses(void)
{
    stream single = {0}, bursts = {0};
    CU_ASSERT_TRUE(ten_seconds(&bursts, "PCMA/8000", 48, 16).r_x10 <
                   ten_seconds(&single, "PCMA/8000", 48, 44).r_x10);
}

static void test_quality_rtc_7_codecs_that_predict_bear_bursts_better(void)
{
    static const char *const CODECS[] = {"G722/8000", "AMR/8000", "AMR-WB/16000"};
    for (size_t c = 0; c < sizeof CODECS / sizeof CODECS[0]; c++) {
        stream single = {0}, bursts = {0}, more = {0};
        const agw_quality_sample one_by_one = ten_seconds(&single, CODECS[c], 25, 25);
        CU_ASSERT_TRUE(ten_seconds(&bursts, CODECS[c], 27, 9).r_lq_x10 > one_by_one.r_lq_x10);
        CU_ASSERT_TRUE(ten_seconds(&more, CODECS[c], 90, 30).r_lq_x10 < one_by_one.r_lq_x10);
    }
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

/* A stream whose codec changes at us, and how far what was heard was from what was said. */
typedef struct heard {
    const char *codec, *cell;
    uint64_t came, lost, runs, late, concealed_ms, by_fec_ms, delay_us;
    double distance_db;
} heard;

static const heard HEARD[] = {
#include "heard.inc"
};

enum { N_HEARD = sizeof HEARD / sizeof HEARD[0] };

static agw_quality_sample judged(const heard *h)
{
    agw_media_stats stats = {0};
    agw_quality quality = {0};
    agw_quality_sample sample = {0};
    agw_end_stats *from = &stats.end[0];
    set(&from->rtp_in.packets, h->came);
    set(&from->lost_in, h->lost);
    set(&from->loss_runs_in, h->runs);
    set(&from->transcode.packets_in, h->came);
    set(&from->transcode.late, h->late);
    set(&from->transcode.concealed_ms, h->concealed_ms);
    set(&from->transcode.by_fec_ms, h->by_fec_ms);
    set(&from->transcode.delay_us, h->delay_us);
    CU_ASSERT_TRUE(agw_quality_take(&quality, from, &stats.end[1], h->codec, 0, &sample));
    return sample;
}

/* Spearman's: ranks of equal values are their mean. */
static double rank_of(const double *of, size_t n, size_t at)
{
    double rank = 0.5;
    for (size_t i = 0; i < n; i++)
        rank += of[i] < of[at] ? 1 : of[i] == of[at] ? 0.5 : 0;
    return rank;
}

static double rank_correlation(const double *a, const double *b, size_t n)
{
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = rank_of(a, n, i) - ((double)n + 1) / 2;
        const double y = rank_of(b, n, i) - ((double)n + 1) / 2;
        aa += x * x, bb += y * y, ab += x * y;
    }
    return ab / sqrt(aa * bb);
}

/* C8: what `query` says of listening against the distance that bench/audio has measured, over
 * networks, voices and seeds that neither was fitted to. */
static void test_quality_rtc_7_mos_ranks_as_the_measured_distance(void)
{
    static const char *const CODECS[] = {"opus/48000/2", "PCMA/8000", "G722/8000", "AMR/8000",
                                         "AMR-WB/16000"};
    for (size_t c = 0; c < sizeof CODECS / sizeof CODECS[0]; c++) {
        double distance[N_HEARD], r[N_HEARD];
        size_t n = 0;
        for (size_t i = 0; i < N_HEARD; i++) {
            if (strcmp(HEARD[i].codec, CODECS[c]) != 0)
                continue;
            distance[n] = HEARD[i].distance_db;
            r[n++] = (double)-judged(&HEARD[i]).r_lq_x10;
        }
        const double rho = rank_correlation(distance, r, n);
        printf("%s: %.3f over %zu streams\n", CODECS[c], rho, n);
        CU_ASSERT_TRUE(n >= 14 && rho >= 0.9);
    }
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
    CU_ASSERT_EQUAL(q.mos_lq_x10, 41);
    CU_ASSERT_EQUAL(q.r_lq_x10, 827);
    CU_ASSERT_EQUAL(q.loss_1000, 30);
    CU_ASSERT_EQUAL(q.round_trip_us, 140000);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_quality_rtc_7_a_clean_stream),
    AGW_CASE(test_quality_rtc_7_loss_is_of_these_ten_seconds),
    AGW_CASE(test_quality_rtc_7_what_the_receiver_reports_counts_when_it_is_worse),
    AGW_CASE(test_quality_rtc_7_where_the_codec_changes_both_legs_add_up),
    AGW_CASE(test_quality_rtc_7_what_was_made_up_counts_as_lost),
    AGW_CASE(test_quality_rtc_7_a_listener_does_not_hear_the_delay),
    AGW_CASE(test_quality_rtc_7_mos_ranks_as_the_measured_distance),
    AGW_CASE(test_quality_rtc_7_bursts_are_worse_than_single_losses),
    AGW_CASE(test_quality_rtc_7_codecs_that_predict_bear_bursts_better),
    AGW_CASE(test_quality_rtc_7_falls_with_loss_jitter_and_delay),
    AGW_CASE(test_quality_rtc_7_average_lowest_highest),
    AGW_CASE(test_quality_rtc_7_the_worked_example),
    AGW_CASE(test_quality_rtc_7_silence_is_no_sample_and_another_source_begins_anew),
};

AGW_UNIT_MAIN("quality", CASES)
