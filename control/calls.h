/* SPDX-License-Identifier: BSD-3-Clause
 * The calls that stand: who is who in them (tags, branches, labels), what their transports report,
 * and when they end. Documents about them are made in calls_query.c. */
#ifndef AGW_CONTROL_CALLS_H
#define AGW_CONTROL_CALLS_H

#include "base/timerq.h"
#include "control/config.h"
#include "control/dtmf_guard.h"
#include "control/events.h"
#include "control/negotiate.h"
#include "control/ng.h"
#include "control/quality.h"

typedef struct agw_calls agw_calls;
typedef struct agw_ng_call agw_ng_call;

/* --- when a call ends: pure, on virtual time ---------------------------------------------------
 */

/** Why a call ends. */
typedef enum agw_call_end {
    AGW_CALL_LIVES,
    AGW_CALL_DELETED,    /* by command */
    AGW_CALL_INACTIVE,   /* no media for --timeout */
    AGW_CALL_SILENT,     /* on hold and no media for --silent-timeout */
    AGW_CALL_UNANSWERED, /* for --offer-timeout */
    AGW_CALL_NO_CONSENT, /* lost and not regained within --consent-grace */
    AGW_CALL_HUNG,       /* the signalling node does not know it any more: heartbeats */
    AGW_CALL_TOO_OLD,    /* for --final-timeout */
    AGW_CALL_ENDS,
} agw_call_end;

const char *agw_call_end_text(agw_call_end end); /* "inactivity" ... */

/** All that decides about the end of a call. Times are 0 when they never were. */
typedef struct agw_call_clock {
    agw_ns started_at;
    agw_ns signalled_at;    /* last offer or answer */
    agw_ns media_at;        /* last authentic RTP or RTCP packet on any leg */
    agw_ns delete_at;       /* AGW_NEVER = no delete is pending */
    agw_ns consent_lost_at; /* of the transport that lost it first; AGW_NEVER = all is well */
    agw_ns hung_at;         /* the third heartbeat stayed unanswered; AGW_NEVER = all is well */
    bool answered;
    bool held;      /* no media flows both ways */
    bool protected; /* an emergency call ends by command only, or when it is over its age or hung
                       and carries no media any more */
} agw_call_clock;

/** What is due at now; *deadline is when to ask again (AGW_NEVER = only after a change). A pending
 * delete stops all other clocks. */
agw_call_end agw_call_decide(const agw_call_clock *clock, const agw_config *config, agw_ns now,
                             agw_ns *deadline);

/* --- what is looked at while a call lives: calls_watch.c ---------------------------------------
 */

/** What is told of a call, and to whom (notify, notify-url, xmlrpc-callback, DTMF-log-dest). */
typedef struct agw_call_notify {
    char *events;                 /* beginnings of events' names, " ice dtls "; "" = all */
    char *target;                 /* "" = the gateway's sinks */
    char *rpc_url;                /* --b2b-url with the address put in; "" = none */
    agw_ns inactivity, heartbeat; /* 0 = not told */
    int32_t quality_x10;          /* told below this MOS times ten; 0 = not told */
    agw_addr dtmf_log_dest;       /* family none = the gateway's */
} agw_call_notify;

/** One direction of one media: what this party sends. */
typedef struct agw_stream_watch {
    bool silent, poor;
    agw_quality quality;
} agw_stream_watch;

typedef struct agw_watch {
    agw_ns heartbeat_at, quality_at; /* the next one; AGW_NEVER = none */
    uint64_t heartbeat_seq;          /* the last one that was sent; 0 = none */
    unsigned unanswered;
    agw_stream_watch *streams; /* [media][side]; NULL until they are looked at */
    size_t n_streams;
} agw_watch;

/** Whether a stream that should flow since `since` (0 = it need not) is silent at now, which is
 * when last_at (its last packet) and since are `limit` ago. *deadline: when to look again. */
bool agw_watch_is_silent(bool was, agw_ns since, agw_ns last_at, agw_ns limit, agw_ns now,
                         agw_ns *deadline);

/* --- what transports report --------------------------------------------------------------------
 */

