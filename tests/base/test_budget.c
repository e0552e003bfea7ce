/* SPDX-License-Identifier: BSD-3-Clause
 * base/budget: what passes and when, and whom a full table forgets. */
#include "base/budget.h"

#include "unit.h"

#include <string.h>

static const uint8_t SEED[16] = {7};
static const agw_ns T0 = AGW_S(100);
static const agw_ns COST = AGW_MS(100); /* ten a second */

static void test_budget_ts23334_5_6_a_full_one_allows_its_depth_at_once(void)
{
    agw_budget b = {0};
    for (int i = 0; i < 10; i++)
        CU_ASSERT_TRUE(agw_budget_take(&b, T0, COST, AGW_S(1)));
    CU_ASSERT_FALSE(agw_budget_has(&b, T0, COST, AGW_S(1)));
    CU_ASSERT_FALSE(agw_budget_take(&b, T0, COST, AGW_S(1)));
}

static void test_budget_ts23334_5_6_it_fills_by_its_rate_and_not_over(void)
{
    agw_budget b = {0};
    for (int i = 0; i < 10; i++)
        CU_ASSERT_TRUE(agw_budget_take(&b, T0, COST, AGW_S(1)));
    CU_ASSERT_FALSE(agw_budget_take(&b, T0 + COST - 1, COST, AGW_S(1)));
    CU_ASSERT_TRUE(agw_budget_take(&b, T0 + COST, COST, AGW_S(1)));
    CU_ASSERT_FALSE(agw_budget_take(&b, T0 + COST, COST, AGW_S(1)));
    int n = 0;
    while (n < 99 && agw_budget_take(&b, T0 + AGW_S(50), COST, AGW_S(1)))
        n++;
    CU_ASSERT_EQUAL(n, 10);
}

static void test_budget_what_costs_more_than_the_depth_never_passes(void)
{
    agw_budget b = {0};
    CU_ASSERT_FALSE(agw_budget_take(&b, T0, AGW_S(1) + 1, AGW_S(1)));
    CU_ASSERT_TRUE(agw_budget_take(&b, T0, AGW_S(1), AGW_S(1)));
}

/* --- of many sources -------------------------------------------------------------------------- */

static agw_addr ip4(uint32_t n, uint16_t port)
{
    return (agw_addr){.ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
                      .port = port,
                      .family = AGW_FAMILY_IP4};
}

static agw_addr parsed(const char *text)
{
    agw_addr a;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&a, text), AGW_OK);
    return a;
}

static agw_budgets *budgets(void)
{
    agw_budgets *b = agw_budgets_new(SEED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    return b;
}

/* Takes all that it has. */
static unsigned drain(agw_budgets *b, agw_addr source, agw_ns now)
{
    unsigned n = 0;
    while (n < 99 && agw_budgets_take(b, &source, now, COST))
        n++;
    return n;
}

static bool has(const agw_budgets *b, agw_addr source, agw_ns now)
{
    return agw_budgets_has(b, &source, now, COST);
}

static void test_budgets_each_address_has_its_own_and_ports_share_it(void)
{
    agw_budgets *b = budgets();
    CU_ASSERT_TRUE(has(b, ip4(1, 1), T0));
    CU_ASSERT_EQUAL(drain(b, ip4(1, 1), T0), 10);
    CU_ASSERT_FALSE(has(b, ip4(1, 2), T0));
    CU_ASSERT_EQUAL(drain(b, ip4(1, 2), T0), 0);
    CU_ASSERT_EQUAL(drain(b, ip4(2, 1), T0), 10);
    CU_ASSERT_TRUE(has(b, ip4(1, 2), T0 + COST));
    agw_budgets_free(b);
}

static void test_budgets_rfc4291_2_5_4_a_network_of_64_bits_is_one_source(void)
{
    agw_budgets *b = budgets();
    CU_ASSERT_EQUAL(drain(b, parsed("2001:db8:0:1::1"), T0), 10);
    CU_ASSERT_FALSE(has(b, parsed("2001:db8:0:1:ffff::2"), T0));
    CU_ASSERT_TRUE(has(b, parsed("2001:db8:0:2::1"), T0));
    CU_ASSERT_TRUE(has(b, parsed("32.1.13.184"), T0)); /* the first bytes of the same */
    agw_budgets_free(b);
}

/* A flood of made-up sources neither stops a stranger nor makes the worst one unknown. */
static void test_budgets_made_up_sources_push_out_those_that_took_little(void)
{
    agw_budgets *b = budgets();
    CU_ASSERT_EQUAL(drain(b, ip4(1, 1), T0), 10);
    for (uint32_t i = 0; i < 50 * AGW_BUDGETS; i++) {
        const agw_addr made_up = ip4(1000 + i, 1);
        CU_ASSERT_TRUE_FATAL(agw_budgets_take(b, &made_up, T0, COST));
    }
    CU_ASSERT_FALSE(has(b, ip4(1, 1), T0));
    CU_ASSERT_TRUE(has(b, ip4(2, 1), T0));
    agw_budgets_free(b);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_budget_ts23334_5_6_a_full_one_allows_its_depth_at_once),
    AGW_CASE(test_budget_ts23334_5_6_it_fills_by_its_rate_and_not_over),
    AGW_CASE(test_budget_what_costs_more_than_the_depth_never_passes),
    AGW_CASE(test_budgets_each_address_has_its_own_and_ports_share_it),
    AGW_CASE(test_budgets_rfc4291_2_5_4_a_network_of_64_bits_is_one_source),
    AGW_CASE(test_budgets_made_up_sources_push_out_those_that_took_little),
};

AGW_UNIT_MAIN("budget", CASES)
