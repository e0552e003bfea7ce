/* SPDX-License-Identifier: BSD-3-Clause
 * Between the stages of a turn. With a thousand calls hardly anything of a packet's call is still
 * in the cache when its next packet comes, 20 ms later. Here the packets of a whole batch ask for
 * what the next stage will read, so that their waits for memory overlap instead of adding up.
 * Nothing else depends on it. */
#ifndef AGW_AGW_WARM_H
#define AGW_AGW_WARM_H

#include "base/pkt.h"

/** Behind agw_demux_classify(): the transports. */
void agw_warm_transports(agw_pkt *const pkts[], size_t n);
/** Before agw_transport_unprotect(): keys and streams, and the medias. */
void agw_warm_medias(agw_pkt *const pkts[], size_t n);
/** Before agw_bridge_forward(): statistics, and the transport on the other side. */
void agw_warm_other_side(agw_pkt *const pkts[], size_t n);
/** Before agw_transport_protect(): keys and port of the way out. */
void agw_warm_way_out(agw_pkt *const pkts[], size_t n);

#endif
