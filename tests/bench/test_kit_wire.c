/* SPDX-License-Identifier: BSD-3-Clause
 * Raw frames over the loopback interface of a network namespace of its own: what is sent comes
 * back in. Skipped where the system gives no such namespace. */
#include "bench/kit/wire.h"

#include "unit.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

static kit_wire *wire;

typedef struct inbox {
    unsigned count;
    kit_datagram last;
    uint8_t bytes[KIT_DATAGRAM_MAX];
} inbox;

static inbox box;

static agw_addr addr(const char *text)
{
    agw_addr a;
    AGW_ASSERT(agw_addr_parse(&a, text) == AGW_OK);
    return a;
}

static void take(void *owner, const kit_datagram *d)
{
    inbox *b = owner;
    b->count++;
    b->last = *d;
    memcpy(b->bytes, d->data, d->len);
}

static void begin(void)
{
    agw_prefix hosts;
    CU_ASSERT_EQUAL_FATAL(agw_prefix_parse(&hosts, "10.99.0.0/16"), AGW_OK);
    const agw_addr gateway = addr("10.98.0.1:1");
    const char *why = NULL;
    wire = kit_wire_open("lo", &hosts, &gateway, &why);
    if (wire == NULL)
        CU_FAIL_FATAL("the wire does not open");
    memset(&box, 0, sizeof box);
}

static void end(void)
{
    kit_wire_close(wire);
}

/* Flushes and takes until so many frames have come. */
static void settle(uint64_t frames)
{
    kit_wire_flush(wire);
    while (kit_wire_get_stats(wire).received < frames) {
        struct pollfd p = {.fd = kit_wire_fd(wire), .events = POLLIN};
        if (poll(&p, 1, PATIENCE_MS) != 1)
            CU_FAIL_FATAL("nothing comes");
        kit_wire_take(wire);
    }
}

static void test_wire_delivers_to_the_bound_address(void)
{
    begin();
    const agw_addr from = addr("10.99.3.4:5000");
    const agw_addr to = addr("10.99.1.2:20000");
    kit_wire_bind(wire, &to, take, &box);
    const agw_ns before = agw_clock_now();
    kit_wire_send(wire, &from, &to, (const uint8_t *)"hello", 5);
    CU_ASSERT_EQUAL(kit_wire_take(wire), 0); /* it waits for the flush */
    settle(1);
    CU_ASSERT_EQUAL(box.count, 1);
    CU_ASSERT_EQUAL(box.last.len, 5);
    CU_ASSERT_EQUAL(memcmp(box.bytes, "hello", 5), 0);
    CU_ASSERT(agw_addr_equal(&box.last.from, &from));
    CU_ASSERT(agw_addr_equal(&box.last.to, &to));
    CU_ASSERT(box.last.at >= before - AGW_US(10) && box.last.at <= agw_clock_now() + AGW_US(10));
    end();
}

static void test_wire_room_is_sent_without_a_copy(void)
{
    begin();
    const agw_addr to = addr("10.99.1.2:20000");
    kit_wire_bind(wire, &to, take, &box);
    for (unsigned i = 0; i < 200; i++) { /* more than one queue */
        uint8_t *room = kit_wire_room(wire);
        memset(room, (int)i, 100 + i);
        kit_wire_commit(wire, &to, &to, 100 + i);
    }
    settle(200);
    CU_ASSERT_EQUAL(box.count, 200);
    CU_ASSERT_EQUAL(box.last.len, 299);
    CU_ASSERT_EQUAL(box.bytes[0], 199);
    CU_ASSERT_EQUAL(box.bytes[298], 199);
    CU_ASSERT_EQUAL(kit_wire_get_stats(wire).sent, 200);
    end();
}

static void test_wire_empty_and_largest_datagrams_go(void)
{
    begin();
    const agw_addr to = addr("10.99.1.2:20000");
    kit_wire_bind(wire, &to, take, &box);
    kit_wire_send(wire, &to, &to, NULL, 0);
    settle(1);
    CU_ASSERT_EQUAL(box.last.len, 0);
    memset(kit_wire_room(wire), 7, KIT_DATAGRAM_MAX);
    kit_wire_commit(wire, &to, &to, KIT_DATAGRAM_MAX);
    settle(2);
    CU_ASSERT_EQUAL(box.last.len, KIT_DATAGRAM_MAX);
    CU_ASSERT_EQUAL(box.bytes[KIT_DATAGRAM_MAX - 1], 7);
    end();
}

