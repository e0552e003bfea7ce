/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/bencode.h"

#include <string.h>

enum { LEN_DIGITS_MAX = 7, INT_CHARS_MAX = 20 };

typedef struct reader {
    const char *at, *end;
    unsigned depth;
    unsigned nodes;
    const char *why;
} reader;

static agw_doc *read_value(reader *r);

static void *fail(reader *r, const char *why)
{
    r->why = why;
    return NULL;
}

/* 5:hello -> where and how long. */
static const char *read_bytes(reader *r, size_t *len)
{
    size_t n = 0;
    unsigned digits = 0;
    while (r->at < r->end && g_ascii_isdigit(*r->at)) {
        if (++digits > LEN_DIGITS_MAX)
            return fail(r, "Invalid bencode: string length too large");
        n = n * 10 + (size_t)(*r->at++ - '0');
    }
    if (digits == 0 || r->at == r->end || *r->at != ':')
        return fail(r, "Invalid bencode: no string length");
    r->at++;
    if (n > (size_t)(r->end - r->at))
        return fail(r, "Invalid bencode: string runs past the end");
    const char *bytes = r->at;
    r->at += n;
    *len = n;
    return bytes;
}

static agw_doc *read_int(reader *r)
{
    const char *first = ++r->at; /* behind 'i' */
    const size_t left = (size_t)(r->end - first);
    const char *e = memchr(first, 'e', left < INT_CHARS_MAX + 1 ? left : INT_CHARS_MAX + 1);
    if (e == NULL || e == first)
        return fail(r, "Invalid bencode: integer without end");
    char text[INT_CHARS_MAX + 1];
    memcpy(text, first, (size_t)(e - first));
    text[e - first] = '\0';
    gint64 value;
    if (text[0] == '+' || !g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &value, NULL))
        return fail(r, "Invalid bencode: not an integer of 64 bits");
    r->at = e + 1;
    return agw_doc_new_int(value);
}

/* true: the container is complete; at the very end of the input its 'e' may be missing. */
static bool container_ends(reader *r)
{
    if (r->at == r->end)
        return true;
    if (*r->at != 'e')
        return false;
    r->at++;
    return true;
}

static agw_doc *read_list(reader *r)
{
    agw_doc *list = agw_doc_new_list();
    r->at++;
    while (!container_ends(r)) {
        agw_doc *value = read_value(r);
        if (value == NULL) {
            agw_doc_free(list);
            return NULL;
        }
        agw_doc_add(list, value);
    }
    return list;
}

static bool read_pair(reader *r, agw_doc *dict)
{
    size_t len;
    const char *bytes = read_bytes(r, &len);
    if (bytes == NULL)
        return false;
    if (memchr(bytes, '\0', len) != NULL)
        return fail(r, "Invalid bencode: NUL in a key") != NULL;
    char *key = g_strndup(bytes, len);
    agw_doc *value = r->at < r->end ? read_value(r) : fail(r, "Invalid bencode: key without value");
    if (value != NULL)
        agw_doc_set(dict, key, value);
    g_free(key);
    return value != NULL;
}

static agw_doc *read_dict(reader *r)
{
    agw_doc *dict = agw_doc_new_dict();
    r->at++;
    while (!container_ends(r)) {
        if (!read_pair(r, dict)) {
            agw_doc_free(dict);
            return NULL;
        }
    }
    return dict;
}

static agw_doc *read_container(reader *r)
{
    if (r->depth == AGW_DOC_DEPTH_MAX)
        return fail(r, "Invalid bencode: nested too deep");
    r->depth++;
    agw_doc *doc = *r->at == 'l' ? read_list(r) : read_dict(r);
    r->depth--;
    return doc;
}

static agw_doc *read_value(reader *r)
{
    if (r->at == r->end)
        return fail(r, "Invalid bencode: nothing there");
    if (++r->nodes > AGW_DOC_NODES_MAX)
        return fail(r, "Invalid bencode: too many values");
    if (*r->at == 'i')
        return read_int(r);
    if (*r->at == 'l' || *r->at == 'd')
        return read_container(r);
    size_t len;
    const char *bytes = read_bytes(r, &len);
    return bytes != NULL ? agw_doc_new_bytes(bytes, len) : NULL;
}

agw_doc *agw_bencode_parse(const char *bytes, size_t len, const char **why)
{
    if (len > AGW_DOC_SIZE_MAX) {
        *why = "Invalid bencode: document too large";
        return NULL;
    }
    reader r = {.at = bytes, .end = bytes + len};
    agw_doc *doc = read_value(&r);
    if (doc != NULL && r.at != r.end) {
        agw_doc_free(doc);
        doc = fail(&r, "Invalid bencode: bytes behind the document");
    }
    *why = r.why;
    return doc;
}

static void write_bytes(GString *out, const char *bytes, size_t len)
{
    char number[AGW_INT_TEXT];
    const size_t digits = agw_ng_int_text(number, (int64_t)len);
    g_string_append_len(out, number, (gssize)digits);
    g_string_append_c(out, ':');
    g_string_append_len(out, bytes, (gssize)len);
}

static void write_int(GString *out, const agw_doc *doc)
{
    g_string_append_c(out, 'i');
    g_string_append(out, agw_doc_text(doc));
    g_string_append_c(out, 'e');
}

static void write_container(GString *out, const agw_doc *doc)
{
    const bool dict = agw_doc_kind_of(doc) == AGW_DOC_DICT;
    g_string_append_c(out, dict ? 'd' : 'l');
    for (size_t i = 0; i < agw_doc_count(doc); i++) {
        if (dict)
            write_bytes(out, agw_doc_key_at(doc, i), strlen(agw_doc_key_at(doc, i)));
        agw_bencode_write(out, agw_doc_at(doc, i));
    }
    g_string_append_c(out, 'e');
}

void agw_bencode_write(GString *out, const agw_doc *doc)
{
    size_t len;
    switch (agw_doc_kind_of(doc)) {
    case AGW_DOC_INT:
        write_int(out, doc);
        return;
    case AGW_DOC_STRING: {
        const char *bytes = agw_doc_bytes(doc, &len);
        write_bytes(out, bytes, len);
        return;
    }
    case AGW_DOC_LIST:
    case AGW_DOC_DICT:
        write_container(out, doc);
        return;
    }
}
