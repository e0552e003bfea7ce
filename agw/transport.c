/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/transport.h"

#include "agw/bridge.h"
#include "agw/call.h"
#include "agw/demux.h"
#include "agw/report.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/secret.h"
#include "base/wire.h"
#include "ice/candidate.h"
#include "net/tcp.h"
#include "rtp/header.h"
#include "srtp/sdes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_REMOTES = 2 };

static const agw_ns REMOTE_BUSY =
    AGW_S(5); /* a contested address stays where it was in use so lately */
static const agw_ns LATCH_SILENT = AGW_S(2); /* before another source may take over */
static const agw_ns LATCH_EVERY = AGW_MS(500);
static const agw_ns ICMP_EVERY = AGW_S(1);
/* Addresses of a peer that control is told of: as many at once as an agent keeps, one each 10 s
 * then. */
static const agw_ns PEER_COST = AGW_S(10);
static const agw_ns PEERS_DEPTH = AGW_ICE_REMOTES * AGW_S(10);
/* What a peer may make happen so many times at once, and each second then: another selected pair
 * that control is told of, an association that fails. */
static const agw_ns SELECTED_COST = AGW_S(1), SELECTED_DEPTH = AGW_S(10);
static const agw_ns FAILED_COST = AGW_S(1), FAILED_DEPTH = AGW_S(8);
static const agw_ns UNPROVEN_COST = AGW_S(1) / AGW_UNPROVEN_PER_SECOND;
static const agw_ns FREE_COST = AGW_S(1) / AGW_UNPROVEN_FREE;
/* A peer that has announced another key may use the old one until it has our answer, and packets
 * under it may still be on their way then (RFC 4568 section 7.1.4). */
static const agw_ns OLD_KEY_ANSWERED = AGW_S(32); /* SIP's timer B, RFC 3261 section 17.1.1.2 */
static const agw_ns OLD_KEY_LATE = AGW_S(1);
/* A peer that has offered takes our new key when our answer is there. */
static const agw_ns NEW_KEY_LATEST = AGW_S(1);

/* Keys of ours protect what goes this way. */
static bool has_keys(const agw_transport *t)
{
    return t->security > AGW_SECURITY_PASS;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* port is the transport's own, or a shared one. */
static agw_component *component_of(agw_transport *t, const agw_port *port)
{
    return &t->component[port->component];
}

/* NULL: not one of this component. */
static agw_port *port_by_id(const agw_component *c, uint32_t id)
{
    for (size_t i = 0; i < sizeof c->ports / sizeof c->ports[0]; i++) {
        if (c->ports[i] != NULL && c->ports[i]->id == id)
            return c->ports[i];
    }
    return NULL;
}

/* After anything that may have changed what its ICE agent says. */
static void note_consent(agw_component *c)
{
    c->has_consent = c->ice == NULL || agw_ice_may_send(c->ice);
}

static void forget_remote_at(agw_transport *t, size_t i)
{
    if (agw_map_get(t->worker->by_remote, &t->remotes[i]) == t)
        agw_map_remove(t->worker->by_remote, &t->remotes[i]);
    t->n_remotes--;
    t->remotes[i] = t->remotes[t->n_remotes];
}

static void forget_remote(agw_transport *t, const agw_remote_key *key)
{
    for (size_t i = 0; i < t->n_remotes; i++) {
        if (memcmp(&t->remotes[i], key, sizeof *key) == 0) {
            forget_remote_at(t, i);
            return;
        }
    }
}

/* Nothing of this transport comes from there any more: a connection has no other use. */
static void leave_remote(agw_transport *t, const agw_remote_key *key)
{
    agw_port *port = port_by_id(&t->component[AGW_RTP_COMPONENT], key->port_id);
    if (port != NULL && port->tcp && agw_map_get(t->worker->by_remote, key) == t)
        agw_tcp_hang_up(port, &key->remote);
    forget_remote(t, key);
}

/* Most have one or two. When there are AGW_ICE_REMOTES, any that media does not go to makes room.
 */
static void make_room_for_remote(agw_transport *t)
{
    if (t->n_remotes == AGW_ICE_REMOTES) {
        const bool in_use =
            agw_addr_equal(&t->remotes[0].remote, &t->component[AGW_RTP_COMPONENT].remote);
        const agw_remote_key leaves = t->remotes[in_use];
        leave_remote(t, &leaves);
    }
    if (t->n_remotes < t->remotes_room)
        return;
    t->remotes_room = t->remotes_room != 0 ? 2 * t->remotes_room : FIRST_REMOTES;
    t->remotes = realloc(t->remotes, t->remotes_room * sizeof *t->remotes);
    AGW_ASSERT(t->remotes != NULL);
}

/* An authentic check came from there: DTLS and SRTP from that address are this transport's from now
 * on. A connection is of whom it proved itself to last: nobody else can send on it. */
static void learn_remote(agw_transport *t, const agw_port *port, const agw_addr *remote)
{
    agw_worker *w = t->worker;
    const agw_remote_key by = {port->id, *remote}, *key = &by;
    agw_transport *holder = agw_map_get(w->by_remote, key);
    if (holder == t)
        return;
    if (holder != NULL) {
        if (!port->tcp && holder->last_rx_at != 0 && w->now - holder->last_rx_at < REMOTE_BUSY)
            return; /* contested: it stays */
        forget_remote(holder, key);
    }
    make_room_for_remote(t);
    t->remotes[t->n_remotes] = *key;
    t->n_remotes++;
    agw_map_put(w->by_remote, key, t);
}

/* The I/O's faster way follows where media goes. */
static void follow_flow(agw_transport *t, agw_component *c)
{
    agw_port *port = agw_addr_is_set(&c->remote) ? c->port : NULL;
    if (c->flow_port == port && agw_addr_equal(&c->flow_remote, &c->remote))
        return;
    if (c->flow_port != NULL)
        agw_io_uninstall(t->worker->io, c->flow_port, &c->flow_remote);
    c->flow_port = port;
    c->flow_remote = c->remote;
    c->way = port != NULL ? agw_io_install(t->worker->io, port, &c->remote) : NULL;
}

/* --- ICE ----------------------------------------------------------------------------------------
 */

/* With rtcp-mux nobody checks the second component, and nobody misses it. */
static size_t components(const agw_transport *t)
{
    return t->rtcp_mux ? 1 : 2;
}

void agw_transport_set_timer(agw_transport *t)
{
    agw_ns at = t->srtp_out_next != NULL ? t->srtp_out_at : AGW_NEVER;
    for (size_t i = 0; i < 2; i++) {
        const agw_component *c = &t->component[i];
        if (c->ice != NULL && i < components(t))
            at = agw_earlier(at, agw_ice_deadline(c->ice));
        at = agw_earlier(at, agw_early_deadline(t->worker->early, &c->early));
    }
    if (t->selected_untold)
        at = agw_earlier(at, agw_budget_at(&t->selected_told, SELECTED_COST, SELECTED_DEPTH));
    at = agw_earlier(at, agw_report_deadline(t));
    agw_timerq_set(&t->worker->timers, &t->timer, at);
}

static agw_drop stun_drop(agw_ice_drop drop)
{
    switch (drop) {
    case AGW_ICE_DROP_MALFORMED:
    case AGW_ICE_DROP_METHOD:
    case AGW_ICE_DROP_ATTRIBUTE:
    case AGW_ICE_DROP_PRIORITY:
        return AGW_DROP_STUN_MALFORMED;
    case AGW_ICE_DROP_USERNAME:
    case AGW_ICE_DROP_FINGERPRINT:
    case AGW_ICE_DROP_INTEGRITY:
        return AGW_DROP_STUN_AUTH;
    case AGW_ICE_DROP_REPLAY:
        return AGW_DROP_STUN_REPLAY;
    default:
        return AGW_DROP_STUN_UNEXPECTED;
    }
}

static void start_client(agw_transport *t);

static bool is_main(const agw_transport *t, const agw_component *c)
{
    return c == &t->component[AGW_RTP_COMPONENT];
}

static void tell_pair(agw_transport *t, agw_event_kind kind)
{
    const agw_component *c = &t->component[AGW_RTP_COMPONENT];
    t->selected_untold = false;
    agw_worker_tell(t->worker, t, kind, &c->remote, c->port->tcp ? "tcp" : "udp");
}

/* Or later: whatever a peer nominates in between, the last pair is told. */
static void tell_selected(agw_transport *t)
{
    if (agw_budget_take(&t->selected_told, t->worker->now, SELECTED_COST, SELECTED_DEPTH))
        tell_pair(t, AGW_EVENT_ICE_SELECTED);
    else
        t->selected_untold = true;
}

static void on_selected(agw_transport *t, agw_component *c, const agw_ice_result *res)
{
    c->port = port_by_id(c, res->selected.port_id);
    c->remote = res->selected.remote;
    follow_flow(t, c);
    if (!is_main(t, c))
        return;
    if (res->connected)
        tell_pair(t, AGW_EVENT_ICE_CONNECTED);
    else
        tell_selected(t);
}

/* TS 23.334 section 6.2.17.4. */
static void tell_peer(agw_transport *t, agw_component *c, const agw_addr *remote)
{
    agw_worker *w = t->worker;
    if (agw_budget_take(&c->peers_told, w->now, PEER_COST, PEERS_DEPTH))
        agw_worker_tell(w, t, AGW_EVENT_ICE_PEER, remote,
                        is_main(t, c) ? "component 1" : "component 2");
}

static void on_check(agw_transport *t, agw_component *c, const agw_pkt *pkt,
                     const agw_ice_result *res)
{
    if (res->drop != AGW_ICE_DROP_NONE)
        return;
    if (res->evicted)
        leave_remote(t, &(agw_remote_key){res->gone.port_id, res->gone.remote});
    if (t->shared)
        learn_remote(t, pkt->port, &pkt->remote);
    if (res->new_remote)
        tell_peer(t, c, &pkt->remote);
    if (res->selected_changed)
        on_selected(t, c, res);
    if (!is_main(t, c))
        return;
    if (res->event == AGW_ICE_CONSENT_BACK)
        agw_worker_tell(t->worker, t, AGW_EVENT_CONSENT_BACK, &pkt->remote, NULL);
    if (t->assoc == NULL && res->valid) {
        t->dtls_remote = pkt->remote;
        t->dtls_port = pkt->port;
        start_client(t);
    }
    agw_bridge_settle(t);
}

/* Whether a check may cost us its proof. An honest one pays nothing (pay_for_proof()), so this ends
 * with the first comparison unless checks fail; who is validated is heard whatever others do. */
static bool may_try_proof(const agw_transport *t, const agw_component *c, const agw_pkt *pkt)
{
    const agw_worker *w = t->worker;
    return agw_budget_has(&t->stun_free, w->now, FREE_COST, AGW_S(1)) ||
           agw_ice_is_valid(c->ice, pkt->port->id, &pkt->remote) ||
           agw_budgets_has(w->sources, &pkt->remote, w->now, UNPROVEN_COST);
}

/* Integrity that was wrong, or right and overheard. */
static void pay_for_proof(agw_transport *t, agw_ice_drop drop, const agw_addr *source)
{
    agw_worker *w = t->worker;
    if (drop != AGW_ICE_DROP_INTEGRITY && drop != AGW_ICE_DROP_REPLAY)
        return;
    if (!agw_budget_take(&t->stun_free, w->now, FREE_COST, AGW_S(1)))
        (void)agw_budgets_take(w->sources, source, w->now, UNPROVEN_COST);
}

static void take_stun(agw_worker *w, agw_pkt *pkt)
{
    agw_transport *t = pkt->transport;
    agw_component *c = component_of(t, pkt->port);
    if (c->ice == NULL || port_by_id(c, pkt->port->id) == NULL) {
        agw_pkt_drop(pkt, AGW_DROP_STUN_UNEXPECTED);
        return;
    }
    if (!may_try_proof(t, c, pkt)) {
        agw_pkt_drop(pkt, AGW_DROP_SOURCE_RATE);
        return;
    }
    agw_ice_result res;
    uint8_t reply[AGW_STUN_REPLY_MAX];
    agw_ice_on_stun(c->ice, w->now, pkt->port->id, &pkt->remote, pkt->data, pkt->len, reply,
                    sizeof reply, &res);
    if (res.drop != AGW_ICE_DROP_NONE)
        agw_counter_add(&w->stats.ice_drops[res.drop], 1);
    pay_for_proof(t, res.drop, &pkt->remote);
    note_consent(c);
    if (pkt->port->tcp && (res.drop == AGW_ICE_DROP_NONE || res.reply_len != 0)) {
        agw_tcp_keep(pkt->port, &pkt->remote); /* authentic */
        if (res.drop != AGW_ICE_DROP_NONE)
            learn_remote(t, pkt->port, &pkt->remote); /* it counts, and ends with t, all the same */
    }
    on_check(t, c, pkt, &res);
    agw_transport_set_timer(t);
    if (res.reply_len == 0) {
        pkt->verdict = AGW_CONSUMED; /* a response */
        if (res.drop != AGW_ICE_DROP_NONE)
            agw_pkt_drop(pkt, stun_drop(res.drop));
        return;
    }
    agw_counter_add(&w->stats.stun_answered, 1);
    memcpy(pkt->data, reply, res.reply_len);
    pkt->len = res.reply_len;
    pkt->tos = t->tos;
    if (pkt->port == c->port && agw_addr_equal(&pkt->remote, &c->remote))
        pkt->way = c->way;
    pkt->verdict = AGW_FORWARD;
}

void agw_transport_take_stun(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pkts[i]->verdict == AGW_UNDECIDED && pkts[i]->kind == AGW_PKT_STUN)
            take_stun(w, pkts[i]);
    }
}

