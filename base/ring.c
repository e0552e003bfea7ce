/* SPDX-License-Identifier: BSD-3-Clause
 * Each slot has a ticket: equal to the position when free for a producer, position + 1 when filled
 * (D. Vyukov's bounded queue). */
#include "base/ring.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { CACHE_LINE = 64 };

typedef struct slot {
    _Atomic size_t ticket;
    void *msg;
} slot;

struct agw_ring {
    size_t mask;
    slot *slots;
    char pad0[CACHE_LINE - sizeof(size_t) - sizeof(slot *)];
    _Atomic size_t head; /* next position to fill */
    char pad1[CACHE_LINE - sizeof(_Atomic size_t)];
    _Atomic size_t tail; /* next position to take */
};

agw_ring *agw_ring_new(size_t slots)
{
    AGW_ASSERT(slots >= 2 && (slots & (slots - 1)) == 0);
    agw_ring *ring = calloc(1, sizeof *ring);
    slot *array = calloc(slots, sizeof *array);
    if (ring == NULL || array == NULL) {
        free(ring);
        free(array);
        return NULL;
    }
    for (size_t i = 0; i < slots; i++)
        atomic_init(&array[i].ticket, i);
    ring->slots = array;
    ring->mask = slots - 1;
    return ring;
}

void agw_ring_free(agw_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->slots);
    free(ring);
}

bool agw_ring_push(agw_ring *ring, void *msg)
{
    size_t pos = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (;;) {
        slot *s = &ring->slots[pos & ring->mask];
        const size_t ticket = atomic_load_explicit(&s->ticket, memory_order_acquire);
        const intptr_t ahead = (intptr_t)ticket - (intptr_t)pos;
        if (ahead < 0)
            return false;
        if (ahead > 0) {
            pos = atomic_load_explicit(&ring->head, memory_order_relaxed);
            continue;
        }
        if (!atomic_compare_exchange_weak_explicit(&ring->head, &pos, pos + 1, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        s->msg = msg;
        atomic_store_explicit(&s->ticket, pos + 1, memory_order_release);
        return true;
    }
}

void *agw_ring_pop(agw_ring *ring)
{
    size_t pos = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    for (;;) {
        slot *s = &ring->slots[pos & ring->mask];
        const size_t ticket = atomic_load_explicit(&s->ticket, memory_order_acquire);
        const intptr_t ahead = (intptr_t)ticket - (intptr_t)(pos + 1);
        if (ahead < 0)
            return NULL;
        if (ahead > 0) {
            pos = atomic_load_explicit(&ring->tail, memory_order_relaxed);
            continue;
        }
        if (!atomic_compare_exchange_weak_explicit(&ring->tail, &pos, pos + 1, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        void *msg = s->msg;
        atomic_store_explicit(&s->ticket, pos + ring->mask + 1, memory_order_release);
        return msg;
    }
}

size_t agw_ring_count(const agw_ring *ring)
{
    const size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    const size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const size_t n = head - tail; /* wraps round when more was popped than was there to see */
    return n <= ring->mask + 1 ? n : 0;
}
