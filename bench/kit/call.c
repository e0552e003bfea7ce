/* SPDX-License-Identifier: BSD-3-Clause
 * offer -> B takes it -> answer -> A takes it -> the browser connects -> both can send. */
#include "bench/kit/call.h"

#include "base/rand.h"
#include "bench/kit/pair.h"
#include "rtp/header.h"
#include "rtp/rtcp.h"

#include <stdio.h>
#include <string.h>

enum {
    AUDIO_HZ = 8000,
    VIDEO_HZ = 90000,
    RTCP_MAX = 256,
};
static const agw_ns PATIENCE = AGW_S(10);

static kit_side other(kit_side side)
{
    return side == KIT_A ? KIT_B : KIT_A;
}

/* Of what that side sends. */
static uint32_t clock_hz(const kit_call *call, kit_side from)
{
    if (call->config.pair != NULL)
        return call->config.voices[from]->format.clock_hz;
    return call->config.video ? VIDEO_HZ : AUDIO_HZ;
}

/* --- what arrives --- */

/* RFC 3550 section A.8 */
static void measure_jitter(kit_call *call, kit_side at, const uint8_t *rtp, size_t len, agw_ns when)
{
    agw_rtp_header h;
    if (agw_rtp_parse(&h, rtp, len) != AGW_OK)
        return;
    kit_reports *r = &call->reports[at];
    const uint32_t hz = clock_hz(call, at); /* of a pair: the codec that the gateway makes for it */
    const uint32_t arrival = (uint32_t)(when / 1000 * hz / 1000000);
    const uint32_t transit = arrival - h.timestamp;
    const int32_t d = (int32_t)(transit - r->transit);
    if (call->checker[at].accepted > 1)
        r->jitter_16 += (uint32_t)(d < 0 ? -d : d) - ((r->jitter_16 + 8) >> 4);
    r->transit = transit;
}

static void on_rtp(void *owner, const uint8_t *rtp, size_t len, agw_ns at)
{
    const kit_seat *seat = owner;
    kit_call *call = seat->call;
    const kit_finding finding = kit_checker_take(&call->checker[seat->side], rtp, len, at);
    if (finding == KIT_GOOD || finding == KIT_LATE)
        measure_jitter(call, seat->side, rtp, len, at);
    if (call->config.on_rtp != NULL)
        call->config.on_rtp(call, seat->side, rtp, len, finding);
}

static bool about_us(const kit_call *call, kit_side at, const agw_rtcp_packet *p, size_t blocks_at)
{
    for (size_t i = 0; i < p->count; i++) {
        agw_rtcp_report block;
        agw_rtcp_report_parse(&block, p->body + blocks_at + i * AGW_RTCP_REPORT_LEN);
        if (block.ssrc != call->sender[at].ssrc)
            return false;
    }
    return true;
}

/* Takes one SR or RR; false: not of this call. */
static bool take_report(kit_call *call, kit_side at, const agw_rtcp_packet *p, agw_ns when)
{
    const kit_checker *c = &call->checker[at];
    if (p->type == AGW_RTCP_RR) {
        call->rr_seen[at]++;
        return about_us(call, at, p, 4);
    }
    agw_rtcp_sender sr;
    agw_rtcp_sender_parse(&sr, p->body);
    if ((sr.ntp & KIT_NTP_MARKED) == KIT_NTP_MARK)
        call->sr_seen[at]++;
    call->reports[at].lsr = agw_rtcp_ntp_middle(sr.ntp);
    call->reports[at].lsr_at = when;
    return (!c->begun || sr.ssrc == c->ssrc) && about_us(call, at, p, 24);
}

static void on_rtcp(void *owner, const uint8_t *rtcp, size_t len, agw_ns at)
{
    const kit_seat *seat = owner;
    kit_call *call = seat->call;
    agw_rtcp_iter it;
    bool good = agw_rtcp_begin(&it, rtcp, len) == AGW_OK;
    agw_rtcp_packet p;
    while (good && agw_rtcp_next(&it, &p)) {
        if (p.type == AGW_RTCP_SR || p.type == AGW_RTCP_RR)
            good = take_report(call, seat->side, &p, at);
    }
    if (!good)
        call->rtcp_bad[seat->side]++;
    if (call->config.on_rtcp != NULL)
        call->config.on_rtcp(call, seat->side, rtcp, len);
}

