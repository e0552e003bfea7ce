/* SPDX-License-Identifier: BSD-3-Clause */
#include "ice/agent.h"

#include "base/secret.h"
#include "ice/full.h"

#include <stdlib.h>
#include <string.h>

enum { FAIL_MS = 39500 }; /* RFC 8863 section 4: the patience of one whole check transaction */

static bool is_text(const char *text, size_t min, size_t max)
{
    const size_t n = text == NULL ? 0 : strnlen(text, max + 1);
    return n >= min && n <= max;
}

static bool is_absent(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static bool is_remote(const char *ufrag, const char *pwd)
{
    if (is_absent(ufrag) && is_absent(pwd))
        return true;
    return is_text(ufrag, AGW_ICE_UFRAG_MIN, AGW_ICE_REMOTE_MAX) &&
           is_text(pwd, AGW_ICE_PWD_MIN, AGW_ICE_REMOTE_MAX);
}

static bool is_local(const char *ufrag, const char *pwd)
{
    return is_text(ufrag, AGW_ICE_UFRAG_MIN, AGW_ICE_LOCAL_MAX) &&
           is_text(pwd, AGW_ICE_PWD_MIN, AGW_ICE_LOCAL_MAX);
}

static void set_remote(agw_ice_generation *g, const char *ufrag, const char *pwd)
{
    if (is_absent(ufrag))
        return;
    const size_t ufrag_size = strlen(ufrag) + 1, pwd_size = strlen(pwd) + 1;
    AGW_ASSERT(g->remote_ufrag == NULL);
    g->remote_ufrag = malloc(ufrag_size + pwd_size);
    AGW_ASSERT(g->remote_ufrag != NULL);
    g->remote_pwd = g->remote_ufrag + ufrag_size;
    memcpy(g->remote_ufrag, ufrag, ufrag_size);
    memcpy(g->remote_pwd, pwd, pwd_size);
}

static void forget_generation(agw_ice_generation *g)
{
    if (g->remote_pwd != NULL)
        agw_secret_wipe(g->remote_pwd, strlen(g->remote_pwd));
    free(g->remote_ufrag);
    agw_secret_wipe(g, sizeof *g);
}

static void set_generation(agw_ice_generation *g, const char *local_ufrag, const char *local_pwd)
{
    forget_generation(g);
    g->is_used = true;
    memcpy(g->local_ufrag, local_ufrag, strlen(local_ufrag) + 1);
    memcpy(g->local_pwd, local_pwd, strlen(local_pwd) + 1);
}

/* RFC 8863 section 4: patience starts when checks can: the peer's credentials are known. */
static void start_patience(agw_ice *ice, agw_ns now)
{
    if (ice->now.remote_ufrag != NULL && ice->valid.selected == NULL)
        ice->fail_at = now + ice->fail_after;
}

agw_ice *agw_ice_new(const agw_ice_config *config)
{
    if (!is_local(config->local_ufrag, config->local_pwd) ||
        !is_remote(config->remote_ufrag, config->remote_pwd))
        return NULL;
    agw_ice *ice = calloc(1, sizeof *ice);
    if (ice == NULL)
        return NULL;
    if (!config->lite && (ice->full = agw_full_new(config)) == NULL) {
        free(ice);
        return NULL;
    }
    set_generation(&ice->now, config->local_ufrag, config->local_pwd);
    set_remote(&ice->now, config->remote_ufrag, config->remote_pwd);
    agw_consent_init_lite(&ice->consent);
    ice->fail_after = AGW_MS(config->fail_ms != 0 ? config->fail_ms : FAIL_MS);
    ice->fail_at = AGW_NEVER;
    start_patience(ice, config->now);
    return ice;
}

void agw_ice_free(agw_ice *ice)
{
    if (ice == NULL)
        return;
    forget_generation(&ice->now);
    forget_generation(&ice->past);
    agw_valid_fini(&ice->valid);
    agw_full_free(ice->full);
    free(ice);
}

agw_err agw_ice_set_remote(agw_ice *ice, agw_ns now, const char *ufrag, const char *pwd)
{
    if (is_absent(ufrag) || !is_remote(ufrag, pwd))
        return AGW_ERR_MALFORMED;
    agw_ice_generation *g = &ice->now;
    if (g->remote_ufrag != NULL) {
        const bool same = strcmp(g->remote_ufrag, ufrag) == 0 && strcmp(g->remote_pwd, pwd) == 0;
        return same ? AGW_OK : AGW_ERR_STATE;
    }
    set_remote(g, ufrag, pwd);
    start_patience(ice, now);
    return AGW_OK;
}

agw_err agw_ice_restart(agw_ice *ice, agw_ns now, const char *local_ufrag, const char *local_pwd,
                        const char *remote_ufrag, const char *remote_pwd)
{
    if (!is_local(local_ufrag, local_pwd) || !is_remote(remote_ufrag, remote_pwd))
        return AGW_ERR_MALFORMED;
    if (!ice->past.is_used) { /* else a pending one is replaced, and media's is kept */
        ice->past = ice->now;
        ice->now = (agw_ice_generation){0};
    }
    set_generation(&ice->now, local_ufrag, local_pwd);
    set_remote(&ice->now, remote_ufrag, remote_pwd);
    if (ice->full != NULL)
        agw_full_restart(ice->full);
    start_patience(ice, now);
    return AGW_OK;
}

static bool half_is(const char *half, size_t len, const char *text)
{
    return half != NULL && len == strlen(text) && memcmp(half, text, len) == 0;
}

/* USERNAME names one of our generations and, where it is known, the peer (RFC 8445 section 7.2.2).
 */
static bool is_named(const agw_ice_generation *g, const agw_stun_head *head)
{
    if (!g->is_used || !half_is(head->local_ufrag, head->local_ufrag_len, g->local_ufrag))
        return false;
    return g->remote_ufrag == NULL ||
           half_is(head->remote_ufrag, head->remote_ufrag_len, g->remote_ufrag);
}

static agw_ice_generation *generation_of(agw_ice *ice, const agw_stun_head *head)
{
    if (is_named(&ice->now, head))
        return &ice->now;
    return is_named(&ice->past, head) ? &ice->past : NULL;
}

/* AGW_ICE_DROP_NONE: an authentic request of the peer, or (by is NULL) a response that is still to
 * be proved. Cheap tests first, the HMAC last. */
static agw_ice_drop authenticate(agw_ice *ice, const uint8_t *buf, size_t len, agw_stun_msg *msg,
                                 agw_ice_generation **by)
{
    if (agw_stun_parse(msg, buf, len) != AGW_OK)
        return AGW_ICE_DROP_MALFORMED;
    if (msg->head.msg_class == AGW_STUN_INDICATION)
        return AGW_ICE_DROP_INDICATION;
    if (msg->head.msg_class != AGW_STUN_REQUEST)
        return ice->full != NULL ? AGW_ICE_DROP_NONE : AGW_ICE_DROP_UNEXPECTED;
    if (msg->head.method != AGW_STUN_METHOD_BINDING)
        return AGW_ICE_DROP_METHOD;
    *by = generation_of(ice, &msg->head);
    if (*by == NULL)
        return AGW_ICE_DROP_USERNAME;
    if (!agw_stun_fingerprint_ok(msg, buf, len))
        return AGW_ICE_DROP_FINGERPRINT;
    const char *const pwd = (*by)->local_pwd;
    if (agw_stun_verify(msg, buf, len, pwd, strlen(pwd)) != AGW_OK)
        return AGW_ICE_DROP_INTEGRITY;
    return AGW_ICE_DROP_NONE;
}

/* MESSAGE-INTEGRITY does not cover the source address: whoever has overheard a check can send it
 * from anywhere. A repetition proves nothing new; from an address that is not valid yet it is no
 * retransmission either. */
static bool is_repetition(const agw_ice *ice, const agw_stun_msg *msg)
{
    const size_t n = ice->checks < AGW_ICE_SEEN ? ice->checks : AGW_ICE_SEEN;
    const uint32_t id = agw_stun_crc32(msg->head.id, AGW_STUN_ID);
    for (size_t i = 0; i < n; i++) {
        if (ice->seen[i] == id)
            return true;
    }
    return false;
}

/* RFC 8445 section 7.3.1.1; a lite agent stays controlled, section 6.1.1. */
static bool is_role_conflict(agw_ice *ice, const agw_stun_msg *msg)
{
    if (ice->full == NULL)
        return msg->is_controlled;
    return msg->is_controlling == ice->full->list.controlling &&
           !agw_full_gives_way(ice->full, msg);
}

/* What an authentic request may still be refused for, and the code that says so. */
static agw_ice_drop refusal(agw_ice *ice, const agw_stun_msg *msg, unsigned *code)
{
    if (msg->unknown_count > 0) {
        *code = 420; /* RFC 8489 section 6.3.1 */
        return AGW_ICE_DROP_ATTRIBUTE;
    }
    if (!msg->has_priority || (!msg->is_controlled && !msg->is_controlling)) {
        *code = 400; /* RFC 8445 sections 7.1.1 and 7.1.3 */
        return AGW_ICE_DROP_PRIORITY;
    }
    if (is_role_conflict(ice, msg)) {
        *code = 487;
        return AGW_ICE_DROP_ROLE;
    }
    *code = 0;
    return AGW_ICE_DROP_NONE;
}

/* Only a peer that has sent a check since it nominated is known to send them at all. */
static void renew_consent(agw_ice *ice, agw_ns now, agw_ice_result *res)
{
    if (!res->connected && agw_consent_renew(&ice->consent, now))
        res->event = AGW_ICE_CONSENT_BACK;
}

/* A nomination by the newest generation completes a restart (RFC 8445 section 9). */
void agw_ice_nominate(agw_ice *ice, agw_ns now, const agw_ice_generation *by, agw_valid_pair *pair,
                      agw_ice_result *res)
{
    const agw_valid_pair *const before = ice->valid.selected;
    if (by == &ice->now && ice->past.is_used) {
        forget_generation(&ice->past);
        agw_valid_restart(&ice->valid);
        res->restarted = true;
    }
    agw_valid_nominate(&ice->valid, now, pair);
    res->selected_changed = ice->valid.selected != before;
    if (before != NULL)
        return;
    res->connected = true;
    ice->fail_at = AGW_NEVER;
}

static void accept_check(agw_ice *ice, agw_ns now, const agw_ice_pair *from,
                         const agw_ice_generation *by, const agw_stun_msg *msg, agw_ice_result *res)
{
    ice->seen[ice->checks % AGW_ICE_SEEN] = agw_stun_crc32(msg->head.id, AGW_STUN_ID);
    ice->checks++;
    if (ice->full == NULL)
        start_patience(ice, now);
    agw_valid_pair *pair = agw_valid_check(&ice->valid, now, from, msg->priority, res);
    if (ice->full != NULL) {
        agw_full_on_check(ice, now, by, msg, pair, res);
    } else {
        res->valid = true;
        if (msg->use_candidate)
            agw_ice_nominate(ice, now, by, pair, res);
        if (pair == ice->valid.selected)
            renew_consent(ice, now, res);
    }
    if (ice->valid.selected != NULL)
        res->selected = ice->valid.selected->pair;
}

/* NOLINTNEXTLINE(readability-function-size): a datagram in, a datagram out, and what it did */
void agw_ice_on_stun(agw_ice *ice, agw_ns now, uint32_t port_id, const agw_addr *from,
                     const uint8_t *buf, size_t len, uint8_t *reply, size_t room,
                     agw_ice_result *res)
{
    AGW_ASSERT(agw_addr_is_set(from));
    *res = (agw_ice_result){0};
    agw_stun_msg msg;
    agw_ice_generation *by = NULL;
    bool repeated = false;
    res->drop = authenticate(ice, buf, len, &msg, &by);
    if (res->drop == AGW_ICE_DROP_NONE && by == NULL) {
        res->drop =
            agw_full_on_response(ice, now, &(agw_ice_pair){port_id, *from}, &msg, buf, len, res);
        return;
    }
    if (res->drop == AGW_ICE_DROP_NONE) {
        repeated = is_repetition(ice, &msg);
        if (repeated && !agw_ice_is_valid(ice, port_id, from))
            res->drop = AGW_ICE_DROP_REPLAY;
    }
    if (res->drop == AGW_ICE_DROP_NONE) {
        unsigned code;
        res->drop = refusal(ice, &msg, &code);
        res->reply_len = code == 0 ? agw_stun_write_success(&msg, from, by->local_pwd, reply, room)
                                   : agw_stun_write_error(&msg, code, by->local_pwd, reply, room);
        if (res->reply_len == 0)
            res->drop = AGW_ICE_DROP_ROOM;
    }
    if (res->drop != AGW_ICE_DROP_NONE)
        return;
    if (repeated)
        res->valid = ice->full == NULL;
    else
        accept_check(ice, now, &(agw_ice_pair){port_id, *from}, by, &msg, res);
}

bool agw_ice_is_valid(const agw_ice *ice, uint32_t port_id, const agw_addr *remote)
{
    return agw_valid_find(&ice->valid, port_id, remote) != NULL;
}

bool agw_ice_selected(const agw_ice *ice, agw_ice_pair *out)
{
    if (ice->valid.selected == NULL)
        return false;
    *out = ice->valid.selected->pair;
    return true;
}

bool agw_ice_may_send(const agw_ice *ice)
{
    return ice->valid.selected != NULL && agw_consent_may_send(&ice->consent);
}

agw_ns agw_ice_deadline(const agw_ice *ice)
{
    const agw_ns at = agw_earlier(ice->fail_at, agw_consent_deadline(&ice->consent));
    return ice->full != NULL ? agw_earlier(at, agw_full_deadline(ice)) : at;
}

agw_ice_event agw_ice_on_deadline(agw_ice *ice, agw_ns now)
{
    if (now >= ice->fail_at) {
        ice->fail_at = AGW_NEVER;
        return AGW_ICE_FAILED;
    }
    const uint32_t rnd = ice->full != NULL ? (uint32_t)agw_checklist_draw(&ice->full->list) : 0;
    const agw_consent_action action = agw_consent_on_deadline(&ice->consent, now, rnd);
    if (action == AGW_CONSENT_SEND_CHECK)
        ice->full->consent_due = true;
    return action == AGW_CONSENT_STOP_MEDIA ? AGW_ICE_CONSENT_LOST : AGW_ICE_NOTHING;
}

const char *agw_ice_drop_text(agw_ice_drop drop)
{
    static const char *const TEXTS[AGW_ICE_DROP_COUNT] = {
        "none",   "malformed", "unexpected", "indication", "username", "fingerprint", "integrity",
        "replay", "method",    "attribute",  "priority",   "role",     "room",
    };
    return (unsigned)drop < AGW_ICE_DROP_COUNT ? TEXTS[drop] : "unknown";
}
