/* SPDX-License-Identifier: BSD-3-Clause
 * net/rtnl: crafted netlink messages. net/route: a veth pair between two network namespaces that
 * the test makes for itself, and the kernel's own neighbour discovery across it. */
#include "net/route.h"

#include "net/rtnl.h"

#include "loopback.h"
#include "namespaces.h"
#include "unit.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- net/rtnl: messages made by hand ---- */

typedef struct message {
    uint8_t bytes[512];
    size_t len;
} message;

static void put(message *m, const void *data, size_t len)
{
    CU_ASSERT_FATAL(m->len + len <= sizeof m->bytes);
    if (len != 0)
        memcpy(m->bytes + m->len, data, len);
    m->len = (m->len + len + 3) & ~(size_t)3;
}

static void set_len(message *m, size_t len)
{
    const uint32_t nlmsg_len = (uint32_t)len;
    memcpy(m->bytes, &nlmsg_len, sizeof nlmsg_len);
}

static message begin(uint16_t type, const void *head, size_t len)
{
    message m = {.len = 0};
    const struct nlmsghdr nl = {.nlmsg_type = type, .nlmsg_seq = 77};
    put(&m, &nl, sizeof nl);
    put(&m, head, len);
    set_len(&m, m.len);
    return m;
}

/* An attribute that says it has `said` bytes of data and has `len`. */
static void put_lying(message *m, uint16_t type, const void *data, size_t len, size_t said)
{
    const struct rtattr head = {.rta_len = (uint16_t)(sizeof head + said), .rta_type = type};
    put(m, &head, sizeof head);
    put(m, data, len);
    set_len(m, m->len);
}

static void put_attr(message *m, uint16_t type, const void *data, size_t len)
{
    put_lying(m, type, data, len, len);
}

static void put_u32(message *m, uint16_t type, uint32_t v)
{
    put_attr(m, type, &v, sizeof v);
}

static message nested(uint16_t type, const void *data, size_t len)
{
    message m = {.len = 0};
    const struct rtattr head = {.rta_len = (uint16_t)(sizeof head + len), .rta_type = type};
    put(&m, &head, sizeof head);
    put(&m, data, len);
    return m;
}

/* From a copy of exactly that size: AddressSanitizer sees every byte read behind it. */
static agw_err parse_bytes(agw_rtnl_msg *msg, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len != 0 ? len : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, bytes, len);
    size_t used = 0;
    const agw_err err = agw_rtnl_parse(msg, copy, len, &used);
    if (err == AGW_OK)
        CU_ASSERT_TRUE(used > 0 && used <= len);
    free(copy);
    return err;
}

static agw_err parse(agw_rtnl_msg *msg, const message *m)
{
    return parse_bytes(msg, m->bytes, m->len);
}

static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 0x2a};
static const uint8_t IP4[4] = {192, 0, 2, 7};
static const uint8_t IP6[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};

static message begin_route(void)
{
    const struct rtmsg head = {.rtm_family = AF_INET, .rtm_type = RTN_UNICAST};
    return begin(RTM_NEWROUTE, &head, sizeof head);
}

static message begin_link(void)
{
    const struct ifinfomsg head = {
        .ifi_type = ARPHRD_ETHER, .ifi_index = 3, .ifi_flags = IFF_UP | IFF_RUNNING};
    return begin(RTM_NEWLINK, &head, sizeof head);
}

static message begin_neigh(uint8_t family)
{
    const struct ndmsg head = {.ndm_family = family, .ndm_ifindex = 3, .ndm_state = NUD_REACHABLE};
    return begin(RTM_NEWNEIGH, &head, sizeof head);
}

static message whole_route(void)
{
    const uint32_t mtu = 1400;
    const message metrics = nested(RTAX_MTU, &mtu, sizeof mtu);
    const struct rta_cacheinfo cache = {.rta_expires = 60};
    message m = begin_route();
    put_u32(&m, RTA_TABLE, 254); /* one that nobody asks for */
    put_attr(&m, RTA_METRICS, metrics.bytes, metrics.len);
    put_attr(&m, RTA_GATEWAY, IP4, sizeof IP4);
    put_attr(&m, RTA_CACHEINFO, &cache, sizeof cache);
    put_u32(&m, RTA_OIF, 3);
    return m;
}

static message whole_link(const char *kind)
{
    const message info = nested(IFLA_INFO_KIND, kind, strlen(kind) + 1);
    message m = begin_link();
    put_u32(&m, IFLA_MTU, 1500);
    put_attr(&m, IFLA_ADDRESS, MAC, sizeof MAC);
    put_attr(&m, IFLA_LINKINFO | NLA_F_NESTED, info.bytes, info.len);
    return m;
}

static message whole_neigh(void)
{
    message m = begin_neigh(AF_INET6);
    put_attr(&m, NDA_DST, IP6, sizeof IP6);
    put_attr(&m, NDA_LLADDR, MAC, sizeof MAC);
    return m;
}

