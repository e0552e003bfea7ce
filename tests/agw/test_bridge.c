/* SPDX-License-Identifier: BSD-3-Clause
 * Medias on virtual time: whose packet it is, key frame requests, RTCP of a BUNDLE group, and
 * numbers that say what a capture would show. */
#include "agw/transcode.h"
#include "codecs/repack.h"
#include "tests/agw/heap.h"
#include "tests/agw/lab.h"
#include "unit.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SSRC_AUDIO = 0x11, SSRC_VIDEO = 0x12, SSRC_PHONE = 0x22, MID_EXT = 4 };

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

/* A connected call. */
static lab *lab_talk(void)
{
    lab *l = lab_new();
    lab_apply(l, &l->calls[0]);
    lab_connect(l, &l->calls[0], browser());
    return l;
}

static void phone_says(lab *l, size_t port, uint8_t pt, uint32_t ssrc, uint16_t seq)
{
    lab_call *c = &l->calls[0];
    lab_phone_rtp(l, c, port, lab_phone(l, c, port), pt, ssrc, seq);
    lab_turn(l);
}

static void phone_says_at(lab *l, uint8_t pt, uint16_t seq, uint32_t timestamp)
{
    uint8_t rtp[64];
    lab_call *c = &l->calls[0];
    const size_t len = lab_rtp(rtp, pt, SSRC_PHONE, seq, 'p');
    agw_put32(rtp + 4, timestamp);
    lab_say(l, &c->core[0], lab_phone(l, c, 0), rtp, len);
    lab_turn(l);
}

static void browser_says(lab *l, uint8_t pt, uint32_t ssrc, uint16_t seq)
{
    lab_browser_rtp(l, &l->calls[0], browser(), pt, ssrc, seq);
    lab_turn(l);
}

static uint64_t value(agw_counter *c)
{
    return agw_counter_get(c);
}

/* --- whose packet it is ------------------------------------------------------------------------
 */

/* Two audio medias that share a payload type; only MID and SSRC tell them apart. */
static void plan_two_audios(lab *l)
{
    agw_plan *p = l->calls[0].plan;
    for (size_t i = 0; i < 2; i++) {
        agw_end_plan *e = &p->medias[i].end[AGW_SIDE_A];
        p->medias[i].kind = AGW_MEDIA_AUDIO;
        e->pts[0] = p->medias[i].end[AGW_SIDE_B].pts[0] =
            (agw_pt_plan){.ingress = LAB_PT_AUDIO, .egress = LAB_PT_AUDIO, .clock_hz = 8000};
        e->mid_ext_id = MID_EXT;
        snprintf(e->mid, sizeof e->mid, "%zu", i);
    }
}

static void says_with_mid(lab *l, uint32_t ssrc, uint16_t seq, char mid)
{
    uint8_t rtp[24] = {0x90, LAB_PT_AUDIO};
    agw_put16(rtp + 2, seq);
    agw_put32(rtp + 8, ssrc);
    agw_put16(rtp + 12, 0xbede);
    agw_put16(rtp + 14, 1);
    rtp[16] = MID_EXT << 4;
    rtp[17] = (uint8_t)mid;
    lab_browser_says(l, &l->calls[0], browser(), rtp, sizeof rtp);
    lab_turn(l);
}

static bool came_out(lab *l, size_t port)
{
    return lab_sent(l, &l->calls[0].core[port], AGW_PKT_RTP, 0) != NULL;
}

static void test_bridge_rfc9143_9_2_learned_ssrcs_survive_a_plan(void)
{
    lab *l = lab_new();
    plan_two_audios(l);
    lab_apply(l, &l->calls[0]);
    lab_connect(l, &l->calls[0], browser());
    says_with_mid(l, 0x51, 1, '1');
    CU_ASSERT_TRUE(came_out(l, 2));
    lab_apply(l, &l->calls[0]); /* a session timer; the browser does not repeat its MIDs */
    browser_says(l, LAB_PT_AUDIO, 0x51, 2);
    CU_ASSERT_TRUE(came_out(l, 2));
    lab_end(l);
}

static void test_bridge_rfc9143_9_2_mid_moves_an_ssrc_for_good(void)
{
    lab *l = lab_new();
    plan_two_audios(l);
    l->calls[0].plan->medias[0].end[AGW_SIDE_A].n_ssrcs = 1;
    l->calls[0].plan->medias[0].end[AGW_SIDE_A].ssrcs[0] = 0x51;
    lab_apply(l, &l->calls[0]);
    lab_connect(l, &l->calls[0], browser());
    browser_says(l, LAB_PT_AUDIO, 0x51, 1);
    CU_ASSERT_TRUE(came_out(l, 0));
    says_with_mid(l, 0x51, 2, '1');
    CU_ASSERT_TRUE(came_out(l, 2));
    browser_says(l, LAB_PT_AUDIO, 0x51, 3);
    CU_ASSERT_TRUE(came_out(l, 2) && !came_out(l, 0));
    lab_end(l);
}

