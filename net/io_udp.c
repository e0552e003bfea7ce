/* SPDX-License-Identifier: BSD-3-Clause
 * The default backend: plain UDP sockets, no privilege (and TCP, by net/tcp.c). epoll
 * (level-triggered) says which ports have something, recvmmsg and sendmmsg move batches,
 * net/pacing.h decides about wake-ups.
 *
 * A pass visits every port of one epoll answer once and reads at most a quota
 * there; the kernel puts ports that were answered at the end of its list, so
 * that no port starves another. A stream's port mostly holds one datagram, and
 * looking for a second one costs nearly as much as reading the first: each port
 * is asked for as many as it is expected to hold, and what is left shows in the
 * next look. */
#include "net/io.h"
#include "net/pacing.h"
#include "net/tcp.h"
#include "net/udp_send.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_MAX = 256,                  /* ports in one pass */
    SHARED_QUOTA = 2 * AGW_PKT_BATCH, /* datagrams of one port in one pass */
    STREAM_QUOTA = 8,
    ICMP_QUOTA = 16,
};

_Static_assert((int)AGW_PORT_SAMPLED_SHARED > (int)AGW_PKT_BATCH, "at most one sample in one read");

/* SO_TIMESTAMPNS, SO_RXQ_OVFL once the port has lost something, and the DSCP and ECN byte. */
typedef struct ancillary {
    _Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct timespec)) +
                                           CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(int))];
} ancillary;

/* What recvmmsg wants, one of each for every packet of a batch. */
typedef struct burst {
    struct mmsghdr msgs[AGW_PKT_BATCH];
    struct iovec iovs[AGW_PKT_BATCH];
    struct sockaddr_storage names[AGW_PKT_BATCH];
    ancillary controls[AGW_PKT_BATCH];
} burst;

typedef struct udp_io {
    agw_io io;
    int epoll_fd, wake_fd;
    bool has_pwait2; /* epoll_pwait2 is missing before Linux 5.11, or forbidden in
                        a container */
    agw_pacing pacing;
    struct epoll_event ready[READY_MAX]; /* data.ptr: the port; NULL = removed or visited */
    size_t ready_count, ready_pos;
    size_t visit_left; /* of the quota of ready[ready_pos] */
    bool drained;      /* the last look found nothing more */
    uint32_t looks;    /* running number of the present pass; jumps at every wait */
    bool wake_seen;    /* wake_fd is readable */
    atomic_bool woken; /* somebody has called wake() and wait() has not seen it yet */
    burst rx;
    agw_udp_sender sender;
} udp_io;

static udp_io *udp_of(agw_io *io)
{
    return (udp_io *)io; /* its first member */
}

/* ---- the ready list ---- */

static size_t quota_of(const agw_port *port)
{
    return port->shared ? SHARED_QUOTA : STREAM_QUOTA;
}

static void visit_next(udp_io *u)
{
    while (u->ready_pos < u->ready_count && u->ready[u->ready_pos].data.ptr == NULL)
        u->ready_pos++;
    if (u->ready_pos < u->ready_count)
        u->visit_left = quota_of(u->ready[u->ready_pos].data.ptr);
}

/* ---- life ---- */

static bool watch(udp_io *u, int fd, void *ptr)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = ptr};
    return epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void udp_close(agw_io *io)
{
    udp_io *u = udp_of(io);
    if (u->wake_fd >= 0)
        close(u->wake_fd);
    if (u->epoll_fd >= 0)
        close(u->epoll_fd);
    free(u);
}

/* What never changes from batch to batch. */
static void prepare_burst(burst *b)
{
    for (size_t i = 0; i < AGW_PKT_BATCH; i++) {
        struct msghdr *m = &b->msgs[i].msg_hdr;
        m->msg_iov = &b->iovs[i];
        m->msg_iovlen = 1;
        m->msg_name = &b->names[i];
    }
}

static agw_io *udp_open(const agw_io_config *config)
{
    udp_io *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->io.backend = &agw_io_udp;
    u->has_pwait2 = true;
    atomic_init(&u->woken, false);
    agw_pacing_init(&u->pacing, AGW_US(config->tick_us));
    prepare_burst(&u->rx);
    agw_udp_sender_init(&u->sender, &u->io);
    u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    u->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->epoll_fd >= 0 && u->wake_fd >= 0 && watch(u, u->wake_fd, u))
        return &u->io;
    const int cause = errno;
    udp_close(&u->io);
    errno = cause;
    return NULL;
}

agw_err agw_io_udp_watch(agw_io *io, int fd)
{
    udp_io *u = udp_of(io);
    return watch(u, fd, &u->looks) ? AGW_OK : AGW_ERR_SYSTEM;
}

