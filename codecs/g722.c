/* SPDX-License-Identifier: BSD-3-Clause
 * G.722 at 64 kbit/s by libspandsp, which passes the ITU's vectors. Its clock rate says 8000 while
 * the audio is 16000 Hz (RFC 3551 section 4.5.2). Where 8000 Hz is asked for, the lower band alone
 * is coded: no filter, no conversion, and the other side of such a call has no more anyway. */
#include "codecs/driver.h"

#include <spandsp.h>
#include <stdlib.h>

enum {
    BPS = 64000,
    OCTETS_PER_MS = 8,
};

static uint32_t rate(const agw_codec_format *format, uint32_t wanted_hz)
{
    (void)format;
    return wanted_hz == 8000 ? 8000 : 16000;
}

static int options(uint32_t rate_hz)
{
    return rate_hz == 8000 ? G722_SAMPLE_RATE_8000 : 0;
}

typedef struct decoder {
    g722_decode_state_t *g722;
    uint8_t samples_per_octet;
} decoder;

static void close_decoder(void *state)
{
    decoder *d = state;
    g722_decode_free(d->g722);
    free(d);
}

static void *open_decoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format;
    decoder *d = malloc(sizeof *d);
    if (d == NULL)
        return NULL;
    d->samples_per_octet = (uint8_t)(rate_hz / 1000 / OCTETS_PER_MS);
    d->g722 = g722_decode_init(NULL, BPS, options(rate_hz));
    if (d->g722 != NULL)
        return d;
    free(d);
    return NULL;
}

static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    (void)state;
    return agw_driver_split_octets(payload, len, OCTETS_PER_MS, out);
}

static size_t decode(void *state, const agw_frame *frame, int16_t *pcm, size_t room)
{
    decoder *d = state;
    if ((size_t)frame->len * d->samples_per_octet > room)
        return 0;
    const int n = g722_decode(d->g722, pcm, frame->data, frame->len);
    return n > 0 ? (size_t)n : 0;
}

static void reset(void *state)
{
    decoder *d = state;
    g722_decode_init(d->g722, BPS, options(d->samples_per_octet * OCTETS_PER_MS * 1000u));
}

typedef struct encoder {
    g722_encode_state_t *g722;
    uint8_t samples_per_octet;
} encoder;

static void close_encoder(void *state)
{
    encoder *e = state;
    g722_encode_free(e->g722);
    free(e);
}

static void *open_encoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format;
    encoder *e = malloc(sizeof *e);
    if (e == NULL)
        return NULL;
    e->samples_per_octet = (uint8_t)(rate_hz / 1000 / OCTETS_PER_MS);
    e->g722 = g722_encode_init(NULL, BPS, options(rate_hz));
    if (e->g722 != NULL)
        return e;
    free(e);
    return NULL;
}

static size_t encode(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room)
{
    encoder *e = state;
    (void)cmr;
    if (samples / e->samples_per_octet > room)
        return 0;
    const int n = g722_encode(e->g722, out, pcm, (int)samples);
    return n > 0 ? (size_t)n : 0;
}

const agw_codec_driver agw_g722_driver = {
    .decoder = {.rate = rate,
                .open = open_decoder,
                .close = close_decoder,
                .split = split,
                .decode = decode,
                .reset = reset},
    .encoder = {.rate = rate, .open = open_encoder, .close = close_encoder, .encode = encode},
};
