/* SPDX-License-Identifier: BSD-3-Clause
 * Helpers of the net tests: ports on loopback, recognizable payloads, plain sockets as peers. */
#ifndef AGW_TESTS_NET_LOOPBACK_H
#define AGW_TESTS_NET_LOOPBACK_H

#include "net/port.h"

#include "unit.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 5000 }; /* only reached when something is broken */

static inline agw_addr loopback(agw_family family)
{
    agw_addr a = {.family = (uint8_t)family};
    if (family == AGW_FAMILY_IP6) {
        a.ip[15] = 1;
    } else {
        a.ip[0] = 127;
        a.ip[3] = 1;
    }
    return a;
}

/** A port that the kernel chooses. */
static inline void open_loopback(agw_port *port, agw_family family, bool shared)
{
    const agw_port_config config = {.local = loopback(family), .shared = shared};
    CU_ASSERT_EQUAL_FATAL(agw_port_open(port, &config), AGW_OK);
}

/** Bytes that only number `n` of length `len` has. */
static inline void fill_payload(uint8_t *out, size_t len, uint32_t n)
{
    uint32_t state = n * 2654435761u + (uint32_t)len + 1;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (uint8_t)(state >> 24);
    }
}

static inline bool is_payload(const uint8_t *data, size_t len, uint32_t n)
{
    uint8_t expected[4096];
    fill_payload(expected, len, n);
    return memcmp(data, expected, len) == 0;
}

static inline bool send_plain(int fd, const agw_addr *to, const void *data, size_t len)
{
    struct sockaddr_storage sa;
    const socklen_t sa_len = agw_addr_to_sockaddr(to, &sa);
    return sendto(fd, data, len, 0, (const struct sockaddr *)&sa, sa_len) == (ssize_t)len;
}

/** Length of the next datagram, -1 when none comes. */
static inline ssize_t receive_plain(int fd, void *data, size_t room)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, PATIENCE_MS) == 1 ? recv(fd, data, room, MSG_DONTWAIT) : -1;
}

#endif
