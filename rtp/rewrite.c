/* SPDX-License-Identifier: BSD-3-Clause
 * Many ingress RTP streams to one egress stream. Extended numbers of the egress count wraps from
 * its first packet on, those of the ingress from the packet where it became current. */
#include "rtp/rewrite.h"

#include "base/wire.h"

#include <string.h>

static const agw_ns COME_BACK = AGW_MS(200);

enum {
    RTP_HEADER = 12,
    MAX_DROPOUT = 3000, /* RFC 3550 A.1 */
    MAX_MISORDER = 100, /* RFC 3550 A.1 */
    /* Packets in sequence that prove a restart: two far away (A.1); more where a burst of repeated
     * video packets could be meant. */
    RUN_FAR = 2,
    RUN_BEHIND = 5,
    VIDEO_HZ = 90000,
    STEP_MAX_MS = 60, /* longest packet of audio; what is longer was a pause */
    STEPS = 3,        /* a change within so many packets is none to the ear */
};

void agw_rewrite_init(agw_rewrite *r, uint32_t egress_ssrc)
{
    *r = (agw_rewrite){.egress_ssrc = egress_ssrc};
}

static uint32_t elapsed_units(agw_ns length, uint32_t clock_hz)
{
    const uint64_t ns = length > 0 ? (uint64_t)length : 0;
    const uint64_t second = (uint64_t)AGW_S(1);
    const uint32_t units = (uint32_t)(ns / second * clock_hz + ns % second * clock_hz / second);
    return units > 0 ? units : 1;
}

/* Two packets in sequence are this far apart. */
static void note_step(agw_rewrite *r, uint32_t step, uint32_t clock_hz)
{
    if (step == 0 || step > clock_hz / 1000 * STEP_MAX_MS || clock_hz == VIDEO_HZ)
        return;
    r->step = (uint16_t)step;
    r->step_hz = clock_hz;
}

/* How far the egress goes on at a change. */
static uint32_t time_to_next(const agw_rewrite *r, uint32_t clock_hz, agw_ns now)
{
    const uint32_t elapsed = elapsed_units(now - r->egress_max_at, clock_hz);
    const bool at_once = r->step_hz == clock_hz && elapsed < (uint32_t)STEPS * r->step;
    return at_once ? r->step : elapsed;
}

static bool is_old(const agw_rewrite *r, uint32_t ssrc)
{
    for (size_t i = 0; i < r->old_count; i++) {
        if (r->old_ssrcs[i] == ssrc)
            return true;
    }
    return false;
}

/* The current SSRC becomes the newest of the old ones; ssrc is none of them any more. */
static void replace_ssrc(agw_rewrite *r, uint32_t ssrc)
{
    uint32_t kept[AGW_REWRITE_OLD_SSRCS] = {r->ssrc};
    uint8_t count = 1;
    for (size_t i = 0; i < r->old_count && count < AGW_REWRITE_OLD_SSRCS; i++) {
        if (r->old_ssrcs[i] != ssrc)
            kept[count++] = r->old_ssrcs[i];
    }
    memcpy(r->old_ssrcs, kept, sizeof kept);
    r->old_count = count;
    r->ssrc = ssrc;
}

static void begin_first(agw_rewrite *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp, agw_ns now)
{
    r->started = r->runs = true;
    r->ssrc = ssrc;
    r->egress_first = r->egress_max = seq;
    r->egress_max_ts = timestamp;
    r->egress_max_at = now;
}

/* The egress goes on behind what was sent, with the time that passed. */
static void begin_next(agw_rewrite *r, uint16_t seq, uint32_t timestamp, uint32_t clock_hz,
                       agw_ns now)
{
    const uint32_t passed = time_to_next(r, clock_hz, now);
    r->later = r->runs = true;
    r->far_run = 0;
    r->egress_first = ++r->egress_max;
    r->seq_offset = r->egress_first - seq;
    r->ts_offset = r->egress_max_ts + passed - timestamp;
}

