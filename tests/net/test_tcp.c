/* SPDX-License-Identifier: BSD-3-Clause
 * net/tcp: real connections on loopback, read and written through the I/O as a worker does. */
#include "net/tcp.h"

#include "base/wire.h"
#include "loopback.h"
#include "net/framer.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { POOL = AGW_PKT_BATCH };

static agw_pkt *pool[POOL];
static agw_io *io;
static agw_port port;

static void begin(const agw_tcp_config *limits)
{
    const agw_io_config config = {.tick_us = 0};
    agw_tcp_config tcp = *limits;
    io = agw_io_open(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(io);
    if (tcp.local.family == AGW_FAMILY_NONE)
        tcp.local = loopback(AGW_FAMILY_IP4);
    CU_ASSERT_EQUAL_FATAL(agw_tcp_open(&port, &tcp), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_io_add(io, &port), AGW_OK);
    for (size_t i = 0; i < POOL; i++) {
        pool[i] = malloc(sizeof *pool[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pool[i]);
    }
}

static void end(void)
{
    agw_io_remove(io, &port);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.open), 0);
    agw_port_close(&port);
    agw_io_close(io);
    for (size_t i = 0; i < POOL; i++)
        free(pool[i]);
}

static const agw_tcp_config DEFAULTS;

/* ---- peers ---- */

/* 127.0.0.host, or ::1 */
static int dial_from(uint8_t host)
{
    agw_addr local = loopback((agw_family)port.local.family);
    struct sockaddr_storage sa;
    if (local.family == AGW_FAMILY_IP4)
        local.ip[3] = host;
    socklen_t len = agw_addr_to_sockaddr(&local, &sa);
    const int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_TRUE_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0);
    len = agw_addr_to_sockaddr(&port.local, &sa);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static int dial(void)
{
    return dial_from(1);
}

static void say(int fd, const void *bytes, size_t len)
{
    CU_ASSERT_EQUAL_FATAL(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void say_packet(int fd, uint32_t n, size_t len)
{
    uint8_t framed[AGW_FRAMER_HEAD + 4096];
    agw_put16(framed, (uint16_t)len);
    fill_payload(framed + AGW_FRAMER_HEAD, len, n);
    say(fd, framed, AGW_FRAMER_HEAD + len);
}

/* -1: it ended first. */
static int hear_bytes(int fd, uint8_t *out, size_t len)
{
    for (size_t at = 0; at < len;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, PATIENCE_MS) != 1)
            return -1;
        const ssize_t n = recv(fd, out + at, len - at, 0);
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

/* Length of the next packet, -1 when the connection ends or nothing comes. */
static int hear(int fd, uint8_t *out)
{
    uint8_t head[AGW_FRAMER_HEAD];
    if (hear_bytes(fd, head, sizeof head) != 0)
        return -1;
    const int len = agw_get16(head);
    return hear_bytes(fd, out, (size_t)len) == 0 ? len : -1;
}

static bool has_ended(int fd)
{
    char byte;
    const ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* ---- the worker's part ---- */

/* One wait at most, then everything that is there, up to n packets. */
static size_t take(size_t n)
{
    size_t got = agw_io_rx(io, pool, n);
    if (got == 0) {
        agw_io_wait(io, agw_clock_now(), agw_clock_now() + AGW_MS(20));
        got = agw_io_rx(io, pool, n);
    }
    return got;
}

static void finish_batch(void)
{
    (void)agw_io_tx(io, pool, 0);
}

static size_t await(size_t n)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    size_t got = 0;
    while (got == 0 && agw_clock_now() < until)
        got = take(n);
    return got;
}

static bool await_count(const agw_counter *counter, uint64_t n)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_counter_get(counter) != n && agw_clock_now() < until) {
        (void)take(POOL);
        finish_batch();
    }
    return agw_counter_get(counter) == n;
}

/* A connection that has proved itself with packet 0; its address in *remote. */
static int dial_and_prove(agw_addr *remote)
{
    const int fd = dial();
    say_packet(fd, 0, 40);
    CU_ASSERT_EQUAL_FATAL(await(POOL), 1);
    *remote = pool[0]->remote;
    agw_tcp_keep(&port, remote);
    finish_batch();
    return fd;
}

static size_t send_packet(const agw_addr *remote, uint32_t n, size_t len)
{
    agw_pkt *pkt = pool[0];
    agw_pkt_reset(pkt);
    pkt->len = len;
    fill_payload(pkt->data, len, n);
    pkt->port = &port;
    pkt->remote = *remote;
    pkt->verdict = AGW_FORWARD;
    return agw_io_tx(io, pool, 1);
}

/* ---- packets ---- */

