/* SPDX-License-Identifier: BSD-3-Clause
 * Batches of RTP on every engine: the same answers and the same bytes as plain libsrtp2 gives for
 * one packet after another, and what a batch must not do. */
#include "oracle.h"
#include "srtp/batch.h"
#include "unit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

enum {
    STREAMS = 4,  /* of each suite */
    ROUNDS = 150, /* batches each way */
    BATCH_MAX = 150,
    RECENT = 400,
    ENGINES = 2
};

static agw_srtp_engine *engines[ENGINES]; /* [0]: OpenSSL */
static size_t n_engines;

/* --- the oracle --------------------------------------------------------------------------------
 */

typedef struct oracle {
    srtp_t tx, rx;
} oracle;

static oracle oracles[ENGINES][AGW_SRTP_SUITES];

static void test_srtp_batch_oracle_is_made(void)
{
    CU_ASSERT_EQUAL_FATAL(srtp_init(), srtp_err_status_ok);
    for (unsigned i = 0; i < ENGINES * AGW_SRTP_SUITES; i++) {
        const unsigned suite = i % AGW_SRTP_SUITES;
        oracle *o = &oracles[i / AGW_SRTP_SUITES][suite];
        if (suite == AGW_SRTP_NONE)
            continue;
        *o = (oracle){oracle_session(suite, ssrc_any_outbound),
                      oracle_session(suite, ssrc_any_inbound)};
        CU_ASSERT_TRUE_FATAL(o->tx != NULL && o->rx != NULL);
    }
}

static void test_srtp_batch_engine_is_there_where_it_was_built_in(void)
{
    engines[1] = agw_srtp_engine_new();
    n_engines = engines[1] != NULL ? 2 : 1;
#ifdef TEST_IPSEC_MB
    CU_ASSERT_EQUAL(n_engines == 2,
                    __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul"));
#else
    CU_ASSERT_EQUAL(n_engines, 1);
#endif
    for (size_t i = 0; i < n_engines; i++)
        printf("engine %zu: %s\n", i, agw_srtp_engine_name(engines[i]));
}

/* --- a batch and the same packets one by one ---------------------------------------------------
 */

/* Packets lie in memory of exactly the size that the operation may touch. */
typedef struct batch {
    agw_srtp_op ops[BATCH_MAX];
    packet theirs[BATCH_MAX];
    unsigned suite[BATCH_MAX];
    size_t n;
} batch;

static void batch_add(batch *b, unsigned suite, agw_srtp_session *s, const packet *p, size_t room)
{
    uint8_t *data = malloc(p->len + room > 0 ? p->len + room : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    memcpy(data, p->data, p->len);
    b->ops[b->n] = (agw_srtp_op){.session = s, .data = data, .len = p->len, .room = room};
    b->theirs[b->n] = *p;
    b->suite[b->n] = suite;
    b->n++;
}

static void batch_clear(batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->ops[i].data);
    b->n = 0;
}

typedef srtp_err_status_t srtp_call(srtp_t ctx, void *data, int *len);

/* true: both took it. */
static bool same(const agw_srtp_op *ours, packet *theirs, srtp_t ctx, srtp_call *call)
{
    int len = (int)theirs->len;
    const srtp_err_status_t status = call(ctx, theirs->data, &len);
    const bool is_replay =
        status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
    CU_ASSERT_EQUAL_FATAL(ours->err == AGW_OK, status == srtp_err_status_ok);
    /* a cut packet that is also too old is the one to us and the other to libsrtp2 */
    CU_ASSERT_TRUE(ours->err == AGW_ERR_MALFORMED || (ours->err == AGW_ERR_REPLAY) == is_replay);
    if (ours->err != AGW_OK) {
        CU_ASSERT_EQUAL(ours->len, theirs->len);
        return false;
    }
    theirs->len = (size_t)len;
    CU_ASSERT_EQUAL_FATAL(ours->len, theirs->len);
    CU_ASSERT_EQUAL(memcmp(ours->data, theirs->data, ours->len), 0);
    return true;
}

typedef struct world {
    agw_srtp_engine *engine;
    const oracle *oracles;
    agw_srtp_session *tx[AGW_SRTP_SUITES], *rx[AGW_SRTP_SUITES];
    uint16_t seq[AGW_SRTP_SUITES][STREAMS];
    struct {
        packet p;
        unsigned suite;
    } recent[RECENT]; /* sent; len 0 = none */
} world;

static void world_open(world *w, size_t engine)
{
    memset(w, 0, sizeof *w);
    w->engine = engines[engine];
    w->oracles = oracles[engine];
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        w->tx[suite] = test_session_on(w->engine, (agw_srtp_suite)suite, true);
        w->rx[suite] = test_session_on(w->engine, (agw_srtp_suite)suite, false);
        CU_ASSERT_TRUE_FATAL(w->tx[suite] != NULL && w->rx[suite] != NULL);
        for (unsigned i = 0; i < STREAMS; i++)
            w->seq[suite][i] = (uint16_t)(65430 + below(80)); /* the roll-over counter moves soon */
    }
}

