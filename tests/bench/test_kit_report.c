/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/report.h"

#include "control/json.h"
#include "unit.h"

#include <string.h>

static char *text;
static size_t len;
static FILE *out;

static kit_report begin(void)
{
    kit_report r;
    out = open_memstream(&text, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    kit_report_begin(&r, out);
    return r;
}

static agw_doc *end(kit_report *r)
{
    const char *why = NULL;
    kit_report_end(r);
    fclose(out);
    agw_doc *doc = agw_json_parse(text, len, &why);
    free(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    return doc;
}

static void test_report_empty_object(void)
{
    kit_report r = begin();
    agw_doc *doc = end(&r);
    CU_ASSERT_EQUAL(agw_doc_count(doc), 0);
    agw_doc_free(doc);
}

static void test_report_members_nest_and_texts_are_quoted(void)
{
    kit_report r = begin();
    kit_report_int(&r, "first", INT64_MIN);
    kit_report_open(&r, "inner");
    kit_report_text(&r, "odd \"name\"", "a\\b\"c\n");
    kit_report_open(&r, "empty");
    kit_report_close(&r);
    kit_report_int(&r, "last", 7);
    kit_report_close(&r);
    kit_report_open(&r, "open to the end");
    agw_doc *doc = end(&r);
    int64_t value = 0;
    CU_ASSERT(agw_doc_int(doc, "first", &value));
    CU_ASSERT_EQUAL(value, INT64_MIN);
    const agw_doc *inner = agw_doc_get(doc, "inner");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(inner, "odd \"name\""), "a\\b\"c\n");
    CU_ASSERT(agw_doc_int(inner, "last", &value));
    CU_ASSERT_EQUAL(agw_doc_count(doc), 3);
    agw_doc_free(doc);
}

static void test_report_times_are_percentiles(void)
{
    static kit_histogram h;
    for (agw_ns v = 1; v <= 20; v++)
        kit_histogram_add(&h, v);
    kit_report r = begin();
    kit_report_times(&r, "t", &h);
    agw_doc *doc = end(&r);
    const agw_doc *t = agw_doc_get(doc, "t");
    int64_t value = 0;
    CU_ASSERT(agw_doc_int(t, "p50_ns", &value) && value == 10);
    CU_ASSERT(agw_doc_int(t, "max_ns", &value) && value == 20);
    CU_ASSERT(agw_doc_int(t, "count", &value) && value == 20);
    agw_doc_free(doc);
}

static void test_report_truth_is_no_text(void)
{
    kit_report r = begin();
    kit_report_bool(&r, "a", true);
    kit_report_text(&r, "b", NULL);
    kit_report_end(&r);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "{\n  \"a\": true,\n  \"b\": null\n}\n");
    free(text);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_report_empty_object),
        AGW_CASE(test_report_members_nest_and_texts_are_quoted),
        AGW_CASE(test_report_times_are_percentiles),
        AGW_CASE(test_report_truth_is_no_text),
    };
    return agw_unit_run("report", cases, sizeof cases / sizeof cases[0]);
}
