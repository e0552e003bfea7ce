/* SPDX-License-Identifier: BSD-3-Clause
 * The codec table. Parameters of SDP are codecs/fmtp.c's; who codes is codecs/driver.h's. */
#include "codecs/codec.h"
#include "codecs/amr_payload.h"
#include "codecs/driver.h"
#include "codecs/evs_plugin.h"

#include <strings.h>

enum {
    PTIME_MAX_MS = 120,
    PACKET_OCTETS = 1400, /* of payload, that every path takes */
};

/* Clock rates of an id that has more than one: L16 (RFC 3551 section 4.5.11), Speex (RFC 5574
 * section 3.3; its 32000 is not served). */
static const uint32_t L16_CLOCKS[] = {8000, 16000, 48000};
static const uint32_t SPEEX_CLOCKS[] = {8000, 16000};

/* name, clock, channels, static pt, audio rate, frame; the costs are docs/BENCH.md's. */
static const agw_codec_info INFOS[AGW_CODEC_COUNT] = {
    [AGW_CODEC_PCMU] = {"PCMU", 8000, 1, 0, 8000, 10, 1, 1},
    [AGW_CODEC_PCMA] = {"PCMA", 8000, 1, 8, 8000, 10, 1, 1},
    [AGW_CODEC_G722] = {"G722", 8000, 1, 9, 16000, 10, 11, 8},
    [AGW_CODEC_OPUS] = {"opus", 48000, 2, -1, 48000, 10, 140, 30},
    [AGW_CODEC_AMR] = {"AMR", 8000, 1, -1, 8000, 20, 69, 14},
    [AGW_CODEC_AMR_WB] = {"AMR-WB", 16000, 1, -1, 16000, 20, 153, 32},
    [AGW_CODEC_L16] = {"L16", 16000, 1, -1, 16000, 10, 1, 1},
    [AGW_CODEC_GSM] = {"GSM", 8000, 1, 3, 8000, 20, 10, 4},
    [AGW_CODEC_SPEEX] = {"speex", 8000, 1, -1, 8000, 20, 47, 5},
    [AGW_CODEC_G729] = {"G729", 8000, 1, 18, 8000, 10, 46, 9},
    [AGW_CODEC_ILBC] = {"iLBC", 8000, 1, -1, 8000, 20, 0, 0},
    /* of a plug-in: not measured */
    [AGW_CODEC_EVS] = {"EVS", 16000, 1, -1, 48000, 20, 400, 80},
};

const agw_codec_info *agw_codec_info_of(agw_codec_id id)
{
    return id > AGW_CODEC_NONE && id < AGW_CODEC_COUNT ? &INFOS[id] : NULL;
}

/* docs/BENCH.md: libopus at the rate it is asked for, G.722's lower band alone. */
typedef struct rate_cost {
    agw_codec_id id;
    uint32_t rate_hz;
    uint16_t encode_us, decode_us;
} rate_cost;

static const rate_cost RATE_COSTS[] = {
    {AGW_CODEC_OPUS, 8000, 61, 24},
    {AGW_CODEC_OPUS, 16000, 114, 22},
    {AGW_CODEC_G722, 8000, 5, 3},
};

static const rate_cost *cost_at(agw_codec_id id, uint32_t rate_hz)
{
    for (size_t i = 0; i < sizeof RATE_COSTS / sizeof RATE_COSTS[0]; i++) {
        if (RATE_COSTS[i].id == id && RATE_COSTS[i].rate_hz == rate_hz)
            return &RATE_COSTS[i];
    }
    return NULL;
}

uint32_t agw_codec_encode_us(agw_codec_id id, uint32_t rate_hz)
{
    const rate_cost *cost = cost_at(id, rate_hz);
    const agw_codec_info *info = agw_codec_info_of(id);
    return cost != NULL ? cost->encode_us : info != NULL ? info->encode_cost_us : 0;
}

uint32_t agw_codec_decode_us(agw_codec_id id, uint32_t rate_hz)
{
    const rate_cost *cost = cost_at(id, rate_hz);
    const agw_codec_info *info = agw_codec_info_of(id);
    return cost != NULL ? cost->decode_us : info != NULL ? info->decode_cost_us : 0;
}

static bool is_in(uint32_t hz, const uint32_t list[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == hz)
            return true;
    }
    return false;
}