static void on_ice_event(agw_transport *t, agw_ice_event event)
{
    if (event == AGW_ICE_FAILED) {
        agw_worker_tell(t->worker, t, AGW_EVENT_ICE_FAILED, NULL,
                        "no valid connectivity check in time");
    } else if (event == AGW_ICE_CONSENT_LOST) {
        agw_worker_tell(t->worker, t, AGW_EVENT_CONSENT_LOST, &t->component[0].remote,
                        "no connectivity check for 30 s");
        agw_bridge_settle(t);
    }
}

static void drop_early(agw_transport *t, agw_component *c, agw_ns now)
{
    agw_early_expire(t->worker->early, &c->early, now, t->worker->stats.drops);
}

/* Without a packet left for it the check is lost, like any datagram. */
static void send_check(agw_transport *t, const agw_component *c, const agw_ice_check *check)
{
    agw_port *port = port_by_id(c, check->pair.port_id);
    agw_pkt *pkt = port != NULL && check->len != 0 ? agw_worker_packet(t->worker) : NULL;
    if (pkt == NULL)
        return;
    memcpy(pkt->data, check->data, check->len);
    pkt->len = check->len;
    pkt->kind = AGW_PKT_STUN;
    pkt->tos = t->tos;
    pkt->port = port;
    pkt->remote = check->pair.remote;
    pkt->verdict = AGW_FORWARD;
    agw_counter_add(&t->worker->stats.stun_checks, 1);
}

static void run_ice(agw_transport *t, agw_component *c)
{
    const agw_ns now = t->worker->now;
    while (c->ice != NULL && agw_ice_deadline(c->ice) <= now) {
        const agw_ice_event event = agw_ice_on_deadline(c->ice, now);
        note_consent(c);
        if (is_main(t, c))
            on_ice_event(t, event);
        agw_ice_check check;
        while (agw_ice_next_check(c->ice, now, &check))
            send_check(t, c, &check);
    }
}

static void use_next_key_out(agw_transport *t);

