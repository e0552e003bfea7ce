/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP translation: a browser (s) and a phone (d). Both sides have changed their SSRC once, so that
 * every mapping differs from doing nothing. */
#include "base/wire.h"
#include "rtp/feedback.h"
#include "unit.h"

#include <stdarg.h>
#include <string.h>

/* SSRCs: what the browser sends, what the phone sees of it; what the phone sends, what the browser
 * sees of it; and somebody else's. */
enum { BROWSER = 11, TO_PHONE = 12, PHONE = 21, TO_BROWSER = 22, OTHER = 99 };

typedef struct fixture {
    agw_rewrite forward, reverse;
    uint8_t fir_seq;
    agw_rtcp_map map;
    uint8_t in[1500], out[1800];
    agw_rtcp_writer w;
    agw_rtcp_info info;
    char text[4096];
} fixture;

static void rtp(agw_rewrite *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp, agw_ns now)
{
    uint8_t pkt[32] = {0x80, 96};
    agw_put16(pkt + 2, seq);
    agw_put32(pkt + 4, timestamp);
    agw_put32(pkt + 8, ssrc);
    CU_ASSERT_NOT_EQUAL(agw_rewrite_rtp(r, pkt, sizeof pkt, 90000, now), AGW_REWRITE_DROP);
}

/* forward: timestamps of the browser + 91000; reverse: egress number 502 is the phone's 1001. */
static fixture *fresh(uint32_t allow)
{
    static fixture f;
    memset(&f, 0, sizeof f);
    agw_rewrite_init(&f.forward, TO_PHONE);
    agw_rewrite_init(&f.reverse, TO_BROWSER);
    rtp(&f.forward, 1, 70, 1000, AGW_S(1));
    rtp(&f.forward, BROWSER, 300, 0, AGW_S(2));
    rtp(&f.reverse, 2, 500, 0, AGW_S(1));
    for (uint16_t i = 0; i < 20; i++)
        rtp(&f.reverse, PHONE, (uint16_t)(1000 + i), 0, AGW_S(2));
    f.map = (agw_rtcp_map){
        .forward = &f.forward, .reverse = &f.reverse, .allow = allow, .fir_seq = &f.fir_seq};
    agw_rtcp_writer_init(&f.w, f.in, sizeof f.in);
    return &f;
}

static void say(fixture *f, const char *fmt, ...) AGW_PRINTF(2, 3);
static void say(fixture *f, const char *fmt, ...)
{
    const size_t at = strlen(f->text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->text + at, sizeof f->text - at, fmt, args);
    va_end(args);
}

static void say_blocks(fixture *f, const agw_rtcp_packet *p, size_t at)
{
    for (unsigned i = 0; i < p->count; i++, at += AGW_RTCP_REPORT_LEN) {
        agw_rtcp_report b;
        agw_rtcp_report_parse(&b, p->body + at);
        say(f, "[%u lost %d/%u ext %u jitter %u lsr %u dlsr %u]", b.ssrc, b.lost, b.fraction_lost,
            b.ext_seq, b.jitter, b.lsr, b.dlsr);
    }
}

static void say_feedback(fixture *f, const agw_rtcp_packet *p)
{
    say(f, "%s%u %u>%u", p->type == AGW_RTCP_RTPFB ? "RTPFB" : "PSFB", p->count, agw_get32(p->body),
        agw_get32(p->body + 4));
    for (size_t at = 8; at < p->body_len; at += 4)
        say(f, " %08x", agw_get32(p->body + at));
}