/* --- what leaves --- */

bool kit_call_send(kit_call *call, kit_side from)
{
    if (call->state != KIT_CALL_UP)
        return false;
    kit_wire *wire = call->world->wire;
    const agw_addr *local = &call->phone[from].local, *remote = &call->phone[from].remote;
    uint8_t *room = kit_wire_room(wire);
    const agw_ns now = agw_clock_now();
    size_t len = kit_sender_write(&call->sender[from], room, now);
    call->reports[from].sent_at = now;
    if (len == 0)
        return true; /* a pause of the voice, or what its network loses */
    if (call->is_browser[from]) {
        local = &call->browser.local;
        remote = &call->browser.remote;
        len = kit_browser_protect_room(&call->browser, room, len);
    } else {
        len = kit_phone_protect_room(&call->phone[from], room, len);
    }
    if (len == 0)
        return false;
    kit_wire_commit(wire, local, remote, len);
    return true;
}

/* The report block of what arrives at that side; false: nothing yet. */
static bool write_block(kit_call *call, kit_side at, agw_ns now, agw_rtcp_report *out)
{
    const kit_checker *c = &call->checker[at];
    kit_reports *r = &call->reports[at];
    if (!c->begun)
        return false;
    const uint64_t expected = c->next - c->first;
    const uint64_t lost = expected > c->accepted ? expected - c->accepted : 0;
    const uint64_t expected_now = expected - r->expected;
    const uint64_t lost_now = lost > r->lost ? lost - r->lost : 0;
    const uint32_t first = (uint16_t)(c->seq_0 + c->first);
    /* What made `expected` grow has arrived: lost_now is less than expected_now. */
    *out = (agw_rtcp_report){
        .ssrc = c->ssrc,
        .fraction_lost = expected_now == 0 ? 0 : (uint8_t)(lost_now * 256 / expected_now),
        .lost = (int32_t)(lost < 0x7fffff ? lost : 0x7fffff),
        .ext_seq = first + (uint32_t)(expected - 1),
        .jitter = r->jitter_16 >> 4,
        .lsr = r->lsr,
        .dlsr = r->lsr == 0 ? 0 : (uint32_t)((now - r->lsr_at) / 1000 * 65536 / 1000000),
    };
    r->expected = expected;
    r->lost = lost;
    return true;
}

/* A moment earlier: nobody reports from the future. */
static uint64_t marked(uint64_t ntp)
{
    return (ntp / (KIT_NTP_MARKED + 1) - 1) * (KIT_NTP_MARKED + 1) + KIT_NTP_MARK;
}

static agw_err write_report(kit_call *call, kit_side from, agw_ns now, agw_rtcp_writer *w)
{
    const kit_sender *s = &call->sender[from];
    agw_rtcp_report block;
    const size_t blocks = write_block(call, from, now, &block) ? 1 : 0;
    if (s->sent == 0)
        return agw_rtcp_write_rr(w, s->ssrc, &block, blocks);
    const uint64_t step = (s->sent - 1) / (s->burst > 1 ? s->burst : 1);
    const agw_ns since = now - call->reports[from].sent_at;
    const agw_rtcp_sender sr = {
        .ssrc = s->ssrc,
        .ntp = marked(agw_rtcp_ntp(agw_clock_wall_us())),
        .rtp_timestamp = s->first_timestamp + (uint32_t)step * s->timestamp_step +
                         (uint32_t)(since / 1000 * clock_hz(call, from) / 1000000),
        .packets = (uint32_t)s->sent,
        .octets = (uint32_t)(s->sent * s->payload),
    };
    return agw_rtcp_write_sr(w, &sr, &block, blocks);
}

