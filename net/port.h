/* SPDX-License-Identifier: BSD-3-Clause
 * One open local port: a UDP socket with the options every media port wants, and its counters.
 * Reading and writing many of them is io.h; handing out ports of a range is ports.h. */
#ifndef AGW_NET_PORT_H
#define AGW_NET_PORT_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/prefetch.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agw_io;

enum {
    AGW_PORT_ACCESS_BUFFER = 8 * 1024 * 1024, /* a shared port carries every call of its worker */
    /* Whose packets tell when they came: about one in 64, wherever they come from. Of shared ports
     * one in a prime that is larger than a batch; of streams' ports, which are read one by one,
     * every 16th, so that the others pay nothing. */
    AGW_PORT_SAMPLED_SHARED = 67,
    AGW_PORT_SAMPLED_STREAM = 4,
    AGW_PORT_SAMPLED_EVERY = 16,
};

/** An ICMP or ICMPv6 error about a datagram that this port sent. */
typedef struct agw_icmp {
    agw_addr remote; /* where that datagram was sent to; not proven by anything: a hint */
    uint8_t type;
    uint8_t code;
    agw_ns at; /* when it was read; 0 = there was none yet */
} agw_icmp;

/** Between open and close it belongs to one thread at a time: the control thread until agw_io_add()
 * and again after agw_io_remove(), the worker in between. Anyone may read counters at any time. */
typedef struct agw_port {
    /* what every packet needs: one line of the cache */
    alignas(AGW_CACHE_LINE) int fd;
    uint32_t id;        /* unique within its agw_io, never 0 there; 0 = not added */
    void *owner;        /* the worker's: whom it belongs to; NULL for a shared port */
    agw_addr local;     /* the port number is always set */
    uint8_t component;  /* the worker's: which of the owner's components; 0 for a shared port */
    bool shared : 1;    /* many calls: read in big batches */
    bool tcp : 1;       /* the passive side of ICE over TCP, see net/tcp.h; shared */
    bool wants_tos : 1; /* packets tell the DSCP and ECN byte they came with */
    uint8_t tos_now;    /* what the socket sends by itself: DSCP and ECN byte */
    uint8_t tx_first, tx_last; /* the backend's: 1-based places in the batch being sent; 0 = none */
    uint8_t sampled;           /* one packet in so many has arrived_at; 0 = none */
    uint8_t rx_expect;         /* the backend's: datagrams it is asked for; 0 = never read */
    uint32_t rx_look;          /* the backend's: the pass in which it was read last */
    agw_counter rx_packets, tx_packets;

    size_t buffer_bytes;   /* receive buffer granted, to be compared with the one asked for; told of
                            * shared ports and where none was asked for, else 0 */
    agw_counter rx_drops;  /* the kernel's: receive buffer full (SO_RXQ_OVFL) */
    agw_counter tx_busy;   /* not sent: EAGAIN, ENOBUFS */
    agw_counter tx_long;   /* not sent: EMSGSIZE */
    agw_counter tx_errors; /* not sent: no route, wrong family, filtered ... */
    agw_counter icmp_errors;
    agw_icmp icmp; /* the last one */

    struct agw_tcp *tcp_side; /* private to net/tcp.c */
    /* Private to the port pool. */
    void *pair;
    bool parked;
    /* Private to the I/O backend. */
    struct agw_io *io; /* NULL = not added */
    struct agw_port *icmp_next;
    struct agw_port *fast_next; /* of the same number, at other addresses */
    uint32_t drops_seen;        /* the kernel's running number */
    bool icmp_listed;
} agw_port;

typedef struct agw_port_config {
    agw_addr local; /* port 0: the kernel chooses */
    bool shared;
    bool parked; /* as agw_port_park() leaves it */
    uint8_t tos;
    uint8_t sampled; /* one packet in so many shall have arrived_at; 0 = none */
    size_t
        buffer_bytes; /* receive buffer wanted (and send buffer, when shared); 0 = the system's */
} agw_port_config;

/** Opens and binds. Non-blocking, IP_RECVERR, SO_RXQ_OVFL, no address sharing, SO_TIMESTAMPNS when
 * sampled; datagrams longer than the MTU are fragmented.
 *
 * @param port  out, the caller's memory; it must not move until closed
 * @return AGW_OK; AGW_ERR_EXISTS when the port is taken; AGW_ERR_LIMIT when descriptors or memory
 *         are short; AGW_ERR_SYSTEM otherwise (address not ours ...; errno tells) */
AGW_NODISCARD agw_err agw_port_open(agw_port *port, const agw_port_config *config);

/** Must not be in an agw_io any more. Closing a closed (or zeroed) port does nothing. */
void agw_port_close(agw_port *port);

/** Changes what the socket sends by itself; a packet with another tos costs a control message. */
AGW_NODISCARD agw_err agw_port_set_tos(agw_port *port, uint8_t tos);

/** From now on packets that come in tell their DSCP and ECN byte in agw_pkt.tos; costs each of them
 * a control message. */
AGW_NODISCARD agw_err agw_port_want_tos(agw_port *port);

/** For pools: a parked port stays bound, but holds next to no memory whoever sends to it. */
void agw_port_park(agw_port *port);
/** Ends parking: nothing that came before is left, counters start at 0, tos is set. A port that was
 * never parked is ready as it is. */
void agw_port_unpark(agw_port *port, const agw_port_config *config);

#endif
