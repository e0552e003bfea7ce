/* SPDX-License-Identifier: BSD-3-Clause
 * Telephone events (RFC 4733): the payload, telling one digit from the many packets that carry it,
 * and making the packets of digits that are to be played. Numbers of the RTP stream around them are
 * rtp/rewrite.h's. */
#ifndef AGW_RTP_EVENT_H
#define AGW_RTP_EVENT_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_RTP_EVENT_BYTES = 4,        /* of one event in a payload, RFC 4733 section 2.3 */
    AGW_RTP_EVENT_DIGITS = 16,      /* events below are 0 to 9, *, #, A to D (section 3.2) */
    AGW_RTP_EVENT_QUEUE = 32,       /* digits that may wait to be played */
    AGW_RTP_EVENT_SEGMENT = 0xffff, /* longest duration of one segment, section 2.5.1.3 */
};

/** One event of a payload. */
typedef struct agw_rtp_event {
    uint8_t event;
    bool end;
    uint8_t volume;    /* 0 to 63: so many dB below 0 dBm0 */
    uint16_t duration; /* so far, in units of the timestamp */
} agw_rtp_event;

/** Reads the first event of a payload; AGW_ERR_TRUNCATED when there is none. */
AGW_NODISCARD agw_err agw_rtp_event_parse(agw_rtp_event *out, const uint8_t *payload, size_t len);
void agw_rtp_event_write(const agw_rtp_event *event, uint8_t out[AGW_RTP_EVENT_BYTES]);
/** Whether an event that was longer than a segment holds goes on with the next segment (RFC 4733
 * section 2.5.1.3).
 *
 * @param last      what is known of its segment so far
 * @param next      of another timestamp ...
 * @param later     ... that is so many units of clock_hz behind the segment's */
bool agw_rtp_event_goes_on(const agw_rtp_event *last, const agw_rtp_event *next, uint32_t later,
                           uint32_t clock_hz);

/** The character of a digit, '?' for other events; and back, -1 for other characters. */
char agw_rtp_event_char(uint8_t event);
int agw_rtp_event_of_char(char digit);

/* --- hearing -----------------------------------------------------------------------------------
 */

/** A digit that was pressed. */
typedef struct agw_rtp_digit {
    uint8_t event; /* below AGW_RTP_EVENT_DIGITS */
    uint8_t volume;
    uint32_t duration_ms;
} agw_rtp_digit;

/** What one RTP stream has told so far; zeroed to begin. */
typedef struct agw_rtp_event_in {
    uint32_t ssrc;
    bool started;
    bool open; /* a digit is being heard that has not been told yet */
    uint8_t event, volume;
    uint16_t duration;  /* of the last segment */
    uint32_t timestamp; /* of the last segment */
    uint32_t before;    /* units of earlier segments, section 2.5.1.3 */
    uint32_t clock_hz;
    agw_ns at; /* last packet of it */
} agw_rtp_event_in;

/** Takes a packet's event. true: out is a digit that is complete, told once: with the first packet
 * that has the end bit, or, where all of these were lost, with the next digit. Events that are no
 * digits and packets that come late tell nothing.
 *
 * @param clock_hz  of the payload type, > 0 */
bool agw_rtp_event_take(agw_rtp_event_in *in, const agw_rtp_event *event, uint32_t ssrc,
                        uint32_t timestamp, uint32_t clock_hz, agw_ns now, agw_rtp_digit *out);
/** To be asked with other packets of the stream while a digit is open. true: its end was lost, out
 * is what was heard. */
bool agw_rtp_event_ended(agw_rtp_event_in *in, agw_ns now, agw_rtp_digit *out);

/* --- playing -----------------------------------------------------------------------------------
 */

/** A digit to be played. */
typedef struct agw_rtp_event_order {
    uint8_t event;        /* 0 to 255 */
    uint8_t volume;       /* 0 to 63 */
    uint16_t duration_ms; /* > 0 */
    uint16_t pause_ms;    /* before the next one */
} agw_rtp_event_order;

/** A queue of digits and where the present one stands; zeroed = nothing to play. */
typedef struct agw_rtp_event_out {
    agw_rtp_event_order queue[AGW_RTP_EVENT_QUEUE];
    uint8_t first, count;
    bool begun;         /* the first of the queue is sounding */
    uint8_t ends;       /* packets with the end bit so far */
    uint32_t steps;     /* packets of it so far */
    uint32_t segment;   /* units of its earlier segments */
    agw_ns next_at;     /* when the next packet is due */
    agw_ns quiet_until; /* no digit begins before */
} agw_rtp_event_out;

/** The payload of one packet, and its place. */
typedef struct agw_rtp_event_packet {
    uint8_t payload[AGW_RTP_EVENT_BYTES];
    bool marker;     /* the first packet of a digit */
    uint32_t offset; /* its timestamp is that of the digit's begin plus this */
} agw_rtp_event_packet;

/** Appends a digit; AGW_ERR_LIMIT: the queue is full. */
AGW_NODISCARD agw_err agw_rtp_event_push(agw_rtp_event_out *out, const agw_rtp_event_order *order,
                                         agw_ns now);
/** When the next packet is due; AGW_NEVER = nothing to play. */
agw_ns agw_rtp_event_deadline(const agw_rtp_event_out *out);
/** Makes the packet that is due. false: none is. One every 20 ms; the last one of a digit three
 * times (section 2.5.1.4). */
bool agw_rtp_event_next(agw_rtp_event_out *out, uint32_t clock_hz, agw_ns now,
                        agw_rtp_event_packet *packet);

#endif
