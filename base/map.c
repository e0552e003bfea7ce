/* SPDX-License-Identifier: BSD-3-Clause
 * Open addressing, linear probing, deletion by shifting back; at most half full, and halved again
 * when it is nearly empty. */
#include "base/map.h"

#include "base/prefetch.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_MAX = 64,
    FIRST_ROOM = 64,
    SPARSE = 16, /* a table with fewer entries than this part of its room is halved */
};

typedef struct entry {
    uint64_t hash;
    void *value;   /* NULL = free */
    uint8_t key[]; /* key_size bytes, rounded up to 8 */
} entry;

struct agw_map {
    size_t key_size, stride, mask, count;
    uint8_t seed[16];
    uint8_t *table;
};

static uint64_t rotl(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static uint64_t little64(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return le64toh(v);
}

uint64_t agw_siphash(const uint8_t seed[16], const void *data, size_t len)
{
    const uint64_t k0 = little64(seed, 8);
    const uint64_t k1 = little64(seed + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    const uint8_t *p = data;
    for (size_t i = 0; i + 8 <= len; i += 8) {
        const uint64_t m = little64(p + i, 8);
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    const uint64_t tail = little64(p + len / 8 * 8, len % 8) | (uint64_t)len << 56;
    v[3] ^= tail;
    sip_round(v);
    sip_round(v);
    v[0] ^= tail;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static entry *at(const agw_map *map, size_t slot)
{
    return (entry *)(void *)(map->table + (slot & map->mask) * map->stride);
}

agw_map *agw_map_new(size_t key_size, const uint8_t seed[16])
{
    AGW_ASSERT(key_size >= 1 && key_size <= KEY_MAX);
    agw_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    map->key_size = key_size;
    map->stride = sizeof(entry) + (key_size + 7) / 8 * 8;
    map->mask = FIRST_ROOM - 1;
    memcpy(map->seed, seed, sizeof map->seed);
    map->table = calloc(FIRST_ROOM, map->stride);
    if (map->table == NULL) {
        free(map);
        return NULL;
    }
    return map;
}

void agw_map_free(agw_map *map)
{
    if (map == NULL)
        return;
    free(map->table);
    free(map);
}

/* The slot that holds the key, or the free one where it would go. */
static size_t find(const agw_map *map, uint64_t hash, const void *key)
{
    size_t slot = (size_t)hash & map->mask;
    for (;; slot = (slot + 1) & map->mask) {
        const entry *e = at(map, slot);
        if (e->value == NULL || (e->hash == hash && memcmp(e->key, key, map->key_size) == 0))
            return slot;
    }
}

uint64_t agw_map_aim(const agw_map *map, const void *key)
{
    const uint64_t hash = agw_siphash(map->seed, key, map->key_size);
    agw_prefetch_span(at(map, (size_t)hash), map->stride);
    return hash;
}

void *agw_map_get_at(const agw_map *map, uint64_t hash, const void *key)
{
    return at(map, find(map, hash, key))->value;
}

void *agw_map_get(const agw_map *map, const void *key)
{
    return agw_map_get_at(map, agw_siphash(map->seed, key, map->key_size), key);
}

/* false: memory is short, and nothing has changed. */
static bool resize(agw_map *map, size_t room)
{
    uint8_t *old = map->table;
    const size_t old_room = map->mask + 1;
    uint8_t *table = calloc(room, map->stride);
    if (table == NULL)
        return false;
    map->table = table;
    map->mask = room - 1;
    for (size_t i = 0; i < old_room; i++) {
        const entry *e = (const entry *)(const void *)(old + i * map->stride);
        if (e->value != NULL)
            memcpy(at(map, find(map, e->hash, e->key)), e, map->stride);
    }
    free(old);
    return true;
}

void agw_map_put(agw_map *map, const void *key, void *value)
{
    AGW_ASSERT(value != NULL);
    const uint64_t hash = agw_siphash(map->seed, key, map->key_size);
    entry *e = at(map, find(map, hash, key));
    if (e->value == NULL) {
        if ((map->count + 1) * 2 > map->mask + 1) {
            AGW_ASSERT(resize(map, (map->mask + 1) * 2));
            e = at(map, find(map, hash, key));
        }
        map->count++;
        e->hash = hash;
        memcpy(e->key, key, map->key_size);
    }
    e->value = value;
}

/* After a busy hour the table need not stay as large as it was. */
static void shrink(agw_map *map)
{
    if (map->mask + 1 > FIRST_ROOM && map->count * SPARSE < map->mask + 1)
        (void)resize(map, (map->mask + 1) / 2);
}

void *agw_map_remove(agw_map *map, const void *key)
{
    size_t hole = find(map, agw_siphash(map->seed, key, map->key_size), key);
    void *value = at(map, hole)->value;
    if (value == NULL)
        return NULL;
    map->count--;
    at(map, hole)->value = NULL;
    for (size_t slot = (hole + 1) & map->mask; at(map, slot)->value != NULL;
         slot = (slot + 1) & map->mask) {
        const size_t home = (size_t)at(map, slot)->hash & map->mask;
        if (((slot - home) & map->mask) < ((slot - hole) & map->mask))
            continue; /* it would move in front of its home */
        memcpy(at(map, hole), at(map, slot), map->stride);
        at(map, slot)->value = NULL;
        hole = slot;
    }
    shrink(map);
    return value;
}

size_t agw_map_count(const agw_map *map)
{
    return map->count;
}