static void test_bridge_rfc9143_9_2_unknown_mid_is_nobodys(void)
{
    lab *l = lab_new();
    plan_two_audios(l);
    l->calls[0].plan->medias[0].end[AGW_SIDE_A].n_ssrcs = 1;
    l->calls[0].plan->medias[0].end[AGW_SIDE_A].ssrcs[0] = 0x51;
    lab_apply(l, &l->calls[0]);
    lab_connect(l, &l->calls[0], browser());
    says_with_mid(l, 0x51, 1, '7');
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_MEDIA), 1);
    browser_says(l, LAB_PT_AUDIO, 0x52, 1); /* nothing tells whose */
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_MEDIA), 2);
    lab_end(l);
}

/* As many SSRCs as come and go in a long call: the newest are known, signalled ones are not
 * forgotten for them. */
static void test_bridge_learned_ssrcs_are_bounded(void)
{
    lab *l = lab_new();
    plan_two_audios(l);
    l->calls[0].plan->medias[1].end[AGW_SIDE_A].n_ssrcs = 1;
    l->calls[0].plan->medias[1].end[AGW_SIDE_A].ssrcs[0] = 0x50;
    lab_apply(l, &l->calls[0]);
    lab_connect(l, &l->calls[0], browser());
    for (uint32_t i = 0; i < 2 * AGW_PLAN_SSRC_MAX; i++)
        says_with_mid(l, 0x60 + i, 1, '1');
    browser_says(l, LAB_PT_AUDIO, 0x60 + 2 * AGW_PLAN_SSRC_MAX - 1, 2);
    CU_ASSERT_TRUE(came_out(l, 2));
    browser_says(l, LAB_PT_AUDIO, 0x50, 1);
    CU_ASSERT_TRUE(came_out(l, 2));
    lab_end(l);
}

/* --- key frames --------------------------------------------------------------------------------
 */

static uint32_t key_frame_asked_of(lab *l, const agw_port *port)
{
    for (size_t i = 0;; i++) {
        lab_out *out = lab_sent(l, port, AGW_PKT_RTCP, i);
        if (out == NULL)
            return 0;
        size_t len = out->len;
        if (port->shared && agw_srtp_unprotect_rtcp(l->calls[0].in, out->data, &len) != AGW_OK)
            return 0;
        for (size_t at = 0; at + 12 <= len; at += 4 + 4u * agw_get16(out->data + at + 2)) {
            if (out->data[at + 1] == 206 && (out->data[at] & 31) == 1)
                return agw_get32(out->data + at + 8);
        }
    }
}

/* The three requests of a beginning. */
static void settle_video(lab *l)
{
    uint16_t seq = 1;
    for (int i = 0; i < 5; i++, seq++) {
        l->now += AGW_MS(400);
        lab_browser_rtp(l, &l->calls[0], browser(), LAB_PT_VIDEO, SSRC_VIDEO, seq);
        phone_says(l, 2, LAB_PT_VIDEO, SSRC_PHONE, seq);
    }
}

static void test_bridge_key_frames_are_asked_of_both_when_keys_come(void)
{
    lab *l = lab_talk();
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 1);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), SSRC_VIDEO);
    phone_says(l, 2, LAB_PT_VIDEO, SSRC_PHONE, 1);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->calls[0].core[3]), SSRC_PHONE);
    lab_end(l);
}

static void test_bridge_same_plan_again_touches_nothing(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    settle_video(l);
    for (int i = 0; i < 3; i++) {
        lab_apply(l, c);
        CU_ASSERT_EQUAL(l->io->n_out, 0);
        phone_says(l, 2, LAB_PT_VIDEO, SSRC_PHONE, (uint16_t)(10 + i));
        CU_ASSERT_EQUAL(l->io->n_out, 1);
    }
    CU_ASSERT_EQUAL(l->n_assocs, 1);
    lab_end(l);
}

static void test_bridge_resume_from_hold_asks_for_a_key_frame(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    agw_end_plan *end = c->plan->medias[1].end;
    settle_video(l);
    end[AGW_SIDE_A].may_receive = end[AGW_SIDE_B].may_send = false;
    lab_apply(l, c);
    phone_says(l, 2, LAB_PT_VIDEO, SSRC_PHONE, 10);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_GATE_CLOSED), 1);
    end[AGW_SIDE_A].may_receive = end[AGW_SIDE_B].may_send = true;
    lab_apply(l, c);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &c->core[3]), SSRC_PHONE);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access),
                    0); /* that direction was open all the time */
    lab_end(l);
}

/* Another receiver has none of the frames before. */
static void test_bridge_another_receiver_asks_for_a_key_frame(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    settle_video(l);
    c->plan->transports[2].remote_rtp = lab_addr(120, 4444);
    lab_apply(l, c);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), SSRC_VIDEO);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &c->core[3]), 0);
    lab_end(l);
}

static void test_bridge_hold_ends_requests_that_are_still_due(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    phone_says(l, 2, LAB_PT_VIDEO, SSRC_PHONE, 1); /* the first of three */
    c->plan->medias[1].end[AGW_SIDE_A].may_receive = false;
    lab_apply(l, c);
    l->now += AGW_S(1);
    phone_says(l, 2, LAB_PT_VIDEO, SSRC_PHONE, 2);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &c->core[3]), 0);
    lab_end(l);
}

