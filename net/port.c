/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/port.h"

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
static bool set_options(int fd, const agw_addr *local)
{
    if (!set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1))
        return false;
    if (local->family == AGW_FAMILY_IP6)
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
    int domain = AF_INET;
    socklen_t len = sizeof domain;
    (void)getsockopt(port->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
    const bool set = domain == AF_INET6 ? set_int(port->fd, IPPROTO_IPV6, IPV6_TCLASS, tos)
                                        : set_int(port->fd, IPPROTO_IP, IP_TOS, tos);
    if (set)
        port->tos_now = tos;
    return set;
}

static bool prepare(agw_port *port, const agw_port_config *config)
{
    if (!set_options(port->fd, &config->local))
        return false;
    if (config->buffer_bytes != 0)
        set_buffer(port->fd, SO_RCVBUF, SO_RCVBUFFORCE, config->buffer_bytes);
    if (config->buffer_bytes != 0 && config->shared)
        set_buffer(port->fd, SO_SNDBUF, SO_SNDBUFFORCE, config->buffer_bytes);
    port->buffer_bytes = granted_buffer(port->fd);
    return apply_tos(port, config->tos);
}

static bool bind_local(agw_port *port, const agw_addr *local)
{
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(local, &sa);
    return bind(port->fd, (const struct sockaddr *)&sa, len) == 0 &&
           read_local(port->fd, &port->local);
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

static void drain_all(int fd)
{
    drain(fd, MSG_ERRQUEUE);
    drain(fd, 0);
}

void agw_port_park(agw_port *port)
{
    AGW_ASSERT(port->io == NULL);
    port->owner = NULL;
    (void)set_int(port->fd, SOL_SOCKET, SO_RCVBUF, PARKED_BUFFER);
    drain_all(port->fd);
}

static uint32_t kernel_drops(int fd)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;
    (void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
    return info[SK_MEMINFO_DROPS];
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

void agw_port_unpark(agw_port *port, const agw_port_config *config)
{
    clear_counters(port);
    (void)apply_tos(port, config->tos); /* a packet's own tos is right in any case */
    drain_all(port->fd);
    port->drops_seen = kernel_drops(port->fd);
    const size_t bytes = config->buffer_bytes != 0 ? config->buffer_bytes : port->buffer_bytes;
    set_buffer(port->fd, SO_RCVBUF, SO_RCVBUFFORCE, bytes);
}
