/* SPDX-License-Identifier: BSD-3-Clause
 * One DTLS 1.2 association for SRTP keys (RFC 6347, RFC 5764): datagrams and `now` go in;
 * datagrams, a state, keys and a deadline come out. No socket, no thread.
 *
 * The caller hands in only datagrams from ICE-validated addresses and compares the
 * peer's certificate with the signalled fingerprints itself. Nothing that a stranger can forge ends
 * a session: what is not authentic is filtered, the peer's flight is proven (dtls/flight.h), and a
 * handshake that fails all the same starts again.
 * One thread at a time. A handshake costs about 0.4 ms: not in the media loop. */
#ifndef AGW_DTLS_SESSION_H
#define AGW_DTLS_SESSION_H

#include "base/clock.h"
#include "base/err.h"
#include "dtls/cert.h"
#include "dtls/context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_DTLS_MTU = 1200, /* longest datagram that we write */
    AGW_DTLS_COOKIE = 16,
    AGW_DTLS_HANDSHAKE_MS = 30000,
};

typedef enum agw_dtls_role {
    AGW_DTLS_SERVER = 0, /* a=setup:passive */
    AGW_DTLS_CLIENT,     /* a=setup:active */
} agw_dtls_role;

typedef enum agw_dtls_state {
    AGW_DTLS_HANDSHAKING = 0,
    AGW_DTLS_ESTABLISHED, /* agw_dtls_get_result() has the keys */
    AGW_DTLS_CLOSED,      /* authentic close_notify, or agw_dtls_close() */
    AGW_DTLS_FAILED,      /* timeout, no SRTP profile in common, or an authentic fatal alert; see
                             agw_dtls_reason() */
} agw_dtls_state;

/** Why a datagram or a record of it was not used; each is a counter. */
typedef enum agw_dtls_drop {
    AGW_DTLS_DROP_NONE = 0,
    AGW_DTLS_DROP_LENGTH,      /* no whole record, an empty or an oversized one */
    AGW_DTLS_DROP_TYPE,        /* content type not 20 to 25 */
    AGW_DTLS_DROP_VERSION,     /* not fe ff or fe fd */
    AGW_DTLS_DROP_EPOCH,       /* not in this state: late, repeated or much too early */
    AGW_DTLS_DROP_ALERT,       /* unauthenticated alert */
    AGW_DTLS_DROP_HANDSHAKE,   /* a handshake header that contradicts itself, its record or our role
                                */
    AGW_DTLS_DROP_DATA,        /* application data: nobody here reads it */
    AGW_DTLS_DROP_CERTIFICATE, /* a client's empty Certificate: there can be no proof */
    AGW_DTLS_DROP_PROOF,   /* a flight without a true signature, or a cookie asked for only once */
    AGW_DTLS_DROP_REFUSED, /* OpenSSL ended the handshake on it: started again */
    AGW_DTLS_DROP_STATE,   /* the session is closed, failed or not started */
    AGW_DTLS_DROP_COUNT,
} agw_dtls_drop;

/** "length", "alert"...; never NULL. */
const char *agw_dtls_drop_text(agw_dtls_drop drop);

typedef struct agw_dtls agw_dtls;

/** A session waits for a ClientHello (server) or for agw_dtls_start() (client).
 * @param ctx one reference is taken
 * @return NULL: memory is short */
AGW_NODISCARD agw_dtls *agw_dtls_new(agw_dtls_ctx *ctx, agw_dtls_role role, agw_ns now);
/** Wipes the keys. NULL is allowed. */
void agw_dtls_free(agw_dtls *d);
/** Length of the handshake timeout, counted from agw_dtls_new() or agw_dtls_start(); default
 * AGW_DTLS_HANDSHAKE_MS. */
void agw_dtls_set_timeout(agw_dtls *d, agw_ns timeout);

/** Server, before the first datagram: a ClientHello is answered with HelloVerifyRequest (RFC 6347
 * section 4.2.1), and only one that shows the cookie begins a handshake. That costs a round trip
 * and shuts out whoever writes with the peer's address but does not read there: our answer to his
 * ClientHello would end the peer's handshake, since nothing in it names the client it is for.
 * @param cookie random, copied */
void agw_dtls_ask_cookie(agw_dtls *d, const uint8_t cookie[AGW_DTLS_COOKIE]);

/** Client: writes the ClientHello. Server: does nothing. */
void agw_dtls_start(agw_dtls *d, agw_ns now);

/** Takes one datagram; then pull with agw_dtls_take() and look at agw_dtls_state_of().
 * @return AGW_DTLS_DROP_NONE when at least one record of it was used or kept, else why the first
 * was not */
agw_dtls_drop agw_dtls_on_datagram(agw_dtls *d, agw_ns now, const uint8_t *buf, size_t len);

/** Pulls the next datagram to be sent. room must be at least AGW_DTLS_MTU.
 * @return false: there is none */
bool agw_dtls_take(agw_dtls *d, uint8_t *buf, size_t room, size_t *len);

/** Retransmission and handshake timeout; AGW_NEVER when nothing is due. */
agw_ns agw_dtls_deadline(const agw_dtls *d);
void agw_dtls_on_deadline(agw_dtls *d, agw_ns now);

agw_dtls_state agw_dtls_state_of(const agw_dtls *d);
/** Why it is closed or failed, or what last disturbed the handshake: short English text, never
 * NULL, valid until the next call. */
const char *agw_dtls_reason(const agw_dtls *d);

/** Writes close_notify if the session is established, and ends it. */
void agw_dtls_close(agw_dtls *d, agw_ns now);

/** Everything a transport needs of an established session. Wipe it with agw_dtls_result_wipe(). */
typedef struct agw_dtls_result {
    agw_srtp_profile srtp_profile;
    agw_dtls_role role;                     /* ours; we protect with our role's key and salt */
    size_t key_len;                         /* 16 or 32 */
    size_t salt_len;                        /* 14, GCM 12 */
    uint8_t client_key[32], server_key[32]; /* RFC 5764 section 4.2 */
    uint8_t client_salt[16], server_salt[16];
    agw_fingerprint peer[AGW_HASH_COUNT]; /* digests of the peer's certificate, by agw_hash */
    char version[16];                     /* "DTLSv1.2" */
    char cipher[48];                      /* OpenSSL's name of the suite */
} agw_dtls_result;

/** @return AGW_OK, or AGW_ERR_STATE when the session was never established, or the result is
 * forgotten */
AGW_NODISCARD agw_err agw_dtls_get_result(const agw_dtls *d, agw_dtls_result *out);
/** Wipes it: whoever needs the keys has them. */
void agw_dtls_forget_result(agw_dtls *d);
void agw_dtls_result_wipe(agw_dtls_result *result);

/** For `query` and metrics. */
typedef struct agw_dtls_stats {
    uint64_t drops[AGW_DTLS_DROP_COUNT]; /* records */
    uint64_t restarts;                   /* handshakes begun anew */
    uint64_t lost_out;                   /* datagrams not kept because nobody took them */
} agw_dtls_stats;
void agw_dtls_get_stats(const agw_dtls *d, agw_dtls_stats *out);

#endif
