/* SPDX-License-Identifier: BSD-3-Clause
 * net/xdp and the xdp backend in a real kernel: a veth pair with two queues between two network
 * namespaces that the test makes for itself. The peer has ordinary sockets, and a packet socket
 * where frames themselves matter. Needs root, and a kernel that takes XDP programs from us. */
#include "net/xdp.h"

#include "net/frame.h"
#include "net/io.h"
#include "net/route.h"

#include "base/wire.h"
#include "loopback.h"
#include "namespaces.h"
#include "unit.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>

enum {
    POOL = 300,
    RTP = 0x80,
    RTCP = 0x81,
    STUN = 0x00,
    DTLS = 22,
    EF = 0xb8,        /* expedited forwarding, as audio has it */
    LOOKS_AFTER = 64, /* turns after which the backend has looked at its tables and counters */
};

static const uint8_t G0_MAC[6] = {2, 0, 0, 0, 0, 1}, P0_MAC[6] = {2, 0, 0, 0, 0, 2};
static const char *const OUR_IP[] = {"10.0.0.1", "fd00::1"}, *const PEER_IP[] = {"10.0.0.2",
                                                                                 "fd00::2"};
static agw_pkt pool[POOL];
static agw_pkt *pkts[POOL];
static agw_ns packet_clock = AGW_S(1000); /* of what is sent; stands still unless a test moves it */

/* ---- two namespaces: ours has g0 (10.0.0.1, fd00::1), the peer's p0 (10.0.0.2, fd00::2) ---- */

typedef struct world {
    int ours, peers; /* namespaces */
    agw_xdp *xdp;
    size_t workers;
    agw_io *io[2]; /* one a worker, all driven by this thread */
} world;

static void we_do(const char *commands)
{
    CU_ASSERT_TRUE_FATAL(ip_commands("%s", commands));
}

static void peer_does(const world *w, const char *commands)
{
    enter(w->peers);
    we_do(commands);
    enter(w->ours);
}

static void we_set(const char *path, const char *value)
{
    CU_ASSERT_TRUE_FATAL(write_text(path, value));
}

static void peer_sets(const world *w, const char *path, const char *value)
{
    enter(w->peers);
    we_set(path, value);
    enter(w->ours);
}

static void make_links(world *w)
{
    w->peers = new_namespace();
    w->ours = new_namespace();
    CU_ASSERT_TRUE_FATAL(
        ip_commands("link add g0 address 02:00:00:00:00:01 numrxqueues 2 numtxqueues 2 type veth "
                    "peer name p0 address 02:00:00:00:00:02 numrxqueues 2 numtxqueues 2 "
                    "netns /proc/self/fd/%d\n",
                    w->peers));
    peer_does(w, "link set p0 addrgenmode none\n"
                 "addr add 10.0.0.2/24 dev p0\n"
                 "addr add fd00::2/64 dev p0 nodad\n"
                 "link set p0 up\n");
    we_do("link set lo up\n"
          "link set g0 addrgenmode none\n"
          "addr add 10.0.0.1/24 dev g0\n"
          "addr add fd00::1/64 dev g0 nodad\n"
          "link set g0 up\n");
}

/* Nobody has to ask for a neighbour. */
static void know_neighbours(const world *w)
{
    we_do("neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 nud permanent dev g0\n"
          "neigh add fd00::2 lladdr 02:00:00:00:00:02 nud permanent dev g0\n");
    peer_does(w, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 nud permanent dev p0\n"
                 "neigh add fd00::1 lladdr 02:00:00:00:00:01 nud permanent dev p0\n");
}

static void wait_for_route(agw_err want)
{
    agw_routes *routes = agw_routes_new();
    const agw_addr local = ip("10.0.0.1"), remote = ip("10.0.0.2");
    agw_route route;
    CU_ASSERT_PTR_NOT_NULL_FATAL(routes);
    while (agw_routes_find(routes, &local, &remote, &route) != want) {
        struct pollfd p = {.fd = agw_routes_fd(routes), .events = POLLIN};
        CU_ASSERT_EQUAL_FATAL(poll(&p, 1, PATIENCE_MS), 1);
        (void)agw_routes_changed(routes);
    }
    agw_routes_free(routes);
}

/* A plain socket, of the peer or of ours. */
typedef struct peer {
    int fd;
    agw_addr addr;
} peer;

static peer open_socket(const world *w, int namespace, const char *address)
{
    struct sockaddr_storage sa;
    peer p = {.addr = ip(address)};
    const bool v6 = p.addr.family == AGW_FAMILY_IP6;
    socklen_t len = agw_addr_to_sockaddr(&p.addr, &sa);
    const int on = 1, buffer = 64 << 20;
    enter(namespace);
    p.fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    enter(w->ours);
    CU_ASSERT_EQUAL_FATAL(bind(p.fd, (const struct sockaddr *)&sa, len), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(p.fd, (struct sockaddr *)&sa, &len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&p.addr, (const struct sockaddr *)&sa), AGW_OK);
    CU_ASSERT_EQUAL(setsockopt(p.fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), 0);
    CU_ASSERT_EQUAL(v6 ? setsockopt(p.fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on)
                       : setsockopt(p.fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on),
                    0);
    return p;
}

static peer open_peer(const world *w, int v6)
{
    return open_socket(w, w->peers, PEER_IP[v6]);
}

static bool gets_through(const peer *from, const peer *to)
{
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    struct pollfd p = {.fd = to->fd, .events = POLLIN};
    while (agw_clock_now() < give_up) {
        (void)send_plain(from->fd, &to->addr, "", 1);
        if (poll(&p, 1, 5) == 1)
            return true;
    }
    return false;
}

/* The carrier comes some time after the link, its queues and the routes of IPv6 after that, and at
 * each end for itself. */
static void wait_for_link(const world *w, int v6)
{
    const peer here = open_socket(w, w->ours, OUR_IP[v6]), there = open_peer(w, v6);
    CU_ASSERT_TRUE_FATAL(gets_through(&here, &there) && gets_through(&there, &here));
    close(here.fd);
    close(there.fd);
}

static agw_io *open_io(const world *w, size_t worker)
{
    const agw_io_config config = {.backend = agw_io_xdp(), .xdp = w->xdp, .worker = worker};
    agw_io *io = agw_io_open(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(io);
    return io;
}

static void open_backends(world *w, size_t workers)
{
    char why[200] = "";
    const agw_addr addresses[] = {ip(OUR_IP[0]), ip(OUR_IP[1])};
    CU_ASSERT_EQUAL_FATAL(agw_xdp_open(&w->xdp, addresses, 2, workers, why, sizeof why), AGW_OK);
    w->workers = workers;
    for (size_t i = 0; i < workers; i++)
        w->io[i] = open_io(w, i);
}

static world open_strange_world(size_t workers)
{
    world w = {.ours = -1};
    for (size_t i = 0; i < POOL; i++)
        pkts[i] = &pool[i];
    make_links(&w);
    open_backends(&w, workers);
    return w;
}

static world open_world(size_t workers)
{
    const world w = open_strange_world(workers);
    know_neighbours(&w);
    wait_for_route(AGW_OK);
    wait_for_link(&w, 0);
    wait_for_link(&w, 1);
    return w;
}

static void close_backends(world *w)
{
    for (size_t i = 0; i < w->workers; i++)
        agw_io_close(w->io[i]);
    agw_xdp_close(w->xdp);
    w->workers = 0;
}

static void close_world(world *w)
{
    close_backends(w);
    close(w->ours);
    close(w->peers);
}

static uint32_t program_on(const char *name)
{
    uint32_t id = 0;
    CU_ASSERT_EQUAL(bpf_xdp_query_id((int)if_nametoindex(name), 0, &id), 0);
    return id;
}

/* Packets that this end of the link could not hand over. */
static uint64_t lost_at(const char *name)
{
    struct ifaddrs *all;
    uint64_t lost = 0;
    CU_ASSERT_EQUAL_FATAL(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (strcmp(i->ifa_name, name) != 0 || i->ifa_addr->sa_family != AF_PACKET)
            continue;
        struct rtnl_link_stats stats;
        memcpy(&stats, i->ifa_data, sizeof stats);
        lost = stats.tx_dropped;
    }
    freeifaddrs(all);
    return lost;
}

/* ---- the two ends of a flow ---- */

static void add_port(agw_io *io, agw_port *port, int v6)
{
    const agw_port_config config = {.local = ip(OUR_IP[v6]), .buffer_bytes = 8 << 20};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(port, &config), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, port), AGW_OK);
}

