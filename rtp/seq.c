/* SPDX-License-Identifier: BSD-3-Clause
 * Receiver statistics of one RTP stream. */
#include "rtp/seq.h"

enum {
    /* RFC 3550 A.1 */
    SEQ_MOD = 1 << 16,
    MAX_DROPOUT = 3000,
    MAX_MISORDER = 100,
    NO_BAD_SEQ = SEQ_MOD + 1,
    SEEN_BITS = 64,
};

void agw_rtp_receiver_init(agw_rtp_receiver *r, uint32_t clock_hz)
{
    *r = (agw_rtp_receiver){.clock_hz = clock_hz, .bad_seq = NO_BAD_SEQ};
}

void agw_rtp_receiver_set_clock(agw_rtp_receiver *r, uint32_t clock_hz)
{
    r->clock_hz = clock_hz;
    r->jitter_16 = 0;
    r->is_timed = false;
}

/* A time in timestamp units, modulo 2^32. */
static uint32_t timestamp_units(agw_ns now, uint32_t clock_hz)
{
    const uint64_t ns = (uint64_t)now;
    const uint64_t second = (uint64_t)AGW_S(1);
    return (uint32_t)(ns / second * clock_hz + ns % second * clock_hz / second);
}

static void begin_sequence(agw_rtp_receiver *r, uint16_t seq)
{
    r->started = true;
    r->is_timed = false;
    r->max_seq = seq;
    r->base_seq = seq;
    r->bad_seq = NO_BAD_SEQ;
    r->cycles = 0;
    r->seen = 1;
    r->received = 0;
    r->expected_prior = r->received_prior = 0;
}

static uint32_t expected(const agw_rtp_receiver *r)
{
    return agw_rtp_receiver_ext_seq(r) - r->base_seq + 1;
}

/* Lost since the last restart, without the limits of the report block. */
static int64_t lost_now(const agw_rtp_receiver *r)
{
    return r->started ? (int64_t)expected(r) - r->received : 0;
}

static void move_ahead(agw_rtp_receiver *r, uint16_t seq, uint16_t ahead)
{
    if (seq < r->max_seq)
        r->cycles += SEQ_MOD;
    r->max_seq = seq;
    r->seen = ahead < SEEN_BITS ? r->seen << ahead | 1 : 1;
    r->bad_seq = NO_BAD_SEQ;
}

static agw_rtp_arrival late(agw_rtp_receiver *r, uint16_t behind)
{
    r->bad_seq = NO_BAD_SEQ;
    if (behind < SEEN_BITS && (r->seen >> behind & 1) != 0) {
        r->duplicates++;
        return AGW_RTP_ARRIVAL_DUPLICATE;
    }
    if (behind < SEEN_BITS)
        r->seen |= (uint64_t)1 << behind;
    r->reordered++;
    return AGW_RTP_ARRIVAL_REORDERED;
}

/* RFC 3550 A.1, update_seq() without probation. */
static agw_rtp_arrival classify(agw_rtp_receiver *r, uint16_t seq)
{
    if (!r->started) {
        begin_sequence(r, seq);
        return AGW_RTP_ARRIVAL_NEW;
    }
    const uint16_t ahead = (uint16_t)(seq - r->max_seq);
    if (ahead != 0 && ahead < MAX_DROPOUT) {
        move_ahead(r, seq, ahead);
        return AGW_RTP_ARRIVAL_NEW;
    }
    if (ahead == 0 || ahead > SEQ_MOD - MAX_MISORDER)
        return late(r, (uint16_t)(r->max_seq - seq));
    if (seq != r->bad_seq) {
        r->bad_seq = (seq + 1u) & (SEQ_MOD - 1);
        return AGW_RTP_ARRIVAL_JUMP;
    }
    r->lost_before += lost_now(r); /* two in sequence: the other side began anew */
    r->restarts++;
    begin_sequence(r, seq);
    return AGW_RTP_ARRIVAL_RESTART;
}

/* RFC 3550 A.8 */
static void update_jitter(agw_rtp_receiver *r, uint32_t timestamp, agw_ns now)
{
    if (r->clock_hz == 0)
        return;
    const uint32_t transit = timestamp_units(now, r->clock_hz) - timestamp;
    const int32_t d = (int32_t)(transit - r->transit);
    const bool is_first = !r->is_timed;
    r->transit = transit;
    r->is_timed = true;
    if (is_first)
        return;
    const uint32_t distance = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
    r->jitter_16 += distance - ((r->jitter_16 + 8) >> 4);
}

