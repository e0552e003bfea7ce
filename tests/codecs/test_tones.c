/* SPDX-License-Identifier: BSD-3-Clause
 * DTMF within audio: every digit, the limits of ITU-T Q.24, noise, and speech, which is none. */
#include "codecs/audio.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "codecs/g711.h"
#include "codecs/tones.h"
#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { HZ = AGW_TONES_HEARD_HZ, MS = HZ / 1000, PACKET = 20 * MS, ROOM = 64 };

typedef struct heard {
    size_t n;
    agw_tones_digit digits[ROOM];
} heard;

/* As packets come: 20 ms each. */
static void hear(agw_tones *t, const int16_t *pcm, size_t n, heard *h)
{
    for (size_t at = 0; at < n; at += PACKET) {
        const size_t piece = n - at < PACKET ? n - at : PACKET;
        h->n += agw_tones_hear(t, pcm + at, piece, h->digits + h->n, ROOM - h->n);
    }
}

static heard hear_all(const int16_t *pcm, size_t n)
{
    heard h = {0};
    agw_tones *t = agw_tones_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    hear(t, pcm, n, &h);
    agw_tones_free(t);
    return h;
}

/* A digit of ms between 50 ms of silence and 100 ms of it. */
static heard hear_digit(uint8_t event, uint8_t volume, unsigned ms)
{
    int16_t pcm[1200 * MS] = {0};
    agw_tones_write(event, volume, HZ, 0, pcm + 50 * MS, (size_t)ms * MS);
    return hear_all(pcm, (size_t)(150 + ms) * MS);
}

static bool is_one(const heard *h, uint8_t event)
{
    return h->n == 1 && h->digits[0].event == event;
}

static void test_tones_q24_every_digit_is_heard_once(void)
{
    for (uint8_t event = 0; event < AGW_TONES_DIGITS; event++) {
        for (unsigned ms = 60; ms <= 1000; ms += 47) {
            const heard h = hear_digit(event, 8, ms);
            CU_ASSERT_TRUE(is_one(&h, event));
            CU_ASSERT_TRUE(abs((int)h.digits[0].duration_ms - (int)ms) <= 14);
        }
    }
}

static void test_tones_q24_40_ms_are_a_digit_and_20_are_none(void)
{
    for (uint8_t event = 0; event < AGW_TONES_DIGITS; event++) {
        const heard longer = hear_digit(event, 8, 45), shorter = hear_digit(event, 8, 20);
        CU_ASSERT_TRUE(is_one(&longer, event));
        CU_ASSERT_EQUAL(shorter.n, 0);
    }
}

static void test_tones_q24_levels(void)
{
    for (uint8_t event = 0; event < AGW_TONES_DIGITS; event++) {
        for (uint8_t volume = 0; volume <= 26; volume = (uint8_t)(volume + 2)) {
            const heard h = hear_digit(event, volume, 80);
            CU_ASSERT_TRUE(is_one(&h, event));
            CU_ASSERT_TRUE(h.n == 1 && abs(h.digits[0].volume - volume) <= 2);
        }
        CU_ASSERT_EQUAL(hear_digit(event, 50, 80).n, 0);
    }
}

/* Two tones with levels of their own, in dBm0. */
static void write_twisted(int16_t *pcm, size_t n, double low_db, double high_db)
{
    const double low = 22800 * pow(10, low_db / 20), high = 22800 * pow(10, high_db / 20);
    for (size_t i = 0; i < n; i++) {
        const double at = 2 * M_PI * (double)i / HZ;
        pcm[i] = (int16_t)lrint(low * sin(770 * at) + high * sin(1336 * at));
    }
}

static size_t hear_twisted(double low_db, double high_db)
{
    int16_t pcm[200 * MS] = {0};
    write_twisted(pcm + 50 * MS, 80 * MS, low_db, high_db);
    return hear_all(pcm, 200 * MS).n;
}

