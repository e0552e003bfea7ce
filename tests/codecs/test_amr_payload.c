/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads of AMR and AMR-WB (RFC 4867): vectors of all frame types in both layouts, written by
 * another program (tests/vectors/amr/README.md), and every refusal. */
#include "codecs/amr_payload.h"
#include "unit.h"
#include "vectors/vector.h"

#include <string.h>

static const agw_amr_layout NB_BE = {.wide = false, .octet_aligned = false};
static const agw_amr_layout NB_OA = {.wide = false, .octet_aligned = true};
static const agw_amr_layout WB_BE = {.wide = true, .octet_aligned = false};
static const agw_amr_layout WB_OA = {.wide = true, .octet_aligned = true};

/* Splits a copy of exact size, so that a sanitizer sees a read past its end; the frames of *out
 * point into *copy, which the caller frees. */
static agw_err split(const agw_amr_layout *layout, const uint8_t *payload, size_t len,
                     agw_payload *out, uint8_t **copy)
{
    *copy = must(malloc(len > 0 ? len : 1));
    memcpy(*copy, payload, len);
    return agw_amr_split(layout, *copy, len, out);
}

static agw_err split_only(const agw_amr_layout *layout, const uint8_t *payload, size_t len)
{
    agw_payload out;
    uint8_t *copy;
    const agw_err err = split(layout, payload, len, &out, &copy);
    free(copy);
    return err;
}

static size_t store_all(bool wide, const agw_payload *payload, uint8_t *out)
{
    size_t len = 0;
    for (unsigned i = 0; i < payload->n_frames; i++)
        len += agw_amr_store(wide, &payload->frames[i], out + len);
    return len;
}

/* The frames of a file without its magic. */
static void load_all(bool wide, const uint8_t *stored, size_t len, agw_payload *out)
{
    out->n_frames = 0;
    for (size_t at = 0; at < len; out->n_frames++) {
        agw_frame *frame = &out->frames[out->n_frames];
        CU_ASSERT_EQUAL_FATAL(agw_amr_load(wide, stored + at, len - at, frame), AGW_OK);
        at += 1u + frame->len;
    }
}

/* --- vectors -----------------------------------------------------------------------------------
 */

typedef struct vector {
    const agw_amr_layout *layout;
    const char *payload, *stored;
    unsigned n_frames;
    int8_t mode_request;
} vector;

static const vector VECTORS[] = {
    {&NB_BE, "amr/nb-be.bin", "amr/nb-stored.bin", 10, 6},
    {&NB_OA, "amr/nb-oa.bin", "amr/nb-stored.bin", 10, 6},
    {&WB_BE, "amr/wb-be.bin", "amr/wb-stored.bin", 12, 2},
    {&WB_OA, "amr/wb-oa.bin", "amr/wb-stored.bin", 12, 2},
};
enum { N_VECTORS = sizeof VECTORS / sizeof VECTORS[0] };

static void test_amr_payload_rfc4867_4_vectors_split_into_the_stored_frames(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        const vector *v = &VECTORS[i];
        uint8_t payload[512], stored[512], again[AGW_AMR_STORED_MAX * AGW_DECODER_FRAMES_MAX];
        const size_t len = vector_read(v->payload, payload, sizeof payload);
        const size_t stored_len = vector_read(v->stored, stored, sizeof stored);
        agw_payload out;
        uint8_t *copy;
        CU_ASSERT_EQUAL_FATAL(split(v->layout, payload, len, &out, &copy), AGW_OK);
        CU_ASSERT_EQUAL(out.n_frames, v->n_frames);
        CU_ASSERT_EQUAL(out.mode_request, v->mode_request);
        CU_ASSERT_EQUAL_FATAL(store_all(v->layout->wide, &out, again), stored_len);
        CU_ASSERT_EQUAL(memcmp(again, stored, stored_len), 0);
        free(copy);
    }
}

