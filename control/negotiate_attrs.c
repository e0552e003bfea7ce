/* SPDX-License-Identifier: BSD-3-Clause
 * Attributes of what is written: which of theirs survive between the two kinds of leg (browser-like
 * and plain, the IMS strictest), and which are ours. */
#include "control/negotiate_state.h"
#include "ice/candidate.h"

#include <string.h>

#define URI_MID         "urn:ietf:params:rtp-hdrext:sdes:mid"
#define URI_ENCRYPTED   "urn:ietf:params:rtp-hdrext:encrypt"
#define URI_ORIENTATION "urn:3gpp:video-orientation"

/* Bits: from a browser or a plain leg, toward a browser, a plain leg, or an IMS. */
enum {
    WW = 1 << 0,
    WP = 1 << 1,
    WI = 1 << 2,
    PW = 1 << 3,
    PP = 1 << 4,
    PI = 1 << 5,
    TO_PT = 1 << 6, /* the value begins with a payload type or "*" */
    EVERY = WW | WP | WI | PW | PP | PI,
    PLAIN = PP | PI,
};

/* What is not listed is written by us or by nobody. */
static const uint8_t KEEP[AGW_SDP_A_KINDS] = {
    [AGW_SDP_A_UNKNOWN] = WW | PLAIN,
    [AGW_SDP_A_3GPP] = PLAIN,
    [AGW_SDP_A_CONF] = PLAIN,
    [AGW_SDP_A_CURR] = PLAIN,
    [AGW_SDP_A_DES] = PLAIN,
    [AGW_SDP_A_CONTENT] = EVERY,
    [AGW_SDP_A_LABEL] = EVERY,
    [AGW_SDP_A_LANG] = EVERY,
    [AGW_SDP_A_SDPLANG] = EVERY,
    [AGW_SDP_A_FRAMERATE] = EVERY,
    [AGW_SDP_A_FRAMESIZE] = EVERY | TO_PT,
    [AGW_SDP_A_IMAGEATTR] = EVERY | TO_PT,
    [AGW_SDP_A_PTIME] = EVERY,
    [AGW_SDP_A_MAXPTIME] = EVERY,
    [AGW_SDP_A_MAXPRATE] = PLAIN,
    [AGW_SDP_A_TOOL] = PLAIN,
    [AGW_SDP_A_TYPE] = PLAIN,
    [AGW_SDP_A_RTCP_XR] = WW | PLAIN,
    [AGW_SDP_A_EXTMAP_ALLOW_MIXED] = WW,
    [AGW_SDP_A_MSID_SEMANTIC] = WW,
    [AGW_SDP_A_MSID] = WW,
    [AGW_SDP_A_RID] = WW,
    [AGW_SDP_A_SIMULCAST] = WW,
    [AGW_SDP_A_SSRC] = WW | PP,
    [AGW_SDP_A_SSRC_GROUP] = WW | PP,
};

static bool is_ims(const agw_exchange *x)
{
    return x->next->leg[x->to].profile == AGW_REALM_IMS;
}

static unsigned way(bool from_web, bool to_web, bool ims)
{
    if (from_web)
        return to_web ? WW : ims ? WI : WP;
    return to_web ? PW : ims ? PI : PP;
}

static unsigned line_way(const agw_exchange *x, const agw_work *w)
{
    return way(agw_end_is_web(&w->line->end[x->from]), agw_end_is_web(&w->line->end[x->to]),
               is_ims(x));
}

/* --- theirs ------------------------------------------------------------------------------- */

/* "97 send [x=176,y=144]" with the receiver's number; not written when the codec does not pass. */
static void write_numbered(const agw_work *w, const agw_sdp_attr *attr, agw_sdp_writer *out)
{
    const char *value = attr->value != NULL ? attr->value : "";
    if (value[0] == '*') {
        agw_sdp_write_attr(out, attr->name, value);
        return;
    }
    char *rest = NULL;
    const guint64 pt = g_ascii_strtoull(value, &rest, 10);
    const int number = rest != value && pt < 128 ? agw_codecs_renumber(w, (unsigned)pt) : -1;
    if (number >= 0)
        agw_sdp_write_attrf(out, attr->name, "%d%s", number, rest);
}

