/* SPDX-License-Identifier: BSD-3-Clause
 * Transports on virtual time: whose address counts, DTLS roles and ends, what a plan changes and
 * what it leaves alone. */
#include "tests/agw/lab.h"
#include "unit.h"

enum { SSRC_AUDIO = 0x11, SSRC_VIDEO = 0x12 };

static const uint8_t HELLO[13] = {22, 0xfe, 0xff};

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

/* A check, and a ClientHello. */
static void knock(lab *l, lab_call *c)
{
    lab_check(l, c, browser(), true);
    lab_turn(l);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
}

/* A phone's packet reaches this address (and no other). */
static bool reaches(lab *l, lab_call *c, agw_addr to, uint16_t seq)
{
    lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, 0x22, seq);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    return out != NULL && agw_addr_equal(&out->to, &to);
}

/* --- DTLS of strangers -------------------------------------------------------------------------
 */

/* Whether a browser that comes behind so many stray ClientHellos is asked for a cookie. */
static bool is_asked_behind(unsigned strays, uint8_t content_type, agw_ns later)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    uint8_t stray[sizeof HELLO];
    memcpy(stray, HELLO, sizeof stray);
    stray[0] = content_type;
    lab_apply(l, c);
    for (unsigned i = 0; i < strays; i++) {
        lab_say(l, &l->access, lab_addr(60, (uint16_t)(7000 + i)), stray, sizeof stray);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_CALL), strays);
    l->now += later;
    knock(l, c);
    const lab_assoc *a = lab_assoc_of(l, c, LAB_ACCESS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    const bool asked = a->asks_cookie;
    lab_end(l);
    return asked;
}

static void test_transport_stray_hellos_make_handshakes_ask_for_a_cookie(void)
{
    CU_ASSERT_FALSE(is_asked_behind(3, 22, 0));
    CU_ASSERT_TRUE(is_asked_behind(4, 22, 0));
    CU_ASSERT_FALSE(is_asked_behind(9, 21, 0)); /* alerts: late goodbyes */
    CU_ASSERT_TRUE(is_asked_behind(4, 22, AGW_S(59)));
    CU_ASSERT_FALSE(is_asked_behind(4, 22, AGW_S(61)));
}

static void test_transport_dtls_budget_is_2000_datagrams_a_second(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    knock(l, c);
    for (unsigned i = 1; i <= AGW_UNPROVEN_PER_SECOND; i++) {
        CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_FLOOD), 0);
        lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_FLOOD), 1);
    CU_ASSERT_EQUAL(lab_assoc_of(l, c, LAB_ACCESS)->datagrams, AGW_UNPROVEN_PER_SECOND);
    l->now += AGW_S(1);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_FLOOD), 1);
    lab_end(l);
}

/* What a handshake thread that is behind has no room for is lost, and not kept here: DTLS repeats
 * it. The beginning of an association is kept. */
static void test_transport_dtls_waits_in_the_handshake_threads_mailbox_only(void)
{
    enum { SLOTS = 8, N = 50 };
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    knock(l, c);
    agw_ring_free(l->dtls);
    l->dtls = l->w->handshakes[0].ring = agw_ring_new(SLOTS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->dtls);
    for (size_t i = 0; i < N; i++)
        lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    CU_ASSERT_TRUE(agw_worker_turn(l->w, l->now));
    size_t waiting = 0;
    for (const agw_mail *mail = l->w->handshakes[0].first; mail != NULL; mail = mail->next)
        waiting++;
    CU_ASSERT_EQUAL(waiting, 1); /* the one that found the mailbox full */
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_FLOOD), N - SLOTS - 1);
    c->plan->transports[0].dtls_epoch++;
    c->plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    lab_post_plan(l, c);
    CU_ASSERT_TRUE(agw_worker_turn(l->w, l->now));
    do {
        for (agw_mail *mail; (mail = agw_ring_pop(l->dtls)) != NULL;)
            lab_take_dtls(l, mail);
    } while (agw_worker_turn(l->w, l->now));
    lab_turn(l);
    CU_ASSERT_EQUAL(l->n_assocs, 2);
    CU_ASSERT_PTR_NULL(l->assocs[0].assoc);
    CU_ASSERT_EQUAL(l->assocs[0].datagrams, 1 + SLOTS + 1);
    CU_ASSERT_TRUE(l->assocs[1].assoc != NULL && l->assocs[1].role == AGW_DTLS_CLIENT);
    lab_end(l);
}

/* --- addresses of the peer ----------------------------------------------------------------------
 */

/* What a NAT does that forgets a binding: the same browser from another port. */
static void test_transport_ts23334_6_2_17_4_each_new_address_of_the_peer_is_told_once(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    for (uint16_t i = 0; i < 6; i++) {
        lab_check(l, c, lab_addr(50, (uint16_t)(6000 + i % 2)), true);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_PEER), 2);
    const agw_addr first = lab_addr(50, 6000);
    CU_ASSERT_EQUAL(c->events[0].kind, AGW_EVENT_ICE_PEER); /* it comes before the nomination */
    CU_ASSERT_TRUE(agw_addr_equal(&c->events[0].remote, &first));
    CU_ASSERT_STRING_EQUAL(c->events[0].detail, "component 1");
    lab_end(l);
}

static void test_transport_ts23334_6_2_17_4_a_peer_of_many_addresses_is_told_slowly(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    for (uint16_t i = 0; i < 40; i++) {
        lab_check(l, c, lab_addr(50, (uint16_t)(6000 + i)), false);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_PEER), AGW_ICE_REMOTES);
    l->now += AGW_S(10);
    for (uint16_t i = 40; i < 50; i++) {
        lab_check(l, c, lab_addr(50, (uint16_t)(6000 + i)), false);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_PEER), AGW_ICE_REMOTES + 1);
    lab_end(l);
}

