/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP of one party, both directions: many packets at a time by the world's sealer where there is
 * one, or packet by packet. */
#ifndef AGW_BENCH_KIT_SRTP_H
#define AGW_BENCH_KIT_SRTP_H

#include "bench/kit/sealer.h"

typedef struct kit_srtp {
    kit_world *world;
    agw_srtp_session *in, *out; /* NULL = no keys */
    agw_srtp_suite suite;
    bool spared;                    /* by the world's sealer, or there is none */
    uint64_t auth_failed, replayed; /* what came and was not taken */
} kit_srtp;

/** Keys and salts of both directions, copied; those of before end. false: not of this suite. */
AGW_NODISCARD bool kit_srtp_open(kit_srtp *s, kit_world *world, agw_srtp_suite suite,
                                 const uint8_t *key_in, const uint8_t *key_out);
/** owner: as given to kit_srtp_take(). */
void kit_srtp_close(kit_srtp *s, const void *owner);

/** Protects in place, with room of 32 bytes behind len; returns the new length, 0 = refused. */
size_t kit_srtp_protect(kit_srtp *s, uint8_t *data, size_t len, bool rtcp);
/** The same for RTP in the wire's room that is going to be committed: at the latest when it leaves.
 */
size_t kit_srtp_protect_room(kit_srtp *s, uint8_t *rtp, size_t len);

/** Gives RTP to take(owner), with the result, now or soon. */
void kit_srtp_take(kit_srtp *s, const kit_datagram *d, kit_sealer_taker take, void *owner);
/** SRTCP, in place; 0 = not authentic or repeated, and counted. */
size_t kit_srtp_take_rtcp(kit_srtp *s, const kit_datagram *d);
/** Counts; true: the packet is good. */
bool kit_srtp_is_authentic(kit_srtp *s, agw_err err);

#endif
