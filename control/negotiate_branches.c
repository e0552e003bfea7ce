/* SPDX-License-Identifier: BSD-3-Clause
 * Branches of an INVITE whose receivers are of different kinds, a phone and a browser, say: each
 * kind has an open offer of its own, with its own leg and transports toward the receiver; those
 * toward the caller are common to all. The via-branch of an answer says which offer it answers.
 * Branches of one kind share an offer (control/negotiate_forks.c). */
#include "control/negotiate_state.h"

#include <string.h>

enum {
    KINDS_MAX = 8,  /* at once, beside the one in s->offer */
    NAMES_MAX = 64, /* more are not told apart */
};

/* A via-branch and the offer that went there. */
typedef struct branch_name {
    char *text;
    uint32_t kind; /* agw_state.kind */
} branch_name;

static void clear_name(gpointer data)
{
    g_free(((branch_name *)data)->text);
}

static const branch_name *find_name(const agw_session *s, const char *text)
{
    for (guint i = 0; text != NULL && s->names != NULL && i < s->names->len; i++) {
        const branch_name *name = &g_array_index(s->names, branch_name, i);
        if (strcmp(name->text, text) == 0)
            return name;
    }
    return NULL;
}

static void note_name(agw_session *s, const char *text, uint32_t kind)
{
    if (s->names == NULL) {
        s->names = g_array_new(FALSE, FALSE, sizeof(branch_name));
        g_array_set_clear_func(s->names, clear_name);
    }
    const branch_name name = {g_strdup(text), kind};
    g_array_append_val(s->names, name);
}

size_t agw_session_n_states(const agw_session *s)
{
    return 3 + (s->others != NULL ? s->others->len : 0);
}

static agw_offer *other_at(const agw_session *s, guint i)
{
    return &g_array_index(s->others, agw_offer, i);
}

agw_state *agw_session_state(const agw_session *s, size_t i)
{
    agw_state *const first[] = {s->current, s->offer.pending, s->crossed.pending};
    return i < G_N_ELEMENTS(first) ? first[i]
                                   : other_at(s, (guint)(i - G_N_ELEMENTS(first)))->pending;
}

static void swap_with(agw_session *s, guint i)
{
    const agw_offer last = s->offer;
    s->offer = *other_at(s, i);
    *other_at(s, i) = last;
}

/* --- offers ------------------------------------------------------------------------------- */

/* What s->offer has led to. */
static const agw_state *last_state(const agw_session *s)
{
    return s->offer.pending != NULL ? s->offer.pending : s->current;
}

/* Another branch while it is open who answers. */
static bool is_branch(const agw_exchange *x)
{
    const agw_session *s = x->s;
    const char *name = x->flags->via_branch, *tag = x->flags->to_tag;
    const bool early =
        s->current != NULL && s->early && s->offer.pending == NULL && (tag == NULL || *tag == '\0');
    return name != NULL && *name != '\0' && s->names != NULL && find_name(s, name) == NULL &&
           x->from == s->offer.from && last_state(s) != NULL && (s->current == NULL || early);
}

/* One description may go to both, over one transport. */
static bool same_kind(const agw_state *a, const agw_state *b, agw_side to)
{
    const agw_leg *one = &a->leg[to], *two = &b->leg[to];
    return one->interface == two->interface && one->web == two->web && one->ice == two->ice &&
           one->mux == two->mux && one->mux_only == two->mux_only &&
           one->transport == two->transport && one->osrtp == two->osrtp &&
           one->family == two->family && a->passes == b->passes;
}

/* As agw_legs_offer() would have it if this branch were the only one. */
static agw_state *as_only_one(agw_exchange *x)
{
    agw_state *fresh = agw_state_copy(x->next);
    agw_state_forget_side(fresh, x->to);
    fresh->passes = false;
    agw_state *const base = x->next;
    x->next = fresh;
    agw_legs_offer(x);
    x->next = base;
    return fresh;
}

static void go_on_with(agw_exchange *x, agw_state *state)
{
    agw_state_free(x->next);
    x->next = state;
}

agw_err agw_branches_offer(agw_exchange *x)
{
    agw_session *s = x->s;
    if (!is_branch(x))
        return AGW_OK;
    agw_state *fresh = as_only_one(x);
    bool known = same_kind(fresh, last_state(s), x->to);
    for (guint i = 0; !known && s->others != NULL && i < s->others->len; i++) {
        known = same_kind(fresh, other_at(s, i)->pending, x->to);
        if (known) {
            swap_with(s, i);
            go_on_with(x, agw_state_copy(s->offer.pending));
        }
    }
    if (known) {
        agw_state_free(fresh);
        return AGW_OK;
    }
    go_on_with(x, fresh);
    if (s->others != NULL && s->others->len == KINDS_MAX) {
        x->why = "Too many branches of different kinds";
        return AGW_ERR_LIMIT;
    }
    fresh->kind = ++s->last_kind;
    x->apart = true;
    return AGW_OK;
}

void agw_branches_offered(agw_exchange *x)
{
    agw_session *s = x->s;
    const char *name = x->flags->via_branch;
    if (x->apart) {
        if (s->others == NULL)
            s->others = g_array_new(FALSE, FALSE, sizeof(agw_offer));
        g_array_append_val(s->others, s->offer);
        s->offer = (agw_offer){.pending = NULL};
    }
    if (name != NULL && *name != '\0' && (s->current == NULL || s->early) &&
        find_name(s, name) == NULL && (s->names == NULL || s->names->len < NAMES_MAX))
        note_name(s, name, x->next->kind);
}

/* --- answers ------------------------------------------------------------------------------ */

void agw_branches_choose(agw_session *s, const agw_flags *flags)
{
    const branch_name *name = s->others != NULL ? find_name(s, flags->via_branch) : NULL;
    for (guint i = 0; name != NULL && i < s->others->len; i++) {
        if (other_at(s, i)->pending->kind != name->kind)
            continue;
        swap_with(s, i);
        return;
    }
}

bool agw_branches_stand(const agw_exchange *x)
{
    const agw_session *s = x->s;
    if (s->current == NULL || s->current->kind == x->next->kind ||
        x->flags->answer_kind == AGW_ANSWER_FINAL)
        return false;
    if (x->flags->early_media == AGW_EARLY_MEDIA_CLOSED)
        return s->early_media != AGW_EARLY_MEDIA_CLOSED;
    return s->early_media == AGW_EARLY_MEDIA_OPEN && x->flags->early_media != AGW_EARLY_MEDIA_OPEN;
}

void agw_branches_leave(agw_session *s)
{
    for (guint i = 0; s->others != NULL && i < s->others->len; i++) {
        if (other_at(s, i)->pending == NULL)
            other_at(s, i)->pending = agw_state_copy(s->current);
    }
}

void agw_branches_rest(agw_session *s)
{
    for (guint i = 0; s->others != NULL && i < s->others->len; i++) {
        if (other_at(s, i)->pending == NULL)
            swap_with(s, i);
    }
}

GArray *agw_branches_end(agw_session *s)
{
    if (s->names != NULL)
        g_array_free(g_steal_pointer(&s->names), TRUE);
    return g_steal_pointer(&s->others);
}
