/* SPDX-License-Identifier: BSD-3-Clause
 * Full and lite agents in SDP and plan: who is which, who controls, and whose candidates. */
#include "control/negotiate_fixture.h"

#define PWD_T        "OxrJglqSUkHiimH8DIbixQpy"
#define CANDIDATE(n) "a=candidate:1 1 udp 2122260223 192.0.2." n " 50000 typ host\n"
#define OTHERS                                                                                     \
    "a=candidate:2 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active\n"                         \
    "a=candidate:3 1 udp 2113937151 6e1c8b5a-90bc-4ed8-9ec8-58f2b5a1f1d5.local 50001 typ host\n"   \
    "a=candidate:4 2 udp 2122260222 192.0.2.1 50009 typ host\n"

static void init(fixture *f, agw_ice_mode mode)
{
    fixture_config(f);
    f->config.ice = mode;
    fixture_open(f);
}

static bool says(const fixture *f, const char *line)
{
    return strstr(f->told->str, line) != NULL;
}

static void test_negotiate_rfc8839_lite_is_said_by_lite_agents_only(void)
{
    fixture f;
    init(&f, AGW_ICE_MODE_LITE);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_TRUE(says(&f, "a=ice-lite\r\n") && !says(&f, "a=ice-options"));
    CU_ASSERT_FALSE(transport_of(&f, 0, AGW_SIDE_A)->ice_full);
    fixture_fini(&f);
    init(&f, AGW_ICE_MODE_FULL);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_TRUE(!says(&f, "a=ice-lite") && says(&f, "a=ice-options:trickle\r\n"));
    CU_ASSERT_TRUE(says(&f, "a=end-of-candidates\r\n"));
    CU_ASSERT_TRUE(transport_of(&f, 0, AGW_SIDE_A)->ice_full);
    CU_ASSERT_FALSE(transport_of(&f, 0, AGW_SIDE_A)->ice_controlling);
    fixture_fini(&f);
}

static void test_negotiate_rfc8445_6_1_1_who_offers_or_has_a_lite_peer_controls(void)
{
    fixture f;
    init(&f, AGW_ICE_MODE_FULL);
    OFFER(&f, AGW_SIDE_A, "", CORE_A); /* placed by its realm: toward the browser we offer */
    const agw_plan *plan = plan_of(&f);
    size_t full = 0;
    for (size_t i = 0; i < plan->n_transports; i++) {
        full += plan->transports[i].ice_full;
        CU_ASSERT_EQUAL(plan->transports[i].ice_full, plan->transports[i].ice_controlling);
    }
    CU_ASSERT_EQUAL(full, 1);
    fixture_fini(&f);
    init(&f, AGW_ICE_MODE_FULL);
    OFFER(&f, AGW_SIDE_A, "", SESSION("2") BUNDLE("0") "a=ice-lite\n" WEB_AUDIO("9", "0", WEB_1));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_TRUE(transport_of(&f, 0, AGW_SIDE_A)->ice_controlling);
    fixture_fini(&f);
}

static void test_negotiate_ng_ice_lite_by_call(void)
{
    static const struct {
        agw_ice_mode mode;
        const char *keys;
        bool full;
    } CASES_OF[] = {
        {AGW_ICE_MODE_FULL, "{\"ICE-lite\":\"backward\"}", false},
        {AGW_ICE_MODE_FULL, "{\"ICE-lite\":\"both\"}", false},
        {AGW_ICE_MODE_FULL, "{\"ICE-lite\":\"forward\"}", true},
        {AGW_ICE_MODE_LITE, "{\"ICE-lite\":\"off\"}", true},
        {AGW_ICE_MODE_LITE, "{\"ICE-lite\":\"forward\"}", true},
        {AGW_ICE_MODE_LITE, "{\"rtpp-flags\":\"ICE-lite=off\"}", true},
        {AGW_ICE_MODE_LITE, "", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES_OF); i++) {
        fixture f;
        init(&f, CASES_OF[i].mode);
        OFFER(&f, AGW_SIDE_A, CASES_OF[i].keys, WEB_OFFER_A);
        ANSWER(&f, AGW_SIDE_B, "", CORE_A);
        CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->ice_full, CASES_OF[i].full);
        CU_ASSERT_EQUAL(says(&f, "a=ice-lite"), !CASES_OF[i].full);
        fixture_fini(&f);
    }
}

