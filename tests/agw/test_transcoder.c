/* SPDX-License-Identifier: BSD-3-Clause
 * Codec change in the packet engine, on virtual time: PCMA of the browser becomes PCMU for the
 * phone and the reverse; PCMU (for the browser: G.711 of another law) passes where both have it. */
#include "agw/transcode.h"
#include "codecs/audio.h"
#include "codecs/g711.h"
#include "tests/agw/heap.h"
#include "tests/agw/lab.h"
#include "unit.h"

enum {
    SSRC_BROWSER = 0x11,
    SSRC_PHONE = 0x22,
    EVENT_BROWSER = 126,
    EVENT_PHONE = 101,
    BOTH_PT = 9, /* both parties have it */
    SSRC_ACCESS = (int)0xa0000001,
};

/* --- the call ----------------------------------------------------------------------------------
 */

typedef struct side_seq {
    uint16_t seq;
    uint32_t timestamp;
} side_seq;

typedef struct rig {
    lab lab;
    agw_chain_plan chain[2];
    side_seq said[2];
} rig;

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static lab_call *call_of(rig *r)
{
    return &r->lab.calls[0];
}

static agw_end_plan *end_plan(rig *r, agw_side side)
{
    return &call_of(r)->plan->medias[0].end[side];
}

static void plan_chain(rig *r, agw_side side, agw_codec_id in, agw_codec_id out, uint8_t event_in,
                       uint8_t event_out)
{
    agw_end_plan *e = end_plan(r, side);
    agw_chain_plan *c = &r->chain[side];
    const agw_codec_format clock = {.clock_hz = 8000};
    const uint8_t pt = (uint8_t)agw_codec_info_of(in)->static_pt;
    *c = (agw_chain_plan){.n_inputs = 2,
                          .out = agw_codec_plain(out),
                          .out_pt = (uint8_t)agw_codec_info_of(out)->static_pt,
                          .event_pt = event_out,
                          .event_hz = 8000};
    c->inputs[0] = (agw_chain_input){.pt = pt, .format = agw_codec_plain(in)};
    c->inputs[1] = (agw_chain_input){.pt = event_in, .is_event = true, .format = clock};
    e->chain = c;
    e->n_pts = 3;
    e->pts[0] = (agw_pt_plan){.ingress = pt, .chained = true, .clock_hz = 8000};
    e->pts[1] =
        (agw_pt_plan){.ingress = event_in, .is_event = true, .chained = true, .clock_hz = 8000};
    e->pts[2] = (agw_pt_plan){.ingress = BOTH_PT, .egress = BOTH_PT, .clock_hz = 8000};
}

static rig *talk(void)
{
    rig *r = calloc(1, sizeof *r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    lab_open(&r->lab);
    lab_call_open(&r->lab, call_of(r));
    plan_chain(r, AGW_SIDE_A, AGW_CODEC_PCMA, AGW_CODEC_PCMU, EVENT_BROWSER, EVENT_PHONE);
    plan_chain(r, AGW_SIDE_B, AGW_CODEC_PCMU, AGW_CODEC_PCMA, EVENT_PHONE, EVENT_BROWSER);
    snprintf(end_plan(r, AGW_SIDE_B)->cname, AGW_PLAN_CNAME_MAX, "core");
    lab_apply(&r->lab, call_of(r));
    lab_connect(&r->lab, call_of(r), browser());
    return r;
}

static void end(rig *r)
{
    lab_close(&r->lab);
    free(r);
}

static size_t write_rtp(rig *r, agw_side side, uint8_t pt, uint8_t *rtp)
{
    side_seq *s = &r->said[side];
    rtp[0] = 0x80;
    rtp[1] = pt;
    agw_put16(rtp + 2, s->seq++);
    agw_put32(rtp + 4, s->timestamp);
    agw_put32(rtp + 8, side == AGW_SIDE_A ? SSRC_BROWSER : SSRC_PHONE);
    for (size_t i = 0; i < AGW_G711_FRAME; i++)
        rtp[12 + i] = agw_pcma_encode((int16_t)(i % 20 < 10 ? 5000 : -5000));
    s->timestamp += AGW_G711_FRAME;
    return 12 + AGW_G711_FRAME;
}

static void browser_says(rig *r, uint8_t pt)
{
    uint8_t rtp[200];
    lab_browser_says(&r->lab, call_of(r), browser(), rtp, write_rtp(r, AGW_SIDE_A, pt, rtp));
}

static void phone_says(rig *r, uint8_t pt)
{
    uint8_t rtp[200];
    const size_t len = write_rtp(r, AGW_SIDE_B, pt, rtp);
    lab_say(&r->lab, &call_of(r)->core[0], lab_phone(&r->lab, call_of(r), 0), rtp, len);
}

/* What left for the phone: collected over turns. */
typedef struct heard {
    size_t n;
    struct {
        agw_ns at;
        uint8_t pt;
        uint16_t seq;
        uint32_t timestamp, ssrc;
        size_t len;
        uint8_t payload[4];
    } packet[600];
} heard;

static heard phone;

static void note_heard(rig *r)
{
    for (size_t i = 0;; i++) {
        const lab_out *out = lab_sent(&r->lab, &call_of(r)->core[0], AGW_PKT_RTP, i);
        if (out == NULL)
            return;
        CU_ASSERT_TRUE_FATAL(phone.n < sizeof phone.packet / sizeof phone.packet[0]);
        phone.packet[phone.n].at = r->lab.now;
        phone.packet[phone.n].pt = out->data[1] & 0x7f;
        phone.packet[phone.n].seq = agw_get16(out->data + 2);
        phone.packet[phone.n].timestamp = agw_get32(out->data + 4);
        phone.packet[phone.n].ssrc = agw_get32(out->data + 8);
        phone.packet[phone.n].len = out->len;
        memcpy(phone.packet[phone.n].payload, out->data + 12, 4);
        phone.n++;
    }
}

/* The clock goes on, a turn a millisecond. */
static void pass(rig *r, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        r->lab.now += AGW_MS(1);
        lab_turn(&r->lab);
        note_heard(r);
    }
}

