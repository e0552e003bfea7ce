/* SPDX-License-Identifier: BSD-3-Clause
 * G.729 Annex A (and B, receiving) by libbcg729, whose licence is the GPL: it is not linked but
 * loaded where the administrator has installed it, so that everything else runs without it. RFC
 * 3551 section 4.5.6: frames of 10 octets, 10 ms each, and at most one SID of 2 octets at the end.
 */
#include "codecs/driver.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { SPEECH_OCTETS = 10, SID_OCTETS = 2, SAMPLES = 80 };

static const char LIBRARY[] = "libbcg729.so.0";

/* The library's functions, by its documentation. A channel is opaque. */
typedef void *open_decoder_fn(void);
typedef void *open_encoder_fn(uint8_t enable_vad);
typedef void close_fn(void *channel);
typedef void decode_fn(void *channel, const uint8_t *octets, uint8_t len, uint8_t erased,
                       uint8_t is_sid, uint8_t is_rfc3389, int16_t *pcm);
typedef void encode_fn(void *channel, const int16_t *pcm, uint8_t *octets, uint8_t *len);

/* A loaded library stays where it is: looking a second time costs a look into a list. */
static void *library(void)
{
    return dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

static bool is_there(void)
{
    void *handle = library();
    if (handle != NULL)
        dlclose(handle);
    return handle != NULL;
}

/* C has no cast from an object's pointer to a function's; POSIX lets the bytes be copied. */
static bool find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* ---------------------------------------------------------------- decoder */

typedef struct decoder {
    void *handle, *channel;
    open_decoder_fn *open;
    close_fn *close;
    decode_fn *decode;
} decoder;

static void close_decoder(void *state)
{
    decoder *d = state;
    if (d->channel != NULL)
        d->close(d->channel);
    if (d->handle != NULL)
        dlclose(d->handle);
    free(d);
}

static void *open_decoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format, (void)rate_hz;
    decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->handle = library();
    if (d->handle != NULL && find(d->handle, "initBcg729DecoderChannel", &d->open) &&
        find(d->handle, "closeBcg729DecoderChannel", &d->close) &&
        find(d->handle, "bcg729Decoder", &d->decode))
        d->channel = d->open();
    if (d->channel != NULL)
        return d;
    close_decoder(d);
    return NULL;
}

static void reset_decoder(void *state)
{
    decoder *d = state;
    agw_driver_renew(&d->channel, d->open(), d->close);
}

static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    (void)state;
    const size_t n_speech = len / SPEECH_OCTETS, rest = len % SPEECH_OCTETS;
    out->n_frames = 0;
    out->mode_request = -1;
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    if ((rest != 0 && rest != SID_OCTETS) || n_speech + (rest != 0) > AGW_DECODER_FRAMES_MAX)
        return AGW_ERR_MALFORMED;
    for (size_t i = 0; i < n_speech; i++)
        out->frames[out->n_frames++] = (agw_frame){.kind = AGW_FRAME_SPEECH,
                                                   .duration_ms_x10 = 100,
                                                   .len = SPEECH_OCTETS,
                                                   .data = payload + i * SPEECH_OCTETS};
    if (rest != 0)
        out->frames[out->n_frames++] = (agw_frame){.kind = AGW_FRAME_SID,
                                                   .duration_ms_x10 = 100,
                                                   .len = SID_OCTETS,
                                                   .data = payload + n_speech * SPEECH_OCTETS};
    return AGW_OK;
}

static size_t conceal(void *state, const agw_frame *next, int16_t *pcm, size_t room)
{
    decoder *d = state;
    (void)next;
    if (room < SAMPLES)
        return 0;
    d->decode(d->channel, NULL, 0, 1, 0, 0, pcm);
    return SAMPLES;
}

/* No frame at all is to the library what a lost one is: behind a SID its noise goes on. */
static size_t decode(void *state, const agw_frame *frame, int16_t *pcm, size_t room)
{
    decoder *d = state;
    if (frame->kind == AGW_FRAME_NO_DATA)
        return conceal(d, NULL, pcm, room);
    if (room < SAMPLES)
        return 0;
    d->decode(d->channel, frame->data, (uint8_t)frame->len, 0, frame->kind == AGW_FRAME_SID, 0,
              pcm);
    return SAMPLES;
}

/* ---------------------------------------------------------------- encoder */

typedef struct encoder {
    void *handle, *channel;
    close_fn *close;
    encode_fn *encode;
} encoder;

static void close_encoder(void *state)
{
    encoder *e = state;
    if (e->channel != NULL)
        e->close(e->channel);
    if (e->handle != NULL)
        dlclose(e->handle);
    free(e);
}

static void *open_encoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format, (void)rate_hz;
    open_encoder_fn *open = NULL;
    encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->handle = library();
    if (e->handle != NULL && find(e->handle, "initBcg729EncoderChannel", &open) &&
        find(e->handle, "closeBcg729EncoderChannel", &e->close) &&
        find(e->handle, "bcg729Encoder", &e->encode))
        e->channel =
            open(0); /* no SID: "annexb" is what a party receives, never what it must send */
    if (e->channel != NULL)
        return e;
    close_encoder(e);
    return NULL;
}

static size_t encode(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room)
{
    encoder *e = state;
    size_t made = 0;
    (void)cmr;
    for (size_t at = 0; at + SAMPLES <= samples && made + SPEECH_OCTETS <= room; at += SAMPLES) {
        uint8_t len = 0;
        e->encode(e->channel, pcm + at, out + made, &len);
        made += len;
    }
    return made;
}

const agw_codec_driver agw_g729_driver = {
    .decoder = {.open = open_decoder,
                .close = close_decoder,
                .split = split,
                .decode = decode,
                .conceal = conceal,
                .reset = reset_decoder},
    .encoder = {.open = open_encoder, .close = close_encoder, .encode = encode},
    .is_there = is_there,
};
