/* SPDX-License-Identifier: BSD-3-Clause
 * Text to description: cut into lines, cut into sections, read each line once. Every step is linear
 * in the text; every refusal names its line. What a line means for a call is negotiate's. */
#include "control/sdp.h"

#include "control/sdp_arena.h"

#include <stdio.h>
#include <string.h>

typedef struct line {
    char type;
    unsigned number;
    char *value; /* in the arena's copy of the text */
} line;

struct attr_name;

typedef struct parser {
    agw_sdp *sdp;
    bool fragment;
    unsigned line; /* where we are, for the reason */
    agw_sdp_why *why;
    size_t n_lines;
    line *lines;
    GHashTable *bundles;            /* mid -> BUNDLE group; NULL = there is none */
    const struct attr_name **known; /* of the media at hand, by attribute; NULL = not known */
    const agw_sdp_fb **fb_tail[AGW_SDP_FORMAT_MAX]; /* of the media at hand, by codec */
    size_t n_fb_all;
} parser;

enum { FB_ALL_MAX = 16 }; /* "a=rtcp-fb:*" lines of one media: each costs once per format */

/* The texts are ours alone: a reason goes into logs and replies, so it quotes no foreign bytes. */
static agw_err refuse(parser *p, const char *reason)
{
    if (p->why != NULL) {
        p->why->line = p->line;
        if (p->line != 0)
            snprintf(p->why->text, sizeof p->why->text, "SDP line %u: %s", p->line, reason);
        else
            snprintf(p->why->text, sizeof p->why->text, "SDP: %s", reason);
    }
    return AGW_ERR_MALFORMED;
}

static void *alloc(parser *p, size_t n, size_t size)
{
    return n != 0 ? agw_sdp_arena_alloc(p->sdp->arena, n, size) : NULL;
}

static char *keep(parser *p, const char *text, size_t len)
{
    char *copy = agw_sdp_arena_alloc(p->sdp->arena, len + 1, 1);
    memcpy(copy, text, len);
    return copy;
}

/* --- words of a value --- */

/* The next word at *at, kept; NULL when there is none. *at moves behind it. */
static const char *word(parser *p, const char **at)
{
    const char *from = *at + strspn(*at, " ");
    const size_t len = strcspn(from, " ");
    *at = from + len;
    return len != 0 ? keep(p, from, len) : NULL;
}

/* The rest of the line, or NULL when it is empty. It is part of the arena already. */
static const char *rest(const char *at)
{
    at += strspn(at, " ");
    return *at != '\0' ? at : NULL;
}

static size_t count_words(const char *at)
{
    size_t n = 0;
    for (;;) {
        at += strspn(at, " ");
        if (*at == '\0')
            return n;
        n++;
        at += strcspn(at, " ");
    }
}

/* Decimal digits at *at up to max; *at moves behind them. */
static bool number(const char **at, uint64_t max, uint64_t *out)
{
    const char *s = *at;
    uint64_t n = 0;
    for (; *s >= '0' && *s <= '9'; s++) {
        n = n * 10 + (uint64_t)(*s - '0');
        if (n > max)
            return false;
    }
    if (s == *at)
        return false;
    *at = s;
    *out = n;
    return true;
}

/* A number followed by a space or the end. */
static bool whole_number(const char **at, uint64_t max, uint64_t *out)
{
    *at += strspn(*at, " ");
    return number(at, max, out) && (**at == ' ' || **at == '\0');
}

/* --- lines --- */

static agw_err check_byte(parser *p, unsigned char c)
{
    if (c == '\0')
        return refuse(p, "a NUL byte");
    if ((c < 0x20 && c != '\t') || c == 0x7f)
        return refuse(p, "a control character");
    return AGW_OK;
}

/* Whether one of eight bytes may be below 0x20 or 0x7f: the bit that a borrow leaves in it. */
static bool may_have_control(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), del = eight ^ (ones * 0x7f);
    return (((eight - ones * 0x20) | (del - ones)) & ~eight & (ones * 0x80)) != 0;
}

static bool has_control(const char *from, size_t n)
{
    bool found = false;
    for (; n >= sizeof(uint64_t) && !found; n -= sizeof(uint64_t), from += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, from, sizeof eight);
        found = may_have_control(eight);
    }
    for (size_t i = 0; i < n; i++)
        found |= (unsigned char)from[i] < 0x20 || from[i] == 0x7f;
    return found;
}

/* Ends the line at *from in place; returns its length without the spaces behind it. */
static agw_err clean_line(parser *p, char *from, size_t *len)
{
    size_t n = *len;
    if (n > 0 && from[n - 1] == '\r')
        n--;
    for (size_t i = has_control(from, n) ? 0 : n; i < n; i++) {
        const agw_err err = check_byte(p, (unsigned char)from[i]);
        if (err != AGW_OK)
            return err;
        if (from[i] == '\t')
            from[i] = ' ';
    }
    while (n > 0 && from[n - 1] == ' ')
        n--;
    from[n] = '\0';
    *len = n;
    return AGW_OK;
}

static agw_err take_line(parser *p, char *from, size_t len, bool *ended)
{
    const agw_err err = clean_line(p, from, &len);
    if (err != AGW_OK)
        return err;
    if (len == 0) {
        *ended = true;
        return AGW_OK;
    }
    if (*ended)
        return refuse(p, "an empty line before it");
    if (len < 2 || from[1] != '=' || !g_ascii_isalpha(from[0]))
        return refuse(p, "not of the form letter=value");
    p->lines[p->n_lines++] = (line){.type = from[0], .number = p->line, .value = from + 2};
    return AGW_OK;
}

static size_t count_line_ends(const char *text, size_t len)
{
    size_t n = 0;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(text + len - at))) != NULL; at++)
        n++;
    return n;
}

