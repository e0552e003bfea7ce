/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng.h"

#include "base/secret.h"
#include "control/bencode.h"
#include "control/json.h"

#include <string.h>

typedef struct string_value {
    char *bytes;
    size_t len;
} string_value;

typedef struct int_value {
    int64_t number;
    char text[AGW_INT_TEXT];
} int_value;

typedef struct children {
    agw_doc **values;
    char **keys; /* NULL in a list */
    uint32_t count, room;
} children;

struct agw_doc {
    agw_doc_kind kind;
    union {
        int_value i;
        string_value s;
        children c;
    } u;
};

size_t agw_ng_int_text(char out[AGW_INT_TEXT], int64_t value)
{
    char reversed[AGW_INT_TEXT];
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    size_t digits = 0, len = 0;
    do
        reversed[digits++] = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (value < 0)
        out[len++] = '-';
    while (digits > 0)
        out[len++] = reversed[--digits];
    out[len] = '\0';
    return len;
}

static agw_doc *doc_new(agw_doc_kind kind)
{
    agw_doc *doc = g_new0(agw_doc, 1);
    doc->kind = kind;
    return doc;
}

agw_doc *agw_doc_new_dict(void)
{
    return doc_new(AGW_DOC_DICT);
}

agw_doc *agw_doc_new_list(void)
{
    return doc_new(AGW_DOC_LIST);
}

agw_doc *agw_doc_new_int(int64_t value)
{
    agw_doc *doc = doc_new(AGW_DOC_INT);
    doc->u.i.number = value;
    (void)agw_ng_int_text(doc->u.i.text, value);
    return doc;
}

agw_doc *agw_doc_new_bytes(const char *bytes, size_t len)
{
    agw_doc *doc = doc_new(AGW_DOC_STRING);
    doc->u.s.bytes = g_malloc(len + 1);
    if (len > 0)
        memcpy(doc->u.s.bytes, bytes, len);
    doc->u.s.bytes[len] = '\0';
    doc->u.s.len = len;
    return doc;
}

agw_doc *agw_doc_new_str(const char *text)
{
    return agw_doc_new_bytes(text, strlen(text));
}

static bool is_container(const agw_doc *doc)
{
    return doc->kind == AGW_DOC_LIST || doc->kind == AGW_DOC_DICT;
}

/* Recursion is as deep as the document, which parsers bound with AGW_DOC_DEPTH_MAX. */
void agw_doc_free(agw_doc *doc)
{
    if (doc == NULL)
        return;
    if (doc->kind == AGW_DOC_STRING) {
        agw_secret_wipe(doc->u.s.bytes, doc->u.s.len); /* an SDP has ICE passwords and keys */
        g_free(doc->u.s.bytes);
    }
    if (is_container(doc)) {
        for (uint32_t i = 0; i < doc->u.c.count; i++) {
            agw_doc_free(doc->u.c.values[i]);
            if (doc->kind == AGW_DOC_DICT)
                g_free(doc->u.c.keys[i]);
        }
        g_free(doc->u.c.values);
        g_free(doc->u.c.keys);
    }
    g_free(doc);
}

static void append(agw_doc *doc, const char *key, agw_doc *value)
{
    children *c = &doc->u.c;
    if (c->count == c->room) {
        c->room = c->room == 0 ? 4 : c->room * 2;
        c->values = g_renew(agw_doc *, c->values, c->room);
        if (key != NULL)
            c->keys = g_renew(char *, c->keys, c->room);
    }
    if (key != NULL)
        c->keys[c->count] = g_strdup(key);
    c->values[c->count++] = value;
}

agw_doc *agw_doc_set(agw_doc *dict, const char *key, agw_doc *value)
{
    AGW_ASSERT(dict->kind == AGW_DOC_DICT && value != NULL && value != dict);
    append(dict, key, value);
    return value;
}

agw_doc *agw_doc_set_bytes(agw_doc *dict, const char *key, const char *bytes, size_t len)
{
    return agw_doc_set(dict, key, agw_doc_new_bytes(bytes, len));
}

agw_doc *agw_doc_set_str(agw_doc *dict, const char *key, const char *text)
{
    return agw_doc_set(dict, key, agw_doc_new_str(text));
}

agw_doc *agw_doc_set_int(agw_doc *dict, const char *key, int64_t value)
{
    return agw_doc_set(dict, key, agw_doc_new_int(value));
}

agw_doc *agw_doc_add(agw_doc *list, agw_doc *value)
{
    AGW_ASSERT(list->kind == AGW_DOC_LIST && value != NULL && value != list);
    append(list, NULL, value);
    return value;
}

agw_doc *agw_doc_add_str(agw_doc *list, const char *text)
{
    return agw_doc_add(list, agw_doc_new_str(text));
}

agw_doc *agw_doc_add_int(agw_doc *list, int64_t value)
{
    return agw_doc_add(list, agw_doc_new_int(value));
}

agw_doc_kind agw_doc_kind_of(const agw_doc *doc)
{
    return doc->kind;
}

size_t agw_doc_count(const agw_doc *doc)
{
    return is_container(doc) ? doc->u.c.count : 0;
}

const agw_doc *agw_doc_at(const agw_doc *doc, size_t i)
{
    AGW_ASSERT(i < agw_doc_count(doc));
    return doc->u.c.values[i];
}

