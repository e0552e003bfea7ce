/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/fleet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    AUDIO_HZ = 8000,
    VIDEO_HZ = 90000,
    AUDIO_BYTES = 160,
    VIDEO_BYTES = 1200,
    VIDEO_BURST = 10, /* packets of a frame, 25 frames a second */
    SPOIL_PER_MILLE = 10,
};
static const agw_ns AUDIO_PERIOD = AGW_MS(20);
static const agw_ns VIDEO_PERIOD = AGW_MS(40);
static const agw_ns RTCP_EVERY = AGW_S(5);
static const agw_ns REPORT_WITHIN = AGW_S(1); /* an encoder learns how its packets come through */
static const agw_ns LINGER = AGW_MS(200);     /* between a call's last packet and its delete */

static unsigned burst_of(const kit_options *o)
{
    return o->video ? VIDEO_BURST : 1;
}

/* Each stream sends a packet or a burst once in it. */
static agw_ns period_of(const kit_options *o)
{
    if (o->pps != 0)
        return AGW_S(2) * o->calls * burst_of(o) / o->pps;
    return o->video ? VIDEO_PERIOD : AUDIO_PERIOD;
}

static uint32_t timestamp_step_of(const kit_options *o)
{
    return (uint32_t)(period_of(o) * (o->video ? VIDEO_HZ : AUDIO_HZ) / AGW_S(1));
}

static void send_stream(void *stream)
{
    const kit_seat *seat = stream;
    unsigned n = seat->call->config.burst > 1 ? seat->call->config.burst : 1;
    kit_member *m = seat->call->config.owner;
    while (n-- > 0 && kit_call_send(seat->call, seat->side))
        m->fleet->sent++;
}

static agw_srtp_suite suite_of(const kit_options *o)
{
    return agw_srtp_suite_by_sdes(o->suite_text, strlen(o->suite_text));
}

static void count_arrival(kit_call *call, kit_side at, const uint8_t *rtp, size_t len,
                          kit_finding finding)
{
    (void)at, (void)rtp, (void)len, (void)finding;
    kit_member *m = call->config.owner;
    m->fleet->arrived++;
}

static agw_dtls_ctx *new_dtls(const kit_options *o)
{
    agw_cert *cert = agw_cert_new();
    AGW_ASSERT(cert != NULL);
    agw_dtls_ctx *ctx = agw_dtls_ctx_new(cert, agw_srtp_suite_get(suite_of(o))->use_srtp);
    AGW_ASSERT(ctx != NULL);
    return ctx;
}

void kit_fleet_init(kit_fleet *f, kit_world *world, const kit_options *options,
                    const kit_fleet_config *config)
{
    memset(f, 0, sizeof *f);
    f->world = world;
    f->options = options;
    f->config = *config;
    f->dtls = new_dtls(options);
    const kit_pacer_config pacer = {.period = period_of(options),
                                    .slots = 2 * (size_t)config->room,
                                    .tick = options->tick,
                                    .send = send_stream};
    kit_pacer_init(&f->pacer, world, &pacer);
    f->members = calloc(config->room, sizeof *f->members);
    AGW_ASSERT(f->members != NULL);
    for (unsigned i = config->room; i-- > 0;) {
        f->members[i].fleet = f;
        f->members[i].next_free = f->free;
        f->free = &f->members[i];
    }
}

void kit_fleet_fini(kit_fleet *f)
{
    kit_world_cancel(f->world, &f->start_timer);
    for (unsigned i = 0; i < f->config.room; i++) {
        kit_member *m = &f->members[i];
        kit_world_cancel(f->world, &m->timer);
        kit_call_fini(&m->call);
        free(m->spoiler[KIT_A]);
        free(m->spoiler[KIT_B]);
    }
    kit_pacer_fini(&f->pacer);
    free(f->members);
    agw_dtls_ctx_unref(f->dtls);
}

/* --- media -------------------------------------------------------------------------------------
 */

static void begin_talk(kit_member *m)
{
    if (m->talks || m->call.state != KIT_CALL_UP)
        return;
    m->talks = true;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        if (m->fleet->options->hushed[side])
            continue;
        m->stream[side] = (kit_seat){.call = &m->call, .side = side};
        m->slot[side] = kit_pacer_join(&m->fleet->pacer, &m->stream[side]);
    }
}

