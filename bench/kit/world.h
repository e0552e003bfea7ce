/* SPDX-License-Identifier: BSD-3-Clause
 * What every program of the bench stands on: the wire, the control connection, timers, one clock
 * reading a turn. One thread. */
#ifndef AGW_BENCH_KIT_WORLD_H
#define AGW_BENCH_KIT_WORLD_H

#include "base/timerq.h"
#include "bench/kit/ng.h"
#include "bench/kit/wire.h"

typedef struct kit_timer {
    agw_timer timer; /* its owner is the kit_timer */
    void (*fire)(void *owner);
    void *owner;
} kit_timer;

typedef struct kit_world {
    kit_wire *wire;
    kit_ng *ng;
    agw_timerq timers;
    agw_ns now;                /* when this turn began */
    agw_prefix hosts;          /* addresses that callers are given */
    uint32_t last_host;        /* of kit_world_host() */
    struct kit_sealer *sealer; /* see sealer.h; NULL = SRTP packet by packet */
    bool more;                 /* the latest turn did not take all that had come */
    bool spin;                 /* never sleep: truest latency, a whole core */
    /* 0: wake for whatever arrives. Else look every so often, e.g. 100 us, and let nothing wake us:
     * with media a wake-up per packet would be the gateway's cost, since it is paid while sending.
     */
    agw_ns tick;
} kit_world;

/** Where everything is; set by the command line of a program. */
typedef struct kit_world_config {
    const char *interface; /* "eth0" */
    agw_addr ng;           /* control address of the gateway */
    agw_addr gateway;      /* one of its media addresses, for the MAC */
    agw_prefix hosts;      /* 10.99.0.0/16 */
    bool spin;
} kit_world_config;

typedef enum kit_option { KIT_OPTION_OTHER = 0, KIT_OPTION_TAKEN, KIT_OPTION_WRONG } kit_option;
/** Takes "--interface=eth0", "--ng=10.98.0.1:2223", "--gateway=10.98.0.1", "--hosts=10.99.0.0/16"
 * and
 * "--spin"; the text is borrowed as long as config. */
kit_option kit_world_option(kit_world_config *config, const char *arg);
/** true when everything that has no default was given. */
bool kit_world_config_complete(const kit_world_config *config);

/** AGW_ERR_SYSTEM: *why. Opens ng and the wire, and waits up to 5 s for an answered ping. */
AGW_NODISCARD agw_err kit_world_open(kit_world *w, const kit_world_config *config,
                                     const char **why);
void kit_world_close(kit_world *w);

/** A host address that nobody has had yet, port 0; goes round at the end of the prefix. */
agw_addr kit_world_host(kit_world *w);
/** fire(owner) at `at`; AGW_NEVER cancels. The timer lives in its owner. */
void kit_world_at(kit_world *w, kit_timer *timer, agw_ns at, void (*fire)(void *owner),
                  void *owner);
void kit_world_cancel(kit_world *w, kit_timer *timer);

/** One turn: sleeps until something is due or comes, at most until `until`; then timers, datagrams,
 * replies, flush. Returns with w->now read anew. */
void kit_world_turn(kit_world *w, agw_ns until);
/** Turns for so long. */
void kit_world_for(kit_world *w, agw_ns length);
/** Turns until done(owner) or `patience` is over; returns done(owner). */
bool kit_world_until(kit_world *w, bool (*done)(void *owner), void *owner, agw_ns patience);

#endif
