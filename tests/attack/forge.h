/* SPDX-License-Identifier: BSD-3-Clause
 * Forged, repeated and damaged SRTP and SRTCP of the attacked stream: the browser's, or the phone's
 * where that has keys in SDP. What both legs must bear is written once. */
#ifndef AGW_ATTACK_FORGE_H
#define AGW_ATTACK_FORGE_H

#include "tests/attack/attack.h"

enum {
    FORGE_PAYLOAD = 160, /* bytes of media, 20 ms of G.711 */
    FORGE_TAG_MAX = 16,  /* of any suite */
};

/** Who sends the attacked stream, and its numbers. */
kit_side forge_side(const attack *a);
const kit_sender *forge_sender(const attack *a);

/** The sender's sequence number, `ahead` packets from now. */
uint16_t forge_seq(const kit_sender *s, uint32_t ahead);
/** a->packet becomes the sender's packet, `ahead` packets from now, in the clear. */
void forge_rtp(attack *a, const kit_sender *s, uint32_t ahead, uint32_t ssrc);
/** The same with random bytes where a tag belongs, sent. */
void forge_send_tagged(attack *a, uint32_t ahead, uint32_t ssrc);

/** The session in a->own (agw_srtp_session): protects and sends a->packet; ends. */
void forge_send_protected(attack *a);
void forge_close_session(attack *a);

/** a->packet with something behind it, without (a part of) its tag, or cut anywhere. */
void forge_change_length(attack *a, uint64_t n);

/** What an eavesdropper has heard, again: 0 = the newest packet. */
void forge_replay(attack *a, uint64_t back);

/* --- fire() of cases ---------------------------------------------------------------------------
 */

void forge_replay_newest(attack *a, uint64_t n);
/** The last second again and again, in its order. */
void forge_replay_second(attack *a, uint64_t n);
/** The stream's next packets, under the key of a->own. */
void forge_next(attack *a, uint64_t n);
/** Numbers half a cycle ahead, and just behind the next roll-over: who believes them is in another
 * cycle from then on. */
void forge_far_future(attack *a, uint64_t n);
void forge_plain(attack *a, uint64_t n);
void forge_many_ssrcs(attack *a, uint64_t n);
/** What the gateway sends to that party comes back to it, under the key of a->own. */
void forge_reflected(attack *a, uint64_t n);

/* --- SRTCP: a genuine sender report is kept in a->own (attack_heard) ---------------------------
 */

/** begin(): the party sends one and it is kept. */
void forge_keep_report(attack *a);
/** a->packet becomes a copy of it. */
void forge_copy_report(attack *a);
/** Where the SRTCP index is in a->packet. */
size_t forge_index_at(attack *a);
/** fire(): as it is; and with a fresh index each time, so that it is not refused as a replay, and
 * every other time with a changed bit. */
void forge_replay_report(attack *a, uint64_t n);
void forge_tamper_report(attack *a, uint64_t n);

#endif
