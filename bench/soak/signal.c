/* SPDX-License-Identifier: BSD-3-Clause
 * Steps of the control protocol: offers, answers, deletes, and what must be in the replies. */
#include "base/rand.h"
#include "bench/soak/soak.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

enum {
    GUARD_MS = 60,  /* the gateway's worker has the new plan for certain */
    WASTE = 5,      /* packets against a closed gate */
    MOVE_MS = 5000, /* an ICE restart must end within */
};
static const agw_ns QUERY_EARLY = AGW_MS(700), QUERY_AGAIN = AGW_MS(300), QUERY_LATE = AGW_S(3);
static const agw_ns CONSENT = AGW_S(30), CONSENT_INTERVAL = AGW_S(6); /* RFC 7675 section 5.1 */

static kit_side other(kit_side side)
{
    return side == KIT_A ? KIT_B : KIT_A;
}

static soak_step step_of(const soak_call *c)
{
    return c->scenario->steps[c->at];
}

/* --- sending and reading --- */

static void send_command(soak_call *c, agw_doc *command, kit_ng_taker taker)
{
    soak_books *books = &c->soak->books;
    const char *name = agw_doc_str(command, "command");
    books->offers += strcmp(name, "offer") == 0;
    books->answers += strcmp(name, "answer") == 0;
    books->deletes += strcmp(name, "delete") == 0;
    kit_ng_send(c->soak->world.ng, command, taker, c);
    if (c->scenario->twice)
        kit_ng_again(c->soak->world.ng);
}

/* "ok", or what came instead. */
static const char *result_of(const agw_doc *reply)
{
    if (reply == NULL)
        return "no reply";
    const char *reason = agw_doc_str(reply, "error-reason");
    const char *result = agw_doc_str(reply, "result");
    if (reason != NULL)
        return reason;
    return result != NULL ? result : "a reply without result";
}

static bool is_ok(const agw_doc *reply)
{
    return strcmp(result_of(reply), "ok") == 0;
}

static const char *sdp_of(const agw_doc *reply, size_t *len)
{
    const agw_doc *sdp = agw_doc_get(reply, "sdp");
    return sdp != NULL ? agw_doc_bytes(sdp, len) : NULL;
}

/* Gives the reply's description to that side; false: the call has failed. */
static bool give(soak_call *c, kit_side to, const agw_doc *reply)
{
    const char *why = kit_call_give(&c->call, to, reply);
    if (why != NULL) {
        kit_soak_fail(c, "%s: %s", why, c->call.error_reason);
        return false;
    }
    c->last_sign_at = c->soak->world.now;
    return true;
}

size_t kit_soak_describe(kit_call *call, kit_side from, bool answer, char sdp[KIT_SDP_MAX],
                         size_t len)
{
    (void)answer;
    const soak_call *c = call->config.owner;
    soak_edit edit = c->edit;
    if (call->is_browser[from]) {
        edit.extra_mid = c->extra_mid;
        edit.extra_port = call->browser.local.port;
    } else {
        edit.extra_port = (uint16_t)(call->phone[from].local.port + 2u);
        edit.wrong_fingerprint = false;
    }
    return kit_soak_edit(&edit, sdp, len);
}

/* --- the first offer --- */

/* The reply to an offer is what it was before, where it must be; remembers it. */
static bool same_as_before(soak_call *c, const agw_doc *reply)
{
    size_t len = 0;
    const char *sdp = sdp_of(reply, &len);
    const bool same = c->reply_sdp != NULL && sdp != NULL && strncmp(sdp, c->reply_sdp, len) == 0 &&
                      c->reply_sdp[len] == '\0';
    const bool wanted = c->compare;
    c->compare = false;
    g_free(c->reply_sdp);
    c->reply_sdp = sdp != NULL ? g_strndup(sdp, len) : NULL;
    return same || !wanted;
}

