/* SPDX-License-Identifier: BSD-3-Clause
 * Forged and broken datagrams from the peer's address before, during and after the handshake: the
 * call must live (the class of CVE-2023-51275, CVE-2023-49786 and CVE-2023-51443). */
#include "link.h"

#include "base/wire.h"
#include "dtls/keys.h"
#include "vectors/vector.h"

#include <openssl/evp.h>

typedef struct pair {
    link_net net;
    agw_dtls_ctx *ctx;
} pair;

static pair *pair_new(void)
{
    pair *p = must(calloc(1, sizeof *p));
    p->ctx = link_context(NULL);
    link_ours(&p->net, LINK_SERVER, p->ctx);
    link_ours(&p->net, LINK_CLIENT, p->ctx);
    p->net.random = 88172645463325252u;
    return p;
}

static void pair_free(pair *p)
{
    link_fini(&p->net);
    agw_dtls_ctx_unref(p->ctx);
    free(p);
}

static agw_dtls *server_of(pair *p)
{
    return p->net.ends[LINK_SERVER].ours;
}

static agw_dtls *client_of(pair *p)
{
    return p->net.ends[LINK_CLIENT].ours;
}

static agw_dtls_stats stats_of(const agw_dtls *d)
{
    agw_dtls_stats s;
    agw_dtls_get_stats(d, &s);
    return s;
}

/* An unprotected record. */
static size_t plain(uint8_t *out, uint8_t type, const uint8_t *body, size_t len)
{
    memset(out, 0, AGW_RECORD_HEADER);
    out[0] = type;
    agw_put16(out + 1, 0xFEFD);
    agw_put16(out + 11, (uint16_t)len);
    memcpy(out + AGW_RECORD_HEADER, body, len);
    return AGW_RECORD_HEADER + len;
}

/* One whole handshake message in it. */
static size_t message(uint8_t *out, uint8_t type, uint16_t seq, const uint8_t *body, size_t len)
{
    uint8_t m[LINK_MTU];
    m[0] = type;
    agw_put24(m + 1, (uint32_t)len);
    agw_put16(m + 4, seq);
    agw_put24(m + 6, 0);
    agw_put24(m + 9, (uint32_t)len);
    memcpy(m + AGW_HANDSHAKE_HEADER, body, len);
    return plain(out, AGW_RECORD_HANDSHAKE, m, AGW_HANDSHAKE_HEADER + len);
}

/* A complete ClientHello that offers TLS_NULL_WITH_NULL_NULL only. */
static size_t null_hello(uint8_t *out)
{
    uint8_t body[42] = {0xFE, 0xFD};
    memset(body + 2, 0x5A, 32);
    body[37] = 2; /* suites' length; the suite is 0000; then one compression method, null */
    body[40] = 1;
    return message(out, AGW_HANDSHAKE_CLIENT_HELLO, 0, body, sizeof body);
}

/* Each calls give() with one broken datagram. */
typedef void give_fn(link_net *net, int to, const uint8_t *data, size_t len);

static void spray_hellos(link_net *net, int to, give_fn *give)
{
    uint8_t hello[LINK_MTU], d[LINK_MTU];
    const size_t len = vector_read("dtls/chromium156-clienthello-1.bin", hello, sizeof hello);
    CU_ASSERT_FATAL(len > 100);
    for (size_t cut = 1; cut < len; cut += 97) /* truncated */
        give(net, to, hello, cut);
    memcpy(d, hello, len);
    d[1] = 3; /* TLS */
    give(net, to, d, len);
    memcpy(d, hello, len);
    agw_put16(d + 11, 0xFFFF); /* oversized record */
    give(net, to, d, len);
    memcpy(d, hello, len);
    agw_put24(d + 14, 0xFFFFFF); /* oversized message */
    give(net, to, d, len);
    memcpy(d, hello, len);
    agw_put24(d + 22, 0xFFFF); /* oversized fragment */
    give(net, to, d, len);
    memcpy(d, hello, len);
    memset(d + 25, 0xEE, len - 25); /* contradicts every real one of this length */
    give(net, to, d, len);
    memcpy(d, hello, 60);
    agw_put16(d + 11, 47);
    agw_put24(d + 22, 35); /* a small piece of a longer message */
    give(net, to, d, 60);
}

