/* SPDX-License-Identifier: BSD-3-Clause
 * A bounded queue of pointers between threads, many producers and consumers, without locks:
 * the mailboxes of workers, handshake threads and the control thread. */
#ifndef AGW_BASE_RING_H
#define AGW_BASE_RING_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct agw_ring agw_ring;

/** slots: how many messages it holds, a power of two >= 2. NULL when memory is short. */
AGW_NODISCARD agw_ring *agw_ring_new(size_t slots);
/** Messages still inside are not freed: drain first. */
void agw_ring_free(agw_ring *ring);

/** false: the ring is full and msg is still the caller's; true: msg is given. */
AGW_NODISCARD bool agw_ring_push(agw_ring *ring, void *msg);
/** The oldest message, now the caller's; NULL when empty. */
AGW_NODISCARD void *agw_ring_pop(agw_ring *ring);
/** How many messages are inside, about: others may push and pop meanwhile. */
size_t agw_ring_count(const agw_ring *ring);

#endif
