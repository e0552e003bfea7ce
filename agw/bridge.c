/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/bridge.h"

#include "agw/call.h"
#include "agw/demux.h"
#include "agw/dtmf.h"
#include "agw/inband.h"
#include "agw/player.h"
#include "agw/recorder.h"
#include "agw/report.h"
#include "agw/shield.h"
#include "agw/transcode.h"
#include "agw/xr_report.h"
#include "base/heap.h"
#include "base/rand.h"
#include "base/wire.h"
#include "codecs/repack.h"
#include "rtp/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_FRAME_TRIES = 3,
    RTCP_ROOM = AGW_PKT_MAX,
    US_PER_S = 1000000,
    EXT_IDS = 256,
    PT_MASK = 0x7f,
    MAX_DROPOUT = 3000,  /* RFC 3550 A.1 */
    IP_UDP_HEADERS = 28, /* IPv4 */
    RR_BLOCKS_AT = 4,    /* in the body of an RR: behind the SSRC */
    SR_BLOCKS_AT = 24,
    PADDING = 0x20, /* RFC 3550 section 5.1 */
    PT_NOISE = 13,  /* RFC 3389 section 4 */
};

static const agw_ns KEY_FRAME_EVERY = AGW_MS(400);
static const agw_ns LOSS_EVERY = AGW_S(1);
static const agw_ns STREAM_SILENT = AGW_S(1); /* after that another SSRC may be the one we count */

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