static void test_amr_payload_rfc4867_4_stored_frames_are_written_as_the_vectors(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        const vector *v = &VECTORS[i];
        uint8_t payload[512], stored[512], written[512];
        const size_t len = vector_read(v->payload, payload, sizeof payload);
        const size_t stored_len = vector_read(v->stored, stored, sizeof stored);
        agw_payload frames = {.mode_request = v->mode_request};
        load_all(v->layout->wide, stored, stored_len, &frames);
        memset(written, 0xff, sizeof written);
        CU_ASSERT_EQUAL_FATAL(agw_amr_write(v->layout, &frames, written, len), len);
        CU_ASSERT_EQUAL(memcmp(written, payload, len), 0);
        CU_ASSERT_EQUAL(written[len], 0xff);
        CU_ASSERT_EQUAL(agw_amr_write(v->layout, &frames, written, len - 1), 0);
    }
}

/* One layout in, the other out, without a codec. */
static void test_amr_payload_rfc4867_4_layouts_change_without_decoding(void)
{
    for (unsigned i = 0; i < N_VECTORS; i += 2) {
        const vector *v = &VECTORS[i], *other = &VECTORS[i + 1];
        uint8_t payload[512], wanted[512], written[512];
        const size_t len = vector_read(v->payload, payload, sizeof payload);
        const size_t wanted_len = vector_read(other->payload, wanted, sizeof wanted);
        agw_payload frames;
        CU_ASSERT_EQUAL_FATAL(agw_amr_split(v->layout, payload, len, &frames), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(agw_amr_write(other->layout, &frames, written, sizeof written),
                              wanted_len);
        CU_ASSERT_EQUAL(memcmp(written, wanted, wanted_len), 0);
    }
}

/* Each octet of the table of contents or of the frames that is missing is noticed. */
static void test_amr_payload_rfc4867_4_every_cut_is_truncated(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        uint8_t payload[512];
        const size_t len = vector_read(VECTORS[i].payload, payload, sizeof payload);
        for (size_t cut = 0; cut < len; cut++)
            CU_ASSERT_EQUAL(split_only(VECTORS[i].layout, payload, cut), AGW_ERR_TRUNCATED);
    }
}

/* --- fields ------------------------------------------------------------------------------------
 */

static void test_amr_payload_rfc4867_4_3_no_data_in_two_octets(void)
{
    static const uint8_t NO_DATA[] = {0xf7, 0xc0}; /* CMR 15, F 0, FT 15, Q 1 */
    agw_payload out;
    CU_ASSERT_EQUAL_FATAL(agw_amr_split(&NB_BE, NO_DATA, sizeof NO_DATA, &out), AGW_OK);
    CU_ASSERT_TRUE(out.n_frames == 1 && out.frames[0].kind == AGW_FRAME_NO_DATA);
    CU_ASSERT_TRUE(out.frames[0].len == 0 && out.frames[0].duration_ms_x10 == 200);
    CU_ASSERT_EQUAL(out.mode_request, -1);
    uint8_t written[2];
    CU_ASSERT_EQUAL(agw_amr_write(&NB_BE, &out, written, sizeof written), 2);
    CU_ASSERT_EQUAL(memcmp(written, NO_DATA, 2), 0);
}

/* 6 bits of 39 remain in the last octet. */
static void test_amr_payload_rfc4867_4_3_sid_begins_at_bit_10(void)
{
    static const uint8_t SID[] = {0x24, 0x7e, 0x04, 0x8d, 0x15, 0xb3, 0x80}; /* CMR 2, FT 8, Q 1 */
    static const uint8_t STORED[] = {0x44, 0xf8, 0x12, 0x34, 0x56, 0xce};
    agw_payload out;
    uint8_t stored[AGW_AMR_STORED_MAX];
    CU_ASSERT_EQUAL_FATAL(agw_amr_split(&NB_BE, SID, sizeof SID, &out), AGW_OK);
    CU_ASSERT_TRUE(out.n_frames == 1 && out.mode_request == 2);
    CU_ASSERT_TRUE(out.frames[0].kind == AGW_FRAME_SID && out.frames[0].type == AGW_AMR_MODES);
    CU_ASSERT_TRUE(out.frames[0].data == SID + 1 && out.frames[0].bit == 2);
    CU_ASSERT_EQUAL(out.frames[0].len, 6); /* 2 + 39 bits */
    CU_ASSERT_EQUAL_FATAL(agw_amr_store(false, &out.frames[0], stored), sizeof STORED);
    CU_ASSERT_EQUAL(memcmp(stored, STORED, sizeof STORED), 0);
}

