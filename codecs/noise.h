/* SPDX-License-Identifier: BSD-3-Clause
 * Comfort noise (CN, RFC 3389): its payload, the noise that it describes, and describing noise. */
#ifndef AGW_CODECS_NOISE_H
#define AGW_CODECS_NOISE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    AGW_NOISE_PT = 13,        /* static, at 8000 Hz; RFC 3551 section 6 */
    AGW_NOISE_ORDER_MAX = 12, /* coefficients that are used; the rest are finer than any ear */
};

/** A noise and how far it has come; zeroed = silence. */
typedef struct agw_noise {
    uint8_t order;
    uint32_t seed;
    float gain;                            /* of the excitation */
    float reflection[AGW_NOISE_ORDER_MAX]; /* -1 to 1, of a lattice filter */
    float state[AGW_NOISE_ORDER_MAX + 1];
} agw_noise;

/** Takes a CN payload; the noise goes on without a break. AGW_ERR_TRUNCATED: it is empty. */
AGW_NODISCARD agw_err agw_noise_take(agw_noise *noise, const uint8_t *payload, size_t len);
/** The next samples of it. */
void agw_noise_make(agw_noise *noise, int16_t *pcm, size_t samples);
/** The level octet of a CN payload that stands for this piece of audio: 0 to 127 dB below the
 * overload point. */
uint8_t agw_noise_level(const int16_t *pcm, size_t samples);

#endif
