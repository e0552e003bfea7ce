/* SPDX-License-Identifier: BSD-3-Clause
 * Calls whose gateway is this test: it hands each party the other's description as it is, so that
 * two phones talk to each other. What takes a real gateway is in tests/bench/smoke.c. */
#include "bench/kit/call.h"

#include "control/flags.h"
#include "rtp/rtcp.h"
#include "unit.h"

#include "fake_wire.h"

/* --- a gateway that says what the test wants --- */

struct kit_ng {
    int unused;
};

static struct {
    agw_doc *command; /* under way */
    kit_ng_taker taker;
    void *owner;
    unsigned commands, forgotten;
} ng;

void kit_ng_send(kit_ng *n, agw_doc *command, kit_ng_taker taker, void *owner)
{
    (void)n;
    AGW_ASSERT(ng.command == NULL);
    ng.command = command;
    ng.taker = taker;
    ng.owner = owner;
    ng.commands++;
}

void kit_ng_forget(kit_ng *n, const void *owner)
{
    (void)n;
    if (ng.owner == owner && ng.command != NULL) {
        agw_doc_free(ng.command);
        ng.command = NULL;
        ng.forgotten++;
    }
}

/* The world wants these to link; no test comes here. */
kit_ng *kit_ng_open(const agw_addr *gateway, const char **why)
{
    (void)gateway, (void)why;
    return NULL;
}

void kit_ng_close(kit_ng *n)
{
    (void)n;
}

agw_doc *kit_ng_ask(kit_ng *n, agw_doc *command, agw_ns patience)
{
    (void)n, (void)command, (void)patience;
    return NULL;
}

agw_doc *kit_ng_command(const char *name, const char *call_id)
{
    (void)name, (void)call_id;
    return NULL;
}

void kit_ng_turn(kit_ng *n, agw_ns now)
{
    (void)n, (void)now;
}

agw_ns kit_ng_deadline(const kit_ng *n)
{
    (void)n;
    return AGW_NEVER;
}

int kit_ng_fd(const kit_ng *n)
{
    (void)n;
    return -1;
}

static const char *asked(const char *key)
{
    const char *text = agw_doc_str(ng.command, key);
    return text != NULL ? text : "";
}

/* Hands reply (given, may be NULL) to whoever asked. */
static void answer(agw_doc *reply)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(ng.command);
    agw_doc_free(ng.command);
    ng.command = NULL;
    ng.taker(ng.owner, reply);
    agw_doc_free(reply);
}

static agw_doc *result(const char *text)
{
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", text);
    return reply;
}

static void pass_on(void)
{
    size_t len;
    const char *sdp = agw_doc_bytes(agw_doc_get(ng.command, "sdp"), &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sdp);
    agw_doc *reply = result("ok");
    agw_doc_set_bytes(reply, "sdp", sdp, len);
    answer(reply);
}

/* --- a call --- */

static kit_call call;
static unsigned ups, gones, packets;
static kit_finding latest;

static void on_up(kit_call *c)
{
    CU_ASSERT_PTR_EQUAL(c, &call);
    ups++;
}

static void on_gone(kit_call *c)
{
    CU_ASSERT_PTR_EQUAL(c, &call);
    gones++;
}

static void on_rtp(kit_call *c, kit_side at, const uint8_t *rtp, size_t len, kit_finding finding)
{
    (void)c, (void)at, (void)rtp, (void)len;
    packets++;
    latest = finding;
}

static kit_call_config plain(void)
{
    return (kit_call_config){.kind = KIT_CALL_RTP_RTP,
                             .payload = 160,
                             .timestamp_step = 160,
                             .on_up = on_up,
                             .on_gone = on_gone,
                             .on_rtp = on_rtp};
}

static void begin(const kit_call_config *config)
{
    fake_begin();
    memset(&ng, 0, sizeof ng);
    memset(&call, 0, sizeof call);
    ups = gones = packets = 0;
    kit_call_init(&call, &fake_world, config, 7);
    kit_call_start(&call);
}

static void begin_up(const kit_call_config *config)
{
    begin(config);
    pass_on();
    pass_on();
    CU_ASSERT_EQUAL_FATAL(call.state, KIT_CALL_UP);
}

