/* SPDX-License-Identifier: BSD-3-Clause
 * What a run has come to: set-up, media, RTCP, the attacker's own mailbox, the control port. */
#include "tests/attack/attack.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A call that nothing can disturb is up at once; with the browser's own address as source, single
 * packets of its handshake may be lost and repeated. */
static const agw_ns PROMPT = AGW_MS(1000);
static const agw_ns REPEATED = AGW_MS(5000);
static const agw_ns PATIENCE = AGW_S(5);

enum { P99_FROM = 1000 }; /* packets */

const char *attack_slower(attack *a)
{
    static char why[80];
    const kit_histogram *before = &a->bystander->quiet, *then = &a->bystander->attacked;
    const agw_ns quiet = kit_histogram_at(before, 990), attacked = kit_histogram_at(then, 990);
    if (before->count < P99_FROM || then->count < P99_FROM || attacked <= quiet + AGW_MS(1))
        return NULL;
    snprintf(why, sizeof why, "the bystander's p99 went from %.2f to %.2f ms", (double)quiet / 1e6,
             (double)attacked / 1e6);
    return why;
}

bool attack_all_arrived(void *owner)
{
    const attack *a = owner;
    for (int side = 0; side < 2; side++) {
        if (a->victim.call.checker[1 - side].accepted < a->victim.sent[side] ||
            a->bystander->call.checker[1 - side].accepted < a->bystander->sent[side])
            return false;
    }
    return true;
}

/* Media of any kind of good, also renumbered. */
static uint64_t arrived(const attack_talk *t, kit_side at)
{
    const uint64_t *found = t->call.checker[at].found;
    return found[KIT_GOOD] + found[KIT_LATE] + found[KIT_HEADER];
}

void attack_mark(attack_talk *t)
{
    for (int side = 0; side < 2; side++) {
        t->sent_then[side] = t->sent[side];
        t->arrived_then[side] = arrived(t, (kit_side)side);
    }
}

/* Media flows both ways after the attack: at most a tenth is missing. */
static void judge_life(attack *a, const attack_talk *t)
{
    for (int side = 0; side < 2; side++) {
        const uint64_t sent = t->sent[side] - t->sent_then[side];
        const uint64_t came = arrived(t, (kit_side)(1 - side)) - t->arrived_then[1 - side];
        if (sent == 0 || came < sent - sent / 10)
            attack_fail(a, "of %" PRIu64 " packets after the attack %" PRIu64 " arrived at %c",
                        sent, came, side == 0 ? 'B' : 'A');
    }
}

static void judge_findings(attack *a, const attack_talk *t, const char *who)
{
    for (int side = 0; side < 2; side++) {
        const kit_checker *c = &t->call.checker[1 - side];
        const char at = side == 0 ? 'B' : 'A';
        if (t->sent[side] == 0)
            attack_fail(a, "%s: no media was sent to %c", who, at);
        for (int f = KIT_DUPLICATE; f < KIT_FINDINGS; f++) {
            if (c->found[f] != 0)
                attack_fail(a, "%s: %" PRIu64 " packets %s at %c", who, c->found[f],
                            kit_finding_text((kit_finding)f), at);
        }
        if (c->accepted != t->sent[side])
            attack_fail(a, "%s: %" PRIu64 " of %" PRIu64 " packets arrived at %c", who, c->accepted,
                        t->sent[side], at);
    }
}

/* RTCP that its peer did not send, or that did not unprotect. */
static void judge_rtcp(attack *a, const attack_talk *t, const char *who)
{
    if (t->forged_rtcp != 0)
        attack_fail(a, "%s: %" PRIu64 " forged RTCP packets arrived", who, t->forged_rtcp);
    for (int side = 0; side < 2; side++) {
        const uint64_t sent = t->call.rtcp_sent[side], seen = t->call.sr_seen[1 - side];
        if (seen > sent)
            attack_fail(a, "%s: %" PRIu64 " sender reports sent, %" PRIu64 " arrived at %c", who,
                        sent, seen, side == 0 ? 'B' : 'A');
        if (t->call.rtcp_bad[side] != 0)
            attack_fail(a, "%s: %" PRIu64 " bad RTCP packets at %c", who, t->call.rtcp_bad[side],
                        side == 0 ? 'A' : 'B');
    }
}