static void on_offered(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    if (!give(c, KIT_B, reply))
        return;
    if (!same_as_before(c, reply))
        kit_soak_fail(c, "the same offer has got another reply");
    else
        kit_soak_next(c);
}

static void on_refused(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    if (reply == NULL || agw_doc_str(reply, "error-reason") == NULL)
        kit_soak_fail(c, "an offer without any media is answered: %s", result_of(reply));
    else
        kit_soak_next(c);
}

void kit_soak_offer(soak_call *c, soak_step step)
{
    c->edit.unknown_media = step == SOAK_OFFER_REFUSED;
    for (size_t i = c->at; c->scenario->steps[i] != SOAK_END; i++)
        c->edit.wrong_fingerprint |= c->scenario->steps[i] == SOAK_CONNECT_LOOSE;
    c->compare = step == SOAK_OFFER_BRANCH;
    agw_doc *command = kit_call_describe(&c->call, KIT_A, false);
    agw_doc_set_str(command, "via-branch", step == SOAK_OFFER_BRANCH ? "branch-2" : "branch-1");
    send_command(c, command, step == SOAK_OFFER_REFUSED ? on_refused : on_offered);
}

/* --- the first answer --- */

static void on_answered(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    const agw_addr before = c->call.browser.remote;
    char ufrag[sizeof c->call.browser.remote_ufrag];
    memcpy(ufrag, c->call.browser.remote_ufrag, sizeof ufrag);
    if (!give(c, KIT_A, reply))
        return;
    if (c->call.is_browser[KIT_A] && agw_addr_is_set(&before) &&
        (!agw_addr_equal(&before, &c->call.browser.remote) ||
         strcmp(ufrag, c->call.browser.remote_ufrag) != 0)) {
        kit_soak_fail(c, "a second answer has another transport");
        return;
    }
    if (step_of(c) == SOAK_ANSWER) {
        c->call.state = KIT_CALL_ANSWERED;
        c->call.answered_at = c->soak->world.now;
    }
    kit_soak_next(c);
}

/* Another device of the callee: another address, other credentials, another tag. */
static agw_doc *answer_of_branch(soak_call *c)
{
    kit_call *call = &c->call;
    const kit_browser browser = call->browser;
    const agw_addr local = call->phone[KIT_B].local;
    char tag[sizeof call->tags[KIT_B]];
    memcpy(tag, call->tags[KIT_B], sizeof tag);
    snprintf(c->branch_tag, sizeof c->branch_tag, "other%u", c->number);
    memcpy(call->tags[KIT_B], c->branch_tag, sizeof c->branch_tag);
    if (call->is_browser[KIT_B]) {
        call->browser.local = kit_world_host(call->world);
        call->browser.local.port = 40000;
        agw_rand_text(call->browser.ufrag, strlen(call->browser.ufrag));
    } else {
        call->phone[KIT_B].local = kit_world_host(call->world);
        call->phone[KIT_B].local.port = 40000;
    }
    agw_doc *command = kit_call_describe(call, KIT_B, true);
    if (call->is_browser[KIT_B])
        call->browser = browser;
    call->phone[KIT_B].local = local;
    memcpy(call->tags[KIT_B], tag, sizeof tag);
    return command;
}

void kit_soak_answer(soak_call *c, soak_step step)
{
    const bool branch = step == SOAK_ANSWER_BRANCH;
    agw_doc *command = branch ? answer_of_branch(c) : kit_call_describe(&c->call, KIT_B, true);
    agw_doc_set_str(command, "via-branch", branch ? "branch-2" : "branch-1");
    send_command(c, command, on_answered);
}

/* --- re-offers --- */

static void after_waste(void *owner)
{
    kit_soak_next(owner);
}

/* What a closed gate must stop. */
static void waste(void *owner)
{
    soak_call *c = owner;
    for (kit_side side = KIT_A; side <= KIT_B; side++) {
        for (int i = 0; i < WASTE && !c->sends[side]; i++)
            c->wasted[side] += kit_call_send(&c->call, side);
    }
    kit_soak_wait(c, AGW_MS(GUARD_MS), after_waste);
}

