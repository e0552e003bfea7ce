/* SPDX-License-Identifier: BSD-3-Clause
 * Full agents and the STUN server on a worker: where checks leave, whom a response finds, what DTLS
 * waits for. */
#include "base/rand.h"
#include "ice/stun.h"
#include "tests/agw/lab.h"
#include "unit.h"

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static lab *lab_full(bool controlling, const agw_candidate_plan *candidates, size_t n)
{
    lab *l = lab_new();
    agw_transport_plan *t = &l->calls[0].plan->transports[0];
    t->ice_full = true;
    t->ice_controlling = controlling;
    t->candidates = candidates;
    t->n_candidates = n;
    lab_apply(l, &l->calls[0]);
    return l;
}

/* The check of ours that left in the last turn; fatal: none did. */
static const lab_out *check_of_ours(lab *l, agw_port *port, agw_stun_msg *msg)
{
    const lab_out *out = lab_sent(l, port, AGW_PKT_STUN, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(msg, out->data, out->len), AGW_OK);
    CU_ASSERT_EQUAL(msg->head.msg_class, AGW_STUN_REQUEST);
    return out;
}

/* The browser answers it. */
static void answer(lab *l, const agw_stun_msg *msg)
{
    uint8_t buf[AGW_STUN_REPLY_MAX];
    const size_t len = agw_stun_write_success(
        msg, &l->access.local, l->calls[0].plan->transports[0].remote_pwd, buf, sizeof buf);
    lab_say(l, &l->access, browser(), buf, len);
    lab_turn(l);
}

static void test_full_ice_candidate_is_checked_and_nominated_and_dtls_begins_then(void)
{
    const agw_candidate_plan candidate = {browser(), 2130706431, 1};
    lab *l = lab_full(true, &candidate, 1);
    lab_call *c = &l->calls[0];
    c->plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    lab_apply(l, c);
    l->now += AGW_MS(600);
    lab_turn(l);
    agw_stun_msg msg;
    const lab_out *out = check_of_ours(l, &l->access, &msg);
    const agw_addr to = browser();
    CU_ASSERT_TRUE(agw_addr_equal(&out->to, &to));
    CU_ASSERT_TRUE(msg.is_controlling && !msg.use_candidate);
    CU_ASSERT_EQUAL(agw_demux_slot_of(msg.head.id), lab_slot(l, c, LAB_ACCESS));
    CU_ASSERT_PTR_NULL(lab_assoc_of(l, c, LAB_ACCESS));
    answer(l, &msg);
    CU_ASSERT_PTR_NOT_NULL(lab_assoc_of(l, c, LAB_ACCESS)); /* the pair is valid */
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_CONNECTED), 0);
    check_of_ours(l, &l->access, &msg); /* in the same turn */
    CU_ASSERT_TRUE(msg.use_candidate);
    answer(l, &msg);
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_CONNECTED), 1);
    CU_ASSERT_TRUE(c->events[0].controlling);
    agw_drop why;
    CU_ASSERT_FALSE(agw_transport_can_send(lab_transport(l, c, LAB_ACCESS), &why)); /* no keys */
    lab_end(l);
}

static void test_full_ice_peers_check_alone_does_not_start_a_dtls_client(void)
{
    lab *l = lab_full(false, NULL, 0);
    lab_call *c = &l->calls[0];
    c->plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    lab_apply(l, c);
    lab_check(l, c, browser(), true);
    lab_turn(l);
    agw_stun_msg msg;
    const lab_out *reply = lab_sent(l, &l->access, AGW_PKT_STUN, 0);
    CU_ASSERT_PTR_NOT_NULL(reply);
    CU_ASSERT_PTR_NULL(lab_assoc_of(l, c, LAB_ACCESS));
    l->now += AGW_MS(500); /* the first one left together with the reply */
    lab_turn(l);
    check_of_ours(l, &l->access, &msg);
    answer(l, &msg);
    CU_ASSERT_PTR_NOT_NULL(lab_assoc_of(l, c, LAB_ACCESS));
    CU_ASSERT_EQUAL(lab_events(c, AGW_EVENT_ICE_CONNECTED), 1);
    lab_end(l);
}

static void test_full_ice_responses_of_nobody_are_dropped_before_any_proof(void)
{
    lab *l = lab_full(true, NULL, 0);
    agw_stun_msg request = {.head = {.method = AGW_STUN_METHOD_BINDING}};
    uint8_t id[AGW_STUN_ID] = {0}, buf[AGW_STUN_REPLY_MAX];
    const uint32_t SLOTS[] = {0, lab_slot(l, &l->calls[0], LAB_ACCESS),
                              lab_slot(l, &l->calls[0], LAB_CORE_AUDIO), AGW_WORKER_SLOTS,
                              0xFFFFFF};
    for (size_t i = 0; i < sizeof SLOTS / sizeof SLOTS[0]; i++) {
        agw_put32(id, agw_demux_id_prefix(SLOTS[i], 0));
        id[11] = 1;
        request.head.id = id;
        const size_t len =
            agw_stun_write_success(&request, &l->access.local,
                                   l->calls[0].plan->transports[0].remote_pwd, buf, sizeof buf);
        lab_say(l, &l->access, browser(), buf, len);
    }
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_STUN_UNEXPECTED), 5);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    lab_end(l);
}

