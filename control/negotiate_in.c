/* SPDX-License-Identifier: BSD-3-Clause
 * Reading one message: which line of the session each m= line is, and whether we can serve it. */
#include "control/negotiate_state.h"

#include <string.h>

agw_work *agw_in_work_of(const agw_exchange *x, const agw_sdp_media *m)
{
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        if (w->m == m || w->om == m)
            return w;
    }
    return NULL;
}

const agw_sdp_media *agw_in_transport_media(const agw_sdp *sdp, const agw_sdp_media *m)
{
    for (size_t i = 0; m->bundle != NULL && i < m->bundle->mids.n; i++) {
        const agw_sdp_media *tagged = agw_sdp_by_mid(sdp, m->bundle->mids.v[i]);
        if (tagged != NULL && tagged->port != 0 && !tagged->bundle_only)
            return tagged;
    }
    return m;
}

/* By what stands beside the profile; DTLS before SDES unless the latter is preferred. */
static agw_security by_attributes(const agw_sdp_media *tm, bool sdes)
{
    const char *why;
    if (tm->fingerprints.n == 0)
        return AGW_SECURITY_SDES;
    return sdes && agw_keys_offered(tm, &why) ? AGW_SECURITY_SDES : AGW_SECURITY_DTLS;
}

agw_security agw_in_security(agw_sdp_proto proto, const agw_sdp_media *tm, bool sdes)
{
    if (!agw_sdp_proto_is_secure(proto))
        return AGW_SECURITY_PLAIN;
    return agw_sdp_proto_is_dtls(proto) ? AGW_SECURITY_DTLS : by_attributes(tm, sdes);
}

static bool alive(const agw_sdp_media *m)
{
    return m->port != 0 || (m->bundle_only && m->bundle != NULL);
}

static bool has_fingerprint(const agw_sdp_media *tm)
{
    for (size_t i = 0; i < tm->fingerprints.n; i++) {
        agw_fingerprint fp;
        const char *text = tm->fingerprints.v[i];
        if (agw_fingerprint_parse(&fp, text, strlen(text)) == AGW_OK)
            return true;
    }
    return false;
}

/* Plain RTP by its profile, with keys that we could use (RFC 8643 section 3.1). */
static bool is_osrtp(const agw_sdp_media *m, const agw_sdp_media *tm)
{
    const char *why;
    return m->proto != AGW_SDP_OTHER && !agw_sdp_proto_is_secure(m->proto) &&
           (has_fingerprint(tm) || agw_keys_offered(tm, &why));
}

/* RFC 3264 section 8.4: the old way to say hold. With ICE the address is elsewhere. */
static agw_sdp_direction direction_of(const agw_sdp_media *m, const agw_sdp_media *tm)
{
    if (tm->ice_ufrag == NULL && agw_addr_is_any(&m->conn.ip))
        return m->direction & AGW_SDP_SENDONLY;
    return m->direction;
}

/* --- finding lines ------------------------------------------------------------------------ */

static bool is_type(const agw_line *line, const agw_sdp_media *m)
{
    return g_ascii_strncasecmp(line->type, m->kind, AGW_LINE_TYPE_MAX) == 0;
}

/* The m= line at the same position, if its mid does not speak against it. */
static const agw_sdp_media *at_position(const agw_sdp *sdp, size_t i, const char *mid)
{
    if (sdp->medias == NULL || i >= sdp->n_medias)
        return NULL;
    const agw_sdp_media *m = &sdp->medias[i];
    return mid == NULL || m->mid == NULL ? m : NULL;
}

