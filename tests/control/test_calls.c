/* SPDX-License-Identifier: BSD-3-Clause
 * When calls end and what is told about them, on virtual time. */
#include "control/rig.h"

#include <sys/socket.h>
#include <unistd.h>

/* --- the decision ------------------------------------------------------------------------------
 */

static agw_config config;

static agw_call_clock answered_at(agw_ns at)
{
    config = (agw_config){.timeout = AGW_S(60),
                          .silent_timeout = AGW_S(3600),
                          .offer_timeout = AGW_S(100),
                          .consent_grace = AGW_S(20)};
    return (agw_call_clock){.signalled_at = at,
                            .delete_at = AGW_NEVER,
                            .consent_lost_at = AGW_NEVER,
                            .hung_at = AGW_NEVER,
                            .answered = true};
}

/* Lives until just before due, and then ends for that reason. */
static bool ends(const agw_call_clock *clock, agw_ns due, agw_call_end why)
{
    agw_ns deadline;
    const bool lives = agw_call_decide(clock, &config, due - 1, &deadline) == AGW_CALL_LIVES;
    return lives && deadline == due && agw_call_decide(clock, &config, due, &deadline) == why;
}

static bool never_ends(const agw_call_clock *clock)
{
    agw_ns deadline;
    return agw_call_decide(clock, &config, AGW_NEVER - 1, &deadline) == AGW_CALL_LIVES &&
           deadline == AGW_NEVER;
}

static void test_calls_ng_8_17_no_media_ends_a_call(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    CU_ASSERT_TRUE(ends(&c, AGW_S(70), AGW_CALL_INACTIVE));
    c.media_at = AGW_S(50);
    CU_ASSERT_TRUE(ends(&c, AGW_S(110), AGW_CALL_INACTIVE));
    c.signalled_at = AGW_S(55); /* a re-offer counts as a sign of life */
    CU_ASSERT_TRUE(ends(&c, AGW_S(115), AGW_CALL_INACTIVE));
}

static void test_calls_ng_8_15_held_calls_use_the_silent_timeout(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.held = true;
    CU_ASSERT_TRUE(ends(&c, AGW_S(3610), AGW_CALL_SILENT));
}

static void test_calls_ng_8_17_unanswered_offers_end(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.answered = false;
    c.media_at = AGW_S(50); /* counts for nothing */
    CU_ASSERT_TRUE(ends(&c, AGW_S(110), AGW_CALL_UNANSWERED));
}

static void test_calls_ims_9_consent_has_its_grace(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.consent_lost_at = AGW_S(30);
    CU_ASSERT_TRUE(ends(&c, AGW_S(50), AGW_CALL_NO_CONSENT));
    c.consent_lost_at = AGW_S(60); /* the other clock is earlier */
    CU_ASSERT_TRUE(ends(&c, AGW_S(70), AGW_CALL_INACTIVE));
    config.consent_grace = 0;
    c.consent_lost_at = AGW_S(30);
    CU_ASSERT_TRUE(ends(&c, AGW_S(30), AGW_CALL_NO_CONSENT));
}

static void test_calls_ng_8_16_a_pending_delete_stops_other_clocks(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.consent_lost_at = AGW_S(11);
    c.delete_at = AGW_S(500);
    CU_ASSERT_TRUE(ends(&c, AGW_S(500), AGW_CALL_DELETED));
}

static void test_calls_ims_11_protected_calls_end_by_command_only(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.protected = true;
    c.consent_lost_at = AGW_S(11);
    CU_ASSERT_TRUE(never_ends(&c));
    c.delete_at = AGW_S(500);
    CU_ASSERT_TRUE(ends(&c, AGW_S(500), AGW_CALL_DELETED));
}

