/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/calls.h"

#include "base/map.h"
#include "base/rand.h"
#include "base/secret.h"
#include "control/media_acts.h"
#include "control/play_acts.h"

#include <string.h>

enum {
    PEERS_MAX = 64, /* addresses that wait for the answer which may name them */
    /* Tones in place of telephone events: what is a digit to every receiver (Q.24). */
    TONE_MIN_MS = 40,
    TONE_MAX_MS = 5000,
    TONE_PAUSE_MS = 40,
};

struct agw_calls {
    const agw_config *config;
    agw_gateway *gateway;
    agw_events *events;
    GHashTable *by_id; /* call_key -> agw_ng_call */
    GQueue order;
    agw_timerq timers;
    agw_rand_stock random;
    uint8_t seed[16]; /* call-ids are strangers' choice: they must not aim at one bucket */
    size_t counted;
    uint64_t started;
    uint64_t ended[AGW_CALL_ENDS];
    agw_quality_counts quality;
};

typedef struct call_key {
    uint64_t hash;
    const char *call_id;
} call_key;

/* --- when a call ends --------------------------------------------------------------------------
 */

const char *agw_call_end_text(agw_call_end end)
{
    static const char *const TEXTS[] = {"lives",     "deleted",      "inactivity", "silent",
                                        "no-answer", "consent-lost", "heartbeat",  "final-timeout"};
    AGW_ASSERT(end < AGW_CALL_ENDS);
    return TEXTS[end];
}

static agw_ns later(agw_ns a, agw_ns b)
{
    return a > b ? a : b;
}

static agw_ns after(agw_ns at, agw_ns length)
{
    return at == AGW_NEVER || length > AGW_NEVER - at ? AGW_NEVER : at + length;
}

static agw_call_end media_end(const agw_call_clock *c, const agw_config *config, agw_ns *at)
{
    if (!c->answered) {
        *at = after(c->signalled_at, config->offer_timeout);
        return AGW_CALL_UNANSWERED;
    }
    const agw_ns alive_at = later(c->signalled_at, c->media_at);
    *at = after(alive_at, c->held ? config->silent_timeout : config->timeout);
    return c->held ? AGW_CALL_SILENT : AGW_CALL_INACTIVE;
}

/* What no call outlives. */
static agw_call_end limit_end(const agw_call_clock *c, const agw_config *config, agw_ns *at)
{
    const agw_ns oldest =
        config->final_timeout > 0 ? after(c->started_at, config->final_timeout) : AGW_NEVER;
    *at = agw_earlier(oldest, c->hung_at);
    if (c->protected && *at != AGW_NEVER)
        *at = later(*at, after(later(c->signalled_at, c->media_at), config->timeout));
    return oldest <= c->hung_at ? AGW_CALL_TOO_OLD : AGW_CALL_HUNG;
}

agw_call_end agw_call_decide(const agw_call_clock *c, const agw_config *config, agw_ns now,
                             agw_ns *deadline)
{
    if (c->delete_at != AGW_NEVER) {
        *deadline = c->delete_at;
        return now >= c->delete_at ? AGW_CALL_DELETED : AGW_CALL_LIVES;
    }
    const agw_call_end limit = limit_end(c, config, deadline);
    if (now >= *deadline)
        return limit;
    if (c->protected)
        return AGW_CALL_LIVES;
    const agw_ns consent_end = after(c->consent_lost_at, config->consent_grace);
    agw_ns end;
    const agw_call_end media = media_end(c, config, &end);
    *deadline = agw_earlier(*deadline, agw_earlier(consent_end, end));
    if (now >= consent_end)
        return AGW_CALL_NO_CONSENT;
    return now >= end ? media : AGW_CALL_LIVES;
}

/* --- the registry ------------------------------------------------------------------------------
 */

static guint key_hash(gconstpointer key)
{
    return (guint)((const call_key *)key)->hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const call_key *x = a, *y = b;
    return x->hash == y->hash && strcmp(x->call_id, y->call_id) == 0;
}

static call_key make_key(const agw_calls *calls, const char *call_id)
{
    return (call_key){agw_siphash(calls->seed, call_id, strlen(call_id)), call_id};
}

