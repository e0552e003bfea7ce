/* SPDX-License-Identifier: BSD-3-Clause
 * The plan that results: transports, roles, gates, payload types, feedback, sources. */
#include "control/negotiate_fixture.h"
#include "control/negotiate_state.h"
#include "rtp/emodel.h"
#include "rtp/feedback.h"

static void browser_calls(fixture *f, const char *answer)
{
    fixture_init(f);
    OFFER(f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(f, AGW_SIDE_B, "", answer);
}

static void core_calls(fixture *f, const char *setup)
{
    fixture_init(f);
    OFFER(f, AGW_SIDE_A, "", CORE_A);
    char *answer = g_strdup_printf(WEB_ANSWER_A("abcd", PWD_1, FP_1, "%s"), setup);
    ANSWER(f, AGW_SIDE_B, "", answer);
    g_free(answer);
}

/* --- offers ------------------------------------------------------------------------------- */

static void test_negotiate_plan_offer_reserves_both_sides_and_waits(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    const agw_plan *plan = plan_of(&f);
    CU_ASSERT_EQUAL(plan->n_medias, 0);
    CU_ASSERT_EQUAL_FATAL(plan->n_transports, 2);
    const agw_transport_plan *core = &plan->transports[0], *web = &plan->transports[1];
    CU_ASSERT_EQUAL(core->side, AGW_SIDE_A);
    CU_ASSERT_EQUAL(core->security, AGW_SECURITY_PLAIN);
    CU_ASSERT_EQUAL(web->side, AGW_SIDE_B);
    CU_ASSERT_EQUAL(web->security, AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(web->dtls, AGW_DTLS_WAIT);
    CU_ASSERT(web->ice);
    CU_ASSERT_PTR_NULL(web->remote_ufrag);
    CU_ASSERT_EQUAL(strlen(web->local_ufrag), AGW_UFRAG_LEN);
    CU_ASSERT_EQUAL(strlen(web->local_pwd), AGW_PWD_LEN);
    CU_ASSERT(has(&f, "a=ice-ufrag:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, web->local_ufrag));
    fixture_fini(&f);
}

/* --- access leg --------------------------------------------------------------------------- */

static void test_negotiate_plan_rfc9143_one_transport_for_the_group(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 3);
    CU_ASSERT_PTR_EQUAL(transport_of(&f, 0, AGW_SIDE_A), transport_of(&f, 1, AGW_SIDE_A));
    CU_ASSERT_PTR_NOT_EQUAL(transport_of(&f, 0, AGW_SIDE_B), transport_of(&f, 1, AGW_SIDE_B));
    fixture_fini(&f);
}

static void test_negotiate_plan_offer_without_bundle_has_a_transport_each(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") WEB_AUDIO("9", "0", WEB_1)
              WEB_VIDEO("9", "1", WEB_TRANSPORT("vide", PWD_2, FP_1, "actpass")));
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_FALSE(has(&f, "a=group"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 4);
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->remote_ufrag, "r1kG");
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 1, AGW_SIDE_A)->remote_ufrag, "vide");
    CU_ASSERT_STRING_NOT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->local_ufrag,
                               transport_of(&f, 1, AGW_SIDE_A)->local_ufrag);
    fixture_fini(&f);
}

#define WEB_ANSWER_AV(group, ufrag2)                                                               \
    SESSION("2")                                                                                   \
    group "m=audio 9 UDP/TLS/RTP/SAVPF 8\n" WEB_TRANSPORT(                                         \
        "abcd", PWD_1, FP_1, "active") "a=mid:0\na=rtpmap:8 PCMA/8000\n"                           \
                                       "m=video 9 UDP/TLS/RTP/SAVPF 102\n" WEB_TRANSPORT(          \
                                           ufrag2, PWD_2, FP_1, "active") "a=mid:1\n"              \
                                                                          "a=rtpmap:102 "          \
                                                                          "H264/90000\na=fmtp:"    \
                                                                          "102 packetization-"     \
                                                                          "mode=1;profile-level-"  \
                                                                          "id=42e01f\n"

/* Our initial offer has a transport for every m= section; the group of the answer leaves one. */
static void test_negotiate_plan_rfc9143_7_3_answered_group_merges_transports(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_AV);
    CU_ASSERT_EQUAL(count(&f, "a=ice-ufrag:"), 2);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 4);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_AV(BUNDLE("0 1"), "abcd"));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 3);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 3);
    CU_ASSERT_PTR_EQUAL(transport_of(&f, 0, AGW_SIDE_B), transport_of(&f, 1, AGW_SIDE_B));
    CU_ASSERT_STRING_EQUAL(end_of(&f, 0, AGW_SIDE_B)->mid, "0");
    CU_ASSERT_STRING_EQUAL(end_of(&f, 1, AGW_SIDE_B)->mid, "1");
    fixture_fini(&f);
}

static void test_negotiate_plan_rfc9143_7_3_tagged_section_is_the_groups_first(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_AV);
    const uint32_t video = plan_of(&f)->transports[3].id;
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_AV(BUNDLE("1 0"), "efgh"));
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->transport_id, video);
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->remote_ufrag, "efgh");
    fixture_fini(&f);
}

static void test_negotiate_plan_answer_that_refuses_bundle_keeps_both(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_AV);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_AV("", "efgh"));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 4);
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->remote_ufrag, "abcd");
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 1, AGW_SIDE_B)->remote_ufrag, "efgh");
    fixture_fini(&f);
}

