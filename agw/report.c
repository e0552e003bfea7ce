/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/report.h"

#include "agw/call.h"
#include "agw/transcode.h"
#include "agw/xr_report.h"

#include <stdio.h>
#include <string.h>

enum {
    /* A nominal interval of 4 s, times 0.5 to 1.5, by 1.21828 (RFC 3550 section 6.3.1): never more
     * than the 5 s that an IMS expects during hold (TS 26.114 section 7.3.1). */
    INTERVAL_MIN_MS = 1642,
    INTERVAL_SPAN_MS = 3283,
};

/* Two intervals: who has sent within is a sender, what has come within is reported (RFC 3550
 * sections 6.4 and 6.4.2). */
static const agw_ns LATELY = AGW_S(10);

static agw_ns interval(agw_worker *w)
{
    w->lot = w->lot * 1664525 + 1013904223; /* only to spread reports */
    return AGW_MS(INTERVAL_MIN_MS + (w->lot >> 8) % (INTERVAL_SPAN_MS + 1));
}

/* Whoever speaks RTCP does so every 5 s and a half (RFC 3550 section 6.2). Reports of ours in
 * between would tell of another place of the way, and by another clock. */
static const agw_ns PASSED = AGW_S(8);
/* As long as the other party's SRs tell the time, ours do not. */
static const agw_ns ITS_CLOCK = AGW_S(20);

void agw_report_begin(agw_end *end, agw_worker *w)
{
    const agw_ns at = w->now + interval(w) / 2;
    if (end->report_at == 0 || at < end->report_at)
        end->report_at = at;
}

void agw_report_put_off(agw_end *end, agw_worker *w)
{
    const bool held =
        !end->may_send || !end->may_receive; /* nothing to measure, and none may be late */
    end->report_at = w->now + (held ? interval(w) : PASSED);
}

agw_ns agw_report_deadline(const agw_transport *t)
{
    agw_ns at = AGW_NEVER;
    for (size_t i = 0; i < t->n_medias; i++) {
        const agw_end *end = &t->medias[i]->end[t->side];
        if (!end->rtcp_off)
            at = agw_earlier(at, end->report_at);
    }
    return at;
}

static bool is_recent(agw_ns at, agw_ns now)
{
    return at != 0 && now - at <= LATELY;
}

bool agw_report_is_ours(const agw_media *m)
{
    return m->own_rtcp || agw_transcode_is_on(m);
}

/* Whether the party hears a stream whose timestamps are ours. */
static bool is_our_clock(const agw_media *m, agw_side side)
{
    return (m->end[1 - side].acts & AGW_ACT_CHAIN) != 0;
}

/* Whether the party gets RTP from us, and we can say which moment its timestamps mean. */
static bool is_sender(const agw_media *m, agw_side side, agw_ns now)
{
    const agw_end *end = &m->end[side], *from = &m->end[1 - side];
    const agw_ns sent_at = (agw_ns)agw_counter_get(&m->stats->end[side].rtp_out.last_at);
    const bool told =
        !agw_report_is_ours(m) && from->in.lsr_at != 0 && now - from->in.lsr_at <= ITS_CLOCK;
    if (is_our_clock(m, side))
        return is_recent(sent_at, now) && end->out.started;
    return is_recent(sent_at, now) && !told && end->out.started && end->out.ssrc == from->in_ssrc &&
           from->in.clock_hz != 0;
}

/* Who says it: the stream that the party gets from us, if it knows one under our CNAME. */
uint32_t agw_report_speaker(const agw_end *end)
{
    if (!agw_rewrite_transparent(&end->out))
        return end->out.egress_ssrc;
    return end->out.started && end->cname[0] != '\0' ? end->out.ssrc : end->own_ssrc;
}