static void test_calls_ctl_11_no_call_outlives_the_final_timeout(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.started_at = AGW_S(5);
    c.signalled_at = c.media_at = AGW_S(1000);
    config.final_timeout = AGW_S(1020);
    CU_ASSERT_TRUE(ends(&c, AGW_S(1025), AGW_CALL_TOO_OLD));
    config.final_timeout = 0;
    CU_ASSERT_TRUE(ends(&c, AGW_S(1060), AGW_CALL_INACTIVE));
    c.answered = false; /* an offer that is repeated for ever has an end, too */
    config.final_timeout = AGW_S(1020);
    CU_ASSERT_TRUE(ends(&c, AGW_S(1025), AGW_CALL_TOO_OLD));
}

static void test_calls_ts23334_5_7_a_hung_call_ends(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.media_at = AGW_S(500);
    c.hung_at = AGW_S(510);
    CU_ASSERT_TRUE(ends(&c, AGW_S(510), AGW_CALL_HUNG));
}

static void test_calls_ims_11_protected_calls_end_hung_or_old_without_media_only(void)
{
    agw_call_clock c = answered_at(AGW_S(10));
    c.protected = true;
    c.media_at = AGW_S(500);
    c.hung_at = AGW_S(510);
    CU_ASSERT_TRUE(ends(&c, AGW_S(560), AGW_CALL_HUNG));
    c.hung_at = AGW_NEVER;
    config.final_timeout = AGW_S(300);
    CU_ASSERT_TRUE(ends(&c, AGW_S(560), AGW_CALL_TOO_OLD));
}

static void test_calls_timeouts_do_not_overflow(void)
{
    agw_call_clock c = answered_at(AGW_NEVER - 5);
    CU_ASSERT_TRUE(never_ends(&c));
}

/* --- the registry ------------------------------------------------------------------------------
 */

static int listener(agw_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(out, "127.0.0.1:0"), AGW_OK);
    const socklen_t want = agw_addr_to_sockaddr(out, &sa);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&sa, want), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(out, (struct sockaddr *)&sa), AGW_OK);
    return fd;
}

/* The next event, or NULL. */
static agw_doc *next_notice(int fd)
{
    char text[2000];
    const char *why;
    const ssize_t len = recv(fd, text, sizeof text, 0);
    return len > 0 ? agw_json_parse(text, (size_t)len, &why) : NULL;
}

static bool told(int fd, const char *event, const char *reason)
{
    agw_doc *doc = next_notice(fd);
    const bool same = doc != NULL && strcmp(agw_doc_str(doc, "event"), event) == 0 &&
                      strcmp(agw_doc_str(doc, "reason"), reason) == 0;
    agw_doc_free(doc);
    return same;
}

static void push(rig *r, agw_event_kind kind, uint32_t transport, const char *detail)
{
    agw_event event = {.kind = kind, .transport_id = transport, .at = r->now};
    g_strlcpy(event.detail, detail, sizeof event.detail);
    fake_gateway_push(r->gateway, fake_gateway_last_call(r->gateway), &event);
    rig_at(r, r->now);
}

static void test_calls_evt_notice_has_all_fields(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    rig_call(&r);
    agw_event event = {.kind = AGW_EVENT_DTLS_FAILED, .transport_id = 1, .at = r.now};
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&event.remote, "10.0.0.77:5000"), AGW_OK);
    g_strlcpy(event.detail, "fingerprint", sizeof event.detail);
    fake_gateway_push(r.gateway, fake_gateway_last_call(r.gateway), &event);
    rig_at(&r, r.now);
    agw_doc *doc = next_notice(fd);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    static const char *const EXPECTED[][2] = {{"event", "dtls-failed"},
                                              {"seq", "1"},
                                              {"call-id", "c"},
                                              {"from-tag", "a"},
                                              {"to-tag", "b"},
                                              {"media", "1"},
                                              {"mid", "0"},
                                              {"reason", "fingerprint"},
                                              {"detail", "10.0.0.77:5000 fingerprint"}};
    for (size_t i = 0; i < G_N_ELEMENTS(EXPECTED); i++)
        CU_ASSERT_STRING_EQUAL(agw_doc_str(doc, EXPECTED[i][0]), EXPECTED[i][1]);
    int64_t time_ms = 0;
    CU_ASSERT_TRUE(agw_doc_int(doc, "time", &time_ms) && time_ms > 1500000000000);
    CU_ASSERT_EQUAL(agw_doc_count(doc), 11);
    agw_doc_free(doc);
    rig_fini(&r);
    close(fd);
}

