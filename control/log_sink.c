/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/log_sink.h"

#include "base/clock.h"

#include <stdio.h>
#include <syslog.h>
#include <time.h>

static void to_stderr(agw_log_level level, const char *text)
{
    const int64_t now_us = agw_clock_wall_us();
    const time_t seconds = (time_t)(now_us / 1000000);
    struct tm tm;
    char stamp[32];
    if (localtime_r(&seconds, &tm) == NULL ||
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        stamp[0] = '\0';
    fprintf(stderr, "%s.%03d %s: %s\n", stamp, (int)(now_us / 1000 % 1000),
            agw_log_level_text(level), text);
}

static void to_syslog(agw_log_level level, const char *text)
{
    static const int PRIORITIES[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG};
    syslog(PRIORITIES[level], "%s", text);
}

void agw_log_sink_start(agw_log_level level, bool foreground)
{
    if (!foreground)
        openlog("agwd", LOG_PID, LOG_DAEMON);
    agw_log_init(level, foreground ? to_stderr : to_syslog);
}
