/* SPDX-License-Identifier: BSD-3-Clause
 * TS 26.445 clause A.2:
 *
 *   Compact, EVS Primary:   the frame, whose size tells its mode
 *   Compact, AMR-WB IO:     CMR(3)  d(1) d(2) ... d(n-1) d(0)  padding
 *   Header-Full:            [1 T(3) D(4)]  { 0 F E Q type(4) }...  { frame, padding to octets }...
 */
#include "codecs/evs_payload.h"
#include "codecs/amr_payload.h"
#include "codecs/bits.h"

#include <string.h>

enum {
    REQUEST_BIT = 0x80, /* of the first octet: it is a CMR */
    MORE_BIT = 0x40,
    IO_BIT = 0x20,
    GOOD_BIT = 0x10, /* AMR-WB IO only */
    NO_REQUEST = 0xff,
    COMPACT_CMR_BITS = 3,
    COMPACT_NO_REQUEST = 7,
    SPECIAL_OCTETS =
        7, /* 2.8 kbit/s, or Header-Full AMR-WB IO SID: the first bit tells (A.2.1.3) */
};

static const int16_t PRIMARY_BITS[16] = {56,  144,  160,  192,  264, 328, 488, 640,
                                         960, 1280, 1920, 2560, 48,  -1,  0,   0};

/* Modes of AMR-WB that a CMR of three bits can ask for, and the one for each mode. */
static const uint8_t MODE_OF_COMPACT[7] = {0, 1, 2, 4, 5, 7, 8};
static const uint8_t COMPACT_OF_MODE[AGW_AMR_WB_MODES] = {0, 1, 2, 2, 3, 4, 4, 5, 6};

int agw_evs_bits(unsigned type)
{
    return (type & AGW_EVS_IO) != 0 ? agw_amr_bits(true, type & AGW_EVS_TYPE)
                                    : PRIMARY_BITS[type & AGW_EVS_TYPE];
}

static size_t bits_of(const agw_frame *frame)
{
    const int bits = agw_evs_bits(frame->type);
    AGW_ASSERT(bits >= 0);
    return (size_t)bits;
}

static uint8_t kind_of(unsigned type, bool good)
{
    const unsigned mode = type & AGW_EVS_TYPE;
    const bool is_io = (type & AGW_EVS_IO) != 0;
    if (mode == AGW_EVS_NO_DATA)
        return AGW_FRAME_NO_DATA;
    if (mode == AGW_EVS_LOST || (is_io && !good))
        return AGW_FRAME_BAD;
    return mode == (is_io ? (unsigned)AGW_AMR_WB_MODES : AGW_EVS_SID) ? AGW_FRAME_SID
                                                                      : AGW_FRAME_SPEECH;
}

