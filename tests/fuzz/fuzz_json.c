/* SPDX-License-Identifier: BSD-3-Clause
 * json from strangers: what is accepted must be written so that it reads the same again. */
#include "control/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    agw_doc *doc = agw_json_parse((const char *)data, size, &why);
    AGW_ASSERT((doc == NULL) == (why != NULL));
    if (doc == NULL)
        return 0;
    GString *once = g_string_new(NULL), *twice = g_string_new(NULL);
    agw_json_write(once, doc);
    agw_doc *again = agw_json_parse(once->str, once->len, &why);
    AGW_ASSERT(again != NULL || once->len > AGW_DOC_SIZE_MAX);
    if (again != NULL) {
        agw_json_write(twice, again);
        AGW_ASSERT(g_string_equal(once, twice));
    }
    g_string_free(once, TRUE);
    g_string_free(twice, TRUE);
    agw_doc_free(again);
    agw_doc_free(doc);
    return 0;
}