agw_calls *agw_calls_new(const agw_config *config, agw_gateway *gateway, agw_events *events)
{
    agw_calls *calls = g_new0(agw_calls, 1);
    calls->config = config;
    calls->gateway = gateway;
    calls->events = events;
    calls->by_id = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    g_queue_init(&calls->order);
    agw_timerq_init(&calls->timers);
    agw_rand_bytes(calls->seed, sizeof calls->seed);
    return calls;
}

void agw_calls_free(agw_calls *calls)
{
    if (calls == NULL)
        return;
    for (agw_ng_call *call; (call = g_queue_peek_head(&calls->order)) != NULL;)
        agw_calls_end(call, AGW_CALL_DELETED);
    g_hash_table_destroy(calls->by_id);
    agw_timerq_fini(&calls->timers);
    agw_secret_wipe(&calls->random, sizeof calls->random);
    g_free(calls);
}

size_t agw_calls_count(const agw_calls *calls)
{
    return calls->counted;
}

agw_ng_call *agw_calls_find(const agw_calls *calls, const char *call_id)
{
    const call_key key = make_key(calls, call_id);
    return g_hash_table_lookup(calls->by_id, &key);
}

GPtrArray *agw_calls_list(const agw_calls *calls, size_t limit)
{
    GPtrArray *out = g_ptr_array_new();
    for (const GList *l = calls->order.head; l != NULL && out->len < limit; l = l->next) {
        const agw_ng_call *call = l->data;
        if (agw_calls_find(calls, call->call_id) == call)
            g_ptr_array_add(out, call->call_id);
    }
    return out;
}

const uint64_t *agw_calls_ended(const agw_calls *calls)
{
    return calls->ended;
}

agw_quality_counts *agw_calls_quality(agw_calls *calls)
{
    return &calls->quality;
}

uint64_t agw_calls_started(const agw_calls *calls)
{
    return calls->started;
}

static void set_counted(agw_ng_call *call, bool counted)
{
    agw_calls *calls = call->calls;
    if (counted == call->counted)
        return;
    call->counted = counted;
    calls->counted = counted ? calls->counted + 1 : calls->counted - 1;
}

static void forget_answer(agw_party_tag *tag)
{
    if (tag->answer != NULL)
        agw_secret_wipe(tag->answer, tag->answer_len); /* it holds an ICE password */
    g_clear_pointer(&tag->answer, g_free);
}

static void clear_tag(void *data)
{
    agw_party_tag *tag = data;
    forget_answer(tag);
    g_free(tag->tag);
    g_free(tag->via_branch);
}

static void add_tag(agw_ng_call *call, agw_side side, const char *tag, const char *via_branch)
{
    const agw_party_tag added = {.tag = g_strdup(tag),
                                 .via_branch = g_strdup(via_branch != NULL ? via_branch : ""),
                                 .created_us = agw_clock_wall_us()};
    g_array_append_val(call->tags[side], added);
}

static agw_ng_call *call_alloc(agw_calls *calls, const char *call_id)
{
    agw_ng_call *call = g_new0(agw_ng_call, 1);
    call->calls = calls;
    call->call_id = g_strdup(call_id);
    call->notify.events = g_strdup("");
    call->notify.target = g_strdup("");
    call->notify.rpc_url = g_strdup("");
    call->transports = g_array_new(FALSE, FALSE, sizeof(agw_transport_view));
    for (int side = 0; side < 2; side++) {
        call->tags[side] = g_array_new(FALSE, FALSE, sizeof(agw_party_tag));
        g_array_set_clear_func(call->tags[side], clear_tag);
        call->label[side] = g_strdup("");
        call->reoffer_branch[side] = g_strdup("");
        call->moot_branch[side] = g_strdup("");
    }
    call->timer.owner = call;
    call->link.data = call;
    return call;
}

static void call_release(agw_ng_call *call)
{
    agw_session_free(call->session);
    if (call->ref != NULL)
        agw_gateway_call_free(call->calls->gateway, call->ref);
    for (int side = 0; side < 2; side++) {
        g_array_free(call->tags[side], TRUE);
        g_free(call->label[side]);
        g_free(call->reoffer_branch[side]);
        g_free(call->moot_branch[side]);
    }
    g_array_free(call->transports, TRUE);
    g_clear_pointer(&call->peers, g_array_unref);
    agw_calls_watch_fini(call);
    g_free(call->notify.events);
    g_free(call->notify.target);
    g_free(call->notify.rpc_url);
    g_free(call->call_id);
    g_free(call);
}

