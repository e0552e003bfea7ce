/* SPDX-License-Identifier: BSD-3-Clause
 * What is done within the audio of a party: silence in its place, digits heard as tones; and what
 * it is, for taps. */
#ifndef AGW_AGW_INBAND_H
#define AGW_AGW_INBAND_H

#include "agw/bridge.h"
#include "rtp/header.h"

/** After a plan. What is heard goes on where the plan says the same as before. */
void agw_inband_apply(agw_end *end, const agw_end_plan *plan);
/** NULL is fine. */
void agw_inband_free(agw_inband *b);

/** What is known of audio of that payload type, while AGW_ACT_INBAND or AGW_ACT_TAP is set. NULL:
 * nothing; borrowed until the next plan. */
const agw_audio_plan *agw_inband_audio(const agw_end *end, uint8_t pt);
/** While AGW_ACT_INBAND is set: puts silence in the place of the payload, if that is asked for.
 *
 * @return false: it is of a codec whose silence is not known; drop it */
bool agw_inband_silence(const agw_end *end, agw_pkt *pkt, const agw_rtp_header *h);
/** While AGW_ACT_INBAND is set: a packet of audio of the party on that side. Digits are told like
 * telephone events, unless the party sends these. */
void agw_inband_hear(agw_media *m, agw_side side, const uint8_t *rtp, const agw_rtp_header *h);

#endif
