/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sdp_rules.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- a reader of its own: lines, and which section each belongs to --- */

typedef struct section {
    GPtrArray *lines; /* char *; [0] is the m= line, except for the session level */
    char *kind, *port, *proto;
    char **formats;
} section;

typedef struct text {
    char **all;
    section session;
    GArray *medias; /* section */
} text;

static void complain(GString *out, const section *s, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
static void complain(GString *out, const section *s, const char *fmt, ...)
{
    va_list args;
    g_string_append_printf(out, "  %s: ", s != NULL && s->kind != NULL ? s->kind : "session");
    va_start(args, fmt);
    g_string_append_vprintf(out, fmt, args);
    va_end(args);
    g_string_append_c(out, '\n');
}

static void read_media_line(section *s, const char *line)
{
    char **w = g_strsplit(line + 2, " ", 4);
    const bool whole = g_strv_length(w) == 4;
    s->kind = g_strdup(w[0]);
    s->port = g_strdup(whole ? w[1] : "0");
    s->proto = g_strdup(whole ? w[2] : "?");
    s->formats = g_strsplit(whole ? w[3] : "", " ", -1);
    g_strfreev(w);
}

static void read_text(text *t, const char *sdp)
{
    *t = (text){.all = g_strsplit(sdp, "\r\n", -1),
                .medias = g_array_new(FALSE, TRUE, sizeof(section))};
    t->session.lines = g_ptr_array_new();
    section *at = &t->session;
    for (char **l = t->all; *l != NULL; l++) {
        if (**l == '\0')
            continue;
        if (g_str_has_prefix(*l, "m=")) {
            section s = {.lines = g_ptr_array_new()};
            read_media_line(&s, *l);
            g_array_append_val(t->medias, s);
            at = &g_array_index(t->medias, section, t->medias->len - 1);
        }
        g_ptr_array_add(at->lines, *l);
    }
}

static section *media(const text *t, guint i)
{
    return &g_array_index(t->medias, section, i);
}

static void free_text(text *t)
{
    for (guint i = 0; i < t->medias->len; i++) {
        section *s = media(t, i);
        g_free(s->kind);
        g_free(s->port);
        g_free(s->proto);
        g_strfreev(s->formats);
        g_ptr_array_free(s->lines, TRUE);
    }
    g_array_free(t->medias, TRUE);
    g_ptr_array_free(t->session.lines, TRUE);
    g_strfreev(t->all);
}

static const char *line_of(const section *s, guint i)
{
    return g_ptr_array_index(s->lines, i);
}

/* The value of line i if it is the attribute name ("" for a property), or NULL. */
static const char *attr_value(const section *s, guint i, const char *name)
{
    const char *l = line_of(s, i);
    const size_t len = strlen(name);
    if (!g_str_has_prefix(l, "a=") || strncmp(l + 2, name, len) != 0)
        return NULL;
    if (l[2 + len] == '\0')
        return "";
    return l[2 + len] == ':' ? l + 3 + len : NULL;
}

static const char *find(const section *s, const char *name)
{
    for (guint i = 0; i < s->lines->len; i++) {
        const char *v = attr_value(s, i, name);
        if (v != NULL)
            return v;
    }
    return NULL;
}

static const char *find_here_or_above(const text *t, const section *s, const char *name)
{
    const char *v = find(s, name);
    return v != NULL ? v : find(&t->session, name);
}

static unsigned count(const section *s, const char *name)
{
    unsigned n = 0;
    for (guint i = 0; i < s->lines->len; i++)
        n += attr_value(s, i, name) != NULL;
    return n;
}

/* What follows "PT " in attribute name, or NULL. */
static const char *find_for(const section *s, const char *name, const char *pt)
{
    const size_t len = strlen(pt);
    for (guint i = 0; i < s->lines->len; i++) {
        const char *v = attr_value(s, i, name);
        if (v != NULL && strncmp(v, pt, len) == 0 && v[len] == ' ')
            return v + len + 1;
    }
    return NULL;
}

static bool listed(const section *s, const char *pt, size_t len)
{
    for (char **f = s->formats; *f != NULL; f++) {
        if (strlen(*f) == len && strncmp(*f, pt, len) == 0)
            return true;
    }
    return false;
}

static bool refused(const section *s)
{
    return strcmp(s->port, "0") == 0 && find(s, "bundle-only") == NULL;
}

static bool is_rtp(const section *s)
{
    return strstr(s->proto, "RTP/") != NULL;
}

static bool one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(word, *list) == 0)
            return true;
    }
    return false;
}

