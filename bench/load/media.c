/* SPDX-License-Identifier: BSD-3-Clause
 * Modes with a fixed number of talking calls: media, selftest. */
#include "bench/load/modes.h"

static void report_memory(kit_load *l, const kit_sample *before, const kit_sample *with)
{
    kit_report_usage(l, "gateway_before", before);
    kit_report_usage(l, "gateway_with", with);
    if (with->gateway.threads != 0)
        kit_report_int(&l->report, "rss_bytes_per_call",
                       ((int64_t)with->gateway.rss_bytes - (int64_t)before->gateway.rss_bytes) /
                           l->options.calls);
}

/* Calls, media, one window; the media is over and has arrived, the calls are still up. */
static void run_media(kit_load *l, kit_fleet *f, kit_window *w)
{
    const kit_sample before = kit_sample_now(&l->options);
    kit_fleet_set_up(f, l->options.calls);
    kit_fleet_talk(f);
    kit_window_run(l, f, NULL, w);
    kit_fleet_hush(f);
    kit_fleet_drain(f);
    const kit_sample with = kit_sample_now(&l->options);
    report_memory(l, &before, &with);
    /* where packets end in a jitter buffer, the gateway's work does not depend on when they come */
    kit_load_doubt_fleet(l, f, l->options.pair != NULL ? KIT_VOICE_NS : KIT_ON_TIME_NS);
}

void kit_mode_media(kit_load *l)
{
    kit_fleet f;
    kit_window w;
    const kit_fleet_config config = {.room = l->options.calls, .hold = AGW_NEVER};
    kit_fleet_init(&f, &l->world, &l->options, &config);
    run_media(l, &f, &w);
    const kit_totals t = kit_fleet_totals(&f);
    kit_report_window(l, &w);
    kit_report_totals(l, &t);
    kit_report_latency(l, &f);
    kit_tell("media", &f, &t);
    kit_report_verdict(l, &w, &f, f.came_up == f.started);
    kit_fleet_end(&f);
    kit_report_open(&l->report, "set_up");
    kit_report_set_up(l, &f);
    kit_report_close(&l->report);
    kit_fleet_fini(&f);
}

/* The whole run counts, and everything that was spoilt must be found and nothing else. */
void kit_mode_selftest(kit_load *l)
{
    kit_fleet f;
    const kit_fleet_config config = {.room = l->options.calls, .hold = AGW_NEVER, .spoils = true};
    kit_fleet_init(&f, &l->world, &l->options, &config);
    kit_fleet_set_up(&f, l->options.calls);
    kit_fleet_talk(&f);
    kit_world_for(&l->world, l->options.seconds);
    kit_fleet_hush(&f);
    kit_fleet_drain(&f);
    kit_load_doubt(l, f.failed != 0, "calls did not come up"); /* time does not matter here */
    kit_fleet_end(&f);
    const kit_totals t = kit_fleet_totals(&f);
    kit_report *r = &l->report;
    kit_report_totals(l, &t);
    kit_report_open(r, "spoilt");
    for (unsigned i = 0; i < KIT_SPOILS; i++)
        kit_report_int(r, kit_spoil_text((kit_spoil)i), (int64_t)t.spoilt[i]);
    kit_report_close(r);
    const uint64_t *spoilt = t.spoilt;
    uint64_t all = 0;
    for (unsigned i = 0; i < KIT_SPOILS; i++) {
        all += spoilt[i];
        kit_load_doubt(l, spoilt[i] == 0, "too few packets: nothing of one kind was spoilt");
    }
    kit_load_doubt(l, all * 1000 < t.arrived * 5, "less than half a percent was spoilt");
    kit_load_doubt(l,
                   t.found[KIT_CORRUPT] != spoilt[KIT_SPOIL_CORRUPT] ||
                       t.found[KIT_HEADER] != spoilt[KIT_SPOIL_HEADER] ||
                       t.found[KIT_DUPLICATE] != spoilt[KIT_SPOIL_DUPLICATE] ||
                       t.found[KIT_LATE] != spoilt[KIT_SPOIL_SWAP] || t.found[KIT_FOREIGN] != 0 ||
                       t.lost != spoilt[KIT_SPOIL_CORRUPT] + spoilt[KIT_SPOIL_HEADER] +
                                     spoilt[KIT_SPOIL_DROP],
                   "what was found is not what was spoilt");
    kit_fleet_fini(&f);
}