typedef enum agw_ice_view {
    AGW_ICE_VIEW_NEW,
    AGW_ICE_VIEW_CONNECTED,
    AGW_ICE_VIEW_FAILED,
    AGW_ICE_VIEW_CONSENT_LOST,
} agw_ice_view;

typedef enum agw_dtls_view {
    AGW_DTLS_VIEW_NEW,
    AGW_DTLS_VIEW_ESTABLISHED,
    AGW_DTLS_VIEW_FAILED,
    AGW_DTLS_VIEW_CLOSED,
} agw_dtls_view;

typedef struct agw_transport_view {
    uint32_t id;
    agw_ice_view ice;
    bool controlling; /* our role, with a full agent and a pair */
    agw_dtls_view dtls;
    agw_addr local, remote; /* the selected pair, or what was latched */
    bool tcp;               /* of that pair: over TCP */
    agw_ns consent_lost_at; /* AGW_NEVER = it stands */
    char dtls_detail[120];  /* version, cipher, SRTP profile; or why it failed */
} agw_transport_view;

const char *agw_ice_view_text(agw_ice_view view);
const char *agw_dtls_view_text(agw_dtls_view view);

/* --- the calls ---------------------------------------------------------------------------------
 */

/** What commands have said about the media of a call; survives re-offers. Index 2 is the whole
 * call: a command about it leaves what was said about one party as it is. */
typedef struct agw_call_acts {
    bool block_media[3], silence_media[3];
    agw_dtmf_guard dtmf[3];
    bool block_egress[2]; /* what is sent to that party */
    bool drop_traffic, detect_dtmf;
    bool recording, paused, never_recorded;
} agw_call_acts;

/** A tag of a party, with the branch that brought it. */
typedef struct agw_party_tag {
    char *tag;        /* "" until the branch has answered */
    char *via_branch; /* "" = none */
    int64_t created_us;
    char *answer; /* while none is final: its last one; NULL = none */
    size_t answer_len;
} agw_party_tag;

struct agw_ng_call {
    agw_calls *calls;
    char *call_id;
    agw_call_ref *ref;
    agw_session *session;
    GArray *tags[2]; /* agw_party_tag by agw_side; the one in use is current[side] */
    guint current[2];
    char *label[2];
    char *reoffer_branch[2]; /* via-branch of each side's last re-offer without answer; "" = none */
    bool reoffer_early[2];   /* it has a provisional one */
    char *moot_branch[2];    /* of one before it: its refusal changes nothing any more; "" = none */
    agw_call_acts acts;
    uint64_t play[2]; /* agw_control.plays of what that party hears; 0 = nothing, or stopped */
    agw_call_clock clock;
    agw_call_notify notify;
    agw_watch watch;
    bool told_end; /* the signalling node was asked to end the dialogue, which is done once */
    int64_t created_us, signalled_us; /* wall time */
    GArray *transports;               /* agw_transport_view */
    GArray *peers; /* agw_event: addresses whose description is still to come; NULL = none */
    agw_ng_call *next_pass; /* the same call when it comes past once more; NULL */
    agw_timer timer;
    GList link; /* in the order of their start */
    bool counted;
};

/** All are borrowed and must outlive it. */
agw_calls *agw_calls_new(const agw_config *config, agw_gateway *gateway, agw_events *events);
/** Ends every call. NULL is fine. */
void agw_calls_free(agw_calls *calls);

/** Calls that count against --max-sessions, each pass: without those whose delete is pending. */
size_t agw_calls_count(const agw_calls *calls);
/** The first pass of it, from which the others hang; NULL when there is none. */
agw_ng_call *agw_calls_find(const agw_calls *calls, const char *call_id);
/** Starts a call whose side A is from_tag, or another pass of one (passes.h). AGW_ERR_LIMIT: the
 * gateway takes no calls. */
AGW_NODISCARD agw_err agw_calls_start(agw_calls *calls, const char *call_id, const char *from_tag,
                                      const char *via_branch, agw_ns now, agw_ng_call **out);
/** Ends it now; why is for the counters. */
void agw_calls_end(agw_ng_call *call, agw_call_end why);
/** Ends it when delay has passed; 0 = now. */
void agw_calls_end_after(agw_ng_call *call, agw_ns now, agw_ns delay);

