/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/dtmf.h"

#include "agw/call.h"
#include "agw/demux.h"
#include "agw/transcode.h"
#include "base/rand.h"
#include "base/wire.h"
#include "rtp/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* The fastest sender there is makes 12.5 digits a second; what is more is counted, not told. */
    TOLD_PER_SECOND = 20,
    PACKET_BYTES = AGW_RTP_HEADER_MIN + AGW_RTP_EVENT_BYTES,
    MARKER = 0x80,
};

/* A stream without numbers of our own waits so long for a packet to begin with. */
static const agw_ns ANCHOR_WITHIN = AGW_MS(100);
/* The digit follows it where the next packet would have been. */
static const agw_ns BEHIND_ANCHOR = AGW_MS(20);

/** Digits on their way into the stream of one party. */
struct agw_dtmf_player {
    agw_timer timer;
    agw_media *media;
    agw_side from; /* the party that seems to press them */
    agw_rtp_event_out out;
    agw_ns anchor_by;   /* 0 = the numbers of the stream are ours */
    uint32_t timestamp; /* of the present digit ... */
    agw_ns began_at;    /* ... and when that was */
};

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

static agw_worker *worker_of(const agw_media *m)
{
    return m->call->worker;
}

/* --- hearing -----------------------------------------------------------------------------------
 */

static bool may_tell(agw_end *end, agw_ns now)
{
    if (now - end->told_from >= AGW_S(1)) {
        end->told_from = now;
        end->told = 0;
    }
    end->told++;
    return end->told <= TOLD_PER_SECOND;
}

static void tell(agw_media *m, agw_side side, const agw_rtp_digit *digit, bool unheard)
{
    agw_end *end = &m->end[side];
    agw_worker *w = worker_of(m);
    agw_counter_add(&m->stats->end[side].dtmf_in, 1);
    if (end->transport == NULL || !may_tell(end, w->now))
        return;
    agw_mail *mail = agw_mail_new(AGW_MAIL_EVENT, NULL, 0);
    mail->ref = m->call->ref;
    mail->event = (agw_event){
        .kind = AGW_EVENT_DTMF,
        .transport_id = end->transport->id,
        .at = w->now,
        .remote = end->transport->component[AGW_RTP_COMPONENT].remote,
        .dtmf = {.media_id = m->id,
                 .side = (uint8_t)side,
                 .digit = agw_rtp_event_char(digit->event),
                 .event = digit->event,
                 .volume = digit->volume,
                 .duration_ms = digit->duration_ms,
                 .unheard = unheard},
    };
    agw_outbox_post(&w->control, mail);
}

void agw_dtmf_tell(agw_media *m, agw_side side, const agw_rtp_digit *digit)
{
    tell(m, side, digit, false);
}

/* Whether events of this party end here, and nobody wants it so. */
static bool is_unheard(const agw_end *end)
{
    bool ends_here = false;
    if (end->acts & (AGW_ACT_CHAIN | AGW_ACT_BLOCK | AGW_ACT_BLOCK_DTMF))
        return false;
    for (size_t i = 0; i < end->n_pts; i++) {
        const agw_pt_plan *pt = agw_end_pt(end, i);
        if (pt->is_event && !pt->chained)
            return false;
        ends_here = ends_here || pt->is_event;
    }
    return ends_here;
}

/* Several events in one packet follow each other without a gap (RFC 4733 section 2.5.1.5). */
static void take_events(agw_media *m, agw_side side, const uint8_t *rtp, const agw_rtp_header *h,
                        uint32_t clock_hz)
{
    agw_rtp_event_in *heard = &m->end[side].heard;
    uint32_t timestamp = h->timestamp;
    agw_rtp_event event;
    agw_rtp_digit digit;
    size_t at = 0;
    while (agw_rtp_event_parse(&event, rtp + h->header_len + at, h->payload_len - at) == AGW_OK) {
        if (agw_rtp_event_take(heard, &event, h->ssrc, timestamp, clock_hz, worker_of(m)->now,
                               &digit))
            tell(m, side, &digit, is_unheard(&m->end[side]));
        timestamp += event.duration;
        at += AGW_RTP_EVENT_BYTES;
    }
}

void agw_dtmf_hear(agw_media *m, agw_side side, const uint8_t *rtp, const agw_rtp_header *h,
                   const agw_pt_plan *pt)
{
    agw_end *end = &m->end[side];
    agw_rtp_digit digit;
    if (pt->is_event) {
        if (pt->clock_hz != 0)
            take_events(m, side, rtp, h, pt->clock_hz);
    } else if (agw_rtp_event_ended(&end->heard, worker_of(m)->now, &digit)) {
        tell(m, side, &digit, is_unheard(end));
    }
    if (end->heard.open)
        end->acts |= AGW_ACT_HEARING;
    else
        end->acts &= (uint8_t)~AGW_ACT_HEARING;
}

/* --- playing -----------------------------------------------------------------------------------
 */

/* How the other party calls telephone events, with the clock of the audio if it can be had
 * (RFC 4733 section 2.1). clock_hz 0: it does not take them. */
static agw_pt_plan event_pt(const agw_media *m, agw_side from)
{
    const agw_end *end = &m->end[from];
    agw_pt_plan found = agw_transcode_event(m, from);
    if (end->transcoder != NULL)
        return found;
    for (size_t i = 0; i < end->n_pts; i++) {
        const agw_pt_plan *pt = agw_end_pt(end, i);
        if (!pt->is_event || pt->clock_hz == 0)
            continue;
        if (pt->clock_hz == end->in.clock_hz)
            return *pt;
        found = found.clock_hz != 0 ? found : *pt;
    }
    return found;
}

