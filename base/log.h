/* SPDX-License-Identifier: BSD-3-Clause
 * The log: one line a state change, with the call's tag; never keys, passwords or whole SDPs. Any
 * thread may write. */
#ifndef AGW_BASE_LOG_H
#define AGW_BASE_LOG_H

#include "base/addr.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum agw_log_level {
    AGW_LOG_ERROR = 0,
    AGW_LOG_WARN,
    AGW_LOG_INFO,
    AGW_LOG_DEBUG,
    AGW_LOG_TRACE,
} agw_log_level;

/** Receives every line that passes the level; text has no newline. NULL (default) writes to
 * standard error. */
typedef void agw_log_sink(agw_log_level level, const char *text);

/** To be called before other threads start; again with the same sink only, to change the level. */
void agw_log_init(agw_log_level level, agw_log_sink *sink);
bool agw_log_enabled(agw_log_level level);
/** "error" "warn" "info" "debug" "trace", or rtpengine's 0 to 7. */
bool agw_log_level_parse(const char *text, agw_log_level *out);
const char *agw_log_level_text(agw_log_level level);

/** tag: what it is about, e.g. the call-id; NULL = the gateway itself. */
void agw_log(agw_log_level level, const char *tag, const char *fmt, ...) AGW_PRINTF(3, 4);

/** For lines that a stranger can trigger: zeroed to start, at most one line a second, then the
 * number left out. */
typedef struct agw_log_limit {
    agw_ns next_at;
    uint32_t left_out;
} agw_log_limit;
/** true: log now; *left_out says how many were not. */
bool agw_log_allow(agw_log_limit *limit, agw_ns now, uint32_t *left_out);

/** The address as logs may show it: the last part is hidden unless the level is debug or finer.
 * Returns out. */
const char *agw_log_addr(const agw_addr *addr, char out[AGW_ADDR_TEXT]);

#endif
