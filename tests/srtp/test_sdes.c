/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp/sdes.h"
#include "srtp/session.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* RFC 4568 section 5.1.1 */
#define RFC_KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
static const uint8_t rfc_key[] = "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#";

#define CM  "AES_CM_128_HMAC_SHA1_80"
#define GCM "AEAD_AES_128_GCM"
/* bytes 0, 1, 2 ... */
#define GCM_DIGITS "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"

static const char *reason;

/* An exact-size copy lets AddressSanitizer see one byte too many. */
static agw_err parse(agw_sdes *out, const char *text)
{
    const size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, text, len);
    reason = NULL;
    const agw_err err = agw_sdes_parse(out, copy, len, &reason);
    free(copy);
    return err;
}

static void refuse(const char *text, agw_err err, const char *word)
{
    static const agw_sdes none;
    agw_sdes out;
    memset(&out, 0xa5, sizeof out);
    CU_ASSERT_EQUAL(parse(&out, text), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reason);
    CU_ASSERT_PTR_NOT_NULL(strstr(reason, word));
    CU_ASSERT_EQUAL(memcmp(out.key, none.key, sizeof out.key), 0); /* nothing of a key is left */
    CU_ASSERT_EQUAL(out.suite, AGW_SRTP_NONE);
}

static void accept(const char *text)
{
    agw_sdes out;
    CU_ASSERT_EQUAL(parse(&out, text), AGW_OK);
    if (reason != NULL)
        printf("%s: %s\n", text, reason);
}

static void test_sdes_rfc4568_5_1_1_line_is_read(void)
{
    agw_sdes out;
    CU_ASSERT_EQUAL_FATAL(parse(&out, "1 " CM " inline:" RFC_KEY), AGW_OK);
    CU_ASSERT_EQUAL(out.tag, 1);
    CU_ASSERT_EQUAL(out.suite, AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_EQUAL(memcmp(out.key, rfc_key, 30), 0);
    agw_sdes_wipe(&out);
    CU_ASSERT_EQUAL(out.key[0], 0);
}

static void test_sdes_rfc4568_6_1_lifetime_is_taken_without_effect(void)
{
    accept("1 " CM " inline:" RFC_KEY "|2^20");
    accept("1 " CM " inline:" RFC_KEY "|2^48");
    accept("1 " CM " inline:" RFC_KEY "|1048576");
    refuse("1 " CM " inline:" RFC_KEY "|2^49", AGW_ERR_MALFORMED, "lifetime");
    refuse("1 " CM " inline:" RFC_KEY "|0", AGW_ERR_MALFORMED, "lifetime");
    refuse("1 " CM " inline:" RFC_KEY "|2^", AGW_ERR_MALFORMED, "lifetime");
    refuse("1 " CM " inline:" RFC_KEY "|soon", AGW_ERR_MALFORMED, "lifetime");
}

static void test_sdes_rfc4568_6_1_mki_and_several_keys_are_not_served(void)
{
    refuse("1 " CM " inline:" RFC_KEY "|1:32", AGW_ERR_UNSUPPORTED, "MKI");
    refuse("1 " CM " inline:" RFC_KEY "|2^20|1:32", AGW_ERR_UNSUPPORTED, "MKI");
    refuse("1 " CM " inline:" RFC_KEY ";inline:" RFC_KEY, AGW_ERR_UNSUPPORTED, "several keys");
}

static void test_sdes_rfc4568_6_3_session_parameters(void)
{
    accept("1 " CM " inline:" RFC_KEY " WSH=64");
    accept("1 " CM " inline:" RFC_KEY " -whatever -KDR=3 WSH=128");
    refuse("1 " CM " inline:" RFC_KEY " WSH=63", AGW_ERR_UNSUPPORTED, "session parameter");
    refuse("1 " CM " inline:" RFC_KEY " WSH=129", AGW_ERR_UNSUPPORTED, "session parameter");
    refuse("1 " CM " inline:" RFC_KEY " KDR=1", AGW_ERR_UNSUPPORTED, "session parameter");
    refuse("1 " CM " inline:" RFC_KEY " whatever", AGW_ERR_UNSUPPORTED, "session parameter");
    refuse("1 " CM " inline:" RFC_KEY " UNENCRYPTED_SRTP", AGW_ERR_UNSUPPORTED, "encryption");
    refuse("1 " CM " inline:" RFC_KEY " WSH=64 UNENCRYPTED_SRTCP", AGW_ERR_UNSUPPORTED,
           "encryption");
    refuse("1 " CM " inline:" RFC_KEY " UNAUTHENTICATED_SRTP", AGW_ERR_UNSUPPORTED,
           "authentication");
}

static void test_sdes_rfc4568_6_3_5_window_is_not_above_ours(void)
{
    char line[120];
    snprintf(line, sizeof line, "1 " CM " inline:" RFC_KEY " WSH=%d", AGW_SRTP_REPLAY_WINDOW);
    accept(line);
    snprintf(line, sizeof line, "1 " CM " inline:" RFC_KEY " WSH=%d", AGW_SRTP_REPLAY_WINDOW + 1);
    refuse(line, AGW_ERR_UNSUPPORTED, "session parameter");
}

static void test_sdes_rfc4568_9_1_tag_has_one_to_nine_digits(void)
{
    agw_sdes out;
    CU_ASSERT_EQUAL_FATAL(parse(&out, "999999999 " CM " inline:" RFC_KEY), AGW_OK);
    CU_ASSERT_EQUAL(out.tag, 999999999);
    refuse("9999999990 " CM " inline:" RFC_KEY, AGW_ERR_MALFORMED, "tag");
    refuse("x " CM " inline:" RFC_KEY, AGW_ERR_MALFORMED, "tag");
    refuse("-1 " CM " inline:" RFC_KEY, AGW_ERR_MALFORMED, "tag");
    refuse("", AGW_ERR_MALFORMED, "tag");
}

static void test_sdes_rfc4568_6_2_suite_must_be_known(void)
{
    refuse("1", AGW_ERR_MALFORMED, "no suite");
    refuse("1 F8_128_HMAC_SHA1_80 inline:" RFC_KEY, AGW_ERR_UNSUPPORTED, "suite");
    refuse("1 NULL_HMAC_SHA1_80 inline:" RFC_KEY, AGW_ERR_UNSUPPORTED, "suite");
}

static void test_sdes_rfc4568_6_1_key_is_base64_of_the_suites_length(void)
{
    accept("1 " GCM " inline:" GCM_DIGITS "==");
    accept("1 " GCM " inline:" GCM_DIGITS); /* without padding, as some write it */
    refuse("1 " GCM " inline:" GCM_DIGITS "=", AGW_ERR_MALFORMED, "key");
    refuse("1 " GCM " inline:" GCM_DIGITS "===", AGW_ERR_MALFORMED, "key");
    refuse("1 " GCM " inline:" RFC_KEY, AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " inline:" GCM_DIGITS "==", AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " inline:" RFC_KEY "A", AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " inline:" RFC_KEY "====", AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " inline:", AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " inline:d0Rmdmcm-CspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " inline:d0Rmdmcm=CspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", AGW_ERR_MALFORMED, "key");
    refuse("1 " CM " uri:https://example.com/key", AGW_ERR_MALFORMED, "inline");
    refuse("1 " CM, AGW_ERR_MALFORMED, "inline");
}

static void test_sdes_rfc7714_14_2_names_and_lengths(void)
{
    CU_ASSERT_EQUAL(agw_sdes_key_len(AGW_SRTP_AEAD_128_GCM), 16 + 12);
    CU_ASSERT_EQUAL(agw_sdes_key_len(AGW_SRTP_AES_CM_128_80), 16 + 14);
    agw_sdes out;
    CU_ASSERT_EQUAL_FATAL(parse(&out, "2 " GCM " inline:" GCM_DIGITS "=="), AGW_OK);
    CU_ASSERT_EQUAL(out.suite, AGW_SRTP_AEAD_128_GCM);
    for (uint8_t i = 0; i < 28; i++)
        CU_ASSERT_EQUAL(out.key[i], i);
}

static void test_sdes_rfc4568_6_1_writing_pads(void)
{
    agw_sdes line = {.tag = 7, .suite = AGW_SRTP_AEAD_128_GCM};
    char text[AGW_SDES_TEXT];
    for (uint8_t i = 0; i < 28; i++)
        line.key[i] = i;
    agw_sdes_write(&line, text);
    CU_ASSERT_STRING_EQUAL(text, "7 " GCM " inline:" GCM_DIGITS "==");
}

static void test_sdes_rfc4568_9_1_every_suite_is_read_as_written(void)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        agw_sdes line = {.tag = 999999999, .suite = (agw_srtp_suite)suite}, back;
        char text[AGW_SDES_TEXT];
        for (size_t i = 0; i < agw_sdes_key_len(line.suite); i++)
            line.key[i] = (uint8_t)(251 * i + suite);
        agw_sdes_write(&line, text);
        CU_ASSERT_EQUAL_FATAL(parse(&back, text), AGW_OK);
        CU_ASSERT(line.tag == back.tag && line.suite == back.suite);
        CU_ASSERT_EQUAL(memcmp(line.key, back.key, sizeof line.key), 0);
    }
}

