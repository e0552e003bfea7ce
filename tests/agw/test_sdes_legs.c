/* SPDX-License-Identifier: BSD-3-Clause
 * Legs with keys from a=crypto, on virtual time: every pair of legs, keys that change, and what is
 * dropped. */
#include "srtp/sdes.h"
#include "tests/agw/lab.h"
#include "unit.h"

enum { SSRC = 0x31 };

typedef enum leg_kind { PLAIN, SDES_CM, SDES_GCM, DTLS, LEG_KINDS } leg_kind;

/* One party of the call: its transport, its ports here, and its sessions. */
typedef struct leg {
    leg_kind kind;
    uint32_t transport_id;
    size_t port; /* in lab_call.core: RTP, and RTCP behind it */
    agw_srtp_session *in, *out;
    uint16_t seq;
} leg;

typedef struct scene {
    lab *l;
    lab_call *c;
    leg a, b;
} scene;

static agw_srtp_suite suite_of(leg_kind kind)
{
    return kind == SDES_GCM ? AGW_SRTP_AEAD_128_GCM : AGW_SRTP_AES_CM_128_80;
}

/* The nth key of this leg, for one direction. */
static agw_key_plan key_of(const leg *g, bool ours, uint32_t n)
{
    agw_key_plan key = {.epoch = n, .suite = (uint8_t)suite_of(g->kind)};
    memset(key.key, (int)(16 * g->transport_id + 2 * n + ours), sizeof key.key);
    return key;
}