static void end_talk(kit_member *m)
{
    if (!m->talks)
        return;
    m->talks = false;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        if (!m->fleet->options->hushed[side])
            kit_pacer_leave(&m->fleet->pacer, m->slot[side]);
    }
}

void kit_fleet_talk(kit_fleet *f)
{
    f->world->tick = f->options->tick;
    for (unsigned i = 0; i < f->config.room; i++)
        begin_talk(&f->members[i]);
}

void kit_fleet_hush(kit_fleet *f)
{
    for (unsigned i = 0; i < f->config.room; i++)
        end_talk(&f->members[i]);
}

/* --- the end of calls --------------------------------------------------------------------------
 */

static void add_stats(kit_browser_stats *sum, const kit_browser_stats *s)
{
    sum->checks_sent += s->checks_sent;
    sum->checks_answered += s->checks_answered;
    sum->checks_taken += s->checks_taken;
    sum->stun_bad += s->stun_bad;
    sum->dtls_dropped += s->dtls_dropped;
    sum->unknown += s->unknown;
    sum->other_source += s->other_source;
}

static void add_side(kit_totals *t, const kit_call *call, kit_side at)
{
    const kit_checker *c = &call->checker[at];
    const kit_srtp *srtp = call->is_browser[at] ? &call->browser.srtp : &call->phone[at].srtp;
    const uint64_t sent = call->sender[at == KIT_A ? KIT_B : KIT_A].sent;
    t->sent += sent;
    t->arrived += c->arrived;
    t->lost += kit_checker_lost(c, sent);
    const uint64_t end = c->voice_hz != 0 ? c->next : sent;
    t->due += end > c->first ? end - c->first : 0;
    for (unsigned i = 0; i < KIT_FINDINGS; i++)
        t->found[i] += c->found[i];
    for (unsigned i = 0; c->spoiler != NULL && i < KIT_SPOILS; i++)
        t->spoilt[i] += c->spoiler->done[i];
    t->rtcp_sent[at] += call->rtcp_sent[at];
    t->sr_seen[at] += call->sr_seen[at];
    t->rr_seen[at] += call->rr_seen[at];
    t->rtcp_bad[at] += call->rtcp_bad[at];
    t->auth_failed += srtp->auth_failed;
    t->replayed += srtp->replayed;
    t->phone_other_source += call->phone[at].other_source;
    if (c->longest_gap > t->longest_gap)
        t->longest_gap = c->longest_gap;
}

static void add_call(kit_totals *t, const kit_call *call)
{
    if (call->world == NULL)
        return;
    add_side(t, call, KIT_A);
    add_side(t, call, KIT_B);
    add_stats(&t->browser, &call->browser.stats);
}

kit_totals kit_fleet_totals(const kit_fleet *f)
{
    kit_totals t = f->ended;
    for (unsigned i = 0; i < f->config.room; i++)
        add_call(&t, &f->members[i].call);
    return t;
}

static void start_more(void *fleet);
static void end_more(kit_fleet *f);

static void on_gone(kit_call *call)
{
    kit_member *m = call->config.owner;
    kit_fleet *f = m->fleet;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        if (m->spoiler[side] != NULL)
            kit_spoiler_end(m->spoiler[side], &call->checker[side]);
    }
    add_call(&f->ended, call);
    kit_call_fini(call);
    m->next_free = f->free;
    f->free = m;
    f->deleting--;
    f->gone++;
    end_more(f);
    start_more(f);
}

static void delete_call(kit_member *m)
{
    end_talk(m);
    kit_world_cancel(m->fleet->world, &m->timer);
    m->fleet->deleting++;
    kit_call_delete(&m->call);
}

static void on_lingered(void *owner)
{
    kit_member *m = owner;
    m->fleet->up--;
    delete_call(m);
}

static void on_held(void *owner)
{
    kit_member *m = owner;
    end_talk(m);
    kit_world_at(m->fleet->world, &m->timer, m->fleet->world->now + LINGER, on_lingered, m);
}

