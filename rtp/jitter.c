/* SPDX-License-Identifier: BSD-3-Clause
 * Transit histogram with forgetting. */
#include "rtp/jitter.h"

#include <string.h>

enum {
    BUCKET_NS = AGW_JITTER_BUCKET_US * 1000,
    FIRST_BUCKET = 40, /* of the first packet: room for quicker ones */
    FIRST_DELAY = 9,   /* buckets: what a stream of which nothing is known gets */
    MEMORY_MS = 2000,  /* after that a packet weighs 1/e */
    RESERVE_PART = 8,  /* of the delay is added */
    BEGIN_PACKETS = 50,
    HOLD_MS = 5000, /* after that 1/e is left of a delay that is not needed any more */
};
static const agw_ns RESERVE_MAX = AGW_MS(10);
static const float LATE = 0.03F;     /* of the packets may come too late, but for TAIL */
static const float TAIL = 0.5F;      /* as much more as they are behind the middle ... */
static const float UNSEEN = 6;       /* ... and this part more, by how few packets have told it */
static const float QUICKEST = 0.02F; /* of the packets may be quicker than the quickest */

void agw_jitter_init(agw_jitter *j, uint32_t clock_hz)
{
    AGW_ASSERT(clock_hz != 0);
    *j = (agw_jitter){.clock_hz = clock_hz};
}

static int64_t extend(const agw_jitter *j, uint32_t timestamp)
{
    return j->ext_timestamp + (int32_t)(timestamp - j->timestamp);
}

static agw_ns time_of(const agw_jitter *j, int64_t ext_timestamp)
{
    const int64_t hz = j->clock_hz;
    return ext_timestamp / hz * AGW_S(1) + ext_timestamp % hz * AGW_S(1) / hz;
}

static void begin(agw_jitter *j, uint32_t timestamp, agw_ns now)
{
    j->timestamp = timestamp;
    j->ext_timestamp = timestamp;
    const agw_ns transit = now - time_of(j, j->ext_timestamp);
    j->origin = transit - (agw_ns)FIRST_BUCKET * BUCKET_NS;
    j->fastest = j->needed = transit;
    j->weight[FIRST_BUCKET + FIRST_DELAY] = 1;
}

/* What leaves the histogram at an end stays in its last bucket there. */
static void shift_up(agw_jitter *j, int by)
{
    const int kept = AGW_JITTER_BUCKETS - by;
    for (int i = kept; i < AGW_JITTER_BUCKETS; i++)
        j->weight[kept - 1] += j->weight[i];
    memmove(j->weight + by, j->weight, (size_t)kept * sizeof *j->weight);
    memset(j->weight, 0, (size_t)by * sizeof *j->weight);
    j->origin -= (agw_ns)by * BUCKET_NS;
}

static void shift_down(agw_jitter *j, int by)
{
    const int kept = AGW_JITTER_BUCKETS - by;
    for (int i = 0; i < by; i++)
        j->weight[by] += j->weight[i];
    memmove(j->weight, j->weight + by, (size_t)kept * sizeof *j->weight);
    memset(j->weight + kept, 0, (size_t)by * sizeof *j->weight);
    j->origin += (agw_ns)by * BUCKET_NS;
}

/* The bucket of a transit, which the histogram is moved to hold. */
static int bucket_of(agw_jitter *j, agw_ns transit)
{
    int at = (int)((transit - j->origin) / BUCKET_NS);
    if (transit < j->origin) {
        shift_up(j, 1 - at);
        at = 0;
    }
    if (at >= AGW_JITTER_BUCKETS) {
        const int by = at - AGW_JITTER_BUCKETS + 1;
        shift_down(j, by);
        at -= by;
    }
    return at;
}

static void learn(agw_jitter *j, int bucket, float share)
{
    for (int i = 0; i < AGW_JITTER_BUCKETS; i++)
        j->weight[i] *= 1 - share;
    j->weight[bucket] += share;
}

/* From bucket `at`, before which lies *sum: the first one at which the share of all packets before
 * and in it is more than that. */
static int quantile(const agw_jitter *j, int at, float *sum, float share)
{
    while (at < AGW_JITTER_BUCKETS - 1 && *sum + j->weight[at] <= share)
        *sum += j->weight[at++];
    return at;
}

/* The quantile that few hundred packets can tell, the tail behind it as that of a normal
 * distribution would be, and a little for what the next seconds do not have in common with these.
 */
static agw_ns read_quantiles(agw_jitter *j)
{
    float before = 0;
    const int quickest = quantile(j, 0, &before, QUICKEST);
    const int middle = quantile(j, quickest, &before, 0.5F);
    const int latest = quantile(j, middle, &before, 1 - LATE);
    const bool is_told = latest - middle > FIRST_DELAY; /* by packets, not by what we began with */
    const float unseen = is_told ? UNSEEN / (float)(j->packets + 4) : 0;
    const int tail = (int)((TAIL + unseen) * (float)(latest - middle));
    j->fastest = j->origin + (agw_ns)quickest * BUCKET_NS;
    const agw_ns needed = j->origin + (agw_ns)(latest + tail + 1) * BUCKET_NS;
    const agw_ns part = (needed - j->fastest) / RESERVE_PART;
    return needed + (part < RESERVE_MAX ? part : RESERVE_MAX);
}

/* Up at once, down slowly: what so few packets tell is itself uneven, and each change of the delay
 * is heard. But what a stream begins with was no packet's need. */
static void follow(agw_jitter *j, agw_ns wanted, float share)
{
    const agw_ns too_much = j->needed - wanted;
    const bool is_held = too_much > 0 && j->packets >= BEGIN_PACKETS;
    j->needed -= is_held ? (agw_ns)((float)too_much * share) : too_much;
}

/* Weight of a packet in a memory that is so long. The first ones have nothing to be compared with:
 * as if the memory were a part of what has been heard. */
static float share_of(const agw_jitter *j, uint32_t duration, unsigned memory_ms, float part)
{
    const float first = 1 / ((float)j->packets * part + 2);
    const float usual = (float)duration * 1000 / ((float)j->clock_hz * (float)memory_ms);
    const float share = usual > first ? usual : first;
    return share < 0.5F ? share : 0.5F;
}

agw_err agw_jitter_put(agw_jitter *j, uint32_t timestamp, uint32_t duration, agw_ns now)
{
    if (j->packets == 0)
        begin(j, timestamp, now);
    const int64_t ext = extend(j, timestamp);
    const agw_ns transit = now - time_of(j, ext);
    const agw_ns jump = AGW_MS(AGW_JITTER_JUMP_MS);
    if (transit > j->fastest + jump || transit < j->fastest - jump)
        return AGW_ERR_STATE;
    if (ext > j->ext_timestamp) {
        j->ext_timestamp = ext;
        j->timestamp = timestamp;
    }
    learn(j, bucket_of(j, transit), share_of(j, duration, MEMORY_MS, 1));
    follow(j, read_quantiles(j), share_of(j, duration, HOLD_MS, 0.5F));
    if (j->packets < UINT32_MAX)
        j->packets++;
    return AGW_OK;
}

agw_ns agw_jitter_due(const agw_jitter *j, uint32_t timestamp, agw_ns at_least)
{
    if (j->packets == 0)
        return AGW_NEVER;
    const agw_ns needed = j->needed - j->fastest > at_least ? j->needed : j->fastest + at_least;
    return time_of(j, extend(j, timestamp)) + needed;
}