static bool has_clock(agw_codec_id id, uint32_t hz)
{
    switch (id) {
    case AGW_CODEC_L16:
        return is_in(hz, L16_CLOCKS, sizeof L16_CLOCKS / sizeof *L16_CLOCKS);
    case AGW_CODEC_SPEEX:
        return is_in(hz, SPEEX_CLOCKS, sizeof SPEEX_CLOCKS / sizeof *SPEEX_CLOCKS);
    default:
        return INFOS[id].clock_hz == hz;
    }
}

agw_codec_id agw_codec_named(const char *name)
{
    enum { SMALL = 'a' - 'A' }; /* all names begin with a letter: looking at it first saves time */
    for (unsigned id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        if ((INFOS[id].name[0] | SMALL) == (name[0] | SMALL) &&
            strcasecmp(INFOS[id].name, name) == 0)
            return (agw_codec_id)id;
    }
    return AGW_CODEC_NONE;
}

agw_codec_id agw_codec_with(unsigned id, uint32_t clock_hz, unsigned channels)
{
    const bool same = id > AGW_CODEC_NONE && id < AGW_CODEC_COUNT &&
                      INFOS[id].channels == (channels == 0 ? 1 : channels) &&
                      has_clock((agw_codec_id)id, clock_hz);
    return same ? (agw_codec_id)id : AGW_CODEC_NONE;
}

agw_codec_id agw_codec_find(const char *name, uint32_t clock_hz, unsigned channels)
{
    return agw_codec_with(agw_codec_named(name), clock_hz, channels);
}

bool agw_codec_can_encode(agw_codec_id id)
{
    const agw_codec_driver *driver = agw_codec_driver_of(id);
    return driver != NULL && driver->encoder.open != NULL &&
           (driver->is_there == NULL || driver->is_there());
}

bool agw_codec_can_decode(agw_codec_id id)
{
    const agw_codec_driver *driver = agw_codec_driver_of(id);
    return driver != NULL && driver->decoder.open != NULL &&
           (driver->is_there == NULL || driver->is_there());
}

bool agw_codec_needs_noise(agw_codec_id id)
{
    return id == AGW_CODEC_PCMU || id == AGW_CODEC_PCMA || id == AGW_CODEC_G722 ||
           id == AGW_CODEC_L16;
}

agw_codec_format agw_codec_plain(agw_codec_id id)
{
    const agw_codec_info *info = agw_codec_info_of(id);
    if (info == NULL)
        return (agw_codec_format){0};
    agw_codec_format format = {
        .id = (uint8_t)id, .channels = info->channels, .ptime_ms = 20, .clock_hz = info->clock_hz};
    if (id == AGW_CODEC_AMR || id == AGW_CODEC_AMR_WB)
        format.amr.mode_change_period = 1;
    if (id == AGW_CODEC_G729)
        format.g729_annex_b = true; /* RFC 4856 section 2.1.9 */
    if (id == AGW_CODEC_ILBC)
        format.ptime_ms = format.ilbc_mode_ms = 30; /* RFC 3952 section 4.2 */
    return format;
}

/* L16 is the one codec whose packets outgrow the path before they outgrow the rule. */
static unsigned longest_ms(const agw_codec_format *format)
{
    return format->id == AGW_CODEC_L16 ? PACKET_OCTETS / (format->clock_hz / 1000 * 2)
                                       : PTIME_MAX_MS;
}

static unsigned step_ms(const agw_codec_format *format, unsigned wanted_ms)
{
    if (format->id == AGW_CODEC_ILBC)
        return format->ilbc_mode_ms;
    return format->id == AGW_CODEC_OPUS && wanted_ms >= 20 ? 20 : INFOS[format->id].frame_ms;
}

uint8_t agw_codec_fit_ptime(const agw_codec_format *format, unsigned wanted_ms)
{
    const unsigned wanted = wanted_ms == 0 ? 20 : wanted_ms, longest = longest_ms(format);
    const unsigned fits = wanted < longest ? wanted : longest, step = step_ms(format, fits);
    return (uint8_t)(fits < step ? step : fits - fits % step);
}

static bool same_amr(const agw_amr_params *a, const agw_amr_params *b)
{
    return a->octet_aligned == b->octet_aligned && a->mode_set == b->mode_set &&
           a->mode_change_period == b->mode_change_period &&
           a->mode_change_neighbor == b->mode_change_neighbor && a->unusable == b->unusable;
}

