/* SPDX-License-Identifier: BSD-3-Clause
 * Drivers of codecs without memory: PCMU, PCMA, and L16 (RFC 3551 section 4.5.11: network byte
 * order). */
#include "base/wire.h"
#include "codecs/driver.h"
#include "codecs/g711.h"

#include <stdlib.h>

typedef struct pcm {
    uint16_t octets_per_ms;
} pcm;

static void *open_pcm(const agw_codec_format *format, uint32_t rate_hz)
{
    pcm *p = malloc(sizeof *p);
    if (p != NULL)
        p->octets_per_ms = (uint16_t)(rate_hz / 1000 * (format->id == AGW_CODEC_L16 ? 2 : 1));
    return p;
}

static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    const pcm *p = state;
    return agw_driver_split_octets(payload, len, p->octets_per_ms, out);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t decode_pcmu(void *state, const agw_frame *frame, int16_t *out, size_t room)
{
    (void)state;
    const size_t n = least(frame->len, room);
    for (size_t i = 0; i < n; i++)
        out[i] = agw_pcmu_decode(frame->data[i]);
    return n;
}

static size_t decode_pcma(void *state, const agw_frame *frame, int16_t *out, size_t room)
{
    (void)state;
    const size_t n = least(frame->len, room);
    for (size_t i = 0; i < n; i++)
        out[i] = agw_pcma_decode(frame->data[i]);
    return n;
}

static size_t decode_l16(void *state, const agw_frame *frame, int16_t *out, size_t room)
{
    (void)state;
    const size_t n = least(frame->len / 2u, room);
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)agw_get16(frame->data + 2 * i);
    return n;
}

static size_t encode_pcmu(void *state, const int16_t *in, size_t samples, int cmr, uint8_t *out,
                          size_t room)
{
    (void)state, (void)cmr;
    if (samples > room)
        return 0;
    for (size_t i = 0; i < samples; i++)
        out[i] = agw_pcmu_encode(in[i]);
    return samples;
}

static size_t encode_pcma(void *state, const int16_t *in, size_t samples, int cmr, uint8_t *out,
                          size_t room)
{
    (void)state, (void)cmr;
    if (samples > room)
        return 0;
    for (size_t i = 0; i < samples; i++)
        out[i] = agw_pcma_encode(in[i]);
    return samples;
}

static size_t encode_l16(void *state, const int16_t *in, size_t samples, int cmr, uint8_t *out,
                         size_t room)
{
    (void)state, (void)cmr;
    if (samples * 2 > room)
        return 0;
    for (size_t i = 0; i < samples; i++)
        agw_put16(out + 2 * i, (uint16_t)in[i]);
    return samples * 2;
}

const agw_codec_driver agw_pcmu_driver = {
    .decoder = {.open = open_pcm, .close = free, .split = split, .decode = decode_pcmu},
    .encoder = {.open = open_pcm, .close = free, .encode = encode_pcmu},
};

const agw_codec_driver agw_pcma_driver = {
    .decoder = {.open = open_pcm, .close = free, .split = split, .decode = decode_pcma},
    .encoder = {.open = open_pcm, .close = free, .encode = encode_pcma},
};

const agw_codec_driver agw_l16_driver = {
    .decoder = {.open = open_pcm, .close = free, .split = split, .decode = decode_l16},
    .encoder = {.open = open_pcm, .close = free, .encode = encode_l16},
};
