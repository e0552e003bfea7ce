/* SPDX-License-Identifier: BSD-3-Clause
 * The way of a packet: agw_playout_put() files it by timestamp among the packets that wait; when
 * agw_playout_take() runs short of samples, produce() decides what the next piece is made of: the
 * next frame, concealment or noise; adapt() then makes what waits longer or shorter when it runs
 * ahead of or behind the point in time that rtp/jitter.h says.
 *
 * Two clocks: `next` is the sender's timestamp of what will be decoded next, and only audio that
 * has been played or given up moves it. While nothing is there it stands still (`held` counts what
 * was made up meanwhile), so that a packet that is only late is still played, and the delay grows
 * by what it was late. */
#include "codecs/playout.h"
#include "codecs/stretch.h"
#include "rtp/jitter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUTS = 8,
    SLOTS = 64,
    BLOCK = 80, /* octets: half a G.711 frame */
    BLOCKS = 128,
    NO_BLOCK = UINT8_MAX,
    STEP_MS = 10,
    PAST_MS = AGW_STRETCH_PAST_MS,
    PENDING_MS = 200, /* a long Opus packet and what stands before it */
    LOOK_MS = 30,     /* two of the longest pitch periods */
    SEEN_BITS = 64,   /* sequence numbers that are remembered */
    CONCEAL_MS = 120, /* at a stretch; then noise */
    URGENT_MS = 60,   /* off the wanted delay */
    SLACK = 18,       /* part of the delay that it may be longer; shorter by half of that */
    REST_MS = 40,     /* between two changes of length that are not urgent */
    FEC_ENDS = 100,   /* frames without it */
};
static const agw_ns STEP = AGW_MS(STEP_MS);
static const agw_ns AHEAD = AGW_MS(8), BEHIND = AGW_MS(12); /* of the wanted delay is let be */
static const agw_ns FEC_ROOM = AGW_MS(2);
static const float LIKE = 0.85F, URGENT_LIKE = 0.5F;
static const float QUIET = 4; /* mean square against the background's */
static const float LOSS_MEMORY = 0.02F;
static const float FEC_WORTH = 0.005F; /* loss from which a frame more of delay pays */

/* A packet that waits. Its payload lies in a list of blocks. */
typedef struct slot {
    uint32_t timestamp, span; /* span: its duration in the same units */
    uint16_t seq, len;
    uint8_t input, line, block;
} slot;

typedef struct input {
    agw_decoder *decoder;
    uint32_t clock_hz;
    uint8_t pt;
} input;

typedef enum state { SILENT, SPEAKING, RESTING } state; /* nothing yet; audio; noise between it */

struct agw_playout {
    uint32_t rate_hz;
    size_t step; /* samples of 10 ms */
    uint8_t n_inputs, n_slots;
    uint8_t line; /* time line of the packets that come: changes where timestamps jump */
    uint8_t free_block;
    bool cut;   /* what comes next does not join what was */
    bool noisy; /* the last that was made is noise of our own */
    bool has_seen;
    uint16_t newest_seq;
    uint64_t seen; /* bit i: newest_seq - i has come */
    input inputs[INPUTS];
    slot slots[SLOTS]; /* in the order in which they are played */
    agw_jitter jitter; /* of `line` */
    agw_playout_note note;

    /* what is played */
    state state;
    uint8_t playing_line, playing; /* playing: index of inputs */
    uint16_t last_seq;
    uint32_t next;        /* timestamp of what is decoded next */
    size_t held;          /* samples that were made up while next stood still */
    size_t frame;         /* samples of the last frame */
    size_t made_up;       /* samples of concealment since the last frame */
    uint64_t doubtful_ms; /* of concealment, which the next packet will call a loss or a pause */
    bool codec_noise;     /* the decoder makes the noise */
    uint8_t at;           /* of current.frames */
    agw_payload current;
    float loss;     /* share of frames */
    size_t lost;    /* samples of a frame that are not counted in it yet */
    uint8_t no_fec; /* speech frames since the last one that had FEC */

