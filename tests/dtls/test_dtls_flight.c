/* SPDX-License-Identifier: BSD-3-Clause
 * Flights of a peer that somebody else writes messages into: bare OpenSSL peers with keys of all
 * kinds come through, in both roles; what is forged never reaches OpenSSL. The forger has whole
 * true flights, of handshakes of his own: all that is wrong with them is what they are signed over.
 */
#include "link.h"

#include "base/wire.h"
#include "dtls/flight.h"
#include "dtls/proof.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum {
    PIECES = 16,
    FORGED_SETS = 4,
    SERVER_HELLO = 2,
    HELLO_VERIFY_REQUEST = 3,
    CERTIFICATE = 11,
    CERTIFICATE_REQUEST = 13,
    CERTIFICATE_VERIFY = 15,
    TYPE_AT = AGW_RECORD_HEADER,
    SEQ_AT = AGW_RECORD_HEADER + 4,
    BODY_AT = AGW_RECORD_HEADER + AGW_HANDSHAKE_HEADER,
};

typedef struct datagram {
    uint8_t data[LINK_MTU];
    size_t len;
} datagram;

/* One flight as its author sent it. */
typedef struct forged_set {
    datagram whole;
    datagram piece[PIECES]; /* a record each */
    size_t pieces;
} forged_set;

typedef enum kind { P256, P384, RSA2048, RSA3072, ED25519, KINDS } kind;

typedef struct peers {
    link_net net;
    agw_dtls_ctx *ours;
    SSL_CTX *bare;
    BIO_METHOD *method;
    EVP_PKEY *key;
    int our_end;
    kind kind;
    forged_set forged[FORGED_SETS];
    unsigned next_forged;
    unsigned count; /* of what a test counts */
    datagram held;
} peers;

/* --- keys --------------------------------------------------------------------------------------
 */

static EVP_PKEY *new_key(kind k)
{
    switch (k) {
    case P256:
        return EVP_EC_gen("P-256");
    case P384:
        return EVP_EC_gen("P-384");
    case RSA2048:
        return EVP_RSA_gen(2048);
    case RSA3072:
        return EVP_RSA_gen(3072);
    default:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
}

/* RSA takes its time: one of each kind for all tests. */
static EVP_PKEY *key_of(kind k)
{
    static EVP_PKEY *keys[KINDS];
    if (keys[k] == NULL)
        keys[k] = must(new_key(k));
    return keys[k];
}

static X509 *certificate_with(EVP_PKEY *subject, EVP_PKEY *key)
{
    X509 *x = must(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, subject);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"peer", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    const bool ed = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    CU_ASSERT_TRUE_FATAL(X509_sign(x, key, ed ? NULL : EVP_sha256()) > 0);
    return x;
}

static X509 *certificate_of(EVP_PKEY *key)
{
    return certificate_with(key, key);
}

/* --- two ends ----------------------------------------------------------------------------------
 */

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 1;
}

static SSL_CTX *bare_context(EVP_PKEY *key)
{
    SSL_CTX *ctx = must(SSL_CTX_new(DTLS_method()));
    X509 *x = certificate_of(key);
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, any_certificate, NULL);
    CU_ASSERT_EQUAL(SSL_CTX_set_tlsext_use_srtp(ctx, AGW_DTLS_SRTP_DEFAULT), 0);
    CU_ASSERT_EQUAL(SSL_CTX_use_certificate(ctx, x), 1);
    CU_ASSERT_EQUAL(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(x);
    return ctx;
}

/* The datagram's records, a datagram each. */
static size_t split(const uint8_t *data, size_t len, datagram out[PIECES])
{
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        CU_ASSERT_FATAL(n < PIECES);
        const size_t record = AGW_RECORD_HEADER + (size_t)agw_get16(data + at + 11);
        memcpy(out[n].data, data + at, record);
        out[n++].len = record;
        at += record;
    }
    return n;
}

/* Keeps the flight towards the end that is attacked. */
static bool record_flight(link_net *net, int to, const uint8_t *data, size_t len)
{
    peers *p = net->arg;
    forged_set *set = &p->forged[p->next_forged];
    const uint8_t first = to == LINK_SERVER ? CERTIFICATE : SERVER_HELLO;
    if (to != p->our_end || data[0] != AGW_RECORD_HANDSHAKE || data[TYPE_AT] != first ||
        set->whole.len > 0)
        return true;
    memcpy(set->whole.data, data, len);
    set->whole.len = len;
    set->pieces = split(data, len, set->piece);
    return true;
}

