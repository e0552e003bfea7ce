/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/stats.h"

#include "control/calls.h"

#include <malloc.h>
#include <stddef.h>

/* A reply is one datagram. The buckets of a worker take up to 7 kB, its numbers up to 1.5 kB. */
enum { BUCKETS_WORKERS = 6, DETAILS_WORKERS = 24 };

static int64_t count(const agw_counter *counter)
{
    return (int64_t)agw_counter_get(counter);
}

static int64_t sum_over_workers(const agw_gateway *gw, size_t offset)
{
    int64_t sum = 0;
    for (size_t i = 0; i < agw_gateway_workers(gw); i++) {
        const agw_worker_stats *stats = agw_gateway_worker_stats(gw, i);
        sum += count((const agw_counter *)(const void *)((const char *)stats + offset));
    }
    return sum;
}

#define SUM(gw, field) sum_over_workers(gw, offsetof(agw_worker_stats, field))

static int64_t drops_of(const agw_gateway *gw, size_t reason)
{
    return sum_over_workers(gw, offsetof(agw_worker_stats, drops) + reason * sizeof(agw_counter));
}

static int64_t all_drops(const agw_gateway *gw)
{
    int64_t sum = 0;
    for (size_t reason = AGW_DROP_NONE + 1; reason < AGW_DROP_COUNT; reason++)
        sum += drops_of(gw, reason);
    return sum;
}

static void set_current(const agw_control *ctl, agw_doc *out)
{
    const int64_t sessions = (int64_t)agw_calls_count(ctl->calls);
    agw_doc_set_int(out, "sessionsown", sessions);
    agw_doc_set_int(out, "sessionsforeign", 0);
    agw_doc_set_int(out, "sessionstotal", sessions);
    agw_doc_set_int(out, "transports", SUM(ctl->gateway, transports));
}

static void set_totals(const agw_control *ctl, agw_doc *out, agw_ns now)
{
    const uint64_t *ended = agw_calls_ended(ctl->calls);
    const agw_gateway *gw = ctl->gateway;
    agw_doc_set_int(out, "uptime", (now - ctl->started_at) / AGW_S(1));
    agw_doc_set_int(out, "uptime us", (now - ctl->started_at) / AGW_US(1));
    agw_doc_set_int(out, "managedsessions", (int64_t)agw_calls_started(ctl->calls));
    agw_doc_set_int(out, "rejectedsessions", (int64_t)ctl->refused);
    agw_doc_set_int(out, "rejectedurgent", (int64_t)ctl->refused_urgent);
    agw_doc_set_int(out, "timeoutsessions", (int64_t)ended[AGW_CALL_INACTIVE]);
    agw_doc_set_int(out, "silenttimeoutsessions", (int64_t)ended[AGW_CALL_SILENT]);
    agw_doc_set_int(out, "offertimeoutsessions", (int64_t)ended[AGW_CALL_UNANSWERED]);
    agw_doc_set_int(out, "consentlostsessions", (int64_t)ended[AGW_CALL_NO_CONSENT]);
    agw_doc_set_int(out, "regularterminatedsessions", (int64_t)ended[AGW_CALL_DELETED]);
    agw_doc_set_int(out, "relayedpackets", SUM(gw, forwarded));
    agw_doc_set_int(out, "relayedbytes", SUM(gw, tx_bytes));
    agw_doc_set_int(out, "relayedpacketerrors", all_drops(gw));
}

static int64_t percent(uint32_t share)
{
    return (int64_t)share * 100 / AGW_LOAD_FULL;
}

/* In percent; what refuses or admits new calls. */
static void set_load(agw_doc *out, agw_gateway *gw)
{
    agw_gateway_load load;
    agw_gateway_get_load(gw, &load);
    agw_doc_set_int(out, "limit", percent(load.limit));
    agw_doc_set_int(out, "urgent limit", percent(load.urgent_limit));
    agw_doc_set_int(out, "control", percent(load.control));
    agw_doc_set_int(out, "handshakes", percent(load.handshakes));
    agw_doc_set_int(out, "refusing", load.closed);
}

/* --- workers -----------------------------------------------------------------------------------
 */

#define NUMBER(field) offsetof(agw_worker_stats, field)

