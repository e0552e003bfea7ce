/* SPDX-License-Identifier: BSD-3-Clause
 * A call whose browser comes by TCP: whole, through a gateway with its threads. */
#include "agw/world.h"

typedef struct talk {
    world w;
    party browser, phone, phone_rtcp;
} talk;

static void talk_open(talk *t)
{
    world_open(&t->w, 1);
    party_open(&t->browser);
    party_open(&t->phone);
    party_open(&t->phone_rtcp);
    browser_make(&t->browser);
    agw_plan *plan = agw_plan_new(2, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    plan_browser(plan, &t->w.access, &t->browser);
    plan_phone(&plan->transports[1], &t->w.core[0], &t->phone, &t->phone_rtcp);
    plan_media(&plan->medias[0], AUDIO, AGW_MEDIA_AUDIO, PT_AUDIO, t->w.access.id, t->w.core[0].id);
    world_apply(&t->w, plan);
}

static void talk_close(talk *t)
{
    world_close(&t->w);
    party_close(&t->browser);
    party_close(&t->phone);
    party_close(&t->phone_rtcp);
}

static int dial(const talk *t)
{
    struct sockaddr_storage ss;
    const socklen_t len = agw_addr_to_sockaddr(&t->w.access.rtp[0], &ss);
    const int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&ss, len), 0);
    return fd;
}

/* From now on the browser speaks by this descriptor. */
static void move_to(party *b, int fd, bool tcp)
{
    b->fd = fd;
    b->tcp = tcp;
}

/* Dials, checks, nominates. */
static void come_by_tcp(talk *t)
{
    move_to(&t->browser, dial(t), true);
    CU_ASSERT_TRUE_FATAL(browser_check(&t->browser, &t->w.access));
}

static void connect_by_tcp(talk *t)
{
    close(t->browser.fd);
    come_by_tcp(t);
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t->browser, &t->w.access, AGW_DTLS_CLIENT));
    CU_ASSERT_TRUE_FATAL(wait_event(&t->w, AGW_EVENT_DTLS_ESTABLISHED));
}

static void audio_passes(talk *t, uint16_t seq)
{
    uint8_t buf[DATAGRAM];
    browser_rtp(&t->browser, &t->w.access.rtp[0], PT_AUDIO, 0x11, seq);
    CU_ASSERT_EQUAL_FATAL(hear(&t->phone, buf, PATIENCE_MS), 172);
    CU_ASSERT_EQUAL(agw_get16(buf + 2), seq);
    phone_rtp(&t->phone, &t->w.core[0].rtp[0], PT_AUDIO, 0x22, seq);
    CU_ASSERT_EQUAL_FATAL(browser_hear(&t->browser, false, buf, PATIENCE_MS), 172);
}

static const agw_worker_stats *stats_of(const talk *t)
{
    return agw_gateway_worker_stats(t->w.gw, 0);
}

static bool comes_to(const agw_counter *counter, uint64_t n)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_counter_get(counter) != n && agw_clock_now() < until)
        poll(NULL, 0, 1);
    return agw_counter_get(counter) == n;
}

/* The peer of this descriptor has closed, or does so in time. */
static bool ends(int fd)
{
    uint8_t rest[DATAGRAM];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, PATIENCE_MS) == 1) {
        if (recv(fd, rest, sizeof rest, MSG_DONTWAIT) <= 0)
            return true;
    }
    return false;
}

static const agw_event *last_event(const world *w, agw_event_kind kind)
{
    const agw_event *found = NULL;
    for (size_t i = 0; i < w->n_events; i++) {
        if (w->events[i].kind == kind)
            found = &w->events[i];
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

static void test_ice_tcp_334_5_20_1_call_both_ways(void)
{
    talk t;
    talk_open(&t);
    CU_ASSERT_TRUE(t.w.access.tcp && !t.w.core[0].tcp);
    connect_by_tcp(&t);
    for (uint16_t seq = 1; seq <= 50; seq++)
        audio_passes(&t, seq);
    const agw_event *connected = last_event(&t.w, AGW_EVENT_ICE_CONNECTED);
    CU_ASSERT_TRUE(connected->tcp);
    CU_ASSERT_STRING_EQUAL(connected->detail, "tcp");
    CU_ASSERT_EQUAL(agw_counter_get(&stats_of(&t)->tcp_open), 1);
    talk_close(&t);
}

static void test_ice_tcp_the_gateway_can_be_the_dtls_client(void)
{
    talk t;
    talk_open(&t);
    agw_plan *plan = agw_plan_new(2, 1);
    plan_browser(plan, &t.w.access, &t.browser);
    plan_phone(&plan->transports[1], &t.w.core[0], &t.phone, &t.phone_rtcp);
    plan_media(&plan->medias[0], AUDIO, AGW_MEDIA_AUDIO, PT_AUDIO, t.w.access.id, t.w.core[0].id);
    plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    world_apply(&t.w, plan);
    close(t.browser.fd);
    come_by_tcp(&t);
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_SERVER));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_ESTABLISHED));
    audio_passes(&t, 1);
    talk_close(&t);
}

