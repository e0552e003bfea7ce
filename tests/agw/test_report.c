/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP of our own on virtual time: who gets it, when, and what it says. */
#include "agw/report.h"
#include "tests/agw/lab.h"
#include "unit.h"

enum { SSRC_BROWSER = 0x11, SSRC_PHONE = 0x22 };

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

/* One audio between a browser and a phone. */
static lab_call *talk(lab *l)
{
    lab_call *c = &l->calls[0];
    c->plan->n_medias = 1;
    c->plan->n_transports = 2;
    snprintf(c->plan->medias[0].end[AGW_SIDE_A].cname, AGW_PLAN_CNAME_MAX, "access");
    snprintf(c->plan->medias[0].end[AGW_SIDE_B].cname, AGW_PLAN_CNAME_MAX, "core");
    lab_apply(l, c);
    lab_connect(l, c, browser());
    return c;
}

typedef struct report {
    uint8_t type;
    uint32_t ssrc;
    agw_rtcp_sender sender;
    size_t blocks;
    agw_rtcp_report block;
    char cname[32];
} report;

static void read_report(report *r, const uint8_t *data, size_t len)
{
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    agw_rtcp_sdes_chunk chunk;
    size_t at = 0;
    memset(r, 0, sizeof *r);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, data, len), AGW_OK);
    CU_ASSERT_TRUE_FATAL(agw_rtcp_next(&it, &p));
    r->type = p.type;
    r->ssrc = agw_get32(p.body);
    r->blocks = p.count;
    if (p.type == AGW_RTCP_SR)
        agw_rtcp_sender_parse(&r->sender, p.body);
    if (p.count != 0)
        agw_rtcp_report_parse(&r->block, p.body + (p.type == AGW_RTCP_SR ? 24 : 4));
    CU_ASSERT_TRUE_FATAL(agw_rtcp_next(&it, &p)); /* a compound, RFC 3550 section 6.1 */
    CU_ASSERT_EQUAL_FATAL(p.type, AGW_RTCP_SDES);
    CU_ASSERT_TRUE_FATAL(agw_rtcp_sdes_next(&p, &at, &chunk));
    CU_ASSERT_EQUAL(chunk.ssrc, r->ssrc);
    CU_ASSERT_TRUE_FATAL(chunk.cname_len < sizeof r->cname);
    memcpy(r->cname, chunk.cname, chunk.cname_len);
}

/* The phone's RTCP of this turn. */
static bool phone_heard(lab *l, lab_call *c, report *r)
{
    const lab_out *out = lab_sent(l, &c->core[1], AGW_PKT_RTCP, 0);
    if (out == NULL)
        return false;
    const agw_addr to = lab_phone(l, c, 1);
    CU_ASSERT_TRUE(agw_addr_equal(&out->to, &to));
    read_report(r, out->data, out->len);
    return true;
}

static bool browser_heard(lab *l, lab_call *c, report *r)
{
    lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTCP, 0);
    if (out == NULL)
        return false;
    CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect_rtcp(c->in, out->data, &out->len), AGW_OK);
    read_report(r, out->data, out->len);
    return true;
}

static void close_gates(lab *l, lab_call *c)
{
    for (int side = 0; side < 2; side++) {
        c->plan->medias[0].end[side].may_send = false;
        c->plan->medias[0].end[side].may_receive = false;
    }
    lab_apply(l, c);
}

static void test_report_hold_of_90_s_has_rtcp_at_least_every_5_s(void)
{
    lab *l = lab_new();
    lab_call *c = talk(l);
    close_gates(l, c);
    const agw_ns from = l->now;
    agw_ns last[2] = {from, from};
    size_t n[2] = {0, 0};
    while (l->now < from + AGW_S(90)) {
        report r;
        l->now += AGW_MS(20);
        if (l->now / AGW_S(5) != (l->now - AGW_MS(20)) / AGW_S(5))
            lab_check(l, c, browser(), true); /* it lives */
        lab_turn(l);
        for (int who = 0; who < 2; who++) {
            if (!(who == 0 ? browser_heard(l, c, &r) : phone_heard(l, c, &r)))
                continue;
            CU_ASSERT_EQUAL(r.type, AGW_RTCP_RR);
            CU_ASSERT_EQUAL(r.blocks, 0);
            CU_ASSERT_STRING_EQUAL(r.cname, who == 0 ? "access" : "core");
            CU_ASSERT_TRUE(l->now - last[who] <= AGW_S(5));
            CU_ASSERT_TRUE(n[who] == 0 || l->now - last[who] >= AGW_MS(1640));
            last[who] = l->now;
            n[who]++;
        }
    }
    CU_ASSERT_TRUE(n[0] >= 18 && n[1] >= 18);
    lab_end(l);
}

