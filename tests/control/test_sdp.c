/* SPDX-License-Identifier: BSD-3-Clause
 * The SDP parser and writer: what real agents write, each bound on both sides, each refusal with
 * its reason. */
#include "control/sdp.h"
#include "unit.h"

#include <string.h>

#define HEAD  "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0 97\r\n"

static agw_sdp *must_parse(const char *text)
{
    agw_sdp *sdp = NULL;
    agw_sdp_why why = {.text = ""};
    const agw_err err = agw_sdp_parse(&sdp, text, strlen(text), &why);
    if (err != AGW_OK)
        fprintf(stderr, "refused: %s\n", why.text);
    CU_ASSERT_EQUAL_FATAL(err, AGW_OK);
    return sdp;
}

static void check_refused_bytes(const char *text, size_t len, unsigned line, const char *reason)
{
    agw_sdp *sdp = NULL;
    agw_sdp_why why = {.text = ""};
    const agw_err err = agw_sdp_parse(&sdp, text, len, &why);
    CU_ASSERT_EQUAL(err, AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(why.line, line);
    if (err == AGW_OK)
        agw_sdp_free(sdp);
    if (strstr(why.text, reason) == NULL)
        fprintf(stderr, "expected \"%s\", got line %u \"%s\"\n", reason, why.line, why.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, reason));
}

static void check_refused(const char *text, unsigned line, const char *reason)
{
    check_refused_bytes(text, strlen(text), line, reason);
}

/* Lines behind a good head and an audio m= line: refused at line 7. */
static void check_media_line_refused(const char *bad, const char *reason)
{
    char *text = g_strconcat(HEAD AUDIO, bad, "\r\n", NULL);
    check_refused(text, 7, reason);
    g_free(text);
}

static agw_sdp *parse_file(const char *name)
{
    char *path = g_strconcat(AGW_TEST_DIR "/vectors/sdp/", name, NULL);
    char *text = NULL;
    gsize len = 0;
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, &len, NULL));
    agw_sdp *sdp = must_parse(text);
    g_free(text);
    g_free(path);
    return sdp;
}

/* --- real descriptions --- */

static void test_sdp_rfc8866_5_example_is_read(void)
{
    agw_sdp *sdp = must_parse("v=0\r\n"
                              "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                              "s=Call to John Smith\r\n"
                              "i=SDP Offer #1\r\n"
                              "u=http://www.jdoe.example.com/home.html\r\n"
                              "e=Jane Doe <jane@jdoe.example.com>\r\n"
                              "p=+1 617 555-6011\r\n"
                              "c=IN IP4 198.51.100.1\r\n"
                              "t=0 0\r\n"
                              "m=audio 49170 RTP/AVP 0\r\n"
                              "m=audio 49180 RTP/AVP 0\r\n"
                              "m=video 51372 RTP/AVP 99\r\n"
                              "c=IN IP6 2001:db8::2\r\n"
                              "a=rtpmap:99 h263-1998/90000\r\n");
    CU_ASSERT_STRING_EQUAL(sdp->origin.username, "jdoe");
    CU_ASSERT_STRING_EQUAL(sdp->origin.version, "3724394405");
    CU_ASSERT_STRING_EQUAL(sdp->origin.address, "198.51.100.1");
    CU_ASSERT_STRING_EQUAL(sdp->name, "Call to John Smith");
    CU_ASSERT_STRING_EQUAL(sdp->session.title, "SDP Offer #1");
    CU_ASSERT_EQUAL_FATAL(sdp->n_medias, 3);
    CU_ASSERT_EQUAL(sdp->medias[0].conn.ip.family, AGW_FAMILY_IP4);
    CU_ASSERT_FALSE(sdp->medias[0].own_conn);
    CU_ASSERT_EQUAL(sdp->medias[2].conn.ip.family, AGW_FAMILY_IP6);
    CU_ASSERT_STRING_EQUAL(sdp->medias[2].conn.address, "2001:db8::2");
    CU_ASSERT_TRUE(agw_sdp_codec_is(agw_sdp_codec_of(&sdp->medias[2], 99), "H263-1998"));
    CU_ASSERT_EQUAL(sdp->n_times, 1);
    agw_sdp_free(sdp);
}

static void check_chromium_audio(const agw_sdp_media *m)
{
    CU_ASSERT_EQUAL(m->proto, AGW_SDP_TLS_SAVPF);
    CU_ASSERT_EQUAL(m->port, 32949);
    CU_ASSERT_EQUAL_FATAL(m->n_codecs, 8);
    CU_ASSERT_EQUAL(m->codecs[0].pt, 111);
    CU_ASSERT_EQUAL(m->codecs[0].clock_hz, 48000);
    CU_ASSERT_EQUAL(m->codecs[0].channels, 2);
    CU_ASSERT_STRING_EQUAL(m->codecs[0].fmtp, "minptime=10;useinbandfec=1");
    CU_ASSERT_TRUE(agw_sdp_codec_has_fb(&m->codecs[0], "transport-cc"));
    CU_ASSERT_TRUE(m->rtcp_mux && m->rtcp_rsize && !m->rtcp_mux_only);
    CU_ASSERT_EQUAL(m->rtcp_port, 9);
    CU_ASSERT_TRUE(agw_addr_is_any(&m->rtcp_conn.ip));
    CU_ASSERT_STRING_EQUAL(m->mid, "0");
    CU_ASSERT_PTR_NOT_NULL(m->bundle);
    CU_ASSERT_STRING_EQUAL(m->ice_ufrag, "r1kG");
    CU_ASSERT_STRING_EQUAL(m->ice_pwd, "OxrJglqSUkHiimH8DIbixQpy");
    CU_ASSERT_TRUE(m->ice_trickle && !m->ice_lite && !m->end_of_candidates);
    CU_ASSERT_EQUAL_FATAL(m->candidates.n, 4);
    CU_ASSERT_STRING_EQUAL(m->candidates.v[0], "321093042 1 udp 2122194687 10.77.1.2 32949 typ "
                                               "host generation 0 network-id 1");
    CU_ASSERT_EQUAL(m->fingerprints.n, 1);
    CU_ASSERT_EQUAL(m->setup, AGW_SDP_SETUP_ACTPASS);
    CU_ASSERT_EQUAL(m->n_extmaps, 4);
    CU_ASSERT_EQUAL_FATAL(m->n_ssrcs, 1);
    CU_ASSERT_EQUAL(m->ssrcs[0].ssrc, 4265926119u);
    CU_ASSERT_STRING_EQUAL(m->ssrcs[0].cname, "dJgeGQ9lLKr2m6Ce");
}

static void test_sdp_chromium_av_offer_is_read(void)
{
    agw_sdp *sdp = parse_file("chromium156-av-offer.sdp");
    CU_ASSERT_EQUAL_FATAL(sdp->n_medias, 2);
    check_chromium_audio(&sdp->medias[0]);
    const agw_sdp_media *v = &sdp->medias[1];
    CU_ASSERT_EQUAL(v->n_codecs, 23);
    CU_ASSERT_EQUAL(v->n_ssrcs, 2);
    CU_ASSERT_EQUAL_FATAL(v->n_ssrc_groups, 1);
    CU_ASSERT_STRING_EQUAL(v->ssrc_groups[0].semantics, "FID");
    CU_ASSERT_EQUAL(v->ssrc_groups[0].ssrcs[1], 2626722191u);
    const agw_sdp_extmap *cvo = agw_sdp_extmap_of(v, "urn:3gpp:video-orientation");
    CU_ASSERT_PTR_NOT_NULL_FATAL(cvo);
    CU_ASSERT_EQUAL(cvo->id, 13);
    CU_ASSERT_PTR_EQUAL(agw_sdp_by_mid(sdp, "1"), v);
    CU_ASSERT_PTR_EQUAL(v->bundle, agw_sdp_group_of(sdp, "BUNDLE"));
    CU_ASSERT_TRUE(agw_sdp_codec_has_fb(agw_sdp_codec_of(v, 102), "ccm fir"));
    CU_ASSERT_FALSE(agw_sdp_codec_has_fb(agw_sdp_codec_of(v, 103), "nack"));
    char apt[8];
    CU_ASSERT_TRUE(agw_sdp_fmtp_get(agw_sdp_codec_of(v, 119)->fmtp, "apt", apt, sizeof apt));
    CU_ASSERT_STRING_EQUAL(apt, "118");
    agw_sdp_free(sdp);
}

