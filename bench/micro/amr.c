/* SPDX-License-Identifier: BSD-3-Clause
 * What each mode of AMR and AMR-WB costs: 20 ms of a voice encoded into a payload, and a payload
 * decoded. */
#include "bench/micro/micro.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "tests/codecs/signal.h"

enum { FRAMES = 200, PACKET = 80, MODES = 9, SAMPLES = 320 };

static int16_t voice[2][FRAMES * SAMPLES];
static uint8_t packets[2][MODES][FRAMES][PACKET];
static size_t lengths[2][MODES][FRAMES];

static agw_codec_format format_of(unsigned wide, unsigned mode)
{
    agw_codec_format format = agw_codec_plain(wide != 0 ? AGW_CODEC_AMR_WB : AGW_CODEC_AMR);
    format.amr.mode_set = (uint16_t)(1u << mode);
    return format;
}

static void encode(unsigned wide, unsigned mode, size_t n)
{
    const agw_codec_format format = format_of(wide, mode);
    const size_t samples = wide != 0 ? 320 : 160;
    agw_encoder *e = agw_encoder_new(&format, wide != 0 ? 16000 : 8000);
    AGW_ASSERT(e != NULL);
    for (size_t i = 0; i < n; i++) {
        const size_t at = i % FRAMES;
        const size_t len = agw_encoder_encode(e, voice[wide] + at * samples, samples, -1,
                                              packets[wide][mode][at], PACKET);
        AGW_ASSERT(len != 0);
        lengths[wide][mode][at] = len;
    }
    agw_encoder_free(e);
}

static void decode(unsigned wide, unsigned mode, size_t n)
{
    const agw_codec_format format = format_of(wide, mode);
    agw_decoder *d = agw_decoder_new(&format, wide != 0 ? 16000 : 8000);
    AGW_ASSERT(d != NULL);
    for (size_t i = 0; i < n; i++) {
        agw_payload payload;
        int16_t pcm[SAMPLES];
        AGW_ASSERT(agw_decoder_split(d, packets[wide][mode][i % FRAMES],
                                     lengths[wide][mode][i % FRAMES], &payload) == AGW_OK);
        AGW_ASSERT(agw_decoder_decode(d, &payload.frames[0], pcm, SAMPLES) != 0);
    }
    agw_decoder_free(d);
}

#define BOTH(name, wide, mode)                                                                     \
    static void name##_encode(size_t n)                                                            \
    {                                                                                              \
        encode(wide, mode, n);                                                                     \
    }                                                                                              \
    static void name##_decode(size_t n)                                                            \
    {                                                                                              \
        decode(wide, mode, n);                                                                     \
    }
BOTH(amr_4_75, 0, 0)
BOTH(amr_5_15, 0, 1)
BOTH(amr_5_9, 0, 2)
BOTH(amr_6_7, 0, 3)
BOTH(amr_7_4, 0, 4)
BOTH(amr_7_95, 0, 5)
BOTH(amr_10_2, 0, 6)
BOTH(amr_12_2, 0, 7)
BOTH(amr_wb_6_6, 1, 0)
BOTH(amr_wb_8_85, 1, 1)
BOTH(amr_wb_12_65, 1, 2)
BOTH(amr_wb_14_25, 1, 3)
BOTH(amr_wb_15_85, 1, 4)
BOTH(amr_wb_18_25, 1, 5)
BOTH(amr_wb_19_85, 1, 6)
BOTH(amr_wb_23_05, 1, 7)
BOTH(amr_wb_23_85, 1, 8)

#define ROWS(name, text)                                                                           \
    {#name "_encode", text ": 20 ms encoded", name##_encode},                                      \
    {                                                                                              \
#name "_decode", text ": 20 ms decoded", name##_decode                                     \
    }

int main(int argc, char *argv[])
{
    static const micro LIST[] = {
        ROWS(amr_4_75, "AMR 4.75"),         ROWS(amr_5_15, "AMR 5.15"),
        ROWS(amr_5_9, "AMR 5.9"),           ROWS(amr_6_7, "AMR 6.7"),
        ROWS(amr_7_4, "AMR 7.4"),           ROWS(amr_7_95, "AMR 7.95"),
        ROWS(amr_10_2, "AMR 10.2"),         ROWS(amr_12_2, "AMR 12.2"),
        ROWS(amr_wb_6_6, "AMR-WB 6.6"),     ROWS(amr_wb_8_85, "AMR-WB 8.85"),
        ROWS(amr_wb_12_65, "AMR-WB 12.65"), ROWS(amr_wb_14_25, "AMR-WB 14.25"),
        ROWS(amr_wb_15_85, "AMR-WB 15.85"), ROWS(amr_wb_18_25, "AMR-WB 18.25"),
        ROWS(amr_wb_19_85, "AMR-WB 19.85"), ROWS(amr_wb_23_05, "AMR-WB 23.05"),
        ROWS(amr_wb_23_85, "AMR-WB 23.85"),
    };
    signal_voice(voice[0], FRAMES * 160, 8000);
    signal_voice(voice[1], FRAMES * 320, 16000);
    for (unsigned wide = 0; wide < 2; wide++) {
        for (unsigned mode = 0; mode < 8 + wide; mode++)
            encode(wide, mode, FRAMES); /* packets for decode() */
    }
    return micro_main(LIST, sizeof LIST / sizeof LIST[0], argc, argv);
}