static void spray_records(link_net *net, int to, give_fn *give)
{
    static const uint8_t TWO_CCS[2] = {1, 1}, NO_CCS[1] = {0}, CCS[1] = {1}, DATA[5] = "data";
    uint8_t d[LINK_MTU];
    for (uint8_t level = 1; level <= 2; level++) {
        for (unsigned desc = 0; desc < 256; desc += 5) {
            const uint8_t alert[2] = {level, (uint8_t)desc};
            give(net, to, d, plain(d, AGW_RECORD_ALERT, alert, 2));
        }
    }
    give(net, to, d, plain(d, AGW_RECORD_CHANGE_CIPHER_SPEC, TWO_CCS, 2));
    give(net, to, d, plain(d, AGW_RECORD_CHANGE_CIPHER_SPEC, NO_CCS, 1));
    give(net, to, d, plain(d, AGW_RECORD_CHANGE_CIPHER_SPEC, CCS, 1));
    give(net, to, d, plain(d, AGW_RECORD_DATA, DATA, 5));
    size_t len = plain(d, AGW_RECORD_CHANGE_CIPHER_SPEC, CCS, 1);
    memset(d + 5, 0xFF, 6); /* the highest sequence number must not close the replay window */
    give(net, to, d, len);
    len = plain(d, AGW_RECORD_HANDSHAKE, CCS, 1);
    memset(d + 5, 0xFF, 6);
    give(net, to, d, len);
}

static void spray_noise(link_net *net, int to, give_fn *give)
{
    uint8_t d[LINK_MTU];
    for (size_t len = 0; len <= 64; len++) {
        for (size_t i = 0; i < len; i++)
            d[i] = (uint8_t)link_random(net);
        give(net, to, d, len);
        if (len < AGW_RECORD_HEADER)
            continue;
        d[0] = (uint8_t)(20 + link_random(net) % 6);
        agw_put16(d + 1, 0xFEFD);
        agw_put16(d + 3, (uint16_t)(link_random(net) % 3)); /* epoch */
        agw_put16(d + 11, (uint16_t)(len - AGW_RECORD_HEADER));
        give(net, to, d, len);
    }
}

static void spray(link_net *net, int to, give_fn *give)
{
    uint8_t d[LINK_MTU];
    spray_hellos(net, to, give);
    spray_records(net, to, give);
    spray_noise(net, to, give);
    give(net, to, d, null_hello(d));
}

static void give_now(link_net *net, int to, const uint8_t *data, size_t len)
{
    link_datagram d = {.to = to, .len = len};
    memcpy(d.data, data, len);
    link_deliver(net, &d);
}

static bool spray_before_each(link_net *net, int to, const uint8_t *data, size_t len)
{
    (void)to, (void)data, (void)len;
    spray(net, LINK_SERVER, give_now);
    spray(net, LINK_CLIENT, give_now);
    return true;
}

static bool spray_before_each_at_server(link_net *net, int to, const uint8_t *data, size_t len)
{
    (void)to, (void)data, (void)len;
    spray(net, LINK_SERVER, give_now);
    return true;
}

static void stays_up(pair *p)
{
    for (int i = 0; i < 2; i++) {
        const agw_dtls *d = p->net.ends[i].ours;
        CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_ESTABLISHED);
    }
}

static void test_dtls_attack_spray_before_the_handshake(void)
{
    pair *p = pair_new();
    spray(&p->net, LINK_SERVER, give_now);
    spray(&p->net, LINK_CLIENT, give_now); /* not started */
    uint8_t out[LINK_MTU];
    size_t len;
    CU_ASSERT_FALSE(agw_dtls_take(server_of(p), out, sizeof out, &len)); /* no alert, nothing */
    link_start(&p->net);
    spray(&p->net, LINK_CLIENT, give_now);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    const agw_dtls_stats s = stats_of(server_of(p));
    CU_ASSERT_TRUE(s.drops[AGW_DTLS_DROP_LENGTH] > 0 && s.drops[AGW_DTLS_DROP_TYPE] > 0);
    CU_ASSERT_TRUE(s.drops[AGW_DTLS_DROP_VERSION] > 0 && s.drops[AGW_DTLS_DROP_ALERT] > 100);
    CU_ASSERT_TRUE(s.drops[AGW_DTLS_DROP_HANDSHAKE] > 0 && s.drops[AGW_DTLS_DROP_EPOCH] > 0);
    CU_ASSERT_EQUAL(s.drops[AGW_DTLS_DROP_REFUSED], 1); /* the hello without a suite */
    pair_free(p);
}

