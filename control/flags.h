/* SPDX-License-Identifier: BSD-3-Clause
 * The keys and flags of one ng request as typed values: every spelling, list or string, and the
 * rtpp-flags string. What they mean is negotiate's business. */
#ifndef AGW_CONTROL_FLAGS_H
#define AGW_CONTROL_FLAGS_H

#include "agw/gateway.h"
#include "agw/plan.h"
#include "base/addr.h"
#include "control/ng.h"
#include "control/sdp.h"
#include "control/sdp_edit.h"
#include "srtp/suite.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** ICE-lite: where we are a lite agent; bits. */
typedef enum agw_ice_lite_flag {
    AGW_ICE_LITE_ABSENT = 0,   /* as --ice says */
    AGW_ICE_LITE_FORWARD = 1,  /* toward the receiver */
    AGW_ICE_LITE_BACKWARD = 2, /* toward the sender */
    AGW_ICE_LITE_OFF = 4,
} agw_ice_lite_flag;
/** The key "drop-traffic": all media of the call goes nowhere. */
typedef enum agw_drop_traffic {
    AGW_DROP_TRAFFIC_ABSENT,
    AGW_DROP_TRAFFIC_START,
    AGW_DROP_TRAFFIC_STOP
} agw_drop_traffic;

/** The key "P-Early-Media" (RFC 5009): whether what the sender of an answer says is to be heard
 * before the final answer. */
typedef enum agw_early_media {
    AGW_EARLY_MEDIA_ABSENT, /* not said: as the branch was, else as any other */
    AGW_EARLY_MEDIA_OPEN,   /* sendrecv, sendonly */
    AGW_EARLY_MEDIA_CLOSED, /* recvonly, inactive */
} agw_early_media;

/** What an answer is to its INVITE: the key "sip-code", or the flag "provisional". */
typedef enum agw_answer_kind {
    AGW_ANSWER_UNTOLD,
    AGW_ANSWER_PROVISIONAL, /* others may follow, of other branches, too */
    AGW_ANSWER_FINAL,       /* 2xx */
} agw_answer_kind;

typedef enum agw_ice_flag {
    AGW_ICE_ABSENT, /* no ICE key: as the leg was, else by realm, else as received */
    AGW_ICE_DEFAULT,
    AGW_ICE_REMOVE,
    AGW_ICE_FORCE, /* also "optional" and "force-relay": we are always the whole path */
} agw_ice_flag;

typedef enum agw_dtls_flag {
    AGW_DTLS_ABSENT,
    AGW_DTLS_OFF,
    AGW_DTLS_BE_PASSIVE,
    AGW_DTLS_BE_ACTIVE,
} agw_dtls_flag;

/** Bits of agw_flags.rtcp_mux, the key "rtcp-mux"; 0 = no key. */
enum {
    AGW_MUX_OFFER = 1 << 0,
    AGW_MUX_REQUIRE = 1 << 1,
    AGW_MUX_DEMUX = 1 << 2,
    AGW_MUX_ACCEPT = 1 << 3,
    AGW_MUX_REJECT = 1 << 4,
};

/** Bits of agw_flags.replace. Our own address always replaces theirs; the rest is what remains. */
enum {
    AGW_REPLACE_ORIGIN = 1 << 0,
    AGW_REPLACE_SESSION_NAME = 1 << 1,
    AGW_REPLACE_SDP_VERSION = 1 << 2,
    AGW_REPLACE_USERNAME = 1 << 3,
    AGW_REPLACE_ZERO_ADDRESS = 1 << 4,
    AGW_REPLACE_FORCE_VERSION = 1 << 5, /* force-increment-sdp-ver */
};

/** Bits of agw_flags.bundle. */
enum {
    AGW_BUNDLE_OFFER = 1 << 0,
    AGW_BUNDLE_ACCEPT = 1 << 1,
    AGW_BUNDLE_REQUIRE = 1 << 2,
    AGW_BUNDLE_REJECT = 1 << 3,
};