static void end(void)
{
    kit_call_fini(&call);
    CU_ASSERT_PTR_NULL(ng.command);
    fake_end();
}

static void test_call_goes_through_offer_answer_and_delete(void)
{
    const kit_call_config config = plain();
    begin(&config);
    CU_ASSERT_EQUAL(call.state, KIT_CALL_OFFERED);
    CU_ASSERT_STRING_EQUAL(asked("command"), "offer");
    CU_ASSERT_STRING_EQUAL(asked("call-id"), call.call_id);
    CU_ASSERT_STRING_EQUAL(asked("from-tag"), call.tags[KIT_A]);
    CU_ASSERT_STRING_EQUAL(asked("to-tag"), "");
    CU_ASSERT_FALSE(kit_call_send(&call, KIT_A));
    pass_on();
    CU_ASSERT_STRING_EQUAL(asked("command"), "answer");
    CU_ASSERT_STRING_EQUAL(asked("from-tag"), call.tags[KIT_A]);
    CU_ASSERT_STRING_EQUAL(asked("to-tag"), call.tags[KIT_B]);
    CU_ASSERT_EQUAL(ups, 0);
    pass_on();
    CU_ASSERT_EQUAL(ups, 1);
    CU_ASSERT_EQUAL(call.state, KIT_CALL_UP);
    kit_call_delete(&call);
    CU_ASSERT_STRING_EQUAL(asked("command"), "delete");
    CU_ASSERT_STRING_EQUAL(asked("call-id"), call.call_id);
    CU_ASSERT_FALSE(kit_call_send(&call, KIT_A));
    answer(result("ok"));
    CU_ASSERT_EQUAL(gones, 1);
    CU_ASSERT_EQUAL(call.state, KIT_CALL_GONE);
    CU_ASSERT_PTR_NULL(call.failure);
    end();
}

static void take_nothing(void *owner, const agw_doc *reply)
{
    (void)owner, (void)reply;
}

/* Either side may offer within the dialogue; tags follow the request, as in SIP. */
static void test_call_rfc3264_8_reoffers_name_both_tags(void)
{
    const kit_call_config config = plain();
    begin_up(&config);
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        const kit_side peer = side == KIT_A ? KIT_B : KIT_A;
        kit_ng_send(call.world->ng, kit_call_describe(&call, side, false), take_nothing, NULL);
        CU_ASSERT_STRING_EQUAL(asked("command"), "offer");
        CU_ASSERT_STRING_EQUAL(asked("from-tag"), call.tags[side]);
        CU_ASSERT_STRING_EQUAL(asked("to-tag"), call.tags[peer]);
        answer(result("ok"));
        kit_ng_send(call.world->ng, kit_call_describe(&call, peer, true), take_nothing, NULL);
        CU_ASSERT_STRING_EQUAL(asked("command"), "answer");
        CU_ASSERT_STRING_EQUAL(asked("from-tag"), call.tags[side]);
        CU_ASSERT_STRING_EQUAL(asked("to-tag"), call.tags[peer]);
        answer(result("ok"));
    }
    end();
}

static void test_call_held_waits_for_go(void)
{
    kit_call_config config = plain();
    config.held = true;
    begin(&config);
    pass_on();
    pass_on();
    fake_run(AGW_S(60));
    CU_ASSERT_EQUAL(call.state, KIT_CALL_ANSWERED);
    CU_ASSERT_EQUAL(ups, 0);
    kit_call_go(&call);
    CU_ASSERT_EQUAL(call.state, KIT_CALL_UP);
    CU_ASSERT_EQUAL(ups, 1);
    end();
}

static void test_call_streams_are_checked_both_ways(void)
{
    kit_histogram latency;
    kit_histogram_clear(&latency);
    kit_call_config config = plain();
    config.latency[KIT_B] = &latency;
    begin_up(&config);
    for (unsigned i = 0; i < 50; i++) {
        CU_ASSERT(kit_call_send(&call, KIT_A));
        CU_ASSERT(kit_call_send(&call, KIT_B));
        fake_run(AGW_MS(20));
    }
    CU_ASSERT_EQUAL(call.checker[KIT_A].found[KIT_GOOD], 50);
    CU_ASSERT_EQUAL(call.checker[KIT_B].found[KIT_GOOD], 50);
    CU_ASSERT_EQUAL(packets, 100);
    CU_ASSERT_EQUAL(latency.count, 50);
    CU_ASSERT_NOT_EQUAL(call.sender[KIT_A].ssrc, call.sender[KIT_B].ssrc);
    CU_ASSERT_NOT_EQUAL(call.sender[KIT_A].stream, call.sender[KIT_B].stream);
    end();
}

