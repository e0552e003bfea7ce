/* SPDX-License-Identifier: BSD-3-Clause
 * The driver between the codec table and a plug-in. The dynamic linker keeps what is loaded: the
 * plug-in is looked up by name where a coder is made. */
#include "codecs/evs.h"
#include "codecs/driver.h"
#include "codecs/evs_payload.h"
#include "codecs/evs_plugin.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum {
    USUAL_BPS = 13200, /* the lowest with super-wideband that is not VBR's neighbour */
    FRAMES_PER_S = 50,
    SAMPLES_MAX = 960, /* of a frame, at 48 kHz */
    PACKET_FRAMES = 6, /* of the longest ptime, 120 ms */
};

static const uint32_t PRIMARY_BPS[] = {5900,  7200,  8000,  9600,  13200, 16400,
                                       24400, 32000, 48000, 64000, 96000, 128000};
static const uint32_t IO_BPS[] = {6600, 8850, 12650, 14250, 15850, 18250, 19850, 23050, 23850};
enum {
    N_PRIMARY = sizeof PRIMARY_BPS / sizeof PRIMARY_BPS[0],
    N_IO = sizeof IO_BPS / sizeof IO_BPS[0],
};

static const agw_evs_plugin *plugin(void)
{
    return dlsym(RTLD_DEFAULT, AGW_EVS_PLUGIN_SYMBOL);
}

static bool is_there(void)
{
    return plugin() != NULL;
}

agw_err agw_evs_load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return AGW_ERR_NOT_FOUND;
    const agw_evs_plugin *p = dlsym(handle, AGW_EVS_PLUGIN_SYMBOL);
    agw_err err = AGW_OK;
    if (p != NULL && p->version != AGW_EVS_PLUGIN_VERSION)
        err = AGW_ERR_UNSUPPORTED;
    else if (p == NULL || dlopen(path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE) == NULL)
        err = AGW_ERR_NOT_FOUND;
    dlclose(handle);
    return err;
}

static uint32_t rate(const agw_codec_format *format, uint32_t wanted_hz)
{
    (void)format;
    return wanted_hz; /* EVS works at all three */
}

/* --- decoding ----------------------------------------------------------------------------------
 */

typedef struct coder {
    const agw_evs_plugin *plugin;
    void *state;
    size_t samples; /* of a frame */
    uint32_t rate_hz;
    agw_evs_params params;
    uint32_t format_bps; /* encoding: at most; 0 = not said */
    agw_evs_plugin_wish wish;
} coder;

static coder *new_coder(const agw_codec_format *format, uint32_t rate_hz)
{
    coder *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->plugin = plugin();
    c->samples = rate_hz / FRAMES_PER_S;
    c->rate_hz = rate_hz;
    c->params = format->evs;
    return c;
}

static void *open_decoder(const agw_codec_format *format, uint32_t rate_hz)
{
    coder *c = new_coder(format, rate_hz);
    if (c != NULL && c->plugin != NULL)
        c->state = c->plugin->open_decoder(rate_hz);
    if (c != NULL && c->state != NULL)
        return c;
    free(c);
    return NULL;
}

static void close_decoder(void *state)
{
    coder *c = state;
    c->plugin->close_decoder(c->state);
    free(c);
}

static void reset_decoder(void *state)
{
    coder *c = state;
    agw_driver_renew(&c->state, c->plugin->open_decoder(c->rate_hz), c->plugin->close_decoder);
}

/* hf-only is agreed upon: it holds for both directions (TS 26.445 annex A.3.1). */
static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    const coder *c = state;
    return agw_evs_split(c->params.hf_only, payload, len, out);
}

static size_t decode(void *state, const agw_frame *frame, int16_t *pcm, size_t room)
{
    coder *c = state;
    int16_t whole[SAMPLES_MAX]; /* where there is less room than a frame takes, its end is lost */
    agw_evs_plugin_frame in = {.type = AGW_EVS_NO_DATA};
    if (frame->kind != AGW_FRAME_NO_DATA) { /* it may be of the jitter buffer's making: no data */
        in.is_io = (frame->type & AGW_EVS_IO) != 0;
        in.type = frame->type & AGW_EVS_TYPE;
        in.is_bad = frame->kind == AGW_FRAME_BAD;
        in.bits = (uint16_t)agw_evs_bits(frame->type);
        agw_evs_copy(frame, in.octets);
    }
    c->plugin->decode(c->state, &in, whole);
    const size_t n = room < c->samples ? room : c->samples;
    memcpy(pcm, whole, n * sizeof *pcm);
    return n;
}

