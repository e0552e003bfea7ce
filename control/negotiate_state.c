/* SPDX-License-Identifier: BSD-3-Clause
 * Memory of a session's states: copies are deep, so that an exchange that fails leaves no trace. */
#include "control/negotiate_state.h"

#include "base/secret.h"

#include <string.h>

void agw_link_forget_remote(agw_link *link)
{
    if (link->remote == NULL)
        return;
    agw_secret_wipe(link->remote + strlen(link->remote) + 1, strlen(link->now.remote_pwd));
    g_clear_pointer(&link->remote, g_free);
    link->now.remote_ufrag = link->now.remote_pwd = NULL;
}

static void link_free(gpointer data)
{
    agw_link *link = data;
    agw_link_forget_remote(link);
    g_free(link->sources);
    g_free(link->now.fingerprints);
    g_free(link->tls_id);
    g_clear_pointer(&link->candidates, g_array_unref);
    agw_keys_drop_offered(link);
    agw_secret_wipe(link, sizeof *link);
    g_free(link);
}

static void line_free(gpointer data)
{
    agw_line *line = data;
    if (line == NULL)
        return; /* taken over by another state */
    g_free(line->end[0].mid);
    g_free(line->end[1].mid);
    g_free(line->shown_proto);
    g_free(line->shown_format);
    g_array_free(line->rows, TRUE);
    g_free(line->now);
    g_free(line->chain[0]);
    g_free(line->chain[1]);
    g_free(line);
}

GPtrArray *agw_state_new_lines(void)
{
    return g_ptr_array_new_with_free_func(line_free);
}

static void leg_init(agw_leg *leg)
{
    *leg = (agw_leg){.tos = -1, .ptime = -1, .ptime_back = -1, .police = -1};
}

agw_state *agw_state_new(void)
{
    agw_state *state = g_new0(agw_state, 1);
    state->links = g_ptr_array_new_with_free_func(link_free);
    state->lines = agw_state_new_lines();
    state->next_media_id = 1;
    for (size_t i = 0; i < 2; i++)
        leg_init(&state->leg[i]);
    return state;
}

static size_t remote_bytes(const agw_link *link)
{
    return link->remote != NULL ? strlen(link->remote) + 1 + strlen(link->now.remote_pwd) + 1 : 0;
}

static size_t sources_bytes(const agw_link *link)
{
    return link->now.n_sources * sizeof(agw_addr);
}

static size_t fingerprints_bytes(const agw_link *link)
{
    return link->now.n_fingerprints * sizeof(agw_fingerprint);
}

static size_t candidates_bytes(const agw_link *link)
{
    return link->candidates != NULL && link->now.ice_full
               ? link->candidates->len * sizeof(agw_candidate_plan)
               : 0;
}

size_t agw_link_room(const agw_link *link)
{
    return agw_plan_room(remote_bytes(link)) + agw_plan_room(sources_bytes(link)) +
           agw_plan_room(fingerprints_bytes(link)) + agw_plan_room(candidates_bytes(link));
}

/* Shows them to a plan: texts are a copy of link->remote. */
static void point_to_remote(agw_transport_plan *t, const agw_link *link, const char *texts)
{
    t->remote_ufrag = texts;
    t->remote_pwd = texts != NULL ? texts + strlen(link->remote) + 1 : NULL;
}

void agw_link_add_to_plan(agw_plan *plan, agw_transport_plan *t, const agw_link *link)
{
    const size_t candidates = candidates_bytes(link);
    point_to_remote(t, link, agw_plan_keep(plan, link->remote, remote_bytes(link)));
    t->sources = agw_plan_keep(plan, link->sources, sources_bytes(link));
    t->fingerprints = agw_plan_keep(plan, link->now.fingerprints, fingerprints_bytes(link));
    if (candidates == 0)
        return;
    t->candidates = agw_plan_keep(plan, link->candidates->data, candidates);
    t->n_candidates = link->candidates->len;
}

static agw_link *link_copy(const agw_link *link)
{
    agw_link *copy = g_memdup2(link, sizeof *link);
    copy->remote = g_memdup2(link->remote, remote_bytes(link));
    point_to_remote(&copy->now, link, copy->remote);
    copy->now.fingerprints = g_memdup2(link->now.fingerprints, fingerprints_bytes(link));
    copy->now.sources = copy->sources =
        g_memdup2(link->sources, AGW_PLAN_SOURCES_MAX * sizeof *link->sources);
    copy->tls_id = g_strdup(link->tls_id);
    copy->candidates = link->candidates != NULL ? g_array_copy(link->candidates) : NULL;
    copy->offered = g_memdup2(link->offered, link->n_offered * sizeof *link->offered);
    return copy;
}

static agw_line *line_copy(const agw_line *line)
{
    agw_line *copy = g_memdup2(line, sizeof *line);
    copy->end[0].mid = g_strdup(line->end[0].mid);
    copy->end[1].mid = g_strdup(line->end[1].mid);
    copy->shown_proto = g_strdup(line->shown_proto);
    copy->shown_format = g_strdup(line->shown_format);
    copy->rows = g_array_sized_new(FALSE, TRUE, sizeof(agw_row), line->rows->len);
    g_array_append_vals(copy->rows, line->rows->data, line->rows->len);
    if (line->now != NULL)
        copy->now = g_memdup2(line->now, sizeof *line->now);
    for (size_t side = 0; side < 2; side++)
        copy->chain[side] = g_memdup2(line->chain[side], sizeof *line->chain[side]);
    return copy;
}

