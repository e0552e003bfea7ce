/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/bridge.h"

#include "agw/call.h"
#include "agw/demux.h"
#include "rtp/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_FRAME_TRIES = 3,
    RTCP_ROOM = AGW_PKT_MAX,
    US_PER_S = 1000000,
};

static const agw_ns KEY_FRAME_EVERY = AGW_MS(400);
static const agw_ns STREAM_SILENT = AGW_S(1); /* after that another SSRC may be the one we count */

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

static agw_end_stats *stats_of(const agw_media *m, agw_side side)
{
    return &m->stats->end[side];
}

static void count(agw_traffic *traffic, size_t bytes, agw_ns now)
{
    agw_counter_add(&traffic->packets, 1);
    agw_counter_add(&traffic->bytes, bytes);
    agw_counter_set(&traffic->last_at, (uint64_t)now);
}

/* --- whose packet it is (RFC 9143 section 9.2) ---------------------------------------------------
 */

static bool has_ssrc(const agw_end *end, uint32_t ssrc)
{
    for (size_t i = 0; i < end->n_ssrcs; i++) {
        if (end->ssrcs[i] == ssrc)
            return true;
    }
    return false;
}

static void learn_ssrc(agw_end *end, uint32_t ssrc)
{
    if (has_ssrc(end, ssrc))
        return;
    if (end->n_ssrcs == AGW_PLAN_SSRC_MAX) { /* the oldest goes */
        end->n_ssrcs--;
        memmove(end->ssrcs, end->ssrcs + 1, end->n_ssrcs * sizeof end->ssrcs[0]);
    }
    end->ssrcs[end->n_ssrcs] = ssrc;
    end->n_ssrcs++;
}

static agw_media *by_mid(const agw_transport *t, const uint8_t *buf, const agw_rtp_header *h)
{
    for (size_t i = 0; i < t->n_medias && h->has_ext; i++) {
        const agw_end *end = &t->medias[i]->end[t->side];
        size_t len = 0;
        if (end->mid_ext_id == 0 || end->mid[0] == '\0')
            continue;
        const uint8_t *mid = agw_rtp_ext_get(buf, h, end->mid_ext_id, &len);
        if (mid != NULL && len == strlen(end->mid) && memcmp(mid, end->mid, len) == 0)
            return t->medias[i];
    }
    return NULL;
}

static agw_media *by_ssrc(const agw_transport *t, uint32_t ssrc)
{
    for (size_t i = 0; i < t->n_medias; i++) {
        if (has_ssrc(&t->medias[i]->end[t->side], ssrc))
            return t->medias[i];
    }
    return NULL;
}

static agw_media *by_pt(const agw_transport *t, uint8_t pt)
{
    agw_media *found = NULL;
    for (size_t i = 0; i < t->n_medias; i++) {
        if (t->medias[i]->end[t->side].egress_pt[pt] == AGW_PT_NONE)
            continue;
        if (found != NULL)
            return NULL; /* two medias share this payload type: it tells nothing */
        found = t->medias[i];
    }
    return found;
}

static agw_media *find_media(const agw_transport *t, const uint8_t *buf, const agw_rtp_header *h)
{
    if (t->n_medias == 1)
        return t->medias[0];
    agw_media *m = by_mid(t, buf, h);
    if (m == NULL)
        m = by_ssrc(t, h->ssrc);
    if (m == NULL)
        m = by_pt(t, h->pt);
    if (m != NULL)
        learn_ssrc(&m->end[t->side], h->ssrc);
    return m;
}

/* --- key frames ---------------------------------------------------------------------------------
 */

