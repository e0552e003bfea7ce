/* SPDX-License-Identifier: BSD-3-Clause
 * A raw IPv4 socket, for what the bench kit's wire does not send: datagrams of 64 KB, ICMP. */
#include "base/wire.h"
#include "tests/attack/attack.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
    IP_HEADER = 20,
    UDP_HEADER = 8,
    STEP = 1480, /* bytes of a fragment, a multiple of 8 */
    MORE = 0x2000,
    ICMP_TYPE_UNREACHABLE = 3,
};

static int raw_socket(void)
{
    static int fd = -1;
    if (fd < 0)
        fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW); /* we write the headers */
    return fd;
}

static uint16_t checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += agw_get16(data + i);
    if (len % 2 != 0)
        sum += (uint32_t)data[len - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void write_header(uint8_t *ip, const agw_addr *from, const agw_addr *to, uint8_t protocol,
                         size_t len)
{
    memset(ip, 0, IP_HEADER);
    ip[0] = 0x45;
    agw_put16(ip + 2, (uint16_t)(IP_HEADER + len));
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, from->ip, 4);
    memcpy(ip + 16, to->ip, 4);
}

bool attack_raw_send(const agw_addr *from, const agw_addr *to, uint8_t protocol,
                     const uint8_t *data, size_t len)
{
    static uint16_t id;
    struct sockaddr_storage sa;
    const socklen_t sa_len = agw_addr_to_sockaddr(to, &sa);
    ((struct sockaddr_in *)(void *)&sa)->sin_port = 0;
    id = (uint16_t)(id + 1 != 0 ? id + 1 : 1); /* 0: the kernel chooses, other for each fragment */
    for (size_t at = 0; at == 0 || at < len; at += STEP) {
        uint8_t packet[IP_HEADER + STEP];
        const size_t n = len - at < STEP ? len - at : STEP;
        write_header(packet, from, to, protocol, n);
        agw_put16(packet + 4, id);
        agw_put16(packet + 6, (uint16_t)(at / 8 | (at + n < len ? MORE : 0)));
        agw_put16(packet + 10, checksum(packet, IP_HEADER));
        memcpy(packet + IP_HEADER, data + at, n);
        if (sendto(raw_socket(), packet, IP_HEADER + n, 0, (const struct sockaddr *)&sa, sa_len) <
            0)
            return false;
    }
    return true;
}

bool attack_raw_udp(const agw_addr *from, const agw_addr *to, const uint8_t *data, size_t len)
{
    static uint8_t udp[UDP_HEADER + CRAFT_MAX];
    AGW_ASSERT(len <= CRAFT_MAX);
    agw_put16(udp, from->port);
    agw_put16(udp + 2, to->port);
    agw_put16(udp + 4, (uint16_t)(UDP_HEADER + len));
    agw_put16(udp + 6, 0); /* no checksum, RFC 768 */
    memcpy(udp + UDP_HEADER, data, len);
    return attack_raw_send(from, to, IPPROTO_UDP, udp, UDP_HEADER + len);
}

bool attack_raw_unreachable(const agw_addr *from, const agw_addr *to, uint8_t code, uint16_t value)
{
    uint8_t icmp[8 + IP_HEADER + UDP_HEADER] = {ICMP_TYPE_UNREACHABLE, code};
    uint8_t *sent = icmp + 8, *udp = sent + IP_HEADER;
    agw_put16(icmp + 6, value);
    write_header(sent, to, from, IPPROTO_UDP, UDP_HEADER + 172);
    agw_put16(sent + 10, checksum(sent, IP_HEADER));
    agw_put16(udp, to->port);
    agw_put16(udp + 2, from->port);
    agw_put16(udp + 4, UDP_HEADER + 172);
    agw_put16(icmp + 2, checksum(icmp, sizeof icmp));
    return attack_raw_send(from, to, IPPROTO_ICMP, icmp, sizeof icmp);
}
