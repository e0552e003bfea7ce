/* SPDX-License-Identifier: BSD-3-Clause
 * Sequences of offers and answers: repeats, forks, re-offers from both sides, restarts, failures.
 */
#include "control/negotiate_fixture.h"

static void establish(fixture *f)
{
    fixture_init(f);
    OFFER(f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(f, AGW_SIDE_B, "", CORE_A);
}

static char *told(const fixture *f)
{
    return g_strdup(f->told->str);
}

/* --- repeats and forks -------------------------------------------------------------------- */

static void test_negotiate_flow_repeated_offer_is_the_same(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    char *first = told(&f);
    const size_t transports = fake_call_transports(f.call);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT_STRING_EQUAL(f.told->str, first);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), transports);
    g_free(first);
    fixture_fini(&f);
}

static void test_negotiate_flow_183_then_200_is_the_same(void)
{
    fixture f;
    establish(&f);
    char *first = told(&f);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_STRING_EQUAL(f.told->str, first);
    g_free(first);
    fixture_fini(&f);
}

/* Another branch answers: the browser sees the same transport, the core another destination. */
static void test_negotiate_flow_forked_answers_show_one_transport(void)
{
    fixture f;
    establish(&f);
    const unsigned port = port_of(&f, 0);
    char *ufrag = g_strndup(last_line(&f, "a=ice-ufrag:"), 20);
    const unsigned long long version = version_of(&f);
    ANSWER(
        &f, AGW_SIDE_B, "",
        "v=0\no=other 9 7 IN IP4 10.2.0.20\ns=-\nc=IN IP4 10.2.0.20\nt=0 0\n" CORE_AUDIO("18000"));
    CU_ASSERT_EQUAL(port_of(&f, 0), port);
    CU_ASSERT_EQUAL(strncmp(last_line(&f, "a=ice-ufrag:"), ufrag, 20), 0);
    CU_ASSERT_EQUAL(version_of(&f), version); /* it reads the same */
    char text[AGW_ADDR_TEXT];
    CU_ASSERT_STRING_EQUAL(
        agw_addr_text(&transport_of(&f, 0, AGW_SIDE_B)->remote_rtp, text, sizeof text),
        "10.2.0.20:18000");
    g_free(ufrag);
    fixture_fini(&f);
}

/* Several browsers answer one offer: the newest one's certificate is a new association. */
static void test_negotiate_flow_second_browser_is_a_new_association(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls_epoch, 0);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("efgh", PWD_2, FP_2, "active"));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls_epoch, 1);
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->remote_ufrag, "efgh");
    fixture_fini(&f);
}

/* --- who offers --------------------------------------------------------------------------- */

static void test_negotiate_flow_rfc6337_answer_without_open_offer_is_an_offer(void)
{
    fixture f;
    establish(&f);
    ANSWER(&f, AGW_SIDE_A, "", /* PRACK with an offer */
           SESSION("3") BUNDLE("0") WEB_AUDIO("9", "0", WEB_1));
    CU_ASSERT(agw_session_open(f.session));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 111 8 110 126\r\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000"));
    CU_ASSERT_FALSE(agw_session_open(f.session));
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126\r\n"));
    fixture_fini(&f);
}

/* The callee offered in an UPDATE; its 200 to the INVITE says the same again. */
static void test_negotiate_flow_rfc6337_repeated_description_opens_nothing(void)
{
    fixture f;
    establish(&f);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("17000"));
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
    const agw_transport_plan before = kept_transport(&f, 0, AGW_SIDE_B);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("17000"));
    CU_ASSERT_FALSE(agw_session_open(f.session));
    CU_ASSERT(same_transport(&before, transport_of(&f, 0, AGW_SIDE_B)));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("3") CORE_AUDIO("17000")); /* another one does */
    CU_ASSERT(agw_session_open(f.session));
    fixture_fini(&f);
}

