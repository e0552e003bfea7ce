/* SPDX-License-Identifier: BSD-3-Clause
 * One operation many times: CPU time of this thread per operation, the median of many rounds, as
 * JSON; or, under callgrind, the instructions of a given number of operations. */
#ifndef AGW_BENCH_MICRO_MICRO_H
#define AGW_BENCH_MICRO_MICRO_H

#include <stddef.h>

typedef struct micro {
    const char *name;      /* in the JSON and of --only */
    const char *operation; /* what one is, in words */
    void (*run)(size_t n); /* does it n times; asserts that it went well */
} micro;

/** The whole program: micro_x [--only=NAME] [--count=N]. Returns the exit status.
 *
 * With --count=N nothing is timed: N operations run inside of micro_counted(), after as many
 * outside of it, for callgrind's --toggle-collect. */
int micro_main(const micro list[], size_t n, int argc, char *argv[]);
void micro_counted(const micro *m, size_t n);

#endif