/* The higher the priority, the more it is what the browser wants. */
static void nominate(lab *l, lab_call *c, agw_addr from, uint32_t priority)
{
    uint8_t buf[512];
    char username[64];
    const agw_transport_plan *t = &c->plan->transports[0];
    snprintf(username, sizeof username, "%s:%s", t->local_ufrag, t->remote_ufrag);
    const check k = {.username = username,
                     .pwd = t->local_pwd,
                     .use_candidate = true,
                     .priority = priority,
                     .id = ++l->check_id};
    lab_say(l, &l->access, from, buf, check_write(&k, buf, sizeof buf));
    lab_turn(l);
}

/* Media follows at once, control is told so often and no more; of the last pair in any case. */
static void test_transport_a_peer_that_nominates_to_and_fro_is_told_slowly(void)
{
    enum { AT_ONCE = 10, N = 31 };
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    nominate(l, c, lab_addr(50, 6000), 1000);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_CONNECTED), 1);
    c->n_events = 0;
    for (uint32_t i = 1; i <= N; i++) {
        const agw_addr to = lab_addr(50, (uint16_t)(6000 + i % 2));
        nominate(l, c, to, 1000 + i);
        CU_ASSERT_TRUE(agw_addr_equal(
            &lab_transport(l, c, LAB_ACCESS)->component[AGW_RTP_COMPONENT].remote, &to));
        CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_SELECTED), i < AT_ONCE ? i : AT_ONCE);
    }
    l->now += AGW_S(1) - 1;
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_SELECTED), AT_ONCE);
    l->now += 1;
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_SELECTED), AT_ONCE + 1);
    const agw_addr last = lab_addr(50, 6000 + N % 2);
    CU_ASSERT_TRUE(agw_addr_equal(&c->events[c->n_events - 1].remote, &last));
    l->now += AGW_S(1);
    lab_turn(l); /* not again */
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_SELECTED), AT_ONCE + 1);
    lab_end(l);
}

/* --- lifetimes ---------------------------------------------------------------------------------
 */

/* A datagram of the handshake thread and the end of its transport come in one mailbox round. */
static void test_transport_goes_while_its_own_packets_wait(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->medias[1].end[AGW_SIDE_B].feedback = AGW_FB_PLI;
    lab_apply(l, c);
    lab_phone_rtp(l, c, 2, lab_phone(l, c, 2), LAB_PT_VIDEO, SSRC_VIDEO, 1);
    knock(l, c);
    const lab_assoc *a = lab_assoc_of(l, c, LAB_ACCESS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    lab_post(l, lab_done(a, 1, 1)); /* makes a key frame request by the port of the video phone */
    c->plan->n_transports = 2;      /* ... which the next message closes */
    c->plan->n_medias = 1;
    lab_post_plan(l, c);
    lab_turn(l);
    CU_ASSERT_PTR_NOT_NULL(lab_sent(l, &c->core[3], AGW_PKT_RTCP, 0));
    CU_ASSERT_EQUAL(c->gone, 1);
    lab_end(l);
}

static void test_transport_applied_and_closed_in_one_round(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_post_plan(l, c);
    lab_post_plan(l, c);
    lab_post_close(l, c);
    lab_turn(l);
    CU_ASSERT_TRUE(c->has_ended);
    CU_ASSERT_EQUAL(c->gone, 3);
    lab_end(l);
}

static void test_transport_without_a_port_stays_and_is_silent(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    l->io->refuse = &c->core[1];
    lab_apply(l, c);
    CU_ASSERT_EQUAL(c->gone, 0); /* control must not give its ports to another one */
    CU_ASSERT_PTR_NULL(c->core[0].io);
    lab_connect(l, c, browser());
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 1);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_DEST), 1);
    l->io->refuse = NULL;
    lab_apply(l, c);
    lab_end(l);
}

/* The associations of two generations: what comes late is nobody's. */
static void test_transport_late_answers_of_a_replaced_association_have_no_effect(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    knock(l, c);
    const lab_assoc old = *lab_assoc_of(l, c, LAB_ACCESS);
    c->plan->transports[0].dtls_epoch++;
    lab_apply(l, c);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    lab_post(l, lab_done(&old, 1, 1));
    lab_post(l, lab_answer(&old, AGW_MAIL_DTLS_FAILED, "late"));
    lab_post(l, lab_answer(&old, AGW_MAIL_DTLS_CLOSED, NULL));
    lab_turn(l);
    const agw_transport *t = lab_transport(l, c, LAB_ACCESS);
    CU_ASSERT_TRUE(t->assoc != NULL && t->srtp_in == NULL && !t->dtls_over);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_FAILED), 0);
    lab_end(l);
}

/* The same, when the new association began after a failure and not by a new epoch. */
static void test_transport_late_end_does_not_end_the_next_association(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    knock(l, c);
    const lab_assoc old = *lab_assoc_of(l, c, LAB_ACCESS);
    lab_post(l, lab_done(&old, 9, 1)); /* another certificate */
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_FAILED), 1);
    lab_fingerprint(&c->plan->transports[0].fingerprints[0], 2);
    lab_apply(l, c);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    lab_post(l, lab_answer(&old, AGW_MAIL_DTLS_CLOSED, NULL));
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_CLOSED), 0);
    CU_ASSERT_PTR_NOT_NULL(lab_transport(l, c, LAB_ACCESS)->assoc);
    lab_end(l);
}

/* --- DTLS --------------------------------------------------------------------------------------
 */

