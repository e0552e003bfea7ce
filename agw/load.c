/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/load.h"

#include "base/err.h"

#include <string.h>

enum {
    PACKET_MEMORY = 2304, /* what a datagram of speech takes of a receive buffer, most drivers */
    STALL_TICKS = 4,      /* the worker is away from its shared ports for so long at most */
    LEARN_PPS = 5000,     /* below, a packet costs a wake-up, which says nothing about load */
    CALL_PPS = 100,       /* speech, 20 ms, both directions */
    CALL_PPS_MAX = 1000,
    PACKET_NS = 6000,
    PACKET_NS_MIN = 1000,
    PACKET_NS_MAX = 12000,
};

enum {
    US_PER_S = 1000000,
    AS_PLANNED = 1000, /* coding_permille */
    CODING_MIN = 20,   /* share of a worker's time below which coding teaches nothing */
    CODING_MEMORY = 8, /* an eighth of what is new counts */
    CODING_LEAST = AS_PLANNED / 5,
    CODING_MOST = AS_PLANNED * 5,
};

static const agw_ns STALL_MIN = AGW_MS(4);

static uint64_t within(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

uint64_t agw_load_shared_pps(size_t buffer_bytes, agw_ns tick)
{
    const agw_ns stall = STALL_TICKS * tick > STALL_MIN ? STALL_TICKS * tick : STALL_MIN;
    return 2 * (uint64_t)buffer_bytes / PACKET_MEMORY * (uint64_t)AGW_S(1) / (uint64_t)stall;
}

void agw_load_init(agw_load *load, uint64_t shared_pps)
{
    memset(load, 0, sizeof *load);
    load->shared_pps = shared_pps;
    load->call_pps = CALL_PPS;
    load->packet_ns = PACKET_NS;
    load->coding_permille = AS_PLANNED;
}

bool agw_load_due(const agw_load *load, agw_ns now)
{
    return load->n_probes == 0 ||
           now - load->probes[load->n_probes - 1].at >= AGW_MS(AGW_LOAD_EVERY_MS);
}

static void keep(agw_load *load, const agw_load_probe *probe)
{
    if (load->n_probes == AGW_LOAD_PROBES) {
        load->n_probes--;
        memmove(load->probes, load->probes + 1, load->n_probes * sizeof *load->probes);
    }
    load->probes[load->n_probes++] = *probe;
}

/* What a packet costs falls with the load and is learned where it matters. */
static void learn(agw_load *load, uint64_t packets, uint64_t busy_ns, uint64_t pps, size_t talking)
{
    if (pps < LEARN_PPS || talking == 0)
        return;
    load->packet_ns = within(busy_ns / packets, PACKET_NS_MIN, PACKET_NS_MAX);
    load->call_pps = within(pps / talking, CALL_PPS, CALL_PPS_MAX);
}

void agw_load_note(agw_load *load, const agw_load_probe *probe, size_t talking)
{
    keep(load, probe);
    const agw_load_probe *from = &load->probes[0];
    if (probe->at <= from->at)
        return;
    const uint64_t elapsed = (uint64_t)(probe->at - from->at), second = (uint64_t)AGW_S(1);
    const uint64_t busy_ns = probe->busy_ns - from->busy_ns;
    const uint64_t packets = probe->packets - from->packets;
    const uint64_t shared_pps = (probe->shared - from->shared) * second / elapsed;
    load->busy = (uint32_t)within(busy_ns * AGW_LOAD_FULL / elapsed, 0, AGW_LOAD_FULL);
    if (load->shared_pps != 0)
        load->shared = (uint32_t)(shared_pps * AGW_LOAD_FULL / load->shared_pps);
    load->losing = probe->lost != from->lost;
    const uint64_t coding_ns = probe->coding_ns - from->coding_ns;
    load->coding = (uint32_t)within(coding_ns * AGW_LOAD_FULL / elapsed, 0, AGW_LOAD_FULL);
    learn(load, packets, busy_ns - (coding_ns < busy_ns ? coding_ns : busy_ns),
          packets * second / elapsed, talking);
}

uint32_t agw_load_of_coding(const agw_load *load, uint64_t planned_us)
{
    return (uint32_t)within(planned_us * load->coding_permille / US_PER_S, 0, UINT32_MAX / 2);
}

void agw_load_note_coding(agw_load *load, uint64_t planned_us)
{
    const uint64_t planned = planned_us * AGW_LOAD_FULL / US_PER_S;
    if (planned < CODING_MIN || load->coding < CODING_MIN || load->busy >= AGW_LOAD_FULL)
        return; /* a worker that is full takes what there is, not what it costs */
    const uint64_t now =
        within(load->coding * (uint64_t)AS_PLANNED / planned, CODING_LEAST, CODING_MOST);
    load->coding_permille =
        (uint32_t)(((CODING_MEMORY - 1) * (uint64_t)load->coding_permille + now) / CODING_MEMORY);
}

static uint32_t busy_with(const agw_load *load, size_t calls)
{
    const uint64_t ns = calls * load->call_pps * load->packet_ns;
    return (uint32_t)within(load->busy + ns * AGW_LOAD_FULL / (uint64_t)AGW_S(1), 0, UINT32_MAX);
}

uint32_t agw_load_urgent_with(const agw_load *load, size_t calls)
{
    return load->busy < AGW_LOAD_FULL ? busy_with(load, calls) : UINT32_MAX;
}

uint32_t agw_load_with(const agw_load *load, size_t calls)
{
    const uint32_t busy = busy_with(load, calls);
    if (load->shared_pps == 0)
        return busy;
    const uint64_t pps = calls * load->call_pps / 2;
    return (uint32_t)within(load->shared + pps * AGW_LOAD_FULL / load->shared_pps, busy,
                            UINT32_MAX);
}

void agw_admission_look(agw_admission *a, uint32_t load, bool losing)
{
    const uint32_t open_below =
        a->limit > AGW_LOAD_HYSTERESIS ? a->limit - AGW_LOAD_HYSTERESIS : a->limit;
    a->closed = a->limit != 0 && (losing || load >= (a->closed ? open_below : a->limit));
}

bool agw_admission_takes(const agw_admission *a, uint32_t load, bool urgent)
{
    if (a->limit == 0)
        return true;
    return urgent ? load < AGW_LOAD_URGENT : !a->closed;
}
