/* SPDX-License-Identifier: BSD-3-Clause
 * base/hmac: the vectors of RFC 2202 section 3. */
#include "base/hmac.h"

#include "unit.h"

#include <string.h>

static void check(const void *key, size_t key_len, const char *text, const char *hex)
{
    agw_hmac h;
    uint8_t digest[AGW_HMAC_LEN];
    char got[2 * AGW_HMAC_LEN + 1];
    agw_hmac_init(&h, key, key_len);
    agw_hmac_of(&h, (const uint8_t *)text, strlen(text), digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(got + 2 * i, 3, "%02x", digest[i]);
    CU_ASSERT_STRING_EQUAL(got, hex);
}

static void test_hmac_rfc2202_3_short_keys(void)
{
    uint8_t key[20];
    memset(key, 0x0b, sizeof key);
    check(key, sizeof key, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00");
    check("Jefe", 4, "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

static void test_hmac_rfc2202_3_a_key_longer_than_a_block_is_hashed(void)
{
    uint8_t key[80];
    memset(key, 0xaa, sizeof key);
    check(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
          "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    check(key, sizeof key,
          "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
          "e8e99d0f45237d786d6bbaa7965c7808bbff1a91");
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_hmac_rfc2202_3_short_keys),
    AGW_CASE(test_hmac_rfc2202_3_a_key_longer_than_a_block_is_hashed),
};

AGW_UNIT_MAIN("hmac", CASES)
