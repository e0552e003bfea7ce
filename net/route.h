/* SPDX-License-Identifier: BSD-3-Clause
 * The way to a destination as the kernel's own tables have it (rtnetlink): interface, MAC
 * addresses, MTU. For backends that write Ethernet frames themselves. One thread. */
#ifndef AGW_NET_ROUTE_H
#define AGW_NET_ROUTE_H

#include "base/addr.h"

typedef struct agw_route {
    uint32_t ifindex;
    uint8_t local_mac[6], next_mac[6]; /* ours; the neighbour's who is the next hop */
    uint16_t mtu;                      /* of the IP packet */
} agw_route;

typedef struct agw_routes agw_routes;

/** NULL: the system refuses netlink (errno). No privilege needed. */
AGW_NODISCARD agw_routes *agw_routes_new(void);
void agw_routes_free(agw_routes *routes);

/** For epoll: readable when a neighbour, route, address or link has changed. */
int agw_routes_fd(const agw_routes *routes);
/** Reads all that is there; true: something changed, look everything up again. Also true when
 * notifications were lost. Never waits. */
bool agw_routes_changed(agw_routes *routes);

/** Looks up the way from our address `local` to `remote` (both of one family; ports do not matter).
 * About six system calls, three when nothing was notified since the last look-up by the same link
 * and next hop: for set-up, not for packets.
 *
 * @return AGW_OK; AGW_ERR_NOT_FOUND: no route, or the next hop's MAC is not known (yet): let the
 *         kernel send something there and ask again; AGW_ERR_UNSUPPORTED: not by Ethernet
 *         (loopback, tunnel), or a local, multicast or broadcast destination; AGW_ERR_SYSTEM */
AGW_NODISCARD agw_err agw_routes_find(agw_routes *routes, const agw_addr *local,
                                      const agw_addr *remote, agw_route *out);

#endif