/* Deletes the next ones of kit_fleet_end(). */
static void end_more(kit_fleet *f)
{
    while (f->to_end > 0 && f->deleting < f->options->in_flight && f->end_next < f->config.room) {
        kit_member *m = &f->members[f->end_next++];
        if (m->call.world == NULL || m->call.state != KIT_CALL_UP)
            continue;
        f->to_end--;
        f->up--;
        delete_call(m);
    }
    if (f->end_next == f->config.room)
        f->to_end = 0;
}

/* --- set-up ------------------------------------------------------------------------------------
 */

static void note_failure(kit_fleet *f, const kit_call *call)
{
    f->failed++;
    if (f->failure[0] == '\0')
        snprintf(f->failure, sizeof f->failure, "%s%s%s", call->failure,
                 call->error_reason[0] != '\0' ? ": " : "", call->error_reason);
}

static void note_times(kit_fleet *f, const kit_call *call)
{
    f->came_up++;
    f->urgent_up += call->config.urgent;
    kit_histogram_add(&f->total, call->up_at - call->offered_at);
    if (call->config.kind == KIT_CALL_RTP_RTP || call->config.ng_only)
        return;
    kit_histogram_add(&f->ice, call->browser.connected_at - call->browser.started_at);
    kit_histogram_add(&f->handshake, call->browser.ready_at - call->browser.connected_at);
}

static bool was_refused(const kit_call *call)
{
    return call->failure != NULL && strcmp(call->error_reason, "load limit") == 0;
}

static void on_up(kit_call *call)
{
    kit_member *m = call->config.owner;
    kit_fleet *f = m->fleet;
    f->starting--;
    if (was_refused(call)) {
        f->refused++;
        f->deleting++;
        on_gone(call); /* there is nothing to delete */
        return;
    }
    if (call->failure != NULL) {
        note_failure(f, call);
        delete_call(m); /* the gateway may have it */
    } else {
        note_times(f, call);
        f->up++;
        if (f->config.talks)
            begin_talk(m);
        if (f->config.hold != AGW_NEVER)
            kit_world_at(f->world, &m->timer, f->world->now + f->config.hold,
                         f->config.hold == 0 ? on_lingered : on_held, m);
    }
    start_more(f);
}

static void add_spoilers(kit_member *m)
{
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        if (m->spoiler[side] == NULL)
            m->spoiler[side] = malloc(sizeof(kit_spoiler));
        AGW_ASSERT(m->spoiler[side] != NULL);
        *m->spoiler[side] = (kit_spoiler){.per_mille = SPOIL_PER_MILLE};
        m->spoiler[side]->random =
            ((uint64_t)m->fleet->options->seed << 32) + 2 * m->fleet->started + side + 1;
        m->call.checker[side].spoiler = m->spoiler[side];
    }
}

/* Evenly spread. */
static bool next_is_urgent(const kit_fleet *f)
{
    const uint64_t percent = f->config.urgent_percent;
    return f->started * percent / 100 != (f->started + 1) * percent / 100;
}

static void start_one(kit_fleet *f)
{
    kit_member *m = f->free;
    const bool urgent = next_is_urgent(f);
    f->to_start--;
    f->started++;
    f->urgent += urgent;
    if (m == NULL) {
        f->not_started++;
        return;
    }
    f->free = m->next_free;
    f->starting++;
    const kit_options *o = f->options;
    const kit_call_config config = {
        .kind = o->kind,
        .video = o->video,
        .gateway_dtls_client = o->gateway_dtls_client,
        .ng_only = f->config.ng_only,
        .urgent = urgent,
        .dtls = f->dtls,
        .sdes = suite_of(o),
        .payload = o->video ? VIDEO_BYTES : AUDIO_BYTES,
        .timestamp_step = timestamp_step_of(o),
        .burst = burst_of(o),
        .pair = o->pair,
        .keeps_codecs = o->keeps_codecs,
        .voices = o->voices,
        .rtcp_every = RTCP_EVERY,
        .rtcp_within = o->pair != NULL ? REPORT_WITHIN : 0,
        .latency = {&f->latency[KIT_A], &f->latency[KIT_B]},
        .on_rtp = count_arrival,
        .on_up = on_up,
        .on_gone = on_gone,
        .owner = m,
    };
    memset(&m->call, 0, sizeof m->call);
    kit_call_init(&m->call, f->world, &config, f->world->last_host);
    if (f->config.spoils)
        add_spoilers(m);
    kit_call_start(&m->call);
}

