/* SPDX-License-Identifier: BSD-3-Clause
 * Exchanges of a session: work on a copy of what stands, then let the copy take over or throw it
 * away; and the view of what stands. */
#include "control/negotiate.h"

#include "base/log.h"
#include "base/secret.h"
#include "control/negotiate_state.h"

#include <string.h>

agw_session *agw_session_new(const agw_config *config, agw_gateway *gw, agw_call_ref *call,
                             const uint8_t seed[16])
{
    agw_session *s = g_new0(agw_session, 1);
    s->config = config;
    s->gw = gw;
    s->call = call;
    memcpy(s->seed, seed, sizeof s->seed);
    return s;
}

static void forget_text(agw_offer *offer)
{
    if (offer->text != NULL)
        agw_secret_wipe(offer->text, offer->len); /* it holds an ICE password */
    g_clear_pointer(&offer->text, g_free);
    g_clear_pointer(&offer->sdp, agw_sdp_free);
}

static void free_offers(GArray *offers)
{
    for (guint i = 0; offers != NULL && i < offers->len; i++) {
        agw_offer *offer = &g_array_index(offers, agw_offer, i);
        agw_state_free(offer->pending);
        forget_text(offer);
    }
    if (offers != NULL)
        g_array_free(offers, TRUE);
}

void agw_session_free(agw_session *session)
{
    if (session == NULL)
        return;
    agw_state_free(session->current);
    agw_state_free(session->offer.pending);
    agw_state_free(session->crossed.pending);
    forget_text(&session->offer);
    forget_text(&session->crossed);
    forget_text(&session->answered);
    free_offers(agw_branches_end(session));
    for (size_t i = 0; i < 2; i++) {
        g_free(session->origin[i].username);
        g_free(session->origin[i].id);
        g_free(session->origin[i].name);
    }
    g_free(session);
}

bool agw_session_open(const agw_session *session)
{
    return session->offer.pending != NULL;
}

bool agw_session_looped(const agw_session *session)
{
    return session->looped;
}

bool agw_session_stood(const agw_session *session)
{
    return session->stood;
}

bool agw_session_established(const agw_session *session)
{
    return session->current != NULL;
}

static bool state_owns(const agw_state *state, const agw_addr *addr, agw_side *leg)
{
    for (guint i = 0; state != NULL && i < state->links->len; i++) {
        const agw_link *link = g_ptr_array_index(state->links, i);
        *leg = (agw_side)link->now.side;
        for (size_t k = 0; link->kind != AGW_TRANSPORT_SHARED && k < 2; k++) {
            if (agw_addr_equal(&link->info.rtp[k], addr))
                return true;
        }
    }
    return false;
}

bool agw_session_owns(const agw_session *session, const agw_addr *addr, agw_side *leg)
{
    bool owns = false;
    for (size_t i = 0; !owns && i < agw_session_n_states(session); i++)
        owns = state_owns(agw_session_state(session, i), addr, leg);
    return owns;
}

/* --- taking over -------------------------------------------------------------------------- */

static bool knows_link(const agw_session *s, uint32_t id)
{
    bool known = false;
    for (size_t i = 0; !known && i < agw_session_n_states(s); i++)
        known = agw_state_link(agw_session_state(s, i), id) != NULL;
    return known;
}

/* Gives back the transports of `old` that neither the session nor `other` knows any more. */
static void release_unknown(agw_session *s, const agw_state *old, const agw_state *other)
{
    for (guint i = 0; old != NULL && i < old->links->len; i++) {
        const agw_link *link = g_ptr_array_index(old->links, i);
        const uint32_t id = link->info.id;
        if (!knows_link(s, id) && agw_state_link(other, id) == NULL)
            agw_gateway_release(s->gw, s->call, id);
    }
}

/* Nothing that an urgent call sends is too much, and it may have a mark of its own. */
static void make_urgent(const agw_config *config, agw_plan *plan)
{
    const int32_t tos = config->tos_urgent;
    for (size_t i = 0; i < plan->n_transports; i++) {
        plan->transports[i].rtcp_per_second = 0;
        if (tos >= 0)
            plan->transports[i].tos = (uint8_t)tos;
    }
    for (size_t i = 0; i < 2 * plan->n_medias; i++) {
        agw_end_plan *end = &plan->medias[i / 2].end[i % 2];
        end->police_bps = 0;
        if (tos >= 0)
            end->tos = (uint8_t)tos;
        end->tos_copy = end->tos_copy && tos < 0;
    }
}

