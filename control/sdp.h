/* SPDX-License-Identifier: BSD-3-Clause
 * SDP session descriptions (RFC 8866) and ICE fragments (RFC 8840) as values, and a writer that
 * keeps the legal order. It knows what the lines mean, not what to do about them: that is
 * negotiate's. */
#ifndef AGW_CONTROL_SDP_H
#define AGW_CONTROL_SDP_H

#include "base/addr.h"
#include "base/err.h"
#include "codecs/codec.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** More than this in one description is refused (AGW_ERR_MALFORMED with the reason). */
enum {
    AGW_SDP_TEXT_MAX = 65536,     /* bytes */
    AGW_SDP_MEDIA_MAX = 128,      /* m= lines */
    AGW_SDP_ATTR_MAX = 1024,      /* a= lines at session level, and in each media */
    AGW_SDP_FORMAT_MAX = 64,      /* formats of one m= line */
    AGW_SDP_BANDWIDTH_MAX = 16,   /* b= lines at session level, and in each media */
    AGW_SDP_TIME_MAX = 16,        /* t= lines */
    AGW_SDP_FINGERPRINT_MAX = 16, /* fingerprints of one level */
    AGW_SDP_SSRC_MAX = 64,        /* different SSRCs of one media; further ones are not listed */
    AGW_SDP_EXTMAP_MAX = 64,      /* a=extmap lines of one level */
    AGW_SDP_GROUP_MAX = 16,       /* a=group lines */
    AGW_SDP_CAPABILITY_MAX = 16,  /* potential configurations and transport capabilities */
    AGW_SDP_MID_MAX = 128,        /* characters of a mid */
    AGW_SDP_ICE_TEXT_MAX = 256,   /* characters of ice-ufrag and ice-pwd, RFC 8839 section 5.4 */
};

typedef enum agw_sdp_proto {
    AGW_SDP_OTHER = 0, /* not RTP as we speak it: read proto_text */
    AGW_SDP_RTP_AVP,
    AGW_SDP_RTP_AVPF,
    AGW_SDP_RTP_SAVP,
    AGW_SDP_RTP_SAVPF,
    AGW_SDP_TLS_SAVP,  /* UDP/TLS/RTP/SAVP */
    AGW_SDP_TLS_SAVPF, /* UDP/TLS/RTP/SAVPF */
} agw_sdp_proto;

const char *agw_sdp_proto_text(agw_sdp_proto proto); /* "RTP/AVP"; "" for AGW_SDP_OTHER */
agw_sdp_proto agw_sdp_proto_parse(const char *text); /* case does not matter */
bool agw_sdp_proto_is_avpf(agw_sdp_proto proto);     /* ends in F */
bool agw_sdp_proto_is_secure(agw_sdp_proto proto);   /* SAVP, SAVPF, with or without TLS */
bool agw_sdp_proto_is_dtls(agw_sdp_proto proto);     /* UDP/TLS/... */
/** The same profile with or without feedback. AGW_SDP_OTHER stays. */
agw_sdp_proto agw_sdp_proto_with_avpf(agw_sdp_proto proto, bool avpf);

typedef enum agw_sdp_direction {
    AGW_SDP_INACTIVE = 0,
    AGW_SDP_SENDONLY = 1,
    AGW_SDP_RECVONLY = 2,
    AGW_SDP_SENDRECV = 3, /* = SENDONLY | RECVONLY: the values are bits, seen by the SDP's author */
} agw_sdp_direction;

const char *agw_sdp_direction_text(agw_sdp_direction dir);
/** As the other party sees it: sendonly <-> recvonly. */
agw_sdp_direction agw_sdp_direction_reverse(agw_sdp_direction dir);

typedef enum agw_sdp_setup {
    AGW_SDP_SETUP_NONE = 0, /* not said */
    AGW_SDP_SETUP_ACTPASS,
    AGW_SDP_SETUP_ACTIVE,
    AGW_SDP_SETUP_PASSIVE,
    AGW_SDP_SETUP_HOLDCONN,
} agw_sdp_setup;

const char *agw_sdp_setup_text(agw_sdp_setup setup); /* "" for none */

