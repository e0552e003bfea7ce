/* SPDX-License-Identifier: BSD-3-Clause
 * Payload types: which codecs pass, and what each is called on the two sides. Numbers stay equal
 * unless they clash, and a number keeps its meaning for the whole call (RFC 3264 section 8.3.2). */
#include "codecs/codec.h"
#include "control/codec_match.h"
#include "control/negotiate_state.h"

#include <string.h>

enum {
    PT_END = 128,
    PT_DYNAMIC = 96,     /* RFC 3551 section 6 */
    PT_SPARE_BEGIN = 35, /* unassigned numbers that browsers use when 96 to 127 are full */
    PT_SPARE_END = 64,
    PT_RTCP_BEGIN = 64, /* look like RTCP when multiplexed, RFC 5761 section 4 */
    PT_RTCP_END = 96,
    CLOCK_48K = 48000,
};

static agw_sdp_codec codec_of(const agw_row *row)
{
    return (agw_sdp_codec){.name = row->name,
                           .encoding = row->encoding,
                           .clock_hz = row->clock_hz,
                           .channels = row->channels};
}

bool agw_row_is(const agw_row *row, const agw_sdp_codec *codec)
{
    const agw_sdp_codec known = codec_of(row);
    return agw_codec_same(&known, codec);
}

void agw_codecs_note_wishes(agw_row *row, agw_side side, const agw_sdp_codec *codec)
{
    const agw_codec_id id = agw_codec_with(codec->encoding, codec->clock_hz, codec->channels);
    const bool is_amr = id == AGW_CODEC_AMR || id == AGW_CODEC_AMR_WB;
    agw_codec_format format = agw_codec_plain(id);
    if ((!is_amr && id != AGW_CODEC_EVS) || agw_codec_read_fmtp(&format, codec->fmtp) != AGW_OK)
        return;
    if (is_amr)
        row->modes[side] = format.amr.mode_set;
    else
        row->hf_only = format.evs.hf_only;
}

/* --- which codecs pass -------------------------------------------------------------------- */

/* How hard the rules of the script are applied. */
typedef enum rules { RULES_ALL, RULES_WITHOUT_MASK, RULES_NONE } rules;

bool agw_codecs_may_stay(const agw_leg *to, const agw_sdp_codec *codec)
{
    GPtrArray *const *lists = to->codecs;
    if (lists[AGW_CODEC_EXCEPT] != NULL || lists[AGW_CODEC_OFFER] != NULL)
        return agw_codec_in_list(codec, lists[AGW_CODEC_EXCEPT]) >= 0 ||
               agw_codec_in_list(codec, lists[AGW_CODEC_OFFER]) >= 0;
    return agw_codec_in_list(codec, lists[AGW_CODEC_STRIP]) < 0 &&
           agw_codec_in_list(codec, lists[AGW_CODEC_IGNORE]) < 0;
}

static bool rules_pass(const agw_leg *to, const agw_sdp_codec *codec, rules how)
{
    GPtrArray *const *lists = to->codecs;
    if (how == RULES_NONE)
        return true;
    if (!agw_codecs_may_stay(to, codec) || lists[AGW_CODEC_EXCEPT] != NULL ||
        lists[AGW_CODEC_OFFER] != NULL)
        return agw_codecs_may_stay(to, codec);
    /* what is masked is to be transcoded; where that cannot be, it may not be the last one */
    return how == RULES_WITHOUT_MASK || (agw_codec_in_list(codec, lists[AGW_CODEC_MASK]) < 0 &&
                                         agw_codec_in_list(codec, lists[AGW_CODEC_CONSUME]) < 0);
}

/* No browser speaks EVS. */
static bool profile_pass(const agw_exchange *x, const agw_line *line, const agw_sdp_codec *codec)
{
    const agw_leg *to = &x->next->leg[x->to];
    if (to->web && codec->encoding == AGW_CODEC_EVS && agw_transcode_by_profile(x, line))
        return false;
    if (to->web)
        return codec->name[0] != '\0';
    if (!x->browser && to->profile != AGW_REALM_IMS)
        return true;
    return !agw_codec_is_repair(codec);
}

