/* SPDX-License-Identifier: BSD-3-Clause
 * Early media on virtual time: what comes from an address that no SDP has named waits for the SDP
 * that does. */
#include "tests/agw/lab.h"
#include "unit.h"

enum { SSRC = 0x22 };

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static agw_addr announcement(void)
{
    return lab_addr(120, 7000);
}

static agw_transport_plan *core(lab_call *c)
{
    return &c->plan->transports[1];
}

/* A browser that talks; the phone's side still waits for SDP that may be late. */
static lab_call *early_call(lab *l)
{
    lab_call *c = &l->calls[0];
    core(c)->hold_strangers = true;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    return c;
}

static void say(lab *l, lab_call *c, agw_addr from, uint16_t seq)
{
    lab_phone_rtp(l, c, 0, from, LAB_PT_AUDIO, SSRC, seq);
    lab_turn(l);
}

static size_t heard(lab *l)
{
    size_t n = 0;
    while (lab_sent(l, &l->access, AGW_PKT_RTP, n) != NULL)
        n++;
    return n;
}

static void test_early_rfc3960_3_media_is_held_until_its_source_is_named(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    for (uint16_t seq = 1; seq <= 5; seq++) {
        l->now += AGW_MS(20);
        say(l, c, announcement(), seq);
        CU_ASSERT_EQUAL(heard(l), 0);
    }
    core(c)->remote_rtp = announcement();
    lab_apply(l, c);
    CU_ASSERT_EQUAL(heard(l), 5);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 0);
    for (size_t i = 1; i < 5; i++) { /* in order */
        agw_rtp_header a, b;
        uint8_t *first = lab_sent(l, &l->access, AGW_PKT_RTP, i - 1)->data;
        CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&a, first, 32), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&b, lab_sent(l, &l->access, AGW_PKT_RTP, i)->data, 32),
                              AGW_OK);
        CU_ASSERT_EQUAL((uint16_t)(a.seq + 1), b.seq);
    }
    lab_end(l);
}

static void test_early_before_the_first_answer_too(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_addr answered = core(c)->remote_rtp;
    core(c)->hold_strangers = true;
    core(c)->remote_rtp = core(c)->remote_rtcp = (agw_addr){0};
    c->plan->n_medias = 0; /* an offer is open: no media stands yet */
    lab_apply(l, c);
    say(l, c, answered, 1);
    CU_ASSERT_EQUAL(heard(l), 0);
    c->plan->n_medias = 2;
    core(c)->remote_rtp = answered;
    lab_apply(l, c);
    /* on its way, as far as it goes without a browser */
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_DEST), 1);
    lab_end(l);
}

static void test_early_media_nobody_names_is_dropped_after_200_ms(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    say(l, c, announcement(), 1);
    l->now += AGW_MS(199);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 0);
    l->now += AGW_MS(1);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    core(c)->remote_rtp = announcement();
    lab_apply(l, c);
    CU_ASSERT_EQUAL(heard(l), 0);
    lab_end(l);
}

static void test_early_another_source_stays_when_one_is_named(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    say(l, c, lab_addr(121, 7000), 7);
    say(l, c, announcement(), 1);
    say(l, c, lab_addr(122, 7000), 8);
    core(c)->remote_rtp = announcement();
    lab_apply(l, c);
    CU_ASSERT_EQUAL(heard(l), 1);
    core(c)->remote_rtp = lab_addr(122, 7000);
    lab_apply(l, c);
    CU_ASSERT_EQUAL(heard(l), 1);
    l->now += AGW_MS(200);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    lab_end(l);
}

static void test_early_sixteen_packets_a_port_and_a_bounded_pool(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    for (uint16_t seq = 1; seq <= 40; seq++)
        say(l, c, announcement(), seq);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 40 - AGW_EARLY_PER_PORT);
    core(c)->remote_rtp = announcement();
    lab_apply(l, c);
    CU_ASSERT_EQUAL(heard(l), AGW_EARLY_PER_PORT);
    lab_end(l);

    agw_early *early = agw_early_new();
    agw_early_list lists[AGW_EARLY_POOL / AGW_EARLY_PER_PORT + 1] = {{0}};
    agw_pkt *pkt = calloc(1, sizeof *pkt);
    static agw_counter drops[AGW_DROP_COUNT];
    size_t kept = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(pkt);
    agw_pkt_reset(pkt);
    pkt->len = AGW_PKT_MAX;
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
            for (int k = 0; k < 20; k++)
                kept += agw_early_hold(early, &lists[i], AGW_EARLY_PER_PORT, pkt,
                                       AGW_DROP_WRONG_SOURCE, 1);
        }
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
            agw_early_expire(early, &lists[i], AGW_NEVER, drops);
        CU_ASSERT_EQUAL(kept, (round + 1) * AGW_EARLY_POOL);
        CU_ASSERT_EQUAL(agw_counter_get(&drops[AGW_DROP_WRONG_SOURCE]), kept);
    }
    free(pkt);
    agw_early_free(early);
}

/* A sender report to the RTCP port of audio. */
static void say_rtcp(lab *l, lab_call *c, agw_addr from, uint16_t words)
{
    uint8_t report[28] = {0x80, 200};
    agw_put16(report + 2, words);
    agw_put32(report + 4, SSRC);
    lab_say(l, &c->core[1], from, report, sizeof report);
    lab_turn(l);
}

static size_t kept(lab *l, lab_call *c)
{
    const agw_component *both = lab_transport(l, c, LAB_CORE_AUDIO)->component;
    return both[AGW_RTP_COMPONENT].early.n + both[AGW_RTCP_COMPONENT].early.n;
}