/* Between two browsers repetitions pass, too: the stream itself is asked, not its repetitions. */
/* The core speaks AVP: nobody there can ask. */
static void test_bridge_loss_toward_an_avp_core_asks_for_a_key_frame(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 1); /* and the requests of the beginning */
    for (uint16_t seq = 2; seq < 10; seq++) {
        l->now += AGW_S(1);
        browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, seq);
    }
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), 0);
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 12);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), SSRC_VIDEO);
    l->now += AGW_S(1) - 1;
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 14); /* one a second */
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), 0);
    l->now += 1;
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 16);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), SSRC_VIDEO);
    c->plan->medias[1].end[AGW_SIDE_B].feedback = AGW_FB_PLI;
    lab_apply(l, c);
    l->now += AGW_S(2);
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 20);
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), 0); /* it can do that itself */
    lab_end(l);
}

static void test_bridge_rfc4588_key_frame_is_asked_of_the_stream_not_of_rtx(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *end = c->plan->medias[1].end;
    end[AGW_SIDE_A].egress_ssrc = 0;
    end[AGW_SIDE_A].n_pts = 2;
    end[AGW_SIDE_A].pts[1] = (agw_pt_plan){.ingress = 97, .egress = 97, .clock_hz = 90000};
    end[AGW_SIDE_A].n_ssrcs = 2;
    end[AGW_SIDE_A].ssrcs[0] = SSRC_VIDEO;
    end[AGW_SIDE_A].ssrcs[1] = SSRC_VIDEO + 1;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 1);
    l->now += AGW_S(2);
    browser_says(l, 97, SSRC_VIDEO + 1, 1); /* only probing while the camera is off */
    CU_ASSERT_EQUAL(key_frame_asked_of(l, &l->access), SSRC_VIDEO);
    lab_end(l);
}

/* --- SSRC change -------------------------------------------------------------------------------
 */

static void test_bridge_ssrc_change_behind_a_closed_gate(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    agw_end_stats *stats = &c->stats[0].end[AGW_SIDE_B];
    phone_says(l, 0, LAB_PT_AUDIO, 0x22, 100);
    uint16_t last = agw_get16(lab_sent(l, &l->access, AGW_PKT_RTP, 0)->data + 2);
    c->plan->medias[0].end[AGW_SIDE_B].may_send = false;
    lab_apply(l, c);
    for (uint16_t i = 0; i < 10; i++) {
        l->now += AGW_MS(200);
        phone_says(l, 0, LAB_PT_AUDIO, 0x23, (uint16_t)(5000 + i));
    }
    CU_ASSERT_EQUAL(value(&stats->ssrc_in), 0x23); /* followed although nothing is forwarded */
    CU_ASSERT_EQUAL(value(&stats->rtp_in.packets), 11);
    c->plan->medias[0].end[AGW_SIDE_B].may_send = true;
    lab_apply(l, c);
    phone_says(l, 0, LAB_PT_AUDIO, 0x23, 5010);
    lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(agw_get32(out->data + 8), 0xa0000001u);
    CU_ASSERT_EQUAL(agw_get16(out->data + 2), (uint16_t)(last + 1)); /* no gap for the browser */
    lab_end(l);
}

static void test_bridge_stream_that_is_silent_does_not_hide_behind_another(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    phone_says(l, 0, LAB_PT_AUDIO, 0x22, 1);
    for (uint16_t i = 0; i < 4; i++) {
        l->now += AGW_MS(400);
        phone_says(l, 0, LAB_PT_AUDIO, 0x23, (uint16_t)(1 + i));
    }
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_B].ssrc_in), 0x23);
    lab_end(l);
}

/* --- RTCP --------------------------------------------------------------------------------------
 */

static size_t put_sr(uint8_t *out, uint32_t ssrc)
{
    memset(out, 0, 28);
    out[0] = 0x80;
    out[1] = 200;
    agw_put16(out + 2, 6);
    agw_put32(out + 4, ssrc);
    return 28;
}

/* The browser reports about audio and video in one datagram; each phone gets its own part. */
static void test_bridge_rtcp_of_a_bundle_is_told_apart_by_ssrc(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    browser_says(l, LAB_PT_AUDIO, SSRC_AUDIO, 1);
    browser_says(l, LAB_PT_VIDEO, SSRC_VIDEO, 1);
    uint8_t rtcp[AGW_PKT_MAX];
    const size_t len = put_sr(rtcp, SSRC_AUDIO);
    put_sr(rtcp + len, SSRC_VIDEO);
    lab_browser_says(l, c, browser(), rtcp, 2 * len);
    lab_turn(l);
    for (size_t i = 0; i < 2; i++) {
        const lab_out *out = lab_sent(l, &c->core[2 * i + 1], AGW_PKT_RTCP, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_EQUAL(agw_get32(out->data + 4), i == 0 ? SSRC_AUDIO : SSRC_VIDEO);
        CU_ASSERT_EQUAL(out->len, 28);
    }
    CU_ASSERT_EQUAL(l->io->n_out, 2);
    lab_browser_says(l, c, browser(), rtcp, len); /* only about audio */
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 1);
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_A].rtcp_in.packets), 2);
    CU_ASSERT_EQUAL(value(&c->stats[1].end[AGW_SIDE_A].rtcp_in.packets), 1);
    lab_end(l);
}