void agw_transport_on_timer(agw_transport *t)
{
    if (t->srtp_out_next != NULL && t->worker->now >= t->srtp_out_at)
        use_next_key_out(t);
    if (t->selected_untold)
        tell_selected(t);
    for (size_t i = 0; i < components(t); i++)
        run_ice(t, &t->component[i]);
    for (size_t i = 0; i < 2; i++)
        drop_early(t, &t->component[i], t->worker->now);
    agw_report_send_due(t);
    agw_transport_set_timer(t);
}

/* The way out to the party of t. */
static inline void address(agw_transport *t, const agw_component *c, agw_pkt *pkt)
{
    pkt->transport = t;
    pkt->port = c->port;
    pkt->remote = c->remote;
    pkt->way = c->way;
    if (c->port == NULL || !agw_addr_is_set(&c->remote))
        agw_pkt_drop(pkt, AGW_DROP_NO_DEST);
    else if (!c->has_consent)
        agw_pkt_drop(pkt, AGW_DROP_NO_CONSENT);
    else
        pkt->verdict = AGW_FORWARD;
}

/* --- DTLS ---------------------------------------------------------------------------------------
 */

static agw_outbox *handshake_box(agw_transport *t)
{
    agw_worker *w = t->worker;
    return &w->handshakes[t->name.slot % w->n_handshakes];
}

static void end_dtls(agw_transport *t)
{
    if (t->assoc == NULL)
        return;
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_END, NULL, 0);
    mail->assoc = t->assoc;
    agw_outbox_post(handshake_box(t), mail);
    t->assoc = NULL;
}

/* A number that this worker has not used yet. */
static uint32_t fresh_number(agw_worker *w)
{
    return ++w->last_number;
}

static void start_dtls(agw_transport *t, agw_dtls_role role)
{
    t->name.generation = fresh_number(t->worker); /* late messages of another one find nobody */
    t->assoc = agw_assoc_new(t->worker->index, t->name);
    t->dtls_role = role;
    t->dtls_done = false;
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_START, NULL, 0);
    mail->assoc = t->assoc;
    mail->role = role;
    mail->ask_cookie = role == AGW_DTLS_SERVER && t->worker->now < t->worker->cookies_until;
    mail->context = agw_dtls_ctx_ref(t->call->dtls_ctx);
    agw_outbox_post(handshake_box(t), mail);
}

/* As client we begin, as soon as there is a validated or signalled address to begin with. */
static void start_client(agw_transport *t)
{
    const bool has_way = agw_addr_is_set(&t->component[AGW_RTP_COMPONENT].remote) ||
                         agw_addr_is_set(&t->dtls_remote);
    if (t->security == AGW_SECURITY_DTLS && t->dtls_plan == AGW_DTLS_ACTIVE && t->assoc == NULL &&
        !t->dtls_over && has_way)
        start_dtls(t, AGW_DTLS_CLIENT);
}

static void forget_result(agw_transport *t)
{
    if (t->result != NULL)
        agw_dtls_result_wipe(t->result);
    free(t->result);
    t->result = NULL;
}

/* A new association: the old keys serve until the new ones are there. */
static void restart_dtls(agw_transport *t)
{
    end_dtls(t);
    t->name.generation = fresh_number(t->worker);
    t->dtls_over = false;
    forget_result(t);
}

bool agw_transport_may_take_rtcp(agw_transport *t)
{
    return t->rtcp_per_second == 0 || agw_budget_take(&t->rtcp_budget, t->worker->now,
                                                      AGW_S(1) / t->rtcp_per_second, AGW_S(1));
}

static bool is_source(const agw_transport *t, const agw_addr *signalled, const agw_addr *from)
{
    return agw_branches_is_source(t->source_rule, signalled, from);
}

static int branch_of(const agw_transport *t, const agw_addr *from)
{
    return agw_branches_find(&t->branches, t->source_rule, &t->component[AGW_RTP_COMPONENT].source,
                             from);
}

/* From where a transport takes DTLS and SRTP: validated by ICE, or the signalled address. */
static bool is_from_peer(const agw_transport *t, const agw_pkt *pkt)
{
    const agw_component *c = &t->component[pkt->port->component];
    if (t->shared)
        return true; /* the map of a shared port holds validated addresses only */
    if (t->is_ice)
        return c->ice != NULL && agw_ice_is_valid(c->ice, pkt->port->id, &pkt->remote);
    return is_source(t, &c->source, &pkt->remote) ||
           (t->forked && branch_of(t, &pkt->remote) != AGW_BRANCH_NONE);
}

/* One more datagram for the handshake thread: what a handshake needs, or on account of its source.
 */
static bool may_hand_over(agw_transport *t, const agw_addr *source)
{
    agw_worker *w = t->worker;
    if (!agw_budget_take(&t->dtls_budget, w->now, UNPROVEN_COST, AGW_S(1)))
        return false;
    return agw_budget_take(&t->dtls_free, w->now, FREE_COST, AGW_S(1)) ||
           agw_budgets_take(w->sources, source, w->now, UNPROVEN_COST);
}

/* A peer whose associations fail begins them more slowly. */
static bool may_begin_dtls(const agw_transport *t)
{
    return t->assoc != NULL ||
           agw_budget_has(&t->dtls_failed, t->worker->now, FAILED_COST, FAILED_DEPTH);
}

/* Each transport of a call whose parties have keys between them has one on the other side (see
 * negotiate_links.c). Until the answer there is none: whoever is too early repeats itself. */
static void pass_dtls(agw_pkt *pkt)
{
    agw_transport *t = pkt->transport;
    const agw_media *m = t->n_medias != 0 ? t->medias[0] : NULL;
    agw_transport *to = m != NULL ? m->end[1 - t->side].transport : NULL;
    if (to == NULL || to->security != AGW_SECURITY_PASS) {
        agw_pkt_drop(pkt, AGW_DROP_NO_MEDIA);
        return;
    }
    pkt->tos = to->tos;
    address(to, &to->component[AGW_RTP_COMPONENT], pkt);
}

static void take_dtls(agw_pkt *pkt)
{
    agw_transport *t = pkt->transport;
    const bool is_stray = !is_from_peer(t, pkt);
    const bool passes = t->security == AGW_SECURITY_PASS;
    if (is_stray)
        agw_worker_note_stray(t->worker, pkt);
    if ((t->security != AGW_SECURITY_DTLS && !passes) || t->dtls_over || is_stray ||
        !is_main(t, component_of(t, pkt->port))) {
        agw_pkt_drop(pkt, AGW_DROP_DTLS_UNEXPECTED);
        return;
    }
    if (!may_begin_dtls(t) || !may_hand_over(t, &pkt->remote)) {
        agw_pkt_drop(pkt, AGW_DROP_DTLS_FLOOD);
        return;
    }
    if (passes) {
        pass_dtls(pkt);
        return;
    }
    agw_outbox *box = handshake_box(t);
    if (box->first != NULL) { /* the thread is behind: here nothing bounds what waits */
        agw_pkt_drop(pkt, AGW_DROP_DTLS_FLOOD);
        return;
    }
    t->dtls_remote = pkt->remote;
    t->dtls_port = pkt->port;
    if (t->assoc == NULL)
        start_dtls(t, t->dtls_plan == AGW_DTLS_ACTIVE ? AGW_DTLS_CLIENT : AGW_DTLS_SERVER);
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_DATA, pkt->data, pkt->len);
    mail->assoc = t->assoc;
    agw_outbox_post(box, mail);
    pkt->verdict = AGW_CONSUMED;
}

void agw_transport_take_dtls(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    (void)w;
    for (size_t i = 0; i < n; i++) {
        if (pkts[i]->verdict == AGW_UNDECIDED && pkts[i]->kind == AGW_PKT_DTLS)
            take_dtls(pkts[i]);
    }
}

