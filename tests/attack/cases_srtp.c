/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP and SRTCP on the browser's leg: replayed, changed, forged, in the clear; and the roll-over
 * counter, which must be right whatever comes. */
#include "tests/attack/forge.h"

#include "base/rand.h"
#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    FLOOD_FROM = 1000, /* packets: more than a burst of the contract */
    PACKET_ROOM = ATTACK_HEARD_BYTES,
    PER_TICK = 20, /* attack packets to one of media, at ten times the rate of a call */
    OLD = 140,     /* behind the replay window of 128 packets */
    FASTER = 2000, /* a second, where packets of the call itself are among the attack's */
    STRIDE = 1024, /* numbers from one pair of packets to the next; divides 65536 */
    APART = 50,    /* numbers between the two of a pair */
};

/* A call as young as this has no packets that old: it begins with talking faster. */
static void replay_old(attack *a, uint64_t n)
{
    uint8_t media[PACKET_ROOM];
    if (n <= OLD + PER_TICK || n % PER_TICK == 0)
        attack_send_media(a, media, attack_next_media(a, media, 0));
    else
        forge_replay(a, OLD + n % PER_TICK);
}

/* --- changed -----------------------------------------------------------------------------------
 */

/* A packet that is about to be sent: changed copies of it go first, then it goes itself. */
static void with_copies(attack *a, uint64_t n, void (*change)(attack *a, uint64_t n))
{
    attack_heard *next = a->own;
    if (n % PER_TICK == 0)
        next->len = attack_next_media(a, next->data, 0);
    if (n % PER_TICK == PER_TICK - 1) {
        attack_send_media(a, next->data, next->len);
        next->len = 0;
        return;
    }
    craft_clear(&a->packet);
    craft_add(&a->packet, next->data, next->len);
    change(a, n);
    attack_send_packet(a);
}

static void keep_one(attack *a)
{
    a->own = calloc(1, sizeof(attack_heard));
    AGW_ASSERT(a->own != NULL);
}

static void send_kept(attack *a)
{
    const attack_heard *next = a->own;
    if (next->len != 0)
        attack_send_media(a, next->data, next->len);
}

static void flip_bit(attack *a, uint64_t n)
{
    a->packet.data[n % a->packet.len] ^= (uint8_t)(1U << craft_below(&a->rng, 8));
}

static void tamper(attack *a, uint64_t n)
{
    with_copies(a, n, flip_bit);
}

static void resize(attack *a, uint64_t n)
{
    with_copies(a, n, forge_change_length);
}

/* --- forged ------------------------------------------------------------------------------------
 */

static void other_key(attack *a)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    const agw_srtp_suite suite = attack_browser(a)->srtp.suite != AGW_SRTP_NONE
                                     ? attack_browser(a)->srtp.suite
                                     : AGW_SRTP_AEAD_128_GCM;
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    agw_rand_bytes(key, sizeof key);
    a->own = agw_srtp_session_new(suite, key, (size_t)info->key_len + info->salt_len, true);
    AGW_ASSERT(a->own != NULL);
}

/* What the gateway sent to the browser comes back to it. */
static void gateway_keys(attack *a)
{
    a->own = attack_session(a, true);
    AGW_ASSERT(a->own != NULL);
}

/* The peer itself, authentic: thousands of SSRCs. A session takes 32, so it is made anew. */
static void authentic_ssrcs(attack *a, uint64_t n)
{
    if (n % AGW_SRTP_SSRC_MAX == 0) {
        forge_close_session(a);
        a->own = attack_session(a, false);
        AGW_ASSERT(a->own != NULL);
    }
    forge_rtp(a, forge_sender(a), (uint32_t)n, CRAFT_MARK + (uint32_t)n);
    forge_send_protected(a);
}

/* --- roll-over ---------------------------------------------------------------------------------
 */

/* How many numbers to leave out until the next one ends like this. */
static unsigned skip_to(const attack *a, unsigned ending)
{
    return (ending - forge_seq(forge_sender(a), 0)) % STRIDE;
}

/* Two packets change places; every 64th pair has a roll-over between them. */
static void send_swapped(attack *a, uint64_t n)
{
    uint8_t now[PACKET_ROOM];
    attack_heard *before = a->own;
    if (n % 2 == 0) {
        before->len = attack_next_media(a, before->data, skip_to(a, STRIDE - APART / 2));
        return;
    }
    attack_send_media(a, now, attack_next_media(a, now, skip_to(a, APART / 2)));
    attack_send_media(a, before->data, before->len);
    before->len = 0;
}

/* The browser's own stream: gaps, disorder, and a roll-over every 128 packets. */
static void roll_over(attack *a, uint64_t n)
{
    send_swapped(a, n);
}

/* The same while forged packets name the next cycle and the one before. */
static void roll_over_pushed(attack *a, uint64_t n)
{
    if (n % 2 == 0) {
        send_swapped(a, n / 2);
        return;
    }
    forge_send_tagged(a, n % 4 == 1 ? 0x4000 : 0xc000, forge_sender(a)->ssrc);
}

/* --- SRTCP -------------------------------------------------------------------------------------
 */

