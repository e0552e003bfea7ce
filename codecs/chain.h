/* SPDX-License-Identifier: BSD-3-Clause
 * One media in one direction through a codec change: jitter buffer -> decode (PLC, FEC) -> rate ->
 * encode -> packets, paced by its own clock. Sans I/O: RTP packets and `now` go in, RTP packets and
 * a deadline come out. Telephone events go beside the audio and keep their place in it; who takes
 * none hears their tones. */
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
    uint8_t event_pt;  /* telephone events as they go out ... */
    uint32_t event_hz; /* ... and their clock; 0 = as tones within the audio */
    uint8_t noise_pt;  /* CN as it goes out; has_noise */
    bool has_noise;
} agw_chain_plan;

typedef struct agw_chain_stats {
    uint64_t packets_in, packets_out, late, malformed;
    uint64_t concealed_ms, by_fec_ms; /* audio that was not there */
    uint32_t delay_us;                /* of the jitter buffer, now */
} agw_chain_stats;

typedef struct agw_chain agw_chain;

/** ssrc, seq, timestamp: where the stream that comes out begins. NULL: no memory, or a codec that
 * we have not. */
agw_chain *agw_chain_new(const agw_chain_plan *plan, uint32_t ssrc, uint16_t seq,
                         uint32_t timestamp);
void agw_chain_free(agw_chain *c);
/** Another plan for the running stream: what goes on goes on (numbers, jitter buffer). */
AGW_NODISCARD agw_err agw_chain_apply(agw_chain *c, const agw_chain_plan *plan);

/** Takes an authentic RTP packet. Another SSRC is another source; the one before it is not heard
 * until this one has been silent for 200 ms. Any error: it was counted, drop it. */
AGW_NODISCARD agw_err agw_chain_put(agw_chain *c, const uint8_t *rtp, size_t len, agw_ns now);
/** When to call agw_chain_take(); AGW_NEVER until the first packet has come, and when the source
 * has been silent for so long that the stream is over. */
agw_ns agw_chain_deadline(const agw_chain *c);
/** Writes the RTP packet that is due into out; to be called until the deadline is in the future.
 *
 * @return its length; 0 = none (DTX, a piece of a longer packet, or none is due) */
size_t agw_chain_take(agw_chain *c, agw_ns now, uint8_t *out, size_t room);
/** The source pauses (hold, or what it sends passes untouched): nothing more goes out until its
 * next packet comes. */
void agw_chain_rest(agw_chain *c);
void agw_chain_adapt(agw_chain *c, const agw_encoder_wish *wish);
/** The mode of this codec (agw_codec_id) in which the source wants to be spoken to, as its packets
 * say (CMR of AMR, AMR-WB and EVS): for agw_chain_adapt() of the chain in the other direction. -1 =
 * any, or it speaks another codec. */
int agw_chain_mode_request(const agw_chain *c, uint8_t codec);
/** The mode that we ask the far end to send in what comes back from it (CMR of AMR), from the next
 * packet on; -1 = any. */
void agw_chain_ask_mode(agw_chain *c, int mode);
/** The format of the AMR that has come last, and its speech mode; NULL: none has. */
const agw_codec_format *agw_chain_mode_in(const agw_chain *c, int *mode);
/** CPU time of a second of what the plan does, in us, by the codec table at the rate of the audio
 * inside. */
uint32_t agw_chain_cost_us(const agw_chain_plan *plan);
/** What comes out, as the plan says; until agw_chain_apply(). */
const agw_codec_format *agw_chain_out(const agw_chain *c);
/** Clock rate of the stream that comes out. */
uint32_t agw_chain_clock_hz(const agw_chain *c);
void agw_chain_get_stats(const agw_chain *c, agw_chain_stats *out);

#endif