/* A browser leg without rtcp-mux: two ports, two components. */
static void test_negotiate_plan_browser_without_mux_gets_two_ports(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") WEB_AUDIO("9", "0",
                                 "c=IN IP4 0.0.0.0\na=ice-ufrag:abcd\na=ice-pwd:" PWD_1
                                 "\na=fingerprint:" FP_1 "\na=setup:actpass\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_NOT_EQUAL(port_of(&f, 0), 20000);
    CU_ASSERT_FALSE(has(&f, "a=rtcp-mux"));
    CU_ASSERT_EQUAL(count(&f, "a=candidate:"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " 2 udp "));
    CU_ASSERT_FALSE(transport_of(&f, 0, AGW_SIDE_A)->rtcp_mux);
    fixture_fini(&f);
}

static void test_negotiate_plan_access_port_off_gives_ports_of_their_own(void)
{
    fixture f;
    fixture_config(&f);
    f.config.gateway.access_port = -1;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(port_of(&f, 0), 30000);
    CU_ASSERT(transport_of(&f, 0, AGW_SIDE_A)->rtcp_mux);
    fixture_fini(&f);
}

/* --- DTLS --------------------------------------------------------------------------------- */

/* What is printed is what is played. */
static void check_offered_role(const char *setup, const char *keys, agw_dtls_plan role)
{
    fixture f;
    fixture_init(&f);
    char *offer = g_strdup_printf(SESSION("2") BUNDLE("0")
                                      WEB_AUDIO("9", "0", WEB_TRANSPORT("r1kG", PWD_1, FP_1, "%s")),
                                  setup);
    OFFER(&f, AGW_SIDE_A, keys, offer);
    CU_ASSERT_EQUAL(plan_of(&f)->transports[0].dtls, AGW_DTLS_WAIT);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls, role);
    CU_ASSERT(has(&f, role == AGW_DTLS_ACTIVE ? "a=setup:active\r\n" : "a=setup:passive\r\n"));
    g_free(offer);
    fixture_fini(&f);
}

static void test_negotiate_plan_rfc5763_5_role_toward_an_offerer(void)
{
    check_offered_role("actpass", "", AGW_DTLS_PASSIVE);
    check_offered_role("active", "", AGW_DTLS_PASSIVE);
    check_offered_role("passive", "", AGW_DTLS_ACTIVE);
    check_offered_role("actpass", "{\"DTLS\":\"active\"}", AGW_DTLS_ACTIVE);
    check_offered_role("actpass", "{\"DTLS\":\"active\",\"DTLS-reverse\":\"passive\"}",
                       AGW_DTLS_PASSIVE);
    check_offered_role("passive", "{\"DTLS\":\"passive\"}", AGW_DTLS_ACTIVE);
}

/* Kamailio's example says it in the answer only. */
static void test_negotiate_plan_role_asked_for_in_the_answer(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "{\"DTLS\":\"active\"}", CORE_A);
    CU_ASSERT(has(&f, "a=setup:active\r\n"));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls, AGW_DTLS_ACTIVE);
    fixture_fini(&f);
}

static void test_negotiate_plan_rfc5763_5_role_toward_an_answerer(void)
{
    static const struct {
        const char *setup;
        agw_dtls_plan role;
    } ROLES[] = {
        {"active", AGW_DTLS_PASSIVE}, {"passive", AGW_DTLS_ACTIVE}, {"actpass", AGW_DTLS_PASSIVE}};
    for (size_t i = 0; i < G_N_ELEMENTS(ROLES); i++) {
        fixture f;
        core_calls(&f, ROLES[i].setup);
        CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls, ROLES[i].role);
        CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->n_fingerprints, 1);
        CU_ASSERT_STRING_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->remote_pwd, PWD_1);
        fixture_fini(&f);
    }
}

static void test_negotiate_plan_all_fingerprints_are_taken(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0")
              WEB_AUDIO("9", "0", WEB_1 "a=fingerprint:" FP_2 "\na=fingerprint:md5 00:11\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->n_fingerprints, 2);
    fixture_fini(&f);
}

/* --- core leg ----------------------------------------------------------------------------- */

static const agw_transport_plan *core_of(const fixture *f)
{
    return transport_of(f, 0, AGW_SIDE_B);
}

static void check_addr(const agw_addr *addr, const char *text)
{
    char out[AGW_ADDR_TEXT];
    CU_ASSERT_STRING_EQUAL(agw_addr_text(addr, out, sizeof out), text);
}

static void test_negotiate_plan_rfc3605_rtcp_of_a_core_leg(void)
{
    static const struct {
        const char *line, *rtcp;
        bool mux;
    } RTCP[] = {{"", "10.2.0.9:16001", false},
                {"a=rtcp:17000\n", "10.2.0.9:17000", false},
                {"a=rtcp:17000 IN IP4 10.2.0.10\n", "10.2.0.10:17000", false},
                {"a=rtcp-mux\n", "10.2.0.9:16000", true}};
    for (size_t i = 0; i < G_N_ELEMENTS(RTCP); i++) {
        fixture f;
        fixture_init(&f);
        char *answer = g_strconcat(CORE_A, RTCP[i].line, NULL);
        OFFER(&f, AGW_SIDE_A, "{\"rtcp-mux\":[\"offer\"]}", WEB_OFFER_A);
        ANSWER(&f, AGW_SIDE_B, "", answer);
        check_addr(&core_of(&f)->remote_rtp, "10.2.0.9:16000");
        check_addr(&core_of(&f)->remote_rtcp, RTCP[i].rtcp);
        CU_ASSERT_EQUAL(core_of(&f)->rtcp_mux, RTCP[i].mux);
        g_free(answer);
        fixture_fini(&f);
    }
}

/* What was not offered is not accepted, whatever the answer says. */
static void test_negotiate_plan_rfc5761_5_1_1_mux_only_when_offered(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A "a=rtcp-mux\n");
    CU_ASSERT_FALSE(core_of(&f)->rtcp_mux);
    fixture_fini(&f);
}

