/* SPDX-License-Identifier: BSD-3-Clause
 * OpenSSL really stands under libsrtp2, is right, and allocates nothing per packet. */
#include "packets.h"
#include "srtp/hooks.h"
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <srtp2/cipher.h>
#include <time.h>

/* Exported by libsrtp2, but in none of its installed headers: the cipher that the library itself
 * would take. */
srtp_err_status_t srtp_crypto_kernel_alloc_cipher(srtp_cipher_type_id_t id,
                                                  srtp_cipher_pointer_t *out, int key_len,
                                                  int tag_len);

/* The linker sends the room's calls here (--wrap). */
static unsigned encrypts, decrypts, hashes;

int __real_EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len,
                             const unsigned char *in, int in_len);
int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len,
                             const unsigned char *in, int in_len);
int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len,
                             const unsigned char *in, int in_len)
{
    encrypts++;
    return __real_EVP_EncryptUpdate(ctx, out, out_len, in, in_len);
}

int __real_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len,
                             const unsigned char *in, int in_len);
int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len,
                             const unsigned char *in, int in_len);
int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len,
                             const unsigned char *in, int in_len)
{
    decrypts++;
    return __real_EVP_DecryptUpdate(ctx, out, out_len, in, in_len);
}

int __real_SHA1_Final(unsigned char *md, SHA_CTX *c);
int __wrap_SHA1_Final(unsigned char *md, SHA_CTX *c);
int __wrap_SHA1_Final(unsigned char *md, SHA_CTX *c)
{
    hashes++;
    return __real_SHA1_Final(md, c);
}

static unsigned long allocations;

static void *count_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    allocations++;
    return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    allocations++;
    return realloc(p, n);
}

static void count_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static void test_srtp_hooks_init_passes_the_known_answers_and_may_be_repeated(void)
{
    CU_ASSERT_EQUAL_FATAL(agw_srtp_init(), AGW_OK);
    CU_ASSERT_TRUE(encrypts > 0); /* libsrtp2's self tests went through OpenSSL */
    CU_ASSERT_TRUE(decrypts > 0);
    CU_ASSERT_TRUE(hashes > 0);
    CU_ASSERT_EQUAL(agw_srtp_init(), AGW_OK);
}

static void test_srtp_hooks_library_hands_out_the_openssl_ciphers(void)
{
    static const struct {
        srtp_cipher_type_id_t id;
        int key_len;
    } types[] = {{SRTP_AES_ICM_128, 30},
                 {SRTP_AES_ICM_256, 46},
                 {SRTP_AES_GCM_128, 28},
                 {SRTP_AES_GCM_256, 44}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        srtp_cipher_t *c = NULL;
        CU_ASSERT_EQUAL_FATAL(
            srtp_crypto_kernel_alloc_cipher(types[i].id, &c, types[i].key_len, 16), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(c->type->description, "OpenSSL"));
        srtp_cipher_dealloc(c);
    }
}

static void test_srtp_hooks_refuse_other_key_and_tag_lengths(void)
{
    srtp_cipher_t *c = NULL;
    CU_ASSERT_NOT_EQUAL(srtp_crypto_kernel_alloc_cipher(SRTP_AES_ICM_128, &c, 29, 0), 0);
    CU_ASSERT_NOT_EQUAL(srtp_crypto_kernel_alloc_cipher(SRTP_AES_ICM_256, &c, 30, 0), 0);
    CU_ASSERT_NOT_EQUAL(srtp_crypto_kernel_alloc_cipher(SRTP_AES_GCM_128, &c, 28, 12), 0);
    CU_ASSERT_NOT_EQUAL(srtp_crypto_kernel_alloc_cipher(SRTP_AES_GCM_256, &c, 28, 16), 0);
}

static void test_srtp_hooks_every_packet_goes_through_openssl(void)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        agw_srtp_session *tx = test_session((agw_srtp_suite)suite, true);
        agw_srtp_session *rx = test_session((agw_srtp_suite)suite, false);
        CU_ASSERT_TRUE_FATAL(tx != NULL && rx != NULL);
        encrypts = decrypts = hashes = 0;
        for (uint16_t seq = 1; seq <= 10; seq++) {
            uint8_t pkt[ROOM];
            size_t len = test_rtp(pkt, 1, seq, 160);
            CU_ASSERT_EQUAL(agw_srtp_protect(tx, pkt, &len, 16), AGW_OK);
            CU_ASSERT_EQUAL(agw_srtp_unprotect(rx, pkt, &len), AGW_OK);
        }
        const bool gcm = agw_srtp_suite_get((agw_srtp_suite)suite)->salt_len == 12;
        CU_ASSERT_TRUE(encrypts >= (gcm ? 10 : 20));
        CU_ASSERT_TRUE(gcm ? decrypts >= 10 : hashes >= 40); /* inner and outer, twice each */
        agw_srtp_session_free(tx);
        agw_srtp_session_free(rx);
    }
}