static void test_sdp_chromium_answers_are_read(void)
{
    agw_sdp *sdp = parse_file("chromium156-answer.sdp");
    CU_ASSERT_EQUAL(sdp->medias[0].setup, AGW_SDP_SETUP_ACTIVE);
    CU_ASSERT_PTR_NULL(sdp->medias[0].bundle);
    agw_sdp_free(sdp);
    sdp = parse_file("rtpengine-offer-to-browser.sdp");
    CU_ASSERT_TRUE(agw_addr_is_set(&sdp->medias[0].conn.ip));
    CU_ASSERT_EQUAL(sdp->medias[0].ptime_ms, 20);
    agw_sdp_free(sdp);
}

static void test_sdp_ts26114_volte_offer_is_read(void)
{
    agw_sdp *sdp = must_parse("v=0\r\n"
                              "o=- 1 1 IN IP6 2001:db8::10\r\n"
                              "s=-\r\n"
                              "c=IN IP6 2001:db8::10\r\n"
                              "b=AS:41\r\nb=RS:0\r\nb=RR:2000\r\n"
                              "t=0 0\r\n"
                              "m=audio 49152 RTP/AVP 97 98\r\n"
                              "b=AS:38\r\n"
                              "a=tcap:1 RTP/AVPF\r\n"
                              "a=pcfg:1 t=1\r\n"
                              "a=rtpmap:97 AMR-WB/16000/1\r\n"
                              "a=fmtp:97 mode-change-capability=2; max-red=220\r\n"
                              "a=rtpmap:98 telephone-event/16000\r\n"
                              "a=ptime:20\r\na=maxptime:240\r\n"
                              "a=curr:qos local none\r\n"
                              "a=des:qos optional remote sendrecv\r\n"
                              "a=3gpp_sync_info:No Sync\r\n"
                              "a=inactive\r\n");
    const agw_sdp_media *m = &sdp->medias[0];
    uint32_t transport = 0;
    char value[8];
    agw_sdp_precondition pre;
    CU_ASSERT_EQUAL(agw_sdp_bandwidth_of(&sdp->session, "RR"), 2000);
    CU_ASSERT_EQUAL(agw_sdp_bandwidth_of(m, "AS"), 38);
    CU_ASSERT_EQUAL(agw_sdp_bandwidth_of(m, "RS"), -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(agw_sdp_pcfg_for(sdp, m, AGW_SDP_RTP_AVPF, &transport));
    CU_ASSERT_EQUAL(transport, 1);
    CU_ASSERT_PTR_NULL(agw_sdp_pcfg_for(sdp, m, AGW_SDP_RTP_SAVPF, &transport));
    CU_ASSERT_EQUAL(m->maxptime_ms, 240);
    CU_ASSERT_EQUAL(m->direction, AGW_SDP_INACTIVE);
    CU_ASSERT_TRUE(agw_sdp_fmtp_get(m->codecs[0].fmtp, "max-red", value, sizeof value));
    CU_ASSERT_STRING_EQUAL(value, "220");
    CU_ASSERT_EQUAL(agw_sdp_attr_of(m, AGW_SDP_A_3GPP)->kind, AGW_SDP_A_3GPP);
    CU_ASSERT_EQUAL(agw_sdp_precondition_parse(&pre, agw_sdp_attr_of(m, AGW_SDP_A_DES)), AGW_OK);
    CU_ASSERT_STRING_EQUAL(pre.strength, "optional");
    CU_ASSERT_STRING_EQUAL(pre.direction, "sendrecv");
    CU_ASSERT_EQUAL(agw_sdp_precondition_parse(&pre, agw_sdp_attr_of(m, AGW_SDP_A_CURR)), AGW_OK);
    CU_ASSERT_STRING_EQUAL(pre.status, "local");
    agw_sdp_free(sdp);
}

static void test_sdp_other_medias_are_read(void)
{
    agw_sdp *sdp = must_parse(HEAD "m=image 4002 udptl t38\r\na=T38FaxVersion:0\r\n"
                                   "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                                   "a=sctp-port:5000\r\n"
                                   "m=message 7394 TCP/MSRP *\r\n"
                                   "m=text 4004 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n");
    CU_ASSERT_EQUAL_FATAL(sdp->n_medias, 4);
    CU_ASSERT_EQUAL(sdp->medias[0].proto, AGW_SDP_OTHER);
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].proto_text, "udptl");
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].formats.v[0], "t38");
    CU_ASSERT_EQUAL(sdp->medias[0].n_codecs, 0);
    CU_ASSERT_STRING_EQUAL(sdp->medias[1].formats.v[0], "webrtc-datachannel");
    CU_ASSERT_STRING_EQUAL(sdp->medias[2].formats.v[0], "*");
    CU_ASSERT_TRUE(agw_sdp_codec_is(&sdp->medias[3].codecs[0], "T140"));
    agw_sdp_free(sdp);
}

static void test_sdp_encodings_are_known_by_name_in_any_case_and_order(void)
{
    agw_sdp *sdp = must_parse(HEAD "m=audio 4000 RTP/AVP 0 96 97 98 99 100\r\n"
                                   "a=fmtp:96 mode-set=0; Octet-Align = 1\r\n"
                                   "a=rtpmap:96 amr/8000\r\na=rtpmap:97 AMR-WB/16000\r\n"
                                   "a=rtpmap:98 Telephone-Event/8000\r\n"
                                   "a=rtpmap:99 t140/1000\r\na=rtpmap:100 L16/44100\r\n"
                                   "a=fmtp:98 octet-align=1\r\n");
    static const uint8_t KNOWN[] = {AGW_CODEC_PCMU,    AGW_CODEC_AMR,     AGW_CODEC_AMR_WB,
                                    AGW_SDP_ENC_EVENT, AGW_SDP_ENC_OTHER, AGW_CODEC_L16};
    CU_ASSERT_EQUAL_FATAL(sdp->medias[0].n_codecs, sizeof KNOWN);
    for (size_t i = 0; i < sizeof KNOWN; i++) {
        CU_ASSERT_EQUAL(sdp->medias[0].codecs[i].encoding, KNOWN[i]);
        CU_ASSERT_EQUAL(sdp->medias[0].codecs[i].octet_aligned, i == 1);
    }
    CU_ASSERT_EQUAL(agw_sdp_encoding_of("FLEXFEC-03"), AGW_SDP_ENC_FLEXFEC_03);
    CU_ASSERT_EQUAL(agw_sdp_encoding_of("flexfec-04"), AGW_SDP_ENC_OTHER);
    CU_ASSERT_EQUAL(agw_sdp_encoding_of(""), AGW_SDP_ENC_OTHER);
    agw_sdp_free(sdp);
}

/* --- values --- */

