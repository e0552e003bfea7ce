/* SPDX-License-Identifier: BSD-3-Clause
 * Memory that a thread has freed goes back to the system, but for little. */
#include "base/heap.h"
#include "random.h"
#include "unit.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OTHER_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHER_ALLOCATOR 1
#endif
#endif

enum { PIECES = 40000, LARGEST = 1000 };

static size_t resident_kb(void)
{
    char text[100] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof text, f));
    fclose(f);
    const char *second = strchr(text, ' ');
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* Pieces of all sizes come and go, in no order. */
static void come_and_go(test_random *r)
{
    static void *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = calloc(1, 24 + test_random_below(r, LARGEST));
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
    }
    for (size_t n = PIECES; n > 0; n--) {
        const size_t i = test_random_below(r, (uint32_t)n);
        free(pieces[i]);
        pieces[i] = pieces[n - 1];
    }
}

typedef struct run {
    test_random random;
    size_t trimmed_kb, settled_kb;
} run;

static void *of_a_thread(void *arg)
{
    run *r = arg;
    come_and_go(&r->random);
    malloc_trim(0);
    r->trimmed_kb = resident_kb();
    agw_heap_settle();
    malloc_trim(0);
    r->settled_kb = resident_kb();
    return NULL;
}

static void test_heap_settled_memory_goes_back_to_the_system(void)
{
    run r = {.random = test_random_begin("pieces")};
    pthread_t thread;
    come_and_go(&r.random); /* now the table is touched */
    agw_heap_settle();
    malloc_trim(0);
    const size_t before = resident_kb();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, of_a_thread, &r), 0);
    pthread_join(thread, NULL);
    printf("%zu kB at first, %zu kB trimmed, %zu kB settled and trimmed\n", before, r.trimmed_kb,
           r.settled_kb);
#ifndef OTHER_ALLOCATOR
    CU_ASSERT_TRUE(r.settled_kb <= before + 1024);
    CU_ASSERT_TRUE(r.settled_kb + 512 <= r.trimmed_kb);
#endif
}

static void test_heap_is_settled_after_many_and_when_none_is_left(void)
{
    size_t ended = 0;
    for (size_t i = 1; i < AGW_HEAP_MANY; i++)
        agw_heap_ended(&ended, true);
    CU_ASSERT_EQUAL(ended, AGW_HEAP_MANY - 1);
    agw_heap_ended(&ended, false);
    CU_ASSERT_EQUAL(ended, AGW_HEAP_MANY);
    agw_heap_ended(&ended, true);
    CU_ASSERT_EQUAL(ended, 0);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_heap_settled_memory_goes_back_to_the_system),
    AGW_CASE(test_heap_is_settled_after_many_and_when_none_is_left),
};

int main(void)
{
    return agw_unit_run("heap", CASES, sizeof CASES / sizeof *CASES);
}
