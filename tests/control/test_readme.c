/* SPDX-License-Identifier: BSD-3-Clause
 * The tokens of section 5.2 of Kamailio 5.6.3's README of its module rtpengine, one by one, in the
 * words of a script: what each changes in SDP or plan. docs/CONTROL.md has the table. Without
 * profiles, unless a browser is needed. */
#include "control/negotiate_fixture.h"

#define A_SDP(extra)                                                                               \
    "v=0\no=alice 77 3 IN IP4 10.9.0.1\ns=tester\nc=IN IP4 10.9.0.1\nt=0 0\n"                      \
    "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n" extra
#define B_SDP(extra)                                                                               \
    "v=0\no=bob 88 5 IN IP4 10.9.0.2\ns=-\nc=IN IP4 10.9.0.2\nt=0 0\n"                             \
    "m=audio 5000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\n" extra

static void open_literal(fixture *f)
{
    fixture_config(f);
    f->config.profiles[0] = f->config.profiles[1] = AGW_REALM_NONE;
    fixture_open(f);
}

/* As a script says it, and as Kamailio 6 and OpenSIPS pass it on. */
static agw_err script(fixture *f, agw_side from, bool is_offer, const char *tokens, const char *sdp)
{
    char *keys =
        g_strdup_printf("{\"received-from\":[\"IP4\",\"10.9.0.%d\"],\"rtpp-flags\":\"%s\"}",
                        from == AGW_SIDE_A ? 1 : 2, tokens);
    const agw_err err = say(f, from, is_offer, keys, sdp);
    g_free(keys);
    return err;
}

#define SCRIPT_OFFER(f, tokens, sdp)                                                               \
    CU_ASSERT_EQUAL_FATAL(script(f, AGW_SIDE_A, true, tokens, sdp), AGW_OK)
#define SCRIPT_ANSWER(f, tokens, sdp)                                                              \
    CU_ASSERT_EQUAL_FATAL(script(f, AGW_SIDE_B, false, tokens, sdp), AGW_OK)

/* A call of A_SDP and B_SDP whose offer had these tokens. */
static void call_with(fixture *f, const char *tokens)
{
    open_literal(f);
    SCRIPT_OFFER(f, tokens, A_SDP(""));
    SCRIPT_ANSWER(f, "", B_SDP(""));
}

static bool offers(const char *tokens, const char *sdp, const char *line)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, tokens, sdp);
    const bool found = has(&f, line);
    fixture_fini(&f);
    return found;
}

/* --- sources and addresses ---------------------------------------------------------------- */

static void test_readme_asymmetric_never_learns(void)
{
    fixture f;
    open_literal(&f);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true,
                        "{\"received-from\":[\"IP4\",\"192.0.2.9\"],\"flags\":[\"asymmetric\"]}",
                        A_SDP("")),
                    AGW_OK);
    SCRIPT_ANSWER(&f, "", B_SDP(""));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, AGW_LATCH_NEVER);
    fixture_fini(&f);
}

static void test_readme_symmetric_and_media_handover_learn(void)
{
    static const struct {
        const char *word;
        agw_latch_rule rule;
    } TOKENS[] = {{"symmetric", AGW_LATCH_ONCE}, {"media-handover", AGW_LATCH_HANDOVER}};
    for (size_t i = 0; i < G_N_ELEMENTS(TOKENS); i++) {
        fixture f;
        call_with(&f, TOKENS[i].word);
        CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, TOKENS[i].rule);
        CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->latch_rule, TOKENS[i].rule);
        fixture_fini(&f);
    }
}

static void test_readme_strict_source_wants_the_port_too(void)
{
    fixture f;
    call_with(&f, "strict-source");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->source_rule, AGW_SOURCE_STRICT);
    fixture_fini(&f);
    call_with(&f, "");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->source_rule, AGW_SOURCE_ADDRESS);
    fixture_fini(&f);
}

static void test_readme_trust_address_and_its_opposite(void)
{
    fixture f;
    char text[AGW_ADDR_TEXT];
    const char *keys = "{\"received-from\":[\"IP4\",\"192.0.2.9\"],\"flags\":[\"%s\"]}";
    static const char *const EXPECT[][2] = {{"trust-address", "10.9.0.1"},
                                            {"SIP-source-address", "192.0.2.9"}};
    for (size_t i = 0; i < G_N_ELEMENTS(EXPECT); i++) {
        open_literal(&f);
        char *with = g_strdup(keys);
        char *at = strstr(with, "%s");
        *at = '\0';
        char *json = g_strconcat(with, EXPECT[i][0], at + 2, NULL);
        OFFER(&f, AGW_SIDE_A, json, A_SDP(""));
        SCRIPT_ANSWER(&f, "", B_SDP(""));
        const agw_addr *remote = &transport_of(&f, 0, AGW_SIDE_A)->remote_rtp;
        CU_ASSERT_STRING_EQUAL(agw_addr_ip_text(remote, text, sizeof text), EXPECT[i][1]);
        g_free(json);
        g_free(with);
        fixture_fini(&f);
    }
}

