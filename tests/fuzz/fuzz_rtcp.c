/* SPDX-License-Identifier: BSD-3-Clause
 * An RTCP datagram from one leg to the other. The first two bytes choose what the egress leg
 * negotiated, the rest is the datagram; SSRCs 11 and 22 are of this media. */
#include "base/wire.h"
#include "rtp/feedback.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(agw_rewrite *r, uint32_t ssrc, uint16_t seq)
{
    uint8_t pkt[20] = {0x80};
    agw_put16(pkt + 2, seq);
    agw_put32(pkt + 8, ssrc);
    (void)agw_rewrite_rtp(r, pkt, sizeof pkt, 90000, AGW_S(seq));
}

static void walk(const uint8_t *buf, size_t len)
{
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    AGW_ASSERT(agw_rtcp_begin(&it, buf, len) == AGW_OK);
    while (agw_rtcp_next(&it, &p)) {
        agw_rtcp_sdes_chunk c;
        AGW_ASSERT(p.whole >= buf && p.whole + p.whole_len <= buf + len);
        for (size_t at = 0; p.type == AGW_RTCP_SDES && agw_rtcp_sdes_next(&p, &at, &c);)
            AGW_ASSERT(c.cname == NULL || c.cname + c.cname_len <= p.body + p.body_len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1500)
        return 0;
    agw_rewrite forward, reverse;
    uint8_t fir_seq = 0;
    agw_rewrite_init(&forward, (data[1] & 1) ? 0 : 12);
    agw_rewrite_init(&reverse, (data[1] & 2) ? 0 : 22);
    feed(&forward, 1, 1);
    feed(&forward, 11, 300);
    if (data[1] & 4)
        feed(&reverse, 2, 500);
    if (data[1] & 8)
        feed(&reverse, 21, 1000);
    const agw_rtcp_map map = {
        .forward = &forward,
        .reverse = &reverse,
        .allow = data[0] & 0x7fu,
        .reduced_size = data[0] & 0x80,
        .sole = data[1] & 0x10,
        .cname = (data[1] & 0x20) ? "gateway" : NULL,
        .fir_seq = (data[1] & 0x40) ? &fir_seq : NULL,
    };
    const size_t in_len = size - 2;
    size_t out_len = in_len + 300;
    uint8_t *in = malloc(in_len + 1), *out = malloc(out_len);
    agw_rtcp_info info;
    AGW_ASSERT(in != NULL && out != NULL);
    memcpy(in + 1, data + 2, in_len); /* its end is the block's end */
    const agw_err err = agw_rtcp_translate(&map, in + 1, in_len, out, &out_len, &info);
    AGW_ASSERT(err != AGW_ERR_NO_SPACE);
    if (err == AGW_OK) {
        walk(in + 1, in_len);
        AGW_ASSERT(info.packets > 0);
        if (out_len > 0)
            walk(out, out_len);
    }
    free(in);
    free(out);
    return 0;
}