/* TS 26.114 table 6.1: what AMR that we added or answered for is told with. */
static void write_ptime(const agw_work *w, int32_t key_ms, agw_sdp_writer *out)
{
    enum { PTIME_MS = 20, MAXPTIME_MS = 240 };
    const uint32_t said = w->converted ? w->om->ptime_ms : w->m->ptime_ms;
    if (key_ms > 0)
        agw_sdp_write_attrf(out, "ptime", "%d", key_ms);
    else if (w->converted && said != 0) /* the packets of both directions are alike */
        agw_sdp_write_attrf(out, "ptime", "%u", said);
    else if (w->own_ptime && said == 0)
        agw_sdp_write_attrf(out, "ptime", "%d", PTIME_MS);
    if (w->own_ptime)
        agw_sdp_write_attrf(out, "maxptime", "%d", MAXPTIME_MS);
}

/* What is said of packets' times: ours where the receiver's packets are made by us. */
static bool is_ours(const agw_work *w, int32_t key_ms, agw_sdp_attr_kind kind)
{
    if (kind == AGW_SDP_A_PTIME)
        return key_ms > 0 || w->converted;
    return kind == AGW_SDP_A_MAXPTIME && (w->own_ptime || w->converted);
}

static void write_theirs(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out)
{
    const unsigned bit = line_way(x, w);
    const agw_leg *to = &x->next->leg[x->to];
    const int32_t asked = x->is_offer ? to->ptime : to->ptime_back;
    const int32_t ptime = w->line->kind == AGW_MEDIA_AUDIO ? asked : -1;
    for (size_t i = 0; i < w->m->n_attrs; i++) {
        const agw_sdp_attr *attr = &w->m->attrs[i];
        if ((KEEP[attr->kind] & bit) == 0 || is_ours(w, ptime, attr->kind))
            continue;
        if ((KEEP[attr->kind] & TO_PT) != 0)
            write_numbered(w, attr, out);
        else
            agw_sdp_write_attr(out, attr->name, attr->value);
    }
    write_ptime(w, ptime, out);
}

/* --- codecs ------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix)
{
    return g_ascii_strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_key_frame_request(const char *value)
{
    return g_ascii_strcasecmp(value, "nack pli") == 0 || g_ascii_strcasecmp(value, "ccm fir") == 0;
}

/* What video toward an IMS may say. */
static bool is_core_feedback(const char *value)
{
    return is_key_frame_request(value) || g_ascii_strcasecmp(value, "nack") == 0 ||
           begins(value, "ccm tmmbr");
}

static bool offer_passes_fb(const agw_exchange *x, const agw_work *w, const char *value)
{
    const unsigned bit = line_way(x, w);
    const bool avpf = agw_sdp_proto_is_avpf(w->line->end[x->to].proto);
    if (bit == WW || bit == PP)
        return avpf;
    if (bit == PW) /* key frame requests are written anyway */
        return w->line->kind == AGW_MEDIA_VIDEO && g_ascii_strcasecmp(value, "nack") == 0;
    return avpf && w->line->kind == AGW_MEDIA_VIDEO && is_core_feedback(value);
}

/* value: as the offerer had it; theirs: the answered codec. */
static bool answer_passes_fb(const agw_exchange *x, const agw_work *w, const char *value,
                             const agw_sdp_codec *theirs)
{
    const unsigned bit = line_way(x, w);
    const bool both = agw_sdp_codec_has_fb(theirs, value);
    if (!agw_sdp_proto_is_avpf(w->line->end[x->to].proto))
        return false;
    if (bit == WW || bit == PP)
        return both;
    if (w->line->kind != AGW_MEDIA_VIDEO)
        return false;
    return is_key_frame_request(value) || (is_core_feedback(value) && both);
}

