/* SPDX-License-Identifier: BSD-3-Clause
 * Codecs that one party alone has: which of ours are offered beside the sender's, by profile (a
 * browser and an IMS) or by key (codec-transcode), and, once they are answered, what is converted
 * into what. A codec that both have passes untouched unless a key says otherwise; else the pair
 * with the widest audio from end to end is chosen, then the cheapest. */
#include "base/log.h"
#include "codecs/codec.h"
#include "codecs/evs_plugin.h"
#include "codecs/repack.h"
#include "control/codec_match.h"
#include "control/negotiate_state.h"

#include <string.h>

enum {
    PT_ANY = 96, /* the first dynamic one */
    FMTP_MAX = 256,
    PTIME_USUAL_MS = 20,
    WIDEBAND_HZ = 16000,
    EVENT_HZ = 8000, /* of telephone events that are not said otherwise */
};

static bool serves(const agw_exchange *x, agw_codec_id id)
{
    return id != AGW_CODEC_NONE && (x->s->config->transcode >> id & 1) != 0;
}

bool agw_transcode_by_profile(const agw_exchange *x, const agw_line *line)
{
    const agw_leg *from = &x->next->leg[x->from], *to = &x->next->leg[x->to];
    return x->s->config->transcode != 0 && line->kind == AGW_MEDIA_AUDIO && !line->passes &&
           from->profile != AGW_REALM_NONE && to->profile != AGW_REALM_NONE &&
           from->profile != to->profile;
}

/* --- formats ------------------------------------------------------------------------------ */

/* false: not a codec that we convert, or with parameters that we refuse. */
static bool format_of(const agw_exchange *x, const agw_sdp_codec *codec, agw_codec_format *out)
{
    const agw_codec_id id = agw_codec_with(codec->encoding, codec->clock_hz, codec->channels);
    if (!serves(x, id))
        return false;
    *out = agw_codec_plain(id);
    out->clock_hz = codec->clock_hz;
    return agw_codec_read_fmtp(out, codec->fmtp) == AGW_OK;
}

static uint32_t cost_of(const agw_codec_format *format)
{
    const agw_codec_info *info = agw_codec_info_of((agw_codec_id)format->id);
    return (uint32_t)info->encode_cost_us + info->decode_cost_us;
}

static bool is_amr(const agw_codec_format *format)
{
    return format->id == AGW_CODEC_AMR || format->id == AGW_CODEC_AMR_WB;
}

static bool is_event(const agw_sdp_codec *codec)
{
    return codec->encoding == AGW_SDP_ENC_EVENT;
}

static bool is_noise(const agw_sdp_codec *codec)
{
    return codec->encoding == AGW_SDP_ENC_CN;
}

static const agw_sdp_codec *make(agw_exchange *x, const char *name, uint32_t clock_hz,
                                 uint32_t channels, unsigned pt, const char *fmtp)
{
    agw_sdp_codec *codec = g_new0(agw_sdp_codec, 1);
    codec->pt = (uint8_t)pt;
    codec->has_rtpmap = true;
    codec->name = g_string_chunk_insert(x->texts, name);
    codec->clock_hz = clock_hz;
    codec->channels = channels;
    if (fmtp != NULL && fmtp[0] != '\0')
        codec->fmtp = g_string_chunk_insert(x->texts, fmtp);
    agw_sdp_codec_known(codec);
    g_ptr_array_add(x->made, codec);
    return codec;
}

/* What we want to receive where nobody says more. */
static agw_codec_format own_format(agw_codec_id id)
{
    agw_codec_format format = agw_codec_plain(id);
    if (id == AGW_CODEC_OPUS)
        format.opus = (agw_opus_params){.fec = true};
    if (id == AGW_CODEC_EVS) /* TS 26.114 section 5.2.1.4 */
        format.evs = (agw_evs_params){.min_bps = 5900, .max_bps = 24400, .bandwidth = AGW_EVS_SWB};
    return format;
}

/* A codec as we write it. fmtp NULL: as the format says. */
static const agw_sdp_codec *make_codec(agw_exchange *x, const agw_codec_format *format,
                                       const char *fmtp)
{
    const agw_codec_info *info = agw_codec_info_of((agw_codec_id)format->id);
    const unsigned pt = info->static_pt >= 0 ? (unsigned)info->static_pt : PT_ANY;
    char text[FMTP_MAX] = "";
    if (fmtp == NULL)
        (void)agw_codec_write_fmtp(format, text, sizeof text);
    return make(x, info->name, format->clock_hz, info->channels, pt, fmtp != NULL ? fmtp : text);
}

/* --- offers: what is added ---------------------------------------------------------------- */

static bool has_codec(const GArray *codecs, const agw_sdp_codec *codec)
{
    for (guint i = 0; i < codecs->len; i++) {
        const agw_sdp_codec *c = g_array_index(codecs, agw_out_codec, i).codec;
        if (agw_codec_same(c, codec) && c->octet_aligned == codec->octet_aligned)
            return true;
    }
    return false;
}

static bool is_named(const GArray *codecs, unsigned encoding)
{
    for (guint i = 0; i < codecs->len; i++) {
        if (g_array_index(codecs, agw_out_codec, i).codec->encoding == encoding)
            return true;
    }
    return false;
}