static agw_srtp_session *session_of(const agw_key_plan *key, bool egress)
{
    const agw_srtp_suite suite = (agw_srtp_suite)key->suite;
    agw_srtp_session *s = agw_srtp_session_new(suite, key->key, agw_sdes_key_len(suite), egress);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

static void party_takes_keys(leg *g, const agw_key_plan *its, const agw_key_plan *ours)
{
    agw_srtp_session_free(g->in);
    agw_srtp_session_free(g->out);
    g->in = session_of(ours, false);
    g->out = session_of(its, true);
}

static agw_transport_plan *plan_of(const scene *s, const leg *g)
{
    for (size_t i = 0; i < s->c->plan->n_transports; i++) {
        if (s->c->plan->transports[i].id == g->transport_id)
            return &s->c->plan->transports[i];
    }
    CU_FAIL_FATAL("a leg without transport");
    return NULL;
}

static void leg_plan(const scene *s, leg *g, leg_kind kind, agw_side side)
{
    agw_transport_plan *t = plan_of(s, g);
    g->kind = kind;
    t->side = (uint8_t)side;
    if (kind == DTLS) {
        t->security = AGW_SECURITY_DTLS;
        t->dtls = AGW_DTLS_ACTIVE;
        t->n_fingerprints = 1;
        lab_fingerprint(&t->fingerprints[0], 1);
    } else if (kind != PLAIN) {
        t->security = AGW_SECURITY_SDES;
        t->key_in = key_of(g, false, 1);
        t->key_out = key_of(g, true, 1);
        party_takes_keys(g, &t->key_in, &t->key_out);
    }
}

static void leg_handshake(const scene *s, leg *g)
{
    if (g->kind != DTLS)
        return;
    const lab_assoc *a = lab_assoc_of(s->l, s->c, g->transport_id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    const uint16_t seed = (uint16_t)(g->transport_id + 1);
    agw_key_plan its = {.suite = AGW_SRTP_AES_CM_128_80}, ours = its;
    lab_session_key(its.key, seed, false);
    lab_session_key(ours.key, seed, true);
    party_takes_keys(g, &its, &ours);
    lab_post(s->l, lab_done(a, 1, seed));
    lab_turn(s->l);
}

/* Audio between two legs without ICE. */
static void scene_open(scene *s, leg_kind a, leg_kind b)
{
    memset(s, 0, sizeof *s);
    s->l = malloc(sizeof *s->l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->l);
    lab_open(s->l);
    s->c = &s->l->calls[0];
    lab_call_open(s->l, s->c);
    s->c->plan->n_medias = 1;
    s->c->plan->medias[0].end[AGW_SIDE_A].transport_id = LAB_CORE_VIDEO;
    s->a = (leg){.transport_id = LAB_CORE_VIDEO, .port = 2};
    s->b = (leg){.transport_id = LAB_CORE_AUDIO, .port = 0};
    leg_plan(s, &s->a, a, AGW_SIDE_A);
    leg_plan(s, &s->b, b, AGW_SIDE_B);
    lab_apply(s->l, s->c);
    leg_handshake(s, &s->a);
    leg_handshake(s, &s->b);
}

static void scene_close(scene *s)
{
    lab_close(s->l);
    agw_srtp_session_free(s->a.in);
    agw_srtp_session_free(s->a.out);
    agw_srtp_session_free(s->b.in);
    agw_srtp_session_free(s->b.out);
    free(s->l);
}

static size_t put_sr(uint8_t *out, uint32_t ssrc)
{
    memset(out, 0, 28);
    out[0] = 0x80;
    out[1] = 200;
    out[3] = 6;
    agw_put32(out + 4, ssrc);
    return 28;
}

static agw_addr address_of(const scene *s, const leg *g, bool rtcp)
{
    return lab_phone(s->l, s->c, g->port + rtcp);
}

/* The party says something, from this address. */
static void say_from(scene *s, leg *from, agw_addr at, bool rtcp)
{
    uint8_t buf[AGW_PKT_MAX];
    size_t len = rtcp ? put_sr(buf, SSRC + from->transport_id)
                      : lab_rtp(buf, LAB_PT_AUDIO, SSRC + from->transport_id, ++from->seq, 'x');
    agw_err err = AGW_OK;
    if (from->out != NULL)
        err = rtcp ? agw_srtp_protect_rtcp(from->out, buf, &len, sizeof buf - len)
                   : agw_srtp_protect(from->out, buf, &len, sizeof buf - len);
    CU_ASSERT_EQUAL(err, AGW_OK);
    lab_say(s->l, &s->c->core[from->port + rtcp], at, buf, len);
}

static void say(scene *s, leg *from, bool rtcp)
{
    say_from(s, from, address_of(s, from, rtcp), rtcp);
}

/* What left toward the party in this turn can be read by it, and is what was said. */
static bool is_heard(scene *s, const leg *to, bool rtcp)
{
    const lab_out *out =
        lab_sent(s->l, &s->c->core[to->port + rtcp], rtcp ? AGW_PKT_RTCP : AGW_PKT_RTP, 0);
    const agw_addr at = address_of(s, to, rtcp);
    if (out == NULL || !agw_addr_equal(&out->to, &at))
        return false;
    uint8_t buf[sizeof out->data], said[64];
    size_t len = out->len;
    memcpy(buf, out->data, len);
    agw_err err = AGW_OK;
    if (to->in != NULL) {
        err = rtcp ? agw_srtp_unprotect_rtcp(to->in, buf, &len)
                   : agw_srtp_unprotect(to->in, buf, &len);
        CU_ASSERT(len < out->len);
    }
    if (err != AGW_OK)
        return false;
    lab_rtp(said, LAB_PT_AUDIO, 0, 0, 'x');
    return rtcp ? buf[1] == 200 : len == 32 && memcmp(buf + 12, said + 12, 20) == 0;
}

static bool passes(scene *s, leg *from, const leg *to, bool rtcp)
{
    say(s, from, rtcp);
    lab_turn(s->l);
    return is_heard(s, to, rtcp);
}

/* --- pairs -------------------------------------------------------------------------------------
 */

static void test_sdes_srt_3_every_pair_of_legs_rtp_and_rtcp(void)
{
    for (int a = 0; a < LEG_KINDS; a++) {
        for (int b = 0; b < LEG_KINDS; b++) {
            scene s;
            scene_open(&s, (leg_kind)a, (leg_kind)b);
            for (int i = 0; i < 3; i++) {
                CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
                CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
                CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, true));
                CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
            }
            scene_close(&s);
        }
    }
}

