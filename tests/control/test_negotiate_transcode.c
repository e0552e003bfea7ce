/* SPDX-License-Identifier: BSD-3-Clause
 * Which codecs are added and what is converted: the plan, the numbers over re-offers and forks, and
 * the keys of a script. What is written by zero flags is in tests/control/golden/. */
#include "codecs/repack.h"
#include "control/negotiate_fixture.h"

#define BIT(id) (UINT32_C(1) << AGW_CODEC_##id)

static void open_all(fixture *f)
{
    fixture_config(f);
    f->config.transcode = BIT(OPUS) | BIT(PCMA) | BIT(PCMU) | BIT(G722) | BIT(AMR) | BIT(AMR_WB);
    fixture_open(f);
}

/* Interfaces without profiles: what rtpengine does, to the letter. */
static void open_plain(fixture *f)
{
    fixture_config(f);
    f->config.profiles[0] = f->config.profiles[1] = AGW_REALM_NONE;
    f->config.transcode = BIT(OPUS) | BIT(PCMA) | BIT(PCMU) | BIT(G722);
    fixture_open(f);
}

#define WEB_LINE(pts, setup, codecs)                                                               \
    "m=audio 9 UDP/TLS/RTP/SAVPF " pts                                                             \
    "\n" WEB_TRANSPORT("r1kG", PWD_1, FP_1, setup) "a=mid:0\na=sendrecv\n" codecs
#define OPUS_CODECS                                                                                \
    "a=rtpmap:111 opus/48000/2\na=fmtp:111 minptime=10;useinbandfec=1\n"                           \
    "a=rtpmap:110 telephone-event/48000\n"
#define OPUS_LINE_OF_MID_1                                                                         \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 110\n" WEB_TRANSPORT(                                         \
        "r1kG", PWD_1, FP_1, "actpass") "a=mid:1\na=sendrecv\n" OPUS_CODECS
#define OPUS_OFFER                  SESSION("2") BUNDLE("0") WEB_LINE("111 110", "actpass", OPUS_CODECS)
#define PHONE(version, pts, codecs) CORE_SESSION(version) "m=audio 16000 RTP/AVP " pts "\n" codecs
#define AMR_WB_96                                                                                  \
    "a=rtpmap:96 AMR-WB/16000/1\na=fmtp:96 mode-set=0,1,2\n"                                       \
    "a=rtpmap:100 telephone-event/16000\na=ptime:40\n"
#define PLAIN(version, pts, codecs)                                                                \
    "v=0\no=- 1 " version " IN IP4 10.2.0.9\ns=-\nc=IN IP4 10.2.0.9\nt=0 0\n"                      \
    "m=audio 16000 RTP/AVP " pts "\n" codecs

/* The payload types of the m= line that was written. */
static const char *formats(const fixture *f)
{
    static char text[64];
    const char *line = last_line(f, "m=audio");
    const char *p = line != NULL ? strstr(line, "RTP/AVP ") : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    p += strlen("RTP/AVP ");
    g_snprintf(text, sizeof text, "%.*s", (int)strcspn(p, "\r"), p);
    return text;
}

static const agw_pt_plan *pt_of(const fixture *f, agw_side side, unsigned pt)
{
    const agw_end_plan *end = end_of(f, 0, side);
    for (size_t i = 0; i < end->n_pts; i++) {
        if (end->pts[i].ingress == pt)
            return &end->pts[i];
    }
    return NULL;
}

static const agw_chain_plan *chain_of(const fixture *f, agw_side side)
{
    const agw_chain_plan *chain = end_of(f, 0, side)->chain;
    CU_ASSERT_PTR_NOT_NULL_FATAL(chain);
    return chain;
}

static void test_negotiate_transcode_plan_of_both_directions(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    ANSWER(&f, AGW_SIDE_B, "", PHONE("1", "96 100", AMR_WB_96));
    const agw_chain_plan *to_phone = chain_of(&f, AGW_SIDE_A);
    CU_ASSERT_EQUAL(to_phone->n_inputs, 2);
    CU_ASSERT_EQUAL(to_phone->inputs[0].pt, 111);
    CU_ASSERT_EQUAL(to_phone->inputs[0].format.id, AGW_CODEC_OPUS);
    CU_ASSERT_EQUAL(to_phone->inputs[1].pt, 110);
    CU_ASSERT(to_phone->inputs[1].is_event);
    CU_ASSERT_EQUAL(to_phone->inputs[1].format.clock_hz, 48000);
    CU_ASSERT_EQUAL(to_phone->out_pt, 96);
    CU_ASSERT_EQUAL(to_phone->out.id, AGW_CODEC_AMR_WB);
    CU_ASSERT_EQUAL(to_phone->out.amr.mode_set, 7);
    CU_ASSERT_FALSE(to_phone->out.amr.octet_aligned);
    CU_ASSERT_EQUAL(to_phone->out.ptime_ms, 40);
    CU_ASSERT_EQUAL(to_phone->event_pt, 100);
    CU_ASSERT_EQUAL(to_phone->event_hz, 16000);
    const agw_chain_plan *to_browser = chain_of(&f, AGW_SIDE_B);
    CU_ASSERT_EQUAL(to_browser->inputs[0].pt, 96);
    CU_ASSERT_EQUAL(to_browser->out_pt, 111);
    CU_ASSERT_EQUAL(to_browser->out.id, AGW_CODEC_OPUS);
    CU_ASSERT_EQUAL(to_browser->out.ptime_ms, 20);
    CU_ASSERT_EQUAL(to_browser->event_pt, 110);
    CU_ASSERT_EQUAL(to_browser->event_hz, 48000);
    CU_ASSERT(pt_of(&f, AGW_SIDE_A, 111)->chained);
    CU_ASSERT(pt_of(&f, AGW_SIDE_A, 110)->chained);
    CU_ASSERT(pt_of(&f, AGW_SIDE_B, 96)->chained);
    CU_ASSERT_PTR_NULL(pt_of(&f, AGW_SIDE_B, 98));
    fixture_fini(&f);
}