static void test_calls_ims_9_consent_back_in_time_saves_the_call(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    rig_call(&r);
    push(&r, AGW_EVENT_CONSENT_LOST, 1, "");
    CU_ASSERT_TRUE(told(fd, "consent-lost", ""));
    rig_at(&r, r.now + AGW_S(20) - 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    push(&r, AGW_EVENT_CONSENT_BACK, 1, "");
    CU_ASSERT_TRUE(told(fd, "consent-back", ""));
    rig_at(&r, r.now + AGW_S(20));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
    close(fd);
}

static void test_calls_ims_9_consent_lost_ends_the_call_after_the_grace(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    rig_call(&r);
    push(&r, AGW_EVENT_CONSENT_LOST, 1, "");
    rig_at(&r, r.now + AGW_S(5));
    push(&r, AGW_EVENT_CONSENT_LOST, 1, ""); /* said twice: the first one counts */
    rig_at(&r, r.now + AGW_S(15) - 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_at(&r, r.now + 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    CU_ASSERT_TRUE(told(fd, "consent-lost", ""));
    CU_ASSERT_TRUE(told(fd, "consent-lost", ""));
    CU_ASSERT_TRUE(told(fd, "call-ended", "consent-lost"));
    CU_ASSERT_EQUAL(agw_calls_ended(r.calls)[AGW_CALL_NO_CONSENT], 1);
    rig_fini(&r);
    close(fd);
}

static void test_calls_ims_9_ice_restart_saves_the_call(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    push(&r, AGW_EVENT_CONSENT_LOST, 1, "");
    push(&r, AGW_EVENT_ICE_CONNECTED, 1, "");
    rig_at(&r, r.now + AGW_S(21));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

static void test_calls_consent_of_a_gone_transport_counts_for_nothing(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    push(&r, AGW_EVENT_CONSENT_LOST, 77, "");
    rig_at(&r, r.now + AGW_S(21));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

/* The other party takes no telephone events: it hears the digit within its audio. */
static void test_calls_digits_that_are_not_heard_are_played(void)
{
    rig r;
    agw_play_order o;
    agw_event event = {.kind = AGW_EVENT_DTMF, .transport_id = 1};
    event.dtmf =
        (agw_dtmf){.media_id = 1, .side = AGW_SIDE_A, .digit = '7', .event = 7, .duration_ms = 120};
    rig_init(&r, NULL);
    rig_call(&r);
    for (int unheard = 0; unheard < 2; unheard++) {
        event.dtmf.unheard = unheard != 0;
        fake_gateway_push(r.gateway, fake_gateway_last_call(r.gateway), &event);
        rig_at(&r, r.now);
        CU_ASSERT_EQUAL(fake_gateway_plays(r.gateway, &o), (size_t)unheard);
    }
    CU_ASSERT_TRUE(o.is_tone && o.to == AGW_SIDE_B);
    CU_ASSERT_EQUAL(o.audio->n_samples, (120 + 40) * o.audio->rate_hz / 1000);
    rig_fini(&r);
}

static void test_calls_gone_transports_are_forgotten(void)
{
    rig r;
    rig_init(&r, NULL);
    rig_call(&r);
    const agw_ng_call *call = agw_calls_find(r.calls, "c");
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    push(&r, AGW_EVENT_CONSENT_LOST, 1, "");
    for (uint32_t id = 1000; id < 1200; id++)
        push(&r, AGW_EVENT_ICE_FAILED, id, "");
    CU_ASSERT_TRUE(call->transports->len <= 20);
    rig_at(&r, r.now + AGW_S(20)); /* what is in use is not */
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_calls_ice_and_dtls_failure_do_not_end_the_call(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    rig_call(&r);
    push(&r, AGW_EVENT_ICE_FAILED, 1, "");
    push(&r, AGW_EVENT_DTLS_FAILED, 1, "alert");
    push(&r, AGW_EVENT_DTLS_CLOSED, 1, "");
    CU_ASSERT_TRUE(told(fd, "ice-failed", ""));
    CU_ASSERT_TRUE(told(fd, "dtls-failed", "alert"));
    CU_ASSERT_TRUE(told(fd, "dtls-closed", ""));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
    close(fd);
}

static agw_traffic *any_traffic(rig *r, int which)
{
    agw_media_stats *stats = agw_gateway_media_stats(fake_gateway_last_call(r->gateway), 1);
    agw_end_stats *end = &stats->end[which / 2];
    return which % 2 == 0 ? &end->rtp_in : &end->rtcp_in;
}

static void test_calls_ng_8_17_any_authentic_packet_keeps_the_call(void)
{
    for (int which = 0; which < 4; which++) {
        rig r;
        rig_init(&r, NULL);
        rig_call(&r);
        const agw_ns at = r.now + AGW_S(30);
        agw_counter_set(&any_traffic(&r, which)->last_at, (uint64_t)at);
        rig_at(&r, at + AGW_S(60) - 1);
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
        rig_at(&r, at + AGW_S(60));
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
        CU_ASSERT_EQUAL(agw_calls_ended(r.calls)[AGW_CALL_INACTIVE], 1);
        rig_fini(&r);
    }
}

/* Who holds may have no music, and who is held may send nothing. */
static void test_calls_ng_8_15_one_way_is_hold_too(void)
{
    rig r;
    rig_init(&r, NULL);
    fake_session.one_way = true;
    rig_call(&r);
    const agw_ns start = r.now;
    rig_at(&r, start + AGW_S(61));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_at(&r, start + AGW_S(3600));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_calls_ng_8_17_timeout_is_told_and_hold_waits_longer(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    fake_session.held = true;
    rig_call(&r);
    const agw_ns start = r.now;
    rig_at(&r, start + AGW_S(61));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_at(&r, start + AGW_S(3600));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    CU_ASSERT_TRUE(told(fd, "call-ended", "silent"));
    fake_session.held = false;
    rig_call(&r);
    rig_at(&r, r.now + AGW_S(60));
    CU_ASSERT_TRUE(told(fd, "call-ended", "inactivity"));
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    rig_at(&r, r.now + AGW_S(3600));
    CU_ASSERT_TRUE(told(fd, "call-ended", "no-answer"));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
    close(fd);
}

static void test_calls_deleted_calls_are_not_told(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    rig_call(&r);
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'delete','call-id':'c','flags':['fast'],'delete-delay':0}", OK));
    agw_doc *doc = next_notice(fd);
    CU_ASSERT_PTR_NULL(doc);
    agw_doc_free(doc);
    rig_fini(&r);
    close(fd);
}

static void test_calls_many_are_found_and_freed(void)
{
    rig r;
    rig_init(&r, NULL);
    for (int i = 0; i < 3000; i++) {
        char id[32];
        agw_ng_call *call;
        snprintf(id, sizeof id, "call-%d", i);
        CU_ASSERT_EQUAL_FATAL(agw_calls_start(r.calls, id, "a", NULL, r.now, &call), AGW_OK);
    }
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 3000);
    agw_ng_call *call = agw_calls_find(r.calls, "call-1234");
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    agw_calls_end(call, AGW_CALL_DELETED);
    CU_ASSERT_PTR_NULL(agw_calls_find(r.calls, "call-1234"));
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 2999);
    rig_fini(&r);
}

static void test_calls_branches_are_bounded(void)
{
    rig r;
    rig_init(&r, NULL);
    agw_ng_call *call;
    CU_ASSERT_EQUAL_FATAL(agw_calls_start(r.calls, "c", "a", "b0", r.now, &call), AGW_OK);
    for (int i = 0; i < 200; i++) {
        char branch[16];
        snprintf(branch, sizeof branch, "b%d", i);
        agw_calls_branch(call, AGW_SIDE_B, branch);
    }
    CU_ASSERT_EQUAL(call->tags[AGW_SIDE_B]->len, 64);
    agw_calls_claim(call, AGW_SIDE_B, "t", "b5");
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(call, AGW_SIDE_B), "t");
    CU_ASSERT_EQUAL(call->current[AGW_SIDE_B], 5);
    CU_ASSERT_TRUE(agw_calls_drop_branch(call, NULL, "b0"));
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(call, AGW_SIDE_B), "t");
    CU_ASSERT_TRUE(agw_calls_drop_branch(call, "t", NULL));
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(call, AGW_SIDE_B), "");
    rig_fini(&r);
}

static void test_calls_tags_are_bounded(void)
{
    rig r;
    char tag[16];
    rig_init(&r, NULL);
    agw_ng_call *call;
    agw_side side;
    CU_ASSERT_EQUAL_FATAL(agw_calls_start(r.calls, "c", "a", NULL, r.now, &call), AGW_OK);
    for (int i = 0; i < 200; i++) {
        snprintf(tag, sizeof tag, "a%d", i);
        agw_calls_claim(call, AGW_SIDE_A, tag, NULL);
        CU_ASSERT_STRING_EQUAL(agw_calls_tag(call, AGW_SIDE_A), tag);
    }
    CU_ASSERT_EQUAL(call->tags[AGW_SIDE_A]->len, 64);
    CU_ASSERT_TRUE(agw_calls_side_of(call, "a", &side));
    CU_ASSERT_TRUE(agw_calls_side_of(call, "a137", &side));
    CU_ASSERT_FALSE(agw_calls_side_of(call, "a136", &side));
    rig_fini(&r);
}

/* --- what is looked at while a call lives ------------------------------------------------------
 */

#define OFFER_WITH(notify)                                                                         \
    "{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0','notify':[" notify "]}"

static void call_with(rig *r, const char *offer)
{
    CU_ASSERT_TRUE(rig_says(r, offer, OFFERED));
    CU_ASSERT_TRUE(rig_says(r, ANSWER, ANSWERED));
}

static void media_at(rig *r, agw_ns at)
{
    for (int which = 0; which < 4; which += 2)
        agw_counter_set(&any_traffic(r, which)->last_at, (uint64_t)at);
}

/* The number of the event if it is the next one; 0 = it is not. */
static int64_t told_seq(int fd, const char *event)
{
    agw_doc *doc = next_notice(fd);
    int64_t seq = 0;
    if (doc != NULL && strcmp(agw_doc_str(doc, "event"), event) == 0)
        (void)agw_doc_int(doc, "seq", &seq);
    agw_doc_free(doc);
    return seq;
}

static void acknowledge(rig *r, int64_t seq)
{
    char *ack = g_strdup_printf("{'command':'ack','seq':%d}", (int)seq);
    CU_ASSERT_TRUE(rig_says(r, ack, OK));
    g_free(ack);
}

static void test_calls_ts23334_5_7_three_heartbeats_without_answer_end_the_call(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    call_with(&r, OFFER_WITH("'heartbeat=10'"));
    const agw_ns start = r.now;
    for (int i = 1; i <= 3; i++) {
        media_at(&r, start + AGW_S(10 * i));
        rig_at(&r, start + AGW_S(10 * i) - 1);
        CU_ASSERT_EQUAL(told_seq(fd, "heartbeat"), 0);
        rig_at(&r, start + AGW_S(10 * i));
        CU_ASSERT_NOT_EQUAL(told_seq(fd, "heartbeat"), 0);
    }
    rig_at(&r, start + AGW_S(40) - 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_at(&r, start + AGW_S(40));
    CU_ASSERT_TRUE(told(fd, "call-ended", "heartbeat"));
    CU_ASSERT_EQUAL(agw_calls_ended(r.calls)[AGW_CALL_HUNG], 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
    close(fd);
}

static void test_calls_ts23334_5_7_an_answered_heartbeat_keeps_the_call(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    call_with(&r, OFFER_WITH("'heartbeat=10'"));
    const agw_ns start = r.now;
    for (int i = 1; i <= 20; i++) { /* each third one is answered */
        media_at(&r, start + AGW_S(10 * i));
        rig_at(&r, start + AGW_S(10 * i));
        const int64_t seq = told_seq(fd, "heartbeat");
        CU_ASSERT_NOT_EQUAL(seq, 0);
        if (i % 3 == 0)
            acknowledge(&r, seq);
    }
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'ack'}", "{'result':'error','error-reason':'No seq in message'}"));
    CU_ASSERT_TRUE(rig_says(&r, "{'command':'ack','seq':1,'gateway':'x'}",
                            "{'result':'error','error-reason':'Event of another gateway'}"));
    rig_fini(&r);
    close(fd);
}

static void test_calls_ts23334_5_7_a_query_answers_the_heartbeat(void)
{
    rig r;
    rig_init(&r, NULL);
    r.config.heartbeat = AGW_S(10); /* --heartbeat: the call says nothing about it */
    rig_call(&r);
    const agw_ns start = r.now;
    for (int i = 1; i <= 12; i++) {
        media_at(&r, start + AGW_S(10 * i));
        rig_at(&r, start + AGW_S(10 * i));
        if (i % 3 == 0)
            g_free(rig_ask(&r, "{'command':'query','call-id':'c'}"));
    }
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    for (int i = 13; i <= 16; i++)
        rig_at(&r, start + AGW_S(10 * i));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    CU_ASSERT_EQUAL(agw_calls_ended(r.calls)[AGW_CALL_HUNG], 1);
    rig_fini(&r);
}

static void test_calls_evt_5_a_silent_stream_and_its_return_are_told_once(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    call_with(&r, OFFER_WITH("'inactivity=5'"));
    const agw_ns start = r.now;
    agw_counter_set(&any_traffic(&r, 0)->last_at, (uint64_t)(start + AGW_S(30)));
    rig_at(&r, start + AGW_S(5) - 1);
    CU_ASSERT_PTR_NULL(next_notice(fd));
    rig_at(&r, start + AGW_S(5));
    CU_ASSERT_TRUE(told(fd, "inactivity", "to-tag"));
    rig_at(&r, start + AGW_S(20));
    CU_ASSERT_PTR_NULL(next_notice(fd));
    agw_counter_set(&any_traffic(&r, 2)->last_at, (uint64_t)(start + AGW_S(20)));
    rig_at(&r, start + AGW_S(21));
    CU_ASSERT_TRUE(told(fd, "resumed", "to-tag"));
    rig_at(&r, start + AGW_S(24));
    CU_ASSERT_PTR_NULL(next_notice(fd));
    rig_at(&r, start + AGW_S(25));
    CU_ASSERT_TRUE(told(fd, "inactivity", "to-tag"));
    rig_fini(&r);
    close(fd);
}

static void test_calls_evt_5_a_stream_that_may_not_flow_is_not_missed(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    fake_session.held = true;
    call_with(&r, OFFER_WITH("'inactivity=5'"));
    rig_at(&r, r.now + AGW_S(50));
    CU_ASSERT_PTR_NULL(next_notice(fd));
    rig_fini(&r);
    close(fd);
}

static void test_calls_evt_8_poor_quality_and_its_end_are_told_once(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    call_with(&r, OFFER_WITH("'quality=3.5'"));
    agw_end_stats *end =
        &agw_gateway_media_stats(fake_gateway_last_call(r.gateway), 1)->end[AGW_SIDE_A];
    const struct {
        uint64_t packets, lost;
        const char *event;
    } STEPS[] = {
        {500, 0, NULL}, {900, 100, "quality"}, {1300, 200, NULL}, {1800, 200, "quality-back"}};
    for (size_t i = 0; i < G_N_ELEMENTS(STEPS); i++) {
        agw_counter_set(&end->rtp_in.packets, STEPS[i].packets);
        agw_counter_set(&end->lost_in, STEPS[i].lost);
        rig_at(&r, r.now + AGW_S(10));
        CU_ASSERT_TRUE(STEPS[i].event != NULL ? told(fd, STEPS[i].event, "from-tag")
                                              : next_notice(fd) == NULL);
    }
    rig_fini(&r);
    close(fd);
}

/* Nobody has asked to be told of quality: it is sampled all the same. */
static void test_calls_rtc_7_every_stream_is_sampled_every_10_s(void)
{
    rig r;
    rig_init(&r, NULL);
    call_with(&r, OFFER_WITH("''"));
    agw_end_stats *end =
        &agw_gateway_media_stats(fake_gateway_last_call(r.gateway), 1)->end[AGW_SIDE_A];
    for (uint64_t i = 1; i <= 3; i++) {
        agw_counter_set(&end->rtp_in.packets, 500 * i);
        rig_at(&r, r.now + AGW_S(10));
        CU_ASSERT_EQUAL(agw_quality_up_to(agw_calls_quality(r.calls), AGW_MOS_X10_MAX), i);
    }
    rig_at(&r, r.now + AGW_S(30)); /* nothing comes any more */
    CU_ASSERT_EQUAL(agw_quality_up_to(agw_calls_quality(r.calls), AGW_MOS_X10_MAX), 3);
    rig_fini(&r);
}

static void push_peer(rig *r, const char *remote)
{
    agw_event event = {.kind = AGW_EVENT_ICE_PEER, .transport_id = 1, .detail = "component 1"};
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&event.remote, remote), AGW_OK);
    fake_gateway_push(r->gateway, fake_gateway_last_call(r->gateway), &event);
    rig_at(r, r->now);
}

