/* SPDX-License-Identifier: BSD-3-Clause
 * A worker's load and who may come in, on virtual time: a worker of plain figures that carries so
 * many calls, and offers that come faster than they talk. */
#include "agw/load.h"

#include "unit.h"

enum { PACKET_NS = 6000, CALL_PPS = 100, EVERY = AGW_LOAD_EVERY_MS };

/* A worker that carries calls of speech. */
typedef struct model {
    agw_load load;
    agw_load_probe totals;
} model;

static void model_init(model *m, uint64_t shared_pps)
{
    agw_load_init(&m->load, shared_pps);
    m->totals = (agw_load_probe){.at = AGW_S(1000), .busy_ns = 77, .packets = 5, .shared = 3};
    agw_load_note(&m->load, &m->totals, 0);
}

static void model_run(model *m, agw_ns length, uint64_t calls, uint64_t packet_ns)
{
    const uint64_t packets = calls * CALL_PPS * (uint64_t)length / (uint64_t)AGW_S(1);
    m->totals.at += length;
    m->totals.packets += packets;
    m->totals.shared += packets / 2;
    m->totals.busy_ns += packets * packet_ns;
    CU_ASSERT_TRUE(agw_load_due(&m->load, m->totals.at));
    agw_load_note(&m->load, &m->totals, calls);
}

static void model_run_window(model *m, uint64_t calls)
{
    for (int i = 0; i < AGW_LOAD_PROBES; i++)
        model_run(m, AGW_MS(EVERY), calls, PACKET_NS);
}

static void test_load_share_is_that_of_the_window(void)
{
    model m;
    model_init(&m, 0);
    CU_ASSERT_EQUAL(m.load.busy, 0); /* one probe says nothing */
    model_run_window(&m, 1000);
    CU_ASSERT_EQUAL(m.load.busy, 600);
    model_run(&m, AGW_MS(EVERY), 0, PACKET_NS); /* a third of the window is quiet */
    CU_ASSERT_EQUAL(m.load.busy, 400);
    model_run(&m, AGW_MS(EVERY), 0, PACKET_NS);
    model_run(&m, AGW_MS(EVERY), 0, PACKET_NS);
    CU_ASSERT_EQUAL(m.load.busy, 0); /* and all of it: recovered */
}

static void test_load_probes_are_no_closer_than_that(void)
{
    model m;
    model_init(&m, 0);
    CU_ASSERT_FALSE(agw_load_due(&m.load, m.totals.at + AGW_MS(EVERY) - 1));
    CU_ASSERT_TRUE(agw_load_due(&m.load, m.totals.at + AGW_MS(EVERY)));
}

static void test_load_never_waiting_is_full_and_not_more(void)
{
    model m;
    model_init(&m, 0);
    m.totals.at += AGW_MS(EVERY);
    m.totals.busy_ns += (uint64_t)AGW_MS(EVERY) + 5000; /* the turn ended while we looked */
    agw_load_note(&m.load, &m.totals, 0);
    CU_ASSERT_EQUAL(m.load.busy, AGW_LOAD_FULL);
}

static void test_load_silent_calls_count_with_what_calls_cost(void)
{
    model m;
    model_init(&m, 0);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 100), 60); /* nothing learned yet: 6 us, 100 packets/s */
    for (int i = 0; i < AGW_LOAD_PROBES; i++)
        model_run(&m, AGW_MS(EVERY), 1000, 3000);
    CU_ASSERT_EQUAL(m.load.busy, 300);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 0), 300);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 1000), 600); /* learned: 3 us */
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 10000), 3300);
}

/* A few packets, each with a wake-up of its own, say nothing about what many cost. */
static void test_load_is_not_learned_from_little(void)
{
    model m;
    model_init(&m, 0);
    for (int i = 0; i < AGW_LOAD_PROBES; i++)
        model_run(&m, AGW_MS(EVERY), 49, 12000);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 100) - m.load.busy, 60);
    for (int i = 0; i < AGW_LOAD_PROBES; i++)
        model_run(&m, AGW_MS(EVERY), 50, 12000);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 100) - m.load.busy, 120);
}

/* Codecs take as long as they take here, whatever the table says. */
static void test_load_coding_is_measured_against_what_was_planned(void)
{
    model m;
    model_init(&m, 0);
    CU_ASSERT_EQUAL(agw_load_of_coding(&m.load, 100000), 100); /* a tenth of a second a second */
    for (int i = 0; i < 100; i++) {
        m.totals.at += AGW_MS(EVERY);
        m.totals.busy_ns += AGW_MS(60);
        m.totals.coding_ns += AGW_MS(60);
        agw_load_note(&m.load, &m.totals, 0);
        agw_load_note_coding(&m.load, 400000); /* 60 % of its time, where 40 were foreseen */
    }
    CU_ASSERT_EQUAL(m.load.coding, 600);
    CU_ASSERT_TRUE(m.load.coding_permille >= 1490 && m.load.coding_permille <= 1500);
    CU_ASSERT_TRUE(agw_load_of_coding(&m.load, 100000) >= 149);
    agw_load_note_coding(&m.load, 19000); /* too little to tell */
    CU_ASSERT_TRUE(m.load.coding_permille <= 1500);
}

