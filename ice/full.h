/* SPDX-License-Identifier: BSD-3-Clause
 * What a full agent has beyond a lite one: checks of its own, both roles, nomination, consent
 * checks. Calls come from agent.c, which has proved what the peer sends. */
#ifndef AGW_ICE_FULL_H
#define AGW_ICE_FULL_H

#include "ice/agent_state.h"
#include "ice/checklist.h"

typedef struct agw_full {
    agw_checklist list;
    uint32_t id_prefix;
    uint64_t tie_breaker;
    bool consent_due;        /* a consent check leaves with the next agw_ice_next_check() */
    uint64_t consent_ids[2]; /* of the latest two consent checks; 0 = none */
    /* As controlling: another pair than the selected one was found valid; it is nominated unless
     * the selected one answers before then (AGW_NEVER: there is none). */
    agw_ice_pair rival;
    agw_ns rival_at;
} agw_full;

/** NULL when memory is short. */
agw_full *agw_full_new(const agw_ice_config *config);
void agw_full_free(agw_full *full);
/** An ICE restart: the pairs of the former generation end, but for the selected one. */
void agw_full_restart(agw_full *full);

/** Both sides claim the same role in an authentic check (RFC 8445 section 7.3.1.1). true: we have
 * given way, and the check is answered; false: the peer gets a 487. */
bool agw_full_gives_way(agw_full *full, const agw_stun_msg *msg);
/** An authentic check of the peer was answered; pair is its entry in the valid list. */
void agw_full_on_check(agw_ice *ice, agw_ns now, const agw_ice_generation *by,
                       const agw_stun_msg *msg, agw_valid_pair *pair, agw_ice_result *res);
/** A response or error came. */
agw_ice_drop agw_full_on_response(agw_ice *ice, agw_ns now, const agw_ice_pair *from,
                                  const agw_stun_msg *msg, const uint8_t *buf, size_t len,
                                  agw_ice_result *res);

agw_ns agw_full_deadline(const agw_ice *ice);

#endif
