/* SPDX-License-Identifier: BSD-3-Clause
 * Whole calls through a gateway with its threads: a browser of our own rooms and plain sockets as
 * phones. */
#include "agw/world.h"
#include "base/rand.h"
#include "ice/agent.h"

typedef struct talk {
    world w;
    party browser, phone, phone_rtcp, video_phone, video_rtcp, stranger;
} talk;

/* Audio and video in one BUNDLE transport on the access leg, a port each on the core leg. */
static agw_plan *talk_plan(talk *t)
{
    agw_plan *plan = agw_plan_new(3, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    plan_browser(plan, &t->w.access, &t->browser);
    plan_phone(&plan->transports[1], &t->w.core[0], &t->phone, &t->phone_rtcp);
    plan_phone(&plan->transports[2], &t->w.core[1], &t->video_phone, &t->video_rtcp);
    plan_media(&plan->medias[0], AUDIO, AGW_MEDIA_AUDIO, PT_AUDIO, t->w.access.id, t->w.core[0].id);
    plan_media(&plan->medias[1], VIDEO, AGW_MEDIA_VIDEO, PT_VIDEO, t->w.access.id, t->w.core[1].id);
    return plan;
}

static void talk_open(talk *t)
{
    world_open(&t->w, 1);
    party *all[] = {&t->browser,     &t->phone,      &t->phone_rtcp,
                    &t->video_phone, &t->video_rtcp, &t->stranger};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        party_open(all[i]);
    browser_make(&t->browser);
}

static void talk_connect(talk *t)
{
    world_apply(&t->w, talk_plan(t));
    CU_ASSERT_TRUE_FATAL(browser_check(&t->browser, &t->w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t->browser, &t->w.access, AGW_DTLS_CLIENT));
    CU_ASSERT_TRUE_FATAL(wait_event(&t->w, AGW_EVENT_DTLS_ESTABLISHED));
}

static void talk_close(talk *t)
{
    world_close(&t->w);
    party *all[] = {&t->browser,     &t->phone,      &t->phone_rtcp,
                    &t->video_phone, &t->video_rtcp, &t->stranger};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        party_close(all[i]);
}

/* Audio passes both ways with this sequence number, which the phone may see as another one. */
static void audio_passes_as(talk *t, uint16_t seq, uint16_t egress_seq)
{
    uint8_t buf[DATAGRAM], sent[DATAGRAM];
    make_rtp(sent, PT_AUDIO, 1, seq);
    browser_rtp(&t->browser, &t->w.access.rtp[0], PT_AUDIO, 0x11, seq);
    CU_ASSERT_EQUAL_FATAL(hear(&t->phone, buf, PATIENCE_MS), 172);
    CU_ASSERT_EQUAL(agw_get32(buf + 8), 0xa0000011u);
    CU_ASSERT_EQUAL(agw_get16(buf + 2), egress_seq);
    CU_ASSERT_EQUAL(memcmp(buf + 12, sent + 12, 160), 0);
    phone_rtp(&t->phone, &t->w.core[0].rtp[0], PT_AUDIO, 0x22, seq);
    CU_ASSERT_EQUAL_FATAL(browser_hear(&t->browser, false, buf, PATIENCE_MS), 172);
    CU_ASSERT_EQUAL(agw_get32(buf + 8), 0xa0000010u);
    CU_ASSERT_EQUAL(memcmp(buf + 12, sent + 12, 160), 0);
}

static void audio_passes(talk *t, uint16_t seq)
{
    audio_passes_as(t, seq, seq);
}

static void test_call_webrtc_to_rtp_both_ways(void)
{
    talk t;
    talk_open(&t);
    talk_connect(&t);
    for (uint16_t seq = 1; seq <= 50; seq++)
        audio_passes(&t, seq);
    const agw_media_stats *stats = agw_gateway_media_stats(t.w.call, AUDIO);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_A].rtp_in.packets), 50);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_B].rtp_out.packets), 50);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_A].rtp_out.packets), 50);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_A].lost_in), 0);
    talk_close(&t);
}

static void test_call_the_gateway_can_be_the_dtls_client(void)
{
    talk t;
    talk_open(&t);
    agw_plan *plan = talk_plan(&t);
    plan->transports[0].dtls = AGW_DTLS_ACTIVE;
    world_apply(&t.w, plan);
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_SERVER));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_ESTABLISHED));
    audio_passes(&t, 7);
    talk_close(&t);
}

/* The browser answers: its ClientHello comes before the answer with its fingerprint. */
static void test_call_334_6_2_22_handshake_before_the_answer_waits_for_the_fingerprint(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    agw_plan *early = talk_plan(&t);
    early->transports[0].dtls = AGW_DTLS_WAIT;
    early->transports[0].n_fingerprints = 0;
    early->transports[0].remote_ufrag = early->transports[0].remote_pwd = NULL;
    world_apply(&t.w, early);
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_CLIENT));
    browser_rtp(&t.browser, &t.w.access.rtp[0], PT_AUDIO, 0x11, 1);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_NO_KEYS, 1));
    CU_ASSERT_EQUAL(hear(&t.phone, buf, QUIET_MS), 0);
    world_apply(&t.w, talk_plan(&t));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_ESTABLISHED));
    audio_passes(&t, 2);
    talk_close(&t);
}

