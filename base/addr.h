/* SPDX-License-Identifier: BSD-3-Clause
 * IPv4 and IPv6 transport addresses as plain values. */
#ifndef AGW_BASE_ADDR_H
#define AGW_BASE_ADDR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum agw_family { AGW_FAMILY_NONE = 0, AGW_FAMILY_IP4 = 4, AGW_FAMILY_IP6 = 6 } agw_family;

/** An IP address with a port. Zeroed = none. Unused bytes are zero, so that memcmp compares. */
typedef struct agw_addr {
    uint8_t ip[16]; /* network order; IPv4 uses the first four */
    uint16_t port;  /* host order; 0 = none or irrelevant */
    uint8_t family; /* agw_family */
    uint8_t zero;
} agw_addr;

/** An address prefix, "10.0.0.0/8". */
typedef struct agw_prefix {
    agw_addr addr;
    uint8_t bits;
} agw_prefix;

/** Room for "[ffff:...:255.255.255.255]:65535" and its NUL. */
enum { AGW_ADDR_TEXT = 64 };

/** Parses a numeric IPv4 or IPv6 address without port ("10.0.0.1", "fd00::1", "[fd00::1]"); port
 * becomes 0. Never resolves names: AGW_ERR_MALFORMED. */
AGW_NODISCARD agw_err agw_addr_parse_ip(agw_addr *out, const char *text);

/** Parses "10.0.0.1:5060", "[fd00::1]:5060". */
AGW_NODISCARD agw_err agw_addr_parse(agw_addr *out, const char *text);

/** Parses "10.0.0.0/8"; without a slash the whole address counts. */
AGW_NODISCARD agw_err agw_prefix_parse(agw_prefix *out, const char *text);
bool agw_prefix_holds(const agw_prefix *prefix, const agw_addr *addr);

/** Write into out (AGW_ADDR_TEXT bytes are always enough) and return it. */
const char *agw_addr_text(const agw_addr *addr, char *out, size_t size); /* with port */
const char *agw_addr_ip_text(const agw_addr *addr, char *out,
                             size_t size); /* without port or brackets */

bool agw_addr_equal(const agw_addr *a, const agw_addr *b);    /* address and port */
bool agw_addr_ip_equal(const agw_addr *a, const agw_addr *b); /* address only */
bool agw_addr_is_any(const agw_addr *addr);                   /* 0.0.0.0 or :: */
bool agw_addr_is_loopback(const agw_addr *addr);
bool agw_addr_is_private(const agw_addr *addr); /* RFC 1918, RFC 4193, link-local, RFC 6598 */
bool agw_addr_is_multicast(const agw_addr *addr);

static inline bool agw_addr_is_set(const agw_addr *addr)
{
    return addr->family != AGW_FAMILY_NONE;
}

/** To and from the socket API. IPv4-mapped IPv6 addresses become IPv4. */
socklen_t agw_addr_to_sockaddr(const agw_addr *addr, struct sockaddr_storage *out);
AGW_NODISCARD agw_err agw_addr_from_sockaddr(agw_addr *out, const struct sockaddr *sa);

#endif
