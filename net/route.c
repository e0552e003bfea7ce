/* SPDX-License-Identifier: BSD-3-Clause
 * The kernel answers a request before send() returns, so that nothing here ever waits for it. */
#include "net/route.h"

#include "net/rtnl.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REPLY_BYTES = 32768, /* the kernel's own largest; a link's answer has about 1500 */
    NEIGHBOURS = 256,    /* a power of two */
    KNOWN = 16,          /* links, and next hops, whose last answer is kept */
    READ_LIMIT = 1024,   /* datagrams in one turn */
};

/* What the last notification said of a neighbour. */
typedef struct neighbour {
    agw_addr addr; /* none: nothing yet */
    uint32_t ifindex;
    bool usable;
    uint8_t mac[6];
} neighbour;

/* What the kernel said of a link or of a next hop; true until it notifies of anything. */
typedef struct known_link {
    uint32_t ifindex; /* 0: nothing yet */
    agw_rtnl_link link;
} known_link;

typedef struct known_hop {
    uint32_t ifindex;
    agw_addr addr;
    uint8_t mac[6];
} known_hop;

struct agw_routes {
    int ask_fd, news_fd;
    uint32_t seq;
    bool lost; /* some notifications, later than those that still wait to be read */
    neighbour heard[NEIGHBOURS];
    known_link links[KNOWN];
    known_hop hops[KNOWN];
    uint8_t reply[REPLY_BYTES];
};

static int open_netlink(void)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) == 0)
        return fd;
    const int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static bool subscribe(int fd)
{
    static const int groups[] = {RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
                                 RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) != 0)
            return false;
    }
    return true;
}

agw_routes *agw_routes_new(void)
{
    agw_routes *routes = calloc(1, sizeof *routes);
    if (routes == NULL)
        return NULL;
    routes->ask_fd = open_netlink();
    routes->news_fd = routes->ask_fd < 0 ? -1 : open_netlink();
    if (routes->news_fd >= 0 && subscribe(routes->news_fd))
        return routes;
    const int cause = errno;
    agw_routes_free(routes);
    errno = cause;
    return NULL;
}

void agw_routes_free(agw_routes *routes)
{
    if (routes == NULL)
        return;
    if (routes->ask_fd >= 0)
        close(routes->ask_fd);
    if (routes->news_fd >= 0)
        close(routes->news_fd);
    free(routes);
}

int agw_routes_fd(const agw_routes *routes)
{
    return routes->news_fd;
}

/* One datagram of the kernel's, into reply; those of other processes are none. -1: see errno. */
static ssize_t receive(agw_routes *routes, int fd)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t len = sizeof from;
        const ssize_t n = recvfrom(fd, routes->reply, sizeof routes->reply,
                                   MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n < 0 || from.nl_pid != 0)
            continue;
        if ((size_t)n <= sizeof routes->reply)
            return n;
        errno = EMSGSIZE;
        return -1;
    }
}

/* ---- what has changed ---- */

static bool is_usable(const agw_rtnl_neigh *neigh)
{
    static const unsigned usable =
        NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
    return (neigh->state & usable) != 0 && neigh->has_mac;
}

/* FNV-1a; whoever makes neighbours collide gains a few more look-ups. */
static size_t slot_of(uint32_t ifindex, const agw_addr *addr)
{
    uint32_t hash = 2166136261u ^ ifindex;
    for (size_t i = 0; i < sizeof addr->ip; i++)
        hash = (hash ^ addr->ip[i]) * 16777619u;
    return (hash ^ hash >> 16) % NEIGHBOURS;
}

static bool same(const neighbour *a, const neighbour *b)
{
    return a->ifindex == b->ifindex && agw_addr_equal(&a->addr, &b->addr) &&
           a->usable == b->usable && memcmp(a->mac, b->mac, sizeof a->mac) == 0;
}

/* The kernel probes its neighbours all the time: only another MAC, gained or lost, is news. Only
 * notifications are remembered, never what was looked up: an answer to one look-up must not hide
 * the change from those that were made before. */
static bool is_neighbour_news(agw_routes *routes, const agw_rtnl_msg *msg)
{
    const agw_rtnl_neigh *neigh = &msg->neigh;
    if (!agw_addr_is_set(&neigh->addr))
        return false;
    neighbour now = {.addr = neigh->addr,
                     .ifindex = neigh->ifindex,
                     .usable = msg->type == RTM_NEWNEIGH && is_usable(neigh)};
    if (now.usable)
        memcpy(now.mac, neigh->mac, sizeof now.mac);
    neighbour *last = &routes->heard[slot_of(neigh->ifindex, &neigh->addr)];
    const bool news = !same(last, &now);
    *last = now;
    return news;
}

