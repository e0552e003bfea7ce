/* SPDX-License-Identifier: BSD-3-Clause
 * Bits of RFC 4867, most significant first:
 *
 *   bandwidth-efficient:  CMR(4)       { F FT(4) Q }...     speech bits...            0 to 7
 * padding octet-aligned:        CMR(4) 0000  { F FT(4) Q 00 }...  { speech bits, padding }...
 *   stored:               0 FT(4) Q 00  speech bits, padding
 */
#include "codecs/amr_payload.h"
#include "codecs/bits.h"

#include <string.h>

enum {
    NO_REQUEST = 15,
    TYPES = 16,
    CMR_BITS = 4,
    TOC_BITS = 6,
};

/* 0: nothing but the header; -1: not in a payload. Types 9 to 11 of AMR are comfort noise of other
 * systems: a packet with them is dropped whole (section 4.3.2). */
static const int16_t BITS[2][TYPES] = {
    {95, 103, 118, 134, 148, 159, 204, 244, 39, -1, -1, -1, -1, -1, -1, 0},
    {132, 177, 253, 285, 317, 365, 397, 461, 477, 40, -1, -1, -1, -1, 0, 0},
};

int agw_amr_bits(bool wide, unsigned type)
{
    return type < TYPES ? BITS[wide][type] : -1;
}

static unsigned modes_of(bool wide)
{
    return wide ? AGW_AMR_WB_MODES : AGW_AMR_MODES;
}

/* --- frames ------------------------------------------------------------------------------------
 */

/* A lost frame is one to be concealed, whatever its quality bit says. */
static uint8_t kind_of(bool wide, unsigned type, bool good)
{
    if (type == AGW_AMR_NO_DATA)
        return AGW_FRAME_NO_DATA;
    if (!good || type == AGW_AMR_LOST)
        return AGW_FRAME_BAD;
    return type == modes_of(wide) ? AGW_FRAME_SID : AGW_FRAME_SPEECH;
}

static agw_frame frame_of(bool wide, unsigned type, bool good)
{
    return (agw_frame){.kind = kind_of(wide, type, good),
                       .type = (uint8_t)type,
                       .duration_ms_x10 = AGW_AMR_FRAME_MS_X10};
}

static bool is_good(const agw_frame *frame)
{
    return frame->kind != AGW_FRAME_BAD || frame->type == AGW_AMR_LOST;
}

static unsigned bits_of(bool wide, const agw_frame *frame)
{
    const int bits = agw_amr_bits(wide, frame->type);
    AGW_ASSERT(bits >= 0);
    return (unsigned)bits;
}

/* --- payload -----------------------------------------------------------------------------------
 */

static unsigned up_to_octet(const agw_amr_layout *layout, unsigned bits)
{
    return layout->octet_aligned ? (bits + 7) / 8 * 8 : bits;
}

/* Reads the table of contents behind the mode request; *at goes behind it. */
static agw_err split_contents(const agw_amr_layout *layout, const uint8_t *payload, size_t len,
                              size_t *at, agw_payload *out)
{
    const unsigned entry_bits = up_to_octet(layout, TOC_BITS);
    bool more = true;
    for (out->n_frames = 0; more; *at += entry_bits) {
        if (*at + entry_bits > len * 8)
            return AGW_ERR_TRUNCATED;
        const unsigned entry = agw_bits_get(payload, *at, TOC_BITS);
        const unsigned type = entry >> 1 & 15u;
        if (out->n_frames == AGW_DECODER_FRAMES_MAX || agw_amr_bits(layout->wide, type) < 0)
            return AGW_ERR_MALFORMED;
        out->frames[out->n_frames++] = frame_of(layout->wide, type, (entry & 1u) != 0);
        more = (entry & 0x20u) != 0;
    }
    return AGW_OK;
}

static bool is_zero(const uint8_t *data, size_t len)
{
    unsigned any = 0;
    for (size_t i = 0; i < len; i++)
        any |= data[i];
    return any == 0;
}

