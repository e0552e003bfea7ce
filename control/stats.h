/* SPDX-License-Identifier: BSD-3-Clause
 * The `statistics` document: rtpengine's names where they mean the same, then workers, drops by
 * reason, ports and commands. */
#ifndef AGW_CONTROL_STATS_H
#define AGW_CONTROL_STATS_H

#include "control/command.h"

/** The caller's to free or to hang up somewhere. memory: the heap, too; the allocator is walked for
 * it, which takes milliseconds when it is large and torn. */
agw_doc *agw_stats_doc(const agw_control *ctl, agw_ns now, bool memory);

#endif
