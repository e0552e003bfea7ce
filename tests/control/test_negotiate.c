/* SPDX-License-Identifier: BSD-3-Clause
 * What each party reads: realms, profiles, keys, transports, codecs, addresses. */
#include "control/negotiate_fixture.h"

#define CANDIDATES "a=candidate:"

/* --- realms and profiles ------------------------------------------------------------------ */

static void test_negotiate_zero_flags_browser_to_ims(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 111 8 110 126\r\n"));
    CU_ASSERT(has(&f, "c=IN IP4 10.1.0.1\r\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126\r\n"));
    CU_ASSERT(has(&f, "c=IN IP4 10.0.0.1\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_zero_flags_ims_to_browser(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126\r\n"));
    CU_ASSERT(has(&f, "a=setup:actpass\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-mux\r\n"));
    CU_ASSERT(!has(&f, "a=ice-lite\r\n") && has(&f, "a=ice-options:trickle\r\n"));
    CU_ASSERT(has(&f, "a=mid:0\r\n"));
    CU_ASSERT(has(&f, "a=group:BUNDLE 0\r\n"));
    CU_ASSERT(has(&f, "a=fingerprint:" FAKE_FINGERPRINT "\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=crypto"));
    CU_ASSERT_FALSE(has(&f, "a=rtcp-mux-only"));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 8 126\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_browser_to_browser_is_transparent(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"access\",\"access\"]}", WEB_OFFER_AV);
    CU_ASSERT(has(&f, "m=video 20000 UDP/TLS/RTP/SAVPF 96 97 102 118 120\r\n"));
    CU_ASSERT(has(&f, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"));
    CU_ASSERT(has(&f, "a=ssrc-group:FID 2001 2002\r\n"));
    CU_ASSERT(has(&f, "a=msid:s v\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-fb:96 transport-cc\r\n"));
    CU_ASSERT(has(&f, "a=fmtp:97 apt=96\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_received_from_names_the_realm(void)
{
    fixture f;
    fixture_config(&f);
    agw_realm_prefix *realm = &f.config.realms[f.config.n_realms++];
    CU_ASSERT_EQUAL_FATAL(agw_prefix_parse(&realm->prefix, "192.0.2.0/24"), AGW_OK);
    realm->interface = 0;
    fixture_open(&f);
    /* plain RTP, but its signalling comes from the access side */
    OFFER(&f, AGW_SIDE_A, "{\"received-from\":[\"IP4\",\"192.0.2.7\"]}", CORE_A);
    CU_ASSERT(has(&f, "c=IN IP4 10.1.0.1\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_direction_wins_over_received_from(void)
{
    fixture f;
    fixture_config(&f);
    agw_realm_prefix *realm = &f.config.realms[f.config.n_realms++];
    CU_ASSERT_EQUAL_FATAL(agw_prefix_parse(&realm->prefix, "192.0.2.0/24"), AGW_OK);
    realm->interface = 0;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A,
          "{\"received-from\":[\"IP4\",\"192.0.2.7\"],\"direction\":[\"core\",\"access\"]}",
          CORE_A);
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF"));
    fixture_fini(&f);
}

static void no_profiles(fixture *f)
{
    fixture_config(f);
    f->config.profiles[0] = f->config.profiles[1] = AGW_REALM_NONE;
    fixture_open(f);
}

static void test_negotiate_without_profiles_browser_goes_out_as_avp(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP "));
    CU_ASSERT(has(&f, "m=video 30002 RTP/AVP "));
    CU_ASSERT_FALSE(has(&f, "a=ice-ufrag"));
    CU_ASSERT(has(&f, "a=rtcp:30001\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_without_profiles_plain_goes_out_unchanged(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_AV);
    CU_ASSERT(has(&f, "m=audio 30002 RTP/AVP 8 126\r\n"));
    CU_ASSERT(has(&f, "m=video 30006 RTP/AVPF 102\r\n"));
    CU_ASSERT(has(&f, "o=mgcf 55 1 IN IP4 10.2.0.9\r\n"));
    fixture_fini(&f);
}

/* Kamailio's IMS example, as it is: "ICE=force SRTP AVPF DTLS=passive" and "ICE=remove RTP AVP". */
#define TO_WEB_KEYS                                                                                \
    "{\"flags\":\"loop-protect\",\"ICE\":\"force\",\"DTLS\":\"passive\","                          \
    "\"replace\":[\"origin\",\"session-connection\"],\"transport-protocol\":\"RTP/SAVPF\"}"
#define TO_IMS_KEYS                                                                                \
    "{\"flags\":\"loop-protect\",\"ICE\":\"remove\",\"replace\":[\"origin\","                      \
    "\"session-connection\"],\"transport-protocol\":\"RTP/AVP\"}"

static void test_negotiate_kamailio_ims_example_without_profiles(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, TO_IMS_KEYS, WEB_OFFER_A);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 111 8 110 126\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=fingerprint"));
    ANSWER(&f, AGW_SIDE_B, TO_WEB_KEYS, CORE_A);
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-mux\r\n")); /* or Chromium refuses the answer */
    CU_ASSERT(has(&f, "a=setup:passive\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_kamailio_ims_example_toward_browser(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, TO_WEB_KEYS, CORE_A);
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126\r\n"));
    CU_ASSERT(has(&f, "a=setup:actpass\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-mux\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=crypto"));
    fixture_fini(&f);
}

/* rtpengine_manage() without flags inside the dialogue: as this leg was. */
static void test_negotiate_bare_reinvite_means_as_the_leg_was(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, TO_IMS_KEYS, WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, TO_WEB_KEYS, CORE_A);
    OFFER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000"));
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 126\r\n"));
    CU_ASSERT(has(&f, "a=ice-ufrag"));
    CU_ASSERT(has(&f, "a=rtcp-mux\r\n"));
    ANSWER(&f, AGW_SIDE_A, "", WEB_ANSWER_A("r1kG", PWD_1, FP_1, "active"));
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 111 8 110 126\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=ice-ufrag"));
    fixture_fini(&f);
}

static void test_negotiate_explicit_key_wins_over_profile(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"transport-protocol\":\"RTP/AVP\"}", WEB_OFFER_AV);
    CU_ASSERT(has(&f, "m=video 30002 RTP/AVP 96 102\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=rtcp-fb"));
    fixture_fini(&f);
}

static void test_negotiate_sip_profile_gets_avp_video(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[1] = AGW_REALM_SIP;
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT(has(&f, "m=video 30002 RTP/AVP "));
    fixture_fini(&f);
}

/* --- toward the IMS ----------------------------------------------------------------------- */

static void test_negotiate_toward_ims_is_clean(void)
{
    static const char *const GONE[] = {"a=ice-",   "a=candidate", "a=fingerprint", "a=setup",
                                       "a=group",  "a=mid",       "a=msid",        "a=ssrc",
                                       "a=rtcp-m", "a=rtcp-r",    "a=rtcp:"};
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    for (size_t i = 0; i < G_N_ELEMENTS(GONE); i++)
        CU_ASSERT_FALSE(has(&f, GONE[i]));
    CU_ASSERT(has(&f, "m=video 30002 RTP/AVPF 96 102\r\n"));
    CU_ASSERT_EQUAL(count(&f, "a=rtcp-fb:"), 6);
    CU_ASSERT_EQUAL(count(&f, "a=extmap:"), 1);
    CU_ASSERT(has(&f, "a=extmap:13 urn:3gpp:video-orientation\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_wideband_dtmf_goes_with_its_codec(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"codec\":{\"strip\":[\"opus\"]}}", WEB_OFFER_A);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 8 126\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_rfc8828_no_address_of_the_other_side_leaks(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "198.51.100"));
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "127.0.0.1"));
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 RTP/AVP 8\na=rtcp:16001 IN IP4 10.2.0.9\n"
                             "a=X-nat:10.2.0.9\na=source-filter: incl IN IP4 * 10.2.0.9\n"
                             "m=video 0 RTP/AVPF 96\n");
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "10.2.0"));
    fixture_fini(&f);
}

static void test_negotiate_zero_address_of_a_browser_is_no_hold(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0")
              WEB_AUDIO("9", "0",
                        "c=IN IP4 0.0.0.0\na=ice-ufrag:abcd\na=ice-pwd:" PWD_1
                        "\na=fingerprint:" FP_1 "\na=setup:actpass\na=rtcp-mux\n"));
    CU_ASSERT(has(&f, "a=sendrecv\r\n"));
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "0.0.0.0"));
    fixture_fini(&f);
}

