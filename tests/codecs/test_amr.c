/* SPDX-License-Identifier: BSD-3-Clause
 * AMR and AMR-WB through encoder and decoder: bit for bit what the libraries do alone, modes as the
 * far end asks for them, DTX, loss. */
#include "codecs/amr_payload.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "signal.h"
#include "unit.h"
#include "vectors/vector.h"

#include <opencore-amrnb/interf_dec.h>
#include <opencore-amrnb/interf_enc.h>
#include <opencore-amrwb/dec_if.h>
#include <string.h>
#include <vo-amrwbenc/enc_if.h>

enum { FRAMES = 150, VOICE_FRAMES = 60, FRAME_MAX = 320, PACKET = 512, NOTHING = -1 };

/* Codec, and what goes in. */
typedef struct band {
    bool wide;
    agw_codec_format format;
    size_t frame;
    uint32_t hz;
} band;

static band band_of(bool wide)
{
    return (band){.wide = wide,
                  .format = agw_codec_plain(wide ? AGW_CODEC_AMR_WB : AGW_CODEC_AMR),
                  .frame = wide ? 320 : 160,
                  .hz = wide ? 16000 : 8000};
}

static int16_t voice[FRAMES * FRAME_MAX];

/* 1200 ms of voice, then noise of 20 rms. */
static void make_voice(const band *b)
{
    const size_t all = FRAMES * b->frame;
    uint32_t rnd = 1;
    signal_voice(voice, all, b->hz);
    for (size_t i = VOICE_FRAMES * b->frame; i < all; i++) {
        rnd = rnd * 1664525 + 1013904223;
        voice[i] = (int16_t)((int)(rnd >> 16) % 70 - 35);
    }
}

static agw_encoder *encoder_of(const band *b)
{
    agw_encoder *e = agw_encoder_new(&b->format, b->hz);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    return e;
}

static agw_decoder *decoder_of(const band *b)
{
    agw_decoder *d = agw_decoder_new(&b->format, b->hz);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    return d;
}

static agw_amr_layout layout_of(const band *b)
{
    return (agw_amr_layout){.wide = b->wide, .octet_aligned = b->format.amr.octet_aligned};
}

/* Type of the one frame that comes next; NOTHING: no packet is sent. */
static int next_type(agw_encoder *e, const band *b, const int16_t *pcm)
{
    uint8_t packet[PACKET];
    agw_payload payload;
    const agw_amr_layout layout = layout_of(b);
    const size_t len = agw_encoder_encode(e, pcm, b->frame, -1, packet, sizeof packet);
    if (len == 0)
        return NOTHING;
    CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(payload.n_frames, 1);
    return payload.frames[0].type;
}

/* --- the libraries alone -----------------------------------------------------------------------
 */

static int encode_alone(void *library, const band *b, unsigned mode, const int16_t *pcm,
                        uint8_t *stored)
{
    int16_t copy[FRAME_MAX];
    memcpy(copy, pcm, b->frame * sizeof *pcm);
    return b->wide ? E_IF_encode(library, (int)mode, copy, stored, 1)
                   : Encoder_Interface_Encode(library, (enum Mode)mode, copy, stored, 0);
}

/* Every mode and both layouts: what comes out of the payload is what the library wrote, NO_DATA is
 * not sent. */
