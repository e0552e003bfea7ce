/* SPDX-License-Identifier: BSD-3-Clause
 * When memory that calls have left behind goes back to the system. The allocator keeps it by
 * itself, and giving it back costs milliseconds (25 ms after 8,000 calls), so it is done when load
 * has fallen far, and seldom. */
#ifndef AGW_CONTROL_TRIM_H
#define AGW_CONTROL_TRIM_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    AGW_TRIM_LEAST = 512, /* a smaller peak leaves nothing worth the work */
    AGW_TRIM_PART = 4,    /* due when no more than one in so many is left */
    AGW_TRIM_REST_S = 10, /* between two */
};

/** What holds memory. Each falls by itself: replies stay behind their calls. */
enum { AGW_TRIM_CALLS, AGW_TRIM_REPLIES, AGW_TRIM_KINDS };

/** Zeroed at the start. */
typedef struct agw_trim {
    struct {
        size_t peak; /* most held since memory was last given back for it */
        size_t before;
    } kind[AGW_TRIM_KINDS];
    agw_ns last_at;
} agw_trim;

/** To be asked now and then with how many of each are held. true: give memory back now. What is
 * still falling is waited for. */
bool agw_trim_due(agw_trim *trim, const size_t held[AGW_TRIM_KINDS], agw_ns now);

#endif
