/* SPDX-License-Identifier: BSD-3-Clause
 * dtls/library and dtls/memo: what OpenSSL offers there, and what it remembers. */
#include "dtls/library.h"

#include "dtls/memo.h"
#include "unit.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

static void test_library_has_what_dtls_needs_and_little_else(void)
{
    static const char *const hashes[] = {"SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512"};
    OSSL_LIB_CTX *lib = agw_dtls_library();
    CU_ASSERT_PTR_NOT_NULL_FATAL(lib);
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        EVP_MD *md = EVP_MD_fetch(lib, hashes[i], NULL);
        CU_ASSERT_PTR_NOT_NULL(md);
        EVP_MD_free(md);
    }
    CU_ASSERT_PTR_NULL(EVP_MD_fetch(lib, "MD5", NULL));
    CU_ASSERT_PTR_NULL(EVP_CIPHER_fetch(lib, "AES-128-CBC", NULL));
    CU_ASSERT_PTR_NULL(EVP_KEYMGMT_fetch(lib, "DSA", NULL));
    CU_ASSERT_PTR_EQUAL(agw_dtls_library(), lib);
}

static void test_library_leaves_the_rest_of_the_process_alone(void)
{
    (void)agw_dtls_library();
    EVP_MD *md = EVP_MD_fetch(NULL, "MD5", NULL);
    CU_ASSERT_PTR_NOT_NULL(md);
    EVP_MD_free(md);
}

/* --- signatures --- */

typedef struct signature {
    uint8_t bytes[160];
    size_t len;
} signature;

static EVP_PKEY *new_key(const char *curve)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(agw_dtls_library(), NULL, "EC", curve);
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    return key;
}

static signature sign(EVP_PKEY *key, const char *hash, const char *text)
{
    signature s = {.len = sizeof s.bytes};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CU_ASSERT_EQUAL_FATAL(
        EVP_DigestSignInit_ex(ctx, NULL, hash, agw_dtls_library(), NULL, key, NULL), 1);
    CU_ASSERT_EQUAL_FATAL(EVP_DigestSign(ctx, s.bytes, &s.len, (const uint8_t *)text, strlen(text)),
                          1);
    EVP_MD_CTX_free(ctx);
    return s;
}

/* Good, and whether it came from memory. */
static bool verify(EVP_PKEY *key, const char *hash, const char *text, const signature *s,
                   bool *remembered)
{
    const uint64_t before = agw_memo_used();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CU_ASSERT_EQUAL_FATAL(
        EVP_DigestVerifyInit_ex(ctx, NULL, hash, agw_dtls_library(), NULL, key, NULL), 1);
    const bool good =
        EVP_DigestVerify(ctx, s->bytes, s->len, (const uint8_t *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    *remembered = agw_memo_used() != before;
    return good;
}

static void test_memo_answers_the_same_question_only(void)
{
    bool remembered;
    EVP_PKEY *key = new_key("P-256"), *other = new_key("P-256");
    const signature s = sign(key, "SHA256", "a flight");
    signature damaged = s;
    damaged.bytes[damaged.len - 1] ^= 1;
    CU_ASSERT_TRUE(verify(key, "SHA256", "a flight", &s, &remembered));
    CU_ASSERT_FALSE(remembered);
    CU_ASSERT_TRUE(verify(key, "SHA256", "a flight", &s, &remembered));
    CU_ASSERT_TRUE(remembered);
    CU_ASSERT_FALSE(verify(key, "SHA256", "a fright", &s, &remembered));
    CU_ASSERT_FALSE(remembered);
    CU_ASSERT_FALSE(verify(key, "SHA256", "a flight", &damaged, &remembered));
    CU_ASSERT_FALSE(remembered);
    CU_ASSERT_FALSE(verify(other, "SHA256", "a flight", &s, &remembered));
    CU_ASSERT_FALSE(remembered);
    CU_ASSERT_FALSE(verify(key, "SHA384", "a flight", &s, &remembered));
    CU_ASSERT_FALSE(remembered);
    CU_ASSERT_TRUE(verify(key, "SHA256", "a flight", &s, &remembered));
    CU_ASSERT_TRUE(remembered); /* what was wrong is not remembered */
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
}

static void test_memo_does_not_remember_what_was_wrong(void)
{
    bool remembered;
    EVP_PKEY *key = new_key("P-384");
    signature s = sign(key, "SHA384", "a flight");
    s.bytes[s.len - 1] ^= 1;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FALSE(verify(key, "SHA384", "a flight", &s, &remembered));
        CU_ASSERT_FALSE(remembered);
    }
    EVP_PKEY_free(key);
}

/* Two at once in one thread: each has its own answer. */
static void test_memo_two_verifications_may_be_interleaved(void)
{
    EVP_PKEY *key = new_key("P-256");
    const signature s[2] = {sign(key, "SHA256", "one"), sign(key, "SHA256", "two")};
    EVP_MD_CTX *ctx[2] = {EVP_MD_CTX_new(), EVP_MD_CTX_new()};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2; i++)
            CU_ASSERT_EQUAL(EVP_DigestVerifyInit_ex(ctx[i], NULL, "SHA256", agw_dtls_library(),
                                                    NULL, key, NULL),
                            1);
        CU_ASSERT_EQUAL(EVP_DigestVerifyUpdate(ctx[0], "one", 3), 1);
        CU_ASSERT_EQUAL(EVP_DigestVerifyUpdate(ctx[1], round == 0 ? "two" : "one", 3), 1);
        CU_ASSERT_EQUAL(EVP_DigestVerifyFinal(ctx[1], s[1].bytes, s[1].len), round == 0);
        CU_ASSERT_EQUAL(EVP_DigestVerifyFinal(ctx[0], s[0].bytes, s[0].len), 1);
        for (int i = 0; i < 2; i++)
            CU_ASSERT_EQUAL(EVP_MD_CTX_reset(ctx[i]), 1);
    }
    EVP_MD_CTX_free(ctx[0]);
    EVP_MD_CTX_free(ctx[1]);
    EVP_PKEY_free(key);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_library_has_what_dtls_needs_and_little_else),
    AGW_CASE(test_library_leaves_the_rest_of_the_process_alone),
    AGW_CASE(test_memo_answers_the_same_question_only),
    AGW_CASE(test_memo_does_not_remember_what_was_wrong),
    AGW_CASE(test_memo_two_verifications_may_be_interleaved),
};

AGW_UNIT_MAIN("library", CASES)