/* Each line has its own two chains: room for all of them. */
static void test_negotiate_transcode_plan_of_two_converted_lines(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0 1") WEB_LINE("111 110", "actpass", OPUS_CODECS)
              OPUS_LINE_OF_MID_1);
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 RTP/AVP 8\nm=audio 16010 RTP/AVP 8\n");
    CU_ASSERT_EQUAL_FATAL(plan_of(&f)->n_medias, 2);
    CU_ASSERT_EQUAL(plan_of(&f)->n_chains, 4);
    for (size_t i = 0; i < 2; i++) {
        const agw_end_plan *end = plan_of(&f)->medias[i].end;
        CU_ASSERT_PTR_NOT_NULL_FATAL(end[AGW_SIDE_A].chain);
        CU_ASSERT_PTR_NOT_NULL_FATAL(end[AGW_SIDE_B].chain);
        CU_ASSERT_EQUAL(end[AGW_SIDE_A].chain->out.id, AGW_CODEC_PCMA);
        CU_ASSERT_EQUAL(end[AGW_SIDE_B].chain->out.id, AGW_CODEC_OPUS);
    }
    fixture_fini(&f);
}

/* The browser keeps its telephone events; the phone, which has none, hears tones in its codec. */
static void test_negotiate_transcode_digits_of_a_browser_become_tones(void)
{
    fixture f;
    agw_media_view view;
    agw_hearing hearing;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    ANSWER(&f, AGW_SIDE_B, "", PHONE("1", "8", "a=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT(pt_of(&f, AGW_SIDE_A, 110)->is_event);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->n_inputs, 2);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->event_hz, 0);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->event_hz, 48000);
    agw_session_media(f.session, AGW_SIDE_A, 0, &view);
    CU_ASSERT_FALSE(view.dtmf);
    CU_ASSERT(agw_session_hears(f.session, AGW_SIDE_B, &hearing));
    CU_ASSERT_EQUAL(hearing.pt, 8);
    CU_ASSERT_EQUAL(hearing.format.id, AGW_CODEC_PCMA);
    fixture_fini(&f);
}

static void test_negotiate_transcode_common_codec_has_no_chain(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    ANSWER(&f, AGW_SIDE_B, "", CORE_A);
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_B)->chain);
    CU_ASSERT_FALSE(pt_of(&f, AGW_SIDE_A, 8)->chained);
    CU_ASSERT_EQUAL(plan_of(&f)->n_chains, 0);
    fixture_fini(&f);
}

/* What may be converted is refused in its offer; what only passes is not asked about. */
static void test_negotiate_transcode_ctl_6_no_room_for_codecs_of_ours(void)
{
    fixture f;
    open_all(&f);
    fake_gateway_refuse_codecs(f.gw, "CPU usage limit exceeded", UINT64_MAX);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", OPUS_OFFER), AGW_ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(f.why, "CPU usage limit exceeded");
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "{\"flags\":[\"emergency\"]}", OPUS_OFFER), AGW_OK);
    fixture_fini(&f);
    open_all(&f);
    fake_gateway_refuse_codecs(f.gw, "CPU usage limit exceeded", UINT64_MAX);
    f.config.transcode = 0;
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_A, true, "", OPUS_OFFER), AGW_OK);
    fixture_fini(&f);
}

static void test_negotiate_transcode_ctl_6_no_room_for_what_is_answered(void)
{
    fixture f;
    open_all(&f);
    fake_gateway_refuse_codecs(f.gw, NULL, 0);
    OFFER(&f, AGW_SIDE_A, "", WEB_OFFER_A);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "", PHONE("1", "96 100", AMR_WB_96)), AGW_ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(f.why, "CPU usage limit exceeded");
    ANSWER(&f, AGW_SIDE_B, "", CORE_A); /* it only passes */
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    ANSWER(&f, AGW_SIDE_B, "", PHONE("2", "96 100", AMR_WB_96)); /* the call stands */
    CU_ASSERT_PTR_NOT_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    fixture_fini(&f);
}

static void test_negotiate_transcode_what_is_answered_costs_both_ways(void)
{
    const uint64_t us = UINT64_C(50) * (agw_codec_encode_us(AGW_CODEC_OPUS, 16000) +
                                        agw_codec_decode_us(AGW_CODEC_OPUS, 16000) +
                                        agw_codec_encode_us(AGW_CODEC_AMR_WB, 16000) +
                                        agw_codec_decode_us(AGW_CODEC_AMR_WB, 16000));
    fixture f;
    open_all(&f);
    fake_gateway_refuse_codecs(f.gw, NULL, us - 1);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "", PHONE("1", "96 100", AMR_WB_96)), AGW_ERR_LIMIT);
    fake_gateway_refuse_codecs(f.gw, NULL, us);
    CU_ASSERT_EQUAL(say(&f, AGW_SIDE_B, false, "", PHONE("1", "96 100", AMR_WB_96)), AGW_OK);
    fixture_fini(&f);
}

/* A phone that sends under the number of its own answer, and one that sends under ours. */
static void test_negotiate_transcode_rfc3264_5_1_both_numbers_come_in(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    ANSWER(&f, AGW_SIDE_B, "",
           PHONE("1", "105", "a=rtpmap:105 AMR/8000\na=fmtp:105 octet-align=1\n"));
    const agw_chain_plan *chain = chain_of(&f, AGW_SIDE_B);
    CU_ASSERT_EQUAL(chain->n_inputs, 2);
    CU_ASSERT_EQUAL(chain->inputs[0].pt, 99);
    CU_ASSERT_EQUAL(chain->inputs[1].pt, 105);
    CU_ASSERT(chain->inputs[0].format.amr.octet_aligned);
    CU_ASSERT(chain->inputs[1].format.amr.octet_aligned);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out_pt, 105);
    CU_ASSERT(chain_of(&f, AGW_SIDE_A)->out.amr.octet_aligned);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->event_hz, 0);
    CU_ASSERT(has(&f, "a=rtpmap:110")); /* they become tones */
    fixture_fini(&f);
}

