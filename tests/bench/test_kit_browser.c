/* SPDX-License-Identifier: BSD-3-Clause
 * Two browsers with nothing between them, on a clock of the test's own: A calls, B answers. */
#include "bench/kit/browser.h"
#include "bench/kit/sealer.h"

#include "ice/stun.h"
#include "unit.h"

#include "fake_wire.h"

static kit_browser a, b;
static agw_dtls_ctx *ctx;
static unsigned told[2];
static unsigned rtp_seen, rtcp_seen;
static uint8_t last[FAKE_BYTES];
static size_t last_len;

static void on_ready(void *owner)
{
    ++*(unsigned *)owner;
}

static void on_rtp(void *owner, const uint8_t *rtp, size_t len, agw_ns at)
{
    (void)owner, (void)at;
    rtp_seen++;
    memcpy(last, rtp, len);
    last_len = len;
}

static void on_rtcp(void *owner, const uint8_t *rtcp, size_t len, agw_ns at)
{
    (void)owner, (void)at;
    rtcp_seen++;
    memcpy(last, rtcp, len);
    last_len = len;
}

static void begin(const char *profiles, bool b_is_server)
{
    fake_begin();
    memset(told, 0, sizeof told);
    rtp_seen = rtcp_seen = 0;
    ctx = agw_dtls_ctx_new(agw_cert_new(), profiles);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    kit_browser_config config = {.dtls = ctx,
                                 .dtls_server = b_is_server,
                                 .on_ready = on_ready,
                                 .on_rtp = on_rtp,
                                 .on_rtcp = on_rtcp,
                                 .owner = &told[0]};
    kit_browser_init(&a, &fake_world, &config);
    config.owner = &told[1];
    kit_browser_init(&b, &fake_world, &config);
}

static void end(void)
{
    kit_browser_fini(&a);
    kit_browser_fini(&b);
    agw_dtls_ctx_unref(ctx);
    fake_end();
}

static void describe(void)
{
    char sdp[KIT_SDP_MAX];
    size_t len = kit_browser_write_offer(&a, sdp);
    CU_ASSERT_EQUAL_FATAL(kit_browser_take(&b, sdp, len), AGW_OK);
    len = kit_browser_write_answer(&b, sdp);
    CU_ASSERT_EQUAL_FATAL(kit_browser_take(&a, sdp, len), AGW_OK);
}

static void connect_both(void)
{
    describe();
    kit_browser_start(&a);
    kit_browser_start(&b);
    fake_run(AGW_MS(200));
    CU_ASSERT_EQUAL_FATAL(a.state, KIT_BROWSER_READY);
    CU_ASSERT_EQUAL_FATAL(b.state, KIT_BROWSER_READY);
}

static size_t rtp_packet(uint8_t *out, uint8_t seq)
{
    const uint8_t packet[] = {0x80, 0, 0, seq, 0, 0, 0, 160, 1, 2, 3, 4, 'h', 'i'};
    memcpy(out, packet, sizeof packet);
    return sizeof packet;
}

static size_t rtcp_packet(uint8_t *out)
{
    const uint8_t packet[] = {0x80, 201, 0, 1, 1, 2, 3, 4};
    memcpy(out, packet, sizeof packet);
    return sizeof packet;
}

/* --- the whole way --- */

static void media_passes(kit_browser *from)
{
    static uint8_t seq; /* SRTP takes none twice */
    uint8_t packet[64], plain[64];
    const size_t len = rtp_packet(packet, ++seq);
    rtp_packet(plain, seq);
    rtp_seen = rtcp_seen = 0;
    CU_ASSERT(kit_browser_send_rtp(from, packet, len));
    fake_run(0);
    CU_ASSERT_EQUAL(rtp_seen, 1);
    CU_ASSERT_EQUAL(last_len, len);
    CU_ASSERT_EQUAL(memcmp(last, plain, len), 0);
    const size_t rtcp_len = rtcp_packet(packet);
    CU_ASSERT(kit_browser_send_rtcp(from, packet, rtcp_len));
    fake_run(0);
    CU_ASSERT_EQUAL(rtcp_seen, 1);
    CU_ASSERT_EQUAL(last_len, rtcp_len);
}

