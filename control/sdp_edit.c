/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sdp_edit.h"

#include <string.h>

bool agw_sdp_edit_is_line(const char *text)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (g_ascii_iscntrl(text[i]))
            return false;
    }
    return len > 0 && len <= AGW_SDP_EDIT_TEXT;
}

/* type: of the m= line that stands before, NULL at session level. */
static bool concerns(const agw_sdp_edit *edit, const char *type)
{
    if (edit->type == NULL || type == NULL)
        return edit->type == NULL && type == NULL;
    const size_t len = strlen(edit->type);
    return g_ascii_strncasecmp(type, edit->type, len) == 0 && type[len] == ' ';
}

static bool begins_with(const char *line, const char *value)
{
    const size_t len = strlen(value);
    if (strncmp(line, value, len) != 0)
        return false;
    return value[len - 1] == ':' || line[len] == '\0' || line[len] == ':' || line[len] == ' ';
}

static const agw_sdp_edit *edit_at(const GArray *edits, guint i)
{
    return &g_array_index(edits, agw_sdp_edit, i);
}

/* What becomes of one a= line; NULL: nothing. */
static const char *edited(const GArray *edits, const char *type, const char *line)
{
    for (guint i = 0; i < edits->len; i++) {
        const agw_sdp_edit *edit = edit_at(edits, i);
        if (!concerns(edit, type))
            continue;
        if (edit->kind == AGW_SDP_EDIT_REMOVE && begins_with(line, edit->value))
            return NULL;
        if (edit->kind == AGW_SDP_EDIT_SUBSTITUTE && strcmp(line, edit->value) == 0)
            return edit->with;
    }
    return line;
}

/* level: where the level that ends here begins in out. */
static void add_lines(const GArray *edits, const char *type, gsize level, GString *out)
{
    for (guint i = 0; i < edits->len; i++) {
        const agw_sdp_edit *edit = edit_at(edits, i);
        if (edit->kind != AGW_SDP_EDIT_ADD || !concerns(edit, type))
            continue;
        char *line = g_strdup_printf("a=%s\r\n", edit->value);
        const char *there = strstr(out->str + level, line);
        if (there == NULL || (there > out->str && there[-1] != '\n'))
            g_string_append(out, line);
        g_free(line);
    }
}

char *agw_sdp_edit_apply(const GArray *edits, const char *text)
{
    GString *out = g_string_new(NULL);
    char **lines = g_strsplit(text, "\r\n", 0);
    const char *type = NULL;
    gsize level = 0;
    for (char **p = lines; *p != NULL && **p != '\0'; p++) {
        if (strncmp(*p, "m=", 2) == 0) {
            add_lines(edits, type, level, out);
            level = out->len;
            type = *p + 2;
        }
        const bool attr = strncmp(*p, "a=", 2) == 0;
        const char *line = attr ? edited(edits, type, *p + 2) : *p;
        if (line != NULL)
            g_string_append_printf(out, attr ? "a=%s\r\n" : "%s\r\n", line);
    }
    add_lines(edits, type, level, out);
    g_strfreev(lines);
    return g_string_free(out, FALSE);
}