/** Words of the flags list that mean something to us; bits of agw_flags.words. */
#define AGW_WORD_LIST(X)                                                                           \
    X(TRUST_ADDRESS, "trust-address")                                                              \
    X(SIP_SOURCE_ADDRESS, "SIP-source-address")                                                    \
    X(ASYMMETRIC, "asymmetric")                                                                    \
    X(SYMMETRIC, "symmetric")                                                                      \
    X(PORT_LATCHING, "port-latching")                                                              \
    X(NO_PORT_LATCHING, "no-port-latching")                                                        \
    X(MEDIA_HANDOVER, "media-handover")                                                            \
    X(STRICT_SOURCE, "strict-source")                                                              \
    X(LEARN_OFF, "endpoint-learning-off")                                                          \
    X(LEARN_IMMEDIATE, "endpoint-learning-immediate")                                              \
    X(LEARN_DELAYED, "endpoint-learning-delayed")                                                  \
    X(LEARN_HEURISTIC, "endpoint-learning-heuristic")                                              \
    X(GENERATE_MID, "generate-mid")                                                                \
    X(NO_RTCP_ATTRIBUTE, "no-rtcp-attribute")                                                      \
    X(FULL_RTCP_ATTRIBUTE, "full-rtcp-attribute")                                                  \
    X(LOOP_PROTECT, "loop-protect")                                                                \
    X(RESET, "reset")                                                                              \
    X(TRICKLE_ICE, "trickle-ICE")                                                                  \
    X(REJECT_ICE, "reject-ICE")                                                                    \
    X(FRAGMENT, "fragment")                                                                        \
    X(FATAL, "fatal")                                                                              \
    X(FAST, "fast")                                                                                \
    X(TO_TAG, "to-tag")                                                                            \
    X(DIRECTIONAL, "directional")                                                                  \
    X(ALL, "all")                                                                                  \
    X(SINGLE_CODEC, "single-codec")                                                                \
    X(ORIGINAL_SENDRECV, "original-sendrecv")                                                      \
    X(STRIP_EXTMAP, "strip-extmap")                                                                \
    X(BLOCK_DTMF, "block-DTMF")                                                                    \
    X(DETECT_DTMF, "detect-DTMF")                                                                  \
    X(INJECT_DTMF, "inject-DTMF")                                                                  \
    X(BLOCK_EGRESS, "block-egress")                                                                \
    X(EGRESS, "egress")                                                                            \
    X(RECORD_CALL, "record-call")                                                                  \
    X(EXCLUDE_RECORDING, "exclude-recording")                                                      \
    X(DISCARD_RECORDING, "discard-recording")                                                      \
    X(PAUSE, "pause")                                                                              \
    X(GENERATE_RTCP, "generate-RTCP")                                                              \
    X(WEBRTC, "WebRTC")                                                                            \
    X(NEW_BRANCH, "new-branch")                                                                    \
    X(ALLOW_NO_CODEC_MEDIA, "allow-no-codec-media")                                                \
    X(REUSE_CODECS, "reuse-codecs")                                                                \
    X(NO_CODEC_RENEGOTIATION, "no-codec-renegotiation")                                            \
    X(STATIC_CODECS, "static-codecs")                                                              \
    X(PASSTHROUGH, "passthrough")                                                                  \
    X(NAT_WAIT, "NAT-wait")                                                                        \
    X(PIERCE_NAT, "pierce-NAT")                                                                    \
    X(EMERGENCY, "emergency")                                                                      \
    X(HISTOGRAMS, "histograms")                                                                    \
    X(MEMORY, "memory")                                                                            \
    X(DEBUG, "debug")

typedef enum agw_word {
#define AGW_WORD_ENUM(name, text) AGW_WORD_##name,
    AGW_WORD_LIST(AGW_WORD_ENUM)
#undef AGW_WORD_ENUM
        AGW_WORD_COUNT
} agw_word;

/** Lists of the codec dictionary, as written ("opus/48000/2", "PCMA", "all"). */
typedef enum agw_codec_list {
    AGW_CODEC_STRIP,
    AGW_CODEC_EXCEPT,
    AGW_CODEC_OFFER,
    AGW_CODEC_TRANSCODE,
    AGW_CODEC_MASK,
    AGW_CODEC_CONSUME,
    AGW_CODEC_ACCEPT,
    AGW_CODEC_IGNORE,
    AGW_CODEC_SET,
    AGW_CODEC_LISTS,
} agw_codec_list;

/** Lists of the extmap dictionary: URIs of header extensions, or "all". */
typedef enum agw_extmap_list {
    AGW_EXTMAP_STRIP,
    AGW_EXTMAP_MASK,   /* as strip: what the receiver does not have is not taken from the sender */
    AGW_EXTMAP_EXCEPT, /* only these */
    AGW_EXTMAP_LISTS,
} agw_extmap_list;

/** What the words of SDES in an offer say about a=crypto on both sides. */
typedef struct agw_sdes_words {
    bool given;                /* any word at all */
    bool off;                  /* no a=crypto toward the receiver */
    bool no_new;               /* toward the receiver only suites that the sender offers */
    bool lifetime;             /* write one */
    bool prefer;               /* of a sender that offers both SDES counts, and not DTLS */
    uint32_t only, never;      /* toward the receiver: bits 1 << agw_srtp_suite */
    agw_srtp_suite_list order; /* toward the receiver: these first */
    agw_srtp_suite_list taken; /* of the sender's lines rather these, instead of its own order */
} agw_sdes_words;