static void call_start_clock(agw_ng_call *call, agw_ns now)
{
    call->clock = (agw_call_clock){.started_at = now,
                                   .signalled_at = now,
                                   .delete_at = AGW_NEVER,
                                   .consent_lost_at = AGW_NEVER,
                                   .hung_at = AGW_NEVER};
    call->notify.inactivity = call->calls->config->inactivity;
    call->notify.heartbeat = call->calls->config->heartbeat;
    call->watch.heartbeat_at = call->watch.quality_at = AGW_NEVER;
    call->created_us = call->signalled_us = agw_clock_wall_us();
}

static void enter_id(agw_calls *calls, agw_ng_call *call)
{
    call_key *key = g_new(call_key, 1);
    *key = make_key(calls, call->call_id);
    g_hash_table_insert(calls->by_id, key, call);
}

static void enter(agw_calls *calls, agw_ng_call *call)
{
    agw_ng_call *last = agw_calls_find(calls, call->call_id);
    while (last != NULL && last->next_pass != NULL)
        last = last->next_pass;
    if (last != NULL)
        last->next_pass = call;
    else
        enter_id(calls, call);
}

static void leave(agw_calls *calls, agw_ng_call *call)
{
    agw_ng_call *before = agw_calls_find(calls, call->call_id);
    if (before == call) {
        const call_key key = make_key(calls, call->call_id);
        g_hash_table_remove(calls->by_id, &key); /* the key's text is the call's */
        if (call->next_pass != NULL)
            enter_id(calls, call->next_pass);
        return;
    }
    while (before->next_pass != call)
        before = before->next_pass;
    before->next_pass = call->next_pass;
}

agw_err agw_calls_start(agw_calls *calls, const char *call_id, const char *from_tag,
                        const char *via_branch, agw_ns now, agw_ng_call **out)
{
    agw_ng_call *call = call_alloc(calls, call_id);
    const agw_err err = agw_gateway_call_new(calls->gateway, call_id, call, &call->ref);
    if (err != AGW_OK) {
        call_release(call);
        return err;
    }
    uint8_t seed[16];
    agw_rand_draw(&calls->random, seed, sizeof seed);
    call->session = agw_session_new(calls->config, calls->gateway, call->ref, seed);
    call_start_clock(call, now);
    add_tag(call, AGW_SIDE_A, from_tag, NULL);
    add_tag(call, AGW_SIDE_B, "", via_branch);
    enter(calls, call);
    g_queue_push_tail_link(&calls->order, &call->link);
    set_counted(call, true);
    calls->started++;
    agw_log(AGW_LOG_INFO, call_id, "call starts, %zu in all", calls->counted);
    *out = call;
    return AGW_OK;
}

void agw_calls_end(agw_ng_call *call, agw_call_end why)
{
    agw_calls *calls = call->calls;
    agw_log(AGW_LOG_INFO, call->call_id, "call ends: %s", agw_call_end_text(why));
    calls->ended[why]++;
    set_counted(call, false);
    agw_timerq_cancel(&calls->timers, &call->timer);
    leave(calls, call);
    if (agw_calls_find(calls, call->call_id) == NULL)
        agw_events_end_call(calls->events, call->call_id);
    g_queue_unlink(&calls->order, &call->link);
    call_release(call);
}

/* --- parties -----------------------------------------------------------------------------------
 */

enum { BRANCHES_MAX = 64 }; /* tags of one side */

static agw_party_tag *tag_at(const agw_ng_call *call, agw_side side, guint i)
{
    return &g_array_index(call->tags[side], agw_party_tag, i);
}

bool agw_calls_side_of(const agw_ng_call *call, const char *tag, agw_side *out)
{
    for (int side = 0; side < 2; side++) {
        for (guint i = 0; i < call->tags[side]->len; i++) {
            const char *known = tag_at(call, (agw_side)side, i)->tag;
            if (*known != '\0' && strcmp(known, tag) == 0) {
                *out = (agw_side)side;
                return true;
            }
        }
    }
    return false;
}

const char *agw_calls_tag(const agw_ng_call *call, agw_side side)
{
    return tag_at(call, side, call->current[side])->tag;
}

static bool same_branch(const agw_party_tag *tag, const char *via_branch)
{
    return via_branch != NULL && *via_branch != '\0' && strcmp(tag->via_branch, via_branch) == 0;
}