static agw_srtp_session *make_session(agw_srtp_engine *engine, const agw_dtls_result *r,
                                      bool client, bool egress)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    if (r->key_len + r->salt_len > sizeof key)
        return NULL;
    memcpy(key, client ? r->client_key : r->server_key, r->key_len);
    memcpy(key + r->key_len, client ? r->client_salt : r->server_salt, r->salt_len);
    agw_srtp_session *s =
        agw_srtp_session_new_on(engine, agw_srtp_suite_by_use_srtp_id((uint16_t)r->srtp_profile),
                                key, r->key_len + r->salt_len, egress);
    agw_secret_wipe(key, sizeof key);
    return s;
}

static bool fingerprint_matches(const agw_transport *t)
{
    for (size_t i = 0; i < t->n_fingerprints; i++) {
        if (agw_fingerprint_matches(&t->fingerprints[i], t->result->peer))
            return true;
    }
    return false;
}

static void fail_dtls(agw_transport *t, const char *why)
{
    end_dtls(t);
    t->dtls_over = true;
    agw_counter_add(&t->worker->stats.handshakes_failed, 1);
    agw_worker_tell(t->worker, t, AGW_EVENT_DTLS_FAILED, &t->dtls_remote, why);
}

static void drop_keys(agw_transport *t)
{
    agw_srtp_session_free(t->srtp_in);
    agw_srtp_session_free(t->srtp_out);
    agw_srtp_session_free(t->srtp_next);
    agw_srtp_session_free(t->srtp_last);
    agw_srtp_session_free(t->srtp_out_next);
    t->srtp_in = t->srtp_out = t->srtp_next = t->srtp_last = t->srtp_out_next = NULL;
    t->key_in_epoch = t->key_out_epoch = 0;
    agw_bridge_settle(t);
}

static void leave_dtls(agw_transport *t)
{
    end_dtls(t);
    forget_result(t);
    drop_keys(t);
}

/* false: the old keys stay. */
static bool take_keys(agw_transport *t)
{
    const bool we_are_client = t->result->role == AGW_DTLS_CLIENT;
    agw_srtp_session *in = make_session(t->worker->srtp, t->result, !we_are_client, false);
    agw_srtp_session *out = make_session(t->worker->srtp, t->result, we_are_client, true);
    if (in == NULL || out == NULL) {
        agw_srtp_session_free(in);
        agw_srtp_session_free(out);
        return false;
    }
    drop_keys(t);
    t->srtp_in = in;
    t->srtp_out = out;
    t->peer = fresh_number(t->worker);
    agw_bridge_settle(t);
    return true;
}

static void tell_established(agw_transport *t)
{
    const agw_dtls_result *r = t->result;
    const agw_srtp_suite_info *suite =
        agw_srtp_suite_get(agw_srtp_suite_by_use_srtp_id((uint16_t)r->srtp_profile));
    char detail[120];
    snprintf(detail, sizeof detail, "%s %s %s", r->version, r->cipher,
             suite->sdes != NULL ? suite->sdes : "?");
    agw_counter_add(&t->worker->stats.handshakes_done, 1);
    agw_worker_tell(t->worker, t, AGW_EVENT_DTLS_ESTABLISHED, &t->dtls_remote, detail);
}

/* Keys count only with the certificate that SDP promised (RFC 8122 section 6.2). */
static void use_result(agw_transport *t)
{
    if (t->result == NULL || t->n_fingerprints == 0)
        return; /* the answer with the fingerprint is still to come */
    if (!fingerprint_matches(t)) {
        drop_keys(t); /* older ones are of somebody whom SDP does not name any more */
        fail_dtls(t, "the certificate does not match the fingerprint in SDP");
    } else if (take_keys(t)) {
        tell_established(t);
    } else {
        fail_dtls(t, "no SRTP session can be made of the keys");
    }
    forget_result(t);
}

/* The peer said goodbye: it takes nothing any more, and a new association needs new SDP. */
static void on_closed(agw_transport *t)
{
    leave_dtls(t);
    t->dtls_over = true;
    agw_worker_tell(t->worker, t, AGW_EVENT_DTLS_CLOSED, &t->dtls_remote, NULL);
}

/* As server we hear the next ClientHello: what failed may have been garbage and a timeout. */
static void on_failed(agw_transport *t, const char *why)
{
    const bool may_knock_again = !t->dtls_done && t->dtls_role == AGW_DTLS_SERVER;
    if (t->dtls_done)
        leave_dtls(t);
    (void)agw_budget_take(&t->dtls_failed, t->worker->now, FAILED_COST, FAILED_DEPTH);
    fail_dtls(t, why);
    t->dtls_over = !may_knock_again;
}

static void send_dtls(agw_transport *t, const agw_mail *mail)
{
    const agw_component *c = &t->component[AGW_RTP_COMPONENT];
    const bool is_selected = agw_addr_is_set(&c->remote);
    agw_port *port = is_selected ? c->port : t->dtls_port;
    if (port == NULL || mail->len > AGW_PKT_MAX || (is_selected && !c->has_consent))
        return;
    agw_pkt *pkt = agw_worker_packet(t->worker);
    if (pkt == NULL)
        return; /* lost like any datagram: DTLS repeats it */
    memcpy(pkt->data, mail->data, mail->len);
    pkt->len = mail->len;
    pkt->kind = AGW_PKT_DTLS;
    pkt->tos = t->tos;
    pkt->port = port;
    pkt->remote = is_selected ? c->remote : t->dtls_remote;
    pkt->verdict = AGW_FORWARD;
}

static void on_done(agw_transport *t, agw_mail *mail)
{
    forget_result(t);
    t->result = mail->result;
    mail->result = NULL;
    t->dtls_done = true;
    use_result(t);
}

void agw_transport_on_mail(agw_transport *t, agw_mail *mail)
{
    if (mail->kind == AGW_MAIL_DTLS_SEND)
        send_dtls(t, mail);
    else if (t->assoc == NULL)
        return; /* it ended while this was on its way */
    else if (mail->kind == AGW_MAIL_DTLS_DONE)
        on_done(t, mail);
    else if (mail->kind == AGW_MAIL_DTLS_FAILED)
        on_failed(t, (const char *)mail->data);
    else if (mail->kind == AGW_MAIL_DTLS_CLOSED)
        on_closed(t);
    else
        AGW_ASSERT(!"a message that transports do not take");
}

/* --- SRTP and trust ----------------------------------------------------------------------------
 */

static agw_drop srtp_drop(agw_err err)
{
    switch (err) {
    case AGW_ERR_AUTH:
        return AGW_DROP_SRTP_AUTH;
    case AGW_ERR_REPLAY:
        return AGW_DROP_SRTP_REPLAY;
    case AGW_ERR_LIMIT:
        return AGW_DROP_SRTP_SSRC;
    default:
        return AGW_DROP_RTP_MALFORMED;
    }
}

/* RTP of a stage on its way through agw_srtp_batch_*(), with what is done to a packet after it. */
typedef struct srtp_batch {
    agw_worker *worker;
    void (*run)(agw_srtp_engine *e, agw_srtp_op ops[], size_t n);
    void (*after)(agw_worker *w, agw_pkt *pkt, const agw_srtp_op *op);
    agw_srtp_op ops[AGW_PKT_BATCH];
    agw_pkt *pkts[AGW_PKT_BATCH];
    size_t n;
} srtp_batch;

static void run_batch(srtp_batch *b)
{
    b->run(b->worker->srtp, b->ops, b->n);
    for (size_t i = 0; i < b->n; i++)
        b->after(b->worker, b->pkts[i], &b->ops[i]);
    b->n = 0;
}

static void add_to_batch(srtp_batch *b, agw_srtp_session *s, agw_pkt *pkt, size_t room)
{
    if (b->n == AGW_PKT_BATCH)
        run_batch(b);
    b->ops[b->n] = (agw_srtp_op){.session = s, .data = pkt->data, .len = pkt->len, .room = room};
    b->pkts[b->n] = pkt;
    b->n++;
}

static void after_unprotect(agw_worker *w, agw_pkt *pkt, const agw_srtp_op *op)
{
    (void)w;
    pkt->len = op->len;
    if (op->err != AGW_OK)
        agw_pkt_drop(pkt, srtp_drop(op->err));
}