/* A worker that never waits gives codecs what is left, not what they need. */
static void test_load_a_full_worker_does_not_teach_what_codecs_cost(void)
{
    model m;
    model_init(&m, 0);
    for (int i = 0; i < AGW_LOAD_PROBES; i++) {
        m.totals.at += AGW_MS(EVERY);
        m.totals.busy_ns += AGW_MS(EVERY);
        m.totals.coding_ns += AGW_MS(80);
        agw_load_note(&m.load, &m.totals, 0);
        agw_load_note_coding(&m.load, 1600000);
    }
    CU_ASSERT_EQUAL(m.load.coding_permille, 1000);
}

/* Coding does not make a packet that only passes dear. */
static void test_load_packets_cost_what_is_not_spent_on_codecs(void)
{
    model m;
    model_init(&m, 0);
    for (int i = 0; i < AGW_LOAD_PROBES; i++) {
        m.totals.busy_ns += AGW_MS(50);
        m.totals.coding_ns += AGW_MS(50);
        model_run(&m, AGW_MS(EVERY), 500, 4000);
    }
    CU_ASSERT_EQUAL(m.load.busy, 700);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 500), 900);
}

static void test_load_room_for_codecs_ends_first(void)
{
    CU_ASSERT_EQUAL(agw_load_coding_limit(800), 700);
    CU_ASSERT_EQUAL(agw_load_coding_limit(0), 0);
}

/* Calls on hold make the mean small; the next one will talk. */
static void test_load_no_call_is_expected_to_be_small(void)
{
    model m;
    model_init(&m, 0);
    model_run_window(&m, 100);
    m.totals.at += AGW_MS(EVERY);
    m.totals.packets += 100 * CALL_PPS / 10;
    m.totals.busy_ns += 100 * CALL_PPS / 10 * PACKET_NS;
    agw_load_note(&m.load, &m.totals, 10000);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 100) - m.load.busy, 60);
}

/* 208 KiB hold 184 packets; 4 ms is what the worker may be away. */
static void test_load_shared_ports_are_good_for_what_they_hold(void)
{
    CU_ASSERT_EQUAL(agw_load_shared_pps(208 * 1024, AGW_US(500)), 46000);
    CU_ASSERT_EQUAL(agw_load_shared_pps(208 * 1024, 0), 46000);
    CU_ASSERT_EQUAL(agw_load_shared_pps(208 * 1024, AGW_MS(1)), 46000);
    CU_ASSERT_EQUAL(agw_load_shared_pps(208 * 1024, AGW_MS(2)), 23000); /* four ticks */
    CU_ASSERT_TRUE(agw_load_shared_pps(8 * 1024 * 1024, AGW_US(500)) > 1000000);
}

static void test_load_of_shared_ports_counts_when_it_is_the_larger(void)
{
    model m;
    model_init(&m, 40000);
    model_run_window(&m, 600); /* 30000 packets/s on the shared port, 36 % of the worker's time */
    CU_ASSERT_EQUAL(m.load.busy, 360);
    CU_ASSERT_EQUAL(m.load.shared, 750);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 0), 750);
    CU_ASSERT_EQUAL(agw_load_with(&m.load, 40), 800);
    CU_ASSERT_EQUAL(agw_load_urgent_with(&m.load, 40), 384);
}

static void test_load_that_never_waits_is_too_much_for_urgent_calls_too(void)
{
    model m;
    model_init(&m, 0);
    model_run_window(&m, 1600); /* 96 % */
    CU_ASSERT_EQUAL(agw_load_urgent_with(&m.load, 0), 960);
    model_run_window(&m, 1700);
    CU_ASSERT_EQUAL(agw_load_urgent_with(&m.load, 0), UINT32_MAX);
}

static void test_load_lost_packets_are_seen_for_a_window(void)
{
    model m;
    model_init(&m, 0);
    m.totals.lost = 1;
    model_run(&m, AGW_MS(EVERY), 0, 0);
    CU_ASSERT_TRUE(m.load.losing);
    model_run(&m, AGW_MS(EVERY), 0, 0);
    model_run(&m, AGW_MS(EVERY), 0, 0);
    CU_ASSERT_TRUE(m.load.losing);
    model_run(&m, AGW_MS(EVERY), 0, 0);
    CU_ASSERT_FALSE(m.load.losing);
}

/* --- admission ---------------------------------------------------------------------------------
 */

static bool takes(agw_admission *a, uint32_t load, bool urgent)
{
    agw_admission_look(a, load, false);
    return agw_admission_takes(a, load, urgent);
}

