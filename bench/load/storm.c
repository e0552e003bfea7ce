/* SPDX-License-Identifier: BSD-3-Clause
 * The mode storm: set-ups at a rate, each call ended as soon as it is up, while others talk. */
#include "bench/load/modes.h"

#include <inttypes.h>

static void forget_times(kit_ng *ng)
{
    for (unsigned kind = 0; kind < KIT_NG_KINDS; kind++)
        kit_histogram_clear(kit_ng_times(ng, (kit_ng_kind)kind));
}

static void report_storm(kit_load *l, const kit_fleet *storm, const kit_window *w)
{
    kit_report *r = &l->report;
    kit_report_open(r, "storm");
    kit_report_int(r, "rate_per_s", kit_churn_rate(&l->options));
    kit_report_int(r, "not_started", (int64_t)storm->not_started);
    kit_report_int(r, "calls_up_per_s", (int64_t)w->came_up * AGW_S(1) / (w->end.at - w->begin.at));
    kit_report_set_up(l, storm);
    kit_report_close(r);
    fprintf(stderr, "load: storm: %" PRIu64 " of %" PRIu64 " calls came up\n", storm->came_up,
            storm->started);
}

/* Talkers up and talking. */
static void begin(kit_load *l, kit_fleet *talkers)
{
    const kit_options *o = &l->options;
    kit_fleet_start(talkers, o->calls, o->in_flight, 0); /* the rate is the storm's */
    kit_fleet_await(talkers);
    kit_fleet_talk(talkers);
    kit_world_for(&l->world, o->warm_up);
}

static void run(kit_load *l, kit_fleet *talkers, kit_fleet *storm, kit_window *w)
{
    const kit_options *o = &l->options;
    const unsigned rate = kit_churn_rate(o);
    forget_times(l->world.ng);
    kit_fleet_start(storm, (unsigned)((o->warm_up + o->seconds) / (AGW_S(1) / rate)), 0, rate);
    kit_window_run(l, talkers, storm, w);
    kit_fleet_await(storm);
    kit_fleet_hush(talkers);
    kit_fleet_drain(talkers);
}

void kit_mode_storm(kit_load *l)
{
    kit_fleet talkers;
    kit_fleet storm;
    kit_window w;
    const kit_options *o = &l->options;
    const kit_fleet_config config = {.room = o->calls, .hold = AGW_NEVER};
    const kit_fleet_config short_lived = {.room = kit_churn_rate(o) * 15}; /* fails after 10 s */
    kit_fleet_init(&talkers, &l->world, o, &config);
    kit_fleet_init(&storm, &l->world, o, &short_lived);
    begin(l, &talkers);
    run(l, &talkers, &storm, &w);
    kit_load_doubt_fleet(l, &talkers, KIT_IN_BURSTS_NS);
    kit_report_window(l, &w);
    const kit_totals t = kit_fleet_totals(&talkers);
    kit_report_totals(l, &t);
    kit_report_latency(l, &talkers);
    report_storm(l, &storm, &w);
    kit_tell("storm", &talkers, &t);
    kit_report_verdict(l, &w, &talkers, storm.came_up == storm.started);
    kit_fleet_end(&storm);
    kit_fleet_end(&talkers);
    kit_fleet_fini(&storm);
    kit_fleet_fini(&talkers);
}
