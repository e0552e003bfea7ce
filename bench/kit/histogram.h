/* SPDX-License-Identifier: BSD-3-Clause
 * Lengths of time from 1 ns to 137 s, kept to 1/32 (3 %) of their size: logarithmic buckets, 32 to
 * an octave. Fixed memory. */
#ifndef AGW_BENCH_KIT_HISTOGRAM_H
#define AGW_BENCH_KIT_HISTOGRAM_H

#include "base/clock.h"

#include <stdint.h>

enum { KIT_HISTOGRAM_BUCKETS = 34 * 32 };

typedef struct kit_histogram {
    uint64_t count;
    agw_ns least, most; /* exact */
    uint64_t bucket[KIT_HISTOGRAM_BUCKETS];
} kit_histogram;

void kit_histogram_clear(kit_histogram *h);
/** Negative values count as 0. */
void kit_histogram_add(kit_histogram *h, agw_ns value);
void kit_histogram_merge(kit_histogram *into, const kit_histogram *from);
/** permille: 500 = median, 990, 999. The upper edge of the bucket, never above `most`; 0 when
 * empty. */
agw_ns kit_histogram_at(const kit_histogram *h, unsigned permille);

#endif