agw_rtp_arrival agw_rtp_receiver_on_packet(agw_rtp_receiver *r, uint16_t seq, uint32_t timestamp,
                                           size_t len, agw_ns now)
{
    const agw_rtp_arrival arrival = classify(r, seq);
    r->packets++;
    r->bytes += len;
    if (arrival == AGW_RTP_ARRIVAL_JUMP)
        return arrival;
    r->received++;
    if (arrival != AGW_RTP_ARRIVAL_DUPLICATE)
        update_jitter(r, timestamp, now);
    return arrival;
}

void agw_rtp_receiver_on_sr(agw_rtp_receiver *r, uint32_t ntp_middle, agw_ns now)
{
    r->lsr = ntp_middle;
    r->lsr_at = now;
}

uint32_t agw_rtp_receiver_timestamp(const agw_rtp_receiver *r, agw_ns now)
{
    return r->clock_hz != 0 ? timestamp_units(now, r->clock_hz) - r->transit : 0;
}

int64_t agw_rtp_receiver_lost(const agw_rtp_receiver *r)
{
    return r->lost_before + lost_now(r);
}

/* 1/65536 s */
static uint32_t short_ntp(agw_ns length)
{
    const uint64_t ns = length > 0 ? (uint64_t)length : 0;
    const uint64_t second = (uint64_t)AGW_S(1);
    return (uint32_t)((ns / second << 16) + ((ns % second) << 16) / second);
}

/* RFC 3550 A.3 */
static uint8_t fraction_lost(agw_rtp_receiver *r)
{
    const uint32_t expected_interval = expected(r) - r->expected_prior;
    const uint32_t received_interval = r->received - r->received_prior;
    r->expected_prior = expected(r);
    r->received_prior = r->received;
    if (expected_interval == 0 || received_interval >= expected_interval)
        return 0;
    const uint64_t lost = expected_interval - received_interval;
    const uint64_t fraction = (lost << 8) / expected_interval;
    return fraction > UINT8_MAX ? UINT8_MAX : (uint8_t)fraction;
}

void agw_rtp_receiver_report(agw_rtp_receiver *r, uint32_t ssrc, agw_ns now, agw_rtcp_report *out)
{
    *out = (agw_rtcp_report){.ssrc = ssrc};
    if (r->lsr_at != 0 || r->lsr != 0) {
        out->lsr = r->lsr;
        out->dlsr = short_ntp(now - r->lsr_at);
    }
    if (!r->started)
        return;
    const int64_t lost = lost_now(r);
    out->lost = lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : (int32_t)lost;
    out->fraction_lost = fraction_lost(r);
    out->ext_seq = agw_rtp_receiver_ext_seq(r);
    out->jitter = agw_rtp_receiver_jitter(r);
}

void agw_rtp_sr_log_sent(agw_rtp_sr_log *log, uint32_t ntp_middle, agw_ns now)
{
    log->sr[log->next].ntp_middle = ntp_middle;
    log->sr[log->next].sent_at = now;
    log->next = (log->next + 1) % AGW_RTP_SR_LOG;
    if (log->count < AGW_RTP_SR_LOG)
        log->count++;
}

agw_err agw_rtp_sr_log_round_trip(const agw_rtp_sr_log *log, const agw_rtcp_report *report,
                                  agw_ns now, agw_ns *rtt)
{
    const agw_ns drift = AGW_MS(20); /* RTTs are above 0, so this much under 0 is only inexact */
    for (unsigned i = 1; i <= log->count && report->lsr != 0; i++) {
        const unsigned at = (log->next + AGW_RTP_SR_LOG - i) % AGW_RTP_SR_LOG; /* newest first */
        if (log->sr[at].ntp_middle != report->lsr)
            continue;
        const agw_ns held = (agw_ns)((uint64_t)report->dlsr * (uint64_t)AGW_S(1) >> 16);
        const agw_ns time = now - log->sr[at].sent_at - held;
        if (time < -drift)
            return AGW_ERR_MALFORMED;
        *rtt = time > 0 ? time : 0;
        return AGW_OK;
    }
    return AGW_ERR_NOT_FOUND;
}
