/* SPDX-License-Identifier: BSD-3-Clause
 * Requests of the tests are written in JSON. With AGW_NG_ENCODING=bencode in the environment every
 * one of them arrives in bencode instead: the same tests run once for each encoding. */
#ifndef AGW_TESTS_CONTROL_ENCODING_H
#define AGW_TESTS_CONTROL_ENCODING_H

#include "control/ng.h"

#include <stdlib.h>
#include <string.h>

/** The document as it comes out of the encoding that is tested; doc is given, the result returned.
 */
static inline agw_doc *in_encoding(agw_doc *doc)
{
    const char *wanted = getenv("AGW_NG_ENCODING");
    if (wanted == NULL || strcmp(wanted, "bencode") != 0)
        return doc;
    GString *text = g_string_new(NULL);
    agw_ng_format format;
    const char *why = "";
    agw_ng_write(text, doc, AGW_NG_BENCODE);
    agw_doc_free(doc);
    agw_doc *twin = agw_ng_parse(text->str, text->len, &format, &why);
    AGW_ASSERT(twin != NULL && format == AGW_NG_BENCODE);
    g_string_free(text, TRUE);
    return twin;
}

#endif