static agw_err cut_lines(parser *p, const char *text, size_t len)
{
    char *copy = keep(p, text, len);
    p->lines = alloc(p, count_line_ends(text, len) + 1, sizeof *p->lines);
    bool ended = false;
    for (size_t at = 0; at < len;) {
        p->line++;
        const char *lf = memchr(copy + at, '\n', len - at);
        const size_t line_len = lf != NULL ? (size_t)(lf - copy) - at : len - at;
        const agw_err err = take_line(p, copy + at, line_len, &ended);
        if (err != AGW_OK)
            return err;
        at += line_len + 1;
    }
    return AGW_OK;
}

/* --- attributes by name --- */

typedef agw_err attr_reader(parser *p, agw_sdp_media *m, const char *value);

static agw_err read_bundle_only(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    m->bundle_only = true;
    return AGW_OK;
}

static agw_err read_candidate(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    m->candidates.v[m->candidates.n++] = value;
    return AGW_OK;
}

static agw_err read_crypto(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    m->crypto.v[m->crypto.n++] = value;
    return AGW_OK;
}

static agw_err read_end_of_candidates(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    m->end_of_candidates = true;
    return AGW_OK;
}

static agw_err set_direction(agw_sdp_media *m, agw_sdp_direction dir)
{
    m->direction = dir;
    m->own_direction = true;
    return AGW_OK;
}

static agw_err read_sendrecv(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    return set_direction(m, AGW_SDP_SENDRECV);
}

static agw_err read_sendonly(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    return set_direction(m, AGW_SDP_SENDONLY);
}

static agw_err read_recvonly(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    return set_direction(m, AGW_SDP_RECVONLY);
}

static agw_err read_inactive(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    return set_direction(m, AGW_SDP_INACTIVE);
}

/* a=extmap:1/sendrecv urn:... attributes (RFC 8285 section 5) */
static agw_err read_extmap(parser *p, agw_sdp_media *m, const char *value)
{
    agw_sdp_extmap e = {.direction = AGW_SDP_SENDRECV};
    uint64_t id;
    if (!number(&value, UINT16_MAX, &id) || id == 0)
        return refuse(p, "extmap without a number");
    e.id = (uint16_t)id;
    if (*value == '/') {
        const char *text = word(p, &value);
        e.has_direction = true;
        for (e.direction = AGW_SDP_INACTIVE; e.direction < AGW_SDP_SENDRECV; e.direction++) {
            if (strcmp(text + 1, agw_sdp_direction_text(e.direction)) == 0)
                break;
        }
    }
    e.uri = *value == ' ' ? word(p, &value) : NULL;
    if (e.uri == NULL)
        return refuse(p, "extmap without a URI");
    e.attributes = rest(value);
    m->extmaps[m->n_extmaps++] = e;
    return AGW_OK;
}

static agw_err read_fingerprint(parser *p, agw_sdp_media *m, const char *value)
{
    if (count_words(value) != 2)
        return refuse(p, "fingerprint is not hash and value");
    m->fingerprints.v[m->fingerprints.n++] = value;
    return AGW_OK;
}

/* The codec that a line such as "97 ..." or "97" means; NULL when the format is not listed. */
static agw_sdp_codec *codec_at(agw_sdp_media *m, const char **value)
{
    uint64_t pt;
    if (!whole_number(value, 127, &pt) || m->codec_of_pt[pt] == 0)
        return NULL;
    return &m->codecs[m->codec_of_pt[pt] - 1];
}

static agw_err read_fmtp(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    agw_sdp_codec *c = codec_at(m, &value);
    if (c != NULL && c->fmtp == NULL)
        c->fmtp = rest(value);
    return AGW_OK;
}

static agw_err read_group(parser *p, agw_sdp_media *m, const char *value)
{
    if (m->kind != NULL)
        return AGW_OK; /* only the session groups */
    agw_sdp_group *g = &p->sdp->groups[p->sdp->n_groups];
    g->semantics = word(p, &value);
    if (g->semantics == NULL)
        return refuse(p, "group without semantics");
    const size_t n = count_words(value);
    if (n > AGW_SDP_MEDIA_MAX)
        return refuse(p, "group of too many medias");
    g->mids.v = alloc(p, n, sizeof *g->mids.v);
    while (g->mids.n < n)
        g->mids.v[g->mids.n++] = word(p, &value);
    p->sdp->n_groups++;
    return AGW_OK;
}

static agw_err read_ice_lite(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    m->ice_lite = true;
    return AGW_OK;
}

static agw_err read_ice_options(parser *p, agw_sdp_media *m, const char *value)
{
    for (const char *w; (w = word(p, &value)) != NULL;)
        m->ice_trickle |= strcmp(w, "trickle") == 0;
    return AGW_OK;
}

/* Length bounds of RFC 8839 section 5.4; which characters, the STUN side does not mind. */
static agw_err read_credential(parser *p, const char **out, const char *value, size_t least)
{
    const size_t len = strlen(value);
    if (len < least || strchr(value, ' ') != NULL)
        return refuse(p, "ICE credential too short");
    if (len > AGW_SDP_ICE_TEXT_MAX)
        return refuse(p, "ICE credential too long");
    *out = value;
    return AGW_OK;
}

static agw_err read_ice_pwd(parser *p, agw_sdp_media *m, const char *value)
{
    return read_credential(p, &m->ice_pwd, value, 22);
}

static agw_err read_ice_ufrag(parser *p, agw_sdp_media *m, const char *value)
{
    return read_credential(p, &m->ice_ufrag, value, 4);
}

/* Wishes, not commands: a value that cannot be read counts as not said. */
static uint32_t milliseconds(const char *value)
{
    uint64_t ms;
    value += strspn(value, " ");
    return number(&value, 10000, &ms) ? (uint32_t)ms : 0;
}

static agw_err read_ptime(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    m->ptime_ms = milliseconds(value);
    return AGW_OK;
}

static agw_err read_maxptime(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    m->maxptime_ms = milliseconds(value);
    return AGW_OK;
}