static size_t put_sr(uint8_t *out, uint32_t ssrc)
{
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, out, 128);
    const agw_rtcp_sender sr = {.ssrc = ssrc, .ntp = UINT64_C(0x1122334455667788)};
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_sr(&w, &sr, NULL, 0), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_cname(&w, ssrc, "x", 1), AGW_OK);
    return w.len;
}

static void test_report_none_of_ours_where_rtcp_is_passed_on(void)
{
    lab *l = lab_new();
    lab_call *c = talk(l);
    uint8_t sr[128];
    size_t passed = 0;
    for (uint16_t i = 0; i < 20; i++) {
        report r;
        lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_BROWSER, i);
        lab_browser_says(l, c, browser(), sr, put_sr(sr, SSRC_BROWSER));
        lab_turn(l);
        CU_ASSERT_TRUE(phone_heard(l, c, &r));
        CU_ASSERT_EQUAL(r.sender.ntp, UINT64_C(0x1122334455667788));
        CU_ASSERT_STRING_EQUAL(r.cname, "core"); /* one name whoever speaks */
        passed++;
        for (int k = 0; k < 300; k++) {
            l->now += AGW_MS(20);
            lab_turn(l);
            CU_ASSERT_FALSE(phone_heard(l, c, &r));
        }
    }
    CU_ASSERT_EQUAL(passed, 20);
    close_gates(l, c); /* hold: it may have spoken last */
    agw_ns heard_at = 0;
    for (int k = 0; k < 250 && heard_at == 0; k++) {
        report r;
        l->now += AGW_MS(20);
        lab_turn(l);
        heard_at = phone_heard(l, c, &r) ? l->now : 0;
    }
    CU_ASSERT_NOT_EQUAL(heard_at, 0);
    lab_end(l);
}

/* The browser's SRs end at us; the phone reads ours about the same stream, and what it reports of
 * it is taken here. */
static void test_report_ng_6_generate_rtcp_passes_none_on(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    uint8_t sr[128];
    agw_ns last_at = 0;
    size_t n = 0;
    c->plan->medias[0].own_rtcp = true;
    talk(l);
    for (uint16_t i = 0; i < 1500; i++) {
        report r;
        l->now += AGW_MS(20);
        lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_BROWSER, i);
        if (i % 100 == 0)
            lab_browser_says(l, c, browser(), sr, put_sr(sr, SSRC_BROWSER));
        lab_turn(l);
        if (!phone_heard(l, c, &r))
            continue;
        CU_ASSERT_EQUAL(r.type, AGW_RTCP_SR);
        CU_ASSERT_NOT_EQUAL(r.sender.ntp, UINT64_C(0x1122334455667788));
        CU_ASSERT_TRUE(r.sender.packets > i / 2U && r.sender.packets <= i + 1U);
        CU_ASSERT_TRUE(last_at == 0 || l->now - last_at <= AGW_S(5));
        last_at = l->now;
        n++;
    }
    CU_ASSERT_TRUE(n >= 6 && n <= 20);
    CU_ASSERT_EQUAL(agw_counter_get(&c->stats[0].end[AGW_SIDE_A].rtcp_in.packets), 15);
    lab_end(l);
}

/* RS and RR of 0 (RFC 3556 section 2): nothing of ours, nothing of the browser's. */
static void test_report_rfc3556_2_none_without_bandwidth_for_rtcp(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    uint8_t sr[128];
    c->plan->medias[0].end[AGW_SIDE_B].rtcp_off = true;
    talk(l);
    for (int i = 0; i < 300; i++) {
        report r;
        l->now += AGW_MS(100);
        if (i % 20 == 0)
            lab_browser_says(l, c, browser(), sr, put_sr(sr, SSRC_BROWSER));
        lab_turn(l);
        CU_ASSERT_FALSE(phone_heard(l, c, &r));
    }
    CU_ASSERT_EQUAL(agw_report_deadline(lab_transport(l, c, LAB_CORE_AUDIO)), AGW_NEVER);
    lab_end(l);
}