static void resume(void *owner)
{
    soak_call *c = owner;
    c->sends[KIT_A] = c->sends[KIT_B] = true;
    kit_soak_next(c);
}

static void see_move(void *owner)
{
    soak_call *c = owner;
    if (!agw_addr_is_set(&c->call.browser.next))
        kit_soak_next(c);
    else if (c->soak->world.now >= c->until)
        kit_soak_fail(c, "no check of the ICE restart is answered");
    else
        kit_soak_wait(c, AGW_MS(10), see_move);
}

static void begin_move(soak_call *c)
{
    c->until = c->soak->world.now + AGW_MS(MOVE_MS);
    kit_browser_start(&c->call.browser);
    see_move(c);
}

/* The offerer's own video port in the reply to the answer is what the answerer said. */
static bool video_is_right(soak_call *c, const agw_doc *reply)
{
    size_t len = 0;
    const char *sdp = sdp_of(reply, &len);
    const int port = kit_soak_video_port(sdp, len);
    if (c->edit.extra == SOAK_EXTRA_NONE)
        return port < 0 || c->call.config.video;
    return (port > 0) == (c->edit.extra == SOAK_EXTRA_ON);
}

static void on_reanswered(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    if (!give(c, c->actor, reply))
        return;
    if (!video_is_right(c, reply)) {
        kit_soak_fail(c, "the video line of the answer is wrong");
        return;
    }
    switch (step_of(c)) {
    case SOAK_HOLD:
    case SOAK_HOLD_BOTH:
        kit_soak_wait(c, AGW_MS(GUARD_MS), waste);
        break;
    case SOAK_RESUME:
        kit_soak_wait(c, AGW_MS(GUARD_MS), resume);
        break;
    case SOAK_RESTART_ICE:
        begin_move(c);
        break;
    default:
        kit_soak_next(c);
    }
}

static void send_reoffer(soak_call *c);

static void send_reanswer(soak_call *c)
{
    if (step_of(c) == SOAK_HOLD)
        c->edit.direction = "recvonly";
    if (step_of(c) == SOAK_ADD_VIDEO && c->refuse_video)
        c->edit.extra = SOAK_EXTRA_OFF;
    send_command(c, kit_call_describe(&c->call, other(c->actor), true), on_reanswered);
}

static void on_given_up(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    c->last_sign_at = c->soak->world.now;
    if (!is_ok(reply))
        kit_soak_fail(c, "a refused re-offer: %s", result_of(reply));
    else
        kit_soak_next(c);
}

/* Both sides are as before: nobody has taken the offer. */
static void give_up(soak_call *c)
{
    c->edit.direction = NULL;
    agw_doc *command = kit_ng_command("delete", c->call.call_id);
    agw_doc_set_str(command, "from-tag", c->call.tags[c->actor]);
    agw_doc_set_str(command, "to-tag", c->call.tags[other(c->actor)]);
    agw_doc_set_str(command, "via-branch", "branch-3");
    send_command(c, command, on_given_up);
}

static void on_reoffered(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    const kit_side answerer = other(c->actor);
    size_t len = 0;
    const char *sdp = sdp_of(reply, &len);
    if (step_of(c) == SOAK_REFUSED_REOFFER && is_ok(reply)) {
        give_up(c);
        return;
    }
    if (!give(c, answerer, reply))
        return;
    if (step_of(c) == SOAK_ADD_VIDEO && c->call.is_browser[answerer])
        kit_soak_video_mid(sdp, len, c->extra_mid, sizeof c->extra_mid);
    const bool first = step_of(c) == SOAK_SAME_OFFER && !c->compare;
    if (!video_is_right(c, reply))
        kit_soak_fail(c, "the video line of the offer is wrong");
    else if (!same_as_before(c, reply))
        kit_soak_fail(c, "the same offer has got another reply");
    else if (first) {
        c->compare = true;
        send_reoffer(c);
    } else
        send_reanswer(c);
}

