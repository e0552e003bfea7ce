/* SPDX-License-Identifier: BSD-3-Clause
 * A small repeatable generator for random tests, which print the seed they began with. */
#ifndef AGW_TESTS_BASE_RANDOM_H
#define AGW_TESTS_BASE_RANDOM_H

#include "base/rand.h"

#include <stdint.h>
#include <stdio.h>

typedef struct test_random {
    uint32_t state;
} test_random;

static inline test_random test_random_begin(const char *what)
{
    test_random r = {agw_rand32() | 1u};
    printf(" [%s seed %u] ", what, r.state);
    return r;
}

/* xorshift32 */
static inline uint32_t test_random_next(test_random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 17;
    r->state ^= r->state << 5;
    return r->state;
}

static inline uint32_t test_random_below(test_random *r, uint32_t n)
{
    return test_random_next(r) % n;
}

#endif
