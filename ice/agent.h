/* SPDX-License-Identifier: BSD-3-Clause
 * An ICE agent for one component (RFC 8445), lite or full: STUN messages, candidates and `now` go
 * in; replies, checks, the selected pair, events and a deadline come out. No socket, no clock.
 *
 * A lite agent answers and follows. A full one also checks (agw_ice_next_check()), nominates when
 * it is controlling, and asks for consent (RFC 7675). As controlling agent it nominates a second
 * time in one case that RFC 8445 does not have: the selected pair is silent while a check of the
 * peer from another address has led to a valid pair. That is how a phone that answers a call
 * changes its network without signalling.
 *
 * One thread per call. Trust: nothing but an authentic message moves state; a check that is not
 * authentic is never answered. */
#ifndef AGW_ICE_AGENT_H
#define AGW_ICE_AGENT_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"
#include "ice/stun.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_ICE_UFRAG_MIN = 4, /* RFC 8839 section 5.4 */
    AGW_ICE_PWD_MIN = 22,
    AGW_ICE_LOCAL_MAX = 64,   /* longest ufrag or pwd of our own */
    AGW_ICE_REMOTE_MAX = 256, /* longest ufrag or pwd of a peer */
    AGW_ICE_REMOTES = 16,     /* validated remote addresses kept */
    AGW_ICE_SEEN = 64,        /* checks that are known again: 160 s of Chromium's */
    AGW_ICE_PAIRS = 100,      /* pairs of a full agent, RFC 8445 section 6.1.2.5; 96 bytes each */
};

typedef struct agw_ice agw_ice;

/** Texts are borrowed for the call. */
typedef struct agw_ice_config {
    bool lite;
    bool controlling;         /* full: the role to begin with, RFC 8445 section 6.1.1 */
    uint32_t id_prefix;       /* full: the first four bytes of our transaction ids, by which the
                                 caller finds the agent that a response is for */
    uint8_t seed[16];         /* full: random bytes; transaction ids, tie-breaker and the jitter of
                                 consent checks come from them */
    uint32_t fail_ms;         /* 0 = 39500, RFC 8863 */
    const char *local_ufrag;  /* AGW_ICE_UFRAG_MIN to AGW_ICE_LOCAL_MAX characters */
    const char *local_pwd;    /* AGW_ICE_PWD_MIN to AGW_ICE_LOCAL_MAX characters */
    const char *remote_ufrag; /* NULL or "" until the peer's description is known */
    const char *remote_pwd;
    agw_ns now;
} agw_ice_config;

/** NULL: memory is short, or a text of the configuration is too short or too long. */
AGW_NODISCARD agw_ice *agw_ice_new(const agw_ice_config *config);
/** Wipes the passwords. NULL is allowed. */
void agw_ice_free(agw_ice *ice);

/** The peer's credentials became known (or the same ones again: nothing happens). They belong to
 * the newest generation of local credentials.
 * @return AGW_OK; AGW_ERR_MALFORMED: lengths; AGW_ERR_STATE: other ones were set for this
 *         generation: that is a restart, call agw_ice_restart(). */
AGW_NODISCARD agw_err agw_ice_set_remote(agw_ice *ice, agw_ns now, const char *ufrag,
                                         const char *pwd);

/** ICE restart (RFC 8445 section 9): both generations of local credentials are accepted, media
 * stays on the old pair, until a pair of the new generation is nominated. A restart that follows
 * before that replaces the pending generation. Remote texts may be NULL: agw_ice_set_remote()
 * later.
 * @return AGW_OK or AGW_ERR_MALFORMED (lengths; nothing changed) */
AGW_NODISCARD agw_err agw_ice_restart(agw_ice *ice, agw_ns now, const char *local_ufrag,
                                      const char *local_pwd, const char *remote_ufrag,
                                      const char *remote_pwd);

/** A local port (the caller's own numbering) and a remote address: one candidate pair. */
typedef struct agw_ice_pair {
    uint32_t port_id;
    agw_addr remote;
} agw_ice_pair;

/** Why a message had no effect; the caller counts them. Replies are sent for those marked R, and
 * only these are authentic. */
typedef enum agw_ice_drop {
    AGW_ICE_DROP_NONE = 0,
    AGW_ICE_DROP_MALFORMED,   /* not STUN, truncated, attribute of a wrong length */
    AGW_ICE_DROP_UNEXPECTED,  /* a response or error that answers nothing of ours */
    AGW_ICE_DROP_INDICATION,  /* keep-alive: counted, no reply, proves nothing */
    AGW_ICE_DROP_USERNAME,    /* absent, or neither generation's, or another peer's */
    AGW_ICE_DROP_FINGERPRINT, /* absent or wrong */
    AGW_ICE_DROP_INTEGRITY,   /* absent or wrong */
    AGW_ICE_DROP_REPLAY,      /* an authentic check that was answered before, from elsewhere */
    AGW_ICE_DROP_METHOD,      /* not Binding */
    AGW_ICE_DROP_ATTRIBUTE,   /* R 420: comprehension-required and unknown */
    AGW_ICE_DROP_PRIORITY,    /* R 400: a check without PRIORITY or without role */
    AGW_ICE_DROP_ROLE,        /* R 487: the peer claims our role, and we keep it */
    AGW_ICE_DROP_ROOM,        /* the reply did not fit the caller's buffer */
    AGW_ICE_DROP_COUNT,
} agw_ice_drop;