static void expect_candidates(const fixture *f, size_t n)
{
    const agw_transport_plan *t = transport_of(f, 0, AGW_SIDE_A);
    CU_ASSERT_EQUAL(t->n_candidates, n);
    for (size_t i = 0; i < t->n_candidates; i++)
        CU_ASSERT_EQUAL(t->candidates[i].addr.family, AGW_FAMILY_IP4);
}

static void test_negotiate_rfc8839_usable_candidates_reach_the_plan(void)
{
    for (agw_ice_mode mode = AGW_ICE_MODE_LITE; mode <= AGW_ICE_MODE_FULL; mode++) {
        fixture f;
        init(&f, mode);
        OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A CANDIDATE("1") CANDIDATE("1") CANDIDATE("2") OTHERS);
        ANSWER(&f, AGW_SIDE_B, "", CORE_A);
        expect_candidates(&f, mode == AGW_ICE_MODE_FULL ? 3 : 0);
        fixture_fini(&f);
    }
}

static const char *after(const char *text, const char *part)
{
    const char *at = text != NULL ? strstr(text, part) : NULL;
    return at != NULL ? at + strlen(part) : NULL;
}

static size_t times(const char *text, const char *part)
{
    size_t n = 0;
    while ((text = after(text, part)) != NULL)
        n++;
    return n;
}

#define PASSIVE_4 " 1 tcp 1520434943 10.0.0.1 20000 typ host tcptype passive\r\n"
#define PASSIVE_6 " 1 tcp 1520435199 fd00:a::1 20000 typ host tcptype passive\r\n"

/* Both families over UDP first, then both over TCP, with foundations of their own. */
static void expect_passive(const fixture *f)
{
    const char *at = after(f->told->str, " 1 udp 2130706175 10.0.0.1 20000 typ host\r\n");
    at = after(at, " 1 udp 2130706431 fd00:a::1 20000 typ host\r\n");
    at = after(at, PASSIVE_4);
    at = after(at, PASSIVE_6);
    CU_ASSERT_PTR_NOT_NULL(after(at, "a=end-of-candidates\r\n"));
    CU_ASSERT_EQUAL(times(f->told->str, "a=candidate:"), 4);
}

static void test_negotiate_rfc6544_4_5_passive_candidates_behind_those_of_udp(void)
{
    for (agw_ice_mode mode = AGW_ICE_MODE_LITE; mode <= AGW_ICE_MODE_FULL; mode++) {
        fixture f;
        fixture_config(&f);
        f.config.ice = mode;
        f.config.gateway.ice_tcp = true;
        fixture_open(&f);
        OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A OTHERS);
        CU_ASSERT_FALSE(says(&f, "tcptype")); /* toward the core */
        ANSWER(&f, AGW_SIDE_B, "", CORE_A);
        expect_passive(&f);
        expect_candidates(&f, mode == AGW_ICE_MODE_FULL ? 1 : 0); /* the peer's active one is not */
        OFFER(&f, AGW_SIDE_B, "", CORE_A);                        /* a re-offer */
        expect_passive(&f);
        fixture_fini(&f);
    }
}

static void test_negotiate_rfc6544_not_without_the_option_nor_on_ports_of_their_own(void)
{
    for (int off = 0; off < 2; off++) {
        fixture f;
        fixture_config(&f);
        f.config.gateway.ice_tcp = off != 0;
        f.config.gateway.access_port = off != 0 ? -1 : 0;
        fixture_open(&f);
        OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
        ANSWER(&f, AGW_SIDE_B, "", CORE_A);
        CU_ASSERT_TRUE(says(&f, "a=candidate:") && !says(&f, " tcp "));
        fixture_fini(&f);
    }
}