static void test_browser_connects_in_both_roles_with_each_suite(void)
{
    static const struct {
        const char *profile;
        agw_srtp_suite suite;
        bool b_is_server;
    } CASES[] = {
        {"SRTP_AES128_CM_SHA1_80", AGW_SRTP_AES_CM_128_80, false},
        {"SRTP_AES128_CM_SHA1_80", AGW_SRTP_AES_CM_128_80, true},
        {"SRTP_AEAD_AES_128_GCM", AGW_SRTP_AEAD_128_GCM, false},
        {"SRTP_AEAD_AES_128_GCM", AGW_SRTP_AEAD_128_GCM, true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        begin(CASES[i].profile, CASES[i].b_is_server);
        uint8_t packet[64];
        CU_ASSERT_FALSE(kit_browser_send_rtp(&a, packet, rtp_packet(packet, 1)));
        connect_both();
        CU_ASSERT_EQUAL(a.dtls_client, CASES[i].b_is_server);
        CU_ASSERT_EQUAL(b.dtls_client, !CASES[i].b_is_server);
        CU_ASSERT_EQUAL(a.srtp.suite, CASES[i].suite);
        CU_ASSERT_EQUAL(told[0], 1);
        CU_ASSERT_EQUAL(told[1], 1);
        media_passes(&a);
        media_passes(&b);
        CU_ASSERT_EQUAL(a.stats.stun_bad + b.stats.stun_bad, 0);
        CU_ASSERT_EQUAL(a.stats.checks_taken, b.stats.checks_answered);
        end();
    }
}

/* --- descriptions --- */

static void test_browser_ice_role_follows_rfc8445_6_1_1(void)
{
    begin(NULL, false);
    describe();
    CU_ASSERT(a.controlling);
    CU_ASSERT_FALSE(b.controlling);
    char sdp[KIT_SDP_MAX + 16], again[KIT_SDP_MAX];
    const size_t len = kit_browser_write_offer(&a, sdp);
    memcpy(strstr(sdp, "actpass"), "passive", 7); /* an answer to ... */
    (void)kit_browser_write_offer(&b, again);
    CU_ASSERT_EQUAL(kit_browser_take(&b, sdp, len), AGW_OK);
    CU_ASSERT_FALSE(b.controlling); /* who offers again leaves roles alone, section 9 */
    memcpy(sdp + len, "a=ice-lite\r\n", 13);
    CU_ASSERT_EQUAL(kit_browser_take(&b, sdp, len + 12), AGW_OK);
    CU_ASSERT(b.controlling);
    end();
}

static void test_browser_refuses_what_chromium_would_refuse(void)
{
    static const struct {
        const char *line, *failure;
    } CASES[] = {
        {"a=ice-ufrag:", "the gateway's SDP has no ICE credentials"},
        {"a=ice-pwd:", "the gateway's SDP has no ICE credentials"},
        {"a=candidate:561500007", "the gateway's SDP has no candidate for us"},
        {"a=fingerprint:", "the gateway's SDP has no fingerprint"},
        {"a=setup:", "the gateway's SDP names no DTLS role"},
        {"a=rtcp-mux\r", "the gateway's SDP has no rtcp-mux"},
        {"a=rtpmap:0 ", NULL},
        {"m=audio", "no m= line"},
    };
    begin(NULL, false);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char sdp[KIT_SDP_MAX];
        const size_t len = kit_browser_write_offer(&a, sdp);
        char *line = strstr(sdp, CASES[i].line);
        CU_ASSERT_PTR_NOT_NULL_FATAL(line);
        memcpy(line, "x=", 2);
        const agw_err err = kit_browser_take(&b, sdp, len);
        CU_ASSERT_EQUAL(err, CASES[i].failure == NULL ? AGW_OK : AGW_ERR_MALFORMED);
        if (CASES[i].failure != NULL)
            CU_ASSERT_STRING_EQUAL(b.failure, CASES[i].failure);
    }
    end();
}