static bool told_peer(int fd, const char *detail)
{
    agw_doc *doc = next_notice(fd);
    const bool same = doc != NULL && strcmp(agw_doc_str(doc, "event"), "ice-peer-reflexive") == 0 &&
                      strcmp(agw_doc_str(doc, "detail"), detail) == 0;
    agw_doc_free(doc);
    return same;
}

static void test_calls_ts23334_6_2_17_4_an_address_that_no_candidate_names_is_told(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    rig_call(&r);
    fake_session.candidate = AGW_CANDIDATE_NAMED;
    push_peer(&r, "192.0.2.1:4000");
    CU_ASSERT_PTR_NULL(next_notice(fd));
    fake_session.candidate = AGW_CANDIDATE_NOT_NAMED;
    push_peer(&r, "192.0.2.1:4001");
    CU_ASSERT_TRUE(told_peer(fd, "192.0.2.1:4001 component 1"));
    rig_fini(&r);
    close(fd);
}

/* Checks of a browser that we offer to are here before its answer. */
static void test_calls_ts23334_6_2_17_4_judged_when_the_description_is_there(void)
{
    for (int named = 0; named < 2; named++) {
        agw_addr to;
        const int fd = listener(&to);
        rig r;
        rig_init(&r, &to);
        CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
        push_peer(&r, "192.0.2.1:4001");
        CU_ASSERT_PTR_NULL(next_notice(fd));
        fake_session.candidate = named ? AGW_CANDIDATE_NAMED : AGW_CANDIDATE_NOT_NAMED;
        CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
        CU_ASSERT_TRUE(named || told_peer(fd, "192.0.2.1:4001 component 1"));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED)); /* it is told once */
        CU_ASSERT_PTR_NULL(next_notice(fd));
        rig_fini(&r);
        close(fd);
    }
}