/* The offer comes in the 200, the answer in the ACK: side A is the one that offers. */
static void test_negotiate_flow_late_offer(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "passive"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls, AGW_DTLS_ACTIVE);
    fixture_fini(&f);
}

/* --- re-offers ---------------------------------------------------------------------------- */

static void test_negotiate_flow_refresh_touches_nothing(void)
{
    fixture f;
    establish(&f);
    const agw_transport_plan before = kept_transport(&f, 0, AGW_SIDE_A);
    OFFER(&f, AGW_SIDE_B, "", CORE_A);
    const unsigned long long version = version_of(&f);
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
    CU_ASSERT(same_transport(&before, transport_of(&f, 0, AGW_SIDE_A)));
    OFFER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(version_of(&f), version);
    fixture_fini(&f);
}

static void test_negotiate_flow_rfc3264_8_version_grows_with_every_change(void)
{
    fixture f;
    establish(&f);
    const unsigned long long first = version_of(&f);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") "a=sendonly\n");
    CU_ASSERT_EQUAL(version_of(&f), first + 1);
    fixture_fini(&f);
}

static void test_negotiate_flow_reoffer_changes_nothing_before_its_answer(void)
{
    fixture f;
    establish(&f);
    OFFER(&f, AGW_SIDE_B, "",
          "v=0\no=mgcf 55 2 IN IP4 10.2.0.9\ns=-\nc=IN IP4 10.2.0.44\nt=0 0\n" CORE_AUDIO(
              "17000") "a=inactive\n");
    char text[AGW_ADDR_TEXT];
    const agw_transport_plan *core = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_STRING_EQUAL(agw_addr_text(&core->remote_rtp, text, sizeof text), "10.2.0.9:16000");
    CU_ASSERT(end_of(&f, 0, AGW_SIDE_A)->may_send);
    ANSWER(&f, AGW_SIDE_A, "",
           SESSION("3") BUNDLE("0") "m=audio 9 UDP/TLS/RTP/SAVPF 8\n" WEB_TRANSPORT(
               "r1kG", PWD_1, FP_1, "active") "a=mid:0\na=inactive\na=rtpmap:8 PCMA/8000\n");
    core = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_STRING_EQUAL(agw_addr_text(&core->remote_rtp, text, sizeof text), "10.2.0.44:17000");
    CU_ASSERT_FALSE(end_of(&f, 0, AGW_SIDE_A)->may_send);
    fixture_fini(&f);
}

static void test_negotiate_flow_hold_and_resume_by_the_browser(void)
{
    fixture f;
    establish(&f);
    GString *hold = g_string_new(WEB_OFFER_A);
    g_string_replace(hold, "a=sendrecv", "a=sendonly", 0);
    OFFER(&f, AGW_SIDE_A, "", hold->str);
    CU_ASSERT(has(&f, "a=sendonly\r\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") "a=recvonly\n");
    CU_ASSERT(has(&f, "a=recvonly\r\n"));
    CU_ASSERT_FALSE(end_of(&f, 0, AGW_SIDE_B)->may_send);
    CU_ASSERT(end_of(&f, 0, AGW_SIDE_A)->may_send);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("3") CORE_AUDIO("16000"));
    CU_ASSERT(end_of(&f, 0, AGW_SIDE_B)->may_send);
    g_string_free(hold, TRUE);
    fixture_fini(&f);
}

static void test_negotiate_flow_media_added_joins_the_group(void)
{
    fixture f;
    establish(&f);
    const uint32_t id = plan_of(&f)->medias[0].id;
    const agw_transport_plan audio = kept_transport(&f, 0, AGW_SIDE_B);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1); /* the new one waits for its answer */
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 3);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") CORE_VIDEO("16010"));
    CU_ASSERT_EQUAL_FATAL(plan_of(&f)->n_medias, 2);
    CU_ASSERT_EQUAL(plan_of(&f)->medias[0].id, id);
    CU_ASSERT_PTR_EQUAL(transport_of(&f, 0, AGW_SIDE_A), transport_of(&f, 1, AGW_SIDE_A));
    CU_ASSERT(same_transport(&audio, transport_of(&f, 0, AGW_SIDE_B)));
    fixture_fini(&f);
}

