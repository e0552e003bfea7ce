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

/* Where most cases are told: tag 1 is CM, tag 2 GCM. */
static void keys_config(fixture *f)
{
    fixture_config(f);
    f->config.sdes_suites = (agw_srtp_suite_list){0};
    CU_ASSERT_FATAL(agw_srtp_suite_list_read(&f->config.sdes_suites, CM ";" GCM));
}

static void keys_init(fixture *f)
{
    keys_config(f);
    fixture_open(f);
}

/* Our ith a=crypto as it was written last. */
static agw_sdes line_of(const fixture *f, size_t i)
{
    agw_sdes line;
    const char *why, *text = f->told->str;
    memset(&line, 0, sizeof line);
    for (size_t k = 0; k <= i; k++) {
        text = strstr(text, "a=crypto:");
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        text += strlen("a=crypto:");
    }
    CU_ASSERT_EQUAL_FATAL(agw_sdes_parse(&line, text, strcspn(text, "\r"), &why), AGW_OK);
    return line;
}

static agw_sdes written(const fixture *f)
{
    return line_of(f, 0);
}

static bool same_line_key(const agw_sdes *a, const agw_sdes *b)
{
    return memcmp(a->key, b->key, sizeof a->key) == 0;
}

/* A call of the core to a browser stands, its key is KEY_1; returns ours. */
static agw_sdes core_calls(fixture *f)
{
    keys_init(f);
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
    keys_init(&f);
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
    CU_ASSERT_TRUE(t->key_out.told);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->security, AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->egress_ssrc, 0); /* as toward any phone */
    agw_media_view view;
    agw_session_media(f.session, AGW_SIDE_B, 0, &view);
    CU_ASSERT_STRING_EQUAL(view.sdes, CM);
    agw_session_media(f.session, AGW_SIDE_A, 0, &view);
    CU_ASSERT_PTR_NULL(view.sdes);
    fixture_fini(&f);
}

static void test_keys_rfc4568_6_1_keys_of_lines_medias_and_calls_differ(void)
{
    fixture f, g;
    keys_init(&f);
    keys_init(&g); /* with the same seed */
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_AV);
    OFFER(&g, AGW_SIDE_A, SAVP, WEB_OFFER_AV);
    CU_ASSERT_EQUAL_FATAL(count(&f, "a=crypto:1 " CM " inline:"), 2);
    CU_ASSERT_EQUAL_FATAL(count(&f, "a=crypto:2 " GCM " inline:"), 2);
    for (size_t i = 0; i < 4; i++) {
        const agw_sdes line = line_of(&f, i), other = line_of(&g, i);
        CU_ASSERT_FALSE(same_line_key(&line, &other));
        for (size_t k = 0; k < i; k++) {
            const agw_sdes before = line_of(&f, k);
            CU_ASSERT_FALSE(same_line_key(&line, &before));
        }
    }
    fixture_fini(&g);
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_1_a_line_for_each_configured_suite(void)
{
    static const agw_srtp_suite DEFAULTS[] = {AGW_SRTP_AEAD_256_GCM, AGW_SRTP_AEAD_128_GCM,
                                              AGW_SRTP_AES_CM_128_80, AGW_SRTP_AES_CM_128_32};
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    CU_ASSERT_EQUAL_FATAL(count(&f, "a=crypto:"), G_N_ELEMENTS(DEFAULTS));
    for (size_t i = 0; i < G_N_ELEMENTS(DEFAULTS); i++) {
        const agw_sdes line = line_of(&f, i);
        CU_ASSERT_EQUAL(line.tag, i + 1);
        CU_ASSERT_EQUAL(line.suite, DEFAULTS[i]);
    }
    const agw_sdes taken = line_of(&f, 3);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE("RTP/SAVP", "1", CRYPTO("4", "AES_CM_128_HMAC_SHA1_32", KEY_1)));
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT(same_key(&taken, &t->key_out));
    CU_ASSERT(holds(&t->key_in, KEY_1, "AES_CM_128_HMAC_SHA1_32"));
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_2_an_answer_of_ours_has_one_line_with_their_tag(void)
{
    fixture f;
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE("RTP/SAVP", "1",
               CRYPTO("7", "F8_128_HMAC_SHA1_80", KEY_1) CRYPTO("8", CM, KEY_1 "|2^20|1:32")
                   CRYPTO("9", GCM, KEY_GCM) CRYPTO("10", CM, KEY_1)));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 1);
    CU_ASSERT_EQUAL(written(&f).tag, 9);
    CU_ASSERT(holds(&transport_of(&f, 0, AGW_SIDE_A)->key_in, KEY_GCM, GCM));
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
        CRYPTO("1", CM, KEY_1) CRYPTO("2", GCM, KEY_GCM),
        "a=fingerprint:" FP_1 "\na=setup:active\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ATTRS); i++) {
        fixture f;
        keys_init(&f);
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
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "1", CRYPTO("1", CM, KEY_1)));
    CU_ASSERT(has(&f, "m=audio 0 "));
    fixture_fini(&f);
}

