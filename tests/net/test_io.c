/* SPDX-License-Identifier: BSD-3-Clause
 * The udp backend behind net/io.h, on loopback: bursts, order, contents, fairness, TOS, ICMP
 * errors, ports that go away, wake-ups. Every payload is checked byte by byte. */
#include "net/io.h"

#include "base/ring.h"
#include "loopback.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MANY = 300 };

static agw_pkt *pool[MANY];

static agw_io *open_io(uint32_t tick_us)
{
    const agw_io_config config = {.tick_us = tick_us};
    agw_io *io = agw_io_open(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(io);
    for (size_t i = 0; i < MANY; i++) {
        pool[i] = malloc(sizeof *pool[i]);
        if (pool[i] == NULL)
            abort();
        agw_pkt_reset(pool[i]);
    }
    return io;
}

static void close_io(agw_io *io)
{
    agw_io_close(io);
    for (size_t i = 0; i < MANY; i++)
        free(pool[i]);
}

static void add_loopback(agw_io *io, agw_port *port, agw_family family, bool shared)
{
    open_loopback(port, family, shared);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, port), AGW_OK);
    CU_ASSERT_NOT_EQUAL(port->id, 0);
}

static void drop_port(agw_io *io, agw_port *port)
{
    agw_io_remove(io, port);
    CU_ASSERT_EQUAL(port->id, 0);
    agw_port_close(port);
}

/* One receive that waits for as long as it takes. */
static size_t rx_some(agw_io *io, agw_pkt *pkts[], size_t n)
{
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    for (size_t got; agw_clock_now() < give_up;) {
        if ((got = agw_io_rx(io, pkts, n)) != 0)
            return got;
        agw_io_wait(io, agw_clock_now(), give_up);
    }
    return 0;
}

/* Until n packets are there; less only when something is broken. */
static size_t rx_all(agw_io *io, agw_pkt *pkts[], size_t n)
{
    size_t got = 0;
    for (size_t some; got < n; got += some) {
        some = rx_some(io, pkts + got, n - got < AGW_PKT_BATCH ? n - got : AGW_PKT_BATCH);
        if (some == 0)
            break;
    }
    return got;
}

static size_t length_of(uint32_t n)
{
    return 20 + n * 37 % 1500;
}

static void make(agw_pkt *pkt, agw_port *from, const agw_addr *to, uint32_t n)
{
    agw_pkt_reset(pkt);
    pkt->len = length_of(n);
    fill_payload(pkt->data, pkt->len, n);
    pkt->port = from;
    pkt->remote = *to;
    pkt->tos = from->tos_now;
    pkt->verdict = AGW_FORWARD;
}

static bool is_numbered(const agw_pkt *pkt, uint32_t n)
{
    return pkt->len == length_of(n) && !pkt->cut && is_payload(pkt->data, pkt->len, n) &&
           pkt->data == pkt->buf + AGW_PKT_HEADROOM && pkt->verdict == AGW_UNDECIDED;
}

/* The numbers of `pkts` in the order of arrival are first, first + 1 ...; returns how many not. */
static unsigned wrong_of(agw_pkt *const pkts[], size_t n, uint32_t first, const agw_port *at,
                         const agw_addr *from)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < n; i++)
        wrong += !is_numbered(pkts[i], first + (uint32_t)i) || pkts[i]->port != at ||
                 !agw_addr_equal(&pkts[i]->remote, from);
    return wrong;
}

static void check_burst(agw_family family)
{
    enum { BURST = 75 }; /* more than a batch; the smallest receive buffer holds it */
    agw_io *io = open_io(0);
    agw_port a, b;
    add_loopback(io, &a, family, true);
    add_loopback(io, &b, family, true);
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < BURST; i++)
            make(pool[i], &a, &b.local, round * BURST + i);
        CU_ASSERT_EQUAL(agw_io_tx(io, pool, BURST), BURST);
        /* The same memory is filled again at once: what was sent must have left it. */
        CU_ASSERT_EQUAL(rx_all(io, pool, BURST), BURST);
        CU_ASSERT_EQUAL(wrong_of(pool, BURST, round * BURST, &b, &a.local), 0);
        CU_ASSERT_EQUAL(agw_io_rx(io, pool, AGW_PKT_BATCH), 0);
    }
    CU_ASSERT_EQUAL(agw_counter_get(&a.tx_packets), 4 * (size_t)BURST);
    CU_ASSERT_EQUAL(agw_counter_get(&b.rx_packets), 4 * (size_t)BURST);
    CU_ASSERT_EQUAL(agw_counter_get(&io->rx_packets), 4 * (size_t)BURST);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_packets), 4 * (size_t)BURST);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_failed), 0);
    drop_port(io, &a);
    drop_port(io, &b);
    close_io(io);
}

