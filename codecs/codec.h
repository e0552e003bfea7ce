/* SPDX-License-Identifier: BSD-3-Clause
 * The codec table: which codecs there are, what they cost and sound like, and what SDP settles of
 * them (rtpmap, fmtp). Plain values; control reads it, plans carry it, encoders and decoders
 * (codecs/encoder.h, codecs/decoder.h) are made from it. */
#ifndef AGW_CODECS_CODEC_H
#define AGW_CODECS_CODEC_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum agw_codec_id {
    AGW_CODEC_NONE,
    AGW_CODEC_PCMU,
    AGW_CODEC_PCMA,
    AGW_CODEC_G722,
    AGW_CODEC_OPUS,
    AGW_CODEC_AMR,
    AGW_CODEC_AMR_WB,
    AGW_CODEC_L16,
    AGW_CODEC_GSM,
    AGW_CODEC_SPEEX,
    AGW_CODEC_G729,
    AGW_CODEC_ILBC,
    AGW_CODEC_EVS,
    AGW_CODEC_COUNT
} agw_codec_id;

/** Parameters of AMR and AMR-WB, RFC 4867 section 8.1 and 8.2. What is said of one direction: what
 * the party that wrote them wants to receive. */
typedef struct agw_amr_params {
    bool octet_aligned;
    uint16_t mode_set;          /* bits by mode (frame type); 0 = all */
    uint8_t mode_change_period; /* 1 or 2 frames */
    bool mode_change_neighbor;
    bool unusable; /* crc, robust-sorting, interleaving: asked for, and refused by us */
} agw_amr_params;

/** What an encoder of Opus is made for. */
typedef enum agw_opus_application {
    AGW_OPUS_VOIP,
    AGW_OPUS_AUDIO,
    AGW_OPUS_LOW_DELAY,
} agw_opus_application;

/** Parameters of Opus, RFC 7587 section 6.1: of what the party that wrote them wants to receive. */
typedef struct agw_opus_params {
    uint32_t max_playback_hz;   /* maxplaybackrate; 0 = not said (48000) */
    uint32_t max_average_bps;   /* maxaveragebitrate; 0 = not said */
    bool stereo, cbr, fec, dtx; /* useinbandfec, usedtx */

    /* not of fmtp, but of agw_codec_read_options(): how we encode */
    uint8_t effort;       /* complexity and 1; 0 = our own */
    uint8_t loss_percent; /* to be reckoned with before any report; 0 = our own */
    uint8_t application;  /* agw_opus_application */
} agw_opus_params;

/** Parameters of EVS, TS 26.445 annex A.3: of what the party that wrote them wants to receive. */
typedef struct agw_evs_params {
    bool io;                   /* evs-mode-switch=1: AMR-WB IO to begin with */
    bool hf_only;              /* payloads are never Compact */
    bool no_dtx;               /* dtx=0 */
    int8_t cmr;                /* -1: none in payloads; 1: in all; 0 = not said */
    int8_t ch_aw;              /* ch-aw-recv: -1 = no channel-aware mode; 0 = not said */
    uint8_t bandwidth;         /* agw_evs_bandwidth, the highest of bw; 0 = not said */
    uint32_t min_bps, max_bps; /* br; 0 = not said */
} agw_evs_params;

/** A codec as one party takes it. */
typedef struct agw_codec_format {
    uint8_t id;        /* agw_codec_id */
    uint8_t channels;  /* as rtpmap says it: 2 for Opus; audio is mono inside all the same */
    uint8_t ptime_ms;  /* of the packets that the party wants: 10 to 120, a multiple of the frame */
    uint32_t clock_hz; /* of the RTP timestamp: G.722 says 8000 (RFC 3551 section 4.5.2) */
    uint32_t bitrate_bps; /* that we encode with at most; 0 = the codec's usual one */
    union {
        agw_amr_params amr;
        agw_opus_params opus;
        agw_evs_params evs;
        uint8_t ilbc_mode_ms; /* 20 or 30 */
        bool g729_annex_b;
    };
} agw_codec_format;

/** What is known of a codec without any SDP. */
typedef struct agw_codec_info {
    const char *name; /* as rtpmap has it */
    uint32_t clock_hz;
    uint8_t channels;  /* 1, Opus 2 */
    int8_t static_pt;  /* RFC 3551 section 6; -1 = dynamic */
    uint32_t audio_hz; /* sampling rate of the audio: 8000, 16000, 48000 */
    uint8_t frame_ms;  /* shortest piece that can be coded */
    uint16_t encode_cost_us,
        decode_cost_us; /* CPU of 20 ms, measured (docs/BENCH.md): for ranking and admission */
} agw_codec_info;

