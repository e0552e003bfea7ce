/* SPDX-License-Identifier: BSD-3-Clause
 * Cases of tests/control/golden/: reading them, and comparing what was written with what was
 * expected. The format is told in tests/control/golden/README.md. */
#ifndef AGW_TESTS_CONTROL_GOLDEN_FILE_H
#define AGW_TESTS_CONTROL_GOLDEN_FILE_H

#include <glib.h>
#include <stdbool.h>

/** One message: who says what, and what the other party is to read. */
typedef struct golden_step {
    unsigned line;     /* in the file */
    char side;         /* 'A' or 'B': who sends it */
    bool is_offer;     /* as the request says */
    bool reads_offer;  /* what the other party gets is an offer */
    bool rollback;     /* no message: the open offer is given up */
    char *request;     /* JSON */
    char *sdp;         /* CRLF */
    char *refused;     /* name of the error instead of expectation, or NULL */
    GPtrArray *expect; /* char *: patterns, macros expanded */
} golden_step;

typedef struct golden_case {
    char *name;
    char *realm[2];   /* of A and B: "access", "core" */
    char *codecs;     /* that can be converted, "opus PCMA"; NULL = none */
    GPtrArray *steps; /* golden_step * */
} golden_case;

/** NULL: why says what is wrong with the file. */
golden_case *golden_read(const char *path, GString *why);
void golden_free(golden_case *c);

/** The text with every {name} that is bound replaced; to be freed. */
char *golden_fill(const char *sdp, GHashTable *bindings);

/** Compares; every difference appends a line to out. bindings: char * -> char *, of {names}. */
void golden_compare(const GPtrArray *expect, const char *sdp, GHashTable *bindings, GString *out);

#endif