static void test_transport_dtls_client_begins_with_the_answer_when_ice_was_first(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->transports[0].dtls = AGW_DTLS_WAIT;
    lab_apply(l, c);
    lab_check(l, c, browser(), true);
    lab_turn(l);
    CU_ASSERT_PTR_NULL(lab_assoc_of(l, c, LAB_ACCESS));
    c->plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    lab_apply(l, c);
    const lab_assoc *a = lab_assoc_of(l, c, LAB_ACCESS);
    CU_ASSERT_TRUE(a != NULL && a->role == AGW_DTLS_CLIENT);
    lab_post(l, lab_answer(a, AGW_MAIL_DTLS_SEND, "0123456789abcdef"));
    lab_turn(l);
    const lab_out *hello = lab_sent(l, &l->access, AGW_PKT_DTLS, 0);
    const agw_addr to = browser();
    CU_ASSERT_TRUE(hello != NULL && agw_addr_equal(&hello->to, &to));
    lab_end(l);
}

static void test_transport_rfc5763_5_dtls_client_without_ice_begins_at_the_signalled_address(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_transport_plan *t = &c->plan->transports[1];
    t->security = AGW_SECURITY_DTLS;
    t->dtls = AGW_DTLS_ACTIVE;
    t->n_fingerprints = 1;
    lab_fingerprint(&t->fingerprints[0], 1);
    lab_apply(l, c);
    const lab_assoc *a = lab_assoc_of(l, c, LAB_CORE_AUDIO);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    lab_post(l, lab_answer(a, AGW_MAIL_DTLS_SEND, "0123456789abcdef"));
    lab_turn(l);
    const lab_out *hello = lab_sent(l, &c->core[0], AGW_PKT_DTLS, 0);
    CU_ASSERT_TRUE(hello != NULL && agw_addr_equal(&hello->to, &t->remote_rtp));
    lab_end(l);
}

/* A ClientHello made us the server, and then the answer said that the browser is the server. */
static void test_transport_dtls_role_of_the_answer_is_the_one_played(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->transports[0].dtls = AGW_DTLS_WAIT;
    c->plan->transports[0].n_fingerprints = 0;
    lab_apply(l, c);
    knock(l, c);
    CU_ASSERT_EQUAL(lab_assoc_of(l, c, LAB_ACCESS)->role, AGW_DTLS_SERVER);
    c->plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    c->plan->transports[0].n_fingerprints = 1;
    lab_apply(l, c);
    const lab_assoc *a = lab_assoc_of(l, c, LAB_ACCESS);
    CU_ASSERT_TRUE(a->assoc != NULL && a->role == AGW_DTLS_CLIENT);
    CU_ASSERT_EQUAL(l->n_assocs, 2);
    lab_apply(l, c); /* and stays */
    CU_ASSERT_EQUAL(l->n_assocs, 2);
    lab_end(l);
}

static void test_transport_dtls_role_of_the_answer_keeps_the_server_that_waited(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->transports[0].dtls = AGW_DTLS_WAIT;
    lab_apply(l, c);
    knock(l, c);
    c->plan->transports[0].dtls = AGW_DTLS_PASSIVE;
    lab_apply(l, c);
    CU_ASSERT_EQUAL(l->n_assocs, 1);
    CU_ASSERT_PTR_NOT_NULL(l->assocs[0].assoc);
    lab_end(l);
}

/* A failed client is not begun again by the checks that go on for the whole call. */
static void test_transport_dtls_failure_of_the_client_waits_for_new_sdp(void)
{
    static const char *const NEWS[] = {"nothing", "fingerprint", "credentials", "epoch"};
    for (size_t i = 0; i < sizeof NEWS / sizeof NEWS[0]; i++) {
        lab *l = lab_new();
        lab_call *c = &l->calls[0];
        agw_transport_plan *t = &c->plan->transports[0];
        t->dtls = AGW_DTLS_ACTIVE;
        lab_apply(l, c);
        lab_check(l, c, browser(), true);
        lab_turn(l);
        lab_post(l, lab_answer(lab_assoc_of(l, c, LAB_ACCESS), AGW_MAIL_DTLS_FAILED, "timeout"));
        lab_turn(l);
        CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_FAILED), 1);
        lab_check(l, c, browser(), true);
        lab_turn(l);
        CU_ASSERT_EQUAL(l->n_assocs, 1);
        if (i == 1)
            lab_fingerprint(&t->fingerprints[0], 2);
        else if (i == 2)
            lab_new_ufrag(l, c);
        else if (i == 3)
            t->dtls_epoch++;
        lab_apply(l, c);
        CU_ASSERT_EQUAL(l->n_assocs, i == 0 ? 1 : 2);
        lab_end(l);
    }
}

/* Garbage from a validated address may have begun what timed out. */
static void test_transport_dtls_server_hears_the_next_hello_after_a_timeout(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    knock(l, c);
    lab_post(l, lab_answer(lab_assoc_of(l, c, LAB_ACCESS), AGW_MAIL_DTLS_FAILED, "timeout"));
    lab_turn(l);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->n_assocs, 2);
    lab_end(l);
}

/* As a peer's without use_srtp, for ever. */
static void test_transport_dtls_associations_that_fail_begin_slowly(void)
{
    enum { AT_ONCE = 8, N = 20 };
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    knock(l, c);
    for (size_t i = 1; i <= N; i++) {
        CU_ASSERT_EQUAL(l->n_assocs, i < AT_ONCE ? i : AT_ONCE);
        if (i <= AT_ONCE)
            lab_post(l, lab_answer(lab_assoc_of(l, c, LAB_ACCESS), AGW_MAIL_DTLS_FAILED, "alert"));
        lab_turn(l);
        lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_FAILED), AT_ONCE);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_FLOOD), N - AT_ONCE + 1);
    l->now += AGW_S(1);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->n_assocs, AT_ONCE + 1);
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO); /* it is not hindered, once begun */
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_assoc_of(l, c, LAB_ACCESS)->datagrams, 2);
    lab_end(l);
}

