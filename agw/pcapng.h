/* SPDX-License-Identifier: BSD-3-Clause
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng): one section, an interface for each way
 * that is recorded, packets as IP datagrams. Bytes only, in the order of the machine. */
#ifndef AGW_AGW_PCAPNG_H
#define AGW_AGW_PCAPNG_H

#include "base/addr.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    AGW_PCAPNG_TEXT_MAX = 1024, /* bytes of a text; the rest of a longer one is left out */
    /* Room that every block fits into, without the payload of a packet. */
    AGW_PCAPNG_BLOCK_MAX = 2 * AGW_PCAPNG_TEXT_MAX + 128,
};

/** Section header, with the name of the program and, where comment is not NULL, a comment.
 * All three return the bytes written; out has AGW_PCAPNG_BLOCK_MAX. */
size_t agw_pcapng_section(uint8_t *out, const char *application, const char *comment);
/** Interface description: raw IP, nanoseconds. Interfaces count from 0 in their order. */
size_t agw_pcapng_interface(uint8_t *out, const char *name, const char *description);

/** One UDP datagram that came in. */
typedef struct agw_pcapng_packet {
    uint32_t interface;
    uint64_t wall_ns;    /* since 1970 */
    agw_addr from, to;   /* of the same family */
    const uint8_t *data; /* UDP payload */
    size_t len;          /* at most 65535 - 8 */
} agw_pcapng_packet;

/** Enhanced packet with IP and UDP headers in front of the payload; out has AGW_PCAPNG_BLOCK_MAX
 * and the payload's length. */
size_t agw_pcapng_packet_write(uint8_t *out, const agw_pcapng_packet *packet);

#endif
