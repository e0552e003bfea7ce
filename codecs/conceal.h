/* SPDX-License-Identifier: BSD-3-Clause
 * Audio in place of a lost frame, for codecs that have nothing of their own: the last pitch period
 * goes on, fades after 20 ms to silence at 80 ms, and what comes after the loss is merged in. As
 * G.711 Appendix I, but without its delay: the past is not touched. */
#ifndef AGW_CODECS_CONCEAL_H
#define AGW_CODECS_CONCEAL_H

#include <stddef.h>
#include <stdint.h>

enum { AGW_CONCEAL_HISTORY = 48 * 48 }; /* samples: 48 ms at 48 kHz */

typedef struct agw_conceal {
    uint32_t rate_hz;
    uint32_t filled; /* samples made up since the last good one; 0 = none is missing */
    uint16_t period; /* of the loss that goes on */
    int16_t step;    /* between the end of the period and its beginning, faded out in 1 ms */
    int16_t history[AGW_CONCEAL_HISTORY]; /* what went out last, at the end of the array */
} agw_conceal;

/** rate_hz: 8000, 16000 or 48000. */
void agw_conceal_init(agw_conceal *c, uint32_t rate_hz);
void agw_conceal_reset(agw_conceal *c);
/** A good frame goes out: it is remembered, and after a loss its beginning is merged with what had
 * been made up. */
void agw_conceal_good(agw_conceal *c, int16_t *pcm, size_t n);
/** Makes up n samples. */
void agw_conceal_fill(agw_conceal *c, int16_t *pcm, size_t n);

#endif