static void test_negotiate_video_toward_ims_keeps_the_avp_that_it_offered(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") "m=video 16010 RTP/AVP 102\na=rtpmap:102 H264/90000\n"
                            "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "a=rtcp-fb:102 nack pli\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-fb:102 ccm fir\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=rtcp-fb:102 nack\r\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") "m=video 9 UDP/TLS/RTP/SAVPF 102\n" WEB_TRANSPORT(
               "abcd", PWD_1, FP_1, "active") "a=mid:0\na=sendrecv\na=rtpmap:102 H264/90000\n"
                                              "a=rtcp-fb:102 nack pli\na=fmtp:102 "
                                              "packetization-mode=1;profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "m=video 30000 RTP/AVP 102\r\n"));
    CU_ASSERT_FALSE(has(&f, "a=rtcp-fb"));
    OFFER(&f, AGW_SIDE_B, "", SESSION("3") BUNDLE("0") WEB_VIDEO("9", "0", WEB_1));
    CU_ASSERT(has(&f, "m=video 30000 RTP/AVP "));
    fixture_fini(&f);
}

static void test_negotiate_rtcp_attribute_words(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, "{\"flags\":[\"full-rtcp-attribute\"]}", CORE_A);
    CU_ASSERT(has(&f, "a=rtcp:30003 IN IP4 10.0.0.1\r\n"));
    fixture_fini(&f);
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, "{\"flags\":[\"no-rtcp-attribute\"]}", CORE_A);
    CU_ASSERT_FALSE(has(&f, "a=rtcp:"));
    fixture_fini(&f);
}