static void send_reoffer(soak_call *c)
{
    agw_doc *command = kit_call_describe(&c->call, c->actor, false);
    agw_doc_set_str(command, "via-branch", "branch-3");
    send_command(c, command, on_reoffered);
}

static void after_silence(void *owner)
{
    send_reoffer(owner);
}

/* What is still under way when a gate closes is nobody's fault: the sides fall silent before. */
static void hold(soak_call *c, bool both)
{
    c->edit.direction = both ? "inactive" : "sendonly";
    c->sends[other(c->actor)] = false;
    if (both)
        c->sends[c->actor] = false;
    kit_soak_wait(c, AGW_MS(GUARD_MS), after_silence);
}

void kit_soak_reoffer(soak_call *c, soak_step step)
{
    if (step != SOAK_RESUME)
        c->actor = kit_soak_pick(c->soak, 2) == 0 ? KIT_A : KIT_B;
    c->edit.direction = NULL;
    switch (step) {
    case SOAK_HOLD:
    case SOAK_HOLD_BOTH:
        hold(c, step == SOAK_HOLD_BOTH);
        return;
    case SOAK_REFUSED_REOFFER:
        c->edit.direction = "sendonly";
        break;
    case SOAK_RESTART_ICE:
        c->actor = c->call.is_browser[KIT_A] ? KIT_A : KIT_B;
        kit_browser_restart(&c->call.browser);
        break;
    case SOAK_ADD_VIDEO:
        c->edit.extra = SOAK_EXTRA_ON;
        c->refuse_video = kit_soak_pick(c->soak, 3) == 0;
        snprintf(c->extra_mid, sizeof c->extra_mid, "v%u", c->number % 10);
        break;
    case SOAK_DROP_VIDEO:
        c->edit.extra = SOAK_EXTRA_OFF;
        break;
    default:
        break;
    }
    send_reoffer(c);
}

/* --- the end --- */

static agw_doc *delete_command(const soak_call *c, const char *from_tag, const char *to_tag)
{
    agw_doc *command = kit_ng_command("delete", c->call.call_id);
    if (from_tag != NULL)
        agw_doc_set_str(command, "from-tag", from_tag);
    if (to_tag != NULL)
        agw_doc_set_str(command, "to-tag", to_tag);
    agw_doc_set_int(command, "delete-delay", 0);
    return command;
}

/* Some packets always come too late: the next call on these ports must not get them. */
static void send_late(soak_call *c)
{
    for (kit_side side = KIT_A; side <= KIT_B; side++)
        (void)kit_call_send(&c->call, side);
}

static void on_deleted(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    if (!is_ok(reply) || agw_doc_str(reply, "warning") != NULL) {
        kit_soak_fail(c, "delete: %s", is_ok(reply) ? "a warning" : result_of(reply));
        return;
    }
    if (step_of(c) == SOAK_DELETE) {
        kit_soak_media_stop(c);
        send_late(c);
        c->call.answered_at = 0; /* it may be tried again */
    }
    c->until = c->soak->world.now;
    kit_soak_next(c);
}

static void on_warned(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    if (!is_ok(reply) || agw_doc_str(reply, "warning") == NULL)
        kit_soak_fail(c, "delete of what is unknown: %s, no warning", result_of(reply));
    else
        kit_soak_next(c);
}

static agw_doc *ordinary_delete(soak_call *c)
{
    const char *a = c->call.tags[KIT_A];
    const char *b = c->call.tags[KIT_B];
    switch (kit_soak_pick(c->soak, c->call.answered_at != 0 ? 4 : 2)) {
    case 0:
        return delete_command(c, a, NULL);
    case 1:
        return delete_command(c, NULL, NULL);
    case 2:
        return delete_command(c, a, b);
    default:
        return delete_command(c, b, a);
    }
}

