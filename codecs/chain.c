/* SPDX-License-Identifier: BSD-3-Clause
 * Steps of 10 or 20 ms: audio is asked for when it is needed, so that a packet that has just come
 * leaves at once; a longer packet is collected from several steps. */
#include "codecs/chain.h"

#include "base/wire.h"
#include "codecs/noise.h"
#include "codecs/playout.h"
#include "codecs/tones.h"
#include "rtp/event_relay.h"
#include "rtp/header.h"
#include "rtp/red.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER = AGW_RTP_HEADER_MIN,
    MARKER = 0x80,
    PIECE_MS = 10, /* that a playout gives */
    STEP_MS = 20,
    PACKET_MS_MAX = 120,
    RATE_MAX_HZ = 48000,
    PCM_MAX = RATE_MAX_HZ / 1000 * PACKET_MS_MAX,
    BEGIN_MS = 200, /* a stream that begins with silence is silent in packets from then on */
    MS_PER_S = 1000,
    STEPS_PER_S = MS_PER_S / STEP_MS, /* the codec table's costs are of 20 ms */
};

/* The clock starts so long behind the first packet: who comes a little late finds its place free.
 */
static const agw_ns PHASE = AGW_MS(3);
/* A worker that was away longer does not send what it has missed. */
static const agw_ns AWAY_MAX = AGW_MS(100);
static const agw_ns COME_BACK = AGW_MS(200); /* as in rtp/rewrite.h */
/* A source that is silent so long has ended; one that said so (CN) only pauses. */
static const agw_ns OVER_AFTER = AGW_S(2), PAUSE_OVER_AFTER = AGW_S(60);
static const agw_ns NOISE_EVERY = AGW_MS(400);

struct agw_chain {
    agw_chain_plan plan;
    agw_playout *playout;
    agw_encoder *encoder;
    uint32_t rate_hz; /* of the audio inside */

    /* the stream that goes out */
    bool running;
    bool begun;      /* since it runs, something has gone out */
    bool marker_due; /* nothing went out before the next packet */
    bool noise_sent; /* the last was CN */
    uint16_t seq;
    uint32_t ssrc;
    uint32_t timestamp; /* of the next step */
    agw_ns next_at;     /* its time */
    agw_ns began_at;
    agw_ns noise_sent_at;
    uint32_t event_timestamp;
    bool repeated;    /* the end of an event, in this step */
    uint32_t tone_ms; /* of an event that is sounded, so far */

    /* the source */
    bool heard;
    uint8_t spoken;      /* codec of the last audio ... */
    int8_t mode_request; /* ... and in which mode of it the source wants to hear us */
    int8_t ask;          /* the far end of the stream that goes out, for a mode; -1 = any */
    int8_t mode_in;      /* of the last speech frame, as `modal` has it */
    const agw_codec_format *modal; /* of plan.inputs; NULL = no AMR has come */
    uint16_t max_seq;              /* of audio ... */
    uint64_t seen;                 /* ... bit i: max_seq - i has come; 0 = none yet */
    uint32_t in_ssrc, old_ssrc;
    agw_ns in_at;
    agw_event_relay events;
    agw_noise noise;
    bool noise_on;                   /* CN came for the time from noise_from on ... */
    bool audio_again;                /* ... and audio for the time from audio_from on */
    uint32_t noise_from, audio_from; /* ingress timestamps */

    agw_chain_stats stats;

    bool held_audio; /* what is held is not all silence */
    uint32_t held_timestamp;
    size_t held; /* samples of the next packet */
    int16_t pcm[PCM_MAX];
};

/* --- life --------------------------------------------------------------------------------------
 */

static bool is_audio(const agw_chain_input *input)
{
    return !input->is_event && !input->is_noise && !input->is_red;
}

/* Audio inside has what both sides have: 8000, 16000 or 48000 Hz. 0: a codec that we have not. */
static uint32_t rate_of(const agw_chain_plan *plan)
{
    uint32_t in_hz = 0;
    for (size_t i = 0; i < plan->n_inputs; i++) {
        const agw_chain_input *in = &plan->inputs[i];
        if (is_audio(in) && agw_codec_audio_hz(&in->format) > in_hz)
            in_hz = agw_codec_audio_hz(&in->format);
    }
    const uint32_t out_hz = agw_codec_audio_hz(&plan->out);
    const uint32_t least = in_hz < out_hz ? in_hz : out_hz;
    return least >= 48000 ? 48000 : least >= 16000 ? 16000 : least >= 8000 ? 8000 : 0;
}