static void send_report(kit_call *call, kit_side from)
{
    uint8_t buf[RTCP_MAX + AGW_SRTP_TRAILER_MAX];
    char cname[32];
    const int cname_len = snprintf(cname, sizeof cname, "%s-%c", call->tags[from], "ab"[from]);
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, buf, RTCP_MAX);
    if (write_report(call, from, agw_clock_now(), &w) != AGW_OK ||
        agw_rtcp_write_cname(&w, call->sender[from].ssrc, cname, (size_t)cname_len) != AGW_OK)
        AGW_ASSERT(!"two packets fit");
    const bool sent = call->is_browser[from] ? kit_browser_send_rtcp(&call->browser, buf, w.len)
                                             : kit_phone_send_rtcp(&call->phone[from], buf, w.len);
    if (sent)
        call->rtcp_sent[from]++;
}

static void on_rtcp_timer(void *owner)
{
    kit_call *call = owner;
    send_report(call, KIT_A);
    send_report(call, KIT_B);
    kit_world_at(call->world, &call->rtcp_timer, call->world->now + call->config.rtcp_every,
                 on_rtcp_timer, call);
}

/* --- the dialogue --- */

static void fail(kit_call *call, const char *why)
{
    call->state = KIT_CALL_FAILED;
    call->failure = why;
    kit_ng_forget(call->world->ng, call);
    kit_world_cancel(call->world, &call->patience_timer);
    if (call->config.on_up != NULL)
        call->config.on_up(call);
}

static void be_up(kit_call *call)
{
    call->state = KIT_CALL_UP;
    call->up_at = call->world->now;
    kit_world_cancel(call->world, &call->patience_timer);
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        const bool browser = call->is_browser[side];
        call->sender[side].pt = browser ? call->browser.pt_out : call->phone[side].pt_out;
        call->checker[side].pt = browser ? call->browser.pt_in : call->phone[side].pt_in;
    }
    if (call->config.rtcp_every > 0 && !call->config.ng_only) {
        /* The calls of a run do not report in chorus. */
        const agw_ns within = call->config.rtcp_within;
        const agw_ns most = within != 0 ? within : call->config.rtcp_every;
        const agw_ns first = (agw_ns)(agw_rand32() % (uint64_t)most);
        kit_world_at(call->world, &call->rtcp_timer, call->world->now + first, on_rtcp_timer, call);
    }
    if (call->config.on_up != NULL)
        call->config.on_up(call);
}

static void on_browser_ready(void *owner)
{
    const kit_seat *seat = owner;
    kit_call *call = seat->call;
    if (call->state != KIT_CALL_ANSWERED)
        return;
    if (call->browser.state == KIT_BROWSER_READY)
        be_up(call);
    else
        fail(call, call->browser.failure);
}

static void on_impatient(void *owner)
{
    kit_call *call = owner;
    if (call->state == KIT_CALL_OFFERED)
        fail(call, "the gateway did not take the call in 10 s");
    else if (call->browser.state == KIT_BROWSER_CHECKING)
        fail(call, "no connectivity check was answered");
    else
        fail(call, "DTLS did not end in 10 s");
}

static void add_list(agw_doc *command, const char *key, const char *first, const char *second)
{
    agw_doc *list = agw_doc_set(command, key, agw_doc_new_list());
    agw_doc_add_str(list, first);
    if (second != NULL)
        agw_doc_add_str(list, second);
}

static const char *interface(const kit_call *call, kit_side side)
{
    return call->is_browser[side] ? "access" : "core";
}

/* One a=crypto of one suite, and no DTLS beside it. rtpengine 10.5 knows no shorter way to say
 * which. */
