/* SPDX-License-Identifier: BSD-3-Clause
 * Puts handshake messages together from fragments, in any order, repeated, and among forged ones:
 * fragments that contradict each other go to different attempts, so that garbage that came first
 * does not shut the real message out. OpenSSL then sees whole messages only. */
#ifndef AGW_DTLS_ASSEMBLE_H
#define AGW_DTLS_ASSEMBLE_H

#include "dtls/record.h"

enum { AGW_ASSEMBLE_ATTEMPTS = 4 };

typedef struct agw_attempt {
    uint8_t *data; /* NULL = free */
    uint8_t *have; /* one bit a byte */
    uint8_t type;
    uint16_t seq;
    uint32_t length, missing;
    uint32_t used_at; /* the assembler's count when it last grew */
} agw_attempt;

/** Zeroed = empty. */
typedef struct agw_assembler {
    agw_attempt attempts[AGW_ASSEMBLE_ATTEMPTS];
    uint32_t count;
} agw_assembler;

/** Adds a fragment to every attempt that it fits, or to a new one; the longest untouched is given
 * up for it. Then call agw_assembler_take() until it says false. */
void agw_assembler_add(agw_assembler *a, const agw_fragment *fragment);

/** A complete message as one fragment (offset 0, len = length).
 * @param out borrowed until *given, which is given, is freed */
bool agw_assembler_take(agw_assembler *a, agw_fragment *out, void **given);

void agw_assembler_clear(agw_assembler *a);

#endif
