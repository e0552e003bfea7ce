/* SPDX-License-Identifier: BSD-3-Clause
 * net/ports: pairs and single ports of a range, the pool of open sockets behind it. Each test has
 * its own address of 127.0.0.0/8, so that nobody else's sockets are in the range. */
#include "net/ports.h"

#include "base/rand.h"
#include "loopback.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

static agw_addr own_address(void)
{
    agw_addr a = loopback(AGW_FAMILY_IP4);
    agw_rand_bytes(a.ip + 1, 2);
    return a;
}

/* A range of that many pairs on an address of its own, below the kernel's own range. */
static agw_ports_config range_of(size_t pairs)
{
    const uint16_t first = (uint16_t)(10000 + agw_rand32() % 5000 * 2);
    return (agw_ports_config){
        .address = own_address(), .port_min = first, .port_max = (uint16_t)(first + 2 * pairs - 1)};
}

static agw_ports *new_ports(const agw_ports_config *config)
{
    agw_ports *ports = NULL;
    CU_ASSERT_EQUAL_FATAL(agw_ports_new(&ports, config, agw_rand32()), AGW_OK);
    return ports;
}

static agw_ports_stats stats_of(const agw_ports *ports)
{
    agw_ports_stats s;
    agw_ports_get_stats(ports, &s);
    return s;
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        abort();
    size_t n = 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void test_ports_range_bounds(void)
{
    static const struct {
        uint16_t min, max;
        size_t ports;
    } CASES[] = {{5000, 5001, 2},   {5000, 5000, 0}, {5001, 5002, 0}, {5001, 5003, 2},
                 {5000, 5002, 2},   {5000, 5003, 4}, {5003, 5000, 0}, {65534, 65535, 2},
                 {65535, 65535, 0}, {0, 1, 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const agw_ports_config config = {
            .address = own_address(), .port_min = CASES[i].min, .port_max = CASES[i].max};
        agw_ports *ports = NULL;
        const agw_err err = agw_ports_new(&ports, &config, 1);
        CU_ASSERT_EQUAL(err, CASES[i].ports != 0 ? AGW_OK : AGW_ERR_LIMIT);
        if (err == AGW_OK)
            CU_ASSERT_EQUAL(stats_of(ports).total, CASES[i].ports);
        if (err == AGW_OK)
            agw_ports_free(ports);
    }
    agw_ports_free(NULL);
}

static void check_pair(agw_family family)
{
    agw_ports_config config = range_of(100);
    config.address = family == AGW_FAMILY_IP6 ? loopback(family) : config.address;
    config.tos = 0xb8;
    agw_ports *ports = new_ports(&config);
    agw_port *rtp, *rtcp;
    CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
    CU_ASSERT_EQUAL(rtp->local.port % 2, 0);
    CU_ASSERT_EQUAL(rtcp->local.port, rtp->local.port + 1);
    CU_ASSERT_TRUE(rtp->local.port >= config.port_min && rtcp->local.port <= config.port_max);
    CU_ASSERT_TRUE(agw_addr_ip_equal(&rtp->local, &config.address));
    CU_ASSERT_EQUAL(rtp->tos_now, 0xb8);
    CU_ASSERT_FALSE(rtp->shared);
    CU_ASSERT_TRUE(send_plain(rtp->fd, &rtcp->local, "x", 1));
    char byte;
    CU_ASSERT_EQUAL(receive_plain(rtcp->fd, &byte, 1), 1);
    agw_ports_give(ports, rtp);
    agw_ports_give(ports, rtcp);
    agw_ports_free(ports);
}

static void test_ports_rfc3550_11_pair_is_even_and_next_odd(void)
{
    check_pair(AGW_FAMILY_IP4);
    check_pair(AGW_FAMILY_IP6);
}

static void test_ports_every_16th_rtp_port_has_samples(void)
{
    enum { PAIRS = 3 * AGW_PORT_SAMPLED_EVERY };
    const agw_ports_config config = range_of(PAIRS);
    agw_ports *ports = new_ports(&config);
    agw_port *taken[PAIRS][2];
    size_t sampled = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &taken[i][0], &taken[i][1]), AGW_OK);
        sampled += taken[i][0]->sampled == AGW_PORT_SAMPLED_STREAM;
        CU_ASSERT_EQUAL(taken[i][1]->sampled, 0);
    }
    CU_ASSERT_EQUAL(sampled, PAIRS / AGW_PORT_SAMPLED_EVERY);
    for (size_t i = 0; i < PAIRS; i++) {
        agw_ports_give(ports, taken[i][0]);
        agw_ports_give(ports, taken[i][1]);
    }
    agw_ports_free(ports);
}