static bool to_a(fake_datagram *d)
{
    d->to = call.phone[KIT_A].local;
    d->from = call.phone[KIT_A].remote;
    return true;
}

static void test_call_notices_media_of_another_stream(void)
{
    const kit_call_config config = plain();
    begin_up(&config);
    fake_wire.pass = to_a; /* A hears itself */
    CU_ASSERT(kit_call_send(&call, KIT_A));
    fake_run(0);
    CU_ASSERT_EQUAL(latest, KIT_FOREIGN);
    CU_ASSERT_EQUAL(call.checker[KIT_A].found[KIT_FOREIGN], 1);
    end();
}

static bool from_elsewhere(fake_datagram *d)
{
    d->from.port ^= 8;
    return true;
}

static void test_call_phones_take_media_from_the_signalled_address_only(void)
{
    const kit_call_config config = plain();
    begin_up(&config);
    fake_wire.pass = from_elsewhere;
    CU_ASSERT(kit_call_send(&call, KIT_A));
    const uint8_t rtcp[] = {0x80, 201, 0, 1, 1, 2, 3, 4};
    CU_ASSERT(kit_phone_send_rtcp(&call.phone[KIT_A], rtcp, sizeof rtcp));
    fake_run(0);
    CU_ASSERT_EQUAL(packets, 0);
    CU_ASSERT_EQUAL(call.rr_seen[KIT_B], 0);
    CU_ASSERT_EQUAL(call.phone[KIT_B].other_source, 2);
    end();
}

/* --- RTCP --- */

static fake_datagram report;
static unsigned reports;

static bool keep_report_of_a(fake_datagram *d)
{
    if (agw_addr_equal(&d->from, &call.phone[KIT_A].local_rtcp)) {
        report = *d;
        reports++;
    }
    return true;
}

static agw_rtcp_packet first_packet(agw_rtcp_iter *it)
{
    agw_rtcp_packet p = {0};
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(it, report.data, report.len), AGW_OK);
    CU_ASSERT_FATAL(agw_rtcp_next(it, &p));
    return p;
}

static void test_call_rfc3550_6_4_reports(void)
{
    kit_call_config config = plain();
    config.rtcp_every = AGW_S(5);
    begin_up(&config);
    reports = 0;
    fake_wire.pass = keep_report_of_a;
    agw_rtcp_iter it;
    while (reports == 0) /* somewhere in the first 5 s */
        fake_run(AGW_MS(100));
    agw_rtcp_packet p = first_packet(&it);
    CU_ASSERT_EQUAL(p.type, AGW_RTCP_RR); /* nothing sent yet */
    CU_ASSERT_EQUAL(p.count, 0);
    for (unsigned i = 0; i < 250; i++) {
        kit_call_send(&call, KIT_A);
        if (i >= 100) /* B begins later: its stream is not A's */
            kit_call_send(&call, KIT_B);
        fake_run(AGW_MS(20));
    }
    CU_ASSERT_EQUAL_FATAL(reports, 2);
    p = first_packet(&it);
    CU_ASSERT_EQUAL_FATAL(p.type, AGW_RTCP_SR);
    CU_ASSERT_EQUAL_FATAL(p.count, 1);
    agw_rtcp_sender sr;
    agw_rtcp_sender_parse(&sr, p.body);
    CU_ASSERT_EQUAL(sr.ssrc, call.sender[KIT_A].ssrc);
    CU_ASSERT(sr.packets > 240 && sr.packets <= 250);
    CU_ASSERT_EQUAL(sr.octets, sr.packets * 160);
    const uint32_t newest = call.sender[KIT_A].first_timestamp + (sr.packets - 1) * 160;
    CU_ASSERT(sr.rtp_timestamp - newest < 8000);
    const uint64_t ntp = agw_rtcp_ntp(agw_clock_wall_us());
    CU_ASSERT(ntp >= sr.ntp && ntp - sr.ntp < (uint64_t)60 << 32);
    agw_rtcp_report block;
    agw_rtcp_report_parse(&block, p.body + 24);
    CU_ASSERT_EQUAL(block.ssrc, call.sender[KIT_B].ssrc);
    CU_ASSERT_EQUAL(block.lost, 0);
    CU_ASSERT_EQUAL(block.fraction_lost, 0);
    const uint16_t seen = (uint16_t)(block.ext_seq - call.sender[KIT_B].first_seq);
    CU_ASSERT(seen >= 140 && seen < 150);
    CU_ASSERT_FATAL(agw_rtcp_next(&it, &p));
    CU_ASSERT_EQUAL(p.type, AGW_RTCP_SDES);
    CU_ASSERT_EQUAL(call.rtcp_sent[KIT_A], 2);
    CU_ASSERT_EQUAL(call.rr_seen[KIT_B], 1);
    CU_ASSERT_EQUAL(call.sr_seen[KIT_B], 1);
    CU_ASSERT_EQUAL(call.rtcp_bad[KIT_B], 0);
    end();
}