static void check_encoder(band b, unsigned mode)
{
    b.format.amr.mode_set = (uint16_t)(1u << mode);
    b.format.amr.octet_aligned = mode % 2 != 0;
    agw_encoder *e = encoder_of(&b);
    void *library = b.wide ? E_IF_init() : Encoder_Interface_init(1);
    unsigned sid = 0, silent = 0, different = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        uint8_t wanted[AGW_AMR_STORED_MAX], got[AGW_AMR_STORED_MAX], packet[PACKET];
        const int16_t *pcm = voice + i * b.frame;
        const int wanted_len = encode_alone(library, &b, mode, pcm, wanted);
        const size_t len = agw_encoder_encode(e, pcm, b.frame, 1, packet, sizeof packet);
        silent += len == 0;
        CU_ASSERT_EQUAL(len == 0, wanted[0] >> 3 == AGW_AMR_NO_DATA);
        if (len == 0)
            continue;
        agw_payload payload;
        const agw_amr_layout layout = layout_of(&b);
        CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
        CU_ASSERT_EQUAL(payload.mode_request, 1);
        sid += payload.frames[0].kind == AGW_FRAME_SID;
        const size_t got_len = agw_amr_store(b.wide, &payload.frames[0], got);
        different += got_len != (size_t)wanted_len || memcmp(got, wanted, got_len) != 0;
    }
    CU_ASSERT_EQUAL(different, 0);
    CU_ASSERT(sid >= 3 && silent > 20);
    if (b.wide)
        E_IF_exit(library);
    else
        Encoder_Interface_exit(library);
    agw_encoder_free(e);
}

static void test_amr_encoder_is_the_library_bit_for_bit_in_every_mode(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        for (unsigned mode = 0; mode < (wide ? AGW_AMR_WB_MODES : AGW_AMR_MODES); mode++)
            check_encoder(b, mode);
    }
}

/* Speech, SID and NO_DATA of any mode decode to the samples that the library gives. */
static void check_decoder(const band *b, unsigned mode)
{
    agw_decoder *d = decoder_of(b);
    void *encoder = b->wide ? E_IF_init() : Encoder_Interface_init(1);
    void *library = b->wide ? D_IF_init() : Decoder_Interface_init();
    unsigned different = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        uint8_t stored[AGW_AMR_STORED_MAX];
        int16_t wanted[FRAME_MAX], got[FRAME_MAX];
        const int len = encode_alone(encoder, b, mode, voice + i * b->frame, stored);
        agw_frame frame;
        CU_ASSERT_EQUAL_FATAL(agw_amr_load(b->wide, stored, (size_t)len, &frame), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(agw_decoder_decode(d, &frame, got, FRAME_MAX), b->frame);
        if (b->wide)
            D_IF_decode(library, stored, wanted, 0);
        else
            Decoder_Interface_Decode(library, stored, wanted, 0);
        different += memcmp(got, wanted, b->frame * sizeof *got) != 0;
    }
    CU_ASSERT_EQUAL(different, 0);
    if (b->wide) {
        E_IF_exit(encoder);
        D_IF_exit(library);
    } else {
        Encoder_Interface_exit(encoder);
        Decoder_Interface_exit(library);
    }
    agw_decoder_free(d);
}

static void test_amr_decoder_is_the_library_sample_for_sample_in_every_mode(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        for (unsigned mode = 0; mode < (wide ? AGW_AMR_WB_MODES : AGW_AMR_MODES); mode++)
            check_decoder(&b, mode);
    }
}

/* opencore-amrnb writes over what it is given. */
static void test_amr_encoder_leaves_its_samples_alone(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        agw_encoder *e = encoder_of(&b);
        int16_t copy[FRAME_MAX];
        memcpy(copy, voice + b.frame, sizeof copy);
        next_type(e, &b, voice + b.frame);
        CU_ASSERT_EQUAL(memcmp(copy, voice + b.frame, sizeof copy), 0);
        agw_encoder_free(e);
    }
}

/* --- modes -------------------------------------------------------------------------------------
 */

static void ask(agw_encoder *e, int mode, uint32_t max_bps)
{
    agw_encoder_adapt(e, &(agw_encoder_wish){.mode_request = (int8_t)mode, .max_bps = max_bps});
}

/* Mode of the next frame, of voice. */
static int mode_now(agw_encoder *e, const band *b)
{
    return next_type(e, b, voice + 20 * b->frame);
}