/* The same from the core: RFC 9143 section 7.5, the new line shares the group's transport. */
static void test_negotiate_flow_rfc9143_7_5_media_added_by_the_core(void)
{
    fixture f;
    establish(&f);
    const unsigned port = port_of(&f, 0);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") CORE_VIDEO("16010"));
    CU_ASSERT_EQUAL(port_of(&f, 0), port);
    CU_ASSERT_EQUAL(port_of(&f, 1), port);
    CU_ASSERT(has(&f, "a=group:BUNDLE 0 1\r\n"));
    const char *first = strstr(f.told->str, "a=ice-ufrag:");
    CU_ASSERT_EQUAL(strncmp(first, last_line(&f, "a=ice-ufrag:"), 20), 0);
    fixture_fini(&f);
}

static void test_negotiate_flow_media_removed_gives_its_ports_back(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 3);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("0") WEB_AUDIO("9", "0", WEB_1) WEB_VIDEO("0", "1", WEB_1));
    CU_ASSERT_EQUAL(port_of(&f, 1), 0);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 3); /* until it is answered */
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") CORE_VIDEO("0"));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    fixture_fini(&f);
}

/* A line that was not alive in one offer may be in the next one. */
static void test_negotiate_flow_media_comes_back_in_the_next_offer(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("0") WEB_AUDIO("9", "0", WEB_1) WEB_VIDEO("0", "1", WEB_1));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT_NOT_EQUAL(port_of(&f, 1), 0);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 3);
    fixture_fini(&f);
}

/* The tagged m= section goes; the group goes on with its transport. */
static void test_negotiate_flow_first_media_removed_keeps_the_transport(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    const uint32_t id = transport_of(&f, 1, AGW_SIDE_A)->id;
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("1") WEB_AUDIO("0", "0", WEB_1) WEB_VIDEO("9", "1", WEB_1));
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("0") CORE_VIDEO("16010"));
    CU_ASSERT_EQUAL_FATAL(plan_of(&f)->n_medias, 1);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->id, id);
    fixture_fini(&f);
}

static void test_negotiate_flow_lines_are_found_by_mid(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    const uint32_t audio = plan_of(&f)->medias[0].id, video = plan_of(&f)->medias[1].id;
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("1 0") WEB_VIDEO("9", "1", WEB_1) WEB_AUDIO("9", "0", WEB_1));
    CU_ASSERT_EQUAL(port_of(&f, 0), 30002);
    CU_ASSERT_EQUAL(port_of(&f, 1), 30000);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_VIDEO("16010") CORE_AUDIO("16000"));
    CU_ASSERT_EQUAL(plan_of(&f)->medias[0].id, video);
    CU_ASSERT_EQUAL(plan_of(&f)->medias[1].id, audio);
    fixture_fini(&f);
}

/* RFC 8829 section 5.2.2: a slot used again has another mid and is another media. */
static void test_negotiate_flow_recycled_slot_is_a_new_media(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    const uint32_t audio = plan_of(&f)->medias[0].id, video = plan_of(&f)->medias[1].id;
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("0 7") WEB_AUDIO("9", "0", WEB_1) WEB_VIDEO("9", "7", WEB_1));
    CU_ASSERT_EQUAL(port_of(&f, 1), 30004);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") CORE_VIDEO("16010"));
    CU_ASSERT_EQUAL_FATAL(plan_of(&f)->n_medias, 2);
    CU_ASSERT_EQUAL(plan_of(&f)->medias[0].id, audio);
    CU_ASSERT_NOT_EQUAL(plan_of(&f)->medias[1].id, video);
    CU_ASSERT_STRING_EQUAL(end_of(&f, 1, AGW_SIDE_A)->mid, "7");
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 3); /* the former video's went back */
    fixture_fini(&f);
}

