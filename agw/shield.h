/* SPDX-License-Identifier: BSD-3-Clause
 * What takes the place of a party's digits while they are blocked (AGW_ACT_BLOCK_DTMF): nothing,
 * another digit, or silence or a tone in the codec that the party speaks. One packet becomes one
 * packet, under its own number. */
#ifndef AGW_AGW_SHIELD_H
#define AGW_AGW_SHIELD_H

#include "agw/bridge.h"
#include "rtp/header.h"

typedef struct agw_shield agw_shield;

/** After a plan. An event that goes on goes on. */
void agw_shield_apply(agw_end *end, const agw_end_plan *plan);
/** NULL is fine. */
void agw_shield_free(agw_shield *s);

/** Audio of that payload type has come: digits are to sound like it. */
void agw_shield_note(agw_end *end, uint8_t pt);
/** Puts something in the place of a packet of telephone events of the party on that side. Its
 * payload type may be another one then. clock_hz: of the events.
 *
 * @return false: nothing is to pass */
bool agw_shield_replace(agw_media *m, agw_side side, agw_pkt *pkt, const agw_rtp_header *h,
                        uint32_t clock_hz);

#endif
