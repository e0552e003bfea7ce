/* SPDX-License-Identifier: BSD-3-Clause
 * Sessions between honest ends on virtual time: split and lost ClientHellos, keys, suites, loss,
 * retransmission, closing, timeouts. */
#include "dtls/memo.h"
#include "link.h"

#include "vectors/vector.h"

static const char *const ORDERS[] = {
    "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80",
    "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
    "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM",
    "SRTP_AES128_CM_SHA1_32",
};
static const agw_srtp_profile BEST[] = {
    AGW_SRTP_PROFILE_AEAD_AES_128_GCM,
    AGW_SRTP_PROFILE_AEAD_AES_256_GCM,
    AGW_SRTP_PROFILE_AES128_CM_SHA1_80,
    AGW_SRTP_PROFILE_AES128_CM_SHA1_32,
};

static const size_t FIRST_LEN = 1200, SECOND_LEN = 263; /* the captured ClientHello's datagrams */

typedef struct datagram {
    uint8_t data[LINK_MTU];
    size_t len;
} datagram;

static datagram vector(const char *name)
{
    datagram d;
    d.len = vector_read(name, d.data, sizeof d.data);
    CU_ASSERT_FATAL(d.len > 0);
    return d;
}

/* The captured ClientHello in the given order of its datagrams; the server's flight begins with an
 * unprotected ServerHello. */
static void hello_gives_flight(const int *order, size_t n)
{
    const datagram parts[2] = {vector("dtls/chromium156-clienthello-1.bin"),
                               vector("dtls/chromium156-clienthello-2.bin")};
    CU_ASSERT_EQUAL(parts[0].len, FIRST_LEN);
    CU_ASSERT_EQUAL(parts[1].len, SECOND_LEN);
    agw_dtls_ctx *ctx = link_context(NULL);
    agw_dtls *d = agw_dtls_new(ctx, AGW_DTLS_SERVER, link_now);
    uint8_t out[AGW_DTLS_MTU];
    size_t len = 0;
    bool have[2] = {false, false};
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_FALSE(have[0] && have[1]);
        CU_ASSERT_FALSE(agw_dtls_take(d, out, sizeof out, &len));
        const datagram *part = &parts[order[i]];
        CU_ASSERT_EQUAL(agw_dtls_on_datagram(d, link_now, part->data, part->len),
                        AGW_DTLS_DROP_NONE);
        have[order[i]] = true;
    }
    CU_ASSERT_TRUE_FATAL(agw_dtls_take(d, out, sizeof out, &len));
    CU_ASSERT_TRUE(len > 100);
    CU_ASSERT_EQUAL(out[0], 22);
    CU_ASSERT_EQUAL(out[13], 2); /* ServerHello */
    CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_HANDSHAKING);
    /* Repeated afterwards, it changes nothing. */
    agw_dtls_stats before, after;
    agw_dtls_get_stats(d, &before);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(agw_dtls_on_datagram(d, link_now, parts[i % 2].data, parts[i % 2].len),
                        AGW_DTLS_DROP_NONE);
    agw_dtls_get_stats(d, &after);
    CU_ASSERT_EQUAL(after.restarts, before.restarts);
    agw_dtls_free(d);
    agw_dtls_ctx_unref(ctx);
}

static void test_dtls_rfc6347_4_2_3_chromium_hello_in_order(void)
{
    hello_gives_flight((int[]){0, 1}, 2);
}

static void test_dtls_rfc6347_4_2_3_chromium_hello_swapped(void)
{
    hello_gives_flight((int[]){1, 0}, 2);
}

static void test_dtls_rfc6347_4_2_3_chromium_hello_duplicated(void)
{
    hello_gives_flight((int[]){0, 0, 1}, 3);
    hello_gives_flight((int[]){1, 1, 0}, 3);
}

static void test_dtls_rfc6347_4_2_3_chromium_hello_one_half_resent(void)
{
    hello_gives_flight((int[]){0, 0, 0, 1}, 4);
    hello_gives_flight((int[]){1, 1, 1, 0}, 4);
}

