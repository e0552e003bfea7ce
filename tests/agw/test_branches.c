/* SPDX-License-Identifier: BSD-3-Clause
 * Forks on virtual time: which branch is heard, and that the browser hears one stream. */
#include "tests/agw/lab.h"
#include "unit.h"

enum { OTHER_PT = 0, SSRCS = 0x100 };

/* Branches are behind one address, as they are behind a node that hides them; only ports differ. */
static agw_addr branch(uint16_t i)
{
    return lab_addr(120, (uint16_t)(7000 + 10 * i));
}

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

typedef struct fork {
    lab lab;
    lab_call *call;
    uint16_t seq[8]; /* of each branch */
    bool any;        /* the browser has heard something */
    uint16_t last_seq;
    uint32_t last_ts;
} fork;

static agw_transport_plan *core(const fork *f)
{
    return &f->call->plan->transports[1];
}

/* party: the branch that answered last; the others follow up to a negative number, the first n_open
 * of them are open. */
static void plan(fork *f, uint16_t party, const int others[], uint8_t n_open)
{
    agw_transport_plan *t = core(f);
    t->remote_rtp = branch(party);
    t->remote_rtcp = branch(party);
    t->n_sources = 0;
    for (; others[t->n_sources] >= 0; t->n_sources++)
        f->call->sources[t->n_sources] = branch((uint16_t)others[t->n_sources]);
    t->n_open = n_open;
}

#define PLAN(f, party, n_open, ...) plan(f, party, (const int[]){__VA_ARGS__, -1}, n_open)

/* What went to the browser in this turn; in sequence with what was before. */
static size_t heard(fork *f)
{
    size_t n = 0;
    for (const lab_out *out; (out = lab_sent(&f->lab, &f->lab.access, AGW_PKT_RTP, n)) != NULL;
         n++) {
        const uint16_t seq = agw_get16(out->data + 2);
        const uint32_t ts = agw_get32(out->data + 4);
        if (f->any) {
            CU_ASSERT_EQUAL(seq, (uint16_t)(f->last_seq + 1));
            CU_ASSERT_TRUE((int32_t)(ts - f->last_ts) > 0);
        }
        CU_ASSERT_EQUAL(agw_get32(out->data + 8), 0xa0000000u + LAB_AUDIO);
        f->any = true;
        f->last_seq = seq;
        f->last_ts = ts;
    }
    return n;
}

static void apply(fork *f)
{
    lab_apply(&f->lab, f->call);
}

static fork *fork_new(void)
{
    fork *f = calloc(1, sizeof *f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    lab_open(&f->lab);
    f->call = &f->lab.calls[0];
    lab_call_open(&f->lab, f->call);
    core(f)->hold_strangers = true;
    apply(f);
    lab_connect(&f->lab, f->call, browser());
    return f;
}

static void fork_end(fork *f)
{
    lab_close(&f->lab);
    free(f);
}

/* One packet; true: it was heard at once. */
static bool says(fork *f, uint16_t i)
{
    lab_phone_rtp(&f->lab, f->call, 0, branch(i), LAB_PT_AUDIO, SSRCS + i, ++f->seq[i]);
    lab_turn(&f->lab);
    return heard(f) == 1;
}

static void wait_ms(fork *f, int ms)
{
    f->lab.now += AGW_MS(ms);
    lab_turn(&f->lab);
}

static void test_branches_rfc3960_3_an_older_one_goes_on_until_the_newest_speaks(void)
{
    fork *f = fork_new();
    PLAN(f, 1, 0, -1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 1));
    PLAN(f, 2, 1, 1); /* its phone only rings */
    apply(f);
    for (int i = 0; i < 100; i++) {
        wait_ms(f, 20);
        CU_ASSERT_TRUE(says(f, 1));
    }
    CU_ASSERT_TRUE(says(f, 2));
    for (int i = 0; i < 100; i++) {
        wait_ms(f, 20);
        CU_ASSERT_FALSE(says(f, 1));
        CU_ASSERT_TRUE(says(f, 2));
    }
    fork_end(f);
}

static void test_branches_an_older_one_is_heard_after_1_s_of_silence_not_before(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 2));
    wait_ms(f, 999);
    CU_ASSERT_FALSE(says(f, 1));
    wait_ms(f, 1);
    CU_ASSERT_TRUE(says(f, 1));
    CU_ASSERT_TRUE(says(f, 2)); /* and is over as soon as the newest speaks again */
    CU_ASSERT_FALSE(says(f, 1));
    fork_end(f);
}

static void test_branches_the_newest_of_the_older_ones_comes_first(void)
{
    fork *f = fork_new();
    PLAN(f, 5, 4, 4, 3, 2, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 1));
    CU_ASSERT_TRUE(says(f, 3));
    CU_ASSERT_FALSE(says(f, 1));
    CU_ASSERT_FALSE(says(f, 2));
    CU_ASSERT_TRUE(says(f, 4));
    CU_ASSERT_FALSE(says(f, 3));
    CU_ASSERT_TRUE(says(f, 5));
    CU_ASSERT_FALSE(says(f, 4));
    wait_ms(f, 1000);
    CU_ASSERT_TRUE(says(f, 2)); /* all the others are silent */
    fork_end(f);
}