/* The phone talks 20 s without any RTCP; every tenth packet is lost. */
static void phone_talks(lab *l, lab_call *c, report *last, report *to_phone)
{
    report r;
    for (uint16_t i = 0; i < 1000; i++) {
        l->now += AGW_MS(20);
        if (i % 10 != 9)
            lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, SSRC_PHONE, i);
        lab_turn(l);
        if (browser_heard(l, c, &r))
            *last = r;
        if (phone_heard(l, c, &r))
            *to_phone = r;
    }
}

static void test_report_rfc3550_6_4_silent_peer_gets_sr_and_report(void)
{
    lab *l = lab_new();
    lab_call *c = talk(l);
    report r = {0}, to_phone = {0};
    phone_talks(l, c, &r, &to_phone);
    CU_ASSERT_EQUAL(r.type, AGW_RTCP_SR);
    CU_ASSERT_EQUAL(r.ssrc, 0xa0000000u + LAB_AUDIO); /* as the browser knows the stream */
    CU_ASSERT_TRUE(r.sender.packets > 600 && r.sender.packets <= 900);
    CU_ASSERT_EQUAL(r.sender.octets, r.sender.packets * 20);
    CU_ASSERT_EQUAL(r.blocks, 0); /* the browser sends nothing */
    CU_ASSERT_EQUAL(to_phone.type, AGW_RTCP_RR);
    CU_ASSERT_EQUAL(to_phone.blocks, 1);
    CU_ASSERT_EQUAL(to_phone.block.ssrc, SSRC_PHONE);
    CU_ASSERT_TRUE(to_phone.block.fraction_lost >= 22 && to_phone.block.fraction_lost <= 28);
    CU_ASSERT_TRUE(to_phone.block.lost > 60 && to_phone.block.lost <= 100);
    lab_end(l);
}

/* Between two SRs. */
static void expect_8000_hz(const report *first, const report *second)
{
    const double seconds = (double)(second->sender.ntp - first->sender.ntp) / 4294967296.0;
    const uint32_t units = second->sender.rtp_timestamp - first->sender.rtp_timestamp;
    CU_ASSERT_TRUE(seconds > 5);
    CU_ASSERT_DOUBLE_EQUAL(units / seconds, 8000, 10);
}

/* Timestamp and NTP of an SR mean one moment: two SRs agree about the rate. */
static void test_report_rfc3550_6_4_1_timestamps_follow_the_clock(void)
{
    lab *l = lab_new();
    lab_call *c = talk(l);
    report first = {0}, second = {0}, unused;
    phone_talks(l, c, &first, &unused);
    for (uint16_t i = 1000; i < 1500; i++) {
        l->now += AGW_MS(20);
        lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, SSRC_PHONE, i);
        lab_turn(l);
        (void)browser_heard(l, c, &second);
    }
    expect_8000_hz(&first, &second);
    lab_end(l);
}

/* SRs within and behind a digit of 20 s, all packets of which carry its begin, agree with those of
 * the audio before it. */
static void test_report_rfc3550_6_4_1_timestamps_go_on_over_a_digit(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *end = &c->plan->medias[0].end[AGW_SIDE_B];
    end->pts[end->n_pts++] = (agw_pt_plan){
        .ingress = LAB_PT_EVENT, .egress = LAB_PT_EVENT, .is_event = true, .clock_hz = 8000};
    (void)talk(l);
    report r, first = {0};
    unsigned compared = 0;
    for (uint16_t i = 0; i < 2000; i++) {
        const bool is_digit = i >= 500 && i < 1500;
        uint8_t rtp[64];
        const size_t len = lab_rtp(rtp, is_digit ? LAB_PT_EVENT : LAB_PT_AUDIO, SSRC_PHONE, i, 0);
        if (is_digit)
            agw_put32(rtp + 4, 500 * 160);
        l->now += AGW_MS(20);
        lab_say(l, &c->core[0], lab_phone(l, c, 0), rtp, len);
        lab_turn(l);
        if (!browser_heard(l, c, &r))
            continue;
        if (i < 500) {
            first = r;
            continue;
        }
        const double seconds = (double)(r.sender.ntp - first.sender.ntp) / 4294967296.0;
        const uint32_t units = r.sender.rtp_timestamp - first.sender.rtp_timestamp;
        CU_ASSERT_DOUBLE_EQUAL(units / 8000.0, seconds, 0.03);
        compared++;
    }
    CU_ASSERT_TRUE(first.type == AGW_RTCP_SR && compared >= 6);
    lab_end(l);
}

