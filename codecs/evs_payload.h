/* SPDX-License-Identifier: BSD-3-Clause
 * RTP payload of EVS (TS 26.445 annex A.2): Compact, told by its size, and Header-Full; and AMR-WB
 * frames between EVS AMR-WB IO and AMR-WB (RFC 4867), which is a matter of bits alone: both decode
 * them alike. No library is needed for any of this. */
#ifndef AGW_CODECS_EVS_PAYLOAD_H
#define AGW_CODECS_EVS_PAYLOAD_H

#include "codecs/decoder.h"

enum {
    AGW_EVS_TYPE = 0x0f,       /* of agw_frame.type: the mode as the table of contents has it */
    AGW_EVS_IO = 0x20,         /* it is one of AMR-WB IO: types of RFC 4867 */
    AGW_EVS_FIRST_LAST = 0x40, /* its first bit comes behind the others: Compact AMR-WB IO */
    AGW_EVS_SID = 12,          /* types of EVS Primary */
    AGW_EVS_LOST = 14,
    AGW_EVS_NO_DATA = 15,
    AGW_EVS_FRAME_MAX = 320,   /* octets of 128 kbit/s */
    AGW_EVS_REQUEST_IO = 0x10, /* of a mode request: + mode of AMR-WB IO */
};

/** Bits of a frame (agw_frame.type); -1: reserved. */
int agw_evs_bits(unsigned type);

/** Splits a payload of either format. mode_request: the lower seven bits of a CMR octet (T and D of
 * table A.3; that of Compact is translated); -1 = none.
 *
 * @param hf_only  SDP says hf-only=1: no payload is Compact, whatever its size
 * @return AGW_ERR_TRUNCATED, AGW_ERR_MALFORMED as agw_amr_split() */
AGW_NODISCARD agw_err agw_evs_split(bool hf_only, const uint8_t *payload, size_t len,
                                    agw_payload *out);
/** Copies a frame's bits in their order; returns its octets. */
size_t agw_evs_copy(const agw_frame *frame, uint8_t out[AGW_EVS_FRAME_MAX]);
/** Writes a payload: Compact where that is wanted and possible (one good frame, and no request that
 * it has no field for), else Header-Full, with zero octets behind it where its size would be that
 * of a Compact one (clause A.2.2.3).
 *
 * @return octets; 0: no frame, or no room */
size_t agw_evs_write(bool compact, const agw_payload *frames, uint8_t *out, size_t room);

/** Rewrites a payload of EVS for a party that takes AMR-WB, and back. Requests go along: 14.25 and
 * 19.85 kbit/s, which Compact cannot name, as the next lower one; those of EVS Primary end here.
 *
 * @param hf_only, compact  as above
 * @param len_io  in: room of out; out: octets
 * @return AGW_ERR_UNSUPPORTED: EVS Primary, this needs a decoder; AGW_ERR_NO_SPACE; else as
 *         splitting */
AGW_NODISCARD agw_err agw_evs_to_amr_wb(bool hf_only, const uint8_t *payload, size_t len,
                                        bool octet_aligned, uint8_t *out, size_t *len_io);
AGW_NODISCARD agw_err agw_evs_from_amr_wb(bool octet_aligned, const uint8_t *payload, size_t len,
                                          bool compact, uint8_t *out, size_t *len_io);

#endif
