/* SPDX-License-Identifier: BSD-3-Clause
 * What the gateway uses, and whether that grows with the calls that it has had. */
#ifndef AGW_BENCH_SOAK_JUDGE_H
#define AGW_BENCH_SOAK_JUDGE_H

#include "base/clock.h"
#include "bench/soak/scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOAK_POINTS_MAX = 200,
    SOAK_TREND_POINTS = 4, /* with fewer points behind the warm-up there is no trend */
    SOAK_COMPLAINT = 160,
    SOAK_COMPLAINTS_MAX = 16,
    SOAK_RSS_NOISE = 2 << 20, /* bytes in a whole run */
};

/** One look at the gateway. */
typedef struct soak_sample {
    agw_ns at;                 /* since the start of the run */
    uint64_t begun, ended, up; /* calls of this side */
    bool idle;                 /* an idle point */
    uint64_t rss_bytes, heap_used_bytes, heap_held_bytes;
    uint32_t fds, sockets;
    int64_t sessions, transports, ports_used, ports_free;
    int64_t relayed, dropped, kernel_drops;
    int64_t ends[SOAK_ENDS];          /* calls ended so far, as the gateway counts them */
    int64_t offers, answers, deletes; /* commands so far */
} soak_sample;

/** Most growth by the call that is allowed. */
typedef struct soak_limits {
    double heap_bytes, rss_bytes;
} soak_limits;

/** Growth by the call, from the second idle point on (the first burst is the warm-up): slope of the
 * straight line through the idle points (least squares). */
typedef struct soak_growth {
    bool judged; /* there were enough points */
    double heap_bytes, rss_bytes;
} soak_growth;

typedef struct soak_verdict {
    soak_growth growth;
    size_t count;
    char complaints[SOAK_COMPLAINTS_MAX][SOAK_COMPLAINT];
} soak_verdict;

/** Slope of the straight line through n points by least squares; 0 when all x are the same. */
double kit_soak_slope(const double *x, const double *y, size_t n);

/** Appends a complaint; what does not fit is left out. */
void kit_soak_complain(soak_verdict *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Judges n idle points, the first of them before any call: descriptors, sockets and ports must be
 * exactly what they were there, memory must not grow. */
void kit_soak_judge(soak_verdict *v, const soak_sample *points, size_t n,
                    const soak_limits *limits);

#endif