static void test_rtnl_route_is_parsed(void)
{
    agw_rtnl_msg msg;
    const message m = whole_route();
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_EQUAL(msg.type, RTM_NEWROUTE);
    CU_ASSERT_EQUAL(msg.seq, 77);
    CU_ASSERT_EQUAL(msg.route.type, RTN_UNICAST);
    CU_ASSERT_EQUAL(msg.route.ifindex, 3);
    CU_ASSERT_EQUAL(msg.route.mtu, 1400);
    CU_ASSERT_EQUAL(msg.route.gateway.family, AGW_FAMILY_IP4);
    CU_ASSERT_EQUAL(memcmp(msg.route.gateway.ip, IP4, sizeof IP4), 0);
    CU_ASSERT_TRUE(msg.route.expires);
    CU_ASSERT_FALSE(msg.route.wrapped);
}

static void test_rtnl_route_with_a_gateway_of_the_other_family(void)
{
    struct {
        uint16_t family;
        uint8_t ip[16];
    } via = {.family = AF_INET6};
    memcpy(via.ip, IP6, sizeof IP6);
    agw_rtnl_msg msg;
    message m = begin_route();
    put_attr(&m, RTA_VIA, &via, sizeof via);
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_EQUAL(msg.route.gateway.family, AGW_FAMILY_IP6);
    CU_ASSERT_EQUAL(memcmp(msg.route.gateway.ip, IP6, sizeof IP6), 0);
    m = begin_route();
    put_attr(&m, RTA_VIA, &via, 1);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
    m = begin_route();
    put_attr(&m, RTA_VIA, &via, 2);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
}

static void test_rtnl_route_into_a_tunnel_is_told(void)
{
    agw_rtnl_msg msg;
    message m = begin_route();
    put_u32(&m, RTA_ENCAP, 0);
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_TRUE(msg.route.wrapped);
    CU_ASSERT_FALSE(agw_addr_is_set(&msg.route.gateway));
    CU_ASSERT_EQUAL(msg.route.ifindex, 0);
}

static void test_rtnl_link_is_parsed(void)
{
    agw_rtnl_msg msg;
    message m = whole_link("veth");
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_EQUAL(msg.link.type, ARPHRD_ETHER);
    CU_ASSERT_EQUAL(msg.link.flags, IFF_UP | IFF_RUNNING);
    CU_ASSERT_EQUAL(msg.link.mtu, 1500);
    CU_ASSERT_TRUE(msg.link.has_mac);
    CU_ASSERT_EQUAL(memcmp(msg.link.mac, MAC, sizeof MAC), 0);
    CU_ASSERT_FALSE(msg.link.vlan);
    m = whole_link("vlan");
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_TRUE(msg.link.vlan);
    m = whole_link("vla");
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_FALSE(msg.link.vlan);
    m = whole_link("vlan2");
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_FALSE(msg.link.vlan);
}

static void test_rtnl_mac_of_another_length_is_none(void)
{
    const uint8_t infiniband[20] = {1};
    agw_rtnl_msg msg;
    message m = begin_link();
    put_attr(&m, IFLA_ADDRESS, infiniband, sizeof infiniband);
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_FALSE(msg.link.has_mac);
    m = begin_neigh(AF_INET);
    put_attr(&m, NDA_LLADDR, MAC, 5);
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_FALSE(msg.neigh.has_mac);
}

static void test_rtnl_neigh_is_parsed(void)
{
    agw_rtnl_msg msg;
    message m = whole_neigh();
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_EQUAL(msg.neigh.ifindex, 3);
    CU_ASSERT_EQUAL(msg.neigh.state, NUD_REACHABLE);
    CU_ASSERT_EQUAL(msg.neigh.addr.family, AGW_FAMILY_IP6);
    CU_ASSERT_EQUAL(memcmp(msg.neigh.addr.ip, IP6, sizeof IP6), 0);
    CU_ASSERT_TRUE(msg.neigh.has_mac);
    CU_ASSERT_EQUAL(memcmp(msg.neigh.mac, MAC, sizeof MAC), 0);
    m = begin_neigh(AF_BRIDGE);
    put_attr(&m, NDA_DST, IP4, sizeof IP4);
    CU_ASSERT_EQUAL_FATAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_FALSE(agw_addr_is_set(&msg.neigh.addr));
}

