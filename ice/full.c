/* SPDX-License-Identifier: BSD-3-Clause */
#include "ice/full.h"

#include "base/secret.h"
#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

/* A selected pair that has not answered for so long while another one works is given up: the first
 * RTO of RFC 8445 section 14.3. */
static const agw_ns RIVAL_WAITS = AGW_MS(500);
/* A response older than this says nothing about today: RFC 7675 section 5.1. */
static const agw_ns FRESH = AGW_MS(30000);
static const agw_ns LATELY = AGW_MS(1000);

agw_full *agw_full_new(const agw_ice_config *config)
{
    agw_full *full = calloc(1, sizeof *full);
    if (full == NULL)
        return NULL;
    memcpy(full->list.seed, config->seed, sizeof full->list.seed);
    full->list.controlling = config->controlling;
    full->list.first_valid_at = AGW_NEVER;
    full->list.next_at = config->now;
    full->id_prefix = config->id_prefix;
    full->tie_breaker = agw_checklist_draw(&full->list);
    full->rival_at = AGW_NEVER;
    return full;
}

void agw_full_free(agw_full *full)
{
    if (full == NULL)
        return;
    agw_checklist_fini(&full->list);
    agw_secret_wipe(full, sizeof *full);
    free(full);
}

void agw_full_restart(agw_full *full)
{
    agw_checklist_clear(&full->list);
    full->rival_at = AGW_NEVER;
}

static agw_err add_local(agw_ice *ice, const agw_ice_local *local)
{
    if (ice->full == NULL)
        return AGW_OK;
    agw_checklist *list = &ice->full->list;
    size_t n = 0;
    for (size_t i = 0; i < list->n_locals; i++)
        n += list->locals[i].passive == local->passive;
    if (n == AGW_ICE_LOCALS / 2)
        return AGW_ERR_LIMIT;
    list->locals[list->n_locals++] = *local;
    return AGW_OK;
}

agw_err agw_ice_add_local(agw_ice *ice, uint32_t port_id, agw_family family, uint32_t priority,
                          uint32_t check_priority)
{
    const agw_ice_local local = {port_id, (uint8_t)family, false, priority, check_priority};
    return add_local(ice, &local);
}

agw_err agw_ice_add_passive(agw_ice *ice, uint32_t port_id, agw_family family, uint32_t priority,
                            uint32_t check_priority)
{
    const agw_ice_local local = {port_id, (uint8_t)family, true, priority, check_priority};
    return add_local(ice, &local);
}

bool agw_ice_add_remote(agw_ice *ice, const agw_addr *remote, uint32_t priority)
{
    if (ice->full == NULL || remote->port == 0 || agw_addr_is_any(remote) ||
        agw_addr_is_multicast(remote))
        return false;
    agw_checklist *list = &ice->full->list;
    return agw_checklist_add(list, agw_checklist_local_for(list, remote), remote, priority) != NULL;
}

bool agw_ice_is_controlling(const agw_ice *ice)
{
    return ice->full != NULL && ice->full->list.controlling;
}

/* --- selection -------------------------------------------------------------------------------- */

/* Consent is what the pair's latest response gave. */
static void begin_consent(agw_ice *ice, agw_ns now, const agw_check *check)
{
    agw_full *full = ice->full;
    agw_consent_init(&ice->consent, now, (uint32_t)agw_checklist_draw(&full->list));
    ice->consent.expires_at -= now - check->responded_at;
    if (now - check->responded_at > LATELY)
        ice->consent.next_check_at = now;
    full->consent_ids[0] = full->consent_ids[1] = 0;
    full->rival_at = AGW_NEVER;
}

static void select_pair(agw_ice *ice, agw_ns now, const agw_check *check, agw_ice_result *res)
{
    const bool was_lost = !agw_consent_may_send(&ice->consent);
    agw_valid_pair *pair =
        agw_valid_check(&ice->valid, now, &check->pair, check->remote_priority, res);
    agw_ice_nominate(ice, now, &ice->now, pair, res);
    agw_checklist_complete(&ice->full->list);
    if (!res->selected_changed && !res->restarted)
        return;
    res->selected = ice->valid.selected->pair;
    const agw_check *selected = agw_checklist_find(&ice->full->list, &res->selected);
    begin_consent(ice, now, selected != NULL ? selected : check);
    if (was_lost)
        res->event = AGW_ICE_CONSENT_BACK;
}

