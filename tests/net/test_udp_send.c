/* SPDX-License-Identifier: BSD-3-Clause
 * net/udp_send: bursts of one stream leave in one message, whatever they are mixed with, and arrive
 * as they would one by one. On a loopback of its own with an MTU of 1280 bytes. */
#include "net/udp_send.h"

#include "loopback.h"
#include "namespaces.h"
#include "unit.h"

#include <netinet/udp.h>
#include <stdlib.h>

enum { MANY = 2 * AGW_PKT_BATCH, MTU = 1280 };

static agw_pkt *pool[MANY];
static agw_io *io;
static agw_port from;

static void begin(agw_family family)
{
    const agw_io_config config = {.tick_us = 0};
    io = agw_io_open(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(io);
    for (size_t i = 0; i < MANY; i++) {
        pool[i] = malloc(sizeof *pool[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pool[i]);
        agw_pkt_reset(pool[i]);
    }
    open_loopback(&from, family, true);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, &from), AGW_OK);
}

static void end(void)
{
    agw_io_remove(io, &from);
    agw_port_close(&from);
    agw_io_close(io);
    for (size_t i = 0; i < MANY; i++)
        free(pool[i]);
}

static void make(size_t i, const agw_port *to, size_t len)
{
    agw_pkt *pkt = pool[i];
    agw_pkt_reset(pkt);
    pkt->len = len;
    fill_payload(pkt->data, len, (uint32_t)i);
    pkt->port = &from;
    pkt->remote = to->local;
    pkt->tos = from.tos_now;
    pkt->verdict = AGW_FORWARD;
}

static bool arrives(const agw_port *to, size_t i, size_t len)
{
    uint8_t data[4096];
    return receive_plain(to->fd, data, sizeof data) == (ssize_t)len &&
           is_payload(data, len, (uint32_t)i);
}

static bool is_silent(const agw_port *to)
{
    uint8_t data[16];
    return recv(to->fd, data, sizeof data, MSG_DONTWAIT) < 0;
}

/* A receiver that takes messages as they were sent; the length of the next one, *piece of each of
 * its packets (0: it is one packet). */
static size_t receive_joined(const agw_port *to, uint16_t *piece)
{
    static uint8_t data[1 << 16];
    _Alignas(struct cmsghdr) uint8_t control[64];
    struct iovec iov = {data, sizeof data};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct pollfd p = {.fd = to->fd, .events = POLLIN};
    *piece = 0;
    const ssize_t len = poll(&p, 1, PATIENCE_MS) == 1 ? recvmsg(to->fd, &m, 0) : -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL && len >= 0; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
            memcpy(piece, CMSG_DATA(c), sizeof *piece);
    }
    return len >= 0 ? (size_t)len : 0;
}

static void check_joined(agw_family family)
{
    static const size_t LENGTHS[] = {1200, 1200, 1200, 700, 1200, 1200, 100, 100, 101, 60};
    static const struct {
        size_t len, piece;
    } MESSAGES[] = {{4300, 1200}, {2500, 1200}, {100, 0}, {161, 101}};
    enum { N = sizeof LENGTHS / sizeof LENGTHS[0] };
    agw_port to;
    const int on = 1;
    begin(family);
    open_loopback(&to, family, false);
    CU_ASSERT_EQUAL_FATAL(setsockopt(to.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on), 0);
    for (size_t i = 0; i < N; i++)
        make(i, &to, LENGTHS[i]);
    CU_ASSERT_EQUAL(agw_io_tx(io, pool, N), N);
    for (size_t i = 0; i < sizeof MESSAGES / sizeof MESSAGES[0]; i++) {
        uint16_t piece;
        CU_ASSERT_EQUAL(receive_joined(&to, &piece), MESSAGES[i].len);
        CU_ASSERT_EQUAL(piece, MESSAGES[i].piece);
    }
    CU_ASSERT_TRUE(is_silent(&to));
    CU_ASSERT_EQUAL(agw_counter_get(&from.tx_packets), N);
    agw_port_close(&to);
    end();
}

/* 1200 x 3 and the shorter one behind them; 1200 x 2 and the first 100; a 100 that is followed by a
 * longer one; 101 and 60. */