static void test_dtls_attack_spray_during_the_handshake_at_both_ends(void)
{
    pair *p = pair_new();
    p->net.filter = spray_before_each;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(200)));
    pair_free(p);
}

static void test_dtls_attack_spray_during_the_handshake_under_loss(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        pair *p = pair_new();
        p->net.filter = spray_before_each_at_server;
        p->net.random = seed * 0x9E3779B97F4A7C15u | 1;
        p->net.loss_percent = 20;
        link_start(&p->net);
        const bool up = link_run(&p->net, AGW_S(30));
        CU_ASSERT_TRUE(up);
        if (!up)
            printf("\nseed %llu: %s\n", (unsigned long long)seed, agw_dtls_reason(client_of(p)));
        pair_free(p);
    }
}

static void test_dtls_attack_spray_after_the_handshake(void)
{
    pair *p = pair_new();
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    for (int i = 0; i < 20; i++) {
        spray(&p->net, LINK_SERVER, give_now);
        spray(&p->net, LINK_CLIENT, give_now);
        link_settle(&p->net, AGW_MS(100));
        stays_up(p);
    }
    agw_dtls_close(client_of(p), link_now); /* the real one is still heard */
    link_settle(&p->net, AGW_S(1));
    CU_ASSERT_EQUAL(agw_dtls_state_of(server_of(p)), AGW_DTLS_CLOSED);
    pair_free(p);
}

/* Alone: the alerts that end sessions elsewhere, right before every single datagram. */
static bool alert_before_each(link_net *net, int to, const uint8_t *data, size_t len)
{
    static const uint8_t ALERTS[][2] = {{2, 40}, {1, 0}, {2, 10}, {2, 80}, {1, 90}};
    (void)to, (void)data, (void)len;
    uint8_t d[LINK_MTU];
    for (size_t i = 0; i < sizeof ALERTS / sizeof ALERTS[0]; i++) {
        const size_t n = plain(d, AGW_RECORD_ALERT, ALERTS[i], 2);
        give_now(net, LINK_SERVER, d, n);
        give_now(net, LINK_CLIENT, d, n);
    }
    return true;
}

static void test_dtls_attack_rfc6347_4_1_2_7_plain_alerts_are_harmless_at_any_time(void)
{
    pair *p = pair_new();
    p->net.filter = alert_before_each;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    alert_before_each(&p->net, 0, NULL, 0);
    stays_up(p);
    CU_ASSERT_EQUAL(stats_of(client_of(p)).drops[AGW_DTLS_DROP_ALERT] % 5, 0);
    CU_ASSERT_EQUAL(stats_of(client_of(p)).restarts + stats_of(server_of(p)).restarts, 0);
    pair_free(p);
}

/* The ClientHello of somebody else, whole and good. */
static size_t foreign_hello(pair *p, uint8_t out[LINK_MTU])
{
    agw_dtls *other = agw_dtls_new(p->ctx, AGW_DTLS_CLIENT, link_now);
    size_t len = 0;
    agw_dtls_start(other, link_now);
    CU_ASSERT_TRUE_FATAL(agw_dtls_take(other, out, LINK_MTU, &len));
    agw_dtls_free(other);
    return len;
}

static bool foreign_before_each(link_net *net, int to, const uint8_t *data, size_t len)
{
    uint8_t d[LINK_MTU];
    (void)data, (void)len;
    if (to == LINK_SERVER && net->seen[LINK_SERVER] > 1)
        give_now(net, LINK_SERVER, d, foreign_hello(net->arg, d));
    return true;
}

