/* SPDX-License-Identifier: BSD-3-Clause
 * a=crypto in offers and answers: which keys the plan gets, and which descriptions are refused. */
#include "control/negotiate_fixture.h"
#include "srtp/sdes.h"

#define CM  "AES_CM_128_HMAC_SHA1_80"
#define GCM "AEAD_AES_128_GCM"
/* RFC 4568 section 5.1.1, 5.1.2 */
#define KEY_1   "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define KEY_2   "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
#define KEY_GCM "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="

#define SAVP "{\"transport-protocol\":\"RTP/SAVP\",\"ICE\":\"remove\"}"

/* The core's description: profile, version, what stands behind the codec. */
#define CORE(profile, version, attrs)                                                              \
    CORE_SESSION(version)                                                                          \
    "m=audio 16000 " profile " 8 126\na=rtpmap:8 PCMA/8000\n"                                      \
    "a=rtpmap:126 telephone-event/8000\n" attrs
#define CRYPTO(tag, suite, key) "a=crypto:" tag " " suite " inline:" key "\n"
#define WEB_ANSWER                                                                                 \
    SESSION("2")                                                                                   \
    "m=audio 9 UDP/TLS/RTP/SAVPF 8\n" WEB_TRANSPORT("r1kG", PWD_1, FP_1,                           \
                                                    "active") "a=mid:0\na=rtpmap:8 PCMA/8000\n"

/* Our a=crypto as it was written last. */
static agw_sdes written(const fixture *f)
{
    agw_sdes line;
    const char *why;
    memset(&line, 0, sizeof line);
    CU_ASSERT_EQUAL_FATAL(count(f, "a=crypto:"), 1);
    const char *text = last_line(f, "a=crypto:") + strlen("a=crypto:");
    CU_ASSERT_EQUAL_FATAL(agw_sdes_parse(&line, text, strcspn(text, "\r"), &why), AGW_OK);
    return line;
}

