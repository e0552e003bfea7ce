/* SPDX-License-Identifier: BSD-3-Clause
 * How a worker reads and writes datagrams: a small table of functions per backend. The default one
 * is `udp` (epoll, recvmmsg, sendmmsg, paced wake-ups); `xdp` is the same with AF_XDP rings beside
 * it for the media of installed flows. Crypto, ICE and DTLS never see a descriptor.
 *
 * One agw_io per worker thread. Everything is called by that thread, but for agw_io_wake().
 *
 * A turn:  agw_io_wait(); now = agw_clock_now(); mailbox; timers;
 *          while ((n = agw_io_rx(...)) > 0) { stages; agw_io_tx(...); } */
#ifndef AGW_NET_IO_H
#define AGW_NET_IO_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/pkt.h"
#include "net/port.h"

#include <stddef.h>
#include <stdint.h>

typedef struct agw_io agw_io;
struct agw_io_backend;

enum { AGW_IO_TICK_US = 750 }; /* default of agw_io_config.tick_us */

typedef struct agw_io_config {
    const struct agw_io_backend *backend; /* NULL = agw_io_udp */
    const struct agw_xdp *xdp;            /* for the backend agw_io_xdp(); borrowed, outlives it */
    size_t worker;                        /* whose queues of xdp it reads */
    uint32_t
        tick_us; /* under load wake at most once per tick (net/pacing.h); 0 = at every packet */
} agw_io_config;

typedef struct agw_io_backend {
    const char *name;
    agw_io *(*open)(const agw_io_config *config);
    void (*close)(agw_io *io);
    agw_err (*add)(agw_io *io, agw_port *port);
    void (*remove)(agw_io *io, agw_port *port);
    void (*wait)(agw_io *io, agw_ns now, agw_ns deadline);
    size_t (*rx)(agw_io *io, agw_pkt *pkts[], size_t n);
    size_t (*tx)(agw_io *io, agw_pkt *const pkts[], size_t n);
    void (*wake)(agw_io *io);
    /* NULL: there is no faster way. */
    struct agw_way *(*install)(agw_io *io, agw_port *port, const agw_addr *remote);
    void (*uninstall)(agw_io *io, agw_port *port, const agw_addr *remote);
} agw_io_backend;

extern const agw_io_backend agw_io_udp;
/** NULL: not built in. */
const agw_io_backend *agw_io_xdp(void);

/** Connections of ports with ICE over TCP, over all of them (net/tcp.h). */
typedef struct agw_tcp_counters {
    agw_counter open; /* now */
    agw_counter accepted;
    agw_counter refused_full;  /* the oldest unproven one, when there were too many */
    agw_counter refused_host;  /* too many unproven ones of one address */
    agw_counter refused_late;  /* nothing in time */
    agw_counter refused_first; /* its first packet proved nothing */
    agw_counter full;          /* packets not sent: the peer does not read */
} agw_tcp_counters;

/** The part that every backend begins with. */
struct agw_io {
    const agw_io_backend *backend;
    uint32_t last_id;          /* of agw_port.id */
    agw_port *icmp_ports;      /* ports with a new ICMP error */
    struct agw_tcp *tcp_asked; /* those with first packets of strangers in the present batch */
    /* Sums over all ports that ever were in it; any thread may read. */
    agw_counter rx_packets, tx_packets, tx_failed, icmp_errors;
    agw_counter rx_drops; /* no room; of what came by a ring also: broken, or its port has closed */
    agw_counter waits;    /* times wait() gave up the processor */
    agw_counter paced_waits;      /* of these: slept to a tick */
    agw_counter fast_rx, fast_tx; /* of the packets: not by a socket */
    agw_tcp_counters tcp;
    struct xdp_lane *fast; /* the xdp backend's own; NULL = none */
    /* For the next wait(): */
    size_t packets;       /* read, or made by the worker, since the last one (net/pacing.h) */
    agw_ns lazy_deadline; /* the worker's, of what may be late by a tick; 0 = of nothing */
};