static void test_srtp_hooks_openssl_allocates_nothing_per_packet(void)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        agw_srtp_session *tx = test_session((agw_srtp_suite)suite, true);
        agw_srtp_session *rx = test_session((agw_srtp_suite)suite, false);
        CU_ASSERT_TRUE_FATAL(tx != NULL && rx != NULL);
        unsigned long before = 0;
        for (uint16_t seq = 0; seq < 200; seq++) {
            if (seq == 1) /* the first packet clones the stream */
                before = allocations;
            uint8_t pkt[ROOM];
            size_t len = test_rtp(pkt, 1, seq, 160);
            CU_ASSERT_EQUAL(agw_srtp_protect(tx, pkt, &len, 16), AGW_OK);
            CU_ASSERT_EQUAL(agw_srtp_unprotect(rx, pkt, &len), AGW_OK);
        }
        CU_ASSERT_EQUAL(allocations, before);
        agw_srtp_session_free(tx);
        agw_srtp_session_free(rx);
    }
    CU_ASSERT_TRUE(allocations > 0); /* the counter counts */
}

/* RFC 7714 sections 16 and 17: session key 00 01 02 ..., salt "Quid pro quo". */
static const uint8_t rfc7714_salt[12] = {0x51, 0x75, 0x69, 0x64, 0x20, 0x70,
                                         0x72, 0x6f, 0x20, 0x71, 0x75, 0x6f};
static const uint8_t rfc7714_16_header[12] = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41,
                                              0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
