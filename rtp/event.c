/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtp/event.h"

#include "base/wire.h"

#include <string.h>

enum {
    END_BIT = 0x80,
    VOLUME_MASK = 0x3f,
    SEGMENT_MAX = AGW_RTP_EVENT_SEGMENT,
    SLACKS_PER_S = 8, /* 125 ms: no packet of audio is longer than 120 */
    STEP_MS = 20,
    END_PACKETS = 3,
    MS_PER_S = 1000,
};

/* Packets of a digit come at least every 50 ms (section 2.5.1.2); after that its end was lost. */
static const agw_ns LOST_AFTER = AGW_MS(200);
static const agw_ns STEP = AGW_MS(STEP_MS);

static const char DIGITS[] = "0123456789*#ABCD";

agw_err agw_rtp_event_parse(agw_rtp_event *out, const uint8_t *payload, size_t len)
{
    if (len < AGW_RTP_EVENT_BYTES)
        return AGW_ERR_TRUNCATED;
    out->event = payload[0];
    out->end = (payload[1] & END_BIT) != 0;
    out->volume = payload[1] & VOLUME_MASK;
    out->duration = agw_get16(payload + 2);
    return AGW_OK;
}

void agw_rtp_event_write(const agw_rtp_event *event, uint8_t out[AGW_RTP_EVENT_BYTES])
{
    out[0] = event->event;
    out[1] = (uint8_t)((event->end ? END_BIT : 0) | (event->volume & VOLUME_MASK));
    agw_put16(out + 2, event->duration);
}

/* libwebrtc lets a segment begin with its first packet: up to a packet behind the end of the one
 * before. Where the event ends within that packet, too, the full segment has the end bit. */
bool agw_rtp_event_goes_on(const agw_rtp_event *last, const agw_rtp_event *next, uint32_t later,
                           uint32_t clock_hz)
{
    const uint32_t slack = clock_hz / SLACKS_PER_S;
    if (next->event != last->event || later - SEGMENT_MAX > slack)
        return false;
    if (last->end)
        return next->end && last->duration == SEGMENT_MAX;
    /* the packets that said it was full may be lost */
    return later == SEGMENT_MAX || last->duration + slack >= SEGMENT_MAX;
}

char agw_rtp_event_char(uint8_t event)
{
    return event < AGW_RTP_EVENT_DIGITS ? DIGITS[event] : '?';
}

int agw_rtp_event_of_char(char digit)
{
    if (digit >= 'a' && digit <= 'd')
        digit = (char)(digit - 'a' + 'A');
    const char *at = digit != '\0' ? strchr(DIGITS, digit) : NULL;
    return at != NULL ? (int)(at - DIGITS) : -1;
}

/* --- hearing -----------------------------------------------------------------------------------
 */

static bool tell(agw_rtp_event_in *in, agw_rtp_digit *out)
{
    const uint64_t units = (uint64_t)in->before + in->duration;
    *out = (agw_rtp_digit){.event = in->event,
                           .volume = in->volume,
                           .duration_ms = (uint32_t)(units * MS_PER_S / in->clock_hz)};
    in->open = false;
    return true;
}

static void begin(agw_rtp_event_in *in, const agw_rtp_event *event, uint32_t timestamp,
                  uint32_t clock_hz)
{
    in->started = in->open = true;
    in->event = event->event;
    in->volume = event->volume;
    in->duration = event->duration;
    in->timestamp = timestamp;
    in->before = 0;
    in->clock_hz = clock_hz;
}

/* A digit longer than one segment goes on. */
static bool continues(agw_rtp_event_in *in, const agw_rtp_event *event, uint32_t timestamp)
{
    const agw_rtp_event last = {.event = in->event, .end = !in->open, .duration = in->duration};
    if (!agw_rtp_event_goes_on(&last, event, timestamp - in->timestamp, in->clock_hz))
        return false;
    in->before += SEGMENT_MAX;
    in->timestamp = timestamp;
    in->duration = 0;
    return true;
}