static void test_ports_exhausted_range_is_a_limit(void)
{
    const agw_ports_config config = range_of(4);
    agw_ports *ports = new_ports(&config);
    agw_port *rtp[4], *rtcp[4], *more, *more2;
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp[i], &rtcp[i]), AGW_OK);
    CU_ASSERT_EQUAL(stats_of(ports).used, 8);
    CU_ASSERT_EQUAL(stats_of(ports).free, 0);
    CU_ASSERT_EQUAL(agw_ports_take_pair(ports, &more, &more2), AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(agw_ports_take(ports, &more), AGW_ERR_LIMIT);
    agw_ports_give(ports, rtp[1]);
    CU_ASSERT_EQUAL(agw_ports_take_pair(ports, &more, &more2), AGW_ERR_LIMIT); /* half a pair */
    agw_ports_give(ports, rtcp[1]);
    CU_ASSERT_EQUAL(agw_ports_take_pair(ports, &more, &more2), AGW_OK);
    CU_ASSERT_PTR_EQUAL(more, rtp[1]);
    CU_ASSERT_PTR_EQUAL(more2, rtcp[1]);
    agw_ports_free(ports);
}

static void test_ports_single_ports_use_both_halves(void)
{
    const agw_ports_config config = range_of(4);
    agw_ports *ports = new_ports(&config);
    agw_port *port;
    unsigned seen = 0;
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_ports_take(ports, &port), AGW_OK);
        seen |= 1u << (port->local.port - config.port_min);
    }
    CU_ASSERT_EQUAL(seen, 0xff);
    CU_ASSERT_EQUAL(agw_ports_take(ports, &port), AGW_ERR_LIMIT);
    agw_ports_free(ports);
}

/* After rtcp-mux was agreed the RTCP port is given back early: it serves another leg. */
static void test_ports_half_given_back_serves_as_single(void)
{
    const agw_ports_config config = range_of(1);
    agw_ports *ports = new_ports(&config);
    agw_port *rtp, *rtcp, *single;
    CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
    agw_ports_give(ports, rtcp);
    CU_ASSERT_EQUAL_FATAL(agw_ports_take(ports, &single), AGW_OK);
    CU_ASSERT_PTR_EQUAL(single, rtcp);
    agw_ports_give(ports, rtp);
    CU_ASSERT_EQUAL_FATAL(agw_ports_take(ports, &single), AGW_OK);
    CU_ASSERT_PTR_EQUAL(single, rtp);
    agw_ports_free(ports);
}

static void test_ports_held_by_others_are_skipped_both_or_none(void)
{
    agw_ports_config config = range_of(4);
    config.low = config.high = 4;
    agw_port_config foreign = {.local = config.address};
    foreign.local.port = (uint16_t)(config.port_min + 5); /* the odd one of the third pair */
    agw_port holder, even;
    CU_ASSERT_EQUAL_FATAL(agw_port_open(&holder, &foreign), AGW_OK);
    agw_ports *ports = new_ports(&config);
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 100), 3);
    agw_port *rtp, *rtcp;
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
        CU_ASSERT_NOT_EQUAL(rtcp->local.port, foreign.local.port);
    }
    CU_ASSERT_EQUAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_ERR_LIMIT);
    CU_ASSERT_TRUE(stats_of(ports).foreign > 0);
    foreign.local.port--; /* the even one is not held open by the attempts */
    CU_ASSERT_EQUAL(agw_port_open(&even, &foreign), AGW_OK);
    agw_port_close(&even);
    agw_port_close(&holder);
    CU_ASSERT_EQUAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK); /* free again: used */
    agw_ports_free(ports);
}

