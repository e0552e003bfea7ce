/* SPDX-License-Identifier: BSD-3-Clause
 * The commands of the ng protocol on documents, whatever carried them. */
#ifndef AGW_CONTROL_COMMAND_H
#define AGW_CONTROL_COMMAND_H

#include "base/log.h"
#include "control/config.h"
#include "control/ng.h"

typedef struct agw_calls agw_calls;   /* calls.h */
typedef struct agw_events agw_events; /* events.h */

enum { AGW_COMMAND_KINDS = 7 };

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
    GHashTable *seen_unknown;             /* unknown keys and flags that were logged already */
} agw_control;

void agw_control_init(agw_control *ctl, const agw_config *config, agw_gateway *gateway,
                      agw_calls *calls, agw_events *events);
void agw_control_fini(agw_control *ctl);

/** "ping" "offer" ... for the index of requests. */
const char *agw_command_name(size_t kind);

/** Runs one command at time now. Always returns a reply document, to be freed by the caller.
 * from: who asks, for the log; NULL = this process. */
agw_doc *agw_command_run(agw_control *ctl, const agw_doc *request, const agw_addr *from,
                         agw_ns now);

#endif