static void drop_port(agw_port *port)
{
    agw_io_remove(port->io, port);
    agw_port_close(port);
}

/* A port of worker 0 and a peer, with media between them installed. */
typedef struct flow {
    agw_io *io;
    agw_port port;
    peer peer;
    struct agw_way *way;
} flow;

static void install(flow *f)
{
    f->way = agw_io_install(f->io, &f->port, &f->peer.addr);
}

static void uninstall(flow *f)
{
    agw_io_uninstall(f->io, &f->port, &f->peer.addr);
    f->way = NULL;
}

static void open_flow(const world *w, flow *f, int v6)
{
    f->io = w->io[0];
    f->peer = open_peer(w, v6);
    add_port(f->io, &f->port, v6);
    install(f);
}

static void close_flow(flow *f)
{
    uninstall(f);
    drop_port(&f->port);
    close(f->peer.fd);
}

/* ---- inwards ---- */

static size_t length_of(uint32_t n)
{
    return 20 + n * 37 % 1400;
}

/* Datagram number n: its first byte says what it is. */
static void fill_datagram(uint8_t *out, size_t len, uint8_t first, uint32_t n)
{
    fill_payload(out, len, n);
    out[0] = first;
}

static bool is_datagram(const uint8_t *data, size_t len, uint8_t first, uint32_t n)
{
    uint8_t expected[4096];
    fill_datagram(expected, len, first, n);
    return memcmp(data, expected, len) == 0;
}

static void say_long(const peer *p, const agw_port *to, uint8_t first, uint32_t n, size_t len)
{
    uint8_t data[4096];
    fill_datagram(data, len, first, n);
    CU_ASSERT_TRUE(send_plain(p->fd, &to->local, data, len));
}

static void say(const peer *p, const agw_port *to, uint8_t first, uint32_t n)
{
    say_long(p, to, first, n, length_of(n));
}

/* Until so many datagrams lie at the port's socket, unread. */
static void wait_at_socket(const agw_port *port, size_t count)
{
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    const int first = 0, off = -1;
    uint8_t data[4096];
    size_t seen = 0;
    CU_ASSERT_EQUAL(setsockopt(port->fd, SOL_SOCKET, SO_PEEK_OFF, &first, sizeof first), 0);
    while (seen < count && agw_clock_now() < give_up) {
        if (recv(port->fd, data, sizeof data, MSG_PEEK) > 0)
            seen++;
        else
            (void)poll(NULL, 0, 1);
    }
    CU_ASSERT_EQUAL(setsockopt(port->fd, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof off), 0);
    CU_ASSERT_EQUAL_FATAL(seen, count);
}

/* The media that this peer has sent to the port lies in the ring: STUN sent behind it has come to
 * the socket, and a queue of the link keeps the order. */
static void settle(const peer *p, const agw_port *to)
{
    uint8_t data[8] = {STUN};
    CU_ASSERT_TRUE(send_plain(p->fd, &to->local, data, sizeof data));
    CU_ASSERT_EQUAL_FATAL(receive_plain(to->fd, data, sizeof data), (ssize_t)sizeof data);
}

/* A batch of at least one packet; 0 only when something is broken. */
static size_t rx_some(agw_io *io)
{
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    for (size_t got; agw_clock_now() < give_up;) {
        if ((got = agw_io_rx(io, pkts, AGW_PKT_BATCH)) != 0)
            return got;
        agw_io_wait(io, agw_clock_now(), give_up);
    }
    return 0;
}

static bool is_from(const agw_pkt *pkt, const agw_port *port, const peer *from)
{
    return pkt->port == port && agw_addr_equal(&pkt->remote, &from->addr) &&
           pkt->verdict == AGW_UNDECIDED && pkt->data == pkt->buf + AGW_PKT_HEADROOM;
}

/* The next packets are that peer's from `number` on, and no others; returns how many were right. */
static size_t hear(agw_port *port, const peer *from, uint8_t first, uint32_t number, size_t count)
{
    size_t right = 0;
    for (size_t got = 0, some; got < count; got += some) {
        some = rx_some(port->io);
        if (some == 0)
            break;
        for (size_t i = 0; i < some; i++) {
            const uint32_t n = number + (uint32_t)(got + i);
            right += is_from(pkts[i], port, from) && !pkts[i]->cut &&
                     pkts[i]->len == length_of(n) &&
                     is_datagram(pkts[i]->data, pkts[i]->len, first, n);
        }
    }
    return right;
}

/* The peer sends some datagrams: all arrive in order, by the ring or by the socket. */
static void check_arrives(agw_port *port, const peer *from, uint8_t first, bool fast)
{
    enum { COUNT = 10 };
    const agw_io *io = port->io;
    const uint64_t fast_before = agw_counter_get(&io->fast_rx),
                   all_before = agw_counter_get(&io->rx_packets),
                   port_before = agw_counter_get(&port->rx_packets);
    for (uint32_t n = 0; n < COUNT; n++)
        say(from, port, first, n);
    CU_ASSERT_EQUAL(hear(port, from, first, 0, COUNT), COUNT);
    CU_ASSERT_EQUAL(agw_counter_get(&io->fast_rx) - fast_before, fast ? COUNT : 0);
    CU_ASSERT_EQUAL(agw_counter_get(&io->rx_packets) - all_before, COUNT);
    CU_ASSERT_EQUAL(agw_counter_get(&port->rx_packets) - port_before, COUNT);
}

static void check_ways_in(int v6)
{
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, v6);
    const peer stranger = open_peer(&w, v6);
    check_arrives(&f.port, &f.peer, RTP, true);
    check_arrives(&f.port, &f.peer, RTCP, true);
    check_arrives(&f.port, &f.peer, 191, true);
    check_arrives(&f.port, &f.peer, STUN, false);
    check_arrives(&f.port, &f.peer, DTLS, false);
    check_arrives(&f.port, &f.peer, 127, false);
    check_arrives(&f.port, &f.peer, 192, false);
    check_arrives(&f.port, &stranger, RTP, false);
    uninstall(&f);
    check_arrives(&f.port, &f.peer, RTP, false);
    agw_io_install(f.io, &f.port, &stranger.addr);
    check_arrives(&f.port, &stranger, RTP, true);
    check_arrives(&f.port, &f.peer, RTP, false);
    agw_io_uninstall(f.io, &f.port, &stranger.addr);
    install(&f);
    check_arrives(&f.port, &f.peer, RTP, true);
    close(stranger.fd);
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_rfc7983_media_of_a_flow_comes_by_the_ring_all_else_not_ipv4(void)
{
    check_ways_in(0);
}

static void test_xdp_rfc7983_media_of_a_flow_comes_by_the_ring_all_else_not_ipv6(void)
{
    check_ways_in(1);
}