static void test_ports_address_of_others_is_a_system_error(void)
{
    agw_ports_config config = range_of(4);
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&config.address, "203.0.113.77"), AGW_OK);
    agw_ports *ports = new_ports(&config);
    agw_port *rtp, *rtcp;
    CU_ASSERT_EQUAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_ERR_SYSTEM);
    CU_ASSERT_EQUAL(errno, EADDRNOTAVAIL);
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 10), 0);
    agw_ports_free(ports);
}

static void test_ports_short_descriptors_are_a_limit(void)
{
    agw_ports_config config = range_of(64);
    config.low = config.high = 64;
    struct rlimit before;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    const size_t now = open_descriptors();
    const struct rlimit low = {.rlim_cur = now + 9, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    agw_ports *ports = new_ports(&config);
    const size_t opened = agw_ports_refill(ports, 100);
    agw_port *rtp, *rtcp;
    agw_err err = AGW_OK;
    size_t taken = 0;
    for (; err == AGW_OK; taken++)
        err = agw_ports_take_pair(ports, &rtp, &rtcp);
    CU_ASSERT_EQUAL(err, AGW_ERR_LIMIT);
    CU_ASSERT_TRUE(opened > 0 && opened < 64);
    CU_ASSERT_EQUAL(taken - 1, opened);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    agw_ports_free(ports);
    CU_ASSERT_EQUAL(open_descriptors(), now);
}

static void test_ports_refill_keeps_the_marks_and_the_budget(void)
{
    agw_ports_config config = range_of(32);
    config.low = 4;
    config.high = 8;
    agw_ports *ports = new_ports(&config);
    agw_port *rtp[32], *rtcp[32];
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 3), 3);
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 100), 5); /* on to the high mark */
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 100), 0);
    CU_ASSERT_EQUAL(stats_of(ports).ready, 8);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp[i], &rtcp[i]), AGW_OK);
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 100), 0); /* at the low mark: nothing */
    CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp[4], &rtcp[4]), AGW_OK);
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 100), 5); /* below it: up to the high mark */
    CU_ASSERT_EQUAL(stats_of(ports).in_a_hurry, 0);
    for (int i = 5; i < 32; i++)
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp[i], &rtcp[i]), AGW_OK);
    CU_ASSERT_EQUAL(stats_of(ports).in_a_hurry, (size_t)2 * (32 - 13));
    for (int i = 0; i < 32; i++) {
        agw_ports_give(ports, rtcp[i]);
        agw_ports_give(ports, rtp[i]);
    }
    CU_ASSERT_EQUAL(stats_of(ports).ready, 32);
    const size_t before = open_descriptors();
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 100), 24); /* what is too much is closed */
    CU_ASSERT_EQUAL(open_descriptors(), before - 48);
    CU_ASSERT_EQUAL(stats_of(ports).ready, 8);
    CU_ASSERT_EQUAL(stats_of(ports).used, 0);
    agw_ports_free(ports);
}

enum { REST = 4 };

/* low = 4: whatever was given back rests for four takes, if others are left. */
static void test_ports_given_back_is_not_reused_at_once(void)
{
    agw_ports_config config = range_of(8);
    config.low = REST;
    config.high = 6;
    agw_ports *ports = new_ports(&config);
    uint16_t recent[REST] = {0};
    for (unsigned i = 0; i < 100; i++) {
        agw_port *rtp, *rtcp;
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
        for (unsigned k = 0; k < REST; k++)
            CU_ASSERT_NOT_EQUAL(rtp->local.port, recent[k]);
        recent[i % REST] = rtp->local.port;
        agw_ports_give(ports, rtp);
        agw_ports_give(ports, rtcp);
        if (i % 3 == 0)
            (void)agw_ports_refill(ports, 2);
    }
    agw_ports_free(ports);
}

