/* SPDX-License-Identifier: BSD-3-Clause
 * Media on time: as many slots as streams, evenly spaced over one period, each slot's stream sends
 * once a period. Streams that join take slots far from each other. */
#ifndef AGW_BENCH_KIT_PACER_H
#define AGW_BENCH_KIT_PACER_H

#include "bench/kit/world.h"

typedef struct kit_pacer_config {
    agw_ns period; /* 20 ms */
    size_t slots;  /* most streams at once */
    agw_ns tick;   /* what falls due within it may leave together, never early; 0 = each alone */
    void (*send)(void *stream); /* the slot's turn: sends one packet or one burst */
} kit_pacer_config;

typedef struct kit_pacer {
    kit_world *world;
    kit_pacer_config config;
    void **streams; /* by slot; NULL = free */
    size_t *free;   /* ring of the free slots' numbers */
    size_t free_at, joined;
    agw_ns began_at; /* of this period */
    size_t next;     /* slot */
    kit_timer timer;
    kit_histogram lateness; /* from a slot's time to its sending */
} kit_pacer;

void kit_pacer_init(kit_pacer *p, kit_world *world, const kit_pacer_config *config);
void kit_pacer_fini(kit_pacer *p);

/** The stream (borrowed) sends from now on; returns its slot. There must be a free one. */
size_t kit_pacer_join(kit_pacer *p, void *stream);
void kit_pacer_leave(kit_pacer *p, size_t slot);

#endif