/** What an attribute is, by its name; the caller's rules for keeping and dropping go by this. */
typedef enum agw_sdp_attr_kind {
    AGW_SDP_A_UNKNOWN = 0,
    AGW_SDP_A_3GPP, /* any name that begins with 3gpp_ */
    AGW_SDP_A_ACAP,
    AGW_SDP_A_ACFG,
    AGW_SDP_A_BUNDLE_ONLY,
    AGW_SDP_A_CANDIDATE,
    AGW_SDP_A_CDSC,
    AGW_SDP_A_CONF,
    AGW_SDP_A_CONNECTION,
    AGW_SDP_A_CONTENT,
    AGW_SDP_A_CPAR,
    AGW_SDP_A_CREQ,
    AGW_SDP_A_CRYPTO,
    AGW_SDP_A_CSUP,
    AGW_SDP_A_CURR,
    AGW_SDP_A_DCMAP,
    AGW_SDP_A_DCSA,
    AGW_SDP_A_DES,
    AGW_SDP_A_END_OF_CANDIDATES,
    AGW_SDP_A_EXTMAP,
    AGW_SDP_A_EXTMAP_ALLOW_MIXED,
    AGW_SDP_A_FINGERPRINT,
    AGW_SDP_A_FMTP,
    AGW_SDP_A_FRAMERATE,
    AGW_SDP_A_FRAMESIZE,
    AGW_SDP_A_GROUP,
    AGW_SDP_A_ICE_LITE,
    AGW_SDP_A_ICE_MISMATCH,
    AGW_SDP_A_ICE_OPTIONS,
    AGW_SDP_A_ICE_PACING,
    AGW_SDP_A_ICE_PWD,
    AGW_SDP_A_ICE_UFRAG,
    AGW_SDP_A_IDENTITY,
    AGW_SDP_A_IMAGEATTR,
    AGW_SDP_A_INACTIVE,
    AGW_SDP_A_KEY_MGMT,
    AGW_SDP_A_LABEL,
    AGW_SDP_A_LANG,
    AGW_SDP_A_MAX_MESSAGE_SIZE,
    AGW_SDP_A_MAXPRATE,
    AGW_SDP_A_MAXPTIME,
    AGW_SDP_A_MID,
    AGW_SDP_A_MSID,
    AGW_SDP_A_MSID_SEMANTIC,
    AGW_SDP_A_PCFG,
    AGW_SDP_A_PTIME,
    AGW_SDP_A_RECVONLY,
    AGW_SDP_A_REMOTE_CANDIDATES,
    AGW_SDP_A_RID,
    AGW_SDP_A_RTCP,
    AGW_SDP_A_RTCP_FB,
    AGW_SDP_A_RTCP_MUX,
    AGW_SDP_A_RTCP_MUX_ONLY,
    AGW_SDP_A_RTCP_RSIZE,
    AGW_SDP_A_RTCP_XR,
    AGW_SDP_A_RTPMAP,
    AGW_SDP_A_SCTP_PORT,
    AGW_SDP_A_SCTPMAP,
    AGW_SDP_A_SDPLANG,
    AGW_SDP_A_SENDONLY,
    AGW_SDP_A_SENDRECV,
    AGW_SDP_A_SETUP,
    AGW_SDP_A_SIMULCAST,
    AGW_SDP_A_SOURCE_FILTER,
    AGW_SDP_A_SQN,
    AGW_SDP_A_SSRC,
    AGW_SDP_A_SSRC_GROUP,
    AGW_SDP_A_TCAP,
    AGW_SDP_A_TLS_ID,
    AGW_SDP_A_TOOL,
    AGW_SDP_A_TYPE,
    AGW_SDP_A_ZRTP_HASH,
    AGW_SDP_A_KINDS /* how many there are */
} agw_sdp_attr_kind;

/** One a= line. */
typedef struct agw_sdp_attr {
    agw_sdp_attr_kind kind;
    const char *name;
    const char *value; /* behind the first colon; NULL for a property attribute */
} agw_sdp_attr;

/** Strings in their order. */
typedef struct agw_sdp_list {
    size_t n;
    const char **v;
} agw_sdp_list;

/** One c= line, or the address of a=rtcp. */
typedef struct agw_sdp_conn {
    const char *addrtype; /* "IP4", "IP6"; NULL = there is none */
    const char *address;  /* as written, without the /ttl of a multicast address */
    agw_addr ip;          /* family none when the address is a name; port 0 */
} agw_sdp_conn;

typedef struct agw_sdp_origin {
    const char *username, *id, *version, *nettype, *addrtype, *address;
} agw_sdp_origin;

typedef struct agw_sdp_bandwidth {
    const char *type; /* "AS", "TIAS", "RS", "RR" ... */
    uint32_t value;
} agw_sdp_bandwidth;

