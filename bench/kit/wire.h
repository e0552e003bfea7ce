/* SPDX-License-Identifier: BSD-3-Clause
 * One network interface seen raw (AF_PACKET): datagrams leave with any source address, so that one
 * process is thousands of hosts, and every IPv4 datagram to the hosts' prefix is seen, whoever it
 * is for. The kernel of this namespace must not answer for that prefix (a blackhole route).
 * IPv4 only; UDP checksums are left out (0, RFC 768). */
#ifndef AGW_BENCH_KIT_WIRE_H
#define AGW_BENCH_KIT_WIRE_H

#include "base/addr.h"
#include "base/clock.h"

#include <stdbool.h>

enum {
    KIT_DATAGRAM_MAX = 9000,
    KIT_TAKE_MAX = 512, /* datagrams of one kit_wire_take() */
};

typedef struct kit_wire kit_wire;

/** One UDP datagram that came off the link. */
typedef struct kit_datagram {
    agw_addr from, to;
    uint8_t *data; /* UDP payload, borrowed for the call; may be changed in place */
    size_t len;
    agw_ns at; /* when the kernel took it off the link, agw_clock_now()'s clock */
    uint8_t tos;
} kit_datagram;

typedef void (*kit_taker)(void *owner, const kit_datagram *datagram);

/** Work that is cheaper for many packets at once. */
typedef struct kit_wire_batch {
    /** What is queued leaves now: the last chance to change its bytes in place. */
    void (*before_leaving)(void *owner);
    /** Some datagrams were given to their takers; their data is valid until this returns. */
    void (*after_taking)(void *owner);
    void *owner;
} kit_wire_batch;

/** interface: its name; hosts: what comes for this prefix is ours (filtered in the kernel);
 * gateway: an address behind the link: its MAC is looked up, which may send to its port 9.
 * NULL: *why says what the system refused. */
AGW_NODISCARD kit_wire *kit_wire_open(const char *interface, const agw_prefix *hosts,
                                      const agw_addr *gateway, const char **why);
void kit_wire_close(kit_wire *wire);

/** From now on datagrams to this address and port go to taker(owner). One taker per address. */
void kit_wire_bind(kit_wire *wire, const agw_addr *local, kit_taker taker, void *owner);
void kit_wire_unbind(kit_wire *wire, const agw_addr *local);
/** Who gets what nobody has bound, e.g. to see that nothing is sent to strangers; NULL = count
 * only. */
void kit_wire_bind_rest(kit_wire *wire, kit_taker taker, void *owner);
/** Copied; NULL = none (again). */
void kit_wire_set_batch(kit_wire *wire, const kit_wire_batch *batch);

/** Queues one datagram; it leaves with kit_wire_flush(), or at once when the queue is full. Longer
 * ones than the MTU leave as IP fragments. Any source address goes. */
void kit_wire_send(kit_wire *wire, const agw_addr *from, const agw_addr *to, const uint8_t *data,
                   size_t len);
/** As kit_wire_send(), but the caller writes the payload into the returned room of
 * KIT_DATAGRAM_MAX bytes and says its length with kit_wire_commit(): no copy. */
uint8_t *kit_wire_room(kit_wire *wire);
void kit_wire_commit(kit_wire *wire, const agw_addr *from, const agw_addr *to, size_t len);
void kit_wire_flush(kit_wire *wire);

/** Gives what has come to its takers, without waiting; at most KIT_TAKE_MAX datagrams or 0.3 ms, so
 * that sending goes on. Returns how many there were. */
size_t kit_wire_take(kit_wire *wire);
/** true when another one has come already. */
bool kit_wire_has_more(const kit_wire *wire);
/** For poll(): readable when there is something to take. */
int kit_wire_fd(const kit_wire *wire);

typedef struct kit_wire_stats {
    uint64_t sent, received; /* frames */
    uint64_t
        send_failed;  /* the link or the system refused it: figures of such a run are worthless */
    uint64_t missed;  /* the kernel had no room in our ring: worthless, too */
    uint64_t unbound; /* for nobody */
    uint64_t unread;  /* parts of IP packets, malformed ones: seen and left */
} kit_wire_stats;
/** Asks the system, so not once a packet. */
kit_wire_stats kit_wire_get_stats(kit_wire *wire);

#endif
