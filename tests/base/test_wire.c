/* SPDX-License-Identifier: BSD-3-Clause
 * base/wire: big-endian fields, at odd addresses too. */
#include "base/wire.h"

#include "unit.h"

#include <string.h>

static const uint8_t BYTES[9] = {0x00, 0x81, 0xfe, 0x03, 0x04, 0x85, 0x06, 0x07, 0xf8};

static void test_wire_reads_big_endian(void)
{
    CU_ASSERT_EQUAL(agw_get16(BYTES + 1), 0x81feu);
    CU_ASSERT_EQUAL(agw_get24(BYTES + 1), 0x81fe03u);
    CU_ASSERT_EQUAL(agw_get32(BYTES + 1), 0x81fe0304u);
    CU_ASSERT_EQUAL(agw_get64(BYTES + 1), UINT64_C(0x81fe0304850607f8));
}

static void test_wire_writes_only_its_field(void)
{
    static const size_t SIZES[] = {2, 3, 4, 8};
    for (size_t i = 0; i < 4; i++) {
        uint8_t out[11];
        memset(out, 0xaa, sizeof out);
        switch (SIZES[i]) {
        case 2:
            agw_put16(out + 1, 0x81fe);
            break;
        case 3:
            agw_put24(out + 1, 0xff81fe03u); /* the top byte has no place */
            break;
        case 4:
            agw_put32(out + 1, 0x81fe0304u);
            break;
        default:
            agw_put64(out + 1, UINT64_C(0x81fe0304850607f8));
        }
        CU_ASSERT_EQUAL(memcmp(out + 1, BYTES + 1, SIZES[i]), 0);
        CU_ASSERT_EQUAL(out[0], 0xaa);
        CU_ASSERT_EQUAL(out[1 + SIZES[i]], 0xaa);
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_wire_reads_big_endian),
    AGW_CASE(test_wire_writes_only_its_field),
};

AGW_UNIT_MAIN("wire", CASES)
