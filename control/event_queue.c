/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/event_queue.h"

#include <string.h>

static const agw_ns FIRST_PAUSE = AGW_S(1), LONGEST_PAUSE = AGW_S(8), OLDEST = AGW_S(60);

typedef struct waiting {
    uint64_t seq;
    char *call_id;
    GString *text;
    agw_ns until, due_at, pause;
    bool last;
} waiting;

struct agw_event_queue {
    GQueue order; /* of waiting, the oldest first */
    uint64_t lost;
};

agw_event_queue *agw_event_queue_new(void)
{
    agw_event_queue *queue = g_new0(agw_event_queue, 1);
    g_queue_init(&queue->order);
    return queue;
}

static void waiting_free(void *data)
{
    waiting *w = data;
    g_string_free(w->text, TRUE);
    g_free(w->call_id);
    g_free(w);
}

void agw_event_queue_free(agw_event_queue *queue)
{
    if (queue == NULL)
        return;
    g_queue_clear_full(&queue->order, waiting_free);
    g_free(queue);
}

static void lose_oldest(agw_event_queue *queue)
{
    waiting_free(g_queue_pop_head(&queue->order));
    queue->lost++;
}

void agw_event_queue_push(agw_event_queue *queue, uint64_t seq, const char *call_id, bool last,
                          GString *text, agw_ns now)
{
    if (queue->order.length == AGW_EVENT_QUEUE_MAX)
        lose_oldest(queue);
    waiting *w = g_new0(waiting, 1);
    *w = (waiting){.seq = seq,
                   .call_id = g_strdup(call_id),
                   .text = text,
                   .until = now + OLDEST,
                   .due_at = now,
                   .pause = FIRST_PAUSE,
                   .last = last};
    g_queue_push_tail(&queue->order, w);
}

void agw_event_queue_expire(agw_event_queue *queue, agw_ns now)
{
    while (queue->order.head != NULL && ((waiting *)queue->order.head->data)->until <= now)
        lose_oldest(queue);
}

const GString *agw_event_queue_next(agw_event_queue *queue, agw_ns now)
{
    agw_event_queue_expire(queue, now);
    for (GList *l = queue->order.head; l != NULL; l = l->next) {
        waiting *w = l->data;
        if (w->due_at > now)
            continue;
        w->due_at = now + w->pause;
        w->pause = MIN(2 * w->pause, LONGEST_PAUSE);
        return w->text;
    }
    return NULL;
}

void agw_event_queue_restart(agw_event_queue *queue, agw_ns now)
{
    for (GList *l = queue->order.head; l != NULL; l = l->next) {
        waiting *w = l->data;
        w->due_at = now;
        w->pause = FIRST_PAUSE;
    }
}

bool agw_event_queue_ack(agw_event_queue *queue, uint64_t seq)
{
    for (GList *l = queue->order.head; l != NULL; l = l->next) {
        if (((waiting *)l->data)->seq != seq)
            continue;
        waiting_free(l->data);
        g_queue_delete_link(&queue->order, l);
        return true;
    }
    return false;
}

void agw_event_queue_end_call(agw_event_queue *queue, const char *call_id)
{
    for (GList *l = queue->order.head, *next; l != NULL; l = next) {
        waiting *w = l->data;
        next = l->next;
        if (w->last || strcmp(w->call_id, call_id) != 0)
            continue;
        waiting_free(w);
        g_queue_delete_link(&queue->order, l);
    }
}

agw_ns agw_event_queue_deadline(const agw_event_queue *queue)
{
    agw_ns at = AGW_NEVER;
    for (const GList *l = queue->order.head; l != NULL; l = l->next) {
        const waiting *w = l->data;
        at = agw_earlier(at, agw_earlier(w->due_at, w->until));
    }
    return at;
}

size_t agw_event_queue_count(const agw_event_queue *queue)
{
    return queue->order.length;
}

uint64_t agw_event_queue_lost(const agw_event_queue *queue)
{
    return queue->lost;
}