/* Handshakes of the forger with himself. */
static void forge_sets(peers *p)
{
    agw_dtls_ctx *ctx = link_context(NULL);
    for (p->next_forged = 0; p->next_forged < FORGED_SETS; p->next_forged++) {
        link_net *other = must(calloc(1, sizeof *other));
        link_ours(other, LINK_SERVER, ctx);
        link_ours(other, LINK_CLIENT, ctx);
        other->filter = record_flight;
        other->arg = p;
        link_start(other);
        CU_ASSERT_TRUE(link_run(other, AGW_MS(100)));
        CU_ASSERT_TRUE_FATAL(p->forged[p->next_forged].pieces >= 3);
        link_fini(other);
        free(other);
    }
    agw_dtls_ctx_unref(ctx);
}

static peers *peers_new(int our_end, kind k)
{
    peers *p = must(calloc(1, sizeof *p));
    p->our_end = our_end;
    p->kind = k;
    forge_sets(p);
    p->ours = link_context(NULL);
    p->bare = bare_context(key_of(k));
    p->method = agw_bio_method_new();
    link_ours(&p->net, our_end, p->ours);
    link_bare(&p->net, 1 - our_end, p->bare, p->method);
    p->net.arg = p;
    p->net.random = 88172645463325252u;
    return p;
}

static void peers_free(peers *p)
{
    link_fini(&p->net);
    agw_dtls_ctx_unref(p->ours);
    SSL_CTX_free(p->bare);
    BIO_meth_free(p->method);
    free(p);
}

static agw_dtls *ours_of(peers *p)
{
    return p->net.ends[p->our_end].ours;
}

static agw_dtls_stats stats_of(peers *p)
{
    agw_dtls_stats s;
    agw_dtls_get_stats(ours_of(p), &s);
    return s;
}

static agw_dtls_drop give(peers *p, const datagram *d)
{
    return agw_dtls_on_datagram(ours_of(p), link_now, d->data, d->len);
}

/* Up within so long, at the first attempt; the keys are the same. */
static void comes_through(peers *p, link_filter *filter, agw_ns within)
{
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    uint8_t theirs[56] = {0};
    agw_dtls_result r;
    p->net.filter = filter;
    link_start(&p->net);
    const bool up = link_run(&p->net, within);
    CU_ASSERT_TRUE(up);
    if (!up)
        printf("\nour end %d, kind %d: %s, %llu without proof\n", p->our_end, (int)p->kind,
               agw_dtls_reason(ours_of(p)),
               (unsigned long long)stats_of(p).drops[AGW_DTLS_DROP_PROOF]);
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    CU_ASSERT_EQUAL(stats_of(p).drops[AGW_DTLS_DROP_REFUSED], 0);
    if (up && agw_dtls_get_result(ours_of(p), &r) == AGW_OK) {
        CU_ASSERT_EQUAL(SSL_export_keying_material(p->net.ends[1 - p->our_end].ssl, theirs,
                                                   sizeof theirs, LABEL, sizeof LABEL - 1, NULL, 0,
                                                   0),
                        1);
        CU_ASSERT_EQUAL(memcmp(theirs, r.client_key, r.key_len), 0);
    }
    peers_free(p);
}

/* Our client offers Ed25519, but OpenSSL's server finds no suite for it. */
static int kinds_for(int our_end)
{
    return our_end == LINK_CLIENT ? ED25519 : KINDS;
}

static void all_come_through(link_filter *filter, agw_ns within)
{
    for (int end = 0; end < 2; end++) {
        for (int k = 0; k < kinds_for(end); k++)
            comes_through(peers_new(end, (kind)k), filter, within);
    }
}

/* --- nobody forges -----------------------------------------------------------------------------
 */

static bool swap_pieces(link_net *net, int to, const uint8_t *data, size_t len)
{
    const peers *p = net->arg;
    datagram piece[PIECES];
    if (to != p->our_end)
        return true;
    for (size_t n = split(data, len, piece), i = n; i-- > 0;)
        link_inject(net, to, piece[i].data, piece[i].len, AGW_MS(5) + (agw_ns)(n - i));
    return false;
}

static void test_flight_rfc5246_7_4_8_keys_of_all_kinds_come_through(void)
{
    all_come_through(NULL, AGW_MS(100));
}

/* ChangeCipherSpec overtakes all: the peer repeats its flight after 1 s. */
static void test_flight_rfc6347_4_2_4_messages_in_the_wrong_order_come_through(void)
{
    all_come_through(swap_pieces, AGW_S(8));
}

static bool in_fragments(link_net *net, int to, const uint8_t *data, size_t len)
{
    peers *p = net->arg;
    datagram piece[PIECES];
    if (to != p->our_end)
        return true;
    const size_t n = split(data, len, piece);
    agw_ns delay = AGW_MS(5) + PIECES * p->count++;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *r = piece[i].data;
        const size_t body = piece[i].len - BODY_AT;
        if (r[0] != AGW_RECORD_HANDSHAKE || agw_get16(r + 3) != 0 || body < 2) {
            link_inject(net, to, r, piece[i].len, delay++);
            continue;
        }
        const size_t offset = agw_get24(r + TYPE_AT + 6), half = body / 2;
        for (unsigned part = 0; part < 2; part++) {
            datagram d = piece[i];
            const size_t from = part == 0 ? 0 : half, part_len = part == 0 ? half : body - half;
            memmove(d.data + BODY_AT, d.data + BODY_AT + from, part_len);
            agw_put24(d.data + TYPE_AT + 6, (uint32_t)(offset + from));
            agw_put24(d.data + TYPE_AT + 9, (uint32_t)part_len);
            agw_put16(d.data + 11, (uint16_t)(AGW_HANDSHAKE_HEADER + part_len));
            link_inject(net, to, d.data, BODY_AT + part_len, delay++);
        }
    }
    return false;
}

