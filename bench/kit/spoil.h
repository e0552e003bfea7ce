/* SPDX-License-Identifier: BSD-3-Clause
 * Spoils some of what arrives before the checker sees it, and keeps count, so that a run can prove
 * that its checker finds just that. */
#ifndef AGW_BENCH_KIT_SPOIL_H
#define AGW_BENCH_KIT_SPOIL_H

#include "bench/kit/stream.h"

typedef enum kit_spoil {
    KIT_SPOIL_CORRUPT = 0, /* one bit of the payload: found as corrupt, and its number is lost */
    KIT_SPOIL_HEADER,      /* one bit of the SSRC: found as header, and lost */
    KIT_SPOIL_DROP,        /* lost */
    KIT_SPOIL_DUPLICATE,   /* given twice: found as duplicate */
    KIT_SPOIL_SWAP,        /* given behind the next one: found as late */
    KIT_SPOILS
} kit_spoil;
/** "corrupt"...; never NULL. */
const char *kit_spoil_text(kit_spoil spoil);

/** One per checker. Set random (not 0) and per_mille, the rest zero. */
typedef struct kit_spoiler {
    uint64_t random;
    unsigned per_mille; /* of the packets, all kinds alike */
    uint64_t done[KIT_SPOILS];
    uint8_t held[2048]; /* the packet that waits for the next one */
    size_t held_len;
    agw_ns held_at;
} kit_spoiler;

/** What kit_checker_take() does when there is a spoiler. Never spoils a stream's first packet, from
 * which the checker learns. Returns what was found, KIT_DUPLICATE when nothing was given. */
kit_finding kit_spoiler_pass(kit_spoiler *s, kit_checker *c, const uint8_t *rtp, size_t len,
                             agw_ns at);
/** Gives the packet that still waits, unspoilt. */
void kit_spoiler_end(kit_spoiler *s, kit_checker *c);

#endif