static void test_browser_refuses_actpass_in_an_answer_and_another_codec(void)
{
    begin(NULL, false);
    char sdp[KIT_SDP_MAX];
    size_t len = kit_browser_write_offer(&a, sdp);
    CU_ASSERT_EQUAL(kit_browser_take(&a, sdp, len), AGW_ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(a.failure, "the gateway's SDP names no DTLS role");
    describe();
    len = kit_browser_write_answer(&b, sdp);
    memcpy(strstr(sdp, "PCMU"), "PCMX", 4);
    CU_ASSERT_EQUAL(kit_browser_take(&a, sdp, len), AGW_ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(a.failure, "the gateway's SDP does not have our codec");
    end();
}

static void test_browser_answers_with_the_offers_numbers(void)
{
    begin(NULL, false);
    char sdp[KIT_SDP_MAX];
    const size_t len = kit_browser_write_offer(&a, sdp);
    memcpy(strstr(sdp, "a=mid:0"), "a=mid:7", 7);
    memcpy(strstr(sdp, "a=rtpmap:126"), "a=rtpmap:110", 12);
    memcpy(strstr(sdp, "a=rtpmap:110"), "a=x-----:000", 12);
    CU_ASSERT_EQUAL_FATAL(kit_browser_take(&b, sdp, len), AGW_OK);
    kit_browser_write_answer(&b, sdp);
    CU_ASSERT_PTR_NOT_NULL(strstr(sdp, "a=mid:7\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sdp, "SAVPF 0 110\r\n"));
    end();
}

/* --- checks --- */

static agw_ns check_at[32];
static unsigned checks;

static bool is_request(const fake_datagram *d)
{
    return d->data[0] == 0 && d->data[1] == 1;
}

static bool is_response(const fake_datagram *d)
{
    return d->data[0] == 1 && d->data[1] == 1;
}

static bool lose_and_note(fake_datagram *d)
{
    (void)d;
    CU_ASSERT_FATAL(checks < 32);
    check_at[checks++] = fake_world.now;
    return false;
}

static void test_browser_repeats_checks_and_gives_up(void)
{
    static const int GAP_MS[] = {50, 100, 200, 400, 800, 1600, 1600, 1600, 1600, 1600};
    begin(NULL, false);
    describe();
    checks = 0;
    fake_wire.pass = lose_and_note;
    const agw_ns from = fake_world.now;
    kit_browser_start(&a);
    fake_run(AGW_S(10) - AGW_MS(451)); /* the last check goes out at 7950 ms, 9550 ms */
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_CHECKING);
    fake_run(AGW_S(10));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_FAILED);
    CU_ASSERT_STRING_EQUAL(a.failure, "no connectivity check was answered");
    CU_ASSERT_EQUAL(told[0], 1);
    CU_ASSERT_EQUAL(check_at[0], from);
    CU_ASSERT_EQUAL_FATAL(checks, 11);
    for (unsigned i = 1; i < checks; i++)
        CU_ASSERT_EQUAL(check_at[i] - check_at[i - 1], AGW_MS(GAP_MS[i - 1]));
    end();
}

static bool note_requests_of_a(fake_datagram *d)
{
    static uint8_t last_id[12];
    if (!is_request(d) || !agw_addr_equal(&d->from, &a.local))
        return true;
    CU_ASSERT_FATAL(checks < 32);
    CU_ASSERT_NOT_EQUAL(memcmp(last_id, d->data + 8, sizeof last_id), 0);
    memcpy(last_id, d->data + 8, sizeof last_id);
    check_at[checks++] = fake_world.now;
    return true;
}

static void test_browser_rfc7675_5_1_renews_consent_every_4_to_6_s(void)
{
    begin(NULL, false);
    checks = 0;
    fake_wire.pass = note_requests_of_a;
    connect_both();
    fake_run(AGW_S(100));
    CU_ASSERT(checks >= 17 && checks <= 26);
    CU_ASSERT_EQUAL(a.stats.checks_answered, a.stats.checks_sent);
    agw_ns least = AGW_NEVER, most = 0;
    for (unsigned i = 1; i < checks; i++) {
        const agw_ns gap = check_at[i] - check_at[i - 1];
        least = gap < least ? gap : least;
        most = gap > most ? gap : most;
    }
    CU_ASSERT(least >= AGW_S(4) && most <= AGW_S(6) && least < most);
    end();
}

/* What the filters below do to responses for A. */
static struct {
    const char *key;   /* signs them, NULL = b.pwd */
    unsigned port_off; /* added to the mapped port */
    unsigned lose;     /* how many */
} spoil;

static bool spoil_responses(fake_datagram *d)
{
    static fake_datagram request;
    if (is_request(d))
        request = *d;
    if (!is_response(d) || !agw_addr_equal(&d->to, &a.local))
        return true;
    if (spoil.lose > 0) {
        spoil.lose--;
        return false;
    }
    agw_stun_msg m;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&m, request.data, request.len), AGW_OK);
    agw_addr mapped = request.from;
    mapped.port = (uint16_t)(mapped.port + spoil.port_off);
    d->len = agw_stun_write_success(&m, &mapped, spoil.key != NULL ? spoil.key : b.pwd, d->data,
                                    sizeof d->data);
    return true;
}

