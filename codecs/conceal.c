/* SPDX-License-Identifier: BSD-3-Clause
 * The period is searched once a loss, where the normalised cross-correlation of the last 20 ms with
 * what was before them is greatest: coarsely on every second (fourth, twelfth) sample, so that it
 * costs the same at each rate, then finely around the best. */
#include "codecs/conceal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    PERIOD_MIN_US = 2500, /* 400 Hz */
    PERIOD_MAX_US = 15000,
    WINDOW_US = 20000,
    COARSE_HZ = 4000,
    HISTORY_MS = AGW_CONCEAL_HISTORY / 48,
    HOLD_MS = 20, /* at full level */
    FADE_MS = 60, /* then down to nothing */
    STEP_MS = 1,
    MERGE_MS = 5,
};

static unsigned samples_of_us(const agw_conceal *c, unsigned us)
{
    return (unsigned)((uint64_t)c->rate_hz * us / 1000000);
}

static unsigned samples_of_ms(const agw_conceal *c, unsigned ms)
{
    return c->rate_hz / 1000 * ms;
}

void agw_conceal_init(agw_conceal *c, uint32_t rate_hz)
{
    memset(c, 0, sizeof *c);
    c->rate_hz = rate_hz;
}

void agw_conceal_reset(agw_conceal *c)
{
    agw_conceal_init(c, c->rate_hz);
}

/* At lower rates the end of the array holds all that is looked at. */
static void remember(agw_conceal *c, const int16_t *pcm, size_t n)
{
    const size_t kept = samples_of_ms(c, HISTORY_MS);
    int16_t *history = c->history + AGW_CONCEAL_HISTORY - kept;
    if (n >= kept) {
        memcpy(history, pcm + n - kept, kept * sizeof *pcm);
        return;
    }
    memmove(history, history + n, (kept - n) * sizeof *history);
    memcpy(history + kept - n, pcm, n * sizeof *pcm);
}

/* Likeness of the last `window` samples with those `lag` before, -1 to 1. */
static float likeness(const agw_conceal *c, unsigned lag, unsigned window, unsigned step)
{
    const int16_t *x = c->history + AGW_CONCEAL_HISTORY - window;
    float cross = 0, energy = 1, other = 1;
    for (unsigned i = 0; i < window; i += step) {
        const float a = x[i], b = x[(int)i - (int)lag];
        cross += a * b;
        energy += b * b;
        other += a * a;
    }
    return cross / sqrtf(energy * other);
}

static unsigned best_lag(const agw_conceal *c, unsigned from, unsigned to, unsigned step)
{
    const unsigned window = samples_of_us(c, WINDOW_US);
    unsigned best = from;
    float most = -2;
    for (unsigned lag = from; lag <= to; lag += step) {
        const float v = likeness(c, lag, window, step);
        if (v > most) {
            most = v;
            best = lag;
        }
    }
    return best;
}

static unsigned find_period(const agw_conceal *c)
{
    const unsigned min = samples_of_us(c, PERIOD_MIN_US), max = samples_of_us(c, PERIOD_MAX_US);
    const unsigned step = c->rate_hz / COARSE_HZ;
    const unsigned coarse = best_lag(c, min, max, step);
    const unsigned from = coarse - step + 1 < min ? min : coarse - step + 1;
    const unsigned to = coarse + step - 1 > max ? max : coarse + step - 1;
    return best_lag(c, from, to, 1);
}

/* Level of the sample that is the n-th of a loss, in Q15. */
static int level(const agw_conceal *c, uint32_t n)
{
    const uint32_t hold = samples_of_ms(c, HOLD_MS), fade = samples_of_ms(c, FADE_MS);
    if (n < hold)
        return 1 << 15;
    return n < hold + fade ? (int)(((uint64_t)(hold + fade - n) << 15) / fade) : 0;
}

static int16_t clip(int v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

/* The n-th sample of the loss, from the period that history ends with (history does not move while
 * a loss goes on). */
static int16_t made_up(const agw_conceal *c, uint32_t n)
{
    const int16_t *cycle = c->history + AGW_CONCEAL_HISTORY - c->period;
    const int len = (int)samples_of_ms(c, STEP_MS), at = (int)(n % c->period);
    int v = cycle[at];
    if (at < len)
        v += c->step * (len - at) / len;
    return clip(v * level(c, n) / (1 << 15));
}

static void begin_loss(agw_conceal *c)
{
    const int16_t *end = c->history + AGW_CONCEAL_HISTORY;
    c->period = (uint16_t)find_period(c);
    c->step = clip(end[-1] - end[-1 - c->period]);
}

void agw_conceal_fill(agw_conceal *c, int16_t *pcm, size_t n)
{
    if (c->filled == 0)
        begin_loss(c);
    for (size_t i = 0; i < n; i++)
        pcm[i] = made_up(c, c->filled + (uint32_t)i);
    c->filled += (uint32_t)n;
}

/* Down with what was made up, up with what came. */
static void merge(const agw_conceal *c, int16_t *pcm, size_t n)
{
    const size_t whole = samples_of_ms(c, MERGE_MS), len = n < whole ? n : whole;
    for (size_t i = 0; i < len; i++) {
        const int up = (int)i * 256 / (int)len;
        pcm[i] = clip((made_up(c, c->filled + (uint32_t)i) * (256 - up) + pcm[i] * up) / 256);
    }
}

void agw_conceal_good(agw_conceal *c, int16_t *pcm, size_t n)
{
    if (c->filled != 0)
        merge(c, pcm, n);
    c->filled = 0;
    remember(c, pcm, n);
}
