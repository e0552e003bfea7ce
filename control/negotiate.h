/* SPDX-License-Identifier: BSD-3-Clause
 * Offer/answer of one call: compiles what a party said (SDP, flags) into what the other party reads
 * and into the plan of the call. Knows no packets, no tags and no SIP. */
#ifndef AGW_CONTROL_NEGOTIATE_H
#define AGW_CONTROL_NEGOTIATE_H

#include "agw/gateway.h"
#include "control/config.h"
#include "control/flags.h"

#include <glib.h>

typedef struct agw_session agw_session;

/** config, gw and call are borrowed and must outlive the session. seed: random bytes, from which
 * SSRCs and CNAMEs are made. Never NULL. */
agw_session *agw_session_new(const agw_config *config, agw_gateway *gw, agw_call_ref *call,
                             const uint8_t seed[16]);
/** The call's transports go with agw_gateway_call_free(), which is the caller's. NULL is fine. */
void agw_session_free(agw_session *session);

/** Takes one SDP of the party on side `from` and writes what the other party is to read. On success
 * the whole plan of the call has gone to agw_gateway_apply() before this returns.
 *
 * An answer without an open offer: from the side that answered last it answers the last offer again
 * (183 then 200, forks); from the other side it is processed as an offer (RFC 6337). Offers of both
 * sides may be open at once; the answer to one of them gives up the other (RFC 3261 section 14.2).
 *
 * @param out  appended to; untouched on failure
 * @param why  on failure the text for error-reason, a constant; on success why a media was refused
 *             for its security, or NULL
 * @return AGW_OK; AGW_ERR_MALFORMED: not SDP; AGW_ERR_STATE: an answer before any offer;
 *         AGW_ERR_UNSUPPORTED: no media that can be served, fit for a 488; AGW_ERR_LIMIT: ran out
 * of ports; AGW_ERR_NOT_FOUND: no such interface. On failure everything stands as before. */
AGW_NODISCARD agw_err agw_negotiate(agw_session *session, agw_side from, bool is_offer,
                                    const agw_flags *flags, const char *sdp, size_t len,
                                    GString *out, const char **why);

/** Takes an ICE fragment (RFC 8840) of the party on that side: its candidates reach the worker
 * before this returns. A lite agent needs none.
 * @return AGW_OK; AGW_ERR_MALFORMED: not a fragment; AGW_ERR_NOT_FOUND: it belongs to a description
 *         that we do not have (yet) */
AGW_NODISCARD agw_err agw_session_trickle(agw_session *session, agw_side side, const char *text,
                                          size_t len);

typedef enum agw_candidate_view {
    AGW_CANDIDATE_UNKNOWN, /* the peer's description is still to come */
    AGW_CANDIDATE_NAMED,
    AGW_CANDIDATE_NOT_NAMED, /* peer-reflexive (RFC 8445 section 7.3.1.3) */
} agw_candidate_view;

/** Whether a candidate of the transport's peer has this address and port. */
agw_candidate_view agw_session_candidate(const agw_session *session, uint32_t transport_id,
                                         const agw_addr *addr);

/** An emergency or priority call (TS 23.334 section 5.14): not policed, and marked as --tos-urgent
 * says. In force at once. */
void agw_session_set_urgent(agw_session *session, bool urgent);
/** Gives up the open offer of that side, if it has one (a refused re-INVITE): what stood before
 * stands again, and so does an offer of the other side that crossed it. In an early dialogue an
 * answer that still comes is one to the offer before it. */
void agw_session_rollback(agw_session *session, agw_side offerer);
/** The 2xx to the INVITE came without an SDP: the answer that stands is the final one, as if it had
 * come with "sip-code" 2xx. */
void agw_session_accept(agw_session *session);
/** true while an offer waits for its answer. */
bool agw_session_open(const agw_session *session);
/** true after a message that we had written ourselves (flag loop-protect): it came back as it was
 * and changed nothing. */
bool agw_session_looped(const agw_session *session);
/** true after an answer of a branch that is not the one that is heard: the one before it stands. */
bool agw_session_stood(const agw_session *session);
/** true once an answer has been taken. */
bool agw_session_established(const agw_session *session);
/** true if addr is a core port of this session; *leg: the side that it was written to. */
bool agw_session_owns(const agw_session *session, const agw_addr *addr, agw_side *leg);

/** What is done to the RTP of both parties beside passing it on: AGW_ACT_* by agw_side. In force at
 * once, and in every plan from now on. */
void agw_session_set_acts(agw_session *session, const uint8_t acts[2]);
/** What takes the place of digits of the party on that side while they are blocked; with the next
 * agw_session_set_acts(). */
void agw_session_set_shield(agw_session *session, agw_side side, const agw_shield_plan *shield);

/** One m= line of one party as query shows it; texts are borrowed until the next call on the
 * session. */
typedef struct agw_media_view {
    size_t index;          /* from 0, the place of the m= line */
    bool live;             /* false: refused or ended, nothing but type is meaningful */
    uint32_t media_id;     /* agw_gateway_media_stats() */
    const char *type;      /* "audio" ... */
    const char *mid;       /* "" = none */
    const char *protocol;  /* "UDP/TLS/RTP/SAVPF" */
    const char *codec;     /* the first one in use, "opus/48000/2"; "" = none yet */
    const char *direction; /* what this party may do: "sendrecv" ... */
    uint32_t transport_id;
    const char *interface;            /* the realm's name, "" = unnamed */
    agw_addr local_rtp, local_rtcp;   /* advertised */
    agw_addr remote_rtp, remote_rtcp; /* signalled; family none with ICE or when not known */
    bool ice, rtcp_mux, dtls;
    bool passes;                    /* secured between the parties */
    bool ice_full, ice_controlling; /* the role to begin with */
    agw_dtls_plan dtls_role;
    const char *sdes; /* suite of a=crypto; NULL = none */
    uint8_t acts;     /* AGW_ACT_* in force on what this party sends */
    bool dtmf;        /* its telephone events would be passed on */
    bool may_send, may_receive;
} agw_media_view;

/** Audio of our own that a party can be sent. */
typedef struct agw_hearing {
    uint32_t media_id;
    uint8_t pt;
    agw_codec_format format;
} agw_hearing;

/** false: it has no audio, or none of its codecs can be encoded here. */
bool agw_session_hears(const agw_session *session, agw_side side, agw_hearing *out);

size_t agw_session_n_medias(const agw_session *session);
void agw_session_media(agw_session *session, agw_side side, size_t index, agw_media_view *out);

#endif
