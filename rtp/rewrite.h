/* SPDX-License-Identifier: BSD-3-Clause
 * One media in one direction becomes one egress RTP stream: one SSRC, sequence numbers and
 * timestamps without a break, whatever SSRCs come in (source change, early media, hold music).
 * Payload types and header extensions are the caller's; the RTCP side is in rtp/feedback.h. */
#ifndef AGW_RTP_REWRITE_H
#define AGW_RTP_REWRITE_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AGW_REWRITE_OLD_SSRCS = 4 };

/** Plain values, one thread; agw_rewrite_init() first. Can be copied to another process. */
typedef struct agw_rewrite {
    /* what every packet needs: 64 bytes */
    uint32_t egress_ssrc; /* 0 = transparent: nothing is changed */
    uint32_t ssrc;        /* current ingress SSRC, valid when started; transparent too */
    bool runs; /* the last packet of ssrc was sent; not: it was held back, or there was none */
    bool started : 1;
    bool later : 1; /* not the first ingress stream */
    uint8_t old_count;
    uint8_t far_run;        /* consecutive packets far from the rest: a sender that began anew */
    uint16_t far_next;      /* the sequence number that continues the run */
    uint16_t step;          /* time from one packet to the next in sequence; 0 = not known */
    uint32_t seq_offset;    /* egress = ingress + offset, extended numbers */
    uint32_t ts_offset;     /* egress = ingress + offset */
    uint32_t egress_first;  /* extended egress number where the current ingress stream began */
    uint32_t egress_max;    /* highest extended egress number */
    uint32_t egress_max_ts; /* its egress timestamp */
    uint32_t packets;       /* sent, for SRs */
    uint32_t octets;        /* payload octets sent, padding included */
    uint32_t step_hz;       /* the clock of step */
    agw_ns egress_max_at;   /* when egress_max_ts was: its first packet was sent */
    agw_ns last_at;         /* last packet of the current ingress SSRC */

    uint32_t old_ssrcs[AGW_REWRITE_OLD_SSRCS]; /* replaced ones, newest first */
} agw_rewrite;

typedef enum agw_rewrite_result {
    AGW_REWRITE_OK = 0,
    AGW_REWRITE_RESUMED,  /* OK, and the first packet behind a pause in which packets were held back
                           */
    AGW_REWRITE_SWITCHED, /* OK, and the first packet of another ingress stream: a new receiver
                             state and, for video, a key frame request are due */
    AGW_REWRITE_DROP,     /* of a replaced SSRC, or its number is taken, or far off: drop, count */
} agw_rewrite_result;

/** egress_ssrc: what leaves; 0 = transparent. */
void agw_rewrite_init(agw_rewrite *r, uint32_t egress_ssrc);

/** Writes SSRC, sequence number and timestamp in place.
 *
 * @param rtp       a packet that agw_rtp_parse() accepted, authentic
 * @param clock_hz  of its payload type; at 90 kHz (video) the marker is left alone, else it is set
 *                  on the first packet after a change
 *
 * The first ingress SSRC keeps its numbers. On a change the egress goes on with the next sequence
 * number and with the time that passed; where that is no more than three packets of audio, with the
 * length of one, so that the receiver finds neither a hole nor an overlap. A replaced SSRC is
 * dropped until the current one has been silent for 200 ms. Reordered and duplicate packets keep
 * their offset. An SSRC whose sequence numbers jump (RFC 3550 A.1) is treated as a new stream from
 * its second packet there on. */
agw_rewrite_result agw_rewrite_rtp(agw_rewrite *r, uint8_t *rtp, size_t len, uint32_t clock_hz,
                                   agw_ns now);

/** Another source is to be heard from now on, be it one that was replaced lately. */
void agw_rewrite_take_over(agw_rewrite *r);

/** The newest packet of the source is not passed on, as control wants it so: none that was lost.
 * The next one that passes takes the number behind the last that did, with its own timestamp as far
 * as that fits the time that passed, and a marker if audio has paused; of video one number is left
 * out, so that the decoder knows of frames that it has not got. Reports about the stream meanwhile
 * tell the source that all has come. A transparent stream keeps what it has shown so far, and its
 * numbers are ours from here on.
 *
 * @param ext_seq  its sequence number as the receiver extends it; the packet before it has passed,
 *                 was held back, or was lost */
void agw_rewrite_hold(agw_rewrite *r, uint32_t ssrc, uint32_t ext_seq, uint32_t timestamp,
                      agw_ns now);

/* --- packets of our own between those of the source; the source is silent, or held back, meanwhile
 */

/** Begins the egress stream with numbers of our own; nothing may have been sent yet. ssrc: what
 * leaves where the stream was to be transparent. */
void agw_rewrite_begin(agw_rewrite *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp, agw_ns now);
/** A transparent stream keeps what it has shown so far, and its numbers are ours from this packet
 * of the source on, so that others can be put in. On other streams nothing happens. */
void agw_rewrite_pin(agw_rewrite *r, const uint8_t *rtp, agw_ns now);
/** The egress timestamp of this moment; the stream has begun and is not transparent. */
uint32_t agw_rewrite_timestamp_at(const agw_rewrite *r, uint32_t clock_hz, agw_ns now);
/** Writes SSRC and the next sequence number into a packet of our own.
 *
 * @param at  the moment that timestamp stands for */
void agw_rewrite_insert(agw_rewrite *r, uint8_t *rtp, size_t len, uint32_t timestamp, agw_ns at);
/** The source goes on with this packet, behind what was put in; its timestamps stay as they were.
 * To be called before agw_rewrite_rtp(). */
void agw_rewrite_resume(agw_rewrite *r, const uint8_t *rtp);

static inline bool agw_rewrite_transparent(const agw_rewrite *r)
{
    return r->egress_ssrc == 0;
}

/** The way back, for RTCP about the egress stream. All answer false when the number belongs to an
 * ingress stream that is gone, or to none; the transparent ones return what they are given. */
bool agw_rewrite_ingress_ssrc(const agw_rewrite *r, uint32_t egress_ssrc, uint32_t *ssrc);
bool agw_rewrite_ingress_seq(const agw_rewrite *r, uint16_t egress_seq, uint16_t *seq);
bool agw_rewrite_ingress_ext_seq(const agw_rewrite *r, uint32_t egress_ext, uint32_t *ext_seq);

/** The way forward, for SRs: RTP timestamp of the current ingress stream to egress. */
uint32_t agw_rewrite_egress_timestamp(const agw_rewrite *r, uint32_t timestamp);

#endif
