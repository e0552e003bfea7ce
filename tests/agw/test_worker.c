/* SPDX-License-Identifier: BSD-3-Clause
 * One worker without its thread, on virtual time: ICE failure, consent, mailboxes that are full. */
#include "agw/call.h"
#include "agw/demux.h"
#include "agw/worker.h"
#include "agw/world.h"

typedef struct bench {
    agw_worker *w;
    agw_ring *control;
    agw_port access, core;
    agw_call *call;
    party browser, phone;
    agw_transport_info info;
    agw_media_stats stats;
    agw_ns now;
} bench;

static void no_wake(void *owner)
{
    (void)owner;
}

static void open_port(agw_port *port, bool shared)
{
    const agw_port_config config = {
        .local = loopback(), .shared = shared, .sampled = AGW_PORT_SAMPLED_SHARED};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(port, &config), AGW_OK);
}

static void bench_apply(bench *b)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_APPLY, NULL, 0);
    mail->plan = agw_plan_new(2, 1);
    mail->call = b->call;
    mail->resources = calloc(2, sizeof *mail->resources);
    mail->stats = calloc(1, sizeof(agw_media_stats *));
    agw_transport_plan *t = mail->plan->transports;
    plan_browser(mail->plan, &b->info, &b->browser);
    t[0].security = AGW_SECURITY_PLAIN; /* no handshake here: keys are not the subject */
    t[1] = (agw_transport_plan){.id = 2, .side = AGW_SIDE_B, .remote_rtp = b->phone.local};
    mail->resources[0] = (agw_resource){.id = 1, .slot = 5, .rtp = {&b->access}, .shared = true};
    mail->resources[1] = (agw_resource){.id = 2, .slot = 6, .rtp = {&b->core}};
    mail->stats[0] = &b->stats;
    plan_media(mail->plan->medias, AUDIO, AGW_MEDIA_AUDIO, PT_AUDIO, 1, 2);
    CU_ASSERT_TRUE_FATAL(agw_ring_push(b->w->mailbox, mail));
    agw_worker_turn(b->w, b->now);
}

static void bench_open(bench *b)
{
    memset(b, 0, sizeof *b);
    b->now = AGW_S(1000);
    open_port(&b->access, true);
    open_port(&b->core, false);
    agw_port *ports[] = {&b->access};
    const agw_io_config io = {.tick_us = 0};
    b->w = agw_worker_new(0, &io, ports, 1);
    b->control = agw_ring_new(64);
    CU_ASSERT_TRUE_FATAL(b->w != NULL && b->control != NULL);
    b->w->control = (agw_outbox){.ring = b->control, .wake = no_wake};
    b->call = agw_call_new(NULL, "virtual", NULL);
    party_open(&b->browser);
    party_open(&b->phone);
    browser_make(&b->browser);
    b->info.id = 1;
    b->info.rtp[0] = b->access.local;
    agw_demux_ufrag(b->info.ufrag, 5, &(agw_rand_stock){.left = 0});
    snprintf(b->info.pwd, sizeof b->info.pwd, "abcdefghijklmnopqrstuvwx");
    bench_apply(b);
}

static void bench_close(bench *b)
{
    agw_worker_free(b->w);
    for (agw_mail *mail; (mail = agw_ring_pop(b->control)) != NULL;)
        agw_mail_free(mail);
    agw_ring_free(b->control);
    agw_port_close(&b->access);
    agw_port_close(&b->core);
    party_close(&b->browser);
    party_close(&b->phone);
}

static void turn_at(bench *b, agw_ns now)
{
    b->now = now;
    while (agw_worker_turn(b->w, now))
        continue;
}

static void check_at(bench *b, agw_ns now)
{
    uint8_t buf[DATAGRAM];
    browser_check_as(&b->browser, &b->info, b->info.pwd, true);
    turn_at(b, now);
    CU_ASSERT_TRUE(hear(&b->browser, buf, PATIENCE_MS) > 20);
}

