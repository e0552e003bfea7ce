/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/xdp.h"

#include "base/log.h"
#include "net/xdp_flow.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The program, compiled at build time. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "agw_xdp_object:\n"
        ".incbin \"" AGW_XDP_OBJECT "\"\n"
        "agw_xdp_object_end:\n"
        ".balign 8\n"
        "agw_xdp_object_bytes:\n"
        ".quad agw_xdp_object_end - agw_xdp_object\n"
        ".previous\n");
extern const uint8_t agw_xdp_object[];
extern const uint64_t agw_xdp_object_bytes;

typedef struct attachment {
    agw_xdp_interface interface;
    struct bpf_object *object;
    int program_fd;
    int link_fd; /* the kernel takes the program off when it closes, however we end; 0 = none */
} attachment;

struct agw_xdp {
    size_t workers, n;
    attachment at[AGW_XDP_INTERFACES_MAX];
};

static agw_err fail(agw_err err, char *why, size_t size, const char *fmt, ...) AGW_PRINTF(4, 5);
static agw_err fail(agw_err err, char *why, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, size, fmt, args);
    va_end(args);
    return err;
}

static int log_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
    AGW_PRINTF(2, 0);
static int log_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
    char text[400];
    if (level == LIBBPF_DEBUG)
        return 0;
    const int n = vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = '\0';
    agw_log(AGW_LOG_DEBUG, NULL, "libbpf: %s", text);
    return n;
}

/* --- interfaces --------------------------------------------------------------------------------
 */

static bool find_interface(const agw_addr *address, char name[IF_NAMESIZE])
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
        agw_addr here;
        if (i->ifa_addr == NULL || agw_addr_from_sockaddr(&here, i->ifa_addr) != AGW_OK ||
            !agw_addr_ip_equal(&here, address) || (i->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        snprintf(name, IF_NAMESIZE, "%s", i->ifa_name);
        name[strcspn(name, ":")] = '\0'; /* an alias */
        found = true;
    }
    freeifaddrs(all);
    return found;
}

/* By ioctl: /sys may show another network namespace than ours. A driver that does not tell has one
 * queue. */
static uint32_t count_queues(const char *name)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq request = {.ifr_data = (char *)&channels};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 1;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    const bool told = ioctl(fd, SIOCETHTOOL, &request) == 0;
    close(fd);
    const uint32_t n = told ? channels.rx_count + channels.combined_count : 1;
    return n == 0 ? 1 : n < AGW_XDP_QUEUES_MAX ? n : AGW_XDP_QUEUES_MAX;
}

static int map_fd(const struct bpf_object *object, const char *name)
{
    const struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    return map != NULL ? bpf_map__fd(map) : -1;
}

static bool load(attachment *a, size_t workers)
{
    a->object = bpf_object__open_mem(agw_xdp_object, agw_xdp_object_bytes, NULL);
    if (a->object == NULL || bpf_object__load(a->object) != 0)
        return false;
    const struct bpf_program *program = bpf_object__find_program_by_name(a->object, "agw_redirect");
    a->program_fd = program != NULL ? bpf_program__fd(program) : -1;
    a->interface.flows_fd = map_fd(a->object, "flows");
    a->interface.sockets_fd = map_fd(a->object, "sockets");
    const int owners_fd = map_fd(a->object, "owners");
    for (uint32_t queue = 0; queue < AGW_XDP_QUEUES_MAX; queue++) {
        const uint32_t worker = queue % (uint32_t)workers;
        if (bpf_map_update_elem(owners_fd, &queue, &worker, BPF_ANY) != 0)
            return false;
    }
    return a->program_fd >= 0 && a->interface.flows_fd >= 0 && a->interface.sockets_fd >= 0;
}

/* Never in place of somebody else's program. */
static bool attach(attachment *a)
{
    const uint32_t modes[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
    for (size_t i = 0; i < 2; i++) {
        const struct bpf_link_create_opts mode = {.sz = sizeof mode, .flags = modes[i]};
        const int fd = bpf_link_create(a->program_fd, (int)a->interface.ifindex, BPF_XDP, &mode);
        if (fd < 0)
            continue;
        a->link_fd = fd;
        a->interface.native = modes[i] == XDP_FLAGS_DRV_MODE;
        return true;
    }
    return false;
}

static agw_err add_interface(agw_xdp *x, const char *name, char *why, size_t size)
{
    attachment *a = &x->at[x->n];
    const uint32_t ifindex = if_nametoindex(name);
    for (size_t i = 0; i < x->n; i++) {
        if (x->at[i].interface.ifindex == ifindex)
            return AGW_OK;
    }
    if (ifindex == 0 || x->n == AGW_XDP_INTERFACES_MAX)
        return fail(AGW_ERR_SYSTEM, why, size, "interface %s cannot be used", name);
    x->n++;
    snprintf(a->interface.name, sizeof a->interface.name, "%s", name);
    a->interface.ifindex = ifindex;
    a->interface.queues = count_queues(name);
    if (!load(a, x->workers))
        return fail(AGW_ERR_SYSTEM, why, size, "the kernel does not take the XDP program: %s",
                    strerror(errno));
    if (!attach(a))
        return fail(AGW_ERR_SYSTEM, why, size, "the XDP program cannot be put on %s: %s", name,
                    strerror(errno));
    return AGW_OK;
}

agw_err agw_xdp_open(agw_xdp **out, const agw_addr *addresses, size_t n, size_t workers, char *why,
                     size_t size)
{
    agw_xdp *x = calloc(1, sizeof *x);
    agw_err err = AGW_OK;
    if (x == NULL)
        return fail(AGW_ERR_SYSTEM, why, size, "out of memory");
    libbpf_set_print(log_libbpf);
    x->workers = workers;
    for (size_t i = 0; i < n && err == AGW_OK; i++) {
        char name[IF_NAMESIZE], text[AGW_ADDR_TEXT];
        if (find_interface(&addresses[i], name))
            err = add_interface(x, name, why, size);
        else
            err = fail(AGW_ERR_UNSUPPORTED, why, size, "%s is on no interface that XDP can use",
                       agw_addr_ip_text(&addresses[i], text, sizeof text));
    }
    if (err == AGW_OK)
        *out = x;
    else
        agw_xdp_close(x);
    return err;
}

void agw_xdp_close(agw_xdp *xdp)
{
    for (size_t i = 0; xdp != NULL && i < xdp->n; i++) {
        attachment *a = &xdp->at[i];
        if (a->link_fd != 0)
            close(a->link_fd);
        bpf_object__close(a->object);
    }
    free(xdp);
}

size_t agw_xdp_workers(const agw_xdp *xdp)
{
    return xdp->workers;
}

size_t agw_xdp_interfaces(const agw_xdp *xdp)
{
    return xdp->n;
}

const agw_xdp_interface *agw_xdp_interface_at(const agw_xdp *xdp, size_t i)
{
    return &xdp->at[i].interface;
}