static void test_call_rfc8122_6_2_wrong_fingerprint_no_media(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    agw_plan *plan = talk_plan(&t);
    plan->transports[0].fingerprints[0].bytes[31] ^= 1;
    world_apply(&t.w, plan);
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_CLIENT));
    CU_ASSERT_TRUE(wait_event(&t.w, AGW_EVENT_DTLS_FAILED));
    browser_rtp(&t.browser, &t.w.access.rtp[0], PT_AUDIO, 0x11, 1);
    phone_rtp(&t.phone, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 1);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_NO_KEYS, 1));
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_NO_DEST, 1));
    CU_ASSERT_EQUAL(hear(&t.phone, buf, QUIET_MS), 0);
    CU_ASSERT_EQUAL(browser_hear(&t.browser, false, buf, QUIET_MS), 0);
    talk_close(&t);
}

/* A reply may leave before the workers are woken: what the browser sends then finds its call. */
static void test_call_plan_is_there_for_the_first_packet_behind_it(void)
{
    talk t;
    talk_open(&t);
    agw_gateway_apply(t.w.gw, t.w.call, talk_plan(&t));
    CU_ASSERT_TRUE(browser_check(&t.browser, &t.w.access));
    talk_close(&t);
}

static void test_call_nothing_from_an_unvalidated_address_has_an_effect(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    world_apply(&t.w, talk_plan(&t));
    const uint8_t hello[13] = {22, 0xfe, 0xff};
    say(&t.stranger, &t.w.access.rtp[0], hello, sizeof hello);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_NO_CALL, 1));
    browser_check_as(&t.stranger, &t.w.access, "wrongwrongwrongwrongwron", true);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_STUN_AUTH, 1));
    CU_ASSERT_EQUAL(hear(&t.stranger, buf, QUIET_MS), 0);
    agw_transport_info unknown = t.w.access;
    unknown.ufrag[7] ^= 1;
    browser_check_as(&t.stranger, &unknown, unknown.pwd, true);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_STUN_AUTH, 2));
    memcpy(unknown.ufrag, "zz++", 4);
    browser_check_as(&t.stranger, &unknown, unknown.pwd, true);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_NO_PLAN, 1));
    CU_ASSERT_EQUAL(hear(&t.stranger, buf, QUIET_MS), 0);
    CU_ASSERT_FALSE(saw_event(&t.w, AGW_EVENT_ICE_CONNECTED));
    talk_connect(&t);
    audio_passes(&t, 1);
    talk_close(&t);
}

/* --- reasons of ICE and DTLS, as metrics have them ---------------------------------------------
 */

enum { REASONS = 32 };

typedef struct reasons {
    const char *text[REASONS];
    uint64_t n[REASONS];
    size_t count;
} reasons;

static reasons reasons_of(const world *w, bool dtls)
{
    reasons r = {.count = 0};
    uint64_t n;
    for (const char *text; (text = dtls ? agw_gateway_dtls_drops(w->gw, r.count, &n)
                                        : agw_gateway_ice_drops(w->gw, 0, r.count, &n)) != NULL;) {
        CU_ASSERT_FATAL(r.count < REASONS);
        r.text[r.count] = text;
        r.n[r.count++] = n;
    }
    return r;
}

static uint64_t all_of(const reasons *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->count; i++)
        sum += r->n[i];
    return sum;
}

/* Waits for one more: it must be of this reason, and no other may have grown. */
static void one_more(const world *w, bool dtls, reasons *before, const char *reason)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    reasons now = reasons_of(w, dtls);
    while (all_of(&now) == all_of(before) && agw_clock_now() < until) {
        poll(NULL, 0, 1);
        now = reasons_of(w, dtls);
    }
    for (size_t i = 0; i < now.count; i++)
        CU_ASSERT_EQUAL(now.n[i] - before->n[i], strcmp(now.text[i], reason) == 0);
    CU_ASSERT_EQUAL(all_of(&now), all_of(before) + 1);
    *before = now;
}

static void check_as_controlled(const talk *t)
{
    char username[64];
    uint8_t buf[512];
    snprintf(username, sizeof username, "%s:%s", t->w.access.ufrag, BROWSER_UFRAG);
    const check c = {.username = username,
                     .pwd = t->w.access.pwd,
                     .controlled = true,
                     .priority = 1,
                     .id = 0x487};
    say(&t->browser, &t->w.access.rtp[0], buf, check_write(&c, buf, sizeof buf));
}

static void test_call_each_refusal_of_ice_and_dtls_raises_its_own_line(void)
{
    static const uint8_t VERSION[] = {22, 3, 3, 0, 0, 0, 0, 0, 0, 9, 9, 0, 1, 1};
    static const uint8_t ALERT[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 9, 9, 0, 2, 2, 40};
    talk t;
    talk_open(&t);
    talk_connect(&t);
    const agw_addr *to = &t.w.access.rtp[0];
    reasons ice = reasons_of(&t.w, false), dtls = reasons_of(&t.w, true);
    CU_ASSERT_EQUAL(ice.count, AGW_ICE_DROP_COUNT - 1);
    CU_ASSERT_EQUAL(dtls.count, AGW_DTLS_DROP_COUNT - 1);

    browser_check_as(&t.stranger, &t.w.access, "wrongwrongwrongwrongwron", true);
    one_more(&t.w, false, &ice, "integrity");
    agw_transport_info unknown = t.w.access;
    unknown.ufrag[7] ^= 1;
    browser_check_as(&t.stranger, &unknown, unknown.pwd, true);
    one_more(&t.w, false, &ice, "username");
    check_as_controlled(&t); /* answered (487): no dropped packet, and yet refused */
    one_more(&t.w, false, &ice, "role");

    say(&t.browser, to, VERSION, sizeof VERSION);
    one_more(&t.w, true, &dtls, "version");
    say(&t.browser, to, ALERT, sizeof ALERT);
    one_more(&t.w, true, &dtls, "alert");
    audio_passes(&t, 1);

    world_end_call(&t.w);
    const agw_worker_stats *stats = agw_gateway_worker_stats(t.w.gw, 0);
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_counter_get(&stats->calls) != 0 && agw_clock_now() < until)
        poll(NULL, 0, 1);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->calls), 0);
    const reasons ice_then = reasons_of(&t.w, false), dtls_then = reasons_of(&t.w, true);
    CU_ASSERT_EQUAL(all_of(&ice_then), all_of(&ice));
    CU_ASSERT_EQUAL(all_of(&dtls_then), all_of(&dtls));
    talk_close(&t);
}