/* Widest audio of the sender's that we can convert; 0 = it has none. stripped: of those, too, that
 * the script takes out, as there are no others. */
static uint32_t convertible_hz(const agw_exchange *x, const agw_work *w, bool stripped)
{
    const agw_leg *to = &x->next->leg[x->to];
    uint32_t most = 0;
    for (size_t i = 0; i < w->m->n_codecs; i++) {
        const agw_sdp_codec *codec = &w->m->codecs[i];
        agw_codec_format format;
        if ((stripped || agw_codecs_may_stay(to, codec)) && format_of(x, codec, &format))
            most = MAX(most, agw_codec_audio_hz(&format));
    }
    return most;
}

static uint32_t audio_hz(const agw_sdp_codec *codec)
{
    const agw_codec_id id = agw_codec_with(codec->encoding, codec->clock_hz, codec->channels);
    agw_codec_format format = agw_codec_plain(id);
    format.clock_hz = codec->clock_hz;
    return id != AGW_CODEC_NONE ? agw_codec_audio_hz(&format) : codec->clock_hz;
}

/* Behind all that sound as wide or wider from end to end. */
static void insert(const agw_leg *to, GArray *codecs, const agw_sdp_codec *codec, uint32_t hz)
{
    const agw_out_codec c = {.codec = codec, .added = true};
    guint at = 0;
    for (guint i = 0; i < codecs->len; i++) {
        const agw_out_codec *other = &g_array_index(codecs, agw_out_codec, i);
        if (agw_codec_is_aux(other->codec))
            continue;
        if (audio_hz(other->codec) < hz)
            break;
        at = i + 1;
    }
    if (!has_codec(codecs, codec) && agw_codecs_may_stay(to, codec))
        g_array_insert_val(codecs, at, c);
}

/* Behind all other codecs, but before what accompanies them. */
static void append(GArray *codecs, const agw_sdp_codec *codec)
{
    const agw_out_codec c = {.codec = codec, .added = true};
    guint at = codecs->len;
    while (at > 0 && agw_codec_is_aux(g_array_index(codecs, agw_out_codec, at - 1).codec))
        at--;
    if (!has_codec(codecs, codec))
        g_array_insert_val(codecs, at, c);
}

static const agw_sdp_codec *make_event(agw_exchange *x, uint32_t clock_hz)
{
    return make(x, "telephone-event", clock_hz, 1, PT_ANY, "0-15");
}

static bool has_event(const GArray *codecs, uint32_t clock_hz)
{
    for (guint i = 0; i < codecs->len; i++) {
        const agw_sdp_codec *c = g_array_index(codecs, agw_out_codec, i).codec;
        if (is_event(c) && c->clock_hz == clock_hz && c->channels == 1)
            return true;
    }
    return false;
}

static void add_event(agw_exchange *x, GArray *codecs, uint32_t clock_hz)
{
    if (has_event(codecs, clock_hz))
        return;
    const agw_out_codec c = {.codec = make_event(x, clock_hz), .added = true};
    g_array_append_val(codecs, c);
}

/* Events go at the clock of the audio beside them (RFC 4733 section 2.1). A browser gets them also
 * from a sender that has none: they become tones. */
static void add_events(agw_exchange *x, GArray *codecs)
{
    const bool has_none = x->next->leg[x->to].web && !is_named(codecs, AGW_SDP_ENC_EVENT);
    for (guint i = 0; i < codecs->len; i++) {
        const agw_out_codec c = g_array_index(codecs, agw_out_codec, i);
        if ((c.added || has_none) && !agw_codec_is_aux(c.codec))
            add_event(x, codecs, c.codec->clock_hz);
    }
}

/* What the sender wants of the same codec in another form, it wants of this one: what comes can
 * then be repacked. */
static void take_wishes(const agw_exchange *x, const agw_work *w, agw_codec_format *format)
{
    for (size_t i = 0; i < w->m->n_codecs; i++) {
        agw_codec_format own;
        if (!format_of(x, &w->m->codecs[i], &own) || own.id != format->id)
            continue;
        const bool octet_aligned = format->amr.octet_aligned;
        format->amr = own.amr;
        format->amr.octet_aligned = octet_aligned;
        return;
    }
}

static void add_by_id(agw_exchange *x, agw_work *w, agw_codec_id id, bool octet_aligned,
                      uint32_t hz)
{
    if (!serves(x, id))
        return;
    agw_codec_format format = own_format(id);
    if (is_amr(&format)) {
        take_wishes(x, w, &format);
        format.amr.octet_aligned = octet_aligned;
    }
    insert(&x->next->leg[x->to], w->codecs, make_codec(x, &format, NULL),
           MIN(hz, agw_codec_audio_hz(&format)));
}

/* TS 26.114 section 5.2.1 and 6.2.2: EVS where it can be coded, both payload formats of AMR-WB and
 * AMR. */
static void add_toward_ims(agw_exchange *x, agw_work *w, uint32_t hz)
{
    if (hz >= WIDEBAND_HZ) {
        add_by_id(x, w, AGW_CODEC_EVS, false, hz);
        add_by_id(x, w, AGW_CODEC_AMR_WB, false, hz);
        add_by_id(x, w, AGW_CODEC_AMR_WB, true, hz);
    }
    add_by_id(x, w, AGW_CODEC_AMR, false, hz);
    add_by_id(x, w, AGW_CODEC_AMR, true, hz);
    w->own_ptime = is_named(w->codecs, AGW_CODEC_AMR);
}