static void test_io_burst_arrives_in_order_and_intact_ipv4(void)
{
    check_burst(AGW_FAMILY_IP4);
}

static void test_io_burst_arrives_in_order_and_intact_ipv6(void)
{
    check_burst(AGW_FAMILY_IP6);
}

/* A relay in place: what is received goes on from the same buffers, batch by batch. */
static void test_io_relay_in_place_keeps_contents(void)
{
    enum { TOTAL = 256 };
    agw_io *io = open_io(0);
    agw_port in, out, source, sink;
    add_loopback(io, &in, AGW_FAMILY_IP4, true);
    add_loopback(io, &out, AGW_FAMILY_IP6, false);
    open_loopback(&source, AGW_FAMILY_IP4, false);
    open_loopback(&sink, AGW_FAMILY_IP6, false);
    uint8_t data[2048];
    unsigned wrong = 0;
    for (uint32_t sent = 0, relayed = 0, seen = 0; seen < TOTAL && wrong == 0;) {
        for (int i = 0; i < 48; i++, sent++) {
            fill_payload(data, length_of(sent), sent);
            wrong += !send_plain(source.fd, &in.local, data, length_of(sent));
        }
        const size_t n = rx_all(io, pool, 48);
        wrong += n != 48;
        for (size_t i = 0; i < n; i++) {
            wrong += !is_numbered(pool[i], relayed++);
            pool[i]->port = &out;
            pool[i]->remote = sink.local;
            pool[i]->verdict = AGW_FORWARD;
        }
        wrong += agw_io_tx(io, pool, n) != n;
        for (size_t i = 0; i < n; i++, seen++)
            wrong += receive_plain(sink.fd, data, sizeof data) != (ssize_t)length_of(seen) ||
                     !is_payload(data, length_of(seen), seen);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    agw_port_close(&source);
    agw_port_close(&sink);
    drop_port(io, &in);
    drop_port(io, &out);
    close_io(io);
}

/* Three senders and three receivers mixed in one batch, some packets not to be sent. */
static void test_io_tx_keeps_order_per_port_and_skips_the_undecided(void)
{
    enum { EACH = 40, PORTS = 3 };
    agw_io *io = open_io(0);
    agw_port from[PORTS], to[PORTS];
    for (int p = 0; p < PORTS; p++) {
        add_loopback(io, &from[p], AGW_FAMILY_IP4, false);
        open_loopback(&to[p], AGW_FAMILY_IP4, false);
    }
    for (uint32_t i = 0; i < EACH * PORTS; i++) {
        const uint32_t p = i * 7 % PORTS;
        make(pool[i], &from[p], &to[p].local, i);
        if (i % 5 == 4)
            pool[i]->verdict = i % 2 == 0 ? AGW_DROP : AGW_CONSUMED;
    }
    pool[9]->port = NULL; /* of no importance: not to be sent */
    CU_ASSERT_EQUAL(agw_io_tx(io, pool, (size_t)EACH * PORTS), (size_t)EACH * PORTS * 4 / 5);
    unsigned wrong = 0;
    uint8_t data[2048];
    for (uint32_t i = 0; i < EACH * PORTS; i++) {
        if (i % 5 == 4)
            continue;
        const int fd = to[i * 7 % PORTS].fd;
        wrong += receive_plain(fd, data, sizeof data) != (ssize_t)length_of(i) ||
                 !is_payload(data, length_of(i), i);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(agw_io_tx(io, pool, 0), 0);
    for (int p = 0; p < PORTS; p++) {
        CU_ASSERT_EQUAL(recv(to[p].fd, data, sizeof data, MSG_DONTWAIT), -1);
        drop_port(io, &from[p]);
        agw_port_close(&to[p]);
    }
    close_io(io);
}

static void test_io_longer_than_the_packet_is_cut_and_said_so(void)
{
    static const size_t SIZES[] = {0, 1, AGW_PKT_MAX - 1, AGW_PKT_MAX, AGW_PKT_MAX + 1, 3000, 1};
    enum { N = sizeof SIZES / sizeof SIZES[0] };
    agw_io *io = open_io(0);
    agw_port port, peer;
    add_loopback(io, &port, AGW_FAMILY_IP4, true);
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    uint8_t data[3000];
    for (uint32_t i = 0; i < N; i++) {
        fill_payload(data, SIZES[i], i);
        CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, data, SIZES[i]));
    }
    CU_ASSERT_EQUAL_FATAL(rx_all(io, pool, N), N);
    for (uint32_t i = 0; i < N; i++) {
        const bool cut = SIZES[i] > AGW_PKT_MAX;
        CU_ASSERT_EQUAL(pool[i]->cut, cut);
        CU_ASSERT_EQUAL(pool[i]->len, cut ? AGW_PKT_MAX : SIZES[i]);
        if (!cut)
            CU_ASSERT_TRUE(is_payload(pool[i]->data, pool[i]->len, i));
    }
    CU_ASSERT_TRUE(agw_pkt_room(pool[3]) == AGW_PKT_TAILROOM);
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

/* The TOS byte of the next datagram, -1 when there is none. */
static int received_tos(int fd)
{
    _Alignas(struct cmsghdr) uint8_t control[64];
    uint8_t data[16];
    struct iovec iov = {data, sizeof data};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, PATIENCE_MS) != 1 || recvmsg(fd, &m, 0) < 0)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
        int tos;
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
            return *CMSG_DATA(c);
        if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_TCLASS)
            continue;
        memcpy(&tos, CMSG_DATA(c), sizeof tos);
        return tos;
    }
    return -1;
}

