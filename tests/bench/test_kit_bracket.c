/* SPDX-License-Identifier: BSD-3-Clause
 * The search against gateways that carry exactly so many calls. */
#include "bench/kit/bracket.h"

#include "unit.h"

/* Probes until it is near enough; 0: it does not end. */
static unsigned probes(kit_bracket *b, unsigned first, unsigned limit, unsigned step_percent)
{
    unsigned n = first;
    for (unsigned i = 1; i < 100; i++) {
        CU_ASSERT_TRUE_FATAL(kit_bracket_learn(b, n, n <= limit));
        n = kit_bracket_next(b, step_percent);
        if (n == 0)
            return i;
    }
    return 0;
}

static void test_bracket_ends_around_every_limit(void)
{
    for (unsigned limit = 0; limit < 3000; limit += 1 + limit / 16) {
        for (unsigned first = 1; first < 2000; first *= 3) {
            kit_bracket b = {0, 0};
            CU_ASSERT_NOT_EQUAL(probes(&b, first, limit, 8), 0);
            CU_ASSERT_TRUE(b.good <= limit && b.bad > limit);
            CU_ASSERT_TRUE(b.bad - b.good == 1 || (b.bad - b.good) * 100 <= 8 * b.good);
        }
    }
}

static void test_bracket_takes_few_probes(void)
{
    kit_bracket b = {0, 0};
    CU_ASSERT_TRUE(probes(&b, 400, 1600, 8) <= 8);
    b = (kit_bracket){0, 0};
    CU_ASSERT_TRUE(probes(&b, 400, 30, 8) <= 9);
}

static void test_bracket_what_is_known_teaches_nothing(void)
{
    kit_bracket b = {0, 0};
    CU_ASSERT_TRUE(kit_bracket_learn(&b, 100, true));
    CU_ASSERT_FALSE(kit_bracket_learn(&b, 100, false));
    CU_ASSERT_FALSE(kit_bracket_learn(&b, 50, false));
    CU_ASSERT_TRUE(kit_bracket_learn(&b, 200, false));
    CU_ASSERT_FALSE(kit_bracket_learn(&b, 300, true));
    CU_ASSERT_EQUAL(b.good, 100);
    CU_ASSERT_EQUAL(b.bad, 200);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_bracket_ends_around_every_limit),
    AGW_CASE(test_bracket_takes_few_probes),
    AGW_CASE(test_bracket_what_is_known_teaches_nothing),
};

AGW_UNIT_MAIN("kit bracket", cases)