static void write_fb(agw_work *w, const agw_out_codec *c, const char *value, agw_sdp_writer *out)
{
    agw_sdp_write_attrf(out, "rtcp-fb", "%u %s", c->pt, value);
    w->told_fb |= agw_plan_fb_bit(value);
}

static void write_fbs(const agw_exchange *x, agw_work *w, const agw_out_codec *c,
                      agw_sdp_writer *out)
{
    const bool aux = w->line->rows->len > 0 && c->codec->name[0] == '\0';
    const bool add = x->is_offer && line_way(x, w) == PW && w->line->kind == AGW_MEDIA_VIDEO;
    if (add && !aux) {
        write_fb(w, c, "nack pli", out);
        write_fb(w, c, "ccm fir", out);
    }
    const agw_sdp_codec *source = x->is_offer ? c->codec : c->offered;
    for (const agw_sdp_fb *fb = source != NULL ? source->fb : NULL; fb != NULL; fb = fb->next) {
        if (x->is_offer ? offer_passes_fb(x, w, fb->value)
                        : answer_passes_fb(x, w, fb->value, c->codec))
            write_fb(w, c, fb->value, out);
    }
}

/* red's "111/111" */
static char *renumber_red(const agw_work *w, const char *fmtp)
{
    GString *text = g_string_new(NULL);
    while (*fmtp != '\0') {
        char *rest = NULL;
        const guint64 pt = g_ascii_strtoull(fmtp, &rest, 10);
        const int number =
            g_ascii_isdigit(*fmtp) && pt < 128 ? agw_codecs_renumber(w, (unsigned)pt) : -1;
        if (rest == fmtp || number < 0) {
            g_string_append_c(text, *fmtp++);
            continue;
        }
        g_string_append_printf(text, "%d", number);
        fmtp = rest;
    }
    return g_string_free(text, FALSE);
}

/* rtx's "apt=96;rtx-time=3000" */
static char *renumber_rtx(const agw_work *w, const char *fmtp)
{
    char apt[8], *rest = NULL;
    if (!agw_sdp_fmtp_get(fmtp, "apt", apt, sizeof apt))
        return g_strdup(fmtp);
    const guint64 pt = g_ascii_strtoull(apt, &rest, 10);
    const int number = *rest == '\0' && pt < 128 ? agw_codecs_renumber(w, (unsigned)pt) : -1;
    if (number < 0 || (guint64)number == pt)
        return g_strdup(fmtp);
    char time[16];
    if (agw_sdp_fmtp_get(fmtp, "rtx-time", time, sizeof time))
        return g_strdup_printf("apt=%d;rtx-time=%s", number, time);
    return g_strdup_printf("apt=%d", number);
}

static void write_fmtp(const agw_work *w, const agw_out_codec *c, agw_sdp_writer *out)
{
    const agw_sdp_codec *codec = c->codec;
    if (codec->fmtp == NULL)
        return;
    char *other = codec->encoding == AGW_SDP_ENC_RTX   ? renumber_rtx(w, codec->fmtp)
                  : codec->encoding == AGW_SDP_ENC_RED ? renumber_red(w, codec->fmtp)
                                                       : NULL;
    agw_sdp_write_attrf(out, "fmtp", "%u %s", c->pt, other != NULL ? other : codec->fmtp);
    g_free(other);
}

static void write_codecs(const agw_exchange *x, agw_work *w, agw_sdp_writer *out)
{
    for (guint i = 0; i < w->codecs->len; i++) {
        const agw_out_codec *c = &g_array_index(w->codecs, agw_out_codec, i);
        if (c->codec->name[0] != '\0' && c->codec->channels > 1)
            agw_sdp_write_attrf(out, "rtpmap", "%u %s/%u/%u", c->pt, c->codec->name,
                                c->codec->clock_hz, c->codec->channels);
        else if (c->codec->name[0] != '\0')
            agw_sdp_write_attrf(out, "rtpmap", "%u %s/%u", c->pt, c->codec->name,
                                c->codec->clock_hz);
        write_fmtp(w, c, out);
        write_fbs(x, w, c, out);
    }
}

