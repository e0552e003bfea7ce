/* SPDX-License-Identifier: BSD-3-Clause
 * The STUN server on the shared access ports (RFC 8489 section 6.3.1): a plain Binding request is
 * told where it came from. Stateless but for what it has answered lately, in all and to each
 * source. A reply is at most 1.4 times as long on the wire as its request, IP and UDP headers
 * counted. */
#ifndef AGW_AGW_STUN_SERVER_H
#define AGW_AGW_STUN_SERVER_H

#include "agw/drop.h"
#include "base/budget.h"
#include "base/pkt.h"

#include <stdint.h>

/* Of its rate, to one source: with the default 50 a second, the set-ups of some thousand users
 * behind one NAT. */
enum { AGW_STUN_SERVER_SHARE = 10 };

/** Zeroed = off. */
typedef struct agw_stun_server {
    uint32_t rate; /* replies a second, and at most so many at once; 0 = off */
    agw_budget budget;
    agw_budgets *sources; /* borrowed */
} agw_stun_server;

/** Turns a request without USERNAME into its reply in place, ready to be forwarded.
 * @return AGW_DROP_NONE, or why there is no reply; then the packet is as it was */
agw_drop agw_stun_serve(agw_stun_server *server, agw_ns now, agw_pkt *pkt);

#endif
