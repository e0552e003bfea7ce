/* SPDX-License-Identifier: BSD-3-Clause
 * The inside of an agent, shared by agent.c (credentials, checks of the peer) and full.c (checks of
 * our own). */
#ifndef AGW_ICE_AGENT_STATE_H
#define AGW_ICE_AGENT_STATE_H

#include "ice/agent.h"
#include "ice/consent.h"
#include "ice/validlist.h"

/** One pair of credentials on each side. */
typedef struct agw_ice_generation {
    bool is_used;
    char local_ufrag[AGW_ICE_LOCAL_MAX + 1];
    char local_pwd[AGW_ICE_LOCAL_MAX + 1];
    char *remote_ufrag, *remote_pwd; /* one piece of the heap; NULL until known */
} agw_ice_generation;

struct agw_ice {
    agw_consent consent; /* what every packet needs: this, and whether a pair is selected */
    agw_valid_list valid;
    agw_ice_generation now;      /* the newest */
    agw_ice_generation past;     /* during a restart: the one that media still uses */
    uint32_t seen[AGW_ICE_SEEN]; /* transactions of the latest checks, their CRC, a ring */
    uint64_t checks;             /* authentic ones that were answered */
    agw_ns fail_after;
    agw_ns fail_at;        /* AGW_NEVER: remote credentials unknown, or told already */
    struct agw_full *full; /* NULL = lite */
};

/** A valid pair is nominated: selects it, and ends a restart if by is the newest generation. */
void agw_ice_nominate(agw_ice *ice, agw_ns now, const agw_ice_generation *by, agw_valid_pair *pair,
                      agw_ice_result *res);

#endif