/* A whole batch in one turn goes the same way. */
static void test_sdes_packets_of_one_turn_keep_their_order(void)
{
    scene s;
    scene_open(&s, SDES_GCM, SDES_CM);
    for (int i = 0; i < 40; i++)
        say(&s, &s.a, false);
    lab_turn(s.l);
    for (uint16_t i = 0; i < 40; i++) {
        const lab_out *out = lab_sent(s.l, &s.c->core[s.b.port], AGW_PKT_RTP, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_EQUAL(agw_get16(out->data + 2), i + 1);
    }
    scene_close(&s);
}

/* --- keys between the parties
 * -------------------------------------------------------------------- */

static void scene_open_passing(scene *s)
{
    scene_open(s, PLAIN, PLAIN);
    plan_of(s, &s->a)->security = plan_of(s, &s->b)->security = AGW_SECURITY_PASS;
    for (int side = 0; side < 2; side++) {
        agw_end_plan *end = &s->c->plan->medias[0].end[side];
        end->acts = AGW_ACT_PASS;
        end->rtcp_off = true;
        end->egress_ssrc = 0;
    }
    lab_apply(s->l, s->c);
}

/* What is said leaves toward the other, byte for byte; nothing else does. */
static bool arrives_untouched(scene *s, const leg *from, const leg *to, bool rtcp,
                              const uint8_t *said, size_t len, agw_pkt_kind kind)
{
    lab_say(s->l, &s->c->core[from->port + rtcp], address_of(s, from, rtcp), said, len);
    lab_turn(s->l);
    const lab_out *out = lab_sent(s->l, &s->c->core[to->port + rtcp], kind, 0);
    const agw_addr at = address_of(s, to, rtcp);
    return s->l->io->n_out == 1 && out != NULL && agw_addr_equal(&out->to, &at) &&
           out->len == len && memcmp(out->data, said, len) == 0;
}

/* With an extension that nobody negotiated, and bytes that are no SRTP of ours. */
static size_t put_foreign_srtp(uint8_t *out, uint8_t pt, uint16_t seq)
{
    const size_t len = lab_rtp(out, pt, SSRC, seq, 'e');
    memmove(out + 20, out + 12, len - 12);
    out[0] |= 0x10;
    memcpy(out + 12, "\xbe\xde\0\x01\x10\x77\0\0", 8);
    return len + 8;
}

static void test_sdes_334_5_11_3_srtp_and_srtcp_of_the_parties_pass_untouched(void)
{
    uint8_t buf[AGW_PKT_MAX];
    scene s;
    scene_open_passing(&s);
    for (uint16_t i = 0; i < 3; i++) {
        size_t len = put_foreign_srtp(buf, LAB_PT_AUDIO, (uint16_t)(7000 * i));
        CU_ASSERT_TRUE(arrives_untouched(&s, &s.a, &s.b, false, buf, len, AGW_PKT_RTP));
        CU_ASSERT_TRUE(arrives_untouched(&s, &s.b, &s.a, false, buf, len, AGW_PKT_RTP));
        memset(buf + put_sr(buf, SSRC), 0xa5, 14); /* index and tag; the rest is encrypted, too */
        memset(buf + 8, 0x5a, 20);
        CU_ASSERT_TRUE(arrives_untouched(&s, &s.a, &s.b, true, buf, 42, AGW_PKT_RTCP));
    }
    const agw_media_stats *stats = s.c->call->medias[0]->stats;
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_A].rtp_in.packets), 3);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_A].rtcp_in.packets), 3);
    CU_ASSERT_EQUAL(agw_counter_get(&stats->end[AGW_SIDE_B].rtp_out.packets), 3);
    scene_close(&s);
}

