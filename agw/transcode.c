/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/transcode.h"

#include "agw/call.h"
#include "agw/player.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/wire.h"
#include "codecs/adapt.h"

#include <stdlib.h>

enum {
    OPUS_BPS = 32000, /* where the plan does not say */
    OPUS_MIN_BPS = 12000,
};

struct agw_transcoder {
    agw_timer timer;
    agw_media *media;
    agw_side from; /* whose stream goes in */
    agw_chain *chain;
    agw_pt_plan event;     /* as digits leave; clock_hz 0 = they do not */
    uint32_t ssrc;         /* of what comes out of the chain */
    agw_encoder_wish wish; /* of the party that hears it */
    agw_adapt adapt;       /* to what it reports */
    agw_adapt ask;         /* what we ask it to send, by what is lost of it */
};

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

static agw_worker *worker_of(const agw_transcoder *t)
{
    return t->media->call->worker;
}

static agw_end *from_of(const agw_transcoder *t)
{
    return &t->media->end[t->from];
}

static agw_end *to_of(const agw_transcoder *t)
{
    return &t->media->end[other(t->from)];
}

static void arm(agw_transcoder *t)
{
    agw_timerq_set(&worker_of(t)->chain_timers, &t->timer, agw_chain_deadline(t->chain));
}

static void rest(agw_transcoder *t)
{
    agw_chain_rest(t->chain);
    arm(t);
}

/* --- life --------------------------------------------------------------------------------------
 */

/* Opus alone can be had at any rate; AMR's modes are the party's to choose (CMR). */
static void set_rates(agw_transcoder *t, const agw_codec_format *out)
{
    uint32_t max = out->bitrate_bps != 0 ? out->bitrate_bps : OPUS_BPS;
    if (out->id == AGW_CODEC_OPUS && out->opus.max_average_bps != 0)
        max = out->opus.max_average_bps < max ? out->opus.max_average_bps : max;
    const uint32_t min = max < OPUS_MIN_BPS ? max : OPUS_MIN_BPS;
    if (t->adapt.max_bps == max)
        return;
    agw_adapt_init(&t->adapt, out->id == AGW_CODEC_OPUS ? min : max, max);
    t->wish.max_bps = 0;
}

static agw_transcoder *transcoder_new(agw_media *m, agw_side side, const agw_chain_plan *plan)
{
    agw_transcoder *t = calloc(1, sizeof *t);
    AGW_ASSERT(t != NULL);
    t->timer.owner = t;
    t->media = m;
    t->from = side;
    t->ssrc = agw_rand32();
    t->wish.mode_request = -1;
    t->chain = agw_chain_new(plan, t->ssrc, (uint16_t)agw_rand32(), agw_rand32());
    if (t->chain != NULL) {
        agw_counter_add(&worker_of(t)->stats.chains, 1);
        return t;
    }
    free(t);
    return NULL;
}

void agw_transcoder_free(agw_transcoder *t)
{
    if (t == NULL)
        return;
    agw_timerq_cancel(&worker_of(t)->chain_timers, &t->timer);
    agw_counter_add(&worker_of(t)->stats.chains, (uint64_t)-1);
    agw_chain_free(t->chain);
    free(t);
}

static bool has_same_modes(const agw_codec_format *a, const agw_codec_format *b)
{
    const bool is_amr = a->id == AGW_CODEC_AMR || a->id == AGW_CODEC_AMR_WB;
    return a->id == b->id && (!is_amr || a->amr.mode_set == b->amr.mode_set);
}

/* What was asked of the party is a mode of the codec that it has been spoken to in. */
static agw_transcoder *changed(agw_transcoder *t, const agw_chain_plan *plan)
{
    const agw_codec_format was = *agw_chain_out(t->chain);
    if (agw_chain_apply(t->chain, plan) != AGW_OK) {
        agw_transcoder_free(t);
        return NULL;
    }
    if (!has_same_modes(&was, &plan->out)) {
        t->ask = (agw_adapt){0};
        agw_chain_ask_mode(t->chain, -1);
    }
    return t;
}