/* --- a bare OpenSSL client whose ClientHello is as long as Chromium's --- */

static size_t padding;

/* NOLINTNEXTLINE(readability-function-size): OpenSSL's type */
static int add_padding(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                       size_t *len, X509 *x, size_t chain, int *alert, void *arg)
{
    static const uint8_t ZEROS[2048];
    (void)ssl, (void)type, (void)context, (void)x, (void)chain, (void)alert, (void)arg;
    *out = ZEROS;
    *len = padding;
    return 1;
}

static SSL_CTX *bare_context(const char *srtp, agw_cert *cert)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU);
    if (srtp != NULL)
        CU_ASSERT_EQUAL(SSL_CTX_set_tlsext_use_srtp(ctx, srtp), 0);
    if (cert != NULL) {
        CU_ASSERT_EQUAL(SSL_CTX_use_certificate(ctx, agw_cert_x509(cert)), 1);
        CU_ASSERT_EQUAL(SSL_CTX_use_PrivateKey(ctx, agw_cert_key(cert)), 1);
    }
    return ctx;
}

typedef struct bare_pair {
    link_net net;
    agw_dtls_ctx *ours;
    SSL_CTX *bare;
    BIO_METHOD *method;
    agw_cert *cert;
} bare_pair;

/* Our server, a bare client; srtp and certificate of the client may be missing. */
static bare_pair *bare_pair_new(const char *client_srtp, bool certificate)
{
    bare_pair *p = must(calloc(1, sizeof *p));
    p->cert = agw_cert_new();
    p->ours = link_context(NULL);
    p->bare = bare_context(client_srtp, certificate ? p->cert : NULL);
    p->method = agw_bio_method_new();
    link_ours(&p->net, LINK_SERVER, p->ours);
    link_bare(&p->net, LINK_CLIENT, p->bare, p->method);
    return p;
}

static void bare_pair_free(bare_pair *p)
{
    link_fini(&p->net);
    agw_dtls_ctx_unref(p->ours);
    SSL_CTX_free(p->bare);
    BIO_meth_free(p->method);
    agw_cert_free(p->cert);
    free(p);
}

/* Pads the client's ClientHello to two datagrams of 1200 and 263 bytes. */
static bare_pair *padded_pair(void)
{
    enum { PAD_TYPE = 0x7A7A };
    for (size_t guess = 1000, tries = 0; tries < 4; tries++) {
        bare_pair *p = bare_pair_new(AGW_DTLS_SRTP_DEFAULT, true);
        padding = guess;
        CU_ASSERT_EQUAL(SSL_CTX_add_custom_ext(p->bare, PAD_TYPE, SSL_EXT_CLIENT_HELLO, add_padding,
                                               NULL, NULL, NULL, NULL),
                        1);
        /* The SSL was made before the extension was: another one. */
        SSL_free(p->net.ends[LINK_CLIENT].ssl);
        link_bare(&p->net, LINK_CLIENT, p->bare, p->method);
        link_start(&p->net);
        const agw_bio_queue *q = &p->net.ends[LINK_CLIENT].queue;
        CU_ASSERT_EQUAL_FATAL(q->out_count, 2);
        const size_t first = q->out[0].len, second = q->out[1].len;
        if (first == FIRST_LEN && second == SECOND_LEN)
            return p;
        guess = guess + FIRST_LEN + SECOND_LEN - first - second;
        bare_pair_free(p);
    }
    CU_FAIL_FATAL("no padding gives 1200 and 263 bytes");
    return NULL;
}

typedef struct split {
    bool swap;
    bool twice;
    unsigned lose; /* 1: the first half of the first flight, 2: the second half, 3: both */
    datagram held;
} split;

static bool split_filter(link_net *net, int to, const uint8_t *data, size_t len)
{
    split *s = net->arg;
    const unsigned n = net->seen[LINK_SERVER];
    if (to != LINK_SERVER || n > 2)
        return true;
    if ((s->lose & n) != 0)
        return false;
    if (s->twice)
        link_inject(net, to, data, len, AGW_MS(6));
    if (s->swap && n == 1) {
        link_inject(net, to, data, len, AGW_MS(9));
        return false;
    }
    return true;
}

