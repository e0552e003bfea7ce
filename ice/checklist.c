/* SPDX-License-Identifier: BSD-3-Clause */
#include "ice/checklist.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 4,
    SENDS = 7,     /* Rc, RFC 8489 section 6.2.1 */
    LAST_WAIT = 16 /* Rm, same place, in RTOs */
};

static const agw_ns TA = AGW_MS(50);               /* RFC 8445 section 14.2 */
static const agw_ns RTO_MIN = AGW_MS(500);         /* RFC 8445 section 14.3 */
static const agw_ns STREAM_WAIT = AGW_MS(39500);   /* Ti, RFC 8489 section 6.2.2 */
static const agw_ns BETTER_MAY_COME = AGW_MS(300); /* while better pairs are unsettled */

void agw_checklist_fini(agw_checklist *list)
{
    free(list->checks);
    list->checks = NULL;
    list->n = list->room = 0;
}

void agw_checklist_clear(agw_checklist *list)
{
    list->n = 0;
    list->completed = false;
    list->first_valid_at = AGW_NEVER;
}

uint64_t agw_checklist_draw(agw_checklist *list)
{
    uint64_t number;
    do {
        list->drawn++;
        number = agw_siphash(list->seed, &list->drawn, sizeof list->drawn);
    } while (number == 0);
    return number;
}

/* RFC 8445 section 6.1.2.3. */
static uint64_t priority_of(const agw_checklist *list, const agw_check *c)
{
    const uint64_t g = list->controlling ? c->local_priority : c->remote_priority;
    const uint64_t d = list->controlling ? c->remote_priority : c->local_priority;
    return ((g < d ? g : d) << 32) + 2 * (g > d ? g : d) + (g > d);
}

/* --- pairs ------------------------------------------------------------------------------------ */

const agw_ice_local *agw_checklist_local(const agw_checklist *list, uint32_t port_id)
{
    for (size_t i = 0; i < list->n_locals; i++) {
        if (list->locals[i].port_id == port_id)
            return &list->locals[i];
    }
    return NULL;
}

const agw_ice_local *agw_checklist_local_for(const agw_checklist *list, const agw_addr *remote)
{
    for (size_t i = 0; i < list->n_locals; i++) {
        if (list->locals[i].family == remote->family && !list->locals[i].passive)
            return &list->locals[i];
    }
    return NULL;
}

agw_check *agw_checklist_find(const agw_checklist *list, const agw_ice_pair *pair)
{
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->pair.port_id == pair->port_id && agw_addr_equal(&c->pair.remote, &pair->remote))
            return c;
    }
    return NULL;
}

agw_check *agw_checklist_by_id(const agw_checklist *list, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < list->n; i++) {
        if (list->checks[i].id == id || list->checks[i].old_id == id)
            return &list->checks[i];
    }
    return NULL;
}

/* The worst pair that may go: one that has succeeded is of use. */
static agw_check *worst(const agw_checklist *list)
{
    agw_check *found = NULL;
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->state == AGW_CHECK_SUCCEEDED || c->nominated)
            continue;
        if (found == NULL || priority_of(list, c) < priority_of(list, found))
            found = c;
    }
    return found;
}

static void grow(agw_checklist *list)
{
    list->room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
    list->room = list->room > AGW_ICE_PAIRS ? AGW_ICE_PAIRS : list->room;
    list->checks = realloc(list->checks, list->room * sizeof *list->checks);
    AGW_ASSERT(list->checks != NULL);
}

/* Where a pair of that priority may stand; NULL: nowhere. */
static agw_check *place_for(agw_checklist *list, const agw_check *wanted)
{
    if (list->n == AGW_ICE_PAIRS) {
        agw_check *victim = worst(list);
        const bool is_better =
            victim != NULL && priority_of(list, victim) < priority_of(list, wanted);
        return is_better ? victim : NULL;
    }
    if (list->n == list->room)
        grow(list);
    return &list->checks[list->n++];
}

agw_check *agw_checklist_add(agw_checklist *list, const agw_ice_local *local,
                             const agw_addr *remote, uint32_t priority)
{
    if (local == NULL)
        return NULL;
    agw_check *c = agw_checklist_find(list, &(agw_ice_pair){local->port_id, *remote});
    if (c != NULL) {
        c->remote_priority = priority;
        return c;
    }
    const agw_check fresh = {.pair = {local->port_id, *remote},
                             .local_priority = local->priority,
                             .passive = local->passive,
                             .remote_priority = priority,
                             .state = list->completed ? AGW_CHECK_RESTING : AGW_CHECK_WAITING,
                             .due_at = AGW_NEVER};
    c = place_for(list, &fresh);
    if (c != NULL)
        *c = fresh;
    return c;
}

static void enqueue(agw_checklist *list, agw_check *check)
{
    check->state = AGW_CHECK_WAITING;
    check->due_at = AGW_NEVER;
    if (check->queued == 0)
        check->queued = ++list->last_queued;
}

void agw_checklist_trigger(agw_checklist *list, agw_ns now, agw_check *check)
{
    if (check->state != AGW_CHECK_IN_PROGRESS) {
        enqueue(list, check);
    } else if (!check->hurried || now - check->sent_at >= RTO_MIN) {
        check->hurried = true;
        check->sent = 0;
        check->due_at = now;
    }
}

void agw_checklist_nominate(agw_checklist *list, agw_check *check)
{
    check->use_candidate = true;
    enqueue(list, check);
}

void agw_checklist_complete(agw_checklist *list)
{
    list->completed = true;
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->state != AGW_CHECK_WAITING && c->state != AGW_CHECK_IN_PROGRESS)
            continue;
        if (c->nominated)
            continue; /* a peer that nominates several at once (RFC 5245) may mean this one */
        c->state = AGW_CHECK_RESTING;
        c->queued = 0;
        c->due_at = AGW_NEVER;
    }
}