/* NULL: not enough memory, or a codec that we cannot decode. */
static agw_playout *make_playout(const agw_chain_plan *plan)
{
    agw_playout *p = agw_playout_new(rate_of(plan));
    for (size_t i = 0; p != NULL && i < plan->n_inputs; i++) {
        const agw_chain_input *input = &plan->inputs[i];
        if (!is_audio(input) || agw_playout_add(p, input->pt, &input->format) == AGW_OK)
            continue;
        agw_playout_free(p);
        return NULL;
    }
    return p;
}

static bool is_possible(const agw_chain_plan *plan)
{
    return plan->n_inputs <= AGW_CHAIN_INPUTS && rate_of(plan) != 0 &&
           plan->out.ptime_ms >= PIECE_MS && plan->out.ptime_ms <= PACKET_MS_MAX &&
           plan->out.ptime_ms % PIECE_MS == 0;
}

static bool same_input(const agw_chain_input *a, const agw_chain_input *b)
{
    return a->pt == b->pt && a->is_event == b->is_event && a->is_noise == b->is_noise &&
           a->is_red == b->is_red && agw_codec_format_equal(&a->format, &b->format);
}

static bool same_inputs(const agw_chain_plan *a, const agw_chain_plan *b)
{
    bool same = a->n_inputs == b->n_inputs && rate_of(a) == rate_of(b);
    for (uint8_t i = 0; same && i < a->n_inputs; i++)
        same = same_input(&a->inputs[i], &b->inputs[i]);
    return same;
}

static bool same_out(const agw_chain_plan *a, const agw_chain_plan *b)
{
    return rate_of(a) == rate_of(b) && agw_codec_format_equal(&a->out, &b->out);
}

static void set_playout(agw_chain *c, agw_playout *playout)
{
    agw_playout_free(c->playout);
    c->playout = playout;
    c->seen = 0;
    c->noise_on = c->audio_again = false;
    c->modal = NULL;
    c->events = (agw_event_relay){0}; /* its clock may be another one */
}

static void set_encoder(agw_chain *c, agw_encoder *encoder)
{
    agw_encoder_free(c->encoder);
    c->encoder = encoder;
    c->held = 0;
    c->marker_due = true;
}

/* What is told of an event counts by the clock that it was told at. At another one it goes on under
 * its timestamp; as a tone, or no longer as one, it begins anew. Under another number alone nothing
 * of it changes. */
static void turn_events(agw_chain *c, uint32_t event_hz)
{
    const bool other_form = (c->plan.event_hz == 0) != (event_hz == 0);
    if (c->plan.event_hz == event_hz)
        return;
    c->events.repeats = 0;
    c->events.told = c->events.egress_segment = 0;
    c->events.sounding = c->events.sounding && !other_form;
}

agw_err agw_chain_apply(agw_chain *c, const agw_chain_plan *plan)
{
    if (!is_possible(plan))
        return AGW_ERR_UNSUPPORTED;
    const bool new_playout = c->playout == NULL || !same_inputs(&c->plan, plan);
    const bool new_encoder = c->encoder == NULL || !same_out(&c->plan, plan);
    agw_playout *playout = new_playout ? make_playout(plan) : NULL;
    agw_encoder *encoder = new_encoder ? agw_encoder_new(&plan->out, rate_of(plan)) : NULL;
    if ((new_playout && playout == NULL) || (new_encoder && encoder == NULL)) {
        agw_playout_free(playout);
        agw_encoder_free(encoder);
        return AGW_ERR_UNSUPPORTED;
    }
    if (new_playout)
        set_playout(c, playout);
    if (new_encoder)
        set_encoder(c, encoder);
    turn_events(c, plan->event_hz);
    c->plan = *plan;
    c->rate_hz = rate_of(plan);
    return AGW_OK;
}

agw_chain *agw_chain_new(const agw_chain_plan *plan, uint32_t ssrc, uint16_t seq,
                         uint32_t timestamp)
{
    agw_chain *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->ssrc = ssrc;
    c->seq = seq;
    c->timestamp = timestamp;
    c->mode_request = c->ask = -1;
    if (agw_chain_apply(c, plan) == AGW_OK)
        return c;
    agw_chain_free(c);
    return NULL;
}