static void test_rtnl_error_is_a_positive_errno(void)
{
    const struct {
        int32_t sent;
        agw_err err;
        int got;
    } cases[] = {{-ENOENT, AGW_OK, ENOENT},
                 {0, AGW_OK, 0},
                 {1, AGW_ERR_MALFORMED, 0},
                 {INT32_MIN, AGW_ERR_MALFORMED, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        agw_rtnl_msg msg;
        const message m = begin(NLMSG_ERROR, &cases[i].sent, sizeof cases[i].sent);
        CU_ASSERT_EQUAL(parse(&msg, &m), cases[i].err);
        if (cases[i].err == AGW_OK)
            CU_ASSERT_EQUAL(msg.error, cases[i].got);
    }
    agw_rtnl_msg msg;
    const message none = begin(NLMSG_ERROR, NULL, 0);
    CU_ASSERT_EQUAL(parse(&msg, &none), AGW_ERR_TRUNCATED);
}

static void test_rtnl_header_lengths_on_both_sides(void)
{
    agw_rtnl_msg msg;
    message m = begin(NLMSG_DONE, NULL, 0);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_OK);
    CU_ASSERT_EQUAL(msg.type, NLMSG_DONE);
    CU_ASSERT_EQUAL(parse_bytes(&msg, m.bytes, m.len - 1), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(parse_bytes(&msg, m.bytes, 0), AGW_ERR_TRUNCATED);
    set_len(&m, 17);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_TRUNCATED);
    set_len(&m, 15);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
    set_len(&m, 0);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
}

static void test_rtnl_attribute_lengths_on_both_sides(void)
{
    const uint32_t word = 5;
    agw_rtnl_msg msg;
    message m = begin_link();
    put_lying(&m, IFLA_MTU, &word, sizeof word, 5);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_TRUNCATED);
    m = begin_link();
    put_attr(&m, IFLA_MTU, &word, 3);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
    m = begin_link();
    put_lying(&m, IFLA_IFNAME, NULL, 0, (size_t)-1); /* says 3, shorter than its own head */
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
    m = begin_link();
    put_attr(&m, IFLA_IFNAME, NULL, 0);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_OK);
    m = begin_neigh(AF_INET);
    put_attr(&m, NDA_DST, IP6, 8);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
    m = begin_route();
    put_attr(&m, RTA_CACHEINFO, IP6, 16);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_MALFORMED);
    message metrics = nested(RTAX_MTU, &word, sizeof word);
    metrics.bytes[0] = 9; /* the inner runs past the outer */
    m = begin_route();
    put_attr(&m, RTA_METRICS, metrics.bytes, metrics.len);
    put_u32(&m, RTA_OIF, 3);
    CU_ASSERT_EQUAL(parse(&msg, &m), AGW_ERR_TRUNCATED);
}

/* The padding behind the last attribute may be missing. */
static void test_rtnl_message_ends_without_padding(void)
{
    agw_rtnl_msg msg;
    message m = begin_neigh(AF_INET);
    put_attr(&m, NDA_LLADDR, MAC, sizeof MAC);
    set_len(&m, m.len - 2);
    CU_ASSERT_EQUAL(parse_bytes(&msg, m.bytes, m.len - 2), AGW_OK);
    CU_ASSERT_TRUE(msg.neigh.has_mac);
    set_len(&m, m.len - 3);
    CU_ASSERT_EQUAL(parse_bytes(&msg, m.bytes, m.len - 3), AGW_ERR_TRUNCATED);
}

static void test_rtnl_messages_follow_each_other(void)
{
    uint8_t both[1024];
    const message first = whole_neigh(), second = whole_route();
    memcpy(both, first.bytes, first.len);
    memcpy(both + first.len, second.bytes, second.len);
    agw_rtnl_msg msg;
    size_t used = 0, rest = 0;
    CU_ASSERT_EQUAL_FATAL(agw_rtnl_parse(&msg, both, first.len + second.len, &used), AGW_OK);
    CU_ASSERT_EQUAL(msg.type, RTM_NEWNEIGH);
    CU_ASSERT_EQUAL_FATAL(used, first.len);
    CU_ASSERT_EQUAL_FATAL(agw_rtnl_parse(&msg, both + used, second.len, &rest), AGW_OK);
    CU_ASSERT_EQUAL(msg.type, RTM_NEWROUTE);
    CU_ASSERT_EQUAL(rest, second.len);
}

/* The header's length is repaired, so that the attributes' own checks are the ones that answer. */
static void test_rtnl_every_cut_is_seen(void)
{
    const message all[] = {whole_route(), whole_link("vlan"), whole_neigh()};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        size_t refused = 0;
        for (size_t len = sizeof(struct nlmsghdr); len < all[i].len; len++) {
            message cut = all[i];
            cut.len = len;
            set_len(&cut, len);
            agw_rtnl_msg msg;
            const agw_err err = parse(&msg, &cut);
            CU_ASSERT_TRUE(err == AGW_OK || err == AGW_ERR_TRUNCATED);
            refused += err != AGW_OK;
        }
        CU_ASSERT_TRUE(refused > all[i].len / 2); /* whole ones before the cut are fine */
    }
}