/* What control wants of the call now, to its worker. */
void agw_session_apply(agw_session *s)
{
    agw_plan *plan = agw_plan_of(s);
    AGW_ASSERT(plan != NULL);
    for (size_t i = 0; i < plan->n_medias; i++) {
        for (int side = 0; side < 2; side++) {
            plan->medias[i].end[side].acts |= s->acts[side];
            plan->medias[i].end[side].shield = s->shield[side];
        }
    }
    agw_plan_audios(s, plan);
    if (s->urgent)
        make_urgent(s->config, plan);
    agw_gateway_apply(s->gw, s->call, plan);
}

void agw_session_set_shield(agw_session *session, agw_side side, const agw_shield_plan *shield)
{
    session->shield[side] = *shield;
}

void agw_session_set_acts(agw_session *session, const uint8_t acts[2])
{
    memcpy(session->acts, acts, sizeof session->acts);
    agw_session_apply(session);
}

void agw_session_set_urgent(agw_session *session, bool urgent)
{
    if (session->urgent == urgent)
        return;
    session->urgent = urgent;
    if (session->current != NULL || session->offer.pending != NULL)
        agw_session_apply(session);
}

/* The given states stand from now on; the former ones end. */
static void take_over(agw_session *s, agw_state *current, agw_state *pending)
{
    agw_state *const old_current = s->current, *const old_pending = s->offer.pending;
    s->current = current;
    s->offer.pending = pending;
    agw_session_apply(s);
    release_unknown(s, old_pending, NULL);
    release_unknown(s, old_current, old_pending);
    if (old_current != current)
        agw_state_free(old_current);
    agw_state_free(old_pending);
}

void agw_session_end_branches(agw_session *s)
{
    GArray *const gone = agw_branches_end(s);
    if (gone == NULL)
        return;
    agw_session_apply(s);
    s->others = gone; /* what two of them have in common is given back once */
    while (gone->len > 0) {
        agw_offer last = g_array_index(gone, agw_offer, gone->len - 1);
        g_array_set_size(gone, gone->len - 1);
        release_unknown(s, last.pending, NULL);
        agw_state_free(last.pending);
        forget_text(&last);
    }
    g_array_free(g_steal_pointer(&s->others), TRUE);
}

/* The given states stand, and no other branch can answer any more. */
static void take_over_alone(agw_session *s, agw_state *current, agw_state *pending)
{
    take_over(s, current, pending);
    agw_session_end_branches(s);
}

static void swap_offers(agw_session *s)
{
    const agw_offer last = s->offer;
    s->offer = s->crossed;
    s->crossed = last;
}

static void give_up_crossed(agw_session *s)
{
    agw_state *const old = s->crossed.pending;
    if (old == NULL)
        return;
    s->crossed.pending = NULL;
    forget_text(&s->crossed);
    agw_session_apply(s);
    release_unknown(s, old, NULL);
    agw_state_free(old);
}

static bool is_open_by(const agw_offer *offer, agw_side from)
{
    return offer->pending != NULL && offer->from == from;
}

void agw_session_rollback(agw_session *session, agw_side offerer)
{
    if (is_open_by(&session->crossed, offerer)) {
        give_up_crossed(session);
    } else if (is_open_by(&session->crossed, agw_side_other(offerer))) {
        swap_offers(session);
        give_up_crossed(session);
    } else if (is_open_by(&session->offer, offerer)) {
        take_over(session, session->current, NULL);
        forget_text(&session->offer);
        session->offer = session->answered; /* branches go on answering it */
        session->answered = (agw_offer){.pending = NULL};
    }
}

/* --- exchanges ---------------------------------------------------------------------------- */

/* While the other side's offer is open (RFC 3261 section 14.2: one of them will be refused, or
 * both). Such an offer takes nothing over from the one it crosses. */
