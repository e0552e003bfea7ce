/* SPDX-License-Identifier: BSD-3-Clause
 * The port's descriptor is an epoll set of its own: the listening socket, the connections and a
 * timer. So the backend watches one thing more, and has no more to look at for it. */
#include "net/tcp.h"

#include "base/map.h"
#include "base/rand.h"
#include "base/wire.h"
#include "net/framer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    STRANGERS = 512,
    STRANGERS_OF_HOST = 64,
    PROVE_MS = 5000,
    BACKLOG = 512,
    EVENTS = 64,         /* in one look */
    ACCEPTS = 16,        /* the same */
    TURN = 16,           /* packets of one connection before it is the next one's turn */
    BUFFER = 256 * 1024, /* of the kernel, each way */
    UNSENT = 16 * 1024,  /* waiting in the kernel, not yet on the way: media grows old there */
    UNHEARD_MS = 30000,  /* without an acknowledgement the peer is gone; as long as consent */
    PACKET_MAX = AGW_FRAMER_HEAD + AGW_PKT_HEADROOM + AGW_PKT_MAX + AGW_PKT_TAILROOM,
    IP6_HOST_BYTES = 8, /* who has an address has a /64 of them */
};

static const agw_ns PAUSE = AGW_S(1); /* of accepting, when descriptors or memory are short */
static const agw_ns AT_ONCE = 1;

typedef enum standing {
    STRANGER,
    ASKED, /* its first packet is on its way through the worker */
    KEPT,
} standing;

typedef struct conn {
    int fd;
    uint8_t state; /* standing */
    uint8_t tos;
    bool ready; /* in the list of those that may have packets */
    agw_addr remote;
    agw_ns prove_until;
    TAILQ_ENTRY(conn) by_age, by_turn;
    agw_framer in;
    size_t rest_at, rest_len; /* of the packet that the kernel took a part of */
    uint8_t rest[PACKET_MAX];
} conn;

typedef TAILQ_HEAD(conns, conn) conns;

struct agw_tcp {
    agw_port *port;
    agw_tcp_config config;
    int listen_fd, timer_fd;
    bool paused; /* does not accept */
    agw_ns paused_until;
    agw_map *by_remote; /* agw_addr -> conn */
    conns strangers;    /* oldest first; also those that are asked */
    conns kept;
    conns ready;
    size_t n_strangers;
    bool asked; /* in agw_io.tcp_asked */
    struct agw_tcp *next_asked;
};

static agw_tcp_counters *counters(const struct agw_tcp *t)
{
    return &t->port->io->tcp;
}

/* ---- watching ---- */

static bool watch(const struct agw_tcp *t, int op, int fd, uint32_t events, void *ptr)
{
    struct epoll_event event = {.events = events, .data.ptr = ptr};
    return epoll_ctl(t->port->fd, op, fd, &event) == 0;
}

