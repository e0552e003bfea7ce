/* SPDX-License-Identifier: BSD-3-Clause
 * Watches whether the addresses of our interfaces are still usable (TS 23.334 section 8, realm
 * availability): the kernel tells of changes, and each one that matters becomes an event. Media is
 * left alone: calls on a lost interface end by consent and timeouts. */
#ifndef AGW_CONTROL_LINKS_H
#define AGW_CONTROL_LINKS_H

#include "control/config.h"
#include "control/events.h"

typedef struct agw_links agw_links;

/** Looks once, then whenever the kernel tells of a change, in the default main context. Both are
 * borrowed. Never NULL; without the kernel's help it is logged, and nothing is watched. */
agw_links *agw_links_new(const agw_config *config, agw_events *events);
/** NULL is fine. */
void agw_links_free(agw_links *links);

/** What is usable now: tells "interface-lost" and "interface-back", once each, with the interface's
 * name as reason and the address as detail. For tests; else it looks by itself. */
void agw_links_take(agw_links *links, const agw_addr *usable, size_t n);

#endif