static bool lose_every_fourth(fake_datagram *d)
{
    static unsigned n;
    return d->len < 100 ? keep_report_of_a(d) : n++ % 4 != 1;
}

static void test_call_rfc3550_a_3_counts_loss(void)
{
    kit_call_config config = plain();
    config.rtcp_every = AGW_S(1);
    begin_up(&config);
    fake_wire.pass = lose_every_fourth;
    for (unsigned i = 0; i < 400; i++) {
        kit_call_send(&call, KIT_B);
        fake_run(AGW_MS(20));
    }
    agw_rtcp_iter it;
    const agw_rtcp_packet p = first_packet(&it);
    CU_ASSERT_EQUAL_FATAL(p.count, 1);
    agw_rtcp_report block;
    agw_rtcp_report_parse(&block, p.body + 4); /* A sends nothing: RR */
    CU_ASSERT(block.lost >= 86 && block.lost <= 100);
    CU_ASSERT(block.fraction_lost >= 55 && block.fraction_lost <= 70); /* of 256 */
    end();
}

static void give_rtcp_to_b(const uint8_t *data, size_t len)
{
    kit_phone_send_rtcp(&call.phone[KIT_A], data, len);
    fake_run(0);
}

static void test_call_counts_rtcp_that_is_not_of_its_streams(void)
{
    const kit_call_config config = plain();
    begin_up(&config);
    kit_call_send(&call, KIT_A);
    fake_run(0);
    uint8_t buf[256];
    agw_rtcp_writer w;
    const agw_rtcp_report ours = {.ssrc = call.sender[KIT_B].ssrc};
    const agw_rtcp_report other = {.ssrc = call.sender[KIT_B].ssrc + 1};
    const agw_rtcp_sender sender = {.ssrc = call.sender[KIT_A].ssrc, .ntp = KIT_NTP_MARK};
    const agw_rtcp_sender stranger = {.ssrc = call.sender[KIT_A].ssrc + 1};
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_rtcp_write_sr(&w, &sender, &ours, 1), AGW_OK);
    give_rtcp_to_b(buf, w.len);
    CU_ASSERT_EQUAL(call.rtcp_bad[KIT_B], 0);
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_rtcp_write_sr(&w, &sender, &other, 1), AGW_OK);
    give_rtcp_to_b(buf, w.len);
    CU_ASSERT_EQUAL(call.rtcp_bad[KIT_B], 1);
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_rtcp_write_sr(&w, &stranger, NULL, 0), AGW_OK);
    give_rtcp_to_b(buf, w.len);
    CU_ASSERT_EQUAL(call.rtcp_bad[KIT_B], 2);
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_rtcp_write_rr(&w, 1, &other, 1), AGW_OK);
    give_rtcp_to_b(buf, w.len);
    CU_ASSERT_EQUAL(call.rtcp_bad[KIT_B], 3);
    give_rtcp_to_b((const uint8_t *)"garbage", 7);
    CU_ASSERT_EQUAL(call.rtcp_bad[KIT_B], 4);
    CU_ASSERT_EQUAL(call.sr_seen[KIT_B], 2); /* the third has no mark of ours */
    CU_ASSERT_EQUAL(call.rr_seen[KIT_B], 1);
    end();
}