/** "malformed", "integrity"...; never NULL. */
const char *agw_ice_drop_text(agw_ice_drop drop);

/** A full agent's own host candidate: a port, its candidate's priority as SDP says it, and the
 * PRIORITY that its checks carry (as if it were peer-reflexive, RFC 8445 section 7.1.1). One of
 * each family, before any remote candidate. A lite agent takes no notice.
 * @return AGW_OK; AGW_ERR_LIMIT: there are two already */
AGW_NODISCARD agw_err agw_ice_add_local(agw_ice *ice, uint32_t port_id, agw_family family,
                                        uint32_t priority, uint32_t check_priority);
/** The same of a passive TCP candidate (RFC 6544), also one of each family. Nothing is checked from
 * it but what the peer has checked before, so no candidate of the peer is paired with it here, and
 * a check is sent once: TCP repeats it. */
AGW_NODISCARD agw_err agw_ice_add_passive(agw_ice *ice, uint32_t port_id, agw_family family,
                                          uint32_t priority, uint32_t check_priority);
/** A candidate of the peer's newest generation, at any time (trickle, RFC 8838); one that is known
 * is no harm. Addresses only: a name that cannot be resolved shows itself as peer-reflexive.
 * @return false: of no use to us (lite, no port of its family, not a unicast address, or
 *         AGW_ICE_PAIRS better ones are there) */
bool agw_ice_add_remote(agw_ice *ice, const agw_addr *remote, uint32_t priority);
/** The present role; false for a lite agent. */
bool agw_ice_is_controlling(const agw_ice *ice);

typedef enum agw_ice_event {
    AGW_ICE_NOTHING = 0,
    AGW_ICE_FAILED,       /* no authentic check in time, and nothing nominated (RFC 8863) */
    AGW_ICE_CONSENT_LOST, /* stop sending at once (RFC 7675) */
    AGW_ICE_CONSENT_BACK, /* sending is allowed again */
} agw_ice_event;

typedef struct agw_ice_result {
    size_t reply_len;      /* > 0: send reply to `from` through the same port */
    agw_ice_drop drop;     /* AGW_ICE_DROP_NONE: an authentic check was answered, or a response to
                              one of ours came */
    bool valid;            /* something may be sent to `from`: the pair is valid; with a lite agent,
                              its check was answered */
    bool new_remote;       /* (port_id, from) was validated just now: add it to the address map */
    bool evicted;          /* the table was full: remove `gone` from the address map */
    bool selected_changed; /* media goes to `selected` from now on */
    bool connected;        /* with selected_changed: the first nomination */
    bool restarted;        /* with or without selected_changed: a restart is complete */
    agw_ice_event event;   /* AGW_ICE_NOTHING or AGW_ICE_CONSENT_BACK */
    agw_ice_pair gone;
    agw_ice_pair selected;
} agw_ice_result;

/** Takes one STUN datagram.
 *
 * @param port_id the local port it came in by
 * @param from    its source, mirrored in the reply
 * @param reply   room bytes, AGW_STUN_REPLY_MAX is enough; not overlapping buf
 * @param res     out, always filled */
void agw_ice_on_stun(agw_ice *ice, agw_ns now, uint32_t port_id, const agw_addr *from,
                     const uint8_t *buf, size_t len, uint8_t *reply, size_t room,
                     agw_ice_result *res);

/** true: an authentic check from this address was answered on this port, or one of ours by it. */
bool agw_ice_is_valid(const agw_ice *ice, uint32_t port_id, const agw_addr *remote);
/** true: *out is the selected pair. */
bool agw_ice_selected(const agw_ice *ice, agw_ice_pair *out);
/** true: a pair is selected and consent has not expired. */
bool agw_ice_may_send(const agw_ice *ice);

/** AGW_NEVER when nothing is due. */
agw_ns agw_ice_deadline(const agw_ice *ice);
/** At most one event a call; call again while agw_ice_deadline() <= now. Each event is told once;
 * after AGW_ICE_FAILED and AGW_ICE_CONSENT_LOST the agent goes on answering. */
agw_ice_event agw_ice_on_deadline(agw_ice *ice, agw_ns now);

/** A check to be sent to pair.remote through pair.port_id. */
typedef struct agw_ice_check {
    agw_ice_pair pair;
    size_t len;
    uint8_t data[AGW_STUN_CHECK_MAX];
} agw_ice_check;

/** Full agent: the next check that is due. Call it after agw_ice_on_deadline() until it says false;
 * a check that cannot be sent is lost like any datagram. */
bool agw_ice_next_check(agw_ice *ice, agw_ns now, agw_ice_check *out);

#endif