static void both_talk(rig *r, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        browser_says(r, AGW_PCMA_PT);
        phone_says(r, AGW_PCMU_PT);
        pass(r, 20);
    }
}

static void check_stream(size_t first, agw_ns every)
{
    for (size_t i = first + 1; i < phone.n; i++) {
        CU_ASSERT_EQUAL(phone.packet[i].ssrc, phone.packet[first].ssrc);
        CU_ASSERT_EQUAL(phone.packet[i].seq, (uint16_t)(phone.packet[i - 1].seq + 1));
        if (every != 0)
            CU_ASSERT_EQUAL(phone.packet[i].at - phone.packet[i - 1].at, every);
    }
}

static uint64_t value(const agw_counter *c)
{
    return agw_counter_get(c);
}

static agw_end_stats *stats(rig *r, agw_side side)
{
    return &call_of(r)->stats[0].end[side];
}

/* --- RTP ---------------------------------------------------------------------------------------
 */

static void test_transcoder_codec_changes_both_ways(void)
{
    rig *r = talk();
    phone.n = 0;
    size_t to_browser = 0;
    for (unsigned i = 0; i < 100; i++) {
        browser_says(r, AGW_PCMA_PT);
        phone_says(r, AGW_PCMU_PT);
        for (unsigned ms = 0; ms < 20; ms++) {
            pass(r, 1);
            lab_out *out = lab_sent(&r->lab, &r->lab.access, AGW_PKT_RTP, 0);
            size_t len = out != NULL ? out->len : 0;
            if (out == NULL)
                continue;
            CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect(call_of(r)->in, out->data, &len), AGW_OK);
            CU_ASSERT_EQUAL(out->data[1] & 0x7f, AGW_PCMA_PT);
            CU_ASSERT_EQUAL(agw_get32(out->data + 8), (uint32_t)SSRC_ACCESS);
            to_browser++;
        }
    }
    CU_ASSERT_TRUE(to_browser >= 90 && phone.n >= 90);
    for (size_t i = 0; i < phone.n; i++)
        CU_ASSERT_EQUAL(phone.packet[i].pt, AGW_PCMU_PT);
    check_stream(0, AGW_MS(20));
    CU_ASSERT_EQUAL(value(&stats(r, AGW_SIDE_A)->transcode.packets_in), 100);
    CU_ASSERT_EQUAL(value(&stats(r, AGW_SIDE_B)->rtp_out.packets), phone.n);
    CU_ASSERT_EQUAL(value(&r->lab.w->stats.chains), 2);
    end(r);
}

/* To how many parties a single turn has sent. */
static unsigned heard_in_one_turn(rig *r)
{
    r->lab.io->n_out = 0;
    (void)agw_worker_turn(r->lab.w, r->lab.now);
    return (unsigned)(lab_sent(&r->lab, &call_of(r)->core[0], AGW_PKT_RTP, 0) != NULL) +
           (lab_sent(&r->lab, &r->lab.access, AGW_PKT_RTP, 0) != NULL);
}

/* Packets wait that only pass, perhaps: coding goes on one by one. */
static void test_transcoder_ctl_6_coding_waits_for_packets(void)
{
    rig *r = talk();
    phone.n = 0;
    both_talk(r, 20);
    r->lab.now += AGW_MS(20);
    CU_ASSERT_EQUAL(heard_in_one_turn(r), 2);
    r->lab.now += AGW_MS(20);
    r->lab.w->batch_full = true;
    CU_ASSERT_EQUAL(heard_in_one_turn(r), 1);
    CU_ASSERT_FALSE(r->lab.w->batch_full); /* nothing waited after all */
    CU_ASSERT_EQUAL(heard_in_one_turn(r), 1);
    CU_ASSERT_EQUAL(heard_in_one_turn(r), 0);
    CU_ASSERT_TRUE(value(&r->lab.w->stats.coding_ns) != 0);
    end(r);
}

