/* SPDX-License-Identifier: BSD-3-Clause
 * A server that asks for a cookie (RFC 6347 section 4.2.1): honest clients come through, ours and a
 * bare OpenSSL; who cannot read at the peer's address gets no more than the question. */
#include "link.h"

#include "base/wire.h"
#include "dtls/record.h"

static const uint8_t COOKIE[AGW_DTLS_COOKIE] = "0123456789abcde";

enum {
    HELLO_VERIFY_REQUEST = 3,
    TYPE_AT = AGW_RECORD_HEADER,
    SEQ_AT = AGW_RECORD_HEADER + 4,
    COOKIE_LEN_AT = AGW_RECORD_HEADER + AGW_HANDSHAKE_HEADER + 2 + 32 + 1, /* empty session id */
};

typedef struct pair {
    link_net net;
    agw_dtls_ctx *ctx;
    SSL_CTX *bare; /* NULL: both ends are ours */
    BIO_METHOD *method;
    unsigned requests;
} pair;

static pair *pair_new(void)
{
    pair *p = must(calloc(1, sizeof *p));
    p->ctx = link_context(NULL);
    link_ours(&p->net, LINK_SERVER, p->ctx);
    agw_dtls_ask_cookie(p->net.ends[LINK_SERVER].ours, COOKIE);
    p->net.arg = p;
    p->net.random = 88172645463325252u;
    return p;
}

static pair *pair_of_ours(void)
{
    pair *p = pair_new();
    link_ours(&p->net, LINK_CLIENT, p->ctx);
    return p;
}

static pair *pair_with_bare_client(void)
{
    pair *p = pair_new();
    agw_cert *cert = must(agw_cert_new());
    p->method = agw_bio_method_new();
    p->bare = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_options(p->bare, SSL_OP_NO_QUERY_MTU);
    CU_ASSERT_EQUAL(SSL_CTX_set_tlsext_use_srtp(p->bare, AGW_DTLS_SRTP_DEFAULT), 0);
    CU_ASSERT_EQUAL(SSL_CTX_use_certificate(p->bare, agw_cert_x509(cert)), 1);
    CU_ASSERT_EQUAL(SSL_CTX_use_PrivateKey(p->bare, agw_cert_key(cert)), 1);
    agw_cert_free(cert);
    link_bare(&p->net, LINK_CLIENT, p->bare, p->method);
    return p;
}

static void pair_free(pair *p)
{
    link_fini(&p->net);
    agw_dtls_ctx_unref(p->ctx);
    SSL_CTX_free(p->bare);
    BIO_meth_free(p->method);
    free(p);
}

static agw_dtls *server_of(pair *p)
{
    return p->net.ends[LINK_SERVER].ours;
}

static bool is_request(const uint8_t *data, size_t len)
{
    return len > TYPE_AT && data[0] == AGW_RECORD_HANDSHAKE &&
           data[TYPE_AT] == HELLO_VERIFY_REQUEST;
}

static bool count_requests(link_net *net, int to, const uint8_t *data, size_t len)
{
    pair *p = net->arg;
    p->requests += to == LINK_CLIENT && is_request(data, len);
    return true;
}

/* What the server has written; false: nothing. */
static bool answer(pair *p, uint8_t out[LINK_MTU], size_t *len)
{
    return agw_dtls_take(server_of(p), out, LINK_MTU, len);
}

/* A ClientHello of somebody; each is another one. */
static size_t hello(pair *p, uint8_t out[LINK_MTU])
{
    agw_dtls *other = must(agw_dtls_new(p->ctx, AGW_DTLS_CLIENT, link_now));
    size_t len = 0;
    agw_dtls_start(other, link_now);
    CU_ASSERT_TRUE_FATAL(agw_dtls_take(other, out, LINK_MTU, &len));
    agw_dtls_free(other);
    return len;
}