static void test_call_334_5_5_core_leg_takes_its_own_source_only(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    agw_plan *strict = talk_plan(&t);
    strict->transports[1].source_rule = AGW_SOURCE_STRICT;
    world_apply(&t.w, strict);
    audio_passes(&t, 1);
    phone_rtp(&t.stranger, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 2); /* right address, wrong port */
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_WRONG_SOURCE, 1));
    CU_ASSERT_EQUAL(browser_hear(&t.browser, false, buf, QUIET_MS), 0);
    world_apply(&t.w, talk_plan(&t));
    audio_passes(&t, 3);
    party elsewhere;
    party_open_at(&elsewhere, 2);
    phone_rtp(&elsewhere, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 5); /* another address: never */
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_WRONG_SOURCE, 2));
    party_close(&elsewhere);
    phone_rtp(&t.stranger, &t.w.core[0].rtp[0], PT_AUDIO, 0x22,
              4); /* any port of the signalled address */
    CU_ASSERT_EQUAL(browser_hear(&t.browser, false, buf, PATIENCE_MS), 172);
    talk_close(&t);
}

static void test_call_core_rtp_and_rtcp_belong_to_their_ports(void)
{
    talk t;
    uint8_t buf[DATAGRAM] = {0x80, 201, 0, 1, 0, 0, 0, 0x22};
    talk_open(&t);
    talk_connect(&t);
    say(&t.phone, &t.w.core[0].rtp[0], buf, 8);
    phone_rtp(&t.phone, &t.w.core[0].rtcp[0], PT_AUDIO, 0x22, 1);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_WRONG_PORT, 2));
    talk_close(&t);
}

static void test_call_srtp_replay_and_forgery_are_counted_drops(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    size_t len = make_rtp(buf, PT_AUDIO, 0x11, 9);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_protect(t.browser.out, buf, &len, sizeof buf - len), AGW_OK);
    say(&t.browser, &t.w.access.rtp[0], buf, len);
    say(&t.browser, &t.w.access.rtp[0], buf, len);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_SRTP_REPLAY, 1));
    agw_put16(buf + 2, 10);
    say(&t.browser, &t.w.access.rtp[0], buf, len);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_SRTP_AUTH, 1));
    uint8_t heard[DATAGRAM];
    CU_ASSERT_EQUAL(hear(&t.phone, heard, PATIENCE_MS), 172);
    CU_ASSERT_EQUAL(hear(&t.phone, heard, QUIET_MS), 0);
    audio_passes(&t, 11);
    talk_close(&t);
}

static void test_call_gate_closes_rtp_and_lets_rtcp_pass(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    audio_passes(&t, 1);
    agw_plan *hold = talk_plan(&t);
    hold->medias[0].end[AGW_SIDE_A].may_send = false;
    world_apply(&t.w, hold);
    for (uint16_t seq = 2; seq < 10; seq++)
        browser_rtp(&t.browser, &t.w.access.rtp[0], PT_AUDIO, 0x11, seq);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_GATE_CLOSED, 8));
    CU_ASSERT_EQUAL(hear(&t.phone, buf, QUIET_MS), 0);
    uint8_t sr[DATAGRAM] = {0x80, 200, 0, 6, 0, 0, 0, 0x11};
    size_t len = 28;
    CU_ASSERT_EQUAL_FATAL(agw_srtp_protect_rtcp(t.browser.out, sr, &len, sizeof sr - len), AGW_OK);
    say(&t.browser, &t.w.access.rtp[0], sr, len);
    CU_ASSERT_TRUE(hear(&t.phone_rtcp, buf, PATIENCE_MS) >= 28);
    CU_ASSERT_EQUAL(agw_get32(buf + 4), 0xa0000011u);
    world_apply(&t.w, talk_plan(&t));
    audio_passes_as(&t, 10, 2); /* no number is missing for what was held back */
    talk_close(&t);
}

static void test_call_334_5_5_foreign_payload_type_is_dropped(void)
{
    talk t;
    talk_open(&t);
    talk_connect(&t);
    phone_rtp(&t.phone, &t.w.core[0].rtp[0], 55, 0x22, 1);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_PT, 1));
    audio_passes(&t, 2);
    talk_close(&t);
}

/* The PLI inside a compound that came to the core's RTCP port. */
static bool has_pli(const uint8_t *buf, size_t len)
{
    for (size_t at = 0; at + 12 <= len; at += 4 + 4u * agw_get16(buf + at + 2)) {
        if (buf[at + 1] == 206 && (buf[at] & 31) == 1)
            return true;
    }
    return false;
}

static void test_call_key_frame_is_asked_for_when_media_can_flow(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    phone_rtp(&t.video_phone, &t.w.core[1].rtp[0], PT_VIDEO, 0x33, 1);
    const size_t n = hear(&t.video_rtcp, buf, PATIENCE_MS);
    CU_ASSERT_TRUE(n != 0 && has_pli(buf, n));
    CU_ASSERT_EQUAL(agw_get32(buf + n - 4), 0x33);
    talk_close(&t);
}