static void test_bridge_rtcp_without_an_rtcp_address_is_not_counted_as_sent(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    c->plan->transports[1].remote_rtcp = (agw_addr){0};
    lab_apply(l, c);
    lab_connect(l, c, browser());
    browser_says(l, LAB_PT_AUDIO, SSRC_AUDIO, 1);
    uint8_t rtcp[AGW_PKT_MAX];
    lab_browser_says(l, c, browser(), rtcp, put_sr(rtcp, SSRC_AUDIO));
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_NO_DEST), 1);
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_B].rtcp_out.packets), 0);
    lab_end(l);
}

static agw_plan *plan_sixteen_videos(const agw_plan *two)
{
    agw_plan *p = agw_plan_new(3, AGW_PLAN_MEDIA_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    memcpy(p->transports, two->transports, 3 * sizeof *two->transports);
    for (uint8_t i = 0; i < AGW_PLAN_MEDIA_MAX; i++) {
        const uint8_t pt = (uint8_t)(96 + i);
        agw_media_plan *m = &p->medias[i];
        lab_plan_media(m, i + 1u, AGW_MEDIA_VIDEO);
        for (size_t side = 0; side < 2; side++) {
            m->end[side].pts[0] = (agw_pt_plan){.ingress = pt, .egress = pt, .clock_hz = 90000};
            m->end[side].egress_ssrc = 0xb0000000u + 2u * i + (uint32_t)side;
        }
    }
    return p;
}

/* A full batch of RTCP passes when each datagram is about one of the medias, and fills what there
 * is when each is about all of them. */
static void test_bridge_full_batches_of_rtcp_for_sixteen_medias(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_plan *two = c->plan;
    uint8_t rtcp[AGW_PKT_MAX];
    c->plan = plan_sixteen_videos(two);
    agw_plan_free(two);
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (uint8_t i = 0; i < AGW_PLAN_MEDIA_MAX; i++)
        lab_browser_rtp(l, c, browser(), (uint8_t)(96 + i), 0x100u + i, 1);
    lab_turn(l);
    CU_ASSERT_TRUE(came_out(l, 0) && came_out(l, 2));
    for (uint32_t i = 0; i < AGW_PKT_BATCH; i++)
        lab_browser_says(l, c, browser(), rtcp, put_sr(rtcp, 0x100 + i % AGW_PLAN_MEDIA_MAX));
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, AGW_PKT_BATCH);
    for (uint32_t i = 0; i < AGW_PKT_BATCH; i++) {
        size_t len = 0;
        for (uint32_t k = 0; k < AGW_PLAN_MEDIA_MAX; k++)
            len += put_sr(rtcp + len, 0x100 + k);
        lab_browser_says(l, c, browser(), rtcp, len);
    }
    lab_turn(l);
    CU_ASSERT_EQUAL(l->io->n_out, AGW_WORKER_SPARES);
    CU_ASSERT_TRUE(lab_drops(l, AGW_DROP_NO_ROOM) > 0);
    lab_end(l);
}

/* --- numbers -----------------------------------------------------------------------------------
 */

static void test_bridge_counts_are_what_a_capture_shows(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    agw_end_stats *phone = &c->stats[0].end[AGW_SIDE_B], *to_browser = &c->stats[0].end[AGW_SIDE_A];
    size_t sent = 0;
    /* 1 2 4 3 3 6: one swapped, one twice, one lost */
    static const uint16_t SEQS[] = {1, 2, 4, 3, 3, 6};
    for (size_t i = 0; i < sizeof SEQS / sizeof SEQS[0]; i++) {
        l->now += AGW_MS(20);
        phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, SEQS[i]);
        sent += l->io->n_out;
    }
    CU_ASSERT_EQUAL(value(&phone->rtp_in.packets), 6);
    CU_ASSERT_EQUAL(value(&phone->rtp_in.bytes), 6 * 32);
    CU_ASSERT_EQUAL(sent, 5); /* SRTP does not send a number twice */
    CU_ASSERT_EQUAL(value(&to_browser->rtp_out.packets), sent);
    CU_ASSERT_EQUAL(value(&to_browser->rtp_out.bytes), sent * 32);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_PROTECT), 1);
    CU_ASSERT_EQUAL(value(&phone->lost_in), 0); /* RFC 3550 A.3: the duplicate hides the loss */
    CU_ASSERT_EQUAL(value(&phone->ssrc_in), SSRC_PHONE);
    CU_ASSERT_EQUAL(value(&to_browser->ssrc_out), 0xa0000001u);
    CU_ASSERT_EQUAL(value(&l->w->stats.forwarded), sent);
    lab_end(l);
}

static void test_bridge_loss_and_restart_of_the_same_ssrc(void)
{
    lab *l = lab_talk();
    agw_end_stats *phone = &l->calls[0].stats[0].end[AGW_SIDE_B];
    phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, 1);
    phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, 5);
    CU_ASSERT_EQUAL(value(&phone->lost_in), 3);
    phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, 30000);
    phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, 30001);
    CU_ASSERT_EQUAL(value(&phone->lost_in), 3); /* what was lost stays lost */
    lab_end(l);
}

