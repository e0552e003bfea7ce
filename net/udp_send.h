/* SPDX-License-Identifier: BSD-3-Clause
 * Sending a batch by plain sockets: a port's packets in one sendmmsg, and what goes from one port
 * to one receiver in one piece, as video comes, in one message of it (UDP_SEGMENT): the way through
 * the kernel is then paid once. */
#ifndef AGW_NET_UDP_SEND_H
#define AGW_NET_UDP_SEND_H

#include "net/io.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

/** Ancillary data: IP_TOS or IPV6_TCLASS, and UDP_SEGMENT. */
typedef struct agw_udp_control {
    _Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t))];
} agw_udp_control;

/** What sendmmsg wants, room for one message per packet of a batch. */
typedef struct agw_udp_sender {
    agw_io *io;     /* whose counters; borrowed */
    bool can_split; /* the kernel takes UDP_SEGMENT */
    struct mmsghdr msgs[AGW_PKT_BATCH];
    uint8_t packets[AGW_PKT_BATCH]; /* in each message */
    struct iovec iovs[AGW_PKT_BATCH];
    struct sockaddr_storage names[AGW_PKT_BATCH];
    agw_udp_control controls[AGW_PKT_BATCH];
} agw_udp_sender;

void agw_udp_sender_init(agw_udp_sender *s, agw_io *io);
/** Sends the AGW_FORWARD packets of pkts as agw_io_tx() says; returns how many were sent. */
size_t agw_udp_send(agw_udp_sender *s, agw_pkt *const pkts[], size_t n);

#endif
