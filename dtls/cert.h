/* SPDX-License-Identifier: BSD-3-Clause
 * Our certificate for DTLS-SRTP (self-signed ECDSA P-256, RFC 8827 section 6.5) and fingerprints of
 * certificates as SDP carries them (RFC 8122 section 5). */
#ifndef AGW_DTLS_CERT_H
#define AGW_DTLS_CERT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum agw_hash {
    AGW_HASH_SHA1 = 0,
    AGW_HASH_SHA224,
    AGW_HASH_SHA256,
    AGW_HASH_SHA384,
    AGW_HASH_SHA512,
    AGW_HASH_COUNT,
} agw_hash;

enum {
    AGW_HASH_BYTES = 64,       /* longest digest */
    AGW_CERT_PEM = 4096,       /* certificate and key as PEM, NUL included */
    AGW_FINGERPRINT_TEXT = 208 /* "sha-512 AA:...", NUL included */
};

typedef struct agw_fingerprint {
    uint8_t hash; /* agw_hash */
    uint8_t len;  /* bytes of the digest; 0 = none */
    uint8_t bytes[AGW_HASH_BYTES];
} agw_fingerprint;

/** Parses the value of a=fingerprint, "sha-256 AB:CD:..."; names and digits in any case.
 * @param text borrowed for the call, len bytes, no NUL needed
 * @return AGW_OK; AGW_ERR_UNSUPPORTED: another hash function (skip the line); AGW_ERR_MALFORMED */
AGW_NODISCARD agw_err agw_fingerprint_parse(agw_fingerprint *out, const char *text, size_t len);
/** Writes "sha-256 AB:CD:..." into out (AGW_FINGERPRINT_TEXT bytes are enough) and returns it. */
const char *agw_fingerprint_text(const agw_fingerprint *fp, char *out, size_t size);
/** Same hash function and same digest, in constant time. */
bool agw_fingerprint_equal(const agw_fingerprint *a, const agw_fingerprint *b);
/** true: the certificate whose digests are given is the one that was signalled. */
bool agw_fingerprint_matches(const agw_fingerprint *signalled,
                             const agw_fingerprint digests[AGW_HASH_COUNT]);

/** A private key with its certificate. */
typedef struct agw_cert agw_cert;

/** A new key and certificate, valid from yesterday for a year. 0.3 ms. NULL: the library refused.
 */
AGW_NODISCARD agw_cert *agw_cert_new(void);
void agw_cert_free(agw_cert *cert);
void agw_cert_fingerprint(const agw_cert *cert, agw_hash hash, agw_fingerprint *out);

/** Writes certificate and private key as PEM (for HTTPS of the demo), NUL-terminated; AGW_CERT_PEM
 * bytes are enough. Wipe it after use. */
AGW_NODISCARD agw_err agw_cert_pem(const agw_cert *cert, char *out, size_t size);

/** For this room only: an EVP_PKEY and an X509, borrowed; the digest of any X509. */
void *agw_cert_key(const agw_cert *cert);
void *agw_cert_x509(const agw_cert *cert);
void agw_x509_fingerprint(const void *x509, agw_hash hash, agw_fingerprint *out);

#endif