static void test_wire_others_are_filtered_and_the_unbound_counted(void)
{
    begin();
    const agw_addr outside = addr("10.98.1.2:20000");
    const agw_addr stranger = addr("10.99.9.9:20000");
    const agw_addr to = addr("10.99.1.2:20000");
    kit_wire_bind(wire, &to, take, &box);
    kit_wire_send(wire, &to, &outside, (const uint8_t *)"a", 1);
    kit_wire_send(wire, &to, &stranger, (const uint8_t *)"b", 1);
    settle(1);
    CU_ASSERT_EQUAL(box.count, 0);
    CU_ASSERT_EQUAL(kit_wire_get_stats(wire).unbound, 1);
    inbox rest = {0};
    kit_wire_bind_rest(wire, take, &rest);
    kit_wire_send(wire, &to, &stranger, (const uint8_t *)"c", 1);
    settle(2);
    CU_ASSERT_EQUAL(rest.count, 1);
    CU_ASSERT_EQUAL(rest.bytes[0], 'c');
    kit_wire_unbind(wire, &to);
    kit_wire_send(wire, &stranger, &to, (const uint8_t *)"d", 1);
    settle(3);
    CU_ASSERT_EQUAL(box.count, 0);
    CU_ASSERT_EQUAL(rest.bytes[0], 'd');
    end();
}

static void unbind_itself(void *owner, const kit_datagram *d)
{
    (*(unsigned *)owner)++;
    kit_wire_unbind(wire, &d->to);
}

static void test_wire_a_taker_may_unbind_itself(void)
{
    begin();
    unsigned count = 0;
    const agw_addr to = addr("10.99.1.2:20000");
    kit_wire_bind(wire, &to, unbind_itself, &count);
    kit_wire_send(wire, &to, &to, NULL, 0);
    kit_wire_send(wire, &to, &to, NULL, 0);
    settle(2);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(kit_wire_get_stats(wire).unbound, 1);
    end();
}

static struct {
    unsigned leaving, taken;
    kit_datagram copy; /* of what was given last; its data is borrowed */
} batch_seen;

static void stamp_room(void *room)
{
    batch_seen.leaving++;
    *(uint8_t *)room = 'B';
}

static void keep(void *owner, const kit_datagram *d)
{
    (void)owner;
    batch_seen.copy = *d;
}

static void look_again(void *owner)
{
    (void)owner;
    batch_seen.taken++;
    CU_ASSERT_EQUAL(batch_seen.copy.data[0], 'B');
    CU_ASSERT_EQUAL(batch_seen.copy.data[99], 'z');
}

static void test_wire_a_batch_is_changed_before_it_leaves_and_there_after_taking(void)
{
    begin();
    const agw_addr to = addr("10.99.1.2:20000");
    kit_wire_bind(wire, &to, keep, NULL);
    uint8_t *room = kit_wire_room(wire);
    memset(room, 'z', 100);
    kit_wire_commit(wire, &to, &to, 100);
    batch_seen.leaving = batch_seen.taken = 0;
    const kit_wire_batch batch = {
        .before_leaving = stamp_room, .after_taking = look_again, .owner = room};
    kit_wire_set_batch(wire, &batch);
    settle(1);
    kit_wire_set_batch(wire, NULL);
    CU_ASSERT(batch_seen.leaving > 0);
    CU_ASSERT_EQUAL(batch_seen.taken, 1);
    end();
}

static void set_mtu(int mtu)
{
    struct ifreq r = {.ifr_name = "lo", .ifr_mtu = mtu};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CU_ASSERT_EQUAL_FATAL(ioctl(fd, SIOCSIFMTU, &r), 0);
    close(fd);
}

