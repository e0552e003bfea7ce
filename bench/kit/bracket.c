/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/bracket.h"

bool kit_bracket_open(const kit_bracket *b, unsigned n)
{
    return n > b->good && (b->bad == 0 || n < b->bad);
}

bool kit_bracket_learn(kit_bracket *b, unsigned n, bool well)
{
    if (!kit_bracket_open(b, n))
        return false;
    *(well ? &b->good : &b->bad) = n;
    return true;
}

unsigned kit_bracket_next(const kit_bracket *b, unsigned step_percent)
{
    if (b->bad == 0)
        return b->good + b->good / 2 + 1;
    const unsigned gap = b->bad - b->good;
    return gap > 1 && gap * 100 > b->good * step_percent ? b->good + gap / 2 : 0;
}
