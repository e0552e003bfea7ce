/* SPDX-License-Identifier: BSD-3-Clause
 * base/map: against a plain array, with keys chosen to sit in one another's way. */
#include "base/map.h"

#include "random.h"
#include "unit.h"

#include <string.h>

static const uint8_t SEED[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The vectors of the reference implementation (Aumasson, Bernstein: SipHash-2-4, appendix A). */
static void test_map_siphash_reference_vectors(void)
{
    uint8_t data[64];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    CU_ASSERT_EQUAL(agw_siphash(SEED, data, 0), UINT64_C(0x726fdb47dd0e0e31));
    CU_ASSERT_EQUAL(agw_siphash(SEED, data, 1), UINT64_C(0x74f839c593dc67fd));
    CU_ASSERT_EQUAL(agw_siphash(SEED, data, 8), UINT64_C(0x93f5f5799a932462));
    CU_ASSERT_EQUAL(agw_siphash(SEED, data, 15), UINT64_C(0xa129ca6149be45e5));
    CU_ASSERT_EQUAL(agw_siphash(SEED, data, 63), UINT64_C(0x958a324ceb064572));
}

static void test_map_put_get_replace_remove(void)
{
    agw_map *map = agw_map_new(3, SEED);
    int a, b;
    CU_ASSERT_PTR_NOT_NULL_FATAL(map);
    CU_ASSERT_PTR_NULL(agw_map_get(map, "abc"));
    CU_ASSERT_PTR_NULL(agw_map_remove(map, "abc"));
    agw_map_put(map, "abc", &a);
    agw_map_put(map, "abd", &b);
    CU_ASSERT_PTR_EQUAL(agw_map_get(map, "abc"), &a);
    CU_ASSERT_PTR_EQUAL(agw_map_get(map, "abd"), &b);
    CU_ASSERT_EQUAL(agw_map_count(map), 2);
    agw_map_put(map, "abc", &b);
    CU_ASSERT_PTR_EQUAL(agw_map_get(map, "abc"), &b);
    CU_ASSERT_EQUAL(agw_map_count(map), 2);
    CU_ASSERT_PTR_EQUAL(agw_map_remove(map, "abc"), &b);
    CU_ASSERT_PTR_NULL(agw_map_get(map, "abc"));
    CU_ASSERT_EQUAL(agw_map_count(map), 1);
    agw_map_free(map);
    agw_map_free(NULL);
}

enum { HOMES = 64, CROWD = 24 }; /* a new map has 64 places and grows beyond 32 entries */

/* Keys whose home is one of the last or first places, so that runs wrap around the end. */
static size_t crowded_keys(uint32_t keys[CROWD])
{
    size_t n = 0;
    for (uint32_t key = 0; n < CROWD && key < 100000; key++) {
        const uint64_t home = agw_siphash(SEED, &key, sizeof key) % HOMES;
        if (home >= HOMES - 3 || home <= 1)
            keys[n++] = key;
    }
    return n;
}

/* Removing any one of a run that wraps leaves all the others to be found. */
static void test_map_deletion_shifts_back_over_the_end(void)
{
    uint32_t keys[CROWD];
    CU_ASSERT_EQUAL_FATAL(crowded_keys(keys), CROWD);
    unsigned wrong = 0;
    for (size_t gone = 0; gone < CROWD; gone++) {
        agw_map *map = agw_map_new(sizeof keys[0], SEED);
        CU_ASSERT_PTR_NOT_NULL_FATAL(map);
        for (size_t i = 0; i < CROWD; i++)
            agw_map_put(map, &keys[i], &keys[i]);
        for (size_t n = 0; n < CROWD; n++) {         /* and then all others, starting there */
            const size_t i = (gone + n * 7) % CROWD; /* 7 and 24 have no common factor */
            wrong += agw_map_remove(map, &keys[i]) != &keys[i];
            for (size_t m = 0; m < CROWD; m++) {
                const size_t j = (gone + m * 7) % CROWD;
                wrong += agw_map_get(map, &keys[j]) != (m <= n ? NULL : &keys[j]);
            }
        }
        wrong += agw_map_count(map) != 0;
        agw_map_free(map);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

enum { AGAIN = 1000 };

/* Grown, emptied (its room goes back) and grown again. */
static void test_map_grows_again_after_it_was_empty(void)
{
    static uint32_t keys[AGAIN];
    agw_map *map = agw_map_new(sizeof keys[0], SEED);
    unsigned wrong = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < AGAIN; i++) {
            keys[i] = i * 7919;
            agw_map_put(map, &keys[i], &keys[i]);
        }
        for (uint32_t i = 0; i < AGAIN; i++)
            wrong += agw_map_get(map, &keys[i]) != &keys[i];
        for (uint32_t i = 0; i < AGAIN; i++) {
            wrong += agw_map_get(map, &keys[AGAIN - 1]) != &keys[AGAIN - 1]; /* while it shrinks */
            wrong += agw_map_remove(map, &keys[i]) != &keys[i];
        }
        wrong += agw_map_count(map) != 0 || agw_map_get(map, &keys[0]) != NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    agw_map_free(map);
}

enum { KEYS = 3000, STEPS = 60000, KEY_BYTES = 21 };

static void make_key(uint8_t key[KEY_BYTES], uint32_t i)
{
    memset(key, 0x77, KEY_BYTES);
    memcpy(key + KEY_BYTES - sizeof i, &i, sizeof i);
}

static void test_map_random_against_a_plain_model(void)
{
    test_random r = test_random_begin("map");
    static int values[2];
    static void *model[KEYS];
    uint8_t key[KEY_BYTES], seed[16];
    agw_rand_bytes(seed, sizeof seed);
    agw_map *map = agw_map_new(KEY_BYTES, seed);
    CU_ASSERT_PTR_NOT_NULL_FATAL(map);
    unsigned wrong = 0;
    size_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        const uint32_t i = test_random_below(&r, KEYS);
        make_key(key, i);
        wrong += agw_map_get(map, key) != model[i];
        if (test_random_below(&r, 5) < 2 + (step < STEPS / 2)) { /* first it grows, then shrinks */
            count += model[i] == NULL;
            model[i] = &values[step % 2];
            agw_map_put(map, key, model[i]);
        } else {
            count -= model[i] != NULL;
            wrong += agw_map_remove(map, key) != model[i];
            model[i] = NULL;
        }
        wrong += agw_map_count(map) != count;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        make_key(key, i);
        wrong += agw_map_get(map, key) != model[i];
    }
    CU_ASSERT_EQUAL(wrong, 0);
    agw_map_free(map);
}

static void test_map_key_size_bounds(void)
{
    int v;
    uint8_t key[64] = {0};
    for (size_t size = 1; size <= 64; size += 63) {
        agw_map *map = agw_map_new(size, SEED);
        CU_ASSERT_PTR_NOT_NULL_FATAL(map);
        agw_map_put(map, key, &v);
        key[size - 1] = 1; /* the last byte counts */
        CU_ASSERT_PTR_NULL(agw_map_get(map, key));
        key[size - 1] = 0;
        CU_ASSERT_PTR_EQUAL(agw_map_get(map, key), &v);
        agw_map_free(map);
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_map_siphash_reference_vectors),
    AGW_CASE(test_map_put_get_replace_remove),
    AGW_CASE(test_map_deletion_shifts_back_over_the_end),
    AGW_CASE(test_map_grows_again_after_it_was_empty),
    AGW_CASE(test_map_random_against_a_plain_model),
    AGW_CASE(test_map_key_size_bounds),
};

AGW_UNIT_MAIN("map", CASES)
