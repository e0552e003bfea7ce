/* SPDX-License-Identifier: BSD-3-Clause
 * The rules bite: a good text passes, and each way of spoiling it is noticed. */
#include "control/sdp_rules.h"
#include "unit.h"

#include <string.h>

#define HEAD "v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
#define AUDIO                                                                                      \
    "m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n"    \
    "a=fmtp:96 0-15\r\na=sendrecv\r\n"
#define VIDEO                                                                                      \
    "m=video 4002 RTP/AVPF 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n"     \
    "a=rtcp-fb:97 nack pli\r\na=extmap:3 urn:3gpp:video-orientation\r\na=sendrecv\r\n"
#define FP "a=fingerprint:sha-256 AA:BB\r\n"
#define WEB_HEAD                                                                                   \
    "v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-lite\r\n"
#define WEB_AUDIO                                                                                  \
    "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 10.0.0.1\r\na=mid:0\r\na=rtpmap:8 PCMA/8000\r\n" \
    "a=ice-ufrag:abcd\r\na=ice-pwd:1234567890123456789012\r\n" FP "a=setup:passive\r\n"            \
    "a=candidate:1 1 udp 1 10.0.0.1 4000 typ host\r\na=rtcp-mux\r\n"                               \
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\n"
#define WEB_VIDEO                                                                                  \
    "m=video 4000 UDP/TLS/RTP/SAVPF 97\r\nc=IN IP4 10.0.0.1\r\na=mid:1\r\n"                        \
    "a=rtpmap:97 VP8/90000\r\na=rtcp-mux\r\na=sendrecv\r\n"
#define WEB WEB_HEAD WEB_AUDIO WEB_VIDEO

/* base with the first `from` replaced by `to`. */
static char *spoil(const char *base, const char *from, const char *to)
{
    GString *text = g_string_new(base);
    if (g_string_replace(text, from, to, 1) != 1)
        fprintf(stderr, "nothing to replace: %s\n", from);
    return g_string_free(text, FALSE);
}

typedef void rule(const char *sdp, GString *out);

static void as_syntax(const char *sdp, GString *out)
{
    sdp_rules_syntax(sdp, out);
}

static void as_ims(const char *sdp, GString *out)
{
    sdp_rules_ims(sdp, false, out);
}

static void as_web_answer(const char *sdp, GString *out)
{
    sdp_rules_webrtc(sdp, true, out);
}

static void as_web_offer(const char *sdp, GString *out)
{
    sdp_rules_webrtc(sdp, false, out);
}

static void expect(rule *check, const char *sdp, const char *complaint)
{
    GString *out = g_string_new(NULL);
    check(sdp, out);
    const bool good = complaint != NULL ? strstr(out->str, complaint) != NULL : out->len == 0;
    if (!good)
        fprintf(stderr, "expected \"%s\" of\n%sgot\n%s", complaint != NULL ? complaint : "nothing",
                sdp, out->str);
    CU_ASSERT_TRUE(good);
    g_string_free(out, TRUE);
}

static void expect_spoilt(rule *check, const char *base, const char *from, const char *to,
                          const char *complaint)
{
    char *sdp = spoil(base, from, to);
    expect(check, sdp, complaint);
    g_free(sdp);
}

static void test_rules_rfc8866_5_syntax(void)
{
    const char *good = HEAD AUDIO VIDEO;
    expect(as_syntax, good, NULL);
    expect(as_syntax, WEB, NULL);
    expect_spoilt(as_syntax, good, "\r\ns=", "\ns=", "CRLF");
    expect_spoilt(as_syntax, good, "s=-\r\n", "", "s= is missing");
    expect_spoilt(as_syntax, good, "t=0 0\r\n", "a=x\r\nt=0 0\r\n", "out of order");
    expect_spoilt(as_syntax, good, "t=0 0\r\n", "t=0 0\r\nt=0 0\r\n", "repeated");
    expect_spoilt(as_syntax, good, "c=IN IP4 10.0.0.1\r\n", "", "no c= line");
    expect_spoilt(as_syntax, good, "c=IN IP4 10.0.0.1", "c=IN IP4 0.0.0.0", "bad address");
    expect_spoilt(as_syntax, good, "c=IN IP4 10.0.0.1", "c=IN IP6 10.0.0.1", "bad address");
    expect_spoilt(as_syntax, good, "c=IN IP4 10.0.0.1", "c=IN IP4 host", "bad address");
    expect_spoilt(as_syntax, good, "a=sendrecv", "a=sendrecv\r\na=sendonly", "2 directions");
    expect_spoilt(as_syntax, good, "a=sendrecv", "a=rtcp:4001 IN IP4 0.0.0.0", "bad a=rtcp");
}

