/* SPDX-License-Identifier: BSD-3-Clause
 * Modes that go where a gateway breaks: search, overload. */
#include "bench/load/modes.h"

#include <inttypes.h>

enum { LOSS_MAX_PPM = 1000 };

typedef struct probe {
    unsigned calls;
    uint64_t loss_ppm;
    agw_ns p50, p99, gateway_cpu_per_packet;
    bool all_up, sound; /* sound: the generator did what it should */
} probe;

/* New calls each time: a gateway that has given up some streams must not spoil the next probe. */
static probe try_once(kit_load *l, unsigned calls)
{
    kit_fleet f;
    kit_window w;
    probe p = {.calls = calls};
    const kit_fleet_config config = {.room = calls, .hold = AGW_NEVER};
    kit_fleet_init(&f, &l->world, &l->options, &config);
    p.all_up = kit_fleet_set_up(&f, calls);
    if (p.all_up) {
        kit_fleet_talk(&f);
        kit_window_run(l, &f, NULL, &w);
        kit_fleet_hush(&f);
        kit_fleet_drain(&f);
        const kit_totals t = kit_fleet_totals(&f);
        const kit_histogram h = kit_fleet_latency(&f);
        p.loss_ppm = kit_loss_ppm(&t);
        p.p50 = kit_histogram_at(&h, 500);
        p.p99 = kit_histogram_at(&h, 990);
        p.sound = kit_histogram_at(&f.pacer.lateness, 990) <= AGW_MS(2);
        if (w.arrived != 0)
            p.gateway_cpu_per_packet =
                (w.end.gateway.cpu - w.begin.gateway.cpu) / (agw_ns)w.arrived;
        fprintf(stderr,
                "load: %u calls: loss %" PRIu64 " ppm, p50 %" PRId64 " us, p99 %" PRId64
                " us, CPU %" PRId64 " ns/packet%s\n",
                calls, p.loss_ppm, p.p50 / 1000, p.p99 / 1000, p.gateway_cpu_per_packet,
                p.sound ? "" : " (the generator was late)");
    }
    kit_fleet_end(&f);
    kit_fleet_fini(&f);
    const char *why = kit_load_losses(l); /* this probe's, which answers for them alone */
    if (why != NULL) {
        fprintf(stderr, "load: %u calls: %s\n", calls, why);
        p.sound = false;
    }
    return p;
}

static bool is_well(const kit_load *l, const probe *p)
{
    return p->all_up && p->sound && p->loss_ppm < LOSS_MAX_PPM && p->p99 < l->options.p99_limit;
}

/* Others on the machine can spoil a probe, none can improve it: what is bad must be so twice. */
static probe try_calls(kit_load *l, unsigned calls)
{
    const probe first = try_once(l, calls);
    if (is_well(l, &first))
        return first;
    const probe second = try_once(l, calls);
    if (first.all_up != second.all_up)
        return first.all_up ? first : second;
    if (first.sound != second.sound)
        return first.sound ? first : second;
    const bool less_loss = second.loss_ppm < first.loss_ppm;
    const bool prompter = second.loss_ppm == first.loss_ppm && second.p99 < first.p99;
    return less_loss || prompter ? second : first;
}

typedef bool (*judge)(const kit_load *l, const probe *p);

static bool loses_little(const kit_load *l, const probe *p)
{
    (void)l;
    return p->all_up && p->loss_ppm < LOSS_MAX_PPM;
}

static bool is_prompt(const kit_load *l, const probe *p)
{
    return loses_little(l, p) && p->p99 < l->options.p99_limit;
}

typedef struct bracket {
    probe good;
    unsigned bad; /* calls; 0 = none was bad yet */
    bool generator_failed;
} bracket;

static void learn(const kit_load *l, bracket *b, judge good, const probe *p)
{
    if (p->all_up && !p->sound)
        b->generator_failed = true; /* neither good nor bad: the search ends below it */
    else if (good(l, p) && p->calls > b->good.calls && (b->bad == 0 || p->calls < b->bad))
        b->good = *p;
    const bool is_bad = !good(l, p) || !p->sound;
    if (is_bad && p->calls > b->good.calls && (b->bad == 0 || p->calls < b->bad))
        b->bad = p->calls;
}

/* Between the largest good and the smallest bad number; 0 = near enough. */
static unsigned next_of(const kit_load *l, const bracket *b)
{
    if (b->bad == 0 || b->good.calls == 0)
        return 0;
    const unsigned gap = b->bad - b->good.calls;
    return gap * 100 > b->good.calls * l->options.step_percent && gap > 1 ? b->good.calls + gap / 2
                                                                          : 0;
}