/* AMR that the sender has, in its other form: that costs no coder. */
static void add_other_forms(agw_exchange *x, agw_work *w, uint32_t hz)
{
    static const agw_codec_id IDS[] = {AGW_CODEC_AMR_WB, AGW_CODEC_AMR};
    for (size_t i = 0; i < G_N_ELEMENTS(IDS); i++) {
        if (!is_named(w->codecs, IDS[i]))
            continue;
        add_by_id(x, w, IDS[i], false, hz);
        add_by_id(x, w, IDS[i], true, hz);
    }
}

static void add_g711(agw_exchange *x, agw_work *w, uint32_t hz)
{
    if (is_named(w->codecs, AGW_CODEC_PCMA) || is_named(w->codecs, AGW_CODEC_PCMU))
        return;
    add_by_id(x, w, AGW_CODEC_PCMA, false, hz);
    add_by_id(x, w, AGW_CODEC_PCMU, false, hz);
}

static void add_by_profile(agw_exchange *x, agw_work *w, uint32_t hz)
{
    const agw_leg *to = &x->next->leg[x->to];
    if (to->profile == AGW_REALM_IMS)
        add_toward_ims(x, w, hz);
    else if (to->web)
        add_by_id(x, w, AGW_CODEC_OPUS, false, hz);
    else
        add_other_forms(x, w, hz);
    if (to->profile != AGW_REALM_IMS && hz >= WIDEBAND_HZ)
        add_by_id(x, w, AGW_CODEC_G722, false, hz);
    add_g711(x, w, hz);
    add_events(x, w->codecs);
    if (w->own_ptime)
        add_event(x, w->codecs, EVENT_HZ);
}

/* --- offers: by key ----------------------------------------------------------------------- */

/* "name/clock/channels/bitrate/ptime/fmtp/options", each but the first may be missing. */
typedef struct spec {
    char **part;
    guint n;
} spec;

static spec spec_split(const char *text)
{
    spec s = {.part = g_strsplit(text, "/", 7)};
    s.n = g_strv_length(s.part);
    return s;
}

static uint32_t spec_number(const spec *s, guint i)
{
    return i < s->n ? (uint32_t)MIN(g_ascii_strtoull(s->part[i], NULL, 10), UINT32_MAX) : 0;
}

static const char *spec_text(const spec *s, guint i)
{
    return i < s->n && s->part[i][0] != '\0' ? s->part[i] : NULL;
}

/* The codec of that name with the clock that is said, or its own. */
static agw_codec_id spec_id(const spec *s, uint32_t *clock_hz)
{
    for (int id = AGW_CODEC_NONE + 1; s->n > 0 && id < AGW_CODEC_COUNT; id++) {
        const agw_codec_info *info = agw_codec_info_of((agw_codec_id)id);
        if (g_ascii_strcasecmp(info->name, s->part[0]) != 0)
            continue;
        const uint32_t said = spec_number(s, 1);
        *clock_hz = said != 0 ? said : info->clock_hz;
        return agw_codec_find(info->name, *clock_hz, info->channels);
    }
    return AGW_CODEC_NONE;
}

static void add_spec(agw_exchange *x, agw_work *w, const char *text)
{
    const spec s = spec_split(text);
    uint32_t clock_hz = 0;
    const agw_codec_id id = spec_id(&s, &clock_hz);
    if (serves(x, id)) {
        agw_codec_format format = own_format(id);
        format.clock_hz = clock_hz;
        const char *fmtp = spec_text(&s, 5);
        append(w->codecs,
               make_codec(x, &format, fmtp == NULL && agw_exchange_is_literal(x) ? "" : fmtp));
    } else if (s.n > 0 && g_ascii_strcasecmp(s.part[0], "telephone-event") == 0) {
        add_event(x, w->codecs, spec_number(&s, 1) != 0 ? spec_number(&s, 1) : EVENT_HZ);
    }
    g_strfreev(s.part);
}

static bool has_events(const agw_leg *to, const agw_sdp_media *m)
{
    for (size_t i = 0; i < m->n_codecs; i++) {
        if (is_event(&m->codecs[i]) && agw_codecs_may_stay(to, &m->codecs[i]))
            return true;
    }
    return false;
}

static void add_by_key(agw_exchange *x, agw_work *w)
{
    const GPtrArray *list = x->next->leg[x->to].codecs[AGW_CODEC_TRANSCODE];
    for (guint i = 0; list != NULL && i < list->len; i++)
        add_spec(x, w, g_ptr_array_index(list, i));
    for (guint i = 0; list != NULL && i < w->codecs->len; i++) {
        const agw_out_codec c = g_array_index(w->codecs, agw_out_codec, i);
        if (c.added && !agw_codec_is_aux(c.codec) && has_events(&x->next->leg[x->to], w->m))
            append(w->codecs, make_event(x, c.codec->clock_hz));
    }
}

static bool has_clock(const GArray *codecs, uint32_t clock_hz)
{
    for (guint i = 0; i < codecs->len; i++) {
        const agw_sdp_codec *c = g_array_index(codecs, agw_out_codec, i).codec;
        if (!agw_codec_is_aux(c) && c->clock_hz == clock_hz)
            return true;
    }
    return false;
}

