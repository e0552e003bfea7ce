/* SPDX-License-Identifier: BSD-3-Clause
 * The full agent on virtual time: against itself, against the lite agent, and against checks and
 * responses that libnice writes. */
#include "base/wire.h"
#include "checks.h"
#include "net.h"
#include "unit.h"

#define UFRAG_A "AAAAaaaa"
#define PWD_A   "passwordpasswordpasswordA"
#define UFRAG_B "BBBBbbbb"
#define PWD_B   "passwordpasswordpasswordB"
#define UFRAG_C "CCCCcccc"
#define PWD_C   "passwordpasswordpasswordC"
#define UFRAG_D "DDDDdddd"
#define PWD_D   "passwordpasswordpasswordD"

enum { A = 0, B = 1 };

static agw_ice_config config_a(bool controlling)
{
    return (agw_ice_config){.controlling = controlling,
                            .local_ufrag = UFRAG_A,
                            .local_pwd = PWD_A,
                            .remote_ufrag = UFRAG_B,
                            .remote_pwd = PWD_B};
}

static agw_ice_config config_b(bool controlling)
{
    return (agw_ice_config){.controlling = controlling,
                            .local_ufrag = UFRAG_B,
                            .local_pwd = PWD_B,
                            .remote_ufrag = UFRAG_A,
                            .remote_pwd = PWD_A};
}

static void start(net *w, bool a_controls, bool b_controls)
{
    net_start(w, A, config_a(a_controls));
    net_start(w, B, config_b(b_controls));
}

/* Two hosts with one IPv4 address each; everything is signalled. */
static void start_simple(net *w, uint32_t seed)
{
    net_init(w, seed);
    net_place(w, A, 0, "192.0.2.1:1000", NULL);
    net_place(w, B, 0, "192.0.2.2:2000", NULL);
    start(w, true, false);
    net_signal(w, A, B);
    net_signal(w, B, A);
}

static bool is_on(const net *w, int who, const char *remote)
{
    const agw_addr want = net_addr(remote);
    agw_ice_pair pair;
    return agw_ice_selected(w->node[who].ice, &pair) && agw_addr_equal(&pair.remote, &want);
}

static void assert_connected(const net *w)
{
    for (int who = 0; who < 2; who++) {
        CU_ASSERT_TRUE(agw_ice_may_send(w->node[who].ice));
        CU_ASSERT_EQUAL(w->node[who].connects, 1);
        CU_ASSERT_EQUAL(w->node[who].failed, 0);
    }
}

static void test_full_rfc8445_8_1_1_both_roles_connect_by_regular_nomination(void)
{
    net w;
    start_simple(&w, 1);
    net_run(&w, AGW_MS(250));
    assert_connected(&w);
    CU_ASSERT_TRUE(is_on(&w, A, "192.0.2.2:2000") && is_on(&w, B, "192.0.2.1:1000"));
    CU_ASSERT_TRUE(agw_ice_is_controlling(w.node[A].ice));
    CU_ASSERT_FALSE(agw_ice_is_controlling(w.node[B].ice));
    CU_ASSERT_EQUAL(w.node[A].selections, 1);
    net_stop(&w);
}

static void test_full_rfc8445_7_3_1_1_role_conflict_ends_with_one_of_each(void)
{
    for (uint32_t seed = 0; seed < 40; seed++) {
        net w;
        net_init(&w, seed);
        net_place(&w, A, 0, "192.0.2.1:1000", NULL);
        net_place(&w, B, 0, "192.0.2.2:2000", NULL);
        start(&w, seed % 2 != 0, seed % 2 != 0);
        net_signal(&w, A, B);
        if (seed % 4 < 2)
            net_signal(&w, B, A);
        net_run(&w, AGW_S(3));
        assert_connected(&w);
        CU_ASSERT_TRUE(agw_ice_is_controlling(w.node[A].ice) !=
                       agw_ice_is_controlling(w.node[B].ice));
        net_stop(&w);
    }
}

/* What A says to an authentic check that claims A's own role. */
static void expect_conflict(bool a_controls, uint64_t tie_breaker, bool a_stays)
{
    net w;
    net_init(&w, 21);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    net_start(&w, A, config_a(a_controls));
    const agw_stun_check claim = {.id = {1},
                                  .their_ufrag = UFRAG_A,
                                  .our_ufrag = UFRAG_B,
                                  .key = PWD_A,
                                  .priority = 1,
                                  .controlling = a_controls,
                                  .tie_breaker = tie_breaker};
    uint8_t buf[AGW_STUN_CHECK_MAX], reply[AGW_STUN_REPLY_MAX];
    agw_ice_result res;
    agw_stun_msg msg;
    agw_ice_on_stun(w.node[A].ice, w.now, 1, &w.node[B].own[0], buf,
                    agw_stun_write_check(&claim, buf, sizeof buf), reply, sizeof reply, &res);
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, reply, res.reply_len), AGW_OK);
    CU_ASSERT_EQUAL(msg.error_code, a_stays ? 487 : 0);
    CU_ASSERT_EQUAL(res.drop, a_stays ? AGW_ICE_DROP_ROLE : AGW_ICE_DROP_NONE);
    CU_ASSERT_EQUAL(agw_ice_is_controlling(w.node[A].ice), a_controls == a_stays);
    net_stop(&w);
}