static void test_keys_rfc4568_5_1_2_sdes_answer_to_plain_is_refused(void)
{
    fixture f;
    keys_init(&f);
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
        keys_init(&f);
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
    keys_init(&f);
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
    agw_session_rollback(f.session, AGW_SIDE_A);
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
    keys_init(&f);
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
    keys_init(&f);
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
    keys_config(&f);
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
    keys_config(&f);
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

/* --- words of SDES ------------------------------------------------------------------------ */

#define TWO_LINES CRYPTO("1", CM, KEY_1) CRYPTO("2", GCM, KEY_GCM)

/* Which suite of an offer with CM, then GCM is taken. */
static agw_srtp_suite taken_of_two(const char *keys)
{
    fixture f;
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, keys, CORE("RTP/SAVP", "1", TWO_LINES));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 1);
    const agw_srtp_suite suite = written(&f).suite;
    fixture_fini(&f);
    return suite;
}

static void test_keys_ng_offerer_pref_comes_before_the_offerers_order(void)
{
    CU_ASSERT_EQUAL(taken_of_two(""), AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_EQUAL(taken_of_two("{\"SDES\":[\"offerer_pref:F8;" GCM ";" CM "\"]}"),
                    AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_EQUAL(taken_of_two("{\"SDES\":[\"offerer_pref:AEAD_AES_256_GCM\"]}"),
                    AGW_SRTP_AES_CM_128_80);
}

/* Keys are not changed without need, whatever the order is then. */
static void test_keys_rfc4568_7_1_4_suite_in_use_stays_when_it_is_offered_again(void)
{
    fixture f;
    const agw_sdes ours = core_calls(&f);
    OFFER(&f, AGW_SIDE_A, "{\"SDES\":[\"offerer_pref:" GCM "\"]}",
          CORE("RTP/SAVP", "2", CRYPTO("1", GCM, KEY_GCM) CRYPTO("2", CM, KEY_1)));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    const agw_sdes now = written(&f);
    CU_ASSERT_EQUAL(now.tag, 2);
    CU_ASSERT(same_line_key(&now, &ours));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->key_in.epoch, 1);
    fixture_fini(&f);
}

static void test_keys_ng_nonew_offers_what_came(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[0] = f.config.profiles[1] = AGW_REALM_NONE;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "{\"SDES\":[\"nonew\"]}",
          CORE("RTP/SAVP", "1", TWO_LINES CRYPTO("3", "F8_128_HMAC_SHA1_80", KEY_1)));
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 2);
    CU_ASSERT_EQUAL(count(&f, "a=crypto:1 " GCM " inline:"), 1);
    CU_ASSERT_EQUAL(count(&f, "a=crypto:2 " CM " inline:"), 1);
    fixture_fini(&f);
}

static void test_keys_ng_lifetime_is_written_behind_each_key(void)
{
    fixture f;
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP_AND("\"SDES\":[\"lifetime\"]"), WEB_OFFER_A);
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 2);
    CU_ASSERT_EQUAL(written(&f).suite, AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_line(&f, "a=crypto:1"), "|2^31\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(last_line(&f, "a=crypto:2"), "|2^31\r\n"));
    fixture_fini(&f);
}

