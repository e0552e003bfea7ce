/* SPDX-License-Identifier: BSD-3-Clause
 * Descriptions with other codecs than the usual ones, and what payload types come of them. */
#include "bench/kit/sdp.h"
#include "unit.h"

#include <string.h>

static kit_codecs some_codecs(void)
{
    return (kit_codecs){.count = 3,
                        .codec = {{.pt = 111, .name = "opus/48000/2"},
                                  {.pt = 8, .name = "PCMA/8000"},
                                  {.pt = 126, .name = "telephone-event/48000"}}};
}

static kit_sdp_fields fields(const kit_codecs *codecs)
{
    static agw_fingerprint fp;
    const char *digest = "sha-256 D5:A0:FF:7B:0A:F7:EB:3F:E3:CD:F9:C4:27:B6:34:72:64:72:32:18:AF:"
                         "24:22:7B:AE:94:9B:C0:4F:34:F1:7C";
    kit_sdp_fields f = {.ufrag = "S37V",
                        .pwd = "w1Repjd8CDAWpDFYzn6Zz53w",
                        .cname = "A5OT9TFQRkmAoEWd",
                        .mid = "0",
                        .fingerprint = &fp,
                        .setup = KIT_SETUP_ACTPASS,
                        .codecs = codecs};
    CU_ASSERT_EQUAL_FATAL(agw_fingerprint_parse(&fp, digest, strlen(digest)), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&f.local, "10.99.0.1:4000"), AGW_OK);
    return f;
}

static kit_sdp read_back(const char *text, bool video)
{
    kit_sdp s;
    const char *why = NULL;
    CU_ASSERT_EQUAL_FATAL(kit_sdp_read(&s, text, strlen(text), video, &why), AGW_OK);
    return s;
}

static void test_codecs_are_written_by_both_parties(void)
{
    char text[KIT_SDP_MAX];
    kit_codecs c = some_codecs();
    for (unsigned i = 0; i < 4; i++) {
        kit_sdp_fields f = fields(&c);
        f.video = i % 2 == 1;
        const size_t len = i < 2 ? kit_sdp_write_phone(&f, text) : kit_sdp_write_browser(&f, text);
        CU_ASSERT_EQUAL(len, strlen(text));
        const kit_sdp s = read_back(text, f.video);
        CU_ASSERT_EQUAL_FATAL(s.codec_count, 3);
        for (size_t k = 0; k < 3; k++) {
            CU_ASSERT_EQUAL(s.codecs[k].pt, c.codec[k].pt);
            CU_ASSERT_STRING_EQUAL(s.codecs[k].name, c.codec[k].name);
        }
    }
}

static void test_codecs_keep_ours_and_send_what_the_gateway_wants(void)
{
    kit_codecs c = some_codecs();
    const kit_sdp s = read_back("v=0\r\nc=IN IP4 10.98.0.1\r\nm=audio 20000 RTP/AVP 0 97 98 8\r\n"
                                "a=rtpmap:97 OPUS/48000/2\r\na=rtpmap:98 telephone-event/48000\r\n",
                                false);
    CU_ASSERT_EQUAL(kit_codecs_take(&c, &s, false), 97);
    CU_ASSERT(c.pt_out[0] == 97 && c.pt_out[1] == 8 && c.pt_out[2] == 98);
    CU_ASSERT(c.codec[0].pt == 111 && c.codec[1].pt == 8 && c.codec[2].pt == 126);
}

static void test_codecs_of_an_answer_are_those_of_the_offer(void)
{
    kit_codecs c = some_codecs();
    const kit_sdp s = read_back("v=0\r\nc=IN IP4 10.98.0.1\r\nm=audio 20000 RTP/AVP 97 8 98\r\n"
                                "a=rtpmap:97 opus/48000/2\r\na=rtpmap:98 telephone-event/48000\r\n",
                                false);
    CU_ASSERT_EQUAL(kit_codecs_take(&c, &s, true), 97);
    CU_ASSERT(c.codec[0].pt == 97 && c.codec[1].pt == 8 && c.codec[2].pt == 98);
}

static void test_codecs_of_another_clock_rate_are_others(void)
{
    kit_codecs c = some_codecs();
    const kit_sdp s = read_back("v=0\r\nc=IN IP4 10.98.0.1\r\nm=audio 20000 RTP/AVP 97 8 98\r\n"
                                "a=rtpmap:97 opus/48000/2\r\na=rtpmap:98 telephone-event/8000\r\n",
                                false);
    CU_ASSERT_EQUAL(kit_codecs_take(&c, &s, true), -1);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_codecs_are_written_by_both_parties),
    AGW_CASE(test_codecs_keep_ours_and_send_what_the_gateway_wants),
    AGW_CASE(test_codecs_of_an_answer_are_those_of_the_offer),
    AGW_CASE(test_codecs_of_another_clock_rate_are_others),
};

AGW_UNIT_MAIN("kit: codecs", cases)
