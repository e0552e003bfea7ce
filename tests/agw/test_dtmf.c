/* SPDX-License-Identifier: BSD-3-Clause
 * What else is done to the RTP of a party, on virtual time: blocks, digits heard and digits played
 * (RFC 4733). */
#include "tests/agw/lab.h"
#include "unit.h"

enum {
    SSRC_BROWSER = 0x11,
    SSRC_PHONE = 0x22,
    EVENT_BROWSER = 126, /* what the browser calls telephone-event */
    EVENT_PHONE = 101,
    UNITS = 160, /* of 20 ms */
    PACKETS = 7, /* of a digit of 100 ms: 4 that go on, 3 ends */
};

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static lab_call *first(lab *l)
{
    return &l->calls[0];
}

static void add_event(agw_end_plan *end, uint8_t ingress, uint8_t egress)
{
    end->pts[end->n_pts++] =
        (agw_pt_plan){.ingress = ingress, .egress = egress, .is_event = true, .clock_hz = 8000};
}

static lab *talk(bool with_events)
{
    lab *l = lab_new();
    if (with_events) {
        add_event(&first(l)->plan->medias[0].end[AGW_SIDE_A], EVENT_BROWSER, EVENT_PHONE);
        add_event(&first(l)->plan->medias[0].end[AGW_SIDE_B], EVENT_PHONE, EVENT_BROWSER);
    }
    lab_apply(l, first(l));
    lab_connect(l, first(l), browser());
    return l;
}

static void pass_20_ms(lab *l)
{
    l->now += AGW_MS(20);
}

/* One packet every 20 ms: number and timestamp go together. */
static void browser_says(lab *l, uint16_t seq)
{
    pass_20_ms(l);
    lab_browser_rtp(l, first(l), browser(), LAB_PT_AUDIO, SSRC_BROWSER, seq);
    lab_turn(l);
}

static void phone_says(lab *l, uint16_t seq)
{
    pass_20_ms(l);
    lab_phone_rtp(l, first(l), 0, lab_phone(l, first(l), 0), LAB_PT_AUDIO, SSRC_PHONE, seq);
    lab_turn(l);
}

/* The next packet to the phone, or NULL. */
static const uint8_t *to_phone(lab *l)
{
    const lab_out *out = lab_sent(l, &first(l)->core[0], AGW_PKT_RTP, 0);
    return out != NULL ? out->data : NULL;
}

/* The next packet to the browser in the clear, or NULL. */
static const uint8_t *to_browser(lab *l)
{
    const lab_out *out = lab_to_browser(l, first(l));
    return out != NULL ? out->data : NULL;
}

/* A digit of the browser in three packets, all ends. */
static void browser_presses(lab *l, uint16_t seq, uint32_t timestamp, uint8_t event)
{
    uint8_t rtp[16] = {0x80, EVENT_BROWSER};
    const agw_rtp_event e = {.event = event, .end = true, .volume = 10, .duration = 5 * UNITS};
    for (int i = 0; i < 3; i++, seq++) {
        agw_put16(rtp + 2, seq);
        agw_put32(rtp + 4, timestamp);
        agw_put32(rtp + 8, SSRC_BROWSER);
        agw_rtp_event_write(&e, rtp + 12);
        lab_browser_says(l, first(l), browser(), rtp, sizeof rtp);
        lab_turn(l);
    }
}

static const agw_event *last_event(lab *l, agw_event_kind kind)
{
    for (size_t i = first(l)->n_events; i > 0; i--) {
        if (first(l)->events[i - 1].kind == kind)
            return &first(l)->events[i - 1];
    }
    return NULL;
}

static uint64_t value(const agw_counter *c)
{
    return agw_counter_get(c);
}

static agw_end_stats *stats(lab *l, agw_side side)
{
    return &first(l)->stats[0].end[side];
}

/* --- blocks ------------------------------------------------------------------------------------
 */

static void set_acts(lab *l, agw_side side, uint8_t acts)
{
    first(l)->plan->medias[0].end[side].acts = acts;
    lab_apply(l, first(l));
}

