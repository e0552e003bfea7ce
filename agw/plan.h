/* SPDX-License-Identifier: BSD-3-Clause
 * What control wants a call to be: plain values, no SDP, no sockets. A plan is always the whole
 * call; the worker compares it with what stands and changes only the difference. */
#ifndef AGW_AGW_PLAN_H
#define AGW_AGW_PLAN_H

#include "base/addr.h"
#include "base/err.h"
#include "codecs/chain.h"
#include "dtls/cert.h"
#include "srtp/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_PLAN_MEDIA_MAX = 16,   /* medias of one call that carry anything */
    AGW_UFRAG_LEN = 8,         /* our own: 4 characters transport index + 4 random ones (24 bits) */
    AGW_PWD_LEN = 24,          /* our own: 144 random bits */
    AGW_MID_MAX = 32,          /* longest mid that we route by */
    AGW_PLAN_PT_MAX = 32,      /* payload types of one media and direction */
    AGW_PLAN_EXT_MAX = 32,     /* header extensions of the same */
    AGW_PLAN_AUDIO_MAX = 8,    /* audio payload types of the same whose inside matters */
    AGW_PLAN_TONES_MAX = 8,    /* frequencies of a shield */
    AGW_PLAN_SILENCE_MAX = 64, /* octets of silence of one of them */
    AGW_PLAN_FP_MAX = 4,       /* fingerprints of one transport */
    AGW_PLAN_SSRC_MAX = 8,     /* signalled SSRCs of one media and side */
    AGW_PLAN_CNAME_MAX = 16,   /* characters of a CNAME of ours */
    AGW_PLAN_SOURCES_MAX = 8,  /* other branches of a fork that one transport knows */
    AGW_PLAN_RTCP_PER_SECOND = 500, /* of a party with video: feedback of every frame, and some */
    AGW_TOS_EF = 0xb8,              /* RFC 3246: audio and its RTCP */
    AGW_TOS_AF41 = 0x88,            /* RFC 2597: video */
    AGW_TOS_COPY = 256,             /* no byte: as the other leg's packet has it */
    AGW_POLICE_MAX_KBPS = 4000000,
};

/** The two sides of a call. The leg of side A faces the party that sent the first offer. */
typedef enum agw_side { AGW_SIDE_A = 0, AGW_SIDE_B = 1 } agw_side;

typedef enum agw_media_kind { AGW_MEDIA_AUDIO, AGW_MEDIA_VIDEO } agw_media_kind;

typedef enum agw_security {
    AGW_SECURITY_PLAIN, /* RTP/AVP(F) */
    AGW_SECURITY_PASS,  /* SRTP and DTLS between the parties: neither read nor changed. From here
                           on the keys are ours */
    AGW_SECURITY_DTLS,  /* UDP/TLS/RTP/SAVP(F) */
    AGW_SECURITY_SDES,  /* RTP/SAVP(F) with a=crypto */
} agw_security;

/** The DTLS role that we play; what SDP says is what we do (RFC 5763 section 5). */
typedef enum agw_dtls_plan {
    AGW_DTLS_WAIT, /* we offered actpass and have no answer yet: a ClientHello makes us the server
                    */
    AGW_DTLS_PASSIVE, /* we are the server */
    AGW_DTLS_ACTIVE,  /* we are the client; starts when the plan arrives and ICE is valid */
} agw_dtls_plan;

/** Which sources a leg without ICE accepts (TS 23.334 section 6.2.4). */
typedef enum agw_source_rule {
    AGW_SOURCE_ADDRESS, /* the signalled IP address, any port (default) */
    AGW_SOURCE_STRICT,  /* the signalled IP address and port */
} agw_source_rule;

/** Learning of the remote address on a leg without ICE. */
typedef enum agw_latch_rule {
    AGW_LATCH_NEVER,    /* send to the signalled address only (default) */
    AGW_LATCH_ONCE,     /* the first well-formed packet's source becomes the remote address; another
                           one only when that has been silent and the stream goes on from there */
    AGW_LATCH_WAIT,     /* once, a source that source_rule lets in; nothing is sent before */
    AGW_LATCH_HANDOVER, /* as ONCE, but another source is followed at once, whatever it sends */
} agw_latch_rule;

/** Master key and salt of one direction, as a=crypto brought it. */
typedef struct agw_key_plan {
    uint32_t epoch; /* counts up when the key is another one; 0 = no key yet */
    uint8_t suite;  /* agw_srtp_suite */
    bool told;      /* of key_out: the peer has had it in an offer, so it may be used at once */
    uint8_t key[AGW_SRTP_KEY_MAX];
} agw_key_plan;

/** A candidate of the peer that a full agent may check. */
typedef struct agw_candidate_plan {
    agw_addr addr;
    uint32_t priority;
    uint16_t component; /* 1 or 2 */
} agw_candidate_plan;

