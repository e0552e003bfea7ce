/* SPDX-License-Identifier: BSD-3-Clause
 * Streams of real speech for calls whose codec the gateway changes: speech is encoded once and said
 * over and over. What comes out on the other side has other bytes, so it is judged by its header
 * alone (kit/stream.h). */
#ifndef AGW_BENCH_KIT_VOICE_H
#define AGW_BENCH_KIT_VOICE_H

#include "codecs/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KIT_SPEECH_HZ = 16000,
    KIT_VOICE_MS = 20, /* of a piece */
    KIT_SPEECH_PIECE = KIT_SPEECH_HZ / 1000 * KIT_VOICE_MS,
};

/** Speech as it is said: 16 bit, one channel, KIT_SPEECH_HZ. */
typedef struct kit_speech {
    int16_t *pcm;
    size_t samples; /* whole pieces */
} kit_speech;

/** Reads a file of raw samples. pause_percent: of the time nothing is said, in pauses of about two
 * seconds with the noise of a quiet room. AGW_ERR_SYSTEM: no such file, or less than a second. */
AGW_NODISCARD agw_err kit_speech_read(kit_speech *out, const char *path, unsigned pause_percent);
void kit_speech_fini(kit_speech *s);

/** What goes out for 20 ms; len 0 = nothing (DTX). */
typedef struct kit_voice_piece {
    uint32_t at; /* in kit_voice.bytes */
    uint16_t len;
} kit_voice_piece;

typedef struct kit_voice {
    agw_codec_format format;
    size_t n;
    kit_voice_piece *pieces;
    uint8_t *bytes;
} kit_voice;

/** Encodes the speech by that format, packet by packet. loss_percent: what the encoder is told of
 * its network. There must be such an encoder. */
kit_voice *kit_voice_new(const agw_codec_format *format, const kit_speech *speech,
                         unsigned loss_percent);
void kit_voice_free(kit_voice *v);
/** Pieces for which nothing goes out, or noise alone, of 1000. */
unsigned kit_voice_silence(const kit_voice *v);

/** Whether the network loses it: the same answer for the same random state everywhere. */
static inline bool kit_voice_is_lost(uint32_t *random, unsigned loss_percent)
{
    *random = *random * 1664525u + 1013904223u;
    return (*random >> 16) * 100 < (uint64_t)loss_percent << 16;
}

#endif