static agw_doc *strange_delete(soak_call *c)
{
    if (kit_soak_pick(c->soak, 2) == 0)
        return delete_command(c, "nobody", NULL);
    agw_doc *command = kit_ng_command("delete", "nothing@kit.invalid");
    agw_doc_set_str(command, "from-tag", c->call.tags[KIT_A]);
    return command;
}

void kit_soak_delete(soak_call *c, soak_step step)
{
    agw_doc *command;
    switch (step) {
    case SOAK_DELETE_LATE:
        command = kit_ng_command("delete", c->call.call_id);
        agw_doc_set_str(command, "from-tag", c->call.tags[KIT_A]);
        agw_doc_set_int(command, "delete-delay", 1);
        send_command(c, command, on_deleted);
        break;
    case SOAK_DELETE_BRANCH:
        command = delete_command(c, c->call.tags[KIT_A], c->branch_tag);
        agw_doc_set_str(command, "via-branch", "branch-2");
        send_command(c, command, on_deleted);
        break;
    case SOAK_DELETE_STRANGE:
        send_command(c, strange_delete(c), on_warned);
        break;
    case SOAK_DELETE_AGAIN:
        send_command(c, delete_command(c, c->call.tags[KIT_A], NULL), on_warned);
        break;
    default:
        send_command(c, ordinary_delete(c), on_deleted);
    }
}

static void on_cleared(void *owner, const agw_doc *reply)
{
    (void)reply;
    soak_call *c = owner;
    c->timer.fire(c);
}

void kit_soak_clear(soak_call *c, void (*done)(void *owner))
{
    c->timer.fire = done;
    send_command(c, delete_command(c, NULL, NULL), on_cleared);
}

/* --- ends that nobody has asked for --- */

/* The time within which the gateway must end it. */
static void time_of_end(const soak_call *c, agw_ns *earliest, agw_ns *latest)
{
    const soak_options *o = &c->soak->options;
    const agw_ns alive_at = c->last_media_at > c->last_sign_at ? c->last_media_at : c->last_sign_at;
    switch (c->scenario->end) {
    case SOAK_UNANSWERED:
        *earliest = *latest = c->last_sign_at + o->offer_timeout;
        break;
    case SOAK_INACTIVE:
        *earliest = *latest = alive_at + o->timeout;
        break;
    case SOAK_SILENT:
        *earliest = *latest = alive_at + o->silent_timeout;
        break;
    case SOAK_NO_CONSENT:
        *latest = c->until + CONSENT + o->consent_grace;
        *earliest = *latest - CONSENT_INTERVAL;
        break;
    default:
        *earliest = *latest = c->until + AGW_S(1);
    }
}

static void ask(void *owner);

static void on_asked(void *owner, const agw_doc *reply)
{
    soak_call *c = owner;
    const agw_ns now = c->soak->world.now;
    agw_ns earliest, latest;
    time_of_end(c, &earliest, &latest);
    const bool gone = strcmp(result_of(reply), "Unknown call-id") == 0;
    if (!gone && !is_ok(reply))
        kit_soak_fail(c, "query: %s", result_of(reply));
    else if (gone && now < earliest)
        kit_soak_fail(c, "the gateway has ended it %.1f s too early",
                      (double)(earliest - now) / 1e9);
    else if (gone)
        kit_soak_next(c);
    else if (now >= latest + QUERY_LATE)
        kit_soak_fail(c, "the gateway has not ended it in time");
    else
        kit_soak_wait(c, now < latest ? latest + QUERY_AGAIN - now : QUERY_AGAIN, ask);
}

static void ask(void *owner)
{
    soak_call *c = owner;
    kit_ng_send(c->soak->world.ng, kit_ng_command("query", c->call.call_id), on_asked, c);
}

void kit_soak_gone(soak_call *c, soak_step step)
{
    (void)step;
    agw_ns earliest, latest;
    time_of_end(c, &earliest, &latest);
    const agw_ns before = earliest - QUERY_EARLY - c->soak->world.now;
    kit_soak_wait(c, before > 0 ? before : 0, ask);
}
