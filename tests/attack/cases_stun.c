/* SPDX-License-Identifier: BSD-3-Clause
 * Connectivity checks: forged, replayed, malformed, and what a reflector would answer to. */
#include "tests/attack/attack.h"

#include "base/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOD_PER_S = 100000 };

static const char WRONG_KEY[] = "0123456789abcdefghijklmn";

/* A check with the right names, signed by a key that is not the gateway's. */
static void forged(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    (void)n;
    craft_check(&a->packet, &a->rng, b->remote_ufrag, b->ufrag, WRONG_KEY, true);
    attack_send_packet(a);
}

static void not_signed(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    (void)n;
    craft_check(&a->packet, &a->rng, b->remote_ufrag, b->ufrag, NULL, true);
    attack_send_packet(a);
}

/* Guesses: our ufrag with another tail, another peer's name, none at all. */
static void wrong_ufrag(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    char guess[64] = "AAAA";
    if (n % 2 == 0)
        snprintf(guess, sizeof guess, "%.*s%04x", (int)strnlen(b->remote_ufrag, 4), b->remote_ufrag,
                 craft_rand(&a->rng) & 0xffff);
    craft_check(&a->packet, &a->rng, guess, n % 3 == 0 ? "" : b->ufrag, b->remote_pwd, true);
    attack_send_packet(a);
}

/* What an eavesdropper has seen once. */
static void hear_check(attack *a)
{
    attack_heard *check = calloc(1, sizeof *check);
    AGW_ASSERT(check != NULL);
    check->len = kit_browser_write_check(attack_browser(a), check->data, true);
    a->own = check;
}

static void replayed(attack *a, uint64_t n)
{
    const attack_heard *check = a->own;
    (void)n;
    attack_send(a, check->data, check->len);
}

/* An authentic check of this call from the address of another call's browser. */
static void check_from_bystander(attack *a, bool nominate)
{
    const kit_browser *b = attack_browser(a);
    craft_check(&a->packet, &a->rng, b->remote_ufrag, b->ufrag, b->remote_pwd, nominate);
    attack_send_from(a, &a->bystander->call.browser.local, &a->access, a->packet.data,
                     a->packet.len);
}

static void claims_address(attack *a, uint64_t n)
{
    (void)n;
    check_from_bystander(a, false);
}

static void nominates_other(attack *a, uint64_t n)
{
    (void)n;
    check_from_bystander(a, true);
}

/* The header and nothing of what it promises; any length below. */
static void cut(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    craft_check(&a->packet, &a->rng, b->remote_ufrag, b->ufrag, WRONG_KEY, true);
    a->packet.len = n % a->packet.len;
    attack_send_packet(a);
}

/* Attributes that run past the end, thousands of attributes, the longest ones. */
static void oversize(attack *a, uint64_t n)
{
    static uint8_t value[4096];
    const kit_browser *b = attack_browser(a);
    craft_stun(&a->packet, &a->rng, STUN_REQUEST);
    craft_stun_username(&a->packet, b->remote_ufrag, b->ufrag);
    if (n % 3 == 0) {
        craft_stun_attr(&a->packet, 0x8055, value, sizeof value);
    } else if (n % 3 == 1) {
        for (int i = 0; i < 300; i++)
            craft_stun_attr(&a->packet, STUN_USE_CANDIDATE, NULL, 0);
    } else {
        craft_stun_attr(&a->packet, STUN_PRIORITY, value, 4);
        agw_put16(a->packet.data + a->packet.len - 6, 0xffff); /* its length */
    }
    craft_stun_fingerprint(&a->packet);
    attack_send_packet(a);
}

/* The browser's own checks with what nobody knows: RFC 8489 section 6.3.1 wants a 420. */
static void unknown_attributes(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    (void)n;
    craft_stun(&a->packet, &a->rng, STUN_REQUEST);
    craft_stun_username(&a->packet, b->remote_ufrag, b->ufrag);
    for (unsigned i = 0; i < 12; i++)
        craft_stun_attr(&a->packet, 0x7f00 + craft_below(&a->rng, 255), "????", 4);
    craft_stun_integrity(&a->packet, b->remote_pwd);
    craft_stun_fingerprint(&a->packet);
    attack_send_packet(a);
}

/* The peer says that it is controlled, too: RFC 8445 section 7.3.1.1. */
static void role_conflict(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    (void)n;
    craft_stun(&a->packet, &a->rng, STUN_REQUEST);
    craft_stun_username(&a->packet, b->remote_ufrag, b->ufrag);
    craft_stun_attr(&a->packet, STUN_CONTROLLED, "\0\0\0\0\0\0\0\1", 8);
    craft_stun_attr(&a->packet, STUN_PRIORITY, "\x6e\0\1\xff", 4);
    craft_stun_integrity(&a->packet, b->remote_pwd);
    craft_stun_fingerprint(&a->packet);
    attack_send_packet(a);
}

