/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP extended reports (RFC 3611): receiver reference time (RRTR, block 4), what it is answered
 * with (DLRR, block 5), VoIP metrics (block 7), and the burst and gap counting behind these. Other
 * blocks are passed over. */
#ifndef AGW_RTP_XR_H
#define AGW_RTP_XR_H

#include "rtp/rtcp.h"

enum {
    AGW_XR_RRTR = 4,
    AGW_XR_DLRR = 5,
    AGW_XR_VOIP = 7,
    AGW_XR_DLRR_MAX = 31,         /* sub-blocks that agw_xr_write_dlrr() takes */
    AGW_XR_GMIN = 16,             /* received packets that end a burst: RFC 3611 section 4.7.2 */
    AGW_XR_UNKNOWN = 127,         /* levels, RERL, R factors and MOS that are not known */
    AGW_XR_PLC_STANDARD = 3 << 6, /* rx_config, section 4.7.6: packet loss concealment, */
    AGW_XR_PLC_ENHANCED = 2 << 6,
    AGW_XR_PLC_DISABLED = 1 << 6,
    AGW_XR_JB_ADAPTIVE = 3 << 4, /* and jitter buffer; the low four bits are its rate */
    AGW_XR_JB_FIXED = 2 << 4,
};

/** A sub-block of DLRR, section 4.5: delay since the last RRTR of this receiver. */
typedef struct agw_xr_dlrr {
    uint32_t ssrc;
    uint32_t lrr, dlrr; /* middle of its NTP timestamp; 1/65536 s since. 0: none has come */
} agw_xr_dlrr;

/** VoIP metrics, section 4.7. Fields as on the wire. */
typedef struct agw_xr_voip {
    uint32_t ssrc;                                    /* of the stream that it is about */
    uint8_t loss_rate, discard_rate;                  /* 1/256 of the expected packets */
    uint8_t burst_density, gap_density;               /* 1/256 of the packets in bursts, gaps */
    uint16_t burst_ms, gap_ms;                        /* mean length */
    uint16_t round_trip_ms, end_system_delay_ms;      /* 0 = not known */
    int8_t signal_level, noise_level;                 /* dBm0; AGW_XR_UNKNOWN */
    uint8_t rerl;                                     /* residual echo return loss, dB */
    uint8_t gmin;                                     /* AGW_XR_GMIN, unless a peer likes another */
    uint8_t r_factor, ext_r_factor, mos_lq, mos_cq;   /* MOS times ten; AGW_XR_UNKNOWN */
    uint8_t rx_config;                                /* AGW_XR_PLC_* | AGW_XR_JB_* | rate */
    uint16_t jb_nominal_ms, jb_max_ms, jb_abs_max_ms; /* jitter buffer delay */
} agw_xr_voip;

/** A block; data is borrowed from the packet. */
typedef struct agw_xr_block {
    uint8_t type;
    const uint8_t *data; /* behind the block's header */
    size_t len;
} agw_xr_block;

/** The next block of an XR packet. at: 0 to begin with. false: no more, or the next one is not
 * complete. RRTR, DLRR and VoIP metrics come only with a length that is right for them (section
 * 4.4, 4.5, 4.7); those of another length are passed over like unknown ones. */
bool agw_xr_next(const agw_rtcp_packet *xr, size_t *at, agw_xr_block *out);
/** The SSRC of who sends an XR packet. */
uint32_t agw_xr_sender(const agw_rtcp_packet *xr);

/** Middle of the NTP timestamp of an RRTR block. */
uint32_t agw_xr_read_rrtr(const agw_xr_block *block);
/** Sub-blocks of a DLRR block, and one of them. */
size_t agw_xr_count_dlrr(const agw_xr_block *block);
void agw_xr_read_dlrr(const agw_xr_block *block, size_t i, agw_xr_dlrr *out);
void agw_xr_read_voip(const agw_xr_block *block, agw_xr_voip *out);

/* Each appends one XR packet of one block: AGW_OK, or AGW_ERR_NO_SPACE and nothing is written. */
AGW_NODISCARD agw_err agw_xr_write_rrtr(agw_rtcp_writer *w, uint32_t sender, uint64_t ntp);
AGW_NODISCARD agw_err agw_xr_write_dlrr(agw_rtcp_writer *w, uint32_t sender,
                                        const agw_xr_dlrr *blocks, size_t n);
AGW_NODISCARD agw_err agw_xr_write_voip(agw_rtcp_writer *w, uint32_t sender,
                                        const agw_xr_voip *voip);

/** Bursts and gaps of a stream: the counters of RFC 3611 appendix A.2. It is told of losses only,
 * so that a packet that comes costs nothing. Zeroed is valid. */
typedef struct agw_xr_bursts {
    bool started;
    uint32_t last_seq; /* extended: highest packet that was counted */
    uint32_t c11, c13, c14, c22, c23, c33;
    uint32_t in_burst; /* losses of the current burst */
    uint32_t since;    /* packets since the last loss */
    uint64_t lost;
} agw_xr_bursts;

/** Before this packet so many were lost.
 *
 * @param ext_seq  extended sequence number of the packet that showed it
 * @param lost     right before it, in one run; 0 = only count what has come */
void agw_xr_bursts_count(agw_xr_bursts *b, uint32_t ext_seq, uint32_t lost);
/** Runs of losses so far, for agw_emodel_burst_ratio(). */
uint64_t agw_xr_bursts_runs(const agw_xr_bursts *b);
/** Fills densities and lengths of bursts and gaps.
 *
 * @param packet_ms  audio in a packet */
void agw_xr_bursts_report(const agw_xr_bursts *bursts, unsigned packet_ms, agw_xr_voip *out);

#endif