/* RFC 3264 section 8.4: nothing is ever sent to 0.0.0.0. */
static void test_negotiate_plan_rfc3264_8_4_zero_address_is_hold(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "",
           "v=0\no=- 5 1 IN IP4 10.2.0.9\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n" CORE_AUDIO("16000"));
    CU_ASSERT_FALSE(agw_addr_is_set(&core_of(&f)->remote_rtp));
    CU_ASSERT_FALSE(agw_addr_is_set(&core_of(&f)->remote_rtcp));
    CU_ASSERT(has(&f, "a=sendonly\r\n"));
    CU_ASSERT_FALSE(end_of(&f, 0, AGW_SIDE_A)->may_send);
    CU_ASSERT(end_of(&f, 0, AGW_SIDE_B)->may_send);
    fixture_fini(&f);
}

static void test_negotiate_plan_multicast_and_names_are_never_sent_to(void)
{
    static const char *const HOSTS[] = {"224.2.1.1/127", "phone.example.org"};
    for (size_t i = 0; i < G_N_ELEMENTS(HOSTS); i++) {
        fixture f;
        fixture_init(&f);
        char *answer = g_strdup_printf(
            "v=0\no=- 5 1 IN IP4 10.2.0.9\ns=-\nc=IN IP4 %s\nt=0 0\n" CORE_AUDIO("16000"),
            HOSTS[i]);
        OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
        ANSWER(&f, AGW_SIDE_B, "", answer);
        CU_ASSERT_FALSE(agw_addr_is_set(&core_of(&f)->remote_rtp));
        g_free(answer);
        fixture_fini(&f);
    }
}

static void test_negotiate_plan_source_rule(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    CU_ASSERT_EQUAL(core_of(&f)->source_rule, AGW_SOURCE_ADDRESS);
    fixture_fini(&f);
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"flags\":[\"strict-source\"]}", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(core_of(&f)->source_rule, AGW_SOURCE_STRICT);
    fixture_fini(&f);
}

/* Early media may overtake its SDP on the asked side, until another offer shows that the call
 * stands. */
static void test_negotiate_plan_early_media_of_the_asked_side_waits_for_its_sdp(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    const agw_plan *plan = plan_of(&f);
    for (size_t i = 0; i < plan->n_transports; i++)
        CU_ASSERT_EQUAL(plan->transports[i].hold_strangers, plan->transports[i].side == AGW_SIDE_B);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_TRUE(core_of(&f)->hold_strangers); /* a fork's 183 may follow */
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_TRUE(core_of(&f)->hold_strangers);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_FALSE(core_of(&f)->hold_strangers);
    fixture_fini(&f);
}

/* TS 23.334 section 5.6: what the receiver asked for or what the codecs make, times --police. */
static void test_negotiate_plan_334_5_6_contracts(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    const uint32_t audio = end_of(&f, 0, AGW_SIDE_A)->police_bps;
    CU_ASSERT_TRUE(audio >= 4 * 64000 && audio <= 4 * 100000);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->police_bps, audio);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->police_bps, 4 * 2500000);
    CU_ASSERT_EQUAL(core_of(&f)->rtcp_per_second, AGW_PLAN_RTCP_PER_SECOND);
    agw_session_set_urgent(f.session, true);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->police_bps, 0);
    CU_ASSERT_EQUAL(core_of(&f)->rtcp_per_second, 0);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->tos, AGW_TOS_EF);
    f.config.tos_urgent = 0xb0;
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->tos, 0xb0);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->tos, 0xb0);
    CU_ASSERT_EQUAL(core_of(&f)->tos, 0xb0);
    agw_session_set_urgent(f.session, false);
    CU_ASSERT_TRUE(end_of(&f, 0, AGW_SIDE_A)->police_bps > 0);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->tos, AGW_TOS_EF);
    fixture_fini(&f);
}

static void test_negotiate_plan_police_by_key_and_by_bandwidth(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"police\":96}", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->police_bps, 96000);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->police_bps, 96000);
    OFFER(&f, AGW_SIDE_A, "{\"police\":0}", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->police_bps, 0);
    fixture_fini(&f);
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(
        &f, AGW_SIDE_B, "",
        CORE_SESSION(
            "1") "m=audio 16000 RTP/AVP 8 126\nb=AS:300\n"
                 "a=rtpmap:8 PCMA/8000\na=rtpmap:126 telephone-event/8000\n"); /* it wants to
                                                                                  receive so much */
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->police_bps, 4 * 300000);
    CU_ASSERT_TRUE(end_of(&f, 0, AGW_SIDE_B)->police_bps < 4 * 300000);
    fixture_fini(&f);
}

static void test_negotiate_plan_tos_copy(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"TOS\":\"copy\"}", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    for (int side = 0; side < 2; side++) {
        CU_ASSERT_TRUE(end_of(&f, 0, (agw_side)side)->tos_copy);
        CU_ASSERT_EQUAL(end_of(&f, 0, (agw_side)side)->tos, AGW_TOS_EF); /* of RTCP */
    }
    fixture_fini(&f);
}