/* Where a key hides codecs or adds some, events go with those that are left. */
static void drop_lone_events(const agw_exchange *x, GArray *codecs)
{
    GPtrArray *const *lists = x->next->leg[x->to].codecs;
    if (lists[AGW_CODEC_TRANSCODE] == NULL && lists[AGW_CODEC_MASK] == NULL &&
        lists[AGW_CODEC_CONSUME] == NULL)
        return;
    for (guint i = codecs->len; i-- > 0;) {
        const agw_sdp_codec *c = g_array_index(codecs, agw_out_codec, i).codec;
        if (is_event(c) && !has_clock(codecs, c->clock_hz))
            g_array_remove_index(codecs, i);
    }
}

void agw_transcode_offer(agw_exchange *x, agw_work *w)
{
    w->own_ptime = false;
    if (w->line->passes || w->line->kind != AGW_MEDIA_AUDIO)
        return;
    uint32_t hz = convertible_hz(x, w, false);
    hz = hz != 0 ? hz : convertible_hz(x, w, true);
    if (hz == 0)
        return;
    add_by_key(x, w);
    drop_lone_events(x, w->codecs);
    if (agw_transcode_by_profile(x, w->line))
        add_by_profile(x, w, hz);
}

static bool has_added(const agw_work *w)
{
    for (guint i = 0; w->codecs != NULL && i < w->codecs->len; i++) {
        const agw_out_codec *c = &g_array_index(w->codecs, agw_out_codec, i);
        if (c->added && !agw_codec_is_aux(c->codec))
            return true;
    }
    return false;
}

bool agw_transcode_is_open(const agw_exchange *x)
{
    for (guint i = 0; i < x->work->len; i++) {
        if (has_added(agw_work_at(x, i)))
            return true;
    }
    return false;
}

/* --- answers: what is converted ----------------------------------------------------------- */

/* One party's codec. */
typedef struct choice {
    const agw_sdp_codec *codec; /* NULL = none */
    agw_codec_format format;
} choice;

static uint32_t pair_hz(const choice *a, const choice *b)
{
    return MIN(agw_codec_audio_hz(&a->format), agw_codec_audio_hz(&b->format));
}

static bool is_answered(const agw_exchange *x, const agw_work *w, const agw_sdp_codec *codec)
{
    for (guint i = 0; i < w->line->rows->len; i++) {
        const agw_row *row = agw_line_row(w->line, i);
        if ((row->active || row->chained != 0) && row->want[x->from] == codec->pt &&
            agw_row_is(row, codec))
            return true;
    }
    return false;
}

/* Bits that only change their place cost nothing. */
static uint32_t pair_cost(const choice *a, const choice *b)
{
    return agw_repack_is_possible(&a->format, &b->format)
               ? 0
               : cost_of(&a->format) + cost_of(&b->format);
}

/* Whether one pair is better than the best so far: wider audio, then less work. */
static bool is_better(const choice *a, const choice *b, const choice *best_a, const choice *best_b)
{
    if (best_a->codec == NULL || pair_hz(a, b) != pair_hz(best_a, best_b))
        return best_a->codec == NULL || pair_hz(a, b) > pair_hz(best_a, best_b);
    return pair_cost(a, b) < pair_cost(best_a, best_b);
}

/* The best pair of what the offerer has (one codec alone, unless NULL) and what was answered; among
 * equals, in their order. */
static bool choose_among(const agw_exchange *x, const agw_work *w, const agw_sdp_codec *only,
                         bool stripped, choice *a, choice *b)
{
    const agw_leg *from = &x->next->leg[x->from];
    *a = *b = (choice){0};
    for (size_t k = 0; k < w->om->n_codecs; k++) {
        choice ca = {.codec = &w->om->codecs[k]};
        if ((only != NULL && ca.codec != only) ||
            (!stripped && !agw_codecs_may_stay(from, ca.codec)) ||
            !format_of(x, ca.codec, &ca.format))
            continue;
        for (size_t i = 0; i < w->m->n_codecs; i++) {
            choice cb = {.codec = &w->m->codecs[i]};
            if (!is_answered(x, w, cb.codec) || !format_of(x, cb.codec, &cb.format) ||
                !is_better(&ca, &cb, a, b))
                continue;
            *a = ca;
            *b = cb;
        }
    }
    return a->codec != NULL;
}

static bool choose_pair(const agw_exchange *x, const agw_work *w, const agw_sdp_codec *only,
                        choice *a, choice *b)
{
    return choose_among(x, w, only, false, a, b) || choose_among(x, w, only, true, a, b);
}

/* consume, accept: the offerer speaks this one whatever the answerer does. */
static bool is_kept_for_offerer(const agw_leg *from, const agw_sdp_codec *codec)
{
    return agw_codec_in_list(codec, from->codecs[AGW_CODEC_CONSUME]) >= 0 ||
           agw_codec_in_list(codec, from->codecs[AGW_CODEC_ACCEPT]) >= 0;
}

/* The first real codec of the offerer's that passes; NULL = none. */
static const agw_out_codec *first_passing(const agw_work *w)
{
    for (guint i = 0; i < w->codecs->len; i++) {
        const agw_out_codec *c = &g_array_index(w->codecs, agw_out_codec, i);
        if (!agw_codec_is_aux(c->codec) && c->codec->name[0] != '\0')
            return c;
    }
    return NULL;
}