static void test_call_rfc4585_pli_of_the_browser_reaches_an_avp_core(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    phone_rtp(&t.video_phone, &t.w.core[1].rtp[0], PT_VIDEO, 0x33, 1);
    CU_ASSERT_TRUE_FATAL(browser_hear(&t.browser, false, buf, PATIENCE_MS) != 0);
    const uint32_t seen = agw_get32(buf + 8);
    while (hear(&t.video_rtcp, buf, QUIET_MS) != 0)
        continue; /* the gateway's own requests */
    uint8_t pli[DATAGRAM] = {0x81, 206, 0, 2, 0, 0, 0, 0x11};
    size_t len = 12;
    agw_put32(pli + 8, seen);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_protect_rtcp(t.browser.out, pli, &len, sizeof pli - len),
                          AGW_OK);
    say(&t.browser, &t.w.access.rtp[0], pli, len);
    const size_t n = hear(&t.video_rtcp, buf, PATIENCE_MS);
    CU_ASSERT_TRUE(n != 0 && has_pli(buf, n));
    CU_ASSERT_EQUAL(agw_get32(buf + n - 4), 0x33);
    CU_ASSERT_EQUAL(buf[1], 201); /* a whole compound: an AVP peer knows no reduced size */
    talk_close(&t);
}

static void test_call_rfc9143_9_2_equal_payload_types_are_told_apart_by_mid(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    agw_plan *plan = talk_plan(&t);
    plan->medias[1].kind = AGW_MEDIA_AUDIO;
    for (size_t i = 0; i < 2; i++) {
        agw_end_plan *e = &plan->medias[i].end[AGW_SIDE_A];
        e->mid_ext_id = 4;
        snprintf(e->mid, sizeof e->mid, "%zu", i);
        e->pts[0] = (agw_pt_plan){.ingress = PT_AUDIO, .egress = PT_AUDIO, .clock_hz = 8000};
    }
    world_apply(&t.w, plan);
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_CLIENT));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_ESTABLISHED));
    const party *phones[2] = {&t.phone, &t.video_phone};
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t rtp[DATAGRAM] = {0x90, PT_AUDIO, 0, 1, 0,      0,
                                 0,    0,        0, 0, 0,      (uint8_t)(0x40 + i),
                                 0xbe, 0xde,     0, 1, 4 << 4, (uint8_t)('0' + i),
                                 0,    0,        1, 2, 3,      4};
        size_t len = 24;
        CU_ASSERT_EQUAL_FATAL(agw_srtp_protect(t.browser.out, rtp, &len, sizeof rtp - len), AGW_OK);
        say(&t.browser, &t.w.access.rtp[0], rtp, len);
        CU_ASSERT_EQUAL(hear(phones[i], buf, PATIENCE_MS), 16); /* MID stripped toward the core */
        CU_ASSERT_EQUAL(buf[0], 0x80);
    }
    talk_close(&t);
}

static void test_call_rfc8445_9_restart_keeps_media_on_the_old_pair_and_the_keys(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    audio_passes(&t, 1);
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new_credentials(t.w.gw, t.w.call, t.w.access.id, &t.w.access),
                          AGW_OK);
    world_apply(&t.w, talk_plan(&t));
    audio_passes(&t, 2); /* the old pair still serves */
    party moved;
    party_open(&moved);
    CU_ASSERT_TRUE_FATAL(browser_check(&moved, &t.w.access));
    phone_rtp(&t.phone, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 3);
    size_t n = hear(&moved, buf, PATIENCE_MS); /* the new one, same keys */
    CU_ASSERT_TRUE_FATAL(n > 172);
    CU_ASSERT_EQUAL(agw_srtp_unprotect(t.browser.in, buf, &n), AGW_OK);
    CU_ASSERT_EQUAL(hear(&t.browser, buf, QUIET_MS), 0);
    party_close(&moved);
    talk_close(&t);
}

static void test_call_garbage_of_every_length_on_every_port_changes_nothing(void)
{
    talk t;
    uint8_t buf[64];
    party elsewhere;
    talk_open(&t);
    party_open_at(&elsewhere, 2);
    talk_connect(&t);
    const agw_addr *targets[] = {&t.w.access.rtp[0], &t.w.core[0].rtp[0], &t.w.core[0].rtcp[0]};
    static const uint8_t FIRST[] = {0,  1,  3,   4,   16,  20,  22,  25, 63,
                                    64, 79, 127, 128, 144, 191, 192, 255};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        for (size_t len = 0; len <= sizeof buf; len++) {
            agw_rand_bytes(buf, sizeof buf);
            buf[0] = FIRST[len % sizeof FIRST];
            say(&elsewhere, targets[i], buf, len);
            if (i == 0)
                say(&t.browser, targets[i], buf, len); /* from the browser's own address, too */
        }
        audio_passes(&t, (uint16_t)(1 + i));
    }
    party_close(&elsewhere);
    CU_ASSERT_TRUE(drops(&t.w, AGW_DROP_TOO_SHORT) > 0);
    CU_ASSERT_TRUE(drops(&t.w, AGW_DROP_KIND) > 0);
    talk_close(&t);
}

