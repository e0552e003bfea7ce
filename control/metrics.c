/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics.h"

#include "control/calls.h"
#include "control/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Upper ends of the buckets of agw_transit_seconds, ns. What is measured is known to 1/16. */
static const uint64_t TRANSIT_LIMITS[] = {
    AGW_US(20),  AGW_US(50),   AGW_US(100),  AGW_US(200), AGW_US(400), AGW_US(600),
    AGW_US(800), AGW_US(1000), AGW_US(1200), AGW_MS(2),   AGW_MS(3),   AGW_MS(5),
    AGW_MS(10),  AGW_MS(20),   AGW_MS(50),   AGW_MS(100), AGW_S(1),
};

/* --- lines -------------------------------------------------------------------------------------
 */

static bool is_total(const char *name)
{
    return g_str_has_suffix(name, "_total");
}

static void head(GString *out, const char *name, const char *type, const char *help)
{
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void head_of_number(GString *out, const char *name, const char *help)
{
    head(out, name, is_total(name) ? "counter" : "gauge", help);
}

/* Our own words need none of this, but the next one might. */
static void append_label(GString *out, const char *label, const char *value)
{
    g_string_append_printf(out, "{%s=\"", label);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n')
            g_string_append(out, "\\n");
        else if (*c == '"' || *c == '\\')
            g_string_append_printf(out, "\\%c", *c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append(out, "\"}");
}

static void append_int(GString *out, uint64_t value)
{
    g_string_append_printf(out, " %" PRIu64 "\n", value);
}

static void append_seconds(GString *out, uint64_t ns)
{
    const uint64_t second = (uint64_t)AGW_S(1);
    g_string_append_printf(out, " %" PRIu64 ".%09" PRIu64 "\n", ns / second, ns % second);
}

static void number(GString *out, const char *name, const char *help, uint64_t value)
{
    head_of_number(out, name, help);
    g_string_append(out, name);
    append_int(out, value);
}

static void seconds(GString *out, const char *name, const char *help, agw_ns ns)
{
    head_of_number(out, name, help);
    g_string_append(out, name);
    append_seconds(out, (uint64_t)ns);
}

/* share: of AGW_LOAD_FULL */
static void append_ratio(GString *out, uint32_t share)
{
    g_string_append_printf(out, " %u.%03u\n", share / AGW_LOAD_FULL, share % AGW_LOAD_FULL);
}

static void ratio(GString *out, const char *name, const char *help, uint32_t share)
{
    head_of_number(out, name, help);
    g_string_append(out, name);
    append_ratio(out, share);
}

static void labelled(GString *out, const char *name, const char *label, const char *text,
                     uint64_t value)
{
    g_string_append(out, name);
    append_label(out, label, text);
    append_int(out, value);
}

/* --- the program -------------------------------------------------------------------------------
 */

static void write_calls(GString *out, const agw_control *ctl)
{
    const uint64_t *ended = agw_calls_ended(ctl->calls);
    number(out, "agw_calls", "Calls that stand.", agw_calls_count(ctl->calls));
    number(out, "agw_calls_started_total", "Calls that were set up.",
           agw_calls_started(ctl->calls));
    number(out, "agw_calls_refused_total", "New calls that were turned away for load.",
           ctl->refused);
    number(out, "agw_calls_refused_urgent_total", "Of these: emergency and priority calls.",
           ctl->refused_urgent);
    head_of_number(out, "agw_calls_ended_total", "Calls that ended, by reason.");
    for (size_t i = AGW_CALL_LIVES + 1; i < AGW_CALL_ENDS; i++)
        labelled(out, "agw_calls_ended_total", "reason", agw_call_end_text((agw_call_end)i),
                 ended[i]);
}

static void write_ports(GString *out, const agw_gateway *gw)
{
    head_of_number(out, "agw_ports", "Core ports of each local address.");
    for (size_t i = 0; i < agw_gateway_addresses(gw); i++) {
        agw_addr ip;
        size_t free_ports, used_ports;
        char text[AGW_ADDR_TEXT];
        agw_gateway_ports_of(gw, i, &ip, &free_ports, &used_ports);
        agw_addr_ip_text(&ip, text, sizeof text);
        g_string_append_printf(out,
                               "agw_ports{address=\"%s\",state=\"free\"} %zu\n"
                               "agw_ports{address=\"%s\",state=\"used\"} %zu\n",
                               text, free_ports, text, used_ports);
    }
}

static void write_load(GString *out, agw_gateway *gw)
{
    agw_gateway_load load;
    agw_gateway_get_load(gw, &load);
    ratio(out, "agw_load_limit_ratio", "New calls are refused above it; 0: never for load.",
          load.limit);
    number(out, "agw_refusing_calls", "1: new calls that are not urgent are refused now.",
           load.closed);
    ratio(out, "agw_coding_limit_ratio",
          "New calls whose codecs would be changed are refused above it; 0: never for load.",
          load.coding_limit);
    number(out, "agw_refusing_coding", "1: of new calls those are refused now.",
           load.coding_closed);
    ratio(out, "agw_control_busy_ratio", "Of its time the control thread works.", load.control);
    ratio(out, "agw_handshake_busy_ratio", "Of its time the busiest handshake thread works.",
          load.handshakes);
}

static void write_streams(GString *out, const agw_streams_counters *c)
{
    static const char NAME[] = "agw_ng_connections_closed_total";
    number(out, "agw_ng_connections_total", "ng connections that were accepted.", c->accepted);
    head_of_number(out, NAME, "ng connections that we closed, by reason.");
    labelled(out, NAME, "reason", "not allowed", c->not_allowed);
    labelled(out, NAME, "reason", "too many", c->too_many);
    labelled(out, NAME, "reason", "malformed", c->malformed);
    labelled(out, NAME, "reason", "slow", c->slow);
    labelled(out, NAME, "reason", "idle", c->idle);
}

static void write_control(GString *out, const agw_control *ctl)
{
    head_of_number(out, "agw_commands_total", "Commands of the ng protocol that were run.");
    for (size_t i = 0; i < AGW_COMMAND_KINDS; i++)
        labelled(out, "agw_commands_total", "command", agw_command_name(i), ctl->requests[i]);
    number(out, "agw_command_errors_total", "Replies that were errors.", ctl->errors);
    number(out, "agw_events_total", "Events that were told.", agw_events_count(ctl->events));
    number(out, "agw_events_lost_total", "Events that did not reach somebody.",
           agw_events_lost(ctl->events));
    write_streams(out, &ctl->streams);
}

static void write_handshake_threads(GString *out, const agw_gateway *gw)
{
    agw_thread_use use;
    agw_gateway_get_handshake_use(gw, &use);
    seconds(out, "agw_handshake_cpu_seconds_total", "CPU time of the handshake threads.", use.cpu);
    number(out, "agw_handshake_mailbox_messages", "Messages that wait for the handshake threads.",
           use.mail);
}

static agw_ns ns_of(struct timeval t)
{
    return AGW_S(t.tv_sec) + AGW_US(t.tv_usec);
}

static uint64_t resident_bytes(void)
{
    char line[128];
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    const char *pages =
        fgets(line, sizeof line, f) != NULL ? strchr(line, ' ') : NULL; /* proc(5) */
    fclose(f);
    return pages != NULL ? strtoull(pages, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void write_process(GString *out, const agw_control *ctl, agw_ns now)
{
    struct rusage used;
    head_of_number(out, "agw_build_info", "The program; always 1.");
    labelled(out, "agw_build_info", "version", AGW_VERSION, 1);
    seconds(out, "agw_uptime_seconds", "Time since the start.", now - ctl->started_at);
    if (getrusage(RUSAGE_SELF, &used) == 0)
        seconds(out, "process_cpu_seconds_total", "CPU time of all threads.",
                ns_of(used.ru_utime) + ns_of(used.ru_stime));
    number(out, "process_resident_memory_bytes", "Memory that is resident.", resident_bytes());
}

/* --- workers -----------------------------------------------------------------------------------
 */

static void per_worker(GString *out, const char *name, size_t worker)
{
    g_string_append_printf(out, "%s{worker=\"%zu\"}", name, worker);
}

static void write_numbers(GString *out, const agw_gateway *gw)
{
    const agw_stats_number *n;
    for (size_t i = 0; (n = agw_stats_number_at(i)) != NULL; i++) {
        head_of_number(out, n->metric, n->help);
        for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
            per_worker(out, n->metric, w);
            append_int(out, agw_stats_number_of(agw_gateway_worker_stats(gw, w), n));
        }
    }
}

static void write_uses(GString *out, const agw_gateway *gw)
{
    static const char CPU[] = "agw_worker_cpu_seconds_total",
                      MAIL[] = "agw_worker_mailbox_messages";
    agw_thread_use use;
    head_of_number(out, CPU, "CPU time of the worker's thread.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        agw_gateway_get_worker_use(gw, w, &use);
        per_worker(out, CPU, w);
        append_seconds(out, (uint64_t)use.cpu);
    }
    head_of_number(out, MAIL, "Messages that wait for the worker.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        agw_gateway_get_worker_use(gw, w, &use);
        per_worker(out, MAIL, w);
        append_int(out, use.mail);
    }
}

static void write_worker_loads(GString *out, const agw_gateway *gw)
{
    static const char BUSY[] = "agw_worker_busy_seconds_total", LOAD[] = "agw_worker_load_ratio";
    head_of_number(out, BUSY, "Time that the worker did not wait, or had to wait for a processor.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        per_worker(out, BUSY, w);
        append_seconds(out, agw_counter_get(&agw_gateway_worker_stats(gw, w)->busy_ns));
    }
    head_of_number(out, LOAD, "What is compared with the limit before it takes a new call.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        agw_worker_load load;
        agw_gateway_get_worker_load(gw, w, &load);
        per_worker(out, LOAD, w);
        append_ratio(out, load.expected);
    }
}

/* Codec changes of one direction each, the time that they take, and what of it the table foresaw.
 */
static void write_coding(GString *out, const agw_gateway *gw)
{
    static const char CHAINS[] = "agw_codec_changes", TIME[] = "agw_coding_seconds_total",
                      COST[] = "agw_coding_cost_ratio";
    head_of_number(out, CHAINS, "Streams whose codec is changed now.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        per_worker(out, CHAINS, w);
        append_int(out, agw_counter_get(&agw_gateway_worker_stats(gw, w)->chains));
    }
    head_of_number(out, TIME, "Of agw_worker_busy_seconds_total: spent on codecs.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        per_worker(out, TIME, w);
        append_seconds(out, agw_counter_get(&agw_gateway_worker_stats(gw, w)->coding_ns));
    }
    head_of_number(out, COST, "What codecs cost here, by what the codec table says.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        agw_worker_load load;
        agw_gateway_get_worker_load(gw, w, &load);
        per_worker(out, COST, w);
        append_ratio(out, load.coding_permille);
    }
}

static void write_drops(GString *out, const agw_gateway *gw)
{
    static const char NAME[] = "agw_dropped_packets_total";
    head_of_number(out, NAME, "Packets that were not forwarded, by reason.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        const agw_worker_stats *stats = agw_gateway_worker_stats(gw, w);
        for (size_t reason = AGW_DROP_NONE + 1; reason < AGW_DROP_COUNT; reason++) {
            g_string_append_printf(out, "%s{worker=\"%zu\",reason=\"%s\"}", NAME, w,
                                   agw_drop_text((agw_drop)reason));
            append_int(out, agw_counter_get(&stats->drops[reason]));
        }
    }
}

/* Finer than those: a refused message may be answered, and DTLS records are no packets. */
static void write_ice_drops(GString *out, const agw_gateway *gw)
{
    static const char NAME[] = "agw_ice_dropped_messages_total";
    head_of_number(out, NAME, "STUN messages of calls that ICE did not act on, by reason.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        const char *reason;
        uint64_t n;
        for (size_t i = 0; (reason = agw_gateway_ice_drops(gw, w, i, &n)) != NULL; i++) {
            g_string_append_printf(out, "%s{worker=\"%zu\",reason=\"%s\"}", NAME, w, reason);
            append_int(out, n);
        }
    }
}

static void write_dtls_drops(GString *out, const agw_gateway *gw)
{
    static const char NAME[] = "agw_dtls_dropped_records_total";
    const char *reason;
    uint64_t n;
    head_of_number(out, NAME, "DTLS records that were not used, by reason.");
    for (size_t i = 0; (reason = agw_gateway_dtls_drops(gw, i, &n)) != NULL; i++)
        labelled(out, NAME, "reason", reason, n);
}

static void write_batches_of(GString *out, const char *name, size_t worker,
                             const agw_worker_stats *stats)
{
    uint64_t n = 0;
    for (size_t i = 0; i < AGW_BATCH_SIZES; i++) {
        n += agw_counter_get(&stats->batches[i]);
        g_string_append_printf(out, "%s_bucket{worker=\"%zu\",le=\"%u\"} %" PRIu64 "\n", name,
                               worker, agw_stats_batch_max(i), n);
    }
    g_string_append_printf(
        out,
        "%s_bucket{worker=\"%zu\",le=\"+Inf\"} %" PRIu64 "\n%s_sum{worker=\"%zu\"} %" PRIu64
        "\n%s_count{worker=\"%zu\"} %" PRIu64 "\n",
        name, worker, n, name, worker, agw_counter_get(&stats->rx_packets), name, worker, n);
}

static void write_batches(GString *out, const agw_gateway *gw)
{
    static const char NAME[] = "agw_batch_packets";
    head(out, NAME, "histogram", "Packets that one turn of the worker read, if any.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++)
        write_batches_of(out, NAME, w, agw_gateway_worker_stats(gw, w));
}

static void write_transit_of(GString *out, const char *name, size_t worker,
                             const agw_histogram_view *view)
{
    for (size_t i = 0; i < G_N_ELEMENTS(TRANSIT_LIMITS); i++) {
        char le[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(le, sizeof le, "%g", (double)TRANSIT_LIMITS[i] / 1e9);
        g_string_append_printf(out, "%s_bucket{worker=\"%zu\",le=\"%s\"} %" PRIu64 "\n", name,
                               worker, le, agw_histogram_up_to(view, TRANSIT_LIMITS[i]));
    }
    g_string_append_printf(out, "%s_bucket{worker=\"%zu\",le=\"+Inf\"} %" PRIu64 "\n", name, worker,
                           view->count);
    g_string_append_printf(out, "%s_sum{worker=\"%zu\"}", name, worker);
    append_seconds(out, view->sum);
    g_string_append_printf(out, "%s_count{worker=\"%zu\"} %" PRIu64 "\n", name, worker,
                           view->count);
}

static void write_transits(GString *out, const agw_gateway *gw)
{
    static const char NAME[] = "agw_transit_seconds";
    head(out, NAME, "histogram",
         "From the kernel's receiving of an RTP packet to our sending it, of one packet in 64.");
    for (size_t w = 0; w < agw_gateway_workers(gw); w++) {
        agw_histogram_view view = {0};
        agw_histogram_collect(&view, &agw_gateway_worker_stats(gw, w)->transit);
        write_transit_of(out, NAME, w, &view);
    }
}

static void write_mos(GString *out, const agw_control *ctl)
{
    static const int LIMITS_X10[] = {10, 20, 25, 30, 33, 36, 38, 40, 41, 42, 43, 44, 45};
    static const char NAME[] = "agw_mos";
    const agw_quality_counts *counts = agw_calls_quality(ctl->calls);
    const uint64_t n = agw_quality_up_to(counts, AGW_MOS_X10_MAX);
    head(out, NAME, "histogram", "MOS (G.107) of audio that came in, one sample every 10 s.");
    for (size_t i = 0; i < G_N_ELEMENTS(LIMITS_X10); i++)
        g_string_append_printf(out, "%s_bucket{le=\"%d.%d\"} %" PRIu64 "\n", NAME,
                               LIMITS_X10[i] / 10, LIMITS_X10[i] % 10,
                               agw_quality_up_to(counts, LIMITS_X10[i]));
    g_string_append_printf(out,
                           "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 ".%" PRIu64
                           "\n%s_count %" PRIu64 "\n",
                           NAME, n, NAME, counts->sum_x10 / 10, counts->sum_x10 % 10, NAME, n);
}

void agw_metrics_write(GString *out, const agw_control *ctl, agw_ns now)
{
    write_process(out, ctl, now);
    write_calls(out, ctl);
    write_ports(out, ctl->gateway);
    write_load(out, ctl->gateway);
    write_control(out, ctl);
    write_handshake_threads(out, ctl->gateway);
    seconds(out, "agw_tick_seconds", "A busy worker wakes so often.",
            AGW_US(ctl->config->gateway.tick_us));
    write_numbers(out, ctl->gateway);
    write_uses(out, ctl->gateway);
    write_worker_loads(out, ctl->gateway);
    write_coding(out, ctl->gateway);
    write_drops(out, ctl->gateway);
    write_ice_drops(out, ctl->gateway);
    write_dtls_drops(out, ctl->gateway);
    write_batches(out, ctl->gateway);
    write_transits(out, ctl->gateway);
    write_mos(out, ctl);
}
