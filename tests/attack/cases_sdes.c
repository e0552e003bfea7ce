/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP and SRTCP on a phone's leg with keys in SDP: the same that browsers' legs must bear (there
 * everything has its own ports and no ICE before it), and keys that change meanwhile. */
#include "tests/attack/attack.h"

#include "base/rand.h"
#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD = 160,
    SECOND = 50, /* packets */
    TAG_MAX = 16,
    RTCP_INDEX = 4 + 10, /* bytes from the end of SRTCP of AES-CM: index, tag */
    CHANGE_EVERY = 150,  /* packets of an attack */
};

/* A phone's old key serves for 1 s once its new one has been heard. */
static const agw_ns OLD_KEY = AGW_MS(1300);

static const kit_sender *stream(attack *a)
{
    return &a->victim.call.sender[attack_phone_side(a)];
}

/* The phone's stream, `ahead` packets from now, in the clear. */
static void forge(attack *a, uint32_t ahead, uint32_t ssrc)
{
    const kit_sender *s = stream(a);
    craft_clear(&a->packet);
    craft_rtp(&a->packet, &a->rng, s->pt, (uint16_t)(s->first_seq + s->sent + ahead),
              s->first_timestamp + (uint32_t)(s->sent + ahead) * PAYLOAD, ssrc, PAYLOAD);
}

static void replay_newest(attack *a, uint64_t n)
{
    const attack_heard *heard = attack_heard_at(a, 0);
    (void)n;
    if (heard != NULL)
        attack_send(a, heard->data, heard->len);
}

static void replay_second(attack *a, uint64_t n)
{
    const attack_heard *heard = attack_heard_at(a, SECOND - 1 - n % SECOND);
    if (heard != NULL)
        attack_send(a, heard->data, heard->len);
}

/* The newest packet with one of the next numbers: who believes it refuses the genuine one. */
static bool copy_newest(attack *a, uint64_t n)
{
    const attack_heard *heard = attack_heard_at(a, 0);
    if (heard == NULL)
        return false;
    craft_clear(&a->packet);
    craft_add(&a->packet, heard->data, heard->len);
    agw_put16(a->packet.data + 2, (uint16_t)(agw_get16(heard->data + 2) + 1 + n % 8));
    return true;
}

static void tamper(attack *a, uint64_t n)
{
    if (!copy_newest(a, n))
        return;
    if (n % 2 == 0)
        a->packet.data[4 + n % (a->packet.len - 4)] ^= (uint8_t)(1U << craft_below(&a->rng, 8));
    attack_send_packet(a);
}

static void resize(attack *a, uint64_t n)
{
    if (!copy_newest(a, n))
        return;
    if (n % 3 == 0)
        craft_add_random(&a->packet, &a->rng, 1 + n % TAG_MAX);
    else if (n % 3 == 1)
        a->packet.len -= 1 + n % TAG_MAX;
    else
        a->packet.len -= 1 + n % (a->packet.len - 1);
    attack_send_packet(a);
}

static void use_key(attack *a, const uint8_t *key)
{
    const agw_srtp_suite suite = attack_phone(a)->crypto.suite;
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    agw_srtp_session_free(a->own);
    a->own = agw_srtp_session_new(suite, key, info->key_len + info->salt_len, true);
    AGW_ASSERT(a->own != NULL);
}

static void close_session(attack *a)
{
    agw_srtp_session_free(a->own);
    a->own = NULL;
}

static void other_key(attack *a)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    agw_rand_bytes(key, sizeof key);
    use_key(a, key);
}

static void send_protected(attack *a)
{
    if (agw_srtp_protect(a->own, a->packet.data, &a->packet.len, AGW_SRTP_TRAILER_MAX) == AGW_OK)
        attack_send_packet(a);
}

static void wrong_key(attack *a, uint64_t n)
{
    forge(a, (uint32_t)n, stream(a)->ssrc);
    send_protected(a);
}

static void far_future(attack *a, uint64_t n)
{
    forge(a, n % 2 == 0 ? 0x7fff - (uint32_t)(n % 64) : 0x4000 + craft_below(&a->rng, 0x3000),
          stream(a)->ssrc);
    craft_add_random(&a->packet, &a->rng, TAG_MAX);
    attack_send_packet(a);
}

static void plain(attack *a, uint64_t n)
{
    forge(a, (uint32_t)(n % 8), stream(a)->ssrc);
    attack_send_packet(a);
}

static void many_ssrcs(attack *a, uint64_t n)
{
    forge(a, (uint32_t)n, craft_rand(&a->rng));
    craft_add_random(&a->packet, &a->rng, TAG_MAX);
    attack_send_packet(a);
}

/* What the gateway sends to the phone comes back to it. */
static void gateway_key(attack *a)
{
    use_key(a, attack_phone(a)->gateway_crypto.key);
}

static void reflected(attack *a, uint64_t n)
{
    const kit_checker *c = &a->victim.call.checker[attack_phone_side(a)];
    craft_clear(&a->packet);
    craft_rtp(&a->packet, &a->rng, c->pt, (uint16_t)(c->seq_0 + c->next + n),
              c->timestamp_0 + (uint32_t)(c->next + n) * PAYLOAD, c->ssrc, PAYLOAD);
    send_protected(a);
}

/* --- keys that change --------------------------------------------------------------------------
 */

/* Who has got the old key, by an old SDP say, talks when its time is over. */
static void old_key(attack *a)
{
    use_key(a, attack_phone(a)->crypto.key);
    attack_change_key(a);
    attack_run_for(a, OLD_KEY);
}

