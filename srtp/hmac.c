/* SPDX-License-Identifier: BSD-3-Clause */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "srtp/hmac.h"

#include "base/err.h"
#include "base/secret.h"

#include <string.h>

static void pad(SHA_CTX *out, const uint8_t *key, size_t len, uint8_t fill)
{
    uint8_t block[AGW_SRTP_HMAC_BLOCK];
    memset(block, fill, sizeof block);
    for (size_t i = 0; i < len; i++)
        block[i] ^= key[i];
    SHA1_Init(out);
    SHA1_Update(out, block, sizeof block);
    agw_secret_wipe(block, sizeof block);
}

void agw_srtp_hmac_init(agw_srtp_hmac *h, const uint8_t *key, size_t len)
{
    AGW_ASSERT(len <= AGW_SRTP_HMAC_BLOCK);
    pad(&h->inner, key, len, 0x36);
    pad(&h->outer, key, len, 0x5c);
}

void agw_srtp_hmac_finish(const agw_srtp_hmac *h, SHA_CTX *now, uint8_t digest[AGW_SRTP_HMAC_LEN])
{
    SHA1_Final(digest, now);
    *now = h->outer;
    SHA1_Update(now, digest, AGW_SRTP_HMAC_LEN);
    SHA1_Final(digest, now);
}

void agw_srtp_hmac_of(const agw_srtp_hmac *h, const uint8_t *data, size_t len,
                      uint8_t digest[AGW_SRTP_HMAC_LEN])
{
    SHA_CTX now = h->inner;
    SHA1_Update(&now, data, len);
    agw_srtp_hmac_finish(h, &now, digest);
}