static void test_sdp_rfc3551_6_static_types_need_no_rtpmap(void)
{
    agw_sdp *sdp = must_parse(HEAD "m=audio 4000 RTP/AVP 0 8 9 18 13 96\r\n");
    const agw_sdp_media *m = &sdp->medias[0];
    CU_ASSERT_STRING_EQUAL(m->codecs[0].name, "PCMU");
    CU_ASSERT_STRING_EQUAL(m->codecs[1].name, "PCMA");
    CU_ASSERT_EQUAL(m->codecs[2].clock_hz, 8000);
    CU_ASSERT_STRING_EQUAL(m->codecs[3].name, "G729");
    CU_ASSERT_STRING_EQUAL(m->codecs[4].name, "CN");
    CU_ASSERT_STRING_EQUAL(m->codecs[5].name, "");
    CU_ASSERT_EQUAL(m->codecs[5].clock_hz, 0);
    CU_ASSERT_FALSE(m->codecs[0].has_rtpmap);
    agw_sdp_free(sdp);
}

static void test_sdp_attributes_keep_order_name_and_value(void)
{
    agw_sdp *sdp = must_parse(HEAD AUDIO "a=x-new: spaced  value:with:colons\r\na=X-Flag\r\n"
                                         "a=rtpmap:97 opus/48000/2\r\na=empty:\r\n");
    const agw_sdp_media *m = &sdp->medias[0];
    CU_ASSERT_EQUAL_FATAL(m->n_attrs, 4);
    CU_ASSERT_STRING_EQUAL(m->attrs[0].name, "x-new");
    CU_ASSERT_STRING_EQUAL(m->attrs[0].value, " spaced  value:with:colons");
    CU_ASSERT_EQUAL(m->attrs[0].kind, AGW_SDP_A_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(m->attrs[1].name, "X-Flag");
    CU_ASSERT_PTR_NULL(m->attrs[1].value);
    CU_ASSERT_EQUAL(m->attrs[2].kind, AGW_SDP_A_RTPMAP);
    CU_ASSERT_STRING_EQUAL(m->attrs[2].value, "97 opus/48000/2");
    CU_ASSERT_STRING_EQUAL(m->attrs[3].value, "");
    agw_sdp_free(sdp);
}

/* The table of names is searched by halving: every name must be found, so every kind is asked. */
static void test_sdp_every_known_name_has_its_kind(void)
{
    static const char *const NAMES[] = {"acap:1 x",
                                        "acfg:1",
                                        "bundle-only",
                                        "candidate:1",
                                        "cdsc:1",
                                        "conf:qos",
                                        "connection:x",
                                        "content:main",
                                        "cpar:a",
                                        "creq:x",
                                        "crypto:1",
                                        "csup:x",
                                        "curr:qos",
                                        "dcmap:0",
                                        "dcsa:0",
                                        "des:qos",
                                        "end-of-candidates",
                                        "extmap:1 urn:a",
                                        "extmap-allow-mixed",
                                        "fingerprint:a b",
                                        "fmtp:97 a",
                                        "framerate:15",
                                        "framesize:1",
                                        "group:LS",
                                        "ice-lite",
                                        "ice-mismatch",
                                        "ice-options:a",
                                        "ice-pacing:50",
                                        "ice-pwd:1234567890123456789012",
                                        "ice-ufrag:abcd",
                                        "identity:a",
                                        "imageattr:97",
                                        "inactive",
                                        "key-mgmt:a",
                                        "label:1",
                                        "lang:en",
                                        "max-message-size:1",
                                        "maxprate:1",
                                        "maxptime:40",
                                        "mid:a",
                                        "msid:a",
                                        "msid-semantic: WMS",
                                        "pcfg:1 t=1",
                                        "ptime:20",
                                        "recvonly",
                                        "remote-candidates:1",
                                        "rid:1",
                                        "rtcp:9",
                                        "rtcp-fb:97 nack",
                                        "rtcp-mux",
                                        "rtcp-mux-only",
                                        "rtcp-rsize",
                                        "rtcp-xr:a",
                                        "rtpmap:97 opus/48000/2",
                                        "sctp-port:5000",
                                        "sctpmap:5000",
                                        "sdplang:en",
                                        "sendonly",
                                        "sendrecv",
                                        "setup:active",
                                        "simulcast:a",
                                        "source-filter: a",
                                        "sqn: 0",
                                        "ssrc:1 a",
                                        "ssrc-group:FID 1",
                                        "tcap:1 a",
                                        "tls-id:a",
                                        "tool:a",
                                        "type:a",
                                        "zrtp-hash:a"};
    GString *text = g_string_new(HEAD AUDIO);
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        g_string_append_printf(text, "a=%s\r\n", NAMES[i]);
    CU_ASSERT_EQUAL(G_N_ELEMENTS(NAMES), AGW_SDP_A_KINDS - 2); /* without UNKNOWN and 3GPP */
    agw_sdp *sdp = must_parse(text->str);
    for (size_t i = 0; i < sdp->medias[0].n_attrs; i++) {
        if (sdp->medias[0].attrs[i].kind == AGW_SDP_A_UNKNOWN)
            fprintf(stderr, "unknown: %s\n", sdp->medias[0].attrs[i].name);
        CU_ASSERT_NOT_EQUAL(sdp->medias[0].attrs[i].kind, AGW_SDP_A_UNKNOWN);
    }
    for (int kind = AGW_SDP_A_3GPP + 1; kind < AGW_SDP_A_KINDS; kind++)
        CU_ASSERT_PTR_NOT_NULL(agw_sdp_attr_of(&sdp->medias[0], (agw_sdp_attr_kind)kind));
    agw_sdp_free(sdp);
    g_string_free(text, TRUE);
}

static void test_sdp_rfc8866_session_level_is_inherited(void)
{
    agw_sdp *sdp = must_parse(HEAD "a=sendonly\r\na=ice-lite\r\na=ice-ufrag:abcd\r\n"
                                   "a=ice-pwd:1234567890123456789012\r\na=ice-options:trickle\r\n"
                                   "a=fingerprint:sha-256 AA:BB\r\na=setup:passive\r\n"
                                   "a=tls-id:one\r\na=extmap:3 urn:a\r\n"
                                   "m=audio 1 RTP/SAVPF 0\r\n"
                                   "m=audio 2 RTP/SAVPF 0\r\nc=IN IP4 192.0.2.9\r\na=recvonly\r\n"
                                   "a=ice-ufrag:efgh\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
                                   "a=fingerprint:sha-1 CC\r\na=fingerprint:sha-256 DD\r\n"
                                   "a=setup:active\r\na=tls-id:two\r\na=extmap:4 urn:b\r\n");
    const agw_sdp_media *a = &sdp->medias[0], *b = &sdp->medias[1];
    CU_ASSERT_EQUAL(a->direction, AGW_SDP_SENDONLY);
    CU_ASSERT_FALSE(a->own_direction);
    CU_ASSERT_STRING_EQUAL(a->ice_ufrag, "abcd");
    CU_ASSERT_TRUE(a->ice_lite && a->ice_trickle && b->ice_lite);
    CU_ASSERT_STRING_EQUAL(a->fingerprints.v[0], "sha-256 AA:BB");
    CU_ASSERT_EQUAL(a->setup, AGW_SDP_SETUP_PASSIVE);
    CU_ASSERT_STRING_EQUAL(a->tls_id, "one");
    CU_ASSERT_EQUAL(a->n_extmaps, 1);
    CU_ASSERT_EQUAL(b->direction, AGW_SDP_RECVONLY);
    CU_ASSERT_TRUE(b->own_direction && b->own_conn);
    CU_ASSERT_STRING_EQUAL(b->conn.address, "192.0.2.9");
    CU_ASSERT_STRING_EQUAL(b->ice_ufrag, "efgh");
    CU_ASSERT_EQUAL(b->fingerprints.n, 2);
    CU_ASSERT_EQUAL(b->setup, AGW_SDP_SETUP_ACTIVE);
    CU_ASSERT_STRING_EQUAL(b->tls_id, "two");
    CU_ASSERT_EQUAL(b->n_extmaps, 2);
    CU_ASSERT_PTR_NOT_NULL(agw_sdp_extmap_of(b, "urn:a"));
    agw_sdp_free(sdp);
}

static void test_sdp_names_do_not_resolve_and_do_not_hurt(void)
{
    agw_sdp *sdp = must_parse("v=0\no=- 1 1 IN IP4 host.invalid\ns=-\nc=IN IP4 media.invalid\n"
                              "t=0 0\n" AUDIO "a=rtcp:4001 IN IP4 rtcp.invalid\n");
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].conn.address, "media.invalid");
    CU_ASSERT_EQUAL(sdp->medias[0].conn.ip.family, AGW_FAMILY_NONE);
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].rtcp_conn.address, "rtcp.invalid");
    agw_sdp_free(sdp);
}