static void test_readme_direction_names_both_interfaces(void)
{
    CU_ASSERT(offers("direction=access direction=core", A_SDP(""), "c=IN IP4 10.1.0.1\r\n"));
    CU_ASSERT(offers("direction=core direction=access", A_SDP(""), "c=IN IP4 10.0.0.1\r\n"));
}

static void test_readme_internal_external_are_directions(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[0] = f.config.profiles[1] = AGW_REALM_NONE;
    g_strlcpy(f.config.gateway.interfaces[0].name, "internal", AGW_INTERFACE_NAME_MAX);
    g_strlcpy(f.config.gateway.interfaces[1].name, "external", AGW_INTERFACE_NAME_MAX);
    fixture_open(&f);
    SCRIPT_OFFER(&f, "internal external", A_SDP(""));
    CU_ASSERT(has(&f, "c=IN IP4 10.1.0.1\r\n"));
    fixture_fini(&f);
}

static void test_readme_address_family_of_the_recipient(void)
{
    CU_ASSERT(offers("address-family=IP6", A_SDP(""), "c=IN IP6 fd00:"));
    CU_ASSERT(offers("address-family=IP4", A_SDP(""), "c=IN IP4 10."));
}

static void test_readme_media_address_in_both_families(void)
{
    CU_ASSERT(offers("media-address=203.0.113.77", A_SDP(""), "c=IN IP4 203.0.113.77\r\n"));
    CU_ASSERT(offers("media-address=2001:db8::77", A_SDP(""), "c=IN IP6 2001:db8::77\r\n"));
}

/* --- what of the session level is replaced ------------------------------------------------ */

static void test_readme_replace_origin_is_asked_for(void)
{
    CU_ASSERT(offers("", A_SDP(""), "o=alice 77 3 IN IP4 10.9.0.1\r\n"));
    CU_ASSERT(offers("replace-origin", A_SDP(""), "o=alice 77 3 IN IP4 10.0.0.1\r\n"));
}

static void test_readme_replace_origin_stays_in_the_dialogue(void)
{
    fixture f;
    call_with(&f, "replace-origin");
    SCRIPT_OFFER(&f, "", A_SDP("a=sendonly\n"));
    CU_ASSERT(has(&f, "o=alice 77 3 IN IP4 10.0.0.1\r\n"));
    fixture_fini(&f);
}

static void test_readme_replace_session_connection(void)
{
    static const char *const SDP = "v=0\no=- 1 1 IN IP4 10.9.0.1\ns=-\nc=IN IP4 10.9.0.9\nt=0 0\n"
                                   "m=audio 4000 RTP/AVP 0\nc=IN IP4 10.9.0.1\n";
    CU_ASSERT(offers("replace-session-connection", SDP, "c=IN IP4 10.0.0.1\r\n"));
    CU_ASSERT_FALSE(offers("replace-session-connection", SDP, "c=IN IP4 10.9."));
}

static void test_readme_replace_username_and_session_name_stay(void)
{
    fixture f;
    call_with(&f, "replace-username replace-session-name");
    SCRIPT_OFFER(&f, "",
                 "v=0\no=other 77 4 IN IP4 10.9.0.1\ns=new\nc=IN IP4 10.9.0.1\nt=0 0\n"
                 "m=audio 4000 RTP/AVP 0 8 101\n");
    CU_ASSERT(has(&f, "o=alice 77 4 IN IP4 10.9.0.1\r\n"));
    CU_ASSERT(has(&f, "s=tester\r\n"));
    fixture_fini(&f);
}

static void test_readme_replace_sdp_version_counts_changes(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "replace-SDP-version", A_SDP(""));
    CU_ASSERT_EQUAL(version_of(&f), 3);
    SCRIPT_OFFER(&f, "replace-SDP-version", A_SDP(""));
    CU_ASSERT_EQUAL(version_of(&f), 3);
    SCRIPT_OFFER(&f, "replace-SDP-version", A_SDP("a=sendonly\n"));
    CU_ASSERT_EQUAL(version_of(&f), 4);
    SCRIPT_OFFER(&f, "replace-force-increment-sdp-ver", A_SDP("a=sendonly\n"));
    CU_ASSERT_EQUAL(version_of(&f), 5);
    fixture_fini(&f);
}

static void test_readme_replace_zero_address(void)
{
    static const char *const HELD = "v=0\no=- 1 1 IN IP4 10.9.0.1\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n"
                                    "m=audio 4000 RTP/AVP 0\n";
    CU_ASSERT(offers("", HELD, "c=IN IP4 0.0.0.0\r\n"));
    CU_ASSERT(offers("", HELD, "a=sendonly\r\n"));
    CU_ASSERT_FALSE(offers("replace-zero-address", HELD, "c=IN IP4 0.0.0.0\r\n"));
    CU_ASSERT(offers("replace-zero-address", HELD, "a=sendonly\r\n"));
}

/* --- transport ---------------------------------------------------------------------------- */

