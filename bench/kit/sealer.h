/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP of a world's parties, many packets at a time: what was queued is protected right before the
 * wire lets it go, what came is unprotected behind a batch of datagrams, while they are still
 * there. Programs that look at one packet at a time have no sealer.
 *
 * The gateway's code computes in the same way. So that an error which both make alike is seen, the
 * keys of every eighth party are used by OpenSSL and packet by packet. */
#ifndef AGW_BENCH_KIT_SEALER_H
#define AGW_BENCH_KIT_SEALER_H

#include "bench/kit/world.h"
#include "srtp/batch.h"

typedef struct kit_sealer kit_sealer;

/** Stands in world->sealer from now on. */
void kit_sealer_open(kit_world *world);
/** After the last party, before the world. */
void kit_sealer_close(kit_world *world);

/** true: it is this party's turn to be the eighth, whose sessions have no engine and whose
 * packets do not come here. */
bool kit_sealer_spares(kit_sealer *s);
/** For the sessions of the others; may be NULL. */
agw_srtp_engine *kit_sealer_engine(const kit_sealer *s);

/** The packet, which stands in the wire's room, is protected before it leaves, and grows
 * by the suite's tag. */
void kit_sealer_protect(kit_sealer *s, agw_srtp_session *session, uint8_t *rtp, size_t len);

/** err: of agw_srtp_unprotect(). */
typedef void (*kit_sealer_taker)(void *owner, agw_err err, uint8_t *rtp, size_t len, agw_ns at);
/** Unprotects the datagram's payload and gives it to take(owner), soon. */
void kit_sealer_unprotect(kit_sealer *s, agw_srtp_session *session, const kit_datagram *d,
                          kit_sealer_taker take, void *owner);
/** Before the owner and its sessions end: nothing is given to it any more, and what waits for
 * protection is protected. */
void kit_sealer_forget(kit_sealer *s, const void *owner);

#endif
