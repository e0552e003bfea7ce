/* SPDX-License-Identifier: BSD-3-Clause
 * base/timerq: against a plain array that is searched. */
#include "base/timerq.h"

#include "random.h"
#include "unit.h"

static void test_timerq_pops_in_order_and_not_early(void)
{
    agw_timerq q;
    agw_timer a = {0}, b = {0};
    agw_timerq_init(&q);
    CU_ASSERT_EQUAL(agw_timerq_next(&q), AGW_NEVER);
    CU_ASSERT_PTR_NULL(agw_timerq_pop(&q, AGW_NEVER));
    agw_timerq_set(&q, &a, 200);
    agw_timerq_set(&q, &b, 100);
    CU_ASSERT_EQUAL(agw_timerq_next(&q), 100);
    CU_ASSERT_PTR_NULL(agw_timerq_pop(&q, 99));
    CU_ASSERT_PTR_EQUAL(agw_timerq_pop(&q, 100), &b);
    CU_ASSERT_PTR_NULL(agw_timerq_pop(&q, 199));
    CU_ASSERT_PTR_EQUAL(agw_timerq_pop(&q, 201), &a);
    CU_ASSERT_PTR_NULL(agw_timerq_pop(&q, AGW_NEVER));
    agw_timerq_fini(&q);
}

static void test_timerq_moves_and_cancels(void)
{
    agw_timerq q;
    agw_timer a = {0}, b = {0};
    agw_timerq_init(&q);
    agw_timerq_cancel(&q, &a); /* not armed */
    agw_timerq_set(&q, &a, 10);
    agw_timerq_set(&q, &b, 20);
    agw_timerq_set(&q, &a, 30); /* later */
    CU_ASSERT_EQUAL(agw_timerq_next(&q), 20);
    agw_timerq_set(&q, &a, 5); /* earlier */
    CU_ASSERT_EQUAL(agw_timerq_next(&q), 5);
    agw_timerq_set(&q, &a, AGW_NEVER);
    CU_ASSERT_EQUAL(agw_timerq_next(&q), 20);
    CU_ASSERT_EQUAL(a.pos, 0);
    agw_timerq_set(&q, &a, AGW_NEVER); /* once more */
    agw_timerq_cancel(&q, &b);
    CU_ASSERT_EQUAL(agw_timerq_next(&q), AGW_NEVER);
    agw_timerq_fini(&q);
}

enum { TIMERS = 200, STEPS = 20000, SPAN = 500 };

static agw_ns model_next(const agw_ns model[TIMERS])
{
    agw_ns next = AGW_NEVER;
    for (size_t i = 0; i < TIMERS; i++)
        next = agw_earlier(next, model[i]);
    return next;
}

/* Pops everything due: each must have the model's earliest time. */
static unsigned pop_due(agw_timerq *q, agw_timer timers[TIMERS], agw_ns model[TIMERS], agw_ns now)
{
    unsigned wrong = 0;
    for (agw_timer *t; (t = agw_timerq_pop(q, now)) != NULL;) {
        agw_ns *expected = &model[t - timers];
        wrong += *expected != model_next(model) || *expected > now || t->pos != 0;
        *expected = AGW_NEVER;
    }
    return wrong + (model_next(model) <= now);
}

static void test_timerq_random_against_a_plain_model(void)
{
    test_random r = test_random_begin("timerq");
    static agw_timer timers[TIMERS];
    static agw_ns model[TIMERS];
    agw_timerq q;
    agw_timerq_init(&q);
    for (size_t i = 0; i < TIMERS; i++)
        model[i] = AGW_NEVER;
    unsigned wrong = 0;
    agw_ns now = 0;
    for (int step = 0; step < STEPS; step++) {
        const size_t i = test_random_below(&r, TIMERS);
        switch (test_random_below(&r, 8)) {
        case 0:
            agw_timerq_cancel(&q, &timers[i]);
            model[i] = AGW_NEVER;
            break;
        case 1:
            now += test_random_below(&r, SPAN / 50);
            wrong += pop_due(&q, timers, model, now);
            break;
        default:
            model[i] = now + test_random_below(&r, SPAN); /* equal times happen */
            agw_timerq_set(&q, &timers[i], model[i]);
        }
        wrong += agw_timerq_next(&q) != model_next(model);
    }
    wrong += pop_due(&q, timers, model, now + SPAN);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(q.count, 0);
    agw_timerq_fini(&q);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_timerq_pops_in_order_and_not_early),
    AGW_CASE(test_timerq_moves_and_cancels),
    AGW_CASE(test_timerq_random_against_a_plain_model),
};

AGW_UNIT_MAIN("timerq", CASES)