static void test_transport_rfc8122_6_2_wrong_certificate_ends_older_keys_too(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    CU_ASSERT_TRUE(reaches(l, c, browser(), 1));
    c->plan->transports[0].dtls_epoch++;
    lab_fingerprint(&c->plan->transports[0].fingerprints[0], 2);
    lab_apply(l, c);
    CU_ASSERT_TRUE(reaches(l, c, browser(), 2)); /* RFC 8842: until the new association stands */
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    lab_post(l, lab_done(lab_assoc_of(l, c, LAB_ACCESS), 3, 2));
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_FAILED), 1);
    CU_ASSERT_FALSE(reaches(l, c, browser(), 3));
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO); /* over until new SDP */
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_UNEXPECTED), 1);
    lab_end(l);
}

static void test_transport_close_notify_stops_media_until_new_sdp(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    lab_post(l, lab_answer(lab_assoc_of(l, c, LAB_ACCESS), AGW_MAIL_DTLS_CLOSED, NULL));
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_DTLS_CLOSED), 1);
    CU_ASSERT_FALSE(reaches(l, c, browser(), 1));
    lab_say(l, &l->access, browser(), HELLO, sizeof HELLO);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->n_assocs, 1);
    c->plan->transports[0].dtls_epoch++;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    CU_ASSERT_TRUE(reaches(l, c, browser(), 2));
    lab_end(l);
}

/* Nothing leaves in the clear, whatever happens between addressing and protecting. */
static void test_transport_keys_that_go_in_the_same_round_send_nothing_in_the_clear(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    lab_browser_rtp(l, c, browser(), LAB_PT_VIDEO, SSRC_VIDEO, 1);
    c->plan->medias[1].end[AGW_SIDE_A].may_send = false;
    lab_apply(l, c);
    c->plan->medias[1].end[AGW_SIDE_A].may_send = true;
    lab_post_plan(l, c); /* asks the browser for a key frame ... */
    lab_post(l, lab_answer(lab_assoc_of(l, c, LAB_ACCESS), AGW_MAIL_DTLS_CLOSED, NULL));
    lab_turn(l);
    CU_ASSERT_PTR_NULL(lab_sent(l, &l->access, AGW_PKT_RTCP, 0));
    lab_end(l);
}

static void test_transport_dtls_goes_with_a_plan_without_it(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    c->plan->transports[0].security = AGW_SECURITY_PLAIN;
    lab_apply(l, c);
    lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, 0x22, 1);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && out->len == 32); /* what SDP says is what we do */
    CU_ASSERT_PTR_NULL(l->assocs[0].assoc);
    lab_end(l);
}

/* --- ICE ---------------------------------------------------------------------------------------
 */

static void test_transport_rfc8445_9_restart_with_unknown_remote_credentials(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    agw_transport_plan *t = &c->plan->transports[0];
    lab_new_ufrag(l, c);
    t->remote_ufrag = t->remote_pwd = NULL; /* our own offer asks for it */
    lab_apply(l, c);
    CU_ASSERT_TRUE(reaches(l, c, browser(), 1));
    t->remote_ufrag = "anew";
    t->remote_pwd = "anewpasswordanewpasswo";
    lab_apply(l, c);
    const agw_addr moved = lab_addr(51, 7000);
    lab_check(l, c, moved, true);
    lab_turn(l);
    CU_ASSERT_TRUE(reaches(l, c, moved, 2));
    CU_ASSERT_EQUAL(l->n_assocs, 1); /* no new handshake */
    lab_end(l);
}

/* Two browsers answer one offer: the newest answer counts, the old pair serves until then. */
static void test_transport_second_answer_with_other_credentials_is_taken(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    agw_transport_plan *t = &c->plan->transports[0];
    t->remote_ufrag = "fork";
    lab_apply(l, c);
    CU_ASSERT_TRUE(reaches(l, c, browser(), 1));
    const agw_addr other = lab_addr(51, 7000);
    lab_check(l, c, other, true);
    lab_turn(l);
    CU_ASSERT_TRUE(reaches(l, c, other, 2));
    lab_end(l);
}

static void test_transport_rfc7675_consent_lost_then_restart(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    lab_check(l, c, browser(), true); /* keeps its consent fresh: the rule binds it */
    lab_turn(l);
    l->now += AGW_S(31);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_CONSENT_LOST), 1);
    CU_ASSERT_FALSE(reaches(l, c, browser(), 1));
    lab_post(l, lab_answer(lab_assoc_of(l, c, LAB_ACCESS), AGW_MAIL_DTLS_SEND, "0123456789abc"));
    lab_turn(l);
    CU_ASSERT_PTR_NULL(lab_sent(l, &l->access, AGW_PKT_DTLS, 0)); /* nor anything else */
    lab_new_ufrag(l, c);
    lab_apply(l, c);
    lab_check(l, c, lab_addr(51, 7000), true);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_CONSENT_BACK), 1);
    CU_ASSERT_TRUE(reaches(l, c, lab_addr(51, 7000), 2));
    lab_end(l);
}

