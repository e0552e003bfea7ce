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

/* Whatever is drawn is drawn once, and does not stay behind. */
static void test_rand_stock_gives_each_byte_once(void)
{
    agw_rand_stock stock = {.left = 0};
    unsigned char first[16], second[16], all[AGW_RAND_STOCK_BYTES];
    agw_rand_draw(&stock, first, sizeof first);
    CU_ASSERT_EQUAL(stock.left, sizeof stock.bytes - sizeof first);
    for (size_t i = stock.left; i < sizeof stock.bytes; i++)
        CU_ASSERT_EQUAL(stock.bytes[i], 0);
    memcpy(all, stock.bytes, sizeof all);
    agw_rand_draw(&stock, second, sizeof second);
    CU_ASSERT_NOT_EQUAL(memcmp(first, second, sizeof first), 0);
    CU_ASSERT_EQUAL(memcmp(second, all + stock.left, sizeof second), 0);
    agw_rand_draw(&stock, all, sizeof all); /* more than is left: fresh ones */
    CU_ASSERT_EQUAL(stock.left, 0);
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof all; i++)
        zeros += all[i] == 0;
    CU_ASSERT_TRUE(zeros < 32); /* 2 expected; more than 31 once in 10^25 */
}

static void test_rand_stock_text_is_text(void)
{
    agw_rand_stock stock = {.left = 0};
    char text[26] = {0};
    text[25] = '!';
    agw_rand_draw_text(&stock, text, 24);
    CU_ASSERT_EQUAL(strlen(text), 24);
    CU_ASSERT_EQUAL(text[25], '!');
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_rand_bytes_fill_the_whole_buffer_only),
    AGW_CASE(test_rand_numbers_differ),
    AGW_CASE(test_rand_text_rfc8839_5_4_ice_chars),
    AGW_CASE(test_rand_stock_gives_each_byte_once),
    AGW_CASE(test_rand_stock_text_is_text),
};

AGW_UNIT_MAIN("rand", CASES)
