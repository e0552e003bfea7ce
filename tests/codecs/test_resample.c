/* SPDX-License-Identifier: BSD-3-Clause
 * The six conversions by tones: what passes, what is kept out, and that blocks leave no seam. */
#include "codecs/resample.h"
#include "signal.h"
#include "unit.h"

#include <string.h>

static const uint32_t RATES[] = {8000, 16000, 48000};

enum { SECOND = 48000 };

/* A second of a tone through a conversion; returns samples, the first 50 ms left off. */
static size_t converted(double hz, uint32_t from, uint32_t to, int16_t *out)
{
    static int16_t in[SECOND], all[SECOND];
    agw_resample r;
    agw_resample_init(&r, from, to);
    signal_tone(in, from, hz, from, 16000);
    size_t made = 0;
    for (size_t at = 0; at < from; at += from / 100)
        made += agw_resample_run(&r, in + at, from / 100, all + made);
    CU_ASSERT_EQUAL(made, to);
    memcpy(out, all + to / 20, (made - to / 20) * sizeof *out);
    return made - to / 20;
}

static double level_db(const int16_t *pcm, size_t n)
{
    return 20 * log10(signal_rms(pcm, n) / (16000 / M_SQRT2) + 1e-9);
}

static void test_resample_pass_band_is_flat(void)
{
    static int16_t out[SECOND];
    for (unsigned a = 0; a < 3; a++) {
        for (unsigned b = 0; b < 3; b++) {
            const uint32_t low = RATES[a] < RATES[b] ? RATES[a] : RATES[b];
            for (uint32_t hz = 100; hz <= low / 2 * 7 / 8; hz += 200) {
                const size_t n = converted(hz, RATES[a], RATES[b], out);
                CU_ASSERT(fabs(level_db(out, n)) < 0.1);
                CU_ASSERT(signal_share(out, n, hz, RATES[b]) > 1 - 1e-6); /* nothing else, -60 dB */
            }
        }
    }
}

/* What the lower rate cannot hold does not come out as something else. */
static void test_resample_down_stop_band_is_60_db(void)
{
    static int16_t out[SECOND];
    for (unsigned a = 1; a < 3; a++) {
        for (unsigned b = 0; b < a; b++) {
            for (uint32_t hz = RATES[b] / 2 * 9 / 8; hz < RATES[a] / 2; hz += 190)
                CU_ASSERT(level_db(out, converted(hz, RATES[a], RATES[b], out)) < -60);
        }
    }
}

static void test_resample_blocks_leave_no_seam(void)
{
    static int16_t in[SECOND], whole[SECOND], parts[SECOND];
    agw_resample r;
    signal_voice(in, SECOND / 4, 48000);
    for (unsigned to = 0; to < 2; to++) {
        agw_resample_init(&r, 48000, RATES[to]);
        const size_t n = agw_resample_run(&r, in, SECOND / 4, whole);
        agw_resample_reset(&r);
        size_t made = 0;
        for (size_t at = 0; at < SECOND / 4; at += 60)
            made += agw_resample_run(&r, in + at, 60, parts + made);
        CU_ASSERT_EQUAL(made, n);
        CU_ASSERT_EQUAL(memcmp(whole, parts, n * sizeof *whole), 0);
    }
}

static void test_resample_full_scale_does_not_wrap(void)
{
    static int16_t in[SECOND], out[SECOND];
    for (unsigned a = 0; a < 3; a++) {
        for (unsigned b = 0; b < 3; b++) {
            agw_resample r;
            agw_resample_init(&r, RATES[a], RATES[b]);
            for (unsigned i = 0; i < RATES[a] / 10; i++)
                in[i] = i / 40 % 2 != 0 ? 32767 : -32768;
            const size_t n = agw_resample_run(&r, in, RATES[a] / 10, out);
            CU_ASSERT_EQUAL(n, agw_resample_room(&r, RATES[a] / 10));
            unsigned jumps = 0;
            for (size_t i = 1; i < n; i++)
                jumps += out[i] > 30000 && out[i - 1] < -30000 && RATES[b] > RATES[a];
            CU_ASSERT_EQUAL(jumps, 0); /* upwards an edge takes several samples */
        }
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_resample_pass_band_is_flat),
    AGW_CASE(test_resample_down_stop_band_is_60_db),
    AGW_CASE(test_resample_blocks_leave_no_seam),
    AGW_CASE(test_resample_full_scale_does_not_wrap),
};

AGW_UNIT_MAIN("resample", cases)