static void test_readme_profile_words_and_names(void)
{
    static const char *const CASES[][2] = {
        {"RTP AVP", "m=audio 30002 RTP/AVP 0"},
        {"RTP AVPF", "m=audio 30002 RTP/AVPF 0"},
        {"SRTP AVP", "m=audio 30002 RTP/SAVP 0"},
        {"SRTP AVPF", "m=audio 30002 RTP/SAVPF 0"},
        {"DTLS AVPF", "m=audio 30002 UDP/TLS/RTP/SAVPF 0"},
        {"RTP/AVP", "m=audio 30002 RTP/AVP 0"},
        {"RTP/AVPF", "m=audio 30002 RTP/AVPF 0"},
        {"RTP/SAVP", "m=audio 30002 RTP/SAVP 0"},
        {"RTP/SAVPF", "m=audio 30002 RTP/SAVPF 0"},
        {"UDP/TLS/RTP/SAVP", "m=audio 30002 UDP/TLS/RTP/SAVP 0"},
        {"UDP/TLS/RTP/SAVPF", "m=audio 30002 UDP/TLS/RTP/SAVPF 0"},
        {"transport-protocol=RTP/SAVP", "m=audio 30002 RTP/SAVP 0"}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++)
        CU_ASSERT(offers(CASES[i][0], A_SDP(""), CASES[i][1]));
}

static void test_readme_ice_values(void)
{
    CU_ASSERT_FALSE(offers("", A_SDP(""), "a=ice-ufrag"));
    CU_ASSERT(offers("ICE=force", A_SDP(""), "a=ice-ufrag"));
    CU_ASSERT_FALSE(offers("ICE=remove", WEB_OFFER_A, "a=ice-ufrag"));
    CU_ASSERT_FALSE(offers("ICE=default", A_SDP(""), "a=ice-ufrag"));
    CU_ASSERT(offers("ICE=default RTP/SAVPF", WEB_OFFER_A, "a=ice-ufrag"));
}

static bool mux_offered(const char *tokens, const char *sdp)
{
    return offers(tokens, sdp, "a=rtcp-mux\r\n");
}

/* What the offerer is told, once the other side has taken what it was offered. */
static bool mux_answered(const char *tokens, const char *sdp)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, tokens, sdp);
    const bool asked = has(&f, "a=rtcp-mux\r\n");
    SCRIPT_ANSWER(&f, "", asked ? B_SDP("a=rtcp-mux\n") : B_SDP(""));
    const bool told = has(&f, "a=rtcp-mux\r\n");
    fixture_fini(&f);
    return told;
}

static void test_readme_rtcp_mux_values(void)
{
    const char *mux = A_SDP("a=rtcp-mux\n"), *plain = A_SDP("");
    CU_ASSERT(mux_offered("", mux));
    CU_ASSERT_FALSE(mux_offered("", plain));
    CU_ASSERT(mux_offered("rtcp-mux-offer", plain));
    CU_ASSERT_FALSE(mux_offered("rtcp-mux-demux", mux));
    CU_ASSERT(mux_answered("rtcp-mux-demux", mux));
    CU_ASSERT(mux_offered("rtcp-mux-accept", mux));
    CU_ASSERT_FALSE(mux_offered("rtcp-mux-accept", plain));
    CU_ASSERT(mux_offered("rtcp-mux-reject rtcp-mux-offer", mux));
    CU_ASSERT_FALSE(mux_answered("rtcp-mux-reject rtcp-mux-offer", mux));
    CU_ASSERT(offers("rtcp-mux-require", plain, "a=rtcp-mux-only\r\n"));
}

static void test_readme_dtls_off_and_passive(void)
{
    CU_ASSERT(offers("SRTP AVP DTLS=off", A_SDP(""), "a=crypto:"));
    CU_ASSERT_FALSE(offers("SRTP AVP DTLS=no", A_SDP(""), "a=fingerprint:"));
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "RTP/AVP DTLS=passive", WEB_OFFER_A);
    SCRIPT_ANSWER(&f, "", CORE_A);
    CU_ASSERT(has(&f, "a=setup:passive\r\n"));
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->dtls, AGW_DTLS_PASSIVE);
    fixture_fini(&f);
}

static void test_readme_sdes_off_leaves_dtls(void)
{
    CU_ASSERT(offers("RTP/SAVP SDES-off", A_SDP(""), "a=fingerprint:"));
    CU_ASSERT_FALSE(offers("RTP/SAVP SDES-off", A_SDP(""), "a=crypto:"));
}

static void test_readme_tos_of_the_whole_call(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "TOS=40", A_SDP(""));
    SCRIPT_ANSWER(&f, "TOS=96", B_SDP("")); /* honoured in an offer only */
    CU_ASSERT_EQUAL(plan_of(&f)->medias[0].end[1].tos, 40);
    SCRIPT_OFFER(&f, "TOS=-1", A_SDP("a=sendonly\n"));
    SCRIPT_ANSWER(&f, "", B_SDP(""));
    CU_ASSERT_EQUAL(plan_of(&f)->medias[0].end[1].tos, 40);
    fixture_fini(&f);
}

/* --- codecs ------------------------------------------------------------------------------- */

