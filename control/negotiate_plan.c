/* SPDX-License-Identifier: BSD-3-Clause
 * From what was negotiated to the plan of the call: gates, payload types, header extensions and
 * feedback of every media, and the transports that stand or are reserved. */
#include "control/negotiate_state.h"
#include "rtp/emodel.h"

#include <string.h>

/* The bits of rtp/feedback.h, which lies below another room; a test compares them. */
enum {
    FB_NACK = 1 << 0,
    FB_PLI = 1 << 1,
    FB_FIR = 1 << 2,
    FB_TMMBR = 1 << 3,
    FB_REMB = 1 << 4,
    FB_TCC = 1 << 5,
};

uint32_t agw_plan_fb_bit(const char *value)
{
    static const struct {
        const char *value;
        uint32_t bit;
    } BITS[] = {{"nack", FB_NACK},       {"nack pli", FB_PLI},   {"ccm fir", FB_FIR},
                {"ccm tmmbr", FB_TMMBR}, {"goog-remb", FB_REMB}, {"transport-cc", FB_TCC}};
    for (size_t i = 0; i < G_N_ELEMENTS(BITS); i++) {
        if (g_ascii_strcasecmp(value, BITS[i].value) == 0)
            return BITS[i].bit;
    }
    return g_ascii_strncasecmp(value, "ccm tmmbr ", strlen("ccm tmmbr ")) == 0 ? FB_TMMBR : 0;
}

/* --- payload types ------------------------------------------------------------------------ */

static bool has_pt(const agw_end_plan *end, uint8_t ingress)
{
    for (size_t i = 0; i < end->n_pts; i++) {
        if (end->pts[i].ingress == ingress)
            return true;
    }
    return false;
}

static bool is_event(const agw_row *row)
{
    return g_ascii_strcasecmp(row->name, "telephone-event") == 0;
}

static void add_pt(agw_end_plan *end, uint8_t ingress, uint8_t egress, const agw_row *row)
{
    if (end->n_pts < AGW_PLAN_PT_MAX && !has_pt(end, ingress))
        end->pts[end->n_pts++] = (agw_pt_plan){.ingress = ingress,
                                               .egress = egress,
                                               .is_event = is_event(row),
                                               .clock_hz = row->clock_hz};
}

/* egress says nothing there: the chain does. */
static void add_chained_pt(agw_end_plan *end, uint8_t ingress, const agw_row *row)
{
    const size_t n = end->n_pts;
    add_pt(end, ingress, ingress, row);
    if (end->n_pts > n)
        end->pts[n].chained = true;
}

/* The codec that both speak, each in its own form. */
static void add_repacked_pt(agw_end_plan *end, uint8_t ingress, const agw_line *line, agw_side side,
                            const agw_row *row)
{
    const size_t n = end->n_pts;
    const uint8_t repack = agw_transcode_repack(line, side, row);
    if (repack != 0)
        add_pt(end, ingress, line->form_pt[agw_side_other(side)], row);
    if (end->n_pts > n)
        end->pts[n].repack = repack;
}

/* A party sends the numbers of the other's description, that is ours; some send their own. */
static void fill_pts(const agw_line *line, agw_media_plan *plan)
{
    for (int own = 0; own < 2; own++) {
        for (guint i = 0; i < line->rows->len; i++) {
            const agw_row *row = agw_line_row(line, i);
            for (int side = 0; side < 2; side++) {
                const uint8_t pt = own ? row->want[side] : row->pt[side];
                const bool chained = (row->chained >> side & 1) != 0;
                if (chained && (line->chain[side] != NULL || is_event(row)))
                    add_chained_pt(&plan->end[side], pt, row);
                else if (chained && !row->active)
                    add_repacked_pt(&plan->end[side], pt, line, (agw_side)side, row);
                else if (row->active)
                    add_pt(&plan->end[side], pt, row->want[1 - side], row);
            }
        }
    }
}

/* --- header extensions -------------------------------------------------------------------- */

static bool same_mid(const agw_line *line)
{
    return line->end[0].mid != NULL && line->end[1].mid != NULL &&
           strcmp(line->end[0].mid, line->end[1].mid) == 0;
}

static void add_ext(agw_end_plan *end, unsigned ingress, unsigned egress)
{
    if (end->n_exts < AGW_PLAN_EXT_MAX)
        end->exts[end->n_exts++] = (agw_ext_plan){(uint8_t)ingress, (uint8_t)egress};
}

static void fill_extensions(const agw_exchange *x, const agw_work *w, agw_media_plan *plan)
{
    agw_end_plan *answerer = &plan->end[x->from], *offerer = &plan->end[x->to];
    const bool a_web = agw_end_is_web(&w->line->end[x->from]);
    const bool o_web = agw_end_is_web(&w->line->end[x->to]);
    answerer->mid_ext_id = a_web ? agw_attrs_mid_id(w->m) : 0;
    offerer->mid_ext_id = o_web ? agw_attrs_mid_id(w->om) : 0;
    for (size_t i = 0; i < w->om->n_extmaps; i++) {
        const agw_sdp_extmap *offered = &w->om->extmaps[i];
        const agw_sdp_extmap *answered = agw_sdp_extmap_of(w->m, offered->uri);
        if (answered == NULL || answered->id == 0 || answered->id > UINT8_MAX ||
            !agw_attrs_extension_passes(x, w, offered))
            continue;
        if (offered->id == offerer->mid_ext_id && !same_mid(w->line))
            continue; /* a mid means something on its own leg only */
        add_ext(offerer, offered->id, answered->id);
        add_ext(answerer, answered->id, offered->id);
    }
}

