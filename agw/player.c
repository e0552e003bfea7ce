/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/player.h"

#include "agw/call.h"
#include "agw/dtmf.h"
#include "agw/transcode.h"
#include "base/log.h"
#include "base/rand.h"
#include "codecs/audio.h"
#include "codecs/encoder.h"
#include "rtp/header.h"

#include <stdlib.h>
#include <string.h>

enum {
    ITEMS = 33, /* a file, and digits in front of it as many as telephone events may wait */
    SAMPLES_MAX = 48 * 120,
    MS_PER_S = 1000,
    MARKER = 0x80,
};

/* A stream without numbers of our own waits so long for a packet to begin with; the first packet
 * follows it where the source's next one would have been. */
static const agw_ns ANCHOR_WITHIN = AGW_MS(100);
static const agw_ns BEHIND_ANCHOR = AGW_MS(20);
/* A worker that was held up so long goes on from there, and sends no burst. */
static const agw_ns HELD_UP = AGW_MS(200);

typedef struct item {
    agw_audio *audio;
    size_t at, left;  /* samples: where it stands, and how many may still be played */
    uint32_t repeats; /* still to come */
    bool is_tone;
} item;

struct agw_player {
    agw_timer timer;
    agw_media *media;
    agw_side to;
    bool is_on;       /* until the other party's next packet has passed */
    bool has_begun;   /* its timestamps follow each other */
    agw_ns anchor_by; /* 0 = the numbers of the stream are ours */
    agw_ns next_at;
    uint32_t timestamp;
    uint8_t pt;
    agw_codec_format format;
    agw_encoder *encoder; /* of audio at encoder_hz */
    uint32_t encoder_hz;
    size_t n_items;
    item items[ITEMS];
};

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

static agw_worker *worker_of(const agw_media *m)
{
    return m->call->worker;
}

static agw_end *from_of(const agw_player *p)
{
    return &p->media->end[other(p->to)];
}

static agw_end *to_of(const agw_player *p)
{
    return &p->media->end[p->to];
}

/* --- what is to be played ----------------------------------------------------------------------
 */

/* Freeing megabytes is nothing for this thread. */
static void give_back(const agw_media *m, agw_audio *audio)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_AUDIO_GONE, NULL, 0);
    mail->ref = m->call->ref;
    mail->play.audio = audio;
    agw_outbox_post(&worker_of(m)->control, mail);
}

static void drop_item(agw_player *p, size_t i)
{
    give_back(p->media, p->items[i].audio);
    p->n_items--;
    memmove(&p->items[i], &p->items[i + 1], (p->n_items - i) * sizeof p->items[0]);
}

static void drop_all(agw_player *p)
{
    while (p->n_items != 0)
        drop_item(p, p->n_items - 1);
}

/* Tones in their order, then the file. false: there is no room. */
static bool add_item(agw_player *p, const agw_play_order *order)
{
    size_t at = 0;
    if (!order->is_tone)
        drop_all(p);
    while (at < p->n_items && p->items[at].is_tone)
        at++;
    if (p->n_items == ITEMS || (order->is_tone && at == ITEMS - 1))
        return false;
    const size_t n = order->audio->n_samples;
    const uint64_t hz = order->audio->rate_hz;
    const uint64_t start = order->start_ms * hz / MS_PER_S;
    memmove(&p->items[at + 1], &p->items[at], (p->n_items - at) * sizeof p->items[0]);
    p->items[at] = (item){
        .audio = order->audio,
        .at = start < n ? (size_t)start : n,
        .left = order->limit_ms != 0 ? (size_t)(order->limit_ms * hz / MS_PER_S) : SIZE_MAX,
        .repeats = order->times > 1 ? order->times - 1 : 0,
        .is_tone = order->is_tone,
    };
    p->n_items++;
    return true;
}

static size_t take_from(item *i, int16_t *pcm, size_t n)
{
    const size_t there = i->audio->n_samples - i->at;
    size_t taken = n < there ? n : there;
    taken = taken < i->left ? taken : i->left;
    memcpy(pcm, i->audio->samples + i->at, taken * sizeof *pcm);
    i->at += taken;
    i->left -= i->left != SIZE_MAX ? taken : 0;
    if (i->at == i->audio->n_samples && i->repeats != 0 && i->left != 0) {
        i->at = 0;
        i->repeats--;
    }
    return taken;
}

static bool is_over(const item *i)
{
    return i->at == i->audio->n_samples || i->left == 0;
}

static void note_position(const agw_player *p)
{
    const item *i = &p->items[0];
    if (!i->is_tone)
        agw_counter_set(&p->media->stats->end[p->to].played_ms,
                        (uint64_t)i->at * MS_PER_S / i->audio->rate_hz);
}

