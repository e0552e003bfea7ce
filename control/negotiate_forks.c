/* SPDX-License-Identifier: BSD-3-Clause
 * Branches of a fork: several answers to one offer. One is heard at a time (agw/branches.h): the
 * one that answered last, or that P-Early-Media opens (RFC 5009), and the one with the final answer
 * at once and for good. The others' addresses are kept: while it is open who wins, because their
 * ringback may go on, and then, because what they still send must not be taken for the winner's. */
#include "control/negotiate_state.h"

#include <string.h>

/* Another answer to an offer that has one. */
static bool is_another(const agw_exchange *x)
{
    return !x->is_offer && x->s->offer.pending == NULL;
}

static bool is_final(const agw_exchange *x)
{
    return x->flags->answer_kind == AGW_ANSWER_FINAL;
}

/* Whether it comes from where the one before it came from. */
static bool same_party(const agw_exchange *x)
{
    for (guint i = 0; i < x->next->links->len; i++) {
        const agw_link *link = g_ptr_array_index(x->next->links, i);
        const agw_link *was = agw_state_link(x->current, link->info.id);
        if (link->now.side == x->from && was != NULL &&
            !agw_addr_equal(&link->now.remote_rtp, &was->now.remote_rtp))
            return false;
    }
    return true;
}

/* A branch stays open or closed until it says otherwise. */
static agw_early_media early_media(const agw_exchange *x, bool same)
{
    const agw_early_media said = x->flags->early_media;
    return said == AGW_EARLY_MEDIA_ABSENT && same && is_another(x) ? x->s->early_media : said;
}

bool agw_forks_stand(const agw_exchange *x)
{
    const agw_session *s = x->s;
    if (!is_another(x) || is_final(x) || s->decided)
        return is_another(x) && s->decided;
    const bool same = same_party(x);
    if (early_media(x, same) == AGW_EARLY_MEDIA_CLOSED)
        return !same && s->early_media != AGW_EARLY_MEDIA_CLOSED;
    return s->early_media == AGW_EARLY_MEDIA_OPEN && early_media(x, same) != AGW_EARLY_MEDIA_OPEN;
}

/* --- the list of a transport -------------------------------------------------------------- */

static void remove_source(agw_link *link, const agw_addr *addr)
{
    agw_transport_plan *t = &link->now;
    agw_addr *list = link->sources;
    for (uint8_t i = 0; i < t->n_sources; i++) {
        if (!agw_addr_equal(&list[i], addr))
            continue;
        t->n_sources--;
        t->n_open = (uint8_t)(t->n_open - (i < t->n_open));
        memmove(&list[i], &list[i + 1], (t->n_sources - i) * sizeof *list);
        return;
    }
}

/* The newest is the first of the open ones, or of the others. The last one makes room. */
static void add_source(agw_link *link, const agw_addr *addr, bool open)
{
    agw_transport_plan *t = &link->now;
    if (!agw_addr_is_set(addr) || agw_addr_equal(addr, &t->remote_rtp))
        return;
    if (link->sources == NULL)
        link->sources = g_new0(agw_addr, AGW_PLAN_SOURCES_MAX);
    agw_addr *list = link->sources;
    t->sources = list;
    remove_source(link, addr);
    if (t->n_sources == AGW_PLAN_SOURCES_MAX)
        t->n_sources--;
    t->n_open = MIN(t->n_open, t->n_sources);
    const uint8_t at = open ? 0 : t->n_open;
    memmove(&list[at + 1], &list[at], (t->n_sources - at) * sizeof *list);
    list[at] = *addr;
    t->n_sources++;
    t->n_open = (uint8_t)(t->n_open + open);
}

/* --- what an exchange does to it ---------------------------------------------------------- */

void agw_forks_note(const agw_exchange *x)
{
    agw_session *s = x->s;
    const bool open = !s->decided && early_media(x, same_party(x)) != AGW_EARLY_MEDIA_CLOSED;
    for (guint i = 0; i < s->current->links->len; i++) {
        agw_link *link = g_ptr_array_index(s->current->links, i);
        const agw_link *said = agw_state_link(x->next, link->info.id);
        if (link->now.side == x->from && said != NULL)
            add_source(link, &said->now.remote_rtp, open);
    }
    s->stood = true;
    agw_session_apply(s);
}

void agw_forks_taken(const agw_exchange *x)
{
    agw_session *s = x->s;
    s->early_media = early_media(x, same_party(x));
    s->decided = is_final(x);
    if (x->flags->answer_kind != AGW_ANSWER_UNTOLD)
        s->early = !s->decided;
}

void agw_forks_settle(const agw_exchange *x, agw_link *link, const agw_addr *before)
{
    agw_transport_plan *t = &link->now;
    if (t->side == x->from) {
        const bool same = agw_addr_equal(before, &t->remote_rtp), was_muted = t->muted;
        remove_source(link, &t->remote_rtp);
        if (is_another(x) && !same)
            add_source(link, before, !was_muted);
        t->muted = !is_final(x) && early_media(x, same) == AGW_EARLY_MEDIA_CLOSED;
    }
    if (!is_final(x))
        return;
    t->n_open = 0;
    t->hold_strangers = false;
}

static void decide(const agw_state *state)
{
    for (guint i = 0; state != NULL && i < state->links->len; i++) {
        agw_link *link = g_ptr_array_index(state->links, i);
        link->now.n_open = 0;
        link->now.muted = link->now.hold_strangers = false;
    }
}

/* An offer that is open keeps what it would change: its own answer may be without "sip-code". */
void agw_session_accept(agw_session *s)
{
    if (s->current == NULL || s->decided)
        return;
    s->decided = true;
    s->early = false;
    decide(s->current);
    decide(s->offer.pending);
    decide(s->crossed.pending);
    agw_session_apply(s);
    agw_session_end_branches(s);
}

static void forget(agw_transport_plan *t)
{
    t->n_sources = t->n_open = 0;
    t->muted = false;
}

void agw_forks_offer(const agw_exchange *x, agw_transport_plan *from, agw_transport_plan *to)
{
    if (x->s->early)
        return; /* an UPDATE of one dialog: the others are still there */
    forget(from);
    forget(to);
    from->hold_strangers = false;
    to->hold_strangers = x->current == NULL; /* its answer, or a fork's, may be late */
}