static void world_close(world *w)
{
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
        agw_srtp_session_free(w->tx[suite]);
        agw_srtp_session_free(w->rx[suite]);
    }
}

static size_t batch_size(void)
{
    static const uint32_t bounds[] = {1, 4, 16, 64, BATCH_MAX};
    return 1 + below(bounds[below(sizeof bounds / sizeof *bounds)]);
}

/* Mostly the next number; now and then one that is skipped, repeated, late or far away. */
static uint16_t next_seq(uint16_t *seq)
{
    const uint16_t now = *seq;
    switch (below(40)) {
    case 0:
        return (uint16_t)(now - 1 - below(140)); /* repeated, or behind the window */
    case 1:
        *seq = (uint16_t)(now + 2 + below(130));
        return now;
    case 2:
        *seq = (uint16_t)(now + below(below(4) == 0 ? 40000 : 400));
        return *seq;
    default:
        (*seq)++;
        return now;
    }
}

static void send_batch(world *w, batch *b)
{
    for (size_t n = batch_size(); n > 0; n--) {
        const unsigned suite = 1 + below(AGW_SRTP_SUITES - 1), stream = below(STREAMS);
        packet p;
        random_rtp(&p, 0x1000 + stream, next_seq(&w->seq[suite][stream]));
        if (below(30) == 0)
            p.len = below(12);
        const size_t tag_len = agw_srtp_suite_get((agw_srtp_suite)suite)->rtp_tag_len;
        batch_add(b, suite, w->tx[suite], &p, tag_len);
    }
    agw_srtp_batch_protect(w->engine, b->ops, b->n);
    for (size_t i = 0; i < b->n; i++) {
        if (!same(&b->ops[i], &b->theirs[i], w->oracles[b->suite[i]].tx, srtp_protect))
            continue;
        const size_t slot = below(RECENT);
        w->recent[slot].p = b->theirs[i];
        w->recent[slot].suite = b->suite[i];
    }
    batch_clear(b);
}

/* A shuffling, duplicating, damaging network. */
static void receive_batch(world *w, batch *b)
{
    for (size_t n = batch_size(); n > 0; n--) {
        const size_t slot = below(RECENT);
        const unsigned suite = w->recent[slot].suite;
        packet p = w->recent[slot].p;
        if (p.len == 0)
            continue;
        if (below(8) == 0)
            damage(&p);
        batch_add(b, suite, w->rx[suite], &p, 0);
        if (below(8) == 0)
            w->recent[slot].p.len = 0;
    }
    agw_srtp_batch_unprotect(w->engine, b->ops, b->n);
    for (size_t i = 0; i < b->n; i++)
        (void)same(&b->ops[i], &b->theirs[i], w->oracles[b->suite[i]].rx, srtp_unprotect);
    batch_clear(b);
}

static void same_roc(agw_srtp_session *ours, srtp_t theirs, uint32_t ssrc)
{
    uint32_t a = 0, b = 0;
    const bool known = agw_srtp_session_roc(ours, ssrc, &a) == AGW_OK;
    CU_ASSERT_EQUAL(known, srtp_get_stream_roc(theirs, ssrc, &b) == srtp_err_status_ok);
    CU_ASSERT_EQUAL(a, b);
}