/* By the sequence number of each stream; what is too short to have one is no sample. */
static void check_samples(int v6)
{
    enum { COUNT = 130, SAMPLED = 64 };
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, v6);
    const agw_ns before = agw_clock_now();
    for (unsigned seq = 0; seq < COUNT; seq++) {
        const uint8_t rtp[12] = {RTP, 8, (uint8_t)(seq >> 8), (uint8_t)seq};
        CU_ASSERT_TRUE(send_plain(f.peer.fd, &f.port.local, rtp, seq == SAMPLED ? 3 : sizeof rtp));
    }
    settle(&f.peer, &f.port);
    const agw_ns after = agw_clock_now();
    unsigned seen = 0;
    for (size_t n; seen < COUNT && (n = rx_some(f.io)) != 0;) {
        for (size_t i = 0; i < n; i++, seen++) {
            const agw_ns at = pkts[i]->arrived_at;
            const bool sampled = seen % SAMPLED == 0 && seen != SAMPLED;
            CU_ASSERT_TRUE(sampled ? at > before && at < after : at == 0);
        }
    }
    CU_ASSERT_EQUAL(seen, COUNT);
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->fast_rx), COUNT);
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_samples_tell_when_the_program_saw_them_ipv4(void)
{
    check_samples(0);
}

static void test_xdp_samples_tell_when_the_program_saw_them_ipv6(void)
{
    check_samples(1);
}

static void test_xdp_nothing_installed_comes_by_the_socket(void)
{
    world w = open_world(2);
    agw_port port;
    for (int v6 = 0; v6 < 2; v6++) {
        const peer p = open_peer(&w, v6);
        add_port(w.io[v6], &port, v6);
        check_arrives(&port, &p, RTP, false);
        drop_port(&port);
        close(p.fd);
    }
    close_world(&w);
}

/* Also a datagram without payload, which says nothing of what it is. */
static void test_xdp_each_port_gets_its_own(void)
{
    world w = open_world(1);
    flow a, b;
    open_flow(&w, &a, 0);
    open_flow(&w, &b, 0);
    for (int round = 0; round < 3; round++) {
        check_arrives(&a.port, &a.peer, RTP, true);
        check_arrives(&b.port, &b.peer, RTP, true);
        check_arrives(&b.port, &a.peer, RTP, false); /* the other call's peer */
    }
    CU_ASSERT_TRUE(send_plain(a.peer.fd, &a.port.local, "", 0));
    CU_ASSERT_EQUAL_FATAL(rx_some(w.io[0]), 1);
    CU_ASSERT_TRUE(is_from(pkts[0], &a.port, &a.peer) && pkts[0]->len == 0);
    close_flow(&a);
    close_flow(&b);
    close_world(&w);
}

/* What waits at the socket is older than what the ring will bring. */
static void test_xdp_order_is_kept_when_a_flow_is_installed(void)
{
    world w = open_world(1);
    agw_port port;
    const peer p = open_peer(&w, 0);
    add_port(w.io[0], &port, 0);
    for (uint32_t n = 0; n < 10; n++) {
        if (n == 5) {
            wait_at_socket(&port, 5);
            agw_io_install(w.io[0], &port, &p.addr);
        }
        say(&p, &port, RTP, n);
    }
    CU_ASSERT_EQUAL(hear(&port, &p, RTP, 0, 10), 10);
    CU_ASSERT_EQUAL(agw_counter_get(&w.io[0]->fast_rx), 5);
    agw_io_uninstall(w.io[0], &port, &p.addr);
    drop_port(&port);
    close(p.fd);
    close_world(&w);
}

/* Where there is no media by rings, the sockets have the whole batch. */
static void test_xdp_sockets_alone_fill_a_batch(void)
{
    enum { COUNT = 4 * AGW_PKT_BATCH };
    world w = open_world(1);
    flow f;
    size_t largest = 0;
    open_flow(&w, &f, 0);
    for (uint32_t n = 0; n < COUNT; n++) {
        say(&f.peer, &f.port, STUN, n);
        if (n % 64 == 63) /* a queue of the link has room for 256 */
            wait_at_socket(&f.port, n + 1);
    }
    for (size_t all = 0, got; all < COUNT; all += got) {
        got = rx_some(f.io);
        CU_ASSERT_NOT_EQUAL_FATAL(got, 0);
        largest = got > largest ? got : largest;
    }
    CU_ASSERT_EQUAL(largest, AGW_PKT_BATCH);
    close_flow(&f);
    close_world(&w);
}

/* ---- queues ---- */

/* The kernel spreads the peer's flows over the queues; one whose packets the ring of this worker
 * brings (or not: they come by a queue that is another's). */
static peer find_peer(const world *w, agw_port *port, bool fast)
{
    peer others[64];
    size_t n = 0;
    bool found = false;
    while (!found && n < 64) {
        const peer *p = &others[n];
        others[n++] = open_peer(w, 0); /* they stay open: each its own number */
        const uint64_t before = agw_counter_get(&port->io->fast_rx);
        agw_io_install(port->io, port, &p->addr);
        say(p, port, RTP, 0);
        CU_ASSERT_EQUAL(hear(port, p, RTP, 0, 1), 1);
        agw_io_uninstall(port->io, port, &p->addr);
        found = (agw_counter_get(&port->io->fast_rx) > before) == fast;
    }
    CU_ASSERT_TRUE_FATAL(found);
    for (size_t i = 0; i + 1 < n; i++)
        close(others[i].fd);
    return others[n - 1];
}

static void check_installed(agw_port *port, const peer *p, bool fast)
{
    agw_io_install(port->io, port, &p->addr);
    check_arrives(port, p, RTP, fast);
    agw_io_uninstall(port->io, port, &p->addr);
    check_arrives(port, p, RTP, false);
}

static void test_xdp_sockets_are_heard_beside_a_ring_that_never_runs_dry(void)
{
    enum { MEDIA = 16 };
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, 0);
    for (uint32_t n = 0; n < MEDIA; n++)
        say(&f.peer, &f.port, RTP, n);
    settle(&f.peer, &f.port);
    CU_ASSERT_EQUAL(agw_io_rx(f.io, pkts, 1), 1);
    say(&f.peer, &f.port, STUN, 0);
    wait_at_socket(&f.port, 1);
    uint32_t media = 1;
    while (media < MEDIA && agw_io_rx(f.io, pkts, 1) == 1 && pkts[0]->data[0] == RTP)
        media++;
    CU_ASSERT_TRUE(media < MEDIA && pkts[0]->data[0] == STUN);
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_workers_read_their_own_queue_the_kernel_the_others(void)
{
    world w = open_world(2);
    for (size_t worker = 0; worker < 2; worker++) {
        agw_port port;
        add_port(w.io[worker], &port, 0);
        const peer own = find_peer(&w, &port, true), foreign = find_peer(&w, &port, false);
        for (int round = 0; round < 3; round++) {
            check_installed(&port, &own, true);
            check_installed(&port, &foreign, false);
        }
        drop_port(&port);
        close(own.fd);
        close(foreign.fd);
    }
    close_world(&w);
}

static void test_xdp_one_worker_reads_all_queues(void)
{
    enum { FLOWS = 40 }; /* all on one queue: once in 2^39 */
    world w = open_world(1);
    for (int i = 0; i < FLOWS; i++) {
        flow f;
        open_flow(&w, &f, i % 2);
        check_arrives(&f.port, &f.peer, RTP, true);
        close_flow(&f);
    }
    close_world(&w);
}

/* ---- outwards ---- */

static void make(agw_pkt *pkt, flow *f, uint32_t n, size_t len)
{
    agw_pkt_reset(pkt);
    pkt->len = len;
    fill_datagram(pkt->data, len, RTP, n);
    pkt->port = &f->port;
    pkt->remote = f->peer.addr;
    pkt->way = f->way;
    pkt->rx_at = packet_clock;
    pkt->tos = EF;
    pkt->verdict = AGW_FORWARD;
}

