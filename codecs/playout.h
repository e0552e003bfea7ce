/* SPDX-License-Identifier: BSD-3-Clause
 * Jitter buffer and decoder as one: packets go in as they come, audio comes out in steps of 10 ms
 * whenever it is asked for, without a break. The delay follows the measured jitter (rtp/jitter.h);
 * it changes by stretching and shortening voiced speech (codecs/stretch.h) and in silence, never by
 * a click. What is missing is concealed: FEC, then the codec's own, then codecs/conceal.h. */
#ifndef AGW_CODECS_PLAYOUT_H
#define AGW_CODECS_PLAYOUT_H

#include "base/clock.h"
#include "codecs/decoder.h"

typedef struct agw_playout agw_playout;

typedef struct agw_playout_stats {
    uint64_t concealed_ms, by_fec_ms, stretched_ms, shortened_ms;
    uint64_t late, duplicate, overflow, malformed; /* packets */
    uint32_t target_delay_us, delay_us;
} agw_playout_stats;

/** What a packet says beside its audio. */
typedef struct agw_playout_note {
    int8_t mode_request; /* as agw_payload has it */
    uint8_t type;        /* of its first frame, as agw_frame has it */
} agw_playout_note;

/** rate_hz: of the audio that comes out; 8000, 16000, 48000. */
agw_playout *agw_playout_new(uint32_t rate_hz);
void agw_playout_free(agw_playout *p);
/** Payload types that may come; decoders are made here (not on the packet's way). */
AGW_NODISCARD agw_err agw_playout_add(agw_playout *p, uint8_t pt, const agw_codec_format *format);

/** A packet as it came; payload is copied. seq and timestamp as on the wire, one SSRC at a time:
 * agw_playout_switch() says that another source begins. */
AGW_NODISCARD agw_err agw_playout_put(agw_playout *p, uint8_t pt, uint16_t seq, uint32_t timestamp,
                                      const uint8_t *payload, size_t len, agw_ns now);
/** Of the last packet for which agw_playout_put() was AGW_OK. */
agw_playout_note agw_playout_noted(const agw_playout *p);
void agw_playout_switch(agw_playout *p);
/** Another time begins behind a pause of ours: nothing of what waits is played any more. */
void agw_playout_begin_anew(agw_playout *p);
/** The next 10 ms: rate_hz / 100 samples, always all of them. true: it is audio (or concealment of
 * it); false: silence or comfort noise. */
bool agw_playout_take(agw_playout *p, agw_ns now, int16_t *pcm);
/** RTP timestamp (of the sender's clock) of the audio that agw_playout_take() gives next. */
uint32_t agw_playout_timestamp(const agw_playout *p);
void agw_playout_get_stats(const agw_playout *p, agw_playout_stats *out);

#endif