/* The winner is at once, the others are never again, although they are behind its IP address. */
static void test_branches_the_final_answer_wins_at_once_and_for_good(void)
{
    fork *f = fork_new();
    PLAN(f, 1, 0, -1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 1));
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 2));
    PLAN(f, 1, 0, 2);
    core(f)->hold_strangers = false;
    apply(f);
    CU_ASSERT_TRUE(says(f, 1)); /* its SSRC was replaced a moment ago */
    CU_ASSERT_FALSE(says(f, 2));
    wait_ms(f, 60000);
    CU_ASSERT_FALSE(says(f, 2));
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 2);
    CU_ASSERT_TRUE(says(f, 1));
    fork_end(f);
}

/* Its words overtake its 200: they are kept while another branch is heard. */
static void test_branches_what_the_winner_said_before_its_200_is_heard(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1);
    apply(f);
    for (int i = 0; i < 5; i++) {
        wait_ms(f, 20);
        CU_ASSERT_TRUE(says(f, 2));
        CU_ASSERT_FALSE(says(f, 1));
    }
    PLAN(f, 1, 0, 2);
    core(f)->hold_strangers = false;
    apply(f);
    CU_ASSERT_EQUAL(heard(f), 5);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 0);
    CU_ASSERT_TRUE(says(f, 1));
    fork_end(f);
}

static void test_branches_what_is_not_heard_is_kept_200_ms(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 2));
    CU_ASSERT_FALSE(says(f, 1));
    wait_ms(f, 199);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 0);
    wait_ms(f, 1);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 1);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_WRONG_SOURCE), 0);
    fork_end(f);
}

/* Four talk at once: each has room for its 200 ms. A stranger gets no more than before. */
static void test_branches_each_has_its_room(void)
{
    fork *f = fork_new();
    PLAN(f, 5, 4, 4, 3, 2, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 5));
    for (int i = 0; i < 10; i++) {
        for (uint16_t b = 1; b < 5; b++)
            CU_ASSERT_FALSE(says(f, b));
    }
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 0);
    lab_phone_rtp(&f->lab, f->call, 0, lab_addr(121, 9), LAB_PT_AUDIO, 9, 1);
    lab_turn(&f->lab);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_WRONG_SOURCE), 1);
    for (int i = 40; i < AGW_EARLY_PER_PORT * 5 + 1; i++)
        CU_ASSERT_FALSE(says(f, 1));
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 1);
    PLAN(f, 3, 0, 5, 4, 2, 1);
    apply(f);
    CU_ASSERT_EQUAL(heard(f), 10);
    fork_end(f);
}

/* Another plan in between changes nothing for what is kept. */
static void test_branches_a_plan_that_lets_nobody_in_leaves_what_is_kept(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 2));
    CU_ASSERT_FALSE(says(f, 1));
    wait_ms(f, 100);
    apply(f);
    CU_ASSERT_EQUAL(heard(f), 0);
    wait_ms(f, 100);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 1);
    fork_end(f);
}

/* RFC 5009: inactive. */
static void test_branches_rfc5009_a_closed_one_is_not_heard_before_its_200(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1, 3);
    core(f)->muted = true;
    apply(f);
    CU_ASSERT_FALSE(says(f, 2));
    CU_ASSERT_FALSE(says(f, 3));
    CU_ASSERT_TRUE(says(f, 1)); /* the closed ones do not silence it */
    wait_ms(f, 20);
    core(f)->muted = false;
    PLAN(f, 2, 0, 1, 3);
    apply(f);
    CU_ASSERT_EQUAL(heard(f), 1);
    CU_ASSERT_TRUE(says(f, 2));
    CU_ASSERT_FALSE(says(f, 1));
    fork_end(f);
}

/* Behind the address of a branch that has answered, with a codec that nobody has answered yet. */
static void test_branches_media_with_another_codec_overtakes_its_answer(void)
{
    fork *f = fork_new();
    PLAN(f, 1, 0, -1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 1));
    for (uint16_t seq = 1; seq <= 5; seq++) {
        wait_ms(f, 20);
        lab_phone_rtp(&f->lab, f->call, 0, branch(2), OTHER_PT, SSRCS + 2, seq);
        lab_turn(&f->lab);
        CU_ASSERT_EQUAL(heard(f), 0);
    }
    apply(f); /* not yet */
    CU_ASSERT_EQUAL(heard(f), 0);
    agw_end_plan *end = &f->call->plan->medias[0].end[AGW_SIDE_B];
    end->pts[end->n_pts++] =
        (agw_pt_plan){.ingress = OTHER_PT, .egress = OTHER_PT, .clock_hz = 8000};
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_EQUAL(heard(f), 5);
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_PT), 0);
    fork_end(f);
}

