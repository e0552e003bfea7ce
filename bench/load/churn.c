/* SPDX-License-Identifier: BSD-3-Clause
 * Calls that come, talk and end: the mode churn, and one such time for churn-search. */
#include "bench/load/modes.h"

#include <inttypes.h>

unsigned kit_churn_rate(const kit_options *o)
{
    return o->rate != 0 ? o->rate : 50;
}

/* Calls come and go from the beginning; the window opens when as many end as begin. */
void kit_churn_run(kit_load *l, kit_fleet *f, unsigned rate, kit_window *w)
{
    const kit_options *o = &l->options;
    const agw_ns lead = o->hold + o->warm_up;
    const unsigned n = (unsigned)((lead + o->seconds) / (AGW_S(1) / rate));
    const unsigned stay_s = (unsigned)(o->hold / AGW_S(1)) + 16; /* a call fails after 10 s */
    const kit_fleet_config config = {.room = rate * stay_s, .hold = o->hold, .talks = true};
    kit_fleet_init(f, &l->world, o, &config);
    l->world.tick = o->tick;
    kit_fleet_start(f, n, 0, rate);
    kit_world_for(&l->world, lead);
    const uint64_t up_before = f->came_up;
    kit_window_open(w, o, f);
    kit_world_for(&l->world, o->seconds);
    kit_window_close(w, o, f);
    w->came_up = f->came_up - up_before;
    kit_fleet_await(f);
    kit_world_for(&l->world, o->hold);
    kit_fleet_hush(f);
    kit_fleet_drain(f);
    kit_fleet_end(f);
}

void kit_mode_churn(kit_load *l)
{
    kit_fleet f;
    kit_window w;
    kit_report *r = &l->report;
    kit_churn_run(l, &f, kit_churn_rate(&l->options), &w);
    kit_load_doubt(l, f.not_started != 0, "calls could not be started on time");
    kit_load_doubt(l, kit_fleet_lateness(&f) > KIT_IN_BURSTS_NS,
                   "the generator did not keep its schedule");
    kit_report_int(r, "calls_up_in_window", (int64_t)w.came_up);
    kit_report_int(r, "calls_up_per_s", (int64_t)w.came_up * AGW_S(1) / (w.end.at - w.begin.at));
    kit_report_cpu(l, &w.begin, &w.end, w.came_up, "call");
    kit_report_int(r, "packets_relayed", (int64_t)w.arrived);
    kit_report_set_up(l, &f);
    kit_report_times(r, "delete", kit_ng_times(l->world.ng, KIT_NG_DELETE));
    const kit_totals t = kit_fleet_totals(&f);
    kit_report_totals(l, &t);
    kit_report_latency(l, &f);
    kit_report_verdict(l, &w, &f, f.came_up == f.started);
    fprintf(stderr, "load: churn: %" PRIu64 " of %" PRIu64 " calls came up\n", f.came_up,
            f.started);
    kit_tell("churn", &f, &t);
    kit_fleet_fini(&f);
}
