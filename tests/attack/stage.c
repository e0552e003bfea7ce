/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/attack/attack.h"

#include "base/rand.h"
#include "base/wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKET_ROOM = ATTACK_HEARD_BYTES,
    PAYLOAD = 160, /* 20 ms of G.711 */
    STRANGER_PORT = 40000,
    LATE_TICKS = 20, /* what a late tick of the attack makes up for */
};

static const agw_ns MEDIA_EVERY = AGW_MS(20);
static const agw_ns FIRE_EVERY = AGW_MS(1);
/* Media that comes with the last flight of a handshake may be there before the keys. */
static const agw_ns FIRST_AFTER = AGW_MS(20);
static const agw_ns RTCP_EVERY = AGW_MS(500);
static const agw_ns UP_WITHIN = AGW_S(10);
static const agw_ns LEAD = AGW_MS(30);  /* of an attack before the call that it shall hit */
static const agw_ns WARM = AGW_MS(100); /* media before an attack on a talking call */
static const agw_ns SETTLE = AGW_S(2);
static const agw_ns NO_MEDIA_FOR = AGW_MS(600);
static const agw_ns PATIENCE = AGW_S(2);
static const agw_ns AWAY = AGW_MS(50);     /* of the browser, so that a handshake can be hit */
static const agw_ns RECOVER = AGW_MS(300); /* of a stream that another one has replaced */

