/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/frame.h"

#include "base/wire.h"

#include <string.h>

enum {
    ETHERNET = 14,
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
    IP4 = 20,
    IP6 = 40,
    UDP = 8,
    PROTOCOL_UDP = 17,
    TTL = 64,
    FRAGMENT = 0x3fff, /* more fragments, or not the first one */
};

/* --- checksums (RFC 1071) ----------------------------------------------------------------------
 */

static uint64_t add_words(uint64_t sum, const uint8_t *data, size_t len)
{
    size_t i = 0;
    for (; i + 4 <= len; i += 4)
        sum += agw_get32(data + i);
    if (i + 2 <= len) {
        sum += (uint64_t)agw_get16(data + i) << 16;
        if (i + 2 < len)
            sum += (uint64_t)data[i + 2] << 8;
    } else if (i < len) {
        sum += (uint64_t)data[i] << 24;
    }
    return sum;
}

/* The sum was made of 32-bit words: both halves count alike. */
static uint16_t fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)sum;
}

static size_t ip_bytes(const agw_addr *addr)
{
    return addr->family == AGW_FAMILY_IP6 ? 16 : 4;
}

/* Of the pseudo header (RFC 768, RFC 8200 section 8.1). */
static uint64_t pseudo_sum(const agw_addr *from, const agw_addr *to, size_t len)
{
    const uint64_t sum = add_words(PROTOCOL_UDP + (uint64_t)len, from->ip, ip_bytes(from));
    return add_words(sum, to->ip, ip_bytes(to));
}

/* Over pseudo header, UDP header and payload. */
static uint16_t udp_sum(const agw_addr *from, const agw_addr *to, const uint8_t *udp, size_t len)
{
    return fold(add_words(pseudo_sum(from, to, len), udp, len));
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Where the IP payload is, in *at and *len. */
static agw_err read_ip4(agw_frame *out, const uint8_t *ip, size_t *at, size_t *len)
{
    if (*len < IP4 || ip[0] >> 4 != 4)
        return AGW_ERR_MALFORMED;
    const size_t total = agw_get16(ip + 2);
    if ((ip[0] & 15) != IP4 / 4 || ip[9] != PROTOCOL_UDP || (agw_get16(ip + 6) & FRAGMENT) != 0)
        return AGW_ERR_UNSUPPORTED;
    if (total < IP4 || total > *len || fold(add_words(0, ip, IP4)) != UINT16_MAX)
        return AGW_ERR_MALFORMED;
    out->from.family = out->to.family = AGW_FAMILY_IP4;
    out->tos = ip[1];
    out->id = agw_get16(ip + 4);
    memcpy(out->from.ip, ip + 12, 4);
    memcpy(out->to.ip, ip + 16, 4);
    *at = IP4;
    *len = total - IP4;
    return AGW_OK;
}

static agw_err read_ip6(agw_frame *out, const uint8_t *ip, size_t *at, size_t *len)
{
    if (*len < IP6 || ip[0] >> 4 != 6)
        return AGW_ERR_MALFORMED;
    if (ip[6] != PROTOCOL_UDP)
        return AGW_ERR_UNSUPPORTED;
    const size_t payload = agw_get16(ip + 4);
    if (payload > *len - IP6)
        return AGW_ERR_MALFORMED;
    out->from.family = out->to.family = AGW_FAMILY_IP6;
    out->tos = (uint8_t)(agw_get16(ip) >> 4);
    memcpy(out->from.ip, ip + 8, 16);
    memcpy(out->to.ip, ip + 24, 16);
    *at = IP6;
    *len = payload;
    return AGW_OK;
}

static bool sum_ok(const agw_frame *f, const uint8_t *udp, size_t len)
{
    const uint16_t told = agw_get16(udp + 6);
    if (told == 0)
        return f->from.family == AGW_FAMILY_IP4;
    return told == fold(pseudo_sum(&f->from, &f->to, len)) ||
           udp_sum(&f->from, &f->to, udp, len) == UINT16_MAX;
}

agw_err agw_frame_read(agw_frame *out, const uint8_t *frame, size_t len)
{
    memset(out, 0, sizeof *out);
    if (len < ETHERNET)
        return AGW_ERR_MALFORMED;
    const uint16_t type = agw_get16(frame + 12);
    size_t at = 0, left = len - ETHERNET;
    agw_err err = AGW_ERR_UNSUPPORTED;
    if (type == TYPE_IP4)
        err = read_ip4(out, frame + ETHERNET, &at, &left);
    else if (type == TYPE_IP6)
        err = read_ip6(out, frame + ETHERNET, &at, &left);
    if (err != AGW_OK)
        return err;
    const uint8_t *udp = frame + ETHERNET + at;
    const size_t udp_len = left >= UDP ? agw_get16(udp + 4) : 0;
    if (udp_len < UDP || udp_len > left || !sum_ok(out, udp, udp_len))
        return AGW_ERR_MALFORMED;
    out->from.port = agw_get16(udp);
    out->to.port = agw_get16(udp + 2);
    out->payload = udp + UDP;
    out->len = udp_len - UDP;
    return AGW_OK;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static size_t write_ip4(uint8_t *ip, const agw_frame *frame, size_t udp_len)
{
    ip[0] = 4 << 4 | IP4 / 4;
    ip[1] = frame->tos;
    agw_put16(ip + 2, (uint16_t)(IP4 + udp_len));
    agw_put16(ip + 4, frame->id);
    agw_put16(ip + 6, 0);
    ip[8] = TTL;
    ip[9] = PROTOCOL_UDP;
    agw_put16(ip + 10, 0);
    memcpy(ip + 12, frame->from.ip, 4);
    memcpy(ip + 16, frame->to.ip, 4);
    agw_put16(ip + 10, (uint16_t)~fold(add_words(0, ip, IP4)));
    return IP4;
}

static size_t write_ip6(uint8_t *ip, const agw_frame *frame, size_t udp_len)
{
    agw_put32(ip, 6u << 28 | (uint32_t)frame->tos << 20);
    agw_put16(ip + 4, (uint16_t)udp_len);
    ip[6] = PROTOCOL_UDP;
    ip[7] = TTL;
    memcpy(ip + 8, frame->from.ip, 16);
    memcpy(ip + 24, frame->to.ip, 16);
    return IP6;
}

size_t agw_frame_write(uint8_t *out, const agw_route *route, const agw_frame *frame)
{
    const agw_addr *from = &frame->from, *to = &frame->to;
    const bool ip6 = to->family == AGW_FAMILY_IP6;
    const size_t udp_len = UDP + frame->len;
    AGW_ASSERT(from->family == to->family && udp_len <= UINT16_MAX - IP4);
    memcpy(out, route->next_mac, 6);
    memcpy(out + 6, route->local_mac, 6);
    agw_put16(out + 12, ip6 ? TYPE_IP6 : TYPE_IP4);
    uint8_t *ip = out + ETHERNET;
    uint8_t *udp = ip + (ip6 ? write_ip6(ip, frame, udp_len) : write_ip4(ip, frame, udp_len));
    agw_put16(udp, from->port);
    agw_put16(udp + 2, to->port);
    agw_put16(udp + 4, (uint16_t)udp_len);
    agw_put16(udp + 6, 0);
    memcpy(udp + UDP, frame->payload, frame->len);
    const uint16_t sum = (uint16_t)~udp_sum(from, to, udp, udp_len);
    agw_put16(udp + 6, sum != 0 ? sum : UINT16_MAX);
    return (size_t)(udp + udp_len - out);
}
