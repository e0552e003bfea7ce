/* SPDX-License-Identifier: BSD-3-Clause
 * One ICE candidate as a plain value: parse and write the value of a=candidate (RFC 8839 section
 * 5.1), priority and foundation (RFC 8445 section 5.1). Which candidates a leg offers is the
 * caller's matter. */
#ifndef AGW_ICE_CANDIDATE_H
#define AGW_ICE_CANDIDATE_H

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_CANDIDATE_FOUNDATION = 33, /* 1 to 32 ice-chars and the NUL */
    AGW_CANDIDATE_TEXT = 256,      /* always enough for agw_candidate_write() */
};

typedef enum agw_candidate_type {
    AGW_CANDIDATE_HOST = 0,
    AGW_CANDIDATE_SRFLX,
    AGW_CANDIDATE_PRFLX,
    AGW_CANDIDATE_RELAY,
    AGW_CANDIDATE_OTHER, /* a type that we do not know: unusable */
} agw_candidate_type;

typedef enum agw_candidate_transport {
    AGW_CANDIDATE_UDP = 0,
    AGW_CANDIDATE_TCP, /* RFC 6544 */
    AGW_CANDIDATE_OTHER_TRANSPORT,
} agw_candidate_transport;

typedef enum agw_candidate_tcptype {
    AGW_CANDIDATE_TCP_NONE = 0,
    AGW_CANDIDATE_TCP_ACTIVE,
    AGW_CANDIDATE_TCP_PASSIVE,
    AGW_CANDIDATE_TCP_SO,
} agw_candidate_tcptype;

typedef struct agw_candidate {
    char foundation[AGW_CANDIDATE_FOUNDATION];
    uint16_t component; /* 1 = RTP (and multiplexed RTCP), 2 = RTCP; up to 256 */
    uint8_t transport;  /* agw_candidate_transport */
    uint8_t type;       /* agw_candidate_type */
    uint8_t tcptype;    /* agw_candidate_tcptype */
    bool is_mdns;       /* the address was a .local name */
    uint32_t priority;
    uint32_t generation; /* extension "generation", 0 when absent */
    agw_addr addr;       /* none when the address was a name */
    agw_addr related;    /* raddr and rport; none when absent */
} agw_candidate;

/** Parses the value of a=candidate; "candidate:" in front is allowed, as browsers write it in
 * trickled strings. Unknown extensions are skipped.
 *
 * @param text borrowed for the call, len bytes, no NUL needed
 * @return AGW_OK; AGW_ERR_UNSUPPORTED: well-formed but of no use to us (TCP, a name instead of an
 *         address, an unknown type or transport, component above 2): skip it, count it, it may
 *         still be found as peer-reflexive; *out is filled as far as it was understood.
 *         AGW_ERR_MALFORMED: not a candidate. */
AGW_NODISCARD agw_err agw_candidate_parse(agw_candidate *out, const char *text, size_t len);

/** Writes the value (without "candidate:") and a NUL into out; AGW_CANDIDATE_TEXT bytes are enough.
 * @return AGW_OK, or AGW_ERR_NO_SPACE */
AGW_NODISCARD agw_err agw_candidate_write(const agw_candidate *candidate, char *out, size_t size);

/** RFC 8445 section 5.1.2.1: type preference 126/110/100/0, local preference, component (1 to 256).
 */
uint32_t agw_candidate_priority(agw_candidate_type type, uint16_t local_preference,
                                uint16_t component);

/** The local preference of our host candidates: IPv6 a little before IPv4 (RFC 8421 section 4). */
static inline uint16_t agw_candidate_preference(agw_family family)
{
    return family == AGW_FAMILY_IP6 ? UINT16_MAX : UINT16_MAX - 1;
}

/** The priority of a passive TCP candidate of ours, and (AGW_CANDIDATE_PRFLX) of checks from it
 * (RFC 6544 section 4.2). The type preferences are lower than over UDP, so that TCP is for who has
 * nothing else but a relay. */
uint32_t agw_candidate_tcp_priority(agw_candidate_type type, agw_family family, uint16_t component);

/** Equal for equal type, base address (without port) and transport, else different (RFC 8445
 * section 5.1.1.3). Returns out. */
const char *agw_candidate_foundation(char out[AGW_CANDIDATE_FOUNDATION], agw_candidate_type type,
                                     const agw_addr *base, agw_candidate_transport transport);

/** "host" "srflx" "prflx" "relay" "other"; never NULL. */
const char *agw_candidate_type_text(agw_candidate_type type);

#endif