static void test_sdes_334_5_11_3_dtls_of_the_parties_passes_untouched(void)
{
    uint8_t hello[200] = {22, 0xfe, 0xfd};
    scene s;
    scene_open_passing(&s);
    CU_ASSERT_TRUE(arrives_untouched(&s, &s.a, &s.b, false, hello, sizeof hello, AGW_PKT_DTLS));
    CU_ASSERT_TRUE(arrives_untouched(&s, &s.b, &s.a, false, hello, sizeof hello, AGW_PKT_DTLS));
    CU_ASSERT_EQUAL(s.l->n_assocs, 0);
    lab_say(s.l, &s.c->core[s.a.port], lab_addr(131, 9), hello, sizeof hello);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_DTLS_UNEXPECTED), 1);
    scene_close(&s);
}

/* Gate, source, payload type, policing and blocks need only the header. */
static void test_sdes_334_5_11_3_what_passes_is_still_policed(void)
{
    uint8_t buf[AGW_PKT_MAX];
    scene s;
    scene_open_passing(&s);
    agw_end_plan *end = s.c->plan->medias[0].end;
    const size_t len = put_foreign_srtp(buf, LAB_PT_AUDIO, 1);
    lab_say(s.l, &s.c->core[s.a.port], lab_addr(131, 9), buf, len);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_WRONG_SOURCE), 1);
    end[AGW_SIDE_A].may_send = false;
    lab_apply(s.l, s.c);
    CU_ASSERT_FALSE(arrives_untouched(&s, &s.a, &s.b, false, buf, len, AGW_PKT_RTP));
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_GATE_CLOSED), 1);
    end[AGW_SIDE_A].may_send = true;
    end[AGW_SIDE_A].acts |= AGW_ACT_BLOCK;
    lab_apply(s.l, s.c);
    CU_ASSERT_FALSE(arrives_untouched(&s, &s.a, &s.b, false, buf, len, AGW_PKT_RTP));
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_BLOCKED), 1);
    end[AGW_SIDE_A].acts = AGW_ACT_PASS;
    end[AGW_SIDE_A].police_bps = 8;
    lab_apply(s.l, s.c);
    CU_ASSERT_FALSE(arrives_untouched(&s, &s.a, &s.b, false, buf, len, AGW_PKT_RTP));
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_POLICED), 1);
    put_foreign_srtp(buf, 77 - 33, 2);
    CU_ASSERT_FALSE(arrives_untouched(&s, &s.a, &s.b, false, buf, len, AGW_PKT_RTP));
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_PT), 1);
    scene_close(&s);
}

/* --- drops -------------------------------------------------------------------------------------
 */

static void test_sdes_rfc3711_3_3_wrong_key_is_a_counted_drop(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    const agw_key_plan other = key_of(&s.b, false, 9);
    agw_srtp_session_free(s.b.out);
    s.b.out = session_of(&other, true);
    say(&s, &s.b, false);
    lab_turn(s.l);
    say(&s, &s.b, true);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_AUTH), 2);
    agw_srtp_session_free(s.b.out);
    s.b.out = NULL; /* and so is plain RTP */
    say(&s, &s.b, false);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_AUTH) + lab_drops(s.l, AGW_DROP_RTP_MALFORMED), 3);
    scene_close(&s);
}

static void test_sdes_rfc4568_5_1_nothing_passes_before_the_peers_key_is_there(void)
{
    scene s;
    scene_open(&s, PLAIN, PLAIN);
    leg_plan(&s, &s.b, SDES_CM, AGW_SIDE_B);
    plan_of(&s, &s.b)->key_in = (agw_key_plan){0};
    lab_apply(s.l, s.c);
    say(&s, &s.a, false);
    say(&s, &s.b, false);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_NO_DEST), 1);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_NO_KEYS), 1);
    plan_of(&s, &s.b)->key_in = key_of(&s.b, false, 1);
    lab_apply(s.l, s.c);
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    scene_close(&s);
}

static void test_sdes_rfc3711_3_3_2_replay_is_a_counted_drop(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_GCM);
    say(&s, &s.b, false);
    const lab_in again = s.l->io->in[0];
    lab_turn(s.l);
    CU_ASSERT_TRUE(is_heard(&s, &s.a, false));
    lab_say(s.l, again.port, again.from, again.data, again.len);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_REPLAY), 1);
    scene_close(&s);
}