/* One time for all; in the past: at once. */
static void set_timer(const struct agw_tcp *t, agw_ns at)
{
    const struct itimerspec when = {.it_value = {at / AGW_S(1), at % AGW_S(1)}};
    AGW_ASSERT(timerfd_settime(t->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static void make_ready(struct agw_tcp *t, conn *c)
{
    if (c->ready)
        return;
    c->ready = true;
    TAILQ_INSERT_TAIL(&t->ready, c, by_turn);
}

static void leave_ready(struct agw_tcp *t, conn *c)
{
    if (!c->ready)
        return;
    c->ready = false;
    TAILQ_REMOVE(&t->ready, c, by_turn);
}

/* ---- life of a connection ---- */

static void join(struct agw_tcp *t, conn *c, standing now)
{
    c->state = (uint8_t)now;
    TAILQ_INSERT_TAIL(now == KEPT ? &t->kept : &t->strangers, c, by_age);
    t->n_strangers += now != KEPT;
}

static void leave(struct agw_tcp *t, conn *c)
{
    TAILQ_REMOVE(c->state == KEPT ? &t->kept : &t->strangers, c, by_age);
    t->n_strangers -= c->state != KEPT;
}

static void end_conn(struct agw_tcp *t, conn *c)
{
    leave_ready(t, c);
    leave(t, c);
    AGW_ASSERT(agw_map_remove(t->by_remote, &c->remote) == c);
    agw_counter_add(&counters(t)->open, (uint64_t)-1);
    close(c->fd); /* which takes it out of the epoll set, too */
    free(c);
}

static void refuse(struct agw_tcp *t, conn *c, agw_counter *why)
{
    agw_counter_add(why, 1);
    end_conn(t, c);
}

static bool same_host(const agw_addr *a, const agw_addr *b)
{
    if (a->family == AGW_FAMILY_IP6)
        return memcmp(a->ip, b->ip, IP6_HOST_BYTES) == 0;
    return agw_addr_ip_equal(a, b);
}

static size_t strangers_of(const struct agw_tcp *t, const agw_addr *host)
{
    size_t n = 0;
    for (const conn *c = TAILQ_FIRST(&t->strangers); c != NULL; c = TAILQ_NEXT(c, by_age))
        n += same_host(&c->remote, host);
    return n;
}

static void set_int(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value); /* none of them is needed */
}

static void set_tos(int fd, agw_family family, uint8_t tos)
{
    if (family == AGW_FAMILY_IP6)
        set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, tos);
    else
        set_int(fd, IPPROTO_IP, IP_TOS, tos);
}

static conn *new_conn(struct agw_tcp *t, int fd, const agw_addr *remote, agw_ns now)
{
    conn *c = calloc(1, sizeof *c);
    if (c == NULL || !watch(t, EPOLL_CTL_ADD, fd, EPOLLIN, c)) {
        free(c);
        return NULL;
    }
    c->fd = fd;
    c->remote = *remote;
    c->tos = t->config.tos;
    c->prove_until = now + AGW_MS(t->config.prove_ms);
    return c;
}

static void take_conn(struct agw_tcp *t, int fd, const agw_addr *remote, agw_ns now)
{
    conn *former = agw_map_get(t->by_remote, remote);
    if (former != NULL)
        end_conn(t, former); /* the kernel knows that it has ended, we were about to be told */
    if (strangers_of(t, remote) >= t->config.strangers_of_host) {
        agw_counter_add(&counters(t)->refused_host, 1);
        close(fd);
        return;
    }
    if (t->n_strangers >= t->config.strangers)
        refuse(t, TAILQ_FIRST(&t->strangers), &counters(t)->refused_full);
    conn *c = new_conn(t, fd, remote, now);
    if (c == NULL) {
        close(fd);
        return;
    }
    if (TAILQ_EMPTY(&t->strangers))
        set_timer(t, c->prove_until);
    join(t, c, STRANGER);
    agw_map_put(t->by_remote, remote, c);
    agw_counter_add(&counters(t)->open, 1);
    agw_counter_add(&counters(t)->accepted, 1);
}

/* ---- accepting, and time ---- */

static bool is_shortage(int cause)
{
    return cause == EMFILE || cause == ENFILE || cause == ENOBUFS || cause == ENOMEM;
}

/* What cannot be accepted stays readable: without a pause we would turn in a circle. */
static void pause_accepting(struct agw_tcp *t, agw_ns now)
{
    t->paused = true;
    t->paused_until = now + PAUSE;
    (void)watch(t, EPOLL_CTL_MOD, t->listen_fd, 0, &t->listen_fd);
    if (TAILQ_EMPTY(&t->strangers) || TAILQ_FIRST(&t->strangers)->prove_until > t->paused_until)
        set_timer(t, t->paused_until);
}

static void accept_some(struct agw_tcp *t)
{
    const agw_ns now = agw_clock_now();
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof sa;
        agw_addr remote;
        const int fd =
            accept4(t->listen_fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && is_shortage(errno))
            pause_accepting(t, now);
        if (fd < 0)
            return;
        if (agw_addr_from_sockaddr(&remote, (const struct sockaddr *)&sa) == AGW_OK)
            take_conn(t, fd, &remote, now);
        else
            close(fd);
    }
}

