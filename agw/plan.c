/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/plan.h"

#include "base/secret.h"

#include <stdlib.h>

agw_plan *agw_plan_new(size_t n_transports, size_t n_medias)
{
    agw_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return NULL;
    plan->transports = calloc(n_transports + 1, sizeof *plan->transports);
    plan->medias = calloc(n_medias + 1, sizeof *plan->medias);
    plan->chains = calloc(2 * n_medias + 1, sizeof *plan->chains);
    if (plan->transports == NULL || plan->medias == NULL || plan->chains == NULL) {
        agw_plan_free(plan);
        return NULL;
    }
    plan->n_transports = n_transports;
    plan->n_medias = n_medias;
    return plan;
}

agw_chain_plan *agw_plan_add_chain(agw_plan *plan)
{
    AGW_ASSERT(plan->n_chains < 2 * plan->n_medias);
    return &plan->chains[plan->n_chains++];
}

void agw_plan_free(agw_plan *plan)
{
    if (plan == NULL)
        return;
    if (plan->transports != NULL)
        agw_secret_wipe(plan->transports, plan->n_transports * sizeof *plan->transports);
    free(plan->transports);
    free(plan->medias);
    free(plan->candidates);
    free(plan->chains);
    free(plan->audios);
    free(plan);
}