static void test_negotiate_rfc8840_fragment_adds_to_the_credentials_it_names(void)
{
    fixture f;
    init(&f, AGW_ICE_MODE_FULL);
    static const char GOOD[] = "a=mid:0\r\n" CANDIDATE("5");
    CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, GOOD, sizeof GOOD - 1),
                    AGW_ERR_NOT_FOUND);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    const size_t applied = fake_gateway_applied(f.gw);
    const char *ufrag = transport_of(&f, 0, AGW_SIDE_A)->remote_ufrag;
    char *text = g_strdup_printf("a=ice-ufrag:%s\na=ice-pwd:" PWD_T
                                 "\nm=audio 9 RTP/AVP 0\na=mid:0\n" CANDIDATE("5") OTHERS
                                 "a=end-of-candidates\n",
                                 ufrag);
    CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, text, strlen(text)), AGW_OK);
    expect_candidates(&f, 2);
    CU_ASSERT_EQUAL(fake_gateway_applied(f.gw), applied + 1);
    CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, text, strlen(text)), AGW_OK);
    CU_ASSERT_EQUAL(fake_gateway_applied(f.gw), applied + 1); /* nothing new */
    g_free(text);
    static const char OTHER_UFRAG[] =
        "a=ice-ufrag:none\na=ice-pwd:" PWD_T "\nm=audio 9 RTP/AVP 0\na=mid:0\n" CANDIDATE("6");
    CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, OTHER_UFRAG, sizeof OTHER_UFRAG - 1),
                    AGW_ERR_NOT_FOUND);
    static const char OTHER_MID[] = "m=audio 9 RTP/AVP 0\na=mid:7\n" CANDIDATE("6");
    CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, OTHER_MID, sizeof OTHER_MID - 1),
                    AGW_ERR_NOT_FOUND);
    static const char BAD[] = "m=\n";
    CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, BAD, sizeof BAD - 1),
                    AGW_ERR_MALFORMED);
    expect_candidates(&f, 2);
    fixture_fini(&f);
}

static void test_negotiate_rfc8445_9_restart_forgets_candidates(void)
{
    fixture f;
    init(&f, AGW_ICE_MODE_FULL);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A CANDIDATE("1") CANDIDATE("2"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("0")
              WEB_AUDIO("9", "0", WEB_TRANSPORT("n3w1", PWD_2, FP_1, "actpass")) CANDIDATE("3"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    expect_candidates(&f, 1);
    fixture_fini(&f);
}

static void test_negotiate_candidates_are_bounded_at_64(void)
{
    fixture f;
    init(&f, AGW_ICE_MODE_FULL);
    GString *sdp = g_string_new(WEB_OFFER_A);
    for (unsigned i = 0; i < 1000; i++)
        g_string_append_printf(sdp, "a=candidate:1 1 udp 5 192.0.2.1 %u typ host\n", 1 + i);
    OFFER(&f, AGW_SIDE_A, "", sdp->str);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    expect_candidates(&f, 64);
    g_string_free(sdp, TRUE);
    fixture_fini(&f);
}

static agw_candidate_view view_of(const fixture *f, agw_side side, const char *text)
{
    agw_media_view media;
    agw_addr addr;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&addr, text), AGW_OK);
    agw_session_media(f->session, side, 0, &media);
    return agw_session_candidate(f->session, media.transport_id, &addr);
}

static void test_negotiate_ts23334_6_2_17_4_who_is_named_by_a_candidate(void)
{
    for (agw_ice_mode mode = AGW_ICE_MODE_LITE; mode <= AGW_ICE_MODE_FULL; mode++) {
        fixture f;
        init(&f, mode);
        OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A CANDIDATE("1") OTHERS);
        ANSWER(&f, AGW_SIDE_B, "", CORE_A);
        CU_ASSERT_EQUAL(view_of(&f, AGW_SIDE_A, "192.0.2.1:50000"), AGW_CANDIDATE_NAMED);
        CU_ASSERT_EQUAL(view_of(&f, AGW_SIDE_A, "192.0.2.1:50001"), AGW_CANDIDATE_NOT_NAMED);
        CU_ASSERT_EQUAL(view_of(&f, AGW_SIDE_A, "192.0.2.5:50000"), AGW_CANDIDATE_NOT_NAMED);
        CU_ASSERT_EQUAL(view_of(&f, AGW_SIDE_B, "192.0.2.1:50000"), AGW_CANDIDATE_UNKNOWN);
        const size_t applied = fake_gateway_applied(f.gw);
        static const char LATER[] = "m=audio 9 RTP/AVP 0\na=mid:0\n" CANDIDATE("5");
        CU_ASSERT_EQUAL(agw_session_trickle(f.session, AGW_SIDE_A, LATER, sizeof LATER - 1),
                        AGW_OK);
        CU_ASSERT_EQUAL(view_of(&f, AGW_SIDE_A, "192.0.2.5:50000"), AGW_CANDIDATE_NAMED);
        CU_ASSERT_EQUAL(fake_gateway_applied(f.gw) - applied, mode == AGW_ICE_MODE_FULL);
        fixture_fini(&f);
    }
}