/* --- failures --- */

static void failed_with(const char *why, const char *reason)
{
    CU_ASSERT_EQUAL(call.state, KIT_CALL_FAILED);
    CU_ASSERT_EQUAL(ups, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(call.failure);
    CU_ASSERT_STRING_EQUAL(call.failure, why);
    CU_ASSERT_STRING_EQUAL(call.error_reason, reason);
    end();
}

static void test_call_fails_with_the_gateways_words(void)
{
    const kit_call_config config = plain();
    begin(&config);
    answer(agw_ng_error("no ports"));
    failed_with("the gateway refused", "no ports");
    begin(&config);
    answer(result("load limit"));
    failed_with("the gateway refused", "load limit");
    begin(&config);
    pass_on();
    answer(agw_doc_new_dict());
    failed_with("the gateway refused", "a reply without result");
    begin(&config);
    pass_on();
    answer(result("ok"));
    failed_with("a reply without SDP", "");
    begin(&config);
    answer(NULL);
    failed_with("no reply from the gateway", "");
    begin(&config);
    agw_doc *reply = result("ok");
    agw_doc_set_str(reply, "sdp", "v=0\r\n");
    answer(reply);
    failed_with("no m= line", "");
}

static void test_call_fails_after_10_s_not_before(void)
{
    const kit_call_config config = plain();
    begin(&config);
    fake_run(AGW_S(10) - 1);
    CU_ASSERT_EQUAL(call.state, KIT_CALL_OFFERED);
    fake_run(1);
    CU_ASSERT_EQUAL(ng.forgotten, 1);
    failed_with("the gateway did not take the call in 10 s", "");
    begin_up(&config);
    fake_run(AGW_S(60));
    CU_ASSERT_EQUAL(call.state, KIT_CALL_UP);
    end();
}

static void test_call_that_failed_can_be_deleted(void)
{
    const kit_call_config config = plain();
    begin(&config);
    answer(agw_ng_error("no ports"));
    kit_call_delete(&call);
    answer(NULL);
    CU_ASSERT_EQUAL(gones, 1);
    CU_ASSERT_STRING_EQUAL(call.failure, "no reply from the gateway");
    end();
}

static void test_call_fini_forgets_what_is_under_way(void)
{
    const kit_call_config config = plain();
    begin(&config);
    kit_call_fini(&call);
    CU_ASSERT_EQUAL(ng.forgotten, 1);
    kit_call_fini(&call);
    end();
}

/* --- flags --- */

static agw_flags flags_of(kit_call_kind kind, bool active, kit_side toward, bool is_answer)
{
    const kit_call c = {.config = {.kind = kind, .gateway_dtls_client = active},
                        .is_browser = {kind == KIT_CALL_WEBRTC_RTP, kind == KIT_CALL_RTP_WEBRTC}};
    agw_doc *command = agw_doc_new_dict();
    kit_call_flags(&c, command, toward, is_answer);
    agw_flags f;
    agw_flags_init(&f);
    agw_flags_parse(&f, command);
    agw_doc_free(command);
    CU_ASSERT_PTR_NULL(f.unknown);
    CU_ASSERT(f.sdes.off);
    CU_ASSERT_EQUAL(f.replace, AGW_REPLACE_ORIGIN);
    return f;
}

static void test_call_flags_toward_the_phone(void)
{
    agw_flags f = flags_of(KIT_CALL_WEBRTC_RTP, false, KIT_B, false);
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_RTP_AVP);
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_REMOVE);
    CU_ASSERT_EQUAL(f.rtcp_mux, AGW_MUX_DEMUX);
    CU_ASSERT_EQUAL(f.dtls_reverse, AGW_DTLS_BE_PASSIVE);
    CU_ASSERT_EQUAL(f.dtls, AGW_DTLS_ABSENT);
    CU_ASSERT_STRING_EQUAL(f.direction[0], "access");
    CU_ASSERT_STRING_EQUAL(f.direction[1], "core");
    agw_flags_fini(&f);
    f = flags_of(KIT_CALL_WEBRTC_RTP, true, KIT_B, false);
    CU_ASSERT_EQUAL(f.dtls_reverse, AGW_DTLS_BE_ACTIVE);
    agw_flags_fini(&f);
    f = flags_of(KIT_CALL_RTP_WEBRTC, false, KIT_A, true);
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_RTP_AVP);
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_REMOVE);
    CU_ASSERT_PTR_NULL(f.direction[0]);
    agw_flags_fini(&f);
    f = flags_of(KIT_CALL_RTP_RTP, false, KIT_B, false);
    CU_ASSERT_STRING_EQUAL(f.direction[0], "core");
    CU_ASSERT_STRING_EQUAL(f.direction[1], "core");
    agw_flags_fini(&f);
}

