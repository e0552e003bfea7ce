/* SPDX-License-Identifier: BSD-3-Clause
 * The valid list of an agent: remote addresses whose checks (or responses, full agent) were
 * authentic, and which of them were nominated. Who may write here is ice/agent.c's matter. */
#ifndef AGW_ICE_VALIDLIST_H
#define AGW_ICE_VALIDLIST_H

#include "ice/agent.h"

typedef struct agw_valid_pair {
    agw_ice_pair pair; /* family NONE = free */
    uint32_t priority; /* of the latest check (RFC 8445 section 7.1.1) */
    agw_ns checked_at;
    agw_ns nominated_at; /* the latest USE-CANDIDATE; AGW_NEVER = none */
} agw_valid_pair;

/** Zeroed = empty, nothing selected. */
typedef struct agw_valid_list {
    agw_valid_pair *selected;
    agw_valid_pair *pairs; /* on the heap: few peers have more than one or two */
    size_t room;           /* of pairs; AGW_ICE_REMOTES at most */
    agw_ns
        aggressive_until; /* the peer nominates several pairs at once, RFC 5245 section 8.1.1.2 */
} agw_valid_list;

const agw_valid_pair *agw_valid_find(const agw_valid_list *list, uint32_t port_id,
                                     const agw_addr *remote);

/** An authentic check: finds or adds the pair and notes it. A full list gives up the pair that was
 * checked longest ago, never the selected one; res tells new_remote, evicted and gone. Pointers to
 * other pairs end. */
agw_valid_pair *agw_valid_check(agw_valid_list *list, agw_ns now, const agw_ice_pair *pair,
                                uint32_t priority, agw_ice_result *res);

/** The check carried USE-CANDIDATE. The newest nomination is selected; from a peer that nominates
 * several pairs at once, the highest priority among those nominated lately. */
void agw_valid_nominate(agw_valid_list *list, agw_ns now, agw_valid_pair *pair);
/** A new generation of credentials takes over: nothing is selected, earlier nominations say nothing
 * any more, and the addresses stay valid. */
void agw_valid_restart(agw_valid_list *list);

/** Frees what it holds. */
void agw_valid_fini(agw_valid_list *list);

#endif
