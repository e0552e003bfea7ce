/* SPDX-License-Identifier: BSD-3-Clause
 * A new file of a recording, written from a buffer by the recorder thread. The first error stays:
 * from then on nothing is written, and the owner asks for it when he likes. */
#ifndef AGW_AGW_RECORD_FILE_H
#define AGW_AGW_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { AGW_RECORD_ROOM_MAX = 16 * 1024 }; /* that one may ask for at once */

typedef struct agw_record_file agw_record_file;

/** Makes it in the folder (a descriptor), mode 0600; what exists is left alone. NULL: errno. */
agw_record_file *agw_record_file_new(int folder, const char *name);
/** Writes what is left. NULL is fine. */
void agw_record_file_free(agw_record_file *f);

/** Room for so many octets at the end of the file, at most AGW_RECORD_ROOM_MAX; what of it is to
 * stand there agw_record_file_add() says. */
uint8_t *agw_record_file_room(agw_record_file *f, size_t len);
void agw_record_file_add(agw_record_file *f, size_t len);
/** So many octets of zero, which take no room on the disk. */
void agw_record_file_skip(agw_record_file *f, uint64_t len);
/** Writes over what stands at the beginning. */
void agw_record_file_set_head(agw_record_file *f, const uint8_t *head, size_t len);
void agw_record_file_flush(agw_record_file *f);

/** How long it is, with what waits in the buffer. */
uint64_t agw_record_file_len(const agw_record_file *f);
/** errno of what went wrong, 0 = nothing. */
int agw_record_file_error(const agw_record_file *f);

#endif
