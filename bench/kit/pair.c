/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/pair.h"

#include <string.h>

#define PCMU                                                                                       \
    {                                                                                              \
        .count = 1, .codec[0] = {.pt = 0, .name = "PCMU/8000" }                                    \
    }
#define PCMA                                                                                       \
    {                                                                                              \
        .count = 1, .codec[0] = {.pt = 8, .name = "PCMA/8000" }                                    \
    }
#define G722                                                                                       \
    {                                                                                              \
        .count = 1, .codec[0] = {.pt = 9, .name = "G722/8000" }                                    \
    }
#define OPUS                                                                                       \
    {                                                                                              \
        .count = 1, .codec[0] = {                                                                  \
            .pt = 111,                                                                             \
            .name = "opus/48000/2",                                                                \
            .fmtp = "minptime=10;useinbandfec=1"                                                   \
        }                                                                                          \
    }
#define QUIET                                                                                      \
    {                                                                                              \
        .count = 1, .codec[0] = {                                                                  \
            .pt = 111,                                                                             \
            .name = "opus/48000/2",                                                                \
            .fmtp = "minptime=10;useinbandfec=1;usedtx=1"                                          \
        }                                                                                          \
    }
#define AMR                                                                                        \
    {                                                                                              \
        .count = 1, .codec[0] = {.pt = 96, .name = "AMR/8000", .fmtp = "mode-set=7" }              \
    }
#define AMR_WB                                                                                     \
    {                                                                                              \
        .count = 1, .codec[0] = {.pt = 97, .name = "AMR-WB/16000", .fmtp = "mode-set=2" }          \
    }

static const kit_pair PAIRS[] = {
    {"pcma-pcmu", KIT_CALL_RTP_RTP, {PCMA, PCMU}, {AGW_CODEC_PCMA, AGW_CODEC_PCMU}, 0, 0},
    {"pcma-g722", KIT_CALL_RTP_RTP, {PCMA, G722}, {AGW_CODEC_PCMA, AGW_CODEC_G722}, 0, 0},
    {"opus-pcma", KIT_CALL_WEBRTC_RTP, {OPUS, PCMA}, {AGW_CODEC_OPUS, AGW_CODEC_PCMA}, 0, 0},
    {"opus-g722", KIT_CALL_WEBRTC_RTP, {OPUS, G722}, {AGW_CODEC_OPUS, AGW_CODEC_G722}, 0, 0},
    {"opus-amr", KIT_CALL_WEBRTC_RTP, {OPUS, AMR}, {AGW_CODEC_OPUS, AGW_CODEC_AMR}, 0, 0},
    /* a browser that talks to a VoLTE phone */
    {"opus-amr-wb",
     KIT_CALL_WEBRTC_RTP,
     {QUIET, AMR_WB},
     {AGW_CODEC_OPUS, AGW_CODEC_AMR_WB},
     40,
     2},
};

const kit_pair *kit_pair_find(const char *name)
{
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        if (strcmp(PAIRS[i].name, name) == 0)
            return &PAIRS[i];
    }
    return NULL;
}

agw_codec_format kit_pair_format(const kit_pair *pair, kit_side side)
{
    agw_codec_format format = agw_codec_plain(pair->id[side]);
    const agw_err err = agw_codec_read_fmtp(&format, pair->codecs[side].codec[0].fmtp);
    AGW_ASSERT(err == AGW_OK);
    return format;
}

agw_err kit_pair_voices(const kit_pair *pair, const char *path, kit_voice *out[2])
{
    kit_speech speech;
    const agw_err err = kit_speech_read(&speech, path, pair->pause_percent);
    if (err != AGW_OK)
        return err;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        const agw_codec_format format = kit_pair_format(pair, side);
        out[side] = kit_voice_new(&format, &speech, pair->loss_percent);
    }
    kit_speech_fini(&speech);
    return AGW_OK;
}
