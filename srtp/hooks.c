/* SPDX-License-Identifier: BSD-3-Clause
 * OpenSSL under libsrtp2: AES in counter mode (RFC 3711 section 4.1.1, RFC 6188), AES-GCM
 * (RFC 7714) and HMAC-SHA1. A context lives as long as its key: nothing is allocated per packet,
 * but for the first one under GCM. */

#define OPENSSL_SUPPRESS_DEPRECATED

#include "srtp/hooks.h"

#include "base/secret.h"
#include "srtp/hmac.h"

#include <limits.h>
#include <openssl/evp.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 };

/* srtp_cipher_t.state. libsrtp gives key and salt of counter mode together, and keeps the salt of
 * GCM to itself. */
typedef struct cipher {
    srtp_cipher_t head;
    EVP_CIPHER_CTX *ctx;
    uint8_t salt[BLOCK]; /* counter mode: XORed into every IV; its last two bytes are 0 */
    int tag_len;         /* GCM */
    uint8_t key[32];     /* GCM: until the first packet */
    bool has_key_waiting;
} cipher;

static srtp_err_status_t cipher_free(srtp_cipher_t *head)
{
    cipher *c = head->state;
    EVP_CIPHER_CTX_free(c->ctx);
    agw_secret_wipe(c, sizeof *c);
    free(c);
    return srtp_err_status_ok;
}

static srtp_err_status_t cipher_new(srtp_cipher_t **out, const srtp_cipher_type_t *type,
                                    int key_len, int tag_len)
{
    cipher *c = calloc(1, sizeof *c);
    if (c == NULL)
        return srtp_err_status_alloc_fail;
    c->ctx = EVP_CIPHER_CTX_new();
    if (c->ctx == NULL) {
        free(c);
        return srtp_err_status_alloc_fail;
    }
    c->tag_len = tag_len;
    c->head =
        (srtp_cipher_t){.type = type, .state = c, .key_len = key_len, .algorithm = (int)type->id};
    *out = &c->head;
    return srtp_err_status_ok;
}

static srtp_err_status_t status_of(int ok)
{
    return ok == 1 ? srtp_err_status_ok : srtp_err_status_cipher_fail;
}

static srtp_err_status_t icm_init(void *state, const uint8_t *key)
{
    cipher *c = state;
    const bool wide = c->head.key_len == SRTP_AES_ICM_256_KEY_LEN_WSALT;
    const size_t key_len = (size_t)c->head.key_len - SRTP_SALT_LEN;
    memcpy(c->salt, key + key_len, SRTP_SALT_LEN);
    return status_of(
        EVP_EncryptInit_ex(c->ctx, wide ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, key, NULL));
}

static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    cipher *c = state;
    (void)direction; /* counter mode is its own inverse */
    uint8_t counter[BLOCK];
    for (size_t i = 0; i < BLOCK; i++)
        counter[i] = iv[i] ^ c->salt[i];
    return status_of(EVP_EncryptInit_ex(c->ctx, NULL, NULL, NULL, counter));
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *buf, unsigned *len)
{
    cipher *c = state;
    int done = 0;
    if (*len > INT_MAX)
        return srtp_err_status_bad_param;
    return status_of(EVP_EncryptUpdate(c->ctx, buf, &done, buf, (int)*len));
}

/* Half of all GCM ciphers are made for RTP, which never uses them (batch.c): OpenSSL's kilobyte for
 * a key waits for the first packet. */
static srtp_err_status_t gcm_init(void *state, const uint8_t *key)
{
    cipher *c = state;
    memcpy(c->key, key, (size_t)c->head.key_len - SRTP_AEAD_SALT_LEN);
    c->has_key_waiting = true;
    return srtp_err_status_ok;
}

static int gcm_set_key(cipher *c)
{
    const bool wide = c->head.key_len == SRTP_AES_GCM_256_KEY_LEN_WSALT;
    const EVP_CIPHER *aes = wide ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    const int ok = EVP_CipherInit_ex(c->ctx, aes, NULL, c->key, NULL, 1);
    agw_secret_wipe(c->key, sizeof c->key);
    c->has_key_waiting = false;
    return ok;
}

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    cipher *c = state;
    const int encrypt = direction == srtp_direction_encrypt;
    if (c->has_key_waiting && gcm_set_key(c) != 1)
        return srtp_err_status_cipher_fail;
    return status_of(EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, iv, encrypt));
}

