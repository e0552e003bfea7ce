/* SPDX-License-Identifier: BSD-3-Clause
 * Mode delay: how much later speech is heard through a gateway that changes its codec. Both ways of
 * one call; what arrives is decoded and laid over what was said. Beside it what the codecs do to
 * the time alone: the same packets decoded, and decoded, encoded anew and decoded, with no network.
 */
#include "bench/load/modes.h"

#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "rtp/header.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECONDS = 12,
    PACKETS = SECONDS * 55,
    HEARD = SECONDS * KIT_SPEECH_HZ,
    FROM = 5 * KIT_SPEECH_HZ, /* the jitter buffer has settled ... */
    LENGTH = 5 * KIT_SPEECH_HZ,
    LAG_MAX = KIT_SPEECH_HZ / 2,
    FRAME = 960,
};

typedef struct arrival {
    agw_ns at;
    uint32_t timestamp;
    uint16_t len;
    uint8_t payload[400];
} arrival;

/* What one party hears. */
typedef struct ear {
    size_t n;
    arrival packets[PACKETS];
    int16_t pcm[HEARD];
} ear;

typedef struct delay {
    kit_load *l;
    kit_call call;
    kit_pacer pacer;
    kit_seat seat[2];
    agw_ns began_at[2]; /* of what A, B says */
    ear ear[2];
    bool settled;
} delay;

static kit_side other(kit_side side)
{
    return side == KIT_A ? KIT_B : KIT_A;
}

static void on_up(kit_call *call)
{
    delay *d = call->config.owner;
    d->settled = true;
}

static void on_rtp(kit_call *call, kit_side at, const uint8_t *rtp, size_t len, kit_finding finding)
{
    delay *d = call->config.owner;
    ear *e = &d->ear[at];
    agw_rtp_header h;
    if (finding != KIT_GOOD || e->n == PACKETS || agw_rtp_parse(&h, rtp, len) != AGW_OK)
        return;
    arrival *a = &e->packets[e->n];
    if (h.payload_len > sizeof a->payload)
        return;
    e->n++;
    *a = (arrival){
        .at = call->checker[at].last_at, .timestamp = h.timestamp, .len = (uint16_t)h.payload_len};
    memcpy(a->payload, rtp + h.header_len, h.payload_len);
}

static void send_piece(void *stream)
{
    const kit_seat *seat = stream;
    delay *d = seat->call->config.owner;
    if (d->began_at[seat->side] == 0)
        d->began_at[seat->side] = agw_clock_now();
    kit_call_send(seat->call, seat->side);
}

static bool is_settled(void *owner)
{
    const delay *d = owner;
    return d->settled;
}

/* --- laying one over the other ----------------------------------------------------------------
 */

/* Samples by which `heard` is behind `said` where both are most alike. heard: LENGTH + LAG_MAX. */
static size_t lag_of(const int16_t *said, const int16_t *heard)
{
    size_t best = 0;
    double most = -1;
    for (size_t lag = 0; lag < LAG_MAX; lag++) {
        double sum = 0;
        for (size_t i = 0; i < LENGTH; i += 2)
            sum += (double)said[i] * heard[i + lag];
        if (sum > most) {
            most = sum;
            best = lag;
        }
    }
    return best;
}

static size_t decode_payload(agw_decoder *d, const uint8_t *payload, size_t len, int16_t *pcm)
{
    agw_payload parts;
    size_t n = 0;
    if (agw_decoder_split(d, payload, len, &parts) != AGW_OK)
        return 0;
    for (unsigned i = 0; i < parts.n_frames; i++)
        n += agw_decoder_decode(d, &parts.frames[i], pcm + n, FRAME - n);
    return n;
}

static void decode_voice(const kit_voice *v, uint32_t rate_hz, int16_t *pcm, size_t room)
{
    agw_decoder *d = agw_decoder_new(&v->format, rate_hz);
    AGW_ASSERT(d != NULL);
    for (size_t i = 0; i * rate_hz / 50 + FRAME <= room; i++) {
        const kit_voice_piece *p = &v->pieces[i % v->n];
        decode_payload(d, v->bytes + p->at, p->len, pcm + i * rate_hz / 50);
    }
    agw_decoder_free(d);
}

/* What the codecs alone make of what that side says: its own, and then the other one's. */
static void recode(kit_voice *const voices[2], kit_side from, int16_t *pcm, size_t room)
{
    const agw_codec_format in = voices[from]->format, out = voices[other(from)]->format;
    const uint32_t a = agw_codec_audio_hz(&in), b = agw_codec_audio_hz(&out);
    const uint32_t rate_hz = a < b ? a : b;
    int16_t *between = calloc(room * 3, sizeof *between);
    agw_encoder *e = agw_encoder_new(&out, rate_hz);
    agw_decoder *d = agw_decoder_new(&out, KIT_SPEECH_HZ);
    AGW_ASSERT(between != NULL && e != NULL && d != NULL);
    decode_voice(voices[from], rate_hz, between, room * rate_hz / KIT_SPEECH_HZ);
    for (size_t i = 0; i * KIT_SPEECH_PIECE + FRAME <= room; i++) {
        uint8_t payload[400];
        const size_t len = agw_encoder_encode(e, between + i * rate_hz / 50, rate_hz / 50, -1,
                                              payload, sizeof payload);
        decode_payload(d, payload, len, pcm + i * KIT_SPEECH_PIECE);
    }
    agw_encoder_free(e);
    agw_decoder_free(d);
    free(between);
}

static int by_value(const void *a, const void *b)
{
    const agw_ns x = *(const agw_ns *)a, y = *(const agw_ns *)b;
    return (x > y) - (x < y);
}

