/* SPDX-License-Identifier: BSD-3-Clause
 * An encoder's wish from reports, on virtual time. */
#include "codecs/adapt.h"
#include "unit.h"

enum { MIN = 8000, MAX = 32000 };

typedef struct sender {
    agw_adapt adapt;
    agw_encoder_wish wish;
    agw_ns now;
} sender;

static sender begin(void)
{
    sender s = {.now = AGW_S(100), .wish = {.mode_request = -1}};
    agw_adapt_init(&s.adapt, MIN, MAX);
    return s;
}

/* A report every second, for so long. */
static void hear(sender *s, unsigned seconds, unsigned loss_percent, uint32_t rtt_ms)
{
    for (unsigned i = 0; i < seconds; i++) {
        const agw_adapt_report r = {(uint8_t)(loss_percent * 256 / 100), rtt_ms * 1000};
        s->now += AGW_S(1);
        agw_adapt_take(&s->adapt, &r, s->now, &s->wish);
    }
}

static void test_adapt_nothing_is_limited_on_a_good_way(void)
{
    sender s = begin();
    hear(&s, 60, 0, 40);
    CU_ASSERT_EQUAL(s.wish.max_bps, 0);
    CU_ASSERT_EQUAL(s.wish.loss_percent, 0);
    CU_ASSERT_EQUAL(s.wish.mode_request, -1);
}

/* Radio loses: protection, not fewer bits. */
static void test_adapt_loss_alone_is_no_congestion(void)
{
    sender s = begin();
    hear(&s, 60, 6, 40);
    CU_ASSERT_EQUAL(s.wish.max_bps, 0);
    CU_ASSERT_TRUE(s.wish.loss_percent >= 5 && s.wish.loss_percent <= 6);
}

static void test_adapt_loss_rises_fast_and_falls_slowly(void)
{
    sender s = begin();
    hear(&s, 3, 8, 40);
    CU_ASSERT_TRUE(s.wish.loss_percent >= 6);
    hear(&s, 3, 0, 40);
    CU_ASSERT_TRUE(s.wish.loss_percent >= 4);
    hear(&s, 60, 0, 40);
    CU_ASSERT_EQUAL(s.wish.loss_percent, 0);
}

static void test_adapt_a_full_way_gets_less_and_no_less_than_the_least(void)
{
    sender s = begin();
    hear(&s, 10, 0, 40);
    uint32_t before = MAX;
    hear(&s, 3, 3, 240);
    CU_ASSERT_TRUE(s.wish.max_bps != 0 && s.wish.max_bps < before);
    for (int i = 0; i < 60; i++) {
        before = s.wish.max_bps;
        hear(&s, 1, 5, 240);
        CU_ASSERT_TRUE(s.wish.max_bps <= before && s.wish.max_bps >= before * 84 / 100);
        CU_ASSERT_TRUE(s.wish.max_bps >= MIN);
    }
    CU_ASSERT_EQUAL(s.wish.max_bps, MIN);
}

/* At most one step in 2 s, whatever number of reports. */
static void test_adapt_waits_for_what_it_did(void)
{
    sender s = begin();
    hear(&s, 5, 0, 40);
    hear(&s, 9, 30, 40);
    CU_ASSERT_TRUE(s.wish.max_bps >= MAX * 44 / 100); /* five steps of 15 % */
}

static void test_adapt_much_loss_counts_without_a_round_trip(void)
{
    sender s = begin();
    hear(&s, 10, 15, 0);
    CU_ASSERT_TRUE(s.wish.max_bps != 0);
    s = begin();
    hear(&s, 10, 9, 0);
    CU_ASSERT_EQUAL(s.wish.max_bps, 0);
}

/* A long queue that loses nothing yet. */
static void test_adapt_a_much_longer_round_trip_counts_without_loss(void)
{
    sender s = begin();
    hear(&s, 10, 0, 40);
    hear(&s, 10, 0, 500);
    CU_ASSERT_TRUE(s.wish.max_bps != 0);
}

static void test_adapt_up_is_slow(void)
{
    sender s = begin();
    hear(&s, 10, 0, 40);
    hear(&s, 40, 12, 300);
    CU_ASSERT_EQUAL(s.wish.max_bps, MIN);
    hear(&s, 14, 0, 40);
    CU_ASSERT_EQUAL(s.wish.max_bps, MIN);
    hear(&s, 30, 0, 40);
    CU_ASSERT_TRUE(s.wish.max_bps > MIN && s.wish.max_bps < 2 * MIN);
    hear(&s, 200, 0, 40);
    CU_ASSERT_EQUAL(s.wish.max_bps, 0);
}

/* Another route: the new round trip becomes that of an empty way. */
static void test_adapt_a_longer_route_is_learned(void)
{
    sender s = begin();
    hear(&s, 60, 0, 40);
    hear(&s, 600, 0, 200);
    CU_ASSERT_EQUAL(s.wish.max_bps, 0);
    hear(&s, 60, 3, 200);
    CU_ASSERT_EQUAL(s.wish.max_bps, 0);
}

/* A bottleneck of 20 kbit/s with a queue of 300 ms, which drops what does not fit. It ends below
 * the bottleneck, loses little, and does not give up more than a third of it. */
static void test_adapt_settles_below_a_bottleneck(void)
{
    enum { LINK = 20000, QUEUE_MS = 300 };
    sender s = begin();
    double queue_ms = 0, lost = 0, sent = 0, lowest = MAX;
    for (int i = 0; i < 600; i++) {
        const double bps = s.wish.max_bps != 0 ? s.wish.max_bps : MAX;
        queue_ms += (bps - LINK) / LINK * 1000;
        const double over_ms = queue_ms > QUEUE_MS ? queue_ms - QUEUE_MS : 0;
        queue_ms = queue_ms < 0 ? 0 : queue_ms - over_ms;
        const double loss = over_ms * LINK / 1000 / bps;
        const agw_adapt_report r = {(uint8_t)(loss * 255), (uint32_t)(40000 + queue_ms * 1000)};
        s.now += AGW_S(1);
        agw_adapt_take(&s.adapt, &r, s.now, &s.wish);
        if (i < 60)
            continue;
        lost += loss * bps;
        sent += bps;
        lowest = bps < lowest ? bps : lowest;
    }
    CU_ASSERT_TRUE(lost / sent < 0.02);
    CU_ASSERT_TRUE(lowest > LINK * 0.6);
    CU_ASSERT_TRUE(sent / 540 > LINK * 0.8 && sent / 540 < LINK);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_adapt_nothing_is_limited_on_a_good_way),
    AGW_CASE(test_adapt_loss_alone_is_no_congestion),
    AGW_CASE(test_adapt_loss_rises_fast_and_falls_slowly),
    AGW_CASE(test_adapt_a_full_way_gets_less_and_no_less_than_the_least),
    AGW_CASE(test_adapt_waits_for_what_it_did),
    AGW_CASE(test_adapt_much_loss_counts_without_a_round_trip),
    AGW_CASE(test_adapt_a_much_longer_round_trip_counts_without_loss),
    AGW_CASE(test_adapt_up_is_slow),
    AGW_CASE(test_adapt_a_longer_route_is_learned),
    AGW_CASE(test_adapt_settles_below_a_bottleneck),
};

AGW_UNIT_MAIN("adapt", CASES)
