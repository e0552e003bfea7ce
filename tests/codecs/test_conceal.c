/* SPDX-License-Identifier: BSD-3-Clause
 * Made-up audio: it goes on with the pitch that was, without a click, fades, and gives way without
 * one. */
#include "codecs/conceal.h"
#include "signal.h"
#include "unit.h"

#include <string.h>

enum { MAX = 48000 };

static const uint32_t RATES[] = {8000, 16000, 48000};

/* Largest step between neighbours. */
static int steepest(const int16_t *pcm, size_t n)
{
    int most = 0;
    for (size_t i = 1; i < n; i++)
        most = abs(pcm[i] - pcm[i - 1]) > most ? abs(pcm[i] - pcm[i - 1]) : most;
    return most;
}

/* Three harmonics of a pitch. */
static void hum(int16_t *pcm, size_t n, double hz, double rate_hz)
{
    for (size_t i = 0; i < n; i++) {
        const double a = 2 * M_PI * hz * (double)i / rate_hz;
        pcm[i] = (int16_t)lrint(4000 * (sin(a) + sin(2 * a + 1) / 2 + sin(3 * a + 2) / 3));
    }
}

static void test_conceal_goes_on_with_the_pitch(void)
{
    static int16_t in[MAX], out[MAX];
    for (unsigned i = 0; i < 3; i++) {
        const size_t frame = RATES[i] / 50;
        for (unsigned hz = 75; hz < 350; hz += 21) {
            agw_conceal c;
            agw_conceal_init(&c, RATES[i]);
            hum(in, frame * 10, hz, RATES[i]);
            memcpy(out, in, frame * 10 * sizeof *in);
            for (unsigned k = 0; k < 10; k++) {
                if (k == 5)
                    agw_conceal_fill(&c, out + k * frame, frame);
                else
                    agw_conceal_good(&c, out + k * frame, frame);
            }
            CU_ASSERT(signal_snr(in + 5 * frame, out + 5 * frame, frame, 0) > 9);
            CU_ASSERT(steepest(out, frame * 10) < steepest(in, frame * 10) * 3 / 2);
        }
    }
}

/* 40 Hz is below any pitch that is looked for: what is found does not fit, and still nothing
 * clicks. */
static void test_conceal_period_that_does_not_fit_has_no_click(void)
{
    static int16_t pcm[MAX];
    for (unsigned i = 0; i < 3; i++) {
        const size_t frame = RATES[i] / 50;
        agw_conceal c;
        agw_conceal_init(&c, RATES[i]);
        for (unsigned at = 0; at < 8; at++) {
            signal_tone(pcm, frame * 5, 40, RATES[i], 8000);
            agw_conceal_good(&c, pcm, frame * 4 + frame * at / 8);
            const int16_t last = pcm[frame * 4 + frame * at / 8 - 1];
            agw_conceal_fill(&c, pcm, frame * 2);
            CU_ASSERT(abs(pcm[0] - last) < 16000 * 3000 / (int)RATES[i]);
            CU_ASSERT(steepest(pcm, frame * 2) < 16000 * 1000 / (int)RATES[i] * 3);
        }
    }
}

static void test_conceal_fades_to_silence_at_80_ms(void)
{
    static int16_t pcm[MAX];
    agw_conceal c;
    agw_conceal_init(&c, 8000);
    hum(pcm, 800, 150, 8000);
    agw_conceal_good(&c, pcm, 800);
    const double before = signal_rms(pcm, 800);
    agw_conceal_fill(&c, pcm, 160);
    CU_ASSERT(fabs(signal_rms(pcm, 160) / before - 1) < 0.1);
    agw_conceal_fill(&c, pcm, 480);
    CU_ASSERT(signal_rms(pcm, 160) > signal_rms(pcm + 320, 160) * 2);
    agw_conceal_fill(&c, pcm, 160);
    CU_ASSERT_EQUAL(signal_rms(pcm, 160), 0);
}

static void test_conceal_before_anything_came_is_silence(void)
{
    int16_t pcm[160];
    agw_conceal c;
    agw_conceal_init(&c, 8000);
    agw_conceal_fill(&c, pcm, 160);
    CU_ASSERT_EQUAL(signal_rms(pcm, 160), 0);
}

static void test_conceal_reset_forgets(void)
{
    int16_t pcm[800];
    agw_conceal c;
    agw_conceal_init(&c, 16000);
    hum(pcm, 800, 150, 16000);
    agw_conceal_good(&c, pcm, 800);
    agw_conceal_reset(&c);
    agw_conceal_fill(&c, pcm, 320);
    CU_ASSERT_EQUAL(signal_rms(pcm, 320), 0);
    hum(pcm, 320, 150, 16000);
    const int16_t first = pcm[0];
    agw_conceal_reset(&c);
    agw_conceal_good(&c, pcm, 320);
    CU_ASSERT_EQUAL(pcm[0], first);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_conceal_goes_on_with_the_pitch),
    AGW_CASE(test_conceal_period_that_does_not_fit_has_no_click),
    AGW_CASE(test_conceal_fades_to_silence_at_80_ms),
    AGW_CASE(test_conceal_before_anything_came_is_silence),
    AGW_CASE(test_conceal_reset_forgets),
};

AGW_UNIT_MAIN("conceal", cases)