/* Latching: never of itself toward an IMS, and elsewhere only behind a NAT or when asked for. */
static void check_latch(agw_realm_profile profile, const char *keys, agw_latch_rule rule)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[1] = profile;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, keys, CORE_A);
    CU_ASSERT_EQUAL(core_of(&f)->latch_rule, rule);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, AGW_LATCH_NEVER);
    fixture_fini(&f);
}

static void test_negotiate_plan_latch_rule(void)
{
    check_latch(AGW_REALM_IMS, "", AGW_LATCH_NEVER);
    check_latch(AGW_REALM_IMS, "{\"received-from\":[\"IP4\",\"10.2.0.77\"]}", AGW_LATCH_NEVER);
    check_latch(AGW_REALM_SIP, "{\"received-from\":[\"IP4\",\"10.2.0.9\"]}", AGW_LATCH_NEVER);
    check_latch(AGW_REALM_SIP, "{\"received-from\":[\"IP4\",\"10.2.0.77\"]}", AGW_LATCH_ONCE);
    check_latch(AGW_REALM_SIP, "", AGW_LATCH_NEVER);
    check_latch(AGW_REALM_IMS, "{\"flags\":[\"port-latching\"]}", AGW_LATCH_ONCE);
    check_latch(AGW_REALM_IMS, "{\"flags\":[\"endpoint-learning-heuristic\"]}", AGW_LATCH_ONCE);
    check_latch(AGW_REALM_IMS, "{\"flags\":[\"media-handover\"]}", AGW_LATCH_HANDOVER);
    check_latch(AGW_REALM_SIP,
                "{\"received-from\":[\"IP4\",\"10.2.0.77\"],\"flags\":[\"asymmetric\"]}",
                AGW_LATCH_NEVER);
}

static void test_negotiate_plan_sip_source_address_instead_of_sdp(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B,
           "{\"flags\":[\"SIP-source-address\"],\"received-from\":[\"IP4\",\"203.0.113.9\"]}",
           CORE_A);
    check_addr(&core_of(&f)->remote_rtp, "203.0.113.9:16000");
    fixture_fini(&f);
}

static void test_negotiate_plan_dscp(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->tos, AGW_TOS_EF);
    CU_ASSERT_EQUAL(transport_of(&f, 1, AGW_SIDE_B)->tos, AGW_TOS_AF41);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->tos, AGW_TOS_AF41); /* both */
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->tos, AGW_TOS_EF);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->tos, AGW_TOS_EF);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->tos, AGW_TOS_AF41);
    fixture_fini(&f);
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"TOS\":16}", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->tos, 16);
    CU_ASSERT_EQUAL(core_of(&f)->tos, 16);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->tos, 16);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->tos, 16);
    fixture_fini(&f);
}

/* --- medias ------------------------------------------------------------------------------- */

/* Directions as the party on side A says and as B answers; may A send, may B send. */
static void check_gates(const char *offered, const char *answered, bool a_sends, bool b_sends)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[0] = AGW_REALM_NONE;
    f.config.profiles[1] = AGW_REALM_NONE;
    fixture_open(&f);
    char *offer = g_strdup_printf(CORE_A "a=%s\n", offered);
    char *answer = g_strdup_printf(CORE_A "a=%s\n", answered);
    OFFER(&f, AGW_SIDE_A, "", offer);
    ANSWER(&f, AGW_SIDE_B, "", answer);
    const agw_end_plan *a = end_of(&f, 0, AGW_SIDE_A), *b = end_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(a->may_send, a_sends);
    CU_ASSERT_EQUAL(b->may_receive, a_sends);
    CU_ASSERT_EQUAL(b->may_send, b_sends);
    CU_ASSERT_EQUAL(a->may_receive, b_sends);
    g_free(offer);
    g_free(answer);
    fixture_fini(&f);
}

static void test_negotiate_plan_rfc3264_gates(void)
{
    check_gates("sendrecv", "sendrecv", true, true);
    check_gates("sendonly", "recvonly", true, false);
    check_gates("recvonly", "sendonly", false, true);
    check_gates("sendrecv", "recvonly", true, false);
    check_gates("sendrecv", "sendonly", false, true);
    check_gates("inactive", "inactive", false, false);
    check_gates("sendrecv", "inactive", false, false);
    check_gates("sendonly", "sendrecv", true, false); /* more than was offered */
}

static void test_negotiate_plan_payload_types_and_clocks(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    const agw_end_plan *web = end_of(&f, 0, AGW_SIDE_A);
    CU_ASSERT_EQUAL_FATAL(web->n_pts, 2);
    CU_ASSERT_EQUAL(web->pts[0].ingress, 8);
    CU_ASSERT_EQUAL(web->pts[0].egress, 8);
    CU_ASSERT_EQUAL(web->pts[0].clock_hz, 8000);
    CU_ASSERT_EQUAL(web->pts[1].ingress, 126);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->pts[0].clock_hz, 90000);
    CU_ASSERT_EQUAL(plan_of(&f)->medias[1].kind, AGW_MEDIA_VIDEO);
    fixture_fini(&f);
}

static void test_negotiate_plan_feedback_of_both_ends(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->feedback, AGW_FB_PLI | AGW_FB_FIR);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_B)->feedback, AGW_FB_PLI);
    CU_ASSERT(end_of(&f, 1, AGW_SIDE_A)->reduced_size);
    CU_ASSERT_FALSE(end_of(&f, 1, AGW_SIDE_B)->reduced_size);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->feedback, 0);
    fixture_fini(&f);
}