/* A group that falls apart: one part keeps the transport, the other gets its own. */
static void test_negotiate_flow_group_split_in_two(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    const uint32_t id = end_of(&f, 0, AGW_SIDE_A)->transport_id;
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("0") BUNDLE("1") WEB_AUDIO("9", "0", WEB_1)
              WEB_VIDEO("9", "1", WEB_TRANSPORT("vide", PWD_2, FP_1, "actpass")));
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->transport_id, id);
    CU_ASSERT_NOT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->transport_id, id);
    CU_ASSERT_STRING_EQUAL(transport_of(&f, 1, AGW_SIDE_A)->remote_ufrag, "vide");
    CU_ASSERT_EQUAL(count(&f, "a=group:BUNDLE "), 2);
    fixture_fini(&f);
}

/* A payload type keeps its meaning (RFC 3264 section 8.3.2), also when the other side offers. */
static void test_negotiate_flow_numbers_stay_when_the_other_side_offers(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 RTP/AVP 97\na=rtpmap:97 opus/48000/2\n");
    OFFER(&f, AGW_SIDE_B, "",
          CORE_SESSION("2") "m=audio 16000 RTP/AVP 97\na=rtpmap:97 opus/48000/2\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 111\r\n"));
    fixture_fini(&f);
}

/* --- ICE restart, DTLS -------------------------------------------------------------------- */

#define REOFFER(ufrag, pwd, fp, setup)                                                             \
    SESSION("3") BUNDLE("0") WEB_AUDIO("9", "0", WEB_TRANSPORT(ufrag, pwd, fp, setup))

static void test_negotiate_flow_rfc8445_9_restart_gets_new_credentials(void)
{
    fixture f;
    establish(&f);
    const agw_transport_plan before = kept_transport(&f, 0, AGW_SIDE_A);
    const unsigned port = port_of(&f, 0);
    OFFER(&f, AGW_SIDE_A, "", REOFFER("NEWu", PWD_2, FP_1, "actpass"));
    CU_ASSERT(same_transport(&before, transport_of(&f, 0, AGW_SIDE_A)));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    const agw_transport_plan *after = transport_of(&f, 0, AGW_SIDE_A);
    CU_ASSERT_EQUAL(after->id, before.id);
    CU_ASSERT_STRING_NOT_EQUAL(after->local_ufrag, before.local_ufrag);
    CU_ASSERT_STRING_EQUAL(after->remote_ufrag, "NEWu");
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, after->local_ufrag));
    CU_ASSERT_EQUAL(port_of(&f, 0), port);
    CU_ASSERT_EQUAL(after->dtls_epoch, 0);
    CU_ASSERT_EQUAL(after->dtls, before.dtls);
    char *first = told(&f);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A); /* answered again: no second restart */
    CU_ASSERT_STRING_EQUAL(f.told->str, first);
    g_free(first);
    fixture_fini(&f);
}

static void test_negotiate_flow_our_reoffer_keeps_credentials(void)
{
    fixture f;
    establish(&f);
    char *ufrag = g_strndup(last_line(&f, "a=ice-ufrag:"), 20);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000"));
    CU_ASSERT_EQUAL(strncmp(last_line(&f, "a=ice-ufrag:"), ufrag, 20), 0);
    CU_ASSERT(has(&f, "a=setup:actpass\r\n"));
    g_free(ufrag);
    fixture_fini(&f);
}

static void check_epoch(const char *reoffer, uint32_t epoch, agw_dtls_plan role)
{
    fixture f;
    establish(&f);
    OFFER(&f, AGW_SIDE_A, "", reoffer);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls_epoch, epoch);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls, role);
    fixture_fini(&f);
}