/* Up within so long; client and server export the same keys. */
static void split_completes(split s, agw_ns within)
{
    bare_pair *p = padded_pair();
    p->net.filter = split_filter;
    p->net.arg = &s;
    const agw_ns began = link_now;
    CU_ASSERT_TRUE(link_run(&p->net, AGW_S(20)));
    CU_ASSERT_TRUE(link_now - began <= within);
    agw_dtls_result r;
    CU_ASSERT_EQUAL_FATAL(agw_dtls_get_result(p->net.ends[LINK_SERVER].ours, &r), AGW_OK);
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    uint8_t theirs[56], ours[56];
    CU_ASSERT_EQUAL(SSL_export_keying_material(p->net.ends[LINK_CLIENT].ssl, theirs, sizeof theirs,
                                               LABEL, sizeof LABEL - 1, NULL, 0, 0),
                    1);
    memcpy(ours, r.client_key, 16);
    memcpy(ours + 16, r.server_key, 16);
    memcpy(ours + 32, r.client_salt, 12);
    memcpy(ours + 44, r.server_salt, 12);
    CU_ASSERT_EQUAL(memcmp(ours, theirs, sizeof ours), 0);
    CU_ASSERT_EQUAL(r.srtp_profile, AGW_SRTP_PROFILE_AEAD_AES_128_GCM);
    CU_ASSERT_EQUAL(r.role, AGW_DTLS_SERVER);
    agw_fingerprint client;
    for (int h = 0; h < AGW_HASH_COUNT; h++) {
        agw_cert_fingerprint(p->cert, (agw_hash)h, &client);
        CU_ASSERT_TRUE(agw_fingerprint_matches(&client, r.peer));
        client.bytes[0] ^= 1;
        CU_ASSERT_FALSE(agw_fingerprint_matches(&client, r.peer));
    }
    agw_dtls_stats stats;
    agw_dtls_get_stats(p->net.ends[LINK_SERVER].ours, &stats);
    CU_ASSERT_EQUAL(stats.restarts, 0);
    agw_dtls_result_wipe(&r);
    CU_ASSERT_EQUAL(r.client_key[0] | r.server_salt[11] | r.cipher[0], 0);
    bare_pair_free(p);
}

static void test_dtls_rfc6347_4_2_3_split_hello_completes(void)
{
    split_completes((split){0}, AGW_MS(100));
}

static void test_dtls_rfc6347_4_2_3_split_hello_swapped_completes(void)
{
    split_completes((split){.swap = true}, AGW_MS(100));
}

static void test_dtls_rfc6347_4_2_3_split_hello_duplicated_completes(void)
{
    split_completes((split){.twice = true}, AGW_MS(100));
    split_completes((split){.twice = true, .swap = true}, AGW_MS(100));
}

/* The client sends again after 1 s. */
static void test_dtls_rfc6347_4_2_4_split_hello_completes_without_its_first_half(void)
{
    split_completes((split){.lose = 1}, AGW_MS(1100));
}

static void test_dtls_rfc6347_4_2_4_split_hello_completes_without_its_second_half(void)
{
    split_completes((split){.lose = 2}, AGW_MS(1100));
}

static void test_dtls_rfc6347_4_2_4_split_hello_completes_without_both_halves(void)
{
    split_completes((split){.lose = 3}, AGW_MS(1100));
}

/* --- two ends of ours --- */

typedef struct pair {
    link_net net;
    agw_dtls_ctx *ctx[2];
} pair;

static pair *pair_new(const char *server_srtp, const char *client_srtp)
{
    pair *p = must(calloc(1, sizeof *p));
    p->ctx[LINK_SERVER] = link_context(server_srtp);
    p->ctx[LINK_CLIENT] = link_context(client_srtp);
    for (int i = 0; i < 2; i++)
        link_ours(&p->net, i, p->ctx[i]);
    return p;
}

