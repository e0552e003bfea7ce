/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP extended reports. */
#include "rtp/xr.h"

#include "base/wire.h"

#include <string.h>

enum {
    BLOCK_HEADER = 4,
    RRTR_LEN = 8,
    DLRR_LEN = 12, /* of a sub-block */
    VOIP_LEN = 32,
    WHOLE = 256, /* of a density */
};

static bool has_right_length(const agw_xr_block *b)
{
    switch (b->type) {
    case AGW_XR_RRTR:
        return b->len == RRTR_LEN;
    case AGW_XR_DLRR:
        return b->len % DLRR_LEN == 0;
    case AGW_XR_VOIP:
        return b->len == VOIP_LEN;
    default:
        return true;
    }
}

bool agw_xr_next(const agw_rtcp_packet *xr, size_t *at, agw_xr_block *out)
{
    size_t from = *at != 0 ? *at : 4; /* behind the sender's SSRC */
    while (from + BLOCK_HEADER <= xr->body_len) {
        const uint8_t *p = xr->body + from;
        *out = (agw_xr_block){.type = p[0], .data = p + BLOCK_HEADER, .len = 4u * agw_get16(p + 2)};
        from += BLOCK_HEADER + out->len;
        if (from > xr->body_len)
            return false;
        *at = from;
        if (has_right_length(out))
            return true;
    }
    return false;
}

uint32_t agw_xr_sender(const agw_rtcp_packet *xr)
{
    return agw_get32(xr->body); /* agw_rtcp_next() promises 4 bytes */
}

uint32_t agw_xr_read_rrtr(const agw_xr_block *block)
{
    return agw_rtcp_ntp_middle(agw_get64(block->data));
}

size_t agw_xr_count_dlrr(const agw_xr_block *block)
{
    return block->len / DLRR_LEN;
}

void agw_xr_read_dlrr(const agw_xr_block *block, size_t i, agw_xr_dlrr *out)
{
    const uint8_t *p = block->data + i * DLRR_LEN;
    *out = (agw_xr_dlrr){agw_get32(p), agw_get32(p + 4), agw_get32(p + 8)};
}

void agw_xr_read_voip(const agw_xr_block *block, agw_xr_voip *out)
{
    const uint8_t *p = block->data;
    *out = (agw_xr_voip){
        .ssrc = agw_get32(p),
        .loss_rate = p[4],
        .discard_rate = p[5],
        .burst_density = p[6],
        .gap_density = p[7],
        .burst_ms = agw_get16(p + 8),
        .gap_ms = agw_get16(p + 10),
        .round_trip_ms = agw_get16(p + 12),
        .end_system_delay_ms = agw_get16(p + 14),
        .signal_level = (int8_t)p[16],
        .noise_level = (int8_t)p[17],
        .rerl = p[18],
        .gmin = p[19],
        .r_factor = p[20],
        .ext_r_factor = p[21],
        .mos_lq = p[22],
        .mos_cq = p[23],
        .rx_config = p[24],
        .jb_nominal_ms = agw_get16(p + 26),
        .jb_max_ms = agw_get16(p + 28),
        .jb_abs_max_ms = agw_get16(p + 30),
    };
}

/* An XR packet with one block: header, sender and the block's header are written; returns where its
 * contents go, zeroed, or NULL. */
static uint8_t *begin(agw_rtcp_writer *w, uint32_t sender, uint8_t type, size_t len)
{
    const size_t whole = 4 + 4 + BLOCK_HEADER + len;
    if (w->room - w->len < whole)
        return NULL;
    uint8_t *p = w->buf + w->len;
    memset(p, 0, whole);
    p[0] = 0x80;
    p[1] = AGW_RTCP_XR;
    agw_put16(p + 2, (uint16_t)(whole / 4 - 1));
    agw_put32(p + 4, sender);
    p[8] = type;
    agw_put16(p + 10, (uint16_t)(len / 4));
    w->len += whole;
    return p + 8 + BLOCK_HEADER;
}

agw_err agw_xr_write_rrtr(agw_rtcp_writer *w, uint32_t sender, uint64_t ntp)
{
    uint8_t *p = begin(w, sender, AGW_XR_RRTR, RRTR_LEN);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    agw_put64(p, ntp);
    return AGW_OK;
}

agw_err agw_xr_write_dlrr(agw_rtcp_writer *w, uint32_t sender, const agw_xr_dlrr *blocks, size_t n)
{
    AGW_ASSERT(n > 0 && n <= AGW_XR_DLRR_MAX);
    uint8_t *p = begin(w, sender, AGW_XR_DLRR, n * DLRR_LEN);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    for (size_t i = 0; i < n; i++, p += DLRR_LEN) {
        agw_put32(p, blocks[i].ssrc);
        agw_put32(p + 4, blocks[i].lrr);
        agw_put32(p + 8, blocks[i].dlrr);
    }
    return AGW_OK;
}