/* The same as a second ClientHello with this cookie. */
static size_t hello_with(pair *p, const uint8_t *cookie, size_t cookie_len, uint8_t out[LINK_MTU])
{
    const size_t len = hello(p, out);
    uint8_t *at = out + COOKIE_LEN_AT;
    CU_ASSERT_EQUAL_FATAL(*at, 0);
    memmove(at + 1 + cookie_len, at + 1, len - COOKIE_LEN_AT - 1);
    *at = (uint8_t)cookie_len;
    memcpy(at + 1, cookie, cookie_len);
    const size_t body = len + cookie_len - AGW_RECORD_HEADER - AGW_HANDSHAKE_HEADER;
    agw_put16(out + 11, (uint16_t)(AGW_HANDSHAKE_HEADER + body));
    agw_put24(out + TYPE_AT + 1, (uint32_t)body);
    agw_put24(out + TYPE_AT + 9, (uint32_t)body);
    agw_put16(out + SEQ_AT, 1);
    out[10] = 1; /* its record's number */
    return len + cookie_len;
}

static agw_dtls_drop give(pair *p, const uint8_t *data, size_t len)
{
    return agw_dtls_on_datagram(server_of(p), link_now, data, len);
}

/* --- honest clients ----------------------------------------------------------------------------
 */

static void comes_through(pair *p, unsigned requests, agw_ns within)
{
    p->net.filter = count_requests;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, within));
    CU_ASSERT_EQUAL(p->requests, requests);
    agw_dtls_stats s;
    agw_dtls_get_stats(server_of(p), &s);
    CU_ASSERT_EQUAL(s.restarts, 0);
    pair_free(p);
}

/* Ours lets itself be asked three times, in 600 ms. */
static void test_dtls_cookie_rfc6347_4_2_1_our_client_comes_through(void)
{
    comes_through(pair_of_ours(), 3, AGW_MS(650));
}

static void test_dtls_cookie_rfc6347_4_2_1_bare_openssl_comes_through(void)
{
    comes_through(pair_with_bare_client(), 1, AGW_MS(100));
}

static void test_dtls_cookie_rfc6347_4_2_4_comes_through_loss_of_30_percent(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        pair *p = pair_of_ours();
        p->net.random = seed * 0x9e3779b97f4a7c15u;
        p->net.loss_percent = 30;
        link_start(&p->net);
        CU_ASSERT_TRUE(link_run(&p->net, AGW_S(25)));
        pair_free(p);
    }
}

/* --- the others --------------------------------------------------------------------------------
 */

/* An answer to a hello that the peer did not send would end the peer's handshake. */
static void test_dtls_cookie_forged_hello_gets_no_more_than_the_question(void)
{
    pair *p = pair_of_ours();
    uint8_t d[LINK_MTU], out[LINK_MTU];
    size_t len = 0;
    CU_ASSERT_EQUAL(give(p, d, hello(p, d)), AGW_DTLS_DROP_NONE);
    CU_ASSERT_TRUE_FATAL(answer(p, out, &len));
    CU_ASSERT_TRUE(is_request(out, len));
    CU_ASSERT_TRUE(len < 64); /* shorter than what asked for it */
    CU_ASSERT_FALSE(answer(p, out, &len));
    pair_free(p);
}

static bool forged_before_each(link_net *net, int to, const uint8_t *data, size_t len)
{
    pair *p = net->arg;
    uint8_t d[LINK_MTU];
    count_requests(net, to, data, len);
    if (to == LINK_SERVER)
        (void)give(p, d, hello(p, d));
    return true;
}

static void test_dtls_cookie_forged_hellos_before_each_packet_do_not_shut_the_peer_out(void)
{
    pair *p = pair_of_ours();
    uint8_t d[LINK_MTU];
    for (int i = 0; i < 100; i++)
        (void)give(p, d, hello(p, d));
    p->net.filter = forged_before_each;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(700)));
    pair_free(p);
}