/* Old lines by place in the new description: by mid where both have one, else by position. */
static agw_line **match_lines(const agw_exchange *x, GPtrArray *old)
{
    const agw_sdp *sdp = x->sdp;
    agw_line **found = g_new0(agw_line *, sdp->n_medias + 1);
    size_t place = 0; /* as the sender counts */
    for (guint i = 0; i < old->len; i++) {
        agw_line *line = g_ptr_array_index(old, i);
        if (line->end[x->from].hidden)
            continue;
        const char *mid = line->end[x->from].mid;
        const agw_sdp_media *m = mid != NULL ? agw_sdp_by_mid(sdp, mid) : NULL;
        if (m == NULL)
            m = at_position(sdp, place, mid);
        place++;
        if (m == NULL || !is_type(line, m) || found[m - sdp->medias] != NULL)
            continue;
        found[m - sdp->medias] = line;
        old->pdata[i] = NULL;
    }
    return found;
}

static bool mid_in_use(const agw_state *state, agw_side side, const char *mid)
{
    for (guint i = 0; i < state->lines->len; i++) {
        const char *other = agw_state_line(state, i)->end[side].mid;
        if (other != NULL && strcmp(other, mid) == 0)
            return true;
    }
    return false;
}

/* The mid toward the receiver: kept, else the sender's, else the first free number. */
static void name_line(agw_exchange *x, agw_line *line, size_t index)
{
    const agw_leg *to = &x->next->leg[x->to];
    const char *theirs = line->end[x->from].mid;
    const bool wanted =
        to->web || (to->profile != AGW_REALM_IMS && (to->words >> AGW_WORD_GENERATE_MID & 1) != 0);
    if (line->end[x->to].mid != NULL || (!wanted && (theirs == NULL || x->browser)))
        return;
    if (!wanted && to->profile == AGW_REALM_IMS)
        return;
    char text[24];
    if (theirs != NULL && strlen(theirs) <= AGW_MID_MAX && !mid_in_use(x->next, x->to, theirs)) {
        agw_line_set_mid(line, x->to, theirs);
        return;
    }
    do
        g_snprintf(text, sizeof text, "%zu", index++);
    while (mid_in_use(x->next, x->to, text));
    agw_line_set_mid(line, x->to, text);
}

/* Lines that the sender does not see keep their place for the receiver, who does. */
static void keep_hidden(agw_state *next, GPtrArray *old, agw_side from)
{
    for (guint i = next->lines->len; i < old->len; i++) {
        agw_line *line = g_ptr_array_index(old, i);
        if (line == NULL || !line->end[from].hidden)
            return;
        g_ptr_array_add(next->lines, line);
        old->pdata[i] = NULL;
    }
}

static bool removes(const agw_exchange *x, const char *type)
{
    const GPtrArray *types = x->flags->media_remove;
    for (guint i = 0; types != NULL && i < types->len; i++) {
        if (g_ascii_strcasecmp(g_ptr_array_index(types, i), type) == 0)
            return true;
    }
    return false;
}

static agw_line *new_line(const agw_exchange *x, const agw_sdp_media *m)
{
    agw_line *line = agw_line_new(x->next, m->kind);
    line->end[x->to].hidden = removes(x, m->kind);
    return line;
}

/* Puts the lines of x->next into the order of the description; what is not in it goes. */
static void arrange_lines(agw_exchange *x)
{
    agw_state *next = x->next;
    GPtrArray *old = next->lines;
    agw_line **found = match_lines(x, old);
    next->lines = agw_state_new_lines();
    for (size_t i = 0; i < x->sdp->n_medias; i++) {
        const agw_sdp_media *m = &x->sdp->medias[i];
        keep_hidden(next, old, x->from);
        agw_line *line = found[i] != NULL ? found[i] : new_line(x, m);
        if (x->apart)
            line->end[x->to].hidden = removes(x, m->kind);
        g_ptr_array_add(next->lines, line);
        if (m->mid != NULL)
            agw_line_set_mid(line, x->from, m->mid);
    }
    keep_hidden(next, old, x->from);
    for (guint i = 0; i < next->lines->len; i++)
        name_line(x, agw_state_line(next, i), i);
    g_free(found);
    g_ptr_array_free(old, TRUE);
}

/* --- offers ------------------------------------------------------------------------------- */

