/* SPDX-License-Identifier: BSD-3-Clause
 * Extended reports of our own on virtual time: what a party gets that negotiated them. */
#include "agw/xr_report.h"
#include "tests/agw/lab.h"
#include "unit.h"

enum { SSRC_BROWSER = 0x11, SSRC_PHONE = 0x22 };

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

/* One audio between a browser and a phone, which take these reports. */
static lab *talk(uint8_t xr_browser, uint8_t xr_phone)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->n_medias = 1;
    c->plan->n_transports = 2;
    agw_end_plan *ends = c->plan->medias[0].end;
    snprintf(ends[AGW_SIDE_A].cname, AGW_PLAN_CNAME_MAX, "access");
    snprintf(ends[AGW_SIDE_B].cname, AGW_PLAN_CNAME_MAX, "core");
    ends[AGW_SIDE_A].xr = xr_browser;
    ends[AGW_SIDE_B].xr = xr_phone;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    return l;
}

/* A datagram of RTCP, and the XR block of a type in it. */
typedef struct heard {
    uint8_t data[1500];
    size_t len;
    uint32_t sender; /* of the XR packet */
    agw_xr_block block;
} heard;

static bool has_block(heard *h, uint8_t type)
{
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, h->data, h->len), AGW_OK);
    while (agw_rtcp_next(&it, &p)) {
        for (size_t at = 0; p.type == AGW_RTCP_XR && agw_xr_next(&p, &at, &h->block);) {
            h->sender = agw_xr_sender(&p);
            if (h->block.type == type)
                return true;
        }
    }
    return false;
}

static bool browser_heard(lab *l, heard *h)
{
    lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTCP, 0);
    if (out == NULL)
        return false;
    CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect_rtcp(l->calls[0].in, out->data, &out->len), AGW_OK);
    h->len = out->len;
    memcpy(h->data, out->data, h->len);
    return true;
}

static bool phone_heard(lab *l, heard *h)
{
    const lab_out *out = lab_sent(l, &l->calls[0].core[1], AGW_PKT_RTCP, 0);
    if (out == NULL)
        return false;
    h->len = out->len;
    memcpy(h->data, out->data, h->len);
    return true;
}

/* Until the browser gets RTCP, at most 10 s. */
static void wait_for_report(lab *l, heard *h)
{
    bool came = false;
    for (int i = 0; i < 500 && !came; i++) {
        l->now += AGW_MS(20);
        lab_turn(l);
        came = browser_heard(l, h);
    }
    CU_ASSERT_TRUE_FATAL(came);
}

static void rr_of_browser(agw_rtcp_writer *w, uint8_t *buf, size_t size)
{
    agw_rtcp_writer_init(w, buf, size);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_rr(w, SSRC_BROWSER, NULL, 0), AGW_OK);
}

static uint64_t rtt_of_browser(lab *l)
{
    return agw_counter_get(&l->calls[0].stats[0].end[AGW_SIDE_A].rtt_us);
}

static void test_xr_report_rfc3611_4_5_rrtr_is_answered_once(void)
{
    lab *l = talk(AGW_PLAN_XR_RTT, 0);
    uint8_t buf[128];
    agw_rtcp_writer w;
    heard h;
    agw_xr_dlrr d;
    rr_of_browser(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_rrtr(&w, SSRC_BROWSER, 0x0102030405060708u), AGW_OK);
    lab_browser_says(l, &l->calls[0], browser(), buf, w.len);
    lab_turn(l);
    const agw_ns at = l->now;
    wait_for_report(l, &h);
    CU_ASSERT_TRUE_FATAL(has_block(&h, AGW_XR_DLRR));
    agw_xr_read_dlrr(&h.block, 0, &d);
    CU_ASSERT_EQUAL(d.ssrc, SSRC_BROWSER);
    CU_ASSERT_EQUAL(d.lrr, 0x03040506u);
    CU_ASSERT_DOUBLE_EQUAL(d.dlrr / 65536.0, (double)(l->now - at) / 1e9, 0.001);
    wait_for_report(l, &h);
    CU_ASSERT_FALSE(has_block(&h, AGW_XR_DLRR));
    lab_end(l);
}

