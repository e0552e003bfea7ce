/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/trim.h"

/* What has only paused in its fall is worth the work once more. */
static size_t peak_behind(size_t held)
{
    const bool is_small = held <= AGW_TRIM_LEAST / AGW_TRIM_PART;
    return is_small || held > AGW_TRIM_LEAST ? held : AGW_TRIM_LEAST;
}

bool agw_trim_due(agw_trim *trim, const size_t held[AGW_TRIM_KINDS], agw_ns now)
{
    bool due[AGW_TRIM_KINDS], any = false;
    for (size_t i = 0; i < AGW_TRIM_KINDS; i++) {
        const bool falls = held[i] < trim->kind[i].before;
        trim->kind[i].before = held[i];
        if (held[i] > trim->kind[i].peak)
            trim->kind[i].peak = held[i];
        due[i] = !falls && trim->kind[i].peak >= AGW_TRIM_LEAST &&
                 held[i] <= trim->kind[i].peak / AGW_TRIM_PART;
        any |= due[i];
    }
    if (!any || now - trim->last_at < AGW_S(AGW_TRIM_REST_S))
        return false;
    for (size_t i = 0; i < AGW_TRIM_KINDS; i++) {
        if (due[i])
            trim->kind[i].peak = peak_behind(held[i]);
    }
    trim->last_at = now;
    return true;
}
