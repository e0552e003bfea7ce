/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/branches.h"

#include <stdlib.h>

static const agw_branch *find(const agw_branches *b, const agw_addr *addr)
{
    if (agw_addr_equal(&b->party.addr, addr))
        return &b->party;
    for (size_t i = 0; i < b->n; i++) {
        if (agw_addr_equal(&b->others[i].addr, addr))
            return &b->others[i];
    }
    return NULL;
}

static agw_branch known(const agw_branches *b, const agw_addr *addr)
{
    const agw_branch *branch = find(b, addr);
    return branch != NULL ? *branch : (agw_branch){.addr = *addr};
}

void agw_branches_apply(agw_branches *b, const agw_transport_plan *plan)
{
    const agw_branches was = *b;
    b->n = plan->n_sources;
    b->n_open = plan->n_open;
    b->muted = plan->muted;
    b->party = known(&was, &plan->remote_rtp);
    b->others = NULL;
    if (b->n != 0) {
        b->others = calloc(b->n, sizeof *b->others);
        AGW_ASSERT(b->others != NULL);
    }
    for (size_t i = 0; i < b->n; i++)
        b->others[i] = known(&was, &plan->sources[i]);
    free(was.others);
}

void agw_branches_fini(agw_branches *b)
{
    free(b->others);
    *b = (agw_branches){0};
}

bool agw_branches_is_named(const agw_branches *b, const agw_addr *from)
{
    return find(b, from) != NULL;
}

bool agw_branches_is_source(uint8_t source_rule, const agw_addr *signalled, const agw_addr *from)
{
    return source_rule == AGW_SOURCE_STRICT ? agw_addr_equal(signalled, from)
                                            : agw_addr_ip_equal(signalled, from);
}

int agw_branches_find(const agw_branches *b, uint8_t source_rule, const agw_addr *party,
                      const agw_addr *from)
{
    if (agw_addr_equal(party, from))
        return AGW_BRANCH_PARTY;
    for (int i = 0; i < b->n; i++) {
        if (agw_addr_equal(&b->others[i].addr, from))
            return i + 1;
    }
    if (agw_branches_is_source(source_rule, party, from))
        return AGW_BRANCH_PARTY;
    for (int i = 0; i < b->n; i++) {
        if (agw_branches_is_source(source_rule, &b->others[i].addr, from))
            return i + 1;
    }
    return AGW_BRANCH_NONE;
}

static bool is_silent(const agw_branch *branch, agw_ns now)
{
    return branch->heard_at == 0 || now - branch->heard_at >= AGW_BRANCH_SILENT;
}

bool agw_branches_is_heard(const agw_branches *b, int branch, agw_ns now)
{
    if (branch == AGW_BRANCH_PARTY)
        return !b->muted;
    bool heard = branch <= b->n_open && (b->muted || is_silent(&b->party, now));
    for (int i = 1; i < branch && heard; i++)
        heard = is_silent(&b->others[i - 1], now);
    return heard;
}

bool agw_branches_take(agw_branches *b, int branch, agw_ns now, bool *heard)
{
    agw_branch *from = branch == AGW_BRANCH_PARTY ? &b->party : &b->others[branch - 1];
    *heard = agw_branches_is_heard(b, branch, now);
    from->heard_at = now;
    if (!*heard || agw_addr_equal(&b->heard, &from->addr))
        return false;
    b->heard = from->addr;
    return true;
}