/* The kinds of media and transport that we serve. */
static bool is_served(const agw_sdp_media *m)
{
    const bool rtp = m->proto != AGW_SDP_OTHER;
    return rtp &&
           (g_ascii_strcasecmp(m->kind, "audio") == 0 || g_ascii_strcasecmp(m->kind, "video") == 0);
}

static bool can_transport(agw_exchange *x, const agw_work *w)
{
    const agw_link *link = agw_state_end_link(x->next, w->line, x->from);
    if (link != NULL && link->kind == AGW_TRANSPORT_SHARED && w->tm->ice_ufrag == NULL)
        return false; /* the shared port knows its peers by ICE alone */
    switch (w->line->end[x->from].security) {
    case AGW_SECURITY_DTLS:
        return has_fingerprint(w->tm);
    case AGW_SECURITY_SDES:
        return w->line->passes ? w->tm->crypto.n > 0 : agw_keys_offered(w->tm, &x->refused);
    default:
        return true;
    }
}

static void read_security(const agw_exchange *x, const agw_work *w)
{
    const agw_leg *to = &x->next->leg[x->to];
    agw_line_end *end = &w->line->end[x->from];
    end->proto = w->m->proto;
    w->line->passes = x->next->passes && agw_sdp_proto_is_secure(w->m->proto);
    end->osrtp = (to->osrtp & AGW_OSRTP_OFF) == 0 && is_osrtp(w->m, w->tm);
    end->security = end->osrtp ? by_attributes(w->tm, to->sdes.prefer)
                               : agw_in_security(w->m->proto, w->tm, to->sdes.prefer);
}

static void read_offered(agw_exchange *x, agw_work *w, size_t served)
{
    agw_line *line = w->line;
    line->served = is_served(w->m);
    line->kind = g_ascii_strcasecmp(w->m->kind, "video") == 0 ? AGW_MEDIA_VIDEO : AGW_MEDIA_AUDIO;
    line->offered = false;
    for (guint i = 0; i < line->rows->len; i++)
        agw_line_row(line, i)->offered = agw_line_row(line, i)->added = false;
    if (line->end[x->to].hidden)
        agw_line_keep_shown(line, w->m);
    read_security(x, w);
    line->end[x->from].said = direction_of(w->m, w->tm);
    if (!line->served)
        return;
    agw_legs_secure(x, w);
    line->offered = alive(w->m) && !removes(x, w->m->kind) && !line->end[x->to].hidden &&
                    served < AGW_PLAN_MEDIA_MAX && can_transport(x, w) && agw_codecs_offer(x, w);
    w->go = line->offered;
}

static bool is_incomplete(const agw_sdp_media *m)
{
    return alive(m) && m->conn.addrtype == NULL && m->ice_ufrag == NULL;
}

static void begin_work(agw_exchange *x)
{
    for (guint i = 0; i < x->next->lines->len; i++) {
        agw_work w = {.line = agw_state_line(x->next, i)};
        g_array_append_val(x->work, w);
    }
}

agw_err agw_in_offer(agw_exchange *x)
{
    arrange_lines(x);
    begin_work(x);
    size_t wanted = 0, served = 0, place = 0;
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        if (w->line->end[x->from].hidden) {
            w->line->offered = false;
            continue;
        }
        w->m = &x->sdp->medias[place++];
        w->tm = agw_in_transport_media(x->sdp, w->m);
        if (is_incomplete(w->m)) {
            x->why = "Incomplete SDP specification";
            return AGW_ERR_MALFORMED;
        }
        read_offered(x, w, served);
        wanted += alive(w->m);
        served += w->go;
    }
    if (wanted > 0 && served == 0) {
        x->why = x->refused != NULL ? x->refused : "Error rewriting SDP";
        return AGW_ERR_UNSUPPORTED;
    }
    return AGW_OK;
}

/* --- answers ------------------------------------------------------------------------------ */

