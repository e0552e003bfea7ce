/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/shield.h"

#include "agw/transcode.h"
#include "base/rand.h"
#include "base/wire.h"
#include "codecs/encoder.h"
#include "rtp/event.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PADDING = 0x20,
    SAMPLES_MAX = 48 * 120,
    MS_PER_S = 1000,
    FULL_DBM0_X10 = 31, /* a sine of full scale has 3.14 dBm0 (G.711) */
    FULL_SCALE = 32767,
};

/* Audio in the codec of one payload type. */
typedef struct voice {
    uint8_t pt;
    agw_codec_format format;
    agw_encoder *encoder; /* of audio at audio_hz; NULL = it cannot be made */
    uint32_t audio_hz;
} voice;

struct agw_shield {
    agw_shield_plan plan;
    size_t n;
    voice voices[AGW_PLAN_AUDIO_MAX];
    uint8_t spoken; /* index of voices: the last that came */

    /* the event that is being replaced */
    bool has_event;
    agw_rtp_event event; /* as far as its segment is known */
    uint32_t timestamp;  /* of the segment */
    uint32_t done;       /* units of it up to which audio has been put in */
    uint8_t digit;       /* AGW_SHIELD_RANDOM: its stand-in */
    uint8_t tone;        /* index of plan.tones_hz */
};

static bool makes_audio(const agw_shield_plan *plan)
{
    return plan->mode == AGW_SHIELD_SILENCE || plan->mode == AGW_SHIELD_TONE;
}

/* --- life --------------------------------------------------------------------------------------
 */

static bool is_same(const agw_shield *s, const agw_end_plan *plan)
{
    const agw_shield_plan *a = &s->plan, *b = &plan->shield;
    if (a->mode != b->mode || a->digit != b->digit || a->volume != b->volume ||
        memcmp(a->tones_hz, b->tones_hz, sizeof a->tones_hz) != 0 || s->n != plan->n_audios)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        if (s->voices[i].pt != plan->audios[i].pt ||
            !agw_codec_format_equal(&s->voices[i].format, &plan->audios[i].format))
            return false;
    }
    return true;
}

static void make_voice(voice *v, const agw_audio_plan *audio)
{
    v->pt = audio->pt;
    v->format = audio->format;
    v->audio_hz = agw_codec_audio_hz(&audio->format);
    v->encoder = audio->is_red ? NULL : agw_encoder_new(&audio->format, v->audio_hz);
}

void agw_shield_apply(agw_end *end, const agw_end_plan *plan)
{
    const bool wanted = (plan->acts & AGW_ACT_BLOCK_DTMF) && plan->shield.mode != AGW_SHIELD_DROP;
    if (wanted && end->shield != NULL && is_same(end->shield, plan))
        return;
    agw_shield_free(end->shield);
    end->shield = NULL;
    if (!wanted)
        return;
    agw_shield *s = calloc(1, sizeof *s);
    AGW_ASSERT(s != NULL && plan->n_audios <= AGW_PLAN_AUDIO_MAX);
    s->plan = plan->shield;
    s->n = plan->n_audios;
    for (size_t i = 0; makes_audio(&s->plan) && i < s->n; i++)
        make_voice(&s->voices[i], &plan->audios[i]);
    end->shield = s;
}

void agw_shield_free(agw_shield *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        agw_encoder_free(s->voices[i].encoder);
    free(s);
}

/* --- packets -----------------------------------------------------------------------------------
 */

void agw_shield_note(agw_end *end, uint8_t pt)
{
    agw_shield *s = end->shield;
    for (size_t i = 0; s != NULL && i < s->n; i++) {
        if (s->voices[i].pt == pt && s->voices[i].encoder != NULL)
            s->spoken = (uint8_t)i;
    }
}

static void choose_stand_in(agw_shield *s)
{
    s->tone = s->has_event ? (uint8_t)((s->tone + 1) % AGW_PLAN_TONES_MAX) : 0;
    if (s->plan.tones_hz[s->tone] == 0)
        s->tone = 0; /* the list is over: from the beginning */
    s->digit = (uint8_t)(agw_rand32() % AGW_RTP_EVENT_DIGITS);
}

