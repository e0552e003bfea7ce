/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/heap.h"

#include "base/prefetch.h"

#include <stdlib.h>
#include <string.h>

/* glibc's: seven pieces of each size up to a kilobyte. */
enum { FIRST = 24, STEP = 16, LAST = 1032, SIZES = (LAST - FIRST) / STEP + 1, CACHED = 7 };

typedef struct pieces {
    void *of[SIZES][CACHED];
} pieces;

static void take(pieces *p)
{
    for (size_t s = 0; s < SIZES; s++) {
        for (size_t i = 0; i < CACHED; i++)
            p->of[s][i] = malloc(FIRST + s * STEP);
    }
}

static void give(const pieces *p)
{
    for (size_t s = 0; s < SIZES; s++) {
        for (size_t i = 0; i < CACHED; i++)
            free(p->of[s][i]);
    }
}

void agw_heap_settle(void)
{
    pieces strewn, together;
    take(&strewn); /* what the cache holds */
    take(&together);
    give(&together); /* the cache is full again: */
    give(&strewn);   /* these go back */
}

void *agw_heap_lines(size_t bytes)
{
    const size_t whole = (bytes + AGW_CACHE_LINE - 1) / AGW_CACHE_LINE * AGW_CACHE_LINE;
    void *lines = aligned_alloc(AGW_CACHE_LINE, whole);
    return lines != NULL ? memset(lines, 0, whole) : NULL;
}

void agw_heap_ended(size_t *ended, bool is_last)
{
    ++*ended;
    if (!is_last || *ended < AGW_HEAP_MANY)
        return;
    *ended = 0;
    agw_heap_settle();
}