/* --- nomination by us ------------------------------------------------------------------------- */

static bool is_unsettled(const agw_check *c)
{
    return c->state == AGW_CHECK_WAITING || c->state == AGW_CHECK_IN_PROGRESS;
}

/* NULL: none is valid, or one is being nominated already. */
static agw_check *best_valid(const agw_checklist *list)
{
    agw_check *best = NULL;
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->use_candidate && is_unsettled(c))
            return NULL;
        if (c->state == AGW_CHECK_SUCCEEDED &&
            (best == NULL || priority_of(list, c) > priority_of(list, best)))
            best = c;
    }
    return best;
}

static bool has_better_unsettled(const agw_checklist *list, const agw_check *than)
{
    for (size_t i = 0; i < list->n; i++) {
        const agw_check *c = &list->checks[i];
        if (is_unsettled(c) && priority_of(list, c) > priority_of(list, than))
            return true;
    }
    return false;
}

/* When *out will be nominated; AGW_NEVER: nothing to nominate. */
static agw_ns nomination_at(const agw_checklist *list, agw_check **out)
{
    *out = list->controlling && !list->completed ? best_valid(list) : NULL;
    if (*out == NULL)
        return AGW_NEVER;
    return list->first_valid_at + (has_better_unsettled(list, *out) ? BETTER_MAY_COME : 0);
}

/* --- what is due ------------------------------------------------------------------------------ */

static agw_check *first_queued(const agw_checklist *list)
{
    agw_check *first = NULL;
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->queued != 0 && (first == NULL || c->queued < first->queued))
            first = c;
    }
    return first;
}

static agw_check *best_waiting(const agw_checklist *list)
{
    agw_check *best = NULL;
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->state == AGW_CHECK_WAITING &&
            (best == NULL || priority_of(list, c) > priority_of(list, best)))
            best = c;
    }
    return best;
}

static agw_check *next_new(const agw_checklist *list)
{
    agw_check *c = first_queued(list);
    return c != NULL ? c : best_waiting(list);
}

static agw_check *first_due(const agw_checklist *list)
{
    agw_check *first = NULL;
    for (size_t i = 0; i < list->n; i++) {
        agw_check *c = &list->checks[i];
        if (c->due_at != AGW_NEVER && (first == NULL || c->due_at < first->due_at))
            first = c;
    }
    return first;
}

agw_ns agw_checklist_deadline(const agw_checklist *list)
{
    agw_check *ignored;
    agw_ns at = nomination_at(list, &ignored);
    const agw_check *due = first_due(list);
    if (due != NULL)
        at = agw_earlier(at, due->due_at);
    if (next_new(list) != NULL)
        at = agw_earlier(at, list->next_at);
    return at;
}

/* RFC 8445 section 14.3: the more pairs are under way, the slower each of them. */
static agw_ns rto_of(const agw_checklist *list)
{
    size_t unsettled = 0;
    for (size_t i = 0; i < list->n; i++)
        unsettled += is_unsettled(&list->checks[i]);
    const agw_ns rto = TA * (agw_ns)unsettled;
    return rto > RTO_MIN ? rto : RTO_MIN;
}

/* When a check that was just sent is to be repeated or given up. Over TCP it is sent once. */
static agw_ns next_step(const agw_check *c, agw_ns now)
{
    if (c->passive)
        return now + STREAM_WAIT;
    return now + (c->sent == SENDS ? LAST_WAIT * c->rto : c->rto * (1 << (c->sent - 1)));
}

static void begin(agw_checklist *list, agw_ns now, agw_check *c)
{
    c->state = AGW_CHECK_IN_PROGRESS;
    c->queued = 0;
    c->old_id = c->id;
    c->id = agw_checklist_draw(list);
    c->as_controlling = list->controlling;
    c->use_candidate = c->use_candidate && list->controlling;
    c->hurried = false;
    c->sent = c->passive ? SENDS : 1;
    c->sent_at = now;
    c->rto = rto_of(list);
    c->due_at = next_step(c, now);
    list->next_at = now + TA;
}

/* false: that was its timeout. */
static bool repeat(agw_check *c, agw_ns now)
{
    if (c->sent == SENDS) {
        c->state = AGW_CHECK_FAILED;
        c->use_candidate = false;
        c->due_at = AGW_NEVER;
        return false;
    }
    c->sent = c->passive ? SENDS : c->sent + 1;
    c->sent_at = now;
    c->due_at = next_step(c, now);
    return true;
}

agw_check *agw_checklist_next(agw_checklist *list, agw_ns now)
{
    for (agw_check *c; (c = first_due(list)) != NULL && c->due_at <= now;) {
        if (repeat(c, now))
            return c;
    }
    agw_check *c;
    if (nomination_at(list, &c) <= now && c != NULL)
        agw_checklist_nominate(list, c);
    c = now >= list->next_at ? next_new(list) : NULL;
    if (c != NULL)
        begin(list, now, c);
    return c;
}

bool agw_checklist_succeed(agw_checklist *list, agw_ns now, agw_check *check, uint64_t id)
{
    const bool is_nominating = check->use_candidate && is_unsettled(check);
    const bool is_present = id == check->id && check->queued == 0;
    check->responded_at = now;
    list->first_valid_at = agw_earlier(list->first_valid_at, now);
    if (is_nominating && !is_present)
        return false; /* the nomination itself is still on its way */
    check->state = AGW_CHECK_SUCCEEDED;
    check->queued = 0;
    check->due_at = AGW_NEVER;
    check->use_candidate = false;
    return is_nominating;
}