static bool crosses(const agw_exchange *x)
{
    const agw_session *s = x->s;
    return x->is_offer && s->current != NULL && is_open_by(&s->offer, x->to);
}

static const agw_state *base_of(const agw_exchange *x)
{
    const agw_session *s = x->s;
    return s->offer.pending != NULL && !crosses(x) ? s->offer.pending : s->current;
}

static void exchange_begin(agw_exchange *x)
{
    enum { TEXTS_BYTES = 512 };
    const agw_session *s = x->s;
    const agw_state *base = base_of(x);
    x->current = s->current;
    x->next = base != NULL ? agw_state_copy(base) : agw_state_new();
    x->work = g_array_new(FALSE, TRUE, sizeof(agw_work));
    x->made = g_ptr_array_new_with_free_func(g_free);
    x->texts = g_string_chunk_new(TEXTS_BYTES);
}

static void exchange_end(agw_exchange *x)
{
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        if (w->codecs != NULL)
            g_array_free(w->codecs, TRUE);
    }
    g_array_free(x->work, TRUE);
    g_ptr_array_free(x->made, TRUE);
    g_string_chunk_free(x->texts);
    agw_sdp_free(x->offer);
    agw_sdp_free(x->sdp);
    if (x->next == NULL)
        return; /* it has taken over */
    release_unknown(x->s, x->next, NULL);
    agw_state_free(x->next);
}

static void learn_ids(agw_exchange *x)
{
    agw_attrs_learn_ids(&x->next->leg[x->from], x->sdp);
    agw_attrs_learn_ids(&x->next->leg[x->to], NULL);
}

/* A signalling loop (loop-protect): what we have written already stays as it is. */
static agw_err pass_on(agw_exchange *x, const char *text, size_t len, GString *out)
{
    x->looped = true;
    g_string_append_len(out, text, (gssize)len);
    return AGW_OK;
}

/* The reply is one datagram, in either encoding: nothing may stand that its sender cannot be told.
 */
static bool fits_reply(agw_exchange *x, const GString *out)
{
    enum { FRAME = 512, LONGEST_ESCAPE = 6 }; /* cookie and keys; \u00ff */
    size_t json = 0;
    for (gsize i = 0; i < out->len && out->len > AGW_NG_DATAGRAM_MAX / 8; i++) {
        const unsigned char c = (unsigned char)out->str[i];
        const bool pair = c == '\r' || c == '\n' || c == '\t' || c == '"' || c == '\\';
        json += pair ? 2 : c < 0x20 || c >= 0x7f ? LONGEST_ESCAPE : 1;
    }
    if (json <= AGW_NG_DATAGRAM_MAX - FRAME)
        return true;
    x->why = "Reply does not fit a datagram";
    return false;
}

/* Only a call that does not stand yet is refused for what its codecs would cost. */
static bool has_room_for_open(agw_exchange *x)
{
    const agw_session *s = x->s;
    if (s->current != NULL || s->offer.pending != NULL || !agw_transcode_is_open(x))
        return true;
    const char *why = agw_gateway_refuse_open(s->gw, s->call, agw_flags_urgent(x->flags));
    x->why = why != NULL ? why : x->why;
    return why == NULL;
}

static bool has_room_for_chains(agw_exchange *x)
{
    const agw_session *s = x->s;
    const uint64_t us = agw_transcode_cost_us(x->next);
    if (s->current != NULL || us == 0)
        return true;
    const char *why = agw_gateway_refuse_chains(s->gw, s->call, us, s->urgent);
    x->why = why != NULL ? why : x->why;
    return why == NULL;
}

/* In an early dialogue it may be answered once more, should the next one be given up. */
static void put_last_offer_away(agw_session *s)
{
    if (!s->early || s->offer.pending != NULL || s->offer.text == NULL) {
        forget_text(&s->offer);
        return;
    }
    forget_text(&s->answered);
    s->answered = s->offer;
}

