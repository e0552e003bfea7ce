/* SPDX-License-Identifier: BSD-3-Clause
 * Descriptions: the browser's are compared with Chromium's own, what is read with captures, and
 * what is written with the gateway's parser. */
#include "bench/kit/sdp.h"

#include "control/sdp.h"
#include "unit.h"

#include <string.h>

static const char *why;

static agw_addr addr(const char *text)
{
    agw_addr a;
    AGW_ASSERT(agw_addr_parse(&a, text) == AGW_OK);
    return a;
}

static bool is_addr(const agw_addr *a, const char *text)
{
    const agw_addr b = addr(text);
    return agw_addr_equal(a, &b);
}

/* A file of tests/vectors/sdp; freed by the caller. */
static char *vector(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/vectors/sdp/%s", AGW_TEST_DIR, name);
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        CU_FAIL_FATAL("no such vector");
    return text;
}

static agw_err read_text(kit_sdp *s, const char *text)
{
    return kit_sdp_read(s, text, strlen(text), false, &why);
}

static kit_sdp_fields fields(void)
{
    static agw_fingerprint fp;
    const char *digest = "sha-256 D5:A0:FF:7B:0A:F7:EB:3F:E3:CD:F9:C4:27:B6:34:72:64:72:32:18:AF:"
                         "24:22:7B:AE:94:9B:C0:4F:34:F1:7C";
    AGW_ASSERT(agw_fingerprint_parse(&fp, digest, strlen(digest)) == AGW_OK);
    return (kit_sdp_fields){.local = addr("10.77.1.2:49110"),
                            .ufrag = "S37V",
                            .pwd = "w1Repjd8CDAWpDFYzn6Zz53w",
                            .cname = "A5OT9TFQRkmAoEWd",
                            .mid = "0",
                            .fingerprint = &fp,
                            .setup = KIT_SETUP_ACTPASS,
                            .ssrc = 2167526161,
                            .pt = 0,
                            .pt_more = 101};
}

/* --- writing --- */

/* Lines of `ours` that are not in `theirs`, o= apart. */
static unsigned foreign_lines(const char *ours, const char *theirs)
{
    unsigned foreign = 0;
    char **lines = g_strsplit(ours, "\r\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        char *whole = g_strdup_printf("%s\n", *line);
        const bool free_text = strncmp(*line, "o=", 2) == 0 || **line == '\0';
        foreign += !free_text && strstr(theirs, whole) == NULL;
        g_free(whole);
    }
    g_strfreev(lines);
    return foreign;
}