/* A session that begins anew under an old key would repeat its key stream. */
static void test_keys_rfc3711_9_1_a_key_once_used_is_not_offered_again(void)
{
    fixture f;
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, SAVP, WEB_OFFER_A);
    const agw_sdes first = line_of(&f, 0), second = line_of(&f, 1);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "1", CRYPTO("1", CM, KEY_1)));
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    const agw_sdes again = line_of(&f, 1);
    CU_ASSERT(same_line_key(&second, &again)); /* never used: the text stays as it is */
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/SAVP", "2", CRYPTO("2", GCM, KEY_GCM)));
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT(same_key(&second, &t->key_out));
    CU_ASSERT_EQUAL(t->key_out.epoch, 2);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    const agw_sdes in_use = line_of(&f, 0), other = line_of(&f, 1);
    CU_ASSERT(same_line_key(&in_use, &second));
    CU_ASSERT_EQUAL(other.suite, first.suite);
    CU_ASSERT_FALSE(same_line_key(&other, &first));
    fixture_fini(&f);
}

/* --- both, and neither: DTLS beside SDES, OSRTP --------------------------------------------- */

#define DTLS_ATTRS "a=fingerprint:" FP_1 "\na=setup:actpass\n"

static agw_security secured(const char *keys, const char *profile, const char *attrs)
{
    fixture f;
    keys_init(&f);
    char *sdp = g_strconcat(CORE_SESSION("1") "m=audio 16000 ", profile,
                            " 8\na=rtpmap:8 PCMA/8000\n", attrs, NULL);
    OFFER(&f, AGW_SIDE_A, keys, sdp);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER);
    const agw_security security = (agw_security)transport_of(&f, 0, AGW_SIDE_A)->security;
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), security == AGW_SECURITY_SDES);
    CU_ASSERT_EQUAL(count(&f, "a=fingerprint:"), security == AGW_SECURITY_DTLS);
    g_free(sdp);
    fixture_fini(&f);
    return security;
}

static void test_keys_ng_8_10_dtls_beside_sdes_wins_unless_told_otherwise(void)
{
#define BOTH      CRYPTO("1", CM, KEY_1) DTLS_ATTRS
#define FROM_CORE "\"direction\":[\"core\",\"access\"]}"
    const char *const prefer = "{\"SDES\":[\"prefer\"]," FROM_CORE;
    CU_ASSERT_EQUAL(secured("{" FROM_CORE, "RTP/SAVP", BOTH), AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(secured(prefer, "RTP/SAVP", BOTH), AGW_SECURITY_SDES);
    CU_ASSERT_EQUAL(secured(prefer, "UDP/TLS/RTP/SAVP", BOTH), AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(secured(prefer, "RTP/SAVP", CRYPTO("1", "F8", KEY_1) DTLS_ATTRS),
                    AGW_SECURITY_DTLS);
}

static void test_keys_rfc8643_an_offer_with_keys_is_taken_if_the_other_leg_is_secured(void)
{
    CU_ASSERT_EQUAL(secured("", "RTP/AVP", CRYPTO("1", CM, KEY_1)), AGW_SECURITY_SDES);
    CU_ASSERT_EQUAL(secured("", "RTP/AVP", DTLS_ATTRS), AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(secured("{\"OSRTP\":[\"off\"]}", "RTP/AVP", CRYPTO("1", CM, KEY_1)),
                    AGW_SECURITY_PLAIN);
    CU_ASSERT_EQUAL(secured("{\"flags\":[\"OSRTP-off\"]}", "RTP/AVP", DTLS_ATTRS),
                    AGW_SECURITY_PLAIN);
    CU_ASSERT_EQUAL(secured("", "RTP/AVP", CRYPTO("1", "F8", KEY_1)), AGW_SECURITY_PLAIN);
}

static void open_without_profiles(fixture *f)
{
    keys_config(f);
    f->config.profiles[0] = f->config.profiles[1] = AGW_REALM_NONE;
    fixture_open(f);
}

/* A plain core phone is offered what came, and both legs end alike unless told otherwise. */
static void test_keys_rfc8643_an_offer_with_keys_is_handed_on(void)
{
    static const struct {
        const char *keys, *answer;
        agw_security toward[2];
    } CASES[] = {
        {"", "", {AGW_SECURITY_PLAIN, AGW_SECURITY_PLAIN}},
        {"", CRYPTO("1", CM, KEY_2), {AGW_SECURITY_SDES, AGW_SECURITY_SDES}},
        {"", CRYPTO("9", CM, KEY_2), {AGW_SECURITY_PLAIN, AGW_SECURITY_PLAIN}},
        {"{\"OSRTP\":[\"accept\"]}", "", {AGW_SECURITY_SDES, AGW_SECURITY_PLAIN}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        fixture f;
        open_without_profiles(&f);
        OFFER(&f, AGW_SIDE_A, CASES[i].keys, CORE("RTP/AVP", "1", CRYPTO("1", CM, KEY_1)));
        CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/AVP "));
        CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 2);
        char *sdp = g_strconcat(CORE("RTP/AVP", "1", ""), CASES[i].answer, NULL);
        ANSWER(&f, AGW_SIDE_B, "", sdp);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/AVP "));
        for (size_t side = 0; side < 2; side++)
            CU_ASSERT_EQUAL(transport_of(&f, 0, (agw_side)side)->security, CASES[i].toward[side]);
        CU_ASSERT_EQUAL(count(&f, "a=crypto:"), CASES[i].toward[0] == AGW_SECURITY_SDES);
        g_free(sdp);
        fixture_fini(&f);
    }
}

static void test_keys_rfc8643_offered_when_asked_for_and_kept(void)
{
    fixture f;
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"OSRTP\":[\"offer\"]}", WEB_OFFER_A);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " RTP/AVP "));
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 2);
    ANSWER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "1", CRYPTO("2", GCM, KEY_GCM)));
    const agw_key_plan key = transport_of(&f, 0, AGW_SIDE_B)->key_out;
    OFFER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "2", CRYPTO("1", GCM, KEY_GCM)));
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER);
    const agw_transport_plan *t = transport_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(t->security, AGW_SECURITY_SDES);
    CU_ASSERT_EQUAL(t->key_out.epoch, key.epoch);
    CU_ASSERT_EQUAL(t->key_in.epoch, 1);
    OFFER(&f, AGW_SIDE_B, "", CORE("RTP/AVP", "3", "")); /* without keys now */
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->security, AGW_SECURITY_PLAIN);
    CU_ASSERT_EQUAL(count(&f, "a=crypto:"), 0);
    fixture_fini(&f);
}

