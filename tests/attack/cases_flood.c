/* SPDX-License-Identifier: BSD-3-Clause
 * Floods of everything at once, from one source and from many, and what others feel of them: the
 * bystander's latency, and a browser that sets a call up behind the attacker's own address. */
#include "tests/attack/attack.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FLOOD = 100000, /* a second */
    SOURCES = 256,
    PAYLOAD = 160,
    PORT_FIRST = 10000,
    PORTS = 20000, /* below those of our browsers and phones */
};

static const agw_ns NEIGHBOUR_UP = AGW_S(1);

static const char WRONG_KEY[] = "0123456789abcdefghijklmn";

/* What costs a gateway something before it knows who talks to it. names: the call that is named. */
static void write_to_access(attack *a, uint64_t n, const kit_browser *names)
{
    craft *c = &a->packet;
    switch (n % 6) {
    case 0: /* the attributes are missing */
        craft_check(c, &a->rng, names->remote_ufrag, names->ufrag, WRONG_KEY, true);
        c->len = 20 + n % 40;
        return;
    case 1:
        craft_check(c, &a->rng, names->remote_ufrag, names->ufrag, WRONG_KEY, true);
        return;
    case 2:
        craft_check(c, &a->rng, "AAAAzzzz", names->ufrag, names->remote_pwd, true);
        return;
    case 3:
        craft_stun(c, &a->rng, STUN_REQUEST);
        return;
    case 4:
        craft_clear(c);
        craft_hello(c, &a->rng, &CRAFT_HELLO_GOOD, 0);
        return;
    default:
        craft_clear(c);
        craft_rtp(c, &a->rng, 0, (uint16_t)n, (uint32_t)n, CRAFT_MARK, PAYLOAD);
        return;
    }
}

static void write_to_core(attack *a, uint64_t n)
{
    craft *c = &a->packet;
    craft_clear(c);
    if (n % 4 == 0)
        craft_hello(c, &a->rng, &CRAFT_HELLO_GOOD, 0);
    else if (n % 4 == 1)
        craft_check(c, &a->rng, "AAAAzzzz", "abcd", WRONG_KEY, true);
    else if (n % 4 == 2)
        craft_sr(c, &a->rng, CRAFT_MARK);
    else
        craft_rtp(c, &a->rng, 0, (uint16_t)n, (uint32_t)n, CRAFT_MARK, PAYLOAD);
}

static void access_from_one(attack *a, uint64_t n)
{
    write_to_access(a, n, attack_browser(a));
    attack_send_packet(a);
}

static void core_from_one(attack *a, uint64_t n)
{
    write_to_core(a, n);
    attack_send_packet(a);
}

/* --- many sources -----------------------------------------------------------------------------
 */

static void many_sources(attack *a)
{
    agw_addr *sources = calloc(SOURCES, sizeof *sources);
    AGW_ASSERT(sources != NULL);
    for (size_t i = 0; i < SOURCES; i++)
        sources[i] = kit_world_host(a->world);
    a->own = sources;
}

/* Each packet of one kind from another address and port than the one before. */
static void send_from_many(attack *a, uint64_t n)
{
    agw_addr from = ((const agw_addr *)a->own)[n / 6 % SOURCES];
    from.port = (uint16_t)(PORT_FIRST + n % PORTS);
    attack_send_from(a, &from, &a->target, a->packet.data, a->packet.len);
}

static void access_from_many(attack *a, uint64_t n)
{
    write_to_access(a, n, attack_browser(a));
    send_from_many(a, n);
}

static void core_from_many(attack *a, uint64_t n)
{
    write_to_core(a, n);
    send_from_many(a, n);
}

/* --- one address ------------------------------------------------------------------------------
 */

/* Somebody behind the browser's NAT floods in a call of his own. */
static void behind_the_nat(attack *a, uint64_t n)
{
    agw_addr from = attack_browser(a)->local;
    from.port = (uint16_t)(PORT_FIRST + n % PORTS);
    write_to_access(a, n, &a->bystander->call.browser);
    attack_send_from(a, &from, &a->target, a->packet.data, a->packet.len);
}

static const char *judge_neighbour(attack *a)
{
    static char why[60];
    const agw_ns took = a->up_at - a->went_at;
    if (took <= NEIGHBOUR_UP)
        return attack_slower(a);
    snprintf(why, sizeof why, "the neighbour's set-up took %d ms", (int)(took / AGW_MS(1)));
    return why;
}

/* A core port and its buffer are one call's: what a hundred thousand a second crowd out there is
 * that call's own, which must live on. They keep a worker so busy that latency is not judged. */
const attack_case ATTACK_FLOOD_CASES[] = {
    {.name = "flood-access",
     .what = "bad and forged checks, plain requests, ClientHellos, RTP in turn, from one source",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .fire = access_from_one,
     .judge = attack_slower},
    {.name = "flood-access-many",
     .what = "the same from 256 addresses",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .judged = ATTACK_NAMES_NOBODY,
     .begin = many_sources,
     .fire = access_from_many,
     .judge = attack_slower},
    {.name = "flood-core",
     .what = "RTP, RTCP, checks, ClientHellos in turn to the core port, from one source",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .fire = core_from_one,
     .judge = attack_slower},
    {.name = "flood-core-many",
     .what = "the same from 256 addresses",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .begin = many_sources,
     .fire = core_from_many,
     .judge = attack_slower},
    {.name = "flood-access-fast",
     .what = "100,000 a second to the access port from one source",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .per_s = FLOOD,
     .fire = access_from_one,
     .judge = attack_slower},
    {.name = "flood-access-many-fast",
     .what = "the same from 256 addresses",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .judged = ATTACK_NAMES_NOBODY,
     .per_s = FLOOD,
     .begin = many_sources,
     .fire = access_from_many,
     .judge = attack_slower},
    {.name = "flood-core-fast",
     .what = "100,000 a second to the core port from one source",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .judged = ATTACK_NO_PROOF,
     .per_s = FLOOD,
     .fire = core_from_one},
    {.name = "flood-core-many-fast",
     .what = "the same from 256 addresses",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .judged = ATTACK_NO_PROOF,
     .per_s = FLOOD,
     .begin = many_sources,
     .fire = core_from_many},
    {.name = "flood-nat",
     .what = "100,000 a second in another call, from other ports of the browser's own address",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .judged = ATTACK_NAMES_NOBODY,
     .per_s = FLOOD,
     .fire = behind_the_nat,
     .judge = judge_neighbour},
    {0},
};