static void check_tos(agw_family family)
{
    static const uint8_t WANTED[] = {0, 0xb8, 0x88, 0xb8, 0x02, 0, 0x88};
    enum { N = sizeof WANTED };
    agw_io *io = open_io(0);
    agw_port port, peer;
    add_loopback(io, &port, family, false);
    open_loopback(&peer, family, false);
    const int on = 1;
    const int level = family == AGW_FAMILY_IP6 ? IPPROTO_IPV6 : IPPROTO_IP;
    const int option = family == AGW_FAMILY_IP6 ? IPV6_RECVTCLASS : IP_RECVTOS;
    CU_ASSERT_EQUAL(setsockopt(peer.fd, level, option, &on, sizeof on), 0);
    for (int round = 0; round < 2; round++) { /* the socket's own value: 0, then 0x88 */
        for (uint32_t i = 0; i < N; i++) {
            make(pool[i], &port, &peer.local, i);
            pool[i]->len = 8;
            pool[i]->tos = WANTED[i];
        }
        CU_ASSERT_EQUAL(agw_io_tx(io, pool, N), N);
        for (uint32_t i = 0; i < N; i++)
            CU_ASSERT_EQUAL(received_tos(peer.fd), WANTED[i]);
        CU_ASSERT_EQUAL(agw_port_set_tos(&port, 0x88), AGW_OK);
        CU_ASSERT_EQUAL(port.tos_now, 0x88);
    }
    CU_ASSERT_TRUE(send_plain(port.fd, &peer.local, "x", 1));
    CU_ASSERT_EQUAL(received_tos(peer.fd), 0x88);
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

static void test_io_tos_of_each_packet_reaches_the_wire_ipv4(void)
{
    check_tos(AGW_FAMILY_IP4);
}

static void test_io_tos_of_each_packet_reaches_the_wire_ipv6(void)
{
    check_tos(AGW_FAMILY_IP6);
}

/* A port that was asked tells with what byte each packet came, alone or in a burst, and one that
 * was parked meanwhile does not. */
static void check_received_tos(agw_family family, bool shared)
{
    static const uint8_t SENT[] = {0xb8, 0x88, 0x03, 0, 0xb9};
    enum { N = sizeof SENT };
    agw_io *io = open_io(0);
    agw_port port, peer;
    add_loopback(io, &port, family, shared);
    open_loopback(&peer, family, false);
    for (int asked = 0; asked < 2; asked++) {
        if (asked)
            CU_ASSERT_EQUAL(agw_port_want_tos(&port), AGW_OK);
        for (size_t burst = 1; burst <= N; burst += N - 1) {
            for (size_t i = 0; i < burst; i++) {
                CU_ASSERT_EQUAL(agw_port_set_tos(&peer, SENT[i]), AGW_OK);
                CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, "x", 1));
            }
            CU_ASSERT_EQUAL_FATAL(rx_all(io, pool, burst), burst);
            for (size_t i = 0; i < burst; i++)
                CU_ASSERT_EQUAL(pool[i]->tos, asked ? SENT[i] : 0);
        }
    }
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

static void test_io_tos_of_received_packets_is_told_when_asked_for(void)
{
    check_received_tos(AGW_FAMILY_IP4, false);
    check_received_tos(AGW_FAMILY_IP4, true);
    check_received_tos(AGW_FAMILY_IP6, false);
    check_received_tos(AGW_FAMILY_IP6, true);
}

static agw_addr nobodys(agw_family family)
{
    agw_port closed;
    open_loopback(&closed, family, false);
    const agw_addr local = closed.local;
    agw_port_close(&closed);
    return local;
}

