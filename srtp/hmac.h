/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC-SHA1 (RFC 2104) on OpenSSL's SHA_CTX: the states behind the padded key are computed once for
 * each key and copied for each packet. EVP_Digest* and EVP_MAC* of OpenSSL 3.0 allocate twice for
 * each HMAC and take 1.7 to 2 times as long; SHA_CTX is deprecated but not replaced. */
#ifndef AGW_SRTP_HMAC_H
#define AGW_SRTP_HMAC_H

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

enum { AGW_SRTP_HMAC_BLOCK = 64, AGW_SRTP_HMAC_LEN = SHA_DIGEST_LENGTH };

typedef struct agw_srtp_hmac {
    SHA_CTX inner, outer;
} agw_srtp_hmac;

/** len: up to AGW_SRTP_HMAC_BLOCK. */
void agw_srtp_hmac_init(agw_srtp_hmac *h, const uint8_t *key, size_t len);
/** now began as a copy of h->inner and has taken the message. */
void agw_srtp_hmac_finish(const agw_srtp_hmac *h, SHA_CTX *now, uint8_t digest[AGW_SRTP_HMAC_LEN]);
void agw_srtp_hmac_of(const agw_srtp_hmac *h, const uint8_t *data, size_t len,
                      uint8_t digest[AGW_SRTP_HMAC_LEN]);

#endif