/* A call of the core to a browser stands, its key is KEY_1; returns ours. */
static agw_sdes core_calls(fixture *f)
{
    fixture_init(f);
    OFFER(f, AGW_SIDE_A, "", CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    ANSWER(f, AGW_SIDE_B, "", WEB_ANSWER);
    return written(f);
}

static bool same_key(const agw_sdes *line, const agw_key_plan *key)
{
    return line->suite == (agw_srtp_suite)key->suite &&
           memcmp(line->key, key->key, agw_sdes_key_len(line->suite)) == 0;
}

static bool holds(const agw_key_plan *key, const char *base64, const char *suite)
{
    char text[AGW_SDES_TEXT];
    agw_sdes line;
    const char *why;
    g_snprintf(text, sizeof text, "1 %s inline:%s", suite, base64);
    CU_ASSERT_EQUAL_FATAL(agw_sdes_parse(&line, text, strlen(text), &why), AGW_OK);
    return same_key(&line, key);
}

static void test_keys_rfc4568_5_1_offer_and_answer_make_the_plan(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    const agw_sdes ours = written(&f);
    CU_ASSERT_EQUAL(ours.tag, 1);
    CU_ASSERT_EQUAL(ours.suite, AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/SAVP "));
    CU_ASSERT_EQUAL(count(&f, "a=fingerprint"), 0);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    CU_ASSERT_PTR_NULL(f.why);
    CU_ASSERT_EQUAL(count(&f, "a=crypto"), 0);
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(t->security, AGW_SECURITY_SDES);
    CU_ASSERT(same_key(&ours, &t->key_out));
    CU_ASSERT(holds(&t->key_in, KEY_1, CM));
    CU_ASSERT_EQUAL(t->key_in.epoch, 1);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->security, AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->egress_ssrc, 0); /* as toward any phone */
    agw_media_view view;
    agw_session_media(f.session, AGW_SIDE_B, 0, &view);
    CU_ASSERT_STRING_EQUAL(view.sdes, CM);
    agw_session_media(f.session, AGW_SIDE_A, 0, &view);
    CU_ASSERT_PTR_NULL(view.sdes);
    fixture_fini(&f);
}

static void test_keys_rfc4568_6_1_keys_of_calls_differ(void)
{
    fixture f, g;
    fixture_init(&f);
    fixture_init(&g); /* with the same seed */
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_AV);
    CU_ASSERT_EQUAL_FATAL(count(&f, "a=crypto:1 " CM " inline:"), 2);
    OFFER(&g, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    const agw_sdes other = written(&g);
    for (size_t i = 0; i < plan_of(&f)->n_transports; i++) {
        const agw_transport_plan *t = &plan_of(&f)->transports[i];
        for (size_t k = 0; k < i; k++)
            CU_ASSERT(t->security != AGW_SECURITY_SDES ||
                      memcmp(t->key_out.key, plan_of(&f)->transports[k].key_out.key, 30) != 0);
        CU_ASSERT(!same_key(&other, &t->key_out));
    }
    fixture_fini(&g);
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_2_answers_to_something_else_are_refused(void)
{
    static const char *const ATTRS[] = {
        "",
        CRYPTO("2", CM, KEY_1),
        CRYPTO("1", GCM, KEY_GCM),
        CRYPTO("1", CM, KEY_1 "|2^20|1:32"),
        CRYPTO("1", CM, KEY_1 " UNENCRYPTED_SRTP"),
        CRYPTO("1", CM, KEY_GCM),
        "a=fingerprint:" FP_1 "\na=setup:active\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ATTRS); i++) {
        fixture f;
        fixture_init(&f);
        OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
        char *sdp = g_strconcat(CORE("RTP/SAVP", "1", ""), ATTRS[i], NULL);
        ANSWER(&f, AGW_SIDE_B, "", sdp);
        CU_ASSERT(has(&f, "m=audio 0 "));
        CU_ASSERT_PTR_NOT_NULL(f.why);
        CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 0);
        g_free(sdp);
        fixture_fini(&f);
    }
}

static void test_keys_rfc4568_5_1_2_plain_answer_to_sdes_is_refused(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "1", CRYPTO("1", CM, KEY_1)));
    CU_ASSERT(has(&f, "m=audio 0 "));
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_2_sdes_answer_to_plain_is_refused(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    CU_ASSERT(has(&f, "m=audio 0 "));
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_2_offer_without_a_usable_line_says_why(void)
{
    static const char *const CASES[][2] = {
        {"", "without fingerprint and a=crypto"},
        {CRYPTO("1", CM, KEY_1 "|1:4"), "MKI"},
        {CRYPTO("1", CM, "short"), "base64"},
        {CRYPTO("1", "F8_128_HMAC_SHA1_80", KEY_1), "suite"},
        {CRYPTO("1", CM, KEY_1 " UNENCRYPTED_SRTCP"), "without encryption"},
        {CRYPTO("1", CM, KEY_1 " new-parameter"), "session parameter"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        fixture f;
        fixture_init(&f);
        char *sdp = g_strconcat(CORE("RTP/SAVP", "1", ""), CASES[i][0], NULL);
        CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", sdp), AGW_ERR_UNSUPPORTED);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.why, CASES[i][1]));
        CU_ASSERT_EQUAL(fake_call_transports(f.call), 0);
        g_free(sdp);
        fixture_fini(&f);
    }
}

static void test_keys_rfc4568_7_1_4_reoffers_keep_our_key(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    const agw_sdes ours = written(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A); /* repeated before the answer */
    CU_ASSERT_EQUAL(memcmp(written(&f).key, ours.key, sizeof ours.key), 0);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    CU_ASSERT_EQUAL(memcmp(written(&f).key, ours.key, sizeof ours.key), 0);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "2", CRYPTO("1", CM, KEY_1)));
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(t->key_in.epoch, 1);
    CU_ASSERT_EQUAL(t->key_out.epoch, 1);
    /* the core offers anew, with another tag: same key of ours under its tag */
    OFFER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "3", CRYPTO("5", CM, KEY_1)));
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER);
    CU_ASSERT_EQUAL(written(&f).tag, 5);
    CU_ASSERT_EQUAL(memcmp(written(&f).key, ours.key, sizeof ours.key), 0);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->key_in.epoch, 1);
    fixture_fini(&f);
}