static void on_timer(struct agw_tcp *t)
{
    const agw_ns now = agw_clock_now();
    uint64_t n;
    conn *oldest;
    (void)!read(t->timer_fd, &n, sizeof n);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see TAILQ_REMOVE move the head */
    while ((oldest = TAILQ_FIRST(&t->strangers)) != NULL && oldest->prove_until <= now)
        refuse(t, oldest, &counters(t)->refused_late);
    if (t->paused && t->paused_until <= now) {
        t->paused = false;
        (void)watch(t, EPOLL_CTL_MOD, t->listen_fd, EPOLLIN, &t->listen_fd);
    }
    agw_ns next = t->paused ? t->paused_until : AGW_NEVER;
    if (oldest != NULL)
        next = agw_earlier(next, oldest->prove_until);
    if (next != AGW_NEVER)
        set_timer(t, next);
}

/* ---- sending ---- */

static void send_on(struct agw_tcp *t, conn *c)
{
    const ssize_t n = send(c->fd, c->rest + c->rest_at, c->rest_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return; /* full, or broken, which reading will tell */
    c->rest_at += (size_t)n;
    c->rest_len -= (size_t)n;
    if (c->rest_len == 0)
        (void)watch(t, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
}

static void keep_rest(struct agw_tcp *t, conn *c, const struct iovec parts[2], size_t sent)
{
    uint8_t *end = c->rest;
    for (size_t i = 0; i < 2; i++) {
        memcpy(end, parts[i].iov_base, parts[i].iov_len);
        end += parts[i].iov_len;
    }
    c->rest_at = sent;
    c->rest_len = (size_t)(end - c->rest) - sent;
    (void)watch(t, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, c);
}

static void follow_tos(conn *c, const agw_pkt *pkt)
{
    if (c->tos == pkt->tos)
        return;
    c->tos = pkt->tos;
    set_tos(c->fd, (agw_family)c->remote.family, c->tos);
}

/* false: nothing of it was sent. */
static bool send_one(struct agw_tcp *t, conn *c, const agw_pkt *pkt)
{
    uint8_t head[AGW_FRAMER_HEAD];
    struct iovec parts[2] = {{head, sizeof head}, {pkt->data, pkt->len}};
    const struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    if (c->rest_len != 0) {
        agw_counter_add(&counters(t)->full, 1);
        return false;
    }
    follow_tos(c, pkt);
    agw_put16(head, (uint16_t)pkt->len);
    const ssize_t n = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        agw_counter_add(errno == EAGAIN ? &counters(t)->full : &t->port->io->tx_failed, 1);
        return false;
    }
    if ((size_t)n < sizeof head + pkt->len)
        keep_rest(t, c, parts, (size_t)n);
    return true;
}

size_t agw_tcp_send(agw_port *port, agw_pkt *const pkts[], size_t n)
{
    struct agw_tcp *t = port->tcp_side;
    size_t sent = 0;
    for (size_t i = 0; i < n; i++) {
        conn *c = agw_map_get(t->by_remote, &pkts[i]->remote);
        if (c != NULL)
            sent += send_one(t, c, pkts[i]);
        else
            agw_counter_add(&port->io->tx_failed, 1); /* it has ended; consent will show it */
    }
    return sent;
}

/* ---- receiving ---- */

static void set_pkt(const struct agw_tcp *t, const conn *c, agw_pkt *pkt, const uint8_t *data,
                    size_t len)
{
    agw_pkt_reset(pkt);
    if (len != 0)
        memcpy(pkt->data, data, len);
    pkt->len = len;
    pkt->cut = len == 0;
    pkt->port = t->port;
    pkt->remote = c->remote;
}

/* Its first packet goes to the worker now; agw_tcp_settle() wants to know what came of it. What
 * comes behind it, be it the end, is not read meanwhile: seen, it would keep the port readable, and
 * the backend would look again and again. */
static void ask(struct agw_tcp *t, conn *c)
{
    c->state = ASKED;
    (void)watch(t, EPOLL_CTL_DEL, c->fd, 0, c); /* it is in the set */
    if (t->asked)
        return;
    t->asked = true;
    t->next_asked = t->port->io->tcp_asked;
    t->port->io->tcp_asked = t;
}

/* Up to n packets that wait in the framer. */
static size_t take_packets(struct agw_tcp *t, conn *c, agw_pkt *pkts[], size_t n)
{
    size_t got = 0;
    while (got < n && c->state != ASKED) {
        const uint8_t *data = NULL;
        size_t len = 0;
        const agw_framer_result result = agw_framer_next(&c->in, &data, &len);
        if (result == AGW_FRAMER_MORE)
            break;
        set_pkt(t, c, pkts[got++], data, result == AGW_FRAMER_CUT ? 0 : len);
        if (c->state == STRANGER)
            ask(t, c);
    }
    return got;
}

typedef enum reading { READ, NOTHING_THERE, ENDED } reading;

static reading read_more(conn *c)
{
    size_t room;
    uint8_t *at = agw_framer_room(&c->in, &room);
    const ssize_t n = recv(c->fd, at, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return NOTHING_THERE;
    if (n <= 0)
        return ENDED;
    agw_framer_add(&c->in, (size_t)n);
    return READ;
}

/* One connection's turn. What is left in the framer keeps its place in the list, what is left in
 * the kernel shows in the next look. */
static size_t serve(struct agw_tcp *t, conn *c, agw_pkt *pkts[], size_t room)
{
    const size_t n = room < TURN ? room : TURN;
    size_t got = take_packets(t, c, pkts, n);
    if (got == 0 && c->state != ASKED) {
        const reading r = read_more(c);
        if (r == ENDED) {
            end_conn(t, c);
            return 0;
        }
        got = r == READ ? take_packets(t, c, pkts, n) : 0;
    }
    leave_ready(t, c);
    if (got == n && c->state == KEPT)
        make_ready(t, c);
    return got;
}

static void on_conn(struct agw_tcp *t, conn *c, uint32_t events)
{
    if ((events & EPOLLOUT) != 0)
        send_on(t, c);
    if ((events & ~(uint32_t)EPOLLOUT) != 0 && c->state != ASKED)
        make_ready(t, c);
}

/* Connections first: what comes after may end one that has an event here. */
static void look(struct agw_tcp *t)
{
    struct epoll_event events[EVENTS];
    bool timer = false, listener = false;
    const int n = epoll_wait(t->port->fd, events, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == &t->timer_fd)
            timer = true;
        else if (events[i].data.ptr == &t->listen_fd)
            listener = true;
        else
            on_conn(t, events[i].data.ptr, events[i].events);
    }
    if (timer)
        on_timer(t);
    if (listener)
        accept_some(t);
}

size_t agw_tcp_rx(agw_port *port, agw_pkt *pkts[], size_t n)
{
    struct agw_tcp *t = port->tcp_side;
    size_t got = 0;
    if (TAILQ_EMPTY(&t->ready))
        look(t);
    for (conn *c; got < n && (c = TAILQ_FIRST(&t->ready)) != NULL;)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see TAILQ_REMOVE move the head */
        got += serve(t, c, pkts + got, n - got);
    if (!TAILQ_EMPTY(&t->ready))
        set_timer(t, AT_ONCE);
    return got;
}

/* ---- trust ---- */

static void settle(struct agw_tcp *t)
{
    conn *c = TAILQ_FIRST(&t->strangers);
    t->asked = false;
    while (c != NULL) {
        conn *next = TAILQ_NEXT(c, by_age);
        if (c->state == ASKED)
            refuse(t, c, &counters(t)->refused_first);
        c = next;
    }
}

void agw_tcp_settle(agw_io *io)
{
    while (io->tcp_asked != NULL) {
        struct agw_tcp *t = io->tcp_asked;
        io->tcp_asked = t->next_asked;
        settle(t);
    }
}

void agw_tcp_keep(agw_port *port, const agw_addr *remote)
{
    struct agw_tcp *t = port->tcp_side;
    conn *c = agw_map_get(t->by_remote, remote);
    if (c == NULL || c->state != ASKED)
        return;
    if (!watch(t, EPOLL_CTL_ADD, c->fd, EPOLLIN, c)) {
        end_conn(t, c); /* memory is short */
        return;
    }
    leave(t, c);
    join(t, c, KEPT);
    make_ready(t, c); /* more may have come with the first packet */
    set_timer(t, AT_ONCE);
}

void agw_tcp_hang_up(agw_port *port, const agw_addr *remote)
{
    struct agw_tcp *t = port->tcp_side;
    conn *c = agw_map_get(t->by_remote, remote);
    if (c != NULL)
        end_conn(t, c);
}

/* ---- life ---- */

static void set_listener(int fd, const agw_tcp_config *config)
{
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* connections of our last run may linger */
    set_int(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNHEARD_MS);
    set_tos(fd, (agw_family)config->local.family, config->tos);
    if (config->local.family == AGW_FAMILY_IP6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

/* Accepted sockets have the options of the listening one. */
static bool start_listening(struct agw_tcp *t)
{
    const agw_addr *local = &t->config.local;
    struct sockaddr_storage sa;
    socklen_t len = agw_addr_to_sockaddr(local, &sa);
    t->listen_fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->listen_fd < 0)
        return false;
    set_listener(t->listen_fd, &t->config);
    if (bind(t->listen_fd, (struct sockaddr *)&sa, len) != 0 || listen(t->listen_fd, BACKLOG) != 0)
        return false;
    len = sizeof sa;
    return getsockname(t->listen_fd, (struct sockaddr *)&sa, &len) == 0 &&
           agw_addr_from_sockaddr(&t->port->local, (const struct sockaddr *)&sa) == AGW_OK;
}

static bool open_set(struct agw_tcp *t)
{
    t->port->fd = epoll_create1(EPOLL_CLOEXEC);
    t->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return t->port->fd >= 0 && t->timer_fd >= 0 &&
           watch(t, EPOLL_CTL_ADD, t->timer_fd, EPOLLIN, &t->timer_fd) &&
           watch(t, EPOLL_CTL_ADD, t->listen_fd, EPOLLIN, &t->listen_fd);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void free_side(struct agw_tcp *t)
{
    close_fd(t->listen_fd);
    close_fd(t->timer_fd);
    close_fd(t->port->fd);
    agw_map_free(t->by_remote);
    *t->port = (agw_port){0};
    free(t);
}

static agw_err open_error(int cause)
{
    if (cause == EADDRINUSE)
        return AGW_ERR_EXISTS;
    return is_shortage(cause) ? AGW_ERR_LIMIT : AGW_ERR_SYSTEM;
}

static struct agw_tcp *new_side(agw_port *port, const agw_tcp_config *config)
{
    uint8_t seed[16];
    struct agw_tcp *t = calloc(1, sizeof *t);
    AGW_ASSERT(t != NULL);
    agw_rand_bytes(seed, sizeof seed);
    t->by_remote = agw_map_new(sizeof(agw_addr), seed);
    AGW_ASSERT(t->by_remote != NULL);
    t->port = port;
    t->listen_fd = t->timer_fd = -1;
    t->config = *config;
    if (t->config.strangers == 0)
        t->config.strangers = STRANGERS;
    if (t->config.strangers_of_host == 0)
        t->config.strangers_of_host = STRANGERS_OF_HOST;
    if (t->config.prove_ms == 0)
        t->config.prove_ms = PROVE_MS;
    TAILQ_INIT(&t->strangers);
    TAILQ_INIT(&t->kept);
    TAILQ_INIT(&t->ready);
    return t;
}

agw_err agw_tcp_open(agw_port *port, const agw_tcp_config *config)
{
    *port = (agw_port){.fd = -1, .shared = true, .tcp = true};
    port->tcp_side = new_side(port, config);
    if (start_listening(port->tcp_side) && open_set(port->tcp_side))
        return AGW_OK;
    const int cause = errno;
    free_side(port->tcp_side);
    errno = cause;
    return open_error(cause);
}

void agw_tcp_end_all(agw_port *port)
{
    struct agw_tcp *t = port->tcp_side;
    conn *c;
    agw_tcp_settle(port->io);
    while ((c = TAILQ_FIRST(&t->strangers)) != NULL || (c = TAILQ_FIRST(&t->kept)) != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see TAILQ_REMOVE move the head */
        end_conn(t, c);
}

void agw_tcp_close(agw_port *port)
{
    free_side(port->tcp_side);
}