static agw_err unprotect_one(agw_srtp_session *s, agw_pkt *pkt)
{
    if (pkt->kind == AGW_PKT_RTCP)
        return agw_srtp_unprotect_rtcp(s, pkt->data, &pkt->len);
    return agw_srtp_unprotect(s, pkt->data, &pkt->len);
}

static void end_key_change(agw_transport *t)
{
    if (t->srtp_next == NULL)
        return;
    agw_srtp_session_free(t->srtp_last);
    t->srtp_in = t->srtp_next;
    t->srtp_next = t->srtp_last = NULL;
}

/* A failed attempt leaves the bytes useless, so the next one works on a copy. */
typedef struct pkt_copy {
    size_t len;
    uint8_t data[AGW_PKT_MAX];
} pkt_copy;

static agw_err try_again(agw_srtp_session *s, agw_pkt *pkt, const pkt_copy *copy)
{
    memcpy(pkt->data, copy->data, copy->len);
    pkt->len = copy->len;
    return unprotect_one(s, pkt);
}

/* The new key with the old key's roll-over counter. */
static bool try_to_follow(agw_transport *t, agw_pkt *pkt, const pkt_copy *copy)
{
    if (pkt->kind != AGW_PKT_RTP || copy->len < AGW_RTP_HEADER_MIN)
        return false;
    const uint16_t seq = agw_get16(copy->data + 2);
    const uint32_t ssrc = agw_get32(copy->data + 8);
    uint32_t roc;
    if (!agw_srtp_session_may_follow(t->srtp_next, t->srtp_last, ssrc, seq, &roc) ||
        agw_srtp_session_set_roc(t->srtp_next, ssrc, roc) != AGW_OK)
        return false;
    const bool follows = try_again(t->srtp_next, pkt, copy) == AGW_OK;
    if (!follows)
        AGW_ASSERT(agw_srtp_session_set_roc(t->srtp_next, ssrc, 0) == AGW_OK);
    return follows;
}

/* Whoever uses its new key has our answer. Only its RTP ends the change: the roll-over counter that
 * it may go on from is the old key's until then. */
static void hear_next_key(agw_transport *t, uint8_t kind)
{
    const agw_ns late = t->worker->now + OLD_KEY_LATE;
    if (kind == AGW_PKT_RTP) {
        t->srtp_last_until = agw_earlier(t->srtp_last_until, late);
        t->srtp_next_heard = true;
    }
    if (t->srtp_out_next != NULL)
        use_next_key_out(t);
}

static agw_err unprotect_changing(agw_transport *t, agw_pkt *pkt)
{
    const bool is_over = t->worker->now >= t->srtp_last_until;
    pkt_copy copy;
    copy.len = pkt->len;
    memcpy(copy.data, pkt->data, pkt->len);
    agw_err err = unprotect_one(t->srtp_next, pkt);
    if (err == AGW_ERR_AUTH && try_to_follow(t, pkt, &copy))
        err = AGW_OK;
    if (err == AGW_OK)
        hear_next_key(t, pkt->kind);
    else if (!is_over && try_again(t->srtp_last, pkt, &copy) == AGW_OK)
        err = AGW_OK;
    if (is_over && t->srtp_next_heard)
        end_key_change(t);
    return err;
}

/* The rare ways: without batch. */
static void unprotect_alone(agw_transport *t, agw_pkt *pkt)
{
    if (t->srtp_in == NULL && t->srtp_next == NULL) {
        agw_pkt_drop(pkt, AGW_DROP_NO_KEYS);
        return;
    }
    const agw_err err =
        t->srtp_in != NULL ? unprotect_one(t->srtp_in, pkt) : unprotect_changing(t, pkt);
    if (err != AGW_OK)
        agw_pkt_drop(pkt, srtp_drop(err));
}

/* A phone behind a NAT may come from elsewhere in the middle of a call: its address was given to
 * another one, or its network changed. So may an attacker. The former source must have been silent,
 * and only who heard it knows how its stream goes on. */
static bool may_latch_again(const agw_transport *t, const agw_component *c, const agw_pkt *pkt)
{
    const agw_ns now = t->worker->now;
    const bool plain = !has_keys(t);
    if (agw_addr_equal(&c->source, &pkt->remote))
        return false;
    if (t->latch_rule == AGW_LATCH_HANDOVER)
        return now - c->latched_at >= LATCH_EVERY;
    if (now - (plain ? c->heard_at : t->last_rx_at) < LATCH_SILENT)
        return false;
    return !is_main(t, c) || agw_bridge_goes_on(t, pkt); /* RTCP follows RTP, see below */
}

static bool may_latch(agw_transport *t, const agw_component *c, const agw_pkt *pkt)
{
    const agw_component *rtp = &t->component[AGW_RTP_COMPONENT];
    if (t->latch_rule == AGW_LATCH_NEVER || t->is_ice)
        return false;
    if (t->latch_rule == AGW_LATCH_WAIT && (c->latched || !is_from_peer(t, pkt)))
        return false;
    if (c->latched && !may_latch_again(t, c, pkt))
        return false;
    if (!is_main(t, c) && !(rtp->latched && agw_addr_ip_equal(&rtp->remote, &pkt->remote)))
        return false; /* RTCP comes from where RTP does: it is too easily written */
    return agw_bridge_expects(t, pkt);
}

static void latch(agw_transport *t, agw_component *c, const agw_pkt *pkt)
{
    if (c->latched && is_main(t, c))
        t->peer = fresh_number(t->worker); /* maybe another phone: it wants a key frame */
    c->latched = true;
    c->latched_at = c->heard_at = t->worker->now;
    c->port = pkt->port;
    c->remote = pkt->remote;
    c->source = pkt->remote;
    follow_flow(t, c);
    agw_worker_tell(t->worker, t, AGW_EVENT_LATCHED, &pkt->remote, NULL);
    agw_bridge_settle(t);
}

static void note_heard(const agw_transport *t, agw_component *c, const agw_pkt *pkt)
{
    if (agw_addr_equal(&c->source, &pkt->remote))
        c->heard_at = t->worker->now;
}

/* Kept for a moment, while the SDP that lets it in may be on its way; else dropped. */
static void set_aside(agw_transport *t, agw_pkt *pkt, size_t room, agw_drop why)
{
    agw_worker *w = t->worker;
    agw_component *c = component_of(t, pkt->port);
    if (!t->hold_strangers || !agw_early_hold(w->early, &c->early, room, pkt, why, w->now)) {
        agw_pkt_drop(pkt, why);
        return;
    }
    pkt->verdict = AGW_CONSUMED;
    if (c->early.n == 1)
        agw_transport_set_timer(t);
}

/* Early media may come before the SDP that names its source. */
static void refuse_source(agw_transport *t, agw_pkt *pkt)
{
    set_aside(t, pkt, AGW_EARLY_PER_PORT, AGW_DROP_WRONG_SOURCE);
}

/* RTCP comes from the port above that of RTP (RFC 3550 section 11), or is the newest branch's. */
static int branch_of_rtcp(const agw_transport *t, const agw_pkt *pkt)
{
    agw_addr rtp = pkt->remote;
    if (!t->rtcp_mux && rtp.port > 1)
        rtp.port--;
    return branch_of(t, &rtp);
}

static bool hears_rtcp(const agw_transport *t, agw_pkt *pkt)
{
    const int branch = branch_of_rtcp(t, pkt);
    const bool heard =
        branch == AGW_BRANCH_NONE || agw_branches_is_heard(&t->branches, branch, t->worker->now);
    if (!heard)
        agw_pkt_drop(pkt, AGW_DROP_OTHER_BRANCH);
    return heard;
}

