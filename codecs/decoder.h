/* SPDX-License-Identifier: BSD-3-Clause
 * Payload to audio. A payload is first split into frames, each of which can be decoded, concealed
 * or left out by itself; what plays when is codecs/playout.h's. Audio is 16 bit, one channel, at
 * the rate that was asked for. No allocation after agw_decoder_new() but where a decoder begins
 * anew.
 */
#ifndef AGW_CODECS_DECODER_H
#define AGW_CODECS_DECODER_H

#include "codecs/codec.h"

enum {
    AGW_DECODER_FRAMES_MAX = 12,    /* of one payload: 240 ms */
    AGW_DECODER_FRAME_MS_MAX = 120, /* an Opus packet is one frame; of all others 20 or 30 ms */
    AGW_DECODER_FRAME_BYTES = 1500, /* longest frame (Opus); most are below 100 */
};

typedef enum agw_frame_kind {
    AGW_FRAME_SPEECH,
    AGW_FRAME_SID,     /* comfort noise parameters: AMR SID, CN, Opus DTX frame */
    AGW_FRAME_NO_DATA, /* the sender says that there is nothing: keep the noise going */
    AGW_FRAME_BAD,     /* damaged (AMR Q = 0): to be concealed */
} agw_frame_kind;

typedef struct agw_frame {
    uint8_t kind;             /* agw_frame_kind */
    uint8_t type;             /* the codec's own: AMR frame type */
    bool has_fec;             /* holds a copy of the frame before it (Opus LBRR) */
    uint16_t duration_ms_x10; /* in tenths of a millisecond: Opus has 2.5 ms */
    uint16_t len;
    const uint8_t *data; /* borrowed from the payload */
    uint16_t bit; /* where it begins in data, for codecs whose frames are not octet aligned */
} agw_frame;

typedef struct agw_payload {
    agw_frame frames[AGW_DECODER_FRAMES_MAX];
    uint8_t n_frames;
    int8_t mode_request; /* CMR of AMR: mode that the sender wants from us; -1 = none */
} agw_payload;

typedef struct agw_decoder agw_decoder;

/** rate_hz: of the audio that comes out: 8000, 16000 or 48000; conversion, where the codec cannot
 * give it, is inside. NULL: no memory, or agw_codec_can_decode() is false. */
agw_decoder *agw_decoder_new(const agw_codec_format *format, uint32_t rate_hz);
void agw_decoder_free(agw_decoder *d);

/** Splits a payload; AGW_ERR_MALFORMED, _TRUNCATED: count and drop the packet. State does not move.
 */
AGW_NODISCARD agw_err agw_decoder_split(const agw_decoder *d, const uint8_t *payload, size_t len,
                                        agw_payload *out);
/** Decodes one frame into pcm; returns samples, at most room. */
size_t agw_decoder_decode(agw_decoder *d, const agw_frame *frame, int16_t *pcm, size_t room);
/** Audio in place of a lost frame. next: the frame behind it where it is there already (its FEC is
 * used), or NULL.
 *
 * @return samples: duration of one frame of this decoder, at most room */
size_t agw_decoder_conceal(agw_decoder *d, const agw_frame *next, int16_t *pcm, size_t room);
/** Begins anew, as for another sender. Not for each packet: the libraries of AMR, GSM and G.729
 * have no other way than to give their state back and to take another. */
void agw_decoder_reset(agw_decoder *d);

#endif