static void pair_free(pair *p)
{
    link_fini(&p->net);
    agw_dtls_ctx_unref(p->ctx[0]);
    agw_dtls_ctx_unref(p->ctx[1]);
    free(p);
}

static agw_dtls *end_of(pair *p, int i)
{
    return p->net.ends[i].ours;
}

static void same_keys(pair *p, agw_srtp_profile profile)
{
    agw_dtls_result r[2];
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_dtls_get_result(end_of(p, i), &r[i]), AGW_OK);
        CU_ASSERT_EQUAL(r[i].srtp_profile, profile);
        CU_ASSERT_EQUAL(r[i].role, i == LINK_SERVER ? AGW_DTLS_SERVER : AGW_DTLS_CLIENT);
        CU_ASSERT_STRING_EQUAL(r[i].version, "DTLSv1.2");
        CU_ASSERT_STRING_EQUAL(r[i].cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
        agw_fingerprint fp;
        agw_dtls_ctx_fingerprint(p->ctx[1 - i], AGW_HASH_SHA256, &fp);
        CU_ASSERT_TRUE(agw_fingerprint_matches(&fp, r[i].peer));
    }
    CU_ASSERT_EQUAL(memcmp(r[0].client_key, r[1].client_key, sizeof r[0].client_key), 0);
    CU_ASSERT_EQUAL(memcmp(r[0].server_key, r[1].server_key, sizeof r[0].server_key), 0);
    CU_ASSERT_EQUAL(memcmp(r[0].client_salt, r[1].client_salt, sizeof r[0].client_salt), 0);
    CU_ASSERT_EQUAL(memcmp(r[0].server_salt, r[1].server_salt, sizeof r[0].server_salt), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(r[0].server_key, r[0].client_key, 16), 0);
    CU_ASSERT_EQUAL(r[0].key_len, profile == AGW_SRTP_PROFILE_AEAD_AES_256_GCM ? 32 : 16);
    CU_ASSERT_EQUAL(r[0].salt_len, profile >= AGW_SRTP_PROFILE_AEAD_AES_128_GCM ? 12 : 14);
}

static void test_dtls_rfc5764_4_1_both_ends_have_the_same_keys_in_each_order(void)
{
    for (size_t i = 0; i < sizeof ORDERS / sizeof ORDERS[0]; i++) {
        pair *p = pair_new(ORDERS[i], ORDERS[i]);
        agw_dtls_result r;
        CU_ASSERT_EQUAL(agw_dtls_get_result(end_of(p, 0), &r), AGW_ERR_STATE);
        link_start(&p->net);
        CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
        same_keys(p, BEST[i]);
        link_settle(&p->net, AGW_S(1)); /* the last flight was repeated unasked */
        CU_ASSERT_EQUAL(agw_dtls_deadline(end_of(p, LINK_SERVER)), AGW_NEVER);
        CU_ASSERT_EQUAL(agw_dtls_deadline(end_of(p, LINK_CLIENT)), AGW_NEVER);
        pair_free(p);
    }
}

/* Each end proves the other's flight before OpenSSL gets it, which asks the same again. */
static void test_dtls_each_signature_is_computed_once(void)
{
    pair *p = pair_new(NULL, NULL);
    const uint64_t before = agw_memo_used();
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(agw_memo_used() - before, 2);
    pair_free(p);
}