static void test_dtls_cookie_is_asked_for_every_20_ms_not_oftener(void)
{
    pair *p = pair_of_ours();
    uint8_t d[LINK_MTU], out[LINK_MTU];
    size_t len;
    (void)give(p, d, hello(p, d));
    CU_ASSERT_TRUE(answer(p, out, &len));
    link_now += AGW_MS(20) - 1;
    (void)give(p, d, hello(p, d));
    CU_ASSERT_FALSE(answer(p, out, &len));
    link_now += 1;
    (void)give(p, d, hello(p, d));
    CU_ASSERT_TRUE(answer(p, out, &len));
    pair_free(p);
}

static void test_dtls_cookie_wrong_ones_begin_nothing(void)
{
    pair *p = pair_of_ours();
    uint8_t d[LINK_MTU], out[LINK_MTU], wrong[AGW_DTLS_COOKIE + 1];
    size_t len;
    memcpy(wrong, COOKIE, AGW_DTLS_COOKIE);
    wrong[AGW_DTLS_COOKIE] = 0;
    for (size_t n = 0; n <= sizeof wrong; n++) {
        if (n == AGW_DTLS_COOKIE)
            wrong[AGW_DTLS_COOKIE - 1] ^= 1;
        CU_ASSERT_EQUAL(give(p, d, hello_with(p, wrong, n, d)), AGW_DTLS_DROP_HANDSHAKE);
        CU_ASSERT_FALSE(answer(p, out, &len));
    }
    CU_ASSERT_EQUAL(give(p, d, hello_with(p, COOKIE, AGW_DTLS_COOKIE, d)), AGW_DTLS_DROP_NONE);
    CU_ASSERT_TRUE_FATAL(answer(p, out, &len));
    CU_ASSERT_EQUAL(out[TYPE_AT], 2); /* ServerHello */
    CU_ASSERT_EQUAL(agw_get16(out + SEQ_AT), 1);
    pair_free(p);
}

/* A peer that began anew is asked anew, once the first handshake is at a standstill. */
static void test_dtls_cookie_stalled_handshake_gives_way_after_3_s_not_before(void)
{
    pair *p = pair_of_ours();
    uint8_t d[LINK_MTU], out[LINK_MTU];
    size_t len;
    (void)give(p, d, hello_with(p, COOKIE, AGW_DTLS_COOKIE, d));
    while (answer(p, out, &len))
        continue;
    link_now += AGW_S(3) - 1;
    CU_ASSERT_EQUAL(give(p, d, hello(p, d)), AGW_DTLS_DROP_EPOCH);
    link_now += 1;
    CU_ASSERT_EQUAL(give(p, d, hello(p, d)), AGW_DTLS_DROP_NONE);
    CU_ASSERT_TRUE(answer(p, out, &len) && is_request(out, len));
    CU_ASSERT_EQUAL(give(p, d, hello_with(p, COOKIE, AGW_DTLS_COOKIE, d)), AGW_DTLS_DROP_NONE);
    CU_ASSERT_TRUE_FATAL(answer(p, out, &len));
    CU_ASSERT_EQUAL(out[TYPE_AT], 2);
    pair_free(p);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_dtls_cookie_rfc6347_4_2_1_our_client_comes_through),
    AGW_CASE(test_dtls_cookie_rfc6347_4_2_1_bare_openssl_comes_through),
    AGW_CASE(test_dtls_cookie_rfc6347_4_2_4_comes_through_loss_of_30_percent),
    AGW_CASE(test_dtls_cookie_forged_hello_gets_no_more_than_the_question),
    AGW_CASE(test_dtls_cookie_forged_hellos_before_each_packet_do_not_shut_the_peer_out),
    AGW_CASE(test_dtls_cookie_is_asked_for_every_20_ms_not_oftener),
    AGW_CASE(test_dtls_cookie_wrong_ones_begin_nothing),
    AGW_CASE(test_dtls_cookie_stalled_handshake_gives_way_after_3_s_not_before),
};
AGW_UNIT_MAIN("dtls_cookie", CASES)
