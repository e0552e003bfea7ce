/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/budget.h"

#include "base/heap.h"
#include "base/map.h"
#include "base/prefetch.h"

#include <stdlib.h>
#include <string.h>

static const agw_ns DEPTH = AGW_S(1);

typedef struct place {
    uint64_t source; /* its hash; nobody has two that are alike */
    agw_budget budget;
} place;

/* One line of the cache. */
typedef struct set {
    place places[AGW_BUDGETS_WAYS];
} set;

_Static_assert(sizeof(set) == AGW_CACHE_LINE, "see above");

struct agw_budgets {
    set sets[AGW_BUDGETS / AGW_BUDGETS_WAYS];
    uint8_t seed[16];
};

agw_budgets *agw_budgets_new(const uint8_t seed[16])
{
    agw_budgets *b = agw_heap_lines(sizeof *b);
    if (b != NULL)
        memcpy(b->seed, seed, sizeof b->seed);
    return b;
}

void agw_budgets_free(agw_budgets *b)
{
    free(b);
}

static uint64_t hash_of(const agw_budgets *b, const agw_addr *source)
{
    return agw_siphash(b->seed, source->ip, source->family == AGW_FAMILY_IP4 ? 4 : 8);
}

static size_t set_of(uint64_t hash)
{
    return hash % (AGW_BUDGETS / AGW_BUDGETS_WAYS);
}

/* AGW_BUDGETS_WAYS: not there. */
static size_t find(const set *s, uint64_t hash)
{
    size_t i = 0;
    while (i < AGW_BUDGETS_WAYS && s->places[i].source != hash)
        i++;
    return i;
}

/* Who has taken least makes room. */
static size_t add(set *s, uint64_t hash)
{
    size_t least = 0;
    for (size_t i = 1; i < AGW_BUDGETS_WAYS; i++) {
        if (s->places[i].budget.full_at < s->places[least].budget.full_at)
            least = i;
    }
    s->places[least] = (place){.source = hash};
    return least;
}

bool agw_budgets_has(const agw_budgets *b, const agw_addr *source, agw_ns now, agw_ns cost)
{
    const uint64_t hash = hash_of(b, source);
    const set *s = &b->sets[set_of(hash)];
    const size_t i = find(s, hash);
    return i == AGW_BUDGETS_WAYS || agw_budget_has(&s->places[i].budget, now, cost, DEPTH);
}

bool agw_budgets_take(agw_budgets *b, const agw_addr *source, agw_ns now, agw_ns cost)
{
    const uint64_t hash = hash_of(b, source);
    set *s = &b->sets[set_of(hash)];
    size_t i = find(s, hash);
    if (i == AGW_BUDGETS_WAYS)
        i = add(s, hash);
    return agw_budget_take(&s->places[i].budget, now, cost, DEPTH);
}
