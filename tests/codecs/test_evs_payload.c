/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads of EVS (TS 26.445 annex A.2) and their way to and from AMR-WB: vectors of all frame
 * types written by another program (tests/vectors/evs/README.md). */
#include "codecs/amr_payload.h"
#include "codecs/evs_payload.h"
#include "unit.h"
#include "vectors/vector.h"

#include <string.h>

enum { MODES = AGW_AMR_WB_MODES, ROOM = 512 };

static const uint8_t COMPACT_OCTETS[MODES] = {17, 23, 32, 36, 40, 46, 50, 58, 60};
static const agw_amr_layout OCTETS = {.wide = true, .octet_aligned = true};
static const agw_amr_layout EFFICIENT = {.wide = true, .octet_aligned = false};

/* The frames of the vectors: speech modes, SID, lost, NO_DATA. */
static uint8_t stored[ROOM];

static agw_frame stored_frame(unsigned index)
{
    const size_t len = vector_read("amr/wb-stored.bin", stored, sizeof stored);
    agw_frame frame = {0};
    size_t at = 0;
    for (unsigned i = 0; i <= index; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_amr_load(true, stored + at, len - at, &frame), AGW_OK);
        at += 1u + frame.len;
    }
    return frame;
}

/* AMR-WB payload of one frame. */
static size_t amr_of(const agw_amr_layout *layout, unsigned index, int request, uint8_t *out)
{
    const agw_payload one = {
        .frames = {stored_frame(index)}, .n_frames = 1, .mode_request = (int8_t)request};
    return agw_amr_write(layout, &one, out, ROOM);
}

/* The Compact vector of a mode. */
static size_t compact_of(unsigned mode, uint8_t *out)
{
    uint8_t all[ROOM];
    size_t at = 0;
    vector_read("evs/io-compact.bin", all, sizeof all);
    for (unsigned i = 0; i < mode; i++)
        at += COMPACT_OCTETS[i];
    memcpy(out, all + at, COMPACT_OCTETS[mode]);
    return COMPACT_OCTETS[mode];
}

/* Splits a copy of exact size: a sanitizer sees a read past its end. */
static agw_err split_only(bool hf_only, const uint8_t *payload, size_t len)
{
    agw_payload out;
    uint8_t *copy = must(malloc(len > 0 ? len : 1)), octets[AGW_EVS_FRAME_MAX];
    memcpy(copy, payload, len);
    const agw_err err = agw_evs_split(hf_only, copy, len, &out);
    for (unsigned i = 0; err == AGW_OK && i < out.n_frames; i++)
        agw_evs_copy(&out.frames[i], octets);
    free(copy);
    return err;
}

static void test_evs_payload_26445_a_2_1_2_compact_io_to_amr_wb(void)
{
    for (unsigned mode = 0; mode < MODES; mode++) {
        for (unsigned aligned = 0; aligned < 2; aligned++) {
            uint8_t evs[ROOM], wanted[ROOM], got[ROOM];
            const size_t len = compact_of(mode, evs);
            const size_t wanted_len = amr_of(aligned != 0 ? &OCTETS : &EFFICIENT, mode, -1, wanted);
            size_t got_len = sizeof got;
            CU_ASSERT_EQUAL_FATAL(agw_evs_to_amr_wb(false, evs, len, aligned != 0, got, &got_len),
                                  AGW_OK);
            CU_ASSERT_EQUAL_FATAL(got_len, wanted_len);
            CU_ASSERT_EQUAL(memcmp(got, wanted, got_len), 0);
        }
    }
}