static void judge_ends(attack *a, const attack_talk *t, const char *who)
{
    const kit_call *call = &t->call;
    const kit_browser_stats *b = &call->browser.stats;
    const uint64_t not_authentic = call->browser.srtp.auth_failed + call->browser.srtp.replayed;
    for (int side = 0; side < 2; side++) {
        const kit_srtp *keys = &call->phone[side].srtp;
        if (!call->is_browser[side] && keys->auth_failed + keys->replayed != 0)
            attack_fail(a, "%s: the phone got packets that are not authentic", who);
        if (!call->is_browser[side] && call->phone[side].other_source != 0)
            attack_fail(a, "%s: the phone got packets from elsewhere than its port", who);
        if (!call->is_browser[side])
            continue;
        if (b->other_source != 0)
            attack_fail(a, "%s: the browser got packets from elsewhere than its port", who);
        if (not_authentic != 0)
            attack_fail(a, "%s: the browser got %" PRIu64 " packets that are not authentic", who,
                        not_authentic);
        if (b->unknown != 0)
            attack_fail(a, "%s: the browser got %" PRIu64 " packets of no kind", who, b->unknown);
    }
}

static void judge_victim(attack *a)
{
    const attack_talk *t = &a->victim;
    if ((a->c->judged & (ATTACK_NO_PROOF | ATTACK_PARTY_MEDIA)) != 0) {
        judge_life(a, t);
        return;
    }
    judge_findings(a, t, "call");
    judge_rtcp(a, t, "call");
    judge_ends(a, t, "call");
}

static void judge_bystander(attack *a)
{
    judge_findings(a, a->bystander, "bystander");
    judge_rtcp(a, a->bystander, "bystander");
    if ((a->c->judged & ATTACK_AT_BYSTANDER) == 0)
        judge_ends(a, a->bystander, "bystander");
}

static void judge_silence(attack *a)
{
    for (int side = 0; side < 2; side++) {
        const uint64_t *found = a->victim.call.checker[side].found;
        for (int f = 0; f < KIT_FINDINGS; f++) {
            if (found[f] != 0)
                attack_fail(a, "media flowed");
        }
    }
}

void attack_judge_attacker(attack *a)
{
    if (a->fired == 0 && a->c->fire != NULL && (a->c->judged & ATTACK_OWN_MEDIA) == 0)
        attack_fail(a, "nothing was fired");
    if (a->bled != 0)
        attack_fail(a, "%" PRIu64 " packets reached the attacker", a->bled);
    if (a->answer_bytes > a->fired_bytes)
        attack_fail(a, "amplified: %" PRIu64 " bytes for %" PRIu64, a->answer_bytes,
                    a->fired_bytes);
    if (a->stray != 0 && (a->c->judged & ATTACK_NAMES_NOBODY) == 0)
        attack_fail(a, "%" PRIu64 " packets went to an address of nobody", a->stray);
}

static void judge_set_up(attack *a)
{
    const bool spoofed = a->from != ATTACK_STRANGER && a->when == ATTACK_DURING;
    const agw_ns limit = spoofed ? REPEATED : PROMPT;
    if (a->up_at - a->went_at > limit)
        attack_fail(a, "set-up took %" PRId64 " ms", (a->up_at - a->went_at) / AGW_MS(1));
}

void attack_judge_calls(attack *a)
{
    if ((a->c->judged & ATTACK_NO_MEDIA) != 0) {
        judge_silence(a);
    } else if ((a->c->judged & ATTACK_OWN_HARM) == 0) {
        judge_set_up(a);
        judge_victim(a);
    }
    judge_bystander(a);
}

void attack_judge_control(attack *a)
{
    agw_doc *command = kit_ng_command("query", a->victim.call.call_id);
    agw_doc *reply = kit_ng_ask(a->world->ng, command, PATIENCE);
    const char *result = agw_doc_str(reply, "result");
    if (result == NULL)
        attack_fail(a, "the gateway does not answer");
    else if (strcmp(result, "ok") != 0)
        attack_fail(a, "query of the call: %s", result);
    agw_doc_free(reply);
}
