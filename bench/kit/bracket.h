/* SPDX-License-Identifier: BSD-3-Clause
 * Closing in on the largest number that is well, where every larger one is not. */
#ifndef AGW_BENCH_KIT_BRACKET_H
#define AGW_BENCH_KIT_BRACKET_H

#include <stdbool.h>

typedef struct kit_bracket {
    unsigned good, bad; /* the largest that was well, the smallest that was not; 0 = none yet */
} kit_bracket;

/** true: what is known does not tell how n is. */
bool kit_bracket_open(const kit_bracket *b, unsigned n);
/** Only what is open teaches anything: true when it was. */
bool kit_bracket_learn(kit_bracket *b, unsigned n, bool well);
/** What to try next: up by halves until it is too many, down by halves until it is not, then
 * between the two. 0 = they are step_percent of the good one apart, or 1. Needs one that was
 * learnt. */
unsigned kit_bracket_next(const kit_bracket *b, unsigned step_percent);

#endif
