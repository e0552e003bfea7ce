/* SPDX-License-Identifier: BSD-3-Clause
 * Bencode: i-12e, 5:hello, l...e, d...e; keys in any order. */
#ifndef AGW_CONTROL_BENCODE_H
#define AGW_CONTROL_BENCODE_H

#include "control/ng.h"

/** Parses one value that fills len bytes; NULL: *why says what is wrong (static). A dictionary or
 * list may miss its last 'e' at the very end of the input. */
agw_doc *agw_bencode_parse(const char *bytes, size_t len, const char **why);
void agw_bencode_write(GString *out, const agw_doc *doc);

#endif