static void test_readme_codec_strip_offer_except(void)
{
    CU_ASSERT(offers("codec-strip-PCMU", A_SDP(""), "m=audio 30002 RTP/AVP 8 101\r\n"));
    CU_ASSERT(offers("codec-strip=PCMU", A_SDP(""), "m=audio 30002 RTP/AVP 8 101\r\n"));
    CU_ASSERT(offers("codec-strip-all codec-offer-PCMA codec-offer-PCMU", A_SDP(""),
                     "m=audio 30002 RTP/AVP 8 0\r\n"));
    CU_ASSERT(offers("codec-strip-all codec-except-PCMA codec-except-PCMU", A_SDP(""),
                     "m=audio 30002 RTP/AVP 0 8\r\n"));
}

/* Nobody transcodes yet, so the last codec cannot be hidden. */
static void test_readme_codec_mask_hides_while_another_is_left(void)
{
    CU_ASSERT(offers("codec-mask-PCMU", A_SDP(""), "m=audio 30002 RTP/AVP 8 101\r\n"));
    CU_ASSERT(offers("codec-mask=all", A_SDP(""), "m=audio 30002 RTP/AVP 0 8 101\r\n"));
}

/* --- beyond 5.2: keys and flags of rtpengine's own protocol -------------------------------- */

static void test_ng_6_original_sendrecv_is_what_was_written(void)
{
    static const char *const HELD =
        "v=0\no=- 1 1 IN IP4 10.9.0.1\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 0\n";
    CU_ASSERT(offers("", A_SDP(""), "a=sendrecv\r\n"));
    CU_ASSERT_FALSE(offers("original-sendrecv", A_SDP(""), "a=sendrecv\r\n"));
    CU_ASSERT(offers("original-sendrecv", A_SDP("a=recvonly\n"), "a=recvonly\r\n"));
    CU_ASSERT_FALSE(offers("original-sendrecv", HELD, "a=sendonly\r\n"));
}

static void test_ng_6_generate_mid(void)
{
    CU_ASSERT_FALSE(offers("", A_SDP(""), "a=mid:"));
    CU_ASSERT(offers("generate-mid", A_SDP(""), "a=mid:0\r\n"));
    CU_ASSERT(offers("generate-mid", A_SDP("a=mid:x\n"), "a=mid:x\r\n"));
}

static void test_ng_6_rtcp_attribute(void)
{
    CU_ASSERT(offers("", A_SDP(""), "a=rtcp:30003\r\n"));
    CU_ASSERT_FALSE(offers("no-rtcp-attribute", A_SDP(""), "a=rtcp:"));
    CU_ASSERT(offers("full-rtcp-attribute", A_SDP(""), "a=rtcp:30003 IN IP4 10.0.0.1\r\n"));
}

/* Our own description comes back on its way to the same realm: a loop. On its way to another one
 * it is a second pass, as in one gateway for both ends of a call. */
static void test_ng_6_loop_protect_leaves_our_own_sdp(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "loop-protect", A_SDP(""));
    CU_ASSERT(has(&f, "a=eims-agw:"));
    char *ours = g_strdup(f.told->str);
    SCRIPT_OFFER(&f, "loop-protect", ours);
    CU_ASSERT_STRING_EQUAL(f.told->str, ours);
    CU_ASSERT(agw_session_looped(f.session));
    SCRIPT_OFFER(&f, "", ours); /* not asked for */
    CU_ASSERT_FALSE(agw_session_looped(f.session));
    CU_ASSERT_EQUAL(count(&f, "a=eims-agw:"), 1);
    g_free(ours);
    fixture_fini(&f);
}

static void test_ng_6_loop_protect_toward_another_realm_is_no_loop(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "loop-protect direction=access direction=core", A_SDP(""));
    char *ours = g_strdup(f.told->str);
    fixture g;
    open_literal(&g);
    g.config.instance = f.config.instance;
    SCRIPT_OFFER(&g, "loop-protect direction=core direction=access", ours);
    CU_ASSERT_FALSE(agw_session_looped(g.session));
    CU_ASSERT(has(&g, "c=IN IP4 10.0.0.1\r\n"));
    g_free(ours);
    fixture_fini(&g);
    fixture_fini(&f);
}

static void test_ng_6_loop_protect_in_answers(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "loop-protect", A_SDP(""));
    SCRIPT_ANSWER(&f, "loop-protect", B_SDP(""));
    char *ours = g_strdup(f.told->str);
    CU_ASSERT(has(&f, "a=eims-agw:"));
    SCRIPT_ANSWER(&f, "loop-protect", ours);
    CU_ASSERT_STRING_EQUAL(f.told->str, ours);
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    g_free(ours);
    fixture_fini(&f);
}

static void test_ng_6_reset_unlearns_the_receiver(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "ICE=force", A_SDP(""));
    const unsigned port = port_of(&f, 0);
    SCRIPT_ANSWER(&f, "", B_SDP("")); /* it has no ICE */
    SCRIPT_OFFER(&f, "ICE=force", A_SDP("a=sendonly\n"));
    CU_ASSERT_FALSE(has(&f, "a=ice-ufrag"));
    CU_ASSERT_EQUAL(port_of(&f, 0), port);
    SCRIPT_OFFER(&f, "ICE=force reset", A_SDP("a=sendonly\n"));
    CU_ASSERT(has(&f, "a=ice-ufrag"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1); /* what stood, stands */
    SCRIPT_ANSWER(&f, "", B_SDP(""));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    CU_ASSERT_EQUAL(fake_gateway_transports(f.gw), 2);
    fixture_fini(&f);
}