/* What comes by up to 30 ms late leaves every 20 ms. */
static void test_transcoder_jitter_ends_here(void)
{
    rig *r = talk();
    uint32_t lot = 3;
    unsigned said = 0;
    phone.n = 0;
    for (unsigned ms = 0, due = 0; said < 200; ms++) {
        if (ms >= due && ms >= 20 * said) {
            lot = lot * 1664525 + 1013904223;
            browser_says(r, AGW_PCMA_PT);
            said++;
            due = 20 * said + (lot >> 8) % 30;
        }
        pass(r, 1);
    }
    CU_ASSERT_TRUE(phone.n >= 180);
    check_stream(0, AGW_MS(20));
    end(r);
}

/* RFC 3550 section 5.1: to the phone it is one stream, whether it was coded anew or passed. */
static void test_transcoder_codecs_that_pass_are_the_same_stream(void)
{
    rig *r = talk();
    phone.n = 0;
    both_talk(r, 50);
    const size_t coded = phone.n;
    for (unsigned i = 0; i < 20; i++) {
        browser_says(r, BOTH_PT);
        pass(r, 20);
    }
    CU_ASSERT_EQUAL(phone.n, coded + 20);
    CU_ASSERT_EQUAL(phone.packet[coded].pt, BOTH_PT);
    both_talk(r, 50);
    CU_ASSERT_TRUE(phone.n >= coded + 20 + 40);
    CU_ASSERT_EQUAL(phone.packet[phone.n - 1].pt, AGW_PCMU_PT);
    CU_ASSERT_EQUAL(lab_drops(&r->lab, AGW_DROP_OLD_SSRC), 0);
    check_stream(0, 0);
    end(r);
}

static void test_transcoder_egress_ssrc_of_the_plan_goes_on(void)
{
    rig *r = talk();
    end_plan(r, AGW_SIDE_B)->egress_ssrc = 0xb0b;
    lab_apply(&r->lab, call_of(r));
    phone.n = 0;
    both_talk(r, 50);
    for (unsigned i = 0; i < 20; i++) {
        browser_says(r, BOTH_PT);
        pass(r, 20);
    }
    both_talk(r, 50);
    CU_ASSERT_EQUAL(phone.packet[0].ssrc, 0xb0b);
    check_stream(0, 0);
    end(r);
}

static void test_transcoder_hold_ends_at_once(void)
{
    rig *r = talk();
    both_talk(r, 20);
    end_plan(r, AGW_SIDE_B)->may_receive = false;
    lab_apply(&r->lab, call_of(r));
    phone.n = 0;
    both_talk(r, 20);
    CU_ASSERT_EQUAL(phone.n, 0);
    CU_ASSERT_TRUE(lab_drops(&r->lab, AGW_DROP_GATE_CLOSED) >= 20);
    end_plan(r, AGW_SIDE_B)->may_receive = true;
    lab_apply(&r->lab, call_of(r));
    both_talk(r, 20);
    CU_ASSERT_TRUE(phone.n >= 12);
    check_stream(0, AGW_MS(20));
    end(r);
}

static void test_transcoder_a_plan_without_chain_ends_it(void)
{
    rig *r = talk();
    both_talk(r, 20);
    end_plan(r, AGW_SIDE_A)->chain = end_plan(r, AGW_SIDE_B)->chain = NULL;
    lab_apply(&r->lab, call_of(r));
    CU_ASSERT_EQUAL(value(&r->lab.w->stats.chains), 0);
    CU_ASSERT_EQUAL(agw_timerq_next(&r->lab.w->chain_timers), AGW_NEVER);
    phone.n = 0;
    browser_says(r, AGW_PCMA_PT); /* the plan still says chained: nobody can do it */
    pass(r, 100);
    CU_ASSERT_EQUAL(phone.n, 0);
    CU_ASSERT_EQUAL(lab_drops(&r->lab, AGW_DROP_NO_CODEC), 1);
    end(r);
}

