/* SPDX-License-Identifier: BSD-3-Clause
 * STUN messages (RFC 8489) as ICE uses them: a cheap look that finds the transport, a full parse,
 * the proofs (FINGERPRINT, MESSAGE-INTEGRITY), and the writers of replies and checks. What a
 * message means is ice/agent.h's matter. */
#ifndef AGW_ICE_STUN_H
#define AGW_ICE_STUN_H

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_STUN_HEADER = 20,
    AGW_STUN_ID = 12,           /* transaction id */
    AGW_STUN_UFRAG_MAX = 256,   /* RFC 8839 section 5.4 */
    AGW_STUN_UNKNOWN_MAX = 8,   /* unknown attributes that are listed in a 420 */
    AGW_STUN_REPLY_MAX = 256,   /* room that is always enough for a reply */
    AGW_STUN_CHECK_MAX = 640,   /* the same for a check: USERNAME is the longest part */
    AGW_STUN_SIGNED_MAX = 2048, /* longer messages are not authentic */
    AGW_STUN_METHOD_BINDING = 1,
};

typedef enum agw_stun_class {
    AGW_STUN_REQUEST = 0,
    AGW_STUN_INDICATION,
    AGW_STUN_RESPONSE,
    AGW_STUN_ERROR,
} agw_stun_class;

/** What a worker needs to find the transport. Pointers are borrowed from the datagram. */
typedef struct agw_stun_head {
    agw_stun_class msg_class;
    uint16_t method;
    const uint8_t *id; /* AGW_STUN_ID bytes */
    /* The halves of USERNAME around its first ':', not NUL-terminated. In a request that came in,
     * the first is our ufrag, the second the peer's (RFC 8445 section 7.2.2). */
    const char *local_ufrag; /* NULL: no USERNAME in front of MESSAGE-INTEGRITY */
    size_t local_ufrag_len;
    const char *remote_ufrag; /* NULL: no ':' */
    size_t remote_ufrag_len;
} agw_stun_head;

/** Cheap look without any cryptography: lengths, cookie, class, method, transaction id, USERNAME.
 *
 * @param buf the whole UDP payload, len may be 0
 * @return AGW_OK; AGW_ERR_TRUNCATED: an attribute runs past len; AGW_ERR_MALFORMED: not STUN, or
 *         a USERNAME that no ICE agent writes. Count and drop on both.
 *
 * Proves nothing about the sender. */
AGW_NODISCARD agw_err agw_stun_peek(const uint8_t *buf, size_t len, agw_stun_head *head);

/** One parsed message. Pointers are borrowed from the datagram. Only the first attribute of a kind
 * counts, and none behind MESSAGE-INTEGRITY but FINGERPRINT (RFC 8489 section 14.5). */
typedef struct agw_stun_msg {
    agw_stun_head head;
    uint32_t priority;
    uint64_t tie_breaker;
    agw_addr mapped;     /* XOR-MAPPED-ADDRESS; none when absent */
    uint16_t error_code; /* 300 to 699; 0 when absent */
    bool has_priority, use_candidate, is_controlling, is_controlled;
    size_t integrity_at;   /* offset of the MESSAGE-INTEGRITY attribute; 0 = none */
    size_t fingerprint_at; /* offset of the FINGERPRINT attribute; 0 = none */
    uint16_t unknown[AGW_STUN_UNKNOWN_MAX]; /* comprehension-required and unknown to us */
    size_t unknown_count;                   /* entries of unknown[] in use */
} agw_stun_msg;

/** Parses one message without copying it. Same errors as agw_stun_peek(), and AGW_ERR_MALFORMED for
 * an attribute of the wrong length. Proves nothing: call agw_stun_verify() before acting on it. */
AGW_NODISCARD agw_err agw_stun_parse(agw_stun_msg *msg, const uint8_t *buf, size_t len);

/** CRC-32 of ITU V.42, as FINGERPRINT has it before its own XOR. */
uint32_t agw_stun_crc32(const uint8_t *p, size_t len);
/** true: FINGERPRINT is there and right (RFC 8489 section 14.7). Not a proof of origin. */
bool agw_stun_fingerprint_ok(const agw_stun_msg *msg, const uint8_t *buf, size_t len);

/** Checks MESSAGE-INTEGRITY with a short-term key, in constant time (RFC 8489 section 14.5).
 * @return AGW_OK; AGW_ERR_NOT_FOUND: there is none; AGW_ERR_AUTH: wrong */
AGW_NODISCARD agw_err agw_stun_verify(const agw_stun_msg *msg, const uint8_t *buf, size_t len,
                                      const void *key, size_t key_len);

/** Writers. They return the message's length, 0 when room is too small (AGW_STUN_REPLY_MAX is
 * enough) and out holds nothing of use. All end with MESSAGE-INTEGRITY by key and FINGERPRINT.
 *
 * A success response carries XOR-MAPPED-ADDRESS = mapped; an error response carries code and, with
 * 420, the unknown attributes of the request. */
size_t agw_stun_write_success(const agw_stun_msg *request, const agw_addr *mapped, const char *key,
                              uint8_t *out, size_t room);
size_t agw_stun_write_error(const agw_stun_msg *request, unsigned code, const char *key,
                            uint8_t *out, size_t room);

/** A connectivity check (RFC 8445 section 7.1.1). Texts are borrowed for the call. */
typedef struct agw_stun_check {
    uint8_t id[AGW_STUN_ID];
    const char *their_ufrag, *our_ufrag; /* USERNAME is "theirs:ours" */
    const char *key;                     /* the peer's password */
    uint32_t priority;
    bool controlling, use_candidate;
    uint64_t tie_breaker;
} agw_stun_check;

size_t agw_stun_write_check(const agw_stun_check *check, uint8_t *out, size_t room);

/** What a STUN server says (RFC 8489 section 6.3): XOR-MAPPED-ADDRESS and, where the request had
 * one, FINGERPRINT; no MESSAGE-INTEGRITY. At most 52 bytes. */
size_t agw_stun_write_mapped(const agw_stun_msg *request, const agw_addr *mapped, uint8_t *out,
                             size_t room);

#endif
