/* SPDX-License-Identifier: BSD-3-Clause
 * What ICE needs of SDP: who is full, who controls, and the peer's candidates, from descriptions
 * and from fragments (RFC 8840). */
#include "control/negotiate_state.h"
#include "ice/candidate.h"

#include <string.h>

void agw_ice_begin(const agw_exchange *x, agw_link *link, const agw_sdp_media *tm)
{
    const agw_side side = (agw_side)link->now.side;
    const agw_leg *leg = &x->next->leg[side];
    link->now.ice_full = leg->ice_mode == AGW_ICE_MODE_FULL;
    /* RFC 8445 section 6.1.1: who offers, or who is full when the other is lite */
    link->now.ice_controlling = link->now.ice_full && (side == x->to || tm->ice_lite);
}

static bool has_candidate(const agw_link *link, const agw_candidate_plan *c)
{
    for (guint i = 0; i < link->candidates->len; i++) {
        const agw_candidate_plan *have = &g_array_index(link->candidates, agw_candidate_plan, i);
        if (have->component == c->component && agw_addr_equal(&have->addr, &c->addr))
            return true;
    }
    return false;
}

/* true: it is new, and of use. */
static bool add_candidate(agw_link *link, const char *text)
{
    agw_candidate parsed;
    if (agw_candidate_parse(&parsed, text, strlen(text)) != AGW_OK)
        return false; /* TCP, a name: what works shows itself as peer-reflexive */
    const agw_candidate_plan c = {
        .addr = parsed.addr, .priority = parsed.priority, .component = parsed.component};
    if (link->candidates == NULL)
        link->candidates = g_array_new(FALSE, TRUE, sizeof c);
    if (link->candidates->len >= AGW_CANDIDATES_MAX || has_candidate(link, &c))
        return false;
    g_array_append_val(link->candidates, c);
    return true;
}

static bool add_candidates(agw_link *link, const agw_sdp_list *list)
{
    bool added = false;
    for (size_t i = 0; i < list->n; i++)
        added |= add_candidate(link, list->v[i]);
    return added;
}

static void set_remote(agw_link *link, const char *ufrag, const char *pwd)
{
    const size_t ufrag_size = strlen(ufrag) + 1, pwd_size = strlen(pwd) + 1;
    agw_link_forget_remote(link);
    link->remote = g_malloc(ufrag_size + pwd_size);
    memcpy(link->remote, ufrag, ufrag_size);
    memcpy(link->remote + ufrag_size, pwd, pwd_size);
    link->now.remote_ufrag = link->remote;
    link->now.remote_pwd = link->remote + ufrag_size;
}

void agw_ice_take(agw_link *link, const agw_sdp_media *tm)
{
    if (!link->now.ice) {
        agw_link_forget_remote(link);
        return;
    }
    if (link->remote != NULL && strcmp(link->remote, tm->ice_ufrag) != 0)
        g_clear_pointer(&link->candidates, g_array_unref);
    set_remote(link, tm->ice_ufrag, tm->ice_pwd);
    (void)add_candidates(link, &tm->candidates);
}

/* What a state knows about an address of the peer of that transport. */
static agw_candidate_view view_in(const agw_state *state, uint32_t transport_id,
                                  const agw_addr *addr)
{
    const agw_link *link = agw_state_link(state, transport_id);
    if (link == NULL || link->remote == NULL)
        return AGW_CANDIDATE_UNKNOWN;
    for (guint i = 0; link->candidates != NULL && i < link->candidates->len; i++) {
        if (agw_addr_equal(&g_array_index(link->candidates, agw_candidate_plan, i).addr, addr))
            return AGW_CANDIDATE_NAMED;
    }
    return AGW_CANDIDATE_NOT_NAMED;
}

agw_candidate_view agw_session_candidate(const agw_session *session, uint32_t transport_id,
                                         const agw_addr *addr)
{
    const size_t n = agw_session_n_states(session);
    agw_candidate_view view = AGW_CANDIDATE_UNKNOWN;
    for (size_t i = 0; i < n && view != AGW_CANDIDATE_NAMED; i++) {
        const agw_candidate_view here = view_in(agw_session_state(session, i), transport_id, addr);
        view = here == AGW_CANDIDATE_UNKNOWN ? view : here;
    }
    return view;
}

/* --- fragments -------------------------------------------------------------------------------- */

/* The line that a section of a fragment is about: by its mid, else by its place. */
static const agw_line *line_of(const agw_state *state, agw_side side, const agw_sdp_media *m,
                               size_t place)
{
    for (guint i = 0; m->mid != NULL && i < state->lines->len; i++) {
        const agw_line *line = agw_state_line(state, i);
        if (line->end[side].mid != NULL && strcmp(line->end[side].mid, m->mid) == 0)
            return line;
    }
    return m->mid == NULL && place < state->lines->len ? agw_state_line(state, place) : NULL;
}

typedef struct trickle {
    agw_side side;
    const agw_sdp *sdp;
    bool known; /* something here belongs to a description that we have */
    bool added;
} trickle;

static void take_section(trickle *t, const agw_state *state, const agw_sdp_media *m, size_t place)
{
    const agw_line *line = line_of(state, t->side, m, place);
    agw_link *link = line != NULL ? agw_state_end_link(state, line, t->side) : NULL;
    if (link == NULL || link->remote == NULL)
        return;
    if (m->ice_ufrag != NULL && strcmp(m->ice_ufrag, link->remote) != 0)
        return;
    t->known = true;
    if (link->now.ice && add_candidates(link, &m->candidates))
        t->added |= link->now.ice_full;
}

static void take_sections(trickle *t, const agw_state *state)
{
    if (state == NULL)
        return;
    if (t->sdp->n_medias == 0 || t->sdp->session.candidates.n > 0)
        take_section(t, state, &t->sdp->session, 0);
    for (size_t i = 0; i < t->sdp->n_medias; i++)
        take_section(t, state, &t->sdp->medias[i], i);
}

agw_err agw_session_trickle(agw_session *session, agw_side side, const char *text, size_t len)
{
    agw_sdp *sdp = NULL;
    const agw_err err = agw_sdp_parse_fragment(&sdp, text, len, NULL);
    if (err != AGW_OK)
        return err;
    trickle t = {.side = side, .sdp = sdp};
    for (size_t i = 0; i < agw_session_n_states(session); i++)
        take_sections(&t, agw_session_state(session, i));
    agw_sdp_free(sdp);
    if (t.added)
        agw_session_apply(session);
    return t.known ? AGW_OK : AGW_ERR_NOT_FOUND;
}