static char *attr_name(const char *line)
{
    return g_strndup(line + 2, strcspn(line + 2, ":"));
}

static bool name_of_codec_is(const section *s, const char *pt, const char *name)
{
    const char *map = find_for(s, "rtpmap", pt);
    return map != NULL && g_ascii_strncasecmp(map, name, strlen(name)) == 0 &&
           map[strlen(name)] == '/';
}

/* --- RFC 8866 --- */

static void check_order(const section *s, bool session, GString *out)
{
    const char *order = session ? "vosiuepcbtrzka" : "micbka";
    const char *once = session ? "vosiuct" : "mi";
    const char *at = order;
    for (guint i = 0; i < s->lines->len; i++) {
        const char *l = line_of(s, i);
        const char *found = l[0] != '\0' ? strchr(order, l[0]) : NULL;
        if (found == NULL || l[1] != '=')
            complain(out, s, "strange line \"%s\"", l);
        else if (found < at)
            complain(out, s, "line out of order: \"%s\"", l);
        else if (found == at && i > 0 && strchr(once, l[0]) != NULL && line_of(s, i - 1)[0] == l[0])
            complain(out, s, "repeated: \"%s\"", l);
        else
            at = found;
    }
}

static void check_needed(const section *session, GString *out)
{
    bool seen[256] = {false};
    for (guint i = 0; i < session->lines->len; i++)
        seen[(guchar)line_of(session, i)[0]] = true;
    for (const char *need = "vost"; *need != '\0'; need++) {
        if (!seen[(guchar)*need])
            complain(out, NULL, "%c= is missing", *need);
    }
}

static bool good_address(const char *type, const char *address)
{
    static const guchar any[16];
    guchar ip[16];
    if (strcmp(type, "IP4") == 0)
        return inet_pton(AF_INET, address, ip) == 1 && memcmp(ip, any, 4) != 0;
    return strcmp(type, "IP6") == 0 && inet_pton(AF_INET6, address, ip) == 1 &&
           memcmp(ip, any, 16) != 0;
}

static bool good_conn(const char *value)
{
    char **w = g_strsplit(value, " ", -1);
    const bool good = g_strv_length(w) == 3 && strcmp(w[0], "IN") == 0 && good_address(w[1], w[2]);
    g_strfreev(w);
    return good;
}

static unsigned check_conns(const section *s, GString *out)
{
    unsigned n = 0;
    for (guint i = 0; i < s->lines->len; i++) {
        const char *l = line_of(s, i);
        if (!g_str_has_prefix(l, "c="))
            continue;
        n++;
        if (!good_conn(l + 2) && (s->kind == NULL || !refused(s)))
            complain(out, s, "bad address: \"%s\"", l);
    }
    return n;
}

static void check_formats(const section *s, GString *out)
{
    for (char **f = s->formats; *f != NULL; f++) {
        char *end;
        const long pt = strtol(*f, &end, 10);
        if (*end != '\0' || end == *f || pt < 0 || pt > 127)
            complain(out, s, "format \"%s\" is no payload type", *f);
        else if (pt >= 64 && pt <= 95)
            complain(out, s, "payload type %ld collides with RTCP", pt);
        else if (pt >= 35 && find_for(s, "rtpmap", *f) == NULL && !refused(s))
            complain(out, s, "dynamic payload type %ld without rtpmap", pt);
        for (char **g = f + 1; *g != NULL; g++) {
            if (strcmp(*f, *g) == 0)
                complain(out, s, "format %s twice", *f);
        }
    }
    if (s->formats[0] == NULL || s->formats[0][0] == '\0')
        complain(out, s, "no format");
}

static void check_format_attrs(const section *s, GString *out)
{
    static const char *const NAMES[] = {"rtpmap", "fmtp", "rtcp-fb", "imageattr", NULL};
    for (guint i = 0; i < s->lines->len; i++) {
        for (const char *const *name = NAMES; *name != NULL; name++) {
            const char *v = attr_value(s, i, *name);
            const size_t len = v != NULL ? strcspn(v, " ") : 0;
            if (v != NULL && v[0] != '*' && !listed(s, v, len))
                complain(out, s, "%s of a format that is not listed: \"%s\"", *name, v);
        }
        for (guint k = i + 1; k < s->lines->len; k++) {
            if (strcmp(line_of(s, i), line_of(s, k)) == 0)
                complain(out, s, "line twice: \"%s\"", line_of(s, i));
        }
    }
}

