/* SPDX-License-Identifier: BSD-3-Clause
 * Two agents and a network between them on virtual time: latency, loss, a NAT, addresses that do
 * not reach each other. Nothing here reads a clock; random numbers come from a seed. */
#ifndef AGW_TESTS_ICE_NET_H
#define AGW_TESTS_ICE_NET_H

#include "ice/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NET_QUEUE = 512, NET_PORTS = 2, NET_SENT = 256 };

typedef struct net_datagram {
    agw_ns at;
    int to, port; /* node and its port */
    agw_addr from;
    size_t len;
    uint8_t data[AGW_STUN_CHECK_MAX];
} net_datagram;

/* One party. Port i is known to its agent by the number i + 1. */
typedef struct net_node {
    agw_ice *ice;
    const char *answers;     /* without an agent: the password by which it answers every check */
    agw_addr own[NET_PORTS]; /* what it signals; family none = no such port */
    agw_addr outside[NET_PORTS]; /* what others see: differs behind a NAT */
    bool is_cut[NET_PORTS];      /* nothing comes or goes */
    agw_ice_pair selected;
    size_t selections, connects, restarts, lost, back, failed;
    agw_ns selected_at, lost_at;
    agw_ns timers_at; /* when something was due the last time */
    size_t n_sent;    /* checks of its own */
    agw_ns sent_at[NET_SENT];
    agw_ns consent_at;
} net_node;

typedef struct net {
    agw_ns now, latency;
    unsigned loss; /* percent, each way */
    uint32_t random;
    net_node node[2];
    net_datagram queue[NET_QUEUE];
    size_t n;
} net;

static inline uint32_t net_random(net *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random >> 8;
}

static inline agw_addr net_addr(const char *text)
{
    agw_addr a;
    AGW_ASSERT(agw_addr_parse(&a, text) == AGW_OK);
    return a;
}

static inline void net_init(net *w, uint32_t seed)
{
    memset(w, 0, sizeof *w);
    w->now = AGW_S(100);
    w->latency = AGW_MS(20);
    w->random = seed;
}

static inline void net_place(net *w, int who, int port, const char *own, const char *outside)
{
    w->node[who].own[port] = net_addr(own);
    w->node[who].outside[port] = net_addr(outside != NULL ? outside : own);
}

/* Priorities as control writes them: IPv6 a little before IPv4. */
static inline uint32_t net_priority(const agw_addr *a, uint32_t type)
{
    return type << 24 | (a->family == AGW_FAMILY_IP6 ? 65535u : 65534u) << 8 | 255u;
}

static inline void net_start(net *w, int who, agw_ice_config config)
{
    net_node *n = &w->node[who];
    config.now = w->now;
    config.id_prefix = 0x1000u + (uint32_t)who;
    for (size_t i = 0; i < sizeof config.seed; i++)
        config.seed[i] = (uint8_t)net_random(w);
    n->ice = agw_ice_new(&config);
    AGW_ASSERT(n->ice != NULL);
    for (uint32_t i = 0; i < NET_PORTS; i++) {
        if (!agw_addr_is_set(&n->own[i]))
            continue;
        AGW_ASSERT(agw_ice_add_local(n->ice, i + 1, (agw_family)n->own[i].family,
                                     net_priority(&n->own[i], 126),
                                     net_priority(&n->own[i], 110)) == AGW_OK);
    }
}

/* What a candidate line would do: the addresses of `of` become candidates at `who`. */
static inline void net_signal(net *w, int who, int of)
{
    for (int i = 0; i < NET_PORTS; i++) {
        const agw_addr *a = &w->node[of].own[i];
        if (agw_addr_is_set(a))
            (void)agw_ice_add_remote(w->node[who].ice, a, net_priority(a, 126));
    }
}

static inline void net_stop(net *w)
{
    agw_ice_free(w->node[0].ice);
    agw_ice_free(w->node[1].ice);
}