static void with_spoilt_responses(const char *key, unsigned port_off, kit_browser_state state)
{
    begin(NULL, false);
    spoil.key = key;
    spoil.port_off = port_off;
    spoil.lose = 0;
    fake_wire.pass = spoil_responses;
    describe();
    b.state = KIT_BROWSER_CHECKING; /* it answers, and asks nothing */
    kit_browser_start(&a);
    fake_run(AGW_MS(40));
    CU_ASSERT_EQUAL(a.state, state);
    CU_ASSERT_EQUAL(a.stats.stun_bad, state == KIT_BROWSER_CHECKING ? 1 : 0);
    end();
}

static void test_browser_rfc8445_7_2_5_believes_authentic_responses_only(void)
{
    with_spoilt_responses(NULL, 0, KIT_BROWSER_HANDSHAKING);
    with_spoilt_responses("not the password of B", 0, KIT_BROWSER_CHECKING);
    with_spoilt_responses(NULL, 1, KIT_BROWSER_CHECKING); /* not our address: no such pair */
}

static bool twice(fake_datagram *d)
{
    static bool again;
    if (!is_response(d) || !agw_addr_equal(&d->to, &a.local) || again)
        return true;
    again = true;
    kit_wire_send(&fake_wire, &d->from, &d->to, d->data, d->len);
    again = false;
    return true;
}

static void test_browser_counts_an_answer_once(void)
{
    begin(NULL, false);
    describe();
    b.state = KIT_BROWSER_CHECKING;
    fake_wire.pass = twice;
    kit_browser_start(&a);
    fake_run(AGW_MS(40));
    CU_ASSERT_EQUAL(a.stats.checks_answered, 1);
    CU_ASSERT_EQUAL(a.stats.stun_bad, 1);
    end();
}

static void test_browser_answers_authentic_checks_only(void)
{
    begin(NULL, false);
    describe();
    kit_browser_start(&b);
    fake_run(0);
    uint8_t check[256];
    size_t len = kit_browser_write_check(&a, check, true);
    kit_wire_send(&fake_wire, &a.local, &b.local, check, len);
    fake_run(0);
    CU_ASSERT_EQUAL(b.stats.checks_taken, 1);
    check[len - 9] ^= 1; /* inside MESSAGE-INTEGRITY; FINGERPRINT is wrong, too */
    kit_wire_send(&fake_wire, &a.local, &b.local, check, len);
    a.remote_pwd[0] ^= 1;
    len = kit_browser_write_check(&a, check, true);
    kit_wire_send(&fake_wire, &a.local, &b.local, check, len);
    a.remote_pwd[0] ^= 1;
    a.remote_ufrag[0] ^= 1;
    len = kit_browser_write_check(&a, check, true);
    kit_wire_send(&fake_wire, &a.local, &b.local, check, len);
    fake_run(0);
    CU_ASSERT_EQUAL(b.stats.checks_taken, 1);
    CU_ASSERT_EQUAL(b.stats.stun_bad, 3);
    end();
}

/* --- DTLS --- */

static unsigned hellos;

static bool count_hellos_and_spoil(fake_datagram *d)
{
    hellos += d->data[0] == 22 && d->data[13] == 1;
    return spoil_responses(d);
}

