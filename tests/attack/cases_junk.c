/* SPDX-License-Identifier: BSD-3-Clause
 * What is no protocol at all: every length from 0 to 16 with every first byte, datagrams of up to
 * 65,507 bytes, ICMP. */
#include "tests/attack/attack.h"

#include "base/wire.h"

enum {
    TINY = 17, /* lengths 0 to 16 */
    TINY_KINDS = TINY * 256,
    TINY_STEP = 1021,  /* prime to TINY_KINDS: a short run sees some of everything */
    TINY_PER_S = 5000, /* all of them to one port in a second */
    JUMBO_PER_S = 200, /* fragments in thousands */
    ICMP_PORT = 3,
    ICMP_HOST = 1,
    ICMP_TOO_LONG = 4,
    SHORT_MTU = 68,
    VIDEO = 1000, /* bytes of payload */
};

static void tiny(attack *a, uint64_t n)
{
    const unsigned kind = (unsigned)(n * TINY_STEP % TINY_KINDS);
    craft_clear(&a->packet);
    craft_add8(&a->packet, kind % 256);
    craft_add_random(&a->packet, &a->rng, TINY);
    a->packet.len = kind / 256;
    attack_send_packet(a);
}

static void jumbo(attack *a, uint64_t n)
{
    static const uint8_t FIRST[] = {0x00, 0x16, 0x80, 0x80, 0x14, 0x90, 0xff, 0x40};
    static const uint16_t LENGTHS[] = {1472, 1473, 1500, 1824, 1825, 2048, 9000, 32768, 65507};
    craft_clear(&a->packet);
    craft_add8(&a->packet, FIRST[n % sizeof FIRST]);
    craft_add8(&a->packet, n % 16 < 8 ? 0 : 200);
    craft_add_random(&a->packet, &a->rng, LENGTHS[n % (sizeof LENGTHS / sizeof LENGTHS[0])] - 2U);
    if (!attack_raw_udp(&a->source, &a->target, a->packet.data, a->packet.len))
        attack_fail(a, "the attacker's own system refused to send");
    a->fired++;
    a->fired_bytes += a->packet.len;
}

/* "What you sent did not arrive": a stranger knows addresses and ports at most. */
static void send_icmp(attack *a, uint8_t code, uint16_t value)
{
    if (!attack_raw_unreachable(&a->source, &a->target, code, value))
        attack_fail(a, "the attacker's own system refused to send");
    a->fired++;
    a->fired_bytes += 36;
}

static void unreachable(attack *a, uint64_t n)
{
    send_icmp(a, n % 2 == 0 ? ICMP_PORT : ICMP_HOST, 0);
}

/* Who believes it sends fragments from then on, which are not taken here. */
static void too_long(attack *a, uint64_t n)
{
    (void)n;
    send_icmp(a, ICMP_TOO_LONG, SHORT_MTU);
}

const attack_case ATTACK_JUNK_CASES[] = {
    {.name = "none",
     .what = "no attack: what fails here fails without one",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER},
    {.name = "none-plain",
     .what = "the same where both legs are plain",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .kind = KIT_CALL_RTP_RTP},
    {.name = "junk-tiny",
     .what = "0 to 16 bytes, every first byte",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .per_s = TINY_PER_S,
     .fire = tiny},
    {.name = "junk-tiny-core",
     .what = "the same to the core port",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .per_s = TINY_PER_S,
     .fire = tiny},
    {.name = "junk-tiny-spoofed",
     .what = "the same with the phone's address and port: RTP headers among it have no proof",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE,
     .judged = ATTACK_NO_PROOF,
     .per_s = TINY_PER_S,
     .fire = tiny},
    {.name = "junk-tiny-rtcp",
     .what = "the same to the core's RTCP port",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE_RTCP,
     .per_s = TINY_PER_S,
     .fire = tiny},
    {.name = "junk-jumbo",
     .what = "1,472 to 65,507 bytes of every kind, in IP fragments",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .per_s = JUMBO_PER_S,
     .fire = jumbo},
    {.name = "junk-jumbo-core",
     .what = "the same to the core port",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .per_s = JUMBO_PER_S,
     .fire = jumbo},
    {.name = "icmp-unreachable",
     .what = "port and host unreachable, about the browser",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .fire = unreachable},
    {.name = "icmp-unreachable-core",
     .what = "the same about the phone",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE,
     .fire = unreachable},
    {.name = "icmp-too-long",
     .what = "media of 1,000 bytes is said to be too long for a link of 68",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .payload = VIDEO,
     .fire = too_long},
    {.name = "icmp-too-long-core",
     .what = "the same about the phone",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE,
     .payload = VIDEO,
     .fire = too_long},
    {0},
};