static void test_acts_blocked_media_goes_nowhere_and_counts_as_received(void)
{
    lab *l = talk(false);
    browser_says(l, 1);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK);
    browser_says(l, 2);
    CU_ASSERT_PTR_NULL(to_phone(l));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_BLOCKED), 1);
    CU_ASSERT_EQUAL(value(&stats(l, AGW_SIDE_A)->rtp_in.packets), 2);
    phone_says(l, 1); /* the other direction goes on */
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    set_acts(l, AGW_SIDE_A, 0);
    browser_says(l, 3);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    lab_end(l);
}

static void test_acts_blocked_media_moves_the_roll_over_counter(void)
{
    lab *l = talk(false);
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK);
    for (uint32_t seq = 1; seq < 70000; seq++)
        browser_says(l, (uint16_t)seq);
    set_acts(l, AGW_SIDE_A, 0);
    browser_says(l, (uint16_t)70000);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    lab_end(l);
}

static void test_acts_unblocked_video_begins_with_a_key_frame(void)
{
    lab *l = talk(false);
    agw_end_plan *phone = &first(l)->plan->medias[1].end[AGW_SIDE_A];
    phone->acts = AGW_ACT_BLOCK;
    lab_apply(l, first(l));
    lab_browser_rtp(l, first(l), browser(), LAB_PT_VIDEO, 0x12, 1);
    lab_turn(l);
    CU_ASSERT_PTR_NULL(lab_sent(l, &first(l)->core[2], AGW_PKT_RTP, 0));
    phone->acts = 0;
    lab_apply(l, first(l));
    CU_ASSERT_PTR_NOT_NULL(lab_sent(l, &l->access, AGW_PKT_RTCP, 0));
    lab_end(l);
}

static void test_acts_blocked_digits_are_told_and_go_nowhere(void)
{
    lab *l = talk(true);
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK_DTMF);
    browser_says(l, 1);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    browser_presses(l, 2, 2 * UNITS, 5);
    CU_ASSERT_PTR_NULL(to_phone(l));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_BLOCKED_DTMF), 3);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 1);
    browser_says(l, 5);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    lab_end(l);
}

/* The phone tells the browser what it got of its stream; what the browser reads of that. */
static agw_rtcp_report phone_reports(lab *l, uint32_t ext_seq)
{
    uint8_t rr[128];
    agw_rtcp_writer w;
    agw_rtcp_iter it;
    agw_rtcp_packet p = {0};
    agw_rtcp_report block = {.ssrc = SSRC_BROWSER, .ext_seq = ext_seq};
    agw_rtcp_writer_init(&w, rr, sizeof rr);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_write_rr(&w, SSRC_PHONE, &block, 1), AGW_OK);
    lab_say(l, &first(l)->core[1], lab_phone(l, first(l), 1), rr, w.len);
    lab_turn(l);
    lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTCP, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect_rtcp(first(l)->in, out->data, &out->len), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, out->data, out->len), AGW_OK);
    CU_ASSERT_TRUE_FATAL(agw_rtcp_next(&it, &p) && p.type == AGW_RTCP_RR && p.count == 1);
    agw_rtcp_report_parse(&block, p.body + 4);
    CU_ASSERT_EQUAL(block.ssrc, SSRC_BROWSER);
    return block;
}

static void expect_rtp(const uint8_t *rtp, uint16_t seq, uint32_t timestamp, bool marker)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(agw_get16(rtp + 2), seq);
    CU_ASSERT_EQUAL(agw_get32(rtp + 4), timestamp);
    CU_ASSERT_EQUAL(rtp[1], LAB_PT_AUDIO | (marker ? 0x80 : 0));
}