void agw_chain_free(agw_chain *c)
{
    if (c == NULL)
        return;
    agw_playout_free(c->playout);
    agw_encoder_free(c->encoder);
    free(c);
}

/* Of Opus at its highest complexity nearly twice the table's (docs/BENCH.md). */
static uint32_t encode_cost_us(const agw_codec_format *out, uint32_t rate_hz)
{
    enum { USUAL_EFFORT = 6 };
    const uint32_t us = agw_codec_encode_us(out->id, rate_hz);
    const bool eager = out->id == AGW_CODEC_OPUS && out->opus.effort > USUAL_EFFORT;
    return eager ? us * out->opus.effort / USUAL_EFFORT : us;
}

uint32_t agw_chain_cost_us(const agw_chain_plan *plan)
{
    const uint32_t rate_hz = rate_of(plan);
    uint32_t in_us = 0;
    for (size_t i = 0; i < plan->n_inputs; i++) {
        const agw_chain_input *in = &plan->inputs[i];
        const uint32_t us = is_audio(in) ? agw_codec_decode_us(in->format.id, rate_hz) : 0;
        in_us = us > in_us ? us : in_us;
    }
    return STEPS_PER_S * (in_us + encode_cost_us(&plan->out, rate_hz));
}

uint32_t agw_chain_clock_hz(const agw_chain *c)
{
    return c->plan.out.clock_hz;
}

/* --- in ----------------------------------------------------------------------------------------
 */

static const agw_chain_input *find_input(const agw_chain *c, uint8_t pt)
{
    for (size_t i = 0; i < c->plan.n_inputs; i++) {
        if (c->plan.inputs[i].pt == pt)
            return &c->plan.inputs[i];
    }
    return NULL;
}

/* Nothing of what was before has to do with what comes. */
static void begin_source(agw_chain *c)
{
    agw_playout_switch(c->playout);
    c->seen = 0;
    c->noise_on = c->audio_again = false;
    c->events = (agw_event_relay){0};
    c->mode_request = -1;
}

/* false: of a source that another one has replaced. */
static bool follow(agw_chain *c, uint32_t ssrc, agw_ns now)
{
    if (c->heard && ssrc == c->in_ssrc)
        return true;
    if (c->heard && ssrc == c->old_ssrc && now - c->in_at < COME_BACK)
        return false;
    if (c->heard)
        begin_source(c);
    c->old_ssrc = c->heard ? c->in_ssrc : ssrc;
    c->in_ssrc = ssrc;
    c->heard = true;
    return true;
}

static void note_seq(agw_chain *c, uint16_t seq)
{
    const int16_t ahead = (int16_t)(seq - c->max_seq);
    if (c->seen == 0 || ahead >= 64 || ahead <= -64) {
        c->max_seq = seq;
        c->seen = 1;
    } else if (ahead > 0) {
        c->max_seq = seq;
        c->seen = c->seen << ahead | 1;
    } else {
        c->seen |= (uint64_t)1 << -ahead;
    }
}

static bool has_come(const agw_chain *c, uint16_t seq)
{
    const uint16_t behind = (uint16_t)(c->max_seq - seq);
    return behind < 64 && (c->seen >> behind & 1);
}

/* A request holds until the next one. Every AMR packet has one, be it for any mode (RFC 4867
 * section 4.3.1); one of EVS need not (TS 26.445 clause A.2.2.1.1). */
static void note_mode_request(agw_chain *c, uint8_t codec, int8_t request)
{
    if (request >= 0 || codec != AGW_CODEC_EVS || codec != c->spoken)
        c->mode_request = request;
    c->spoken = codec;
}

/* SID and the like are no modes. */
static void note_mode(agw_chain *c, const agw_codec_format *format, uint8_t type)
{
    if (agw_codec_mode_bps(format, type) == 0)
        return;
    c->mode_in = (int8_t)type;
    c->modal = format;
}

static void note_audio_again(agw_chain *c, uint32_t timestamp)
{
    if (!c->noise_on || (int32_t)(timestamp - c->noise_from) <= 0)
        return;
    if (!c->audio_again || (int32_t)(timestamp - c->audio_from) < 0)
        c->audio_from = timestamp;
    c->audio_again = true;
}

