/* SPDX-License-Identifier: BSD-3-Clause
 * ICE fragments (RFC 8840) that came before the description they belong to: kept for a short time
 * and tried again after each description of their call. */
#ifndef AGW_CONTROL_FRAGMENTS_H
#define AGW_CONTROL_FRAGMENTS_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    AGW_FRAGMENTS_MAX = 256,           /* of all calls together; the oldest goes first */
    AGW_FRAGMENTS_BYTES = 1024 * 1024, /* the same in bytes */
    AGW_FRAGMENT_BYTES = AGW_FRAGMENTS_BYTES / 16, /* of one */
};

typedef struct agw_fragments agw_fragments;

/** Never NULL. */
agw_fragments *agw_fragments_new(void);
/** Wipes what is left. NULL is fine. */
void agw_fragments_free(agw_fragments *kept);

/** Copies a fragment; one that is too long is not kept. */
void agw_fragments_keep(agw_fragments *kept, agw_ns now, const char *call_id, const char *from_tag,
                        const char *text, size_t len);

/** What to do with one of them; true: it is done with. */
typedef bool (*agw_fragment_use)(void *arg, const char *from_tag, const char *text, size_t len);
/** Offers each fragment of a call, oldest first; those older than 10 s are forgotten unseen. */
void agw_fragments_try(agw_fragments *kept, agw_ns now, const char *call_id, agw_fragment_use use,
                       void *arg);
size_t agw_fragments_count(const agw_fragments *kept);

#endif