static agw_err read_mid(parser *p, agw_sdp_media *m, const char *value)
{
    const char *mid = word(p, &value);
    if (mid == NULL || rest(value) != NULL)
        return refuse(p, "mid is not one word");
    if (strlen(mid) > AGW_SDP_MID_MAX)
        return refuse(p, "mid too long");
    if (m->kind == NULL)
        return AGW_OK; /* it has no meaning at session level */
    if (p->sdp->by_mid == NULL)
        p->sdp->by_mid = g_hash_table_new(g_str_hash, g_str_equal);
    if (m->mid != NULL || g_hash_table_contains(p->sdp->by_mid, mid))
        return refuse(p, "mid is there already");
    m->mid = mid;
    /* GLib keeps keys as gpointer; it does not write to them. */
    g_hash_table_insert(p->sdp->by_mid, (gpointer)(uintptr_t)mid, m);
    return AGW_OK;
}

static agw_err read_msid(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    if (m->msid == NULL)
        m->msid = value;
    return AGW_OK;
}

/* "t=1|2": false when it is something else. */
static bool read_transports(parser *p, agw_sdp_pcfg *c, const char *text)
{
    if (strncmp(text, "t=", 2) != 0 || c->n_transports != 0)
        return false;
    uint32_t *list = alloc(p, AGW_SDP_CAPABILITY_MAX, sizeof *list);
    for (text++; *text != '\0' && c->n_transports < AGW_SDP_CAPABILITY_MAX;) {
        uint64_t n;
        text++; /* '=' or '|' */
        if (!number(&text, INT32_MAX, &n) || (*text != '|' && *text != '\0'))
            return false;
        list[c->n_transports++] = (uint32_t)n;
    }
    c->transports = list;
    return true;
}

/* a=pcfg:1 t=1|2 a=-m:1 (RFC 5939 section 3.5.1): what is not understood is not chosen */
static agw_err read_pcfg(parser *p, agw_sdp_media *m, const char *value)
{
    uint64_t n;
    if (m->n_pcfgs == AGW_SDP_CAPABILITY_MAX || !whole_number(&value, INT32_MAX, &n))
        return AGW_OK;
    agw_sdp_pcfg c = {.number = (uint32_t)n, .only_transport = true};
    for (const char *w; (w = word(p, &value)) != NULL;)
        c.only_transport &= read_transports(p, &c, w);
    m->pcfgs[m->n_pcfgs++] = c;
    return AGW_OK;
}

static agw_err read_tcap(parser *p, agw_sdp_media *m, const char *value)
{
    uint64_t n;
    if (!whole_number(&value, INT32_MAX, &n))
        return AGW_OK;
    for (const char *w; (w = word(p, &value)) != NULL; n++) {
        if (m->n_tcaps == AGW_SDP_CAPABILITY_MAX)
            return AGW_OK;
        m->tcaps[m->n_tcaps++] = (agw_sdp_tcap){.number = (uint32_t)n, .proto_text = w};
    }
    return AGW_OK;
}

static agw_err read_address(parser *p, agw_sdp_conn *out, const char *value);

/* a=rtcp:53020 IN IP4 126.16.64.4 (RFC 3605) */
static agw_err read_rtcp(parser *p, agw_sdp_media *m, const char *value)
{
    uint64_t port;
    if (!whole_number(&value, UINT16_MAX, &port))
        return refuse(p, "rtcp without a port");
    m->rtcp_port = (uint16_t)port;
    return rest(value) != NULL ? read_address(p, &m->rtcp_conn, value) : AGW_OK;
}

static void append_fb(parser *p, agw_sdp_media *m, size_t codec, const char *value)
{
    agw_sdp_fb *fb = alloc(p, 1, sizeof *fb);
    fb->value = value;
    if (p->fb_tail[codec] == NULL)
        m->codecs[codec].fb = fb;
    else
        *p->fb_tail[codec] = fb;
    p->fb_tail[codec] = &fb->next;
}

static agw_err read_rtcp_fb(parser *p, agw_sdp_media *m, const char *value)
{
    value += strspn(value, " ");
    if (*value != '*') {
        const agw_sdp_codec *c = codec_at(m, &value);
        if (c != NULL && rest(value) != NULL)
            append_fb(p, m, (size_t)(c - m->codecs), rest(value));
        return AGW_OK;
    }
    value = rest(value + 1);
    if (value == NULL)
        return AGW_OK;
    if (p->n_fb_all++ == FB_ALL_MAX)
        return refuse(p, "too many rtcp-fb lines for all formats");
    for (size_t i = 0; i < m->n_codecs; i++)
        append_fb(p, m, i, value);
    return AGW_OK;
}

static agw_err read_rtcp_mux(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    m->rtcp_mux = true;
    return AGW_OK;
}

static agw_err read_rtcp_mux_only(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    m->rtcp_mux_only = true;
    return AGW_OK;
}

static agw_err read_rtcp_rsize(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p, (void)value;
    m->rtcp_rsize = true;
    return AGW_OK;
}

/* a=rtcp-xr:rcvr-rtt=all:100 voip-metrics; formats that we do not know are none of ours */
static agw_err read_rtcp_xr(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    char **formats = g_strsplit(value != NULL ? value : "", " ", 0);
    for (char **f = formats; *f != NULL; f++) {
        m->xr_rtt |= strcmp(*f, "rcvr-rtt=all") == 0 || g_str_has_prefix(*f, "rcvr-rtt=all:");
        m->xr_voip |= strcmp(*f, "voip-metrics") == 0;
    }
    g_strfreev(formats);
    return AGW_OK;
}