bool agw_transport_hears(agw_transport *t, agw_pkt *pkt)
{
    if (pkt->kind == AGW_PKT_RTCP)
        return hears_rtcp(t, pkt);
    const int branch = branch_of(t, &pkt->remote);
    bool heard = true;
    if (branch == AGW_BRANCH_NONE)
        return true; /* latched elsewhere, or where the party was before */
    if (agw_branches_take(&t->branches, branch, t->worker->now, &heard))
        agw_bridge_take_over(t);
    if (heard)
        return true;
    if (t->security == AGW_SECURITY_PLAIN) /* as it came: it can be taken again */
        set_aside(t, pkt, AGW_EARLY_PER_PORT * (1u + t->branches.n), AGW_DROP_OTHER_BRANCH);
    else
        agw_pkt_drop(pkt, AGW_DROP_OTHER_BRANCH);
    return false;
}

/* From a known IP address, but from a port and with a payload type that nobody has named: another
 * branch behind the same node, perhaps, whose SDP is late. */
static bool overtakes(const agw_transport *t, const agw_pkt *pkt)
{
    return pkt->kind == AGW_PKT_RTP &&
           !agw_addr_equal(&t->component[AGW_RTP_COMPONENT].source, &pkt->remote) && /* as a rule */
           !agw_branches_is_named(&t->branches, &pkt->remote) && !agw_bridge_expects(t, pkt);
}

/* Whether a packet that was kept is taken by now: the same question that refused it. */
static bool is_let_in(const void *owner, const agw_pkt *pkt)
{
    const agw_transport *t = owner;
    if (pkt->kind == AGW_PKT_RTCP)
        return is_from_peer(t, pkt);
    const int branch = branch_of(t, &pkt->remote);
    return branch != AGW_BRANCH_NONE && !overtakes(t, pkt) &&
           agw_branches_is_heard(&t->branches, branch, t->worker->now);
}

size_t agw_transport_take_early(agw_transport *t, agw_pkt *const pkts[], size_t n)
{
    size_t taken = 0;
    for (size_t i = 0; i < 2; i++)
        taken += agw_early_take(t->worker->early, &t->component[i].early, is_let_in, t,
                                pkts + taken, n - taken);
    if (taken != 0)
        agw_transport_set_timer(t);
    return taken;
}

/* Plain RTP has no other proof than its source; learning happens only where control asked for it.
 */
static void check_plain(agw_transport *t, agw_pkt *pkt)
{
    agw_component *c = component_of(t, pkt->port);
    if (c->latched)
        note_heard(t, c, pkt);
    if (may_latch(t, c, pkt))
        latch(t, c, pkt);
    else if (!is_from_peer(t, pkt) || (t->hold_strangers && overtakes(t, pkt)))
        refuse_source(t, pkt);
}

/* From elsewhere than signalled: only what is authentic may teach an address. */
static void unprotect_stray(agw_transport *t, agw_pkt *pkt)
{
    agw_component *c = component_of(t, pkt->port);
    if (t->security != AGW_SECURITY_SDES || !may_latch(t, c, pkt)) {
        refuse_source(t, pkt);
        return;
    }
    unprotect_alone(t, pkt);
    if (pkt->verdict == AGW_UNDECIDED)
        latch(t, c, pkt);
}

static void unprotect_srtp(agw_transport *t, agw_pkt *pkt, srtp_batch *batch)
{
    const agw_component *c = component_of(t, pkt->port);
    if (!is_from_peer(t, pkt) || (c->latched && may_latch(t, c, pkt)))
        unprotect_stray(t, pkt);
    else if (t->srtp_in == NULL || pkt->kind == AGW_PKT_RTCP)
        unprotect_alone(t, pkt);
    else
        add_to_batch(batch, t->srtp_in, pkt, 0);
}

static bool right_port(agw_transport *t, const agw_pkt *pkt)
{
    if (t->rtcp_mux)
        return component_of(t, pkt->port) == &t->component[AGW_RTP_COMPONENT];
    return (component_of(t, pkt->port) == &t->component[AGW_RTCP_COMPONENT]) ==
           (pkt->kind == AGW_PKT_RTCP);
}

static void unprotect(agw_pkt *pkt, srtp_batch *batch)
{
    agw_transport *t = pkt->transport;
    if (!right_port(t, pkt)) {
        agw_pkt_drop(pkt, AGW_DROP_WRONG_PORT);
        return;
    }
    if (!has_keys(t))
        check_plain(t, pkt);
    else
        unprotect_srtp(t, pkt, batch);
}

void agw_transport_unprotect(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    srtp_batch batch;
    batch.worker = w;
    batch.run = agw_srtp_batch_unprotect;
    batch.after = after_unprotect;
    batch.n = 0;
    for (size_t i = 0; i < n; i++) {
        if (pkts[i]->verdict == AGW_UNDECIDED)
            unprotect(pkts[i], &batch);
    }
    run_batch(&batch);
}

static void after_protect(agw_worker *w, agw_pkt *pkt, const agw_srtp_op *op)
{
    const size_t plain_len = pkt->len;
    pkt->len = op->len;
    if (op->err != AGW_OK)
        agw_pkt_drop(pkt, AGW_DROP_PROTECT);
    else
        agw_bridge_count_sent(w, pkt, plain_len);
}

static void protect_rtcp(agw_worker *w, agw_pkt *pkt, size_t room)
{
    agw_srtp_op op = {.session = pkt->transport->srtp_out, .len = pkt->len};
    op.err = agw_srtp_protect_rtcp(op.session, pkt->data, &op.len, room);
    after_protect(w, pkt, &op);
}

static void protect(agw_worker *w, agw_pkt *pkt, srtp_batch *batch)
{
    const agw_transport *t = pkt->transport;
    const size_t room = agw_pkt_room(pkt);
    if (!has_keys(t))
        agw_bridge_count_sent(w, pkt, pkt->len);
    else if (t->srtp_out == NULL)
        agw_pkt_drop(pkt, AGW_DROP_NO_DEST); /* the keys went while it was on its way */
    else if (pkt->kind == AGW_PKT_RTCP)
        protect_rtcp(w, pkt, room);
    else
        add_to_batch(batch, t->srtp_out, pkt, room);
}

static bool is_media(const agw_pkt *pkt)
{
    return pkt->kind == AGW_PKT_RTP || pkt->kind == AGW_PKT_RTCP;
}

void agw_transport_protect(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    srtp_batch batch;
    batch.worker = w;
    batch.run = agw_srtp_batch_protect;
    batch.after = after_protect;
    batch.n = 0;
    for (size_t i = 0; i < n; i++) {
        if (pkts[i]->verdict == AGW_FORWARD && is_media(pkts[i]))
            protect(w, pkts[i], &batch);
    }
    run_batch(&batch);
}

/* --- the way out --------------------------------------------------------------------------------
 */

bool agw_transport_can_send(const agw_transport *t, agw_drop *why)
{
    const agw_component *c = &t->component[AGW_RTP_COMPONENT];
    *why = AGW_DROP_NO_DEST;
    if (!agw_addr_is_set(&c->remote) || c->port == NULL)
        return false;
    if (has_keys(t) && t->srtp_out == NULL)
        return false;
    *why = AGW_DROP_NO_CONSENT;
    return c->has_consent;
}

bool agw_transport_can_take(const agw_transport *t)
{
    return !has_keys(t) || t->srtp_out != NULL; /* keys come in pairs */
}

void agw_transport_want_tos(agw_transport *t)
{
    const agw_component *c = &t->component[AGW_RTP_COMPONENT];
    for (size_t i = 0; i < 2; i++) {
        if (c->ports[i] != NULL && agw_port_want_tos(c->ports[i]) != AGW_OK)
            agw_log(AGW_LOG_WARN, t->call->tag, "DSCP of received packets is not seen");
    }
}

void agw_transport_address(agw_transport *t, agw_pkt *pkt)
{
    const bool on_rtcp_port = pkt->kind == AGW_PKT_RTCP && !t->rtcp_mux;
    const agw_component *c = &t->component[on_rtcp_port ? AGW_RTCP_COMPONENT : AGW_RTP_COMPONENT];
    const agw_end *to = &pkt->media->end[t->side];
    if (!to->tos_copy || pkt->kind == AGW_PKT_RTCP)
        pkt->tos = to->tos != 0 ? to->tos : t->tos;
    address(t, c, pkt);
}