static void test_full_ice_loopback_of_a_stranger_is_not_checked(void)
{
    agw_candidate_plan candidate = {.priority = 5, .component = 1};
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&candidate.addr, "127.0.0.1:22"), AGW_OK);
    lab *l = lab_full(true, &candidate, 1);
    l->now += AGW_S(1);
    lab_turn(l);
    CU_ASSERT_EQUAL(agw_counter_get(&l->w->stats.stun_checks), 0);
    lab_end(l);
}

/* --- the STUN server -------------------------------------------------------------------------- */

static size_t plain_request(uint8_t *out, size_t attributes)
{
    memset(out, 0, 20 + attributes);
    out[1] = 1;
    agw_put16(out + 2, (uint16_t)attributes);
    agw_put32(out + 4, 0x2112A442);
    out[19] = 7;
    return 20 + attributes;
}

static lab *lab_server(uint32_t rate)
{
    lab *l = lab_new();
    l->w->stun_server.rate = rate;
    return l;
}

static void test_stun_server_rfc8489_6_3_1_says_where_a_request_came_from(void)
{
    lab *l = lab_server(10);
    const struct {
        agw_port *port;
        agw_addr from;
        size_t len;
    } CASES_OF[] = {{&l->access, lab_addr(9, 999), 32}, {&l->access6, lab_addr6(9, 999), 44}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t buf[64];
        lab_say(l, CASES_OF[i].port, CASES_OF[i].from, buf, plain_request(buf, 0));
        lab_turn(l);
        const lab_out *out = lab_sent(l, CASES_OF[i].port, AGW_PKT_STUN, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_EQUAL(out->len, CASES_OF[i].len);
        agw_stun_msg msg;
        CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, out->data, out->len), AGW_OK);
        CU_ASSERT_EQUAL(msg.head.msg_class, AGW_STUN_RESPONSE);
        CU_ASSERT_EQUAL(msg.head.id[11], 7);
        CU_ASSERT_TRUE(agw_addr_equal(&msg.mapped, &CASES_OF[i].from));
        CU_ASSERT_TRUE(agw_addr_equal(&out->to, &CASES_OF[i].from));
    }
    CU_ASSERT_EQUAL(agw_counter_get(&l->w->stats.stun_served), 2);
    lab_end(l);
}

static void test_stun_server_answers_so_many_a_second_and_no_more(void)
{
    lab *l = lab_server(10);
    uint8_t buf[64];
    const size_t len = plain_request(buf, 0);
    for (int second = 0; second < 3; second++) {
        for (uint8_t i = 0; i < 30; i++) /* each has a share of its own: tests/agw/test_sources.c */
            lab_say(l, &l->access, lab_addr(i, 900), buf, len);
        lab_turn(l);
        CU_ASSERT_EQUAL(l->io->n_out, 10);
        l->now += AGW_S(1);
    }
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_STUN_RATE), 60);
    lab_turn(l);
    l->now += AGW_MS(300); /* the bucket was full: it stays full */
    for (uint8_t i = 0; i < 12; i++)
        lab_say(l, &l->access, lab_addr(100 + i, 900), buf, len);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 10);
    l->now += AGW_MS(250);
    for (uint8_t i = 0; i < 12; i++)
        lab_say(l, &l->access, lab_addr(200 + i, 900), buf, len);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 2);
    lab_end(l);
}

static void test_stun_server_answers_nothing_odd(void)
{
    lab *l = lab_server(1000);
    uint8_t buf[64];
    size_t len = plain_request(buf, 0);
    lab_say(l, &l->access, lab_addr(9, 9), buf, len - 1); /* too short */
    buf[1] = 0x11;                                        /* an indication */
    lab_say(l, &l->access, lab_addr(9, 9), buf, len);
    buf[1] = 3; /* Allocate */
    lab_say(l, &l->access, lab_addr(9, 9), buf, len);
    len = plain_request(buf, 8); /* an unknown attribute that must be understood */
    agw_put16(buf + 20, 0x7FFF);
    agw_put16(buf + 22, 4);
    lab_say(l, &l->access, lab_addr(9, 9), buf, len);
    len = plain_request(buf, 8); /* a wrong FINGERPRINT */
    agw_put16(buf + 20, 0x8028);
    agw_put16(buf + 22, 4);
    lab_say(l, &l->access, lab_addr(9, 9), buf, len);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    l->w->stun_server.rate = 0;
    lab_say(l, &l->access, lab_addr(9, 9), buf, plain_request(buf, 0));
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_STUN_UNEXPECTED), 5);
    lab_end(l);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_full_ice_candidate_is_checked_and_nominated_and_dtls_begins_then),
    AGW_CASE(test_full_ice_peers_check_alone_does_not_start_a_dtls_client),
    AGW_CASE(test_full_ice_responses_of_nobody_are_dropped_before_any_proof),
    AGW_CASE(test_full_ice_loopback_of_a_stranger_is_not_checked),
    AGW_CASE(test_stun_server_rfc8489_6_3_1_says_where_a_request_came_from),
    AGW_CASE(test_stun_server_answers_so_many_a_second_and_no_more),
    AGW_CASE(test_stun_server_answers_nothing_odd),
};
AGW_UNIT_MAIN("full_ice", CASES)