/* Only what is authentic teaches an address, and only where learning was asked for. */
static void test_sdes_334_5_5_authentic_packets_teach_an_address(void)
{
    const agw_addr nat = lab_addr(130, 9), stranger = lab_addr(131, 9);
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    say_from(&s, &s.b, nat, false);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_WRONG_SOURCE), 1);
    plan_of(&s, &s.b)->latch_rule = AGW_LATCH_ONCE;
    lab_apply(s.l, s.c);
    lab_phone_rtp(s.l, s.c, s.b.port, stranger, LAB_PT_AUDIO, SSRC, 77); /* plain */
    lab_turn(s.l);
    CU_ASSERT_EQUAL(lab_events(s.c, AGW_EVENT_LATCHED), 0);
    say_from(&s, &s.b, nat, false);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(lab_events(s.c, AGW_EVENT_LATCHED), 1);
    CU_ASSERT_TRUE(is_heard(&s, &s.a, false));
    say(&s, &s.a, false);
    lab_turn(s.l);
    const lab_out *out = lab_sent(s.l, &s.c->core[s.b.port], AGW_PKT_RTP, 0);
    CU_ASSERT_TRUE(out != NULL && agw_addr_equal(&out->to, &nat));
    scene_close(&s);
}

/* Only who has proved who he is silences another branch; what was decrypted is not kept. */
static void test_sdes_rfc3960_3_authentic_packets_silence_a_branch(void)
{
    const agw_addr older = lab_addr(130, 9);
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    agw_transport_plan *t = plan_of(&s, &s.b);
    t->sources = &older;
    t->n_sources = t->n_open = 1;
    t->hold_strangers = true;
    lab_apply(s.l, s.c);
    lab_phone_rtp(s.l, s.c, s.b.port, address_of(&s, &s.b, false), LAB_PT_AUDIO, SSRC, 77);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_AUTH), 1);
    say_from(&s, &s.b, older, false);
    lab_turn(s.l);
    CU_ASSERT_TRUE(is_heard(&s, &s.a, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    say_from(&s, &s.b, older, false);
    lab_turn(s.l);
    CU_ASSERT_FALSE(is_heard(&s, &s.a, false));
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_OTHER_BRANCH), 1);
    scene_close(&s);
}

/* --- keys that change --------------------------------------------------------------------------
 */

/* The peer announces its nth key; from now on it says what it says under it. */
static agw_srtp_session *peer_changes_key(scene *s, leg *g, uint32_t n)
{
    agw_srtp_session *old = g->out;
    const agw_key_plan key = key_of(g, false, n);
    plan_of(s, g)->key_in = key;
    lab_apply(s->l, s->c);
    g->out = session_of(&key, true);
    return old;
}

/* Says something under this key. */
static bool passes_under(scene *s, agw_srtp_session *key, bool rtcp)
{
    agw_srtp_session *now = s->b.out;
    s->b.out = key;
    const bool passed = passes(s, &s->b, &s->a, rtcp);
    s->b.out = now;
    return passed;
}

static void test_sdes_rfc4568_7_1_4_peer_changes_its_key_without_loss(void)
{
    for (int kind = SDES_CM; kind <= SDES_GCM; kind++) {
        scene s;
        scene_open(&s, PLAIN, (leg_kind)kind);
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        agw_srtp_session *old = peer_changes_key(&s, &s.b, 2);
        CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false)); /* ours is the same */
        CU_ASSERT_TRUE(passes_under(&s, old, false));  /* our answer is on its way */
        CU_ASSERT_TRUE(passes_under(&s, old, true));
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        CU_ASSERT_TRUE(passes_under(&s, old, false)); /* overtaken */
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
        s.l->now += AGW_S(1);
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        CU_ASSERT_FALSE(passes_under(&s, old, false)); /* its time is over */
        CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_AUTH), 1);
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
        agw_srtp_session_free(old);
        scene_close(&s);
    }
}

