/* SPDX-License-Identifier: BSD-3-Clause
 * The checklist of a full agent for one component (RFC 8445 section 6.1.2): the pairs, which of
 * them is checked next, retransmissions and timeouts. Bytes, credentials and what a result means
 * are ice/full.c's matter.
 *
 * We have one local host candidate of each family for UDP, so a remote address makes one pair; a
 * passive one for TCP makes pairs only with peers that have come to it (RFC 6544 section 6.2). A
 * peer-reflexive candidate of our own (RFC 8445 section 7.2.5.3.1) has that same base and is not
 * kept. Nothing is frozen by foundation: one component, and Ta paces it. */
#ifndef AGW_ICE_CHECKLIST_H
#define AGW_ICE_CHECKLIST_H

#include "ice/agent.h"

enum { AGW_ICE_LOCALS = 4 }; /* for each family one of UDP and one of TCP */

typedef enum agw_check_state {
    AGW_CHECK_WAITING = 0,
    AGW_CHECK_IN_PROGRESS,
    AGW_CHECK_SUCCEEDED,
    AGW_CHECK_FAILED,
    AGW_CHECK_RESTING, /* known, but only a check of the peer brings it back: nomination is over */
} agw_check_state;

/** One candidate pair and its check. */
typedef struct agw_check {
    agw_ice_pair pair;
    uint32_t local_priority, remote_priority; /* of the candidates, RFC 8445 section 5.1.2 */
    uint8_t state;                            /* agw_check_state */
    uint8_t sent;                             /* times that the present check was sent */
    bool nominated;      /* the controlling peer wants it (RFC 8445 section 7.3.1.5) */
    bool use_candidate;  /* the present check carries USE-CANDIDATE */
    bool as_controlling; /* the role in the present check */
    bool hurried;        /* the present check was repeated early */
    bool passive;        /* by a passive TCP candidate of ours */
    agw_ns sent_at;      /* its last datagram */
    uint32_t queued;     /* place in the triggered-check queue; 0 = not in it */
    uint64_t id, old_id; /* transactions: the present one, and the one before; 0 = none */
    agw_ns rto, due_at;  /* retransmission or timeout, when in progress */
    agw_ns responded_at; /* the latest success; meaningful when it has succeeded */
} agw_check;

typedef struct agw_ice_local {
    uint32_t port_id;
    uint8_t family;
    bool passive;      /* of TCP */
    uint32_t priority; /* of the host candidate in SDP */
    uint32_t prflx;    /* PRIORITY in checks, RFC 8445 section 7.1.1 */
} agw_ice_local;

/** Zeroed but for seed = empty. Pairs are on the heap; agw_checklist_fini() frees them. */
typedef struct agw_checklist {
    agw_check *checks;
    size_t n, room; /* AGW_ICE_PAIRS at most */
    agw_ice_local locals[AGW_ICE_LOCALS];
    size_t n_locals;
    bool controlling;
    bool completed; /* a pair of this generation is selected */
    uint32_t last_queued;
    agw_ns next_at;        /* no new check before then: Ta */
    agw_ns first_valid_at; /* AGW_NEVER = no pair has succeeded yet */
    uint8_t seed[16];      /* of transaction ids */
    uint64_t drawn;
} agw_checklist;

void agw_checklist_fini(agw_checklist *list);
/** For a new generation of credentials: no pairs; role and local candidates stay. */
void agw_checklist_clear(agw_checklist *list);

/** A number that nobody else can know; never 0. */
uint64_t agw_checklist_draw(agw_checklist *list);

/** Adds a pair. Pointers to other checks end. One that is there already takes the priority. NULL:
 * local is NULL, or the list is full of better ones. */
agw_check *agw_checklist_add(agw_checklist *list, const agw_ice_local *local,
                             const agw_addr *remote, uint32_t priority);
/** NULL: not there. */
agw_check *agw_checklist_find(const agw_checklist *list, const agw_ice_pair *pair);
/** The pair that has sent this transaction and waits, or has waited, for its response. */
agw_check *agw_checklist_by_id(const agw_checklist *list, uint64_t id);
const agw_ice_local *agw_checklist_local(const agw_checklist *list, uint32_t port_id);
/** The local candidate that checks a remote one of SDP; NULL: none of its family. */
const agw_ice_local *agw_checklist_local_for(const agw_checklist *list, const agw_addr *remote);

/** The peer has checked this pair: it goes into the triggered-check queue (RFC 8445 section
 * 7.3.1.4). A check that is under way is repeated at once, and begins anew to count, instead of
 * being replaced: a peer that checks every 50 ms would otherwise outrun every response that takes
 * longer. For the same reason it is repeated so once, and then every 500 ms. */
void agw_checklist_trigger(agw_checklist *list, agw_ns now, agw_check *check);
/** A pair is selected: what has not been checked yet rests (RFC 8445 section 8.1.2). */
void agw_checklist_complete(agw_checklist *list);

/** AGW_NEVER when nothing is due. */
agw_ns agw_checklist_deadline(const agw_checklist *list);
/** The check that is to be sent now, again or for the first time, with all about it noted; NULL:
 * none. Call again until NULL. As controlling agent it nominates (RFC 8445 section 8.1.1): the best
 * valid pair when no better one is unsettled, or 300 ms after the first one was valid. */
agw_check *agw_checklist_next(agw_checklist *list, agw_ns now);
/** Transaction id of this check was answered. true: that was our nomination. */
bool agw_checklist_succeed(agw_checklist *list, agw_ns now, agw_check *check, uint64_t id);
/** As controlling agent: nominates this pair in place of the selected one. */
void agw_checklist_nominate(agw_checklist *list, agw_check *check);

#endif