/** NULL when the system refuses (errno tells). */
AGW_NODISCARD agw_io *agw_io_open(const agw_io_config *config);

/** Every port must have been removed, and nobody may call agw_io_wake() any more. */
static inline void agw_io_close(agw_io *io)
{
    io->backend->close(io);
}

/** The port is watched from now on; borrowed until agw_io_remove(). AGW_ERR_LIMIT when the system
 * has no room: give the port back. */
AGW_NODISCARD static inline agw_err agw_io_add(agw_io *io, agw_port *port)
{
    return io->backend->add(io, port);
}

/** Allowed at any time, also between two agw_io_rx() that have not drained yet. Packets of the
 * present batch may still name the port: do not give it away before the batch is through. */
static inline void agw_io_remove(agw_io *io, agw_port *port)
{
    io->backend->remove(io, port);
}

/** Waits until a datagram may be there, the deadline (AGW_NEVER: none) has come, or somebody woke
 * it; may also return early. Call it when agw_io_rx() has returned 0. A wake-up is taken here only:
 * look into the mailbox after it. */
static inline void agw_io_wait(agw_io *io, agw_ns now, agw_ns deadline)
{
    io->backend->wait(io, now, deadline);
}

/** Reads up to n datagrams, fairly over the ports. Each packet is reset, then data, len, cut,
 * remote and port are set, and of about one in 64 also arrived_at; rx_at is left to the caller. The
 * order within a port is kept.
 * @return how many; 0 = drained: nothing was there when it looked. */
static inline size_t agw_io_rx(agw_io *io, agw_pkt *pkts[], size_t n)
{
    return io->backend->rx(io, pkts, n);
}

/** Sends the AGW_FORWARD packets of pkts: port, remote, way, tos, data and len say what; the others
 * are skipped. The order from a port to each remote is kept. What cannot be sent is dropped and
 * counted at the port; verdicts are not touched. pkts are the caller's again at once. @return how
 * many were sent. */
static inline size_t agw_io_tx(agw_io *io, agw_pkt *const pkts[], size_t n)
{
    return io->backend->tx(io, pkts, n);
}

/** Ends the present or the next agw_io_wait(). Any thread; cheap when already woken. Push the
 * message first. (Under load the worker looks at its next tick.) */
static inline void agw_io_wake(agw_io *io)
{
    io->backend->wake(io);
}

/** Media between port and remote may take a faster way from now on, where the backend has one.
 * Until agw_io_uninstall(), which comes before agw_io_remove(). A hint: nothing depends on it.
 * @return what agw_pkt.way of packets from port to remote may be; NULL = there is none. Packets
 *         that name it may be sent until agw_io_uninstall(), and by the first agw_io_tx() after it.
 */
static inline struct agw_way *agw_io_install(agw_io *io, agw_port *port, const agw_addr *remote)
{
    const bool is_known = io->backend->install != NULL && !port->tcp;
    return is_known ? io->backend->install(io, port, remote) : NULL;
}

static inline void agw_io_uninstall(agw_io *io, agw_port *port, const agw_addr *remote)
{
    if (io->backend->uninstall != NULL && !port->tcp)
        io->backend->uninstall(io, port, remote);
}

/** A port that has had an ICMP error (agw_port.icmp) since it was last returned here; NULL = none
 * is left. Such an error is an event, never the end of a leg. */
agw_port *agw_io_take_icmp(agw_io *io);

/** For backends. */
void agw_io_note_icmp(agw_io *io, agw_port *port, const agw_icmp *icmp);
void agw_io_forget_icmp(agw_io *io, agw_port *port);
uint32_t agw_io_new_id(agw_io *io);
/** For what stands on the udp backend: one more descriptor that ends a wait. */
AGW_NODISCARD agw_err agw_io_udp_watch(agw_io *io, int fd);

#endif
