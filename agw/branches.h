/* SPDX-License-Identifier: BSD-3-Clause
 * Which branch of a fork is heard (RFC 3960 section 3). Until the final answer several
 * early dialogs may send to one port; the other leg gets one of them at a time. In order: the party
 * that answered last, then the others as the plan lists them. One is heard while all before it have
 * been silent for AGW_BRANCH_SILENT, so ringback of an older branch goes on until the newest one
 * begins to speak. Plain values; the worker's time comes in. */
#ifndef AGW_AGW_BRANCHES_H
#define AGW_AGW_BRANCHES_H

#include "agw/plan.h"
#include "base/clock.h"

/** A branch without a packet for so long is silent: longer than what discontinuous transmission
 * leaves between two packets of background noise (AMR: 160 ms), short enough that the end of an
 * announcement does not seem to be the end of the call. */
static const agw_ns AGW_BRANCH_SILENT = AGW_S(1);

enum { AGW_BRANCH_NONE = -1, AGW_BRANCH_PARTY = 0 };

typedef struct agw_branch {
    agw_addr addr;
    agw_ns heard_at; /* its last packet, heard or not; 0 = none yet */
} agw_branch;

/** Zeroed = no fork. */
typedef struct agw_branches {
    uint8_t n, n_open; /* the first n_open others may be heard, the rest is not */
    bool muted;        /* the party is not heard yet */
    agw_branch party;  /* who answered last, by its signalled address */
    agw_branch *others;
    agw_addr heard; /* who was heard last */
} agw_branches;

/** Takes what the plan says; what is known of a branch stays. */
void agw_branches_apply(agw_branches *b, const agw_transport_plan *plan);
void agw_branches_fini(agw_branches *b);

static inline bool agw_branches_forked(const agw_branches *b)
{
    return b->n != 0 || b->muted;
}

/** Whether `from` is `signalled` by this agw_source_rule. */
bool agw_branches_is_source(uint8_t source_rule, const agw_addr *signalled, const agw_addr *from);

/** Whether `from` is the very address that SDP gave for one of the branches. */
bool agw_branches_is_named(const agw_branches *b, const agw_addr *from);
/** Whose packet it is: AGW_BRANCH_PARTY, 1 and more = its place among the others, or
 * AGW_BRANCH_NONE. Its very address counts first, then the IP address if the rule allows that.
 *
 * @param party  where the party's packets come from, signalled or latched */
int agw_branches_find(const agw_branches *b, uint8_t source_rule, const agw_addr *party,
                      const agw_addr *from);
/** Whether a branch of agw_branches_find() that is not NONE would be heard at now. */
bool agw_branches_is_heard(const agw_branches *b, int branch, agw_ns now);
/** A packet of it came.
 * @param heard  out: it is heard
 * @return true: it is, and somebody else was before */
bool agw_branches_take(agw_branches *b, int branch, agw_ns now, bool *heard);

#endif