static void check_rtpmaps_once(const section *s, GString *out)
{
    for (char **f = s->formats; *f != NULL; f++) {
        unsigned maps = 0, fmtps = 0;
        char *prefix = g_strconcat(*f, " ", NULL);
        for (guint i = 0; i < s->lines->len; i++) {
            const char *map = attr_value(s, i, "rtpmap"), *fmtp = attr_value(s, i, "fmtp");
            maps += map != NULL && g_str_has_prefix(map, prefix);
            fmtps += fmtp != NULL && g_str_has_prefix(fmtp, prefix);
        }
        if (maps > 1 || fmtps > 1)
            complain(out, s, "rtpmap or fmtp of %s more than once", *f);
        g_free(prefix);
    }
}

/* apt of rtx and the numbers of red must be listed, or the reader discards the whole line. */
static void check_apt(const section *s, GString *out)
{
    for (char **f = s->formats; *f != NULL; f++) {
        const char *fmtp = find_for(s, "fmtp", *f);
        if (fmtp == NULL || !name_of_codec_is(s, *f, "rtx"))
            continue;
        const char *apt = strstr(fmtp, "apt=");
        if (apt == NULL || !listed(s, apt + 4, strcspn(apt + 4, ";")))
            complain(out, s, "rtx %s for a format that is not listed", *f);
    }
}

static void check_directions(const section *s, GString *out)
{
    const unsigned n =
        count(s, "sendrecv") + count(s, "sendonly") + count(s, "recvonly") + count(s, "inactive");
    static const char *const ONCE[] = {"mid",     "rtcp",   "rtcp-mux", "rtcp-rsize",
                                       "setup",   "ptime",  "maxptime", "ice-ufrag",
                                       "ice-pwd", "tls-id", NULL};
    if (n > 1)
        complain(out, s, "%u directions", n);
    for (const char *const *name = ONCE; *name != NULL; name++) {
        if (count(s, *name) > 1)
            complain(out, s, "%s more than once", *name);
    }
}

static void check_extmaps(const section *s, GString *out)
{
    bool seen[256] = {false};
    for (guint i = 0; i < s->lines->len; i++) {
        const char *v = attr_value(s, i, "extmap");
        if (v == NULL)
            continue;
        const long id = strtol(v, NULL, 10);
        if (id < 1 || id > 255 || id == 15 || seen[id])
            complain(out, s, "extmap id %ld is bad or taken", id);
        else
            seen[id] = true;
    }
}

static void check_rtcp(const section *s, GString *out)
{
    const char *v = find(s, "rtcp");
    if (v == NULL || refused(s))
        return;
    const size_t len = strcspn(v, " ");
    if (strtol(v, NULL, 10) <= 0 || (v[len] == ' ' && !good_conn(v + len + 1)))
        complain(out, s, "bad a=rtcp:%s", v);
}

static void check_media_syntax(const section *s, bool session_conn, GString *out)
{
    check_order(s, false, out);
    if (check_conns(s, out) == 0 && !session_conn && !refused(s))
        complain(out, s, "no c= line");
    if (!is_rtp(s))
        return;
    check_formats(s, out);
    check_format_attrs(s, out);
    check_rtpmaps_once(s, out);
    check_apt(s, out);
    check_directions(s, out);
    check_extmaps(s, out);
    check_rtcp(s, out);
}

static void check_mids(const text *t, GString *out)
{
    for (guint i = 0; i < t->medias->len; i++) {
        const char *mid = find(media(t, i), "mid");
        for (guint k = i + 1; mid != NULL && k < t->medias->len; k++) {
            if (g_strcmp0(mid, find(media(t, k), "mid")) == 0)
                complain(out, media(t, k), "mid %s twice", mid);
        }
    }
}

void sdp_rules_syntax(const char *sdp, GString *out)
{
    text t;
    read_text(&t, sdp);
    for (const char *p = sdp; *p != '\0'; p++) {
        if ((*p == '\n' && (p == sdp || p[-1] != '\r')) || (*p == '\r' && p[1] != '\n'))
            complain(out, NULL, "a line does not end with CRLF");
    }
    if (!g_str_has_prefix(sdp, "v=0\r\n") || !g_str_has_suffix(sdp, "\r\n"))
        complain(out, NULL, "bad first or last line");
    check_order(&t.session, true, out);
    check_needed(&t.session, out);
    const bool session_conn = check_conns(&t.session, out) != 0;
    for (guint i = 0; i < t.medias->len; i++)
        check_media_syntax(media(&t, i), session_conn, out);
    check_mids(&t, out);
    free_text(&t);
}

