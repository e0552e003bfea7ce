/* SPDX-License-Identifier: BSD-3-Clause
 * Audio to payload. No allocation after agw_encoder_new(). */
#ifndef AGW_CODECS_ENCODER_H
#define AGW_CODECS_ENCODER_H

#include "codecs/codec.h"

typedef struct agw_encoder agw_encoder;

/** What the far end asks of an encoder; applied from the next frame on. */
typedef struct agw_encoder_wish {
    int8_t mode_request;  /* CMR; -1 = none */
    uint8_t loss_percent; /* of what we send, as RTCP reports it */
    uint32_t max_bps;     /* 0 = no limit but the format's */
} agw_encoder_wish;

/** rate_hz: of the audio that goes in. format: what the receiving party wants. NULL: no memory, or
 * agw_codec_can_encode() is false. */
agw_encoder *agw_encoder_new(const agw_codec_format *format, uint32_t rate_hz);
void agw_encoder_free(agw_encoder *e);

/** Encodes exactly one packet of ptime (format.ptime_ms).
 *
 * @param cmr  mode that we ask of the far end in the payload (AMR); -1 = none
 * @return octets written to out; 0 = nothing is to be sent (DTX) */
size_t agw_encoder_encode(agw_encoder *e, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                          size_t room);
void agw_encoder_adapt(agw_encoder *e, const agw_encoder_wish *wish);

#endif
