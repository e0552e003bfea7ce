/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t V4_MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_ip6(agw_addr *out, const uint8_t ip6[16])
{
    memset(out, 0, sizeof *out);
    if (memcmp(ip6, V4_MAPPED, sizeof V4_MAPPED) == 0) {
        out->family = AGW_FAMILY_IP4;
        memcpy(out->ip, ip6 + 12, 4);
        return;
    }
    out->family = AGW_FAMILY_IP6;
    memcpy(out->ip, ip6, 16);
}

agw_err agw_addr_parse_ip(agw_addr *out, const char *text)
{
    char plain[INET6_ADDRSTRLEN + 2];
    const size_t len = strlen(text);
    if (len == 0 || len >= sizeof plain)
        return AGW_ERR_MALFORMED;
    memcpy(plain, text, len + 1);
    const bool bracketed = plain[0] == '[' && plain[len - 1] == ']';
    if (bracketed)
        plain[len - 1] = '\0';
    const char *ip = plain + (bracketed ? 1 : 0);
    memset(out, 0, sizeof *out);
    uint8_t ip6[16];
    if (!bracketed && inet_pton(AF_INET, ip, out->ip) == 1) {
        out->family = AGW_FAMILY_IP4;
        return AGW_OK;
    }
    if (inet_pton(AF_INET6, ip, ip6) != 1)
        return AGW_ERR_MALFORMED;
    set_ip6(out, ip6);
    return AGW_OK;
}

static agw_err parse_number(const char *text, unsigned long max, unsigned long *out)
{
    if (*text < '0' || *text > '9')
        return AGW_ERR_MALFORMED;
    char *end;
    *out = strtoul(text, &end, 10);
    return *end == '\0' && *out <= max ? AGW_OK : AGW_ERR_MALFORMED;
}

agw_err agw_addr_parse(agw_addr *out, const char *text)
{
    const char *colon = strrchr(text, ':');
    char ip[INET6_ADDRSTRLEN + 2];
    if (colon == NULL || (size_t)(colon - text) >= sizeof ip)
        return AGW_ERR_MALFORMED;
    memcpy(ip, text, (size_t)(colon - text));
    ip[colon - text] = '\0';
    if (strchr(ip, ':') != NULL && ip[0] != '[')
        return AGW_ERR_MALFORMED; /* an IPv6 address with a port needs its brackets */
    unsigned long port;
    if (parse_number(colon + 1, UINT16_MAX, &port) != AGW_OK)
        return AGW_ERR_MALFORMED;
    const agw_err err = agw_addr_parse_ip(out, ip);
    if (err == AGW_OK)
        out->port = (uint16_t)port;
    return err;
}

static unsigned family_bits(const agw_addr *addr)
{
    return addr->family == AGW_FAMILY_IP4 ? 32 : 128;
}

agw_err agw_prefix_parse(agw_prefix *out, const char *text)
{
    const char *slash = strchr(text, '/');
    char ip[INET6_ADDRSTRLEN + 2];
    const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof ip)
        return AGW_ERR_MALFORMED;
    memcpy(ip, text, len);
    ip[len] = '\0';
    const agw_err err = agw_addr_parse_ip(&out->addr, ip);
    if (err != AGW_OK)
        return err;
    unsigned long bits = family_bits(&out->addr);
    if (slash != NULL && parse_number(slash + 1, bits, &bits) != AGW_OK)
        return AGW_ERR_MALFORMED;
    out->bits = (uint8_t)bits;
    return AGW_OK;
}

bool agw_prefix_holds(const agw_prefix *prefix, const agw_addr *addr)
{
    if (prefix->addr.family != addr->family)
        return false;
    const size_t whole = prefix->bits / 8;
    if (memcmp(prefix->addr.ip, addr->ip, whole) != 0)
        return false;
    const unsigned rest = prefix->bits % 8;
    if (rest == 0)
        return true;
    const uint8_t mask = (uint8_t)(0xff00u >> rest);
    return ((prefix->addr.ip[whole] ^ addr->ip[whole]) & mask) == 0;
}

/* inet_ntop() goes by printf(), which takes ten times as long. */
static size_t write_ip4(const uint8_t ip[4], char out[INET_ADDRSTRLEN])
{
    size_t len = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            out[len++] = '.';
        if (ip[i] >= 100)
            out[len++] = (char)('0' + ip[i] / 100);
        if (ip[i] >= 10)
            out[len++] = (char)('0' + ip[i] / 10 % 10);
        out[len++] = (char)('0' + ip[i] % 10);
    }
    out[len] = '\0';
    return len;
}

const char *agw_addr_ip_text(const agw_addr *addr, char *out, size_t size)
{
    if (addr->family == AGW_FAMILY_IP4 && size >= INET_ADDRSTRLEN)
        (void)write_ip4(addr->ip, out);
    else if (addr->family != AGW_FAMILY_IP6 ||
             inet_ntop(AF_INET6, addr->ip, out, (socklen_t)size) == NULL)
        snprintf(out, size, "none");
    return out;
}

const char *agw_addr_text(const agw_addr *addr, char *out, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    agw_addr_ip_text(addr, ip, sizeof ip);
    snprintf(out, size, addr->family == AGW_FAMILY_IP6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
    return out;
}

bool agw_addr_equal(const agw_addr *a, const agw_addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool agw_addr_ip_equal(const agw_addr *a, const agw_addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool agw_addr_is_any(const agw_addr *addr)
{
    static const uint8_t ANY[16] = {0};
    return agw_addr_is_set(addr) && memcmp(addr->ip, ANY, sizeof ANY) == 0;
}

bool agw_addr_is_loopback(const agw_addr *addr)
{
    if (addr->family == AGW_FAMILY_IP4)
        return addr->ip[0] == 127;
    return addr->family == AGW_FAMILY_IP6 && memcmp(addr->ip, &in6addr_loopback, 16) == 0;
}

bool agw_addr_is_private(const agw_addr *addr)
{
    const uint8_t *ip = addr->ip;
    if (addr->family == AGW_FAMILY_IP4)
        return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
               (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254) ||
               (ip[0] == 100 && (ip[1] & 0xc0) == 64);
    return addr->family == AGW_FAMILY_IP6 &&
           ((ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80));
}

bool agw_addr_is_multicast(const agw_addr *addr)
{
    if (addr->family == AGW_FAMILY_IP4)
        return (addr->ip[0] & 0xf0) == 0xe0;
    return addr->family == AGW_FAMILY_IP6 && addr->ip[0] == 0xff;
}

socklen_t agw_addr_to_sockaddr(const agw_addr *addr, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == AGW_FAMILY_IP6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(addr->port);
        memcpy(&in6->sin6_addr, addr->ip, 16);
        return sizeof *in6;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(addr->port);
    memcpy(&in->sin_addr, addr->ip, 4);
    return sizeof *in;
}

agw_err agw_addr_from_sockaddr(agw_addr *out, const struct sockaddr *sa)
{
    memset(out, 0, sizeof *out);
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        out->family = AGW_FAMILY_IP4;
        memcpy(out->ip, &in->sin_addr, 4);
        out->port = ntohs(in->sin_port);
        return AGW_OK;
    }
    if (sa->sa_family != AF_INET6)
        return AGW_ERR_UNSUPPORTED;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
    set_ip6(out, in6->sin6_addr.s6_addr);
    out->port = ntohs(in6->sin6_port);
    return AGW_OK;
}