    /* the wanted delay */
    agw_ns turn_at; /* of the last take */
    agw_ns behind;  /* what is behind the due time, at the end of the last turn */
    agw_ns turn_behind;
    unsigned rest; /* steps until the next change of length */

    float background; /* mean square; 0 = nothing heard yet */
    float tone;       /* of the noise generator */
    uint32_t seed;

    agw_playout_stats stats;
    uint8_t next_block[BLOCKS];
    uint8_t blocks[BLOCKS][BLOCK];
    uint8_t payload[AGW_DECODER_FRAME_BYTES * 2]; /* of current */
    size_t pending, capacity;                     /* samples decoded and not yet taken */
    int16_t *pcm; /* the first of them; PAST_MS of what was taken stand before it */
    int16_t memory[];
};

static size_t samples_of_ms(const agw_playout *p, unsigned ms)
{
    return p->rate_hz / 1000 * ms;
}

static agw_ns length_of(const agw_playout *p, size_t samples)
{
    return (agw_ns)samples * AGW_S(1) / p->rate_hz;
}

static uint32_t units_of(const agw_playout *p, size_t samples)
{
    const uint32_t hz = p->inputs[p->playing].clock_hz;
    return (uint32_t)((uint64_t)samples * hz / p->rate_hz);
}

static size_t samples_of_units(const agw_playout *p, uint32_t units)
{
    return (size_t)((uint64_t)units * p->rate_hz / p->inputs[p->playing].clock_hz);
}

agw_playout *agw_playout_new(uint32_t rate_hz)
{
    AGW_ASSERT(rate_hz == 8000 || rate_hz == 16000 || rate_hz == 48000);
    const size_t past = rate_hz / 1000 * PAST_MS, capacity = rate_hz / 1000 * PENDING_MS;
    agw_playout *p = calloc(1, sizeof *p + (past + capacity) * sizeof *p->memory);
    if (p == NULL)
        return NULL;
    p->rate_hz = rate_hz;
    p->step = rate_hz / 1000 * STEP_MS;
    p->frame = 2 * p->step;
    p->capacity = capacity;
    p->pcm = p->memory + past;
    p->seed = 1;
    p->no_fec = FEC_ENDS;
    for (unsigned i = 0; i < BLOCKS; i++)
        p->next_block[i] = i + 1 < BLOCKS ? (uint8_t)(i + 1) : NO_BLOCK;
    return p;
}

void agw_playout_free(agw_playout *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < p->n_inputs; i++)
        agw_decoder_free(p->inputs[i].decoder);
    free(p);
}

static input *find_input(agw_playout *p, uint8_t pt)
{
    for (unsigned i = 0; i < p->n_inputs; i++) {
        if (p->inputs[i].pt == pt)
            return &p->inputs[i];
    }
    return NULL;
}

agw_err agw_playout_add(agw_playout *p, uint8_t pt, const agw_codec_format *format)
{
    if (find_input(p, pt) != NULL)
        return AGW_ERR_EXISTS;
    if (p->n_inputs == INPUTS)
        return AGW_ERR_LIMIT;
    agw_decoder *d = agw_decoder_new(format, p->rate_hz);
    if (d == NULL)
        return AGW_ERR_UNSUPPORTED;
    p->inputs[p->n_inputs++] = (input){.decoder = d, .clock_hz = format->clock_hz, .pt = pt};
    return AGW_OK;
}

/* ---------------------------------------------------------------- packets that wait */

static void give_back(agw_playout *p, uint8_t block)
{
    while (block != NO_BLOCK) {
        const uint8_t following = p->next_block[block];
        p->next_block[block] = p->free_block;
        p->free_block = block;
        block = following;
    }
}

static void remove_slot(agw_playout *p, unsigned at)
{
    give_back(p, p->slots[at].block);
    p->n_slots--;
    memmove(&p->slots[at], &p->slots[at + 1], (p->n_slots - at) * sizeof p->slots[0]);
}

