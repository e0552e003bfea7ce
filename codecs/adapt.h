/* SPDX-License-Identifier: BSD-3-Clause
 * What the receiver reports about our stream -> what the encoder shall do about it
 * (agw_encoder_adapt()): protect against loss, and send less where the way is full, more again when
 * it is not. Loss alone is not congestion (radio loses, and less bits would not help): it is when
 * the round trip grows with it, or when much is lost. Pure; `now` comes in. */
#ifndef AGW_CODECS_ADAPT_H
#define AGW_CODECS_ADAPT_H

#include "base/clock.h"
#include "codecs/encoder.h"

/** One report block about a stream that we send (RFC 3550 section 6.4.1). */
typedef struct agw_adapt_report {
    uint8_t fraction_lost; /* of 256 */
    uint32_t rtt_us;       /* 0 = not known */
} agw_adapt_report;

typedef struct agw_adapt {
    uint32_t min_bps, max_bps, bps; /* what the encoder may use, and uses now */
    uint32_t loss_1000;             /* smoothed: rises fast, falls slowly */
    uint32_t rtt_us, base_us;       /* smoothed, and with an empty way; 0 = not known */
    agw_ns changed_at;              /* when bps was */
    agw_ns bad_at;                  /* when the way was full; 0 = never */
} agw_adapt;

/** max_bps: the format's; min_bps: the least that still sounds (not above max_bps). */
void agw_adapt_init(agw_adapt *a, uint32_t min_bps, uint32_t max_bps);
/** Takes a report. wish: mode_request is left alone; max_bps is 0 while there is nothing to limit.
 */
void agw_adapt_take(agw_adapt *a, const agw_adapt_report *report, agw_ns now,
                    agw_encoder_wish *wish);

#endif