static void test_keys_rfc4568_7_1_4_changed_peer_key_comes_with_the_answer(void)
{
    fixture f;
    const agw_sdes ours = core_calls(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "2", CRYPTO("1", CM, KEY_2)));
    CU_ASSERT(holds(&transport_of(&f, 0, AGW_SIDE_A)->key_in, KEY_1, CM)); /* still */
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_A);
    CU_ASSERT(holds(&t->key_in, KEY_2, CM));
    CU_ASSERT_EQUAL(t->key_in.epoch, 2);
    CU_ASSERT_EQUAL(t->key_out.epoch, 1);
    CU_ASSERT(same_key(&ours, &t->key_out));
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_2_another_suite_is_another_key_of_ours(void)
{
    fixture f;
    const agw_sdes ours = core_calls(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "2", CRYPTO("1", GCM, KEY_GCM)));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    const agw_sdes now = written(&f);
    CU_ASSERT_EQUAL(now.suite, AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_NOT_EQUAL(memcmp(now.key, ours.key, 16), 0);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->key_out.epoch, 2);
    CU_ASSERT(holds(&transport_of(&f, 0, AGW_SIDE_A)->key_in, KEY_GCM, GCM));
    fixture_fini(&f);
}

/* A key whose session begins anew would repeat its key stream (RFC 3711 section 9.1). */
static void test_keys_rfc3711_9_1_back_from_plain_with_another_key(void)
{
    fixture f;
    const agw_sdes ours = core_calls(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/AVP", "2", ""));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->security, AGW_SECURITY_PLAIN);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/AVP "));
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "3", CRYPTO("1", CM, KEY_1)));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    CU_ASSERT_NOT_EQUAL(memcmp(written(&f).key, ours.key, 16), 0);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->key_out.epoch, 2);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->key_in.epoch, 2);
    fixture_fini(&f);
}

static void test_keys_rollback_leaves_the_keys_that_stood(void)
{
    fixture f;
    const agw_sdes ours = core_calls(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "2", CRYPTO("1", GCM, KEY_GCM)));
    agw_session_rollback(f.session);
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_A);
    CU_ASSERT(holds(&t->key_in, KEY_1, CM));
    CU_ASSERT(same_key(&ours, &t->key_out));
    CU_ASSERT_EQUAL(t->key_in.epoch, 1);
    fixture_fini(&f);
}

/* What is written toward the core for these keys of an offer: a suite, or NULL for DTLS. */
static void expect_offer(const char *keys, const char *suite)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, keys, WEB_OFFER_A);
    if (suite == NULL) {
        CU_ASSERT_EQUAL(count(&f, "a=crypto"), 0);
        CU_ASSERT_EQUAL(count(&f, "a=fingerprint"), 1);
    } else {
        CU_ASSERT_STRING_EQUAL(agw_srtp_suite_get(written(&f).suite)->sdes, suite);
        CU_ASSERT_EQUAL(count(&f, "a=fingerprint"), 0);
    }
    fixture_fini(&f);
}

#define SAVP_AND(more) "{\"transport-protocol\":\"RTP/SAVP\"," more "}"

static void test_keys_ng_words_choose_the_suite(void)
{
    expect_offer(SAVP_AND("\"SDES\":[\"only-" GCM "\"]"), GCM);
    expect_offer(SAVP_AND("\"SDES\":[\"no-" CM "\"]"), GCM);
    expect_offer(SAVP_AND("\"SDES\":[\"order:F8;" GCM ";" CM "\"]"), GCM);
    expect_offer(SAVP_AND("\"SDES\":[\"order:" GCM "\",\"no-" GCM "\"]"), CM);
    expect_offer(SAVP_AND("\"SDES\":[\"only-AES_256_CM_HMAC_SHA1_80\",\"pad\"]"),
                 "AES_256_CM_HMAC_SHA1_80");
    expect_offer(SAVP_AND("\"SDES\":[\"only-NULL_HMAC_SHA1_80\"]"), CM);
    expect_offer(SAVP_AND("\"flags\":[\"SDES-only-" GCM "\"]"), GCM);
}

static void test_keys_ng_savp_toward_the_core_is_sdes_unless_told_otherwise(void)
{
    expect_offer(SAVP_AND("\"DTLS\":\"off\""), CM);
    expect_offer(SAVP_AND("\"DTLS\":\"passive\""), CM); /* our role toward the browser */
    expect_offer(SAVP_AND("\"DTLS\":\"off\",\"ICE\":\"force\""), CM);
    expect_offer(SAVP_AND("\"ICE\":\"force\""), NULL);
    expect_offer(SAVP_AND("\"SDES\":[\"off\"]"), NULL);
    expect_offer("{\"transport-protocol\":\"RTP/SAVPF\"}", CM);
    expect_offer("{\"transport-protocol\":\"UDP/TLS/RTP/SAVPF\"}", NULL);
}

