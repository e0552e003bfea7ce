/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/trim.h"

bool agw_trim_due(agw_trim *trim, size_t held, agw_ns now)
{
    if (held > trim->peak)
        trim->peak = held;
    if (trim->peak < AGW_TRIM_LEAST || held > trim->peak / AGW_TRIM_PART ||
        now - trim->last_at < AGW_S(AGW_TRIM_REST_S))
        return false;
    trim->peak = held;
    trim->last_at = now;
    return true;
}
