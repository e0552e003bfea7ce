/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/demux.h"

#include "agw/transport.h"
#include "base/rand.h"
#include "base/wire.h"
#include "ice/stun.h"
#include "rtp/header.h"

#include <string.h>

enum {
    STUN_MIN = 20, /* RFC 8489 section 5 */
    DTLS_MIN = 13, /* RFC 6347 section 4.1 */
    RTCP_MIN = 8,  /* header and sender SSRC */
    SLOT_CHARS = 4,
};

static const char ICE_CHARS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

agw_pkt_kind agw_demux_kind(const uint8_t *data, size_t len, agw_drop *why)
{
    *why = AGW_DROP_TOO_SHORT;
    if (len == 0)
        return AGW_PKT_UNKNOWN;
    if (data[0] < 4)
        return len >= STUN_MIN ? AGW_PKT_STUN : AGW_PKT_UNKNOWN;
    if (data[0] >= 20 && data[0] < 64)
        return len >= DTLS_MIN ? AGW_PKT_DTLS : AGW_PKT_UNKNOWN;
    if (data[0] >= 128 && data[0] < 192) {
        if (len < RTCP_MIN)
            return AGW_PKT_UNKNOWN;
        if (agw_rtp_is_rtcp(data, len))
            return AGW_PKT_RTCP;
        return len >= AGW_RTP_HEADER_MIN ? AGW_PKT_RTP : AGW_PKT_UNKNOWN;
    }
    *why = AGW_DROP_KIND;
    return AGW_PKT_UNKNOWN;
}

void agw_demux_ufrag(char out[AGW_UFRAG_LEN + 1], uint32_t slot, agw_rand_stock *stock)
{
    for (int i = 0; i < SLOT_CHARS; i++)
        out[i] = ICE_CHARS[slot >> (6 * i) & 63];
    agw_rand_draw_text(stock, out + SLOT_CHARS, AGW_UFRAG_LEN - SLOT_CHARS);
}

uint32_t agw_demux_slot(const char *ufrag, size_t len)
{
    if (len != AGW_UFRAG_LEN)
        return AGW_WORKER_SLOTS;
    uint32_t slot = 0;
    for (int i = 0; i < SLOT_CHARS; i++) {
        const char *at = memchr(ICE_CHARS, ufrag[i], sizeof ICE_CHARS - 1);
        if (at == NULL)
            return AGW_WORKER_SLOTS;
        slot |= (uint32_t)(at - ICE_CHARS) << (6 * i);
    }
    return slot;
}

uint32_t agw_demux_id_prefix(uint32_t slot, uint32_t component)
{
    return component << 24 | slot;
}

uint32_t agw_demux_slot_of(const uint8_t *id)
{
    return agw_get32(id) & 0xFFFFFF;
}

static void set_transport(agw_worker *w, agw_pkt *pkt, uint32_t slot, agw_drop otherwise)
{
    pkt->transport = slot < AGW_WORKER_SLOTS ? w->slots[slot] : NULL;
    if (pkt->transport == NULL || !pkt->transport->shared)
        agw_pkt_drop(pkt, otherwise);
}

static void serve(agw_worker *w, agw_pkt *pkt)
{
    const agw_drop why = agw_stun_serve(&w->stun_server, w->now, pkt);
    if (why != AGW_DROP_NONE) {
        agw_pkt_drop(pkt, why);
        return;
    }
    agw_counter_add(&w->stats.stun_served, 1);
    pkt->tos = 0;
    pkt->verdict = AGW_FORWARD;
}

/* A check on a shared port is found by our ufrag in its USERNAME, a response by the transaction id
 * that we wrote; the rest is the ICE agent's to prove. A request that names nobody is for the STUN
 * server. */
static void find_by_stun(agw_worker *w, agw_pkt *pkt)
{
    agw_stun_head peek;
    if (agw_stun_peek(pkt->data, pkt->len, &peek) != AGW_OK)
        agw_pkt_drop(pkt, AGW_DROP_STUN_MALFORMED);
    else if (peek.msg_class == AGW_STUN_RESPONSE || peek.msg_class == AGW_STUN_ERROR)
        set_transport(w, pkt, agw_demux_slot_of(peek.id), AGW_DROP_STUN_UNEXPECTED);
    else if (peek.local_ufrag != NULL)
        set_transport(w, pkt, agw_demux_slot(peek.local_ufrag, peek.local_ufrag_len),
                      AGW_DROP_NO_PLAN);
    else if (pkt->port->tcp)
        agw_pkt_drop(pkt, AGW_DROP_STUN_UNEXPECTED); /* a connection is for a call */
    else
        serve(w, pkt);
}

static bool is_by_remote(const agw_pkt *pkt)
{
    return pkt->verdict == AGW_UNDECIDED && pkt->port->shared && pkt->kind != AGW_PKT_STUN;
}

static void find_by_remote(agw_worker *w, agw_pkt *pkt, uint64_t hash)
{
    const agw_remote_key key = {pkt->port->id, pkt->remote};
    pkt->transport = agw_map_get_at(w->by_remote, hash, &key);
    if (pkt->transport != NULL)
        return;
    if (pkt->kind == AGW_PKT_DTLS)
        agw_worker_note_stray(w, pkt);
    agw_pkt_drop(pkt, AGW_DROP_NO_CALL);
}

/* All that can be told without the map of remote addresses. */
static void classify(agw_worker *w, agw_pkt *pkt)
{
    agw_drop why;
    pkt->rx_at = w->now;
    pkt->kind = (uint8_t)agw_demux_kind(pkt->data, pkt->len, &why);
    if (pkt->cut) {
        agw_pkt_drop(pkt, AGW_DROP_OVERSIZE);
    } else if (pkt->kind == AGW_PKT_UNKNOWN) {
        agw_pkt_drop(pkt, why);
    } else if (!pkt->port->shared) {
        pkt->transport = pkt->port->owner;
    } else if (pkt->kind == AGW_PKT_STUN) {
        find_by_stun(w, pkt);
    }
}

void agw_demux_classify(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    uint64_t hashes[AGW_PKT_BATCH];
    AGW_ASSERT(n <= AGW_PKT_BATCH);
    for (size_t i = 0; i < n; i++) {
        classify(w, pkts[i]);
        if (is_by_remote(pkts[i]))
            hashes[i] =
                agw_map_aim(w->by_remote, &(agw_remote_key){pkts[i]->port->id, pkts[i]->remote});
    }
    for (size_t i = 0; i < n; i++) {
        if (is_by_remote(pkts[i]))
            find_by_remote(w, pkts[i], hashes[i]);
    }
}
