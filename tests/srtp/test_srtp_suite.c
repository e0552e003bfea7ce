/* SPDX-License-Identifier: BSD-3-Clause
 * The table of protection suites. */
#include "srtp/suite.h"
#include "unit.h"

#include <string.h>

static void test_srtp_suite_rfc4568_6_2_every_name_finds_its_suite(void)
{
    for (unsigned i = 1; i < AGW_SRTP_SUITES; i++) {
        const agw_srtp_suite_info *info = agw_srtp_suite_get((agw_srtp_suite)i);
        CU_ASSERT_EQUAL(agw_srtp_suite_by_sdes(info->sdes, strlen(info->sdes)), i);
        CU_ASSERT_TRUE(info->key_len + info->salt_len <= AGW_SRTP_KEY_MAX);
        CU_ASSERT_TRUE(info->rtcp_tag_len + 4 <= AGW_SRTP_TRAILER_MAX);
        CU_ASSERT_TRUE(info->rtp_tag_len >= 4);
    }
}

static void test_srtp_suite_rfc4568_6_2_name_is_compared_whole_and_without_case(void)
{
    CU_ASSERT_EQUAL(agw_srtp_suite_by_sdes("aes_cm_128_hmac_sha1_32 inline", 23),
                    AGW_SRTP_AES_CM_128_32);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_sdes("AES_CM_128_HMAC_SHA1_32", 22), AGW_SRTP_NONE);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_sdes("AES_CM_128_HMAC_SHA1_80x", 24), AGW_SRTP_NONE);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_sdes("", 0), AGW_SRTP_NONE);
}

static void test_srtp_suite_rfc5764_4_1_2_profiles_by_id_and_by_openssl_name(void)
{
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp_id(0x0001), AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp_id(0x0002), AGW_SRTP_AES_CM_128_32);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp_id(0x0007), AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp_id(0x0008), AGW_SRTP_AEAD_256_GCM);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp_id(0x0005), AGW_SRTP_NONE); /* NULL cipher */
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp_id(0), AGW_SRTP_NONE);      /* AES-256 CM has none */
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp("SRTP_AEAD_AES_128_GCM"), AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_EQUAL(agw_srtp_suite_by_use_srtp("SRTP_NULL_SHA1_80"), AGW_SRTP_NONE);
}

static void test_srtp_suite_rfc5764_4_1_2_short_tag_is_for_srtp_only(void)
{
    CU_ASSERT_EQUAL(agw_srtp_suite_get(AGW_SRTP_AES_CM_128_32)->rtp_tag_len, 4);
    CU_ASSERT_EQUAL(agw_srtp_suite_get(AGW_SRTP_AES_CM_128_32)->rtcp_tag_len, 10);
    CU_ASSERT_PTR_NULL(agw_srtp_suite_get(AGW_SRTP_NONE)->sdes);
}

static void test_srtp_suite_list_keeps_the_order_and_nothing_twice(void)
{
    agw_srtp_suite_list list = {0};
    CU_ASSERT_TRUE(agw_srtp_suite_list_read(
        &list,
        "AEAD_AES_128_GCM;AES_CM_128_HMAC_SHA1_80:aead_aes_128_gcm,AES_256_CM_HMAC_SHA1_32"));
    CU_ASSERT_EQUAL_FATAL(list.n, 3);
    CU_ASSERT_EQUAL(list.at[0], AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_EQUAL(list.at[1], AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_EQUAL(list.at[2], AGW_SRTP_AES_256_CM_32);
    CU_ASSERT_FALSE(agw_srtp_suite_list_read(&list, "NULL_HMAC_SHA1_80;AEAD_AES_256_GCM;"));
    CU_ASSERT_EQUAL(list.n, 4);
    for (unsigned i = 1; i < AGW_SRTP_SUITES; i++)
        agw_srtp_suite_list_add(&list, (agw_srtp_suite)i);
    CU_ASSERT_EQUAL(list.n, AGW_SRTP_SUITES - 1);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_srtp_suite_rfc4568_6_2_every_name_finds_its_suite),
    AGW_CASE(test_srtp_suite_rfc4568_6_2_name_is_compared_whole_and_without_case),
    AGW_CASE(test_srtp_suite_rfc5764_4_1_2_profiles_by_id_and_by_openssl_name),
    AGW_CASE(test_srtp_suite_rfc5764_4_1_2_short_tag_is_for_srtp_only),
    AGW_CASE(test_srtp_suite_list_keeps_the_order_and_nothing_twice),
};
AGW_UNIT_MAIN("srtp suite", cases)
