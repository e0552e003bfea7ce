/* SPDX-License-Identifier: BSD-3-Clause
 * The wanted delay on virtual time: what jitter, spikes, drift, a longer route, a pause and a jump
 * of the timestamps do to it. */
#include "rtp/jitter.h"
#include "unit.h"

enum { HZ = 8000, SPAN = 160 };
static const uint32_t START = 0xffffff00; /* the timestamps wrap early */

static agw_ns packet_at(unsigned i)
{
    return AGW_S(100) + AGW_MS(20) * i;
}

static uint32_t timestamp_of(unsigned i)
{
    return START + i * SPAN;
}

static void put(agw_jitter *j, unsigned i, agw_ns later)
{
    CU_ASSERT_EQUAL(agw_jitter_put(j, timestamp_of(i), SPAN, packet_at(i) + later), AGW_OK);
}

/* A stream whose packet i is later by (i % period == 0 ? late : 0). */
static void run(agw_jitter *j, unsigned from, unsigned n, unsigned period, agw_ns late)
{
    for (unsigned i = from; i < from + n; i++)
        put(j, i, i % period == 0 ? late : 0);
}

static agw_jitter begun(void)
{
    agw_jitter j;
    agw_jitter_init(&j, HZ);
    return j;
}

static void test_rtp_jitter_nothing_is_due_before_the_first_packet(void)
{
    const agw_jitter j = begun();
    CU_ASSERT_EQUAL(agw_jitter_due(&j, 0, 0), AGW_NEVER);
    CU_ASSERT_EQUAL(agw_jitter_delay(&j), 0);
}

static void test_rtp_jitter_an_even_stream_needs_next_to_no_delay(void)
{
    agw_jitter j = begun();
    put(&j, 0, 0);
    CU_ASSERT(agw_jitter_delay(&j) >= AGW_MS(30)); /* nothing is known yet */
    run(&j, 1, 100, 1000, 0);
    CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(15));
    run(&j, 101, 100, 1000, 0);
    CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(8));
    const agw_ns due = agw_jitter_due(&j, timestamp_of(201), 0);
    CU_ASSERT(due >= packet_at(201) && due <= packet_at(201) + AGW_MS(10));
    CU_ASSERT(agw_jitter_due(&j, timestamp_of(201), AGW_MS(20)) >= packet_at(201) + AGW_MS(16));
}

static void test_rtp_jitter_one_late_in_ten_is_waited_for_one_in_a_hundred_is_not(void)
{
    agw_jitter j = begun();
    run(&j, 0, 500, 10, AGW_MS(50)); /* half of that for a tail, and a little more */
    CU_ASSERT(agw_jitter_delay(&j) >= AGW_MS(85) && agw_jitter_delay(&j) <= AGW_MS(95));
    run(&j, 500, 1050, 100, AGW_MS(50));
    CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(8));
}

/* A second without any: it may come back, and each change is heard. */
static void test_rtp_jitter_a_delay_comes_at_once_and_is_given_up_slowly(void)
{
    agw_jitter j = begun();
    run(&j, 0, 500, 1000, 0);
    run(&j, 501, 20, 2, AGW_MS(50));
    CU_ASSERT(agw_jitter_delay(&j) >= AGW_MS(50));
    run(&j, 521, 400, 1000, 0);
    const agw_ns held = agw_jitter_delay(&j);
    run(&j, 921, 50, 1000, 0);
    CU_ASSERT(agw_jitter_delay(&j) < held && agw_jitter_delay(&j) > held * 3 / 4);
}

static void test_rtp_jitter_a_longer_route_is_followed_and_so_is_the_way_back(void)
{
    agw_jitter j = begun();
    run(&j, 0, 200, 1000, 0);
    run(&j, 201, 20, 1, AGW_MS(100));
    CU_ASSERT(agw_jitter_due(&j, timestamp_of(221), 0) >= packet_at(221) + AGW_MS(100));
    run(&j, 221, 1200, 1, AGW_MS(100));
    CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(8)); /* not 100 on top of the new route */
    run(&j, 1421, 1500, 1000, 0);
    CU_ASSERT(agw_jitter_due(&j, timestamp_of(2921), 0) <= packet_at(2921) + AGW_MS(8));
}

