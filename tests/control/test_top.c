/* SPDX-License-Identifier: BSD-3-Clause
 * control/top: what two statistics documents of known numbers look like on a screen. */
#include "control/top.h"

#include "control/rig.h"
#include "control/stats.h"

typedef struct scene {
    rig r;
    agw_worker_stats *stats;
    agw_doc *before, *now;
    agw_top_style style;
} scene;

static agw_doc *look(scene *s)
{
    return agw_stats_doc(&s->r.ctl, s->r.now, (agw_stats_parts){.histograms = true});
}

static void scene_open(scene *s)
{
    memset(s, 0, sizeof *s);
    rig_init(&s->r, NULL);
    s->r.config.gateway.tick_us = 500;
    s->r.ctl.started_at = s->r.now - AGW_S(10);
    s->stats = fake_gateway_stats(s->r.gateway);
    s->style = (agw_top_style){.server = "192.0.2.1:22222", .columns = 80};
    agw_counter_set(&s->stats->rx_packets, 5000);
    agw_histogram_add(&s->stats->transit, (uint64_t)AGW_S(1)); /* long ago: not to be seen */
    s->before = look(s);
    s->r.now += AGW_S(2);
}

static void scene_close(scene *s)
{
    agw_doc_free(s->before);
    agw_doc_free(s->now);
    rig_fini(&s->r);
}

static char *screen_of(scene *s)
{
    GString *out = g_string_new(NULL);
    agw_doc_free(s->now);
    s->now = look(s);
    CU_ASSERT_TRUE_FATAL(agw_top_follows(s->before, s->now));
    agw_top_render(out, s->before, s->now, &s->style);
    return g_string_free(out, FALSE);
}

static bool shows(scene *s, const char *lines)
{
    char *screen = screen_of(s);
    const bool found = strstr(screen, lines) != NULL;
    if (!found)
        printf("\n    not on the screen: %s\n%s\n", lines, screen);
    g_free(screen);
    return found;
}

static void talk(scene *s)
{
    agw_counter_add(&s->stats->busy_ns, (uint64_t)AGW_MS(600));
    agw_counter_add(&s->stats->rx_packets, 3000);
    agw_counter_add(&s->stats->tx_packets, 2000);
    agw_counter_add(&s->stats->batches[3], 150);
    agw_counter_add(&s->stats->batches[4], 50);
    agw_counter_set(&s->stats->calls, 12);
    for (uint64_t i = 1; i <= 1000; i++)
        agw_histogram_add(&s->stats->transit, i * 1000);
}

static void test_top_shows_rates_of_a_worker_and_of_all(void)
{
    scene s;
    scene_open(&s);
    talk(&s);
    CU_ASSERT_TRUE(shows(
        &s, "\nWORKER BUSY%  CPU% US/PKT  IN/S OUT/S BATCH P50us P99us P99.9 DROP/S CALLS MAIL\n"
            "0       30.0     0    0.0  1500  1000  15.0   501   997  1014      0    12    3\n"
            "all     30.0     0    0.0  1500  1000  15.0   501   997  1014      0    12    3\n"));
    CU_ASSERT_TRUE(shows(&s, "\ntransit us  p50 501   p99 997   p99.9 1014   max 1016   of 1000 "
                             "samples\n"));
    scene_close(&s);
}

static void test_top_shows_calls_and_commands(void)
{
    scene s;
    scene_open(&s);
    s.r.ctl.refused += 5;
    s.r.ctl.requests[1] += 10;
    s.r.ctl.errors += 1;
    CU_ASSERT_TRUE(shows(&s,
                         "agwd at 192.0.2.1:22222   up 12 s   tick 500 us   over the last 2.0 s\n"
                         "calls       0   set up 0.0/s   refused 2.5/s   ports 0 of "));
    CU_ASSERT_TRUE(shows(&s, "\nload        83 %   limit 80 %   control 3 %   handshakes 0 %\n"));
    fake_gateway_refuse(s.r.gateway, "CPU usage limit exceeded", NULL);
    CU_ASSERT_TRUE(shows(&s, "\nload        83 %   REFUSING CALLS   limit 80 %   "));
    CU_ASSERT_TRUE(shows(&s, "\ncommands    5.0/s   errors 0.5/s   events 0.0/s   lost 0.0/s\n"));
    scene_close(&s);
}