/* 1 (2 3 4) 5 6 (7) 8: four are lost, in two runs. */
static void test_bridge_rtc_7_losses_in_a_row_are_one_run(void)
{
    lab *l = lab_talk();
    agw_end_stats *phone = &l->calls[0].stats[0].end[AGW_SIDE_B];
    static const uint16_t SEQS[] = {1, 5, 6, 8};
    for (size_t i = 0; i < sizeof SEQS / sizeof SEQS[0]; i++)
        phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, SEQS[i]);
    CU_ASSERT_EQUAL(value(&phone->lost_in), 4);
    CU_ASSERT_EQUAL(value(&phone->loss_runs_in), 2);
    lab_end(l);
}

static void test_bridge_ssrc_of_a_transparent_stream_is_told(void)
{
    lab *l = lab_talk();
    agw_end_stats *phone = &l->calls[0].stats[0].end[AGW_SIDE_B];
    CU_ASSERT_EQUAL(value(&phone->ssrc_out), 0);
    browser_says(l, LAB_PT_AUDIO, SSRC_AUDIO, 1);
    CU_ASSERT_EQUAL(value(&phone->ssrc_out), SSRC_AUDIO);
    lab_end(l);
}

/* DTMF and comfort noise at 8 kHz between Opus at 48 kHz, on the same SSRC. */
static void test_bridge_rfc3550_a8_jitter_knows_one_clock(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *e = &c->plan->medias[0].end[AGW_SIDE_B];
    e->n_pts = 2;
    e->pts[0] = (agw_pt_plan){.ingress = 111, .egress = 111, .clock_hz = 48000};
    e->pts[1] = (agw_pt_plan){.ingress = 101, .egress = 101, .is_event = true, .clock_hz = 8000};
    e->pts[2] = (agw_pt_plan){.ingress = 13, .egress = 13, .clock_hz = 8000}; /* noise */
    e->n_pts = 3;
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (uint16_t i = 0; i < 50; i++) {
        const bool is_audio = i % 5 < 3;
        l->now += AGW_MS(20);
        phone_says_at(l, is_audio ? 111 : i % 5 == 3 ? 13 : 101, i, is_audio ? 960u * i : 160u * i);
    }
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_B].jitter_in_us), 0);
    CU_ASSERT_EQUAL(c->call->medias[0]->end[AGW_SIDE_B].in.clock_hz, 48000);
    lab_end(l);
}

/* A digit of the audio's clock: each packet carries its begin. */
static void test_bridge_rfc4733_2_5_1_2_a_digit_is_no_jitter(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *e = &c->plan->medias[0].end[AGW_SIDE_B];
    e->pts[e->n_pts++] =
        (agw_pt_plan){.ingress = 101, .egress = 101, .is_event = true, .clock_hz = 8000};
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (uint16_t i = 0; i < 60; i++) {
        const bool is_digit = i < 10 || (i >= 30 && i < 50); /* and the first of the stream */
        l->now += AGW_MS(20);
        phone_says_at(l, is_digit ? 101 : LAB_PT_AUDIO, i,
                      160u * (!is_digit ? i
                              : i < 10  ? 0
                                        : 30));
        const agw_rtp_receiver *in = &c->call->medias[0]->end[AGW_SIDE_B].in;
        CU_ASSERT_EQUAL(agw_rtp_receiver_timestamp(in, l->now), i < 10 ? 0 : 160u * i);
    }
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_B].jitter_in_us), 0);
    lab_end(l);
}

/* Opus, then PCMA under the same SSRC, each packet in turn 4 and 0 ms late. */
static void test_bridge_rfc3550_a8_another_codec_has_another_clock(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *e = &c->plan->medias[0].end[AGW_SIDE_B];
    const agw_counter *jitter_us = &c->stats[0].end[AGW_SIDE_B].jitter_in_us;
    e->n_pts = 2;
    e->pts[0] = (agw_pt_plan){.ingress = 111, .egress = 111, .clock_hz = 48000};
    e->pts[1] = (agw_pt_plan){.ingress = 8, .egress = 8, .clock_hz = 8000};
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (uint16_t i = 0; i < 20; i++) {
        l->now += AGW_MS(20);
        phone_says_at(l, 111, i, 960u * i);
    }
    CU_ASSERT_EQUAL(agw_counter_get(jitter_us), 0);
    for (uint16_t i = 20; i < 220; i++) {
        l->now += i % 2 != 0 ? AGW_MS(24) : AGW_MS(16);
        phone_says_at(l, 8, i, 77777 + 160u * i);
    }
    CU_ASSERT_TRUE(agw_counter_get(jitter_us) >= 3750 && agw_counter_get(jitter_us) <= 4000);
    CU_ASSERT_EQUAL(agw_transcode_egress_hz(c->call->medias[0], AGW_SIDE_A), 8000);
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_B].lost_in), 0);
    CU_ASSERT_EQUAL(value(&c->stats[0].end[AGW_SIDE_B].rtp_in.packets), 220);
    lab_end(l);
}

