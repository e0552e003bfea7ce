/* SPDX-License-Identifier: BSD-3-Clause
 * How much of something may still happen: token buckets, and one for each of many source addresses.
 */
#ifndef AGW_BASE_BUDGET_H
#define AGW_BASE_BUDGET_H

#include "base/addr.h"
#include "base/clock.h"

/** A token bucket, kept as the time at which it will be full again (zeroed = full). Whatever
 * happens costs some of its time: the second divided by how often it may happen in one. */
typedef struct agw_budget {
    agw_ns full_at;
} agw_budget;

/** Whether cost can be paid, so that the bucket is full again within depth: depth divided by cost
 * is how much may happen at once. */
static inline bool agw_budget_has(const agw_budget *b, agw_ns now, agw_ns cost, agw_ns depth)
{
    return (b->full_at > now ? b->full_at - now : 0) + cost <= depth;
}

/** When cost can be paid; in the past: now. */
static inline agw_ns agw_budget_at(const agw_budget *b, agw_ns cost, agw_ns depth)
{
    return b->full_at + cost - depth;
}

/** Pays, if it can be paid. */
static inline bool agw_budget_take(agw_budget *b, agw_ns now, agw_ns cost, agw_ns depth)
{
    if (!agw_budget_has(b, now, cost, depth))
        return false;
    b->full_at = (b->full_at > now ? b->full_at : now) + cost;
    return true;
}

/** A second's budget for each source: an IPv4 address, or an IPv6 network of 64 bits; ports do not
 * count. Fixed memory (64 KB): it knows the AGW_BUDGETS sources that have taken most of late, at
 * most AGW_BUDGETS_WAYS of them by chance fewer. Who is not known has taken nothing. So sources
 * that are made up by the thousand are not held up by it, but neither do they hold up others. */
typedef struct agw_budgets agw_budgets;

enum { AGW_BUDGETS = 4096, AGW_BUDGETS_WAYS = 4 };

/** seed: 16 random bytes, so that strangers cannot aim at somebody's place. NULL when memory is
 * short. */
AGW_NODISCARD agw_budgets *agw_budgets_new(const uint8_t seed[16]);
void agw_budgets_free(agw_budgets *b);
/** As agw_budget_has() and agw_budget_take() with a depth of one second. Neither allocates. */
bool agw_budgets_has(const agw_budgets *b, const agw_addr *source, agw_ns now, agw_ns cost);
bool agw_budgets_take(agw_budgets *b, const agw_addr *source, agw_ns now, agw_ns cost);

#endif
