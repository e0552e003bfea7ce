/* SPDX-License-Identifier: BSD-3-Clause
 * base/clock: units, and that the two clocks are the ones they claim to be. */
#include "base/clock.h"

#include "unit.h"

#include <pthread.h>
#include <time.h>

static void test_clock_units(void)
{
    CU_ASSERT_EQUAL(AGW_S(1), AGW_MS(1000));
    CU_ASSERT_EQUAL(AGW_MS(1), AGW_US(1000));
    CU_ASSERT_EQUAL(AGW_US(1), 1000);
    CU_ASSERT_EQUAL(AGW_S(100000), INT64_C(100000000000000)); /* no 32-bit arithmetic inside */
}

static void test_clock_now_is_monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    agw_ns last = AGW_S(ts.tv_sec) + ts.tv_nsec;
    for (int i = 0; i < 1000; i++) {
        const agw_ns now = agw_clock_now();
        CU_ASSERT_TRUE(now >= last);
        last = now;
    }
}

static void test_clock_wall_is_in_microseconds(void)
{
    const int64_t before = (int64_t)time(NULL);
    const int64_t wall = agw_clock_wall_us();
    CU_ASSERT_TRUE(wall / 1000000 >= before - 1 && wall / 1000000 <= before + 60);
}

static void test_clock_earlier_with_never(void)
{
    CU_ASSERT_EQUAL(agw_earlier(AGW_NEVER, 5), 5);
    CU_ASSERT_EQUAL(agw_earlier(5, AGW_NEVER), 5);
    CU_ASSERT_EQUAL(agw_earlier(-1, 5), -1);
}

static void test_clock_of_wall_is_on_the_monotonic_scale(void)
{
    const agw_ns before = agw_clock_now();
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    const agw_ns wall = AGW_S(ts.tv_sec) + ts.tv_nsec;
    const agw_ns after = agw_clock_now();
    /* The two clocks are read one after the other: what lies between is the only error. */
    const agw_ns from = agw_clock_now();
    const agw_ns stamp = agw_clock_of_wall(wall);
    const agw_ns between = agw_clock_now() - from;
    CU_ASSERT_TRUE(stamp >= before - between && stamp <= after + between);
    const agw_ns earlier = agw_clock_of_wall(wall - AGW_MS(5));
    CU_ASSERT_TRUE(earlier < stamp);
}

static void test_clock_cpu_of_a_thread_counts_its_work(void)
{
    const agw_ns before = agw_clock_cpu_of(pthread_self()), give_up = agw_clock_now() + AGW_S(5);
    while (agw_clock_cpu_of(pthread_self()) < before + AGW_MS(2) && agw_clock_now() < give_up)
        continue;
    CU_ASSERT_TRUE(before > 0 && agw_clock_now() < give_up);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_clock_units),
    AGW_CASE(test_clock_now_is_monotonic),
    AGW_CASE(test_clock_wall_is_in_microseconds),
    AGW_CASE(test_clock_earlier_with_never),
    AGW_CASE(test_clock_of_wall_is_on_the_monotonic_scale),
    AGW_CASE(test_clock_cpu_of_a_thread_counts_its_work),
};

AGW_UNIT_MAIN("clock", CASES)