static void test_full_rfc8445_7_3_1_1_the_larger_tie_breaker_controls(void)
{
    expect_conflict(true, 0, true);
    expect_conflict(true, UINT64_MAX, false);
    expect_conflict(false, 0, false);
    expect_conflict(false, UINT64_MAX, true);
}

/* The peer's checks come, ours are not answered: nothing can be sent. */
static void test_full_rfc8863_4_checks_of_the_peer_do_not_extend_the_patience(void)
{
    net w;
    net_init(&w, 22);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    net_start(&w, A, config_a(false));
    check c = {.username = UFRAG_A ":" UFRAG_B, .pwd = PWD_A};
    uint8_t buf[512];
    for (c.id = 1; c.id <= 8; c.id++) {
        net_send(&w, B, 1, &w.node[A].own[0], buf, check_write(&c, buf, sizeof buf));
        net_run(&w, AGW_S(5));
    }
    CU_ASSERT_EQUAL(w.node[A].failed, 1);
    net_stop(&w);
}

/* B has no address that A could reach: a NAT, or mDNS names only. */
static void test_full_rfc8445_7_3_1_3_peer_reflexive_remote(void)
{
    for (int a_controls = 0; a_controls < 2; a_controls++) {
        net w;
        net_init(&w, 7);
        net_place(&w, A, 0, "192.0.2.1:1000", NULL);
        net_place(&w, B, 0, "10.0.0.2:2000", "198.51.100.9:40000");
        start(&w, a_controls != 0, a_controls == 0);
        net_signal(&w, A, B);
        net_signal(&w, B, A);
        net_run(&w, AGW_S(2));
        assert_connected(&w);
        CU_ASSERT_TRUE(is_on(&w, A, "198.51.100.9:40000") && is_on(&w, B, "192.0.2.1:1000"));
        net_stop(&w);
    }
}

static void test_full_rfc8445_7_2_5_3_1_peer_reflexive_of_our_own(void)
{
    net w;
    net_init(&w, 7);
    net_place(&w, A, 0, "10.0.0.1:1000", "198.51.100.1:41000");
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    start(&w, true, false);
    net_signal(&w, A, B);
    net_run(&w, AGW_S(2));
    assert_connected(&w);
    CU_ASSERT_TRUE(is_on(&w, B, "198.51.100.1:41000"));
    net_stop(&w);
}

static void test_full_rfc8838_candidates_may_come_late_or_before_the_credentials(void)
{
    net w;
    net_init(&w, 3);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    agw_ice_config early = config_a(true);
    early.remote_ufrag = early.remote_pwd = NULL;
    net_start(&w, A, early);
    net_start(&w, B, config_b(false));
    net_signal(&w, A, B);
    CU_ASSERT_EQUAL(agw_ice_deadline(w.node[A].ice), AGW_NEVER);
    net_run(&w, AGW_S(20));
    CU_ASSERT_EQUAL(w.node[A].n_sent, 0);
    CU_ASSERT_EQUAL(agw_ice_set_remote(w.node[A].ice, w.now, UFRAG_B, PWD_B), AGW_OK);
    net_run(&w, AGW_S(1));
    assert_connected(&w);
    net_stop(&w);

    net_init(&w, 4);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    start(&w, true, false);
    net_run(&w, AGW_S(30));
    CU_ASSERT_EQUAL(w.node[A].failed + w.node[B].failed, 0);
    net_signal(&w, A, B);
    net_run(&w, AGW_S(1));
    assert_connected(&w);
    net_stop(&w);
}

static void test_full_rfc8863_4_fails_after_39_5_s_and_goes_on(void)
{
    net w;
    net_init(&w, 5);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    start(&w, true, false);
    net_run(&w, AGW_MS(39499));
    CU_ASSERT_EQUAL(w.node[A].failed, 0);
    net_run(&w, AGW_MS(1));
    CU_ASSERT_EQUAL(w.node[A].failed, 1);
    net_signal(&w, A, B);
    net_run(&w, AGW_S(1));
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice) && agw_ice_may_send(w.node[B].ice));
    net_stop(&w);
}

