/* SPDX-License-Identifier: BSD-3-Clause
 * Looks at the gateway once a second: /proc and its own statistics, into a file, one line each. */
#ifndef AGW_BENCH_SOAK_WATCH_H
#define AGW_BENCH_SOAK_WATCH_H

#include "bench/soak/soak.h"

#include <stdio.h>

typedef struct soak_watch {
    soak *soak;
    FILE *out; /* NULL = not kept */
    kit_timer timer;
    agw_ns began_at;
    soak_sample now; /* the latest look */
    agw_doc *drops;  /* of the latest look, by reason; NULL = none yet */
    uint64_t looks;
    unsigned steady; /* looks with the same descriptors and sockets as the one before */
    bool silent;     /* the gateway does not answer, or is gone */
    char state;      /* of its process then, as in /proc: R S D T Z; '-' = gone */
} soak_watch;

/** false: the file cannot be written. */
AGW_NODISCARD bool kit_soak_watch_start(soak_watch *w, soak *s);
void kit_soak_watch_stop(soak_watch *w);
/** Writes the latest look once more, as an idle point. */
void kit_soak_watch_mark(soak_watch *w);

#endif
