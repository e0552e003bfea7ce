/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/encoding.h"
#include "control/flags.h"
#include "dtls/cert.h"
#include "unit.h"

#include <string.h>

static void parse(agw_flags *f, const char *json)
{
    agw_ng_format format;
    const char *why = NULL;
    agw_doc *doc = agw_ng_parse(json, strlen(json), &format, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    doc = in_encoding(doc);
    agw_flags_init(f);
    agw_flags_parse(f, doc);
    agw_doc_free(doc);
}

static void test_flags_nothing_given_is_nothing_set(void)
{
    agw_flags f;
    parse(&f, "{}");
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_OTHER);
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_ABSENT);
    CU_ASSERT_EQUAL(f.tos, -1);
    CU_ASSERT_EQUAL(f.ptime, -1);
    CU_ASSERT_EQUAL(f.delete_delay, -1);
    CU_ASSERT_EQUAL(f.words, 0);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

static void test_flags_kamailio_offer_toward_a_browser(void)
{
    agw_flags f;
    parse(&f,
          "{\"supports\":[\"load limit\"],\"sdp\":\"v=0\",\"ICE\":\"force\",\"DTLS\":\"passive\","
          "\"flags\":[\"trust-address\",\"generate-mid\"],"
          "\"replace\":[\"origin\",\"session-connection\"],"
          "\"transport-protocol\":\"RTP/SAVPF\",\"rtcp-mux\":[\"offer\",\"require\"],"
          "\"SDES\":[\"off\"],\"call-id\":\"c1\",\"via-branch\":\"b1\","
          "\"received-from\":[\"IP4\",\"192.0.2.1\"],\"from-tag\":\"f\",\"to-tag\":\"t\","
          "\"command\":\"offer\"}");
    CU_ASSERT(f.supports_load_limit);
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_FORCE);
    CU_ASSERT_EQUAL(f.dtls, AGW_DTLS_BE_PASSIVE);
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_TRUST_ADDRESS));
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_GENERATE_MID));
    CU_ASSERT_EQUAL(f.replace, AGW_REPLACE_ORIGIN);
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_RTP_SAVPF);
    CU_ASSERT_EQUAL(f.rtcp_mux, AGW_MUX_OFFER | AGW_MUX_REQUIRE);
    CU_ASSERT(f.sdes.off);
    CU_ASSERT_STRING_EQUAL(f.call_id, "c1");
    CU_ASSERT_STRING_EQUAL(f.via_branch, "b1");
    CU_ASSERT_STRING_EQUAL(f.from_tag, "f");
    CU_ASSERT_STRING_EQUAL(f.to_tag, "t");
    CU_ASSERT_EQUAL(f.received_from.ip[3], 1);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

/* The spelling of a key does not matter: '-', ' ' and '_' are alike. */
static void test_flags_keys_in_every_spelling(void)
{
    static const char *const DOCS[] = {"{\"transport-protocol\":\"RTP/AVP\"}",
                                       "{\"transport protocol\":\"RTP/AVP\"}",
                                       "{\"transport_protocol\":\"RTP/AVP\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(DOCS); i++) {
        agw_flags f;
        parse(&f, DOCS[i]);
        CU_ASSERT_EQUAL(f.transport, AGW_SDP_RTP_AVP);
        agw_flags_fini(&f);
    }
}

static void test_flags_list_as_string_and_string_as_list(void)
{
    agw_flags f;
    parse(&f, "{\"flags\":\"loop-protect,strict-source\",\"ICE\":[\"remove\"],"
              "\"rtcp-mux\":\"demux\",\"direction\":\"access core\"}");
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_LOOP_PROTECT));
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_STRICT_SOURCE));
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_REMOVE);
    CU_ASSERT_EQUAL(f.rtcp_mux, AGW_MUX_DEMUX);
    CU_ASSERT_STRING_EQUAL(f.direction[0], "access");
    CU_ASSERT_STRING_EQUAL(f.direction[1], "core");
    agw_flags_fini(&f);
}

/* Kamailio's IMS example writes flags= as a string beside the list. */
static void test_flags_duplicate_keys_add_up(void)
{
    agw_flags f;
    parse(&f, "{\"flags\":\"loop-protect\",\"flags\":[\"trust-address\"],"
              "\"delete delay\":0,\"delete-delay\":\"7\"}");
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_LOOP_PROTECT));
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_TRUST_ADDRESS));
    CU_ASSERT_EQUAL(f.delete_delay, 7);
    agw_flags_fini(&f);
}