static void say_packet(fixture *f, const agw_rtcp_packet *p)
{
    agw_rtcp_sdes_chunk c;
    agw_rtcp_sender sr;
    size_t at = 0;
    switch (p->type) {
    case AGW_RTCP_SR:
        agw_rtcp_sender_parse(&sr, p->body);
        say(f, "SR %u ts %u n %u/%u", sr.ssrc, sr.rtp_timestamp, sr.packets, sr.octets);
        say_blocks(f, p, 24);
        break;
    case AGW_RTCP_RR:
        say(f, "RR %u", agw_get32(p->body));
        say_blocks(f, p, 4);
        break;
    case AGW_RTCP_SDES:
        say(f, "SDES");
        while (agw_rtcp_sdes_next(p, &at, &c))
            say(f, " %u=%.*s", c.ssrc, (int)c.cname_len, (const char *)c.cname);
        break;
    case AGW_RTCP_BYE:
        say(f, "BYE %u", agw_get32(p->body));
        break;
    case AGW_RTCP_RTPFB:
    case AGW_RTCP_PSFB:
        say_feedback(f, p);
        break;
    default:
        say(f, "PT%u", p->type);
        break;
    }
    say(f, "; ");
}

/* Translates what was written and puts the result into words. */
static const char *translate(fixture *f)
{
    size_t len = f->w.len + 300;
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    f->text[0] = '\0';
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_translate(&f->map, f->in, f->w.len, f->out, &len, &f->info),
                          AGW_OK);
    if (len == 0)
        return f->text;
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, f->out, len), AGW_OK);
    while (agw_rtcp_next(&it, &p))
        say_packet(f, &p);
    return f->text;
}

#define WROTE(call) CU_ASSERT_EQUAL_FATAL((call), AGW_OK)

static void test_rtp_feedback_rfc3550_6_4_1_sr_is_mapped(void)
{
    fixture *f = fresh(0);
    const agw_rtcp_sender sr = {BROWSER, 0xaaaabbbbccccddddu, 4000, 1, 20};
    const agw_rtcp_report b[] = {{OTHER, 9, 9, 9, 9, 9, 9}, {TO_BROWSER, 3, 5, 510, 7, 8, 9}};
    WROTE(agw_rtcp_write_sr(&f->w, &sr, b, 2));
    WROTE(agw_rtcp_write_cname(&f->w, BROWSER, "abc", 3));
    CU_ASSERT_STRING_EQUAL(translate(f),
                           "SR 12 ts 95000 n 2/40[21 lost 5/3 ext 1009 jitter 7 lsr 8 dlsr 9]; "
                           "SDES 12=abc; ");
    CU_ASSERT_TRUE(f->info.has_sr);
    CU_ASSERT_EQUAL(f->info.sr_ssrc, BROWSER);
    CU_ASSERT_EQUAL(f->info.sr_ntp_middle, 0xbbbbccccu);
    CU_ASSERT_TRUE(f->info.has_report);
    CU_ASSERT_EQUAL(f->info.report.ssrc, TO_BROWSER);
    CU_ASSERT_EQUAL(f->info.report.ext_seq, 510);
    CU_ASSERT_EQUAL(f->info.report.lsr, 8);
    CU_ASSERT_EQUAL(f->info.packets, 2);
    CU_ASSERT_EQUAL(f->info.dropped + f->info.other_media, 0);
    CU_ASSERT_EQUAL(memcmp(f->out + 8, f->in + 8, 8), 0); /* the NTP time */
}

static void test_rtp_feedback_rfc3550_6_4_2_receiver_with_a_foreign_ssrc(void)
{
    fixture *f = fresh(0);
    const agw_rtcp_report b = {TO_BROWSER, 0, -1, 0x10000 + 505, 0, 0, 0};
    WROTE(agw_rtcp_write_rr(&f->w, 1, &b, 1)); /* Chromium without own media says SSRC 1 */
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12[21 lost -1/0 ext 1004 jitter 0 lsr 0 dlsr 0]; ");
}

static void test_rtp_feedback_report_about_the_stream_before_is_dropped(void)
{
    fixture *f = fresh(0);
    const agw_rtcp_report b = {.ssrc = TO_BROWSER, .ext_seq = 500, .lsr = 77};
    WROTE(agw_rtcp_write_rr(&f->w, BROWSER, &b, 1));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; ");
    CU_ASSERT_TRUE(f->info.has_report); /* but it measures the way to s all the same */
    CU_ASSERT_EQUAL(f->info.report.lsr, 77);
}

