/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC-SHA1 (RFC 2104), for SRTP and STUN, on OpenSSL's SHA_CTX: the states behind the padded key
 * are computed once for each key and copied for each packet. EVP_Digest* and EVP_MAC* of
 * OpenSSL 3.0 allocate twice for each HMAC and take 1.7 to 2 times as long, HMAC() five times;
 * SHA_CTX is deprecated but not replaced. */
#ifndef AGW_BASE_HMAC_H
#define AGW_BASE_HMAC_H

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

enum { AGW_HMAC_BLOCK = 64, AGW_HMAC_LEN = SHA_DIGEST_LENGTH };

typedef struct agw_hmac {
    SHA_CTX inner, outer;
} agw_hmac;

/** Of a key of any length. */
void agw_hmac_init(agw_hmac *h, const uint8_t *key, size_t len);
void agw_hmac_of(const agw_hmac *h, const uint8_t *data, size_t len, uint8_t digest[AGW_HMAC_LEN]);

#endif