agw_err agw_xr_write_voip(agw_rtcp_writer *w, uint32_t sender, const agw_xr_voip *voip)
{
    uint8_t *p = begin(w, sender, AGW_XR_VOIP, VOIP_LEN);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    agw_put32(p, voip->ssrc);
    p[4] = voip->loss_rate;
    p[5] = voip->discard_rate;
    p[6] = voip->burst_density;
    p[7] = voip->gap_density;
    agw_put16(p + 8, voip->burst_ms);
    agw_put16(p + 10, voip->gap_ms);
    agw_put16(p + 12, voip->round_trip_ms);
    agw_put16(p + 14, voip->end_system_delay_ms);
    p[16] = (uint8_t)voip->signal_level;
    p[17] = (uint8_t)voip->noise_level;
    p[18] = voip->rerl;
    p[19] = voip->gmin;
    p[20] = voip->r_factor;
    p[21] = voip->ext_r_factor;
    p[22] = voip->mos_lq;
    p[23] = voip->mos_cq;
    p[24] = voip->rx_config;
    agw_put16(p + 26, voip->jb_nominal_ms);
    agw_put16(p + 28, voip->jb_max_ms);
    agw_put16(p + 30, voip->jb_abs_max_ms);
    return AGW_OK;
}

/* --- bursts and gaps, RFC 3611 appendix A.2 -------------------------------------------------- */

/* What was lost since the last gap was one loss within a longer gap, or a burst. Appendix A.2
 * counts the very first loss as a burst, and the last ones not at all; here each is counted once,
 * when it is over or asked for. */
static void close_group(agw_xr_bursts *b)
{
    if (b->in_burst == 1)
        b->c14++;
    else if (b->in_burst > 1)
        b->c13++;
    b->in_burst = 0;
}

/* A run of lost packets: what its first one means depends on what came before, the others follow a
 * loss. */
static void count_run(agw_xr_bursts *b, uint32_t run)
{
    if (b->since >= AGW_XR_GMIN || b->lost == 0) {
        close_group(b);
        b->c11 += b->since;
    } else if (b->since == 0) {
        b->c33++;
    } else {
        b->c23++;
        b->c22 += b->since - 1;
    }
    b->c33 += run - 1;
    b->in_burst += run;
    b->lost += run;
    b->since = 0;
}

void agw_xr_bursts_count(agw_xr_bursts *b, uint32_t ext_seq, uint32_t lost)
{
    const uint32_t ahead = ext_seq - b->last_seq;
    if (b->started && ahead > lost && ahead <= INT32_MAX)
        b->since += ahead - lost - 1; /* those that came in between */
    if (lost != 0)
        count_run(b, lost);
    if (!b->started || ahead != 0)
        b->since++;
    b->started = true;
    b->last_seq = ext_seq;
}

uint64_t agw_xr_bursts_runs(const agw_xr_bursts *b)
{
    return b->lost - b->c33;
}

static uint8_t density(uint64_t part, uint64_t all)
{
    const uint64_t d = all != 0 ? part * WHOLE / all : 0;
    return d < WHOLE ? (uint8_t)d : WHOLE - 1;
}

static uint16_t duration(uint64_t ms)
{
    return ms < UINT16_MAX ? (uint16_t)ms : UINT16_MAX;
}

/* The chain of appendix A.2: state 1 is received in a gap, 2 received in a burst, 3 lost in a
 * burst, 4 lost in a gap; cij counts the steps from i to j, and what leads out of a burst equals
 * what leads in. The packets that have come since the last loss count as those of a gap: without
 * them a stream that has become good would look bad for ever. */
void agw_xr_bursts_report(const agw_xr_bursts *bursts, unsigned packet_ms, agw_xr_voip *out)
{
    agw_xr_bursts b = *bursts;
    close_group(&b);
    const uint64_t c11 = (uint64_t)b.c11 + b.since, c31 = b.c13, c32 = b.c23;
    const uint64_t in_bursts = (uint64_t)b.c22 + b.c23 + c31 + c32 + b.c33;
    const uint64_t left2 = (uint64_t)b.c22 + b.c23, left3 = c31 + c32 + b.c33;
    const double p32 = left3 != 0 ? (double)c32 / (double)left3 : 0;
    const double p23 = left2 != 0 ? 1 - (double)b.c22 / (double)left2 : 1;
    const uint64_t n = b.c13 != 0 ? b.c13 : 1;
    out->gmin = AGW_XR_GMIN;
    out->gap_density = density(b.c14, c11 + b.c14);
    out->gap_ms = duration((c11 + b.c14 + b.c13) * packet_ms / n);
    out->burst_ms = duration(in_bursts * packet_ms / n);
    out->burst_density = b.c13 != 0 ? density((uint64_t)(WHOLE * p23 / (p23 + p32)), WHOLE) : 0;
}