/* Chromium offers SHA1_80 first; the server's order decides. */
static void test_dtls_rfc5764_4_1_1_server_order_decides(void)
{
    pair *p = pair_new(NULL, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM");
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    same_keys(p, AGW_SRTP_PROFILE_AEAD_AES_128_GCM);
    pair_free(p);
}

static void test_dtls_rfc5764_4_1_no_profile_in_common_fails(void)
{
    pair *p = pair_new("SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80");
    link_start(&p->net);
    CU_ASSERT_FALSE(link_run(&p->net, AGW_S(40)));
    CU_ASSERT_EQUAL(agw_dtls_state_of(end_of(p, LINK_SERVER)), AGW_DTLS_FAILED);
    CU_ASSERT_STRING_EQUAL(agw_dtls_reason(end_of(p, LINK_SERVER)), "no SRTP profile in common");
    agw_dtls_result r;
    CU_ASSERT_EQUAL(agw_dtls_get_result(end_of(p, LINK_SERVER), &r), AGW_ERR_STATE);
    pair_free(p);
}

static void test_dtls_rfc5763_5_client_without_certificate_never_gets_in(void)
{
    bare_pair *p = bare_pair_new(AGW_DTLS_SRTP_DEFAULT, false);
    link_start(&p->net);
    CU_ASSERT_FALSE(link_run(&p->net, AGW_S(40)));
    agw_dtls *server = p->net.ends[LINK_SERVER].ours;
    CU_ASSERT_EQUAL(agw_dtls_state_of(server), AGW_DTLS_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(agw_dtls_reason(server), "handshake timeout: "));
    bare_pair_free(p);
}

/* Our client against a bare server that asks for its certificate, with a cookie exchange. */
static int cookie(SSL *ssl, unsigned char *out, unsigned *len)
{
    (void)ssl;
    memcpy(out, "biscuit", *len = 7);
    return 1;
}

static int cookie_ok(SSL *ssl, const unsigned char *in, unsigned len)
{
    (void)ssl;
    return len == 7 && memcmp(in, "biscuit", 7) == 0;
}

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 1;
}

static void test_dtls_rfc6347_4_2_1_client_answers_a_cookie_request(void)
{
    bare_pair *p = must(calloc(1, sizeof *p));
    p->cert = agw_cert_new();
    p->ours = link_context(NULL);
    p->bare = bare_context(AGW_DTLS_SRTP_DEFAULT, p->cert);
    p->method = agw_bio_method_new();
    SSL_CTX_set_verify(p->bare, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(p->bare, any_certificate, NULL);
    SSL_CTX_set_options(p->bare, SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_cookie_generate_cb(p->bare, cookie);
    SSL_CTX_set_cookie_verify_cb(p->bare, cookie_ok);
    link_bare(&p->net, LINK_SERVER, p->bare, p->method);
    link_ours(&p->net, LINK_CLIENT, p->ours);
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_S(1)));
    agw_dtls_result r;
    agw_fingerprint fp;
    CU_ASSERT_EQUAL(agw_dtls_get_result(p->net.ends[LINK_CLIENT].ours, &r), AGW_OK);
    agw_cert_fingerprint(p->cert, AGW_HASH_SHA256, &fp);
    CU_ASSERT_TRUE(agw_fingerprint_matches(&fp, r.peer));
    CU_ASSERT_EQUAL(r.role, AGW_DTLS_CLIENT);
    bare_pair_free(p);
}

/* Each seed prints itself when it fails. */
static void lossy(unsigned percent, uint64_t seed)
{
    pair *p = pair_new(NULL, NULL);
    p->net.loss_percent = percent;
    p->net.random = seed * 0x9E3779B97F4A7C15u | 1;
    link_start(&p->net);
    bool up = link_run(&p->net, AGW_S(30));
    if (!up) {
        printf("\nnot up with %u %% loss, seed %llu: %s, %s\n", percent, (unsigned long long)seed,
               agw_dtls_reason(end_of(p, 0)), agw_dtls_reason(end_of(p, 1)));
    }
    CU_ASSERT_TRUE(up);
    if (up)
        same_keys(p, AGW_SRTP_PROFILE_AEAD_AES_128_GCM);
    pair_free(p);
}

static void test_dtls_rfc6347_4_2_4_completes_under_loss_of_20_to_40_percent(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        lossy(20 + (unsigned)(seed % 3) * 10, seed);
}

/* The server is up, its last flight is lost: it repeats it when the client repeats its own. */
static bool lose_last_flight(link_net *net, int to, const uint8_t *data, size_t len)
{
    (void)len;
    unsigned *lost = net->arg;
    return !(to == LINK_CLIENT && data[0] == 20 && (*lost)++ < 2);
}