static void test_call_release_returns_every_port(void)
{
    talk t;
    size_t free_before, free_after, used;
    talk_open(&t);
    agw_gateway_ports(t.w.gw, &free_before, &used);
    CU_ASSERT_EQUAL(used, 4);
    talk_connect(&t);
    agw_plan *audio_only = agw_plan_new(2, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(audio_only);
    plan_browser(audio_only, &t.w.access, &t.browser);
    plan_phone(&audio_only->transports[1], &t.w.core[0], &t.phone, &t.phone_rtcp);
    plan_media(&audio_only->medias[0], AUDIO, AGW_MEDIA_AUDIO, PT_AUDIO, t.w.access.id,
               t.w.core[0].id);
    world_apply(&t.w, audio_only);
    agw_gateway_release(t.w.gw, t.w.call, t.w.core[1].id);
    audio_passes(&t, 1);
    world_end_call(&t.w);
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    agw_event event;
    do {
        CU_ASSERT_FALSE(agw_gateway_next_event(t.w.gw, &event));
        agw_gateway_ports(t.w.gw, &free_after, &used);
        poll(NULL, 0, 1);
    } while (used != 0 && agw_clock_now() < until);
    CU_ASSERT_EQUAL(used, 0);
    CU_ASSERT_EQUAL(free_after, free_before + 4);
    talk_close(&t);
}

static uint16_t shared_port_of_new_call(agw_gateway *gw, size_t interface)
{
    agw_call_ref *call;
    agw_transport_info info;
    CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "shared", NULL, &call), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(
        agw_gateway_reserve(gw, call, interface, AGW_FAMILY_IP4, AGW_TRANSPORT_SHARED, &info),
        AGW_OK);
    return info.rtp[0].port;
}

static void test_gateway_access_sockets_spread_calls_and_core_interfaces_have_none(void)
{
    char why[200] = "";
    agw_gateway *gw;
    agw_gateway_config config = {
        .n_interfaces = 2, .port_min = 16000, .port_max = 31998, .workers = 1, .access_sockets = 2};
    config.interfaces[0].ip4 = loopback();
    config.interfaces[1].ip4 = loopback();
    config.interfaces[1].ip4.ip[3] = 3;
    config.interfaces[1].core_only = true;
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new(&gw, &config, why, sizeof why), AGW_OK);
    const uint16_t a = shared_port_of_new_call(gw, 0), b = shared_port_of_new_call(gw, 0);
    CU_ASSERT_NOT_EQUAL(a, b);
    const uint16_t c = shared_port_of_new_call(gw, 0);
    CU_ASSERT_TRUE(c == a || c == b);
    const uint16_t d = shared_port_of_new_call(gw, 1), e = shared_port_of_new_call(gw, 1);
    CU_ASSERT_NOT_EQUAL(d, e); /* no shared port there: each call gets its own */
    size_t free_ports, used;
    agw_gateway_ports(gw, &free_ports, &used);
    CU_ASSERT_EQUAL(used, 2);
    CU_ASSERT_EQUAL_FATAL(agw_gateway_addresses(gw), 2);
    agw_addr ip;
    agw_gateway_ports_of(gw, 0, &ip, &free_ports, &used);
    CU_ASSERT_TRUE(agw_addr_ip_equal(&ip, &config.interfaces[0].ip4));
    CU_ASSERT_EQUAL(used, 0);
    agw_gateway_ports_of(gw, 1, &ip, &free_ports, &used);
    CU_ASSERT_TRUE(agw_addr_ip_equal(&ip, &config.interfaces[1].ip4));
    CU_ASSERT_EQUAL(used, 2);
    agw_gateway_free(gw);
}

static agw_gateway *limited_gateway(uint32_t load_limit, uint16_t port_max)
{
    char why[200] = "";
    agw_gateway *gw;
    agw_gateway_config config = {.n_interfaces = 1,
                                 .port_min = 16000,
                                 .port_max = port_max,
                                 .workers = 2,
                                 .load_limit = load_limit};
    config.interfaces[0].ip4 = loopback();
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new(&gw, &config, why, sizeof why), AGW_OK);
    return gw;
}

/* Calls come in until the gateway says no; returns how many. */
static size_t fill(agw_gateway *gw, bool urgent, agw_call_ref *calls[], size_t room)
{
    size_t n = 0;
    while (n < room && agw_gateway_refusal(gw, urgent) == NULL) {
        CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "fill", NULL, &calls[n]), AGW_OK);
        n++;
    }
    return n;
}

/* 600 us a second for each call that is expected to talk: two workers have room for some 833 each
 * below half of their time. A machine that is busy with other things has less. */
static void test_gateway_ctl_6_calls_that_will_talk_count_at_once(void)
{
    enum { ROOM = 5000, FITS = 2 * 834, URGENT_FIT = 2 * 1250 };
    static agw_call_ref *calls[ROOM];
    agw_gateway *gw = limited_gateway(500, 31998);
    const size_t n = fill(gw, false, calls, ROOM);
    CU_ASSERT_TRUE(n > FITS / 4 && n <= FITS);
    const size_t urgent = fill(gw, true, calls + n, ROOM - n);
    CU_ASSERT_TRUE(urgent > URGENT_FIT / 4 && n + urgent <= FITS + URGENT_FIT);
    agw_gateway_load load;
    agw_gateway_get_load(gw, &load);
    CU_ASSERT_EQUAL(load.limit, 500);
    CU_ASSERT_EQUAL(load.urgent_limit, AGW_LOAD_URGENT);
    CU_ASSERT_TRUE(load.closed);
    agw_worker_load first, second;
    agw_gateway_get_worker_load(gw, 0, &first);
    agw_gateway_get_worker_load(gw, 1, &second);
    CU_ASSERT_EQUAL(first.silent + second.silent, n + urgent);
    CU_ASSERT_TRUE(first.silent > second.silent / 4 && second.silent > first.silent / 4);
    for (size_t i = 0; i < n + urgent; i++)
        agw_gateway_call_free(gw, calls[i]);
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_gateway_refusal(gw, false) != NULL && agw_clock_now() < until)
        poll(NULL, 0, 1); /* our own work was measured, too */
    CU_ASSERT_PTR_NULL(agw_gateway_refusal(gw, false));
    agw_gateway_free(gw);
}

