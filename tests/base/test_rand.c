/* SPDX-License-Identifier: BSD-3-Clause
 * base/rand: fills all of it and nothing else, and the alphabet of ICE credentials. */
#include "base/rand.h"

#include "unit.h"

#include <string.h>

static void test_rand_bytes_fill_the_whole_buffer_only(void)
{
    unsigned char seen[64] = {0};
    for (int round = 0; round < 32; round++) {
        unsigned char out[66] = {0};
        agw_rand_bytes(out + 1, 64);
        CU_ASSERT_EQUAL(out[0], 0);
        CU_ASSERT_EQUAL(out[65], 0);
        for (size_t i = 0; i < 64; i++)
            seen[i] |= out[i + 1];
    }
    for (size_t i = 0; i < 64; i++)
        CU_ASSERT_NOT_EQUAL(seen[i], 0); /* by chance once in 2^250 */
    unsigned char none = 9;
    agw_rand_bytes(&none, 0);
    CU_ASSERT_EQUAL(none, 9);
}

static void test_rand_numbers_differ(void)
{
    uint32_t all_or = 0, all_and = UINT32_MAX;
    for (int i = 0; i < 100; i++) {
        const uint32_t v = agw_rand32();
        all_or |= v;
        all_and &= v;
    }
    CU_ASSERT_EQUAL(all_or, UINT32_MAX);
    CU_ASSERT_EQUAL(all_and, 0);
}

static void test_rand_text_rfc8839_5_4_ice_chars(void)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[4098];
    memset(text, '!', sizeof text);
    agw_rand_text(text, 4096);
    CU_ASSERT_EQUAL(text[4096], '\0');
    CU_ASSERT_EQUAL(text[4097], '!');
    CU_ASSERT_EQUAL(strspn(text, ALPHABET), 4096);
    for (size_t i = 0; i < 64; i++)
        CU_ASSERT_PTR_NOT_NULL(strchr(text, ALPHABET[i])); /* missing by chance: 1e-26 */
    char empty[1] = {'x'};
    agw_rand_text(empty, 0);
    CU_ASSERT_EQUAL(empty[0], '\0');
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_rand_bytes_fill_the_whole_buffer_only),
    AGW_CASE(test_rand_numbers_differ),
    AGW_CASE(test_rand_text_rfc8839_5_4_ice_chars),
};

AGW_UNIT_MAIN("rand", CASES)
