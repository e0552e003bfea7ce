/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP from one leg to the other: reports, descriptions and feedback of one media are translated
 * to the SSRCs, sequence numbers and timestamps that the other leg knows, and to the feedback that
 * its profile allows. Key frame requests always get through. */
#ifndef AGW_RTP_FEEDBACK_H
#define AGW_RTP_FEEDBACK_H

#include "rtp/rewrite.h"
#include "rtp/rtcp.h"

/** What the egress leg negotiated. Extended reports are dropped all the same unless both ways are
 * transparent: their SSRCs would lie. */
enum {
    AGW_FB_NACK = 1 << 0,
    AGW_FB_PLI = 1 << 1,
    AGW_FB_FIR = 1 << 2,
    AGW_FB_TMMBR = 1 << 3, /* and TMMBN */
    AGW_FB_REMB = 1 << 4,
    AGW_FB_TCC = 1 << 5,
};

/** RTCP from side s to side d of one media. Everything is borrowed for the call. */
typedef struct agw_rtcp_map {
    const agw_rewrite *forward; /* RTP s -> d */
    const agw_rewrite *reverse; /* RTP d -> s */
    uint32_t allow;             /* AGW_FB_* of d */
    bool reduced_size;          /* d takes non-compound RTCP (RFC 5506) */
    bool sole;                  /* the transport of s carries only this media: what cannot be told
                                   by SSRC belongs to it */
    const char *cname;          /* replaces the CNAME; NULL = keep */
    uint32_t own_lsr;           /* LSR by which s answers an SR of ours, which d must not take for
                                   one of its own; 0 = none */
    uint8_t *fir_seq;           /* last FIR sequence number used toward d; NULL = PLI is not turned
                                   into FIR */
} agw_rtcp_map;

/** What was seen on the way. */
typedef struct agw_rtcp_info {
    bool key_frame; /* a key frame request about our stream */
    bool bye;       /* the current ingress stream said goodbye */
    bool has_sr;    /* an SR of the stream that we forward ... */
    uint32_t sr_ssrc;
    uint32_t sr_ntp_middle;
    bool has_report;        /* ... a report about the stream that we send to s, */
    agw_rtcp_report report; /* with its numbers as s knows them: loss, jitter, lsr, dlsr */
    unsigned packets;       /* RTCP packets in the datagram */
    unsigned dropped;       /* not allowed or unknown to us */
    unsigned other_media;   /* about SSRCs that are not of this media */
} agw_rtcp_info;

/** Translates one plain RTCP datagram.
 *
 * @param in       whole datagram, unprotected
 * @param out      not overlapping in
 * @param out_len  in: room, out: bytes to send; 0 = nothing to send for this media.
 *                 in_len + 300 is always enough
 * @param info     out, valid with AGW_OK
 * @return AGW_OK; AGW_ERR_MALFORMED / _TRUNCATED: in is not RTCP, count and drop;
 *         AGW_ERR_NO_SPACE.
 *
 * Order of the output: SR or RR, SDES, feedback, BYE. When both rewrites are transparent it is a
 * copy. Call it for each media of a BUNDLE transport. */
AGW_NODISCARD agw_err agw_rtcp_translate(const agw_rtcp_map *map, const uint8_t *in, size_t in_len,
                                         uint8_t *out, size_t *out_len, agw_rtcp_info *info);

/** Writes a key frame request of our own toward d in the form that d understands, inside a compound
 * where it must be (RFC 4585 section 3.1, RFC 5506). AGW_ERR_STATE: nothing has come from d yet.
 * out_len: in room, out bytes; 300 are always enough. */
AGW_NODISCARD agw_err agw_rtcp_key_frame_request(const agw_rtcp_map *map, uint8_t *out,
                                                 size_t *out_len);

#endif
