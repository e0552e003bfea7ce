/* SPDX-License-Identifier: BSD-3-Clause
 * Link layer, VLAN, IP, UDP; each step narrows [at, end) or gives up. */
#include "bench/replay/dissect.h"

#include "base/wire.h"

#include <string.h>

enum {
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_IP6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,     /* IEEE 802.1Q */
    ETHERTYPE_VLAN_AD = 0x88a8,  /* IEEE 802.1ad, outer tag */
    ETHERTYPE_VLAN_OLD = 0x9100, /* outer tag before 802.1ad */
    ETHERNET_HEADER = 14,
    SLL_HEADER = 16,
    SLL2_HEADER = 20,
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    UDP_HEADER = 8,
};

enum { NEXT_HOP_BY_HOP = 0, NEXT_UDP = 17, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_DEST = 60 };

/** What is left of a frame. */
typedef struct part {
    const uint8_t *at, *end;
    bool cut; /* a length reached past what was captured */
} part;

static size_t left(const part *p)
{
    return (size_t)(p->end - p->at);
}

/* What follows the header is at most `len` long; less when it was not all captured. */
static void narrow(part *p, size_t len)
{
    if (left(p) < len)
        p->cut = true;
    else
        p->end = p->at + len;
}

static bool is_vlan(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_VLAN_AD || type == ETHERTYPE_VLAN_OLD;
}

/* Leaves p at the IP header and tells its version, 0 = no IP. */
static unsigned take_link(part *p, kit_link link)
{
    static const struct {
        size_t header, type_at;
    } shape[] = {
        [KIT_LINK_ETHERNET] = {ETHERNET_HEADER, 12},
        [KIT_LINK_SLL] = {SLL_HEADER, 14},
        [KIT_LINK_SLL2] = {SLL2_HEADER, 0},
    };
    if (link == KIT_LINK_IP)
        return left(p) > 0 ? p->at[0] >> 4 : 0;
    if (left(p) < shape[link].header)
        return 0;
    uint16_t type = agw_get16(p->at + shape[link].type_at);
    p->at += shape[link].header;
    while (is_vlan(type) && left(p) >= 4) {
        type = agw_get16(p->at + 2);
        p->at += 4;
    }
    return type == ETHERTYPE_IP4 ? 4 : type == ETHERTYPE_IP6 ? 6 : 0;
}

static kit_frame take_ip4(part *p, kit_udp *out)
{
    if (left(p) < IP4_HEADER || p->at[0] >> 4 != 4 || p->at[9] != NEXT_UDP)
        return KIT_FRAME_OTHER;
    const size_t header = 4u * (p->at[0] & 15u);
    const size_t total = agw_get16(p->at + 2);
    if (header < IP4_HEADER || total < header || left(p) < header)
        return KIT_FRAME_OTHER;
    if ((agw_get16(p->at + 6) & 0x3fffu) != 0) /* more fragments, or not the first one */
        return KIT_FRAME_FRAGMENT;
    out->from.family = out->to.family = AGW_FAMILY_IP4;
    memcpy(out->from.ip, p->at + 12, 4);
    memcpy(out->to.ip, p->at + 16, 4);
    p->at += header;
    narrow(p, total - header);
    return KIT_FRAME_UDP;
}

/* RFC 8200 section 4; authentication and encryption headers are not followed. */
static kit_frame take_ip6_extensions(part *p, uint8_t next)
{
    while (next != NEXT_UDP) {
        if (left(p) < 8)
            return KIT_FRAME_OTHER;
        size_t len = 8;
        if (next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DEST)
            len = 8u * (p->at[1] + 1u);
        else if (next != NEXT_FRAGMENT)
            return KIT_FRAME_OTHER;
        else if ((agw_get16(p->at + 2) & 0xfff9u) != 0) /* an atomic fragment is whole (RFC 6946) */
            return KIT_FRAME_FRAGMENT;
        if (left(p) < len)
            return KIT_FRAME_OTHER;
        next = p->at[0];
        p->at += len;
    }
    return KIT_FRAME_UDP;
}

static kit_frame take_ip6(part *p, kit_udp *out)
{
    if (left(p) < IP6_HEADER || p->at[0] >> 4 != 6)
        return KIT_FRAME_OTHER;
    const size_t payload = agw_get16(p->at + 4);
    const uint8_t next = p->at[6];
    out->from.family = out->to.family = AGW_FAMILY_IP6;
    memcpy(out->from.ip, p->at + 8, 16);
    memcpy(out->to.ip, p->at + 24, 16);
    p->at += IP6_HEADER;
    narrow(p, payload);
    return take_ip6_extensions(p, next);
}

static kit_frame take_udp(part *p, kit_udp *out)
{
    if (left(p) < UDP_HEADER)
        return KIT_FRAME_OTHER;
    const size_t len = agw_get16(p->at + 4);
    if (len < UDP_HEADER)
        return KIT_FRAME_OTHER;
    out->from.port = agw_get16(p->at);
    out->to.port = agw_get16(p->at + 2);
    p->at += UDP_HEADER;
    narrow(p, len - UDP_HEADER);
    out->data = p->at;
    out->len = left(p);
    return p->cut ? KIT_FRAME_CUT : KIT_FRAME_UDP;
}

kit_frame kit_frame_dissect(kit_udp *out, kit_link link, const uint8_t *frame, size_t len)
{
    part p = {.at = frame, .end = frame + len};
    memset(out, 0, sizeof *out);
    const unsigned version = take_link(&p, link);
    kit_frame found = KIT_FRAME_OTHER;
    if (version == 4)
        found = take_ip4(&p, out);
    else if (version == 6)
        found = take_ip6(&p, out);
    return found == KIT_FRAME_UDP ? take_udp(&p, out) : found;
}

bool kit_udp_is_rtp(const kit_udp *udp, agw_rtp_header *header)
{
    if (agw_rtp_is_rtcp(udp->data, udp->len))
        return false;
    return agw_rtp_parse_protected(header, udp->data, udp->len) == AGW_OK;
}