static void test_rtnl_spoilt_bytes_are_survived(void)
{
    const unsigned seed = 20240607;
    printf("(seed %u) ", seed);
    uint32_t state = seed;
    const message all[] = {whole_route(), whole_link("vlan"), whole_neigh()};
    for (size_t i = 0; i < 30000; i++) {
        message m = all[i % 3];
        for (size_t k = 0; k < 3; k++) {
            state = state * 1664525u + 1013904223u;
            m.bytes[16 + (state >> 8) % (m.len - 16)] = (uint8_t)(state >> 24);
        }
        agw_rtnl_msg msg;
        const agw_err err = parse(&msg, &m);
        CU_ASSERT_TRUE(err == AGW_OK || err == AGW_ERR_TRUNCATED || err == AGW_ERR_MALFORMED);
    }
}

/* ---- two namespaces: ours has g0 (10.0.0.1, fd00::1), the peer's p0 (10.0.0.2, fd00::2) ---- */

typedef struct world {
    int ours, peers; /* namespaces */
    agw_routes *routes;
    uint32_t g0;
} world;

static const uint8_t G0_MAC[6] = {2, 0, 0, 0, 0, 1}, P0_MAC[6] = {2, 0, 0, 0, 0, 2};

static void peer_does(const world *w, const char *commands)
{
    enter(w->peers);
    CU_ASSERT_TRUE_FATAL(ip_commands("%s", commands));
    enter(w->ours);
}

static void we_do(const char *commands)
{
    CU_ASSERT_TRUE_FATAL(ip_commands("%s", commands));
}

static void peer_sets(const world *w, const char *path, const char *value)
{
    enter(w->peers);
    FILE *f = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_TRUE(fputs(value, f) >= 0);
    CU_ASSERT_EQUAL(fclose(f), 0);
    enter(w->ours);
}

static agw_err find(const world *w, const char *local, const char *remote, agw_route *out)
{
    const agw_addr from = ip(local), to = ip(remote);
    return agw_routes_find(w->routes, &from, &to, out);
}

static bool wait_for_news(const world *w)
{
    struct pollfd p = {.fd = agw_routes_fd(w->routes), .events = POLLIN};
    return poll(&p, 1, PATIENCE_MS) == 1;
}

/* As a user of it does: asks again at every change, until the answer is `want`. */
static bool becomes(const world *w, const char *local, const char *remote, agw_err want)
{
    agw_route route;
    while (find(w, local, remote, &route) != want) {
        bool changed = false;
        while (!changed) {
            if (!wait_for_news(w))
                return false;
            changed = agw_routes_changed(w->routes);
        }
    }
    return true;
}

/* Returns when the link runs and everything is told that it brings about: a neighbour set by hand
 * shows the one, the kernel's own route to fd00::1, which it makes later, the other; the last
 * command waits for the lock under which it does so. Addresses that come by themselves at any time,
 * the link-local ones, there are none. */
static world open_world(void)
{
    world w = {.peers = new_namespace()};
    w.ours = new_namespace();
    w.routes = agw_routes_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(w.routes);
    CU_ASSERT_FALSE(agw_routes_changed(w.routes));
    CU_ASSERT_TRUE_FATAL(ip_commands("link add g0 address 02:00:00:00:00:01 type veth peer name p0 "
                                     "address 02:00:00:00:00:02 netns /proc/self/fd/%d\n",
                                     w.peers));
    peer_does(&w, "link set p0 addrgenmode none\n"
                  "addr add 10.0.0.2/24 dev p0\n"
                  "addr add fd00::2/64 dev p0 nodad\n"
                  "addr add fe80::2/64 dev p0 nodad\n"
                  "link set p0 up\n");
    we_do("link set lo up\n"
          "link set g0 addrgenmode none\n"
          "addr add 10.0.0.1/24 dev g0\n"
          "addr add fd00::1/64 dev g0 nodad\n"
          "link set g0 up\n"
          "neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 nud permanent dev g0\n");
    w.g0 = if_nametoindex("g0");
    CU_ASSERT_TRUE_FATAL(becomes(&w, "10.0.0.1", "10.0.0.77", AGW_OK));
    CU_ASSERT_TRUE_FATAL(becomes(&w, "fd00::1", "fd00::1", AGW_ERR_UNSUPPORTED));
    we_do("link set g0 up\n");
    (void)agw_routes_changed(w.routes);
    return w;
}

static void close_world(const world *w)
{
    agw_routes_free(w->routes);
    close(w->ours);
    close(w->peers);
}

static int open_udp(const char *local)
{
    struct sockaddr_storage sa;
    const agw_addr from = ip(local);
    const socklen_t len = agw_addr_to_sockaddr(&from, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&sa, len), 0);
    return fd;
}

/* Lets the kernel look for the next hop. */
static void send_one(const char *local, const char *remote)
{
    struct sockaddr_storage sa;
    agw_addr to = ip(remote);
    to.port = 9;
    const socklen_t len = agw_addr_to_sockaddr(&to, &sa);
    const int fd = open_udp(local);
    CU_ASSERT_EQUAL(sendto(fd, "x", 1, 0, (const struct sockaddr *)&sa, len), 1);
    close(fd);
}

