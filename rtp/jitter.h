/* SPDX-License-Identifier: BSD-3-Clause
 * When the audio of an RTP timestamp should be played: a histogram of transit times (arrival minus
 * timestamp, RFC 3550 section 6.4.1) that forgets, of which a high quantile is the delay that the
 * stream needs. The sender's clock is never compared with ours but through arrivals, so drift and a
 * longer route are followed as they come. Sans I/O. */
#ifndef AGW_RTP_JITTER_H
#define AGW_RTP_JITTER_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>

enum {
    AGW_JITTER_BUCKETS = 160,
    AGW_JITTER_BUCKET_US = 4000,
    AGW_JITTER_JUMP_MS = 500, /* a transit that differs by more is of another time line */
};

/** One stream of one clock; one thread. Zeroed is not valid: agw_jitter_init(). */
typedef struct agw_jitter {
    uint32_t clock_hz;
    uint32_t timestamp; /* of the newest packet, and the same with its cycles */
    int64_t ext_timestamp;
    agw_ns origin;          /* transit at the lower edge of the first bucket */
    agw_ns fastest, needed; /* transits: of the quickest packets, and that nearly all keep */
    uint32_t packets;       /* since the beginning; 0 = not begun */
    float weight[AGW_JITTER_BUCKETS]; /* their sum is 1 */
} agw_jitter;

/** clock_hz: of the RTP timestamps, not 0. */
void agw_jitter_init(agw_jitter *j, uint32_t clock_hz);

/** Learns from a packet that came; not from duplicates. Late ones count, that is their worth.
 *
 * @param duration  of its audio in timestamp units: how much it weighs against time
 * @return AGW_ERR_STATE: its transit is more than AGW_JITTER_JUMP_MS off; nothing was learnt.
 *         Another time line has begun: agw_jitter_init(), and put it again. */
AGW_NODISCARD agw_err agw_jitter_put(agw_jitter *j, uint32_t timestamp, uint32_t duration,
                                     agw_ns now);

/** When the audio of a timestamp should be played. AGW_NEVER until a packet has come.
 *
 * @param at_least  delay behind the quickest packets that is wanted in any case */
agw_ns agw_jitter_due(const agw_jitter *j, uint32_t timestamp, agw_ns at_least);

/** Delay behind the quickest packets that the stream needs; 0 until a packet has come. */
static inline agw_ns agw_jitter_delay(const agw_jitter *j)
{
    return j->packets != 0 ? j->needed - j->fastest : 0;
}

#endif