/* A new answer has a codec that both have: what the source sends passes with its next packet. */
static void test_transcoder_behind_a_chain_the_source_passes_at_once(void)
{
    rig *r = talk();
    end_plan(r, AGW_SIDE_B)->egress_ssrc = 0xb0b;
    lab_apply(&r->lab, call_of(r));
    phone.n = 0;
    browser_says(r, BOTH_PT);
    pass(r, 20);
    both_talk(r, 50);
    end_plan(r, AGW_SIDE_A)->chain = end_plan(r, AGW_SIDE_B)->chain = NULL;
    lab_apply(&r->lab, call_of(r));
    const size_t coded = phone.n;
    for (unsigned i = 0; i < 20; i++) {
        browser_says(r, BOTH_PT);
        pass(r, 20);
    }
    CU_ASSERT_EQUAL(phone.n, coded + 20);
    CU_ASSERT_EQUAL(lab_drops(&r->lab, AGW_DROP_OLD_SSRC), 0);
    check_stream(0, 0);
    end(r);
}

static void test_transcoder_junk_is_counted(void)
{
    rig *r = talk();
    uint8_t rtp[200];
    write_rtp(r, AGW_SIDE_A, EVENT_BROWSER, rtp);
    lab_browser_says(&r->lab, call_of(r), browser(), rtp, 13);
    pass(r, 1);
    CU_ASSERT_EQUAL(lab_drops(&r->lab, AGW_DROP_PAYLOAD), 1);
    end(r);
}

static void test_transcoder_costs_no_allocation(void)
{
    rig *r = talk();
    phone.n = 0;
    both_talk(r, 50);
    const size_t before = heap_calls;
    both_talk(r, 200);
    CU_ASSERT_EQUAL(heap_calls, before);
    CU_ASSERT_TRUE(phone.n >= 240);
#if !defined(LAB_ASAN) && !defined(LAB_TSAN)
    CU_ASSERT_TRUE(heap_calls > 0); /* the count counts */
#endif
    end(r);
}

/* --- digits ------------------------------------------------------------------------------------
 */

static size_t count_digits(uint8_t pt, uint8_t event, size_t *ends)
{
    size_t n = 0;
    *ends = 0;
    for (size_t i = 0; i < phone.n; i++) {
        agw_rtp_event e;
        if (phone.packet[i].pt != pt ||
            agw_rtp_event_parse(&e, phone.packet[i].payload, 4) != AGW_OK)
            continue;
        CU_ASSERT_EQUAL(e.event, event);
        n++;
        *ends += e.end;
    }
    return n;
}

static void test_transcoder_digits_of_the_party_go_through(void)
{
    rig *r = talk();
    size_t ends;
    phone.n = 0;
    both_talk(r, 20);
    for (unsigned i = 1; i <= 7; i++) {
        uint8_t rtp[200];
        const agw_rtp_event e = {7, i >= 5, 10, (uint16_t)((i < 5 ? i : 5) * 160)};
        const uint32_t timestamp = r->said[AGW_SIDE_A].timestamp;
        write_rtp(r, AGW_SIDE_A, EVENT_BROWSER, rtp);
        r->said[AGW_SIDE_A].timestamp = timestamp;
        agw_rtp_event_write(&e, rtp + 12);
        lab_browser_says(&r->lab, call_of(r), browser(), rtp, 16);
        pass(r, 20);
    }
    r->said[AGW_SIDE_A].timestamp += 7 * 160;
    both_talk(r, 20);
    CU_ASSERT_EQUAL(count_digits(EVENT_PHONE, 7, &ends), 7);
    CU_ASSERT_EQUAL(ends, 3);
    CU_ASSERT_EQUAL(lab_events(call_of(r), AGW_EVENT_DTMF), 1);
    check_stream(0, 0);
    end(r);
}

static void test_transcoder_digits_of_ours_stand_in_its_stream(void)
{
    rig *r = talk();
    size_t ends;
    phone.n = 0;
    both_talk(r, 20);
    lab_play(&r->lab, call_of(r), AGW_SIDE_A, 9, 100);
    note_heard(r);
    both_talk(r, 30);
    CU_ASSERT_EQUAL(count_digits(EVENT_PHONE, 9, &ends), 7);
    CU_ASSERT_EQUAL(ends, 3);
    CU_ASSERT_EQUAL(phone.packet[phone.n - 1].pt, AGW_PCMU_PT);
    check_stream(0, 0);
    for (size_t i = 1; i < phone.n; i++)
        CU_ASSERT_TRUE(phone.packet[i].timestamp - phone.packet[i - 1].timestamp <= 160 * 9);
    end(r);
}

/* --- announcements -----------------------------------------------------------------------------
 */

