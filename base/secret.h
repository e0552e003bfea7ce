/* SPDX-License-Identifier: BSD-3-Clause
 * Keys and tags: compared in constant time, wiped when their owner ends. */
#ifndef AGW_BASE_SECRET_H
#define AGW_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

bool agw_secret_equal(const void *a, const void *b, size_t len);
/** Not removed by the compiler. */
void agw_secret_wipe(void *p, size_t len);

#endif
