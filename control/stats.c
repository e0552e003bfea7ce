/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/stats.h"

#include "control/calls.h"

#include <malloc.h>
#include <stddef.h>

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

static void set_worker_load(agw_doc *out, const agw_gateway *gw, size_t i)
{
    agw_worker_load load;
    agw_gateway_get_worker_load(gw, i, &load);
    agw_doc_set_int(out, "busy %", percent(load.busy));
    agw_doc_set_int(out, "access ports %", percent(load.shared));
    agw_doc_set_int(out, "expected %", percent(load.expected));
    agw_doc_set_int(out, "silent calls", (int64_t)load.silent);
}

static void set_worker(agw_doc *out, const agw_worker_stats *stats)
{
    agw_doc_set_int(out, "turns", count(&stats->turns));
    agw_doc_set_int(out, "packets in", count(&stats->rx_packets));
    agw_doc_set_int(out, "packets out", count(&stats->tx_packets));
    agw_doc_set_int(out, "bytes in", count(&stats->rx_bytes));
    agw_doc_set_int(out, "bytes out", count(&stats->tx_bytes));
    agw_doc_set_int(out, "forwarded", count(&stats->forwarded));
    agw_doc_set_int(out, "STUN answered", count(&stats->stun_answered));
    agw_doc_set_int(out, "handshakes done", count(&stats->handshakes_done));
    agw_doc_set_int(out, "handshakes failed", count(&stats->handshakes_failed));
    agw_doc_set_int(out, "calls", count(&stats->calls));
    agw_doc_set_int(out, "transports", count(&stats->transports));
    agw_doc_set_int(out, "ICMP errors", count(&stats->icmp_errors));
    agw_doc_set_int(out, "kernel drops", count(&stats->kernel_drops));
    agw_doc_set_int(out, "AF_XDP in", count(&stats->fast_rx));
    agw_doc_set_int(out, "AF_XDP out", count(&stats->fast_tx));
}

static void set_drops(agw_doc *out, const agw_gateway *gw)
{
    for (size_t reason = AGW_DROP_NONE + 1; reason < AGW_DROP_COUNT; reason++)
        agw_doc_set_int(out, agw_drop_text((agw_drop)reason), drops_of(gw, reason));
}

static void set_control(const agw_control *ctl, agw_doc *out)
{
    agw_doc *commands = agw_doc_set(out, "commands", agw_doc_new_dict());
    for (size_t i = 0; i < AGW_COMMAND_KINDS; i++)
        agw_doc_set_int(commands, agw_command_name(i), (int64_t)ctl->requests[i]);
    agw_doc_set_int(out, "errors", (int64_t)ctl->errors);
    agw_doc_set_int(out, "events", (int64_t)agw_events_count(ctl->events));
    agw_doc_set_int(out, "events lost", (int64_t)agw_events_lost(ctl->events));
}

/* What is in use must come back to where it was when all calls have ended; what is held need not.
 */
static void set_memory(agw_doc *out)
{
    const struct mallinfo2 heap = mallinfo2();
    agw_doc_set_int(out, "heap used", (int64_t)(heap.uordblks + heap.hblkhd));
    agw_doc_set_int(out, "heap held", (int64_t)(heap.arena + heap.hblkhd));
}

agw_doc *agw_stats_doc(const agw_control *ctl, agw_ns now, bool memory)
{
    agw_doc *out = agw_doc_new_dict();
    set_current(ctl, agw_doc_set(out, "currentstatistics", agw_doc_new_dict()));
    set_totals(ctl, agw_doc_set(out, "totalstatistics", agw_doc_new_dict()), now);
    set_load(agw_doc_set(out, "load", agw_doc_new_dict()), ctl->gateway);
    agw_doc *workers = agw_doc_set(out, "workers", agw_doc_new_list());
    for (size_t i = 0; i < agw_gateway_workers(ctl->gateway); i++) {
        agw_doc *worker = agw_doc_add(workers, agw_doc_new_dict());
        set_worker(worker, agw_gateway_worker_stats(ctl->gateway, i));
        set_worker_load(worker, ctl->gateway, i);
    }
    set_drops(agw_doc_set(out, "drops", agw_doc_new_dict()), ctl->gateway);
    size_t free_ports, used_ports;
    agw_gateway_ports(ctl->gateway, &free_ports, &used_ports);
    agw_doc *ports = agw_doc_set(out, "ports", agw_doc_new_dict());
    agw_doc_set_int(ports, "free", (int64_t)free_ports);
    agw_doc_set_int(ports, "used", (int64_t)used_ports);
    set_control(ctl, agw_doc_set(out, "control", agw_doc_new_dict()));
    if (memory)
        set_memory(agw_doc_set(out, "memory", agw_doc_new_dict()));
    return out;
}