static void test_negotiate_transcode_rfc3264_8_3_2_numbers_stay_over_reoffers(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    char *first = g_strdup(last_line(&f, "m=audio"));
    ANSWER(&f, AGW_SIDE_B, "", PHONE("1", "96 100", AMR_WB_96));
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    CU_ASSERT_NSTRING_EQUAL(last_line(&f, "m=audio"), first, strcspn(first, "\r"));
    /* another codec, and back */
    ANSWER(&f, AGW_SIDE_B, "", PHONE("2", "8", "a=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_PCMA);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out_pt, 111);
    OFFER(&f, AGW_SIDE_B, "", PHONE("3", "96 100", AMR_WB_96));
    CU_ASSERT(has(&f, "a=rtpmap:111 opus/48000/2"));
    CU_ASSERT(has(&f, "a=rtpmap:110 telephone-event/48000"));
    ANSWER(&f, AGW_SIDE_A, "", SESSION("3") BUNDLE("0") WEB_LINE("111 110", "active", OPUS_CODECS));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out_pt, 96);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.amr.mode_set, 7);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out_pt, 111);
    g_free(first);
    fixture_fini(&f);
}

/* Two branches with different codecs: what the earlier one still sends is understood. */
static void test_negotiate_transcode_fork_of_two_codecs(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    ANSWER(&f, AGW_SIDE_B, "{\"sip-code\":183}", PHONE("1", "96 100", AMR_WB_96));
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 111 110"));
    ANSWER(&f, AGW_SIDE_B, "{\"sip-code\":183}",
           "v=0\no=b 1 1 IN IP4 10.2.0.8\ns=-\nc=IN IP4 10.2.0.8\nt=0 0\n"
           "m=audio 18000 RTP/AVP 8\na=rtpmap:8 PCMA/8000\n");
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 111"));
    CU_ASSERT(pt_of(&f, AGW_SIDE_B, 8)->chained);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pt_of(&f, AGW_SIDE_B, 96));
    CU_ASSERT(pt_of(&f, AGW_SIDE_B, 96)->chained);
    const agw_chain_plan *chain = chain_of(&f, AGW_SIDE_B);
    bool found = false;
    for (size_t i = 0; i < chain->n_inputs; i++)
        found =
            found || (chain->inputs[i].pt == 96 && chain->inputs[i].format.id == AGW_CODEC_AMR_WB);
    CU_ASSERT(found);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_PCMA);
    ANSWER(&f, AGW_SIDE_B, "{\"sip-code\":200}", PHONE("1", "96 100", AMR_WB_96));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_AMR_WB);
    CU_ASSERT_PTR_NULL(pt_of(&f, AGW_SIDE_B, 8));
    fixture_fini(&f);
}

/* The browser answers Opus before the PCMA that both have: it sends Opus, which is no wider. */
static void test_negotiate_transcode_answerer_prefers_what_was_added(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    CU_ASSERT(has(&f, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 96 126 97"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0")
               WEB_LINE("96 8", "active", "a=rtpmap:96 opus/48000/2\na=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 8"));
    CU_ASSERT(pt_of(&f, AGW_SIDE_B, 96)->chained);
    CU_ASSERT_FALSE(pt_of(&f, AGW_SIDE_B, 8)->chained);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_PCMA);
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    fixture_fini(&f);
}

/* Wideband from end to end goes before a common codec that is narrow, if the answerer wants it. */
static void test_negotiate_transcode_wider_pair_before_a_narrow_common_codec(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          PHONE("1", "8 104", "a=rtpmap:8 PCMA/8000\na=rtpmap:104 AMR-WB/16000\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0")
               WEB_LINE("96 8", "active", "a=rtpmap:96 opus/48000/2\na=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 104"));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_AMR_WB);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_OPUS);
    fixture_fini(&f);
}

/* Chromium with Opus by preference answers Opus, and sends the PCMA of the offer all the same. */
static void test_negotiate_transcode_browser_sends_an_offered_codec_that_it_did_not_answer(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", CORE_A);
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") WEB_LINE("96", "active", "a=rtpmap:96 opus/48000/2\n"));
    CU_ASSERT(pt_of(&f, AGW_SIDE_B, 96)->chained);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pt_of(&f, AGW_SIDE_B, 8));
    CU_ASSERT(pt_of(&f, AGW_SIDE_B, 8)->chained);
    const agw_chain_plan *chain = chain_of(&f, AGW_SIDE_B);
    CU_ASSERT_EQUAL_FATAL(chain->n_inputs, 2);
    CU_ASSERT_EQUAL(chain->inputs[0].pt, 96);
    CU_ASSERT_EQUAL(chain->inputs[1].pt, 8);
    CU_ASSERT_EQUAL(chain->inputs[1].format.id, AGW_CODEC_PCMA);
    fixture_fini(&f);
}

static const agw_chain_input *input_of(const agw_chain_plan *chain, unsigned pt)
{
    for (size_t i = 0; i < chain->n_inputs; i++) {
        if (chain->inputs[i].pt == pt)
            return &chain->inputs[i];
    }
    return NULL;
}

static const agw_chain_input NO_INPUT;

static const agw_chain_input *input_or_none(const agw_chain_plan *chain, unsigned pt)
{
    const agw_chain_input *in = input_of(chain, pt);
    return in != NULL ? in : &NO_INPUT;
}

/* The phone's CN has its codec's clock, and one more that nothing goes with. */
static void test_negotiate_transcode_rfc3389_4_noise_of_the_clock_is_an_input(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          PHONE("1", "8 13 105", "a=rtpmap:8 PCMA/8000\na=rtpmap:105 CN/16000\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") WEB_LINE("96", "active", "a=rtpmap:96 opus/48000/2\n"));
    CU_ASSERT_STRING_EQUAL(formats(&f), "8 13");
    CU_ASSERT(input_or_none(chain_of(&f, AGW_SIDE_A), 13)->is_noise);
    CU_ASSERT_PTR_NULL(input_of(chain_of(&f, AGW_SIDE_A), 105));
    CU_ASSERT_FALSE(chain_of(&f, AGW_SIDE_A)->has_noise);
    CU_ASSERT(chain_of(&f, AGW_SIDE_B)->has_noise);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->noise_pt, 13);
    CU_ASSERT(pt_of(&f, AGW_SIDE_A, 13)->chained);
    fixture_fini(&f);
}

/* Telephone events at that clock are no codec that it could go with. */
static void test_negotiate_transcode_rfc3389_4_noise_at_the_clock_of_events_is_no_input(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0") WEB_LINE("111 101 98", "actpass",
                                            "a=rtpmap:111 opus/48000/2\n"
                                            "a=rtpmap:101 telephone-event/16000\n"
                                            "a=rtpmap:98 CN/16000\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           PHONE("1", "8 101 98",
                 "a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/16000\n"
                 "a=rtpmap:98 CN/16000\n"));
    CU_ASSERT(input_or_none(chain_of(&f, AGW_SIDE_B), 101)->is_event);
    CU_ASSERT_PTR_NULL(input_of(chain_of(&f, AGW_SIDE_B), 98));
    fixture_fini(&f);
}

