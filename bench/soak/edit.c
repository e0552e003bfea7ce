/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/soak/edit.h"

#include "base/err.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* The lines of the audio section that describe the transport: in BUNDLE the video line has the
 * same. */
static const char *const TRANSPORT[] = {
    "c=", "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"};

static bool is_transport(const char *line)
{
    for (size_t i = 0; i < G_N_ELEMENTS(TRANSPORT); i++) {
        if (g_str_has_prefix(line, TRANSPORT[i]))
            return true;
    }
    return false;
}

/* The value of the first line with that prefix, newly allocated; NULL = there is none. */
static char *value_of(char *const *lines, const char *prefix)
{
    for (; *lines != NULL; lines++) {
        if (g_str_has_prefix(*lines, prefix))
            return g_strdup(*lines + strlen(prefix));
    }
    return NULL;
}

static void add_browser_line(GString *out, const soak_edit *edit, char *const *lines)
{
    g_string_append_printf(out, "m=video %u UDP/TLS/RTP/SAVPF 96\r\n",
                           edit->extra == SOAK_EXTRA_ON ? edit->extra_port : 0u);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (is_transport(lines[i]))
            g_string_append_printf(out, "%s\r\n", lines[i]);
    }
    g_string_append_printf(out, "a=mid:%s\r\na=%s\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n",
                           edit->extra_mid, edit->extra == SOAK_EXTRA_ON ? "sendrecv" : "inactive");
}

static void add_phone_line(GString *out, const soak_edit *edit)
{
    g_string_append_printf(out,
                           "m=video %u RTP/AVP 96\r\n"
                           "a=rtpmap:96 VP8/90000\r\n"
                           "a=%s\r\n",
                           edit->extra == SOAK_EXTRA_ON ? edit->extra_port : 0u,
                           edit->extra == SOAK_EXTRA_ON ? "sendrecv" : "inactive");
}

/* The group that the first line stands in, with or without the second; an answer of the kit has
 * no group line of its own. */
static void add_group(GString *out, const soak_edit *edit, const char *mid)
{
    g_string_append_printf(out, "a=group:BUNDLE %s", mid);
    if (edit->extra == SOAK_EXTRA_ON)
        g_string_append_printf(out, " %s", edit->extra_mid);
    g_string_append(out, "\r\n");
}

static void add_line(GString *out, const soak_edit *edit, const char *line)
{
    if (edit->direction != NULL && strcmp(line, "a=sendrecv") == 0)
        g_string_append_printf(out, "a=%s", edit->direction);
    else if (edit->unknown_media && g_str_has_prefix(line, "m=audio "))
        g_string_append_printf(out, "m=text %s", line + strlen("m=audio "));
    else
        g_string_append(out, line);
    if (edit->wrong_fingerprint && g_str_has_prefix(line, "a=fingerprint:"))
        out->str[out->len - 1] = out->str[out->len - 1] == '0' ? '1' : '0';
    g_string_append(out, "\r\n");
}

size_t kit_soak_edit(const soak_edit *edit, char sdp[KIT_SDP_MAX], size_t len)
{
    char *text = g_strndup(sdp, len);
    char **lines = g_strsplit(g_strchomp(text), "\r\n", -1);
    char *mid = value_of(lines, "a=mid:");
    const bool browser = mid != NULL;
    const bool regroup = edit->extra != SOAK_EXTRA_NONE && browser;
    GString *out = g_string_new(NULL);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (regroup && g_str_has_prefix(lines[i], "a=group:BUNDLE"))
            continue;
        if (regroup && g_str_has_prefix(lines[i], "m="))
            add_group(out, edit, mid);
        add_line(out, edit, lines[i]);
    }
    if (regroup)
        add_browser_line(out, edit, lines);
    else if (edit->extra != SOAK_EXTRA_NONE)
        add_phone_line(out, edit);
    const size_t new_len = out->len;
    AGW_ASSERT(new_len < KIT_SDP_MAX);
    memcpy(sdp, out->str, new_len);
    g_string_free(out, TRUE);
    g_free(mid);
    g_strfreev(lines);
    g_free(text);
    return new_len;
}

/* --- reading --- */

/* The lines from the first video line on, newly allocated; NULL = there is none. */
static char **video_lines(const char *sdp, size_t len)
{
    char *text = g_strndup(sdp, len);
    const char *at = strstr(text, "\nm=video ");
    char **lines = at != NULL ? g_strsplit_set(at + 1, "\r\n", -1) : NULL;
    g_free(text);
    return lines;
}

int kit_soak_video_port(const char *sdp, size_t len)
{
    char **lines = video_lines(sdp, len);
    if (lines == NULL)
        return -1;
    const long port = strtol(lines[0] + strlen("m=video "), NULL, 10);
    g_strfreev(lines);
    return port >= 0 && port <= UINT16_MAX ? (int)port : -1;
}

void kit_soak_video_mid(const char *sdp, size_t len, char *out, size_t room)
{
    char **lines = video_lines(sdp, len);
    char *mid = lines != NULL ? value_of(lines, "a=mid:") : NULL;
    g_strlcpy(out, mid != NULL ? mid : "", room);
    g_free(mid);
    g_strfreev(lines);
}