/* By nomination, as between any two pairs; the keys stay. */
static void test_ice_tcp_call_moves_from_udp_to_tcp_and_back(void)
{
    talk t;
    talk_open(&t);
    const int udp = t.browser.fd;
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_CLIENT));
    audio_passes(&t, 1);
    come_by_tcp(&t);
    audio_passes(&t, 2);
    const int tcp = t.browser.fd;
    CU_ASSERT_TRUE(wait_event(&t.w, AGW_EVENT_ICE_SELECTED));
    CU_ASSERT_STRING_EQUAL(last_event(&t.w, AGW_EVENT_ICE_SELECTED)->detail, "tcp");
    CU_ASSERT_STRING_EQUAL(last_event(&t.w, AGW_EVENT_ICE_CONNECTED)->detail, "udp");
    CU_ASSERT_EQUAL(agw_counter_get(&stats_of(&t)->handshakes_done), 1);
    party fresh; /* not where it was: a peer that goes to and fro is another matter */
    party_open(&fresh);
    move_to(&t.browser, fresh.fd, false);
    t.w.n_events = 0;
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_ICE_SELECTED));
    CU_ASSERT_STRING_EQUAL(last_event(&t.w, AGW_EVENT_ICE_SELECTED)->detail, "udp");
    audio_passes(&t, 3);
    close(tcp);
    close(udp);
    talk_close(&t);
}

static void test_ice_tcp_lost_connection_is_replaced_by_another(void)
{
    talk t;
    talk_open(&t);
    connect_by_tcp(&t);
    audio_passes(&t, 1);
    close(t.browser.fd);
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_open, 0));
    uint8_t buf[DATAGRAM];
    phone_rtp(&t.phone, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 2); /* to nobody */
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_SEND, 1));
    come_by_tcp(&t);
    audio_passes(&t, 3);
    CU_ASSERT_EQUAL(hear(&t.phone, buf, 0), 0);
    talk_close(&t);
}

static void test_ice_tcp_ended_call_closes_its_connection(void)
{
    talk t;
    talk_open(&t);
    connect_by_tcp(&t);
    world_end_call(&t.w);
    CU_ASSERT_TRUE(ends(t.browser.fd));
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_open, 0));
    talk_close(&t);
}

/* --- strangers -------------------------------------------------------------------------------- */

static void expect_refused(talk *t, uint64_t n)
{
    CU_ASSERT_TRUE(ends(t->browser.fd));
    CU_ASSERT_TRUE(comes_to(&stats_of(t)->tcp_refused_first, n));
    CU_ASSERT_TRUE(comes_to(&stats_of(t)->tcp_open, 0));
    close(t->browser.fd);
    move_to(&t->browser, dial(t), true);
}