static void test_negotiate_media_address_is_printed_instead_of_ours(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"media-address\":\"203.0.113.5\"}", WEB_OFFER_A);
    CU_ASSERT(has(&f, "c=IN IP4 203.0.113.5\r\n"));
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "10.1.0.1"));
    fixture_fini(&f);
}

static void test_negotiate_address_family_chooses_the_core_address(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"address-family\":\"IP6\"}", WEB_OFFER_A);
    CU_ASSERT(has(&f, "c=IN IP6 fd00:c::1\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_family_that_the_interface_lacks(void)
{
    fixture f;
    fixture_config(&f);
    memset(&f.config.gateway.interfaces[1].ip6, 0, sizeof(agw_addr));
    memset(&f.config.gateway.interfaces[1].advertised6, 0, sizeof(agw_addr));
    fixture_open(&f);
    OFFER(&f, AGW_SIDE_A, "{\"address-family\":\"IP6\"}", WEB_OFFER_A);
    CU_ASSERT(has(&f, "c=IN IP4 10.1.0.1\r\n"));
    fixture_fini(&f);
}

/* What was reserved before the failure goes back. */
static void test_negotiate_interface_without_address_leaks_nothing(void)
{
    fixture f;
    fixture_config(&f);
    agw_interface *core = &f.config.gateway.interfaces[1];
    memset(&core->ip4, 0, sizeof(agw_addr));
    memset(&core->ip6, 0, sizeof(agw_addr));
    memset(&core->advertised4, 0, sizeof(agw_addr));
    memset(&core->advertised6, 0, sizeof(agw_addr));
    fixture_open(&f);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", WEB_OFFER_A), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 0);
    fixture_fini(&f);
}

static void test_negotiate_family_of_a_plain_sender_is_kept(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(
        &f, AGW_SIDE_A, "",
        "v=0\no=- 5 1 IN IP6 2001:db8::9\ns=-\nc=IN IP6 2001:db8::9\nt=0 0\n" CORE_AUDIO("16000"));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    CU_ASSERT(has(&f, "c=IN IP6 fd00:c::1\r\n"));
    fixture_fini(&f);
}

/* --- toward the browser ------------------------------------------------------------------- */

static void test_negotiate_rfc8839_candidates_of_both_families(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    CU_ASSERT_EQUAL(count(&f, CANDIDATES), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " 1 udp 2130706431 fd00:a::1 20000 typ host\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, " 1 udp 2130706175 10.0.0.1 20000 typ host\r\n"));
    CU_ASSERT(has(&f, "a=end-of-candidates\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_mux_only_is_written_when_required(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"rtcp-mux\":[\"require\"]}", CORE_A);
    CU_ASSERT(has(&f, "a=rtcp-mux\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-mux-only\r\n"));
    fixture_fini(&f);
}

/* The core's SSRC is not the one that we send (a track is bound to what SDP says). */
static void test_negotiate_own_ssrc_instead_of_the_cores(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_SESSION("1") CORE_AUDIO("16000") "a=ssrc:4043440088 cname:b\n");
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "4043440088"));
    CU_ASSERT_EQUAL(count(&f, "a=ssrc:"), 1);
    CU_ASSERT_EQUAL(count(&f, "a=msid:"), 1);
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    const uint32_t ssrc = end_of(&f, 0, AGW_SIDE_B)->egress_ssrc;
    CU_ASSERT_NOT_EQUAL(ssrc, 0);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->egress_ssrc, 0);
    OFFER(&f, AGW_SIDE_A, "", CORE_A); /* the same one in the next description */
    char line[32];
    g_snprintf(line, sizeof line, "a=ssrc:%u ", ssrc);
    CU_ASSERT(has(&f, line));
    fixture_fini(&f);
}

static void test_negotiate_rfc9143_answer_carries_the_accepted_mids(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT(has(&f, "a=group:BUNDLE 0 1\r\n"));
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("2") CORE_AUDIO("16000") "m=video 0 RTP/AVPF 96\n");
    CU_ASSERT(has(&f, "a=group:BUNDLE 0\r\n"));
    CU_ASSERT(has(&f, "m=video 0 UDP/TLS/RTP/SAVPF 96 97 102 118 120\r\n"));
    CU_ASSERT(has(&f, "a=mid:1\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_rfc9143_bundle_only_line_is_not_refused(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0 1") WEB_AUDIO("9", "0", WEB_1)
              WEB_VIDEO("0", "1", "c=IN IP4 0.0.0.0\na=bundle-only\na=rtcp-mux\n"));
    CU_ASSERT_NOT_EQUAL(port_of(&f, 1), 0);
    ANSWER(&f, AGW_SIDE_B, "", CORE_AV);
    CU_ASSERT(has(&f, "m=video 20000 "));
    CU_ASSERT_FALSE(has(&f, "a=bundle-only"));
    fixture_fini(&f);
}