static void test_transcoder_a_file_takes_its_place(void)
{
    rig *r = talk();
    agw_audio *file = agw_audio_new(8000, 1600);
    unsigned n = 0, of_file = 0;
    uint16_t last = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t i = 0; i < file->n_samples; i++)
        file->samples[i] = 1000;
    both_talk(r, 20);
    lab_play_media(&r->lab, call_of(r), AGW_SIDE_A, (agw_play_order){.audio = file});
    for (unsigned ms = 0; ms < 600; ms++) {
        if (ms % 20 == 0)
            phone_says(r, AGW_PCMU_PT);
        pass(r, 1);
        lab_out *out = lab_sent(&r->lab, &r->lab.access, AGW_PKT_RTP, 0);
        size_t len = out != NULL ? out->len : 0;
        if (out == NULL)
            continue;
        CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect(call_of(r)->in, out->data, &len), AGW_OK);
        const uint16_t seq = agw_get16(out->data + 2);
        CU_ASSERT_TRUE(n == 0 || seq == (uint16_t)(last + 1));
        last = seq;
        n++;
        of_file += out->data[50] == out->data[60]; /* of a square wave they differ */
    }
    CU_ASSERT_EQUAL(of_file, 10);
    CU_ASSERT_TRUE(n >= 28 && n <= 31);
    end(r);
}

/* --- RTCP --------------------------------------------------------------------------------------
 */

typedef struct report {
    unsigned n;
    agw_rtcp_sender sr;
    bool has_block;
    agw_rtcp_report block;
} report;

static void hear_reports(rig *r, report *out)
{
    const lab_out *sent = lab_sent(&r->lab, &call_of(r)->core[1], AGW_PKT_RTCP, 0);
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    if (sent == NULL)
        return;
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, sent->data, sent->len), AGW_OK);
    while (agw_rtcp_next(&it, &p)) {
        if (p.type != AGW_RTCP_SR)
            continue;
        out->n++;
        agw_rtcp_sender_parse(&out->sr, p.body);
        out->has_block = p.count != 0;
        if (out->has_block)
            agw_rtcp_report_parse(&out->block, p.body + 24);
    }
}

static void talk_and_hear_reports(rig *r, unsigned packets, report *out)
{
    for (unsigned i = 0; i < packets; i++) {
        browser_says(r, AGW_PCMA_PT);
        if (i % 10 == 3)
            r->said[AGW_SIDE_B].seq++; /* lost before us, and of no interest to the browser */
        phone_says(r, AGW_PCMU_PT);
        for (unsigned ms = 0; ms < 20; ms++) {
            pass(r, 1);
            hear_reports(r, out);
        }
    }
}

/* Each leg hears about its own stream (RFC 3550 section 7.2: a mixer that codes anew). */
static void test_transcoder_rfc3550_7_2_reports_are_of_the_leg(void)
{
    rig *r = talk();
    report heard_by_phone = {0};
    phone.n = 0;
    talk_and_hear_reports(r, 500, &heard_by_phone);
    CU_ASSERT_TRUE_FATAL(heard_by_phone.n >= 2 && heard_by_phone.has_block);
    CU_ASSERT_EQUAL(heard_by_phone.sr.ssrc, phone.packet[0].ssrc);
    CU_ASSERT_TRUE(heard_by_phone.sr.packets > 50 && heard_by_phone.sr.packets <= phone.n);
    CU_ASSERT_EQUAL(heard_by_phone.sr.octets, heard_by_phone.sr.packets * 160);
    CU_ASSERT_EQUAL(heard_by_phone.block.ssrc, SSRC_PHONE);
    CU_ASSERT_TRUE(heard_by_phone.block.lost >= 10);
    /* the timestamp belongs to our stream at that moment */
    const uint32_t last = phone.packet[phone.n - 1].timestamp;
    const int32_t age = (int32_t)(last - heard_by_phone.sr.rtp_timestamp);
    CU_ASSERT_TRUE(age > -160 && age < 6 * 8000);
    end(r);
}

static size_t put_rr(uint8_t *out, size_t room, uint32_t from, uint32_t about, uint8_t lost)
{
    const agw_rtcp_report block = {.ssrc = about, .fraction_lost = lost, .jitter = 80};
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, out, room);
    AGW_ASSERT(agw_rtcp_write_rr(&w, from, &block, 1) == AGW_OK);
    return w.len;
}

static void test_transcoder_reports_of_a_party_end_here(void)
{
    rig *r = talk();
    uint8_t rr[64];
    phone.n = 0;
    both_talk(r, 50);
    const size_t len = put_rr(rr, sizeof rr, SSRC_PHONE, phone.packet[0].ssrc, 64);
    lab_say(&r->lab, &call_of(r)->core[1], lab_phone(&r->lab, call_of(r), 1), rr, len);
    r->lab.now += AGW_MS(1);
    lab_turn(&r->lab);
    CU_ASSERT_PTR_NULL(lab_sent(&r->lab, &r->lab.access, AGW_PKT_RTCP, 0));
    CU_ASSERT_EQUAL(value(&stats(r, AGW_SIDE_B)->loss_out_256), 64);
    CU_ASSERT_EQUAL(value(&stats(r, AGW_SIDE_B)->jitter_out_us), 10000);
    CU_ASSERT_EQUAL(value(&stats(r, AGW_SIDE_B)->rtcp_in.packets), 1);
    /* one about nobody's stream */
    lab_say(&r->lab, &call_of(r)->core[1], lab_phone(&r->lab, call_of(r), 1), rr,
            put_rr(rr, sizeof rr, 5, 6, 1));
    r->lab.now += AGW_MS(1);
    lab_turn(&r->lab);
    CU_ASSERT_EQUAL(lab_drops(&r->lab, AGW_DROP_RTCP_EMPTY), 1);
    end(r);
}