/* Whatever its number and clock, and wherever it stands: the codec is the one beside it. */
static void test_negotiate_transcode_rfc3389_4_noise_is_never_the_codec(void)
{
    static const char *const OTHERS[] = {"98 CN/16000", "98 CN/8000", "98 cn/48000", "13 CN/8000"};
    for (size_t i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
        fixture f;
        agw_media_view view;
        open_all(&f);
        char *phone = g_strdup_printf(PHONE("1", "%.2s 8", "a=rtpmap:%s\na=rtpmap:8 PCMA/8000\n"),
                                      OTHERS[i], OTHERS[i]);
        OFFER(&f, AGW_SIDE_A, "", phone);
        ANSWER(&f, AGW_SIDE_B, "",
               SESSION("2") BUNDLE("0") WEB_LINE("111", "active", "a=rtpmap:111 opus/48000/2\n"));
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_OPUS);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->inputs[0].pt, 8);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_PCMA);
        agw_session_media(f.session, AGW_SIDE_A, 0, &view);
        CU_ASSERT_STRING_EQUAL(view.codec, "PCMA/8000");
        g_free(phone);
        fixture_fini(&f);
    }
}

/* The answerer names it first: what passes is G.711, and nothing is converted. */
static void test_negotiate_transcode_rfc3389_4_noise_answered_first_is_not_preferred(void)
{
    fixture f;
    agw_media_view view;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0") WEB_LINE("111 98 8", "actpass",
                                            "a=rtpmap:111 opus/48000/2\na=rtpmap:98 CN/16000\n"
                                            "a=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT(has(&f, "a=rtpmap:98 CN/16000"));
    ANSWER(&f, AGW_SIDE_B, "", PHONE("1", "98 8", "a=rtpmap:98 CN/16000\na=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_B)->chain);
    agw_session_media(f.session, AGW_SIDE_B, 0, &view);
    CU_ASSERT_STRING_EQUAL(view.codec, "PCMA/8000");
    fixture_fini(&f);
}

/* AMR has SID frames of its own, although CN/8000 would fit its clock. */
static void test_negotiate_transcode_rfc3389_1_amr_needs_no_noise(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", PHONE("1", "104 13", "a=rtpmap:104 AMR/8000\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") WEB_LINE("96", "active", "a=rtpmap:96 opus/48000/2\n"));
    CU_ASSERT_STRING_EQUAL(formats(&f), "104");
    CU_ASSERT_PTR_NULL(input_of(chain_of(&f, AGW_SIDE_A), 13));
    CU_ASSERT_FALSE(chain_of(&f, AGW_SIDE_B)->has_noise);
    fixture_fini(&f);
}

static void test_negotiate_transcode_rfc2198_red_where_the_browser_prefers_it(void)
{
    static const struct {
        const char *pts, *answered;
        bool red;
    } CASES[] = {{"63 111", "63 111", true}, {"111 63", "111", false}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        fixture f;
        open_all(&f);
        char *offer = g_strdup_printf(
            SESSION("2") BUNDLE("0") "m=audio 9 UDP/TLS/RTP/SAVPF %s\n" WEB_TRANSPORT(
                "r1kG", PWD_1, FP_1, "actpass") "a=mid:0\na=rtpmap:63 red/48000/2\n"
                                                "a=fmtp:63 111/111\na=rtpmap:111 opus/48000/2\n",
            CASES[i].pts);
        OFFER(&f, AGW_SIDE_A, "", offer);
        CU_ASSERT_FALSE(has(&f, "red"));
        ANSWER(&f, AGW_SIDE_B, "", PHONE("1", "8", "a=rtpmap:8 PCMA/8000\n"));
        char *written = g_strdup_printf(" UDP/TLS/RTP/SAVPF %s\r", CASES[i].answered);
        CU_ASSERT_PTR_NOT_NULL(strstr(last_line(&f, "m=audio"), written));
        CU_ASSERT_EQUAL(input_or_none(chain_of(&f, AGW_SIDE_A), 63)->is_red, CASES[i].red);
        g_free(written);
        g_free(offer);
        fixture_fini(&f);
    }
}

/* What is encoded for a party finds room in its b=AS (TS 26.114 section 6.2.5). */
static void test_negotiate_transcode_26114_6_2_5_bandwidth_of_a_party_limits(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER "b=AS:30\n");
    ANSWER(&f, AGW_SIDE_B, "",
           CORE_SESSION("1") "m=audio 16000 RTP/AVP 96\nb=AS:26\na=rtpmap:96 AMR-WB/16000\n");
    CU_ASSERT_EQUAL(agw_codec_mode_within(&chain_of(&f, AGW_SIDE_A)->out,
                                          chain_of(&f, AGW_SIDE_A)->out.bitrate_bps),
                    1);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.opus.max_average_bps, 15000);
    fixture_fini(&f);
}

/* The browser prefers the Opus that was added, but may send the phone's AMR, which passes: what is
 * encoded for the phone keeps to its b=AS and to codec-set all the same. */
static void test_negotiate_transcode_26114_6_2_5_one_way_has_the_same_limits(void)
{
    static const struct {
        const char *keys, *limit;
        unsigned bps;
    } CASES[] = {{"", "b=AS:24\n", 8200},
                 {"{\"flags\":[\"codec-set-AMR/8000/1/7400\"]}", "", 7400}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        fixture f;
        char *offer =
            g_strconcat(PHONE("1", "104", "a=rtpmap:104 AMR/8000\n"), CASES[i].limit, NULL);
        open_all(&f);
        OFFER(&f, AGW_SIDE_A, CASES[i].keys, offer);
        ANSWER(&f, AGW_SIDE_B, "",
               SESSION("2") BUNDLE("0") WEB_LINE(
                   "96 104", "active", "a=rtpmap:96 opus/48000/2\na=rtpmap:104 AMR/8000\n"));
        CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_AMR);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.bitrate_bps, CASES[i].bps);
        g_free(offer);
        fixture_fini(&f);
    }
}

