/* SPDX-License-Identifier: BSD-3-Clause
 * Redundant audio (RFC 2198). */
#include "rtp/red.h"
#include "unit.h"

#include <string.h>

/* Two older blocks of 160 and 320 units before, then the packet's own. */
static const uint8_t PAYLOAD[] = {0x80 | 111, 0x05, 0x00, 2,   0x80 | 111, 0x02, 0x80, 3,  96,
                                  'a',        'b',  'c',  'd', 'e',        'o',  'w',  'n'};

static void test_rtp_red_rfc2198_3_blocks(void)
{
    agw_red red;
    CU_ASSERT_EQUAL_FATAL(agw_red_parse(&red, PAYLOAD, sizeof PAYLOAD), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(red.n, 3);
    CU_ASSERT_TRUE(red.blocks[0].pt == 111 && red.blocks[0].before == 320);
    CU_ASSERT_TRUE(red.blocks[0].len == 2 && memcmp(red.blocks[0].data, "ab", 2) == 0);
    CU_ASSERT_TRUE(red.blocks[1].before == 160 && memcmp(red.blocks[1].data, "cde", 3) == 0);
    CU_ASSERT_TRUE(red.blocks[2].pt == 96 && red.blocks[2].before == 0);
    CU_ASSERT_TRUE(red.blocks[2].len == 3 && memcmp(red.blocks[2].data, "own", 3) == 0);
}

static void test_rtp_red_rfc2198_3_one_block_of_its_own(void)
{
    static const uint8_t ALONE[] = {111, 'x'};
    agw_red red;
    CU_ASSERT_EQUAL_FATAL(agw_red_parse(&red, ALONE, sizeof ALONE), AGW_OK);
    CU_ASSERT_TRUE(red.n == 1 && red.blocks[0].len == 1 && red.blocks[0].data[0] == 'x');
    CU_ASSERT_EQUAL_FATAL(agw_red_parse(&red, ALONE, 1), AGW_OK);
    CU_ASSERT_TRUE(red.n == 1 && red.blocks[0].len == 0);
}

/* Exact copies, so that the sanitizer sees a read behind the end. */
static void test_rtp_red_rfc2198_3_what_is_cut_is_refused(void)
{
    agw_red red;
    for (size_t len = 0; len <= sizeof PAYLOAD; len++) {
        uint8_t *cut = malloc(len + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
        memcpy(cut + 1, PAYLOAD, len);
        const agw_err err = agw_red_parse(&red, cut + 1, len);
        CU_ASSERT_EQUAL(err, len < sizeof PAYLOAD - 3 ? AGW_ERR_TRUNCATED : AGW_OK);
        free(cut);
    }
}

static void test_rtp_red_blocks_are_bounded(void)
{
    uint8_t many[4 * AGW_RED_BLOCKS_MAX + 1];
    agw_red red;
    memset(many, 0, sizeof many);
    for (size_t i = 0; i < AGW_RED_BLOCKS_MAX; i++)
        many[4 * i] = 0x80;
    CU_ASSERT_EQUAL(agw_red_parse(&red, many, sizeof many), AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(agw_red_parse(&red, many + 4, sizeof many - 4), AGW_OK);
    CU_ASSERT_EQUAL(red.n, AGW_RED_BLOCKS_MAX);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_red_rfc2198_3_blocks),
    AGW_CASE(test_rtp_red_rfc2198_3_one_block_of_its_own),
    AGW_CASE(test_rtp_red_rfc2198_3_what_is_cut_is_refused),
    AGW_CASE(test_rtp_red_blocks_are_bounded),
};

AGW_UNIT_MAIN("rtp_red", cases)
