/* SPDX-License-Identifier: BSD-3-Clause
 * Events for the signalling node, and where they go: sinks of the gateway (--notify), a sink of one
 * call (notify-url), and connections that asked for them. */
#ifndef AGW_CONTROL_EVENTS_H
#define AGW_CONTROL_EVENTS_H

#include "base/addr.h"
#include "control/ng.h"
#include "control/rpc.h"

#include <stdint.h>

enum {
    AGW_EVENTS_SINKS_MAX = 8,   /* of the gateway */
    AGW_EVENTS_EVAPI_MAX = 32,  /* connections to signalling nodes */
    AGW_EVENTS_TARGET_MAX = 255 /* characters */
};

/* --- targets: pure -----------------------------------------------------------------------------
 */

typedef enum agw_target_kind {
    AGW_TARGET_UDP,   /* "10.0.0.1:9000" or "udp:10.0.0.1:9000": a JSON datagram each */
    AGW_TARGET_EVAPI, /* "evapi:10.0.0.1:8448": netstrings on TCP, acknowledged */
    AGW_TARGET_RPC,   /* "jsonrpc:http://..." or "xmlrpc:http://...": ends dialogues, no more */
} agw_target_kind;

typedef struct agw_target {
    agw_target_kind kind;
    agw_addr addr;     /* of the first two */
    const char *url;   /* of the last one, borrowed from the text */
    agw_rpc_form form; /* of the last one */
} agw_target;

/** AGW_ERR_MALFORMED: none of these, or no numeric address. */
AGW_NODISCARD agw_err agw_target_parse(agw_target *out, const char *text);

/* --- events ------------------------------------------------------------------------------------
 */

typedef struct agw_events agw_events;

/** What happened; texts are borrowed for the call, NULL counts as "". */
typedef struct agw_notice {
    const char *event; /* "consent-lost", "call-ended" ... */
    const char *call_id, *from_tag, *to_tag;
    int media; /* from 1; 0 = the whole call */
    const char *mid;
    const char *reason; /* one word */
    const char *detail; /* for people */
    const char *target; /* of the call, instead of the gateway's; NULL or "" = none */
    bool last;          /* the call is over: outlives agw_events_end_call() */
    bool terminate;     /* sinks that end dialogues do so */
} agw_notice;

/** No sinks: events are only counted. Never NULL. */
agw_events *agw_events_new(void);
void agw_events_free(agw_events *events);

/** One more sink of the gateway. AGW_ERR_MALFORMED as agw_target_parse(); AGW_ERR_LIMIT. */
AGW_NODISCARD agw_err agw_events_add(agw_events *events, const char *target);

/** Sends {"event","seq","call-id","from-tag","to-tag","media","mid","reason","detail","time",
 * "gateway"}; seq counts from 1; time is in milliseconds since 1970; gateway is a name that this
 * process has made up, so that acknowledgements find the right one. Never waits: what the system
 * does not take at once is lost and counted, or repeated where the sink can acknowledge. Returns
 * seq. */
uint64_t agw_events_send(agw_events *events, const agw_notice *notice, int64_t wall_us);
/** The call has ended: what is not acknowledged yet has no meaning any more, but for notices with
 * last. */
void agw_events_end_call(agw_events *events, const char *call_id);
/** Asks for the end of a dialogue by RPC whatever the sinks are (rtpengine's b2b-url). */
void agw_events_terminate(agw_events *events, const char *url, agw_rpc_form form,
                          const agw_rpc_dialog *dialog);

/* --- acknowledgements --------------------------------------------------------------------------
 */

/** Remembers that the acknowledgement of seq matters, until agw_events_forget(). */
void agw_events_await(agw_events *events, uint64_t seq);
/** true: it has not come yet. */
bool agw_events_awaits(const agw_events *events, uint64_t seq);
void agw_events_forget(agw_events *events, uint64_t seq);
/** gateway: what the acknowledgement names, NULL or "" = nothing. false: it is another one's. */
bool agw_events_ack(agw_events *events, const char *gateway, uint64_t seq);

/* --- connections that asked for events ---------------------------------------------------------
 */

/** Embedded in the connection. */
typedef struct agw_subscriber {
    void (*push)(struct agw_subscriber *subscriber, const agw_doc *event);
    agw_ng_format format; /* in which it asked */
    GList link;           /* private */
    bool on;              /* private */
} agw_subscriber;

/** push is set; it must neither subscribe nor unsubscribe. A second time does nothing. */
void agw_events_subscribe(agw_events *events, agw_subscriber *subscriber);
/** Does nothing for one that has not subscribed. */
void agw_events_unsubscribe(agw_events *events, agw_subscriber *subscriber);

/* --- digits ------------------------------------------------------------------------------------
 */

/** One digit that was pressed, for the receivers of rtpengine's DTMF log. Texts are
 * borrowed. */
typedef struct agw_dtmf_notice {
    const char *call_id, *source_tag, *source_label; /* NULL counts as "" */
    const char *const *tags;                         /* of the whole call, NULL ends */
    agw_addr source;                                 /* of the media */
    unsigned event;                                  /* 0 to 15, RFC 4733 section 3.2 */
    unsigned duration_ms, volume;                    /* volume: -dBm0 */
} agw_dtmf_notice;

/** Where digits go when a call does not say (--dtmf-log-dest); push: to connections that asked for
 * events, too (--dtmf-log-ng-tcp). */
void agw_events_set_dtmf(agw_events *events, const agw_addr *to, bool push);
/** Sends {"callid","source_tag","source_label","tags","type","timestamp","source_ip","event",
 * "duration","volume"} as one datagram to `to`; family none: where agw_events_set_dtmf() says. */
void agw_events_dtmf(agw_events *events, const agw_addr *to, const agw_dtmf_notice *dtmf,
                     int64_t wall_us);

uint64_t agw_events_count(const agw_events *events);
/** Events that did not reach somebody. */
uint64_t agw_events_lost(const agw_events *events);

#endif
