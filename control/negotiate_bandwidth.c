/* SPDX-License-Identifier: BSD-3-Clause
 * b= lines. Toward an IMS the session bandwidth of audio is computed from codec, packet time and IP
 * version (TS 26.114 section 6.2.5 and annex K); RS and RR (RFC 3556) are kept; a browser gets
 * none.
 */
#include "codecs/codec.h"
#include "control/codec_match.h"
#include "control/negotiate_state.h"

#include <string.h>

enum {
    PTIME_MS = 20,
    HEADERS_IP4 = 12 + 8 + 20, /* RTP, UDP, IP */
    HEADERS_IP6 = 12 + 8 + 40,
    OPUS_BPS = 64000, /* RFC 7587 section 3.1.1: upper end of fullband mono speech and music */
    OTHER_BPS = 64000,
    VIDEO_KBPS = 2500, /* what browsers send of themselves at most */
    BURST_MS = 500,
};

/* Highest rate of a codec in bit/s, and bits that its payload format adds to every frame. */
typedef struct rate {
    const char *name;
    uint32_t bps, extra_bits;
} rate;

static const rate RATES[] = {
    {"EVS", 24400, 8}, /* TS 26.445 annex A.2: one ToC byte; primary modes up to 24.4 */
    {"PCMU", 64000, 0}, {"PCMA", 64000, 0}, {"G722", 64000, 0}, {"G729", 8000, 0},
    {"GSM", 13200, 0},  {"iLBC", 15200, 0}, {"G723", 6400, 0},  {"G728", 16000, 0},
};

/* Frames of AMR modes 0 to 8 in bits per 20 ms (TS 26.101, TS 26.201). */
static const uint32_t AMR_BITS[] = {95, 103, 118, 134, 148, 159, 204, 244};
static const uint32_t AMR_WB_BITS[] = {132, 177, 253, 285, 317, 365, 397, 461, 477};

/* The highest mode of "mode-set=0,2,4" in bits per frame; otherwise when there is none. */
static uint32_t amr_bits(const agw_sdp_codec *codec, const uint32_t *bits, size_t n)
{
    char set[64];
    uint32_t best = 0;
    if (!agw_sdp_fmtp_get(codec->fmtp, "mode-set", set, sizeof set))
        return bits[n - 1];
    for (char *p = set; *p != '\0';) {
        char *end = NULL;
        const guint64 mode = g_ascii_strtoull(p, &end, 10);
        if (end != p && mode < n && bits[mode] > best)
            best = bits[mode];
        p = end != p ? end : p + 1;
    }
    return best != 0 ? best : bits[n - 1];
}

static uint32_t opus_bps(const agw_sdp_codec *codec)
{
    char text[16];
    if (!agw_sdp_fmtp_get(codec->fmtp, "maxaveragebitrate", text, sizeof text))
        return OPUS_BPS;
    const guint64 bps = g_ascii_strtoull(text, NULL, 10);
    return bps >= 6000 && bps <= 510000 ? (uint32_t)bps : OPUS_BPS;
}

static uint32_t frame_bits(const agw_sdp_codec *codec, uint32_t ptime_ms)
{
    const uint32_t frames = ptime_ms / PTIME_MS > 0 ? ptime_ms / PTIME_MS : 1;
    if (agw_sdp_codec_is(codec, "AMR")) /* CMR once, a table entry a frame */
        return 4 + frames * (6 + amr_bits(codec, AMR_BITS, G_N_ELEMENTS(AMR_BITS)));
    if (agw_sdp_codec_is(codec, "AMR-WB"))
        return 4 + frames * (6 + amr_bits(codec, AMR_WB_BITS, G_N_ELEMENTS(AMR_WB_BITS)));
    if (agw_sdp_codec_is(codec, "opus"))
        return opus_bps(codec) / 1000 * ptime_ms;
    for (size_t i = 0; i < G_N_ELEMENTS(RATES); i++) {
        if (agw_sdp_codec_is(codec, RATES[i].name))
            return RATES[i].bps / 100 * ptime_ms / 10 + RATES[i].extra_bits;
    }
    return OTHER_BPS / 1000 * ptime_ms;
}

static uint32_t codec_kbps(const agw_sdp_codec *codec, uint32_t ptime_ms, agw_family family)
{
    const uint32_t headers = family == AGW_FAMILY_IP6 ? HEADERS_IP6 : HEADERS_IP4;
    const uint32_t bytes = (frame_bits(codec, ptime_ms) + 7) / 8 + headers;
    const uint32_t bps = bytes * 8 * 1000 / ptime_ms;
    return (bps + 999) / 1000;
}