static size_t send_long(flow *f, uint32_t n, size_t len)
{
    make(pkts[0], f, n, len);
    return agw_io_tx(f->io, pkts, 1);
}

/* Turns of a worker that has no packets: it looks after everything else. */
static void look_after(agw_io *io)
{
    for (int i = 0; i < LOOKS_AFTER; i++) {
        const agw_ns now = agw_clock_now();
        agw_io_wait(io, now, now);
        CU_ASSERT_EQUAL(agw_io_rx(io, pkts, AGW_PKT_BATCH), 0);
    }
}

/* The next datagram at the peer is this one, from the port, with the right TOS byte. */
static bool is_told(const flow *f, uint32_t n, size_t len)
{
    static uint8_t data[4096];
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
    struct sockaddr_storage sa;
    struct iovec iov = {.iov_base = data, .iov_len = sizeof data};
    struct msghdr m = {.msg_name = &sa,
                       .msg_namelen = sizeof sa,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    struct pollfd p = {.fd = f->peer.fd, .events = POLLIN};
    agw_addr from;
    if (poll(&p, 1, PATIENCE_MS) != 1 || recvmsg(f->peer.fd, &m, 0) != (ssize_t)len ||
        agw_addr_from_sockaddr(&from, (const struct sockaddr *)&sa) != AGW_OK)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    return c != NULL && *(const uint8_t *)CMSG_DATA(c) == EF && is_datagram(data, len, RTP, n) &&
           agw_addr_equal(&from, &f->port.local);
}

/* One datagram to the peer; returns whether a ring took it. */
static bool tell_long(flow *f, uint32_t n, size_t len)
{
    const uint64_t before = agw_counter_get(&f->io->fast_tx);
    CU_ASSERT_EQUAL(send_long(f, n, len), 1);
    CU_ASSERT_TRUE(is_told(f, n, len));
    return agw_counter_get(&f->io->fast_tx) == before + 1;
}

/* Until the ring takes what goes to the peer, which hears all; returns how many were sent before.
 */
static unsigned warm_up(flow *f)
{
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    for (unsigned n = 0; agw_clock_now() < give_up; n++) {
        if (tell_long(f, n, length_of(n)))
            return n;
        const agw_ns now = agw_clock_now();
        packet_clock += AGW_MS(250);
        agw_io_wait(f->io, now, now + AGW_MS(1));
        CU_ASSERT_EQUAL(agw_io_rx(f->io, pkts, AGW_PKT_BATCH), 0);
    }
    CU_FAIL_FATAL("the ring takes nothing");
    return 0;
}

static void check_batch_out(flow *f, size_t count)
{
    const uint64_t fast = agw_counter_get(&f->io->fast_tx),
                   all = agw_counter_get(&f->io->tx_packets),
                   port = agw_counter_get(&f->port.tx_packets);
    for (uint32_t n = 0; n < count; n++)
        make(pkts[n], f, n, length_of(n));
    pkts[1]->verdict = AGW_UNDECIDED;
    CU_ASSERT_EQUAL(agw_io_tx(f->io, pkts, count), count - 1);
    uint32_t told = 0;
    while (told < count && (told == 1 || is_told(f, told, length_of(told))))
        told++;
    CU_ASSERT_EQUAL(told, count);
    CU_ASSERT_EQUAL(agw_counter_get(&f->io->fast_tx) - fast, count - 1);
    CU_ASSERT_EQUAL(agw_counter_get(&f->io->tx_packets) - all, count - 1);
    CU_ASSERT_EQUAL(agw_counter_get(&f->port.tx_packets) - port, count - 1);
}

/* Addresses, TOS, contents and order at a socket whose kernel checks both checksums; more than a
 * batch in one call leaves at once, too. */
static void test_xdp_batches_leave_whole_and_in_order(void)
{
    world w = open_world(1);
    for (int v6 = 0; v6 < 2; v6++) {
        flow f;
        open_flow(&w, &f, v6);
        (void)warm_up(&f);
        for (int round = 0; round < 200; round++) /* more than there are frames */
            check_batch_out(&f, AGW_PKT_BATCH);
        check_batch_out(&f, POOL);
        close_flow(&f);
    }
    close_world(&w);
}

static void test_xdp_not_installed_leaves_by_the_socket(void)
{
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    uninstall(&f);
    CU_ASSERT_FALSE(tell_long(&f, 1, 100));
    CU_ASSERT_FALSE(tell_long(&f, 2, 100));
    install(&f);
    (void)warm_up(&f);
    close_flow(&f);
    close_world(&w);
}

/* The peer moved while packets toward its old address waited for the batch's end. */
static void test_xdp_a_batch_may_name_a_way_that_has_just_ended(void)
{
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    for (uint32_t n = 0; n < 8; n++)
        make(pkts[n], &f, n, 100);
    uninstall(&f);
    CU_ASSERT_EQUAL(agw_io_tx(f.io, pkts, 8), 8);
    for (uint32_t n = 0; n < 8; n++)
        CU_ASSERT_TRUE(is_told(&f, n, 100));
    install(&f);
    close_flow(&f);
    close_world(&w);
}

/* It shows the kernel that the neighbour is in use. */
static void test_xdp_every_5_s_a_packet_takes_the_socket(void)
{
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, 0);
    for (uint32_t round = 0; round < 3; round++) {
        CU_ASSERT_FALSE(tell_long(&f, 1, 100));
        packet_clock += AGW_S(5);
        CU_ASSERT_TRUE(tell_long(&f, 2, 100));
        packet_clock += 1;
    }
    close_flow(&f);
    close_world(&w);
}

/* However many ways there are, they do not all ask the kernel at once. */
static void test_xdp_look_ups_of_many_ways_are_spread(void)
{
    world w = open_world(1);
    flow one, other;
    open_flow(&w, &one, 0);
    open_flow(&w, &other, 1);
    (void)warm_up(&one);
    (void)warm_up(&other);
    packet_clock += AGW_S(6);
    CU_ASSERT_FALSE(tell_long(&one, 1, 100));
    CU_ASSERT_TRUE(tell_long(&other, 1, 100));
    packet_clock += AGW_MS(10);
    CU_ASSERT_TRUE(tell_long(&one, 2, 100));
    CU_ASSERT_FALSE(tell_long(&other, 2, 100));
    close_flow(&one);
    close_flow(&other);
    close_world(&w);
}

/* Every second call's media goes out where nothing is installed: the socket is none the slower. */
static void test_xdp_two_ways_out_share_a_batch(void)
{
    world w = open_world(1);
    flow fast, slow;
    open_flow(&w, &fast, 0);
    open_flow(&w, &slow, 1);
    (void)warm_up(&fast);
    uninstall(&slow);
    const uint64_t before = agw_counter_get(&w.io[0]->fast_tx);
    for (uint32_t n = 0; n < 200; n++)
        make(pkts[n], n % 2 == 0 ? &fast : &slow, n, length_of(n));
    CU_ASSERT_EQUAL(agw_io_tx(w.io[0], pkts, 200), 200);
    uint32_t told = 0;
    while (told < 200 && is_told(told % 2 == 0 ? &fast : &slow, told, length_of(told)))
        told++;
    CU_ASSERT_EQUAL(told, 200);
    CU_ASSERT_EQUAL(agw_counter_get(&w.io[0]->fast_tx) - before, 100);
    install(&slow);
    close_flow(&fast);
    close_flow(&slow);
    close_world(&w);
}

/* ---- frames on the wire ---- */

/* Sees every frame at the peer, and can send any. */
static int open_wire(const world *w)
{
    enter(w->peers);
    const struct sockaddr_ll at = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex("p0")};
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    enter(w->ours);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static bool is_datagrams(const uint8_t *frame, int v6)
{
    if (agw_get16(frame + 12) != (v6 ? ETH_P_IPV6 : ETH_P_IP))
        return false;
    const uint8_t next = v6 ? frame[20] : frame[23];
    return next == IPPROTO_UDP || (v6 && next == IPPROTO_FRAGMENT);
}

