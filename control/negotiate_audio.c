/* SPDX-License-Identifier: BSD-3-Clause
 * What a party's audio is, for those who make some of their own. */
#include "codecs/encoder.h"
#include "control/negotiate_state.h"

#include <stdlib.h>
#include <string.h>

/* AGW_CODEC_NONE: it is no codec of ours, or this party does not speak it. */
static agw_codec_format format_of(const agw_row *row, agw_side side)
{
    const bool spoken = row->active || (row->chained >> side & 1) != 0;
    return spoken && !row->aux ? agw_row_format(row, side) : (agw_codec_format){0};
}

/* The first codec that it takes, if we can encode it. */
static bool first_codec(const agw_line *line, agw_side side, agw_hearing *out)
{
    for (guint i = 0; i < line->rows->len; i++) {
        const agw_row *row = agw_line_row(line, i);
        out->pt = row->want[side];
        out->format = format_of(row, side);
        if (agw_codec_can_encode(out->format.id))
            return true;
    }
    return false;
}

static bool is_audible(const agw_line *line)
{
    return line->live && line->now != NULL && line->kind == AGW_MEDIA_AUDIO && !line->passes;
}

bool agw_session_hears(const agw_session *session, agw_side side, agw_hearing *out)
{
    const agw_state *state = session->current;
    for (guint i = 0; state != NULL && i < state->lines->len; i++) {
        const agw_line *line = agw_state_line(state, i);
        if (!is_audible(line))
            continue;
        const agw_chain_plan *chain = line->chain[agw_side_other(side)];
        out->media_id = line->id;
        if (chain != NULL) {
            out->pt = chain->out_pt;
            out->format = chain->out;
            return true;
        }
        if (first_codec(line, side, out))
            return true;
    }
    return false;
}

/* --- the inside of a party's audio -------------------------------------------------------------
 */

enum { SETTLED = 10, SAMPLES_MAX = 48 * 120 };

/* Codecs of octets that stand for themselves: any length of silence is silence. */
static bool is_octets(uint8_t id)
{
    return id == AGW_CODEC_PCMU || id == AGW_CODEC_PCMA || id == AGW_CODEC_L16 ||
           id == AGW_CODEC_G722;
}

/* What the encoder makes of silence once it has settled. */
static void fill_silence(agw_audio_plan *a)
{
    static const int16_t SILENT[SAMPLES_MAX];
    uint8_t payload[1500];
    const uint32_t hz = agw_codec_info_of(a->format.id)->audio_hz;
    const size_t n = hz / 1000 * a->format.ptime_ms;
    agw_encoder *e = agw_encoder_new(&a->format, hz);
    for (int i = 0; e != NULL && i < SETTLED; i++) {
        const size_t len = agw_encoder_encode(e, SILENT, n, -1, payload, sizeof payload);
        a->silence_repeats = is_octets(a->format.id);
        if (len == 0 || (!a->silence_repeats && len > AGW_PLAN_SILENCE_MAX))
            continue;
        a->silence_len = (uint8_t)MIN(len, AGW_PLAN_SILENCE_MAX);
        memcpy(a->silence, payload, a->silence_len);
    }
    agw_encoder_free(e);
}

static agw_audio_plan *add_audio(agw_audio_plan *audios, uint8_t *n, uint8_t pt,
                                 const agw_codec_format *format)
{
    for (uint8_t i = 0; i < *n; i++) {
        if (audios[i].pt == pt)
            return NULL;
    }
    if (*n == AGW_PLAN_AUDIO_MAX || agw_codec_info_of(format->id) == NULL)
        return NULL;
    agw_audio_plan *audio = &audios[(*n)++];
    audio->pt = pt;
    audio->format = *format;
    return audio;
}

/* RED holds what the party speaks otherwise. */
static void add_red(agw_audio_plan *audios, uint8_t *n, uint8_t pt)
{
    agw_audio_plan *audio = *n != 0 ? add_audio(audios, n, pt, &audios[0].format) : NULL;
    if (audio != NULL)
        audio->is_red = true;
}

static void add_chained(const agw_chain_plan *chain, agw_audio_plan *audios, uint8_t *n)
{
    for (uint8_t i = 0; chain != NULL && i < chain->n_inputs; i++) {
        const agw_chain_input *in = &chain->inputs[i];
        if (!in->is_event && !in->is_noise && !in->is_red)
            (void)add_audio(audios, n, in->pt, &in->format);
    }
}

/* A party sends our numbers, and some send their own. */
static void add_rows(const agw_line *line, agw_side side, agw_audio_plan *audios, uint8_t *n)
{
    for (guint i = 0; i < line->rows->len; i++) {
        const agw_row *row = agw_line_row(line, i);
        const agw_codec_format format = format_of(row, side);
        (void)add_audio(audios, n, row->pt[side], &format);
        (void)add_audio(audios, n, row->want[side], &format);
    }
    for (guint i = 0; i < line->rows->len; i++) {
        const agw_row *row = agw_line_row(line, i);
        if (g_ascii_strcasecmp(row->name, "red") != 0)
            continue;
        add_red(audios, n, row->pt[side]);
        add_red(audios, n, row->want[side]);
    }
}

static const agw_line *line_of(const agw_session *s, uint32_t media_id)
{
    for (guint i = 0; i < s->current->lines->len; i++) {
        const agw_line *line = agw_state_line(s->current, i);
        if (line->id == media_id && is_audible(line))
            return line;
    }
    return NULL;
}

static agw_audio_plan *room_in(agw_plan *plan, size_t end)
{
    if (plan->audios == NULL)
        plan->audios = calloc(2 * plan->n_medias * AGW_PLAN_AUDIO_MAX, sizeof *plan->audios);
    AGW_ASSERT(plan->audios != NULL);
    return plan->audios + end * AGW_PLAN_AUDIO_MAX;
}

/* Whether it matters what the party's audio is. */
static bool is_looked_into(const agw_end_plan *end)
{
    const bool sings =
        end->shield.mode == AGW_SHIELD_SILENCE || end->shield.mode == AGW_SHIELD_TONE;
    return (end->acts & (AGW_ACT_SILENCE | AGW_ACT_DETECT | AGW_ACT_TAP)) != 0 ||
           ((end->acts & AGW_ACT_BLOCK_DTMF) && sings);
}

void agw_plan_audios(const agw_session *s, agw_plan *plan)
{
    for (size_t i = 0; i < 2 * plan->n_medias; i++) {
        agw_end_plan *end = &plan->medias[i / 2].end[i % 2];
        const agw_line *line = line_of(s, plan->medias[i / 2].id);
        if (!is_looked_into(end))
            continue;
        if (end->acts & (AGW_ACT_SILENCE | AGW_ACT_DETECT))
            end->acts |= AGW_ACT_INBAND;
        if ((end->acts & AGW_ACT_PASS) && (end->acts & AGW_ACT_SILENCE))
            end->acts |= AGW_ACT_BLOCK; /* secured by the parties: silence cannot be put in */
        if (line == NULL)
            continue;
        agw_audio_plan *audios = room_in(plan, i);
        add_chained(end->chain, audios, &end->n_audios);
        add_rows(line, (agw_side)(i % 2), audios, &end->n_audios);
        for (uint8_t a = 0; (end->acts & AGW_ACT_SILENCE) && a < end->n_audios; a++) {
            if (!audios[a].is_red)
                fill_silence(&audios[a]);
        }
        end->audios = audios;
    }
}