static void test_sdes_rfc4568_7_1_4_old_key_ends_though_the_new_one_is_not_used(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    agw_srtp_session *old = peer_changes_key(&s, &s.b, 2);
    s.l->now += AGW_S(32) - 1;
    CU_ASSERT_TRUE(passes_under(&s, old, false));
    s.l->now += 1;
    CU_ASSERT_FALSE(passes_under(&s, old, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    agw_srtp_session_free(old);
    scene_close(&s);
}

static void test_sdes_rfc4568_7_1_4_key_changes_again_before_the_first_change_is_over(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    agw_srtp_session *first = peer_changes_key(&s, &s.b, 2);
    agw_srtp_session *second = peer_changes_key(&s, &s.b, 3);
    CU_ASSERT_TRUE(passes_under(&s, second, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    CU_ASSERT_FALSE(passes_under(&s, first, false));
    agw_srtp_session_free(first);
    agw_srtp_session_free(second);
    scene_close(&s);
}

/* Damaged packets during the change hurt nobody, and a replayed one is not taken twice. */
static void test_sdes_rfc4568_7_1_4_garbage_during_the_change(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_GCM);
    agw_srtp_session *old = peer_changes_key(&s, &s.b, 2);
    say(&s, &s.b, false);
    s.l->io->in[0].data[20] ^= 1;
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_AUTH), 1);
    say(&s, &s.b, false);
    const lab_in again = s.l->io->in[0];
    lab_turn(s.l);
    CU_ASSERT_TRUE(is_heard(&s, &s.a, false));
    lab_say(s.l, again.port, again.from, again.data, again.len);
    lab_turn(s.l);
    CU_ASSERT_EQUAL(s.l->io->n_out, 0);
    CU_ASSERT_EQUAL(lab_drops(s.l, AGW_DROP_SRTP_REPLAY), 1);
    agw_srtp_session_free(old);
    scene_close(&s);
}

static void both_keys_change(scene *s)
{
    agw_transport_plan *t = plan_of(s, &s->b);
    t->key_in = key_of(&s->b, false, 2);
    t->key_out = key_of(&s->b, true, 2);
    lab_apply(s->l, s->c);
    party_takes_keys(&s->b, &t->key_in, &t->key_out);
}

static void test_sdes_rfc4568_5_1_2_another_suite_is_two_other_keys(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    s.b.kind = SDES_GCM;
    both_keys_change(&s);
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, true));
    scene_close(&s);
}

/* The answer with our new key is on its way: the peer knows the old one until it has it. */
static agw_transport_plan *we_change_key(scene *s, bool told)
{
    s->b.kind = SDES_GCM;
    agw_transport_plan *t = plan_of(s, &s->b);
    t->key_in = key_of(&s->b, false, 2);
    t->key_out = key_of(&s->b, true, 2);
    t->key_out.told = told;
    lab_apply(s->l, s->c);
    return t;
}

static void test_sdes_rfc4568_7_1_4_our_new_key_waits_until_the_peer_uses_its_own(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    const agw_transport_plan *t = we_change_key(&s, false);
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false)); /* under its old key: it has not got it yet */
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, true));
    party_takes_keys(&s.b, &t->key_in, &t->key_out);
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, true));
    scene_close(&s);
}

static void test_sdes_rfc4568_7_1_4_our_new_key_waits_1_s_for_a_silent_peer(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    const agw_transport_plan *t = we_change_key(&s, false);
    s.l->now += AGW_S(1) - 1;
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    party_takes_keys(&s.b, &t->key_in, &t->key_out);
    s.l->now += 1;
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    scene_close(&s);
}

static void test_sdes_rfc4568_5_1_3_a_key_that_was_offered_is_used_at_once(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    const agw_transport_plan *t = we_change_key(&s, true);
    party_takes_keys(&s.b, &t->key_in, &t->key_out);
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    scene_close(&s);
}

/* --- roll-over counters and keys ---------------------------------------------------------------
 */