/* What the codec cannot make is not waited for: Opus has 10, 20, 40, 60 ms and so on. */
static void test_negotiate_transcode_rfc4566_6_ptime_is_one_of_the_codec(void)
{
    static const struct {
        const char *key, *attr;
        unsigned ms;
    } CASES[] = {{"", "a=ptime:30\n", 20},          {"", "a=ptime:50\n", 40},
                 {"", "a=ptime:110\n", 100},        {"", "a=ptime:70\na=maxptime:50\n", 40},
                 {"", "a=ptime:10\n", 10},          {"", "a=ptime:200\n", 120},
                 {"{\"ptime-reverse\":90}", "", 80}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        fixture f;
        char *offer = g_strconcat(OPUS_OFFER, CASES[i].attr, NULL);
        open_all(&f);
        OFFER(&f, AGW_SIDE_A, CASES[i].key, offer);
        ANSWER(&f, AGW_SIDE_B, "", PHONE("1", "96 100", AMR_WB_96));
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_OPUS);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.ptime_ms, CASES[i].ms);
        g_free(offer);
        fixture_fini(&f);
    }
}

/* 20 ms of it are more than a packet holds. */
static void test_negotiate_transcode_rfc3551_4_5_11_l16_fits_into_a_packet(void)
{
    fixture f;
    open_all(&f);
    f.config.transcode |= BIT(L16);
    OFFER(&f, AGW_SIDE_A, "", PHONE("1", "104", "a=rtpmap:104 L16/48000\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") WEB_LINE("96", "active", "a=rtpmap:96 opus/48000/2\n"));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_L16);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.clock_hz, 48000);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.ptime_ms, 10);
    fixture_fini(&f);
}

/* Where it passes, what we put in its place fits as well. */
static void test_negotiate_transcode_ng_4_silence_of_l16_fits_into_a_packet(void)
{
    static const uint8_t ACTS[2] = {0, AGW_ACT_SILENCE};
    fixture f;
    agw_hearing hearing;
    const agw_audio_plan *l16 = NULL;
    open_plain(&f);
    OFFER(&f, AGW_SIDE_A, "", PLAIN("1", "104", "a=rtpmap:104 L16/48000\n"));
    ANSWER(&f, AGW_SIDE_B, "", PLAIN("1", "104", "a=rtpmap:104 L16/48000\n"));
    agw_session_set_acts(f.session, ACTS);
    for (size_t i = 0; i < end_of(&f, 0, AGW_SIDE_B)->n_audios; i++) {
        if (end_of(&f, 0, AGW_SIDE_B)->audios[i].pt == 104)
            l16 = &end_of(&f, 0, AGW_SIDE_B)->audios[i];
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(l16);
    CU_ASSERT(l16->format.id == AGW_CODEC_L16 && l16->format.clock_hz == 48000);
    CU_ASSERT(l16->silence_repeats && l16->silence_len != 0);
    CU_ASSERT_EQUAL(l16->silence[0], 0);
    CU_ASSERT_TRUE(agw_session_hears(f.session, AGW_SIDE_B, &hearing));
    CU_ASSERT_EQUAL(hearing.format.ptime_ms, 10);
    fixture_fini(&f);
}

/* --- one codec in two forms --------------------------------------------------------------- */

static void open_sip_to_ims(fixture *f)
{
    fixture_config(f);
    f->config.profiles[0] = AGW_REALM_SIP;
    f->config.profiles[1] = AGW_REALM_IMS;
    f->config.transcode = BIT(OPUS) | BIT(PCMA) | BIT(PCMU) | BIT(G722) | BIT(AMR) | BIT(AMR_WB);
    fixture_open(f);
}

#define EFFICIENT(fmtp)                                                                            \
    "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 104 "     \
    "101\n"                                                                                        \
    "a=rtpmap:104 AMR-WB/16000\n" fmtp "a=rtpmap:101 telephone-event/16000\na=fmtp:101 0-15\n"
#define OCTETS(pt, fmtp)                                                                           \
    PHONE("1", #pt " 101",                                                                         \
          "a=rtpmap:" #pt " AMR-WB/16000\na=fmtp:" #pt " octet-align=1" fmtp                       \
          "\na=rtpmap:101 telephone-event/16000\na=fmtp:101 0-15\n")
#define TO_CORE      "{\"direction\":[\"access\",\"core\"]}"
#define TO_OCTETS    (AGW_FORM_AMR_WB_OCTETS << 4 | AGW_FORM_AMR_WB)
#define TO_EFFICIENT (AGW_FORM_AMR_WB << 4 | AGW_FORM_AMR_WB_OCTETS)

static const agw_pt_plan NO_PT;

static const agw_pt_plan *pt_or_none(const fixture *f, agw_side side, unsigned pt)
{
    const agw_pt_plan *found = pt_of(f, side, pt);
    return found != NULL ? found : &NO_PT;
}

/* The offered mode-set goes with the form that is added; digits pass beside. */
static void test_negotiate_transcode_rfc4867_8_3_1_two_forms_are_repacked(void)
{
    fixture f;
    open_sip_to_ims(&f);
    OFFER(&f, AGW_SIDE_A, TO_CORE, EFFICIENT("a=fmtp:104 mode-set=0,1,2\n"));
    CU_ASSERT(has(&f, "a=fmtp:96 octet-align=1;mode-set=0,1,2;"));
    ANSWER(&f, AGW_SIDE_B, "", OCTETS(96, ";mode-set=0,1,2"));
    CU_ASSERT_STRING_EQUAL(formats(&f), "104 101");
    CU_ASSERT(has(&f, "a=fmtp:104 mode-set=0,1,2"));
    CU_ASSERT_FALSE(has(&f, "a=fmtp:104 octet-align"));
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 104)->repack, TO_OCTETS);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 104)->egress, 96);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_B, 96)->repack, TO_EFFICIENT);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_B, 96)->egress, 104);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 101)->egress, 101);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 101)->repack, 0);
    fixture_fini(&f);
}

/* Who offered without a mode-set is told that of the answer. */
static void test_negotiate_transcode_rfc4867_8_3_1_answered_mode_set_is_told(void)
{
    fixture f;
    open_sip_to_ims(&f);
    OFFER(&f, AGW_SIDE_A, TO_CORE, EFFICIENT(""));
    ANSWER(&f, AGW_SIDE_B, "", OCTETS(96, ";mode-set=0,2"));
    CU_ASSERT(has(&f, "a=fmtp:104 mode-set=0,2;"));
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 104)->repack, TO_OCTETS);
    fixture_fini(&f);
}

