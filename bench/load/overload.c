/* SPDX-License-Identifier: BSD-3-Clause
 * The mode overload: far more new calls than fit, and back. */
#include "bench/load/modes.h"

#include <inttypes.h>

static const agw_ns SLICE = AGW_MS(100); /* of the time after, in which it is looked for recovery */
static const agw_ns GIVE_UP = AGW_S(30);

typedef struct recovery {
    agw_ns prompt, admits; /* since the extra calls fell silent; AGW_NEVER = it did not happen */
} recovery;

static void report_phase(kit_load *l, const char *name, const kit_window *w, const kit_fleet *f)
{
    kit_report *r = &l->report;
    const kit_histogram h = kit_fleet_latency(f);
    kit_report_open(r, name);
    kit_report_window(l, w);
    kit_report_latency(l, f);
    kit_report_close(r);
    fprintf(stderr, "load: %s: p50 %" PRId64 " us, p99 %" PRId64 " us\n", name,
            kit_histogram_at(&h, 500) / 1000, kit_histogram_at(&h, 990) / 1000);
}

static void report_loss(kit_load *l, const char *name, const kit_totals *t)
{
    kit_report *r = &l->report;
    kit_report_open(r, name);
    kit_report_totals(l, t);
    kit_report_close(r);
    fprintf(stderr, "load: %s: loss %" PRIu64 " ppm, longest gap %" PRId64 " ms\n", name,
            kit_loss_ppm(t), t->longest_gap / AGW_MS(1));
}

static void report_attempts(kit_load *l, const kit_fleet *extra)
{
    kit_report *r = &l->report;
    kit_report_int(r, "refused", (int64_t)extra->refused);
    kit_report_int(r, "urgent", (int64_t)extra->urgent);
    kit_report_int(r, "urgent_up", (int64_t)extra->urgent_up);
    kit_report_set_up(l, extra);
    fprintf(stderr,
            "load: %" PRIu64 " calls tried: %" PRIu64 " up, %" PRIu64 " refused, %" PRIu64
            " failed; %" PRIu64 " of %" PRIu64 " urgent ones up\n",
            extra->started, extra->came_up, extra->refused, extra->failed, extra->urgent_up,
            extra->urgent);
}

/* New calls at a rate that would be times as many at the end. Latency of the calls that stood
 * before is what is told; all that came in talks until the end. */
static void run_over(kit_load *l, kit_fleet *base, kit_fleet *extra, kit_window *w)
{
    const kit_options *o = &l->options;
    const unsigned n = o->calls * o->times;
    kit_window_open(w, o, base);
    kit_fleet_start(extra, n, 0, (unsigned)((agw_ns)n * AGW_S(1) / o->over) + 1);
    kit_world_for(&l->world, o->over);
    kit_fleet_await(extra);
    kit_window_close(w, o, base);
    w->arrived += extra->arrived;
    w->sent += extra->sent;
}

static bool is_as_before(const kit_fleet *base, agw_ns p99_before)
{
    const kit_histogram h = kit_fleet_latency(base);
    return h.count != 0 && kit_histogram_at(&h, 990) <= 2 * p99_before + AGW_MS(1);
}

/* Ends the extra calls, then tries one new call a slice until one comes in and media is as before.
 */
static recovery await_recovery(kit_load *l, kit_fleet *base, kit_fleet *extra, agw_ns p99_before)
{
    kit_fleet probes;
    recovery found = {AGW_NEVER, AGW_NEVER};
    const kit_fleet_config config = {.room = (unsigned)(GIVE_UP / SLICE) + 1, .hold = AGW_NEVER};
    kit_fleet_init(&probes, &l->world, &l->options, &config);
    const agw_ns from = l->world.now;
    kit_fleet_hush(extra);
    kit_fleet_end(extra);
    l->world.tick = l->options.tick; /* the others go on */
    while ((found.prompt == AGW_NEVER || found.admits == AGW_NEVER) &&
           l->world.now - from < GIVE_UP) {
        kit_histogram_clear(&base->latency[KIT_A]);
        kit_histogram_clear(&base->latency[KIT_B]);
        if (found.admits == AGW_NEVER)
            kit_fleet_start(&probes, 1, config.room, 0);
        kit_world_for(&l->world, SLICE);
        if (found.admits == AGW_NEVER && probes.came_up != 0)
            found.admits = l->world.now - from;
        if (found.prompt == AGW_NEVER && is_as_before(base, p99_before))
            found.prompt = l->world.now - from;
    }
    kit_fleet_end(&probes);
    kit_fleet_fini(&probes);
    l->world.tick = l->options.tick;
    return found;
}

static void report_recovery(kit_load *l, const recovery *found)
{
    kit_report *r = &l->report;
    const agw_ns later = found->prompt > found->admits ? found->prompt : found->admits;
    kit_report_open(r, "recovery");
    kit_report_int(r, "prompt_after_ns", found->prompt != AGW_NEVER ? found->prompt : -1);
    kit_report_int(r, "admits_after_ns", found->admits != AGW_NEVER ? found->admits : -1);
    kit_report_int(r, "after_ns", later != AGW_NEVER ? later : -1);
    kit_report_close(r);
    fprintf(stderr,
            "load: media as before after %" PRId64 " ms, a new call after %" PRId64
            " ms (negative: not)\n",
            found->prompt != AGW_NEVER ? found->prompt / AGW_MS(1) : -1,
            found->admits != AGW_NEVER ? found->admits / AGW_MS(1) : -1);
}

/* Talkers, and far too many new calls for a while, some of them emergencies. The talkers never
 * pause between the first of those and the end: their loss is that of all this time. */
void kit_mode_overload(kit_load *l)
{
    kit_fleet base;
    kit_fleet extra;
    kit_window w;
    const kit_options *o = &l->options;
    const kit_fleet_config config = {.room = o->calls, .hold = AGW_NEVER};
    const kit_fleet_config many = {.room = o->calls * o->times,
                                   .hold = AGW_NEVER,
                                   .talks = true,
                                   .urgent_percent = o->urgent_percent};
    kit_fleet_init(&base, &l->world, o, &config);
    kit_fleet_init(&extra, &l->world, o, &many);
    kit_fleet_set_up(&base, o->calls);
    kit_fleet_talk(&base);
    kit_window_run(l, &base, NULL, &w);
    report_phase(l, "before", &w, &base);
    kit_load_doubt_fleet(l, &base, KIT_IN_BURSTS_NS);
    const kit_histogram before = kit_fleet_latency(&base);

    kit_fleet_restart(&base);
    run_over(l, &base, &extra, &w);
    report_phase(l, "over", &w, &base);
    kit_report_open(&l->report, "attempts");
    report_attempts(l, &extra);
    kit_report_close(&l->report);
    const recovery found = await_recovery(l, &base, &extra, kit_histogram_at(&before, 990));
    report_recovery(l, &found);

    kit_fleet_hush(&base);
    kit_fleet_drain(&base);
    const kit_totals t = kit_fleet_totals(&base);
    report_loss(l, "talkers", &t);
    kit_load_doubt_fleet(l, &base, KIT_IN_BURSTS_NS);
    kit_load_doubt(l, extra.not_started != 0, "calls could not be started on time");
    kit_fleet_end(&base);
    kit_fleet_fini(&extra);
    kit_fleet_fini(&base);
}