static void test_ng_6_transport_protocol_accept(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "", A_SDP(""));
    const char *deviating =
        "v=0\no=bob 88 5 IN IP4 10.9.0.2\ns=-\nc=IN IP4 10.9.0.2\nt=0 0\nm=audio 5000 RTP/AVPF 8\n";
    SCRIPT_ANSWER(&f, "", deviating);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 8\r\n") || has(&f, "m=audio 30002 RTP/AVP 8\r\n"));
    SCRIPT_ANSWER(&f, "transport-protocol=accept", deviating);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVPF 8\r\n") || has(&f, "m=audio 30002 RTP/AVPF 8\r\n"));
    fixture_fini(&f);
}

#define EXTS "a=extmap:1 urn:one\na=extmap:2 urn:two\na=extmap:3 urn:three\n"

static void test_ng_6_extmap_lists(void)
{
    CU_ASSERT(offers("", A_SDP(EXTS), "a=extmap:2 urn:two\r\n"));
    CU_ASSERT_FALSE(offers("strip-extmap", A_SDP(EXTS), "a=extmap"));
    CU_ASSERT_FALSE(offers("extmap=[strip=[urn:two]]", A_SDP(EXTS), "a=extmap:2"));
    CU_ASSERT(offers("extmap=[strip=[urn:two]]", A_SDP(EXTS), "a=extmap:3 urn:three\r\n"));
    CU_ASSERT_FALSE(offers("extmap-mask-urn:one", A_SDP(EXTS), "a=extmap:1"));
    CU_ASSERT(offers("extmap=[except=[urn:one]]", A_SDP(EXTS), "a=extmap:1 urn:one\r\n"));
    CU_ASSERT_FALSE(offers("extmap=[except=[urn:one]]", A_SDP(EXTS), "a=extmap:3"));
    CU_ASSERT_FALSE(offers("extmap=[strip=[all]]", A_SDP(EXTS), "a=extmap"));
    CU_ASSERT(offers("extmap=[accept=[urn:one]]", A_SDP(EXTS), "a=extmap:2 urn:two\r\n"));
}

/* What the answer to the offerer leaves out is taken off its packets, too. */
static void test_ng_6_extmap_strip_in_an_answer(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "", A_SDP(EXTS));
    SCRIPT_ANSWER(&f, "extmap=[strip=[urn:one]]", B_SDP(EXTS));
    CU_ASSERT_FALSE(has(&f, "a=extmap:1"));
    CU_ASSERT_EQUAL(ext_of(end_of(&f, 0, AGW_SIDE_A), 1), 0);
    CU_ASSERT_EQUAL(ext_of(end_of(&f, 0, AGW_SIDE_A), 2), 2);
    fixture_fini(&f);
}

static void test_ng_6_sdp_attr_adds_removes_substitutes(void)
{
    const char *sdp = A_SDP("a=ptime:20\na=x-vendor:1\n");
    CU_ASSERT(offers("sdp-attr=[audio=[add=[x-new:a..b]]]", sdp, "a=x-new:a b\r\n"));
    CU_ASSERT(offers("sdp-attr-add-none-x-session", sdp, "a=x-session\r\n"));
    CU_ASSERT_FALSE(offers("sdp-attr=[audio=[remove=[x-vendor]]]", sdp, "a=x-vendor"));
    CU_ASSERT(offers("sdp-attr=[video=[remove=[x-vendor]]]", sdp, "a=x-vendor:1\r\n"));
    CU_ASSERT(offers("sdp-attr=[audio=[substitute=[ptime:20 ptime:40]]]", sdp, "a=ptime:40\r\n"));
    CU_ASSERT(offers("sdp-attr-substitute-audio-ptime:20>ptime:60", sdp, "a=ptime:60\r\n"));
    CU_ASSERT(offers("sdp-attr=[audio=[substitute=[[ptime:20 ptime:40] [sendrecv recvonly]]]]", sdp,
                     "a=recvonly\r\n"));
}

/* JSON and bencode carry any byte. */
static void test_ng_6_sdp_attr_cannot_smuggle_lines(void)
{
    fixture f;
    open_literal(&f);
    OFFER(&f, AGW_SIDE_A,
          "{\"sdp-attr\":{\"audio\":{\"add\":[\"x\\r\\nm=audio 1 RTP/AVP 0\",\"\",\"ok\"],"
          "\"substitute\":[[\"sendrecv\",\"y\\nz\"]],\"fly\":[\"x\"]}}}",
          A_SDP(""));
    CU_ASSERT_EQUAL(count(&f, "m="), 1);
    CU_ASSERT(has(&f, "a=ok\r\n"));
    CU_ASSERT(has(&f, "a=sendrecv\r\n"));
    fixture_fini(&f);
}