static void try_key_frame(agw_media *m, agw_side side, agw_ns now)
{
    agw_end *end = &m->end[side];
    agw_transport *t = end->transport;
    if (end->key_frames_due == 0 || now < end->key_frame_at || end->in_ssrc == 0 || t == NULL ||
        !agw_transport_can_send(t, &(agw_drop){0}))
        return;
    agw_pkt *pkt = agw_worker_packet(t->worker);
    if (pkt == NULL)
        return;
    agw_rewrite source =
        m->end[other(side)].out; /* asked for before anything of it was passed on, too */
    source.started = true;
    source.ssrc = end->in_ssrc;
    const agw_rtcp_map map = {
        .forward = &end->out,
        .reverse = &source,
        .allow = end->feedback,
        .reduced_size = end->reduced_size,
        .fir_seq = &end->fir_seq,
    };
    pkt->len = RTCP_ROOM;
    if (agw_rtcp_key_frame_request(&map, pkt->data, &pkt->len) != AGW_OK)
        return;
    pkt->kind = AGW_PKT_RTCP;
    agw_transport_address(t, pkt);
    count(&stats_of(m, side)->rtcp_out, pkt->len, now);
    end->key_frames_due--;
    end->key_frame_at = now + KEY_FRAME_EVERY;
}

void agw_media_want_key_frame(agw_media *m, agw_side side, agw_ns now)
{
    if (m->kind != AGW_MEDIA_VIDEO)
        return;
    m->end[side].key_frames_due = KEY_FRAME_TRIES;
    m->end[side].key_frame_at = now;
    try_key_frame(m, side, now);
}

void agw_bridge_transport_ready(agw_transport *t)
{
    for (size_t i = 0; i < t->n_medias; i++)
        agw_media_want_key_frame(t->medias[i], other(t->side), t->worker->now);
}

/* --- RTP
 * ------------------------------------------------------------------------------------------ */

/* Receive state moves for every authentic packet, also while the gate is closed. */
static void note_ingress(agw_media *m, agw_side side, const agw_rtp_header *h, size_t len,
                         agw_ns now)
{
    agw_end *in = &m->end[side];
    agw_end_stats *stats = stats_of(m, side);
    const agw_ns last_at = (agw_ns)agw_counter_get(&stats->rtp_in.last_at);
    if (in->in_ssrc != h->ssrc && (in->in_ssrc == 0 || now - last_at > STREAM_SILENT)) {
        in->in_ssrc = h->ssrc;
        agw_rtp_receiver_init(&in->in, in->clock_hz[h->pt]);
        agw_counter_set(&stats->ssrc_in, h->ssrc);
    }
    count(&stats->rtp_in, len, now);
    agw_counter_set(&stats->pt_in, h->pt);
    if (in->in_ssrc != h->ssrc)
        return;
    agw_rtp_receiver_on_packet(&in->in, h->seq, h->timestamp, len, now);
    const int64_t lost = agw_rtp_receiver_lost(&in->in);
    const uint32_t clock_hz = in->clock_hz[h->pt];
    agw_counter_set(&stats->lost_in, lost > 0 ? (uint64_t)lost : 0);
    if (clock_hz != 0)
        agw_counter_set(&stats->jitter_in_us,
                        (uint64_t)agw_rtp_receiver_jitter(&in->in) * US_PER_S / clock_hz);
}

/* Another source speaks: count it from here, and let it begin with a key frame. */
static void on_switched(agw_media *m, agw_side side, const agw_rtp_header *h, agw_ns now)
{
    agw_end *in = &m->end[side];
    in->in_ssrc = h->ssrc;
    agw_rtp_receiver_init(&in->in, in->clock_hz[h->pt]);
    agw_counter_set(&stats_of(m, side)->ssrc_in, h->ssrc);
    agw_media_want_key_frame(m, side, now);
}