static void test_dtls_rfc6347_4_2_4_lost_last_flight_is_repeated(void)
{
    pair *p = pair_new(NULL, NULL);
    unsigned lost = 0;
    p->net.filter = lose_last_flight;
    p->net.arg = &lost;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_S(5)));
    CU_ASSERT_EQUAL(lost, 3);
    same_keys(p, AGW_SRTP_PROFILE_AEAD_AES_128_GCM);
    pair_free(p);
}

static void test_dtls_timeout_at_30_s_not_before(void)
{
    agw_dtls_ctx *ctx = link_context(NULL);
    agw_dtls *server = agw_dtls_new(ctx, AGW_DTLS_SERVER, link_now);
    agw_dtls *client = agw_dtls_new(ctx, AGW_DTLS_CLIENT, link_now);
    CU_ASSERT_EQUAL(agw_dtls_deadline(server), link_now + AGW_S(30));
    CU_ASSERT_EQUAL(agw_dtls_deadline(client), AGW_NEVER);
    const agw_ns began = link_now;
    agw_dtls_on_deadline(server, began + AGW_S(30) - 1);
    CU_ASSERT_EQUAL(agw_dtls_state_of(server), AGW_DTLS_HANDSHAKING);
    agw_dtls_on_deadline(server, began + AGW_S(30));
    CU_ASSERT_EQUAL(agw_dtls_state_of(server), AGW_DTLS_FAILED);
    CU_ASSERT_STRING_EQUAL(agw_dtls_reason(server), "handshake timeout");
    CU_ASSERT_EQUAL(agw_dtls_deadline(server), AGW_NEVER);
    agw_dtls_set_timeout(client, AGW_S(5));
    agw_dtls_start(client, link_now);
    unsigned hellos = 0;
    uint8_t out[AGW_DTLS_MTU];
    size_t len;
    while (agw_dtls_state_of(client) == AGW_DTLS_HANDSHAKING) {
        while (agw_dtls_take(client, out, sizeof out, &len))
            hellos++;
        CU_ASSERT_FATAL(agw_dtls_deadline(client) >= link_now);
        link_now = agw_dtls_deadline(client);
        agw_dtls_on_deadline(client, link_now);
    }
    CU_ASSERT_EQUAL(link_now, began + AGW_S(5));
    CU_ASSERT_EQUAL(hellos, 6); /* at 0, 0.1, 0.3, 0.7, 1.5 and 3.1 s */
    agw_dtls_free(server);
    agw_dtls_free(client);
    agw_dtls_ctx_unref(ctx);
}

static void closes(int end)
{
    pair *p = pair_new(NULL, NULL);
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    link_settle(&p->net, AGW_S(1));
    agw_dtls_close(end_of(p, end), link_now);
    CU_ASSERT_EQUAL(agw_dtls_state_of(end_of(p, end)), AGW_DTLS_CLOSED);
    link_settle(&p->net, AGW_S(1));
    CU_ASSERT_EQUAL(agw_dtls_state_of(end_of(p, 1 - end)), AGW_DTLS_CLOSED);
    CU_ASSERT_STRING_EQUAL(agw_dtls_reason(end_of(p, 1 - end)), "close_notify");
    agw_dtls_result r;
    CU_ASSERT_EQUAL(agw_dtls_get_result(end_of(p, 1 - end), &r), AGW_OK);
    const uint8_t any[] = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
    CU_ASSERT_EQUAL(agw_dtls_on_datagram(end_of(p, end), link_now, any, sizeof any),
                    AGW_DTLS_DROP_STATE);
    agw_dtls_close(end_of(p, end), link_now);
    pair_free(p);
}

static void test_dtls_rfc5246_7_2_1_close_notify_is_seen(void)
{
    closes(LINK_SERVER);
    closes(LINK_CLIENT);
}