static void test_full_rfc8489_6_2_1_unanswered_check_is_repeated_six_times(void)
{
    static const int AT[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
    net w;
    start_simple(&w, 1);
    w.node[B].is_cut[0] = true;
    const agw_ns began = w.now;
    net_run(&w, AGW_S(100));
    CU_ASSERT_EQUAL_FATAL(w.node[A].n_sent, 7);
    for (size_t i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(w.node[A].sent_at[i] - began, AGW_MS(AT[i]));
    CU_ASSERT_EQUAL(w.node[A].timers_at - began, AGW_MS(39500)); /* its timeout */
    CU_ASSERT_EQUAL(agw_ice_deadline(w.node[A].ice), AGW_NEVER);
    net_stop(&w);
}

static void test_full_rfc8445_14_2_new_checks_are_50_ms_apart(void)
{
    net w;
    net_init(&w, 1);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_start(&w, A, config_a(true));
    for (unsigned i = 0; i < 8; i++) {
        agw_addr a = net_addr("203.0.113.1:5000");
        a.port = (uint16_t)(a.port + i);
        CU_ASSERT_TRUE(agw_ice_add_remote(w.node[A].ice, &a, 100 + i));
    }
    const agw_ns began = w.now;
    net_run(&w, AGW_MS(450));
    CU_ASSERT_EQUAL_FATAL(w.node[A].n_sent, 8);
    for (size_t i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(w.node[A].sent_at[i] - began, AGW_MS(50 * i));
    net_stop(&w);
}

static void test_full_rfc7675_5_1_consent_is_asked_every_4_to_6_s(void)
{
    net w;
    start_simple(&w, 9);
    net_run(&w, AGW_MS(500));
    assert_connected(&w);
    const size_t before = w.node[A].n_sent;
    agw_ns last = w.node[A].selected_at;
    net_run(&w, AGW_S(300));
    const size_t n = w.node[A].n_sent - before;
    CU_ASSERT_TRUE(n >= 50 && n <= 75);
    for (size_t i = before; i < w.node[A].n_sent; i++) {
        const agw_ns gap = w.node[A].sent_at[i] - last;
        CU_ASSERT_TRUE(gap >= AGW_MS(4000) && gap <= AGW_MS(6000));
        last = w.node[A].sent_at[i];
    }
    CU_ASSERT_EQUAL(w.node[A].lost + w.node[B].lost, 0);
    net_stop(&w);
}

static void test_full_rfc7675_5_1_consent_ends_30_s_after_the_last_answer(void)
{
    net w;
    start_simple(&w, 10);
    net_run(&w, AGW_MS(3000)); /* no consent check yet: the last answer is the nomination's */
    const agw_ns last_answer = w.node[A].selected_at;
    w.node[B].is_cut[0] = true;
    net_run(&w, last_answer + AGW_MS(30000) - w.now - 1);
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice));
    net_run(&w, 1);
    CU_ASSERT_EQUAL(w.node[A].lost, 1);
    CU_ASSERT_FALSE(agw_ice_may_send(w.node[A].ice));
    w.node[B].is_cut[0] = false; /* old credentials do not bring it back */
    net_run(&w, AGW_S(40));
    CU_ASSERT_FALSE(agw_ice_may_send(w.node[A].ice));
    net_stop(&w);
}

static void restart_both(net *w)
{
    CU_ASSERT_EQUAL(agw_ice_restart(w->node[A].ice, w->now, UFRAG_C, PWD_C, UFRAG_D, PWD_D),
                    AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_restart(w->node[B].ice, w->now, UFRAG_D, PWD_D, UFRAG_C, PWD_C),
                    AGW_OK);
}

static void test_full_rfc8445_9_restart_keeps_the_pair_until_the_new_one_is_nominated(void)
{
    net w;
    start_simple(&w, 11);
    net_run(&w, AGW_S(1));
    CU_ASSERT_EQUAL(agw_ice_restart(w.node[A].ice, w.now, UFRAG_C, PWD_C, NULL, NULL), AGW_OK);
    net_run(&w, AGW_S(60)); /* the answer takes a minute: consent lives on old credentials */
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice) && agw_ice_may_send(w.node[B].ice));
    CU_ASSERT_EQUAL(w.node[A].lost + w.node[B].lost, 0);
    CU_ASSERT_EQUAL(agw_ice_restart(w.node[B].ice, w.now, UFRAG_D, PWD_D, UFRAG_C, PWD_C), AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_set_remote(w.node[A].ice, w.now, UFRAG_D, PWD_D), AGW_OK);
    net_signal(&w, A, B);
    CU_ASSERT_EQUAL(w.node[A].restarts, 0);
    net_signal(&w, B, A);
    net_run(&w, AGW_S(1));
    CU_ASSERT_EQUAL(w.node[A].restarts, 1);
    CU_ASSERT_EQUAL(w.node[B].restarts, 1);
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice) && agw_ice_may_send(w.node[B].ice));
    net_run(&w, AGW_S(100));
    CU_ASSERT_EQUAL(w.node[A].lost + w.node[B].lost, 0);
    net_stop(&w);
}