/** The side that has tag; false: none. */
bool agw_calls_side_of(const agw_ng_call *call, const char *tag, agw_side *out);
/** The tag of a side that is in use; "" when it has not answered. */
const char *agw_calls_tag(const agw_ng_call *call, agw_side side);
/** Makes tag the one in use of side; an unnamed branch of that side is claimed first (the one with
 * via_branch, else any), else it becomes an alias; of more than 64 the oldest but the first is
 * forgotten. */
void agw_calls_claim(agw_ng_call *call, agw_side side, const char *tag, const char *via_branch);
/** Notes a branch that has been offered to side and has no tag yet. */
void agw_calls_branch(agw_ng_call *call, agw_side side, const char *via_branch);
/** Removes a branch of side B, known by its tag or by its via-branch, unless it is the last one:
 * false. */
bool agw_calls_drop_branch(agw_ng_call *call, const char *tag, const char *via_branch);
/** Keeps a copy of what the branch with that tag has answered, which may be the final answer by a
 * 2xx without SDP; of a tag that is not known nothing. */
void agw_calls_keep_answer(agw_ng_call *call, agw_side side, const char *tag, const char *sdp,
                           size_t len);
/** What was kept of it, borrowed until the next change of the call's tags; NULL = nothing. */
const char *agw_calls_kept_answer(const agw_ng_call *call, agw_side side, const char *tag,
                                  size_t *len);
/** The via-branch that brought a known tag, borrowed alike; "" = none. */
const char *agw_calls_via_branch(const agw_ng_call *call, agw_side side, const char *tag);
/** Of one branch, and of all branches of that side. */
void agw_calls_forget_answer(agw_ng_call *call, agw_side side, const char *tag);
void agw_calls_forget_answers(agw_ng_call *call, agw_side side);
void agw_calls_set_label(agw_ng_call *call, agw_side side, const char *label);
/** What the flags of an offer or answer say about events; from: the signalling node, NULL = not
 * known. */
void agw_calls_set_notify(agw_ng_call *call, const agw_flags *flags, const agw_addr *from);
/** The signalling node has shown that it knows the call. */
void agw_calls_known(agw_ng_call *call);
/** An urgent call is not policed and not ended by clocks. A change begins these anew. */
void agw_calls_set_urgent(agw_ng_call *call, bool urgent, agw_ns now);
/** After each offer or answer that went well: the clocks start anew. */
void agw_calls_signalled(agw_ng_call *call, agw_ns now);

/** Takes the events of the gateway. */
void agw_calls_on_events(agw_calls *calls, agw_ns now);
/** Ends what is due. */
void agw_calls_on_deadline(agw_calls *calls, agw_ns now);
agw_ns agw_calls_deadline(const agw_calls *calls);

/** Call-ids for `list`, at most limit, oldest first; the texts are borrowed. */
GPtrArray *agw_calls_list(const agw_calls *calls, size_t limit);

/** Calls ended so far, by reason. */
const uint64_t *agw_calls_ended(const agw_calls *calls);
uint64_t agw_calls_started(const agw_calls *calls);
/** MOS of audio streams, a sample every 10 s of each. */
agw_quality_counts *agw_calls_quality(agw_calls *calls);

/* --- for calls_watch.c -------------------------------------------------------------------------
 */

/** Tells what the call's notify wants to hear; call-id and tags are filled in. Returns its number;
 * 0 = not told. */
uint64_t agw_calls_tell(agw_ng_call *call, agw_notice notice);
agw_events *agw_calls_events(const agw_calls *calls);
const agw_config *agw_calls_config(const agw_calls *calls);
/** Looks at everything that is due; returns when to look again. May set clock.hung_at. */
agw_ns agw_calls_watch(agw_ng_call *call, agw_ns now);
/** The heartbeat clock starts anew. */
void agw_calls_watch_signalled(agw_ng_call *call, agw_ns now);
void agw_calls_watch_fini(agw_ng_call *call);

/* --- calls_query.c -----------------------------------------------------------------------------
 */

/** Appends what `query` and `delete` say about the call. */
void agw_calls_describe(const agw_ng_call *call, agw_doc *out, agw_ns now);

#endif
