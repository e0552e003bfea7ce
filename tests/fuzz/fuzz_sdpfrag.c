/* SPDX-License-Identifier: BSD-3-Clause
 * Any bytes as an ICE fragment (RFC 8840): no crash, credentials in pairs and within their bounds.
 */
#include "control/sdp.h"

#include <string.h>

static void ask_media(const agw_sdp_media *m)
{
    AGW_ASSERT((m->ice_ufrag == NULL) == (m->ice_pwd == NULL));
    if (m->ice_ufrag != NULL)
        AGW_ASSERT(strlen(m->ice_ufrag) >= 4 && strlen(m->ice_ufrag) <= AGW_SDP_ICE_TEXT_MAX);
    if (m->mid != NULL)
        AGW_ASSERT(strlen(m->mid) <= AGW_SDP_MID_MAX);
    for (size_t i = 0; i < m->candidates.n; i++)
        AGW_ASSERT(m->candidates.v[i][0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    agw_sdp *sdp = NULL;
    agw_sdp_why why = {.text = ""};
    if (agw_sdp_parse_fragment(&sdp, (const char *)data, size, &why) != AGW_OK) {
        AGW_ASSERT(why.text[0] != '\0' && sdp == NULL);
        return 0;
    }
    for (size_t i = 0; i < sdp->n_medias; i++)
        ask_media(&sdp->medias[i]);
    agw_sdp_free(sdp);
    return 0;
}
