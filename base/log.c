/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static struct {
    _Atomic int level; /* may change while threads log */
    agw_log_sink *sink;
} settings = {AGW_LOG_INFO, NULL};

static const char *const LEVELS[] = {"error", "warn", "info", "debug", "trace"};

void agw_log_init(agw_log_level level, agw_log_sink *sink)
{
    settings.level = (int)level;
    if (settings.sink != sink)
        settings.sink = sink;
}

bool agw_log_enabled(agw_log_level level)
{
    return (int)level <= settings.level;
}

const char *agw_log_level_text(agw_log_level level)
{
    return LEVELS[level];
}

bool agw_log_level_parse(const char *text, agw_log_level *out)
{
    for (int i = 0; i <= AGW_LOG_TRACE; i++) {
        if (strcmp(text, LEVELS[i]) == 0) {
            *out = (agw_log_level)i;
            return true;
        }
    }
    if (text[0] < '0' || text[0] > '7' || text[1] != '\0')
        return false;
    static const agw_log_level SYSLOG[] = {AGW_LOG_ERROR, AGW_LOG_ERROR, AGW_LOG_ERROR,
                                           AGW_LOG_ERROR, AGW_LOG_WARN,  AGW_LOG_INFO,
                                           AGW_LOG_INFO,  AGW_LOG_DEBUG};
    *out = SYSLOG[text[0] - '0'];
    return true;
}

void agw_log(agw_log_level level, const char *tag, const char *fmt, ...)
{
    if (!agw_log_enabled(level))
        return;
    char line[LINE_MAX_BYTES];
    int len = tag != NULL ? snprintf(line, sizeof line - 1, "[%.64s] ", tag) : 0;
    va_list args;
    va_start(args, fmt);
    vsnprintf(line + len, sizeof line - 1 - (size_t)len, fmt, args);
    va_end(args);
    for (char *p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?'; /* a foreign text cannot forge a line */
    }
    if (settings.sink != NULL) {
        settings.sink(level, line);
        return;
    }
    fprintf(stderr, "%s: %s\n", LEVELS[level], line);
}

bool agw_log_allow(agw_log_limit *limit, agw_ns now, uint32_t *left_out)
{
    if (now < limit->next_at) {
        limit->left_out++;
        return false;
    }
    *left_out = limit->left_out;
    limit->left_out = 0;
    limit->next_at = now + AGW_S(1);
    return true;
}

const char *agw_log_addr(const agw_addr *addr, char out[AGW_ADDR_TEXT])
{
    if (agw_log_enabled(AGW_LOG_DEBUG) || agw_addr_is_loopback(addr))
        return agw_addr_text(addr, out, AGW_ADDR_TEXT);
    agw_addr hidden = *addr;
    const size_t keep = addr->family == AGW_FAMILY_IP6 ? 6 : 3;
    memset(hidden.ip + keep, 0, sizeof hidden.ip - keep);
    return agw_addr_text(&hidden, out, AGW_ADDR_TEXT);
}
