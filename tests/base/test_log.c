/* SPDX-License-Identifier: BSD-3-Clause
 * base/log: levels, foreign text that must not forge lines, hidden addresses, the limiter. */
#include "base/log.h"

#include "unit.h"

#include <string.h>

static char last[4096];
static agw_log_level last_level;
static unsigned lines;

static void keep(agw_log_level level, const char *text)
{
    snprintf(last, sizeof last, "%s", text);
    last_level = level;
    lines++;
}

static void begin(agw_log_level level)
{
    agw_log_init(level, keep);
    lines = 0;
    last[0] = '\0';
}

static void test_log_level_bounds(void)
{
    begin(AGW_LOG_WARN);
    agw_log(AGW_LOG_INFO, NULL, "no");
    CU_ASSERT_EQUAL(lines, 0);
    CU_ASSERT_FALSE(agw_log_enabled(AGW_LOG_INFO));
    agw_log(AGW_LOG_WARN, NULL, "yes %d", 5);
    CU_ASSERT_EQUAL(lines, 1);
    CU_ASSERT_EQUAL(last_level, AGW_LOG_WARN);
    CU_ASSERT_STRING_EQUAL(last, "yes 5");
}

static void test_log_tag_comes_first(void)
{
    begin(AGW_LOG_INFO);
    agw_log(AGW_LOG_INFO, "call-1", "answered");
    CU_ASSERT_STRING_EQUAL(last, "[call-1] answered");
    char longest[300];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    agw_log(AGW_LOG_INFO, longest, "end");
    CU_ASSERT_EQUAL(strlen(last), 64 + strlen("[] end")); /* a foreign call-id is cut */
}

static void test_log_control_characters_cannot_forge_a_line(void)
{
    begin(AGW_LOG_INFO);
    agw_log(AGW_LOG_INFO, "a\nb", "x\r\n\t\x1b[31m\x7f\x01z %s", "\nerror: forged");
    CU_ASSERT_STRING_EQUAL(last, "[a?b] x????[31m??z ?error: forged");
    agw_log(AGW_LOG_INFO, NULL, "%s", "gr\xc3\xbc\xc3\x9f"); /* UTF-8 stays */
    CU_ASSERT_STRING_EQUAL(last, "gr\xc3\xbc\xc3\x9f");
}

static void test_log_long_lines_are_cut(void)
{
    begin(AGW_LOG_INFO);
    char text[3000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    agw_log(AGW_LOG_INFO, "tag", "%s", text);
    CU_ASSERT_TRUE(strlen(last) > 900 && strlen(last) < 1024);
}

static void test_log_level_names(void)
{
    agw_log_level level;
    for (agw_log_level l = AGW_LOG_ERROR; l <= AGW_LOG_TRACE; l++) {
        CU_ASSERT_TRUE(agw_log_level_parse(agw_log_level_text(l), &level));
        CU_ASSERT_EQUAL(level, l);
    }
    CU_ASSERT_TRUE(agw_log_level_parse("0", &level) && level == AGW_LOG_ERROR);
    CU_ASSERT_TRUE(agw_log_level_parse("4", &level) && level == AGW_LOG_WARN);
    CU_ASSERT_TRUE(agw_log_level_parse("6", &level) && level == AGW_LOG_INFO);
    CU_ASSERT_TRUE(agw_log_level_parse("7", &level) && level == AGW_LOG_DEBUG);
    static const char *const BAD[] = {"", "8", "-1", "66", "loud", "Error", "infos"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CU_ASSERT_FALSE(agw_log_level_parse(BAD[i], &level));
}

static const char *shown(const char *text, char out[AGW_ADDR_TEXT])
{
    agw_addr a = {0};
    CU_ASSERT_EQUAL(agw_addr_parse(&a, text), AGW_OK);
    return agw_log_addr(&a, out);
}

static void test_log_addresses_are_hidden_below_debug(void)
{
    char out[AGW_ADDR_TEXT];
    begin(AGW_LOG_INFO);
    CU_ASSERT_STRING_EQUAL(shown("198.51.100.77:5004", out), "198.51.100.0:5004");
    CU_ASSERT_STRING_EQUAL(shown("[2001:db8:1:2:3:4:5:6]:5004", out), "[2001:db8:1::]:5004");
    CU_ASSERT_STRING_EQUAL(shown("127.0.0.9:1", out), "127.0.0.9:1");
    CU_ASSERT_STRING_EQUAL(shown("[::1]:1", out), "[::1]:1");
    begin(AGW_LOG_DEBUG);
    CU_ASSERT_STRING_EQUAL(shown("198.51.100.77:5004", out), "198.51.100.77:5004");
}

static void test_log_limiter_one_line_a_second(void)
{
    agw_log_limit limit = {0};
    uint32_t left_out = 99;
    const agw_ns start = AGW_S(1000);
    CU_ASSERT_TRUE(agw_log_allow(&limit, start, &left_out));
    CU_ASSERT_EQUAL(left_out, 0);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_FALSE(agw_log_allow(&limit, start + i, &left_out));
    CU_ASSERT_FALSE(agw_log_allow(&limit, start + AGW_S(1) - 1, &left_out));
    CU_ASSERT_TRUE(agw_log_allow(&limit, start + AGW_S(1), &left_out));
    CU_ASSERT_EQUAL(left_out, 11);
    CU_ASSERT_TRUE(agw_log_allow(&limit, start + AGW_S(2), &left_out));
    CU_ASSERT_EQUAL(left_out, 0);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_log_level_bounds),
    AGW_CASE(test_log_tag_comes_first),
    AGW_CASE(test_log_control_characters_cannot_forge_a_line),
    AGW_CASE(test_log_long_lines_are_cut),
    AGW_CASE(test_log_level_names),
    AGW_CASE(test_log_addresses_are_hidden_below_debug),
    AGW_CASE(test_log_limiter_one_line_a_second),
};

AGW_UNIT_MAIN("log", CASES)