static void test_keys_rfc8122_5_our_fingerprint_by_the_hash_asked_for(void)
{
    fixture f;
    keys_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"DTLS-fingerprint\":\"sha-512\"}", CORE("RTP/AVP", "1", ""));
    CU_ASSERT_EQUAL(count(&f, "a=fingerprint:sha-512 "), 1);
    OFFER(&f, AGW_SIDE_A, "{\"DTLS-fingerprint\":\"sha-1\"}", CORE("RTP/AVP", "1", ""));
    CU_ASSERT_EQUAL(count(&f, "a=fingerprint:sha-512 "), 1); /* as it was */
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_keys_rfc4568_5_1_offer_and_answer_make_the_plan),
    AGW_CASE(test_keys_rfc4568_6_1_keys_of_lines_medias_and_calls_differ),
    AGW_CASE(test_keys_rfc4568_5_1_1_a_line_for_each_configured_suite),
    AGW_CASE(test_keys_rfc4568_5_1_2_an_answer_of_ours_has_one_line_with_their_tag),
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
    AGW_CASE(test_keys_ng_offerer_pref_comes_before_the_offerers_order),
    AGW_CASE(test_keys_rfc4568_7_1_4_suite_in_use_stays_when_it_is_offered_again),
    AGW_CASE(test_keys_ng_nonew_offers_what_came),
    AGW_CASE(test_keys_ng_lifetime_is_written_behind_each_key),
    AGW_CASE(test_keys_rfc3711_9_1_a_key_once_used_is_not_offered_again),
    AGW_CASE(test_keys_ng_8_10_dtls_beside_sdes_wins_unless_told_otherwise),
    AGW_CASE(test_keys_rfc8643_an_offer_with_keys_is_taken_if_the_other_leg_is_secured),
    AGW_CASE(test_keys_rfc8643_an_offer_with_keys_is_handed_on),
    AGW_CASE(test_keys_rfc8643_offered_when_asked_for_and_kept),
    AGW_CASE(test_keys_rfc8122_5_our_fingerprint_by_the_hash_asked_for),
};
AGW_UNIT_MAIN("negotiate keys", CASES)