static void test_full_rfc7675_5_1_restart_brings_consent_back(void)
{
    net w;
    start_simple(&w, 12);
    net_run(&w, AGW_S(1));
    w.node[B].is_cut[0] = true;
    net_run(&w, AGW_S(40));
    CU_ASSERT_EQUAL(w.node[A].lost, 1);
    w.node[B].is_cut[0] = false;
    restart_both(&w);
    net_signal(&w, A, B);
    net_signal(&w, B, A);
    net_run(&w, AGW_S(1));
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice) && agw_ice_may_send(w.node[B].ice));
    CU_ASSERT_EQUAL(w.node[A].back, 1);
    net_stop(&w);
}

/* The peer's address changes under it; nobody signals. */
static void migrates(bool a_controls)
{
    net w;
    net_init(&w, 14);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    start(&w, a_controls, !a_controls);
    net_signal(&w, A, B);
    net_signal(&w, B, A);
    net_run(&w, AGW_S(7));
    assert_connected(&w);
    const agw_addr moved = net_addr("198.51.100.7:7000");
    w.node[B].outside[0] = moved;
    net_run(&w, AGW_S(8)); /* B's next consent check comes from elsewhere */
    CU_ASSERT_TRUE(is_on(&w, A, "198.51.100.7:7000") == a_controls);
    CU_ASSERT_TRUE(agw_ice_is_valid(w.node[A].ice, 1, &moved));
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[B].ice));
    net_run(&w, AGW_S(60));
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice) == a_controls);
    net_stop(&w);
}

static void test_full_controlling_follows_a_peer_that_moved_and_is_silent_at_its_old_address(void)
{
    migrates(true);
}

/* As controlled we go where the peer nominates, and nowhere else. */
static void test_full_controlled_does_not_move_without_nomination(void)
{
    migrates(false);
}

static void test_full_controlling_stays_when_the_old_pair_answers(void)
{
    net w;
    start_simple(&w, 15);
    net_run(&w, AGW_S(2));
    net_place(&w, B, 1, "198.51.100.7:7000", NULL); /* a second way to B, and it uses it */
    uint8_t buf[512];
    const check c = {.username = UFRAG_A ":" UFRAG_B, .pwd = PWD_A, .controlled = true, .id = 77};
    net_send(&w, B, 2, &w.node[A].own[0], buf, check_write(&c, buf, sizeof buf));
    net_run(&w, AGW_S(5));
    CU_ASSERT_TRUE(is_on(&w, A, "192.0.2.2:2000"));
    CU_ASSERT_EQUAL(w.node[A].selections, 1);
    net_stop(&w);
}

static void dual_stack(net *w, uint32_t seed)
{
    net_init(w, seed);
    net_place(w, A, 0, "192.0.2.1:1000", NULL);
    net_place(w, A, 1, "[2001:db8::1]:1000", NULL);
    net_place(w, B, 0, "192.0.2.2:2000", NULL);
    net_place(w, B, 1, "[2001:db8::2]:2000", NULL);
    start(w, true, false);
    net_signal(w, A, B);
    net_signal(w, B, A);
}

static void test_full_rfc8421_ipv6_is_nominated_when_both_work(void)
{
    net w;
    dual_stack(&w, 1);
    net_run(&w, AGW_S(1));
    assert_connected(&w);
    CU_ASSERT_TRUE(is_on(&w, A, "[2001:db8::2]:2000"));
    net_stop(&w);
}

static void test_full_rfc8421_ipv4_is_nominated_300_ms_later_when_ipv6_is_dead(void)
{
    net w;
    dual_stack(&w, 1);
    w.node[B].is_cut[1] = true;
    const agw_ns began = w.now;
    net_run(&w, AGW_S(1));
    assert_connected(&w);
    CU_ASSERT_TRUE(is_on(&w, A, "192.0.2.2:2000"));
    CU_ASSERT_TRUE(w.node[A].selected_at - began < AGW_MS(500));
    CU_ASSERT_TRUE(w.node[A].selected_at - began > AGW_MS(300));
    net_stop(&w);
}

static void test_full_with_lite_peer_controls_and_nominates(void)
{
    net w;
    net_init(&w, 16);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    agw_ice_config lite = config_b(false);
    lite.lite = true;
    net_start(&w, A, config_a(true));
    net_start(&w, B, lite);
    net_signal(&w, A, B);
    net_run(&w, AGW_S(1));
    assert_connected(&w);
    net_run(&w, AGW_S(100));
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice) && agw_ice_may_send(w.node[B].ice));
    CU_ASSERT_EQUAL(w.node[B].n_sent, 0);
    net_stop(&w);
}

/* One or two families, both ways lossy; says how many of so many calls connected in time. The whole
 * of a check is lost with 7 datagrams in a row, RFC 8489's number. */
