/* SPDX-License-Identifier: BSD-3-Clause
 * Modes that go where a gateway breaks: search, overload. */
#include "bench/load/modes.h"

#include <inttypes.h>

enum {
    LOSS_MAX_PPM = 1000,
    TRIES = 4,
    BUSY_PER_MILLE = 900,   /* of a core: nothing is left of it */
    OTHERS_PER_MILLE = 200, /* others that use more can have spoilt a probe */
};

/* What leaves late leaves in bursts, which are harder to carry: a gateway that is well with them is
 * well, up to half a packet time. One that is not would perhaps be, had they been on time. */
static const agw_ns ON_TIME = AGW_MS(2);
static const agw_ns LATE_MAX = AGW_MS(10);

typedef struct probe {
    unsigned calls;
    uint64_t loss_ppm;
    agw_ns p50, p99, gateway_cpu_per_packet;
    kit_shares cpu;
    agw_ns lateness; /* of the generator, p99 */
    bool all_up;
    bool sent;  /* all of it: what the system lost on the generator's side is not the gateway's */
    bool sound; /* sent, and on time */
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
        p.lateness = kit_histogram_at(&f.pacer.lateness, 990);
        p.sent = p.lateness <= LATE_MAX;
        p.sound = p.lateness <= ON_TIME;
        p.cpu = kit_window_shares(l, &w);
        if (w.arrived != 0)
            p.gateway_cpu_per_packet =
                (w.end.gateway.cpu - w.begin.gateway.cpu) / (agw_ns)w.arrived;
        fprintf(
            stderr,
            "load: %u calls: loss %" PRIu64 " ppm, p50 %" PRId64 " us, p99 %" PRId64
            " us, CPU %" PRId64 " ns/packet, of a core: gateway %d, generator %d, others %d per "
            "mille%s\n",
            calls, p.loss_ppm, p.p50 / 1000, p.p99 / 1000, p.gateway_cpu_per_packet, p.cpu.gateway,
            p.cpu.generator, p.cpu.others, p.sound ? "" : " (the generator was late)");
    }
    kit_fleet_end(&f);
    kit_fleet_fini(&f);
    const char *why = kit_load_losses(l); /* this probe's, which answers for them alone */
    if (why != NULL) {
        fprintf(stderr, "load: %u calls: %s\n", calls, why);
        p.sent = p.sound = false;
    }
    return p;
}

static bool is_well(const kit_load *l, const probe *p)
{
    return p->all_up && p->sent && p->loss_ppm < LOSS_MAX_PPM && p->p99 < l->options.p99_limit;
}

static bool is_better(const probe *a, const probe *b)
{
    if (a->all_up != b->all_up)
        return a->all_up;
    if (a->sound != b->sound)
        return a->sound;
    return a->loss_ppm != b->loss_ppm ? a->loss_ppm < b->loss_ppm : a->p99 < b->p99;
}

/* Others on the machine can spoil a probe, none can improve it: what is bad must be so twice, and
 * where the generator did not do its part though it had time, it is asked more often. */
static probe try_calls(kit_load *l, unsigned calls)
{
    probe best = try_once(l, calls);
    for (unsigned tries = 1; tries < TRIES && !is_well(l, &best); tries++) {
        const bool disturbed =
            !best.sound && best.cpu.generator < BUSY_PER_MILLE && best.cpu.gateway < BUSY_PER_MILLE;
        if (tries >= 2 && !disturbed)
            break;
        const probe next = try_once(l, calls);
        if (is_better(&next, &best))
            best = next;
    }
    return best;
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
    probe good, bad; /* calls = 0: there is none yet */
} bracket;

static void learn(const kit_load *l, bracket *b, judge good, const probe *p)
{
    const bool is_good = good(l, p) && p->sent;
    const bool below_bad = b->bad.calls == 0 || p->calls < b->bad.calls;
    if (p->calls > b->good.calls && below_bad)
        *(is_good ? &b->good : &b->bad) = *p;
}

/* Why the search went no further. Judged by who had no CPU time left; a failure that nobody's lack
 * of time explains is the gateway's, unless there were others who can have held it up. */
static const char *bound_of(const probe *bad)
{
    const bool gateway_busy = bad->cpu.gateway >= BUSY_PER_MILLE;
    if (!bad->all_up || (gateway_busy && bad->cpu.generator < BUSY_PER_MILLE))
        return "gateway";
    if (!bad->sound)
        return bad->cpu.generator >= BUSY_PER_MILLE ? "generator" : "others";
    return gateway_busy || bad->cpu.others < OTHERS_PER_MILLE ? "gateway" : "others";
}

/* Between the largest good and the smallest bad number; 0 = near enough. */
static unsigned next_of(const kit_load *l, const bracket *b)
{
    if (b->bad.calls == 0 || b->good.calls == 0)
        return 0;
    const unsigned gap = b->bad.calls - b->good.calls;
    return gap * 100 > b->good.calls * l->options.step_percent && gap > 1 ? b->good.calls + gap / 2
                                                                          : 0;
}

static void report_shares(kit_report *r, const char *name, const kit_shares *s)
{
    kit_report_open(r, name);
    kit_report_int(r, "gateway_per_mille_of_a_core", s->gateway);
    kit_report_int(r, "generator_per_mille_of_a_core", s->generator);
    kit_report_int(r, "others_per_mille_of_a_core", s->others);
    kit_report_close(r);
}

static void report_bracket(kit_load *l, const char *name, const bracket *b)
{
    kit_report *r = &l->report;
    kit_report_open(r, name);
    kit_report_int(r, "calls", b->good.calls);
    kit_report_int(r, "too_many", b->bad.calls);
    kit_report_text(r, "bounded_by", bound_of(&b->bad));
    kit_report_int(r, "loss_ppm", (int64_t)b->good.loss_ppm);
    kit_report_int(r, "p50_ns", b->good.p50);
    kit_report_int(r, "p99_ns", b->good.p99);
    kit_report_int(r, "gateway_cpu_ns_per_packet", b->good.gateway_cpu_per_packet);
    kit_report_int(r, "generator_lateness_p99_ns", b->good.lateness);
    report_shares(r, "cpu", &b->good.cpu);
    report_shares(r, "cpu_at_too_many", &b->bad.cpu);
    kit_report_close(r);
}

/* Up by a quarter until packets are lost, then closer from both sides. */
void kit_mode_search(kit_load *l)
{
    bracket prompt = {.bad.calls = 0};
    bracket lossless = {.bad.calls = 0};
    unsigned probes = 0;
    for (unsigned n = l->options.calls; lossless.bad.calls == 0; n += n / 4 + 1, probes++) {
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

/* --- overload ----------------------------------------------------------------------------------
 */

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
    *w = (kit_window){.begin = kit_sample_now(o)};
    const uint64_t before = kit_fleet_totals(base).arrived;
    kit_fleet_start(extra, n, 0, (unsigned)((agw_ns)n * AGW_S(1) / o->over) + 1);
    kit_world_for(&l->world, o->over);
    kit_fleet_await(extra);
    w->end = kit_sample_now(o);
    w->arrived = kit_fleet_totals(base).arrived + kit_fleet_totals(extra).arrived - before;
    w->sent = w->arrived;
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
    kit_load_doubt_fleet(l, &base);
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
    kit_load_doubt_fleet(l, &base);
    kit_load_doubt(l, extra.not_started != 0, "calls could not be started on time");
    kit_fleet_end(&base);
    kit_fleet_fini(&extra);
    kit_fleet_fini(&base);
}