static void test_flags_numbers_as_strings_and_their_bounds(void)
{
    static const struct {
        const char *json;
        int32_t tos;
    } CASES[] = {{"{\"TOS\":184}", 184},   {"{\"TOS\":\"184\"}", 184}, {"{\"TOS\":0}", 0},
                 {"{\"TOS\":255}", 255},   {"{\"TOS\":256}", -1},      {"{\"TOS\":-1}", -1},
                 {"{\"TOS\":\"18x\"}", -1}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        agw_flags f;
        parse(&f, CASES[i].json);
        CU_ASSERT_EQUAL(f.tos, CASES[i].tos);
        agw_flags_fini(&f);
    }
}

static void test_flags_codec_dictionary(void)
{
    agw_flags f;
    parse(&f, "{\"codec\":{\"strip\":[\"PCMU\",\"G722\"],\"transcode\":[\"PCMA\"],"
              "\"set\":[\"opus/48000/1/32000\"]}}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.codecs[AGW_CODEC_STRIP]);
    CU_ASSERT_EQUAL_FATAL(f.codecs[AGW_CODEC_STRIP]->len, 2);
    CU_ASSERT_STRING_EQUAL(g_ptr_array_index(f.codecs[AGW_CODEC_STRIP], 1), "G722");
    CU_ASSERT_PTR_NOT_NULL(f.codecs[AGW_CODEC_TRANSCODE]);
    CU_ASSERT_PTR_NOT_NULL(f.codecs[AGW_CODEC_SET]);
    CU_ASSERT_PTR_NULL(f.codecs[AGW_CODEC_MASK]);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

/* Kamailio leaves what it does not know in the flags list. */
static void test_flags_codec_words_in_the_flags_list(void)
{
    agw_flags f;
    parse(&f, "{\"flags\":[\"codec-consume-opus\",\"transcode-PCMA\",\"rtcp-mux-offer\","
              "\"replace-origin\",\"SDES-off\",\"address-family=IP6\"]}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.codecs[AGW_CODEC_CONSUME]);
    CU_ASSERT_STRING_EQUAL(g_ptr_array_index(f.codecs[AGW_CODEC_CONSUME], 0), "opus");
    CU_ASSERT_PTR_NOT_NULL(f.codecs[AGW_CODEC_TRANSCODE]);
    CU_ASSERT_EQUAL(f.rtcp_mux, AGW_MUX_OFFER);
    CU_ASSERT_EQUAL(f.replace, AGW_REPLACE_ORIGIN);
    CU_ASSERT(f.sdes.off);
    CU_ASSERT_EQUAL(f.address_family, AGW_FAMILY_IP6);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

/* rtpengine: a synonym of codec-accept=all */
static void test_flags_always_transcode_accepts_all(void)
{
    agw_flags f;
    parse(&f, "{\"flags\":[\"always transcode\",\"symmetric codecs\"]}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.codecs[AGW_CODEC_ACCEPT]);
    CU_ASSERT_STRING_EQUAL(g_ptr_array_index(f.codecs[AGW_CODEC_ACCEPT], 0), "all");
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

static void test_flags_rtpp_flags_string(void)
{
    agw_flags f;
    parse(&f, "{\"rtpp-flags\":\"loop-protect replace-origin ICE=force SRTP AVPF DTLS=passive "
              "codec=[strip=[PCMU G722] offer=[opus]] codec-mask-PCMA direction=[a b] TOS=184 "
              "codec-set-opus/48000/2////useinbandfec--1\"}");
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_LOOP_PROTECT));
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_FORCE);
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_RTP_SAVPF);
    CU_ASSERT_EQUAL(f.dtls, AGW_DTLS_BE_PASSIVE);
    CU_ASSERT_EQUAL(f.tos, 184);
    CU_ASSERT_STRING_EQUAL(f.direction[1], "b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.codecs[AGW_CODEC_STRIP]);
    CU_ASSERT_EQUAL(f.codecs[AGW_CODEC_STRIP]->len, 2);
    CU_ASSERT_PTR_NOT_NULL(f.codecs[AGW_CODEC_OFFER]);
    CU_ASSERT_PTR_NOT_NULL(f.codecs[AGW_CODEC_MASK]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.codecs[AGW_CODEC_SET]);
    CU_ASSERT_STRING_EQUAL(g_ptr_array_index(f.codecs[AGW_CODEC_SET], 0),
                           "opus/48000/2////useinbandfec=1");
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

static void test_flags_profile_words(void)
{
    static const struct {
        const char *text;
        agw_sdp_proto proto;
    } CASES[] = {{"RTP AVP", AGW_SDP_RTP_AVP},
                 {"RTP AVPF", AGW_SDP_RTP_AVPF},
                 {"SRTP AVP", AGW_SDP_RTP_SAVP},
                 {"SRTP AVPF DTLS", AGW_SDP_TLS_SAVPF},
                 {"DTLS", AGW_SDP_TLS_SAVP},
                 {"RTP/AVP", AGW_SDP_RTP_AVP},
                 {"UDP/TLS/RTP/SAVPF", AGW_SDP_TLS_SAVPF}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        agw_flags f;
        agw_flags_init(&f);
        agw_flags_parse_text(&f, CASES[i].text);
        CU_ASSERT_EQUAL(f.transport, CASES[i].proto);
        CU_ASSERT_PTR_NULL(f.unknown);
        agw_flags_fini(&f);
    }
}

/* Known ones without a meaning here do not warn, unknown ones do. */
static void test_flags_unknown_are_collected(void)
{
    agw_flags f;
    parse(&f, "{\"flags\":[\"always-transcode\",\"wobble\",\"T38-decode\"],\"T.38\":[\"decode\"],"
              "\"no such\":1,\"ICE\":\"maybe\"}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.unknown);
    CU_ASSERT_STRING_EQUAL(f.unknown->str, "flag wobble, key no such, ICE maybe");
    agw_flags_fini(&f);
}

/* The list is for one line of a log: short, and no control characters. */
static void test_flags_unknown_are_harmless_text(void)
{
    agw_flags f;
    agw_flags_init(&f);
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 200; i++)
        g_string_append_printf(text, "w\x1b%d ", i);
    agw_flags_parse_text(&f, text->str);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.unknown);
    CU_ASSERT(f.unknown->len < 700);
    CU_ASSERT_PTR_NULL(strchr(f.unknown->str, '\x1b'));
    g_string_free(text, TRUE);
    agw_flags_fini(&f);
}

static void test_flags_received_from_as_list_or_string(void)
{
    static const char *const DOCS[] = {"{\"received-from\":[\"IP6\",\"2001:db8::1\"]}",
                                       "{\"received-from\":\"2001:db8::1\"}",
                                       "{\"received from\":[\"IP6\",\"[2001:db8::1]\"]}"};
    for (size_t i = 0; i < G_N_ELEMENTS(DOCS); i++) {
        agw_flags f;
        parse(&f, DOCS[i]);
        CU_ASSERT_EQUAL(f.received_from.family, AGW_FAMILY_IP6);
        CU_ASSERT_EQUAL(f.received_from.ip[15], 1);
        agw_flags_fini(&f);
    }
}

static void test_flags_dtls_values(void)
{
    static const struct {
        const char *json;
        agw_dtls_flag dtls, reverse;
    } CASES[] = {{"{\"DTLS\":\"off\"}", AGW_DTLS_OFF, AGW_DTLS_ABSENT},
                 {"{\"DTLS\":\"no\"}", AGW_DTLS_OFF, AGW_DTLS_ABSENT},
                 {"{\"DTLS\":\"disable\"}", AGW_DTLS_OFF, AGW_DTLS_ABSENT},
                 {"{\"DTLS\":\"active\"}", AGW_DTLS_BE_ACTIVE, AGW_DTLS_ABSENT},
                 {"{\"DTLS-reverse\":\"passive\"}", AGW_DTLS_ABSENT, AGW_DTLS_BE_PASSIVE}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        agw_flags f;
        parse(&f, CASES[i].json);
        CU_ASSERT_EQUAL(f.dtls, CASES[i].dtls);
        CU_ASSERT_EQUAL(f.dtls_reverse, CASES[i].reverse);
        agw_flags_fini(&f);
    }
}

static void expect_notify(const char *json)
{
    agw_flags f;
    parse(&f, json);
    CU_ASSERT_TRUE(f.notify.given);
    CU_ASSERT_STRING_EQUAL(f.notify.events, " ice dtls ");
    CU_ASSERT_EQUAL(f.notify.heartbeat_s, 60);
    CU_ASSERT_EQUAL(f.notify.inactivity_s, -1);
    CU_ASSERT_EQUAL(f.notify.quality_x10, 35);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

static void test_flags_notify_in_every_spelling(void)
{
    expect_notify("{\"notify\":[\"ice\",\"dtls\",\"heartbeat=60\",\"quality=3.5\"]}");
    expect_notify("{\"notify\":\"ice dtls,heartbeat=60 quality=3.5\"}");
    expect_notify("{\"rtpp-flags\":\"notify=[ice dtls heartbeat=60 quality=3.5]\"}");
    expect_notify("{\"notify\":{\"ice\":\"\",\"dtls\":\"\",\"heartbeat\":60,\"quality\":\"3.5\"}}");
    /* as Kamailio 5.6 passes on notify=[ice,dtls,...] */
    expect_notify("{\"notify\":\"[ice,dtls,heartbeat=60,quality=3.5]\"}");
}

static void test_flags_notify_values(void)
{
    agw_flags f;
    parse(&f, "{\"notify\":[\"all\",\"ice\",\"quality\",\"inactivity=0\",\"heartbeat=x\"],"
              "\"notify-url\":\"evapi:10.0.0.1:8448\",\"xmlrpc-callback\":\"10.0.0.2\","
              "\"DTMF-log-dest\":\"10.0.0.3:9\"}");
    CU_ASSERT_STRING_EQUAL(f.notify.events, "");
    CU_ASSERT_EQUAL(f.notify.quality_x10, 30);
    CU_ASSERT_EQUAL(f.notify.inactivity_s, 0);
    CU_ASSERT_EQUAL(f.notify.heartbeat_s, 0);
    CU_ASSERT_STRING_EQUAL(f.notify_url, "evapi:10.0.0.1:8448");
    CU_ASSERT_STRING_EQUAL(f.xmlrpc_callback, "10.0.0.2");
    CU_ASSERT_EQUAL(f.dtmf_log_dest.port, 9);
    agw_flags_fini(&f);
}

static void test_flags_words_of_sdes(void)
{
    agw_flags f;
    parse(&f, "{\"SDES\":[\"nonew\",\"lifetime\",\"prefer\",\"pad\",\"static\","
              "\"order:AEAD_AES_128_GCM;F8;AES_CM_128_HMAC_SHA1_80\","
              "\"offerer_pref:AES_256_CM_HMAC_SHA1_80\",\"no-AEAD_AES_256_GCM\"]}");
    CU_ASSERT(f.sdes.given && f.sdes.no_new && f.sdes.lifetime && f.sdes.prefer && !f.sdes.off);
    CU_ASSERT_EQUAL_FATAL(f.sdes.order.n, 2);
    CU_ASSERT_EQUAL(f.sdes.order.at[0], AGW_SRTP_AEAD_128_GCM);
    CU_ASSERT_EQUAL(f.sdes.order.at[1], AGW_SRTP_AES_CM_128_80);
    CU_ASSERT_EQUAL(f.sdes.taken.n, 1);
    CU_ASSERT_EQUAL(f.sdes.never, 1u << AGW_SRTP_AEAD_256_GCM);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
}

/* Media without encryption or authentication: never, and the log says so. */
static void test_flags_sdes_without_security_is_refused(void)
{
    static const char *const WORDS[] = {"unencrypted_srtp", "unencrypted_srtcp",
                                        "unauthenticated_srtp"};
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        agw_flags f;
        char *json = g_strdup_printf("{\"flags\":[\"SDES-%s\"]}", WORDS[i]);
        char *unknown = g_strdup_printf("SDES %s", WORDS[i]);
        parse(&f, json);
        CU_ASSERT_PTR_NOT_NULL_FATAL(f.unknown);
        CU_ASSERT_STRING_EQUAL(f.unknown->str, unknown);
        g_free(unknown);
        g_free(json);
        agw_flags_fini(&f);
    }
}

static void test_flags_osrtp_and_fingerprint_hash(void)
{
    agw_flags f;
    parse(&f, "{\"OSRTP\":[\"offer\",\"accept\"],\"DTLS-fingerprint\":\"SHA-384\"}");
    CU_ASSERT_EQUAL(f.osrtp, AGW_OSRTP_OFFER | AGW_OSRTP_ACCEPT);
    CU_ASSERT_EQUAL(f.dtls_hash, AGW_HASH_SHA384);
    CU_ASSERT_PTR_NULL(f.unknown);
    agw_flags_fini(&f);
    parse(&f, "{\"flags\":[\"OSRTP-off\",\"osrtp-accept\"],\"DTLS-fingerprint\":\"sha-1\"}");
    CU_ASSERT_EQUAL(f.osrtp, AGW_OSRTP_OFF | AGW_OSRTP_ACCEPT);
    CU_ASSERT_EQUAL(f.dtls_hash, 0);
    CU_ASSERT_PTR_NOT_NULL(f.unknown);
    agw_flags_fini(&f);
}

static void test_flags_what_an_answer_is(void)
{
    static const struct {
        const char *keys;
        agw_answer_kind kind;
        agw_early_media media;
        bool known;
    } CASES_OF[] = {
        {"{}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_ABSENT, true},
        {"{\"sip-code\":183}", AGW_ANSWER_PROVISIONAL, AGW_EARLY_MEDIA_ABSENT, true},
        {"{\"sip code\":\"200\"}", AGW_ANSWER_FINAL, AGW_EARLY_MEDIA_ABSENT, true},
        {"{\"sip-code\":\"486\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_ABSENT, true},
        {"{\"sip-code\":\"99\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_ABSENT, false},
        {"{\"sip-code\":\"700\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_ABSENT, false},
        {"{\"sip-code\":\"\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_ABSENT, false},
        {"{\"flags\":[\"provisional\"]}", AGW_ANSWER_PROVISIONAL, AGW_EARLY_MEDIA_ABSENT, true},
        {"{\"flags\":[\"sip-code=200\"]}", AGW_ANSWER_FINAL, AGW_EARLY_MEDIA_ABSENT, true},
        {"{\"P-Early-Media\":\"sendonly\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_OPEN, true},
        {"{\"P-Early-Media\":\"inactive, SendRecv\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_OPEN,
         true},
        {"{\"P-Early-Media\":[\"recvonly\",\"gated\"]}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_CLOSED,
         true},
        {"{\"P-Early-Media\":\"supported\"}", AGW_ANSWER_UNTOLD, AGW_EARLY_MEDIA_ABSENT, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES_OF); i++) {
        agw_flags f;
        parse(&f, CASES_OF[i].keys);
        CU_ASSERT_EQUAL(f.answer_kind, CASES_OF[i].kind);
        CU_ASSERT_EQUAL(f.early_media, CASES_OF[i].media);
        CU_ASSERT_EQUAL(f.unknown == NULL, CASES_OF[i].known);
        agw_flags_fini(&f);
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_flags_nothing_given_is_nothing_set),
    AGW_CASE(test_flags_kamailio_offer_toward_a_browser),
    AGW_CASE(test_flags_keys_in_every_spelling),
    AGW_CASE(test_flags_list_as_string_and_string_as_list),
    AGW_CASE(test_flags_duplicate_keys_add_up),
    AGW_CASE(test_flags_numbers_as_strings_and_their_bounds),
    AGW_CASE(test_flags_codec_dictionary),
    AGW_CASE(test_flags_codec_words_in_the_flags_list),
    AGW_CASE(test_flags_always_transcode_accepts_all),
    AGW_CASE(test_flags_rtpp_flags_string),
    AGW_CASE(test_flags_profile_words),
    AGW_CASE(test_flags_unknown_are_collected),
    AGW_CASE(test_flags_unknown_are_harmless_text),
    AGW_CASE(test_flags_received_from_as_list_or_string),
    AGW_CASE(test_flags_dtls_values),
    AGW_CASE(test_flags_notify_in_every_spelling),
    AGW_CASE(test_flags_notify_values),
    AGW_CASE(test_flags_words_of_sdes),
    AGW_CASE(test_flags_sdes_without_security_is_refused),
    AGW_CASE(test_flags_osrtp_and_fingerprint_hash),
    AGW_CASE(test_flags_what_an_answer_is),
};

AGW_UNIT_MAIN("flags", CASES)