static void test_amr_usual_modes(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        agw_encoder *e = encoder_of(&b);
        CU_ASSERT_EQUAL(mode_now(e, &b), wide ? 2 : 7); /* 12.65 and 12.2 kbit/s */
        agw_encoder_free(e);
    }
}

static void test_amr_rfc4867_3_3_mode_request_is_obeyed(void)
{
    const band b = band_of(true);
    make_voice(&b);
    agw_encoder *e = encoder_of(&b);
    ask(e, 8, 0);
    CU_ASSERT_EQUAL(mode_now(e, &b), 8);
    ask(e, 0, 0);
    CU_ASSERT_EQUAL(mode_now(e, &b), 0);
    ask(e, 15, 0); /* no mode of ours: the highest */
    CU_ASSERT_EQUAL(mode_now(e, &b), 8);
    ask(e, -1, 0); /* none: what we would have chosen */
    CU_ASSERT_EQUAL(mode_now(e, &b), 2);
    agw_encoder_free(e);
}

static void test_amr_rfc4867_8_1_request_stays_within_the_mode_set(void)
{
    band b = band_of(false);
    make_voice(&b);
    b.format.amr.mode_set = 1u << 2 | 1u << 4 | 1u << 7;
    agw_encoder *e = encoder_of(&b);
    static const struct {
        int asked, given;
    } CASES[] = {{7, 7}, {6, 4}, {4, 4}, {3, 2}, {2, 2}, {1, 2}, {0, 2}};
    for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ask(e, CASES[i].asked, 0);
        CU_ASSERT_EQUAL(mode_now(e, &b), CASES[i].given);
    }
    agw_encoder_free(e);
}

static void test_amr_bitrate_of_format_and_of_network_limit_the_mode(void)
{
    band b = band_of(true);
    make_voice(&b);
    b.format.bitrate_bps = 18250;
    agw_encoder *e = encoder_of(&b);
    CU_ASSERT_EQUAL(mode_now(e, &b), 5); /* the format's limit is what it encodes with */
    ask(e, 8, 0);
    CU_ASSERT_EQUAL(mode_now(e, &b), 5);
    ask(e, 8, 12650);
    CU_ASSERT_EQUAL(mode_now(e, &b), 2);
    ask(e, 8, 12649);
    CU_ASSERT_EQUAL(mode_now(e, &b), 1);
    ask(e, -1, 1000); /* below all: the lowest */
    CU_ASSERT_EQUAL(mode_now(e, &b), 0);
    agw_encoder_free(e);
}

/* Modes of ten frames after a request that came before frame `asked_at`, as digits. */
static void modes_after(const band *b, unsigned asked_at, int mode, char out[11])
{
    agw_encoder *e = encoder_of(b);
    for (unsigned i = 0; i < 10; i++) {
        if (i == asked_at)
            ask(e, mode, 0);
        out[i] = (char)('0' + mode_now(e, b));
    }
    out[10] = '\0';
    agw_encoder_free(e);
}

static void test_amr_rfc4867_8_1_mode_change_period_2(void)
{
    band b = band_of(false);
    make_voice(&b);
    char modes[11];
    modes_after(&b, 3, 2, modes);
    CU_ASSERT_STRING_EQUAL(modes, "7772222222");
    b.format.amr.mode_change_period = 2;
    modes_after(&b, 3, 2, modes);
    CU_ASSERT_STRING_EQUAL(modes, "7777222222");
    modes_after(&b, 4, 2, modes);
    CU_ASSERT_STRING_EQUAL(modes, "7777222222");
}

