/* SPDX-License-Identifier: BSD-3-Clause
 * The xdp backend: the udp backend, and beside it one AF_XDP socket for each queue that this worker
 * owns. Media of installed flows comes and goes through their rings; everything else, and
 * everything for which a ring has no room or a route is not known, takes the sockets of the udp
 * backend.
 *
 * A packet is copied once on each way (a call's packets are small, and a frame is free again at
 * once), so nothing above knows of frames. */
#include "base/heap.h"
#include "base/log.h"
#include "base/map.h"
#include "base/prefetch.h"
#include "base/rand.h"
#include "net/frame.h"
#include "net/io.h"
#include "net/route.h"
#include "net/xdp.h"
#include "net/xdp_flow.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <xdp/xsk.h>

enum {
    SENDING = AGW_XDP_FRAMES / 2, /* frames for sending; the rest waits for packets */
    RING = AGW_XDP_FRAMES / 2,
    SOCKETS_MAX = AGW_XDP_INTERFACES_MAX * 4,
    PORTS = 65536,
    KICK_PACKETS = 32,  /* that the kernel sends in one system call */
    KICKS_SPARE = 4,    /* more system calls than they need, for a driver that is busy */
    LOOK_UP_BUDGET = 8, /* routes looked up in one batch */
    LOOK_EVERY = 32,    /* waits between two looks for news; at the tick of 0.75 ms 24 ms */
    SOCKETS_SHARE = 4,  /* one place in so many is kept for what comes by sockets */
    PREFETCHED = 256,   /* bytes of a frame: all of an audio packet */
    PASSES = 8,         /* see read_sockets() */
    ETHERNET_HEADER = 14,
    FRAME_MTU = AGW_XDP_FRAME_BYTES - ETHERNET_HEADER,
};

/* Between two look-ups of a way: by a ring; for a neighbour that was not known. */
static const agw_ns LOOK_UP_AGAIN = AGW_S(5), ASK_AGAIN = AGW_MS(200);

/* Between two look-ups of ways that all is well with. One costs as much as five packets, and the
 * kernel tells of changes by itself: thousands of ways are asked about less often each. */
static const agw_ns CALM = AGW_MS(10);

/* One queue of one interface. */
typedef struct queue {
    const agw_xdp_interface *interface;
    uint32_t number;
    uint8_t *memory; /* AGW_XDP_UMEM_BYTES */
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    struct xsk_ring_prod fill, tx;
    struct xsk_ring_cons completion, rx;
    uint64_t spare[SENDING]; /* frames that may be written */
    size_t n_spare;
    uint32_t unsent; /* in the tx ring, as far as we know */
    uint64_t lost;   /* packets that the kernel had no room for, counted already */
} queue;

/* The way to one destination, kept as long as a flow goes there. */
typedef struct way_key {
    agw_addr local, remote; /* ports 0 */
} way_key;

typedef struct agw_way {
    /* what every packet needs: one line of the cache */
    alignas(AGW_CACHE_LINE) queue *queue; /* that sends there; NULL = the sockets do */
    agw_route route;
    uint32_t generation; /* of the kernel's tables when it was looked up */
    agw_ns asked_at;
    uint32_t held_in; /* a batch of which the sockets send the rest that goes there */
    uint16_t ip_id;   /* of the next packet */

    uint32_t flows;
    way_key key;
    struct agw_way *next; /* in xdp_lane.ended */
} agw_way;

_Static_assert(offsetof(agw_way, flows) <= AGW_CACHE_LINE, "as it says");

typedef struct xdp_lane {
    const agw_xdp *xdp;
    agw_routes *routes;
    uint32_t generation, waits;
    uint32_t batch;   /* running number of the one being sent */
    size_t looked_up; /* in this batch */
    agw_ns calm_until;
    unsigned passes;  /* over the rings since the sockets had nothing; 0: ask the sockets */
    agw_map *ways;    /* way_key -> agw_way */
    agw_way *ended;   /* packets of the present batch may still name them */
    agw_port **ports; /* by number, chained by fast_next */
    size_t worker, n_queues, next_queue;
    queue *queues[SOCKETS_MAX];
} xdp_lane;

/* --- queues ------------------------------------------------------------------------------------
 */