/* The place of a branch without tag: the one with via_branch, else the first; -1 = none. */
static int unnamed_branch(const agw_ng_call *call, agw_side side, const char *via_branch)
{
    int found = -1;
    for (guint i = call->tags[side]->len; i-- > 0;) {
        const agw_party_tag *tag = tag_at(call, side, i);
        if (*tag->tag != '\0')
            continue;
        found = (int)i;
        if (same_branch(tag, via_branch))
            return found;
    }
    return found;
}

static int known_tag(const agw_ng_call *call, agw_side side, const char *tag)
{
    for (guint i = 0; i < call->tags[side]->len; i++) {
        if (strcmp(tag_at(call, side, i)->tag, tag) == 0)
            return (int)i;
    }
    return -1;
}

void agw_calls_claim(agw_ng_call *call, agw_side side, const char *tag, const char *via_branch)
{
    int at = known_tag(call, side, tag);
    if (at < 0) {
        at = unnamed_branch(call, side, via_branch);
        if (at < 0) {
            if (call->tags[side]->len >= BRANCHES_MAX)
                g_array_remove_index(call->tags[side], 1); /* the oldest but the call's first */
            add_tag(call, side, tag, via_branch);
            at = (int)call->tags[side]->len - 1;
        } else {
            agw_party_tag *branch = tag_at(call, side, (guint)at);
            g_free(branch->tag);
            branch->tag = g_strdup(tag);
        }
    }
    call->current[side] = (guint)at;
}

void agw_calls_branch(agw_ng_call *call, agw_side side, const char *via_branch)
{
    GArray *tags = call->tags[side];
    if (via_branch == NULL || *via_branch == '\0' || tags->len >= BRANCHES_MAX)
        return;
    for (guint i = 0; i < tags->len; i++) {
        if (same_branch(tag_at(call, side, i), via_branch))
            return;
    }
    add_tag(call, side, "", via_branch);
}

bool agw_calls_drop_branch(agw_ng_call *call, const char *tag, const char *via_branch)
{
    GArray *tags = call->tags[AGW_SIDE_B];
    if (tags->len < 2)
        return false;
    for (guint i = 0; i < tags->len; i++) {
        const agw_party_tag *known = tag_at(call, AGW_SIDE_B, i);
        const bool named = tag != NULL && *tag != '\0' && strcmp(known->tag, tag) == 0;
        if (!named && !same_branch(known, via_branch))
            continue;
        g_array_remove_index(tags, i);
        guint *current = &call->current[AGW_SIDE_B];
        if (*current > i || *current == tags->len)
            (*current)--;
        return true;
    }
    return false;
}

void agw_calls_keep_answer(agw_ng_call *call, agw_side side, const char *tag, const char *sdp,
                           size_t len)
{
    const int at = known_tag(call, side, tag);
    if (at < 0)
        return;
    agw_party_tag *branch = tag_at(call, side, (guint)at);
    forget_answer(branch);
    branch->answer = g_memdup2(sdp, len);
    branch->answer_len = len;
}

const char *agw_calls_kept_answer(const agw_ng_call *call, agw_side side, const char *tag,
                                  size_t *len)
{
    const int at = known_tag(call, side, tag);
    if (at < 0)
        return NULL;
    *len = tag_at(call, side, (guint)at)->answer_len;
    return tag_at(call, side, (guint)at)->answer;
}

const char *agw_calls_via_branch(const agw_ng_call *call, agw_side side, const char *tag)
{
    const int at = known_tag(call, side, tag);
    return at < 0 ? "" : tag_at(call, side, (guint)at)->via_branch;
}

void agw_calls_forget_answer(agw_ng_call *call, agw_side side, const char *tag)
{
    const int at = known_tag(call, side, tag);
    if (at >= 0)
        forget_answer(tag_at(call, side, (guint)at));
}

void agw_calls_forget_answers(agw_ng_call *call, agw_side side)
{
    for (guint i = 0; i < call->tags[side]->len; i++)
        forget_answer(tag_at(call, side, i));
}

void agw_calls_set_label(agw_ng_call *call, agw_side side, const char *label)
{
    if (label == NULL || strcmp(call->label[side], label) == 0)
        return;
    g_free(call->label[side]);
    call->label[side] = g_strdup(label);
}

/* --- clocks ------------------------------------------------------------------------------------
 */

static agw_ns traffic_at(const agw_traffic *traffic)
{
    return (agw_ns)agw_counter_get(&traffic->last_at);
}

