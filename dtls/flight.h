/* SPDX-License-Identifier: BSD-3-Clause
 * Proves a peer's flight before OpenSSL, which ends a handshake on the first false message, gets
 * any of it. Anybody who can write the peer's address can write its messages, but the signature in
 * a flight covers random numbers that only who reads the handshake knows:
 *
 *   we are the server: Certificate, ClientKeyExchange, CertificateVerify; the signature covers the
 *     whole handshake up to itself (RFC 5246 section 7.4.8);
 *   we are the client: ServerHello, Certificate, ServerKeyExchange, CertificateRequest,
 *     ServerHelloDone; it covers both random numbers and the key (RFC 8422 section 5.4).
 *
 * Whose certificate it is, the caller asks later. */
#ifndef AGW_DTLS_FLIGHT_H
#define AGW_DTLS_FLIGHT_H

#include "dtls/record.h"

enum {
    AGW_FLIGHT_PLACES = 5,
    AGW_FLIGHT_KEPT = 4, /* messages that compete for a place, newest first */
    AGW_FLIGHT_RANDOM = 32,
};

typedef struct agw_flight_message {
    uint8_t *bytes; /* with its header, in one fragment; NULL = none */
    size_t len;
    uint32_t datagram; /* the count of the one that completed it */
} agw_flight_message;

typedef struct agw_flight_budget {
    int64_t left;
    agw_ns at; /* 0 = not yet used: full */
} agw_flight_budget;

/** Zeroed = nothing is expected. */
typedef struct agw_flight {
    agw_dtls_role role; /* ours */
    uint16_t first_seq; /* message_seq of the first place */
    bool open;          /* begun, and not yet given */
    bool given;
    bool proven; /* the signed messages are: each is the only one in its place */
    uint32_t datagram;
    bool is_false; /* this datagram: it contradicts the proven messages */
    agw_flight_message places[AGW_FLIGHT_PLACES][AGW_FLIGHT_KEPT];
    uint8_t *signed_before; /* what the signature covers before the peer's own messages */
    size_t signed_before_len;
    /* Signature checks that may be made now, in millionths; they outlive agw_flight_begin(). One
     * cannot eat up the other's. */
    agw_flight_budget alone, mixed;
} agw_flight;

/** Forgets everything but the budget. later: a cookie was asked for, messages have the next place.
 */
void agw_flight_begin(agw_flight *f, agw_dtls_role role, bool later);
/** Client: the random number of our ClientHello. */
void agw_flight_sent_random(agw_flight *f, const uint8_t random[AGW_FLIGHT_RANDOM]);
/** Server: the ClientHello that OpenSSL answers, then each datagram that it answers with. */
void agw_flight_took_hello(agw_flight *f, const agw_fragment *hello);
void agw_flight_sent(agw_flight *f, const uint8_t *datagram, size_t len);

/** The next messages come in another datagram. */
void agw_flight_next_datagram(agw_flight *f);
/** Keeps a copy of a whole message. AGW_DTLS_DROP_NONE, or why not. */
agw_dtls_drop agw_flight_add(agw_flight *f, const agw_fragment *message);

/** To be called behind the messages of a datagram. A datagram with a whole set stands or falls by
 * itself; others are tried together with the newest of earlier ones.
 * @param set out: the proven flight in its order, borrowed until the next call for f
 * @param n   out: number of messages, 0 = not yet
 * @return AGW_DTLS_DROP_NONE, or AGW_DTLS_DROP_PROOF: there was a set, but no proof */
agw_dtls_drop agw_flight_prove(agw_flight *f, agw_ns now, agw_fragment set[AGW_FLIGHT_PLACES],
                               size_t *n);

/** Frees what is held. */
void agw_flight_clear(agw_flight *f);

#endif
