/* SPDX-License-Identifier: BSD-3-Clause
 * Forks: which answer stands, and what the worker is told of the others. */
#include "control/negotiate_fixture.h"

#define EARLY  "{\"sip-code\":\"183\"}"
#define FINAL  "{\"sip-code\":200}"
#define OPENED "{\"sip-code\":\"183\",\"P-Early-Media\":\"sendrecv,gated\"}"
#define CLOSED "{\"sip-code\":\"183\",\"P-Early-Media\":[\"inactive\"]}"

/* An answer of branch n with one codec, from its own port of one address. */
static char *branch_sdp(unsigned n, const char *codec)
{
    return g_strdup_printf("v=0\no=b%u 9 7 IN IP4 10.2.0.20\ns=-\nc=IN IP4 10.2.0.20\nt=0 0\n"
                           "m=audio %u RTP/AVP %s\na=ptime:20\n",
                           n, 18000 + 10 * n, codec);
}

static agw_err branch_says(fixture *f, unsigned n, const char *keys, const char *codec)
{
    char *sdp = branch_sdp(n, codec);
    const agw_err err = say(f, AGW_SIDE_B, false, keys, sdp);
    g_free(sdp);
    return err;
}

#define BRANCH(f, n, keys)          CU_ASSERT_EQUAL_FATAL(branch_says(f, n, keys, "8"), AGW_OK)
#define BRANCH_WITH(f, n, keys, pt) CU_ASSERT_EQUAL_FATAL(branch_says(f, n, keys, pt), AGW_OK)

#define OFFER_OF_TWO                                                                               \
    SESSION("2")                                                                                   \
    BUNDLE("0")                                                                                    \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 8 0\n" WEB_1                                                  \
    "a=mid:0\na=sendrecv\na=rtpmap:111 opus/48000/2\na=rtpmap:8 PCMA/8000\n"                       \
    "a=rtpmap:0 PCMU/8000\n"

static void ring(fixture *f)
{
    fixture_init(f);
    OFFER(f, AGW_SIDE_A, "", OFFER_OF_TWO);
}

static const agw_transport_plan *core_of(const fixture *f)
{
    return transport_of(f, 0, AGW_SIDE_B);
}

static unsigned number_of(const agw_addr *addr)
{
    return addr->port != 0 ? (addr->port - 18000u) / 10 : 0;
}

/* "2 | 1 | 3": the party, the open ones, the others. */
static const char *forks_of(const fixture *f)
{
    static char text[64];
    const agw_transport_plan *t = core_of(f);
    int len =
        snprintf(text, sizeof text, "%u%s |", number_of(&t->remote_rtp), t->muted ? " muted" : "");
    for (uint8_t i = 0; i < t->n_open; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, " %u", number_of(&t->sources[i]));
    len += snprintf(text + len, sizeof text - (size_t)len, " |");
    for (uint8_t i = t->n_open; i < t->n_sources; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, " %u", number_of(&t->sources[i]));
    return text;
}

static bool takes(const fixture *f, uint8_t pt)
{
    const agw_end_plan *end = end_of(f, 0, AGW_SIDE_B);
    for (size_t i = 0; i < end->n_pts; i++) {
        if (end->pts[i].ingress == pt)
            return true;
    }
    return false;
}

static void test_negotiate_forks_the_newest_provisional_answer_stands(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 | |");
    BRANCH(&f, 2, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 |");
    BRANCH(&f, 3, "");
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "3 | 2 1 |");
    BRANCH(&f, 1, EARLY); /* again: it is the newest then */
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 | 3 2 |");
    CU_ASSERT_TRUE(core_of(&f)->hold_strangers);
    fixture_fini(&f);
}

static void test_negotiate_forks_the_final_answer_closes_the_others(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, EARLY);
    BRANCH(&f, 2, EARLY);
    BRANCH(&f, 3, EARLY);
    BRANCH(&f, 1, FINAL);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 | | 3 2");
    CU_ASSERT_FALSE(core_of(&f)->hold_strangers);
    CU_ASSERT_FALSE(agw_session_stood(f.session));
    fixture_fini(&f);
}

