/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/cert.h"

#include "base/rand.h"
#include "base/secret.h"
#include "dtls/library.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    DAY_S = 24 * 3600,
    VALID_DAYS = 365,
};

struct agw_cert {
    EVP_PKEY *key;
    X509 *x509;
};

static const struct {
    const char *name;
    uint8_t len;
} HASHES[AGW_HASH_COUNT] = {
    {"sha-1", 20}, {"sha-224", 28}, {"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64},
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "AB:CD:...", exactly len bytes. */
static bool parse_digest(uint8_t *out, size_t len, const char *text, size_t text_len)
{
    if (text_len != 3 * len - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        const int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
        if (high < 0 || low < 0 || (i + 1 < len && text[3 * i + 2] != ':'))
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

agw_err agw_fingerprint_parse(agw_fingerprint *out, const char *text, size_t len)
{
    *out = (agw_fingerprint){0};
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    size_t name = 0;
    while (name < len && !is_blank(text[name]))
        name++;
    size_t digest = name;
    while (digest < len && is_blank(text[digest]))
        digest++;
    if (name == 0 || digest == len)
        return AGW_ERR_MALFORMED;
    for (size_t i = 0; i < AGW_HASH_COUNT; i++) {
        if (strlen(HASHES[i].name) != name || strncasecmp(HASHES[i].name, text, name) != 0)
            continue;
        out->hash = (uint8_t)i;
        out->len = HASHES[i].len;
        return parse_digest(out->bytes, out->len, text + digest, len - digest) ? AGW_OK
                                                                               : AGW_ERR_MALFORMED;
    }
    return AGW_ERR_UNSUPPORTED;
}

const char *agw_fingerprint_text(const agw_fingerprint *fp, char *out, size_t size)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    size_t at = (size_t)snprintf(out, size, "%s ", HASHES[fp->hash].name);
    if (at >= size)
        return out;
    for (size_t i = 0; i < fp->len && at + 3 < size; i++) {
        if (i > 0)
            out[at++] = ':';
        out[at++] = DIGITS[fp->bytes[i] >> 4];
        out[at++] = DIGITS[fp->bytes[i] & 15];
    }
    out[at] = '\0';
    return out;
}

bool agw_fingerprint_equal(const agw_fingerprint *a, const agw_fingerprint *b)
{
    return a->hash == b->hash && a->len == b->len && a->len > 0 &&
           agw_secret_equal(a->bytes, b->bytes, a->len);
}

bool agw_fingerprint_matches(const agw_fingerprint *signalled,
                             const agw_fingerprint digests[AGW_HASH_COUNT])
{
    return signalled->hash < AGW_HASH_COUNT &&
           agw_fingerprint_equal(signalled, &digests[signalled->hash]);
}

static bool set_serial(X509 *x509)
{
    uint64_t serial;
    agw_rand_bytes(&serial, sizeof serial);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1 | 1) == 1;
}

/* The name is the one that browsers use: it tells nothing about us. */
static bool set_name(X509 *x509)
{
    static const unsigned char CN[] = "WebRTC";
    X509_NAME *name = X509_get_subject_name(x509); /* borrowed */
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, CN, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x509, name) == 1;
}

static bool fill(X509 *x509, EVP_PKEY *key)
{
    return X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) && set_name(x509) &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x509), (long)VALID_DAYS * DAY_S) != NULL &&
           X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha256()) > 0;
}

agw_cert *agw_cert_new(void)
{
    agw_cert *cert = calloc(1, sizeof *cert);
    if (cert == NULL)
        return NULL;
    cert->key = EVP_PKEY_Q_keygen(agw_dtls_library(), NULL, "EC", "P-256");
    cert->x509 = X509_new_ex(agw_dtls_library(), NULL);
    if (cert->key != NULL && cert->x509 != NULL && fill(cert->x509, cert->key))
        return cert;
    agw_cert_free(cert);
    return NULL;
}

void agw_cert_free(agw_cert *cert)
{
    if (cert == NULL)
        return;
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    free(cert);
}

static const EVP_MD *md_of(agw_hash hash)
{
    switch (hash) {
    case AGW_HASH_SHA1:
        return EVP_sha1();
    case AGW_HASH_SHA224:
        return EVP_sha224();
    case AGW_HASH_SHA384:
        return EVP_sha384();
    case AGW_HASH_SHA512:
        return EVP_sha512();
    default:
        return EVP_sha256();
    }
}

void agw_x509_fingerprint(const void *x509, agw_hash hash, agw_fingerprint *out)
{
    unsigned len = 0;
    uint8_t digest[EVP_MAX_MD_SIZE];
    *out = (agw_fingerprint){.hash = (uint8_t)hash, .len = HASHES[hash].len};
    AGW_ASSERT(X509_digest(x509, md_of(hash), digest, &len) == 1 && len == out->len);
    memcpy(out->bytes, digest, len);
}

void agw_cert_fingerprint(const agw_cert *cert, agw_hash hash, agw_fingerprint *out)
{
    agw_x509_fingerprint(cert->x509, hash, out);
}

agw_err agw_cert_pem(const agw_cert *cert, char *out, size_t size)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio == NULL)
        return AGW_ERR_SYSTEM;
    agw_err err = AGW_ERR_SYSTEM;
    if (PEM_write_bio_X509(bio, cert->x509) == 1 &&
        PEM_write_bio_PrivateKey(bio, cert->key, NULL, NULL, 0, NULL, NULL) == 1) {
        const int len = BIO_read(bio, out, size > INT_MAX ? INT_MAX : (int)size);
        err = len > 0 && (size_t)len < size ? AGW_OK : AGW_ERR_NO_SPACE;
        if (err == AGW_OK)
            out[len] = '\0';
    }
    BIO_free(bio);
    return err;
}

void *agw_cert_key(const agw_cert *cert)
{
    return cert->key;
}

void *agw_cert_x509(const agw_cert *cert)
{
    return cert->x509;
}