static void test_srtp_batch_random_batches_are_the_same_as_plain_libsrtp(void)
{
    static world w;
    static batch b;
    for (size_t e = 0; e < n_engines; e++) {
        world_open(&w, e);
        for (unsigned i = 0; i < ROUNDS; i++) {
            send_batch(&w, &b);
            receive_batch(&w, &b);
        }
        for (size_t i = 0; i < (AGW_SRTP_SUITES - 1) * STREAMS; i++) {
            const size_t suite = 1 + i / STREAMS;
            const uint32_t ssrc = 0x1000 + i % STREAMS;
            same_roc(w.tx[suite], w.oracles[suite].tx, ssrc);
            same_roc(w.rx[suite], w.oracles[suite].rx, ssrc);
        }
        world_close(&w);
    }
    for (size_t i = 0; i < ENGINES * AGW_SRTP_SUITES; i++) {
        const oracle *o = &oracles[i / AGW_SRTP_SUITES][i % AGW_SRTP_SUITES];
        if (o->tx != NULL)
            srtp_dealloc(o->tx);
        if (o->rx != NULL)
            srtp_dealloc(o->rx);
    }
}

/* --- one batch is as good as one packet after another ------------------------------------------
 */

typedef struct pair {
    agw_srtp_engine *engine;
    agw_srtp_session *tx, *rx;
} pair;

static void pair_close(pair *p)
{
    agw_srtp_session_free(p->tx);
    agw_srtp_session_free(p->rx);
}

/* Runs a test for every engine and suite. */
static void each(void (*run)(pair *p))
{
    for (size_t e = 0; e < n_engines; e++) {
        for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++) {
            pair p = {engines[e], test_session_on(engines[e], (agw_srtp_suite)suite, true),
                      test_session_on(engines[e], (agw_srtp_suite)suite, false)};
            CU_ASSERT_TRUE_FATAL(p.tx != NULL && p.rx != NULL);
            run(&p);
            pair_close(&p);
        }
    }
}

enum { FEW = 8 };

/* Packets of one stream or of several, and the ops over them. */
typedef struct few {
    packet packets[FEW];
    agw_srtp_op ops[FEW];
} few;

static void few_protect(pair *p, few *f, const uint16_t *seqs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        f->packets[i].len = test_rtp(f->packets[i].data, 9, seqs[i], 100);
        f->ops[i] = (agw_srtp_op){.session = p->tx,
                                  .data = f->packets[i].data,
                                  .len = f->packets[i].len,
                                  .room = AGW_SRTP_TRAILER_MAX};
    }
    agw_srtp_batch_protect(p->engine, f->ops, n);
    for (size_t i = 0; i < n; i++)
        f->packets[i].len = f->ops[i].len;
}

/* Packet i of the batch is number order[i] of f. */
static void few_unprotect(pair *p, const few *f, const size_t *order, const agw_err *want, size_t n)
{
    few got;
    for (size_t i = 0; i < n; i++) {
        got.packets[i] = f->packets[order[i]];
        got.ops[i] =
            (agw_srtp_op){.session = p->rx, .data = got.packets[i].data, .len = got.packets[i].len};
    }
    agw_srtp_batch_unprotect(p->engine, got.ops, n);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(got.ops[i].err, want[i]);
        if (got.ops[i].err != AGW_OK)
            continue;
        packet plain;
        plain.len = test_rtp(plain.data, 9, agw_get16(f->packets[order[i]].data + 2), 100);
        CU_ASSERT_EQUAL_FATAL(got.ops[i].len, plain.len);
        CU_ASSERT_EQUAL(memcmp(got.packets[i].data, plain.data, plain.len), 0);
    }
}

