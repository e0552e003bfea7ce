/* SPDX-License-Identifier: BSD-3-Clause
 * JSON (RFC 8259) to and from documents. Numbers with a fraction or exponent become strings, true
 * and false the integers 1 and 0, null an empty string. */
#ifndef AGW_CONTROL_JSON_H
#define AGW_CONTROL_JSON_H

#include "control/ng.h"

/** Parses one value that fills len bytes but for blanks; NULL: *why says what is wrong (static). */
agw_doc *agw_json_parse(const char *text, size_t len, const char **why);
/** Bytes that are no UTF-8 are written as U+FFFD. */
void agw_json_write(GString *out, const agw_doc *doc);

#endif