static void check_found_by_asking(const world *w, const char *local, const char *remote)
{
    agw_route route;
    CU_ASSERT_EQUAL(find(w, local, remote, &route), AGW_ERR_NOT_FOUND);
    send_one(local, remote);
    CU_ASSERT_TRUE(becomes(w, local, remote, AGW_OK));
    CU_ASSERT_EQUAL_FATAL(find(w, local, remote, &route), AGW_OK);
    CU_ASSERT_EQUAL(route.ifindex, w->g0);
    CU_ASSERT_EQUAL(memcmp(route.local_mac, G0_MAC, 6), 0);
    CU_ASSERT_EQUAL(memcmp(route.next_mac, P0_MAC, 6), 0);
    CU_ASSERT_EQUAL(route.mtu, 1500);
}

static void test_route_neighbour_is_known_after_a_datagram(void)
{
    const world w = open_world();
    check_found_by_asking(&w, "10.0.0.1", "10.0.0.2");
    close_world(&w);
}

static void test_route_behind_a_gateway(void)
{
    const world w = open_world();
    we_do("route add 10.9.0.0/16 via 10.0.0.2\n");
    check_found_by_asking(&w, "10.0.0.1", "10.9.1.2");
    close_world(&w);
}

static void test_route_ip4_behind_an_ip6_gateway(void)
{
    const world w = open_world();
    we_do("addr add fe80::1/64 dev g0 nodad\n" /* the kernel asks from there */
          "route add 10.9.0.0/16 via inet6 fd00::2\n");
    check_found_by_asking(&w, "10.0.0.1", "10.9.1.2");
    close_world(&w);
}

static void test_route_ip6_neighbour(void)
{
    const world w = open_world();
    check_found_by_asking(&w, "fd00::1", "fd00::2");
    close_world(&w);
}

static void test_route_ip6_behind_a_link_local_gateway(void)
{
    const world w = open_world();
    we_do("route add 2001:db8::/32 via fe80::2 dev g0\n");
    check_found_by_asking(&w, "fd00::1", "2001:db8::9");
    close_world(&w);
}

static void test_route_source_address_decides(void)
{
    const world w = open_world();
    agw_route route;
    we_do("addr add 10.0.0.11/32 dev g0\n"
          "neigh add 10.0.0.78 lladdr 02:00:00:00:00:78 nud permanent dev g0\n"
          "route add 10.9.0.0/16 via 10.0.0.77\n"
          "rule add from 10.0.0.11 table 5\n"
          "route add 10.9.0.0/16 via 10.0.0.78 table 5\n");
    CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.1", "10.9.1.2", &route), AGW_OK);
    CU_ASSERT_EQUAL(route.next_mac[5], 0x77);
    CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.11", "10.9.1.2", &route), AGW_OK);
    CU_ASSERT_EQUAL(route.next_mac[5], 0x78);
    close_world(&w);
}

static void test_route_peers_new_mac_is_seen(void)
{
    const world w = open_world();
    agw_route route;
    check_found_by_asking(&w, "10.0.0.1", "10.0.0.2");
    (void)agw_routes_changed(w.routes);
    peer_sets(&w, "/proc/sys/net/ipv4/conf/all/arp_notify", "1");
    peer_does(&w, "link set p0 address 02:00:00:00:00:22\n");
    do {
        CU_ASSERT_TRUE_FATAL(wait_for_news(&w));
    } while (!agw_routes_changed(w.routes));
    CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.1", "10.0.0.2", &route), AGW_OK);
    CU_ASSERT_EQUAL(route.next_mac[5], 0x22);
    close_world(&w);
}

/* What is known of link and next hop serves until there is news, read or not. */
static void test_route_unread_news_count(void)
{
    const world w = open_world();
    agw_route route;
    (void)agw_routes_changed(w.routes);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.1", "10.0.0.77", &route), AGW_OK);
    we_do("neigh replace 10.0.0.77 lladdr 02:00:00:00:00:79 nud permanent dev g0\n"
          "link set g0 mtu 1310\n");
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.1", "10.0.0.77", &route), AGW_OK);
        CU_ASSERT_EQUAL(route.next_mac[5], 0x79);
        CU_ASSERT_EQUAL(route.mtu, 1310);
        CU_ASSERT_EQUAL(agw_routes_changed(w.routes), i == 0);
    }
    CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.1", "10.0.0.77", &route), AGW_OK);
    CU_ASSERT_EQUAL(route.next_mac[5], 0x79);
    close_world(&w);
}

static void test_route_our_new_mac_is_seen(void)
{
    const world w = open_world();
    agw_route route;
    we_do("link set g0 address 02:00:00:00:00:11\n");
    CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    CU_ASSERT_EQUAL(find(&w, "10.0.0.1", "10.0.0.77", &route), AGW_ERR_NOT_FOUND); /* forgotten */
    we_do("neigh replace 10.0.0.77 lladdr 02:00:00:00:00:77 nud permanent dev g0\n");
    CU_ASSERT_EQUAL_FATAL(find(&w, "10.0.0.1", "10.0.0.77", &route), AGW_OK);
    CU_ASSERT_EQUAL(route.local_mac[5], 0x11);
    close_world(&w);
}