/* With rtcp-mux agreed nobody checks the second component of a port pair. */
static void test_transport_second_component_is_not_missed_with_mux(void)
{
    for (int mux = 0; mux < 2; mux++) {
        lab *l = lab_new();
        lab_call *c = &l->calls[0];
        agw_transport_plan *t = &c->plan->transports[1];
        *t = c->plan->transports[0];
        t->id = LAB_CORE_AUDIO;
        t->side = AGW_SIDE_B;
        t->rtcp_mux = mux == 1;
        lab_apply(l, c);
        for (size_t i = 0; i < (mux == 1 ? 1 : 2); i++) {
            uint8_t buf[512];
            const size_t len = lab_write_check(l, t->local_ufrag, t->remote_ufrag, t->local_pwd,
                                               true, buf, sizeof buf);
            lab_say(l, &c->core[i], lab_addr(60, 7), buf, len);
            lab_say(l, &c->core[i], lab_addr(60, 7), buf, len);
        }
        lab_check(l, c, browser(), true);
        lab_turn(l);
        CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_CONNECTED), 2);
        l->now += AGW_S(60);
        lab_turn(l);
        CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_FAILED), 0);
        lab_end(l);
    }
}

/* On a port of its own no map stands in front of the keys. */
static void test_transport_srtp_from_an_unvalidated_address_is_not_taken(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_transport_plan *t = &c->plan->transports[1];
    uint8_t buf[512];
    *t = c->plan->transports[0];
    t->id = LAB_CORE_AUDIO;
    t->side = AGW_SIDE_B;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    size_t len =
        lab_write_check(l, t->local_ufrag, t->remote_ufrag, t->local_pwd, true, buf, sizeof buf);
    lab_say(l, &c->core[0], lab_addr(60, 7), buf, len);
    lab_say(l, &c->core[0], lab_addr(60, 7), HELLO, sizeof HELLO);
    lab_say(l, &c->core[0], lab_addr(61, 7), HELLO, sizeof HELLO);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_DTLS_UNEXPECTED), 1);
    lab_call peer = {0};
    lab_make_sessions(&peer, AGW_DTLS_SERVER, 7);
    lab_post(l, lab_done(lab_assoc_of(l, c, LAB_CORE_AUDIO), 1, 7));
    for (uint8_t host = 60; host < 62; host++) {
        len = lab_rtp(buf, LAB_PT_AUDIO, 0x22, host, 'p');
        CU_ASSERT_EQUAL(agw_srtp_protect(peer.out, buf, &len, sizeof buf - len), AGW_OK);
        lab_say(l, &c->core[0], lab_addr(host, 7), buf, len);
    }
    lab_turn(l);
    CU_ASSERT_PTR_NOT_NULL(lab_sent(l, &l->access, AGW_PKT_RTP, 0));
    CU_ASSERT_PTR_NULL(lab_sent(l, &l->access, AGW_PKT_RTP, 1));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    agw_srtp_session_free(peer.in);
    agw_srtp_session_free(peer.out);
    lab_end(l);
}

/* An interface's check belongs to that interface. */
static void test_transport_check_at_another_interface_is_not_answered(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    uint8_t buf[512];
    const agw_transport_plan *t = &c->plan->transports[0];
    const size_t len =
        lab_write_check(l, t->local_ufrag, t->remote_ufrag, t->local_pwd, true, buf, sizeof buf);
    lab_say(l, &l->other_access, browser(), buf, len);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_STUN_UNEXPECTED), 1);
    CU_ASSERT_EQUAL(agw_map_count(l->w->by_remote), 0);
    lab_end(l);
}

/* A browser that has both families moves from one to the other. */
static void test_transport_selected_pair_chooses_the_port_of_its_family(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    const agw_addr six = lab_addr6(50, 6000);
    lab_apply(l, c);
    lab_connect(l, c, browser());
    CU_ASSERT_TRUE(reaches(l, c, browser(), 1));
    lab_check(l, c, six, true);
    lab_turn(l);
    lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, 0x22, 2);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &l->access6, AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && agw_addr_equal(&out->to, &six));
    CU_ASSERT_EQUAL(l->io->n_out, 1);
    lab_end(l);
}

/* More addresses than a transport keeps: none stays behind in the map. */
static void test_transport_old_addresses_leave_the_map(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    for (uint16_t i = 0; i < 4 * AGW_ICE_REMOTES; i++) {
        l->now += AGW_MS(10);
        lab_check(l, c, lab_addr(50, (uint16_t)(6000 + i)), i % 7 == 0);
        lab_turn(l);
        CU_ASSERT_TRUE(agw_map_count(l->w->by_remote) <= AGW_ICE_REMOTES);
    }
    lab_end(l);
}

static void test_transport_answer_without_ice_uses_the_signalled_address(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_transport_plan *t = &c->plan->transports[1];
    const agw_transport_plan plain = *t;
    *t = c->plan->transports[0];
    t->id = LAB_CORE_AUDIO;
    t->side = AGW_SIDE_B;
    t->security = AGW_SECURITY_PLAIN;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    *t = plain;
    lab_apply(l, c);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 1);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &c->core[0], AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && agw_addr_equal(&out->to, &plain.remote_rtp));
    l->now += AGW_S(60);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_FAILED), 0);
    lab_end(l);
}

/* --- plain legs --------------------------------------------------------------------------------
 */

static void test_transport_address_changed_by_an_offer_while_media_flows(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser());
    const agw_addr old = c->plan->transports[1].remote_rtp, moved = lab_addr(120, 4444);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 1);
    lab_turn(l);
    CU_ASSERT_TRUE(agw_addr_equal(&lab_sent(l, &c->core[0], AGW_PKT_RTP, 0)->to, &old));
    c->plan->transports[1].remote_rtp = moved;
    lab_post_plan(l, c);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 2);
    lab_phone_rtp(l, c, 0, old, LAB_PT_AUDIO, 0x22, 1);
    lab_turn(l);
    CU_ASSERT_TRUE(agw_addr_equal(&lab_sent(l, &c->core[0], AGW_PKT_RTP, 0)->to, &moved));
    CU_ASSERT_PTR_NULL(lab_sent(l, &l->access, AGW_PKT_RTP, 0));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    c->plan->transports[1].remote_rtp = (agw_addr){0}; /* 0.0.0.0: an old way to say hold */
    lab_apply(l, c);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 3);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    lab_end(l);
}

