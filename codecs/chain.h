/* SPDX-License-Identifier: BSD-3-Clause
 * One media in one direction through a codec change: jitter buffer -> decode (PLC, FEC) -> rate ->
 * encode -> packets, paced by its own clock. Sans I/O: RTP packets and `now` go in, RTP packets and
 * a deadline come out. Telephone events go beside the audio and keep their place in it. */
#ifndef AGW_CODECS_CHAIN_H
#define AGW_CODECS_CHAIN_H

#include "base/clock.h"
#include "codecs/codec.h"
#include "codecs/encoder.h"

enum { AGW_CHAIN_INPUTS = 8 };

/** A payload type that comes in. */
typedef struct agw_chain_input {
    uint8_t pt;
    bool is_event;           /* telephone-event */
    bool is_noise;           /* CN, RFC 3389 */
    bool is_red;             /* RED, RFC 2198: of the first audio format */
    agw_codec_format format; /* of audio; of the others clock_hz alone counts */
} agw_chain_input;

/** What a chain does; a plain value. */
typedef struct agw_chain_plan {
    uint8_t n_inputs;
    agw_chain_input inputs[AGW_CHAIN_INPUTS];
    uint8_t out_pt;
    agw_codec_format out;
    uint8_t event_pt; /* telephone events as they go out; 0 with event_hz 0 = none */
    uint32_t event_hz;
    uint8_t noise_pt; /* CN as it goes out; has_noise */
    bool has_noise;
} agw_chain_plan;

typedef struct agw_chain_stats {
    uint64_t frames_in, frames_out, concealed, by_fec, late, malformed;
    uint32_t delay_us; /* of the jitter buffer, now */
} agw_chain_stats;

typedef struct agw_chain agw_chain;

/** ssrc, seq, timestamp: where the stream that comes out begins. NULL: no memory, or a codec that
 * we have not. */
agw_chain *agw_chain_new(const agw_chain_plan *plan, uint32_t ssrc, uint16_t seq,
                         uint32_t timestamp);
void agw_chain_free(agw_chain *c);
/** Another plan for the running stream: what goes on goes on (numbers, jitter buffer). */
AGW_NODISCARD agw_err agw_chain_apply(agw_chain *c, const agw_chain_plan *plan);

/** Takes an authentic RTP packet. AGW_ERR_MALFORMED: count and drop. */
AGW_NODISCARD agw_err agw_chain_put(agw_chain *c, const uint8_t *rtp, size_t len, agw_ns now);
/** When agw_chain_take() has something; AGW_NEVER until the first packet has come, and when the
 * source has been silent for so long that the stream is over. */
agw_ns agw_chain_deadline(const agw_chain *c);
/** Writes the RTP packet that is due into out.
 *
 * @return its length; 0 = none (DTX, or none is due) */
size_t agw_chain_take(agw_chain *c, agw_ns now, uint8_t *out, size_t room);
void agw_chain_adapt(agw_chain *c, const agw_encoder_wish *wish);
/** What the decoder's side wants of its sender: AMR mode (CMR) for the packets of the other chain.
 */
int agw_chain_mode_request(const agw_chain *c);
void agw_chain_get_stats(const agw_chain *c, agw_chain_stats *out);

#endif