static void test_bridge_worker_counts_bytes(void)
{
    lab *l = lab_talk();
    const uint64_t rx = value(&l->w->stats.rx_bytes), tx = value(&l->w->stats.tx_bytes);
    phone_says(l, 0, LAB_PT_AUDIO, SSRC_PHONE, 1);
    CU_ASSERT_EQUAL(value(&l->w->stats.rx_bytes), rx + 32);
    CU_ASSERT_EQUAL(value(&l->w->stats.tx_bytes), tx + 32 + 10); /* and the tag */
    lab_end(l);
}

/* One extension is passed on under another id; the next plan says none is. */
static void test_bridge_rfc8285_5_extensions_are_renumbered_or_removed(void)
{
    lab *l = lab_new();
    lab_call *c = &l->calls[0];
    agw_end_plan *e = &c->plan->medias[0].end[AGW_SIDE_B];
    e->n_exts = 2;
    e->exts[0] = (agw_ext_plan){3, 7};
    e->exts[1] = (agw_ext_plan){200, 9};
    lab_apply(l, c);
    lab_connect(l, c, browser());
    for (uint16_t seq = 1; seq <= 2; seq++) {
        uint8_t rtp[64] = {0x90, LAB_PT_AUDIO, 0, (uint8_t)seq};
        agw_put32(rtp + 8, SSRC_PHONE);
        agw_put16(rtp + 12, 0xbede);
        agw_put16(rtp + 14, 1);
        rtp[16] = 3 << 4; /* id 3 and id 4, of one byte each */
        rtp[17] = 'x';
        rtp[18] = 4 << 4;
        rtp[19] = 'y';
        l->io->n_out = 0;
        lab_say(l, &c->core[0], lab_phone(l, c, 0), rtp, 40);
        lab_turn(l);
        lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        size_t len = out->len;
        CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect(c->in, out->data, &len), AGW_OK);
        CU_ASSERT_EQUAL(out->data[0], seq == 1 ? 0x90 : 0x80);
        CU_ASSERT_EQUAL(len, seq == 1 ? 40 : 32);
        CU_ASSERT_TRUE(seq != 1 || (out->data[16] == 7 << 4 && out->data[17] == 'x'));
        CU_ASSERT_TRUE(seq != 1 || out->data[18] == 0);
        e->n_exts = 0;
        lab_apply(l, c);
    }
    lab_end(l);
}

/* --- odd packets -------------------------------------------------------------------------------
 */

static void test_bridge_csrcs_padding_and_foreign_extensions_pass_or_go(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    uint8_t rtp[64] = {0xb2, LAB_PT_AUDIO, 0, 1}; /* padding, extension, two CSRCs */
    agw_put32(rtp + 8, SSRC_PHONE);
    agw_put16(rtp + 20, 0x1234); /* a profile that nobody negotiated */
    agw_put16(rtp + 22, 1);
    memset(rtp + 24, 0xee, 4);
    memset(rtp + 28, 'p', 8);
    rtp[39] = 4; /* of padding */
    lab_say(l, &c->core[0], lab_phone(l, c, 0), rtp, 40);
    lab_turn(l);
    lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    size_t len = out->len;
    CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect(c->in, out->data, &len), AGW_OK);
    CU_ASSERT_EQUAL(len, 32); /* without the extension */
    CU_ASSERT_EQUAL(out->data[0], 0xa2);
    CU_ASSERT_EQUAL(out->data[20], 'p');
    CU_ASSERT_EQUAL(out->data[31], 4);
    static const uint8_t BAD_FIRST[] = {0x8f, 0x90, 0xa0}; /* CSRCs, extension, padding too long */
    for (size_t i = 0; i < sizeof BAD_FIRST; i++) {
        lab_rtp(rtp, LAB_PT_AUDIO, SSRC_PHONE, 2, 0xff);
        rtp[0] = BAD_FIRST[i];
        lab_say(l, &c->core[0], lab_phone(l, c, 0), rtp, 24);
    }
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_RTP_MALFORMED), 3);
    CU_ASSERT_EQUAL(l->io->n_out, 0);
    lab_end(l);
}

/* --- policing, TS 23.334 section 5.6 -------------------------------------------------------------
 */

/* The browser sends n audio packets of 60 bytes with their headers, one each step. @return how many
 * passed. */
static size_t pour(lab *l, lab_call *c, uint16_t *seq, size_t n, agw_ns step)
{
    size_t passed = 0;
    for (size_t i = 0; i < n; i++) {
        l->now += step;
        lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, (*seq)++);
        lab_turn(l);
        passed += lab_sent(l, &c->core[0], AGW_PKT_RTP, 0) != NULL;
    }
    return passed;
}

static lab *lab_policed(void)
{
    lab *l = lab_talk();
    agw_end_plan *from = &l->calls[0].plan->medias[0].end[AGW_SIDE_A];
    from->police_bps = 24000; /* 50 packets of 60 bytes a second */
    from->police_burst_ms = 200;
    lab_apply(l, &l->calls[0]);
    return l;
}

/* --- one codec in two forms --------------------------------------------------------------------
 */