static agw_err put_audio(agw_chain *c, const agw_chain_input *input, uint16_t seq,
                         uint32_t timestamp, const uint8_t *payload, size_t len, agw_ns now)
{
    const agw_err err = agw_playout_put(c->playout, input->pt, seq, timestamp, payload, len, now);
    if (err != AGW_OK)
        return err;
    const agw_playout_note note = agw_playout_noted(c->playout);
    note_mode_request(c, input->format.id, note.mode_request);
    note_mode(c, &input->format, note.type);
    note_audio_again(c, timestamp);
    note_seq(c, seq);
    return AGW_OK;
}

/* What the packets before it brought is not taken twice. They hold one block each. */
static agw_err put_red(agw_chain *c, const agw_rtp_header *h, const uint8_t *payload, agw_ns now)
{
    agw_red red;
    agw_err err = agw_red_parse(&red, payload, h->payload_len);
    for (size_t i = 0; err == AGW_OK && i < red.n; i++) {
        const agw_red_block *b = &red.blocks[i];
        const agw_chain_input *input = find_input(c, b->pt);
        const uint16_t seq = (uint16_t)(h->seq - (red.n - 1 - i));
        const bool own = i + 1 == red.n;
        if (input == NULL || !is_audio(input))
            err = own ? AGW_ERR_MALFORMED : AGW_OK;
        else if (own || (b->len != 0 && !has_come(c, seq)))
            err = put_audio(c, input, seq, h->timestamp - b->before, b->data, b->len, now);
        if (!own)
            err = AGW_OK; /* too old, or bad: the packet's own audio is still good */
    }
    return err;
}

static agw_err put_noise(agw_chain *c, const agw_rtp_header *h, const uint8_t *payload)
{
    if (c->noise_on && c->audio_again && (int32_t)(h->timestamp - c->audio_from) <= 0)
        return AGW_OK; /* late */
    const agw_err err = agw_noise_take(&c->noise, payload, h->payload_len);
    if (err != AGW_OK)
        return err;
    if (!c->noise_on || c->audio_again)
        c->noise_from = h->timestamp;
    c->noise_on = true;
    c->audio_again = false;
    return AGW_OK;
}

static agw_err put(agw_chain *c, const agw_chain_input *input, const agw_rtp_header *h,
                   const uint8_t *payload, agw_ns now)
{
    if (input->is_event)
        return agw_event_relay_put(&c->events, payload, h->payload_len, h->timestamp,
                                   input->format.clock_hz, now);
    if (input->is_noise)
        return put_noise(c, h, payload);
    if (input->is_red)
        return put_red(c, h, payload, now);
    return put_audio(c, input, h->seq, h->timestamp, payload, h->payload_len, now);
}

static unsigned step_ms(const agw_chain *c)
{
    return c->plan.out.ptime_ms % STEP_MS == 0 ? STEP_MS : PIECE_MS;
}

static uint32_t step_units(const agw_chain *c)
{
    return c->plan.out.clock_hz / MS_PER_S * step_ms(c);
}

/* The clock of the stream goes on by whole steps that nobody sees. */
static void skip(agw_chain *c, agw_ns until)
{
    const agw_ns step = AGW_MS((agw_ns)step_ms(c));
    const agw_ns steps = until > c->next_at ? (until - c->next_at + step - 1) / step : 0;
    c->next_at += steps * step;
    c->timestamp += (uint32_t)steps * step_units(c);
    c->held = 0;
    c->marker_due = true;
}

static void start(agw_chain *c, agw_ns now)
{
    if (c->running)
        return;
    if (c->next_at == 0)
        c->next_at = now + PHASE;
    skip(c, now + PHASE);
    c->next_at = now + PHASE;
    c->running = true;
    c->begun = false;
    c->began_at = now;
}

agw_err agw_chain_put(agw_chain *c, const uint8_t *rtp, size_t len, agw_ns now)
{
    agw_rtp_header h;
    agw_err err = agw_rtp_parse(&h, rtp, len);
    const agw_chain_input *input = err == AGW_OK ? find_input(c, h.pt) : NULL;
    if (input == NULL) {
        c->stats.malformed++;
        return AGW_ERR_MALFORMED;
    }
    if (!follow(c, h.ssrc, now)) {
        c->stats.late++;
        return AGW_ERR_NOT_FOUND;
    }
    if (!c->running && c->next_at != 0)
        agw_playout_begin_anew(c->playout); /* its time stood still */
    err = put(c, input, &h, rtp + h.header_len, now);
    if (err == AGW_ERR_MALFORMED || err == AGW_ERR_TRUNCATED) {
        c->stats.malformed++;
        return err;
    }
    c->stats.packets_in++;
    c->in_at = now;
    start(c, now);
    return err;
}

