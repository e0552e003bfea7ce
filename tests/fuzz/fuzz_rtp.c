/* SPDX-License-Identifier: BSD-3-Clause
 * An RTP packet on its way through a relay: parse, walk, renumber and add extensions, rewrite. The
 * first byte chooses the extension map and the id to add, the rest is the packet. */
#include "base/wire.h"
#include "rtp/header.h"
#include "rtp/rewrite.h"

#include <stdlib.h>
#include <string.h>

enum { HEADROOM = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const uint8_t *rtp, const agw_rtp_header *h)
{
    agw_rtp_ext_iter it;
    agw_rtp_ext ext;
    volatile uint8_t sum = 0;
    agw_rtp_ext_begin(&it, rtp, h);
    while (agw_rtp_ext_next(&it, &ext)) {
        AGW_ASSERT(ext.id != 0);
        for (size_t i = 0; i < ext.len; i++)
            sum = (uint8_t)(sum + ext.data[i]);
    }
}

/* What was a packet stays one, with the same payload. */
static void must_parse(const uint8_t *rtp, size_t len, const agw_rtp_header *before)
{
    agw_rtp_header h;
    AGW_ASSERT(agw_rtp_parse(&h, rtp, len) == AGW_OK);
    AGW_ASSERT(h.payload_len == before->payload_len && h.padding_len == before->padding_len);
    walk(rtp, &h);
}

static void extensions(uint8_t *buf, uint8_t *rtp, size_t len, uint8_t choice,
                       const agw_rtp_header *h)
{
    uint8_t map[256] = {0};
    for (unsigned id = 1; id < 256; id++)
        map[id] = (choice & 1) ? (uint8_t)(id ^ choice) : (uint8_t)(id % 5);
    const size_t before = len;
    AGW_ASSERT(agw_rtp_ext_rewrite(rtp, &len, map) == AGW_OK);
    AGW_ASSERT(len <= before);
    must_parse(rtp, len, h);
    const uint8_t id = choice != 0 ? choice : 1;
    const agw_err err = agw_rtp_ext_add(&rtp, &len, (size_t)(rtp - buf), id,
                                        (const uint8_t *)"seventeen bytes..", choice % 18);
    if (err != AGW_OK)
        return;
    size_t got = 0;
    agw_rtp_header after;
    must_parse(rtp, len, h);
    AGW_ASSERT(agw_rtp_parse(&after, rtp, len) == AGW_OK);
    AGW_ASSERT(agw_rtp_ext_get(rtp, &after, id, &got) != NULL && got == choice % 18);
}

static void relay(agw_rewrite *r, uint8_t *rtp, size_t len, agw_ns now)
{
    uint16_t seq = 0;
    uint32_t ssrc = 0;
    const uint16_t ingress = agw_get16(rtp + 2);
    if (agw_rewrite_rtp(r, rtp, len, 8000, now) == AGW_REWRITE_DROP)
        return;
    AGW_ASSERT(agw_get32(rtp + 8) == 0x0e0e0e0e);
    AGW_ASSERT(agw_rewrite_ingress_ssrc(r, 0x0e0e0e0e, &ssrc) && ssrc == r->ssrc);
    AGW_ASSERT(agw_rewrite_ingress_seq(r, agw_get16(rtp + 2), &seq) && seq == ingress);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1500)
        return 0;
    const size_t len = size - 1;
    uint8_t *buf = malloc(HEADROOM + len);
    AGW_ASSERT(buf != NULL);
    uint8_t *rtp = buf + HEADROOM;
    agw_rtp_header h;
    memcpy(rtp, data + 1, len);
    (void)agw_rtp_is_rtcp(rtp, len);
    if (agw_rtp_parse(&h, rtp, len) == AGW_OK) {
        AGW_ASSERT(h.header_len + h.payload_len + h.padding_len == len);
        walk(rtp, &h);
        agw_rewrite r;
        agw_rewrite_init(&r, 0x0e0e0e0e);
        relay(&r, rtp, len, 0);
        memcpy(rtp, data + 1, len);
        agw_put32(rtp + 8, h.ssrc + 1);
        agw_put16(rtp + 2, (uint16_t)(h.seq * 31u));
        relay(&r, rtp, len, AGW_MS(data[0]));
        extensions(buf, rtp, len, data[0], &h);
    }
    free(buf);
    return 0;
}
