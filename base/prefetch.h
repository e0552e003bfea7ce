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

/** Every line of bytes (at least 1) bytes from p on. */
static inline void agw_prefetch_span(const void *p, size_t bytes)
{
    const uintptr_t first = (uintptr_t)p, last = first + bytes - 1; /* numbers: p may be NULL */
    for (uintptr_t at = first; at < last; at += AGW_CACHE_LINE)
        __builtin_prefetch((const void *)at); /* NOLINT(performance-no-int-to-ptr) */
    __builtin_prefetch((const void *)last);   /* NOLINT(performance-no-int-to-ptr) */
}

#endif
