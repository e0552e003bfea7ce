/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/golden_file.h"

#include <stdio.h>
#include <string.h>

/* --- macros: what stands in every media of a kind ---
 * Written from RFC 8829, 8839, 8842, 9143 (toward browsers) and TS 26.114, RFC 3605 (toward the
 * IMS); $1 is the macro's argument. */

static const struct macro {
    const char *name;
    const char *lines[20];
} MACROS[] = {
    {"@session", {"v=0", "o=* * * IN IP* *", "s=*", "t=0 0", NULL}},
    /* RFC 8839 section 5.3: ice-lite would stand at session level; a full agent takes trickled
     * candidates (section 5.6). */
    {"@session-ice",
     {"v=0", "o=* * * IN IP* *", "s=*", "t=0 0", "a=ice-options:trickle", "?a=extmap-allow-mixed",
      "?a=msid-semantic:*", NULL}},
    {"@webrtc",
     {"c=IN IP4 10.0.0.1", "a=candidate:* 1 * * 10.0.0.1 $1 typ host*",
      "a=candidate:* 1 * * fd00:a::1 $1 typ host*", "?a=end-of-candidates", "a=ice-ufrag:*",
      "a=ice-pwd:*", "a=fingerprint:sha-256 *", "a=rtcp-mux", "?a=rtcp-mux-only", "?a=rtcp-rsize",
      "?a=rtcp-xr:rcvr-rtt=all", "?a=rtcp:*", "?a=ice-options:*", "?a=ssrc:*", "?a=msid:*", NULL}},
    /* RFC 9143 section 7.3: behind the first media of a bundle the transport may be left out. */
    {"@bundled",
     {"c=IN IP4 10.0.0.1", "?a=candidate:*", "?a=end-of-candidates", "?a=ice-ufrag:*",
      "?a=ice-pwd:*", "?a=fingerprint:sha-256 *", "?a=setup:*", "a=rtcp-mux", "?a=rtcp-mux-only",
      "?a=rtcp-rsize", "?a=rtcp-xr:rcvr-rtt=all", "?a=rtcp:*", "?a=ice-options:*", "?a=ssrc:*",
      "?a=msid:*", NULL}},
    {"@ims", {"c=IN IP4 10.1.0.1", "?a=rtcp:*", NULL}},
    {"@ims6", {"c=IN IP6 fd00:c::1", "?a=rtcp:*", NULL}},
    /* RFC 3264 section 6: a refused media says no more than its m= line. */
    {"@refused", {"?c=*", NULL}},
};

static const struct macro *find_macro(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MACROS); i++) {
        if (strcmp(MACROS[i].name, name) == 0)
            return &MACROS[i];
    }
    return NULL;
}

static bool add_pattern(GPtrArray *expect, const char *line)
{
    if (line[0] != '@') {
        g_ptr_array_add(expect, g_strdup(line));
        return true;
    }
    char **w = g_strsplit(line, " ", 2);
    const struct macro *m = find_macro(w[0]);
    for (size_t i = 0; m != NULL && m->lines[i] != NULL; i++) {
        char **parts = g_strsplit(m->lines[i], "$1", -1);
        g_ptr_array_add(expect, g_strjoinv(w[1] != NULL ? w[1] : "*", parts));
        g_strfreev(parts);
    }
    g_strfreev(w);
    return m != NULL;
}

/* --- reading --- */

static void step_free(gpointer data)
{
    golden_step *s = data;
    g_free(s->request);
    g_free(s->sdp);
    g_free(s->refused);
    g_ptr_array_free(s->expect, TRUE);
    g_free(s);
}

void golden_free(golden_case *c)
{
    if (c == NULL)
        return;
    g_free(c->name);
    g_free(c->realm[0]);
    g_free(c->realm[1]);
    g_free(c->codecs);
    g_ptr_array_free(c->steps, TRUE);
    g_free(c);
}

static golden_step *add_step(golden_case *c, unsigned line)
{
    golden_step *s = g_new0(golden_step, 1);
    s->line = line;
    s->expect = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(c->steps, s);
    return s;
}

/* "== offer from A {...}" */
static bool read_message(golden_case *c, const char *head, unsigned line)
{
    golden_step *s = add_step(c, line);
    s->is_offer = s->reads_offer = g_str_has_prefix(head, "offer from ");
    if (!s->is_offer && !g_str_has_prefix(head, "answer from "))
        return false;
    head += strlen(s->is_offer ? "offer from " : "answer from ");
    s->side = head[0];
    s->request = g_strdup(head[1] == ' ' ? head + 2 : "{}");
    s->sdp = g_strdup("");
    return s->side == 'A' || s->side == 'B';
}