/* --- modes of AMR ------------------------------------------------------------------------------
 */

enum { AMR_PT = 104, AMR_SPEECH = 31, AMR_TOP = 7, NO_REQUEST = 15 };

/* The phone speaks AMR at 12.2 kbit/s, octet-aligned. */
static rig *talk_amr(uint16_t mode_set)
{
    rig *r = talk();
    agw_codec_format amr = agw_codec_plain(AGW_CODEC_AMR);
    amr.amr.octet_aligned = true;
    amr.amr.mode_set = mode_set;
    r->chain[AGW_SIDE_A].out = amr;
    r->chain[AGW_SIDE_A].out_pt = AMR_PT;
    r->chain[AGW_SIDE_B].inputs[0] = (agw_chain_input){.pt = AMR_PT, .format = amr};
    end_plan(r, AGW_SIDE_B)->pts[0] =
        (agw_pt_plan){.ingress = AMR_PT, .chained = true, .clock_hz = 8000};
    lab_apply(&r->lab, call_of(r));
    return r;
}

static void phone_says_amr(rig *r, unsigned request)
{
    uint8_t rtp[200];
    write_rtp(r, AGW_SIDE_B, AMR_PT, rtp);
    memset(rtp + 12, 0, 2 + AMR_SPEECH);
    rtp[12] = (uint8_t)(request << 4);
    rtp[13] = AMR_TOP << 3 | 4;
    lab_say(&r->lab, &call_of(r)->core[0], lab_phone(&r->lab, call_of(r), 0), rtp,
            12 + 2 + AMR_SPEECH);
}

static unsigned mode_heard(void)
{
    return phone.n != 0 ? phone.packet[phone.n - 1].payload[1] >> 3 & 15 : NO_REQUEST;
}

static unsigned request_heard(void)
{
    return phone.n != 0 ? phone.packet[phone.n - 1].payload[0] >> 4 : 0;
}

/* every: one packet of so many is lost; 0 = none. */
static void both_talk_amr(rig *r, unsigned packets, unsigned request, unsigned every)
{
    for (unsigned i = 0; i < packets; i++) {
        phone.n = 0;
        browser_says(r, AGW_PCMA_PT);
        if (every != 0 && i % every == 0) {
            r->said[AGW_SIDE_B].seq++;
            r->said[AGW_SIDE_B].timestamp += AGW_G711_FRAME;
        } else {
            phone_says_amr(r, request);
        }
        pass(r, 20);
    }
}

static void test_transcoder_rfc4867_3_3_request_of_the_party_is_obeyed(void)
{
    rig *r = talk_amr(1 << 0 | 1 << 2 | 1 << AMR_TOP);
    both_talk_amr(r, 20, NO_REQUEST, 0);
    CU_ASSERT_EQUAL(mode_heard(), AMR_TOP);
    both_talk_amr(r, 10, 4, 0); /* not in the set: the next lower one */
    CU_ASSERT_EQUAL(mode_heard(), 2);
    both_talk_amr(r, 10, NO_REQUEST, 0);
    CU_ASSERT_EQUAL(mode_heard(), AMR_TOP);
    end(r);
}

/* The phone goes on asking for the mode that it has asked for before the re-offer. */
static void test_transcoder_rfc4867_3_3_request_holds_over_another_plan(void)
{
    rig *r = talk_amr(0);
    both_talk_amr(r, 20, 2, 0);
    CU_ASSERT_EQUAL(mode_heard(), 2);
    r->chain[AGW_SIDE_A].out.amr.mode_set = 1 << 0 | 1 << 2 | 1 << AMR_TOP;
    lab_apply(&r->lab, call_of(r));
    both_talk_amr(r, 20, 2, 0);
    CU_ASSERT_EQUAL(mode_heard(), 2);
    end(r);
}

