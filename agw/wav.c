/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/wav.h"

#include <string.h>

enum {
    FORMAT_BYTES = 16,
    PCM = 1,
    BITS = 16,
};

static uint8_t *put(uint8_t *out, uint32_t v, size_t octets)
{
    for (size_t i = 0; i < octets; i++)
        out[i] = (uint8_t)(v >> 8 * i);
    return out + octets;
}

static uint8_t *put_text(uint8_t *out, const char *four)
{
    memcpy(out, four, 4);
    return out + 4;
}

void agw_wav_head(uint8_t out[AGW_WAV_HEAD], unsigned channels, uint32_t rate_hz, uint32_t octets)
{
    const uint32_t frame = channels * AGW_WAV_SAMPLE;
    out = put(put_text(out, "RIFF"), octets + AGW_WAV_HEAD - 8, 4);
    out = put(put_text(put_text(out, "WAVE"), "fmt "), FORMAT_BYTES, 4);
    out = put(put(out, PCM, 2), channels, 2);
    out = put(put(out, rate_hz, 4), rate_hz * frame, 4);
    out = put(put(out, frame, 2), BITS, 2);
    put(put_text(out, "data"), octets, 4);
}

void agw_wav_samples(uint8_t *out, size_t step, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(out + i * step * AGW_WAV_SAMPLE, (uint16_t)pcm[i], AGW_WAV_SAMPLE);
}