/* a=rtpmap:97 AMR-WB/16000/1 */
static agw_err read_rtpmap(parser *p, agw_sdp_media *m, const char *value)
{
    if (m->proto == AGW_SDP_OTHER)
        return AGW_OK;
    uint64_t pt, clock, channels = 1;
    if (!whole_number(&value, 127, &pt))
        return refuse(p, "rtpmap without a payload type");
    value += strspn(value, " ");
    const size_t name = strcspn(value, "/ ");
    const char *at = value + name;
    if (name == 0 || *at++ != '/' || !number(&at, 1000000000, &clock) || clock == 0)
        return refuse(p, "rtpmap is not name/clock");
    if (*at == '/' && (at++, !number(&at, 255, &channels) || channels == 0))
        return refuse(p, "rtpmap with bad channels");
    agw_sdp_codec *c = m->codec_of_pt[pt] != 0 ? &m->codecs[m->codec_of_pt[pt] - 1] : NULL;
    if (c == NULL || c->has_rtpmap)
        return AGW_OK;
    c->has_rtpmap = true;
    c->name = keep(p, value, name);
    c->clock_hz = (uint32_t)clock;
    c->channels = (uint32_t)channels;
    return AGW_OK;
}

static agw_err read_setup(parser *p, agw_sdp_media *m, const char *value)
{
    for (agw_sdp_setup s = AGW_SDP_SETUP_ACTPASS; s <= AGW_SDP_SETUP_HOLDCONN; s++) {
        if (g_ascii_strcasecmp(value, agw_sdp_setup_text(s)) == 0) {
            m->setup = s;
            return AGW_OK;
        }
    }
    return refuse(p, "setup is none of actpass, active, passive, holdconn");
}

static agw_sdp_ssrc *ssrc_entry(agw_sdp_media *m, uint32_t ssrc)
{
    for (size_t i = m->n_ssrcs; i-- > 0;) { /* lines of one SSRC stand together */
        if (m->ssrcs[i].ssrc == ssrc)
            return &m->ssrcs[i];
    }
    if (m->n_ssrcs == AGW_SDP_SSRC_MAX)
        return NULL;
    m->ssrcs[m->n_ssrcs].ssrc = ssrc;
    return &m->ssrcs[m->n_ssrcs++];
}

static agw_err read_ssrc(parser *p, agw_sdp_media *m, const char *value)
{
    uint64_t ssrc;
    if (!whole_number(&value, UINT32_MAX, &ssrc))
        return refuse(p, "ssrc is not a number");
    agw_sdp_ssrc *s = ssrc_entry(m, (uint32_t)ssrc);
    const char *attr = rest(value);
    if (s != NULL && s->cname == NULL && attr != NULL && strncmp(attr, "cname:", 6) == 0)
        s->cname = attr + 6;
    return AGW_OK;
}

static agw_err read_ssrc_group(parser *p, agw_sdp_media *m, const char *value)
{
    agw_sdp_ssrc_group g = {.semantics = word(p, &value)};
    const size_t n = count_words(value);
    if (g.semantics == NULL || n > AGW_SDP_SSRC_MAX)
        return refuse(p, "ssrc-group without semantics or too long");
    g.ssrcs = alloc(p, n, sizeof *g.ssrcs);
    while (g.n < n) {
        uint64_t ssrc;
        if (!whole_number(&value, UINT32_MAX, &ssrc))
            return refuse(p, "ssrc is not a number");
        g.ssrcs[g.n++] = (uint32_t)ssrc;
    }
    m->ssrc_groups[m->n_ssrc_groups++] = g;
    return AGW_OK;
}

static agw_err read_tls_id(parser *p, agw_sdp_media *m, const char *value)
{
    (void)p;
    m->tls_id = value;
    return AGW_OK;
}

