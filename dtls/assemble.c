/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/assemble.h"

#include <stdlib.h>
#include <string.h>

static void drop_attempt(agw_attempt *t)
{
    free(t->data);
    free(t->have);
    *t = (agw_attempt){0};
}

static bool has_byte(const agw_attempt *t, uint32_t i)
{
    return (t->have[i / 8] >> i % 8 & 1) != 0;
}

/* The same message, and no byte that says otherwise. */
static bool fits(const agw_attempt *t, const agw_fragment *f)
{
    if (t->data == NULL || t->type != f->type || t->seq != f->seq || t->length != f->length)
        return false;
    for (uint32_t i = 0; i < f->len; i++) {
        if (has_byte(t, f->offset + i) && t->data[f->offset + i] != f->body[i])
            return false;
    }
    return true;
}

static void merge(agw_assembler *a, agw_attempt *t, const agw_fragment *f)
{
    for (uint32_t i = f->offset; i < f->offset + f->len; i++) {
        t->missing -= !has_byte(t, i);
        t->have[i / 8] |= (uint8_t)(1u << i % 8);
        t->data[i] = f->body[i - f->offset];
    }
    t->used_at = ++a->count;
}

static agw_attempt *fresh_attempt(agw_assembler *a, const agw_fragment *f)
{
    agw_attempt *t = &a->attempts[0];
    for (size_t i = 1; i < AGW_ASSEMBLE_ATTEMPTS && t->data != NULL; i++) {
        if (a->attempts[i].data == NULL || a->attempts[i].used_at < t->used_at)
            t = &a->attempts[i];
    }
    drop_attempt(t);
    *t = (agw_attempt){.data = malloc(f->length),
                       .have = calloc(f->length / 8 + 1, 1),
                       .type = f->type,
                       .seq = f->seq,
                       .length = f->length,
                       .missing = f->length};
    if (t->data != NULL && t->have != NULL)
        return t;
    drop_attempt(t);
    return NULL;
}

void agw_assembler_add(agw_assembler *a, const agw_fragment *fragment)
{
    if (fragment->length == 0)
        return;
    bool added = false;
    for (size_t i = 0; i < AGW_ASSEMBLE_ATTEMPTS; i++) {
        if (!fits(&a->attempts[i], fragment))
            continue;
        merge(a, &a->attempts[i], fragment);
        added = true;
    }
    agw_attempt *const t = added ? NULL : fresh_attempt(a, fragment);
    if (t != NULL)
        merge(a, t, fragment);
}

bool agw_assembler_take(agw_assembler *a, agw_fragment *out, void **given)
{
    for (size_t i = 0; i < AGW_ASSEMBLE_ATTEMPTS; i++) {
        agw_attempt *t = &a->attempts[i];
        if (t->data == NULL || t->missing > 0)
            continue;
        *out = (agw_fragment){
            .type = t->type, .seq = t->seq, .length = t->length, .len = t->length, .body = t->data};
        *given = t->data;
        t->data = NULL;
        drop_attempt(t);
        return true;
    }
    return false;
}

void agw_assembler_clear(agw_assembler *a)
{
    for (size_t i = 0; i < AGW_ASSEMBLE_ATTEMPTS; i++)
        drop_attempt(&a->attempts[i]);
}