/* Five packets, so that the number wraps between them. */
static void wrap(scene *s, leg *from, const leg *to)
{
    from->seq = 65532;
    for (int i = 0; i < 5; i++)
        CU_ASSERT_TRUE(passes(s, from, to, false));
}

static void test_sdes_rfc3711_3_3_1_counter_goes_on_under_our_new_key(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    wrap(&s, &s.a, &s.b);
    const agw_transport_plan *t = we_change_key(&s, true);
    agw_srtp_session *in = session_of(&t->key_out, false);
    CU_ASSERT_EQUAL(agw_srtp_session_follow(in, s.b.in), AGW_OK);
    agw_srtp_session_free(s.b.in);
    s.b.in = in;
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    scene_close(&s);
}

/* The peer's, whose counter goes on or not; the session of its old key is the caller's. */
static agw_srtp_session *change_key_past_roll_over(scene *s, bool follows)
{
    scene_open(s, PLAIN, SDES_CM);
    wrap(s, &s->b, &s->a);
    agw_srtp_session *old = peer_changes_key(s, &s->b, 2);
    if (follows)
        CU_ASSERT_EQUAL(agw_srtp_session_follow(s->b.out, old), AGW_OK);
    return old;
}

/* RFC 3711 section 3.3.1 lets it go on, RFC 4568 section 7.1.4 begins anew with a new address, and
 * peers do either. Also when the first packet comes after the time of the old key. */
static void test_sdes_rfc3711_3_3_1_counter_goes_on_or_not_under_the_peers_new_key(void)
{
    for (int i = 0; i < 4; i++) {
        const bool follows = (i & 1) != 0, late = (i & 2) != 0;
        scene s;
        agw_srtp_session *old = change_key_past_roll_over(&s, follows);
        if (late)
            s.l->now += AGW_S(60);
        CU_ASSERT_EQUAL(passes_under(&s, old, false), !late);
        say(&s, &s.b, false);
        s.l->io->in[0].data[20] ^= 1; /* damaged, with the SSRC of the stream */
        lab_turn(s.l);
        CU_ASSERT_EQUAL(s.l->io->n_out, 0);
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
        s.l->now += AGW_S(2);
        for (int k = 0; k < 3; k++)
            CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        agw_srtp_session_free(old);
        scene_close(&s);
    }
}

/* A party on hold sends RTCP alone, which has no part in the counter of RTP. */
static void test_sdes_rfc3711_3_3_1_rtcp_under_the_new_key_leaves_the_counter(void)
{
    for (int i = 0; i < 4; i++) {
        const bool follows = (i & 1) != 0, held = (i & 2) != 0;
        scene s;
        agw_srtp_session *old = change_key_past_roll_over(&s, follows);
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
        for (int k = 0; held && k < 8; k++) {
            s.l->now += AGW_S(5);
            CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
        }
        for (int k = 0; k < 3; k++)
            CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        s.l->now += AGW_S(1);
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        CU_ASSERT_FALSE(passes_under(&s, old, false));
        agw_srtp_session_free(old);
        scene_close(&s);
    }
}

static void test_sdes_rfc4568_7_1_4_rtcp_tells_that_the_peer_has_our_new_key(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    const agw_transport_plan *t = we_change_key(&s, false);
    party_takes_keys(&s.b, &t->key_in, &t->key_out);
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, true));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    scene_close(&s);
}

/* Another SSRC begins in cycle 0, and the former one goes on where it was. */
static void test_sdes_rfc3711_3_2_3_each_ssrc_has_its_own_counter(void)
{
    scene s;
    scene_open(&s, SDES_GCM, SDES_CM);
    wrap(&s, &s.a, &s.b);
    const uint32_t id = s.a.transport_id;
    const uint16_t seq = s.a.seq;
    s.a.transport_id += 100; /* what say() makes the SSRC of */
    s.a.seq = 7;
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, true));
    s.a.transport_id = id;
    s.a.seq = seq;
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    scene_close(&s);
}