/* A late 183, and a second 200: answered, but nothing changes. */
static void test_negotiate_forks_the_final_answer_wins_for_good(void)
{
    static const char *const LATE[] = {EARLY, FINAL, ""};
    for (size_t i = 0; i < G_N_ELEMENTS(LATE); i++) {
        fixture f;
        ring(&f);
        BRANCH_WITH(&f, 1, EARLY, "8");
        BRANCH_WITH(&f, 2, FINAL, "0");
        BRANCH_WITH(&f, 3, LATE[i], "8");
        CU_ASSERT_TRUE(agw_session_stood(f.session));
        CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8\r\n"));
        CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 3 1");
        CU_ASSERT_FALSE(takes(&f, 8));
        BRANCH_WITH(&f, 2, FINAL, "0"); /* sent once more */
        CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 3 1");
        fixture_fini(&f);
    }
}

/* What the others chose of the offer may come while they may be heard. */
static void test_negotiate_forks_rfc3264_5_1_codecs_of_all_branches_while_it_is_open(void)
{
    fixture f;
    ring(&f);
    BRANCH_WITH(&f, 1, EARLY, "8");
    CU_ASSERT_TRUE(takes(&f, 8));
    CU_ASSERT_FALSE(takes(&f, 0));
    BRANCH_WITH(&f, 2, EARLY, "0");
    CU_ASSERT_TRUE(takes(&f, 8));
    CU_ASSERT_TRUE(takes(&f, 0));
    BRANCH_WITH(&f, 2, FINAL, "0");
    CU_ASSERT_FALSE(takes(&f, 8));
    CU_ASSERT_TRUE(takes(&f, 0));
    fixture_fini(&f);
}

/* RFC 5009: a branch that is authorized is not given up for one of which nothing is said. */
static void test_negotiate_forks_rfc5009_the_opened_branch_stands(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, EARLY);
    BRANCH(&f, 2, OPENED);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 |");
    BRANCH_WITH(&f, 3, EARLY, "0");
    CU_ASSERT_TRUE(agw_session_stood(f.session));
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 3 1 |");
    CU_ASSERT_TRUE(takes(&f, 0)); /* heard when the opened one is silent */
    BRANCH(&f, 2, EARLY);         /* says nothing new about it */
    BRANCH(&f, 1, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 3 |");
    BRANCH(&f, 1, OPENED); /* the newest that is opened */
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 | 2 3 |");
    BRANCH(&f, 3, FINAL);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "3 | | 1 2");
    fixture_fini(&f);
}

static void test_negotiate_forks_rfc5009_a_closed_branch_waits_for_its_200(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, CLOSED);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 muted | |");
    BRANCH(&f, 1, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 muted | |");
    BRANCH(&f, 2, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 1");
    BRANCH(&f, 3, CLOSED);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 3 1");
    BRANCH(&f, 3, FINAL);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "3 | | 2 1");
    fixture_fini(&f);
}

/* The 200 behind a reliable 183 has no SDP. */
static void test_negotiate_forks_rfc3262_5_accepted_without_sdp(void)
{
    fixture f;
    fixture_init(&f);
    agw_session_accept(f.session); /* nothing to accept */
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO);
    agw_session_accept(f.session);
    BRANCH_WITH(&f, 1, EARLY, "8");
    BRANCH_WITH(&f, 2, EARLY, "0");
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 |");
    agw_session_accept(f.session);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 1");
    CU_ASSERT_FALSE(core_of(&f)->hold_strangers);
    CU_ASSERT_FALSE(takes(&f, 8));
    BRANCH_WITH(&f, 1, FINAL, "8"); /* for good */
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 1");
    const size_t applied = fake_gateway_applied(f.gw);
    agw_session_accept(f.session); /* told once more */
    CU_ASSERT_EQUAL(fake_gateway_applied(f.gw), applied);
    fixture_fini(&f);
}