#define XR_ALL "a=rtcp-xr:rcvr-rtt=all:100 voip-metrics stat-summary=loss,dup\n"

/* A browser offers the round trip, a phone answers that it wants VoIP metrics. */
static void test_negotiate_plan_rfc3611_5_xr_of_each_leg(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A "a=rtcp-xr:rcvr-rtt=all\n");
    CU_ASSERT_FALSE(has(&f, "a=rtcp-xr"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A XR_ALL);
    CU_ASSERT(has(&f, "a=rtcp-xr:rcvr-rtt=all\r\n"));
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->xr, AGW_PLAN_XR_RTT);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->xr, AGW_PLAN_XR_VOIP); /* RTT was not offered */
    CU_ASSERT_STRING_EQUAL(end_of(&f, 0, AGW_SIDE_B)->codec->name, "PCMA");
    fixture_fini(&f);
}

static void test_negotiate_plan_rfc3611_5_xr_of_an_offering_phone(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A XR_ALL);
    CU_ASSERT_FALSE(has(&f, "a=rtcp-xr"));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    CU_ASSERT(has(&f, "a=rtcp-xr:rcvr-rtt=all\r\n"));
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->xr, AGW_PLAN_XR_RTT | AGW_PLAN_XR_VOIP);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->xr, 0);
    fixture_fini(&f);
}

/* Between legs of one kind it is the parties' own. */
static void test_negotiate_plan_rfc3611_5_xr_between_phones_passes(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"core\",\"core\"]}", CORE_A XR_ALL);
    CU_ASSERT(has(&f, "a=rtcp-xr:rcvr-rtt=all:100 voip-metrics stat-summary=loss,dup\r\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A "a=rtcp-xr:voip-metrics\n");
    CU_ASSERT(has(&f, "a=rtcp-xr:voip-metrics\r\n"));
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->xr, 0);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->xr, 0);
    fixture_fini(&f);
}

/* Control may not include the room that these bits belong to. */
static void test_negotiate_plan_feedback_bits_are_those_of_rtp(void)
{
    static const struct {
        const char *value;
        uint32_t bit;
    } BITS[] = {{"nack", AGW_FB_NACK},
                {"nack pli", AGW_FB_PLI},
                {"ccm fir", AGW_FB_FIR},
                {"ccm tmmbr", AGW_FB_TMMBR},
                {"ccm tmmbr smaxpr=120", AGW_FB_TMMBR},
                {"goog-remb", AGW_FB_REMB},
                {"transport-cc", AGW_FB_TCC},
                {"trr-int 5000", 0},
                {"nack sli", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(BITS); i++)
        CU_ASSERT_EQUAL(agw_plan_fb_bit(BITS[i].value), BITS[i].bit);
}

/* A core that speaks AVP understands none; the browser is offered key frame requests all the same.
 */
static void test_negotiate_plan_feedback_toward_an_avp_core(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"transport-protocol\":\"RTP/AVP\"}", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") CORE_AUDIO("16000") "m=video 16010 RTP/AVP 102\n"
                                                 "a=rtpmap:102 H264/90000\na=fmtp:102 "
                                                 "packetization-mode=1;profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "a=rtcp-fb:102 nack pli\r\n"));
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->feedback, AGW_FB_PLI | AGW_FB_FIR);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_B)->feedback, 0);
    fixture_fini(&f);
}

/* An answer in AVP understands none, whatever its rtcp-fb lines say. */
static void test_negotiate_plan_rfc4585_feedback_needs_avpf(void)
{
    fixture f;
    browser_calls(&f, CORE_SESSION("1") CORE_AUDIO("16000") "m=video 16010 RTP/AVP 102\n"
                                                            "a=rtpmap:102 H264/90000\n"
                                                            "a=rtcp-fb:102 nack pli\na=fmtp:102 "
                                                            "packetization-mode=1;"
                                                            "profile-level-id=42e01f\n");
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_B)->feedback, 0);
    fixture_fini(&f);
}

#define LONG_MID "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"

/* A mid that we cannot route by has another name on the other leg, so MID does not pass. */
static void test_negotiate_plan_other_mid_is_not_forwarded(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"access\",\"access\"]}",
          SESSION("2") BUNDLE(LONG_MID) WEB_AUDIO("9", LONG_MID, WEB_1));
    CU_ASSERT(has(&f, "a=mid:0\r\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0")
               WEB_AUDIO("9", "0", WEB_TRANSPORT("abcd", PWD_2, FP_2, "active")));
    CU_ASSERT(has(&f, "a=mid:" LONG_MID "\r\n"));
    CU_ASSERT_EQUAL(ext_of(end_of(&f, 0, AGW_SIDE_A), 4), 0);
    CU_ASSERT_EQUAL(ext_of(end_of(&f, 0, AGW_SIDE_A), 1), 1);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->mid_ext_id, 4);
    CU_ASSERT_STRING_EQUAL(end_of(&f, 0, AGW_SIDE_A)->mid, "");
    fixture_fini(&f);
}

