/* SPDX-License-Identifier: BSD-3-Clause
 * From the bytes of a captured frame to the UDP datagram in it. Foreign input: every length is
 * doubted. Fragments are told, not put together. */
#ifndef AGW_BENCH_REPLAY_DISSECT_H
#define AGW_BENCH_REPLAY_DISSECT_H

#include "base/addr.h"
#include "rtp/header.h"

/** What a frame begins with. */
typedef enum kit_link {
    KIT_LINK_ETHERNET,
    KIT_LINK_SLL,  /* Linux cooked, capture of "any" */
    KIT_LINK_SLL2, /* the same, version 2 */
    KIT_LINK_IP,   /* nothing: an IPv4 or IPv6 header at once */
} kit_link;

typedef enum kit_frame {
    KIT_FRAME_UDP = 0,
    KIT_FRAME_CUT,      /* UDP, but not captured to its end (or its lengths lie) */
    KIT_FRAME_FRAGMENT, /* of a UDP datagram */
    KIT_FRAME_OTHER,    /* no UDP */
} kit_frame;

typedef struct kit_udp {
    agw_addr from, to;
    const uint8_t *data; /* payload, borrowed from the frame; never NULL */
    size_t len;          /* of what was captured of it */
} kit_udp;

/** Takes off link header, VLAN tags (802.1Q, 802.1ad), IPv4 or IPv6 with extension headers, UDP.
 * out is valid with KIT_FRAME_UDP and KIT_FRAME_CUT. Padding behind the datagram is left out. */
kit_frame kit_frame_dissect(kit_udp *out, kit_link link, const uint8_t *frame, size_t len);

/** May this be RTP: version 2, no RTCP (RFC 5761 section 4), a header that fits. A packet that is
 * protected passes too. */
bool kit_udp_is_rtp(const kit_udp *udp, agw_rtp_header *header);

#endif