static void test_rtp_feedback_sr_of_a_stream_that_is_gone_becomes_rr(void)
{
    fixture *f = fresh(0);
    const agw_rtcp_sender sr = {.ssrc = 1};
    const agw_rtcp_report b = {.ssrc = TO_BROWSER, .ext_seq = 501};
    WROTE(agw_rtcp_write_sr(&f->w, &sr, &b, 1));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12[21 lost 0/0 ext 1000 jitter 0 lsr 0 dlsr 0]; ");
    CU_ASSERT_FALSE(f->info.has_sr);
}

static void test_rtp_feedback_other_media_is_skipped(void)
{
    fixture *f = fresh(AGW_FB_NACK | AGW_FB_PLI | AGW_FB_REMB | AGW_FB_TMMBR | AGW_FB_TCC);
    const agw_rtcp_sender sr = {.ssrc = OTHER};
    const agw_rtcp_report b = {.ssrc = 98};
    const uint16_t seq = 501;
    const uint8_t remb[12] = {'R', 'E', 'M', 'B', 1, 1, 2, 3, 0, 0, 0, 98};
    const uint8_t tmmbr[8] = {0, 0, 0, 98};
    WROTE(agw_rtcp_write_sr(&f->w, &sr, &b, 1));
    WROTE(agw_rtcp_write_cname(&f->w, OTHER, "abc", 3));
    WROTE(agw_rtcp_write_nack(&f->w, OTHER, 98, &seq, 1));
    WROTE(agw_rtcp_write_pli(&f->w, OTHER, 98));
    WROTE(agw_rtcp_write_fir(&f->w, OTHER, 98, 1));
    WROTE(agw_rtcp_write_fb(&f->w, 206, 15, OTHER, 0, remb, 12));
    WROTE(agw_rtcp_write_fb(&f->w, 205, 3, OTHER, 0, tmmbr, 8));
    WROTE(agw_rtcp_write_fb(&f->w, 205, 4, OTHER, 0, NULL, 0));
    WROTE(agw_rtcp_write_fb(&f->w, 205, 15, OTHER, 98, tmmbr, 8));
    WROTE(agw_rtcp_write_bye(&f->w, OTHER));
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.packets, 10);
    CU_ASSERT_EQUAL(f->info.other_media, 9); /* all but the SDES */
    CU_ASSERT_FALSE(f->info.key_frame);
    CU_ASSERT_FALSE(f->info.bye);
}

static void test_rtp_feedback_sole_media_owns_unknown_senders(void)
{
    fixture *f = fresh(0);
    f->map.sole = true;
    WROTE(agw_rtcp_write_rr(&f->w, OTHER, NULL, 0));
    WROTE(agw_rtcp_write_cname(&f->w, OTHER, "abc", 3));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; SDES 12=abc; ");
    CU_ASSERT_EQUAL(f->info.other_media, 0);
}

static void test_rtp_feedback_rfc3550_6_5_cname_is_replaced_and_alone(void)
{
    fixture *f = fresh(0);
    const uint8_t chunk[] = {0, 0, 0, 11, 2, 4, 'N', 'a', 'm', 'e', 1, 1, 'x', 0, 0, 0};
    uint8_t *p = f->in + 8;
    WROTE(agw_rtcp_write_rr(&f->w, BROWSER, NULL, 0));
    p[0] = 0x81;
    p[1] = AGW_RTCP_SDES;
    p[3] = sizeof chunk / 4;
    memcpy(p + 4, chunk, sizeof chunk);
    f->w.len += 4 + sizeof chunk;
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; SDES 12=x; ");
    f->map.cname = "gateway";
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; SDES 12=gateway; ");
    f->w.len = 8;
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; SDES 12=gateway; "); /* added where missing */
}

static void test_rtp_feedback_rfc3550_6_6_bye(void)
{
    fixture *f = fresh(0);
    WROTE(agw_rtcp_write_rr(&f->w, BROWSER, NULL, 0));
    WROTE(agw_rtcp_write_bye(&f->w, BROWSER));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; BYE 12; ");
    CU_ASSERT_TRUE(f->info.bye);
    f->map.sole = true;
    agw_put32(f->in + 12, 1); /* the stream before: the egress stream lives on */
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; ");
    CU_ASSERT_FALSE(f->info.bye);
}

