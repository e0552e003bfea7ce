/* SPDX-License-Identifier: BSD-3-Clause
 * What the codecs of a pair (bench/kit/pair.h) cost alone: the very packets that `load --pair=`
 * sends are decoded and encoded anew by the libraries, with what is missing made up, and nothing
 * around it. A whole speech at a time: talk and pauses cost differently. With as many calls as a
 * gateway has, a frame of each in turn, their states do not stay in the nearest caches; with one
 * they do. */
#include "bench/kit/pair.h"
#include "bench/kit/report.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PASSES = 5, SAMPLES = 960, CALLS_MAX = 1000 };

/* One direction of one call. */
typedef struct way {
    const kit_voice *voice;
    unsigned loss_percent;
    uint32_t random;
    size_t at; /* the next piece */
    bool paused;
    agw_decoder *decoder;
    agw_encoder *encoder;
    uint32_t rate_hz; /* at which both meet, as the gateway has it */
} way;

static agw_ns own_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return AGW_S(t.tv_sec) + t.tv_nsec;
}

static bool split(const way *w, size_t i, agw_payload *out)
{
    const kit_voice_piece *p = &w->voice->pieces[i % w->voice->n];
    return p->len != 0 &&
           agw_decoder_split(w->decoder, w->voice->bytes + p->at, p->len, out) == AGW_OK;
}

/* As a jitter buffer has it: FEC of the next packet, or else what the decoder makes of nothing. */
static size_t make_up(const way *w, size_t i, bool paused, int16_t *pcm)
{
    static const agw_frame nothing = {.kind = AGW_FRAME_NO_DATA};
    agw_payload next;
    if (paused)
        return agw_decoder_decode(w->decoder, &nothing, pcm, w->rate_hz / 50);
    const bool has_next = split(w, i + 1, &next);
    return agw_decoder_conceal(w->decoder, has_next ? &next.frames[0] : NULL, pcm, SAMPLES);
}

static void step(way *w)
{
    agw_payload parts;
    int16_t pcm[SAMPLES] = {0};
    uint8_t out[400];
    const bool has = split(w, w->at, &parts);
    const bool lost = has && kit_voice_is_lost(&w->random, w->loss_percent);
    if (has && !lost)
        agw_decoder_decode(w->decoder, &parts.frames[0], pcm, SAMPLES);
    else
        make_up(w, w->at, w->paused || !lost, pcm);
    if (!lost)
        w->paused = !has || parts.frames[0].kind == AGW_FRAME_SID;
    agw_encoder_encode(w->encoder, pcm, w->rate_hz / 50, -1, out, sizeof out);
    w->at = (w->at + 1) % w->voice->n;
}

static int by_value(const void *a, const void *b)
{
    const agw_ns x = *(const agw_ns *)a, y = *(const agw_ns *)b;
    return (x > y) - (x < y);
}

/* ns that so many frames of each call took, a frame. */
static agw_ns run(way *ways, size_t calls, size_t frames)
{
    AGW_ASSERT(calls != 0 && frames != 0);
    const agw_ns begin = own_cpu();
    for (size_t i = 0; i < frames; i++) {
        for (size_t c = 0; c < calls; c++)
            step(&ways[c]);
    }
    return (own_cpu() - begin) / (agw_ns)(frames * calls);
}

/* The median of some passes. In each the whole speech is said once, a part of it by each call. */
static agw_ns measure(way *ways, size_t calls)
{
    agw_ns times[PASSES];
    const size_t frames = (ways[0].voice->n + calls - 1) / calls;
    run(ways, calls, frames); /* warm */
    for (size_t i = 0; i < PASSES; i++)
        times[i] = run(ways, calls, frames);
    qsort(times, PASSES, sizeof *times, by_value);
    return times[PASSES / 2];
}

static agw_ns measure_way(const kit_pair *pair, kit_voice *const voices[2], kit_side from,
                          size_t calls)
{
    static way ways[CALLS_MAX];
    const kit_side to = from == KIT_A ? KIT_B : KIT_A;
    const agw_codec_format in = voices[from]->format, out = voices[to]->format;
    const uint32_t a = agw_codec_audio_hz(&in), b = agw_codec_audio_hz(&out);
    const agw_encoder_wish wish = {.mode_request = -1, .loss_percent = (uint8_t)pair->loss_percent};
    for (size_t c = 0; c < calls; c++) {
        way *w = &ways[c];
        *w = (way){.voice = voices[from],
                   .loss_percent = pair->loss_percent,
                   .at = c * voices[from]->n / calls,
                   .rate_hz = a < b ? a : b};
        w->decoder = agw_decoder_new(&in, w->rate_hz);
        w->encoder = agw_encoder_new(&out, w->rate_hz);
        AGW_ASSERT(w->decoder != NULL && w->encoder != NULL);
        agw_encoder_adapt(w->encoder, &wish);
    }
    const agw_ns ns = measure(ways, calls);
    for (size_t c = 0; c < calls; c++) {
        agw_decoder_free(ways[c].decoder);
        agw_encoder_free(ways[c].encoder);
    }
    return ns;
}

static int usage(void)
{
    fputs("usage: micro_transcode --pair=NAME --speech=FILE [--calls=N]\n", stderr);
    return 2;
}

int main(int argc, char *argv[])
{
    const kit_pair *pair = NULL;
    const char *speech = NULL;
    size_t calls = 1;
    kit_voice *voices[2];
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--pair=", 7) == 0)
            pair = kit_pair_find(argv[i] + 7);
        else if (strncmp(argv[i], "--speech=", 9) == 0)
            speech = argv[i] + 9;
        else if (strncmp(argv[i], "--calls=", 8) == 0)
            calls = strtoul(argv[i] + 8, NULL, 10);
        else
            return usage();
    }
    if (pair == NULL || speech == NULL || calls == 0 || calls > CALLS_MAX ||
        kit_pair_voices(pair, speech, voices) != AGW_OK)
        return usage();
    const agw_ns ab = measure_way(pair, voices, KIT_A, calls);
    const agw_ns ba = measure_way(pair, voices, KIT_B, calls);
    kit_report r;
    kit_report_begin(&r, stdout);
    kit_report_text(&r, "pair", pair->name);
    kit_report_int(&r, "calls", (agw_ns)calls);
    kit_report_int(&r, "a_to_b_ns_per_frame", ab);
    kit_report_int(&r, "b_to_a_ns_per_frame", ba);
    kit_report_int(&r, "ns_per_frame", (ab + ba) / 2);
    kit_report_end(&r);
    kit_voice_free(voices[KIT_A]);
    kit_voice_free(voices[KIT_B]);
    return 0;
}
