/* SPDX-License-Identifier: BSD-3-Clause
 * Two ports: what comes from the gateway's own addresses is taken, if it is authentic where keys
 * were agreed on. */
#include "bench/kit/phone.h"

#include "base/rand.h"
#include "base/secret.h"

#include <string.h>

enum {
    PORT_FIRST = 16384,
    PORT_PAIRS = 8192,
    PCMU = 0,
    VP8 = 96,
    TELEPHONE_EVENT = 101,
    H264 = 97,
    PACKET_MAX = 2048,
};

static void take_rtp(void *owner, agw_err err, uint8_t *rtp, size_t len, agw_ns at)
{
    kit_phone *p = owner;
    if (kit_srtp_is_authentic(&p->srtp, err) && p->config.on_rtp != NULL)
        p->config.on_rtp(p->config.owner, rtp, len, at);
}

static void on_rtp(void *owner, const kit_datagram *d)
{
    kit_phone *p = owner;
    if (!agw_addr_equal(&d->from, &p->remote))
        p->other_source++;
    else if (p->srtp.in != NULL)
        kit_srtp_take(&p->srtp, d, take_rtp, p);
    else
        take_rtp(p, AGW_OK, d->data, d->len, d->at);
}

static void on_rtcp(void *owner, const kit_datagram *d)
{
    kit_phone *p = owner;
    if (!agw_addr_equal(&d->from, &p->remote_rtcp)) {
        p->other_source++;
        return;
    }
    const size_t len = p->srtp.in != NULL ? kit_srtp_take_rtcp(&p->srtp, d) : d->len;
    if (len != 0 && p->config.on_rtcp != NULL)
        p->config.on_rtcp(p->config.owner, d->data, len, d->at);
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
    p->crypto = (kit_crypto){.tag = 1, .suite = config->suite};
    agw_rand_bytes(p->crypto.key, sizeof p->crypto.key);
    kit_wire_bind(world->wire, &p->local, on_rtp, p);
    kit_wire_bind(world->wire, &p->local_rtcp, on_rtcp, p);
}

void kit_phone_fini(kit_phone *p)
{
    if (p->world == NULL)
        return;
    kit_wire_unbind(p->world->wire, &p->local);
    kit_wire_unbind(p->world->wire, &p->local_rtcp);
    kit_srtp_close(&p->srtp, p);
    agw_secret_wipe(p, sizeof *p);
}

size_t kit_phone_write_sdp(kit_phone *p, char out[KIT_SDP_MAX])
{
    const kit_sdp_fields fields = {.local = p->local,
                                   .video = p->config.video,
                                   .ssrc = p->session_id,
                                   .pt = p->pt_in,
                                   .pt_more = p->pt_more,
                                   .codecs = &p->codecs,
                                   .crypto = p->crypto};
    p->described = true;
    return kit_sdp_write_phone(&fields, out);
}

/* NULL, or what is wrong with the gateway's keys. The sessions go on while nothing changes. */
static const char *take_crypto(kit_phone *p, const kit_sdp *s)
{
    if (s->savp != (p->config.suite != AGW_SRTP_NONE))
        return "the gateway's SDP has another profile than ours";
    if (!s->savp)
        return NULL;
    if (s->crypto_count != 1 || s->crypto.suite != p->config.suite)
        return "the gateway's SDP does not have one a=crypto of our suite";
    if (p->described && s->crypto.tag != p->crypto.tag)
        return "the gateway answers another a=crypto than ours";
    const bool same = p->srtp.in != NULL &&
                      agw_secret_equal(s->crypto.key, p->gateway_crypto.key, sizeof s->crypto.key);
    p->crypto.tag = s->crypto.tag;
    p->gateway_crypto = s->crypto;
    if (same || kit_srtp_open(&p->srtp, p->world, s->crypto.suite, s->crypto.key, p->crypto.key))
        return NULL;
    return "no SRTP session";
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
    p->failure = take_crypto(p, &s);
    if (p->failure != NULL)
        return AGW_ERR_MALFORMED;
    p->remote = s.connection;
    p->remote_rtcp = s.rtcp;
    p->pt_out = (uint8_t)pt;
    if (!p->described) {
        p->pt_in = p->pt_out;
        p->pt_more = kit_sdp_pt(&s, p->config.video ? "H264" : "telephone-event");
    }
    return AGW_OK;
}

static bool send_to(kit_phone *p, const agw_addr *remote, const uint8_t *data, size_t len,
                    bool rtcp)
{
    uint8_t buf[PACKET_MAX + AGW_SRTP_TRAILER_MAX];
    if (!agw_addr_is_set(remote))
        return false;
    if (p->config.suite != AGW_SRTP_NONE) {
        if (p->srtp.out == NULL || len > PACKET_MAX)
            return false;
        memcpy(buf, data, len);
        len = kit_srtp_protect(&p->srtp, buf, len, rtcp);
        data = buf;
    }
    if (len == 0)
        return false;
    kit_wire_send(p->world->wire, rtcp ? &p->local_rtcp : &p->local, remote, data, len);
    return true;
}

bool kit_phone_send_rtp(kit_phone *p, const uint8_t *rtp, size_t len)
{
    return send_to(p, &p->remote, rtp, len, false);
}

bool kit_phone_send_rtcp(kit_phone *p, const uint8_t *rtcp, size_t len)
{
    return send_to(p, &p->remote_rtcp, rtcp, len, true);
}

size_t kit_phone_protect_room(kit_phone *p, uint8_t *rtp, size_t len)
{
    if (p->config.suite == AGW_SRTP_NONE)
        return len;
    return p->srtp.out != NULL ? kit_srtp_protect_room(&p->srtp, rtp, len) : 0;
}