/* rejected by port 0 without the attribute */
static void test_negotiate_rfc3264_port_zero_stays_zero(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_SESSION("1") CORE_AUDIO("16000") CORE_VIDEO("0"));
    CU_ASSERT(has(&f, "m=video 0 UDP/TLS/RTP/SAVPF 102\r\n"));
    CU_ASSERT(has(&f, "a=group:BUNDLE 0\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_generated_mids_avoid_theirs(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") CORE_AUDIO("16000") CORE_VIDEO("16010") "a=mid:0\n");
    CU_ASSERT(has(&f, "a=group:BUNDLE 1 0\r\n") || has(&f, "a=group:BUNDLE 0 1\r\n"));
    CU_ASSERT_EQUAL(count(&f, "a=mid:"), 2);
    CU_ASSERT_EQUAL(count(&f, "a=mid:0\r\n"), 1);
    fixture_fini(&f);
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") CORE_AUDIO("16000") "a=mid:1\n" CORE_VIDEO("16010"));
    CU_ASSERT(has(&f, "a=group:BUNDLE 1 2\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_bundle_is_not_offered_when_rejected_by_key(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"bundle\":[\"reject\"]}", CORE_AV);
    CU_ASSERT_FALSE(has(&f, "a=group"));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    OFFER(&f, AGW_SIDE_B, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_A, "", CORE_AV);
    CU_ASSERT_FALSE(has(&f, "a=group"));
    CU_ASSERT_NOT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->transport_id,
                        end_of(&f, 1, AGW_SIDE_B)->transport_id);
    fixture_fini(&f);
}

static void test_negotiate_no_bandwidth_toward_browsers(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") "m=audio 16000 RTP/AVP 8\nb=AS:80\nb=RS:600\nb=RR:2000\n");
    CU_ASSERT_FALSE(has(&f, "b="));
    ANSWER(&f, AGW_SIDE_B, "", WEB_ANSWER_A("abcd", PWD_1, FP_1, "active"));
    CU_ASSERT(has(&f, "b=AS:80\r\n"));
    fixture_fini(&f);
}

/* --- codecs and numbers ------------------------------------------------------------------- */

static void test_negotiate_codec_rules_of_a_script(void)
{
    static const struct {
        const char *keys, *line;
    } CASES_[] = {
        {"{\"codec\":{\"strip\":[\"opus\",\"telephone-event\"]}}", "RTP/AVP 8\r\n"},
        {"{\"codec\":{\"except\":[\"PCMA\"]}}", "RTP/AVP 8\r\n"},
        {"{\"codec\":{\"strip\":[\"all\"],\"offer\":[\"PCMA\",\"opus\"]}}", "RTP/AVP 8 111\r\n"},
        {"{\"codec\":{\"mask\":[\"opus\"]}}", "RTP/AVP 8 126\r\n"},
        {"{\"codec\":{\"strip\":[\"telephone-event/8000\"]}}", "RTP/AVP 111 8 110\r\n"},
        {"{\"codec\":{\"strip\":[\"opus/48000/1\"]}}", "RTP/AVP 111 8 110 126\r\n"},
        /* masked codecs are to be transcoded: alone they stay */
        {"{\"codec\":{\"consume\":[\"opus\",\"PCMA\"]}}", "RTP/AVP 111 8 110 126\r\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES_); i++) {
        fixture f;
        fixture_init(&f);
        OFFER(&f, AGW_SIDE_A, CASES_[i].keys, WEB_OFFER_A);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, CASES_[i].line));
        fixture_fini(&f);
    }
}

static void test_negotiate_codec_rules_hold_for_bare_reoffers(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"codec\":{\"strip\":[\"opus\"]}}", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 8 126\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_static_payload_type_without_rtpmap(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_SESSION("1") "m=audio 16000 RTP/AVP 8\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8\r\n"));
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->n_pts, 1);
    CU_ASSERT_EQUAL(end_of(&f, 0, AGW_SIDE_B)->pts[0].clock_hz, 8000);
    fixture_fini(&f);
}

/* RFC 3264 section 6.1: the answerer may use numbers of its own; the offerer keeps its own. */
static void test_negotiate_rfc3264_6_1_answer_with_other_numbers(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 RTP/AVP 97 101\na=rtpmap:97 opus/48000/2\n"
                             "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 111 126\r\n"));
    CU_ASSERT(has(&f, "a=fmtp:126 0-15\r\n"));
    const agw_end_plan *web = end_of(&f, 0, AGW_SIDE_A), *core = end_of(&f, 0, AGW_SIDE_B);
    CU_ASSERT_EQUAL(web->pts[0].ingress, 111);
    CU_ASSERT_EQUAL(web->pts[0].egress, 97);
    CU_ASSERT_EQUAL(core->pts[0].ingress, 111); /* what we offered ... */
    CU_ASSERT_EQUAL(core->pts[0].egress, 111);
    CU_ASSERT_EQUAL_FATAL(core->n_pts, 4);
    CU_ASSERT_EQUAL(core->pts[2].ingress, 97); /* ... or what it says itself */
    CU_ASSERT_EQUAL(core->pts[2].egress, 111);
    fixture_fini(&f);
}