/* 16 kHz, then 8 kHz under the same SSRC: SRs of ours are right about the new rate. */
static void test_report_rfc3550_6_4_1_timestamps_follow_another_clock(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *end = &c->plan->medias[0].end[AGW_SIDE_B];
    end->pts[end->n_pts++] = (agw_pt_plan){.ingress = 9, .egress = 9, .clock_hz = 16000};
    (void)talk(l);
    report first = {0}, second = {0};
    for (uint16_t i = 0; i < 1600; i++) {
        l->now += AGW_MS(20);
        lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), i < 500 ? 9 : LAB_PT_AUDIO, SSRC_PHONE, i);
        lab_turn(l);
        (void)browser_heard(l, c, i < 1000 ? &first : &second);
    }
    expect_8000_hz(&first, &second);
    lab_end(l);
}

/* The browser answers our SR: that is a round trip to us, and nothing for the phone. */
static void test_report_round_trip_to_a_browser_whose_peer_sends_no_rtcp(void)
{
    lab *l = lab_new();
    lab_call *c = talk(l);
    report sr = {0}, r;
    uint8_t rr[128];
    for (uint16_t i = 0; sr.type == 0; i++) {
        l->now += AGW_MS(20);
        lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, SSRC_PHONE, i);
        lab_turn(l);
        (void)browser_heard(l, c, &sr);
    }
    const agw_rtcp_report block = {.ssrc = sr.ssrc,
                                   .ext_seq = 1,
                                   .lsr = agw_rtcp_ntp_middle(sr.sender.ntp),
                                   .dlsr = 65536 / 10};
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, rr, sizeof rr);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_rr(&w, SSRC_BROWSER, &block, 1), AGW_OK);
    l->now += AGW_MS(130);
    lab_browser_says(l, c, browser(), rr, w.len);
    lab_turn(l);
    const uint64_t rtt_us = agw_counter_get(&c->stats[0].end[AGW_SIDE_A].rtt_us);
    CU_ASSERT_TRUE(rtt_us > 29000 && rtt_us < 31000);
    CU_ASSERT_TRUE_FATAL(phone_heard(l, c, &r));
    CU_ASSERT_EQUAL(r.blocks, 1);
    CU_ASSERT_EQUAL(r.block.ssrc, SSRC_PHONE);
    CU_ASSERT_EQUAL(r.block.lsr, 0); /* not an SR of the phone's */
    CU_ASSERT_EQUAL(r.block.dlsr, 0);
    lab_end(l);
}

static void test_report_nothing_to_a_party_without_address(void)
{
    lab *l = lab_new();
    lab_call *c = talk(l);
    c->plan->transports[1].remote_rtp = c->plan->transports[1].remote_rtcp = (agw_addr){0};
    lab_apply(l, c);
    for (int i = 0; i < 100; i++) {
        report r;
        l->now += AGW_MS(100);
        lab_turn(l);
        CU_ASSERT_FALSE(phone_heard(l, c, &r));
    }
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_DEST), 0);
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_report_hold_of_90_s_has_rtcp_at_least_every_5_s),
    AGW_CASE(test_report_none_of_ours_where_rtcp_is_passed_on),
    AGW_CASE(test_report_ng_6_generate_rtcp_passes_none_on),
    AGW_CASE(test_report_rfc3556_2_none_without_bandwidth_for_rtcp),
    AGW_CASE(test_report_rfc3550_6_4_silent_peer_gets_sr_and_report),
    AGW_CASE(test_report_rfc3550_6_4_1_timestamps_follow_the_clock),
    AGW_CASE(test_report_rfc3550_6_4_1_timestamps_go_on_over_a_digit),
    AGW_CASE(test_report_rfc3550_6_4_1_timestamps_follow_another_clock),
    AGW_CASE(test_report_round_trip_to_a_browser_whose_peer_sends_no_rtcp),
    AGW_CASE(test_report_nothing_to_a_party_without_address),
};

AGW_UNIT_MAIN("report", cases)
