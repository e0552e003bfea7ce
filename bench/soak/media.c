/* SPDX-License-Identifier: BSD-3-Clause
 * Steps of ICE, DTLS and media. */
#include "bench/soak/soak.h"

#include <inttypes.h>
#include <math.h>

enum {
    AUDIO_MS = 20,
    PICTURE_MS = 40,
    /* Hold times of telephone calls are log-normal; half of them are shorter than a minute. */
    HOLD_MEDIAN_S = 60,
    HOLD_MAX_S = 3600,
    TALK_LEAST_MS = 100,
    LOOK_MS = 10,
    SETTLE_MS = 1000,    /* what has not arrived by then is lost */
    LATE_START_MAX = 15, /* packets before the first one that arrives */
    LOST_MAX = 50,       /* fewer are judged at the end, beside what this side has missed */
    SHOUT_MS = 1000,
    SHOUT_DTLS_MS = 32000, /* DTLS fails after 30 s; consent is lost after 34 s or more */
    SHOUT_ICE_MS = 41000,  /* ICE fails after 39.5 s */
    SLOW_MS = 1000,        /* between two packets that only show that somebody is there */
    GOODBYE_MS = 50,
    STUCK_MS = 5000,
};
static const double HOLD_SIGMA = 1.2, TAU = 6.283185307179586;

static soak_step step_of(const soak_call *c)
{
    return c->scenario->steps[c->at];
}

static kit_side other(kit_side side)
{
    return side == KIT_A ? KIT_B : KIT_A;
}

/* --- sending --- */

/* Whatever the state of the call: a browser without keys sends what looks like SRTP. */
static void shout(soak_call *c, kit_side side)
{
    kit_call *call = &c->call;
    uint8_t packet[12 + 1500 + AGW_SRTP_TRAILER_MAX];
    const size_t len = kit_sender_write(&call->sender[side], packet, agw_clock_now());
    if (!call->is_browser[side])
        (void)kit_phone_send_rtp(&call->phone[side], packet, len);
    else if (call->browser.world != NULL && !kit_browser_send_rtp(&call->browser, packet, len))
        kit_wire_send(call->world->wire, &call->browser.local, &call->browser.remote, packet,
                      len + 10);
}

static void send_one(soak_call *c, kit_side side)
{
    const uint32_t burst = c->call.config.burst;
    if (c->call.state != KIT_CALL_UP || step_of(c) == SOAK_SHOUT)
        shout(c, side);
    else
        for (uint32_t i = 0; i < (burst > 1 ? burst : 1); i++)
            (void)kit_call_send(&c->call, side);
}

static void on_media(void *owner)
{
    soak_call *c = owner;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        if (c->sends[side])
            send_one(c, side);
    }
    if (c->sends[KIT_A] || c->sends[KIT_B])
        c->last_media_at = c->soak->world.now;
    kit_world_at(&c->soak->world, &c->media_timer, c->media_timer.timer.at + c->media_pause,
                 on_media, c);
}

static void start_media(soak_call *c, agw_ns pause)
{
    soak *s = c->soak;
    c->media_pause = pause;
    const agw_ns first = (agw_ns)((double)pause * kit_soak_random(s)); /* not in chorus */
    kit_world_at(&s->world, &c->media_timer, s->world.now + first, on_media, c);
}

void kit_soak_media_start(soak_call *c)
{
    c->sends[KIT_A] = c->sends[KIT_B] = true;
    start_media(c, AGW_MS(c->call.config.video ? PICTURE_MS : AUDIO_MS));
}

void kit_soak_media_stop(soak_call *c)
{
    kit_world_cancel(&c->soak->world, &c->media_timer);
}

/* --- ICE and DTLS --- */

static bool is_connect(soak_step step)
{
    return step == SOAK_CONNECT || step == SOAK_CONNECT_LOOSE;
}

void kit_soak_up(kit_call *call)
{
    soak_call *c = call->config.owner;
    const soak_step step = step_of(c);
    if (c->failed || !is_connect(step))
        return; /* it was to fail, and has been waited for long enough */
    if (step == SOAK_CONNECT && call->state != KIT_CALL_UP) {
        kit_soak_fail(c, "%s", call->failure);
        return;
    }
    if (step == SOAK_CONNECT) {
        c->up = true;
        c->soak->books.up++;
        kit_soak_media_start(c);
    }
    kit_soak_next(c);
}

