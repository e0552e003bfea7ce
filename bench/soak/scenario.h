/* SPDX-License-Identifier: BSD-3-Clause
 * What happens in a call, as a list of steps; which scenarios there are and how often each comes.
 */
#ifndef AGW_BENCH_SOAK_SCENARIO_H
#define AGW_BENCH_SOAK_SCENARIO_H

#include "bench/kit/call.h"

/** Each step waits until it is done; what it says must happen, or the call has failed. */
typedef enum soak_step {
    SOAK_END = 0,
    /* before there is media */
    SOAK_OFFER,         /* A's offer */
    SOAK_OFFER_BRANCH,  /* the same again, for another branch: the same reply */
    SOAK_OFFER_REFUSED, /* an offer that cannot be served: an error */
    SOAK_RING,          /* nobody has answered yet */
    SOAK_ANSWER_BRANCH, /* another branch answers, with another address and tag */
    SOAK_ANSWER,        /* B's answer */
    SOAK_CONNECT,       /* ICE and DTLS end well; from now on media flows both ways */
    SOAK_CONNECT_LOOSE, /* ICE and DTLS, however they end */
    SOAK_CONNECT_STUCK, /* ICE, and a ClientHello that nothing follows */
    /* with media */
    SOAK_TALK,       /* for the hold time of this call */
    SOAK_CHECK,      /* media ends, and all of it has arrived as it was sent */
    SOAK_SHOUT,      /* both sides send, and nothing may arrive */
    SOAK_SHOUT_DTLS, /* the same until the gateway has given up DTLS */
    SOAK_SHOUT_ICE,  /* the same until the gateway has given up ICE */
    SOAK_HOLD,       /* one side keeps silent, by re-offer; its gate is closed */
    SOAK_HOLD_BOTH,  /* nobody may send */
    SOAK_RESUME,
    SOAK_RESTART_ICE,     /* by the browser; without one, a re-offer without changes */
    SOAK_SAME_OFFER,      /* a re-offer without changes, twice: the same reply */
    SOAK_ADD_VIDEO,       /* a second m= line, taken or refused by the other side */
    SOAK_DROP_VIDEO,      /* it goes again */
    SOAK_REFUSED_REOFFER, /* given up by a delete with its via-branch */
    /* the end */
    SOAK_DELETE,         /* by either side, with or without tags */
    SOAK_DELETE_LATE,    /* with a delay of 1 s */
    SOAK_DELETE_BRANCH,  /* the branch of SOAK_ANSWER_BRANCH: the call goes on */
    SOAK_DELETE_STRANGE, /* call-id or tag that nobody has: a warning, the call goes on */
    SOAK_DELETE_AGAIN,   /* after its end: a warning */
    SOAK_GOODBYE,        /* the browser says close_notify */
    SOAK_LEAVE,          /* A vanishes; the browser, where there is one */
    SOAK_FALL_SILENT,    /* nobody sends any more; the browser's consent goes on */
    SOAK_GONE,           /* the gateway has ended the call by itself, in its time */
    SOAK_STEPS
} soak_step;

/** How the gateway counts the end of a call. */
typedef enum soak_end {
    SOAK_DELETED = 0,
    SOAK_UNANSWERED,
    SOAK_INACTIVE,
    SOAK_SILENT,
    SOAK_NO_CONSENT,
    SOAK_ENDS,
} soak_end;

enum {
    SOAK_STEPS_MAX = 16,
    SOAK_BROWSER_CALLS = 1 << KIT_CALL_WEBRTC_RTP | 1 << KIT_CALL_RTP_WEBRTC,
    SOAK_ALL_CALLS = SOAK_BROWSER_CALLS | 1 << KIT_CALL_RTP_RTP,
};

typedef struct soak_scenario {
    const char *name;
    unsigned weight;  /* how often, against the others */
    unsigned kinds;   /* of which it may be: bits 1 << kit_call_kind */
    soak_end end;     /* what SOAK_GONE waits for */
    unsigned deletes; /* ends that the gateway counts as ordinary ones */
    bool video;       /* may be a video call as well */
    bool twice;       /* every datagram of the control protocol is sent twice */
    soak_step steps[SOAK_STEPS_MAX];
} soak_scenario;

extern const soak_scenario KIT_SOAK_SCENARIOS[];
extern const size_t KIT_SOAK_SCENARIO_COUNT;

/** "offer", "add-video"...; never NULL. */
const char *kit_soak_step_text(soak_step step);

#endif