static bool is_news(agw_routes *routes, const agw_rtnl_msg *msg)
{
    if (msg->type == RTM_NEWNEIGH || msg->type == RTM_DELNEIGH)
        return is_neighbour_news(routes, msg);
    return true;
}

static bool read_news(agw_routes *routes, size_t len)
{
    bool news = false;
    for (size_t at = 0, used = 0; at < len; at += used) {
        agw_rtnl_msg msg;
        if (agw_rtnl_parse(&msg, routes->reply + at, len - at, &used) != AGW_OK)
            return true;
        news = is_news(routes, &msg) || news;
    }
    return news;
}

static void forget_known(agw_routes *routes)
{
    memset(routes->links, 0, sizeof routes->links);
    memset(routes->hops, 0, sizeof routes->hops);
}

/* After a loss, what the notifications before it said must not hide what comes next. */
static void caught_up(agw_routes *routes)
{
    if (routes->lost)
        memset(routes->heard, 0, sizeof routes->heard);
    routes->lost = false;
}

bool agw_routes_changed(agw_routes *routes)
{
    bool changed = false;
    for (int i = 0; i < READ_LIMIT; i++) {
        const ssize_t n = receive(routes, routes->news_fd);
        if (n >= 0 || errno != EAGAIN)
            forget_known(routes);
        if (n >= 0) {
            changed = read_news(routes, (size_t)n) || changed;
        } else if (errno == EAGAIN) {
            caught_up(routes);
            return changed;
        } else { /* ENOBUFS, which is told before what had still found room */
            routes->lost = true;
            changed = true;
        }
    }
    return true;
}

/* ---- look-ups ---- */

/* Nothing was notified that agw_routes_changed() has not read: what is known holds. poll() leaves
 * an error for that function, as a receiving call would not. */