/* Nothing is sent to the browser but RRs, so there is no SR that it could answer. */
static void test_xr_report_rfc3611_4_4_round_trip_without_sr(void)
{
    lab *l = talk(AGW_PLAN_XR_RTT, 0);
    uint8_t buf[128];
    agw_rtcp_writer w;
    heard h;
    wait_for_report(l, &h);
    CU_ASSERT_EQUAL(h.data[1], AGW_RTCP_RR);
    CU_ASSERT_TRUE_FATAL(has_block(&h, AGW_XR_RRTR));
    const agw_xr_dlrr d = {h.sender, agw_xr_read_rrtr(&h.block), 65536 / 10};
    rr_of_browser(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_dlrr(&w, SSRC_BROWSER, &d, 1), AGW_OK);
    l->now += AGW_MS(130);
    CU_ASSERT_EQUAL(rtt_of_browser(l), 0);
    lab_browser_says(l, &l->calls[0], browser(), buf, w.len);
    lab_turn(l);
    CU_ASSERT_TRUE(rtt_of_browser(l) > 29000 && rtt_of_browser(l) < 31000);
    lab_end(l);
}

/* Where a codec changes RTCP ends at us, and extended reports with it. */
static void test_xr_report_rfc3611_4_4_round_trip_beside_a_codec_change(void)
{
    lab *l = talk(AGW_PLAN_XR_RTT, 0);
    agw_chain_plan chain = {.n_inputs = 1, .out = agw_codec_plain(AGW_CODEC_PCMU)};
    agw_end_plan *phone = &l->calls[0].plan->medias[0].end[AGW_SIDE_B];
    uint8_t buf[128];
    agw_rtcp_writer w;
    heard h;
    chain.inputs[0] =
        (agw_chain_input){.pt = LAB_PT_AUDIO, .format = agw_codec_plain(AGW_CODEC_PCMA)};
    phone->chain = &chain;
    lab_apply(l, &l->calls[0]);
    wait_for_report(l, &h);
    CU_ASSERT_TRUE_FATAL(has_block(&h, AGW_XR_RRTR));
    const agw_xr_dlrr d = {h.sender, agw_xr_read_rrtr(&h.block), 0};
    rr_of_browser(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_dlrr(&w, SSRC_BROWSER, &d, 1), AGW_OK);
    l->now += AGW_MS(50);
    lab_browser_says(l, &l->calls[0], browser(), buf, w.len);
    lab_turn(l);
    CU_ASSERT_TRUE(rtt_of_browser(l) > 49000 && rtt_of_browser(l) < 51000);
    lab_end(l);
}

/* Who has not negotiated it gets none, and what it says of it counts for nothing. */
static void test_xr_report_rfc3611_5_nothing_without_negotiation(void)
{
    lab *l = talk(0, 0);
    uint8_t buf[128];
    agw_rtcp_writer w;
    heard h;
    rr_of_browser(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_rrtr(&w, SSRC_BROWSER, 1), AGW_OK);
    lab_browser_says(l, &l->calls[0], browser(), buf, w.len);
    lab_turn(l);
    wait_for_report(l, &h);
    CU_ASSERT_FALSE(has_block(&h, AGW_XR_DLRR));
    CU_ASSERT_FALSE(has_block(&h, AGW_XR_RRTR));
    CU_ASSERT_FALSE(has_block(&h, AGW_XR_VOIP));
    lab_end(l);
}

/* The phone talks 20 s; every tenth packet is lost, so each stands alone in a burst of its like. */
static void test_xr_report_rfc3611_4_7_voip_metrics_of_what_a_party_sends(void)
{
    lab *l = talk(0, AGW_PLAN_XR_VOIP);
    heard h = {0}, last = {0};
    agw_xr_voip v;
    for (uint16_t i = 0; i < 1000; i++) {
        l->now += AGW_MS(20);
        if (i % 10 != 9)
            lab_phone_rtp(l, &l->calls[0], 0, lab_phone(l, &l->calls[0], 0), LAB_PT_AUDIO,
                          SSRC_PHONE, i);
        lab_turn(l);
        if (phone_heard(l, &h))
            last = h;
    }
    CU_ASSERT_TRUE_FATAL(last.len != 0 && has_block(&last, AGW_XR_VOIP));
    CU_ASSERT_FALSE(has_block(&last, AGW_XR_RRTR));
    CU_ASSERT_TRUE_FATAL(has_block(&last, AGW_XR_VOIP));
    agw_xr_read_voip(&last.block, &v);
    CU_ASSERT_EQUAL(v.ssrc, SSRC_PHONE);
    CU_ASSERT_TRUE(v.loss_rate >= 22 && v.loss_rate <= 28);
    CU_ASSERT_TRUE(v.burst_density >= 22 && v.burst_density <= 30);
    CU_ASSERT_TRUE(v.burst_ms > 10000);
    CU_ASSERT_EQUAL(v.gmin, AGW_XR_GMIN);
    CU_ASSERT_TRUE(v.mos_lq < 38 && v.mos_lq > 25);
    CU_ASSERT_TRUE(v.mos_cq <= v.mos_lq);
    CU_ASSERT_TRUE(v.r_factor > 50 && v.r_factor < 75);
    lab_end(l);
}