/* Decodes what arrived; returns when its first sample was heard, by the median of all packets. */
static agw_ns hear(ear *e, const agw_codec_format *format)
{
    static agw_ns firsts[PACKETS];
    agw_decoder *d = agw_decoder_new(format, KIT_SPEECH_HZ);
    AGW_ASSERT(d != NULL && e->n != 0);
    for (size_t i = 0; i < e->n; i++) {
        const arrival *a = &e->packets[i];
        const uint32_t units = a->timestamp - e->packets[0].timestamp;
        const size_t at = (size_t)((uint64_t)units * KIT_SPEECH_HZ / format->clock_hz);
        firsts[i] = a->at - (agw_ns)units * AGW_S(1) / (agw_ns)format->clock_hz;
        if (at + FRAME <= HEARD)
            decode_payload(d, a->payload, a->len, e->pcm + at);
    }
    agw_decoder_free(d);
    qsort(firsts, e->n, sizeof *firsts, by_value);
    return firsts[e->n / 2];
}

/* --- one way ----------------------------------------------------------------------------------
 */

static int64_t us_of(int64_t samples)
{
    return samples * 1000000 / KIT_SPEECH_HZ;
}

/* The stream begins within the speech at a piece of its own (kit/stream.c). */
static const int16_t *said_by(const delay *d, const kit_speech *speech, kit_side from,
                              int16_t *unrolled)
{
    const size_t first = d->call.sender[from].stream * 97 * (size_t)KIT_SPEECH_PIECE;
    for (size_t i = 0; i < HEARD; i++)
        unrolled[i] = speech->pcm[(first + i) % speech->samples];
    return unrolled;
}

static void report_way(delay *d, const kit_speech *speech, kit_side from)
{
    static int16_t said[HEARD], alone[HEARD];
    kit_report *r = &d->l->report;
    kit_voice *const *voices = d->l->options.voices;
    ear *e = &d->ear[other(from)];
    const agw_codec_format out = voices[other(from)]->format;
    decode_voice(voices[from], KIT_SPEECH_HZ, alone, HEARD);
    const size_t own = lag_of(speech->pcm + FROM, alone + FROM);
    recode(voices, from, alone, HEARD);
    const size_t both = lag_of(speech->pcm + FROM, alone + FROM);
    said_by(d, speech, from, said);
    const agw_ns first = hear(e, &out);
    /* heard sample 0 is at `first`, said sample 0 at began_at: so many samples are before it */
    const int64_t before = (first - d->began_at[from]) * KIT_SPEECH_HZ / AGW_S(1);
    const int64_t from_heard = FROM - before;
    AGW_ASSERT(from_heard > 0 && from_heard + LENGTH + LAG_MAX <= HEARD);
    const size_t through = lag_of(said + FROM, e->pcm + from_heard);
    kit_report_open(r, from == KIT_A ? "a_to_b" : "b_to_a");
    kit_report_int(r, "heard_us", us_of((int64_t)through));
    kit_report_int(r, "codec_of_the_sender_us", us_of((int64_t)own));
    kit_report_int(r, "both_codecs_us", us_of((int64_t)both));
    kit_report_int(r, "added_us", us_of((int64_t)through - (int64_t)own));
    kit_report_int(r, "added_beyond_codecs_us", us_of((int64_t)through - (int64_t)both));
    kit_report_close(r);
    fprintf(stderr, "load: %c speaks: heard after %.1f ms, codecs alone %.1f ms\n", "ab"[from],
            (double)us_of((int64_t)through) / 1e3, (double)us_of((int64_t)both) / 1e3);
}

static void talk(delay *d)
{
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        d->seat[side] = (kit_seat){.call = &d->call, .side = side};
        kit_pacer_join(&d->pacer, &d->seat[side]);
    }
    d->l->world.tick = d->l->options.tick;
    kit_world_for(&d->l->world, AGW_S(SECONDS) - AGW_MS(500));
    d->l->world.tick = 0;
}

static agw_dtls_ctx *new_dtls(void)
{
    agw_dtls_ctx *ctx =
        agw_dtls_ctx_new(agw_cert_new(), agw_srtp_suite_get(AGW_SRTP_AES_CM_128_80)->use_srtp);
    AGW_ASSERT(ctx != NULL);
    return ctx;
}

void kit_mode_delay(kit_load *l)
{
    static delay d;
    kit_speech speech;
    const kit_options *o = &l->options;
    if (o->pair == NULL || kit_speech_read(&speech, o->speech, 0) != AGW_OK) {
        kit_load_doubt(l, true, "delay wants a pair and speech");
        return;
    }
    agw_dtls_ctx *dtls = new_dtls();
    const kit_call_config config = {.kind = o->kind,
                                    .dtls = dtls,
                                    .pair = o->pair,
                                    .voices = o->voices,
                                    .rtcp_every = AGW_S(5),
                                    .on_up = on_up,
                                    .on_rtp = on_rtp,
                                    .owner = &d};
    const kit_pacer_config pacer = {
        .period = AGW_MS(KIT_VOICE_MS), .slots = 2, .tick = o->tick, .send = send_piece};
    d.l = l;
    kit_pacer_init(&d.pacer, &l->world, &pacer);
    kit_call_init(&d.call, &l->world, &config, l->world.last_host);
    kit_call_start(&d.call);
    kit_world_until(&l->world, is_settled, &d, AGW_S(10));
    kit_load_doubt(l, d.call.failure != NULL || !d.settled, "the call did not come up");
    if (l->doubt == NULL) {
        talk(&d);
        report_way(&d, &speech, KIT_A);
        report_way(&d, &speech, KIT_B);
    }
    kit_call_fini(&d.call);
    kit_pacer_fini(&d.pacer);
    agw_dtls_ctx_unref(dtls);
    kit_speech_fini(&speech);
}