/* A packet of the current SSRC far from its highest number. true: the sender has begun anew. */
static bool restarted(agw_rewrite *r, uint16_t seq, int32_t ahead)
{
    const bool goes_on = r->far_run > 0 && seq == r->far_next;
    const uint8_t needed = ahead < 0 && ahead >= -MAX_DROPOUT ? RUN_BEHIND : RUN_FAR;
    r->far_run = goes_on ? (uint8_t)(r->far_run + 1) : 1;
    r->far_next = (uint16_t)(seq + 1);
    return r->far_run >= needed;
}

/* The number behind the wraps: the one nearest to the highest sent. */
static uint32_t extend(const agw_rewrite *r, uint16_t egress_seq)
{
    const uint32_t ahead = (uint16_t)(egress_seq - (uint16_t)r->egress_max);
    return r->egress_max + ahead - (ahead >= 0x8000 ? 0x10000 : 0);
}

/* Numbers below belong to an ingress stream that was replaced. */
static bool before_current(const agw_rewrite *r, uint32_t egress_ext)
{
    return r->later && (int32_t)(egress_ext - r->egress_first) < 0;
}

static agw_rewrite_result place(agw_rewrite *r, uint16_t seq, uint32_t timestamp, uint32_t clock_hz,
                                agw_ns now)
{
    const uint32_t ext = extend(r, (uint16_t)(seq + r->seq_offset));
    const int32_t ahead = (int32_t)(ext - r->egress_max);
    if (ahead >= MAX_DROPOUT || ahead <= -MAX_MISORDER) {
        if (restarted(r, seq, ahead)) {
            begin_next(r, seq, timestamp, clock_hz, now);
            return AGW_REWRITE_SWITCHED;
        }
        if (ahead > 0 || ahead < -MAX_DROPOUT)
            return AGW_REWRITE_DROP;
    } else {
        r->far_run = 0;
    }
    if (before_current(r, ext))
        return AGW_REWRITE_DROP;
    if (ahead == 1)
        note_step(r, timestamp + r->ts_offset - r->egress_max_ts, clock_hz);
    if (ahead > 0)
        r->egress_max = ext;
    return AGW_REWRITE_OK;
}

/* The source's next packet takes this number. Its own number goes on from the last one of it that
 * is known, cycles and all: a report that is passed back does not count anew. */
static void go_on_at(agw_rewrite *r, uint32_t egress_ext, uint16_t seq)
{
    const uint32_t last = r->egress_max - r->seq_offset;
    const uint32_t ahead = (uint16_t)(seq - (uint16_t)last);
    const uint32_t ext = last + ahead - (ahead >= 0x8000 ? 0x10000 : 0);
    r->later = r->runs = true;
    r->far_run = 0;
    r->egress_first = egress_ext;
    r->seq_offset = egress_ext - ext;
}

/* The first packet behind those that were held back. Where its timestamp is more than a second away
 * from the time that passed, the sender has begun anew meanwhile. */
static agw_rewrite_result go_on(agw_rewrite *r, uint16_t seq, uint32_t timestamp, uint32_t clock_hz,
                                agw_ns now)
{
    const uint32_t since = timestamp + r->ts_offset - r->egress_max_ts;
    const uint32_t off = since - elapsed_units(now - r->egress_max_at, clock_hz);
    const bool is_same_clock = r->step_hz == clock_hz && clock_hz != 0;
    if (is_same_clock && off + clock_hz > 2 * clock_hz) {
        begin_next(r, seq, timestamp, clock_hz, now);
        return AGW_REWRITE_SWITCHED;
    }
    go_on_at(r, r->egress_max + (clock_hz == VIDEO_HZ ? 2 : 1), seq);
    r->egress_max = r->egress_first;
    return is_same_clock && since <= r->step ? AGW_REWRITE_OK : AGW_REWRITE_RESUMED;
}