static void test_route_goes_and_comes_with_the_link(void)
{
    const world w = open_world();
    agw_route route;
    we_do("link set g0 down\n");
    CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    CU_ASSERT_EQUAL(find(&w, "10.0.0.1", "10.0.0.77", &route), AGW_ERR_NOT_FOUND);
    we_do("link set g0 up\n"
          "neigh replace 10.0.0.77 lladdr 02:00:00:00:00:77 nud permanent dev g0\n");
    CU_ASSERT_TRUE(becomes(&w, "10.0.0.1", "10.0.0.77", AGW_OK));
    peer_does(&w, "link set p0 down\n"); /* our side loses its carrier */
    CU_ASSERT_TRUE(becomes(&w, "10.0.0.1", "10.0.0.77", AGW_ERR_NOT_FOUND));
    peer_does(&w, "link set p0 up\n");
    CU_ASSERT_TRUE(becomes(&w, "10.0.0.1", "10.0.0.77", AGW_OK));
    close_world(&w);
}

static uint16_t mtu_to(const world *w, const char *local, const char *remote)
{
    agw_route route;
    CU_ASSERT_EQUAL_FATAL(find(w, local, remote, &route), AGW_OK);
    return route.mtu;
}

static void test_route_mtu_is_the_smaller_of_link_and_route(void)
{
    const world w = open_world();
    we_do("route add 10.9.0.0/16 via 10.0.0.77 mtu 1300\n"
          "route add 10.8.0.0/16 via 10.0.0.77 mtu 1450\n"
          "neigh add fd00::77 lladdr 02:00:00:00:00:77 nud permanent dev g0\n"
          "route add 2001:db8::/32 via fd00::77 mtu 1290\n");
    CU_ASSERT_EQUAL(mtu_to(&w, "10.0.0.1", "10.8.0.1"), 1450);
    (void)agw_routes_changed(w.routes);
    we_do("link set g0 mtu 1400\n");
    CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    CU_ASSERT_EQUAL(mtu_to(&w, "10.0.0.1", "10.0.0.77"), 1400);
    CU_ASSERT_EQUAL(mtu_to(&w, "10.0.0.1", "10.8.0.1"), 1400);
    CU_ASSERT_EQUAL(mtu_to(&w, "10.0.0.1", "10.9.0.1"), 1300);
    CU_ASSERT_EQUAL(mtu_to(&w, "fd00::1", "2001:db8::1"), 1290);
    close_world(&w);
}

/* Sends with DF until the kernel itself has taken the smaller path MTU from the peer's ICMP. */
static int learn_path_mtu(const char *local, const char *remote)
{
    static const uint8_t large[1400];
    struct sockaddr_storage sa;
    agw_addr to = ip(remote);
    to.port = 9;
    const socklen_t len = agw_addr_to_sockaddr(&to, &sa);
    const int fd = open_udp(local), always = IP_PMTUDISC_DO;
    CU_ASSERT_EQUAL(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &always, sizeof always), 0);
    CU_ASSERT_EQUAL(connect(fd, (const struct sockaddr *)&sa, len), 0);
    CU_ASSERT_EQUAL(send(fd, large, sizeof large, 0), (ssize_t)sizeof large);
    struct pollfd p = {.fd = fd};
    CU_ASSERT_EQUAL(poll(&p, 1, PATIENCE_MS), 1); /* POLLERR */
    int mtu = 0;
    socklen_t size = sizeof mtu;
    CU_ASSERT_EQUAL(connect(fd, (const struct sockaddr *)&sa, len), 0);
    CU_ASSERT_EQUAL(getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size), 0);
    close(fd);
    return mtu;
}

static void test_route_path_mtu_by_icmp_is_not_believed(void)
{
    const world w = open_world();
    peer_does(&w, "link add v0 mtu 1000 type veth peer name v1\n"
                  "addr add 10.9.0.1/16 dev v0\n"
                  "link set v1 up\n"
                  "link set v0 up\n");
    peer_sets(&w, "/proc/sys/net/ipv4/ip_forward", "1");
    we_do("route add 10.9.0.0/24 via 10.0.0.2\n"
          "route add 10.9.1.0/24 via 10.0.0.2 mtu 1450\n");
    CU_ASSERT_EQUAL(learn_path_mtu("10.0.0.1", "10.9.0.2"), 1000);
    CU_ASSERT_EQUAL(mtu_to(&w, "10.0.0.1", "10.9.0.2"), 1500);
    CU_ASSERT_EQUAL(learn_path_mtu("10.0.0.1", "10.9.1.2"), 1000);
    CU_ASSERT_EQUAL(mtu_to(&w, "10.0.0.1", "10.9.1.2"), 1450);
    close_world(&w);
}