static bool is_quiet(const agw_routes *routes)
{
    struct pollfd p = {.fd = routes->news_fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

/* EINVAL: local is not ours, or the route is a black hole. */
static agw_err refused(int error)
{
    switch (error) {
    case EACCES:
    case EHOSTUNREACH:
    case EINVAL:
    case ENETUNREACH:
    case ENODEV:
    case ENOENT:
        return AGW_ERR_NOT_FOUND;
    default:
        errno = error;
        return AGW_ERR_SYSTEM;
    }
}

/* The answer of type `want`; what else is there belongs to a request that failed half-way. */
static agw_err ask(agw_routes *routes, const uint8_t *request, size_t len, uint16_t want,
                   agw_rtnl_msg *answer)
{
    if (send(routes->ask_fd, request, len, 0) < 0)
        return AGW_ERR_SYSTEM;
    for (;;) {
        const ssize_t n = receive(routes, routes->ask_fd);
        if (n < 0)
            return AGW_ERR_SYSTEM;
        size_t used;
        if (agw_rtnl_parse(answer, routes->reply, (size_t)n, &used) != AGW_OK ||
            answer->seq != routes->seq)
            continue;
        if (answer->type == NLMSG_ERROR)
            return refused(answer->error);
        if (answer->type == want)
            return AGW_OK;
    }
}

static agw_err ask_route(agw_routes *routes, const agw_addr *local, const agw_addr *remote,
                         unsigned flags, agw_rtnl_route *out)
{
    uint8_t request[AGW_RTNL_REQUEST];
    agw_rtnl_msg answer;
    const size_t len = agw_rtnl_ask_route(request, ++routes->seq, local, remote, flags);
    const agw_err err = ask(routes, request, len, RTM_NEWROUTE, &answer);
    if (err == AGW_OK)
        *out = answer.route;
    return err;
}

static agw_err judge(const agw_rtnl_route *route)
{
    switch (route->type) {
    case RTN_UNICAST:
        return route->ifindex != 0 && !route->wrapped ? AGW_OK : AGW_ERR_UNSUPPORTED;
    case RTN_LOCAL:
    case RTN_BROADCAST:
    case RTN_ANYCAST:
    case RTN_MULTICAST:
        return AGW_ERR_UNSUPPORTED;
    default:
        return AGW_ERR_NOT_FOUND;
    }
}

/* As for the sockets, an IPv4 path MTU that ICMP reports is not believed: it hides the configured
 * one, which the table still has. */
static agw_err find_route(agw_routes *routes, const agw_addr *local, const agw_addr *remote,
                          agw_rtnl_route *out)
{
    agw_err err = ask_route(routes, local, remote, 0, out);
    if (err == AGW_OK)
        err = judge(out);
    if (err != AGW_OK || remote->family != AGW_FAMILY_IP4 || !out->expires)
        return err;
    agw_rtnl_route entry;
    err = ask_route(routes, local, remote, RTM_F_FIB_MATCH, &entry);
    if (err == AGW_OK)
        out->mtu = entry.mtu;
    return err;
}

static agw_err ask_link(agw_routes *routes, uint32_t ifindex, known_link *out)
{
    uint8_t request[AGW_RTNL_REQUEST];
    agw_rtnl_msg answer;
    const size_t len = agw_rtnl_ask_link(request, ++routes->seq, ifindex);
    const agw_err err = ask(routes, request, len, RTM_NEWLINK, &answer);
    if (err == AGW_OK)
        *out = (known_link){.ifindex = ifindex, .link = answer.link};
    return err;
}

static agw_err find_link(agw_routes *routes, bool quiet, uint32_t ifindex, agw_rtnl_link *out)
{
    known_link *known = &routes->links[ifindex % KNOWN];
    const agw_err err =
        quiet && known->ifindex == ifindex ? AGW_OK : ask_link(routes, ifindex, known);
    if (err != AGW_OK)
        return err;
    *out = known->link;
    if (out->type != ARPHRD_ETHER || out->vlan || !out->has_mac)
        return AGW_ERR_UNSUPPORTED;
    const bool up = (out->flags & IFF_UP) != 0 && (out->flags & IFF_RUNNING) != 0;
    return up ? AGW_OK : AGW_ERR_NOT_FOUND;
}

static agw_err ask_neighbour(agw_routes *routes, uint32_t ifindex, const agw_addr *next,
                             known_hop *out)
{
    uint8_t request[AGW_RTNL_REQUEST];
    agw_rtnl_msg answer;
    const size_t len = agw_rtnl_ask_neigh(request, ++routes->seq, ifindex, next);
    const agw_err err = ask(routes, request, len, RTM_NEWNEIGH, &answer);
    if (err != AGW_OK)
        return err;
    if (!is_usable(&answer.neigh))
        return AGW_ERR_NOT_FOUND;
    *out = (known_hop){.ifindex = ifindex, .addr = *next};
    memcpy(out->mac, answer.neigh.mac, sizeof out->mac);
    return AGW_OK;
}

static agw_err find_neighbour(agw_routes *routes, bool quiet, uint32_t ifindex,
                              const agw_addr *next, uint8_t mac[6])
{
    known_hop *known = &routes->hops[slot_of(ifindex, next) % KNOWN];
    const bool here = quiet && known->ifindex == ifindex && agw_addr_ip_equal(&known->addr, next);
    const agw_err err = here ? AGW_OK : ask_neighbour(routes, ifindex, next, known);
    if (err == AGW_OK)
        memcpy(mac, known->mac, sizeof known->mac);
    return err;
}

static uint16_t smaller_mtu(uint32_t link, uint32_t route)
{
    const uint32_t mtu = route != 0 && route < link ? route : link;
    return mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX;
}

/* A link-local destination means something on a named interface only, and agw_addr names none. */
static bool has_one_way(const agw_addr *remote)
{
    const bool link_local =
        remote->family == AGW_FAMILY_IP6 && remote->ip[0] == 0xfe && (remote->ip[1] & 0xc0) == 0x80;
    return !link_local && !agw_addr_is_multicast(remote) && !agw_addr_is_any(remote);
}

agw_err agw_routes_find(agw_routes *routes, const agw_addr *local, const agw_addr *remote,
                        agw_route *out)
{
    AGW_ASSERT(agw_addr_is_set(local) && local->family == remote->family);
    if (!has_one_way(remote))
        return AGW_ERR_UNSUPPORTED;
    agw_rtnl_route route;
    agw_err err = find_route(routes, local, remote, &route);
    if (err != AGW_OK)
        return err;
    const bool quiet = is_quiet(routes);
    agw_rtnl_link link;
    err = find_link(routes, quiet, route.ifindex, &link);
    if (err != AGW_OK)
        return err;
    const agw_addr *next = agw_addr_is_set(&route.gateway) ? &route.gateway : remote;
    *out = (agw_route){.ifindex = route.ifindex, .mtu = smaller_mtu(link.mtu, route.mtu)};
    memcpy(out->local_mac, link.mac, sizeof out->local_mac);
    return find_neighbour(routes, quiet, route.ifindex, next, out->next_mac);
}