/* Every second datagram goes to a port that refuses; those between must all arrive. */
static void check_refused(agw_family family, uint8_t type, uint8_t code)
{
    enum { N = 40 };
    agw_io *io = open_io(0);
    agw_port port, peer;
    add_loopback(io, &port, family, false);
    open_loopback(&peer, family, false);
    const agw_addr dead = nobodys(family);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N; i++)
            make(pool[i], &port, i % 2 == 0 ? &dead : &peer.local, i);
        const uint32_t step = round == 0 ? N : (uint32_t)round; /* at once, one by one, in twos */
        for (uint32_t i = 0; i < N; i += step)
            CU_ASSERT_EQUAL(agw_io_tx(io, pool + i, step), step);
        uint8_t data[2048];
        unsigned wrong = 0;
        for (uint32_t i = 1; i < N; i += 2)
            wrong += receive_plain(peer.fd, data, sizeof data) != (ssize_t)length_of(i) ||
                     !is_payload(data, length_of(i), i);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    CU_ASSERT_EQUAL(agw_counter_get(&port.tx_packets), 3 * (size_t)N);
    CU_ASSERT_EQUAL(agw_counter_get(&port.tx_errors), 0);
    CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, "x", 1)); /* it can still receive, too */
    CU_ASSERT_EQUAL(rx_all(io, pool, 1), 1);
    agw_port *told = NULL;
    for (const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
         (told = agw_io_take_icmp(io)) == NULL && agw_clock_now() < give_up;) {
        agw_io_wait(io, agw_clock_now(), give_up);
        (void)agw_io_rx(io, pool, AGW_PKT_BATCH);
    }
    CU_ASSERT_PTR_EQUAL_FATAL(told, &port);
    CU_ASSERT_TRUE(agw_counter_get(&port.icmp_errors) > 0);
    CU_ASSERT_TRUE(agw_addr_equal(&port.icmp.remote, &dead));
    CU_ASSERT_EQUAL(port.icmp.type, type);
    CU_ASSERT_EQUAL(port.icmp.code, code);
    CU_ASSERT_TRUE(port.icmp.at != 0);
    CU_ASSERT_PTR_NULL(agw_io_take_icmp(io));
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

static void test_io_rfc792_port_unreachable_never_stops_sending(void)
{
    check_refused(AGW_FAMILY_IP4, 3, 3);
}

static void test_io_rfc4443_3_1_port_unreachable_never_stops_sending(void)
{
    check_refused(AGW_FAMILY_IP6, 1, 4);
}

/* Sends to a refusing port and reads until the error has been noted. */
static void provoke_icmp(agw_io *io, agw_port *port, const agw_addr *dead)
{
    const uint64_t before = agw_counter_get(&port->icmp_errors);
    CU_ASSERT_TRUE(send_plain(port->fd, dead, "x", 1));
    const agw_ns give_up = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_counter_get(&port->icmp_errors) == before && agw_clock_now() < give_up) {
        agw_io_wait(io, agw_clock_now(), give_up);
        CU_ASSERT_EQUAL(agw_io_rx(io, pool, AGW_PKT_BATCH), 0);
    }
}

static void test_io_removed_port_is_not_told_of(void)
{
    agw_io *io = open_io(0);
    agw_port ports[3];
    const agw_addr dead = nobodys(AGW_FAMILY_IP4);
    for (int i = 0; i < 3; i++) {
        add_loopback(io, &ports[i], AGW_FAMILY_IP4, false);
        provoke_icmp(io, &ports[i], &dead);
    }
    provoke_icmp(io, &ports[2], &dead); /* twice: in the list once */
    drop_port(io, &ports[1]);
    CU_ASSERT_PTR_EQUAL(agw_io_take_icmp(io), &ports[2]);
    CU_ASSERT_PTR_EQUAL(agw_io_take_icmp(io), &ports[0]);
    CU_ASSERT_PTR_NULL(agw_io_take_icmp(io));
    CU_ASSERT_EQUAL(agw_counter_get(&io->icmp_errors), 4);
    drop_port(io, &ports[0]);
    drop_port(io, &ports[2]);
    close_io(io);
}

/* Ports vanish, memory and all, while they stand in the list of ready ports. */
static void test_io_remove_while_ready(void)
{
    enum { PORTS = 6, EACH = 3 };
    agw_io *io = open_io(0);
    agw_port *ports[PORTS], peer;
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    for (int i = 0; i < PORTS; i++) {
        ports[i] = calloc(1, sizeof *ports[i]);
        add_loopback(io, ports[i], AGW_FAMILY_IP4, false);
        for (int k = 0; k < EACH; k++)
            CU_ASSERT_TRUE(send_plain(peer.fd, &ports[i]->local, "x", 1));
    }
    CU_ASSERT_EQUAL(rx_some(io, pool, 1), 1); /* the list of all is inside, one is being read */
    const agw_port *reading = pool[0]->port;
    unsigned left = 0;
    for (int i = 0; i < PORTS; i++) {
        if (ports[i] != reading && i % 2 == 0) {
            left += EACH;
            continue;
        }
        drop_port(io, ports[i]);
        free(ports[i]);
        ports[i] = NULL;
    }
    for (unsigned got = 0; got < left; got++) {
        CU_ASSERT_EQUAL_FATAL(rx_some(io, pool, 1), 1);
        bool known = false;
        for (int i = 0; i < PORTS; i++)
            known = known || (ports[i] != NULL && pool[0]->port == ports[i]);
        CU_ASSERT_TRUE_FATAL(known);
    }
    CU_ASSERT_EQUAL(agw_io_rx(io, pool, AGW_PKT_BATCH), 0);
    for (int i = 0; i < PORTS; i++) {
        if (ports[i] != NULL)
            drop_port(io, ports[i]);
        free(ports[i]);
    }
    agw_port_close(&peer);
    close_io(io);
}

