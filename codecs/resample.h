/* SPDX-License-Identifier: BSD-3-Clause
 * Sampling rates 8000, 16000 and 48000 Hz into each other, one channel: a windowed-sinc low pass in
 * polyphase form. Pass band to 7/8, stop band (70 dB) from 9/8 of the lower rate's half. */
#ifndef AGW_CODECS_RESAMPLE_H
#define AGW_CODECS_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_RESAMPLE_PHASE_TAPS =
        36, /* at the lower rate; half of them is the delay: 2.25 ms at 8 kHz */
    AGW_RESAMPLE_RATIO_MAX = 6,
    AGW_RESAMPLE_TAPS = AGW_RESAMPLE_PHASE_TAPS * AGW_RESAMPLE_RATIO_MAX,
};

typedef struct agw_resample {
    bool up;
    uint8_t ratio;                           /* 1 = nothing to do */
    uint16_t taps;                           /* of history that one output sample sees */
    int16_t coefficients[AGW_RESAMPLE_TAPS]; /* up: phase by phase */
    int16_t history[AGW_RESAMPLE_TAPS];      /* the last `taps` samples that came in */
} agw_resample;

/** Rates as above; the same rate twice copies. */
void agw_resample_init(agw_resample *r, uint32_t from_hz, uint32_t to_hz);
/** Forgets what was. */
void agw_resample_reset(agw_resample *r);
/** Samples that come out of n. Downwards n must be a multiple of the ratio (10 ms always are). */
size_t agw_resample_room(const agw_resample *r, size_t n);
/** Converts n samples; out holds agw_resample_room() and is not in. Returns what it wrote. */
size_t agw_resample_run(agw_resample *r, const int16_t *in, size_t n, int16_t *out);

#endif