static void test_sdp_connection_forms(void)
{
    agw_sdp *sdp = must_parse("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" AUDIO
                              "c=IN IP4 233.252.0.1/127/3\r\n" AUDIO "c=IN IP4 0.0.0.0\r\n" AUDIO
                              "c=in ip6 ::1\r\n" AUDIO);
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].conn.address, "233.252.0.1");
    CU_ASSERT_TRUE(agw_addr_is_multicast(&sdp->medias[0].conn.ip));
    CU_ASSERT_TRUE(agw_addr_is_any(&sdp->medias[1].conn.ip));
    CU_ASSERT_EQUAL(sdp->medias[2].conn.ip.family, AGW_FAMILY_IP6);
    CU_ASSERT_PTR_NULL(sdp->medias[3].conn.addrtype);
    agw_sdp_free(sdp);
    sdp = must_parse(HEAD AUDIO "c=IN IP4 233.252.0.1\r\nc=IN IP4 233.252.0.2\r\n");
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].conn.address, "233.252.0.1"); /* the base layer */
    agw_sdp_free(sdp);
}

static void test_sdp_fmtp_get_finds_whole_keys_only(void)
{
    char out[8];
    CU_ASSERT_TRUE(agw_sdp_fmtp_get("a=1; mode-set = 0,2 ;octet-align", "mode-set", out, 8));
    CU_ASSERT_STRING_EQUAL(out, "0,2");
    CU_ASSERT_TRUE(agw_sdp_fmtp_get("a=1;octet-align", "OCTET-ALIGN", out, 8));
    CU_ASSERT_STRING_EQUAL(out, "");
    CU_ASSERT_TRUE(agw_sdp_fmtp_get("k=;j=2", "k", out, 8));
    CU_ASSERT_STRING_EQUAL(out, "");
    CU_ASSERT_FALSE(agw_sdp_fmtp_get("mode-set-x=1", "mode-set", out, 8));
    CU_ASSERT_FALSE(agw_sdp_fmtp_get("xmode-set=1", "mode-set", out, 8));
    CU_ASSERT_FALSE(agw_sdp_fmtp_get(NULL, "a", out, 8));
    CU_ASSERT_FALSE(agw_sdp_fmtp_get("", "a", out, 8));
    CU_ASSERT_TRUE(agw_sdp_fmtp_get("a=1234567", "a", out, 8));
    CU_ASSERT_FALSE(agw_sdp_fmtp_get("a=12345678", "a", out, 8));
}

static void test_sdp_rfc4585_4_2_feedback_for_all_formats(void)
{
    agw_sdp *sdp = must_parse(HEAD "m=video 4 RTP/AVPF 96 97\r\na=rtcp-fb:* nack\r\n"
                                   "a=rtcp-fb:97 nack pli\r\na=rtcp-fb:98 ccm fir\r\n");
    const agw_sdp_media *m = &sdp->medias[0];
    CU_ASSERT_TRUE(agw_sdp_codec_has_fb(&m->codecs[0], "nack"));
    CU_ASSERT_FALSE(agw_sdp_codec_has_fb(&m->codecs[0], "nack pli"));
    CU_ASSERT_TRUE(agw_sdp_codec_has_fb(&m->codecs[1], "NACK PLI"));
    CU_ASSERT_STRING_EQUAL(m->codecs[1].fb->value, "nack");
    CU_ASSERT_FALSE(agw_sdp_codec_has_fb(&m->codecs[1], "ccm fir"));
    agw_sdp_free(sdp);
}

/* What one media says must not run into the next one. */
static void test_sdp_rfc4585_4_2_feedback_stays_in_its_media(void)
{
    GString *text = g_string_new(HEAD);
    for (int media = 0; media < 2; media++) {
        g_string_append(text, "m=video 4 RTP/AVPF 96\r\n");
        for (int i = 0; i < 16; i++)
            g_string_append(text, "a=rtcp-fb:* nack\r\n");
        g_string_append_printf(text, "a=rtcp-fb:96 only%d\r\n", media);
    }
    agw_sdp *sdp = must_parse(text->str);
    for (size_t media = 0; media < 2; media++) {
        size_t n = 0;
        for (const agw_sdp_fb *fb = sdp->medias[media].codecs[0].fb; fb != NULL; fb = fb->next)
            n++;
        CU_ASSERT_EQUAL(n, 17);
        CU_ASSERT_EQUAL(agw_sdp_codec_has_fb(&sdp->medias[media].codecs[0], "only0"), media == 0);
        CU_ASSERT_EQUAL(agw_sdp_codec_has_fb(&sdp->medias[media].codecs[0], "only1"), media == 1);
    }
    agw_sdp_free(sdp);
    g_string_free(text, TRUE);
}

static void test_sdp_rfc8285_5_extmap_parts(void)
{
    agw_sdp *sdp = must_parse(HEAD AUDIO "a=extmap:1/recvonly urn:a\r\na=extmap:4096/sendrecv "
                                         "urn:b short opts\r\na=extmap:65535 urn:c\r\n");
    const agw_sdp_extmap *e = sdp->medias[0].extmaps;
    CU_ASSERT_EQUAL(e[0].direction, AGW_SDP_RECVONLY);
    CU_ASSERT_TRUE(e[0].has_direction);
    CU_ASSERT_PTR_NULL(e[0].attributes);
    CU_ASSERT_EQUAL(e[1].id, 4096);
    CU_ASSERT_STRING_EQUAL(e[1].attributes, "short opts");
    CU_ASSERT_FALSE(e[2].has_direction);
    CU_ASSERT_EQUAL(e[2].direction, AGW_SDP_SENDRECV);
    agw_sdp_free(sdp);
}

static void test_sdp_rfc5939_3_5_configurations(void)
{
    agw_sdp *sdp = must_parse(HEAD "a=tcap:7 RTP/SAVPF\r\nm=video 4 RTP/AVP 96\r\n"
                                   "a=tcap:1 RTP/SAVP RTP/AVPF\r\n"
                                   "a=pcfg:9 t=2\r\na=pcfg:3 t=1|2\r\na=pcfg:1 t=2 a=1\r\n"
                                   "a=pcfg:2 t=x\r\na=pcfg:4 t=7|99\r\na=pcfg:5\r\n");
    const agw_sdp_media *m = &sdp->medias[0];
    uint32_t transport = 0;
    const agw_sdp_pcfg *best = agw_sdp_pcfg_for(sdp, m, AGW_SDP_RTP_AVPF, &transport);
    CU_ASSERT_PTR_NOT_NULL_FATAL(best);
    CU_ASSERT_EQUAL(best->number, 3);
    CU_ASSERT_EQUAL(transport, 2);
    best = agw_sdp_pcfg_for(sdp, m, AGW_SDP_RTP_SAVPF, &transport);
    CU_ASSERT_PTR_NOT_NULL_FATAL(best);
    CU_ASSERT_EQUAL(best->number, 4);
    CU_ASSERT_EQUAL(transport, 7);
    CU_ASSERT_STRING_EQUAL(agw_sdp_tcap_of(sdp, m, 2)->proto_text, "RTP/AVPF");
    CU_ASSERT_PTR_NULL(agw_sdp_tcap_of(sdp, m, 3));
    agw_sdp_free(sdp);
}

