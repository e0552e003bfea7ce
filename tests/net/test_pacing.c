/* SPDX-License-Identifier: BSD-3-Clause
 * net/pacing on virtual time: who is paced, who is not, and for how long. */
#include "net/pacing.h"

#include "unit.h"

static const agw_ns TICK = AGW_US(500);
static const agw_ns START = AGW_S(1000);

/* A worker at a steady rate: one packet at a time, a wait after each. Returns how many of the waits
 * of the last second slept. */
static unsigned slept(unsigned pps, agw_ns tick, unsigned seconds)
{
    agw_pacing p;
    agw_pacing_init(&p, tick);
    unsigned sleeps = 0;
    const unsigned total = pps * seconds;
    for (unsigned i = 0; i < total; i++) {
        const agw_ns now = START + (agw_ns)i * AGW_S(1) / pps;
        const bool last = i >= total - pps;
        sleeps += agw_pacing_sleep_until(&p, now, AGW_NEVER) > now && last;
        agw_pacing_count(&p, 1);
    }
    return sleeps;
}

static void test_pacing_low_rates_are_never_delayed(void)
{
    CU_ASSERT_EQUAL(slept(50, TICK, 3), 0);
    CU_ASSERT_EQUAL(slept(1999, TICK, 3), 0);
    CU_ASSERT_EQUAL(slept(4500, TICK, 3), 0); /* from below: not before 5000 */
}

static void test_pacing_high_rates_are_paced(void)
{
    CU_ASSERT_EQUAL(slept(5500, TICK, 3), 5500);
    CU_ASSERT_EQUAL(slept(50000, TICK, 3), 50000);
}

static void test_pacing_tick_0_is_off(void)
{
    CU_ASSERT_EQUAL(slept(50000, 0, 3), 0);
}

static agw_pacing paced_at(agw_ns now)
{
    agw_pacing p;
    agw_pacing_init(&p, TICK);
    CU_ASSERT_TRUE(agw_pacing_sleep_until(&p, now, AGW_NEVER) <= now);
    agw_pacing_count(&p, 1000);
    CU_ASSERT_TRUE(agw_pacing_sleep_until(&p, now, AGW_NEVER) > now);
    return p;
}

static void test_pacing_begins_within_the_window_at_100_packets(void)
{
    agw_pacing p;
    agw_pacing_init(&p, TICK);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, START, AGW_NEVER), START);
    agw_pacing_count(&p, 99);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, START + 1, AGW_NEVER), START + 1);
    agw_pacing_count(&p, 1);
    CU_ASSERT_TRUE(agw_pacing_sleep_until(&p, START + 2, AGW_NEVER) > START + 2);
}

static void test_pacing_sleeps_to_the_tick_grid(void)
{
    agw_pacing p = paced_at(START);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, START, AGW_NEVER), START + TICK);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, START + 1, AGW_NEVER), START + TICK);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, START + TICK - 1, AGW_NEVER), START + TICK);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, START + TICK, AGW_NEVER), START + 2 * TICK);
}

/* The tick at a steady rate. */
static agw_ns step_at(unsigned pps)
{
    agw_pacing p;
    agw_ns now = START;
    agw_pacing_init(&p, TICK);
    for (int window = 0; window < 3; window++) {
        (void)agw_pacing_sleep_until(&p, now, AGW_NEVER);
        agw_pacing_count(&p, pps * AGW_PACING_WINDOW_MS / 1000);
        now += AGW_MS(AGW_PACING_WINDOW_MS);
    }
    now = agw_pacing_sleep_until(&p, now, AGW_NEVER);
    return agw_pacing_sleep_until(&p, now, AGW_NEVER) - now;
}

static void test_pacing_tick_is_longer_while_little_waits(void)
{
    CU_ASSERT_EQUAL(step_at(6000), TICK + TICK / 3);
    CU_ASSERT_EQUAL(step_at(19000), TICK + TICK / 3);
    CU_ASSERT_EQUAL(step_at(20000), TICK);
    CU_ASSERT_EQUAL(step_at(69000), TICK);
    CU_ASSERT_EQUAL(step_at(70000), TICK - TICK / 3);
    CU_ASSERT_EQUAL(step_at(200000), TICK - TICK / 3);
}

static void test_pacing_keeps_the_deadline(void)
{
    agw_pacing p = paced_at(START);
    const agw_ns now = START + 7;
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, now, now + 10), now + 10);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, now, now), now);
    CU_ASSERT_TRUE(agw_pacing_sleep_until(&p, now, now - 5) <= now);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, now, START + TICK + 1), START + TICK);
}

/* Forty streams that send at the same moment every 20 ms are 2000 packets a second. */
static void test_pacing_bursts_of_one_ptime_are_not_a_high_rate(void)
{
    agw_pacing p;
    agw_pacing_init(&p, TICK);
    unsigned sleeps = 0;
    for (unsigned i = 0; i < 1000; i++) {
        const agw_ns now = START + AGW_MS(20) * (agw_ns)i;
        for (unsigned k = 0; k < 40; k++) {
            sleeps += agw_pacing_sleep_until(&p, now + AGW_US(k), AGW_NEVER) > now + AGW_US(k);
            agw_pacing_count(&p, 1);
        }
    }
    CU_ASSERT_EQUAL(sleeps, 0);
}

/* Feeds a paced worker `packets` in each 20 ms and reports whether it stays paced. */
static bool stays_paced(unsigned packets)
{
    agw_pacing p = paced_at(START);
    bool paced = true;
    for (agw_ns now = START; now < START + AGW_S(1); now += AGW_MS(20)) {
        paced = agw_pacing_sleep_until(&p, now, AGW_NEVER) > now;
        agw_pacing_count(&p, packets);
    }
    return paced;
}

static void test_pacing_ends_below_2000_not_above(void)
{
    CU_ASSERT_TRUE(stays_paced(40));
    CU_ASSERT_FALSE(stays_paced(39));
    CU_ASSERT_FALSE(stays_paced(0));
}

static void test_pacing_ends_after_a_long_pause(void)
{
    agw_pacing p = paced_at(START);
    const agw_ns later = START + AGW_S(3600);
    CU_ASSERT_EQUAL(agw_pacing_sleep_until(&p, later, AGW_NEVER), later);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_pacing_low_rates_are_never_delayed),
    AGW_CASE(test_pacing_high_rates_are_paced),
    AGW_CASE(test_pacing_tick_0_is_off),
    AGW_CASE(test_pacing_begins_within_the_window_at_100_packets),
    AGW_CASE(test_pacing_sleeps_to_the_tick_grid),
    AGW_CASE(test_pacing_tick_is_longer_while_little_waits),
    AGW_CASE(test_pacing_keeps_the_deadline),
    AGW_CASE(test_pacing_bursts_of_one_ptime_are_not_a_high_rate),
    AGW_CASE(test_pacing_ends_below_2000_not_above),
    AGW_CASE(test_pacing_ends_after_a_long_pause),
};

AGW_UNIT_MAIN("pacing", CASES)
