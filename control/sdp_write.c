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

/* g_string_append_len() without what it does for positions and overlaps. */
static void add(agw_sdp_writer *w, const char *bytes, size_t len)
{
    GString *text = w->text;
    if (text->len + len >= text->allocated_len) {
        g_string_append_len(text, bytes, (gssize)len);
        return;
    }
    memcpy(text->str + text->len, bytes, len);
    text->len += len;
    text->str[text->len] = '\0';
}

static void put(agw_sdp_writer *w, const char *text)
{
    add(w, text, strlen(text));
}

static void put_char(agw_sdp_writer *w, char c)
{
    add(w, &c, 1);
}

static void put_number(agw_sdp_writer *w, uint32_t number)
{
    char digits[10];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    add(w, digits + at, sizeof digits - at);
}

/* Whatever was put into it: a line is one line. */
static void end_line(agw_sdp_writer *w)
{
    const char *line = w->text->str + w->line;
    const size_t len = w->text->len - w->line;
    AGW_ASSERT(memchr(line, '\n', len) == NULL && memchr(line, '\r', len) == NULL);
    add(w, "\r\n", 2);
    w->line = w->text->len;
}

void agw_sdp_write_begin(agw_sdp_writer *w)
{
    enum { USUAL_BYTES = 2048 };
    w->text = g_string_sized_new(USUAL_BYTES);
    w->rank = RANK_VERSION;
    w->line = 0;
    put(w, "v=0");
    end_line(w);
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
    put(w, "o=");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        put(w, parts[i]);
        put_char(w, ' ');
    }
    put(w, o->address);
    end_line(w);
}

static void write_line(agw_sdp_writer *w, char type, const char *value)
{
    put_char(w, type);
    put_char(w, '=');
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
    put(w, ip->family == AGW_FAMILY_IP6 ? "c=IN IP6 " : "c=IN IP4 ");
    put(w, agw_addr_ip_text(ip, text, sizeof text));
    end_line(w);
}

void agw_sdp_write_bandwidth(agw_sdp_writer *w, const char *type, uint32_t value)
{
    go_to_either(w, RANK_BANDWIDTH, RANK_MEDIA_BANDWIDTH);
    put(w, "b=");
    put(w, type);
    put_char(w, ':');
    put_number(w, value);
    end_line(w);
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
    put(w, "m=");
    put(w, kind);
    put_char(w, ' ');
    put_number(w, port);
    put_char(w, ' ');
    put(w, proto);
    for (size_t i = 0; i < n_formats; i++) {
        put_char(w, ' ');
        put(w, formats[i]);
    }
    if (n_formats == 0)
        put(w, " 0");
    end_line(w);
}

static void begin_attr(agw_sdp_writer *w, const char *name)
{
    go_to_either(w, RANK_ATTR, RANK_MEDIA_ATTR);
    put(w, "a=");
    put(w, name);
}

void agw_sdp_write_attr(agw_sdp_writer *w, const char *name, const char *value)
{
    begin_attr(w, name);
    if (value != NULL) {
        put_char(w, ':');
        put(w, value);
    }
    end_line(w);
}

/* %s, %u and %d (not negative): printf() takes five times as long, and it is most of what writing
 * costs. */
static void putf(agw_sdp_writer *w, const char *fmt, va_list args)
{
    for (const char *from = fmt, *at; *from != '\0'; from = at + 2) {
        at = strchrnul(from, '%');
        add(w, from, (size_t)(at - from));
        if (*at == '\0')
            return;
        AGW_ASSERT(at[1] == 's' || at[1] == 'u' || at[1] == 'd');
        if (at[1] == 's')
            put(w, va_arg(args, const char *));
        else
            put_number(w, va_arg(args, unsigned));
    }
}

void agw_sdp_write_attrf(agw_sdp_writer *w, const char *name, const char *fmt, ...)
{
    begin_attr(w, name);
    put_char(w, ':');
    va_list args;
    va_start(args, fmt);
    putf(w, fmt, args);
    va_end(args);
    end_line(w);
}