static const char rfc7714_16_plain[] = "Gallia est omnis divisa in partes tres";
static const uint8_t rfc7714_16_1[] = {
    0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e,
    0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a,
    0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27,
    0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
static const uint8_t rfc7714_16_2[] = {
    0x32, 0xb1, 0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e,
    0x33, 0xaa, 0xb1, 0x80, 0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02,
    0x76, 0xff, 0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99, 0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36,
    0xdf, 0xff, 0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13};

/* RFC 7714 section 8.1: 2 zero bytes, SSRC, ROC, SEQ, XORed with the salt. */
static void rfc7714_iv(uint8_t iv[12], uint32_t ssrc, uint32_t roc, uint16_t seq)
{
    memset(iv, 0, 12);
    agw_put32(iv + 2, ssrc);
    agw_put32(iv + 6, roc);
    agw_put16(iv + 10, seq);
    for (size_t i = 0; i < 12; i++)
        iv[i] ^= rfc7714_salt[i];
}

static void gcm_vector(srtp_cipher_type_id_t id, int key_len, const uint8_t *expected)
{
    uint8_t key[44], iv[12], buf[64];
    const unsigned text_len = sizeof rfc7714_16_plain - 1;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    rfc7714_iv(iv, 0x5501a0b2, 0, 0xf17b);
    srtp_cipher_t *c = NULL;
    CU_ASSERT_EQUAL_FATAL(srtp_crypto_kernel_alloc_cipher(id, &c, key_len, 16), 0);
    CU_ASSERT_EQUAL(srtp_cipher_init(c, key), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_iv(c, iv, srtp_direction_encrypt), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_aad(c, rfc7714_16_header, 12), 0);
    memcpy(buf, rfc7714_16_plain, text_len);
    uint32_t len = text_len, tag_len = 0;
    CU_ASSERT_EQUAL(srtp_cipher_encrypt(c, buf, &len), 0);
    CU_ASSERT_EQUAL(srtp_cipher_get_tag(c, buf + len, &tag_len), 0);
    CU_ASSERT_EQUAL(tag_len, 16);
    CU_ASSERT_EQUAL(memcmp(buf, expected, text_len + 16), 0);

    len = text_len + 16;
    CU_ASSERT_EQUAL(srtp_cipher_set_iv(c, iv, srtp_direction_decrypt), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_aad(c, rfc7714_16_header, 12), 0);
    CU_ASSERT_EQUAL(srtp_cipher_decrypt(c, buf, &len), 0);
    CU_ASSERT_EQUAL(len, text_len);
    CU_ASSERT_EQUAL(memcmp(buf, rfc7714_16_plain, text_len), 0);

    memcpy(buf, expected, text_len + 16); /* other AAD */
    len = text_len + 16;
    CU_ASSERT_EQUAL(srtp_cipher_set_iv(c, iv, srtp_direction_decrypt), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_aad(c, rfc7714_16_header, 11), 0);
    CU_ASSERT_EQUAL(srtp_cipher_decrypt(c, buf, &len), srtp_err_status_auth_fail);
    len = 15; /* shorter than the tag */
    CU_ASSERT_NOT_EQUAL(srtp_cipher_decrypt(c, buf, &len), 0);
    srtp_cipher_dealloc(c);
}

static void test_srtp_hooks_rfc7714_16_1_aes_128_gcm_vector(void)
{
    gcm_vector(SRTP_AES_GCM_128, 28, rfc7714_16_1);
}

static void test_srtp_hooks_rfc7714_16_2_aes_256_gcm_vector(void)
{
    gcm_vector(SRTP_AES_GCM_256, 44, rfc7714_16_2);
}

/* RFC 7714 section 17.1: SRTCP; the AAD comes in two parts, header and index word. */
static void test_srtp_hooks_rfc7714_17_1_srtcp_aad_in_two_parts(void)
{
    static const uint8_t header[8] = {0x81, 0xc8, 0x00, 0x0d, 0x4d, 0x61, 0x72, 0x73};
    static const uint8_t index[4] = {0x80, 0x00, 0x05, 0xd4};
    static const uint8_t plain[] = {
        0x4e, 0x54, 0x50, 0x31, 0x4e, 0x54, 0x50, 0x32, 0x52, 0x54, 0x50, 0x20, 0x00, 0x00, 0x04,
        0x2a, 0x00, 0x00, 0xe9, 0x30, 0x4c, 0x75, 0x6e, 0x61, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad,
        0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef};
    static const uint8_t expected[] = {
        0x63, 0xe9, 0x48, 0x85, 0xdc, 0xda, 0xb6, 0x7c, 0xa7, 0x27, 0xd7, 0x66, 0x2f, 0x6b, 0x7e,
        0x99, 0x7f, 0xf5, 0xc0, 0xf7, 0x6c, 0x06, 0xf3, 0x2d, 0xc6, 0x76, 0xa5, 0xf1, 0x73, 0x0d,
        0x6f, 0xda, 0x4c, 0xe0, 0x9b, 0x46, 0x86, 0x30, 0x3d, 0xed, 0x0b, 0xb9, 0x27, 0x5b, 0xc8,
        0x4a, 0xa4, 0x58, 0x96, 0xcf, 0x4d, 0x2f, 0xc5, 0xab, 0xf8, 0x72, 0x45, 0xd9, 0xea, 0xde};
    uint8_t key[28], iv[12], buf[64];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    rfc7714_iv(iv, 0x4d617273, 0, 0); /* section 9.1: SSRC, 2 zero bytes, 31-bit index */
    agw_put32(iv + 8, 0x000005d4 ^ agw_get32(rfc7714_salt + 8));
    srtp_cipher_t *c = NULL;
    CU_ASSERT_EQUAL_FATAL(srtp_crypto_kernel_alloc_cipher(SRTP_AES_GCM_128, &c, 28, 16), 0);
    CU_ASSERT_EQUAL(srtp_cipher_init(c, key), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_iv(c, iv, srtp_direction_encrypt), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_aad(c, header, 8), 0);
    CU_ASSERT_EQUAL(srtp_cipher_set_aad(c, index, 4), 0);
    memcpy(buf, plain, sizeof plain);
    uint32_t len = sizeof plain, tag_len = 0;
    CU_ASSERT_EQUAL(srtp_cipher_encrypt(c, buf, &len), 0);
    CU_ASSERT_EQUAL(srtp_cipher_get_tag(c, buf + len, &tag_len), 0);
    CU_ASSERT_EQUAL_FATAL(len + tag_len, sizeof expected);
    CU_ASSERT_EQUAL(memcmp(buf, expected, sizeof expected), 0);
    srtp_cipher_dealloc(c);
}

/* Printed, never asserted: an eye on whether NSS has come back. */
static void test_srtp_hooks_timing_is_printed(void)
{
    enum { ROUNDS = 20000 };
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        agw_srtp_session *tx = test_session((agw_srtp_suite)suite, true);
        CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
        const clock_t begin = clock();
        for (unsigned i = 0; i < ROUNDS; i++) {
            uint8_t pkt[ROOM];
            size_t len = test_rtp(pkt, 1, (uint16_t)i, 160);
            if (agw_srtp_protect(tx, pkt, &len, 16) != AGW_OK)
                CU_FAIL("protect");
        }
        printf("%s: %.0f ns a packet of 160 bytes\n",
               agw_srtp_suite_get((agw_srtp_suite)suite)->sdes,
               (double)(clock() - begin) * 1e9 / CLOCKS_PER_SEC / ROUNDS);
        agw_srtp_session_free(tx);
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_srtp_hooks_init_passes_the_known_answers_and_may_be_repeated),
    AGW_CASE(test_srtp_hooks_library_hands_out_the_openssl_ciphers),
    AGW_CASE(test_srtp_hooks_refuse_other_key_and_tag_lengths),
    AGW_CASE(test_srtp_hooks_every_packet_goes_through_openssl),
    AGW_CASE(test_srtp_hooks_openssl_allocates_nothing_per_packet),
    AGW_CASE(test_srtp_hooks_rfc7714_16_1_aes_128_gcm_vector),
    AGW_CASE(test_srtp_hooks_rfc7714_16_2_aes_256_gcm_vector),
    AGW_CASE(test_srtp_hooks_rfc7714_17_1_srtcp_aad_in_two_parts),
    AGW_CASE(test_srtp_hooks_timing_is_printed),
};

int main(void)
{
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 2;
    return agw_unit_run("srtp hooks", cases, sizeof cases / sizeof *cases);
}