static void test_negotiate_h264_modes_are_not_mixed(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_AV);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") CORE_AUDIO("16000") "m=video 16010 RTP/AVPF 99\n"
                                                 "a=rtpmap:99 H264/90000\n"
                                                 "a=fmtp:99 packetization-mode=0;"
                                                 "profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "m=video 0 ")); /* only mode 1 was offered */
    fixture_fini(&f);
}

/* RFC 9143 section 9.1: in a group one number is one codec. */
static void test_negotiate_rfc9143_9_1_clash_in_the_group_is_renumbered(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") "m=audio 16000 RTP/AVP 97 8\na=rtpmap:97 AMR/8000\n"
                            "m=video 16010 RTP/AVPF 97\na=rtpmap:97 H264/90000\n"
                            "a=imageattr:97 send [x=176,y=144]\n"
                            "a=fmtp:97 packetization-mode=1;profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 97 8\r\n"));
    CU_ASSERT(has(&f, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n"));
    CU_ASSERT(has(&f, "a=rtpmap:96 H264/90000\r\n"));
    CU_ASSERT(has(&f, "a=fmtp:96 packetization-mode=1"));
    CU_ASSERT(has(&f, "a=imageattr:96 send [x=176,y=144]\r\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0 1") "m=audio 9 UDP/TLS/RTP/SAVPF 8\n" WEB_TRANSPORT(
               "abcd", PWD_1, FP_1,
               "active") "a=mid:0\na=rtpmap:8 PCMA/8000\nm=video 9 UDP/TLS/RTP/SAVPF "
                         "96\n" WEB_TRANSPORT("abcd", PWD_1, FP_1,
                                              "active") "a=mid:1\na=rtpmap:96 H264/90000\n"
                                                        "a=fmtp:96 packetization-mode=1;"
                                                        "profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "m=video 30002 RTP/AVPF 97\r\n"));
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->pts[0].ingress, 97);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->pts[0].egress, 96);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_B)->pts[0].ingress, 96);
    CU_ASSERT_EQUAL(end_of(&f, 1, AGW_SIDE_B)->pts[0].egress, 97);
    fixture_fini(&f);
}

static void test_negotiate_rfc9143_9_1_one_number_in_two_kinds_of_media(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") "m=audio 16000 RTP/AVP 97\na=rtpmap:97 x/90000\n"
                            "m=video 16010 RTP/AVPF 97\na=rtpmap:97 x/90000\n");
    CU_ASSERT(has(&f, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n"));
    fixture_fini(&f);
}

static void test_negotiate_numbers_like_rtcp_are_fine_on_two_ports(void)
{
    fixture f;
    no_profiles(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_SESSION("1") "m=audio 16000 RTP/AVP 72\na=rtpmap:72 AMR/8000\n");
    CU_ASSERT(has(&f, "m=audio 30002 RTP/AVP 72\r\n"));
    fixture_fini(&f);
}

/* Attributes and repair formats go with the codec that they are about. */
static void test_negotiate_what_belongs_to_a_stripped_codec_goes(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"access\",\"access\"],\"codec\":{\"strip\":[\"VP8\"]}}",
          WEB_OFFER_AV "a=imageattr:96 send [x=176,y=144]\na=imageattr:* send [x=1,y=1]\n");
    CU_ASSERT(has(&f, "m=video 20000 UDP/TLS/RTP/SAVPF 102 118 120\r\n"));
    CU_ASSERT_EQUAL(count(&f, "a=imageattr:"), 1);
    CU_ASSERT(has(&f, "a=imageattr:* send [x=1,y=1]\r\n"));
    fixture_fini(&f);
}

static void many_codecs(GString *sdp, unsigned n)
{
    g_string_assign(sdp, CORE_SESSION("1") "m=audio 16000 RTP/AVP");
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(sdp, " %u", 127 - i);
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(sdp, "\na=rtpmap:%u c%u/8000", 127 - i, i);
    g_string_append(sdp, "\n");
}

static void test_negotiate_at_most_so_many_codecs(void)
{
    static const struct {
        unsigned offered;
        size_t passed;
    } N[] = {{AGW_PLAN_PT_MAX, AGW_PLAN_PT_MAX}, {AGW_PLAN_PT_MAX + 1, AGW_PLAN_PT_MAX}};
    GString *sdp = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(N); i++) {
        fixture f;
        fixture_init(&f);
        many_codecs(sdp, N[i].offered);
        OFFER(&f, AGW_SIDE_A, "", sdp->str);
        CU_ASSERT_EQUAL(count(&f, "a=rtpmap:"), N[i].passed);
        fixture_fini(&f);
    }
    g_string_free(sdp, TRUE);
}