void agw_transcode_apply(agw_media *m, agw_side side, const agw_chain_plan *plan)
{
    agw_end *end = &m->end[side];
    end->acts &= (uint8_t)~AGW_ACT_CHAIN;
    if (plan == NULL) {
        if (end->transcoder != NULL)
            agw_rewrite_take_over(&m->end[other(side)].out); /* the party itself, as before it */
        agw_transcoder_free(end->transcoder);
        end->transcoder = NULL;
        return;
    }
    end->transcoder =
        end->transcoder != NULL ? changed(end->transcoder, plan) : transcoder_new(m, side, plan);
    if (end->transcoder == NULL) {
        agw_log(AGW_LOG_WARN, m->call->tag, "a codec of the plan cannot be made");
        return;
    }
    end->acts |= AGW_ACT_CHAIN;
    set_rates(end->transcoder, &plan->out);
    agw_chain_adapt(end->transcoder->chain, &end->transcoder->wish); /* its encoder may be new */
    end->transcoder->event =
        (agw_pt_plan){.egress = plan->event_pt, .is_event = true, .clock_hz = plan->event_hz};
    if (!end->may_send || !m->end[other(side)].may_receive)
        rest(end->transcoder);
}

bool agw_transcode_is_on(const agw_media *m)
{
    return ((m->end[AGW_SIDE_A].acts | m->end[AGW_SIDE_B].acts) & AGW_ACT_CHAIN) != 0;
}

agw_pt_plan agw_transcode_event(const agw_media *m, agw_side side)
{
    const agw_transcoder *t = m->end[side].transcoder;
    return t != NULL ? t->event : (agw_pt_plan){0};
}

const agw_encoder_wish *agw_transcode_wish(const agw_media *m, agw_side side, uint8_t codec)
{
    const agw_transcoder *t = m->end[other(side)].transcoder;
    return t != NULL && agw_chain_out(t->chain)->id == codec ? &t->wish : NULL;
}

uint32_t agw_transcode_egress_hz(const agw_media *m, agw_side side)
{
    const agw_end *from = &m->end[other(side)];
    return from->transcoder != NULL ? agw_chain_clock_hz(from->transcoder->chain)
                                    : from->in.clock_hz;
}

/* --- in ----------------------------------------------------------------------------------------
 */

/* How the party wants to be spoken to, it says in what it sends. */
static void heed_mode_request(agw_transcoder *t)
{
    agw_transcoder *back = to_of(t)->transcoder;
    if (back == NULL)
        return;
    const int mode = agw_chain_mode_request(t->chain, agw_chain_out(back->chain)->id);
    if (back->wish.mode_request == mode)
        return;
    back->wish.mode_request = (int8_t)mode;
    agw_chain_adapt(back->chain, &back->wish);
}

agw_drop agw_transcode_put(agw_media *m, agw_side side, const agw_pkt *pkt)
{
    agw_transcoder *t = m->end[side].transcoder;
    if (t == NULL)
        return AGW_DROP_NO_CODEC;
    const agw_err err = agw_chain_put(t->chain, pkt->data, pkt->len, worker_of(t)->now);
    if (err == AGW_ERR_NOT_FOUND)
        return AGW_DROP_OLD_SSRC;
    if (err != AGW_OK)
        return AGW_DROP_PAYLOAD;
    heed_mode_request(t);
    if (t->timer.pos == 0)
        arm(t);
    return AGW_DROP_NONE;
}

void agw_transcode_pause(agw_media *m, agw_side side)
{
    agw_transcoder *t = m->end[side].transcoder;
    if (t == NULL || t->timer.pos == 0)
        return;
    rest(t);
    agw_rewrite_take_over(&to_of(t)->out); /* both are the party itself: no one is too old */
}

/* --- out ---------------------------------------------------------------------------------------
 */

static bool may_send(const agw_transcoder *t)
{
    const agw_end *from = from_of(t), *to = to_of(t);
    return from->may_send && to->may_receive && !(from->acts & AGW_ACT_BLOCK) &&
           to->transport != NULL && agw_transport_can_send(to->transport, &(agw_drop){0});
}

/* The packet is one of the party's stream, as if it had come in like this. */
static bool pass_on(agw_transcoder *t, agw_pkt *pkt)
{
    agw_end *to = to_of(t);
    if (!may_send(t))
        return false;
    if ((from_of(t)->acts & AGW_ACT_PLAYING) && !agw_player_lets_pass(t->media, t->from, pkt->data))
        return false;
    agw_rewrite_pin(&to->out, pkt->data, worker_of(t)->now); /* its clock is ours in any case */
    if (to->out.ssrc != t->ssrc)
        agw_rewrite_take_over(&to->out);
    if (agw_rewrite_rtp(&to->out, pkt->data, pkt->len, agw_chain_clock_hz(t->chain),
                        worker_of(t)->now) == AGW_REWRITE_DROP)
        return false;
    pkt->kind = AGW_PKT_RTP;
    pkt->media = t->media;
    agw_counter_set(&t->media->stats->end[other(t->from)].ssrc_out, agw_get32(pkt->data + 8));
    agw_transport_address(to->transport, pkt);
    return pkt->verdict == AGW_FORWARD;
}

