/* SPDX-License-Identifier: BSD-3-Clause
 * Comfort noise (RFC 3389). */
#include "codecs/noise.h"
#include "signal.h"
#include "unit.h"

#include <math.h>

enum { N = 16000 };

static int16_t pcm[N];

static void check_level(const uint8_t *payload, size_t len)
{
    agw_noise noise = {0};
    CU_ASSERT_EQUAL_FATAL(agw_noise_take(&noise, payload, len), AGW_OK);
    agw_noise_make(&noise, pcm, N);
    CU_ASSERT_EQUAL(agw_noise_level(pcm, N), payload[0]);
}

static void test_noise_rfc3389_3_1_level(void)
{
    for (uint8_t level = 10; level <= 80; level += 10)
        check_level(&level, 1);
}

/* A filter changes the colour, not the level. */
static void test_noise_rfc3389_3_2_spectrum(void)
{
    static const uint8_t LOW[] = {40, 127 - 115, 127 + 20};
    check_level(LOW, sizeof LOW);
    double close = 0, all = 1;
    for (size_t i = 1; i < N; i++) {
        close += (double)pcm[i] * pcm[i - 1];
        all += (double)pcm[i] * pcm[i];
    }
    CU_ASSERT_TRUE(close / all > 0.8); /* neighbours are alike: low frequencies */
}

static void test_noise_any_payload_is_stable(void)
{
    uint8_t payload[30];
    agw_noise noise = {0};
    for (unsigned v = 0; v < 256; v++) {
        for (size_t i = 0; i < sizeof payload; i++)
            payload[i] = (uint8_t)(i == 0 ? v & 0x7f : v + 31 * i);
        CU_ASSERT_EQUAL(agw_noise_take(&noise, payload, sizeof payload), AGW_OK);
        agw_noise_make(&noise, pcm, 160);
    }
    CU_ASSERT_EQUAL(agw_noise_take(&noise, payload, 0), AGW_ERR_TRUNCATED);
    payload[0] = 127;
    CU_ASSERT_EQUAL(agw_noise_take(&noise, payload, 1), AGW_OK);
    agw_noise_make(&noise, pcm, N);
    CU_ASSERT_TRUE(isfinite(noise.state[0]) && signal_rms(pcm, N) < 2);
}

static void test_noise_level_of_audio(void)
{
    signal_tone(pcm, N, 1000, 8000, 32767); /* a sine of full scale has 3 dB less than a square */
    CU_ASSERT_EQUAL(agw_noise_level(pcm, N), 3);
    for (size_t i = 0; i < N; i++)
        pcm[i] = 0;
    CU_ASSERT_EQUAL(agw_noise_level(pcm, N), 127);
    CU_ASSERT_EQUAL(agw_noise_level(pcm, 0), 127);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_noise_rfc3389_3_1_level),
    AGW_CASE(test_noise_rfc3389_3_2_spectrum),
    AGW_CASE(test_noise_any_payload_is_stable),
    AGW_CASE(test_noise_level_of_audio),
};

AGW_UNIT_MAIN("noise", cases)