/* What is played to the phone keeps to its request, too. */
static void test_transcoder_rfc4867_3_3_request_holds_for_a_file(void)
{
    rig *r = talk_amr(0);
    agw_audio *file = agw_audio_new(8000, 16000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t i = 0; i < file->n_samples; i++)
        file->samples[i] = (int16_t)(i % 20 < 10 ? 5000 : -5000);
    both_talk_amr(r, 20, 2, 0);
    agw_mail *mail = agw_mail_new(AGW_MAIL_PLAY_MEDIA, NULL, 0);
    mail->call = call_of(r)->call;
    mail->play = (agw_play_order){.audio = file,
                                  .media_id = LAB_AUDIO,
                                  .to = AGW_SIDE_B,
                                  .pt = AMR_PT,
                                  .format = r->chain[AGW_SIDE_A].out};
    lab_post(&r->lab, mail);
    lab_turn(&r->lab);
    for (unsigned i = 0; i < 60; i++) {
        const unsigned request = i < 30 ? 2 : 4; /* it changes its mind meanwhile */
        phone.n = 0;
        phone_says_amr(r, request);
        pass(r, 20);
        if (i % 30 > 5)
            CU_ASSERT_EQUAL(mode_heard(), request);
    }
    end(r);
}

/* A digit of the browser's, five packets of which make tones. */
static void browser_presses(rig *r)
{
    const uint32_t timestamp = r->said[AGW_SIDE_A].timestamp;
    for (unsigned i = 1; i <= 5; i++) {
        uint8_t rtp[200];
        const agw_rtp_event e = {7, i == 5, 10, (uint16_t)(i * AGW_G711_FRAME)};
        r->said[AGW_SIDE_A].timestamp = timestamp;
        write_rtp(r, AGW_SIDE_A, EVENT_BROWSER, rtp);
        agw_rtp_event_write(&e, rtp + 12);
        lab_browser_says(&r->lab, call_of(r), browser(), rtp, 16);
        pass(r, 20);
    }
    r->said[AGW_SIDE_A].timestamp = timestamp + 6 * AGW_G711_FRAME;
}

/* The browser has AMR, too, which passes, and its digits are tones in it. */
static void test_transcoder_rfc4867_3_3_request_holds_for_what_replaces_digits(void)
{
    rig *r = talk_amr(0);
    agw_end_plan *e = end_plan(r, AGW_SIDE_A);
    agw_audio_plan amr = {.pt = AMR_PT, .format = r->chain[AGW_SIDE_A].out};
    e->pts[1].chained = false;
    e->pts[2] = (agw_pt_plan){.ingress = AMR_PT, .egress = AMR_PT, .clock_hz = 8000};
    e->acts = AGW_ACT_BLOCK_DTMF;
    e->shield = (agw_shield_plan){.mode = AGW_SHIELD_TONE, .volume = 10, .tones_hz = {400}};
    e->n_audios = 1;
    e->audios = &amr;
    lab_apply(&r->lab, call_of(r));
    both_talk_amr(r, 20, 2, 0);
    browser_says(r, AMR_PT);
    pass(r, 20);
    phone.n = 0;
    browser_presses(r);
    CU_ASSERT_EQUAL(phone.n, 5);
    CU_ASSERT_EQUAL(phone.packet[0].pt, AMR_PT);
    CU_ASSERT_EQUAL(mode_heard(), 2);
    end(r);
}

/* Much is lost of what the phone sends: it is asked for less, and for what it likes when all is
 * well again. */
static void test_transcoder_26114_10_2_1_loss_asks_for_a_lower_mode(void)
{
    rig *r = talk_amr(0);
    both_talk_amr(r, 600, NO_REQUEST, 0);
    CU_ASSERT_EQUAL(request_heard(), NO_REQUEST);
    both_talk_amr(r, 1500, NO_REQUEST, 4);
    CU_ASSERT_TRUE(request_heard() < AMR_TOP);
    const unsigned asked = request_heard();
    both_talk_amr(r, 4000, NO_REQUEST, 0);
    CU_ASSERT_TRUE(request_heard() > asked);
    end(r);
}

/* A phone with a mode-set is asked for nothing else; the plan of what comes in has none. */
static void test_transcoder_rfc4867_8_3_1_what_is_asked_for_is_in_the_mode_set(void)
{
    static const uint16_t SET = 1 << 0 | 1 << 2 | 1 << 4 | 1 << AMR_TOP;
    rig *r = talk_amr(SET);
    unsigned lowest = NO_REQUEST;
    r->chain[AGW_SIDE_B].inputs[0].format.amr.mode_set = 0;
    lab_apply(&r->lab, call_of(r));
    for (unsigned i = 0; i < 1500; i++) {
        both_talk_amr(r, 1, NO_REQUEST, i % 4 == 0);
        if (request_heard() == NO_REQUEST)
            continue;
        CU_ASSERT_TRUE((SET >> request_heard() & 1) != 0);
        lowest = request_heard() < lowest ? request_heard() : lowest;
    }
    CU_ASSERT_TRUE(lowest < AMR_TOP);
    end(r);
}

/* Talk of which much is lost on the phone's way, until it is asked for that mode or less. */
static unsigned asked_for_less(rig *r, unsigned mode)
{
    for (unsigned i = 0; i < 5000; i++) {
        both_talk_amr(r, 1, NO_REQUEST, i % 4 == 0);
        if (phone.n != 0 && request_heard() <= mode)
            return request_heard();
    }
    CU_FAIL_FATAL("nothing is asked for");
    return NO_REQUEST;
}

