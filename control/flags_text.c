/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/flags_text.h"

#include <string.h>

typedef struct reader {
    size_t left; /* tokens that may still be read */
} reader;

static agw_doc *read_brackets(reader *r, const char *text, size_t len, int depth);

static bool is_blank(char c)
{
    return c != '\0' && strchr(" \t\r\n", c) != NULL;
}

/* The end of a token that begins at text: a blank outside brackets, or the end. */
static const char *token_end(const char *text, const char *end)
{
    int depth = 0;
    for (; text < end && (depth > 0 || !is_blank(*text)); text++)
        depth += *text == '[' ? 1 : *text == ']' && depth > 0 ? -1 : 0;
    return text;
}

/* The next token of what is left, which *text follows; false: there is none. */
static bool next_token(reader *r, const char **text, const char *end, const char **out, size_t *len)
{
    while (*text < end && is_blank(**text))
        (*text)++;
    if (*text == end || r->left == 0)
        return false;
    r->left--;
    *out = *text;
    *text = token_end(*text, end);
    *len = (size_t)(*text - *out);
    return true;
}

char *agw_flags_unescape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        const bool pair = text[0] == text[1] && (text[0] == '.' || text[0] == '-');
        g_string_append_c(out, !pair ? *text : *text == '.' ? ' ' : '=');
        text += pair;
    }
    return g_string_free(out, FALSE);
}

static agw_doc *new_text(const char *text, size_t len, int depth)
{
    char *plain = g_strndup(text, len);
    if (depth > 0) {
        char *escaped = plain;
        plain = agw_flags_unescape(escaped);
        g_free(escaped);
    }
    agw_doc *doc = agw_doc_new_str(plain);
    g_free(plain);
    return doc;
}

static agw_doc *read_value(reader *r, const char *text, size_t len, int depth)
{
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']' && depth < AGW_FLAGS_TEXT_DEPTH)
        return read_brackets(r, text + 1, len - 2, depth + 1);
    return new_text(text, len, depth);
}

/* Where key ends in key=value; NULL: a word. */
static const char *equals_of(const char *token, size_t len)
{
    const char *equals = memchr(token, '=', len);
    const char *bracket = memchr(token, '[', len);
    return equals == token || (bracket != NULL && bracket < equals) ? NULL : equals;
}

static void set_pair(reader *r, agw_doc *dict, const char *token, const char *equals, size_t len,
                     int depth)
{
    char *key = g_strndup(token, (gsize)(equals - token));
    const char *value = equals + 1;
    agw_doc_set(dict, key, read_value(r, value, (size_t)(token + len - value), depth));
    g_free(key);
}

static bool any_pair(const char *text, size_t len)
{
    const char *end = text + len, *token;
    reader look = {.left = AGW_FLAGS_TEXT_TOKENS};
    while (next_token(&look, &text, end, &token, &len)) {
        if (equals_of(token, len) != NULL)
            return true;
    }
    return false;
}

static void set_word(agw_doc *dict, const char *token, size_t len)
{
    char *key = g_strndup(token, len);
    agw_doc_set_str(dict, key, "");
    g_free(key);
}

/* What stands between brackets: a dictionary as soon as one of it is a pair (words are keys without
 * a value then), else a list. */
static agw_doc *read_brackets(reader *r, const char *text, size_t len, int depth)
{
    const char *end = text + len, *token;
    const bool pairs = any_pair(text, len);
    agw_doc *doc = pairs ? agw_doc_new_dict() : agw_doc_new_list();
    while (next_token(r, &text, end, &token, &len)) {
        const char *equals = pairs ? equals_of(token, len) : NULL;
        if (!pairs)
            agw_doc_add(doc, read_value(r, token, len, depth));
        else if (equals != NULL)
            set_pair(r, doc, token, equals, len, depth);
        else
            set_word(doc, token, len);
    }
    return doc;
}

/* "codec-set-AMR/8000///mode=30" is one word, as scripts write it. */
static bool is_word_with_equals(const char *token)
{
    return strncmp(token, "codec-", 6) == 0 || strncmp(token, "transcode-", 10) == 0 ||
           strncmp(token, "sdp-attr-", 9) == 0;
}

agw_doc *agw_flags_text_doc(const char *text)
{
    reader r = {.left = AGW_FLAGS_TEXT_TOKENS};
    const char *end = text + strlen(text), *token;
    size_t len;
    agw_doc *dict = agw_doc_new_dict();
    agw_doc *words = agw_doc_set(dict, "flags", agw_doc_new_list());
    while (next_token(&r, &text, end, &token, &len)) {
        const char *equals = is_word_with_equals(token) ? NULL : equals_of(token, len);
        if (equals != NULL)
            set_pair(&r, dict, token, equals, len, 0);
        else
            agw_doc_add(words, new_text(token, len, 0));
    }
    return dict;
}