static void test_negotiate_forks_rfc5009_a_closed_branch_is_accepted_without_sdp(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, CLOSED);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 muted | |");
    agw_session_accept(f.session);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 | |");
    fixture_fini(&f);
    ring(&f);
    BRANCH(&f, 1, CLOSED);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("18010")); /* an UPDATE crosses it */
    agw_session_accept(f.session);
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
    CU_ASSERT_FALSE(core_of(&f)->muted);
    fixture_fini(&f);
}

/* UPDATE in one early dialogue: the other dialogues are still there. Without "sip-code" it can as
 * well be a re-INVITE of a call that stands. */
static void test_negotiate_forks_an_early_update_keeps_the_other_dialogs(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, EARLY);
    BRANCH(&f, 2, EARLY);
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO);
    BRANCH(&f, 2, "");
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 |");
    BRANCH(&f, 2, FINAL);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 1");
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO); /* re-INVITE */
    BRANCH(&f, 2, FINAL);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | |");
    fixture_fini(&f);
    ring(&f);
    BRANCH(&f, 1, "");
    BRANCH(&f, 2, "");
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 |");
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO);
    BRANCH(&f, 2, "");
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | |");
    fixture_fini(&f);
}

/* An UPDATE of either side that is given up in an early dialogue: the INVITE's offer is the last
 * one again, and the branches go on answering it. */
static void test_negotiate_forks_an_update_given_up_leaves_the_invites_offer(void)
{
    for (int i = 0; i < 4; i++) {
        fixture f;
        ring(&f);
        BRANCH_WITH(&f, 1, EARLY, "8");
        BRANCH_WITH(&f, 2, EARLY, "0");
        if (i == 3)
            OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
        if (i != 1)
            OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
        if (i != 0 && i != 3)
            OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("18010") "a=sendonly\n");
        agw_session_rollback(f.session, AGW_SIDE_A);
        agw_session_rollback(f.session, AGW_SIDE_B);
        CU_ASSERT_FALSE(agw_session_open(f.session));
        CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | 1 |");
        BRANCH_WITH(&f, 1, FINAL, "8");
        CU_ASSERT_FALSE(agw_session_open(f.session));
        CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8\r\n"));
        CU_ASSERT_EQUAL(count(&f, "m="), 1); /* no video: that was the UPDATE's */
        CU_ASSERT_STRING_EQUAL(forks_of(&f), "1 | | 2");
        CU_ASSERT_TRUE(end_of(&f, 0, AGW_SIDE_A)->may_send);
        CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
        fixture_fini(&f);
    }
}

/* Once the UPDATE is answered the INVITE's offer is history, whatever becomes of later ones. */
static void test_negotiate_forks_an_answered_update_is_the_last_offer(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, EARLY);
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO);
    BRANCH(&f, 1, FINAL);
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO); /* re-INVITE */
    agw_session_rollback(f.session, AGW_SIDE_A);
    BRANCH(&f, 1, ""); /* answers nothing, so it offers */
    CU_ASSERT(agw_session_open(f.session));
    fixture_fini(&f);
}

/* A re-offer that is refused leaves the winner the winner. */
static void test_negotiate_forks_a_refused_reoffer_decides_nothing(void)
{
    fixture f;
    ring(&f);
    BRANCH(&f, 1, EARLY);
    BRANCH(&f, 2, FINAL);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", "nonsense"), AGW_ERR_MALFORMED);
    fake_gateway_full(f.gw, false, true);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", WEB_OFFER_AV), AGW_ERR_LIMIT);
    BRANCH(&f, 1, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "2 | | 1");
    fixture_fini(&f);
}

static void test_negotiate_forks_eight_others_are_known(void)
{
    fixture f;
    ring(&f);
    for (unsigned n = 1; n <= 12; n++)
        BRANCH(&f, n, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "12 | 11 10 9 8 7 6 5 4 |");
    BRANCH(&f, 4, FINAL);
    BRANCH(&f, 13, EARLY);
    CU_ASSERT_STRING_EQUAL(forks_of(&f), "4 | | 13 12 11 10 9 8 7 6");
    fixture_fini(&f);
}

