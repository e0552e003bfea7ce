/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/attack/forge.h"

#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

enum { SECOND = 50 /* packets */ };

kit_side forge_side(const attack *a)
{
    return a->c->kind == KIT_CALL_WEBRTC_SDES ? attack_phone_side(a) : KIT_A;
}

const kit_sender *forge_sender(const attack *a)
{
    return &a->victim.call.sender[forge_side(a)];
}

uint16_t forge_seq(const kit_sender *s, uint32_t ahead)
{
    return (uint16_t)(s->first_seq + s->sent + ahead);
}

void forge_rtp(attack *a, const kit_sender *s, uint32_t ahead, uint32_t ssrc)
{
    craft_clear(&a->packet);
    craft_rtp(&a->packet, &a->rng, s->pt, forge_seq(s, ahead),
              s->first_timestamp + (uint32_t)(s->sent + ahead) * FORGE_PAYLOAD, ssrc,
              FORGE_PAYLOAD);
}

void forge_send_tagged(attack *a, uint32_t ahead, uint32_t ssrc)
{
    forge_rtp(a, forge_sender(a), ahead, ssrc);
    craft_add_random(&a->packet, &a->rng, FORGE_TAG_MAX);
    attack_send_packet(a);
}

void forge_send_protected(attack *a)
{
    if (agw_srtp_protect(a->own, a->packet.data, &a->packet.len, AGW_SRTP_TRAILER_MAX) == AGW_OK)
        attack_send_packet(a);
}

void forge_close_session(attack *a)
{
    agw_srtp_session_free(a->own);
    a->own = NULL;
}

void forge_replay(attack *a, uint64_t back)
{
    const attack_heard *heard = attack_heard_at(a, back);
    if (heard != NULL)
        attack_send(a, heard->data, heard->len);
}

void forge_replay_newest(attack *a, uint64_t n)
{
    (void)n;
    forge_replay(a, 0);
}

void forge_replay_second(attack *a, uint64_t n)
{
    forge_replay(a, SECOND - 1 - n % SECOND);
}

void forge_change_length(attack *a, uint64_t n)
{
    if (n % 3 == 0)
        craft_add_random(&a->packet, &a->rng, 1 + n % FORGE_TAG_MAX);
    else if (n % 3 == 1)
        a->packet.len -= 1 + n % FORGE_TAG_MAX;
    else
        a->packet.len -= 1 + n % (a->packet.len - 1);
}

void forge_next(attack *a, uint64_t n)
{
    const kit_sender *s = forge_sender(a);
    forge_rtp(a, s, (uint32_t)n, s->ssrc);
    forge_send_protected(a);
}

void forge_far_future(attack *a, uint64_t n)
{
    const uint32_t ahead =
        n % 2 == 0 ? 0x7fff - (uint32_t)(n % 64) : 0x4000 + craft_below(&a->rng, 0x3000);
    forge_send_tagged(a, ahead, forge_sender(a)->ssrc);
}

void forge_plain(attack *a, uint64_t n)
{
    const kit_sender *s = forge_sender(a);
    forge_rtp(a, s, (uint32_t)(n % 8), s->ssrc);
    attack_send_packet(a);
}

void forge_many_ssrcs(attack *a, uint64_t n)
{
    forge_send_tagged(a, (uint32_t)n, craft_rand(&a->rng));
}

void forge_reflected(attack *a, uint64_t n)
{
    const kit_checker *c = &a->victim.call.checker[forge_side(a)];
    craft_clear(&a->packet);
    craft_rtp(&a->packet, &a->rng, c->pt, (uint16_t)(c->seq_0 + c->next + n),
              c->timestamp_0 + (uint32_t)(c->next + n) * FORGE_PAYLOAD, c->ssrc, FORGE_PAYLOAD);
    forge_send_protected(a);
}

/* --- SRTCP -------------------------------------------------------------------------------------
 */

static kit_srtp *keys(attack *a)
{
    return forge_side(a) == attack_phone_side(a) ? &attack_phone(a)->srtp
                                                 : &attack_browser(a)->srtp;
}

static void send_report(attack *a, const uint8_t *data, size_t len)
{
    if (forge_side(a) == attack_phone_side(a)) {
        const kit_phone *p = attack_phone(a);
        kit_wire_send(a->world->wire, &p->local_rtcp, &p->remote_rtcp, data, len);
    } else {
        const kit_browser *b = attack_browser(a);
        kit_wire_send(a->world->wire, &b->local, &b->remote, data, len);
    }
}

void forge_keep_report(attack *a)
{
    const uint32_t ssrc = forge_sender(a)->ssrc;
    attack_heard *kept = calloc(1, sizeof *kept);
    AGW_ASSERT(kept != NULL);
    craft_clear(&a->packet);
    craft_sr(&a->packet, &a->rng, ssrc);
    craft_sdes(&a->packet, ssrc, "a party");
    kept->len = kit_srtp_protect(keys(a), a->packet.data, a->packet.len, true);
    memcpy(kept->data, a->packet.data, kept->len);
    send_report(a, kept->data, kept->len);
    a->victim.call.rtcp_sent[forge_side(a)]++;
    a->own = kept;
}

void forge_copy_report(attack *a)
{
    const attack_heard *kept = a->own;
    craft_clear(&a->packet);
    craft_add(&a->packet, kept->data, kept->len);
}

size_t forge_index_at(attack *a)
{
    const agw_srtp_suite suite = keys(a)->suite;
    const bool gcm = suite == AGW_SRTP_AEAD_128_GCM || suite == AGW_SRTP_AEAD_256_GCM;
    return a->packet.len - 4 - (gcm ? 0 : agw_srtp_suite_get(suite)->rtcp_tag_len);
}

void forge_replay_report(attack *a, uint64_t n)
{
    (void)n;
    forge_copy_report(a);
    attack_send_packet(a);
}

void forge_tamper_report(attack *a, uint64_t n)
{
    forge_copy_report(a);
    const size_t at = forge_index_at(a);
    agw_put32(a->packet.data + at, 0x80000000U | (uint32_t)(1000 + n));
    if (n % 2 == 0)
        a->packet.data[n % at] ^= (uint8_t)(1U << craft_below(&a->rng, 8));
    attack_send_packet(a);
}