#define AV_SDP                                                                                     \
    A_SDP("")                                                                                      \
    "m=video 4010 RTP/AVP 97\na=rtpmap:97 H264/90000\nm=audio 4020 RTP/AVP 0\n"

/* The receiver does not see the line; the sender reads that it is refused (RFC 3264 section 6). */
static void test_ng_6_sdp_media_remove(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "sdp-media-remove=[video]", AV_SDP);
    CU_ASSERT_EQUAL(count(&f, "m=audio"), 2);
    CU_ASSERT_EQUAL(count(&f, "m=video"), 0);
    SCRIPT_ANSWER(&f, "", B_SDP("") "m=audio 5020 RTP/AVP 0\n");
    CU_ASSERT_EQUAL(count(&f, "m=audio"), 2);
    CU_ASSERT(has(&f, "m=video 0 RTP/AVP 97\r\n"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 2);
    CU_ASSERT_EQUAL(transport_of(&f, 1, AGW_SIDE_B)->remote_rtp.port, 5020);
    fixture_fini(&f);
}

static void test_ng_6_sdp_media_remove_in_reoffers_of_both_sides(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "sdp-media-remove-video", AV_SDP);
    SCRIPT_ANSWER(&f, "", B_SDP("") "m=audio 5020 RTP/AVP 0\n");
    const uint32_t second = plan_of(&f)->medias[1].id;
    CU_ASSERT_EQUAL(script(&f, AGW_SIDE_B, true, "", B_SDP("") "m=audio 5022 RTP/AVP 0\n"), AGW_OK);
    CU_ASSERT_EQUAL(count(&f, "m="), 3);
    CU_ASSERT(has(&f, "m=video 0 RTP/AVP 97\r\n"));
    CU_ASSERT_EQUAL(script(&f, AGW_SIDE_A, false, "",
                           A_SDP("") "m=video 0 RTP/AVP 97\nm=audio 4020 RTP/AVP 0\n"),
                    AGW_OK);
    CU_ASSERT_EQUAL(count(&f, "m="), 2);
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 2);
    CU_ASSERT_EQUAL(plan_of(&f)->medias[1].id, second);
    CU_ASSERT_EQUAL(transport_of(&f, 1, AGW_SIDE_B)->remote_rtp.port, 5022);
    CU_ASSERT_EQUAL(transport_of(&f, 1, AGW_SIDE_A)->remote_rtp.port, 4020);
    SCRIPT_OFFER(&f, "", AV_SDP);
    CU_ASSERT_EQUAL(count(&f, "m="), 2); /* its place in the middle is gone for good */
    fixture_fini(&f);
}

/* What is not RTP, too, is refused in the words of who had offered it (RFC 8866 section 5.14). */
static void test_ng_6_sdp_media_remove_of_a_data_channel(void)
{
    static const char OFFERED[] =
        WEB_OFFER_A "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n" WEB_1 "a=mid:1\n";
    fixture f;
    fixture_init(&f);
    SCRIPT_OFFER(&f, "sdp-media-remove=[application]", OFFERED);
    CU_ASSERT_EQUAL(count(&f, "m="), 1);
    SCRIPT_ANSWER(&f, "", CORE_A);
    CU_ASSERT(has(&f, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    CU_ASSERT_EQUAL(script(&f, AGW_SIDE_B, true, "", CORE_A), AGW_OK);
    CU_ASSERT_EQUAL(count(&f, "m="), 2);
    CU_ASSERT(has(&f, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    fixture_fini(&f);
}

/* The receiver has the line already and keeps it, refused. */
static void test_ng_6_sdp_media_remove_of_a_known_line_is_port_zero(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "", AV_SDP);
    SCRIPT_OFFER(&f, "sdp-media-remove=[video]", AV_SDP);
    CU_ASSERT_EQUAL(count(&f, "m="), 3);
    CU_ASSERT(has(&f, "m=video 0 RTP/AVP 97\r\n"));
    fixture_fini(&f);
}

static void test_ng_6_ptime_and_its_reverse(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "ptime=30 ptime-reverse=40", A_SDP("a=ptime:20\n"));
    CU_ASSERT(has(&f, "a=ptime:30\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=ptime:20\r\n"));
    SCRIPT_ANSWER(&f, "ptime=60", B_SDP("a=ptime:20\n")); /* ignored in an answer */
    CU_ASSERT(has(&f, "a=ptime:40\r\n"));
    CU_ASSERT_EQUAL(count(&f, "a=ptime"), 1);
    fixture_fini(&f);
}

static void test_ng_6_allow_no_codec_media_keeps_the_line(void)
{
    fixture f;
    const char *tokens = "codec-strip-PCMU codec-strip-PCMA codec-strip-telephone-event";
    open_literal(&f);
    SCRIPT_OFFER(&f, tokens, A_SDP("")); /* nothing left is an error of the script: as received */
    CU_ASSERT(has(&f, "m=audio 30002 RTP/AVP 0 8 101\r\n"));
    char *more = g_strconcat(tokens, " allow-no-codec-media", NULL);
    SCRIPT_OFFER(&f, more, A_SDP(""));
    CU_ASSERT(has(&f, "m=audio 30002 RTP/AVP 0\r\n") || has(&f, "m=audio 30006 RTP/AVP 0\r\n"));
    SCRIPT_ANSWER(&f, "", B_SDP(""));
    CU_ASSERT_EQUAL_FATAL(plan_of(&f)->n_medias, 1);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->n_pts, 0); /* nothing passes */
    g_free(more);
    fixture_fini(&f);
}

static void test_ng_6_reuse_codecs_keeps_what_is_spoken_in_front(void)
{
    static const char *const TOKENS[] = {"reuse-codecs", "no-codec-renegotiation", "static-codecs"};
    for (size_t i = 0; i < G_N_ELEMENTS(TOKENS); i++) {
        fixture f;
        call_with(&f, ""); /* PCMA was answered */
        SCRIPT_OFFER(&f, "", A_SDP(""));
        CU_ASSERT(has(&f, "m=audio 30002 RTP/AVP 0 8 101\r\n"));
        SCRIPT_OFFER(&f, TOKENS[i], A_SDP(""));
        CU_ASSERT(has(&f, "m=audio 30002 RTP/AVP 8 101 0\r\n"));
        fixture_fini(&f);
    }
}

static void test_ng_6_single_codec(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "", A_SDP(""));
    SCRIPT_ANSWER(&f, "single-codec", A_SDP(""));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 0 101\r\n"));
    fixture_fini(&f);
}