static void test_flight_rfc6347_4_2_3_fragments_come_through(void)
{
    all_come_through(in_fragments, AGW_MS(100));
}

/* --- somebody does -----------------------------------------------------------------------------
 */

static const forged_set *next_set(peers *p)
{
    return &p->forged[p->next_forged++ % FORGED_SETS];
}

static void give_forged_pieces(peers *p)
{
    const forged_set *set = next_set(p);
    for (size_t i = 0; i < set->pieces; i++)
        (void)give(p, &set->piece[i]);
}

/* Ten whole flights and ten in pieces before each datagram of the peer. */
static bool forged_before(link_net *net, int to, const uint8_t *data, size_t len)
{
    peers *p = net->arg;
    (void)to, (void)data, (void)len;
    for (int i = 0; i < 10; i++) {
        (void)give(p, &next_set(p)->whole);
        give_forged_pieces(p);
    }
    return true;
}

static void test_flight_whole_forged_ones_before_and_after_each_datagram_do_no_harm(void)
{
    for (int end = 0; end < 2; end++)
        comes_through(peers_new(end, P256), forged_before, AGW_MS(100));
}

/* The peer's flight comes a record at a time, 100 us apart; in between comes one forged message,
 * each kind in turn. */
static bool forged_between(link_net *net, int to, const uint8_t *data, size_t len)
{
    peers *p = net->arg;
    datagram piece[PIECES];
    if (to != p->our_end)
        return true;
    agw_ns delay = AGW_MS(5);
    for (size_t n = split(data, len, piece), i = 0; i < n; i++) {
        const forged_set *set = next_set(p);
        const datagram *f = &set->piece[p->count++ % 3];
        link_inject(net, to, piece[i].data, piece[i].len, delay += AGW_US(50));
        link_inject(net, to, f->data, f->len, delay += AGW_US(50));
    }
    return false;
}

static void test_flight_forged_messages_between_the_peers_do_no_harm(void)
{
    for (unsigned first = 0; first < 3; first++) {
        for (int end = 0; end < 2; end++) {
            peers *p = peers_new(end, P256);
            p->count = first;
            comes_through(p, forged_between, AGW_MS(150));
        }
    }
}

/* A forged datagram each so often, from the hello until both are up; 1000 a second are ten times
 * the rate of a call. */
static bool flooded(peers *p, bool pieces, agw_ns every, agw_ns how_long)
{
    const agw_ns until = link_now + how_long;
    const forged_set *set = next_set(p);
    size_t i = 0;
    link_start(&p->net);
    while (link_now < until && !link_run(&p->net, every)) {
        (void)give(p, pieces ? &set->piece[i] : &set->whole);
        i = (i + 1) % set->pieces;
        set = i == 0 || !pieces ? next_set(p) : set;
    }
    return link_both_up(&p->net);
}

static void test_flight_flood_of_ten_times_the_rate_does_no_harm(void)
{
    for (int end = 0; end < 2; end++) {
        for (int k = 0; k < kinds_for(end); k++) {
            for (int pieces = 0; pieces < 2; pieces++) {
                peers *p = peers_new(end, (kind)k);
                CU_ASSERT_TRUE(flooded(p, pieces != 0, AGW_MS(1), AGW_MS(100)));
                CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
                peers_free(p);
            }
        }
    }
}

/* A lost flight is repeated; OpenSSL then sends each message in a datagram of its own. */
static void test_flight_flood_and_loss_do_no_harm(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        peers *p = peers_new((int)(seed % 2), P256);
        p->net.random = seed * 0x9E3779B97F4A7C15u | 1;
        p->net.loss_percent = 20;
        const bool up = flooded(p, seed % 4 < 2, AGW_MS(1), AGW_S(30));
        CU_ASSERT_TRUE(up);
        CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
        if (!up)
            printf("\nseed %llu: %s\n", (unsigned long long)seed, agw_dtls_reason(ours_of(p)));
        peers_free(p);
    }
}

/* 2000 a second are as many as callers let through. */
static void test_flight_flood_at_the_callers_limit_holds_it_up_for_a_second_at_most(void)
{
    for (int end = 0; end < 2; end++) {
        peers *p = peers_new(end, P256);
        CU_ASSERT_TRUE(flooded(p, false, AGW_US(500), AGW_MS(1100)));
        peers_free(p);
    }
}