static const agw_stats_number NUMBERS[] = {
    {"turns", "agw_worker_turns_total", "Turns of the worker's loop.", NUMBER(turns)},
    {"packets in", "agw_received_packets_total", "Datagrams of any kind that were read.",
     NUMBER(rx_packets)},
    {"packets out", "agw_sent_packets_total", "Datagrams of any kind that were sent.",
     NUMBER(tx_packets)},
    {"bytes in", "agw_received_bytes_total", "UDP payload of the datagrams that were read.",
     NUMBER(rx_bytes)},
    {"bytes out", "agw_sent_bytes_total", "UDP payload of the datagrams that were sent.",
     NUMBER(tx_bytes)},
    {"forwarded", "agw_forwarded_packets_total", "RTP and RTCP packets that left.",
     NUMBER(forwarded)},
    {"STUN answered", "agw_stun_answered_total", "Connectivity checks that were answered.",
     NUMBER(stun_answered)},
    {"STUN checks", "agw_stun_checks_total", "Connectivity checks that full ICE agents sent.",
     NUMBER(stun_checks)},
    {"STUN served", "agw_stun_served_total", "Plain Binding requests that were answered.",
     NUMBER(stun_served)},
    {"TCP connections", "agw_ice_tcp_connections", "Connections of ICE over TCP now.",
     NUMBER(tcp_open)},
    {NULL, "agw_ice_tcp_accepted_total", "Connections of ICE over TCP that were accepted.",
     NUMBER(tcp_accepted)},
    {NULL, "agw_ice_tcp_refused_full_total", "Of these: closed unproven to make room for another.",
     NUMBER(tcp_refused_full)},
    {NULL, "agw_ice_tcp_refused_host_total",
     "Connections closed at once: too many unproven ones of one address.",
     NUMBER(tcp_refused_host)},
    {NULL, "agw_ice_tcp_refused_late_total",
     "Accepted connections closed because no valid check came in time.", NUMBER(tcp_refused_late)},
    {NULL, "agw_ice_tcp_refused_first_total",
     "Accepted connections closed because their first packet was no valid check.",
     NUMBER(tcp_refused_first)},
    {"handshakes done", "agw_handshakes_done_total", "DTLS handshakes that gave keys.",
     NUMBER(handshakes_done)},
    {"handshakes failed", "agw_handshakes_failed_total", "DTLS handshakes that failed.",
     NUMBER(handshakes_failed)},
    {"calls", "agw_worker_calls", "Calls on this worker now.", NUMBER(calls)},
    {"transports", "agw_worker_transports", "Transports on this worker now.", NUMBER(transports)},
    {"ICMP errors", "agw_icmp_errors_total", "ICMP errors about datagrams that were sent.",
     NUMBER(icmp_errors)},
    {"kernel drops", "agw_kernel_dropped_packets_total",
     "Datagrams that the kernel had no room for before the worker read them.",
     NUMBER(kernel_drops)},
    {"AF_XDP in", "agw_xdp_received_packets_total", "Datagrams that came by an AF_XDP ring.",
     NUMBER(fast_rx)},
    {"AF_XDP out", "agw_xdp_sent_packets_total", "Datagrams that left by an AF_XDP ring.",
     NUMBER(fast_tx)},
    {"waits", "agw_worker_waits_total", "Times the worker gave up the processor.", NUMBER(waits)},
    {"paced waits", "agw_worker_paced_waits_total", "Of these: slept to the next tick.",
     NUMBER(paced_waits)},
};

const agw_stats_number *agw_stats_number_at(size_t i)
{
    return i < G_N_ELEMENTS(NUMBERS) ? &NUMBERS[i] : NULL;
}

uint64_t agw_stats_number_of(const agw_worker_stats *stats, const agw_stats_number *number)
{
    const char *at = (const char *)stats + number->offset;
    return agw_counter_get((const agw_counter *)(const void *)at);
}

unsigned agw_stats_batch_min(size_t i)
{
    return 1u << i;
}

unsigned agw_stats_batch_max(size_t i)
{
    return i + 1 < AGW_BATCH_SIZES ? (2u << i) - 1 : 1u << i;
}