static void test_evs_payload_26445_a_2_1_2_amr_wb_to_compact_io(void)
{
    for (unsigned mode = 0; mode < MODES; mode++) {
        for (unsigned aligned = 0; aligned < 2; aligned++) {
            uint8_t amr[ROOM], wanted[ROOM], got[ROOM];
            const size_t len = amr_of(aligned != 0 ? &OCTETS : &EFFICIENT, mode, -1, amr);
            const size_t wanted_len = compact_of(mode, wanted);
            size_t got_len = wanted_len;
            CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(aligned != 0, amr, len, true, got, &got_len),
                                  AGW_OK);
            CU_ASSERT_EQUAL_FATAL(got_len, wanted_len);
            CU_ASSERT_EQUAL(memcmp(got, wanted, got_len), 0);
            got_len = wanted_len - 1;
            CU_ASSERT_EQUAL(agw_evs_from_amr_wb(aligned != 0, amr, len, true, got, &got_len),
                            AGW_ERR_NO_SPACE);
        }
    }
}

/* All frame types in one payload, both ways. */
static void test_evs_payload_26445_a_2_2_header_full_io_and_amr_wb(void)
{
    uint8_t evs[ROOM], amr[ROOM], got[ROOM];
    const size_t len = vector_read("evs/io-full.bin", evs, sizeof evs);
    const size_t amr_len = vector_read("amr/wb-be.bin", amr, sizeof amr);
    size_t got_len = sizeof got;
    CU_ASSERT_EQUAL_FATAL(agw_evs_to_amr_wb(false, evs, len, false, got, &got_len), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(got_len, amr_len);
    CU_ASSERT_EQUAL(memcmp(got, amr, amr_len), 0);
    got_len = sizeof got;
    CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(false, amr, amr_len, false, got, &got_len), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(got_len, len);
    CU_ASSERT_EQUAL(memcmp(got, evs, len), 0);
}

static void test_evs_payload_26445_a_2_2_every_cut_is_noticed(void)
{
    uint8_t evs[ROOM];
    const size_t len = vector_read("evs/io-full.bin", evs, sizeof evs);
    for (size_t cut = 0; cut < len; cut++)
        CU_ASSERT_EQUAL(split_only(true, evs, cut), AGW_ERR_TRUNCATED);
}

/* SID alone: seven octets, as a frame of 2.8 kbit/s; the first bit tells. */
static void test_evs_payload_26445_a_2_1_3_sid_has_a_request_octet(void)
{
    uint8_t evs[ROOM], amr[ROOM], got[ROOM];
    const size_t len = vector_read("evs/io-sid.bin", evs, sizeof evs);
    const size_t amr_len = amr_of(&OCTETS, MODES, -1, amr);
    size_t got_len = sizeof got;
    CU_ASSERT_EQUAL_FATAL(agw_evs_to_amr_wb(false, evs, len, true, got, &got_len), AGW_OK);
    CU_ASSERT_TRUE(got_len == amr_len && memcmp(got, amr, amr_len) == 0);
    got_len = sizeof got;
    CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(true, amr, amr_len, true, got, &got_len), AGW_OK);
    CU_ASSERT_TRUE(got_len == len && memcmp(got, evs, len) == 0);
    agw_payload out;
    evs[0] = 0x7f;
    CU_ASSERT_EQUAL_FATAL(agw_evs_split(false, evs, len, &out), AGW_OK);
    CU_ASSERT_TRUE(out.n_frames == 1 && out.frames[0].type == 0); /* EVS Primary */
    CU_ASSERT_EQUAL(agw_evs_to_amr_wb(false, evs, len, true, got, &got_len), AGW_ERR_UNSUPPORTED);
}

/* Three bits name seven modes; the others become the next lower one. */
static void test_evs_payload_26445_a_2_1_2_1_requests_are_translated(void)
{
    static const uint8_t BITS[MODES] = {0, 1, 2, 2, 3, 4, 4, 5, 6};
    static const uint8_t BACK[MODES] = {0, 1, 2, 2, 4, 5, 5, 7, 8};
    for (unsigned mode = 0; mode < MODES; mode++) {
        uint8_t amr[ROOM], evs[ROOM];
        const size_t len = amr_of(&OCTETS, 2, (int)mode, amr);
        size_t evs_len = sizeof evs, back_len = sizeof amr;
        CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(true, amr, len, true, evs, &evs_len), AGW_OK);
        CU_ASSERT_EQUAL(evs[0] >> 5, BITS[mode]);
        CU_ASSERT_EQUAL_FATAL(agw_evs_to_amr_wb(false, evs, evs_len, true, amr, &back_len), AGW_OK);
        CU_ASSERT_EQUAL(amr[0] >> 4, BACK[mode]);
        evs_len = sizeof evs;
        CU_ASSERT_EQUAL_FATAL(amr_of(&OCTETS, 2, (int)mode, amr), len);
        CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(true, amr, len, false, evs, &evs_len), AGW_OK);
        CU_ASSERT_EQUAL(evs[0], 0x90 | mode);
    }
}