/* A ClientHello of a stranger to the browser's own session: the gateway answers and waits. */
static void send_hello(soak_call *c)
{
    const kit_browser *b = &c->call.browser;
    agw_dtls *hello = agw_dtls_new(c->soak->dtls, AGW_DTLS_CLIENT, c->soak->world.now);
    AGW_ASSERT(hello != NULL);
    agw_dtls_start(hello, c->soak->world.now);
    uint8_t buf[AGW_DTLS_MTU];
    size_t len;
    while (agw_dtls_take(hello, buf, sizeof buf, &len))
        kit_wire_send(c->soak->world.wire, &b->local, &b->remote, buf, len);
    agw_dtls_free(hello);
}

static void see_ice(void *owner)
{
    soak_call *c = owner;
    if (c->call.browser.state == KIT_BROWSER_HANDSHAKING) {
        send_hello(c);
        kit_soak_next(c);
    } else if (c->soak->world.now >= c->until) {
        kit_soak_fail(c, "no connectivity check is answered");
    } else {
        kit_soak_wait(c, AGW_MS(LOOK_MS), see_ice);
    }
}

void kit_soak_connect(soak_call *c, soak_step step)
{
    if (step == SOAK_CONNECT_STUCK) {
        c->call.browser.dtls_client = false; /* a server that waits for a ClientHello, for ever */
        c->until = c->soak->world.now + AGW_MS(STUCK_MS);
        kit_soak_wait(c, AGW_MS(LOOK_MS), see_ice);
    }
    kit_call_go(&c->call);
}

/* --- talking --- */

static double normal(soak *s) /* Box and Muller */
{
    return sqrt(-2 * log(1 - kit_soak_random(s))) * cos(TAU * kit_soak_random(s));
}

static void after_talk(void *owner)
{
    kit_soak_next(owner);
}

void kit_soak_talk(soak_call *c, soak_step step)
{
    (void)step;
    double length_s = HOLD_MEDIAN_S * exp(HOLD_SIGMA * normal(c->soak));
    if (length_s > HOLD_MAX_S)
        length_s = HOLD_MAX_S;
    const agw_ns length = (agw_ns)(length_s * 1e9 / c->soak->options.speed);
    kit_soak_wait(c, length > AGW_MS(TALK_LEAST_MS) ? length : AGW_MS(TALK_LEAST_MS), after_talk);
}

/* Of what that side has sent; what a closed gate must have stopped is not counted. Below 0: the
 * gate was open. */
static int64_t lost_of(const soak_call *c, kit_side from)
{
    const uint64_t lost =
        kit_checker_lost(&c->call.checker[other(from)], c->call.sender[from].sent);
    return (int64_t)lost - (int64_t)c->wasted[from];
}

/* NULL, or what is wrong with what has arrived at that side. */
static const char *wrong_at(const soak_call *c, kit_side at)
{
    const kit_call *call = &c->call;
    const kit_checker *k = &call->checker[at];
    const int64_t lost = lost_of(c, other(at));
    if (k->found[KIT_CORRUPT] != 0)
        return "media is corrupt";
    if (k->found[KIT_FOREIGN] != 0)
        return "media of another call arrives";
    if (k->found[KIT_HEADER] != 0)
        return "RTP headers do not fit each other";
    if (k->found[KIT_DUPLICATE] != 0)
        return "media arrives twice";
    if (lost < 0)
        return "media passes a closed gate";
    if (lost > LOST_MAX)
        return "media is lost";
    if (k->first > LATE_START_MAX)
        return "media starts late";
    if (call->rtcp_bad[at] != 0)
        return "RTCP is not about these streams";
    if (call->is_browser[at] && call->browser.srtp.auth_failed != 0)
        return "SRTP is not authentic";
    return NULL;
}

static bool all_is_here(const soak_call *c)
{
    return lost_of(c, KIT_A) == 0 && lost_of(c, KIT_B) == 0;
}