static void add_sdes(const kit_call *call, agw_doc *command)
{
    static const char *const SUITES[] = {
        "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_192_CM_HMAC_SHA1_80",
        "AES_192_CM_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32",
        "AEAD_AES_128_GCM",        "AEAD_AES_256_GCM",        "F8_128_HMAC_SHA1_80",
        "F8_128_HMAC_SHA1_32",     "NULL_HMAC_SHA1_80",       "NULL_HMAC_SHA1_32",
    };
    const char *ours = agw_srtp_suite_get(call->config.sdes)->sdes;
    agw_doc_set_str(command, "DTLS", "off");
    agw_doc *words = agw_doc_set(command, "SDES", agw_doc_new_list());
    agw_doc_add_str(words, "pad");
    for (size_t i = 0; i < sizeof SUITES / sizeof SUITES[0]; i++) {
        char word[48];
        snprintf(word, sizeof word, "no-%s", SUITES[i]);
        if (strcmp(SUITES[i], ours) != 0)
            agw_doc_add_str(words, word);
    }
}

/* The codec that the receiver speaks is offered to it. */
static void add_transcode(const kit_call *call, agw_doc *command, kit_side toward)
{
    agw_doc *codec = agw_doc_set(command, "codec", agw_doc_new_dict());
    add_list(codec, "transcode", call->config.pair->codecs[toward].codec[0].name, NULL);
}

void kit_call_flags(const kit_call *call, agw_doc *command, kit_side toward, bool answer)
{
    const bool sdes = call->phone[toward].config.suite != AGW_SRTP_NONE;
    const bool browser = call->is_browser[toward];
    const char *role = call->config.gateway_dtls_client ? "active" : "passive";
    agw_doc_set_str(command, "ICE", browser ? "force" : "remove");
    /* Each names the gateway's role toward the browser. An offer must say it: rtpengine begins
     * DTLS as soon as it has the browser's offer, whatever its answer says later. */
    if (browser)
        agw_doc_set_str(command, "DTLS", role);
    else if (!answer)
        agw_doc_set_str(command, "DTLS-reverse", role);
    if (!answer)
        add_list(command, "direction", interface(call, other(toward)), interface(call, toward));
    const bool urgent = call->config.urgent && !answer;
    if (browser || urgent)
        add_list(command, "flags", browser ? "generate-mid" : "emergency",
                 browser && urgent ? "emergency" : NULL);
    add_list(command, "replace", "origin", "session-connection");
    if (call->config.pair != NULL && !answer)
        add_transcode(call, command, toward);
    if (call->config.keeps_codecs && !answer)
        add_list(agw_doc_set(command, "codec", agw_doc_new_dict()), "strip", "AMR", "AMR-WB");
    if (call->config.unpoliced)
        agw_doc_set_str(command, "police", "0");
    agw_doc_set_str(command, "transport-protocol",
                    browser ? "UDP/TLS/RTP/SAVPF"
                    : sdes  ? "RTP/SAVP"
                            : "RTP/AVP");
    add_list(command, "rtcp-mux", browser ? "require" : "demux", NULL);
    if (sdes)
        add_sdes(call, command);
    else
        add_list(command, "SDES", "off", NULL);
}

agw_doc *kit_call_describe(kit_call *call, kit_side from, bool answer)
{
    char sdp[KIT_SDP_MAX], ip[AGW_ADDR_TEXT];
    kit_phone *phone = &call->phone[from];
    const agw_addr *local = call->is_browser[from] ? &call->browser.local : &phone->local;
    size_t len;
    if (!call->is_browser[from])
        len = kit_phone_write_sdp(phone, sdp);
    else if (answer)
        len = kit_browser_write_answer(&call->browser, sdp);
    else
        len = kit_browser_write_offer(&call->browser, sdp);
    if (call->config.on_describe != NULL)
        len = call->config.on_describe(call, from, answer, sdp, len);
    agw_doc *command = agw_doc_new_dict();
    add_list(command, "supports", "load limit", NULL);
    agw_doc_set_bytes(command, "sdp", sdp, len);
    kit_call_flags(call, command, other(from), answer);
    agw_doc_set_str(command, "call-id", call->call_id);
    add_list(command, "received-from", "IP4", agw_addr_ip_text(local, ip, sizeof ip));
    const kit_side offerer = answer ? other(from) : from;
    agw_doc_set_str(command, "from-tag", call->tags[offerer]);
    if (answer || call->answered_at != 0)
        agw_doc_set_str(command, "to-tag", call->tags[other(offerer)]);
    agw_doc_set_str(command, "command", answer ? "answer" : "offer");
    return command;
}