static bool has_room(const agw_playout *p, size_t len)
{
    size_t room = 0;
    for (uint8_t b = p->free_block; b != NO_BLOCK && room < len; b = p->next_block[b])
        room += BLOCK;
    return room >= len && p->n_slots < SLOTS;
}

static uint8_t store(agw_playout *p, const uint8_t *payload, size_t len)
{
    const uint8_t first = p->free_block;
    uint8_t last = first;
    for (size_t done = 0; done < len; done += BLOCK) {
        last = p->free_block;
        p->free_block = p->next_block[last];
        memcpy(p->blocks[last], payload + done, len - done < BLOCK ? len - done : BLOCK);
    }
    p->next_block[last] = NO_BLOCK;
    return first;
}

static size_t load(const agw_playout *p, const slot *s, uint8_t *payload)
{
    uint8_t block = s->block;
    for (size_t done = 0; done < s->len; done += BLOCK) {
        const size_t left = s->len - done;
        memcpy(payload + done, p->blocks[block], left < BLOCK ? left : BLOCK);
        block = p->next_block[block];
    }
    return s->len;
}

/* Whether a sequence number came before; it counts as come now. */
static bool was_seen(agw_playout *p, uint16_t seq)
{
    const int16_t ahead = (int16_t)(seq - p->newest_seq);
    if (!p->has_seen || ahead >= SEEN_BITS || ahead <= -SEEN_BITS) {
        p->has_seen = true;
        p->newest_seq = seq;
        p->seen = 1;
        return false;
    }
    if (ahead > 0) {
        p->seen = p->seen << ahead | 1;
        p->newest_seq = seq;
        return false;
    }
    const uint64_t bit = (uint64_t)1 << -ahead;
    const bool seen = (p->seen & bit) != 0;
    p->seen |= bit;
    return seen;
}

static void begin_line(agw_playout *p, uint32_t clock_hz)
{
    p->line++;
    agw_jitter_init(&p->jitter, clock_hz);
}

/* Teaches the jitter; a jump of the timestamps begins another time line. */
static void learn(agw_playout *p, const input *in, uint32_t timestamp, uint32_t span, agw_ns now)
{
    if (p->jitter.clock_hz != in->clock_hz)
        begin_line(p, in->clock_hz);
    if (agw_jitter_put(&p->jitter, timestamp, span, now) == AGW_OK)
        return;
    begin_line(p, in->clock_hz);
    const agw_err err = agw_jitter_put(&p->jitter, timestamp, span, now);
    AGW_ASSERT(err == AGW_OK);
}

static bool is_over(const agw_playout *p, uint32_t timestamp, uint32_t span)
{
    return p->state != SILENT && p->line == p->playing_line &&
           (int32_t)(timestamp + span - p->next) <= 0;
}

static void file(agw_playout *p, const slot *s)
{
    unsigned at = p->n_slots;
    while (at > 0 && p->slots[at - 1].line == s->line &&
           (int32_t)(p->slots[at - 1].timestamp - s->timestamp) > 0)
        at--;
    memmove(&p->slots[at + 1], &p->slots[at], (p->n_slots - at) * sizeof *s);
    p->slots[at] = *s;
    p->n_slots++;
}

static uint32_t span_of(const input *in, const agw_payload *parts)
{
    uint32_t tenths = 0;
    for (unsigned i = 0; i < parts->n_frames; i++)
        tenths += parts->frames[i].duration_ms_x10;
    return (uint32_t)((uint64_t)tenths * in->clock_hz / 10000);
}