static void test_negotiate_flow_rfc8842_when_an_association_is_new(void)
{
    check_epoch(REOFFER("r1kG", PWD_1, FP_1, "actpass"), 0, AGW_DTLS_PASSIVE);
    check_epoch(REOFFER("r1kG", PWD_1, FP_1, "active"), 0, AGW_DTLS_PASSIVE);
    check_epoch(REOFFER("r1kG", PWD_1, FP_1, "passive"), 1, AGW_DTLS_ACTIVE);
    check_epoch(REOFFER("r1kG", PWD_1, FP_2, "actpass"), 1, AGW_DTLS_PASSIVE);
}

static void test_negotiate_flow_rfc8842_tls_id(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A "a=tls-id:aaaaaaaaaaaaaaaaaaaaa\n");
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A "a=tls-id:aaaaaaaaaaaaaaaaaaaaa\n");
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls_epoch, 0);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A "a=tls-id:bbbbbbbbbbbbbbbbbbbbb\n");
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls_epoch, 1);
    fixture_fini(&f);
}

/* We were the client; a re-offer of the core and an answer of the browser keep it so. */
static void test_negotiate_flow_rfc8842_role_is_kept_when_we_offer(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "passive"));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls, AGW_DTLS_ACTIVE);
    OFFER(&f, AGW_SIDE_B, "", WEB_OFFER_A); /* the same certificate */
    ANSWER(&f, AGW_SIDE_A, "", CORE_A);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls, AGW_DTLS_ACTIVE);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->dtls_epoch, 0);
    CU_ASSERT(has(&f, "a=setup:active\r\n"));
    fixture_fini(&f);
}

/* --- failures ----------------------------------------------------------------------------- */

static void test_negotiate_flow_refused_reoffer_restores(void)
{
    fixture f;
    establish(&f);
    const size_t transports = fake_call_transports(f.call);
    const agw_transport_plan before = kept_transport(&f, 0, AGW_SIDE_A);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("3") BUNDLE("0 1")
              WEB_AUDIO("9", "0", WEB_TRANSPORT("NEWu", PWD_2, FP_2, "actpass"))
                  WEB_VIDEO("9", "1", WEB_1));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), transports + 1);
    agw_session_rollback(f.session, AGW_SIDE_B);
    CU_ASSERT(agw_session_open(f.session)); /* it has none */
    agw_session_rollback(f.session, AGW_SIDE_A);
    CU_ASSERT_FALSE(agw_session_open(f.session));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), transports);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2);
    CU_ASSERT(same_transport(&before, transport_of(&f, 0, AGW_SIDE_A)));
    fixture_fini(&f);
}

/* The browser wants video while the phone holds: both offers are open. */
static void offers_cross(fixture *f, agw_side first)
{
    establish(f);
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == (first == AGW_SIDE_A)) {
            OFFER(f, AGW_SIDE_A, "", WEB_OFFER_AV);
            CU_ASSERT_EQUAL(count(f, "m="), 2);
        } else {
            OFFER(f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") "a=sendonly\n");
            CU_ASSERT_EQUAL(count(f, "m="), 1); /* nothing of the other is in it */
        }
    }
    CU_ASSERT_EQUAL(fake_call_transports(f->call), 3);
    CU_ASSERT_EQUAL(plan_of(f)->n_transports, 3);
    CU_ASSERT_EQUAL(plan_of(f)->n_medias, 1);
    CU_ASSERT(end_of(f, 0, AGW_SIDE_A)->may_send && end_of(f, 0, AGW_SIDE_A)->may_receive);
}

