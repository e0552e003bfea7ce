/* SPDX-License-Identifier: BSD-3-Clause
 * Audio files: WAV of several kinds made here, what is refused, how a tone comes through. */
#include "codecs/audio.h"
#include "tests/codecs/wav.h"
#include "unit.h"

#include <math.h>
#include <string.h>

enum { RATE = 44100, SECONDS = 2, RATE_LOW = 4000 };

/* Amplitude of a tone by its two quadratures; the edges of the file are left out. */
static double amplitude(const agw_audio *a, double hz)
{
    const size_t skip = a->rate_hz / 10, n = a->n_samples - 2 * skip;
    double re = 0, im = 0;
    for (size_t i = skip; i < skip + n; i++) {
        re += a->samples[i] * cos(2 * M_PI * hz * (double)i / a->rate_hz);
        im += a->samples[i] * sin(2 * M_PI * hz * (double)i / a->rate_hz);
    }
    return 2 * sqrt(re * re + im * im) / (double)n;
}

static void test_audio_wav_comes_at_each_rate_as_it_was(void)
{
    static const uint32_t RATES[] = {8000, 16000, 48000};
    for (unsigned channels = 1; channels <= 2; channels++) {
        size_t len;
        uint8_t *w = wav(channels, RATE, SECONDS * RATE, &len);
        uint32_t ms = 0;
        CU_ASSERT_EQUAL(agw_audio_probe(w, len, &ms), AGW_OK);
        CU_ASSERT_EQUAL(ms, SECONDS * 1000);
        for (size_t i = 0; i < 3; i++) {
            agw_audio *a = NULL;
            CU_ASSERT_EQUAL_FATAL(agw_audio_read(w, len, RATES[i], &a), AGW_OK);
            CU_ASSERT_EQUAL(a->rate_hz, RATES[i]);
            CU_ASSERT_TRUE(labs((long)a->n_samples - (long)(SECONDS * RATES[i])) <= 2);
            CU_ASSERT_TRUE(fabs(amplitude(a, WAV_TONE_HZ) - 16384) < 100);
            CU_ASSERT_TRUE(amplitude(a, 2 * WAV_TONE_HZ) < 20);
            agw_audio_unref(a);
        }
        free(w);
    }
}

static void test_audio_what_is_no_file_or_too_long_is_refused(void)
{
    size_t len;
    uint32_t ms;
    agw_audio *a = NULL;
    uint8_t *w = wav(1, 8000, 8000, &len);
    CU_ASSERT_EQUAL(agw_audio_probe(w, 0, &ms), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(agw_audio_probe(w, WAV_HEADER, &ms), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(agw_audio_read((const uint8_t *)"hello, world", 12, 8000, &a),
                    AGW_ERR_UNSUPPORTED);
    free(w);
    w = wav(1, RATE_LOW, RATE_LOW * AGW_AUDIO_SECONDS_MAX, &len);
    CU_ASSERT_EQUAL(agw_audio_probe(w, len, &ms), AGW_OK);
    free(w);
    w = wav(1, RATE_LOW, RATE_LOW * AGW_AUDIO_SECONDS_MAX + 1, &len);
    CU_ASSERT_EQUAL(agw_audio_probe(w, len, &ms), AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(agw_audio_read(w, len, 8000, &a), AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(agw_audio_probe(w, AGW_AUDIO_FILE_MAX + (size_t)1, &ms), AGW_ERR_LIMIT);
    free(w);
}

static void test_audio_a_file_that_breaks_off_gives_what_is_there(void)
{
    size_t len;
    agw_audio *a = NULL;
    uint8_t *w = wav(1, 8000, 16000, &len);
    CU_ASSERT_EQUAL_FATAL(agw_audio_read(w, WAV_HEADER + 16000, 8000, &a), AGW_OK);
    CU_ASSERT_EQUAL(a->n_samples, 8000);
    agw_audio_unref(a);
    free(w);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_audio_wav_comes_at_each_rate_as_it_was),
        AGW_CASE(test_audio_what_is_no_file_or_too_long_is_refused),
        AGW_CASE(test_audio_a_file_that_breaks_off_gives_what_is_there),
    };
    return agw_unit_run("audio", cases, sizeof cases / sizeof cases[0]);
}