/* A segment of an event that goes on (RFC 4733 section 2.5.1.3) keeps its stand-in. */
static void note_event(agw_shield *s, const agw_rtp_event *event, uint32_t timestamp,
                       uint32_t clock_hz)
{
    if (s->has_event && s->timestamp == timestamp) {
        s->event.end = s->event.end || event->end;
        if (event->duration > s->event.duration)
            s->event.duration = event->duration;
        return;
    }
    if (!s->has_event ||
        !agw_rtp_event_goes_on(&s->event, event, timestamp - s->timestamp, clock_hz))
        choose_stand_in(s);
    s->has_event = true;
    s->event = *event;
    s->timestamp = timestamp;
    s->done = 0;
}

/* All events of the packet, which follow each other (RFC 4733 section 2.5.1.5). */
static void write_digits(const agw_shield *s, uint8_t *payload, size_t len)
{
    agw_rtp_event event;
    const uint8_t digit = s->plan.mode == AGW_SHIELD_RANDOM ? s->digit : s->plan.digit;
    for (size_t at = 0; agw_rtp_event_parse(&event, payload + at, len - at) == AGW_OK;
         at += AGW_RTP_EVENT_BYTES) {
        event.event = digit;
        event.volume = s->plan.volume;
        agw_rtp_event_write(&event, payload + at);
    }
}

/* n samples, from that many after the event's beginning on. */
static void sing(const agw_shield *s, uint32_t hz, size_t from, int16_t *pcm, size_t n)
{
    const double db = FULL_DBM0_X10 / 10.0 + s->plan.volume; /* below full scale */
    const double level = FULL_SCALE * pow(10, -db / 20);
    const double step = 2 * M_PI * s->plan.tones_hz[s->tone] / hz;
    for (size_t i = 0; i < n; i++)
        pcm[i] =
            s->plan.mode == AGW_SHIELD_TONE ? (int16_t)(level * sin(step * (double)(from + i))) : 0;
}

/* One packet of audio for the end of the time that the event has lasted by now; false: it is not so
 * long since the last one. wish: of who hears it, for this codec; NULL = not known. */
static bool write_audio(agw_shield *s, agw_pkt *pkt, const agw_rtp_header *h,
                        const agw_rtp_event *event, uint32_t clock_hz, const agw_encoder_wish *wish)
{
    int16_t pcm[SAMPLES_MAX];
    const voice *v = &s->voices[s->spoken];
    if (s->n == 0 || v->encoder == NULL || v->format.clock_hz != clock_hz)
        return false;
    const uint32_t units = clock_hz / MS_PER_S * v->format.ptime_ms;
    const size_t n = (size_t)v->audio_hz / MS_PER_S * v->format.ptime_ms;
    if (event->duration < s->done + units || n > SAMPLES_MAX)
        return false;
    const uint32_t from = event->duration - units;
    sing(s, v->audio_hz, (size_t)((uint64_t)from * v->audio_hz / clock_hz), pcm, n);
    if (wish != NULL)
        agw_encoder_adapt(v->encoder, wish);
    const size_t len = agw_encoder_encode(v->encoder, pcm, n, -1, pkt->data + h->header_len,
                                          h->payload_len + agw_pkt_room(pkt));
    agw_rtp_set_pt(pkt->data, v->pt);
    agw_put32(pkt->data + 4, s->timestamp + from);
    pkt->data[0] &= (uint8_t)~PADDING;
    pkt->len = h->header_len + len;
    s->done = event->duration;
    return len != 0; /* DTX */
}

/* Who hears that side asks for it where a chain speaks the codec to it beside what passes. */
static const agw_encoder_wish *wish_of(const agw_media *m, agw_side side, const agw_shield *s)
{
    const agw_side to = side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
    return agw_transcode_wish(m, to, s->voices[s->spoken].format.id);
}

bool agw_shield_replace(agw_media *m, agw_side side, agw_pkt *pkt, const agw_rtp_header *h,
                        uint32_t clock_hz)
{
    agw_shield *s = m->end[side].shield;
    agw_rtp_event event;
    if (s == NULL)
        return false;
    if (agw_rtp_event_parse(&event, pkt->data + h->header_len, h->payload_len) != AGW_OK)
        return !makes_audio(&s->plan); /* it holds no digit */
    note_event(s, &event, h->timestamp, clock_hz);
    if (makes_audio(&s->plan))
        return write_audio(s, pkt, h, &event, clock_hz, wish_of(m, side, s));
    write_digits(s, pkt->data + h->header_len, h->payload_len);
    return true;
}
