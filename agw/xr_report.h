/* SPDX-License-Identifier: BSD-3-Clause
 * Extended reports of our own (RFC 3611), each leg by itself: a party that negotiated them gets
 * them behind the reports that go to it, ours or passed on; those of the other leg would tell of
 * another way. What a party answers gives its round trip where it gets no SR of ours. */
#ifndef AGW_AGW_XR_REPORT_H
#define AGW_AGW_XR_REPORT_H

#include "agw/bridge.h"

/** Reads the XR packets of a datagram of this party.
 *
 * @param rtcp  well-formed (agw_rtcp_begin()) */
void agw_xr_report_take(agw_media *m, agw_side side, const uint8_t *rtcp, size_t len, agw_ns now);
/** Adds what this party is to get behind the SR or RR that w begins with; to anything else nothing
 * is added. speaker: SSRC of ours in it. */
void agw_xr_report_add(agw_media *m, agw_side side, uint32_t speaker, agw_ns now,
                       agw_rtcp_writer *w);

#endif