static void test_rtp_feedback_rfc4585_6_2_1_nack_numbers_are_shifted(void)
{
    fixture *f = fresh(AGW_FB_NACK);
    const uint8_t fci[12] = {0x01, 0xf4, 0, 1, 0x01, 0xf6, 0x80, 1, 0x01, 0xf8, 0, 0};
    WROTE(agw_rtcp_write_fb(&f->w, 205, 1, BROWSER, TO_BROWSER, fci, 12)); /* 500, 502, 504 */
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; RTPFB1 12>21 03e98001 03eb0000; ");
    f->map.reduced_size = true;
    CU_ASSERT_STRING_EQUAL(translate(f), "RTPFB1 12>21 03e98001 03eb0000; ");
    f->map.allow = 0;
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.dropped, 1);
    f->map.allow = AGW_FB_NACK;
    f->w.len = 16;
    f->in[3] = 3; /* 500 only: of the stream before */
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.other_media, 1);
}

static const char *key_frame(uint32_t allow, bool fir)
{
    fixture *f = fresh(allow);
    f->map.reduced_size = true;
    f->fir_seq = 255;
    WROTE(fir ? agw_rtcp_write_fir(&f->w, BROWSER, TO_BROWSER, 9)
              : agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    const char *text = translate(f);
    CU_ASSERT_TRUE(f->info.key_frame);
    CU_ASSERT_EQUAL(f->info.dropped, 0);
    return text;
}

static void test_rtp_feedback_rfc5104_4_3_1_key_frame_request_in_the_form_allowed(void)
{
    CU_ASSERT_STRING_EQUAL(key_frame(AGW_FB_PLI | AGW_FB_FIR, false), "PSFB1 12>21; ");
    CU_ASSERT_STRING_EQUAL(key_frame(AGW_FB_PLI | AGW_FB_FIR, true),
                           "PSFB4 12>0 00000015 09000000; ");
    CU_ASSERT_STRING_EQUAL(key_frame(AGW_FB_PLI, true), "PSFB1 12>21; ");
    CU_ASSERT_STRING_EQUAL(key_frame(AGW_FB_FIR, false), "PSFB4 12>0 00000015 00000000; ");
    CU_ASSERT_STRING_EQUAL(key_frame(AGW_FB_FIR, true), "PSFB4 12>0 00000015 09000000; ");
    CU_ASSERT_STRING_EQUAL(key_frame(0, false), "PSFB1 12>21; "); /* AVP */
    CU_ASSERT_STRING_EQUAL(key_frame(0, true), "PSFB1 12>21; ");
}

static void test_rtp_feedback_rfc5104_4_3_1_2_fir_numbers_count_requests(void)
{
    fixture *f = fresh(AGW_FB_FIR);
    f->map.reduced_size = true;
    WROTE(agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    CU_ASSERT_STRING_EQUAL(translate(f), "PSFB4 12>0 00000015 01000000; ");
    CU_ASSERT_STRING_EQUAL(translate(f), "PSFB4 12>0 00000015 02000000; ");
    f->map.fir_seq = NULL;
    CU_ASSERT_STRING_EQUAL(translate(f), "PSFB1 12>21; "); /* nobody counts */
}

static void test_rtp_feedback_key_frame_request_is_written_once(void)
{
    fixture *f = fresh(AGW_FB_PLI);
    WROTE(agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    WROTE(agw_rtcp_write_fir(&f->w, BROWSER, TO_BROWSER, 1));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; PSFB1 12>21; ");
}

static void test_rtp_feedback_sole_media_owns_every_key_frame_request(void)
{
    fixture *f = fresh(AGW_FB_PLI);
    f->map.sole = true;
    f->map.reduced_size = true;
    WROTE(agw_rtcp_write_pli(&f->w, OTHER, 0));
    CU_ASSERT_STRING_EQUAL(translate(f), "PSFB1 12>21; ");
}

static void test_rtp_feedback_key_frame_request_before_any_packet_of_the_other_side(void)
{
    fixture *f = fresh(AGW_FB_PLI);
    agw_rewrite_init(&f->reverse, TO_BROWSER);
    f->map.sole = true;
    WROTE(agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_TRUE(f->info.key_frame);
}

static void test_rtp_feedback_rfc2032_5_2_1_legacy_fir_becomes_a_request(void)
{
    fixture *f = fresh(AGW_FB_PLI);
    const uint8_t fir[8] = {0x80, 192, 0, 1, 0, 0, 0, BROWSER};
    memcpy(f->in, fir, 8);
    f->w.len = 8;
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; PSFB1 12>21; ");
    f->in[7] = OTHER;
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.other_media, 1);
    f->in[1] = 193; /* NACK: nobody repeats H.261 */
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.dropped, 1);
}

static void test_rtp_feedback_rfc5104_4_2_1_tmmbr_and_tmmbn(void)
{
    fixture *f = fresh(AGW_FB_TMMBR);
    const uint8_t fci[16] = {0, 0, 0, OTHER, 1, 2, 3, 4, 0, 0, 0, TO_BROWSER, 5, 6, 7, 8};
    f->map.reduced_size = true;
    WROTE(agw_rtcp_write_fb(&f->w, 205, 3, BROWSER, 0, fci, 16));
    CU_ASSERT_STRING_EQUAL(translate(f), "RTPFB3 12>0 00000015 05060708; ");
    f->in[0] = 0x84;
    CU_ASSERT_STRING_EQUAL(translate(f), "RTPFB4 12>0 00000015 05060708; ");
    f->in[3] = 2; /* an empty TMMBN takes all limits away */
    f->w.len = 12;
    CU_ASSERT_STRING_EQUAL(translate(f), "RTPFB4 12>0; ");
    f->in[0] = 0x83;
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    f->map.allow = 0;
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.dropped, 1);
}

static void test_rtp_feedback_remb_lists_our_ssrc_only(void)
{
    fixture *f = fresh(AGW_FB_REMB);
    const uint8_t fci[20] = {'R', 'E', 'M', 'B', 3, 1,          2, 3, 0, 0,
                             0,   98,  0,   0,   0, TO_BROWSER, 0, 0, 0, OTHER};
    f->map.reduced_size = true;
    WROTE(agw_rtcp_write_fb(&f->w, 206, 15, BROWSER, 0, fci, 20));
    CU_ASSERT_STRING_EQUAL(translate(f), "PSFB15 12>0 52454d42 01010203 00000015; ");
    f->in[16] = 4; /* more than there are: not REMB */
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.dropped, 1);
    f->in[16] = 3;
    f->map.allow = 0;
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.dropped, 1);
}