agw_err agw_playout_put(agw_playout *p, uint8_t pt, uint16_t seq, uint32_t timestamp,
                        const uint8_t *payload, size_t len, agw_ns now)
{
    const input *in = find_input(p, pt);
    if (in == NULL)
        return AGW_ERR_NOT_FOUND;
    agw_payload parts;
    if (len > sizeof p->payload || agw_decoder_split(in->decoder, payload, len, &parts) != AGW_OK ||
        parts.n_frames == 0) {
        p->stats.malformed++;
        return AGW_ERR_MALFORMED;
    }
    p->note = (agw_playout_note){parts.mode_request, parts.frames[0].type};
    if (was_seen(p, seq)) {
        p->stats.duplicate++;
        return AGW_OK;
    }
    const uint32_t span = span_of(in, &parts);
    learn(p, in, timestamp, span, now);
    if (is_over(p, timestamp, span)) {
        p->stats.late++;
        return AGW_OK;
    }
    while (!has_room(p, len)) {
        if (p->n_slots == 0)
            return AGW_ERR_NO_SPACE;
        remove_slot(p, 0);
        p->stats.overflow++;
    }
    file(p, &(slot){.timestamp = timestamp,
                    .span = span,
                    .seq = seq,
                    .len = (uint16_t)len,
                    .input = (uint8_t)(in - p->inputs),
                    .line = p->line,
                    .block = store(p, payload, len)});
    return AGW_OK;
}

agw_playout_note agw_playout_noted(const agw_playout *p)
{
    return p->note;
}

void agw_playout_switch(agw_playout *p)
{
    p->has_seen = false;
    if (p->jitter.clock_hz != 0)
        begin_line(p, p->jitter.clock_hz);
}

/* What is known of the way stays: loss and FEC. */
void agw_playout_begin_anew(agw_playout *p)
{
    agw_playout_switch(p);
    while (p->n_slots != 0)
        remove_slot(p, 0);
    p->current.n_frames = p->at = 0;
    p->pending = p->held = p->made_up = 0;
    p->doubtful_ms = 0;
    p->behind = p->turn_behind = 0;
    p->rest = 0;
    p->state = SILENT;
    p->cut = p->noisy = p->codec_noise = false;
    p->background = 0;
    memset(p->memory, 0, samples_of_ms(p, PAST_MS) * sizeof *p->memory);
}

/* ---------------------------------------------------------------- what is played */

/* A frame where there is loss, and FEC against it in the packet after it. Not every frame has it;
 * the delay does not go up and down with that. */
static agw_ns least_delay(const agw_playout *p)
{
    const bool has_fec = p->no_fec < FEC_ENDS && p->loss > FEC_WORTH;
    return has_fec ? length_of(p, p->frame) + FEC_ROOM : 0;
}

/* When the audio of a timestamp should be played. */
static agw_ns due_at(const agw_playout *p, uint32_t timestamp)
{
    const agw_ns due = agw_jitter_due(&p->jitter, timestamp, least_delay(p));
    return due == AGW_NEVER ? due : due + AHEAD;
}

static void append(agw_playout *p, size_t n)
{
    AGW_ASSERT(p->pending + n <= p->capacity);
    if (p->cut && n != 0) {
        agw_stretch_merge(p->rate_hz, p->pcm + p->pending, n);
        p->cut = false;
    }
    p->pending += n;
}

static void append_audio(agw_playout *p, size_t n)
{
    p->cut = p->cut || p->noisy;
    p->noisy = false;
    append(p, n);
}

/* Noise as loud as the background, a little dull. */
static void append_noise(agw_playout *p, size_t n)
{
    p->cut = p->cut || !p->noisy;
    p->noisy = true;
    int16_t *out = p->pcm + p->pending;
    const float level = sqrtf(p->background) * 2.0F;
    for (size_t i = 0; i < n; i++) {
        p->seed = p->seed * 1664525u + 1013904223u;
        const float white = (float)(int32_t)p->seed / 2147483648.0F;
        p->tone += 0.5F * (white - p->tone);
        out[i] = (int16_t)lrintf(p->tone * level);
    }
    append(p, n);
}

/* The background is what the quietest pieces of speech are; it may rise by 1 dB a second. */
static void note_background(agw_playout *p, const int16_t *pcm, size_t n)
{
    const float power = agw_stretch_power(pcm, n) + 1;
    const float risen = p->background * 1.005F;
    p->background = power < risen || p->background <= 0 ? power : risen;
}