static void test_negotiate_plan_rfc8285_header_extensions(void)
{
    fixture f;
    browser_calls(&f, CORE_SESSION("1") CORE_AUDIO("16000")
                          CORE_VIDEO("16010") "a=extmap:5 urn:3gpp:video-orientation\n");
    const agw_end_plan *web = end_of(&f, 1, AGW_SIDE_A), *core = end_of(&f, 1, AGW_SIDE_B);
    CU_ASSERT_EQUAL(ext_of(web, 13), 5);
    CU_ASSERT_EQUAL(ext_of(core, 5), 13);
    CU_ASSERT_EQUAL(web->mid_ext_id, 4);
    CU_ASSERT_EQUAL(ext_of(web, 4), 0); /* MID is for us */
    CU_ASSERT_STRING_EQUAL(web->mid, "1");
    CU_ASSERT_EQUAL(core->mid_ext_id, 0);
    CU_ASSERT_STRING_EQUAL(core->mid, "");
    CU_ASSERT_EQUAL(web->n_ssrcs, 2);
    CU_ASSERT_EQUAL(web->ssrcs[1], 2002);
    fixture_fini(&f);
}

static void test_negotiate_plan_between_browsers_nothing_is_touched(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"access\",\"access\"]}", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0 1")
               WEB_AUDIO("9", "0", WEB_TRANSPORT("abcd", PWD_2, FP_2, "active"))
                   WEB_VIDEO("9", "1", WEB_TRANSPORT("abcd", PWD_2, FP_2, "active")));
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2);
    const agw_end_plan *a = end_of(&f, 1, AGW_SIDE_A), *b = end_of(&f, 1, AGW_SIDE_B);
    CU_ASSERT_EQUAL(a->egress_ssrc, 0);
    CU_ASSERT_EQUAL(b->egress_ssrc, 0);
    CU_ASSERT_EQUAL(a->n_pts, 5);
    CU_ASSERT_EQUAL(ext_of(a, 13), 13);
    CU_ASSERT_EQUAL(ext_of(a, 4), 4);
    CU_ASSERT_EQUAL(ext_of(end_of(&f, 0, AGW_SIDE_B), 1), 1);
    CU_ASSERT_EQUAL(a->feedback & AGW_FB_TCC, AGW_FB_TCC);
    CU_ASSERT_EQUAL(b->feedback & AGW_FB_REMB, AGW_FB_REMB);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls, AGW_DTLS_PASSIVE);
    fixture_fini(&f);
}

/* --- view --------------------------------------------------------------------------------- */

static void test_negotiate_view_of_a_call(void)
{
    fixture f;
    fixture_init(&f);
    CU_ASSERT_EQUAL(agw_session_n_medias(f.session), 0);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT(agw_session_open(f.session));
    CU_ASSERT_FALSE(agw_session_established(f.session));
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("1") CORE_AUDIO("16000") "m=video 0 RTP/AVPF 96\n");
    CU_ASSERT_FALSE(agw_session_open(f.session));
    CU_ASSERT_EQUAL_FATAL(agw_session_n_medias(f.session), 2);
    agw_media_view v;
    agw_session_media(f.session, AGW_SIDE_A, 0, &v);
    CU_ASSERT(v.live && v.ice && v.dtls && v.rtcp_mux && v.may_send && v.may_receive);
    CU_ASSERT_STRING_EQUAL(v.protocol, "UDP/TLS/RTP/SAVPF");
    CU_ASSERT_STRING_EQUAL(v.codec, "PCMA/8000");
    CU_ASSERT_STRING_EQUAL(v.mid, "0");
    CU_ASSERT_STRING_EQUAL(v.interface, "access");
    CU_ASSERT_STRING_EQUAL(v.direction, "sendrecv");
    agw_session_media(f.session, AGW_SIDE_B, 0, &v);
    check_addr(&v.remote_rtp, "10.2.0.9:16000");
    check_addr(&v.local_rtcp, "10.1.0.1:30001");
    CU_ASSERT_STRING_EQUAL(v.protocol, "RTP/AVP");
    agw_session_media(f.session, AGW_SIDE_A, 1, &v);
    CU_ASSERT_FALSE(v.live);
    CU_ASSERT_STRING_EQUAL(v.type, "video");
    fixture_fini(&f);
}

/* --- acts --------------------------------------------------------------------------------- */

static bool is_event_of(const agw_end_plan *end, uint8_t ingress)
{
    for (size_t i = 0; i < end->n_pts; i++) {
        if (end->pts[i].ingress == ingress)
            return end->pts[i].is_event;
    }
    return false;
}

static void test_negotiate_plan_rfc4733_telephone_events_are_marked(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    for (int side = 0; side < 2; side++) {
        CU_ASSERT_TRUE(is_event_of(end_of(&f, 0, (agw_side)side), 126));
        CU_ASSERT_FALSE(is_event_of(end_of(&f, 0, (agw_side)side), 8));
        const agw_end_plan *video = end_of(&f, 1, (agw_side)side);
        for (size_t i = 0; i < video->n_pts; i++)
            CU_ASSERT_FALSE(video->pts[i].is_event);
    }
    fixture_fini(&f);
}

static void test_negotiate_plan_acts_stay_over_reoffers(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    const uint8_t acts[2] = {AGW_ACT_BLOCK, AGW_ACT_TAP};
    agw_session_set_acts(f.session, acts);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->acts, AGW_ACT_BLOCK);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->acts, AGW_ACT_BLOCK);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    for (size_t media = 0; media < 2; media++) {
        CU_ASSERT_EQUAL(end_of(&f, media, AGW_SIDE_A)->acts, AGW_ACT_BLOCK);
        CU_ASSERT_EQUAL(end_of(&f, media, AGW_SIDE_B)->acts, AGW_ACT_TAP);
    }
    fixture_fini(&f);
}

static const agw_audio_plan *audio_of(const agw_end_plan *end, unsigned pt)
{
    for (size_t i = 0; i < end->n_audios; i++) {
        if (end->audios[i].pt == pt)
            return &end->audios[i];
    }
    return NULL;
}

