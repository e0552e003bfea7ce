/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtp/event_relay.h"

enum {
    SEGMENT_MAX = AGW_RTP_EVENT_SEGMENT,
    REPEATS = 2, /* of the end, RFC 4733 section 2.5.1.4 */
    MS_PER_S = 1000,
};

/* Packets of a digit come at least every 50 ms (section 2.5.1.2); after that its end was lost. */
static const agw_ns LOST_AFTER = AGW_MS(200);
/* Longest time to wait for the audio before it. */
static const agw_ns WAIT_MAX = AGW_MS(200);

static size_t place(const agw_event_relay *r, size_t i)
{
    return (r->first + i) % AGW_EVENT_RELAY_QUEUE;
}

/* Of the newest event, which may have been told to its end. */
static size_t newest(const agw_event_relay *r)
{
    return place(r, r->count + AGW_EVENT_RELAY_QUEUE - 1u);
}

static agw_err push(agw_event_relay *r, const agw_rtp_event *event, uint32_t timestamp,
                    uint32_t clock_hz, agw_ns now)
{
    if (r->has_last)
        r->queue[newest(r)].ended = true; /* be it that its end was lost */
    if (r->count == AGW_EVENT_RELAY_QUEUE - 1)
        return AGW_ERR_LIMIT;
    const size_t at = place(r, r->count++);
    r->has_last = true;
    r->queue[at].event = event->event;
    r->queue[at].volume = event->volume;
    r->queue[at].ended = event->end;
    r->queue[at].duration = event->duration;
    r->queue[at].begin = r->queue[at].segment = timestamp;
    r->queue[at].before = 0;
    r->queue[at].clock_hz = clock_hz;
    r->queue[at].began_at = r->queue[at].at = now;
    return AGW_OK;
}

static agw_err take(agw_event_relay *r, const agw_rtp_event *event, uint32_t timestamp,
                    uint32_t clock_hz, agw_ns now)
{
    const size_t at = newest(r);
    if (!r->has_last)
        return push(r, event, timestamp, clock_hz, now);
    const agw_rtp_event last = {
        .event = r->queue[at].event, .end = r->queue[at].ended, .duration = r->queue[at].duration};
    if (agw_rtp_event_goes_on(&last, event, timestamp - r->queue[at].segment,
                              r->queue[at].clock_hz)) {
        r->queue[at].before += SEGMENT_MAX;
        r->queue[at].segment = timestamp;
        r->queue[at].duration = 0;
    }
    if (timestamp != r->queue[at].segment) {
        const bool late =
            (int32_t)(timestamp - r->queue[at].segment) < 0 && now - r->queue[at].at < LOST_AFTER;
        return late ? AGW_OK : push(r, event, timestamp, clock_hz, now);
    }
    r->queue[at].at = now;
    if (event->duration > r->queue[at].duration)
        r->queue[at].duration = event->duration;
    r->queue[at].ended = r->queue[at].ended || event->end;
    return AGW_OK;
}

agw_err agw_event_relay_put(agw_event_relay *r, const uint8_t *payload, size_t len,
                            uint32_t timestamp, uint32_t clock_hz, agw_ns now)
{
    agw_rtp_event event;
    size_t at = 0;
    agw_err err = AGW_ERR_TRUNCATED;
    /* Several in one packet follow each other without a gap (RFC 4733 section 2.5.1.5). */
    while (agw_rtp_event_parse(&event, payload + at, len - at) == AGW_OK) {
        err = take(r, &event, timestamp, clock_hz, now);
        timestamp += event.duration;
        at += AGW_RTP_EVENT_BYTES;
    }
    return err;
}

bool agw_event_relay_is_due(const agw_event_relay *r, uint32_t audio, agw_ns now)
{
    if (r->sounding || r->count == 0)
        return r->sounding;
    const size_t at = r->first;
    const int32_t ahead = (int32_t)(r->queue[at].begin - audio);
    const int32_t far = (int32_t)r->queue[at].clock_hz; /* a second: it counts by another clock */
    return ahead <= 0 || ahead > far || now - r->queue[at].began_at >= WAIT_MAX;
}

/* Its duration as far as it is known, in egress units. */
static uint32_t known(const agw_event_relay *r, uint32_t clock_hz)
{
    const size_t at = r->first;
    const uint64_t units = (uint64_t)r->queue[at].before + r->queue[at].duration;
    return (uint32_t)(units * clock_hz / r->queue[at].clock_hz);
}

static void begin(agw_event_relay *r)
{
    r->sounding = true;
    r->told_ms = r->told = r->egress_segment = 0;
    r->repeats = 0;
}

static void end(agw_event_relay *r, const agw_rtp_event_packet *packet)
{
    r->end = *packet;
    r->end.marker = false;
    r->repeats = REPEATS;
    r->sounding = false;
    r->queue[r->first].ended = true;
    r->first = (uint8_t)place(r, 1);
    r->count--;
}

void agw_event_relay_next(agw_event_relay *r, unsigned ms, uint32_t clock_hz, agw_ns now,
                          agw_rtp_event_packet *packet)
{
    AGW_ASSERT(r->count != 0);
    packet->marker = !r->sounding;
    if (!r->sounding)
        begin(r);
    r->told_ms += ms;
    const size_t at = r->first;
    const uint32_t passed = (uint32_t)((uint64_t)r->told_ms * clock_hz / MS_PER_S);
    const uint32_t all = known(r, clock_hz);
    const bool ended = r->queue[at].ended || now - r->queue[at].at >= LOST_AFTER;
    /* Never ahead of what is known: a duration that was told cannot be taken back. */
    const uint32_t told = passed < all ? passed : all;
    if (told > r->told)
        r->told = told;
    const uint32_t units = r->told - r->egress_segment;
    const bool is_cut = units > SEGMENT_MAX;
    const agw_rtp_event event = {
        .event = r->queue[at].event,
        .end = ended && !is_cut && passed >= all,
        .volume = r->queue[at].volume,
        .duration = (uint16_t)(is_cut ? SEGMENT_MAX : units),
    };
    agw_rtp_event_write(&event, packet->payload);
    packet->offset = r->egress_segment;
    if (is_cut)
        r->egress_segment += SEGMENT_MAX;
    if (event.end)
        end(r, packet);
}

bool agw_event_relay_repeat(agw_event_relay *r, agw_rtp_event_packet *packet)
{
    if (r->repeats == 0)
        return false;
    r->repeats--;
    *packet = r->end;
    return true;
}