static void test_browser_keeps_a_client_hello_that_overtakes_the_response(void)
{
    begin(NULL, false); /* B is the client */
    spoil.key = NULL;
    spoil.port_off = 0;
    spoil.lose = 1;
    hellos = 0;
    fake_wire.pass = count_hellos_and_spoil;
    describe();
    kit_browser_start(&a);
    kit_browser_start(&b);
    fake_run(AGW_MS(40));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_CHECKING);
    CU_ASSERT_PTR_NOT_NULL(a.early);
    fake_run(AGW_MS(10)); /* the repeated check is answered */
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_READY);
    CU_ASSERT_EQUAL(b.state, KIT_BROWSER_READY);
    CU_ASSERT_EQUAL(hellos, 1);
    CU_ASSERT_PTR_NULL(a.early);
    end();
}

static void test_browser_dtls_pause_comes_before_each_flight(void)
{
    begin(NULL, false); /* B is the client: three flights before A has keys */
    a.config.dtls_pause = b.config.dtls_pause = AGW_MS(100);
    describe();
    kit_browser_start(&a);
    kit_browser_start(&b);
    fake_run(AGW_MS(299));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_HANDSHAKING);
    CU_ASSERT_EQUAL(b.state, KIT_BROWSER_HANDSHAKING);
    fake_run(AGW_MS(1000));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_READY);
    CU_ASSERT_EQUAL(b.state, KIT_BROWSER_READY);
    end();
}

static void test_browser_rfc8122_refuses_another_certificate(void)
{
    begin(NULL, true); /* B is the server, A sees its certificate */
    describe();
    a.remote_fingerprint.bytes[31] ^= 1;
    kit_browser_start(&a);
    kit_browser_start(&b);
    fake_run(AGW_MS(40));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_FAILED);
    CU_ASSERT_STRING_EQUAL(a.failure, "the gateway's certificate is not the one in its SDP");
    CU_ASSERT_PTR_NULL(a.srtp.in);
    CU_ASSERT_EQUAL(told[0], 1);
    end();
}

static bool lose_dtls(fake_datagram *d)
{
    return d->data[0] < 20 || d->data[0] > 63;
}

static void test_browser_fails_when_dtls_does_not_end(void)
{
    begin(NULL, false);
    fake_wire.pass = lose_dtls;
    describe();
    kit_browser_start(&a);
    kit_browser_start(&b);
    fake_run(AGW_S(11));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_FAILED);
    CU_ASSERT_EQUAL(b.state, KIT_BROWSER_FAILED);
    CU_ASSERT_EQUAL(told[0], 1);
    end();
}

/* A datagram that DTLS wrote as its close_notify. */
static void test_browser_sees_the_end_of_dtls(void)
{
    begin(NULL, false);
    connect_both();
    agw_dtls_close(b.dtls, fake_world.now);
    uint8_t buf[AGW_DTLS_MTU];
    size_t len;
    while (agw_dtls_take(b.dtls, buf, sizeof buf, &len))
        kit_wire_send(&fake_wire, &b.local, &a.local, buf, len);
    fake_run(0);
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_FAILED);
    CU_ASSERT_STRING_EQUAL(a.failure, "the gateway has ended DTLS");
    CU_ASSERT_EQUAL(told[0], 1);
    uint8_t packet[64];
    CU_ASSERT_FALSE(kit_browser_send_rtp(&a, packet, rtp_packet(packet, 1)));
    end();
}

/* --- media --- */

static void test_browser_counts_media_that_is_not_authentic(void)
{
    begin(NULL, false);
    connect_both();
    uint8_t packet[64];
    size_t len = kit_browser_protect(&b, packet, rtp_packet(packet, 1), false);
    CU_ASSERT_FATAL(len > 14);
    kit_wire_send(&fake_wire, &b.local, &a.local, packet, len);
    kit_wire_send(&fake_wire, &b.local, &a.local, packet, len);
    fake_run(0);
    CU_ASSERT_EQUAL(rtp_seen, 1);
    CU_ASSERT_EQUAL(a.srtp.replayed, 1);
    len = kit_browser_protect(&b, packet, rtp_packet(packet, 2), false);
    packet[12] ^= 1;
    kit_wire_send(&fake_wire, &b.local, &a.local, packet, len);
    kit_wire_send(&fake_wire, &b.local, &a.local, packet, rtp_packet(packet, 3));
    kit_wire_send(&fake_wire, &b.local, &a.local, packet, rtcp_packet(packet));
    fake_run(0);
    CU_ASSERT_EQUAL(a.srtp.auth_failed, 3);
    CU_ASSERT_EQUAL(rtp_seen, 1);
    CU_ASSERT_EQUAL(rtcp_seen, 0);
    kit_wire_send(&fake_wire, &b.local, &a.local, (const uint8_t *)"@", 1);
    kit_wire_send(&fake_wire, &b.local, &a.local, (const uint8_t *)"", 0);
    fake_run(0);
    CU_ASSERT_EQUAL(a.stats.unknown, 2);
    end();
}

