/* SPDX-License-Identifier: BSD-3-Clause
 * The RTP header (RFC 3550 section 5.1) and its extensions (RFC 8285): parse, look up, renumber,
 * add. Sequence numbers and SSRCs are mapped in rtp/rewrite.h, RTCP is in rtp/rtcp.h. */
#ifndef AGW_RTP_HEADER_H
#define AGW_RTP_HEADER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_RTP_HEADER_MIN = 12,    /* fixed header, RFC 3550 section 5.1 */
    AGW_RTP_EXT_BODY_MAX = 256, /* largest extension body that agw_rtp_ext_add() will extend */
};

/** Where everything is in one RTP packet; offsets count from the packet's first byte. */
typedef struct agw_rtp_header {
    uint8_t pt;
    bool marker;
    uint8_t csrc_count;
    bool has_ext;
    uint16_t seq;
    uint16_t ext_profile; /* 0xBEDE one-byte, 0x100x two-byte form; valid with has_ext */
    uint32_t timestamp;
    uint32_t ssrc;
    size_t ext_at;      /* extension body, behind its 4-byte header */
    size_t ext_len;     /* bytes of the body, a multiple of 4 */
    size_t header_len;  /* = offset of the payload */
    size_t payload_len; /* without padding */
    size_t padding_len; /* including the count byte */
} agw_rtp_header;

/** Parses a whole plain RTP packet and checks version, CSRCs, extension and padding.
 *
 * @return AGW_OK; AGW_ERR_TRUNCATED when a part runs past len; AGW_ERR_MALFORMED when it is not
 *         version 2 or the padding count is impossible. Count and drop on both. */
AGW_NODISCARD agw_err agw_rtp_parse(agw_rtp_header *out, const uint8_t *buf, size_t len);

/** The same for a packet that is still protected: its padding is cipher text, so payload_len is
 * all the rest (tag included) and padding_len is 0. */
AGW_NODISCARD agw_err agw_rtp_parse_protected(agw_rtp_header *out, const uint8_t *buf, size_t len);

/** RTP or RTCP on one port: the second byte of RTCP is 192 to 223 (RFC 5761 section 4). */
bool agw_rtp_is_rtcp(const uint8_t *buf, size_t len);

/** Sets the payload type and keeps the marker. rtp has been parsed. */
static inline void agw_rtp_set_pt(uint8_t *rtp, uint8_t pt)
{
    rtp[1] = (uint8_t)((rtp[1] & 0x80u) | (pt & 0x7fu));
}

/** One extension element; data is borrowed from the packet. */
typedef struct agw_rtp_ext {
    uint8_t id;
    const uint8_t *data; /* never NULL; len may be 0 in two-byte form */
    size_t len;
} agw_rtp_ext;

/** A walk over the elements; borrows the packet. */
typedef struct agw_rtp_ext_iter {
    const uint8_t *body;
    size_t at, len; /* at: behind the last good element */
    bool two_byte;
} agw_rtp_ext_iter;

/** h: what agw_rtp_parse() said about buf. Extensions of other profiles have no elements. */
void agw_rtp_ext_begin(agw_rtp_ext_iter *it, const uint8_t *buf, const agw_rtp_header *h);

/** false: no more. Ends at a cut element and, in one-byte form, at ID 15 and at ID 0 with a length
 * (RFC 8285 section 4.2). */
bool agw_rtp_ext_next(agw_rtp_ext_iter *it, agw_rtp_ext *out);

/** The element with this id: its data, and *len; NULL when there is none. */
const uint8_t *agw_rtp_ext_get(const uint8_t *buf, const agw_rtp_header *h, uint8_t id,
                               size_t *len);

/** Renumbers and removes elements in place.
 *
 * @param len  in/out; never grows
 * @param map  map[old id] = new id, 0 = remove
 * @return AGW_OK, also when there is nothing to do; AGW_ERR_MALFORMED / _TRUNCATED as
 *         agw_rtp_parse().
 *
 * One-byte form stays one-byte form: an element whose new id is above 14 is removed. Padding
 * between elements goes; an extension that ends up empty, or is of a profile nobody could have
 * negotiated (not RFC 8285), is removed whole with the X bit. */
AGW_NODISCARD agw_err agw_rtp_ext_rewrite(uint8_t *rtp, size_t *len, const uint8_t map[256]);

/** Puts one element into a packet, with or without an extension; an element of the same id is
 * replaced. The header moves (down into the headroom, seldom up), the payload stays where it is.
 *
 * @param rtp       in/out: first byte of the packet
 * @param len       in/out
 * @param headroom  writable bytes in front of *rtp, e.g. pkt->data - pkt->buf
 * @param id        1 to 255; above 14, or data_len of 0 or more than 16, makes it two-byte form
 * @param data_len  0 to 255
 * @return AGW_OK; AGW_ERR_NO_SPACE when headroom or AGW_RTP_EXT_BODY_MAX is too small (nothing is
 *         changed); AGW_ERR_UNSUPPORTED for an extension of another profile; AGW_ERR_MALFORMED /
 *         _TRUNCATED as agw_rtp_parse(). */
AGW_NODISCARD agw_err agw_rtp_ext_add(uint8_t **rtp, size_t *len, size_t headroom, uint8_t id,
                                      const uint8_t *data, size_t data_len);

#endif