static void test_tones_q24_twist(void)
{
    CU_ASSERT_EQUAL(hear_twisted(-8, -8), 1);
    CU_ASSERT_EQUAL(hear_twisted(-8, -14), 1); /* the high one 6 dB weaker */
    CU_ASSERT_EQUAL(hear_twisted(-10, -7), 1); /* and 3 dB stronger */
    CU_ASSERT_EQUAL(hear_twisted(-8, -20), 0);
    CU_ASSERT_EQUAL(hear_twisted(-16, -7), 0);
}

static void test_tones_two_digits_with_a_pause_of_40_ms_are_two(void)
{
    int16_t pcm[400 * MS] = {0};
    agw_tones_write(5, 8, HZ, 0, pcm + 20 * MS, 80 * MS);
    agw_tones_write(5, 8, HZ, 0, pcm + 145 * MS, 80 * MS);
    const heard h = hear_all(pcm, 400 * MS);
    CU_ASSERT_EQUAL(h.n, 2);
}

static void test_tones_through_g711_all_are_heard(void)
{
    for (uint8_t event = 0; event < AGW_TONES_DIGITS; event++) {
        int16_t pcm[200 * MS] = {0};
        agw_tones_write(event, 20, HZ, 0, pcm + 50 * MS, 70 * MS);
        for (size_t i = 0; i < 200 * MS; i++)
            pcm[i] = agw_pcmu_decode(agw_pcmu_encode(agw_pcma_decode(agw_pcma_encode(pcm[i]))));
        const heard h = hear_all(pcm, 200 * MS);
        CU_ASSERT_TRUE(is_one(&h, event));
    }
}

/* As a phone hears the tones that are made for it. */
static heard hear_coded(agw_codec_id id, uint8_t event)
{
    int16_t pcm[48 * 400] = {0}, got[8 * 400];
    uint8_t bytes[1500];
    agw_payload payload;
    const agw_codec_format format = agw_codec_plain(id);
    const size_t per_ms = agw_codec_info_of(id)->audio_hz / 1000;
    agw_tones_write(event, 10, (uint32_t)per_ms * 1000, 0, pcm + 100 * per_ms, 100 * per_ms);
    agw_encoder *e = agw_encoder_new(&format, (uint32_t)per_ms * 1000);
    agw_decoder *d = agw_decoder_new(&format, HZ);
    CU_ASSERT_TRUE_FATAL(e != NULL && d != NULL);
    size_t n = 0;
    for (unsigned ms = 0; ms < 380; ms += 20) {
        const size_t len =
            agw_encoder_encode(e, pcm + ms * per_ms, 20 * per_ms, -1, bytes, sizeof bytes);
        if (len != 0 && agw_decoder_split(d, bytes, len, &payload) == AGW_OK)
            n += agw_decoder_decode(d, &payload.frames[0], got + n, PACKET);
    }
    agw_encoder_free(e);
    agw_decoder_free(d);
    return hear_all(got, n);
}

static void test_tones_through_speech_codecs_all_are_heard(void)
{
    static const agw_codec_id IDS[] = {AGW_CODEC_G722, AGW_CODEC_OPUS, AGW_CODEC_AMR,
                                       AGW_CODEC_AMR_WB};
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        for (uint8_t event = 0; event < AGW_TONES_DIGITS; event++) {
            const heard h = hear_coded(IDS[i], event);
            CU_ASSERT_TRUE(is_one(&h, event));
            CU_ASSERT_TRUE(h.n == 1 && h.digits[0].duration_ms >= 65); /* edges are blurred */
        }
    }
}

/* Uniform noise, the same every time. */
static int16_t noise(uint32_t *state, int peak)
{
    *state = *state * 1664525u + 1013904223u;
    return (int16_t)((int)(*state >> 16) % (2 * peak + 1) - peak);
}

