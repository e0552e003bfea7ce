/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/timerq.h"

#include <stdlib.h>
#include <string.h>

void agw_timerq_init(agw_timerq *q)
{
    memset(q, 0, sizeof *q);
}

void agw_timerq_fini(agw_timerq *q)
{
    free(q->heap);
    memset(q, 0, sizeof *q);
}

static void place(agw_timerq *q, agw_timer_place what, size_t pos)
{
    q->heap[pos - 1] = what;
    what.timer->pos = pos;
}

static void sift_up(agw_timerq *q, size_t pos)
{
    const agw_timer_place moved = q->heap[pos - 1];
    for (; pos > 1 && q->heap[pos / 2 - 1].at > moved.at; pos /= 2)
        place(q, q->heap[pos / 2 - 1], pos);
    place(q, moved, pos);
}

static void sift_down(agw_timerq *q, size_t pos)
{
    const agw_timer_place moved = q->heap[pos - 1];
    for (size_t child; (child = pos * 2) <= q->count; pos = child) {
        if (child < q->count && q->heap[child].at < q->heap[child - 1].at)
            child++;
        if (q->heap[child - 1].at >= moved.at)
            break;
        place(q, q->heap[child - 1], pos);
    }
    place(q, moved, pos);
}

static void grow(agw_timerq *q)
{
    const size_t room = q->room != 0 ? q->room * 2 : 64;
    agw_timer_place *heap = realloc(q->heap, room * sizeof *heap);
    AGW_ASSERT(heap != NULL);
    q->heap = heap;
    q->room = room;
}

void agw_timerq_set(agw_timerq *q, agw_timer *timer, agw_ns at)
{
    if (at == AGW_NEVER) {
        agw_timerq_cancel(q, timer);
        return;
    }
    if (timer->pos == 0) {
        if (q->count == q->room)
            grow(q);
        q->count++;
        timer->pos = q->count;
    }
    timer->at = at;
    place(q, (agw_timer_place){at, timer}, timer->pos);
    sift_up(q, timer->pos);
    sift_down(q, timer->pos);
}

void agw_timerq_cancel(agw_timerq *q, agw_timer *timer)
{
    if (timer->pos == 0)
        return;
    const agw_timer_place last = q->heap[q->count - 1];
    const size_t hole = timer->pos;
    q->count--;
    timer->pos = 0;
    if (last.timer == timer)
        return;
    place(q, last, hole);
    sift_up(q, hole);
    sift_down(q, last.timer->pos);
}

agw_timer *agw_timerq_take(agw_timerq *q)
{
    agw_timer *timer = q->heap[0].timer;
    agw_timerq_cancel(q, timer);
    return timer;
}