/* --- branches of different kinds ---------------------------------------------------------- */

#define TO_PHONE(name)                                                                             \
    "\"via-branch\":\"" name "\",\"ICE\":\"remove\",\"transport-protocol\":\"RTP/AVP\","           \
    "\"direction\":[\"access\",\"core\"],\"rtcp-mux\":[\"demux\"]"
#define TO_BROWSER(name)                                                                           \
    "\"via-branch\":\"" name "\",\"ICE\":\"force\",\"transport-protocol\":\"RTP/SAVPF\","          \
    "\"direction\":[\"access\",\"access\"],\"rtcp-mux\":[\"offer\"]"
#define BY_PHONE   CORE_SESSION("1") "m=audio 16000 RTP/AVP 8\n"
#define BY_BROWSER WEB_ANSWER_A("w2w2", PWD_2, FP_2, "active")

static void expect_phone_offer(const fixture *f)
{
    CU_ASSERT(has(f, "c=IN IP4 10.1.0.1\r\n"));
    CU_ASSERT(has(f, "m=audio 3") && strstr(f->told->str, " RTP/AVP ") != NULL);
    CU_ASSERT_FALSE(has(f, "a=ice-") || has(f, "a=fingerprint") || has(f, "a=rtcp-mux"));
}

static void expect_browser_offer(const fixture *f)
{
    CU_ASSERT(has(f, "c=IN IP4 10.0.0.1\r\n"));
    CU_ASSERT(has(f, "m=audio 20000 UDP/TLS/RTP/SAVPF "));
    CU_ASSERT(has(f, "a=ice-ufrag:") && has(f, "a=fingerprint") && has(f, "a=rtcp-mux"));
}

static void offer_phone(fixture *f, const char *keys)
{
    OFFER(f, AGW_SIDE_A, keys, OFFER_OF_TWO);
    expect_phone_offer(f);
}

static void offer_browser(fixture *f, const char *keys)
{
    OFFER(f, AGW_SIDE_A, keys, OFFER_OF_TWO);
    expect_browser_offer(f);
}

static void ring_both(fixture *f, bool phone_first)
{
    fixture_init(f);
    if (phone_first)
        offer_phone(f, "{" TO_PHONE("p") "}");
    offer_browser(f, "{" TO_BROWSER("w") "}");
    if (!phone_first)
        offer_phone(f, "{" TO_PHONE("p") "}");
    CU_ASSERT_EQUAL(plan_of(f)->n_transports, 3); /* the caller's is one */
}