bool agw_rtp_event_take(agw_rtp_event_in *in, const agw_rtp_event *event, uint32_t ssrc,
                        uint32_t timestamp, uint32_t clock_hz, agw_ns now, agw_rtp_digit *out)
{
    if (event->event >= AGW_RTP_EVENT_DIGITS)
        return false;
    if (in->ssrc != ssrc)
        *in = (agw_rtp_event_in){.ssrc = ssrc};
    if (in->started && timestamp != in->timestamp) {
        if ((int32_t)(timestamp - in->timestamp) < 0 && now - in->at < LOST_AFTER)
            return false; /* late */
        if (!continues(in, event, timestamp)) {
            agw_rtp_digit former;
            const bool was_open = in->open && tell(in, &former);
            begin(in, event, timestamp, clock_hz);
            in->at = now;
            if (was_open)
                *out = former;
            return was_open || (event->end && tell(in, out));
        }
    }
    if (!in->started)
        begin(in, event, timestamp, clock_hz);
    in->at = now;
    if (event->duration > in->duration)
        in->duration = event->duration;
    return in->open && event->end && tell(in, out);
}

bool agw_rtp_event_ended(agw_rtp_event_in *in, agw_ns now, agw_rtp_digit *out)
{
    return in->open && now - in->at >= LOST_AFTER && tell(in, out);
}

/* --- playing -----------------------------------------------------------------------------------
 */

agw_err agw_rtp_event_push(agw_rtp_event_out *out, const agw_rtp_event_order *order, agw_ns now)
{
    AGW_ASSERT(order->duration_ms > 0);
    if (out->count == AGW_RTP_EVENT_QUEUE)
        return AGW_ERR_LIMIT;
    if (out->count == 0)
        out->next_at = now > out->quiet_until ? now : out->quiet_until;
    out->queue[(out->first + out->count) % AGW_RTP_EVENT_QUEUE] = *order;
    out->count++;
    return AGW_OK;
}

agw_ns agw_rtp_event_deadline(const agw_rtp_event_out *out)
{
    return out->count != 0 ? out->next_at : AGW_NEVER;
}

static void end_digit(agw_rtp_event_out *out, agw_ns now)
{
    out->quiet_until = out->next_at = now + AGW_MS(out->queue[out->first].pause_ms);
    out->first = (uint8_t)((out->first + 1) % AGW_RTP_EVENT_QUEUE);
    out->count--;
    out->begun = false;
}

static void begin_digit(agw_rtp_event_out *out)
{
    out->begun = true;
    out->ends = 0;
    out->steps = 0;
    out->segment = 0;
}

bool agw_rtp_event_next(agw_rtp_event_out *out, uint32_t clock_hz, agw_ns now,
                        agw_rtp_event_packet *packet)
{
    if (out->count == 0 || now < out->next_at)
        return false;
    const agw_rtp_event_order *order = &out->queue[out->first];
    if (!out->begun)
        begin_digit(out);
    packet->marker = out->steps == 0;
    out->steps++;
    const uint32_t heard_ms = out->steps * STEP_MS;
    const bool is_last = heard_ms >= order->duration_ms;
    const uint64_t total =
        (uint64_t)(is_last ? order->duration_ms : heard_ms) * clock_hz / MS_PER_S;
    uint32_t units = (uint32_t)total - out->segment;
    const bool is_cut = units > SEGMENT_MAX;
    agw_rtp_event event = {.event = order->event,
                           .end = is_last && !is_cut,
                           .volume = order->volume,
                           .duration = (uint16_t)(is_cut ? SEGMENT_MAX : units)};
    agw_rtp_event_write(&event, packet->payload);
    packet->offset = out->segment;
    out->segment += is_cut ? SEGMENT_MAX : 0;
    out->ends = (uint8_t)(out->ends + event.end);
    /* what a late turn has missed is not made up for in a burst */
    out->next_at = now - out->next_at < STEP ? out->next_at + STEP : now + STEP;
    if (out->ends == END_PACKETS)
        end_digit(out, now);
    return true;
}