/* A party that is on hold may be silent, and the one that holds it may have no music: only where
 * both may send does silence tell of a dead call. */
static bool any_both_ways(const agw_ng_call *call)
{
    const size_t n = agw_session_n_medias(call->session);
    for (size_t i = 0; i < n; i++) {
        agw_media_view view;
        agw_session_media(call->session, AGW_SIDE_A, i, &view);
        if (view.live && view.may_send && view.may_receive)
            return true;
    }
    return false;
}

static agw_ns last_media(const agw_ng_call *call)
{
    agw_ns at = 0;
    const size_t n = agw_session_n_medias(call->session);
    for (size_t i = 0; i < n; i++) {
        agw_media_view view;
        agw_session_media(call->session, AGW_SIDE_A, i, &view);
        if (!view.live)
            continue;
        const agw_media_stats *stats = agw_gateway_media_stats(call->ref, view.media_id);
        for (int side = 0; side < 2; side++) {
            at = later(at, traffic_at(&stats->end[side].rtp_in));
            at = later(at, traffic_at(&stats->end[side].rtcp_in));
        }
    }
    return at;
}

/* The first media on that transport, for the signalling node. */
static bool media_of(const agw_ng_call *call, uint32_t transport_id, agw_media_view *out)
{
    const size_t n = agw_session_n_medias(call->session);
    for (size_t i = 0; i < n; i++) {
        for (int side = 0; side < 2; side++) {
            agw_session_media(call->session, (agw_side)side, i, out);
            if (out->live && out->transport_id == transport_id)
                return true;
        }
    }
    return false;
}

/* A transport that no media uses any more cannot end the call. */
static agw_ns earliest_loss(const agw_ng_call *call)
{
    agw_ns at = AGW_NEVER;
    for (guint i = 0; i < call->transports->len; i++) {
        const agw_transport_view *view = &g_array_index(call->transports, agw_transport_view, i);
        agw_media_view media;
        if (view->consent_lost_at < at && media_of(call, view->id, &media))
            at = view->consent_lost_at;
    }
    return at;
}

/* Whether the event's name begins with one of the words of notify. */
static bool is_wanted(const agw_call_notify *notify, const char *event)
{
    bool wanted = *notify->events == '\0' || strcmp(event, "call-ended") == 0;
    char **words = g_strsplit(notify->events, " ", -1);
    for (size_t i = 0; words[i] != NULL && !wanted; i++)
        wanted = *words[i] != '\0' && g_str_has_prefix(event, words[i]);
    g_strfreev(words);
    return wanted;
}

uint64_t agw_calls_tell(agw_ng_call *call, agw_notice notice)
{
    notice.call_id = call->call_id;
    notice.from_tag = agw_calls_tag(call, AGW_SIDE_A);
    notice.to_tag = agw_calls_tag(call, AGW_SIDE_B);
    notice.target = call->notify.target;
    return agw_events_send(call->calls->events, &notice, agw_clock_wall_us());
}

/* rtpengine's b2b-url. */
static void terminate(const agw_ng_call *call)
{
    const agw_call_notify *n = &call->notify;
    const agw_rpc_dialog dialog = {call->call_id, agw_calls_tag(call, AGW_SIDE_A),
                                   agw_calls_tag(call, AGW_SIDE_B)};
    if (*n->rpc_url != '\0')
        agw_events_terminate(call->calls->events, n->rpc_url,
                             (agw_rpc_form)call->calls->config->xmlrpc_format, &dialog);
}

/* The node is asked to end its dialogue once: a second time hurts (rtpengine issue 914). */
static void notify(agw_ng_call *call, agw_notice notice)
{
    notice.terminate = notice.terminate && !call->told_end;
    if (notice.terminate)
        terminate(call);
    call->told_end = call->told_end || notice.terminate;
    if (notice.terminate || is_wanted(&call->notify, notice.event))
        (void)agw_calls_tell(call, notice);
}

static void end_with_notice(agw_ng_call *call, agw_call_end why)
{
    if (why != AGW_CALL_DELETED)
        notify(call, (agw_notice){.event = "call-ended",
                                  .reason = agw_call_end_text(why),
                                  .last = true,
                                  .terminate = true});
    agw_calls_end(call, why);
}

agw_events *agw_calls_events(const agw_calls *calls)
{
    return calls->events;
}

