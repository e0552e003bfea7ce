/* SPDX-License-Identifier: BSD-3-Clause
 * Pitch-synchronous overlap-add. The period is searched on every fourth millisecond's worth of a
 * coarse grid first and then sample by sample around the best. */
#include "codecs/stretch.h"

#include "base/err.h"

#include <math.h>
#include <string.h>

enum {
    COARSE_HZ = 4000,
    WINDOW_US = 8000, /* that is compared */
    MERGE_US = 5000,
};

typedef struct match {
    size_t lag;
    float likeness;
} match;

static size_t samples_of(uint32_t rate_hz, uint32_t us)
{
    return (size_t)((uint64_t)rate_hz * us / 1000000);
}

/* Normalised correlation of a and b, every step-th sample. */
static float likeness_of(const int16_t *a, const int16_t *b, size_t n, size_t step)
{
    float ab = 0, aa = 1, bb = 1;
    for (size_t i = 0; i < n; i += step) {
        ab += (float)a[i] * b[i];
        aa += (float)a[i] * a[i];
        bb += (float)b[i] * b[i];
    }
    return ab / sqrtf(aa * bb);
}

/* The lag at which x[lag..] is most like x[0..]; sign -1: x[-lag..]. */
static match best_lag(const int16_t *x, int sign, size_t window, size_t from, size_t to,
                      size_t step)
{
    match best = {.lag = from, .likeness = -2};
    for (size_t lag = from; lag <= to; lag += step) {
        const int16_t *other = sign > 0 ? x + lag : x - lag;
        const float likeness = likeness_of(x, other, window, step);
        if (likeness > best.likeness)
            best = (match){.lag = lag, .likeness = likeness};
    }
    return best;
}

static match find_period(uint32_t rate_hz, const int16_t *x, int sign, size_t window, size_t max)
{
    const size_t step = rate_hz / COARSE_HZ;
    const size_t min = samples_of(rate_hz, AGW_STRETCH_PERIOD_MIN_US);
    const match coarse = best_lag(x, sign, window, min, max, step);
    const size_t from = coarse.lag > min + step ? coarse.lag - step : min;
    const size_t to = coarse.lag + step < max ? coarse.lag + step : max;
    return best_lag(x, sign, window, from, to, 1);
}

/* from fades out, to fades in, over n samples. */
static void fade_over(int16_t *out, const int16_t *from, const int16_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float in = ((float)i + 0.5F) / (float)n;
        out[i] = (int16_t)lrintf((float)from[i] * (1 - in) + (float)to[i] * in);
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

float agw_stretch_power(const int16_t *pcm, size_t n)
{
    enum { LANES = 8 }; /* sums beside one another, which do not wait for each other */
    float sums[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++)
            sums[k] += (float)pcm[i + k] * pcm[i + k];
    }
    for (; i < n; i++)
        sums[0] += (float)pcm[i] * pcm[i];
    for (size_t k = 1; k < LANES; k++)
        sums[0] += sums[k];
    return n != 0 ? sums[0] / (float)n : 0;
}

size_t agw_stretch_shorten(const agw_stretch_how *how, int16_t *pcm, size_t n)
{
    const size_t min = samples_of(how->rate_hz, AGW_STRETCH_PERIOD_MIN_US);
    const size_t max = least(samples_of(how->rate_hz, AGW_STRETCH_PERIOD_MAX_US), n / 2);
    if (max < 2 * min)
        return 0;
    const size_t window = least(samples_of(how->rate_hz, WINDOW_US), n - max);
    const match m = find_period(how->rate_hz, pcm, 1, window, max);
    if (m.likeness < how->likeness && agw_stretch_power(pcm, 2 * m.lag) > how->quiet)
        return 0;
    fade_over(pcm, pcm, pcm + m.lag, m.lag);
    memmove(pcm + m.lag, pcm + 2 * m.lag, (n - 2 * m.lag) * sizeof *pcm);
    return m.lag;
}

size_t agw_stretch_lengthen(const agw_stretch_how *how, int16_t *pcm, size_t n, size_t room)
{
    const size_t min = samples_of(how->rate_hz, AGW_STRETCH_PERIOD_MIN_US);
    const size_t max = least(samples_of(how->rate_hz, AGW_STRETCH_PERIOD_MAX_US), n);
    if (max < 2 * min || room < n + max)
        return 0;
    const size_t window = least(samples_of(how->rate_hz, WINDOW_US), n);
    const match m = find_period(how->rate_hz, pcm, -1, window, max);
    if (m.likeness < how->likeness && agw_stretch_power(pcm - m.lag, 2 * m.lag) > how->quiet)
        return 0;
    memmove(pcm + m.lag, pcm, n * sizeof *pcm);
    fade_over(pcm, pcm + m.lag, pcm - m.lag, m.lag); /* begins as what comes, ends as what was */
    return m.lag;
}

void agw_stretch_merge(uint32_t rate_hz, int16_t *pcm, size_t n)
{
    const size_t fade = samples_of(rate_hz, MERGE_US);
    const size_t window = samples_of(rate_hz, WINDOW_US);
    const size_t max = samples_of(rate_hz, AGW_STRETCH_PERIOD_MAX_US);
    int16_t past[240 * 3]; /* 5 ms at 48000 Hz, and to spare */
    if (n < fade)
        return;
    const match m = find_period(rate_hz, pcm - window, -1, window, max);
    AGW_ASSERT(m.lag != 0);
    for (size_t i = 0; i < fade; i++)
        past[i] = i < m.lag ? pcm[(ptrdiff_t)i - (ptrdiff_t)m.lag] : past[i - m.lag];
    fade_over(pcm, past, pcm, fade);
}