static void test_ports_order_differs_with_the_seed(void)
{
    const agw_ports_config config = range_of(500);
    uint16_t first[4];
    for (uint32_t i = 0; i < 4; i++) {
        agw_ports *ports;
        agw_port *rtp, *rtcp;
        CU_ASSERT_EQUAL_FATAL(agw_ports_new(&ports, &config, 1000 + i * 77777), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
        first[i] = rtp->local.port;
        agw_ports_free(ports);
    }
    CU_ASSERT_FALSE(first[0] == first[1] && first[1] == first[2] && first[2] == first[3]);
}

static size_t queued_bytes(int fd)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;
    CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len), 0);
    return info[SK_MEMINFO_RMEM_ALLOC];
}

static void flood(const agw_addr *to)
{
    agw_port stranger;
    uint8_t data[1000] = {0};
    open_loopback(&stranger, AGW_FAMILY_IP4, false);
    for (int i = 0; i < 300; i++)
        CU_ASSERT_TRUE(send_plain(stranger.fd, to, data, sizeof data));
    agw_port_close(&stranger);
}

/* What came to a port while it was nobody's is never delivered, nor counted, and costs no memory.
 */
static void test_ports_start_empty(void)
{
    agw_ports_config config = range_of(1);
    config.low = config.high = 1;
    agw_ports *ports = new_ports(&config);
    agw_port *rtp, *rtcp;
    char data[1000];
    CU_ASSERT_EQUAL(agw_ports_refill(ports, 1), 1);
    agw_addr local = config.address;
    local.port = config.port_min;
    flood(&local); /* before it was ever taken */
    CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(rtp->local.port, local.port);
    CU_ASSERT_EQUAL(recv(rtp->fd, data, sizeof data, MSG_DONTWAIT), -1);
    for (int round = 0; round < 3; round++) {
        flood(&local); /* to its present owner, who reads nothing */
        CU_ASSERT_TRUE(queued_bytes(rtp->fd) > 20000);
        agw_counter_add(&rtp->rx_packets, 5);
        agw_ports_give(ports, rtp);
        agw_ports_give(ports, rtcp);
        flood(&local); /* to nobody */
        CU_ASSERT_TRUE(queued_bytes(rtp->fd) < 8000);
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
        CU_ASSERT_EQUAL(recv(rtp->fd, data, sizeof data, MSG_DONTWAIT), -1);
        CU_ASSERT_EQUAL(errno, EAGAIN);
        CU_ASSERT_EQUAL(agw_counter_get(&rtp->rx_packets), 0);
        CU_ASSERT_EQUAL(agw_counter_get(&rtp->rx_drops), 0);
        CU_ASSERT_TRUE(rtp->drops_seen > 0); /* the kernel's number begins from here */
        CU_ASSERT_TRUE(send_plain(rtcp->fd, &rtp->local, "x", 1));
        CU_ASSERT_EQUAL(receive_plain(rtp->fd, data, sizeof data), 1);
    }
    agw_ports_free(ports);
}

/* The ICMP error that the former owner caused is not the next one's. */
static void test_ports_start_without_pending_errors(void)
{
    const agw_ports_config config = range_of(1);
    agw_ports *ports = new_ports(&config);
    agw_port *rtp, *rtcp, closed;
    CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
    open_loopback(&closed, AGW_FAMILY_IP4, false);
    const agw_addr nobody = closed.local;
    agw_port_close(&closed);
    CU_ASSERT_TRUE(send_plain(rtp->fd, &nobody, "x", 1));
    struct pollfd p = {.fd = rtp->fd, .events = 0};
    CU_ASSERT_EQUAL(poll(&p, 1, PATIENCE_MS), 1);
    CU_ASSERT_TRUE((p.revents & POLLERR) != 0);
    agw_ports_give(ports, rtp);
    agw_ports_give(ports, rtcp);
    CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
    p.revents = 0;
    CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
    agw_ports_free(ports);
}

