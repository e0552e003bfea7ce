/* SPDX-License-Identifier: BSD-3-Clause
 * Writes descriptions: one line a call, CRLF, and the order of RFC 8866 section 5 enforced. */
#include "control/sdp.h"

#include <stdarg.h>
#include <string.h>

/* Ranks of the lines; those of a media begin again with each m=. */
enum {
    RANK_VERSION,
    RANK_ORIGIN,
    RANK_NAME,
    RANK_TITLE,
    RANK_CONN,
    RANK_BANDWIDTH,
    RANK_TIME,
    RANK_ATTR,
    RANK_MEDIA,
    RANK_MEDIA_TITLE,
    RANK_MEDIA_CONN,
    RANK_MEDIA_BANDWIDTH,
    RANK_MEDIA_ATTR,
};

static void go_to(agw_sdp_writer *w, int rank)
{
    AGW_ASSERT(w->text != NULL && rank >= w->rank);
    w->rank = rank;
}

/* Lines that exist at both levels. */
static void go_to_either(agw_sdp_writer *w, int rank, int media_rank)
{
    go_to(w, w->rank >= RANK_MEDIA ? media_rank : rank);
}

static void put(agw_sdp_writer *w, const char *text)
{
    AGW_ASSERT(strpbrk(text, "\r\n") == NULL);
    g_string_append(w->text, text);
}

static void end_line(agw_sdp_writer *w)
{
    g_string_append(w->text, "\r\n");
}

void agw_sdp_write_begin(agw_sdp_writer *w)
{
    w->text = g_string_sized_new(1024);
    w->rank = RANK_VERSION;
    g_string_append(w->text, "v=0\r\n");
}

char *agw_sdp_write_end(agw_sdp_writer *w, size_t *len)
{
    *len = w->text->len;
    char *text = g_string_free(w->text, FALSE);
    w->text = NULL;
    return text;
}

void agw_sdp_write_abort(agw_sdp_writer *w)
{
    g_string_free(w->text, TRUE);
    w->text = NULL;
}

void agw_sdp_write_origin(agw_sdp_writer *w, const agw_sdp_origin *o)
{
    go_to(w, RANK_ORIGIN);
    const char *const parts[] = {o->username, o->id, o->version, o->nettype, o->addrtype};
    g_string_append(w->text, "o=");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        put(w, parts[i]);
        g_string_append_c(w->text, ' ');
    }
    put(w, o->address);
    end_line(w);
}

static void write_line(agw_sdp_writer *w, char type, const char *value)
{
    g_string_append_c(w->text, type);
    g_string_append_c(w->text, '=');
    put(w, value);
    end_line(w);
}

void agw_sdp_write_name(agw_sdp_writer *w, const char *name)
{
    go_to(w, RANK_NAME);
    write_line(w, 's', name[0] != '\0' ? name : "-");
}

void agw_sdp_write_title(agw_sdp_writer *w, const char *title)
{
    go_to_either(w, RANK_TITLE, RANK_MEDIA_TITLE);
    write_line(w, 'i', title);
}

void agw_sdp_write_conn(agw_sdp_writer *w, const agw_addr *ip)
{
    go_to_either(w, RANK_CONN, RANK_MEDIA_CONN);
    char text[AGW_ADDR_TEXT];
    AGW_ASSERT(agw_addr_is_set(ip));
    g_string_append(w->text, ip->family == AGW_FAMILY_IP6 ? "c=IN IP6 " : "c=IN IP4 ");
    put(w, agw_addr_ip_text(ip, text, sizeof text));
    end_line(w);
}

void agw_sdp_write_bandwidth(agw_sdp_writer *w, const char *type, uint32_t value)
{
    go_to_either(w, RANK_BANDWIDTH, RANK_MEDIA_BANDWIDTH);
    g_string_append(w->text, "b=");
    put(w, type);
    g_string_append_printf(w->text, ":%u\r\n", value);
}

void agw_sdp_write_time(agw_sdp_writer *w, const char *value)
{
    go_to(w, RANK_TIME);
    write_line(w, 't', value);
}

void agw_sdp_write_media(agw_sdp_writer *w, const char *kind, uint16_t port, const char *proto,
                         const char *const *formats, size_t n_formats)
{
    AGW_ASSERT(w->text != NULL);
    w->rank = RANK_MEDIA;
    g_string_append(w->text, "m=");
    put(w, kind);
    g_string_append_printf(w->text, " %u ", port);
    put(w, proto);
    for (size_t i = 0; i < n_formats; i++) {
        g_string_append_c(w->text, ' ');
        put(w, formats[i]);
    }
    if (n_formats == 0)
        g_string_append(w->text, " 0");
    end_line(w);
}

static void begin_attr(agw_sdp_writer *w, const char *name)
{
    go_to_either(w, RANK_ATTR, RANK_MEDIA_ATTR);
    g_string_append(w->text, "a=");
    put(w, name);
}

void agw_sdp_write_attr(agw_sdp_writer *w, const char *name, const char *value)
{
    begin_attr(w, name);
    if (value != NULL) {
        g_string_append_c(w->text, ':');
        put(w, value);
    }
    end_line(w);
}

void agw_sdp_write_attrf(agw_sdp_writer *w, const char *name, const char *fmt, ...)
{
    begin_attr(w, name);
    g_string_append_c(w->text, ':');
    const size_t at = w->text->len;
    va_list args;
    va_start(args, fmt);
    g_string_append_vprintf(w->text, fmt, args);
    va_end(args);
    AGW_ASSERT(strpbrk(w->text->str + at, "\r\n") == NULL);
    end_line(w);
}