/* Toward the phone, under the browser's own SSRC: three digits, and no number is missing. */
static void test_acts_blocked_digits_leave_no_hole(void)
{
    lab *l = talk(true);
    uint16_t seq = 1000, egress = 1000;
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK_DTMF);
    browser_says(l, seq++);
    expect_rtp(to_phone(l), egress++, 1000 * UNITS, false);
    for (int digit = 0; digit < 3; digit++) {
        browser_presses(l, seq, seq * (uint32_t)UNITS, 5);
        CU_ASSERT_PTR_NULL(to_phone(l));
        seq = (uint16_t)(seq + 3);
        for (int i = 0; i < 3; i++, seq++, egress++) {
            browser_says(l, seq);
            expect_rtp(to_phone(l), egress, seq * (uint32_t)UNITS, i == 0);
            CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 8), SSRC_BROWSER);
        }
    }
    /* 19 have left the browser, 10 have reached the phone, none is lost */
    const agw_rtcp_report r = phone_reports(l, egress - 1u);
    CU_ASSERT_EQUAL(r.ext_seq, 1000 + 18);
    CU_ASSERT_EQUAL(r.lost, 0);
    lab_end(l);
}

/* 30 s in which the party sends on. */
static void test_acts_blocked_media_leaves_no_hole(void)
{
    lab *l = talk(false);
    for (uint16_t seq = 1; seq <= 3; seq++) {
        browser_says(l, seq);
        phone_says(l, seq);
    }
    const uint8_t *rtp = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK);
    set_acts(l, AGW_SIDE_B, AGW_ACT_BLOCK);
    for (uint16_t seq = 4; seq < 1504; seq++) {
        pass_20_ms(l);
        lab_browser_rtp(l, first(l), browser(), LAB_PT_AUDIO, SSRC_BROWSER, seq);
        lab_phone_rtp(l, first(l), 0, lab_phone(l, first(l), 0), LAB_PT_AUDIO, SSRC_PHONE, seq);
        lab_turn(l);
        CU_ASSERT_TRUE(to_phone(l) == NULL && to_browser(l) == NULL);
    }
    CU_ASSERT_EQUAL(phone_reports(l, 3).ext_seq, 1503); /* it misses nothing */
    set_acts(l, AGW_SIDE_A, 0);
    set_acts(l, AGW_SIDE_B, 0);
    for (uint16_t i = 0; i < 3; i++) {
        browser_says(l, (uint16_t)(1504 + i));
        expect_rtp(to_phone(l), 4 + i, (1504u + i) * UNITS, i == 0);
        phone_says(l, (uint16_t)(1504 + i));
        expect_rtp(to_browser(l), 4 + i, (1504u + i) * UNITS, i == 0);
    }
    const agw_rtcp_report r = phone_reports(l, 6);
    CU_ASSERT_EQUAL(r.ext_seq, 1506);
    lab_end(l);
}

/* A hold through which both send on, and a resume. */
static void test_acts_a_closed_gate_leaves_no_hole(void)
{
    lab *l = talk(false);
    agw_end_plan *ends = first(l)->plan->medias[0].end;
    browser_says(l, 1);
    phone_says(l, 1);
    ends[AGW_SIDE_A].may_send = ends[AGW_SIDE_A].may_receive = false;
    lab_apply(l, first(l));
    for (uint16_t seq = 2; seq < 100; seq++) {
        browser_says(l, seq);
        phone_says(l, seq);
    }
    ends[AGW_SIDE_A].may_send = ends[AGW_SIDE_A].may_receive = true;
    lab_apply(l, first(l));
    browser_says(l, 100);
    expect_rtp(to_phone(l), 2, 100 * UNITS, true);
    phone_says(l, 100);
    expect_rtp(to_browser(l), 2, 100 * UNITS, true);
    phone_says(l, 102); /* lost on its way: this is a hole */
    expect_rtp(to_browser(l), 4, 102 * UNITS, false);
    lab_end(l);
}

/* Late ones have no say about what passed ahead of them. */
static void test_acts_a_late_digit_that_is_blocked_moves_no_number(void)
{
    lab *l = talk(true);
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK_DTMF);
    browser_says(l, 1);
    browser_says(l, 5);
    browser_presses(l, 2, 2 * UNITS, 5);
    browser_says(l, 6);
    expect_rtp(to_phone(l), 6, 6 * UNITS, false);
    lab_end(l);
}