static bool same_opus(const agw_opus_params *a, const agw_opus_params *b)
{
    return a->max_playback_hz == b->max_playback_hz && a->max_average_bps == b->max_average_bps &&
           a->stereo == b->stereo && a->cbr == b->cbr && a->fec == b->fec && a->dtx == b->dtx &&
           a->effort == b->effort && a->loss_percent == b->loss_percent &&
           a->application == b->application;
}

static bool same_evs(const agw_evs_params *a, const agw_evs_params *b)
{
    return a->io == b->io && a->hf_only == b->hf_only && a->no_dtx == b->no_dtx &&
           a->cmr == b->cmr && a->ch_aw == b->ch_aw && a->bandwidth == b->bandwidth &&
           a->min_bps == b->min_bps && a->max_bps == b->max_bps;
}

bool agw_codec_format_equal(const agw_codec_format *a, const agw_codec_format *b)
{
    if (a->id != b->id || a->channels != b->channels || a->ptime_ms != b->ptime_ms ||
        a->clock_hz != b->clock_hz || a->bitrate_bps != b->bitrate_bps)
        return false;
    switch (a->id) {
    case AGW_CODEC_AMR:
    case AGW_CODEC_AMR_WB:
        return same_amr(&a->amr, &b->amr);
    case AGW_CODEC_OPUS:
        return same_opus(&a->opus, &b->opus);
    case AGW_CODEC_EVS:
        return same_evs(&a->evs, &b->evs);
    case AGW_CODEC_ILBC:
        return a->ilbc_mode_ms == b->ilbc_mode_ms;
    case AGW_CODEC_G729:
        return a->g729_annex_b == b->g729_annex_b;
    default:
        return true;
    }
}

static uint32_t evs_audio_hz(const agw_evs_params *evs)
{
    if (evs->io || evs->bandwidth == AGW_EVS_WB)
        return 16000;
    return evs->bandwidth == AGW_EVS_NB ? 8000 : INFOS[AGW_CODEC_EVS].audio_hz;
}

uint32_t agw_codec_audio_hz(const agw_codec_format *format)
{
    if (format->id == AGW_CODEC_EVS)
        return evs_audio_hz(&format->evs);
    const bool by_clock = format->id == AGW_CODEC_L16 || format->id == AGW_CODEC_SPEEX;
    return by_clock ? format->clock_hz : INFOS[format->id].audio_hz;
}

/* ---------------------------------------------------------------- bandwidth */

enum {
    OPUS_USUAL_BPS = 32000,
    SPEEX_NB_BPS = 15000, /* quality 6; 8 kHz */
    SPEEX_WB_BPS = 27800, /* quality 8; 16 kHz */
    EVS_BPS = 24400,
    OPUS_LEAST_BPS = 6000,
    EVS_USUAL_BPS = 13200,
    EVS_LEAST_BPS = 5900,
    HEADERS_IPV4 = 20 + 8 + 12, /* octets a packet: IP, UDP, RTP */
    HEADERS_IPV6 = 40 + 8 + 12,
};

static unsigned modes_of(const agw_codec_format *format)
{
    return format->id == AGW_CODEC_AMR      ? AGW_AMR_MODES
           : format->id == AGW_CODEC_AMR_WB ? AGW_AMR_WB_MODES
                                            : 0;
}

/* Of 20 ms of speech. */
static unsigned mode_bits(const agw_codec_format *format, unsigned mode)
{
    return (unsigned)agw_amr_bits(format->id == AGW_CODEC_AMR_WB, mode);
}

/* Octets of one packet with n frames of the highest mode that may be used (RFC 4867 section 4.3 and
 * 4.4). */
static unsigned amr_octets(const agw_codec_format *format, unsigned n)
{
    unsigned mode = modes_of(format) - 1;
    if (format->amr.mode_set != 0) {
        while (mode > 0 && (format->amr.mode_set >> mode & 1u) == 0)
            mode--;
    }
    const unsigned bits = mode_bits(format, mode);
    return format->amr.octet_aligned ? 1 + n * (1 + (bits + 7) / 8) : (4 + n * (6 + bits) + 7) / 8;
}

uint32_t agw_codec_mode_bps(const agw_codec_format *format, int mode)
{
    if (mode < 0 || (unsigned)mode >= modes_of(format))
        return 0;
    return 50 * mode_bits(format, (unsigned)mode);
}

