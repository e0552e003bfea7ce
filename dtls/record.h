/* SPDX-License-Identifier: BSD-3-Clause
 * The look at DTLS records and handshake fragments before OpenSSL sees them (RFC 6347 section 4.1
 * and 4.2.2): only what could be real goes on. */
#ifndef AGW_DTLS_RECORD_H
#define AGW_DTLS_RECORD_H

#include "dtls/session.h"

enum {
    AGW_RECORD_HEADER = 13,
    AGW_RECORD_MAX = 16384 + 256, /* body of a protected record, RFC 5246 section 6.2.3 */
    AGW_RECORD_CHANGE_CIPHER_SPEC = 20,
    AGW_RECORD_ALERT = 21,
    AGW_RECORD_HANDSHAKE = 22,
    AGW_RECORD_DATA = 23,

    AGW_HANDSHAKE_HEADER = 12,
    AGW_HANDSHAKE_MAX = 16384 - AGW_HANDSHAKE_HEADER, /* body of a message: one record holds it */
    AGW_HANDSHAKE_CLIENT_HELLO = 1,
};

/** Pointers are borrowed from the datagram. */
typedef struct agw_record {
    uint8_t type;
    uint16_t epoch;
    const uint8_t *body;
    size_t len;
    const uint8_t *raw; /* with its header */
    size_t raw_len;
} agw_record;

/** Takes the record at *at. *at moves behind it, or to len when nothing behind it can be found.
 * @return AGW_DTLS_DROP_NONE, or why this record is not used */
agw_dtls_drop agw_record_next(const uint8_t *buf, size_t len, size_t *at, agw_record *out);

/** One fragment of a handshake message; body is borrowed. */
typedef struct agw_fragment {
    uint8_t type;
    uint16_t seq;    /* message_seq */
    uint32_t length; /* of the whole message */
    uint32_t offset, len;
    const uint8_t *body;
} agw_fragment;

/** Takes the fragment at *at of an unprotected handshake record of the peer, and looks whether our
 * role may expect it. *at moves as above. cookie: one was asked for, so that what follows it is
 * one later.
 * @return AGW_DTLS_DROP_NONE or AGW_DTLS_DROP_HANDSHAKE */
agw_dtls_drop agw_fragment_next(const agw_record *record, agw_dtls_role role, bool cookie,
                                size_t *at, agw_fragment *out);

#endif