/* What the octet of a request may say; one that asks for EVS Primary does not reach AMR-WB. */
static void test_evs_payload_26445_a_2_2_1_1_request_octet(void)
{
    uint8_t evs[] = {0, AGW_EVS_IO | 0x10 | AGW_EVS_NO_DATA}, amr[ROOM];
    for (unsigned request = 0; request < 0x80; request++) {
        agw_payload out;
        size_t len = sizeof amr;
        const bool io = request >> 4 == 1, unused = io && (request & 15) >= MODES;
        evs[0] = (uint8_t)(0x80 | request);
        CU_ASSERT_EQUAL_FATAL(agw_evs_split(false, evs, sizeof evs, &out), AGW_OK);
        CU_ASSERT_EQUAL(out.mode_request, request >= 0x70 || unused ? -1 : (int)request);
        CU_ASSERT_EQUAL_FATAL(agw_evs_to_amr_wb(false, evs, sizeof evs, true, amr, &len), AGW_OK);
        CU_ASSERT_EQUAL(amr[0] >> 4, io && !unused ? request & 15 : 15);
    }
}

/* Header-Full of 12.65 kbit/s has 33 octets, as Compact 13.2 kbit/s: one octet goes behind it. */
static void test_evs_payload_26445_a_2_2_3_sizes_do_not_collide(void)
{
    uint8_t amr[ROOM], evs[ROOM];
    const size_t len = amr_of(&OCTETS, 2, -1, amr);
    size_t evs_len = sizeof evs;
    agw_payload out;
    CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(true, amr, len, false, evs, &evs_len), AGW_OK);
    CU_ASSERT_TRUE(evs_len == 34 && evs[33] == 0);
    CU_ASSERT_EQUAL_FATAL(agw_evs_split(false, evs, evs_len, &out), AGW_OK);
    CU_ASSERT_EQUAL(out.frames[0].type, AGW_EVS_IO | 2);
    evs_len = 33;
    CU_ASSERT_EQUAL(agw_evs_from_amr_wb(true, amr, len, false, evs, &evs_len), AGW_ERR_NO_SPACE);
    CU_ASSERT_EQUAL(split_only(true, evs, 33), AGW_OK); /* hf-only=1: the size says nothing */
    evs[33] = 1;
    CU_ASSERT_EQUAL(split_only(false, evs, 34), AGW_ERR_MALFORMED);
}

/* Every mode of EVS Primary by its size, and back in both formats. */
static void test_evs_payload_26445_a_2_1_1_primary_by_size(void)
{
    static const uint16_t SIZES[] = {7, 18, 20, 24, 33, 41, 61, 80, 120, 160, 240, 320, 6};
    uint8_t evs[AGW_EVS_FRAME_MAX], got[ROOM];
    for (size_t i = 0; i < sizeof evs; i++)
        evs[i] = (uint8_t)(i + 1);
    for (unsigned mode = 0; mode < sizeof SIZES / sizeof SIZES[0]; mode++) {
        agw_payload out, again;
        CU_ASSERT_EQUAL_FATAL(agw_evs_split(false, evs, SIZES[mode], &out), AGW_OK);
        CU_ASSERT_TRUE(out.n_frames == 1 && out.frames[0].type == mode);
        CU_ASSERT_EQUAL(out.frames[0].kind, mode == AGW_EVS_SID ? AGW_FRAME_SID : AGW_FRAME_SPEECH);
        CU_ASSERT_EQUAL_FATAL(agw_evs_write(true, &out, got, sizeof got), SIZES[mode]);
        CU_ASSERT_EQUAL(memcmp(got, evs, SIZES[mode]), 0);
        const size_t len = agw_evs_write(false, &out, got, sizeof got);
        CU_ASSERT_TRUE_FATAL(len > SIZES[mode]);
        CU_ASSERT_EQUAL_FATAL(agw_evs_split(false, got, len, &again), AGW_OK);
        CU_ASSERT_TRUE(again.n_frames == 1 && again.frames[0].type == mode);
        CU_ASSERT_EQUAL(memcmp(again.frames[0].data, evs, SIZES[mode]), 0);
    }
}