static bool is_wideband_dtmf(const agw_sdp_codec *codec)
{
    return codec->encoding == AGW_SDP_ENC_EVENT && codec->clock_hz == CLOCK_48K;
}

static void choose(const agw_exchange *x, const agw_work *w, rules how, GArray *out)
{
    const agw_sdp_media *m = w->m;
    const agw_leg *to = &x->next->leg[x->to];
    bool clock_48k = to->web || (!x->browser && to->profile != AGW_REALM_IMS);
    g_array_set_size(out, 0);
    for (size_t i = 0; i < m->n_codecs; i++) {
        const agw_out_codec c = {.codec = &m->codecs[i], .pt = m->codecs[i].pt};
        if (!profile_pass(x, w->line, c.codec) || !rules_pass(to, c.codec, how))
            continue;
        clock_48k = clock_48k || (c.codec->clock_hz == CLOCK_48K && !agw_codec_is_aux(c.codec));
        g_array_append_val(out, c);
    }
    for (guint i = out->len; i-- > 0 && !clock_48k;) {
        if (is_wideband_dtmf(g_array_index(out, agw_out_codec, i).codec))
            g_array_remove_index(out, i);
    }
}

static size_t count_real(const GArray *codecs)
{
    size_t n = 0;
    for (guint i = 0; i < codecs->len; i++)
        n += !agw_codec_is_aux(g_array_index(codecs, agw_out_codec, i).codec);
    return n;
}

/* rtx or red whose base is gone means nothing. */
static bool base_is_there(const GArray *codecs, const agw_sdp_codec *codec)
{
    char apt[8];
    if (codec->encoding != AGW_SDP_ENC_RTX ||
        !agw_sdp_fmtp_get(codec->fmtp, "apt", apt, sizeof apt))
        return true;
    const guint64 base = g_ascii_strtoull(apt, NULL, 10);
    for (guint i = 0; i < codecs->len; i++) {
        if (g_array_index(codecs, agw_out_codec, i).codec->pt == base)
            return true;
    }
    return false;
}

static void drop_orphans(GArray *codecs)
{
    for (guint i = codecs->len; i-- > 0;) {
        if (!base_is_there(codecs, g_array_index(codecs, agw_out_codec, i).codec))
            g_array_remove_index(codecs, i);
    }
}

/* codec-offer-X also says the order; what it does not name follows. */
static void put_in_order(const agw_leg *to, GArray *codecs)
{
    const GPtrArray *order = to->codecs[AGW_CODEC_OFFER];
    guint done = 0;
    for (guint rank = 0; order != NULL && rank < order->len; rank++) {
        for (guint i = done; i < codecs->len; i++) {
            const agw_out_codec c = g_array_index(codecs, agw_out_codec, i);
            if (!agw_codec_in_spec(c.codec, g_ptr_array_index(order, rank)))
                continue;
            g_array_remove_index(codecs, i);
            g_array_insert_val(codecs, done, c);
            done++;
        }
    }
}

static bool is_spoken(const agw_row *row, agw_side side)
{
    return row->active || (row->chained >> side & 1) != 0;
}

/* reuse-codecs, static-codecs: what was spoken so far stays in front, in its order. */
static void keep_order(const agw_exchange *x, const agw_line *line, GArray *codecs)
{
    guint done = 0;
    const bool keep = agw_flags_has(x->flags, AGW_WORD_REUSE_CODECS) ||
                      agw_flags_has(x->flags, AGW_WORD_NO_CODEC_RENEGOTIATION) ||
                      agw_flags_has(x->flags, AGW_WORD_STATIC_CODECS);
    for (guint k = 0; keep && k < line->rows->len; k++) {
        for (guint i = done; is_spoken(agw_line_row(line, k), x->to) && i < codecs->len; i++) {
            const agw_out_codec c = g_array_index(codecs, agw_out_codec, i);
            if (!agw_row_is(agw_line_row(line, k), c.codec))
                continue;
            g_array_remove_index(codecs, i);
            g_array_insert_val(codecs, done, c);
            done++;
            break;
        }
    }
}

