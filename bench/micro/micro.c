/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/micro/micro.h"

#include "bench/kit/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 101 };
static const agw_ns ROUND_MIN = AGW_MS(2); /* reading the clock must not matter */

static agw_ns own_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return AGW_S(t.tv_sec) + t.tv_nsec;
}

static agw_ns timed(const micro *m, size_t n)
{
    const agw_ns begin = own_cpu();
    m->run(n);
    return own_cpu() - begin;
}

static int by_value(const void *a, const void *b)
{
    const agw_ns x = *(const agw_ns *)a;
    const agw_ns y = *(const agw_ns *)b;
    return (x > y) - (x < y);
}

static void measure(const micro *m, kit_report *r)
{
    agw_ns times[ROUNDS];
    size_t n = 16;
    while (timed(m, n) < ROUND_MIN)
        n *= 2;
    for (size_t i = 0; i < ROUNDS; i++)
        times[i] = timed(m, n);
    qsort(times, ROUNDS, sizeof *times, by_value);
    kit_report_open(r, m->name);
    kit_report_text(r, "operation", m->operation);
    kit_report_int(r, "cpu_ps_per_operation", times[ROUNDS / 2] * 1000 / (agw_ns)n);
    kit_report_int(r, "least_cpu_ps_per_operation", times[0] * 1000 / (agw_ns)n);
    kit_report_int(r, "operations_per_round", (int64_t)n);
    kit_report_int(r, "rounds", ROUNDS);
    kit_report_close(r);
}

__attribute__((noinline)) void micro_counted(const micro *m, size_t n)
{
    m->run(n);
    __asm__ volatile("" ::: "memory"); /* no tail call: callgrind looks for the return */
}

static void count(const micro *m, size_t n, kit_report *r)
{
    m->run(n);
    micro_counted(m, n);
    kit_report_open(r, m->name);
    kit_report_text(r, "operation", m->operation);
    kit_report_int(r, "operations", (int64_t)n);
    kit_report_close(r);
}

static bool read_options(int argc, char *argv[], const char **only, size_t *operations)
{
    for (int i = 1; i < argc; i++) {
        char *end = NULL;
        if (strncmp(argv[i], "--only=", 7) == 0)
            *only = argv[i] + 7;
        else if (strncmp(argv[i], "--count=", 8) == 0)
            *operations = strtoul(argv[i] + 8, &end, 10);
        else
            return false;
        if (end != NULL && (*end != '\0' || *operations == 0))
            return false;
    }
    return true;
}

int micro_main(const micro list[], size_t n, int argc, char *argv[])
{
    const char *only = NULL;
    size_t operations = 0;
    kit_report r;
    if (!read_options(argc, argv, &only, &operations)) {
        fprintf(stderr, "usage: %s [--only=NAME] [--count=N]\n", argv[0]);
        return 2;
    }
    size_t done = 0;
    kit_report_begin(&r, stdout);
    for (size_t i = 0; i < n; i++) {
        if (only != NULL && strcmp(only, list[i].name) != 0)
            continue;
        if (operations != 0)
            count(&list[i], operations, &r);
        else
            measure(&list[i], &r);
        done++;
    }
    kit_report_end(&r);
    return done != 0 ? 0 : 2;
}
