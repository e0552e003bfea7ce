/* SPDX-License-Identifier: BSD-3-Clause
 * The command line of load. */
#ifndef AGW_BENCH_LOAD_OPTIONS_H
#define AGW_BENCH_LOAD_OPTIONS_H

#include "bench/kit/pair.h"

#include <stdio.h>
#include <sys/types.h>

enum { KIT_P99_LIMITS = 4 };

typedef struct kit_options {
    kit_world_config world;
    const char *mode;
    pid_t gateway_pid;      /* 0 = its figures are left out */
    agw_addr gateway_usage; /* who knows them when the gateway is on another machine */
    unsigned calls, in_flight, rate, step_percent;
    unsigned pps;                          /* of all calls together; 0 = as audio or video has it */
    unsigned times, urgent_percent;        /* of overload */
    bool keeps_codecs;                     /* of those that pass in it */
    unsigned coded_percent, video_percent; /* of the calls of a mix */
    kit_call_kind kind;
    bool video, gateway_dtls_client;
    const char *kind_text, *suite_text;   /* as given */
    const kit_pair *pair;                 /* codecs that are changed; NULL = none */
    kit_pair changed_pair;                /* with other pauses and loss */
    unsigned pause_percent, loss_percent; /* instead of the pair's; AS_THE_PAIR = its own */
    const char *speech;                   /* file of what the parties of a pair say */
    kit_voice *voices[2];                 /* the same by their codecs; of the program */
    bool hushed[2];                       /* that side says nothing */
    agw_ns seconds, warm_up, hold, over, tick;
    agw_ns p99_limits[KIT_P99_LIMITS]; /* rising */
    unsigned n_p99_limits;
    uint32_t seed;
} kit_options;

/** false: something is wrong and was said on stderr. */
bool kit_options_parse(kit_options *o, int argc, char *argv[]);
void kit_options_usage(FILE *out);

#endif
