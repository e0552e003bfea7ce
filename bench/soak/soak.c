/* SPDX-License-Identifier: BSD-3-Clause
 * soak: calls of every kind for a long time, and pauses in which the gateway must be as it was. */
#include "bench/soak/run.h"

#include "bench/kit/usage.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
    VIDEO_PERCENT = 10,
    STEADY_LOOKS = 2,
    PATIENCE_S = 60,       /* for the last calls to end, and for descriptors to be steady */
    PROGRESS_CALLS = 1000, /* a line on stderr each */
    MISSED_PART = 1000,    /* this side may miss one packet in so many */
};
static const agw_ns TICK = AGW_US(500);

/* --- which call comes next --- */

/* Scenario and kind number i of the first round; false: it is over. */
static bool first_round(size_t i, const soak_scenario **scenario, kit_call_kind *kind)
{
    for (size_t n = 0; n < KIT_SOAK_SCENARIO_COUNT; n++) {
        for (kit_call_kind k = KIT_CALL_WEBRTC_RTP; k <= KIT_CALL_RTP_RTP; k++) {
            if ((KIT_SOAK_SCENARIOS[n].kinds >> k & 1) == 0)
                continue;
            if (i == 0) {
                *scenario = &KIT_SOAK_SCENARIOS[n];
                *kind = k;
                return true;
            }
            i--;
        }
    }
    return false;
}

static const soak_scenario *random_scenario(soak *s)
{
    unsigned sum = 0;
    for (size_t i = 0; i < KIT_SOAK_SCENARIO_COUNT; i++)
        sum += KIT_SOAK_SCENARIOS[i].weight;
    unsigned left = kit_soak_pick(s, sum);
    const soak_scenario *at = KIT_SOAK_SCENARIOS;
    while (left >= at->weight) {
        left -= at->weight;
        at++;
    }
    return at;
}

static kit_call_kind random_kind(soak *s, unsigned kinds)
{
    kit_call_kind kind;
    do
        kind = (kit_call_kind)kit_soak_pick(s, 3);
    while ((kinds >> kind & 1) == 0);
    return kind;
}

static void begin_call(soak_run *r)
{
    soak *s = &r->soak;
    const soak_scenario *scenario = s->options.only_scenario;
    kit_call_kind kind;
    if (scenario != NULL) {
        kind = random_kind(s, scenario->kinds);
    } else if (first_round(r->covered, &scenario, &kind)) {
        r->covered++;
    } else {
        scenario = random_scenario(s);
        kind = random_kind(s, scenario->kinds);
    }
    const bool video = scenario->video && kit_soak_pick(s, 100) < VIDEO_PERCENT;
    kit_soak_call_start(s, scenario, kind, video, (uint32_t)s->books.begun);
    if (s->books.begun % PROGRESS_CALLS == 0)
        fprintf(stderr, "%" PRIu64 " calls begun, %u running, %" PRIu64 " failed\n", s->books.begun,
                s->running, s->books.failed);
}

/* --- the course --- */

static agw_ns gap(soak *s) /* of a Poisson process */
{
    return (agw_ns)(-log(1 - kit_soak_random(s)) * 1e9 / s->options.rate);
}

static bool is_over(const soak_run *r)
{
    return r->doubt != NULL || r->watch.silent;
}

/* Until so many calls have begun, and all have ended. */
static void run_until(soak_run *r, uint64_t calls)
{
    soak *s = &r->soak;
    r->next_at = s->world.now;
    while (!is_over(r) && (s->books.begun < calls || s->running > 0)) {
        while (s->books.begun < calls && s->running < s->options.concurrent &&
               r->next_at <= s->world.now) {
            begin_call(r);
            r->next_at += gap(s);
        }
        const bool full = s->running >= s->options.concurrent || s->books.begun >= calls;
        kit_world_turn(&s->world, full ? s->world.now + AGW_MS(10) : r->next_at);
        if (s->running >= s->options.concurrent)
            r->next_at = s->world.now; /* not to be made up for */
    }
}

typedef struct idle {
    const soak_run *run;
    agw_ns until;
} idle;

/* The last look was behind the end of the last call, and saw nothing of it. */
static bool is_still(void *owner)
{
    const idle *p = owner;
    const soak_watch *w = &p->run->watch;
    return is_over(p->run) ||
           (p->run->soak.world.now >= p->until && w->looks > 0 && w->steady >= STEADY_LOOKS &&
            w->now.ended == p->run->soak.books.ended && w->now.sessions == 0 &&
            w->now.transports == 0 && w->now.ports_used == 0);
}

/* Nothing happens until the gateway has come to rest; that is an idle point. What has not come to
 * rest by then is seen by the judge. */
static void rest(soak_run *r)
{
    soak *s = &r->soak;
    idle p = {.run = r, .until = s->world.now + s->options.idle_length};
    (void)kit_world_until(&s->world, is_still, &p, s->options.idle_length + AGW_S(PATIENCE_S));
    kit_soak_watch_mark(&r->watch);
    r->points[r->n_points++] = r->watch.now;
    const soak_sample *at = &r->watch.now;
    fprintf(stderr,
            "idle after %" PRIu64 " calls, %.0f s: RSS %.1f MB, heap in use %" PRIu64
            " bytes, %u descriptors, %u UDP sockets\n",
            at->ended, (double)at->at / 1e9, (double)at->rss_bytes / 1e6, at->heap_used_bytes,
            at->fds, at->sockets);
}

static void run(soak_run *r)
{
    const soak_options *o = &r->soak.options;
    r->backlog_before = kit_usage_backlog_drops();
    rest(r);
    for (uint32_t i = 1; i <= o->idle_points && !is_over(r); i++) {
        run_until(r, (uint64_t)o->calls * i / o->idle_points);
        rest(r);
    }
    r->wire = kit_wire_get_stats(r->soak.world.wire);
    r->backlog_drops = kit_usage_backlog_drops() - r->backlog_before;
    if (r->watch.silent)
        kit_soak_complain(&r->verdict, "the gateway does not answer any more (state %c)",
                          r->watch.state);
    else if ((r->wire.missed + r->wire.send_failed) * MISSED_PART > r->wire.received)
        r->doubt = "this side has missed too much: too little CPU, or too high a rate";
    kit_soak_close_books(r);
}

static bool open_all(soak_run *r)
{
    soak *s = &r->soak;
    const char *why = NULL;
    if (kit_world_open(&s->world, &s->options.world, &why) == AGW_OK) {
        s->world.tick = TICK;
        s->random = s->options.seed;
        s->dtls = agw_dtls_ctx_new(agw_cert_new(), NULL);
        why = "OpenSSL refuses a certificate";
        if (s->dtls != NULL) {
            why = "the file for samples cannot be written";
            if (kit_soak_watch_start(&r->watch, s))
                return true;
        }
        kit_world_close(&s->world);
    }
    fprintf(stderr, "soak: %s\n", why);
    return false;
}

int main(int argc, char *argv[])
{
    static soak_run r;
    if (argc < 2 || !kit_soak_options_parse(&r.soak.options, argc, argv)) {
        kit_soak_usage(stderr);
        return 2;
    }
    if (!open_all(&r))
        return 2;
    run(&r);
    kit_soak_report(&r, stdout);
    kit_soak_watch_stop(&r.watch);
    agw_dtls_ctx_unref(r.soak.dtls);
    kit_world_close(&r.soak.world);
    if (r.doubt != NULL)
        return 2;
    return r.verdict.count == 0 ? 0 : 1;
}
