/* SPDX-License-Identifier: BSD-3-Clause
 * Reads a file of tests/vectors/, and memory that is there. */
#ifndef AGW_TESTS_VECTORS_VECTOR_H
#define AGW_TESTS_VECTORS_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** What was allocated; without memory no test goes on. */
static inline void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

static inline size_t vector_read(const char *name, uint8_t *out, size_t room)
{
    char path[512];
    snprintf(path, sizeof path, AGW_TEST_DIR "/vectors/%s", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return 0;
    const size_t n = fread(out, 1, room, f);
    fclose(f);
    return n;
}

#endif