static void test_top_names_the_reasons_of_drops_largest_first(void)
{
    scene s;
    scene_open(&s);
    CU_ASSERT_TRUE(shows(&s, "\ndrops/s     none\n"));
    agw_counter_add(&s.stats->drops[AGW_DROP_SRTP_AUTH], 4);
    agw_counter_add(&s.stats->drops[AGW_DROP_NO_CALL], 240000);
    agw_counter_add(&s.stats->kernel_drops, 1);
    CU_ASSERT_TRUE(shows(&s, "\ndrops/s     no-call 120k   srtp-auth 2.0   (kernel) 0.5\n"));
    scene_close(&s);
}

static void test_top_tells_of_rings_where_there_are_some(void)
{
    scene s;
    scene_open(&s);
    talk(&s);
    char *screen = screen_of(&s);
    CU_ASSERT_PTR_NULL(strstr(screen, "AF_XDP"));
    g_free(screen);
    agw_counter_add(&s.stats->fast_rx, 2700);
    agw_counter_add(&s.stats->fast_tx, 2000);
    CU_ASSERT_TRUE(shows(&s, "\nAF_XDP      90.0 % of the packets in   100.0 % out\n"));
    scene_close(&s);
}

static void test_top_lines_are_cut_to_the_terminal(void)
{
    scene s;
    scene_open(&s);
    s.style.columns = 20;
    char *screen = screen_of(&s), **lines = g_strsplit(screen, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        CU_ASSERT_TRUE(strlen(lines[i]) <= 20);
    CU_ASSERT_STRING_EQUAL(lines[0], "agwd at 192.0.2.1:22");
    g_strfreev(lines);
    g_free(screen);
    scene_close(&s);
}

static void test_top_all_is_within_80_columns(void)
{
    scene s;
    scene_open(&s);
    s.style.columns = 200;
    agw_counter_add(&s.stats->rx_packets, 25000000);
    agw_counter_add(&s.stats->tx_packets, 25000000);
    agw_counter_add(&s.stats->batches[6], 400000);
    agw_counter_add(&s.stats->drops[AGW_DROP_NO_CALL], 25000000);
    agw_counter_set(&s.stats->calls, 65536);
    char *screen = screen_of(&s), **lines = g_strsplit(screen, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        CU_ASSERT_TRUE(strlen(lines[i]) <= 80);
    g_strfreev(lines);
    g_free(screen);
    scene_close(&s);
}

static void test_top_shows_the_busiest_workers_that_fit(void)
{
    enum { ROWS = 24, WORKERS = 16 };
    scene s;
    scene_open(&s);
    fake_gateway_set_workers(s.r.gateway, WORKERS);
    agw_doc_free(s.before);
    s.before = look(&s);
    s.r.now += AGW_S(1);
    s.style.rows = ROWS;
    for (uint64_t i = 0; i < WORKERS; i++)
        agw_counter_add(&s.stats[i].busy_ns, i * (uint64_t)AGW_MS(10));
    agw_counter_add(&s.stats[0].fast_rx, 1); /* the line about rings is there, too */
    CU_ASSERT_TRUE(shows(&s, "MAIL\n15      15.0 "));
    CU_ASSERT_TRUE(shows(&s, "\n6        6.0     0      -     0     0     -     -     -     -      "
                             "0     0    3\nand 6 less busy\nall      120 "));
    char *screen = screen_of(&s), **lines = g_strsplit(screen, "\n", -1);
    CU_ASSERT_TRUE(g_strv_length(lines) <= ROWS + 1); /* behind the last line end is nothing */
    g_strfreev(lines);
    g_free(screen);
    scene_close(&s);
}

static void test_top_a_restart_is_no_rate(void)
{
    scene s;
    scene_open(&s);
    CU_ASSERT_FALSE(agw_top_follows(s.before, s.before));
    s.r.ctl.started_at = s.r.now - AGW_S(1);
    s.now = look(&s);
    CU_ASSERT_FALSE(agw_top_follows(s.before, s.now));
    scene_close(&s);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_top_shows_rates_of_a_worker_and_of_all),
    AGW_CASE(test_top_shows_calls_and_commands),
    AGW_CASE(test_top_names_the_reasons_of_drops_largest_first),
    AGW_CASE(test_top_tells_of_rings_where_there_are_some),
    AGW_CASE(test_top_lines_are_cut_to_the_terminal),
    AGW_CASE(test_top_all_is_within_80_columns),
    AGW_CASE(test_top_shows_the_busiest_workers_that_fit),
    AGW_CASE(test_top_a_restart_is_no_rate),
};

AGW_UNIT_MAIN("top", CASES)