static void send_room(kit_browser *from, const kit_browser *to, uint8_t seq)
{
    uint8_t *room = kit_wire_room(&fake_wire);
    const size_t len = kit_browser_protect_room(from, room, rtp_packet(room, seq));
    CU_ASSERT_EQUAL(len, rtp_packet((uint8_t[64]){0}, seq) + 10); /* the tag */
    kit_wire_commit(&fake_wire, &from->local, &to->local, len);
    fake_run(0);
}

static bool spoil_last_byte(fake_datagram *d)
{
    d->data[d->len - 1] ^= 1;
    return true;
}

/* One of the two is spared, whichever had its keys first: sealer against OpenSSL, both ways. */
static void test_browser_with_a_sealer_protects_and_judges_as_without(void)
{
    begin("SRTP_AES128_CM_SHA1_80", false);
    kit_sealer_open(&fake_world);
    connect_both();
    CU_ASSERT_NOT_EQUAL(a.srtp.spared, b.srtp.spared);
    for (uint8_t seq = 1; seq <= 20; seq++) {
        send_room(&a, &b, seq);
        send_room(&b, &a, seq);
    }
    CU_ASSERT_EQUAL(rtp_seen, 40);
    fake_wire.pass = spoil_last_byte;
    send_room(&a, &b, 21);
    send_room(&b, &a, 21);
    fake_wire.pass = NULL;
    CU_ASSERT_EQUAL(a.srtp.auth_failed, 1);
    CU_ASSERT_EQUAL(b.srtp.auth_failed, 1);
    uint8_t packet[64];
    kit_browser *sealed = a.srtp.spared ? &b : &a, *spared = a.srtp.spared ? &a : &b;
    const size_t len = kit_browser_protect(spared, packet, rtp_packet(packet, 22), false);
    kit_wire_send(&fake_wire, &spared->local, &sealed->local, packet, len);
    kit_wire_send(&fake_wire, &spared->local, &sealed->local, packet, len);
    fake_run(0);
    CU_ASSERT_EQUAL(rtp_seen, 41);
    CU_ASSERT_EQUAL(sealed->srtp.replayed, 1);
    kit_browser_fini(&a);
    kit_browser_fini(&b);
    kit_sealer_close(&fake_world);
    end();
}

static unsigned taken;

static void take(void *owner, agw_err err, uint8_t *rtp, size_t len, agw_ns at)
{
    (void)rtp, (void)len, (void)at;
    CU_ASSERT_EQUAL(err, AGW_OK);
    taken++;
    if (owner != NULL)
        kit_sealer_forget(fake_world.sealer, owner);
}

static void queue_for(kit_browser *from, uint8_t packet[64], uint8_t seq, void *owner)
{
    const size_t len = kit_browser_protect(from, packet, rtp_packet(packet, seq), false);
    const kit_datagram d = {.data = packet, .len = len};
    kit_browser *to = from == &a ? &b : &a;
    kit_sealer_unprotect(fake_world.sealer, to->srtp.in, &d, take, owner);
}

static void test_sealer_gives_nothing_to_whom_it_forgot(void)
{
    begin(NULL, false);
    kit_sealer_open(&fake_world);
    connect_both();
    kit_browser *from = a.srtp.spared ? &a : &b;
    uint8_t packets[4][64];
    int gone = 0, ending = 0;
    taken = 0;
    queue_for(from, packets[0], 1, &gone);
    queue_for(from, packets[1], 2, &ending); /* forgets itself, so the last one is not given */
    queue_for(from, packets[2], 3, NULL);
    queue_for(from, packets[3], 4, &ending);
    kit_sealer_forget(fake_world.sealer, &gone);
    fake_wire.batch.after_taking(fake_wire.batch.owner);
    CU_ASSERT_EQUAL(taken, 2);
    fake_wire.batch.after_taking(fake_wire.batch.owner);
    CU_ASSERT_EQUAL(taken, 2);
    kit_browser_fini(&a);
    kit_browser_fini(&b);
    kit_sealer_close(&fake_world);
    end();
}