/* --- out ---------------------------------------------------------------------------------------
 */

agw_ns agw_chain_deadline(const agw_chain *c)
{
    return c->running ? c->next_at : AGW_NEVER;
}

void agw_chain_rest(agw_chain *c)
{
    c->running = false;
    c->held = 0;
    c->noise_on = c->audio_again = false;
    c->events = (agw_event_relay){0};
}

static size_t finish(agw_chain *c, uint8_t *out, uint8_t pt, bool marker, uint32_t timestamp,
                     size_t payload_len)
{
    out[0] = 0x80;
    out[1] = (uint8_t)(pt | (marker ? MARKER : 0));
    agw_put16(out + 2, c->seq++);
    agw_put32(out + 4, timestamp);
    agw_put32(out + 8, c->ssrc);
    c->stats.packets_out++;
    c->begun = true;
    return HEADER + payload_len;
}

/* Between CN and the audio after it noise stands in the place of what the playout makes up. */
static bool take_piece(agw_chain *c, agw_ns now, int16_t *pcm)
{
    const uint32_t at = agw_playout_timestamp(c->playout);
    const bool is_audio = agw_playout_take(c->playout, now, pcm);
    if (!c->noise_on || (c->seen != 0 && (int32_t)(at - c->noise_from) < 0))
        return is_audio;
    if (c->audio_again && (int32_t)(at - c->audio_from) >= 0) {
        c->noise_on = c->audio_again = false;
        return is_audio;
    }
    agw_noise_make(&c->noise, pcm, c->rate_hz / MS_PER_S * PIECE_MS);
    return false;
}

static bool take_step(agw_chain *c, agw_ns now)
{
    const size_t piece = c->rate_hz / MS_PER_S * PIECE_MS;
    bool is_audio = false;
    for (unsigned ms = 0; ms < step_ms(c); ms += PIECE_MS, c->held += piece) {
        AGW_ASSERT(c->held + piece <= PCM_MAX);
        is_audio |= take_piece(c, now, c->pcm + c->held);
    }
    return is_audio;
}

static size_t write_event(agw_chain *c, const agw_rtp_event_packet *packet, uint8_t *out)
{
    const uint64_t offset = (uint64_t)packet->offset * c->plan.out.clock_hz / c->plan.event_hz;
    memcpy(out + HEADER, packet->payload, AGW_RTP_EVENT_BYTES);
    return finish(c, out, c->plan.event_pt, packet->marker, c->event_timestamp + (uint32_t)offset,
                  AGW_RTP_EVENT_BYTES);
}

static size_t next_event(agw_chain *c, uint32_t timestamp, agw_ns now, uint8_t *out)
{
    agw_rtp_event_packet packet;
    agw_event_relay_next(&c->events, step_ms(c), c->plan.event_hz, now, &packet);
    if (packet.marker)
        c->event_timestamp = timestamp;
    return write_event(c, &packet, out);
}

/* Who takes no telephone events hears their tones, in the place of the step that was taken last. A
 * digit whose end is not known yet goes on. */
static void sound_event(agw_chain *c, agw_ns now)
{
    agw_rtp_event_packet packet;
    agw_rtp_event event;
    const size_t per_ms = c->rate_hz / MS_PER_S;
    const uint32_t step = step_ms(c);
    int16_t *pcm = c->pcm + c->held - step * per_ms;
    agw_event_relay_next(&c->events, step, MS_PER_S, now, &packet);
    const agw_err err = agw_rtp_event_parse(&event, packet.payload, sizeof packet.payload);
    AGW_ASSERT(err == AGW_OK);
    c->events.repeats = 0;
    c->tone_ms = packet.marker ? 0 : c->tone_ms;
    const uint32_t all = packet.offset + event.duration;
    const uint32_t left = all > c->tone_ms ? all - c->tone_ms : 0;
    const uint32_t ms = event.end && left < step ? left : step;
    memset(pcm, 0, step * per_ms * sizeof *pcm);
    if (event.event < AGW_TONES_DIGITS)
        agw_tones_write(event.event, event.volume, c->rate_hz, c->tone_ms * per_ms, pcm,
                        ms * per_ms);
    c->tone_ms += ms;
    c->held_audio = true;
}

