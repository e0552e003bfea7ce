/* SPDX-License-Identifier: BSD-3-Clause
 * Many calls alike: set up at a rate or so many at a time, media at even distances, ended one by
 * one or together, and what they all saw summed up. */
#ifndef AGW_BENCH_LOAD_FLEET_H
#define AGW_BENCH_LOAD_FLEET_H

#include "bench/kit/pacer.h"
#include "bench/kit/spoil.h"
#include "bench/load/options.h"

enum { KIT_ON_TIME_NS = 2000000, KIT_IN_BURSTS_NS = 10000000, KIT_VOICE_NS = 40000000 };

typedef struct kit_fleet kit_fleet;

typedef struct kit_member {
    kit_call call;
    kit_fleet *fleet;
    struct kit_member *next_free;
    kit_seat stream[2]; /* what the pacer sends */
    size_t slot[2];
    bool talks;
    kit_timer timer;         /* end of its talk, then of the wait for its last packets */
    kit_spoiler *spoiler[2]; /* by side of arrival; NULL = none */
} kit_member;

/** Sums over calls, both directions together where nothing else is said. */
typedef struct kit_totals {
    uint64_t sent, arrived, lost, found[KIT_FINDINGS], spoilt[KIT_SPOILS];
    uint64_t due; /* numbers that loss is judged on */
    uint64_t rtcp_sent[2], sr_seen[2], rr_seen[2], rtcp_bad[2];
    uint64_t auth_failed, replayed; /* SRTP and SRTCP that did not unprotect */
    kit_browser_stats browser;
    uint64_t phone_other_source;
    agw_ns longest_gap;
} kit_totals;

typedef struct kit_fleet_config {
    unsigned room; /* most calls at once */
    bool talks;    /* media as soon as a call is up */
    agw_ns hold;   /* then end it; AGW_NEVER = not by itself */
    bool ng_only, spoils;
    unsigned urgent_percent; /* so many calls are emergencies */
} kit_fleet_config;

struct kit_fleet {
    kit_world *world;
    const kit_options *options; /* borrowed */
    kit_fleet_config config;
    agw_dtls_ctx *dtls;
    kit_pacer pacer;
    kit_member *members, *free;

    unsigned to_start, in_flight;   /* still to be started; most of them at once */
    agw_ns interval, next_start_at; /* 0 = as in_flight lets */
    kit_timer start_timer;
    unsigned to_end; /* calls that kit_fleet_end() still has to delete */
    size_t end_next;

    unsigned starting, up, deleting;                      /* now */
    uint64_t started, came_up, failed, gone, not_started; /* no free member at its time */
    uint64_t sent, arrived;                               /* packets of all calls */
    uint64_t refused;                    /* "load limit" is an answer, not a failure */
    uint64_t urgent, urgent_up;          /* of started, came_up */
    char failure[160];                   /* the first one's */
    kit_histogram latency[2];            /* of what arrives at side A, B */
    kit_histogram ice, handshake, total; /* set-up; handshake: DTLS */
    kit_totals ended;                    /* of calls that are gone */
};

void kit_fleet_init(kit_fleet *f, kit_world *world, const kit_options *options,
                    const kit_fleet_config *config);
/** Calls that are still up stay at the gateway. */
void kit_fleet_fini(kit_fleet *f);

/** Begins to start n calls, in_flight at a time or rate a second (0 = the former). */
void kit_fleet_start(kit_fleet *f, unsigned n, unsigned in_flight, unsigned rate);
/** Turns until all of them are up or failed; false: nothing moved for 15 s. */
bool kit_fleet_await(kit_fleet *f);
/** Starts, waits, tells on stderr. false: not all came up. */
bool kit_fleet_set_up(kit_fleet *f, unsigned n);

void kit_fleet_talk(kit_fleet *f);
void kit_fleet_hush(kit_fleet *f);
/** Turns until nothing arrives any more for 300 ms, at most 10 s. */
void kit_fleet_drain(kit_fleet *f);
/** Deletes all calls and turns until that was answered. */
void kit_fleet_end(kit_fleet *f);

/** Of the calls that are gone and those that are not. */
kit_totals kit_fleet_totals(const kit_fleet *f);
/** Findings and losses are counted anew from here on; latency and lateness are cleared. */
void kit_fleet_restart(kit_fleet *f);
/** Only the latter. */
void kit_fleet_forget_times(kit_fleet *f);
/** How late packets left, p99. What leaves late leaves in bursts, which cost less each and are
 * harder to carry: a cost wants KIT_ON_TIME_NS; a gateway that is well with bursts is well, up to
 * half a packet time, KIT_IN_BURSTS_NS. */
agw_ns kit_fleet_lateness(const kit_fleet *f);
/** Sides A and B together. */
kit_histogram kit_fleet_latency(const kit_fleet *f);

#endif
