/* SPDX-License-Identifier: BSD-3-Clause
 * How good a stream is, from the workers' public numbers: samples of a few seconds each, the
 * average, worst and best of them, and how often which MOS was seen. Pure; calls_watch.c takes the
 * samples, calls_query.c and metrics.c show them. */
#ifndef AGW_CONTROL_QUALITY_H
#define AGW_CONTROL_QUALITY_H

#include "agw/stats.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AGW_MOS_X10_MIN = 10,
    AGW_MOS_X10_MAX = 45,
};

/** One sample of what a party sends, or the sum of several. */
typedef struct agw_quality_sample {
    int64_t mos_x10;    /* 10 to 45 */
    int64_t r_x10;      /* rating factor of the E-model, 0 to 1000 */
    int64_t mos_lq_x10; /* both as a listener alone would say: without the delay */
    int64_t r_lq_x10;
    int64_t loss_1000;     /* of the packets that it sent in this time */
    int64_t jitter_us;     /* at its end */
    int64_t leg_us;        /* round trip between this party and us; 0 = not known */
    int64_t round_trip_us; /* and between us and the other one */
    int64_t at_s;          /* wall time, seconds since 1970; no sum */
} agw_quality_sample;

/** One direction of one media. Zeroed = nothing was sampled yet. */
typedef struct agw_quality {
    uint64_t packets, lost, runs; /* counters at the last sample */
    uint64_t chained, late;       /* packets that changed their codec, and that could not in time */
    uint64_t concealed_ms;        /* audio that was made up, and the part of it that in-band FEC */
    uint64_t by_fec_ms;           /* has restored */
    uint32_t ssrc;                /* whose samples these are */
    uint32_t samples;
    agw_quality_sample sum, lowest, highest;
} agw_quality;

/** What is measured of a stream since the last sample: loss as we see it, or as the receiver
 * reports it where that is more (what we only pass on arrives there with the gaps of both legs),
 * jitter likewise. Where its codec changes at us, our jitter buffer ends the first leg: what it had
 * to make up is lost, the losses of both legs add up, and so do the delays.
 *
 * @param from   the party that sends it
 * @param to     the other one
 * @param codec  as agw_media_view has it, "opus/48000/2"; "" = not known
 * @param at_s   wall time
 * @param out    not written when false
 * @return false: no packet came */
bool agw_quality_take(agw_quality *q, const agw_end_stats *from, const agw_end_stats *to,
                      const char *codec, int64_t at_s, agw_quality_sample *out);

/** The average of the samples: q->samples is not 0. */
agw_quality_sample agw_quality_average(const agw_quality *q);

/** How often which MOS was seen. */
typedef struct agw_quality_counts {
    uint64_t by_mos[AGW_MOS_X10_MAX - AGW_MOS_X10_MIN + 1];
    uint64_t sum_x10;
} agw_quality_counts;

void agw_quality_count(agw_quality_counts *counts, const agw_quality_sample *sample);
/** How many samples had at most this MOS times ten. */
uint64_t agw_quality_up_to(const agw_quality_counts *counts, int mos_x10);

#endif