static void start_more(void *fleet)
{
    kit_fleet *f = fleet;
    if (f->interval == 0) {
        while (f->to_start > 0 && f->starting < f->in_flight && f->free != NULL)
            start_one(f);
        return;
    }
    for (; f->to_start > 0 && f->next_start_at <= f->world->now; f->next_start_at += f->interval)
        start_one(f);
    if (f->to_start > 0)
        kit_world_at(f->world, &f->start_timer, f->next_start_at, start_more, f);
}

void kit_fleet_start(kit_fleet *f, unsigned n, unsigned in_flight, unsigned rate)
{
    f->to_start = n;
    f->in_flight = in_flight;
    f->interval = rate != 0 ? AGW_S(1) / rate : 0;
    f->next_start_at = f->world->now = agw_clock_now();
    start_more(f);
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static bool nothing_starts(void *owner)
{
    const kit_fleet *f = owner;
    return f->to_start == 0 && f->starting == 0;
}

static bool nothing_is_deleted(void *owner)
{
    const kit_fleet *f = owner;
    return f->deleting == 0 && f->to_end == 0;
}

/* A call fails after 10 s at the latest and a request is given up after 5. */
static bool until_settled(kit_fleet *f, bool (*settled)(void *owner))
{
    for (uint64_t before = UINT64_MAX; before != f->came_up + f->failed + f->gone;) {
        before = f->came_up + f->failed + f->gone;
        if (kit_world_until(f->world, settled, f, AGW_S(15)))
            return true;
    }
    return false;
}

bool kit_fleet_await(kit_fleet *f)
{
    return until_settled(f, nothing_starts);
}

bool kit_fleet_set_up(kit_fleet *f, unsigned n)
{
    const agw_ns before = agw_clock_now();
    const unsigned up = f->up;
    kit_fleet_start(f, n, f->options->in_flight, f->options->rate);
    const bool all = kit_fleet_await(f) && f->up == up + n;
    fprintf(stderr, "load: %u of %u calls up in %" PRId64 " ms%s%s\n", f->up - up, n,
            (agw_clock_now() - before) / AGW_MS(1), f->failed != 0 ? ": " : "", f->failure);
    return all;
}

void kit_fleet_drain(kit_fleet *f)
{
    uint64_t before = UINT64_MAX;
    for (int i = 0; i < 33; i++) {
        const uint64_t now = kit_fleet_totals(f).arrived;
        if (now == before)
            return;
        before = now;
        kit_world_for(f->world, AGW_MS(300));
    }
}

void kit_fleet_end(kit_fleet *f)
{
    f->to_start = 0;
    f->to_end = f->up;
    f->end_next = 0;
    f->world->tick = 0;
    end_more(f);
    if (!until_settled(f, nothing_is_deleted))
        fputs("load: deletes are not answered\n", stderr);
}

void kit_fleet_restart(kit_fleet *f)
{
    for (unsigned i = 0; i < f->config.room; i++) {
        kit_call *call = &f->members[i].call;
        if (call->world == NULL)
            continue;
        kit_checker_restart(&call->checker[KIT_A], call->sender[KIT_B].sent);
        kit_checker_restart(&call->checker[KIT_B], call->sender[KIT_A].sent);
    }
    kit_fleet_forget_times(f);
}

void kit_fleet_forget_times(kit_fleet *f)
{
    kit_histogram_clear(&f->latency[KIT_A]);
    kit_histogram_clear(&f->latency[KIT_B]);
    kit_histogram_clear(&f->pacer.lateness);
}

agw_ns kit_fleet_lateness(const kit_fleet *f)
{
    return kit_histogram_at(&f->pacer.lateness, 990);
}

kit_histogram kit_fleet_latency(const kit_fleet *f)
{
    kit_histogram both = f->latency[KIT_A];
    kit_histogram_merge(&both, &f->latency[KIT_B]);
    return both;
}
