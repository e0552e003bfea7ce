/* SPDX-License-Identifier: BSD-3-Clause
 * What coding costs: 20 ms of a voice encoded and decoded by each codec, and taken from one into
 * the other, beside libopus alone at each complexity. Everything is decoded and encoded at the rate
 * that the pair is joined at: the lower one's. */
#include "bench/micro/micro.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "tests/codecs/signal.h"

#include <opus/opus.h>
#include <string.h>

enum { FRAMES = 200, PACKET = 400, SAMPLES = 960 };

/* A voice at each rate, and its packets by codec. */
static int16_t voice[3][FRAMES * SAMPLES];
static uint8_t packets[AGW_CODEC_COUNT][FRAMES][PACKET];
static size_t lengths[AGW_CODEC_COUNT][FRAMES];

static unsigned index_of(uint32_t rate_hz)
{
    return rate_hz == 8000 ? 0 : rate_hz == 16000 ? 1 : 2;
}

static const int16_t *frame_of(uint32_t rate_hz, size_t i)
{
    return voice[index_of(rate_hz)] + i % FRAMES * (rate_hz / 50);
}

static uint32_t rate_of(agw_codec_id id)
{
    return agw_codec_info_of(id)->audio_hz;
}

static agw_codec_format format_of(agw_codec_id id)
{
    agw_codec_format format = agw_codec_plain(id);
    if (id == AGW_CODEC_AMR_WB)
        format.amr.mode_set = 1u << 2; /* 12.65 kbit/s, what VoLTE uses */
    return format;
}

static void encode(agw_codec_id id, uint32_t rate_hz, size_t n)
{
    const agw_codec_format format = format_of(id);
    agw_encoder *e = agw_encoder_new(&format, rate_hz);
    uint8_t out[PACKET];
    AGW_ASSERT(e != NULL);
    for (size_t i = 0; i < n; i++)
        AGW_ASSERT(agw_encoder_encode(e, frame_of(rate_hz, i), rate_hz / 50, -1, out, sizeof out) !=
                   0);
    agw_encoder_free(e);
}

static size_t decode_one(agw_decoder *d, agw_codec_id id, size_t i, int16_t *pcm)
{
    agw_payload payload;
    size_t made = 0;
    AGW_ASSERT(agw_decoder_split(d, packets[id][i % FRAMES], lengths[id][i % FRAMES], &payload) ==
               AGW_OK);
    for (unsigned k = 0; k < payload.n_frames; k++)
        made += agw_decoder_decode(d, &payload.frames[k], pcm + made, SAMPLES - made);
    return made;
}

static void decode(agw_codec_id id, uint32_t rate_hz, size_t n)
{
    const agw_codec_format format = format_of(id);
    agw_decoder *d = agw_decoder_new(&format, rate_hz);
    int16_t pcm[SAMPLES];
    AGW_ASSERT(d != NULL);
    for (size_t i = 0; i < n; i++)
        AGW_ASSERT(decode_one(d, id, i, pcm) == rate_hz / 50);
    agw_decoder_free(d);
}

static void transcode(agw_codec_id from, agw_codec_id to, size_t n)
{
    const uint32_t a = rate_of(from), b = rate_of(to), rate_hz = a < b ? a : b;
    const agw_codec_format in = format_of(from), format = format_of(to);
    agw_decoder *d = agw_decoder_new(&in, rate_hz);
    agw_encoder *e = agw_encoder_new(&format, rate_hz);
    int16_t pcm[SAMPLES];
    uint8_t out[PACKET];
    AGW_ASSERT(d != NULL && e != NULL);
    for (size_t i = 0; i < n; i++) {
        const size_t samples = decode_one(d, from, i, pcm);
        AGW_ASSERT(agw_encoder_encode(e, pcm, samples, -1, out, sizeof out) != 0);
    }
    agw_decoder_free(d);
    agw_encoder_free(e);
}

static void conceal(agw_codec_id id, uint32_t rate_hz, size_t n)
{
    const agw_codec_format format = format_of(id);
    agw_decoder *d = agw_decoder_new(&format, rate_hz);
    int16_t pcm[SAMPLES];
    AGW_ASSERT(d != NULL);
    for (size_t i = 0; i < n; i++) {
        AGW_ASSERT(decode_one(d, id, i, pcm) != 0);
        AGW_ASSERT(agw_decoder_conceal(d, NULL, pcm, SAMPLES) != 0);
    }
    agw_decoder_free(d);
}