/* Called twice for one SRTCP packet: header, then the index word. */
static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t len)
{
    cipher *c = state;
    int done = 0;
    if (len > INT_MAX)
        return srtp_err_status_bad_param;
    return status_of(EVP_CipherUpdate(c->ctx, NULL, &done, aad, (int)len));
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *buf, unsigned *len)
{
    cipher *c = state;
    int done = 0;
    uint8_t none[BLOCK]; /* GCM leaves nothing for the end */
    if (*len > INT_MAX)
        return srtp_err_status_bad_param;
    /* without encryption (SRTCP, E bit clear) there is no buffer */
    if (*len > 0 && EVP_EncryptUpdate(c->ctx, buf, &done, buf, (int)*len) != 1)
        return srtp_err_status_cipher_fail;
    return status_of(EVP_EncryptFinal_ex(c->ctx, none, &done));
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *len)
{
    cipher *c = state;
    *len = (uint32_t)c->tag_len;
    return status_of(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_GET_TAG, c->tag_len, tag));
}

static srtp_err_status_t gcm_decrypt(void *state, uint8_t *buf, unsigned *len)
{
    cipher *c = state;
    const unsigned tag_len = (unsigned)c->tag_len;
    if (*len < tag_len || *len > INT_MAX)
        return srtp_err_status_bad_param;
    const unsigned text_len = *len - tag_len;
    int done = 0;
    uint8_t none[BLOCK];
    if (EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_SET_TAG, c->tag_len, buf + text_len) != 1)
        return srtp_err_status_cipher_fail;
    if (text_len > 0 && EVP_DecryptUpdate(c->ctx, buf, &done, buf, (int)text_len) != 1)
        return srtp_err_status_cipher_fail;
    if (EVP_DecryptFinal_ex(c->ctx, none, &done) != 1)
        return srtp_err_status_auth_fail;
    *len = text_len;
    return srtp_err_status_ok;
}

typedef struct hmac {
    srtp_auth_t head;
    agw_srtp_hmac keyed;
    SHA_CTX now;
} hmac;

