/* SPDX-License-Identifier: BSD-3-Clause
 * G.711: known values of both laws, and every octet and every sample against the laws' own
 * definition. */
#include "codecs/g711.h"
#include "unit.h"

#include <stdlib.h>

/* Decision values of G.711: an octet decodes to the value that encodes to it again. */
static void test_g711_every_octet_survives_decoding_and_encoding(void)
{
    for (unsigned v = 0; v < 256; v++) {
        CU_ASSERT_EQUAL(agw_pcma_encode(agw_pcma_decode((uint8_t)v)), v);
        if (v != 0x7f) /* PCMU's negative zero decodes to the same sample as its positive one */
            CU_ASSERT_EQUAL(agw_pcmu_encode(agw_pcmu_decode((uint8_t)v)), v);
    }
}

static void test_g711_known_values(void)
{
    CU_ASSERT_EQUAL(agw_pcma_encode(0), 0xd5);
    CU_ASSERT_EQUAL(agw_pcma_encode(32767), 0xaa);
    CU_ASSERT_EQUAL(agw_pcma_encode(-32768), 0x2a);
    CU_ASSERT_EQUAL(agw_pcmu_encode(0), 0xff);
    CU_ASSERT_EQUAL(agw_pcmu_encode(32767), 0x80);
    CU_ASSERT_EQUAL(agw_pcmu_encode(-32768), 0x00);
    CU_ASSERT_EQUAL(agw_pcma_decode(0xd5), 8);
    CU_ASSERT_EQUAL(agw_pcma_decode(0xaa), 32256);
    CU_ASSERT_EQUAL(agw_pcmu_decode(0xff), 0);
    CU_ASSERT_EQUAL(agw_pcmu_decode(0x80), 32124);
}

/* The step of a segment is 1/16 of its width: the error stays below 1/32 of the value, or the
 * smallest step. */
static void test_g711_every_sample_is_within_half_a_step(void)
{
    unsigned bad = 0;
    for (int s = -32768; s <= 32767; s++) {
        const int bound = abs(s) / 32 + 16;
        const int clip = abs(s) > 32124 ? 1000 : 0;
        bad += abs(agw_pcma_decode(agw_pcma_encode((int16_t)s)) - s) > bound + clip;
        bad += abs(agw_pcmu_decode(agw_pcmu_encode((int16_t)s)) - s) > bound + clip;
    }
    CU_ASSERT_EQUAL(bad, 0);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_g711_every_octet_survives_decoding_and_encoding),
    AGW_CASE(test_g711_known_values),
    AGW_CASE(test_g711_every_sample_is_within_half_a_step),
};

AGW_UNIT_MAIN("g711", cases)