/* Lost of 256 expected packets: 128 where every second is, 255 at most. */
static void test_xr_report_rfc3611_4_7_1_loss_rate_is_in_256ths(void)
{
    static const struct {
        uint16_t step;
        uint8_t rate;
    } LOSSES[] = {{1, 0}, {2, 128}, {4, 192}, {1000, 255}}; /* one of so many comes */
    for (size_t i = 0; i < sizeof LOSSES / sizeof LOSSES[0]; i++) {
        lab *l = talk(0, AGW_PLAN_XR_VOIP);
        heard h = {0};
        agw_xr_voip v = {0};
        lab_phone_rtp(l, &l->calls[0], 0, lab_phone(l, &l->calls[0], 0), LAB_PT_AUDIO, SSRC_PHONE,
                      100);
        for (uint16_t n = 1; n < 1001 && h.len == 0; n++) {
            l->now += AGW_MS(20);
            lab_phone_rtp(l, &l->calls[0], 0, lab_phone(l, &l->calls[0], 0), LAB_PT_AUDIO,
                          SSRC_PHONE, (uint16_t)(99 + (n + 1) * LOSSES[i].step));
            lab_turn(l);
            (void)phone_heard(l, &h);
        }
        CU_ASSERT_TRUE_FATAL(h.len != 0 && has_block(&h, AGW_XR_VOIP));
        agw_xr_read_voip(&h.block, &v);
        CU_ASSERT_EQUAL(v.loss_rate, LOSSES[i].rate);
        lab_end(l);
    }
}

static size_t put_sr(uint8_t *out, size_t size, bool bye)
{
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, out, size);
    const agw_rtcp_sender sr = {.ssrc = SSRC_BROWSER, .ntp = UINT64_C(0x1122334455667788)};
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_sr(&w, &sr, NULL, 0), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_cname(&w, SSRC_BROWSER, "x", 1), AGW_OK);
    if (bye)
        CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_bye(&w, SSRC_BROWSER), AGW_OK);
    return w.len;
}

/* As long as reports are passed on, ours wait: the metrics go behind theirs, but not behind a BYE
 * (RFC 3550 section 6.1). */
static void test_xr_report_goes_behind_what_is_passed_on(void)
{
    lab *l = talk(0, AGW_PLAN_XR_VOIP);
    uint8_t sr[256];
    heard h;
    for (uint16_t i = 0; i < 10; i++) {
        l->now += AGW_MS(20);
        lab_phone_rtp(l, &l->calls[0], 0, lab_phone(l, &l->calls[0], 0), LAB_PT_AUDIO, SSRC_PHONE,
                      i);
        lab_browser_rtp(l, &l->calls[0], browser(), LAB_PT_AUDIO, SSRC_BROWSER, i);
    }
    lab_browser_says(l, &l->calls[0], browser(), sr, put_sr(sr, sizeof sr, false));
    lab_turn(l);
    CU_ASSERT_TRUE_FATAL(phone_heard(l, &h));
    CU_ASSERT_EQUAL(h.data[1], AGW_RTCP_SR);
    CU_ASSERT_TRUE(has_block(&h, AGW_XR_VOIP));
    lab_browser_says(l, &l->calls[0], browser(), sr, put_sr(sr, sizeof sr, true));
    lab_turn(l);
    CU_ASSERT_TRUE_FATAL(phone_heard(l, &h));
    CU_ASSERT_FALSE(has_block(&h, AGW_XR_VOIP));
    lab_end(l);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_xr_report_rfc3611_4_5_rrtr_is_answered_once),
    AGW_CASE(test_xr_report_rfc3611_4_4_round_trip_without_sr),
    AGW_CASE(test_xr_report_rfc3611_4_4_round_trip_beside_a_codec_change),
    AGW_CASE(test_xr_report_rfc3611_5_nothing_without_negotiation),
    AGW_CASE(test_xr_report_rfc3611_4_7_voip_metrics_of_what_a_party_sends),
    AGW_CASE(test_xr_report_rfc3611_4_7_1_loss_rate_is_in_256ths),
    AGW_CASE(test_xr_report_goes_behind_what_is_passed_on),
};

AGW_UNIT_MAIN("xr report", CASES)
