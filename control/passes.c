/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/passes.h"

#include "control/sdp.h"

#include <string.h>

/* Where the first living media of a description is received; false: nowhere. */
static bool receives_at(const char *text, size_t len, agw_addr *out)
{
    agw_sdp *sdp = NULL;
    if (agw_sdp_parse(&sdp, text, len, NULL) != AGW_OK)
        return false;
    bool found = false;
    for (size_t i = 0; i < sdp->n_medias && !found; i++) {
        const agw_sdp_media *m = &sdp->medias[i];
        found = m->port != 0 && agw_addr_is_set(&m->conn.ip);
        *out = m->conn.ip;
        out->port = m->port;
    }
    agw_sdp_free(sdp);
    return found;
}

agw_ng_call *agw_passes_last(agw_ng_call *first)
{
    agw_ng_call *last = first;
    for (agw_ng_call *pass = first; pass != NULL; pass = pass->next_pass)
        last = pass;
    return last;
}

agw_ng_call *agw_passes_of_sdp(agw_ng_call *first, agw_side speaker, const char *sdp, size_t len)
{
    agw_addr addr;
    if (!receives_at(sdp, len, &addr))
        return first;
    agw_ng_call *before = first;
    for (agw_ng_call *pass = first; pass != NULL; pass = pass->next_pass) {
        agw_side leg;
        if (agw_session_owns(pass->session, &addr, &leg))
            return leg == AGW_SIDE_B ? pass->next_pass : before;
        before = pass;
    }
    return speaker == AGW_SIDE_A ? first : agw_passes_last(first);
}

static bool knows_branch(const agw_ng_call *pass, const char *via_branch)
{
    if (via_branch == NULL || *via_branch == '\0')
        return false;
    for (int side = 0; side < 2; side++) {
        if (strcmp(pass->reoffer_branch[side], via_branch) == 0 ||
            strcmp(pass->moot_branch[side], via_branch) == 0)
            return true;
    }
    for (guint i = 0; i < pass->tags[AGW_SIDE_B]->len; i++) {
        const agw_party_tag *tag = &g_array_index(pass->tags[AGW_SIDE_B], agw_party_tag, i);
        if (strcmp(tag->via_branch, via_branch) == 0)
            return true;
    }
    return false;
}

agw_ng_call *agw_passes_to_delete(agw_ng_call *first, const char *via_branch)
{
    agw_ng_call *newest = first;
    for (agw_ng_call *pass = first; pass != NULL; pass = pass->next_pass) {
        if (knows_branch(pass, via_branch))
            return pass;
        if (pass->clock.delete_at == AGW_NEVER)
            newest = pass;
    }
    return newest;
}

size_t agw_passes_count(const agw_ng_call *first)
{
    size_t n = 0;
    for (; first != NULL; first = first->next_pass)
        n++;
    return n;
}
