/* SPDX-License-Identifier: BSD-3-Clause
 * One JSON object, written as it grows. Names carry units; numbers are integers. */
#ifndef AGW_BENCH_KIT_REPORT_H
#define AGW_BENCH_KIT_REPORT_H

#include "bench/kit/histogram.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct kit_report {
    FILE *out; /* borrowed */
    unsigned depth;
    bool begun; /* the innermost object has a member */
} kit_report;

void kit_report_begin(kit_report *r, FILE *out);
/** A member that is an object, until the matching kit_report_close(). */
void kit_report_open(kit_report *r, const char *name);
void kit_report_close(kit_report *r);
void kit_report_int(kit_report *r, const char *name, int64_t value);
void kit_report_bool(kit_report *r, const char *name, bool value);
/** NULL becomes null. */
void kit_report_text(kit_report *r, const char *name, const char *value);
/** {"count", "p50_ns", "p99_ns", "p999_ns", "max_ns"} */
void kit_report_times(kit_report *r, const char *name, const kit_histogram *h);
/** Closes everything that is open. */
void kit_report_end(kit_report *r);

#endif