/** Addresses + ICE + DTLS + SRTP shared by the medias of a BUNDLE group, or of one media. */
typedef struct agw_transport_plan {
    uint32_t id;      /* from agw_gateway_reserve() */
    uint8_t side;     /* agw_side */
    uint8_t security; /* agw_security */
    bool rtcp_mux;    /* RTCP shares the RTP port, both ways */
    uint8_t tos;      /* DSCP and ECN byte of what we send */

    bool ice;
    bool ice_full;        /* full agent; decided when the transport is made, like the next one */
    bool ice_controlling; /* the role to begin with, RFC 8445 section 6.1.1; full agent */
    const agw_candidate_plan *candidates; /* of the peer's newest credentials; the plan's */
    size_t n_candidates;
    char local_ufrag[AGW_UFRAG_LEN + 1], local_pwd[AGW_PWD_LEN + 1];
    const char *remote_ufrag, *remote_pwd; /* the plan's; NULL until the answer */

    uint8_t dtls; /* agw_dtls_plan, with AGW_SECURITY_DTLS */
    uint8_t n_fingerprints;
    agw_fingerprint *fingerprints; /* the peer's; the plan's. None until its SDP is there */
    uint32_t dtls_epoch;           /* counts up when SDP asks for a new association (RFC 8842) */

    agw_key_plan key_in, key_out; /* with AGW_SECURITY_SDES: the peer's key, and ours */

    /* without ICE: where the party receives (family none = not known yet: nothing is sent) */
    agw_addr remote_rtp, remote_rtcp;
    uint8_t source_rule; /* agw_source_rule */
    uint8_t latch_rule;  /* agw_latch_rule */
    /* The other branches of a fork, by the same source_rule; nothing is ever sent there. The first
     * n_open may be heard while the party at remote_rtp and those before them are silent
     * (agw/branches.h), the rest is not: P-Early-Media closes it, or another one has the final
     * answer. muted: the party at remote_rtp is not heard yet, for the first of these reasons. */
    uint8_t n_sources, n_open;
    bool muted;
    const agw_addr *sources; /* the plan's */
    /* Media of an address that no SDP has named yet, or of a branch that is not heard, is kept for
     * a moment (agw/early.h), as the SDP that lets it in may be late: for the asked side until the
     * final answer. */
    bool hold_strangers;
    uint16_t rtcp_per_second; /* RTCP datagrams that are taken in a second; 0 = any number */
} agw_transport_plan;

/** A payload type that may come in on one side, and what it is called on the other. */
typedef struct agw_pt_plan {
    uint8_t ingress, egress;
    bool is_event : 1; /* telephone-event, RFC 4733 */
    bool chained : 1;  /* an input of agw_end_plan.chain; egress is not looked at then. An event
                          where there is no chain ends here, and control makes a tone of it */
    uint8_t repack;    /* agw_form as it comes in and, shifted by four, as it goes out; 0 = its
                          payload is not changed */
    uint32_t clock_hz;
} agw_pt_plan;

/** What is done to the RTP of a party beside passing it on; bits of agw_end_plan.acts. */
enum {
    AGW_ACT_BLOCK = 1 << 0,      /* nothing of it is passed on */
    AGW_ACT_BLOCK_DTMF = 1 << 1, /* telephone events are not */
    AGW_ACT_TAP = 1 << 2,        /* it is recorded, where the call has a recording */
    AGW_ACT_PASS = 1 << 3,       /* not a byte is changed: AGW_SECURITY_PASS on both sides */
    AGW_ACT_INBAND = 1 << 4,     /* one of the next two; on the worker their bits are its own */
    AGW_ACT_SILENCE = 1 << 6,    /* its audio becomes silence, the rest is blocked */
    AGW_ACT_DETECT = 1 << 7,     /* digits are heard within its audio */
};

/** What takes the place of blocked digits (AGW_ACT_BLOCK_DTMF). */
typedef enum agw_shield_mode {
    AGW_SHIELD_DROP, /* nothing */
    AGW_SHIELD_SILENCE,
    AGW_SHIELD_TONE,
    AGW_SHIELD_DIGIT,  /* one for all */
    AGW_SHIELD_RANDOM, /* any digit, another one for each */
} agw_shield_mode;

typedef struct agw_shield_plan {
    uint8_t mode;                          /* agw_shield_mode */
    uint8_t digit;                         /* AGW_SHIELD_DIGIT: 0 to 15 */
    uint8_t volume;                        /* of what is put in: so many dB below 0 dBm0, 0 to 63 */
    uint16_t tones_hz[AGW_PLAN_TONES_MAX]; /* AGW_SHIELD_TONE: one for each digit in turn; 0 = the
                                              list is over */
} agw_shield_plan;

/** Extended reports of ours that a party takes (RFC 3611); bits of agw_end_plan.xr. */
enum {
    AGW_PLAN_XR_RTT = 1 << 0,  /* rcvr-rtt: RRTR and DLRR, both ways */
    AGW_PLAN_XR_VOIP = 1 << 1, /* voip-metrics */
};