/* --- toward the IMS --- */

static const char *const WEBRTC_ONLY[] = {"bundle-only",
                                          "candidate",
                                          "dtls-id",
                                          "end-of-candidates",
                                          "extmap-allow-mixed",
                                          "fingerprint",
                                          "group",
                                          "ice-lite",
                                          "ice-mismatch",
                                          "ice-options",
                                          "ice-pacing",
                                          "ice-pwd",
                                          "ice-ufrag",
                                          "identity",
                                          "mid",
                                          "msid",
                                          "msid-semantic",
                                          "rid",
                                          "remote-candidates",
                                          "rtcp-mux-only",
                                          "rtcp-rsize",
                                          "setup",
                                          "simulcast",
                                          "ssrc",
                                          "ssrc-group",
                                          "tls-id",
                                          "rtcp-xr",
                                          NULL};

static void forbid(const section *s, const char *const *names, GString *out)
{
    for (guint i = 0; i < s->lines->len; i++) {
        if (!g_str_has_prefix(line_of(s, i), "a="))
            continue;
        char *name = attr_name(line_of(s, i));
        if (one_of(name, names) || g_str_has_prefix(name, "x-") || g_str_has_prefix(name, "X-"))
            complain(out, s, "has no place here: \"%s\"", line_of(s, i));
        g_free(name);
    }
}

static bool has_48k_codec(const section *s)
{
    for (char **f = s->formats; *f != NULL; f++) {
        const char *map = find_for(s, "rtpmap", *f);
        if (map != NULL && strstr(map, "/48000") != NULL &&
            !name_of_codec_is(s, *f, "telephone-event"))
            return true;
    }
    return false;
}

static void check_ims_codecs(const section *s, GString *out)
{
    static const char *const NEVER[] = {"rtx", "red", "ulpfec", "flexfec-03", "flexfec", NULL};
    for (char **f = s->formats; *f != NULL; f++) {
        for (const char *const *name = NEVER; *name != NULL; name++) {
            if (name_of_codec_is(s, *f, *name))
                complain(out, s, "codec %s", *name);
        }
        const char *map = find_for(s, "rtpmap", *f);
        if (map != NULL && g_ascii_strcasecmp(map, "telephone-event/48000") == 0 &&
            !has_48k_codec(s))
            complain(out, s, "telephone-event/48000 without a codec of that clock");
    }
}

static void check_ims_video(const section *s, GString *out)
{
    static const char *const FEEDBACK[] = {"nack", "nack pli", "ccm fir", "ccm tmmbr", NULL};
    for (guint i = 0; i < s->lines->len; i++) {
        const char *fb = attr_value(s, i, "rtcp-fb");
        const char *ext = attr_value(s, i, "extmap");
        if (fb != NULL && (strchr(fb, ' ') == NULL || !one_of(strchr(fb, ' ') + 1, FEEDBACK)))
            complain(out, s, "feedback \"%s\"", fb);
        if (fb != NULL && !g_str_has_suffix(s->proto, "AVPF"))
            complain(out, s, "feedback in %s", s->proto);
        if (ext != NULL && strstr(ext, " urn:3gpp:video-orientation") == NULL)
            complain(out, s, "extension \"%s\"", ext);
    }
}

static guint count_attrs(const section *s, const char *name)
{
    guint n = 0;
    for (guint i = 0; i < s->lines->len; i++)
        n += attr_value(s, i, name) != NULL;
    return n;
}

/* RFC 4568 section 4: SAVP has a key; none in the clear beside plain RTP. */
static void check_ims_profile(const section *s, GString *out)
{
    const bool savp = strcmp(s->proto, "RTP/SAVP") == 0 || strcmp(s->proto, "RTP/SAVPF") == 0;
    if (!savp && strcmp(s->proto, "RTP/AVP") != 0 && strcmp(s->proto, "RTP/AVPF") != 0)
        complain(out, s, "profile %s", s->proto);
    if ((count_attrs(s, "crypto") > 0) != savp)
        complain(out, s, "%u a=crypto with %s", count_attrs(s, "crypto"), s->proto);
}