/* NULL, or what is wrong with the reply. */
static const char *refusal(kit_call *call, const agw_doc *reply)
{
    if (reply == NULL)
        return "no reply from the gateway";
    const char *result = agw_doc_str(reply, "result");
    if (result != NULL && strcmp(result, "ok") == 0)
        return NULL;
    const char *reason = agw_doc_str(reply, "error-reason");
    if (reason == NULL)
        reason = result != NULL ? result : "a reply without result";
    snprintf(call->error_reason, sizeof call->error_reason, "%s", reason);
    return "the gateway refused";
}

const char *kit_call_give(kit_call *call, kit_side to, const agw_doc *reply)
{
    const char *why = refusal(call, reply);
    if (why != NULL)
        return why;
    size_t len;
    const agw_doc *text = agw_doc_get(reply, "sdp");
    const char *sdp = text == NULL ? NULL : agw_doc_bytes(text, &len);
    if (sdp == NULL)
        return "a reply without SDP";
    if (call->is_browser[to])
        return kit_browser_take(&call->browser, sdp, len) == AGW_OK ? NULL : call->browser.failure;
    return kit_phone_take(&call->phone[to], sdp, len) == AGW_OK ? NULL : call->phone[to].failure;
}

static void connect_parties(kit_call *call)
{
    if (call->config.kind == KIT_CALL_RTP_RTP || call->config.ng_only)
        be_up(call);
    else
        kit_browser_start(&call->browser);
}

void kit_call_go(kit_call *call)
{
    kit_world_at(call->world, &call->patience_timer, call->world->now + PATIENCE, on_impatient,
                 call);
    connect_parties(call);
}

static void on_answered(void *owner, const agw_doc *reply)
{
    kit_call *call = owner;
    const char *why = kit_call_give(call, KIT_A, reply);
    if (why != NULL) {
        fail(call, why);
        return;
    }
    call->state = KIT_CALL_ANSWERED;
    call->answered_at = call->world->now;
    if (call->config.held)
        kit_world_cancel(call->world, &call->patience_timer);
    else
        connect_parties(call);
}

static void on_offered(void *owner, const agw_doc *reply)
{
    kit_call *call = owner;
    const char *why = kit_call_give(call, KIT_B, reply);
    if (why != NULL)
        fail(call, why);
    else
        kit_ng_send(call->world->ng, kit_call_describe(call, KIT_B, true), on_answered, call);
}

void kit_call_start(kit_call *call)
{
    call->state = KIT_CALL_OFFERED;
    call->offered_at = call->world->now;
    kit_world_at(call->world, &call->patience_timer, call->offered_at + PATIENCE, on_impatient,
                 call);
    kit_ng_send(call->world->ng, kit_call_describe(call, KIT_A, false), on_offered, call);
}

static void on_deleted(void *owner, const agw_doc *reply)
{
    kit_call *call = owner;
    const char *why = refusal(call, reply);
    if (why != NULL)
        call->failure = why;
    call->state = KIT_CALL_GONE;
    call->gone_at = call->world->now;
    if (call->config.on_gone != NULL)
        call->config.on_gone(call);
}

void kit_call_delete(kit_call *call)
{
    kit_ng_forget(call->world->ng, call);
    kit_world_cancel(call->world, &call->rtcp_timer);
    kit_world_cancel(call->world, &call->patience_timer);
    call->state = KIT_CALL_DELETING;
    call->deleted_at = call->world->now;
    agw_doc *command = agw_doc_new_dict();
    agw_doc_set_int(command, "delete-delay", 0);
    agw_doc_set_str(command, "call-id", call->call_id);
    agw_doc_set_str(command, "from-tag", call->tags[KIT_A]);
    agw_doc_set_str(command, "command", "delete");
    kit_ng_send(call->world->ng, command, on_deleted, call);
}

/* --- making and ending --- */