/* Every suite but one is excluded, and the gateway's own table has no other. */
static void test_call_flags_toward_a_phone_with_sdes(void)
{
    kit_call c = {.config = {.kind = KIT_CALL_WEBRTC_SDES, .sdes = AGW_SRTP_AEAD_128_GCM},
                  .is_browser = {true, false}};
    c.phone[KIT_B].config.suite = AGW_SRTP_AEAD_128_GCM;
    agw_doc *command = agw_doc_new_dict();
    kit_call_flags(&c, command, KIT_B, false);
    agw_flags f;
    agw_flags_init(&f);
    agw_flags_parse(&f, command);
    agw_doc_free(command);
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_RTP_SAVP);
    CU_ASSERT_EQUAL(f.dtls, AGW_DTLS_OFF);
    CU_ASSERT_EQUAL(f.dtls_reverse, AGW_DTLS_BE_PASSIVE);
    CU_ASSERT_FALSE(f.sdes.off);
    for (unsigned i = 1; i < AGW_SRTP_SUITES; i++)
        CU_ASSERT_EQUAL((f.sdes.never >> i & 1) == 0, i == AGW_SRTP_AEAD_128_GCM);
    agw_flags_fini(&f);
}

static void test_call_flags_toward_the_browser(void)
{
    agw_flags f = flags_of(KIT_CALL_WEBRTC_RTP, false, KIT_A, true);
    CU_ASSERT_EQUAL(f.transport, AGW_SDP_TLS_SAVPF);
    CU_ASSERT_EQUAL(f.ice, AGW_ICE_FORCE);
    CU_ASSERT_EQUAL(f.rtcp_mux, AGW_MUX_REQUIRE);
    CU_ASSERT_EQUAL(f.dtls, AGW_DTLS_BE_PASSIVE);
    CU_ASSERT(agw_flags_has(&f, AGW_WORD_GENERATE_MID));
    CU_ASSERT_PTR_NULL(f.direction[0]);
    agw_flags_fini(&f);
    f = flags_of(KIT_CALL_RTP_WEBRTC, true, KIT_B, false);
    CU_ASSERT_EQUAL(f.dtls, AGW_DTLS_BE_ACTIVE);
    CU_ASSERT_STRING_EQUAL(f.direction[0], "core");
    CU_ASSERT_STRING_EQUAL(f.direction[1], "access");
    agw_flags_fini(&f);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_call_goes_through_offer_answer_and_delete),
    AGW_CASE(test_call_rfc3264_8_reoffers_name_both_tags),
    AGW_CASE(test_call_held_waits_for_go),
    AGW_CASE(test_call_streams_are_checked_both_ways),
    AGW_CASE(test_call_notices_media_of_another_stream),
    AGW_CASE(test_call_phones_take_media_from_the_signalled_address_only),
    AGW_CASE(test_call_rfc3550_6_4_reports),
    AGW_CASE(test_call_rfc3550_a_3_counts_loss),
    AGW_CASE(test_call_counts_rtcp_that_is_not_of_its_streams),
    AGW_CASE(test_call_fails_with_the_gateways_words),
    AGW_CASE(test_call_fails_after_10_s_not_before),
    AGW_CASE(test_call_that_failed_can_be_deleted),
    AGW_CASE(test_call_fini_forgets_what_is_under_way),
    AGW_CASE(test_call_flags_toward_the_phone),
    AGW_CASE(test_call_flags_toward_a_phone_with_sdes),
    AGW_CASE(test_call_flags_toward_the_browser),
};

AGW_UNIT_MAIN("kit_call", CASES)