/* The answerer may send modes that the offerer does not take: that is converted. */
static void test_negotiate_transcode_rfc4867_8_3_1_other_mode_set_is_converted(void)
{
    fixture f;
    open_sip_to_ims(&f);
    OFFER(&f, AGW_SIDE_A, TO_CORE, EFFICIENT("a=fmtp:104 mode-set=0,1,2\n"));
    ANSWER(&f, AGW_SIDE_B, "", OCTETS(96, ""));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.amr.mode_set, 7);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 104)->repack, 0);
    fixture_fini(&f);
}

/* Audio of ours stays within the mode-set of who hears it, passed or rewritten. */
static void test_negotiate_transcode_rfc4867_8_1_played_audio_has_the_mode_set(void)
{
    static const char *const ANSWERS[] = {OCTETS(96, ";mode-set=0,1,2"),
                                          PHONE("1", "104",
                                                "a=rtpmap:104 AMR-WB/16000\n"
                                                "a=fmtp:104 mode-set=0,1,2\n")};
    for (size_t i = 0; i < G_N_ELEMENTS(ANSWERS); i++) {
        fixture f;
        open_sip_to_ims(&f);
        OFFER(&f, AGW_SIDE_A, TO_CORE, EFFICIENT("a=fmtp:104 mode-set=0,1,2\n"));
        ANSWER(&f, AGW_SIDE_B, "", ANSWERS[i]);
        for (int side = 0; side < 2; side++) {
            agw_hearing hearing;
            CU_ASSERT_TRUE_FATAL(agw_session_hears(f.session, (agw_side)side, &hearing));
            CU_ASSERT_EQUAL(hearing.format.id, AGW_CODEC_AMR_WB);
            CU_ASSERT_EQUAL(hearing.format.amr.mode_set, 7);
            CU_ASSERT_EQUAL(hearing.format.amr.octet_aligned, side == AGW_SIDE_B && i == 0);
        }
        fixture_fini(&f);
    }
}

static void test_negotiate_transcode_rfc4867_two_forms_over_reoffers(void)
{
    fixture f;
    open_sip_to_ims(&f);
    OFFER(&f, AGW_SIDE_A, TO_CORE, EFFICIENT(""));
    ANSWER(&f, AGW_SIDE_B, "", OCTETS(96, ""));
    OFFER(&f, AGW_SIDE_B, "",
          PHONE("2", "96", "a=rtpmap:96 AMR-WB/16000\na=fmtp:96 octet-align=1\n"));
    CU_ASSERT(has(&f, "a=rtpmap:104 AMR-WB/16000"));
    CU_ASSERT_FALSE(has(&f, "a=fmtp:104 octet-align"));
    ANSWER(&f, AGW_SIDE_A, "", EFFICIENT(""));
    CU_ASSERT_STRING_EQUAL(formats(&f), "96");
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 104)->repack, TO_OCTETS);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_A, 104)->egress, 96);
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_B, 96)->repack, TO_EFFICIENT);
    /* another codec, which both have */
    OFFER(&f, AGW_SIDE_A, TO_CORE, PHONE("3", "8", "a=rtpmap:8 PCMA/8000\n"));
    ANSWER(&f, AGW_SIDE_B, "", PHONE("3", "8", "a=rtpmap:8 PCMA/8000\n"));
    CU_ASSERT_PTR_NULL(pt_of(&f, AGW_SIDE_B, 96));
    CU_ASSERT_EQUAL(pt_or_none(&f, AGW_SIDE_B, 8)->repack, 0);
    fixture_fini(&f);
}

static void test_negotiate_transcode_rfc4867_crc_is_refused(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          PHONE("1", "104 105",
                "a=rtpmap:104 AMR-WB/16000\na=fmtp:104 octet-align=1; crc=1\n"
                "a=rtpmap:105 AMR/8000\n"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") WEB_LINE("96", "active", "a=rtpmap:96 opus/48000/2\n"));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 105"));
    fixture_fini(&f);
}

static void test_negotiate_transcode_nothing_is_added_to_what_cannot_be_converted(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "",
          SESSION("2") BUNDLE("0") WEB_LINE("99", "actpass", "a=rtpmap:99 iSAC/16000\n"));
    CU_ASSERT(has(&f, "m=audio 30000 RTP/AVP 99\r"));
    fixture_fini(&f);
}

static void test_negotiate_transcode_script_rules_hold_for_what_is_added(void)
{
    fixture f;
    open_all(&f);
    OFFER(&f, AGW_SIDE_A, "{\"flags\":[\"codec-strip-AMR-WB\",\"codec-strip-PCMU\"]}", OPUS_OFFER);
    CU_ASSERT_FALSE(has(&f, "a=rtpmap:96 AMR-WB"));
    CU_ASSERT_FALSE(has(&f, "a=rtpmap:0"));
    CU_ASSERT(has(&f, "a=rtpmap:8 PCMA"));
    fixture_fini(&f);
}

/* --- keys, without profiles --------------------------------------------------------------- */

#define G711 "a=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\n"

static void test_negotiate_transcode_only_when_asked_without_profiles(void)
{
    fixture f;
    open_plain(&f);
    OFFER(&f, AGW_SIDE_A, "", PLAIN("1", "8 0 101", G711));
    CU_ASSERT_EQUAL(count(&f, "a=rtpmap:"), 3);
    fixture_fini(&f);
}

static void test_negotiate_transcode_ng_6_codec_transcode(void)
{
    fixture f;
    open_plain(&f);
    OFFER(&f, AGW_SIDE_A,
          "{\"codec\":{\"transcode\":[\"opus/48000/2/16000/20/useinbandfec--0\"],"
          "\"mask\":[\"PCMA\",\"PCMU\"]}}",
          PLAIN("1", "8 0 101", G711));
    CU_ASSERT_STRING_EQUAL(formats(&f), "96 97");
    CU_ASSERT(has(&f, "a=rtpmap:96 opus/48000/2"));
    CU_ASSERT(has(&f, "a=fmtp:96 useinbandfec=0"));
    CU_ASSERT(has(&f, "a=rtpmap:97 telephone-event/48000"));
    ANSWER(&f, AGW_SIDE_B, "",
           PLAIN("1", "96 97", "a=rtpmap:96 opus/48000/2\na=rtpmap:97 telephone-event/48000\n"));
    CU_ASSERT_STRING_EQUAL(formats(&f), "8 101");
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_OPUS);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.bitrate_bps, 16000);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out_pt, 8);
    fixture_fini(&f);
}

