/* SPDX-License-Identifier: BSD-3-Clause
 * The documents of the ng protocol: a small tree of dictionaries, lists, byte strings and integers,
 * with lenient reading; and the split of a message into cookie and document. The encodings are in
 * bencode.h and json.h. */
#ifndef AGW_CONTROL_NG_H
#define AGW_CONTROL_NG_H

#include "base/err.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_DOC_DEPTH_MAX = 16,      /* lists and dictionaries inside each other */
    AGW_DOC_NODES_MAX = 8192,    /* values of one parsed document */
    AGW_DOC_SIZE_MAX = 262144,   /* bytes of one parsed document */
    AGW_NG_COOKIE_MAX = 255,     /* longest cookie */
    AGW_NG_DATAGRAM_MAX = 65507, /* longest message over UDP */
};

typedef enum agw_doc_kind {
    AGW_DOC_INT,
    AGW_DOC_STRING,
    AGW_DOC_LIST,
    AGW_DOC_DICT,
} agw_doc_kind;

/** A value. A container owns what is in it; freeing the root frees all. */
typedef struct agw_doc agw_doc;

/* --- building ----------------------------------------------------------------------------------
 */

agw_doc *agw_doc_new_dict(void);
agw_doc *agw_doc_new_list(void);
agw_doc *agw_doc_new_int(int64_t value);
agw_doc *agw_doc_new_bytes(const char *bytes, size_t len);
agw_doc *agw_doc_new_str(const char *text);
/** NULL is fine. */
void agw_doc_free(agw_doc *doc);

/** Appends a pair; value is given to dict and returned (borrowed), so that calls nest. Duplicates
 * of a key are kept in their order. */
agw_doc *agw_doc_set(agw_doc *dict, const char *key, agw_doc *value);
agw_doc *agw_doc_set_bytes(agw_doc *dict, const char *key, const char *bytes, size_t len);
agw_doc *agw_doc_set_str(agw_doc *dict, const char *key, const char *text);
agw_doc *agw_doc_set_int(agw_doc *dict, const char *key, int64_t value);
/** Appends to a list; value is given and returned (borrowed). */
agw_doc *agw_doc_add(agw_doc *list, agw_doc *value);
agw_doc *agw_doc_add_str(agw_doc *list, const char *text);
agw_doc *agw_doc_add_int(agw_doc *list, int64_t value);

/* --- walking -----------------------------------------------------------------------------------
 */

agw_doc_kind agw_doc_kind_of(const agw_doc *doc);
/** Values in a list or dictionary; 0 for others. */
size_t agw_doc_count(const agw_doc *doc);
/** Value i of a list or dictionary; borrowed. */
const agw_doc *agw_doc_at(const agw_doc *doc, size_t i);
/** Key i of a dictionary, NUL-terminated; borrowed. */
const char *agw_doc_key_at(const agw_doc *dict, size_t i);
/** The text of a string or the decimal text of an integer, NUL-terminated, borrowed; NULL for
 * others and for strings with a NUL inside. */
const char *agw_doc_text(const agw_doc *doc);
/** The bytes of a string (NUL-terminated behind len); NULL for others. */
const char *agw_doc_bytes(const agw_doc *doc, size_t *len);
/** The value of an integer, or of a string that is a whole decimal integer. */
bool agw_doc_number(const agw_doc *doc, int64_t *out);

/* --- lenient look-ups: clients spell keys with '-', ' ' or '_'; the last duplicate counts
 */

/** true if a and b are the same but for '-', ' ' and '_'. */
bool agw_ng_key_equal(const char *a, const char *b);
/** The value of key, borrowed; NULL when there is none or dict is no dictionary (or NULL). */
const agw_doc *agw_doc_get(const agw_doc *dict, const char *key);
/** The text of key as agw_doc_text(); NULL when there is none. */
const char *agw_doc_str(const agw_doc *dict, const char *key);
/** The number of key as agw_doc_number(). */
bool agw_doc_int(const agw_doc *dict, const char *key, int64_t *out);
/** All texts under key, merged over its duplicates in their order: a list's elements as they are
 * (nested containers are left out), a string split at ',' and blanks, an integer as its text.
 * Never NULL; free with g_strfreev(). */
char **agw_doc_list(const agw_doc *dict, const char *key);
/** true if agw_doc_list(dict, key) has word, spelt with '-', ' ' or '_'. */
bool agw_doc_list_has(const agw_doc *dict, const char *key, const char *word);

/* --- messages ----------------------------------------------------------------------------------
 */

typedef enum agw_ng_format { AGW_NG_BENCODE, AGW_NG_JSON } agw_ng_format;

/** "<cookie> SP <document>", borrowed. */
typedef struct agw_ng_message {
    const char *cookie;
    size_t cookie_len;
    const char *body;
    size_t body_len;
} agw_ng_message;

/** AGW_ERR_MALFORMED when there is no cookie (no reply is due then); an empty body is AGW_OK. */
AGW_NODISCARD agw_err agw_ng_split(agw_ng_message *out, const char *msg, size_t len);

/** Parses a document of either encoding, known by its first byte; NULL: *why is one of the error
 * texts of the protocol (static), and format is set for the reply all the same. */
agw_doc *agw_ng_parse(const char *body, size_t len, agw_ng_format *format, const char **why);

enum { AGW_INT_TEXT = 24 };

/** The decimal text of value, NUL-terminated; returns its length. printf() needs ten times as long,
 * and a reply to query has hundreds of numbers. */
size_t agw_ng_int_text(char out[AGW_INT_TEXT], int64_t value);

/** Appends the document in that encoding. */
void agw_ng_write(GString *out, const agw_doc *doc, agw_ng_format format);

/** {"result": "error", "error-reason": reason}. */
agw_doc *agw_ng_error(const char *reason);

#endif