/* Octet-aligned AMR-WB of the phone, bandwidth-efficient for the browser; NO_DATA alone. */
static void test_bridge_rfc4867_4_payloads_change_their_form(void)
{
    enum { PT_PHONE = 104, PT_BROWSER = 96 };
    static const uint8_t OA[] = {0x20, 0x7c}, BE[] = {0x27, 0xc0};
    lab *l = lab_new();
    agw_end_plan *phone = &l->calls[0].plan->medias[0].end[AGW_SIDE_B];
    phone->pts[0] = (agw_pt_plan){.ingress = PT_PHONE,
                                  .egress = PT_BROWSER,
                                  .repack = AGW_FORM_AMR_WB << 4 | AGW_FORM_AMR_WB_OCTETS,
                                  .clock_hz = 16000};
    lab_apply(l, &l->calls[0]);
    lab_connect(l, &l->calls[0], browser());
    uint8_t rtp[32] = {0x80 | 0x20, PT_PHONE, 0, 7};
    agw_put32(rtp + 8, SSRC_PHONE);
    memcpy(rtp + 12, OA, sizeof OA);
    rtp[14] = 0;
    rtp[15] = 2; /* padding */
    lab_say(l, &l->calls[0].core[0], lab_phone(l, &l->calls[0], 0), rtp, 16);
    lab_turn(l);
    const lab_out *out = lab_sent(l, &l->access, AGW_PKT_RTP, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    uint8_t got[64];
    size_t len = out->len;
    memcpy(got, out->data, len);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_unprotect(l->calls[0].in, got, &len), AGW_OK);
    CU_ASSERT_EQUAL(len, 14);
    CU_ASSERT_EQUAL(got[0], 0x80);
    CU_ASSERT_EQUAL(got[1], PT_BROWSER);
    CU_ASSERT_EQUAL(memcmp(got + 12, BE, sizeof BE), 0);

    rtp[3]++;
    rtp[13] = 0x3c; /* another frame follows, which is not there */
    lab_say(l, &l->calls[0].core[0], lab_phone(l, &l->calls[0], 0), rtp, 16);
    lab_turn(l);
    CU_ASSERT_PTR_NULL(lab_sent(l, &l->access, AGW_PKT_RTP, 0));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_PAYLOAD), 1);
    lab_end(l);
}

static void test_bridge_334_5_6_the_contract_passes_and_no_more(void)
{
    lab *l = lab_policed();
    lab_call *c = &l->calls[0];
    uint16_t seq = 1;
    CU_ASSERT_EQUAL(pour(l, c, &seq, 500, AGW_MS(20)), 500);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_POLICED), 0);
    const size_t passed = pour(l, c, &seq, 5000, AGW_MS(2)); /* ten times that */
    CU_ASSERT_TRUE(passed >= 500 && passed <= 500 + 10 + 1);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_POLICED), 5000 - passed);
    CU_ASSERT_EQUAL(agw_counter_get(&c->stats[0].end[AGW_SIDE_A].dropped), 5000 - passed);
    lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, SSRC_PHONE, 1);
    lab_turn(l); /* the other direction has a contract of its own */
    CU_ASSERT_PTR_NOT_NULL(lab_sent(l, &l->access, AGW_PKT_RTP, 0));
    l->now += AGW_S(1);
    CU_ASSERT_EQUAL(pour(l, c, &seq, 100, AGW_MS(20)), 100);
    lab_end(l);
}

static void test_bridge_334_5_6_a_burst_is_as_long_as_was_said(void)
{
    lab *l = lab_policed();
    lab_call *c = &l->calls[0];
    uint16_t seq = 1;
    l->now += AGW_S(5);
    CU_ASSERT_EQUAL(pour(l, c, &seq, 40, 0), 10); /* 200 ms */
    lab_end(l);
}

/* What is too much must not cost the roll-over counter: the next one within the contract passes. */
static void test_bridge_rfc3711_3_3_1_policed_packets_move_the_counter(void)
{
    lab *l = lab_policed();
    lab_call *c = &l->calls[0];
    uint16_t seq = 65000;
    CU_ASSERT_TRUE(pour(l, c, &seq, 2000, AGW_US(100)) < 30);
    l->now += AGW_S(1);
    CU_ASSERT_EQUAL(pour(l, c, &seq, 5, AGW_MS(20)), 5);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_SRTP_AUTH), 0);
    lab_end(l);
}

static void test_bridge_rtcp_of_a_party_is_bounded(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    uint8_t sr[28];
    c->plan->transports[1].rtcp_per_second = 50;
    lab_apply(l, c);
    for (int i = 0; i < 80; i++) {
        lab_say(l, &c->core[1], lab_phone(l, c, 1), sr, put_sr(sr, SSRC_PHONE));
        lab_turn(l);
    }
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_POLICED), 30);
    l->now += AGW_S(1);
    lab_say(l, &c->core[1], lab_phone(l, c, 1), sr, put_sr(sr, SSRC_PHONE));
    lab_turn(l);
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_POLICED), 30);
    lab_end(l);
}

/* --- the way of a media packet costs no memory ---------------------------------------------------
 */