static void test_rtp_feedback_transport_cc_only_where_negotiated(void)
{
    fixture *f = fresh(AGW_FB_TCC);
    const uint8_t fci[8] = {0, 1, 0, 2, 3, 4, 5, 6};
    f->map.reduced_size = true;
    WROTE(agw_rtcp_write_fb(&f->w, 205, 15, BROWSER, TO_BROWSER, fci, 8));
    CU_ASSERT_STRING_EQUAL(translate(f), "RTPFB15 12>21 00010002 03040506; ");
    f->map.allow = ~(uint32_t)AGW_FB_TCC;
    CU_ASSERT_STRING_EQUAL(translate(f), "");
    CU_ASSERT_EQUAL(f->info.dropped, 1);
    f->map.allow = AGW_FB_TCC;
    f->map.sole = true;
    f->in[11] = OTHER;
    CU_ASSERT_STRING_EQUAL(translate(f), "RTPFB15 12>21 00010002 03040506; ");
}

static void test_rtp_feedback_unknown_types_are_dropped_and_counted(void)
{
    fixture *f = fresh(~0u);
    f->map.sole = true;
    const uint8_t fci[4] = {0};
    WROTE(agw_rtcp_write_rr(&f->w, BROWSER, NULL, 0));
    WROTE(agw_rtcp_write_fb(&f->w, 204, 0, BROWSER, 0, fci, 4));  /* APP */
    WROTE(agw_rtcp_write_fb(&f->w, 207, 0, BROWSER, 0, fci, 4));  /* XR */
    WROTE(agw_rtcp_write_fb(&f->w, 205, 11, BROWSER, 0, fci, 4)); /* RFC 8888 */
    WROTE(agw_rtcp_write_fb(&f->w, 206, 15, BROWSER, 0, fci, 4)); /* not REMB */
    WROTE(agw_rtcp_write_fb(&f->w, 210, 0, BROWSER, 0, fci, 4));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; ");
    CU_ASSERT_EQUAL(f->info.packets, 6);
    CU_ASSERT_EQUAL(f->info.dropped, 5);
}

