/* SPDX-License-Identifier: BSD-3-Clause
 * The packet's way begins here: turn() reads one batch and leads it through the stages. */
#include "agw/worker.h"

#include "agw/bridge.h"
#include "agw/call.h"
#include "agw/demux.h"
#include "agw/dtmf.h"
#include "agw/player.h"
#include "agw/transcode.h"
#include "agw/transport.h"
#include "agw/warm.h"
#include "base/log.h"
#include "base/secret.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAILBOX_SLOTS = 16384,
    MAIL_BUDGET = 32,      /* messages between two batches */
    CHAIN_BUDGET = 4,      /* codec frames between two batches */
    CHAIN_BUDGET_FULL = 1, /* the same while more packets wait than a batch holds */
    DTLS_HANDSHAKE = 22,
    STRAYS = 4, /* ClientHellos from nowhere in a second */
};

static const agw_ns RETRY_FULL_MAILBOX = AGW_MS(1);
static const agw_ns COOKIES_FOR = AGW_S(60);
static const agw_ns TRANSIT_MAX = AGW_S(8); /* more: the wall clock was set meanwhile */

_Static_assert(AGW_PKT_BATCH >> (AGW_BATCH_SIZES - 1) == 1, "a full batch has a size of its own");

/* --- one batch through the stages ------------------------------------------------------------ */

static void note_transit(agw_worker *w, const agw_pkt *pkt, agw_ns sent_at)
{
    const agw_ns transit = sent_at - pkt->arrived_at;
    if (transit >= 0 && transit <= TRANSIT_MAX)
        agw_histogram_add(&w->stats.transit, (uint64_t)transit);
}

/* Samples are few: the clock is read for a batch that has one. */
static void note_transits(agw_worker *w, size_t n)
{
    agw_ns sent_at = 0;
    for (size_t i = 0; i < n; i++) {
        const agw_pkt *pkt = w->pkts[i];
        if (pkt->arrived_at == 0 || pkt->verdict != AGW_FORWARD || pkt->kind != AGW_PKT_RTP)
            continue;
        if (sent_at == 0)
            sent_at = agw_clock_now();
        note_transit(w, pkt, sent_at);
    }
}

static void count_verdicts(agw_worker *w, size_t n)
{
    size_t forwarded = 0, bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const agw_pkt *pkt = w->pkts[i];
        if (pkt->verdict == AGW_DROP)
            agw_counter_add(&w->stats.drops[pkt->drop_reason], 1);
        if (pkt->verdict != AGW_FORWARD)
            continue;
        forwarded += pkt->kind == AGW_PKT_RTP || pkt->kind == AGW_PKT_RTCP;
        bytes += pkt->len;
    }
    agw_counter_add(&w->stats.forwarded, forwarded);
    agw_counter_add(&w->stats.tx_bytes, bytes);
}

static void send_batch(agw_worker *w)
{
    const size_t n = w->n_received + w->n_spares;
    agw_warm_way_out(w->pkts, n);
    agw_transport_protect(w, w->pkts, n);
    note_transits(w, w->n_received);
    const size_t sent = agw_io_tx(w->io, w->pkts, n);
    agw_counter_add(&w->stats.tx_packets, sent);
    count_verdicts(w, n);
    w->n_received = 0;
    w->n_spares = 0;
}

static void count_received(agw_worker *w, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += w->pkts[i]->len;
    agw_counter_add(&w->stats.rx_packets, n);
    agw_counter_add(&w->stats.rx_bytes, bytes);
    agw_counter_add(&w->stats.batches[31 - __builtin_clz((unsigned)n)], 1);
}

static void run_stages(agw_worker *w, size_t n)
{
    agw_pkt *const *pkts = w->pkts;
    w->n_received = n;
    agw_demux_classify(w, pkts, n);
    agw_warm_transports(pkts, n);
    agw_transport_take_stun(w, pkts, n);
    agw_transport_take_dtls(w, pkts, n);
    agw_warm_medias(pkts, n);
    agw_transport_unprotect(w, pkts, n);
    agw_warm_other_side(pkts, n);
    agw_bridge_forward(w, pkts, n);
    send_batch(w);
}

