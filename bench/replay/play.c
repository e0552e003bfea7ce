/* SPDX-License-Identifier: BSD-3-Clause
 * A timer sends what is due; arrivals are copied and looked at when the call is over. */
#include "bench/replay/play.h"

#include <glib.h>
#include <string.h>

static const agw_ns PATIENCE = AGW_S(12);  /* a call fails by itself sooner */
static const agw_ns BEFORE = AGW_MS(100);  /* from being able to send to the first packet */
static const agw_ns SETTLED = AGW_MS(500); /* nothing came for so long: nothing will */

/* --- what arrives --- */

static void on_rtp(void *owner, const uint8_t *rtp, size_t len, agw_ns at)
{
    const kit_seat *seat = owner;
    kit_play *p = seat->call->config.owner;
    if (p->arrival_count == p->arrival_room) {
        p->arrival_room = 2 * p->arrival_room + 256;
        p->arrivals = g_renew(kit_arrival, p->arrivals, p->arrival_room);
    }
    p->arrivals[p->arrival_count++] =
        (kit_arrival){.rtp = g_memdup2(rtp, len), .len = len, .at = at};
    p->last_arrival_at = at;
}

/* --- what leaves --- */

static bool send_packet(kit_play *p, const kit_capture_packet *packet)
{
    uint8_t rtp[KIT_DATAGRAM_MAX]; /* the browser protects in place */
    if (packet->len + AGW_SRTP_TRAILER_MAX > sizeof rtp)
        return false;
    memcpy(rtp, packet->rtp, packet->len);
    agw_rtp_set_pt(rtp, p->pt_sent[packet->header.pt]);
    if (p->call.is_browser[KIT_A])
        return kit_browser_send_rtp(&p->call.browser, rtp, packet->len);
    return kit_phone_send_rtp(&p->call.phone[KIT_A], rtp, packet->len);
}

static void on_due(void *owner)
{
    kit_play *p = owner;
    const size_t count = p->config.stream->packet_count;
    agw_ns now = agw_clock_now();
    while (p->next < count && p->played[p->next].due <= now) {
        kit_played *one = &p->played[p->next++];
        if (send_packet(p, one->packet))
            one->sent_at = agw_clock_now();
        else
            p->refused++;
        kit_wire_flush(p->world->wire);
        now = agw_clock_now();
    }
    if (p->next < count)
        kit_world_at(p->world, &p->timer, p->played[p->next].due, on_due, p);
}

/* Packets stay in the capture's order, also where its clock steps back. */
static void schedule(kit_play *p, agw_ns begin)
{
    const kit_capture_stream *s = p->config.stream;
    agw_ns due = begin;
    p->played = g_new0(kit_played, s->packet_count);
    for (size_t i = 0; i < s->packet_count; i++) {
        const agw_ns at = begin + (agw_ns)((double)s->packets[i].at / p->config.speed);
        due = at > due ? at : due;
        p->played[i] = (kit_played){.packet = &s->packets[i], .due = due};
    }
    kit_world_at(p->world, &p->timer, p->played[0].due, on_due, p);
}

/* --- the call --- */

static const kit_codecs *codecs_of(const kit_play *p, kit_side side)
{
    return p->call.is_browser[side] ? &p->call.browser.codecs : &p->call.phone[side].codecs;
}

static void map_payload_types(kit_play *p)
{
    const kit_codecs *ours = p->config.codecs;
    memset(p->pt_expected, 0xff, sizeof p->pt_expected);
    for (size_t i = 0; i < ours->count; i++) {
        p->pt_sent[ours->codec[i].pt] = codecs_of(p, KIT_A)->pt_out[i];
        p->pt_expected[ours->codec[i].pt] = codecs_of(p, KIT_B)->codec[i].pt;
    }
}

static void init_call(kit_play *p)
{
    const kit_call_config call = {.kind = p->config.kind,
                                  .video = p->config.video,
                                  .codecs = p->config.codecs,
                                  .dtls = p->config.dtls,
                                  .unpoliced = true,                 /* at any speed */
                                  .payload = KIT_STREAM_PAYLOAD_MIN, /* its own streams rest */
                                  .owner = p};
    kit_call_init(&p->call, p->world, &call, 1);
    if (p->call.is_browser[KIT_B])
        p->call.browser.config.on_rtp = on_rtp;
    else
        p->call.phone[KIT_B].config.on_rtp = on_rtp;
    if (p->call.is_browser[KIT_A])
        p->call.browser.ssrc = p->config.stream->ssrc; /* as its SDP will say */
}

static bool is_up_or_failed(void *owner)
{
    const kit_play *p = owner;
    return p->call.state == KIT_CALL_UP || p->call.state == KIT_CALL_FAILED;
}

static bool has_settled(void *owner)
{
    const kit_play *p = owner;
    const size_t count = p->config.stream->packet_count;
    if (p->next < count)
        return false;
    agw_ns last = p->played[count - 1].due;
    last = p->last_arrival_at > last ? p->last_arrival_at : last;
    return p->world->now >= last + SETTLED;
}

static bool is_gone(void *owner)
{
    const kit_play *p = owner;
    return p->call.state == KIT_CALL_GONE;
}

const char *kit_play_run(kit_play *p, kit_world *world, const kit_play_config *config)
{
    memset(p, 0, sizeof *p);
    p->world = world;
    p->config = *config;
    init_call(p);
    kit_call_start(&p->call);
    if (!kit_world_until(world, is_up_or_failed, p, PATIENCE) || p->call.state != KIT_CALL_UP)
        return p->call.failure != NULL ? p->call.failure : "the call did not come up";
    map_payload_types(p);
    schedule(p, world->now + BEFORE);
    const agw_ns length = p->played[config->stream->packet_count - 1].due - world->now;
    kit_world_until(world, has_settled, p, length + AGW_S(30));
    kit_call_delete(&p->call);
    if (!kit_world_until(world, is_gone, p, PATIENCE))
        return "no reply to the delete";
    return p->call.failure;
}

void kit_play_fini(kit_play *p)
{
    kit_world_cancel(p->world, &p->timer);
    kit_call_fini(&p->call);
    for (size_t i = 0; i < p->arrival_count; i++)
        g_free((void *)(uintptr_t)p->arrivals[i].rtp);
    g_free(p->arrivals);
    g_free(p->played);
}
