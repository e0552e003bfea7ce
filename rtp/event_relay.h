/* SPDX-License-Identifier: BSD-3-Clause
 * Telephone events (RFC 4733) of one RTP stream, told again in another that has its own pace, clock
 * and payload types: each event begins where it stands between the audio, lasts as long as it
 * lasted, and ends in three packets, however many of the original came through. */
#ifndef AGW_RTP_EVENT_RELAY_H
#define AGW_RTP_EVENT_RELAY_H

#include "rtp/event.h"

enum { AGW_EVENT_RELAY_QUEUE = 8 };

/** Zeroed to begin. */
typedef struct agw_event_relay {
    struct {
        uint8_t event, volume;
        bool ended;
        uint16_t duration;       /* of its last segment */
        uint32_t begin, segment; /* timestamps of the event and of its last segment */
        uint32_t before;         /* units of earlier segments */
        uint32_t clock_hz;
        agw_ns began_at, at; /* first and last packet */
    } queue[AGW_EVENT_RELAY_QUEUE];
    uint8_t first, count;
    bool has_last; /* the newest one, be it told already, stands behind first + count */

    bool sounding;    /* the first of the queue is being told */
    uint32_t told_ms; /* so far ... */
    uint32_t told;    /* ... and in units of the egress clock */
    uint32_t egress_segment;
    agw_rtp_event_packet end; /* of the last one, to be repeated ... */
    uint8_t repeats;          /* ... so many times */
} agw_event_relay;

/** Takes the payload of a packet; what comes late or twice changes nothing.
 *
 * @param clock_hz  of the payload type, > 0
 * @return AGW_ERR_TRUNCATED: it holds no event; AGW_ERR_LIMIT: too many wait */
AGW_NODISCARD agw_err agw_event_relay_put(agw_event_relay *r, const uint8_t *payload, size_t len,
                                          uint32_t timestamp, uint32_t clock_hz, agw_ns now);
/** Whether an event, and no audio, is due now.
 *
 * @param audio  ingress timestamp of the audio whose turn it is */
bool agw_event_relay_is_due(const agw_event_relay *r, uint32_t audio, agw_ns now);
/** The packet for the next ms milliseconds of the event that is due. packet->offset counts in units
 * of clock_hz from the event's begin, which packet->marker tells. */
void agw_event_relay_next(agw_event_relay *r, unsigned ms, uint32_t clock_hz, agw_ns now,
                          agw_rtp_event_packet *packet);
/** The end of the last event once more, to be asked once a step until false. */
bool agw_event_relay_repeat(agw_event_relay *r, agw_rtp_event_packet *packet);

#endif
