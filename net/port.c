/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/port.h"

#include "net/tcp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum {
    PARKED_BUFFER = 1,  /* the kernel rounds up to room for about one datagram */
    DRAIN_LIMIT = 1024, /* a flood must not hold the control thread */
};

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* IPv4: a path MTU that ICMP reports is not believed, it may be forged and is as small as 552; our
 * datagrams go without DF, whoever must may cut them. IPv6: none is below 1280, and routers cut
 * nothing. */
static bool set_options(int fd, const agw_port_config *config)
{
    if (!set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1) ||
        (config->sampled != 0 && !set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1)))
        return false;
    if (config->local.family == AGW_FAMILY_IP6)
        return set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
               set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
               set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT);
    return set_int(fd, IPPROTO_IP, IP_RECVERR, 1) &&
           set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
}

/* FORCE needs CAP_NET_ADMIN and knows no limit; without it
 * net.core.{r,w}mem_max caps. */
static void set_buffer(int fd, int option, int force, size_t bytes)
{
    const int size = bytes < INT32_MAX / 2 ? (int)bytes : INT32_MAX / 2;
    if (!set_int(fd, SOL_SOCKET, force, size))
        (void)set_int(fd, SOL_SOCKET, option, size);
}

/* The kernel doubles what was asked for and reports that. */
static size_t granted_buffer(int fd)
{
    int size = 0;
    socklen_t len = sizeof size;
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) != 0 || size < 0)
        return 0;
    return (size_t)size / 2;
}

static bool read_local(int fd, agw_addr *local)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
           agw_addr_from_sockaddr(local, (const struct sockaddr *)&sa) == AGW_OK;
}

static bool apply_tos(agw_port *port, uint8_t tos)
{
    if (tos == port->tos_now)
        return true;
    const bool set = port->local.family == AGW_FAMILY_IP6
                         ? set_int(port->fd, IPPROTO_IPV6, IPV6_TCLASS, tos)
                         : set_int(port->fd, IPPROTO_IP, IP_TOS, tos);
    if (set)
        port->tos_now = tos;
    return set;
}

static void set_buffers(agw_port *port, const agw_port_config *config)
{
    if (config->buffer_bytes != 0 && !config->parked)
        set_buffer(port->fd, SO_RCVBUF, SO_RCVBUFFORCE, config->buffer_bytes);
    if (config->buffer_bytes != 0 && config->shared)
        set_buffer(port->fd, SO_SNDBUF, SO_SNDBUFFORCE, config->buffer_bytes);
    if (config->buffer_bytes == 0 || config->shared)
        port->buffer_bytes = granted_buffer(port->fd);
    if (config->parked)
        (void)set_int(port->fd, SOL_SOCKET, SO_RCVBUF, PARKED_BUFFER);
}

static bool prepare(agw_port *port, const agw_port_config *config)
{
    if (!set_options(port->fd, config))
        return false;
    set_buffers(port, config);
    return apply_tos(port, config->tos);
}

static bool bind_local(agw_port *port, const agw_addr *local)
{
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(local, &sa);
    return bind(port->fd, (const struct sockaddr *)&sa, len) == 0 &&
           (local->port != 0 || read_local(port->fd, &port->local));
}

static agw_err system_error(void)
{
    switch (errno) {
    case EADDRINUSE:
        return AGW_ERR_EXISTS;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return AGW_ERR_LIMIT;
    default:
        return AGW_ERR_SYSTEM;
    }
}

agw_err agw_port_open(agw_port *port, const agw_port_config *config)
{
    memset(port, 0, sizeof *port);
    port->shared = config->shared;
    port->parked = config->parked;
    port->sampled = config->sampled;
    port->local = config->local;
    const int domain = config->local.family == AGW_FAMILY_IP6 ? AF_INET6 : AF_INET;
    const int fd = socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    port->fd = fd;
    if (fd >= 0 && prepare(port, config) && bind_local(port, &config->local))
        return AGW_OK;
    const agw_err err = system_error();
    if (fd >= 0) {
        const int cause = errno;
        close(fd);
        errno = cause;
    }
    memset(port, 0, sizeof *port);
    return err;
}

void agw_port_close(agw_port *port)
{
    AGW_ASSERT(port->io == NULL);
    if (port->local.port == 0)
        return;
    if (port->tcp) {
        agw_tcp_close(port);
        return;
    }
    close(port->fd);
    memset(port, 0, sizeof *port);
}

agw_err agw_port_set_tos(agw_port *port, uint8_t tos)
{
    return apply_tos(port, tos) ? AGW_OK : AGW_ERR_SYSTEM;
}

/* A pending ICMP error makes one call fail and is gone then: only "nothing
 * there" ends the loop. */
static void drain(int fd, int flags)
{
    for (int i = 0; i < DRAIN_LIMIT; i++) {
        char byte;
        if (recv(fd, &byte, sizeof byte, flags | MSG_DONTWAIT) < 0 && errno == EAGAIN)
            return;
    }
}

/* What the receive queue and the error queue hold, and the running number of drops. */
static void read_meminfo(int fd, uint32_t info[SK_MEMINFO_VARS])
{
    socklen_t len = SK_MEMINFO_VARS * sizeof info[0];
    memset(info, 0, len);
    (void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
}

/* The last look at a queue also clears a pending error. Returns the kernel's number of drops. */
static uint32_t drain_all(int fd)
{
    uint32_t info[SK_MEMINFO_VARS];
    read_meminfo(fd, info);
    if (info[SK_MEMINFO_RMEM_ALLOC] != 0)
        drain(fd, MSG_ERRQUEUE);
    drain(fd, 0);
    if (info[SK_MEMINFO_RMEM_ALLOC] != 0)
        read_meminfo(fd, info);
    return info[SK_MEMINFO_DROPS];
}

void agw_port_park(agw_port *port)
{
    AGW_ASSERT(port->io == NULL);
    port->owner = NULL;
    port->parked = true;
    (void)set_int(port->fd, SOL_SOCKET, SO_RCVBUF, PARKED_BUFFER);
    (void)drain_all(port->fd);
}

static void clear_counters(agw_port *port)
{
    agw_counter *const counters[] = {&port->rx_packets, &port->rx_drops, &port->tx_packets,
                                     &port->tx_busy,    &port->tx_long,  &port->tx_errors,
                                     &port->icmp_errors};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        agw_counter_set(counters[i], 0);
    port->icmp = (agw_icmp){0};
}

static bool set_wants_tos(agw_port *port, bool wants)
{
    const bool ip6 = port->local.family == AGW_FAMILY_IP6;
    if (!set_int(port->fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVTCLASS : IP_RECVTOS,
                 wants))
        return false;
    port->wants_tos = wants;
    return true;
}

agw_err agw_port_want_tos(agw_port *port)
{
    return port->wants_tos || set_wants_tos(port, true) ? AGW_OK : AGW_ERR_SYSTEM;
}

void agw_port_unpark(agw_port *port, const agw_port_config *config)
{
    if (!port->parked)
        return; /* fresh */
    port->parked = false;
    clear_counters(port);
    if (port->wants_tos)
        (void)set_wants_tos(port, false);
    (void)apply_tos(port, config->tos); /* a packet's own tos is right in any case */
    port->drops_seen = drain_all(port->fd);
    const size_t bytes = config->buffer_bytes != 0 ? config->buffer_bytes : port->buffer_bytes;
    set_buffer(port->fd, SO_RCVBUF, SO_RCVBUFFORCE, bytes);
}