static void test_rtp_feedback_rfc5506_3_4_front_is_added_where_it_must_be(void)
{
    fixture *f = fresh(AGW_FB_PLI);
    f->map.cname = "gw";
    WROTE(agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; SDES 12=gw; PSFB1 12>21; ");
    f->map.reduced_size = true;
    CU_ASSERT_STRING_EQUAL(translate(f), "PSFB1 12>21; ");
}

/* The order s chose does not matter: RFC 3550 section 6.1 wants reports first. */
static void test_rtp_feedback_rfc3550_6_1_order_of_the_output(void)
{
    fixture *f = fresh(AGW_FB_PLI);
    WROTE(agw_rtcp_write_bye(&f->w, BROWSER));
    WROTE(agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    WROTE(agw_rtcp_write_cname(&f->w, BROWSER, "x", 1));
    WROTE(agw_rtcp_write_rr(&f->w, BROWSER, NULL, 0));
    CU_ASSERT_STRING_EQUAL(translate(f), "RR 12; SDES 12=x; PSFB1 12>21; BYE 12; ");
}

static void test_rtp_feedback_transparent_is_a_copy(void)
{
    fixture *f = fresh(0);
    agw_rewrite_init(&f->forward, 0);
    agw_rewrite_init(&f->reverse, 0);
    const agw_rtcp_sender sr = {.ssrc = 5, .ntp = 0x123400000000u};
    const agw_rtcp_report b = {.ssrc = 6, .lsr = 3};
    const uint8_t app[4] = {0};
    WROTE(agw_rtcp_write_sr(&f->w, &sr, &b, 1));
    WROTE(agw_rtcp_write_fb(&f->w, 204, 0, 5, 0, app, 4));
    WROTE(agw_rtcp_write_pli(&f->w, 5, 6));
    WROTE(agw_rtcp_write_bye(&f->w, 5));
    size_t len = f->w.len;
    CU_ASSERT_EQUAL(agw_rtcp_translate(&f->map, f->in, f->w.len, f->out, &len, &f->info), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(len, f->w.len);
    CU_ASSERT_EQUAL(memcmp(f->in, f->out, len), 0);
    CU_ASSERT_TRUE(f->info.key_frame && f->info.bye && f->info.has_sr && f->info.has_report);
    CU_ASSERT_EQUAL(f->info.sr_ntp_middle, 0x12340000);
    CU_ASSERT_EQUAL(f->info.report.lsr, 3);
    CU_ASSERT_EQUAL(f->info.packets, 4);
    len = f->w.len - 1;
    CU_ASSERT_EQUAL(agw_rtcp_translate(&f->map, f->in, f->w.len, f->out, &len, &f->info),
                    AGW_ERR_NO_SPACE);
}

static void test_rtp_feedback_malformed_and_no_space(void)
{
    fixture *f = fresh(~0u);
    size_t len = 100;
    CU_ASSERT_EQUAL(agw_rtcp_translate(&f->map, f->in, 0, f->out, &len, &f->info),
                    AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(agw_rtcp_translate(&f->map, f->in, 8, f->out, &len, &f->info),
                    AGW_ERR_MALFORMED);
    f->map.cname = "gateway";
    WROTE(agw_rtcp_write_rr(&f->w, BROWSER, NULL, 0));
    WROTE(agw_rtcp_write_pli(&f->w, BROWSER, TO_BROWSER));
    WROTE(agw_rtcp_write_bye(&f->w, BROWSER));
    const size_t need = 8 + 20 + 12 + 8;
    for (len = 0; len <= need; len++) {
        size_t n = len;
        CU_ASSERT_EQUAL(agw_rtcp_translate(&f->map, f->in, f->w.len, f->out, &n, &f->info),
                        len == need ? AGW_OK : AGW_ERR_NO_SPACE);
    }
}

static void test_rtp_feedback_own_key_frame_request(void)
{
    fixture *f = fresh(0);
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    f->map.allow = AGW_FB_FIR;
    f->map.cname = "gw";
    size_t len = 300;
    CU_ASSERT_EQUAL(agw_rtcp_key_frame_request(&f->map, f->out, &len), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, f->out, len), AGW_OK);
    while (agw_rtcp_next(&it, &p))
        say_packet(f, &p);
    CU_ASSERT_STRING_EQUAL(f->text, "RR 12; SDES 12=gw; PSFB4 12>0 00000015 01000000; ");
    f->map.reduced_size = true;
    f->map.allow = AGW_FB_PLI;
    len = 12;
    CU_ASSERT_EQUAL(agw_rtcp_key_frame_request(&f->map, f->out, &len), AGW_OK);
    CU_ASSERT_EQUAL(len, 12);
    len = 11;
    CU_ASSERT_EQUAL(agw_rtcp_key_frame_request(&f->map, f->out, &len), AGW_ERR_NO_SPACE);
    agw_rewrite_init(&f->reverse, TO_BROWSER);
    len = 300;
    CU_ASSERT_EQUAL(agw_rtcp_key_frame_request(&f->map, f->out, &len), AGW_ERR_STATE);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_feedback_rfc3550_6_4_1_sr_is_mapped),
    AGW_CASE(test_rtp_feedback_rfc3550_6_4_2_receiver_with_a_foreign_ssrc),
    AGW_CASE(test_rtp_feedback_report_about_the_stream_before_is_dropped),
    AGW_CASE(test_rtp_feedback_sr_of_a_stream_that_is_gone_becomes_rr),
    AGW_CASE(test_rtp_feedback_other_media_is_skipped),
    AGW_CASE(test_rtp_feedback_sole_media_owns_unknown_senders),
    AGW_CASE(test_rtp_feedback_rfc3550_6_5_cname_is_replaced_and_alone),
    AGW_CASE(test_rtp_feedback_rfc3550_6_6_bye),
    AGW_CASE(test_rtp_feedback_rfc4585_6_2_1_nack_numbers_are_shifted),
    AGW_CASE(test_rtp_feedback_rfc5104_4_3_1_key_frame_request_in_the_form_allowed),
    AGW_CASE(test_rtp_feedback_rfc5104_4_3_1_2_fir_numbers_count_requests),
    AGW_CASE(test_rtp_feedback_key_frame_request_is_written_once),
    AGW_CASE(test_rtp_feedback_sole_media_owns_every_key_frame_request),
    AGW_CASE(test_rtp_feedback_key_frame_request_before_any_packet_of_the_other_side),
    AGW_CASE(test_rtp_feedback_rfc2032_5_2_1_legacy_fir_becomes_a_request),
    AGW_CASE(test_rtp_feedback_rfc5104_4_2_1_tmmbr_and_tmmbn),
    AGW_CASE(test_rtp_feedback_remb_lists_our_ssrc_only),
    AGW_CASE(test_rtp_feedback_transport_cc_only_where_negotiated),
    AGW_CASE(test_rtp_feedback_unknown_types_are_dropped_and_counted),
    AGW_CASE(test_rtp_feedback_rfc5506_3_4_front_is_added_where_it_must_be),
    AGW_CASE(test_rtp_feedback_rfc3550_6_1_order_of_the_output),
    AGW_CASE(test_rtp_feedback_transparent_is_a_copy),
    AGW_CASE(test_rtp_feedback_malformed_and_no_space),
    AGW_CASE(test_rtp_feedback_own_key_frame_request),
};
AGW_UNIT_MAIN("rtp feedback", cases)
