/* SPDX-License-Identifier: BSD-3-Clause
 * Texts of errors are rtpengine's where it has the same error. */
#include "control/media_acts.h"

#include "control/passes.h"
#include "control/play_acts.h"

#include <string.h>

enum {
    WHOLE_CALL = AGW_ACTS_WHOLE_CALL,
    MS_MIN = 100, /* of a digit and of a pause, as in rtpengine */
    MS_MAX = 5000,
    DURATION_MS = 250,
    PAUSE_MS = 100,
    VOLUME_DB = 8,
    VOLUME_MAX = 63, /* RFC 4733 section 2.3.4 */
};

static agw_doc *ok(void)
{
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static bool is_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

static int other(int side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

/* --- which party -------------------------------------------------------------------------------
 */

static bool receives_at(const agw_ng_call *call, int side, const agw_addr *ip)
{
    for (size_t i = 0; i < agw_session_n_medias(call->session); i++) {
        agw_media_view view;
        agw_session_media(call->session, (agw_side)side, i, &view);
        if (view.live && agw_addr_ip_equal(&view.remote_rtp, ip))
            return true;
    }
    for (guint i = 0; i < call->transports->len; i++) {
        const agw_transport_view *t = &g_array_index(call->transports, agw_transport_view, i);
        agw_media_view view;
        for (size_t m = 0; m < agw_session_n_medias(call->session); m++) {
            agw_session_media(call->session, (agw_side)side, m, &view);
            if (view.live && view.transport_id == t->id && agw_addr_ip_equal(&t->remote, ip))
                return true;
        }
    }
    return false;
}

static const char *by_address(const agw_ng_call *call, const char *text, int *side)
{
    agw_addr ip;
    if (agw_addr_parse_ip(&ip, text) != AGW_OK)
        return "Failed to parse network address";
    for (*side = AGW_SIDE_A; *side <= AGW_SIDE_B; (*side)++) {
        if (receives_at(call, *side, &ip))
            return NULL;
    }
    return "Failed to match address to any tag";
}

static const char *by_label(const agw_ng_call *call, const char *label, int *side)
{
    for (*side = AGW_SIDE_A; *side <= AGW_SIDE_B; (*side)++) {
        if (strcmp(call->label[*side], label) == 0)
            return NULL;
    }
    return "No monologue matching the given label";
}

/* NULL: *side is an agw_side, or WHOLE_CALL. */
static const char *find_party(const agw_ng_call *call, const agw_flags *flags, int *side)
{
    agw_side found;
    *side = WHOLE_CALL;
    if (agw_flags_has(flags, AGW_WORD_ALL))
        return NULL;
    if (!is_empty(flags->label))
        return by_label(call, flags->label, side);
    if (!is_empty(flags->address))
        return by_address(call, flags->address, side);
    if (is_empty(flags->from_tag))
        return NULL;
    if (!agw_calls_side_of(call, flags->from_tag, &found))
        return "From-tag given, but no such tag exists";
    *side = (int)found;
    return NULL;
}

const char *agw_acts_find(agw_calls *calls, const agw_flags *flags, agw_ng_call **call, int *side)
{
    if (is_empty(flags->call_id))
        return "No call-id in message";
    *call = agw_calls_find(calls, flags->call_id);
    const char *why = *call == NULL ? "Unknown call-ID" : find_party(*call, flags, side);
    if (why == NULL && *side == AGW_SIDE_B)
        *call = agw_passes_last(*call); /* where that party's leg is */
    return why;
}

/* --- blocks ------------------------------------------------------------------------------------
 */

static uint8_t acts_on(const agw_call_acts *acts, int side)
{
    const bool blocked = acts->block_media[side] || acts->block_media[WHOLE_CALL] ||
                         acts->block_egress[other(side)] || acts->drop_traffic;
    const bool mute = acts->dtmf[side].mode.on || acts->dtmf[WHOLE_CALL].mode.on;
    const bool silent = acts->silence_media[side] || acts->silence_media[WHOLE_CALL];
    return (uint8_t)((blocked ? AGW_ACT_BLOCK : 0) | (mute ? AGW_ACT_BLOCK_DTMF : 0) |
                     (silent ? AGW_ACT_SILENCE : 0) | (acts->detect_dtmf ? AGW_ACT_DETECT : 0) |
                     (acts->recording && !acts->paused && !acts->never_recorded ? AGW_ACT_TAP : 0));
}

static void put_in_force(const agw_ng_call *call)
{
    const uint8_t acts[2] = {acts_on(&call->acts, AGW_SIDE_A), acts_on(&call->acts, AGW_SIDE_B)};
    for (int side = AGW_SIDE_A; side <= AGW_SIDE_B; side++) {
        const agw_dtmf_guard *own = &call->acts.dtmf[side];
        const agw_shield_plan shield =
            agw_dtmf_guard_shield(own->mode.on ? own : &call->acts.dtmf[WHOLE_CALL]);
        agw_session_set_shield(call->session, (agw_side)side, &shield);
    }
    agw_session_set_acts(call->session, acts);
}

static const char *who(const agw_ng_call *call, int side)
{
    return side == WHOLE_CALL ? "both parties" : agw_calls_tag(call, (agw_side)side);
}

static bool *blocks_of(agw_call_acts *acts, uint8_t act)
{
    return act == AGW_ACT_BLOCK ? acts->block_media : acts->silence_media;
}

static const char *name_of(uint8_t act)
{
    return act == AGW_ACT_BLOCK ? "media is blocked:" : "media is silenced:";
}

agw_doc *agw_acts_block(agw_calls *calls, const agw_flags *flags, uint8_t act, bool on)
{
    agw_ng_call *call = NULL;
    int side = WHOLE_CALL;
    const char *why = agw_acts_find(calls, flags, &call, &side);
    if (why != NULL)
        return agw_ng_error(why);
    bool *const blocks = blocks_of(&call->acts, act);
    const bool egress =
        act == AGW_ACT_BLOCK && side != WHOLE_CALL && agw_flags_has(flags, AGW_WORD_EGRESS);
    if (egress)
        call->acts.block_egress[side] = on;
    else
        blocks[side] = on;
    if (!on && agw_flags_has(flags, AGW_WORD_ALL))
        blocks[AGW_SIDE_A] = blocks[AGW_SIDE_B] = false;
    put_in_force(call);
    agw_log(AGW_LOG_INFO, call->call_id, "%s %s, %s %s", name_of(act), on ? "yes" : "no",
            egress ? "to" : "of", who(call, side));
    return ok();
}

agw_doc *agw_acts_block_dtmf(agw_calls *calls, const agw_flags *flags, const agw_doc *request,
                             bool on)
{
    agw_ng_call *call = NULL;
    int side = WHOLE_CALL;
    const char *why = agw_acts_find(calls, flags, &call, &side);
    if (why == NULL && on)
        why = agw_dtmf_guard_read(&call->acts.dtmf[side], request);
    if (why != NULL)
        return agw_ng_error(why);
    if (!on)
        agw_dtmf_guard_clear(&call->acts.dtmf[side]);
    for (int s = AGW_SIDE_A; !on && agw_flags_has(flags, AGW_WORD_ALL) && s <= AGW_SIDE_B; s++)
        agw_dtmf_guard_clear(&call->acts.dtmf[s]);
    put_in_force(call);
    agw_log(AGW_LOG_INFO, call->call_id, "DTMF is blocked: %s, of %s",
            call->acts.dtmf[side].mode.on ? "yes" : "no", who(call, side));
    return ok();
}

static bool hear_all(agw_ng_call *call, agw_side side, char digit, agw_ns now)
{
    const bool whole = agw_dtmf_guard_hear(&call->acts.dtmf[WHOLE_CALL], digit, now);
    return agw_dtmf_guard_hear(&call->acts.dtmf[side], digit, now) || whole;
}

void agw_acts_hear_digit(agw_ng_call *call, agw_side side, char digit, agw_ns now)
{
    if (hear_all(call, side, digit, now))
        put_in_force(call);
}

agw_ns agw_acts_watch(agw_ng_call *call, agw_ns now)
{
    agw_ns deadline = AGW_NEVER;
    bool changed = false;
    for (size_t i = 0; i < G_N_ELEMENTS(call->acts.dtmf); i++) {
        changed = agw_dtmf_guard_hear(&call->acts.dtmf[i], '\0', now) || changed;
        deadline = agw_earlier(deadline, agw_dtmf_guard_deadline(&call->acts.dtmf[i]));
    }
    if (changed)
        put_in_force(call);
    return deadline;
}

/* --- digits ------------------------------------------------------------------------------------
 */

static int64_t number(const agw_doc *request, const char *key, int64_t missing)
{
    int64_t v = missing;
    (void)agw_doc_int(request, key, &v);
    return v;
}

static uint16_t clamp_ms(const agw_ng_call *call, const char *what, int64_t ms)
{
    const int64_t clamped = CLAMP(ms, MS_MIN, MS_MAX);
    if (clamped != ms)
        agw_log(AGW_LOG_WARN, call->call_id, "DTMF %s of %" G_GINT64_FORMAT " ms: %d ms is used",
                what, ms, (int)clamped);
    return (uint16_t)clamped;
}

/* The media that carries this party's digits as events, or as tones. NULL: *order says which. */
static const char *dtmf_media(const agw_ng_call *call, int side, agw_dtmf_order *order, bool *tones)
{
    bool has_audio = false;
    *tones = true;
    for (size_t i = 0; i < agw_session_n_medias(call->session); i++) {
        agw_media_view view;
        agw_session_media(call->session, (agw_side)side, i, &view);
        if (!view.live || strcmp(view.type, "audio") != 0)
            continue;
        has_audio = true;
        order->media_id = view.media_id;
        *tones = !view.dtmf;
        if (view.dtmf)
            return NULL;
    }
    return has_audio ? NULL : "Monologue has no media capable of DTMF injection";
}

static const char *play(agw_control *ctl, const agw_ng_call *call, int side, agw_dtmf_order order)
{
    bool tones;
    const char *why = dtmf_media(call, side, &order, &tones);
    if (why != NULL)
        return why;
    order.from = (agw_side)side;
    if (tones)
        return agw_acts_play_tone(ctl->gateway, call, (agw_side)other(side), &order)
                   ? NULL
                   : "Sink monologue has no media capable of DTMF playback";
    agw_gateway_play_dtmf(ctl->gateway, call->ref, &order);
    return NULL;
}

agw_doc *agw_acts_play_dtmf(agw_control *ctl, const agw_flags *flags, const agw_doc *request)
{
    agw_ng_call *call = NULL;
    int side = WHOLE_CALL;
    agw_dtmf_order order = {0};
    const char *why = agw_acts_find(ctl->calls, flags, &call, &side);
    if (why == NULL && side == WHOLE_CALL && !agw_flags_has(flags, AGW_WORD_ALL))
        why = "No participant party specified";
    if (why == NULL)
        why = agw_dtmf_read_digit(request, &order.event);
    if (why != NULL)
        return agw_ng_error(why);
    const int64_t volume = number(request, "volume", VOLUME_DB);
    order.volume = (uint8_t)CLAMP(ABS(CLAMP(volume, -VOLUME_MAX, VOLUME_MAX)), 0, VOLUME_MAX);
    order.duration_ms = clamp_ms(call, "duration", number(request, "duration", DURATION_MS));
    order.pause_ms = clamp_ms(call, "pause", number(request, "pause", PAUSE_MS));
    const int first = side == WHOLE_CALL ? AGW_SIDE_A : side;
    const int last = side == WHOLE_CALL ? AGW_SIDE_B : side;
    for (int s = first; s <= last && why == NULL; s++)
        why = play(ctl, call, s, order);
    return why == NULL ? ok() : agw_ng_error(why);
}

/* --- recordings --------------------------------------------------------------------------------
 */

static const char *begin_recording(agw_control *ctl, agw_ng_call *call, const agw_flags *flags)
{
    const agw_record_config config = {
        .call_id = call->call_id,
        .outputs = flags->record_outputs != 0 ? flags->record_outputs : ctl->config->record_outputs,
        .name = flags->recording_file,
        .metadata = flags->metadata,
        .tags = {agw_calls_tag(call, AGW_SIDE_A), agw_calls_tag(call, AGW_SIDE_B)},
    };
    const agw_err err = agw_gateway_record(ctl->gateway, call->ref, &config);
    if (err == AGW_ERR_UNSUPPORTED)
        return "Recording is not configured (--recording-dir)";
    call->acts.recording = true;
    call->acts.paused = false;
    put_in_force(call);
    return NULL;
}

/* NULL: there is none, and *refusal says why. */
static agw_ng_call *find_recorded(const agw_control *ctl, const agw_flags *flags, agw_doc **refusal)
{
    agw_ng_call *call = NULL;
    if (is_empty(flags->call_id))
        *refusal = agw_ng_error("No call-id in message");
    else if ((call = agw_calls_find(ctl->calls, flags->call_id)) == NULL)
        *refusal = agw_ng_error("Unknown call-id");
    return call;
}

agw_doc *agw_acts_start_recording(agw_control *ctl, const agw_flags *flags)
{
    agw_doc *refusal = NULL;
    agw_ng_call *call = find_recorded(ctl, flags, &refusal);
    if (call == NULL)
        return refusal;
    const char *why = begin_recording(ctl, call, flags);
    return why == NULL ? ok() : agw_ng_error(why);
}

static void end_recording(agw_gateway *gateway, agw_ng_call *call, bool discard)
{
    if (!call->acts.recording)
        return;
    call->acts.recording = call->acts.paused = false;
    agw_gateway_end_record(gateway, call->ref, discard);
    put_in_force(call);
}

agw_doc *agw_acts_stop_recording(agw_control *ctl, const agw_flags *flags)
{
    if (agw_flags_has(flags, AGW_WORD_PAUSE))
        return agw_acts_pause_recording(ctl, flags);
    agw_doc *refusal = NULL;
    agw_ng_call *call = find_recorded(ctl, flags, &refusal);
    if (call == NULL)
        return refusal;
    end_recording(ctl->gateway, call, agw_flags_has(flags, AGW_WORD_DISCARD_RECORDING));
    return ok();
}

void agw_acts_recording_failed(agw_gateway *gateway, agw_ng_call *call)
{
    end_recording(gateway, call, false);
}

void agw_acts_discard_recording(agw_gateway *gateway, agw_ng_call *call)
{
    end_recording(gateway, call, true);
}

agw_doc *agw_acts_pause_recording(agw_control *ctl, const agw_flags *flags)
{
    agw_doc *refusal = NULL;
    agw_ng_call *call = find_recorded(ctl, flags, &refusal);
    if (call == NULL)
        return refusal;
    call->acts.paused = call->acts.recording;
    put_in_force(call);
    return ok();
}

/* --- flags of offers and answers ---------------------------------------------------------------
 */

void agw_acts_signalled(agw_control *ctl, agw_ng_call *call, agw_side side, const agw_flags *flags)
{
    const uint8_t before[2] = {acts_on(&call->acts, AGW_SIDE_A), acts_on(&call->acts, AGW_SIDE_B)};
    if (agw_flags_has(flags, AGW_WORD_BLOCK_DTMF))
        call->acts.dtmf[WHOLE_CALL].mode.on = true;
    if (agw_flags_has(flags, AGW_WORD_BLOCK_EGRESS))
        call->acts.block_egress[side] = true;
    if (agw_flags_has(flags, AGW_WORD_DETECT_DTMF))
        call->acts.detect_dtmf = true;
    if (agw_flags_has(flags, AGW_WORD_EXCLUDE_RECORDING))
        call->acts.never_recorded = true;
    if (flags->drop_traffic != AGW_DROP_TRAFFIC_ABSENT)
        call->acts.drop_traffic = flags->drop_traffic == AGW_DROP_TRAFFIC_START;
    if (agw_flags_has(flags, AGW_WORD_RECORD_CALL) && !call->acts.recording) {
        const char *why = begin_recording(ctl, call, flags);
        if (why != NULL)
            agw_log(AGW_LOG_WARN, call->call_id, "record-call: %s", why);
    }
    if (before[0] != acts_on(&call->acts, AGW_SIDE_A) ||
        before[1] != acts_on(&call->acts, AGW_SIDE_B))
        put_in_force(call);
}