/* A codec that the offerer rather has than all that pass, and that a key keeps for it. */
static const agw_sdp_codec *kept_codec(const agw_exchange *x, const agw_work *w)
{
    const agw_leg *from = &x->next->leg[x->from];
    for (size_t i = 0; i < w->om->n_codecs; i++) {
        const agw_sdp_codec *codec = &w->om->codecs[i];
        agw_codec_format format;
        for (guint k = 0; k < w->codecs->len; k++) {
            if (g_array_index(w->codecs, agw_out_codec, k).offered == codec &&
                !agw_codec_is_aux(codec))
                return NULL;
        }
        if (agw_codecs_may_stay(from, codec) && is_kept_for_offerer(from, codec) &&
            format_of(x, codec, &format))
            return codec;
    }
    return NULL;
}

/* Packets of a party have the time that a key says, or else its description, as far as its codec
 * can make them. */
static uint8_t ptime_of(const agw_sdp_media *m, int32_t key_ms, const agw_codec_format *format)
{
    uint32_t ms = key_ms > 0 ? (uint32_t)key_ms : m->ptime_ms;
    if (ms == 0)
        ms = MAX(format->ptime_ms, PTIME_USUAL_MS);
    if (m->maxptime_ms != 0)
        ms = MIN(ms, m->maxptime_ms);
    return agw_codec_fit_ptime(format, ms);
}

