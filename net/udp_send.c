/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/udp_send.h"

#include "net/tcp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

enum {
    SPLIT_PACKETS = 64,  /* in one message; UDP_MAX_SEGMENTS of the older kernels */
    SPLIT_BYTES = 60000, /* an IP packet with its headers holds 65535 */
};

_Static_assert(AGW_PKT_BATCH < UINT8_MAX, "agw_port.tx_first counts to a whole batch");

void agw_udp_sender_init(agw_udp_sender *s, agw_io *io)
{
    s->io = io;
    s->can_split = true;
    for (size_t i = 0; i < AGW_PKT_BATCH; i++)
        s->msgs[i].msg_hdr.msg_name = &s->names[i];
}

/* ---- messages ---- */

/* How many packets from the first on can be one message: equally long but for the last one. */
static size_t run_length(agw_pkt *const pkts[], size_t n)
{
    const size_t len = pkts[0]->len;
    size_t bytes = len, run = 1;
    while (run < n && run < SPLIT_PACKETS && pkts[run - 1]->len == len && pkts[run]->len <= len &&
           pkts[run]->len > 0 && bytes + pkts[run]->len <= SPLIT_BYTES &&
           pkts[run]->tos == pkts[0]->tos && agw_addr_equal(&pkts[run]->remote, &pkts[0]->remote)) {
        bytes += pkts[run]->len;
        run++;
    }
    return run;
}

/* The n-th message's next piece of ancillary data. */
static void add_control(struct msghdr *m, int level, int type, const void *value, size_t size)
{
    struct cmsghdr *c = (struct cmsghdr *)(void *)((uint8_t *)m->msg_control + m->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), value, size);
    m->msg_controllen += CMSG_SPACE(size);
}

static void set_control(struct msghdr *m, agw_udp_control *control, const agw_pkt *pkt, size_t run)
{
    const bool ip6 = pkt->port->local.family == AGW_FAMILY_IP6;
    const int tos = pkt->tos;
    const uint16_t piece = (uint16_t)pkt->len;
    m->msg_control = control;
    m->msg_controllen = 0;
    if (pkt->tos != pkt->port->tos_now)
        add_control(m, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_TCLASS : IP_TOS, &tos,
                    sizeof tos);
    if (run > 1)
        add_control(m, IPPROTO_UDP, UDP_SEGMENT, &piece, sizeof piece);
    if (m->msg_controllen == 0)
        m->msg_control = NULL;
}

/* Makes messages of a port's packets, returns how many. */
static size_t aim(agw_udp_sender *s, agw_pkt *const pkts[], size_t n, bool split)
{
    size_t count = 0;
    for (size_t at = 0; at < n; count++) {
        struct msghdr *m = &s->msgs[count].msg_hdr;
        const size_t run = split ? run_length(pkts + at, n - at) : 1;
        for (size_t i = 0; i < run; i++)
            s->iovs[at + i] =
                (struct iovec){.iov_base = pkts[at + i]->data, .iov_len = pkts[at + i]->len};
        m->msg_iov = &s->iovs[at];
        m->msg_iovlen = run;
        m->msg_namelen = agw_addr_to_sockaddr(&pkts[at]->remote, &s->names[count]);
        set_control(m, &s->controls[count], pkts[at], run);
        s->packets[count] = (uint8_t)run;
        at += run;
    }
    return count;
}

/* ---- sending ---- */

static void count_failure(agw_port *port, int cause, size_t lost)
{
    if (cause == EAGAIN || cause == ENOBUFS)
        agw_counter_add(&port->tx_busy, lost);
    else if (cause == EMSGSIZE)
        agw_counter_add(&port->tx_long, lost);
    else
        agw_counter_add(&port->tx_errors, lost);
}

/* One datagram is sent without what sendmmsg does around it. */
static int send_some(const agw_port *port, struct mmsghdr *msgs, size_t n)
{
    if (n > 1)
        return sendmmsg(port->fd, msgs, (unsigned)n, MSG_DONTWAIT);
    const struct msghdr *m = &msgs->msg_hdr;
    const ssize_t sent = m->msg_control != NULL || m->msg_iovlen > 1
                             ? sendmsg(port->fd, m, MSG_DONTWAIT)
                             : sendto(port->fd, m->msg_iov->iov_base, m->msg_iov->iov_len,
                                      MSG_DONTWAIT, m->msg_name, m->msg_namelen);
    return sent >= 0 ? 1 : -1;
}