static agw_err udp_add(agw_io *io, agw_port *port)
{
    AGW_ASSERT(port->io == NULL);
    if (!watch(udp_of(io), port->fd, port))
        return errno == ENOSPC || errno == ENOMEM ? AGW_ERR_LIMIT : AGW_ERR_SYSTEM;
    port->io = io;
    port->id = agw_io_new_id(io);
    return AGW_OK;
}

static void udp_remove(agw_io *io, agw_port *port)
{
    udp_io *u = udp_of(io);
    AGW_ASSERT(port->io == io && port->tx_first == 0);
    if (port->tcp)
        agw_tcp_end_all(port);
    AGW_ASSERT(epoll_ctl(u->epoll_fd, EPOLL_CTL_DEL, port->fd, NULL) == 0);
    for (size_t i = u->ready_pos; i < u->ready_count; i++) {
        if (u->ready[i].data.ptr == port)
            u->ready[i].data.ptr = NULL;
    }
    if (u->ready_pos < u->ready_count && u->ready[u->ready_pos].data.ptr == NULL)
        visit_next(u); /* it was the one being read */
    agw_io_forget_icmp(io, port);
    port->io = NULL;
    port->id = 0;
}

/* ---- waiting ---- */

static int poll_ready(udp_io *u, agw_ns timeout)
{
    if (u->has_pwait2 && timeout > 0 && timeout != AGW_NEVER) {
        const struct timespec ts = {.tv_sec = timeout / AGW_S(1), .tv_nsec = timeout % AGW_S(1)};
        const int n = epoll_pwait2(u->epoll_fd, u->ready, READY_MAX, &ts, NULL);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n;
        u->has_pwait2 = false;
    }
    const agw_ns ms = timeout / AGW_MS(1) + (timeout % AGW_MS(1) != 0);
    return epoll_wait(u->epoll_fd, u->ready, READY_MAX,
                      timeout == AGW_NEVER ? -1
                      : ms < INT32_MAX     ? (int)ms
                                           : INT32_MAX);
}

/* A new pass. Returns whether any port is ready. */
static bool look(udp_io *u, agw_ns timeout)
{
    const int n = poll_ready(u, timeout);
    u->ready_count = n > 0 ? (size_t)n : 0;
    u->ready_pos = 0;
    u->looks++;
    for (size_t i = 0; i < u->ready_count; i++) {
        u->wake_seen |= u->ready[i].data.ptr == u;
        if (u->ready[i].data.ptr == u || u->ready[i].data.ptr == &u->looks)
            u->ready[i].data.ptr = NULL; /* no port */
    }
    visit_next(u);
    return u->ready_pos < u->ready_count;
}

static void sleep_until(agw_ns at)
{
    const struct timespec ts = {.tv_sec = at / AGW_S(1), .tv_nsec = at % AGW_S(1)};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Clears the descriptor first: who finds `woken` still set has pushed before we
 * look. */
static void take_wake(udp_io *u)
{
    if (!u->wake_seen && !atomic_load_explicit(&u->woken, memory_order_relaxed))
        return;
    uint64_t n;
    (void)!read(u->wake_fd, &n, sizeof n);
    u->wake_seen = false;
    (void)atomic_exchange_explicit(&u->woken, false, memory_order_acq_rel);
}

static void udp_wait(agw_io *io, agw_ns now, agw_ns deadline)
{
    udp_io *u = udp_of(io);
    agw_pacing_count(&u->pacing, io->packets);
    io->packets = 0;
    const agw_ns until = agw_pacing_sleep_until(&u->pacing, now, deadline);
    agw_counter_add(&io->waits, 1);
    u->drained = false;
    u->looks++;
    if (until > now) {
        agw_counter_add(&io->paced_waits, 1);
        u->ready_count = u->ready_pos = 0;
        sleep_until(until);
    } else {
        const agw_ns by =
            io->lazy_deadline != 0 ? agw_earlier(deadline, io->lazy_deadline) : deadline;
        const agw_ns timeout = by == AGW_NEVER ? AGW_NEVER : by - now;
        (void)look(u, timeout > 0 && !u->wake_seen ? timeout : 0);
    }
    take_wake(u);
}

static void udp_wake(agw_io *io)
{
    udp_io *u = udp_of(io);
    if (atomic_exchange_explicit(&u->woken, true, memory_order_acq_rel))
        return;
    const uint64_t one = 1;
    (void)!write(u->wake_fd, &one, sizeof one);
}

/* ---- receiving ---- */

static bool is_icmp(int level, int type)
{
    return (level == IPPROTO_IP && type == IP_RECVERR) ||
           (level == IPPROTO_IPV6 && type == IPV6_RECVERR);
}

static void note_error(udp_io *u, agw_port *port, struct msghdr *m)
{
    agw_icmp icmp = {.at = agw_clock_now()};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        struct sock_extended_err e;
        if (!is_icmp(c->cmsg_level, c->cmsg_type) || c->cmsg_len < CMSG_LEN(sizeof e))
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        if (e.ee_origin != SO_EE_ORIGIN_ICMP && e.ee_origin != SO_EE_ORIGIN_ICMP6)
            continue; /* our own kernel's complaint: seen at sending */
        icmp.type = e.ee_type;
        icmp.code = e.ee_code;
        if (m->msg_namelen != 0 && agw_addr_from_sockaddr(&icmp.remote, m->msg_name) != AGW_OK)
            icmp.remote = (agw_addr){0};
        agw_io_note_icmp(&u->io, port, &icmp);
    }
}