static agw_err run_offer(agw_exchange *x, const char *text, size_t len, GString *out)
{
    agw_session *s = x->s;
    agw_err err = agw_branches_offer(x);
    if (err != AGW_OK)
        return err;
    agw_legs_offer(x);
    if (agw_out_is_looped(x))
        return pass_on(x, text, len, out);
    learn_ids(x);
    err = agw_in_offer(x);
    if (err == AGW_OK)
        err = agw_links_offer(x);
    if (err != AGW_OK)
        return err;
    agw_state_sweep(x->next);
    agw_out_write(x, out);
    if (!fits_reply(x, out))
        return AGW_ERR_UNSUPPORTED;
    if (!has_room_for_open(x))
        return AGW_ERR_LIMIT;
    if (crosses(x)) {
        give_up_crossed(s); /* an earlier one of the same side */
        swap_offers(s);
    }
    const bool undecided = s->current == NULL || s->early;
    agw_branches_offered(x);
    put_last_offer_away(s);
    s->offer.from = x->from;
    s->offer.text = g_strndup(text, len);
    s->offer.len = len;
    s->offer.sdp = g_steal_pointer(&x->sdp);
    s->decided = false;
    if (undecided)
        take_over(s, s->current, g_steal_pointer(&x->next));
    else
        take_over_alone(s, s->current, g_steal_pointer(&x->next));
    return AGW_OK;
}

static agw_err run_answer(agw_exchange *x, const char *text, size_t len, GString *out)
{
    agw_session *s = x->s;
    agw_legs_answer(x);
    if (agw_out_is_looped(x))
        return pass_on(x, text, len, out);
    x->offer = g_steal_pointer(&s->offer.sdp);
    if (x->offer == NULL) /* not the first answer to it */
        AGW_ASSERT(agw_sdp_parse(&x->offer, s->offer.text, s->offer.len, NULL) == AGW_OK);
    learn_ids(x);
    agw_in_answer(x);
    const agw_err err = agw_links_answer(x);
    if (err != AGW_OK)
        return err;
    agw_state_sweep(x->next);
    agw_out_write(x, out);
    if (!fits_reply(x, out))
        return AGW_ERR_UNSUPPORTED;
    if (!has_room_for_chains(x))
        return AGW_ERR_LIMIT;
    if (agw_forks_stand(x)) {
        agw_forks_note(x);
        return AGW_OK;
    }
    if (agw_branches_stand(x)) {
        s->stood = true;
        return AGW_OK;
    }
    agw_plan_medias(x);
    agw_forks_taken(x);
    forget_text(&s->answered);
    if (s->decided) {
        take_over_alone(s, g_steal_pointer(&x->next), NULL);
    } else {
        agw_branches_leave(s);
        take_over(s, g_steal_pointer(&x->next), NULL);
    }
    give_up_crossed(s);
    return AGW_OK;
}

/* An answer is one only from the side that was asked (RFC 6337 section 2.2). */
static bool acts_as_offer(const agw_session *s, agw_side from, bool is_offer)
{
    return is_offer || s->offer.text == NULL || from == s->offer.from;
}

/* A 200 that repeats what its sender offered before, in an UPDATE say, opens nothing. */
static bool repeats_its_offer(const agw_session *s, agw_side from, bool is_offer, const char *text,
                              size_t len)
{
    return !is_offer && s->offer.pending == NULL && s->current != NULL && s->offer.text != NULL &&
           from == s->offer.from && len == s->offer.len && memcmp(text, s->offer.text, len) == 0;
}

agw_err agw_negotiate(agw_session *session, agw_side from, bool is_offer, const agw_flags *flags,
                      const char *sdp, size_t len, GString *out, const char **why)
{
    if (!is_offer && session->offer.text == NULL && session->current == NULL) {
        *why = "Invalid dialogue association";
        return AGW_ERR_STATE;
    }
    if (!is_offer && is_open_by(&session->crossed, agw_side_other(from)))
        swap_offers(session); /* it answers the earlier one */
    agw_exchange x = {.s = session,
                      .flags = flags,
                      .from = from,
                      .to = agw_side_other(from),
                      .is_offer = acts_as_offer(session, from, is_offer),
                      .why = "Error rewriting SDP"};
    agw_sdp_why reason;
    agw_err err = agw_sdp_parse(&x.sdp, sdp, len, &reason);
    if (err != AGW_OK) {
        agw_log(AGW_LOG_INFO, NULL, "%s", reason.text);
        *why = "Failed to parse SDP";
        return err;
    }
    if (!x.is_offer)
        agw_branches_choose(session, flags);
    const bool repeated = repeats_its_offer(session, from, is_offer, sdp, len);
    session->stood = false;
    exchange_begin(&x);
    const gsize at = out->len;
    err = x.is_offer ? run_offer(&x, sdp, len, out) : run_answer(&x, sdp, len, out);
    if (err != AGW_OK)
        g_string_truncate(out, at);
    session->looped = err == AGW_OK && x.looped;
    *why = err == AGW_OK ? x.refused : x.why;
    exchange_end(&x);
    agw_branches_rest(session);
    if (err == AGW_OK && repeated && !session->looped)
        take_over(session, session->current, NULL);
    return err;
}

