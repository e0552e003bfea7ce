/* SPDX-License-Identifier: BSD-3-Clause
 * Transports: which ones a call needs, BUNDLE, ICE credentials, DTLS roles, addresses. What a party
 * said is taken at the offer; it comes into force with the answer. */
#include "control/negotiate_state.h"

#include "base/secret.h"

#include <string.h>

/* --- reserving ---------------------------------------------------------------------------- */

static agw_transport_kind kind_of(const agw_exchange *x, bool ice, bool mux, bool mux_only)
{
    if (ice && mux)
        return x->s->config->gateway.access_port < 0 ? AGW_TRANSPORT_MUXED : AGW_TRANSPORT_SHARED;
    return mux && mux_only ? AGW_TRANSPORT_MUXED : AGW_TRANSPORT_PAIR;
}

/* The shared port knows its peers by ICE alone, and who is not bound to DTLS may answer without. */
static agw_transport_kind kind_for_receiver(const agw_exchange *x, const agw_work *w)
{
    const agw_leg *leg = &x->next->leg[x->to];
    const agw_line_end *end = &w->line->end[x->to];
    const bool ice_is_sure = end->security == AGW_SECURITY_DTLS && !end->osrtp;
    return kind_of(x, leg->ice && ice_is_sure, leg->mux, leg->mux_only);
}

/* The family that was asked for, or whatever the interface has. */
static agw_err reserve_family(const agw_exchange *x, const agw_leg *leg, agw_transport_kind kind,
                              agw_transport_info *out)
{
    agw_err err = agw_gateway_reserve(x->s->gw, x->s->call, leg->interface, leg->family, kind, out);
    if (err == AGW_ERR_UNSUPPORTED && leg->family != AGW_FAMILY_NONE)
        err = agw_gateway_reserve(x->s->gw, x->s->call, leg->interface, AGW_FAMILY_NONE, kind, out);
    return err;
}

static void take_local(agw_link *link)
{
    g_strlcpy(link->now.local_ufrag, link->info.ufrag, sizeof link->now.local_ufrag);
    g_strlcpy(link->now.local_pwd, link->info.pwd, sizeof link->now.local_pwd);
}

/* tm: transport attributes of the offered line. */
static agw_err reserve(agw_exchange *x, agw_side side, bool ice, agw_transport_kind kind,
                       const agw_sdp_media *tm, uint32_t *id)
{
    agw_transport_info info;
    const agw_err err = reserve_family(x, &x->next->leg[side], kind, &info);
    if (err != AGW_OK) {
        x->why = err == AGW_ERR_LIMIT ? "Ran out of ports" : "Error rewriting SDP";
        return err;
    }
    agw_link *link = g_new0(agw_link, 1);
    link->info = info;
    link->kind = kind;
    link->now.id = info.id;
    link->now.side = (uint8_t)side;
    link->now.ice = ice;
    if (ice)
        agw_ice_begin(x, link, tm);
    link->now.dtls = AGW_DTLS_WAIT;
    link->now.rtcp_mux = kind != AGW_TRANSPORT_PAIR;
    take_local(link);
    g_ptr_array_add(x->next->links, link);
    *id = info.id;
    return AGW_OK;
}

static void set_link(agw_line *line, agw_side side, uint32_t id, bool bundled)
{
    line->end[side].linked = true;
    line->end[side].link = id;
    line->end[side].bundled = bundled;
}

/* --- the sender of an offer --------------------------------------------------------------- */

/* The transport of one BUNDLE group of the offer. */
typedef struct group_link {
    const agw_sdp_group *group;
    bool linked;
    uint32_t link;
} group_link;

typedef struct sender_links {
    group_link groups[AGW_SDP_GROUP_MAX];
    size_t n_groups;
    uint32_t taken[AGW_PLAN_MEDIA_MAX]; /* transports that a group or a line has */
    size_t n_taken;
} sender_links;

static const agw_sdp_group *group_of(const agw_exchange *x, const agw_work *w)
{
    return x->next->leg[x->from].no_bundle ? NULL : w->m->bundle;
}