static void check_ims_media(const section *s, bool mux_asked, GString *out)
{
    static const char *const MUX[] = {"rtcp-mux", NULL};
    static const char *const AUDIO[] = {"rtcp-fb", "extmap", NULL};
    forbid(s, WEBRTC_ONLY, out);
    if (!mux_asked)
        forbid(s, MUX, out);
    if (refused(s))
        return;
    if (strcmp(s->kind, "audio") != 0 && strcmp(s->kind, "video") != 0)
        complain(out, s, "a media that is not served is open");
    check_ims_profile(s, out);
    check_ims_codecs(s, out);
    if (strcmp(s->kind, "audio") == 0)
        forbid(s, AUDIO, out);
    else
        check_ims_video(s, out);
    if (strtol(s->port, NULL, 10) % 2 != 0)
        complain(out, s, "odd RTP port %s", s->port);
}

void sdp_rules_ims(const char *sdp, bool mux_asked, GString *out)
{
    text t;
    read_text(&t, sdp);
    forbid(&t.session, WEBRTC_ONLY, out);
    if (count_attrs(&t.session, "crypto") > 0)
        complain(out, NULL, "a=crypto at session level (RFC 4568 section 4)");
    for (guint i = 0; i < t.medias->len; i++) {
        check_ims_media(media(&t, i), mux_asked, out);
        for (guint k = i + 1; k < t.medias->len; k++) {
            if (!refused(media(&t, i)) && strcmp(media(&t, i)->port, media(&t, k)->port) == 0)
                complain(out, media(&t, k), "shares port %s", media(&t, k)->port);
        }
    }
    free_text(&t);
}

/* --- toward a browser --- */

static const char *const IMS_ONLY[] = {"acap", "acfg",   "cdsc", "conf",     "cpar",
                                       "creq", "crypto", "csup", "curr",     "des",
                                       "pcfg", "sqn",    "tcap", "key-mgmt", NULL};

static void forbid_private(const section *s, GString *out)
{
    forbid(s, IMS_ONLY, out);
    for (guint i = 0; i < s->lines->len; i++) {
        const char *l = line_of(s, i);
        if (g_str_has_prefix(l, "a=3gpp_") || g_str_has_prefix(l, "b="))
            complain(out, s, "has no place here: \"%s\"", l);
    }
}

static bool good_setup(const char *setup, bool is_answer)
{
    if (setup == NULL)
        return false;
    return strcmp(setup, "active") == 0 || strcmp(setup, "passive") == 0 ||
           (!is_answer && strcmp(setup, "actpass") == 0);
}

/* RFC 9143 section 9: the medias behind the first of a group carry no transport attributes of
 * their own, or the same ones. */
static const section *tagged(const text *t, const section *s)
{
    const char *group = find(&t->session, "group"), *mid = find(s, "mid");
    if (group == NULL || mid == NULL || !g_str_has_prefix(group, "BUNDLE "))
        return s;
    char **w = g_strsplit(group + 7, " ", -1);
    const section *first = s;
    if (g_strv_contains((const char *const *)w, mid)) {
        for (guint i = 0; i < t->medias->len; i++) {
            if (g_strcmp0(find(media(t, i), "mid"), w[0]) == 0)
                first = media(t, i);
        }
    }
    g_strfreev(w);
    return first;
}

static void check_candidates(const section *s, GString *out)
{
    bool port_listed = false;
    for (guint i = 0; i < s->lines->len; i++) {
        const char *v = attr_value(s, i, "candidate");
        if (v == NULL)
            continue;
        char **w = g_strsplit(v, " ", -1);
        if (g_strv_length(w) < 8 || g_ascii_strcasecmp(w[2], "udp") != 0 ||
            strcmp(w[6], "typ") != 0 || strcmp(w[7], "host") != 0 || strcmp(w[1], "1") != 0)
            complain(out, s, "candidate \"%s\"", v);
        else
            port_listed |= strcmp(w[5], s->port) == 0;
        g_strfreev(w);
    }
    if (!port_listed)
        complain(out, s, "no candidate of port %s", s->port);
}