void agw_transport_on_icmp(agw_transport *t, const agw_icmp *icmp)
{
    if (t->icmp_told_at != 0 && t->worker->now - t->icmp_told_at < ICMP_EVERY)
        return;
    char detail[40];
    t->icmp_told_at = t->worker->now;
    snprintf(detail, sizeof detail, "ICMP type %u code %u", icmp->type, icmp->code);
    agw_worker_tell(t->worker, t, AGW_EVENT_BEARER_REFUSED, &icmp->remote, detail);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void add_candidate(agw_ice *ice, const agw_port *port, uint16_t component)
{
    const agw_family family = (agw_family)port->local.family;
    const uint16_t preference = agw_candidate_preference(family);
    AGW_ASSERT(agw_ice_add_local(
                   ice, port->id, family,
                   agw_candidate_priority(AGW_CANDIDATE_HOST, preference, component),
                   agw_candidate_priority(AGW_CANDIDATE_PRFLX, preference, component)) == AGW_OK);
}

static void add_passive(agw_ice *ice, const agw_port *port, uint16_t component)
{
    const agw_family family = (agw_family)port->local.family;
    AGW_ASSERT(agw_ice_add_passive(
                   ice, port->id, family,
                   agw_candidate_tcp_priority(AGW_CANDIDATE_HOST, family, component),
                   agw_candidate_tcp_priority(AGW_CANDIDATE_PRFLX, family, component)) == AGW_OK);
}

static agw_ice *make_agent(const agw_transport *t, const agw_component *c,
                           const agw_transport_plan *plan)
{
    const uint32_t component = is_main(t, c) ? AGW_RTP_COMPONENT : AGW_RTCP_COMPONENT;
    agw_ice_config config = {
        .lite = !plan->ice_full,
        .controlling = plan->ice_controlling,
        .id_prefix = agw_demux_id_prefix(t->name.slot, component),
        .local_ufrag = plan->local_ufrag,
        .local_pwd = plan->local_pwd,
        .now = t->worker->now,
    };
    if (plan->ice_full)
        agw_rand_draw(&t->worker->random, config.seed, sizeof config.seed);
    agw_ice *ice = agw_ice_new(&config);
    for (size_t i = 0; i < 2 && ice != NULL && plan->ice_full; i++) {
        if (c->ports[i] != NULL)
            add_candidate(ice, c->ports[i], (uint16_t)(component + 1));
        if (c->ports[AGW_TCP_PORTS + i] != NULL)
            add_passive(ice, c->ports[AGW_TCP_PORTS + i], (uint16_t)(component + 1));
    }
    return ice;
}

static agw_err add_port(agw_transport *t, agw_component *c, agw_port *port, size_t family)
{
    if (port == NULL)
        return AGW_OK;
    c->ports[family] = port;
    if (t->shared)
        return AGW_OK; /* the worker reads it already */
    port->component = is_main(t, c) ? AGW_RTP_COMPONENT : AGW_RTCP_COMPONENT;
    if (c->port == NULL)
        c->port = port;
    port->owner = t;
    return agw_io_add(t->worker->io, port);
}

static agw_err open_components(agw_transport *t, const agw_transport_plan *plan,
                               const agw_resource *res)
{
    agw_err err = AGW_OK;
    for (size_t family = 0; family < 2 && err == AGW_OK; family++) {
        err = add_port(t, &t->component[AGW_RTP_COMPONENT], res->rtp[family], family);
        if (err == AGW_OK)
            err = add_port(t, &t->component[AGW_RTCP_COMPONENT], res->rtcp[family], family);
        t->component[AGW_RTP_COMPONENT].ports[AGW_TCP_PORTS + family] = res->tcp[family];
    }
    snprintf(t->local_ufrag, sizeof t->local_ufrag, "%.*s", AGW_UFRAG_LEN, plan->local_ufrag);
    for (size_t i = 0; i < 2 && err == AGW_OK && plan->ice; i++) {
        agw_component *c = &t->component[i];
        if (c->ports[0] == NULL && c->ports[1] == NULL)
            continue;
        c->ice = make_agent(t, c, plan);
        if (c->ice == NULL)
            err = AGW_ERR_MALFORMED;
    }
    return err;
}

static void close_component(agw_transport *t, agw_component *c)
{
    c->remote = (agw_addr){0};
    follow_flow(t, c);
    drop_early(t, c, AGW_NEVER);
    for (size_t family = 0; family < 2 && !t->shared; family++) {
        agw_port *port = c->ports[family];
        if (port == NULL)
            continue;
        if (port->io != NULL)
            agw_io_remove(t->worker->io, port);
        port->owner = NULL;
    }
    agw_ice_free(c->ice);
    *c = (agw_component){0};
}

static void close_components(agw_transport *t)
{
    close_component(t, &t->component[AGW_RTP_COMPONENT]);
    close_component(t, &t->component[AGW_RTCP_COMPONENT]);
}

agw_transport *agw_transport_new(agw_worker *w, struct agw_call *call,
                                 const agw_transport_plan *plan, const agw_resource *resource)
{
    agw_transport *t = agw_heap_lines(sizeof *t);
    AGW_ASSERT(t != NULL);
    t->worker = w;
    t->call = call;
    t->id = plan->id;
    t->name = (agw_transport_name){resource->slot, fresh_number(w)};
    t->peer = fresh_number(w);
    t->timer.owner = t;
    t->shared = resource->shared;
    t->side = plan->side;
    t->is_ice = plan->ice;
    t->dtls_epoch = plan->dtls_epoch;
    w->slots[t->name.slot] = t;
    agw_counter_add(&w->stats.transports, 1);
    if (open_components(t, plan, resource) != AGW_OK) {
        agw_log(AGW_LOG_ERROR, call->tag, "a transport cannot be opened");
        close_components(t);
    }
    agw_transport_apply(t, plan);
    return t;
}

/* true: new credentials, on either side. */
static bool apply_credentials(agw_transport *t, agw_ice *ice, const agw_transport_plan *plan)
{
    const agw_ns now = t->worker->now;
    const char *ufrag = plan->remote_ufrag, *pwd = plan->remote_pwd;
    bool restart = strcmp(plan->local_ufrag, t->local_ufrag) != 0;
    agw_err err = AGW_OK;
    if (!restart && ufrag != NULL)
        err = agw_ice_set_remote(ice, now, ufrag, pwd);
    restart =
        restart || err == AGW_ERR_STATE; /* another browser answers: the newest answer counts */
    if (restart)
        err = agw_ice_restart(ice, now, plan->local_ufrag, plan->local_pwd, ufrag, pwd);
    if (err != AGW_OK)
        agw_log(AGW_LOG_WARN, t->call->tag, "ICE credentials not taken: %s", agw_err_text(err));
    return restart && err == AGW_OK;
}

/* A stranger's loopback is not ours. */
static bool may_check(const agw_component *c, const agw_addr *remote)
{
    const agw_port *port = c->ports[remote->family == AGW_FAMILY_IP6];
    return port != NULL && agw_addr_is_loopback(remote) <= agw_addr_is_loopback(&port->local);
}

static void apply_candidates(agw_component *c, const agw_transport_plan *plan, uint16_t component)
{
    for (size_t i = 0; i < plan->n_candidates; i++) {
        const agw_candidate_plan *candidate = &plan->candidates[i];
        if (candidate->component == component && may_check(c, &candidate->addr))
            (void)agw_ice_add_remote(c->ice, &candidate->addr, candidate->priority);
    }
}

static bool apply_ice(agw_transport *t, const agw_transport_plan *plan)
{
    bool restarted = false;
    for (size_t i = 0; i < 2; i++) {
        if (t->component[i].ice == NULL)
            continue;
        restarted |= apply_credentials(t, t->component[i].ice, plan);
        apply_candidates(&t->component[i], plan, (uint16_t)(i + 1));
    }
    snprintf(t->local_ufrag, sizeof t->local_ufrag, "%.*s", AGW_UFRAG_LEN, plan->local_ufrag);
    return restarted;
}

/* The answer has no ICE: from now on the signalled address counts. */
static void leave_ice(agw_transport *t)
{
    t->is_ice = t->selected_untold = false;
    for (size_t i = 0; i < 2; i++) {
        agw_component *c = &t->component[i];
        agw_ice_free(c->ice);
        c->ice = NULL;
        c->remote = (agw_addr){0};
        follow_flow(t, c);
    }
    t->dtls_port = NULL;
    t->dtls_remote = (agw_addr){0};
}

static void apply_remote(agw_transport *t, agw_component *c, const agw_addr *remote)
{
    if (agw_addr_equal(&c->signalled, remote))
        return; /* unchanged: a latched address stays */
    agw_port *port = c->ports[remote->family == AGW_FAMILY_IP6];
    c->signalled = *remote;
    if (agw_addr_is_set(remote))
        c->source = *remote; /* who says 0.0.0.0 goes on to send from where it was */
    c->remote = port != NULL && t->latch_rule != AGW_LATCH_WAIT ? *remote : (agw_addr){0};
    c->port = port;
    c->latched = false;
    follow_flow(t, c);
    if (is_main(t, c))
        t->peer = fresh_number(t->worker);
}

static bool wrong_role(const agw_transport *t)
{
    const agw_dtls_role role = t->dtls_plan == AGW_DTLS_ACTIVE ? AGW_DTLS_CLIENT : AGW_DTLS_SERVER;
    return t->assoc != NULL && !t->dtls_done && t->dtls_role != role;
}

/* true: they are others. */
static bool apply_fingerprints(agw_transport *t, const agw_transport_plan *plan)
{
    const size_t size = plan->n_fingerprints * sizeof *t->fingerprints;
    if (plan->n_fingerprints == t->n_fingerprints &&
        (size == 0 || memcmp(plan->fingerprints, t->fingerprints, size) == 0))
        return false;
    free(t->fingerprints);
    t->n_fingerprints = plan->n_fingerprints;
    t->fingerprints = size != 0 ? malloc(size) : NULL;
    AGW_ASSERT((t->fingerprints != NULL) == (size != 0));
    if (size != 0)
        memcpy(t->fingerprints, plan->fingerprints, size);
    return true;
}

/* restarted: ICE has begun anew, so DTLS may try again, too. */
static void apply_dtls(agw_transport *t, const agw_transport_plan *plan, bool restarted)
{
    const bool other_peer = apply_fingerprints(t, plan);
    t->dtls_plan = plan->dtls;
    if (plan->dtls_epoch != t->dtls_epoch || wrong_role(t))
        restart_dtls(t);
    t->dtls_epoch = plan->dtls_epoch;
    if (other_peer || restarted)
        t->dtls_over = false;
    start_client(t);
    use_result(t);
}

/* --- keys of a=crypto ---------------------------------------------------------------------------
 */

static agw_srtp_session *session_of(const agw_transport *t, const agw_key_plan *key, bool egress)
{
    const agw_srtp_suite suite = (agw_srtp_suite)key->suite;
    return agw_srtp_session_new_on(t->worker->srtp, suite, key->key, agw_sdes_key_len(suite),
                                   egress);
}

/* false: memory is short. */
static bool take_key_in(agw_transport *t, const agw_key_plan *key)
{
    agw_srtp_session *session = session_of(t, key, false);
    if (session == NULL)
        return false;
    end_key_change(t);
    t->key_in_epoch = key->epoch;
    if (t->srtp_in == NULL) {
        t->srtp_in = session;
        return true;
    }
    t->srtp_last = t->srtp_in;
    t->srtp_next = session;
    t->srtp_in = NULL;
    t->srtp_last_until = t->worker->now + OLD_KEY_ANSWERED;
    t->srtp_next_heard = false;
    return true;
}

static void use_next_key_out(agw_transport *t)
{
    if (t->srtp_out != NULL && agw_srtp_session_follow(t->srtp_out_next, t->srtp_out) != AGW_OK)
        agw_log(AGW_LOG_ERROR, t->call->tag, "roll-over counters are lost with the old key");
    agw_srtp_session_free(t->srtp_out);
    t->srtp_out = t->srtp_out_next;
    t->srtp_out_next = NULL;
    t->peer = fresh_number(t->worker);
}

static bool take_key_out(agw_transport *t, const agw_key_plan *key)
{
    agw_srtp_session *session = session_of(t, key, true);
    if (session == NULL)
        return false;
    agw_srtp_session_free(t->srtp_out_next);
    t->srtp_out_next = session;
    t->srtp_out_at = t->worker->now + NEW_KEY_LATEST;
    t->key_out_epoch = key->epoch;
    if (t->srtp_out == NULL || key->told)
        use_next_key_out(t);
    return true;
}

static void apply_sdes(agw_transport *t, const agw_transport_plan *plan)
{
    const agw_key_plan *in = &plan->key_in, *out = &plan->key_out;
    bool ok = true;
    if (in->epoch == 0 || out->epoch == 0)
        return; /* the answer with the peer's key is still to come */
    if (in->epoch != t->key_in_epoch)
        ok = take_key_in(t, in);
    if (ok && out->epoch != t->key_out_epoch)
        ok = take_key_out(t, out);
    if (!ok) {
        agw_log(AGW_LOG_ERROR, t->call->tag, "no SRTP session can be made of the keys");
        drop_keys(t);
    }
    agw_bridge_settle(t);
}

static void apply_security(agw_transport *t, const agw_transport_plan *plan, bool restarted)
{
    if (t->security == AGW_SECURITY_DTLS)
        apply_dtls(t, plan, restarted);
    else if (t->security == AGW_SECURITY_SDES)
        apply_sdes(t, plan);
}

static void apply_branches(agw_transport *t, const agw_transport_plan *plan)
{
    t->hold_strangers = plan->hold_strangers && !plan->ice;
    agw_branches_apply(&t->branches, plan);
    t->forked = agw_branches_forked(&t->branches) && !plan->ice;
}

void agw_transport_apply(agw_transport *t, const agw_transport_plan *plan)
{
    bool restarted = false;
    if (t->security != plan->security)
        leave_dtls(t);
    t->security = plan->security;
    t->rtcp_mux = plan->rtcp_mux;
    t->tos = plan->tos;
    t->rtcp_per_second = plan->rtcp_per_second;
    t->source_rule = plan->source_rule;
    t->latch_rule = plan->latch_rule;
    apply_branches(t, plan);
    if (t->is_ice && !plan->ice && !t->shared)
        leave_ice(t);
    if (t->is_ice) {
        restarted = apply_ice(t, plan);
    } else {
        apply_remote(t, &t->component[AGW_RTP_COMPONENT], &plan->remote_rtp);
        apply_remote(t, &t->component[AGW_RTCP_COMPONENT], &plan->remote_rtcp);
    }
    for (size_t i = 0; i < 2; i++)
        note_consent(&t->component[i]);
    apply_security(t, plan, restarted);
    agw_transport_set_timer(t);
}

void agw_transport_free(agw_transport *t)
{
    agw_worker *w = t->worker;
    leave_dtls(t);
    while (t->n_remotes > 0) {
        const agw_remote_key last = t->remotes[t->n_remotes - 1];
        leave_remote(t, &last);
    }
    agw_timerq_cancel(&w->timers, &t->timer);
    close_components(t);
    w->slots[t->name.slot] = NULL;
    agw_counter_add(&w->stats.transports, (uint64_t)-1);
    agw_mail *mail = agw_mail_new(AGW_MAIL_TRANSPORT_GONE, NULL, 0);
    mail->ref = t->call->ref;
    mail->id = t->id;
    agw_outbox_post(&w->control, mail);
    agw_branches_fini(&t->branches);
    free(t->remotes);
    free(t->fingerprints);
    free(t);
}