static void test_sdp_profiles_and_directions_have_their_words(void)
{
    CU_ASSERT_EQUAL(agw_sdp_proto_parse("udp/tls/rtp/savpf"), AGW_SDP_TLS_SAVPF);
    CU_ASSERT_EQUAL(agw_sdp_proto_parse("RTP/AVP"), AGW_SDP_RTP_AVP);
    CU_ASSERT_EQUAL(agw_sdp_proto_parse("TCP/RTP/AVP"), AGW_SDP_OTHER);
    CU_ASSERT_EQUAL(agw_sdp_proto_parse(""), AGW_SDP_OTHER);
    CU_ASSERT_STRING_EQUAL(agw_sdp_proto_text(AGW_SDP_RTP_SAVP), "RTP/SAVP");
    for (agw_sdp_proto p = AGW_SDP_OTHER; p <= AGW_SDP_TLS_SAVPF; p++) {
        if (p != AGW_SDP_OTHER) {
            CU_ASSERT_EQUAL(agw_sdp_proto_parse(agw_sdp_proto_text(p)), p);
            CU_ASSERT_TRUE(agw_sdp_proto_is_avpf(agw_sdp_proto_with_avpf(p, true)));
            CU_ASSERT_FALSE(agw_sdp_proto_is_avpf(agw_sdp_proto_with_avpf(p, false)));
        }
        const agw_sdp_proto other = agw_sdp_proto_with_avpf(p, true);
        CU_ASSERT_EQUAL(agw_sdp_proto_is_secure(other), agw_sdp_proto_is_secure(p));
        CU_ASSERT_EQUAL(agw_sdp_proto_is_dtls(other), agw_sdp_proto_is_dtls(p));
    }
    CU_ASSERT_TRUE(agw_sdp_proto_is_secure(AGW_SDP_RTP_SAVP));
    CU_ASSERT_FALSE(agw_sdp_proto_is_secure(AGW_SDP_RTP_AVPF));
    CU_ASSERT_TRUE(agw_sdp_proto_is_dtls(AGW_SDP_TLS_SAVP));
    CU_ASSERT_FALSE(agw_sdp_proto_is_dtls(AGW_SDP_RTP_SAVPF));
    CU_ASSERT_EQUAL(agw_sdp_direction_reverse(AGW_SDP_SENDONLY), AGW_SDP_RECVONLY);
    CU_ASSERT_EQUAL(agw_sdp_direction_reverse(AGW_SDP_RECVONLY), AGW_SDP_SENDONLY);
    CU_ASSERT_EQUAL(agw_sdp_direction_reverse(AGW_SDP_INACTIVE), AGW_SDP_INACTIVE);
    CU_ASSERT_STRING_EQUAL(agw_sdp_direction_text(AGW_SDP_SENDRECV), "sendrecv");
}

/* --- leniency --- */

static void test_sdp_lenient_lf_only_and_no_last_line_end(void)
{
    agw_sdp *sdp = must_parse("v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\n"
                              "m=audio\t4000  RTP/AVP 0 \na=sendonly");
    CU_ASSERT_EQUAL_FATAL(sdp->n_medias, 1);
    CU_ASSERT_EQUAL(sdp->medias[0].port, 4000);
    CU_ASSERT_EQUAL(sdp->medias[0].direction, AGW_SDP_SENDONLY);
    CU_ASSERT_STRING_EQUAL(sdp->name, "-");
    CU_ASSERT_EQUAL(sdp->n_times, 0);
    agw_sdp_free(sdp);
}

static void test_sdp_lenient_empty_lines_at_the_end_only(void)
{
    agw_sdp *sdp = must_parse(HEAD AUDIO "\r\n\n  \r\n");
    CU_ASSERT_EQUAL(sdp->n_medias, 1);
    agw_sdp_free(sdp);
    check_refused(HEAD "\r\n" AUDIO, 7, "empty line");
}

static void test_sdp_lenient_unknown_lines_and_odd_users(void)
{
    agw_sdp *sdp = must_parse("v=0\r\no=Some Body X 77 78 IN IP4 192.0.2.1\r\ns=\r\nx=y\r\nZ=1\r\n"
                              "c=IN IP4 192.0.2.1\r\nk=prompt\r\nt=0 0\r\nr=7d 1h 0 25h\r\nz=0 0"
                              "\r\n" AUDIO "y=z\r\n");
    CU_ASSERT_STRING_EQUAL(sdp->origin.username, "Some Body X");
    CU_ASSERT_STRING_EQUAL(sdp->origin.id, "77");
    CU_ASSERT_EQUAL(sdp->n_medias, 1);
    agw_sdp_free(sdp);
}

static void test_sdp_lenient_values_that_do_not_matter(void)
{
    agw_sdp *sdp = must_parse(HEAD AUDIO "a=ptime:twenty\r\na=maxptime:99999\r\na=fmtp:x y\r\n"
                                         "a=fmtp:98 other\r\na=rtcp-fb:97\r\na=rtcp-fb:*\r\n"
                                         "a=fmtp:97\r\na=fmtp:97 b=1\r\na=fmtp:97 c=2\r\n"
                                         "a=rtpmap:98 x/1\r\na=tcap:x y\r\na=pcfg:x\r\n"
                                         "a=SENDONLY\r\n");
    CU_ASSERT_EQUAL(sdp->medias[0].ptime_ms, 0);
    CU_ASSERT_EQUAL(sdp->medias[0].maxptime_ms, 0);
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].codecs[1].fmtp, "b=1");
    CU_ASSERT_PTR_NULL(sdp->medias[0].codecs[1].fb);
    CU_ASSERT_EQUAL(sdp->medias[0].direction, AGW_SDP_SENDONLY);
    agw_sdp_free(sdp);
}

static void test_sdp_repeated_formats_count_once(void)
{
    agw_sdp *sdp = must_parse(HEAD "m=audio 4 RTP/AVP 8 0 8\r\na=rtpmap:8 PCMA/8000\r\n"
                                   "a=rtpmap:8 other/9000\r\n");
    CU_ASSERT_EQUAL(sdp->medias[0].formats.n, 3);
    CU_ASSERT_EQUAL(sdp->medias[0].n_codecs, 2);
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].codecs[0].name, "PCMA");
    agw_sdp_free(sdp);
}

static void test_sdp_refused_medias_may_be_odd(void)
{
    agw_sdp *sdp = must_parse(HEAD "m=audio 0 RTP/AVP\r\nm=video 0 RTP/AVP *\r\n"
                                   "m=audio 0/2 UDP/TLS/RTP/SAVPF 0\r\n");
    CU_ASSERT_EQUAL(sdp->medias[0].n_codecs, 0);
    CU_ASSERT_EQUAL(sdp->medias[1].n_codecs, 0);
    CU_ASSERT_EQUAL(sdp->medias[2].n_ports, 2);
    agw_sdp_free(sdp);
}

/* --- refusals: bytes and lines --- */

static void test_sdp_bytes_that_are_refused(void)
{
    static const char with_nul[] = HEAD "a=x\0y\r\n";
    check_refused_bytes(with_nul, sizeof with_nul - 1, 6, "NUL");
    check_refused(HEAD "a=x\x1fy\r\n", 6, "control");
    check_refused(HEAD "a=x\x7fy\r\n", 6, "control");
    check_refused(HEAD "a=x\ry\r\n", 6, "control");
    agw_sdp *sdp = must_parse(HEAD "a=x:\x80\xff~\r\n");
    CU_ASSERT_STRING_EQUAL(sdp->session.attrs[0].value, "\x80\xff~");
    agw_sdp_free(sdp);
}