/* The next frame with a UDP datagram or a part of one that came in from us. */
static size_t next_frame(int wire, int v6, uint8_t *frame, size_t room)
{
    struct pollfd p = {.fd = wire, .events = POLLIN};
    while (poll(&p, 1, PATIENCE_MS) == 1) {
        struct sockaddr_ll from;
        socklen_t len = sizeof from;
        const ssize_t n = recvfrom(wire, frame, room, 0, (struct sockaddr *)&from, &len);
        if (n >= 34 && from.sll_pkttype != PACKET_OUTGOING && is_datagrams(frame, v6))
            return (size_t)n;
    }
    CU_FAIL_FATAL("no frame came");
    return 0;
}

static void check_ethernet(const uint8_t *frame)
{
    CU_ASSERT_EQUAL(memcmp(frame, P0_MAC, 6), 0);
    CU_ASSERT_EQUAL(memcmp(frame + 6, G0_MAC, 6), 0);
}

/* As the sockets', they may be cut on their way, so that each needs its own identification (RFC
 * 6864 section 4.3). */
static void test_xdp_rfc791_frames_may_be_cut_and_have_a_number(void)
{
    world w = open_world(1);
    flow f;
    uint8_t frame[2048];
    uint16_t ids[3];
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    const int wire = open_wire(&w);
    for (uint32_t n = 0; n < 3; n++) {
        CU_ASSERT_TRUE(tell_long(&f, n, 160));
        CU_ASSERT_EQUAL(next_frame(wire, 0, frame, sizeof frame), 14 + 28 + 160);
        check_ethernet(frame);
        CU_ASSERT_EQUAL(frame[15], EF);
        CU_ASSERT_EQUAL(agw_get16(frame + 20), 0); /* neither DF nor a fragment */
        CU_ASSERT_EQUAL(frame[22], 64);
        ids[n] = agw_get16(frame + 18);
    }
    CU_ASSERT_TRUE(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    close(wire);
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_rfc8200_frames(void)
{
    world w = open_world(1);
    flow f;
    uint8_t frame[2048];
    open_flow(&w, &f, 1);
    (void)warm_up(&f);
    const int wire = open_wire(&w);
    CU_ASSERT_TRUE(tell_long(&f, 1, 160));
    CU_ASSERT_EQUAL(next_frame(wire, 1, frame, sizeof frame), 14 + 48 + 160);
    check_ethernet(frame);
    CU_ASSERT_EQUAL(agw_get32(frame + 14), 0x6b800000); /* version, traffic class EF */
    CU_ASSERT_EQUAL(frame[21], 64);
    close(wire);
    close_flow(&f);
    close_world(&w);
}

/* A frame from the flow's peer with that payload; the length without padding. */
static size_t craft(const flow *f, uint8_t *frame, const char *payload)
{
    agw_route way = {0};
    memcpy(way.next_mac, G0_MAC, 6);
    memcpy(way.local_mac, P0_MAC, 6);
    const agw_frame out = {.from = f->peer.addr,
                           .to = f->port.local,
                           .payload = (const uint8_t *)payload,
                           .len = strlen(payload)};
    return agw_frame_write(frame, &way, &out);
}

static void inject(int wire, const uint8_t *frame, size_t len)
{
    CU_ASSERT_EQUAL(send(wire, frame, len, 0), (ssize_t)len);
}

static void check_crafted(int v6)
{
    world w = open_world(1);
    flow f;
    uint8_t frame[128] = {0};
    open_flow(&w, &f, v6);
    const int wire = open_wire(&w);
    const size_t len = craft(&f, frame, "\x80 bad sum");
    frame[len - 1] ^= 1;
    inject(wire, frame, len);
    memset(frame, 0, sizeof frame);
    (void)craft(&f, frame, "\x80 good");
    inject(wire, frame, 100); /* padded */
    CU_ASSERT_EQUAL_FATAL(rx_some(f.io), 1);
    CU_ASSERT_TRUE(is_from(pkts[0], &f.port, &f.peer));
    CU_ASSERT_EQUAL_FATAL(pkts[0]->len, 6);
    CU_ASSERT_EQUAL(memcmp(pkts[0]->data, "\x80 good", 6), 0);
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->fast_rx), 1);
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->rx_drops), 1);
    close(wire);
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_rfc768_broken_checksum_is_dropped_and_counted_padding_is_cut_ipv4(void)
{
    check_crafted(0);
}

static void test_xdp_rfc8200_8_1_broken_checksum_is_dropped_and_counted_padding_is_cut_ipv6(void)
{
    check_crafted(1);
}

/* ---- fragments and lengths ---- */

static void check_long_in(flow *f, size_t len, bool fast)
{
    const uint64_t before = agw_counter_get(&f->io->fast_rx);
    const size_t kept = len < AGW_PKT_MAX ? len : AGW_PKT_MAX;
    uint8_t expected[4096];
    say_long(&f->peer, &f->port, RTP, 7, len);
    fill_datagram(expected, len, RTP, 7);
    CU_ASSERT_EQUAL_FATAL(rx_some(f->io), 1);
    CU_ASSERT_TRUE(is_from(pkts[0], &f->port, &f->peer));
    CU_ASSERT_EQUAL(pkts[0]->cut, len > AGW_PKT_MAX);
    CU_ASSERT_EQUAL_FATAL(pkts[0]->len, kept);
    CU_ASSERT_EQUAL(memcmp(pkts[0]->data, expected, kept), 0);
    CU_ASSERT_EQUAL(agw_counter_get(&f->io->fast_rx) - before, fast);
}

static void test_xdp_rfc791_fragments_arrive_by_the_socket(void)
{
    world w = open_world(1);
    for (int v6 = 0; v6 < 2; v6++) {
        const size_t fits = v6 ? 1452 : 1472;
        flow f;
        open_flow(&w, &f, v6);
        check_long_in(&f, fits, true);
        check_long_in(&f, fits + 1, false);
        check_long_in(&f, AGW_PKT_MAX, false);
        check_long_in(&f, AGW_PKT_MAX + 1, false);
        check_long_in(&f, 3000, false);
        close_flow(&f);
    }
    close_world(&w);
}

static void test_xdp_rfc791_longer_than_the_mtu_leaves_in_fragments(void)
{
    enum { MTU = 1400 };
    world w = open_world(1);
    for (int v6 = 0; v6 < 2; v6++) {
        const size_t fits = MTU - (v6 ? 48 : 28);
        flow f;
        uint8_t frame[2048];
        open_flow(&w, &f, v6);
        (void)warm_up(&f);
        if (v6 == 0)
            we_do("link set g0 mtu 1400\n"); /* while it runs */
        look_after(f.io);
        (void)warm_up(&f);
        const int wire = open_wire(&w);
        CU_ASSERT_TRUE(tell_long(&f, 1, fits));
        CU_ASSERT_EQUAL(next_frame(wire, v6, frame, sizeof frame), 14 + MTU);
        CU_ASSERT_FALSE(tell_long(&f, 2, fits + 1));
        CU_ASSERT_TRUE(next_frame(wire, v6, frame, sizeof frame) <= 14 + MTU);
        CU_ASSERT_TRUE(v6 ? frame[20] == IPPROTO_FRAGMENT : (frame[20] & 0x20) != 0);
        CU_ASSERT_FALSE(tell_long(&f, 3, 1900));
        CU_ASSERT_TRUE(tell_long(&f, 4, 100));
        close(wire);
        close_flow(&f);
    }
    close_world(&w);
}

