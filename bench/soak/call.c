/* SPDX-License-Identifier: BSD-3-Clause
 * A call goes through the steps of its scenario, one after the other. */
#include "bench/soak/soak.h"

#include <glib.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AUDIO_BYTES = 160,
    AUDIO_STEP = 160,
    VIDEO_BYTES = 1200,
    VIDEO_STEP = 3600, /* 25 pictures a second */
    VIDEO_BURST = 6,
    RING_LEAST_MS = 2000,
    RING_SPAN_MS = 13000,
};

double kit_soak_random(soak *s)
{
    s->random += 0x9e3779b97f4a7c15u; /* splitmix64 */
    uint64_t v = s->random;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    v ^= v >> 31;
    return (double)(v >> 11) * 0x1p-53;
}

uint32_t kit_soak_pick(soak *s, uint32_t n)
{
    return (uint32_t)(kit_soak_random(s) * n);
}

void kit_soak_wait(soak_call *c, agw_ns length, void (*fire)(void *owner))
{
    kit_world_at(&c->soak->world, &c->timer, c->soak->world.now + length, fire, c);
}

/* --- the end --- */

static void end_call(void *owner)
{
    soak_call *c = owner;
    soak *s = c->soak;
    kit_soak_media_stop(c);
    kit_soak_count_media(c);
    kit_world_cancel(&s->world, &c->timer);
    kit_ng_forget(s->world.ng, c);
    kit_call_fini(&c->call);
    s->running--;
    s->books.ended++;
    s->books.up -= c->up;
    if (!c->failed) {
        s->books.ends[SOAK_DELETED] += c->scenario->deletes;
        if (c->scenario->end != SOAK_DELETED)
            s->books.ends[c->scenario->end]++;
    }
    g_free(c->reply_sdp);
    free(c);
}

void kit_soak_fail(soak_call *c, const char *format, ...)
{
    soak_books *books = &c->soak->books;
    if (books->failed < SOAK_FAILURES_KEPT) {
        soak_failure *f = &books->failures[books->failed];
        *f = (soak_failure){.number = c->number,
                            .scenario = c->scenario,
                            .kind = c->call.config.kind,
                            .video = c->call.config.video,
                            .step = c->scenario->steps[c->at]};
        va_list args;
        va_start(args, format);
        vsnprintf(f->why, sizeof f->why, format, args);
        va_end(args);
        fprintf(stderr, "call %u (%s, kind %d%s) fails at step %s: %s\n", c->number,
                c->scenario->name, (int)f->kind, f->video ? ", video" : "",
                kit_soak_step_text(f->step), f->why);
    }
    books->failed++;
    books->tally[c->scenario - KIT_SOAK_SCENARIOS].failed++;
    c->failed = true;
    kit_soak_media_stop(c);
    kit_world_cancel(&c->soak->world, &c->timer);
    kit_ng_forget(c->soak->world.ng, c);
    kit_soak_clear(c, end_call);
}

/* --- steps --- */

static void after_wait(void *owner)
{
    kit_soak_next(owner);
}

static void ring(soak_call *c, soak_step step)
{
    (void)step;
    const double length_ms = RING_LEAST_MS + RING_SPAN_MS * kit_soak_random(c->soak);
    kit_soak_wait(c, (agw_ns)(length_ms * 1e6 / c->soak->options.speed), after_wait);
}

static void end(soak_call *c, soak_step step)
{
    (void)step;
    end_call(c);
}

static void begin_step(soak_call *c)
{
    static void (*const STEPS[SOAK_STEPS])(soak_call *, soak_step) = {
        [SOAK_END] = end,
        [SOAK_OFFER] = kit_soak_offer,
        [SOAK_OFFER_BRANCH] = kit_soak_offer,
        [SOAK_OFFER_REFUSED] = kit_soak_offer,
        [SOAK_RING] = ring,
        [SOAK_ANSWER_BRANCH] = kit_soak_answer,
        [SOAK_ANSWER] = kit_soak_answer,
        [SOAK_CONNECT] = kit_soak_connect,
        [SOAK_CONNECT_LOOSE] = kit_soak_connect,
        [SOAK_CONNECT_STUCK] = kit_soak_connect,
        [SOAK_TALK] = kit_soak_talk,
        [SOAK_CHECK] = kit_soak_check,
        [SOAK_SHOUT] = kit_soak_shout,
        [SOAK_SHOUT_DTLS] = kit_soak_shout,
        [SOAK_SHOUT_ICE] = kit_soak_shout,
        [SOAK_HOLD] = kit_soak_reoffer,
        [SOAK_HOLD_BOTH] = kit_soak_reoffer,
        [SOAK_RESUME] = kit_soak_reoffer,
        [SOAK_RESTART_ICE] = kit_soak_reoffer,
        [SOAK_SAME_OFFER] = kit_soak_reoffer,
        [SOAK_ADD_VIDEO] = kit_soak_reoffer,
        [SOAK_DROP_VIDEO] = kit_soak_reoffer,
        [SOAK_REFUSED_REOFFER] = kit_soak_reoffer,
        [SOAK_DELETE] = kit_soak_delete,
        [SOAK_DELETE_LATE] = kit_soak_delete,
        [SOAK_DELETE_BRANCH] = kit_soak_delete,
        [SOAK_DELETE_STRANGE] = kit_soak_delete,
        [SOAK_DELETE_AGAIN] = kit_soak_delete,
        [SOAK_GOODBYE] = kit_soak_part,
        [SOAK_LEAVE] = kit_soak_part,
        [SOAK_FALL_SILENT] = kit_soak_part,
        [SOAK_GONE] = kit_soak_gone,
    };
    const soak_step step = c->scenario->steps[c->at];
    STEPS[step](c, step);
}

void kit_soak_next(soak_call *c)
{
    c->at++;
    begin_step(c);
}

static bool has_step(const soak_scenario *scenario, soak_step step)
{
    for (size_t i = 0; scenario->steps[i] != SOAK_END; i++) {
        if (scenario->steps[i] == step)
            return true;
    }
    return false;
}

void kit_soak_call_start(soak *s, const soak_scenario *scenario, kit_call_kind kind, bool video,
                         uint32_t number)
{
    soak_call *c = calloc(1, sizeof *c);
    AGW_ASSERT(c != NULL);
    c->soak = s;
    c->scenario = scenario;
    c->number = number;
    const agw_ns rtcp = (agw_ns)((double)AGW_S(5) / s->options.speed);
    const kit_call_config config = {
        .kind = kind,
        .video = video,
        .gateway_dtls_client = kit_soak_pick(s, 4) == 0 && !has_step(scenario, SOAK_CONNECT_STUCK),
        .dtls = s->dtls,
        .payload = video ? VIDEO_BYTES : AUDIO_BYTES,
        .timestamp_step = video ? VIDEO_STEP : AUDIO_STEP,
        .burst = video ? VIDEO_BURST : 0,
        .rtcp_every = rtcp > AGW_MS(200) ? rtcp : AGW_MS(200),
        .on_up = kit_soak_up,
        .on_describe = kit_soak_describe,
        .owner = c,
    };
    kit_call_init(&c->call, &s->world, &config, number);
    s->running++;
    s->books.begun++;
    s->books.tally[scenario - KIT_SOAK_SCENARIOS].begun++;
    begin_step(c);
}