static srtp_err_status_t hmac_free(srtp_auth_t *head)
{
    hmac *h = head->state;
    agw_secret_wipe(h, sizeof *h);
    free(h);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_start(void *state)
{
    hmac *h = state;
    h->now = h->keyed.inner;
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_init(void *state, const uint8_t *key, int key_len)
{
    hmac *h = state;
    if (key_len < 0 || key_len > AGW_SRTP_HMAC_BLOCK)
        return srtp_err_status_bad_param;
    agw_srtp_hmac_init(&h->keyed, key, (size_t)key_len);
    return hmac_start(h);
}

static srtp_err_status_t hmac_update(void *state, const uint8_t *buf, int len)
{
    hmac *h = state;
    if (len < 0)
        return srtp_err_status_bad_param;
    SHA1_Update(&h->now, buf, (size_t)len);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_compute(void *state, const uint8_t *buf, int len, int tag_len,
                                      uint8_t *tag)
{
    hmac *h = state;
    uint8_t digest[AGW_SRTP_HMAC_LEN];
    if (tag_len < 0 || tag_len > AGW_SRTP_HMAC_LEN ||
        hmac_update(h, buf, len) != srtp_err_status_ok)
        return srtp_err_status_bad_param;
    agw_srtp_hmac_finish(&h->keyed, &h->now, digest);
    memcpy(tag, digest, (size_t)tag_len);
    return srtp_err_status_ok;
}

/* Known answers of our own; libsrtp runs its own ones over the hooks too. */

/* RFC 3711 appendix B.2; RFC 6188 section 7.1 with the 256-bit key */
static const uint8_t icm_128_key[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
                                      0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0xf0, 0xf1, 0xf2, 0xf3,
                                      0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static const uint8_t icm_256_key[] = {
    0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c, 0x40, 0xb1, 0xf0, 0x92,
    0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82, 0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static const uint8_t zeros[32] = {0};
static const uint8_t icm_128_stream[] = {
    0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
    0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab};
static const uint8_t icm_256_stream[] = {
    0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77, 0xd0, 0x8b, 0x55, 0x15, 0xa4,
    0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8, 0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac};

/* McGrew, Viega: "The Galois/Counter Mode of Operation", test cases 4 and 16 */
static const uint8_t gcm_key[] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                  0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                  0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08, 0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0};
static const uint8_t gcm_aad[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                  0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t gcm_text[] = {
    0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26,
    0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
    0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
    0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
static const uint8_t gcm_128_cipher[] = {
    0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84, 0xd0, 0xd4, 0x9c,
    0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e,
    0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93, 0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05,
    0x1b, 0xa3, 0x0b, 0x39, 0x6a, 0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc,
    0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47};
static const uint8_t gcm_256_cipher[] = {
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d,
    0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa,
    0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
    0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce,
    0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};

/* Not const because libsrtp declares them so; it only reads them. */
static uint8_t zero_iv[BLOCK] = {0};
static uint8_t gcm_iv[] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};

static const srtp_cipher_test_case_t icm_128_case = {
    .key_length_octets = sizeof icm_128_key,
    .key = icm_128_key,
    .idx = zero_iv,
    .plaintext_length_octets = sizeof zeros,
    .plaintext = zeros,
    .ciphertext_length_octets = sizeof icm_128_stream,
    .ciphertext = icm_128_stream,
};
static const srtp_cipher_test_case_t icm_256_case = {
    .key_length_octets = sizeof icm_256_key,
    .key = icm_256_key,
    .idx = zero_iv,
    .plaintext_length_octets = sizeof zeros,
    .plaintext = zeros,
    .ciphertext_length_octets = sizeof icm_256_stream,
    .ciphertext = icm_256_stream,
};
static const srtp_cipher_test_case_t gcm_128_case = {
    .key_length_octets = SRTP_AES_GCM_128_KEY_LEN_WSALT,
    .key = gcm_key,
    .idx = gcm_iv,
    .plaintext_length_octets = sizeof gcm_text,
    .plaintext = gcm_text,
    .ciphertext_length_octets = sizeof gcm_128_cipher,
    .ciphertext = gcm_128_cipher,
    .aad_length_octets = sizeof gcm_aad,
    .aad = gcm_aad,
    .tag_length_octets = 16,
};
static const srtp_cipher_test_case_t gcm_256_case = {
    .key_length_octets = SRTP_AES_GCM_256_KEY_LEN_WSALT,
    .key = gcm_key,
    .idx = gcm_iv,
    .plaintext_length_octets = sizeof gcm_text,
    .plaintext = gcm_text,
    .ciphertext_length_octets = sizeof gcm_256_cipher,
    .ciphertext = gcm_256_cipher,
    .aad_length_octets = sizeof gcm_aad,
    .aad = gcm_aad,
    .tag_length_octets = 16,
};

/* RFC 2202 section 3, test case 1 */
static const uint8_t hmac_case_key[] = {11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
                                        11, 11, 11, 11, 11, 11, 11, 11, 11, 11};
static const uint8_t hmac_case_data[] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
static const uint8_t hmac_case_tag[] = {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                                        0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};
static const srtp_auth_test_case_t hmac_case = {
    .key_length_octets = sizeof hmac_case_key,
    .key = hmac_case_key,
    .data_length_octets = sizeof hmac_case_data,
    .data = hmac_case_data,
    .tag_length_octets = sizeof hmac_case_tag,
    .tag = hmac_case_tag,
};

static srtp_err_status_t icm_128_new(srtp_cipher_t **out, int key_len, int tag_len);
static srtp_err_status_t icm_256_new(srtp_cipher_t **out, int key_len, int tag_len);
static srtp_err_status_t gcm_128_new(srtp_cipher_t **out, int key_len, int tag_len);
static srtp_err_status_t gcm_256_new(srtp_cipher_t **out, int key_len, int tag_len);
static srtp_err_status_t hmac_new(srtp_auth_t **out, int key_len, int tag_len);

static const srtp_cipher_type_t icm_128 = {
    .alloc = icm_128_new,
    .dealloc = cipher_free,
    .init = icm_init,
    .encrypt = icm_crypt,
    .decrypt = icm_crypt,
    .set_iv = icm_set_iv,
    .description = "AES-128 counter mode, OpenSSL",
    .test_data = &icm_128_case,
    .id = SRTP_AES_ICM_128,
};
static const srtp_cipher_type_t icm_256 = {
    .alloc = icm_256_new,
    .dealloc = cipher_free,
    .init = icm_init,
    .encrypt = icm_crypt,
    .decrypt = icm_crypt,
    .set_iv = icm_set_iv,
    .description = "AES-256 counter mode, OpenSSL",
    .test_data = &icm_256_case,
    .id = SRTP_AES_ICM_256,
};
static const srtp_cipher_type_t gcm_128 = {
    .alloc = gcm_128_new,
    .dealloc = cipher_free,
    .init = gcm_init,
    .set_aad = gcm_set_aad,
    .encrypt = gcm_encrypt,
    .decrypt = gcm_decrypt,
    .set_iv = gcm_set_iv,
    .get_tag = gcm_get_tag,
    .description = "AES-128 GCM, OpenSSL",
    .test_data = &gcm_128_case,
    .id = SRTP_AES_GCM_128,
};
static const srtp_cipher_type_t gcm_256 = {
    .alloc = gcm_256_new,
    .dealloc = cipher_free,
    .init = gcm_init,
    .set_aad = gcm_set_aad,
    .encrypt = gcm_encrypt,
    .decrypt = gcm_decrypt,
    .set_iv = gcm_set_iv,
    .get_tag = gcm_get_tag,
    .description = "AES-256 GCM, OpenSSL",
    .test_data = &gcm_256_case,
    .id = SRTP_AES_GCM_256,
};
static const srtp_auth_type_t hmac_sha1 = {
    .alloc = hmac_new,
    .dealloc = hmac_free,
    .init = hmac_init,
    .compute = hmac_compute,
    .update = hmac_update,
    .start = hmac_start,
    .description = "HMAC-SHA1, OpenSSL",
    .test_data = &hmac_case,
    .id = SRTP_HMAC_SHA1,
};

static srtp_err_status_t icm_128_new(srtp_cipher_t **out, int key_len, int tag_len)
{
    if (key_len != SRTP_AES_ICM_128_KEY_LEN_WSALT)
        return srtp_err_status_bad_param;
    return cipher_new(out, &icm_128, key_len, tag_len);
}

static srtp_err_status_t icm_256_new(srtp_cipher_t **out, int key_len, int tag_len)
{
    if (key_len != SRTP_AES_ICM_256_KEY_LEN_WSALT)
        return srtp_err_status_bad_param;
    return cipher_new(out, &icm_256, key_len, tag_len);
}

static srtp_err_status_t gcm_128_new(srtp_cipher_t **out, int key_len, int tag_len)
{
    if (key_len != SRTP_AES_GCM_128_KEY_LEN_WSALT || (tag_len != 16 && tag_len != 8))
        return srtp_err_status_bad_param;
    return cipher_new(out, &gcm_128, key_len, tag_len);
}

static srtp_err_status_t gcm_256_new(srtp_cipher_t **out, int key_len, int tag_len)
{
    if (key_len != SRTP_AES_GCM_256_KEY_LEN_WSALT || (tag_len != 16 && tag_len != 8))
        return srtp_err_status_bad_param;
    return cipher_new(out, &gcm_256, key_len, tag_len);
}

static srtp_err_status_t hmac_new(srtp_auth_t **out, int key_len, int tag_len)
{
    if (key_len < 0 || key_len > AGW_SRTP_HMAC_BLOCK || tag_len < 0 || tag_len > AGW_SRTP_HMAC_LEN)
        return srtp_err_status_bad_param;
    hmac *h = calloc(1, sizeof *h);
    if (h == NULL)
        return srtp_err_status_alloc_fail;
    h->head = (srtp_auth_t){
        .type = &hmac_sha1, .state = h, .out_len = tag_len, .key_len = key_len, .prefix_len = 0};
    *out = &h->head;
    return srtp_err_status_ok;
}

agw_err agw_srtp_init(void)
{
    static const srtp_cipher_type_t *const ciphers[] = {&icm_128, &icm_256, &gcm_128, &gcm_256};
    /* srtp_init() refuses a second call; its debug module tells whether there was a first. */
    if (srtp_set_debug_module("srtp", 0) != srtp_err_status_ok && srtp_init() != srtp_err_status_ok)
        return AGW_ERR_SYSTEM;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        if (srtp_replace_cipher_type(ciphers[i], ciphers[i]->id) != srtp_err_status_ok)
            return AGW_ERR_SYSTEM;
    }
    if (srtp_replace_auth_type(&hmac_sha1, hmac_sha1.id) != srtp_err_status_ok)
        return AGW_ERR_SYSTEM;
    return AGW_OK;
}