static void test_negotiate_ts23334_6_2_17_4_nobody_is_known_before_the_answer(void)
{
    fixture f;
    init(&f, AGW_ICE_MODE_LITE);
    OFFER(&f, AGW_SIDE_A, "", CORE_A); /* toward the browser */
    const agw_plan *plan = plan_of(&f);
    agw_addr addr;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&addr, "192.0.2.1:50000"), AGW_OK);
    for (size_t i = 0; i < plan->n_transports; i++)
        CU_ASSERT_EQUAL(agw_session_candidate(f.session, plan->transports[i].id, &addr),
                        AGW_CANDIDATE_UNKNOWN);
    fixture_fini(&f);
}

#define PLAIN_ICE                                                                                  \
    "a=ice-ufrag:r1kG\na=ice-pwd:" PWD_T "\na=candidate:1 1 udp 2122260223 10.2.0.9 16000 typ "    \
    "host\na=rtcp-mux\n"

/* Plain RTP with ICE and rtcp-mux may be answered without the one, or without both: the shared port
 * would not know that peer. */
static void test_negotiate_rfc8445_plain_rtp_may_be_answered_without_ice(void)
{
    static const struct {
        const char *keys, *offered, *answered;
        bool mux;
    } CASES_OF[] = {
        {"", CORE_A PLAIN_ICE, CORE_A, false},
        {"", CORE_A PLAIN_ICE, CORE_A "a=rtcp-mux\n", true},
        {"{\"ICE\":\"force\",\"rtcp-mux\":[\"offer\"]}", CORE_A, CORE_A, false},
        {"{\"ICE\":\"force\",\"rtcp-mux\":[\"require\"]}", CORE_A, CORE_A "a=rtcp-mux\n", true},
        {"{\"ICE\":\"force\",\"rtcp-mux\":[\"offer\"],\"OSRTP\":[\"offer\"],\"SDES\":[\"no\"]}",
         CORE_A, CORE_A, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES_OF); i++) {
        fixture f;
        fixture_config(&f);
        f.config.profiles[0] = f.config.profiles[1] = AGW_REALM_NONE;
        fixture_open(&f);
        OFFER(&f, AGW_SIDE_A, CASES_OF[i].keys, CASES_OF[i].offered);
        CU_ASSERT_TRUE(says(&f, " typ host\r\n") && says(&f, "a=rtcp-mux\r\n"));
        const unsigned port = port_of(&f, 0);
        CU_ASSERT_NOT_EQUAL(port, 20000);
        ANSWER(&f, AGW_SIDE_B, CASES_OF[i].keys, CASES_OF[i].answered);
        const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
        CU_ASSERT_FALSE(t->ice);
        CU_ASSERT_EQUAL(t->rtcp_mux, CASES_OF[i].mux);
        CU_ASSERT_EQUAL(t->remote_rtp.port, 16000);
        CU_ASSERT_EQUAL(t->remote_rtcp.port, CASES_OF[i].mux ? 16000 : 16001);
        fixture_fini(&f);
    }
}

/* Who takes both gets both: one port, and no second component. */
static void test_negotiate_rfc8445_plain_rtp_may_be_answered_with_ice(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[0] = f.config.profiles[1] = AGW_REALM_NONE;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A PLAIN_ICE);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A PLAIN_ICE);
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_TRUE(t->ice && t->rtcp_mux);
    CU_ASSERT_STRING_EQUAL(t->remote_ufrag, "r1kG");
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_negotiate_rfc6544_4_5_passive_candidates_behind_those_of_udp),
    AGW_CASE(test_negotiate_rfc6544_not_without_the_option_nor_on_ports_of_their_own),
    AGW_CASE(test_negotiate_rfc8839_lite_is_said_by_lite_agents_only),
    AGW_CASE(test_negotiate_rfc8445_6_1_1_who_offers_or_has_a_lite_peer_controls),
    AGW_CASE(test_negotiate_ng_ice_lite_by_call),
    AGW_CASE(test_negotiate_rfc8839_usable_candidates_reach_the_plan),
    AGW_CASE(test_negotiate_rfc8840_fragment_adds_to_the_credentials_it_names),
    AGW_CASE(test_negotiate_rfc8445_9_restart_forgets_candidates),
    AGW_CASE(test_negotiate_candidates_are_bounded_at_64),
    AGW_CASE(test_negotiate_ts23334_6_2_17_4_who_is_named_by_a_candidate),
    AGW_CASE(test_negotiate_ts23334_6_2_17_4_nobody_is_known_before_the_answer),
    AGW_CASE(test_negotiate_rfc8445_plain_rtp_may_be_answered_without_ice),
    AGW_CASE(test_negotiate_rfc8445_plain_rtp_may_be_answered_with_ice),
};
AGW_UNIT_MAIN("negotiate_ice", CASES)
