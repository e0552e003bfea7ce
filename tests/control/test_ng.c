/* SPDX-License-Identifier: BSD-3-Clause
 * Documents: bencode, JSON, lenient look-ups and the split of messages. */
#include "control/bencode.h"
#include "control/json.h"
#include "control/ng.h"
#include "unit.h"

#include <string.h>

/* The copy has no room behind it, so that a sanitizer sees one byte too many. */
static agw_doc *parse(agw_doc *(*how)(const char *, size_t, const char **), const char *text,
                      size_t len, const char **why)
{
    char *exact = malloc(len > 0 ? len : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
    memcpy(exact, text, len);
    agw_doc *doc = how(exact, len, why);
    free(exact);
    return doc;
}

static agw_doc *bencode(const char *text)
{
    const char *why = NULL;
    return parse(agw_bencode_parse, text, strlen(text), &why);
}

static agw_doc *json(const char *text)
{
    const char *why = NULL;
    return parse(agw_json_parse, text, strlen(text), &why);
}

static bool refused(agw_doc *doc)
{
    const bool is = doc == NULL;
    agw_doc_free(doc);
    return is;
}

static bool writes(agw_doc *doc, agw_ng_format format, const char *expected)
{
    GString *out = g_string_new(NULL);
    if (doc != NULL)
        agw_ng_write(out, doc, format);
    const bool same = doc != NULL && strcmp(out->str, expected) == 0;
    if (!same)
        printf("\n    got %s\n", out->str);
    g_string_free(out, TRUE);
    agw_doc_free(doc);
    return same;
}

static char *nested(char open, char close, size_t depth)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < depth; i++)
        g_string_append_c(s, open);
    for (size_t i = 0; i < depth; i++)
        g_string_append_c(s, close);
    return g_string_free(s, FALSE);
}

static void test_bencode_ng_2_round_trip(void)
{
    const char *text = "d1:bi-12e1:al5:helloi0e0:ed1:xdeee";
    /* the last 'e' too many: refused */
    CU_ASSERT_TRUE(refused(bencode(text)));
    CU_ASSERT_TRUE(writes(bencode("d1:bi-12e1:al5:helloi0e0:e1:zd1:xdeee"), AGW_NG_BENCODE,
                          "d1:bi-12e1:al5:helloi0e0:e1:zd1:xdeee"));
}

static void test_bencode_ng_2_last_e_may_miss(void)
{
    CU_ASSERT_TRUE(writes(bencode("d7:command4:ping"), AGW_NG_BENCODE, "d7:command4:pinge"));
    CU_ASSERT_TRUE(refused(bencode("d7:command")));
}

static void test_bencode_ng_2_integers_are_exact_to_64_bits(void)
{
    CU_ASSERT_TRUE(writes(bencode("i9223372036854775807e"), AGW_NG_JSON, "9223372036854775807"));
    CU_ASSERT_TRUE(writes(bencode("i-9223372036854775808e"), AGW_NG_JSON, "-9223372036854775808"));
    CU_ASSERT_TRUE(refused(bencode("i9223372036854775808e")));
    CU_ASSERT_TRUE(refused(bencode("i-9223372036854775809e")));
}

static void test_bencode_ng_2_malformed_is_refused(void)
{
    static const char *const BAD[] = {
        "",     "e",  "i",     "ie",   "i e",   "i1", "i+1e",   "i1.0e", "5",   "5:hell", ":a",
        "-1:a", "1:", "di1ee", "d1:a", "d1:ae", "x",  "l1:a1:", "2:abc", "d0:", "i--1e"};
    for (size_t i = 0; i < G_N_ELEMENTS(BAD); i++) {
        if (!refused(bencode(BAD[i])))
            CU_FAIL(BAD[i]);
    }
    CU_ASSERT_TRUE(refused(bencode("99999999:a")));
    const char *why;
    CU_ASSERT_TRUE(refused(parse(agw_bencode_parse, "d1:\0i1ee", 8, &why)));
}

static void test_bencode_ng_2_depth_is_bounded(void)
{
    char *deepest = nested('l', 'e', AGW_DOC_DEPTH_MAX);
    char *deeper = nested('l', 'e', AGW_DOC_DEPTH_MAX + 1);
    CU_ASSERT_FALSE(refused(bencode(deepest)));
    CU_ASSERT_TRUE(refused(bencode(deeper)));
    g_free(deepest);
    g_free(deeper);
}

