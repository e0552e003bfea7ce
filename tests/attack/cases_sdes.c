/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP and SRTCP on a phone's leg with keys in SDP: the same that browsers' legs must bear (there
 * everything has its own ports and no ICE before it), and keys that change meanwhile. */
#include "tests/attack/forge.h"

#include "base/rand.h"
#include "base/wire.h"

enum { CHANGE_EVERY = 150 /* packets of an attack */ };

/* A phone's old key serves for 1 s once its new one has been heard. */
static const agw_ns OLD_KEY = AGW_MS(1300);

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
    forge_change_length(a, n);
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

static void other_key(attack *a)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    agw_rand_bytes(key, sizeof key);
    use_key(a, key);
}

/* What the gateway sends to the phone comes back to it. */
static void gateway_key(attack *a)
{
    use_key(a, attack_phone(a)->gateway_crypto.key);
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

/* Keys change while wrong, damaged and repeated packets come: with two keys each is tried twice. */
static void race(attack *a, uint64_t n)
{
    if (n % CHANGE_EVERY == 0)
        attack_change_key(a);
    else if (n % 3 == 0)
        forge_next(a, n % 64);
    else if (n % 3 == 1)
        tamper(a, 2 * n);
    else
        forge_replay_newest(a, n);
}

/* --- SRTCP -------------------------------------------------------------------------------------
 */

/* E = 0 in the genuine one, cut ones, plain ones. */
static void rtcp_bare(attack *a, uint64_t n)
{
    forge_copy_report(a);
    if (n % 3 == 0)
        agw_put32(a->packet.data + forge_index_at(a), (uint32_t)(1000 + n));
    else if (n % 3 == 1)
        a->packet.len = n % a->packet.len;
    else
        a->packet.len = 0;
    if (n % 3 == 2)
        craft_bye(&a->packet, forge_sender(a)->ssrc);
    attack_send_packet(a);
}

/* A case with the usual answers to when, from and where; the rest of the row follows. */
#define SDES_CASE(case_name, text)                                                                 \
    .name = (case_name), .what = (text), .kind = KIT_CALL_WEBRTC_SDES, .when = ATTACK_AFTER,       \
    .from = ATTACK_STRANGER | ATTACK_PHONE, .target = ATTACK_CORE

#define SDES_RTCP_CASE(case_name, text)                                                            \
    .name = (case_name), .what = (text), .kind = KIT_CALL_WEBRTC_SDES, .when = ATTACK_AFTER,       \
    .from = ATTACK_STRANGER | ATTACK_PHONE, .target = ATTACK_CORE_RTCP, .begin = forge_keep_report

const attack_case ATTACK_SDES_CASES[] = {
    {SDES_CASE("sdes-replay", "the newest packet again, ten times"), .fire = forge_replay_newest},
    {SDES_CASE("sdes-replay-second", "the last second of talk over and over"),
     .fire = forge_replay_second},
    {SDES_CASE("sdes-tamper", "the newest packet with the next numbers and changed bits"),
     .fire = tamper},
    {SDES_CASE("sdes-length", "the same cut, without tag, with more behind it"), .fire = resize},
    {SDES_CASE("sdes-wrong-key", "the stream's next packets under another key"), .begin = other_key,
     .fire = forge_next, .end = forge_close_session},
    {SDES_CASE("sdes-future", "forged packets far ahead, to move the roll-over counter"),
     .fire = forge_far_future},
    {SDES_CASE("sdes-plain", "downgrade: plain RTP of the stream"), .fire = forge_plain},
    {SDES_CASE("sdes-ssrcs", "forged packets, another SSRC each"), .fire = forge_many_ssrcs},
    {SDES_CASE("sdes-reflect", "the gateway's own stream under its own key"), .begin = gateway_key,
     .fire = forge_reflected, .end = forge_close_session},
    {SDES_CASE("sdes-old-key", "the stream under the key of before the last change"),
     .begin = old_key, .fire = forge_next, .end = forge_close_session},
    {SDES_CASE("sdes-key-race", "keys change between wrong, changed and repeated packets"),
     .begin = other_key, .fire = race, .end = forge_close_session},
    {SDES_RTCP_CASE("sdes-srtcp-replay", "a genuine sender report again and again"),
     .fire = forge_replay_report},
    {SDES_RTCP_CASE("sdes-srtcp-tamper", "the same with another index and changed bits"),
     .fire = forge_tamper_report},
    {SDES_RTCP_CASE("sdes-srtcp-bare", "SRTCP not encrypted, cut, plain BYE"), .fire = rtcp_bare},
    {0},
};
