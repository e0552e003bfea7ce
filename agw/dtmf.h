/* SPDX-License-Identifier: BSD-3-Clause
 * Telephone events of one media: digits that a party presses are told to control, digits that
 * control wants played go into the RTP stream that a party sends, in place of its audio. */
#ifndef AGW_AGW_DTMF_H
#define AGW_AGW_DTMF_H

#include "agw/bridge.h"
#include "rtp/header.h"

/** A packet of the party on that side, whose payload is an event if is_event says so, else to be
 * asked for while AGW_ACT_HEARING is set. */
void agw_dtmf_hear(agw_media *m, agw_side side, const uint8_t *rtp, const agw_rtp_header *h,
                   const agw_pt_plan *pt);

/** Tells control of a digit of that party that was heard within its audio. */
void agw_dtmf_tell(agw_media *m, agw_side side, const agw_rtp_digit *digit);

/** Queues a digit as if the party on that side had pressed it. false: no telephone-event has been
 * negotiated, or the queue is full. */
bool agw_dtmf_play(agw_media *m, agw_side side, const agw_rtp_event_order *order);
/** While AGW_ACT_PLAYING is set: whether this packet of the party may pass. */
bool agw_dtmf_lets_pass(agw_media *m, agw_side side, const uint8_t *rtp);
/** Whether digits are being played in place of what that party sends, or wait. */
bool agw_dtmf_is_busy(const agw_media *m, agw_side side);
/** owner: of a timer of agw_worker.media_timers. */
void agw_dtmf_on_timer(void *owner);
/** Forgets what was to be played. NULL is fine. */
void agw_dtmf_player_free(agw_dtmf_player *player);

#endif
