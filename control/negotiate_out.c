/* SPDX-License-Identifier: BSD-3-Clause
 * The description that the receiver reads: session level, then every m= line in the sender's order.
 * Nothing of the sender's addresses is in it (RFC 8828). */
#include "base/map.h"
#include "control/negotiate_state.h"
#include "control/ng.h"

#include <string.h>

enum {
    FORMATS_MAX = AGW_SDP_FORMAT_MAX,
    DIGITS_MAX = 18, /* JSEP wants session ids and versions within 63 bits (RFC 8829 5.2.1) */
    PLACE_CNAME = 0x10000000,
    PLACE_ID = 0x20000000,
    PLACE_SSRC = 0x30000000,
};

uint64_t agw_out_random(const agw_session *s, uint32_t place)
{
    return agw_siphash(s->seed, &place, sizeof place);
}

const char *agw_out_cname(const agw_session *s, agw_side side, char out[AGW_CNAME_LEN + 1])
{
    uint64_t left = agw_out_random(s, PLACE_CNAME | (uint32_t)side);
    for (size_t i = AGW_CNAME_LEN; i-- > 0; left >>= 4)
        out[i] = "0123456789abcdef"[left & 0xf];
    out[AGW_CNAME_LEN] = '\0';
    return out;
}

agw_addr agw_out_addr(const agw_exchange *x, const agw_link *link, bool rtcp, unsigned i)
{
    const agw_leg *leg = &x->next->leg[link->now.side];
    const agw_addr *all = rtcp ? link->info.rtcp : link->info.rtp;
    const unsigned first =
        leg->family != AGW_FAMILY_NONE && all[1].family == (uint8_t)leg->family ? 1 : 0;
    agw_addr addr = all[first ^ i];
    if (!agw_addr_is_set(&leg->media_address))
        return addr;
    const uint16_t port = addr.port;
    addr = i == 0 ? leg->media_address : (agw_addr){0};
    addr.port = i == 0 ? port : 0;
    return addr;
}

/* --- origin ------------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
    const size_t n = strspn(text, "0123456789");
    return n > 0 && n <= DIGITS_MAX && text[n] == '\0';
}

static void set_text(char **text, const char *value)
{
    char *copy = g_strdup(value);
    g_free(*text);
    *text = copy;
}

static bool controls(const agw_exchange *x, uint32_t part)
{
    return (x->next->leg[x->to].replace & part) != 0;
}

/* As it comes, but for what the script wants to be the same in every message. */
static void take_origin(const agw_exchange *x, agw_origin *o)
{
    const agw_sdp_origin *theirs = &x->sdp->origin;
    if (o->username == NULL || !controls(x, AGW_REPLACE_USERNAME))
        set_text(&o->username, theirs->username);
    if (o->name == NULL || !controls(x, AGW_REPLACE_SESSION_NAME))
        set_text(&o->name, x->sdp->name);
    const bool counts = controls(x, AGW_REPLACE_SDP_VERSION | AGW_REPLACE_FORCE_VERSION);
    if (is_number(theirs->version) && (o->id == NULL || !counts))
        o->version = g_ascii_strtoull(theirs->version, NULL, 10);
    o->counts = counts || !is_number(theirs->version);
    set_text(&o->id, theirs->id);
}

/* The receiver sees one origin for the whole call, whoever answers on the other side. */
static void begin_origin(const agw_exchange *x, agw_origin *o)
{
    const agw_sdp_origin *theirs = &x->sdp->origin;
    if (agw_exchange_is_literal(x)) {
        take_origin(x, o);
        return;
    }
    o->counts = true;
    set_text(&o->name,
             x->next->leg[x->to].web || controls(x, AGW_REPLACE_SESSION_NAME) ? "-" : x->sdp->name);
    if (o->id != NULL)
        return;
    o->username = g_strdup("-");
    o->id = is_number(theirs->id)
                ? g_strdup(theirs->id)
                : g_strdup_printf("%" G_GUINT64_FORMAT,
                                  agw_out_random(x->s, PLACE_ID | (uint32_t)x->to) >> 8);
    o->version = is_number(theirs->version) ? g_ascii_strtoull(theirs->version, NULL, 10) : 1;
}

/* Puts the version into the finished text: the next one when anything but the version differs from
 * what the receiver was told last (RFC 3264 section 8). */
