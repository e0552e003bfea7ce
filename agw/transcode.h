/* SPDX-License-Identifier: BSD-3-Clause
 * Codec change of what a party sends: its chain (codecs/chain.h) on the worker's clock, between the
 * bridge, which hands packets in, and the RTP stream toward the other party. */
#ifndef AGW_AGW_TRANSCODE_H
#define AGW_AGW_TRANSCODE_H

#include "agw/bridge.h"

typedef struct agw_transcoder agw_transcoder;

/** What the party on that side sends goes through such a chain from now on; NULL = it passes. After
 * both ends have been brought to the plan. */
void agw_transcode_apply(agw_media *m, agw_side side, const agw_chain_plan *plan);
/** NULL is fine. */
void agw_transcoder_free(agw_transcoder *t);

/** Whether a party of this media hears another codec than the other one speaks. RTCP then ends at
 * us: what a party reports is about a stream of ours. */
bool agw_transcode_is_on(const agw_media *m);
/** How a chain calls telephone events of the party on that side; clock_hz 0: they do not go through
 * one, or the other party takes none. */
agw_pt_plan agw_transcode_event(const agw_media *m, agw_side side);
/** Clock rate of the stream toward that side; 0 = not known. */
uint32_t agw_transcode_egress_hz(const agw_media *m, agw_side side);

/** What the party on that side asks of who encodes this codec (agw_codec_id) for it; NULL: nothing
 * is known, no chain speaks that to it. Borrowed, for this turn. */
const agw_encoder_wish *agw_transcode_wish(const agw_media *m, agw_side side, uint8_t codec);

/** A packet that may pass, of a chained payload type. */
agw_drop agw_transcode_put(agw_media *m, agw_side side, const agw_pkt *pkt);
/** What the party on that side sends passes untouched for now. */
void agw_transcode_pause(agw_media *m, agw_side side);
/** owner: of a timer of agw_worker.chain_timers. */
void agw_transcode_on_timer(void *owner);

/** So much of what the party on that side sends is lost on its way to us: we ask it for less where
 * the way is full, and it is told so in what it hears. */
void agw_transcode_note_loss_in(agw_media *m, agw_side side, uint8_t fraction_256);
/** The party on that side has told how much of what we send to it is lost, and the round trip is
 * known anew. */
void agw_transcode_note_loss(agw_media *m, agw_side side, uint8_t fraction_256);

#endif