/* The timestamp of this moment in the stream toward that side. */
static uint32_t timestamp_now(const agw_media *m, agw_side side, agw_ns now)
{
    const agw_rewrite *out = &m->end[side].out;
    if (is_our_clock(m, side))
        return agw_rewrite_timestamp_at(out, agw_transcode_egress_hz(m, side), now);
    return agw_rewrite_egress_timestamp(out, agw_rtp_receiver_timestamp(&m->end[1 - side].in, now));
}

static agw_err write_sr(agw_media *m, agw_side side, agw_ns now, const agw_rtcp_report *block,
                        size_t n, agw_rtcp_writer *w)
{
    agw_end *end = &m->end[side];
    const agw_rtcp_sender sr = {
        .ssrc = agw_report_speaker(end),
        .ntp = agw_rtcp_ntp(m->call->worker->wall_us + now / AGW_US(1)),
        .rtp_timestamp = timestamp_now(m, side, now),
        .packets = end->out.packets,
        .octets = end->out.octets,
    };
    end->own_sr = agw_rtcp_ntp_middle(sr.ntp);
    agw_rtp_sr_log_sent(&end->srs, end->own_sr, now);
    return agw_rtcp_write_sr(w, &sr, block, n);
}

static agw_err write_cname(const agw_end *end, agw_rtcp_writer *w)
{
    char own[AGW_PLAN_CNAME_MAX + 1];
    snprintf(own, sizeof own, "%08x", end->own_ssrc);
    const char *cname = end->cname[0] != '\0' ? end->cname : own;
    return agw_rtcp_write_cname(w, agw_report_speaker(end), cname, strlen(cname));
}

static agw_err write_report(agw_media *m, agw_side side, agw_ns now, agw_rtcp_writer *w)
{
    agw_end *end = &m->end[side];
    agw_rtcp_report block;
    const size_t n = end->in_ssrc != 0 && is_recent(end->in_at, now);
    if (n != 0) {
        agw_rtp_receiver_report(&end->in, end->in_ssrc, now, &block);
        agw_transcode_note_loss_in(m, side, block.fraction_lost);
    }
    /* Under an SSRC that stands for us alone nothing was sent. */
    const bool sender = agw_report_speaker(end) != end->own_ssrc && is_sender(m, side, now);
    const agw_err err = sender ? write_sr(m, side, now, &block, n, w)
                               : agw_rtcp_write_rr(w, agw_report_speaker(end), &block, n);
    if (err != AGW_OK || write_cname(end, w) != AGW_OK)
        return AGW_ERR_NO_SPACE;
    if (end->xr != 0)
        agw_xr_report_add(m, side, agw_report_speaker(end), now, w);
    return AGW_OK;
}

/* Between two browsers everything passes as it is, under names that are not ours. */
static bool wants_reports(const agw_transport *t, const agw_media *m)
{
    const agw_end *end = &m->end[t->side];
    return !end->rtcp_off && (!t->is_ice || m->own_rtcp || !agw_rewrite_transparent(&end->out));
}

static void send_report(agw_transport *t, agw_media *m)
{
    if (!wants_reports(t, m) || !agw_transport_can_send(t, &(agw_drop){0}))
        return;
    agw_pkt *pkt = agw_worker_packet(t->worker);
    if (pkt == NULL)
        return; /* in an interval, then */
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, pkt->data, AGW_PKT_MAX);
    if (write_report(m, t->side, t->worker->now, &w) == AGW_OK) {
        pkt->kind = AGW_PKT_RTCP;
        pkt->media = m;
        pkt->len = w.len;
        agw_transport_address(t, pkt);
    }
    if (pkt->verdict != AGW_FORWARD)
        agw_worker_give_back(t->worker);
}

void agw_report_send_due(agw_transport *t)
{
    const agw_ns now = t->worker->now;
    for (size_t i = 0; i < t->n_medias; i++) {
        agw_end *end = &t->medias[i]->end[t->side];
        if (end->rtcp_off || end->report_at > now)
            continue;
        end->report_at = now + interval(t->worker);
        send_report(t, t->medias[i]);
    }
}