static void close_queue(queue *q)
{
    if (q->socket != NULL)
        xsk_socket__delete(q->socket);
    if (q->umem != NULL)
        (void)xsk_umem__delete(q->umem);
    if (q->memory != MAP_FAILED && q->memory != NULL)
        munmap(q->memory, AGW_XDP_UMEM_BYTES);
    free(q);
}

static void offer_all_frames(queue *q)
{
    uint32_t at = 0;
    const uint32_t n = AGW_XDP_FRAMES - SENDING;
    AGW_ASSERT(xsk_ring_prod__reserve(&q->fill, n, &at) == n);
    for (uint32_t i = 0; i < n; i++)
        *xsk_ring_prod__fill_addr(&q->fill, at + i) = (uint64_t)(SENDING + i) * AGW_XDP_FRAME_BYTES;
    xsk_ring_prod__submit(&q->fill, n);
    for (uint64_t i = 0; i < SENDING; i++)
        q->spare[i] = i * AGW_XDP_FRAME_BYTES;
    q->n_spare = SENDING;
}

static bool open_rings(queue *q)
{
    const struct xsk_umem_config memory = {
        .fill_size = 2 * RING, /* the kernel tells late how many frames it has taken out */
        .comp_size = RING,
        .frame_size = AGW_XDP_FRAME_BYTES,
    };
    const struct xsk_socket_config config = {
        .rx_size = RING,
        .tx_size = RING,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = XDP_USE_NEED_WAKEUP,
    };
    q->memory = mmap(NULL, AGW_XDP_UMEM_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (q->memory == MAP_FAILED)
        return false;
    int err = xsk_umem__create(&q->umem, q->memory, AGW_XDP_UMEM_BYTES, &q->fill, &q->completion,
                               &memory);
    if (err == 0)
        err = xsk_socket__create(&q->socket, q->interface->name, q->number, q->umem, &q->rx, &q->tx,
                                 &config);
    errno = -err;
    return err == 0;
}

static queue *open_queue(const agw_xdp_interface *interface, uint32_t number)
{
    queue *q = calloc(1, sizeof *q);
    AGW_ASSERT(q != NULL);
    q->interface = interface;
    q->number = number;
    if (open_rings(q)) {
        offer_all_frames(q);
        const int fd = xsk_socket__fd(q->socket);
        if (bpf_map_update_elem(interface->sockets_fd, &number, &fd, BPF_ANY) == 0)
            return q;
    }
    const int cause = errno;
    close_queue(q);
    errno = cause;
    return NULL;
}

static bool open_queues(agw_io *io, const agw_io_config *config)
{
    xdp_lane *lane = io->fast;
    for (size_t i = 0; i < agw_xdp_interfaces(config->xdp); i++) {
        const agw_xdp_interface *interface = agw_xdp_interface_at(config->xdp, i);
        for (uint32_t n = 0; n < interface->queues && lane->n_queues < SOCKETS_MAX; n++) {
            if (n % agw_xdp_workers(config->xdp) != config->worker)
                continue;
            queue *q = open_queue(interface, n);
            if (q == NULL)
                return false;
            lane->queues[lane->n_queues++] = q;
            if (agw_io_udp_watch(io, xsk_socket__fd(q->socket)) != AGW_OK)
                return false;
        }
    }
    return true;
}

/* --- ways --------------------------------------------------------------------------------------
 */

static way_key key_of(const agw_addr *local, const agw_addr *remote)
{
    way_key key = {.local = *local, .remote = *remote};
    key.local.port = key.remote.port = 0;
    return key;
}

static queue *queue_toward(const xdp_lane *lane, uint32_t ifindex)
{
    for (size_t i = 0; i < lane->n_queues; i++) {
        if (lane->queues[i]->interface->ifindex == ifindex)
            return lane->queues[i];
    }
    return NULL;
}

static void look_up(xdp_lane *lane, agw_way *w, agw_ns now)
{
    w->generation = lane->generation;
    w->asked_at = now;
    w->queue = NULL;
    if (agw_routes_find(lane->routes, &w->key.local, &w->key.remote, &w->route) != AGW_OK)
        return;
    w->queue = queue_toward(lane, w->route.ifindex);
    if (w->route.mtu > FRAME_MTU)
        w->route.mtu = FRAME_MTU;
}

static bool is_due(const xdp_lane *lane, const agw_way *w, agw_ns now)
{
    if (w->generation != lane->generation)
        return true;
    if (w->queue == NULL)
        return now - w->asked_at > ASK_AGAIN;
    return now - w->asked_at > LOOK_UP_AGAIN && now >= lane->calm_until;
}

/* May a ring take it? The packet of a look-up goes by the socket in any case: frames alone would
 * never make the kernel ask for the neighbour, nor notice that it is gone (RFC 4861 section 7.3),
 * nor tell it of a smaller path MTU. */
static bool is_for_ring(xdp_lane *lane, agw_way *w, const agw_pkt *pkt)
{
    if (w->held_in == lane->batch)
        return false;
    if (is_due(lane, w, pkt->rx_at) && lane->looked_up < LOOK_UP_BUDGET) {
        lane->looked_up++;
        lane->calm_until = pkt->rx_at + CALM;
        look_up(lane, w, pkt->rx_at);
        return false;
    }
    return w->queue != NULL &&
           agw_frame_headers(&pkt->remote) + pkt->len <= (size_t)ETHERNET_HEADER + w->route.mtu;
}

static agw_way *take_way(xdp_lane *lane, const agw_addr *local, const agw_addr *remote)
{
    const way_key key = key_of(local, remote);
    agw_way *w = agw_map_get(lane->ways, &key);
    if (w == NULL) {
        w = agw_heap_lines(sizeof *w);
        AGW_ASSERT(w != NULL);
        w->key = key;
        w->generation = lane->generation - 1; /* the first packet looks it up */
        agw_rand_bytes(&w->ip_id, sizeof w->ip_id);
        agw_map_put(lane->ways, &key, w);
    }
    w->flows++;
    return w;
}

static void give_way(xdp_lane *lane, const agw_addr *local, const agw_addr *remote)
{
    const way_key key = key_of(local, remote);
    agw_way *w = agw_map_get(lane->ways, &key);
    AGW_ASSERT(w != NULL && w->flows > 0);
    if (--w->flows != 0)
        return;
    (void)agw_map_remove(lane->ways, &key);
    w->next = lane->ended;
    lane->ended = w;
}

static void free_ended(xdp_lane *lane)
{
    for (agw_way *w; (w = lane->ended) != NULL;) {
        lane->ended = w->next;
        free(w);
    }
}

/* --- flows -------------------------------------------------------------------------------------
 */

static struct agw_xdp_flow flow_of(const agw_port *port, const agw_addr *remote)
{
    struct agw_xdp_flow flow = {.local_port = htons(port->local.port),
                                .remote_port = htons(remote->port)};
    memcpy(flow.local_ip, port->local.ip, sizeof flow.local_ip);
    memcpy(flow.remote_ip, remote->ip, sizeof flow.remote_ip);
    return flow;
}

/* Into the program of every interface: where a packet comes in is the network's choice. */
static agw_way *xdp_install(agw_io *io, agw_port *port, const agw_addr *remote)
{
    xdp_lane *lane = io->fast;
    const struct agw_xdp_flow flow = flow_of(port, remote);
    const uint32_t worker = (uint32_t)lane->worker;
    for (size_t i = 0; i < agw_xdp_interfaces(lane->xdp); i++) {
        const int flows_fd = agw_xdp_interface_at(lane->xdp, i)->flows_fd;
        if (bpf_map_update_elem(flows_fd, &flow, &worker, BPF_ANY) != 0)
            agw_log(AGW_LOG_DEBUG, NULL, "a flow stays with the sockets: %s", strerror(errno));
    }
    lane->passes = 0; /* what came before is in a socket */
    return take_way(lane, &port->local, remote);
}

static void xdp_uninstall(agw_io *io, agw_port *port, const agw_addr *remote)
{
    xdp_lane *lane = io->fast;
    const struct agw_xdp_flow flow = flow_of(port, remote);
    for (size_t i = 0; i < agw_xdp_interfaces(lane->xdp); i++)
        (void)bpf_map_delete_elem(agw_xdp_interface_at(lane->xdp, i)->flows_fd, &flow);
    give_way(lane, &port->local, remote);
}

/* --- receiving ---------------------------------------------------------------------------------
 */

static agw_port *find_port(const xdp_lane *lane, const agw_addr *to)
{
    agw_port *port = lane->ports[to->port];
    while (port != NULL && !agw_addr_ip_equal(&port->local, to))
        port = port->fast_next;
    return port;
}

/* Frames were written by another CPU, and ports are as many as calls: the whole batch waits for
 * them together (agw/warm.h). */
static void read_frames(const xdp_lane *lane, agw_frame out[], const struct iovec frames[],
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        agw_prefetch_span(frames[i].iov_base,
                          frames[i].iov_len < PREFETCHED ? frames[i].iov_len : PREFETCHED);
    for (size_t i = 0; i < n; i++) {
        if (agw_frame_read(&out[i], frames[i].iov_base, frames[i].iov_len) != AGW_OK)
            out[i] = (agw_frame){.len = 0}; /* to nobody */
        agw_prefetch(&lane->ports[out[i].to.port]);
    }
    for (size_t i = 0; i < n; i++)
        agw_prefetch(lane->ports[out[i].to.port]);
}

/* 0: it is none of the samples. */
static agw_ns stamp_of(const uint8_t *frame)
{
    struct agw_xdp_stamp stamp;
    memcpy(&stamp, frame, sizeof stamp);
    return stamp.mark == AGW_XDP_STAMP_MARK ? (agw_ns)((uint64_t)stamp.high << 32 | stamp.low) : 0;
}

static bool take_frame(const xdp_lane *lane, agw_pkt *pkt, const agw_frame *in,
                       const uint8_t *frame)
{
    agw_port *port = find_port(lane, &in->to);
    if (port == NULL)
        return false; /* it closed while this was on its way */
    agw_pkt_reset(pkt);
    pkt->len = in->len < AGW_PKT_MAX ? in->len : AGW_PKT_MAX;
    pkt->cut = in->len > AGW_PKT_MAX;
    pkt->port = port;
    pkt->remote = in->from;
    pkt->arrived_at = stamp_of(frame);
    pkt->tos = in->tos;
    memcpy(pkt->data, in->payload, pkt->len);
    agw_counter_add(&port->rx_packets, 1);
    return true;
}

static void give_frames_back(queue *q, const uint64_t frames[], uint32_t n)
{
    uint32_t at = 0;
    AGW_ASSERT(xsk_ring_prod__reserve(&q->fill, n, &at) == n); /* they came from there */
    for (uint32_t i = 0; i < n; i++)
        *xsk_ring_prod__fill_addr(&q->fill, at + i) = frames[i];
    xsk_ring_prod__submit(&q->fill, n);
    if (xsk_ring_prod__needs_wakeup(&q->fill))
        (void)recvfrom(xsk_socket__fd(q->socket), NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static size_t read_queue(agw_io *io, queue *q, agw_pkt *pkts[], size_t n)
{
    uint64_t frames[AGW_PKT_BATCH];
    struct iovec bytes[AGW_PKT_BATCH];
    agw_frame in[AGW_PKT_BATCH];
    uint32_t at = 0;
    size_t got = 0;
    const uint32_t there =
        xsk_ring_cons__peek(&q->rx, (uint32_t)(n < AGW_PKT_BATCH ? n : AGW_PKT_BATCH), &at);
    for (uint32_t i = 0; i < there; i++) {
        const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, at + i);
        frames[i] = d->addr - d->addr % AGW_XDP_FRAME_BYTES;
        bytes[i] = (struct iovec){q->memory + d->addr, d->len};
    }
    read_frames(io->fast, in, bytes, there);
    for (uint32_t i = 0; i < there; i++)
        got += take_frame(io->fast, pkts[got], &in[i], bytes[i].iov_base);
    xsk_ring_cons__release(&q->rx, there);
    if (there != 0)
        give_frames_back(q, frames, there);
    agw_counter_add(&io->rx_drops, there - got);
    return got;
}

static size_t read_queues(agw_io *io, agw_pkt *pkts[], size_t n)
{
    xdp_lane *lane = io->fast;
    size_t got = 0;
    for (size_t i = 0; i < lane->n_queues && got < n; i++) {
        queue *q = lane->queues[lane->next_queue++ % lane->n_queues];
        got += read_queue(io, q, pkts + got, n - got);
    }
    io->packets += got;
    agw_counter_add(&io->fast_rx, got);
    agw_counter_add(&io->rx_packets, got);
    return got;
}

/* Once the sockets had nothing they are asked again after the next wait, and meanwhile as often as
 * keeps STUN and DTLS alive beside rings that never run dry. */
static size_t read_sockets(agw_io *io, agw_pkt *pkts[], size_t n)
{
    xdp_lane *lane = io->fast;
    const size_t got = lane->passes == 0 ? agw_io_udp.rx(io, pkts, n) : 0;
    lane->passes = got == 0 ? (lane->passes + 1) % PASSES : 0;
    return got;
}

/* Sockets first: what waits there of a flow that was installed a moment ago is older than what its
 * ring has. */
static size_t xdp_rx(agw_io *io, agw_pkt *pkts[], size_t n)
{
    const size_t share = n / SOCKETS_SHARE + 1;
    size_t got = read_sockets(io, pkts, share < n ? share : n);
    const bool more = got == share;
    io->fast->looked_up = 0;
    got += read_queues(io, pkts + got, n - got);
    return more && got < n ? got + agw_io_udp.rx(io, pkts + got, n - got) : got;
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void collect_sent(queue *q)
{
    uint32_t at = 0;
    const uint32_t n = xsk_ring_cons__peek(&q->completion, RING, &at);
    for (uint32_t i = 0; i < n; i++)
        q->spare[q->n_spare++] = *xsk_ring_cons__comp_addr(&q->completion, at + i);
    xsk_ring_cons__release(&q->completion, n);
}

/* false: no frame or no room in the ring. */
static bool put_frame(agw_way *w, const agw_pkt *pkt)
{
    queue *q = w->queue;
    uint32_t at = 0;
    if (q->n_spare == 0)
        collect_sent(q);
    if (q->n_spare == 0 || xsk_ring_prod__reserve(&q->tx, 1, &at) != 1)
        return false;
    const agw_frame out = {.from = pkt->port->local,
                           .to = pkt->remote,
                           .payload = pkt->data,
                           .len = pkt->len,
                           .tos = pkt->tos,
                           .id = w->ip_id++};
    const uint64_t frame = q->spare[--q->n_spare];
    struct xdp_desc *d = xsk_ring_prod__tx_desc(&q->tx, at);
    d->addr = frame;
    d->options = 0;
    d->len = (uint32_t)agw_frame_write(q->memory + frame, &w->route, &out);
    xsk_ring_prod__submit(&q->tx, 1);
    q->unsent++;
    agw_counter_add(&pkt->port->tx_packets, 1);
    return true;
}

/* In copy mode the kernel sends inside this call. EAGAIN: there are more, or the driver is busy;
 * EBUSY: it has dropped one. What is left after all goes with the next batch. */
static void kick(agw_io *io, queue *q)
{
    const uint32_t tries = q->unsent / KICK_PACKETS + KICKS_SPARE;
    for (uint32_t i = 0; i < tries && xsk_ring_prod__needs_wakeup(&q->tx); i++) {
        if (sendto(xsk_socket__fd(q->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 ||
            (errno != EAGAIN && errno != EBUSY))
            break;
        agw_counter_add(&io->tx_failed, errno == EBUSY);
    }
    collect_sent(q);
    q->unsent = RING - xsk_prod_nb_free(&q->tx, RING);
}

/* What a ring does not take holds up all that follows it in the batch to the same destination. */
static bool send_fast(xdp_lane *lane, const agw_pkt *pkt)
{
    agw_way *w = pkt->way;
    if (w == NULL)
        return false;
    if (is_for_ring(lane, w, pkt) && put_frame(w, pkt))
        return true;
    w->held_in = lane->batch;
    return false;
}

/* Behind what the rings were given before. */
static size_t send_rest(agw_io *io, agw_pkt *const rest[], size_t n)
{
    xdp_lane *lane = io->fast;
    for (size_t i = 0; i < lane->n_queues; i++) {
        if (lane->queues[i]->unsent != 0)
            kick(io, lane->queues[i]);
    }
    return agw_io_udp.tx(io, rest, n);
}

static size_t send_chunk(agw_io *io, agw_pkt *const pkts[], size_t n)
{
    agw_pkt *rest[AGW_PKT_BATCH];
    size_t n_rest = 0, fast = 0;
    for (size_t i = 0; i < n; i++) {
        if (pkts[i]->verdict != AGW_FORWARD)
            continue;
        if (send_fast(io->fast, pkts[i]))
            fast++;
        else
            rest[n_rest++] = pkts[i];
    }
    agw_counter_add(&io->fast_tx, fast);
    agw_counter_add(&io->tx_packets, fast);
    return fast + send_rest(io, rest, n_rest);
}

static size_t xdp_tx(agw_io *io, agw_pkt *const pkts[], size_t n)
{
    size_t sent = 0;
    io->fast->batch++;
    for (size_t at = 0; at < n; at += AGW_PKT_BATCH)
        sent += send_chunk(io, pkts + at, n - at < AGW_PKT_BATCH ? n - at : AGW_PKT_BATCH);
    free_ended(io->fast);
    return sent;
}

/* --- ports and life ----------------------------------------------------------------------------
 */

static agw_err xdp_add(agw_io *io, agw_port *port)
{
    const agw_err err = agw_io_udp.add(io, port);
    agw_port **head = &io->fast->ports[port->local.port];
    if (err != AGW_OK || port->tcp)
        return err;
    port->fast_next = *head;
    *head = port;
    return AGW_OK;
}

static void unlist(xdp_lane *lane, agw_port *port)
{
    agw_port **link = &lane->ports[port->local.port];
    while (*link != port)
        link = &(*link)->fast_next;
    *link = port->fast_next;
    port->fast_next = NULL;
}

static void xdp_remove(agw_io *io, agw_port *port)
{
    if (!port->tcp)
        unlist(io->fast, port);
    agw_io_udp.remove(io, port);
}

static void free_lane(xdp_lane *lane)
{
    if (lane == NULL)
        return;
    for (size_t i = 0; i < lane->n_queues; i++)
        close_queue(lane->queues[i]);
    if (lane->routes != NULL)
        agw_routes_free(lane->routes);
    if (lane->ways != NULL)
        agw_map_free(lane->ways);
    free_ended(lane);
    free(lane->ports);
    free(lane);
}

static void xdp_close_io(agw_io *io)
{
    xdp_lane *lane = io->fast;
    io->fast = NULL;
    agw_io_udp.close(io);
    free_lane(lane); /* behind the epoll set that knows its descriptors */
}

static agw_io *xdp_open_io(const agw_io_config *config)
{
    uint8_t seed[16];
    agw_io *io = agw_io_udp.open(config);
    xdp_lane *lane = io != NULL ? calloc(1, sizeof *lane) : NULL;
    if (lane == NULL)
        return io;
    agw_rand_bytes(seed, sizeof seed);
    io->backend = agw_io_xdp();
    io->fast = lane;
    lane->xdp = config->xdp;
    lane->worker = config->worker;
    lane->routes = agw_routes_new();
    lane->ways = agw_map_new(sizeof(way_key), seed);
    lane->ports = calloc(PORTS, sizeof(agw_port *));
    if (lane->routes != NULL && lane->ways != NULL && lane->ports != NULL &&
        agw_io_udp_watch(io, agw_routes_fd(lane->routes)) == AGW_OK && open_queues(io, config))
        return io;
    const int cause = errno;
    xdp_close_io(io);
    errno = cause;
    return NULL;
}

/* The kernel drops what finds the ring full, or no frame to lie in. */
static void count_lost(agw_io *io, queue *q)
{
    struct xdp_statistics told;
    socklen_t len = sizeof told;
    if (getsockopt(xsk_socket__fd(q->socket), SOL_XDP, XDP_STATISTICS, &told, &len) != 0)
        return;
    const uint64_t lost = told.rx_dropped + told.rx_ring_full;
    agw_counter_add(&io->rx_drops, lost - q->lost);
    q->lost = lost;
}

static void xdp_wait(agw_io *io, agw_ns now, agw_ns deadline)
{
    xdp_lane *lane = io->fast;
    agw_io_udp.wait(io, now, deadline);
    lane->passes = 0;
    if (++lane->waits % LOOK_EVERY != 0)
        return;
    lane->generation += agw_routes_changed(lane->routes);
    for (size_t i = 0; i < lane->n_queues; i++)
        count_lost(io, lane->queues[i]);
}

static void xdp_wake(agw_io *io)
{
    agw_io_udp.wake(io);
}

const agw_io_backend *agw_io_xdp(void)
{
    static const agw_io_backend backend = {
        .name = "xdp",
        .open = xdp_open_io,
        .close = xdp_close_io,
        .add = xdp_add,
        .remove = xdp_remove,
        .wait = xdp_wait,
        .rx = xdp_rx,
        .tx = xdp_tx,
        .wake = xdp_wake,
        .install = xdp_install,
        .uninstall = xdp_uninstall,
    };
    return &backend;
}
