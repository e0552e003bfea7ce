/* SPDX-License-Identifier: BSD-3-Clause
 * Deadlines of many objects: a binary heap of timers that live inside their owners. */
#ifndef AGW_BASE_TIMERQ_H
#define AGW_BASE_TIMERQ_H

#include "base/clock.h"
#include "base/err.h"

#include <stddef.h>

/** Embedded in its owner; zeroed = not armed. */
typedef struct agw_timer {
    agw_ns at;  /* as it was armed last */
    size_t pos; /* 1-based place in the heap; 0 = not armed */
    void *owner;
} agw_timer;

/** The time stands beside the pointer: moving one timer past others does not touch their owners. */
typedef struct agw_timer_place {
    agw_ns at;
    agw_timer *timer;
} agw_timer_place;

typedef struct agw_timerq {
    agw_timer_place *heap;
    size_t count, room;
} agw_timerq;

void agw_timerq_init(agw_timerq *q);
/** Timers that are still armed are forgotten, not touched. */
void agw_timerq_fini(agw_timerq *q);

/** Arms, moves or (AGW_NEVER) cancels a timer. Allocates only when more timers are armed than ever
 * before; running out of memory there ends the process. */
void agw_timerq_set(agw_timerq *q, agw_timer *timer, agw_ns at);
void agw_timerq_cancel(agw_timerq *q, agw_timer *timer);

/** The earliest deadline, AGW_NEVER when none is armed. */
static inline agw_ns agw_timerq_next(const agw_timerq *q)
{
    return q->count != 0 ? q->heap[0].at : AGW_NEVER;
}

/** Disarms and returns the earliest timer; there is one. */
agw_timer *agw_timerq_take(agw_timerq *q);

/** The same if its time has come; NULL when there is none. Asked for in each turn of a worker. */
static inline agw_timer *agw_timerq_pop(agw_timerq *q, agw_ns now)
{
    return q->count != 0 && q->heap[0].at <= now ? agw_timerq_take(q) : NULL;
}

#endif
