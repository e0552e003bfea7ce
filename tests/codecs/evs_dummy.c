/* SPDX-License-Identifier: BSD-3-Clause
 * A plug-in that codes nothing but a level: what codecs/evs.c gives to a library and takes from it.
 * A frame is its level in the first two octets; silence is NO_DATA; a lost frame sounds as -1. */
#include "codecs/evs_plugin.h"

#include <stdlib.h>

#ifndef EVS_DUMMY_VERSION
#define EVS_DUMMY_VERSION AGW_EVS_PLUGIN_VERSION
#endif

typedef struct dummy {
    uint32_t samples;
} dummy;

static void *open_dummy(uint32_t rate_hz)
{
    dummy *d = malloc(sizeof *d);
    if (d != NULL)
        d->samples = rate_hz / 50;
    return d;
}

static void decode(void *state, const agw_evs_plugin_frame *frame, int16_t *pcm)
{
    const dummy *d = state;
    const int level = frame->is_bad ? -1 : frame->octets[0] << 8 | frame->octets[1];
    for (uint32_t i = 0; i < d->samples; i++)
        pcm[i] = (int16_t)level;
}

static void encode(void *state, const int16_t *pcm, const agw_evs_plugin_wish *wish,
                   agw_evs_plugin_frame *out)
{
    static const uint32_t RATES[] = {5900,  7200,  8000,  9600,  13200, 16400,
                                     24400, 32000, 48000, 64000, 96000, 128000};
    (void)state;
    out->is_io = wish->is_io;
    out->type = wish->is_io ? 2 : 0;
    while (!wish->is_io && RATES[out->type] != wish->bitrate_bps)
        out->type++;
    if (pcm[0] == 0 && wish->dtx)
        out->type = 15;
    out->octets[0] = (uint8_t)(pcm[0] >> 8);
    out->octets[1] = (uint8_t)pcm[0];
}

extern const agw_evs_plugin agw_evs_codec;
const agw_evs_plugin agw_evs_codec = {
    .version = EVS_DUMMY_VERSION,
    .name = "dummy",
    .open_decoder = open_dummy,
    .close_decoder = free,
    .decode = decode,
    .open_encoder = open_dummy,
    .close_encoder = free,
    .encode = encode,
};