/* --- header extensions -------------------------------------------------------------------- */

static void write_extmap(const agw_sdp_extmap *e, unsigned id, agw_sdp_writer *out)
{
    const bool way = e != NULL && e->has_direction, more = e != NULL && e->attributes != NULL;
    agw_sdp_write_attrf(out, "extmap", "%u%s%s %s%s%s", id, way ? "/" : "",
                        way ? agw_sdp_direction_text(e->direction) : "",
                        e != NULL ? e->uri : URI_MID, more ? " " : "", more ? e->attributes : "");
}

static bool lists_uri(const GPtrArray *list, const char *uri)
{
    for (guint i = 0; list != NULL && i < list->len; i++) {
        const char *entry = g_ptr_array_index(list, i);
        if (strcmp(entry, uri) == 0 || strcmp(entry, "all") == 0)
            return true;
    }
    return false;
}

/* strip-extmap and the lists of extmap */
static bool script_passes(const agw_flags *f, const char *uri)
{
    if (agw_flags_has(f, AGW_WORD_STRIP_EXTMAP))
        return false;
    if (f->extmap[AGW_EXTMAP_EXCEPT] != NULL)
        return lists_uri(f->extmap[AGW_EXTMAP_EXCEPT], uri);
    return !lists_uri(f->extmap[AGW_EXTMAP_STRIP], uri) &&
           !lists_uri(f->extmap[AGW_EXTMAP_MASK], uri);
}

/* Encrypted extensions (RFC 6904) go nowhere: keys are each leg's own, and what we would have to
 * remove or renumber could not be read. */
bool agw_attrs_extension_passes(const agw_exchange *x, const agw_work *w, const agw_sdp_extmap *e)
{
    const unsigned bit = line_way(x, w);
    if (w->line->passes)
        return true; /* nobody could take them out of the packets */
    if (e->id == 0 || e->id > UINT8_MAX || !script_passes(x->flags, e->uri) ||
        strcmp(e->uri, URI_ENCRYPTED) == 0)
        return false;
    if (bit == WW)
        return true;
    if (bit == PP)
        return strcmp(e->uri, URI_MID) != 0;
    return w->line->kind == AGW_MEDIA_VIDEO && strcmp(e->uri, URI_ORIENTATION) == 0;
}

/* An id that no line of the sender uses. */
static unsigned spare_id(const agw_sdp *sdp)
{
    uint32_t used = 0;
    for (size_t i = 0; i < sdp->n_medias; i++) {
        for (size_t k = 0; k < sdp->medias[i].n_extmaps; k++)
            used |= UINT32_C(1) << (sdp->medias[i].extmaps[k].id & 31);
    }
    unsigned id = 1;
    while (id <= AGW_EXT_ID_MAX && (used >> id & 1) != 0)
        id++;
    return id <= AGW_EXT_ID_MAX ? id : 0;
}

static void write_mid_extension(agw_exchange *x, agw_work *w, agw_sdp_writer *out)
{
    agw_leg *leg = &x->next->leg[x->to];
    const bool between_browsers = line_way(x, w) == WW;
    if (agw_sdp_extmap_of(w->m, URI_MID) != NULL && between_browsers)
        return; /* theirs was passed on */
    if (between_browsers)
        leg->ext_mid = (uint8_t)spare_id(x->sdp);
    if (leg->ext_mid != 0)
        write_extmap(NULL, leg->ext_mid, out);
}

static void write_offered_extensions(agw_exchange *x, agw_work *w, agw_sdp_writer *out)
{
    agw_leg *leg = &x->next->leg[x->to];
    const unsigned bit = line_way(x, w);
    for (size_t i = 0; i < w->m->n_extmaps; i++) {
        const agw_sdp_extmap *e = &w->m->extmaps[i];
        if (agw_attrs_extension_passes(x, w, e))
            write_extmap(e, bit == PW ? leg->ext_orientation : e->id, out);
    }
    if ((bit & (PW | WW)) != 0 && !w->line->passes)
        write_mid_extension(x, w, out);
}