static void set_batches(agw_doc *out, const agw_worker_stats *stats)
{
    for (size_t i = 0; i < AGW_BATCH_SIZES; i++) {
        char key[24];
        const unsigned min = agw_stats_batch_min(i), max = agw_stats_batch_max(i);
        if (min == max)
            g_snprintf(key, sizeof key, "%u", min);
        else
            g_snprintf(key, sizeof key, "%u to %u", min, max);
        agw_doc_set_int(out, key, count(&stats->batches[i]));
    }
}

/* What never happened is left out. */
static void set_worker_drops(agw_doc *out, const agw_worker_stats *stats)
{
    for (size_t reason = AGW_DROP_NONE + 1; reason < AGW_DROP_COUNT; reason++) {
        if (count(&stats->drops[reason]) != 0)
            agw_doc_set_int(out, agw_drop_text((agw_drop)reason), count(&stats->drops[reason]));
    }
}

/* Each bucket that is not empty: the largest value in it, then how many are. */
static void set_buckets(agw_doc *out, const agw_histogram_view *view)
{
    for (size_t i = 0; i < AGW_HISTOGRAM_BUCKETS; i++) {
        if (view->buckets[i] == 0)
            continue;
        agw_doc_add_int(out, (int64_t)agw_histogram_edge(i));
        agw_doc_add_int(out, (int64_t)view->buckets[i]);
    }
}

static void set_transit(agw_doc *out, const agw_histogram_view *view, bool buckets)
{
    static const struct {
        const char *key;
        unsigned permille;
    } QUANTILES[] = {{"p50 ns", 500}, {"p99 ns", 990}, {"p99.9 ns", 999}, {"max ns", 1000}};
    agw_doc_set_int(out, "samples", (int64_t)view->count);
    agw_doc_set_int(out, "mean ns", view->count != 0 ? (int64_t)(view->sum / view->count) : 0);
    for (size_t i = 0; i < G_N_ELEMENTS(QUANTILES); i++)
        agw_doc_set_int(out, QUANTILES[i].key,
                        (int64_t)agw_histogram_at(view, QUANTILES[i].permille));
    if (buckets)
        set_buckets(agw_doc_set(out, "buckets", agw_doc_new_list()), view);
}

static void set_worker_load(agw_doc *out, const agw_gateway *gw, size_t i)
{
    agw_worker_load load;
    agw_gateway_get_worker_load(gw, i, &load);
    agw_doc_set_int(out, "busy %", percent(load.busy));
    agw_doc_set_int(out, "access ports %", percent(load.shared));
    agw_doc_set_int(out, "expected %", percent(load.expected));
    agw_doc_set_int(out, "silent calls", (int64_t)load.silent);
    agw_doc_set_int(out, "coding %", percent(load.coding));
}

static void set_use(agw_doc *out, const agw_thread_use *use)
{
    agw_doc_set_int(out, "CPU us", use->cpu / AGW_US(1));
    agw_doc_set_int(out, "mailbox", (int64_t)use->mail);
}

static void set_worker(agw_doc *out, const agw_gateway *gw, size_t index)
{
    const agw_worker_stats *stats = agw_gateway_worker_stats(gw, index);
    agw_thread_use use;
    for (size_t i = 0; i < G_N_ELEMENTS(NUMBERS); i++) {
        if (NUMBERS[i].key != NULL)
            agw_doc_set_int(out, NUMBERS[i].key, (int64_t)agw_stats_number_of(stats, &NUMBERS[i]));
    }
    agw_gateway_get_worker_use(gw, index, &use);
    set_use(out, &use);
    agw_doc_set_int(out, "busy us", count(&stats->busy_ns) / AGW_US(1));
    set_worker_load(out, gw, index);
    set_batches(agw_doc_set(out, "batches", agw_doc_new_dict()), stats);
}

static void set_worker_details(agw_doc *out, const agw_worker_stats *stats, bool buckets)
{
    agw_histogram_view view = {0};
    agw_histogram_collect(&view, &stats->transit);
    set_worker_drops(agw_doc_set(out, "drops", agw_doc_new_dict()), stats);
    set_transit(agw_doc_set(out, "transit", agw_doc_new_dict()), &view, buckets);
}