static void expect_phone(const fixture *f)
{
    CU_ASSERT(has(f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8\r\n"));
    CU_ASSERT_EQUAL(core_of(f)->security, AGW_SECURITY_PLAIN);
    CU_ASSERT_FALSE(core_of(f)->ice);
    CU_ASSERT_EQUAL(core_of(f)->remote_rtp.port, 16000);
}

static void expect_browser(const fixture *f)
{
    CU_ASSERT(has(f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8\r\n"));
    CU_ASSERT_EQUAL(core_of(f)->security, AGW_SECURITY_DTLS);
    CU_ASSERT_STRING_EQUAL(core_of(f)->remote_ufrag, "w2w2");
}

static void test_negotiate_forks_a_phone_and_a_browser_have_an_offer_each(void)
{
    for (int i = 0; i < 4; i++) {
        fixture f;
        ring_both(&f, i % 2 == 0);
        if (i < 2) {
            ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"p\",\"sip-code\":200}", BY_PHONE);
            expect_phone(&f);
        } else {
            ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"w\",\"sip-code\":200}", BY_BROWSER);
            expect_browser(&f);
        }
        CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2); /* the other branch's is given back */
        CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
        fixture_fini(&f);
    }
}

/* The browser rings with media, then the phone; the browser takes the call after all. */
static void test_negotiate_forks_of_two_kinds_ring_in_turn(void)
{
    fixture f;
    char *caller[4] = {NULL};
    ring_both(&f, true);
    for (size_t i = 0; i < G_N_ELEMENTS(caller); i++) {
        const bool browser = i % 2 == 0;
        const char *keys = i == 3    ? "{\"via-branch\":\"p\",\"sip-code\":200}"
                           : browser ? "{\"via-branch\":\"w\",\"sip-code\":183}"
                                     : "{\"via-branch\":\"p\",\"sip-code\":183}";
        ANSWER(&f, AGW_SIDE_B, keys, browser ? BY_BROWSER : BY_PHONE);
        CU_ASSERT_FALSE(agw_session_stood(f.session));
        if (browser)
            expect_browser(&f);
        else
            expect_phone(&f);
        CU_ASSERT_EQUAL(plan_of(&f)->n_transports, i == 3 ? 2 : 3);
        const char *ufrag = strstr(f.told->str, "a=ice-ufrag:");
        CU_ASSERT_PTR_NOT_NULL_FATAL(ufrag);
        caller[i] = g_strndup(ufrag, strcspn(ufrag, "\r"));
        CU_ASSERT_STRING_EQUAL(caller[i], caller[0]); /* it reads one transport throughout */
    }
    for (size_t i = 0; i < G_N_ELEMENTS(caller); i++)
        g_free(caller[i]);
    CU_ASSERT_FALSE(agw_session_open(f.session));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    fixture_fini(&f);
}

/* Without a via-branch it is the newest offer's answer, and a third branch of a known kind takes
 * its place beside the first. */
static void test_negotiate_forks_of_one_kind_share_an_offer_beside_another_kind(void)
{
    fixture f;
    ring_both(&f, true);
    const unsigned port = 30000;
    offer_phone(&f, "{" TO_PHONE("p2") ",\"codec\":{\"strip\":[\"opus\"]}}");
    CU_ASSERT_EQUAL(port_of(&f, 0), port);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 3);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"p2\",\"sip-code\":183}", BY_PHONE);
    expect_phone(&f);
    BRANCH(&f, 1, "{\"via-branch\":\"p\",\"sip-code\":183}");
    CU_ASSERT_EQUAL(core_of(&f)->n_open, 1); /* the two of them as ever */
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"w\",\"sip-code\":200}", BY_BROWSER);
    expect_browser(&f);
    fixture_fini(&f);
    ring_both(&f, true);
    ANSWER(&f, AGW_SIDE_B, "", BY_BROWSER);
    expect_browser(&f);
    fixture_fini(&f);
}

/* RFC 5009, over the kinds, too; and what is refused changes nothing. */
static void test_negotiate_forks_rfc5009_an_open_branch_of_another_kind_stands(void)
{
    fixture f;
    ring_both(&f, true);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"w\",\"sip-code\":183,\"P-Early-Media\":\"sendrecv\"}",
           BY_BROWSER);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"p\",\"sip-code\":183}", BY_PHONE);
    CU_ASSERT_TRUE(agw_session_stood(f.session));
    CU_ASSERT_EQUAL(core_of(&f)->security, AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "{\"via-branch\":\"p\",\"sip-code\":200}", "v=0\n"),
                    AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(core_of(&f)->security, AGW_SECURITY_DTLS);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"p\",\"sip-code\":200}", BY_PHONE);
    expect_phone(&f);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2);
    fixture_fini(&f);
}

/* A 200 without SDP behind a reliable 183: the late 183 of the other kind changes nothing. */
static void test_negotiate_forks_rfc3262_5_one_of_two_kinds_is_accepted_without_sdp(void)
{
    fixture f;
    ring_both(&f, true);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"p\",\"sip-code\":183}", BY_PHONE);
    agw_session_accept(f.session);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"w\",\"sip-code\":183}", BY_BROWSER);
    CU_ASSERT_TRUE(agw_session_stood(f.session));
    CU_ASSERT_EQUAL(core_of(&f)->remote_rtp.port, 16000);
    fixture_fini(&f);
}

