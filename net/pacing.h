/* SPDX-License-Identifier: BSD-3-Clause
 * When a worker should sleep to the next tick instead of waking at every packet: a wake-up costs
 * more than a packet, so that many packets shall share one. Pure: no clock, no socket. */
#ifndef AGW_NET_PACING_H
#define AGW_NET_PACING_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_PACING_ON_PPS = 5000,  /* reached within one window: pacing begins */
    AGW_PACING_OFF_PPS = 2000, /* not reached over one window: pacing ends */
    AGW_PACING_LONG_PPS =
        20000, /* below: the tick is a third longer, since little waits at its end */
    AGW_PACING_SHORT_PPS = 70000, /* from here on it is a third shorter: what waits at its end takes
                                     as long to send, and a wake-up is shared by enough */
    AGW_PACING_WINDOW_MS = 20,    /* one ptime: streams that all send at once are not a high rate */
};

typedef struct agw_pacing {
    agw_ns tick;      /* 0 = never sleep */
    agw_ns step;      /* the tick at the present rate */
    agw_ns window_at; /* when the present window began */
    uint64_t packets; /* read in it */
    bool paced;
} agw_pacing;

void agw_pacing_init(agw_pacing *pacing, agw_ns tick);

/** packets were read. */
static inline void agw_pacing_count(agw_pacing *pacing, size_t packets)
{
    pacing->packets += packets;
}

/** Until when to sleep without looking at sockets, at most one tick and not past the deadline;
 * a value <= now: do not sleep, block on the sockets. */
agw_ns agw_pacing_sleep_until(agw_pacing *pacing, agw_ns now, agw_ns deadline);

#endif