static void check_both_ways(agw_family family)
{
    const agw_tcp_config config = {.local = loopback(family)};
    uint8_t data[4096];
    agw_addr remote;
    begin(&config);
    const int fd = dial_and_prove(&remote);
    CU_ASSERT_EQUAL(remote.family, family);
    say_packet(fd, 1, 172);
    CU_ASSERT_EQUAL_FATAL(await(POOL), 1);
    CU_ASSERT_PTR_EQUAL(pool[0]->port, &port);
    CU_ASSERT_TRUE(agw_addr_equal(&pool[0]->remote, &remote));
    CU_ASSERT_TRUE(pool[0]->len == 172 && is_payload(pool[0]->data, 172, 1));
    finish_batch();
    CU_ASSERT_EQUAL(send_packet(&remote, 2, 300), 1);
    CU_ASSERT_TRUE(hear(fd, data) == 300 && is_payload(data, 300, 2));
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.open), 1);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.accepted), 1);
    close(fd);
    end();
}

static void test_tcp_rfc4571_2_packets_both_ways(void)
{
    check_both_ways(AGW_FAMILY_IP4);
    check_both_ways(AGW_FAMILY_IP6);
}

static void test_tcp_packet_comes_byte_by_byte(void)
{
    uint8_t framed[AGW_FRAMER_HEAD + 20];
    agw_addr remote;
    begin(&DEFAULTS);
    const int fd = dial_and_prove(&remote);
    agw_put16(framed, 20);
    fill_payload(framed + AGW_FRAMER_HEAD, 20, 7);
    for (size_t i = 0; i + 1 < sizeof framed; i++) {
        say(fd, framed + i, 1);
        CU_ASSERT_EQUAL(take(POOL), 0);
        finish_batch();
    }
    say(fd, framed + sizeof framed - 1, 1);
    CU_ASSERT_EQUAL_FATAL(await(POOL), 1);
    CU_ASSERT_TRUE(pool[0]->len == 20 && is_payload(pool[0]->data, 20, 7));
    close(fd);
    end();
}

/* What a batch has no room for waits in us, where no system call shows it. */
static void test_tcp_what_one_read_brings_comes_in_order_over_many_batches(void)
{
    enum { N = 1000 };
    uint8_t bytes[3 * N];
    agw_addr remote;
    begin(&DEFAULTS);
    const int fd = dial_and_prove(&remote);
    for (size_t i = 0; i < N; i++) {
        agw_put16(bytes + 3 * i, 1);
        bytes[3 * i + 2] = (uint8_t)i;
    }
    say(fd, bytes, sizeof bytes);
    size_t next = 0, wrong = 0;
    for (size_t got; next < N && (got = await(7)) != 0; finish_batch()) {
        for (size_t i = 0; i < got; i++, next++)
            wrong += pool[i]->len != 1 || pool[i]->data[0] != (uint8_t)next;
    }
    CU_ASSERT_EQUAL(next, N);
    CU_ASSERT_EQUAL(wrong, 0);
    close(fd);
    end();
}

static void test_tcp_too_long_packet_is_cut_and_the_next_one_is_whole(void)
{
    agw_addr remote;
    begin(&DEFAULTS);
    const int fd = dial_and_prove(&remote);
    say_packet(fd, 1, AGW_PKT_MAX + 1);
    say_packet(fd, 2, AGW_PKT_MAX);
    size_t got = await(1);
    CU_ASSERT_TRUE(got == 1 && pool[0]->cut);
    finish_batch();
    got = await(1);
    CU_ASSERT_TRUE(got == 1 && !pool[0]->cut && pool[0]->len == AGW_PKT_MAX);
    CU_ASSERT_TRUE(is_payload(pool[0]->data, AGW_PKT_MAX, 2));
    close(fd);
    end();
}

/* ---- strangers ---- */

static void test_tcp_first_packet_that_proves_nothing_ends_it_at_once(void)
{
    begin(&DEFAULTS);
    const int fd = dial();
    say_packet(fd, 1, 100);
    say_packet(fd, 2, 100);
    CU_ASSERT_EQUAL(await(POOL), 1); /* no second one */
    CU_ASSERT_FALSE(has_ended(fd));
    finish_batch();
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.refused_first), 1);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.open), 0);
    CU_ASSERT_TRUE(has_ended(fd));
    close(fd);
    end();
}