static void test_amr_rfc4867_8_1_mode_change_neighbor_goes_step_by_step(void)
{
    band b = band_of(false);
    make_voice(&b);
    b.format.amr.mode_set = 1u << 0 | 1u << 2 | 1u << 5 | 1u << 7;
    b.format.amr.mode_change_neighbor = true;
    char modes[11];
    modes_after(&b, 1, 0, modes);
    CU_ASSERT_STRING_EQUAL(modes, "7520000000");
    b.format.amr.mode_change_period = 2;
    modes_after(&b, 1, 0, modes);
    CU_ASSERT_STRING_EQUAL(modes, "7755220000");
    b.format.bitrate_bps = 4750; /* begins at the lowest, and may not leave it */
    modes_after(&b, 1, 7, modes);
    CU_ASSERT_STRING_EQUAL(modes, "0000000000");
}

/* --- packets -----------------------------------------------------------------------------------
 */

/* 40 and 60 ms; where speech ends inside of a packet, NO_DATA at its end is left out (RFC 4867
 * section 4.3.2), and a packet without any frame is not sent. */
static void test_amr_rfc4867_4_3_2_ptime_40_and_60_without_no_data_at_the_end(void)
{
    for (unsigned i = 0; i < 4; i++) {
        band b = band_of(i % 2 != 0);
        make_voice(&b);
        b.format.ptime_ms = i < 2 ? 40 : 60;
        const unsigned per_packet = b.format.ptime_ms / 20u;
        agw_encoder *e = encoder_of(&b);
        unsigned full = 0, cut = 0, none = 0;
        for (size_t at = 0; at + per_packet <= FRAMES; at += per_packet) {
            uint8_t packet[PACKET];
            agw_payload payload;
            const agw_amr_layout layout = layout_of(&b);
            const size_t len = agw_encoder_encode(e, voice + at * b.frame, per_packet * b.frame, -1,
                                                  packet, sizeof packet);
            if (len == 0) {
                none++;
                continue;
            }
            CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
            CU_ASSERT_NOT_EQUAL(payload.frames[payload.n_frames - 1].kind, AGW_FRAME_NO_DATA);
            full += payload.n_frames == per_packet;
            cut += payload.n_frames < per_packet;
        }
        CU_ASSERT(full >= VOICE_FRAMES / per_packet && cut > 0 && none > 0);
        agw_encoder_free(e);
    }
}

/* --- loss and noise ----------------------------------------------------------------------------
 */

typedef struct heard {
    int16_t pcm[FRAMES][FRAME_MAX];
    double rms[FRAMES];
} heard;

/* Frames that do not come as they were sent: `run` of them, from `first` on, again `every` so many;
 * voice only. */
typedef struct loss {
    unsigned first, run, every;
    bool is_damage; /* they come, with Q = 0 */
} loss;

static bool is_lost(const loss *l, unsigned i)
{
    return i >= l->first && i < VOICE_FRAMES && (i - l->first) % l->every < l->run;
}

/* Encodes the voice and decodes what is not lost. */
static void listen(const band *b, const loss *l, heard *out)
{
    memset(out, 0, sizeof *out);
    agw_encoder *e = encoder_of(b);
    agw_decoder *d = decoder_of(b);
    const agw_amr_layout layout = layout_of(b);
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t packet[PACKET];
        agw_payload payload = {.n_frames = 0};
        const size_t len =
            agw_encoder_encode(e, voice + i * b->frame, b->frame, -1, packet, PACKET);
        if (len != 0)
            CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
        if (is_lost(l, i) && l->is_damage)
            payload.frames[0].kind = AGW_FRAME_BAD;
        const size_t n = len == 0 || (is_lost(l, i) && !l->is_damage)
                             ? agw_decoder_conceal(d, NULL, out->pcm[i], FRAME_MAX)
                             : agw_decoder_decode(d, &payload.frames[0], out->pcm[i], FRAME_MAX);
        CU_ASSERT_EQUAL_FATAL(n, b->frame);
        out->rms[i] = signal_rms(out->pcm[i], n);
    }
    agw_encoder_free(e);
    agw_decoder_free(d);
}

static const loss NO_LOSS = {.every = 1};
static heard clean, lossy;