static void test_dtls_close_before_it_is_up_says_nothing(void)
{
    agw_dtls_ctx *ctx = link_context(NULL);
    agw_dtls *d = agw_dtls_new(ctx, AGW_DTLS_SERVER, link_now);
    uint8_t out[AGW_DTLS_MTU];
    size_t len;
    agw_dtls_close(d, link_now);
    CU_ASSERT_EQUAL(agw_dtls_state_of(d), AGW_DTLS_CLOSED);
    CU_ASSERT_FALSE(agw_dtls_take(d, out, sizeof out, &len));
    agw_dtls_free(d);
    agw_dtls_free(NULL);
    agw_dtls_ctx_unref(ctx);
}

static void test_dtls_application_data_is_counted_and_harmless(void)
{
    bare_pair *p = bare_pair_new(AGW_DTLS_SRTP_DEFAULT, true);
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(SSL_write(p->net.ends[LINK_CLIENT].ssl, "sctp", 4), 4);
    link_settle(&p->net, AGW_S(1));
    agw_dtls_stats stats;
    agw_dtls_get_stats(p->net.ends[LINK_SERVER].ours, &stats);
    CU_ASSERT_EQUAL(stats.drops[AGW_DTLS_DROP_DATA], 1);
    CU_ASSERT_EQUAL(agw_dtls_state_of(p->net.ends[LINK_SERVER].ours), AGW_DTLS_ESTABLISHED);
    bare_pair_free(p);
}

static void test_dtls_context_may_go_before_its_sessions(void)
{
    pair *p = pair_new(NULL, NULL);
    agw_dtls_ctx_unref(p->ctx[LINK_SERVER]);
    agw_fingerprint fp;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    agw_dtls_ctx_fingerprint(p->ctx[LINK_SERVER], AGW_HASH_SHA256, &fp);
    agw_dtls_ctx_ref(p->ctx[LINK_SERVER]); /* the session still holds it */
    same_keys(p, AGW_SRTP_PROFILE_AEAD_AES_128_GCM);
    pair_free(p);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_dtls_rfc6347_4_2_3_chromium_hello_in_order),
    AGW_CASE(test_dtls_rfc6347_4_2_3_chromium_hello_swapped),
    AGW_CASE(test_dtls_rfc6347_4_2_3_chromium_hello_duplicated),
    AGW_CASE(test_dtls_rfc6347_4_2_3_chromium_hello_one_half_resent),
    AGW_CASE(test_dtls_rfc6347_4_2_3_split_hello_completes),
    AGW_CASE(test_dtls_rfc6347_4_2_3_split_hello_swapped_completes),
    AGW_CASE(test_dtls_rfc6347_4_2_3_split_hello_duplicated_completes),
    AGW_CASE(test_dtls_rfc6347_4_2_4_split_hello_completes_without_its_first_half),
    AGW_CASE(test_dtls_rfc6347_4_2_4_split_hello_completes_without_its_second_half),
    AGW_CASE(test_dtls_rfc6347_4_2_4_split_hello_completes_without_both_halves),
    AGW_CASE(test_dtls_rfc5764_4_1_both_ends_have_the_same_keys_in_each_order),
    AGW_CASE(test_dtls_each_signature_is_computed_once),
    AGW_CASE(test_dtls_rfc5764_4_1_1_server_order_decides),
    AGW_CASE(test_dtls_rfc5764_4_1_no_profile_in_common_fails),
    AGW_CASE(test_dtls_rfc5763_5_client_without_certificate_never_gets_in),
    AGW_CASE(test_dtls_rfc6347_4_2_1_client_answers_a_cookie_request),
    AGW_CASE(test_dtls_rfc6347_4_2_4_completes_under_loss_of_20_to_40_percent),
    AGW_CASE(test_dtls_rfc6347_4_2_4_lost_last_flight_is_repeated),
    AGW_CASE(test_dtls_timeout_at_30_s_not_before),
    AGW_CASE(test_dtls_rfc5246_7_2_1_close_notify_is_seen),
    AGW_CASE(test_dtls_close_before_it_is_up_says_nothing),
    AGW_CASE(test_dtls_application_data_is_counted_and_harmless),
    AGW_CASE(test_dtls_context_may_go_before_its_sessions),
};
AGW_UNIT_MAIN("dtls", CASES)