static bool says_noise(const agw_chain *c)
{
    return c->plan.has_noise && agw_codec_needs_noise(c->plan.out.id);
}

static size_t write_noise(agw_chain *c, agw_ns now, uint8_t *out)
{
    if (c->noise_sent && now - c->noise_sent_at < NOISE_EVERY)
        return 0;
    out[HEADER] = agw_noise_level(c->pcm, c->held);
    c->noise_sent = c->marker_due = true;
    c->noise_sent_at = now;
    return finish(c, out, c->plan.noise_pt, false, c->held_timestamp, 1);
}

static size_t write_audio(agw_chain *c, agw_ns now, uint8_t *out, size_t room)
{
    if (!c->held_audio && says_noise(c))
        return write_noise(c, now, out);
    const size_t len =
        agw_encoder_encode(c->encoder, c->pcm, c->held, c->ask, out + HEADER, room - HEADER);
    c->noise_sent = false;
    if (len == 0) {
        c->marker_due = true;
        return 0;
    }
    const bool marker = c->marker_due;
    c->marker_due = false;
    return finish(c, out, c->plan.out_pt, marker, c->held_timestamp, len);
}

/* The next step, of which a packet may come. */
static size_t step(agw_chain *c, agw_ns now, uint8_t *out, size_t room)
{
    const uint32_t timestamp = c->timestamp;
    const bool is_event =
        agw_event_relay_is_due(&c->events, agw_playout_timestamp(c->playout), now);
    if (c->held == 0) {
        c->held_timestamp = timestamp;
        c->held_audio = false;
    }
    c->held_audio |= take_step(c, now);
    c->timestamp += step_units(c);
    c->next_at += AGW_MS((agw_ns)step_ms(c));
    const bool is_told = is_event && c->plan.event_hz != 0;
    if (is_event && !is_told)
        sound_event(c, now);
    const bool too_early =
        !c->begun && !c->held_audio && now - c->began_at < AGW_MS((agw_ns)BEGIN_MS);
    if (is_told || too_early)
        c->held = 0;
    if (is_told)
        return next_event(c, timestamp, now, out);
    if (c->held < (size_t)c->rate_hz / MS_PER_S * c->plan.out.ptime_ms)
        return 0;
    const size_t len = write_audio(c, now, out, room);
    c->held = 0;
    return len;
}

size_t agw_chain_take(agw_chain *c, agw_ns now, uint8_t *out, size_t room)
{
    agw_rtp_event_packet packet;
    if (!c->running || now < c->next_at || room < HEADER + AGW_RTP_EVENT_BYTES)
        return 0;
    if (now - c->in_at >= (c->noise_on ? PAUSE_OVER_AFTER : OVER_AFTER)) {
        agw_chain_rest(c);
        return 0;
    }
    if (now - c->next_at > AWAY_MAX)
        skip(c, now);
    if (!c->repeated && agw_event_relay_repeat(&c->events, &packet)) {
        c->repeated = true;
        return write_event(c, &packet, out);
    }
    c->repeated = false;
    return step(c, now, out, room);
}

void agw_chain_adapt(agw_chain *c, const agw_encoder_wish *wish)
{
    agw_encoder_adapt(c->encoder, wish);
}

void agw_chain_ask_mode(agw_chain *c, int mode)
{
    c->ask = (int8_t)mode;
}

const agw_codec_format *agw_chain_mode_in(const agw_chain *c, int *mode)
{
    *mode = (int)c->mode_in;
    return c->modal;
}

int agw_chain_mode_request(const agw_chain *c, uint8_t codec)
{
    return codec == c->spoken ? c->mode_request : -1;
}

const agw_codec_format *agw_chain_out(const agw_chain *c)
{
    return &c->plan.out;
}

void agw_chain_get_stats(const agw_chain *c, agw_chain_stats *out)
{
    agw_playout_stats playout;
    agw_playout_get_stats(c->playout, &playout);
    *out = c->stats;
    out->late += playout.late;
    out->malformed += playout.malformed;
    out->concealed_ms = playout.concealed_ms;
    out->by_fec_ms = playout.by_fec_ms;
    out->delay_us = playout.delay_us;
}