static group_link *find_group(sender_links *sl, const agw_sdp_group *group)
{
    for (size_t i = 0; i < sl->n_groups; i++) {
        if (sl->groups[i].group == group)
            return &sl->groups[i];
    }
    AGW_ASSERT(sl->n_groups < AGW_SDP_GROUP_MAX);
    sl->groups[sl->n_groups] = (group_link){.group = group};
    return &sl->groups[sl->n_groups++];
}

static bool is_taken(const sender_links *sl, uint32_t id)
{
    for (size_t i = 0; i < sl->n_taken; i++) {
        if (sl->taken[i] == id)
            return true;
    }
    return false;
}

static void take(sender_links *sl, uint32_t id)
{
    AGW_ASSERT(sl->n_taken < AGW_PLAN_MEDIA_MAX);
    sl->taken[sl->n_taken++] = id;
}

/* A group goes on with a transport that one of its lines already has. */
static void keep_group_links(const agw_exchange *x, sender_links *sl)
{
    for (guint i = 0; i < x->work->len; i++) {
        const agw_work *w = agw_work_at(x, i);
        const agw_line_end *end = &w->line->end[x->from];
        const agw_sdp_group *group = w->go ? group_of(x, w) : NULL;
        if (group == NULL || !end->linked)
            continue;
        group_link *gl = find_group(sl, group);
        if (gl->linked || is_taken(sl, end->link))
            continue;
        gl->linked = true;
        gl->link = end->link;
        take(sl, end->link);
    }
}

static agw_err reserve_for_sender(agw_exchange *x, const agw_work *w, uint32_t *id)
{
    const bool ice = w->tm->ice_ufrag != NULL && !agw_flags_has(x->flags, AGW_WORD_REJECT_ICE);
    const bool offered = w->tm->rtcp_mux || w->m->rtcp_mux;
    const bool mux = offered && !x->next->leg[x->from].no_mux;
    return reserve(x, x->from, ice, kind_of(x, ice, mux, w->m->rtcp_mux_only), w->tm, id);
}

static agw_err link_sender(agw_exchange *x, agw_work *w, sender_links *sl)
{
    const agw_line_end *end = &w->line->end[x->from];
    const agw_sdp_group *group = group_of(x, w);
    group_link *gl = group != NULL ? find_group(sl, group) : NULL;
    uint32_t id = end->link;
    if (gl != NULL && gl->linked) {
        id = gl->link;
    } else if (gl != NULL || !end->linked || is_taken(sl, end->link)) {
        const agw_err err = reserve_for_sender(x, w, &id);
        if (err != AGW_OK)
            return err;
    }
    if (gl == NULL || !gl->linked)
        take(sl, id);
    if (gl != NULL) {
        gl->linked = true;
        gl->link = id;
    }
    set_link(w->line, x->from, id, gl != NULL);
    return AGW_OK;
}

/* --- the receiver of an offer ------------------------------------------------------------- */

/* A new line joins the group that this party has agreed to (RFC 9143 section 7.5.2). */
static const agw_line *bundled_line(const agw_exchange *x)
{
    for (guint i = 0; i < x->work->len; i++) {
        const agw_line *line = agw_work_at(x, i)->line;
        const agw_line_end *end = &line->end[x->to];
        if (line->live && line->offered && end->linked && end->bundled)
            return line;
    }
    return NULL;
}

static agw_err link_receiver(agw_exchange *x, agw_work *w)
{
    const agw_leg *leg = &x->next->leg[x->to];
    if (w->line->end[x->to].linked)
        return AGW_OK;
    const agw_line *with = leg->web && !leg->no_bundle ? bundled_line(x) : NULL;
    if (with != NULL) {
        set_link(w->line, x->to, with->end[x->to].link, true);
        return AGW_OK;
    }
    uint32_t id;
    const agw_err err = reserve(x, x->to, leg->ice, kind_for_receiver(x, w), w->tm, &id);
    if (err == AGW_OK)
        set_link(w->line, x->to, id, false);
    return err;
}

/* --- what a party says about its end ------------------------------------------------------ */