/* The greatest of what is written: an offer needs it, too (TS 26.114 section 6.2.5). */
static uint32_t audio_kbps(const agw_exchange *x, const agw_work *w)
{
    const agw_link *link = agw_state_end_link(x->next, w->line, x->to);
    const agw_addr addr = agw_out_addr(x, link, false, 0);
    uint32_t ptime_ms = w->m->ptime_ms;
    if (ptime_ms < 10 || ptime_ms > 200)
        ptime_ms = PTIME_MS;
    uint32_t most = 0;
    for (guint i = 0; i < w->codecs->len; i++) {
        const agw_sdp_codec *codec = g_array_index(w->codecs, agw_out_codec, i).codec;
        if (agw_codec_is_aux(codec) || codec->name[0] == '\0')
            continue;
        const uint32_t kbps = codec_kbps(codec, ptime_ms, addr.family);
        most = kbps > most ? kbps : most;
    }
    return most;
}

/* Of an answer that says none, the offer's: RS and RR hold for both directions, and zero in both
 * agrees to have no RTCP (TS 26.114 section 7.3.1). */
int64_t agw_bandwidth_kept(const agw_work *w, const agw_sdp_media *m, const char *type)
{
    const int64_t value = agw_sdp_bandwidth_of(m, type);
    return value < 0 && w->om != NULL ? agw_sdp_bandwidth_of(w->om, type) : value;
}

static void write_kept(const agw_work *w, const char *type, agw_sdp_writer *out)
{
    const int64_t value = agw_bandwidth_kept(w, w->m, type);
    if (value >= 0)
        agw_sdp_write_bandwidth(out, type, (uint32_t)value);
}

static void write_toward_ims(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out)
{
    const int64_t said = agw_sdp_bandwidth_of(w->m, "AS");
    const uint32_t kbps = w->line->kind == AGW_MEDIA_AUDIO ? audio_kbps(x, w) : 0;
    if (kbps > 0)
        agw_sdp_write_bandwidth(out, "AS", kbps);
    else if (said >= 0)
        agw_sdp_write_bandwidth(out, "AS", (uint32_t)said);
    write_kept(w, "RS", out);
    write_kept(w, "RR", out);
}

/* What a party asked for in b=AS or b=TIAS (RFC 3890); 0 = nothing. */
static uint32_t asked_kbps(const agw_sdp_media *m)
{
    const int64_t as = agw_sdp_bandwidth_of(m, "AS"), tias = agw_sdp_bandwidth_of(m, "TIAS");
    const int64_t kbps = MAX(as, tias / 1000);
    return kbps > 0 ? (uint32_t)MIN(kbps, AGW_POLICE_MAX_KBPS) : 0;
}

/* What is converted comes as the other party's codec does not: 0 = nothing is. */
static uint32_t chained_kbps(const agw_work *w, agw_side side)
{
    const agw_chain_plan *back = w->line->chain[1 - side]; /* toward that party */
    return back != NULL ? MAX(agw_codec_bandwidth_kbps(&back->out, true), OPUS_BPS / 1000) : 0;
}

/* The receiver of an answered line said what it wants, the codecs say what they make at most. A
 * sender may send a multiple of the larger one: SDP is often wrong, floods are many times more. */
static uint32_t police_kbps(const agw_exchange *x, const agw_work *w, agw_side side)
{
    const int32_t asked = x->next->leg[side].police;
    const uint32_t own = w->line->kind == AGW_MEDIA_AUDIO ? audio_kbps(x, w) : VIDEO_KBPS;
    if (asked >= 0)
        return (uint32_t)MIN(asked, AGW_POLICE_MAX_KBPS);
    const uint32_t kbps =
        MAX(MAX(own, chained_kbps(w, side)), asked_kbps(side == x->from ? w->om : w->m));
    return MIN(kbps * (uint32_t)x->s->config->police, AGW_POLICE_MAX_KBPS);
}

void agw_bandwidth_police(const agw_exchange *x, const agw_work *w, agw_media_plan *plan)
{
    for (int side = 0; side < 2; side++) {
        plan->end[side].police_bps = 1000 * police_kbps(x, w, (agw_side)side);
        plan->end[side].police_burst_ms = BURST_MS;
    }
}

void agw_out_bandwidth(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out)
{
    const agw_leg *to = &x->next->leg[x->to];
    if (agw_end_is_web(&w->line->end[x->to]) && to->web)
        return;
    if (to->profile == AGW_REALM_IMS) {
        write_toward_ims(x, w, out);
        return;
    }
    for (size_t i = 0; i < w->m->n_bandwidths; i++)
        agw_sdp_write_bandwidth(out, w->m->bandwidths[i].type, w->m->bandwidths[i].value);
}