static unsigned connected_under_loss(unsigned percent, unsigned calls)
{
    unsigned n = 0;
    for (uint32_t seed = 0; seed < calls; seed++) {
        net w;
        if (seed % 3 == 0)
            dual_stack(&w, seed);
        else
            start_simple(&w, seed);
        w.loss = percent;
        w.latency = AGW_MS(5 + seed % 400);
        net_run(&w, AGW_MS(39500));
        n += w.node[A].connects == 1 && w.node[B].connects == 1;
        net_stop(&w);
    }
    printf("%u %% lost each way: %u of %u connect ", percent, n, calls);
    return n;
}

static void test_full_connects_under_loss_of_20_to_40_percent(void)
{
    CU_ASSERT_EQUAL(connected_under_loss(0, 400), 400);
    CU_ASSERT_TRUE(connected_under_loss(20, 400) >= 399);
    CU_ASSERT_TRUE(connected_under_loss(30, 400) >= 396);
    CU_ASSERT_TRUE(connected_under_loss(40, 400) >= 380);
}

/* Six consent checks in a row have to be lost: 0.19^6. */
static void test_full_consent_lives_under_loss_of_10_percent(void)
{
    unsigned lost = 0;
    for (uint32_t seed = 0; seed < 200; seed++) {
        net w;
        start_simple(&w, seed);
        net_run(&w, AGW_S(1));
        w.loss = 10;
        net_run(&w, AGW_S(60));
        lost += w.node[A].lost != 0 || w.node[B].lost != 0;
        net_stop(&w);
    }
    CU_ASSERT_TRUE(lost <= 1);
}

/* RFC 5245 peers put USE-CANDIDATE into every check. */
static void test_full_rfc5245_aggressive_peer_ends_on_a_valid_pair(void)
{
    net w;
    net_init(&w, 17);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    net_place(&w, B, 1, "192.0.2.3:3000", NULL);
    net_start(&w, A, config_a(false));
    w.node[B].answers = PWD_B; /* and the test writes its checks */
    uint8_t buf[512];
    check c = {.username = UFRAG_A ":" UFRAG_B, .pwd = PWD_A, .use_candidate = true};
    for (uint32_t i = 0; i < 4; i++) {
        c.id = i + 1;
        c.priority = i % 2 == 0 ? 50 : 90;
        net_send(&w, B, 1 + i % 2, &w.node[A].own[0], buf, check_write(&c, buf, sizeof buf));
        net_run(&w, AGW_MS(200));
    }
    CU_ASSERT_TRUE(is_on(&w, A, "192.0.2.3:3000"));
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice));
    net_stop(&w);
}

static void test_full_rfc8445_7_3_1_5_nomination_waits_for_our_own_check(void)
{
    net w;
    net_init(&w, 18);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    net_start(&w, A, config_a(false));
    const check c = {.username = UFRAG_A ":" UFRAG_B, .pwd = PWD_A, .use_candidate = true, .id = 5};
    uint8_t buf[512];
    net_send(&w, B, 1, &w.node[A].own[0], buf, check_write(&c, buf, sizeof buf));
    net_run(&w, AGW_S(1));
    const agw_addr b = w.node[B].own[0];
    agw_ice_pair pair;
    CU_ASSERT_TRUE(agw_ice_is_valid(w.node[A].ice, 1, &b));
    CU_ASSERT_FALSE(agw_ice_selected(w.node[A].ice, &pair));
    CU_ASSERT_FALSE(agw_ice_may_send(w.node[A].ice));
    net_stop(&w);
}

/* --- what others may do to us ----------------------------------------------------------------- */

/* One check of A is on its way; the test answers it. */
static size_t answer(net *w, uint8_t *out, const char *pwd, const agw_addr *mapped, unsigned error)
{
    agw_ice_check sent;
    agw_stun_msg msg;
    CU_ASSERT_EQUAL(agw_ice_on_deadline(w->node[A].ice, w->now), AGW_ICE_NOTHING);
    CU_ASSERT_TRUE_FATAL(agw_ice_next_check(w->node[A].ice, w->now, &sent));
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, sent.data, sent.len), AGW_OK);
    CU_ASSERT_EQUAL(agw_get32(msg.head.id), 0x1000u);
    return error == 0 ? agw_stun_write_success(&msg, mapped, pwd, out, AGW_STUN_REPLY_MAX)
                      : agw_stun_write_error(&msg, error, pwd, out, AGW_STUN_REPLY_MAX);
}

static void start_alone(net *w, bool controlling)
{
    net_init(w, 19);
    net_place(w, A, 0, "192.0.2.1:1000", NULL);
    net_place(w, B, 0, "192.0.2.2:2000", NULL);
    net_start(w, A, config_a(controlling));
    net_signal(w, A, B);
}