static void test_io_flooded_shared_port_starves_no_stream(void)
{
    enum { STREAMS = 10, FLOOD = 190 };
    agw_io *io = open_io(0);
    agw_port shared, streams[STREAMS], peer;
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    add_loopback(io, &shared, AGW_FAMILY_IP4, true);
    for (int i = 0; i < STREAMS; i++)
        add_loopback(io, &streams[i], AGW_FAMILY_IP4, false);
    for (int i = 0; i < FLOOD; i++)
        CU_ASSERT_TRUE(send_plain(peer.fd, &shared.local, "x", 1));
    for (int i = 0; i < STREAMS; i++)
        CU_ASSERT_TRUE(send_plain(peer.fd, &streams[i].local, "x", 1));
    unsigned heard = 0, batches = 0;
    for (; heard < STREAMS && batches < 20; batches++) {
        const size_t n = rx_some(io, pool, AGW_PKT_BATCH);
        for (size_t i = 0; i < n; i++)
            heard += !pool[i]->port->shared;
        for (size_t i = 0; i < n; i++) /* the flood goes on */
            CU_ASSERT_TRUE(send_plain(peer.fd, &shared.local, "x", 1));
    }
    CU_ASSERT_EQUAL(heard, STREAMS);
    CU_ASSERT_TRUE(batches <= 4);
    for (int i = 0; i < STREAMS; i++)
        drop_port(io, &streams[i]);
    drop_port(io, &shared);
    agw_port_close(&peer);
    close_io(io);
}

/* With one place per read every port has its turn, too: quota by quota. */
static void test_io_flooded_stream_starves_no_other(void)
{
    agw_io *io = open_io(0);
    agw_port loud, quiet, peer;
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    add_loopback(io, &loud, AGW_FAMILY_IP4, false);
    add_loopback(io, &quiet, AGW_FAMILY_IP4, false);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_TRUE(send_plain(peer.fd, &loud.local, "x", 1));
    CU_ASSERT_TRUE(send_plain(peer.fd, &quiet.local, "x", 1));
    unsigned before = 0;
    while (before < 100 && rx_some(io, pool, 1) == 1 && pool[0]->port != &quiet)
        before++;
    CU_ASSERT_TRUE(before <= 8);
    drop_port(io, &loud);
    drop_port(io, &quiet);
    agw_port_close(&peer);
    close_io(io);
}

/* More ports ready than one look of epoll returns. */
static void test_io_more_ready_ports_than_a_pass(void)
{
    enum { PORTS = 290 };
    static agw_port ports[PORTS];
    agw_io *io = open_io(0);
    agw_port peer;
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    for (int i = 0; i < PORTS; i++) {
        add_loopback(io, &ports[i], AGW_FAMILY_IP4, false);
        CU_ASSERT_TRUE(send_plain(peer.fd, &ports[i].local, "x", 1));
    }
    CU_ASSERT_EQUAL(rx_all(io, pool, PORTS), PORTS);
    CU_ASSERT_EQUAL(agw_io_rx(io, pool, 1), 0);
    for (int i = 0; i < PORTS; i++) {
        CU_ASSERT_EQUAL(agw_counter_get(&ports[i].rx_packets), 1);
        drop_port(io, &ports[i]);
    }
    agw_port_close(&peer);
    close_io(io);
}

static void test_io_ids_are_never_zero_nor_repeated(void)
{
    agw_io *io = open_io(0);
    agw_port a, b;
    add_loopback(io, &a, AGW_FAMILY_IP4, false);
    const uint32_t first = a.id;
    add_loopback(io, &b, AGW_FAMILY_IP4, false);
    CU_ASSERT_NOT_EQUAL(b.id, first);
    agw_io_remove(io, &a);
    CU_ASSERT_EQUAL(agw_io_add(io, &a), AGW_OK);
    CU_ASSERT_TRUE(a.id != first && a.id != b.id && a.id != 0);
    io->last_id = UINT32_MAX;
    CU_ASSERT_NOT_EQUAL(agw_io_new_id(io), 0);
    drop_port(io, &a);
    drop_port(io, &b);
    close_io(io);
}

