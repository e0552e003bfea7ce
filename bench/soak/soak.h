/* SPDX-License-Identifier: BSD-3-Clause
 * What the parts of this program share: options, books, and one running call. */
#ifndef AGW_BENCH_SOAK_SOAK_H
#define AGW_BENCH_SOAK_SOAK_H

#include "bench/kit/call.h"
#include "bench/soak/edit.h"
#include "bench/soak/judge.h"

#include <sys/types.h>

enum {
    SOAK_SCENARIOS_MAX = 32,
    SOAK_FAILURES_KEPT = 20,
};

/** From the command line. Times are as they pass, but hold and ring times, which are shortened. */
typedef struct soak_options {
    kit_world_config world;
    uint32_t calls;
    double rate; /* calls begun a second */
    uint32_t concurrent, seed;
    double speed; /* hold times and ring times are divided by it */
    uint32_t idle_points;
    agw_ns idle_length; /* at each idle point: until stored replies and freed memory are gone */
    soak_limits limits;
    const char *samples, *only;
    const soak_scenario *only_scenario; /* NULL = all */
    pid_t gateway_pid;
    /* as the gateway was told */
    agw_ns offer_timeout, timeout, silent_timeout, consent_grace;
} soak_options;

/** What became of the calls of one scenario. */
typedef struct soak_tally {
    uint64_t begun, failed;
} soak_tally;

typedef struct soak_failure {
    uint32_t number;
    const soak_scenario *scenario;
    kit_call_kind kind;
    bool video;
    soak_step step;
    char why[160];
} soak_failure;

/** What this side has done and seen. */
typedef struct soak_books {
    soak_tally tally[SOAK_SCENARIOS_MAX];
    uint64_t begun, ended, up, failed;
    soak_failure failures[SOAK_FAILURES_KEPT];
    uint64_t ends[SOAK_ENDS];          /* what the gateway must have counted */
    uint64_t offers, answers, deletes; /* commands, repetitions not counted */
    uint64_t sent, accepted, found[KIT_FINDINGS];
    uint64_t lost;       /* of calls whose media was checked */
    uint64_t late_start; /* packets sent before the first one that arrived, all calls */
} soak_books;

typedef struct soak {
    soak_options options;
    kit_world world;
    agw_dtls_ctx *dtls;
    soak_books books;
    uint64_t random; /* state of kit_soak_random() */
    uint32_t running;
} soak;

/** One call. Lives from kit_soak_call_start() to its end. */
typedef struct soak_call {
    soak *soak;
    const soak_scenario *scenario;
    uint32_t number;
    size_t at; /* of the step under way */
    kit_call call;
    soak_edit edit;  /* of the next description */
    kit_timer timer; /* of the step */
    kit_timer media_timer;
    kit_side actor;      /* who holds, re-offers */
    bool sends[2];       /* in the media */
    agw_ns media_pause;  /* between two packets or bursts */
    uint64_t wasted[2];  /* packets of a side that may not arrive */
    agw_ns until;        /* of the step */
    agw_ns last_sign_at; /* last offer or answer */
    agw_ns last_media_at;
    char *reply_sdp;     /* of the latest offer; NULL = none. For the same offer again */
    bool compare;        /* the next offer's reply must be reply_sdp */
    char branch_tag[24]; /* of SOAK_ANSWER_BRANCH */
    char extra_mid[20];
    bool refuse_video;
    bool up;
    bool failed;
} soak_call;

/** Uniform in 0 to 1, from the seed. */
double kit_soak_random(soak *s);
/** 0 to n - 1. */
uint32_t kit_soak_pick(soak *s, uint32_t n);

/** Begins a call of that scenario; it ends and frees itself, and tells the books. */
void kit_soak_call_start(soak *s, const soak_scenario *scenario, kit_call_kind kind, bool video,
                         uint32_t number);

/* --- call.c, for the steps --- */

/** The step is done: on to the next one. The last thing a step does. */
void kit_soak_next(soak_call *c);
/** The call has failed; it is deleted and ends. The last thing a step does. */
void kit_soak_fail(soak_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** fire(c) after so long. */
void kit_soak_wait(soak_call *c, agw_ns length, void (*fire)(void *owner));

/* --- signal.c: steps of the control protocol --- */

void kit_soak_offer(soak_call *c, soak_step step);
void kit_soak_answer(soak_call *c, soak_step step);
void kit_soak_reoffer(soak_call *c, soak_step step);
void kit_soak_delete(soak_call *c, soak_step step);
/** Asks until the gateway knows the call no more: it must go neither much before nor after its
 * time. */
void kit_soak_gone(soak_call *c, soak_step step);
/** A silent delete, for a call that has failed: done(c) when it is answered. */
void kit_soak_clear(soak_call *c, void (*done)(void *owner));
/** on_describe of the calls. */
size_t kit_soak_describe(kit_call *call, kit_side from, bool answer, char sdp[KIT_SDP_MAX],
                         size_t len);

/* --- media.c: steps of ICE, DTLS and media --- */

void kit_soak_connect(soak_call *c, soak_step step);
void kit_soak_talk(soak_call *c, soak_step step);
void kit_soak_check(soak_call *c, soak_step step);
void kit_soak_shout(soak_call *c, soak_step step);
void kit_soak_part(soak_call *c, soak_step step); /* goodbye, leave, fall silent */
/** Both sides send from now on. */
void kit_soak_media_start(soak_call *c);
void kit_soak_media_stop(soak_call *c);
/** on_up of the calls. */
void kit_soak_up(kit_call *call);
/** Adds what arrived to the books. */
void kit_soak_count_media(soak_call *c);

#endif