/* A phone may send from another port than the one where it receives. */
static void test_branches_an_unnamed_port_of_a_known_address_is_the_newest(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 4));
    CU_ASSERT_FALSE(says(f, 1));
    fork_end(f);
}

/* A report, from the port above. */
static bool reports(fork *f, uint16_t i)
{
    uint8_t sr[28] = {0x80, 200, 0, 6};
    agw_addr from = branch(i);
    from.port++;
    agw_put32(sr + 4, SSRCS + i);
    lab_say(&f->lab, &f->call->core[1], from, sr, sizeof sr);
    lab_turn(&f->lab);
    return lab_sent(&f->lab, &f->lab.access, AGW_PKT_RTCP, 0) != NULL;
}

static void test_branches_reports_are_those_of_who_is_heard(void)
{
    fork *f = fork_new();
    PLAN(f, 2, 1, 1);
    apply(f);
    CU_ASSERT_TRUE(says(f, 1));
    CU_ASSERT_TRUE(reports(f, 1));
    CU_ASSERT_TRUE(says(f, 2));
    CU_ASSERT_TRUE(reports(f, 2));
    CU_ASSERT_FALSE(reports(f, 1));
    PLAN(f, 1, 0, 2);
    core(f)->hold_strangers = false;
    apply(f);
    CU_ASSERT_TRUE(says(f, 1));
    CU_ASSERT_TRUE(reports(f, 1));
    CU_ASSERT_FALSE(reports(f, 2));
    CU_ASSERT_EQUAL(lab_drops(&f->lab, AGW_DROP_OTHER_BRANCH), 2);
    fork_end(f);
}

/* The time of day does not matter to what the browser reads: a packet follows a packet. */
static void test_branches_the_browser_finds_no_hole_at_a_change(void)
{
    fork *f = fork_new();
    PLAN(f, 1, 0, -1);
    apply(f);
    for (int i = 0; i < 3; i++) {
        wait_ms(f, 20);
        CU_ASSERT_TRUE(says(f, 1));
    }
    const uint32_t before = f->last_ts;
    PLAN(f, 2, 0, 1);
    apply(f);
    wait_ms(f, 31); /* the newcomer's packets are out of step with those before */
    CU_ASSERT_TRUE(says(f, 2));
    CU_ASSERT_EQUAL(f->last_ts, before + 160);
    fork_end(f);
}

/* Behind one address the very port tells; a stranger is nobody's. */
static void test_branches_are_known_by_their_address_first(void)
{
    agw_branches b = {0};
    agw_transport_plan plan = {.remote_rtp = branch(1)};
    agw_branches_apply(&b, &plan);
    CU_ASSERT_FALSE(agw_branches_forked(&b));
    const agw_addr other = branch(2);
    plan.n_sources = 1;
    plan.sources = &other;
    agw_branches_apply(&b, &plan);
    CU_ASSERT_TRUE(agw_branches_forked(&b));
    const agw_addr from = branch(2), stranger = lab_addr(99, 1), port = branch(7),
                   party = branch(1);
    CU_ASSERT_EQUAL(agw_branches_find(&b, AGW_SOURCE_ADDRESS, &party, &from), 1);
    CU_ASSERT_EQUAL(agw_branches_find(&b, AGW_SOURCE_ADDRESS, &party, &port), AGW_BRANCH_PARTY);
    CU_ASSERT_EQUAL(agw_branches_find(&b, AGW_SOURCE_STRICT, &party, &port), AGW_BRANCH_NONE);
    CU_ASSERT_EQUAL(agw_branches_find(&b, AGW_SOURCE_ADDRESS, &party, &stranger), AGW_BRANCH_NONE);
    agw_branches_fini(&b);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_branches_rfc3960_3_an_older_one_goes_on_until_the_newest_speaks),
    AGW_CASE(test_branches_an_older_one_is_heard_after_1_s_of_silence_not_before),
    AGW_CASE(test_branches_the_newest_of_the_older_ones_comes_first),
    AGW_CASE(test_branches_the_final_answer_wins_at_once_and_for_good),
    AGW_CASE(test_branches_what_the_winner_said_before_its_200_is_heard),
    AGW_CASE(test_branches_what_is_not_heard_is_kept_200_ms),
    AGW_CASE(test_branches_each_has_its_room),
    AGW_CASE(test_branches_a_plan_that_lets_nobody_in_leaves_what_is_kept),
    AGW_CASE(test_branches_rfc5009_a_closed_one_is_not_heard_before_its_200),
    AGW_CASE(test_branches_media_with_another_codec_overtakes_its_answer),
    AGW_CASE(test_branches_an_unnamed_port_of_a_known_address_is_the_newest),
    AGW_CASE(test_branches_reports_are_those_of_who_is_heard),
    AGW_CASE(test_branches_the_browser_finds_no_hole_at_a_change),
    AGW_CASE(test_branches_are_known_by_their_address_first),
};

AGW_UNIT_MAIN("branches", cases)
