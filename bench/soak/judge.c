/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/soak/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

double kit_soak_slope(const double *x, const double *y, size_t n)
{
    double mean_x = 0, mean_y = 0, xy = 0, xx = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += x[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xy += (x[i] - mean_x) * (y[i] - mean_y);
        xx += (x[i] - mean_x) * (x[i] - mean_x);
    }
    return xx > 0 ? xy / xx : 0;
}

void kit_soak_complain(soak_verdict *v, const char *format, ...)
{
    if (v->count == SOAK_COMPLAINTS_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(v->complaints[v->count], SOAK_COMPLAINT, format, args);
    va_end(args);
    v->count++;
}

static void judge_equal(soak_verdict *v, const char *what, const soak_sample *at, int64_t value,
                        int64_t first)
{
    if (value != first)
        kit_soak_complain(v, "%s: %" PRId64 " at the start, %" PRId64 " after %" PRIu64 " calls",
                          what, first, value, at->ended);
}

/* What malloc keeps of freed memory comes and goes by a megabyte; in a short run that is a slope.
 */
static bool grows(double per_call, double allowed, double calls)
{
    return per_call > allowed && per_call * calls > SOAK_RSS_NOISE;
}

static void judge_trend(soak_verdict *v, const soak_sample *points, size_t n,
                        const soak_limits *limits)
{
    double calls[SOAK_POINTS_MAX], heap[SOAK_POINTS_MAX], rss[SOAK_POINTS_MAX];
    for (size_t i = 0; i < n; i++) {
        calls[i] = (double)points[i].ended;
        heap[i] = (double)points[i].heap_used_bytes;
        rss[i] = (double)points[i].rss_bytes;
    }
    v->growth = (soak_growth){.judged = true,
                              .heap_bytes = kit_soak_slope(calls, heap, n),
                              .rss_bytes = kit_soak_slope(calls, rss, n)};
    if (v->growth.heap_bytes > limits->heap_bytes)
        kit_soak_complain(v, "the heap in use grows by %.2f bytes a call (%.2f are allowed)",
                          v->growth.heap_bytes, limits->heap_bytes);
    if (grows(v->growth.rss_bytes, limits->rss_bytes,
              (double)(points[n - 1].ended - points[0].ended)))
        kit_soak_complain(v, "the resident set grows by %.2f bytes a call (%.2f are allowed)",
                          v->growth.rss_bytes, limits->rss_bytes);
}

void kit_soak_judge(soak_verdict *v, const soak_sample *points, size_t n, const soak_limits *limits)
{
    for (size_t i = 1; i < n; i++) {
        const soak_sample *p = &points[i];
        judge_equal(v, "descriptors", p, p->fds, points[0].fds);
        judge_equal(v, "UDP sockets", p, p->sockets, points[0].sockets);
        judge_equal(v, "free ports", p, p->ports_free, points[0].ports_free);
        judge_equal(v, "used ports", p, p->ports_used, 0);
        judge_equal(v, "calls", p, p->sessions, 0);
        judge_equal(v, "transports", p, p->transports, 0);
    }
    if (n > SOAK_TREND_POINTS)
        judge_trend(v, points + 1, n - 1, limits);
}
