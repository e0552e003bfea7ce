/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/context.h"

#include "dtls/bio.h"
#include "dtls/library.h"
#include "dtls/session.h"

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct agw_dtls_ctx {
    atomic_uint refs;
    SSL_CTX *ssl;
    BIO_METHOD *bio;
    agw_fingerprint fingerprints[AGW_HASH_COUNT]; /* asked for by every call */
};

/* Forward secrecy and AEAD only (RFC 8827 section 6.5; dtls/keys.c reads AEAD alerts). The RSA ones
 * are for servers with RSA certificates when we are the client. */
static const char CIPHERS[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384";

/* Any certificate will do: who the peer is, its fingerprint in the SDP says (RFC 8122). */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

/* The session keeps its cookie where OpenSSL finds it. */
static int write_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    memcpy(cookie, SSL_get_app_data(ssl), AGW_DTLS_COOKIE);
    *len = AGW_DTLS_COOKIE;
    return 1;
}

static int is_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    return len == AGW_DTLS_COOKIE &&
           CRYPTO_memcmp(cookie, SSL_get_app_data(ssl), AGW_DTLS_COOKIE) == 0;
}

static bool set_up(SSL_CTX *ssl, const agw_cert *cert, const char *srtp)
{
    char groups[] = "X25519:P-256:P-384"; /* without P-256 its certificates find no shared cipher */
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
    SSL_CTX_set_cookie_generate_cb(ssl, write_cookie);
    SSL_CTX_set_cookie_verify_cb(ssl, is_cookie);
    return SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1 &&
           SSL_CTX_set1_groups_list(ssl, groups) == 1 &&
           SSL_CTX_use_certificate(ssl, agw_cert_x509(cert)) == 1 &&
           SSL_CTX_use_PrivateKey(ssl, agw_cert_key(cert)) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(ssl, srtp) == 0; /* 0 is success here */
}

agw_dtls_ctx *agw_dtls_ctx_new(agw_cert *cert, const char *srtp)
{
    agw_dtls_ctx *ctx = calloc(1, sizeof *ctx);
    if (ctx != NULL) {
        atomic_init(&ctx->refs, 1);
        ctx->ssl = SSL_CTX_new_ex(agw_dtls_library(), NULL, DTLS_method());
        ctx->bio = agw_bio_method_new();
        const char *const order = srtp != NULL ? srtp : AGW_DTLS_SRTP_DEFAULT;
        if (cert == NULL || ctx->ssl == NULL || ctx->bio == NULL ||
            !set_up(ctx->ssl, cert, order)) {
            agw_dtls_ctx_unref(ctx);
            ctx = NULL;
        }
    }
    for (size_t hash = 0; ctx != NULL && hash < AGW_HASH_COUNT; hash++)
        agw_cert_fingerprint(cert, (agw_hash)hash, &ctx->fingerprints[hash]);
    agw_cert_free(cert); /* the SSL_CTX holds its own references to key and certificate */
    return ctx;
}

agw_dtls_ctx *agw_dtls_ctx_ref(agw_dtls_ctx *ctx)
{
    if (ctx != NULL)
        atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void agw_dtls_ctx_unref(agw_dtls_ctx *ctx)
{
    if (ctx == NULL || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(ctx->ssl);
    BIO_meth_free(ctx->bio);
    free(ctx);
}

void agw_dtls_ctx_fingerprint(const agw_dtls_ctx *ctx, agw_hash hash, agw_fingerprint *out)
{
    *out = ctx->fingerprints[hash];
}

void *agw_dtls_ctx_ssl(const agw_dtls_ctx *ctx)
{
    return ctx->ssl;
}

const void *agw_dtls_ctx_bio(const agw_dtls_ctx *ctx)
{
    return ctx->bio;
}