/** Audio of a party whose inside matters: AGW_ACT_SILENCE, AGW_ACT_DETECT, AGW_ACT_TAP, a shield
 * that makes audio. */
typedef struct agw_audio_plan {
    uint8_t pt;           /* as it comes in */
    uint8_t silence_len;  /* of silence[]; 0 = not known, or not asked for */
    bool silence_repeats; /* over the payload's length; else it is a payload */
    bool is_red;          /* RED (RFC 2198) of that format: for taps alone */
    uint8_t silence[AGW_PLAN_SILENCE_MAX];
    agw_codec_format format;
} agw_audio_plan;

/** A header extension that is passed on (RFC 8285). */
typedef struct agw_ext_plan {
    uint8_t ingress, egress; /* ids */
} agw_ext_plan;

/** One side of one media. */
typedef struct agw_end_plan {
    uint32_t transport_id;
    bool may_send;        /* gate: what this party sends is accepted */
    bool may_receive;     /* gate: this party is sent to */
    uint32_t egress_ssrc; /* the SSRC that this party sees; 0 = unchanged */
    char cname[AGW_PLAN_CNAME_MAX +
               1];     /* the CNAME that it sees, RFC 3550 section 6.5.1; "" = unchanged */
    uint32_t feedback; /* AGW_FB_* of rtp/feedback.h that this party understands */
    bool reduced_size; /* this party takes non-compound RTCP (RFC 5506) */
    uint8_t tos;       /* DSCP and ECN byte of RTP and RTCP to this party; 0 = as its transport */
    bool tos_copy; /* RTP to this party keeps the byte with which it came, as far as that is seen */
    uint8_t xr;    /* AGW_PLAN_XR_* */
    const struct agw_emodel_codec *codec; /* of what this party sends, rtp/emodel.h; NULL = not
                                             known */
    bool rtcp_off; /* b=RS:0 and b=RR:0: no RTCP goes to this party (RFC 3556 section 2) */

    /* how this party's packets are told apart in a BUNDLE group (RFC 9143 section 9.2) */
    char mid[AGW_MID_MAX + 1];
    uint8_t mid_ext_id; /* id of urn:ietf:params:rtp-hdrext:sdes:mid in what it sends; 0 = none */
    uint8_t n_ssrcs;
    uint32_t ssrcs[AGW_PLAN_SSRC_MAX];

    /* what it may send (TS 23.334 section 5.6): bits a second with IP and UDP headers, and what may
     * come at once beyond that, as the time in which the rate allows it */
    uint32_t police_bps; /* 0 = not policed */
    uint16_t police_burst_ms;

    /* what it sends, and how that is called on the other side; all else is dropped */
    uint8_t n_pts;
    uint8_t acts; /* AGW_ACT_* */
    agw_pt_plan pts[AGW_PLAN_PT_MAX];
    uint8_t n_exts;
    agw_ext_plan exts[AGW_PLAN_EXT_MAX]; /* all others are removed */

    agw_shield_plan shield;
    uint8_t n_audios;
    const agw_audio_plan *audios; /* the plan's; with the acts that are named there */

    /* what its chained payload types become on the other side; the plan's. NULL = all pass */
    const agw_chain_plan *chain;
} agw_end_plan;

typedef struct agw_media_plan {
    uint32_t id;   /* stable in the call; its statistics follow it */
    uint8_t kind;  /* agw_media_kind */
    bool own_rtcp; /* RTCP ends at us and ours goes out, also where the codec passes */
    agw_end_plan end[2];
} agw_media_plan;

typedef struct agw_plan {
    size_t n_transports, n_medias, n_chains;
    size_t most_medias; /* of agw_plan_new(): n_medias may count up to it */
    agw_transport_plan *transports;
    agw_media_plan *medias;
    agw_audio_plan *audios; /* those of all ends, or NULL */
    agw_chain_plan *chains; /* those of all ends, with room for two a media, or NULL */
    uint8_t *room;          /* what transports point to */
    size_t room_bytes, room_used;
} agw_plan;

/** A zeroed plan with room for so many; NULL when memory is short. Free with agw_plan_free(). */
AGW_NODISCARD agw_plan *agw_plan_new(size_t n_transports, size_t n_medias);
/** Room for what agw_plan_keep() gets, once; AGW_ERR_LIMIT when memory is short.
 * @param bytes  sum of agw_plan_room() of each */
AGW_NODISCARD agw_err agw_plan_make_room(agw_plan *plan, size_t bytes);
size_t agw_plan_room(size_t bytes);
/** A copy that lives as long as the plan; n = 0: NULL. */
void *agw_plan_keep(agw_plan *plan, const void *from, size_t n);
/** One more zeroed chain, for agw_end_plan.chain; not more than two a media. */
agw_chain_plan *agw_plan_add_chain(agw_plan *plan);
/** Wipes credentials, too. NULL is fine. */
void agw_plan_free(agw_plan *plan);

#endif
