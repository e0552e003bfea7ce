/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/inband.h"

#include "agw/dtmf.h"
#include "codecs/decoder.h"
#include "codecs/tones.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES_MAX = 120 * AGW_TONES_HEARD_HZ / 1000, /* of one frame */
    DIGITS_MAX = 4,                                /* that end in one packet */
    PADDING = 0x20,
    ASKED = AGW_ACT_SILENCE | AGW_ACT_DETECT | AGW_ACT_TAP,
};

struct agw_inband {
    uint8_t acts; /* of ASKED */
    size_t n;
    agw_audio_plan audios[AGW_PLAN_AUDIO_MAX];
    agw_decoder *decoders[AGW_PLAN_AUDIO_MAX]; /* while digits are listened for */
    agw_tones *tones;
};

static size_t index_of(const agw_inband *b, uint8_t pt)
{
    size_t i = 0;
    while (i < b->n && b->audios[i].pt != pt)
        i++;
    return i;
}

static bool is_same(const agw_inband *b, const agw_end_plan *plan)
{
    return b->acts == (plan->acts & ASKED) && b->n == plan->n_audios &&
           (b->n == 0 || memcmp(b->audios, plan->audios, b->n * sizeof b->audios[0]) == 0);
}

void agw_inband_apply(agw_end *end, const agw_end_plan *plan)
{
    if (end->inband != NULL && is_same(end->inband, plan))
        return;
    agw_inband_free(end->inband);
    end->inband = NULL;
    if ((plan->acts & ASKED) == 0)
        return;
    agw_inband *b = calloc(1, sizeof *b);
    AGW_ASSERT(b != NULL && plan->n_audios <= AGW_PLAN_AUDIO_MAX);
    b->acts = plan->acts & ASKED;
    b->n = plan->n_audios;
    if (b->n != 0)
        memcpy(b->audios, plan->audios, b->n * sizeof b->audios[0]);
    end->inband = b;
    if ((plan->acts & AGW_ACT_DETECT) == 0)
        return;
    b->tones = agw_tones_new();
    AGW_ASSERT(b->tones != NULL);
    for (size_t i = 0; i < b->n && !b->audios[i].is_red; i++) /* these stand last */
        b->decoders[i] = agw_decoder_new(&b->audios[i].format, AGW_TONES_HEARD_HZ);
}

void agw_inband_free(agw_inband *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->n; i++)
        agw_decoder_free(b->decoders[i]);
    agw_tones_free(b->tones);
    free(b);
}

const agw_audio_plan *agw_inband_audio(const agw_end *end, uint8_t pt)
{
    const agw_inband *b = end->inband;
    const size_t i = b != NULL ? index_of(b, pt) : 0;
    return b != NULL && i < b->n ? &b->audios[i] : NULL;
}

bool agw_inband_silence(const agw_end *end, agw_pkt *pkt, const agw_rtp_header *h)
{
    const agw_inband *b = end->inband;
    if ((b->acts & AGW_ACT_SILENCE) == 0)
        return true;
    const size_t i = index_of(b, h->pt);
    if (i == b->n || b->audios[i].silence_len == 0)
        return false;
    const agw_audio_plan *a = &b->audios[i];
    uint8_t *payload = pkt->data + h->header_len;
    const size_t len = a->silence_repeats ? h->payload_len : a->silence_len;
    if (len > h->payload_len + agw_pkt_room(pkt))
        return false;
    for (size_t at = 0; at < len; at++)
        payload[at] = a->silence[at % a->silence_len];
    pkt->data[0] &= (uint8_t)~PADDING;
    pkt->len = h->header_len + len;
    return true;
}

static void hear_frame(agw_media *m, agw_side side, const int16_t *pcm, size_t n)
{
    agw_end *end = &m->end[side];
    agw_tones_digit digits[DIGITS_MAX];
    const size_t heard = agw_tones_hear(end->inband->tones, pcm, n, digits, DIGITS_MAX);
    for (size_t i = 0; i < heard && !end->heard.started; i++) {
        const agw_rtp_digit digit = {.event = digits[i].event,
                                     .volume = digits[i].volume,
                                     .duration_ms = digits[i].duration_ms};
        agw_dtmf_tell(m, side, &digit);
    }
}

void agw_inband_hear(agw_media *m, agw_side side, const uint8_t *rtp, const agw_rtp_header *h)
{
    agw_inband *b = m->end[side].inband;
    agw_payload payload;
    int16_t pcm[SAMPLES_MAX];
    const size_t i = b->tones != NULL ? index_of(b, h->pt) : b->n;
    if (i == b->n || b->decoders[i] == NULL ||
        agw_decoder_split(b->decoders[i], rtp + h->header_len, h->payload_len, &payload) != AGW_OK)
        return;
    for (size_t f = 0; f < payload.n_frames; f++) {
        const size_t n = agw_decoder_decode(b->decoders[i], &payload.frames[f], pcm, SAMPLES_MAX);
        hear_frame(m, side, pcm, n);
    }
}