/* One audio, Opus on one side and PCMA on the other. */
static agw_plan *transcoded(void)
{
    agw_plan *plan = agw_plan_new(0, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    for (int side = 0; side < 2; side++) {
        agw_chain_plan *chain = agw_plan_add_chain(plan);
        const agw_codec_format opus = agw_codec_plain(AGW_CODEC_OPUS),
                               pcma = agw_codec_plain(AGW_CODEC_PCMA);
        chain->n_inputs = 1;
        chain->inputs[0].pt = 100;
        chain->inputs[0].format = side == 0 ? opus : pcma;
        chain->out = side == 0 ? pcma : opus;
        plan->medias[0].end[side].chain = chain;
    }
    return plan;
}

/* Calls whose codecs cost more than their packets are fewer, though none of them talks yet. */
static void test_gateway_codecs_that_will_run_count_at_once(void)
{
    enum { ROOM = 2000 };
    static agw_call_ref *calls[ROOM];
    agw_gateway *gw = limited_gateway(500, 31998);
    agw_plan *plan = transcoded();
    const size_t each = agw_chain_cost_us(&plan->chains[0]) + agw_chain_cost_us(&plan->chains[1]);
    const size_t fits = 2 * (500000 / each + 1);
    size_t n = 0;
    agw_plan_free(plan);
    CU_ASSERT_TRUE_FATAL(each > 600 && fits < ROOM);
    for (; n < ROOM && agw_gateway_refusal(gw, false) == NULL; n++) {
        CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "fill", NULL, &calls[n]), AGW_OK);
        agw_gateway_apply(gw, calls[n], transcoded());
    }
    CU_ASSERT_TRUE(n > fits / 4 && n <= fits);
    for (size_t i = 0; i < n; i++)
        agw_gateway_call_free(gw, calls[i]);
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_gateway_refusal(gw, false) != NULL && agw_clock_now() < until)
        poll(NULL, 0, 1); /* our own work was measured, too */
    CU_ASSERT_PTR_NULL(agw_gateway_refusal(gw, false));
    agw_gateway_free(gw);
}

/* Where calls are converted, those that may be are refused while others still come in. */
static void test_gateway_ctl_6_room_for_codecs_ends_before_that_for_packets(void)
{
    enum { ROOM = 2000 };
    static agw_call_ref *calls[ROOM];
    agw_gateway *gw = limited_gateway(500, 31998);
    agw_plan *plan = transcoded();
    const uint64_t each = agw_chain_cost_us(&plan->chains[0]) + agw_chain_cost_us(&plan->chains[1]);
    agw_plan_free(plan);
    size_t n = 0;
    const char *why = NULL;
    for (; n < ROOM && why == NULL; n++) {
        CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "fill", NULL, &calls[n]), AGW_OK);
        why = agw_gateway_refuse_open(gw, calls[n], false);
        if (why == NULL)
            agw_gateway_apply(gw, calls[n], transcoded());
    }
    CU_ASSERT_TRUE(n > 4 && n < ROOM);
    CU_ASSERT_STRING_EQUAL(why, "CPU usage limit exceeded");
    CU_ASSERT_PTR_NULL(agw_gateway_refuse_open(gw, calls[n - 1], true));
    CU_ASSERT_PTR_NULL(agw_gateway_refusal(gw, false));
    CU_ASSERT_PTR_NULL(agw_gateway_refuse_chains(gw, calls[n - 1], each, false)); /* in its offer */
    CU_ASSERT_PTR_NOT_NULL(agw_gateway_refuse_chains(gw, calls[n - 1], 500000, false));
    CU_ASSERT_PTR_NULL(agw_gateway_refuse_chains(gw, calls[n - 1], 500000, true));
    agw_gateway_load load;
    agw_gateway_get_load(gw, &load);
    CU_ASSERT_EQUAL(load.coding_limit, agw_load_coding_limit(500));
    CU_ASSERT_TRUE(load.coding_closed);
    CU_ASSERT_FALSE(load.closed);
    for (size_t i = 0; i < n; i++)
        agw_gateway_call_free(gw, calls[i]);
    agw_gateway_free(gw);
}

/* Where codecs of ours are offered and hardly ever answered, nobody is refused for what they would
 * cost. */
static void test_gateway_ctl_6_offers_that_end_up_passing_are_taken(void)
{
    enum { N = 40 };
    agw_call_ref *calls[N];
    agw_gateway *gw = limited_gateway(500, 31998);
    for (size_t i = 0; i < N; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "fill", NULL, &calls[i]), AGW_OK);
        CU_ASSERT_PTR_NULL(agw_gateway_refuse_open(gw, calls[i], false));
    }
    agw_worker_load before, after;
    agw_gateway_get_worker_load(gw, 0, &before);
    agw_gateway_apply(gw, calls[0], transcoded());
    agw_gateway_get_worker_load(gw, 0, &after);
    CU_ASSERT_TRUE(after.expected - before.expected < 100); /* one of many, not all of them */
    for (size_t i = 0; i < N; i++)
        agw_gateway_call_free(gw, calls[i]);
    agw_gateway_free(gw);
}

