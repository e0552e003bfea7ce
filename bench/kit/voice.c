/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/voice.h"

#include "codecs/decoder.h"
#include "codecs/encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TALK_MS = 3000, /* between two pauses */
    SAMPLES_PER_MS = KIT_SPEECH_HZ / 1000,
    ROOM_NOISE = 16, /* from top to bottom */
    PACKET_MAX = 400,
};

static size_t file_samples(FILE *f)
{
    if (fseek(f, 0, SEEK_END) != 0)
        return 0;
    const long bytes = ftell(f);
    rewind(f);
    return bytes > 0 ? (size_t)bytes / sizeof(int16_t) : 0;
}

static void add_noise(int16_t *pcm, size_t n, uint32_t *random)
{
    for (size_t i = 0; i < n; i++) {
        *random = *random * 1664525u + 1013904223u;
        pcm[i] = (int16_t)((int)(*random >> 16) * ROOM_NOISE / 65536 - ROOM_NOISE / 2);
    }
}

/* The speech in parts of TALK_MS, each with its pause behind it. */
static void spread(kit_speech *out, const int16_t *said, size_t n, unsigned pause_percent)
{
    const size_t talk = (size_t)TALK_MS * SAMPLES_PER_MS;
    const size_t pause = talk * pause_percent / (100 - pause_percent);
    uint32_t random = 1;
    for (size_t at = 0; at + talk <= n; at += talk) {
        memcpy(out->pcm + out->samples, said + at, talk * sizeof *said);
        add_noise(out->pcm + out->samples + talk, pause, &random);
        out->samples += talk + pause;
    }
    out->samples -= out->samples % KIT_SPEECH_PIECE;
}

agw_err kit_speech_read(kit_speech *out, const char *path, unsigned pause_percent)
{
    AGW_ASSERT(pause_percent < 100);
    *out = (kit_speech){.pcm = NULL};
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return AGW_ERR_SYSTEM;
    const size_t n = file_samples(f);
    int16_t *said = calloc(n + 1, sizeof *said);
    out->pcm = calloc((n + 1) * 100 / (100 - pause_percent) + 1, sizeof *out->pcm);
    AGW_ASSERT(said != NULL && out->pcm != NULL);
    const bool whole = fread(said, sizeof *said, n, f) == n;
    fclose(f);
    if (whole)
        spread(out, said, n, pause_percent);
    free(said);
    if (out->samples >= KIT_SPEECH_HZ)
        return AGW_OK;
    kit_speech_fini(out);
    return AGW_ERR_SYSTEM;
}

void kit_speech_fini(kit_speech *s)
{
    free(s->pcm);
    *s = (kit_speech){.pcm = NULL};
}

kit_voice *kit_voice_new(const agw_codec_format *format, const kit_speech *speech,
                         unsigned loss_percent)
{
    kit_voice *v = calloc(1, sizeof *v);
    agw_encoder *e = agw_encoder_new(format, KIT_SPEECH_HZ);
    AGW_ASSERT(v != NULL && e != NULL);
    agw_encoder_adapt(
        e, &(agw_encoder_wish){.mode_request = -1, .loss_percent = (uint8_t)loss_percent});
    v->format = *format;
    v->n = speech->samples / KIT_SPEECH_PIECE;
    v->pieces = calloc(v->n, sizeof *v->pieces);
    v->bytes = malloc(v->n * PACKET_MAX);
    AGW_ASSERT(v->pieces != NULL && v->bytes != NULL);
    uint32_t at = 0;
    for (size_t i = 0; i < v->n; i++) {
        const size_t len = agw_encoder_encode(e, speech->pcm + i * KIT_SPEECH_PIECE,
                                              KIT_SPEECH_PIECE, -1, v->bytes + at, PACKET_MAX);
        v->pieces[i] = (kit_voice_piece){.at = at, .len = (uint16_t)len};
        at += (uint32_t)len;
    }
    agw_encoder_free(e);
    return v;
}

void kit_voice_free(kit_voice *v)
{
    if (v == NULL)
        return;
    free(v->pieces);
    free(v->bytes);
    free(v);
}

unsigned kit_voice_silence(const kit_voice *v)
{
    size_t silent = 0;
    agw_decoder *d = agw_decoder_new(&v->format, KIT_SPEECH_HZ);
    AGW_ASSERT(d != NULL && v->n != 0);
    for (size_t i = 0; i < v->n; i++) {
        const kit_voice_piece *p = &v->pieces[i];
        agw_payload parts = {.n_frames = 0};
        const bool has = p->len != 0 &&
                         agw_decoder_split(d, v->bytes + p->at, p->len, &parts) == AGW_OK &&
                         parts.frames[0].kind == AGW_FRAME_SPEECH;
        silent += !has;
    }
    agw_decoder_free(d);
    return (unsigned)(silent * 1000 / v->n);
}