/* Answers that nobody asked for; every second one to the browser's own latest question. */
static void response(attack *a, uint64_t n)
{
    const uint8_t mapped[8] = {0, 1, 0x21, 0x12, 0x21, 0x12, 0xa4, 0x42};
    const uint8_t error[4] = {0, 0, 4, 1};
    craft_stun(&a->packet, &a->rng, n % 4 < 2 ? STUN_SUCCESS : STUN_FAILURE);
    if (n % 2 == 0)
        memcpy(a->packet.data + 8, attack_browser(a)->check_id, 12);
    if (n % 4 < 2)
        craft_stun_attr(&a->packet, STUN_XOR_MAPPED, mapped, sizeof mapped);
    else
        craft_stun_attr(&a->packet, STUN_ERROR_CODE, error, sizeof error);
    craft_stun_integrity(&a->packet, WRONG_KEY);
    craft_stun_fingerprint(&a->packet);
    attack_send_packet(a);
}

static void indication(attack *a, uint64_t n)
{
    (void)n;
    craft_stun(&a->packet, &a->rng, STUN_INDICATION);
    craft_stun_fingerprint(&a->packet);
    attack_send_packet(a);
}

static void plain(attack *a, uint64_t n)
{
    (void)n;
    craft_stun(&a->packet, &a->rng, STUN_REQUEST);
    attack_send_packet(a);
}

/* What a careless server answers with more than it got. */
static void amplification(attack *a, uint64_t n)
{
    const kit_browser *b = attack_browser(a);
    craft_stun(&a->packet, &a->rng, n % 6 == 3 ? STUN_ALLOCATE : STUN_REQUEST);
    if (n % 6 == 1)
        craft_stun_fingerprint(&a->packet);
    if (n % 6 == 2)
        craft_stun_username(&a->packet, b->remote_ufrag, b->ufrag);
    if (n % 6 == 4) /* RFC 3489: no cookie, CHANGE-REQUEST */
        craft_fill(&a->rng, a->packet.data + 4, 4);
    if (n % 6 == 4)
        craft_stun_attr(&a->packet, 0x0003, "\0\0\0\6", 4);
    for (unsigned i = 0; n % 6 == 5 && i < 8; i++)
        craft_stun_attr(&a->packet, 0x7f00 + i, NULL, 0);
    attack_send_packet(a);
}

const attack_case ATTACK_STUN_CASES[] = {
    {.name = "stun-forged",
     .what = "checks with USE-CANDIDATE and the right names, signed with another key",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = forged},
    {.name = "stun-unsigned",
     .what = "the same without MESSAGE-INTEGRITY",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .fire = not_signed},
    {.name = "stun-ufrag",
     .what = "guessed user names",
     .when = ATTACK_DURING,
     .from = ATTACK_STRANGER,
     .fire = wrong_ufrag},
    {.name = "stun-replay",
     .what = "a genuine check with USE-CANDIDATE, repeated from where the attacker is",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .begin = hear_check,
     .fire = replayed},
    {.name = "stun-claim",
     .what = "a peer's own checks with the address of another call's browser as source",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .judged = ATTACK_AT_BYSTANDER,
     .fire = claims_address},
    {.name = "stun-claim-nominate",
     .what = "the same with USE-CANDIDATE: its media goes to the other browser",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .judged = ATTACK_AT_BYSTANDER | ATTACK_OWN_HARM,
     .fire = nominates_other},
    {.name = "stun-cut",
     .what = "checks cut at every length",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = cut},
    {.name = "stun-oversize",
     .what = "attributes of 4 KB, 300 attributes, attributes longer than the datagram",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = oversize},
    {.name = "stun-unknown",
     .what = "authentic checks full of unknown attributes that must be understood",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .fire = unknown_attributes},
    {.name = "stun-role",
     .what = "authentic checks of a peer that says it is controlled",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .fire = role_conflict},
    {.name = "stun-response",
     .what = "responses and errors with guessed and with overheard ids",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = response},
    {.name = "stun-indication",
     .what = "binding indications",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .fire = indication},
    {.name = "stun-amplify",
     .what = "requests that a reflector would answer: bare, TURN, RFC 3489, unknown attributes",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .fire = amplification},
    {.name = "stun-core",
     .what = "forged checks to the core leg",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER | ATTACK_PHONE,
     .target = ATTACK_CORE,
     .fire = forged},
    {.name = "stun-flood",
     .what = "100,000 forged checks a second",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .per_s = FLOOD_PER_S,
     .fire = forged},
    {.name = "stun-flood-responses",
     .what = "100,000 responses and errors a second",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .per_s = FLOOD_PER_S,
     .fire = response},
    {.name = "stun-flood-plain",
     .what = "100,000 plain Binding requests a second",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .per_s = FLOOD_PER_S,
     .fire = plain},
    {0},
};