static void test_sdes_rfc4568_6_1_longest_lifetime_of_srtcp_is_written_on_demand(void)
{
    agw_sdes line = {.tag = 1, .suite = AGW_SRTP_AES_CM_128_80, .lifetime = true}, back;
    char text[AGW_SDES_TEXT];
    agw_sdes_write(&line, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "|2^31"));
    CU_ASSERT_EQUAL(parse(&back, text), AGW_OK);
    line = (agw_sdes){.tag = 999999999, .suite = AGW_SRTP_AES_256_CM_80, .lifetime = true};
    agw_sdes_write(&line, text); /* the longest */
    CU_ASSERT_EQUAL(parse(&back, text), AGW_OK);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_sdes_rfc4568_5_1_1_line_is_read),
    AGW_CASE(test_sdes_rfc4568_6_1_lifetime_is_taken_without_effect),
    AGW_CASE(test_sdes_rfc4568_6_1_mki_and_several_keys_are_not_served),
    AGW_CASE(test_sdes_rfc4568_6_3_session_parameters),
    AGW_CASE(test_sdes_rfc4568_6_3_5_window_is_not_above_ours),
    AGW_CASE(test_sdes_rfc4568_9_1_tag_has_one_to_nine_digits),
    AGW_CASE(test_sdes_rfc4568_6_2_suite_must_be_known),
    AGW_CASE(test_sdes_rfc4568_6_1_key_is_base64_of_the_suites_length),
    AGW_CASE(test_sdes_rfc7714_14_2_names_and_lengths),
    AGW_CASE(test_sdes_rfc4568_6_1_writing_pads),
    AGW_CASE(test_sdes_rfc4568_9_1_every_suite_is_read_as_written),
    AGW_CASE(test_sdes_rfc4568_6_1_longest_lifetime_of_srtcp_is_written_on_demand),
};
AGW_UNIT_MAIN("sdes", cases)
