/* SPDX-License-Identifier: BSD-3-Clause
 * First stage of a turn: what a datagram is (RFC 7983) and whose (DESIGN: one access port per
 * worker). */
#ifndef AGW_AGW_DEMUX_H
#define AGW_AGW_DEMUX_H

#include "agw/worker.h"
#include "base/rand.h"

/** What the first two bytes say; too short, cut and unknown datagrams get their reason in *why. */
agw_pkt_kind agw_demux_kind(const uint8_t *data, size_t len, agw_drop *why);

/** Sets kind and transport of every packet, or drops it. */
void agw_demux_classify(agw_worker *w, agw_pkt *const pkts[], size_t n);

/** Drops a packet for a reason. */
static inline void agw_pkt_drop(agw_pkt *pkt, agw_drop reason)
{
    pkt->verdict = AGW_DROP;
    pkt->drop_reason = (uint8_t)reason;
}

/** Our ufrag for a slot: 4 characters that name it and 4 random ones out of stock. */
void agw_demux_ufrag(char out[AGW_UFRAG_LEN + 1], uint32_t slot, agw_rand_stock *stock);
/** The slot that a ufrag of ours names; AGW_WORKER_SLOTS or more: not one of ours. */
uint32_t agw_demux_slot(const char *ufrag, size_t len);

/** The first four bytes of a transaction id of ours: they name slot and component, the other eight
 * are random. */
uint32_t agw_demux_id_prefix(uint32_t slot, uint32_t component);
/** The slot that a transaction id (12 bytes) names; AGW_WORKER_SLOTS or more: not one of ours. */
uint32_t agw_demux_slot_of(const uint8_t *id);

#endif