const char *agw_doc_key_at(const agw_doc *dict, size_t i)
{
    AGW_ASSERT(dict->kind == AGW_DOC_DICT && i < dict->u.c.count);
    return dict->u.c.keys[i];
}

const char *agw_doc_text(const agw_doc *doc)
{
    if (doc->kind == AGW_DOC_INT)
        return doc->u.i.text;
    if (doc->kind != AGW_DOC_STRING || memchr(doc->u.s.bytes, '\0', doc->u.s.len) != NULL)
        return NULL;
    return doc->u.s.bytes;
}

const char *agw_doc_bytes(const agw_doc *doc, size_t *len)
{
    if (doc->kind != AGW_DOC_STRING)
        return NULL;
    *len = doc->u.s.len;
    return doc->u.s.bytes;
}

bool agw_doc_number(const agw_doc *doc, int64_t *out)
{
    if (doc->kind == AGW_DOC_INT) {
        *out = doc->u.i.number;
        return true;
    }
    const char *text = agw_doc_text(doc);
    gint64 value;
    if (text == NULL || !g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &value, NULL))
        return false;
    *out = value;
    return true;
}

static char plain(char c)
{
    return c == ' ' || c == '_' ? '-' : c;
}

bool agw_ng_key_equal(const char *a, const char *b)
{
    while (*a != '\0' && plain(*a) == plain(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

const agw_doc *agw_doc_get(const agw_doc *dict, const char *key)
{
    if (dict == NULL || dict->kind != AGW_DOC_DICT)
        return NULL;
    for (uint32_t i = dict->u.c.count; i-- > 0;) {
        if (agw_ng_key_equal(dict->u.c.keys[i], key))
            return dict->u.c.values[i];
    }
    return NULL;
}

const char *agw_doc_str(const agw_doc *dict, const char *key)
{
    const agw_doc *value = agw_doc_get(dict, key);
    return value != NULL ? agw_doc_text(value) : NULL;
}

bool agw_doc_int(const agw_doc *dict, const char *key, int64_t *out)
{
    const agw_doc *value = agw_doc_get(dict, key);
    return value != NULL && agw_doc_number(value, out);
}

static void take_split(GPtrArray *out, const char *text)
{
    static const char SEPARATORS[] = ", \t\r\n";
    while (*(text += strspn(text, SEPARATORS)) != '\0') {
        const size_t len = strcspn(text, SEPARATORS);
        g_ptr_array_add(out, g_strndup(text, len));
        text += len;
    }
}

static void take_texts(GPtrArray *out, const agw_doc *value)
{
    if (value->kind != AGW_DOC_LIST) {
        const char *text = agw_doc_text(value);
        if (text != NULL)
            take_split(out, text);
        return;
    }
    for (uint32_t i = 0; i < value->u.c.count; i++) {
        const char *text = agw_doc_text(value->u.c.values[i]);
        if (text != NULL)
            g_ptr_array_add(out, g_strdup(text));
    }
}

char **agw_doc_list(const agw_doc *dict, const char *key)
{
    GPtrArray *out = g_ptr_array_new();
    if (dict != NULL && dict->kind == AGW_DOC_DICT) {
        for (uint32_t i = 0; i < dict->u.c.count; i++) {
            if (agw_ng_key_equal(dict->u.c.keys[i], key))
                take_texts(out, dict->u.c.values[i]);
        }
    }
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}

bool agw_doc_list_has(const agw_doc *dict, const char *key, const char *word)
{
    char **list = agw_doc_list(dict, key);
    bool found = false;
    for (size_t i = 0; list[i] != NULL && !found; i++)
        found = agw_ng_key_equal(list[i], word);
    g_strfreev(list);
    return found;
}

agw_err agw_ng_split(agw_ng_message *out, const char *msg, size_t len)
{
    const char *space = memchr(msg, ' ', len < AGW_NG_COOKIE_MAX + 1 ? len : AGW_NG_COOKIE_MAX + 1);
    if (space == NULL || space == msg)
        return AGW_ERR_MALFORMED;
    for (const char *p = msg; p < space; p++) {
        if (!g_ascii_isgraph(*p))
            return AGW_ERR_MALFORMED;
    }
    out->cookie = msg;
    out->cookie_len = (size_t)(space - msg);
    out->body = space + 1;
    out->body_len = len - out->cookie_len - 1;
    return AGW_OK;
}

agw_doc *agw_ng_parse(const char *body, size_t len, agw_ng_format *format, const char **why)
{
    *format = AGW_NG_BENCODE;
    if (len == 0) {
        *why = "Invalid data (no payload)";
        return NULL;
    }
    if (body[0] != 'd' && body[0] != '{') {
        *why = "Invalid NG data format";
        return NULL;
    }
    *format = body[0] == '{' ? AGW_NG_JSON : AGW_NG_BENCODE;
    const char *detail;
    agw_doc *doc = *format == AGW_NG_JSON ? agw_json_parse(body, len, &detail)
                                          : agw_bencode_parse(body, len, &detail);
    if (doc == NULL)
        *why = detail;
    return doc;
}

void agw_ng_write(GString *out, const agw_doc *doc, agw_ng_format format)
{
    if (format == AGW_NG_JSON)
        agw_json_write(out, doc);
    else
        agw_bencode_write(out, doc);
}

agw_doc *agw_ng_error(const char *reason)
{
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "error");
    agw_doc_set_str(reply, "error-reason", reason);
    return reply;
}