static bool read_head(golden_case *c, const char *head, unsigned line, bool *expecting)
{
    golden_step *last = c->steps->len != 0 ? g_ptr_array_index(c->steps, c->steps->len - 1) : NULL;
    *expecting = g_str_has_prefix(head, "expect") || g_str_has_prefix(head, "refused ");
    if (strcmp(head, "rollback") == 0) {
        add_step(c, line)->rollback = true;
        return true;
    }
    if (!*expecting)
        return read_message(c, head, line);
    if (last == NULL)
        return false;
    if (g_str_has_prefix(head, "refused "))
        last->refused = g_strdup(head + strlen("refused "));
    if (strcmp(head, "expect offer") == 0)
        last->reads_offer = true;
    return true;
}

static void append_line(golden_step *s, const char *line)
{
    char *more = g_strconcat(s->sdp, line, "\r\n", NULL);
    g_free(s->sdp);
    s->sdp = more;
}

/* The lines of another step's message, or of a file: "< vectors/sdp/x.sdp". */
static bool include(golden_step *s, const char *path)
{
    char *full = g_build_filename(AGW_TEST_DIR, path, NULL), *text = NULL;
    const bool ok = g_file_get_contents(full, &text, NULL, NULL);
    char **lines = g_strsplit(ok ? text : "", "\n", -1);
    for (char **l = lines; *l != NULL; l++) {
        g_strchomp(*l);
        if (**l != '\0')
            append_line(s, *l);
    }
    g_strfreev(lines);
    g_free(text);
    g_free(full);
    return ok;
}

static bool read_line(golden_case *c, char *line, unsigned number, bool *expecting)
{
    g_strchomp(line);
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (g_str_has_prefix(line, "realms: ")) {
        char **w = g_strsplit(line + 8, " ", 2);
        c->realm[0] = w[0];
        c->realm[1] = w[1];
        g_free(w);
        return c->realm[1] != NULL;
    }
    if (g_str_has_prefix(line, "codecs: ")) {
        c->codecs = g_strdup(line + 8);
        return true;
    }
    if (g_str_has_prefix(line, "== "))
        return read_head(c, line + 3, number, expecting);
    if (c->steps->len == 0)
        return false;
    golden_step *s = g_ptr_array_index(c->steps, c->steps->len - 1);
    if (*expecting)
        return add_pattern(s->expect, line);
    if (line[0] == '<')
        return include(s, line + 2);
    append_line(s, line);
    return true;
}

golden_case *golden_read(const char *path, GString *why)
{
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_string_append_printf(why, "%s: cannot be read\n", path);
        return NULL;
    }
    golden_case *c = g_new0(golden_case, 1);
    c->name = g_path_get_basename(path);
    c->steps = g_ptr_array_new_with_free_func(step_free);
    char **lines = g_strsplit(text, "\n", -1);
    bool expecting = false, good = true;
    for (unsigned i = 0; lines[i] != NULL && good; i++) {
        good = read_line(c, lines[i], i + 1, &expecting);
        if (!good)
            g_string_append_printf(why, "%s:%u: not understood\n", path, i + 1);
    }
    good = good && c->realm[0] != NULL;
    g_strfreev(lines);
    g_free(text);
    if (good)
        return c;
    golden_free(c);
    return NULL;
}

/* --- comparing --- */

/* {x}: its value, or a word that becomes it. {x!y}: the same, but not y's value. */
static void append_name(GString *re, char *name, GHashTable *bindings)
{
    char *but = strchr(name, '!');
    if (but != NULL) {
        *but++ = '\0';
        const char *other = g_hash_table_lookup(bindings, but);
        char *escaped = g_regex_escape_string(other != NULL ? other : "", -1);
        g_string_append_printf(re, "(?!%s(\\s|$))", escaped);
        g_free(escaped);
    }
    const char *value = g_hash_table_lookup(bindings, name);
    char *escaped =
        value != NULL ? g_regex_escape_string(value, -1) : g_strdup_printf("(?<%s>\\S+)", name);
    g_string_append(re, escaped);
    g_free(escaped);
}

/* "a=mid:{m} *" as a regular expression; known names become their values. */
static char *to_regex(const char *pattern, GHashTable *bindings)
{
    GString *re = g_string_new("^");
    for (const char *p = pattern; *p != '\0'; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (*p == '*') {
            g_string_append(re, ".*");
        } else if (end != NULL) {
            char *name = g_strndup(p + 1, (size_t)(end - p - 1));
            append_name(re, name, bindings);
            g_free(name);
            p = end;
        } else {
            char *escaped = g_regex_escape_string(p, 1);
            g_string_append(re, escaped);
            g_free(escaped);
        }
    }
    g_string_append_c(re, '$');
    return g_string_free(re, FALSE);
}

static void bind_names(const char *pattern, const GMatchInfo *match, GHashTable *bindings)
{
    for (const char *p = strchr(pattern, '{'); p != NULL; p = strchr(p + 1, '{')) {
        char *name = g_strndup(p + 1, strcspn(p + 1, "}!"));
        char *value = g_match_info_fetch_named(match, name);
        if (value != NULL && !g_hash_table_contains(bindings, name))
            g_hash_table_insert(bindings, g_strdup(name), g_strdup(value));
        g_free(value);
        g_free(name);
    }
}

