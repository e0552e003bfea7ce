/* SPDX-License-Identifier: BSD-3-Clause
 * What must hold between the options, and questions to a finished configuration. */
#include "control/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PORTS_MIN = 8, /* fewer core ports than this are surely a mistake */
    DEMO_NG_PORT = 22222,
};

static agw_err refuse(char *why, size_t size, const char *fmt, ...) AGW_PRINTF(3, 4);

static agw_err refuse(char *why, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, size, fmt, args);
    va_end(args);
    return AGW_ERR_STATE;
}

const char *agw_realm_profile_text(agw_realm_profile profile)
{
    static const char *const TEXTS[] = {"none", "webrtc", "ims", "sip"};
    return TEXTS[profile];
}

static bool parse_profile(const char *text, agw_realm_profile *out)
{
    for (int i = AGW_REALM_NONE; i <= AGW_REALM_SIP; i++) {
        if (strcmp(text, agw_realm_profile_text((agw_realm_profile)i)) == 0) {
            *out = (agw_realm_profile)i;
            return true;
        }
    }
    return false;
}

int agw_config_interface(const agw_config *config, const char *name)
{
    for (size_t i = 0; i < config->gateway.n_interfaces; i++) {
        if (strcmp(config->gateway.interfaces[i].name, name != NULL ? name : "") == 0)
            return (int)i;
    }
    return -1;
}

int agw_config_interface_of_profile(const agw_config *config, agw_realm_profile profile)
{
    for (size_t i = 0; i < config->gateway.n_interfaces; i++) {
        if (config->profiles[i] == profile)
            return (int)i;
    }
    return -1;
}

int agw_config_realm_of(const agw_config *config, const agw_addr *addr)
{
    int best = -1, bits = -1;
    for (size_t i = 0; i < config->n_realms; i++) {
        const agw_realm_prefix *realm = &config->realms[i];
        if (realm->prefix.bits > bits && agw_prefix_holds(&realm->prefix, addr)) {
            best = (int)realm->interface;
            bits = realm->prefix.bits;
        }
    }
    return best;
}

bool agw_config_ng_allowed(const agw_config *config, const agw_addr *addr)
{
    for (size_t i = 0; i < config->n_ng_allow; i++) {
        if (agw_prefix_holds(&config->ng_allow[i], addr))
            return true;
    }
    return false;
}

/* --- finishing ---------------------------------------------------------------------------------
 */

static agw_err set_default(agw_config *config, const char *name, const char *value)
{
    char why[200];
    return agw_config_set(config, name, value, why, sizeof why);
}

/* A demo without a word works by itself: both sides on one address, control on loopback. */
static agw_err fill_demo(agw_config *config)
{
    agw_err err = AGW_OK;
    if (!config->demo)
        return err;
    config->foreground = true;
    if (config->gateway.n_interfaces == 0) {
        const char *address = config->demo_address[0] != '\0' ? config->demo_address : "127.0.0.1";
        char *access = g_strconcat("access/", address, NULL);
        err = set_default(config, "interface", access);
        g_free(access);
        if (err == AGW_OK)
            err = set_default(config, "interface", "core/127.0.0.1");
    }
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", DEMO_NG_PORT);
    if (err == AGW_OK && config->n_ng_listen == 0)
        err = set_default(config, "listen-ng", listen);
    return err;
}

static void fill_profiles(agw_config *config)
{
    for (size_t i = 0; i < config->gateway.n_interfaces; i++) {
        const char *name = config->gateway.interfaces[i].name;
        config->profiles[i] = strcmp(name, "access") == 0 ? AGW_REALM_WEBRTC
                              : strcmp(name, "core") == 0 ? AGW_REALM_IMS
                                                          : AGW_REALM_NONE;
    }
}

/* "profile=NAME=WORD" or "realm-prefix=NAME=CIDR". */
static agw_err apply_later(agw_config *config, const char *text, char *why, size_t size)
{
    char **parts = g_strsplit(text, "=", 3);
    const int interface = agw_config_interface(config, parts[1]);
    agw_err err = AGW_OK;
    if (interface < 0)
        err = refuse(why, size, "%s: there is no interface \"%s\"", parts[0], parts[1]);
    else if (strcmp(parts[0], "profile") == 0) {
        if (!parse_profile(parts[2], &config->profiles[interface]))
            err = refuse(why, size, "profile can be webrtc, ims, sip or none, not %s", parts[2]);
    } else if (config->n_realms == AGW_CONFIG_REALM_MAX)
        err = refuse(why, size, "too many values of realm-prefix");
    else if (agw_prefix_parse(&config->realms[config->n_realms].prefix, parts[2]) != AGW_OK)
        err = refuse(why, size, "realm-prefix wants ADDRESS/BITS, not %s", parts[2]);
    else
        config->realms[config->n_realms++].interface = (size_t)interface;
    g_strfreev(parts);
    return err;
}

static agw_err check_address(const agw_addr *addr, char *why, size_t size)
{
    if (!agw_addr_is_set(addr))
        return AGW_OK;
    char text[AGW_ADDR_TEXT];
    agw_addr_ip_text(addr, text, sizeof text);
    if (agw_addr_is_any(addr) || agw_addr_is_multicast(addr))
        return refuse(why, size, "interface %s is not one address of this machine", text);
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(addr, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&sa, len) == 0;
    const int reason = errno;
    if (fd >= 0)
        close(fd);
    if (bound)
        return AGW_OK;
    return refuse(why, size, "interface %s is not an address of this machine (%s)", text,
                  g_strerror(reason));
}