/* --- view --------------------------------------------------------------------------------- */

static const agw_state *standing(const agw_session *s)
{
    return s->current != NULL ? s->current : s->offer.pending;
}

size_t agw_session_n_medias(const agw_session *session)
{
    const agw_state *state = standing(session);
    return state != NULL ? state->lines->len : 0;
}

static const char *codec_text(agw_session *s, const agw_line *line, agw_side side)
{
    for (guint i = 0; i < line->rows->len; i++) {
        const agw_row *row = agw_line_row(line, i);
        if ((!row->active && (row->chained >> side & 1) == 0) || row->aux)
            continue;
        g_snprintf(s->view, sizeof s->view, row->channels > 1 ? "%s/%u/%u" : "%s/%u", row->name,
                   row->clock_hz, row->channels);
        return s->view;
    }
    return "";
}

static void view_link(const agw_session *s, const agw_link *link, agw_media_view *out)
{
    const agw_transport_plan *t = &link->now;
    out->transport_id = link->info.id;
    out->interface = s->config->gateway.interfaces[link->info.interface].name;
    out->local_rtp = link->info.rtp[0];
    out->local_rtcp = t->rtcp_mux ? link->info.rtp[0] : link->info.rtcp[0];
    out->remote_rtp = t->remote_rtp;
    out->remote_rtcp = t->remote_rtcp;
    out->ice = t->ice;
    out->ice_full = t->ice_full;
    out->ice_controlling = t->ice_controlling;
    out->rtcp_mux = t->rtcp_mux;
    out->dtls = t->security == AGW_SECURITY_DTLS;
    out->dtls_role = (agw_dtls_plan)t->dtls;
    if (t->security == AGW_SECURITY_SDES)
        out->sdes = agw_srtp_suite_get((agw_srtp_suite)t->key_out.suite)->sdes;
}

/* Those of that side reach the other party as what they are. */
static bool passes_events(const agw_line *line, agw_side side)
{
    const agw_end_plan *end = &line->now->end[side];
    const agw_chain_plan *chain = line->chain[side];
    for (size_t i = 0; i < end->n_pts; i++) {
        const agw_pt_plan *pt = &end->pts[i];
        if (pt->is_event && (!pt->chained || (chain != NULL && chain->event_hz != 0)))
            return true;
    }
    return false;
}

void agw_session_media(agw_session *session, agw_side side, size_t index, agw_media_view *out)
{
    const agw_state *state = standing(session);
    AGW_ASSERT(state != NULL && index < state->lines->len);
    const agw_line *line = agw_state_line(state, index);
    const agw_line_end *end = &line->end[side];
    *out = (agw_media_view){.index = index,
                            .live = line->live,
                            .media_id = line->id,
                            .type = line->type,
                            .mid = end->mid != NULL ? end->mid : "",
                            .protocol = agw_sdp_proto_text(end->proto),
                            .codec = codec_text(session, line, side),
                            .interface = ""};
    if (line->now != NULL) {
        out->may_send = line->now->end[side].may_send;
        out->may_receive = line->now->end[side].may_receive;
        out->dtmf = passes_events(line, side) && !line->passes;
    }
    out->acts = session->acts[side];
    out->passes = line->passes;
    out->direction = agw_sdp_direction_text((out->may_send ? AGW_SDP_SENDONLY : 0) |
                                            (out->may_receive ? AGW_SDP_RECVONLY : 0));
    const agw_link *link = agw_state_end_link(state, line, side);
    if (link != NULL)
        view_link(session, link, out);
}