/* One packet's audio at the rate of the first item; silence behind the last. */
static void take_audio(agw_player *p, int16_t *pcm, size_t n)
{
    const uint32_t hz = p->items[0].audio->rate_hz;
    size_t got = 0;
    while (got < n && p->n_items != 0 && p->items[0].audio->rate_hz == hz) {
        got += take_from(&p->items[0], pcm + got, n - got);
        note_position(p);
        if (is_over(&p->items[0]))
            drop_item(p, 0);
    }
    memset(pcm + got, 0, (n - got) * sizeof *pcm);
}

/* --- packets -----------------------------------------------------------------------------------
 */

static void arm(agw_player *p)
{
    const agw_ns at = p->n_items == 0 ? AGW_NEVER : p->anchor_by != 0 ? p->anchor_by : p->next_at;
    agw_timerq_set(&worker_of(p->media)->player_timers, &p->timer, at);
}

static bool make_encoder(agw_player *p)
{
    const uint32_t hz = p->items[0].audio->rate_hz;
    if (p->encoder != NULL && p->encoder_hz == hz)
        return true;
    agw_encoder_free(p->encoder);
    p->encoder = agw_encoder_new(&p->format, hz);
    p->encoder_hz = hz;
    return p->encoder != NULL;
}

/* As a chain encodes for the party. What one asks for whose codec passes stands in payloads that
 * nobody looks into. */
static void heed_wish(agw_player *p)
{
    const agw_encoder_wish *wish = agw_transcode_wish(p->media, p->to, p->format.id);
    if (wish != NULL)
        agw_encoder_adapt(p->encoder, wish);
}

static void end_playing(agw_player *p)
{
    drop_all(p);
    agw_encoder_free(p->encoder);
    p->encoder = NULL;
    p->has_begun = false;
    arm(p);
}

/* The first packet stands where the stream is now. */
static void begin(agw_player *p)
{
    agw_rewrite *out = &to_of(p)->out;
    const agw_ns now = worker_of(p->media)->now;
    if (!out->started || agw_rewrite_transparent(out))
        agw_rewrite_begin(out, agw_rand32() | 1, (uint16_t)agw_rand32(), agw_rand32(), now);
    p->anchor_by = 0;
    p->timestamp = agw_rewrite_timestamp_at(out, p->format.clock_hz, now);
    p->next_at = now;
}

static void send_packet(agw_player *p, const int16_t *pcm, size_t n)
{
    agw_end *to = to_of(p);
    agw_worker *w = worker_of(p->media);
    if (to->transport == NULL || !to->may_receive ||
        !agw_transport_can_send(to->transport, &(agw_drop){0}))
        return;
    agw_pkt *pkt = agw_worker_packet(w);
    if (pkt == NULL)
        return; /* lost like any packet */
    const size_t len = agw_encoder_encode(p->encoder, pcm, n, -1, pkt->data + AGW_RTP_HEADER_MIN,
                                          agw_pkt_room(pkt) - AGW_RTP_HEADER_MIN);
    if (len == 0) { /* DTX */
        agw_worker_give_back(w);
        return;
    }
    pkt->data[0] = 0x80;
    pkt->data[1] = p->has_begun ? 0 : MARKER;
    agw_rtp_set_pt(pkt->data, p->pt);
    pkt->len = AGW_RTP_HEADER_MIN + len;
    pkt->kind = AGW_PKT_RTP;
    pkt->media = p->media;
    agw_rewrite_insert(&to->out, pkt->data, pkt->len, p->timestamp, w->now);
    agw_transport_address(to->transport, pkt);
    p->has_begun = true;
}

/* Another description may have made another stream of it, and digits have their own packets. */
static bool may_go_on(const agw_player *p)
{
    const agw_rewrite *out = &to_of(p)->out;
    return p->has_begun && out->started && !agw_rewrite_transparent(out);
}

void agw_player_on_timer(void *owner)
{
    agw_player *p = owner;
    const agw_ns now = worker_of(p->media)->now;
    int16_t pcm[SAMPLES_MAX];
    if (p->n_items == 0)
        return;
    if (!make_encoder(p)) {
        agw_log(AGW_LOG_WARN, p->media->call->tag, "nothing can be played: no encoder");
        end_playing(p);
        return;
    }
    const unsigned ms = p->format.ptime_ms;
    if (agw_dtmf_is_busy(p->media, other(p->to))) {
        p->has_begun = false;
        p->next_at = now + AGW_MS(ms);
        arm(p);
        return;
    }
    if (!may_go_on(p) || now - p->next_at > HELD_UP)
        begin(p);
    const size_t n = (size_t)p->encoder_hz / MS_PER_S * ms;
    heed_wish(p);
    take_audio(p, pcm, n);
    send_packet(p, pcm, n);
    p->timestamp += p->format.clock_hz / MS_PER_S * ms;
    p->next_at += AGW_MS(ms);
    if (p->n_items == 0)
        end_playing(p);
    else
        arm(p);
}