static const char *cname_of(const agw_end *end)
{
    return end->cname[0] != '\0' ? end->cname : NULL;
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

/* NULL: not negotiated. */
static const agw_pt_plan *find_pt(const agw_end *end, uint8_t pt)
{
    for (size_t i = 0; i < end->n_pts; i++) {
        const agw_pt_plan *known = agw_end_pt(end, i);
        if (known->ingress == pt)
            return known;
    }
    return NULL;
}

/* --- whose packet it is (RFC 9143 section 9.2) ---------------------------------------------------
 */

/* n_ssrcs: it is not there. */
static size_t index_of(const agw_end *end, uint32_t ssrc)
{
    size_t i = 0;
    while (i < end->n_ssrcs && end->ssrcs[i] != ssrc)
        i++;
    return i;
}

static void remove_ssrc(agw_end *end, size_t i)
{
    end->n_ssrcs--;
    memmove(end->ssrcs + i, end->ssrcs + i + 1, (end->n_ssrcs - i) * sizeof end->ssrcs[0]);
    if (i < end->n_signalled)
        end->n_signalled--;
}

static void add_ssrc(agw_end *end, uint32_t ssrc)
{
    if (end->n_ssrcs == AGW_PLAN_SSRC_MAX) /* the oldest one learned goes, or the first one */
        remove_ssrc(end, end->n_signalled < end->n_ssrcs ? end->n_signalled : 0);
    end->ssrcs[end->n_ssrcs] = ssrc;
    end->n_ssrcs++;
}

/* An SSRC belongs to one media of a transport. */
static void claim_ssrc(const agw_transport *t, const agw_media *m, uint32_t ssrc)
{
    for (size_t i = 0; i < t->n_medias; i++) {
        agw_end *end = &t->medias[i]->end[t->side];
        const size_t at = index_of(end, ssrc);
        const bool is_known = at < end->n_ssrcs;
        if (t->medias[i] == m && !is_known)
            add_ssrc(end, ssrc);
        else if (t->medias[i] != m && is_known)
            remove_ssrc(end, at);
    }
}

/* false: the packet carries no MID. *out NULL: it names no media of ours. */
static bool by_mid(const agw_transport *t, const uint8_t *buf, const agw_rtp_header *h,
                   agw_media **out)
{
    bool found = false;
    *out = NULL;
    for (size_t i = 0; i < t->n_medias && h->has_ext && *out == NULL; i++) {
        const agw_end *end = &t->medias[i]->end[t->side];
        size_t len = 0;
        if (end->mid_ext_id == 0 || end->mid[0] == '\0')
            continue;
        const uint8_t *mid = agw_rtp_ext_get(buf, h, end->mid_ext_id, &len);
        found = found || mid != NULL;
        if (mid != NULL && len == strlen(end->mid) && memcmp(mid, end->mid, len) == 0)
            *out = t->medias[i];
    }
    return found;
}

/* What was signalled counts more than what was learned. */
static agw_media *by_ssrc(const agw_transport *t, uint32_t ssrc)
{
    agw_media *learned = NULL;
    for (size_t i = 0; i < t->n_medias; i++) {
        const agw_end *end = &t->medias[i]->end[t->side];
        const size_t at = index_of(end, ssrc);
        if (at < end->n_signalled)
            return t->medias[i];
        if (at < end->n_ssrcs)
            learned = t->medias[i];
    }
    return learned;
}

static agw_media *by_pt(const agw_transport *t, uint8_t pt)
{
    agw_media *found = NULL;
    for (size_t i = 0; i < t->n_medias; i++) {
        if (find_pt(&t->medias[i]->end[t->side], pt) == NULL)
            continue;
        if (found != NULL)
            return NULL; /* two medias share this payload type: it tells nothing */
        found = t->medias[i];
    }
    return found;
}

static agw_media *find_media(const agw_transport *t, const uint8_t *buf, const agw_rtp_header *h)
{
    agw_media *m = NULL;
    if (t->n_medias == 1)
        return t->medias[0];
    if (!by_mid(t, buf, h, &m))
        m = by_ssrc(t, h->ssrc);
    else if (m == NULL)
        return NULL; /* RFC 9143 section 9.2: a MID that nobody knows */
    if (m == NULL)
        m = by_pt(t, h->pt);
    if (m != NULL)
        claim_ssrc(t, m, h->ssrc);
    return m;
}

bool agw_bridge_expects(const agw_transport *t, const agw_pkt *pkt)
{
    agw_rtcp_iter it;
    agw_rtp_header h;
    if (pkt->kind == AGW_PKT_RTCP)
        return agw_rtcp_begin(&it, pkt->data, pkt->len) == AGW_OK;
    if (agw_rtp_parse(&h, pkt->data, pkt->len) != AGW_OK)
        return false;
    for (size_t i = 0; i < t->n_medias; i++) {
        if (find_pt(&t->medias[i]->end[t->side], h.pt) != NULL)
            return true;
    }
    return false;
}

bool agw_bridge_goes_on(const agw_transport *t, const agw_pkt *pkt)
{
    agw_rtp_header h;
    if (pkt->kind != AGW_PKT_RTP || agw_rtp_parse(&h, pkt->data, pkt->len) != AGW_OK)
        return false;
    for (size_t i = 0; i < t->n_medias; i++) {
        const agw_end *end = &t->medias[i]->end[t->side];
        const uint16_t ahead = (uint16_t)(h.seq - end->in.max_seq);
        if (end->in_ssrc == h.ssrc && end->in.started && ahead != 0 && ahead < MAX_DROPOUT)
            return true;
    }
    return false;
}

/* --- key frames ---------------------------------------------------------------------------------
 */

/* The stream that a key frame is asked of. The first SSRC of a group is the stream itself, the rest
 * are its repetitions (RFC 4588 section 8.8); with nothing signalled it is the one we follow. */
static uint32_t key_frame_source(const agw_end *end)
{
    return index_of(end, end->in_ssrc) < end->n_signalled ? end->ssrcs[0] : end->in_ssrc;
}

static void try_key_frame(agw_media *m, agw_side side, agw_ns now)
{
    agw_end *end = &m->end[side];
    if (end->key_frames_due == 0 || now < end->key_frame_at || end->in_ssrc == 0)
        return;
    agw_transport *t = end->transport;
    if (t == NULL || end->rtcp_off || !agw_transport_can_send(t, &(agw_drop){0}))
        return;
    agw_pkt *pkt = agw_worker_packet(t->worker);
    if (pkt == NULL)
        return;
    agw_rewrite source =
        m->end[other(side)].out; /* asked for before anything of it was passed on, too */
    source.started = true;
    source.ssrc = key_frame_source(end);
    const agw_rtcp_map map = {
        .forward = &end->out,
        .reverse = &source,
        .allow = end->feedback,
        .reduced_size = end->reduced_size,
        .cname = cname_of(end),
        .fir_seq = &end->fir_seq,
    };
    pkt->len = RTCP_ROOM;
    if (agw_rtcp_key_frame_request(&map, pkt->data, &pkt->len) != AGW_OK) {
        agw_worker_give_back(t->worker);
        return;
    }
    pkt->kind = AGW_PKT_RTCP;
    pkt->media = m;
    agw_transport_address(t, pkt);
    end->key_frames_due--;
    end->key_frame_at = now + KEY_FRAME_EVERY;
}

/* The party on this side shall send a key frame: now if it can be asked, else as soon as it can. */
static void want_key_frame(agw_media *m, agw_side side, agw_ns now)
{
    if (m->kind != AGW_MEDIA_VIDEO)
        return;
    m->end[side].key_frames_due = KEY_FRAME_TRIES;
    m->end[side].key_frame_at = now;
    try_key_frame(m, side, now);
}

/* Who gets what this media's other party sends: agw_transport.peer, 0 = nobody. */
static uint32_t flows_to(const agw_media *m, agw_side side)
{
    const agw_end *from = &m->end[other(side)], *to = &m->end[side];
    if (!from->may_send || (from->acts & AGW_ACT_BLOCK) || !to->may_receive ||
        from->transport == NULL || to->transport == NULL ||
        !agw_transport_can_take(from->transport) ||
        !agw_transport_can_send(to->transport, &(agw_drop){0}))
        return 0;
    return to->transport->peer;
}

static void settle(agw_media *m, agw_side side, agw_ns now)
{
    const uint32_t peer = flows_to(m, side);
    if (peer == m->end[side].flows_to)
        return;
    m->end[side].flows_to = peer;
    m->end[other(side)].key_frames_due = 0;
    if (peer != 0)
        want_key_frame(m, other(side), now);
}

void agw_media_settle(agw_media *m, agw_ns now)
{
    settle(m, AGW_SIDE_A, now);
    settle(m, AGW_SIDE_B, now);
}

void agw_bridge_settle(agw_transport *t)
{
    for (size_t i = 0; i < t->n_medias; i++)
        agw_media_settle(t->medias[i], t->worker->now);
}

/* --- RTP
 * ------------------------------------------------------------------------------------------ */

void agw_bridge_take_over(agw_transport *t)
{
    for (size_t i = 0; i < t->n_medias; i++)
        agw_rewrite_take_over(&t->medias[i]->end[other(t->side)].out);
}

/* The clock by which packets of a payload type tell the time of their stream; 0: they do not. All
 * packets of an event carry its begin (RFC 4733 section 2.5.1.2). */
static uint32_t clock_of(const agw_pt_plan *pt)
{
    return pt->is_event ? 0 : pt->clock_hz;
}

/* From here on this SSRC is the one whose numbers we keep. */
static void follow(agw_media *m, agw_side side, const agw_rtp_header *h, const agw_pt_plan *pt)
{
    agw_end *in = &m->end[side];
    in->in_ssrc = h->ssrc;
    agw_rtp_receiver_init(&in->in, clock_of(pt));
    in->bursts = (agw_xr_bursts){0};
    agw_counter_set(&stats_of(m, side)->ssrc_in, h->ssrc);
}

/* How many more are lost than before; 0 or less: none. */
static int64_t publish_receiver(const agw_rtp_receiver *r, agw_end_stats *stats)
{
    const int64_t lost = agw_rtp_receiver_lost(r);
    const int64_t more = lost - (int64_t)agw_counter_get(&stats->lost_in);
    agw_counter_set(&stats->lost_in, lost > 0 ? (uint64_t)lost : 0);
    if (r->clock_hz != 0)
        agw_counter_set(&stats->jitter_in_us,
                        (uint64_t)agw_rtp_receiver_jitter(r) * US_PER_S / r->clock_hz);
    return more;
}

/* Something of what this side sends was lost. A receiver without feedback (AVP) cannot ask for a
 * key frame, and its picture stays broken until one comes by itself: it is asked for in its place.
 */
static void on_loss(agw_media *m, agw_side side, agw_ns now)
{
    static const uint32_t ASKS = AGW_FB_PLI | AGW_FB_FIR | AGW_FB_NACK;
    agw_end *from = &m->end[side];
    if (m->kind != AGW_MEDIA_VIDEO || (m->end[other(side)].feedback & ASKS) != 0 ||
        from->key_frames_due != 0 || now - from->loss_asked_at < LOSS_EVERY)
        return;
    from->loss_asked_at = from->key_frame_at = now;
    from->key_frames_due = 1;
    try_key_frame(m, side, now);
}

/* Packets of this side's stream are missing in front of the one that has come. */
static void note_loss(agw_media *m, agw_side side, uint32_t lost, agw_ns now)
{
    agw_end *in = &m->end[side];
    agw_xr_bursts_count(&in->bursts, agw_rtp_receiver_ext_seq(&in->in), lost);
    agw_counter_set(&stats_of(m, side)->loss_runs_in, agw_xr_bursts_runs(&in->bursts));
    on_loss(m, side, now);
}

/* Another clock than the stream's so far: that of another codec under the same SSRC, from here on;
 * or digits and comfort noise between its packets, which tell nothing about time and jitter. */
__attribute__((noinline)) static void take_other_clock(agw_rtp_receiver *r, const agw_rtp_header *h,
                                                       const agw_pt_plan *pt, size_t len,
                                                       agw_ns now)
{
    const bool is_codec = clock_of(pt) != 0 && pt->ingress != PT_NOISE;
    const uint32_t main_hz = is_codec ? clock_of(pt) : r->clock_hz;
    if (is_codec)
        agw_rtp_receiver_set_clock(r, main_hz);
    else
        r->clock_hz = 0; /* for this packet */
    agw_rtp_receiver_on_packet(r, h->seq, h->timestamp, len, now);
    r->clock_hz = main_hz;
}

/* Receive state moves for every authentic packet, also while the gate is closed. */
static void note_ingress(agw_media *m, agw_side side, const agw_rtp_header *h,
                         const agw_pt_plan *pt, size_t len, agw_ns now)
{
    agw_end *in = &m->end[side];
    agw_end_stats *stats = stats_of(m, side);
    if (in->in_ssrc != h->ssrc && (in->in_ssrc == 0 || now - in->in_at > STREAM_SILENT))
        follow(m, side, h, pt);
    count(&stats->rtp_in, len, now);
    agw_counter_set(&stats->pt_in, h->pt);
    if (in->in_ssrc != h->ssrc)
        return;
    in->in_at = now;
    if (clock_of(pt) == in->in.clock_hz)
        agw_rtp_receiver_on_packet(&in->in, h->seq, h->timestamp, len, now);
    else
        take_other_clock(&in->in, h, pt, len, now);
    const int64_t lost = publish_receiver(&in->in, stats);
    if (lost > 0)
        note_loss(m, side, (uint32_t)lost, now);
}

/* Another source speaks, or the same one began anew: let it begin with a key frame. */
static void on_switched(agw_media *m, agw_side side, const agw_rtp_header *h, const agw_pt_plan *pt,
                        agw_ns now)
{
    if (m->end[side].in_ssrc != h->ssrc)
        follow(m, side, h, pt);
    want_key_frame(m, side, now);
}

static const uint8_t *ext_map_of(const agw_end *end)
{
    static const uint8_t NONE[EXT_IDS];
    return end->ext_map != NULL ? end->ext_map : NONE;
}

/* The one tap: what an authentic packet of a party was, in the clear. audio: NULL = it is none. */
static void tap(agw_worker *w, const agw_media *m, agw_side side, const agw_pkt *pkt,
                const agw_audio_plan *audio)
{
    const agw_tapped tapped = {
        .media_id = m->id,
        .side = (uint8_t)side,
        .kind = m->kind,
        .is_red = audio != NULL && audio->is_red,
        .format = audio != NULL ? audio->format : (agw_codec_format){.id = AGW_CODEC_NONE},
        .at = w->now,
        .from = pkt->remote,
        .to = pkt->port->local,
        .data = pkt->data,
        .len = pkt->len,
    };
    if (m->call->recording != NULL)
        agw_tap_put(w->tap, m->call->recording, &tapped);
}

/* A packet that is not passed on, as control wants it so, is none that was lost: the stream goes on
 * without a hole. A late one stands among others that have passed, and moves nothing. Toward a
 * browser, and of video, a transparent stream may be several, and keeps its numbers, holes and all.
 */
static void hold_back(agw_media *m, agw_side side, const agw_pkt *pkt, agw_ns now)
{
    const agw_end *in = &m->end[side];
    agw_end *out = &m->end[other(side)];
    const uint32_t ssrc = agw_get32(pkt->data + 8);
    const bool is_newest = in->in_ssrc == ssrc && in->in.max_seq == agw_get16(pkt->data + 2);
    const bool may_renumber =
        !agw_rewrite_transparent(&out->out) ||
        (m->kind == AGW_MEDIA_AUDIO && out->transport != NULL && !out->transport->is_ice);
    if (is_newest && may_renumber)
        agw_rewrite_hold(&out->out, ssrc, agw_rtp_receiver_ext_seq(&in->in),
                         agw_get32(pkt->data + 4), now);
}

/* What is asked for beside passing on: taps, blocks, digits. Not inlined, and with little to hand
 * over: who only passes on shall not save registers for it. */
__attribute__((noinline)) static agw_drop act(agw_worker *w, agw_pkt *pkt, const agw_pt_plan *pt)
{
    agw_media *m = pkt->media;
    const agw_side side = pkt->transport->side;
    agw_end *in = &m->end[side];
    agw_rtp_header h;
    if (agw_rtp_parse(&h, pkt->data, pkt->len) != AGW_OK)
        return AGW_DROP_RTP_MALFORMED; /* it was not, a moment ago */
    if (in->acts & AGW_ACT_TAP)
        tap(w, m, side, pkt, agw_inband_audio(in, h.pt));
    if (pt->is_event || (in->acts & AGW_ACT_HEARING))
        agw_dtmf_hear(m, side, pkt->data, &h, pt);
    if ((in->acts & AGW_ACT_INBAND) && !pt->is_event)
        agw_inband_hear(m, side, pkt->data, &h);
    if (in->acts & AGW_ACT_BLOCK)
        return AGW_DROP_BLOCKED;
    if ((in->acts & AGW_ACT_BLOCK_DTMF) && !pt->is_event)
        agw_shield_note(in, h.pt);
    else if ((in->acts & AGW_ACT_BLOCK_DTMF) && !agw_shield_replace(m, side, pkt, &h, pt->clock_hz))
        return AGW_DROP_BLOCKED_DTMF;
    if ((in->acts & AGW_ACT_INBAND) && !pt->is_event && !agw_inband_silence(in, pkt, &h))
        return AGW_DROP_BLOCKED;
    if (pt->chained && pt->is_event && (in->acts & (AGW_ACT_CHAIN | AGW_ACT_BLOCK_DTMF)) == 0) {
        pkt->verdict = AGW_CONSUMED; /* told, and heard as a tone by and by */
        hold_back(m, side, pkt, w->now);
    }
    if (pt->chained)
        return AGW_DROP_NONE; /* digits are put in where it comes out again */
    if (in->acts & AGW_ACT_CHAIN)
        agw_transcode_pause(m, side);
    if ((in->acts & AGW_ACT_PLAYING) && !agw_player_lets_pass(m, side, pkt->data))
        return AGW_DROP_PLAYING;
    return AGW_DROP_NONE;
}

/* TS 23.334 section 5.6. */
static bool exceeds_contract(agw_end *in, size_t len, agw_ns now)
{
    return !agw_budget_take(&in->police, now, (agw_ns)(len + IP_UDP_HEADERS) * in->police_ns,
                            AGW_MS(in->police_burst_ms));
}

/* What control asks for and can be done without a look at anything but the header. */
static agw_drop may_pass(agw_end *in, const agw_end *out, const agw_pkt *pkt, const agw_pt_plan *pt,
                         agw_ns now)
{
    agw_drop why = AGW_DROP_NO_DEST;
    if (in->acts & AGW_ACT_BLOCK)
        return AGW_DROP_BLOCKED;
    if (pt->is_event && (in->acts & AGW_ACT_BLOCK_DTMF))
        return AGW_DROP_BLOCKED_DTMF;
    if (in->police_ns != 0 && exceeds_contract(in, pkt->len, now))
        return AGW_DROP_POLICED;
    if (!in->may_send || !out->may_receive)
        return AGW_DROP_GATE_CLOSED;
    if (out->transport == NULL || out->transport->security != AGW_SECURITY_PASS ||
        !agw_transport_can_send(out->transport, &why))
        return why;
    return AGW_DROP_NONE;
}

/* SRTP between the parties: every byte as it came (TS 23.334 section 5.11.3). */
__attribute__((noinline)) static agw_drop pass_rtp(agw_worker *w, agw_pkt *pkt,
                                                   const agw_pt_plan *pt)
{
    agw_media *m = pkt->media;
    const agw_side side = pkt->transport->side;
    agw_end *out = &m->end[other(side)];
    const agw_drop why = may_pass(&m->end[side], out, pkt, pt, w->now);
    if (why != AGW_DROP_NONE)
        return why;
    agw_counter_set(&stats_of(m, other(side))->ssrc_out, agw_get32(pkt->data + 8));
    agw_transport_address(out->transport, pkt);
    return AGW_DROP_NONE;
}

/* It ends here, and another packet leaves when its time has come. */
__attribute__((noinline)) static agw_drop transcode(agw_media *m, agw_side side, agw_pkt *pkt,
                                                    const agw_rtp_header *h, const agw_pt_plan *pt)
{
    const agw_drop why = agw_transcode_put(m, side, pkt);
    if (why != AGW_DROP_NONE)
        return why;
    if (m->end[side].in_ssrc != h->ssrc)
        follow(m, side, h, pt);
    pkt->verdict = AGW_CONSUMED;
    return AGW_DROP_NONE;
}

/* The same frames in the form that the other party takes; padding is not for it. */
__attribute__((noinline)) static agw_drop repack(agw_pkt *pkt, unsigned forms)
{
    uint8_t out[AGW_REPACK_MAX];
    size_t len = sizeof out;
    agw_rtp_header h;
    if (agw_rtp_parse(&h, pkt->data, pkt->len) != AGW_OK)
        return AGW_DROP_RTP_MALFORMED; /* it was not, a moment ago */
    if (agw_repack((agw_form)(forms & 15), (agw_form)(forms >> 4), pkt->data + h.header_len,
                   h.payload_len, out, &len) != AGW_OK ||
        h.header_len + len > AGW_PKT_MAX)
        return AGW_DROP_PAYLOAD;
    memcpy(pkt->data + h.header_len, out, len);
    pkt->data[0] &= (uint8_t)~PADDING;
    pkt->len = h.header_len + len;
    return AGW_DROP_NONE;
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
    agw_end *in = &m->end[side];
    agw_end *out = &m->end[other(side)];
    pkt->media = m;
    const agw_pt_plan *pt = find_pt(in, h.pt);
    if (pt == NULL)
        return AGW_DROP_PT;
    note_ingress(m, side, &h, pt, pkt->len, w->now);
    try_key_frame(m, side, w->now);
    if (in->acts != 0 || pt->is_event) {
        if (in->acts & AGW_ACT_PASS)
            return pass_rtp(w, pkt, pt);
        const agw_drop refused = act(w, pkt, pt);
        if (refused != AGW_DROP_NONE || pkt->verdict == AGW_CONSUMED)
            return refused;
        if (pt->is_event)
            pt = find_pt(in, pkt->data[1] & PT_MASK); /* it may have become audio */
        if (pt == NULL)
            return AGW_DROP_PT;
    }
    if (in->police_ns != 0 && exceeds_contract(in, pkt->len, w->now))
        return AGW_DROP_POLICED;
    if (!in->may_send || !out->may_receive)
        return AGW_DROP_GATE_CLOSED;
    agw_drop why = AGW_DROP_NO_DEST;
    if (out->transport == NULL || !agw_transport_can_send(out->transport, &why))
        return why;
    if (pt->chained)
        return transcode(m, side, pkt, &h, pt);
    if (pt->repack != 0 && (why = repack(pkt, pt->repack)) != AGW_DROP_NONE)
        return why;
    if (h.has_ext && agw_rtp_ext_rewrite(pkt->data, &pkt->len, ext_map_of(in)) != AGW_OK)
        return AGW_DROP_RTP_MALFORMED;
    agw_rtp_set_pt(pkt->data, pt->egress);
    const agw_rewrite_result result =
        agw_rewrite_rtp(&out->out, pkt->data, pkt->len, pt->clock_hz, w->now);
    if (result == AGW_REWRITE_DROP)
        return AGW_DROP_OLD_SSRC;
    if (result == AGW_REWRITE_SWITCHED)
        on_switched(m, side, &h, pt, w->now);
    if (agw_rewrite_transparent(&out->out))
        agw_counter_set(&stats_of(m, other(side))->ssrc_out, h.ssrc);
    agw_transport_address(out->transport, pkt);
    return AGW_DROP_NONE;
}

void agw_bridge_count_sent(const agw_worker *w, const agw_pkt *pkt, size_t plain_len)
{
    agw_end_stats *stats = stats_of(pkt->media, pkt->transport->side);
    count(pkt->kind == AGW_PKT_RTCP ? &stats->rtcp_out : &stats->rtp_out, plain_len, w->now);
}

/* --- RTCP
 * ----------------------------------------------------------------------------------------- */

/* The party on that side tells of the stream that we send to it. */
static void note_report(agw_media *m, agw_side side, const agw_rtcp_report *report, agw_ns now)
{
    agw_end_stats *stats = stats_of(m, side);
    agw_ns rtt;
    if (agw_rtp_sr_log_round_trip(&m->end[side].srs, report, now, &rtt) == AGW_OK)
        agw_counter_set(&stats->rtt_us, (uint64_t)(rtt / AGW_US(1)));
    agw_counter_set(&stats->loss_out_256, report->fraction_lost);
    if (report->fraction_lost != 0)
        on_loss(m, other(side), now);
    const uint32_t clock_hz = agw_transcode_egress_hz(m, side);
    if (clock_hz != 0)
        agw_counter_set(&stats->jitter_out_us, (uint64_t)report->jitter * US_PER_S / clock_hz);
}

static void note_reports(agw_media *m, agw_side side, const agw_rtcp_info *info, bool sent,
                         agw_ns now)
{
    agw_end *in = &m->end[side];
    if (info->has_sr && info->sr_ssrc == in->in_ssrc)
        agw_rtp_receiver_on_sr(&in->in, info->sr_ntp_middle, now);
    if (info->has_sr && sent)
        agw_rtp_sr_log_sent(&m->end[other(side)].srs, info->sr_ntp_middle, now);
    if (info->has_report)
        note_report(m, side, &info->report, now);
}

/* The SSRC by which that party knows what we send to it. */
static bool is_egress(const agw_end *end, uint32_t ssrc)
{
    return end->out.started &&
           ssrc == (agw_rewrite_transparent(&end->out) ? end->out.ssrc : end->out.egress_ssrc);
}

static bool take_report_blocks(agw_media *m, agw_side side, const agw_rtcp_packet *p, size_t at,
                               agw_ns now)
{
    agw_rtcp_report report;
    bool taken = false;
    for (size_t i = 0; i < p->count; i++, at += AGW_RTCP_REPORT_LEN) {
        agw_rtcp_report_parse(&report, p->body + at);
        if (!is_egress(&m->end[side], report.ssrc))
            continue;
        note_report(m, side, &report, now);
        agw_transcode_note_loss(m, side, report.fraction_lost);
        taken = true;
    }
    return taken;
}

/* An SR or RR of a party whose stream is another one behind us: it is for us, and ours
 * (agw/report.h) are for the other party. true: it concerns this media. */
static bool take_report(agw_media *m, agw_side side, const agw_rtcp_packet *p, agw_ns now)
{
    agw_end *in = &m->end[side];
    if (p->type != AGW_RTCP_SR && p->type != AGW_RTCP_RR)
        return false;
    const bool is_sr = p->type == AGW_RTCP_SR;
    const bool is_sender = agw_get32(p->body) == in->in_ssrc;
    agw_rtcp_sender sr;
    if (is_sr && is_sender) {
        agw_rtcp_sender_parse(&sr, p->body);
        agw_rtp_receiver_on_sr(&in->in, agw_rtcp_ntp_middle(sr.ntp), now);
    }
    const bool is_receiver =
        take_report_blocks(m, side, p, is_sr ? SR_BLOCKS_AT : RR_BLOCKS_AT, now);
    return is_sender || is_receiver;
}

static bool take_rtcp(agw_media *m, agw_side side, const agw_pkt *pkt, agw_ns now, agw_drop *why)
{
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    bool taken = false;
    if (agw_rtcp_begin(&it, pkt->data, pkt->len) != AGW_OK) {
        *why = AGW_DROP_RTCP_MALFORMED;
        return false;
    }
    while (agw_rtcp_next(&it, &p))
        taken |= take_report(m, side, &p, now);
    if (m->end[side].xr != 0)
        agw_xr_report_take(m, side, pkt->data, pkt->len, now);
    if (taken)
        count(&stats_of(m, side)->rtcp_in, pkt->len, now);
    return taken;
}

/* Whether anything in the datagram was about this media. */
static bool is_about(const agw_rtcp_info *info, size_t translated_len)
{
    return translated_len != 0 || info->has_sr || info->has_report || info->key_frame || info->bye;
}

/* What the party behind `to` gets of ours behind a report that is passed on; not behind a BYE,
 * which ends a compound. */
static void add_xr(agw_media *m, agw_side to, const agw_rtcp_info *info, agw_pkt *copy, agw_ns now)
{
    agw_end *end = &m->end[to];
    if (end->xr == 0 || copy->len == 0 || info->bye)
        return;
    agw_rtcp_writer w = {copy->data, RTCP_ROOM, copy->len};
    agw_xr_report_add(m, to, agw_report_speaker(end), now, &w);
    copy->len = w.len;
}

/* One media's share of an RTCP datagram; true: something of it goes out. */
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
        .cname = cname_of(out),
        .own_lsr = in->own_sr,
        .fir_seq = &out->fir_seq,
    };
    agw_rtcp_info info;
    if (agw_report_is_ours(m))
        return take_rtcp(m, t->side, pkt, w->now, why);
    agw_pkt *copy = agw_worker_packet(w);
    if (copy == NULL) {
        *why = AGW_DROP_NO_ROOM;
        return false;
    }
    copy->kind = AGW_PKT_RTCP;
    copy->media = m;
    copy->len = RTCP_ROOM;
    if (agw_rtcp_translate(&map, pkt->data, pkt->len, copy->data, &copy->len, &info) != AGW_OK) {
        *why = AGW_DROP_RTCP_MALFORMED;
        agw_worker_give_back(w);
        return false;
    }
    if (in->xr != 0)
        agw_xr_report_take(m, t->side, pkt->data, pkt->len, w->now);
    add_xr(m, other(t->side), &info, copy, w->now);
    if (is_about(&info, copy->len))
        count(&stats_of(m, t->side)->rtcp_in, pkt->len, w->now);
    if (copy->len != 0 && !out->rtcp_off && out->transport != NULL &&
        agw_transport_can_send(out->transport, why))
        agw_transport_address(out->transport, copy);
    const bool sent = copy->verdict == AGW_FORWARD;
    if (sent)
        agw_report_put_off(out, w);
    if (copy->verdict == AGW_DROP)
        *why = copy->drop_reason;
    if (!sent)
        agw_worker_give_back(w);
    note_reports(m, t->side, &info, sent, w->now);
    return sent;
}