/** notify=[ice consent dtls inactivity=30 heartbeat=60 quality=3.5]: what is told of the call. */
typedef struct agw_notify_words {
    bool given;
    const char *events;                /* beginnings of events' names, " ice consent "; "" = all */
    int32_t inactivity_s, heartbeat_s; /* 0 = not told; -1 = not given */
    int32_t quality_x10;               /* told below this MOS times ten; 0 = not told */
} agw_notify_words;

/** Bits of agw_flags.osrtp (RFC 8643); 0 = no key. */
enum {
    AGW_OSRTP_OFF = 1 << 0,    /* never, on either side */
    AGW_OSRTP_OFFER = 1 << 1,  /* plain RTP toward the receiver is offered with keys */
    AGW_OSRTP_ACCEPT = 1 << 2, /* the sender's keys are taken whatever the receiver does */
};

/** One request's keys. All texts live as long as the flags. NULL, 0, NONE = not given. */
typedef struct agw_flags {
    const char *call_id, *from_tag, *to_tag, *via_branch;
    const char *label, *to_label, *set_label;
    const char *direction[2]; /* interface names: sender's side, receiver's side */
    agw_addr received_from;   /* SIP source of the message */
    agw_addr media_address;   /* printed instead of ours */
    agw_family address_family;

    agw_sdp_proto transport; /* AGW_SDP_OTHER = no key */
    bool transport_accept;   /* transport-protocol=accept: whatever the answer says */
    agw_ice_flag ice;
    uint32_t ice_lite; /* agw_ice_lite_flag */
    agw_dtls_flag dtls, dtls_reverse;
    agw_sdes_words sdes;
    const char *address;                   /* where the party of a command receives media */
    const char *metadata, *recording_file; /* of a recording */
    uint32_t record_outputs;               /* AGW_RECORD_*; 0 = not given */
    agw_drop_traffic drop_traffic;
    agw_early_media early_media;
    agw_answer_kind answer_kind;
    uint32_t rtcp_mux, replace, bundle, osrtp;
    uint8_t dtls_hash;  /* agw_hash of our fingerprint toward the receiver; 0 = no key */
    uint64_t words;     /* 1 << agw_word */
    int32_t ptime, tos; /* -1 = not given; tos: or AGW_TOS_COPY */
    int32_t ptime_reverse;
    int32_t delete_delay; /* seconds; -1 = not given */
    int32_t priority;     /* -1 = not given */
    int32_t police;       /* kbit/s that each stream may have, 0 = any; -1 = not given */
    bool supports_load_limit;
    bool pass_rtcp; /* generate-RTCP=off */
    agw_notify_words notify;
    const char *notify_url;      /* target of events (events.h) */
    const char *xmlrpc_callback; /* address of the signalling node for --b2b-url */
    agw_addr dtmf_log_dest;

    GPtrArray *codecs[AGW_CODEC_LISTS];  /* of const char *; NULL when empty */
    GPtrArray *extmap[AGW_EXTMAP_LISTS]; /* the same */
    GPtrArray *media_remove;             /* types of m= lines; the same */
    GArray *edits;                       /* of agw_sdp_edit; NULL when empty */
    GString *unknown;                    /* keys and words not known, "a, b"; NULL when none */
    uint32_t profile_parts;              /* private: RTP, SRTP, AVPF ... seen as words */
    GStringChunk *texts;                 /* private: where the texts live */
} agw_flags;

static inline bool agw_flags_has(const agw_flags *flags, agw_word word)
{
    return (flags->words >> word & 1) != 0;
}

/** An emergency or priority call (TS 23.334 section 5.14). */
static inline bool agw_flags_urgent(const agw_flags *flags)
{
    return agw_flags_has(flags, AGW_WORD_EMERGENCY) || flags->priority > 0;
}

/** No key given. To be ended with agw_flags_fini(). */
void agw_flags_init(agw_flags *out);
/** Takes the keys of one request. The document may go afterwards. Never fails: what cannot be
 * understood is listed in unknown, once, for one warning. */
void agw_flags_parse(agw_flags *out, const agw_doc *request);
/** The same for the text of rtpp-flags: words and key=value, lists k=[a b]. Also used alone. */
void agw_flags_parse_text(agw_flags *out, const char *text);
void agw_flags_fini(agw_flags *flags);

/** AGW_RECORD_* of a word of "recording-output": pcapng, stereo, mono; 0 = none of them. */
uint32_t agw_flags_record_output(const char *word);

#endif
