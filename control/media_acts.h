/* SPDX-License-Identifier: BSD-3-Clause
 * Commands that act on the media of a call that stands: block and unblock, play a digit, record. */
#ifndef AGW_CONTROL_MEDIA_ACTS_H
#define AGW_CONTROL_MEDIA_ACTS_H

#include "control/calls.h"
#include "control/command.h"

/* Each returns the reply, to be freed by the caller. The party of a block or a digit is the one
 * with the label, else the one that receives media at the address, else the one with the from-tag;
 * none of these, or the flag "all": the whole call. */

enum { AGW_ACTS_WHOLE_CALL = 2 }; /* beside both agw_sides */

/** NULL: *call and *side are the party, or AGW_ACTS_WHOLE_CALL; else why there is none. */
const char *agw_acts_find(agw_calls *calls, const agw_flags *flags, agw_ng_call **call, int *side);

/** act: AGW_ACT_BLOCK or AGW_ACT_SILENCE. */
agw_doc *agw_acts_block(agw_calls *calls, const agw_flags *flags, uint8_t act, bool on);
/** Of digits; how, the request says (control/dtmf_guard.h). */
agw_doc *agw_acts_block_dtmf(agw_calls *calls, const agw_flags *flags, const agw_doc *request,
                             bool on);
/** The party on that side has pressed a digit: it may be one that switches a block. */
void agw_acts_hear_digit(agw_ng_call *call, agw_side side, char digit, agw_ns now);
/** Ends what lasts for a time only; returns when to ask again. */
agw_ns agw_acts_watch(agw_ng_call *call, agw_ns now);
/** The party is the one that seems to press the digit. */
agw_doc *agw_acts_play_dtmf(agw_control *ctl, const agw_flags *flags, const agw_doc *request);
agw_doc *agw_acts_start_recording(agw_control *ctl, const agw_flags *flags);
agw_doc *agw_acts_stop_recording(agw_control *ctl, const agw_flags *flags);
/** The files stay open; "start recording" goes on. Also "stop recording" with pause. */
agw_doc *agw_acts_pause_recording(agw_control *ctl, const agw_flags *flags);

/** The file cannot be written: the call goes on without. */
void agw_acts_recording_failed(agw_gateway *gateway, agw_ng_call *call);

/** What there is of it is removed. */
void agw_acts_discard_recording(agw_gateway *gateway, agw_ng_call *call);

/** What the flags of an offer or answer of the party on that side say about media: block-DTMF,
 * detect-DTMF, block-egress, drop-traffic, record-call, exclude-recording. */
void agw_acts_signalled(agw_control *ctl, agw_ng_call *call, agw_side side, const agw_flags *flags);

#endif