agw_err agw_amr_split(const agw_amr_layout *layout, const uint8_t *payload, size_t len,
                      agw_payload *out)
{
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    const unsigned request = agw_bits_get(payload, 0, CMR_BITS);
    out->mode_request = request < modes_of(layout->wide) ? (int8_t)request : -1;
    size_t at = up_to_octet(layout, CMR_BITS);
    const agw_err err = split_contents(layout, payload, len, &at, out);
    if (err != AGW_OK)
        return err;
    for (unsigned i = 0; i < out->n_frames; i++) {
        agw_frame *frame = &out->frames[i];
        const unsigned bits = bits_of(layout->wide, frame);
        if (at + bits > len * 8)
            return AGW_ERR_TRUNCATED;
        frame->data = payload + at / 8;
        frame->bit = (uint16_t)(at % 8);
        frame->len = bits == 0 ? 0 : (uint16_t)agw_bits_octets(frame->bit + bits);
        at += up_to_octet(layout, bits);
    }
    return is_zero(payload + agw_bits_octets(at), len - agw_bits_octets(at)) ? AGW_OK
                                                                             : AGW_ERR_MALFORMED;
}

static size_t payload_octets(const agw_amr_layout *layout, const agw_payload *frames)
{
    size_t bits = up_to_octet(layout, CMR_BITS);
    for (unsigned i = 0; i < frames->n_frames; i++)
        bits += up_to_octet(layout, TOC_BITS) +
                up_to_octet(layout, bits_of(layout->wide, &frames->frames[i]));
    return agw_bits_octets(bits);
}

size_t agw_amr_write(const agw_amr_layout *layout, const agw_payload *frames, uint8_t *out,
                     size_t room)
{
    const size_t len = payload_octets(layout, frames);
    if (frames->n_frames == 0 || len > room)
        return 0;
    memset(out, 0, len);
    const unsigned request = frames->mode_request < 0 ? NO_REQUEST : (unsigned)frames->mode_request;
    agw_bits_put(out, 0, request, CMR_BITS);
    size_t at = up_to_octet(layout, CMR_BITS);
    for (unsigned i = 0; i < frames->n_frames; i++) {
        const agw_frame *frame = &frames->frames[i];
        const unsigned more = i + 1u < frames->n_frames ? 0x20 : 0, good = is_good(frame) ? 1 : 0;
        agw_bits_put(out, at, more | (unsigned)frame->type << 1 | good, TOC_BITS);
        at += up_to_octet(layout, TOC_BITS);
    }
    for (unsigned i = 0; i < frames->n_frames; i++) {
        const unsigned bits = bits_of(layout->wide, &frames->frames[i]);
        agw_bits_copy(out, at, frames->frames[i].data, frames->frames[i].bit, bits);
        at += up_to_octet(layout, bits);
    }
    return len;
}

/* --- stored frames -----------------------------------------------------------------------------
 */

size_t agw_amr_store(bool wide, const agw_frame *frame, uint8_t out[AGW_AMR_STORED_MAX])
{
    const unsigned bits = bits_of(wide, frame);
    memset(out, 0, 1 + agw_bits_octets(bits));
    out[0] = (uint8_t)((unsigned)frame->type << 3 | (is_good(frame) ? 4u : 0u));
    agw_bits_copy(out, 8, frame->data, frame->bit, bits);
    return 1 + agw_bits_octets(bits);
}

agw_err agw_amr_load(bool wide, const uint8_t *stored, size_t len, agw_frame *out)
{
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    const unsigned type = stored[0] >> 3 & 15u;
    const int bits = agw_amr_bits(wide, type);
    if (bits < 0)
        return AGW_ERR_MALFORMED;
    if (len < 1 + agw_bits_octets((size_t)bits))
        return AGW_ERR_TRUNCATED;
    *out = frame_of(wide, type, (stored[0] & 4u) != 0);
    out->data = stored + 1;
    out->len = (uint16_t)agw_bits_octets((size_t)bits);
    return AGW_OK;
}