static agw_ice_result give(net *w, const char *from, uint32_t port, const uint8_t *buf, size_t len)
{
    const agw_addr a = net_addr(from);
    uint8_t reply[AGW_STUN_REPLY_MAX];
    agw_ice_result res;
    agw_ice_on_stun(w->node[A].ice, w->now, port, &a, buf, len, reply, sizeof reply, &res);
    CU_ASSERT_EQUAL(res.reply_len, 0);
    return res;
}

static void test_full_rfc8445_7_2_5_only_an_authentic_response_from_the_pair_counts(void)
{
    net w;
    start_alone(&w, true);
    uint8_t good[AGW_STUN_REPLY_MAX], bad[AGW_STUN_REPLY_MAX];
    const size_t len = answer(&w, good, PWD_B, &w.node[A].own[0], 0);
    memcpy(bad, good, len);
    bad[len - 9] ^= 1; /* in MESSAGE-INTEGRITY; FINGERPRINT is wrong, too */
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 1, bad, len).drop, AGW_ICE_DROP_INTEGRITY);
    memcpy(bad, good, len);
    bad[15] ^= 1; /* in the transaction id */
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 1, bad, len).drop, AGW_ICE_DROP_UNEXPECTED);
    memcpy(bad, good, len);
    bad[8] ^= 1; /* in its prefix */
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 1, bad, len).drop, AGW_ICE_DROP_UNEXPECTED);
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2001", 1, good, len).drop, AGW_ICE_DROP_UNEXPECTED);
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 2, good, len).drop, AGW_ICE_DROP_UNEXPECTED);
    const agw_addr b = w.node[B].own[0];
    CU_ASSERT_FALSE(agw_ice_is_valid(w.node[A].ice, 1, &b));
    const agw_ice_result res = give(&w, "192.0.2.2:2000", 1, good, len);
    CU_ASSERT_TRUE(res.drop == AGW_ICE_DROP_NONE && res.valid && res.new_remote);
    CU_ASSERT_TRUE(agw_ice_is_valid(w.node[A].ice, 1, &b));
    net_stop(&w);
}

static void test_full_rfc8445_7_2_5_1_authentic_487_switches_the_role(void)
{
    net w;
    start_alone(&w, true);
    uint8_t buf[AGW_STUN_REPLY_MAX];
    size_t len = answer(&w, buf, PWD_A, NULL, 487); /* not the peer's password */
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 1, buf, len).drop, AGW_ICE_DROP_INTEGRITY);
    CU_ASSERT_TRUE(agw_ice_is_controlling(w.node[A].ice));
    net_run(&w, AGW_MS(500));
    w.now += AGW_MS(1000);
    len = answer(&w, buf, PWD_B, NULL, 487);
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 1, buf, len).drop, AGW_ICE_DROP_NONE);
    CU_ASSERT_FALSE(agw_ice_is_controlling(w.node[A].ice));
    net_stop(&w);
}

/* A peer says 401 when our check was faster than its signalling. */
static void test_full_other_errors_do_not_end_a_check(void)
{
    net w;
    start_alone(&w, true);
    uint8_t buf[AGW_STUN_REPLY_MAX];
    size_t len = answer(&w, buf, PWD_B, NULL, 400);
    CU_ASSERT_EQUAL(give(&w, "192.0.2.2:2000", 1, buf, len).drop, AGW_ICE_DROP_NONE);
    w.now += AGW_MS(500);
    len = answer(&w, buf, PWD_B, &w.node[A].own[0], 0);
    CU_ASSERT_TRUE(give(&w, "192.0.2.2:2000", 1, buf, len).valid);
    net_stop(&w);
}

static void test_full_rfc8445_6_1_2_5_a_hundred_pairs_and_the_worst_goes(void)
{
    net w;
    start_alone(&w, true);
    agw_addr a = net_addr("203.0.113.1:1");
    for (unsigned i = 0; i < 99; i++, a.port++)
        CU_ASSERT_TRUE(agw_ice_add_remote(w.node[A].ice, &a, 1000 + i));
    CU_ASSERT_FALSE(agw_ice_add_remote(w.node[A].ice, &a, 999));
    CU_ASSERT_TRUE(agw_ice_add_remote(w.node[A].ice, &a, 2000));
    a.port = 50; /* known: no more room is taken */
    CU_ASSERT_TRUE(agw_ice_add_remote(w.node[A].ice, &a, 1));
    net_stop(&w);
}

static void test_full_candidates_that_are_no_use_are_refused(void)
{
    net w;
    start_alone(&w, true);
    static const char *const BAD[] = {"0.0.0.0:9", "224.0.0.1:9", "192.0.2.9:0", "[2001:db8::1]:9"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        const agw_addr a = net_addr(BAD[i]);
        CU_ASSERT_FALSE(agw_ice_add_remote(w.node[A].ice, &a, 5));
    }
    CU_ASSERT_EQUAL(agw_ice_add_local(w.node[A].ice, 2, AGW_FAMILY_IP6, 1, 1), AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_add_local(w.node[A].ice, 3, AGW_FAMILY_IP6, 1, 1), AGW_ERR_LIMIT);
    net_stop(&w);
}

