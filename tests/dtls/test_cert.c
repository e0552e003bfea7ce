/* SPDX-License-Identifier: BSD-3-Clause
 * Our certificate and fingerprints as SDP writes them. */
#include "dtls/cert.h"
#include "dtls/context.h"

#include "unit.h"
#include "vectors/vector.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static agw_err parse(agw_fingerprint *fp, const char *text)
{
    const size_t len = strlen(text);
    char *copy = must(malloc(len > 0 ? len : 1)); /* exact size */
    memcpy(copy, text, len);
    const agw_err err = agw_fingerprint_parse(fp, copy, len);
    free(copy);
    return err;
}

#define SHA1_TEXT "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"

static void test_fingerprint_rfc8122_5_sample_is_read_and_written(void)
{
    agw_fingerprint fp, lower;
    char text[AGW_FINGERPRINT_TEXT];
    CU_ASSERT_EQUAL(parse(&fp, "SHA-1 " SHA1_TEXT), AGW_OK);
    CU_ASSERT_EQUAL(fp.hash, AGW_HASH_SHA1);
    CU_ASSERT_EQUAL(fp.len, 20);
    CU_ASSERT_EQUAL(fp.bytes[0], 0x4A);
    CU_ASSERT_EQUAL(fp.bytes[19], 0xAB);
    CU_ASSERT_STRING_EQUAL(agw_fingerprint_text(&fp, text, sizeof text), "sha-1 " SHA1_TEXT);
    CU_ASSERT_EQUAL(
        parse(&lower, "sha-1 4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab\r\n"),
        AGW_OK);
    CU_ASSERT_TRUE(agw_fingerprint_equal(&fp, &lower));
    lower.bytes[19] ^= 1;
    CU_ASSERT_FALSE(agw_fingerprint_equal(&fp, &lower));
}

static void test_fingerprint_rfc8122_5_malformed_is_refused(void)
{
    static const char *const BAD[] = {
        "",
        " ",
        "sha-1",
        "sha-1 ",
        "sha-1 4A:AD",
        ("sha-1 " SHA1_TEXT ":00"),
        "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:A",
        "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AG",
        "sha-1 4A-AD-B9-B1-3F-82-18-3B-54-02-12-DF-3E-5D-49-6B-19-E5-7C-AB",
        ("sha-256 " SHA1_TEXT),
    };
    agw_fingerprint fp;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CU_ASSERT_EQUAL(parse(&fp, BAD[i]), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(parse(&fp, "md5 " SHA1_TEXT), AGW_ERR_UNSUPPORTED);
}

static void test_fingerprint_none_matches_nothing(void)
{
    const agw_fingerprint none = {0};
    const agw_fingerprint digests[AGW_HASH_COUNT] = {{0}};
    CU_ASSERT_FALSE(agw_fingerprint_equal(&none, &none));
    CU_ASSERT_FALSE(agw_fingerprint_matches(&none, digests));
}

static void test_cert_rfc8827_6_5_is_ecdsa_p256_and_new_each_time(void)
{
    agw_cert *a = agw_cert_new(), *b = agw_cert_new();
    CU_ASSERT_FATAL(a != NULL && b != NULL);
    EVP_PKEY *key = agw_cert_key(a);
    char group[32] = "";
    size_t group_len = 0;
    CU_ASSERT_EQUAL(EVP_PKEY_get_base_id(key), EVP_PKEY_EC);
    CU_ASSERT_EQUAL(EVP_PKEY_get_group_name(key, group, sizeof group, &group_len), 1);
    CU_ASSERT_STRING_EQUAL(group, "prime256v1");
    const X509 *x = agw_cert_x509(a);
    CU_ASSERT_EQUAL(X509_cmp_current_time(X509_get0_notBefore(x)), -1);
    CU_ASSERT_EQUAL(X509_cmp_current_time(X509_get0_notAfter(x)), 1);
    CU_ASSERT_EQUAL(X509_verify(agw_cert_x509(a), key), 1);
    CU_ASSERT_NOT_EQUAL(
        ASN1_INTEGER_cmp(X509_get0_serialNumber(x), X509_get0_serialNumber(agw_cert_x509(b))), 0);
    char name[64];
    X509_NAME_oneline(X509_get_subject_name(x), name, sizeof name);
    CU_ASSERT_STRING_EQUAL(name, "/CN=WebRTC");
    for (int h = 0; h < AGW_HASH_COUNT; h++) {
        agw_fingerprint fa, fb, back;
        char text[AGW_FINGERPRINT_TEXT];
        agw_cert_fingerprint(a, (agw_hash)h, &fa);
        agw_cert_fingerprint(b, (agw_hash)h, &fb);
        CU_ASSERT_FALSE(agw_fingerprint_equal(&fa, &fb));
        CU_ASSERT_EQUAL(parse(&back, agw_fingerprint_text(&fa, text, sizeof text)), AGW_OK);
        CU_ASSERT_TRUE(agw_fingerprint_equal(&fa, &back));
    }
    agw_cert_free(a);
    agw_cert_free(b);
    agw_cert_free(NULL);
}

static void test_context_keeps_the_certificate_while_it_is_referred_to(void)
{
    agw_cert *cert = agw_cert_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
    agw_fingerprint before, after;
    agw_cert_fingerprint(cert, AGW_HASH_SHA256, &before);
    agw_dtls_ctx *ctx = agw_dtls_ctx_new(cert, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    CU_ASSERT_PTR_EQUAL(agw_dtls_ctx_ref(ctx), ctx);
    agw_dtls_ctx_unref(ctx);
    agw_dtls_ctx_fingerprint(ctx, AGW_HASH_SHA256, &after);
    CU_ASSERT_TRUE(agw_fingerprint_equal(&before, &after));
    agw_dtls_ctx_unref(ctx);
    agw_dtls_ctx_unref(NULL);
    CU_ASSERT_PTR_NULL(agw_dtls_ctx_new(agw_cert_new(), "SRTP_ROT13"));
    CU_ASSERT_PTR_NULL(agw_dtls_ctx_new(NULL, NULL));
}

/* As a web server reads it. */
static void test_cert_as_pem_is_certificate_and_key(void)
{
    char pem[AGW_CERT_PEM];
    agw_cert *cert = must(agw_cert_new());
    CU_ASSERT_EQUAL_FATAL(agw_cert_pem(cert, pem, sizeof pem), AGW_OK);
    BIO *bio = must(BIO_new_mem_buf(pem, -1));
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x509);
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    CU_ASSERT_EQUAL(X509_check_private_key(x509, key), 1);
    CU_ASSERT_EQUAL(X509_cmp(x509, agw_cert_x509(cert)), 0);
    CU_ASSERT_EQUAL(agw_cert_pem(cert, pem, 100), AGW_ERR_NO_SPACE);
    X509_free(x509);
    EVP_PKEY_free(key);
    BIO_free(bio);
    agw_cert_free(cert);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_fingerprint_rfc8122_5_sample_is_read_and_written),
    AGW_CASE(test_fingerprint_rfc8122_5_malformed_is_refused),
    AGW_CASE(test_fingerprint_none_matches_nothing),
    AGW_CASE(test_cert_rfc8827_6_5_is_ecdsa_p256_and_new_each_time),
    AGW_CASE(test_cert_as_pem_is_certificate_and_key),
    AGW_CASE(test_context_keeps_the_certificate_while_it_is_referred_to),
};
AGW_UNIT_MAIN("cert", CASES)