static void test_ng_6_endpoint_learning_key_is_its_flag(void)
{
    fixture f;
    call_with(&f, "endpoint-learning=immediate");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, AGW_LATCH_ONCE);
    fixture_fini(&f);
    call_with(&f, "endpoint-learning-heuristic");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, AGW_LATCH_ONCE);
    fixture_fini(&f);
}

static void test_ng_6_nat_wait_is_the_senders_matter(void)
{
    fixture f;
    call_with(&f, "NAT-wait");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, AGW_LATCH_WAIT);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->remote_rtp.port, 4000);
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->latch_rule, AGW_LATCH_NEVER);
    fixture_fini(&f);
    call_with(&f, "NAT-wait symmetric");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_A)->latch_rule, AGW_LATCH_ONCE);
    CU_ASSERT_FALSE(agw_addr_is_set(&transport_of(&f, 0, AGW_SIDE_A)->remote_rtp));
    fixture_fini(&f);
}

static void test_ng_6_reject_ice_is_the_senders_matter(void)
{
    fixture f;
    open_literal(&f);
    SCRIPT_OFFER(&f, "reject-ICE",
                 A_SDP("a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"
                       "a=candidate:1 1 udp 2130706431 10.9.0.1 4000 typ host\n"));
    SCRIPT_ANSWER(&f, "", B_SDP(""));
    CU_ASSERT_FALSE(has(&f, "a=ice-ufrag"));
    CU_ASSERT_FALSE(transport_of(&f, 0, AGW_SIDE_A)->ice);
    fixture_fini(&f);
}

/* --- bad input ---------------------------------------------------------------------------- */

static char *repeated(const char *head, const char *begin, size_t n, const char *rest)
{
    GString *text = g_string_new(head);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(text, "%s%zu%s\n", begin, 4000 + i, rest);
    return g_string_free(text, FALSE);
}

/* What a call that stands has to say to it: the text, and nothing moved. */
static void refuses(const char *sdp, const char *why)
{
    fixture f;
    call_with(&f, "");
    agw_plan before = *plan_of(&f);
    const agw_transport_plan a = kept_transport(&f, 0, AGW_SIDE_A);
    CU_ASSERT_NOT_EQUAL(script(&f, AGW_SIDE_A, true, "", sdp), AGW_OK);
    CU_ASSERT_STRING_EQUAL(f.why, why);
    CU_ASSERT_EQUAL(f.told->len, 0);
    CU_ASSERT_FALSE(agw_session_open(f.session));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, before.n_medias);
    CU_ASSERT_EQUAL(plan_of(&f)->n_transports, before.n_transports);
    CU_ASSERT(same_transport(transport_of(&f, 0, AGW_SIDE_A), &a));
    CU_ASSERT_EQUAL(fake_gateway_transports(f.gw), 2);
    fixture_fini(&f);
}

static void test_bad_input_1000_media_lines(void)
{
    char *sdp = repeated(A_SDP(""), "m=audio ", 1000, " RTP/AVP 0");
    refuses(sdp, "Failed to parse SDP");
    g_free(sdp);
}

static void test_bad_input_10000_candidates(void)
{
    char *sdp = repeated(A_SDP(""), "a=candidate:", 10000, " 1 udp 1 10.9.0.1 9 typ host");
    refuses(sdp, "Failed to parse SDP");
    g_free(sdp);
}

static void test_bad_input_64k_line(void)
{
    char *line = g_strnfill(65536, 'x');
    char *sdp = g_strconcat(A_SDP("a=fmtp:0 "), line, "\n", NULL);
    refuses(sdp, "Failed to parse SDP");
    g_free(sdp);
    g_free(line);
}

