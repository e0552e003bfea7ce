/* SPDX-License-Identifier: BSD-3-Clause
 * The E-model against published values and against itself: it may only fall. */
#include "rtp/emodel.h"
#include "unit.h"

#include <math.h>

static double r_of(const char *name, uint32_t hz, double delay_ms, double loss, double burst)
{
    const agw_emodel_path path = {delay_ms, loss, burst};
    return agw_emodel_r(agw_emodel_find(name, hz, 0), &path);
}

static bool is_near(double a, double b, double by)
{
    return fabs(a - b) <= by;
}

static void test_emodel_g107_7_7_defaults_give_93_2(void)
{
    CU_ASSERT_TRUE(is_near(r_of("PCMA", 8000, 0, 0, 1), 93.2, 0.05));
    CU_ASSERT_TRUE(is_near(agw_emodel_mos(93.2), 4.41, 0.005));
}

/* What the whole algorithm of G.107 says, with every other value at its default (T = Ta = Tr / 2).
 */
static void test_emodel_g107_7_4_delay(void)
{
    static const double WANT[][2] = {{50, 91.76},  {100, 90.66}, {150, 89.54}, {200, 85.80},
                                     {300, 72.67}, {400, 62.25}, {500, 54.80}};
    for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++)
        CU_ASSERT_TRUE(is_near(r_of("PCMA", 8000, WANT[i][0], 0, 1), WANT[i][1], 0.02));
    CU_ASSERT_TRUE(r_of("PCMA", 8000, 0.5, 0, 1) <= r_of("PCMA", 8000, 0, 0, 1)); /* no gain */
}

/* Ie,eff with Ie and Bpl of G.113 appendix I: 95 * 5 / (5 + 25.1) of G.711 with concealment, 10 +
 * 85 * 2 / (2 + 19) of G.729, 5 + 90 * 3 / (3 + 10) of GSM-EFR. */
static void test_emodel_g113_loss_of_codecs(void)
{
    CU_ASSERT_TRUE(is_near(r_of("PCMU", 8000, 0, 5, 1), 93.2 - 15.78, 0.05));
    CU_ASSERT_TRUE(is_near(r_of("G729", 8000, 0, 2, 1), 93.2 - 18.10, 0.05));
    CU_ASSERT_TRUE(is_near(r_of("AMR", 8000, 0, 3, 1), 93.2 - 25.77, 0.05));
    CU_ASSERT_TRUE(is_near(r_of("PCMU", 8000, 0, 5, 2), 93.2 - 95 * 5 / (2.5 + 25.1), 0.05));
}

static void test_emodel_g107_1_wideband_has_its_own_scale(void)
{
    CU_ASSERT_TRUE(is_near(r_of("AMR-WB", 16000, 0, 0, 1), (129 - 13) / 1.29, 0.05));
    CU_ASSERT_TRUE(is_near(r_of("G722", 8000, 0, 0, 1), (129 - 13) / 1.29, 0.05));
    CU_ASSERT_TRUE(agw_emodel_find("opus", 48000, 0)->wideband);
}

static void test_emodel_g107_b_mos_of_r(void)
{
    static const double WANT[][2] = {{-1, 1},    {0, 1},     {3, 1},     {50, 2.58}, {60, 3.10},
                                     {70, 3.60}, {80, 4.03}, {90, 4.34}, {100, 4.5}, {120, 4.5}};
    for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++)
        CU_ASSERT_TRUE(is_near(agw_emodel_mos(WANT[i][0]), WANT[i][1], 0.01));
}

static void test_emodel_the_bit_rate_finds_the_row(void)
{
    CU_ASSERT_EQUAL(agw_emodel_find("amr-wb", 16000, 12650)->ie, 13);
    CU_ASSERT_EQUAL(agw_emodel_find("AMR-WB", 16000, 12649)->ie, 26);
    CU_ASSERT_EQUAL(agw_emodel_find("AMR-WB", 0, 0)->ie, 13);
    CU_ASSERT_EQUAL(agw_emodel_find("AMR", 8000, 4750)->ie, 22);
    CU_ASSERT_EQUAL(agw_emodel_find("AMR", 8000, 99999)->ie, 5);
    CU_ASSERT_TRUE(agw_emodel_find("opus", 48000, 32000)->ie <
                   agw_emodel_find("opus", 48000, 8000)->ie);
    CU_ASSERT_STRING_EQUAL(agw_emodel_find("x-unheard-of", 8000, 0)->name, "PCMA");
    CU_ASSERT_STRING_EQUAL(agw_emodel_find("x-unheard-of", 32000, 0)->name, "opus");
    CU_ASSERT_STRING_EQUAL(agw_emodel_find(NULL, 0, 0)->name, "PCMA");
}

/* Never up with loss, jitter, round trip, burst ratio, for no codec. */
static void test_emodel_is_monotone(void)
{
    static const char *const NAMES[] = {"PCMA", "G722", "AMR", "AMR-WB", "opus", "G729", "EVS"};
    for (size_t n = 0; n < sizeof NAMES / sizeof NAMES[0]; n++) {
        const agw_emodel_codec *codec = agw_emodel_find(NAMES[n], 0, 0);
        double by_loss = 101, by_jitter = 101, by_trip = 101, by_burst = 101;
        for (unsigned i = 0; i <= 1000; i++) {
            const agw_emodel_path loss = {20, i / 10.0, 1}, burst = {20, 5, 1 + i / 10.0};
            const agw_emodel_path jitter = {agw_emodel_delay_ms(codec, 0, i * 500), 0, 1};
            const agw_emodel_path trip = {agw_emodel_delay_ms(codec, i * 1000, 0), 0, 1};
            const double r[] = {agw_emodel_r(codec, &loss), agw_emodel_r(codec, &jitter),
                                agw_emodel_r(codec, &trip), agw_emodel_r(codec, &burst)};
            if (r[0] > by_loss || r[1] > by_jitter || r[2] > by_trip || r[3] > by_burst)
                CU_FAIL("R has risen");
            by_loss = r[0], by_jitter = r[1], by_trip = r[2], by_burst = r[3];
        }
        CU_ASSERT_TRUE(by_loss < 40 && by_jitter < 70 && by_trip < 85);
    }
}

static void test_emodel_g107_3_6_burst_ratio(void)
{
    CU_ASSERT_EQUAL(agw_emodel_burst_ratio(100, 0, 0), 1);
    CU_ASSERT_EQUAL(agw_emodel_burst_ratio(0, 10, 1), 1);
    /* 900 came, 100 were lost one by one: random loss of 10 % would do that */
    CU_ASSERT_TRUE(is_near(agw_emodel_burst_ratio(900, 100, 90), 1, 0.01));
    /* ... by threes */
    CU_ASSERT_TRUE(is_near(agw_emodel_burst_ratio(900, 99, 33), 2.7, 0.01));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_emodel_g107_7_7_defaults_give_93_2),
    AGW_CASE(test_emodel_g107_7_4_delay),
    AGW_CASE(test_emodel_g113_loss_of_codecs),
    AGW_CASE(test_emodel_g107_1_wideband_has_its_own_scale),
    AGW_CASE(test_emodel_g107_b_mos_of_r),
    AGW_CASE(test_emodel_the_bit_rate_finds_the_row),
    AGW_CASE(test_emodel_is_monotone),
    AGW_CASE(test_emodel_g107_3_6_burst_ratio),
};

AGW_UNIT_MAIN("emodel", CASES)