/** One a=rtcp-fb line that concerns a codec; those for "*" are in every codec's list. */
typedef struct agw_sdp_fb {
    const struct agw_sdp_fb *next; /* in the order of the SDP */
    const char *value;             /* "nack", "nack pli", "ccm fir", "goog-remb" ... */
} agw_sdp_fb;

/** Encoding names that mean something to us: the numbers of agw_codec_id, and these. */
typedef enum agw_sdp_encoding {
    AGW_SDP_ENC_OTHER = AGW_CODEC_NONE,
    AGW_SDP_ENC_EVENT = AGW_CODEC_COUNT, /* telephone-event */
    AGW_SDP_ENC_CN,
    AGW_SDP_ENC_RED,
    AGW_SDP_ENC_RTX,
    AGW_SDP_ENC_ULPFEC,
    AGW_SDP_ENC_FLEXFEC,
    AGW_SDP_ENC_FLEXFEC_03,
    AGW_SDP_ENC_PARITYFEC,
    AGW_SDP_ENC_H264,
    AGW_SDP_ENC_H265,
    AGW_SDP_ENC_VP9,
    AGW_SDP_ENC_AV1,
} agw_sdp_encoding;

/** One format of an RTP media. */
typedef struct agw_sdp_codec {
    uint8_t pt;
    uint8_t encoding;   /* agw_sdp_encoding or agw_codec_id of the name, whatever the clock */
    bool octet_aligned; /* of AMR and AMR-WB: fmtp has octet-align=1 (RFC 4867 section 8.1) */
    bool has_rtpmap;    /* false: from the static table of RFC 3551, or unknown */
    const char *name;   /* encoding name as written; "" = a dynamic number without rtpmap */
    uint32_t clock_hz;  /* 0 = unknown */
    uint32_t channels;  /* 1 when not said */
    const char *fmtp;   /* parameters behind the number; NULL = none */
    const agw_sdp_fb *fb;
} agw_sdp_codec;

typedef struct agw_sdp_extmap {
    uint16_t id;
    bool has_direction; /* "a=extmap:1/recvonly ..." */
    agw_sdp_direction direction;
    const char *uri;
    const char *attributes; /* extensionattributes; NULL = none */
} agw_sdp_extmap;

typedef struct agw_sdp_ssrc {
    uint32_t ssrc;
    const char *cname; /* NULL = not said */
} agw_sdp_ssrc;

typedef struct agw_sdp_ssrc_group {
    const char *semantics; /* "FID", "SIM", "FEC-FR" */
    size_t n;
    uint32_t *ssrcs;
} agw_sdp_ssrc_group;

typedef struct agw_sdp_group {
    const char *semantics; /* "BUNDLE", "LS" */
    agw_sdp_list mids;
} agw_sdp_group;

/** A transport capability (RFC 5939 section 3.4.2); "a=tcap:1 RTP/AVPF RTP/SAVP" is two. */
typedef struct agw_sdp_tcap {
    uint32_t number;
    const char *proto_text;
} agw_sdp_tcap;

/** A potential configuration (RFC 5939 section 3.5.1): a=pcfg:1 t=1 */
typedef struct agw_sdp_pcfg {
    uint32_t number;
    size_t n_transports;
    const uint32_t *transports; /* numbers of transport capabilities, preferred first */
    bool only_transport;        /* it asks for nothing but a transport */
} agw_sdp_pcfg;

/** One media; the session level has the same shape. What a media does not say and the session level
 * does say is inherited: conn, direction, ICE, fingerprints, setup, tls_id, extmaps. */
