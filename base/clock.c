/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/clock.h"

#include <pthread.h>
#include <time.h>

static agw_ns read_clock(clockid_t clock)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts) != 0)
        return 0;
    return AGW_S(ts.tv_sec) + ts.tv_nsec;
}

agw_ns agw_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t agw_clock_wall_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

agw_ns agw_clock_of_wall(agw_ns wall)
{
    return read_clock(CLOCK_MONOTONIC) - (read_clock(CLOCK_REALTIME) - wall);
}

agw_ns agw_clock_cpu_of(pthread_t thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread, &clock) == 0 ? read_clock(clock) : 0;
}