/* Power of the lost frames over what they would have had, in dB. */
static double power_left(const band *b, const loss *l)
{
    double power = 0, wanted = 0;
    listen(b, &NO_LOSS, &clean);
    listen(b, l, &lossy);
    for (unsigned i = 0; i < FRAMES; i++) {
        wanted += is_lost(l, i) ? clean.rms[i] * clean.rms[i] : 0;
        power += is_lost(l, i) ? lossy.rms[i] * lossy.rms[i] : 0;
    }
    return 10 * log10(power / wanted);
}

static void test_amr_lost_frames_are_concealed_at_about_their_level(void)
{
    static const loss SINGLE = {.first = 5, .run = 1, .every = 7};
    static const loss PAIRS = {.first = 5, .run = 2, .every = 9};
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        const double single = power_left(&b, &SINGLE), pairs = power_left(&b, &PAIRS);
        const double bound = wide ? -4 : -7; /* of AMR it is the library's own */
        CU_ASSERT(single > bound && single < 2);
        CU_ASSERT(pairs > bound && pairs < 2);
    }
}

static void test_amr_damaged_frame_sounds_as_a_lost_one(void)
{
    static const loss MISSING = {.first = 30, .run = 3, .every = FRAMES};
    static const loss DAMAGED = {.first = 30, .run = 3, .every = FRAMES, .is_damage = true};
    static heard damaged;
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        listen(&b, &MISSING, &lossy);
        listen(&b, &DAMAGED, &damaged);
        CU_ASSERT_EQUAL(memcmp(lossy.pcm, damaged.pcm, sizeof lossy.pcm), 0);
    }
}

static void test_amr_long_loss_of_speech_fades_out_and_comes_back(void)
{
    static const loss LONG = {.first = 30, .run = 15, .every = FRAMES};
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        listen(&b, &NO_LOSS, &clean);
        listen(&b, &LONG, &lossy);
        CU_ASSERT(lossy.rms[40] < 0.05 * lossy.rms[29]);
        for (unsigned f = 31; f < 45; f++)
            CU_ASSERT(lossy.rms[f] < 1.2 * lossy.rms[f - 1] + 20);
        CU_ASSERT(lossy.rms[58] > 0.5 * clean.rms[58] && lossy.rms[58] < 1.2 * clean.rms[58]);
    }
}

/* From the first SID on nothing but SID comes: the noise goes on at its level, without a burst. */
static void test_amr_noise_between_sid_frames_keeps_its_level(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        listen(&b, &NO_LOSS, &clean);
        for (unsigned f = VOICE_FRAMES + 12; f < FRAMES; f++)
            CU_ASSERT(clean.rms[f] > 4 && clean.rms[f] < 40);
    }
}

/* The jitter buffer asks for noise with a frame that is nothing but its kind. */
static void test_amr_no_data_without_anything_keeps_the_noise(void)
{
    static const agw_frame NOTHING_THERE = {.kind = AGW_FRAME_NO_DATA};
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        agw_decoder *d = decoder_of(&b), *other = decoder_of(&b);
        agw_encoder *e = encoder_of(&b);
        const agw_amr_layout layout = layout_of(&b);
        for (unsigned i = 0; i < FRAMES; i++) {
            uint8_t packet[PACKET];
            agw_payload payload = {.frames = {NOTHING_THERE}};
            int16_t a[FRAME_MAX], c[FRAME_MAX];
            const size_t len =
                agw_encoder_encode(e, voice + i * b.frame, b.frame, -1, packet, PACKET);
            if (len != 0)
                CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
            CU_ASSERT_EQUAL(agw_decoder_decode(d, &payload.frames[0], a, FRAME_MAX), b.frame);
            if (len == 0)
                agw_decoder_conceal(other, NULL, c, FRAME_MAX);
            else
                agw_decoder_decode(other, &payload.frames[0], c, FRAME_MAX);
            CU_ASSERT_EQUAL(memcmp(a, c, b.frame * sizeof *a), 0);
        }
        agw_decoder_free(d);
        agw_decoder_free(other);
        agw_encoder_free(e);
    }
}

