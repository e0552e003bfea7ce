/* SPDX-License-Identifier: BSD-3-Clause
 * An own reader, because depth, size and exact 64-bit integers must hold for strangers' bytes and
 * json-glib bounds none of them. */
#include "control/json.h"

#include <inttypes.h>
#include <string.h>

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

static void skip_blanks(reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL && *r->at != '\0')
        r->at++;
}

static bool take(reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* Four hex digits behind \u; -1 when they are not there. */
static long read_hex4(reader *r)
{
    if (r->end - r->at < 4)
        return -1;
    long code = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = g_ascii_xdigit_value(*r->at++);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

/* The low half of a surrogate pair must follow as another \u escape. */
static long join_surrogates(reader *r, long high)
{
    if (high >= 0xdc00 || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
        return -1;
    r->at += 2;
    const long low = read_hex4(r);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static bool read_unicode_escape(reader *r, GString *out)
{
    long code = read_hex4(r);
    if (code >= 0xd800 && code <= 0xdfff)
        code = join_surrogates(r, code);
    if (code < 0)
        return fail(r, "Invalid JSON: bad \\u escape") != NULL;
    if (code == 0)
        g_string_append_c(out, '\0'); /* g_string_append_unichar() would end there */
    else
        g_string_append_unichar(out, (gunichar)code);
    return true;
}

static bool read_escape(reader *r, GString *out)
{
    static const char NAMES[] = "\"\\/bfnrt", VALUES[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return fail(r, "Invalid JSON: string without end") != NULL;
    const char c = *r->at++;
    if (c == 'u')
        return read_unicode_escape(r, out);
    const char *name = c != '\0' ? strchr(NAMES, c) : NULL;
    if (name == NULL)
        return fail(r, "Invalid JSON: unknown escape") != NULL;
    g_string_append_c(out, VALUES[name - NAMES]);
    return true;
}

static bool read_plain_run(reader *r, GString *out)
{
    const char *first = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
        if ((unsigned char)*r->at < 0x20)
            return fail(r, "Invalid JSON: control character in a string") != NULL;
        r->at++;
    }
    g_string_append_len(out, first, r->at - first);
    return true;
}

static GString *read_string(reader *r)
{
    if (!take(r, '"'))
        return fail(r, "Invalid JSON: a string is due");
    GString *out = g_string_new(NULL);
    for (;;) {
        bool ok = read_plain_run(r, out);
        if (ok && r->at == r->end)
            ok = fail(r, "Invalid JSON: string without end") != NULL;
        if (ok && take(r, '"'))
            return out;
        if (ok && take(r, '\\'))
            ok = read_escape(r, out);
        if (!ok) {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
}

static agw_doc *read_string_value(reader *r)
{
    GString *text = read_string(r);
    if (text == NULL)
        return NULL;
    agw_doc *doc = agw_doc_new_bytes(text->str, text->len);
    g_string_free(text, TRUE);
    return doc;
}

static size_t skip_digits(reader *r)
{
    const char *first = r->at;
    while (r->at < r->end && g_ascii_isdigit(*r->at))
        r->at++;
    return (size_t)(r->at - first);
}

/* int [frac] [exp] of RFC 8259 section 6; *whole: neither frac nor exp. */
static bool skip_number(reader *r, bool *whole)
{
    *whole = true;
    (void)take(r, '-');
    const bool zero = r->at < r->end && *r->at == '0';
    const size_t digits = skip_digits(r);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (take(r, '.')) {
        *whole = false;
        if (skip_digits(r) == 0)
            return false;
    }
    if (take(r, 'e') || take(r, 'E')) {
        *whole = false;
        if (!take(r, '+'))
            (void)take(r, '-');
        return skip_digits(r) > 0;
    }
    return true;
}

static agw_doc *read_number(reader *r)
{
    const char *first = r->at;
    bool whole;
    if (!skip_number(r, &whole))
        return fail(r, "Invalid JSON: not a value");
    if (!whole)
        return agw_doc_new_bytes(first, (size_t)(r->at - first));
    char text[24];
    const size_t len = (size_t)(r->at - first);
    gint64 value;
    if (len >= sizeof text)
        return fail(r, "Invalid JSON: not an integer of 64 bits");
    memcpy(text, first, len);
    text[len] = '\0';
    if (!g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &value, NULL))
        return fail(r, "Invalid JSON: not an integer of 64 bits");
    return agw_doc_new_int(value);
}

static bool take_word(reader *r, const char *word)
{
    const size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool read_member(reader *r, agw_doc *doc)
{
    GString *key = NULL;
    if (agw_doc_kind_of(doc) == AGW_DOC_DICT) {
        skip_blanks(r);
        key = read_string(r);
        if (key == NULL)
            return false;
        skip_blanks(r);
        if (memchr(key->str, '\0', key->len) != NULL || !take(r, ':')) {
            g_string_free(key, TRUE);
            return fail(r, "Invalid JSON: bad key") != NULL;
        }
    }
    agw_doc *value = read_value(r);
    if (value != NULL && key != NULL)
        agw_doc_set(doc, key->str, value);
    else if (value != NULL)
        agw_doc_add(doc, value);
    if (key != NULL)
        g_string_free(key, TRUE);
    return value != NULL;
}

static bool read_members(reader *r, agw_doc *doc, char close)
{
    skip_blanks(r);
    if (take(r, close))
        return true;
    do {
        if (!read_member(r, doc))
            return false;
        skip_blanks(r);
    } while (take(r, ','));
    return take(r, close) || fail(r, "Invalid JSON: list or object without end") != NULL;
}

static agw_doc *read_container(reader *r)
{
    if (r->depth == AGW_DOC_DEPTH_MAX)
        return fail(r, "Invalid JSON: nested too deep");
    const bool dict = *r->at++ == '{';
    agw_doc *doc = dict ? agw_doc_new_dict() : agw_doc_new_list();
    r->depth++;
    if (!read_members(r, doc, dict ? '}' : ']')) {
        agw_doc_free(doc);
        return NULL;
    }
    r->depth--;
    return doc;
}

static agw_doc *read_value(reader *r)
{
    skip_blanks(r);
    if (r->at == r->end)
        return fail(r, "Invalid JSON: nothing there");
    if (++r->nodes > AGW_DOC_NODES_MAX)
        return fail(r, "Invalid JSON: too many values");
    if (*r->at == '{' || *r->at == '[')
        return read_container(r);
    if (*r->at == '"')
        return read_string_value(r);
    if (take_word(r, "true"))
        return agw_doc_new_int(1);
    if (take_word(r, "false"))
        return agw_doc_new_int(0);
    if (take_word(r, "null"))
        return agw_doc_new_str("");
    return read_number(r);
}

agw_doc *agw_json_parse(const char *text, size_t len, const char **why)
{
    if (len > AGW_DOC_SIZE_MAX) {
        *why = "Invalid JSON: document too large";
        return NULL;
    }
    reader r = {.at = text, .end = text + len};
    agw_doc *doc = read_value(&r);
    skip_blanks(&r);
    if (doc != NULL && r.at != r.end) {
        agw_doc_free(doc);
        doc = fail(&r, "Invalid JSON: bytes behind the document");
    }
    *why = r.why;
    return doc;
}

static void write_char(GString *out, gunichar c)
{
    static const char NAMES[] = "\"\\bfnrt", VALUES[] = "\"\\\b\f\n\r\t";
    const char *value = c != 0 && c < 0x80 ? strchr(VALUES, (int)c) : NULL;
    if (value != NULL)
        g_string_append_printf(out, "\\%c", NAMES[value - VALUES]);
    else if (c < 0x20 || c == 0x7f)
        g_string_append_printf(out, "\\u%04x", (unsigned)c);
    else
        g_string_append_unichar(out, c);
}

static void write_string(GString *out, const char *bytes, size_t len)
{
    g_string_append_c(out, '"');
    const char *const end = bytes + len;
    while (bytes < end) {
        gunichar c = *bytes != '\0' ? g_utf8_get_char_validated(bytes, end - bytes) : 0;
        const bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        write_char(out, valid ? c : 0xfffd);
        bytes += valid && c != 0 ? g_unichar_to_utf8(c, NULL) : 1;
    }
    g_string_append_c(out, '"');
}

static void write_container(GString *out, const agw_doc *doc)
{
    const bool dict = agw_doc_kind_of(doc) == AGW_DOC_DICT;
    g_string_append_c(out, dict ? '{' : '[');
    for (size_t i = 0; i < agw_doc_count(doc); i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        if (dict) {
            write_string(out, agw_doc_key_at(doc, i), strlen(agw_doc_key_at(doc, i)));
            g_string_append_c(out, ':');
        }
        agw_json_write(out, agw_doc_at(doc, i));
    }
    g_string_append_c(out, dict ? '}' : ']');
}

void agw_json_write(GString *out, const agw_doc *doc)
{
    size_t len;
    switch (agw_doc_kind_of(doc)) {
    case AGW_DOC_INT:
        g_string_append(out, agw_doc_text(doc));
        return;
    case AGW_DOC_STRING: {
        const char *bytes = agw_doc_bytes(doc, &len);
        write_string(out, bytes, len);
        return;
    }
    case AGW_DOC_LIST:
    case AGW_DOC_DICT:
        write_container(out, doc);
        return;
    }
}