static void test_negotiate_flow_rfc3261_14_2_offers_cross_and_both_are_refused(void)
{
    for (int order = 0; order < 4; order++) {
        fixture f;
        const agw_side first = order & 1 ? AGW_SIDE_A : AGW_SIDE_B;
        const agw_side refused = order & 2 ? AGW_SIDE_A : AGW_SIDE_B;
        offers_cross(&f, first);
        agw_session_rollback(f.session, refused);
        CU_ASSERT(agw_session_open(f.session));
        CU_ASSERT_EQUAL(fake_call_transports(f.call), refused == AGW_SIDE_A ? 2 : 3);
        agw_session_rollback(f.session, refused == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A);
        CU_ASSERT_FALSE(agw_session_open(f.session));
        CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
        CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2);
        CU_ASSERT(end_of(&f, 0, AGW_SIDE_A)->may_send && end_of(&f, 0, AGW_SIDE_A)->may_receive);
        fixture_fini(&f);
    }
}

/* One is refused, before or after the other is answered: the answer belongs to its own offer. */
static void test_negotiate_flow_rfc3261_14_2_offers_cross_and_one_is_answered(void)
{
    for (int order = 0; order < 8; order++) {
        fixture f;
        const agw_side first = order & 1 ? AGW_SIDE_A : AGW_SIDE_B;
        const agw_side answered = order & 2 ? AGW_SIDE_A : AGW_SIDE_B;
        const agw_side loser = answered == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
        const bool refused_before = order & 4;
        offers_cross(&f, first);
        if (refused_before)
            agw_session_rollback(f.session, loser);
        if (answered == AGW_SIDE_A) {
            ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
            CU_ASSERT_EQUAL(count(&f, "a=setup:actpass"), 0);
            CU_ASSERT_NOT_EQUAL(port_of(&f, 1), 0);
        } else {
            ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
            CU_ASSERT_EQUAL(count(&f, "m="), 1);
        }
        CU_ASSERT_FALSE(agw_session_open(f.session));
        CU_ASSERT_EQUAL(plan_of(&f)->n_medias, answered == AGW_SIDE_A ? 2 : 1);
        CU_ASSERT_EQUAL(fake_call_transports(f.call), answered == AGW_SIDE_A ? 3 : 2);
        agw_session_rollback(f.session, loser); /* it is not open any more */
        CU_ASSERT_EQUAL(plan_of(&f)->n_medias, answered == AGW_SIDE_A ? 2 : 1);
        fixture_fini(&f);
    }
}

static void test_negotiate_flow_rfc3261_14_2_of_each_side_one_offer_is_open(void)
{
    fixture f;
    offers_cross(&f, AGW_SIDE_A);
    for (int i = 0; i < 3; i++) {
        OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
        OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("3") CORE_AUDIO("16000") "a=inactive\n");
    }
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 3);
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    CU_ASSERT_FALSE(end_of(&f, 0, AGW_SIDE_A)->may_send);
    fixture_fini(&f);
}

static void test_negotiate_flow_answer_to_an_offer_given_up(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    agw_session_rollback(f.session, AGW_SIDE_A);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "", CORE_A), AGW_ERR_STATE);
    fixture_fini(&f);
    establish(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    agw_session_rollback(f.session, AGW_SIDE_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A); /* answers nothing, so it offers */
    CU_ASSERT(agw_session_open(f.session));
    fixture_fini(&f);
}

static void test_negotiate_flow_failing_reoffer_changes_nothing(void)
{
    fixture f;
    establish(&f);
    const size_t applied = fake_gateway_applied(f.gw);
    fake_gateway_full(f.gw, false, true);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", WEB_OFFER_AV), AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", "v=1\n"), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(fake_gateway_applied(f.gw), applied);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    CU_ASSERT_FALSE(agw_session_open(f.session));
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A); /* known medias need no port */
    fixture_fini(&f);
}

static void test_negotiate_flow_fax_reoffer_is_refused_and_audio_stands(void)
{
    fixture f;
    establish(&f);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, true, "",
                        CORE_SESSION("2") CORE_AUDIO("0") "m=image 16020 udptl t38\n"),
                    AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    CU_ASSERT_EQUAL(agw_session_n_medias(f.session), 1);
    fixture_fini(&f);
}

