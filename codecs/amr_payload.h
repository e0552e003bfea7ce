/* SPDX-License-Identifier: BSD-3-Clause
 * RTP payload of AMR and AMR-WB (RFC 4867), bandwidth-efficient (section 4.3) and octet-aligned
 * (section 4.4), and frames as files store them (section 5.3), which is what the codec libraries
 * take and give. Pure functions on bits; interleaving, robust sorting, CRC and several channels are
 * refused in SDP already (codecs/codec.h). */
#ifndef AGW_CODECS_AMR_PAYLOAD_H
#define AGW_CODECS_AMR_PAYLOAD_H

#include "codecs/decoder.h"

enum {
    AGW_AMR_MODES = 8, /* speech modes of AMR; SID is the frame type behind them */
    AGW_AMR_WB_MODES = 9,
    AGW_AMR_LOST = 14, /* frame types of both codecs; LOST is AMR-WB's alone */
    AGW_AMR_NO_DATA = 15,
    AGW_AMR_STORED_MAX = 61,    /* octets of a stored frame: a header and 477 bits */
    AGW_AMR_FRAME_MS_X10 = 200, /* duration of any frame */
};

/** How frames lie in a payload. */
typedef struct agw_amr_layout {
    bool wide; /* AMR-WB */
    bool octet_aligned;
} agw_amr_layout;

/** Bits of a frame type, RFC 4867 section 3.6 (TS 26.101, 26.201); -1: reserved, or another
 * system's comfort noise. */
int agw_amr_bits(bool wide, unsigned type);

/** Splits a payload. data and bit of a frame say where its speech bits begin in the payload, len is
 * the octets that they touch. A mode request that is no speech mode counts as none.
 *
 * @return AGW_ERR_TRUNCATED: ends inside of a frame; AGW_ERR_MALFORMED: a frame type that must not
 *         come, more than AGW_DECODER_FRAMES_MAX frames, or more octets than the frames need that
 *         are not zero (mostly the other layout). Count and drop on both. */
AGW_NODISCARD agw_err agw_amr_split(const agw_amr_layout *layout, const uint8_t *payload,
                                    size_t len, agw_payload *out);
/** Writes a payload of the frames that agw_amr_split() or agw_amr_load() gave; mode_request goes
 * out as CMR. Bad frames keep their type and have Q = 0.
 *
 * @return octets; 0: there is no frame, or they do not fit into room */
size_t agw_amr_write(const agw_amr_layout *layout, const agw_payload *frames, uint8_t *out,
                     size_t room);

/** Copies one frame as a file stores it; returns its octets. */
size_t agw_amr_store(bool wide, const agw_frame *frame, uint8_t out[AGW_AMR_STORED_MAX]);
/** The other way; the frame borrows stored (its length is what its type says).
 *
 * @return AGW_ERR_TRUNCATED: len ends before the frame does; AGW_ERR_MALFORMED: reserved type */
AGW_NODISCARD agw_err agw_amr_load(bool wide, const uint8_t *stored, size_t len, agw_frame *out);

#endif
