/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/command.h"

#include "control/calls.h"
#include "control/capabilities.h"
#include "control/events.h"
#include "control/flags.h"
#include "control/fragments.h"
#include "control/media_acts.h"
#include "control/passes.h"
#include "control/play_acts.h"
#include "control/stats.h"

#include <string.h>

enum {
    LIST_LIMIT = 32,
    LIST_LIMIT_MAX = 500, /* so that the reply fits a datagram */
    SEEN_UNKNOWN_MAX = 256,
    RESERVED_SHARE = 20, /* one in so many sessions is kept for emergency calls */
};

/* Without a refusal for so long, calls are taken again. */
static const agw_ns REFUSALS_END_AFTER = AGW_S(5);

/* One command being run. */
typedef struct run {
    agw_control *ctl;
    const agw_doc *request;
    const agw_addr *from; /* NULL = not known */
    agw_flags flags;
    agw_ns now;
    const char *sdp;
    size_t sdp_len;
} run;

typedef agw_doc *handler(run *r);

void agw_control_init(agw_control *ctl, const agw_config *config, agw_gateway *gateway,
                      agw_calls *calls, agw_events *events)
{
    memset(ctl, 0, sizeof *ctl);
    ctl->config = config;
    ctl->gateway = gateway;
    ctl->calls = calls;
    ctl->events = events;
    ctl->started_at = agw_clock_now();
    ctl->fragments = agw_fragments_new();
    ctl->audio_files = agw_audio_files_new();
    ctl->seen_unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void agw_control_fini(agw_control *ctl)
{
    agw_fragments_free(ctl->fragments);
    ctl->fragments = NULL;
    agw_audio_files_free(ctl->audio_files);
    ctl->audio_files = NULL;
    g_hash_table_destroy(ctl->seen_unknown);
    ctl->seen_unknown = NULL;
}

static agw_doc *ok(void)
{
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

static void note_unknown_word(agw_control *ctl, const char *word)
{
    if (*word == '\0' || g_hash_table_contains(ctl->seen_unknown, word) ||
        g_hash_table_size(ctl->seen_unknown) >= SEEN_UNKNOWN_MAX)
        return;
    g_hash_table_add(ctl->seen_unknown, g_strdup(word));
    agw_log(AGW_LOG_WARN, NULL, "unknown key or flag is ignored: %.80s", word);
}

/* Scripts send the same words with each call: one line for each word is enough. */
static void note_unknown(agw_control *ctl, const agw_flags *flags)
{
    if (flags->unknown == NULL)
        return;
    char **words = g_strsplit(flags->unknown->str, ", ", SEEN_UNKNOWN_MAX);
    for (size_t i = 0; words[i] != NULL; i++)
        note_unknown_word(ctl, words[i]);
    g_strfreev(words);
}

/* --- offer and answer --------------------------------------------------------------------------
 */

static bool is_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

/* NULL when what an offer or answer needs is there. */
static const char *missing(run *r, bool is_offer)
{
    const agw_doc *sdp = agw_doc_get(r->request, "sdp");
    r->sdp = sdp != NULL ? agw_doc_bytes(sdp, &r->sdp_len) : NULL;
    if (r->sdp == NULL)
        return "No SDP body in message";
    if (is_empty(r->flags.call_id))
        return "No call-id in message";
    if (is_empty(r->flags.from_tag))
        return "No from-tag in message";
    if (!is_offer && is_empty(r->flags.to_tag))
        return "No to-tag in message";
    return NULL;
}

/* Emergency calls and those of people with priority (TS 23.334 section 5.14). */
static bool is_urgent(const run *r)
{
    return agw_flags_urgent(&r->flags);
}

static void tell_of_refusals(const agw_control *ctl, const char *event, const char *reason,
                             const char *detail)
{
    const agw_notice notice = {.event = event, .reason = reason, .detail = detail};
    agw_events_send(ctl->events, &notice, agw_clock_wall_us());
}

static void begin_refusals(agw_control *ctl, const char *why, agw_ns now)
{
    char detail[120];
    agw_worker_load load = {0};
    uint32_t busy = 0;
    for (size_t i = 0; i < agw_gateway_workers(ctl->gateway); i++) {
        agw_gateway_get_worker_load(ctl->gateway, i, &load);
        busy = MAX(busy, load.expected);
    }
    g_snprintf(detail, sizeof detail, "%zu calls, a worker's load is up to %u %%",
               agw_calls_count(ctl->calls), busy * 100 / AGW_LOAD_FULL);
    ctl->refusals = (agw_refusals){.began_at = now};
    agw_log(AGW_LOG_WARN, NULL, "new calls are refused: %s (%s)", why, detail);
    tell_of_refusals(ctl, "overload", why, detail);
}

void agw_control_idle(agw_control *ctl, agw_ns now)
{
    agw_refusals *refusals = &ctl->refusals;
    if (refusals->count == 0 || now - refusals->last_at < REFUSALS_END_AFTER)
        return;
    char detail[120];
    g_snprintf(detail, sizeof detail,
               "%" G_GUINT64_FORMAT " refused in %.1f s, %" G_GUINT64_FORMAT " of them urgent",
               refusals->count, (double)(refusals->last_at - refusals->began_at) / 1e9,
               refusals->urgent);
    agw_log(AGW_LOG_WARN, NULL, "new calls are taken again: %s", detail);
    tell_of_refusals(ctl, "overload-over", "", detail);
    refusals->count = 0;
}

/* Only new calls are refused for load; clients that know "load limit" try another node on it. */
static agw_doc *refuse_new_call(run *r, const char *why)
{
    agw_control *ctl = r->ctl;
    if (ctl->refusals.count == 0)
        begin_refusals(ctl, why, r->now);
    ctl->refusals.count++;
    ctl->refusals.urgent += is_urgent(r);
    ctl->refusals.last_at = r->now;
    ctl->refused++;
    ctl->refused_urgent += is_urgent(r);
    agw_log(is_urgent(r) ? AGW_LOG_WARN : AGW_LOG_DEBUG, r->flags.call_id,
            "new call is refused: %s", why);
    if (!r->flags.supports_load_limit)
        return agw_ng_error(why);
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "load limit");
    agw_doc_set_str(reply, "message", why);
    return reply;
}

/* Of a call for which negotiation has found no room: the error's words, as a refusal of the call.
 */
static agw_doc *as_refusal(run *r, agw_doc *error)
{
    agw_doc *refusal = refuse_new_call(r, agw_doc_str(error, "error-reason"));
    agw_doc_free(error);
    return refusal;
}

static bool has_room(const run *r)
{
    int64_t max = r->ctl->config->max_sessions;
    if (max < 0)
        return true;
    if (is_urgent(r))
        max += max / RESERVED_SHARE + 1;
    return (int64_t)agw_calls_count(r->ctl->calls) < max;
}

/* NULL: *refusal is the reply. */
static agw_ng_call *start_call(run *r, agw_doc **refusal)
{
    agw_ng_call *call = NULL;
    if (!has_room(r)) {
        *refusal = refuse_new_call(r, "Parallel session limit reached");
        return NULL;
    }
    const char *why = agw_gateway_refusal(r->ctl->gateway, is_urgent(r));
    if (why != NULL) {
        *refusal = refuse_new_call(r, why);
        return NULL;
    }
    if (agw_calls_start(r->ctl->calls, r->flags.call_id, r->flags.from_tag, r->flags.via_branch,
                        r->now, &call) == AGW_OK)
        return call;
    *refusal = refuse_new_call(r, "Load limit exceeded");
    return NULL;
}

/* Who speaks in an offer of a call that stands. */
static bool offerer(const run *r, const agw_ng_call *call, agw_side *out)
{
    if (agw_calls_side_of(call, r->flags.from_tag, out))
        return true;
    if (is_empty(r->flags.to_tag) || !agw_calls_side_of(call, r->flags.to_tag, out))
        return false;
    *out = other(*out);
    return true;
}

static void end_all_passes(agw_control *ctl, const char *call_id)
{
    for (agw_ng_call *call; (call = agw_calls_find(ctl->calls, call_id)) != NULL;)
        agw_calls_end(call, AGW_CALL_DELETED);
}

/* A pass that is over makes room for a new attempt under the same call-id; the first one only if
 * nobody has answered, for it may be revived. */
static bool makes_room(const run *r, const agw_ng_call *pass, const agw_ng_call *first)
{
    const bool deleted = pass->clock.delete_at != AGW_NEVER;
    return deleted && is_empty(r->flags.to_tag) && !(pass == first && pass->clock.answered);
}

static bool stands(const agw_ng_call *pass)
{
    for (; pass != NULL; pass = pass->next_pass) {
        if (pass->clock.answered && pass->clock.delete_at == AGW_NEVER)
            return true;
    }
    return false;
}

/* The pass that an offer belongs to; NULL: it begins one, or the call. A call that nobody answered,
 * or that is deleted, and whose caller is another one now is over. */
static agw_ng_call *find_for_offer(run *r)
{
    agw_ng_call *first = agw_calls_find(r->ctl->calls, r->flags.call_id);
    agw_side side;
    if (first == NULL)
        return NULL;
    if (!offerer(r, first, &side)) {
        if (stands(first))
            return first;
        end_all_passes(r->ctl, r->flags.call_id);
        return NULL;
    }
    agw_ng_call *pass = agw_passes_of_sdp(first, side, r->sdp, r->sdp_len);
    if (pass == NULL)
        return is_empty(r->flags.to_tag) || !first->clock.answered ? NULL : agw_passes_last(first);
    if (!makes_room(r, pass, first))
        return pass;
    if (pass == first)
        end_all_passes(r->ctl, r->flags.call_id);
    else
        agw_calls_end(pass, AGW_CALL_DELETED);
    return NULL;
}

static agw_err negotiate(const run *r, agw_ng_call *call, agw_side side, bool is_offer,
                         agw_doc **reply)
{
    enum { USUAL_BYTES = 1024 };
    GString *out = g_string_sized_new(USUAL_BYTES);
    const char *why = NULL;
    const agw_err err =
        agw_negotiate(call->session, side, is_offer, &r->flags, r->sdp, r->sdp_len, out, &why);
    if (err == AGW_OK) {
        *reply = agw_doc_new_dict();
        agw_doc_set_bytes(*reply, "sdp", out->str, out->len);
        agw_doc_set_str(*reply, "result", "ok");
        if (why != NULL)
            agw_log(AGW_LOG_WARN, call->call_id, "a media is refused: %s", why);
    } else {
        agw_log(AGW_LOG_WARN, call->call_id, "%s is refused: %s", is_offer ? "offer" : "answer",
                why);
        *reply = agw_ng_error(why);
    }
    g_string_free(out, TRUE);
    return err;
}

/* --- fragments of trickle ICE ------------------------------------------------------------------
 */

/* AGW_ERR_NOT_FOUND: what it belongs to may still come. */
static agw_err take_fragment(agw_ng_call *call, const char *from_tag, const char *text, size_t len)
{
    agw_side side;
    if (!agw_calls_side_of(call, from_tag, &side))
        return AGW_ERR_NOT_FOUND;
    if (side == AGW_SIDE_B)
        call = agw_passes_last(call);
    agw_log(AGW_LOG_DEBUG, call->call_id, "ICE fragment of %zu bytes", len);
    return agw_session_trickle(call->session, side, text, len);
}

static agw_doc *run_fragment(const run *r)
{
    agw_ng_call *call = agw_calls_find(r->ctl->calls, r->flags.call_id);
    const agw_err err = call != NULL ? take_fragment(call, r->flags.from_tag, r->sdp, r->sdp_len)
                                     : AGW_ERR_NOT_FOUND;
    if (err == AGW_ERR_NOT_FOUND)
        agw_fragments_keep(r->ctl->fragments, r->now, r->flags.call_id, r->flags.from_tag, r->sdp,
                           r->sdp_len);
    else if (err != AGW_OK)
        return agw_ng_error("Failed to parse SDP");
    return ok();
}

static bool use_fragment(void *arg, const char *from_tag, const char *text, size_t len)
{
    return take_fragment(arg, from_tag, text, len) != AGW_ERR_NOT_FOUND;
}

/* After each description: what came too early for it. */
static void use_fragments(const run *r)
{
    agw_ng_call *call = agw_fragments_count(r->ctl->fragments) != 0
                            ? agw_calls_find(r->ctl->calls, r->flags.call_id)
                            : NULL;
    if (call != NULL)
        agw_fragments_try(r->ctl->fragments, r->now, call->call_id, use_fragment, call);
}

/* --- what follows an exchange ------------------------------------------------------------------
 */

static void set_branch(char **branch, const char *via_branch)
{
    g_free(*branch);
    *branch = g_strdup(via_branch != NULL ? via_branch : "");
}

static void set_reoffer_branch(agw_ng_call *call, agw_side side, const char *via_branch)
{
    set_branch(&call->reoffer_branch[side], via_branch);
    call->reoffer_early[side] = false;
}

/* It may still be refused, but there is nothing to take back then. */
static void make_reoffer_moot(agw_ng_call *call, agw_side side)
{
    if (*call->reoffer_branch[side] != '\0')
        set_branch(&call->moot_branch[side], call->reoffer_branch[side]);
    set_reoffer_branch(call, side, NULL);
}

/* Before it is negotiated: the script may send it on although we refuse it, or it is our own, and
 * then the far end refuses it. An offer without to-tag is of no dialogue yet, but one more branch.
 * One behind the 183 of a re-INVITE is an UPDATE: the re-INVITE is not over, but what it asked for
 * is settled, and stands or is changed by the UPDATE (RFC 6141 section 3). */
static void note_reoffer(const run *r, agw_ng_call *call, agw_side side)
{
    const bool is_reoffer = call->clock.answered && !is_empty(r->flags.to_tag);
    if (call->reoffer_early[side] &&
        g_strcmp0(call->reoffer_branch[side], r->flags.via_branch) != 0)
        make_reoffer_moot(call, side);
    set_reoffer_branch(call, side, is_reoffer ? r->flags.via_branch : NULL);
}

static const char *label_of(const run *r)
{
    return r->flags.set_label != NULL ? r->flags.set_label : r->flags.label;
}

/* A branch that was told to be provisional may be the one that has the call. */
static void keep_answer(const run *r, agw_ng_call *call, agw_side side)
{
    const agw_answer_kind kind = r->flags.answer_kind;
    size_t len;
    if (!agw_session_open(call->session))
        agw_calls_forget_answers(call, other(side)); /* to an offer before this one */
    if (kind == AGW_ANSWER_FINAL)
        agw_calls_forget_answers(call, side);
    else if (!agw_session_open(call->session) &&
             (kind == AGW_ANSWER_PROVISIONAL ||
              agw_calls_kept_answer(call, side, r->flags.to_tag, &len) != NULL))
        agw_calls_keep_answer(call, side, r->flags.to_tag, r->sdp, r->sdp_len);
}

/* A provisional one may still be followed by a refusal. A final one while no offer was open is that
 * of an INVITE whose 183 was the answer. */
static void note_reoffer_answer(const run *r, agw_ng_call *call, agw_side offerer, bool was_open)
{
    const agw_answer_kind kind = r->flags.answer_kind;
    if (kind == AGW_ANSWER_PROVISIONAL) {
        call->reoffer_early[offerer] = true;
        return;
    }
    set_reoffer_branch(call, offerer, NULL);
    if (kind == AGW_ANSWER_FINAL && !was_open)
        set_branch(&call->moot_branch[offerer], NULL);
}

static void note_offer(run *r, agw_ng_call *call, agw_side side)
{
    agw_calls_forget_answer(call, side, r->flags.from_tag);
    agw_calls_claim(call, side, r->flags.from_tag, NULL);
    if (!is_empty(r->flags.to_tag))
        agw_calls_claim(call, other(side), r->flags.to_tag, r->flags.via_branch);
    else if (side == AGW_SIDE_A)
        agw_calls_branch(call, AGW_SIDE_B, r->flags.via_branch);
    agw_calls_set_label(call, side, label_of(r));
    agw_calls_set_notify(call, &r->flags, r->from);
    agw_acts_signalled(r->ctl, call, side, &r->flags);
    agw_calls_signalled(call, r->now);
    use_fragments(r);
}

static agw_doc *run_first_offer(run *r)
{
    agw_doc *reply = NULL;
    if (agw_passes_count(agw_calls_find(r->ctl->calls, r->flags.call_id)) >= AGW_PASSES_MAX)
        return agw_ng_error("Call loops through this gateway");
    agw_ng_call *call = start_call(r, &reply);
    if (call == NULL)
        return reply;
    const agw_err err = negotiate(r, call, AGW_SIDE_A, true, &reply);
    const bool looped = err == AGW_OK && agw_session_looped(call->session);
    if (err == AGW_OK && !looped) {
        note_offer(r, call, AGW_SIDE_A);
        return reply;
    }
    agw_calls_end(call, AGW_CALL_DELETED);
    return looped || err != AGW_ERR_LIMIT ? reply : as_refusal(r, reply);
}

static agw_doc *run_offer(run *r)
{
    const char *lacks = missing(r, true);
    if (lacks != NULL)
        return agw_ng_error(lacks);
    if (agw_flags_has(&r->flags, AGW_WORD_FRAGMENT))
        return run_fragment(r);
    agw_ng_call *call = find_for_offer(r);
    if (call == NULL)
        return run_first_offer(r);
    agw_side side;
    if (!offerer(r, call, &side))
        return agw_ng_error("Invalid dialogue association");
    note_reoffer(r, call, side);
    agw_doc *reply;
    if (negotiate(r, call, side, true, &reply) == AGW_OK && !agw_session_looped(call->session))
        note_offer(r, call, side);
    return reply;
}

/* Who answers: the party opposite from-tag, or the known to-tag. */
static bool answerer(const run *r, const agw_ng_call *call, agw_side *out)
{
    agw_side from, to;
    const bool has_from = agw_calls_side_of(call, r->flags.from_tag, &from);
    const bool has_to = agw_calls_side_of(call, r->flags.to_tag, &to);
    if ((!has_from && !has_to) || (has_from && has_to && from == to))
        return false;
    *out = has_from ? other(from) : to;
    return true;
}

/* An answer goes the way of its offer back. */
static agw_ng_call *pass_for_answer(const run *r, agw_ng_call *first, agw_side side)
{
    if (first->next_pass == NULL)
        return first;
    agw_ng_call *pass = agw_passes_of_sdp(first, side, r->sdp, r->sdp_len);
    return pass != NULL ? pass : agw_passes_last(first);
}

static agw_doc *run_answer(run *r)
{
    const char *lacks = missing(r, false);
    if (lacks != NULL)
        return agw_ng_error(lacks);
    if (agw_flags_has(&r->flags, AGW_WORD_FRAGMENT))
        return run_fragment(r);
    agw_ng_call *call = agw_calls_find(r->ctl->calls, r->flags.call_id);
    if (call == NULL)
        return agw_ng_error("Unknown call-id");
    agw_side side;
    if (!answerer(r, call, &side))
        return agw_ng_error("Invalid dialogue association");
    call = pass_for_answer(r, call, side);
    const bool was_open = agw_session_open(call->session);
    agw_doc *reply;
    const agw_err err = negotiate(r, call, side, false, &reply);
    if (err == AGW_ERR_LIMIT && !call->clock.answered)
        return as_refusal(r, reply);
    if (err != AGW_OK || agw_session_looped(call->session))
        return reply;
    const guint in_use = call->current[side];
    agw_calls_claim(call, side, r->flags.to_tag, r->flags.via_branch);
    if (agw_session_stood(call->session))
        call->current[side] = in_use; /* known, but not the one that is heard */
    keep_answer(r, call, side);
    agw_calls_claim(call, other(side), r->flags.from_tag, NULL);
    agw_calls_set_label(call, side, label_of(r));
    note_reoffer_answer(r, call, other(side), was_open);
    agw_calls_set_notify(call, &r->flags, r->from);
    agw_acts_signalled(r->ctl, call, side, &r->flags);
    agw_calls_signalled(call, r->now);
    use_fragments(r);
    return reply;
}

/* --- delete, query, list -----------------------------------------------------------------------
 */

static agw_doc *delete_unknown(const run *r)
{
    static const char *const TEXT = "Call-ID not found or tags didn't match";
    if (agw_flags_has(&r->flags, AGW_WORD_FATAL))
        return agw_ng_error(TEXT);
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "warning", TEXT);
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static bool has_branch(const run *r, char *const branches[2], agw_side *side)
{
    for (*side = AGW_SIDE_A; *side <= AGW_SIDE_B; (*side)++) {
        if (!is_empty(r->flags.via_branch) && strcmp(branches[*side], r->flags.via_branch) == 0)
            return true;
    }
    return false;
}

/* Whose re-offer is refused, if it is one. */
static bool is_refused_reoffer(const run *r, const agw_ng_call *call, agw_side *side)
{
    return call->clock.answered && has_branch(r, call->reoffer_branch, side);
}

/* Whose re-offer is refused when there is nothing to take back any more. */
static bool is_moot_reoffer(const run *r, const agw_ng_call *call, agw_side *side)
{
    return call->clock.answered && has_branch(r, call->moot_branch, side);
}

static bool tags_match(const run *r, const agw_ng_call *call)
{
    agw_side side;
    if (is_empty(r->flags.from_tag))
        return true;
    if (!agw_calls_side_of(call, r->flags.from_tag, &side))
        return false;
    /* a to-tag that never gave an SDP (a refusal, say) is unknown, and means the same call */
    return is_empty(r->flags.to_tag) || !call->clock.answered ||
           agw_calls_side_of(call, r->flags.to_tag, &side);
}

static agw_ns delete_delay(const run *r)
{
    return r->flags.delete_delay >= 0 ? AGW_S(r->flags.delete_delay) : r->ctl->config->delete_delay;
}

static agw_doc *run_delete(run *r)
{
    if (is_empty(r->flags.call_id))
        return agw_ng_error("No call-id in message");
    agw_ng_call *call = agw_calls_find(r->ctl->calls, r->flags.call_id);
    if (call == NULL || !tags_match(r, call))
        return delete_unknown(r);
    call = agw_passes_to_delete(call, r->flags.via_branch);
    agw_side side;
    if (is_refused_reoffer(r, call, &side)) {
        agw_session_rollback(call->session, side);
        set_reoffer_branch(call, side, NULL);
        agw_calls_signalled(call, r->now);
        return ok();
    }
    if (is_moot_reoffer(r, call, &side)) {
        set_branch(&call->moot_branch[side], NULL);
        agw_calls_signalled(call, r->now);
        return ok();
    }
    agw_doc *reply = agw_doc_new_dict();
    if (!agw_flags_has(&r->flags, AGW_WORD_FAST))
        agw_calls_describe(call, reply, r->now);
    agw_doc_set_str(reply, "result", "ok");
    if (agw_flags_has(&r->flags, AGW_WORD_DISCARD_RECORDING))
        agw_acts_discard_recording(r->ctl->gateway, call);
    if (is_empty(r->flags.from_tag) ||
        !agw_calls_drop_branch(call, r->flags.to_tag, r->flags.via_branch))
        agw_calls_end_after(call, r->now, delete_delay(r));
    return reply;
}

/* The later passes of a hairpin, each as if it were alone. */
static void describe_passes(const agw_ng_call *pass, agw_doc *reply, agw_ns now)
{
    agw_doc *list = agw_doc_set(reply, "passes", agw_doc_new_list());
    for (; pass != NULL; pass = pass->next_pass)
        agw_calls_describe(pass, agw_doc_add(list, agw_doc_new_dict()), now);
}

static agw_doc *run_query(run *r)
{
    if (is_empty(r->flags.call_id))
        return agw_ng_error("No call-id in message");
    agw_ng_call *call = agw_calls_find(r->ctl->calls, r->flags.call_id);
    if (call == NULL)
        return agw_ng_error("Unknown call-id");
    for (agw_ng_call *pass = call; pass != NULL; pass = pass->next_pass)
        agw_calls_known(pass);
    agw_doc *reply = agw_doc_new_dict();
    agw_calls_describe(call, reply, r->now);
    if (call->next_pass != NULL)
        describe_passes(call->next_pass, reply, r->now);
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static agw_doc *run_list(run *r)
{
    int64_t limit = LIST_LIMIT;
    if (agw_doc_int(r->request, "limit", &limit) && limit <= 0)
        return agw_ng_error("invalid limit, must be >= 0");
    agw_doc *reply = agw_doc_new_dict();
    agw_doc *list = agw_doc_set(reply, "calls", agw_doc_new_list());
    GPtrArray *ids = agw_calls_list(r->ctl->calls, (size_t)MIN(limit, LIST_LIMIT_MAX));
    for (guint i = 0; i < ids->len; i++)
        agw_doc_add_str(list, g_ptr_array_index(ids, i));
    g_ptr_array_free(ids, TRUE);
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static agw_doc *run_statistics(run *r)
{
    agw_doc *reply = agw_doc_new_dict();
    const agw_stats_parts parts = {.memory = agw_flags_has(&r->flags, AGW_WORD_MEMORY),
                                   .histograms = agw_flags_has(&r->flags, AGW_WORD_HISTOGRAMS)};
    agw_doc_set(reply, "statistics", agw_stats_doc(r->ctl, r->now, parts));
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static agw_doc *run_ack(run *r)
{
    int64_t seq = 0;
    if (!agw_doc_int(r->request, "seq", &seq) || seq <= 0)
        return agw_ng_error("No seq in message");
    if (!agw_events_ack(r->ctl->events, agw_doc_str(r->request, "gateway"), (uint64_t)seq))
        return agw_ng_error("Event of another gateway");
    return ok();
}

static agw_doc *run_ping(run *r)
{
    (void)r;
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "pong");
    return reply;
}

static agw_doc *run_capabilities(run *r)
{
    const char *names[AGW_COMMAND_KINDS];
    for (size_t i = 0; i < AGW_COMMAND_KINDS; i++)
        names[i] = agw_command_name(i);
    agw_doc *reply = agw_doc_new_dict();
    agw_capabilities_describe(reply, r->ctl->config, names, AGW_COMMAND_KINDS);
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

/* --- media: control/media_acts.c ---------------------------------------------------------------
 */

static agw_doc *run_block_media(run *r)
{
    return agw_acts_block(r->ctl->calls, &r->flags, AGW_ACT_BLOCK, true);
}

static agw_doc *run_unblock_media(run *r)
{
    return agw_acts_block(r->ctl->calls, &r->flags, AGW_ACT_BLOCK, false);
}

static agw_doc *run_block_dtmf(run *r)
{
    return agw_acts_block_dtmf(r->ctl->calls, &r->flags, r->request, true);
}

static agw_doc *run_unblock_dtmf(run *r)
{
    return agw_acts_block_dtmf(r->ctl->calls, &r->flags, r->request, false);
}

static agw_doc *run_play_dtmf(run *r)
{
    return agw_acts_play_dtmf(r->ctl, &r->flags, r->request);
}

static agw_doc *run_silence_media(run *r)
{
    return agw_acts_block(r->ctl->calls, &r->flags, AGW_ACT_SILENCE, true);
}

static agw_doc *run_unsilence_media(run *r)
{
    return agw_acts_block(r->ctl->calls, &r->flags, AGW_ACT_SILENCE, false);
}

static agw_doc *run_play_media(run *r)
{
    return agw_acts_play_media(r->ctl, &r->flags, r->request);
}

static agw_doc *run_stop_media(run *r)
{
    return agw_acts_stop_media(r->ctl, &r->flags);
}

static agw_doc *run_start_recording(run *r)
{
    return agw_acts_start_recording(r->ctl, &r->flags);
}

static agw_doc *run_stop_recording(run *r)
{
    return agw_acts_stop_recording(r->ctl, &r->flags);
}

static agw_doc *run_pause_recording(run *r)
{
    return agw_acts_pause_recording(r->ctl, &r->flags);
}

/* --- dispatch ----------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    handler *run;
} COMMANDS[AGW_COMMAND_KINDS] = {
    {"ping", run_ping},
    {"offer", run_offer},
    {"answer", run_answer},
    {"delete", run_delete},
    {"query", run_query},
    {"list", run_list},
    {"statistics", run_statistics},
    {"ack", run_ack},
    {"capabilities", run_capabilities},
    {"block media", run_block_media},
    {"unblock media", run_unblock_media},
    {"block DTMF", run_block_dtmf},
    {"unblock DTMF", run_unblock_dtmf},
    {"play DTMF", run_play_dtmf},
    {"silence media", run_silence_media},
    {"unsilence media", run_unsilence_media},
    {"play media", run_play_media},
    {"stop media", run_stop_media},
    {"start recording", run_start_recording},
    {"stop recording", run_stop_recording},
    {"pause recording", run_pause_recording},
};

const char *agw_command_name(size_t kind)
{
    AGW_ASSERT(kind < AGW_COMMAND_KINDS);
    return COMMANDS[kind].name;
}

static agw_doc *dispatch(run *r)
{
    const char *name = agw_doc_str(r->request, "command");
    if (name == NULL)
        return agw_ng_error("Dictionary contains no key \"command\"");
    for (size_t i = 0; i < AGW_COMMAND_KINDS; i++) {
        if (strcmp(COMMANDS[i].name, name) != 0)
            continue;
        r->ctl->requests[i]++;
        return COMMANDS[i].run(r);
    }
    return agw_ng_error("Unrecognized command");
}

/* Any command about a call may make it urgent, and priority=0 an ordinary one again (TS 23.334
 * section 5.14). */
static void note_urgency(const run *r)
{
    agw_ng_call *pass = NULL;
    if ((is_urgent(r) || r->flags.priority == 0) && !is_empty(r->flags.call_id))
        pass = agw_calls_find(r->ctl->calls, r->flags.call_id);
    for (agw_ng_call *next; pass != NULL; pass = next) {
        next = pass->next_pass;
        agw_calls_set_urgent(pass, is_urgent(r), r->now);
    }
}

/* The branch with that tag, which is not the one that is heard, has the call: what it has answered
 * last is taken as if it came with the 2xx. An offer that another branch has, or has made, is given
 * up; its refusal may still come. */
static void accept_branch(const run *r, agw_ng_call *call, agw_side side, const char *tag)
{
    run again = *r;
    again.sdp = agw_calls_kept_answer(call, side, tag, &again.sdp_len);
    if (again.sdp == NULL)
        return;
    for (int by = AGW_SIDE_A; by <= AGW_SIDE_B && agw_session_open(call->session); by++) {
        agw_session_rollback(call->session, (agw_side)by);
        make_reoffer_moot(call, (agw_side)by);
    }
    again.flags.via_branch = agw_calls_via_branch(call, side, tag); /* not that of a query */
    agw_doc *reply;
    if (negotiate(&again, call, side, false, &reply) == AGW_OK && !agw_session_stood(call->session))
        agw_calls_claim(call, side, tag, NULL);
    agw_doc_free(reply);
}

static void accept_pass(const run *r, agw_ng_call *call)
{
    const char *tags[2] = {NULL, NULL}, *given[2] = {r->flags.from_tag, r->flags.to_tag};
    agw_side side;
    for (size_t i = 0; i < 2; i++) {
        if (agw_calls_side_of(call, given[i], &side))
            tags[side] = given[i];
    }
    if (tags[AGW_SIDE_A] == NULL || tags[AGW_SIDE_B] == NULL)
        return;
    agw_log(AGW_LOG_DEBUG, call->call_id, "accepted without SDP");
    for (side = AGW_SIDE_A; side <= AGW_SIDE_B; side++) {
        if (strcmp(agw_calls_tag(call, side), tags[side]) != 0)
            accept_branch(r, call, side, tags[side]);
    }
    for (side = AGW_SIDE_A; side <= AGW_SIDE_B; side++) {
        if (strcmp(agw_calls_tag(call, side), tags[side]) != 0)
            return; /* nothing is known of it but its tag */
    }
    agw_session_accept(call->session);
    for (side = AGW_SIDE_A; side <= AGW_SIDE_B && !agw_session_open(call->session); side++) {
        set_reoffer_branch(call, side, NULL);
        agw_calls_forget_answers(call, side);
    }
}

/* A 2xx without SDP, behind a reliable 183 (RFC 3262), comes with any command; its tags in the
 * order of an answer or, as Kamailio has it for the others, swapped. */
static void note_acceptance(const run *r)
{
    const agw_flags *flags = &r->flags;
    agw_ng_call *pass = NULL;
    if (flags->answer_kind == AGW_ANSWER_FINAL && r->sdp == NULL && !is_empty(flags->call_id) &&
        !is_empty(flags->from_tag) && !is_empty(flags->to_tag))
        pass = agw_calls_find(r->ctl->calls, flags->call_id);
    for (; pass != NULL; pass = pass->next_pass)
        accept_pass(r, pass);
}

agw_doc *agw_command_run(agw_control *ctl, const agw_doc *request, const agw_addr *from, agw_ns now)
{
    run r = {.ctl = ctl, .request = request, .from = from, .now = now};
    agw_flags_init(&r.flags);
    agw_flags_parse(&r.flags, request);
    note_unknown(ctl, &r.flags);
    agw_doc *reply = dispatch(&r);
    note_urgency(&r);
    note_acceptance(&r);
    const char *result = agw_doc_str(reply, "result");
    char text[AGW_ADDR_TEXT];
    agw_log(AGW_LOG_DEBUG, r.flags.call_id, "ng %.32s from %s: %s",
            agw_doc_str(request, "command") != NULL ? agw_doc_str(request, "command") : "?",
            from != NULL ? agw_log_addr(from, text) : "ourselves", result);
    if (strcmp(result, "error") == 0)
        ctl->errors++;
    agw_flags_fini(&r.flags);
    return reply;
}
