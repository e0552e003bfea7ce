/* SPDX-License-Identifier: BSD-3-Clause
 * The batch on OpenSSL, packet by packet: EVP for AES-CM and GCM, copied SHA_CTX states for HMAC.
 * Nothing is allocated once the keys are set. */
#include "base/hmac.h"
#include "srtp/inside.h"

#include <openssl/evp.h>
#include <string.h>

enum { GCM_TAG = 16 };

typedef struct keys {
    EVP_CIPHER_CTX *ctx;
    agw_hmac hmac; /* AES-CM */
} keys;

static size_t key_bytes(const agw_srtp_suite_info *suite)
{
    (void)suite;
    return sizeof(keys);
}

static bool set_keys(void *out, const agw_srtp_session *s, const agw_srtp_keys *from)
{
    const bool is_long = s->suite->key_len == 32;
    const EVP_CIPHER *cm = is_long ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    const EVP_CIPHER *gcm = is_long ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    keys *k = out;
    k->ctx = EVP_CIPHER_CTX_new();
    agw_hmac_init(&k->hmac, from->auth, sizeof from->auth);
    return k->ctx != NULL && EVP_CipherInit_ex(k->ctx, s->is_gcm ? gcm : cm, NULL, from->cipher,
                                               NULL, s->egress || !s->is_gcm) == 1;
}

static void drop_keys(void *from, const agw_srtp_session *s)
{
    const keys *k = from;
    (void)s;
    EVP_CIPHER_CTX_free(k->ctx);
}

static void cipher(agw_srtp_engine *e, agw_srtp_job *const jobs[], size_t n)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        agw_srtp_job *job = jobs[i];
        const keys *k = job->keys;
        EVP_CIPHER_CTX *ctx = k->ctx;
        uint8_t *text = job->data + job->header_len;
        int done = 0;
        job->has_failed =
            EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, job->iv) != 1 ||
            EVP_EncryptUpdate(ctx, text, &done, text, (int)(job->len - job->header_len)) != 1;
    }
}

static void hash(agw_srtp_engine *e, agw_srtp_job *const jobs[], size_t n)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        const keys *k = jobs[i]->keys;
        agw_hmac_of(&k->hmac, jobs[i]->data, jobs[i]->len + AGW_SRTP_ROC_LEN, jobs[i]->digest);
    }
}

static void seal(agw_srtp_job *job)
{
    const keys *k = job->keys;
    EVP_CIPHER_CTX *ctx = k->ctx;
    uint8_t *text = job->data + job->header_len, none[AGW_SRTP_IV_LEN];
    const int aad_len = (int)job->aad_len, text_len = (int)(job->len - job->header_len);
    int done = 0;
    job->has_failed =
        EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, job->iv) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &done, job->aad, aad_len) != 1 ||
        EVP_EncryptUpdate(ctx, text, &done, text, text_len) != 1 ||
        EVP_EncryptFinal_ex(ctx, none, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG, job->data + job->len) != 1;
}

static bool open(agw_srtp_job *job)
{
    const keys *k = job->keys;
    EVP_CIPHER_CTX *ctx = k->ctx;
    uint8_t *text = job->data + job->header_len, none[AGW_SRTP_IV_LEN];
    const int aad_len = (int)job->aad_len, text_len = (int)(job->len - job->header_len);
    int done = 0;
    return EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, job->iv) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG, job->data + job->len) == 1 &&
           EVP_DecryptUpdate(ctx, NULL, &done, job->aad, aad_len) == 1 &&
           EVP_DecryptUpdate(ctx, text, &done, text, text_len) == 1 &&
           EVP_DecryptFinal_ex(ctx, none, &done) == 1;
}

const agw_srtp_backend agw_srtp_openssl = {
    .name = "OpenSSL",
    .key_bytes = key_bytes,
    .set_keys = set_keys,
    .drop_keys = drop_keys,
    .cipher = cipher,
    .hash = hash,
    .seal = seal,
    .open = open,
};