/* RFC 5761 section 4: 64 to 95 look like RTCP on one port. */
static void test_negotiate_rfc5761_4_numbers_that_look_like_rtcp(void)
{
    static const struct {
        const char *pt, *line;
    } CASES_[] = {{"63", "SAVPF 63\r\n"},
                  {"64", "SAVPF 96\r\n"},
                  {"95", "SAVPF 96\r\n"},
                  {"96", "SAVPF 96\r\n"}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES_); i++) {
        fixture f;
        fixture_init(&f);
        char *sdp = g_strdup_printf(CORE_SESSION("1") "m=audio 16000 RTP/AVP %s\n"
                                                      "a=rtpmap:%s AMR/8000\n",
                                    CASES_[i].pt, CASES_[i].pt);
        OFFER(&f, AGW_SIDE_A, "", sdp);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.told->str, CASES_[i].line));
        g_free(sdp);
        fixture_fini(&f);
    }
}

static void test_negotiate_no_common_codec_refuses_the_line(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 RTP/AVP 0 126\na=rtpmap:126 telephone-event/8000\n");
    CU_ASSERT(has(&f, "m=audio 0 UDP/TLS/RTP/SAVPF"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 0);
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 0);
    fixture_fini(&f);
}

static void test_negotiate_unusable_codecs_pass_untouched(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") "m=audio 16000 RTP/AVP 104 8\na=rtpmap:104 EVS/16000/1\n"
                            "a=fmtp:104 br=5.9-24.4;bw=nb-swb;max-red=0\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 104 8\r\n"));
    CU_ASSERT(has(&f, "a=fmtp:104 br=5.9-24.4;bw=nb-swb;max-red=0\r\n"));
    fixture_fini(&f);
}

/* --- refused medias and descriptions ------------------------------------------------------ */

static void test_negotiate_other_medias_get_port_zero(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0 2")
              WEB_AUDIO("9", "0", WEB_1) "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n" WEB_1
                                         "a=mid:2\na=sctp-port:5000\n");
    CU_ASSERT_NOT_EQUAL(port_of(&f, 0), 0);
    CU_ASSERT(has(&f, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") CORE_AUDIO("16000") "m=application 0 UDP/DTLS/SCTP "
                                                 "webrtc-datachannel\n");
    CU_ASSERT(has(&f, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    CU_ASSERT(has(&f, "a=mid:2\r\n"));
    CU_ASSERT(has(&f, "a=group:BUNDLE 0\r\n"));
    CU_ASSERT_EQUAL(plan_of(&f)->n_medias, 1);
    fixture_fini(&f);
}

static void test_negotiate_nothing_servable_is_an_error(void)
{
    static const char *const LINES[] = {
        "m=image 16000 udptl t38\n", "m=text 16000 RTP/AVP 98\na=rtpmap:98 t140/1000\n",
        "m=message 16000 TCP/MSRP *\n", "m=audio 16000 UDP/TLS/RTP/SAVP 0\n",
        "m=audio 16000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(LINES); i++) {
        fixture f;
        fixture_init(&f);
        char *sdp = g_strconcat(CORE_SESSION("1"), LINES[i], NULL);
        CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", sdp), AGW_ERR_UNSUPPORTED);
        CU_ASSERT_STRING_EQUAL(f.why, "Error rewriting SDP");
        CU_ASSERT_EQUAL(f.told->len, 0);
        CU_ASSERT_EQUAL(fake_call_transports(f.call), 0);
        g_free(sdp);
        fixture_fini(&f);
    }
}

static void test_negotiate_errors_have_the_protocols_texts(void)
{
    fixture f;
    fixture_init(&f);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", "hello"), AGW_ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(f.why, "Failed to parse SDP");
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "",
                        "v=0\no=- 1 1 IN IP4 10.2.0.9\ns=-\nt=0 0\nm=audio 16000 RTP/AVP 0\n"),
                    AGW_ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(f.why, "Incomplete SDP specification");
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "", CORE_A), AGW_ERR_STATE);
    CU_ASSERT_STRING_EQUAL(f.why, "Invalid dialogue association");
    fake_gateway_full(f.gw, false, true);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", CORE_A), AGW_ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(f.why, "Ran out of ports");
    CU_ASSERT_EQUAL(fake_gateway_applied(f.gw), 0);
    fixture_fini(&f);
}

static void test_negotiate_line_without_fingerprint_is_refused(void)
{
    fixture f;
    fixture_init(&f);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "",
                        SESSION("2") "m=audio 9 UDP/TLS/RTP/SAVPF 8\nc=IN IP4 0.0.0.0\n"
                                     "a=ice-ufrag:abcd\na=ice-pwd:" PWD_1 "\na=setup:actpass\n"),
                    AGW_ERR_UNSUPPORTED);
    fixture_fini(&f);
}

