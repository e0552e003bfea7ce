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
    PTIME_MAX_MS = 200,
    OPUS_BPS = 64000,  /* RFC 7587 section 3.1.1: upper end of fullband mono speech and music */
    VIDEO_KBPS = 2500, /* what browsers send of themselves at most */
    BURST_MS = 500,
};

/* Codecs that we do not know are as G.711. */
static uint32_t codec_kbps(const agw_sdp_codec *codec, uint32_t ptime_ms, agw_family family)
{
    agw_codec_id id = agw_codec_with(codec->encoding, codec->clock_hz, codec->channels);
    agw_codec_format format = agw_codec_plain(id != AGW_CODEC_NONE ? id : AGW_CODEC_PCMA);
    format.clock_hz = id != AGW_CODEC_NONE ? codec->clock_hz : format.clock_hz;
    if (agw_codec_read_fmtp(&format, codec->fmtp) != AGW_OK)
        format = agw_codec_plain((agw_codec_id)format.id);
    format.ptime_ms = (uint8_t)ptime_ms;
    if (format.id == AGW_CODEC_OPUS && format.opus.max_average_bps == 0)
        format.bitrate_bps = OPUS_BPS;
    return agw_codec_bandwidth_kbps(&format, family == AGW_FAMILY_IP6);
}

static agw_family family_toward(const agw_exchange *x, const agw_line *line, agw_side side)
{
    return (agw_family)agw_out_addr(x, agw_state_end_link(x->next, line, side), false, 0).family;
}

/* The greatest of what is written: an offer needs it, too (TS 26.114 section 6.2.5). */
static uint32_t audio_kbps(const agw_exchange *x, const agw_work *w)
{
    const agw_family family = family_toward(x, w->line, x->to);
    uint32_t ptime_ms = w->m->ptime_ms;
    if (ptime_ms < 10 || ptime_ms > PTIME_MAX_MS)
        ptime_ms = PTIME_MS;
    uint32_t most = 0;
    for (guint i = 0; i < w->codecs->len; i++) {
        const agw_sdp_codec *codec = g_array_index(w->codecs, agw_out_codec, i).codec;
        if (agw_codec_is_aux(codec) || codec->name[0] == '\0')
            continue;
        const uint32_t kbps = codec_kbps(codec, ptime_ms, family);
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

void agw_bandwidth_limit(const agw_exchange *x, const agw_work *w, agw_side side,
                         agw_codec_format *format)
{
    const agw_sdp_media *m = side == x->from ? w->m : w->om;
    const int64_t as = agw_sdp_bandwidth_of(m, "AS"), tias = agw_sdp_bandwidth_of(m, "TIAS");
    const bool ipv6 = family_toward(x, w->line, side) == AGW_FAMILY_IP6;
    if (as > 0)
        agw_codec_limit_bandwidth(format, (unsigned)MIN(as, AGW_POLICE_MAX_KBPS), ipv6);
    if (tias > 0)
        agw_codec_limit_rate(format, (uint32_t)MIN(tias, UINT32_MAX));
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