/* What a ring cannot take holds up what follows it to the same peer, and nothing else. */
static void test_xdp_order_is_kept_around_what_a_ring_cannot_take(void)
{
    world w = open_world(1);
    flow f, other;
    open_flow(&w, &f, 0);
    open_flow(&w, &other, 1);
    (void)warm_up(&f);
    (void)warm_up(&other);
    const uint64_t before = agw_counter_get(&f.io->fast_tx);
    for (uint32_t n = 0; n < 200; n++)
        make(pkts[n], n % 2 == 0 ? &f : &other, n, n == 40 ? 1800 : length_of(n));
    CU_ASSERT_EQUAL(agw_io_tx(f.io, pkts, 200), 200);
    uint32_t told = 0;
    while (told < 200 &&
           is_told(told % 2 == 0 ? &f : &other, told, told == 40 ? 1800 : length_of(told)))
        told++;
    CU_ASSERT_EQUAL(told, 200);
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->fast_tx) - before, 100 + 20);
    CU_ASSERT_TRUE(tell_long(&f, 1, 100)); /* the next batch is fast again */
    close_flow(&f);
    close_flow(&other);
    close_world(&w);
}

/* Frames have room for less than the link: what does not fit comes and goes by the socket. */
static void test_xdp_larger_mtu_than_frames(void)
{
    enum { FRAME_IN = AGW_XDP_PACKET_MAX - 42, FRAME_OUT = AGW_XDP_FRAME_BYTES - 42 };
    world w = open_world(1);
    we_do("link set g0 mtu 3000\n");
    peer_does(&w, "link set p0 mtu 3000\n");
    flow f;
    open_flow(&w, &f, 0);
    check_long_in(&f, FRAME_IN, true);
    check_long_in(&f, FRAME_IN + 1, false);
    check_long_in(&f, AGW_PKT_MAX, false);
    check_long_in(&f, 2900, false);
    (void)warm_up(&f);
    static uint8_t longest[sizeof pkts[0]->buf];
    fill_datagram(longest, sizeof longest, RTP, 1);
    for (size_t len = FRAME_OUT; len <= FRAME_OUT + 1; len++) {
        const uint64_t before = agw_counter_get(&f.io->fast_tx);
        for (uint32_t n = 0; n < 2; n++) { /* the second one would show what the first spoilt */
            make(pkts[n], &f, n, 100);
            pkts[n]->data = pkts[n]->buf;
            pkts[n]->len = len;
            fill_datagram(pkts[n]->data, len, RTP, n);
        }
        CU_ASSERT_EQUAL(agw_io_tx(f.io, pkts, 2), 2);
        CU_ASSERT_TRUE(is_told(&f, 0, len) && is_told(&f, 1, len));
        CU_ASSERT_EQUAL(agw_counter_get(&f.io->fast_tx) - before, len == FRAME_OUT ? 2 : 0);
    }
    close_flow(&f);
    close_world(&w);
}

/* ---- neighbours and links ---- */

static void check_unknown_neighbour(int v6)
{
    world w = open_strange_world(1);
    flow f;
    open_flow(&w, &f, v6);
    CU_ASSERT_TRUE(warm_up(&f) > 0); /* the first of all went by the socket, and made it ask */
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->tx_failed), 0);
    check_batch_out(&f, AGW_PKT_BATCH);
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_unknown_neighbour_is_asked_for_by_the_socket_ipv4(void)
{
    check_unknown_neighbour(0);
}

static void test_xdp_unknown_neighbour_is_asked_for_by_the_socket_ipv6(void)
{
    check_unknown_neighbour(1);
}

/* Sends until the ring has taken one that the peer hears. */
static bool reaches_by_ring(flow *f)
{
    const agw_ns give_up = agw_clock_now() + 4 * AGW_MS(PATIENCE_MS);
    for (uint32_t n = 1000; agw_clock_now() < give_up; n++) {
        const uint64_t before = agw_counter_get(&f->io->fast_tx);
        packet_clock += AGW_MS(50);
        (void)send_long(f, n, 100);
        struct pollfd p = {.fd = f->peer.fd, .events = POLLIN};
        uint8_t data[200];
        bool heard = false;
        while (!heard && poll(&p, 1, 5) == 1)
            heard = recv(f->peer.fd, data, sizeof data, MSG_DONTWAIT) == 100 &&
                    is_datagram(data, 100, RTP, n);
        if (heard && agw_counter_get(&f->io->fast_tx) > before)
            return true;
        const agw_ns now = agw_clock_now();
        agw_io_wait(f->io, now, now + AGW_MS(1));
        (void)agw_io_rx(f->io, pkts, AGW_PKT_BATCH);
    }
    return false;
}

static void test_xdp_announced_new_mac_of_the_peer_is_followed(void)
{
    world w = open_strange_world(1);
    flow f;
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    peer_sets(&w, "/proc/sys/net/ipv4/conf/all/arp_notify", "1");
    peer_does(&w, "link set p0 address 02:00:00:00:00:22\n");
    CU_ASSERT_TRUE(reaches_by_ring(&f));
    close_flow(&f);
    close_world(&w);
}

/* Nobody tells us. Only because a packet now and then goes by the kernel does it ask whether the
 * neighbour is still there: by itself it leaves a stale entry as it is. */
static void test_xdp_rfc4861_7_3_silent_new_mac_of_the_peer_is_found(void)
{
    world w = open_strange_world(1);
    flow f;
    we_set("/proc/sys/net/ipv4/neigh/g0/base_reachable_time_ms", "500");
    we_set("/proc/sys/net/ipv4/neigh/g0/delay_first_probe_time", "1");
    we_set("/proc/sys/net/ipv4/neigh/g0/retrans_time_ms", "100");
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    we_do("neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 nud stale dev g0\n");
    peer_does(&w, "link set p0 address 02:00:00:00:00:22\n");
    CU_ASSERT_TRUE(reaches_by_ring(&f));
    close_flow(&f);
    close_world(&w);
}

static void test_xdp_our_new_mac_is_used(void)
{
    world w = open_strange_world(1);
    flow f;
    uint8_t frame[2048];
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    we_do("link set g0 address 02:00:00:00:00:11\n");
    look_after(f.io);
    (void)warm_up(&f);
    const int wire = open_wire(&w);
    CU_ASSERT_TRUE(tell_long(&f, 1, 100));
    (void)next_frame(wire, 0, frame, sizeof frame);
    CU_ASSERT_EQUAL(frame[11], 0x11);
    close(wire);
    close_flow(&f);
    close_world(&w);
}

/* Sends into the broken link, first before and then after the backend could know of it. */
static void send_in_vain(flow *f)
{
    for (int round = 0; round < 2; round++) {
        for (uint32_t n = 0; n < AGW_PKT_BATCH; n++)
            make(pkts[n], f, n, 100);
        (void)agw_io_tx(f->io, pkts, AGW_PKT_BATCH);
        look_after(f->io);
    }
}

static void test_xdp_link_goes_down_and_comes_up(void)
{
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, 0);
    for (int round = 0; round < 3; round++) {
        (void)warm_up(&f);
        check_arrives(&f.port, &f.peer, RTP, true);
        if (round == 0) {
            we_do("link set g0 down\n");
            send_in_vain(&f);
            we_do("link set g0 up\n"
                  "neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 nud permanent dev g0\n");
        } else if (round == 1) {
            peer_does(&w, "link set p0 down\n");
            wait_for_route(AGW_ERR_NOT_FOUND);
            send_in_vain(&f);
            peer_does(&w, "link set p0 up\n"
                          "neigh replace 10.0.0.1 lladdr 02:00:00:00:00:01 nud permanent dev p0\n");
        }
        wait_for_route(AGW_OK);
        wait_for_link(&w, 0); /* addresses of IPv6 do not survive it */
        CU_ASSERT_TRUE(reaches_by_ring(&f));
    }
    close_flow(&f);
    close_world(&w);
}