/* Neither what one party sends nor what the other one gets is stamped. */
static void init_voices(kit_call *call)
{
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        const kit_voice *voice = call->config.voices[side];
        kit_sender *s = &call->sender[side];
        kit_checker *c = &call->checker[side];
        s->voice = voice;
        s->timestamp_step = voice->format.clock_hz / 1000 * KIT_VOICE_MS;
        s->loss_percent = c->loss_percent = (uint8_t)call->config.pair->loss_percent;
        s->random = s->stream;
        c->random = s->stream + 0x1000;
        c->voice_hz = voice->format.clock_hz;
    }
}

static void init_streams(kit_call *call, uint32_t number)
{
    const kit_call_config *config = &call->config;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        call->sender[side] = (kit_sender){.stream = 2 * number + side + 1,
                                          .ssrc = 0x40000000u + 4 * number + 2 * side,
                                          .first_seq = (uint16_t)agw_rand32(),
                                          .first_timestamp = agw_rand32(),
                                          .timestamp_step = config->timestamp_step,
                                          .payload = config->payload,
                                          .burst = config->burst};
        call->checker[other(side)] = (kit_checker){.stream = call->sender[side].stream,
                                                   .payload = config->payload,
                                                   .timestamp_step = config->timestamp_step,
                                                   .burst = config->burst,
                                                   .latency = config->latency[other(side)]};
    }
}

static const kit_codecs *codecs_of(const kit_call *call, kit_side side)
{
    return call->config.pair != NULL ? &call->config.pair->codecs[side] : call->config.codecs;
}

static void init_party(kit_call *call, kit_side side)
{
    call->seat[side] = (kit_seat){.call = call, .side = side};
    if (!call->is_browser[side]) {
        const kit_phone_config phone = {
            .video = call->config.video,
            .codecs = codecs_of(call, side),
            .suite = call->config.kind == KIT_CALL_WEBRTC_SDES ? call->config.sdes : AGW_SRTP_NONE,
            .on_rtp = on_rtp,
            .on_rtcp = on_rtcp,
            .owner = &call->seat[side]};
        kit_phone_init(&call->phone[side], call->world, &phone);
        return;
    }
    const kit_browser_config browser = {.dtls = call->config.dtls,
                                        .video = call->config.video,
                                        .codecs = codecs_of(call, side),
                                        .dtls_server = call->config.gateway_dtls_client,
                                        .dtls_pause = call->config.dtls_pause,
                                        .on_ready = on_browser_ready,
                                        .on_rtp = on_rtp,
                                        .on_rtcp = on_rtcp,
                                        .owner = &call->seat[side]};
    kit_browser_init(&call->browser, call->world, &browser);
    call->browser.ssrc = call->sender[side].ssrc;
}

void kit_call_init(kit_call *call, kit_world *world, const kit_call_config *config, uint32_t number)
{
    call->world = world;
    call->config = *config;
    snprintf(call->call_id, sizeof call->call_id, "%08x-%u@kit.invalid", agw_rand32(), number);
    snprintf(call->tags[KIT_A], sizeof call->tags[0], "a%u-%08x", number, agw_rand32());
    snprintf(call->tags[KIT_B], sizeof call->tags[1], "b%u-%08x", number, agw_rand32());
    call->is_browser[KIT_A] =
        config->kind == KIT_CALL_WEBRTC_RTP || config->kind == KIT_CALL_WEBRTC_SDES;
    call->is_browser[KIT_B] = config->kind == KIT_CALL_RTP_WEBRTC;
    init_streams(call, number);
    if (config->pair != NULL)
        init_voices(call);
    init_party(call, KIT_A);
    init_party(call, KIT_B);
}

void kit_call_fini(kit_call *call)
{
    if (call->world == NULL)
        return;
    kit_ng_forget(call->world->ng, call);
    kit_world_cancel(call->world, &call->rtcp_timer);
    kit_world_cancel(call->world, &call->patience_timer);
    kit_browser_fini(&call->browser);
    kit_phone_fini(&call->phone[KIT_A]);
    kit_phone_fini(&call->phone[KIT_B]);
    call->world = NULL;
}