/* The kernel does not split this one: too long for the link, or it never does. */
static bool is_about_splitting(agw_udp_sender *s, int cause)
{
    if (cause == EIO || cause == EOPNOTSUPP || cause == ENOPROTOOPT)
        s->can_split = false;
    return !s->can_split || cause == EINVAL || cause == EMSGSIZE;
}

/* Sends a port's packets. An ICMP error that came since makes one call fail without sending; the
 * second try tells whether it is the datagram's own fault. */
static size_t send_port(agw_udp_sender *s, agw_port *port, agw_pkt *const pkts[], size_t n,
                        bool split)
{
    const size_t count = aim(s, pkts, n, split);
    size_t sent = 0, at = 0; /* packets */
    bool retried = false;
    for (size_t pos = 0; pos < count;) {
        const int got = send_some(port, s->msgs + pos, count - pos);
        for (int i = 0; i < got; i++, pos++) {
            sent += s->packets[pos];
            at += s->packets[pos];
        }
        if (got > 0) {
            retried = false;
        } else if (s->packets[pos] > 1 && is_about_splitting(s, errno)) {
            return sent + send_port(s, port, pkts + at, n - at, false);
        } else if (!retried && errno != EAGAIN && errno != ENOBUFS) {
            retried = true;
        } else { /* a full send queue is as full for the rest */
            const size_t lost = errno == EAGAIN ? n - at : s->packets[pos];
            count_failure(port, errno, lost);
            agw_counter_add(&s->io->tx_failed, lost);
            retried = false;
            at += lost;
            pos = errno == EAGAIN ? count : pos + 1;
        }
    }
    return sent;
}

/* ---- batches ---- */

/* Chains the packets of each port: next[] holds 1-based places, as do tx_first and tx_last. Returns
 * the places of the first packet of each port, in order of appearance. */
static size_t group(agw_pkt *const pkts[], size_t n, uint8_t next[], uint8_t firsts[])
{
    size_t ports = 0;
    for (size_t i = 0; i < n; i++) {
        if (pkts[i]->verdict != AGW_FORWARD)
            continue;
        agw_port *port = pkts[i]->port;
        const uint8_t place = (uint8_t)(i + 1);
        AGW_ASSERT(port != NULL);
        next[i] = 0;
        if (port->tx_first == 0) {
            port->tx_first = place;
            firsts[ports++] = place;
        } else {
            next[port->tx_last - 1] = place;
        }
        port->tx_last = place;
    }
    return ports;
}

static size_t send_chunk(agw_udp_sender *s, agw_pkt *const pkts[], size_t n)
{
    uint8_t next[AGW_PKT_BATCH], firsts[AGW_PKT_BATCH];
    const size_t ports = group(pkts, n, next, firsts);
    size_t sent = 0;
    for (size_t p = 0; p < ports; p++) {
        agw_port *port = pkts[firsts[p] - 1]->port;
        agw_pkt *list[AGW_PKT_BATCH];
        size_t count = 0;
        for (uint8_t place = firsts[p]; place != 0; place = next[place - 1])
            list[count++] = pkts[place - 1];
        const size_t left = port->tcp ? agw_tcp_send(port, list, count)
                                      : send_port(s, port, list, count, s->can_split);
        agw_counter_add(&port->tx_packets, left);
        sent += left;
        port->tx_first = port->tx_last = 0;
    }
    agw_counter_add(&s->io->tx_packets, sent);
    return sent;
}

size_t agw_udp_send(agw_udp_sender *s, agw_pkt *const pkts[], size_t n)
{
    size_t sent = 0;
    for (size_t pos = 0; pos < n; pos += AGW_PKT_BATCH)
        sent += send_chunk(s, pkts + pos, n - pos < AGW_PKT_BATCH ? n - pos : AGW_PKT_BATCH);
    return sent;
}
