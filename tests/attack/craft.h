/* SPDX-License-Identifier: BSD-3-Clause
 * Packets written by hand, byte by byte, and so also wrong ones: STUN, DTLS records, RTP, RTCP. A
 * writer of its own, so that the gateway's parsers do not meet their own author's writers only. */
#ifndef AGW_ATTACK_CRAFT_H
#define AGW_ATTACK_CRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CRAFT_MAX = 65507,       /* the longest UDP payload */
    CRAFT_MARK = 0x0bad0bad, /* SSRC of all that is injected where no other one is asked for */
};

/** A datagram under construction. */
typedef struct craft {
    size_t len;
    uint8_t data[CRAFT_MAX];
} craft;

/* --- random, repeatable ------------------------------------------------------------------------
 */

/** xorshift64*; the seed is printed, so that a run can be repeated. */
typedef struct craft_rng {
    uint64_t state; /* never 0 */
} craft_rng;
uint32_t craft_rand(craft_rng *rng);
/** 0 to n - 1. */
uint32_t craft_below(craft_rng *rng, uint32_t n);
void craft_fill(craft_rng *rng, uint8_t *out, size_t len);

/* --- bytes -------------------------------------------------------------------------------------
 */

void craft_clear(craft *c);
/** What does not fit any more is left out. */
void craft_add(craft *c, const void *bytes, size_t len);
void craft_add8(craft *c, unsigned value);
void craft_add16(craft *c, unsigned value);
void craft_add24(craft *c, uint32_t value);
void craft_add32(craft *c, uint32_t value);
void craft_add_random(craft *c, craft_rng *rng, size_t len);

/* --- STUN (RFC 8489) ---------------------------------------------------------------------------
 */

enum {
    STUN_REQUEST = 0x0001,
    STUN_INDICATION = 0x0011,
    STUN_SUCCESS = 0x0101,
    STUN_FAILURE = 0x0111,
    STUN_ALLOCATE = 0x0003, /* TURN */
    STUN_USERNAME = 0x0006,
    STUN_ERROR_CODE = 0x0009,
    STUN_XOR_MAPPED = 0x0020,
    STUN_PRIORITY = 0x0024,
    STUN_USE_CANDIDATE = 0x0025,
    STUN_CONTROLLED = 0x8029,
    STUN_CONTROLLING = 0x802a,
};

/** Header with a random transaction id; each craft_stun_attr() keeps its length field right. */
void craft_stun(craft *c, craft_rng *rng, unsigned type);
void craft_stun_attr(craft *c, unsigned type, const void *value, size_t len);
/** USERNAME "first:second". */
void craft_stun_username(craft *c, const char *first, const char *second);
/** MESSAGE-INTEGRITY by this key. */
void craft_stun_integrity(craft *c, const char *key);
void craft_stun_fingerprint(craft *c);
/** A connectivity check as a controlling agent sends it, signed by key; NULL = not signed. */
void craft_check(craft *c, craft_rng *rng, const char *first, const char *second, const char *key,
                 bool nominate);

/* --- DTLS (RFC 6347) ---------------------------------------------------------------------------
 */

enum {
    DTLS_CCS = 20,
    DTLS_ALERT = 21,
    DTLS_HANDSHAKE = 22,
    DTLS_DATA = 23,
    DTLS_10 = 0xfeff,
    DTLS_12 = 0xfefd,
};

/** Appends one record. claimed: what its length field says. */
void craft_record(craft *c, unsigned type, unsigned version, unsigned epoch, uint64_t seq,
                  const void *body, size_t len, unsigned claimed);
void craft_alert(craft *c, unsigned epoch, uint64_t seq, unsigned level, unsigned description);

/** What of a ClientHello is chosen. */
typedef struct craft_hello_shape {
    uint16_t record_version, client_version;
    const uint16_t *suites;
    size_t suite_count;
    uint16_t message_seq;
} craft_hello_shape;
extern const craft_hello_shape CRAFT_HELLO_GOOD; /* ECDHE-ECDSA suites, DTLS 1.2 */
extern const craft_hello_shape CRAFT_HELLO_NULL; /* TLS_NULL_WITH_NULL_NULL only */

/** The handshake message, header included, no record: extensions as a WebRTC client has them. */
void craft_hello_message(craft *c, craft_rng *rng, const craft_hello_shape *shape);
/** The same in one record of epoch 0. */
void craft_hello(craft *c, craft_rng *rng, const craft_hello_shape *shape, uint64_t seq);

/* --- RTP and RTCP (RFC 3550) -------------------------------------------------------------------
 */

void craft_rtp(craft *c, craft_rng *rng, unsigned pt, uint16_t seq, uint32_t timestamp,
               uint32_t ssrc, size_t payload);
/** Sender report without blocks. */
void craft_sr(craft *c, craft_rng *rng, uint32_t ssrc);
/** SDES with this CNAME. */
void craft_sdes(craft *c, uint32_t ssrc, const char *cname);
void craft_bye(craft *c, uint32_t ssrc);
void craft_app(craft *c, uint32_t ssrc);

#endif
