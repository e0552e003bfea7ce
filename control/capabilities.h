/* SPDX-License-Identifier: BSD-3-Clause
 * The command capabilities: what this gateway can do and which realms it has, for a signalling node
 * that wants to know before it asks (TS 23.334 section 6.1). */
#ifndef AGW_CONTROL_CAPABILITIES_H
#define AGW_CONTROL_CAPABILITIES_H

#include "control/config.h"
#include "control/ng.h"

/** Appends what can be done to the reply. commands: the caller's, in its order. */
void agw_capabilities_describe(agw_doc *out, const agw_config *config, const char *const *commands,
                               size_t n_commands);

#endif
