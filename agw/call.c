/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/call.h"

#include "agw/dtmf.h"
#include "agw/player.h"
#include "agw/recorder.h"
#include "base/heap.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

agw_call *agw_call_new(agw_call_ref *ref, const char *tag, agw_dtls_ctx *dtls_ctx)
{
    agw_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->ref = ref;
    snprintf(call->tag, sizeof call->tag, "%s", tag);
    call->dtls_ctx = agw_dtls_ctx_ref(dtls_ctx);
    return call;
}

void agw_call_free(agw_call *call)
{
    agw_dtls_ctx_unref(call->dtls_ctx);
    free(call->transports);
    free(call->medias);
    free(call);
}

static agw_transport *find_transport(const agw_call *call, uint32_t id)
{
    for (size_t i = 0; i < call->n_transports; i++) {
        if (call->transports[i]->id == id)
            return call->transports[i];
    }
    return NULL;
}

static agw_media *find_media(const agw_call *call, uint32_t id)
{
    for (size_t i = 0; i < call->n_medias; i++) {
        if (call->medias[i]->id == id)
            return call->medias[i];
    }
    return NULL;
}

static bool plan_has_transport(const agw_plan *plan, uint32_t id)
{
    for (size_t i = 0; i < plan->n_transports; i++) {
        if (plan->transports[i].id == id)
            return true;
    }
    return false;
}

static bool plan_has_media(const agw_plan *plan, uint32_t id)
{
    for (size_t i = 0; i < plan->n_medias; i++) {
        if (plan->medias[i].id == id)
            return true;
    }
    return false;
}

/* New tables first, so that an unchanged object is found by its id in the old one. */
static void apply_transports(agw_worker *w, agw_call *call, const agw_mail *mail)
{
    const agw_plan *plan = mail->plan;
    agw_transport **table = calloc(plan->n_transports + 1, sizeof(agw_transport *));
    AGW_ASSERT(table != NULL);
    for (size_t i = 0; i < plan->n_transports; i++) {
        const agw_transport_plan *wanted = &plan->transports[i];
        table[i] = find_transport(call, wanted->id);
        if (table[i] != NULL)
            agw_transport_apply(table[i], wanted);
        else
            table[i] = agw_transport_new(w, call, wanted, &mail->resources[i]);
    }
    for (size_t i = 0; i < call->n_transports; i++) {
        if (!plan_has_transport(plan, call->transports[i]->id))
            agw_transport_free(call->transports[i]);
    }
    free(call->transports);
    call->transports = table;
    call->n_transports = plan->n_transports;
}

/* Medias let go of their transports before any of these is freed. */
static void detach_medias(agw_call *call)
{
    for (size_t i = 0; i < call->n_transports; i++)
        call->transports[i]->n_medias = 0;
    for (size_t i = 0; i < call->n_medias; i++) {
        call->medias[i]->end[AGW_SIDE_A].transport = NULL;
        call->medias[i]->end[AGW_SIDE_B].transport = NULL;
    }
}

static void attach(agw_call *call, agw_media *m, agw_side side, uint32_t transport_id)
{
    agw_transport *t = find_transport(call, transport_id);
    m->end[side].transport = t;
    if (t == NULL || t->n_medias == AGW_PLAN_MEDIA_MAX)
        return;
    t->medias[t->n_medias] = m;
    t->n_medias++;
}

static void apply_medias(agw_call *call, const agw_mail *mail)
{
    const agw_plan *plan = mail->plan;
    agw_media **table = calloc(plan->n_medias + 1, sizeof(agw_media *));
    AGW_ASSERT(table != NULL);
    for (size_t i = 0; i < plan->n_medias; i++) {
        const agw_media_plan *wanted = &plan->medias[i];
        table[i] = find_media(call, wanted->id);
        if (table[i] == NULL)
            table[i] = agw_media_new(call, wanted->id, mail->stats[i]);
        attach(call, table[i], AGW_SIDE_A, wanted->end[AGW_SIDE_A].transport_id);
        attach(call, table[i], AGW_SIDE_B, wanted->end[AGW_SIDE_B].transport_id);
        agw_media_apply(table[i], wanted);
        for (int side = 0; side < 2; side++) {
            if (wanted->end[side].tos_copy && table[i]->end[1 - side].transport != NULL)
                agw_transport_want_tos(table[i]->end[1 - side].transport);
        }
    }
    for (size_t i = 0; i < call->n_medias; i++) {
        if (!plan_has_media(plan, call->medias[i]->id))
            agw_media_free(call->medias[i]);
    }
    free(call->medias);
    call->medias = table;
    call->n_medias = plan->n_medias;
}