static void test_route_unsupported_destinations(void)
{
    const world w = open_world();
    agw_route route;
    we_do("route add 10.5.0.0/16 dev lo\n"); /* unicast, but no Ethernet */
    static const char *const remotes[] = {"10.5.0.1",  "127.0.0.1",       "10.0.0.1", "10.0.0.255",
                                          "224.0.0.5", "255.255.255.255", "0.0.0.0"};
    for (size_t i = 0; i < sizeof remotes / sizeof remotes[0]; i++)
        CU_ASSERT_EQUAL(find(&w, "10.0.0.1", remotes[i], &route), AGW_ERR_UNSUPPORTED);
    static const char *const remotes6[] = {"::1", "fd00::1", "ff02::1", "fe80::2", "::"};
    for (size_t i = 0; i < sizeof remotes6 / sizeof remotes6[0]; i++)
        CU_ASSERT_EQUAL(find(&w, "fd00::1", remotes6[i], &route), AGW_ERR_UNSUPPORTED);
    close_world(&w);
}

static void test_route_none_is_not_found(void)
{
    const world w = open_world();
    agw_route route;
    we_do("route add unreachable 10.1.0.0/16\n"
          "route add prohibit 10.2.0.0/16\n"
          "route add blackhole 10.3.0.0/16\n"
          "route add blackhole 2001:db8:3::/48\n");
    static const char *const remotes[] = {"203.0.113.1", "10.1.0.1", "10.2.0.1", "10.3.0.1"};
    for (size_t i = 0; i < sizeof remotes / sizeof remotes[0]; i++)
        CU_ASSERT_EQUAL(find(&w, "10.0.0.1", remotes[i], &route), AGW_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&w, "fd00::1", "2001:db8::1", &route), AGW_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&w, "fd00::1", "2001:db8:3::1", &route), AGW_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&w, "10.0.0.99", "10.0.0.77", &route), AGW_ERR_NOT_FOUND); /* not ours */
    close_world(&w);
}

static void test_route_states_of_a_neighbour(void)
{
    static const struct {
        const char *state;
        agw_err err;
    } cases[] = {{"reachable", AGW_OK},
                 {"stale", AGW_OK},
                 {"delay", AGW_OK},
                 {"probe", AGW_OK},
                 {"permanent", AGW_OK},
                 {"noarp", AGW_OK},
                 {"failed", AGW_ERR_NOT_FOUND}};
    const world w = open_world();
    agw_route route;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_TRUE_FATAL(ip_commands(
            "neigh replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud %s dev g0\n", cases[i].state));
        CU_ASSERT_EQUAL(find(&w, "10.0.0.1", "10.0.0.88", &route), cases[i].err);
    }
    send_one("10.0.0.1", "10.0.0.99"); /* nobody there: INCOMPLETE */
    CU_ASSERT_EQUAL(find(&w, "10.0.0.1", "10.0.0.99", &route), AGW_ERR_NOT_FOUND);
    close_world(&w);
}

static void test_route_only_other_macs_are_news(void)
{
    static const struct {
        const char *command;
        bool news;
    } steps[] = {
        {"replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud reachable dev g0", true},
        {"replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud stale dev g0", false},
        {"replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud reachable dev g0", false},
        {"replace 10.0.0.88 lladdr 02:00:00:00:00:89 nud reachable dev g0", true},
        {"replace fd00::88 lladdr 02:00:00:00:00:89 nud reachable dev g0", true},
        {"replace 10.0.0.88 lladdr 02:00:00:00:00:89 nud failed dev g0", true},
        {"replace 10.0.0.88 lladdr 02:00:00:00:00:89 nud reachable dev g0", true},
        {"del 10.0.0.88 dev g0", true},
        {"replace fd00::88 lladdr 02:00:00:00:00:89 nud stale dev g0", false},
    };
    const world w = open_world();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CU_ASSERT_TRUE_FATAL(ip_commands("neigh %s\n", steps[i].command));
        CU_ASSERT_EQUAL(agw_routes_changed(w.routes), steps[i].news);
    }
    close_world(&w);
}

static void test_route_addresses_and_routes_are_news(void)
{
    static const char *const commands[] = {
        "addr add 10.0.0.12/32 dev g0",        "addr del 10.0.0.12/32 dev g0",
        "route add 10.9.0.0/16 via 10.0.0.77", "route del 10.9.0.0/16",
        "route add 2001:db8::/32 via fd00::2", "addr add fd00::12/128 nodad dev g0"};
    const world w = open_world();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        CU_ASSERT_FALSE(agw_routes_changed(w.routes));
        CU_ASSERT_TRUE_FATAL(ip_commands("%s\n", commands[i]));
        CU_ASSERT_TRUE(wait_for_news(&w));
        CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    }
    close_world(&w);
}