/* --- orders ------------------------------------------------------------------------------------
 */

static agw_player *player_of(agw_media *m, agw_side to)
{
    agw_end *end = &m->end[to];
    if (end->announcer != NULL)
        return end->announcer;
    end->announcer = calloc(1, sizeof *end->announcer);
    AGW_ASSERT(end->announcer != NULL);
    end->announcer->timer.owner = end->announcer;
    end->announcer->media = m;
    end->announcer->to = to;
    return end->announcer;
}

/* The last packet of the source is heard to its end. */
static agw_ns behind_last(const agw_rewrite *out, agw_ns now)
{
    const agw_ns at = out->egress_max_at + BEHIND_ANCHOR;
    return out->started && at > now ? at : now;
}

static void set_format(agw_player *p, const agw_play_order *order)
{
    if (p->pt == order->pt && agw_codec_format_equal(&p->format, &order->format))
        return;
    p->pt = order->pt;
    p->format = order->format;
    agw_encoder_free(p->encoder);
    p->encoder = NULL;
}

bool agw_player_play(agw_media *m, agw_side to, const agw_play_order *order)
{
    agw_player *p = player_of(m, to);
    agw_end *from = from_of(p);
    const agw_rewrite *out = &to_of(p)->out;
    const agw_ns now = worker_of(m)->now;
    const bool was_idle = p->n_items == 0;
    AGW_ASSERT(order->format.ptime_ms > 0 && order->format.ptime_ms <= SAMPLES_MAX / 48);
    set_format(p, order);
    if (!add_item(p, order)) {
        give_back(m, order->audio);
        return false;
    }
    if (was_idle) {
        const bool has_numbers =
            (from->acts & AGW_ACT_PLAYING) != 0 || (out->started && !agw_rewrite_transparent(out));
        p->anchor_by = has_numbers ? 0 : now + ANCHOR_WITHIN;
        p->next_at = behind_last(out, now);
        p->has_begun = false;
    }
    p->is_on = true;
    from->acts |= AGW_ACT_PLAYING;
    arm(p);
    return true;
}

void agw_player_stop(agw_media *m, agw_side to)
{
    if (m->end[to].announcer != NULL)
        end_playing(m->end[to].announcer);
}

/* Whether a party is sent this payload type, passed on or made by a chain. */
static bool is_sent(const agw_end_plan *from, uint8_t pt)
{
    for (size_t i = 0; i < from->n_pts; i++) {
        if (from->pts[i].egress == pt && !from->pts[i].chained && !from->pts[i].is_event)
            return true;
    }
    return from->chain != NULL && from->chain->out_pt == pt;
}

void agw_player_check(agw_media *m, agw_side to, const agw_end_plan *from)
{
    agw_player *p = m->end[to].announcer;
    if (p != NULL && p->n_items != 0 && !is_sent(from, p->pt))
        end_playing(p);
}

/* The source's packet from which on the numbers are ours. */
static void follow(agw_player *p, const uint8_t *rtp)
{
    const agw_ns now = worker_of(p->media)->now;
    agw_rewrite_pin(&to_of(p)->out, rtp, now);
    p->anchor_by = 0;
    p->next_at = now + BEHIND_ANCHOR;
    arm(p);
}

bool agw_player_lets_pass(agw_media *m, agw_side from, const uint8_t *rtp)
{
    agw_player *p = m->end[other(from)].announcer;
    const agw_ns now = worker_of(m)->now;
    if (p == NULL || !p->is_on)
        return agw_dtmf_lets_pass(m, from, rtp);
    if (p->anchor_by != 0 && p->n_items != 0) {
        follow(p, rtp);
        return true;
    }
    if (p->n_items != 0 || now + AGW_MS(p->format.ptime_ms) / 2 < p->next_at)
        return false; /* the last packet is heard to its end */
    p->is_on = false;
    if (agw_dtmf_is_busy(m, from))
        return agw_dtmf_lets_pass(m, from, rtp);
    agw_rewrite_resume(&to_of(p)->out, rtp);
    from_of(p)->acts &= (uint8_t)~AGW_ACT_PLAYING;
    return true;
}

void agw_player_free(agw_player *p)
{
    if (p == NULL)
        return;
    end_playing(p);
    agw_timerq_cancel(&worker_of(p->media)->player_timers, &p->timer);
    free(p);
}