/* allow-no-codec-media: a line without any codec left may stand; nothing passes in it. */
static bool is_enough(const agw_exchange *x, const GArray *codecs)
{
    const uint64_t words = x->next->leg[0].words | x->next->leg[1].words;
    return count_real(codecs) > 0 || (words >> AGW_WORD_ALLOW_NO_CODEC_MEDIA & 1) != 0;
}

/* --- numbers ------------------------------------------------------------------------------ */

static agw_row *find_offered_row(const agw_line *line, agw_side from, const agw_sdp_codec *codec)
{
    for (guint i = 0; i < line->rows->len; i++) {
        agw_row *row = agw_line_row(line, i);
        if (!row->offered && row->named[from] &&
            (row->want[from] == codec->pt || row->pt[from] == codec->pt) && agw_row_is(row, codec))
            return row;
    }
    return NULL;
}

/* What each number already means to the receiver: in this line, or anywhere in its BUNDLE group,
 * where one number is one codec (RFC 9143 section 9.1). */
typedef struct number_use {
    bool taken;               /* whatever the codec is */
    const agw_row *elsewhere; /* another line of the group calls this codec so; NULL = none does */
} number_use;

static void note_elsewhere(const agw_exchange *x, const agw_line *line, const agw_line *other,
                           number_use uses[PT_END])
{
    for (guint k = 0; k < other->rows->len; k++) {
        const agw_row *row = agw_line_row(other, k);
        number_use *use = &uses[row->pt[x->to] % PT_END];
        if (!row->named[x->to] || (!row->offered && !is_spoken(row, x->to)))
            continue;
        const agw_sdp_codec codec = codec_of(row);
        if (other->kind != line->kind ||
            (use->elsewhere != NULL && !agw_row_is(use->elsewhere, &codec)))
            use->taken = true;
        use->elsewhere = row;
    }
}

static void note_uses(const agw_exchange *x, const agw_line *line, number_use uses[PT_END])
{
    const agw_leg *to = &x->next->leg[x->to];
    memset(uses, 0, PT_END * sizeof *uses);
    for (unsigned pt = PT_RTCP_BEGIN; to->mux && pt < PT_RTCP_END; pt++)
        uses[pt].taken = true;
    for (guint k = 0; k < line->rows->len; k++) {
        const agw_row *row = agw_line_row(line, k);
        if (row->named[x->to])
            uses[row->pt[x->to] % PT_END].taken = true;
    }
    for (guint i = 0; to->web && i < x->next->lines->len; i++) {
        const agw_line *other = agw_state_line(x->next, i);
        if (other != line && (other->offered || other->live))
            note_elsewhere(x, line, other, uses);
    }
}

static bool is_free(const number_use *use, const agw_sdp_codec *codec)
{
    return !use->taken && (use->elsewhere == NULL || agw_row_is(use->elsewhere, codec));
}

static bool free_number(number_use uses[PT_END], const agw_sdp_codec *codec, uint8_t *out)
{
    unsigned pt = codec->pt;
    if (!is_free(&uses[pt], codec)) {
        for (pt = PT_DYNAMIC; pt < PT_END && !is_free(&uses[pt], codec);)
            pt++;
    }
    if (pt == PT_END) {
        for (pt = PT_SPARE_BEGIN; pt < PT_SPARE_END && !is_free(&uses[pt], codec);)
            pt++;
        if (pt == PT_SPARE_END)
            return false;
    }
    uses[pt].taken = true;
    *out = (uint8_t)pt;
    return true;
}