static void test_negotiate_flow_malformed_answer_leaves_the_offer_open(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "", "nonsense"), AGW_ERR_MALFORMED);
    CU_ASSERT(agw_session_open(f.session));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    fixture_fini(&f);
}

static void test_negotiate_flow_answer_with_too_few_and_too_many_lines(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_EQUAL(port_of(&f, 1), 0);
    fixture_fini(&f);
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT_EQUAL(count(&f, "m="), 1);
    fixture_fini(&f);
}

/* Offers cross: the newest one counts, nothing is lost. */
static void test_negotiate_flow_glare(void)
{
    fixture f;
    establish(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000"));
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_negotiate_flow_repeated_offer_is_the_same),
    AGW_CASE(test_negotiate_flow_183_then_200_is_the_same),
    AGW_CASE(test_negotiate_flow_forked_answers_show_one_transport),
    AGW_CASE(test_negotiate_flow_second_browser_is_a_new_association),
    AGW_CASE(test_negotiate_flow_rfc6337_answer_without_open_offer_is_an_offer),
    AGW_CASE(test_negotiate_flow_rfc6337_repeated_description_opens_nothing),
    AGW_CASE(test_negotiate_flow_late_offer),
    AGW_CASE(test_negotiate_flow_refresh_touches_nothing),
    AGW_CASE(test_negotiate_flow_rfc3264_8_version_grows_with_every_change),
    AGW_CASE(test_negotiate_flow_reoffer_changes_nothing_before_its_answer),
    AGW_CASE(test_negotiate_flow_hold_and_resume_by_the_browser),
    AGW_CASE(test_negotiate_flow_media_added_joins_the_group),
    AGW_CASE(test_negotiate_flow_rfc9143_7_5_media_added_by_the_core),
    AGW_CASE(test_negotiate_flow_media_removed_gives_its_ports_back),
    AGW_CASE(test_negotiate_flow_media_comes_back_in_the_next_offer),
    AGW_CASE(test_negotiate_flow_first_media_removed_keeps_the_transport),
    AGW_CASE(test_negotiate_flow_lines_are_found_by_mid),
    AGW_CASE(test_negotiate_flow_recycled_slot_is_a_new_media),
    AGW_CASE(test_negotiate_flow_group_split_in_two),
    AGW_CASE(test_negotiate_flow_numbers_stay_when_the_other_side_offers),
    AGW_CASE(test_negotiate_flow_rfc8445_9_restart_gets_new_credentials),
    AGW_CASE(test_negotiate_flow_our_reoffer_keeps_credentials),
    AGW_CASE(test_negotiate_flow_rfc8842_when_an_association_is_new),
    AGW_CASE(test_negotiate_flow_rfc8842_tls_id),
    AGW_CASE(test_negotiate_flow_rfc8842_role_is_kept_when_we_offer),
    AGW_CASE(test_negotiate_flow_refused_reoffer_restores),
    AGW_CASE(test_negotiate_flow_rfc3261_14_2_offers_cross_and_both_are_refused),
    AGW_CASE(test_negotiate_flow_rfc3261_14_2_offers_cross_and_one_is_answered),
    AGW_CASE(test_negotiate_flow_rfc3261_14_2_of_each_side_one_offer_is_open),
    AGW_CASE(test_negotiate_flow_answer_to_an_offer_given_up),
    AGW_CASE(test_negotiate_flow_failing_reoffer_changes_nothing),
    AGW_CASE(test_negotiate_flow_fax_reoffer_is_refused_and_audio_stands),
    AGW_CASE(test_negotiate_flow_malformed_answer_leaves_the_offer_open),
    AGW_CASE(test_negotiate_flow_answer_with_too_few_and_too_many_lines),
    AGW_CASE(test_negotiate_flow_glare),
};

AGW_UNIT_MAIN("negotiate_flow", CASES)