static unsigned line_count(const char *text)
{
    unsigned n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

/* Removes each '\r'. */
static char *unix_lines(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '\r')
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

static void test_sdp_browser_audio_offer_is_chromiums(void)
{
    char out[KIT_SDP_MAX];
    const kit_sdp_fields f = fields();
    char *theirs = unix_lines(vector("chromium156-opus-offer.sdp"));
    CU_ASSERT_EQUAL(kit_sdp_write_browser(&f, out), strlen(out));
    CU_ASSERT_EQUAL(foreign_lines(out, theirs), 0);
    CU_ASSERT_EQUAL(line_count(out) + 2, line_count(theirs)); /* two IPv6 candidates */
    g_free(theirs);
}

static void test_sdp_browser_video_offer_differs_in_what_it_must(void)
{
    char out[KIT_SDP_MAX];
    kit_sdp_fields f = fields();
    f.video = true;
    char *theirs = unix_lines(vector("chromium156-av-offer.sdp"));
    kit_sdp_write_browser(&f, out);
    /* group, msid-semantic, m=, 2 candidates, ufrag, pwd, fingerprint, msid, FID and 4 lines of its
     * SSRCs */
    CU_ASSERT_EQUAL(foreign_lines(out, theirs), 14);
    g_free(theirs);
}

static void test_sdp_browser_answer_has_only_what_was_offered(void)
{
    char out[KIT_SDP_MAX];
    kit_sdp_fields f = fields();
    f.answer = true;
    f.setup = KIT_SETUP_ACTIVE;
    f.mid = "audio";
    f.pt_more = -1;
    kit_sdp_write_browser(&f, out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "m=audio 49110 UDP/TLS/RTP/SAVPF 0\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "a=setup:active\r\na=mid:audio\r\n"));
    CU_ASSERT_PTR_NULL(strstr(out, "telephone-event"));
    CU_ASSERT_PTR_NULL(strchr(out, '$'));
    f.pt_more = 99;
    kit_sdp_write_browser(&f, out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "m=audio 49110 UDP/TLS/RTP/SAVPF 0 99\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "a=rtpmap:99 telephone-event/8000\r\n"));
}

static void test_sdp_every_description_is_read_by_the_gateway_and_by_us(void)
{
    for (unsigned i = 0; i < 8; i++) {
        char out[KIT_SDP_MAX];
        kit_sdp_fields f = fields();
        f.video = (i & 1) != 0;
        f.answer = (i & 2) != 0;
        f.pt = f.video ? 96 : 0;
        const size_t len =
            (i & 4) != 0 ? kit_sdp_write_phone(&f, out) : kit_sdp_write_browser(&f, out);
        agw_sdp *parsed;
        agw_sdp_why refused;
        CU_ASSERT_EQUAL_FATAL(agw_sdp_parse(&parsed, out, len, &refused), AGW_OK);
        agw_sdp_free(parsed);
        kit_sdp s;
        CU_ASSERT_EQUAL_FATAL(kit_sdp_read(&s, out, len, f.video, &why), AGW_OK);
        CU_ASSERT(is_addr(&s.connection, "10.77.1.2:49110"));
        CU_ASSERT_EQUAL(kit_sdp_pt(&s, f.video ? "VP8" : "PCMU"), f.pt);
        if ((i & 4) != 0) {
            CU_ASSERT(is_addr(&s.rtcp, "10.77.1.2:49111"));
            continue;
        }
        CU_ASSERT(is_addr(&s.candidate, "10.77.1.2:49110"));
        CU_ASSERT(s.rtcp_mux);
        CU_ASSERT_EQUAL(s.setup, KIT_SETUP_ACTPASS);
        CU_ASSERT_STRING_EQUAL(s.ufrag, "S37V");
        CU_ASSERT_STRING_EQUAL(s.pwd, "w1Repjd8CDAWpDFYzn6Zz53w");
        CU_ASSERT(agw_fingerprint_equal(&s.fingerprint, f.fingerprint));
    }
}

/* --- reading --- */

static void test_sdp_reads_rtpengines_offer(void)
{
    char *text = vector("rtpengine-offer-to-browser.sdp");
    kit_sdp s;
    CU_ASSERT_EQUAL_FATAL(read_text(&s, text), AGW_OK);
    CU_ASSERT(is_addr(&s.connection, "10.77.1.1:40041"));
    CU_ASSERT(is_addr(&s.candidate, "10.77.1.1:40041"));
    CU_ASSERT(is_addr(&s.rtcp, "10.77.1.1:40041"));
    CU_ASSERT_STRING_EQUAL(s.ufrag, "lSI24A6K");
    CU_ASSERT_STRING_EQUAL(s.pwd, "VnI7eDdUe1XbUfLeU7XOKgP7zl");
    CU_ASSERT_STRING_EQUAL(s.mid, "1");
    CU_ASSERT_EQUAL(s.fingerprint.len, 32);
    CU_ASSERT_EQUAL(s.fingerprint.bytes[0], 0xee);
    CU_ASSERT_EQUAL(s.setup, KIT_SETUP_ACTPASS);
    CU_ASSERT(s.rtcp_mux);
    CU_ASSERT_FALSE(s.ice_lite);
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "PCMA"), 8);
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "telephone-event"), 101);
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "PCMU"), -1);
    g_free(text);
}

static void test_sdp_reads_the_media_asked_for(void)
{
    char *text = vector("chromium156-av-offer.sdp");
    kit_sdp s;
    CU_ASSERT_EQUAL_FATAL(kit_sdp_read(&s, text, strlen(text), true, &why), AGW_OK);
    CU_ASSERT(is_addr(&s.connection, "10.77.1.2:52691"));
    CU_ASSERT_STRING_EQUAL(s.mid, "1");
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "H264"), 102);
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "opus"), -1);
    CU_ASSERT_EQUAL_FATAL(read_text(&s, text), AGW_OK);
    CU_ASSERT(is_addr(&s.connection, "10.77.1.2:32949"));
    CU_ASSERT_STRING_EQUAL(s.mid, "0");
    g_free(text);
}

#define HEAD  "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
#define PLAIN HEAD "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"

static void test_sdp_static_payload_type_needs_no_rtpmap(void)
{
    kit_sdp s;
    CU_ASSERT_EQUAL_FATAL(read_text(&s, PLAIN), AGW_OK);
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "pcmu"), 0);
    CU_ASSERT_EQUAL(kit_sdp_pt(&s, "PCM"), -1);
}

static void test_sdp_media_level_goes_before_session_level(void)
{
    kit_sdp s;
    CU_ASSERT_EQUAL_FATAL(read_text(&s, HEAD
                                    "c=IN IP4 192.0.2.1\na=ice-ufrag:session\na=setup:active\n"
                                    "m=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.9\na=setup:passive"),
                          AGW_OK);
    CU_ASSERT(is_addr(&s.connection, "192.0.2.9:4000"));
    CU_ASSERT_STRING_EQUAL(s.ufrag, "session");
    CU_ASSERT_EQUAL(s.setup, KIT_SETUP_PASSIVE);
}

