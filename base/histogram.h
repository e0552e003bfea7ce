/* SPDX-License-Identifier: BSD-3-Clause
 * How often values of which size were seen, log-linear as HDR histograms are: up to 15 exactly,
 * above that 16 steps for each power of two, so that a value is known to 1/16. */
#ifndef AGW_BASE_HISTOGRAM_H
#define AGW_BASE_HISTOGRAM_H

#include "base/counter.h"

#include <stddef.h>

enum {
    AGW_HISTOGRAM_STEPS = 16,
    AGW_HISTOGRAM_BUCKETS = 30 * AGW_HISTOGRAM_STEPS, /* the last one ends at 2^33 - 1 */
};

/** One writer, any readers; zeroed = empty. */
typedef struct agw_histogram {
    agw_counter sum; /* of all values */
    agw_counter buckets[AGW_HISTOGRAM_BUCKETS];
} agw_histogram;

/** Buckets as a reader copied or added them up. */
typedef struct agw_histogram_view {
    uint64_t sum, count;
    uint64_t buckets[AGW_HISTOGRAM_BUCKETS];
} agw_histogram_view;

/** The bucket of a value; what is too large is in the last one. */
size_t agw_histogram_bucket(uint64_t value);
/** The largest value of a bucket. */
uint64_t agw_histogram_edge(size_t bucket);

void agw_histogram_add(agw_histogram *h, uint64_t value);

/** Adds what h holds now to view. */
void agw_histogram_collect(agw_histogram_view *view, const agw_histogram *h);
/** The value that so many thousandths of all do not exceed, interpolated within its bucket; 0 when
 * there is none. permille: 0 to 1000 */
uint64_t agw_histogram_at(const agw_histogram_view *view, unsigned permille);
/** How many values lie in buckets that end at limit or below. */
uint64_t agw_histogram_up_to(const agw_histogram_view *view, uint64_t limit);

#endif
