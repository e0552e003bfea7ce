/* SPDX-License-Identifier: BSD-3-Clause
 * What a thread can do so that memory it has freed can go back to the system. */
#ifndef AGW_BASE_HEAP_H
#define AGW_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

enum { AGW_HEAP_MANY = 512 };

/** The allocator keeps some 450 freed pieces ready for each thread, strewn over the pages of what
 * was freed with them: malloc_trim() cannot give these pages back. Changes them for pieces that lie
 * together. Takes 50 us; for when a thread has let go of much. */
void agw_heap_settle(void);
/** Zeroed memory that begins at a line of the cache, for objects whose hot part is laid out by
 * lines; free() gives it back. NULL: there is none. */
void *agw_heap_lines(size_t bytes);

/** To be called at the end of each of many things alike; is_last: none is left. Settles when these
 * were AGW_HEAP_MANY since it last did. */
void agw_heap_ended(size_t *ended, bool is_last);

#endif
