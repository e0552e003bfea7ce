/* SPDX-License-Identifier: BSD-3-Clause
 * The numbers of the gateway for Prometheus: text format 0.0.4. */
#ifndef AGW_CONTROL_METRICS_H
#define AGW_CONTROL_METRICS_H

#include "control/command.h"

#define AGW_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/** Appends all metrics as they are at now. */
void agw_metrics_write(GString *out, const agw_control *ctl, agw_ns now);

#endif