/* A branch that is added while another one rings; a re-offer without answers known to be final. */
static void test_negotiate_forks_another_kind_may_come_late_and_end_untold(void)
{
    fixture f;
    fixture_init(&f);
    offer_phone(&f, "{" TO_PHONE("p") "}");
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"p\",\"sip-code\":183}", BY_PHONE);
    offer_browser(&f, "{" TO_BROWSER("w") "}");
    CU_ASSERT_EQUAL(core_of(&f)->remote_rtp.port, 16000); /* it rings on */
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"w\",\"sip-code\":200}", BY_BROWSER);
    expect_browser(&f);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    fixture_fini(&f);
    ring_both(&f, false);
    ANSWER(&f, AGW_SIDE_B, "{\"via-branch\":\"w\"}", BY_BROWSER);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 3);
    OFFER(&f, AGW_SIDE_A, "", OFFER_OF_TWO);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, 2);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 2);
    ANSWER(&f, AGW_SIDE_B, "", BY_BROWSER);
    expect_browser(&f);
    fixture_fini(&f);
}

static void test_negotiate_forks_nine_kinds_and_no_more(void)
{
    fixture f;
    fixture_init(&f);
    for (int i = 0; i < 10; i++) {
        char *keys = g_strdup_printf(
            "{\"via-branch\":\"b%d\",\"direction\":[\"access\",\"%s\"],\"rtcp-mux\":[\"%s\"],"
            "\"transport-protocol\":\"%s\",\"ICE\":\"%s\"}",
            i, i % 2 == 0 ? "access" : "core", i % 4 < 2 ? "offer" : "demux",
            i < 8 ? "RTP/AVP" : "RTP/AVPF", i % 8 < 4 ? "remove" : "force");
        const agw_err err = say(&f, AGW_SIDE_A, true, keys, OFFER_OF_TWO);
        CU_ASSERT_EQUAL(err, i < 9 ? AGW_OK : AGW_ERR_LIMIT);
        g_free(keys);
    }
    CU_ASSERT_STRING_EQUAL(f.why, "Too many branches of different kinds");
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 10);
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_negotiate_forks_the_newest_provisional_answer_stands),
    AGW_CASE(test_negotiate_forks_the_final_answer_closes_the_others),
    AGW_CASE(test_negotiate_forks_the_final_answer_wins_for_good),
    AGW_CASE(test_negotiate_forks_rfc3264_5_1_codecs_of_all_branches_while_it_is_open),
    AGW_CASE(test_negotiate_forks_rfc5009_the_opened_branch_stands),
    AGW_CASE(test_negotiate_forks_rfc5009_a_closed_branch_waits_for_its_200),
    AGW_CASE(test_negotiate_forks_rfc3262_5_accepted_without_sdp),
    AGW_CASE(test_negotiate_forks_rfc5009_a_closed_branch_is_accepted_without_sdp),
    AGW_CASE(test_negotiate_forks_an_early_update_keeps_the_other_dialogs),
    AGW_CASE(test_negotiate_forks_an_update_given_up_leaves_the_invites_offer),
    AGW_CASE(test_negotiate_forks_an_answered_update_is_the_last_offer),
    AGW_CASE(test_negotiate_forks_a_refused_reoffer_decides_nothing),
    AGW_CASE(test_negotiate_forks_eight_others_are_known),
    AGW_CASE(test_negotiate_forks_a_phone_and_a_browser_have_an_offer_each),
    AGW_CASE(test_negotiate_forks_of_two_kinds_ring_in_turn),
    AGW_CASE(test_negotiate_forks_of_one_kind_share_an_offer_beside_another_kind),
    AGW_CASE(test_negotiate_forks_rfc5009_an_open_branch_of_another_kind_stands),
    AGW_CASE(test_negotiate_forks_rfc3262_5_one_of_two_kinds_is_accepted_without_sdp),
    AGW_CASE(test_negotiate_forks_another_kind_may_come_late_and_end_untold),
    AGW_CASE(test_negotiate_forks_nine_kinds_and_no_more),
};

AGW_UNIT_MAIN("negotiate_forks", CASES)