static bool is_selected(const agw_ice *ice, const agw_ice_pair *pair)
{
    const agw_valid_pair *selected = ice->valid.selected;
    return selected != NULL && selected->pair.port_id == pair->port_id &&
           agw_addr_equal(&selected->pair.remote, &pair->remote);
}

/* A nominated pair is used once our own check of it has succeeded (RFC 8445 section 7.3.1.5). */
static void use_nominated(agw_ice *ice, agw_ns now, agw_check *check, agw_ice_result *res)
{
    check->nominated = false;
    select_pair(ice, now, check, res);
}

/* The peer has a new address, say, and we are the one that nominates. */
static void note_rival(agw_ice *ice, agw_ns now, const agw_check *check)
{
    agw_full *full = ice->full;
    if (!full->list.controlling || !full->list.completed || is_selected(ice, &check->pair))
        return;
    if (full->rival_at == AGW_NEVER) {
        full->rival_at = now + RIVAL_WAITS;
        full->consent_due = true;
    }
    full->rival = check->pair;
}

/* --- checks of the peer ----------------------------------------------------------------------- */

bool agw_full_gives_way(agw_full *full, const agw_stun_msg *msg)
{
    const bool we_win = full->tie_breaker >= msg->tie_breaker;
    if (full->list.controlling == we_win)
        return false; /* we stay, it switches */
    full->list.controlling = !full->list.controlling;
    return true;
}

void agw_full_on_check(agw_ice *ice, agw_ns now, const agw_ice_generation *by,
                       const agw_stun_msg *msg, agw_valid_pair *pair, agw_ice_result *res)
{
    if (by != &ice->now)
        return; /* during a restart media stays where it is */
    agw_checklist *list = &ice->full->list;
    agw_check *check = agw_checklist_find(list, &pair->pair);
    if (check == NULL) { /* a peer-reflexive candidate of the peer, RFC 8445 section 7.3.1.3 */
        check = agw_checklist_add(list, agw_checklist_local(list, pair->pair.port_id),
                                  &pair->pair.remote, msg->priority);
        if (check == NULL)
            return;
    }
    check->nominated = check->nominated || (msg->use_candidate && !list->controlling);
    const bool is_fresh = check->state == AGW_CHECK_SUCCEEDED && now - check->responded_at < FRESH;
    if (is_fresh && check->nominated)
        use_nominated(ice, now, check, res);
    else if (!is_fresh && !(check->state == AGW_CHECK_SUCCEEDED && is_selected(ice, &check->pair)))
        agw_checklist_trigger(list, now, check);
}

/* --- responses -------------------------------------------------------------------------------- */

static bool is_authentic(const agw_ice_generation *by, const agw_stun_msg *msg, const uint8_t *buf,
                         size_t len)
{
    if (by->remote_pwd == NULL)
        return false;
    if (msg->fingerprint_at != 0 && !agw_stun_fingerprint_ok(msg, buf, len))
        return false;
    return agw_stun_verify(msg, buf, len, by->remote_pwd, strlen(by->remote_pwd)) == AGW_OK;
}

/* The generation that media, and so its consent, belongs to. */
static const agw_ice_generation *of_media(const agw_ice *ice)
{
    return ice->past.is_used ? &ice->past : &ice->now;
}

static agw_ice_drop on_consent(agw_ice *ice, agw_ns now, const agw_ice_pair *from,
                               const agw_stun_msg *msg, const uint8_t *buf, size_t len)
{
    if (msg->head.msg_class != AGW_STUN_RESPONSE || !is_selected(ice, from))
        return AGW_ICE_DROP_UNEXPECTED;
    if (!is_authentic(of_media(ice), msg, buf, len))
        return AGW_ICE_DROP_INTEGRITY;
    (void)agw_consent_renew(&ice->consent, now);
    agw_check *check = agw_checklist_find(&ice->full->list, from);
    if (check != NULL && !ice->past.is_used)
        check->responded_at = now;
    ice->full->rival_at = AGW_NEVER;
    return AGW_ICE_DROP_NONE;
}

/* RFC 8445 section 7.2.5.1. */
static void on_role_conflict(agw_full *full, agw_ns now, agw_check *check)
{
    if (check->as_controlling == full->list.controlling) {
        full->list.controlling = !check->as_controlling;
        full->tie_breaker = agw_checklist_draw(&full->list);
    }
    check->state = AGW_CHECK_WAITING;
    check->due_at = AGW_NEVER;
    agw_checklist_trigger(&full->list, now, check);
}