static void report_bracket(kit_load *l, const char *name, const bracket *b)
{
    kit_report *r = &l->report;
    kit_report_open(r, name);
    kit_report_int(r, "calls", b->good.calls);
    kit_report_int(r, "too_many", b->bad);
    kit_report_bool(r, "bounded_by_generator", b->generator_failed);
    kit_report_int(r, "loss_ppm", (int64_t)b->good.loss_ppm);
    kit_report_int(r, "p50_ns", b->good.p50);
    kit_report_int(r, "p99_ns", b->good.p99);
    kit_report_int(r, "gateway_cpu_ns_per_packet", b->good.gateway_cpu_per_packet);
    kit_report_close(r);
}

/* Up by a quarter until packets are lost, then closer from both sides. */
void kit_mode_search(kit_load *l)
{
    bracket prompt = {.bad = 0};
    bracket lossless = {.bad = 0};
    unsigned probes = 0;
    for (unsigned n = l->options.calls; lossless.bad == 0; n += n / 4 + 1, probes++) {
        const probe p = try_calls(l, n);
        learn(l, &prompt, is_prompt, &p);
        learn(l, &lossless, loses_little, &p);
    }
    for (unsigned n; (n = next_of(l, &prompt)) != 0 || (n = next_of(l, &lossless)) != 0; probes++) {
        const probe p = try_calls(l, n);
        learn(l, &prompt, is_prompt, &p);
        learn(l, &lossless, loses_little, &p);
    }
    kit_load_doubt(l, prompt.good.calls == 0,
                   "the first number of calls is too many: less --calls");
    kit_report_int(&l->report, "probes", probes);
    kit_report_int(&l->report, "p99_limit_ns", l->options.p99_limit);
    report_bracket(l, "loss_and_p99", &prompt);
    report_bracket(l, "loss_only", &lossless);
}

static void report_phase(kit_load *l, const char *name, const kit_window *w, const kit_fleet *f)
{
    kit_report *r = &l->report;
    const kit_totals t = kit_fleet_totals(f);
    kit_report_open(r, name);
    kit_report_window(l, w);
    kit_report_int(r, "packets_due", (int64_t)t.due);
    kit_report_int(r, "lost", (int64_t)t.lost);
    kit_report_int(r, "loss_ppm", (int64_t)kit_loss_ppm(&t));
    kit_report_latency(l, f);
    kit_report_close(r);
    const kit_histogram h = kit_fleet_latency(f);
    fprintf(stderr, "load: %s: loss %" PRIu64 " ppm, p99 %" PRId64 " us\n", name, kit_loss_ppm(&t),
            kit_histogram_at(&h, 990) / 1000);
}

/* The loss of the middle is that of the calls which are there only then: they end with it, so that
 * all of their packets have had their time. The others never pause before the last window. */
void kit_mode_overload(kit_load *l)
{
    kit_fleet base;
    kit_fleet extra;
    kit_window w;
    const kit_options *o = &l->options;
    const kit_fleet_config config = {.room = o->calls, .hold = AGW_NEVER};
    kit_fleet_init(&base, &l->world, o, &config);
    kit_fleet_init(&extra, &l->world, o, &config);
    kit_fleet_set_up(&base, o->calls);
    kit_fleet_set_up(&extra, o->calls);
    kit_fleet_talk(&base);
    kit_window_run(l, &base, NULL, &w);
    kit_fleet_hush(&base);
    kit_fleet_drain(&base);
    report_phase(l, "before", &w, &base);
    kit_load_doubt_fleet(l, &base);

    kit_fleet_talk(&base);
    kit_fleet_talk(&extra);
    kit_window_run(l, &base, &extra, &w);
    kit_fleet_hush(&extra);
    kit_load_doubt_fleet(l, &base);
    kit_load_doubt_fleet(l, &extra);
    const kit_window middle = w;
    kit_window_run(l, &base, NULL, &w); /* warms up, that is, lets the queues run empty */
    kit_fleet_hush(&base);
    kit_fleet_drain(&base);
    report_phase(l, "over", &middle, &extra);
    report_phase(l, "after", &w, &base);
    kit_load_doubt_fleet(l, &base);
    const kit_totals t = kit_fleet_totals(&base);
    const kit_histogram h = kit_fleet_latency(&base);
    kit_report_bool(&l->report, "recovered",
                    kit_loss_ppm(&t) < LOSS_MAX_PPM && kit_histogram_at(&h, 990) < o->p99_limit);
    kit_fleet_end(&extra);
    kit_fleet_end(&base);
    kit_fleet_fini(&extra);
    kit_fleet_fini(&base);
}