static void test_calls_evt_notify_words_choose(void)
{
    agw_addr to;
    const int fd = listener(&to);
    rig r;
    rig_init(&r, &to);
    call_with(&r, OFFER_WITH("'dtls','consent'"));
    push(&r, AGW_EVENT_ICE_CONNECTED, 1, "");
    CU_ASSERT_PTR_NULL(next_notice(fd));
    push(&r, AGW_EVENT_DTLS_ESTABLISHED, 1, "");
    CU_ASSERT_TRUE(told(fd, "dtls-established", ""));
    rig_at(&r, r.now + AGW_S(60));
    CU_ASSERT_TRUE(told(fd, "call-ended", "inactivity")); /* is always told */
    rig_fini(&r);
    close(fd);
}

static void test_calls_evt_a_call_has_its_own_target(void)
{
    agw_addr to, own;
    char text[AGW_ADDR_TEXT];
    const int fd = listener(&to), own_fd = listener(&own);
    rig r;
    rig_init(&r, &to);
    char *offer = g_strdup_printf("{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                                  "'notify-url':'udp:%s'}",
                                  agw_addr_text(&own, text, sizeof text));
    call_with(&r, offer);
    push(&r, AGW_EVENT_ICE_CONNECTED, 1, "");
    CU_ASSERT_TRUE(told(own_fd, "ice-connected", ""));
    CU_ASSERT_PTR_NULL(next_notice(fd));
    g_free(offer);
    rig_fini(&r);
    close(fd);
    close(own_fd);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_calls_ng_8_17_no_media_ends_a_call),
    AGW_CASE(test_calls_ng_8_15_held_calls_use_the_silent_timeout),
    AGW_CASE(test_calls_ng_8_15_one_way_is_hold_too),
    AGW_CASE(test_calls_ng_8_17_unanswered_offers_end),
    AGW_CASE(test_calls_ims_9_consent_has_its_grace),
    AGW_CASE(test_calls_ng_8_16_a_pending_delete_stops_other_clocks),
    AGW_CASE(test_calls_ims_11_protected_calls_end_by_command_only),
    AGW_CASE(test_calls_timeouts_do_not_overflow),
    AGW_CASE(test_calls_evt_notice_has_all_fields),
    AGW_CASE(test_calls_ims_9_consent_back_in_time_saves_the_call),
    AGW_CASE(test_calls_ims_9_consent_lost_ends_the_call_after_the_grace),
    AGW_CASE(test_calls_ims_9_ice_restart_saves_the_call),
    AGW_CASE(test_calls_consent_of_a_gone_transport_counts_for_nothing),
    AGW_CASE(test_calls_digits_that_are_not_heard_are_played),
    AGW_CASE(test_calls_gone_transports_are_forgotten),
    AGW_CASE(test_calls_ice_and_dtls_failure_do_not_end_the_call),
    AGW_CASE(test_calls_ng_8_17_any_authentic_packet_keeps_the_call),
    AGW_CASE(test_calls_ng_8_17_timeout_is_told_and_hold_waits_longer),
    AGW_CASE(test_calls_deleted_calls_are_not_told),
    AGW_CASE(test_calls_many_are_found_and_freed),
    AGW_CASE(test_calls_branches_are_bounded),
    AGW_CASE(test_calls_tags_are_bounded),
    AGW_CASE(test_calls_ctl_11_no_call_outlives_the_final_timeout),
    AGW_CASE(test_calls_ts23334_5_7_a_hung_call_ends),
    AGW_CASE(test_calls_ims_11_protected_calls_end_hung_or_old_without_media_only),
    AGW_CASE(test_calls_ts23334_5_7_three_heartbeats_without_answer_end_the_call),
    AGW_CASE(test_calls_ts23334_5_7_an_answered_heartbeat_keeps_the_call),
    AGW_CASE(test_calls_ts23334_5_7_a_query_answers_the_heartbeat),
    AGW_CASE(test_calls_evt_5_a_silent_stream_and_its_return_are_told_once),
    AGW_CASE(test_calls_evt_5_a_stream_that_may_not_flow_is_not_missed),
    AGW_CASE(test_calls_evt_8_poor_quality_and_its_end_are_told_once),
    AGW_CASE(test_calls_rtc_7_every_stream_is_sampled_every_10_s),
    AGW_CASE(test_calls_ts23334_6_2_17_4_an_address_that_no_candidate_names_is_told),
    AGW_CASE(test_calls_ts23334_6_2_17_4_judged_when_the_description_is_there),
    AGW_CASE(test_calls_evt_notify_words_choose),
    AGW_CASE(test_calls_evt_a_call_has_its_own_target),
};

AGW_UNIT_MAIN("calls", CASES)