bool agw_attrs_extension_answered(const agw_exchange *x, const agw_work *w,
                                  const agw_sdp_extmap *offered)
{
    return agw_attrs_extension_passes(x, w, offered) &&
           agw_sdp_extmap_of(w->m, offered->uri) != NULL;
}

static void write_answered_extensions(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out)
{
    const bool to_web = agw_end_is_web(&w->line->end[x->to]) && !w->line->passes;
    for (size_t i = 0; i < w->om->n_extmaps; i++) {
        const agw_sdp_extmap *e = &w->om->extmaps[i];
        if (agw_attrs_extension_answered(x, w, e) || (to_web && strcmp(e->uri, URI_MID) == 0))
            write_extmap(e, e->id, out);
    }
}

static uint8_t extension_id(const agw_sdp_media *m, const char *uri, uint8_t otherwise)
{
    const agw_sdp_extmap *e = m != NULL ? agw_sdp_extmap_of(m, uri) : NULL;
    return e != NULL && e->id <= UINT8_MAX ? (uint8_t)e->id : otherwise;
}

uint8_t agw_attrs_mid_id(const agw_sdp_media *m)
{
    return extension_id(m, URI_MID, 0);
}

void agw_attrs_learn_ids(agw_leg *leg, const agw_sdp *sdp)
{
    enum { MID_ID = 4, ORIENTATION_ID = 13 }; /* Chromium's, as good as any */
    if (leg->ext_mid == 0)
        leg->ext_mid = MID_ID;
    if (leg->ext_orientation == 0)
        leg->ext_orientation = ORIENTATION_ID;
    for (size_t i = 0; sdp != NULL && i < sdp->n_medias && leg->web; i++) {
        leg->ext_mid = extension_id(&sdp->medias[i], URI_MID, leg->ext_mid);
        leg->ext_orientation = extension_id(&sdp->medias[i], URI_ORIENTATION, leg->ext_orientation);
    }
}

/* --- ours --------------------------------------------------------------------------------- */

static bool has_word(const agw_exchange *x, agw_word word)
{
    return (x->next->leg[x->to].words >> word & 1) != 0;
}

static bool tells_mux(const agw_exchange *x, const agw_work *w, const agw_link *link)
{
    return x->is_offer ? x->next->leg[x->to].mux : w->om->rtcp_mux && link->now.rtcp_mux;
}

static void write_rtcp_port(const agw_exchange *x, const agw_link *link, bool mux,
                            agw_sdp_writer *out)
{
    const agw_leg *leg = &x->next->leg[x->to];
    const bool full = has_word(x, AGW_WORD_FULL_RTCP_ATTRIBUTE);
    const bool one_port = mux && (!x->is_offer || link->now.rtcp_mux);
    const agw_addr addr = agw_out_addr(x, link, !one_port, 0);
    if (has_word(x, AGW_WORD_NO_RTCP_ATTRIBUTE) || (x->is_offer && leg->mux_only) ||
        (is_ims(x) && !full && !one_port))
        return; /* the next port goes without saying, RFC 3605 section 2.1 */
    char ip[AGW_ADDR_TEXT];
    if (full)
        agw_sdp_write_attrf(out, "rtcp", "%u IN %s %s", addr.port,
                            addr.family == AGW_FAMILY_IP6 ? "IP6" : "IP4",
                            agw_addr_ip_text(&addr, ip, sizeof ip));
    else
        agw_sdp_write_attrf(out, "rtcp", "%u", addr.port);
}

