/* SPDX-License-Identifier: BSD-3-Clause
 * Talk with pauses over a low background through chains, sent with each way of saying that there is
 * nothing: Opus DTX, AMR's SID, CN, nothing at all. The energy of what comes out follows that of
 * what went in: no burst, no hole, no click. */
#include "base/wire.h"
#include "codecs/chain.h"
#include "codecs/g711.h"
#include "codecs/noise.h"
#include "signal.h"
#include "unit.h"

#include <stdbool.h>
#include <string.h>

enum {
    STEP_MS = 20,
    TALK_MS = 1500,
    PAUSE_MS = 1800, /* less than what ends a stream that nothing is said of */
    ROUNDS = 4,
    ALL_MS = ROUNDS * (TALK_MS + PAUSE_MS),
    STEPS = ALL_MS / STEP_MS,
    OUT_HZ = 8000,
    OUT_STEP = OUT_HZ / 1000 * STEP_MS,
    IN_MAX = 48 * ALL_MS,
    OUT_MAX = 8 * (ALL_MS + 1000),
    FLOOR = 70, /* rms of the background: 53 dB below overload */
    AUDIO_PT = 100,
    NOISE_PT = 13,
    HANGOVER_MS = 400, /* encoders go on for so long behind speech, and learn the background */
    DELAY_MS = 120,    /* of the chain, at most */
};

typedef enum silence_way { BY_CODEC, BY_NOISE, BY_NOTHING } silence_way;

static int16_t in[IN_MAX], out[OUT_MAX];

static bool is_pause(unsigned ms)
{
    return ms % (TALK_MS + PAUSE_MS) >= TALK_MS;
}

/* The voice and, all the time, a background as loud as FLOOR. */
static void fill_source(uint32_t rate_hz)
{
    const double peak = FLOOR * sqrt(3.0 * rate_hz / OUT_HZ); /* white: as loud below 4 kHz */
    uint32_t lot = 7;
    signal_voice(in, (size_t)rate_hz / 1000 * ALL_MS, rate_hz);
    for (size_t i = 0; i < (size_t)rate_hz / 1000 * ALL_MS; i++) {
        const unsigned ms = (unsigned)(i / (rate_hz / 1000));
        lot = lot * 1664525 + 1013904223;
        const double noise = peak * ((double)(lot >> 8) / (1 << 23) - 1);
        in[i] = (int16_t)lrint((is_pause(ms) ? 0 : in[i]) + noise);
    }
}

static double level_db(const int16_t *pcm, size_t n)
{
    double power = 1e-3;
    for (size_t i = 0; i < n; i++)
        power += (double)pcm[i] * pcm[i];
    return 10 * log10(power / (double)n);
}

typedef struct rig {
    agw_codec_format format;
    silence_way way;
    bool encoder_rests; /* in pauses; else it goes on, and its state is that of silence */
    agw_encoder *encoder;
    agw_chain *chain;
    uint16_t seq;
    agw_ns now;
    size_t n_out;
} rig;

static void put(rig *r, uint8_t pt, uint32_t timestamp, const uint8_t *payload, size_t len)
{
    uint8_t rtp[12 + 1500] = {0x80, pt};
    agw_put16(rtp + 2, r->seq++);
    agw_put32(rtp + 4, timestamp);
    agw_put32(rtp + 8, 0x11);
    memcpy(rtp + 12, payload, len);
    CU_ASSERT_EQUAL(agw_chain_put(r->chain, rtp, 12 + len, r->now), AGW_OK);
}

static void send_step(rig *r, unsigned i)
{
    uint8_t payload[1500];
    const size_t n = agw_codec_audio_hz(&r->format) / 1000 * STEP_MS;
    const int16_t *pcm = in + i * n;
    const uint32_t timestamp = 5000 + i * (r->format.clock_hz / 1000 * STEP_MS);
    const bool quiet = r->way != BY_CODEC && is_pause(i * STEP_MS);
    if (!quiet || !r->encoder_rests) {
        const size_t len = agw_encoder_encode(r->encoder, pcm, n, -1, payload, sizeof payload);
        if (!quiet && len != 0)
            put(r, AUDIO_PT, timestamp, payload, len);
    }
    if (quiet && r->way == BY_NOISE && i % 10 == 0) {
        payload[0] = agw_noise_level(pcm, n);
        put(r, NOISE_PT, timestamp, payload, 1);
    }
}

static void take_until(rig *r, agw_ns then)
{
    uint8_t rtp[1500];
    for (agw_ns at; (at = agw_chain_deadline(r->chain)) <= then;) {
        r->now = at > r->now ? at : r->now;
        const size_t len = agw_chain_take(r->chain, r->now, rtp, sizeof rtp);
        for (size_t i = 12; i < len && r->n_out < OUT_MAX; i++)
            out[r->n_out++] = agw_pcmu_decode(rtp[i]);
    }
    r->now = then;
}