const agw_config *agw_calls_config(const agw_calls *calls)
{
    return calls->config;
}

/* Decides anew; false: the call has ended. */
static bool update(agw_ng_call *call, agw_ns now)
{
    agw_ns deadline;
    const agw_ns look_at = agw_earlier(agw_calls_watch(call, now), agw_acts_watch(call, now));
    agw_call_end why = agw_call_decide(&call->clock, call->calls->config, now, &deadline);
    if (why != AGW_CALL_LIVES && why != AGW_CALL_DELETED) {
        call->clock.media_at = last_media(call); /* read only when it matters */
        why = agw_call_decide(&call->clock, call->calls->config, now, &deadline);
    }
    if (why != AGW_CALL_LIVES) {
        end_with_notice(call, why);
        return false;
    }
    agw_timerq_set(&call->calls->timers, &call->timer, agw_earlier(deadline, look_at));
    return true;
}

static void judge_peers(agw_ng_call *call);

void agw_calls_signalled(agw_ng_call *call, agw_ns now)
{
    call->clock.signalled_at = now;
    call->clock.delete_at = AGW_NEVER;
    call->clock.answered = agw_session_established(call->session);
    call->clock.held = !any_both_ways(call);
    call->clock.consent_lost_at = earliest_loss(call);
    call->signalled_us = agw_clock_wall_us();
    agw_calls_watch_signalled(call, now);
    judge_peers(call);
    set_counted(call, true);
    (void)update(call, now);
}

void agw_calls_set_urgent(agw_ng_call *call, bool urgent, agw_ns now)
{
    if (urgent == call->clock.protected)
        return;
    call->clock.protected = urgent;
    call->clock.signalled_at = now;
    agw_log(AGW_LOG_INFO, call->call_id, "the call is %s now",
            urgent ? "urgent" : "an ordinary one");
    agw_session_set_urgent(call->session, urgent);
    (void)update(call, now);
}

void agw_calls_end_after(agw_ng_call *call, agw_ns now, agw_ns delay)
{
    call->clock.delete_at = after(now, delay);
    set_counted(call, false);
    (void)update(call, now);
}

agw_ns agw_calls_deadline(const agw_calls *calls)
{
    return agw_timerq_next(&calls->timers);
}

void agw_calls_on_deadline(agw_calls *calls, agw_ns now)
{
    for (const agw_timer *t; (t = agw_timerq_pop(&calls->timers, now)) != NULL;)
        (void)update(t->owner, now);
}

/* --- what transports report --------------------------------------------------------------------
 */

const char *agw_ice_view_text(agw_ice_view view)
{
    static const char *const TEXTS[] = {"new", "connected", "failed", "consent-lost"};
    return TEXTS[view];
}

const char *agw_dtls_view_text(agw_dtls_view view)
{
    static const char *const TEXTS[] = {"new", "established", "failed", "closed"};
    return TEXTS[view];
}

enum { TRANSPORTS_SPARE = 16 };

/* Those that no media uses may be of an offer still open; only so many of them are kept. */
static void forget_unused(agw_ng_call *call)
{
    GArray *views = call->transports;
    agw_media_view media;
    if (views->len < 2 * agw_session_n_medias(call->session) + TRANSPORTS_SPARE)
        return;
    guint i = 0;
    while (media_of(call, g_array_index(views, agw_transport_view, i).id, &media))
        i++; /* each side of a media uses one, so this ends before the last */
    g_array_remove_index(views, i);
}

static agw_transport_view *transport_view(agw_ng_call *call, uint32_t id)
{
    for (guint i = 0; i < call->transports->len; i++) {
        agw_transport_view *view = &g_array_index(call->transports, agw_transport_view, i);
        if (view->id == id)
            return view;
    }
    forget_unused(call);
    const agw_transport_view fresh = {.id = id, .consent_lost_at = AGW_NEVER};
    g_array_append_val(call->transports, fresh);
    return &g_array_index(call->transports, agw_transport_view, call->transports->len - 1);
}

static void set_pair(agw_transport_view *view, const agw_event *event)
{
    view->controlling = event->controlling;
    view->tcp = event->tcp;
    if (agw_addr_is_set(&event->local))
        view->local = event->local;
    if (agw_addr_is_set(&event->remote))
        view->remote = event->remote;
}