void attack_fail(attack *a, const char *format, ...)
{
    va_list args;
    if (a->why[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(a->why, sizeof a->why, format, args);
    va_end(args);
}

/* --- the parties -------------------------------------------------------------------------------
 */

kit_browser *attack_browser(attack *a)
{
    AGW_ASSERT(a->victim.call.is_browser[KIT_A] || a->victim.call.is_browser[KIT_B]);
    return &a->victim.call.browser;
}

kit_side attack_phone_side(const attack *a)
{
    return a->victim.call.is_browser[KIT_A] ? KIT_B : KIT_A;
}

kit_phone *attack_phone(attack *a)
{
    return &a->victim.call.phone[attack_phone_side(a)];
}

static bool has_browser(const attack *a)
{
    return a->c->kind != KIT_CALL_RTP_RTP;
}

static bool is_up(void *owner)
{
    const attack_talk *t = owner;
    return t->call.state == KIT_CALL_UP || t->call.state == KIT_CALL_FAILED;
}

static bool is_answered(void *owner)
{
    const attack_talk *t = owner;
    return t->call.state >= KIT_CALL_ANSWERED;
}

static bool is_gone(void *owner)
{
    const attack_talk *t = owner;
    return t->call.state == KIT_CALL_GONE || t->call.state == KIT_CALL_FAILED;
}

/* Nobody writes BYE, APP or our mark but an attacker. */
static void on_rtcp(kit_call *call, kit_side at, const uint8_t *rtcp, size_t len)
{
    attack_talk *t = call->config.owner;
    (void)at;
    for (size_t i = 0; i + 8 <= len; i += 4u * (agw_get16(rtcp + i + 2) + 1u)) {
        const bool foreign = rtcp[i + 1] == 203 || rtcp[i + 1] == 204;
        if (foreign || agw_get32(rtcp + i + 4) == CRAFT_MARK) {
            t->forged_rtcp++;
            return;
        }
    }
}

/* a: NULL for the bystander. */
static void talk_init(attack_talk *t, kit_world *world, const attack *a)
{
    static uint32_t number;
    static agw_dtls_ctx *dtls; /* one certificate for all browsers of this process */
    if (dtls == NULL)
        dtls = agw_dtls_ctx_new(agw_cert_new(), NULL);
    AGW_ASSERT(dtls != NULL);
    kit_call_config config = {
        .kind = KIT_CALL_WEBRTC_RTP,
        .dtls = dtls,
        .payload = PAYLOAD,
        .timestamp_step = PAYLOAD,
        .rtcp_every = RTCP_EVERY,
        .on_rtcp = on_rtcp,
        .owner = t,
    };
    if (a != NULL) {
        config.held = true;
        /* more packets or bytes than a voice's contract, and all must arrive */
        config.unpoliced = a->c->per_s != 0 || a->c->payload != 0;
        config.kind = a->c->kind;
        config.gateway_dtls_client = a->c->gateway_client;
        config.dtls_pause = a->when == ATTACK_DURING ? AWAY : 0;
        config.payload = a->c->payload != 0 ? a->c->payload : PAYLOAD;
        config.sdes = AGW_SRTP_AES_CM_128_80;
    }
    memset(t, 0, sizeof *t);
    if (a == NULL)
        config.latency[KIT_A] = config.latency[KIT_B] = &t->quiet;
    kit_call_init(&t->call, world, &config, ++number);
}

/* --- media -------------------------------------------------------------------------------------
 */

/* The next packet of a side, as it leaves; what a browser sends is remembered. */
static size_t next_packet(attack_talk *t, kit_side side, uint8_t out[PACKET_ROOM])
{
    const size_t len = kit_sender_write(&t->call.sender[side], out, agw_clock_now());
    t->sent[side]++;
    return t->call.is_browser[side] ? kit_browser_protect(&t->call.browser, out, len, false) : len;
}

static void hear(attack *a, const uint8_t *bytes, size_t len)
{
    attack_heard *heard = &a->heard[a->heard_count % ATTACK_HEARD_MAX];
    AGW_ASSERT(len <= sizeof heard->data);
    memcpy(heard->data, bytes, len);
    heard->len = len;
    a->heard_count++;
}

static bool has_sdes(const attack *a)
{
    return a->c->kind == KIT_CALL_WEBRTC_SDES;
}

static void send_of_sdes(attack *a, uint8_t *rtp, size_t len)
{
    kit_phone *p = attack_phone(a);
    len = kit_srtp_protect(&p->srtp, rtp, len, false);
    if (len == 0)
        return;
    hear(a, rtp, len);
    kit_wire_send(a->world->wire, &p->local, &p->remote, rtp, len);
}

static void send_side(attack_talk *t, kit_side side, attack *a)
{
    uint8_t packet[PACKET_ROOM];
    if (t == &a->victim && side == KIT_A && a->fires && (a->c->judged & ATTACK_OWN_MEDIA) != 0)
        return;
    const size_t len = next_packet(t, side, packet);
    if (len == 0)
        return; /* the browser has given up */
    if (t == &a->victim && has_sdes(a) && !t->call.is_browser[side])
        send_of_sdes(a, packet, len);
    else if (t->call.is_browser[side] && t == &a->victim && !has_sdes(a))
        attack_send_media(a, packet, len);
    else if (t->call.is_browser[side])
        kit_wire_send(t->call.world->wire, &t->call.browser.local, &t->call.browser.remote, packet,
                      len);
    else
        kit_phone_send_rtp(&t->call.phone[side], packet, len);
}

size_t attack_next_media(attack *a, uint8_t *out, unsigned skip)
{
    a->victim.call.sender[KIT_A].sent += skip;
    return next_packet(&a->victim, KIT_A, out);
}

void attack_send_media(attack *a, const uint8_t *bytes, size_t len)
{
    const kit_browser *b = attack_browser(a);
    hear(a, bytes, len);
    kit_wire_send(a->world->wire, &b->local, &b->remote, bytes, len);
}

const attack_heard *attack_heard_at(const attack *a, uint64_t back)
{
    const bool kept = back < a->heard_count && back < ATTACK_HEARD_MAX;
    return kept ? &a->heard[(a->heard_count - 1 - back) % ATTACK_HEARD_MAX] : NULL;
}

agw_srtp_session *attack_session(attack *a, bool of_gateway)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    agw_dtls_result r;
    const kit_browser *b = attack_browser(a);
    if (b->dtls == NULL || agw_dtls_get_result(b->dtls, &r) != AGW_OK)
        return NULL;
    const bool client = b->dtls_client != of_gateway;
    memcpy(key, client ? r.client_key : r.server_key, r.key_len);
    memcpy(key + r.key_len, client ? r.client_salt : r.server_salt, r.salt_len);
    return agw_srtp_session_new(b->srtp.suite, key, r.key_len + r.salt_len, true);
}

/* Command and reply; what the reply describes goes to that side. */
static void exchange(attack *a, agw_doc *command, kit_side to)
{
    agw_doc *reply = kit_ng_ask(a->world->ng, command, PATIENCE);
    const char *why = kit_call_give(&a->victim.call, to, reply);
    if (why != NULL)
        attack_fail(a, "key change: %s", why);
    agw_doc_free(reply);
}

void attack_change_key(attack *a)
{
    kit_call *call = &a->victim.call;
    kit_phone *p = attack_phone(a);
    const kit_side phone = attack_phone_side(a), browser = phone == KIT_A ? KIT_B : KIT_A;
    exchange(a, kit_call_describe(call, browser, false), phone);
    agw_rand_bytes(p->crypto.key, sizeof p->crypto.key);
    exchange(a, kit_call_describe(call, phone, true), browser);
    if (!kit_srtp_open(&p->srtp, a->world, p->crypto.suite, p->gateway_crypto.key, p->crypto.key))
        attack_fail(a, "key change: no session");
}

/* --- clocks ------------------------------------------------------------------------------------
 */

/* What drives a run: media every 20 ms, the attack every millisecond. */
typedef struct clockwork {
    attack *a;
    kit_timer media, fire;
    agw_ns media_at, fire_from;
    uint64_t shots;
} clockwork;

static void talk(attack_talk *t, attack *a)
{
    if (!t->talks || t->call.state != KIT_CALL_UP || a->world->now - t->call.up_at < FIRST_AFTER)
        return;
    send_side(t, KIT_A, a);
    send_side(t, KIT_B, a);
}

static void on_media(void *owner)
{
    clockwork *w = owner;
    kit_world *world = w->a->world;
    talk(&w->a->victim, w->a);
    talk(w->a->bystander, w->a);
    if (world->now - w->media_at > w->a->held_up)
        w->a->held_up = world->now - w->media_at;
    w->media_at += MEDIA_EVERY;
    if (w->media_at < world->now)
        w->media_at = world->now; /* we were held up: no burst */
    kit_world_at(world, &w->media, w->media_at, on_media, w);
}

static unsigned rate_of(const attack *a)
{
    return a->c->per_s != 0 ? a->c->per_s : ATTACK_PACKETS_PER_S * a->options->times;
}

/* As many packets as are due by now; a tick that comes late makes up for some of them only. */
static void on_fire(void *owner)
{
    clockwork *w = owner;
    attack *a = w->a;
    const agw_ns now = agw_clock_now();
    const uint64_t due = (uint64_t)(now - w->fire_from) * rate_of(a) / AGW_S(1) + 1;
    const uint64_t at_once = LATE_TICKS * (rate_of(a) / 1000 + 1);
    if (due > w->shots + at_once)
        w->shots = due - at_once;
    while (w->shots < due)
        a->c->fire(a, w->shots++);
    kit_world_at(a->world, &w->fire, now + FIRE_EVERY, on_fire, w);
}

static void start_media(clockwork *w)
{
    w->media_at = w->a->world->now;
    kit_world_at(w->a->world, &w->media, w->media_at, on_media, w);
}

/* From now on the latency of the bystander's media is kept there. */
static void time_bystander(attack *a, kit_histogram *there)
{
    for (int side = 0; side < 2; side++)
        a->bystander->call.checker[side].latency = there;
}

static void start_fire(clockwork *w)
{
    w->fire_from = agw_clock_now();
    w->a->fires = true;
    time_bystander(w->a, &w->a->bystander->attacked);
    if (w->a->c->fire != NULL)
        kit_world_at(w->a->world, &w->fire, w->fire_from, on_fire, w);
}

static void stop_fire(clockwork *w)
{
    if (!w->a->fires)
        return;
    kit_world_cancel(w->a->world, &w->fire);
    if (w->a->c->stop != NULL)
        w->a->c->stop(w->a);
    w->a->fires = false;
    time_bystander(w->a, &w->a->bystander->quiet);
}

void attack_run_for(attack *a, agw_ns length)
{
    const agw_ns until = agw_clock_now() + length;
    while (a->world->now < until)
        kit_world_turn(a->world, until);
}

/* --- what comes to the attacker ----------------------------------------------------------------
 */

static bool is_stun(const kit_datagram *d)
{
    return d->len >= 20 && d->data[0] < 4 && agw_get32(d->data + 4) == 0x2112a442;
}

/* Nobody has bound the attacker's addresses, so all that comes there ends here. */
static void take_rest(void *owner, const kit_datagram *d)
{
    attack *a = owner;
    if (!agw_addr_ip_equal(&d->to, &a->stranger)) {
        a->stray++;
    } else if (is_stun(d)) {
        a->answers++;
        a->answer_bytes += d->len;
    } else {
        a->bled++;
    }
}

/* --- sending -----------------------------------------------------------------------------------
 */

void attack_send_from(attack *a, const agw_addr *from, const agw_addr *to, const void *bytes,
                      size_t len)
{
    kit_wire_send(a->world->wire, from, to, bytes, len);
    a->fired++;
    a->fired_bytes += len;
}

void attack_send_to(attack *a, const agw_addr *to, const void *bytes, size_t len)
{
    attack_send_from(a, &a->source, to, bytes, len);
}

void attack_send(attack *a, const void *bytes, size_t len)
{
    attack_send_from(a, &a->source, &a->target, bytes, len);
}

void attack_send_packet(attack *a)
{
    attack_send(a, a->packet.data, a->packet.len);
}

/* --- a run -------------------------------------------------------------------------------------
 */

static const agw_addr *source_of(attack *a)
{
    switch (a->from) {
    case ATTACK_BROWSER:
    case ATTACK_PEER:
        return &attack_browser(a)->local;
    case ATTACK_PHONE:
        return a->c->target == ATTACK_CORE_RTCP ? &attack_phone(a)->local_rtcp
                                                : &attack_phone(a)->local;
    default:
        return &a->stranger;
    }
}

static const agw_addr *target_of(const attack *a)
{
    switch (a->c->target) {
    case ATTACK_CORE:
        return &a->core;
    case ATTACK_CORE_RTCP:
        return &a->core_rtcp;
    case ATTACK_CONTROL:
        return &a->options->world.ng;
    default:
        return &a->access;
    }
}

/* Both descriptions are known: all ports are. */
static void begin(attack *a)
{
    if (has_browser(a))
        a->access = attack_browser(a)->remote;
    a->core = attack_phone(a)->remote;
    a->core_rtcp = attack_phone(a)->remote_rtcp;
    a->source = *source_of(a);
    a->target = *target_of(a);
    if (a->c->begin != NULL)
        a->c->begin(a);
}

static bool come_up(attack *a)
{
    attack_talk *t = &a->victim;
    const bool may_fail = (a->c->judged & ATTACK_OWN_HARM) != 0;
    const bool done = kit_world_until(a->world, is_up, t, may_fail ? PATIENCE : UP_WITHIN);
    a->up_at = agw_clock_now();
    return done && t->call.state == KIT_CALL_UP;
}

static bool get_ready(attack *a)
{
    attack_talk *t = &a->victim;
    talk_init(t, a->world, a);
    kit_call_start(&t->call);
    (void)kit_world_until(a->world, is_answered, t, UP_WITHIN);
    if (t->call.state == KIT_CALL_ANSWERED)
        return true;
    attack_fail(a, "offer and answer failed: %s %s",
                t->call.failure != NULL ? t->call.failure : "no reply", t->call.error_reason);
    return false;
}

static void go(attack *a)
{
    a->went_at = agw_clock_now();
    a->victim.talks = true;
    kit_call_go(&a->victim.call);
}

/* The three orders of events. false: the call was lost on the way. */
static bool attack_before(attack *a, clockwork *w)
{
    begin(a);
    start_fire(w);
    attack_run_for(a, a->options->attack_for);
    stop_fire(w);
    go(a);
    return come_up(a);
}

static bool attack_during(attack *a, clockwork *w)
{
    begin(a);
    start_fire(w);
    const agw_ns until = w->fire_from + a->options->attack_for;
    attack_run_for(a, LEAD);
    go(a);
    if (!come_up(a))
        return false;
    attack_run_for(a, until - agw_clock_now());
    return true;
}

static bool attack_after(attack *a, clockwork *w)
{
    go(a);
    if (!come_up(a))
        return false;
    attack_run_for(a, WARM);
    begin(a);
    start_fire(w);
    attack_run_for(a, a->options->attack_for);
    return true;
}

/* --- the whole of it ---------------------------------------------------------------------------
 */

static void play_talk(attack *a, clockwork *w)
{
    const bool lives = a->when == ATTACK_BEFORE   ? attack_before(a, w)
                       : a->when == ATTACK_DURING ? attack_during(a, w)
                                                  : attack_after(a, w);
    stop_fire(w);
    if ((a->c->judged & ATTACK_NO_PROOF) != 0)
        attack_run_for(a, RECOVER);
    attack_mark(&a->victim);
    attack_judge_attacker(a);
    if (!lives && (a->c->judged & (ATTACK_NO_MEDIA | ATTACK_OWN_HARM)) == 0) {
        attack_fail(a, "the call did not come up: %s", a->victim.call.failure);
        return;
    }
    attack_run_for(a, a->options->after);
    a->victim.talks = a->bystander->talks = false;
    if ((a->c->judged & ATTACK_NO_MEDIA) != 0)
        attack_run_for(a, NO_MEDIA_FOR);
    else
        (void)kit_world_until(a->world, attack_all_arrived, a, SETTLE);
    attack_judge_calls(a);
}

static void finish(attack *a)
{
    attack_talk *t = &a->victim;
    if (a->c->end != NULL)
        a->c->end(a);
    kit_call_delete(&t->call);
    (void)kit_world_until(a->world, is_gone, t, PATIENCE);
    kit_wire_bind_rest(a->world->wire, NULL, NULL);
    kit_call_fini(&t->call);
    free(a->own);
    a->own = NULL;
}

bool attack_play(attack *a)
{
    clockwork w = {.a = a};
    a->stranger = kit_world_host(a->world);
    a->stranger.port = STRANGER_PORT;
    kit_wire_bind_rest(a->world->wire, take_rest, a);
    a->bystander->talks = true;
    kit_histogram_clear(&a->bystander->quiet);
    kit_histogram_clear(&a->bystander->attacked);
    start_media(&w);
    if (get_ready(a)) {
        play_talk(a, &w);
        if (a->c->judge != NULL) {
            const char *wrong = a->c->judge(a);
            if (wrong != NULL)
                attack_fail(a, "%s", wrong);
        }
        attack_judge_attacker(a);
    }
    kit_world_cancel(a->world, &w.media);
    a->bystander->talks = false;
    attack_judge_control(a);
    finish(a);
    return a->why[0] == '\0';
}

bool attack_bystander_open(attack_talk *t, kit_world *world)
{
    talk_init(t, world, NULL);
    kit_call_start(&t->call);
    (void)kit_world_until(world, is_up, t, UP_WITHIN);
    return t->call.state == KIT_CALL_UP;
}

void attack_bystander_close(attack_talk *t, kit_world *world)
{
    kit_call_delete(&t->call);
    (void)kit_world_until(world, is_gone, t, PATIENCE);
    kit_call_fini(&t->call);
}
