/* SPDX-License-Identifier: BSD-3-Clause */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hmac.h"

#include "base/secret.h"

#include <stdbool.h>
#include <string.h>

static void pad(SHA_CTX *out, const uint8_t *key, size_t len, uint8_t fill)
{
    uint8_t block[AGW_HMAC_BLOCK];
    memset(block, fill, sizeof block);
    for (size_t i = 0; i < len; i++)
        block[i] ^= key[i];
    SHA1_Init(out);
    SHA1_Update(out, block, sizeof block);
    agw_secret_wipe(block, sizeof block);
}

void agw_hmac_init(agw_hmac *h, const uint8_t *key, size_t len)
{
    uint8_t digest[AGW_HMAC_LEN];
    const bool is_long = len > AGW_HMAC_BLOCK;
    if (is_long)
        SHA1(key, len, digest);
    pad(&h->inner, is_long ? digest : key, is_long ? sizeof digest : len, 0x36);
    pad(&h->outer, is_long ? digest : key, is_long ? sizeof digest : len, 0x5c);
    if (is_long)
        agw_secret_wipe(digest, sizeof digest);
}

void agw_hmac_of(const agw_hmac *h, const uint8_t *data, size_t len, uint8_t digest[AGW_HMAC_LEN])
{
    SHA_CTX now = h->inner;
    SHA1_Update(&now, data, len);
    SHA1_Final(digest, &now);
    now = h->outer;
    SHA1_Update(&now, digest, AGW_HMAC_LEN);
    SHA1_Final(digest, &now);
}