static void test_admission_closes_at_the_limit_and_opens_below_it(void)
{
    agw_admission a = {.limit = 800};
    CU_ASSERT_TRUE(takes(&a, 799, false));
    CU_ASSERT_FALSE(takes(&a, 800, false));
    CU_ASSERT_FALSE(takes(&a, 799, false)); /* does not flap */
    CU_ASSERT_FALSE(takes(&a, 800 - AGW_LOAD_HYSTERESIS, false));
    CU_ASSERT_TRUE(takes(&a, 800 - AGW_LOAD_HYSTERESIS - 1, false));
    CU_ASSERT_TRUE(takes(&a, 799, false));
}

static void test_admission_ims_11_urgent_calls_have_a_share_above(void)
{
    agw_admission a = {.limit = 800};
    CU_ASSERT_TRUE(takes(&a, 1249, true));
    CU_ASSERT_FALSE(agw_admission_takes(&a, 1249, false));
    CU_ASSERT_FALSE(takes(&a, 1250, true));
    CU_ASSERT_TRUE(takes(&a, 1249, true)); /* without hysteresis: none of them too few */
}

static void test_admission_lost_packets_close_for_those_without_urgency(void)
{
    agw_admission a = {.limit = 800};
    agw_admission_look(&a, 100, true);
    CU_ASSERT_FALSE(agw_admission_takes(&a, 100, false));
    CU_ASSERT_TRUE(agw_admission_takes(&a, 100, true));
    CU_ASSERT_TRUE(takes(&a, 100, false));
}

static void test_admission_without_a_limit_takes_all(void)
{
    agw_admission a = {.limit = 0};
    agw_admission_look(&a, 5000, true);
    CU_ASSERT_TRUE(agw_admission_takes(&a, 5000, false));
    CU_ASSERT_TRUE(agw_admission_takes(&a, 5000, true));
    a.limit = AGW_LOAD_FULL;
    CU_ASSERT_TRUE(takes(&a, 999, false));
    CU_ASSERT_FALSE(takes(&a, 1000, false));
    CU_ASSERT_TRUE(takes(&a, 1000, true));
    a = (agw_admission){.limit = AGW_LOAD_HYSTERESIS}; /* has no room for a distance below it */
    CU_ASSERT_FALSE(takes(&a, AGW_LOAD_HYSTERESIS, false));
    CU_ASSERT_TRUE(takes(&a, AGW_LOAD_HYSTERESIS - 1, false));
}

/* All of them within one window, before anything of theirs can be measured. */
static void test_admission_offers_of_one_moment_do_not_all_pass(void)
{
    model m;
    model_init(&m, 0);
    model_run_window(&m, 1000); /* 60 % */
    agw_admission a = {.limit = 800};
    size_t normal = 0, urgent = 0;
    for (int i = 0; i < 500; i++)
        normal += takes(&a, agw_load_with(&m.load, normal), false);
    CU_ASSERT_EQUAL(normal, 334); /* 20 % at 0.06 % each */
    for (int i = 0; i < 1000; i++)
        urgent += takes(&a, agw_load_urgent_with(&m.load, normal + urgent), true);
    CU_ASSERT_EQUAL(urgent, 750);
    CU_ASSERT_FALSE(takes(&a, agw_load_with(&m.load, normal + urgent), false));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_load_share_is_that_of_the_window),
    AGW_CASE(test_load_probes_are_no_closer_than_that),
    AGW_CASE(test_load_never_waiting_is_full_and_not_more),
    AGW_CASE(test_load_silent_calls_count_with_what_calls_cost),
    AGW_CASE(test_load_is_not_learned_from_little),
    AGW_CASE(test_load_coding_is_measured_against_what_was_planned),
    AGW_CASE(test_load_a_full_worker_does_not_teach_what_codecs_cost),
    AGW_CASE(test_load_packets_cost_what_is_not_spent_on_codecs),
    AGW_CASE(test_load_room_for_codecs_ends_first),
    AGW_CASE(test_load_no_call_is_expected_to_be_small),
    AGW_CASE(test_load_shared_ports_are_good_for_what_they_hold),
    AGW_CASE(test_load_of_shared_ports_counts_when_it_is_the_larger),
    AGW_CASE(test_load_that_never_waits_is_too_much_for_urgent_calls_too),
    AGW_CASE(test_load_lost_packets_are_seen_for_a_window),
    AGW_CASE(test_admission_closes_at_the_limit_and_opens_below_it),
    AGW_CASE(test_admission_ims_11_urgent_calls_have_a_share_above),
    AGW_CASE(test_admission_lost_packets_close_for_those_without_urgency),
    AGW_CASE(test_admission_without_a_limit_takes_all),
    AGW_CASE(test_admission_offers_of_one_moment_do_not_all_pass),
};

AGW_UNIT_MAIN("load", CASES)
