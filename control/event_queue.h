/* SPDX-License-Identifier: BSD-3-Clause
 * Events that wait for their acknowledgement: sent again with growing pauses until they are
 * answered, too old, or of a call that is over. Pure, on virtual time; who sends is evapi.c. */
#ifndef AGW_CONTROL_EVENT_QUEUE_H
#define AGW_CONTROL_EVENT_QUEUE_H

#include "base/clock.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { AGW_EVENT_QUEUE_MAX = 4096 }; /* events; the oldest make room */

typedef struct agw_event_queue agw_event_queue;

agw_event_queue *agw_event_queue_new(void);
/** NULL is fine. */
void agw_event_queue_free(agw_event_queue *queue);

/** text is given; it is due at once. call_id is copied ("" = of no call); with last it outlives
 * agw_event_queue_end_call(). */
void agw_event_queue_push(agw_event_queue *queue, uint64_t seq, const char *call_id, bool last,
                          GString *text, agw_ns now);
/** The next one that is due, borrowed until the next call; NULL = none. It is due again after 1, 2,
 * 4 and then every 8 s. Those older than a minute are lost. */
const GString *agw_event_queue_next(agw_event_queue *queue, agw_ns now);
/** Loses those older than a minute; for a queue of which nothing can be sent. */
void agw_event_queue_expire(agw_event_queue *queue, agw_ns now);
/** All are due now: a new connection knows nothing of what the old one took. */
void agw_event_queue_restart(agw_event_queue *queue, agw_ns now);
/** It has been taken. false: none with that number waits. */
bool agw_event_queue_ack(agw_event_queue *queue, uint64_t seq);
/** What still waits of that call has no meaning any more, but for its last event. */
void agw_event_queue_end_call(agw_event_queue *queue, const char *call_id);
/** When agw_event_queue_next() has something to do; AGW_NEVER = nothing waits. */
agw_ns agw_event_queue_deadline(const agw_event_queue *queue);

size_t agw_event_queue_count(const agw_event_queue *queue);
/** Events that made room or became too old. */
uint64_t agw_event_queue_lost(const agw_event_queue *queue);

#endif