static void test_gateway_ims_11_the_last_ports_are_for_urgent_calls(void)
{
    agw_call_ref *call;
    agw_transport_info info;
    agw_gateway *gw = limited_gateway(0, 16499);
    CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "ports", NULL, &call), AGW_OK);
    size_t free_ports, used, total;
    agw_gateway_ports(gw, &free_ports, &used);
    total = free_ports;
    while (agw_gateway_refusal(gw, false) == NULL &&
           agw_gateway_reserve(gw, call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_PAIR, &info) == AGW_OK)
        continue;
    agw_gateway_ports(gw, &free_ports, &used);
    CU_ASSERT_EQUAL(free_ports, total / 20 - 2 + total / 20 % 2);
    CU_ASSERT_STRING_EQUAL(agw_gateway_refusal(gw, false), "Ran out of ports");
    CU_ASSERT_PTR_NULL(agw_gateway_refusal(gw, true));
    CU_ASSERT_EQUAL(agw_gateway_reserve(gw, call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_PAIR, &info),
                    AGW_OK);
    agw_gateway_free(gw);
}

static size_t silent_calls(agw_gateway *gw)
{
    agw_gateway_load load;
    agw_worker_load worker;
    agw_gateway_get_load(gw, &load);
    agw_gateway_get_worker_load(gw, 0, &worker);
    return worker.silent;
}

static void test_gateway_ctl_6_a_call_that_talks_is_measured_instead(void)
{
    talk t;
    talk_open(&t);
    talk_connect(&t);
    CU_ASSERT_EQUAL(silent_calls(t.w.gw), 1);
    audio_passes(&t, 1);
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (silent_calls(t.w.gw) != 0 && agw_clock_now() < until)
        poll(NULL, 0, 1);
    CU_ASSERT_EQUAL(silent_calls(t.w.gw), 0);
    talk_close(&t);
}

/* RFC 8828: the core party's name stays in the core; the browser reads the one that SDP told it. */
static void test_call_rfc3550_6_5_1_cname_of_the_core_is_replaced(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    agw_plan *plan = talk_plan(&t);
    snprintf(plan->medias[0].end[AGW_SIDE_A].cname, sizeof plan->medias[0].end[AGW_SIDE_A].cname,
             "told");
    world_apply(&t.w, plan);
    CU_ASSERT_TRUE_FATAL(browser_check(&t.browser, &t.w.access));
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_CLIENT));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_ESTABLISHED));
    phone_rtp(&t.phone, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 1);
    CU_ASSERT_EQUAL(browser_hear(&t.browser, false, buf, PATIENCE_MS), 172);
    static const uint8_t REPORT[] = {
        0x80, 200, 0, 6,    0, 0, 0,   0x22, 0,   0,   0,   1,   0,    0,   0,   1,
        0,    0,   0, 0,    0, 0, 0,   1,    0,   0,   0,   160, 0x81, 202, 0,   4,
        0,    0,   0, 0x22, 1, 9, 's', '@',  '1', '0', '.', '0', '.',  '0', '1', 0,
    };
    say(&t.phone_rtcp, &t.w.core[0].rtcp[0], REPORT, sizeof REPORT);
    const size_t n = browser_hear(&t.browser, true, buf, PATIENCE_MS);
    CU_ASSERT_TRUE_FATAL(n > 0);
    CU_ASSERT_PTR_NULL(memmem(buf, n, "s@10.0", 6));
    CU_ASSERT_PTR_NOT_NULL(memmem(buf, n, "told", 4));
    talk_close(&t);
}

/* A page that is reloaded: its browser says goodbye, and begins anew with new SDP. */
static void test_call_rfc8842_4_close_notify_and_another_association(void)
{
    talk t;
    uint8_t buf[DATAGRAM];
    talk_open(&t);
    talk_connect(&t);
    audio_passes(&t, 1);
    agw_dtls_close(t.browser.dtls, agw_clock_now());
    browser_flush(&t.browser, &t.w.access.rtp[0]);
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_CLOSED));
    phone_rtp(&t.phone, &t.w.core[0].rtp[0], PT_AUDIO, 0x22, 2);
    CU_ASSERT_TRUE(dropped(&t.w, AGW_DROP_NO_DEST, 1));
    CU_ASSERT_EQUAL(browser_hear(&t.browser, false, buf, QUIET_MS), 0);
    agw_srtp_session_free(t.browser.in);
    agw_srtp_session_free(t.browser.out);
    agw_dtls_free(t.browser.dtls);
    agw_plan *plan = talk_plan(&t);
    plan->transports[0].dtls_epoch++;
    world_apply(&t.w, plan);
    t.w.n_events = 0;
    CU_ASSERT_TRUE_FATAL(browser_handshake(&t.browser, &t.w.access, AGW_DTLS_CLIENT));
    CU_ASSERT_TRUE_FATAL(wait_event(&t.w, AGW_EVENT_DTLS_ESTABLISHED));
    audio_passes(&t, 3);
    talk_close(&t);
}

/* Calls come and go on two workers while their handshakes are under way: what the handshake threads
 * still say about them finds nobody, and all ports return. */