static void check_webrtc_transport(const text *t, const section *s, bool is_answer, GString *out)
{
    const section *first = tagged(t, s);
    if (find_here_or_above(t, first, "ice-ufrag") == NULL ||
        find_here_or_above(t, first, "ice-pwd") == NULL)
        complain(out, s, "no ICE credentials");
    if (find_here_or_above(t, first, "fingerprint") == NULL)
        complain(out, s, "no fingerprint");
    const char *setup = find_here_or_above(t, first, "setup");
    if (!good_setup(setup, is_answer))
        complain(out, s, "setup %s", setup != NULL ? setup : "missing");
    if (find(s, "rtcp-mux") == NULL)
        complain(out, s, "no rtcp-mux");
    if (first == s)
        check_candidates(s, out);
    else if (is_answer && strcmp(first->port, s->port) != 0)
        complain(out, s, "bundled, but on port %s", s->port);
}

static void check_webrtc_media(const text *t, const section *s, bool is_answer, GString *out)
{
    forbid_private(s, out);
    if (refused(s))
        return;
    if (strcmp(s->proto, "UDP/TLS/RTP/SAVPF") != 0)
        complain(out, s, "profile %s", s->proto);
    check_webrtc_transport(t, s, is_answer, out);
}

static bool mid_is_live(const text *t, const char *mid)
{
    for (guint i = 0; i < t->medias->len; i++) {
        if (g_strcmp0(find(media(t, i), "mid"), mid) == 0)
            return !refused(media(t, i));
    }
    return false;
}

/* Chromium discards an answer whose group names a refused media. */
static void check_group(const text *t, GString *out)
{
    const char *group = find(&t->session, "group");
    char **w = g_strsplit(group != NULL ? group : "", " ", -1);
    for (char **mid = w[0] != NULL ? w + 1 : w; *mid != NULL; mid++) {
        if (!mid_is_live(t, *mid))
            complain(out, NULL, "group names %s, which is not open", *mid);
    }
    g_strfreev(w);
}

void sdp_rules_webrtc(const char *sdp, bool is_answer, GString *out)
{
    text t;
    read_text(&t, sdp);
    forbid_private(&t.session, out);
    check_group(&t, out);
    for (guint i = 0; i < t.medias->len; i++)
        check_webrtc_media(&t, media(&t, i), is_answer, out);
    free_text(&t);
}

/* --- answers --- */

static const char *direction(const text *t, const section *s)
{
    static const char *const NAMES[] = {"sendonly", "recvonly", "inactive", "sendrecv", NULL};
    for (const char *const *n = NAMES; *n != NULL; n++) {
        if (find(s, *n) != NULL)
            return *n;
    }
    for (const char *const *n = NAMES; *n != NULL; n++) {
        if (find(&t->session, *n) != NULL)
            return *n;
    }
    return "sendrecv";
}

/* RFC 3264 section 6.1. */
static void check_direction(const char *offered, const char *answered, const section *s,
                            GString *out)
{
    const bool may_send = strcmp(offered, "sendonly") != 0 && strcmp(offered, "inactive") != 0;
    const bool may_receive = strcmp(offered, "recvonly") != 0 && strcmp(offered, "inactive") != 0;
    const bool sends = strcmp(answered, "sendrecv") == 0 || strcmp(answered, "sendonly") == 0;
    const bool receives = strcmp(answered, "sendrecv") == 0 || strcmp(answered, "recvonly") == 0;
    if ((sends && !may_send) || (receives && !may_receive))
        complain(out, s, "%s answers %s", answered, offered);
}

static const char *static_map(const char *pt)
{
    static const char *const MAPS[] = {"0", "PCMU/8000", "8",  "PCMA/8000", "9", "G722/8000",
                                       "3", "GSM/8000",  "13", "CN/8000",   NULL};
    for (const char *const *m = MAPS; *m != NULL; m += 2) {
        if (strcmp(pt, m[0]) == 0)
            return m[1];
    }
    return NULL;
}

static const char *map_of(const section *s, const char *pt)
{
    const char *map = find_for(s, "rtpmap", pt);
    return map != NULL ? map : static_map(pt);
}

/* "AMR/8000" and "AMR/8000/1" are the same. */
static bool same_map(const char *a, const char *b)
{
    char *x = g_ascii_strdown(a != NULL ? a : "", -1), *y = g_ascii_strdown(b != NULL ? b : "", -1);
    if (g_str_has_suffix(x, "/1"))
        x[strlen(x) - 2] = '\0';
    if (g_str_has_suffix(y, "/1"))
        y[strlen(y) - 2] = '\0';
    const bool same = strcmp(x, y) == 0;
    g_free(x);
    g_free(y);
    return same;
}