static void test_rules_rfc8866_formats(void)
{
    const char *good = HEAD AUDIO VIDEO;
    expect_spoilt(as_syntax, good, "8 96", "8 96 8", "format 8 twice");
    expect_spoilt(as_syntax, good, "8 96", "8 96 101", "without rtpmap");
    expect_spoilt(as_syntax, good, "8 96", "8", "not listed");
    expect_spoilt(as_syntax, good, "8 96", "8 72", "collides");
    expect_spoilt(as_syntax, good, "8 96", "8 x", "no payload type");
    expect_spoilt(as_syntax, good, "a=fmtp:96 0-15", "a=fmtp:96 0-15\r\na=fmtp:96 0-11",
                  "more than once");
    expect_spoilt(as_syntax, good, "a=fmtp:96 0-15", "a=fmtp:96 0-15\r\na=fmtp:96 0-15", "twice");
    expect_spoilt(as_syntax, good, "a=extmap:3 ", "a=extmap:3 urn:x\r\na=extmap:3 ", "taken");
    expect_spoilt(as_syntax, good, "H264/90000\r\na=fmtp:97 packetization-mode=1",
                  "rtx/90000\r\na=fmtp:97 apt=98", "rtx 97");
    expect_spoilt(as_syntax, WEB, "a=mid:1", "a=mid:0", "mid 0 twice");
}

static void test_rules_toward_the_ims(void)
{
    static const char *const LEAKS[] = {"a=ice-ufrag:abcd",
                                        "a=candidate:1 1 udp 1 10.0.0.1 1 typ host",
                                        "a=setup:active",
                                        "a=fingerprint:sha-256 AA",
                                        "a=mid:0",
                                        "a=msid:a b",
                                        "a=ssrc:1 cname:x",
                                        "a=rtcp-mux",
                                        "a=rtcp-rsize",
                                        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                                        "a=rtcp-fb:8 transport-cc",
                                        "a=x-google-flag:conference",
                                        "a=tls-id:x"};
    const char *good = HEAD AUDIO VIDEO;
    expect(as_ims, good, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(LEAKS); i++) {
        char *to = g_strconcat("a=fmtp:96 0-15\r\n", LEAKS[i], NULL);
        expect_spoilt(as_ims, good, "a=fmtp:96 0-15", to, "has no place here");
        g_free(to);
    }
    expect_spoilt(as_ims, good, "t=0 0", "t=0 0\r\na=group:BUNDLE 0", "has no place here");
    expect_spoilt(as_ims, good, "RTP/AVP ", "UDP/TLS/RTP/SAVPF ", "profile");
    expect_spoilt(as_ims, good, "RTP/AVP ", "RTP/SAVP ", "0 a=crypto");
    expect_spoilt(as_ims, good, "a=rtpmap:8 ", "a=crypto:1 x\r\na=rtpmap:8 ", "1 a=crypto");
    expect_spoilt(as_ims, good, "telephone-event/8000", "telephone-event/48000", "of that clock");
    expect_spoilt(as_ims, good, "PCMA/8000", "red/8000", "codec red");
    expect_spoilt(as_ims, good, "nack pli", "goog-remb", "feedback");
    expect_spoilt(as_ims, good, "RTP/AVPF", "RTP/AVP", "feedback in");
    expect_spoilt(as_ims, good, "urn:3gpp:video-orientation", "urn:other", "extension");
    expect_spoilt(as_ims, good, "audio 4000", "audio 4001", "odd RTP port");
    expect_spoilt(as_ims, good, "video 4002", "video 4000", "shares port");
    expect_spoilt(as_ims, good, "m=audio", "m=text", "not served");
}