static void test_io_kernel_drops_are_counted(void)
{
    agw_io *io = open_io(0);
    agw_port port, peer;
    const agw_port_config config = {.local = loopback(AGW_FAMILY_IP4), .buffer_bytes = 4096};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(&port, &config), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, &port), AGW_OK);
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    uint8_t data[1000] = {0};
    uint64_t kept = 0;
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < 50; i++)
            CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, data, sizeof data));
        kept += rx_some(io, pool, AGW_PKT_BATCH);
        for (int i = 0; i < 3; i++) /* tell of those before, once more than one is read */
            CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, "x", 1));
        CU_ASSERT_EQUAL(rx_all(io, pool, 3), 3);
        CU_ASSERT_EQUAL(agw_counter_get(&port.rx_drops), 50 * (uint64_t)round - kept);
    }
    CU_ASSERT_TRUE(agw_counter_get(&port.rx_drops) > 0);
    CU_ASSERT_EQUAL(agw_counter_get(&io->rx_drops), agw_counter_get(&port.rx_drops));
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

enum { SAMPLED_COUNT = 70, SAMPLED_LINGER_MS = 20 };

/* They stand in the socket for a while before they are read: the stamp tells of their arrival.
 * `number` counts the packets of earlier rounds. True when every stamp lies where it must. */
static bool stamps_are_near(agw_io *io, const agw_port *port, int fd, size_t number)
{
    const agw_ns linger = AGW_MS(SAMPLED_LINGER_MS);
    const agw_ns before = agw_clock_now();
    for (uint32_t i = 0; i < SAMPLED_COUNT; i++)
        CU_ASSERT_TRUE(send_plain(fd, &port->local, "x", 1));
    const agw_ns after = agw_clock_now();
    while (agw_clock_now() < after + linger)
        continue;
    CU_ASSERT_EQUAL(rx_all(io, pool, SAMPLED_COUNT), SAMPLED_COUNT);
    bool near = true;
    for (size_t i = 0; i < SAMPLED_COUNT; i++) {
        const agw_ns at = pool[i]->arrived_at;
        const bool is_sample = port->sampled != 0 && (number + i) % port->sampled == 0;
        CU_ASSERT_EQUAL(at != 0, is_sample);
        near &= !is_sample || (at >= before - linger && at < after + linger);
    }
    return near;
}

/* The stamp is of another clock, which somebody may set, and we may be held up while both are
 * read: three rounds of ten must be right. */
static void check_samples(bool shared, uint8_t sampled)
{
    agw_io *io = open_io(0);
    agw_port port, peer;
    const agw_port_config config = {
        .local = loopback(AGW_FAMILY_IP4), .shared = shared, .sampled = sampled};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(&port, &config), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, &port), AGW_OK);
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    size_t right = 0;
    for (size_t round = 0; round < 10 && right < 3; round++)
        right += stamps_are_near(io, &port, peer.fd, round * SAMPLED_COUNT);
    CU_ASSERT_EQUAL(right, 3);
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

static void test_io_samples_tell_when_the_kernel_received_them(void)
{
    check_samples(true, AGW_PORT_SAMPLED_SHARED);
    check_samples(false, AGW_PORT_SAMPLED_SHARED);
    check_samples(false, 0);
}

/* The one that brings the number of drops is a sample there; nothing is lost of the number. */
static void test_io_kernel_drops_of_a_sampled_port_show_with_a_sample(void)
{
    agw_io *io = open_io(0);
    agw_port port, peer;
    const agw_port_config config = {.local = loopback(AGW_FAMILY_IP4),
                                    .sampled = AGW_PORT_SAMPLED_SHARED,
                                    .buffer_bytes = 4096};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(&port, &config), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, &port), AGW_OK);
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    uint8_t data[1000] = {0};
    for (int i = 0; i < 50; i++)
        CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, data, sizeof data));
    const size_t kept = rx_some(io, pool, AGW_PKT_BATCH);
    CU_ASSERT_TRUE(kept > 0 && kept < 50);
    for (int i = 0; i < AGW_PORT_SAMPLED_SHARED; i++) {
        CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, "x", 1));
        CU_ASSERT_EQUAL(rx_all(io, pool, 1), 1);
    }
    CU_ASSERT_EQUAL(agw_counter_get(&port.rx_drops), 50 - kept);
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