static void take_fingerprints(agw_transport_plan *t, const agw_sdp_media *tm)
{
    const size_t most = MIN(tm->fingerprints.n, AGW_PLAN_FP_MAX);
    g_clear_pointer(&t->fingerprints, g_free);
    t->n_fingerprints = 0;
    if (most != 0)
        t->fingerprints = g_new0(agw_fingerprint, most);
    for (size_t i = 0; i < tm->fingerprints.n && t->n_fingerprints < most; i++) {
        const char *text = tm->fingerprints.v[i];
        agw_fingerprint *fp = &t->fingerprints[t->n_fingerprints];
        if (agw_fingerprint_parse(fp, text, strlen(text)) == AGW_OK)
            t->n_fingerprints++;
        else
            memset(fp, 0, sizeof *fp);
    }
}

static bool can_send_to(const agw_addr *addr)
{
    return agw_addr_is_set(addr) && !agw_addr_is_any(addr) && !agw_addr_is_multicast(addr);
}

static void take_addresses(agw_transport_plan *t, const agw_sdp_media *m, const agw_leg *leg)
{
    const agw_addr none = {0};
    agw_addr rtp = m->conn.ip;
    if (leg->use_source && agw_addr_is_set(&leg->source))
        rtp = leg->source;
    agw_addr rtcp = agw_addr_is_set(&m->rtcp_conn.ip) && !leg->use_source ? m->rtcp_conn.ip : rtp;
    rtp.port = m->port;
    if (t->rtcp_mux)
        rtcp = rtp;
    else if (m->rtcp_port != 0)
        rtcp.port = m->rtcp_port;
    else
        rtcp.port = m->port < UINT16_MAX ? (uint16_t)(m->port + 1) : 0;
    t->remote_rtp = can_send_to(&rtp) && rtp.port != 0 ? rtp : none;
    t->remote_rtcp = can_send_to(&rtcp) && rtcp.port != 0 ? rtcp : none;
}

static agw_latch_rule latch_rule(const agw_exchange *x, const agw_leg *leg,
                                 const agw_transport_plan *t)
{
    if (t->ice || leg->latch_refused)
        return AGW_LATCH_NEVER;
    if (leg->handover)
        return AGW_LATCH_HANDOVER;
    if (leg->latch_asked || x->s->config->core_learning == AGW_LEARNING_ONCE)
        return AGW_LATCH_ONCE;
    if (leg->nat_wait)
        return AGW_LATCH_WAIT;
    const bool behind_nat = leg->profile != AGW_REALM_IMS && agw_addr_is_set(&leg->source) &&
                            agw_addr_is_set(&t->remote_rtp) &&
                            !agw_addr_ip_equal(&leg->source, &t->remote_rtp);
    return behind_nat ? AGW_LATCH_ONCE : AGW_LATCH_NEVER;
}

static void take_keys(const agw_exchange *x, agw_link *link, const agw_sdp_media *tm)
{
    const agw_leg *other = &x->next->leg[agw_side_other((agw_side)link->now.side)];
    if (link->now.security != AGW_SECURITY_SDES)
        agw_keys_forget(link);
    else if (x->is_offer || link->now.side == x->to)
        agw_keys_take_offer(link, tm, &other->sdes.taken);
    else
        agw_keys_take_answer(link, tm);
}

/* mux: rtcp-mux is agreed. */
static void take_remote(const agw_exchange *x, agw_link *link, uint8_t security,
                        const agw_sdp_media *tm, bool mux)
{
    agw_transport_plan *t = &link->now;
    const agw_leg *leg = &x->next->leg[t->side];
    t->security = security;
    t->ice = t->ice && tm->ice_ufrag != NULL;
    t->rtcp_mux = link->kind != AGW_TRANSPORT_PAIR || mux;
    agw_ice_take(link, tm);
    take_fingerprints(t, tm);
    take_keys(x, link, tm);
    if (!t->ice)
        take_addresses(t, tm, leg);
    t->source_rule = leg->strict ? AGW_SOURCE_STRICT : AGW_SOURCE_ADDRESS;
    t->latch_rule = (uint8_t)latch_rule(x, leg, t);
    if (leg->nat_wait && t->latch_rule == AGW_LATCH_ONCE) /* whoever it is, it sends first */
        t->remote_rtp = t->remote_rtcp = (agw_addr){0};
    g_free(link->tls_id);
    link->tls_id = g_strdup(tm->tls_id);
}