static void test_tcp_what_comes_with_the_first_packet_is_read_after_the_proof(void)
{
    begin(&DEFAULTS);
    const int fd = dial();
    say(fd, "\0\1a\0\1b", 6);
    CU_ASSERT_EQUAL_FATAL(await(POOL), 1);
    CU_ASSERT_EQUAL(pool[0]->data[0], 'a');
    agw_tcp_keep(&port, &pool[0]->remote);
    finish_batch();
    CU_ASSERT_EQUAL_FATAL(await(POOL), 1);
    CU_ASSERT_EQUAL(pool[0]->data[0], 'b');
    close(fd);
    end();
}

/* The first packet of the one connection, read as the backend does: while the port is readable. */
static void take_first(void)
{
    size_t got = 0;
    for (struct pollfd p = {.fd = port.fd, .events = POLLIN};
         got == 0 && poll(&p, 1, PATIENCE_MS) == 1;)
        got = agw_tcp_rx(&port, pool, POOL);
    CU_ASSERT_EQUAL_FATAL(got, 1);
}

static bool is_readable(void)
{
    struct pollfd p = {.fd = port.fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* Anybody's end, or more than one read takes, behind the first packet: nothing is to be done before
 * the batch is through, and a readable port would be visited in an endless loop. */
static void test_tcp_end_behind_the_first_packet_waits_for_its_proof(void)
{
    for (int proven = 0; proven < 2; proven++) {
        begin(&DEFAULTS);
        const int fd = dial();
        say_packet(fd, 1, 100);
        close(fd);
        take_first();
        CU_ASSERT_FALSE(is_readable());
        if (proven)
            agw_tcp_keep(&port, &pool[0]->remote);
        finish_batch();
        CU_ASSERT_TRUE(await_count(&io->tcp.open, 0));
        CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.refused_first), proven ? 0 : 1);
        end();
    }
}

static void test_tcp_flood_behind_the_first_packet_waits_for_its_proof(void)
{
    enum { LEN = 1000, N = 40 };
    for (int proven = 0; proven < 2; proven++) {
        size_t next = 1, wrong = 0;
        begin(&DEFAULTS);
        const int fd = dial();
        for (uint32_t n = 0; n < N; n++)
            say_packet(fd, n, LEN);
        take_first();
        CU_ASSERT_FALSE(is_readable());
        if (proven)
            agw_tcp_keep(&port, &pool[0]->remote);
        finish_batch();
        CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.open), proven ? 1 : 0);
        for (size_t got; proven && next < N && (got = await(POOL)) != 0; finish_batch()) {
            for (size_t i = 0; i < got; i++, next++)
                wrong += !is_payload(pool[i]->data, LEN, (uint32_t)next);
        }
        CU_ASSERT_EQUAL(next, proven ? N : 1);
        CU_ASSERT_EQUAL(wrong, 0);
        close(fd);
        end();
    }
}

static void test_tcp_silent_stranger_ends_after_its_time_a_proven_one_does_not(void)
{
    const agw_tcp_config config = {.prove_ms = 60};
    agw_addr remote;
    begin(&config);
    const int kept = dial_and_prove(&remote);
    const int silent = dial(), halfway = dial();
    say(halfway, "\0", 1);
    CU_ASSERT_TRUE(await_count(&io->tcp.refused_late, 2));
    CU_ASSERT_TRUE(has_ended(silent) && has_ended(halfway) && !has_ended(kept));
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.open), 1);
    close(kept);
    close(silent);
    close(halfway);
    end();
}

static void test_tcp_so_many_strangers_of_one_host_and_no_more(void)
{
    const agw_tcp_config config = {.strangers_of_host = 2};
    int fds[4];
    begin(&config);
    fds[0] = dial();
    fds[1] = dial();
    CU_ASSERT_TRUE(await_count(&io->tcp.accepted, 2));
    fds[2] = dial();
    CU_ASSERT_TRUE(await_count(&io->tcp.refused_host, 1));
    fds[3] = dial_from(2);
    CU_ASSERT_TRUE(await_count(&io->tcp.accepted, 3));
    CU_ASSERT_TRUE(has_ended(fds[2]) && !has_ended(fds[0]) && !has_ended(fds[3]));
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
    end();
}

static void test_tcp_the_oldest_stranger_makes_room(void)
{
    const agw_tcp_config config = {.strangers = 2};
    agw_addr remote;
    int fds[3];
    begin(&config);
    const int kept = dial_and_prove(&remote); /* not counted any more */
    for (size_t i = 0; i < 3; i++) {
        fds[i] = dial();
        CU_ASSERT_TRUE(await_count(&io->tcp.accepted, 2 + i));
    }
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.refused_full), 1);
    CU_ASSERT_TRUE(has_ended(fds[0]) && !has_ended(fds[1]) && !has_ended(fds[2]));
    CU_ASSERT_FALSE(has_ended(kept));
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
    close(kept);
    end();
}

