/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/proof.h"

#include "base/wire.h"
#include "dtls/library.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

enum { SLOW = 8 }; /* P-384, and RSA of more than 4096 bits */

/* What OpenSSL offers by default and anybody uses (RFC 8446 section 4.2.3; in TLS 1.2 the curve is
 * not part of it). The hashes are named as libssl names them: else dtls/memo.h takes its question
 * for another one. */
static const struct {
    uint16_t scheme;
    int key;
    const char *hash;
    bool pss;
} SCHEMES[] = {
    {0x0403, EVP_PKEY_EC, "SHA2-256", false},  {0x0503, EVP_PKEY_EC, "SHA2-384", false},
    {0x0603, EVP_PKEY_EC, "SHA2-512", false},  {0x0401, EVP_PKEY_RSA, "SHA2-256", false},
    {0x0501, EVP_PKEY_RSA, "SHA2-384", false}, {0x0601, EVP_PKEY_RSA, "SHA2-512", false},
    {0x0804, EVP_PKEY_RSA, "SHA2-256", true},  {0x0805, EVP_PKEY_RSA, "SHA2-384", true},
    {0x0806, EVP_PKEY_RSA, "SHA2-512", true},  {0x0807, EVP_PKEY_ED25519, NULL, false},
};

/* The peer's own one, which is the first. RFC 5246 section 7.4.2. */
static bool leaf_of(agw_slice list, agw_slice *leaf)
{
    if (list.len < 6 || agw_get24(list.data) != list.len - 3)
        return false;
    *leaf = (agw_slice){list.data + 6, agw_get24(list.data + 3)};
    return leaf->len <= list.len - 6;
}

/* "digitally-signed" that fills the rest of a message: scheme, length, signature. */
static bool signature_of(agw_slice rest, uint16_t *scheme, agw_slice *signature)
{
    if (rest.len < 4)
        return false;
    *scheme = agw_get16(rest.data);
    *signature = (agw_slice){rest.data + 4, rest.len - 4};
    return agw_get16(rest.data + 2) == signature->len;
}

bool agw_proof_parse(agw_proof *p, agw_slice certificate, agw_slice signature)
{
    return leaf_of(certificate, &p->leaf) && signature_of(signature, &p->scheme, &p->signature);
}

/* How many checks with this key cost as much as P-256; 0: it is not used, OpenSSL would refuse it
 * or it is made to be slow. */
static int price_of(const EVP_PKEY *key)
{
    char group[32];
    size_t len;
    BIGNUM *e = NULL;
    bool small = false;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
        return 1;
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &len) != 1)
            return 0;
        if (strcmp(group, "prime256v1") == 0)
            return 1;
        return strcmp(group, "secp384r1") == 0 ? SLOW : 0;
    case EVP_PKEY_RSA:
        small = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= 64;
        BN_free(e);
        if (!small || EVP_PKEY_get_bits(key) > 8192)
            return 0;
        return EVP_PKEY_get_bits(key) > 4096 ? SLOW : 1;
    default:
        return 0;
    }
}

static bool verify(EVP_PKEY *key, uint16_t scheme, agw_slice signature, agw_slice text)
{
    const size_t n = sizeof SCHEMES / sizeof SCHEMES[0];
    size_t i = 0;
    while (i < n && (SCHEMES[i].scheme != scheme || SCHEMES[i].key != EVP_PKEY_get_base_id(key)))
        i++;
    if (i == n)
        return false;
    EVP_PKEY_CTX *how = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestVerifyInit_ex(ctx, &how, SCHEMES[i].hash, agw_dtls_library(),
                                                     NULL, key, NULL) == 1;
    if (ok && SCHEMES[i].pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(ctx, signature.data, signature.len, text.data, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* ---- the key of a certificate ---- */

/* Takes one element off rest; its content, or {NULL} when it is not of that kind. */
static agw_slice take(agw_slice *rest, int class, int tag)
{
    const uint8_t *at = rest->data;
    long len;
    int its_tag, its_class;
    if (rest->len == 0 ||
        (ASN1_get_object(&at, &len, &its_tag, &its_class, (long)rest->len) & 0x81) != 0 ||
        its_tag != tag || its_class != class)
        return (agw_slice){0};
    const agw_slice content = {at, (size_t)len};
    rest->len -= (size_t)(at + len - rest->data);
    rest->data = at + len;
    return content;
}

static bool skip(agw_slice *rest, int tag)
{
    return take(rest, V_ASN1_UNIVERSAL, tag).data != NULL;
}

/* RFC 5280 section 4.1: what begins with SubjectPublicKeyInfo; {NULL} when it is no certificate. */
static agw_slice key_info(agw_slice leaf)
{
    agw_slice certificate = take(&leaf, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE);
    agw_slice in = take(&certificate, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE);
    (void)take(&in, V_ASN1_CONTEXT_SPECIFIC, 0);                                  /* version */
    const bool there = skip(&in, V_ASN1_INTEGER) && skip(&in, V_ASN1_SEQUENCE) && /* number, hash */
                       skip(&in, V_ASN1_SEQUENCE) && skip(&in, V_ASN1_SEQUENCE) && /* whose, when */
                       skip(&in, V_ASN1_SEQUENCE);
    return there ? in : (agw_slice){0};
}

static EVP_PKEY *p256; /* only its curve matters */

static void make_p256(void)
{
    p256 = EVP_PKEY_Q_keygen(agw_dtls_library(), NULL, "EC", "P-256");
}

/* The key that nearly every browser has, without OpenSSL's decoders: they take nearly as long
 * as the check itself. NULL: another one. */
static EVP_PKEY *p256_key(agw_slice leaf)
{
    /* RFC 5480: id-ecPublicKey, prime256v1, a point that is not compressed */
    static const uint8_t HEAD[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    enum { POINT = 65 };
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const agw_slice info = key_info(leaf);
    if (info.len < sizeof HEAD + POINT || memcmp(info.data, HEAD, sizeof HEAD) != 0 ||
        pthread_once(&once, make_p256) != 0 || p256 == NULL)
        return NULL;
    EVP_PKEY *key = EVP_PKEY_new();
    if (key != NULL && EVP_PKEY_copy_parameters(key, p256) == 1 &&
        EVP_PKEY_set1_encoded_public_key(key, info.data + sizeof HEAD, POINT) == 1)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static EVP_PKEY *key_of(agw_slice leaf)
{
    EVP_PKEY *key = p256_key(leaf);
    if (key != NULL)
        return key;
    const uint8_t *at = leaf.data;
    X509 *x509 = X509_new_ex(agw_dtls_library(), NULL);
    if (x509 != NULL && d2i_X509(&x509, &at, (long)leaf.len) != NULL)
        key = X509_get_pubkey(x509);
    X509_free(x509);
    return key;
}

bool agw_proof_verify(const agw_proof *p, agw_slice text, int *price)
{
    EVP_PKEY *key = key_of(p->leaf);
    const int of_key = key == NULL ? 0 : price_of(key);
    const bool ok = of_key > 0 && verify(key, p->scheme, p->signature, text);
    *price = of_key > 1 ? of_key : 1;
    EVP_PKEY_free(key);
    return ok;
}
