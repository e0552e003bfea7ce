/* SPDX-License-Identifier: BSD-3-Clause
 * What soak makes of the kit's descriptions is still what parties can read. */
#include "bench/soak/edit.h"

#include "unit.h"

#include <string.h>

static const agw_fingerprint PRINT = {.hash = AGW_HASH_SHA256, .len = 32, .bytes = {0xab}};

static size_t browser(char sdp[KIT_SDP_MAX])
{
    kit_sdp_fields f = {.ufrag = "UFRA",
                        .pwd = "pwdpwdpwdpwdpwdpwdpwdpwd",
                        .cname = "c",
                        .mid = "0",
                        .fingerprint = &PRINT,
                        .setup = KIT_SETUP_ACTPASS,
                        .pt_more = 126};
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&f.local, "10.99.0.1:40000"), AGW_OK);
    return kit_sdp_write_browser(&f, sdp);
}

static size_t phone(char sdp[KIT_SDP_MAX])
{
    kit_sdp_fields f = {.pt_more = 101};
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&f.local, "10.99.0.2:20000"), AGW_OK);
    return kit_sdp_write_phone(&f, sdp);
}

/* Edits and ends with a NUL, for strstr(). */
static size_t edited(const soak_edit *edit, char sdp[KIT_SDP_MAX], size_t len)
{
    len = kit_soak_edit(edit, sdp, len);
    CU_ASSERT_FATAL(len < KIT_SDP_MAX);
    sdp[len] = '\0';
    return len;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static void test_edit_nothing_changes_nothing(void)
{
    char sdp[KIT_SDP_MAX], before[KIT_SDP_MAX];
    const soak_edit edit = {0};
    size_t len = browser(sdp);
    memcpy(before, sdp, len);
    CU_ASSERT_EQUAL(edited(&edit, sdp, len), len);
    CU_ASSERT_EQUAL(memcmp(before, sdp, len), 0);
    len = phone(sdp);
    memcpy(before, sdp, len);
    CU_ASSERT_EQUAL(edited(&edit, sdp, len), len);
    CU_ASSERT_EQUAL(memcmp(before, sdp, len), 0);
}

static void test_edit_direction(void)
{
    char sdp[KIT_SDP_MAX];
    const soak_edit edit = {.direction = "inactive"};
    edited(&edit, sdp, browser(sdp));
    CU_ASSERT_EQUAL(count(sdp, "a=sendrecv\r\n"), 0);
    CU_ASSERT_EQUAL(count(sdp, "a=inactive\r\n"), 1);
}

static void test_edit_fingerprint_is_another_one(void)
{
    char sdp[KIT_SDP_MAX];
    kit_sdp s;
    const char *why;
    const soak_edit edit = {.wrong_fingerprint = true};
    const size_t len = edited(&edit, sdp, browser(sdp));
    CU_ASSERT_EQUAL_FATAL(kit_sdp_read(&s, sdp, len, false, &why), AGW_OK);
    CU_ASSERT_EQUAL(s.fingerprint.len, PRINT.len);
    CU_ASSERT_FALSE(agw_fingerprint_equal(&s.fingerprint, &PRINT));
}

static void test_edit_unknown_media_leaves_no_audio(void)
{
    char sdp[KIT_SDP_MAX];
    kit_sdp s;
    const char *why;
    const soak_edit edit = {.unknown_media = true};
    const size_t len = edited(&edit, sdp, phone(sdp));
    CU_ASSERT_EQUAL(kit_sdp_read(&s, sdp, len, false, &why), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(count(sdp, "\nm="), 1);
}

static void test_edit_rfc9143_browser_bundles_its_second_line(void)
{
    char sdp[KIT_SDP_MAX], mid[8];
    kit_sdp s;
    const char *why;
    const soak_edit edit = {.extra = SOAK_EXTRA_ON, .extra_port = 40000, .extra_mid = "v1"};
    const size_t len = edited(&edit, sdp, browser(sdp));
    CU_ASSERT_EQUAL(count(sdp, "a=group:BUNDLE"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(sdp, "a=group:BUNDLE 0 v1\r\nm=audio"));
    CU_ASSERT_EQUAL(count(sdp, "a=ice-ufrag:UFRA\r\n"), 2);
    CU_ASSERT_EQUAL(count(sdp, "a=fingerprint:sha-256 AB:"), 2);
    CU_ASSERT_EQUAL(kit_soak_video_port(sdp, len), 40000);
    kit_soak_video_mid(sdp, len, mid, sizeof mid);
    CU_ASSERT_STRING_EQUAL(mid, "v1");
    CU_ASSERT_EQUAL(kit_sdp_read(&s, sdp, len, false, &why), AGW_OK);
    CU_ASSERT_EQUAL(kit_sdp_read(&s, sdp, len, true, &why), AGW_OK);
    CU_ASSERT_STRING_EQUAL(s.ufrag, "UFRA");
}

static void test_edit_rfc3264_8_2_a_line_that_went_keeps_its_place(void)
{
    char sdp[KIT_SDP_MAX];
    const soak_edit edit = {.extra = SOAK_EXTRA_OFF, .extra_port = 40000, .extra_mid = "v1"};
    size_t len = edited(&edit, sdp, browser(sdp));
    CU_ASSERT_PTR_NOT_NULL(strstr(sdp, "a=group:BUNDLE 0\r\n"));
    CU_ASSERT_EQUAL(kit_soak_video_port(sdp, len), 0);
    len = edited(&edit, sdp, phone(sdp));
    CU_ASSERT_EQUAL(kit_soak_video_port(sdp, len), 0);
}

static void test_edit_phone_has_a_port_for_its_second_line(void)
{
    char sdp[KIT_SDP_MAX], mid[8] = "?";
    const soak_edit edit = {.extra = SOAK_EXTRA_ON, .extra_port = 20002};
    size_t len = phone(sdp);
    CU_ASSERT_EQUAL(kit_soak_video_port(sdp, len), -1);
    len = edited(&edit, sdp, len);
    CU_ASSERT_EQUAL(kit_soak_video_port(sdp, len), 20002);
    CU_ASSERT_EQUAL(count(sdp, "a=group:"), 0);
    kit_soak_video_mid(sdp, len, mid, sizeof mid);
    CU_ASSERT_STRING_EQUAL(mid, "");
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_edit_nothing_changes_nothing),
    AGW_CASE(test_edit_direction),
    AGW_CASE(test_edit_fingerprint_is_another_one),
    AGW_CASE(test_edit_unknown_media_leaves_no_audio),
    AGW_CASE(test_edit_rfc9143_browser_bundles_its_second_line),
    AGW_CASE(test_edit_rfc3264_8_2_a_line_that_went_keeps_its_place),
    AGW_CASE(test_edit_phone_has_a_port_for_its_second_line),
};

AGW_UNIT_MAIN("soak_edit", CASES)