/* Nothing keeps waking it, but the news that it reads after some waits. */
static bool rests(agw_io *io)
{
    const agw_ns morning = agw_clock_now() + AGW_MS(50);
    for (int i = 0; i < LOOKS_AFTER; i++) {
        agw_io_wait(io, agw_clock_now(), morning);
        CU_ASSERT_EQUAL(agw_io_rx(io, pkts, AGW_PKT_BATCH), 0);
        if (agw_clock_now() >= morning)
            return true;
    }
    return false;
}

static void test_xdp_interface_vanishes(void)
{
    world w = open_world(1);
    flow f;
    open_flow(&w, &f, 0);
    (void)warm_up(&f);
    say(&f.peer, &f.port, RTP, 1);
    settle(&f.peer, &f.port);
    we_do("link del g0\n");
    CU_ASSERT_EQUAL(hear(&f.port, &f.peer, RTP, 1, 1), 1);
    send_in_vain(&f);
    CU_ASSERT_TRUE(rests(f.io));
    uninstall(&f);
    install(&f);
    close_flow(&f);
    close_world(&w);
}

/* ---- many packets ---- */

/* Reads what is there and checks that numbers only grow; returns how many came. */
static size_t hear_growing(agw_port *port, const peer *from, uint32_t *last)
{
    size_t all = 0;
    for (size_t got; (got = agw_io_rx(port->io, pkts, AGW_PKT_BATCH)) != 0; all += got) {
        for (size_t i = 0; i < got; i++) {
            const uint32_t n = agw_get32(pkts[i]->data + 4);
            CU_ASSERT_TRUE(is_from(pkts[i], port, from) && pkts[i]->len == 100 && n > *last);
            *last = n;
        }
    }
    return all;
}

static uint64_t lost_at_peer(const world *w)
{
    enter(w->peers);
    const uint64_t lost = lost_at("p0");
    enter(w->ours);
    return lost;
}

/* Adds to *lost what the link did not take. */
static void say_many(const world *w, const flow *f, uint32_t first, uint32_t count, uint64_t *lost)
{
    uint8_t data[100] = {RTP};
    const uint64_t before = lost_at_peer(w); /* one of the kernel's own when it came up */
    for (uint32_t n = first; n < first + count; n++) {
        agw_put32(data + 4, n);
        CU_ASSERT_TRUE(send_plain(f->peer.fd, &f->port.local, data, sizeof data));
    }
    *lost += lost_at_peer(w) - before;
}

/* All that was said has been heard or is counted as lost; some may be under way still. */
static bool is_accounted(flow *f, size_t said, size_t lost, size_t *heard, uint32_t *last)
{
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    for (agw_ns now = 0; now < give_up; now = agw_clock_now()) {
        *heard += hear_growing(&f->port, &f->peer, last);
        if (*heard + lost + agw_counter_get(&f->io->rx_drops) == said)
            return true;
        agw_io_wait(f->io, now, now + AGW_MS(1));
    }
    return false;
}

/* Nobody reads meanwhile: the ring has room for less than half of them. */
static void test_xdp_burst_is_received_in_order_or_counted(void)
{
    enum { BURST = 10000, RING = AGW_XDP_FRAMES / 2 };
    world w = open_world(1);
    flow f;
    uint64_t lost = 0;
    uint32_t last = 0;
    size_t heard = 0;
    open_flow(&w, &f, 0);
    say_many(&w, &f, 1, BURST, &lost);
    const uint64_t came = BURST - lost;
    CU_ASSERT_TRUE(is_accounted(&f, BURST, lost, &heard, &last));
    CU_ASSERT_TRUE(heard >= (came < RING ? came : RING) && heard < BURST);
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->fast_rx), heard);
    const uint64_t drops = agw_counter_get(&f.io->rx_drops);
    for (uint32_t n = 0; n < BURST; n += 500) { /* and read in time, all of them */
        say_many(&w, &f, 1 + BURST + n, 500, &lost);
        CU_ASSERT_TRUE(is_accounted(&f, BURST + n + 500, lost, &heard, &last));
    }
    CU_ASSERT_EQUAL(agw_counter_get(&f.io->rx_drops), drops);
    close_flow(&f);
    close_world(&w);
}

/* Their packets go nowhere, but into the count; the other port's come. */
static void test_xdp_port_is_removed_while_its_packets_are_in_the_ring(void)
{
    enum { EACH = 100 };
    world w = open_world(1);
    flow gone, stays;
    open_flow(&w, &gone, 0);
    open_flow(&w, &stays, 0);
    for (uint32_t n = 0; n < EACH; n++) {
        say(&gone.peer, &gone.port, RTP, n);
        say(&stays.peer, &stays.port, RTP, n);
    }
    settle(&gone.peer, &gone.port);
    settle(&stays.peer, &stays.port);
    close_flow(&gone);
    memset(&gone, 0xee, sizeof gone);
    CU_ASSERT_EQUAL(hear(&stays.port, &stays.peer, RTP, 0, EACH), EACH);
    look_after(w.io[0]);
    CU_ASSERT_EQUAL(agw_counter_get(&w.io[0]->rx_drops), EACH);
    CU_ASSERT_EQUAL(agw_counter_get(&w.io[0]->rx_packets), EACH);
    check_arrives(&stays.port, &stays.peer, RTP, true);
    close_flow(&stays);
    close_world(&w);
}

/* And opened again on the same queues: nothing of theirs is left. */
static void test_xdp_backend_is_closed_with_frames_in_flight(void)
{
    world w = open_world(2);
    for (int round = 0; round < 3; round++) {
        flow f;
        open_flow(&w, &f, round % 2);
        check_arrives(&f.port, &f.peer, STUN, false);
        for (uint32_t n = 0; n < 100; n++)
            say(&f.peer, &f.port, RTP, n);
        for (uint32_t n = 0; n < AGW_PKT_BATCH; n++)
            make(pkts[n], &f, n, 100);
        (void)agw_io_tx(f.io, pkts, AGW_PKT_BATCH);
        close_flow(&f);
        close_backends(&w);
        CU_ASSERT_EQUAL(program_on("g0"), 0);
        open_backends(&w, 2);
    }
    close_world(&w);
}

/* ---- the program on the interface ---- */

static agw_err try_open(const char *const addresses[], size_t n, agw_xdp **out, char why[200])
{
    agw_addr list[4];
    for (size_t i = 0; i < n; i++)
        list[i] = ip(addresses[i]);
    why[0] = '\0';
    return agw_xdp_open(out, list, n, 1, why, 200);
}

static void test_xdp_program_is_there_while_open(void)
{
    world w = {.ours = -1};
    char why[200];
    make_links(&w);
    CU_ASSERT_EQUAL(program_on("g0"), 0);
    CU_ASSERT_EQUAL_FATAL(try_open(OUR_IP, 2, &w.xdp, why), AGW_OK);
    CU_ASSERT_NOT_EQUAL(program_on("g0"), 0);
    CU_ASSERT_EQUAL_FATAL(agw_xdp_interfaces(w.xdp), 1); /* both addresses are on it */
    const agw_xdp_interface *i = agw_xdp_interface_at(w.xdp, 0);
    CU_ASSERT_STRING_EQUAL(i->name, "g0");
    CU_ASSERT_EQUAL(i->ifindex, if_nametoindex("g0"));
    CU_ASSERT_EQUAL(i->queues, 2);
    CU_ASSERT_TRUE(i->native);
    CU_ASSERT_EQUAL(agw_xdp_workers(w.xdp), 1);
    close_world(&w);
    CU_ASSERT_EQUAL(program_on("g0"), 0);
}

