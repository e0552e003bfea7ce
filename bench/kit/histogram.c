/* SPDX-License-Identifier: BSD-3-Clause
 * Buckets 0 to 31 are the values themselves; above, each octave has 32 of equal width. */
#include "bench/kit/histogram.h"

#include <string.h>

enum { PER_OCTAVE = 32, OCTAVE_BITS = 5 };

void kit_histogram_clear(kit_histogram *h)
{
    memset(h, 0, sizeof *h);
}

static size_t bucket_of(uint64_t value)
{
    if (value < PER_OCTAVE)
        return (size_t)value;
    const unsigned octave = 63u - (unsigned)__builtin_clzll(value);
    const size_t at = (octave - OCTAVE_BITS + 1) * (size_t)PER_OCTAVE +
                      (size_t)(value >> (octave - OCTAVE_BITS)) % PER_OCTAVE;
    return at < KIT_HISTOGRAM_BUCKETS ? at : KIT_HISTOGRAM_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static agw_ns upper_edge(size_t bucket)
{
    if (bucket < PER_OCTAVE)
        return (agw_ns)bucket;
    const unsigned shift = (unsigned)(bucket / PER_OCTAVE) - 1;
    return (agw_ns)(((uint64_t)(PER_OCTAVE + bucket % PER_OCTAVE + 1) << shift) - 1);
}

void kit_histogram_add(kit_histogram *h, agw_ns value)
{
    if (value < 0)
        value = 0;
    if (h->count == 0 || value < h->least)
        h->least = value;
    if (value > h->most)
        h->most = value;
    h->count++;
    h->bucket[bucket_of((uint64_t)value)]++;
}

void kit_histogram_merge(kit_histogram *into, const kit_histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->least < into->least)
        into->least = from->least;
    if (from->most > into->most)
        into->most = from->most;
    into->count += from->count;
    for (size_t i = 0; i < KIT_HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

agw_ns kit_histogram_at(const kit_histogram *h, unsigned permille)
{
    uint64_t rank = (h->count * permille + 999) / 1000; /* the how many-th value, from 1 */
    if (rank == 0)
        rank = 1;
    uint64_t below = 0;
    for (size_t i = 0; i < KIT_HISTOGRAM_BUCKETS; i++) {
        below += h->bucket[i];
        if (below >= rank && i < KIT_HISTOGRAM_BUCKETS - 1)
            return upper_edge(i) < h->most ? upper_edge(i) : h->most;
    }
    return h->most;
}