static void test_transport_address_of_the_wrong_family_is_not_sent_to(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->transports[1].remote_rtp = lab_addr6(1, 4000);
    lab_apply(l, c);
    lab_connect(l, c, browser());
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 1);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_DEST), 1);
    CU_ASSERT_EQUAL(agw_counter_get(&c->stats[0].end[AGW_SIDE_B].rtp_out.packets), 0);
    lab_end(l);
}

static void latch(lab *l, lab_call *c)
{
    c->plan->transports[1].latch_rule = AGW_LATCH_ONCE;
    lab_apply(l, c);
    lab_connect(l, c, browser());
}

static void test_transport_latched_address_survives_the_same_plan(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    const agw_addr nat = lab_addr(130, 9);
    latch(l, c);
    lab_phone_rtp(l, c, 0, nat, LAB_PT_AUDIO, 0x22, 1);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 1);
    lab_apply(l, c); /* a session timer */
    lab_phone_rtp(l, c, 0, lab_addr(131, 9), LAB_PT_AUDIO, 0x22, 2);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 1);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 1);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    const lab_out *out = lab_sent(l, &c->core[0], AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && agw_addr_equal(&out->to, &nat));
    c->plan->transports[1].remote_rtp.port++; /* new SDP arms it again */
    lab_apply(l, c);
    lab_phone_rtp(l, c, 0, lab_addr(131, 9), LAB_PT_AUDIO, 0x22, 3);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 2);
    lab_end(l);
}

/* NAT-wait: the peer's first packet opens the way, and shows where it leads. */
static void test_transport_ng_6_nat_wait_sends_nothing_first(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_addr nat = c->plan->transports[1].remote_rtp;
    nat.port = (uint16_t)(nat.port + 7);
    c->plan->transports[1].remote_rtp.port++;
    c->plan->transports[1].latch_rule = AGW_LATCH_WAIT;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 1);
    lab_phone_rtp(l, c, 0, lab_addr(131, 9), LAB_PT_AUDIO, 0x22, 1); /* not the peer */
    lab_turn(l);
    CU_ASSERT_PTR_NULL(lab_sent(l, &c->core[0], AGW_PKT_RTP, 0));
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 0);
    lab_phone_rtp(l, c, 0, nat, LAB_PT_AUDIO, 0x22, 2);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 1);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, 2);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &c->core[0], AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && agw_addr_equal(&out->to, &nat));
    lab_end(l);
}

static void test_transport_latching_wants_a_packet_of_this_call(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    const agw_addr stranger = lab_addr(131, 9);
    uint8_t rtp[64];
    latch(l, c);
    lab_phone_rtp(l, c, 0, stranger, 55, 0x22, 1); /* not negotiated */
    lab_say(l, &c->core[0], stranger, rtp, lab_rtp(rtp, LAB_PT_AUDIO, 1, 1, 0));
    l->io->in[1].data[0] = 0x8f; /* CSRCs that are not there */
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 2);
    lab_end(l);
}

static void test_transport_rtcp_latches_only_to_where_rtp_comes_from(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    static const uint8_t RR[8] = {0x80, 201, 0, 1, 0, 0, 0, 0x22};
    latch(l, c);
    lab_say(l, &c->core[1], lab_addr(131, 9), RR, sizeof RR);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 0);
    lab_phone_rtp(l, c, 0, lab_addr(130, 9), LAB_PT_AUDIO, 0x22, 1);
    lab_turn(l);
    lab_say(l, &c->core[1], lab_addr(131, 9), RR, sizeof RR);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 1);
    lab_say(l, &c->core[1], lab_addr(130, 10), RR, sizeof RR);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 2);
    lab_end(l);
}

/* --- marking -----------------------------------------------------------------------------------
 */

static void test_transport_rfc4594_tos_of_each_media_on_the_shared_port(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->medias[1].end[AGW_SIDE_A].tos = AGW_TOS_AF41;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, 0x22, 1);
    lab_phone_rtp(l, c, 2, lab_phone(l, c, 2), LAB_PT_VIDEO, 0x33, 1);
    lab_turn(l);
    const lab_out *audio = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    const lab_out *video = lab_sent(l, &l->access, AGW_PKT_RTP, 1);
    CU_ASSERT_TRUE(audio != NULL && audio->tos == AGW_TOS_EF);
    CU_ASSERT_TRUE(video != NULL && video->tos == AGW_TOS_AF41);
    lab_end(l);
}

/* --- learning again ----------------------------------------------------------------------------
 */

/* A phone that was learned at `from`, with its packets up to seq 10. */
static lab_call *latched_call(lab *l, agw_latch_rule rule, agw_addr from)
{
    lab_call *c = &l->calls[0];
    c->plan->transports[1].latch_rule = (uint8_t)rule;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (uint16_t seq = 1; seq <= 10; seq++)
        lab_phone_rtp(l, c, 0, from, LAB_PT_AUDIO, 0x22, seq);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 1);
    return c;
}

/* Where the phone is sent to. */
static bool is_sent_to(lab *l, lab_call *c, agw_addr to)
{
    static uint16_t seq;
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, 0x11, ++seq);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &c->core[0], AGW_PKT_RTP, 0);
    return out != NULL && agw_addr_equal(&out->to, &to);
}

static void from_there(lab *l, lab_call *c, agw_addr from, uint32_t ssrc, uint16_t seq)
{
    lab_phone_rtp(l, c, 0, from, LAB_PT_AUDIO, ssrc, seq);
    lab_turn(l);
}