static void test_tones_in_noise_are_heard_and_noise_alone_is_none(void)
{
    uint32_t state = 1;
    int16_t pcm[200 * MS];
    for (unsigned i = 0; i < 16u * 20; i++) {
        memset(pcm, 0, sizeof pcm);
        agw_tones_write((uint8_t)(i % 16), 10, HZ, 0, pcm + 50 * MS, 80 * MS);
        for (size_t k = 0; k < 200 * MS; k++)
            pcm[k] = (int16_t)(pcm[k] + noise(&state, 1200)); /* 15 dB below the tones */
        const heard h = hear_all(pcm, 200 * MS);
        CU_ASSERT_TRUE(is_one(&h, (uint8_t)(i % 16)));
    }
    size_t n = 0;
    agw_tones *t = agw_tones_new();
    for (unsigned ms = 0; ms < 600000; ms += 20) {
        heard h = {0};
        for (size_t k = 0; k < PACKET; k++)
            pcm[k] = noise(&state, 8000);
        hear(t, pcm, PACKET, &h);
        n += h.n;
    }
    agw_tones_free(t);
    CU_ASSERT_EQUAL(n, 0);
}

/* --- speech --- */

static agw_audio *speak(const char *voice, const char *text)
{
    char name[] = "/tmp/speech-XXXXXX";
    const int fd = g_mkstemp(name);
    CU_ASSERT_FATAL(fd >= 0);
    g_close(fd, NULL);
    g_autofree gchar *line = g_strdup_printf("espeak-ng -v %s -f '%s' -w %s", voice, text, name);
    int status = -1;
    CU_ASSERT_TRUE_FATAL(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
    CU_ASSERT_EQUAL(status, 0);
    char *wav = NULL;
    gsize len = 0;
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(name, &wav, &len, NULL));
    g_unlink(name);
    agw_audio *audio = NULL;
    CU_ASSERT_EQUAL_FATAL(agw_audio_read((const uint8_t *)wav, len, HZ, &audio), AGW_OK);
    g_free(wav);
    return audio;
}

/* Noise of so many dB below the speech as a whole. */
static void add_noise(agw_audio *audio, double below_db)
{
    double power = 1;
    uint32_t state = 3;
    for (size_t i = 0; i < audio->n_samples; i++)
        power += (double)audio->samples[i] * audio->samples[i];
    const double rms = sqrt(power / (double)audio->n_samples);
    const int peak = (int)(rms * pow(10, -below_db / 20) * sqrt(3));
    for (size_t i = 0; i < audio->n_samples; i++) {
        const int v = audio->samples[i] + noise(&state, peak);
        audio->samples[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
    }
}

/* Digits need two tones within narrow limits; that speech has them by chance ("talk-off") is what a
 * detector is judged by. Some minutes in each of several voices, as they are and in noise. */
static void test_tones_q24_ten_minutes_of_speech_are_no_digit(void)
{
    static const char *const VOICES[] = {"en",    "en+f3", "en-us+m7", "de",    "de+f2",
                                         "fr+m3", "es+f4", "it",       "pl+f1", "en+croak"};
    heard h = {0};
    size_t samples = 0;
    for (size_t i = 0; i < sizeof VOICES / sizeof *VOICES; i++) {
        agw_audio *audio = speak(VOICES[i], AGW_TEST_DIR "/codecs/speech.txt");
        for (int noisy = 0; noisy < 2; noisy++) {
            agw_tones *t = agw_tones_new();
            hear(t, audio->samples, audio->n_samples, &h);
            agw_tones_free(t);
            add_noise(audio, i % 2 == 0 ? 20 : 10);
        }
        samples += audio->n_samples;
        agw_audio_unref(audio);
    }
    printf("\n    %zu s of speech, %zu digits\n", samples / HZ, h.n);
    CU_ASSERT_TRUE(samples >= 600u * HZ);
    CU_ASSERT_EQUAL(h.n, 0);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_tones_q24_every_digit_is_heard_once),
        AGW_CASE(test_tones_q24_40_ms_are_a_digit_and_20_are_none),
        AGW_CASE(test_tones_q24_levels),
        AGW_CASE(test_tones_q24_twist),
        AGW_CASE(test_tones_two_digits_with_a_pause_of_40_ms_are_two),
        AGW_CASE(test_tones_through_g711_all_are_heard),
        AGW_CASE(test_tones_through_speech_codecs_all_are_heard),
        AGW_CASE(test_tones_in_noise_are_heard_and_noise_alone_is_none),
        AGW_CASE(test_tones_q24_ten_minutes_of_speech_are_no_digit),
    };
    return agw_unit_run("tones", cases, sizeof cases / sizeof cases[0]);
}