static void test_ports_buffer_and_tos_are_restored(void)
{
    agw_ports_config config = range_of(1);
    config.tos = 0x28;
    agw_ports *ports = new_ports(&config);
    agw_port *rtp, *rtcp, plain;
    open_loopback(&plain, AGW_FAMILY_IP4, false);
    for (int round = 0; round < 2; round++) {
        int size = 0, tos = 0;
        socklen_t len = sizeof size;
        CU_ASSERT_EQUAL_FATAL(agw_ports_take_pair(ports, &rtp, &rtcp), AGW_OK);
        CU_ASSERT_EQUAL(getsockopt(rtp->fd, SOL_SOCKET, SO_RCVBUF, &size, &len), 0);
        CU_ASSERT_EQUAL((size_t)size / 2, plain.buffer_bytes); /* the system's */
        len = sizeof tos;
        CU_ASSERT_EQUAL(getsockopt(rtp->fd, IPPROTO_IP, IP_TOS, &tos, &len), 0);
        CU_ASSERT_EQUAL(tos, 0x28);
        CU_ASSERT_EQUAL(agw_port_set_tos(rtp, 0xb8), AGW_OK);
        agw_ports_give(ports, rtp);
        agw_ports_give(ports, rtcp);
    }
    agw_port_close(&plain);
    agw_ports_free(ports);
}

/* Anybody can write "too long for the next link"; the attack set sends it. */
static void test_port_forged_path_mtu_is_not_believed(void)
{
    agw_port port;
    int mode = -1;
    socklen_t len = sizeof mode;
    open_loopback(&port, AGW_FAMILY_IP4, false);
    CU_ASSERT_EQUAL(getsockopt(port.fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, &len), 0);
    CU_ASSERT_EQUAL(mode, IP_PMTUDISC_OMIT);
    agw_port_close(&port);
}

enum { PAIRS = 40, CYCLES = 10000 };

typedef struct bag {
    agw_port *held[2 * PAIRS];
    size_t count;
    bool out[2 * PAIRS]; /* by port number */
    unsigned twice;
} bag;

static void hold(bag *b, const agw_ports_config *config, agw_port *port)
{
    bool *out = &b->out[port->local.port - config->port_min];
    b->twice += *out;
    *out = true;
    b->held[b->count++] = port;
}

static void let_go(bag *b, const agw_ports_config *config, agw_ports *ports, size_t i)
{
    agw_port *port = b->held[i];
    b->out[port->local.port - config->port_min] = false;
    b->held[i] = b->held[--b->count];
    agw_ports_give(ports, port);
}

/* Takes a pair or a single port; refusals must mean that there is none. */
static bool take_something(bag *b, const agw_ports_config *config, agw_ports *ports, bool single)
{
    agw_port *a, *c;
    const agw_err err = single ? agw_ports_take(ports, &a) : agw_ports_take_pair(ports, &a, &c);
    if (err != AGW_OK)
        return err == AGW_ERR_LIMIT && (!single || b->count == (size_t)2 * PAIRS);
    hold(b, config, a);
    if (!single)
        hold(b, config, c);
    return true;
}

