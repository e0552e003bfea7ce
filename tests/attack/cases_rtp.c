/* SPDX-License-Identifier: BSD-3-Clause
 * RTP injection and RTP bleed on plain legs (CVE-2025-53399, CVE-2017-14099): a stranger who talks
 * first, or louder, or to every port. */
#include "tests/attack/attack.h"

#include "base/wire.h"

enum {
    PAYLOAD = 160,
    PORT_FIRST = 20000, /* the gateway's range, as the bench starts it */
    PORT_LAST = 59998,
    SPRAY_NEAR = 64, /* ports around the call's own, which a scan finds sooner or later */
};

/* A stream of the attacker's own. */
static void send_stream(attack *a, uint64_t n, uint32_t ssrc)
{
    craft_clear(&a->packet);
    craft_rtp(&a->packet, &a->rng, 0, (uint16_t)n, (uint32_t)n * PAYLOAD, ssrc, PAYLOAD);
    attack_send_packet(a);
}

static void inject(attack *a, uint64_t n)
{
    send_stream(a, n, CRAFT_MARK);
}

/* The phone's own SSRC and its next numbers. */
static void inject_twin(attack *a, uint64_t n)
{
    const kit_sender *s = &a->victim.call.sender[attack_phone_side(a)];
    craft_clear(&a->packet);
    craft_rtp(&a->packet, &a->rng, s->pt, (uint16_t)(s->first_seq + s->sent + n % 4),
              s->first_timestamp + (uint32_t)(s->sent + n % 4) * PAYLOAD, s->ssrc, PAYLOAD);
    attack_send_packet(a);
}

static void another_port(attack *a)
{
    a->source.port = (uint16_t)(a->source.port + 1000);
}

static void write_rtcp(attack *a, uint64_t n)
{
    const uint32_t ssrc = a->victim.call.sender[attack_phone_side(a)].ssrc;
    craft_clear(&a->packet);
    switch (n % 5) {
    case 0:
        craft_sr(&a->packet, &a->rng, CRAFT_MARK);
        craft_bye(&a->packet, ssrc);
        break;
    case 1:
        craft_app(&a->packet, ssrc);
        break;
    case 2: /* AST-2017-008: four bytes */
        craft_add32(&a->packet, 0x80c80000);
        break;
    case 3:
        craft_sr(&a->packet, &a->rng, ssrc);
        a->packet.data[0] |= 31; /* reports that are not there */
        break;
    default:
        craft_sr(&a->packet, &a->rng, ssrc);
        craft_sdes(&a->packet, ssrc, "a stranger");
        break;
    }
}

static void rtcp_inject(attack *a, uint64_t n)
{
    write_rtcp(a, n);
    attack_send_packet(a);
}

/* RTP and RTCP to ports of the whole range; every second one near the call's. */
static void spray(attack *a, uint64_t n)
{
    agw_addr to = a->core;
    to.port = (uint16_t)(PORT_FIRST + craft_below(&a->rng, PORT_LAST - PORT_FIRST + 2));
    if (n % 2 == 0)
        to.port = (uint16_t)(a->core.port + n / 2 % SPRAY_NEAR - SPRAY_NEAR / 2);
    if (to.port % 2 != 0) {
        write_rtcp(a, n);
    } else {
        craft_clear(&a->packet);
        craft_rtp(&a->packet, &a->rng, 0, (uint16_t)n, (uint32_t)n * PAYLOAD, CRAFT_MARK, PAYLOAD);
    }
    attack_send_to(a, &to, a->packet.data, a->packet.len);
}

const attack_case ATTACK_RTP_CASES[] = {
    {.name = "rtp-inject",
     .what = "a stream of the stranger's own to the core port",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .fire = inject},
    {.name = "rtp-inject-plain",
     .what = "the same where both legs are plain",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .kind = KIT_CALL_RTP_RTP,
     .fire = inject},
    {.name = "rtp-inject-twin",
     .what = "the phone's SSRC and next numbers, from a stranger",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .fire = inject_twin},
    {.name = "rtp-spray",
     .what = "bleed: RTP and RTCP to every port of the range",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .fire = spray},
    {.name = "rtp-spray-plain",
     .what = "the same where both legs are plain",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE,
     .kind = KIT_CALL_RTP_RTP,
     .fire = spray},
    {.name = "rtcp-inject",
     .what = "SR, BYE, APP, four bytes, reports that are not there",
     .when = ATTACK_EVER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CORE_RTCP,
     .fire = rtcp_inject},
    {.name = "rtp-other-port",
     .what = "the phone's address, another port: accepted by design (TS 26.114 lets phones do it)",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE,
     .judged = ATTACK_NO_PROOF,
     .begin = another_port,
     .fire = inject},
    {.name = "rtp-spoofed",
     .what = "the phone's address and port: plain RTP has no proof",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE,
     .judged = ATTACK_NO_PROOF,
     .fire = inject},
    {.name = "rtp-spoofed-twin",
     .what = "and its SSRC and next numbers",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE,
     .judged = ATTACK_NO_PROOF,
     .fire = inject_twin},
    {.name = "rtcp-spoofed",
     .what = "SR, BYE, APP from the phone's address and port: plain RTCP has no proof",
     .when = ATTACK_AFTER,
     .from = ATTACK_PHONE,
     .target = ATTACK_CORE_RTCP,
     .judged = ATTACK_NO_PROOF,
     .fire = rtcp_inject},
    {0},
};