static void test_bad_input_no_media_left(void)
{
    refuses("v=0\no=- 1 1 IN IP4 10.9.0.1\ns=-\nc=IN IP4 10.9.0.1\nt=0 0\nm=audio 4000 RTP/AVP 99\n"
            "a=rtpmap:99 telephone-event/8000\nm=image 4002 udptl t38\n",
            "Error rewriting SDP");
}

/* Each quote is two bytes in JSON: what is written would not fit a datagram, though it was read. */
static void test_bad_input_reply_larger_than_a_datagram_changes_nothing(void)
{
    char *quotes = g_strnfill(40000, '"');
    char *sdp = g_strconcat(A_SDP("a=x-quotes:"), quotes, "\n", NULL);
    refuses(sdp, "Reply does not fit a datagram");
    g_free(sdp);
    g_free(quotes);
}

static void test_bad_input_contradictory_crypto(void)
{
#define CRYPTO(suite, key) "a=crypto:1 " suite " inline:" key "\n"
#define SAVP(lines)                                                                                \
    "v=0\no=- 1 1 IN IP4 10.9.0.1\ns=-\nc=IN IP4 10.9.0.1\nt=0 0\nm=audio 4000 RTP/SAVP 0\n" lines
    refuses(SAVP(CRYPTO("AES_CM_128_HMAC_SHA1_80", "c2hvcnQ=")),
            "a=crypto: the key is not base64 of the suite's length");
    refuses(SAVP(""), "RTP/SAVP without fingerprint and a=crypto");
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_readme_asymmetric_never_learns),
    AGW_CASE(test_readme_symmetric_and_media_handover_learn),
    AGW_CASE(test_readme_strict_source_wants_the_port_too),
    AGW_CASE(test_readme_trust_address_and_its_opposite),
    AGW_CASE(test_readme_direction_names_both_interfaces),
    AGW_CASE(test_readme_internal_external_are_directions),
    AGW_CASE(test_readme_address_family_of_the_recipient),
    AGW_CASE(test_readme_media_address_in_both_families),
    AGW_CASE(test_readme_replace_origin_is_asked_for),
    AGW_CASE(test_readme_replace_origin_stays_in_the_dialogue),
    AGW_CASE(test_readme_replace_session_connection),
    AGW_CASE(test_readme_replace_username_and_session_name_stay),
    AGW_CASE(test_readme_replace_sdp_version_counts_changes),
    AGW_CASE(test_readme_replace_zero_address),
    AGW_CASE(test_readme_profile_words_and_names),
    AGW_CASE(test_readme_ice_values),
    AGW_CASE(test_readme_rtcp_mux_values),
    AGW_CASE(test_readme_dtls_off_and_passive),
    AGW_CASE(test_readme_sdes_off_leaves_dtls),
    AGW_CASE(test_readme_tos_of_the_whole_call),
    AGW_CASE(test_readme_codec_strip_offer_except),
    AGW_CASE(test_readme_codec_mask_hides_while_another_is_left),
    AGW_CASE(test_ng_6_original_sendrecv_is_what_was_written),
    AGW_CASE(test_ng_6_generate_mid),
    AGW_CASE(test_ng_6_rtcp_attribute),
    AGW_CASE(test_ng_6_loop_protect_leaves_our_own_sdp),
    AGW_CASE(test_ng_6_loop_protect_toward_another_realm_is_no_loop),
    AGW_CASE(test_ng_6_loop_protect_in_answers),
    AGW_CASE(test_ng_6_reset_unlearns_the_receiver),
    AGW_CASE(test_ng_6_transport_protocol_accept),
    AGW_CASE(test_ng_6_extmap_lists),
    AGW_CASE(test_ng_6_extmap_strip_in_an_answer),
    AGW_CASE(test_ng_6_sdp_attr_adds_removes_substitutes),
    AGW_CASE(test_ng_6_sdp_attr_cannot_smuggle_lines),
    AGW_CASE(test_ng_6_sdp_media_remove),
    AGW_CASE(test_ng_6_sdp_media_remove_in_reoffers_of_both_sides),
    AGW_CASE(test_ng_6_sdp_media_remove_of_a_data_channel),
    AGW_CASE(test_ng_6_sdp_media_remove_of_a_known_line_is_port_zero),
    AGW_CASE(test_ng_6_ptime_and_its_reverse),
    AGW_CASE(test_ng_6_allow_no_codec_media_keeps_the_line),
    AGW_CASE(test_ng_6_reuse_codecs_keeps_what_is_spoken_in_front),
    AGW_CASE(test_ng_6_single_codec),
    AGW_CASE(test_ng_6_endpoint_learning_key_is_its_flag),
    AGW_CASE(test_ng_6_nat_wait_is_the_senders_matter),
    AGW_CASE(test_ng_6_reject_ice_is_the_senders_matter),
    AGW_CASE(test_bad_input_1000_media_lines),
    AGW_CASE(test_bad_input_10000_candidates),
    AGW_CASE(test_bad_input_64k_line),
    AGW_CASE(test_bad_input_no_media_left),
    AGW_CASE(test_bad_input_reply_larger_than_a_datagram_changes_nothing),
    AGW_CASE(test_bad_input_contradictory_crypto),
};

AGW_UNIT_MAIN("readme", CASES)