static bool told(bench *b, agw_event_kind kind)
{
    bool found = false;
    for (agw_mail *mail; (mail = agw_ring_pop(b->control)) != NULL;) {
        found |= mail->kind == AGW_MAIL_EVENT && mail->event.kind == kind;
        agw_mail_free(mail);
    }
    return found;
}

static void test_worker_rfc8863_ice_fails_after_39_5_s_without_a_check(void)
{
    bench b;
    bench_open(&b);
    turn_at(&b, AGW_S(1000) + AGW_MS(39499));
    CU_ASSERT_FALSE(told(&b, AGW_EVENT_ICE_FAILED));
    turn_at(&b, AGW_S(1000) + AGW_MS(39500));
    CU_ASSERT_TRUE(told(&b, AGW_EVENT_ICE_FAILED));
    bench_close(&b);
}

static bool passes(bench *b, uint16_t seq)
{
    uint8_t buf[DATAGRAM];
    phone_rtp(&b->phone, &b->core.local, PT_AUDIO, 0x22, seq);
    turn_at(b, b->now);
    size_t n;
    do
        n = hear(&b->browser, buf, QUIET_MS);
    while (n != 0 && n != 172); /* our own RTCP comes, too */
    return n == 172;
}

static void test_worker_rfc7675_5_1_media_stops_at_30_s_and_comes_back(void)
{
    bench b;
    bench_open(&b);
    check_at(&b, AGW_S(1001));
    CU_ASSERT_TRUE(told(&b, AGW_EVENT_ICE_CONNECTED));
    CU_ASSERT_TRUE(passes(&b, 1));
    check_at(&b, AGW_S(1003)); /* it keeps its consent fresh: from now on the rule binds it */
    turn_at(&b, AGW_S(1033) - 1);
    CU_ASSERT_FALSE(told(&b, AGW_EVENT_CONSENT_LOST));
    CU_ASSERT_TRUE(passes(&b, 2));
    turn_at(&b, AGW_S(1033));
    CU_ASSERT_TRUE(told(&b, AGW_EVENT_CONSENT_LOST));
    CU_ASSERT_FALSE(passes(&b, 3));
    CU_ASSERT_EQUAL(agw_counter_get(&b.w->stats.drops[AGW_DROP_NO_CONSENT]), 1);
    check_at(&b, AGW_S(1040));
    CU_ASSERT_TRUE(told(&b, AGW_EVENT_CONSENT_BACK));
    CU_ASSERT_TRUE(passes(&b, 4));
    bench_close(&b);
}

static uint64_t samples(const bench *b)
{
    static agw_histogram_view view;
    memset(&view, 0, sizeof view);
    agw_histogram_collect(&view, &b->w->stats.transit);
    CU_ASSERT_TRUE(agw_histogram_at(&view, 1000) < (uint64_t)AGW_S(8));
    return view.count;
}

/* What is not forwarded, or no RTP, has no transit. */
static void test_worker_counts_the_transit_of_forwarded_rtp(void)
{
    enum { SENT = 3 * AGW_PORT_SAMPLED_SHARED };
    bench b;
    bench_open(&b);
    CU_ASSERT_FALSE(passes(&b, 1)); /* has no destination yet: dropped, and it was a sample */
    CU_ASSERT_EQUAL(samples(&b), 0);
    check_at(&b, AGW_S(1001));
    for (uint16_t seq = 2; seq < SENT; seq++) {
        phone_rtp(&b.phone, &b.core.local, PT_AUDIO, 0x22, seq);
        turn_at(&b, b.now);
    }
    CU_ASSERT_EQUAL(agw_counter_get(&b.w->stats.rx_packets), SENT);
    CU_ASSERT_EQUAL(samples(&b), 2);
    CU_ASSERT_EQUAL(agw_counter_get(&b.w->stats.batches[0]), SENT);
    bench_close(&b);
}

