/* SPDX-License-Identifier: BSD-3-Clause
 * One codec in two forms: vectors of the one become those of the other, byte for byte. */
#include "codecs/repack.h"
#include "unit.h"
#include "vectors/vector.h"

#include <string.h>

static void becomes(agw_form in, const char *from, agw_form out_form, const char *to)
{
    uint8_t payload[512], wanted[512], got[AGW_REPACK_MAX];
    const size_t len = vector_read(from, payload, sizeof payload);
    const size_t wanted_len = vector_read(to, wanted, sizeof wanted);
    size_t got_len = sizeof got;
    CU_ASSERT_FATAL(len > 0 && wanted_len > 0);
    uint8_t *copy = must(malloc(len)); /* of exact size, for the sanitizer */
    memcpy(copy, payload, len);
    CU_ASSERT_EQUAL(agw_repack(in, out_form, copy, len, got, &got_len), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(got_len, wanted_len);
    CU_ASSERT_EQUAL(memcmp(got, wanted, got_len), 0);
    got_len = wanted_len - 1;
    CU_ASSERT_EQUAL(agw_repack(in, out_form, copy, len, got, &got_len), AGW_ERR_NO_SPACE);
    free(copy);
}

static void test_repack_rfc4867_4_every_frame_type_both_ways(void)
{
    becomes(AGW_FORM_AMR, "amr/nb-be.bin", AGW_FORM_AMR_OCTETS, "amr/nb-oa.bin");
    becomes(AGW_FORM_AMR_OCTETS, "amr/nb-oa.bin", AGW_FORM_AMR, "amr/nb-be.bin");
    becomes(AGW_FORM_AMR_WB, "amr/wb-be.bin", AGW_FORM_AMR_WB_OCTETS, "amr/wb-oa.bin");
    becomes(AGW_FORM_AMR_WB_OCTETS, "amr/wb-oa.bin", AGW_FORM_AMR_WB, "amr/wb-be.bin");
}

static void test_repack_26445_a_2_amr_wb_io_both_ways(void)
{
    becomes(AGW_FORM_AMR_WB, "amr/wb-be.bin", AGW_FORM_EVS_HF, "evs/io-full.bin");
    becomes(AGW_FORM_EVS_HF, "evs/io-full.bin", AGW_FORM_AMR_WB, "amr/wb-be.bin");
    becomes(AGW_FORM_EVS, "evs/io-full.bin", AGW_FORM_AMR_WB_OCTETS, "amr/wb-oa.bin");
}

/* 12.65 kbit/s in Header-Full has the size of Compact 13.2 kbit/s; hf-only needs no padding. */
static void test_repack_26445_a_2_2_3_hf_only_has_no_sizes_of_compact(void)
{
    uint8_t evs[33], wanted[34], got[AGW_REPACK_MAX];
    size_t len = sizeof got;
    memset(evs, 0x55, sizeof evs);
    evs[0] = 0x30 | 2;           /* AMR-WB IO, good */
    evs[sizeof evs - 1] &= 0xf8; /* 253 bits */
    wanted[0] = 0xf0;
    wanted[1] = 2 << 3 | 4;
    memcpy(wanted + 2, evs + 1, sizeof evs - 1);
    CU_ASSERT_EQUAL(agw_repack(AGW_FORM_EVS_HF, AGW_FORM_AMR_WB_OCTETS, evs, sizeof evs, got, &len),
                    AGW_OK);
    CU_ASSERT_EQUAL_FATAL(len, sizeof wanted);
    CU_ASSERT_EQUAL(memcmp(got, wanted, len), 0);
    len = sizeof got;
    CU_ASSERT_EQUAL(agw_repack(AGW_FORM_EVS, AGW_FORM_AMR_WB_OCTETS, evs, sizeof evs, got, &len),
                    AGW_ERR_UNSUPPORTED);
}

/* Twelve frames of the highest mode, the longest that comes in. */
static void test_repack_longest_payload_finds_room(void)
{
    uint8_t payload[1 + 12 * 61], got[AGW_REPACK_MAX];
    memset(payload, 0x55, sizeof payload);
    payload[0] = 0xf0;
    for (size_t i = 1; i <= 12; i++)
        payload[i] = (uint8_t)((i < 12 ? 0x80 : 0) | 8 << 3 | 4);
    for (size_t i = 1; i <= 12; i++)
        payload[12 + i * 60] &= 0xf8; /* 477 bits: what is behind them is zero */
    size_t len = sizeof got;
    CU_ASSERT_EQUAL(
        agw_repack(AGW_FORM_AMR_WB_OCTETS, AGW_FORM_AMR_WB, payload, sizeof payload, got, &len),
        AGW_OK);
    len = sizeof got;
    CU_ASSERT_EQUAL(
        agw_repack(AGW_FORM_AMR_WB_OCTETS, AGW_FORM_EVS_HF, payload, sizeof payload, got, &len),
        AGW_OK);
    CU_ASSERT(len > sizeof payload - 2);
}

static void test_repack_what_is_no_pair_or_no_payload_is_refused(void)
{
    static const uint8_t OA[] = {0xf0, 0x7c}, TORN[] = {0xf0, 0x3c, 0};
    uint8_t got[AGW_REPACK_MAX];
    size_t len = sizeof got;
    CU_ASSERT_EQUAL(agw_repack(AGW_FORM_AMR, AGW_FORM_AMR_WB, OA, 2, got, &len),
                    AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(agw_repack(AGW_FORM_NONE, AGW_FORM_AMR, OA, 2, got, &len), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(agw_repack(AGW_FORM_EVS, AGW_FORM_EVS_HF, OA, 2, got, &len),
                    AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(agw_repack(AGW_FORM_AMR_OCTETS, AGW_FORM_AMR, TORN, sizeof TORN, got, &len),
                    AGW_ERR_TRUNCATED);
}

static agw_codec_format amr(agw_codec_id id, bool octet_aligned, uint16_t mode_set)
{
    agw_codec_format format = agw_codec_plain(id);
    format.amr.octet_aligned = octet_aligned;
    format.amr.mode_set = mode_set;
    return format;
}

static bool possible(agw_codec_format a, agw_codec_format b)
{
    return agw_repack_is_possible(&a, &b);
}

static void test_repack_rfc4867_8_3_1_wishes_must_be_known(void)
{
    const agw_codec_format wb = amr(AGW_CODEC_AMR_WB, false, 0);
    CU_ASSERT_TRUE(possible(wb, amr(AGW_CODEC_AMR_WB, true, 0)));
    CU_ASSERT_TRUE(possible(wb, amr(AGW_CODEC_AMR_WB, true, 7)));
    CU_ASSERT_TRUE(possible(amr(AGW_CODEC_AMR_WB, false, 7), amr(AGW_CODEC_AMR_WB, true, 7)));
    CU_ASSERT_FALSE(possible(amr(AGW_CODEC_AMR_WB, false, 7), amr(AGW_CODEC_AMR_WB, true, 0)));
    CU_ASSERT_FALSE(possible(amr(AGW_CODEC_AMR_WB, false, 7), amr(AGW_CODEC_AMR_WB, true, 15)));
    CU_ASSERT_FALSE(possible(wb, wb));
    CU_ASSERT_FALSE(possible(wb, amr(AGW_CODEC_AMR, true, 0)));
    CU_ASSERT_FALSE(possible(agw_codec_plain(AGW_CODEC_PCMA), agw_codec_plain(AGW_CODEC_PCMU)));
    agw_codec_format slow = wb;
    slow.amr.mode_change_period = 2;
    CU_ASSERT_FALSE(possible(slow, amr(AGW_CODEC_AMR_WB, true, 0)));
    slow = wb;
    slow.amr.mode_change_neighbor = true;
    CU_ASSERT_FALSE(possible(slow, amr(AGW_CODEC_AMR_WB, true, 0)));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_repack_rfc4867_4_every_frame_type_both_ways),
    AGW_CASE(test_repack_26445_a_2_amr_wb_io_both_ways),
    AGW_CASE(test_repack_26445_a_2_2_3_hf_only_has_no_sizes_of_compact),
    AGW_CASE(test_repack_longest_payload_finds_room),
    AGW_CASE(test_repack_what_is_no_pair_or_no_payload_is_refused),
    AGW_CASE(test_repack_rfc4867_8_3_1_wishes_must_be_known),
};

AGW_UNIT_MAIN("repack", CASES)