static void talk_under_old_key(attack *a, uint64_t n)
{
    forge(a, (uint32_t)n, stream(a)->ssrc);
    send_protected(a);
}

/* Keys change while wrong, damaged and repeated packets come: with two keys each is tried twice. */
static void race(attack *a, uint64_t n)
{
    if (n % CHANGE_EVERY == 0)
        attack_change_key(a);
    else if (n % 3 == 0)
        wrong_key(a, n % 64);
    else if (n % 3 == 1)
        tamper(a, 2 * n);
    else
        replay_newest(a, n);
}

/* --- SRTCP -------------------------------------------------------------------------------------
 */

/* A sender report of the phone, sent once and kept. */
static void send_report(attack *a)
{
    kit_phone *p = attack_phone(a);
    attack_heard *kept = calloc(1, sizeof *kept);
    AGW_ASSERT(kept != NULL);
    craft_clear(&a->packet);
    craft_sr(&a->packet, &a->rng, stream(a)->ssrc);
    craft_sdes(&a->packet, stream(a)->ssrc, "a phone");
    kept->len = kit_srtp_protect(&p->srtp, a->packet.data, a->packet.len, true);
    memcpy(kept->data, a->packet.data, kept->len);
    kit_wire_send(a->world->wire, &p->local_rtcp, &p->remote_rtcp, kept->data, kept->len);
    a->victim.call.rtcp_sent[attack_phone_side(a)]++;
    a->own = kept;
}

static void copy_kept(attack *a)
{
    const attack_heard *kept = a->own;
    craft_clear(&a->packet);
    craft_add(&a->packet, kept->data, kept->len);
}

static void rtcp_replay(attack *a, uint64_t n)
{
    (void)n;
    copy_kept(a);
    attack_send_packet(a);
}

static void rtcp_tamper(attack *a, uint64_t n)
{
    copy_kept(a);
    const size_t at = a->packet.len - RTCP_INDEX;
    agw_put32(a->packet.data + at, 0x80000000U | (uint32_t)(1000 + n));
    if (n % 2 == 0)
        a->packet.data[n % at] ^= (uint8_t)(1U << craft_below(&a->rng, 8));
    attack_send_packet(a);
}

/* E = 0 in the genuine one, cut ones, plain ones. */
static void rtcp_bare(attack *a, uint64_t n)
{
    copy_kept(a);
    if (n % 3 == 0)
        agw_put32(a->packet.data + a->packet.len - RTCP_INDEX, (uint32_t)(1000 + n));
    else if (n % 3 == 1)
        a->packet.len = n % a->packet.len;
    else
        a->packet.len = 0;
    if (n % 3 == 2)
        craft_bye(&a->packet, stream(a)->ssrc);
    attack_send_packet(a);
}

/* A case with the usual answers to when, from and where; the rest of the row follows. */
#define SDES_CASE(case_name, text)                                                                 \
    .name = (case_name), .what = (text), .kind = KIT_CALL_WEBRTC_SDES, .when = ATTACK_AFTER,       \
    .from = ATTACK_STRANGER | ATTACK_PHONE, .target = ATTACK_CORE

#define SDES_RTCP_CASE(case_name, text)                                                            \
    .name = (case_name), .what = (text), .kind = KIT_CALL_WEBRTC_SDES, .when = ATTACK_AFTER,       \
    .from = ATTACK_STRANGER | ATTACK_PHONE, .target = ATTACK_CORE_RTCP, .begin = send_report

const attack_case ATTACK_SDES_CASES[] = {
    {SDES_CASE("sdes-replay", "the newest packet again, ten times"), .fire = replay_newest},
    {SDES_CASE("sdes-replay-second", "the last second of talk over and over"),
     .fire = replay_second},
    {SDES_CASE("sdes-tamper", "the newest packet with the next numbers and changed bits"),
     .fire = tamper},
    {SDES_CASE("sdes-length", "the same cut, without tag, with more behind it"), .fire = resize},
    {SDES_CASE("sdes-wrong-key", "the stream's next packets under another key"), .begin = other_key,
     .fire = wrong_key, .end = close_session},
    {SDES_CASE("sdes-future", "forged packets far ahead, to move the roll-over counter"),
     .fire = far_future},
    {SDES_CASE("sdes-plain", "downgrade: plain RTP of the stream"), .fire = plain},
    {SDES_CASE("sdes-ssrcs", "forged packets, another SSRC each"), .fire = many_ssrcs},
    {SDES_CASE("sdes-reflect", "the gateway's own stream under its own key"), .begin = gateway_key,
     .fire = reflected, .end = close_session},
    {SDES_CASE("sdes-old-key", "the stream under the key of before the last change"),
     .begin = old_key, .fire = talk_under_old_key, .end = close_session},
    {SDES_CASE("sdes-key-race", "keys change between wrong, changed and repeated packets"),
     .begin = other_key, .fire = race, .end = close_session},
    {SDES_RTCP_CASE("sdes-srtcp-replay", "a genuine sender report again and again"),
     .fire = rtcp_replay},
    {SDES_RTCP_CASE("sdes-srtcp-tamper", "the same with another index and changed bits"),
     .fire = rtcp_tamper},
    {SDES_RTCP_CASE("sdes-srtcp-bare", "SRTCP not encrypted, cut, plain BYE"), .fire = rtcp_bare},
    {0},
};
