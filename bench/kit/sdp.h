/* SPDX-License-Identifier: BSD-3-Clause
 * Session descriptions of the two kinds of party, and a reader of what the gateway makes of them.
 * The reader shares nothing with the gateway's own: what one gets wrong the other need not. One
 * audio or video line is written and read; others are passed over. */
#ifndef AGW_BENCH_KIT_SDP_H
#define AGW_BENCH_KIT_SDP_H

#include "base/addr.h"
#include "dtls/cert.h"
#include "srtp/suite.h"

enum {
    KIT_SDP_MAX = 8192,
    KIT_SDP_CODECS = 48,
    KIT_SDP_MID = 20,
    KIT_CODECS = 8,
};

typedef enum kit_setup {
    KIT_SETUP_NONE = 0,
    KIT_SETUP_ACTIVE,
    KIT_SETUP_PASSIVE,
    KIT_SETUP_ACTPASS,
} kit_setup;

typedef struct kit_sdp_codec {
    uint8_t pt;
    char name[24]; /* as in a=rtpmap, "VP8/90000"; "" = the line has none */
    char fmtp[40]; /* written only; "" = no such line */
} kit_sdp_codec;

/** One a=crypto line (RFC 4568). */
typedef struct kit_crypto {
    unsigned tag;
    agw_srtp_suite suite;          /* AGW_SRTP_NONE = no line */
    uint8_t key[AGW_SRTP_KEY_MAX]; /* with its salt */
} kit_crypto;

/** What was read; session-level lines count where the media has none. */
typedef struct kit_sdp {
    agw_addr connection;      /* c= with the port of m= */
    agw_addr rtcp;            /* a=rtcp, or the port behind RTP; with rtcp_mux the same as RTP */
    agw_addr candidate;       /* UDP, IPv4, component 1, the highest priority; none when absent */
    char ufrag[64], pwd[128]; /* "" = none */
    char mid[KIT_SDP_MID];
    agw_fingerprint fingerprint; /* len 0 = none */
    kit_setup setup;
    bool rtcp_mux, ice_lite;
    bool savp;                            /* RTP/SAVP or RTP/SAVPF */
    kit_crypto crypto;                    /* the first that could be read */
    unsigned crypto_count;                /* how many there are */
    kit_sdp_codec codecs[KIT_SDP_CODECS]; /* in the order of the m= line */
    size_t codec_count;
} kit_sdp;

/** Reads the first m= line of that kind. Lines nobody here needs, and longer ones than 511 bytes,
 * are passed over.
 * @return AGW_OK, or AGW_ERR_MALFORMED and *why (static): no such line, refused (port 0), no
 *         address, or a field that cannot be what it should be */
AGW_NODISCARD agw_err kit_sdp_read(kit_sdp *out, const char *sdp, size_t len, bool video,
                                   const char **why);
/** The payload type of a codec ("PCMU", "VP8", without case and clock rate); -1 = not there. */
int kit_sdp_pt(const kit_sdp *sdp, const char *codec);

/** Codecs that a party speaks instead of the usual ones (PCMU and telephone-event, or VP8 and
 * H.264); count 0 = the usual ones. */
typedef struct kit_codecs {
    size_t count;
    kit_sdp_codec codec[KIT_CODECS]; /* with the payload types that we receive */
    uint8_t pt_out[KIT_CODECS];      /* what the gateway expects for each */
} kit_codecs;
/** Reads pt_out from the gateway's SDP; `answering`: and takes over its payload types. Returns that
 * of the first codec, -1 = one is missing. */
int kit_codecs_take(kit_codecs *codecs, const kit_sdp *sdp, bool answering);

/** What goes into a description; texts are borrowed. */
typedef struct kit_sdp_fields {
    agw_addr local;
    bool video, answer;
    const char *ufrag, *pwd, *cname, *mid; /* the browser's */
    const agw_fingerprint *fingerprint;
    kit_setup setup;
    uint32_t ssrc;
    uint8_t pt;               /* PCMU, or VP8 */
    int pt_more;              /* telephone-event, or H.264; -1 = the offer has none */
    const kit_codecs *codecs; /* instead of both; NULL or empty = none */
    kit_crypto crypto;        /* the phone's; without suite it is RTP/AVP */
} kit_sdp_fields;

/** As Chromium 156 writes it. Return the length; never NUL-terminated short: it always fits. */
size_t kit_sdp_write_browser(const kit_sdp_fields *fields, char out[KIT_SDP_MAX]);
/** As a SIP phone writes it. */
size_t kit_sdp_write_phone(const kit_sdp_fields *fields, char out[KIT_SDP_MAX]);

#endif
