/* SPDX-License-Identifier: BSD-3-Clause
 * A call that comes past more than once: originating and terminating P-CSCF share this gateway
 * (hairpin). Call-ID and From-tag are then the same in all passes; each pass is a call of its own
 * here, and which one a message belongs to is told by the addresses in its SDP, which the pass
 * before has written. Media goes from pass to pass by the core ports that both have anyway. */
#ifndef AGW_CONTROL_PASSES_H
#define AGW_CONTROL_PASSES_H

#include "control/calls.h"

enum { AGW_PASSES_MAX = 8 }; /* more of them are a loop of the signalling */

/** Which pass an offer or answer belongs to.
 *
 * @param first    of its call-id (agw_calls_find())
 * @param speaker  the side that it comes from, as the call's tags say
 * @return the pass; NULL: the message comes from the last pass and goes on, so a new one begins */
agw_ng_call *agw_passes_of_sdp(agw_ng_call *first, agw_side speaker, const char *sdp, size_t len);

/** The pass that a delete means: the one that knows via_branch (NULL = none given), else the newest
 * one whose delete is not pending. A refusal comes back from the far end, and behind the first pass
 * the call may go on to somebody else. */
agw_ng_call *agw_passes_to_delete(agw_ng_call *first, const char *via_branch);

agw_ng_call *agw_passes_last(agw_ng_call *first);
/** How many there are; first may be NULL. */
size_t agw_passes_count(const agw_ng_call *first);

#endif