/* The shared port knows its peers by ICE alone. */
static void test_negotiate_browser_that_answers_without_ice_is_refused(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") "m=audio 4000 UDP/TLS/RTP/SAVPF 8\nc=IN IP4 198.51.100.7\n"
                        "a=fingerprint:" FP_1 "\na=setup:active\na=rtcp-mux\na=mid:0\n");
    CU_ASSERT(has(&f, "m=audio 0 RTP/AVP 8 126\r\n"));
    CU_ASSERT_EQUAL(fake_call_transports(f.call), 0);
    fixture_fini(&f);
}

static void many_lines(GString *sdp, size_t n)
{
    g_string_assign(sdp, CORE_SESSION("1"));
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(sdp, "m=audio %zu RTP/AVP 8\n", 16000 + 2 * i);
}

static void test_negotiate_at_most_so_many_medias(void)
{
    fixture f;
    GString *sdp = g_string_new(NULL);
    fixture_init(&f);
    many_lines(sdp, AGW_PLAN_MEDIA_MAX);
    OFFER(&f, AGW_SIDE_A, "", sdp->str);
    CU_ASSERT_EQUAL(count(&f, "m=audio 20000 "), AGW_PLAN_MEDIA_MAX);
    fixture_fini(&f);
    fixture_init(&f);
    many_lines(sdp, AGW_PLAN_MEDIA_MAX + 1);
    OFFER(&f, AGW_SIDE_A, "", sdp->str);
    CU_ASSERT_EQUAL(count(&f, "m=audio 20000 "), AGW_PLAN_MEDIA_MAX);
    CU_ASSERT_EQUAL(count(&f, "m=audio 0 "), 1);
    fixture_fini(&f);
    g_string_free(sdp, TRUE);
}

static void test_negotiate_capabilities_never_reach_a_browser(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "",
          CORE_SESSION("1") "a=tcap:1 RTP/AVPF\n" CORE_AUDIO(
              "16000") "m=video 16010 RTP/AVP 102\na=pcfg:1 t=1\na=rtpmap:102 H264/90000\n"
                       "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\na=rtcp-fb:102 "
                       "nack pli\n");
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "tcap"));
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "pcfg"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0 1") "m=audio 9 UDP/TLS/RTP/SAVPF 8\n" WEB_TRANSPORT(
               "abcd", PWD_1, FP_1,
               "active") "a=mid:0\na=rtpmap:8 PCMA/8000\n"
                         "m=video 9 UDP/TLS/RTP/SAVPF 102\n" WEB_TRANSPORT(
                             "abcd", PWD_1, FP_1,
                             "active") "a=mid:1\na=rtpmap:102 H264/90000\na=rtcp-fb:102 nack pli\n"
                                       "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\n");
    CU_ASSERT(has(&f, "m=video 30002 RTP/AVPF 102\r\n"));
    CU_ASSERT(has(&f, "a=acfg:1 t=1\r\n"));
    CU_ASSERT(has(&f, "a=rtcp-fb:102 nack pli\r\n"));
    CU_ASSERT_NOT_EQUAL(end_of(&f, 1, AGW_SIDE_A)->feedback, 0);
    fixture_fini(&f);
}

