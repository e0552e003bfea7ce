/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/xr_report.h"

#include "agw/call.h"
#include "rtp/emodel.h"

#include <math.h>

enum {
    PACKET_MS = 20, /* audio in a packet, as nearly all have it */
    SHORT_NTP = 65536,
    US_PER_MS = 1000,
};

/* What has come within is reported: two intervals, RFC 3550 section 6.4. */
static const agw_ns LATELY = AGW_S(10);

/* --- round trip (sections 4.4, 4.5) ------------------------------------------------------------
 */

/* An answer to an RRTR of ours. */
static void take_dlrr(agw_end *end, agw_end_stats *stats, const agw_xr_block *block, agw_ns now)
{
    for (size_t i = 0; i < agw_xr_count_dlrr(block); i++) {
        agw_xr_dlrr d;
        agw_ns rtt;
        agw_xr_read_dlrr(block, i, &d);
        const agw_rtcp_report echo = {.lsr = d.lrr, .dlsr = d.dlrr};
        if (agw_rtp_sr_log_round_trip(&end->srs, &echo, now, &rtt) == AGW_OK)
            agw_counter_set(&stats->rtt_us, (uint64_t)(rtt / AGW_US(1)));
    }
}

static void take_block(agw_media *m, agw_side side, uint32_t sender, const agw_xr_block *block,
                       agw_ns now)
{
    agw_end *end = &m->end[side];
    if (block->type == AGW_XR_DLRR)
        take_dlrr(end, &m->stats->end[side], block, now);
    if (block->type != AGW_XR_RRTR)
        return;
    end->rrtr_ssrc = sender;
    end->rrtr_ntp = agw_xr_read_rrtr(block);
    end->rrtr_at = now;
}

void agw_xr_report_take(agw_media *m, agw_side side, const uint8_t *rtcp, size_t len, agw_ns now)
{
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    agw_xr_block block;
    if ((m->end[side].xr & AGW_PLAN_XR_RTT) == 0 || agw_rtcp_begin(&it, rtcp, len) != AGW_OK)
        return;
    while (agw_rtcp_next(&it, &p)) {
        for (size_t at = 0; p.type == AGW_RTCP_XR && agw_xr_next(&p, &at, &block);)
            take_block(m, side, agw_xr_sender(&p), &block, now);
    }
}

/* Each RRTR is answered once. */
static agw_err add_dlrr(agw_end *end, uint32_t speaker, agw_ns now, agw_rtcp_writer *w)
{
    if (end->rrtr_at == 0)
        return AGW_OK;
    const uint64_t held = (uint64_t)(now - end->rrtr_at) * SHORT_NTP / (uint64_t)AGW_S(1);
    const agw_xr_dlrr d = {end->rrtr_ssrc, end->rrtr_ntp, (uint32_t)held};
    end->rrtr_at = 0;
    return agw_xr_write_dlrr(w, speaker, &d, 1);
}

/* Who sends SRs measures by them. */
static agw_err add_rrtr(const agw_media *m, agw_end *end, uint32_t speaker, agw_ns now,
                        agw_rtcp_writer *w)
{
    if (w->buf[1] == AGW_RTCP_SR)
        return AGW_OK;
    const uint64_t ntp = agw_rtcp_ntp(m->call->worker->wall_us + now / AGW_US(1));
    agw_rtp_sr_log_sent(&end->srs, agw_rtcp_ntp_middle(ntp), now);
    return agw_xr_write_rrtr(w, speaker, ntp);
}

/* --- VoIP metrics (section 4.7) ----------------------------------------------------------------
 */

static uint8_t mos_x10(double r)
{
    return (uint8_t)lround(agw_emodel_mos(r) * 10);
}

/* The stream of this party as it arrives here: quality of the way to us, mouth to ear. */
static void judge(const agw_end *end, uint64_t lost, uint64_t expected, uint64_t rtt_us,
                  uint64_t jitter_us, agw_xr_voip *out)
{
    const agw_emodel_codec *codec = end->codec != NULL ? end->codec : agw_emodel_find(NULL, 0, 0);
    agw_emodel_path path = {
        .loss_percent = (double)lost * 100 / (double)expected,
        .burst_ratio =
            agw_emodel_burst_ratio(expected - lost, lost, agw_xr_bursts_runs(&end->bursts)),
    };
    out->mos_lq = mos_x10(agw_emodel_r(codec, &path));
    path.delay_ms = agw_emodel_delay_ms(codec, (uint32_t)rtt_us, (uint32_t)jitter_us);
    const double r = agw_emodel_r(codec, &path);
    out->mos_cq = mos_x10(r);
    out->r_factor = (uint8_t)lround(r);
}

static agw_err add_voip(agw_media *m, agw_side side, uint32_t speaker, agw_ns now,
                        agw_rtcp_writer *w)
{
    agw_end *end = &m->end[side];
    const agw_end_stats *stats = &m->stats->end[side];
    if (end->in_ssrc == 0 || !end->in.started || now - end->in_at > LATELY)
        return AGW_OK;
    agw_xr_bursts_count(&end->bursts, agw_rtp_receiver_ext_seq(&end->in), 0);
    const int64_t missed = agw_rtp_receiver_lost(&end->in);
    const uint64_t lost = missed > 0 ? (uint64_t)missed : 0;
    const uint64_t expected = end->in.packets + lost, rtt_us = agw_counter_get(&stats->rtt_us);
    const uint64_t rtt_ms = rtt_us / US_PER_MS;
    agw_xr_voip voip = {
        .ssrc = end->in_ssrc,
        .loss_rate = (uint8_t)(lost * 256 / expected), /* below 256: some have come */
        .round_trip_ms = rtt_ms < UINT16_MAX ? (uint16_t)rtt_ms : UINT16_MAX,
        .signal_level = AGW_XR_UNKNOWN,
        .noise_level = AGW_XR_UNKNOWN,
        .rerl = AGW_XR_UNKNOWN,
        .ext_r_factor = AGW_XR_UNKNOWN,
    };
    agw_xr_bursts_report(&end->bursts, PACKET_MS, &voip);
    judge(end, lost, expected, rtt_us, agw_counter_get(&stats->jitter_in_us), &voip);
    return agw_xr_write_voip(w, speaker, &voip);
}

void agw_xr_report_add(agw_media *m, agw_side side, uint32_t speaker, agw_ns now,
                       agw_rtcp_writer *w)
{
    agw_end *end = &m->end[side];
    if (w->len < 8 || (w->buf[1] != AGW_RTCP_SR && w->buf[1] != AGW_RTCP_RR))
        return;
    agw_err err = AGW_OK;
    if (end->xr & AGW_PLAN_XR_RTT)
        err = add_dlrr(end, speaker, now, w);
    if (err == AGW_OK && (end->xr & AGW_PLAN_XR_RTT))
        err = add_rrtr(m, end, speaker, now, w);
    if (err == AGW_OK && (end->xr & AGW_PLAN_XR_VOIP))
        err = add_voip(m, side, speaker, now, w);
    (void)err; /* no room: the report goes without */
}