static agw_err check_interfaces(const agw_config *config, char *why, size_t size)
{
    if (config->gateway.n_interfaces == 0)
        return refuse(why, size, "no interface is given (--interface=ADDRESS)");
    agw_err err = AGW_OK;
    for (size_t i = 0; i < config->gateway.n_interfaces && err == AGW_OK; i++) {
        err = check_address(&config->gateway.interfaces[i].ip4, why, size);
        if (err == AGW_OK)
            err = check_address(&config->gateway.interfaces[i].ip6, why, size);
    }
    return err;
}

static unsigned access_ports(const agw_gateway_config *gw)
{
    const unsigned workers = gw->workers != 0 ? gw->workers : (unsigned)g_get_num_processors();
    return workers * gw->access_sockets;
}

static agw_err check_ports(const agw_gateway_config *gw, char *why, size_t size)
{
    const int first = gw->port_min, last = gw->port_max, base = gw->access_port;
    if (first > last)
        return refuse(why, size, "port-min %d is above port-max %d", first, last);
    const int shared = (int)access_ports(gw), needed = PORTS_MIN + (base == 0 ? shared : 0);
    if (last - first + 1 < needed)
        return refuse(why, size, "ports %d to %d are %d, at least %d are needed", first, last,
                      last - first + 1, needed);
    if (base <= 0)
        return AGW_OK;
    if (base + shared - 1 > UINT16_MAX)
        return refuse(why, size, "access ports %d to %d go past 65535", base, base + shared - 1);
    if (base <= last && base + shared - 1 >= first)
        return refuse(why, size, "access ports %d to %d lie in the core range %d to %d", base,
                      base + shared - 1, first, last);
    return AGW_OK;
}

static void warn_port_overlap(agw_config *config)
{
    char *text = NULL;
    if (!g_file_get_contents("/proc/sys/net/ipv4/ip_local_port_range", &text, NULL, NULL))
        return;
    char *rest;
    const unsigned long first = strtoul(text, &rest, 10), last = strtoul(rest, NULL, 10);
    if (last != 0 && config->gateway.port_min <= last && config->gateway.port_max >= first)
        g_ptr_array_add(config->warnings,
                        g_strdup_printf("ports %u to %u overlap the system's own range %lu to %lu "
                                        "(ip_local_port_range): other programs may take them",
                                        config->gateway.port_min, config->gateway.port_max, first,
                                        last));
    g_free(text);
}

static agw_err fill_allow(agw_config *config)
{
    static const char *const LOOPBACK = "127.0.0.0/8;::1/128";
    static const char *const PRIVATE = "127.0.0.0/8;::1/128;10.0.0.0/8;172.16.0.0/12;"
                                       "192.168.0.0/16;169.254.0.0/16;100.64.0.0/10;fc00::/7;"
                                       "fe80::/10";
    if (config->n_ng_allow > 0)
        return AGW_OK;
    bool loopback = true;
    for (size_t i = 0; i < config->n_ng_listen; i++)
        loopback = loopback && agw_addr_is_loopback(&config->ng_listen[i]);
    for (size_t i = 0; i < config->n_tcp_listen; i++)
        loopback = loopback && agw_addr_is_loopback(&config->tcp_listen[i]);
    if (!loopback)
        g_ptr_array_add(config->warnings,
                        g_strdup("ng is open to all private addresses, without authentication: "
                                 "name the signalling nodes with ng-allow"));
    else if (agw_addr_is_set(&config->http_listen) && !agw_addr_is_loopback(&config->http_listen))
        g_ptr_array_add(config->warnings,
                        g_strdup("http is not on loopback, but only loopback may use it: "
                                 "name who else may with ng-allow"));
    return set_default(config, "ng-allow", loopback ? LOOPBACK : PRIVATE);
}

static agw_err apply_all_later(agw_config *config, char *why, size_t size)
{
    agw_err err = AGW_OK;
    for (guint i = 0; i < config->later->len && err == AGW_OK; i++)
        err = apply_later(config, g_ptr_array_index(config->later, i), why, size);
    g_ptr_array_set_size(config->later, 0);
    return err;
}

static void mark_core(agw_config *config)
{
    for (size_t i = 0; i < config->gateway.n_interfaces; i++)
        config->gateway.interfaces[i].core_only =
            config->profiles[i] == AGW_REALM_IMS || config->profiles[i] == AGW_REALM_SIP;
}

static bool has_listener(const agw_config *config)
{
    return config->n_ng_listen + config->n_tcp_listen > 0 || config->unix_listen[0] != '\0' ||
           agw_addr_is_set(&config->http_listen);
}

agw_err agw_config_finish(agw_config *config, char *why, size_t size)
{
    agw_err err = fill_demo(config);
    if (err != AGW_OK)
        return refuse(why, size, "the demo's defaults do not go with the other options");
    fill_profiles(config);
    err = apply_all_later(config, why, size);
    mark_core(config);
    if (err == AGW_OK)
        err = check_interfaces(config, why, size);
    if (err == AGW_OK)
        err = check_ports(&config->gateway, why, size);
    if (err == AGW_OK && !has_listener(config))
        err = refuse(why, size, "nothing listens for control (--listen-ng=ADDRESS:PORT)");
    if (err != AGW_OK)
        return err;
    if (config->srtp_profiles[0] != '\0')
        config->gateway.srtp_profiles = config->srtp_profiles;
    if (config->recording_dir[0] != '\0')
        config->gateway.recording_dir = config->recording_dir;
    warn_port_overlap(config);
    return fill_allow(config);
}
