/* SPDX-License-Identifier: BSD-3-Clause
 * The run as a whole: command line, course, report. */
#ifndef AGW_BENCH_SOAK_RUN_H
#define AGW_BENCH_SOAK_RUN_H

#include "bench/soak/watch.h"

typedef struct soak_run {
    soak soak;
    soak_watch watch;
    soak_sample points[SOAK_POINTS_MAX];
    size_t n_points;
    soak_verdict verdict;
    kit_wire_stats wire;                    /* of this side, at the end */
    uint64_t backlog_before, backlog_drops; /* of the kernel, on the way between the two */
    const char *doubt;                      /* why the measurement is not valid; NULL = it is */
    size_t covered; /* of the first round, which has every scenario in every kind */
    agw_ns next_at; /* the next call */
} soak_run;

/** false: something is wrong and was said on stderr. */
bool kit_soak_options_parse(soak_options *o, int argc, char *argv[]);
void kit_soak_usage(FILE *out);

/** Compares the books of both sides and judges the idle points: fills verdict. */
void kit_soak_close_books(soak_run *r);
/** One JSON object on out. */
void kit_soak_report(const soak_run *r, FILE *out);

#endif