static void test_dtls_attack_another_hello_does_not_end_a_handshake(void)
{
    pair *p = pair_new();
    p->net.filter = foreign_before_each;
    p->net.arg = p;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    CU_ASSERT_TRUE(stats_of(server_of(p)).drops[AGW_DTLS_DROP_EPOCH] > 0);
    CU_ASSERT_EQUAL(stats_of(server_of(p)).restarts, 0);
    pair_free(p);
}

/* A peer that began anew: the server has answered a hello whose author is gone. */
static void test_dtls_attack_stalled_handshake_gives_way_after_3_s_not_before(void)
{
    pair *p = pair_new();
    uint8_t d[LINK_MTU], out[LINK_MTU];
    size_t len;
    give_now(&p->net, LINK_SERVER, d, foreign_hello(p, d));
    while (agw_dtls_take(server_of(p), out, sizeof out, &len))
        continue;
    link_now += AGW_S(3) - 1;
    const size_t n = foreign_hello(p, d);
    CU_ASSERT_EQUAL(agw_dtls_on_datagram(server_of(p), link_now, d, n), AGW_DTLS_DROP_EPOCH);
    link_now += 1;
    CU_ASSERT_EQUAL(agw_dtls_on_datagram(server_of(p), link_now, d, n), AGW_DTLS_DROP_NONE);
    CU_ASSERT_EQUAL(stats_of(server_of(p)).restarts, 1);
    CU_ASSERT_TRUE(agw_dtls_take(server_of(p), out, sizeof out, &len));
    pair_free(p);
}

static void test_dtls_attack_refused_hello_is_silent_and_the_next_is_served(void)
{
    pair *p = pair_new();
    uint8_t d[LINK_MTU], out[LINK_MTU];
    size_t len;
    for (int i = 0; i < 50; i++)
        CU_ASSERT_EQUAL(agw_dtls_on_datagram(server_of(p), link_now, d, null_hello(d)),
                        AGW_DTLS_DROP_REFUSED);
    CU_ASSERT_FALSE(agw_dtls_take(server_of(p), out, sizeof out, &len));
    CU_ASSERT_TRUE(agw_dtls_reason(server_of(p))[0] != '\0');
    CU_ASSERT_EQUAL(stats_of(server_of(p)).restarts, 50);
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    CU_ASSERT_STRING_EQUAL(agw_dtls_reason(server_of(p)), "");
    pair_free(p);
}

/* How many of 1000 forged protected records the session takes. */
static int early_taken(agw_dtls *d)
{
    uint8_t r[AGW_RECORD_HEADER + 40] = {22, 0xFE, 0xFD, 0, 1};
    int taken = 0;
    agw_put16(r + 11, 40);
    for (int i = 0; i < 1000; i++) {
        agw_put16(r + 9, (uint16_t)i);
        taken += agw_dtls_on_datagram(d, link_now, r, sizeof r) == AGW_DTLS_DROP_NONE;
    }
    return taken;
}

static bool flood_early(link_net *net, int to, const uint8_t *data, size_t len)
{
    (void)data, (void)len;
    early_taken(net->ends[to].ours);
    return true;
}

/* OpenSSL keeps each of them in 17 KB until it has keys. */
static void test_dtls_attack_protected_records_before_the_keys_are_bounded(void)
{
    pair *p = pair_new();
    uint8_t d[LINK_MTU];
    CU_ASSERT_EQUAL(early_taken(server_of(p)), 0);
    give_now(&p->net, LINK_SERVER, d, foreign_hello(p, d));
    CU_ASSERT_EQUAL(early_taken(server_of(p)), 8);
    pair_free(p);
    p = pair_new();
    p->net.filter = flood_early;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(200)));
    pair_free(p);
}

/* Behind a ChangeCipherSpec the server has keys and waits for Finished. */
static bool short_records_behind_ccs(link_net *net, int to, const uint8_t *data, size_t len)
{
    agw_ns delay = AGW_MS(5);
    if (to != LINK_SERVER)
        return true;
    for (size_t at = 0; at < len;) {
        const size_t n = AGW_RECORD_HEADER + (size_t)agw_get16(data + at + 11);
        link_inject(net, to, data + at, n, delay++);
        for (uint16_t body = 1; data[at] == AGW_RECORD_CHANGE_CIPHER_SPEC && body < 64; body++) {
            uint8_t r[AGW_RECORD_HEADER + 64] = {AGW_RECORD_HANDSHAKE, 0xFE, 0xFD, 0, 1};
            agw_put16(r + 11, body);
            link_inject(net, to, r, (size_t)AGW_RECORD_HEADER + body, delay++);
        }
        at += n;
    }
    return false;
}