static void calls_with(fixture *f, const char *keys)
{
    open_plain(f);
    OFFER(f, AGW_SIDE_A, keys,
          PLAIN("1", "111 8 101",
                "a=rtpmap:111 opus/48000/2\na=rtpmap:8 PCMA/8000\n"
                "a=rtpmap:101 telephone-event/8000\n"));
    ANSWER(f, AGW_SIDE_B, "",
           PLAIN("1", "8 101", "a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n"));
}

static void test_negotiate_transcode_ng_6_mask_alone_converts_nothing(void)
{
    fixture f;
    calls_with(&f, "{\"flags\":[\"codec-mask-opus\"]}");
    CU_ASSERT_STRING_EQUAL(formats(&f), "8 101");
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    fixture_fini(&f);
}

static void test_negotiate_transcode_ng_6_consume_accept_always_transcode(void)
{
    static const char *const KEYS[] = {"codec-consume-opus", "codec-accept-opus",
                                       "codec-accept-all", "always-transcode"};
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        fixture f;
        char *keys = g_strdup_printf("{\"flags\":[\"%s\"]}", KEYS[i]);
        calls_with(&f, keys);
        CU_ASSERT_STRING_EQUAL(formats(&f), "111 101");
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->inputs[0].pt, 111);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_PCMA);
        CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_OPUS);
        g_free(keys);
        fixture_fini(&f);
    }
}

static void test_negotiate_transcode_ng_6_codec_set(void)
{
    fixture f;
    calls_with(&f, "{\"flags\":[\"codec-accept-opus\",\"codec-set-opus/48000/2/24000\"]}");
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.bitrate_bps, 24000);
    fixture_fini(&f);
}

static const agw_codec_format *set_with(fixture *f, const char *key)
{
    char *keys = g_strdup_printf("{\"flags\":[\"codec-accept-opus\",\"codec-set-%s\"]}", key);
    calls_with(f, keys);
    g_free(keys);
    return &chain_of(f, AGW_SIDE_B)->out;
}

static void test_negotiate_transcode_ng_6_codec_set_has_every_part(void)
{
    fixture f;
    const agw_codec_format *out =
        set_with(&f, "opus/48000/2/18000/40/usedtx--1;maxplaybackrate--16000/"
                     "complexity--9,application--audio");
    CU_ASSERT_EQUAL(out->bitrate_bps, 18000);
    CU_ASSERT_EQUAL(out->ptime_ms, 40);
    CU_ASSERT_TRUE(out->opus.dtx);
    CU_ASSERT_EQUAL(out->opus.max_playback_hz, 16000);
    CU_ASSERT_EQUAL(out->opus.effort, 10);
    CU_ASSERT_EQUAL(out->opus.application, AGW_OPUS_AUDIO);
    fixture_fini(&f);
    out = set_with(&f, "opus/48000/2/////packet_loss--30"); /* one too many: not an option */
    CU_ASSERT_EQUAL(out->opus.loss_percent, 0);
    fixture_fini(&f);
    out = set_with(&f, "opus/48000/2///usedtx--7/complexity--11 frob--1 packet_loss--30");
    CU_ASSERT_FALSE(out->opus.dtx);
    CU_ASSERT_EQUAL(out->opus.effort, 0);
    CU_ASSERT_EQUAL(out->opus.loss_percent, 30); /* what is good is taken */
    fixture_fini(&f);
    out = set_with(&f, "PCMA/8000/1///usedtx--1"); /* of another codec */
    CU_ASSERT_FALSE(out->opus.dtx);
    fixture_fini(&f);
}

static void test_negotiate_transcode_ng_6_ptime_repacks(void)
{
    fixture f;
    calls_with(&f, "{\"ptime\":40,\"flags\":[\"codec-strip-opus\"]}");
    CU_ASSERT_STRING_EQUAL(formats(&f), "8 101");
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_PCMA);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.ptime_ms, 40);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.ptime_ms, 20);
    fixture_fini(&f);
    calls_with(&f, "{\"ptime\":20,\"flags\":[\"codec-strip-opus\"]}");
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    fixture_fini(&f);
}

static void test_negotiate_transcode_ng_6_transcode_of_what_is_unknown_adds_nothing(void)
{
    fixture f;
    open_plain(&f);
    OFFER(&f, AGW_SIDE_A,
          "{\"codec\":{\"transcode\":[\"EVS\",\"foo\",\"\",\"opus/8000\",\"PCMA\"]}}",
          PLAIN("1", "8 0 101", G711));
    CU_ASSERT_EQUAL(count(&f, "a=rtpmap:"), 3);
    fixture_fini(&f);
}

/* --- EVS ---------------------------------------------------------------------------------- */

#define EVS_PHONE(pt, fmtp)                                                                        \
    PHONE("1", #pt, "a=rtpmap:" #pt " EVS/16000/1\na=fmtp:" #pt " " fmtp "\n")

/* Without a library it passes between those who have it, whatever their realms are. */
static void test_negotiate_transcode_26114_evs_passes(void)
{
    fixture f;
    open_sip_to_ims(&f);
    OFFER(&f, AGW_SIDE_A, TO_CORE, EVS_PHONE(127, "br=5.9-24.4;bw=nb-swb"));
    CU_ASSERT(has(&f, "a=fmtp:127 br=5.9-24.4;bw=nb-swb"));
    ANSWER(&f, AGW_SIDE_B, "", EVS_PHONE(127, "br=5.9-24.4;bw=nb-swb;ch-aw-recv=3"));
    CU_ASSERT(has(&f, "a=fmtp:127 br=5.9-24.4;bw=nb-swb;ch-aw-recv=3"));
    CU_ASSERT_PTR_NULL(end_of(&f, 0, AGW_SIDE_A)->chain);
    fixture_fini(&f);
}

static void test_negotiate_transcode_26114_5_2_1_evs_of_a_plugin_is_offered(void)
{
    fixture f;
    open_all(&f);
    f.config.transcode |= BIT(EVS);
    OFFER(&f, AGW_SIDE_A, "", OPUS_OFFER);
    CU_ASSERT(has(&f, "a=rtpmap:96 EVS/16000"));
    CU_ASSERT(has(&f, "a=fmtp:96 br=5.9-24.4;bw=nb-swb"));
    ANSWER(&f, AGW_SIDE_B, "", EVS_PHONE(96, "br=5.9-13.2;bw=nb-wb"));
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.id, AGW_CODEC_EVS);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->out.evs.max_bps, 13200);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_B)->out.id, AGW_CODEC_OPUS);
    fixture_fini(&f);
}