/* --- what is no proof --------------------------------------------------------------------------
 */

/* Spoils the first datagram of the flight, whose copy is kept; later ones pass. */
static bool hold_flight(link_net *net, int to, const uint8_t *data, size_t len)
{
    peers *p = net->arg;
    const uint8_t first = to == LINK_SERVER ? CERTIFICATE : SERVER_HELLO;
    if (to != p->our_end || data[TYPE_AT] != first || p->held.len > 0)
        return true;
    memcpy(p->held.data, data, len);
    p->held.len = len;
    return false;
}

static peers *with_held_flight(int our_end)
{
    peers *p = peers_new(our_end, P256);
    p->net.filter = hold_flight;
    link_start(&p->net);
    (void)link_run(&p->net, AGW_MS(50));
    CU_ASSERT_TRUE_FATAL(p->held.len > 0);
    return p;
}

/* The message of that type in the held flight. */
static uint8_t *message_in(datagram *d, uint8_t type)
{
    for (size_t at = 0; at < d->len;
         at += AGW_RECORD_HEADER + (size_t)agw_get16(d->data + at + 11)) {
        if (d->data[at] == AGW_RECORD_HANDSHAKE && d->data[at + TYPE_AT] == type)
            return d->data + at + TYPE_AT;
    }
    CU_FAIL_FATAL("no such message");
    return NULL;
}

/* Refused without a word; what the peer then repeats is taken. */
static void is_no_proof(peers *p, const datagram *d)
{
    uint8_t out[LINK_MTU];
    size_t len;
    const uint64_t before = stats_of(p).drops[AGW_DTLS_DROP_PROOF];
    (void)give(p, d);
    CU_ASSERT_EQUAL(stats_of(p).drops[AGW_DTLS_DROP_PROOF], before + 1);
    CU_ASSERT_EQUAL(stats_of(p).drops[AGW_DTLS_DROP_REFUSED], 0);
    CU_ASSERT_FALSE(agw_dtls_take(ours_of(p), out, sizeof out, &len));
    CU_ASSERT_TRUE(link_run(&p->net, AGW_S(5)));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    peers_free(p);
}

static void test_flight_rfc5246_7_4_8_one_bit_of_any_message_and_it_is_no_proof(void)
{
    static const uint8_t TYPES[2][3] = {{11, 16, 15}, {2, 12}};
    for (int end = 0; end < 2; end++) {
        for (size_t i = 0; i < 3 && TYPES[end][i] != 0; i++) {
            peers *p = with_held_flight(end);
            datagram d = p->held;
            uint8_t *m = message_in(&d, TYPES[end][i]);
            m[AGW_HANDSHAKE_HEADER + (m[0] == SERVER_HELLO ? 9 : agw_get24(m + 1) - 1)] ^= 1;
            is_no_proof(p, &d);
        }
    }
}

static void test_flight_rfc5246_7_4_1_4_1_signature_of_another_scheme_is_no_proof(void)
{
    static const uint16_t OTHERS[] = {0x0503, 0x0401, 0x0804, 0x0807, 0x0203, 0x0000};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        peers *p = with_held_flight(LINK_SERVER);
        datagram d = p->held;
        agw_put16(message_in(&d, CERTIFICATE_VERIFY) + AGW_HANDSHAKE_HEADER, OTHERS[i]);
        is_no_proof(p, &d);
    }
}

static void test_flight_rfc5246_7_4_6_empty_certificate_has_a_name(void)
{
    peers *p = with_held_flight(LINK_SERVER);
    datagram d = {.data = {22,          0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 9, 9, 0, 15,
                           CERTIFICATE, 0,    0,    3, 0, 1, 0, 0, 0, 0, 0, 3},
                  .len = 28};
    CU_ASSERT_EQUAL(give(p, &d), AGW_DTLS_DROP_CERTIFICATE);
    CU_ASSERT_STRING_EQUAL(agw_dtls_reason(ours_of(p)), "peer without certificate");
    CU_ASSERT_EQUAL(give(p, &p->held), AGW_DTLS_DROP_NONE);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    peers_free(p);
}

static void test_flight_rfc6347_4_2_4_change_cipher_spec_before_the_flight_is_dropped(void)
{
    static const datagram CCS = {.data = {20, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 9, 9, 0, 1, 1},
                                 .len = 14};
    for (int end = 0; end < 2; end++) {
        peers *p = with_held_flight(end);
        CU_ASSERT_EQUAL(give(p, &CCS), AGW_DTLS_DROP_EPOCH);
        CU_ASSERT_EQUAL(give(p, &p->held), AGW_DTLS_DROP_NONE);
        CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
        CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
        peers_free(p);
    }
}

/* Nothing signs it: a false one that came before, or comes in between, does not replace the one
 * that came with the key. */
