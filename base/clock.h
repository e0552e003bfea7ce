/* SPDX-License-Identifier: BSD-3-Clause
 * Time as 64-bit nanoseconds. Protocol rooms never call the clock: `now` comes in, deadlines go
 * out. */
#ifndef AGW_BASE_CLOCK_H
#define AGW_BASE_CLOCK_H

#include <stdint.h>
#include <sys/types.h>

/** A point in monotonic time or a length of time, in nanoseconds. */
typedef int64_t agw_ns;

#define AGW_US(n) ((agw_ns)(n)*1000)
#define AGW_MS(n) ((agw_ns)(n)*1000000)
#define AGW_S(n)  ((agw_ns)(n)*1000000000)
/** A deadline that never comes. */
#define AGW_NEVER INT64_MAX

/** Monotonic time. Read once per turn by a worker, once per event by the control thread. */
agw_ns agw_clock_now(void);

/** Wall time in microseconds since 1970, for NTP timestamps, logs and events. */
int64_t agw_clock_wall_us(void);

/** Monotonic time of a moment that the kernel stamped with the wall clock (in ns since 1970) a
 * short while ago. Wrong by as much as the wall clock was set since. */
agw_ns agw_clock_of_wall(agw_ns wall);

/** CPU time that a living thread has used since its start; 0 when the system does not tell. */
agw_ns agw_clock_cpu_of(pthread_t thread);

static inline agw_ns agw_earlier(agw_ns a, agw_ns b)
{
    return a < b ? a : b;
}

#endif
