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

/** Zeroed at the start. */
typedef struct agw_trim {
    size_t peak; /* most things held since memory was last given back */
    agw_ns last_at;
} agw_trim;

/** To be asked now and then with how many things (calls, stored replies) are held. true: give
 * memory back now. */
bool agw_trim_due(agw_trim *trim, size_t held, agw_ns now);

#endif