static void leg_copy(agw_leg *copy, const agw_leg *leg)
{
    *copy = *leg;
    for (size_t i = 0; i < AGW_CODEC_LISTS; i++) {
        if (leg->codecs[i] != NULL)
            g_ptr_array_ref(copy->codecs[i]);
    }
}

agw_state *agw_state_copy(const agw_state *state)
{
    agw_state *copy = agw_state_new();
    copy->next_media_id = state->next_media_id;
    copy->passes = state->passes;
    copy->kind = state->kind;
    for (size_t i = 0; i < 2; i++)
        leg_copy(&copy->leg[i], &state->leg[i]);
    for (guint i = 0; i < state->links->len; i++)
        g_ptr_array_add(copy->links, link_copy(g_ptr_array_index(state->links, i)));
    for (guint i = 0; i < state->lines->len; i++)
        g_ptr_array_add(copy->lines, line_copy(g_ptr_array_index(state->lines, i)));
    return copy;
}

static void leg_fini(agw_leg *leg)
{
    for (size_t i = 0; i < AGW_CODEC_LISTS; i++) {
        if (leg->codecs[i] != NULL)
            g_ptr_array_unref(leg->codecs[i]);
    }
}

void agw_state_free(agw_state *state)
{
    if (state == NULL)
        return;
    leg_fini(&state->leg[0]);
    leg_fini(&state->leg[1]);
    g_ptr_array_free(state->links, TRUE);
    g_ptr_array_free(state->lines, TRUE);
    g_free(state);
}

void agw_state_forget_side(agw_state *state, agw_side side)
{
    leg_fini(&state->leg[side]);
    leg_init(&state->leg[side]);
    for (guint i = 0; i < state->lines->len; i++) {
        agw_line_end *end = &agw_state_line(state, i)->end[side];
        g_free(end->mid);
        *end = (agw_line_end){.said = AGW_SDP_SENDRECV};
    }
}

agw_line *agw_state_line(const agw_state *state, size_t i)
{
    return g_ptr_array_index(state->lines, i);
}

agw_link *agw_state_link(const agw_state *state, uint32_t id)
{
    for (guint i = 0; state != NULL && i < state->links->len; i++) {
        agw_link *link = g_ptr_array_index(state->links, i);
        if (link->info.id == id)
            return link;
    }
    return NULL;
}

agw_link *agw_state_end_link(const agw_state *state, const agw_line *line, agw_side side)
{
    const agw_line_end *end = &line->end[side];
    return end->linked ? agw_state_link(state, end->link) : NULL;
}

agw_line *agw_line_new(agw_state *state, const char *type)
{
    agw_line *line = g_new0(agw_line, 1);
    line->id = state->next_media_id++;
    g_strlcpy(line->type, type, sizeof line->type);
    line->end[0].said = line->end[1].said = AGW_SDP_SENDRECV;
    line->rows = g_array_new(FALSE, TRUE, sizeof(agw_row));
    return line;
}

void agw_line_set_mid(agw_line *line, agw_side side, const char *mid)
{
    char *copy = g_strdup(mid);
    g_free(line->end[side].mid);
    line->end[side].mid = copy;
}

void agw_line_keep_shown(agw_line *line, const agw_sdp_media *m)
{
    g_free(line->shown_proto);
    g_free(line->shown_format);
    line->shown_proto = g_strdup(m->proto_text);
    line->shown_format = m->formats.n > 0 ? g_strdup(m->formats.v[0]) : NULL;
}

agw_row *agw_line_row(const agw_line *line, size_t i)
{
    return &g_array_index(line->rows, agw_row, i);
}

bool agw_state_uses(const agw_state *state, uint32_t link)
{
    for (guint i = 0; state != NULL && i < state->lines->len; i++) {
        const agw_line *line = agw_state_line(state, i);
        for (size_t side = 0; (line->offered || line->live) && side < 2; side++) {
            if (line->end[side].linked && line->end[side].link == link)
                return true;
        }
    }
    return false;
}

void agw_line_unlink(agw_line *line)
{
    for (size_t side = 0; side < 2; side++)
        line->end[side].linked = line->end[side].bundled = false;
}

bool agw_exchange_is_literal(const agw_exchange *x)
{
    const agw_leg *from = &x->next->leg[x->from], *to = &x->next->leg[x->to];
    return to->profile == AGW_REALM_NONE && !to->web && !from->web && !x->browser;
}

void agw_state_sweep(agw_state *state)
{
    for (guint i = 0; i < state->lines->len; i++) {
        agw_line *line = agw_state_line(state, i);
        if (!line->offered && !line->live)
            agw_line_unlink(line);
    }
    for (guint i = state->links->len; i-- > 0;) {
        const agw_link *link = g_ptr_array_index(state->links, i);
        if (!agw_state_uses(state, link->info.id))
            g_ptr_array_remove_index(state->links, i);
    }
}