/* Of two limits, 0 = none. */
static uint32_t least(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* What a key says of how we encode. What the packets look like, and what the party takes at all,
 * its description says. */
static void take_parameters(const char *fmtp, agw_codec_format *format)
{
    agw_codec_format wanted = *format;
    const agw_opus_params heard = format->opus;
    if (agw_codec_read_fmtp(&wanted, fmtp) != AGW_OK) {
        agw_log(AGW_LOG_WARN, NULL, "codec-set: \"%.100s\" is not understood", fmtp);
        return;
    }
    if (is_amr(format)) {
        const uint16_t both = format->amr.mode_set != 0 ? format->amr.mode_set & wanted.amr.mode_set
                                                        : wanted.amr.mode_set;
        format->amr.mode_set = both != 0 ? both : format->amr.mode_set;
    } else {
        *format = wanted;
    }
    if (format->id == AGW_CODEC_OPUS) {
        format->opus.max_average_bps = least(heard.max_average_bps, wanted.opus.max_average_bps);
        format->opus.max_playback_hz = least(heard.max_playback_hz, wanted.opus.max_playback_hz);
    }
}

static void take_options(const char *options, agw_codec_format *format)
{
    if (agw_codec_read_options(format, options) != AGW_OK)
        agw_log(AGW_LOG_WARN, NULL, "codec-set: an option of \"%.100s\" is not served", options);
}

/* Bit rate, packets, parameters and options that a key says for what we encode: codec-set, and but
 * for parameters, which are our wish there, codec-transcode. */
static void take_settings(const agw_leg *leg, const agw_sdp_codec *codec, agw_codec_format *format)
{
    static const agw_codec_list LISTS[] = {AGW_CODEC_TRANSCODE, AGW_CODEC_SET};
    for (size_t l = 0; l < G_N_ELEMENTS(LISTS); l++) {
        const GPtrArray *list = leg->codecs[LISTS[l]];
        const int at = agw_codec_in_list(codec, list);
        if (at < 0)
            continue;
        const spec s = spec_split(g_ptr_array_index(list, (guint)at));
        if (spec_number(&s, 3) != 0)
            format->bitrate_bps = spec_number(&s, 3);
        if (spec_number(&s, 4) != 0)
            format->ptime_ms = agw_codec_fit_ptime(format, spec_number(&s, 4));
        if (spec_text(&s, 5) != NULL && LISTS[l] == AGW_CODEC_SET)
            take_parameters(s.part[5], format);
        if (spec_text(&s, 6) != NULL)
            take_options(s.part[6], format);
        g_strfreev(s.part);
    }
}

/* The telephone events of a description that go with this clock, or any. */
static const agw_sdp_codec *event_of(const agw_exchange *x, const agw_work *w,
                                     const agw_sdp_media *m, uint32_t clock_hz)
{
    const agw_sdp_codec *found = NULL;
    for (size_t i = 0; i < m->n_codecs; i++) {
        const agw_sdp_codec *codec = &m->codecs[i];
        if (!is_event(codec) || (m == w->m && !is_answered(x, w, codec)))
            continue;
        if (codec->clock_hz == clock_hz)
            return codec;
        found = found == NULL ? codec : found;
    }
    return found;
}

/* Codecs without a silence of their own say it with CN, at their clock (RFC 3389 section 4). NULL:
 * not said by this description, or not needed. */
static const agw_sdp_codec *noise_of(const agw_exchange *x, const agw_work *w,
                                     const agw_sdp_media *m, const choice *beside)
{
    for (size_t i = 0; agw_codec_needs_noise(beside->format.id) && i < m->n_codecs; i++) {
        const agw_sdp_codec *codec = &m->codecs[i];
        if (is_noise(codec) && codec->clock_hz == beside->codec->clock_hz &&
            (m != w->m || is_answered(x, w, codec)))
            return codec;
    }
    return NULL;
}

/* RED around the codec, where a browser rather sends it so; it names the codec's number (RFC 2198
 * section 5). NULL: it does not. */
static const agw_sdp_codec *red_of(const agw_exchange *x, const agw_work *w,
                                   const agw_sdp_codec *inside)
{
    for (size_t i = 0; x->next->leg[x->to].web && i < w->om->n_codecs; i++) {
        const agw_sdp_codec *codec = &w->om->codecs[i];
        if (codec == inside)
            return NULL;
        if (codec->encoding == AGW_SDP_ENC_RED && codec->clock_hz == inside->clock_hz &&
            codec->fmtp != NULL && g_ascii_strtoull(codec->fmtp, NULL, 10) == inside->pt &&
            agw_codecs_may_stay(&x->next->leg[x->from], codec))
            return codec;
    }
    return NULL;
}

/* The offerer's codec: its row, whose number it gave itself. */
static agw_row *offerer_row(const agw_exchange *x, agw_line *line, const agw_sdp_codec *codec)
{
    for (guint i = 0; i < line->rows->len; i++) {
        agw_row *row = agw_line_row(line, i);
        if (row->named[x->to] && row->want[x->to] == codec->pt && agw_row_is(row, codec))
            return row;
    }
    agw_row *row = agw_codecs_new_row(line, codec);
    if (row != NULL) {
        row->pt[x->to] = row->want[x->to] = codec->pt;
        row->named[x->to] = true;
        agw_codecs_note_wishes(row, x->to, codec);
    }
    return row;
}

static bool chain_offerer(const agw_exchange *x, agw_line *line, const agw_sdp_codec *codec)
{
    agw_row *row = codec != NULL ? offerer_row(x, line, codec) : NULL;
    if (row != NULL)
        row->chained |= (uint8_t)(1 << x->to);
    return row != NULL;
}

/* Nothing passes beside a conversion: one clock, one order of packets. */
static void chain_answered(const agw_exchange *x, agw_line *line)
{
    for (guint i = 0; i < line->rows->len; i++) {
        agw_row *row = agw_line_row(line, i);
        if (row->active)
            row->chained |= (uint8_t)(1 << x->from);
        row->active = false;
    }
}

static void write_answered(GArray *codecs, const agw_sdp_codec *codec, const agw_sdp_codec *offered)
{
    const agw_out_codec c = {.codec = codec, .offered = offered, .pt = offered->pt};
    g_array_append_val(codecs, c);
}

/* What goes beside the codec is answered as it was offered. */
static void answer_beside(agw_exchange *x, agw_work *w, const agw_sdp_codec *offered)
{
    if (offered != NULL && chain_offerer(x, w->line, offered))
        write_answered(w->codecs,
                       make(x, offered->name, offered->clock_hz, offered->channels, offered->pt,
                            offered->fmtp),
                       offered);
}

/* The chain's end toward a party: its codec, its events and its noise, with the numbers that it
 * gave. */
static agw_chain_plan *new_chain(const choice *out, const agw_sdp_codec *event,
                                 const agw_sdp_codec *noise)
{
    agw_chain_plan *chain = g_new0(agw_chain_plan, 1);
    chain->out_pt = out->codec->pt;
    chain->out = out->format;
    if (event != NULL) {
        chain->event_pt = event->pt;
        chain->event_hz = event->clock_hz;
    }
    chain->has_noise = noise != NULL;
    chain->noise_pt = noise != NULL ? noise->pt : 0;
    return chain;
}

/* What the offerer is answered: the codec as we want it from there (RFC 4867 section 8.3.1: with
 * the offered mode-set). The number is the offerer's, whatever is made of it here. */
static const agw_sdp_codec *answered_codec(agw_exchange *x, const choice *a)
{
    agw_codec_format want = a->format;
    if (agw_exchange_is_literal(x))
        return make_codec(x, &want, a->codec->fmtp != NULL ? a->codec->fmtp : "");
    if (want.id == AGW_CODEC_OPUS)
        want.opus = own_format(AGW_CODEC_OPUS).opus;
    return make_codec(x, &want, NULL);
}

/* How we encode for the party on that side: what its description asks for and what keys say. */
static void finish_choice(const agw_exchange *x, const agw_work *w, agw_side side, choice *c)
{
    const agw_leg *from = &x->next->leg[x->from];
    const bool is_offerer = side == x->to;
    const int32_t key_ms = is_offerer ? x->next->leg[x->to].ptime_back : from->ptime;
    c->format.ptime_ms = ptime_of(is_offerer ? w->om : w->m, key_ms, &c->format);
    take_settings(from, c->codec, &c->format);
    agw_bandwidth_limit(x, w, side, &c->format);
}

static void convert(agw_exchange *x, agw_work *w, choice *a, choice *b)
{
    agw_line *line = w->line;
    const agw_sdp_codec *their_event = event_of(x, w, w->m, b->codec->clock_hz);
    const agw_sdp_codec *event = event_of(x, w, w->om, a->codec->clock_hz); /* at worst, tones */
    const agw_sdp_codec *noise = noise_of(x, w, w->om, a), *their_noise = noise_of(x, w, w->m, b);
    chain_answered(x, line);
    g_array_set_size(w->codecs, 0);
    if (!chain_offerer(x, line, a->codec))
        return;
    w->converted = true;
    w->own_ptime = is_amr(&a->format);
    answer_beside(x, w, red_of(x, w, a->codec));
    write_answered(w->codecs, answered_codec(x, a), a->codec);
    answer_beside(x, w, noise);
    answer_beside(x, w, event);
    finish_choice(x, w, x->to, a);
    finish_choice(x, w, x->from, b);
    line->chain[x->from] = new_chain(a, event, noise);
    line->chain[x->to] = new_chain(b, their_event, their_noise);
}

/* What else the answerer may send is no other codec than this one. */
static bool is_alone(const agw_exchange *x, const agw_work *w, const choice *b)
{
    for (size_t i = 0; i < w->m->n_codecs; i++) {
        const agw_sdp_codec *codec = &w->m->codecs[i];
        if (codec != b->codec && !agw_codec_is_aux(codec) && is_answered(x, w, codec))
            return false;
    }
    return true;
}

/* One codec in two forms, in packets of one length. */
static bool is_one_codec(const agw_exchange *x, const agw_work *w, const choice *a, const choice *b)
{
    const int32_t there = x->next->leg[x->from].ptime, back = x->next->leg[x->to].ptime_back;
    return agw_repack_is_possible(&a->format, &b->format) && is_alone(x, w, b) &&
           ptime_of(w->m, there, &b->format) == ptime_of(w->om, back, &a->format);
}

/* Its payloads are rewritten as they pass; all that goes beside them passes, too. */
static void repack(agw_exchange *x, agw_work *w, choice *a, const choice *b)
{
    agw_line *line = w->line;
    if (!chain_offerer(x, line, a->codec))
        return;
    line->form[x->to] = (uint8_t)agw_form_of(&a->format);
    line->form[x->from] = (uint8_t)agw_form_of(&b->format);
    line->form_pt[x->to] = a->codec->pt;
    line->form_pt[x->from] = b->codec->pt;
    a->format.amr = b->format.amr; /* what the other party wants to receive */
    a->format.amr.octet_aligned = !b->format.amr.octet_aligned;
    const agw_out_codec c = {
        .codec = answered_codec(x, a), .offered = a->codec, .pt = a->codec->pt};
    g_array_prepend_val(w->codecs, c);
}

/* The answerer's own first codec, if it is one that we added: that is what it will send. */
static bool prefers_added(const agw_exchange *x, const agw_work *w, choice *b)
{
    for (size_t i = 0; i < w->m->n_codecs; i++) {
        b->codec = &w->m->codecs[i];
        if (agw_codec_is_aux(b->codec) || !is_answered(x, w, b->codec))
            continue;
        const agw_out_codec *passing = first_passing(w);
        return (passing == NULL || passing->codec != b->codec) &&
               format_of(x, b->codec, &b->format);
    }
    return false;
}

/* A codec passes, but the answerer sends another one first: that is converted, one way. */
static void convert_one_way(agw_exchange *x, agw_work *w)
{
    choice a = {.codec = first_passing(w)->offered};
    if (!format_of(x, a.codec, &a.format))
        return;
    finish_choice(x, w, x->to, &a);
    w->line->chain[x->from] = new_chain(&a, event_of(x, w, w->om, a.codec->clock_hz), NULL);
}

/* ptime, ptime-reverse: packets of another length, of the same codec. */
static bool has_other_ptime(const agw_exchange *x, const agw_work *w, choice *a, choice *b)
{
    const agw_out_codec *passing = first_passing(w);
    const int32_t there = x->next->leg[x->from].ptime, back = x->next->leg[x->to].ptime_back;
    if ((there <= 0 && back <= 0) || passing->offered == NULL)
        return false;
    a->codec = passing->offered;
    b->codec = passing->codec;
    return format_of(x, a->codec, &a->format) && format_of(x, b->codec, &b->format) &&
           ptime_of(w->m, there, &b->format) != ptime_of(w->om, back, &a->format);
}

/* kept, prefers: what kept_codec() and prefers_added() say. */
static bool is_converted(const agw_exchange *x, const agw_work *w, const agw_sdp_codec *kept,
                         bool prefers, choice *a, choice *b)
{
    const agw_out_codec *passing = first_passing(w);
    if (kept == NULL && passing != NULL && has_other_ptime(x, w, a, b))
        return true;
    return (kept != NULL || passing == NULL || prefers) && choose_pair(x, w, kept, a, b) &&
           (kept != NULL || passing == NULL || pair_hz(a, b) > audio_hz(passing->codec));
}

/* The same where a codec passes: those of a browser end here. */
static void keep_events(agw_exchange *x, agw_work *w)
{
    const agw_out_codec *passing = first_passing(w);
    if (passing == NULL || !x->next->leg[x->to].web || !agw_transcode_by_profile(x, w->line) ||
        is_named(w->codecs, AGW_SDP_ENC_EVENT))
        return;
    answer_beside(x, w, event_of(x, w, w->om, passing->codec->clock_hz));
}

void agw_transcode_answer(agw_exchange *x, agw_work *w)
{
    choice a, b;
    g_clear_pointer(&w->line->chain[0], g_free);
    g_clear_pointer(&w->line->chain[1], g_free);
    w->line->form[0] = w->line->form[1] = AGW_FORM_NONE;
    if (w->line->passes || w->line->kind != AGW_MEDIA_AUDIO || x->s->config->transcode == 0)
        return;
    const agw_sdp_codec *kept = kept_codec(x, w);
    const agw_out_codec *passing = first_passing(w);
    const bool prefers = prefers_added(x, w, &b);
    if (!is_converted(x, w, kept, prefers, &a, &b)) {
        if (passing != NULL && prefers)
            convert_one_way(x, w);
        else
            keep_events(x, w);
    } else if (kept == NULL && passing == NULL && is_one_codec(x, w, &a, &b)) {
        repack(x, w, &a, &b);
    } else {
        convert(x, w, &a, &b);
    }
}

/* --- plans -------------------------------------------------------------------------------- */

static agw_codec_id id_of(const agw_row *row)
{
    return agw_codec_with(row->encoding, row->clock_hz, row->channels);
}

agw_codec_format agw_row_format(const agw_row *row, agw_side side)
{
    agw_codec_format format = agw_codec_plain(id_of(row));
    format.clock_hz = row->clock_hz;
    if (is_amr(&format)) {
        format.amr.octet_aligned = row->octet_aligned;
        format.amr.mode_set = row->modes[side];
    }
    if (format.id == AGW_CODEC_EVS)
        format.evs.hf_only = row->hf_only;
    if (format.id != AGW_CODEC_NONE)
        format.ptime_ms = agw_codec_fit_ptime(&format, format.ptime_ms);
    return format;
}

uint8_t agw_transcode_repack(const agw_line *line, agw_side side, const agw_row *row)
{
    const agw_codec_format format = agw_row_format(row, side);
    const uint8_t in = line->form[side], out = line->form[agw_side_other(side)];
    return in != AGW_FORM_NONE && in == agw_form_of(&format) ? (uint8_t)(out << 4 | in) : 0;
}

static bool is_row(const agw_row *row, const char *name)
{
    return g_ascii_strcasecmp(row->name, name) == 0;
}

bool agw_transcode_takes(const agw_row *row)
{
    return is_row(row, "telephone-event") || is_row(row, "CN") || is_row(row, "red") ||
           id_of(row) != AGW_CODEC_NONE;
}

/* What goes within audio's time has its clock; events alone may have another one. */
static bool is_beside(const agw_chain_plan *chain, const agw_row *row)
{
    bool found = !row->aux || is_row(row, "telephone-event");
    for (uint8_t i = 0; i < chain->n_inputs && !found; i++) {
        const agw_codec_format *format = &chain->inputs[i].format;
        found = format->id != AGW_CODEC_NONE && format->clock_hz == row->clock_hz;
    }
    return found;
}

static void add_input(agw_chain_plan *chain, const agw_row *row, uint8_t pt)
{
    for (uint8_t i = 0; i < chain->n_inputs; i++) {
        if (chain->inputs[i].pt == pt)
            return;
    }
    agw_chain_input in = {.pt = pt,
                          .is_event = is_row(row, "telephone-event"),
                          .is_noise = is_row(row, "CN"),
                          .is_red = is_row(row, "red"),
                          .format = agw_row_format(row, AGW_SIDE_A)};
    if (is_amr(&in.format))
        in.format.amr.mode_set = 0; /* that is for who sends */
    if (chain->n_inputs < AGW_CHAIN_INPUTS && agw_transcode_takes(row) && is_beside(chain, row))
        chain->inputs[chain->n_inputs++] = in;
}

/* Rows of one kind, under our numbers and the party's own. */
static void add_inputs(agw_chain_plan *chain, const agw_line *line, agw_side side, bool aux,
                       bool chained)
{
    for (int own = 0; own < 2; own++) {
        for (guint i = 0; i < line->rows->len; i++) {
            const agw_row *row = agw_line_row(line, i);
            const bool spoken = (row->chained >> side & 1) != 0;
            if (row->aux == aux && row->named[side] && (chained ? spoken : row->offered))
                add_input(chain, row, own ? row->want[side] : row->pt[side]);
        }
    }
}

/* What goes in is taken to be what goes out on the way back, which is most often so. */
static uint32_t cost_of_way(const agw_line *line, agw_side side)
{
    const agw_chain_plan *back = line->chain[agw_side_other(side)];
    if (line->chain[side] == NULL)
        return 0;
    agw_chain_plan chain = *line->chain[side];
    chain.n_inputs = 1;
    chain.inputs[0] = (agw_chain_input){.format = back != NULL ? back->out : chain.out};
    return agw_chain_cost_us(&chain);
}

uint64_t agw_transcode_cost_us(const agw_state *state)
{
    uint64_t us = 0;
    for (guint i = 0; i < state->lines->len; i++) {
        const agw_line *line = g_ptr_array_index(state->lines, i);
        us += cost_of_way(line, AGW_SIDE_A) + cost_of_way(line, AGW_SIDE_B);
    }
    return us;
}

/* What was answered first: there is not room for everything. */
const agw_chain_plan *agw_transcode_plan(agw_plan *plan, const agw_line *line, agw_side side,
                                         bool offered)
{
    if (line->chain[side] == NULL)
        return NULL;
    agw_chain_plan *chain = agw_plan_add_chain(plan);
    *chain = *line->chain[side];
    add_inputs(chain, line, side, false, true);
    add_inputs(chain, line, side, true, true);
    if (offered)
        add_inputs(chain, line, side, false, false);
    return chain;
}
