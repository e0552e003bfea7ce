/* SPDX-License-Identifier: BSD-3-Clause
 * Where the program's log lines go. */
#ifndef AGW_CONTROL_LOG_SINK_H
#define AGW_CONTROL_LOG_SINK_H

#include "base/log.h"

#include <stdbool.h>

/** Standard error with the time in front when in the foreground, else the system log. May be called
 * again to change the level. */
void agw_log_sink_start(agw_log_level level, bool foreground);

#endif