/* None of the many is news by itself, only that some were lost is. The last one is lost for sure:
 * what was heard before must not make the way back look like nothing new. */
static void test_route_lost_notifications_are_news(void)
{
    enum { MANY = 4000 };
    const world w = open_world();
    const int script = memfd_create("ip", MFD_CLOEXEC);
    CU_ASSERT_FATAL(script >= 0);
    we_do("neigh replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud stale dev g0\n");
    CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    for (int i = 0; i < MANY; i++)
        dprintf(script, "neigh replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud %s dev g0\n",
                i % 2 == 0 ? "reachable" : "stale");
    dprintf(script, "neigh replace 10.0.0.88 lladdr 02:00:00:00:00:89 nud stale dev g0\n");
    CU_ASSERT_TRUE(run_batch(script));
    close(script);
    CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    CU_ASSERT_FALSE(agw_routes_changed(w.routes));
    we_do("neigh replace 10.0.0.88 lladdr 02:00:00:00:00:88 nud stale dev g0\n");
    CU_ASSERT_TRUE(agw_routes_changed(w.routes));
    close_world(&w);
}

/* Any privileged process may write to a netlink socket; only the kernel is believed. */
static void test_route_others_tell_nothing(void)
{
    const world w = open_world();
    struct sockaddr_nl to;
    socklen_t len = sizeof to;
    CU_ASSERT_EQUAL(getsockname(agw_routes_fd(w.routes), (struct sockaddr *)&to, &len), 0);
    const message m = begin_link();
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    to.nl_groups = 0;
    CU_ASSERT_EQUAL(sendto(fd, m.bytes, m.len, 0, (const struct sockaddr *)&to, sizeof to),
                    (ssize_t)m.len);
    close(fd);
    CU_ASSERT_TRUE(wait_for_news(&w));
    CU_ASSERT_FALSE(agw_routes_changed(w.routes));
    close_world(&w);
}

/* Without privilege: root of a user namespace, who may make networks. */
static bool may_make_networks(void)
{
    if (unshare(CLONE_NEWNET) == 0)
        return true;
    char uid[32];
    snprintf(uid, sizeof uid, "0 %u 1", (unsigned)getuid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", uid);
}

int main(void)
{
    /* The first ones need no network. */
    enum { PARSER_CASES = 13 };
    static const agw_unit_case cases[] = {
        AGW_CASE(test_rtnl_route_is_parsed),
        AGW_CASE(test_rtnl_route_with_a_gateway_of_the_other_family),
        AGW_CASE(test_rtnl_route_into_a_tunnel_is_told),
        AGW_CASE(test_rtnl_link_is_parsed),
        AGW_CASE(test_rtnl_mac_of_another_length_is_none),
        AGW_CASE(test_rtnl_neigh_is_parsed),
        AGW_CASE(test_rtnl_error_is_a_positive_errno),
        AGW_CASE(test_rtnl_header_lengths_on_both_sides),
        AGW_CASE(test_rtnl_attribute_lengths_on_both_sides),
        AGW_CASE(test_rtnl_message_ends_without_padding),
        AGW_CASE(test_rtnl_messages_follow_each_other),
        AGW_CASE(test_rtnl_every_cut_is_seen),
        AGW_CASE(test_rtnl_spoilt_bytes_are_survived),
        AGW_CASE(test_route_neighbour_is_known_after_a_datagram),
        AGW_CASE(test_route_behind_a_gateway),
        AGW_CASE(test_route_ip4_behind_an_ip6_gateway),
        AGW_CASE(test_route_ip6_neighbour),
        AGW_CASE(test_route_ip6_behind_a_link_local_gateway),
        AGW_CASE(test_route_source_address_decides),
        AGW_CASE(test_route_peers_new_mac_is_seen),
        AGW_CASE(test_route_unread_news_count),
        AGW_CASE(test_route_our_new_mac_is_seen),
        AGW_CASE(test_route_goes_and_comes_with_the_link),
        AGW_CASE(test_route_mtu_is_the_smaller_of_link_and_route),
        AGW_CASE(test_route_path_mtu_by_icmp_is_not_believed),
        AGW_CASE(test_route_unsupported_destinations),
        AGW_CASE(test_route_none_is_not_found),
        AGW_CASE(test_route_states_of_a_neighbour),
        AGW_CASE(test_route_only_other_macs_are_news),
        AGW_CASE(test_route_addresses_and_routes_are_news),
        AGW_CASE(test_route_lost_notifications_are_news),
        AGW_CASE(test_route_others_tell_nothing),
    };
    const size_t n = sizeof cases / sizeof cases[0];
    if (may_make_networks())
        return agw_unit_run("route", cases, n);
    const int status = agw_unit_run("route", cases, PARSER_CASES);
    if (status == 0)
        printf("SKIP test_route_*: no network namespace of its own\n"
               "%d passed, 0 failed, %zu skipped\n",
               PARSER_CASES, n - PARSER_CASES);
    return status;
}
