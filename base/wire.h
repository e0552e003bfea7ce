/* SPDX-License-Identifier: BSD-3-Clause
 * Big-endian fields of packets. The caller has checked the offsets. */
#ifndef AGW_BASE_WIRE_H
#define AGW_BASE_WIRE_H

#include <stdint.h>

static inline uint16_t agw_get16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t agw_get24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t agw_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t agw_get64(const uint8_t *p)
{
    return (uint64_t)agw_get32(p) << 32 | agw_get32(p + 4);
}

static inline void agw_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void agw_put24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

static inline void agw_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void agw_put64(uint8_t *p, uint64_t v)
{
    agw_put32(p, (uint32_t)(v >> 32));
    agw_put32(p + 4, (uint32_t)v);
}

#endif