/* --- ends --------------------------------------------------------------------------------- */

static uint32_t feedback_of(const agw_work *w)
{
    uint32_t bits = 0;
    for (guint i = 0; i < w->codecs->len; i++) {
        const agw_out_codec *c = &g_array_index(w->codecs, agw_out_codec, i);
        for (const agw_sdp_fb *fb = c->codec->fb; fb != NULL; fb = fb->next)
            bits |= agw_plan_fb_bit(fb->value);
    }
    return bits;
}

static void fill_ssrcs(agw_end_plan *end, const agw_sdp_media *m, bool web)
{
    for (size_t i = 0; web && i < m->n_ssrcs && end->n_ssrcs < AGW_PLAN_SSRC_MAX; i++)
        end->ssrcs[end->n_ssrcs++] = m->ssrcs[i].ssrc;
}

/* A party that says RS and RR are zero wants no RTCP; an answer that says nothing about what it was
 * offered agrees (TS 26.114 section 7.3.1). */
static bool is_rtcp_off(const agw_work *w, const agw_sdp_media *m)
{
    return agw_bandwidth_kept(w, m, "RS") == 0 && agw_bandwidth_kept(w, m, "RR") == 0;
}

/* Between legs of one kind a=rtcp-xr and the reports pass. Ours: the round trip, which both must
 * have said (we never offer it), and VoIP metrics for whom asks. */
static uint8_t xr_of(const agw_exchange *x, const agw_work *w, agw_side side,
                     const agw_sdp_media *m)
{
    const agw_line_end *ends = w->line->end;
    if (w->line->passes || agw_end_is_web(&ends[AGW_SIDE_A]) == agw_end_is_web(&ends[AGW_SIDE_B]))
        return 0;
    const bool rtt = m->xr_rtt && side == x->to;
    const bool voip = m->xr_voip && w->line->kind == AGW_MEDIA_AUDIO;
    return (uint8_t)((rtt ? AGW_PLAN_XR_RTT : 0) | (voip ? AGW_PLAN_XR_VOIP : 0));
}

/* Of the first codec that this party speaks. */
static const agw_emodel_codec *codec_of(const agw_line *line, agw_side side)
{
    for (guint i = 0; i < line->rows->len; i++) {
        const agw_row *row = agw_line_row(line, i);
        if ((row->active || (row->chained >> side & 1) != 0) && !row->aux)
            return agw_emodel_find(row->name, row->clock_hz, 0);
    }
    return NULL;
}

static void fill_end(const agw_exchange *x, const agw_work *w, agw_side side, agw_media_plan *plan)
{
    const agw_line_end *end = &w->line->end[side];
    const agw_line_end *other = &w->line->end[agw_side_other(side)];
    const agw_sdp_media *m = side == x->from ? w->m : w->om;
    const bool web = agw_end_is_web(end);
    agw_end_plan *out = &plan->end[side];
    out->transport_id = end->link;
    out->may_send = (end->said & AGW_SDP_SENDONLY) != 0 && (other->said & AGW_SDP_RECVONLY) != 0;
    out->may_receive = (end->said & AGW_SDP_RECVONLY) != 0 && (other->said & AGW_SDP_SENDONLY) != 0;
    out->egress_ssrc = end->ssrc;
    if (end->ssrc != 0 || other->ssrc != 0) /* a core party's own stays in the core, RFC 8828 */
        agw_out_cname(x->s, side, out->cname);
    out->rtcp_off = w->line->passes || is_rtcp_off(w, m); /* ours would need their keys */
    out->acts = w->line->passes ? AGW_ACT_PASS : 0;
    const bool avpf = agw_sdp_proto_is_avpf(side == x->from ? w->m->proto : end->proto);
    out->feedback = !avpf ? 0 : side == x->from ? feedback_of(w) : w->told_fb;
    out->xr = xr_of(x, w, side, m);
    out->codec = codec_of(w->line, side);
    out->reduced_size = m->rtcp_rsize && (web || w->om->rtcp_rsize);
    if (web && end->mid != NULL && strlen(end->mid) <= AGW_MID_MAX)
        g_strlcpy(out->mid, end->mid, sizeof out->mid);
    fill_ssrcs(out, m, web);
}