/* A datagram that cannot go is counted by its reason and takes no other with it. */
static void test_io_unsendable_datagrams_are_counted_and_passed_over(void)
{
    agw_io *io = open_io(0);
    agw_port port, peer;
    add_loopback(io, &port, AGW_FAMILY_IP6, false);
    open_loopback(&peer, AGW_FAMILY_IP6, false);
    const int on = 1, mtu = 1280;
    CU_ASSERT_EQUAL(setsockopt(port.fd, IPPROTO_IPV6, IPV6_MTU, &mtu, sizeof mtu), 0);
    CU_ASSERT_EQUAL(setsockopt(port.fd, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof on), 0);
    for (uint32_t i = 0; i < 10; i++) {
        make(pool[i], &port, &peer.local, i);
        pool[i]->len = 100;
    }
    pool[0]->len = pool[4]->len = pool[9]->len = 1500; /* does not fit */
    pool[6]->remote = (agw_addr){0};                   /* nowhere */
    pool[7]->remote.port = 0;
    CU_ASSERT_EQUAL(agw_io_tx(io, pool, 10), 5);
    CU_ASSERT_EQUAL(agw_counter_get(&port.tx_packets), 5);
    CU_ASSERT_EQUAL(agw_counter_get(&port.tx_long), 3);
    CU_ASSERT_EQUAL(agw_counter_get(&port.tx_errors), 2);
    CU_ASSERT_EQUAL(agw_counter_get(&port.tx_busy), 0);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_failed), 5);
    uint8_t data[2048];
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(receive_plain(peer.fd, data, sizeof data), 100);
    CU_ASSERT_EQUAL(recv(peer.fd, data, sizeof data, MSG_DONTWAIT), -1);
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

/* What a worker makes itself counts as what comes, and what may be late takes part in the tick. */
static void test_io_wait_is_paced_when_much_is_made(void)
{
    agw_io *io = open_io(AGW_IO_TICK_US);
    const agw_ns now = agw_clock_now(), then = now + AGW_MS(10); /* in the same window */
    io->lazy_deadline = now + AGW_MS(2);
    agw_io_wait(io, now, AGW_NEVER);
    CU_ASSERT_EQUAL(agw_counter_get(&io->paced_waits), 0);
    CU_ASSERT_TRUE(agw_clock_now() >= io->lazy_deadline);
    io->lazy_deadline = now;
    io->packets = 100;
    agw_io_wait(io, then, AGW_NEVER);
    CU_ASSERT_EQUAL(io->packets, 0);
    CU_ASSERT_EQUAL(agw_counter_get(&io->paced_waits), 1);
    CU_ASSERT_TRUE(agw_clock_now() > then);
    close_io(io);
}

static void test_io_wait_ends_at_the_deadline_and_not_before(void)
{
    agw_io *io = open_io(0);
    for (agw_ns wait = AGW_US(100); wait <= AGW_MS(3); wait *= 5) {
        const agw_ns start = agw_clock_now();
        agw_io_wait(io, start, start + wait);
        const agw_ns took = agw_clock_now() - start;
        CU_ASSERT_TRUE(took >= wait - AGW_US(50) && took < AGW_S(2));
    }
    const agw_ns start = agw_clock_now();
    agw_io_wait(io, start, start - AGW_S(5)); /* long over */
    CU_ASSERT_TRUE(agw_clock_now() - start < AGW_S(2));
    CU_ASSERT_EQUAL(agw_io_rx(io, pool, 1), 0);
    close_io(io);
}

/* The same moment again and again: the window never ends, so that 100 packets decide. They are few:
 * the tick is the longer one. */
static void test_io_wait_is_paced_when_packets_come_often(void)
{
    const agw_ns tick = AGW_US(AGW_IO_TICK_US) + AGW_US(AGW_IO_TICK_US) / 3;
    agw_io *io = open_io(AGW_IO_TICK_US);
    agw_port port, peer;
    add_loopback(io, &port, AGW_FAMILY_IP4, true);
    open_loopback(&peer, AGW_FAMILY_IP4, false);
    const agw_ns now = agw_clock_now();
    agw_io_wait(io, now, now);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, "x", 1));
    for (size_t got = 0; got < 100; got += agw_io_rx(io, pool, AGW_PKT_BATCH))
        ;
    CU_ASSERT_EQUAL(agw_counter_get(&io->paced_waits), 0);
    agw_io_wait(io, now, AGW_NEVER);
    CU_ASSERT_EQUAL(agw_counter_get(&io->paced_waits), 1);
    CU_ASSERT_TRUE(agw_clock_now() >= now - now % tick + tick);
    CU_ASSERT_TRUE(send_plain(peer.fd, &port.local, "x", 1));
    CU_ASSERT_EQUAL(agw_io_rx(io, pool, AGW_PKT_BATCH), 1); /* found without another wait */
    agw_io_wake(io);
    agw_io_wait(io, now, AGW_NEVER); /* paced: the wake-up is taken, too */
    agw_port_close(&peer);
    drop_port(io, &port);
    close_io(io);
}

