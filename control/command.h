/* SPDX-License-Identifier: BSD-3-Clause
 * The commands of the ng protocol on documents, whatever carried them. */
#ifndef AGW_CONTROL_COMMAND_H
#define AGW_CONTROL_COMMAND_H

#include "base/log.h"
#include "control/audio_files.h"
#include "control/config.h"
#include "control/ng.h"

typedef struct agw_calls agw_calls;         /* calls.h */
typedef struct agw_events agw_events;       /* events.h */
typedef struct agw_fragments agw_fragments; /* fragments.h */

enum { AGW_COMMAND_KINDS = 21 };

/** A time in which new calls are refused: told when it begins and when it is over. */
typedef struct agw_refusals {
    uint64_t count;  /* refused in it; 0 = all calls are taken */
    uint64_t urgent; /* of these */
    agw_ns began_at, last_at;
} agw_refusals;

/** Connections on which ng comes (ng_stream.h). */
typedef struct agw_streams_counters {
    uint64_t accepted;
    uint64_t not_allowed, too_many; /* closed at once */
    uint64_t malformed, slow, idle; /* closed later: bad bytes, does not read, says nothing */
} agw_streams_counters;

/** What commands work on; all borrowed from the program, which ends them in reverse order. */
typedef struct agw_control {
    const agw_config *config;
    agw_gateway *gateway;
    agw_calls *calls;
    agw_events *events;
    agw_ns started_at;
    uint64_t requests[AGW_COMMAND_KINDS]; /* run, by command */
    uint64_t errors;                      /* replies that were errors */
    uint64_t refused;                     /* new calls turned away for load */
    uint64_t refused_urgent;              /* of these: emergency and priority calls */
    agw_refusals refusals;                /* now */
    agw_fragments *fragments;             /* ICE fragments that came early */
    agw_streams_counters streams;
    agw_audio_files *audio_files;
    uint64_t plays;           /* of files, so far */
    GHashTable *seen_unknown; /* unknown keys and flags that were logged already */
} agw_control;

void agw_control_init(agw_control *ctl, const agw_config *config, agw_gateway *gateway,
                      agw_calls *calls, agw_events *events);
void agw_control_fini(agw_control *ctl);

/** Idle work: notices that calls are taken again. */
void agw_control_idle(agw_control *ctl, agw_ns now);

/** "ping" "offer" ... for the index of requests. */
const char *agw_command_name(size_t kind);

/** Runs one command at time now. Always returns a reply document, to be freed by the caller.
 * from: who asks, for the log; NULL = this process. */
agw_doc *agw_command_run(agw_control *ctl, const agw_doc *request, const agw_addr *from,
                         agw_ns now);

#endif