static void test_worker_counts_batches_by_size(void)
{
    bench b;
    bench_open(&b);
    check_at(&b, AGW_S(1001)); /* a batch of one */
    for (uint16_t seq = 1; seq <= 5; seq++)
        say(&b.browser, &b.access.local, "x", 1);
    turn_at(&b, b.now);
    for (uint16_t seq = 1; seq <= AGW_PKT_BATCH; seq++)
        say(&b.browser, &b.access.local, "x", 1);
    turn_at(&b, b.now);
    const uint64_t expected[AGW_BATCH_SIZES] = {1, 0, 1, 0, 0, 0, 1};
    for (size_t i = 0; i < AGW_BATCH_SIZES; i++)
        CU_ASSERT_EQUAL(agw_counter_get(&b.w->stats.batches[i]), expected[i]);
    bench_close(&b);
}

static void test_worker_use_tells_of_waiting_mail(void)
{
    bench b;
    agw_thread_use use;
    bench_open(&b);
    CU_ASSERT_TRUE(agw_ring_push(b.w->mailbox, agw_mail_new(AGW_MAIL_STOP, NULL, 0)));
    agw_worker_get_use(b.w, &use);
    CU_ASSERT_EQUAL(use.mail, 1);
    CU_ASSERT_EQUAL(use.cpu, 0); /* no thread runs here */
    bench_close(&b);
}

static void test_worker_media_before_nomination_has_no_destination(void)
{
    bench b;
    bench_open(&b);
    CU_ASSERT_FALSE(passes(&b, 1));
    CU_ASSERT_EQUAL(agw_counter_get(&b.w->stats.drops[AGW_DROP_NO_DEST]), 1);
    bench_close(&b);
}

static void test_worker_address_of_a_busy_call_is_not_taken_over(void)
{
    bench b;
    bench_open(&b);
    check_at(&b, AGW_S(1001));
    uint8_t buf[DATAGRAM];
    say(&b.browser, &b.access.local, buf, make_rtp(buf, PT_AUDIO, 0x11, 1));
    turn_at(&b, AGW_S(1002));
    const agw_remote_key key = {b.access.id, b.browser.local};
    agw_transport *holder = agw_map_get(b.w->by_remote, &key);
    CU_ASSERT_PTR_EQUAL(holder, b.w->slots[5]);
    bench_close(&b);
}

static void test_outbox_keeps_the_order_of_what_does_not_fit(void)
{
    agw_ring *ring = agw_ring_new(4);
    agw_outbox box = {.ring = ring, .wake = no_wake};
    for (uint32_t i = 0; i < 10; i++) {
        agw_mail *mail = agw_mail_new(AGW_MAIL_STOP, NULL, 0);
        mail->id = i;
        agw_outbox_post(&box, mail);
    }
    for (uint32_t i = 0; i < 10; i++) {
        agw_mail *mail = agw_ring_pop(ring);
        CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
        CU_ASSERT_EQUAL(mail->id, i);
        agw_mail_free(mail);
        CU_ASSERT_EQUAL(agw_outbox_flush(&box), i >= 5);
    }
    agw_outbox_fini(&box);
    agw_ring_free(ring);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_worker_rfc8863_ice_fails_after_39_5_s_without_a_check),
    AGW_CASE(test_worker_rfc7675_5_1_media_stops_at_30_s_and_comes_back),
    AGW_CASE(test_worker_counts_the_transit_of_forwarded_rtp),
    AGW_CASE(test_worker_counts_batches_by_size),
    AGW_CASE(test_worker_use_tells_of_waiting_mail),
    AGW_CASE(test_worker_media_before_nomination_has_no_destination),
    AGW_CASE(test_worker_address_of_a_busy_call_is_not_taken_over),
    AGW_CASE(test_outbox_keeps_the_order_of_what_does_not_fit),
};

AGW_UNIT_MAIN("worker", cases)
