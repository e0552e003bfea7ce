/* SPDX-License-Identifier: BSD-3-Clause
 * The command line of a program as a table: "--name=value", each into its field. What all programs
 * share (--interface, --ng, ...) is the world's. */
#ifndef AGW_BENCH_KIT_OPTIONS_H
#define AGW_BENCH_KIT_OPTIONS_H

#include "bench/kit/world.h"

#include <stddef.h>
#include <stdio.h>

typedef enum kit_value {
    KIT_VALUE_COUNT,   /* 32 bits: unsigned, pid_t */
    KIT_VALUE_NUMBER,  /* double */
    KIT_VALUE_SECONDS, /* agw_ns, written as seconds with a fraction */
    KIT_VALUE_MICROSECONDS,
    KIT_VALUE_TEXT,    /* const char *, not empty, borrowed */
    KIT_VALUE_ADDRESS, /* agw_addr with a port */
    KIT_VALUE_OWN,     /* take() knows it */
} kit_value;

typedef struct kit_option_row {
    const char *name; /* without "--" */
    kit_value kind;
    size_t at; /* of the field in the program's options */
    const char *help;
    bool (*take)(void *options, const char *value); /* false: not a value of this option */
} kit_option_row;

/** A row whose value goes into that field of that type; KIND without its KIT_VALUE_. */
#define KIT_OPTION_ROW(name, kind, type, field, help)                                              \
    {                                                                                              \
        name, KIT_VALUE_##kind, offsetof(type, field), help, NULL                                  \
    }
#define KIT_OPTION_ROW_OWN(name, take, help)                                                       \
    {                                                                                              \
        name, KIT_VALUE_OWN, 0, help, take                                                         \
    }

typedef struct kit_option_list {
    const char *program; /* in front of what is said on stderr */
    const kit_option_row *rows;
    size_t n;
} kit_option_list;

/** Reads argv[first] to the end into options and world, which hold the defaults. false: one is not
 * understood, which was said on stderr. */
bool kit_option_list_read(const kit_option_list *list, void *options, kit_world_config *world,
                          int first, int argc, char *argv[]);
/** A line for each. */
void kit_option_list_help(const kit_option_list *list, FILE *out);

#endif
