/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/histogram.h"

#include "unit.h"

#include <string.h>

static void test_histogram_empty_is_zero(void)
{
    static kit_histogram h;
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 500), 0);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 1000), 0);
}

static void test_histogram_one_value_is_every_percentile(void)
{
    static kit_histogram h;
    kit_histogram_add(&h, 123456789);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 0), 123456789);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 500), 123456789);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 999), 123456789);
    CU_ASSERT_EQUAL(h.least, 123456789);
    CU_ASSERT_EQUAL(h.most, 123456789);
}

/* Values up to 31 have a bucket each, so the rank itself can be checked. */
static void test_histogram_ranks_count_from_the_smallest(void)
{
    static kit_histogram h;
    for (agw_ns v = 1; v <= 10; v++)
        kit_histogram_add(&h, v);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 100), 1);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 101), 2);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 500), 5);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 501), 6);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 900), 9);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 901), 10);
}

static void test_histogram_negative_counts_as_zero(void)
{
    static kit_histogram h;
    kit_histogram_add(&h, -5);
    CU_ASSERT_EQUAL(h.count, 1);
    CU_ASSERT_EQUAL(h.least, 0);
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 500), 0);
}

/* A value with a much larger one above it comes back at least itself and at most 1/32 larger. */
static void test_histogram_keeps_values_to_one_part_in_32(void)
{
    static kit_histogram h;
    for (agw_ns v = 1; v < AGW_S(137); v += v / 7 + 1) {
        kit_histogram_clear(&h);
        kit_histogram_add(&h, v);
        kit_histogram_add(&h, AGW_S(1000));
        const agw_ns got = kit_histogram_at(&h, 500);
        CU_ASSERT(got >= v && got - v <= v / 32);
    }
    for (unsigned bit = 5; bit < 37; bit++) { /* both sides of each octave */
        kit_histogram_clear(&h);
        kit_histogram_add(&h, ((agw_ns)1 << bit) - 1);
        kit_histogram_add(&h, (agw_ns)1 << bit);
        CU_ASSERT_EQUAL(kit_histogram_at(&h, 500), ((agw_ns)1 << bit) - 1);
        CU_ASSERT_EQUAL(kit_histogram_at(&h, 1000), (agw_ns)1 << bit);
    }
}

static void test_histogram_longer_than_its_range_gives_the_longest(void)
{
    static kit_histogram h;
    kit_histogram_add(&h, AGW_S(100000));
    kit_histogram_add(&h, AGW_S(200000));
    CU_ASSERT_EQUAL(kit_histogram_at(&h, 500), AGW_S(200000));
}

static void test_histogram_merge_is_as_if_added(void)
{
    static kit_histogram a;
    static kit_histogram b;
    static kit_histogram both;
    for (agw_ns v = 1; v < 100000; v += 37) {
        kit_histogram_add(v % 2 != 0 ? &a : &b, v);
        kit_histogram_add(&both, v);
    }
    static kit_histogram sum;
    kit_histogram_merge(&sum, &a);
    kit_histogram_merge(&sum, &b);
    static const kit_histogram empty;
    kit_histogram_merge(&sum, &empty);
    CU_ASSERT_EQUAL(sum.least, 1);
    CU_ASSERT_EQUAL(memcmp(&sum, &both, sizeof sum), 0);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_histogram_empty_is_zero),
        AGW_CASE(test_histogram_one_value_is_every_percentile),
        AGW_CASE(test_histogram_ranks_count_from_the_smallest),
        AGW_CASE(test_histogram_negative_counts_as_zero),
        AGW_CASE(test_histogram_keeps_values_to_one_part_in_32),
        AGW_CASE(test_histogram_longer_than_its_range_gives_the_longest),
        AGW_CASE(test_histogram_merge_is_as_if_added),
    };
    return agw_unit_run("histogram", cases, sizeof cases / sizeof cases[0]);
}