/* Between two browsers each stream keeps its own numbers. */
static void test_acts_a_browser_gets_a_transparent_stream_as_it_is(void)
{
    lab *l = talk(false);
    first(l)->plan->medias[0].end[AGW_SIDE_A].egress_ssrc = 0;
    lab_apply(l, first(l));
    phone_says(l, 1);
    set_acts(l, AGW_SIDE_B, AGW_ACT_BLOCK);
    phone_says(l, 2);
    set_acts(l, AGW_SIDE_B, 0);
    phone_says(l, 3);
    expect_rtp(to_browser(l), 3, 3 * UNITS, false);
    lab_end(l);
}

/* --- hearing -----------------------------------------------------------------------------------
 */

static void test_dtmf_rfc4733_2_5_2_3_a_digit_is_told_once_and_passed_on(void)
{
    lab *l = talk(true);
    browser_says(l, 1);
    browser_presses(l, 2, 2 * UNITS, 11);
    const uint8_t *rtp = to_phone(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(rtp[1] & 0x7f, EVENT_PHONE);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 1);
    const agw_event *e = last_event(l, AGW_EVENT_DTMF);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_TRUE(e->dtmf.digit == '#' && e->dtmf.event == 11 && e->dtmf.volume == 10);
    CU_ASSERT_TRUE(e->dtmf.duration_ms == 100 && e->dtmf.side == AGW_SIDE_A);
    CU_ASSERT_FALSE(e->dtmf.unheard);
    CU_ASSERT_EQUAL(e->dtmf.media_id, LAB_AUDIO);
    const agw_addr from = browser();
    CU_ASSERT_TRUE(agw_addr_equal(&e->remote, &from));
    CU_ASSERT_EQUAL(value(&stats(l, AGW_SIDE_A)->dtmf_in), 1);
    lab_end(l);
}

/* The other party takes none and nothing is converted: a tone is due, unless digits are blocked. */
static void test_dtmf_what_the_other_party_does_not_take_ends_here(void)
{
    lab *l = talk(false);
    agw_end_plan *plan = &first(l)->plan->medias[0].end[AGW_SIDE_A];
    plan->pts[plan->n_pts++] = (agw_pt_plan){
        .ingress = EVENT_BROWSER, .is_event = true, .chained = true, .clock_hz = 8000};
    lab_apply(l, first(l));
    browser_says(l, 1);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    browser_presses(l, 2, 2 * UNITS, 5);
    CU_ASSERT_PTR_NULL(to_phone(l));
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 1);
    CU_ASSERT_TRUE(last_event(l, AGW_EVENT_DTMF)->dtmf.unheard);
    CU_ASSERT_EQUAL(value(&stats(l, AGW_SIDE_A)->dropped), 0);
    browser_says(l, 5);
    expect_rtp(to_phone(l), 2, 5 * UNITS, true);
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK_DTMF);
    browser_presses(l, 6, 9 * UNITS, 6);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 2);
    CU_ASSERT_FALSE(last_event(l, AGW_EVENT_DTMF)->dtmf.unheard);
    lab_end(l);
}

static void test_dtmf_a_digit_without_end_is_told_by_the_audio_behind_it(void)
{
    lab *l = talk(true);
    uint8_t rtp[16] = {0x80, EVENT_BROWSER, 0, 1};
    agw_put32(rtp + 8, SSRC_BROWSER);
    agw_rtp_event_write(&(agw_rtp_event){.event = 1, .duration = UNITS}, rtp + 12);
    lab_browser_says(l, first(l), browser(), rtp, sizeof rtp);
    lab_turn(l);
    browser_says(l, 2);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 0);
    l->now += AGW_MS(200);
    browser_says(l, 12);
    browser_says(l, 13);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 1);
    CU_ASSERT_EQUAL(first(l)->call->medias[0]->end[AGW_SIDE_A].acts, 0); /* the fast way again */
    lab_end(l);
}

static void test_dtmf_a_flood_of_digits_is_counted_and_not_told(void)
{
    lab *l = talk(true);
    for (uint16_t i = 0; i < 100; i++)
        browser_presses(l, (uint16_t)(3 * i), 1000u * i, 5);
    CU_ASSERT_EQUAL(value(&stats(l, AGW_SIDE_A)->dtmf_in), 100);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 20);
    l->now += AGW_S(1);
    browser_presses(l, 400, 200000, 5);
    CU_ASSERT_EQUAL(value(&stats(l, AGW_SIDE_A)->dtmf_in), 101);
    lab_end(l);
}