static void write_version(const agw_exchange *x, GString *out, const char *text, size_t at)
{
    agw_origin *o = &x->s->origin[x->to];
    uint64_t hash = agw_siphash(x->s->seed, text, strlen(text));
    hash = hash != 0 ? hash : 1;
    const bool force = (x->flags->replace & AGW_REPLACE_FORCE_VERSION) != 0;
    if (o->counts && o->told != 0 && (o->told != hash || force))
        o->version++;
    o->told = hash;
    g_string_append_len(out, text, (gssize)at);
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, o->version);
    g_string_append(out, text + at + 1); /* behind the "0" that holds the place */
}

/* --- session level ------------------------------------------------------------------------ */

/* The first address that is written, or the interface's when no line is alive. */
static agw_addr session_address(const agw_exchange *x)
{
    const agw_leg *leg = &x->next->leg[x->to];
    for (guint i = 0; i < x->work->len; i++) {
        const agw_work *w = agw_work_at(x, i);
        const agw_link *link = w->go ? agw_state_end_link(x->next, w->line, x->to) : NULL;
        if (link != NULL)
            return agw_out_addr(x, link, false, 0);
    }
    const agw_interface *in = &x->s->config->gateway.interfaces[leg->interface];
    const bool six = !agw_addr_is_set(&in->advertised4) ||
                     (leg->family == AGW_FAMILY_IP6 && agw_addr_is_set(&in->advertised6));
    return six ? in->advertised6 : in->advertised4;
}

/* replace-origin: without a profile their address is left there unless asked for. */
static void write_origin(const agw_exchange *x, const agw_addr *addr, agw_sdp_writer *out)
{
    const agw_origin *o = &x->s->origin[x->to];
    char ip[AGW_ADDR_TEXT];
    agw_sdp_origin origin = {
        .username = o->username,
        .id = o->id,
        .version = "0",
        .nettype = "IN",
        .addrtype = addr->family == AGW_FAMILY_IP6 ? "IP6" : "IP4",
        .address = agw_addr_ip_text(addr, ip, sizeof ip),
    };
    if (agw_exchange_is_literal(x) && !controls(x, AGW_REPLACE_ORIGIN)) {
        origin.nettype = x->sdp->origin.nettype;
        origin.addrtype = x->sdp->origin.addrtype;
        origin.address = x->sdp->origin.address;
    }
    agw_sdp_write_origin(out, &origin);
}

static void write_session(agw_exchange *x, const agw_addr *addr, agw_sdp_writer *out)
{
    const agw_leg *leg = &x->next->leg[x->to];
    write_origin(x, addr, out);
    agw_sdp_write_name(out, x->s->origin[x->to].name);
    agw_sdp_write_conn(out, addr);
    const agw_sdp_media *session = &x->sdp->session;
    for (size_t i = 0; i < session->n_bandwidths && !leg->web && !x->next->leg[x->from].web; i++)
        agw_sdp_write_bandwidth(out, session->bandwidths[i].type, session->bandwidths[i].value);
    for (size_t i = 0; i < x->sdp->n_times; i++)
        agw_sdp_write_time(out, x->sdp->times[i]);
    if (x->sdp->n_times == 0)
        agw_sdp_write_time(out, "0 0");
    agw_out_session_attrs(x, out);
}

/* --- m= lines ----------------------------------------------------------------------------- */

/* A refused line keeps its place (RFC 3264 section 6), its kind and its mid. */
static void write_refused(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out)
{
    const agw_sdp_media *m = x->is_offer ? w->m : w->om;
    const agw_line_end *end = &w->line->end[x->to];
    if (m == NULL) { /* the sender does not see it */
        const char *format = w->line->shown_format;
        agw_sdp_write_media(out, w->line->type, 0, w->line->shown_proto, &format, format != NULL);
        if (end->mid != NULL)
            agw_sdp_write_attr(out, "mid", end->mid);
        return;
    }
    const char *proto =
        x->is_offer && w->line->served ? agw_sdp_proto_text(end->proto) : m->proto_text;
    agw_sdp_write_media(out, m->kind, 0, proto, m->formats.v, m->formats.n);
    if (end->mid != NULL)
        agw_sdp_write_attr(out, "mid", end->mid);
}

/* RFC 5939: video with feedback, where the offerer would rather have it and the other side speaks
 * it. */
