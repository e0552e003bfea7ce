/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtp/red.h"

#include "base/wire.h"

enum {
    FOLLOWS = 0x80,     /* F: another block header follows, section 3 */
    BLOCK_HEADER = 4,   /* F, PT, 14 bits timestamp offset, 10 bits length */
    PRIMARY_HEADER = 1, /* F = 0, PT */
    LENGTH_BITS = 10,
    LENGTH_MASK = (1 << LENGTH_BITS) - 1,
    OFFSET_MASK = 0x3fff,
};

/* All headers stand in front of the first block. */
static agw_err parse_headers(agw_red *out, const uint8_t *payload, size_t len, size_t *at)
{
    out->n = 0;
    for (*at = 0; *at + BLOCK_HEADER <= len && (payload[*at] & FOLLOWS); *at += BLOCK_HEADER) {
        const uint32_t header = agw_get32(payload + *at);
        if (out->n + 1 == AGW_RED_BLOCKS_MAX)
            return AGW_ERR_LIMIT;
        out->blocks[out->n++] = (agw_red_block){
            .pt = payload[*at] & 0x7f,
            .before = (uint16_t)(header >> LENGTH_BITS & OFFSET_MASK),
            .len = (uint16_t)(header & LENGTH_MASK),
        };
    }
    if (*at >= len || (payload[*at] & FOLLOWS))
        return AGW_ERR_TRUNCATED;
    out->blocks[out->n++].pt = payload[*at] & 0x7f;
    *at += PRIMARY_HEADER;
    return AGW_OK;
}

agw_err agw_red_parse(agw_red *out, const uint8_t *payload, size_t len)
{
    size_t at;
    const agw_err err = parse_headers(out, payload, len, &at);
    if (err != AGW_OK)
        return err;
    for (size_t i = 0; i + 1 < out->n; i++) {
        if (out->blocks[i].len > len - at)
            return AGW_ERR_TRUNCATED;
        out->blocks[i].data = payload + at;
        at += out->blocks[i].len;
    }
    agw_red_block *own = &out->blocks[out->n - 1];
    own->before = 0;
    own->len = (uint16_t)(len - at);
    own->data = payload + at;
    return AGW_OK;
}
