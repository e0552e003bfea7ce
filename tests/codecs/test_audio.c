/* SPDX-License-Identifier: BSD-3-Clause
 * Audio files: WAV of several kinds made here, what is refused, how a tone comes through. */
#include "codecs/audio.h"
#include "codecs/encoder.h"
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

/* 300 s at 192 kHz, 8 bit: not long, but a gigabyte on its way to what is played. */
static void test_audio_what_has_too_many_samples_is_refused(void)
{
    enum { RATE_HIGH = 192000, MOST = AGW_AUDIO_SAMPLES_MAX };
    size_t len;
    uint32_t ms;
    agw_audio *a = NULL;
    uint8_t *head = wav(1, RATE_HIGH, 0, &len);
    uint8_t *w = calloc(1, WAV_HEADER + (size_t)MOST + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    memcpy(w, head, WAV_HEADER);
    free(head);
    wav_put(w + 28, RATE_HIGH, 4);
    wav_put(w + 32, 1, 2);
    wav_put(w + 34, 8, 2);
    for (uint32_t more = 0; more < 2; more++) {
        len = WAV_HEADER + (size_t)MOST + more;
        wav_put(w + 4, (uint32_t)len - 8, 4);
        wav_put(w + 40, MOST + more, 4);
        CU_ASSERT_EQUAL(agw_audio_probe(w, len, &ms), more == 0 ? AGW_OK : AGW_ERR_LIMIT);
    }
    CU_ASSERT_EQUAL(agw_audio_read(w, len, 8000, &a), AGW_ERR_LIMIT);
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

/* Frames as RFC 4867 section 5.3 stores them: octet-aligned payloads without their first octet. */
static uint8_t *amr(agw_codec_id id, const char *magic, const agw_audio *audio, size_t *len)
{
    uint8_t *file = calloc(1, 65536), payload[100];
    agw_codec_format format = agw_codec_plain(id);
    format.amr.octet_aligned = true;
    agw_encoder *e = agw_encoder_new(&format, audio->rate_hz);
    CU_ASSERT_FATAL(file != NULL && e != NULL);
    const size_t n = audio->rate_hz / 50;
    *len = strlen(magic);
    memcpy(file, magic, *len);
    for (size_t at = 0; at + n <= audio->n_samples; at += n) {
        const size_t octets =
            agw_encoder_encode(e, audio->samples + at, n, -1, payload, sizeof payload);
        CU_ASSERT_TRUE_FATAL(octets > 1 && *len + octets < 65536);
        memcpy(file + *len, payload + 1, octets - 1);
        *len += octets - 1;
    }
    agw_encoder_free(e);
    return file;
}

static void test_audio_rfc4867_5_amr_files_are_read(void)
{
    static const struct {
        agw_codec_id id;
        const char *magic;
        uint32_t hz;
    } KINDS[] = {{AGW_CODEC_AMR, "#!AMR\n", 8000}, {AGW_CODEC_AMR_WB, "#!AMR-WB\n", 16000}};
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        uint32_t ms = 0;
        agw_audio *tone = NULL, *read = NULL;
        uint8_t *w = wav(1, KINDS[i].hz, KINDS[i].hz, &len);
        CU_ASSERT_EQUAL_FATAL(agw_audio_read(w, len, KINDS[i].hz, &tone), AGW_OK);
        free(w);
        uint8_t *file = amr(KINDS[i].id, KINDS[i].magic, tone, &len);
        CU_ASSERT_EQUAL(agw_audio_probe(file, len, &ms), AGW_OK);
        CU_ASSERT_TRUE(ms >= 960 && ms <= 1000);
        CU_ASSERT_EQUAL_FATAL(agw_audio_read(file, len, 16000, &read), AGW_OK);
        CU_ASSERT_EQUAL(read->rate_hz, 16000);
        CU_ASSERT_TRUE(read->n_samples > 14000);
        CU_ASSERT_TRUE(fabs(amplitude(read, WAV_TONE_HZ) - 16384) < 2500);
        CU_ASSERT_EQUAL(agw_audio_probe(file, strlen(KINDS[i].magic), &ms), AGW_ERR_UNSUPPORTED);
        agw_audio_unref(read);
        agw_audio_unref(tone);
        free(file);
    }
}

/* Made by LAME: half a second of the same tone. */
static void test_audio_mp3_files_are_read(void)
{
    static uint8_t file[16384];
    agw_audio *a = NULL;
    uint32_t ms = 0;
    FILE *f = fopen(AGW_TEST_DIR "/vectors/tone.mp3", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    const size_t len = fread(file, 1, sizeof file, f);
    fclose(f);
    CU_ASSERT_EQUAL(agw_audio_probe(file, len, &ms), AGW_OK);
    CU_ASSERT_TRUE(ms >= 500 && ms <= 620);
    CU_ASSERT_EQUAL_FATAL(agw_audio_read(file, len, 8000, &a), AGW_OK);
    CU_ASSERT_TRUE(fabs(amplitude(a, WAV_TONE_HZ) - 16384) < 1000);
    agw_audio_unref(a);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_audio_wav_comes_at_each_rate_as_it_was),
        AGW_CASE(test_audio_what_is_no_file_or_too_long_is_refused),
        AGW_CASE(test_audio_what_has_too_many_samples_is_refused),
        AGW_CASE(test_audio_a_file_that_breaks_off_gives_what_is_there),
        AGW_CASE(test_audio_rfc4867_5_amr_files_are_read),
        AGW_CASE(test_audio_mp3_files_are_read),
    };
    return agw_unit_run("audio", cases, sizeof cases / sizeof cases[0]);
}