static void test_call_ends_in_the_middle_of_its_handshake(void)
{
    enum { CALLS = 60 };
    world w;
    party browser, phone;
    agw_event event;
    size_t free_ports, used;
    world_open(&w, 2);
    world_end_call(&w);
    party_open(&browser);
    party_open(&phone);
    browser_make(&browser);
    for (int i = 0; i < CALLS; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(w.gw, "short", NULL, &w.call), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(
            agw_gateway_reserve(w.gw, w.call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_MUXED, &w.access),
            AGW_OK);
        CU_ASSERT_EQUAL_FATAL(
            agw_gateway_reserve(w.gw, w.call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_PAIR, &w.core[0]),
            AGW_OK);
        agw_plan *plan = agw_plan_new(2, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        plan_browser(plan, &w.access, &browser);
        plan_phone(&plan->transports[1], &w.core[0], &phone, &phone);
        plan_media(&plan->medias[0], AUDIO, AGW_MEDIA_AUDIO, PT_AUDIO, w.access.id, w.core[0].id);
        world_apply(&w, plan);
        CU_ASSERT_TRUE_FATAL(browser_check(&browser, &w.access));
        browser.dtls = agw_dtls_new(browser.ctx, AGW_DTLS_CLIENT, agw_clock_now());
        agw_dtls_start(browser.dtls, agw_clock_now());
        browser_flush(&browser, &w.access.rtp[0]);
        if (i % 3 != 0) /* a call that ends a little later is further with its handshake */
            poll(NULL, 0, i % 3);
        world_end_call(&w);
        agw_dtls_free(browser.dtls);
        browser.dtls = NULL;
        while (agw_gateway_next_event(w.gw, &event))
            continue;
    }
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    do {
        CU_ASSERT_FALSE(agw_gateway_next_event(w.gw, &event));
        agw_gateway_ports(w.gw, &free_ports, &used);
        poll(NULL, 0, 1);
    } while (used != 0 && agw_clock_now() < until);
    CU_ASSERT_EQUAL(used, 0);
    world_close(&w);
    party_close(&browser);
    party_close(&phone);
}

static void test_gateway_dtl_4_new_calls_get_new_certificates_and_old_ones_keep_theirs(void)
{
    char why[200] = "", first[AGW_FINGERPRINT_TEXT], again[AGW_FINGERPRINT_TEXT],
         second[AGW_FINGERPRINT_TEXT];
    agw_gateway *gw;
    agw_gateway_config config = {.n_interfaces = 1,
                                 .port_min = 16000,
                                 .port_max = 31998,
                                 .workers = 1,
                                 .certificate_lifetime = 1};
    config.interfaces[0].ip4 = loopback();
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new(&gw, &config, why, sizeof why), AGW_OK);
    agw_call_ref *a, *b;
    CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "a", NULL, &a), AGW_OK);
    agw_gateway_fingerprint(a, AGW_HASH_SHA256, first);
    CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(gw, "b", NULL, &b), AGW_OK);
    agw_gateway_fingerprint(b, AGW_HASH_SHA256, second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    CU_ASSERT_STRING_EQUAL(agw_gateway_fingerprint(a, AGW_HASH_SHA256, again), first);
    CU_ASSERT_EQUAL(strncmp(agw_gateway_fingerprint(a, AGW_HASH_SHA384, again), "sha-384 ", 8), 0);
    CU_ASSERT_EQUAL(strlen(agw_gateway_fingerprint(a, AGW_HASH_SHA512, again)), 8 + 64 * 3 - 1);
    agw_gateway_call_free(gw, a);
    agw_gateway_fingerprint(b, AGW_HASH_SHA256, again);
    CU_ASSERT_STRING_EQUAL(again, second);
    agw_gateway_free(gw);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_gateway_access_sockets_spread_calls_and_core_interfaces_have_none),
    AGW_CASE(test_gateway_ctl_6_calls_that_will_talk_count_at_once),
    AGW_CASE(test_gateway_ctl_6_a_call_that_talks_is_measured_instead),
    AGW_CASE(test_gateway_codecs_that_will_run_count_at_once),
    AGW_CASE(test_gateway_ctl_6_room_for_codecs_ends_before_that_for_packets),
    AGW_CASE(test_gateway_ctl_6_offers_that_end_up_passing_are_taken),
    AGW_CASE(test_gateway_ims_11_the_last_ports_are_for_urgent_calls),
    AGW_CASE(test_call_rfc3550_6_5_1_cname_of_the_core_is_replaced),
    AGW_CASE(test_call_webrtc_to_rtp_both_ways),
    AGW_CASE(test_call_the_gateway_can_be_the_dtls_client),
    AGW_CASE(test_call_334_6_2_22_handshake_before_the_answer_waits_for_the_fingerprint),
    AGW_CASE(test_call_rfc8122_6_2_wrong_fingerprint_no_media),
    AGW_CASE(test_call_plan_is_there_for_the_first_packet_behind_it),
    AGW_CASE(test_call_nothing_from_an_unvalidated_address_has_an_effect),
    AGW_CASE(test_call_each_refusal_of_ice_and_dtls_raises_its_own_line),
    AGW_CASE(test_call_334_5_5_core_leg_takes_its_own_source_only),
    AGW_CASE(test_call_core_rtp_and_rtcp_belong_to_their_ports),
    AGW_CASE(test_call_srtp_replay_and_forgery_are_counted_drops),
    AGW_CASE(test_call_gate_closes_rtp_and_lets_rtcp_pass),
    AGW_CASE(test_call_334_5_5_foreign_payload_type_is_dropped),
    AGW_CASE(test_call_key_frame_is_asked_for_when_media_can_flow),
    AGW_CASE(test_call_rfc4585_pli_of_the_browser_reaches_an_avp_core),
    AGW_CASE(test_call_rfc9143_9_2_equal_payload_types_are_told_apart_by_mid),
    AGW_CASE(test_call_rfc8445_9_restart_keeps_media_on_the_old_pair_and_the_keys),
    AGW_CASE(test_call_garbage_of_every_length_on_every_port_changes_nothing),
    AGW_CASE(test_call_release_returns_every_port),
    AGW_CASE(test_call_rfc8842_4_close_notify_and_another_association),
    AGW_CASE(test_call_ends_in_the_middle_of_its_handshake),
    AGW_CASE(test_gateway_dtl_4_new_calls_get_new_certificates_and_old_ones_keep_theirs),
};

AGW_UNIT_MAIN("call", cases)