/** NULL: AGW_CODEC_NONE or no such codec. */
const agw_codec_info *agw_codec_info_of(agw_codec_id id);
/** CPU of 20 ms at that rate of the audio inside, in us: less than agw_codec_info says where the
 * codec works at a lower rate itself. 0: no such codec. */
uint32_t agw_codec_encode_us(agw_codec_id id, uint32_t rate_hz);
uint32_t agw_codec_decode_us(agw_codec_id id, uint32_t rate_hz);
/** By the parts of an rtpmap; case of the name does not matter. AGW_CODEC_NONE: unknown. */
agw_codec_id agw_codec_find(const char *name, uint32_t clock_hz, unsigned channels);
/** The same, when the name is known to be that of id, which may be any number: id, or
 * AGW_CODEC_NONE. */
agw_codec_id agw_codec_with(unsigned id, uint32_t clock_hz, unsigned channels);
/** The codec of that name (case does not matter), whatever its clock; AGW_CODEC_NONE: no codec. */
agw_codec_id agw_codec_named(const char *name);
/** Whether this process can encode (decode) it: some come with libraries that may be missing. */
bool agw_codec_can_encode(agw_codec_id id);
bool agw_codec_can_decode(agw_codec_id id);

/** Whether it has no silence of its own: CN stands for that (RFC 3389). */
bool agw_codec_needs_noise(agw_codec_id id);

/** The format of a codec whose SDP says nothing more: 20 ms, usual bitrate. L16 and Speex have
 * several clock rates: the caller writes clock_hz of the rtpmap over it. */
agw_codec_format agw_codec_plain(agw_codec_id id);
/** The longest packet that this codec can make and that is not longer than wanted_ms (a=ptime, or 0
 * = not said): a multiple of its frame, of Opus 10, 20 or a multiple of 20; at least one frame. */
uint8_t agw_codec_fit_ptime(const agw_codec_format *format, unsigned wanted_ms);
/** Takes a=fmtp (borrowed, NULL = none; unknown parameters are passed over) into a format.
 *
 * @return AGW_ERR_UNSUPPORTED: it asks for something that we refuse (AMR crc, interleaving, more
 *         than one channel); AGW_ERR_MALFORMED: a number out of its range. The codec is not used.
 */
AGW_NODISCARD agw_err agw_codec_read_fmtp(agw_codec_format *format, const char *fmtp);
/** Writes the value of our own a=fmtp, what we want to receive; returns its length, 0 = none is
 * needed. buf always ends in NUL. */
size_t agw_codec_write_fmtp(const agw_codec_format *format, char *buf, size_t size);

/** Takes options of an encoder, "name=value" with blanks, ':', ';' or ',' between them. Opus:
 * complexity (compression_level) 0 to 10, packet_loss 0 to 100, vbr on, off or constrained,
 * application voip, audio or lowdelay, fec and dtx 0 or 1.
 *
 * @return AGW_ERR_UNSUPPORTED: one of them is not known, AGW_ERR_MALFORMED: a value is out of its
 *         range; the others are taken all the same */
AGW_NODISCARD agw_err agw_codec_read_options(agw_codec_format *format, const char *text);

/** Whether two formats say the same. */
bool agw_codec_format_equal(const agw_codec_format *a, const agw_codec_format *b);

/** Sampling rate of the audio: that of agw_codec_info, but of L16 and Speex, which have several,
 * the clock rate, and of EVS what its bandwidth needs. */
uint32_t agw_codec_audio_hz(const agw_codec_format *format);

/** Lowers bitrate_bps, or of Opus what the far end takes at most, if need be, to what finds room in
 * so many kbit/s with all headers (b=AS), or in so many bits a second of payload (b=TIAS, RFC
 * 3890); never below what the codec can do. No matter to codecs of one rate. */
void agw_codec_limit_bandwidth(agw_codec_format *format, unsigned kbps, bool ipv6);
void agw_codec_limit_rate(agw_codec_format *format, uint32_t bps);
/** Bits a second of a speech mode of AMR or AMR-WB; 0: there is no such. */
uint32_t agw_codec_mode_bps(const agw_codec_format *format, int mode);
/** The highest mode of its mode-set with no more bits a second, or the lowest; -1: no AMR. */
int agw_codec_mode_within(const agw_codec_format *format, uint32_t bps);

/** Bandwidth of IP that this format takes in kbit/s with RTP, UDP and IP headers, for b=AS (TS
 * 26.114 annex K). */
unsigned agw_codec_bandwidth_kbps(const agw_codec_format *format, bool ipv6);

#endif