/* DSCP: EF for audio, AF41 as soon as there is video (IMS defaults), unless asked for. */
static void take_tos(const agw_exchange *x, agw_link *link, agw_media_kind kind, bool first)
{
    const agw_leg *leg = &x->next->leg[link->now.side];
    const int32_t asked = leg->tos >= 0 ? leg->tos : x->s->config->tos;
    if (asked >= 0 && asked != AGW_TOS_COPY)
        link->now.tos = (uint8_t)asked;
    else if (kind == AGW_MEDIA_VIDEO)
        link->now.tos = AGW_TOS_AF41;
    else if (first)
        link->now.tos = AGW_TOS_EF;
}

agw_err agw_links_offer(agw_exchange *x)
{
    sender_links sl = {.n_groups = 0};
    keep_group_links(x, &sl);
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        if (!w->go)
            continue;
        agw_err err = link_sender(x, w, &sl);
        if (err == AGW_OK)
            err = link_receiver(x, w);
        if (err != AGW_OK)
            return err;
        agw_link *from = agw_state_end_link(x->next, w->line, x->from);
        agw_link *to = agw_state_end_link(x->next, w->line, x->to);
        take_remote(x, from, agw_line_security(w->line, x->from), w->tm,
                    w->m->rtcp_mux && !x->next->leg[x->from].no_mux);
        agw_forks_offer(x, &from->now, &to->now);
        to->now.security = agw_line_security(w->line, x->to);
        if (to->now.security == AGW_SECURITY_SDES)
            agw_keys_for_offer(x, w, to);
        take_tos(x, from, w->line->kind, from->now.tos == 0);
        take_tos(x, to, w->line->kind, to->now.tos == 0);
    }
    return AGW_OK;
}

/* --- the answer --------------------------------------------------------------------------- */

/* Lines that the answerer put into one group go over the transport of its tagged m= section, the
 * first of the group that it accepted (RFC 9143 section 7.3). */
static void merge_bundles(agw_exchange *x)
{
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        const agw_leg *leg = &x->next->leg[x->from];
        if (!w->go || w->m->bundle == NULL || !leg->web || leg->no_bundle)
            continue;
        const agw_work *tagged = agw_in_work_of(x, w->tm);
        if (tagged == NULL || !tagged->go)
            continue;
        set_link(w->line, x->from, tagged->line->end[x->from].link, true);
    }
}

/* DTLS between the parties says nothing about medias, so what shares a transport on one side has to
 * on the other. An answerer without BUNDLE keeps the first line of an offered group. */
static void refuse_unpaired(const agw_exchange *x)
{
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        const agw_line_end *end = w->line->end;
        for (guint k = 0; k < i && w->go && w->line->passes; k++) {
            const agw_work *before = agw_work_at(x, k);
            const agw_line_end *its = before->line->end;
            if (before->go &&
                (its[x->from].link == end[x->from].link) != (its[x->to].link == end[x->to].link))
                w->go = false;
        }
    }
}

static bool same_fingerprints(const agw_transport_plan *a, const agw_transport_plan *b)
{
    if (a->n_fingerprints != b->n_fingerprints)
        return false;
    for (size_t i = 0; i < a->n_fingerprints; i++) {
        if (!agw_fingerprint_equal(&a->fingerprints[i], &b->fingerprints[i]))
            return false;
    }
    return true;
}

/* RFC 8842 section 4: another certificate, another tls-id or another role is another association.
 */
static bool same_identity(const agw_link *was, const agw_link *link)
{
    const bool other_id =
        was->tls_id != NULL && link->tls_id != NULL && strcmp(was->tls_id, link->tls_id) != 0;
    return !other_id && same_fingerprints(&was->now, &link->now);
}