/* The packets of our own stand behind those received, so that one array goes through the last
 * stages. */
agw_pkt *agw_worker_packet(agw_worker *w)
{
    if (w->n_spares == AGW_WORKER_SPARES)
        return NULL;
    agw_pkt *pkt = w->pkts[w->n_received + w->n_spares];
    w->n_spares++;
    agw_pkt_reset(pkt);
    return pkt;
}

void agw_worker_give_back(agw_worker *w)
{
    AGW_ASSERT(w->n_spares > 0);
    w->n_spares--;
}

/* --- mail and timers -------------------------------------------------------------------------- */

static agw_transport *by_name(const agw_worker *w, agw_transport_name name)
{
    agw_transport *t = w->slots[name.slot];
    return t != NULL && t->name.generation == name.generation ? t : NULL;
}

/* Packets that wait for the batch name transports and ports: they leave before any of these can go.
 */
static void send_waiting(agw_worker *w)
{
    if (w->n_spares != 0)
        send_batch(w);
}

/* Media that came before the SDP that names its source goes its way now. What is kept once more on
 * that way waits for another plan: each packet is tried once. */
static void run_early(agw_worker *w, const agw_call *call)
{
    size_t left = agw_call_count_early(call);
    if (left != 0)
        send_waiting(w);
    while (left != 0) {
        const size_t most = left < AGW_PKT_BATCH ? left : AGW_PKT_BATCH;
        const size_t n = agw_call_take_early(call, w->pkts, most);
        if (n == 0)
            return;
        run_stages(w, n);
        left -= n;
    }
}

static void take(agw_worker *w, agw_mail *mail)
{
    switch (mail->kind) {
    case AGW_MAIL_APPLY:
        send_waiting(w);
        agw_call_apply(w, mail->call, mail);
        run_early(w, mail->call);
        break;
    case AGW_MAIL_CLOSE:
        send_waiting(w);
        agw_call_close(w, mail->call);
        break;
    case AGW_MAIL_PLAY:
        agw_call_play(mail->call, mail);
        break;
    case AGW_MAIL_PLAY_MEDIA:
        agw_call_play_media(mail->call, mail);
        break;
    case AGW_MAIL_STOP_MEDIA:
        agw_call_stop_media(mail->call, mail);
        break;
    case AGW_MAIL_STOP:
        w->stop = true;
        break;
    default: {
        agw_transport *t = by_name(w, mail->whose);
        if (t != NULL)
            agw_transport_on_mail(t, mail);
        break;
    }
    }
    agw_mail_free(mail);
}

static bool take_mail(agw_worker *w)
{
    int budget = MAIL_BUDGET;
    for (agw_mail *mail; budget > 0 && !w->stop && (mail = agw_ring_pop(w->mailbox)) != NULL;
         budget--)
        take(w, mail);
    return budget == 0;
}

static void run_timers(agw_worker *w)
{
    for (agw_timer *timer; (timer = agw_timerq_pop(&w->timers, w->now)) != NULL;)
        agw_transport_on_timer(timer->owner);
}

/* After the mail: a digit goes where the newest plan says. */
static void run_media_timers(agw_worker *w)
{
    for (agw_timer *timer; (timer = agw_timerq_pop(&w->media_timers, w->now)) != NULL;)
        agw_dtmf_on_timer(timer->owner);
    for (agw_timer *timer; (timer = agw_timerq_pop(&w->player_timers, w->now)) != NULL;)
        agw_player_on_timer(timer->owner);
}

/* Coding takes long: packets that only pass are read in between, and who has too much to do codes
 * late and passes on in time. true: more are due. */
