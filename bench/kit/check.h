/* SPDX-License-Identifier: BSD-3-Clause
 * The writer of connectivity checks (RFC 8445 section 7.2), which no part of the gateway needs. */
#ifndef AGW_BENCH_KIT_CHECK_H
#define AGW_BENCH_KIT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KIT_CHECK_MAX = 512 };

/** Plain values; texts are borrowed. */
typedef struct kit_check {
    const uint8_t *id;    /* 12 bytes */
    const char *username; /* "theirs:ours"; NULL = left out */
    const char *key;      /* the peer's pwd; NULL = no MESSAGE-INTEGRITY */
    uint64_t tie_breaker;
    uint32_t priority;
    bool controlling, nominate;
} kit_check;

/** A Binding request with Chromium's attributes in Chromium's order; returns its length, 0 = it
 * does not fit. */
size_t kit_check_write(const kit_check *check, uint8_t *out, size_t room);

#endif
