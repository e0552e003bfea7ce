/* SPDX-License-Identifier: BSD-3-Clause
 * control/metrics: the lines of text format 0.0.4 for known numbers. Whether the whole of it is
 * well formed: tests/control/test_agwd. */
#include "control/metrics.h"

#include "control/rig.h"

static char *scrape(rig *r)
{
    GString *out = g_string_new(NULL);
    agw_metrics_write(out, &r->ctl, r->now);
    return g_string_free(out, FALSE);
}

static bool has(const char *text, const char *lines)
{
    const bool found = strstr(text, lines) != NULL;
    if (!found)
        printf("\n    not there: %s\n", lines);
    return found;
}

static void test_metrics_of_the_program(void)
{
    rig r;
    rig_init(&r, NULL);
    r.ctl.started_at = r.now - AGW_MS(61500);
    r.config.gateway.tick_us = 500;
    r.ctl.refused = 3;
    r.ctl.refused_urgent = 1;
    r.ctl.requests[1] = 7;
    char *text = scrape(&r);
    CU_ASSERT_TRUE(
        has(text, "# TYPE agw_build_info gauge\nagw_build_info{version=\"" AGW_VERSION "\"} 1\n"));
    CU_ASSERT_TRUE(has(text, "# TYPE agw_uptime_seconds gauge\nagw_uptime_seconds 61.500000000\n"));
    CU_ASSERT_TRUE(
        has(text, "# TYPE agw_calls_refused_total counter\nagw_calls_refused_total 3\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_calls_refused_urgent_total 1\n"));
    CU_ASSERT_TRUE(has(text, "# TYPE agw_load_limit_ratio gauge\nagw_load_limit_ratio 0.800\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_refusing_calls 0\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_control_busy_ratio 0.030\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_handshake_busy_ratio 0.000\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_calls_ended_total{reason=\"inactivity\"} 0\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_commands_total{command=\"offer\"} 7\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_handshake_cpu_seconds_total 0.400000000\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_tick_seconds 0.000500000\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "\nprocess_resident_memory_bytes 0\n"));
    g_free(text);
    rig_fini(&r);
}

/* A sum would hide the address that has no port left behind the one that uses none. */
static void test_metrics_ports_of_each_address(void)
{
    rig r;
    rig_init(&r, NULL);
    char *text = scrape(&r);
    CU_ASSERT_TRUE(has(text, "# TYPE agw_ports gauge\n"
                             "agw_ports{address=\"10.0.0.1\",state=\"free\"} 100\n"
                             "agw_ports{address=\"10.0.0.1\",state=\"used\"} 0\n"
                             "agw_ports{address=\"10.1.0.1\",state=\"free\"} 200\n"
                             "agw_ports{address=\"10.1.0.1\",state=\"used\"} 1\n"));
    g_free(text);
    rig_fini(&r);
}

static void test_metrics_of_a_worker(void)
{
    rig r;
    rig_init(&r, NULL);
    agw_worker_stats *stats = fake_gateway_stats(r.gateway);
    agw_counter_set(&stats->rx_packets, 1000);
    agw_counter_set(&stats->calls, 5);
    agw_counter_set(&stats->busy_ns, (uint64_t)AGW_MS(2500));
    agw_counter_set(&stats->drops[AGW_DROP_SRTP_AUTH], 9);
    char *text = scrape(&r);
    CU_ASSERT_TRUE(has(text, "# TYPE agw_received_packets_total counter\n"
                             "agw_received_packets_total{worker=\"0\"} 1000\n"));
    CU_ASSERT_TRUE(has(text, "# TYPE agw_worker_calls gauge\nagw_worker_calls{worker=\"0\"} 5\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_dropped_packets_total{worker=\"0\",reason=\"srtp-auth\"} 9\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_worker_cpu_seconds_total{worker=\"0\"} 1.500000000\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_worker_busy_seconds_total{worker=\"0\"} 2.500000000\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_worker_load_ratio{worker=\"0\"} 0.830\n"));
    CU_ASSERT_TRUE(has(text, "\nagw_worker_mailbox_messages{worker=\"0\"} 3\n"));
    g_free(text);
    rig_fini(&r);
}

static void test_metrics_each_reason_of_ice_and_dtls_has_a_line(void)
{
    rig r;
    rig_init(&r, NULL);
    fake_gateway_set_workers(r.gateway, 2);
    char *text = scrape(&r);
    CU_ASSERT_TRUE(has(text,
                       "# TYPE agw_ice_dropped_messages_total counter\n"
                       "agw_ice_dropped_messages_total{worker=\"0\",reason=\"integrity\"} 10\n"
                       "agw_ice_dropped_messages_total{worker=\"0\",reason=\"role\"} 11\n"
                       "agw_ice_dropped_messages_total{worker=\"1\",reason=\"integrity\"} 20\n"
                       "agw_ice_dropped_messages_total{worker=\"1\",reason=\"role\"} 21\n#"));
    CU_ASSERT_TRUE(has(text, "# TYPE agw_dtls_dropped_records_total counter\n"
                             "agw_dtls_dropped_records_total{reason=\"alert\"} 0\n"
                             "agw_dtls_dropped_records_total{reason=\"proof\"} 7\n#"));
    g_free(text);
    rig_fini(&r);
}

static void test_metrics_batches_are_cumulative(void)
{
    rig r;
    rig_init(&r, NULL);
    agw_worker_stats *stats = fake_gateway_stats(r.gateway);
    agw_counter_set(&stats->rx_packets, 201);
    agw_counter_set(&stats->batches[0], 4);
    agw_counter_set(&stats->batches[1], 2);
    agw_counter_set(&stats->batches[6], 3);
    char *text = scrape(&r);
    CU_ASSERT_TRUE(has(text, "# TYPE agw_batch_packets histogram\n"
                             "agw_batch_packets_bucket{worker=\"0\",le=\"1\"} 4\n"
                             "agw_batch_packets_bucket{worker=\"0\",le=\"3\"} 6\n"));
    CU_ASSERT_TRUE(has(text, "agw_batch_packets_bucket{worker=\"0\",le=\"63\"} 6\n"
                             "agw_batch_packets_bucket{worker=\"0\",le=\"64\"} 9\n"
                             "agw_batch_packets_bucket{worker=\"0\",le=\"+Inf\"} 9\n"
                             "agw_batch_packets_sum{worker=\"0\"} 201\n"
                             "agw_batch_packets_count{worker=\"0\"} 9\n"));
    g_free(text);
    rig_fini(&r);
}

static void test_metrics_transit_is_in_seconds_and_cumulative(void)
{
    rig r;
    rig_init(&r, NULL);
    agw_histogram *transit = &fake_gateway_stats(r.gateway)->transit;
    agw_histogram_add(transit, 10000);
    agw_histogram_add(transit, 450000);
    agw_histogram_add(transit, (uint64_t)AGW_S(2));
    char *text = scrape(&r);
    CU_ASSERT_TRUE(has(text, "# TYPE agw_transit_seconds histogram\n"
                             "agw_transit_seconds_bucket{worker=\"0\",le=\"2e-05\"} 1\n"));
    CU_ASSERT_TRUE(has(text, "agw_transit_seconds_bucket{worker=\"0\",le=\"0.0004\"} 1\n"
                             "agw_transit_seconds_bucket{worker=\"0\",le=\"0.0006\"} 2\n"));
    CU_ASSERT_TRUE(has(text, "agw_transit_seconds_bucket{worker=\"0\",le=\"1\"} 2\n"
                             "agw_transit_seconds_bucket{worker=\"0\",le=\"+Inf\"} 3\n"
                             "agw_transit_seconds_sum{worker=\"0\"} 2.000460000\n"
                             "agw_transit_seconds_count{worker=\"0\"} 3\n"));
    g_free(text);
    rig_fini(&r);
}

static void test_metrics_rtc_7_mos_is_cumulative(void)
{
    rig r;
    rig_init(&r, NULL);
    static const int64_t SEEN[] = {44, 44, 41, 10};
    for (size_t i = 0; i < G_N_ELEMENTS(SEEN); i++)
        agw_quality_count(agw_calls_quality(r.calls), &(agw_quality_sample){.mos_x10 = SEEN[i]});
    char *text = scrape(&r);
    CU_ASSERT_TRUE(has(text, "# TYPE agw_mos histogram\nagw_mos_bucket{le=\"1.0\"} 1\n"));
    CU_ASSERT_TRUE(has(text, "agw_mos_bucket{le=\"4.0\"} 1\nagw_mos_bucket{le=\"4.1\"} 2\n"));
    CU_ASSERT_TRUE(has(text, "agw_mos_bucket{le=\"4.5\"} 4\nagw_mos_bucket{le=\"+Inf\"} 4\n"
                             "agw_mos_sum 13.9\nagw_mos_count 4\n"));
    g_free(text);
    rig_fini(&r);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_metrics_of_the_program),
    AGW_CASE(test_metrics_ports_of_each_address),
    AGW_CASE(test_metrics_of_a_worker),
    AGW_CASE(test_metrics_each_reason_of_ice_and_dtls_has_a_line),
    AGW_CASE(test_metrics_batches_are_cumulative),
    AGW_CASE(test_metrics_transit_is_in_seconds_and_cumulative),
    AGW_CASE(test_metrics_rtc_7_mos_is_cumulative),
};

AGW_UNIT_MAIN("metrics", CASES)