static bool run_chain_timers(agw_worker *w)
{
    int budget = w->batch_full ? CHAIN_BUDGET_FULL : CHAIN_BUDGET;
    if (agw_timerq_next(&w->chain_timers) > w->now)
        return false;
    const agw_ns from = agw_clock_now();
    for (agw_timer *timer; budget > 0 && (timer = agw_timerq_pop(&w->chain_timers, w->now)) != NULL;
         budget--, w->io->packets++)
        agw_transcode_on_timer(timer->owner);
    agw_counter_add(&w->stats.coding_ns, (uint64_t)(agw_clock_now() - from));
    return budget == 0;
}

static void take_icmp(agw_worker *w)
{
    for (const agw_port *port; (port = agw_io_take_icmp(w->io)) != NULL;) {
        const agw_remote_key key = {port->id, port->icmp.remote};
        agw_transport *t = port->shared ? agw_map_get(w->by_remote, &key) : port->owner;
        if (t != NULL)
            agw_transport_on_icmp(t, &port->icmp);
    }
}

static bool flush_handshakes(agw_worker *w)
{
    bool empty = true;
    for (size_t i = 0; i < w->n_handshakes; i++)
        empty &= agw_outbox_flush(&w->handshakes[i]);
    return empty;
}

static bool flush(agw_worker *w)
{
    const bool told = agw_outbox_flush(&w->control);
    return flush_handshakes(w) && told;
}

/* DTLS record header: content type, version, epoch (RFC 6347 section 4.1). */
static bool is_plain_handshake(const agw_pkt *pkt)
{
    return pkt->data[0] == DTLS_HANDSHAKE && pkt->data[3] == 0 && pkt->data[4] == 0;
}

void agw_worker_note_stray(agw_worker *w, const agw_pkt *pkt)
{
    if (!is_plain_handshake(pkt))
        return; /* the late goodbye of an ended call is no attack */
    if (w->now - w->strays_from >= AGW_S(1)) {
        w->strays_from = w->now;
        w->strays = 0;
    }
    w->strays++;
    if (w->strays >= STRAYS)
        w->cookies_until = w->now + COOKIES_FOR;
}

void agw_worker_tell(agw_worker *w, const agw_transport *t, agw_event_kind kind,
                     const agw_addr *remote, const char *detail)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_EVENT, NULL, 0);
    mail->ref = t->call->ref;
    mail->event = (agw_event){.kind = kind, .transport_id = t->id, .at = w->now};
    mail->event.controlling =
        t->component[0].ice != NULL && agw_ice_is_controlling(t->component[0].ice);
    if (t->component[0].port != NULL) {
        mail->event.local = t->component[0].port->local;
        mail->event.tcp = t->component[0].port->tcp;
    }
    if (remote != NULL)
        mail->event.remote = *remote;
    if (detail != NULL)
        snprintf(mail->event.detail, sizeof mail->event.detail, "%s", detail);
    agw_outbox_post(&w->control, mail);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void publish_tcp(agw_worker *w)
{
    const agw_tcp_counters *tcp = &w->io->tcp;
    agw_counter_set(&w->stats.tcp_open, agw_counter_get(&tcp->open));
    agw_counter_set(&w->stats.tcp_accepted, agw_counter_get(&tcp->accepted));
    agw_counter_set(&w->stats.tcp_refused_full, agw_counter_get(&tcp->refused_full));
    agw_counter_set(&w->stats.tcp_refused_host, agw_counter_get(&tcp->refused_host));
    agw_counter_set(&w->stats.tcp_refused_late, agw_counter_get(&tcp->refused_late));
    agw_counter_set(&w->stats.tcp_refused_first, agw_counter_get(&tcp->refused_first));
    agw_counter_set(&w->stats.drops[AGW_DROP_TCP_FULL], agw_counter_get(&tcp->full));
}