static void write_rtcp(const agw_exchange *x, const agw_work *w, const agw_link *link,
                       agw_sdp_writer *out)
{
    const bool web = agw_end_is_web(&w->line->end[x->to]);
    const bool mux = tells_mux(x, w, link);
    write_rtcp_port(x, link, mux, out);
    if (mux)
        agw_sdp_write_attr(out, "rtcp-mux", NULL);
    if (mux && x->is_offer && x->next->leg[x->to].mux_only)
        agw_sdp_write_attr(out, "rtcp-mux-only", NULL);
    const bool theirs =
        x->is_offer ? web || w->m->rtcp_rsize : w->om->rtcp_rsize && (web || w->m->rtcp_rsize);
    if (theirs && (web || (line_way(x, w) & PP) != 0))
        agw_sdp_write_attr(out, "rtcp-rsize", NULL);
    /* Between legs of one kind theirs passes. */
    if (!x->is_offer && w->om->xr_rtt && (line_way(x, w) & (WW | PLAIN)) == 0)
        agw_sdp_write_attr(out, "rtcp-xr", "rcvr-rtt=all");
}

static void write_host(agw_candidate *c, agw_sdp_writer *out)
{
    char text[AGW_CANDIDATE_TEXT];
    c->type = AGW_CANDIDATE_HOST;
    agw_candidate_foundation(c->foundation, AGW_CANDIDATE_HOST, &c->addr,
                             (agw_candidate_transport)c->transport);
    if (agw_candidate_write(c, text, sizeof text) == AGW_OK)
        agw_sdp_write_attr(out, "candidate", text);
}

static void write_candidate(const agw_addr *addr, uint16_t component, agw_sdp_writer *out)
{
    const uint16_t preference = agw_candidate_preference((agw_family)addr->family);
    agw_candidate c = {
        .component = component,
        .transport = AGW_CANDIDATE_UDP,
        .priority = agw_candidate_priority(AGW_CANDIDATE_HOST, preference, component),
        .addr = *addr,
    };
    write_host(&c, out);
}

/* RFC 6544: who can send no datagrams connects to the same number. */
static void write_passive(const agw_addr *addr, agw_sdp_writer *out)
{
    agw_candidate c = {
        .component = 1,
        .transport = AGW_CANDIDATE_TCP,
        .tcptype = AGW_CANDIDATE_TCP_PASSIVE,
        .priority = agw_candidate_tcp_priority(AGW_CANDIDATE_HOST, (agw_family)addr->family, 1),
        .addr = *addr,
    };
    write_host(&c, out);
}

static void write_ice(const agw_exchange *x, const agw_link *link, agw_sdp_writer *out)
{
    agw_sdp_write_attr(out, "ice-ufrag", link->info.ufrag);
    agw_sdp_write_attr(out, "ice-pwd", link->info.pwd);
    for (unsigned i = 0; i < 2; i++) {
        const agw_addr rtp = agw_out_addr(x, link, false, i), rtcp = agw_out_addr(x, link, true, i);
        if (!agw_addr_is_set(&rtp))
            continue;
        write_candidate(&rtp, 1, out);
        if (!link->now.rtcp_mux)
            write_candidate(&rtcp, 2, out);
    }
    for (unsigned i = 0; i < 2 && link->info.tcp; i++) {
        const agw_addr rtp = agw_out_addr(x, link, false, i);
        if (agw_addr_is_set(&rtp))
            write_passive(&rtp, out);
    }
    agw_sdp_write_attr(out, "end-of-candidates", NULL);
}

static void write_dtls(const agw_exchange *x, const agw_link *link, agw_sdp_writer *out)
{
    const uint8_t hash = x->next->leg[x->to].dtls_hash;
    char text[AGW_FINGERPRINT_TEXT];
    agw_gateway_fingerprint(x->s->call, hash != 0 ? (agw_hash)hash : AGW_HASH_SHA256, text);
    agw_sdp_write_attr(out, "fingerprint", text);
    const char *setup = x->is_offer                         ? "actpass"
                        : link->now.dtls == AGW_DTLS_ACTIVE ? "active"
                                                            : "passive";
    agw_sdp_write_attr(out, "setup", setup);
}

