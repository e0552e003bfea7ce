/* SPDX-License-Identifier: BSD-3-Clause
 * The ng protocol over UDP: listeners, cookies, duplicates, who may ask. */
#ifndef AGW_CONTROL_SERVER_H
#define AGW_CONTROL_SERVER_H

#include "control/command.h"

typedef struct agw_server agw_server;

/** What it did with messages that got no reply. */
typedef struct agw_server_counters {
    uint64_t messages;   /* all that came */
    uint64_t duplicates; /* answered from the store */
    uint64_t no_cookie, not_allowed, oversize, unsent;
} agw_server_counters;

/** Opens every listener of the configuration in the default main context; to be called before the
 * gateway takes ports of its own, which may lie around these. ctl is borrowed, and must be ready
 * only when the main context runs. On failure why says the reason. */
AGW_NODISCARD agw_err agw_server_new(agw_server **out, const agw_config *config, agw_control *ctl,
                                     char *why, size_t size);
void agw_server_free(agw_server *server);

size_t agw_server_listeners(const agw_server *server);
/** Where listener i really listens. */
const agw_addr *agw_server_addr(const agw_server *server, size_t i);

/** One message of from, whatever carried it: the reply, borrowed until the next call, or NULL when
 * none is due. */
const GString *agw_server_take(agw_server *server, const agw_addr *from, const char *msg,
                               size_t len, agw_ns now);
/** The same for a document without cookie: appends the reply document in its own format. false:
 * from may not ask. */
bool agw_server_take_plain(agw_server *server, const agw_addr *from, const char *body, size_t len,
                           agw_ns now, GString *out, agw_ng_format *format);
/** Appends the metrics for who may ask. false: from may not. */
bool agw_server_write_metrics(agw_server *server, const agw_addr *from, agw_ns now, GString *out);
/** Now and then, when there is nothing else to do: old replies go, and their memory. */
void agw_server_idle(agw_server *server, agw_ns now);
const agw_server_counters *agw_server_stats(const agw_server *server);

#endif
