/* SPDX-License-Identifier: BSD-3-Clause
 * Stretching at all three rates: the pitch stays, the length changes by whole periods, no step is
 * heard, and what does not repeat itself is let be. */
#include "codecs/stretch.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static const uint32_t rates[] = {8000, 16000, 48000};
enum { N_RATES = sizeof rates / sizeof rates[0], PIECE = 48 * 100 };

typedef struct piece {
    int16_t memory[48 * AGW_STRETCH_PAST_MS + PIECE];
    int16_t *pcm;
    size_t n;
} piece;

/* 30 ms of past and `ms` of a voice: three harmonics of 125 Hz. */
static void speak(piece *p, uint32_t hz, unsigned ms)
{
    const size_t past = hz / 1000 * AGW_STRETCH_PAST_MS;
    p->pcm = p->memory + past;
    p->n = hz / 1000 * ms;
    for (size_t i = 0; i < past + p->n; i++) {
        const double w = 2 * 3.14159265358979 * 125 * (double)i / hz;
        p->memory[i] = (int16_t)(6000 * sin(w) + 3000 * sin(2 * w) + 1500 * sin(3 * w));
    }
}

static void hiss(piece *p, uint32_t hz, unsigned ms, int level)
{
    speak(p, hz, ms);
    uint32_t seed = 7;
    for (int16_t *s = p->memory; s < p->pcm + p->n; s++) {
        seed = seed * 1664525u + 1013904223u;
        *s = (int16_t)((int)(seed >> 16) % (2 * level) - level);
    }
}

/* Largest second difference: a voice of 125 Hz at this level stays far below a step's. */
static int roughness(const piece *p)
{
    int most = 0;
    for (size_t i = 0; i < p->n; i++) {
        const int bend = abs(p->pcm[i] - 2 * p->pcm[(ptrdiff_t)i - 1] + p->pcm[(ptrdiff_t)i - 2]);
        most = bend > most ? bend : most;
    }
    return most;
}

static agw_stretch_how how_at(uint32_t hz)
{
    return (agw_stretch_how){.rate_hz = hz, .likeness = 0.9F, .quiet = 1000};
}

static void test_stretch_shortens_a_voice_by_whole_periods(void)
{
    for (unsigned r = 0; r < N_RATES; r++) {
        piece p;
        speak(&p, rates[r], 40);
        const int rough = roughness(&p);
        const agw_stretch_how how = how_at(rates[r]);
        const size_t out = agw_stretch_shorten(&how, p.pcm, p.n);
        const size_t period = rates[r] / 125;
        CU_ASSERT(out == period);
        p.n -= out;
        CU_ASSERT(roughness(&p) <= rough + rough / 4 + 8);
    }
}

static void test_stretch_lengthens_a_voice_by_whole_periods(void)
{
    for (unsigned r = 0; r < N_RATES; r++) {
        piece p;
        speak(&p, rates[r], 20);
        const int rough = roughness(&p);
        const agw_stretch_how how = how_at(rates[r]);
        const size_t in = agw_stretch_lengthen(&how, p.pcm, p.n, PIECE);
        const size_t period = rates[r] / 125;
        CU_ASSERT(in == period);
        p.n += in;
        CU_ASSERT(roughness(&p) <= rough + rough / 4 + 8);
    }
}

static void test_stretch_lets_hiss_be_unless_it_is_the_background(void)
{
    for (unsigned r = 0; r < N_RATES; r++) {
        const agw_stretch_how how = how_at(rates[r]);
        piece loud, quiet;
        hiss(&loud, rates[r], 40, 5000);
        const piece before = loud;
        CU_ASSERT_EQUAL(agw_stretch_shorten(&how, loud.pcm, loud.n), 0);
        CU_ASSERT_EQUAL(agw_stretch_lengthen(&how, loud.pcm, loud.n, PIECE), 0);
        CU_ASSERT_EQUAL(memcmp(before.memory, loud.memory, sizeof loud.memory), 0);
        hiss(&quiet, rates[r], 40, 30);
        CU_ASSERT(agw_stretch_shorten(&how, quiet.pcm, quiet.n) > 0);
        CU_ASSERT(agw_stretch_lengthen(&how, quiet.pcm, quiet.n / 2, PIECE) > 0);
    }
}

static void test_stretch_needs_two_periods_and_room(void)
{
    piece p;
    speak(&p, 8000, 40);
    const agw_stretch_how how = how_at(8000);
    CU_ASSERT_EQUAL(agw_stretch_shorten(&how, p.pcm, 8), 0);
    CU_ASSERT_EQUAL(agw_stretch_shorten(&how, p.pcm, 0), 0);
    CU_ASSERT_EQUAL(agw_stretch_lengthen(&how, p.pcm, p.n, p.n), 0);
    CU_ASSERT_EQUAL(agw_stretch_lengthen(&how, p.pcm, 0, PIECE), 0);
}

/* The voice goes on half a period off: without the merge there is a step. */
static void test_stretch_merges_a_voice_that_goes_on_out_of_phase(void)
{
    for (unsigned r = 0; r < N_RATES; r++) {
        piece p, fit;
        speak(&fit, rates[r], 40);
        p = fit;
        p.pcm = p.memory + (fit.pcm - fit.memory);
        for (size_t i = 0; i < p.n; i++)
            p.pcm[i] = (int16_t)-fit.pcm[i] + 4000;
        CU_ASSERT(abs(p.pcm[0] - p.pcm[-1]) > 3000);
        agw_stretch_merge(rates[r], p.pcm, p.n);
        CU_ASSERT(abs(p.pcm[0] - p.pcm[-1]) < 1500);
        const size_t fade = rates[r] / 200;
        CU_ASSERT_EQUAL(p.pcm[fade], (int16_t)-fit.pcm[fade] + 4000);
    }
}

static void test_stretch_power_is_the_mean_square(void)
{
    const int16_t pcm[] = {3, -4, 5, -6};
    CU_ASSERT_DOUBLE_EQUAL(agw_stretch_power(pcm, 4), 21.5, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(agw_stretch_power(pcm, 0), 0, 1e-9);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_stretch_shortens_a_voice_by_whole_periods),
    AGW_CASE(test_stretch_lengthens_a_voice_by_whole_periods),
    AGW_CASE(test_stretch_lets_hiss_be_unless_it_is_the_background),
    AGW_CASE(test_stretch_needs_two_periods_and_room),
    AGW_CASE(test_stretch_merges_a_voice_that_goes_on_out_of_phase),
    AGW_CASE(test_stretch_power_is_the_mean_square),
};

AGW_UNIT_MAIN("stretch", cases)