static agw_drop forward_rtp(agw_worker *w, agw_pkt *pkt)
{
    const agw_transport *t = pkt->transport;
    const agw_side side = t->side;
    agw_rtp_header h;
    if (agw_rtp_parse(&h, pkt->data, pkt->len) != AGW_OK)
        return AGW_DROP_RTP_MALFORMED;
    agw_media *m = find_media(t, pkt->data, &h);
    if (m == NULL)
        return AGW_DROP_NO_MEDIA;
    const agw_end *in = &m->end[side];
    agw_end *out = &m->end[other(side)];
    pkt->media = m;
    if (in->egress_pt[h.pt] == AGW_PT_NONE)
        return AGW_DROP_PT;
    note_ingress(m, side, &h, pkt->len, w->now);
    try_key_frame(m, side, w->now);
    if (!in->may_send || !out->may_receive)
        return AGW_DROP_GATE_CLOSED;
    agw_drop why = AGW_DROP_NO_DEST;
    if (out->transport == NULL || !agw_transport_can_send(out->transport, &why))
        return why;
    if (h.has_ext && agw_rtp_ext_rewrite(pkt->data, &pkt->len, in->ext_map) != AGW_OK)
        return AGW_DROP_RTP_MALFORMED;
    agw_rtp_set_pt(pkt->data, in->egress_pt[h.pt]);
    const agw_rewrite_result result =
        agw_rewrite_rtp(&out->out, pkt->data, pkt->len, in->clock_hz[h.pt], w->now);
    if (result == AGW_REWRITE_DROP)
        return AGW_DROP_OLD_SSRC;
    if (result == AGW_REWRITE_SWITCHED)
        on_switched(m, side, &h, w->now);
    agw_transport_address(out->transport, pkt);
    count(&stats_of(m, other(side))->rtp_out, pkt->len, w->now);
    return AGW_DROP_NONE;
}

/* --- RTCP
 * ----------------------------------------------------------------------------------------- */

static void note_reports(agw_media *m, agw_side side, const agw_rtcp_info *info, bool sent,
                         agw_ns now)
{
    agw_end *in = &m->end[side];
    agw_end_stats *stats = stats_of(m, side);
    if (info->has_sr && info->sr_ssrc == in->in_ssrc)
        agw_rtp_receiver_on_sr(&in->in, info->sr_ntp_middle, now);
    if (info->has_sr && sent)
        agw_rtp_sr_log_sent(&m->end[other(side)].srs, info->sr_ntp_middle, now);
    if (!info->has_report)
        return;
    agw_ns rtt;
    if (agw_rtp_sr_log_round_trip(&in->srs, &info->report, now, &rtt) == AGW_OK)
        agw_counter_set(&stats->rtt_us, (uint64_t)(rtt / AGW_US(1)));
    agw_counter_set(&stats->loss_out_256, info->report.fraction_lost);
    const agw_end *source = &m->end[other(side)]; /* whose packets the report is about */
    const uint32_t clock_hz =
        source->clock_hz[agw_counter_get(&stats_of(m, other(side))->pt_in) & 0x7f];
    if (clock_hz != 0)
        agw_counter_set(&stats->jitter_out_us, (uint64_t)info->report.jitter * US_PER_S / clock_hz);
}

/* One media's share of an RTCP datagram; true: it concerned this media. */
static bool translate(agw_worker *w, const agw_transport *t, agw_media *m, const agw_pkt *pkt,
                      agw_drop *why)
{
    const agw_end *in = &m->end[t->side];
    agw_end *out = &m->end[other(t->side)];
    const agw_rtcp_map map = {
        .forward = &out->out,
        .reverse = &in->out,
        .allow = out->feedback,
        .reduced_size = out->reduced_size,
        .sole = t->n_medias == 1,
        .fir_seq = &out->fir_seq,
    };
    agw_pkt *copy = agw_worker_packet(w);
    if (copy == NULL)
        return false;
    agw_rtcp_info info;
    copy->len = RTCP_ROOM;
    if (agw_rtcp_translate(&map, pkt->data, pkt->len, copy->data, &copy->len, &info) != AGW_OK) {
        *why = AGW_DROP_RTCP_MALFORMED;
        copy->verdict = AGW_CONSUMED;
        return false;
    }
    const bool mine = info.other_media < info.packets;
    if (mine)
        count(&stats_of(m, t->side)->rtcp_in, pkt->len, w->now);
    copy->verdict = AGW_CONSUMED; /* unless it goes out */
    bool sent = false;
    if (copy->len != 0 && out->transport != NULL && agw_transport_can_send(out->transport, why)) {
        copy->kind = AGW_PKT_RTCP;
        agw_transport_address(out->transport, copy);
        sent = copy->verdict == AGW_FORWARD;
    }
    if (sent)
        count(&stats_of(m, other(t->side))->rtcp_out, copy->len, w->now);
    note_reports(m, t->side, &info, sent, w->now);
    return sent;
}

