/* SPDX-License-Identifier: BSD-3-Clause
 * The STUN server on the shared access ports (RFC 8489 section 6.3.1): a plain Binding request is
 * told where it came from. Stateless but for one token bucket a worker. A reply is at most 1.4
 * times as long on the wire as its request, IP and UDP headers counted. */
#ifndef AGW_AGW_STUN_SERVER_H
#define AGW_AGW_STUN_SERVER_H

#include "agw/drop.h"
#include "base/clock.h"
#include "base/pkt.h"

#include <stdint.h>

/** Zeroed = off. */
typedef struct agw_stun_server {
    uint32_t rate; /* replies a second, and at most so many at once; 0 = off */
    uint32_t tokens;
    agw_ns filled_at; /* up to when tokens were counted; 0 = never */
} agw_stun_server;

/** Turns a request without USERNAME into its reply in place, ready to be forwarded.
 * @return AGW_DROP_NONE, or why there is no reply; then the packet is as it was */
agw_drop agw_stun_serve(agw_stun_server *server, agw_ns now, agw_pkt *pkt);

#endif
