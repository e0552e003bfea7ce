/* SPDX-License-Identifier: BSD-3-Clause
 * Speex by libspeex, 8000 and 16000 Hz (RFC 5574). Frames of 20 ms follow each other bit by bit;
 * where one ends is told by its modes alone. */
#include "codecs/driver.h"

#include <speex/speex.h>
#include <stdlib.h>

enum {
    QUALITY = 8, /* 15 kbit/s at 8000 Hz, 27.8 at 16000 */
    COMPLEXITY = 3,
    SUBMODE_TERMINATOR = 15,
    SUBMODE_SPEECH_MAX = 8,
};

/* Bits of a frame by submode, its mode bits included (speex manual, table 9.2 and 10.1); 0 = not
 * assigned. */
static const uint16_t NARROW_BITS[SUBMODE_SPEECH_MAX + 1] = {5,   43,  119, 160, 220,
                                                             300, 364, 492, 79};
static const uint16_t HIGH_BITS[8] = {4, 36, 112, 192, 352, 0, 0, 0};

/* ---------------------------------------------------------------- decoder */

typedef struct decoder {
    void *speex;
    SpeexBits bits;
    uint16_t samples; /* of a frame */
} decoder;

static const SpeexMode *mode_of(uint32_t rate_hz)
{
    return speex_lib_get_mode(rate_hz == 8000 ? SPEEX_MODEID_NB : SPEEX_MODEID_WB);
}

static void close_decoder(void *state)
{
    decoder *d = state;
    if (d->speex != NULL)
        speex_decoder_destroy(d->speex);
    speex_bits_destroy(&d->bits);
    free(d);
}

static void *open_decoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format;
    decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    speex_bits_init(&d->bits);
    d->samples = (uint16_t)(rate_hz / 50);
    d->speex = speex_decoder_init(mode_of(rate_hz));
    if (d->speex != NULL)
        return d;
    close_decoder(d);
    return NULL;
}

/* n bits at an offset in bits; past the end they are 1, as the padding is (RFC 5574 section 3.3).
 */
static unsigned peek(const uint8_t *p, size_t len, size_t at, unsigned n)
{
    unsigned v = 0;
    for (unsigned i = 0; i < n; i++, at++)
        v = v << 1 | (at / 8 < len ? p[at / 8] >> (7 - at % 8) & 1u : 1u);
    return v;
}

/* Length in bits of the frame at an offset; 0: there is none, the payload is at its end. */
static size_t frame_bits(const uint8_t *p, size_t len, size_t at)
{
    const unsigned submode = peek(p, len, at, 5); /* the first bit says "high band" */
    if (submode > SUBMODE_SPEECH_MAX)
        return 0;
    size_t n = NARROW_BITS[submode];
    if (at + n + 4 <= len * 8 && peek(p, len, at + n, 1) == 1)
        n += HIGH_BITS[peek(p, len, at + n + 1, 3)];
    return at + n <= len * 8 ? n : 0;
}

static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    (void)state;
    size_t at = 0;
    out->n_frames = 0;
    out->mode_request = -1;
    if (len > AGW_DECODER_FRAME_BYTES)
        return AGW_ERR_MALFORMED;
    for (size_t n; (n = frame_bits(payload, len, at)) != 0; at += n) {
        if (out->n_frames == AGW_DECODER_FRAMES_MAX)
            return AGW_ERR_MALFORMED;
        out->frames[out->n_frames++] = (agw_frame){.kind = AGW_FRAME_SPEECH,
                                                   .duration_ms_x10 = 200,
                                                   .len = (uint16_t)((at % 8 + n + 7) / 8),
                                                   .data = payload + at / 8,
                                                   .bit = (uint16_t)(at % 8)};
    }
    return out->n_frames > 0 ? AGW_OK : AGW_ERR_TRUNCATED;
}

static size_t decode(void *state, const agw_frame *frame, int16_t *pcm, size_t room)
{
    decoder *d = state;
    if (room < d->samples)
        return 0;
    speex_bits_read_from(&d->bits, (const char *)frame->data, frame->len);
    speex_bits_advance(&d->bits, frame->bit);
    return speex_decode_int(d->speex, &d->bits, pcm) == 0 ? d->samples : 0;
}

static size_t conceal(void *state, const agw_frame *next, int16_t *pcm, size_t room)
{
    decoder *d = state;
    (void)next;
    if (room < d->samples)
        return 0;
    speex_decode_int(d->speex, NULL, pcm);
    return d->samples;
}

static void reset(void *state)
{
    decoder *d = state;
    speex_decoder_ctl(d->speex, SPEEX_RESET_STATE, NULL);
}

/* ---------------------------------------------------------------- encoder */

typedef struct encoder {
    void *speex;
    SpeexBits bits;
    uint16_t samples;
} encoder;

static void close_encoder(void *state)
{
    encoder *e = state;
    if (e->speex != NULL)
        speex_encoder_destroy(e->speex);
    speex_bits_destroy(&e->bits);
    free(e);
}

static void *open_encoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format;
    encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    speex_bits_init(&e->bits);
    e->samples = (uint16_t)(rate_hz / 50);
    e->speex = speex_encoder_init(mode_of(rate_hz));
    if (e->speex == NULL) {
        close_encoder(e);
        return NULL;
    }
    speex_encoder_ctl(e->speex, SPEEX_SET_QUALITY, &(spx_int32_t){QUALITY});
    speex_encoder_ctl(e->speex, SPEEX_SET_COMPLEXITY, &(spx_int32_t){COMPLEXITY});
    return e;
}

static size_t encode(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room)
{
    encoder *e = state;
    int16_t frame[320]; /* libspeex filters in place */
    (void)cmr;
    speex_bits_reset(&e->bits);
    for (size_t at = 0; at + e->samples <= samples; at += e->samples) {
        for (unsigned i = 0; i < e->samples; i++)
            frame[i] = pcm[at + i];
        speex_encode_int(e->speex, frame, &e->bits);
    }
    speex_bits_insert_terminator(&e->bits);
    return (size_t)speex_bits_write(&e->bits, (char *)out, (int)room);
}

const agw_codec_driver agw_speex_driver = {
    .decoder = {.open = open_decoder,
                .close = close_decoder,
                .split = split,
                .decode = decode,
                .conceal = conceal,
                .reset = reset},
    .encoder = {.open = open_encoder, .close = close_encoder, .encode = encode},
};
