/* SPDX-License-Identifier: BSD-3-Clause
 * Memory of one parsed description: many small pieces, one end. Private to sdp.c and sdp_parse.c.
 */
#ifndef AGW_CONTROL_SDP_ARENA_H
#define AGW_CONTROL_SDP_ARENA_H

#include <stddef.h>

typedef struct agw_sdp_arena agw_sdp_arena;

/** Memory that runs out ends the process, as everywhere with GLib. */
agw_sdp_arena *agw_sdp_arena_new(void);
/** Zeroed memory, aligned for anything; lives until agw_sdp_arena_free(). */
void *agw_sdp_arena_alloc(agw_sdp_arena *arena, size_t n, size_t size);
/** Wipes and frees everything. NULL is fine. */
void agw_sdp_arena_free(agw_sdp_arena *arena);

#endif
