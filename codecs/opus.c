/* SPDX-License-Identifier: BSD-3-Clause
 * Opus by libopus (RFC 6716, RFC 7587). It decodes and encodes at 8000, 16000 and 48000 Hz itself,
 * so nothing is resampled around it. Inside everything is mono; a packet is one frame. */
#include "codecs/driver.h"

#include <opus/opus.h>
#include <stdlib.h>

enum {
    DTX_OCTETS = 2,     /* a packet this short says that there is nothing (libopus, opus.h) */
    RATE_HZ = 48000,    /* of durations in packets */
    HYBRID_LAST = 15,   /* configurations above are CELT alone: no LBRR (RFC 6716 table 2) */
    COMPLEXITY = 5,     /* docs/BENCH.md */
    NARROW_BPS = 20000, /* usual bitrates of mono speech by what the ear gets of it */
    WIDE_BPS = 28000,
    FULL_BPS = 32000,
    LOSS_PERCENT = 5, /* until a report says more: some redundancy from the first packet on */
    MIN_BPS = 6000,
};

/* ---------------------------------------------------------------- decoder */

typedef struct decoder {
    uint32_t rate_hz;
    uint32_t last;     /* samples of the last packet: how long a lost one is taken to be */
    OpusDecoder *opus; /* in the same piece of memory, behind this */
} decoder;

/* Every rate that this room has. */
static uint32_t any_rate(const agw_codec_format *format, uint32_t wanted_hz)
{
    (void)format;
    return wanted_hz;
}

/* A state of ours with one of libopus' behind it. */
static void *with_room(size_t ours, int theirs)
{
    return theirs > 0 ? calloc(1, ours + (size_t)theirs) : NULL;
}

static void *open_decoder(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format;
    decoder *d = with_room(sizeof *d, opus_decoder_get_size(1));
    if (d == NULL)
        return NULL;
    d->rate_hz = rate_hz;
    d->last = rate_hz / 50;
    d->opus = (OpusDecoder *)(d + 1);
    if (opus_decoder_init(d->opus, (opus_int32)rate_hz, 1) == OPUS_OK)
        return d;
    free(d);
    return NULL;
}

/* Whether the first frame has the LBRR flag (RFC 6716 section 4.2.3): it follows the VAD flags of
 * the 20 ms pieces, whose bits stand uncoded at the top of the first octet. */
static bool has_lbrr(const uint8_t *packet, const uint8_t *frame, int frame_len)
{
    if (packet[0] >> 3 > HYBRID_LAST || frame_len == 0)
        return false;
    const int samples = opus_packet_get_samples_per_frame(packet, RATE_HZ);
    const int pieces = samples > RATE_HZ / 50 ? samples / (RATE_HZ / 50) : 1;
    const bool mid = frame[0] >> (7 - pieces) & 1;
    const bool side = (packet[0] & 4) != 0 && (frame[0] >> (6 - 2 * pieces) & 1);
    return mid || side;
}

static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    (void)state;
    const uint8_t *frames[48];
    opus_int16 sizes[48];
    out->n_frames = 0;
    out->mode_request = -1;
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    if (len > AGW_DECODER_FRAME_BYTES)
        return AGW_ERR_MALFORMED;
    /* refuses what is longer than 120 ms, too (RFC 6716 section 3.2.5, R5) */
    const int n = opus_packet_parse(payload, (opus_int32)len, NULL, frames, sizes, NULL);
    if (n <= 0)
        return AGW_ERR_MALFORMED;
    const int samples = n * opus_packet_get_samples_per_frame(payload, RATE_HZ);
    out->n_frames = 1;
    out->frames[0] = (agw_frame){.kind = len <= DTX_OCTETS ? AGW_FRAME_SID : AGW_FRAME_SPEECH,
                                 .has_fec = has_lbrr(payload, frames[0], sizes[0]),
                                 .duration_ms_x10 = (uint16_t)(samples * 10 / (RATE_HZ / 1000)),
                                 .len = (uint16_t)len,
                                 .data = payload};
    return AGW_OK;
}

static size_t decode(void *state, const agw_frame *frame, int16_t *pcm, size_t room)
{
    decoder *d = state;
    const int n = opus_decode(d->opus, frame->data, frame->len, pcm, (int)room, 0);
    if (n <= 0)
        return 0;
    d->last = (uint32_t)n;
    return (size_t)n;
}

static size_t conceal(void *state, const agw_frame *next, int16_t *pcm, size_t room)
{
    decoder *d = state;
    const int want = (int)(d->last < room ? d->last : room);
    const bool by_fec = next != NULL && next->has_fec;
    const int n =
        opus_decode(d->opus, by_fec ? next->data : NULL, by_fec ? next->len : 0, pcm, want, by_fec);
    return n > 0 ? (size_t)n : 0;
}

static void reset(void *state)
{
    decoder *d = state;
    opus_decoder_ctl(d->opus, OPUS_RESET_STATE);
    d->last = d->rate_hz / 50;
}