static void test_evs_payload_26445_a_2_2_1_2_reserved_is_malformed(void)
{
    static const uint8_t RESERVED[] = {13}, IO_RESERVED[] = {AGW_EVS_IO | 10},
                         SECOND[] = {0x4f, 0x8f};
    CU_ASSERT_EQUAL(split_only(false, RESERVED, 1), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(split_only(false, IO_RESERVED, 1), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(split_only(false, SECOND, 2), AGW_ERR_MALFORMED); /* a CMR octet behind a ToC */
    uint8_t many[AGW_DECODER_FRAMES_MAX + 1];
    memset(many, 0x40 | AGW_EVS_NO_DATA, sizeof many);
    many[AGW_DECODER_FRAMES_MAX - 1] = AGW_EVS_NO_DATA;
    CU_ASSERT_EQUAL(split_only(true, many, sizeof many - 1), AGW_OK);
    many[AGW_DECODER_FRAMES_MAX - 1] |= 0x40;
    many[AGW_DECODER_FRAMES_MAX] = AGW_EVS_NO_DATA;
    CU_ASSERT_EQUAL(split_only(true, many, sizeof many), AGW_ERR_MALFORMED);
}

/* A damaged frame cannot be Compact: only Header-Full has the bit. */
static void test_evs_payload_26445_a_2_2_1_2_damaged_frame_keeps_its_bit(void)
{
    uint8_t amr[ROOM], evs[ROOM], back[ROOM];
    const size_t len = amr_of(&OCTETS, 0, -1, amr);
    size_t evs_len = sizeof evs, back_len = sizeof back;
    amr[1] &= 0xfb; /* Q */
    CU_ASSERT_EQUAL_FATAL(agw_evs_from_amr_wb(true, amr, len, true, evs, &evs_len), AGW_OK);
    CU_ASSERT_EQUAL(evs[0], AGW_EVS_IO);
    CU_ASSERT_EQUAL_FATAL(agw_evs_to_amr_wb(false, evs, evs_len, true, back, &back_len), AGW_OK);
    CU_ASSERT_TRUE(back_len == len && memcmp(back, amr, len) == 0);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_evs_payload_26445_a_2_1_2_compact_io_to_amr_wb),
    AGW_CASE(test_evs_payload_26445_a_2_1_2_amr_wb_to_compact_io),
    AGW_CASE(test_evs_payload_26445_a_2_2_header_full_io_and_amr_wb),
    AGW_CASE(test_evs_payload_26445_a_2_2_every_cut_is_noticed),
    AGW_CASE(test_evs_payload_26445_a_2_1_3_sid_has_a_request_octet),
    AGW_CASE(test_evs_payload_26445_a_2_1_2_1_requests_are_translated),
    AGW_CASE(test_evs_payload_26445_a_2_2_1_1_request_octet),
    AGW_CASE(test_evs_payload_26445_a_2_2_3_sizes_do_not_collide),
    AGW_CASE(test_evs_payload_26445_a_2_1_1_primary_by_size),
    AGW_CASE(test_evs_payload_26445_a_2_2_1_2_reserved_is_malformed),
    AGW_CASE(test_evs_payload_26445_a_2_2_1_2_damaged_frame_keeps_its_bit),
};

AGW_UNIT_MAIN("evs_payload", cases)