static void test_flight_certificate_request_comes_with_the_key(void)
{
    peers *p = with_held_flight(LINK_CLIENT);
    datagram piece[PIECES];
    const size_t n = split(p->held.data, p->held.len, piece);
    CU_ASSERT_EQUAL_FATAL(n, 5);
    datagram forged = piece[3];
    forged.data[forged.len - 3] ^= 0x55;
    CU_ASSERT_EQUAL(give(p, &forged), AGW_DTLS_DROP_NONE);
    CU_ASSERT_EQUAL(give(p, &p->held), AGW_DTLS_DROP_NONE);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    peers_free(p);
}

/* A later one does not replace it, either. */
static void test_flight_certificate_request_that_came_with_the_key_stays(void)
{
    peers *p = with_held_flight(LINK_CLIENT);
    datagram piece[PIECES];
    (void)split(p->held.data, p->held.len, piece);
    datagram forged = piece[3], most = p->held;
    forged.data[forged.len - 3] ^= 0x55;
    most.len -= piece[4].len;
    (void)give(p, &most);
    (void)give(p, &forged);
    (void)give(p, &piece[4]);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    peers_free(p);
}

/* Two that came by themselves and contradict each other: neither is believed, the next one is. */
static void test_flight_certificate_requests_that_contradict_are_not_believed(void)
{
    peers *p = with_held_flight(LINK_CLIENT);
    datagram piece[PIECES];
    uint8_t out[LINK_MTU];
    size_t len;
    (void)split(p->held.data, p->held.len, piece);
    datagram forged = piece[3];
    forged.data[forged.len - 3] ^= 0x55;
    for (size_t i = 0; i < 4; i++)
        (void)give(p, &piece[i]);
    (void)give(p, &forged);
    (void)give(p, &piece[4]);
    CU_ASSERT_FALSE(agw_dtls_take(ours_of(p), out, sizeof out, &len));
    (void)give(p, &piece[3]);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    peers_free(p);
}

/* One that came before the key is no contradiction. */
static void test_flight_certificate_request_from_before_the_key_is_forgotten(void)
{
    peers *p = with_held_flight(LINK_CLIENT);
    datagram piece[PIECES];
    (void)split(p->held.data, p->held.len, piece);
    datagram forged = piece[3];
    forged.data[forged.len - 3] ^= 0x55;
    (void)give(p, &forged);
    for (size_t i = 0; i < 5; i++)
        (void)give(p, &piece[i]);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    peers_free(p);
}

/* Who signs with another key does not write the rest, either. */
static void test_flight_forged_one_between_key_and_request_is_not_believed(void)
{
    peers *p = with_held_flight(LINK_CLIENT);
    datagram piece[PIECES];
    (void)split(p->held.data, p->held.len, piece);
    for (size_t i = 0; i < 3; i++)
        (void)give(p, &piece[i]);
    datagram forged = next_set(p)->whole;
    message_in(&forged, CERTIFICATE_REQUEST)[agw_get24(message_in(&forged, 13) + 1)] ^= 0x55;
    (void)give(p, &forged);
    (void)give(p, &piece[3]);
    (void)give(p, &piece[4]);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(50)));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 0);
    peers_free(p);
}

/* A true signature, and OpenSSL refuses the flight all the same: the client begins anew. */
static void test_flight_refused_one_lets_the_client_begin_anew(void)
{
    peers *p = with_held_flight(LINK_CLIENT);
    uint8_t out[LINK_MTU];
    size_t len;
    message_in(&p->held, CERTIFICATE_REQUEST)[AGW_HANDSHAKE_HEADER] = 255; /* a list too long */
    (void)give(p, &p->held);
    CU_ASSERT_EQUAL(stats_of(p).drops[AGW_DTLS_DROP_REFUSED], 1);
    CU_ASSERT_FALSE(agw_dtls_take(ours_of(p), out, sizeof out, &len));
    CU_ASSERT_EQUAL(agw_dtls_deadline(ours_of(p)), link_now + AGW_MS(200));
    agw_dtls_on_deadline(ours_of(p), link_now + AGW_MS(200));
    CU_ASSERT_TRUE(agw_dtls_take(ours_of(p), out, sizeof out, &len));
    CU_ASSERT_EQUAL(out[TYPE_AT], 1);
    peers_free(p);
}

/* --- the budget --------------------------------------------------------------------------------
 */