static void decode(agw_playout *p)
{
    const agw_frame *frame = &p->current.frames[p->at++];
    const input *in = &p->inputs[p->playing];
    int16_t *out = p->pcm + p->pending;
    const size_t n = agw_decoder_decode(in->decoder, frame, out, p->capacity - p->pending);
    const bool speech = frame->kind == AGW_FRAME_SPEECH || frame->kind == AGW_FRAME_BAD;
    p->next += (uint32_t)((uint64_t)frame->duration_ms_x10 * in->clock_hz / 10000);
    p->state = speech ? SPEAKING : RESTING;
    p->codec_noise = !speech;
    p->held = p->made_up = 0;
    if (n == 0)
        return;
    p->frame = n;
    if (frame->has_fec)
        p->no_fec = 0;
    else if (frame->kind == AGW_FRAME_SPEECH && p->no_fec < FEC_ENDS)
        p->no_fec++;
    p->loss -= p->loss * LOSS_MEMORY;
    note_background(p, out, n);
    append_audio(p, n);
}

static void begin_packet(agw_playout *p)
{
    const slot s = p->slots[0];
    const bool other = p->state == SILENT || s.line != p->playing_line;
    if (other || s.input != p->playing) {
        agw_decoder_reset(p->inputs[s.input].decoder);
        p->cut = p->state != SILENT;
    }
    p->playing_line = s.line;
    p->playing = s.input;
    p->next = s.timestamp;
    p->last_seq = s.seq;
    const size_t len = load(p, &s, p->payload);
    const agw_err err = agw_decoder_split(p->inputs[s.input].decoder, p->payload, len, &p->current);
    AGW_ASSERT(err == AGW_OK); /* as it was in agw_playout_put() */
    p->at = 0;
    remove_slot(p, 0);
}

/* The first frame of the packet that waits first, for its FEC. */
static const agw_frame *peek(const agw_playout *p, agw_payload *parts, uint8_t *payload)
{
    const slot *s = &p->slots[0];
    if (p->n_slots == 0 || s->line != p->playing_line || s->input != p->playing)
        return NULL;
    const size_t len = load(p, s, payload);
    if (agw_decoder_split(p->inputs[s->input].decoder, payload, len, parts) != AGW_OK)
        return NULL;
    return &parts->frames[0];
}

/* Concealment of up to n samples; a codec whose frames cannot be cut gives a whole one. */
static size_t fill_gap(agw_playout *p, const agw_frame *next, size_t n)
{
    agw_decoder *d = p->inputs[p->playing].decoder;
    int16_t *out = p->pcm + p->pending;
    const size_t got = agw_decoder_conceal(d, next, out, n);
    return got != 0 ? got : agw_decoder_conceal(d, next, out, p->capacity - p->pending);
}

/* Audio in place of a loss of n samples, or of the part of them that can be made at once. */
static size_t conceal(agw_playout *p, size_t n, bool next_is_near)
{
    agw_payload parts;
    uint8_t payload[sizeof p->payload];
    const agw_frame *next = next_is_near ? peek(p, &parts, payload) : NULL;
    const bool by_fec = next != NULL && next->has_fec; /* only a frame as a whole */
    const size_t got = fill_gap(p, next, by_fec ? p->frame : n);
    if (got == 0) {
        append_noise(p, n < p->step ? n : p->step);
        return n < p->step ? n : p->step;
    }
    const uint64_t ms = got * 1000 / p->rate_hz;
    p->doubtful_ms += ms;
    p->stats.by_fec_ms += by_fec ? ms : 0;
    p->made_up += got;
    append_audio(p, got);
    return got;
}

/* A long loss ends in noise. */
static size_t conceal_or_rest(agw_playout *p, size_t n, bool next_is_near)
{
    if (p->made_up < samples_of_ms(p, CONCEAL_MS))
        return conceal(p, n, next_is_near);
    p->state = RESTING;
    p->codec_noise = false;
    const size_t noise = n < p->step ? n : p->step;
    append_noise(p, noise);
    return noise;
}