static void test_ice_tcp_first_packet_must_be_an_authentic_check(void)
{
    talk t;
    uint8_t buf[DATAGRAM] = {0};
    talk_open(&t);
    const agw_addr *to = &t.w.access.rtp[0];
    close(t.browser.fd);
    move_to(&t.browser, dial(&t), true);
    browser_check_as(&t.browser, &t.w.access, "wrongwrongwrongwrongwrong", true);
    expect_refused(&t, 1);
    CU_ASSERT_EQUAL(drops(&t.w, AGW_DROP_STUN_AUTH), 1);
    agw_transport_info nobody = t.w.access;
    memset(nobody.ufrag, '/', AGW_UFRAG_LEN);
    browser_check_as(&t.browser, &nobody, nobody.pwd, true);
    expect_refused(&t, 2);
    CU_ASSERT_EQUAL(drops(&t.w, AGW_DROP_NO_PLAN), 1);
    buf[1] = 1; /* a plain Binding request, which is served over UDP */
    agw_put32(buf + 4, 0x2112A442);
    say(&t.browser, to, buf, 20);
    expect_refused(&t, 3);
    say(&t.browser, to, buf, make_rtp(buf, PT_AUDIO, 1, 1));
    expect_refused(&t, 4);
    say(&t.browser, to, "GET / HTTP/1.1\r\n\r\n", 18);
    expect_refused(&t, 5);
    CU_ASSERT_EQUAL(agw_counter_get(&stats_of(&t)->stun_served), 0);
    CU_ASSERT_EQUAL(agw_counter_get(&stats_of(&t)->stun_answered), 0);
    talk_close(&t);
}

/* Dials, and sends a check that is authentic and answered with an error. */
static void come_refused(talk *t, uint32_t id)
{
    uint8_t buf[DATAGRAM];
    char username[64];
    move_to(&t->browser, dial(t), true);
    snprintf(username, sizeof username, "%s:%s", t->w.access.ufrag, BROWSER_UFRAG);
    const check c = {.username = username, .pwd = t->w.access.pwd, .no_priority = true, .id = id};
    say(&t->browser, &t->w.access.rtp[0], buf, check_write(&c, buf, sizeof buf));
    CU_ASSERT_TRUE(hear(&t->browser, buf, PATIENCE_MS) > 20 && buf[0] == 1 && buf[1] == 0x11);
}

/* A role conflict is answered and resolved on the same connection. */
static void test_ice_tcp_authentic_check_that_is_refused_keeps_the_connection(void)
{
    talk t;
    talk_open(&t);
    close(t.browser.fd);
    come_refused(&t, 77);
    CU_ASSERT_TRUE(browser_check(&t.browser, &t.w.access));
    talk_close(&t);
}

/* They count like others, and end with the call; the one that media goes on is not the one that
 * makes room. */
static void test_ice_tcp_refused_checks_keep_sixteen_connections_until_the_call_ends(void)
{
    enum { N = 40 };
    talk t;
    int fds[N];
    talk_open(&t);
    connect_by_tcp(&t);
    const int talking = t.browser.fd;
    for (uint32_t i = 0; i < N; i++) {
        come_refused(&t, 1000 + i);
        fds[i] = t.browser.fd;
    }
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_accepted, 1 + N));
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_open, 16));
    move_to(&t.browser, talking, true);
    audio_passes(&t, 1);
    world_end_call(&t.w);
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_open, 0));
    for (size_t i = 0; i < N; i++)
        close(fds[i]);
    talk_close(&t);
}

/* Each has proved itself; a transport keeps so many addresses and no more. */
static void test_ice_tcp_oldest_of_seventeen_connections_ends(void)
{
    talk t;
    int fds[17];
    talk_open(&t);
    close(t.browser.fd);
    for (size_t i = 0; i < 17; i++) {
        come_by_tcp(&t);
        fds[i] = t.browser.fd;
    }
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_accepted, 17));
    CU_ASSERT_TRUE(comes_to(&stats_of(&t)->tcp_open, 16));
    CU_ASSERT_TRUE(ends(fds[0]));
    for (size_t i = 0; i < 16; i++)
        close(fds[i]);
    talk_close(&t);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_ice_tcp_334_5_20_1_call_both_ways),
    AGW_CASE(test_ice_tcp_the_gateway_can_be_the_dtls_client),
    AGW_CASE(test_ice_tcp_call_moves_from_udp_to_tcp_and_back),
    AGW_CASE(test_ice_tcp_lost_connection_is_replaced_by_another),
    AGW_CASE(test_ice_tcp_ended_call_closes_its_connection),
    AGW_CASE(test_ice_tcp_first_packet_must_be_an_authentic_check),
    AGW_CASE(test_ice_tcp_authentic_check_that_is_refused_keeps_the_connection),
    AGW_CASE(test_ice_tcp_refused_checks_keep_sixteen_connections_until_the_call_ends),
    AGW_CASE(test_ice_tcp_oldest_of_seventeen_connections_ends),
};

AGW_UNIT_MAIN("ice_tcp", CASES)