static void test_udp_send_burst_is_one_message_ipv4(void)
{
    check_joined(AGW_FAMILY_IP4);
}

static void test_udp_send_burst_is_one_message_ipv6(void)
{
    check_joined(AGW_FAMILY_IP6);
}

static void test_udp_send_mixed_batches_arrive_as_they_are(void)
{
    enum { RECEIVERS = 3, ROUNDS = 40 };
    static const uint8_t TOS[] = {0xb8, 0x88};
    agw_port to[RECEIVERS];
    unsigned wrong = 0;
    uint32_t seed = 7;
    begin(AGW_FAMILY_IP4);
    for (size_t r = 0; r < RECEIVERS; r++)
        open_loopback(&to[r], AGW_FAMILY_IP4, false);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t who[MANY], len[MANY];
        const size_t n = 1 + round * 31 % MANY;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            const bool goes_on = i > 0 && seed >> 28 < 12;
            who[i] = goes_on ? who[i - 1] : (seed >> 8) % RECEIVERS;
            len[i] = goes_on ? len[i - 1] : (seed >> 12) % 300;
            make(i, &to[who[i]], len[i]);
            pool[i]->tos = TOS[(seed >> 20) % 8 == 0];
        }
        wrong += agw_io_tx(io, pool, n) != n;
        for (size_t i = 0; i < n; i++)
            wrong += !arrives(&to[who[i]], i, len[i]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (size_t r = 0; r < RECEIVERS; r++) {
        CU_ASSERT_TRUE(is_silent(&to[r]));
        agw_port_close(&to[r]);
    }
    end();
}

/* The kernel splits no packets that it would have to fragment: one by one they go. */
static void test_udp_send_packets_beyond_the_mtu_go_one_by_one(void)
{
    enum { N = 20, LONG = MTU + 100 };
    agw_port to;
    begin(AGW_FAMILY_IP4);
    open_loopback(&to, AGW_FAMILY_IP4, false);
    for (size_t i = 0; i < N; i++)
        make(i, &to, i < 5 ? 200 : LONG);
    CU_ASSERT_EQUAL(agw_io_tx(io, pool, N), N);
    unsigned wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += !arrives(&to, i, i < 5 ? 200 : LONG);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_failed), 0);
    agw_port_close(&to);
    end();
}

/* A receiver that is gone costs its own packets only, and each of them is counted. */
static void test_udp_send_unreachable_network_is_counted_by_packet(void)
{
    enum { N = 12 };
    agw_port to, nowhere = {0};
    begin(AGW_FAMILY_IP4);
    open_loopback(&to, AGW_FAMILY_IP4, false);
    nowhere.local = ip("192.0.2.1"); /* no route in this namespace */
    nowhere.local.port = 9;
    for (size_t i = 0; i < N; i++)
        make(i, i / 4 == 1 ? &nowhere : &to, 160);
    CU_ASSERT_EQUAL(agw_io_tx(io, pool, N), N - 4);
    unsigned wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += i / 4 != 1 && !arrives(&to, i, 160);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(agw_counter_get(&from.tx_errors), 4);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_failed), 4);
    CU_ASSERT_EQUAL(agw_counter_get(&from.tx_packets), N - 4);
    agw_port_close(&to);
    end();
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_udp_send_burst_is_one_message_ipv4),
        AGW_CASE(test_udp_send_burst_is_one_message_ipv6),
        AGW_CASE(test_udp_send_mixed_batches_arrive_as_they_are),
        AGW_CASE(test_udp_send_packets_beyond_the_mtu_go_one_by_one),
        AGW_CASE(test_udp_send_unreachable_network_is_counted_by_packet),
    };
    const size_t n = sizeof cases / sizeof cases[0];
    if (unshare(CLONE_NEWNET) == 0 && ip_commands("link set lo up mtu %d\n", MTU))
        return agw_unit_run("udp_send", cases, n);
    printf("SKIP test_udp_send_*: no network namespace of its own (not root)\n"
           "0 passed, 0 failed, %zu skipped\n",
           n);
    return 0;
}