/* Noise between talk spurts, n samples at most: the codec's where it has said what it is like. */
static void rest(agw_playout *p, size_t n)
{
    static const agw_frame nothing = {.kind = AGW_FRAME_NO_DATA};
    int16_t *out = p->pcm + p->pending;
    const size_t most = n < p->step ? n : p->step;
    size_t got = 0;
    if (p->codec_noise)
        got = agw_decoder_decode(p->inputs[p->playing].decoder, &nothing, out, p->frame);
    if (got != 0)
        append_audio(p, got < n ? got : n);
    else
        append_noise(p, most);
    p->cut = p->cut || got > n;
    p->held += got == 0 ? most : got < n ? got : n;
}

/* A packet is there: what was made up before it was for audio that is lost or late, unless the
 * sender had paused or is another one. */
static void settle(agw_playout *p, const slot *s)
{
    const bool paused =
        s->seq == (uint16_t)(p->last_seq + 1) && (int32_t)(s->timestamp - p->next) > 0;
    if (s->line == p->playing_line && !paused)
        p->stats.concealed_ms += p->doubtful_ms;
    p->doubtful_ms = 0;
}

/* So much was lost, whole frames in the end. */
static void note_loss(agw_playout *p, size_t samples)
{
    for (p->lost += samples; p->lost >= p->frame; p->lost -= p->frame)
        p->loss += (1 - p->loss) * LOSS_MEMORY;
}

/* A packet lies ahead of `next`, those between are lost: what was made up meanwhile counts. */
static void bridge_loss(agw_playout *p, uint32_t gap)
{
    const uint32_t held = units_of(p, p->held);
    const uint32_t skip = held < gap ? held : gap;
    note_loss(p, samples_of_units(p, skip));
    p->next += skip;
    p->held = 0;
    const size_t left = samples_of_units(p, gap - skip);
    if (left == 0) {
        begin_packet(p);
        decode(p);
        return;
    }
    const size_t n = conceal_or_rest(p, left < p->frame ? left : p->frame, left <= p->frame);
    p->next += units_of(p, n < left ? n : left);
    note_loss(p, n < left ? n : left);
}

/* The packet that waits first is not to be joined to what was before: noise until it is due. Of an
 * older time line nothing more will come: at once. */
static void begin_spurt(agw_playout *p, agw_ns now)
{
    const slot *s = &p->slots[0];
    const bool is_old = s->line != p->line;
    const agw_ns from = now + length_of(p, p->pending);
    const agw_ns early = is_old ? 0 : due_at(p, s->timestamp) - from;
    const size_t n = early > 0 ? (size_t)(early / 1000 * p->rate_hz / 1000000) : 0;
    if (n > 0) {
        p->state = RESTING;
        rest(p, n);
        return;
    }
    begin_packet(p);
    decode(p);
}

/* Nothing is there. */
static void wait(agw_playout *p)
{
    if (p->state == SPEAKING)
        p->held += conceal_or_rest(p, p->step, false);
    else
        rest(p, p->frame);
}

/* At least one sample more. */
static void produce(agw_playout *p, agw_ns now)
{
    if (p->at < p->current.n_frames) {
        decode(p);
        return;
    }
    if (p->n_slots == 0) {
        wait(p);
        return;
    }
    const slot *s = &p->slots[0];
    settle(p, s);
    const bool joins = p->state == SPEAKING && s->line == p->playing_line;
    const uint32_t gap = s->timestamp - p->next;
    if (joins && (int32_t)gap <= 0) {
        begin_packet(p);
        decode(p);
    } else if (joins && s->seq != (uint16_t)(p->last_seq + 1)) {
        bridge_loss(p, gap);
    } else {
        begin_spurt(p, now); /* after a pause: in sequence, and yet later */
    }
}

