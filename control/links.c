/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/links.h"

#include <glib-unix.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ADDRESSES_MAX = 2 * AGW_INTERFACE_MAX,
    SETTLE_MS = 200, /* a change of a link comes as a burst of messages */
};

typedef struct watched {
    const agw_interface *interface;
    agw_addr addr;
    bool lost;
} watched;

struct agw_links {
    agw_events *events;
    int fd; /* netlink; -1 = none */
    guint source, timer;
    size_t n;
    watched addresses[ADDRESSES_MAX];
};

static void tell(const agw_links *links, const watched *w)
{
    char text[AGW_ADDR_TEXT];
    agw_addr_ip_text(&w->addr, text, sizeof text);
    agw_log(w->lost ? AGW_LOG_ERROR : AGW_LOG_WARN, NULL, "interface \"%s\": %s is %s",
            w->interface->name, text, w->lost ? "lost" : "back");
    (void)agw_events_send(links->events,
                          &(agw_notice){.event = w->lost ? "interface-lost" : "interface-back",
                                        .reason = w->interface->name,
                                        .detail = text},
                          agw_clock_wall_us());
}

static bool holds(const agw_addr *list, size_t n, const agw_addr *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (agw_addr_ip_equal(&list[i], addr))
            return true;
    }
    return false;
}

void agw_links_take(agw_links *links, const agw_addr *usable, size_t n)
{
    for (size_t i = 0; i < links->n; i++) {
        watched *w = &links->addresses[i];
        const bool lost = !holds(usable, n, &w->addr);
        if (lost == w->lost)
            continue;
        w->lost = lost;
        tell(links, w);
    }
}

/* An address of a device that is up and has its carrier. */
static void look(agw_links *links)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return;
    GArray *usable = g_array_new(FALSE, FALSE, sizeof(agw_addr));
    for (const struct ifaddrs *ifa = all; ifa != NULL; ifa = ifa->ifa_next) {
        agw_addr addr;
        if ((ifa->ifa_flags & IFF_UP) != 0 && (ifa->ifa_flags & IFF_RUNNING) != 0 &&
            ifa->ifa_addr != NULL && agw_addr_from_sockaddr(&addr, ifa->ifa_addr) == AGW_OK)
            g_array_append_val(usable, addr);
    }
    freeifaddrs(all);
    agw_links_take(links, (const agw_addr *)(const void *)usable->data, usable->len);
    g_array_free(usable, TRUE);
}

static gboolean on_settled(gpointer data)
{
    agw_links *links = data;
    links->timer = 0;
    look(links);
    return G_SOURCE_REMOVE;
}

/* What the messages say does not matter: all is looked at anew. */
static gboolean on_change(gint fd, GIOCondition condition, gpointer data)
{
    (void)condition;
    agw_links *links = data;
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
    if (links->timer == 0)
        links->timer = g_timeout_add(SETTLE_MS, on_settled, links);
    return G_SOURCE_CONTINUE;
}

static int open_netlink(void)
{
    const struct sockaddr_nl here = {.nl_family = AF_NETLINK,
                                     .nl_groups =
                                         RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&here, sizeof here) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void add(agw_links *links, const agw_interface *interface, const agw_addr *addr)
{
    if (agw_addr_is_set(addr))
        links->addresses[links->n++] = (watched){.interface = interface, .addr = *addr};
}

agw_links *agw_links_new(const agw_config *config, agw_events *events)
{
    agw_links *links = g_new0(agw_links, 1);
    links->events = events;
    for (size_t i = 0; i < config->gateway.n_interfaces; i++) {
        add(links, &config->gateway.interfaces[i], &config->gateway.interfaces[i].ip4);
        add(links, &config->gateway.interfaces[i], &config->gateway.interfaces[i].ip6);
    }
    links->fd = open_netlink();
    if (links->fd < 0) {
        agw_log(AGW_LOG_WARN, NULL, "interfaces are not watched: no netlink socket");
        return links;
    }
    links->source = g_unix_fd_add(links->fd, G_IO_IN, on_change, links);
    links->timer = g_timeout_add(SETTLE_MS, on_settled, links);
    return links;
}

void agw_links_free(agw_links *links)
{
    if (links == NULL)
        return;
    if (links->source != 0)
        g_source_remove(links->source);
    if (links->timer != 0)
        g_source_remove(links->timer);
    if (links->fd >= 0)
        close(links->fd);
    g_free(links);
}