/* Sorted by name (without case): found by halving. */
static const struct attr_name {
    const char *name;
    agw_sdp_attr_kind kind;
    bool needs_value;
    attr_reader *read;
} ATTR_NAMES[] = {
    {"acap", AGW_SDP_A_ACAP, false, NULL},
    {"acfg", AGW_SDP_A_ACFG, false, NULL},
    {"bundle-only", AGW_SDP_A_BUNDLE_ONLY, false, read_bundle_only},
    {"candidate", AGW_SDP_A_CANDIDATE, true, read_candidate},
    {"cdsc", AGW_SDP_A_CDSC, false, NULL},
    {"conf", AGW_SDP_A_CONF, false, NULL},
    {"connection", AGW_SDP_A_CONNECTION, false, NULL},
    {"content", AGW_SDP_A_CONTENT, false, NULL},
    {"cpar", AGW_SDP_A_CPAR, false, NULL},
    {"creq", AGW_SDP_A_CREQ, false, NULL},
    {"crypto", AGW_SDP_A_CRYPTO, true, read_crypto},
    {"csup", AGW_SDP_A_CSUP, false, NULL},
    {"curr", AGW_SDP_A_CURR, false, NULL},
    {"dcmap", AGW_SDP_A_DCMAP, false, NULL},
    {"dcsa", AGW_SDP_A_DCSA, false, NULL},
    {"des", AGW_SDP_A_DES, false, NULL},
    {"end-of-candidates", AGW_SDP_A_END_OF_CANDIDATES, false, read_end_of_candidates},
    {"extmap", AGW_SDP_A_EXTMAP, true, read_extmap},
    {"extmap-allow-mixed", AGW_SDP_A_EXTMAP_ALLOW_MIXED, false, NULL},
    {"fingerprint", AGW_SDP_A_FINGERPRINT, true, read_fingerprint},
    {"fmtp", AGW_SDP_A_FMTP, true, read_fmtp},
    {"framerate", AGW_SDP_A_FRAMERATE, false, NULL},
    {"framesize", AGW_SDP_A_FRAMESIZE, false, NULL},
    {"group", AGW_SDP_A_GROUP, true, read_group},
    {"ice-lite", AGW_SDP_A_ICE_LITE, false, read_ice_lite},
    {"ice-mismatch", AGW_SDP_A_ICE_MISMATCH, false, NULL},
    {"ice-options", AGW_SDP_A_ICE_OPTIONS, true, read_ice_options},
    {"ice-pacing", AGW_SDP_A_ICE_PACING, false, NULL},
    {"ice-pwd", AGW_SDP_A_ICE_PWD, true, read_ice_pwd},
    {"ice-ufrag", AGW_SDP_A_ICE_UFRAG, true, read_ice_ufrag},
    {"identity", AGW_SDP_A_IDENTITY, false, NULL},
    {"imageattr", AGW_SDP_A_IMAGEATTR, false, NULL},
    {"inactive", AGW_SDP_A_INACTIVE, false, read_inactive},
    {"key-mgmt", AGW_SDP_A_KEY_MGMT, false, NULL},
    {"label", AGW_SDP_A_LABEL, false, NULL},
    {"lang", AGW_SDP_A_LANG, false, NULL},
    {"max-message-size", AGW_SDP_A_MAX_MESSAGE_SIZE, false, NULL},
    {"maxprate", AGW_SDP_A_MAXPRATE, false, NULL},
    {"maxptime", AGW_SDP_A_MAXPTIME, true, read_maxptime},
    {"mid", AGW_SDP_A_MID, true, read_mid},
    {"msid", AGW_SDP_A_MSID, true, read_msid},
    {"msid-semantic", AGW_SDP_A_MSID_SEMANTIC, false, NULL},
    {"pcfg", AGW_SDP_A_PCFG, true, read_pcfg},
    {"ptime", AGW_SDP_A_PTIME, true, read_ptime},
    {"recvonly", AGW_SDP_A_RECVONLY, false, read_recvonly},
    {"remote-candidates", AGW_SDP_A_REMOTE_CANDIDATES, false, NULL},
    {"rid", AGW_SDP_A_RID, false, NULL},
    {"rtcp", AGW_SDP_A_RTCP, true, read_rtcp},
    {"rtcp-fb", AGW_SDP_A_RTCP_FB, true, read_rtcp_fb},
    {"rtcp-mux", AGW_SDP_A_RTCP_MUX, false, read_rtcp_mux},
    {"rtcp-mux-only", AGW_SDP_A_RTCP_MUX_ONLY, false, read_rtcp_mux_only},
    {"rtcp-rsize", AGW_SDP_A_RTCP_RSIZE, false, read_rtcp_rsize},
    {"rtcp-xr", AGW_SDP_A_RTCP_XR, false, read_rtcp_xr},
    {"rtpmap", AGW_SDP_A_RTPMAP, true, read_rtpmap},
    {"sctp-port", AGW_SDP_A_SCTP_PORT, false, NULL},
    {"sctpmap", AGW_SDP_A_SCTPMAP, false, NULL},
    {"sdplang", AGW_SDP_A_SDPLANG, false, NULL},
    {"sendonly", AGW_SDP_A_SENDONLY, false, read_sendonly},
    {"sendrecv", AGW_SDP_A_SENDRECV, false, read_sendrecv},
    {"setup", AGW_SDP_A_SETUP, true, read_setup},
    {"simulcast", AGW_SDP_A_SIMULCAST, false, NULL},
    {"source-filter", AGW_SDP_A_SOURCE_FILTER, false, NULL},
    {"sqn", AGW_SDP_A_SQN, false, NULL},
    {"ssrc", AGW_SDP_A_SSRC, true, read_ssrc},
    {"ssrc-group", AGW_SDP_A_SSRC_GROUP, true, read_ssrc_group},
    {"tcap", AGW_SDP_A_TCAP, true, read_tcap},
    {"tls-id", AGW_SDP_A_TLS_ID, true, read_tls_id},
    {"tool", AGW_SDP_A_TOOL, false, NULL},
    {"type", AGW_SDP_A_TYPE, false, NULL},
    {"zrtp-hash", AGW_SDP_A_ZRTP_HASH, false, NULL},
};

