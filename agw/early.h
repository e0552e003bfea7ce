/* SPDX-License-Identifier: BSD-3-Clause
 * Media of an address that no SDP has named yet, or of a branch of a fork that is not heard yet.
 * Ringback and the first words of an answerer may overtake the SDP that names their source
 * (RFC 3264 section 5.1) or makes it the one that is heard, and may come from another node than the
 * answer before it named (RFC 3960 section 3). They are kept for a moment in a pool of the worker;
 * what the next SDP lets in goes on its way then, in order, everything else is dropped. No
 * allocation per packet; a flood of strangers costs one comparison a packet. */
#ifndef AGW_AGW_EARLY_H
#define AGW_AGW_EARLY_H

#include "agw/drop.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/pkt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_EARLY_PER_PORT = 16, /* packets of one source: 200 ms of audio, and some */
    AGW_EARLY_POOL = 256,    /* packets of one worker */
};

/** How long a packet is kept. */
static const agw_ns AGW_EARLY_FOR = AGW_MS(200);

typedef struct agw_early agw_early;

/** The packets of one port, oldest first. Zeroed = none. */
typedef struct agw_early_list {
    uint16_t first, last; /* 1-based places in the pool */
    uint16_t n;
} agw_early_list;

/** NULL when memory is short. Pages that no packet has touched are not resident. */
AGW_NODISCARD agw_early *agw_early_new(void);
/** Every list must be empty. NULL is fine. */
void agw_early_free(agw_early *early);

/** Keeps a copy of a datagram as it came: data, source, port. false: no room, drop it.
 *
 * @param room  so many packets the list may have
 * @param why   what its drop is counted under if nothing lets it in */
bool agw_early_hold(agw_early *early, agw_early_list *list, size_t room, const agw_pkt *pkt,
                    agw_drop why, agw_ns now);

/** When the oldest of the list is to be dropped; AGW_NEVER = the list is empty. */
agw_ns agw_early_deadline(const agw_early *early, const agw_early_list *list);
/** Drops what is too old (AGW_NEVER: everything) and counts it in drops, by agw_drop. */
void agw_early_expire(agw_early *early, agw_early_list *list, agw_ns now, agw_counter drops[]);

/** Whether a packet, as it is given back below, may go on its way now. */
typedef bool agw_early_is_let_in(const void *owner, const agw_pkt *pkt);
/** Takes out up to n packets that are let in, oldest first, as if they were received now: reset,
 * then data, len, kind, remote and port. @return how many. */
size_t agw_early_take(agw_early *early, agw_early_list *list, agw_early_is_let_in *is_let_in,
                      const void *owner, agw_pkt *const pkts[], size_t n);

#endif