static void check(void *owner)
{
    soak_call *c = owner;
    if (!all_is_here(c) && c->soak->world.now < c->until) {
        kit_soak_wait(c, AGW_MS(LOOK_MS), check);
        return;
    }
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        const int64_t lost = lost_of(c, other(side));
        const char *wrong = wrong_at(c, side);
        c->soak->books.lost += lost > 0 ? (uint64_t)lost : 0;
        if (wrong != NULL) {
            const kit_checker *k = &c->call.checker[side];
            kit_soak_fail(c,
                          "at %c: %s (sent %" PRIu64 ", accepted %" PRIu64 ", first %" PRIu64
                          ", lost %" PRId64 ")",
                          "AB"[side], wrong, c -> call.sender[other(side)].sent, k->accepted,
                          k->first, lost);
            return;
        }
    }
    kit_soak_next(c);
}

void kit_soak_check(soak_call *c, soak_step step)
{
    (void)step;
    kit_soak_media_stop(c);
    c->until = c->soak->world.now + AGW_MS(SETTLE_MS);
    check(c);
}

void kit_soak_count_media(soak_call *c)
{
    soak_books *books = &c->soak->books;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        const kit_checker *k = &c->call.checker[side];
        books->sent += c->call.sender[side].sent;
        books->accepted += k->accepted;
        books->late_start += k->begun ? k->first : 0;
        for (size_t i = 0; i < KIT_FINDINGS; i++)
            books->found[i] += k->found[i];
    }
}

/* --- media that may not arrive --- */

static void after_shout(void *owner)
{
    soak_call *c = owner;
    kit_soak_media_stop(c);
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        uint64_t arrived = 0;
        for (size_t i = 0; i < KIT_FINDINGS; i++)
            arrived += c->call.checker[side].found[i];
        if (arrived != 0) {
            kit_soak_fail(c, "%" PRIu64 " packets arrive at %c without a secure way", arrived,
                          "AB"[side]);
            return;
        }
    }
    kit_soak_next(c);
}

void kit_soak_shout(soak_call *c, soak_step step)
{
    const agw_ns length = step == SOAK_SHOUT_ICE    ? AGW_MS(SHOUT_ICE_MS)
                          : step == SOAK_SHOUT_DTLS ? AGW_MS(SHOUT_DTLS_MS)
                                                    : AGW_MS(SHOUT_MS);
    c->sends[KIT_A] = c->sends[KIT_B] = true;
    start_media(c, AGW_MS(step == SOAK_SHOUT ? AUDIO_MS : SLOW_MS));
    kit_soak_wait(c, length, after_shout);
}

/* --- parting --- */

static void say_goodbye(soak_call *c)
{
    const kit_browser *b = &c->call.browser;
    uint8_t buf[AGW_DTLS_MTU];
    size_t len;
    agw_dtls_close(b->dtls, c->soak->world.now);
    while (agw_dtls_take(b->dtls, buf, sizeof buf, &len))
        kit_wire_send(c->soak->world.wire, &b->local, &b->remote, buf, len);
}

/* A gateway with ICE-lite watches consent from the first check behind the nomination on (RFC 7675
 * has nothing for it), so a browser that leaves before is not missed. The phone talks on. */
static void leave(void *owner)
{
    soak_call *c = owner;
    if (c->call.browser.stats.checks_answered < 2) {
        kit_soak_wait(c, AGW_MS(LOOK_MS), leave);
        return;
    }
    kit_browser_fini(&c->call.browser);
    const kit_side phone = c->call.is_browser[KIT_A] ? KIT_B : KIT_A;
    c->sends[phone] = true;
    c->sends[other(phone)] = false;
    start_media(c, AGW_MS(SLOW_MS));
    c->until = c->soak->world.now;
    kit_soak_next(c);
}

static void fall_silent(soak_call *c)
{
    kit_soak_media_stop(c);
    kit_world_cancel(&c->soak->world, &c->call.rtcp_timer);
    c->last_media_at = c->soak->world.now;
    kit_soak_next(c);
}

void kit_soak_part(soak_call *c, soak_step step)
{
    if (step == SOAK_LEAVE) {
        leave(c);
    } else if (step == SOAK_FALL_SILENT) {
        fall_silent(c);
    } else {
        say_goodbye(c);
        kit_soak_wait(c, AGW_MS(GOODBYE_MS), after_talk);
    }
}
