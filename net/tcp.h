/* SPDX-License-Identifier: BSD-3-Clause
 * ICE over TCP, the passive side (RFC 6544): a port whose packets come and go on the connections
 * that peers open to it, framed as RFC 4571 says. For everything above net/ it is a port like
 * others: a packet has the port and the peer's address, which is the connection.
 *
 * A connection is a stranger's until agw_tcp_keep() says that its first packet proved itself. Until
 * then one packet is read of it; there are few such connections, of one address still fewer, and
 * none for long. Nothing is kept for a peer that does not read but the rest of one packet: what
 * else is sent to it is lost, as on UDP. */
#ifndef AGW_NET_TCP_H
#define AGW_NET_TCP_H

#include "net/io.h"
#include "net/port.h"

/** 0 = the default. */
typedef struct agw_tcp_config {
    agw_addr local; /* port 0: the kernel chooses */
    uint8_t tos;
    uint32_t strangers;         /* at once, 512; the oldest makes room for one more */
    uint32_t strangers_of_host; /* at once, 64, of an IPv4 address or of an IPv6 /64 */
    uint32_t prove_ms;          /* a stranger's time from accept to agw_tcp_keep(), 5000 */
} agw_tcp_config;

/** Opens, binds and listens. port is shared, to be closed by agw_port_close(); errors are those of
 * agw_port_open(). */
AGW_NODISCARD agw_err agw_tcp_open(agw_port *port, const agw_tcp_config *config);

/** The connection from remote is no stranger's any more: something authentic came on it. */
void agw_tcp_keep(agw_port *port, const agw_addr *remote);
/** Closes the connection from remote, if there is one. */
void agw_tcp_hang_up(agw_port *port, const agw_addr *remote);

/* For the backend. */

/** As agw_io_rx(), of this port; it is readable by its fd while there is something to do. */
size_t agw_tcp_rx(agw_port *port, agw_pkt *pkts[], size_t n);
/** The batch with the packets of the last agw_tcp_rx() is through: strangers that were not kept are
 * closed. Where agw_io.tcp_asked is not NULL. */
void agw_tcp_settle(agw_io *io);
/** Each packet leaves whole or not at all; returns how many were taken. */
size_t agw_tcp_send(agw_port *port, agw_pkt *const pkts[], size_t n);
/** Ends all connections; by agw_io_remove(). */
void agw_tcp_end_all(agw_port *port);
/** By agw_port_close(). */
void agw_tcp_close(agw_port *port);

#endif
