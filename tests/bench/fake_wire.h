/* SPDX-License-Identifier: BSD-3-Clause
 * A wire in memory and a clock that is a variable: what is sent to a bound address arrives at once,
 * in order, unless the test takes it out. Stands in for bench/kit/wire.c; one in a program. */
#ifndef AGW_TESTS_BENCH_FAKE_WIRE_H
#define AGW_TESTS_BENCH_FAKE_WIRE_H

#include "bench/kit/world.h"

#include <string.h>

enum { FAKE_BINDINGS = 16, FAKE_QUEUE = 64, FAKE_BYTES = 2048 };

typedef struct fake_datagram {
    agw_addr from, to;
    uint8_t data[FAKE_BYTES];
    size_t len;
} fake_datagram;

struct kit_wire {
    struct {
        agw_addr local;
        kit_taker taker;
        void *owner;
    } bound[FAKE_BINDINGS];
    fake_datagram queue[FAKE_QUEUE];
    size_t first, count;
    uint8_t room[KIT_DATAGRAM_MAX];
    kit_wire_batch batch; /* called for each datagram */
    uint64_t sent, unbound;
    bool (*pass)(fake_datagram *d); /* NULL = all; may change it; false = lost */
};

static struct kit_wire fake_wire;
static kit_world fake_world;

kit_wire *kit_wire_open(const char *interface, const agw_prefix *hosts, const agw_addr *gateway,
                        const char **why)
{
    (void)interface, (void)hosts, (void)gateway, (void)why;
    return &fake_wire;
}

void kit_wire_close(kit_wire *wire)
{
    (void)wire;
}

void kit_wire_bind(kit_wire *wire, const agw_addr *local, kit_taker taker, void *owner)
{
    for (size_t i = 0; i < FAKE_BINDINGS; i++) {
        if (wire->bound[i].taker == NULL) {
            wire->bound[i].local = *local;
            wire->bound[i].taker = taker;
            wire->bound[i].owner = owner;
            return;
        }
    }
    AGW_ASSERT(!"room for a binding");
}

void kit_wire_set_batch(kit_wire *wire, const kit_wire_batch *batch)
{
    wire->batch = batch != NULL ? *batch : (kit_wire_batch){.owner = NULL};
}

void kit_wire_unbind(kit_wire *wire, const agw_addr *local)
{
    for (size_t i = 0; i < FAKE_BINDINGS; i++) {
        if (wire->bound[i].taker != NULL && agw_addr_equal(&wire->bound[i].local, local))
            wire->bound[i].taker = NULL;
    }
}

void kit_wire_bind_rest(kit_wire *wire, kit_taker taker, void *owner)
{
    (void)wire, (void)taker, (void)owner;
}

void kit_wire_send(kit_wire *wire, const agw_addr *from, const agw_addr *to, const uint8_t *data,
                   size_t len)
{
    fake_datagram d = {.from = *from, .to = *to, .len = len};
    AGW_ASSERT(len <= FAKE_BYTES);
    memcpy(d.data, data, len);
    wire->sent++;
    if (wire->pass != NULL && !wire->pass(&d))
        return;
    AGW_ASSERT(wire->count < FAKE_QUEUE);
    wire->queue[(wire->first + wire->count++) % FAKE_QUEUE] = d;
}

uint8_t *kit_wire_room(kit_wire *wire)
{
    return wire->room;
}

void kit_wire_commit(kit_wire *wire, const agw_addr *from, const agw_addr *to, size_t len)
{
    if (wire->batch.before_leaving != NULL)
        wire->batch.before_leaving(wire->batch.owner);
    kit_wire_send(wire, from, to, wire->room, len);
}

void kit_wire_flush(kit_wire *wire)
{
    (void)wire;
}

size_t kit_wire_take(kit_wire *wire)
{
    size_t taken = 0;
    for (; wire->count > 0; taken++) {
        fake_datagram d = wire->queue[wire->first];
        wire->first = (wire->first + 1) % FAKE_QUEUE;
        wire->count--;
        size_t i = 0;
        while (i < FAKE_BINDINGS &&
               (wire->bound[i].taker == NULL || !agw_addr_equal(&wire->bound[i].local, &d.to)))
            i++;
        if (i == FAKE_BINDINGS) {
            wire->unbound++;
            continue;
        }
        const kit_datagram given = {
            .from = d.from, .to = d.to, .data = d.data, .len = d.len, .at = fake_world.now};
        wire->bound[i].taker(wire->bound[i].owner, &given);
        if (wire->batch.after_taking != NULL)
            wire->batch.after_taking(wire->batch.owner);
    }
    return taken;
}

bool kit_wire_has_more(const kit_wire *wire)
{
    return wire->count > 0;
}

int kit_wire_fd(const kit_wire *wire)
{
    (void)wire;
    return -1;
}

kit_wire_stats kit_wire_get_stats(kit_wire *wire)
{
    return (kit_wire_stats){.sent = wire->sent, .unbound = wire->unbound};
}

/* A new, empty world at a time of its own. */
static void fake_begin(void)
{
    memset(&fake_wire, 0, sizeof fake_wire);
    memset(&fake_world, 0, sizeof fake_world);
    AGW_ASSERT(agw_prefix_parse(&fake_world.hosts, "10.99.0.0/16") == AGW_OK);
    agw_timerq_init(&fake_world.timers);
    fake_world.wire = &fake_wire;
    fake_world.now = AGW_S(1000);
}

/* Everything bound and armed must be gone. */
static void fake_end(void)
{
    for (size_t i = 0; i < FAKE_BINDINGS; i++)
        CU_ASSERT_PTR_NULL(fake_wire.bound[i].taker);
    CU_ASSERT_EQUAL(agw_timerq_next(&fake_world.timers), AGW_NEVER);
    agw_timerq_fini(&fake_world.timers);
}

/* Lets `length` pass; timers fire and datagrams arrive in their order. */
static void fake_run(agw_ns length)
{
    const agw_ns until = fake_world.now + length;
    for (;;) {
        kit_wire_take(&fake_wire);
        const agw_ns next = agw_timerq_next(&fake_world.timers);
        if (next > until)
            break;
        if (next > fake_world.now)
            fake_world.now = next;
        const kit_timer *timer = agw_timerq_pop(&fake_world.timers, fake_world.now)->owner;
        timer->fire(timer->owner);
    }
    fake_world.now = until;
}

#endif
