/* SPDX-License-Identifier: BSD-3-Clause
 * What the command line of replay says. */
#ifndef AGW_BENCH_REPLAY_OPTIONS_H
#define AGW_BENCH_REPLAY_OPTIONS_H

#include "bench/kit/call.h"

typedef struct kit_replay_options {
    kit_world_config world;
    const char *file;
    bool list;
    kit_call_kind kind;
    const char *kind_text;
    const char *stream; /* as given: a number of the list, or an SSRC; NULL = the longest */
    double speed;
    const char *suite;
    kit_codecs codecs; /* that the user names */
    agw_ns p99_limit;
} kit_replay_options;

/** false: what is wrong was said on stderr. */
bool kit_replay_options_parse(kit_replay_options *o, int argc, char *argv[]);
void kit_replay_usage(void);

#endif
