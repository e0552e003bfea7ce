/* SPDX-License-Identifier: BSD-3-Clause
 * What is kept of a finished handshake, so that its SSL object (73 KB) can go at once: the
 * session's result, and the key that reads the peer's alerts, close_notify above all. */
#ifndef AGW_DTLS_KEYS_H
#define AGW_DTLS_KEYS_H

#include "dtls/record.h"

#include <openssl/ssl.h>

/** SRTP keys (RFC 5764 section 4.2), the peer's certificate, names.
 * @return AGW_OK; AGW_ERR_NOT_FOUND: no SRTP profile was agreed; AGW_ERR_AUTH: no certificate */
AGW_NODISCARD agw_err agw_keys_result(SSL *ssl, agw_dtls_role role, agw_dtls_result *out);

/** Opens protected alerts of epoch 1. Wipe it when its owner ends. */
typedef struct agw_alert_reader {
    int cipher_nid; /* AES-GCM or ChaCha20-Poly1305 */
    uint8_t key[32];
    uint8_t iv[12];
} agw_alert_reader;

/** Takes the peer's write key (RFC 5246 section 6.3). AGW_ERR_UNSUPPORTED: not an AEAD suite. */
AGW_NODISCARD agw_err agw_alert_reader_init(agw_alert_reader *reader, const SSL *ssl,
                                            agw_dtls_role role);
/** @param alert out: level and description
 *  @return AGW_OK: authentic; AGW_ERR_AUTH: forged, or no alert */
AGW_NODISCARD agw_err agw_alert_open(const agw_alert_reader *reader, const agw_record *record,
                                     uint8_t alert[2]);

#endif
