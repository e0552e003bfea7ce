/* SPDX-License-Identifier: BSD-3-Clause
 * Counts what a test takes from the heap. For one file of a program; behind lab.h. */
#ifndef AGW_TESTS_AGW_HEAP_H
#define AGW_TESTS_AGW_HEAP_H

#include "tests/agw/lab.h"

static size_t heap_calls;

/* Everything in the process comes by here, libraries too. A sanitizer has an allocator of its own:
 * there the test only sees that packets pass. */
#if !defined(LAB_ASAN) && !defined(LAB_TSAN)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    heap_calls++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    heap_calls++;
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    heap_calls++;
    return __libc_realloc(old, size);
}
#endif

#endif
