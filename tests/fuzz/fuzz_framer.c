/* SPDX-License-Identifier: BSD-3-Clause
 * A stream of framed packets gives the same packets in whatever pieces it comes. The first byte is
 * the size of the pieces. */
#include "net/framer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FNV-1a over results and packets. */
static uint64_t mix(uint64_t h, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ data[i]) * 1099511628211u;
    return h;
}

static uint64_t drain(agw_framer *f, uint64_t h)
{
    const uint8_t *packet = NULL;
    size_t len = 0;
    for (agw_framer_result r; (r = agw_framer_next(f, &packet, &len)) != AGW_FRAMER_MORE;) {
        h = mix(h, (const uint8_t[]){(uint8_t)r}, 1);
        if (r == AGW_FRAMER_PACKET) {
            AGW_ASSERT(len >= 1 && len <= AGW_PKT_MAX);
            h = mix(h, packet, len);
        }
    }
    return h;
}

static uint64_t in_pieces(const uint8_t *data, size_t size, size_t piece)
{
    static agw_framer f;
    uint64_t h = 14695981039346656037u;
    memset(&f, 0, sizeof f);
    for (size_t at = 0; at < size;) {
        size_t room;
        uint8_t *to = agw_framer_room(&f, &room);
        AGW_ASSERT(room > 0);
        size_t n = size - at < piece ? size - at : piece;
        n = n < room ? n : room;
        memcpy(to, data + at, n);
        agw_framer_add(&f, n);
        at += n;
        h = drain(&f, h);
    }
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const uint64_t once = in_pieces(data + 1, size - 1, SIZE_MAX);
    AGW_ASSERT(in_pieces(data + 1, size - 1, (size_t)data[0] + 1) == once);
    AGW_ASSERT(in_pieces(data + 1, size - 1, 1) == once);
    return 0;
}