/* Reading the queue also clears the socket's pending error. */
static void drain_errors(udp_io *u, agw_port *port)
{
    for (int i = 0; i < ICMP_QUOTA; i++) {
        struct sockaddr_storage name;
        _Alignas(struct cmsghdr) uint8_t control[512];
        struct msghdr m = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        if (recvmsg(port->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        note_error(u, port, &m);
    }
}

static void count_drops(udp_io *u, agw_port *port, const struct cmsghdr *c)
{
    uint32_t drops;
    memcpy(&drops, CMSG_DATA(c), sizeof drops);
    agw_counter_add(&port->rx_drops, drops - port->drops_seen);
    agw_counter_add(&u->io.rx_drops, drops - port->drops_seen);
    port->drops_seen = drops;
}

static void take_stamp(agw_pkt *pkt, const struct cmsghdr *c)
{
    struct timespec ts;
    memcpy(&ts, CMSG_DATA(c), sizeof ts);
    pkt->arrived_at = agw_clock_of_wall(AGW_S(ts.tv_sec) + ts.tv_nsec);
}

/* A byte (IPv4) or an int (IPv6). */
static void take_tos(agw_pkt *pkt, const struct cmsghdr *c)
{
    int tos;
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
        pkt->tos = *(const uint8_t *)CMSG_DATA(c);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
        memcpy(&tos, CMSG_DATA(c), sizeof tos);
        pkt->tos = (uint8_t)tos;
    }
}

static void read_ancillary(udp_io *u, agw_port *port, agw_pkt *pkt, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            take_tos(pkt, c);
        else if (c->cmsg_type == SO_RXQ_OVFL)
            count_drops(u, port, c);
        else if (c->cmsg_type == SCM_TIMESTAMPNS)
            take_stamp(pkt, c);
    }
}

/* Which of the packets that are read next is a sample: its index, however few are there. */
static size_t next_sample(const agw_port *port)
{
    if (port->sampled == 0)
        return SIZE_MAX;
    const uint64_t past = agw_counter_get(&port->rx_packets) % port->sampled;
    return past == 0 ? 0 : (size_t)(port->sampled - past);
}

/* On such a port the kernel stamps whatever has room for it: only the sample has. The number of
 * drops waits for it. */
static void aim_rx(burst *b, const agw_port *port, agw_pkt *pkts[], size_t n)
{
    const size_t sample = next_sample(port);
    for (size_t i = 0; i < n; i++) {
        struct msghdr *m = &b->msgs[i].msg_hdr;
        const bool room = port->sampled == 0 || i == sample || port->wants_tos;
        agw_pkt_reset(pkts[i]);
        b->iovs[i] = (struct iovec){.iov_base = pkts[i]->data, .iov_len = AGW_PKT_MAX};
        m->msg_namelen = sizeof b->names[i];
        m->msg_control = room ? &b->controls[i] : NULL;
        m->msg_controllen = room ? sizeof b->controls[i] : 0;
    }
}

static void set_pkt(agw_pkt *pkt, agw_port *port, size_t len, bool cut, const void *name)
{
    pkt->len = len;
    pkt->cut = cut;
    pkt->port = port;
    if (agw_addr_from_sockaddr(&pkt->remote, name) != AGW_OK)
        pkt->remote = (agw_addr){0}; /* cannot be on an IP socket; matches nobody */
}

static int read_many(udp_io *u, agw_port *port, agw_pkt *pkts[], size_t n)
{
    aim_rx(&u->rx, port, pkts, n);
    const int got = recvmmsg(port->fd, u->rx.msgs, (unsigned)n, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        struct msghdr *m = &u->rx.msgs[i].msg_hdr;
        const bool cut = (m->msg_flags & MSG_TRUNC) != 0;
        set_pkt(pkts[i], port, u->rx.msgs[i].msg_len, cut, m->msg_name);
        if (m->msg_controllen != 0)
            read_ancillary(u, port, pkts[i], m);
    }
    return got;
}