static void test_full_rfc8445_7_1_1_check_carries_what_it_must(void)
{
    net w;
    start_alone(&w, false);
    agw_ice_check sent;
    agw_stun_msg msg;
    CU_ASSERT_TRUE_FATAL(agw_ice_next_check(w.node[A].ice, w.now, &sent));
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, sent.data, sent.len), AGW_OK);
    CU_ASSERT_TRUE(agw_stun_fingerprint_ok(&msg, sent.data, sent.len));
    CU_ASSERT_EQUAL(agw_stun_verify(&msg, sent.data, sent.len, PWD_B, strlen(PWD_B)), AGW_OK);
    CU_ASSERT_EQUAL(msg.head.local_ufrag_len, 8);
    CU_ASSERT_EQUAL(memcmp(msg.head.local_ufrag, UFRAG_B ":" UFRAG_A, 17), 0);
    CU_ASSERT_TRUE(msg.is_controlled && !msg.is_controlling && !msg.use_candidate);
    CU_ASSERT_EQUAL(msg.priority, net_priority(&w.node[A].own[0], 110));
    net_stop(&w);
}

/* --- TCP -------------------------------------------------------------------------------------- */

enum { PASSIVE = 3 };

/* A check of B comes to A's passive candidate. */
static void check_passive(net *w, const agw_addr *from, bool nominates, agw_ice_result *res)
{
    static uint32_t id;
    uint8_t buf[512], reply[AGW_STUN_REPLY_MAX];
    const check c = {.username = UFRAG_A ":" UFRAG_B,
                     .pwd = PWD_A,
                     .use_candidate = nominates,
                     .priority = 7,
                     .id = ++id};
    const size_t len = check_write(&c, buf, sizeof buf);
    agw_ice_on_stun(w->node[A].ice, w->now, PASSIVE, from, buf, len, reply, sizeof reply, res);
    CU_ASSERT_TRUE(res->drop == AGW_ICE_DROP_NONE && res->reply_len > 0);
}

/* Checks of A that leave by that port until then; the last one in *out. */
static size_t checks_by(net *w, uint32_t port_id, agw_ns until, agw_ice_check *out)
{
    size_t n = 0;
    agw_ice_check sent;
    while (agw_ice_deadline(w->node[A].ice) <= until) {
        if (agw_ice_deadline(w->node[A].ice) > w->now)
            w->now = agw_ice_deadline(w->node[A].ice);
        (void)agw_ice_on_deadline(w->node[A].ice, w->now);
        while (agw_ice_next_check(w->node[A].ice, w->now, &sent)) {
            if (sent.pair.port_id != port_id)
                continue;
            *out = sent;
            n++;
        }
    }
    w->now = until;
    return n;
}

static void test_full_rfc6544_6_2_passive_candidate_checks_only_who_came_to_it(void)
{
    net w;
    agw_ice_check sent;
    agw_ice_result res;
    agw_stun_msg msg;
    net_init(&w, 31);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_place(&w, B, 0, "192.0.2.2:2000", NULL);
    net_start(&w, A, config_a(false));
    CU_ASSERT_EQUAL(agw_ice_add_passive(w.node[A].ice, PASSIVE, AGW_FAMILY_IP4, 10, 5), AGW_OK);
    net_signal(&w, A, B);
    CU_ASSERT_EQUAL(checks_by(&w, PASSIVE, w.now + AGW_S(5), &sent), 0);
    const agw_addr b = net_addr("192.0.2.2:40000");
    check_passive(&w, &b, true, &res);
    CU_ASSERT_EQUAL_FATAL(checks_by(&w, PASSIVE, w.now + AGW_MS(100), &sent), 1);
    CU_ASSERT_TRUE(agw_addr_equal(&sent.pair.remote, &b));
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, sent.data, sent.len), AGW_OK);
    CU_ASSERT_EQUAL(msg.priority, 5);
    uint8_t buf[AGW_STUN_REPLY_MAX];
    const size_t len = agw_stun_write_success(&msg, &b, PWD_B, buf, sizeof buf);
    res = give(&w, "192.0.2.2:40000", PASSIVE, buf, len);
    CU_ASSERT_TRUE(res.selected_changed && res.selected.port_id == PASSIVE);
    CU_ASSERT_TRUE(agw_ice_may_send(w.node[A].ice));
    net_stop(&w);
}