static void duplicates(pair *p)
{
    static const uint16_t seqs[] = {10, 11, 10, 12};
    static const size_t order[] = {0, 1, 1, 3, 0};
    static const agw_err want[] = {AGW_OK, AGW_OK, AGW_ERR_REPLAY, AGW_OK, AGW_ERR_REPLAY};
    few f;
    few_protect(p, &f, seqs, 4);
    CU_ASSERT_EQUAL(f.ops[2].err, AGW_ERR_REPLAY); /* nor is it sent */
    CU_ASSERT_EQUAL(f.ops[3].err, AGW_OK);
    few_unprotect(p, &f, order, want, 5);
}

static void test_srtp_batch_rfc3711_3_3_2_duplicates_within_one_batch(void)
{
    each(duplicates);
}

static void forged_first(pair *p)
{
    static const uint16_t seqs[] = {100, 101, 102};
    static const size_t order[] = {0, 2, 2, 1};
    static const agw_err want[] = {AGW_OK, AGW_ERR_AUTH, AGW_ERR_AUTH, AGW_OK};
    few f;
    few_protect(p, &f, seqs, 3);
    f.packets[2].data[2] ^= 0x70; /* far ahead, and forged */
    few_unprotect(p, &f, order, want, 4);
    f.packets[2].data[2] ^= 0x70; /* it has moved nothing */
    few_unprotect(p, &f, &order[1], (const agw_err[]){AGW_OK}, 1);
    uint32_t roc = 1;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(p->rx, 9, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 0);
}

static void test_srtp_batch_rfc3711_3_3_forged_packet_ahead_moves_nothing(void)
{
    each(forged_first);
}

/* The second packet has another index than it would have alone. */
static void wrap_at_once(pair *p)
{
    static const uint16_t seqs[] = {65535, 0, 1};
    static const size_t order[] = {0, 2, 1};
    static const agw_err want[] = {AGW_OK, AGW_OK, AGW_OK};
    few f;
    few_protect(p, &f, seqs, 3);
    few_unprotect(p, &f, order, want, 3);
    uint32_t roc = 0;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(p->rx, 9, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 1);
}

static void test_srtp_batch_rfc3711_3_3_1_first_batch_of_a_stream_wraps(void)
{
    each(wrap_at_once);
}

/* After 30000 the number 60000 is in this cycle, 65000 was in the one before; a batch that holds
 * both is guessed wrong at first. */
static void far_ahead(pair *p)
{
    static const uint16_t seqs[] = {65000, 30000, 60000, 20000};
    static const size_t order[] = {0, 1, 2, 3, 2};
    static const agw_err want[] = {AGW_OK, AGW_OK, AGW_OK, AGW_OK, AGW_ERR_REPLAY};
    few f;
    few_protect(p, &f, seqs, 4);
    few_unprotect(p, &f, order, want, 5);
    uint32_t roc = 0;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(p->rx, 9, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 2);
}

static void test_srtp_batch_rfc3711_3_3_1_index_depends_on_packets_ahead_in_the_batch(void)
{
    each(far_ahead);
}

/* Half a cycle back is this cycle, one more is the next; and the other way round. */
static void half_a_cycle(pair *p)
{
    static const uint16_t seqs[] = {40000, 40000 - 32768, 40000 - 32769, 7231 + 32768};
    static const uint16_t behind[] = {0, 32769};
    few f;
    few_protect(p, &f, seqs, 4);
    CU_ASSERT_EQUAL(f.ops[1].err, AGW_ERR_REPLAY); /* far behind in the same cycle */
    CU_ASSERT_EQUAL(f.ops[2].err, AGW_OK);
    CU_ASSERT_EQUAL(f.ops[3].err, AGW_OK);
    uint32_t roc = 0;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(p->tx, 9, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 1);
    few_protect(p, &f, behind, 2); /* 39999 -> 0 is a wrap, 0 -> 32769 is not */
    CU_ASSERT_EQUAL(f.ops[0].err, AGW_OK);
    CU_ASSERT_EQUAL(f.ops[1].err, AGW_ERR_REPLAY);
}

static void test_srtp_batch_rfc3711_3_3_1_half_a_cycle_either_way(void)
{
    each(half_a_cycle);
}

