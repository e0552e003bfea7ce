/* SPDX-License-Identifier: BSD-3-Clause
 * Growth is found, noise is not. */
#include "bench/soak/judge.h"

#include "unit.h"

#include <string.h>

enum { POINTS = 11, CALLS_APART = 10000 };
static const soak_limits LIMITS = {.heap_bytes = 1, .rss_bytes = 16};

static soak_sample points[POINTS];
static soak_verdict verdict;

/* A gateway whose memory grows in the first burst, then wavers around its place. */
static void healthy(void)
{
    static const int64_t NOISE[POINTS] = {0, 3, -2, 1, -3, 2, 0, -1, 3, -2, 1};
    memset(&verdict, 0, sizeof verdict);
    for (size_t i = 0; i < POINTS; i++) {
        points[i] = (soak_sample){.ended = i * CALLS_APART,
                                  .idle = true,
                                  .rss_bytes = 34000000,
                                  .heap_used_bytes = 18000000,
                                  .fds = 524,
                                  .sockets = 514,
                                  .ports_free = 79996};
        if (i == 0)
            continue;
        points[i].rss_bytes = (uint64_t)(44000000 + 40000 * NOISE[i]);
        points[i].heap_used_bytes = (uint64_t)(20000000 + 5000 * NOISE[i]);
    }
}

static void judge(void)
{
    kit_soak_judge(&verdict, points, POINTS, &LIMITS);
}

static void test_judge_slope_of_a_line_is_exact(void)
{
    const double x[] = {1, 2, 3, 4}, up[] = {10, 12, 14, 16}, flat[] = {5, 5, 5, 5};
    CU_ASSERT_DOUBLE_EQUAL(kit_soak_slope(x, up, 4), 2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(kit_soak_slope(x, flat, 4), 0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(kit_soak_slope(flat, up, 4), 0, 1e-9);
}

static void test_judge_first_burst_and_noise_are_no_growth(void)
{
    healthy();
    judge();
    CU_ASSERT_EQUAL(verdict.count, 0);
    CU_ASSERT(verdict.growth.judged);
}

/* 32 bytes, the smallest piece that malloc gives, in one call of ten. */
static void test_judge_finds_a_leak_in_the_heap(void)
{
    healthy();
    for (size_t i = 1; i < POINTS; i++)
        points[i].heap_used_bytes += points[i].ended / 10 * 32;
    judge();
    CU_ASSERT_EQUAL(verdict.count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.complaints[0], "heap in use grows by 3."));
}

static void test_judge_finds_a_resident_set_that_grows(void)
{
    healthy();
    for (size_t i = 1; i < POINTS; i++)
        points[i].rss_bytes += points[i].ended * 30;
    judge();
    CU_ASSERT_EQUAL(verdict.count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.complaints[0], "resident set grows by"));
}

/* 158 bytes a call, but of 9000 calls. */
static void test_judge_free_lists_of_a_short_run_are_no_growth(void)
{
    healthy();
    for (size_t i = 1; i < POINTS; i++) {
        points[i].ended /= 10;
        points[i].rss_bytes += points[i].ended * 158;
    }
    judge();
    CU_ASSERT_EQUAL(verdict.count, 0);
}

static void test_judge_memory_that_shrinks_is_well(void)
{
    healthy();
    for (size_t i = 1; i < POINTS; i++)
        points[i].rss_bytes -= points[i].ended * 20;
    judge();
    CU_ASSERT_EQUAL(verdict.count, 0);
}

static void spoil_one(size_t offset)
{
    healthy();
    uint8_t *field = (uint8_t *)&points[7] + offset;
    *field = (uint8_t)(*field ^ 1);
    judge();
    CU_ASSERT_EQUAL(verdict.count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.complaints[0], "after 70000 calls"));
}

static void test_judge_descriptors_sockets_ports_and_calls_are_exact(void)
{
    spoil_one(offsetof(soak_sample, fds));
    spoil_one(offsetof(soak_sample, sockets));
    spoil_one(offsetof(soak_sample, ports_free));
    spoil_one(offsetof(soak_sample, ports_used));
    spoil_one(offsetof(soak_sample, sessions));
    spoil_one(offsetof(soak_sample, transports));
}

static void test_judge_needs_points_for_a_trend(void)
{
    healthy();
    points[2].heap_used_bytes += 1 << 30;
    kit_soak_judge(&verdict, points, SOAK_TREND_POINTS, &LIMITS);
    CU_ASSERT_FALSE(verdict.growth.judged);
    CU_ASSERT_EQUAL(verdict.count, 0);
    points[2].fds++;
    kit_soak_judge(&verdict, points, SOAK_TREND_POINTS, &LIMITS);
    CU_ASSERT_EQUAL(verdict.count, 1);
}

static void test_judge_too_many_complaints_fit(void)
{
    memset(&verdict, 0, sizeof verdict);
    for (int i = 0; i < SOAK_COMPLAINTS_MAX + 5; i++)
        kit_soak_complain(&verdict, "%d", i);
    CU_ASSERT_EQUAL(verdict.count, SOAK_COMPLAINTS_MAX);
    CU_ASSERT_STRING_EQUAL(verdict.complaints[SOAK_COMPLAINTS_MAX - 1], "15");
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_judge_slope_of_a_line_is_exact),
    AGW_CASE(test_judge_first_burst_and_noise_are_no_growth),
    AGW_CASE(test_judge_free_lists_of_a_short_run_are_no_growth),
    AGW_CASE(test_judge_finds_a_leak_in_the_heap),
    AGW_CASE(test_judge_finds_a_resident_set_that_grows),
    AGW_CASE(test_judge_memory_that_shrinks_is_well),
    AGW_CASE(test_judge_descriptors_sockets_ports_and_calls_are_exact),
    AGW_CASE(test_judge_needs_points_for_a_trend),
    AGW_CASE(test_judge_too_many_complaints_fit),
};

AGW_UNIT_MAIN("soak_judge", CASES)