static void test_rtp_jitter_drift_of_200_ppm_keeps_the_delay_small(void)
{
    for (int ppm = -200; ppm <= 200; ppm += 400) {
        agw_jitter j = begun();
        for (unsigned i = 0; i < 30000; i++) /* 10 minutes, 120 ms apart at the end */
            put(&j, i, AGW_MS(20) * i / 1000000 * ppm);
        CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(8));
        const agw_ns off = agw_jitter_due(&j, timestamp_of(29999), 0) - packet_at(29999) -
                           AGW_MS(20) * 29999 / 1000000 * ppm;
        CU_ASSERT(off >= AGW_MS(-4) && off <= AGW_MS(8));
    }
}

static void test_rtp_jitter_a_jump_of_the_timestamps_is_told_and_teaches_nothing(void)
{
    agw_jitter j = begun();
    run(&j, 0, 100, 1000, 0);
    const agw_jitter before = j;
    CU_ASSERT_EQUAL(agw_jitter_put(&j, timestamp_of(100) + HZ, SPAN, packet_at(100)),
                    AGW_ERR_STATE);
    CU_ASSERT_EQUAL(agw_jitter_put(&j, timestamp_of(100) - HZ, SPAN, packet_at(100)),
                    AGW_ERR_STATE);
    CU_ASSERT_EQUAL(j.needed, before.needed);
    CU_ASSERT_EQUAL(j.packets, before.packets);
    put(&j, 100, AGW_MS(AGW_JITTER_JUMP_MS - 10)); /* just late */
}

static void test_rtp_jitter_a_pause_with_running_timestamps_is_no_jump(void)
{
    agw_jitter j = begun();
    run(&j, 0, 100, 1000, 0);
    run(&j, 100000, 100, 1000, 0); /* 33 minutes later */
    CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(8));
}

/* Far below and far above the first one: the histogram moves along. */
static void test_rtp_jitter_transits_outside_of_the_histogram_move_it(void)
{
    agw_jitter j = begun();
    put(&j, 0, AGW_MS(400));
    run(&j, 1, 1200, 2000, 0);
    CU_ASSERT(agw_jitter_delay(&j) <= AGW_MS(8));
    for (unsigned i = 0; i < 4000; i++)
        put(&j, 1201 + i, AGW_MS(1) * i / 2);
    CU_ASSERT(agw_jitter_due(&j, timestamp_of(5201), 0) >= packet_at(5201) + AGW_MS(1900));
    float sum = 0;
    for (unsigned i = 0; i < AGW_JITTER_BUCKETS; i++)
        sum += j.weight[i];
    CU_ASSERT(sum > 0.99F && sum < 1.01F);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_jitter_nothing_is_due_before_the_first_packet),
    AGW_CASE(test_rtp_jitter_an_even_stream_needs_next_to_no_delay),
    AGW_CASE(test_rtp_jitter_one_late_in_ten_is_waited_for_one_in_a_hundred_is_not),
    AGW_CASE(test_rtp_jitter_a_delay_comes_at_once_and_is_given_up_slowly),
    AGW_CASE(test_rtp_jitter_a_longer_route_is_followed_and_so_is_the_way_back),
    AGW_CASE(test_rtp_jitter_drift_of_200_ppm_keeps_the_delay_small),
    AGW_CASE(test_rtp_jitter_a_jump_of_the_timestamps_is_told_and_teaches_nothing),
    AGW_CASE(test_rtp_jitter_a_pause_with_running_timestamps_is_no_jump),
    AGW_CASE(test_rtp_jitter_transits_outside_of_the_histogram_move_it),
};

AGW_UNIT_MAIN("rtp_jitter", cases)