static void test_transport_latch_ims_5_again_after_2_s_and_the_same_stream_only(void)
{
    const agw_addr first = lab_addr(130, 1000), other = lab_addr(131, 2000);
    lab *l = lab_new();
    lab_call *c = latched_call(l, AGW_LATCH_ONCE, first);
    l->now += AGW_S(2) - 1;
    from_there(l, c, other, 0x22, 11); /* too early */
    CU_ASSERT_TRUE(is_sent_to(l, c, first));
    l->now += 1;
    from_there(l, c, other, 0x23, 11); /* another stream */
    CU_ASSERT_TRUE(is_sent_to(l, c, first));
    from_there(l, c, other, 0x22, 10); /* seen */
    CU_ASSERT_TRUE(is_sent_to(l, c, first));
    from_there(l, c, other, 0x22, 10 + 3000); /* far ahead */
    CU_ASSERT_TRUE(is_sent_to(l, c, first));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 4);
    from_there(l, c, other, 0x22, 111);
    CU_ASSERT_NOT_EQUAL(l->io->n_out, 0);
    CU_ASSERT_TRUE(is_sent_to(l, c, other));
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 2);
    from_there(l, c, first, 0x22, 112); /* the old one has to wait in turn */
    CU_ASSERT_TRUE(is_sent_to(l, c, other));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 5);
    lab_end(l);
}

/* A NAT that gives the phone another port: heard at once, followed when the old port is silent. */
static void test_transport_latch_follows_another_port_of_the_same_address(void)
{
    const agw_addr first = lab_addr(130, 1000), other = lab_addr(130, 2000);
    lab *l = lab_new();
    lab_call *c = latched_call(l, AGW_LATCH_ONCE, first);
    from_there(l, c, other, 0x22, 11);
    CU_ASSERT_NOT_EQUAL(l->io->n_out, 0);
    CU_ASSERT_TRUE(is_sent_to(l, c, first));
    l->now += AGW_S(2);
    from_there(l, c, other, 0x22, 12);
    CU_ASSERT_TRUE(is_sent_to(l, c, other));
    lab_end(l);
}

static void test_transport_latch_media_handover_follows_at_once(void)
{
    const agw_addr first = lab_addr(130, 1000), other = lab_addr(131, 2000);
    lab *l = lab_new();
    lab_call *c = latched_call(l, AGW_LATCH_HANDOVER, first);
    l->now += AGW_MS(500);
    lab_phone_rtp(l, c, 0, other, 77, 0x99, 500); /* not of this call */
    lab_turn(l);
    CU_ASSERT_TRUE(is_sent_to(l, c, first));
    from_there(l, c, other, 0x99, 500);
    CU_ASSERT_TRUE(is_sent_to(l, c, other));
    from_there(l, c, first, 0x22, 11); /* not to and fro with every packet */
    CU_ASSERT_TRUE(is_sent_to(l, c, other));
    lab_end(l);
}

static void test_transport_latch_is_armed_anew_by_sdp(void)
{
    const agw_addr first = lab_addr(130, 1000), other = lab_addr(131, 2000);
    lab *l = lab_new();
    lab_call *c = latched_call(l, AGW_LATCH_ONCE, first);
    c->plan->transports[1].remote_rtp = lab_addr(101, 4100);
    lab_apply(l, c);
    from_there(l, c, other, 0x99, 500);
    CU_ASSERT_TRUE(is_sent_to(l, c, other));
    lab_end(l);
}

/* c=0.0.0.0: the old way to say hold (RFC 3264 section 8.4). */
static void test_transport_rfc3264_8_4_zero_address_is_heard_and_not_sent_to(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    const agw_addr phone = lab_phone(l, c, 0);
    lab_apply(l, c);
    lab_connect(l, c, browser());
    c->plan->transports[1].remote_rtp = c->plan->transports[1].remote_rtcp = (agw_addr){0};
    lab_apply(l, c);
    CU_ASSERT_TRUE(reaches(l, c, browser(), 1)); /* its music */
    CU_ASSERT_FALSE(is_sent_to(l, c, phone));
    from_there(l, c, lab_addr(131, 2000), 0x22, 2);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    lab_end(l);
}

/* DSCP and ECN marks (RFC 3168) of one leg on the other; RTCP, which is ours, keeps its own. */
static void test_transport_334_5_8_tos_is_copied_when_asked_for(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *to = &c->plan->medias[0].end[AGW_SIDE_A];
    to->tos = AGW_TOS_EF;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (int copy = 0; copy < 2; copy++) {
        to->tos_copy = copy;
        lab_apply(l, c);
        lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, 0x22, (uint16_t)copy);
        l->io->in[l->io->n_in - 1].tos = 0x8b; /* AF41, congestion experienced */
        lab_turn(l);
        const lab_out *rtp = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
        CU_ASSERT_TRUE(rtp != NULL && rtp->tos == (copy ? 0x8b : AGW_TOS_EF));
        l->now += AGW_S(5);
        lab_turn(l);
        const lab_out *rtcp = lab_sent(l, &l->access, AGW_PKT_RTCP, 0);
        CU_ASSERT_TRUE(rtcp != NULL && rtcp->tos == AGW_TOS_EF);
    }
    lab_end(l);
}

/* --- what the network refuses -------------------------------------------------------------------
 */

static void refuse(lab *l, agw_port *port, agw_addr remote)
{
    agw_io_note_icmp(&l->io->io, port, &(agw_icmp){.remote = remote, .type = 3, .code = 3});
    lab_turn(l);
}

