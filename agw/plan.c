/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/plan.h"

#include "base/secret.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

agw_plan *agw_plan_new(size_t n_transports, size_t n_medias)
{
    agw_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return NULL;
    plan->transports = calloc(n_transports + (n_transports == 0), sizeof *plan->transports);
    plan->medias = calloc(n_medias + (n_medias == 0), sizeof *plan->medias);
    if (plan->transports == NULL || plan->medias == NULL) {
        agw_plan_free(plan);
        return NULL;
    }
    plan->n_transports = n_transports;
    plan->n_medias = plan->most_medias = n_medias;
    return plan;
}

size_t agw_plan_room(size_t bytes)
{
    const size_t align = alignof(max_align_t);
    return (bytes + align - 1) / align * align;
}

agw_err agw_plan_make_room(agw_plan *plan, size_t bytes)
{
    AGW_ASSERT(plan->room == NULL);
    plan->room = bytes != 0 ? malloc(bytes) : NULL;
    plan->room_bytes = bytes;
    return bytes == 0 || plan->room != NULL ? AGW_OK : AGW_ERR_LIMIT;
}

void *agw_plan_keep(agw_plan *plan, const void *from, size_t n)
{
    if (n == 0)
        return NULL;
    AGW_ASSERT(agw_plan_room(n) <= plan->room_bytes - plan->room_used);
    void *at = plan->room + plan->room_used;
    memcpy(at, from, n);
    plan->room_used += agw_plan_room(n);
    return at;
}

agw_chain_plan *agw_plan_add_chain(agw_plan *plan)
{
    AGW_ASSERT(plan->n_chains < 2 * plan->most_medias);
    if (plan->chains == NULL)
        plan->chains = calloc(2 * plan->most_medias, sizeof *plan->chains);
    AGW_ASSERT(plan->chains != NULL);
    return &plan->chains[plan->n_chains++];
}

void agw_plan_free(agw_plan *plan)
{
    if (plan == NULL)
        return;
    if (plan->transports != NULL)
        agw_secret_wipe(plan->transports, plan->n_transports * sizeof *plan->transports);
    if (plan->room != NULL)
        agw_secret_wipe(plan->room, plan->room_used);
    free(plan->room);
    free(plan->transports);
    free(plan->medias);
    free(plan->chains);
    free(plan->audios);
    free(plan);
}