/* Every room, 0 and one sample less than a frame included. */
static void test_amr_no_more_than_the_room_is_written(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        agw_decoder *d = decoder_of(&b);
        agw_encoder *e = encoder_of(&b);
        const agw_amr_layout layout = layout_of(&b);
        for (size_t room = 0; room <= b.frame; room += b.frame / 4 - (room == 0)) {
            uint8_t packet[PACKET];
            agw_payload payload;
            int16_t *pcm = must(malloc(room * sizeof *pcm + 1)); /* a sanitizer sees its end */
            const size_t len = agw_encoder_encode(e, voice, b.frame, -1, packet, PACKET);
            CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
            CU_ASSERT_EQUAL(agw_decoder_decode(d, &payload.frames[0], pcm, room), room);
            CU_ASSERT_EQUAL(agw_decoder_conceal(d, NULL, pcm, room), room);
            free(pcm);
        }
        agw_decoder_free(d);
        agw_encoder_free(e);
    }
}

static void test_amr_reset_begins_anew(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const band b = band_of(wide != 0);
        make_voice(&b);
        agw_decoder *d = decoder_of(&b), *fresh = decoder_of(&b);
        agw_encoder *e = encoder_of(&b);
        const agw_amr_layout layout = layout_of(&b);
        for (unsigned i = 0; i < 40; i++) {
            uint8_t packet[PACKET];
            agw_payload payload;
            int16_t a[FRAME_MAX], c[FRAME_MAX];
            const size_t len =
                agw_encoder_encode(e, voice + i * b.frame, b.frame, -1, packet, PACKET);
            CU_ASSERT_EQUAL_FATAL(agw_amr_split(&layout, packet, len, &payload), AGW_OK);
            if (i == 20)
                agw_decoder_reset(d);
            agw_decoder_decode(d, &payload.frames[0], a, FRAME_MAX);
            if (i < 20)
                continue;
            agw_decoder_decode(fresh, &payload.frames[0], c, FRAME_MAX);
            CU_ASSERT_EQUAL(memcmp(a, c, b.frame * sizeof *a), 0);
        }
        agw_decoder_free(d);
        agw_decoder_free(fresh);
        agw_encoder_free(e);
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_amr_encoder_is_the_library_bit_for_bit_in_every_mode),
    AGW_CASE(test_amr_decoder_is_the_library_sample_for_sample_in_every_mode),
    AGW_CASE(test_amr_encoder_leaves_its_samples_alone),
    AGW_CASE(test_amr_usual_modes),
    AGW_CASE(test_amr_rfc4867_3_3_mode_request_is_obeyed),
    AGW_CASE(test_amr_rfc4867_8_1_request_stays_within_the_mode_set),
    AGW_CASE(test_amr_bitrate_of_format_and_of_network_limit_the_mode),
    AGW_CASE(test_amr_rfc4867_8_1_mode_change_period_2),
    AGW_CASE(test_amr_rfc4867_8_1_mode_change_neighbor_goes_step_by_step),
    AGW_CASE(test_amr_rfc4867_4_3_2_ptime_40_and_60_without_no_data_at_the_end),
    AGW_CASE(test_amr_lost_frames_are_concealed_at_about_their_level),
    AGW_CASE(test_amr_damaged_frame_sounds_as_a_lost_one),
    AGW_CASE(test_amr_long_loss_of_speech_fades_out_and_comes_back),
    AGW_CASE(test_amr_noise_between_sid_frames_keeps_its_level),
    AGW_CASE(test_amr_no_data_without_anything_keeps_the_noise),
    AGW_CASE(test_amr_no_more_than_the_room_is_written),
    AGW_CASE(test_amr_reset_begins_anew),
};

AGW_UNIT_MAIN("amr", cases)