static bool is_transparent(const agw_media *m)
{
    return agw_rewrite_transparent(&m->end[AGW_SIDE_A].out) &&
           agw_rewrite_transparent(&m->end[AGW_SIDE_B].out);
}

static agw_drop forward_rtcp(agw_worker *w, agw_pkt *pkt)
{
    const agw_transport *t = pkt->transport;
    const agw_transport *copied_to =
        NULL; /* between two browsers the whole datagram passes, once */
    agw_drop why = t->n_medias != 0 ? AGW_DROP_RTCP_EMPTY : AGW_DROP_NO_MEDIA;
    bool sent = false;
    for (size_t i = 0; i < t->n_medias; i++) {
        agw_media *m = t->medias[i];
        const agw_transport *to = m->end[other(t->side)].transport;
        if (is_transparent(m) && copied_to != NULL && copied_to == to)
            continue;
        sent |= translate(w, t, m, pkt, &why);
        copied_to = is_transparent(m) ? to : copied_to;
    }
    if (!sent)
        return why;
    pkt->verdict = AGW_CONSUMED;
    return AGW_DROP_NONE;
}

void agw_bridge_forward(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        agw_pkt *pkt = pkts[i];
        if (pkt->verdict != AGW_UNDECIDED)
            continue;
        agw_transport *t = pkt->transport;
        t->last_rx_at = w->now; /* authentic: only now may state move */
        const agw_drop why = pkt->kind == AGW_PKT_RTCP ? forward_rtcp(w, pkt) : forward_rtp(w, pkt);
        if (why == AGW_DROP_NONE)
            continue;
        agw_pkt_drop(pkt, why);
        if (pkt->media != NULL)
            agw_counter_add(&stats_of(pkt->media, t->side)->dropped, 1);
    }
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

agw_media *agw_media_new(struct agw_call *call, uint32_t id, agw_media_stats *stats)
{
    agw_media *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->call = call;
    m->id = id;
    m->stats = stats;
    return m;
}

void agw_media_free(agw_media *m)
{
    free(m);
}

static void apply_pts(agw_end *end, const agw_end_plan *plan)
{
    memset(end->egress_pt, AGW_PT_NONE, sizeof end->egress_pt);
    memset(end->clock_hz, 0, sizeof end->clock_hz);
    for (size_t i = 0; i < plan->n_pts; i++) {
        const uint8_t pt = plan->pts[i].ingress & 0x7f;
        end->egress_pt[pt] = plan->pts[i].egress;
        end->clock_hz[pt] = plan->pts[i].clock_hz;
    }
}

static void apply_end(agw_end *end, const agw_end_plan *plan, agw_end_stats *stats)
{
    end->may_send = plan->may_send;
    end->may_receive = plan->may_receive;
    end->reduced_size = plan->reduced_size;
    end->feedback = plan->feedback;
    end->mid_ext_id = plan->mid_ext_id;
    snprintf(end->mid, sizeof end->mid, "%s", plan->mid);
    end->n_ssrcs = plan->n_ssrcs;
    memcpy(end->ssrcs, plan->ssrcs, sizeof end->ssrcs);
    memcpy(end->ext_map, plan->ext_map, sizeof end->ext_map);
    apply_pts(end, plan);
    if (end->out.egress_ssrc != plan->egress_ssrc)
        agw_rewrite_init(&end->out, plan->egress_ssrc);
    agw_counter_set(&stats->ssrc_out, plan->egress_ssrc);
}

void agw_media_apply(agw_media *m, const agw_media_plan *plan)
{
    m->kind = plan->kind;
    apply_end(&m->end[AGW_SIDE_A], &plan->end[AGW_SIDE_A], stats_of(m, AGW_SIDE_A));
    apply_end(&m->end[AGW_SIDE_B], &plan->end[AGW_SIDE_B], stats_of(m, AGW_SIDE_B));
}