static void test_dtmf_short_payloads_are_passed_on_and_tell_nothing(void)
{
    lab *l = talk(true);
    uint8_t rtp[15] = {0x80, EVENT_BROWSER, 0, 1};
    agw_put32(rtp + 8, SSRC_BROWSER);
    lab_browser_says(l, first(l), browser(), rtp, sizeof rtp);
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 0);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    lab_end(l);
}

/* --- playing -----------------------------------------------------------------------------------
 */

static void expect_event(const uint8_t *rtp, uint8_t pt, uint16_t seq, uint32_t timestamp,
                         unsigned nth)
{
    agw_rtp_event e;
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(rtp[1], pt | (nth == 1 ? 0x80 : 0));
    CU_ASSERT_EQUAL(agw_get16(rtp + 2), seq);
    CU_ASSERT_EQUAL(agw_get32(rtp + 4), timestamp);
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, rtp + 12, 4), AGW_OK);
    CU_ASSERT_TRUE(e.event == 5 && e.volume == 8 && e.end == (nth >= 5));
    CU_ASSERT_EQUAL(e.duration, UNITS * (nth < 5 ? nth : 5));
}

/* The stream toward the phone is transparent: its numbers become ours where the digit begins. */
static void test_dtmf_rfc4733_2_a_digit_is_played_into_a_transparent_stream(void)
{
    lab *l = talk(true);
    uint16_t seq = 1;
    for (; seq < 5; seq++)
        browser_says(l, seq);
    lab_play(l, first(l), AGW_SIDE_A, 5, 100);
    CU_ASSERT_PTR_NULL(to_phone(l)); /* it waits for a packet to follow */
    browser_says(l, seq);
    CU_ASSERT_EQUAL_FATAL(agw_get16(to_phone(l) + 2), 5);
    l->now += AGW_MS(20);
    for (unsigned nth = 1; nth <= PACKETS; nth++) {
        lab_turn(l);
        expect_event(to_phone(l), EVENT_PHONE, (uint16_t)(5 + nth), 6 * UNITS, nth);
        CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 8), SSRC_BROWSER);
        seq++;
        lab_browser_rtp(l, first(l), browser(), LAB_PT_AUDIO, SSRC_BROWSER, seq);
        l->now += AGW_MS(20);
    }
    lab_turn(l);
    CU_ASSERT_EQUAL(value(&stats(l, AGW_SIDE_B)->dtmf_out), 1);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_PLAYING), PACKETS - 2); /* until the last end is out */
    browser_says(l, ++seq); /* and the audio goes on behind it, in its own time */
    const uint8_t *rtp = to_phone(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(rtp[1], LAB_PT_AUDIO);
    CU_ASSERT_EQUAL(agw_get32(rtp + 4), seq * (uint32_t)UNITS);
    CU_ASSERT_EQUAL(agw_get16(rtp + 2), 5 + PACKETS + 3);
    const uint16_t goes_on = agw_get16(rtp + 2);
    browser_says(l, ++seq);
    CU_ASSERT_EQUAL(agw_get16(to_phone(l) + 2), goes_on + 1);
    lab_apply(l, first(l)); /* the same plan again changes nothing */
    browser_says(l, ++seq);
    CU_ASSERT_EQUAL(agw_get16(to_phone(l) + 2), goes_on + 2);
    lab_end(l);
}