static agw_chain_plan plan_of(const agw_codec_format *format)
{
    agw_chain_plan plan = {.n_inputs = 2, .out = agw_codec_plain(AGW_CODEC_PCMU)};
    plan.inputs[0] = (agw_chain_input){.pt = AUDIO_PT, .format = *format};
    plan.inputs[1] = (agw_chain_input){.pt = NOISE_PT, .is_noise = true};
    plan.inputs[1].format.clock_hz = format->clock_hz;
    plan.out.ptime_ms = STEP_MS;
    return plan;
}

static void pass(const agw_codec_format *format, silence_way way, bool encoder_rests)
{
    rig r = {.format = *format, .way = way, .encoder_rests = encoder_rests, .now = AGW_S(50)};
    const agw_chain_plan plan = plan_of(format);
    r.format.ptime_ms = STEP_MS;
    r.chain = agw_chain_new(&plan, 1, 1, 1);
    r.encoder = agw_encoder_new(&r.format, agw_codec_audio_hz(format));
    CU_ASSERT_TRUE_FATAL(r.chain != NULL && r.encoder != NULL);
    fill_source(agw_codec_audio_hz(format));
    for (unsigned i = 0; i < STEPS; i++) {
        send_step(&r, i);
        take_until(&r, r.now + AGW_MS(STEP_MS));
    }
    agw_encoder_free(r.encoder);
    agw_chain_free(r.chain);
    CU_ASSERT_TRUE_FATAL(r.n_out >= 8u * (ALL_MS - DELAY_MS - STEP_MS));
}

/* Of the steps deep within pauses, and of all: the extremes, in dB. */
typedef struct profile {
    double quietest, loudest, peak;
    int click; /* highest sample of a pause */
} profile;

static profile measure(void)
{
    profile p = {.quietest = 99};
    for (unsigned ms = 0; ms + DELAY_MS + STEP_MS < ALL_MS; ms += STEP_MS) {
        const int16_t *pcm = out + (size_t)ms * 8;
        const double db = level_db(pcm, OUT_STEP);
        const unsigned into = ms % (TALK_MS + PAUSE_MS);
        p.peak = fmax(p.peak, db);
        if (into < TALK_MS + HANGOVER_MS || into + STEP_MS + DELAY_MS > TALK_MS + PAUSE_MS)
            continue;
        p.quietest = fmin(p.quietest, db);
        p.loudest = fmax(p.loudest, db);
        for (size_t i = 0; i < OUT_STEP; i++)
            p.click = abs(pcm[i]) > p.click ? abs(pcm[i]) : p.click;
    }
    return p;
}

/* Of the talk that goes in: the quietest step, which is all that can be known of the background
 * where nobody says a word of it, and the loudest. */
static void measure_source(uint32_t rate_hz, double *quietest, double *peak)
{
    const size_t n = rate_hz / 1000 * STEP_MS;
    for (unsigned i = 0; i < STEPS; i++) {
        const double db = level_db(in + i * n, n);
        *peak = fmax(*peak, db);
        *quietest = is_pause(i * STEP_MS) ? *quietest : fmin(*quietest, db);
    }
}

static void check(agw_codec_format format, silence_way way, bool encoder_rests)
{
    double wanted = 20 * log10(FLOOR), quietest = 99, peak = 0;
    pass(&format, way, encoder_rests);
    const profile p = measure();
    measure_source(agw_codec_audio_hz(&format), &quietest, &peak);
    wanted = way == BY_NOTHING ? quietest : wanted;
    printf("\n    %s: pauses %.1f to %.1f dB of %.1f, highest sample %d, peak %.1f of %.1f",
           agw_codec_info_of(format.id)->name, p.quietest, p.loudest, wanted, p.click, p.peak,
           peak);
    CU_ASSERT_TRUE(p.loudest <= wanted + 6);
    CU_ASSERT_TRUE(p.quietest >= wanted - 10);
    CU_ASSERT_TRUE(p.click <= 6 * pow(10, wanted / 20));
    CU_ASSERT_TRUE(p.peak <= peak + 2);
}

static void test_silence_opus_dtx(void)
{
    agw_codec_format opus = agw_codec_plain(AGW_CODEC_OPUS);
    opus.opus.dtx = true;
    check(opus, BY_CODEC, false);
}

static void test_silence_amr_dtx(void)
{
    check(agw_codec_plain(AGW_CODEC_AMR), BY_CODEC, false);
}

static void test_silence_amr_wb_dtx(void)
{
    check(agw_codec_plain(AGW_CODEC_AMR_WB), BY_CODEC, false);
}

static void test_silence_rfc3389_noise(void)
{
    check(agw_codec_plain(AGW_CODEC_PCMA), BY_NOISE, false);
    check(agw_codec_plain(AGW_CODEC_G722), BY_NOISE, false);
    check(agw_codec_plain(AGW_CODEC_G722), BY_NOISE, true);
}

static void test_silence_without_a_word(void)
{
    check(agw_codec_plain(AGW_CODEC_PCMA), BY_NOTHING, true);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_silence_opus_dtx),       AGW_CASE(test_silence_amr_dtx),
    AGW_CASE(test_silence_amr_wb_dtx),     AGW_CASE(test_silence_rfc3389_noise),
    AGW_CASE(test_silence_without_a_word),
};

AGW_UNIT_MAIN("silence", cases)