/* On the shared port the address that could not be reached tells whose it was. */
static void test_transport_evt_7_a_refused_bearer_is_told_once_a_second(void)
{
    const agw_addr browser = lab_addr(50, 6000);
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    lab_apply(l, c);
    lab_connect(l, c, browser);
    refuse(l, &c->core[0], lab_phone(l, c, 0));
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_BEARER_REFUSED), 1);
    const agw_event *told = &c->events[c->n_events - 1];
    const agw_addr phone = lab_phone(l, c, 0);
    CU_ASSERT_EQUAL(told->transport_id, LAB_CORE_AUDIO);
    CU_ASSERT_TRUE(agw_addr_equal(&told->remote, &phone));
    CU_ASSERT_STRING_EQUAL(told->detail, "ICMP type 3 code 3");
    l->now += AGW_S(1) - 1;
    refuse(l, &c->core[0], phone);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_BEARER_REFUSED), 1);
    l->now += 1;
    refuse(l, &c->core[0], phone);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_BEARER_REFUSED), 2);
    refuse(l, &l->access, lab_addr(51, 6000)); /* nobody's */
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_BEARER_REFUSED), 2);
    refuse(l, &l->access, browser);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_BEARER_REFUSED), 3);
    CU_ASSERT_EQUAL(c->events[c->n_events - 1].transport_id, LAB_ACCESS);
    lab_end(l);
}

/* --- mail --------------------------------------------------------------------------------------
 */

static void test_mail_that_is_never_delivered_takes_its_association_along(void)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_START, NULL, 0);
    mail->assoc = agw_assoc_new(0, (agw_transport_name){1, 1});
    agw_mail_free(mail); /* the leak checker looks */
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_transport_stray_hellos_make_handshakes_ask_for_a_cookie),
    AGW_CASE(test_transport_dtls_budget_is_2000_datagrams_a_second),
    AGW_CASE(test_transport_dtls_waits_in_the_handshake_threads_mailbox_only),
    AGW_CASE(test_transport_ts23334_6_2_17_4_each_new_address_of_the_peer_is_told_once),
    AGW_CASE(test_transport_ts23334_6_2_17_4_a_peer_of_many_addresses_is_told_slowly),
    AGW_CASE(test_transport_a_peer_that_nominates_to_and_fro_is_told_slowly),
    AGW_CASE(test_transport_goes_while_its_own_packets_wait),
    AGW_CASE(test_transport_applied_and_closed_in_one_round),
    AGW_CASE(test_transport_without_a_port_stays_and_is_silent),
    AGW_CASE(test_transport_late_answers_of_a_replaced_association_have_no_effect),
    AGW_CASE(test_transport_late_end_does_not_end_the_next_association),
    AGW_CASE(test_transport_dtls_client_begins_with_the_answer_when_ice_was_first),
    AGW_CASE(test_transport_rfc5763_5_dtls_client_without_ice_begins_at_the_signalled_address),
    AGW_CASE(test_transport_dtls_role_of_the_answer_is_the_one_played),
    AGW_CASE(test_transport_dtls_role_of_the_answer_keeps_the_server_that_waited),
    AGW_CASE(test_transport_dtls_failure_of_the_client_waits_for_new_sdp),
    AGW_CASE(test_transport_dtls_server_hears_the_next_hello_after_a_timeout),
    AGW_CASE(test_transport_dtls_associations_that_fail_begin_slowly),
    AGW_CASE(test_transport_rfc8122_6_2_wrong_certificate_ends_older_keys_too),
    AGW_CASE(test_transport_close_notify_stops_media_until_new_sdp),
    AGW_CASE(test_transport_keys_that_go_in_the_same_round_send_nothing_in_the_clear),
    AGW_CASE(test_transport_dtls_goes_with_a_plan_without_it),
    AGW_CASE(test_transport_rfc8445_9_restart_with_unknown_remote_credentials),
    AGW_CASE(test_transport_second_answer_with_other_credentials_is_taken),
    AGW_CASE(test_transport_rfc7675_consent_lost_then_restart),
    AGW_CASE(test_transport_second_component_is_not_missed_with_mux),
    AGW_CASE(test_transport_srtp_from_an_unvalidated_address_is_not_taken),
    AGW_CASE(test_transport_check_at_another_interface_is_not_answered),
    AGW_CASE(test_transport_selected_pair_chooses_the_port_of_its_family),
    AGW_CASE(test_transport_old_addresses_leave_the_map),
    AGW_CASE(test_transport_answer_without_ice_uses_the_signalled_address),
    AGW_CASE(test_transport_address_changed_by_an_offer_while_media_flows),
    AGW_CASE(test_transport_address_of_the_wrong_family_is_not_sent_to),
    AGW_CASE(test_transport_latched_address_survives_the_same_plan),
    AGW_CASE(test_transport_ng_6_nat_wait_sends_nothing_first),
    AGW_CASE(test_transport_latching_wants_a_packet_of_this_call),
    AGW_CASE(test_transport_rtcp_latches_only_to_where_rtp_comes_from),
    AGW_CASE(test_transport_rfc4594_tos_of_each_media_on_the_shared_port),
    AGW_CASE(test_transport_latch_ims_5_again_after_2_s_and_the_same_stream_only),
    AGW_CASE(test_transport_latch_follows_another_port_of_the_same_address),
    AGW_CASE(test_transport_latch_media_handover_follows_at_once),
    AGW_CASE(test_transport_latch_is_armed_anew_by_sdp),
    AGW_CASE(test_transport_rfc3264_8_4_zero_address_is_heard_and_not_sent_to),
    AGW_CASE(test_transport_334_5_8_tos_is_copied_when_asked_for),
    AGW_CASE(test_transport_evt_7_a_refused_bearer_is_told_once_a_second),
    AGW_CASE(test_mail_that_is_never_delivered_takes_its_association_along),
};

AGW_UNIT_MAIN("transport", cases)