static void test_sdp_other_sections_do_not_leak(void)
{
    kit_sdp s;
    CU_ASSERT_EQUAL_FATAL(read_text(&s,
                                    HEAD "c=IN IP4 192.0.2.1\nm=video 5000 RTP/AVP 96\na=mid:v\n"
                                         "m=audio 4000 RTP/AVP 0\na=mid:a\n"
                                         "m=audio 6000 RTP/AVP 8\na=mid:second\nm=audiox 1 x 0\n"),
                          AGW_OK);
    CU_ASSERT(is_addr(&s.connection, "192.0.2.1:4000"));
    CU_ASSERT_STRING_EQUAL(s.mid, "a");
    CU_ASSERT_EQUAL(s.codec_count, 1);
}

static void test_sdp_rtcp_where_it_is_said_or_on_the_next_port(void)
{
    kit_sdp s;
    CU_ASSERT_EQUAL(read_text(&s, PLAIN), AGW_OK);
    CU_ASSERT(is_addr(&s.rtcp, "192.0.2.1:4001"));
    CU_ASSERT_EQUAL(read_text(&s, PLAIN "a=rtcp:4007\r\n"), AGW_OK);
    CU_ASSERT(is_addr(&s.rtcp, "192.0.2.1:4007"));
    CU_ASSERT_EQUAL(read_text(&s, PLAIN "a=rtcp:4009 IN IP4 192.0.2.7\r\n"), AGW_OK);
    CU_ASSERT(is_addr(&s.rtcp, "192.0.2.7:4009"));
    CU_ASSERT_EQUAL(read_text(&s, PLAIN "a=rtcp:4009\r\na=rtcp-mux\r\n"), AGW_OK);
    CU_ASSERT(is_addr(&s.rtcp, "192.0.2.1:4000"));
}

static void test_sdp_best_usable_candidate(void)
{
    kit_sdp s;
    CU_ASSERT_EQUAL_FATAL(
        read_text(&s, PLAIN "a=candidate:1 1 tcp 900 192.0.2.2 9 typ host tcptype active\r\n"
                            "a=candidate:2 2 udp 900 192.0.2.3 4001 typ host\r\n"
                            "a=candidate:3 1 UDP 100 192.0.2.4 4004 typ host\r\n"
                            "a=candidate:4 1 udp 200 192.0.2.5 4005 typ host\r\n"
                            "a=candidate:5 1 udp 900 2001:db8::1 4006 typ host\r\n"
                            "a=candidate:6 1 udp 900 name.local 4007 typ host\r\n"
                            "a=candidate:7 1 udp 900 192.0.2.8 0 typ host\r\n"),
        AGW_OK);
    CU_ASSERT(is_addr(&s.candidate, "192.0.2.5:4005"));
}

static void test_sdp_sha256_is_preferred(void)
{
    kit_sdp s;
    static const char SHA1[] =
        "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n";
    static const char SHA256[] =
        "a=fingerprint:SHA-256 20:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:"
        "16:17:18:19:1A:1B:1C:1D:1E:1F\r\n";
    char text[1024];
    snprintf(text, sizeof text, PLAIN "%s%sa=fingerprint:md2 00\r\n", SHA1, SHA256);
    CU_ASSERT_EQUAL_FATAL(read_text(&s, text), AGW_OK);
    CU_ASSERT_EQUAL(s.fingerprint.bytes[0], 0x20);
    snprintf(text, sizeof text, PLAIN "%s%s", SHA256, SHA1);
    CU_ASSERT_EQUAL_FATAL(read_text(&s, text), AGW_OK);
    CU_ASSERT_EQUAL(s.fingerprint.bytes[0], 0x20);
}

