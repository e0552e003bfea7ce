/* SPDX-License-Identifier: BSD-3-Clause
 * Two ports and no secrets: what comes from the gateway's own addresses is taken as it is. */
#include "bench/kit/phone.h"

#include "base/rand.h"

#include <string.h>

enum {
    PORT_FIRST = 16384,
    PORT_PAIRS = 8192,
    PCMU = 0,
    VP8 = 96,
    TELEPHONE_EVENT = 101,
    H264 = 97,
};

static void on_rtp(void *owner, const kit_datagram *d)
{
    kit_phone *p = owner;
    if (!agw_addr_equal(&d->from, &p->remote))
        p->other_source++;
    else if (p->config.on_rtp != NULL)
        p->config.on_rtp(p->config.owner, d->data, d->len, d->at);
}

static void on_rtcp(void *owner, const kit_datagram *d)
{
    kit_phone *p = owner;
    if (!agw_addr_equal(&d->from, &p->remote_rtcp))
        p->other_source++;
    else if (p->config.on_rtcp != NULL)
        p->config.on_rtcp(p->config.owner, d->data, d->len, d->at);
}

void kit_phone_init(kit_phone *p, kit_world *world, const kit_phone_config *config)
{
    memset(p, 0, sizeof *p);
    p->world = world;
    p->config = *config;
    p->session_id = agw_rand32();
    p->local = kit_world_host(world);
    p->local.port = (uint16_t)(PORT_FIRST + 2 * (agw_rand32() % PORT_PAIRS));
    p->local_rtcp = p->local;
    p->local_rtcp.port++;
    p->pt_out = p->pt_in = config->video ? VP8 : PCMU;
    p->pt_more = config->video ? H264 : TELEPHONE_EVENT;
    if (config->codecs != NULL) {
        p->codecs = *config->codecs;
        p->pt_out = p->pt_in = p->codecs.codec[0].pt;
    }
    kit_wire_bind(world->wire, &p->local, on_rtp, p);
    kit_wire_bind(world->wire, &p->local_rtcp, on_rtcp, p);
}

void kit_phone_fini(kit_phone *p)
{
    if (p->world == NULL)
        return;
    kit_wire_unbind(p->world->wire, &p->local);
    kit_wire_unbind(p->world->wire, &p->local_rtcp);
    memset(p, 0, sizeof *p);
}

size_t kit_phone_write_sdp(kit_phone *p, char out[KIT_SDP_MAX])
{
    const kit_sdp_fields fields = {.local = p->local,
                                   .video = p->config.video,
                                   .ssrc = p->session_id,
                                   .pt = p->pt_in,
                                   .pt_more = p->pt_more,
                                   .codecs = &p->codecs};
    p->described = true;
    return kit_sdp_write_phone(&fields, out);
}

agw_err kit_phone_take(kit_phone *p, const char *sdp, size_t len)
{
    kit_sdp s;
    if (kit_sdp_read(&s, sdp, len, p->config.video, &p->failure) != AGW_OK)
        return AGW_ERR_MALFORMED;
    const int pt = p->codecs.count > 0 ? kit_codecs_take(&p->codecs, &s, !p->described)
                                       : kit_sdp_pt(&s, p->config.video ? "VP8" : "PCMU");
    if (pt < 0) {
        p->failure = "the gateway's SDP does not have our codec";
        return AGW_ERR_MALFORMED;
    }
    p->remote = s.connection;
    p->remote_rtcp = s.rtcp;
    p->pt_out = (uint8_t)pt;
    if (!p->described) {
        p->pt_in = p->pt_out;
        p->pt_more = kit_sdp_pt(&s, p->config.video ? "H264" : "telephone-event");
    }
    return AGW_OK;
}

bool kit_phone_send_rtp(kit_phone *p, const uint8_t *rtp, size_t len)
{
    if (!agw_addr_is_set(&p->remote))
        return false;
    kit_wire_send(p->world->wire, &p->local, &p->remote, rtp, len);
    return true;
}

bool kit_phone_send_rtcp(kit_phone *p, const uint8_t *rtcp, size_t len)
{
    if (!agw_addr_is_set(&p->remote_rtcp))
        return false;
    kit_wire_send(p->world->wire, &p->local_rtcp, &p->remote_rtcp, rtcp, len);
    return true;
}