static void set_dtls(agw_transport_view *view, agw_dtls_view state, const char *detail)
{
    view->dtls = state;
    g_strlcpy(view->dtls_detail, detail, sizeof view->dtls_detail);
}

static void consent_stands(agw_transport_view *view)
{
    view->ice = AGW_ICE_VIEW_CONNECTED;
    view->consent_lost_at = AGW_NEVER;
}

static void take(agw_transport_view *view, const agw_event *event)
{
    switch (event->kind) {
    case AGW_EVENT_ICE_CONNECTED:
    case AGW_EVENT_CONSENT_BACK:
        consent_stands(view);
        set_pair(view, event);
        return;
    case AGW_EVENT_ICE_SELECTED:
    case AGW_EVENT_LATCHED:
        set_pair(view, event);
        return;
    case AGW_EVENT_ICE_FAILED:
        view->ice = AGW_ICE_VIEW_FAILED;
        return;
    case AGW_EVENT_CONSENT_LOST:
        view->ice = AGW_ICE_VIEW_CONSENT_LOST;
        if (view->consent_lost_at == AGW_NEVER)
            view->consent_lost_at = event->at;
        return;
    case AGW_EVENT_DTLS_ESTABLISHED:
        set_dtls(view, AGW_DTLS_VIEW_ESTABLISHED, event->detail);
        return;
    case AGW_EVENT_DTLS_FAILED:
        set_dtls(view, AGW_DTLS_VIEW_FAILED, event->detail);
        return;
    case AGW_EVENT_DTLS_CLOSED:
        view->dtls = AGW_DTLS_VIEW_CLOSED;
        return;
    case AGW_EVENT_ICE_PEER:
    case AGW_EVENT_BEARER_REFUSED:
    case AGW_EVENT_DTMF:
    case AGW_EVENT_RECORDING_STARTED:
    case AGW_EVENT_RECORDING_ENDED:
    case AGW_EVENT_RECORDING_FAILED:
        return;
    }
}

static bool is_trouble(agw_event_kind kind)
{
    return kind == AGW_EVENT_ICE_FAILED || kind == AGW_EVENT_CONSENT_LOST ||
           kind == AGW_EVENT_DTLS_FAILED || kind == AGW_EVENT_BEARER_REFUSED ||
           kind == AGW_EVENT_RECORDING_FAILED;
}

/* The form of rtpengine's DTMF log, which Kamailio and OpenSIPS read. */
static void log_dtmf(const agw_ng_call *call, const agw_event *event)
{
    const agw_dtmf *d = &event->dtmf;
    const agw_side side = (agw_side)d->side;
    const char *const tags[] = {agw_calls_tag(call, AGW_SIDE_A), agw_calls_tag(call, AGW_SIDE_B),
                                NULL};
    const agw_dtmf_notice notice = {.call_id = call->call_id,
                                    .source_tag = agw_calls_tag(call, side),
                                    .source_label = call->label[side],
                                    .tags = tags,
                                    .source = event->remote,
                                    .event = d->event,
                                    .duration_ms = d->duration_ms,
                                    .volume = d->volume};
    agw_events_dtmf(call->calls->events, &call->notify.dtmf_log_dest, &notice, agw_clock_wall_us());
}

/* Digits may be a secret of the caller's: they are not logged. */
static void tell_dtmf(agw_ng_call *call, const agw_event *event)
{
    const agw_dtmf *d = &event->dtmf;
    const agw_side side = (agw_side)d->side;
    char detail[160];
    agw_log(AGW_LOG_INFO, call->call_id, "tag %s: a digit of %u ms", agw_calls_tag(call, side),
            d->duration_ms);
    g_snprintf(detail, sizeof detail, "digit %c, %u ms, -%u dBm0, from tag %s", d->digit,
               d->duration_ms, d->volume, agw_calls_tag(call, side));
    agw_notice notice = {.event = agw_event_kind_text(event->kind), .detail = detail};
    agw_media_view media = {0};
    for (size_t i = 0; i < agw_session_n_medias(call->session) && notice.media == 0; i++) {
        agw_session_media(call->session, side, i, &media);
        if (!media.live || media.media_id != d->media_id)
            continue;
        notice.media = (int)i + 1;
        notice.mid = media.mid;
    }
    notify(call, notice);
    log_dtmf(call, event);
}

