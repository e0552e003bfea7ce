/* SPDX-License-Identifier: BSD-3-Clause
 * How much of its time a thread works, what a call costs it, and whether one more call fits. Pure:
 * totals of counters and their time come in. Shares are of AGW_LOAD_FULL. */
#ifndef AGW_AGW_LOAD_H
#define AGW_AGW_LOAD_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_LOAD_FULL = 1000,
    AGW_LOAD_EVERY_MS = 100, /* between two probes, at least */
    AGW_LOAD_PROBES = 4,     /* kept: the window is three such distances */
    AGW_LOAD_HYSTERESIS = 50,
    AGW_LOAD_PASSING_PART = 8, /* of the limit is for calls that only pass: 160 of a core at 80 % */
};

/** Totals since the start, read at one time. */
typedef struct agw_load_probe {
    agw_ns at;
    uint64_t busy_ns;   /* the thread did not wait */
    uint64_t packets;   /* it has read */
    uint64_t shared;    /* of these: from its shared access ports */
    uint64_t lost;      /* did not fit the buffers of those */
    uint64_t coding_ns; /* of busy_ns: spent on changing codecs */
} agw_load_probe;

/** A thread's load over the window. Read busy, shared and losing as you like. */
typedef struct agw_load {
    uint64_t shared_pps;                    /* what the shared ports are good for; 0 = no bound */
    agw_load_probe probes[AGW_LOAD_PROBES]; /* the oldest first */
    size_t n_probes;
    uint32_t busy;            /* share of its time */
    uint32_t shared;          /* share of shared_pps */
    bool losing;              /* shared ports were full */
    uint32_t coding;          /* share of its time that codecs take */
    uint32_t coding_permille; /* of what they were planned to take: this machine, these calls */
    uint64_t call_pps;        /* packets of one more call, both directions */
    uint64_t packet_ns;
} agw_load;

/** Packets a second that a shared port with that receive buffer (as granted, without the kernel's
 * doubling) holds while its worker is away for the longest time to be expected. */
uint64_t agw_load_shared_pps(size_t buffer_bytes, agw_ns tick);

void agw_load_init(agw_load *load, uint64_t shared_pps);
/** Is it time for another probe? */
bool agw_load_due(const agw_load *load, agw_ns now);
/** talking: calls that these packets are of. */
void agw_load_note(agw_load *load, const agw_load_probe *probe, size_t talking);
/** After agw_load_note(). planned_us: CPU of a second that the codec table says of the calls that
 * talk; what they took is measured, and tells what the table's figures are worth here. */
void agw_load_note_coding(agw_load *load, uint64_t planned_us);
/** The share of its time that codecs of so many planned us a second will take. */
uint32_t agw_load_of_coding(const agw_load *load, uint64_t planned_us);
/** What urgent calls meet when so many more calls talk: the share of its time, which may be above
 * AGW_LOAD_FULL; above everything when it never waits. Ports do not bound them. */
uint32_t agw_load_urgent_with(const agw_load *load, size_t calls);
/** The load when so many more calls talk: the share of its time, or of what its ports are good for,
 * whichever is larger. */
uint32_t agw_load_with(const agw_load *load, size_t calls);

/** The limit for calls whose codecs are changed: the rest is left to those that only pass. */
static inline uint32_t agw_load_coding_limit(uint32_t limit)
{
    return limit - limit / AGW_LOAD_PASSING_PART;
}

/** Who may come in. */
typedef struct agw_admission {
    uint32_t limit; /* load; 0 = everybody may */
    bool closed;    /* for calls that are not urgent */
} agw_admission;

/** Looks at the load of the worker that would be next: closes at the limit, opens again
 * AGW_LOAD_HYSTERESIS below it. losing closes at any load. */
void agw_admission_look(agw_admission *admission, uint32_t load, bool losing);
/** Of AGW_LOAD_FULL. Below it urgent calls come in: whatever the worker does now, only a flood of
 * them meets it. */
enum { AGW_LOAD_URGENT = AGW_LOAD_FULL + AGW_LOAD_FULL / 4 };
/** After agw_admission_look(). load: agw_load_with(), or agw_load_urgent_with(). */
bool agw_admission_takes(const agw_admission *admission, uint32_t load, bool urgent);

#endif