static char *many(const char *open, const char *element, const char *close, size_t n)
{
    GString *s = g_string_new(open);
    for (size_t i = 0; i < n; i++)
        g_string_append(s, element);
    if (g_str_has_suffix(s->str, ","))
        g_string_truncate(s, s->len - 1);
    g_string_append(s, close);
    return g_string_free(s, FALSE);
}

static void test_bencode_ng_2_number_of_values_is_bounded(void)
{
    char *most = many("l", "0:", "e", AGW_DOC_NODES_MAX - 1);
    char *more = many("l", "0:", "e", AGW_DOC_NODES_MAX);
    CU_ASSERT_FALSE(refused(bencode(most)));
    CU_ASSERT_TRUE(refused(bencode(more)));
    g_free(most);
    g_free(more);
}

static void test_json_rfc8259_3_round_trip(void)
{
    const char *text = "{\"a\":[1,-2,\"x\",[],{}],\"b\":{\"c\":\"\"}}";
    CU_ASSERT_TRUE(writes(json(text), AGW_NG_JSON, text));
    CU_ASSERT_TRUE(writes(json(" { \"a\" : [ 1 , 2 ] } \r\n"), AGW_NG_JSON, "{\"a\":[1,2]}"));
    CU_ASSERT_TRUE(writes(json("[true,false,null,1.5e3]"), AGW_NG_BENCODE, "li1ei0e0:5:1.5e3e"));
}

static void test_json_rfc8259_7_escapes(void)
{
    CU_ASSERT_TRUE(writes(json("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u20ac\\ud83d\\ude00\""),
                          AGW_NG_BENCODE, "16:\"\\/\b\f\n\r\tA\xe2\x82\xac\xf0\x9f\x98\x80"));
    CU_ASSERT_TRUE(writes(agw_doc_new_str("a\r\n\t\"\\/\x01\x7f"), AGW_NG_JSON,
                          "\"a\\r\\n\\t\\\"\\\\/\\u0001\\u007f\""));
    CU_ASSERT_TRUE(writes(agw_doc_new_bytes("a\0b", 3), AGW_NG_JSON, "\"a\\u0000b\""));
}

static void test_json_rfc8259_8_1_bytes_that_are_no_utf8_are_replaced(void)
{
    CU_ASSERT_TRUE(
        writes(agw_doc_new_str("a\xff\xc3"), AGW_NG_JSON, "\"a\xef\xbf\xbd\xef\xbf\xbd\""));
}

static void test_json_rfc8259_7_lone_surrogates_are_refused(void)
{
    CU_ASSERT_TRUE(refused(json("\"\\ud83d\"")));
    CU_ASSERT_TRUE(refused(json("\"\\ude00\"")));
    CU_ASSERT_TRUE(refused(json("\"\\ude00\\ude00\"")));
    CU_ASSERT_TRUE(refused(json("\"\\ud83d\\u0041\"")));
    CU_ASSERT_TRUE(refused(json("\"\\ud83d\\ud83d\"")));
}

static void test_json_rfc8259_malformed_is_refused(void)
{
    static const char *const BAD[] = {
        "",         "{",   "[",       "{]",    "[1,]",      "{\"a\"}",   "{1:2}",
        "{\"a\":}", "\"a", "\"\\x\"", "\"\\",  "\"\\u12\"", "01",        "-",
        "1.",       "1e",  "tru",     "[1 2]", "{} {}",     "\"\t\"",    "+1",
        "'a'",      "NaN", "{,}",     "[,]",   "\"\\u0\"",  "{\"a\":1,}"};
    for (size_t i = 0; i < G_N_ELEMENTS(BAD); i++) {
        if (!refused(json(BAD[i])))
            CU_FAIL(BAD[i]);
    }
    CU_ASSERT_TRUE(refused(json("{\"a\\u0000\":1}")));
}

static void test_json_rfc8259_6_integers_are_exact_to_64_bits(void)
{
    CU_ASSERT_TRUE(writes(json("[9007199254740993,9223372036854775807,-9223372036854775808]"),
                          AGW_NG_BENCODE,
                          "li9007199254740993ei9223372036854775807ei-9223372036854775808ee"));
    CU_ASSERT_TRUE(refused(json("9223372036854775808")));
}

