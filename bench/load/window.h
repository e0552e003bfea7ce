/* SPDX-License-Identifier: BSD-3-Clause
 * What the gateway, this program and the machine used between two points in time, whether the
 * figures can be trusted, and how all of it is told. */
#ifndef AGW_BENCH_LOAD_WINDOW_H
#define AGW_BENCH_LOAD_WINDOW_H

#include "bench/kit/report.h"
#include "bench/kit/usage.h"
#include "bench/load/fleet.h"

typedef struct kit_sample {
    agw_ns at;
    kit_usage gateway; /* zero when its process is not known */
    agw_ns own, machine;
} kit_sample;

kit_sample kit_sample_now(const kit_options *o);
/** The same without descriptors, for while packets have to leave on time. */
kit_sample kit_sample_quick(const kit_options *o);

typedef struct kit_window {
    kit_sample begin, end;
    uint64_t arrived, sent; /* packets between them */
    uint64_t came_up;       /* calls between them, where some come */
} kit_window;

enum {
    KIT_BUSY_PER_MILLE = 900,   /* of a core: nothing is left of it */
    KIT_LOSS_MAX_PPM = 1000,    /* less than that can still be called well */
    KIT_OTHERS_PER_MILLE = 200, /* others that use more can have spoilt a figure */
};

/** CPU time of a window in per mille of one core. */
typedef struct kit_shares {
    int gateway, generator, others; /* others: on the gateway's machine, softirq of idle CPUs too */
} kit_shares;

/** A load program's run: its world, its report and its doubts. */
typedef struct kit_load {
    kit_world world;
    kit_options options;
    kit_report report;
    const char *doubt; /* the first reason why the figures are worth nothing; NULL = none */
    kit_wire_stats wire_before; /* what was lost before has been judged */
    uint64_t backlog_before, backlog_at_start;
} kit_load;

/** What the fleet sends and gets between these two is in the window, the second one closes it. */
void kit_window_open(kit_window *w, const kit_options *o, const kit_fleet *f);
void kit_window_close(kit_window *w, const kit_options *o, const kit_fleet *f);
/** Warm-up, then the window; media goes on. Latency of the fleet begins with the window, findings
 * and losses a tenth of a second before. comers: whose calls come meanwhile; may be NULL. */
void kit_window_run(kit_load *l, kit_fleet *f, const kit_fleet *comers, kit_window *w);
kit_shares kit_window_shares(const kit_load *l, const kit_window *w);
/** Who ended it, of a window that did not go well: "gateway", "generator", "others". on_time: the
 * generator kept its schedule. Judged by who had no CPU time left; a failure that nobody's lack of
 * time explains is the gateway's, unless there were others who can have held it up. */
const char *kit_bound(const kit_shares *cpu, bool on_time);
/** 0 when nothing was due. */
uint64_t kit_loss_ppm(const kit_totals *t);

void kit_load_doubt(kit_load *l, bool doubtful, const char *why);
/** Calls that did not come up, and packets that left later than that, are doubts. */
void kit_load_doubt_fleet(kit_load *l, const kit_fleet *f, agw_ns lateness_max);
/** What the system lost since the last call of this: NULL = nothing. Its figures are worthless
 * then.
 */
const char *kit_load_losses(kit_load *l);
/** What the system lost is a doubt; writes the wire's figures. */
void kit_load_finish(kit_load *l);

/** CPU between the samples: as it is, and divided by n of `per` ("packet", "setup"). */
void kit_report_cpu(kit_load *l, const kit_sample *begin, const kit_sample *end, uint64_t n,
                    const char *per);
void kit_report_shares(kit_load *l, const char *name, const kit_shares *s);
/** Whether the gateway carried the load (all calls up, loss below 0.1 %, p99 below the last
 * --p99-limit-us), the shares, and who set a bound: null when it was carried and the generator had
 * CPU time left. Findings, loss and latency are the fleet's. */
void kit_report_verdict(kit_load *l, const kit_window *w, const kit_fleet *f, bool all_up);
void kit_report_usage(kit_load *l, const char *name, const kit_sample *s);
void kit_report_window(kit_load *l, const kit_window *w);
void kit_report_totals(kit_load *l, const kit_totals *t);
void kit_report_latency(kit_load *l, const kit_fleet *f);
/** Loss and latency as a line on stderr. */
void kit_tell(const char *what, const kit_fleet *f, const kit_totals *t);
/** How set-up went, step by step. */
void kit_report_set_up(kit_load *l, const kit_fleet *f);

#endif