static void on_success(agw_ice *ice, agw_ns now, agw_check *check, uint64_t id, agw_ice_result *res)
{
    (void)agw_valid_check(&ice->valid, now, &check->pair, check->remote_priority, res);
    res->valid = true;
    const bool nominates = agw_checklist_succeed(&ice->full->list, now, check, id);
    if (nominates || check->nominated)
        use_nominated(ice, now, check, res);
    else
        note_rival(ice, now, check);
}

agw_ice_drop agw_full_on_response(agw_ice *ice, agw_ns now, const agw_ice_pair *from,
                                  const agw_stun_msg *msg, const uint8_t *buf, size_t len,
                                  agw_ice_result *res)
{
    agw_full *full = ice->full;
    const uint64_t id = agw_get64(msg->head.id + 4);
    if (agw_get32(msg->head.id) != full->id_prefix || id == 0)
        return AGW_ICE_DROP_UNEXPECTED;
    if (id == full->consent_ids[0] || id == full->consent_ids[1])
        return on_consent(ice, now, from, msg, buf, len);
    agw_check *check = agw_checklist_by_id(&full->list, id);
    if (check == NULL || check->pair.port_id != from->port_id ||
        !agw_addr_equal(&check->pair.remote, &from->remote)) /* RFC 8445 section 7.2.5.2.1 */
        return AGW_ICE_DROP_UNEXPECTED;
    if (!is_authentic(&ice->now, msg, buf, len))
        return AGW_ICE_DROP_INTEGRITY;
    if (msg->head.msg_class == AGW_STUN_RESPONSE)
        on_success(ice, now, check, id, res);
    else if (msg->error_code == 487 && id == check->id)
        on_role_conflict(full, now, check);
    return AGW_ICE_DROP_NONE; /* other errors: the peer may know us a moment later */
}

/* --- checks of our own ------------------------------------------------------------------------ */

static bool can_check(const agw_ice *ice)
{
    return ice->now.remote_pwd != NULL;
}

agw_ns agw_full_deadline(const agw_ice *ice)
{
    const agw_full *full = ice->full;
    agw_ns at = can_check(ice) ? agw_checklist_deadline(&full->list) : AGW_NEVER;
    if (full->consent_due)
        return 0;
    return agw_earlier(at, full->rival_at);
}

static void nominate_rival(agw_full *full, agw_ns now)
{
    if (now < full->rival_at)
        return;
    full->rival_at = AGW_NEVER;
    agw_check *check = agw_checklist_find(&full->list, &full->rival);
    if (check != NULL && full->list.controlling)
        agw_checklist_nominate(&full->list, check);
}

static void write_check(const agw_ice *ice, const agw_ice_generation *by, const agw_check *check,
                        uint64_t id, agw_ice_check *out)
{
    const agw_full *full = ice->full;
    const agw_ice_local *local = agw_checklist_local(&full->list, check->pair.port_id);
    agw_stun_check stun = {.their_ufrag = by->remote_ufrag,
                           .our_ufrag = by->local_ufrag,
                           .key = by->remote_pwd,
                           .priority = local != NULL ? local->prflx : 1,
                           .controlling = check->as_controlling,
                           .use_candidate = check->use_candidate,
                           .tie_breaker = full->tie_breaker};
    agw_put32(stun.id, full->id_prefix);
    agw_put64(stun.id + 4, id);
    out->pair = check->pair;
    out->len = agw_stun_write_check(&stun, out->data, sizeof out->data);
}

/* RFC 7675 section 5.1: each is a new transaction and is sent once. */
static bool write_consent(agw_ice *ice, agw_ice_check *out)
{
    agw_full *full = ice->full;
    const agw_ice_generation *by = of_media(ice);
    full->consent_due = false;
    if (ice->valid.selected == NULL || by->remote_pwd == NULL)
        return false;
    full->consent_ids[1] = full->consent_ids[0];
    full->consent_ids[0] = agw_checklist_draw(&full->list);
    const agw_check check = {.pair = ice->valid.selected->pair,
                             .as_controlling = full->list.controlling};
    write_check(ice, by, &check, full->consent_ids[0], out);
    return true;
}

bool agw_ice_next_check(agw_ice *ice, agw_ns now, agw_ice_check *out)
{
    agw_full *full = ice->full;
    if (full == NULL)
        return false;
    if (full->consent_due && write_consent(ice, out))
        return true;
    nominate_rival(full, now);
    const agw_check *check = can_check(ice) ? agw_checklist_next(&full->list, now) : NULL;
    if (check == NULL)
        return false;
    write_check(ice, &ice->now, check, check->id, out);
    return true;
}
