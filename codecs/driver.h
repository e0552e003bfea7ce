/* SPDX-License-Identifier: BSD-3-Clause
 * What a codec gives to encoder.c and decoder.c, and the table of those that there are. A driver
 * works at rates of its own; conversion to the rate that was asked for, and concealment for drivers
 * that have none, is done around it. */
#ifndef AGW_CODECS_DRIVER_H
#define AGW_CODECS_DRIVER_H

#include "codecs/decoder.h"
#include "codecs/encoder.h"

/** Decoding. state is what open() returned; the calls mean what those of codecs/decoder.h do. */
typedef struct agw_decoder_driver {
    /** Rate that it gives when wanted_hz is asked for; NULL: agw_codec_audio_hz() always. */
    uint32_t (*rate)(const agw_codec_format *format, uint32_t wanted_hz);
    /** All memory that decoding takes, on the heap; NULL: no memory, or format is not served. */
    void *(*open)(const agw_codec_format *format, uint32_t rate_hz);
    void (*close)(void *state);
    agw_err (*split)(const void *state, const uint8_t *payload, size_t len, agw_payload *out);
    size_t (*decode)(void *state, const agw_frame *frame, int16_t *pcm, size_t room);
    /** NULL: has no concealment of its own; codecs/conceal.h does it. */
    size_t (*conceal)(void *state, const agw_frame *next, int16_t *pcm, size_t room);
    void (*reset)(void *state); /* NULL: has no memory of what was */
} agw_decoder_driver;

/** Encoding; as above, and as in codecs/encoder.h. */
typedef struct agw_encoder_driver {
    uint32_t (*rate)(const agw_codec_format *format, uint32_t wanted_hz);
    void *(*open)(const agw_codec_format *format, uint32_t rate_hz);
    void (*close)(void *state);
    size_t (*encode)(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room);
    void (*adapt)(void *state, const agw_encoder_wish *wish); /* NULL: can change nothing */
} agw_encoder_driver;

/** open NULL: it cannot. */
typedef struct agw_codec_driver {
    agw_decoder_driver decoder;
    agw_encoder_driver encoder;
    bool (*is_there)(void); /* whether its library can be loaded; NULL: it is linked */
} agw_codec_driver;

/** NULL: nobody codes this. */
const agw_codec_driver *agw_codec_driver_of(agw_codec_id id);

extern const agw_codec_driver agw_amr_driver; /* AMR-WB, too */
extern const agw_codec_driver agw_evs_driver;
extern const agw_codec_driver agw_pcmu_driver;
extern const agw_codec_driver agw_pcma_driver;
extern const agw_codec_driver agw_l16_driver;
extern const agw_codec_driver agw_opus_driver;
extern const agw_codec_driver agw_g722_driver;
extern const agw_codec_driver agw_gsm_driver;
extern const agw_codec_driver agw_speex_driver;
extern const agw_codec_driver agw_g729_driver;

/** Splits a payload of octets that stand for themselves (G.711, G.722, L16) into frames of 20 ms;
 * the last may be shorter. octets_per_ms: of this codec. */
AGW_NODISCARD agw_err agw_driver_split_octets(const uint8_t *payload, size_t len,
                                              unsigned octets_per_ms, agw_payload *out);

/** Resets a library's state where the library cannot: fresh takes the place of *state, which is
 * closed. fresh NULL (no memory): the old one goes on. */
void agw_driver_renew(void **state, void *fresh, void (*close)(void *state));

#endif
