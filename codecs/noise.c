/* SPDX-License-Identifier: BSD-3-Clause */
#include "codecs/noise.h"

#include <math.h>

enum {
    LEVEL_MASK = 0x7f, /* RFC 3389 section 3.1 */
    SILENT = 127,
    OVERLOAD = 32768,
};

/* Section 3.2: 0 to 254 stand for -127/128 to 127/128; 255 is not used. */
static float reflection_of(uint8_t octet)
{
    return octet == UINT8_MAX ? 0 : (float)(octet - 127) / 128;
}

agw_err agw_noise_take(agw_noise *noise, const uint8_t *payload, size_t len)
{
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    const size_t order = len - 1 < AGW_NOISE_ORDER_MAX ? len - 1 : AGW_NOISE_ORDER_MAX;
    float rest = 1; /* of the power that the filter gives */
    for (size_t i = 0; i < order; i++) {
        const float k = reflection_of(payload[1 + i]);
        noise->reflection[i] = k;
        rest *= 1 - k * k;
    }
    for (size_t i = order; i <= AGW_NOISE_ORDER_MAX; i++)
        noise->state[i] = 0;
    noise->order = (uint8_t)order;
    const float rms = OVERLOAD * powf(10, -(float)(payload[0] & LEVEL_MASK) / 20);
    /* a uniform excitation from -1 to 1 has a power of 1/3 */
    noise->gain = rms * sqrtf(3 * rest);
    return AGW_OK;
}

static float excitation(agw_noise *noise)
{
    noise->seed = noise->seed * 1664525 + 1013904223;
    return noise->gain * ((float)(noise->seed >> 8) / (1 << 23) - 1);
}

/* All-pole lattice, from the highest stage down. */
static float filter(agw_noise *noise, float x)
{
    for (size_t i = noise->order; i > 0; i--) {
        x -= noise->reflection[i - 1] * noise->state[i - 1];
        noise->state[i] = noise->state[i - 1] + noise->reflection[i - 1] * x;
    }
    noise->state[0] = x;
    return x;
}

void agw_noise_make(agw_noise *noise, int16_t *pcm, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        const float x = filter(noise, excitation(noise));
        pcm[i] = (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : lrintf(x));
    }
}

uint8_t agw_noise_level(const int16_t *pcm, size_t samples)
{
    double power = 0;
    for (size_t i = 0; i < samples; i++)
        power += (double)pcm[i] * pcm[i];
    if (samples == 0 || power == 0)
        return SILENT;
    const double db = -10 * log10(power / (double)samples / ((double)OVERLOAD * OVERLOAD));
    return (uint8_t)(db > SILENT ? SILENT : db < 0 ? 0 : lrint(db));
}
