/* SPDX-License-Identifier: BSD-3-Clause
 * What all DTLS sessions of one certificate generation share: certificate, cipher suites, SRTP
 * profiles. Reference-counted and safe to share between threads: the plan names it, each session
 * keeps it for its whole association. */
#ifndef AGW_DTLS_CONTEXT_H
#define AGW_DTLS_CONTEXT_H

#include "base/err.h"
#include "dtls/cert.h"

typedef struct agw_dtls_ctx agw_dtls_ctx;

/** DTLS-SRTP protection profiles (RFC 5764 section 4.1.2, RFC 7714 section 14.2). */
typedef enum agw_srtp_profile {
    AGW_SRTP_PROFILE_NONE = 0,
    AGW_SRTP_PROFILE_AES128_CM_SHA1_80 = 0x0001,
    AGW_SRTP_PROFILE_AES128_CM_SHA1_32 = 0x0002,
    AGW_SRTP_PROFILE_AEAD_AES_128_GCM = 0x0007,
    AGW_SRTP_PROFILE_AEAD_AES_256_GCM = 0x0008,
} agw_srtp_profile;

/** OpenSSL's names, best first. */
#define AGW_DTLS_SRTP_DEFAULT "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

/** @param cert  given: freed with the context, also when NULL is returned
 *  @param srtp  order of use_srtp, NULL = AGW_DTLS_SRTP_DEFAULT; borrowed for the call
 *  @return one reference; NULL: the library refused, e.g. an unknown profile name */
AGW_NODISCARD agw_dtls_ctx *agw_dtls_ctx_new(agw_cert *cert, const char *srtp);
/** One more reference; returns ctx. NULL is allowed. */
agw_dtls_ctx *agw_dtls_ctx_ref(agw_dtls_ctx *ctx);
/** Drops one reference; the last one frees. NULL is allowed. */
void agw_dtls_ctx_unref(agw_dtls_ctx *ctx);
/** Of its certificate, for a=fingerprint. */
void agw_dtls_ctx_fingerprint(const agw_dtls_ctx *ctx, agw_hash hash, agw_fingerprint *out);

/** For dtls/session.c only: an SSL_CTX and a BIO_METHOD, borrowed. */
void *agw_dtls_ctx_ssl(const agw_dtls_ctx *ctx);
const void *agw_dtls_ctx_bio(const agw_dtls_ctx *ctx);

#endif
