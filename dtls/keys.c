/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/keys.h"

#include "base/secret.h"
#include "dtls/library.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum {
    SRTP_KEYS_MAX = 2 * (32 + 14),
    RANDOM = 32,
    MASTER = 48,
    TAG = 16,
    GCM_SALT = 4, /* the rest of its nonce stands in each record, RFC 5288 section 3 */
    GCM_EXPLICIT = 8,
    NONCE = 12,
    ALERT = 2,
};

static size_t srtp_key_len(agw_srtp_profile profile)
{
    return profile == AGW_SRTP_PROFILE_AEAD_AES_256_GCM ? 32 : 16;
}

static size_t srtp_salt_len(agw_srtp_profile profile)
{
    return profile == AGW_SRTP_PROFILE_AES128_CM_SHA1_80 ||
                   profile == AGW_SRTP_PROFILE_AES128_CM_SHA1_32
               ? 14
               : 12;
}

/* Client key, server key, client salt, server salt. */
static bool export_srtp(SSL *ssl, agw_dtls_result *r)
{
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    uint8_t keys[SRTP_KEYS_MAX];
    const size_t len = 2 * (r->key_len + r->salt_len);
    const bool ok =
        SSL_export_keying_material(ssl, keys, len, LABEL, sizeof LABEL - 1, NULL, 0, 0) == 1;
    if (ok) {
        const uint8_t *const salts = keys + 2 * r->key_len;
        memcpy(r->client_key, keys, r->key_len);
        memcpy(r->server_key, keys + r->key_len, r->key_len);
        memcpy(r->client_salt, salts, r->salt_len);
        memcpy(r->server_salt, salts + r->salt_len, r->salt_len);
    }
    agw_secret_wipe(keys, sizeof keys);
    return ok;
}

static bool note_peer(const SSL *ssl, agw_dtls_result *r)
{
    X509 *peer = SSL_get1_peer_certificate(ssl);
    if (peer == NULL)
        return false;
    for (int i = 0; i < AGW_HASH_COUNT; i++)
        agw_x509_fingerprint(peer, (agw_hash)i, &r->peer[i]);
    X509_free(peer);
    return true;
}

static void copy_text(char *out, size_t size, const char *text)
{
    const size_t n = strnlen(text, size - 1);
    memcpy(out, text, n);
    out[n] = '\0';
}

agw_err agw_keys_result(SSL *ssl, agw_dtls_role role, agw_dtls_result *out)
{
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(ssl);
    *out = (agw_dtls_result){.role = role};
    if (profile == NULL)
        return AGW_ERR_NOT_FOUND;
    out->srtp_profile = (agw_srtp_profile)profile->id;
    out->key_len = srtp_key_len(out->srtp_profile);
    out->salt_len = srtp_salt_len(out->srtp_profile);
    copy_text(out->version, sizeof out->version, SSL_get_version(ssl));
    copy_text(out->cipher, sizeof out->cipher, SSL_get_cipher_name(ssl));
    if (!export_srtp(ssl, out))
        return AGW_ERR_NOT_FOUND;
    return note_peer(ssl, out) ? AGW_OK : AGW_ERR_AUTH;
}

static const EVP_CIPHER *cipher_of(int nid)
{
    switch (nid) {
    case NID_aes_128_gcm:
        return EVP_aes_128_gcm();
    case NID_aes_256_gcm:
        return EVP_aes_256_gcm();
    case NID_chacha20_poly1305:
        return EVP_chacha20_poly1305();
    default:
        return NULL;
    }
}

/* RFC 5246 section 6.3: PRF(master_secret, "key expansion", server_random + client_random). */
static bool expand_keys(const SSL *ssl, uint8_t *out, size_t len)
{
    static char LABEL[] = "key expansion";
    uint8_t master[MASTER], seed[2 * RANDOM];
    char digest[32];
    SSL_get_server_random(ssl, seed, RANDOM);
    SSL_get_client_random(ssl, seed + RANDOM, RANDOM);
    const size_t master_len =
        SSL_SESSION_get_master_key(SSL_get0_session(ssl), master, sizeof master);
    copy_text(digest, sizeof digest,
              EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl))));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, LABEL, sizeof LABEL - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(agw_dtls_library(), "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    const bool ok = ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    agw_secret_wipe(master, sizeof master);
    return ok;
}

agw_err agw_alert_reader_init(agw_alert_reader *reader, const SSL *ssl, agw_dtls_role role)
{
    *reader = (agw_alert_reader){0};
    const int nid = SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(ssl));
    const EVP_CIPHER *cipher = cipher_of(nid);
    if (cipher == NULL)
        return AGW_ERR_UNSUPPORTED;
    const size_t key_len = (size_t)EVP_CIPHER_get_key_length(cipher);
    const size_t iv_len = nid == NID_chacha20_poly1305 ? NONCE : GCM_SALT;
    uint8_t keys[2 * (32 + NONCE)];
    const bool ok = expand_keys(ssl, keys, 2 * (key_len + iv_len));
    if (ok) { /* client key, server key, client IV, server IV; the peer's are wanted */
        const size_t which = role == AGW_DTLS_SERVER ? 0 : 1;
        reader->cipher_nid = nid;
        memcpy(reader->key, keys + which * key_len, key_len);
        memcpy(reader->iv, keys + 2 * key_len + which * iv_len, iv_len);
    }
    agw_secret_wipe(keys, sizeof keys);
    return ok ? AGW_OK : AGW_ERR_SYSTEM;
}

/* RFC 5246 section 6.2.3.3 and RFC 7905 section 2; in DTLS epoch and sequence number of the record
 * stand for the sequence number. */
static void nonce_of(const agw_alert_reader *reader, const agw_record *record, uint8_t out[NONCE])
{
    memcpy(out, reader->iv, NONCE);
    if (reader->cipher_nid != NID_chacha20_poly1305) {
        memcpy(out + GCM_SALT, record->body, GCM_EXPLICIT);
        return;
    }
    for (size_t i = 0; i < 8; i++)
        out[NONCE - 8 + i] ^= record->raw[3 + i];
}

agw_err agw_alert_open(const agw_alert_reader *reader, const agw_record *record, uint8_t alert[2])
{
    const EVP_CIPHER *cipher = cipher_of(reader->cipher_nid);
    const size_t explicit_len = reader->cipher_nid == NID_chacha20_poly1305 ? 0 : GCM_EXPLICIT;
    if (cipher == NULL || record->len != explicit_len + ALERT + TAG)
        return AGW_ERR_AUTH;
    uint8_t nonce[NONCE], tag[TAG];
    uint8_t aad[13] = {0}; /* epoch and sequence number, type, version, length */
    nonce_of(reader, record, nonce);
    memcpy(aad, record->raw + 3, 8);
    memcpy(aad + 8, record->raw, 3);
    aad[12] = ALERT;
    memcpy(tag, record->body + explicit_len + ALERT, TAG);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, rest = 0;
    uint8_t end[TAG];
    const bool ok = ctx != NULL && EVP_DecryptInit_ex(ctx, cipher, NULL, reader->key, nonce) == 1 &&
                    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
                    EVP_DecryptUpdate(ctx, NULL, &n, aad, sizeof aad) == 1 &&
                    EVP_DecryptUpdate(ctx, alert, &n, record->body + explicit_len, ALERT) == 1 &&
                    n == ALERT && EVP_DecryptFinal_ex(ctx, end, &rest) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? AGW_OK : AGW_ERR_AUTH;
}