static void test_dtmf_rfc4733_2_a_digit_is_played_to_the_browser(void)
{
    lab *l = talk(true);
    uint16_t seq = 1;
    for (; seq < 5; seq++)
        phone_says(l, seq);
    const uint8_t *rtp = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    const uint16_t last = agw_get16(rtp + 2);
    const uint32_t timestamp = agw_get32(rtp + 4), ssrc = agw_get32(rtp + 8);
    l->now += AGW_MS(20);
    lab_play(l, first(l), AGW_SIDE_B, 5, 100);
    for (unsigned nth = 1; nth <= PACKETS; nth++) {
        if (nth > 1)
            lab_turn(l);
        rtp = to_browser(l);
        expect_event(rtp, EVENT_BROWSER, (uint16_t)(last + nth), timestamp + UNITS, nth);
        CU_ASSERT_EQUAL(agw_get32(rtp + 8), ssrc);
        l->now += AGW_MS(20);
    }
    phone_says(l, (uint16_t)(seq + 8));
    rtp = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(agw_get16(rtp + 2), last + PACKETS + 1);
    CU_ASSERT_EQUAL(agw_get32(rtp + 4), timestamp + 9 * UNITS);
    lab_end(l);
}

static void test_dtmf_digits_wait_for_each_other_and_for_the_pause(void)
{
    lab *l = talk(true);
    phone_says(l, 1);
    lab_play(l, first(l), AGW_SIDE_B, 5, 100);
    lab_play(l, first(l), AGW_SIDE_B, 6, 100);
    unsigned markers = 0, packets = 0;
    agw_ns last_of_first = 0, first_of_second = 0;
    for (int i = 0; i < 40; i++) {
        pass_20_ms(l);
        lab_turn(l);
        const uint8_t *rtp = to_browser(l);
        if (rtp == NULL)
            continue;
        packets++;
        markers += rtp[1] >> 7;
        if (rtp[12] == 5)
            last_of_first = l->now;
        else if (first_of_second == 0)
            first_of_second = l->now;
    }
    CU_ASSERT_TRUE(markers >= 1 && packets >= 2 * PACKETS - 1);
    CU_ASSERT_EQUAL(first_of_second - last_of_first, AGW_MS(100));
    lab_end(l);
}

static void test_dtmf_a_silent_party_gets_numbers_of_our_own(void)
{
    lab *l = talk(true);
    lab_play(l, first(l), AGW_SIDE_A, 5, 100);
    CU_ASSERT_PTR_NULL(to_phone(l));
    l->now += AGW_MS(100);
    lab_turn(l);
    const uint8_t *rtp = to_phone(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    const uint16_t seq = agw_get16(rtp + 2);
    const uint32_t ssrc = agw_get32(rtp + 8);
    for (unsigned nth = 2; nth <= PACKETS; nth++) {
        pass_20_ms(l);
        lab_turn(l);
        CU_ASSERT_PTR_NOT_NULL_FATAL(to_phone(l));
        CU_ASSERT_EQUAL(agw_get16(to_phone(l) + 2), (uint16_t)(seq + nth - 1));
    }
    browser_says(l, 1000); /* it begins now */
    rtp = to_phone(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(agw_get16(rtp + 2), (uint16_t)(seq + PACKETS));
    CU_ASSERT_EQUAL(agw_get32(rtp + 8), ssrc);
    lab_end(l);
}

/* While it waits for a packet to follow, a blocked one makes the numbers ours. */
static void test_dtmf_a_digit_is_played_while_media_is_blocked(void)
{
    lab *l = talk(true);
    browser_says(l, 1);
    set_acts(l, AGW_SIDE_A, AGW_ACT_BLOCK);
    lab_play(l, first(l), AGW_SIDE_A, 5, 100);
    uint16_t seq = 2;
    for (; seq < 6; seq++) {
        browser_says(l, seq);
        CU_ASSERT_PTR_NULL(to_phone(l));
    }
    for (unsigned nth = 1; nth <= PACKETS; nth++, seq++) {
        browser_says(l, seq);
        expect_event(to_phone(l), EVENT_PHONE, (uint16_t)(1 + nth), 6 * UNITS, nth);
        CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 8), SSRC_BROWSER);
    }
    set_acts(l, AGW_SIDE_A, 0);
    browser_says(l, seq);
    expect_rtp(to_phone(l), 2 + PACKETS, seq * (uint32_t)UNITS, false);
    lab_end(l);
}

