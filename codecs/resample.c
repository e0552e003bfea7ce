/* SPDX-License-Identifier: BSD-3-Clause
 * All ratios are whole numbers, so a conversion is either up (each input gives `ratio` outputs,
 * each from its own phase of the filter) or down (one output every `ratio` inputs). */
#include "codecs/resample.h"

#include "base/err.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 480, /* samples of input at a time: history and they lie in one piece */
    Q = 14,      /* the taps' magnitudes sum up to nearly 2: 32 bits hold that of full scale */
};

static const double PI = 3.14159265358979323846;
static const double KAISER_BETA = 6.76; /* 70 dB of stop band: 0.1102 * (70 - 8.7) */

/* Modified Bessel function of the first kind, order 0. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 32; k++) {
        term *= x / (2 * k);
        sum += term * term;
    }
    return sum;
}

/* Tap i of n of the low pass at half of the lower rate; ratio: of the rates. */
static double tap(unsigned i, unsigned n, unsigned ratio)
{
    const double middle = (n - 1) / 2.0, t = i - middle, u = t / (middle + 1);
    const double x = PI * t / ratio;
    const double sinc = fabs(x) < 1e-9 ? 1 : sin(x) / x;
    return sinc / ratio * bessel_i0(KAISER_BETA * sqrt(1 - u * u)) / bessel_i0(KAISER_BETA);
}

/* Up: phase p of input tap k, oldest first. Down: the whole filter, which is symmetric. */
static void design(agw_resample *r)
{
    const unsigned ratio = r->ratio, n = AGW_RESAMPLE_PHASE_TAPS * ratio;
    for (unsigned i = 0; i < n; i++) {
        const double gain = r->up ? ratio : 1;
        const double v = tap(i, n, ratio) * gain * (1 << Q);
        const unsigned back = AGW_RESAMPLE_PHASE_TAPS - 1 - i / ratio;
        const unsigned at = r->up ? i % ratio * AGW_RESAMPLE_PHASE_TAPS + back : i;
        r->coefficients[at] = (int16_t)lrint(v);
    }
}

void agw_resample_init(agw_resample *r, uint32_t from_hz, uint32_t to_hz)
{
    memset(r, 0, sizeof *r);
    r->up = to_hz > from_hz;
    const uint32_t ratio = r->up ? to_hz / from_hz : from_hz / to_hz;
    AGW_ASSERT(ratio >= 1 && ratio <= AGW_RESAMPLE_RATIO_MAX);
    r->ratio = (uint8_t)ratio;
    r->taps = (uint16_t)(r->up ? AGW_RESAMPLE_PHASE_TAPS : AGW_RESAMPLE_PHASE_TAPS * ratio);
    if (ratio > 1)
        design(r);
}

void agw_resample_reset(agw_resample *r)
{
    memset(r->history, 0, sizeof r->history);
}

size_t agw_resample_room(const agw_resample *r, size_t n)
{
    return r->up ? n * r->ratio : n / r->ratio;
}

static int16_t clip(int32_t v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

/* n is a multiple of 4: written so that the compiler turns it into multiply-and-add of 8 at once.
 */
static int16_t filtered(const int16_t *restrict x, const int16_t *restrict c, unsigned n)
{
    int32_t sum = 1 << (Q - 1);
    for (unsigned i = 0; i < n; i++)
        sum += x[i] * c[i];
    return clip(sum >> Q);
}

/* x: taps samples of what was, then n new ones. */
static size_t run_block(const agw_resample *r, const int16_t *x, size_t n, int16_t *out)
{
    size_t made = 0;
    if (r->up) {
        for (size_t i = 0; i < n; i++) {
            for (unsigned phase = 0; phase < r->ratio; phase++)
                out[made++] = filtered(x + i + 1, r->coefficients + phase * AGW_RESAMPLE_PHASE_TAPS,
                                       AGW_RESAMPLE_PHASE_TAPS);
        }
        return made;
    }
    for (size_t i = 0; i + r->ratio <= n; i += r->ratio)
        out[made++] = filtered(x + i + r->ratio, r->coefficients, r->taps);
    return made;
}

size_t agw_resample_run(agw_resample *r, const int16_t *in, size_t n, int16_t *out)
{
    if (r->ratio == 1) {
        memcpy(out, in, n * sizeof *out);
        return n;
    }
    int16_t x[AGW_RESAMPLE_TAPS + BLOCK];
    size_t made = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t now = n - at < BLOCK ? n - at : BLOCK;
        memcpy(x, r->history, r->taps * sizeof *x);
        memcpy(x + r->taps, in + at, now * sizeof *x);
        made += run_block(r, x, now, out + made);
        memcpy(r->history, x + now, r->taps * sizeof *x);
    }
    return made;
}
