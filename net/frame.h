/* SPDX-License-Identifier: BSD-3-Clause
 * Ethernet, IP and UDP headers around a payload, read and written by hand, for backends below the
 * kernel's UDP. IPv4 without options and IPv6 without extension headers; no VLAN tags. */
#ifndef AGW_NET_FRAME_H
#define AGW_NET_FRAME_H

#include "base/addr.h"
#include "net/route.h"

enum { AGW_FRAME_HEADERS_MAX = 14 + 40 + 8 };

/** A UDP datagram in a frame; payload is borrowed from it. */
typedef struct agw_frame {
    agw_addr from, to;
    const uint8_t *payload;
    size_t len;
    uint8_t tos; /* DSCP and ECN */
    uint16_t id; /* identification (IPv4) */
} agw_frame;

/** Lengths and checksums are checked: what the kernel would refuse is refused. A UDP checksum may
 * be 0 (IPv4), or the sum of the pseudo header only: so the kernel of the same machine leaves it to
 * a network card that is none. Padding behind the IP packet is left out.
 * @return AGW_OK; AGW_ERR_MALFORMED; AGW_ERR_UNSUPPORTED: not such a frame */
AGW_NODISCARD agw_err agw_frame_read(agw_frame *out, const uint8_t *frame, size_t len);

/** Bytes in front of the payload. */
static inline size_t agw_frame_headers(const agw_addr *addr)
{
    return 14 + (addr->family == AGW_FAMILY_IP6 ? 40u : 20u) + 8;
}

/** Writes headers and payload into out, which has room for agw_frame_headers() + len bytes; both
 * addresses are of one family. IPv4 packets may be fragmented on their way: within the lifetime of
 * packets each needs its own id (RFC 6864 section 4.3). Returns the frame's length. */
size_t agw_frame_write(uint8_t *out, const agw_route *route, const agw_frame *frame);

#endif