static void one_too_many(pair *p)
{
    packet packets[AGW_SRTP_SSRC_MAX + 1];
    agw_srtp_op ops[AGW_SRTP_SSRC_MAX + 1];
    for (uint32_t i = 0; i <= AGW_SRTP_SSRC_MAX; i++) {
        packets[i].len = test_rtp(packets[i].data, 100 + i, 1, 50);
        ops[i] = (agw_srtp_op){.session = p->tx,
                               .data = packets[i].data,
                               .len = packets[i].len,
                               .room = AGW_SRTP_TRAILER_MAX};
    }
    agw_srtp_batch_protect(p->engine, ops, AGW_SRTP_SSRC_MAX + 1);
    for (size_t i = 0; i < AGW_SRTP_SSRC_MAX; i++)
        CU_ASSERT_EQUAL(ops[i].err, AGW_OK);
    CU_ASSERT_EQUAL(ops[AGW_SRTP_SSRC_MAX].err, AGW_ERR_LIMIT);
}

static void test_srtp_batch_number_of_ssrcs_is_bounded_within_one_batch(void)
{
    each(one_too_many);
}

/* --- the roll-over counter, by hand ------------------------------------------------------------
 */

static void last_index(pair *p)
{
    static const uint16_t seqs[] = {65534, 65535, 0};
    static const size_t order[] = {0, 1};
    static const agw_err want[] = {AGW_OK, AGW_OK};
    few f;
    CU_ASSERT_EQUAL(agw_srtp_session_set_roc(p->tx, 9, UINT32_MAX), AGW_OK);
    CU_ASSERT_EQUAL(agw_srtp_session_set_roc(p->rx, 9, UINT32_MAX), AGW_OK);
    few_protect(p, &f, seqs, 3);
    CU_ASSERT_EQUAL(f.ops[1].err, AGW_OK);
    CU_ASSERT_EQUAL(f.ops[2].err, AGW_ERR_LIMIT); /* the key is used up */
    few_unprotect(p, &f, order, want, 2);
}

static void test_srtp_batch_rfc3711_9_2_index_does_not_pass_its_48_bits(void)
{
    each(last_index);
}