static bool is_transparent(const agw_media *m)
{
    return agw_rewrite_transparent(&m->end[AGW_SIDE_A].out) &&
           agw_rewrite_transparent(&m->end[AGW_SIDE_B].out);
}

/* SRTCP between the parties: whose it is, only they can read. It counts for the first media. */
static agw_drop pass_rtcp(agw_worker *w, agw_pkt *pkt)
{
    const agw_transport *t = pkt->transport;
    agw_media *m = t->medias[0];
    agw_transport *to = m->end[other(t->side)].transport;
    agw_drop why = AGW_DROP_NO_DEST;
    pkt->media = m;
    count(&stats_of(m, t->side)->rtcp_in, pkt->len, w->now);
    if (to == NULL || to->security != AGW_SECURITY_PASS || !agw_transport_can_send(to, &why))
        return why;
    agw_transport_address(to, pkt);
    return AGW_DROP_NONE;
}

static agw_drop forward_rtcp(agw_worker *w, agw_pkt *pkt)
{
    const agw_transport *t = pkt->transport;
    const agw_transport *copied_to =
        NULL; /* between two browsers the whole datagram passes, once */
    agw_drop why = t->n_medias != 0 ? AGW_DROP_RTCP_EMPTY : AGW_DROP_NO_MEDIA;
    bool sent = false;
    if (!agw_transport_may_take_rtcp(pkt->transport))
        return AGW_DROP_POLICED;
    if (t->n_medias != 0 && (t->medias[0]->end[t->side].acts & AGW_ACT_PASS))
        return pass_rtcp(w, pkt);
    if (t->n_medias != 0 && (t->medias[0]->end[t->side].acts & AGW_ACT_TAP))
        tap(w, t->medias[0], t->side, pkt, NULL);
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

static bool is_on_purpose(agw_drop why)
{
    return why == AGW_DROP_GATE_CLOSED || why == AGW_DROP_BLOCKED || why == AGW_DROP_BLOCKED_DTMF;
}

void agw_bridge_forward(agw_worker *w, agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        agw_pkt *pkt = pkts[i];
        if (pkt->verdict != AGW_UNDECIDED)
            continue;
        agw_transport *t = pkt->transport;
        if (t->forked && !agw_transport_hears(t, pkt))
            continue;
        t->last_rx_at = w->now; /* authentic: only now may state move */
        const agw_drop why = pkt->kind == AGW_PKT_RTCP ? forward_rtcp(w, pkt) : forward_rtp(w, pkt);
        if (why == AGW_DROP_NONE)
            continue;
        agw_pkt_drop(pkt, why);
        if (pkt->media == NULL)
            continue;
        agw_counter_add(&stats_of(pkt->media, t->side)->dropped, 1);
        if (pkt->kind == AGW_PKT_RTP && is_on_purpose(why))
            hold_back(pkt->media, t->side, pkt, w->now);
    }
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

agw_media *agw_media_new(struct agw_call *call, uint32_t id, agw_media_stats *stats)
{
    agw_media *m = agw_heap_lines(sizeof *m);
    AGW_ASSERT(m != NULL);
    m->call = call;
    m->id = id;
    m->stats = stats;
    for (size_t side = 0; side < 2; side++)
        agw_rand_draw(&call->worker->random, &m->end[side].own_ssrc, sizeof m->end[side].own_ssrc);
    return m;
}

void agw_media_free(agw_media *m)
{
    agw_inband_free(m->end[AGW_SIDE_A].inband);
    agw_inband_free(m->end[AGW_SIDE_B].inband);
    agw_player_free(m->end[AGW_SIDE_A].announcer);
    agw_player_free(m->end[AGW_SIDE_B].announcer);
    agw_dtmf_player_free(m->end[AGW_SIDE_A].player);
    agw_dtmf_player_free(m->end[AGW_SIDE_B].player);
    agw_transcoder_free(m->end[AGW_SIDE_A].transcoder);
    agw_transcoder_free(m->end[AGW_SIDE_B].transcoder);
    agw_shield_free(m->end[AGW_SIDE_A].shield);
    agw_shield_free(m->end[AGW_SIDE_B].shield);
    for (size_t side = 0; side < 2; side++) {
        free(m->end[side].ext_map);
        free(m->end[side].more_pts);
    }
    free(m);
}

static void apply_pts(agw_end *end, const agw_end_plan *plan)
{
    free(end->more_pts);
    end->more_pts = NULL;
    end->n_pts = plan->n_pts;
    memcpy(end->pts, plan->pts, sizeof end->pts);
    if (end->n_pts <= AGW_END_PTS)
        return;
    const size_t more = end->n_pts - AGW_END_PTS;
    end->more_pts = calloc(more, sizeof *end->more_pts);
    AGW_ASSERT(end->more_pts != NULL);
    memcpy(end->more_pts, &plan->pts[AGW_END_PTS], more * sizeof *end->more_pts);
}

static void apply_exts(agw_end *end, const agw_end_plan *plan)
{
    free(end->ext_map);
    end->ext_map = NULL;
    if (plan->n_exts == 0)
        return;
    end->ext_map = calloc(EXT_IDS, 1);
    AGW_ASSERT(end->ext_map != NULL);
    for (size_t i = 0; i < plan->n_exts; i++)
        end->ext_map[plan->exts[i].ingress] = plan->exts[i].egress;
}

/* Learned SSRCs stay: whom they belong to is not said again. */
static void apply_ssrcs(agw_end *end, const agw_end_plan *plan)
{
    const agw_end before = *end;
    end->n_ssrcs = end->n_signalled = plan->n_ssrcs;
    memcpy(end->ssrcs, plan->ssrcs, sizeof end->ssrcs);
    for (size_t i = before.n_signalled; i < before.n_ssrcs; i++) {
        if (end->n_ssrcs < AGW_PLAN_SSRC_MAX && index_of(end, before.ssrcs[i]) == end->n_ssrcs)
            add_ssrc(end, before.ssrcs[i]);
    }
}

static void apply_end(agw_end *end, const agw_end_plan *plan, agw_end_stats *stats)
{
    end->may_send = plan->may_send;
    end->may_receive = plan->may_receive;
    end->acts = (uint8_t)((end->acts & ~AGW_ACTS_PLANNED) | (plan->acts & AGW_ACTS_PLANNED));
    end->reduced_size = plan->reduced_size;
    end->rtcp_off = plan->rtcp_off;
    end->xr = plan->xr;
    end->codec = plan->codec;
    end->tos = plan->tos;
    end->tos_copy = plan->tos_copy;
    end->police_ns = plan->police_bps != 0 ? (uint32_t)(8 * AGW_S(1) / plan->police_bps) : 0;
    end->police_burst_ms = plan->police_burst_ms;
    end->feedback = plan->feedback;
    snprintf(end->cname, sizeof end->cname, "%s", plan->cname);
    end->mid_ext_id = plan->mid_ext_id;
    snprintf(end->mid, sizeof end->mid, "%s", plan->mid);
    apply_exts(end, plan);
    apply_ssrcs(end, plan);
    apply_pts(end, plan);
    agw_inband_apply(end, plan);
    agw_shield_apply(end, plan);
    if (end->planned_ssrc != plan->egress_ssrc) {
        end->planned_ssrc = plan->egress_ssrc;
        agw_rewrite_init(&end->out, plan->egress_ssrc);
        end->flows_to = 0; /* to the receiver it is another stream */
    }
    if (plan->egress_ssrc != 0)
        agw_counter_set(&stats->ssrc_out, plan->egress_ssrc);
}

void agw_media_apply(agw_media *m, const agw_media_plan *plan)
{
    m->kind = plan->kind;
    m->own_rtcp = plan->own_rtcp;
    for (int side = 0; side < 2; side++) {
        apply_end(&m->end[side], &plan->end[side], stats_of(m, (agw_side)side));
        agw_report_begin(&m->end[side], m->call->worker);
    }
    agw_player_check(m, AGW_SIDE_A, &plan->end[AGW_SIDE_B]);
    agw_player_check(m, AGW_SIDE_B, &plan->end[AGW_SIDE_A]);
    agw_transcode_apply(m, AGW_SIDE_A, plan->end[AGW_SIDE_A].chain);
    agw_transcode_apply(m, AGW_SIDE_B, plan->end[AGW_SIDE_B].chain);
}