/* One frame more where it is there, to look at two pitch periods. */
static void look_ahead(agw_playout *p)
{
    while (p->pending < samples_of_ms(p, LOOK_MS)) {
        const bool has_frame = p->at < p->current.n_frames;
        const slot *s = &p->slots[0];
        const bool has_next = p->n_slots != 0 && s->line == p->playing_line &&
                              s->input == p->playing && (int32_t)(s->timestamp - p->next) <= 0;
        if (!has_frame && !has_next)
            return;
        if (!has_frame)
            begin_packet(p);
        decode(p);
    }
}

static bool can_adapt(const agw_playout *p)
{
    return p->state == SPEAKING && p->playing_line == p->line && p->made_up == 0;
}

/* How far the end of the step that is taken next will then be behind its due time: a packet that
 * begins right before it must have come. That is as far as its beginning is now. */
static agw_ns behind_of(const agw_playout *p, agw_ns now)
{
    if (!can_adapt(p))
        return 0;
    return now - due_at(p, p->next - units_of(p, p->pending));
}

/* Makes what waits longer or shorter by a pitch period when the delay is not the wanted one. */
static void adapt(agw_playout *p)
{
    if (p->rest > 0)
        p->rest--;
    const bool urgent = p->behind > AGW_MS(URGENT_MS) || p->behind < -AGW_MS(URGENT_MS);
    if (!can_adapt(p) || (p->rest > 0 && !urgent))
        return;
    const agw_stretch_how how = {.rate_hz = p->rate_hz,
                                 .likeness = urgent ? URGENT_LIKE : LIKE,
                                 .quiet = p->background * QUIET};
    size_t n = 0;
    const agw_ns slack = agw_jitter_delay(&p->jitter) / SLACK; /* a long delay is known less well */
    if (p->behind > BEHIND + slack) {
        look_ahead(p);
        n = agw_stretch_shorten(&how, p->pcm, p->pending);
        p->pending -= n;
        p->behind -= length_of(p, n);
        p->stats.shortened_ms += n * 1000 / p->rate_hz;
    } else if (p->behind < -AHEAD - slack / 2) {
        n = agw_stretch_lengthen(&how, p->pcm, p->pending, p->capacity);
        p->pending += n;
        p->behind += length_of(p, n);
        p->stats.stretched_ms += n * 1000 / p->rate_hz;
    }
    if (n != 0)
        p->rest = REST_MS / STEP_MS;
}

/* Several takes at one time are one turn (an encoder that wants 60 ms): the last of them is the one
 * that a packet may come too late for, so it says how far behind we are. */
static void note_turn(agw_playout *p, agw_ns now)
{
    if (now - p->turn_at > STEP / 2) {
        p->behind = p->turn_behind;
        p->turn_at = now;
    }
}

static void give(agw_playout *p, int16_t *pcm)
{
    const size_t past = samples_of_ms(p, PAST_MS);
    memcpy(pcm, p->pcm, p->step * sizeof *pcm);
    p->pending -= p->step;
    memmove(p->memory, p->memory + p->step, (past + p->pending) * sizeof *pcm);
}

bool agw_playout_take(agw_playout *p, agw_ns now, int16_t *pcm)
{
    if (p->state == SILENT && p->n_slots == 0) {
        memset(pcm, 0, p->step * sizeof *pcm);
        return false;
    }
    note_turn(p, now);
    while (p->pending < p->step)
        produce(p, now);
    adapt(p);
    while (p->pending < p->step)
        produce(p, now);
    p->turn_behind = behind_of(p, now);
    give(p, pcm);
    return p->state == SPEAKING;
}

uint32_t agw_playout_timestamp(const agw_playout *p)
{
    return p->next - units_of(p, p->pending) + units_of(p, p->held);
}

void agw_playout_get_stats(const agw_playout *p, agw_playout_stats *out)
{
    *out = p->stats;
    const agw_ns jitter = agw_jitter_delay(&p->jitter), least = least_delay(p);
    const agw_ns target = (jitter > least ? jitter : least) + AHEAD;
    const agw_ns delay = target + p->behind;
    out->target_delay_us = (uint32_t)(target / 1000);
    out->delay_us = delay > 0 ? (uint32_t)(delay / 1000) : 0;
}