static bool matches(const char *pattern, const char *line, GHashTable *bindings)
{
    char *re = to_regex(pattern, bindings);
    GRegex *regex = g_regex_new(re, G_REGEX_DUPNAMES, 0, NULL);
    GMatchInfo *match = NULL;
    const bool hit = regex != NULL && g_regex_match(regex, line, 0, &match);
    if (hit)
        bind_names(pattern, match, bindings);
    g_clear_pointer(&match, g_match_info_free);
    g_clear_pointer(&regex, g_regex_unref);
    g_free(re);
    return hit;
}

/* Lines of one section of the written text. */
static GPtrArray *split_sections(char **lines)
{
    GPtrArray *sections = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_ptr_array_add(sections, g_ptr_array_new());
    for (; *lines != NULL; lines++) {
        const char *l = **lines == '?' ? *lines + 1 : *lines;
        if (*l == '\0')
            continue;
        if (g_str_has_prefix(l, "m="))
            g_ptr_array_add(sections, g_ptr_array_new());
        g_ptr_array_add(g_ptr_array_index(sections, sections->len - 1), *lines);
    }
    return sections;
}

/* c= at session level is meant for every media without one. */
static void spread_conn(GPtrArray *sections)
{
    GPtrArray *session = g_ptr_array_index(sections, 0);
    for (guint i = 0; i < session->len; i++) {
        if (!g_str_has_prefix(g_ptr_array_index(session, i), "c="))
            continue;
        char *conn = g_ptr_array_steal_index(session, i);
        for (guint k = 1; k < sections->len; k++) {
            GPtrArray *media = g_ptr_array_index(sections, k);
            bool own = false;
            for (guint n = 0; n < media->len; n++)
                own |= g_str_has_prefix(g_ptr_array_index(media, n), "c=");
            if (!own)
                g_ptr_array_add(media, conn);
        }
        return;
    }
}

/* The pattern for a line: exact ones first, then those that must be there, then the optional ones,
 * which may be used again and again. */
static int find_pattern(const GPtrArray *patterns, const bool *used, const char *line,
                        GHashTable *bindings)
{
    for (int turn = 0; turn < 3; turn++) {
        for (guint i = 0; i < patterns->len; i++) {
            const char *p = g_ptr_array_index(patterns, i);
            const bool optional = p[0] == '?';
            if (turn == 0 ? strcmp(p + optional, line) != 0 : optional != (turn == 2))
                continue;
            if ((!used[i] || optional) && (turn == 0 || matches(p + optional, line, bindings)))
                return (int)i;
        }
    }
    return -1;
}

static void compare_section(const GPtrArray *patterns, const GPtrArray *lines, GHashTable *bindings,
                            GString *out)
{
    bool *used = g_new0(bool, patterns->len);
    for (guint i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        const int at = find_pattern(patterns, used, line, bindings);
        if (at < 0)
            g_string_append_printf(out, "  + %s\n", line);
        else
            used[at] = true;
    }
    for (guint i = 0; i < patterns->len; i++) {
        const char *p = g_ptr_array_index(patterns, i);
        if (!used[i] && p[0] != '?')
            g_string_append_printf(out, "  - %s\n", p);
    }
    g_free(used);
}

char *golden_fill(const char *sdp, GHashTable *bindings)
{
    GString *text = g_string_new(sdp);
    GHashTableIter it;
    gpointer name, value;
    g_hash_table_iter_init(&it, bindings);
    while (g_hash_table_iter_next(&it, &name, &value)) {
        char *word = g_strdup_printf("{%s}", (char *)name);
        g_string_replace(text, word, value, 0);
        g_free(word);
    }
    return g_string_free(text, FALSE);
}

void golden_compare(const GPtrArray *expect, const char *sdp, GHashTable *bindings, GString *out)
{
    char **lines = g_strsplit(sdp, "\r\n", -1);
    char **wanted = g_new0(char *, expect->len + 1);
    memcpy(wanted, expect->pdata, expect->len * sizeof *wanted);
    GPtrArray *have = split_sections(lines), *want = split_sections(wanted);
    spread_conn(have);
    if (have->len != want->len)
        g_string_append_printf(out, "  %u medias, expected %u\n", have->len - 1, want->len - 1);
    for (guint i = 0; i < MIN(have->len, want->len); i++) {
        const gsize before = out->len;
        compare_section(g_ptr_array_index(want, i), g_ptr_array_index(have, i), bindings, out);
        if (out->len != before)
            g_string_append_printf(out, "    (%s %u)\n", i == 0 ? "session" : "media", i);
    }
    g_ptr_array_unref(have);
    g_ptr_array_unref(want);
    g_free(wanted);
    g_strfreev(lines);
}