typedef struct agw_sdp_media {
    const char *kind; /* "audio", "video" ...; NULL at session level */
    uint16_t port;
    uint32_t n_ports; /* "49170/2"; 1 when not said */
    agw_sdp_proto proto;
    const char *proto_text;
    agw_sdp_list formats;
    const char *title; /* i=; NULL = none */

    agw_sdp_conn conn;
    bool own_conn; /* conn stands in this media */
    size_t n_bandwidths;
    agw_sdp_bandwidth *bandwidths;
    size_t n_attrs; /* all a= lines in order, also those that are read into the fields below */
    agw_sdp_attr *attrs;

    /* RTP */
    size_t n_codecs; /* formats of an RTP profile, each number once, in order of preference */
    agw_sdp_codec *codecs;
    size_t n_extmaps;
    agw_sdp_extmap *extmaps;
    agw_sdp_direction direction; /* sendrecv when nobody says anything */
    bool own_direction;          /* a direction attribute stands in this media */
    bool rtcp_mux, rtcp_mux_only, rtcp_rsize;
    bool xr_rtt, xr_voip;   /* a=rtcp-xr: rcvr-rtt=all, voip-metrics (RFC 3611 section 5.1) */
    uint16_t rtcp_port;     /* a=rtcp; 0 = not said */
    agw_sdp_conn rtcp_conn; /* its address, if it has one */
    uint32_t ptime_ms, maxptime_ms; /* 0 = not said */
    size_t n_ssrcs;
    agw_sdp_ssrc *ssrcs;
    size_t n_ssrc_groups;
    agw_sdp_ssrc_group *ssrc_groups;

    /* grouping */
    const char *mid;                    /* NULL = none */
    const struct agw_sdp_group *bundle; /* the BUNDLE group that names this mid, or NULL */
    bool bundle_only;
    const char *msid; /* the first one; NULL = none */

    /* transport */
    const char *ice_ufrag, *ice_pwd; /* both or none */
    bool ice_lite;                   /* session level; inherited */
    bool ice_trickle;                /* "trickle" among the ICE options */
    bool end_of_candidates;
    agw_sdp_list candidates;   /* values of a=candidate, "1 1 udp ..." with the foundation first */
    agw_sdp_list fingerprints; /* "sha-256 AA:BB:..." */
    agw_sdp_setup setup;
    const char *tls_id;  /* NULL = none */
    agw_sdp_list crypto; /* values of a=crypto */

    /* capability negotiation, RFC 5939; at most AGW_SDP_CAPABILITY_MAX of each are listed */
    size_t n_pcfgs;
    agw_sdp_pcfg *pcfgs;
    size_t n_tcaps;
    agw_sdp_tcap *tcaps;

    uint8_t codec_of_pt[128];               /* private: index + 1; see agw_sdp_codec_of() */
    uint16_t attr_of_kind[AGW_SDP_A_KINDS]; /* private: index + 1; see agw_sdp_attr_of() */
} agw_sdp_media;

/** A parsed description. Everything in it lives until agw_sdp_free(); nothing points to the text
 * that was parsed. */
typedef struct agw_sdp {
    agw_sdp_origin origin;
    const char *name; /* s=; "-" when missing */
    size_t n_times;
    const char **times; /* values of t= */
    agw_sdp_media session;
    size_t n_groups;
    agw_sdp_group *groups;
    size_t n_medias;
    agw_sdp_media *medias;

    struct agw_sdp_arena *arena; /* private */
    GHashTable *by_mid;          /* private; NULL = there is no mid */
} agw_sdp;

/** Why a description was refused. */
typedef struct agw_sdp_why {
    unsigned line; /* from 1; 0 = the whole */
    char text[120];
} agw_sdp_why;

/** Parses a session description.
 *
 * Lenient as the field needs it (bare LF, no last line end, empty lines at the end, tabs, unknown
 * line types, missing s= and t=, lines out of order, spaces in the user name), strict where a guess
 * could send media astray.
 *
 * @param out   the description, the caller's; free with agw_sdp_free()
 * @param why   out, may be NULL; filled unless AGW_OK
 * @return AGW_OK; AGW_ERR_MALFORMED. Answer with why->text on that.
 *
 * Addresses that are names are kept as they are: conn.ip has family none then. */
AGW_NODISCARD agw_err agw_sdp_parse(agw_sdp **out, const char *text, size_t len, agw_sdp_why *why);

/** Parses an ICE fragment (RFC 8840 section 4.4): the same, but without v=, o=, s=, t=. Candidates
 * in front of the first m= line are found in out->session.candidates. */
AGW_NODISCARD agw_err agw_sdp_parse_fragment(agw_sdp **out, const char *text, size_t len,
                                             agw_sdp_why *why);

/** Wipes (it holds ICE passwords and SRTP keys) and frees. NULL is fine. */
void agw_sdp_free(agw_sdp *sdp);

