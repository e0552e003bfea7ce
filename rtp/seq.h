/* SPDX-License-Identifier: BSD-3-Clause
 * What the receiver of one RTP stream keeps: extended sequence number, loss, jitter, the last SR,
 * and its report block (RFC 3550 sections 6.4.1, A.1, A.3, A.8). Also the round-trip time to a peer
 * that answers SRs which we sent or passed on. */
#ifndef AGW_RTP_SEQ_H
#define AGW_RTP_SEQ_H

#include "base/clock.h"
#include "rtp/rtcp.h"

typedef enum agw_rtp_arrival {
    AGW_RTP_ARRIVAL_NEW = 0,   /* the first, or ahead of all before */
    AGW_RTP_ARRIVAL_REORDERED, /* behind the highest, not seen before */
    AGW_RTP_ARRIVAL_DUPLICATE, /* seen within the last 64 */
    AGW_RTP_ARRIVAL_JUMP,      /* far away: counted from the next one in its sequence on (A.1) */
    AGW_RTP_ARRIVAL_RESTART,   /* the sender began anew: counting began anew */
} agw_rtp_arrival;

/** One RTP stream as received; one thread. Zeroed is not valid: agw_rtp_receiver_init(). */
typedef struct agw_rtp_receiver {
    /* what every packet needs: 64 bytes. packets and all behind it count the whole life */
    uint32_t clock_hz;
    bool started;
    bool is_timed; /* transit is known */
    uint16_t max_seq;
    uint32_t bad_seq; /* the sequence number that would prove a restart; 65536+ = none */
    uint32_t cycles;  /* shifted count of wraps */
    uint32_t base_seq;
    uint32_t received; /* since base_seq, duplicates included, as A.3 wants it */
    uint32_t transit;
    uint32_t jitter_16; /* 16 times the jitter */
    uint64_t seen;      /* bit i: max_seq - i has come */
    uint64_t packets, bytes;
    int64_t lost_before; /* lost in sequences before the last restart */

    uint64_t duplicates, reordered, restarts;
    uint32_t expected_prior, received_prior;
    uint32_t lsr;
    agw_ns lsr_at;
} agw_rtp_receiver;

/** clock_hz: of the payload type; 0 = unknown, jitter stays 0. */
void agw_rtp_receiver_init(agw_rtp_receiver *r, uint32_t clock_hz);

/** The sender counts by another clock from the next packet on: jitter begins anew, the rest stays.
 */
void agw_rtp_receiver_set_clock(agw_rtp_receiver *r, uint32_t clock_hz);

/** Counts one authentic packet. len: bytes to add to the octet count. */
agw_rtp_arrival agw_rtp_receiver_on_packet(agw_rtp_receiver *r, uint16_t seq, uint32_t timestamp,
                                           size_t len, agw_ns now);

/** An SR of this stream came: its NTP timestamp is kept for LSR and DLSR. */
void agw_rtp_receiver_on_sr(agw_rtp_receiver *r, uint32_t ntp_middle, agw_ns now);

/** The block for the next SR or RR; begins a new interval for fraction_lost. */
void agw_rtp_receiver_report(agw_rtp_receiver *r, uint32_t ssrc, agw_ns now, agw_rtcp_report *out);

/** Extended highest sequence number: cycles * 65536 + sequence number. */
static inline uint32_t agw_rtp_receiver_ext_seq(const agw_rtp_receiver *r)
{
    return r->cycles + r->max_seq;
}

/** What the sender's clock of timestamps shows now, as far as its last packet tells. 0 while the
 * clock rate is not known. */
uint32_t agw_rtp_receiver_timestamp(const agw_rtp_receiver *r, agw_ns now);

/** Packets lost over the whole life; negative when duplicates outnumber losses. */
int64_t agw_rtp_receiver_lost(const agw_rtp_receiver *r);

static inline uint32_t agw_rtp_receiver_jitter(const agw_rtp_receiver *r)
{
    return r->jitter_16 >> 4;
}

enum { AGW_RTP_SR_LOG = 4 }; /* a round trip of 20 s at one every 5 s */

/** The last SRs that left toward one peer, ours or passed on, so that their echo (LSR, DLSR) tells
 * the round-trip time without asking a wall clock. Zeroed = empty. */
typedef struct agw_rtp_sr_log {
    struct {
        uint32_t ntp_middle;
        agw_ns sent_at;
    } sr[AGW_RTP_SR_LOG];
    unsigned next, count;
} agw_rtp_sr_log;

void agw_rtp_sr_log_sent(agw_rtp_sr_log *log, uint32_t ntp_middle, agw_ns now);

/** Round-trip time of a report block (RFC 3550 section 6.4.1): now - sent - DLSR, at least 0.
 * AGW_ERR_NOT_FOUND: LSR is 0 or not of the last SRs; AGW_ERR_MALFORMED: DLSR is longer than the
 * time since, by more than clock drift explains. */
AGW_NODISCARD agw_err agw_rtp_sr_log_round_trip(const agw_rtp_sr_log *log,
                                                const agw_rtcp_report *report, agw_ns now,
                                                agw_ns *rtt);

#endif