static void forget_unused_rows(agw_line *line)
{
    for (guint i = line->rows->len; i-- > 0;) {
        const agw_row *row = agw_line_row(line, i);
        if (!row->offered && !row->active && row->chained == 0)
            g_array_remove_index(line->rows, i);
    }
}

agw_row *agw_codecs_new_row(agw_line *line, const agw_sdp_codec *codec)
{
    agw_row row = {.encoding = codec->encoding,
                   .clock_hz = codec->clock_hz,
                   .channels = (uint8_t)codec->channels,
                   .aux = agw_codec_is_aux(codec)};
    if (line->rows->len >= AGW_ROWS_MAX)
        forget_unused_rows(line);
    if (line->rows->len >= AGW_ROWS_MAX || strlen(codec->name) >= sizeof row.name)
        return NULL;
    g_strlcpy(row.name, codec->name, sizeof row.name);
    row.octet_aligned = codec->octet_aligned;
    g_array_append_val(line->rows, row);
    return agw_line_row(line, line->rows->len - 1);
}

/* The row of a codec that the sender does not have: one with a number if there is one. */
static agw_row *find_added_row(const agw_line *line, agw_side to, const agw_sdp_codec *codec)
{
    agw_row *found = NULL;
    for (guint i = 0; i < line->rows->len; i++) {
        agw_row *row = agw_line_row(line, i);
        if (row->offered || !agw_row_is(row, codec) || row->octet_aligned != codec->octet_aligned)
            continue;
        if (row->named[to])
            return row;
        found = row;
    }
    return found;
}

/* Numbers are given once, and kept. */
static bool name_row(agw_row *row, agw_side to, number_use uses[PT_END], const agw_sdp_codec *codec)
{
    if (row->named[to])
        return true;
    if (!free_number(uses, codec, &row->pt[to]))
        return false;
    row->want[to] = row->pt[to];
    row->named[to] = true;
    return true;
}

/* false: no number left for it */
static bool number_codec(const agw_exchange *x, agw_line *line, number_use uses[PT_END],
                         agw_out_codec *c)
{
    agw_row *row = c->added ? find_added_row(line, x->to, c->codec)
                            : find_offered_row(line, x->from, c->codec);
    if (row == NULL)
        row = agw_codecs_new_row(line, c->codec);
    if (row == NULL || !name_row(row, x->to, uses, c->codec))
        return false;
    if (line->passes && row->pt[x->to] != c->codec->pt)
        return false; /* its packets cannot be renumbered */
    row->offered = true;
    row->added = c->added;
    if (!c->added) {
        row->want[x->from] = row->pt[x->from] = c->codec->pt;
        row->named[x->from] = true;
        row->octet_aligned = c->codec->octet_aligned;
        agw_codecs_note_wishes(row, x->from, c->codec);
    }
    c->pt = row->pt[x->to];
    return true;
}

/* Those that keep their numbers first, then ours, which take what is left. */
static void number_codecs(const agw_exchange *x, agw_work *w)
{
    number_use uses[PT_END];
    note_uses(x, w->line, uses);
    for (int added = 0; added < 2; added++) {
        for (guint i = 0; i < w->codecs->len;) {
            agw_out_codec *c = &g_array_index(w->codecs, agw_out_codec, i);
            if (c->added != (added != 0) || number_codec(x, w->line, uses, c))
                i++;
            else
                g_array_remove_index(w->codecs, i);
        }
    }
}