static void test_rules_rfc8829_toward_a_browser(void)
{
    expect(as_web_answer, WEB, NULL);
    expect(as_web_offer, WEB, NULL);
    expect_spoilt(as_web_answer, WEB, "UDP/TLS/RTP/SAVPF 8", "RTP/SAVPF 8", "profile");
    expect_spoilt(as_web_answer, WEB, "a=ice-ufrag:abcd\r\n", "", "no ICE credentials");
    expect_spoilt(as_web_answer, WEB, FP, "", "no fingerprint");
    expect_spoilt(as_web_answer, WEB, "a=setup:passive\r\n", "", "setup missing");
    expect_spoilt(as_web_answer, WEB, "a=setup:passive", "a=setup:actpass", "setup actpass");
    expect_spoilt(as_web_offer, WEB, "a=setup:passive", "a=setup:actpass", NULL);
    expect_spoilt(as_web_answer, WEB, "a=rtcp-mux\r\n", "", "no rtcp-mux");
    expect_spoilt(as_web_answer, WEB, "10.0.0.1 4000 typ", "10.0.0.1 4002 typ", "no candidate");
    expect_spoilt(as_web_answer, WEB, "typ host", "typ srflx", "candidate");
    expect_spoilt(as_web_answer, WEB, "video 4000", "video 4002", "bundled, but");
    expect_spoilt(as_web_answer, WEB, "video 4000", "video 0", "group names 1");
    expect_spoilt(as_web_answer, WEB, "BUNDLE 0 1", "BUNDLE 0", "no ICE credentials");
    expect_spoilt(as_web_answer, WEB, "BUNDLE 0 1", "BUNDLE 0 1 2", "group names 2");
    expect_spoilt(as_web_answer, WEB, "a=rtcp-mux", "a=crypto:1 x\r\na=rtcp-mux", "no place");
    expect_spoilt(as_web_answer, WEB, "a=rtcp-mux", "a=tcap:1 RTP/AVPF\r\na=rtcp-mux", "no place");
    expect_spoilt(as_web_answer, WEB, "a=mid:0", "b=AS:80\r\na=mid:0", "no place");
}

static void expect_answer(const char *offer, const char *base, const char *from, const char *to,
                          const char *complaint)
{
    char *answer = spoil(base, from, to);
    GString *out = g_string_new(NULL);
    sdp_rules_answer(offer, answer, out);
    const bool good = complaint != NULL ? strstr(out->str, complaint) != NULL : out->len == 0;
    if (!good)
        fprintf(stderr, "expected \"%s\" got\n%s", complaint != NULL ? complaint : "nothing",
                out->str);
    CU_ASSERT_TRUE(good);
    g_string_free(out, TRUE);
    g_free(answer);
}

static void test_rules_rfc3264_6_plain_answers(void)
{
    const char *offer = HEAD AUDIO VIDEO, *answer = HEAD AUDIO VIDEO;
    expect_answer(offer, answer, "8 96", "8 96", NULL);
    expect_answer(offer, answer, "m=audio", "m=video", "stands where");
    expect_answer(offer, HEAD AUDIO, "8 96", "8 96", "1 medias answer 2");
    expect_answer(offer, answer, "8 96", "8 96 0", "was not offered");
    expect_answer(offer, answer, "PCMA", "PCMU", "another codec");
    expect_answer(offer, answer, "PCMA/8000", "pcma/8000/1", NULL);
    expect_answer(offer, answer, "RTP/AVPF", "RTP/AVP", "profile");
    expect_answer(offer, answer, "mode=1", "mode=0", "packetization-mode=0");
    expect_answer(offer, answer, "extmap:3", "extmap:4", "extension was not offered");
    expect_answer(offer, answer, "a=sendrecv", "a=rtcp-mux", "rtcp-mux was not offered");
    char *held = spoil(offer, "a=sendrecv", "a=sendonly");
    expect_answer(held, answer, "8 96", "8 96", "sendrecv answers sendonly");
    expect_answer(held, answer, "a=sendrecv", "a=recvonly", NULL);
    expect_answer(held, answer, "a=sendrecv", "a=inactive", NULL);
    g_free(held);
    char *refused = spoil(offer, "video 4002", "video 0");
    expect_answer(refused, answer, "8 96", "8 96", "opens what");
    expect_answer(refused, answer, "video 4002", "video 0", NULL);
    g_free(refused);
}

