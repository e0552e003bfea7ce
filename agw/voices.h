/* SPDX-License-Identifier: BSD-3-Clause
 * What both parties of a call say, decoded onto one line of time: for recordings. Packets come in
 * the order in which they came to the worker, and their times are all the clock there is; each
 * party is heard through a jitter buffer (codecs/playout.h), as a listener would. */
#ifndef AGW_AGW_VOICES_H
#define AGW_AGW_VOICES_H

#include "base/clock.h"
#include "codecs/codec.h"

enum {
    AGW_VOICES_HZ = 16000,
    AGW_VOICES_PIECE = AGW_VOICES_HZ / 100, /* samples of 10 ms */
};

typedef struct agw_voices agw_voices;

/** 10 ms of both parties, by agw_side. */
typedef struct agw_voices_piece {
    int16_t pcm[2][AGW_VOICES_PIECE];
} agw_voices_piece;

/** Never NULL. */
agw_voices *agw_voices_new(void);
/** NULL is fine. */
void agw_voices_free(agw_voices *v);

/** An RTP packet of a party. */
typedef struct agw_voices_packet {
    uint8_t side; /* agw_side */
    bool is_red;  /* RED (RFC 2198): its own block counts */
    agw_codec_format format;
    const uint8_t *rtp;
    size_t len;
    agw_ns at;
} agw_voices_packet;

/** To be called when agw_voices_take() has given all that is before it. What cannot be decoded is
 * left out. */
void agw_voices_put(agw_voices *v, const agw_voices_packet *packet);
/** What stands before that time: 10 ms of audio, or any length of silence.
 *
 * @return so many pieces: 0 = none; 1 = *piece is it; more = all are silence */
uint64_t agw_voices_take(agw_voices *v, agw_ns until, agw_voices_piece *piece);
/** When the last of it has been said: for agw_voices_take() at the end. */
agw_ns agw_voices_end(const agw_voices *v);

#endif
