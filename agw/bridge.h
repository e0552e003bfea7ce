/* SPDX-License-Identifier: BSD-3-Clause
 * One media between the two legs: whose packet it is, the gate, payload types, header extensions,
 * SSRC and sequence continuity, RTCP translation, key frame requests. */
#ifndef AGW_AGW_BRIDGE_H
#define AGW_AGW_BRIDGE_H

#include "agw/plan.h"
#include "agw/stats.h"
#include "agw/transport.h"
#include "rtp/event.h"
#include "rtp/feedback.h"
#include "rtp/seq.h"
#include "rtp/xr.h"

/** Bits of agw_end.acts that are not control's, beside AGW_ACT_* of agw/plan.h. */
enum {
    AGW_ACT_CHAIN = 1 << 5,   /* some of it goes through a chain */
    AGW_ACT_HEARING = 1 << 6, /* a digit of this party has begun */
    AGW_ACT_PLAYING = 1 << 7, /* digits or a file are played in its place */
    AGW_ACTS_PLANNED =
        AGW_ACT_BLOCK | AGW_ACT_BLOCK_DTMF | AGW_ACT_TAP | AGW_ACT_PASS | AGW_ACT_INBAND,
};

enum { AGW_END_PTS = 4 }; /* payload types within an agw_end's first line: all that most have */

typedef struct agw_dtmf_player agw_dtmf_player;
typedef struct agw_player agw_player;
typedef struct agw_inband agw_inband;

/** One side of a media. What is "in" comes from this side's party, what is "out" goes to it. */
typedef struct agw_end {
    /* what every packet from this party needs: one line of the cache, and one of `in` */
    alignas(AGW_CACHE_LINE) bool may_send;
    uint8_t n_pts;
    uint8_t mid_ext_id;
    uint8_t n_ssrcs;
    uint8_t key_frames_due; /* requests still to be sent to this party */
    uint8_t acts;           /* what else is done to its RTP; 0 = nothing */
    uint16_t police_burst_ms;
    uint32_t in_ssrc;   /* whose numbers `in` holds; 0 = none yet */
    uint32_t police_ns; /* what a byte takes of its rate; 0 = not policed */
    agw_ns in_at;       /* its last packet */
    agw_budget police;
    agw_pt_plan pts[AGW_END_PTS];                /* the first of them; see agw_end_pt() */
    alignas(AGW_CACHE_LINE) agw_rtp_receiver in; /* the RTP stream from this party */

    /* what every packet to this party needs: one line, and one of `out` */
    alignas(AGW_CACHE_LINE) agw_transport *transport; /* NULL while there is none */
    bool may_receive;
    bool reduced_size;
    bool tos_copy;     /* RTP keeps the DSCP and ECN byte it came with */
    uint8_t tos;       /* 0 = as the transport */
    uint8_t fir_seq;   /* of the last FIR toward this party */
    uint32_t flows_to; /* agw_transport.peer that gets media now; 0 = nobody */
    uint32_t feedback; /* AGW_FB_* that the party understands */
    alignas(AGW_CACHE_LINE) agw_rewrite out; /* the RTP stream toward this party */

    agw_pt_plan *more_pts;              /* the others, or NULL */
    agw_ns key_frame_at;                /* when the next key frame request may go to this party */
    agw_ns loss_asked_at;               /* when one was asked for because of loss */
    char cname[AGW_PLAN_CNAME_MAX + 1]; /* the CNAME that the party sees; "" = unchanged */
    char mid[AGW_MID_MAX + 1];
    uint8_t n_signalled;
    uint32_t ssrcs[AGW_PLAN_SSRC_MAX]; /* whose packets are this media's: signalled, then learned */
    uint8_t *ext_map;   /* [256]: id of a header extension as it goes out, by its id as it comes in,
                           0 = removed; NULL = all are */
    agw_rtp_sr_log srs; /* SRs that went to this party */

    /* RTCP of our own, agw/report.h */
    bool rtcp_off;
    uint8_t xr; /* AGW_PLAN_XR_* */
    const struct agw_emodel_codec *codec;
    uint32_t rrtr_ssrc, rrtr_ntp; /* the party's last RRTR: who, middle of its NTP timestamp */
    agw_ns rrtr_at;               /* 0 = none, or answered */
    uint32_t own_ssrc;            /* speaks where the party knows no SSRC of ours yet */
    uint32_t own_sr;              /* middle of the NTP timestamp of our last SR; 0 = none */
    agw_ns report_at; /* when the next one is due unless RTCP is passed on meanwhile; 0 = not yet */
    uint32_t planned_ssrc;  /* what the plan said of the stream toward this party */
    agw_rtp_event_in heard; /* digits of this party */
    agw_xr_bursts bursts;   /* losses of this party's stream */
    agw_ns told_from;       /* second in which told digits are counted */
    unsigned told;
    agw_dtmf_player *player;   /* digits in place of what this party sends; NULL = none ever */
    agw_inband *inband;        /* what is done within its audio; NULL = nothing */
    agw_player *announcer;     /* audio of our own that this party hears; NULL = none ever */
    struct agw_shield *shield; /* in place of its digits while they are blocked; NULL = nothing */
    struct agw_transcoder *transcoder; /* of what this party sends; NULL = all passes */
} agw_end;

/** One of its n_pts. */
static inline const agw_pt_plan *agw_end_pt(const agw_end *end, size_t i)
{
    return i < AGW_END_PTS ? &end->pts[i] : &end->more_pts[i - AGW_END_PTS];
}

typedef struct agw_media {
    alignas(AGW_CACHE_LINE) struct agw_call *call;
    uint32_t id;
    uint8_t kind;  /* agw_media_kind */
    bool own_rtcp; /* none is passed on */
    agw_media_stats *stats;
    agw_end end[2];
} agw_media;

agw_media *agw_media_new(struct agw_call *call, uint32_t id, agw_media_stats *stats);
void agw_media_free(agw_media *m);
void agw_media_apply(agw_media *m, const agw_media_plan *plan);

/** Stage of a turn: authentic RTP and RTCP finds its media and turns toward the other leg. */
void agw_bridge_forward(agw_worker *w, agw_pkt *const pkts[], size_t n);

/** After anything that may let media flow or stop it. Where media begins to flow, or to somebody
 * else, the source is asked for a key frame; where nothing has changed, nothing happens. */
void agw_media_settle(agw_media *m, agw_ns now);
/** The same for every media of a transport. */
void agw_bridge_settle(agw_transport *t);

/** From now on another source speaks on this transport, be it one that did before. */
void agw_bridge_take_over(agw_transport *t);

/** Whether a media of this transport may look like this: a well-formed packet, and of a payload
 * type that was negotiated. */
bool agw_bridge_expects(const agw_transport *t, const agw_pkt *pkt);
/** Whether an RTP packet goes on with a stream that came in by this transport: its SSRC, and a
 * sequence number not far ahead. */
bool agw_bridge_goes_on(const agw_transport *t, const agw_pkt *pkt);
/** Counts a packet that leaves; plain_len: without the SRTP trailer. */
void agw_bridge_count_sent(const agw_worker *w, const agw_pkt *pkt, size_t plain_len);

#endif