static void test_json_rfc8259_9_depth_and_values_are_bounded(void)
{
    char *deepest = nested('[', ']', AGW_DOC_DEPTH_MAX);
    char *deeper = nested('[', ']', AGW_DOC_DEPTH_MAX + 1);
    char *most = many("[", "0,", "]", AGW_DOC_NODES_MAX - 1);
    char *more = many("[", "0,", "]", AGW_DOC_NODES_MAX);
    CU_ASSERT_FALSE(refused(json(deepest)));
    CU_ASSERT_TRUE(refused(json(deeper)));
    CU_ASSERT_FALSE(refused(json(most)));
    CU_ASSERT_TRUE(refused(json(more)));
    g_free(deepest);
    g_free(deeper);
    g_free(most);
    g_free(more);
}

static void test_ng_6_key_spellings_are_one_and_the_last_counts(void)
{
    agw_doc *doc = bencode("d12:delete delayi0e12:delete-delay1:718:transport protocol7:RTP/AVPe");
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    int64_t n = -1;
    CU_ASSERT_TRUE(agw_doc_int(doc, "delete_delay", &n));
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(doc, "transport-protocol"), "RTP/AVP");
    CU_ASSERT_PTR_NULL(agw_doc_get(doc, "Transport-protocol"));
    CU_ASSERT_PTR_NULL(agw_doc_get(doc, "delete-dela"));
    CU_ASSERT_PTR_NULL(agw_doc_get(doc, "delete-delays"));
    agw_doc_free(doc);
}

static void test_ng_2_integers_come_as_strings_too(void)
{
    agw_doc *doc = bencode("d1:a2:201:b3:-121:c3:2x01:di7e1:e0:1:f1: e");
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    int64_t n = 0;
    CU_ASSERT_TRUE(agw_doc_int(doc, "a", &n) && n == 20);
    CU_ASSERT_TRUE(agw_doc_int(doc, "b", &n) && n == -12);
    CU_ASSERT_FALSE(agw_doc_int(doc, "c", &n));
    CU_ASSERT_TRUE(agw_doc_int(doc, "d", &n) && n == 7);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(doc, "d"), "7");
    CU_ASSERT_FALSE(agw_doc_int(doc, "e", &n));
    CU_ASSERT_FALSE(agw_doc_int(doc, "f", &n));
    agw_doc_free(doc);
}

static void test_ng_2_lists_come_as_strings_and_duplicates_merge(void)
{
    agw_doc *doc = bencode("d5:flags15:loop-protect,aa5:flagsl13:trust-address3:b cee");
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    char **flags = agw_doc_list(doc, "flags");
    CU_ASSERT_EQUAL_FATAL(g_strv_length(flags), 4);
    CU_ASSERT_STRING_EQUAL(flags[0], "loop-protect");
    CU_ASSERT_STRING_EQUAL(flags[1], "aa");
    CU_ASSERT_STRING_EQUAL(flags[2], "trust-address");
    CU_ASSERT_STRING_EQUAL(flags[3], "b c");
    g_strfreev(flags);
    CU_ASSERT_TRUE(agw_doc_list_has(doc, "flags", "trust address"));
    CU_ASSERT_FALSE(agw_doc_list_has(doc, "flags", "trust"));
    CU_ASSERT_FALSE(agw_doc_list_has(NULL, "flags", "trust"));
    agw_doc_free(doc);
}

static void test_ng_2_strings_with_nul_are_no_text(void)
{
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_bytes(doc, "sdp", "a\0b", 3);
    CU_ASSERT_PTR_NULL(agw_doc_str(doc, "sdp"));
    size_t len = 0;
    CU_ASSERT_PTR_NOT_NULL(agw_doc_bytes(agw_doc_get(doc, "sdp"), &len));
    CU_ASSERT_EQUAL(len, 3);
    agw_doc_free(doc);
}

static bool splits(const char *text, const char *cookie, const char *body)
{
    agw_ng_message m;
    if (agw_ng_split(&m, text, strlen(text)) != AGW_OK)
        return false;
    return m.cookie_len == strlen(cookie) && memcmp(m.cookie, cookie, m.cookie_len) == 0 &&
           m.body_len == strlen(body) && memcmp(m.body, body, m.body_len) == 0;
}