static void libopus_encode(uint32_t rate_hz, int complexity, int bps, size_t n)
{
    int err = 0;
    uint8_t out[PACKET];
    OpusEncoder *e = opus_encoder_create((opus_int32)rate_hz, 1, OPUS_APPLICATION_VOIP, &err);
    AGW_ASSERT(e != NULL);
    opus_encoder_ctl(e, OPUS_SET_BITRATE(bps));
    opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(complexity));
    opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    for (size_t i = 0; i < n; i++)
        AGW_ASSERT(opus_encode(e, frame_of(rate_hz, i), (int)rate_hz / 50, out, sizeof out) > 0);
    opus_encoder_destroy(e);
}

static void make_packets(agw_codec_id id)
{
    const agw_codec_format format = format_of(id);
    const uint32_t rate_hz = rate_of(id);
    agw_encoder *e = agw_encoder_new(&format, rate_hz);
    AGW_ASSERT(e != NULL);
    for (size_t i = 0; i < FRAMES; i++)
        lengths[id][i] =
            agw_encoder_encode(e, frame_of(rate_hz, i), rate_hz / 50, -1, packets[id][i], PACKET);
    agw_encoder_free(e);
}

#define ENCODE(name, id, rate)                                                                     \
    static void name(size_t n)                                                                     \
    {                                                                                              \
        encode(id, rate, n);                                                                       \
    }
#define DECODE(name, id, rate)                                                                     \
    static void name(size_t n)                                                                     \
    {                                                                                              \
        decode(id, rate, n);                                                                       \
    }
#define TRANSCODE(name, from, to)                                                                  \
    static void name(size_t n)                                                                     \
    {                                                                                              \
        transcode(from, to, n);                                                                    \
    }
#define LIBOPUS(name, rate, complexity, bps)                                                       \
    static void name(size_t n)                                                                     \
    {                                                                                              \
        libopus_encode(rate, complexity, bps, n);                                                  \
    }

ENCODE(pcma_encode, AGW_CODEC_PCMA, 8000)
DECODE(pcma_decode, AGW_CODEC_PCMA, 8000)
ENCODE(pcmu_encode, AGW_CODEC_PCMU, 8000)
DECODE(pcmu_decode, AGW_CODEC_PCMU, 8000)
ENCODE(g722_encode, AGW_CODEC_G722, 16000)
DECODE(g722_decode, AGW_CODEC_G722, 16000)
ENCODE(g722_encode_8k, AGW_CODEC_G722, 8000)
DECODE(g722_decode_8k, AGW_CODEC_G722, 8000)
ENCODE(opus_encode_8k, AGW_CODEC_OPUS, 8000)
DECODE(opus_decode_8k, AGW_CODEC_OPUS, 8000)
ENCODE(opus_encode_16k, AGW_CODEC_OPUS, 16000)
DECODE(opus_decode_16k, AGW_CODEC_OPUS, 16000)
ENCODE(opus_encode_48k, AGW_CODEC_OPUS, 48000)
DECODE(opus_decode_48k, AGW_CODEC_OPUS, 48000)
ENCODE(amr_encode, AGW_CODEC_AMR, 8000)
DECODE(amr_decode, AGW_CODEC_AMR, 8000)
ENCODE(amr_wb_encode, AGW_CODEC_AMR_WB, 16000)
DECODE(amr_wb_decode, AGW_CODEC_AMR_WB, 16000)
ENCODE(gsm_encode_20, AGW_CODEC_GSM, 8000)
DECODE(gsm_decode_20, AGW_CODEC_GSM, 8000)
ENCODE(speex_encode_20, AGW_CODEC_SPEEX, 8000)
DECODE(speex_decode_20, AGW_CODEC_SPEEX, 8000)
ENCODE(g729_encode, AGW_CODEC_G729, 8000)
DECODE(g729_decode, AGW_CODEC_G729, 8000)
TRANSCODE(pcma_pcmu, AGW_CODEC_PCMA, AGW_CODEC_PCMU)
TRANSCODE(pcmu_pcma, AGW_CODEC_PCMU, AGW_CODEC_PCMA)
TRANSCODE(pcma_g722, AGW_CODEC_PCMA, AGW_CODEC_G722)
TRANSCODE(g722_pcma, AGW_CODEC_G722, AGW_CODEC_PCMA)
TRANSCODE(opus_pcma, AGW_CODEC_OPUS, AGW_CODEC_PCMA)
TRANSCODE(pcma_opus, AGW_CODEC_PCMA, AGW_CODEC_OPUS)
TRANSCODE(opus_g722, AGW_CODEC_OPUS, AGW_CODEC_G722)
TRANSCODE(g722_opus, AGW_CODEC_G722, AGW_CODEC_OPUS)
TRANSCODE(opus_amr_wb, AGW_CODEC_OPUS, AGW_CODEC_AMR_WB)
TRANSCODE(amr_wb_opus, AGW_CODEC_AMR_WB, AGW_CODEC_OPUS)
TRANSCODE(opus_amr, AGW_CODEC_OPUS, AGW_CODEC_AMR)
TRANSCODE(amr_opus, AGW_CODEC_AMR, AGW_CODEC_OPUS)
LIBOPUS(libopus_8k_0, 8000, 0, 20000)
LIBOPUS(libopus_8k_5, 8000, 5, 20000)
LIBOPUS(libopus_8k_10, 8000, 10, 20000)
LIBOPUS(libopus_16k_0, 16000, 0, 28000)
LIBOPUS(libopus_16k_1, 16000, 1, 28000)
LIBOPUS(libopus_16k_2, 16000, 2, 28000)
LIBOPUS(libopus_16k_3, 16000, 3, 28000)
LIBOPUS(libopus_16k_4, 16000, 4, 28000)
LIBOPUS(libopus_16k_5, 16000, 5, 28000)
LIBOPUS(libopus_16k_6, 16000, 6, 28000)
LIBOPUS(libopus_16k_8, 16000, 8, 28000)
LIBOPUS(libopus_16k_10, 16000, 10, 28000)