/* One datagram without what recvmmsg does around it, a fifth of the cost. A number of drops waits
 * until the port is asked for more, which its full queue leads to. */
static int read_one(udp_io *u, agw_port *port, agw_pkt *pkt)
{
    struct sockaddr *name = (struct sockaddr *)&u->rx.names[0];
    socklen_t name_len = sizeof u->rx.names[0];
    agw_pkt_reset(pkt);
    const ssize_t len =
        recvfrom(port->fd, pkt->data, AGW_PKT_MAX, MSG_DONTWAIT | MSG_TRUNC, name, &name_len);
    if (len < 0)
        return -1;
    const bool cut = len > AGW_PKT_MAX;
    set_pkt(pkt, port, cut ? AGW_PKT_MAX : (size_t)len, cut, name);
    return 1;
}

static int read_some(udp_io *u, agw_port *port, agw_pkt *pkts[], size_t n)
{
    return n == 1 && port->sampled == 0 && !port->wants_tos ? read_one(u, port, pkts[0])
                                                            : read_many(u, port, pkts, n);
}

static int read_udp(udp_io *u, agw_port *port, agw_pkt *pkts[], size_t n)
{
    int got = read_some(u, port, pkts, n);
    if (got < 0 && errno != EAGAIN) {
        drain_errors(u, port); /* a pending ICMP error answered instead of data */
        got = read_some(u, port, pkts, n);
    }
    return got;
}

/* Reads up to n (<= AGW_PKT_BATCH) packets of one port. */
static size_t read_port(udp_io *u, agw_port *port, agw_pkt *pkts[], size_t n)
{
    const int got = port->tcp ? (int)agw_tcp_rx(port, pkts, n) : read_udp(u, port, pkts, n);
    if (got <= 0)
        return 0;
    agw_counter_add(&port->rx_packets, (uint64_t)got);
    agw_counter_add(&u->io.rx_packets, (uint64_t)got);
    return (size_t)got;
}

static void expect_more(agw_port *port)
{
    const unsigned twice = 2u * port->rx_expect;
    const size_t most = quota_of(port) < AGW_PKT_BATCH ? quota_of(port) : AGW_PKT_BATCH;
    port->rx_expect = (uint8_t)(twice < most ? twice : most);
}

/* How many datagrams to ask a port for: more when the pass before left something behind. */
static size_t expected(const udp_io *u, agw_port *port)
{
    if (port->rx_expect == 0)
        port->rx_expect = 1;
    else if (port->rx_look + 1 == u->looks)
        expect_more(port);
    port->rx_look = u->looks;
    return port->rx_expect;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One visit to the current port; goes on to the next one when it gave less than was asked for, when
 * its quota is used, or when it is a stream's. */
static size_t visit(udp_io *u, agw_pkt *pkts[], size_t room)
{
    struct epoll_event *event = &u->ready[u->ready_pos];
    agw_port *port = event->data.ptr;
    if ((event->events & EPOLLERR) != 0) {
        drain_errors(u, port);
        event->events &= ~(uint32_t)EPOLLERR;
    }
    const size_t want = least(expected(u, port), least(room, u->visit_left));
    const size_t got = (event->events & EPOLLIN) != 0 ? read_port(u, port, pkts, want) : 0;
    u->visit_left -= got;
    if (got < want)
        port->rx_expect = (uint8_t)(got != 0 ? got : 1);
    else if (port->shared)
        expect_more(port);
    if (got < want || u->visit_left == 0 || !port->shared) {
        event->data.ptr = NULL;
        visit_next(u);
    }
    return got;
}

static size_t udp_rx(agw_io *io, agw_pkt *pkts[], size_t n)
{
    udp_io *u = udp_of(io);
    size_t got = 0;
    while (got < n && !u->drained) {
        if (u->ready_pos < u->ready_count)
            got += visit(u, pkts + got, n - got);
        else
            u->drained = !look(u, 0);
    }
    if (got == 0)
        u->drained = false; /* said so; the next call looks again */
    io->packets += got;
    return got;
}

static size_t udp_tx(agw_io *io, agw_pkt *const pkts[], size_t n)
{
    const size_t sent = agw_udp_send(&udp_of(io)->sender, pkts, n);
    if (io->tcp_asked != NULL)
        agw_tcp_settle(io);
    return sent;
}

const agw_io_backend agw_io_udp = {
    .name = "udp",
    .open = udp_open,
    .close = udp_close,
    .add = udp_add,
    .remove = udp_remove,
    .wait = udp_wait,
    .rx = udp_rx,
    .tx = udp_tx,
    .wake = udp_wake,
};