/* ---------------------------------------------------------------- encoder */

typedef struct encoder {
    uint32_t bps; /* by the format; what the far end asks may be less */
    bool dtx;
    OpusEncoder *opus; /* in the same piece of memory, behind this */
} encoder;

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* What the format lets us spend, and no more than the audio is worth. */
static uint32_t bitrate(const agw_codec_format *format, uint32_t rate_hz)
{
    const uint32_t heard_hz =
        format->opus.max_playback_hz != 0 ? least(format->opus.max_playback_hz, rate_hz) : rate_hz;
    uint32_t bps = heard_hz <= 8000 ? NARROW_BPS : heard_hz <= 16000 ? WIDE_BPS : FULL_BPS;
    if (format->bitrate_bps != 0)
        bps = format->bitrate_bps;
    return format->opus.max_average_bps != 0 ? least(bps, format->opus.max_average_bps) : bps;
}

/* RFC 7587 section 3.1.1: no more than the far end plays. */
static opus_int32 bandwidth(uint32_t max_playback_hz)
{
    if (max_playback_hz == 0 || max_playback_hz > 24000)
        return OPUS_BANDWIDTH_FULLBAND;
    if (max_playback_hz > 16000)
        return OPUS_BANDWIDTH_SUPERWIDEBAND;
    if (max_playback_hz > 12000)
        return OPUS_BANDWIDTH_WIDEBAND;
    return max_playback_hz > 8000 ? OPUS_BANDWIDTH_MEDIUMBAND : OPUS_BANDWIDTH_NARROWBAND;
}

static int application(const agw_opus_params *opus)
{
    switch (opus->application) {
    case AGW_OPUS_AUDIO:
        return OPUS_APPLICATION_AUDIO;
    case AGW_OPUS_LOW_DELAY:
        return OPUS_APPLICATION_RESTRICTED_LOWDELAY;
    default:
        return OPUS_APPLICATION_VOIP;
    }
}

static void set_up(encoder *e, const agw_opus_params *opus)
{
    opus_encoder_ctl(e->opus, OPUS_SET_BITRATE((opus_int32)e->bps));
    opus_encoder_ctl(e->opus,
                     OPUS_SET_COMPLEXITY(opus->effort != 0 ? opus->effort - 1 : COMPLEXITY));
    opus_encoder_ctl(e->opus, OPUS_SET_SIGNAL(opus->application == AGW_OPUS_VOIP ? OPUS_SIGNAL_VOICE
                                                                                 : OPUS_AUTO));
    opus_encoder_ctl(e->opus, OPUS_SET_MAX_BANDWIDTH(bandwidth(opus->max_playback_hz)));
    opus_encoder_ctl(e->opus, OPUS_SET_VBR(opus->cbr ? 0 : 1));
    opus_encoder_ctl(e->opus, OPUS_SET_DTX(opus->dtx ? 1 : 0));
    opus_encoder_ctl(e->opus, OPUS_SET_INBAND_FEC(opus->fec ? 1 : 0));
    const int loss = opus->loss_percent != 0 ? opus->loss_percent : LOSS_PERCENT;
    opus_encoder_ctl(e->opus, OPUS_SET_PACKET_LOSS_PERC(opus->fec ? loss : 0));
}

static void *open_encoder(const agw_codec_format *format, uint32_t rate_hz)
{
    encoder *e = with_room(sizeof *e, opus_encoder_get_size(1));
    if (e == NULL)
        return NULL;
    e->opus = (OpusEncoder *)(e + 1);
    e->bps = bitrate(format, rate_hz);
    e->dtx = format->opus.dtx;
    if (opus_encoder_init(e->opus, (opus_int32)rate_hz, 1, application(&format->opus)) != OPUS_OK) {
        free(e);
        return NULL;
    }
    set_up(e, &format->opus);
    return e;
}

static size_t encode(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room)
{
    encoder *e = state;
    (void)cmr;
    const opus_int32 n = opus_encode(e->opus, pcm, (int)samples, out, (opus_int32)room);
    return n <= 0 || (e->dtx && n <= DTX_OCTETS) ? 0 : (size_t)n;
}

static void adapt(void *state, const agw_encoder_wish *wish)
{
    encoder *e = state;
    uint32_t bps = e->bps;
    if (wish->max_bps != 0)
        bps = least(bps, wish->max_bps > MIN_BPS ? wish->max_bps : MIN_BPS);
    opus_encoder_ctl(e->opus, OPUS_SET_BITRATE((opus_int32)bps));
    opus_encoder_ctl(e->opus,
                     OPUS_SET_PACKET_LOSS_PERC((opus_int32)least(wish->loss_percent, 100)));
}

const agw_codec_driver agw_opus_driver = {
    .decoder = {.rate = any_rate,
                .open = open_decoder,
                .close = free,
                .split = split,
                .decode = decode,
                .conceal = conceal,
                .reset = reset},
    .encoder =
        {.rate = any_rate, .open = open_encoder, .close = free, .encode = encode, .adapt = adapt},
};