static void write_all(const char *name, const agw_sdp_list *values, agw_sdp_writer *out)
{
    for (size_t i = 0; i < values->n; i++)
        agw_sdp_write_attr(out, name, values->v[i]);
}

/* Security between the parties: as the sender wrote it (TS 23.334 section 5.11.3). */
static void write_passed(const agw_work *w, agw_sdp_writer *out)
{
    write_all("crypto", &w->tm->crypto, out);
    write_all("fingerprint", &w->tm->fingerprints, out);
    if (w->tm->setup != AGW_SDP_SETUP_NONE)
        agw_sdp_write_attr(out, "setup", agw_sdp_setup_text(w->tm->setup));
    if (w->tm->tls_id != NULL)
        agw_sdp_write_attr(out, "tls-id", w->tm->tls_id);
}

/* RFC 8830; our SSRC stands between the core's and the browser (a track is bound to what SDP says).
 */
static void write_ssrc(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out)
{
    const agw_line_end *end = &w->line->end[x->to];
    char cname[AGW_CNAME_LEN + 1];
    if (end->ssrc == 0)
        return;
    agw_out_cname(x->s, x->to, cname);
    agw_sdp_write_attrf(out, "msid", "%s %s-%u", cname, cname, w->line->id);
    agw_sdp_write_attrf(out, "ssrc", "%u cname:%s", end->ssrc, cname);
}

/* original-sendrecv: what the sender wrote, or nothing where it wrote nothing. */
static void write_direction(const agw_exchange *x, const agw_work *w, agw_sdp_direction told,
                            agw_sdp_writer *out)
{
    const bool original = agw_flags_has(x->flags, AGW_WORD_ORIGINAL_SENDRECV);
    if (original && !w->m->own_direction && !x->sdp->session.own_direction)
        return;
    agw_sdp_write_attr(out, agw_sdp_direction_text(original ? w->m->direction : told), NULL);
}

static agw_sdp_direction told_direction(const agw_exchange *x, const agw_work *w)
{
    const agw_sdp_direction said = w->line->end[x->from].said;
    if (x->is_offer)
        return said;
    return said & agw_sdp_direction_reverse(w->line->end[x->to].said);
}

void agw_out_media_attrs(agw_exchange *x, agw_work *w, agw_sdp_writer *out)
{
    const agw_line_end *end = &w->line->end[x->to];
    const agw_link *link = agw_state_end_link(x->next, w->line, x->to);
    if (end->mid != NULL)
        agw_sdp_write_attr(out, "mid", end->mid);
    write_codecs(x, w, out);
    if (x->is_offer)
        write_offered_extensions(x, w, out);
    else
        write_answered_extensions(x, w, out);
    write_direction(x, w, told_direction(x, w), out);
    write_rtcp(x, w, link, out);
    write_ssrc(x, w, out);
    write_theirs(x, w, out);
    if (w->acfg != 0)
        agw_sdp_write_attrf(out, "acfg", "%u t=%u", w->acfg, w->acfg_transport);
    if (link->now.ice)
        write_ice(x, link, out);
    if (w->line->passes)
        write_passed(w, out);
    else if (end->security == AGW_SECURITY_DTLS)
        write_dtls(x, link, out);
    else if (end->security == AGW_SECURITY_SDES)
        agw_keys_write(x, link, out);
}

/* --- session level ------------------------------------------------------------------------ */

static void write_group(const agw_exchange *x, const GString *mids, agw_sdp_writer *out)
{
    (void)x;
    if (mids->len > 0)
        agw_sdp_write_attrf(out, "group", "BUNDLE%s", mids->str);
}

static void write_offered_group(const agw_exchange *x, agw_sdp_writer *out)
{
    const agw_leg *leg = &x->next->leg[x->to];
    GString *mids = g_string_new(NULL);
    for (guint i = 0; i < x->work->len && leg->web && !leg->no_bundle; i++) {
        const agw_work *w = agw_work_at(x, i);
        if (w->go && w->line->end[x->to].mid != NULL)
            g_string_append_printf(mids, " %s", w->line->end[x->to].mid);
    }
    write_group(x, mids, out);
    g_string_free(mids, TRUE);
}