static void test_dtls_attack_short_protected_records_do_not_end_a_handshake(void)
{
    pair *p = pair_new();
    p->net.filter = short_records_behind_ccs;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    CU_ASSERT_EQUAL(stats_of(server_of(p)).restarts, 0);
    CU_ASSERT_EQUAL(stats_of(server_of(p)).drops[AGW_DTLS_DROP_EPOCH], 39);
    pair_free(p);
}

static void test_dtls_attack_repetition_of_the_last_flight_is_limited(void)
{
    pair *p = pair_new();
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    link_settle(&p->net, AGW_S(2));
    const unsigned before = p->net.seen[LINK_CLIENT];
    uint8_t d[AGW_RECORD_HEADER + 40] = {22, 0xFE, 0xFD, 0, 1};
    agw_put16(d + 11, 40);
    for (int i = 0; i < 1000; i++) { /* 100 ms */
        give_now(&p->net, LINK_SERVER, d, sizeof d);
        link_send_all(&p->net);
        link_now += AGW_US(100);
    }
    CU_ASSERT_EQUAL(p->net.seen[LINK_CLIENT] - before, 2);
    pair_free(p);
}

/* --- alerts of an established session, written by a bare OpenSSL client --- */

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 1;
}

typedef struct bare {
    link_net net;
    agw_dtls_ctx *ours;
    SSL_CTX *ctx;
    BIO_METHOD *method;
} bare;

static bare *bare_new(const char *ciphers)
{
    bare *b = must(calloc(1, sizeof *b));
    agw_cert *cert = must(agw_cert_new());
    b->ours = link_context(NULL);
    b->method = agw_bio_method_new();
    b->ctx = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_options(b->ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_cert_verify_callback(b->ctx, any_certificate, NULL);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_cipher_list(b->ctx, ciphers), 1);
    CU_ASSERT_EQUAL(SSL_CTX_set_tlsext_use_srtp(b->ctx, AGW_DTLS_SRTP_DEFAULT), 0);
    CU_ASSERT_EQUAL(SSL_CTX_use_certificate(b->ctx, agw_cert_x509(cert)), 1);
    CU_ASSERT_EQUAL(SSL_CTX_use_PrivateKey(b->ctx, agw_cert_key(cert)), 1);
    agw_cert_free(cert);
    link_ours(&b->net, LINK_SERVER, b->ours);
    link_bare(&b->net, LINK_CLIENT, b->ctx, b->method);
    link_start(&b->net);
    CU_ASSERT_TRUE(link_run(&b->net, AGW_MS(100)));
    return b;
}

static void bare_free(bare *b)
{
    link_fini(&b->net);
    agw_dtls_ctx_unref(b->ours);
    SSL_CTX_free(b->ctx);
    BIO_meth_free(b->method);
    free(b);
}

static const char *const SUITES[] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
};

