/* SPDX-License-Identifier: BSD-3-Clause
 * Speech made longer, shorter or whole again without changing its pitch: whole pitch periods are
 * put in or taken out with overlap-add where the signal repeats itself, or where it is only
 * background noise. 8000, 16000 or 48000 Hz. In place; nothing is kept between calls. */
#ifndef AGW_CODECS_STRETCH_H
#define AGW_CODECS_STRETCH_H

#include <stddef.h>
#include <stdint.h>

enum {
    AGW_STRETCH_PERIOD_MIN_US = 2500, /* 400 Hz */
    AGW_STRETCH_PERIOD_MAX_US = 15000,
    AGW_STRETCH_PAST_MS = 30, /* of audio that must stand before pcm */
};

/** How a piece may be changed. */
typedef struct agw_stretch_how {
    uint32_t rate_hz;
    float likeness; /* least normalised correlation of the two periods that are joined, 0 to 1 */
    float quiet;    /* mean square below which anything may be joined: background noise */
} agw_stretch_how;

/** Takes one pitch period out of pcm[0..n): best with 30 ms.
 *
 * @return samples taken out; 0 = the signal does not allow it, pcm is as it was */
size_t agw_stretch_shorten(const agw_stretch_how *how, int16_t *pcm, size_t n);

/** Puts one pitch period in before pcm[0]; AGW_STRETCH_PAST_MS of what was played stand before it.
 *
 * @param room  samples that pcm can hold, n included
 * @return samples put in; 0 = the signal does not allow it, or there is no room */
size_t agw_stretch_lengthen(const agw_stretch_how *how, int16_t *pcm, size_t n, size_t room);

/** Joins pcm[0..n) to the past before it where the two do not fit (after concealment): the past
 * goes on in its pitch and is faded over. Changes the first 5 ms at most. */
void agw_stretch_merge(uint32_t rate_hz, int16_t *pcm, size_t n);

/** Mean square of a piece; 0 when it is empty. */
float agw_stretch_power(const int16_t *pcm, size_t n);

#endif