/* Nothing is known of the inside of audio until it matters. */
static void test_negotiate_plan_ng_4_silence_of_each_codec_goes_with_the_plan(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->n_audios, 0);
    const uint8_t acts[2] = {0, AGW_ACT_SILENCE};
    agw_session_set_acts(f.session, acts);
    const agw_end_plan *phone = end_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(phone->acts, AGW_ACT_SILENCE | AGW_ACT_INBAND);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->n_audios, 0);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_B)->n_audios, 0); /* video is blocked */
    const agw_audio_plan *pcma = audio_of(phone, 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pcma);
    CU_ASSERT(pcma->format.id == AGW_CODEC_PCMA && pcma->silence_repeats);
    CU_ASSERT(pcma->silence_len != 0 && pcma->silence[0] == 0xd5);
    CU_ASSERT_PTR_NULL(audio_of(phone, 126)); /* telephone-event */
    fixture_fini(&f);
}

static void test_negotiate_plan_ng_6_generate_rtcp_until_it_is_off(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"generate RTCP\":\"on\"}", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_TRUE(plan_of(&f)->medias[0].own_rtcp);
    CU_ASSERT_FALSE(plan_of(&f)->medias[1].own_rtcp); /* video: key frames are asked for by it */
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_TRUE(plan_of(&f)->medias[0].own_rtcp);
    OFFER(&f, AGW_SIDE_A, "{\"generate-RTCP\":\"off\"}", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_FALSE(plan_of(&f)->medias[0].own_rtcp);
    fixture_fini(&f);
}

/* Who writes down what is said must know what comes, but works in nobody's way. */
static void test_negotiate_plan_ng_4_a_tap_knows_the_codecs(void)
{
    fixture f;
    browser_calls(&f, CORE_AV);
    const uint8_t acts[2] = {0, AGW_ACT_TAP};
    agw_session_set_acts(f.session, acts);
    const agw_end_plan *phone = end_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(phone->acts, AGW_ACT_TAP);
    const agw_audio_plan *pcma = audio_of(phone, 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pcma);
    CU_ASSERT(pcma->format.id == AGW_CODEC_PCMA && pcma->silence_len == 0);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->n_audios, 0);
    fixture_fini(&f);
}

/* --- security between the parties (TS 23.334 section 5.11.3) ------------------------------- */

#define PASS_KEYS "{\"direction\":[\"access\",\"access\"],\"flags\":[\"passthrough\"]}"

static void test_negotiate_plan_334_5_11_3_dtls_of_the_parties_passes(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, PASS_KEYS, WEB_OFFER_A "a=tls-id:91bbf309c0990a6bec11e38ba2933cee\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF"));
    CU_ASSERT(has(&f, "a=fingerprint:" FP_1 "\r\n") && has(&f, "a=setup:actpass\r\n"));
    CU_ASSERT(has(&f, "a=tls-id:91bbf309c0990a6bec11e38ba2933cee\r\n"));
    CU_ASSERT_FALSE(has(&f, FAKE_FINGERPRINT));
    CU_ASSERT_FALSE(has(&f, PWD_1)); /* ICE is each leg's own */
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_2, "active"));
    CU_ASSERT(has(&f, "a=fingerprint:" FP_2 "\r\n") && has(&f, "a=setup:active\r\n"));
    for (int side = 0; side < 2; side++) {
        CU_ASSERT_EQUAL(transport_of(&f, 0, (agw_side)side)->security, AGW_SECURITY_PASS);
        const agw_end_plan *end = end_of(&f, 0, (agw_side)side);
        CU_ASSERT(end->egress_ssrc == 0 && end->rtcp_off && end->acts == AGW_ACT_PASS);
    }
    const uint8_t silent[2] = {AGW_ACT_SILENCE, 0}, nothing[2] = {0};
    agw_session_set_acts(f.session, silent);
    CU_ASSERT(end_of(&f, 0, AGW_SIDE_A)->acts & AGW_ACT_BLOCK); /* we cannot put it in */
    agw_session_set_acts(f.session, nothing);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->acts, AGW_ACT_PASS);
    /* a re-offer needs not say it again */
    OFFER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_2, "actpass"));
    CU_ASSERT(has(&f, "a=fingerprint:" FP_2 "\r\n"));
    fixture_fini(&f);
}

#define SDES_PHONE(key)                                                                            \
    CORE_SESSION("1")                                                                              \
    "m=audio 16000 RTP/SAVP 8 126\na=rtpmap:8 PCMA/8000\na=rtpmap:126 telephone-event/8000\n"      \
    "a=crypto:" key "\n"
#define PASSED_KEY                                                                                 \
    "7 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4 "              \
    "FEC_ORDER=FEC_SRTP"

/* Also what we could not use: an MKI, another suite, session parameters. */
static void test_negotiate_plan_334_5_11_3_keys_of_the_parties_pass(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"core\",\"core\"],\"flags\":[\"passthrough\"]}",
          SDES_PHONE(PASSED_KEY));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/SAVP 8 126\r\n"));
    CU_ASSERT(has(&f, "a=crypto:" PASSED_KEY "\r\n"));
    ANSWER(&f, AGW_SIDE_B, "", SDES_PHONE(PASSED_KEY));
    CU_ASSERT(has(&f, "a=crypto:" PASSED_KEY "\r\n"));
    for (int side = 0; side < 2; side++)
        CU_ASSERT_EQUAL(transport_of(&f, 0, (agw_side)side)->security, AGW_SECURITY_PASS);
    fixture_fini(&f);
}