/* An RSA key whose every use takes as long as signing. */
static EVP_PKEY *slow_key(void)
{
    EVP_PKEY *key = NULL;
    BIGNUM *n = NULL, *e = NULL, *d = NULL; /* the exponents change places */
    CU_ASSERT_EQUAL_FATAL(EVP_PKEY_get_bn_param(key_of(RSA2048), OSSL_PKEY_PARAM_RSA_N, &n), 1);
    CU_ASSERT_EQUAL_FATAL(EVP_PKEY_get_bn_param(key_of(RSA2048), OSSL_PKEY_PARAM_RSA_D, &e), 1);
    CU_ASSERT_EQUAL_FATAL(EVP_PKEY_get_bn_param(key_of(RSA2048), OSSL_PKEY_PARAM_RSA_E, &d), 1);
    OSSL_PARAM_BLD *build = must(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    CU_ASSERT_EQUAL_FATAL(EVP_PKEY_fromdata_init(ctx), 1);
    CU_ASSERT_EQUAL_FATAL(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    BN_free(d);
    return key;
}

/* Signed with SHA-256; what is not used by any peer is refused, however true. */
static void verifies(EVP_PKEY *key, uint16_t scheme, bool expected, int expected_price)
{
    static const uint8_t TEXT[] = "text";
    uint8_t signature[1024], *der = NULL;
    size_t len = sizeof signature;
    int price = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    X509 *x = certificate_with(key, key_of(P256));
    const int der_len = i2d_X509(x, &der);
    CU_ASSERT_EQUAL_FATAL(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    CU_ASSERT_EQUAL_FATAL(EVP_DigestSign(ctx, signature, &len, TEXT, sizeof TEXT), 1);
    agw_proof p = {{der, (size_t)der_len}, scheme, {signature, len}};
    const agw_slice text = {TEXT, sizeof TEXT};
    CU_ASSERT_EQUAL(agw_proof_verify(&p, text, &price), expected);
    CU_ASSERT_EQUAL(price, expected_price);
    signature[len - 1] ^= 1;
    CU_ASSERT_FALSE(agw_proof_verify(&p, text, &price));
    OPENSSL_free(der);
    X509_free(x);
    EVP_MD_CTX_free(ctx);
}

static void test_flight_slow_keys_are_dearer_or_not_used(void)
{
    EVP_PKEY *p521 = EVP_EC_gen("P-521"), *slow = slow_key();
    verifies(key_of(P256), 0x0403, true, 1);
    verifies(key_of(P384), 0x0403, true, 8);
    verifies(key_of(RSA2048), 0x0401, true, 1);
    verifies(key_of(RSA2048), 0x0804, false, 1); /* PKCS #1 is no PSS */
    verifies(p521, 0x0403, false, 1);
    verifies(slow, 0x0401, false, 1);
    EVP_PKEY_free(p521);
    EVP_PKEY_free(slow);
}

static void add(agw_flight *f, const datagram *piece, size_t n)
{
    agw_flight_next_datagram(f);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *m = piece[i].data + TYPE_AT;
        const agw_fragment message = {.type = m[0],
                                      .seq = agw_get16(m + 4),
                                      .length = agw_get24(m + 1),
                                      .len = agw_get24(m + 1),
                                      .body = m + AGW_HANDSHAKE_HEADER};
        CU_ASSERT_EQUAL(agw_flight_add(f, &message), AGW_DTLS_DROP_NONE);
    }
}

static void test_flight_checks_are_1000_a_second_and_128_at_once(void)
{
    peers *p = peers_new(LINK_SERVER, P256);
    agw_flight f = {0};
    agw_fragment set[AGW_FLIGHT_PLACES];
    size_t n;
    agw_flight_begin(&f, AGW_DTLS_SERVER, false);
    agw_flight_sent_random(&f, (const uint8_t[AGW_FLIGHT_RANDOM]){1});
    for (int i = 1; i <= 200; i++) {
        add(&f, next_set(p)->piece, 3);
        CU_ASSERT_EQUAL(agw_flight_prove(&f, AGW_S(5), set, &n), AGW_DTLS_DROP_PROOF);
        CU_ASSERT_EQUAL(f.alone.left, i < 128 ? (int64_t)(128 - i) * 1000000 : 0);
    }
    add(&f, next_set(p)->piece, 3);
    (void)agw_flight_prove(&f, AGW_S(5) + AGW_MS(7), set, &n); /* seven more, one is used */
    CU_ASSERT_EQUAL(f.alone.left, 6000000);
    CU_ASSERT_EQUAL(f.mixed.at, 0);
    agw_flight_clear(&f);
    peers_free(p);
}

/* Below 96 checks each datagram gets one, however many others its message fits to. */
static void test_flight_mixtures_are_fewer_when_there_are_many(void)
{
    peers *p = peers_new(LINK_SERVER, P256);
    agw_flight f = {0};
    agw_fragment set[AGW_FLIGHT_PLACES];
    size_t n;
    agw_flight_begin(&f, AGW_DTLS_SERVER, false);
    agw_flight_sent_random(&f, (const uint8_t[AGW_FLIGHT_RANDOM]){1});
    for (size_t i = 0; i < 60; i++) {
        add(&f, &p->forged[i % FORGED_SETS].piece[i % 3], 1);
        (void)agw_flight_prove(&f, AGW_S(5), set, &n);
        CU_ASSERT_EQUAL(n, 0);
    }
    CU_ASSERT_TRUE(f.mixed.left <= 96000000 && f.mixed.left >= 96000000 - 60000000);
    CU_ASSERT_EQUAL(f.alone.at, 0);
    agw_flight_clear(&f);
    peers_free(p);
}

static void test_flight_slow_keys_use_up_more(void)
{
    peers *p = peers_new(LINK_SERVER, P384);
    agw_flight f = {0};
    agw_fragment set[AGW_FLIGHT_PLACES];
    datagram piece[PIECES];
    size_t n;
    p->net.filter = hold_flight;
    link_start(&p->net);
    (void)link_run(&p->net, AGW_MS(50));
    (void)split(p->held.data, p->held.len, piece);
    agw_flight_begin(&f, AGW_DTLS_SERVER, false);
    agw_flight_sent_random(&f, (const uint8_t[AGW_FLIGHT_RANDOM]){1});
    add(&f, piece, 3);
    CU_ASSERT_EQUAL(agw_flight_prove(&f, AGW_S(5), set, &n), AGW_DTLS_DROP_PROOF);
    CU_ASSERT_EQUAL(f.alone.left, 120000000);
    agw_flight_clear(&f);
    peers_free(p);
}

static void test_flight_rfc6347_4_2_6_fragments_are_signed_as_one(void)
{
    peers *p = peers_new(LINK_CLIENT, P256); /* the forger's are server flights */
    const datagram *whole = &p->forged[0].piece[1];
    const size_t body = whole->len - BODY_AT;
    agw_flight f = {0}, g = {0};
    agw_flight_begin(&f, AGW_DTLS_SERVER, false);
    agw_flight_begin(&g, AGW_DTLS_SERVER, false);
    agw_flight_sent(&f, whole->data, whole->len);
    for (size_t from = 0, len = 100; from < body; from += len) {
        datagram d = *whole;
        len = body - from < len ? body - from : len;
        memmove(d.data + BODY_AT, d.data + BODY_AT + from, len);
        agw_put24(d.data + TYPE_AT + 6, (uint32_t)from);
        agw_put24(d.data + TYPE_AT + 9, (uint32_t)len);
        agw_put16(d.data + 11, (uint16_t)(AGW_HANDSHAKE_HEADER + len));
        agw_flight_sent(&g, d.data, BODY_AT + len);
    }
    CU_ASSERT_EQUAL_FATAL(f.signed_before_len, AGW_HANDSHAKE_HEADER + body);
    CU_ASSERT_EQUAL_FATAL(g.signed_before_len, f.signed_before_len);
    CU_ASSERT_EQUAL(memcmp(f.signed_before, g.signed_before, g.signed_before_len), 0);
    agw_flight_clear(&f);
    agw_flight_clear(&g);
    peers_free(p);
}

/* --- cookies that a client is asked for --------------------------------------------------------
 */

static void hello_verify_request(datagram *d, uint64_t cookie)
{
    static const uint8_t HEAD[] = {22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0,  0,    23,   3,
                                   0,  0,    11,   0, 0, 0, 0, 0, 0, 0, 11, 0xFE, 0xFF, 8};
    memcpy(d->data, HEAD, sizeof HEAD);
    agw_put64(d->data + sizeof HEAD, cookie);
    d->len = sizeof HEAD + 8;
}

/* Ten before each datagram: random ones, and one that is always the same. */
static bool asked_before(link_net *net, int to, const uint8_t *data, size_t len)
{
    peers *p = net->arg;
    datagram d;
    if (to == LINK_SERVER)
        p->count += agw_get16(data + SEQ_AT) == 1 && data[TYPE_AT] == 1;
    (void)len;
    for (int i = 0; i < 10; i++) {
        hello_verify_request(&d, i % 2 == 0 ? 7 : link_random(net));
        (void)give(p, &d);
    }
    return true;
}

/* A server that asks for nothing would end its handshake on a second hello. */
static void
test_flight_rfc6347_4_2_1_forged_requests_do_not_disturb_a_server_that_asks_nothing(void)
{
    peers *p = peers_new(LINK_CLIENT, P256);
    p->net.filter = asked_before;
    link_start(&p->net);
    CU_ASSERT_TRUE(link_run(&p->net, AGW_MS(100)));
    CU_ASSERT_EQUAL(p->count, 0);
    peers_free(p);
}

static void test_flight_rfc6347_4_2_1_request_is_answered_after_600_ms_if_it_came_twice(void)
{
    peers *p = peers_new(LINK_CLIENT, P256);
    datagram d, out;
    link_start(&p->net);
    while (agw_dtls_take(ours_of(p), out.data, sizeof out.data, &out.len))
        continue;
    const agw_ns began = link_now;
    hello_verify_request(&d, 5);
    CU_ASSERT_EQUAL(give(p, &d), AGW_DTLS_DROP_PROOF);
    agw_dtls_on_deadline(ours_of(p), began + AGW_MS(600));
    while (agw_dtls_take(ours_of(p), out.data, sizeof out.data, &out.len))
        CU_ASSERT_EQUAL(agw_get16(out.data + SEQ_AT), 0);
    CU_ASSERT_EQUAL(give(p, &d), AGW_DTLS_DROP_NONE);
    agw_dtls_on_deadline(ours_of(p), began + AGW_MS(600) - 1);
    CU_ASSERT_FALSE(agw_dtls_take(ours_of(p), out.data, sizeof out.data, &out.len));
    agw_dtls_on_deadline(ours_of(p), began + AGW_MS(600));
    CU_ASSERT_TRUE_FATAL(agw_dtls_take(ours_of(p), out.data, sizeof out.data, &out.len));
    CU_ASSERT_EQUAL(agw_get16(out.data + SEQ_AT), 1);
    /* No flight follows: it was false, and the client begins anew. */
    agw_dtls_on_deadline(ours_of(p), began + AGW_MS(2600));
    CU_ASSERT_TRUE_FATAL(agw_dtls_take(ours_of(p), out.data, sizeof out.data, &out.len));
    CU_ASSERT_EQUAL(stats_of(p).restarts, 1);
    peers_free(p);
}

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

/* 500 false requests a second, none like another. */
static bool random_requests(link_net *net, int to, const uint8_t *data, size_t len)
{
    datagram d;
    (void)data, (void)len;
    for (int i = 0; to == LINK_SERVER && i < 100; i++) {
        hello_verify_request(&d, link_random(net));
        link_inject(net, LINK_CLIENT, d.data, d.len, AGW_MS(2) * (i + 1));
    }
    return true;
}

static void test_flight_rfc6347_4_2_1_server_that_asks_is_found_among_forged_requests(void)
{
    peers *p = peers_new(LINK_CLIENT, P256);
    SSL_set_options(p->net.ends[LINK_SERVER].ssl, SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_cookie_generate_cb(p->bare, cookie);
    SSL_CTX_set_cookie_verify_cb(p->bare, cookie_ok);
    comes_through(p, random_requests, AGW_MS(800));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_flight_rfc5246_7_4_8_keys_of_all_kinds_come_through),
    AGW_CASE(test_flight_rfc6347_4_2_4_messages_in_the_wrong_order_come_through),
    AGW_CASE(test_flight_rfc6347_4_2_3_fragments_come_through),
    AGW_CASE(test_flight_whole_forged_ones_before_and_after_each_datagram_do_no_harm),
    AGW_CASE(test_flight_forged_messages_between_the_peers_do_no_harm),
    AGW_CASE(test_flight_flood_of_ten_times_the_rate_does_no_harm),
    AGW_CASE(test_flight_flood_and_loss_do_no_harm),
    AGW_CASE(test_flight_flood_at_the_callers_limit_holds_it_up_for_a_second_at_most),
    AGW_CASE(test_flight_rfc5246_7_4_8_one_bit_of_any_message_and_it_is_no_proof),
    AGW_CASE(test_flight_rfc5246_7_4_1_4_1_signature_of_another_scheme_is_no_proof),
    AGW_CASE(test_flight_rfc5246_7_4_6_empty_certificate_has_a_name),
    AGW_CASE(test_flight_rfc6347_4_2_4_change_cipher_spec_before_the_flight_is_dropped),
    AGW_CASE(test_flight_certificate_request_comes_with_the_key),
    AGW_CASE(test_flight_certificate_request_that_came_with_the_key_stays),
    AGW_CASE(test_flight_certificate_requests_that_contradict_are_not_believed),
    AGW_CASE(test_flight_certificate_request_from_before_the_key_is_forgotten),
    AGW_CASE(test_flight_forged_one_between_key_and_request_is_not_believed),
    AGW_CASE(test_flight_slow_keys_are_dearer_or_not_used),
    AGW_CASE(test_flight_refused_one_lets_the_client_begin_anew),
    AGW_CASE(test_flight_mixtures_are_fewer_when_there_are_many),
    AGW_CASE(test_flight_slow_keys_use_up_more),
    AGW_CASE(test_flight_rfc6347_4_2_6_fragments_are_signed_as_one),
    AGW_CASE(test_flight_checks_are_1000_a_second_and_128_at_once),
    AGW_CASE(test_flight_rfc6347_4_2_1_forged_requests_do_not_disturb_a_server_that_asks_nothing),
    AGW_CASE(test_flight_rfc6347_4_2_1_request_is_answered_after_600_ms_if_it_came_twice),
    AGW_CASE(test_flight_rfc6347_4_2_1_server_that_asks_is_found_among_forged_requests),
};
AGW_UNIT_MAIN("dtls_flight", CASES)