/* Each leg has its own keys, and what is encrypted could not be removed or renumbered. */
static void test_negotiate_rfc6904_4_encrypted_extensions_go_nowhere(void)
{
    fixture f;
    fixture_config(&f);
    f.config.profiles[1] = AGW_REALM_WEBRTC;
    fixture_open(&f);
    char *sdp = g_strconcat(WEB_OFFER_A,
                            "a=extmap:9 urn:ietf:params:rtp-hdrext:encrypt "
                            "urn:ietf:params:rtp-hdrext:ssrc-audio-level\n",
                            NULL);
    OFFER(&f, AGW_SIDE_A, "{\"direction\":[\"access\",\"core\"]}", sdp);
    CU_ASSERT(has(&f, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"));
    CU_ASSERT_EQUAL(count(&f, "a=extmap:9"), 0);
    CU_ASSERT_PTR_NULL(strstr(f.told->str, "rtp-hdrext:encrypt"));
    g_free(sdp);
    fixture_fini(&f);
}

/* A gateway with DTLS and no ICE names no SSRC: the browser gets ours, as from a plain phone. */
static void test_negotiate_rfc8830_a_far_gateways_dtls_gets_our_ssrc_toward_the_browser(void)
{
    fixture f;
    fixture_init(&f);
    OFFER(&f, AGW_SIDE_A, "{\"transport-protocol\":\"UDP/TLS/RTP/SAVP\",\"ICE\":\"remove\"}",
          WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 UDP/TLS/RTP/SAVP 8\na=rtpmap:8 PCMA/8000\n"
                             "a=fingerprint:" FP_1 "\na=setup:active\n");
    CU_ASSERT_EQUAL(transport_of(&f, 0, AGW_SIDE_B)->security, AGW_SECURITY_DTLS);
    CU_ASSERT_EQUAL(count(&f, "a=ssrc:"), 1);
    CU_ASSERT_EQUAL(count(&f, "a=msid:"), 1);
    CU_ASSERT_NOT_EQUAL(end_of(&f, 0, AGW_SIDE_A)->egress_ssrc, 0);
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_negotiate_zero_flags_browser_to_ims),
    AGW_CASE(test_negotiate_zero_flags_ims_to_browser),
    AGW_CASE(test_negotiate_browser_to_browser_is_transparent),
    AGW_CASE(test_negotiate_received_from_names_the_realm),
    AGW_CASE(test_negotiate_direction_wins_over_received_from),
    AGW_CASE(test_negotiate_without_profiles_browser_goes_out_as_avp),
    AGW_CASE(test_negotiate_without_profiles_plain_goes_out_unchanged),
    AGW_CASE(test_negotiate_kamailio_ims_example_without_profiles),
    AGW_CASE(test_negotiate_kamailio_ims_example_toward_browser),
    AGW_CASE(test_negotiate_bare_reinvite_means_as_the_leg_was),
    AGW_CASE(test_negotiate_explicit_key_wins_over_profile),
    AGW_CASE(test_negotiate_sip_profile_gets_avp_video),
    AGW_CASE(test_negotiate_toward_ims_is_clean),
    AGW_CASE(test_negotiate_wideband_dtmf_goes_with_its_codec),
    AGW_CASE(test_negotiate_rfc8828_no_address_of_the_other_side_leaks),
    AGW_CASE(test_negotiate_zero_address_of_a_browser_is_no_hold),
    AGW_CASE(test_negotiate_video_toward_ims_keeps_the_avp_that_it_offered),
    AGW_CASE(test_negotiate_rtcp_attribute_words),
    AGW_CASE(test_negotiate_media_address_is_printed_instead_of_ours),
    AGW_CASE(test_negotiate_address_family_chooses_the_core_address),
    AGW_CASE(test_negotiate_family_of_a_plain_sender_is_kept),
    AGW_CASE(test_negotiate_rfc8839_candidates_of_both_families),
    AGW_CASE(test_negotiate_mux_only_is_written_when_required),
    AGW_CASE(test_negotiate_own_ssrc_instead_of_the_cores),
    AGW_CASE(test_negotiate_rfc9143_answer_carries_the_accepted_mids),
    AGW_CASE(test_negotiate_rfc9143_bundle_only_line_is_not_refused),
    AGW_CASE(test_negotiate_rfc3264_port_zero_stays_zero),
    AGW_CASE(test_negotiate_generated_mids_avoid_theirs),
    AGW_CASE(test_negotiate_no_bandwidth_toward_browsers),
    AGW_CASE(test_negotiate_codec_rules_of_a_script),
    AGW_CASE(test_negotiate_codec_rules_hold_for_bare_reoffers),
    AGW_CASE(test_negotiate_static_payload_type_without_rtpmap),
    AGW_CASE(test_negotiate_rfc3264_6_1_answer_with_other_numbers),
    AGW_CASE(test_negotiate_h264_modes_are_not_mixed),
    AGW_CASE(test_negotiate_rfc9143_9_1_clash_in_the_group_is_renumbered),
    AGW_CASE(test_negotiate_rfc5761_4_numbers_that_look_like_rtcp),
    AGW_CASE(test_negotiate_no_common_codec_refuses_the_line),
    AGW_CASE(test_negotiate_unusable_codecs_pass_untouched),
    AGW_CASE(test_negotiate_other_medias_get_port_zero),
    AGW_CASE(test_negotiate_nothing_servable_is_an_error),
    AGW_CASE(test_negotiate_errors_have_the_protocols_texts),
    AGW_CASE(test_negotiate_line_without_fingerprint_is_refused),
    AGW_CASE(test_negotiate_at_most_so_many_medias),
    AGW_CASE(test_negotiate_capabilities_never_reach_a_browser),
    AGW_CASE(test_negotiate_bundle_is_not_offered_when_rejected_by_key),
    AGW_CASE(test_negotiate_rfc9143_9_1_one_number_in_two_kinds_of_media),
    AGW_CASE(test_negotiate_numbers_like_rtcp_are_fine_on_two_ports),
    AGW_CASE(test_negotiate_what_belongs_to_a_stripped_codec_goes),
    AGW_CASE(test_negotiate_at_most_so_many_codecs),
    AGW_CASE(test_negotiate_family_that_the_interface_lacks),
    AGW_CASE(test_negotiate_interface_without_address_leaks_nothing),
    AGW_CASE(test_negotiate_browser_that_answers_without_ice_is_refused),
    AGW_CASE(test_negotiate_rfc6904_4_encrypted_extensions_go_nowhere),
    AGW_CASE(test_negotiate_rfc8830_a_far_gateways_dtls_gets_our_ssrc_toward_the_browser),
};

AGW_UNIT_MAIN("negotiate", CASES)