static void ten_thousand(lab *l, lab_call *c, uint16_t *seq)
{
    static uint8_t sr[28];
    for (int i = 0; i < 10000 / 40; i++) {
        l->now += AGW_MS(20);
        for (int k = 0; k < 10; k++, (*seq)++) {
            lab_browser_rtp(l, c, browser(), LAB_PT_AUDIO, SSRC_AUDIO, *seq);
            lab_browser_rtp(l, c, browser(), LAB_PT_VIDEO, SSRC_VIDEO, *seq);
            lab_phone_rtp(l, c, 0, lab_phone(l, c, 0), LAB_PT_AUDIO, SSRC_PHONE, *seq);
            lab_phone_rtp(l, c, 2, lab_phone(l, c, 2), LAB_PT_VIDEO, SSRC_PHONE, *seq);
        }
        lab_say(l, &c->core[1], lab_phone(l, c, 1), sr, put_sr(sr, SSRC_PHONE));
        lab_turn(l);
    }
}

static void test_bridge_media_packets_cost_no_allocation(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    uint16_t seq = 1;
#if !defined(LAB_ASAN) && !defined(LAB_TSAN)
    CU_ASSERT_TRUE(heap_calls > 0); /* the count counts */
#endif
    ten_thousand(l, c, &seq); /* SRTP streams are made at their first packet */
    const uint64_t before = value(&l->w->stats.forwarded);
    heap_calls = 0;
    ten_thousand(l, c, &seq);
    CU_ASSERT_EQUAL(heap_calls, 0);
    CU_ASSERT_TRUE(value(&l->w->stats.forwarded) - before >= 10000);
    lab_end(l);
}

/* In the child the kernel kills whoever asks it for anything but read, write and exit. */
static void test_bridge_media_packets_cost_no_system_call(void)
{
    lab *l = lab_talk();
    lab_call *c = &l->calls[0];
    uint16_t seq = 1;
    int status = 0;
    ten_thousand(l, c, &seq);
    fflush(stdout);
    const pid_t child = fork();
    CU_ASSERT_TRUE_FATAL(child >= 0);
    if (child == 0) {
#if !defined(LAB_ASAN) && !defined(LAB_TSAN)
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(2);
        ten_thousand(l, c, &seq);
        syscall(SYS_exit, 0); /* _exit() would ask for exit_group */
#endif
        _exit(0); /* a sanitizer has system calls of its own */
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_bridge_rfc9143_9_2_learned_ssrcs_survive_a_plan),
    AGW_CASE(test_bridge_rfc9143_9_2_mid_moves_an_ssrc_for_good),
    AGW_CASE(test_bridge_rfc9143_9_2_unknown_mid_is_nobodys),
    AGW_CASE(test_bridge_learned_ssrcs_are_bounded),
    AGW_CASE(test_bridge_key_frames_are_asked_of_both_when_keys_come),
    AGW_CASE(test_bridge_same_plan_again_touches_nothing),
    AGW_CASE(test_bridge_resume_from_hold_asks_for_a_key_frame),
    AGW_CASE(test_bridge_another_receiver_asks_for_a_key_frame),
    AGW_CASE(test_bridge_hold_ends_requests_that_are_still_due),
    AGW_CASE(test_bridge_loss_toward_an_avp_core_asks_for_a_key_frame),
    AGW_CASE(test_bridge_rfc4588_key_frame_is_asked_of_the_stream_not_of_rtx),
    AGW_CASE(test_bridge_ssrc_change_behind_a_closed_gate),
    AGW_CASE(test_bridge_stream_that_is_silent_does_not_hide_behind_another),
    AGW_CASE(test_bridge_rtcp_of_a_bundle_is_told_apart_by_ssrc),
    AGW_CASE(test_bridge_rtcp_without_an_rtcp_address_is_not_counted_as_sent),
    AGW_CASE(test_bridge_full_batches_of_rtcp_for_sixteen_medias),
    AGW_CASE(test_bridge_counts_are_what_a_capture_shows),
    AGW_CASE(test_bridge_loss_and_restart_of_the_same_ssrc),
    AGW_CASE(test_bridge_rtc_7_losses_in_a_row_are_one_run),
    AGW_CASE(test_bridge_ssrc_of_a_transparent_stream_is_told),
    AGW_CASE(test_bridge_rfc3550_a8_jitter_knows_one_clock),
    AGW_CASE(test_bridge_rfc4733_2_5_1_2_a_digit_is_no_jitter),
    AGW_CASE(test_bridge_rfc3550_a8_another_codec_has_another_clock),
    AGW_CASE(test_bridge_worker_counts_bytes),
    AGW_CASE(test_bridge_rfc8285_5_extensions_are_renumbered_or_removed),
    AGW_CASE(test_bridge_csrcs_padding_and_foreign_extensions_pass_or_go),
    AGW_CASE(test_bridge_rfc4867_4_payloads_change_their_form),
    AGW_CASE(test_bridge_334_5_6_the_contract_passes_and_no_more),
    AGW_CASE(test_bridge_334_5_6_a_burst_is_as_long_as_was_said),
    AGW_CASE(test_bridge_rfc3711_3_3_1_policed_packets_move_the_counter),
    AGW_CASE(test_bridge_rtcp_of_a_party_is_bounded),
    AGW_CASE(test_bridge_media_packets_cost_no_allocation),
    AGW_CASE(test_bridge_media_packets_cost_no_system_call),
};

AGW_UNIT_MAIN("bridge", cases)