/* Of the profile that was offered, with what belongs to this security. */
static bool is_secured(const agw_work *w, const agw_link *link, const agw_line_end *end,
                       const char **why)
{
    const bool secure = agw_sdp_proto_is_secure(w->m->proto);
    *why = "an answer with other security than was offered";
    if (secure != (end->security != AGW_SECURITY_PLAIN && !end->osrtp))
        return false;
    switch (end->security) {
    case AGW_SECURITY_DTLS:
        return has_fingerprint(w->tm) &&
               (link->kind != AGW_TRANSPORT_SHARED || w->tm->ice_ufrag != NULL);
    case AGW_SECURITY_SDES:
        if (agw_sdp_proto_is_dtls(w->m->proto))
            return false;
        return w->line->passes ? w->tm->crypto.n > 0 : agw_keys_answered(link, w->tm, why);
    default:
        return true;
    }
}

/* What was offered must be answered: nothing less, and with what belongs to it. Only what was
 * offered as OSRTP may be answered as plain RTP. */
static bool is_secured_as_offered(agw_exchange *x, const agw_work *w, const agw_link *link)
{
    agw_line_end *end = &w->line->end[x->from];
    const char *why;
    bool good = is_secured(w, link, end, &why);
    if (!good && end->osrtp && !agw_sdp_proto_is_secure(w->m->proto)) {
        end->security = AGW_SECURITY_PLAIN;
        good = true;
    }
    if (!good)
        x->refused = why;
    return good;
}

/* The offerer's keys are taken if we were told so, or if the answerer has keys, too. */
static void answer_osrtp(const agw_exchange *x, const agw_work *w)
{
    agw_line_end *end = &w->line->end[x->to];
    const bool asked = ((x->flags->osrtp | x->next->leg[x->from].osrtp) & AGW_OSRTP_ACCEPT) != 0;
    if (end->osrtp && !asked && w->line->end[x->from].security == AGW_SECURITY_PLAIN)
        end->security = AGW_SECURITY_PLAIN;
}

static bool is_accepted(agw_exchange *x, const agw_work *w)
{
    const agw_link *link = agw_state_end_link(x->next, w->line, x->from);
    const bool other = agw_state_end_link(x->next, w->line, x->to) != NULL;
    if (!w->line->offered || w->m == NULL || !alive(w->m) || link == NULL || !other)
        return false;
    return w->m->proto != AGW_SDP_OTHER && is_secured_as_offered(x, w, link);
}

/* transport-protocol=accept: with or without feedback, as the answerer has it. */
static void take_deviation(const agw_exchange *x, const agw_work *w)
{
    agw_line_end *to = &w->line->end[x->to];
    if (x->flags->transport_accept)
        to->proto = agw_sdp_proto_with_avpf(to->proto, agw_sdp_proto_is_avpf(w->m->proto));
}

/* Each party counts the lines that it sees. */
static void find_answered(agw_exchange *x, agw_work *w, size_t *offered, size_t *answered)
{
    if (!w->line->end[x->to].hidden) {
        w->om = &x->offer->medias[(*offered)++];
        w->otm = agw_in_transport_media(x->offer, w->om);
    }
    if (w->line->end[x->from].hidden || *answered >= x->sdp->n_medias)
        return;
    const agw_sdp_media *m = &x->sdp->medias[(*answered)++];
    if (w->om == NULL || !is_type(w->line, m))
        return;
    w->m = m;
    w->tm = agw_in_transport_media(x->sdp, m);
}

void agw_in_answer(agw_exchange *x)
{
    size_t offered = 0, answered = 0;
    begin_work(x);
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        find_answered(x, w, &offered, &answered);
        w->go = is_accepted(x, w) && agw_codecs_answer(x, w);
        if (!w->go)
            continue;
        answer_osrtp(x, w);
        take_deviation(x, w);
        w->line->end[x->from].said = direction_of(w->m, w->tm);
        w->line->end[x->to].said = direction_of(w->om, w->otm);
    }
}