/* What a phone offered of it is answered. */
static void test_negotiate_transcode_26445_a_3_3_offered_evs_is_answered(void)
{
    fixture f;
    open_all(&f);
    f.config.transcode |= BIT(EVS);
    OFFER(&f, AGW_SIDE_A, "", EVS_PHONE(127, "hf-only=1;br=5.9-24.4;bw=swb;max-red=0"));
    CU_ASSERT_FALSE(has(&f, "a=rtpmap:127 EVS"));
    ANSWER(&f, AGW_SIDE_B, "",
           SESSION("2") BUNDLE("0") WEB_LINE("96", "active", "a=rtpmap:96 opus/48000/2\n"));
    CU_ASSERT(has(&f, "a=fmtp:127 hf-only=1;br=5.9-24.4;bw=nb-swb"));
    CU_ASSERT(chain_of(&f, AGW_SIDE_B)->out.evs.hf_only);
    CU_ASSERT_EQUAL(chain_of(&f, AGW_SIDE_A)->inputs[0].format.id, AGW_CODEC_EVS);
    CU_ASSERT(chain_of(&f, AGW_SIDE_A)->inputs[0].format.evs.hf_only);
    fixture_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_negotiate_transcode_plan_of_both_directions),
    AGW_CASE(test_negotiate_transcode_plan_of_two_converted_lines),
    AGW_CASE(test_negotiate_transcode_digits_of_a_browser_become_tones),
    AGW_CASE(test_negotiate_transcode_common_codec_has_no_chain),
    AGW_CASE(test_negotiate_transcode_ctl_6_no_room_for_codecs_of_ours),
    AGW_CASE(test_negotiate_transcode_ctl_6_no_room_for_what_is_answered),
    AGW_CASE(test_negotiate_transcode_what_is_answered_costs_both_ways),
    AGW_CASE(test_negotiate_transcode_rfc3264_5_1_both_numbers_come_in),
    AGW_CASE(test_negotiate_transcode_rfc3264_8_3_2_numbers_stay_over_reoffers),
    AGW_CASE(test_negotiate_transcode_fork_of_two_codecs),
    AGW_CASE(test_negotiate_transcode_answerer_prefers_what_was_added),
    AGW_CASE(test_negotiate_transcode_wider_pair_before_a_narrow_common_codec),
    AGW_CASE(test_negotiate_transcode_browser_sends_an_offered_codec_that_it_did_not_answer),
    AGW_CASE(test_negotiate_transcode_rfc3389_4_noise_of_the_clock_is_an_input),
    AGW_CASE(test_negotiate_transcode_rfc3389_4_noise_at_the_clock_of_events_is_no_input),
    AGW_CASE(test_negotiate_transcode_rfc3389_4_noise_is_never_the_codec),
    AGW_CASE(test_negotiate_transcode_rfc3389_4_noise_answered_first_is_not_preferred),
    AGW_CASE(test_negotiate_transcode_rfc3389_1_amr_needs_no_noise),
    AGW_CASE(test_negotiate_transcode_rfc2198_red_where_the_browser_prefers_it),
    AGW_CASE(test_negotiate_transcode_26114_6_2_5_bandwidth_of_a_party_limits),
    AGW_CASE(test_negotiate_transcode_26114_6_2_5_one_way_has_the_same_limits),
    AGW_CASE(test_negotiate_transcode_rfc4566_6_ptime_is_one_of_the_codec),
    AGW_CASE(test_negotiate_transcode_rfc3551_4_5_11_l16_fits_into_a_packet),
    AGW_CASE(test_negotiate_transcode_ng_4_silence_of_l16_fits_into_a_packet),
    AGW_CASE(test_negotiate_transcode_rfc4867_8_3_1_two_forms_are_repacked),
    AGW_CASE(test_negotiate_transcode_rfc4867_8_3_1_answered_mode_set_is_told),
    AGW_CASE(test_negotiate_transcode_rfc4867_8_3_1_other_mode_set_is_converted),
    AGW_CASE(test_negotiate_transcode_rfc4867_8_1_played_audio_has_the_mode_set),
    AGW_CASE(test_negotiate_transcode_rfc4867_two_forms_over_reoffers),
    AGW_CASE(test_negotiate_transcode_rfc4867_crc_is_refused),
    AGW_CASE(test_negotiate_transcode_nothing_is_added_to_what_cannot_be_converted),
    AGW_CASE(test_negotiate_transcode_script_rules_hold_for_what_is_added),
    AGW_CASE(test_negotiate_transcode_only_when_asked_without_profiles),
    AGW_CASE(test_negotiate_transcode_ng_6_codec_transcode),
    AGW_CASE(test_negotiate_transcode_ng_6_mask_alone_converts_nothing),
    AGW_CASE(test_negotiate_transcode_ng_6_consume_accept_always_transcode),
    AGW_CASE(test_negotiate_transcode_ng_6_codec_set),
    AGW_CASE(test_negotiate_transcode_ng_6_codec_set_has_every_part),
    AGW_CASE(test_negotiate_transcode_ng_6_ptime_repacks),
    AGW_CASE(test_negotiate_transcode_ng_6_transcode_of_what_is_unknown_adds_nothing),
    AGW_CASE(test_negotiate_transcode_26114_evs_passes),
    AGW_CASE(test_negotiate_transcode_26114_5_2_1_evs_of_a_plugin_is_offered),
    AGW_CASE(test_negotiate_transcode_26445_a_3_3_offered_evs_is_answered),
};

AGW_UNIT_MAIN("negotiate_transcode", CASES)