static void pcma_decode_conceal(size_t n)
{
    conceal(AGW_CODEC_PCMA, 8000, n);
}

static void g722_decode_conceal(size_t n)
{
    conceal(AGW_CODEC_G722, 16000, n);
}

/* Operations of codecs that cannot be coded here are left out. */
static const struct {
    uint8_t needs, needs_too;
    micro op;
} LIST[] = {
#define ONE(id, name, text)                                                                        \
    {                                                                                              \
        id, id,                                                                                    \
        {                                                                                          \
#name, text, name                                                                      \
        }                                                                                          \
    }
#define TWO(a, b, name, text)                                                                      \
    {                                                                                              \
        a, b,                                                                                      \
        {                                                                                          \
#name, text, name                                                                      \
        }                                                                                          \
    }
    ONE(AGW_CODEC_PCMA, pcma_encode, "PCMA: 20 ms encoded"),
    ONE(AGW_CODEC_PCMA, pcma_decode, "PCMA: 20 ms decoded"),
    ONE(AGW_CODEC_PCMA, pcma_decode_conceal, "PCMA: 20 ms decoded and 20 ms made up"),
    ONE(AGW_CODEC_PCMU, pcmu_encode, "PCMU: 20 ms encoded"),
    ONE(AGW_CODEC_PCMU, pcmu_decode, "PCMU: 20 ms decoded"),
    ONE(AGW_CODEC_G722, g722_encode, "G722: 20 ms encoded"),
    ONE(AGW_CODEC_G722, g722_decode, "G722: 20 ms decoded"),
    ONE(AGW_CODEC_G722, g722_decode_conceal, "G722: 20 ms decoded and 20 ms made up"),
    ONE(AGW_CODEC_G722, g722_encode_8k, "G722: 20 ms encoded from 8 kHz"),
    ONE(AGW_CODEC_G722, g722_decode_8k, "G722: 20 ms decoded to 8 kHz"),
    ONE(AGW_CODEC_OPUS, opus_encode_8k, "Opus: 20 ms encoded from 8 kHz"),
    ONE(AGW_CODEC_OPUS, opus_decode_8k, "Opus: 20 ms decoded to 8 kHz"),
    ONE(AGW_CODEC_OPUS, opus_encode_16k, "Opus: 20 ms encoded from 16 kHz"),
    ONE(AGW_CODEC_OPUS, opus_decode_16k, "Opus: 20 ms decoded to 16 kHz"),
    ONE(AGW_CODEC_OPUS, opus_encode_48k, "Opus: 20 ms encoded from 48 kHz"),
    ONE(AGW_CODEC_OPUS, opus_decode_48k, "Opus: 20 ms decoded to 48 kHz"),
    ONE(AGW_CODEC_AMR, amr_encode, "AMR 12.2: 20 ms encoded"),
    ONE(AGW_CODEC_AMR, amr_decode, "AMR 12.2: 20 ms decoded"),
    ONE(AGW_CODEC_AMR_WB, amr_wb_encode, "AMR-WB 12.65: 20 ms encoded"),
    ONE(AGW_CODEC_AMR_WB, amr_wb_decode, "AMR-WB 12.65: 20 ms decoded"),
    ONE(AGW_CODEC_GSM, gsm_encode_20, "GSM: 20 ms encoded"),
    ONE(AGW_CODEC_GSM, gsm_decode_20, "GSM: 20 ms decoded"),
    ONE(AGW_CODEC_SPEEX, speex_encode_20, "Speex: 20 ms encoded"),
    ONE(AGW_CODEC_SPEEX, speex_decode_20, "Speex: 20 ms decoded"),
    ONE(AGW_CODEC_G729, g729_encode, "G729: 20 ms encoded"),
    ONE(AGW_CODEC_G729, g729_decode, "G729: 20 ms decoded"),
    TWO(AGW_CODEC_PCMA, AGW_CODEC_PCMU, pcma_pcmu, "PCMA to PCMU, 20 ms"),
    TWO(AGW_CODEC_PCMU, AGW_CODEC_PCMA, pcmu_pcma, "PCMU to PCMA, 20 ms"),
    TWO(AGW_CODEC_PCMA, AGW_CODEC_G722, pcma_g722, "PCMA to G722, 20 ms"),
    TWO(AGW_CODEC_G722, AGW_CODEC_PCMA, g722_pcma, "G722 to PCMA, 20 ms"),
    TWO(AGW_CODEC_OPUS, AGW_CODEC_PCMA, opus_pcma, "Opus to PCMA, 20 ms"),
    TWO(AGW_CODEC_PCMA, AGW_CODEC_OPUS, pcma_opus, "PCMA to Opus, 20 ms"),
    TWO(AGW_CODEC_OPUS, AGW_CODEC_G722, opus_g722, "Opus to G722, 20 ms"),
    TWO(AGW_CODEC_G722, AGW_CODEC_OPUS, g722_opus, "G722 to Opus, 20 ms"),
    TWO(AGW_CODEC_OPUS, AGW_CODEC_AMR_WB, opus_amr_wb, "Opus to AMR-WB 12.65, 20 ms"),
    TWO(AGW_CODEC_AMR_WB, AGW_CODEC_OPUS, amr_wb_opus, "AMR-WB 12.65 to Opus, 20 ms"),
    TWO(AGW_CODEC_OPUS, AGW_CODEC_AMR, opus_amr, "Opus to AMR 12.2, 20 ms"),
    TWO(AGW_CODEC_AMR, AGW_CODEC_OPUS, amr_opus, "AMR 12.2 to Opus, 20 ms"),
    ONE(AGW_CODEC_OPUS, libopus_8k_0, "libopus alone, 8 kHz, 20 kbit/s, complexity 0"),
    ONE(AGW_CODEC_OPUS, libopus_8k_5, "libopus alone, 8 kHz, 20 kbit/s, complexity 5"),
    ONE(AGW_CODEC_OPUS, libopus_8k_10, "libopus alone, 8 kHz, 20 kbit/s, complexity 10"),
    ONE(AGW_CODEC_OPUS, libopus_16k_0, "libopus alone, 16 kHz, 28 kbit/s, complexity 0"),
    ONE(AGW_CODEC_OPUS, libopus_16k_1, "libopus alone, 16 kHz, 28 kbit/s, complexity 1"),
    ONE(AGW_CODEC_OPUS, libopus_16k_2, "libopus alone, 16 kHz, 28 kbit/s, complexity 2"),
    ONE(AGW_CODEC_OPUS, libopus_16k_3, "libopus alone, 16 kHz, 28 kbit/s, complexity 3"),
    ONE(AGW_CODEC_OPUS, libopus_16k_4, "libopus alone, 16 kHz, 28 kbit/s, complexity 4"),
    ONE(AGW_CODEC_OPUS, libopus_16k_5, "libopus alone, 16 kHz, 28 kbit/s, complexity 5"),
    ONE(AGW_CODEC_OPUS, libopus_16k_6, "libopus alone, 16 kHz, 28 kbit/s, complexity 6"),
    ONE(AGW_CODEC_OPUS, libopus_16k_8, "libopus alone, 16 kHz, 28 kbit/s, complexity 8"),
    ONE(AGW_CODEC_OPUS, libopus_16k_10, "libopus alone, 16 kHz, 28 kbit/s, complexity 10"),
};

static bool is_served(unsigned id)
{
    return agw_codec_can_encode((agw_codec_id)id) && agw_codec_can_decode((agw_codec_id)id);
}

int main(int argc, char *argv[])
{
    micro served[sizeof LIST / sizeof *LIST];
    size_t n = 0;
    signal_voice(voice[0], FRAMES * 160, 8000);
    signal_voice(voice[1], FRAMES * 320, 16000);
    signal_voice(voice[2], FRAMES * 960, 48000);
    for (unsigned id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        if (is_served(id))
            make_packets((agw_codec_id)id);
    }
    for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++) {
        if (is_served(LIST[i].needs) && is_served(LIST[i].needs_too))
            served[n++] = LIST[i].op;
    }
    return micro_main(served, n, argc, argv);
}
