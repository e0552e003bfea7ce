/* SPDX-License-Identifier: BSD-3-Clause
 * base/secret: comparing and wiping. */
#include "base/secret.h"

#include "unit.h"

#include <stdint.h>
#include <string.h>

static void test_secret_equal_sees_every_byte(void)
{
    uint8_t a[32], b[32];
    memset(a, 7, sizeof a);
    memset(b, 7, sizeof b);
    CU_ASSERT_TRUE(agw_secret_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        CU_ASSERT_FALSE(agw_secret_equal(a, b, sizeof a));
        CU_ASSERT_TRUE(agw_secret_equal(a, b, i)); /* len is respected */
        b[i] ^= 0x80;
    }
}

static void test_secret_wipe_leaves_nothing_and_stays_inside(void)
{
    uint8_t key[34];
    memset(key, 0x5a, sizeof key);
    agw_secret_wipe(key + 1, 32);
    CU_ASSERT_EQUAL(key[0], 0x5a);
    CU_ASSERT_EQUAL(key[33], 0x5a);
    for (size_t i = 1; i < 33; i++)
        CU_ASSERT_EQUAL(key[i], 0);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_secret_equal_sees_every_byte),
    AGW_CASE(test_secret_wipe_leaves_nothing_and_stays_inside),
};

AGW_UNIT_MAIN("secret", CASES)