/* RFC 3711 section 3.4: E = 0 says that it is not encrypted. */
static void rtcp_clear(attack *a, uint64_t n)
{
    craft_clear(&a->packet);
    craft_sr(&a->packet, &a->rng, forge_sender(a)->ssrc);
    if (n % 2 == 0) {
        forge_copy_report(a);
        agw_put32(a->packet.data + forge_index_at(a), (uint32_t)(1000 + n));
    } else {
        craft_add32(&a->packet, (uint32_t)(1000 + n));
        craft_add_random(&a->packet, &a->rng, n % 4 == 1 ? 10 : FORGE_TAG_MAX);
    }
    attack_send_packet(a);
}

static void rtcp_short(attack *a, uint64_t n)
{
    forge_copy_report(a);
    a->packet.len = n % a->packet.len;
    attack_send_packet(a);
}

static void rtcp_plain(attack *a, uint64_t n)
{
    craft_clear(&a->packet);
    if (n % 3 == 0)
        craft_bye(&a->packet, forge_sender(a)->ssrc);
    else if (n % 3 == 1)
        craft_sr(&a->packet, &a->rng, forge_sender(a)->ssrc);
    else
        craft_app(&a->packet, forge_sender(a)->ssrc);
    attack_send_packet(a);
}

static void flood(attack *a, uint64_t n)
{
    uint8_t now[PACKET_ROOM];
    (void)n;
    attack_send_media(a, now, attack_next_media(a, now, 0));
}

/* TS 23.334 section 5.6. Judged where there are enough packets to tell. */
static const char *judge_flood(attack *a)
{
    const uint64_t sent = a->victim.sent[KIT_A], came = a->victim.call.checker[KIT_B].accepted;
    if (sent >= FLOOD_FROM && came > sent / 2)
        return "more than the contract passed";
    return attack_slower(a);
}

const attack_case ATTACK_SRTP_CASES[] = {
    {.name = "srtp-replay",
     .what = "the newest packet again, ten times",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = forge_replay_newest},
    {.name = "srtp-replay-old",
     .what = "packets from behind the replay window",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .judged = ATTACK_OWN_MEDIA,
     .per_s = FASTER,
     .fire = replay_old},
    {.name = "srtp-replay-second",
     .what = "the last second of talk over and over",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = forge_replay_second},
    {.name = "srtp-tamper",
     .what = "copies with one bit changed, in front of the packet itself",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .judged = ATTACK_OWN_MEDIA,
     .begin = keep_one,
     .fire = tamper,
     .stop = send_kept},
    {.name = "srtp-length",
     .what = "copies with a part of the tag, without tag, cut, with more behind it",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .judged = ATTACK_OWN_MEDIA,
     .begin = keep_one,
     .fire = resize,
     .stop = send_kept},
    {.name = "srtp-wrong-key",
     .what = "the stream's next packets under another key",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .begin = other_key,
     .fire = forge_next,
     .end = forge_close_session},
    {.name = "srtp-future",
     .what = "forged packets far ahead, to move the roll-over counter",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .fire = forge_far_future},
    {.name = "srtp-plain",
     .what = "downgrade: plain RTP of the stream on the SRTP leg",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = forge_plain},
    {.name = "srtp-ssrcs",
     .what = "forged packets, another SSRC each",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .fire = forge_many_ssrcs},
    {.name = "srtp-reflect",
     .what = "the gateway's own stream under its own key",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .begin = gateway_keys,
     .fire = forge_reflected,
     .end = forge_close_session},
    {.name = "srtp-ssrcs-peer",
     .what = "the browser itself sends thousands of SSRCs, authentic ones",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .judged = ATTACK_PARTY_MEDIA,
     .fire = authentic_ssrcs,
     .end = forge_close_session},
    {.name = "srtp-flood-peer",
     .what =
         "the browser's own media at ten times the rate: its contract passes, no other call minds",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .judged = ATTACK_OWN_MEDIA | ATTACK_PARTY_MEDIA,
     .fire = flood,
     .judge = judge_flood},
    {.name = "srtp-roll-over",
     .what = "no attack: gaps, swapped packets, many roll-overs",
     .when = ATTACK_AFTER,
     .from = ATTACK_PEER,
     .judged = ATTACK_OWN_MEDIA,
     .per_s = FASTER,
     .begin = keep_one,
     .fire = roll_over,
     .stop = send_kept},
    {.name = "srtp-roll-over-pushed",
     .what = "the same between forged packets of other cycles",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .judged = ATTACK_OWN_MEDIA,
     .per_s = FASTER,
     .begin = keep_one,
     .fire = roll_over_pushed,
     .stop = send_kept},
    {.name = "srtcp-replay",
     .what = "a genuine sender report again and again",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .begin = forge_keep_report,
     .fire = forge_replay_report},
    {.name = "srtcp-tamper",
     .what = "the same with another index and changed bits",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .begin = forge_keep_report,
     .fire = forge_tamper_report},
    {.name = "srtcp-clear",
     .what = "SRTCP that says it is not encrypted",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .begin = forge_keep_report,
     .fire = rtcp_clear},
    {.name = "srtcp-short",
     .what = "SRTCP cut at every length",
     .when = ATTACK_AFTER,
     .from = ATTACK_BROWSER,
     .begin = forge_keep_report,
     .fire = rtcp_short},
    {.name = "srtcp-plain",
     .what = "downgrade: plain BYE, SR, APP on the SRTP leg",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = rtcp_plain},
    {0},
};