static void test_dtmf_nothing_is_played_where_no_event_was_negotiated(void)
{
    lab *l = talk(false);
    phone_says(l, 1);
    lab_play(l, first(l), AGW_SIDE_B, 5, 100);
    pass_20_ms(l);
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    phone_says(l, 2);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    lab_end(l);
}

static void test_dtmf_nothing_is_played_behind_a_closed_gate(void)
{
    lab *l = talk(true);
    phone_says(l, 1);
    first(l)->plan->medias[0].end[AGW_SIDE_A].may_receive = false;
    lab_apply(l, first(l));
    lab_play(l, first(l), AGW_SIDE_B, 5, 100);
    for (int i = 0; i < PACKETS; i++) {
        CU_ASSERT_PTR_NULL(to_browser(l));
        pass_20_ms(l);
        lab_turn(l);
    }
    lab_end(l);
}

static void test_dtmf_a_new_plan_may_begin_another_stream_amid_a_digit(void)
{
    lab *l = talk(true);
    phone_says(l, 1);
    lab_play(l, first(l), AGW_SIDE_B, 5, 5000);
    first(l)->plan->medias[0].end[AGW_SIDE_A].egress_ssrc = 0x77;
    l->now += AGW_MS(20);
    lab_apply(l, first(l));
    const uint8_t *rtp = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    CU_ASSERT_EQUAL(agw_get32(rtp + 8), 0x77);
    lab_end(l);
}

static void test_dtmf_a_call_may_end_while_a_digit_is_played(void)
{
    lab *l = talk(true);
    phone_says(l, 1);
    lab_play(l, first(l), AGW_SIDE_B, 5, 5000);
    lab_play(l, first(l), AGW_SIDE_A, 5, 5000);
    first(l)->plan->medias[0].end[AGW_SIDE_B].n_pts = 1; /* or lose telephone-event */
    lab_apply(l, first(l));
    pass_20_ms(l);
    lab_turn(l);
    CU_ASSERT_PTR_NULL(to_browser(l));
    phone_says(l, 2);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_acts_blocked_media_goes_nowhere_and_counts_as_received),
    AGW_CASE(test_acts_blocked_media_moves_the_roll_over_counter),
    AGW_CASE(test_acts_unblocked_video_begins_with_a_key_frame),
    AGW_CASE(test_acts_blocked_digits_are_told_and_go_nowhere),
    AGW_CASE(test_acts_blocked_digits_leave_no_hole),
    AGW_CASE(test_acts_blocked_media_leaves_no_hole),
    AGW_CASE(test_acts_a_closed_gate_leaves_no_hole),
    AGW_CASE(test_acts_a_late_digit_that_is_blocked_moves_no_number),
    AGW_CASE(test_acts_a_browser_gets_a_transparent_stream_as_it_is),
    AGW_CASE(test_dtmf_rfc4733_2_5_2_3_a_digit_is_told_once_and_passed_on),
    AGW_CASE(test_dtmf_what_the_other_party_does_not_take_ends_here),
    AGW_CASE(test_dtmf_a_digit_without_end_is_told_by_the_audio_behind_it),
    AGW_CASE(test_dtmf_a_flood_of_digits_is_counted_and_not_told),
    AGW_CASE(test_dtmf_short_payloads_are_passed_on_and_tell_nothing),
    AGW_CASE(test_dtmf_rfc4733_2_a_digit_is_played_into_a_transparent_stream),
    AGW_CASE(test_dtmf_rfc4733_2_a_digit_is_played_to_the_browser),
    AGW_CASE(test_dtmf_digits_wait_for_each_other_and_for_the_pause),
    AGW_CASE(test_dtmf_a_silent_party_gets_numbers_of_our_own),
    AGW_CASE(test_dtmf_a_digit_is_played_while_media_is_blocked),
    AGW_CASE(test_dtmf_nothing_is_played_where_no_event_was_negotiated),
    AGW_CASE(test_dtmf_nothing_is_played_behind_a_closed_gate),
    AGW_CASE(test_dtmf_a_new_plan_may_begin_another_stream_amid_a_digit),
    AGW_CASE(test_dtmf_a_call_may_end_while_a_digit_is_played),
};

AGW_UNIT_MAIN("dtmf", cases)