static void test_sdp_malformed_says_why(void)
{
    static const struct {
        const char *text, *why;
    } CASES[] = {
        {"", "no m= line"},
        {HEAD, "no m= line"},
        {HEAD "m=video 4000 RTP/AVP 96\r\nc=IN IP4 192.0.2.1\r\n", "no m= line"},
        {HEAD "c=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n", "the m= line was refused"},
        {HEAD "m=audio 4000 RTP/AVP 0\r\n", "no c= line"},
        {HEAD "c=IN IP4 192.0.2.256\r\nm=audio 4000 RTP/AVP 0\r\n", "the address of the c= line"},
        {HEAD "c=IN IP4 192.0.2.1\r\nm=audio 65536 RTP/AVP 0\r\n", "the port of the m= line"},
        {HEAD "c=IN IP4 192.0.2.1\r\nm=audio -1 RTP/AVP 0\r\n", "the port of the m= line"},
        {HEAD "c=IN IP4 192.0.2.1\r\nm=audio 4000\r\n", "the profile of the m= line"},
        {HEAD "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0 128\r\n",
         "a payload type of the m= line"},
        {HEAD "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0x\r\n", "a payload type of the m= line"},
        {PLAIN "a=rtcp:x\r\n", "the port of a=rtcp"},
        {PLAIN "a=rtcp:1 IN IP4 x\r\n", "the address of a=rtcp"},
        {PLAIN "a=candidate:1 1 udp 1 192.0.2.1\r\n", "a candidate"},
        {PLAIN "a=candidate:1 1 udp x 192.0.2.1 4000 typ host\r\n", "a candidate"},
        {PLAIN "a=fingerprint:sha-256 00:01\r\n", "a=fingerprint"},
        {PLAIN "a=setup:both\r\n", "a=setup"},
        {PLAIN "a=rtpmap:x PCMU/8000\r\n", "the payload type of a=rtpmap"},
        {PLAIN "a=ice-ufrag:\r\n", "a text that is empty or too long"},
        {PLAIN "a=mid:0123456789abcdefghij\r\n", "a text that is empty or too long"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        kit_sdp s;
        CU_ASSERT_EQUAL(read_text(&s, CASES[i].text), AGW_ERR_MALFORMED);
        CU_ASSERT_STRING_EQUAL_FATAL(why, CASES[i].why);
    }
}

/* Exact-size copies let AddressSanitizer see a read past the end. */
static void test_sdp_survives_every_truncation_and_every_byte(void)
{
    char *text = vector("rtpengine-offer-to-browser.sdp");
    const size_t len = strlen(text);
    kit_sdp s;
    size_t good = 0;
    for (size_t cut = 0; cut <= len; cut++) {
        char *copy = g_memdup2(text, cut);
        good += kit_sdp_read(&s, copy, cut, false, &why) == AGW_OK;
        g_free(copy);
    }
    CU_ASSERT(good > 0 && good < len);
    for (size_t at = 0; at < len; at++) {
        const char was = text[at];
        for (unsigned c = 0; c < 256; c += 5) {
            text[at] = (char)c;
            const agw_err err = kit_sdp_read(&s, text, len, false, &why);
            CU_ASSERT_FATAL((err == AGW_OK) == (why == NULL));
        }
        text[at] = was;
    }
    g_free(text);
}

static void test_sdp_long_lines_and_many_codecs_are_bounded(void)
{
    GString *text = g_string_new(PLAIN);
    g_string_append(text, "a=fmtp:0 ");
    for (unsigned i = 0; i < 5000; i++)
        g_string_append_c(text, 'x');
    g_string_append(text, "\r\na=mid:7\r\n");
    kit_sdp s;
    CU_ASSERT_EQUAL(read_text(&s, text->str), AGW_OK);
    CU_ASSERT_STRING_EQUAL(s.mid, "7");
    g_string_assign(text, HEAD "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP");
    for (unsigned i = 0; i < 100; i++)
        g_string_append_printf(text, " %u", i);
    CU_ASSERT_EQUAL(read_text(&s, text->str), AGW_OK);
    CU_ASSERT_EQUAL(s.codec_count, KIT_SDP_CODECS);
    g_string_free(text, TRUE);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_sdp_browser_audio_offer_is_chromiums),
    AGW_CASE(test_sdp_browser_video_offer_differs_in_what_it_must),
    AGW_CASE(test_sdp_browser_answer_has_only_what_was_offered),
    AGW_CASE(test_sdp_every_description_is_read_by_the_gateway_and_by_us),
    AGW_CASE(test_sdp_reads_rtpengines_offer),
    AGW_CASE(test_sdp_reads_the_media_asked_for),
    AGW_CASE(test_sdp_static_payload_type_needs_no_rtpmap),
    AGW_CASE(test_sdp_media_level_goes_before_session_level),
    AGW_CASE(test_sdp_other_sections_do_not_leak),
    AGW_CASE(test_sdp_rtcp_where_it_is_said_or_on_the_next_port),
    AGW_CASE(test_sdp_best_usable_candidate),
    AGW_CASE(test_sdp_sha256_is_preferred),
    AGW_CASE(test_sdp_malformed_says_why),
    AGW_CASE(test_sdp_survives_every_truncation_and_every_byte),
    AGW_CASE(test_sdp_long_lines_and_many_codecs_are_bounded),
};

AGW_UNIT_MAIN("kit_sdp", CASES)
