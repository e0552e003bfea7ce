/* SPDX-License-Identifier: BSD-3-Clause
 * One direction of SRTP and SRTCP under one master key: what DTLS-SRTP or a=crypto agreed on.
 * Packets are changed in place; nothing here reads a socket or a clock. */
#ifndef AGW_SRTP_SESSION_H
#define AGW_SRTP_SESSION_H

#include "base/err.h"
#include "srtp/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_SRTP_REPLAY_WINDOW = 128, /* packets, both directions */
    AGW_SRTP_SSRC_MAX = 32,       /* SSRCs that one session serves */
};

typedef struct agw_srtp_session agw_srtp_session;

/** key_and_salt: master key, then master salt, len bytes exactly; copied. egress: true to protect,
 * false to unprotect. NULL: AGW_SRTP_NONE, a wrong len, or no memory. */
AGW_NODISCARD agw_srtp_session *
agw_srtp_session_new(agw_srtp_suite suite, const uint8_t *key_and_salt, size_t len, bool egress);
/** Wipes the keys. NULL is allowed. */
void agw_srtp_session_free(agw_srtp_session *s);

/** Protects one RTP or RTCP packet.
 *
 * @param data  the plain packet
 * @param len   in/out
 * @param room  writable bytes behind data + *len; AGW_SRTP_TRAILER_MAX is always enough
 * @return AGW_OK; AGW_ERR_NO_SPACE: room; AGW_ERR_MALFORMED: not RTP or RTCP;
 *         AGW_ERR_REPLAY: this sequence number has been sent, or is too old (a relay meets
 *         duplicates: drop); AGW_ERR_LIMIT: more than AGW_SRTP_SSRC_MAX SSRCs, or the key is used
 *         up; AGW_ERR_SYSTEM. On any error drop the packet, its bytes may be changed. */
AGW_NODISCARD agw_err agw_srtp_protect(agw_srtp_session *s, uint8_t *data, size_t *len,
                                       size_t room);
AGW_NODISCARD agw_err agw_srtp_protect_rtcp(agw_srtp_session *s, uint8_t *data, size_t *len,
                                            size_t room);

/** Authenticates and deciphers one packet; *len shrinks.
 *
 * @return AGW_OK: authentic and new;
 *         AGW_ERR_MALFORMED: shorter than its own headers and the tag, or not version 2;
 *         AGW_ERR_REPLAY: index seen before or behind the window. Found before the tag is checked,
 *         so the packet may be forged: it proves nothing;
 *         AGW_ERR_AUTH: forged, damaged, other key, or SRTCP that is not encrypted (E bit clear);
 *         AGW_ERR_LIMIT: a new SSRC when AGW_SRTP_SSRC_MAX are served.
 *         On any error no state has moved and the bytes are useless: count and drop. */
AGW_NODISCARD agw_err agw_srtp_unprotect(agw_srtp_session *s, uint8_t *data, size_t *len);
AGW_NODISCARD agw_err agw_srtp_unprotect_rtcp(agw_srtp_session *s, uint8_t *data, size_t *len);

/** Asks the cache for what the next packet needs. */
void agw_srtp_session_prefetch(const agw_srtp_session *s);

/** The roll-over counter of an SSRC. AGW_ERR_NOT_FOUND: no packet of it yet. */
AGW_NODISCARD agw_err agw_srtp_session_roc(const agw_srtp_session *s, uint32_t ssrc, uint32_t *roc);
/** Before its first packet, or to resynchronise: the next packet of ssrc is in cycle roc.
 * AGW_ERR_LIMIT as above; AGW_ERR_SYSTEM. */
AGW_NODISCARD agw_err agw_srtp_session_set_roc(agw_srtp_session *s, uint32_t ssrc, uint32_t roc);

/* One master key after another toward or from the same party: s has the new one, last the old one.
 * "The roll-over counter always maintains its sequence of values" (RFC 3711 section 3.3.1), but a
 * peer may begin anew (RFC 4568 section 7.1.4), and many do. */

/** Egress: every SSRC goes on where it is with last. AGW_ERR_SYSTEM: memory is short. */
AGW_NODISCARD agw_err agw_srtp_session_follow(agw_srtp_session *s, const agw_srtp_session *last);
/** Ingress: whether the packet with this number may be in another cycle than the first, *roc,
 * because it is with last. Never once s has had a packet of this SSRC. */
bool agw_srtp_session_may_follow(const agw_srtp_session *s, const agw_srtp_session *last,
                                 uint32_t ssrc, uint16_t seq, uint32_t *roc);

#endif