static void test_rules_rfc5939_answer_takes_a_capability(void)
{
    const char *offer =
        HEAD "m=video 4002 RTP/AVP 97\r\na=tcap:1 RTP/AVPF\r\na=pcfg:1 t=1\r\na=rtpmap:97 "
             "H264/90000\r\n";
    const char *answer =
        HEAD "m=video 4002 RTP/AVPF 97\r\na=acfg:1 t=1\r\na=rtpmap:97 H264/90000\r\n";
    expect_answer(offer, answer, "97", "97", NULL);
    expect_answer(offer, answer, "a=acfg:1 t=1\r\n", "", "profile");
    expect_answer(offer, answer, "RTP/AVPF", "RTP/SAVPF", "profile");
}

static void test_rules_rfc5763_5_browser_answers(void)
{
    char *offer = spoil(WEB, "setup:passive", "setup:actpass");
    expect_answer(offer, WEB, "BUNDLE 0 1", "BUNDLE 0 1", NULL);
    expect_answer(offer, WEB, "BUNDLE 0 1", "BUNDLE 0 2", "group member 2");
    expect_answer(offer, WEB, "a=mid:0", "a=mid:9", "another mid");
    expect_answer(offer, WEB, "a=mid:0\r\n", "", "no mid");
    expect_answer(offer, offer, "BUNDLE 0 1", "BUNDLE 0 1", "setup actpass answers");
    g_free(offer);
    expect_answer(WEB, WEB, "BUNDLE 0 1", "BUNDLE 0 1", "setup passive answers passive");
    expect_answer(WEB, WEB, "setup:passive", "setup:active", NULL);
    char *no_mux = spoil(WEB, "a=rtcp-mux\r\n", "");
    expect_answer(no_mux, WEB, "setup:passive", "setup:active", "rtcp-mux was not offered");
    g_free(no_mux);
}

static void expect_next(const char *base, const char *from, const char *to, const char *complaint)
{
    char *next = spoil(base, from, to);
    GString *out = g_string_new(NULL);
    sdp_rules_version(base, next, out);
    sdp_rules_succession(base, next, out);
    CU_ASSERT_TRUE(complaint != NULL ? strstr(out->str, complaint) != NULL : out->len == 0);
    g_string_free(out, TRUE);
    g_free(next);
}

static void test_rules_rfc3264_8_succession(void)
{
    const char *good = HEAD AUDIO VIDEO;
    expect_next(good, "o=- 1 2", "o=- 1 2", NULL);
    expect_next(good, "o=- 1 2", "o=- 1 3", "text unchanged");
    expect_next(good, "a=sendrecv", "a=sendonly", "text changed");
    expect_next(good, "o=- 1 2", "o=- 7 2", "another origin");
    expect_next(good, VIDEO, "", "medias vanish");
    expect_next(good, "m=video", "m=audio", "stands where");
    expect_next(WEB, "a=mid:1", "a=mid:5", "another mid");
    char *last = spoil(good, "o=- 1 2", "o=- 1 3");
    GString *out = g_string_new(NULL);
    char *next = spoil(last, "a=sendrecv", "a=sendonly");
    sdp_rules_version(good, next, out);
    CU_ASSERT_EQUAL(out->len, 0);
    g_string_free(out, TRUE);
    g_free(next);
    g_free(last);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_rules_rfc8866_5_syntax),
    AGW_CASE(test_rules_rfc8866_formats),
    AGW_CASE(test_rules_toward_the_ims),
    AGW_CASE(test_rules_rfc8829_toward_a_browser),
    AGW_CASE(test_rules_rfc3264_6_plain_answers),
    AGW_CASE(test_rules_rfc5939_answer_takes_a_capability),
    AGW_CASE(test_rules_rfc5763_5_browser_answers),
    AGW_CASE(test_rules_rfc3264_8_succession),
};

AGW_UNIT_MAIN("sdp_rules", CASES)