static void test_sdp_lines_that_are_refused(void)
{
    check_refused("", 0, "empty");
    check_refused("\r\n\r\n", 0, "empty");
    check_refused("o=- 1 1 IN IP4 192.0.2.1\r\n", 1, "v=");
    check_refused("v=1\r\n", 1, "version");
    check_refused("v=0\r\nx\r\n", 2, "letter=value");
    check_refused("v=0\r\nab=c\r\n", 2, "letter=value");
    check_refused("v=0\r\n1=c\r\n", 2, "letter=value");
    check_refused("v=0\r\ns=-\r\n", 0, "no o= line");
    check_refused("v=0\r\no=- 1 1 IN IP4\r\n", 2, "less than six");
    check_refused(HEAD "o=- 1 1 IN IP4 192.0.2.1\r\n", 6, "second o=");
    check_refused(HEAD "a=\r\n", 6, "without a name");
    check_refused(HEAD "a=:x\r\n", 6, "without a name");
    check_refused(HEAD "a=x y\r\n", 6, "without a name");
}

static void test_sdp_connections_that_are_refused(void)
{
    check_media_line_refused("c=IN IP4", "address is not");
    check_media_line_refused("c=", "address is not");
    check_media_line_refused("c=ATM NSAP 1", "not served");
    check_media_line_refused("c=IN IP5 1.2.3.4", "not served");
    check_media_line_refused("a=rtcp:4001 IN IP4", "address is not");
    check_media_line_refused("a=rtcp:port", "rtcp without a port");
    check_media_line_refused("a=rtcp:65536", "rtcp without a port");
    check_media_line_refused("a=rtcp", "without its value");
}

static void test_sdp_media_lines_that_are_refused(void)
{
    check_refused(HEAD "m=\r\n", 6, "empty");
    check_refused(HEAD "m=audio\r\n", 6, "bad port");
    check_refused(HEAD "m=audio x RTP/AVP 0\r\n", 6, "bad port");
    check_refused(HEAD "m=audio -1 RTP/AVP 0\r\n", 6, "bad port");
    check_refused(HEAD "m=audio 65536 RTP/AVP 0\r\n", 6, "bad port");
    check_refused(HEAD "m=audio 4000/0 RTP/AVP 0\r\n", 6, "number of ports");
    check_refused(HEAD "m=audio 4000/x RTP/AVP 0\r\n", 6, "number of ports");
    check_refused(HEAD "m=audio 4000\r\n", 6, "without a transport");
    check_refused(HEAD "m=audio 4000x RTP/AVP 0\r\n", 6, "without a transport");
    check_refused(HEAD "m=audio 4000 RTP/AVP\r\n", 6, "without a format");
    check_refused(HEAD "m=audio 4000 RTP/AVP x\r\n", 6, "payload type");
    check_refused(HEAD "m=audio 4000 RTP/AVP 128\r\n", 6, "payload type");
    check_refused(HEAD "m=audio 4000 RTP/AVP 0x8\r\n", 6, "payload type");
}

static void test_sdp_bandwidths_that_are_refused(void)
{
    check_media_line_refused("b=AS", "bandwidth");
    check_media_line_refused("b=:1", "bandwidth");
    check_media_line_refused("b=AS:", "bandwidth");
    check_media_line_refused("b=AS:x", "bandwidth");
    check_media_line_refused("b=AS:12x", "bandwidth");
    check_media_line_refused("b=AS:4294967296", "bandwidth");
    agw_sdp *sdp = must_parse(HEAD AUDIO "b=AS:4294967295\r\n");
    CU_ASSERT_EQUAL(agw_sdp_bandwidth_of(&sdp->medias[0], "as"), 4294967295);
    agw_sdp_free(sdp);
}

/* --- refusals: attributes --- */

static void test_sdp_rtpmaps_that_are_refused(void)
{
    check_media_line_refused("a=rtpmap:", "without its value");
    check_media_line_refused("a=rtpmap", "without its value");
    check_media_line_refused("a=rtpmap:x opus/48000", "payload type");
    check_media_line_refused("a=rtpmap:128 opus/48000", "payload type");
    check_media_line_refused("a=rtpmap:97", "name/clock");
    check_media_line_refused("a=rtpmap:97 opus", "name/clock");
    check_media_line_refused("a=rtpmap:97 /8000", "name/clock");
    check_media_line_refused("a=rtpmap:97 opus/", "name/clock");
    check_media_line_refused("a=rtpmap:97 opus/0", "name/clock");
    check_media_line_refused("a=rtpmap:97 opus/1000000001", "name/clock");
    check_media_line_refused("a=rtpmap:97 opus/48000/0", "channels");
    check_media_line_refused("a=rtpmap:97 opus/48000/256", "channels");
    check_media_line_refused("a=rtpmap:97 opus/48000/", "channels");
    agw_sdp *sdp = must_parse(HEAD AUDIO "a=rtpmap:97 x/1000000000/255\r\n");
    CU_ASSERT_EQUAL(sdp->medias[0].codecs[1].channels, 255);
    agw_sdp_free(sdp);
}

static void test_sdp_attributes_that_are_refused(void)
{
    check_media_line_refused("a=mid:", "without its value");
    check_media_line_refused("a=mid:a b", "not one word");
    check_media_line_refused("a=setup:maybe", "setup");
    check_media_line_refused("a=fingerprint:sha-256", "fingerprint");
    check_media_line_refused("a=fingerprint:sha-256 AA BB", "fingerprint");
    check_media_line_refused("a=extmap:x urn:a", "extmap without a number");
    check_media_line_refused("a=extmap:0 urn:a", "extmap without a number");
    check_media_line_refused("a=extmap:65536 urn:a", "extmap without a number");
    check_media_line_refused("a=extmap:1", "without a URI");
    check_media_line_refused("a=extmap:1x urn:a", "without a URI");
    check_media_line_refused("a=ssrc:x cname:y", "ssrc");
    check_media_line_refused("a=ssrc:4294967296 cname:y", "ssrc");
    check_media_line_refused("a=ssrc-group:FID 1 x", "ssrc");
    check_media_line_refused("a=ssrc-group: ", "without its value");
}

static void test_sdp_rfc9143_mids_are_unique(void)
{
    check_refused(HEAD AUDIO "a=mid:0\r\n" AUDIO "a=mid:0\r\n", 9, "there already");
    check_refused(HEAD AUDIO "a=mid:0\r\na=mid:1\r\n", 8, "there already");
    agw_sdp *sdp = must_parse(HEAD "a=group:BUNDLE 1 gone\r\na=group:LS 0 1\r\n" AUDIO
                                   "a=mid:0\r\n" AUDIO "a=mid:1\r\n");
    CU_ASSERT_PTR_NULL(sdp->medias[0].bundle);
    CU_ASSERT_PTR_EQUAL(sdp->medias[1].bundle, &sdp->groups[0]);
    CU_ASSERT_PTR_NULL(agw_sdp_by_mid(sdp, "gone"));
    CU_ASSERT_PTR_NULL(agw_sdp_by_mid(sdp, NULL));
    CU_ASSERT_EQUAL(agw_sdp_group_of(sdp, "ls")->mids.n, 2);
    CU_ASSERT_PTR_NULL(agw_sdp_group_of(sdp, "FID"));
    agw_sdp_free(sdp);
}

/* --- bounds, both sides --- */

/* before, then n times line, then after. */
static char *repeat(const char *before, const char *line, size_t n)
{
    GString *text = g_string_new(before);
    for (size_t i = 0; i < n; i++)
        g_string_append(text, line);
    return g_string_free(text, FALSE);
}

static void check_repeat_bound(const char *before, const char *line, size_t most,
                               const char *reason)
{
    char *text = repeat(before, line, most);
    agw_sdp_free(must_parse(text));
    g_free(text);
    text = repeat(before, line, most + 1);
    agw_sdp *sdp = NULL;
    agw_sdp_why why = {.text = ""};
    CU_ASSERT_EQUAL(agw_sdp_parse(&sdp, text, strlen(text), &why), AGW_ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, reason));
    g_free(text);
}