static void link_call(agw_worker *w, agw_call *call)
{
    call->worker = w;
    call->next = w->calls;
    if (call->next != NULL)
        call->next->prev = call;
    w->calls = call;
    agw_counter_add(&w->stats.calls, 1);
}

static void unlink_call(agw_call *call)
{
    agw_worker *w = call->worker;
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        w->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    agw_counter_add(&w->stats.calls, (uint64_t)-1);
}

static void set_recording(agw_call *call, agw_recording *recording)
{
    if (call->recording == recording)
        return;
    if (call->recording != NULL)
        agw_recording_done(call->recording);
    call->recording = recording;
}

void agw_call_play(agw_call *call, const agw_mail *mail)
{
    agw_media *m = find_media(call, mail->id);
    if (m != NULL && !agw_dtmf_play(m, mail->side, &mail->digit))
        agw_log(AGW_LOG_WARN, call->tag, "a digit cannot be played");
}

void agw_call_play_media(agw_call *call, agw_mail *mail)
{
    agw_media *m = find_media(call, mail->play.media_id);
    if (m == NULL)
        return;
    if (!agw_player_play(m, mail->play.to, &mail->play))
        agw_log(AGW_LOG_WARN, call->tag, "a tone cannot be played: too many wait");
    mail->play.audio = NULL;
}

void agw_call_stop_media(agw_call *call, const agw_mail *mail)
{
    agw_media *m = find_media(call, mail->id);
    if (m != NULL)
        agw_player_stop(m, mail->side);
}

void agw_call_apply(agw_worker *w, agw_call *call, const agw_mail *mail)
{
    if (call->worker == NULL)
        link_call(w, call);
    set_recording(call, mail->recording);
    detach_medias(call);
    apply_transports(w, call, mail);
    apply_medias(call, mail);
    for (size_t i = 0; i < call->n_medias; i++)
        agw_media_settle(call->medias[i], w->now);
    for (size_t i = 0; i < call->n_transports; i++)
        agw_transport_set_timer(call->transports[i]);
}

size_t agw_call_count_early(const agw_call *call)
{
    size_t n = 0;
    for (size_t i = 0; i < call->n_transports; i++) {
        const agw_component *c = call->transports[i]->component;
        n += c[AGW_RTP_COMPONENT].early.n + c[AGW_RTCP_COMPONENT].early.n;
    }
    return n;
}

size_t agw_call_take_early(const agw_call *call, agw_pkt *const pkts[], size_t n)
{
    size_t taken = 0;
    for (size_t i = 0; i < call->n_transports && taken < n; i++)
        taken += agw_transport_take_early(call->transports[i], pkts + taken, n - taken);
    return taken;
}

void agw_call_close(agw_worker *w, agw_call *call)
{
    set_recording(call, NULL);
    detach_medias(call);
    for (size_t i = 0; i < call->n_medias; i++)
        agw_media_free(call->medias[i]);
    for (size_t i = 0; i < call->n_transports; i++)
        agw_transport_free(call->transports[i]);
    if (call->worker != NULL)
        unlink_call(call);
    agw_mail *gone = agw_mail_new(AGW_MAIL_CALL_GONE, NULL, 0);
    gone->ref = call->ref;
    agw_outbox_post(&w->control, gone);
    agw_call_free(call);
    agw_heap_ended(&w->calls_ended, w->calls == NULL);
}