/* The first packet of all, the first behind those that were held back, or one of another SSRC. Not
 * inlined: most packets are none of these. */
__attribute__((noinline)) static agw_rewrite_result
accept_change(agw_rewrite *r, const uint8_t *rtp, uint32_t clock_hz, agw_ns now)
{
    const uint16_t seq = agw_get16(rtp + 2);
    const uint32_t timestamp = agw_get32(rtp + 4), ssrc = agw_get32(rtp + 8);
    if (!r->started) {
        begin_first(r, ssrc, seq, timestamp, now);
        return AGW_REWRITE_OK;
    }
    if (ssrc == r->ssrc)
        return go_on(r, seq, timestamp, clock_hz, now);
    if (is_old(r, ssrc) && now - r->last_at < COME_BACK)
        return AGW_REWRITE_DROP;
    replace_ssrc(r, ssrc);
    begin_next(r, seq, timestamp, clock_hz, now);
    return AGW_REWRITE_SWITCHED;
}

/* Which ingress stream the packet belongs to, and where it goes in the egress stream. */
static agw_rewrite_result accept(agw_rewrite *r, const uint8_t *rtp, uint32_t clock_hz, agw_ns now)
{
    if (r->runs && agw_get32(rtp + 8) == r->ssrc)
        return place(r, agw_get16(rtp + 2), agw_get32(rtp + 4), clock_hz, now);
    return accept_change(r, rtp, clock_hz, now);
}

static void count(agw_rewrite *r, const uint8_t *rtp, size_t len)
{
    size_t header = RTP_HEADER + 4u * (rtp[0] & 0x0fu);
    if ((rtp[0] & 0x10) && header + 4 <= len)
        header += 4 + 4u * agw_get16(rtp + header + 2);
    r->packets++;
    if (header < len)
        r->octets += (uint32_t)(len - header);
}

agw_rewrite_result agw_rewrite_rtp(agw_rewrite *r, uint8_t *rtp, size_t len, uint32_t clock_hz,
                                   agw_ns now)
{
    AGW_ASSERT(len >= RTP_HEADER);
    if (agw_rewrite_transparent(r)) {
        r->started = true;
        r->ssrc = agw_get32(rtp + 8);
        count(r, rtp, len);
        return AGW_REWRITE_OK;
    }
    const agw_rewrite_result result = accept(r, rtp, clock_hz, now);
    if (result == AGW_REWRITE_DROP)
        return result;
    r->last_at = now;
    const uint16_t egress_seq = (uint16_t)(agw_get16(rtp + 2) + r->seq_offset);
    const uint32_t egress_ts = agw_get32(rtp + 4) + r->ts_offset;
    /* Packets of one event carry its begin (RFC 4733 section 2.5.1.2), those of one frame its time.
     */
    if (egress_seq == (uint16_t)r->egress_max && egress_ts != r->egress_max_ts) {
        r->egress_max_ts = egress_ts;
        r->egress_max_at = now;
    }
    agw_put16(rtp + 2, egress_seq);
    agw_put32(rtp + 4, egress_ts);
    agw_put32(rtp + 8, r->egress_ssrc);
    if (result != AGW_REWRITE_OK && clock_hz != VIDEO_HZ)
        rtp[1] |= 0x80; /* RFC 3551 section 4.1: a talkspurt begins */
    count(r, rtp, len);
    return result;
}

void agw_rewrite_take_over(agw_rewrite *r)
{
    r->old_count = 0;
}

void agw_rewrite_hold(agw_rewrite *r, uint32_t ssrc, uint32_t ext_seq, uint32_t timestamp,
                      agw_ns now)
{
    if (!r->started || r->ssrc != ssrc)
        return; /* its numbers have not been shown yet */
    if (agw_rewrite_transparent(r)) {
        r->egress_ssrc = ssrc;
        r->egress_first = r->egress_max = ext_seq - 1;
        r->egress_max_ts = timestamp;
        r->egress_max_at = r->last_at = now;
    }
    r->runs = false;
    r->seq_offset = r->egress_max - ext_seq;
}