static void test_amr_payload_rfc4867_4_3_2_quality_bit_survives(void)
{
    static const uint8_t DAMAGED[] = {0xf0, 0x40, 1, 2, 3, 4, 5}; /* octet-aligned, FT 8, Q 0 */
    agw_payload out;
    uint8_t written[8];
    CU_ASSERT_EQUAL_FATAL(agw_amr_split(&NB_OA, DAMAGED, sizeof DAMAGED, &out), AGW_OK);
    CU_ASSERT_TRUE(out.frames[0].kind == AGW_FRAME_BAD && out.frames[0].type == AGW_AMR_MODES);
    CU_ASSERT_EQUAL(agw_amr_write(&NB_OA, &out, written, sizeof written), sizeof DAMAGED);
    CU_ASSERT_EQUAL(written[1], 0x40);
}

/* Speech lost on the way to the sender is to be concealed; it exists in AMR-WB only. */
static void test_amr_payload_rfc4867_3_6_lost_is_bad_and_wide_only(void)
{
    static const uint8_t LOST[] = {0xf0, AGW_AMR_LOST << 3 | 4};
    agw_payload out;
    CU_ASSERT_EQUAL_FATAL(agw_amr_split(&WB_OA, LOST, sizeof LOST, &out), AGW_OK);
    CU_ASSERT_TRUE(out.frames[0].kind == AGW_FRAME_BAD && out.frames[0].len == 0);
    CU_ASSERT_EQUAL(split_only(&NB_OA, LOST, sizeof LOST), AGW_ERR_MALFORMED);
}

static void test_amr_payload_rfc4867_4_3_1_request_is_a_speech_mode_or_none(void)
{
    for (unsigned request = 0; request < 16; request++) {
        const uint8_t payload[] = {(uint8_t)(request << 4), AGW_AMR_NO_DATA << 3 | 4};
        agw_payload out;
        CU_ASSERT_EQUAL_FATAL(agw_amr_split(&NB_OA, payload, sizeof payload, &out), AGW_OK);
        CU_ASSERT_EQUAL(out.mode_request, request < AGW_AMR_MODES ? (int)request : -1);
        CU_ASSERT_EQUAL_FATAL(agw_amr_split(&WB_OA, payload, sizeof payload, &out), AGW_OK);
        CU_ASSERT_EQUAL(out.mode_request, request < AGW_AMR_WB_MODES ? (int)request : -1);
    }
}

static void test_amr_payload_rfc4867_4_3_2_reserved_types_drop_the_packet(void)
{
    for (unsigned type = 0; type < 16; type++) {
        uint8_t payload[2 + 60] = {0xf0, (uint8_t)(type << 3 | 4)};
        const bool nb = type <= AGW_AMR_MODES || type == AGW_AMR_NO_DATA;
        const bool wb = type <= AGW_AMR_WB_MODES || type >= AGW_AMR_LOST;
        CU_ASSERT_EQUAL(split_only(&NB_OA, payload, sizeof payload),
                        nb ? AGW_OK : AGW_ERR_MALFORMED);
        CU_ASSERT_EQUAL(split_only(&WB_OA, payload, sizeof payload),
                        wb ? AGW_OK : AGW_ERR_MALFORMED);
    }
}

