/* SPDX-License-Identifier: BSD-3-Clause
 * Numbers that one thread writes and others read, without a locked instruction. */
#ifndef AGW_BASE_COUNTER_H
#define AGW_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/** One writer, any readers; zeroed = 0. */
typedef _Atomic uint64_t agw_counter;

static inline void agw_counter_add(agw_counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void agw_counter_set(agw_counter *c, uint64_t v)
{
    atomic_store_explicit(c, v, memory_order_relaxed);
}

static inline uint64_t agw_counter_get(const agw_counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
