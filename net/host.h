/* SPDX-License-Identifier: BSD-3-Clause
 * What start-up asks this machine: descriptors, the kernel's own port range, local addresses. */
#ifndef AGW_NET_HOST_H
#define AGW_NET_HOST_H

#include "base/addr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Raises RLIMIT_NOFILE to want, as far as allowed; never lowers it. @return what holds now. */
size_t agw_net_rlimit(size_t want);

/** The range from which the kernel gives ports to others (net.ipv4.ip_local_port_range, for both
 * families): core ports there can be missing. AGW_ERR_SYSTEM: not readable. */
AGW_NODISCARD agw_err agw_net_local_range(uint16_t *min, uint16_t *max);
/** Parses "32768\t60999". AGW_ERR_MALFORMED. */
AGW_NODISCARD agw_err agw_net_parse_range(const char *text, uint16_t *min, uint16_t *max);

/** Addresses of interfaces that are up, loopback included, IPv6 link-local left out (they need an
 * interface name); each once.
 * @param n  out: how many there are
 * @return AGW_OK; AGW_ERR_NO_SPACE when n > room (the first room are filled); AGW_ERR_SYSTEM */
AGW_NODISCARD agw_err agw_net_local_addresses(agw_addr *out, size_t room, size_t *n);

/** Whether a socket can be bound to that address: it is ours. */
bool agw_net_is_local(const agw_addr *addr);

#endif