static agw_frame frame_of(unsigned type, bool good)
{
    return (agw_frame){.kind = kind_of(type, good),
                       .type = (uint8_t)type,
                       .duration_ms_x10 = AGW_AMR_FRAME_MS_X10};
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Type of the Compact payload of this size; -1: no payload of this size is Compact. */
static int compact_type(size_t len, uint8_t first)
{
    if (len == SPECIAL_OCTETS && (first & REQUEST_BIT) != 0)
        return -1;
    for (unsigned type = 0; type <= AGW_EVS_SID; type++) {
        if (len * 8 == (size_t)PRIMARY_BITS[type])
            return (int)type;
    }
    for (unsigned mode = 0; mode < AGW_AMR_WB_MODES; mode++) {
        if (len == agw_bits_octets(COMPACT_CMR_BITS + (size_t)agw_amr_bits(true, mode)))
            return (int)(mode | AGW_EVS_IO | AGW_EVS_FIRST_LAST);
    }
    return -1;
}

static void split_compact(unsigned type, const uint8_t *payload, size_t len, agw_payload *out)
{
    agw_frame *frame = &out->frames[0];
    *frame = frame_of(type, true);
    frame->data = payload;
    frame->len = (uint16_t)len;
    out->n_frames = 1;
    if ((type & AGW_EVS_IO) == 0)
        return;
    frame->bit = COMPACT_CMR_BITS;
    const unsigned request = payload[0] >> 5;
    if (request != COMPACT_NO_REQUEST)
        out->mode_request = (int8_t)(AGW_EVS_REQUEST_IO | MODE_OF_COMPACT[request]);
}

/* Reads the table of contents; *at goes behind it. */
static agw_err split_contents(const uint8_t *payload, size_t len, size_t *at, agw_payload *out)
{
    bool more = true;
    while (more) {
        if (*at == len)
            return AGW_ERR_TRUNCATED;
        const unsigned entry = payload[(*at)++], type = entry & (AGW_EVS_IO | AGW_EVS_TYPE);
        if ((entry & REQUEST_BIT) != 0 || agw_evs_bits(type) < 0 ||
            out->n_frames == AGW_DECODER_FRAMES_MAX)
            return AGW_ERR_MALFORMED;
        out->frames[out->n_frames++] = frame_of(type, (entry & GOOD_BIT) != 0);
        more = (entry & MORE_BIT) != 0;
    }
    return AGW_OK;
}

static agw_err split_full(const uint8_t *payload, size_t len, agw_payload *out)
{
    size_t at = 0;
    if ((payload[0] & REQUEST_BIT) != 0) {
        const unsigned request = payload[at++] & 0x7f;
        const bool is_io = (request & 0x70) == AGW_EVS_REQUEST_IO;
        const bool counts = is_io ? (request & AGW_EVS_TYPE) < AGW_AMR_WB_MODES : request < 0x70;
        out->mode_request = counts ? (int8_t)request : -1;
    }
    const agw_err err = split_contents(payload, len, &at, out);
    if (err != AGW_OK)
        return err;
    for (unsigned i = 0; i < out->n_frames; i++) {
        agw_frame *frame = &out->frames[i];
        const size_t size = agw_bits_octets(bits_of(frame));
        if (len - at < size)
            return AGW_ERR_TRUNCATED;
        frame->data = payload + at;
        frame->len = (uint16_t)size;
        at += size;
    }
    while (at < len) {
        if (payload[at++] != 0)
            return AGW_ERR_MALFORMED;
    }
    return AGW_OK;
}

agw_err agw_evs_split(bool hf_only, const uint8_t *payload, size_t len, agw_payload *out)
{
    out->n_frames = 0;
    out->mode_request = -1;
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    const int type = hf_only ? -1 : compact_type(len, payload[0]);
    if (type < 0)
        return split_full(payload, len, out);
    split_compact((unsigned)type, payload, len, out);
    return AGW_OK;
}

size_t agw_evs_copy(const agw_frame *frame, uint8_t out[AGW_EVS_FRAME_MAX])
{
    const size_t bits = bits_of(frame);
    memset(out, 0, agw_bits_octets(bits));
    if ((frame->type & AGW_EVS_FIRST_LAST) != 0) {
        agw_bits_put(out, 0, agw_bits_get(frame->data, frame->bit + bits - 1, 1), 1);
        agw_bits_copy(out, 1, frame->data, frame->bit, bits - 1);
    } else {
        agw_bits_copy(out, 0, frame->data, frame->bit, bits);
    }
    return agw_bits_octets(bits);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static bool is_io_speech(const agw_frame *frame)
{
    return (frame->type & AGW_EVS_IO) != 0 && frame->kind == AGW_FRAME_SPEECH;
}

static bool fits_compact(const agw_payload *frames)
{
    const agw_frame *frame = &frames->frames[0];
    if (frames->n_frames != 1)
        return false;
    if (is_io_speech(frame))
        return frames->mode_request < 0 || (frames->mode_request & 0x70) == AGW_EVS_REQUEST_IO;
    if (frame->len == SPECIAL_OCTETS && (frame->data[0] & REQUEST_BIT) != 0)
        return false; /* no encoder begins 2.8 kbit/s so */
    return (frame->type & AGW_EVS_IO) == 0 && frames->mode_request < 0 &&
           (frame->kind == AGW_FRAME_SPEECH || frame->kind == AGW_FRAME_SID);
}

static size_t write_compact(const agw_payload *frames, uint8_t *out, size_t room)
{
    const agw_frame *frame = &frames->frames[0];
    const size_t bits = bits_of(frame), cmr = is_io_speech(frame) ? COMPACT_CMR_BITS : 0;
    const size_t len = agw_bits_octets(cmr + bits);
    uint8_t octets[AGW_EVS_FRAME_MAX];
    if (len > room)
        return 0;
    agw_evs_copy(frame, octets);
    if (cmr == 0) {
        memcpy(out, octets, len);
        return len;
    }
    const unsigned mode = (unsigned)frames->mode_request & AGW_EVS_TYPE;
    memset(out, 0, len);
    agw_bits_put(out, 0, frames->mode_request >= 0 ? COMPACT_OF_MODE[mode] : COMPACT_NO_REQUEST,
                 COMPACT_CMR_BITS);
    const size_t at = agw_bits_copy(out, COMPACT_CMR_BITS, octets, 1, bits - 1);
    agw_bits_put(out, at, agw_bits_get(octets, 0, 1), 1);
    return len;
}

/* A lone SID of AMR-WB IO has a CMR always: figure A.6. */
static bool wants_request(const agw_payload *frames)
{
    return frames->mode_request >= 0 ||
           (frames->n_frames == 1 && (frames->frames[0].type & AGW_EVS_IO) != 0 &&
            frames->frames[0].kind == AGW_FRAME_SID);
}

static uint8_t contents_entry(const agw_frame *frame, bool more)
{
    const bool is_io = (frame->type & AGW_EVS_IO) != 0;
    const bool good = frame->kind != AGW_FRAME_BAD || (frame->type & AGW_EVS_TYPE) == AGW_AMR_LOST;
    return (uint8_t)((more ? MORE_BIT : 0u) | (is_io ? IO_BIT : 0u) |
                     (is_io && good ? GOOD_BIT : 0u) | (frame->type & AGW_EVS_TYPE));
}

static size_t write_full(const agw_payload *frames, uint8_t *out, size_t room)
{
    const bool has_request = wants_request(frames);
    size_t len = (has_request ? 1u : 0u) + frames->n_frames;
    for (unsigned i = 0; i < frames->n_frames; i++)
        len += agw_bits_octets(bits_of(&frames->frames[i]));
    if (len > room)
        return 0;
    size_t at = 0;
    if (has_request)
        out[at++] = frames->mode_request < 0
                        ? (uint8_t)NO_REQUEST
                        : (uint8_t)(REQUEST_BIT | (unsigned)frames->mode_request);
    for (unsigned i = 0; i < frames->n_frames; i++)
        out[at++] = contents_entry(&frames->frames[i], i + 1u < frames->n_frames);
    for (unsigned i = 0; i < frames->n_frames; i++)
        at += agw_evs_copy(&frames->frames[i], out + at);
    while (compact_type(at, out[0]) >= 0) {
        if (at == room)
            return 0;
        out[at++] = 0;
    }
    return at;
}

size_t agw_evs_write(bool compact, const agw_payload *frames, uint8_t *out, size_t room)
{
    if (frames->n_frames == 0)
        return 0;
    return compact && fits_compact(frames) ? write_compact(frames, out, room)
                                           : write_full(frames, out, room);
}

/* --- AMR-WB ------------------------------------------------------------------------------------
 */

agw_err agw_evs_to_amr_wb(bool hf_only, const uint8_t *payload, size_t len, bool octet_aligned,
                          uint8_t *out, size_t *len_io)
{
    agw_payload frames;
    const agw_err err = agw_evs_split(hf_only, payload, len, &frames);
    if (err != AGW_OK)
        return err;
    uint8_t octets[AGW_EVS_FRAME_MAX]; /* Compact is one frame; those of Header-Full are in order */
    for (unsigned i = 0; i < frames.n_frames; i++) {
        agw_frame *frame = &frames.frames[i];
        if ((frame->type & AGW_EVS_IO) == 0)
            return AGW_ERR_UNSUPPORTED;
        if ((frame->type & AGW_EVS_FIRST_LAST) != 0) {
            agw_evs_copy(frame, octets);
            frame->data = octets;
            frame->bit = 0;
        }
        frame->type &= AGW_EVS_TYPE;
    }
    const int request = (int)frames.mode_request;
    const bool is_io = request >= 0 && (request & 0x70) == AGW_EVS_REQUEST_IO;
    frames.mode_request = is_io ? (int8_t)(request & AGW_EVS_TYPE) : -1;
    *len_io = agw_amr_write(&(agw_amr_layout){.wide = true, .octet_aligned = octet_aligned},
                            &frames, out, *len_io);
    return *len_io != 0 ? AGW_OK : AGW_ERR_NO_SPACE;
}

agw_err agw_evs_from_amr_wb(bool octet_aligned, const uint8_t *payload, size_t len, bool compact,
                            uint8_t *out, size_t *len_io)
{
    agw_payload frames;
    const agw_err err = agw_amr_split(
        &(agw_amr_layout){.wide = true, .octet_aligned = octet_aligned}, payload, len, &frames);
    if (err != AGW_OK)
        return err;
    for (unsigned i = 0; i < frames.n_frames; i++)
        frames.frames[i].type |= AGW_EVS_IO;
    if (frames.mode_request >= 0)
        frames.mode_request |= AGW_EVS_REQUEST_IO;
    *len_io = agw_evs_write(compact, &frames, out, *len_io);
    return *len_io != 0 ? AGW_OK : AGW_ERR_NO_SPACE;
}