static inline void net_send(net *w, int who, uint32_t port_id, const agw_addr *to,
                            const uint8_t *data, size_t len)
{
    const net_node *from = &w->node[who], *other = &w->node[1 - who];
    AGW_ASSERT(port_id >= 1 && port_id <= NET_PORTS && len > 0);
    if (from->is_cut[port_id - 1] || net_random(w) % 100 < w->loss)
        return;
    for (int i = 0; i < NET_PORTS; i++) {
        if (!agw_addr_equal(&other->outside[i], to) || other->is_cut[i])
            continue;
        AGW_ASSERT(w->n < NET_QUEUE);
        net_datagram *d = &w->queue[w->n++];
        *d = (net_datagram){.at = w->now + w->latency,
                            .to = 1 - who,
                            .port = i,
                            .from = from->outside[port_id - 1]};
        d->len = len;
        memcpy(d->data, data, len);
    }
}

static inline void net_note(net *w, net_node *n, const agw_ice_result *res)
{
    n->restarts += res->restarted;
    n->back += res->event == AGW_ICE_CONSENT_BACK;
    if (!res->selected_changed)
        return;
    n->selections++;
    n->connects += res->connected;
    n->selected = res->selected;
    n->selected_at = w->now;
}

static inline size_t net_answer(const net_node *n, const net_datagram *d, uint8_t *out, size_t room)
{
    agw_stun_msg msg;
    if (n->answers == NULL || agw_stun_parse(&msg, d->data, d->len) != AGW_OK ||
        msg.head.msg_class != AGW_STUN_REQUEST)
        return 0;
    return agw_stun_write_success(&msg, &d->from, n->answers, out, room);
}

static inline void net_deliver(net *w, const net_datagram *d)
{
    net_node *n = &w->node[d->to];
    uint8_t reply[AGW_STUN_REPLY_MAX];
    agw_ice_result res;
    if (n->is_cut[d->port])
        return;
    const uint32_t port_id = (uint32_t)d->port + 1;
    if (n->ice != NULL) {
        agw_ice_on_stun(n->ice, w->now, port_id, &d->from, d->data, d->len, reply, sizeof reply,
                        &res);
        net_note(w, n, &res);
    } else {
        res.reply_len = net_answer(n, d, reply, sizeof reply);
    }
    if (res.reply_len > 0)
        net_send(w, d->to, port_id, &d->from, reply, res.reply_len);
}

static inline void net_timers(net *w, int who)
{
    net_node *n = &w->node[who];
    for (int turns = 0; agw_ice_deadline(n->ice) <= w->now; turns++) {
        AGW_ASSERT(turns < 1000);
        n->timers_at = w->now;
        const agw_ice_event event = agw_ice_on_deadline(n->ice, w->now);
        n->failed += event == AGW_ICE_FAILED;
        n->lost += event == AGW_ICE_CONSENT_LOST;
        if (event == AGW_ICE_CONSENT_LOST)
            n->lost_at = w->now;
        agw_ice_check due;
        while (agw_ice_next_check(n->ice, w->now, &due)) {
            AGW_ASSERT(due.len > 0);
            n->sent_at[n->n_sent++ % NET_SENT] = w->now;
            net_send(w, who, due.pair.port_id, &due.pair.remote, due.data, due.len);
        }
    }
}

/* Index of the earliest datagram, or n. */
static inline size_t net_earliest(const net *w)
{
    size_t best = w->n;
    for (size_t i = 0; i < w->n; i++) {
        if (best == w->n || w->queue[i].at < w->queue[best].at)
            best = i;
    }
    return best;
}

/* Runs for so long. */
static inline void net_run(net *w, agw_ns length)
{
    const agw_ns end = w->now + length;
    for (;;) {
        const size_t i = net_earliest(w);
        agw_ns at = i < w->n ? w->queue[i].at : AGW_NEVER;
        for (int who = 0; who < 2; who++) {
            if (w->node[who].ice != NULL)
                at = agw_earlier(at, agw_ice_deadline(w->node[who].ice));
        }
        if (at > end)
            break;
        w->now = at > w->now ? at : w->now;
        if (i < w->n && w->queue[i].at <= w->now) {
            const net_datagram d = w->queue[i];
            w->queue[i] = w->queue[--w->n];
            net_deliver(w, &d);
        }
        for (int who = 0; who < 2; who++) {
            if (w->node[who].ice != NULL)
                net_timers(w, who);
        }
    }
    w->now = end;
}

#endif
