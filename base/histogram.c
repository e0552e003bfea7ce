/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/histogram.h"

enum { STEP_BITS = 4, STEPS = AGW_HISTOGRAM_STEPS };

_Static_assert(1 << STEP_BITS == STEPS, "a power of two has so many steps");

size_t agw_histogram_bucket(uint64_t value)
{
    if (value < STEPS)
        return (size_t)value;
    const unsigned shift = 63u - (unsigned)__builtin_clzll(value) - STEP_BITS;
    const size_t at = (shift + 1) * (size_t)STEPS + (size_t)(value >> shift) % STEPS;
    return at < AGW_HISTOGRAM_BUCKETS ? at : AGW_HISTOGRAM_BUCKETS - 1;
}

uint64_t agw_histogram_edge(size_t bucket)
{
    if (bucket < STEPS)
        return bucket;
    const unsigned shift = (unsigned)(bucket / STEPS) - 1;
    return ((uint64_t)(STEPS + bucket % STEPS + 1) << shift) - 1;
}

void agw_histogram_add(agw_histogram *h, uint64_t value)
{
    agw_counter_add(&h->sum, value);
    agw_counter_add(&h->buckets[agw_histogram_bucket(value)], 1);
}

void agw_histogram_collect(agw_histogram_view *view, const agw_histogram *h)
{
    view->sum += agw_counter_get(&h->sum);
    for (size_t i = 0; i < AGW_HISTOGRAM_BUCKETS; i++) {
        const uint64_t n = agw_counter_get(&h->buckets[i]);
        view->buckets[i] += n;
        view->count += n;
    }
}

/* As if the values of a bucket were spread evenly. */
static uint64_t within_bucket(size_t bucket, double share)
{
    const uint64_t edge = agw_histogram_edge(bucket);
    const uint64_t width = bucket != 0 ? edge - agw_histogram_edge(bucket - 1) : 0;
    return edge - (uint64_t)((double)width * (1 - share));
}

uint64_t agw_histogram_at(const agw_histogram_view *view, unsigned permille)
{
    uint64_t rank = (view->count * permille + 999) / 1000; /* the how many-th value, from 1 */
    if (rank == 0)
        rank = 1;
    for (size_t i = 0; i < AGW_HISTOGRAM_BUCKETS; i++) {
        if (view->buckets[i] >= rank)
            return within_bucket(i, (double)rank / (double)view->buckets[i]);
        rank -= view->buckets[i];
    }
    return 0;
}

uint64_t agw_histogram_up_to(const agw_histogram_view *view, uint64_t limit)
{
    uint64_t n = 0;
    for (size_t i = 0; i < AGW_HISTOGRAM_BUCKETS && agw_histogram_edge(i) <= limit; i++)
        n += view->buckets[i];
    return n;
}