static void publish(agw_worker *w)
{
    agw_counter_set(&w->stats.icmp_errors, agw_counter_get(&w->io->icmp_errors));
    agw_counter_set(&w->stats.kernel_drops, agw_counter_get(&w->io->rx_drops));
    agw_counter_set(&w->stats.waits, agw_counter_get(&w->io->waits));
    agw_counter_set(&w->stats.paced_waits, agw_counter_get(&w->io->paced_waits));
    agw_counter_set(&w->stats.fast_rx, agw_counter_get(&w->io->fast_rx));
    agw_counter_set(&w->stats.fast_tx, agw_counter_get(&w->io->fast_tx));
    agw_counter_set(&w->stats.drops[AGW_DROP_SEND], agw_counter_get(&w->io->tx_failed));
    publish_tcp(w);
}

/* Coding may be late by a tick: under load its wake-ups are those of the packets. */
static void wait_until(agw_worker *w, agw_ns now, agw_ns deadline)
{
    w->io->lazy_deadline = agw_timerq_next(&w->chain_timers);
    agw_io_wait(w->io, now, deadline);
}

bool agw_worker_turn(agw_worker *w, agw_ns now)
{
    w->now = now;
    agw_counter_add(&w->stats.turns, 1);
    run_timers(w); /* first: what has expired must not send for a message either */
    const bool more_mail = take_mail(w);
    run_media_timers(w);
    const bool more_chains = run_chain_timers(w);
    take_icmp(w);
    send_waiting(w);
    const size_t n = agw_io_rx(w->io, w->pkts, AGW_PKT_BATCH);
    w->batch_full = n == AGW_PKT_BATCH;
    if (n != 0) {
        count_received(w, n);
        run_stages(w, n);
    }
    const bool flushed = flush(w);
    publish(w);
    if (!flushed && n == 0)
        wait_until(w, now, now + RETRY_FULL_MAILBOX);
    return n != 0 || more_mail || more_chains || !flushed;
}

static agw_ns next_timer(const agw_worker *w)
{
    const agw_timerq *const queues[] = {&w->timers, &w->media_timers, &w->player_timers};
    agw_ns next = AGW_NEVER;
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        next = agw_earlier(next, agw_timerq_next(queues[i]));
    return next;
}

static void *run(void *arg)
{
    agw_worker *w = arg;
    char name[16];
    snprintf(name, sizeof name, "agw-worker-%zu", w->index % 100);
    pthread_setname_np(pthread_self(), name);
    if (w->cpu >= 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET((size_t)w->cpu, &cpus);
        if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) != 0)
            agw_log(AGW_LOG_WARN, NULL, "worker %zu cannot be pinned to CPU %d", w->index, w->cpu);
    }
    for (agw_ns now = agw_clock_now(); !w->stop;) {
        const bool more = agw_worker_turn(w, now);
        const agw_ns done = agw_clock_now();
        agw_counter_add(&w->stats.busy_ns, (uint64_t)(done - now));
        now = done;
        if (more || w->stop)
            continue;
        wait_until(w, now, next_timer(w));
        now = agw_clock_now();
    }
    for (agw_mail *mail; (mail = agw_ring_pop(w->mailbox)) != NULL;)
        take(w,
             mail); /* calls that are still on their way here become ours, and end with the rest */
    while (w->calls != NULL)
        agw_call_close(w, w->calls);
    agw_outbox_flush(
        &w->control); /* control waits for this thread: what does not fit is not missed */
    while (!flush_handshakes(w))
        sched_yield();
    return NULL;
}

static agw_err make_packets(agw_worker *w)
{
    const size_t n = AGW_PKT_BATCH + AGW_WORKER_SPARES;
    w->memory = calloc(n, sizeof *w->memory);
    if (w->memory == NULL)
        return AGW_ERR_SYSTEM;
    for (size_t i = 0; i < n; i++)
        w->pkts[i] = &w->memory[i];
    return AGW_OK;
}

