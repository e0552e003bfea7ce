/* SPDX-License-Identifier: BSD-3-Clause
 * Asking the cache for memory ahead of its use. Only speed depends on it. */
#ifndef AGW_BASE_PREFETCH_H
#define AGW_BASE_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

enum { AGW_CACHE_LINE = 64 };

/** The line that p lies in. p may be any address, NULL too. */
static inline void agw_prefetch(const void *p)
{
    __builtin_prefetch(p);
}

/** Every line of bytes bytes from p on. */
static inline void agw_prefetch_span(const void *p, size_t bytes)
{
    const uint8_t *const end = (const uint8_t *)p + bytes;
    for (const uint8_t *at = p; at < end; at += AGW_CACHE_LINE)
        __builtin_prefetch(at);
    __builtin_prefetch(end - 1);
}

#endif