/* The kernel puts the parts together for an ordinary socket. */
static void test_wire_longer_than_the_mtu_leaves_as_fragments(void)
{
    set_mtu(1500);
    begin();
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const agw_addr from = addr("10.99.0.2:4000");
    const agw_addr to = addr("10.98.0.1:20000");
    struct sockaddr_storage sa;
    const socklen_t sa_len = agw_addr_to_sockaddr(&to, &sa);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&sa, sa_len), 0);
    static const size_t lengths[] = {1472, 1473, 3000, KIT_DATAGRAM_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t *room = kit_wire_room(wire);
        for (size_t k = 0; k < lengths[i]; k++)
            room[k] = (uint8_t)(k * 7 + k / 256);
        kit_wire_commit(wire, &from, &to, lengths[i]);
        kit_wire_flush(wire);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CU_ASSERT_EQUAL_FATAL(poll(&p, 1, PATIENCE_MS), 1);
        CU_ASSERT_EQUAL(recv(fd, box.bytes, sizeof box.bytes, 0), (ssize_t)lengths[i]);
        bool same = true;
        for (size_t k = 0; k < lengths[i]; k++)
            same = same && box.bytes[k] == (uint8_t)(k * 7 + k / 256);
        CU_ASSERT(same);
    }
    CU_ASSERT_EQUAL(kit_wire_get_stats(wire).sent, 1 + 2 + 3 + 7);
    close(fd);
    const agw_addr host = addr("10.99.1.2:20000");
    uint8_t *room = kit_wire_room(wire);
    memset(room, 7, 3000);
    room[1472 + 4] = 0; /* the second part looks like a UDP datagram of 16 bytes */
    room[1472 + 5] = 16;
    kit_wire_commit(wire, &host, &host, 3000);
    settle(3);
    CU_ASSERT_EQUAL(kit_wire_get_stats(wire).unread, 3);
    end();
    set_mtu(65536);
}

static void test_wire_says_what_does_not_open(void)
{
    const agw_prefix hosts = {.bits = 8, .addr = addr("10.0.0.0:1")};
    const char *why = NULL;
    CU_ASSERT_PTR_NULL(kit_wire_open("none0", &hosts, &hosts.addr, &why));
    CU_ASSERT_STRING_EQUAL(why, "no such interface");
}

static bool configure(unsigned long what, const struct ifreq *r)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const bool ok = fd >= 0 && ioctl(fd, what, r) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Without a route back, sources are not checked only if nothing asks for it. */
static void accept_any_source(const char *path)
{
    FILE *f = fopen(path, "we");
    if (f != NULL) {
        fputs("0", f);
        fclose(f);
    }
}

/* Its loopback interface is up and has 10.98.0.1, too. */
static bool own_network(void)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    accept_any_source("/proc/sys/net/ipv4/conf/all/rp_filter");
    accept_any_source("/proc/sys/net/ipv4/conf/lo/rp_filter");
    const struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    struct ifreq second = {.ifr_name = "lo:1"};
    struct sockaddr_storage sa;
    const agw_addr gateway = addr("10.98.0.1:1");
    agw_addr_to_sockaddr(&gateway, &sa);
    ((struct sockaddr_in *)(void *)&sa)->sin_port = 0;
    memcpy(&second.ifr_addr, &sa, sizeof second.ifr_addr);
    return configure(SIOCSIFFLAGS, &up) && configure(SIOCSIFADDR, &second);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_wire_delivers_to_the_bound_address),
        AGW_CASE(test_wire_room_is_sent_without_a_copy),
        AGW_CASE(test_wire_empty_and_largest_datagrams_go),
        AGW_CASE(test_wire_others_are_filtered_and_the_unbound_counted),
        AGW_CASE(test_wire_a_taker_may_unbind_itself),
        AGW_CASE(test_wire_a_batch_is_changed_before_it_leaves_and_there_after_taking),
        AGW_CASE(test_wire_longer_than_the_mtu_leaves_as_fragments),
        AGW_CASE(test_wire_says_what_does_not_open),
    };
    const size_t n = sizeof cases / sizeof cases[0];
    if (own_network())
        return agw_unit_run("wire", cases, n);
    printf("0 passed, 0 failed, %zu skipped (no network namespace of its own)\n", n);
    return 0;
}