static void write_answered_groups(const agw_exchange *x, agw_sdp_writer *out)
{
    for (size_t i = 0; i < x->offer->n_groups; i++) {
        const agw_sdp_group *group = &x->offer->groups[i];
        GString *mids = g_string_new(NULL);
        for (size_t k = 0; k < group->mids.n; k++) {
            const agw_sdp_media *m = agw_sdp_by_mid(x->offer, group->mids.v[k]);
            const agw_work *w = m != NULL ? agw_in_work_of(x, m) : NULL;
            if (w != NULL && w->go && m->bundle == group && w->line->end[x->to].bundled)
                g_string_append_printf(mids, " %s", m->mid);
        }
        write_group(x, mids, out);
        g_string_free(mids, TRUE);
    }
}

/* Whether the receiver sees an agent of ours that is full, or one that is lite. */
static bool any_ice(const agw_exchange *x, bool full)
{
    const agw_leg *leg = &x->next->leg[x->to];
    bool any = false;
    for (guint i = 0; i < x->work->len; i++) {
        const agw_work *w = agw_work_at(x, i);
        const agw_link *link = w->go ? agw_state_end_link(x->next, w->line, x->to) : NULL;
        if (link == NULL || !link->now.ice)
            continue;
        if (link->now.ice_full == full)
            return true;
        any = true;
    }
    return !any && leg->web && leg->ice && (leg->ice_mode == AGW_ICE_MODE_FULL) == full;
}

/* --- loop-protect ------------------------------------------------------------------------- */

#define MARK "eims-agw"

/* Who wrote it, and toward which interface: on another one it is no loop but a second pass. */
static void mark_of(const agw_exchange *x, char out[40])
{
    g_snprintf(out, 40, "%016" G_GINT64_MODIFIER "x-%zu", x->s->config->instance,
               x->next->leg[x->to].interface);
}

bool agw_out_is_looped(const agw_exchange *x)
{
    char mark[40];
    if (!agw_flags_has(x->flags, AGW_WORD_LOOP_PROTECT))
        return false;
    mark_of(x, mark);
    for (size_t i = 0; i < x->sdp->session.n_attrs; i++) {
        const agw_sdp_attr *attr = &x->sdp->session.attrs[i];
        if (strcmp(attr->name, MARK) == 0 && attr->value != NULL && strcmp(attr->value, mark) == 0)
            return true;
    }
    return false;
}

/* A browser's description goes nowhere else. */
static void write_mark(const agw_exchange *x, agw_sdp_writer *out)
{
    char mark[40];
    if (!has_word(x, AGW_WORD_LOOP_PROTECT) || x->next->leg[x->to].web)
        return;
    mark_of(x, mark);
    agw_sdp_write_attr(out, MARK, mark);
}

void agw_out_session_attrs(agw_exchange *x, agw_sdp_writer *out)
{
    const bool from_web = x->next->leg[x->from].web, to_web = x->next->leg[x->to].web;
    const unsigned bit = way(from_web, to_web, is_ims(x));
    if (x->is_offer)
        write_offered_group(x, out);
    else
        write_answered_groups(x, out);
    if (any_ice(x, false))
        agw_sdp_write_attr(out, "ice-lite", NULL);
    else if (any_ice(x, true))
        agw_sdp_write_attr(out, "ice-options", "trickle");
    if (bit == PW)
        agw_sdp_write_attr(out, "msid-semantic", "WMS *");
    for (size_t i = 0; i < x->sdp->session.n_attrs; i++) {
        const agw_sdp_attr *attr = &x->sdp->session.attrs[i];
        if ((KEEP[attr->kind] & bit) != 0 && (KEEP[attr->kind] & TO_PT) == 0 &&
            strcmp(attr->name, MARK) != 0)
            agw_sdp_write_attr(out, attr->name, attr->value);
    }
    write_mark(x, out);
}
