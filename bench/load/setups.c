/* SPDX-License-Identifier: BSD-3-Clause
 * Modes about set-up and calls that stand still: setup, ng, idle. */
#include "bench/load/modes.h"

#include <inttypes.h>

/* N calls up, then N calls gone: both measured. */
static void up_and_down(kit_load *l, bool ng_only)
{
    kit_fleet f;
    kit_report *r = &l->report;
    const kit_options *o = &l->options;
    const kit_fleet_config config = {.room = o->calls, .hold = AGW_NEVER, .ng_only = ng_only};
    kit_fleet_init(&f, &l->world, o, &config);
    const kit_sample begin = kit_sample_now(o);
    kit_fleet_set_up(&f, o->calls);
    const kit_sample up = kit_sample_now(o);
    kit_load_doubt_fleet(l, &f, KIT_ON_TIME_NS);
    kit_report_set_up(l, &f);
    kit_report_int(r, "setups_per_s", (int64_t)f.came_up * AGW_S(1) / (up.at - begin.at));
    kit_report_cpu(l, &begin, &up, f.came_up, "setup");
    kit_report_usage(l, "gateway_before", &begin);
    kit_report_usage(l, "gateway_with", &up);
    kit_report_open(r, "deletes");
    const kit_sample before = kit_sample_now(o);
    kit_fleet_end(&f);
    const kit_sample gone = kit_sample_now(o);
    kit_report_times(r, "delete", kit_ng_times(l->world.ng, KIT_NG_DELETE));
    kit_report_cpu(l, &before, &gone, f.gone, "delete");
    kit_report_close(r);
    kit_fleet_fini(&f);
}

void kit_mode_setup(kit_load *l)
{
    up_and_down(l, false);
}

void kit_mode_ng(kit_load *l)
{
    up_and_down(l, true);
}

void kit_mode_idle(kit_load *l)
{
    kit_fleet f;
    kit_report *r = &l->report;
    const kit_options *o = &l->options;
    const kit_fleet_config config = {.room = o->calls, .hold = AGW_NEVER};
    kit_fleet_init(&f, &l->world, o, &config);
    const kit_sample before = kit_sample_now(o);
    kit_report_usage(l, "gateway_before", &before);
    kit_fleet_set_up(&f, o->calls);
    kit_world_for(&l->world, o->warm_up);
    const kit_sample with = kit_sample_now(o);
    kit_report_usage(l, "gateway_with", &with);
    kit_world_for(&l->world, o->seconds);
    const kit_sample held = kit_sample_now(o);
    kit_report_usage(l, "gateway_held", &held);
    kit_report_cpu(l, &with, &held, o->calls, "call");
    kit_load_doubt_fleet(l, &f, KIT_ON_TIME_NS);
    kit_report_set_up(l, &f);
    const kit_totals t = kit_fleet_totals(&f);
    kit_report_totals(l, &t);
    kit_fleet_end(&f);
    kit_world_for(&l->world, AGW_S(2)); /* what a gateway tidies up later */
    const kit_sample after = kit_sample_now(o);
    kit_report_usage(l, "gateway_after", &after);
    kit_world_for(&l->world, AGW_S(23)); /* stored replies are forgotten, their memory given back */
    const kit_sample later = kit_sample_now(o);
    kit_report_usage(l, "gateway_later", &later);
    if (held.gateway.threads != 0)
        kit_report_int(r, "rss_bytes_per_call",
                       ((int64_t)held.gateway.rss_bytes - (int64_t)before.gateway.rss_bytes) /
                           o->calls);
    kit_fleet_fini(&f);
}