static void resynchronised(pair *p)
{
    static const uint16_t seqs[] = {7}, later[] = {8}, behind[] = {60000};
    static const size_t order[] = {0};
    static const agw_err ok[] = {AGW_OK}, forged[] = {AGW_ERR_AUTH};
    few f;
    uint32_t roc = 0;
    few_protect(p, &f, seqs, 1);
    few_unprotect(p, &f, order, ok, 1);
    CU_ASSERT_EQUAL(agw_srtp_session_set_roc(p->tx, 9, 5), AGW_OK);
    CU_ASSERT_EQUAL(agw_srtp_session_roc(p->tx, 9, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 5);
    few_protect(p, &f, later, 1);
    few_unprotect(p, &f, order, forged, 1); /* the receiver is in another cycle */
    CU_ASSERT_EQUAL(agw_srtp_session_set_roc(p->rx, 9, 5), AGW_OK);
    few_unprotect(p, &f, order, ok, 1);
    few_protect(p, &f, behind, 1); /* the order said which cycle the next one is in, no more */
    CU_ASSERT_EQUAL(f.ops[0].err, AGW_ERR_REPLAY);
    CU_ASSERT_EQUAL(agw_srtp_session_set_roc(p->tx, 9, 4), AGW_OK); /* never back */
    few_protect(p, &f, later, 1);
    CU_ASSERT_EQUAL(f.ops[0].err, AGW_ERR_REPLAY);
}

static void test_srtp_batch_rfc3711_3_3_1_roc_is_set_for_the_next_packet_only(void)
{
    each(resynchronised);
}

/* --- the way of a packet takes no memory and no lock -------------------------------------------
 */

static bool is_hot; /* the batch is running */

/* Everything in the process comes by here, libraries too. A sanitizer has an allocator of its own:
 * there the test only sees that packets pass. */
#ifndef SANITIZED
static size_t heap_calls, locks;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static void on_heap_call(void)
{
    heap_calls++;
    if (is_hot)
        abort();
}

void *malloc(size_t size)
{
    on_heap_call();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    on_heap_call();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    on_heap_call();
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    on_heap_call();
    return __libc_memalign(align, size);
}

void free(void *p)
{
    on_heap_call();
    __libc_free(p);
}

static void on_lock(void)
{
    locks++;
    if (is_hot)
        abort();
}

#define LOCK(name, type)                                                                           \
    int name(type *lock)                                                                           \
    {                                                                                              \
        static int (*real)(type *);                                                                \
        if (real == NULL)                                                                          \
            *(void **)(&real) = dlsym(RTLD_NEXT, #name);                                           \
        on_lock();                                                                                 \
        return real(lock);                                                                         \
    }

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
LOCK(pthread_spin_lock, pthread_spinlock_t)
#endif

enum { HOT = 40 };

static void hot_batch(pair *p, uint16_t first)
{
    static packet packets[HOT];
    agw_srtp_op ops[HOT];
    for (uint16_t i = 0; i < HOT; i++) {
        packets[i].len = test_rtp(packets[i].data, 1 + i % 2, (uint16_t)(first + i), 160);
        ops[i] = (agw_srtp_op){.session = p->tx,
                               .data = packets[i].data,
                               .len = packets[i].len,
                               .room = AGW_SRTP_TRAILER_MAX};
    }
    is_hot = true;
    for (size_t at = 0; at < HOT; at += HOT / 2)
        agw_srtp_batch_protect(p->engine, ops + at, HOT / 2);
    for (size_t i = 0; i < HOT; i++)
        ops[i].session = p->rx;
    ops[7].data[50] ^= 1; /* a forged one */
    agw_srtp_batch_unprotect(p->engine, ops, HOT);
    is_hot = false;
    for (size_t i = 0; i < HOT; i++)
        CU_ASSERT_EQUAL(ops[i].err, i == 7 ? AGW_ERR_AUTH : AGW_OK);
}

static void hot(pair *p)
{
    for (uint16_t i = 0; i < 20; i++)
        hot_batch(p, (uint16_t)(1 + i * HOT));
}

static void test_srtp_batch_takes_no_lock_and_no_memory(void)
{
    each(hot);
#ifndef SANITIZED
    CU_ASSERT_TRUE(heap_calls > 0 && locks > 0); /* the counters count */
#endif
}

static void test_srtp_batch_engines_end_after_their_sessions(void)
{
    for (size_t i = 0; i < ENGINES; i++)
        agw_srtp_engine_free(engines[i]);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_srtp_batch_oracle_is_made),
    AGW_CASE(test_srtp_batch_engine_is_there_where_it_was_built_in),
    AGW_CASE(test_srtp_batch_random_batches_are_the_same_as_plain_libsrtp),
    AGW_CASE(test_srtp_batch_rfc3711_3_3_2_duplicates_within_one_batch),
    AGW_CASE(test_srtp_batch_rfc3711_3_3_forged_packet_ahead_moves_nothing),
    AGW_CASE(test_srtp_batch_rfc3711_3_3_1_first_batch_of_a_stream_wraps),
    AGW_CASE(test_srtp_batch_rfc3711_3_3_1_index_depends_on_packets_ahead_in_the_batch),
    AGW_CASE(test_srtp_batch_rfc3711_3_3_1_half_a_cycle_either_way),
    AGW_CASE(test_srtp_batch_number_of_ssrcs_is_bounded_within_one_batch),
    AGW_CASE(test_srtp_batch_rfc3711_9_2_index_does_not_pass_its_48_bits),
    AGW_CASE(test_srtp_batch_rfc3711_3_3_1_roc_is_set_for_the_next_packet_only),
    AGW_CASE(test_srtp_batch_takes_no_lock_and_no_memory),
    AGW_CASE(test_srtp_batch_engines_end_after_their_sessions),
};

/* An argument repeats a seed. */
int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    return agw_unit_run("srtp batch", cases, sizeof cases / sizeof *cases);
}
