/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP of our own (RFC 3550 section 6): where none is passed on toward a party (hold, a silent
 * peer, one that speaks no RTCP), it gets an SR or RR of ours at least every 5 s, so that it knows
 * that we live and can tell its loss and round trip. The transport's timer paces it. */
#ifndef AGW_AGW_REPORT_H
#define AGW_AGW_REPORT_H

#include "agw/bridge.h"

/** After a plan, which may be a hold: the next report is due half an interval later at most (RFC
 * 3550 section 6.2). */
void agw_report_begin(agw_end *end, agw_worker *w);
/** RTCP was passed on toward this end: while it flows at its own pace none of ours is needed. */
void agw_report_put_off(agw_end *end, agw_worker *w);
/** Whether RTCP of this media ends at us: what a party hears has another codec, or control wants it
 * so. What a party reports is then about a stream of ours, and ours tells of it. */
bool agw_report_is_ours(const agw_media *m);
/** Our SSRC toward this party. */
uint32_t agw_report_speaker(const agw_end *end);
/** When to ask again; AGW_NEVER = this transport has no media. */
agw_ns agw_report_deadline(const agw_transport *t);
/** Sends what is due to the party of this transport. */
void agw_report_send_due(agw_transport *t);

#endif
