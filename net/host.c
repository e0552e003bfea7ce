/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/host.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

size_t agw_net_rlimit(size_t want)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) != 0)
        return 0;
    if (now.rlim_cur >= want)
        return now.rlim_cur;
    const struct rlimit both = {.rlim_cur = want, .rlim_max = want};
    const struct rlimit soft = {.rlim_cur = want < now.rlim_max ? want : now.rlim_max,
                                .rlim_max = now.rlim_max};
    if (want > now.rlim_max && setrlimit(RLIMIT_NOFILE, &both) == 0)
        return want; /* only a privileged process may */
    return setrlimit(RLIMIT_NOFILE, &soft) == 0 ? soft.rlim_cur : now.rlim_cur;
}

agw_err agw_net_parse_range(const char *text, uint16_t *min, uint16_t *max)
{
    char *end;
    const unsigned long low = strtoul(text, &end, 10);
    if (end == text)
        return AGW_ERR_MALFORMED;
    const char *second = end;
    const unsigned long high = strtoul(second, &end, 10);
    if (end == second || low > high || high > UINT16_MAX)
        return AGW_ERR_MALFORMED;
    *min = (uint16_t)low;
    *max = (uint16_t)high;
    return AGW_OK;
}

agw_err agw_net_local_range(uint16_t *min, uint16_t *max)
{
    FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (f == NULL)
        return AGW_ERR_SYSTEM;
    char line[64];
    const char *got = fgets(line, sizeof line, f);
    fclose(f);
    return got != NULL && agw_net_parse_range(line, min, max) == AGW_OK ? AGW_OK : AGW_ERR_SYSTEM;
}

static bool wanted(const struct ifaddrs *entry, agw_addr *addr)
{
    if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_UP) == 0 ||
        agw_addr_from_sockaddr(addr, entry->ifa_addr) != AGW_OK)
        return false;
    addr->port = 0;
    return addr->family != AGW_FAMILY_IP6 || addr->ip[0] != 0xfe || (addr->ip[1] & 0xc0) != 0x80;
}

static bool holds(const agw_addr *addrs, size_t n, const agw_addr *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (agw_addr_equal(&addrs[i], addr))
            return true;
    }
    return false;
}

agw_err agw_net_local_addresses(agw_addr *out, size_t room, size_t *n)
{
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0)
        return AGW_ERR_SYSTEM;
    *n = 0;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        agw_addr addr;
        if (!wanted(entry, &addr) || holds(out, *n < room ? *n : room, &addr))
            continue;
        if (*n < room)
            out[*n] = addr;
        ++*n;
    }
    freeifaddrs(list);
    return *n <= room ? AGW_OK : AGW_ERR_NO_SPACE;
}

bool agw_net_is_local(const agw_addr *addr)
{
    agw_addr any_port = *addr;
    any_port.port = 0;
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(&any_port, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const bool ours = bind(fd, (const struct sockaddr *)&sa, len) == 0;
    close(fd);
    return ours && agw_addr_is_set(addr) && !agw_addr_is_multicast(addr);
}