static void test_browser_counts_other_sources_and_reads_nothing_of_them(void)
{
    begin(NULL, false);
    connect_both();
    uint8_t packet[64];
    const size_t len = kit_browser_protect(&b, packet, rtp_packet(packet, 1), false);
    agw_addr other = b.local;
    other.port ^= 1;
    kit_wire_send(&fake_wire, &other, &a.local, packet, len);
    fake_run(0);
    CU_ASSERT_EQUAL(a.stats.other_source, 1);
    CU_ASSERT_EQUAL(rtp_seen, 0);
    end();
}

/* --- restart --- */

static void test_browser_rfc8445_2_4_restart_keeps_keys_and_moves_when_answered(void)
{
    begin(NULL, false);
    connect_both();
    const agw_addr before = a.local;
    const kit_browser old = a;
    kit_browser_restart(&a);
    CU_ASSERT_STRING_NOT_EQUAL(a.ufrag, old.ufrag);
    CU_ASSERT_STRING_NOT_EQUAL(a.pwd, old.pwd);
    describe();
    CU_ASSERT(agw_addr_ip_equal(&b.remote, &before));
    CU_ASSERT_FALSE(agw_addr_equal(&b.remote, &before));
    CU_ASSERT(agw_addr_equal(&a.local, &before)); /* media stays until a check is answered */
    const agw_addr next = b.remote;
    media_passes(&b);
    kit_browser_start(&a);
    fake_run(0);
    CU_ASSERT(agw_addr_equal(&a.local, &next));
    CU_ASSERT_EQUAL(a.state, KIT_BROWSER_READY);
    CU_ASSERT_PTR_EQUAL(a.dtls, old.dtls);
    CU_ASSERT_EQUAL(told[0], 1);
    media_passes(&a);
    b.remote = before; /* what is still under way to the old port is taken */
    media_passes(&b);
    b.remote = next;
    kit_browser_restart(&a); /* and once more */
    describe();
    kit_browser_start(&a);
    fake_run(0);
    media_passes(&a);
    CU_ASSERT_EQUAL(a.stats.stun_bad, 0);
    end();
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_browser_connects_in_both_roles_with_each_suite),
    AGW_CASE(test_browser_ice_role_follows_rfc8445_6_1_1),
    AGW_CASE(test_browser_refuses_what_chromium_would_refuse),
    AGW_CASE(test_browser_refuses_actpass_in_an_answer_and_another_codec),
    AGW_CASE(test_browser_answers_with_the_offers_numbers),
    AGW_CASE(test_browser_repeats_checks_and_gives_up),
    AGW_CASE(test_browser_rfc7675_5_1_renews_consent_every_4_to_6_s),
    AGW_CASE(test_browser_rfc8445_7_2_5_believes_authentic_responses_only),
    AGW_CASE(test_browser_counts_an_answer_once),
    AGW_CASE(test_browser_answers_authentic_checks_only),
    AGW_CASE(test_browser_keeps_a_client_hello_that_overtakes_the_response),
    AGW_CASE(test_browser_dtls_pause_comes_before_each_flight),
    AGW_CASE(test_browser_rfc8122_refuses_another_certificate),
    AGW_CASE(test_browser_fails_when_dtls_does_not_end),
    AGW_CASE(test_browser_sees_the_end_of_dtls),
    AGW_CASE(test_browser_counts_media_that_is_not_authentic),
    AGW_CASE(test_browser_with_a_sealer_protects_and_judges_as_without),
    AGW_CASE(test_sealer_gives_nothing_to_whom_it_forgot),
    AGW_CASE(test_browser_counts_other_sources_and_reads_nothing_of_them),
    AGW_CASE(test_browser_rfc8445_2_4_restart_keeps_keys_and_moves_when_answered),
};

AGW_UNIT_MAIN("kit_browser", CASES)
