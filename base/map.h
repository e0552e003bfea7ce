/* SPDX-License-Identifier: BSD-3-Clause
 * A hash table from fixed-size keys to pointers, keyed with a secret so that strangers cannot aim
 * at one bucket. */
#ifndef AGW_BASE_MAP_H
#define AGW_BASE_MAP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct agw_map agw_map;

/** key_size: bytes of every key, 1 to 64; keys are compared with memcmp, so padding must be zero.
 * seed: 16 random bytes. NULL when memory is short. */
AGW_NODISCARD agw_map *agw_map_new(size_t key_size, const uint8_t seed[16]);
void agw_map_free(agw_map *map);

/** The value, or NULL. Never allocates. */
void *agw_map_get(const agw_map *map, const void *key);
/** The same in two steps, so that a batch of keys can wait for memory together: where a key belongs
 * (which asks the cache for it), then what is there. */
uint64_t agw_map_aim(const agw_map *map, const void *key);
void *agw_map_get_at(const agw_map *map, uint64_t hash, const void *key);
/** Adds or replaces; value is not NULL. Memory that runs out ends the process. */
void agw_map_put(agw_map *map, const void *key, void *value);
/** Removes and returns the value, or NULL when there was none. A map that is nearly empty then
 * gives room back. */
void *agw_map_remove(agw_map *map, const void *key);
size_t agw_map_count(const agw_map *map);

/** SipHash-2-4 of len bytes. */
uint64_t agw_siphash(const uint8_t seed[16], const void *data, size_t len);

#endif