/* One association on one side is one on the other. */
static void test_negotiate_plan_334_5_11_3_a_group_that_is_not_taken_keeps_its_first_line(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, PASS_KEYS, WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") WEB_AUDIO("9", "0", WEB_TRANSPORT("abcd", PWD_1, FP_2, "active"))
               WEB_VIDEO("9", "1", WEB_TRANSPORT("efgh", PWD_1, FP_2, "active")));
    CU_ASSERT(has(&f, "m=audio 20000 ") && has(&f, "m=video 0 "));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    OFFER(&f, AGW_SIDE_A, PASS_KEYS, WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0 1")
               WEB_AUDIO("9", "0", WEB_TRANSPORT("abcd", PWD_1, FP_2, "active"))
                   WEB_VIDEO("9", "1", WEB_TRANSPORT("abcd", PWD_1, FP_2, "active")));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 2);
    fixture_fini(&f);
}

static void test_negotiate_plan_334_5_11_3_plain_rtp_has_nothing_to_pass(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"flags\":[\"passthrough\"],\"direction\":[\"core\",\"core\"]}",
          CORE_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->security, AGW_SECURITY_PLAIN);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->acts, 0);
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_negotiate_plan_offer_reserves_both_sides_and_waits),
    AGW_CASE(test_negotiate_plan_rfc4733_telephone_events_are_marked),
    AGW_CASE(test_negotiate_plan_acts_stay_over_reoffers),
    AGW_CASE(test_negotiate_plan_ng_4_silence_of_each_codec_goes_with_the_plan),
    AGW_CASE(test_negotiate_plan_ng_4_a_tap_knows_the_codecs),
    AGW_CASE(test_negotiate_plan_ng_6_generate_rtcp_until_it_is_off),
    AGW_CASE(test_negotiate_plan_rfc9143_one_transport_for_the_group),
    AGW_CASE(test_negotiate_plan_offer_without_bundle_has_a_transport_each),
    AGW_CASE(test_negotiate_plan_rfc9143_7_3_answered_group_merges_transports),
    AGW_CASE(test_negotiate_plan_rfc9143_7_3_tagged_section_is_the_groups_first),
    AGW_CASE(test_negotiate_plan_answer_that_refuses_bundle_keeps_both),
    AGW_CASE(test_negotiate_plan_browser_without_mux_gets_two_ports),
    AGW_CASE(test_negotiate_plan_access_port_off_gives_ports_of_their_own),
    AGW_CASE(test_negotiate_plan_rfc5763_5_role_toward_an_offerer),
    AGW_CASE(test_negotiate_plan_role_asked_for_in_the_answer),
    AGW_CASE(test_negotiate_plan_rfc5763_5_role_toward_an_answerer),
    AGW_CASE(test_negotiate_plan_all_fingerprints_are_taken),
    AGW_CASE(test_negotiate_plan_rfc3605_rtcp_of_a_core_leg),
    AGW_CASE(test_negotiate_plan_rfc5761_5_1_1_mux_only_when_offered),
    AGW_CASE(test_negotiate_plan_rfc3264_8_4_zero_address_is_hold),
    AGW_CASE(test_negotiate_plan_multicast_and_names_are_never_sent_to),
    AGW_CASE(test_negotiate_plan_source_rule),
    AGW_CASE(test_negotiate_plan_early_media_of_the_asked_side_waits_for_its_sdp),
    AGW_CASE(test_negotiate_plan_334_5_6_contracts),
    AGW_CASE(test_negotiate_plan_police_by_key_and_by_bandwidth),
    AGW_CASE(test_negotiate_plan_tos_copy),
    AGW_CASE(test_negotiate_plan_latch_rule),
    AGW_CASE(test_negotiate_plan_sip_source_address_instead_of_sdp),
    AGW_CASE(test_negotiate_plan_dscp),
    AGW_CASE(test_negotiate_plan_rfc3264_gates),
    AGW_CASE(test_negotiate_plan_payload_types_and_clocks),
    AGW_CASE(test_negotiate_plan_feedback_of_both_ends),
    AGW_CASE(test_negotiate_plan_rfc3611_5_xr_of_each_leg),
    AGW_CASE(test_negotiate_plan_rfc3611_5_xr_of_an_offering_phone),
    AGW_CASE(test_negotiate_plan_rfc3611_5_xr_between_phones_passes),
    AGW_CASE(test_negotiate_plan_feedback_bits_are_those_of_rtp),
    AGW_CASE(test_negotiate_plan_feedback_toward_an_avp_core),
    AGW_CASE(test_negotiate_plan_rfc8285_header_extensions),
    AGW_CASE(test_negotiate_plan_between_browsers_nothing_is_touched),
    AGW_CASE(test_negotiate_plan_rfc4585_feedback_needs_avpf),
    AGW_CASE(test_negotiate_plan_other_mid_is_not_forwarded),
    AGW_CASE(test_negotiate_plan_334_5_11_3_dtls_of_the_parties_passes),
    AGW_CASE(test_negotiate_plan_334_5_11_3_keys_of_the_parties_pass),
    AGW_CASE(test_negotiate_plan_334_5_11_3_a_group_that_is_not_taken_keeps_its_first_line),
    AGW_CASE(test_negotiate_plan_334_5_11_3_plain_rtp_has_nothing_to_pass),
    AGW_CASE(test_negotiate_view_of_a_call),
};

AGW_UNIT_MAIN("negotiate_plan", CASES)
