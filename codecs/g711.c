/* SPDX-License-Identifier: BSD-3-Clause
 * Both laws are eight segments of sixteen steps a sign; each segment doubles the step (G.711 tables
 * 1 and 2). What they say of each sample and octet is worked out once, at the program's start. */
#include "codecs/g711.h"

uint8_t agw_pcma_octets[1 << 12], agw_pcmu_octets[1 << 14];
int16_t agw_pcma_samples[256], agw_pcmu_samples[256];

enum {
    PCMA_XOR = 0x55, /* even bits inverted on the line */
    PCMU_BIAS = 33,
    PCMU_CLIP = 8158, /* largest 14-bit magnitude that the bias leaves room for */
    SIGN = 0x80,
};

/* The segment whose range holds v, given the number of bits that segment 0 has. */
static unsigned segment_of(unsigned v, unsigned bits)
{
    return 32 - bits - (unsigned)__builtin_clz(v | 1u << (bits - 1));
}

static uint8_t pcma_octet(int16_t sample)
{
    const int magnitude = sample < 0 ? ~sample : sample;
    const unsigned v = (unsigned)magnitude >> 4; /* 12 bits: 0 to 2047 */
    const unsigned chord = segment_of(v, 4);
    const unsigned mantissa = v >> (chord - (chord != 0));
    return (uint8_t)(((sample < 0 ? 0u : (unsigned)SIGN) | chord << 4 | (mantissa & 15u)) ^
                     PCMA_XOR);
}

static int16_t pcma_sample(uint8_t octet)
{
    const unsigned v = octet ^ PCMA_XOR;
    const unsigned chord = v >> 4 & 7u;
    const unsigned step = v & 15u;
    const int magnitude =
        chord == 0 ? (int)(step << 4 | 8u) : (int)(((step << 4) + 0x108u) << (chord - 1));
    return (int16_t)((v & SIGN) != 0 ? magnitude : -magnitude);
}

static uint8_t pcmu_octet(int16_t sample)
{
    int magnitude = (sample < 0 ? ~sample : sample) >> 2; /* 14 bits */
    if (magnitude > PCMU_CLIP)
        magnitude = PCMU_CLIP;
    const unsigned v = (unsigned)magnitude + PCMU_BIAS;
    const unsigned segment = segment_of(v, 6);
    return (uint8_t) ~((sample < 0 ? (unsigned)SIGN : 0u) | segment << 4 |
                       (v >> (segment + 1) & 15u));
}

static int16_t pcmu_sample(uint8_t octet)
{
    const unsigned v = (uint8_t)~octet;
    const unsigned segment = v >> 4 & 7u;
    const int magnitude = (int)((((v & 15u) << 1) + PCMU_BIAS) << segment) - PCMU_BIAS;
    return (int16_t)((v & SIGN) != 0 ? -magnitude * 4 : magnitude * 4);
}

__attribute__((constructor)) static void fill_tables(void)
{
    for (unsigned v = 0; v <= UINT8_MAX; v++) {
        agw_pcma_samples[v] = pcma_sample((uint8_t)v);
        agw_pcmu_samples[v] = pcmu_sample((uint8_t)v);
    }
    for (int sample = INT16_MIN; sample <= INT16_MAX; sample++) {
        agw_pcma_octets[(uint16_t)sample >> 4] = pcma_octet((int16_t)sample);
        agw_pcmu_octets[(uint16_t)sample >> 2] = pcmu_octet((int16_t)sample);
    }
}