static void test_ng_1_message_is_cookie_space_document(void)
{
    CU_ASSERT_TRUE(splits("0_32593_0 d7:command4:pinge", "0_32593_0", "d7:command4:pinge"));
    CU_ASSERT_TRUE(splits("a ", "a", ""));
    CU_ASSERT_FALSE(splits("d7:command4:pinge", "", ""));
    CU_ASSERT_FALSE(splits(" d7:command4:pinge", "", "d7:command4:pinge"));
    CU_ASSERT_FALSE(splits("a\nb de", "a\nb", "de"));
    CU_ASSERT_FALSE(splits("", "", ""));
}

static void test_ng_1_cookie_length_is_bounded(void)
{
    char msg[AGW_NG_COOKIE_MAX + 3];
    memset(msg, 'x', sizeof msg);
    msg[AGW_NG_COOKIE_MAX] = ' ';
    agw_ng_message m;
    CU_ASSERT_EQUAL(agw_ng_split(&m, msg, sizeof msg), AGW_OK);
    msg[AGW_NG_COOKIE_MAX] = 'x';
    msg[AGW_NG_COOKIE_MAX + 1] = ' ';
    CU_ASSERT_EQUAL(agw_ng_split(&m, msg, sizeof msg), AGW_ERR_MALFORMED);
}

static const char *why_of(const char *body, agw_ng_format *format)
{
    const char *why = "";
    agw_doc *doc = agw_ng_parse(body, strlen(body), format, &why);
    if (doc != NULL)
        why = "fine";
    agw_doc_free(doc);
    return why;
}

static void test_ng_1_format_is_known_by_the_first_byte(void)
{
    agw_ng_format format;
    CU_ASSERT_STRING_EQUAL(why_of("", &format), "Invalid data (no payload)");
    CU_ASSERT_STRING_EQUAL(why_of("x", &format), "Invalid NG data format");
    CU_ASSERT_STRING_EQUAL(why_of("l", &format), "Invalid NG data format");
    CU_ASSERT_STRING_EQUAL(why_of("de", &format), "fine");
    CU_ASSERT_EQUAL(format, AGW_NG_BENCODE);
    CU_ASSERT_STRING_EQUAL(why_of("{}", &format), "fine");
    CU_ASSERT_EQUAL(format, AGW_NG_JSON);
    CU_ASSERT_STRING_EQUAL(why_of("{", &format), "Invalid JSON: a string is due");
    CU_ASSERT_EQUAL(format, AGW_NG_JSON);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_bencode_ng_2_round_trip),
    AGW_CASE(test_bencode_ng_2_last_e_may_miss),
    AGW_CASE(test_bencode_ng_2_integers_are_exact_to_64_bits),
    AGW_CASE(test_bencode_ng_2_malformed_is_refused),
    AGW_CASE(test_bencode_ng_2_depth_is_bounded),
    AGW_CASE(test_bencode_ng_2_number_of_values_is_bounded),
    AGW_CASE(test_json_rfc8259_3_round_trip),
    AGW_CASE(test_json_rfc8259_7_escapes),
    AGW_CASE(test_json_rfc8259_8_1_bytes_that_are_no_utf8_are_replaced),
    AGW_CASE(test_json_rfc8259_7_lone_surrogates_are_refused),
    AGW_CASE(test_json_rfc8259_malformed_is_refused),
    AGW_CASE(test_json_rfc8259_6_integers_are_exact_to_64_bits),
    AGW_CASE(test_json_rfc8259_9_depth_and_values_are_bounded),
    AGW_CASE(test_ng_6_key_spellings_are_one_and_the_last_counts),
    AGW_CASE(test_ng_2_integers_come_as_strings_too),
    AGW_CASE(test_ng_2_lists_come_as_strings_and_duplicates_merge),
    AGW_CASE(test_ng_2_strings_with_nul_are_no_text),
    AGW_CASE(test_ng_1_message_is_cookie_space_document),
    AGW_CASE(test_ng_1_cookie_length_is_bounded),
    AGW_CASE(test_ng_1_format_is_known_by_the_first_byte),
};

AGW_UNIT_MAIN("ng", CASES)
