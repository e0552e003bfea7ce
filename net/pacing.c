/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/pacing.h"

#include <string.h>

static const agw_ns WINDOW = AGW_MS(AGW_PACING_WINDOW_MS);

/* In one window. */
enum {
    ON_PACKETS = AGW_PACING_ON_PPS * AGW_PACING_WINDOW_MS / 1000,
    LONG_PACKETS = AGW_PACING_LONG_PPS * AGW_PACING_WINDOW_MS / 1000,
};

void agw_pacing_init(agw_pacing *pacing, agw_ns tick)
{
    memset(pacing, 0, sizeof *pacing);
    pacing->tick = pacing->step = tick;
}

static agw_ns step_for(const agw_pacing *p, uint64_t pps)
{
    if (pps < AGW_PACING_LONG_PPS)
        return p->tick + p->tick / 3;
    return pps < AGW_PACING_SHORT_PPS ? p->tick : p->tick - p->tick / 3;
}

/* Begins pacing, and ends the longest tick, as soon as a window is full enough; the other way only
 * when a whole one was not. */
static void decide(agw_pacing *p, agw_ns now)
{
    const agw_ns elapsed = now - p->window_at;
    if (elapsed < WINDOW) {
        if (p->packets >= ON_PACKETS)
            p->paced = true;
        if (p->packets >= LONG_PACKETS)
            p->step = agw_earlier(p->step, p->tick);
        return;
    }
    const uint64_t pps = p->packets * (uint64_t)AGW_S(1) / (uint64_t)elapsed;
    if (pps >= AGW_PACING_ON_PPS)
        p->paced = true;
    else if (pps < AGW_PACING_OFF_PPS)
        p->paced = false;
    p->step = step_for(p, pps);
    p->window_at = now;
    p->packets = 0;
}

agw_ns agw_pacing_sleep_until(agw_pacing *p, agw_ns now, agw_ns deadline)
{
    if (p->tick == 0)
        return now;
    decide(p, now);
    if (!p->paced)
        return now;
    return agw_earlier(now - now % p->step + p->step, deadline);
}
