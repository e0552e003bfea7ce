/* SPDX-License-Identifier: BSD-3-Clause
 * base/histogram: every bucket's edges, the error bound, quantiles. */
#include "base/histogram.h"

#include "unit.h"

#include <string.h>

static const uint64_t LAST = (UINT64_C(1) << 33) - 1;

static void test_histogram_buckets_follow_each_other_without_gap(void)
{
    for (size_t i = 0; i < AGW_HISTOGRAM_BUCKETS; i++) {
        const uint64_t edge = agw_histogram_edge(i);
        CU_ASSERT_EQUAL(agw_histogram_bucket(edge), i);
        if (i + 1 < AGW_HISTOGRAM_BUCKETS)
            CU_ASSERT_EQUAL(agw_histogram_bucket(edge + 1), i + 1);
    }
    CU_ASSERT_EQUAL(agw_histogram_edge(AGW_HISTOGRAM_BUCKETS - 1), LAST);
}

static void test_histogram_takes_every_value(void)
{
    CU_ASSERT_EQUAL(agw_histogram_bucket(0), 0);
    CU_ASSERT_EQUAL(agw_histogram_bucket(15), 15);
    CU_ASSERT_EQUAL(agw_histogram_bucket(LAST + 1), AGW_HISTOGRAM_BUCKETS - 1);
    CU_ASSERT_EQUAL(agw_histogram_bucket(UINT64_MAX), AGW_HISTOGRAM_BUCKETS - 1);
}

static void test_histogram_knows_a_value_to_a_sixteenth(void)
{
    for (uint64_t value = 1; value <= LAST / 3; value += value / 7 + 1) {
        const uint64_t edge = agw_histogram_edge(agw_histogram_bucket(value));
        CU_ASSERT_TRUE(edge >= value && edge - value <= value / AGW_HISTOGRAM_STEPS);
    }
}

static void test_histogram_quantiles_by_rank(void)
{
    static agw_histogram h;
    static agw_histogram_view view;
    memset(&h, 0, sizeof h);
    memset(&view, 0, sizeof view);
    CU_ASSERT_EQUAL(agw_histogram_at(&view, 500), 0);
    for (uint64_t value = 1; value <= 10; value++)
        agw_histogram_add(&h, value);
    agw_histogram_collect(&view, &h);
    CU_ASSERT_EQUAL(view.count, 10);
    CU_ASSERT_EQUAL(view.sum, 55);
    CU_ASSERT_EQUAL(agw_histogram_at(&view, 0), 1);
    CU_ASSERT_EQUAL(agw_histogram_at(&view, 500), 5);
    CU_ASSERT_EQUAL(agw_histogram_at(&view, 501), 6);
    CU_ASSERT_EQUAL(agw_histogram_at(&view, 1000), 10);
}

static void test_histogram_quantiles_within_a_bucket_are_spread_evenly(void)
{
    static agw_histogram h;
    static agw_histogram_view view;
    memset(&h, 0, sizeof h);
    memset(&view, 0, sizeof view);
    for (uint64_t value = 64; value <= 67; value++) /* one bucket */
        agw_histogram_add(&h, value);
    agw_histogram_add(&h, 1000000);
    agw_histogram_collect(&view, &h);
    for (unsigned i = 1; i <= 4; i++)
        CU_ASSERT_EQUAL(agw_histogram_at(&view, 200 * i), 63 + i);
}

static void test_histogram_counts_up_to_a_limit(void)
{
    static agw_histogram h;
    static agw_histogram_view view;
    memset(&h, 0, sizeof h);
    memset(&view, 0, sizeof view);
    agw_histogram_add(&h, 3);
    agw_histogram_add(&h, 32); /* with 33 in one bucket */
    agw_histogram_add(&h, UINT64_MAX);
    agw_histogram_collect(&view, &h);
    CU_ASSERT_EQUAL(agw_histogram_up_to(&view, 2), 0);
    CU_ASSERT_EQUAL(agw_histogram_up_to(&view, 3), 1);
    CU_ASSERT_EQUAL(agw_histogram_up_to(&view, 32), 1);
    CU_ASSERT_EQUAL(agw_histogram_up_to(&view, 33), 2);
    CU_ASSERT_EQUAL(agw_histogram_up_to(&view, UINT64_MAX), 3);
}

static void test_histogram_views_add_up(void)
{
    static agw_histogram a, b;
    static agw_histogram_view view;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    memset(&view, 0, sizeof view);
    agw_histogram_add(&a, 100);
    agw_histogram_add(&b, 100000);
    agw_histogram_collect(&view, &a);
    agw_histogram_collect(&view, &b);
    CU_ASSERT_EQUAL(view.count, 2);
    CU_ASSERT_EQUAL(view.sum, 100100);
    CU_ASSERT_EQUAL(agw_histogram_at(&view, 500), agw_histogram_edge(agw_histogram_bucket(100)));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_histogram_buckets_follow_each_other_without_gap),
    AGW_CASE(test_histogram_takes_every_value),
    AGW_CASE(test_histogram_knows_a_value_to_a_sixteenth),
    AGW_CASE(test_histogram_quantiles_by_rank),
    AGW_CASE(test_histogram_quantiles_within_a_bucket_are_spread_evenly),
    AGW_CASE(test_histogram_counts_up_to_a_limit),
    AGW_CASE(test_histogram_views_add_up),
};

AGW_UNIT_MAIN("base/histogram", CASES)