/* A mode is one of a codec and a mode-set: with others the next report asks anew, from the top. */
static void test_transcoder_rfc4867_8_3_1_another_mode_set_ends_what_was_asked_for(void)
{
    rig *r = talk_amr(0);
    CU_ASSERT_EQUAL(asked_for_less(r, 1), 1);
    r->chain[AGW_SIDE_A].out.amr.mode_set = 1 << 0 | 1 << 2 | 1 << 6 | 1 << AMR_TOP;
    lab_apply(&r->lab, call_of(r));
    both_talk_amr(r, 2, NO_REQUEST, 0);
    CU_ASSERT_EQUAL(request_heard(), NO_REQUEST);
    CU_ASSERT_EQUAL(asked_for_less(r, AMR_TOP), 6);
    end(r);
}

static void test_transcoder_rfc4867_3_3_another_codec_ends_what_was_asked_for(void)
{
    rig *r = talk_amr(0);
    CU_ASSERT_EQUAL(asked_for_less(r, AMR_TOP), 6);
    r->chain[AGW_SIDE_A].out = agw_codec_plain(AGW_CODEC_AMR_WB);
    r->chain[AGW_SIDE_A].out.amr.octet_aligned = true;
    lab_apply(&r->lab, call_of(r));
    both_talk_amr(r, 2, NO_REQUEST, 0);
    CU_ASSERT_EQUAL(request_heard(), NO_REQUEST);
    end(r);
}

static void test_transcoder_rfc4867_3_3_another_plan_goes_on_asking(void)
{
    rig *r = talk_amr(0);
    CU_ASSERT_EQUAL(asked_for_less(r, AMR_TOP), 6);
    r->chain[AGW_SIDE_A].out.bitrate_bps = 7950;
    lab_apply(&r->lab, call_of(r));
    both_talk_amr(r, 2, NO_REQUEST, 0);
    CU_ASSERT_EQUAL(request_heard(), 6);
    end(r);
}

/* Loss on the phone's own way, as radio has it, is no reason. */
static void test_transcoder_26114_10_2_1_little_loss_asks_for_nothing(void)
{
    rig *r = talk_amr(0);
    both_talk_amr(r, 1500, NO_REQUEST, 25);
    CU_ASSERT_EQUAL(request_heard(), NO_REQUEST);
    end(r);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_transcoder_codec_changes_both_ways),
    AGW_CASE(test_transcoder_ctl_6_coding_waits_for_packets),
    AGW_CASE(test_transcoder_jitter_ends_here),
    AGW_CASE(test_transcoder_codecs_that_pass_are_the_same_stream),
    AGW_CASE(test_transcoder_egress_ssrc_of_the_plan_goes_on),
    AGW_CASE(test_transcoder_hold_ends_at_once),
    AGW_CASE(test_transcoder_a_plan_without_chain_ends_it),
    AGW_CASE(test_transcoder_behind_a_chain_the_source_passes_at_once),
    AGW_CASE(test_transcoder_junk_is_counted),
    AGW_CASE(test_transcoder_costs_no_allocation),
    AGW_CASE(test_transcoder_digits_of_the_party_go_through),
    AGW_CASE(test_transcoder_digits_of_ours_stand_in_its_stream),
    AGW_CASE(test_transcoder_a_file_takes_its_place),
    AGW_CASE(test_transcoder_rfc3550_7_2_reports_are_of_the_leg),
    AGW_CASE(test_transcoder_reports_of_a_party_end_here),
    AGW_CASE(test_transcoder_rfc4867_3_3_request_of_the_party_is_obeyed),
    AGW_CASE(test_transcoder_rfc4867_3_3_request_holds_over_another_plan),
    AGW_CASE(test_transcoder_rfc4867_3_3_request_holds_for_a_file),
    AGW_CASE(test_transcoder_rfc4867_3_3_request_holds_for_what_replaces_digits),
    AGW_CASE(test_transcoder_26114_10_2_1_loss_asks_for_a_lower_mode),
    AGW_CASE(test_transcoder_rfc4867_8_3_1_what_is_asked_for_is_in_the_mode_set),
    AGW_CASE(test_transcoder_rfc4867_8_3_1_another_mode_set_ends_what_was_asked_for),
    AGW_CASE(test_transcoder_rfc4867_3_3_another_codec_ends_what_was_asked_for),
    AGW_CASE(test_transcoder_rfc4867_3_3_another_plan_goes_on_asking),
    AGW_CASE(test_transcoder_26114_10_2_1_little_loss_asks_for_nothing),
};

AGW_UNIT_MAIN("transcoder", cases)
