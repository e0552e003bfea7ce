/* SPDX-License-Identifier: BSD-3-Clause
 * base/ring: order, bounds, and many threads at once (the thread sanitizer looks on). */
#include "base/ring.h"

#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

static void test_ring_keeps_the_order_and_its_bound(void)
{
    int items[9];
    agw_ring *ring = agw_ring_new(8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
    CU_ASSERT_PTR_NULL(agw_ring_pop(ring));
    for (int round = 0; round < 5; round++) { /* round and round the array */
        for (int i = 0; i < 8; i++)
            CU_ASSERT_TRUE(agw_ring_push(ring, &items[i]));
        CU_ASSERT_FALSE(agw_ring_push(ring, &items[8]));
        CU_ASSERT_EQUAL(agw_ring_count(ring), 8);
        for (int i = 0; i < 8; i++)
            CU_ASSERT_PTR_EQUAL(agw_ring_pop(ring), &items[i]);
        CU_ASSERT_PTR_NULL(agw_ring_pop(ring));
        CU_ASSERT_EQUAL(agw_ring_count(ring), 0);
    }
    agw_ring_free(ring);
}

static void test_ring_works_partly_filled(void)
{
    int items[2];
    agw_ring *ring = agw_ring_new(2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
    CU_ASSERT_TRUE(agw_ring_push(ring, &items[0]));
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_TRUE(agw_ring_push(ring, &items[(i + 1) % 2]));
        CU_ASSERT_FALSE(agw_ring_push(ring, &items[0]));
        CU_ASSERT_PTR_EQUAL(agw_ring_pop(ring), &items[i % 2]);
    }
    CU_ASSERT_PTR_NOT_NULL(agw_ring_pop(ring));
    CU_ASSERT_PTR_NULL(agw_ring_pop(ring));
    agw_ring_free(ring);
    agw_ring_free(NULL);
}

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

enum { PRODUCERS = 2, EACH = 20000 };

typedef struct message {
    uint32_t producer, number; /* plain fields: only the ring orders their writing and reading */
} message;

typedef struct producer {
    agw_ring *ring;
    message *messages;
    uint32_t id;
} producer;

static void *produce(void *arg)
{
    const producer *p = arg;
    for (uint32_t i = 0; i < EACH; i++) {
        p->messages[i] = (message){p->id, i};
        while (!agw_ring_push(p->ring, &p->messages[i]))
            sched_yield();
    }
    return NULL;
}

/* The mailbox: every message once, each producer's in order, contents visible. */
static void test_ring_many_producers_one_consumer(void)
{
    agw_ring *ring = agw_ring_new(64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
    pthread_t threads[PRODUCERS];
    producer producers[PRODUCERS];
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (producer){ring, must(calloc(EACH, sizeof(message))), i};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    uint32_t next[PRODUCERS] = {0};
    unsigned wrong = 0;
    for (uint32_t got = 0; got < PRODUCERS * EACH;) {
        const message *m = agw_ring_pop(ring);
        if (m == NULL) {
            sched_yield();
            continue;
        }
        wrong += m->producer >= PRODUCERS || m->number != next[m->producer % PRODUCERS]++;
        got++;
    }
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        pthread_join(threads[i], NULL);
        free(producers[i].messages);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_PTR_NULL(agw_ring_pop(ring));
    agw_ring_free(ring);
}

typedef struct consumer {
    agw_ring *ring;
    atomic_uint *taken;
    uint64_t sum;
} consumer;

static void *consume(void *arg)
{
    consumer *c = arg;
    while (atomic_load(c->taken) < EACH) {
        const message *m = agw_ring_pop(c->ring);
        if (m == NULL) {
            sched_yield();
            continue;
        }
        c->sum += m->number;
        atomic_fetch_add(c->taken, 1);
    }
    return NULL;
}

/* The job queue of the handshake threads: each job goes to exactly one of them. */
static void test_ring_one_producer_many_consumers(void)
{
    agw_ring *ring = agw_ring_new(64);
    atomic_uint taken = 0;
    consumer consumers[2] = {{ring, &taken, 0}, {ring, &taken, 0}};
    pthread_t threads[2];
    producer p = {ring, must(calloc(EACH, sizeof(message))), 0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, consume, &consumers[i]), 0);
    produce(&p);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(consumers[0].sum + consumers[1].sum, (uint64_t)EACH * (EACH - 1) / 2);
    CU_ASSERT_EQUAL(atomic_load(&taken), EACH);
    free(p.messages);
    agw_ring_free(ring);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_ring_keeps_the_order_and_its_bound),
    AGW_CASE(test_ring_works_partly_filled),
    AGW_CASE(test_ring_many_producers_one_consumer),
    AGW_CASE(test_ring_one_producer_many_consumers),
};

AGW_UNIT_MAIN("ring", CASES)