/* The other party takes no telephone events. */
static void sound_dtmf(const agw_ng_call *call, const agw_event *event)
{
    const agw_dtmf *d = &event->dtmf;
    const agw_side to = d->side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
    const agw_dtmf_order tone = {
        .media_id = d->media_id,
        .from = (agw_side)d->side,
        .event = d->event,
        .volume = d->volume,
        .duration_ms = (uint16_t)CLAMP(d->duration_ms, TONE_MIN_MS, TONE_MAX_MS),
        .pause_ms = TONE_PAUSE_MS,
    };
    (void)agw_acts_play_tone(call->calls->gateway, call, to, &tone);
}

static void take_digit(agw_ng_call *call, const agw_event *event, agw_ns now)
{
    if (event->dtmf.unheard)
        sound_dtmf(call, event);
    agw_acts_hear_digit(call, (agw_side)event->dtmf.side, event->dtmf.digit, now);
    tell_dtmf(call, event);
}

/* Without a new offer there will be no media any more. */
static bool is_hopeless(agw_event_kind kind)
{
    return kind == AGW_EVENT_ICE_FAILED || kind == AGW_EVENT_DTLS_FAILED ||
           kind == AGW_EVENT_DTLS_CLOSED;
}

static void tell(agw_ng_call *call, const agw_event *event)
{
    const char *text = agw_event_kind_text(event->kind);
    char remote[AGW_ADDR_TEXT];
    if (event->transport_id != 0) /* a recording's are logged where they are */
        agw_log(is_trouble(event->kind) ? AGW_LOG_WARN : AGW_LOG_INFO, call->call_id,
                "transport %u: %s %s %s", event->transport_id, text, event->detail,
                agw_addr_is_set(&event->remote) ? agw_log_addr(&event->remote, remote) : "");
    char detail[AGW_ADDR_TEXT + sizeof event->detail], *end = detail;
    *end = '\0';
    if (agw_addr_is_set(&event->remote))
        end += strlen(agw_addr_text(&event->remote, detail, AGW_ADDR_TEXT));
    g_snprintf(end, (gulong)(sizeof detail - (size_t)(end - detail)), "%s%s",
               end > detail && event->detail[0] != '\0' ? " " : "", event->detail);
    agw_notice notice = {
        .event = text, .reason = is_trouble(event->kind) ? event->detail : "", .detail = detail};
    agw_media_view media;
    if (media_of(call, event->transport_id, &media)) {
        notice.media = (int)media.index + 1;
        notice.mid = media.mid;
        notice.terminate = is_hopeless(event->kind);
    }
    notify(call, notice);
}

/* Told where no candidate names it; what has to wait for an answer waits, bounded by the worker. */
static void judge_peer(agw_ng_call *call, const agw_event *event)
{
    switch (agw_session_candidate(call->session, event->transport_id, &event->remote)) {
    case AGW_CANDIDATE_NAMED:
        return;
    case AGW_CANDIDATE_NOT_NAMED:
        tell(call, event);
        return;
    case AGW_CANDIDATE_UNKNOWN:
        if (call->peers == NULL)
            call->peers = g_array_new(FALSE, FALSE, sizeof *event);
        if (call->peers->len < PEERS_MAX)
            g_array_append_val(call->peers, *event);
        return;
    }
}

static void judge_peers(agw_ng_call *call)
{
    GArray *peers = call->peers;
    call->peers = NULL;
    for (guint i = 0; peers != NULL && i < peers->len; i++)
        judge_peer(call, &g_array_index(peers, agw_event, i));
    g_clear_pointer(&peers, g_array_unref);
}

static void take_event(agw_ng_call *call, const agw_event *event, agw_ns now)
{
    if (event->transport_id != 0)
        take(transport_view(call, event->transport_id), event);
    if (event->kind == AGW_EVENT_RECORDING_FAILED)
        agw_acts_recording_failed(call->calls->gateway, call);
    if (event->kind == AGW_EVENT_DTMF)
        take_digit(call, event, now);
    else if (event->kind == AGW_EVENT_ICE_PEER)
        judge_peer(call, event);
    else
        tell(call, event);
}

void agw_calls_on_events(agw_calls *calls, agw_ns now)
{
    agw_event event;
    while (agw_gateway_next_event(calls->gateway, &event)) {
        agw_ng_call *call = event.owner;
        take_event(call, &event, now);
        call->clock.consent_lost_at = earliest_loss(call);
        (void)update(call, now);
    }
}
