/* SPDX-License-Identifier: BSD-3-Clause */
#include "ice/validlist.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 2 };

/* A nomination older than this says nothing about today: two consent intervals of Chromium (2.8 s),
 * or the longest of RFC 7675 (6 s). */
static const agw_ns RECENT = AGW_MS(6500);
/* How long a peer is believed to nominate aggressively after it last did. */
static const agw_ns BELIEF = AGW_S(60);

static bool is_used(const agw_valid_pair *p)
{
    return agw_addr_is_set(&p->pair.remote);
}

static size_t index_of(const agw_valid_list *list, uint32_t port_id, const agw_addr *remote)
{
    size_t i = 0;
    while (i < list->room && !(list->pairs[i].pair.port_id == port_id &&
                               agw_addr_equal(&list->pairs[i].pair.remote, remote)))
        i++;
    return i;
}

const agw_valid_pair *agw_valid_find(const agw_valid_list *list, uint32_t port_id,
                                     const agw_addr *remote)
{
    const size_t i = agw_addr_is_set(remote) ? index_of(list, port_id, remote) : list->room;
    return i < list->room ? &list->pairs[i] : NULL;
}

/* All pairs are used. Returns the first of the new ones. */
static agw_valid_pair *grow(agw_valid_list *list)
{
    const size_t before = list->room;
    const size_t selected = list->selected != NULL ? (size_t)(list->selected - list->pairs) : 0;
    list->room = before != 0 ? 2 * before : FIRST_ROOM;
    list->pairs = realloc(list->pairs, list->room * sizeof *list->pairs);
    AGW_ASSERT(list->pairs != NULL);
    memset(list->pairs + before, 0, (list->room - before) * sizeof *list->pairs);
    if (list->selected != NULL)
        list->selected = &list->pairs[selected];
    return &list->pairs[before];
}

static agw_valid_pair *free_or_stalest(agw_valid_list *list)
{
    agw_valid_pair *best = NULL;
    for (size_t i = 0; i < list->room; i++) {
        agw_valid_pair *p = &list->pairs[i];
        if (!is_used(p))
            return p;
        if (p != list->selected && (best == NULL || p->checked_at < best->checked_at))
            best = p;
    }
    return list->room < AGW_ICE_REMOTES ? grow(list) : best;
}

agw_valid_pair *agw_valid_check(agw_valid_list *list, agw_ns now, const agw_ice_pair *pair,
                                uint32_t priority, agw_ice_result *res)
{
    const size_t at = index_of(list, pair->port_id, &pair->remote);
    const bool is_known = at < list->room;
    agw_valid_pair *const p = is_known ? &list->pairs[at] : free_or_stalest(list);
    if (!is_known) {
        res->new_remote = true;
        res->evicted = is_used(p);
        res->gone = p->pair;
        *p = (agw_valid_pair){.pair = *pair, .nominated_at = AGW_NEVER};
    }
    p->priority = priority;
    p->checked_at = now;
    return p;
}

static bool nominated_lately(const agw_valid_pair *p, agw_ns now)
{
    return is_used(p) && p->nominated_at != AGW_NEVER && now - p->nominated_at <= RECENT;
}

static agw_valid_pair *highest_of_lately_nominated(agw_valid_list *list, agw_ns now)
{
    agw_valid_pair *best = list->selected;
    for (size_t i = 0; i < list->room; i++) {
        agw_valid_pair *p = &list->pairs[i];
        if (!nominated_lately(p, now))
            continue;
        if (!nominated_lately(best, now) || p->priority > best->priority)
            best = p;
    }
    return best;
}

void agw_valid_nominate(agw_valid_list *list, agw_ns now, agw_valid_pair *pair)
{
    /* A, B, A: a peer that moved from A to B has no reason to nominate A again so soon. */
    const bool came_back = nominated_lately(pair, now);
    pair->nominated_at = now;
    if (list->selected == NULL)
        list->selected = pair;
    if (list->selected == pair)
        return;
    if (came_back)
        list->aggressive_until = now + BELIEF;
    list->selected = now < list->aggressive_until ? highest_of_lately_nominated(list, now) : pair;
}

void agw_valid_restart(agw_valid_list *list)
{
    for (size_t i = 0; i < list->room; i++)
        list->pairs[i].nominated_at = AGW_NEVER;
    list->aggressive_until = 0;
    list->selected = NULL;
}

void agw_valid_fini(agw_valid_list *list)
{
    free(list->pairs);
    *list = (agw_valid_list){0};
}