static size_t conceal(void *state, const agw_frame *next, int16_t *pcm, size_t room)
{
    (void)next;
    const agw_frame lost = {.kind = AGW_FRAME_BAD, .type = AGW_EVS_LOST};
    return decode(state, &lost, pcm, room);
}

/* --- encoding ----------------------------------------------------------------------------------
 */

/* The highest rate of a list that is within a limit, or its lowest. */
static uint32_t best_rate(const uint32_t *rates, size_t n, uint32_t limit_bps)
{
    while (n > 1 && rates[n - 1] > limit_bps)
        n--;
    return rates[n - 1];
}

/* What a request says (clause A.2.2.1.1: kind in T, rate in D), where it may be heard. */
static uint32_t requested(coder *c, int request, uint32_t bps)
{
    const unsigned mode = (unsigned)request & 0x0f;
    c->wish.is_io = (request & 0x70) == AGW_EVS_REQUEST_IO && mode < N_IO;
    if (c->wish.is_io)
        return IO_BPS[mode];
    return mode < N_PRIMARY && (c->format_bps == 0 || PRIMARY_BPS[mode] < c->format_bps)
               ? PRIMARY_BPS[mode]
               : bps;
}

static void adapt(void *state, const agw_encoder_wish *wish)
{
    coder *c = state;
    uint32_t bps = c->format_bps != 0 ? c->format_bps : USUAL_BPS;
    c->wish.is_io = c->params.io;
    if (wish->mode_request >= 0)
        bps = requested(c, wish->mode_request, bps);
    if (wish->max_bps != 0 && bps > wish->max_bps)
        bps = wish->max_bps;
    if (!c->wish.is_io && bps < c->params.min_bps)
        bps = c->params.min_bps;
    c->wish.bitrate_bps =
        c->wish.is_io ? best_rate(IO_BPS, N_IO, bps) : best_rate(PRIMARY_BPS, N_PRIMARY, bps);
}

/* The highest rate that format and party leave; the usual one, if that is lower. */
static uint32_t limit_of(const agw_codec_format *format)
{
    const uint32_t most = format->evs.max_bps;
    const uint32_t bps = format->bitrate_bps != 0 ? format->bitrate_bps : USUAL_BPS;
    return most != 0 && most < bps ? most : format->bitrate_bps;
}

static void *open_encoder(const agw_codec_format *format, uint32_t rate_hz)
{
    coder *c = new_coder(format, rate_hz);
    if (c != NULL && c->plugin != NULL)
        c->state = c->plugin->open_encoder(rate_hz);
    if (c == NULL || c->state == NULL) {
        free(c);
        return NULL;
    }
    c->format_bps = limit_of(format);
    c->wish = (agw_evs_plugin_wish){.bandwidth = format->evs.bandwidth,
                                    .dtx = !format->evs.no_dtx,
                                    .channel_aware = format->evs.ch_aw};
    adapt(c, &(agw_encoder_wish){.mode_request = -1});
    return c;
}

static void close_encoder(void *state)
{
    coder *c = state;
    c->plugin->close_encoder(c->state);
    free(c);
}

/* Header-Full, which every receiver takes, hf-only or not. */
static size_t encode(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room)
{
    coder *c = state;
    AGW_ASSERT(samples % c->samples == 0 && samples / c->samples <= PACKET_FRAMES);
    agw_evs_plugin_frame coded[PACKET_FRAMES];
    agw_payload frames = {.mode_request = (int8_t)cmr};
    for (size_t i = 0; i < samples / c->samples; i++) {
        memset(&coded[i], 0, sizeof coded[i]);
        c->plugin->encode(c->state, pcm + i * c->samples, &c->wish, &coded[i]);
        const unsigned type = (coded[i].type & AGW_EVS_TYPE) | (coded[i].is_io ? AGW_EVS_IO : 0u);
        if (agw_evs_bits(type) < 0)
            return 0; /* not a frame: a plug-in is not trusted that far */
        frames.frames[i] =
            (agw_frame){.kind = AGW_FRAME_SPEECH, .type = (uint8_t)type, .data = coded[i].octets};
        if ((type & AGW_EVS_TYPE) != AGW_EVS_NO_DATA)
            frames.n_frames = (uint8_t)(i + 1);
    }
    return agw_evs_write(false, &frames, out, room);
}

const agw_codec_driver agw_evs_driver = {
    .decoder = {.rate = rate,
                .open = open_decoder,
                .close = close_decoder,
                .split = split,
                .decode = decode,
                .conceal = conceal,
                .reset = reset_decoder},
    .encoder = {.rate = rate,
                .open = open_encoder,
                .close = close_encoder,
                .encode = encode,
                .adapt = adapt},
    .is_there = is_there,
};
