/* SPDX-License-Identifier: BSD-3-Clause
 * Any bytes as a session description: no crash, every value within its bounds, and what is accepted
 * can be asked everything. */
#include "control/sdp.h"

#include <stdlib.h>
#include <string.h>

static size_t sink;

static void ask_codec(const agw_sdp_media *m, const agw_sdp_codec *c)
{
    char value[32];
    AGW_ASSERT(agw_sdp_codec_of(m, c->pt) == c && c->name != NULL);
    sink += agw_sdp_codec_has_fb(c, "nack pli");
    sink += agw_sdp_fmtp_get(c->fmtp, "mode-set", value, sizeof value);
    sink += agw_sdp_fmtp_get(c->fmtp, "apt", value, 2);
}

static void ask_media(const agw_sdp *sdp, const agw_sdp_media *m)
{
    uint32_t transport;
    AGW_ASSERT(m->n_attrs <= AGW_SDP_ATTR_MAX && m->formats.n <= AGW_SDP_FORMAT_MAX);
    AGW_ASSERT((m->ice_ufrag == NULL) == (m->ice_pwd == NULL));
    for (size_t i = 0; i < m->n_codecs; i++)
        ask_codec(m, &m->codecs[i]);
    for (size_t i = 0; i < m->n_attrs; i++) {
        agw_sdp_precondition pre;
        sink += strlen(m->attrs[i].name) + (m->attrs[i].value ? strlen(m->attrs[i].value) : 0);
        sink += agw_sdp_precondition_parse(&pre, &m->attrs[i]) == AGW_OK;
    }
    if (m->mid != NULL)
        AGW_ASSERT(agw_sdp_by_mid(sdp, m->mid) == m);
    sink += agw_sdp_pcfg_for(sdp, m, AGW_SDP_RTP_AVPF, &transport) != NULL;
    sink += (size_t)agw_sdp_bandwidth_of(m, "AS");
    sink += agw_sdp_extmap_of(m, "urn:ietf:params:rtp-hdrext:sdes:mid") != NULL;
    for (size_t i = 0; i < m->candidates.n; i++)
        sink += strlen(m->candidates.v[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    agw_sdp *sdp = NULL;
    agw_sdp_why why = {.text = ""};
    if (agw_sdp_parse(&sdp, (const char *)data, size, &why) != AGW_OK) {
        AGW_ASSERT(why.text[0] != '\0' && sdp == NULL);
        return 0;
    }
    AGW_ASSERT(sdp->n_medias <= AGW_SDP_MEDIA_MAX && sdp->n_groups <= AGW_SDP_GROUP_MAX);
    for (size_t i = 0; i < sdp->n_medias; i++)
        ask_media(sdp, &sdp->medias[i]);
    agw_sdp_free(sdp);
    return 0;
}