static void test_ports_cp1_10k_cycles_without_leak_or_double(void)
{
    const uint32_t seed = agw_rand32();
    printf(" [seed %u] ", seed);
    srandom(seed);
    agw_ports_config config = range_of(PAIRS);
    config.low = 4;
    config.high = 10;
    static bag b;
    memset(&b, 0, sizeof b);
    const size_t before = open_descriptors();
    agw_ports *ports = new_ports(&config);
    unsigned wrong = 0;
    for (unsigned cycle = 0; cycle < CYCLES; cycle++) {
        const unsigned dice = (unsigned)random();
        const bool filling = (cycle / 500) % 2 == 0; /* to the full, and down again */
        if (b.count == 0 || dice % 8 < (filling ? 5u : 2u))
            wrong += !take_something(&b, &config, ports, (dice >> 8) % 2 == 0);
        else
            let_go(&b, &config, ports, (dice >> 8) % b.count);
        if (dice >> 24 == 0)
            (void)agw_ports_refill(ports, 4);
        wrong += stats_of(ports).used != b.count;
    }
    while (b.count != 0)
        let_go(&b, &config, ports, b.count - 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(b.twice, 0);
    CU_ASSERT_EQUAL(stats_of(ports).free, (size_t)2 * PAIRS);
    (void)agw_ports_refill(ports, 1000);
    CU_ASSERT_EQUAL(open_descriptors(), before + 2 * stats_of(ports).ready);
    agw_ports_free(ports);
    CU_ASSERT_EQUAL(open_descriptors(), before);
}

static void test_port_open_reports_a_taken_port(void)
{
    agw_port a, b;
    open_loopback(&a, AGW_FAMILY_IP6, false);
    const agw_port_config same = {.local = a.local};
    CU_ASSERT_EQUAL(agw_port_open(&b, &same), AGW_ERR_EXISTS);
    agw_port_close(&b); /* not open: nothing happens */
    agw_port_close(&a);
    CU_ASSERT_EQUAL(agw_port_open(&b, &same), AGW_OK);
    agw_port_close(&b);
    agw_port_close(&b);
}

static void test_port_ipv6_leaves_the_ipv4_port_free(void)
{
    agw_port six, four;
    agw_port_config config = {.local = {.family = AGW_FAMILY_IP6}}; /* any */
    CU_ASSERT_EQUAL_FATAL(agw_port_open(&six, &config), AGW_OK);
    config.local = own_address();
    config.local.port = six.local.port;
    CU_ASSERT_EQUAL(agw_port_open(&four, &config), AGW_OK);
    agw_port_close(&four);
    agw_port_close(&six);
}

static void test_port_buffer_granted_is_reported(void)
{
    agw_port port;
    const agw_port_config config = {
        .local = loopback(AGW_FAMILY_IP4), .shared = true, .buffer_bytes = 65536};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(&port, &config), AGW_OK);
    CU_ASSERT_EQUAL(port.buffer_bytes, 65536);
    CU_ASSERT_TRUE(port.shared);
    agw_port_close(&port);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_ports_range_bounds),
    AGW_CASE(test_ports_rfc3550_11_pair_is_even_and_next_odd),
    AGW_CASE(test_ports_every_16th_rtp_port_has_samples),
    AGW_CASE(test_ports_exhausted_range_is_a_limit),
    AGW_CASE(test_ports_single_ports_use_both_halves),
    AGW_CASE(test_ports_half_given_back_serves_as_single),
    AGW_CASE(test_ports_held_by_others_are_skipped_both_or_none),
    AGW_CASE(test_ports_address_of_others_is_a_system_error),
    AGW_CASE(test_ports_short_descriptors_are_a_limit),
    AGW_CASE(test_ports_refill_keeps_the_marks_and_the_budget),
    AGW_CASE(test_ports_given_back_is_not_reused_at_once),
    AGW_CASE(test_ports_order_differs_with_the_seed),
    AGW_CASE(test_ports_start_empty),
    AGW_CASE(test_ports_start_without_pending_errors),
    AGW_CASE(test_ports_buffer_and_tos_are_restored),
    AGW_CASE(test_ports_cp1_10k_cycles_without_leak_or_double),
    AGW_CASE(test_port_open_reports_a_taken_port),
    AGW_CASE(test_port_ipv6_leaves_the_ipv4_port_free),
    AGW_CASE(test_port_forged_path_mtu_is_not_believed),
    AGW_CASE(test_port_buffer_granted_is_reported),
};

AGW_UNIT_MAIN("ports", CASES)
