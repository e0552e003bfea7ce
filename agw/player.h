/* SPDX-License-Identifier: BSD-3-Clause
 * Audio of our own toward a party, in place of what the other party sends: announcements, and
 * digits as tones. Control has decoded it; here it is encoded, packet by packet, into the stream
 * that the party hears. */
#ifndef AGW_AGW_PLAYER_H
#define AGW_AGW_PLAYER_H

#include "agw/bridge.h"
#include "agw/mail.h"

/** Plays to the party on that side. A file takes the place of the one before it, tones go in front
 * of it. One reference of order->audio is given; what is played goes back to control with
 * AGW_MAIL_AUDIO_GONE.
 *
 * @return false: no encoder, or too many tones wait */
bool agw_player_play(agw_media *m, agw_side to, const agw_play_order *order);
/** Ends the file and what waits. */
void agw_player_stop(agw_media *m, agw_side to);
/** After a plan: stops if the party does not take the codec any more. from: the other party's end.
 */
void agw_player_check(agw_media *m, agw_side to, const agw_end_plan *from);

/** While AGW_ACT_PLAYING is set: whether this packet of the party on that side may pass, beside
 * what is played in its place, be it audio or telephone events (agw/dtmf.h). */
bool agw_player_lets_pass(agw_media *m, agw_side from, const uint8_t *rtp);
/** owner: of a timer of agw_worker.player_timers. */
void agw_player_on_timer(void *owner);
/** NULL is fine. */
void agw_player_free(agw_player *player);

#endif