static void take_capability(const agw_exchange *x, agw_work *w)
{
    agw_line_end *end = &w->line->end[x->to];
    const bool feedback = agw_sdp_proto_is_avpf(w->line->end[x->from].proto);
    if (x->is_offer || end->proto != AGW_SDP_RTP_AVP || !feedback ||
        w->line->kind != AGW_MEDIA_VIDEO)
        return;
    const agw_sdp_pcfg *pcfg =
        agw_sdp_pcfg_for(x->offer, w->om, AGW_SDP_RTP_AVPF, &w->acfg_transport);
    if (pcfg == NULL)
        return;
    w->acfg = pcfg->number;
    end->proto = AGW_SDP_RTP_AVPF;
}

static void write_line(const agw_exchange *x, const agw_work *w, const agw_addr *addr,
                       agw_sdp_writer *out)
{
    char text[FORMATS_MAX][AGW_INT_TEXT];
    const char *formats[FORMATS_MAX];
    const size_t n = w->codecs->len < FORMATS_MAX ? w->codecs->len : FORMATS_MAX;
    for (size_t i = 0; i < n; i++) {
        (void)agw_ng_int_text(text[i], g_array_index(w->codecs, agw_out_codec, i).pt);
        formats[i] = text[i];
    }
    agw_sdp_write_media(out, w->m->kind, addr->port, agw_sdp_proto_text(w->line->end[x->to].proto),
                        formats, n);
}

/* The old way to say hold, where the script has not asked for replace-zero-address. */
static bool passes_zero(const agw_exchange *x, const agw_work *w)
{
    return agw_exchange_is_literal(x) && !controls(x, AGW_REPLACE_ZERO_ADDRESS) &&
           w->tm->ice_ufrag == NULL && agw_addr_is_any(&w->m->conn.ip);
}

static void write_conn(const agw_exchange *x, const agw_work *w, const agw_addr *addr,
                       const agw_addr *session, agw_sdp_writer *out)
{
    const agw_addr zero = {.family = addr->family};
    if (passes_zero(x, w))
        agw_sdp_write_conn(out, &zero);
    else if (!agw_addr_ip_equal(addr, session) || agw_end_is_web(&w->line->end[x->to]))
        agw_sdp_write_conn(out, addr);
}

static void write_media(agw_exchange *x, agw_work *w, const agw_addr *session, agw_sdp_writer *out)
{
    if (w->line->end[x->to].hidden)
        return;
    if (!w->go) {
        write_refused(x, w, out);
        return;
    }
    agw_line_end *end = &w->line->end[x->to];
    const agw_link *link = agw_state_end_link(x->next, w->line, x->to);
    const agw_addr addr = agw_out_addr(x, link, false, 0);
    /* a gateway with DTLS and no ICE names no SSRC, either */
    const bool browser = agw_end_is_web(&w->line->end[x->from]) && w->tm->ice_ufrag != NULL;
    const bool bridged = agw_end_is_web(end) && !browser && !w->line->passes;
    if (!bridged)
        end->ssrc = 0;
    else if (end->ssrc == 0)
        end->ssrc = (uint32_t)agw_out_random(x->s, PLACE_SSRC | w->line->id) | 1;
    take_capability(x, w);
    write_line(x, w, &addr, out);
    write_conn(x, w, &addr, session, out);
    agw_out_bandwidth(x, w, out);
    agw_out_media_attrs(x, w, out);
}

void agw_out_write(agw_exchange *x, GString *out)
{
    agw_origin *o = &x->s->origin[x->to];
    const agw_addr addr = session_address(x);
    begin_origin(x, o);
    agw_sdp_writer w;
    agw_sdp_write_begin(&w);
    write_session(x, &addr, &w);
    for (guint i = 0; i < x->work->len; i++)
        write_media(x, agw_work_at(x, i), &addr, &w);
    size_t len;
    char *text = agw_sdp_write_end(&w, &len);
    if (x->flags->edits != NULL) {
        char *plain = text;
        text = agw_sdp_edit_apply(x->flags->edits, plain);
        g_free(plain);
    }
    const size_t at = strlen("v=0\r\no=") + strlen(o->username) + 1 + strlen(o->id) + 1;
    write_version(x, out, text, at);
    g_free(text);
}
