/* SPDX-License-Identifier: BSD-3-Clause
 * One media between the two legs: whose packet it is, the gate, payload types, header extensions,
 * SSRC and sequence continuity, RTCP translation, key frame requests. */
#ifndef AGW_AGW_BRIDGE_H
#define AGW_AGW_BRIDGE_H

#include "agw/plan.h"
#include "agw/stats.h"
#include "agw/transport.h"
#include "rtp/feedback.h"
#include "rtp/seq.h"

enum { AGW_PT_NONE = 0xff };

/** One side of a media. What is "in" comes from this side's party, what is "out" goes to it. */
typedef struct agw_end {
    agw_transport *transport; /* NULL while there is none */
    bool may_send, may_receive;
    bool reduced_size;
    uint32_t feedback; /* AGW_FB_* that the party understands */
    char mid[AGW_MID_MAX + 1];
    uint8_t mid_ext_id;
    uint8_t n_ssrcs;
    uint32_t ssrcs[AGW_PLAN_SSRC_MAX]; /* signalled or learned: whose packets are this media's */
    uint8_t egress_pt[128];            /* by ingress payload type; AGW_PT_NONE = not negotiated */
    uint32_t clock_hz[128];
    uint8_t ext_map[256];

    agw_rewrite out;        /* the RTP stream toward this party */
    agw_rtp_receiver in;    /* the RTP stream from this party */
    uint32_t in_ssrc;       /* whose numbers `in` holds; 0 = none yet */
    agw_rtp_sr_log srs;     /* SRs that went to this party */
    uint8_t fir_seq;        /* of the last FIR toward this party */
    uint8_t key_frames_due; /* requests still to be sent to this party ... */
    agw_ns key_frame_at;    /* ... not before */
} agw_end;

typedef struct agw_media {
    struct agw_call *call;
    uint32_t id;
    uint8_t kind; /* agw_media_kind */
    agw_media_stats *stats;
    agw_end end[2];
} agw_media;

AGW_NODISCARD agw_media *agw_media_new(struct agw_call *call, uint32_t id, agw_media_stats *stats);
void agw_media_free(agw_media *m);
/** transports: of the call, by which the plan's ids are found. */
void agw_media_apply(agw_media *m, const agw_media_plan *plan);

/** Stage of a turn: authentic RTP and RTCP finds its media and turns toward the other leg. */
void agw_bridge_forward(agw_worker *w, agw_pkt *const pkts[], size_t n);

/** The party on this side shall send a key frame: now if it can be asked, else as soon as it can.
 */
void agw_media_want_key_frame(agw_media *m, agw_side side, agw_ns now);
/** Toward this transport media can flow from now on: its party needs a key frame of every video. */
void agw_bridge_transport_ready(agw_transport *t);

#endif