static void check_unsupported(const char *const addresses[], size_t n, const char *names)
{
    agw_xdp *xdp = NULL;
    char why[200];
    CU_ASSERT_EQUAL(try_open(addresses, n, &xdp, why), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NULL(xdp);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, names));
    CU_ASSERT_EQUAL(program_on("g0"), 0);
}

static void test_xdp_addresses_on_no_ethernet_are_refused_with_the_reason(void)
{
    world w = {.ours = -1};
    make_links(&w);
    check_unsupported((const char *const[]){"127.0.0.1"}, 1, "127.0.0.1");
    check_unsupported((const char *const[]){"::1"}, 1, "::1");
    check_unsupported((const char *const[]){"10.0.0.3"}, 1, "10.0.0.3"); /* nobody's */
    check_unsupported((const char *const[]){"10.0.0.1", "127.0.0.1"}, 2, "127.0.0.1");
    close_world(&w);
}

static void test_xdp_second_program_is_refused_the_first_stays(void)
{
    world w = {.ours = -1};
    agw_xdp *second = NULL;
    char why[200];
    make_links(&w);
    CU_ASSERT_EQUAL_FATAL(try_open(OUR_IP, 1, &w.xdp, why), AGW_OK);
    const uint32_t first = program_on("g0");
    CU_ASSERT_EQUAL(try_open(OUR_IP, 1, &second, why), AGW_ERR_SYSTEM);
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "g0"));
    CU_ASSERT_EQUAL(program_on("g0"), first);
    agw_xdp_close(w.xdp);
    CU_ASSERT_EQUAL_FATAL(try_open(OUR_IP, 1, &w.xdp, why), AGW_OK);
    close_world(&w);
}

/* Two on one interface cannot have the same queue. */
static void test_xdp_queue_has_one_reader(void)
{
    world w = open_world(1);
    const agw_io_config config = {.backend = agw_io_xdp(), .xdp = w.xdp, .worker = 0};
    CU_ASSERT_PTR_NULL(agw_io_open(&config));
    CU_ASSERT_EQUAL(errno, EBUSY);
    flow f;
    open_flow(&w, &f, 0);
    check_arrives(&f.port, &f.peer, RTP, true);
    close_flow(&f);
    close_world(&w);
}

/* In the child: holds the program and says so, until it is killed. */
static void hold_program(int tell)
{
    agw_xdp *xdp = NULL;
    const agw_addr address = {.family = AGW_FAMILY_IP4, .ip = {10, 0, 0, 1}};
    char why[200];
    const char ok = agw_xdp_open(&xdp, &address, 1, 1, why, sizeof why) == AGW_OK;
    if (write(tell, &ok, 1) == 1)
        pause();
    _exit(1);
}

static void test_xdp_program_goes_with_its_killed_process(void)
{
    world w = {.ours = -1};
    int told[2];
    char ok = 0;
    make_links(&w);
    CU_ASSERT_EQUAL_FATAL(pipe2(told, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0)
        hold_program(told[1]);
    close(told[1]);
    CU_ASSERT_EQUAL(read(told[0], &ok, 1), 1);
    CU_ASSERT_TRUE(ok);
    CU_ASSERT_NOT_EQUAL(program_on("g0"), 0);
    CU_ASSERT_EQUAL(kill(child, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    CU_ASSERT_EQUAL(program_on("g0"), 0);
    close(told[0]);
    close_world(&w);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_xdp_rfc7983_media_of_a_flow_comes_by_the_ring_all_else_not_ipv4),
    AGW_CASE(test_xdp_rfc7983_media_of_a_flow_comes_by_the_ring_all_else_not_ipv6),
    AGW_CASE(test_xdp_samples_tell_when_the_program_saw_them_ipv4),
    AGW_CASE(test_xdp_samples_tell_when_the_program_saw_them_ipv6),
    AGW_CASE(test_xdp_nothing_installed_comes_by_the_socket),
    AGW_CASE(test_xdp_each_port_gets_its_own),
    AGW_CASE(test_xdp_order_is_kept_when_a_flow_is_installed),
    AGW_CASE(test_xdp_sockets_alone_fill_a_batch),
    AGW_CASE(test_xdp_sockets_are_heard_beside_a_ring_that_never_runs_dry),
    AGW_CASE(test_xdp_workers_read_their_own_queue_the_kernel_the_others),
    AGW_CASE(test_xdp_one_worker_reads_all_queues),
    AGW_CASE(test_xdp_batches_leave_whole_and_in_order),
    AGW_CASE(test_xdp_not_installed_leaves_by_the_socket),
    AGW_CASE(test_xdp_a_batch_may_name_a_way_that_has_just_ended),
    AGW_CASE(test_xdp_every_5_s_a_packet_takes_the_socket),
    AGW_CASE(test_xdp_look_ups_of_many_ways_are_spread),
    AGW_CASE(test_xdp_two_ways_out_share_a_batch),
    AGW_CASE(test_xdp_rfc791_frames_may_be_cut_and_have_a_number),
    AGW_CASE(test_xdp_rfc8200_frames),
    AGW_CASE(test_xdp_rfc768_broken_checksum_is_dropped_and_counted_padding_is_cut_ipv4),
    AGW_CASE(test_xdp_rfc8200_8_1_broken_checksum_is_dropped_and_counted_padding_is_cut_ipv6),
    AGW_CASE(test_xdp_rfc791_fragments_arrive_by_the_socket),
    AGW_CASE(test_xdp_rfc791_longer_than_the_mtu_leaves_in_fragments),
    AGW_CASE(test_xdp_order_is_kept_around_what_a_ring_cannot_take),
    AGW_CASE(test_xdp_larger_mtu_than_frames),
    AGW_CASE(test_xdp_unknown_neighbour_is_asked_for_by_the_socket_ipv4),
    AGW_CASE(test_xdp_unknown_neighbour_is_asked_for_by_the_socket_ipv6),
    AGW_CASE(test_xdp_announced_new_mac_of_the_peer_is_followed),
    AGW_CASE(test_xdp_rfc4861_7_3_silent_new_mac_of_the_peer_is_found),
    AGW_CASE(test_xdp_our_new_mac_is_used),
    AGW_CASE(test_xdp_link_goes_down_and_comes_up),
    AGW_CASE(test_xdp_interface_vanishes),
    AGW_CASE(test_xdp_burst_is_received_in_order_or_counted),
    AGW_CASE(test_xdp_port_is_removed_while_its_packets_are_in_the_ring),
    AGW_CASE(test_xdp_backend_is_closed_with_frames_in_flight),
    AGW_CASE(test_xdp_program_is_there_while_open),
    AGW_CASE(test_xdp_addresses_on_no_ethernet_are_refused_with_the_reason),
    AGW_CASE(test_xdp_second_program_is_refused_the_first_stays),
    AGW_CASE(test_xdp_queue_has_one_reader),
    AGW_CASE(test_xdp_program_goes_with_its_killed_process),
};

/* NULL: nothing keeps these tests from running. */
static const char *obstacle(void)
{
    if (unshare(CLONE_NEWNET) != 0)
        return "no network namespace of its own (not root)";
    libbpf_set_print(NULL);
    if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) != 1)
        return "the kernel takes no XDP program (CAP_BPF, CAP_NET_ADMIN)";
    const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return "no AF_XDP sockets (CONFIG_XDP_SOCKETS, CAP_NET_RAW)";
    close(fd);
    if (!ip_commands("link add g0 type veth peer name p0\n"))
        return "no veth pair (ip of iproute2, CONFIG_VETH)";
    return NULL;
}

int main(void)
{
    const size_t n = sizeof CASES / sizeof CASES[0];
    const char *reason = obstacle();
    if (reason == NULL)
        return agw_unit_run("xdp", CASES, n);
    printf("SKIP test_xdp_*: %s\n0 passed, 0 failed, %zu skipped\n", reason, n);
    return 0;
}