static agw_dtls_plan role_for(agw_sdp_setup setup, const agw_leg *leg, const agw_link *was)
{
    if (setup == AGW_SDP_SETUP_ACTIVE)
        return AGW_DTLS_PASSIVE;
    if (setup == AGW_SDP_SETUP_PASSIVE)
        return AGW_DTLS_ACTIVE;
    if (was != NULL)
        return was->now.dtls;
    return leg->role == AGW_DTLS_BE_ACTIVE ? AGW_DTLS_ACTIVE : AGW_DTLS_PASSIVE;
}

/* An answer has to choose; one that does not gets a server that waits for its ClientHello. */
static agw_sdp_setup answered_setup(agw_sdp_setup setup, bool had_role)
{
    if (setup == AGW_SDP_SETUP_ACTIVE || setup == AGW_SDP_SETUP_PASSIVE || had_role)
        return setup;
    return AGW_SDP_SETUP_ACTIVE;
}

static void settle_dtls(const agw_exchange *x, agw_link *link, const agw_sdp_media *tm,
                        const agw_link *was)
{
    const agw_leg *leg = &x->next->leg[link->now.side];
    if (link->now.security != AGW_SECURITY_DTLS)
        return;
    const bool had = was != NULL && was->now.n_fingerprints > 0 && was->now.dtls != AGW_DTLS_WAIT;
    const agw_link *old = had && same_identity(was, link) ? was : NULL;
    agw_sdp_setup setup = tm->setup;
    if (link->now.side == x->from)
        setup = answered_setup(setup, old != NULL);
    link->now.dtls = (uint8_t)role_for(setup, leg, old);
    link->now.dtls_epoch = was != NULL ? was->now.dtls_epoch : 0;
    if (had && (old == NULL || old->now.dtls != link->now.dtls))
        link->now.dtls_epoch++;
}

/* RFC 8445 section 9: the offerer's new credentials are answered with new ones of ours. */
static agw_err settle_ice(agw_exchange *x, agw_link *link, const agw_link *was)
{
    if (link->now.side != x->to || was == NULL || was->remote == NULL || !link->now.ice ||
        strcmp(was->remote, link->remote) == 0)
        return AGW_OK;
    const agw_err err =
        agw_gateway_new_credentials(x->s->gw, x->s->call, link->info.id, &link->info);
    if (err == AGW_OK)
        take_local(link);
    return err;
}

static agw_err settle(agw_exchange *x, agw_work *w, agw_side side)
{
    agw_link *link = agw_state_end_link(x->next, w->line, side);
    const bool sender = side == x->from;
    const agw_sdp_media *m = sender ? w->m : w->om, *tm = sender ? w->tm : w->otm;
    take_tos(x, link, w->line->kind, !link->settled);
    link->now.rtcp_per_second = x->s->config->police != 0 ? AGW_PLAN_RTCP_PER_SECOND : 0;
    if (link->settled)
        return AGW_OK;
    link->settled = true;
    const agw_leg *leg = &x->next->leg[side];
    const bool offered = sender ? leg->mux : !leg->no_mux;
    const agw_addr before = link->now.remote_rtp;
    take_remote(x, link, agw_line_security(w->line, side), tm, offered && m->rtcp_mux);
    agw_forks_settle(x, link, &before);
    const agw_link *was = agw_state_link(x->current, link->info.id);
    settle_dtls(x, link, tm, was);
    return settle_ice(x, link, was);
}

agw_err agw_links_answer(agw_exchange *x)
{
    merge_bundles(x);
    refuse_unpaired(x);
    for (guint i = 0; i < x->next->links->len; i++)
        ((agw_link *)g_ptr_array_index(x->next->links, i))->settled = false;
    for (guint i = 0; i < x->work->len; i++) {
        agw_work *w = agw_work_at(x, i);
        w->line->live = w->go;
        if (!w->go) {
            agw_line_unlink(w->line);
            continue;
        }
        agw_err err = settle(x, w, x->from);
        if (err == AGW_OK)
            err = settle(x, w, x->to);
        if (err != AGW_OK) {
            x->why = "Error rewriting SDP";
            return err;
        }
    }
    return AGW_OK;
}
