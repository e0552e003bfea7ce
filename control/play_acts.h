/* SPDX-License-Identifier: BSD-3-Clause
 * Commands that let a party hear something: play media, stop media, digits as tones. */
#ifndef AGW_CONTROL_PLAY_ACTS_H
#define AGW_CONTROL_PLAY_ACTS_H

#include "control/calls.h"
#include "control/command.h"

/* The reply is to be freed by the caller. The party is found as control/media_acts.h says; it is
 * the one that hears what is played. */

agw_doc *agw_acts_play_media(agw_control *ctl, const agw_flags *flags, const agw_doc *request);
agw_doc *agw_acts_stop_media(agw_control *ctl, const agw_flags *flags);

/** Plays a digit within the audio that the party on side `to` hears. false: it has no audio that we
 * can encode. */
bool agw_acts_play_tone(agw_gateway *gateway, const agw_ng_call *call, agw_side to,
                        const agw_dtmf_order *digit);

#endif
