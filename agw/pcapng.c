/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/pcapng.h"

#include "base/wire.h"

#include <string.h>

enum {
    SECTION_BLOCK = 0x0a0d0d0a,
    INTERFACE_BLOCK = 1,
    PACKET_BLOCK = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_RAW = 101, /* IPv4 or IPv6, told by the first four bits */
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_APPLICATION = 4, /* of a section */
    OPTION_NAME = 2,        /* of an interface */
    OPTION_DESCRIPTION = 3,
    OPTION_RESOLUTION = 9,
    OPTION_FLAGS = 2, /* of a packet */
    INBOUND = 1,
    NANOSECONDS = 9,
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    UDP_HEADER = 8,
    PROTOCOL_UDP = 17,
    HOPS = 64,
};

/* --- blocks ------------------------------------------------------------------------------------
 */

static size_t put(uint8_t *out, size_t at, const void *bytes, size_t len)
{
    memcpy(out + at, bytes, len);
    return at + len;
}

static size_t put_u16(uint8_t *out, size_t at, uint16_t v)
{
    return put(out, at, &v, sizeof v);
}

static size_t put_u32(uint8_t *out, size_t at, uint32_t v)
{
    return put(out, at, &v, sizeof v);
}

static size_t pad(uint8_t *out, size_t at)
{
    while (at % 4 != 0)
        out[at++] = 0;
    return at;
}

static size_t put_option(uint8_t *out, size_t at, uint16_t code, const void *bytes, size_t len)
{
    at = put_u16(out, at, code);
    at = put_u16(out, at, (uint16_t)len);
    return pad(out, put(out, at, bytes, len));
}

static size_t put_text(uint8_t *out, size_t at, uint16_t code, const char *text)
{
    return text == NULL ? at : put_option(out, at, code, text, strnlen(text, AGW_PCAPNG_TEXT_MAX));
}

/* The length of the block stands in front and behind; out[4] was left for it. */
static size_t close_block(uint8_t *out, size_t at)
{
    const uint32_t total = (uint32_t)at + 4;
    (void)put_u32(out, 4, total);
    return put_u32(out, at, total);
}

static size_t end_options(uint8_t *out, size_t at)
{
    return close_block(out, put_u32(out, at, OPTION_END));
}

size_t agw_pcapng_section(uint8_t *out, const char *application, const char *comment)
{
    static const uint8_t UNKNOWN_LENGTH[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    size_t at = put_u32(out, 0, SECTION_BLOCK) + 4;
    at = put_u32(out, at, BYTE_ORDER_MAGIC);
    at = put_u16(out, at, 1); /* version 1.0 */
    at = put_u16(out, at, 0);
    at = put(out, at, UNKNOWN_LENGTH, sizeof UNKNOWN_LENGTH);
    at = put_text(out, at, OPTION_APPLICATION, application);
    at = put_text(out, at, OPTION_COMMENT, comment);
    return end_options(out, at);
}

size_t agw_pcapng_interface(uint8_t *out, const char *name, const char *description)
{
    static const uint8_t RESOLUTION = NANOSECONDS;
    size_t at = put_u32(out, 0, INTERFACE_BLOCK) + 4;
    at = put_u16(out, at, LINKTYPE_RAW);
    at = put_u16(out, at, 0);
    at = put_u32(out, at, 0); /* packets are whole */
    at = put_text(out, at, OPTION_NAME, name);
    at = put_text(out, at, OPTION_DESCRIPTION, description);
    at = put_option(out, at, OPTION_RESOLUTION, &RESOLUTION, 1);
    return end_options(out, at);
}

/* --- packets -----------------------------------------------------------------------------------
 */

/* RFC 1071; not yet folded. */
static uint32_t sum_of(uint32_t sum, const uint8_t *bytes, size_t len)
{
    size_t i = 0;
    for (; i + 1 < len; i += 2)
        sum += agw_get16(bytes + i);
    return i < len ? sum + ((uint32_t)bytes[i] << 8) : sum;
}

static uint16_t checksum(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t put_ip4(uint8_t *out, const agw_pcapng_packet *p)
{
    memset(out, 0, IP4_HEADER);
    out[0] = 0x45;
    agw_put16(out + 2, (uint16_t)(IP4_HEADER + UDP_HEADER + p->len));
    out[6] = 0x40; /* do not fragment */
    out[8] = HOPS;
    out[9] = PROTOCOL_UDP;
    memcpy(out + 12, p->from.ip, 4);
    memcpy(out + 16, p->to.ip, 4);
    agw_put16(out + 10, checksum(sum_of(0, out, IP4_HEADER)));
    return IP4_HEADER;
}

static size_t put_ip6(uint8_t *out, const agw_pcapng_packet *p)
{
    memset(out, 0, IP6_HEADER);
    out[0] = 0x60;
    agw_put16(out + 4, (uint16_t)(UDP_HEADER + p->len));
    out[6] = PROTOCOL_UDP;
    out[7] = HOPS;
    memcpy(out + 8, p->from.ip, 16);
    memcpy(out + 24, p->to.ip, 16);
    return IP6_HEADER;
}

static void put_udp(uint8_t *out, const agw_pcapng_packet *p)
{
    const size_t ip = p->from.family == AGW_FAMILY_IP6 ? 16 : 4;
    const uint16_t len = (uint16_t)(UDP_HEADER + p->len);
    agw_put16(out, p->from.port);
    agw_put16(out + 2, p->to.port);
    agw_put16(out + 4, len);
    agw_put16(out + 6, 0);
    memcpy(out + UDP_HEADER, p->data, p->len);
    uint32_t sum = sum_of(PROTOCOL_UDP + (uint32_t)len, p->from.ip, ip);
    sum = sum_of(sum, p->to.ip, ip);
    const uint16_t check = checksum(sum_of(sum, out, len));
    agw_put16(out + 6, check != 0 ? check : 0xffff); /* 0 would say: none, RFC 768 */
}

size_t agw_pcapng_packet_write(uint8_t *out, const agw_pcapng_packet *p)
{
    const uint32_t flags = INBOUND;
    const size_t ip = p->from.family == AGW_FAMILY_IP6 ? IP6_HEADER : IP4_HEADER;
    const uint32_t len = (uint32_t)(ip + UDP_HEADER + p->len);
    size_t at = put_u32(out, 0, PACKET_BLOCK) + 4;
    at = put_u32(out, at, p->interface);
    at = put_u32(out, at, (uint32_t)(p->wall_ns >> 32));
    at = put_u32(out, at, (uint32_t)p->wall_ns);
    at = put_u32(out, at, len);
    at = put_u32(out, at, len);
    at += ip == IP6_HEADER ? put_ip6(out + at, p) : put_ip4(out + at, p);
    put_udp(out + at, p);
    at = pad(out, at + UDP_HEADER + p->len);
    at = put_option(out, at, OPTION_FLAGS, &flags, sizeof flags);
    return end_options(out, at);
}