static const struct attr_name *find_name(const char *name)
{
    size_t low = 0, high = G_N_ELEMENTS(ATTR_NAMES);
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = g_ascii_strcasecmp(name, ATTR_NAMES[mid].name);
        if (order == 0)
            return &ATTR_NAMES[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* --- lines by type --- */

static agw_err read_address(parser *p, agw_sdp_conn *out, const char *value)
{
    const char *net = word(p, &value), *type = word(p, &value), *address = word(p, &value);
    if (address == NULL)
        return refuse(p, "address is not IN IP4|IP6 address");
    const bool known =
        g_ascii_strcasecmp(net, "IN") == 0 &&
        (g_ascii_strcasecmp(type, "IP4") == 0 || g_ascii_strcasecmp(type, "IP6") == 0);
    if (!known)
        return refuse(p, "network or address type is not served");
    const size_t len = strcspn(address, "/"); /* 233.252.0.1/127: the time to live of multicast */
    *out = (agw_sdp_conn){.addrtype = type, .address = keep(p, address, len)};
    if (agw_addr_parse_ip(&out->ip, out->address) != AGW_OK)
        out->ip = (agw_addr){0};
    return AGW_OK;
}

static agw_err read_conn(parser *p, agw_sdp_media *m, const char *value)
{
    if (m->own_conn)
        return AGW_OK; /* layers of a multicast session: the first is the base */
    m->own_conn = true;
    return read_address(p, &m->conn, value);
}

static agw_err read_bandwidth(parser *p, agw_sdp_media *m, const char *value)
{
    const size_t len = strcspn(value, ":");
    const char *at = value + len;
    uint64_t n;
    if (len == 0 || *at++ != ':' || !whole_number(&at, UINT32_MAX, &n) || rest(at) != NULL)
        return refuse(p, "bandwidth is not type:number");
    if (m->n_bandwidths == AGW_SDP_BANDWIDTH_MAX)
        return refuse(p, "too many b= lines");
    m->bandwidths[m->n_bandwidths++] =
        (agw_sdp_bandwidth){.type = keep(p, value, len), .value = (uint32_t)n};
    return AGW_OK;
}

/* "user name 1 1 IN IP4 host": counted from the end, as some user names have spaces. */
static agw_err read_origin(parser *p, const char *value)
{
    agw_sdp_origin *o = &p->sdp->origin;
    if (o->username != NULL)
        return refuse(p, "a second o= line");
    const size_t n = count_words(value);
    if (n < 6)
        return refuse(p, "o= has less than six parts");
    const char *from = value + strspn(value, " "), *end = from;
    for (size_t i = 0; i < n - 5; i++) {
        end += strspn(end, " ");
        end += strcspn(end, " ");
    }
    o->username = keep(p, from, (size_t)(end - from));
    o->id = word(p, &end);
    o->version = word(p, &end);
    o->nettype = word(p, &end);
    o->addrtype = word(p, &end);
    o->address = word(p, &end);
    return AGW_OK;
}

static agw_err read_version(parser *p, const char *value)
{
    return strcmp(value, "0") == 0 ? AGW_OK : refuse(p, "the version is not 0");
}

static agw_err read_time(parser *p, const char *value)
{
    if (p->sdp->n_times == AGW_SDP_TIME_MAX)
        return refuse(p, "too many t= lines");
    p->sdp->times[p->sdp->n_times++] = value;
    return AGW_OK;
}

/* RFC 3551 section 6. */
static const struct static_codec {
    uint8_t pt;
    const char *name;
    uint32_t clock_hz, channels;
} STATIC_CODECS[] = {
    {0, "PCMU", 8000, 1},   {3, "GSM", 8000, 1},    {4, "G723", 8000, 1},   {5, "DVI4", 8000, 1},
    {6, "DVI4", 16000, 1},  {7, "LPC", 8000, 1},    {8, "PCMA", 8000, 1},   {9, "G722", 8000, 1},
    {10, "L16", 44100, 2},  {11, "L16", 44100, 1},  {12, "QCELP", 8000, 1}, {13, "CN", 8000, 1},
    {14, "MPA", 90000, 1},  {15, "G728", 8000, 1},  {16, "DVI4", 11025, 1}, {17, "DVI4", 22050, 1},
    {18, "G729", 8000, 1},  {25, "CelB", 90000, 1}, {26, "JPEG", 90000, 1}, {28, "nv", 90000, 1},
    {31, "H261", 90000, 1}, {32, "MPV", 90000, 1},  {33, "MP2T", 90000, 1}, {34, "H263", 90000, 1},
};

static agw_sdp_codec codec_of_number(uint8_t pt)
{
    agw_sdp_codec c = {.pt = pt, .name = "", .channels = 1};
    for (size_t i = 0; i < G_N_ELEMENTS(STATIC_CODECS); i++) {
        if (STATIC_CODECS[i].pt == pt) {
            c.name = STATIC_CODECS[i].name;
            c.clock_hz = STATIC_CODECS[i].clock_hz;
            c.channels = STATIC_CODECS[i].channels;
        }
    }
    return c;
}

static agw_err add_codec(parser *p, agw_sdp_media *m, const char *format)
{
    uint64_t pt;
    if (!whole_number(&format, 127, &pt) || *format != '\0')
        return m->port == 0 ? AGW_OK : refuse(p, "format is not a payload type");
    if (m->codec_of_pt[pt] != 0)
        return AGW_OK;
    m->codecs[m->n_codecs++] = codec_of_number((uint8_t)pt);
    m->codec_of_pt[pt] = (uint8_t)m->n_codecs;
    return AGW_OK;
}

static agw_err read_formats(parser *p, agw_sdp_media *m, const char *value)
{
    const size_t n = count_words(value);
    if (n > AGW_SDP_FORMAT_MAX)
        return refuse(p, "too many formats");
    if (n == 0 && m->port != 0)
        return refuse(p, "m= without a format");
    m->formats.v = alloc(p, n, sizeof *m->formats.v);
    const bool rtp = m->proto != AGW_SDP_OTHER;
    m->codecs = alloc(p, rtp ? n : 0, sizeof *m->codecs);
    while (m->formats.n < n) {
        const char *format = word(p, &value);
        m->formats.v[m->formats.n++] = format;
        const agw_err err = rtp ? add_codec(p, m, format) : AGW_OK;
        if (err != AGW_OK)
            return err;
    }
    return AGW_OK;
}

/* m=audio 49170/2 RTP/AVP 0 8 */
static agw_err read_media(parser *p, agw_sdp_media *m, const char *value)
{
    uint64_t port, n_ports = 1;
    m->kind = word(p, &value);
    if (m->kind == NULL)
        return refuse(p, "m= is empty");
    value += strspn(value, " ");
    if (!number(&value, UINT16_MAX, &port))
        return refuse(p, "m= with a bad port");
    if (*value == '/' && (value++, !number(&value, UINT16_MAX, &n_ports) || n_ports == 0))
        return refuse(p, "m= with a bad number of ports");
    m->port = (uint16_t)port;
    m->n_ports = (uint32_t)n_ports;
    m->proto_text = *value == ' ' ? word(p, &value) : NULL;
    if (m->proto_text == NULL)
        return refuse(p, "m= without a transport");
    m->proto = agw_sdp_proto_parse(m->proto_text);
    return read_formats(p, m, value);
}

/* --- sections: the session level, then each media --- */

/* a=name:value, cut in place */
static agw_err split_attr(parser *p, agw_sdp_attr *out, const struct attr_name **known_as,
                          char *text)
{
    const size_t len = strcspn(text, ":");
    if (len == 0 || memchr(text, ' ', len) != NULL)
        return refuse(p, "attribute without a name");
    out->name = text;
    out->value = text[len] == ':' ? text + len + 1 : NULL;
    text[len] = '\0';
    const struct attr_name *known = *known_as = find_name(out->name);
    if (known != NULL) {
        if (known->needs_value && (out->value == NULL || rest(out->value) == NULL))
            return refuse(p, "attribute without its value");
        out->kind = known->kind;
    } else if (g_ascii_strncasecmp(out->name, "3gpp_", 5) == 0) {
        out->kind = AGW_SDP_A_3GPP;
    }
    return AGW_OK;
}

static agw_err split_attrs(parser *p, agw_sdp_media *m, const line *lines, size_t n,
                           size_t count[AGW_SDP_A_KINDS])
{
    size_t n_attrs = 0;
    for (size_t i = 0; i < n; i++)
        n_attrs += lines[i].type == 'a';
    m->attrs = alloc(p, n_attrs, sizeof *m->attrs);
    p->known = alloc(p, n_attrs, sizeof(struct attr_name *));
    for (size_t i = 0; i < n; i++) {
        if (lines[i].type != 'a')
            continue;
        p->line = lines[i].number;
        if (m->n_attrs == AGW_SDP_ATTR_MAX)
            return refuse(p, "too many attributes");
        agw_sdp_attr *a = &m->attrs[m->n_attrs];
        const agw_err err = split_attr(p, a, &p->known[m->n_attrs], lines[i].value);
        if (err != AGW_OK)
            return err;
        m->n_attrs++;
        if (count[a->kind]++ == 0)
            m->attr_of_kind[a->kind] = (uint16_t)m->n_attrs;
    }
    return AGW_OK;
}

static agw_err reserve_lists(parser *p, agw_sdp_media *m, const size_t count[AGW_SDP_A_KINDS])
{
    p->line = 0;
    if (count[AGW_SDP_A_FINGERPRINT] > AGW_SDP_FINGERPRINT_MAX)
        return refuse(p, "too many fingerprints");
    if (count[AGW_SDP_A_EXTMAP] > AGW_SDP_EXTMAP_MAX)
        return refuse(p, "too many extmap lines");
    if (m->kind == NULL && count[AGW_SDP_A_GROUP] > AGW_SDP_GROUP_MAX)
        return refuse(p, "too many groups");
    m->candidates.v = alloc(p, count[AGW_SDP_A_CANDIDATE], sizeof *m->candidates.v);
    m->fingerprints.v = alloc(p, count[AGW_SDP_A_FINGERPRINT], sizeof *m->fingerprints.v);
    m->crypto.v = alloc(p, count[AGW_SDP_A_CRYPTO], sizeof *m->crypto.v);
    m->extmaps = alloc(p, count[AGW_SDP_A_EXTMAP], sizeof *m->extmaps);
    m->ssrcs = alloc(p, MIN(count[AGW_SDP_A_SSRC], AGW_SDP_SSRC_MAX), sizeof *m->ssrcs);
    m->ssrc_groups = alloc(p, count[AGW_SDP_A_SSRC_GROUP], sizeof *m->ssrc_groups);
    m->pcfgs = alloc(p, MIN(count[AGW_SDP_A_PCFG], AGW_SDP_CAPABILITY_MAX), sizeof *m->pcfgs);
    m->tcaps = alloc(p, count[AGW_SDP_A_TCAP] != 0 ? AGW_SDP_CAPABILITY_MAX : 0, sizeof *m->tcaps);
    if (m->kind == NULL)
        p->sdp->groups = alloc(p, count[AGW_SDP_A_GROUP], sizeof *p->sdp->groups);
    return AGW_OK;
}

static agw_err read_session_line(parser *p, const line *l)
{
    switch (l->type) {
    case 'v':
        return read_version(p, l->value);
    case 'o':
        return read_origin(p, l->value);
    case 's':
        p->sdp->name = l->value;
        return AGW_OK;
    case 't':
        return read_time(p, l->value);
    default:
        return AGW_OK;
    }
}

static agw_err read_line(parser *p, agw_sdp_media *m, const line *l, size_t *attr)
{
    switch (l->type) {
    case 'a': {
        const agw_sdp_attr *a = &m->attrs[*attr];
        const struct attr_name *known = p->known[(*attr)++];
        return known != NULL && known->read != NULL ? known->read(p, m, a->value) : AGW_OK;
    }
    case 'b':
        return read_bandwidth(p, m, l->value);
    case 'c':
        return read_conn(p, m, l->value);
    case 'i':
        m->title = l->value;
        return AGW_OK;
    default: /* e= p= u= k= r= z= and what is not known mean nothing to a call */
        return m->kind == NULL ? read_session_line(p, l) : AGW_OK;
    }
}

static agw_err read_section(parser *p, agw_sdp_media *m, const line *lines, size_t n)
{
    size_t count[AGW_SDP_A_KINDS] = {0}, n_bandwidths = 0, attr = 0;
    for (size_t i = 0; i < n; i++)
        n_bandwidths += lines[i].type == 'b';
    m->bandwidths = alloc(p, MIN(n_bandwidths, AGW_SDP_BANDWIDTH_MAX), sizeof *m->bandwidths);
    memset(p->fb_tail, 0, sizeof p->fb_tail);
    p->n_fb_all = 0;
    agw_err err = split_attrs(p, m, lines, n, count);
    if (err == AGW_OK)
        err = reserve_lists(p, m, count);
    for (size_t i = 0; i < n && err == AGW_OK; i++) {
        p->line = lines[i].number;
        err = read_line(p, m, &lines[i], &attr);
    }
    return err;
}

/* --- what medias inherit --- */

static void index_bundles(parser *p)
{
    for (size_t i = 0; i < p->sdp->n_groups; i++) {
        agw_sdp_group *g = &p->sdp->groups[i];
        if (g_ascii_strcasecmp(g->semantics, "BUNDLE") != 0)
            continue;
        if (p->bundles == NULL)
            p->bundles = g_hash_table_new(g_str_hash, g_str_equal);
        for (size_t k = 0; k < g->mids.n; k++) {
            if (!g_hash_table_contains(p->bundles, g->mids.v[k]))
                g_hash_table_insert(p->bundles, (gpointer)(uintptr_t)g->mids.v[k], g);
        }
    }
}

/* RFC 8285 section 5: what stands at session level is meant for every media. */
static void inherit_extmaps(parser *p, agw_sdp_media *m)
{
    const agw_sdp_media *s = &p->sdp->session;
    if (s->n_extmaps == 0)
        return;
    agw_sdp_extmap *all = alloc(p, m->n_extmaps + s->n_extmaps, sizeof *all);
    if (m->n_extmaps != 0)
        memcpy(all, m->extmaps, m->n_extmaps * sizeof *all);
    memcpy(all + m->n_extmaps, s->extmaps, s->n_extmaps * sizeof *all);
    m->extmaps = all;
    m->n_extmaps += s->n_extmaps;
}

static void inherit(parser *p, agw_sdp_media *m)
{
    const agw_sdp_media *s = &p->sdp->session;
    if (!m->own_conn)
        m->conn = s->conn;
    if (!m->own_direction)
        m->direction = s->direction;
    if (m->ice_ufrag == NULL)
        m->ice_ufrag = s->ice_ufrag;
    if (m->ice_pwd == NULL)
        m->ice_pwd = s->ice_pwd;
    m->ice_lite |= s->ice_lite;
    m->ice_trickle |= s->ice_trickle;
    m->end_of_candidates |= s->end_of_candidates;
    if (m->fingerprints.n == 0)
        m->fingerprints = s->fingerprints;
    if (m->setup == AGW_SDP_SETUP_NONE)
        m->setup = s->setup;
    if (m->tls_id == NULL)
        m->tls_id = s->tls_id;
    inherit_extmaps(p, m);
    if (m->mid != NULL && p->bundles != NULL)
        m->bundle = g_hash_table_lookup(p->bundles, m->mid);
}

static agw_err check_credentials(parser *p, const agw_sdp_media *m)
{
    p->line = 0;
    if ((m->ice_ufrag == NULL) != (m->ice_pwd == NULL))
        return refuse(p, "only one of ice-ufrag and ice-pwd");
    return AGW_OK;
}

/* --- the whole --- */

static size_t section_end(const parser *p, size_t from)
{
    while (from < p->n_lines && p->lines[from].type != 'm')
        from++;
    return from;
}

static agw_err read_session(parser *p, size_t *at)
{
    agw_sdp *sdp = p->sdp;
    p->line = 0;
    if (p->n_lines == 0)
        return refuse(p, "it is empty");
    p->line = p->lines[0].number;
    if (!p->fragment && p->lines[0].type != 'v')
        return refuse(p, "it does not begin with v=");
    *at = section_end(p, 0);
    const agw_err err = read_section(p, &sdp->session, p->lines, *at);
    if (err != AGW_OK)
        return err;
    p->line = 0;
    if (!p->fragment && sdp->origin.username == NULL)
        return refuse(p, "there is no o= line");
    index_bundles(p);
    return AGW_OK;
}

/* rtpmap and fmtp may stand in any order. */
static void know_codecs(agw_sdp_media *m)
{
    for (size_t i = 0; i < m->n_codecs; i++)
        agw_sdp_codec_known(&m->codecs[i]);
}

static agw_err read_one_media(parser *p, agw_sdp_media *m, size_t *at)
{
    const size_t from = *at + 1;
    m->direction = AGW_SDP_SENDRECV;
    p->line = p->lines[*at].number;
    agw_err err = read_media(p, m, p->lines[*at].value);
    *at = section_end(p, from);
    if (err == AGW_OK)
        err = read_section(p, m, p->lines + from, *at - from);
    if (err != AGW_OK)
        return err;
    know_codecs(m);
    inherit(p, m);
    return check_credentials(p, m);
}

static agw_err read_medias(parser *p, size_t at)
{
    agw_sdp *sdp = p->sdp;
    size_t n = 0;
    for (size_t i = at; i < p->n_lines; i++)
        n += p->lines[i].type == 'm';
    if (n > AGW_SDP_MEDIA_MAX) {
        p->line = 0;
        return refuse(p, "too many m= lines");
    }
    sdp->medias = alloc(p, n, sizeof *sdp->medias);
    while (sdp->n_medias < n) {
        const agw_err err = read_one_media(p, &sdp->medias[sdp->n_medias], &at);
        if (err != AGW_OK)
            return err;
        sdp->n_medias++;
    }
    return n == 0 ? check_credentials(p, &sdp->session) : AGW_OK;
}

static agw_err read_all(parser *p, const char *text, size_t len)
{
    if (len > AGW_SDP_TEXT_MAX)
        return refuse(p, "it is too long");
    agw_err err = cut_lines(p, text, len);
    size_t at = 0;
    p->sdp->times = alloc(p, AGW_SDP_TIME_MAX, sizeof *p->sdp->times);
    if (err == AGW_OK)
        err = read_session(p, &at);
    if (err == AGW_OK)
        err = read_medias(p, at);
    return err;
}

static agw_sdp *sdp_new(void)
{
    agw_sdp *sdp = g_new0(agw_sdp, 1);
    sdp->arena = agw_sdp_arena_new();
    sdp->name = "-";
    sdp->session.n_ports = 1;
    sdp->session.direction = AGW_SDP_SENDRECV;
    return sdp;
}

static agw_err parse(agw_sdp **out, const char *text, size_t len, bool fragment, agw_sdp_why *why)
{
    parser p = {.sdp = sdp_new(), .fragment = fragment, .why = why};
    const agw_err err = read_all(&p, text, len);
    g_clear_pointer(&p.bundles, g_hash_table_destroy);
    if (err != AGW_OK)
        agw_sdp_free(p.sdp);
    else
        *out = p.sdp;
    return err;
}

agw_err agw_sdp_parse(agw_sdp **out, const char *text, size_t len, agw_sdp_why *why)
{
    return parse(out, text, len, false, why);
}

agw_err agw_sdp_parse_fragment(agw_sdp **out, const char *text, size_t len, agw_sdp_why *why)
{
    return parse(out, text, len, true, why);
}