static agw_err add_access_ports(agw_worker *w, agw_port **ports, size_t n)
{
    w->access_ports = calloc(n + 1, sizeof(agw_port *));
    if (w->access_ports == NULL)
        return AGW_ERR_SYSTEM;
    for (size_t i = 0; i < n; i++) {
        const agw_err err = agw_io_add(w->io, ports[i]);
        if (err != AGW_OK)
            return err;
        w->access_ports[i] = ports[i];
        w->n_access_ports = i + 1;
    }
    return AGW_OK;
}

agw_worker *agw_worker_new(size_t index, const agw_io_config *io, agw_port **access_ports,
                           size_t n_access_ports)
{
    agw_worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    uint8_t seed[16];
    agw_rand_bytes(seed, sizeof seed);
    w->index = index;
    w->lot = agw_rand32();
    w->wall_us = agw_clock_wall_us() - agw_clock_now() / AGW_US(1);
    w->cpu = -1;
    agw_timerq_init(&w->timers);
    agw_timerq_init(&w->media_timers);
    agw_timerq_init(&w->player_timers);
    agw_timerq_init(&w->chain_timers);
    w->io = agw_io_open(io);
    w->mailbox = agw_ring_new(MAILBOX_SLOTS);
    w->by_remote = agw_map_new(sizeof(agw_remote_key), seed);
    w->slots = calloc(AGW_WORKER_SLOTS, sizeof(agw_transport *));
    w->srtp = agw_srtp_engine_new();
    w->early = agw_early_new();
    w->sources = w->stun_server.sources = agw_budgets_new(seed);
    if (w->early == NULL || w->sources == NULL || w->io == NULL || w->mailbox == NULL ||
        w->by_remote == NULL || w->slots == NULL || make_packets(w) != AGW_OK ||
        add_access_ports(w, access_ports, n_access_ports) != AGW_OK) {
        agw_worker_free(w);
        return NULL;
    }
    return w;
}

agw_err agw_worker_start(agw_worker *w)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return AGW_ERR_SYSTEM;
    w->running = true;
    return AGW_OK;
}

void agw_worker_join(agw_worker *w)
{
    if (w->running)
        pthread_join(w->thread, NULL);
    w->running = false;
}

void agw_worker_free(agw_worker *w)
{
    if (w == NULL)
        return;
    AGW_ASSERT(!w->running);
    while (w->calls != NULL)
        agw_call_close(w, w->calls);
    for (size_t i = 0; i < w->n_access_ports; i++)
        agw_io_remove(w->io, w->access_ports[i]);
    for (agw_mail *mail; w->mailbox != NULL && (mail = agw_ring_pop(w->mailbox)) != NULL;)
        agw_mail_free(mail);
    agw_outbox_fini(&w->control);
    for (size_t i = 0; i < w->n_handshakes; i++)
        agw_outbox_fini(&w->handshakes[i]);
    free(w->handshakes);
    agw_timerq_fini(&w->timers);
    agw_timerq_fini(&w->media_timers);
    agw_timerq_fini(&w->player_timers);
    agw_timerq_fini(&w->chain_timers);
    agw_map_free(w->by_remote);
    agw_ring_free(w->mailbox);
    if (w->io != NULL)
        agw_io_close(w->io);
    agw_srtp_engine_free(w->srtp);
    agw_early_free(w->early);
    agw_budgets_free(w->sources);
    free(w->slots);
    free(w->access_ports);
    free(w->memory);
    agw_secret_wipe(&w->random, sizeof w->random);
    free(w);
}

void agw_worker_get_use(const agw_worker *w, agw_thread_use *out)
{
    out->cpu = w->running ? agw_clock_cpu_of(w->thread) : 0;
    out->mail = agw_ring_count(w->mailbox);
}

static void wake(void *owner)
{
    agw_worker *w = owner;
    agw_io_wake(w->io);
}

agw_outbox agw_worker_outbox(agw_worker *w)
{
    return (agw_outbox){.ring = w->mailbox, .wake = wake, .owner = w};
}
