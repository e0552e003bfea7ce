/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/pacer.h"

#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE_MAX = 64, /* slots of one turn: what arrives must be taken, too */
    FLUSH_EVERY = 16, /* a packet does not wait long behind its time stamp */
};

/* A step near slots / phi that meets every slot: neighbours in time of joining are far apart. */
static size_t spread(size_t slots)
{
    size_t step = slots * 618 / 1000 + 1;
    for (;; step++) {
        size_t a = step;
        size_t b = slots;
        while (b != 0) {
            const size_t rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1)
            return step;
    }
}

void kit_pacer_init(kit_pacer *p, kit_world *world, const kit_pacer_config *config)
{
    memset(p, 0, sizeof *p);
    p->world = world;
    p->config = *config;
    const size_t slots = config->slots;
    AGW_ASSERT(slots != 0);
    p->streams = calloc(slots, sizeof(void *));
    p->free = calloc(slots, sizeof(size_t));
    AGW_ASSERT(p->streams != NULL && p->free != NULL);
    const size_t step = spread(slots);
    for (size_t i = 0; i < slots; i++)
        p->free[i] = i * step % slots;
}

void kit_pacer_fini(kit_pacer *p)
{
    if (p->world != NULL)
        kit_world_cancel(p->world, &p->timer);
    free(p->streams);
    free(p->free);
    memset(p, 0, sizeof *p);
}

static agw_ns due(const kit_pacer *p)
{
    return p->began_at + (agw_ns)((uint64_t)p->config.period * p->next / p->config.slots);
}

static void send_due(void *owner)
{
    kit_pacer *p = owner;
    agw_ns now = agw_clock_now();
    unsigned sent = 0;
    for (agw_ns at; (at = due(p)) <= now && sent < AT_ONCE_MAX;) {
        void *stream = p->streams[p->next];
        if (++p->next == p->config.slots) {
            p->next = 0;
            p->began_at += p->config.period;
        }
        if (stream == NULL)
            continue;
        kit_histogram_add(&p->lateness, now - at);
        p->config.send(stream);
        if (++sent % FLUSH_EVERY == 0)
            kit_wire_flush(p->world->wire);
        now = agw_clock_now();
    }
    kit_wire_flush(p->world->wire);
    if (p->joined == 0)
        return;
    const agw_ns soonest = sent < AT_ONCE_MAX ? now + p->config.tick : now;
    kit_world_at(p->world, &p->timer, due(p) > soonest ? due(p) : soonest, send_due, p);
}

size_t kit_pacer_join(kit_pacer *p, void *stream)
{
    AGW_ASSERT(p->joined < p->config.slots);
    const size_t slot = p->free[p->free_at];
    p->free_at = (p->free_at + 1) % p->config.slots;
    p->streams[slot] = stream;
    if (p->joined++ == 0) {
        p->began_at = agw_clock_now();
        p->next = 0;
        kit_world_at(p->world, &p->timer, p->began_at, send_due, p);
    }
    return slot;
}

void kit_pacer_leave(kit_pacer *p, size_t slot)
{
    AGW_ASSERT(p->streams[slot] != NULL);
    p->streams[slot] = NULL;
    p->joined--;
    p->free[(p->free_at + p->config.slots - p->joined - 1) % p->config.slots] = slot;
}