static void test_amr_payload_twelve_frames_and_no_more(void)
{
    uint8_t payload[1 + AGW_DECODER_FRAMES_MAX + 1] = {0xf0};
    for (unsigned i = 0; i < AGW_DECODER_FRAMES_MAX; i++)
        payload[1 + i] = 0x80 | AGW_AMR_NO_DATA << 3 | 4;
    payload[AGW_DECODER_FRAMES_MAX] &= 0x7f;
    agw_payload out;
    CU_ASSERT_EQUAL_FATAL(agw_amr_split(&NB_OA, payload, sizeof payload - 1, &out), AGW_OK);
    CU_ASSERT_EQUAL(out.n_frames, AGW_DECODER_FRAMES_MAX);
    payload[AGW_DECODER_FRAMES_MAX] |= 0x80;
    payload[AGW_DECODER_FRAMES_MAX + 1] = AGW_AMR_NO_DATA << 3 | 4;
    CU_ASSERT_EQUAL(split_only(&NB_OA, payload, sizeof payload), AGW_ERR_MALFORMED);
}

/* Octets that no frame needs: zero is padding, the rest is another layout or another codec. */
static void test_amr_payload_octets_left_over_must_be_zero(void)
{
    uint8_t payload[] = {0xf7, 0xc0, 0, 0};
    CU_ASSERT_EQUAL(split_only(&NB_BE, payload, sizeof payload), AGW_OK);
    payload[3] = 1;
    CU_ASSERT_EQUAL(split_only(&NB_BE, payload, sizeof payload), AGW_ERR_MALFORMED);
}

/* A frame of 12.65 kbit/s in the layout that was not agreed is not played as noise. */
static void test_amr_payload_the_other_layout_is_refused(void)
{
    uint8_t stored[512], payload[64];
    vector_read("amr/wb-stored.bin", stored, sizeof stored);
    agw_payload frames;
    load_all(true, stored, 18 + 24 + 33, &frames);
    frames.frames[0] = frames.frames[2];
    frames.n_frames = 1;
    frames.mode_request = -1;
    size_t len = agw_amr_write(&WB_BE, &frames, payload, sizeof payload);
    CU_ASSERT_NOT_EQUAL(split_only(&WB_OA, payload, len), AGW_OK);
    len = agw_amr_write(&WB_OA, &frames, payload, sizeof payload);
    CU_ASSERT_NOT_EQUAL(split_only(&WB_BE, payload, len), AGW_OK);
}

static void test_amr_payload_rfc4867_5_3_stored_frames_end_where_their_type_says(void)
{
    static const uint8_t SID[] = {0x44, 0xf8, 0x12, 0x34, 0x56, 0xce};
    static const uint8_t RESERVED[] = {12 << 3 | 4, 0};
    agw_frame frame;
    CU_ASSERT_EQUAL(agw_amr_load(false, SID, sizeof SID, &frame), AGW_OK);
    CU_ASSERT_EQUAL(agw_amr_load(false, SID, sizeof SID - 1, &frame), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(agw_amr_load(false, SID, 0, &frame), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(agw_amr_load(false, RESERVED, sizeof RESERVED, &frame), AGW_ERR_MALFORMED);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_amr_payload_rfc4867_4_vectors_split_into_the_stored_frames),
    AGW_CASE(test_amr_payload_rfc4867_4_stored_frames_are_written_as_the_vectors),
    AGW_CASE(test_amr_payload_rfc4867_4_layouts_change_without_decoding),
    AGW_CASE(test_amr_payload_rfc4867_4_every_cut_is_truncated),
    AGW_CASE(test_amr_payload_rfc4867_4_3_no_data_in_two_octets),
    AGW_CASE(test_amr_payload_rfc4867_4_3_sid_begins_at_bit_10),
    AGW_CASE(test_amr_payload_rfc4867_4_3_2_quality_bit_survives),
    AGW_CASE(test_amr_payload_rfc4867_3_6_lost_is_bad_and_wide_only),
    AGW_CASE(test_amr_payload_rfc4867_4_3_1_request_is_a_speech_mode_or_none),
    AGW_CASE(test_amr_payload_rfc4867_4_3_2_reserved_types_drop_the_packet),
    AGW_CASE(test_amr_payload_twelve_frames_and_no_more),
    AGW_CASE(test_amr_payload_octets_left_over_must_be_zero),
    AGW_CASE(test_amr_payload_the_other_layout_is_refused),
    AGW_CASE(test_amr_payload_rfc4867_5_3_stored_frames_end_where_their_type_says),
};

AGW_UNIT_MAIN("amr_payload", cases)