static void test_keys_ng_suite_in_use_stays_unless_forbidden(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "1", CRYPTO("1", GCM, KEY_GCM)));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    OFFER(&f, AGW_SIDE_B, "", WEB_OFFER_A);
    CU_ASSERT_EQUAL(written(&f).suite, AGW_SRTP_AEAD_128_GCM);
    OFFER(&f, AGW_SIDE_B, "{\"SDES\":[\"no-" GCM "\"]}", WEB_OFFER_A);
    CU_ASSERT_EQUAL(written(&f).suite, AGW_SRTP_AES_CM_128_80);
    ANSWER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "2", CRYPTO("1", CM, KEY_1)));
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_A);
    CU_ASSERT(holds(&t->key_in, KEY_1, CM));
    CU_ASSERT_EQUAL(t->key_out.epoch, 2);
    CU_ASSERT_EQUAL(t->key_in.epoch, 2);
    fixture_fini(&f);
}

/* Between interfaces without profile RTP/SAVP goes out as it came, with keys of our own. */
static void test_keys_rfc4568_sdes_to_sdes_without_profiles(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[0] = f.config.profiles[1] = AGW_REALM_NONE;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE("RTP/SAVP", "1", CRYPTO("9", GCM, KEY_GCM)));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/SAVP "));
    CU_ASSERT_EQUAL(written(&f).suite, AGW_SRTP_AES_CM_128_80); /* each leg its own */
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    CU_ASSERT_EQUAL(written(&f).tag, 9);
    CU_ASSERT_EQUAL(written(&f).suite, AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT(holds(&transport_of(&f, 0, AGW_SIDE_A)->key_in, KEY_GCM, GCM));
    CU_ASSERT(holds(&transport_of(&f, 0, AGW_SIDE_B)->key_in, KEY_1, CM));
    fixture_fini(&f);
}

static void test_keys_rfc4568_sdes_to_plain_and_back(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[0] = f.config.profiles[1] = AGW_REALM_NONE;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "{\"transport-protocol\":\"RTP/AVP\"}",
          CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/AVP "));
    CU_ASSERT_EQUAL(count(&f, "a=crypto"), 0);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "1", ""));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/SAVP "));
    CU_ASSERT_EQUAL(written(&f).tag, 1);
    OFFER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "2", "")); /* as it was: SDES toward A */
    CU_ASSERT_EQUAL(written(&f).suite, AGW_SRTP_AES_CM_128_80);
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_keys_rfc4568_5_1_offer_and_answer_make_the_plan),
    AGW_CASE(test_keys_rfc4568_6_1_keys_of_calls_differ),
    AGW_CASE(test_keys_rfc4568_5_1_2_answers_to_something_else_are_refused),
    AGW_CASE(test_keys_rfc4568_5_1_2_plain_answer_to_sdes_is_refused),
    AGW_CASE(test_keys_rfc4568_5_1_2_sdes_answer_to_plain_is_refused),
    AGW_CASE(test_keys_rfc4568_5_1_2_offer_without_a_usable_line_says_why),
    AGW_CASE(test_keys_rfc4568_7_1_4_reoffers_keep_our_key),
    AGW_CASE(test_keys_rfc4568_7_1_4_changed_peer_key_comes_with_the_answer),
    AGW_CASE(test_keys_rfc4568_5_1_2_another_suite_is_another_key_of_ours),
    AGW_CASE(test_keys_rfc3711_9_1_back_from_plain_with_another_key),
    AGW_CASE(test_keys_rollback_leaves_the_keys_that_stood),
    AGW_CASE(test_keys_ng_words_choose_the_suite),
    AGW_CASE(test_keys_ng_savp_toward_the_core_is_sdes_unless_told_otherwise),
    AGW_CASE(test_keys_ng_suite_in_use_stays_unless_forbidden),
    AGW_CASE(test_keys_rfc4568_sdes_to_sdes_without_profiles),
    AGW_CASE(test_keys_rfc4568_sdes_to_plain_and_back),
};
AGW_UNIT_MAIN("negotiate keys", CASES)