static void test_sdp_bounds_of_numbers_of_lines(void)
{
    check_repeat_bound(HEAD, "m=audio 1 RTP/AVP 0\r\n", AGW_SDP_MEDIA_MAX, "too many m=");
    check_repeat_bound(HEAD, "a=x\r\n", AGW_SDP_ATTR_MAX, "too many attributes");
    check_repeat_bound(HEAD AUDIO, "a=x\r\n", AGW_SDP_ATTR_MAX, "too many attributes");
    check_repeat_bound(HEAD AUDIO, "b=AS:1\r\n", AGW_SDP_BANDWIDTH_MAX, "too many b=");
    check_repeat_bound("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", "t=0 0\r\n", AGW_SDP_TIME_MAX,
                       "too many t=");
    check_repeat_bound(HEAD AUDIO, "a=fingerprint:sha-1 AA\r\n", AGW_SDP_FINGERPRINT_MAX,
                       "too many fingerprints");
    check_repeat_bound(HEAD AUDIO, "a=extmap:1 urn:a\r\n", AGW_SDP_EXTMAP_MAX, "too many extmap");
    check_repeat_bound(HEAD, "a=group:BUNDLE 1\r\n", AGW_SDP_GROUP_MAX, "too many groups");
    check_repeat_bound(HEAD AUDIO, "a=rtcp-fb:* nack\r\n", 16, "rtcp-fb");
}

static void test_sdp_bounds_of_numbers_of_words(void)
{
    check_repeat_bound(HEAD "m=audio 1 RTP/AVP", " 0", AGW_SDP_FORMAT_MAX, "too many formats");
    check_repeat_bound(HEAD "a=group:LS", " a", AGW_SDP_MEDIA_MAX, "too many medias");
    check_repeat_bound(HEAD AUDIO "a=ssrc-group:SIM", " 1", AGW_SDP_SSRC_MAX, "too long");
    check_repeat_bound(HEAD AUDIO "a=mid:", "m", AGW_SDP_MID_MAX, "mid too long");
    check_repeat_bound(HEAD AUDIO "a=ice-pwd:1234567890123456789012\r\na=ice-ufrag:", "u",
                       AGW_SDP_ICE_TEXT_MAX, "too long");
    check_repeat_bound(HEAD AUDIO "a=ice-ufrag:abcd\r\na=ice-pwd:", "p", AGW_SDP_ICE_TEXT_MAX,
                       "too long");
}

static void test_sdp_bound_of_the_text(void)
{
    GString *text = g_string_new(HEAD "a=x:");
    while (text->len < AGW_SDP_TEXT_MAX)
        g_string_append_c(text, 'y');
    agw_sdp_free(must_parse(text->str));
    g_string_append_c(text, 'y');
    check_refused(text->str, 0, "too long");
    g_string_free(text, TRUE);
}

static void test_sdp_rfc8839_5_4_credentials_lengths(void)
{
    agw_sdp_free(must_parse(HEAD AUDIO "a=ice-ufrag:abcd\r\na=ice-pwd:1234567890123456789012\r\n"));
    check_media_line_refused("a=ice-ufrag:abc", "too short");
    check_media_line_refused("a=ice-pwd:123456789012345678901", "too short");
    check_media_line_refused("a=ice-ufrag:ab cd", "too short");
    check_refused(HEAD AUDIO "a=ice-ufrag:abcd\r\n", 0, "only one of");
    check_refused(HEAD AUDIO "a=ice-pwd:1234567890123456789012\r\n", 0, "only one of");
}

static void test_sdp_ssrcs_past_the_bound_are_not_listed(void)
{
    GString *text = g_string_new(HEAD AUDIO);
    for (unsigned i = 0; i < AGW_SDP_SSRC_MAX + 1; i++)
        g_string_append_printf(text, "a=ssrc:%u cname:c\r\na=ssrc:%u msid:m\r\n", i, i);
    agw_sdp *sdp = must_parse(text->str);
    CU_ASSERT_EQUAL(sdp->medias[0].n_ssrcs, AGW_SDP_SSRC_MAX);
    CU_ASSERT_EQUAL(sdp->medias[0].ssrcs[AGW_SDP_SSRC_MAX - 1].ssrc, AGW_SDP_SSRC_MAX - 1);
    agw_sdp_free(sdp);
    g_string_free(text, TRUE);
}

static void test_sdp_capabilities_past_the_bound_are_not_listed(void)
{
    GString *text = g_string_new(HEAD AUDIO "a=tcap:1");
    for (unsigned i = 0; i < AGW_SDP_CAPABILITY_MAX + 1; i++)
        g_string_append(text, " RTP/AVPF");
    for (unsigned i = 0; i < AGW_SDP_CAPABILITY_MAX + 1; i++)
        g_string_append_printf(text, "\r\na=pcfg:%u t=%u", i + 1, i + 1);
    agw_sdp *sdp = must_parse(text->str);
    CU_ASSERT_EQUAL(sdp->medias[0].n_tcaps, AGW_SDP_CAPABILITY_MAX);
    CU_ASSERT_EQUAL(sdp->medias[0].n_pcfgs, AGW_SDP_CAPABILITY_MAX);
    agw_sdp_free(sdp);
    g_string_free(text, TRUE);
}

/* --- fragments --- */

static agw_sdp *must_parse_fragment(const char *text)
{
    agw_sdp *sdp = NULL;
    CU_ASSERT_EQUAL_FATAL(agw_sdp_parse_fragment(&sdp, text, strlen(text), NULL), AGW_OK);
    return sdp;
}

static void test_sdp_rfc8840_9_fragment_is_read(void)
{
    agw_sdp *sdp = must_parse_fragment("a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
                                       "a=ice-ufrag:8hhY\r\n"
                                       "m=audio 9 RTP/AVP 0\r\n"
                                       "a=mid:1\r\n"
                                       "a=candidate:1 1 UDP 2130706432 192.0.2.1 5000 typ host\r\n"
                                       "a=candidate:2 1 UDP 1694498815 192.0.2.3 5001 typ srflx "
                                       "raddr 10.0.1.1 rport 8998\r\n"
                                       "a=end-of-candidates\r\n"
                                       "m=audio 9 RTP/AVP 0\r\n"
                                       "a=mid:2\r\n");
    CU_ASSERT_EQUAL_FATAL(sdp->n_medias, 2);
    CU_ASSERT_STRING_EQUAL(sdp->medias[0].ice_ufrag, "8hhY");
    CU_ASSERT_STRING_EQUAL(sdp->medias[1].ice_pwd, "asd88fgpdd777uzjYhagZg");
    CU_ASSERT_EQUAL(sdp->medias[0].candidates.n, 2);
    CU_ASSERT_TRUE(sdp->medias[0].end_of_candidates);
    CU_ASSERT_FALSE(sdp->medias[1].end_of_candidates);
    CU_ASSERT_PTR_EQUAL(agw_sdp_by_mid(sdp, "2"), &sdp->medias[1]);
    agw_sdp_free(sdp);
}

static void test_sdp_fragment_without_medias(void)
{
    agw_sdp *sdp = must_parse_fragment("a=ice-ufrag:8hhY\na=ice-pwd:asd88fgpdd777uzjYhagZg\n"
                                       "a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host\n");
    CU_ASSERT_EQUAL(sdp->n_medias, 0);
    CU_ASSERT_EQUAL(sdp->session.candidates.n, 1);
    CU_ASSERT_FALSE(sdp->session.end_of_candidates);
    CU_ASSERT_STRING_EQUAL(sdp->session.ice_ufrag, "8hhY");
    agw_sdp_free(sdp);
}