/** The media with that mid, or NULL. */
const agw_sdp_media *agw_sdp_by_mid(const agw_sdp *sdp, const char *mid);
/** The first group of that semantics ("BUNDLE"), or NULL. */
const agw_sdp_group *agw_sdp_group_of(const agw_sdp *sdp, const char *semantics);
/** The first attribute of that kind, or NULL. */
const agw_sdp_attr *agw_sdp_attr_of(const agw_sdp_media *media, agw_sdp_attr_kind kind);
/** The codec with that payload type, or NULL. */
const agw_sdp_codec *agw_sdp_codec_of(const agw_sdp_media *media, unsigned pt);
/** Whether the encoding name is that one; case does not matter. */
bool agw_sdp_codec_is(const agw_sdp_codec *codec, const char *name);
/** What an encoding name is. */
agw_sdp_encoding agw_sdp_encoding_of(const char *name);
/** Sets what follows from name and fmtp. */
void agw_sdp_codec_known(agw_sdp_codec *codec);
/** Whether it has that feedback ("nack pli"). */
bool agw_sdp_codec_has_fb(const agw_sdp_codec *codec, const char *value);
/** The extension with that URI, or NULL. */
const agw_sdp_extmap *agw_sdp_extmap_of(const agw_sdp_media *media, const char *uri);
/** The value of a b= line of that type, or -1. */
int64_t agw_sdp_bandwidth_of(const agw_sdp_media *media, const char *type);

/** Value of a parameter in "key=value;key=value": writes it into out and returns true; false when
 * it is not there or does not fit. A key without a value gives "". fmtp may be NULL. Key case does
 * not matter. */
bool agw_sdp_fmtp_get(const char *fmtp, const char *key, char *out, size_t size);

/** The transport capability of that number, of the media or else of the session, or NULL. */
const agw_sdp_tcap *agw_sdp_tcap_of(const agw_sdp *sdp, const agw_sdp_media *media,
                                    uint32_t number);
/** The media's most preferred potential configuration that asks for this profile and nothing else;
 * *transport is the number of its capability, for "a=acfg:NUMBER t=TRANSPORT". NULL: none. */
const agw_sdp_pcfg *agw_sdp_pcfg_for(const agw_sdp *sdp, const agw_sdp_media *media,
                                     agw_sdp_proto proto, uint32_t *transport);

/** One precondition line (RFC 3312): a=curr, a=des, a=conf. */
typedef struct agw_sdp_precondition {
    char type[16];      /* "qos" */
    char strength[16];  /* des only: "mandatory" "optional" "none" "failure" "unknown" */
    char status[16];    /* "e2e" "local" "remote" */
    char direction[16]; /* "none" "send" "recv" "sendrecv" */
} agw_sdp_precondition;
/** attr: one of kind CURR, DES or CONF. */
AGW_NODISCARD agw_err agw_sdp_precondition_parse(agw_sdp_precondition *out,
                                                 const agw_sdp_attr *attr);

/** Writes a description line by line. Lines must come in the order of RFC 8866 section 5 (v o s i c
 * b t a, then for each media m i c b a), or the process ends: the order is ours to keep. Values
 * must not hold CR, LF or NUL, either; what agw_sdp_parse() gave is fine. */
typedef struct agw_sdp_writer {
    GString *text;
    int rank;    /* of the last line */
    size_t line; /* where the present line begins */
} agw_sdp_writer;

/** Begins a description with v=0. */
void agw_sdp_write_begin(agw_sdp_writer *w);
/** Ends it: the text, to be freed with g_free(). */
AGW_NODISCARD char *agw_sdp_write_end(agw_sdp_writer *w, size_t *len);
/** Throws it away. */
void agw_sdp_write_abort(agw_sdp_writer *w);

void agw_sdp_write_origin(agw_sdp_writer *w, const agw_sdp_origin *origin);
void agw_sdp_write_name(agw_sdp_writer *w, const char *name);   /* s= */
void agw_sdp_write_title(agw_sdp_writer *w, const char *title); /* i= */
void agw_sdp_write_conn(agw_sdp_writer *w, const agw_addr *ip); /* c=IN IP4 ... */
void agw_sdp_write_bandwidth(agw_sdp_writer *w, const char *type, uint32_t value);
void agw_sdp_write_time(agw_sdp_writer *w, const char *value);
/** n_formats 0 writes the format "0", as the line needs one. */
void agw_sdp_write_media(agw_sdp_writer *w, const char *kind, uint16_t port, const char *proto,
                         const char *const *formats, size_t n_formats);
/** value NULL: a property attribute. */
void agw_sdp_write_attr(agw_sdp_writer *w, const char *name, const char *value);
/** fmt has %s, %u and %d (not negative) alone. */
void agw_sdp_write_attrf(agw_sdp_writer *w, const char *name, const char *fmt, ...)
    AGW_PRINTF(3, 4);

#endif
