/* SPDX-License-Identifier: BSD-3-Clause
 * The kernel's receive time stamps are of the wall clock; everything here is measured by the
 * monotonic one. */
#ifndef AGW_BENCH_KIT_STAMP_H
#define AGW_BENCH_KIT_STAMP_H

#include "base/clock.h"

#include <time.h>

/** What to add to a wall time to get a monotonic one; good for a moment. now: agw_clock_now(). */
static inline agw_ns kit_stamp_offset(agw_ns now)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return now - (AGW_S(wall.tv_sec) + wall.tv_nsec);
}

#endif