static void test_sdp_rfc8840_4_4_end_of_candidates_for_all(void)
{
    agw_sdp *sdp = must_parse_fragment("a=end-of-candidates\r\nm=audio 9 RTP/AVP 0\r\n");
    CU_ASSERT_TRUE(sdp->medias[0].end_of_candidates);
    agw_sdp_free(sdp);
}

static void test_sdp_fragments_that_are_refused(void)
{
    agw_sdp *sdp = NULL;
    agw_sdp_why why;
    CU_ASSERT_EQUAL(agw_sdp_parse_fragment(&sdp, "", 0, &why), AGW_ERR_MALFORMED);
    const char *half = "a=ice-ufrag:8hhY\r\n";
    CU_ASSERT_EQUAL(agw_sdp_parse_fragment(&sdp, half, strlen(half), &why), AGW_ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "only one of"));
    const char *empty = "a=candidate:\r\n";
    CU_ASSERT_EQUAL(agw_sdp_parse_fragment(&sdp, empty, strlen(empty), NULL), AGW_ERR_MALFORMED);
}

/* --- writing --- */

static void write_section(agw_sdp_writer *w, const agw_sdp_media *m)
{
    if (m->title != NULL)
        agw_sdp_write_title(w, m->title);
    if (m->own_conn)
        agw_sdp_write_conn(w, &m->conn.ip);
    for (size_t i = 0; i < m->n_bandwidths; i++)
        agw_sdp_write_bandwidth(w, m->bandwidths[i].type, m->bandwidths[i].value);
}

static void write_attrs(agw_sdp_writer *w, const agw_sdp_media *m)
{
    for (size_t i = 0; i < m->n_attrs; i++)
        agw_sdp_write_attr(w, m->attrs[i].name, m->attrs[i].value);
}

static char *write_again(const agw_sdp *sdp)
{
    agw_sdp_writer w;
    size_t len;
    agw_sdp_write_begin(&w);
    agw_sdp_write_origin(&w, &sdp->origin);
    agw_sdp_write_name(&w, sdp->name);
    write_section(&w, &sdp->session);
    for (size_t i = 0; i < sdp->n_times; i++)
        agw_sdp_write_time(&w, sdp->times[i]);
    write_attrs(&w, &sdp->session);
    for (size_t i = 0; i < sdp->n_medias; i++) {
        const agw_sdp_media *m = &sdp->medias[i];
        agw_sdp_write_media(&w, m->kind, m->port, m->proto_text, m->formats.v, m->formats.n);
        write_section(&w, m);
        write_attrs(&w, m);
    }
    char *text = agw_sdp_write_end(&w, &len);
    CU_ASSERT_EQUAL(len, strlen(text));
    return text;
}

static void test_sdp_round_trip_of_real_descriptions_is_exact(void)
{
    static const char *const NAMES[] = {"chromium156-av-offer.sdp", "chromium156-opus-offer.sdp",
                                        "chromium156-answer.sdp", "chromium156-opus-answer.sdp",
                                        "rtpengine-offer-to-browser.sdp"};
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        char *path = g_strconcat(AGW_TEST_DIR "/vectors/sdp/", NAMES[i], NULL);
        char *text = NULL;
        CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
        agw_sdp *sdp = must_parse(text);
        char *again = write_again(sdp);
        CU_ASSERT_STRING_EQUAL(again, text);
        agw_sdp_free(sdp);
        g_free(again);
        g_free(text);
        g_free(path);
    }
}

static void test_sdp_writer_writes_what_it_is_told(void)
{
    agw_sdp_writer w;
    size_t len;
    agw_addr ip6;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&ip6, "2001:db8::1"), AGW_OK);
    agw_sdp_write_begin(&w);
    agw_sdp_write_name(&w, "");
    agw_sdp_write_conn(&w, &ip6);
    agw_sdp_write_media(&w, "video", 0, "RTP/AVP", NULL, 0);
    agw_sdp_write_attrf(&w, "rtpmap", "%d %s/%u", 96, "VP8", 90000u);
    agw_sdp_write_attr(&w, "sendrecv", NULL);
    char *text = agw_sdp_write_end(&w, &len);
    CU_ASSERT_STRING_EQUAL(text, "v=0\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nm=video 0 RTP/AVP 0\r\n"
                                 "a=rtpmap:96 VP8/90000\r\na=sendrecv\r\n");
    g_free(text);
    agw_sdp_write_begin(&w);
    agw_sdp_write_abort(&w);
    CU_ASSERT_PTR_NULL(w.text);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_sdp_rfc8866_5_example_is_read),
    AGW_CASE(test_sdp_chromium_av_offer_is_read),
    AGW_CASE(test_sdp_chromium_answers_are_read),
    AGW_CASE(test_sdp_ts26114_volte_offer_is_read),
    AGW_CASE(test_sdp_other_medias_are_read),
    AGW_CASE(test_sdp_encodings_are_known_by_name_in_any_case_and_order),
    AGW_CASE(test_sdp_rfc3551_6_static_types_need_no_rtpmap),
    AGW_CASE(test_sdp_attributes_keep_order_name_and_value),
    AGW_CASE(test_sdp_every_known_name_has_its_kind),
    AGW_CASE(test_sdp_rfc8866_session_level_is_inherited),
    AGW_CASE(test_sdp_names_do_not_resolve_and_do_not_hurt),
    AGW_CASE(test_sdp_connection_forms),
    AGW_CASE(test_sdp_fmtp_get_finds_whole_keys_only),
    AGW_CASE(test_sdp_rfc4585_4_2_feedback_for_all_formats),
    AGW_CASE(test_sdp_rfc4585_4_2_feedback_stays_in_its_media),
    AGW_CASE(test_sdp_rfc8285_5_extmap_parts),
    AGW_CASE(test_sdp_rfc5939_3_5_configurations),
    AGW_CASE(test_sdp_profiles_and_directions_have_their_words),
    AGW_CASE(test_sdp_lenient_lf_only_and_no_last_line_end),
    AGW_CASE(test_sdp_lenient_empty_lines_at_the_end_only),
    AGW_CASE(test_sdp_lenient_unknown_lines_and_odd_users),
    AGW_CASE(test_sdp_lenient_values_that_do_not_matter),
    AGW_CASE(test_sdp_repeated_formats_count_once),
    AGW_CASE(test_sdp_refused_medias_may_be_odd),
    AGW_CASE(test_sdp_bytes_that_are_refused),
    AGW_CASE(test_sdp_lines_that_are_refused),
    AGW_CASE(test_sdp_connections_that_are_refused),
    AGW_CASE(test_sdp_media_lines_that_are_refused),
    AGW_CASE(test_sdp_bandwidths_that_are_refused),
    AGW_CASE(test_sdp_rtpmaps_that_are_refused),
    AGW_CASE(test_sdp_attributes_that_are_refused),
    AGW_CASE(test_sdp_rfc9143_mids_are_unique),
    AGW_CASE(test_sdp_bounds_of_numbers_of_lines),
    AGW_CASE(test_sdp_bounds_of_numbers_of_words),
    AGW_CASE(test_sdp_bound_of_the_text),
    AGW_CASE(test_sdp_rfc8839_5_4_credentials_lengths),
    AGW_CASE(test_sdp_ssrcs_past_the_bound_are_not_listed),
    AGW_CASE(test_sdp_capabilities_past_the_bound_are_not_listed),
    AGW_CASE(test_sdp_rfc8840_9_fragment_is_read),
    AGW_CASE(test_sdp_fragment_without_medias),
    AGW_CASE(test_sdp_rfc8840_4_4_end_of_candidates_for_all),
    AGW_CASE(test_sdp_fragments_that_are_refused),
    AGW_CASE(test_sdp_round_trip_of_real_descriptions_is_exact),
    AGW_CASE(test_sdp_writer_writes_what_it_is_told),
};

AGW_UNIT_MAIN("sdp", CASES)