/* The kernel goes on saying that there is one to accept. */
static void test_tcp_without_descriptors_it_waits_instead_of_spinning(void)
{
    struct rlimit before, none;
    begin(&DEFAULTS);
    const int fd = dial();
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)fd;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    CU_ASSERT_EQUAL(agw_io_rx(io, pool, POOL), 0);
    const agw_ns from = agw_clock_now();
    agw_io_wait(io, from, from + AGW_MS(200));
    CU_ASSERT_TRUE(agw_clock_now() - from >= AGW_MS(200));
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_TRUE(await_count(&io->tcp.accepted, 1));
    close(fd);
    end();
}

/* ---- ends ---- */

static void test_tcp_peer_that_left_is_forgotten(void)
{
    agw_addr remote;
    begin(&DEFAULTS);
    const int fd = dial_and_prove(&remote);
    close(fd);
    CU_ASSERT_TRUE(await_count(&io->tcp.open, 0));
    CU_ASSERT_EQUAL(send_packet(&remote, 1, 100), 0);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_failed), 1);
    end();
}

static void test_tcp_hang_up_ends_one_connection(void)
{
    agw_addr first, second;
    begin(&DEFAULTS);
    const int a = dial_and_prove(&first), b = dial_and_prove(&second);
    agw_tcp_hang_up(&port, &first);
    agw_tcp_hang_up(&port, &first);
    CU_ASSERT_TRUE(has_ended(a) && !has_ended(b));
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.open), 1);
    close(a);
    close(b);
    end();
}

/* ---- a peer that does not read ---- */

static void test_tcp_slow_reader_loses_whole_packets_and_nothing_grows(void)
{
    enum { LEN = 1200, SENT = 4000 };
    static uint8_t data[4096];
    agw_addr remote;
    uint32_t last = 0, heard = 0, wrong = 0, taken = 0;
    begin(&DEFAULTS);
    const int fd = dial_and_prove(&remote);
    for (uint32_t n = 1; n <= SENT; n++)
        taken += send_packet(&remote, n, LEN) == 1;
    CU_ASSERT_TRUE(taken > 0 && taken < SENT);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tcp.full), SENT - taken);
    CU_ASSERT_EQUAL(agw_counter_get(&io->tx_failed), 0);
    for (; heard < taken; heard++) {
        (void)take(POOL); /* what is left of a packet leaves, too */
        if (hear(fd, data) != LEN)
            break;
        while (last < SENT && !is_payload(data, LEN, ++last))
            ;
        wrong += !is_payload(data, LEN, last);
    }
    CU_ASSERT_EQUAL(heard, taken);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(send_packet(&remote, 1, LEN), 1);
    CU_ASSERT_TRUE(hear(fd, data) == LEN && is_payload(data, LEN, 1));
    close(fd);
    end();
}

static void test_tcp_port_that_is_taken_is_said_to_be(void)
{
    agw_port second;
    begin(&DEFAULTS);
    const agw_tcp_config same = {.local = port.local};
    CU_ASSERT_EQUAL(agw_tcp_open(&second, &same), AGW_ERR_EXISTS);
    agw_port_close(&second); /* zeroed */
    end();
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_tcp_rfc4571_2_packets_both_ways),
    AGW_CASE(test_tcp_packet_comes_byte_by_byte),
    AGW_CASE(test_tcp_what_one_read_brings_comes_in_order_over_many_batches),
    AGW_CASE(test_tcp_too_long_packet_is_cut_and_the_next_one_is_whole),
    AGW_CASE(test_tcp_first_packet_that_proves_nothing_ends_it_at_once),
    AGW_CASE(test_tcp_what_comes_with_the_first_packet_is_read_after_the_proof),
    AGW_CASE(test_tcp_end_behind_the_first_packet_waits_for_its_proof),
    AGW_CASE(test_tcp_flood_behind_the_first_packet_waits_for_its_proof),
    AGW_CASE(test_tcp_silent_stranger_ends_after_its_time_a_proven_one_does_not),
    AGW_CASE(test_tcp_so_many_strangers_of_one_host_and_no_more),
    AGW_CASE(test_tcp_the_oldest_stranger_makes_room),
    AGW_CASE(test_tcp_without_descriptors_it_waits_instead_of_spinning),
    AGW_CASE(test_tcp_peer_that_left_is_forgotten),
    AGW_CASE(test_tcp_hang_up_ends_one_connection),
    AGW_CASE(test_tcp_slow_reader_loses_whole_packets_and_nothing_grows),
    AGW_CASE(test_tcp_port_that_is_taken_is_said_to_be),
};

AGW_UNIT_MAIN("tcp", CASES)