bool agw_codecs_offer(agw_exchange *x, agw_work *w)
{
    const agw_leg *to = &x->next->leg[x->to];
    if (w->codecs == NULL)
        w->codecs = g_array_new(FALSE, TRUE, sizeof(agw_out_codec));
    choose(x, w, RULES_ALL, w->codecs);
    agw_transcode_offer(x, w);
    if (count_real(w->codecs) == 0)
        choose(x, w, RULES_WITHOUT_MASK, w->codecs);
    if (!is_enough(x, w->codecs)) /* a script that leaves nothing is in error; the call goes on */
        choose(x, w, RULES_NONE, w->codecs);
    drop_orphans(w->codecs);
    put_in_order(to, w->codecs);
    keep_order(x, w->line, w->codecs);
    if (w->codecs->len > AGW_PLAN_PT_MAX)
        g_array_set_size(w->codecs, AGW_PLAN_PT_MAX);
    number_codecs(x, w);
    return is_enough(x, w->codecs);
}

/* --- answers ------------------------------------------------------------------------------ */

static bool is_open(const agw_row *row)
{
    return row->offered && !row->active && row->chained == 0;
}

static bool is_form(const agw_row *row, const agw_sdp_codec *codec)
{
    return agw_row_is(row, codec) && row->octet_aligned == codec->octet_aligned;
}

static agw_row *answered_row(const agw_exchange *x, const agw_work *w, const agw_sdp_codec *codec)
{
    for (guint i = 0; i < w->line->rows->len; i++) {
        agw_row *row = agw_line_row(w->line, i);
        if (is_open(row) && row->pt[x->from] == codec->pt && agw_row_is(row, codec))
            return row;
    }
    for (guint i = 0; i < w->line->rows->len && !w->line->passes;
         i++) { /* another number: RFC 3264 section 6.1 */
        agw_row *row = agw_line_row(w->line, i);
        const agw_sdp_codec *offered = agw_sdp_codec_of(w->om, row->want[x->to]);
        if (is_open(row) && row->added
                ? is_form(row, codec)
                : is_open(row) && offered != NULL && agw_codec_compatible(offered, codec))
            return row;
    }
    return NULL;
}

static void accept_codec(const agw_exchange *x, agw_work *w, const agw_sdp_codec *codec)
{
    agw_row *row = answered_row(x, w, codec);
    if (row == NULL)
        return;
    row->want[x->from] = codec->pt;
    agw_codecs_note_wishes(row, x->from, codec);
    if (row->added) {
        row->chained = (uint8_t)(1 << x->from);
        return;
    }
    row->active = true;
    const agw_out_codec c = {.codec = codec,
                             .offered = agw_sdp_codec_of(w->om, row->want[x->to]),
                             .pt = row->want[x->to]};
    g_array_append_val(w->codecs, c);
}

/* single-codec: the first one and what accompanies it at its clock. */
static void keep_one(agw_work *w)
{
    const agw_sdp_codec *first = NULL;
    for (guint i = 0; i < w->codecs->len;) {
        const agw_sdp_codec *c = g_array_index(w->codecs, agw_out_codec, i).codec;
        const bool aux = agw_codec_is_aux(c);
        if (first == NULL && !aux)
            first = c;
        if (aux || c == first)
            i++;
        else
            g_array_remove_index(w->codecs, i);
    }
}

static void not_spoken(agw_row *row)
{
    row->active = false;
    row->chained = 0;
}

bool agw_codecs_answer(agw_exchange *x, agw_work *w)
{
    w->codecs = g_array_new(FALSE, TRUE, sizeof(agw_out_codec));
    for (guint i = 0; i < w->line->rows->len; i++)
        not_spoken(agw_line_row(w->line, i));
    for (size_t i = 0; i < w->m->n_codecs; i++)
        accept_codec(x, w, &w->m->codecs[i]);
    agw_transcode_answer(x, w);
    if (agw_flags_has(x->flags, AGW_WORD_SINGLE_CODEC))
        keep_one(w);
    return is_enough(x, w->codecs);
}

int agw_codecs_renumber(const agw_work *w, unsigned pt)
{
    for (guint i = 0; w->codecs != NULL && i < w->codecs->len; i++) {
        const agw_out_codec *c = &g_array_index(w->codecs, agw_out_codec, i);
        if (c->codec->pt == pt)
            return c->pt;
    }
    return -1;
}
