/* SPDX-License-Identifier: BSD-3-Clause
 * Bits of payloads, most significant first, at any offset. The caller has checked the offsets. */
#ifndef AGW_CODECS_BITS_H
#define AGW_CODECS_BITS_H

#include <stddef.h>
#include <stdint.h>

static inline size_t agw_bits_octets(size_t bits)
{
    return (bits + 7) / 8;
}

/* n bits, 1 to 8, that begin at bit `at`; touches no octet behind them. */
static inline unsigned agw_bits_get(const uint8_t *data, size_t at, unsigned n)
{
    const unsigned shift = (unsigned)(at % 8);
    unsigned v = (unsigned)data[at / 8] << 8;
    if (shift + n > 8)
        v |= data[at / 8 + 1];
    return v >> (16 - shift - n) & ((1u << n) - 1);
}

/* Appends n bits, 1 to 8, to zeroed memory; returns where the next ones go. */
static inline size_t agw_bits_put(uint8_t *out, size_t at, unsigned value, unsigned n)
{
    const unsigned shift = (unsigned)(at % 8);
    const unsigned v = value << (16 - shift - n);
    out[at / 8] |= (uint8_t)(v >> 8);
    if (shift + n > 8)
        out[at / 8 + 1] = (uint8_t)v;
    return at + n;
}

/* Appends n bits that begin at bit `from` of data. */
static inline size_t agw_bits_copy(uint8_t *out, size_t at, const uint8_t *data, size_t from,
                                   size_t n)
{
    for (size_t done = 0; done < n; done += 8) {
        const unsigned step = n - done < 8 ? (unsigned)(n - done) : 8;
        at = agw_bits_put(out, at, agw_bits_get(data, from + done, step), step);
    }
    return at;
}

#endif