static void test_full_rfc8489_6_2_2_check_over_tcp_is_sent_once_and_given_39_5_s(void)
{
    net w;
    agw_ice_check sent;
    agw_ice_result res;
    net_init(&w, 32);
    net_place(&w, A, 0, "192.0.2.1:1000", NULL);
    net_start(&w, A, config_a(false));
    CU_ASSERT_EQUAL(agw_ice_add_passive(w.node[A].ice, PASSIVE, AGW_FAMILY_IP4, 10, 5), AGW_OK);
    const agw_addr b = net_addr("192.0.2.2:40000");
    const agw_ns from = w.now;
    check_passive(&w, &b, false, &res);
    CU_ASSERT_EQUAL(checks_by(&w, PASSIVE, from + AGW_MS(39499), &sent), 1);
    uint8_t buf[AGW_STUN_REPLY_MAX];
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, sent.data, sent.len), AGW_OK);
    const size_t len = agw_stun_write_success(&msg, &b, PWD_B, buf, sizeof buf);
    CU_ASSERT_TRUE(give(&w, "192.0.2.2:40000", PASSIVE, buf, len).valid);
    w.now = from + AGW_S(100);
    const agw_addr other = net_addr("192.0.2.2:40001");
    check_passive(&w, &other, false, &res);
    CU_ASSERT_EQUAL(checks_by(&w, PASSIVE, from + AGW_S(200), &sent), 1); /* for good */
    net_stop(&w);
}

static void test_full_two_candidates_of_each_kind_and_no_more(void)
{
    net w;
    start_alone(&w, true);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(agw_ice_add_passive(w.node[A].ice, PASSIVE + i, AGW_FAMILY_IP4, 1, 1),
                        i < 2 ? AGW_OK : AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(agw_ice_add_local(w.node[A].ice, 9, AGW_FAMILY_IP6, 1, 1), AGW_OK);
    net_stop(&w);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_full_rfc6544_6_2_passive_candidate_checks_only_who_came_to_it),
    AGW_CASE(test_full_rfc8489_6_2_2_check_over_tcp_is_sent_once_and_given_39_5_s),
    AGW_CASE(test_full_two_candidates_of_each_kind_and_no_more),
    AGW_CASE(test_full_rfc8445_8_1_1_both_roles_connect_by_regular_nomination),
    AGW_CASE(test_full_rfc8445_7_3_1_1_role_conflict_ends_with_one_of_each),
    AGW_CASE(test_full_rfc8445_7_3_1_1_the_larger_tie_breaker_controls),
    AGW_CASE(test_full_rfc8863_4_checks_of_the_peer_do_not_extend_the_patience),
    AGW_CASE(test_full_rfc8445_7_3_1_3_peer_reflexive_remote),
    AGW_CASE(test_full_rfc8445_7_2_5_3_1_peer_reflexive_of_our_own),
    AGW_CASE(test_full_rfc8838_candidates_may_come_late_or_before_the_credentials),
    AGW_CASE(test_full_rfc8863_4_fails_after_39_5_s_and_goes_on),
    AGW_CASE(test_full_rfc8489_6_2_1_unanswered_check_is_repeated_six_times),
    AGW_CASE(test_full_rfc8445_14_2_new_checks_are_50_ms_apart),
    AGW_CASE(test_full_rfc7675_5_1_consent_is_asked_every_4_to_6_s),
    AGW_CASE(test_full_rfc7675_5_1_consent_ends_30_s_after_the_last_answer),
    AGW_CASE(test_full_rfc8445_9_restart_keeps_the_pair_until_the_new_one_is_nominated),
    AGW_CASE(test_full_rfc7675_5_1_restart_brings_consent_back),
    AGW_CASE(test_full_controlling_follows_a_peer_that_moved_and_is_silent_at_its_old_address),
    AGW_CASE(test_full_controlled_does_not_move_without_nomination),
    AGW_CASE(test_full_controlling_stays_when_the_old_pair_answers),
    AGW_CASE(test_full_rfc8421_ipv6_is_nominated_when_both_work),
    AGW_CASE(test_full_rfc8421_ipv4_is_nominated_300_ms_later_when_ipv6_is_dead),
    AGW_CASE(test_full_with_lite_peer_controls_and_nominates),
    AGW_CASE(test_full_connects_under_loss_of_20_to_40_percent),
    AGW_CASE(test_full_consent_lives_under_loss_of_10_percent),
    AGW_CASE(test_full_rfc5245_aggressive_peer_ends_on_a_valid_pair),
    AGW_CASE(test_full_rfc8445_7_3_1_5_nomination_waits_for_our_own_check),
    AGW_CASE(test_full_rfc8445_7_2_5_only_an_authentic_response_from_the_pair_counts),
    AGW_CASE(test_full_rfc8445_7_2_5_1_authentic_487_switches_the_role),
    AGW_CASE(test_full_other_errors_do_not_end_a_check),
    AGW_CASE(test_full_rfc8445_6_1_2_5_a_hundred_pairs_and_the_worst_goes),
    AGW_CASE(test_full_candidates_that_are_no_use_are_refused),
    AGW_CASE(test_full_rfc8445_7_1_1_check_carries_what_it_must),
};
AGW_UNIT_MAIN("full", CASES)
