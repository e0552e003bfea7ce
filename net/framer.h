/* SPDX-License-Identifier: BSD-3-Clause
 * Packets on a stream (RFC 4571 section 2): each is led by its length, 16 bits in network order.
 * Bytes go in as they come, whole packets come out. No socket, no clock, no memory of its own. */
#ifndef AGW_NET_FRAMER_H
#define AGW_NET_FRAMER_H

#include "base/pkt.h"

enum {
    AGW_FRAMER_HEAD = 2, /* bytes of a length */
    /* Two of the longest packets that are taken, so that one read mostly ends behind a packet. */
    AGW_FRAMER_ROOM = 2 * (AGW_FRAMER_HEAD + AGW_PKT_MAX),
};

/** Zeroed = nothing has come yet. */
typedef struct agw_framer {
    size_t from, to; /* what waits in bytes */
    size_t skip;     /* bytes of a packet that was too long, still to come */
    uint8_t bytes[AGW_FRAMER_ROOM];
} agw_framer;

typedef enum agw_framer_result {
    AGW_FRAMER_MORE,   /* no whole packet is there: feed it */
    AGW_FRAMER_PACKET, /* one packet of 1 to AGW_PKT_MAX bytes */
    AGW_FRAMER_CUT,    /* one was longer than AGW_PKT_MAX: told once, its bytes are left out */
} agw_framer_result;

/** Where the next bytes of the stream are to be put, and how many fit. Never 0 after
 * AGW_FRAMER_MORE. */
uint8_t *agw_framer_room(agw_framer *f, size_t *room);
/** So many bytes were put there. */
void agw_framer_add(agw_framer *f, size_t len);
/** The next packet; empty ones (RFC 4571 allows them) are passed over. data is borrowed until the
 * next call of any function here. */
agw_framer_result agw_framer_next(agw_framer *f, const uint8_t **data, size_t *len);

#endif