int agw_codec_mode_within(const agw_codec_format *format, uint32_t bps)
{
    int best = -1;
    for (int mode = 0; mode < (int)modes_of(format); mode++) {
        const bool may = format->amr.mode_set == 0 || (format->amr.mode_set >> mode & 1u) != 0;
        if (may && (best < 0 || agw_codec_mode_bps(format, mode) <= bps))
            best = mode;
    }
    return best;
}

static unsigned opus_bps(const agw_codec_format *format)
{
    if (format->bitrate_bps != 0)
        return format->bitrate_bps;
    return format->opus.max_average_bps != 0 ? format->opus.max_average_bps : OPUS_USUAL_BPS;
}

/* Bits a second of payload, of all codecs whose packets hold nothing but frames. */
static unsigned payload_bps(const agw_codec_format *format)
{
    switch (format->id) {
    case AGW_CODEC_OPUS:
        return opus_bps(format);
    case AGW_CODEC_L16:
        return format->clock_hz * 16;
    case AGW_CODEC_GSM:
        return 13200;
    case AGW_CODEC_SPEEX:
        return format->clock_hz == 8000 ? SPEEX_NB_BPS : SPEEX_WB_BPS;
    case AGW_CODEC_G729:
        return 8000;
    case AGW_CODEC_ILBC:
        return format->ilbc_mode_ms == 20 ? 15200 : 13334;
    case AGW_CODEC_EVS:
        return (format->evs.max_bps != 0 ? format->evs.max_bps : EVS_BPS) +
               800; /* two octets of header-full format */
    default:
        return 64000;
    }
}

unsigned agw_codec_bandwidth_kbps(const agw_codec_format *format, bool ipv6)
{
    const unsigned ptime = format->ptime_ms != 0 ? format->ptime_ms : 20;
    const bool is_amr = format->id == AGW_CODEC_AMR || format->id == AGW_CODEC_AMR_WB;
    const unsigned payload = is_amr ? amr_octets(format, (ptime + 19) / 20)
                                    : (payload_bps(format) * ptime + 7999) / 8000;
    const unsigned packet = payload + (ipv6 ? HEADERS_IPV6 : HEADERS_IPV4);
    return (packet * 8 + ptime - 1) / ptime; /* bits a millisecond are kilobits a second */
}

/* Of codecs that can do with less: what they take unless they are told, and the least. */
static bool rates_of(const agw_codec_format *format, uint32_t *usual_bps, uint32_t *least_bps)
{
    switch (format->id) {
    case AGW_CODEC_OPUS:
        *usual_bps = opus_bps(format);
        *least_bps = OPUS_LEAST_BPS;
        return true;
    case AGW_CODEC_AMR:
        *usual_bps = 12200;
        *least_bps = 4750;
        return true;
    case AGW_CODEC_AMR_WB:
        *usual_bps = 12650;
        *least_bps = 6600;
        return true;
    case AGW_CODEC_EVS:
        *usual_bps = EVS_USUAL_BPS;
        *least_bps = EVS_LEAST_BPS;
        return true;
    default:
        return false;
    }
}

void agw_codec_limit_rate(agw_codec_format *format, uint32_t bps)
{
    uint32_t usual = 0, least = 0;
    if (!rates_of(format, &usual, &least))
        return;
    if (format->bitrate_bps != 0)
        usual = format->bitrate_bps;
    if (bps >= usual)
        return;
    uint32_t *limit =
        format->id == AGW_CODEC_OPUS ? &format->opus.max_average_bps : &format->bitrate_bps;
    *limit = bps > least ? bps : least;
}

/* A whole number of kbit/s may have been rounded down. What frames need beside their bits is at
 * most an octet each and one a packet. */
void agw_codec_limit_bandwidth(agw_codec_format *format, unsigned kbps, bool ipv6)
{
    const unsigned ptime = format->ptime_ms != 0 ? format->ptime_ms : 20;
    const unsigned beside =
        (ipv6 ? HEADERS_IPV6 : HEADERS_IPV4) + (modes_of(format) != 0 ? 1 + (ptime + 19) / 20 : 0);
    const uint64_t bps = (kbps + UINT64_C(1)) * 1000, headers_bps = beside * 8000u / ptime;
    const uint64_t rest = bps > headers_bps ? bps - headers_bps : 0;
    agw_codec_limit_rate(format, rest < UINT32_MAX ? (uint32_t)rest : UINT32_MAX);
}