/* --- packets of our own ------------------------------------------------------------------------
 */

void agw_rewrite_begin(agw_rewrite *r, uint32_t ssrc, uint16_t seq, uint32_t timestamp, agw_ns now)
{
    AGW_ASSERT(!r->started || agw_rewrite_transparent(r));
    if (agw_rewrite_transparent(r))
        r->egress_ssrc = ssrc;
    r->ssrc = 0; /* the first packet of a source is a change */
    r->started = r->runs = true;
    r->egress_first = r->egress_max = seq;
    r->egress_max_ts = timestamp;
    r->egress_max_at = now;
}

void agw_rewrite_pin(agw_rewrite *r, const uint8_t *rtp, agw_ns now)
{
    if (!agw_rewrite_transparent(r))
        return;
    r->egress_ssrc = r->ssrc = agw_get32(rtp + 8);
    r->started = r->runs = true;
    r->egress_first = r->egress_max = agw_get16(rtp + 2);
    r->egress_max_ts = agw_get32(rtp + 4);
    r->egress_max_at = r->last_at = now;
}

uint32_t agw_rewrite_timestamp_at(const agw_rewrite *r, uint32_t clock_hz, agw_ns now)
{
    return r->egress_max_ts + elapsed_units(now - r->egress_max_at, clock_hz);
}

void agw_rewrite_insert(agw_rewrite *r, uint8_t *rtp, size_t len, uint32_t timestamp, agw_ns at)
{
    AGW_ASSERT(len >= RTP_HEADER && r->started && !agw_rewrite_transparent(r));
    r->egress_max++;
    r->egress_max_ts = timestamp;
    r->egress_max_at = at;
    agw_put16(rtp + 2, (uint16_t)r->egress_max);
    agw_put32(rtp + 4, timestamp);
    agw_put32(rtp + 8, r->egress_ssrc);
    count(r, rtp, len);
}

void agw_rewrite_resume(agw_rewrite *r, const uint8_t *rtp)
{
    if (!r->started || agw_rewrite_transparent(r) || agw_get32(rtp + 8) != r->ssrc)
        return; /* another source: agw_rewrite_rtp() puts it behind the rest */
    go_on_at(r, r->egress_max + 1, agw_get16(rtp + 2));
}

bool agw_rewrite_ingress_ssrc(const agw_rewrite *r, uint32_t egress_ssrc, uint32_t *ssrc)
{
    if (agw_rewrite_transparent(r)) {
        *ssrc = egress_ssrc;
        return true;
    }
    if (!r->started || egress_ssrc != r->egress_ssrc)
        return false;
    *ssrc = r->ssrc;
    return true;
}

bool agw_rewrite_ingress_ext_seq(const agw_rewrite *r, uint32_t egress_ext, uint32_t *ext_seq)
{
    if (agw_rewrite_transparent(r)) {
        *ext_seq = egress_ext;
        return true;
    }
    /* The peer may count other wraps than we do: only its low 16 bits are trusted. */
    const uint32_t ext = extend(r, (uint16_t)egress_ext);
    if (!r->started || before_current(r, ext))
        return false;
    *ext_seq = ext - r->seq_offset;
    return true;
}

bool agw_rewrite_ingress_seq(const agw_rewrite *r, uint16_t egress_seq, uint16_t *seq)
{
    uint32_t ext_seq = 0;
    if (!agw_rewrite_ingress_ext_seq(r, egress_seq, &ext_seq))
        return false;
    *seq = (uint16_t)ext_seq;
    return true;
}

uint32_t agw_rewrite_egress_timestamp(const agw_rewrite *r, uint32_t timestamp)
{
    return timestamp + r->ts_offset;
}