static void set_workers(agw_doc *out, const agw_gateway *gw, bool histograms)
{
    const size_t n = agw_gateway_workers(gw);
    agw_histogram_view all = {0};
    agw_doc *list = agw_doc_set(out, "workers", agw_doc_new_list());
    for (size_t i = 0; i < n; i++) {
        const agw_worker_stats *stats = agw_gateway_worker_stats(gw, i);
        agw_doc *worker = agw_doc_add(list, agw_doc_new_dict());
        set_worker(worker, gw, i);
        if (n <= DETAILS_WORKERS)
            set_worker_details(worker, stats, histograms && n <= BUCKETS_WORKERS);
        agw_histogram_collect(&all, &stats->transit);
    }
    set_transit(agw_doc_set(out, "transit", agw_doc_new_dict()), &all, histograms);
}

static void set_handshake_threads(agw_doc *out, const agw_gateway *gw)
{
    agw_thread_use use;
    agw_gateway_get_handshake_use(gw, &use);
    set_use(out, &use);
}

/* --- all ---------------------------------------------------------------------------------------
 */

static void set_drops(agw_doc *out, const agw_gateway *gw)
{
    for (size_t reason = AGW_DROP_NONE + 1; reason < AGW_DROP_COUNT; reason++)
        agw_doc_set_int(out, agw_drop_text((agw_drop)reason), drops_of(gw, reason));
}

static void set_streams(const agw_streams_counters *c, agw_doc *out)
{
    agw_doc_set_int(out, "accepted", (int64_t)c->accepted);
    agw_doc_set_int(out, "not allowed", (int64_t)c->not_allowed);
    agw_doc_set_int(out, "too many", (int64_t)c->too_many);
    agw_doc_set_int(out, "malformed", (int64_t)c->malformed);
    agw_doc_set_int(out, "slow", (int64_t)c->slow);
    agw_doc_set_int(out, "idle", (int64_t)c->idle);
}

static void set_control(const agw_control *ctl, agw_doc *out)
{
    agw_doc *commands = agw_doc_set(out, "commands", agw_doc_new_dict());
    for (size_t i = 0; i < AGW_COMMAND_KINDS; i++)
        agw_doc_set_int(commands, agw_command_name(i), (int64_t)ctl->requests[i]);
    agw_doc_set_int(out, "errors", (int64_t)ctl->errors);
    agw_doc_set_int(out, "events", (int64_t)agw_events_count(ctl->events));
    agw_doc_set_int(out, "events lost", (int64_t)agw_events_lost(ctl->events));
    set_streams(&ctl->streams, agw_doc_set(out, "connections", agw_doc_new_dict()));
}

/* What is in use must come back to where it was when all calls have ended; what is held need not.
 */
static void set_memory(agw_doc *out)
{
    const struct mallinfo2 heap = mallinfo2();
    agw_doc_set_int(out, "heap used", (int64_t)(heap.uordblks + heap.hblkhd));
    agw_doc_set_int(out, "heap held", (int64_t)(heap.arena + heap.hblkhd));
}

agw_doc *agw_stats_doc(const agw_control *ctl, agw_ns now, agw_stats_parts parts)
{
    agw_doc *out = agw_doc_new_dict();
    set_current(ctl, agw_doc_set(out, "currentstatistics", agw_doc_new_dict()));
    set_totals(ctl, agw_doc_set(out, "totalstatistics", agw_doc_new_dict()), now);
    set_load(agw_doc_set(out, "load", agw_doc_new_dict()), ctl->gateway);
    agw_doc_set_int(out, "tick us", ctl->config->gateway.tick_us);
    set_workers(out, ctl->gateway, parts.histograms);
    set_handshake_threads(agw_doc_set(out, "handshake threads", agw_doc_new_dict()), ctl->gateway);
    set_drops(agw_doc_set(out, "drops", agw_doc_new_dict()), ctl->gateway);
    size_t free_ports, used_ports;
    agw_gateway_ports(ctl->gateway, &free_ports, &used_ports);
    agw_doc *ports = agw_doc_set(out, "ports", agw_doc_new_dict());
    agw_doc_set_int(ports, "free", (int64_t)free_ports);
    agw_doc_set_int(ports, "used", (int64_t)used_ports);
    set_control(ctl, agw_doc_set(out, "control", agw_doc_new_dict()));
    if (parts.memory)
        set_memory(agw_doc_set(out, "memory", agw_doc_new_dict()));
    return out;
}