/* EF for audio and AF41 for video also where both share a transport, unless asked for. */
static void fill_tos(const agw_exchange *x, const agw_line *line, agw_side side, agw_end_plan *out)
{
    const int32_t leg = x->next->leg[side].tos, asked = leg >= 0 ? leg : x->s->config->tos;
    out->tos_copy = asked == AGW_TOS_COPY;
    if (asked >= 0 && asked != AGW_TOS_COPY)
        out->tos = (uint8_t)asked;
    else
        out->tos = line->kind == AGW_MEDIA_VIDEO ? AGW_TOS_AF41 : AGW_TOS_EF;
}

void agw_plan_medias(agw_exchange *x)
{
    for (guint i = 0; i < x->work->len; i++) {
        const agw_work *w = agw_work_at(x, i);
        agw_line *line = w->line;
        g_clear_pointer(&line->now, g_free);
        if (!w->go)
            continue;
        line->now = g_new0(agw_media_plan, 1);
        line->now->id = line->id;
        line->now->kind = (uint8_t)line->kind;
        line->now->own_rtcp = line->kind == AGW_MEDIA_AUDIO && x->next->leg[x->from].own_rtcp;
        fill_end(x, w, AGW_SIDE_A, line->now);
        fill_end(x, w, AGW_SIDE_B, line->now);
        fill_tos(x, line, AGW_SIDE_A, &line->now->end[AGW_SIDE_A]);
        fill_tos(x, line, AGW_SIDE_B, &line->now->end[AGW_SIDE_B]);
        agw_bandwidth_police(x, w, line->now);
        fill_pts(line, line->now);
        fill_extensions(x, w, line->now);
    }
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool has_transport(const agw_plan *plan, uint32_t id)
{
    for (size_t i = 0; i < plan->n_transports; i++) {
        if (plan->transports[i].id == id)
            return true;
    }
    return false;
}

static void add_transports(agw_plan *plan, const agw_state *state)
{
    for (guint i = 0; state != NULL && i < state->links->len; i++) {
        const agw_link *link = g_ptr_array_index(state->links, i);
        if (has_transport(plan, link->info.id))
            continue;
        agw_transport_plan *t = &plan->transports[plan->n_transports++];
        *t = link->now;
        agw_link_add_to_plan(plan, t, link);
    }
}

static bool is_forked(const agw_state *state, const agw_line *line, agw_side side)
{
    const agw_link *link = agw_state_end_link(state, line, side);
    return link != NULL && link->now.n_open != 0;
}

/* Chromium whose application prefers Opus answers Opus alone, and sends the first codec of the
 * offer all the same (seen with version 156), against RFC 3264 section 6.1. */
static bool sends_what_was_offered(const agw_state *state, const agw_line *line, agw_side side)
{
    return is_forked(state, line, side) ||
           (line->chain[side] != NULL && agw_end_is_web(&line->end[side]));
}

/* While several branches may be heard, each may send what it chose of the offer, and so may one
 * whose answer is still on its way (RFC 3264 section 5.1). */
static void add_offered_pts(const agw_state *state, const agw_line *line, agw_side side,
                            agw_end_plan *end)
{
    for (guint i = 0; sends_what_was_offered(state, line, side) && i < line->rows->len; i++) {
        const agw_row *row = agw_line_row(line, i);
        if (!row->offered || !row->named[side])
            continue;
        if (line->chain[side] != NULL && agw_transcode_takes(row))
            add_chained_pt(end, row->pt[side], row);
        else if (!row->added)
            add_pt(end, row->pt[side], row->want[agw_side_other(side)], row);
    }
}

static void add_medias(agw_plan *plan, const agw_state *state)
{
    for (guint i = 0; state != NULL && i < state->lines->len; i++) {
        const agw_line *line = agw_state_line(state, i);
        if (!line->live || line->now == NULL)
            continue;
        agw_media_plan *media = &plan->medias[plan->n_medias++];
        *media = *line->now;
        for (int k = 0; k < 2; k++) {
            const agw_side side = (agw_side)k;
            add_offered_pts(state, line, side, &media->end[side]);
            media->end[side].chain =
                agw_transcode_plan(plan, line, side, sends_what_was_offered(state, line, side));
        }
    }
}

static size_t room_of(const agw_state *state)
{
    size_t bytes = 0;
    for (guint i = 0; state != NULL && i < state->links->len; i++)
        bytes += agw_link_room(g_ptr_array_index(state->links, i));
    return bytes;
}

agw_plan *agw_plan_of(const agw_session *s)
{
    const size_t n_states = agw_session_n_states(s);
    size_t n_links = 0, room = 0;
    for (size_t i = 0; i < n_states; i++) {
        const agw_state *state = agw_session_state(s, i);
        n_links += state != NULL ? state->links->len : 0;
        room += room_of(state);
    }
    agw_plan *plan = agw_plan_new(n_links, s->current != NULL ? s->current->lines->len : 0);
    if (plan == NULL)
        return NULL;
    if (agw_plan_make_room(plan, room) != AGW_OK) {
        agw_plan_free(plan);
        return NULL;
    }
    plan->n_transports = plan->n_medias = 0;
    for (size_t i = 0; i < n_states; i++)
        add_transports(plan,
                       agw_session_state(s, i)); /* what stands counts where an offer has it, too */
    add_medias(plan, s->current);
    return plan;
}