/* From where RTP comes, but not from where the plan says that RTCP does, before the next plan and
 * after it. */
static void test_early_rfc3605_2_1_rtcp_from_elsewhere_than_named_waits_until_it_is_named(void)
{
    for (int strict = 0; strict < 2; strict++) {
        lab *l = lab_new();
        lab_call *c = early_call(l);
        const agw_addr from = lab_addr(120, 7000 + 5 * !strict);
        core(c)->source_rule = strict ? AGW_SOURCE_STRICT : core(c)->source_rule;
        core(c)->remote_rtp = announcement();
        core(c)->remote_rtcp = strict ? lab_addr(120, 7001) : lab_addr(77, 9999);
        lab_apply(l, c);
        say_rtcp(l, c, from, 6);
        CU_ASSERT_EQUAL(kept(l, c), 1);
        lab_apply(l, c);
        CU_ASSERT_EQUAL(kept(l, c), 1);
        core(c)->remote_rtcp = from;
        lab_apply(l, c);
        CU_ASSERT_EQUAL(kept(l, c), 0);
        CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 0);
        lab_end(l);
    }
}

/* The phone has been learned to be at another address than SDP says. */
static lab_call *learned_call(lab *l)
{
    lab_call *c = early_call(l);
    core(c)->latch_rule = AGW_LATCH_ONCE;
    lab_apply(l, c);
    say(l, c, announcement(), 1);
    return c;
}

static void test_early_malformed_rtcp_of_a_learned_address_is_dropped_after_200_ms(void)
{
    lab *l = lab_new();
    lab_call *c = learned_call(l);
    CU_ASSERT_EQUAL(heard(l), 1);
    say_rtcp(l, c, lab_addr(120, 7001), 60);
    CU_ASSERT_EQUAL(kept(l, c), 1);
    lab_apply(l, c);
    l->now += AGW_EARLY_FOR;
    lab_turn(l);
    CU_ASSERT_EQUAL(kept(l, c), 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    lab_end(l);
}

/* A phone whose address was learned turns to DTLS: what is refused as a stranger's there is let in
 * by its source, and is kept again. A plan tries each packet once. */
static void test_early_a_packet_that_is_kept_again_waits_for_another_plan(void)
{
    lab *l = lab_new();
    lab_call *c = learned_call(l);
    say_rtcp(l, c, lab_addr(120, 7001), 6);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_LATCHED), 2);
    l->now += AGW_S(3);
    core(c)->security = AGW_SECURITY_DTLS;
    core(c)->dtls = AGW_DTLS_PASSIVE;
    lab_apply(l, c);
    say_rtcp(l, c, lab_addr(120, 7003), 6);
    CU_ASSERT_EQUAL(kept(l, c), 1);
    lab_apply(l, c);
    CU_ASSERT_EQUAL(kept(l, c), 1);
    lab_end(l);
}

static void test_early_dialogs_keep_their_sources_until_the_final_answer(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    core(c)->n_sources = core(c)->n_open = 1;
    c->sources[0] = announcement();
    lab_apply(l, c);
    say(l, c, announcement(), 1);
    CU_ASSERT_EQUAL(heard(l), 1);
    lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, 0x11, 1); /* goes to the answer's address */
    lab_turn(l);
    const lab_out *out = lab_sent(l, &c->core[0], AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && agw_addr_equal(&out->to, &core(c)->remote_rtp));
    core(c)->n_sources = core(c)->n_open = 0;
    core(c)->hold_strangers = false;
    lab_apply(l, c);
    say(l, c, announcement(), 2);
    CU_ASSERT_EQUAL(heard(l), 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    lab_end(l);
}

static void test_early_strict_source_wants_the_port_of_an_early_dialog(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    core(c)->source_rule = AGW_SOURCE_STRICT;
    core(c)->hold_strangers = false;
    core(c)->n_sources = core(c)->n_open = 1;
    c->sources[0] = announcement();
    lab_apply(l, c);
    say(l, c, lab_addr(120, 7001), 1);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    say(l, c, announcement(), 2);
    CU_ASSERT_EQUAL(heard(l), 1);
    lab_end(l);
}

static void test_early_media_goes_with_its_call(void)
{
    lab *l = lab_new();
    lab_call *c = early_call(l);
    say(l, c, announcement(), 1);
    lab_post_close(l, c);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_WRONG_SOURCE), 1);
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_early_rfc3960_3_media_is_held_until_its_source_is_named),
    AGW_CASE(test_early_before_the_first_answer_too),
    AGW_CASE(test_early_media_nobody_names_is_dropped_after_200_ms),
    AGW_CASE(test_early_another_source_stays_when_one_is_named),
    AGW_CASE(test_early_sixteen_packets_a_port_and_a_bounded_pool),
    AGW_CASE(test_early_rfc3605_2_1_rtcp_from_elsewhere_than_named_waits_until_it_is_named),
    AGW_CASE(test_early_malformed_rtcp_of_a_learned_address_is_dropped_after_200_ms),
    AGW_CASE(test_early_a_packet_that_is_kept_again_waits_for_another_plan),
    AGW_CASE(test_early_dialogs_keep_their_sources_until_the_final_answer),
    AGW_CASE(test_early_strict_source_wants_the_port_of_an_early_dialog),
    AGW_CASE(test_early_media_goes_with_its_call),
};

AGW_UNIT_MAIN("early", cases)