/* false: the batch is full, it goes on with the next one. */
static bool take_one(agw_transcoder *t)
{
    agw_worker *w = worker_of(t);
    agw_pkt *pkt = agw_worker_packet(w);
    if (pkt == NULL)
        return false;
    pkt->len = agw_chain_take(t->chain, w->now, pkt->data, AGW_PKT_MAX);
    if (pkt->len == 0 || !pass_on(t, pkt))
        agw_worker_give_back(w);
    return true;
}

static void publish(const agw_transcoder *t)
{
    agw_chain_stats chain;
    agw_transcode_stats *stats = &t->media->stats->end[t->from].transcode;
    agw_chain_get_stats(t->chain, &chain);
    agw_counter_set(&stats->packets_in, chain.packets_in);
    agw_counter_set(&stats->packets_out, chain.packets_out);
    agw_counter_set(&stats->late, chain.late);
    agw_counter_set(&stats->malformed, chain.malformed);
    agw_counter_set(&stats->concealed_ms, chain.concealed_ms);
    agw_counter_set(&stats->by_fec_ms, chain.by_fec_ms);
    agw_counter_set(&stats->delay_us, chain.delay_us);
}

void agw_transcode_on_timer(void *owner)
{
    agw_transcoder *t = owner;
    while (agw_chain_deadline(t->chain) <= worker_of(t)->now && take_one(t))
        continue;
    publish(t);
    arm(t);
}

static uint32_t rtt_us(const agw_media *m, agw_side side)
{
    return (uint32_t)agw_counter_get(&m->stats->end[side].rtt_us);
}

/* What a party speaks, within what it has agreed to: the mode-set of its description holds both
 * ways (RFC 4867 section 8.3.1), and is told to our encoder alone. */
static agw_codec_format asked_format(const agw_codec_format *in, const agw_codec_format *out)
{
    agw_codec_format format = *in;
    if (out->id == in->id)
        format.amr.mode_set = out->amr.mode_set;
    return format;
}

/* It begins with what the party sends of itself. */
static void set_ask(agw_adapt *ask, const agw_codec_format *format, int mode)
{
    const uint32_t max = agw_codec_mode_bps(format, mode);
    const uint32_t min = agw_codec_mode_bps(format, agw_codec_mode_within(format, 0));
    if (ask->bps == ask->max_bps && ask->max_bps != max && min <= max)
        agw_adapt_init(ask, min, max);
}

void agw_transcode_note_loss_in(agw_media *m, agw_side side, uint8_t fraction_256)
{
    const agw_transcoder *from = m->end[side].transcoder;
    agw_transcoder *back = m->end[other(side)].transcoder;
    int mode = -1;
    const agw_codec_format *in =
        from != NULL && back != NULL ? agw_chain_mode_in(from->chain, &mode) : NULL;
    if (in == NULL)
        return;
    const agw_codec_format format = asked_format(in, agw_chain_out(back->chain));
    agw_encoder_wish wish = {.mode_request = -1};
    const agw_adapt_report report = {.fraction_lost = fraction_256, .rtt_us = rtt_us(m, side)};
    set_ask(&back->ask, &format, mode);
    agw_adapt_take(&back->ask, &report, worker_of(back)->now, &wish);
    agw_chain_ask_mode(back->chain,
                       wish.max_bps != 0 ? agw_codec_mode_within(&format, wish.max_bps) : -1);
}

void agw_transcode_note_loss(agw_media *m, agw_side side, uint8_t fraction_256)
{
    agw_transcoder *t = m->end[other(side)].transcoder;
    if (t == NULL)
        return;
    const agw_adapt_report report = {
        .fraction_lost = fraction_256,
        .rtt_us = rtt_us(m, side),
    };
    agw_adapt_take(&t->adapt, &report, worker_of(t)->now, &t->wish);
    agw_chain_adapt(t->chain, &t->wish);
}