static agw_end *from_of(const agw_dtmf_player *p)
{
    return &p->media->end[p->from];
}

static agw_end *to_of(const agw_dtmf_player *p)
{
    return &p->media->end[other(p->from)];
}

static void arm(agw_dtmf_player *p)
{
    const agw_ns at = p->anchor_by != 0 ? p->anchor_by : agw_rtp_event_deadline(&p->out);
    agw_timerq_set(&worker_of(p->media)->media_timers, &p->timer, at);
}

static agw_dtmf_player *player_of(agw_media *m, agw_side side)
{
    agw_end *end = &m->end[side];
    if (end->player != NULL)
        return end->player;
    end->player = calloc(1, sizeof *end->player);
    AGW_ASSERT(end->player != NULL);
    end->player->timer.owner = end->player;
    end->player->media = m;
    end->player->from = side;
    return end->player;
}

bool agw_dtmf_play(agw_media *m, agw_side side, const agw_rtp_event_order *order)
{
    agw_end *from = &m->end[side];
    const agw_ns now = worker_of(m)->now;
    if (event_pt(m, side).clock_hz == 0)
        return false;
    agw_dtmf_player *p = player_of(m, side);
    const agw_rewrite *stream = &to_of(p)->out;
    if (agw_rtp_event_push(&p->out, order, now) != AGW_OK)
        return false;
    if ((from->acts & AGW_ACT_PLAYING) == 0 &&
        (agw_rewrite_transparent(stream) || !stream->started))
        p->anchor_by = now + ANCHOR_WITHIN;
    from->acts |= AGW_ACT_PLAYING;
    arm(p);
    return true;
}

bool agw_dtmf_lets_pass(agw_media *m, agw_side side, const uint8_t *rtp)
{
    agw_dtmf_player *p = m->end[side].player;
    if (p->anchor_by != 0) {
        agw_rewrite_pin(&to_of(p)->out, rtp, worker_of(m)->now);
        p->anchor_by = 0;
        p->out.next_at = worker_of(m)->now + BEHIND_ANCHOR;
        arm(p);
        return true;
    }
    if (p->out.count != 0)
        return false;
    agw_rewrite_resume(&to_of(p)->out, rtp);
    from_of(p)->acts &= (uint8_t)~AGW_ACT_PLAYING;
    return true;
}

bool agw_dtmf_is_busy(const agw_media *m, agw_side side)
{
    const agw_dtmf_player *p = m->end[side].player;
    return p != NULL && (p->out.count != 0 || p->anchor_by != 0);
}

static void send_event(agw_dtmf_player *p, const agw_rtp_event_packet *event, const agw_pt_plan *pt)
{
    agw_end *to = to_of(p);
    const agw_ns now = worker_of(p->media)->now;
    const uint32_t known_hz = agw_transcode_egress_hz(p->media, other(p->from));
    const uint32_t stream_hz = known_hz != 0 ? known_hz : pt->clock_hz;
    if (event->marker) {
        p->timestamp = agw_rewrite_timestamp_at(&to->out, stream_hz, now);
        p->began_at = now;
    }
    if (to->transport == NULL || !to->may_receive ||
        !agw_transport_can_send(to->transport, &(agw_drop){0}))
        return;
    agw_pkt *pkt = agw_worker_packet(worker_of(p->media));
    if (pkt == NULL)
        return; /* lost like any packet: the next one says the same */
    const agw_ns at = p->began_at + AGW_S((agw_ns)event->offset) / pt->clock_hz;
    pkt->data[0] = 0x80;
    pkt->data[1] = event->marker ? MARKER : 0;
    agw_rtp_set_pt(pkt->data, pt->egress);
    memcpy(pkt->data + AGW_RTP_HEADER_MIN, event->payload, AGW_RTP_EVENT_BYTES);
    pkt->len = PACKET_BYTES;
    pkt->kind = AGW_PKT_RTP;
    pkt->media = p->media;
    agw_rewrite_insert(&to->out, pkt->data, pkt->len, p->timestamp + event->offset, at);
    agw_transport_address(to->transport, pkt);
    if (event->marker)
        agw_counter_add(&p->media->stats->end[other(p->from)].dtmf_out, 1);
}

/* The party is silent: the stream begins with numbers of our own. */
static void begin_stream(agw_dtmf_player *p)
{
    agw_rewrite_begin(&to_of(p)->out, agw_rand32() | 1, (uint16_t)agw_rand32(), agw_rand32(),
                      worker_of(p->media)->now);
    p->began_at = worker_of(p->media)->now;
    p->timestamp = to_of(p)->out.egress_max_ts;
}

void agw_dtmf_on_timer(void *owner)
{
    agw_dtmf_player *p = owner;
    const agw_pt_plan pt = event_pt(p->media, p->from);
    agw_rtp_event_packet event;
    if (pt.clock_hz == 0) { /* a new answer has taken it away */
        p->out.count = 0;
        return;
    }
    const agw_rewrite *stream = &to_of(p)->out;
    if (!stream->started || agw_rewrite_transparent(stream))
        begin_stream(p); /* a new answer may have made another stream of it, amid a digit */
    p->anchor_by = 0;    /* or the numbers are ours since a packet was held back */
    if (agw_rtp_event_next(&p->out, pt.clock_hz, worker_of(p->media)->now, &event))
        send_event(p, &event, &pt);
    arm(p);
}

void agw_dtmf_player_free(agw_dtmf_player *p)
{
    if (p == NULL)
        return;
    agw_timerq_cancel(&worker_of(p->media)->media_timers, &p->timer);
    free(p);
}
