/* SPDX-License-Identifier: BSD-3-Clause
 * What one source may cost without a proof, and who does not feel it: two calls whose browsers have
 * one address, as behind a NAT. */
#include "tests/agw/lab.h"
#include "unit.h"

enum { ENOUGH = 3 * AGW_UNPROVEN_PER_SECOND }; /* where no limit is found */

static const uint8_t HELLO[13] = {22, 0xfe, 0xff};

static agw_addr nat(uint16_t port)
{
    return lab_addr(50, port);
}

static lab *two_calls(void)
{
    lab *l = lab_new();
    lab_call_open(l, &l->calls[1]);
    for (size_t i = 0; i < 2; i++)
        lab_apply(l, &l->calls[i]);
    return l;
}

/* A check with the right names and another key. */
static void forge(lab *l, const lab_call *c, agw_addr from)
{
    uint8_t buf[512];
    const agw_transport_plan *t = &c->plan->transports[0];
    const size_t len = lab_write_check(l, t->local_ufrag, t->remote_ufrag,
                                       "notourpasswordnotourpass", true, buf, sizeof buf);
    lab_say(l, &l->access, from, buf, len);
    lab_turn(l);
}

/* Until nothing of it is looked at any more; each from another port. */
static unsigned flood(lab *l, const lab_call *c, uint8_t host)
{
    unsigned n = 0;
    const uint64_t before = lab_drops(l, AGW_DROP_SOURCE_RATE);
    for (; lab_drops(l, AGW_DROP_SOURCE_RATE) == before && n < ENOUGH; n++)
        forge(l, c, lab_addr(host, (uint16_t)(20000 + n)));
    return n - 1;
}

static bool is_answered(lab *l, const lab_call *c, agw_addr from)
{
    lab_check(l, c, from, true);
    lab_turn(l);
    return lab_sent(l, &l->access, AGW_PKT_STUN, 0) != NULL;
}

static void test_sources_failed_checks_of_one_address_are_bounded(void)
{
    lab *l = two_calls();
    CU_ASSERT_EQUAL(flood(l, &l->calls[0], 50), AGW_UNPROVEN_FREE + AGW_UNPROVEN_PER_SECOND);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_STUN_AUTH), AGW_UNPROVEN_FREE + AGW_UNPROVEN_PER_SECOND);
    CU_ASSERT_FALSE(is_answered(l, &l->calls[0], nat(6000))); /* the attacked call alone waits */
    l->now += AGW_S(1) / AGW_UNPROVEN_PER_SECOND;
    CU_ASSERT_TRUE(is_answered(l, &l->calls[0], nat(6000)));
    lab_end(l);
}

static void test_sources_a_flood_behind_a_nat_does_not_stop_its_neighbour(void)
{
    lab *l = two_calls();
    flood(l, &l->calls[0], 50);
    CU_ASSERT_TRUE(is_answered(l, &l->calls[1], nat(6001)));
    CU_ASSERT_TRUE(is_answered(l, &l->calls[1], nat(6002)));
    lab_end(l);
}

static void test_sources_others_reach_the_call_that_one_floods(void)
{
    lab *l = two_calls();
    flood(l, &l->calls[0], 50);
    CU_ASSERT_TRUE(is_answered(l, &l->calls[0], lab_addr(51, 6000)));
    lab_end(l);
}

static void test_sources_who_is_validated_is_heard_through_the_flood(void)
{
    lab *l = two_calls();
    CU_ASSERT_TRUE(is_answered(l, &l->calls[0], nat(6000)));
    flood(l, &l->calls[0], 50);
    CU_ASSERT_TRUE(is_answered(l, &l->calls[0], nat(6000)));
    lab_end(l);
}

static void test_sources_honest_checks_cost_nothing(void)
{
    lab *l = two_calls();
    for (unsigned i = 0; i < 2 * AGW_UNPROVEN_PER_SECOND; i++)
        CU_ASSERT_TRUE_FATAL(is_answered(l, &l->calls[0], nat((uint16_t)(6000 + i))));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_SOURCE_RATE), 0);
    lab_end(l);
}

