/* SPDX-License-Identifier: BSD-3-Clause
 * ITU-T G.711: PCMA and PCMU, one octet a sample at 8000 Hz. */
#ifndef AGW_CODECS_G711_H
#define AGW_CODECS_G711_H

#include <stdint.h>

enum {
    AGW_PCMU_PT = 0, /* static payload types, RFC 3551 section 6 */
    AGW_PCMA_PT = 8,
    AGW_G711_CLOCK_HZ = 8000,
    AGW_G711_FRAME = 160, /* octets of 20 ms */
};

/** By the 12 (PCMA) and 14 bits (PCMU) of a sample that count, and by octet. Constant once main()
 * has begun. */
extern uint8_t agw_pcma_octets[1 << 12], agw_pcmu_octets[1 << 14];
extern int16_t agw_pcma_samples[256], agw_pcmu_samples[256];

static inline uint8_t agw_pcma_encode(int16_t sample)
{
    return agw_pcma_octets[(uint16_t)sample >> 4];
}

static inline int16_t agw_pcma_decode(uint8_t octet)
{
    return agw_pcma_samples[octet];
}

static inline uint8_t agw_pcmu_encode(int16_t sample)
{
    return agw_pcmu_octets[(uint16_t)sample >> 2];
}

static inline int16_t agw_pcmu_decode(uint8_t octet)
{
    return agw_pcmu_samples[octet];
}

#endif
