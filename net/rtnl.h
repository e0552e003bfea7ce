/* SPDX-License-Identifier: BSD-3-Clause
 * The few rtnetlink messages that net/route.c needs, as plain values (rtnetlink(7)); no sockets
 * here. Numbers are in host order, as the kernel writes them. */
#ifndef AGW_NET_RTNL_H
#define AGW_NET_RTNL_H

#include "base/addr.h"

/** RTM_NEWROUTE, RTM_DELROUTE. */
typedef struct agw_rtnl_route {
    uint8_t type;     /* RTN_UNICAST, RTN_LOCAL, ... */
    bool wrapped;     /* a light-weight tunnel (MPLS, SRv6, ...) is put around the packet */
    bool expires;     /* learnt, not configured; the same holds for an IPv4 route's mtu then */
    uint32_t ifindex; /* of the output; 0: not told, or several */
    agw_addr gateway; /* none: the destination is on the link. IPv4 can have an IPv6 gateway */
    uint32_t mtu;     /* the route's own metric; 0: none */
} agw_rtnl_route;

/** RTM_NEWLINK, RTM_DELLINK. */
typedef struct agw_rtnl_link {
    uint16_t type;  /* ARPHRD_ETHER, ... */
    uint32_t flags; /* IFF_UP, IFF_RUNNING, ... */
    uint32_t mtu;
    bool vlan;    /* a VLAN sub-interface: frames would need a tag */
    bool has_mac; /* an address of six bytes */
    uint8_t mac[6];
} agw_rtnl_link;

/** RTM_NEWNEIGH, RTM_DELNEIGH. */
typedef struct agw_rtnl_neigh {
    uint32_t ifindex;
    uint16_t state; /* NUD_REACHABLE, ... */
    agw_addr addr;  /* none: not an IP neighbour (a bridge's table speaks this way, too) */
    bool has_mac;
    uint8_t mac[6];
} agw_rtnl_neigh;

typedef struct agw_rtnl_msg {
    uint16_t type; /* tells which of the values holds; of other types only type and seq do */
    uint32_t seq;
    int error; /* NLMSG_ERROR: a positive errno, 0 is an acknowledgement */
    agw_rtnl_route route;
    agw_rtnl_link link;
    agw_rtnl_neigh neigh;
} agw_rtnl_msg;

/** Parses the first message in buf, what it does not know it skips.
 *
 * @param used  out: where the next message begins; len: this was the last
 * @return AGW_OK; AGW_ERR_TRUNCATED: the message or an attribute runs past its end;
 *         AGW_ERR_MALFORMED: a length that cannot be. Nothing more can be read from buf then. */
AGW_NODISCARD agw_err agw_rtnl_parse(agw_rtnl_msg *msg, const uint8_t *buf, size_t len,
                                     size_t *used);

/** Room for each of the requests below. */
enum { AGW_RTNL_REQUEST = 128 };

/** Write one request and return its length. Routes: both addresses of one family; `flags` are
 * RTM_F_... of linux/rtnetlink.h: none asks for the route as a packet would go, RTM_F_FIB_MATCH for
 * the entry in the table. */
size_t agw_rtnl_ask_route(uint8_t buf[AGW_RTNL_REQUEST], uint32_t seq, const agw_addr *local,
                          const agw_addr *remote, unsigned flags);
size_t agw_rtnl_ask_link(uint8_t buf[AGW_RTNL_REQUEST], uint32_t seq, uint32_t ifindex);
size_t agw_rtnl_ask_neigh(uint8_t buf[AGW_RTNL_REQUEST], uint32_t seq, uint32_t ifindex,
                          const agw_addr *addr);

#endif
