/* SPDX-License-Identifier: BSD-3-Clause
 * WAV files for tests. */
#ifndef AGW_TESTS_CODECS_WAV_H
#define AGW_TESTS_CODECS_WAV_H

#include "base/err.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WAV_HEADER = 44, WAV_TONE_HZ = 1000 };

static inline void wav_put(uint8_t *at, uint32_t v, int octets)
{
    for (int i = 0; i < octets; i++)
        at[i] = (uint8_t)(v >> 8 * i);
}

/* A tone of half of full scale in all channels, 16 bit. Returns octets; freed by the caller. */
static inline uint8_t *wav(unsigned channels, uint32_t rate, uint32_t frames, size_t *len)
{
    const uint32_t octets = frames * channels * 2;
    uint8_t *w = calloc(1, WAV_HEADER + octets);
    AGW_ASSERT(w != NULL);
    memcpy(w, "RIFF----WAVEfmt ", 16);
    memcpy(w + 36, "data", 4);
    wav_put(w + 4, WAV_HEADER - 8 + octets, 4);
    wav_put(w + 16, 16, 4);
    wav_put(w + 20, 1, 2);
    wav_put(w + 22, channels, 2);
    wav_put(w + 24, rate, 4);
    wav_put(w + 28, rate * channels * 2, 4);
    wav_put(w + 32, channels * 2, 2);
    wav_put(w + 34, 16, 2);
    wav_put(w + 40, octets, 4);
    for (uint32_t i = 0; i < frames * channels; i++) {
        const uint32_t frame = i / channels;
        const double at = 2 * M_PI * WAV_TONE_HZ * frame / rate;
        wav_put(w + WAV_HEADER + 2 * (size_t)i, (uint16_t)(int16_t)lrint(16384 * sin(at)), 2);
    }
    *len = WAV_HEADER + octets;
    return w;
}

#endif