static char *parameter(const section *s, const char *pt, const char *key, const char *otherwise)
{
    char **w = g_strsplit(find_for(s, "fmtp", pt) != NULL ? find_for(s, "fmtp", pt) : "", ";", -1);
    char *value = g_strdup(otherwise);
    for (char **p = w; *p != NULL; p++) {
        g_strstrip(*p);
        if (g_str_has_prefix(*p, key) && (*p)[strlen(key)] == '=') {
            g_free(value);
            value = g_strdup(*p + strlen(key) + 1);
        }
    }
    g_strfreev(w);
    return value;
}

static void check_parameter(const section *offer, const section *answer, const char *pt,
                            const char *codec, const char *key, GString *out)
{
    if (!name_of_codec_is(answer, pt, codec))
        return;
    char *a = parameter(offer, pt, key, "0"), *b = parameter(answer, pt, key, "0");
    if (strcmp(a, b) != 0)
        complain(out, answer, "%s=%s answers %s for %s", key, b, a, pt);
    g_free(a);
    g_free(b);
}

/* RFC 4867 section 8.3.1 and RFC 6184 section 8.2.2: these must be equal, or it is another codec.
 */
static void check_answer_formats(const section *offer, const section *answer, GString *out)
{
    for (char **f = answer->formats; *f != NULL; f++) {
        if (!listed(offer, *f, strlen(*f)))
            complain(out, answer, "format %s was not offered", *f);
        else if (!same_map(map_of(offer, *f), map_of(answer, *f)))
            complain(out, answer, "format %s is another codec than offered", *f);
        check_parameter(offer, answer, *f, "AMR", "octet-align", out);
        check_parameter(offer, answer, *f, "AMR-WB", "octet-align", out);
        check_parameter(offer, answer, *f, "H264", "packetization-mode", out);
    }
}

static bool profile_fits(const text *o, const section *offer, const section *answer)
{
    if (strcmp(offer->proto, answer->proto) == 0)
        return true;
    const char *tcap = find_here_or_above(o, offer, "tcap");
    return find(answer, "acfg") != NULL && find(offer, "pcfg") != NULL && tcap != NULL &&
           strstr(tcap, answer->proto) != NULL;
}

static void check_answer_only_if_offered(const text *o, const section *offer, const section *answer,
                                         GString *out)
{
    static const char *const NAMES[] = {"rtcp-mux",    "rtcp-rsize", "ice-ufrag",
                                        "fingerprint", "mid",        NULL};
    for (const char *const *n = NAMES; *n != NULL; n++) {
        if (find(answer, *n) != NULL && find_here_or_above(o, offer, *n) == NULL)
            complain(out, answer, "%s was not offered", *n);
    }
}

static void check_answer_setup(const text *o, const section *offer, const text *a,
                               const section *answer, GString *out)
{
    const char *offered = find_here_or_above(o, offer, "setup");
    const char *answered = find_here_or_above(a, answer, "setup");
    if (offered == NULL || answered == NULL)
        return;
    const bool good =
        strcmp(offered, "actpass") == 0
            ? strcmp(answered, "actpass") != 0
            : strcmp(answered, strcmp(offered, "active") == 0 ? "passive" : "active") == 0;
    if (!good)
        complain(out, answer, "setup %s answers %s", answered, offered);
}

static void check_answer_extmaps(const section *offer, const section *answer, GString *out)
{
    for (guint i = 0; i < answer->lines->len; i++) {
        const char *v = attr_value(answer, i, "extmap");
        const char *uri = v != NULL ? strchr(v, ' ') : NULL;
        bool found = v == NULL;
        for (guint k = 0; k < offer->lines->len && uri != NULL; k++) {
            const char *w = attr_value(offer, k, "extmap");
            const char *offered = w != NULL ? strchr(w, ' ') : NULL;
            found |= offered != NULL && g_str_has_prefix(offered, uri) &&
                     strtol(w, NULL, 10) == strtol(v, NULL, 10);
        }
        if (!found)
            complain(out, answer, "extension was not offered: \"%s\"", v);
    }
}

