/* SPDX-License-Identifier: BSD-3-Clause
 * Events for the signalling node: one JSON datagram each to the address of --notify. */
#ifndef AGW_CONTROL_EVENTS_H
#define AGW_CONTROL_EVENTS_H

#include "base/addr.h"

#include <stdint.h>

typedef struct agw_events agw_events;

/** What happened; texts are borrowed for the call, NULL counts as "". */
typedef struct agw_notice {
    const char *event; /* "consent-lost", "call-ended" ... */
    const char *call_id, *from_tag, *to_tag;
    int media; /* from 1; 0 = the whole call */
    const char *mid;
    const char *reason; /* one word */
    const char *detail; /* for people */
} agw_notice;

/** to: family none = nobody listens, events are only counted. Never NULL; without a socket a
 * warning is logged and nothing is sent. */
agw_events *agw_events_new(const agw_addr *to);
void agw_events_free(agw_events *events);

/** Sends {"event","seq","call-id","from-tag","to-tag","media","mid","reason","detail","time"}; seq
 * counts from 1; time is in milliseconds since 1970. Never waits: what the system does not take at
 * once is lost and counted. */
void agw_events_send(agw_events *events, const agw_notice *notice, int64_t wall_us);

uint64_t agw_events_count(const agw_events *events);
uint64_t agw_events_lost(const agw_events *events);

#endif