/* An overheard check, repeated from elsewhere, costs as much as a forged one. */
static void test_sources_repeated_checks_are_bounded(void)
{
    lab *l = two_calls();
    const agw_transport_plan *t = &l->calls[0].plan->transports[0];
    uint8_t buf[512];
    const size_t len =
        lab_write_check(l, t->local_ufrag, t->remote_ufrag, t->local_pwd, true, buf, sizeof buf);
    lab_say(l, &l->access, nat(6000), buf, len);
    lab_turn(l);
    unsigned n = 0;
    for (; lab_drops(l, AGW_DROP_SOURCE_RATE) == 0 && n < ENOUGH; n++) {
        lab_say(l, &l->access, lab_addr(60, 7000), buf, len);
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(n - 1, AGW_UNPROVEN_FREE + AGW_UNPROVEN_PER_SECOND);
    lab_end(l);
}

/* --- DTLS -------------------------------------------------------------------------------------
 */

static unsigned hello(lab *l, lab_call *c, agw_addr from, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        lab_say(l, &l->access, from, HELLO, sizeof HELLO);
        lab_turn(l);
    }
    const lab_assoc *a = lab_assoc_of(l, c, LAB_ACCESS);
    return a != NULL ? (unsigned)a->datagrams : 0;
}

static void test_sources_dtls_flood_behind_a_nat_leaves_its_neighbour_a_handshake(void)
{
    lab *l = two_calls();
    CU_ASSERT_TRUE(is_answered(l, &l->calls[0], nat(6000)));
    CU_ASSERT_TRUE(is_answered(l, &l->calls[1], nat(6001)));
    CU_ASSERT_EQUAL(hello(l, &l->calls[0], nat(6000), 3000), AGW_UNPROVEN_PER_SECOND);
    CU_ASSERT_EQUAL(hello(l, &l->calls[1], nat(6001), 3000), 2 * AGW_UNPROVEN_FREE);
    lab_end(l);
}

/* --- the STUN server --------------------------------------------------------------------------
 */

static bool is_served(lab *l, agw_port *port, agw_addr from)
{
    static const uint8_t REQUEST[20] = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 9};
    lab_say(l, port, from, REQUEST, sizeof REQUEST);
    lab_turn(l);
    return lab_sent(l, port, AGW_PKT_STUN, 0) != NULL;
}

static void test_sources_one_gets_a_tenth_of_the_stun_server(void)
{
    lab *l = two_calls();
    l->w->stun_server.rate = 500;
    unsigned n = 0;
    while (n < ENOUGH && is_served(l, &l->access, lab_addr(60, (uint16_t)(7000 + n))))
        n++;
    CU_ASSERT_EQUAL(n, 50);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_SOURCE_RATE), 1);
    for (n = 0; n < ENOUGH && is_served(l, &l->access6, lab_addr6(60, (uint16_t)(7000 + n)));)
        n++;
    CU_ASSERT_EQUAL(n, 50);
    for (uint8_t host = 1; host <= 8; host++) {
        for (n = 0; n < 50; n++)
            CU_ASSERT_TRUE(is_served(l, &l->access, lab_addr(host, 7000)));
    }
    CU_ASSERT_FALSE(is_served(l, &l->access, lab_addr(9, 7000)));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_STUN_RATE), 1);
    lab_end(l);
}

/* Who floods the server, as anybody can with any source, does not stop a call's checks. */
static void test_sources_a_flooded_stun_server_stops_no_check(void)
{
    lab *l = two_calls();
    l->w->stun_server.rate = 500;
    for (unsigned n = 0; n < ENOUGH && is_served(l, &l->access, nat(7000)); n++) {
    }
    CU_ASSERT_TRUE(is_answered(l, &l->calls[0], nat(6000)));
    CU_ASSERT_EQUAL(hello(l, &l->calls[0], nat(6000), 40), 40);
    lab_end(l);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_sources_failed_checks_of_one_address_are_bounded),
    AGW_CASE(test_sources_a_flood_behind_a_nat_does_not_stop_its_neighbour),
    AGW_CASE(test_sources_others_reach_the_call_that_one_floods),
    AGW_CASE(test_sources_who_is_validated_is_heard_through_the_flood),
    AGW_CASE(test_sources_honest_checks_cost_nothing),
    AGW_CASE(test_sources_repeated_checks_are_bounded),
    AGW_CASE(test_sources_dtls_flood_behind_a_nat_leaves_its_neighbour_a_handshake),
    AGW_CASE(test_sources_one_gets_a_tenth_of_the_stun_server),
    AGW_CASE(test_sources_a_flooded_stun_server_stops_no_check),
};
AGW_UNIT_MAIN("sources", CASES)