static void check_answer_media(const text *o, const section *offer, const text *a,
                               const section *answer, GString *out)
{
    if (strcmp(offer->kind, answer->kind) != 0)
        complain(out, answer, "stands where %s was offered", offer->kind);
    if (!profile_fits(o, offer, answer))
        complain(out, answer, "profile %s answers %s", answer->proto, offer->proto);
    if (g_strcmp0(find(offer, "mid"), find(answer, "mid")) != 0 && find(answer, "mid") != NULL)
        complain(out, answer, "another mid");
    if (refused(answer))
        return;
    if (refused(offer)) {
        complain(out, answer, "opens what was offered with port 0");
        return;
    }
    if (find(offer, "mid") != NULL && find(offer, "ice-ufrag") != NULL &&
        find(answer, "mid") == NULL)
        complain(out, answer, "no mid");
    check_answer_formats(offer, answer, out);
    check_direction(direction(o, offer), direction(a, answer), answer, out);
    check_answer_only_if_offered(o, offer, answer, out);
    check_answer_setup(o, offer, a, answer, out);
    check_answer_extmaps(offer, answer, out);
}

static void check_answer_group(const text *o, const text *a, GString *out)
{
    const char *offered = find(&o->session, "group"), *answered = find(&a->session, "group");
    if (answered == NULL)
        return;
    char **all = g_strsplit(offered != NULL ? offered : "", " ", -1);
    char **mids = g_strsplit(answered, " ", -1);
    for (char **m = mids; *m != NULL; m++) {
        if (!g_strv_contains((const char *const *)all, *m))
            complain(out, NULL, "group member %s was not offered", *m);
    }
    g_strfreev(all);
    g_strfreev(mids);
}

void sdp_rules_answer(const char *offer, const char *answer, GString *out)
{
    text o, a;
    read_text(&o, offer);
    read_text(&a, answer);
    if (o.medias->len != a.medias->len)
        complain(out, NULL, "%u medias answer %u", a.medias->len, o.medias->len);
    for (guint i = 0; i < MIN(o.medias->len, a.medias->len); i++)
        check_answer_media(&o, media(&o, i), &a, media(&a, i), out);
    check_answer_group(&o, &a, out);
    free_text(&o);
    free_text(&a);
}

/* --- one after the other --- */

static void check_origin(const text *p, const text *n, bool same, GString *out)
{
    char **a = g_strsplit(line_of(&p->session, 1), " ", -1);
    char **b = g_strsplit(line_of(&n->session, 1), " ", -1);
    if (g_strv_length(a) == 6 && g_strv_length(b) == 6) {
        const guint64 was = g_ascii_strtoull(a[2], NULL, 10), is = g_ascii_strtoull(b[2], NULL, 10);
        if (strcmp(a[0], b[0]) != 0 || strcmp(a[1], b[1]) != 0)
            complain(out, NULL, "another origin: \"%s\" then \"%s\"", line_of(&p->session, 1),
                     line_of(&n->session, 1));
        else if (same ? is != was : is != was + 1)
            complain(out, NULL, "version %s then %s, text %s", a[2], b[2],
                     same ? "unchanged" : "changed");
    } else {
        complain(out, NULL, "bad origin");
    }
    g_strfreev(a);
    g_strfreev(b);
}

static bool same_but_origin(const text *p, const text *n)
{
    char **a = p->all, **b = n->all;
    for (; *a != NULL && *b != NULL; a++, b++) {
        if (!g_str_has_prefix(*a, "o=") && strcmp(*a, *b) != 0)
            return false;
    }
    return *a == NULL && *b == NULL;
}

void sdp_rules_version(const char *previous, const char *next, GString *out)
{
    text p, n;
    read_text(&p, previous);
    read_text(&n, next);
    check_origin(&p, &n, same_but_origin(&p, &n), out);
    free_text(&p);
    free_text(&n);
}

void sdp_rules_succession(const char *previous, const char *next, GString *out)
{
    text p, n;
    read_text(&p, previous);
    read_text(&n, next);
    if (n.medias->len < p.medias->len)
        complain(out, NULL, "medias vanish: %u then %u", p.medias->len, n.medias->len);
    for (guint i = 0; i < MIN(p.medias->len, n.medias->len); i++) {
        const section *was = media(&p, i), *is = media(&n, i);
        if (!refused(was) && !refused(is) && strcmp(was->kind, is->kind) != 0)
            complain(out, is, "stands where %s was", was->kind);
        if (!refused(was) && !refused(is) && find(was, "mid") != NULL &&
            g_strcmp0(find(was, "mid"), find(is, "mid")) != 0)
            complain(out, is, "another mid than before");
    }
    free_text(&p);
    free_text(&n);
}
