/* SPDX-License-Identifier: BSD-3-Clause
 * One call through the gateway: two parties, the ng dialogue between them, checked streams both
 * ways, RTCP. The same commands and keys go to every gateway. */
#ifndef AGW_BENCH_KIT_CALL_H
#define AGW_BENCH_KIT_CALL_H

#include "bench/kit/browser.h"
#include "bench/kit/phone.h"
#include "bench/kit/stream.h"

typedef enum kit_call_kind {
    KIT_CALL_WEBRTC_RTP = 0, /* a browser calls a phone */
    KIT_CALL_RTP_WEBRTC,     /* a phone calls a browser */
    KIT_CALL_RTP_RTP,        /* a phone calls a phone */
    KIT_CALL_WEBRTC_SDES,    /* a browser calls a phone with SRTP, its keys in SDP */
} kit_call_kind;

/** Party A sends the first offer. */
typedef enum kit_side { KIT_A = 0, KIT_B = 1 } kit_side;

typedef struct kit_call kit_call;

typedef struct kit_call_config {
    kit_call_kind kind;
    bool video;                  /* one video line; else PCMU */
    const kit_codecs *codecs;    /* of both parties, copied; NULL = the usual ones */
    const struct kit_pair *pair; /* the parties speak different codecs; borrowed; NULL = the same */
    bool keeps_codecs;           /* nothing is offered in place of them */
    kit_voice *const *voices;    /* what A and B say then; borrowed */
    bool ng_only;             /* the dialogue alone: up when answered, nothing goes on the wire */
    bool urgent;              /* the offer says that it is an emergency */
    bool unpoliced;           /* it says that streams may send anything */
    agw_srtp_suite sdes;      /* of the phone, with KIT_CALL_WEBRTC_SDES */
    bool gateway_dtls_client; /* the gateway is to take the active role; else the passive one */
    agw_dtls_ctx *dtls;       /* of all browsers: certificate and suites; borrowed */
    agw_ns dtls_pause;        /* of the browser, see there */
    uint16_t payload;         /* RTP payload bytes, 160 for audio */
    uint32_t timestamp_step, burst; /* as in kit_sender */
    agw_ns rtcp_every;         /* SR of each party (RR until it sends); 0 = none. 5 s is usual */
    agw_ns rtcp_within;        /* the first of them; 0 = rtcp_every */
    kit_histogram *latency[2]; /* of media that arrives at side A, B; borrowed, may be NULL */
    void (*on_up)(kit_call *call);   /* both parties can send, or it failed: call->failure */
    void (*on_gone)(kit_call *call); /* the delete was answered */
    /* May be NULL: every RTP packet that arrives, after the check. */
    void (*on_rtp)(kit_call *call, kit_side at, const uint8_t *rtp, size_t len,
                   kit_finding finding);
    /* May be NULL: every RTCP datagram that arrives, authentic and plain. */
    void (*on_rtcp)(kit_call *call, kit_side at, const uint8_t *rtcp, size_t len);
    /* May be NULL: changes a description before it leaves; returns its new length. */
    size_t (*on_describe)(kit_call *call, kit_side from, bool answer, char sdp[KIT_SDP_MAX],
                          size_t len);
    bool held; /* stays KIT_CALL_ANSWERED, no party sends anything, until kit_call_go() */
    void *owner;
} kit_call_config;

typedef enum kit_call_state {
    KIT_CALL_NEW = 0,
    KIT_CALL_OFFERED,
    KIT_CALL_ANSWERED, /* ICE and DTLS under way */
    KIT_CALL_UP,
    KIT_CALL_FAILED,
    KIT_CALL_DELETING,
    KIT_CALL_GONE,
} kit_call_state;

/** What RTCP needs to know of a party. */
typedef struct kit_reports {
    agw_ns sent_at;          /* the latest RTP packet */
    uint32_t jitter_16;      /* RFC 3550 section 6.4.1, times 16, timestamp units */
    uint32_t transit;        /* of the latest arrival */
    uint64_t lost, expected; /* at the latest report */
    uint32_t lsr;            /* 0 = no SR has arrived */
    agw_ns lsr_at;
} kit_reports;

typedef struct kit_seat {
    kit_call *call;
    kit_side side;
} kit_seat;

/** The last bits of our SRs' time, 15 us: by them the other side tells ours from those that the
 * gateway writes by itself. */
enum { KIT_NTP_MARK = 0x5a17, KIT_NTP_MARKED = 0xffff };

struct kit_call {
    kit_world *world;
    kit_call_config config;
    kit_call_state state;
    const char *failure;   /* NULL = none; valid until kit_call_fini() */
    char error_reason[96]; /* the gateway's own words, "" = none */
    char call_id[48], tags[2][24];
    bool is_browser[2];
    kit_browser browser; /* valid where is_browser says so */
    kit_phone phone[2];
    kit_sender sender[2];   /* what side A, B sends */
    kit_checker checker[2]; /* what arrives at side A, B */
    /* Arrived at side A, B: SRs of the other side, RRs of anybody; bad: not RTCP at all, or an SR
     * or report block of or about another SSRC than the call's streams have there. */
    uint64_t rtcp_sent[2], sr_seen[2], rr_seen[2], rtcp_bad[2];
    kit_reports reports[2];
    kit_seat seat[2]; /* owners of the parties' callbacks */
    kit_timer rtcp_timer, patience_timer;
    agw_ns offered_at, answered_at, up_at, deleted_at, gone_at;
};

/** Zeroed memory in; number makes call-id, tags, stream names and SSRCs unique in this run. */
void kit_call_init(kit_call *call, kit_world *world, const kit_call_config *config,
                   uint32_t number);
/** Sends the offer; everything up to on_up follows by itself. Fails after 10 s. on_up and
 * on_gone may end the call. */
void kit_call_start(kit_call *call);
/** A held call, answered, goes on; again 10 s. */
void kit_call_go(kit_call *call);
/** Sends the next packet of that side's stream. false: not up. */
bool kit_call_send(kit_call *call, kit_side from);
/** Sends the delete; on_gone follows. Media that still arrives is checked until then. An answer
 * that is not "ok" stands in `failure`. */
void kit_call_delete(kit_call *call);
/** Unbinds and frees what is inside; without a delete the gateway keeps its half. */
void kit_call_fini(kit_call *call);

/** The command that carries that side's description, an offer or the answer to the other side's;
 * once the call is answered, an offer within the dialogue. The caller's, to be changed and sent. */
agw_doc *kit_call_describe(kit_call *call, kit_side from, bool answer);
/** Gives the description in a reply to that side. NULL, or what is wrong with the reply. */
const char *kit_call_give(kit_call *call, kit_side to, const agw_doc *reply);

/** ng keys for a description that goes toward that side; adds them to command. One set for
 * rtpengine and for eims-agw. */
void kit_call_flags(const kit_call *call, agw_doc *command, kit_side toward, bool answer);

#endif
