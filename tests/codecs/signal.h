/* SPDX-License-Identifier: BSD-3-Clause
 * Audio for the tests of codecs: tones, something like a voice, and how alike two pieces are. */
#ifndef AGW_TESTS_CODECS_SIGNAL_H
#define AGW_TESTS_CODECS_SIGNAL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

static inline void signal_tone(int16_t *pcm, size_t n, double hz, double rate_hz, double level)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(level * sin(2 * M_PI * hz * (double)i / rate_hz));
}

/* Harmonics of a gliding pitch under a moving spectral hill, in syllables of 250 ms: enough of a
 * voice for a speech codec to take it for one. Bandwidth 3400 Hz. */
static inline void signal_voice(int16_t *pcm, size_t n, double rate_hz)
{
    double phase = 0;
    for (size_t i = 0; i < n; i++) {
        const double t = (double)i / rate_hz, pitch = 120 + 25 * sin(2 * M_PI * 0.7 * t);
        const double hill = 900 + 500 * sin(2 * M_PI * 1.3 * t);
        double v = 0;
        phase += 2 * M_PI * pitch / rate_hz;
        for (int k = 1; k * pitch < 3400; k++) {
            const double off = (k * pitch - hill) / 500;
            v += sin(k * phase) * (0.15 + exp(-off * off)) / sqrt(k);
        }
        pcm[i] = (int16_t)lrint(2200 * v * pow(sin(M_PI * fmod(t, 0.25) / 0.25), 0.5));
    }
}

/* Power of one frequency in pcm over the power of all of it, 0 to 1 (Goertzel). */
static inline double signal_share(const int16_t *pcm, size_t n, double hz, double rate_hz)
{
    double re = 0, im = 0, all = 1e-9;
    for (size_t i = 0; i < n; i++) {
        const double a = 2 * M_PI * hz * (double)i / rate_hz;
        re += pcm[i] * cos(a);
        im += pcm[i] * sin(a);
        all += (double)pcm[i] * pcm[i];
    }
    return 2 * (re * re + im * im) / ((double)n * all);
}

/* Signal to noise in dB, of got against wanted, with the delay of got that fits best. */
static inline double signal_snr(const int16_t *wanted, const int16_t *got, size_t n,
                                size_t delay_max)
{
    double best = -99;
    for (size_t delay = 0; delay <= delay_max && delay < n; delay++) {
        double power = 1e-9, error = 1e-9;
        for (size_t i = 0; i + delay < n; i++) {
            const double e = (double)got[i + delay] - wanted[i];
            power += (double)wanted[i] * wanted[i];
            error += e * e;
        }
        const double snr = 10 * log10(power / error);
        best = snr > best ? snr : best;
    }
    return best;
}

static inline double signal_rms(const int16_t *pcm, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return n == 0 ? 0 : sqrt(sum / (double)n);
}

#endif