static void test_dtls_attack_rfc5246_7_2_1_only_the_true_close_notify_closes(void)
{
    for (size_t i = 0; i < sizeof SUITES / sizeof SUITES[0]; i++) {
        bare *b = bare_new(SUITES[i]);
        agw_dtls *d = b->net.ends[LINK_SERVER].ours;
        uint8_t alert[LINK_MTU];
        size_t len;
        SSL_shutdown(b->net.ends[LINK_CLIENT].ssl);
        CU_ASSERT_TRUE_FATAL(
            agw_bio_take(&b->net.ends[LINK_CLIENT].queue, alert, sizeof alert, &len));
        for (size_t bit = 0; bit < len * 8; bit++) {
            alert[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT_NOT_EQUAL(agw_dtls_on_datagram(d, link_now, alert, len), AGW_DTLS_DROP_NONE);
            alert[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_ESTABLISHED);
        CU_ASSERT_EQUAL(agw_dtls_on_datagram(d, link_now, alert, len), AGW_DTLS_DROP_NONE);
        CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_CLOSED);
        /* Our farewell is read by OpenSSL. */
        link_settle(&b->net, AGW_S(1));
        CU_ASSERT_TRUE((SSL_get_shutdown(b->net.ends[LINK_CLIENT].ssl) & SSL_RECEIVED_SHUTDOWN) !=
                       0);
        bare_free(b);
    }
}

/* The client's write key out of its own SSL, and an alert under it. */
static size_t sealed_alert(const SSL *client, uint8_t level, uint8_t desc, uint8_t *out)
{
    agw_alert_reader key;
    CU_ASSERT_EQUAL_FATAL(agw_alert_reader_init(&key, client, AGW_DTLS_SERVER), AGW_OK);
    const uint8_t head[21] = {21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 9, 9,
                              0,  26,   7,    7, 7, 7, 7, 7, 7, 7};
    const uint8_t text[2] = {level, desc};
    const uint8_t aad[13] = {0, 1, 0, 0, 0, 0, 9, 9, 21, 0xFE, 0xFD, 0, 2};
    uint8_t nonce[12];
    memcpy(nonce, key.iv, 4);
    memcpy(nonce + 4, head + 13, 8);
    memcpy(out, head, sizeof head);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    CU_ASSERT_EQUAL(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, key.key, nonce), 1);
    CU_ASSERT_EQUAL(EVP_EncryptUpdate(ctx, NULL, &n, aad, sizeof aad), 1);
    CU_ASSERT_EQUAL(EVP_EncryptUpdate(ctx, out + 21, &n, text, 2), 1);
    CU_ASSERT_EQUAL(EVP_EncryptFinal_ex(ctx, out + 23, &n), 1);
    CU_ASSERT_EQUAL(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + 23), 1);
    EVP_CIPHER_CTX_free(ctx);
    return 39;
}

static void test_dtls_attack_rfc5246_7_2_2_authentic_fatal_alert_fails_the_session(void)
{
    bare *b = bare_new(SUITES[0]);
    agw_dtls *d = b->net.ends[LINK_SERVER].ours;
    const SSL *client = b->net.ends[LINK_CLIENT].ssl;
    uint8_t alert[64];
    size_t len = sealed_alert(client, 1, 90, alert); /* a warning */
    CU_ASSERT_EQUAL(agw_dtls_on_datagram(d, link_now, alert, len), AGW_DTLS_DROP_NONE);
    CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_ESTABLISHED);
    len = sealed_alert(client, 2, 42, alert);
    CU_ASSERT_EQUAL(agw_dtls_on_datagram(d, link_now, alert, len), AGW_DTLS_DROP_NONE);
    CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_FAILED);
    CU_ASSERT_STRING_EQUAL(agw_dtls_reason(d), "alert bad certificate");
    bare_free(b);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_dtls_attack_spray_before_the_handshake),
    AGW_CASE(test_dtls_attack_spray_during_the_handshake_at_both_ends),
    AGW_CASE(test_dtls_attack_spray_during_the_handshake_under_loss),
    AGW_CASE(test_dtls_attack_spray_after_the_handshake),
    AGW_CASE(test_dtls_attack_rfc6347_4_1_2_7_plain_alerts_are_harmless_at_any_time),
    AGW_CASE(test_dtls_attack_another_hello_does_not_end_a_handshake),
    AGW_CASE(test_dtls_attack_stalled_handshake_gives_way_after_3_s_not_before),
    AGW_CASE(test_dtls_attack_refused_hello_is_silent_and_the_next_is_served),
    AGW_CASE(test_dtls_attack_protected_records_before_the_keys_are_bounded),
    AGW_CASE(test_dtls_attack_short_protected_records_do_not_end_a_handshake),
    AGW_CASE(test_dtls_attack_repetition_of_the_last_flight_is_limited),
    AGW_CASE(test_dtls_attack_rfc5246_7_2_1_only_the_true_close_notify_closes),
    AGW_CASE(test_dtls_attack_rfc5246_7_2_2_authentic_fatal_alert_fails_the_session),
};
AGW_UNIT_MAIN("dtls_attack", CASES)
