/* SPDX-License-Identifier: BSD-3-Clause
 * Session keys from the master key (RFC 3711 section 4.3), key derivation rate 0. RFC 7714 section
 * 11 takes the same function for GCM, its salt of 12 bytes padded with zeros. */
#include "base/secret.h"
#include "srtp/inside.h"

#include <openssl/evp.h>
#include <string.h>

enum { LABEL_CIPHER = 0, LABEL_AUTH = 1, LABEL_SALT = 2, LABELS_RTCP = 3, LABEL_AT = 7 };

/* The key stream of AES-CM under the IV (label * 2^48 XOR salt) * 2^16. */
static bool derive(EVP_CIPHER_CTX *ctx, const uint8_t salt[AGW_SRTP_IV_LEN], uint8_t label,
                   uint8_t *out, size_t len)
{
    uint8_t iv[AGW_SRTP_IV_LEN];
    int done = 0;
    memcpy(iv, salt, sizeof iv);
    iv[LABEL_AT] ^= label;
    memset(out, 0, len);
    return EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(ctx, out, &done, out, (int)len) == 1;
}

/* first: of the three labels. */
static bool derive_set(EVP_CIPHER_CTX *ctx, const uint8_t salt[AGW_SRTP_IV_LEN], uint8_t first,
                       const agw_srtp_suite_info *suite, agw_srtp_keys *out)
{
    memset(out, 0, sizeof *out);
    return derive(ctx, salt, first + LABEL_CIPHER, out->cipher, suite->key_len) &&
           derive(ctx, salt, first + LABEL_AUTH, out->auth, sizeof out->auth) &&
           derive(ctx, salt, first + LABEL_SALT, out->salt, suite->salt_len);
}

bool agw_srtp_derive(agw_srtp_keys *rtp, agw_srtp_keys *rtcp, const agw_srtp_suite_info *suite,
                     const uint8_t *key_and_salt)
{
    const EVP_CIPHER *aes = suite->key_len == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    uint8_t salt[AGW_SRTP_IV_LEN] = {0};
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL)
        return false;
    memcpy(salt, key_and_salt + suite->key_len, suite->salt_len);
    const bool ok = EVP_EncryptInit_ex(ctx, aes, NULL, key_and_salt, NULL) == 1 &&
                    derive_set(ctx, salt, 0, suite, rtp) &&
                    derive_set(ctx, salt, LABELS_RTCP, suite, rtcp);
    EVP_CIPHER_CTX_free(ctx);
    agw_secret_wipe(salt, sizeof salt);
    return ok;
}
