/* SPDX-License-Identifier: BSD-3-Clause */
#include "codecs/adapt.h"

enum {
    MUCH_LOSS_1000 = 100,    /* congestion whatever the round trip says */
    SOME_LOSS_1000 = 20,     /* with a longer round trip; below it all is well */
    LONGER_US = 40000,       /* round trip above that of an empty way: by so much, and a quarter */
    MUCH_LONGER_US = 250000, /* a queue that loses nothing yet */
    DOWN_PERCENT = 85,
    UP_PERCENT = 106,
    BASE_CREEP = 256, /* the empty way may have become longer (another route): by 1/256 a report */
};

static const agw_ns DOWN_EVERY = AGW_S(2); /* what was done must be seen in a report first */
static const agw_ns UP_EVERY = AGW_S(5), UP_AFTER_BAD = AGW_S(15);

void agw_adapt_init(agw_adapt *a, uint32_t min_bps, uint32_t max_bps)
{
    AGW_ASSERT(min_bps <= max_bps);
    *a = (agw_adapt){.min_bps = min_bps, .max_bps = max_bps, .bps = max_bps};
}

static void smooth_loss(agw_adapt *a, uint32_t loss_1000)
{
    if (loss_1000 > a->loss_1000)
        a->loss_1000 += (loss_1000 - a->loss_1000 + 1) / 2;
    else
        a->loss_1000 -= (a->loss_1000 - loss_1000 + 7) / 8;
}

static void smooth_round_trip(agw_adapt *a, uint32_t rtt_us)
{
    if (rtt_us == 0)
        return;
    a->rtt_us = a->rtt_us == 0 ? rtt_us : (uint32_t)(((uint64_t)a->rtt_us + rtt_us) / 2);
    if (a->base_us == 0 || rtt_us < a->base_us)
        a->base_us = rtt_us;
    else
        a->base_us += (rtt_us - a->base_us) / BASE_CREEP;
}

static bool is_longer(const agw_adapt *a, uint32_t by_us)
{
    return a->rtt_us > (uint64_t)a->base_us + by_us + a->base_us / 4;
}

static bool is_full(const agw_adapt *a, uint32_t loss_1000)
{
    return loss_1000 >= MUCH_LOSS_1000 || is_longer(a, MUCH_LONGER_US) ||
           (loss_1000 >= SOME_LOSS_1000 && is_longer(a, LONGER_US));
}

static void go_down(agw_adapt *a, agw_ns now)
{
    a->bad_at = now;
    if (a->changed_at != 0 && now - a->changed_at < DOWN_EVERY)
        return;
    const uint32_t bps = (uint32_t)((uint64_t)a->bps * DOWN_PERCENT / 100);
    a->bps = bps > a->min_bps ? bps : a->min_bps;
    a->changed_at = now;
}

static void go_up(agw_adapt *a, agw_ns now)
{
    if (now - a->bad_at < UP_AFTER_BAD || now - a->changed_at < UP_EVERY)
        return;
    const uint64_t bps = (uint64_t)a->bps * UP_PERCENT / 100;
    a->bps = bps < a->max_bps ? (uint32_t)bps : a->max_bps;
    a->changed_at = now;
}

void agw_adapt_take(agw_adapt *a, const agw_adapt_report *report, agw_ns now,
                    agw_encoder_wish *wish)
{
    const uint32_t loss_1000 = report->fraction_lost * 1000u / 256;
    smooth_loss(a, loss_1000);
    smooth_round_trip(a, report->rtt_us);
    if (is_full(a, loss_1000))
        go_down(a, now);
    else if (loss_1000 < SOME_LOSS_1000 && !is_longer(a, LONGER_US) && a->bps < a->max_bps)
        go_up(a, now);
    wish->loss_percent = (uint8_t)((a->loss_1000 + 5) / 10);
    wish->max_bps = a->bps < a->max_bps ? a->bps : 0;
}