/* A session timer does not begin the sessions anew: the roll-over counter goes on. */
static void test_sdes_rfc3711_3_3_1_same_plan_keeps_the_roll_over_counter(void)
{
    scene s;
    scene_open(&s, SDES_GCM, SDES_CM);
    s.a.seq = s.b.seq = 65533;
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
        CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
        lab_apply(s.l, s.c);
    }
    scene_close(&s);
}

static void test_sdes_plain_and_back(void)
{
    scene s;
    scene_open(&s, PLAIN, SDES_CM);
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    agw_transport_plan *t = plan_of(&s, &s.b);
    t->security = AGW_SECURITY_PLAIN;
    lab_apply(s.l, s.c);
    agw_srtp_session_free(s.b.in);
    agw_srtp_session *old = s.b.out;
    s.b.in = s.b.out = NULL;
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    t->security = AGW_SECURITY_SDES;
    both_keys_change(&s);
    CU_ASSERT_FALSE(passes_under(&s, old, false)); /* it went with SDES */
    CU_ASSERT_TRUE(passes(&s, &s.a, &s.b, false));
    CU_ASSERT_TRUE(passes(&s, &s.b, &s.a, false));
    agw_srtp_session_free(old);
    scene_close(&s);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_sdes_srt_3_every_pair_of_legs_rtp_and_rtcp),
    AGW_CASE(test_sdes_packets_of_one_turn_keep_their_order),
    AGW_CASE(test_sdes_334_5_11_3_srtp_and_srtcp_of_the_parties_pass_untouched),
    AGW_CASE(test_sdes_334_5_11_3_dtls_of_the_parties_passes_untouched),
    AGW_CASE(test_sdes_334_5_11_3_what_passes_is_still_policed),
    AGW_CASE(test_sdes_rfc3711_3_3_wrong_key_is_a_counted_drop),
    AGW_CASE(test_sdes_rfc4568_5_1_nothing_passes_before_the_peers_key_is_there),
    AGW_CASE(test_sdes_rfc3711_3_3_2_replay_is_a_counted_drop),
    AGW_CASE(test_sdes_334_5_5_authentic_packets_teach_an_address),
    AGW_CASE(test_sdes_rfc3960_3_authentic_packets_silence_a_branch),
    AGW_CASE(test_sdes_rfc4568_7_1_4_peer_changes_its_key_without_loss),
    AGW_CASE(test_sdes_rfc4568_7_1_4_old_key_ends_though_the_new_one_is_not_used),
    AGW_CASE(test_sdes_rfc4568_7_1_4_key_changes_again_before_the_first_change_is_over),
    AGW_CASE(test_sdes_rfc4568_7_1_4_garbage_during_the_change),
    AGW_CASE(test_sdes_rfc4568_5_1_2_another_suite_is_two_other_keys),
    AGW_CASE(test_sdes_rfc4568_7_1_4_our_new_key_waits_until_the_peer_uses_its_own),
    AGW_CASE(test_sdes_rfc4568_7_1_4_our_new_key_waits_1_s_for_a_silent_peer),
    AGW_CASE(test_sdes_rfc4568_5_1_3_a_key_that_was_offered_is_used_at_once),
    AGW_CASE(test_sdes_rfc3711_3_3_1_counter_goes_on_under_our_new_key),
    AGW_CASE(test_sdes_rfc3711_3_3_1_counter_goes_on_or_not_under_the_peers_new_key),
    AGW_CASE(test_sdes_rfc3711_3_3_1_rtcp_under_the_new_key_leaves_the_counter),
    AGW_CASE(test_sdes_rfc4568_7_1_4_rtcp_tells_that_the_peer_has_our_new_key),
    AGW_CASE(test_sdes_rfc3711_3_2_3_each_ssrc_has_its_own_counter),
    AGW_CASE(test_sdes_rfc3711_3_3_1_same_plan_keeps_the_roll_over_counter),
    AGW_CASE(test_sdes_plain_and_back),
};
AGW_UNIT_MAIN("sdes legs", cases)