static void test_io_wake_before_wait_is_not_lost(void)
{
    agw_io *io = open_io(0);
    const agw_ns start = agw_clock_now();
    for (int i = 0; i < 3; i++) {
        agw_io_wake(io);
        agw_io_wake(io);
        CU_ASSERT_EQUAL(agw_io_rx(io, pool, 1), 0); /* looking at sockets does not take it */
        agw_io_wait(io, agw_clock_now(), start + AGW_MS(PATIENCE_MS));
    }
    CU_ASSERT_TRUE(agw_clock_now() - start < AGW_MS(PATIENCE_MS));
    const agw_ns again = agw_clock_now();
    agw_io_wait(io, again, again + AGW_MS(1)); /* taken: this one waits to its deadline */
    CU_ASSERT_TRUE(agw_clock_now() >= again + AGW_US(900));
    close_io(io);
}

typedef struct sender {
    agw_io *io;
    agw_ring *mailbox;
    unsigned *numbers;
} sender;

enum { MESSAGES = 3000 };

static void *send_messages(void *arg)
{
    const sender *s = arg;
    for (unsigned i = 0; i < MESSAGES; i++) {
        s->numbers[i] = i;
        while (!agw_ring_push(s->mailbox, &s->numbers[i]))
            agw_io_wake(s->io);
        agw_io_wake(s->io);
    }
    return NULL;
}

/* A worker that sleeps without deadline gets every message: no wake-up falls between the looks. */
static void check_mailbox(uint32_t tick_us, agw_ns patience)
{
    agw_io *io = open_io(tick_us);
    agw_ring *mailbox = agw_ring_new(16);
    unsigned *numbers = calloc(MESSAGES, sizeof *numbers);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mailbox);
    CU_ASSERT_PTR_NOT_NULL_FATAL(numbers);
    sender s = {io, mailbox, numbers};
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, send_messages, &s), 0);
    unsigned got = 0, wrong = 0, late = 0;
    while (got < MESSAGES && late == 0) {
        const agw_ns start = agw_clock_now();
        agw_io_wait(io, start, start + patience);
        late += agw_clock_now() - start >= patience;
        for (const unsigned *number; (number = agw_ring_pop(mailbox)) != NULL; got++)
            wrong += *number != got;
        (void)agw_io_rx(io, pool, 1);
    }
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(got, MESSAGES);
    CU_ASSERT_EQUAL(wrong, 0);
    agw_ring_free(mailbox);
    free(numbers);
    close_io(io);
}

static void test_io_wake_from_another_thread_is_never_lost(void)
{
    check_mailbox(0, AGW_S(30));
    check_mailbox(AGW_IO_TICK_US, AGW_S(30));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_io_burst_arrives_in_order_and_intact_ipv4),
    AGW_CASE(test_io_burst_arrives_in_order_and_intact_ipv6),
    AGW_CASE(test_io_relay_in_place_keeps_contents),
    AGW_CASE(test_io_tx_keeps_order_per_port_and_skips_the_undecided),
    AGW_CASE(test_io_longer_than_the_packet_is_cut_and_said_so),
    AGW_CASE(test_io_tos_of_each_packet_reaches_the_wire_ipv4),
    AGW_CASE(test_io_tos_of_each_packet_reaches_the_wire_ipv6),
    AGW_CASE(test_io_tos_of_received_packets_is_told_when_asked_for),
    AGW_CASE(test_io_rfc792_port_unreachable_never_stops_sending),
    AGW_CASE(test_io_rfc4443_3_1_port_unreachable_never_stops_sending),
    AGW_CASE(test_io_removed_port_is_not_told_of),
    AGW_CASE(test_io_remove_while_ready),
    AGW_CASE(test_io_flooded_shared_port_starves_no_stream),
    AGW_CASE(test_io_flooded_stream_starves_no_other),
    AGW_CASE(test_io_more_ready_ports_than_a_pass),
    AGW_CASE(test_io_ids_are_never_zero_nor_repeated),
    AGW_CASE(test_io_kernel_drops_are_counted),
    AGW_CASE(test_io_samples_tell_when_the_kernel_received_them),
    AGW_CASE(test_io_kernel_drops_of_a_sampled_port_show_with_a_sample),
    AGW_CASE(test_io_unsendable_datagrams_are_counted_and_passed_over),
    AGW_CASE(test_io_wait_ends_at_the_deadline_and_not_before),
    AGW_CASE(test_io_wait_is_paced_when_packets_come_often),
    AGW_CASE(test_io_wait_is_paced_when_much_is_made),
    AGW_CASE(test_io_wake_before_wait_is_not_lost),
    AGW_CASE(test_io_wake_from_another_thread_is_never_lost),
};

AGW_UNIT_MAIN("io", CASES)
