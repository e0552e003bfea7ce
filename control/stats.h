/* SPDX-License-Identifier: BSD-3-Clause
 * The `statistics` document: rtpengine's names where they mean the same, then workers, drops by
 * reason, ports and commands; and the table of a worker's numbers, which control/metrics.c tells as
 * well. */
#ifndef AGW_CONTROL_STATS_H
#define AGW_CONTROL_STATS_H

#include "control/command.h"

/** Parts of the document that only who asks for them pays for. */
typedef struct agw_stats_parts {
    bool memory;     /* the heap: the allocator is walked, milliseconds when it is large and torn */
    bool histograms; /* the buckets of transit times: of all workers together, and of each one where
                        there are few */
} agw_stats_parts;

/** The caller's to free or to hang up somewhere. */
agw_doc *agw_stats_doc(const agw_control *ctl, agw_ns now, agw_stats_parts parts);

/** A plain number that a worker keeps. */
typedef struct agw_stats_number {
    const char *key;    /* in the document; NULL = not there, so that 64 workers fit a datagram */
    const char *metric; /* for Prometheus: a counter when it ends in "_total", else a gauge */
    const char *help;
    size_t offset; /* of the agw_counter in agw_worker_stats */
} agw_stats_number;

/** NULL behind the last one. */
const agw_stats_number *agw_stats_number_at(size_t i);
uint64_t agw_stats_number_of(const agw_worker_stats *stats, const agw_stats_number *number);

/** The least and the largest number of packets that batch size i stands for. */
unsigned agw_stats_batch_min(size_t i);
unsigned agw_stats_batch_max(size_t i);

#endif
