/* SPDX-License-Identifier: BSD-3-Clause
 * The ng protocol whatever carries it: cookies, duplicates, who may ask; and its UDP listeners.
 * Streams are in ng_stream.h, HTTP and WebSockets in http_ng.h: all of them come through here. */
#ifndef AGW_CONTROL_SERVER_H
#define AGW_CONTROL_SERVER_H

#include "control/command.h"
#include "control/events.h"

typedef struct agw_server agw_server;

/** What it did with messages that got no reply. */
typedef struct agw_server_counters {
    uint64_t messages;   /* all that came */
    uint64_t duplicates; /* answered from the store */
    uint64_t no_cookie, not_allowed, oversize, unsent;
} agw_server_counters;

/** Who asks, and how. */
typedef struct agw_asker {
    agw_addr from;
    bool local;                 /* came by a UNIX socket: its permissions decide, not ng-allow */
    size_t reply_max;           /* bytes of one message back; 0 = any number */
    agw_subscriber *subscriber; /* of a connection that stays; NULL = it does not */
} agw_asker;

/** Opens every UDP listener of the configuration in the default main context; to be called before
 * the gateway takes ports of its own, which may lie around these. ctl is borrowed, and must be
 * ready only when the main context runs. On failure why says the reason. */
AGW_NODISCARD agw_err agw_server_new(agw_server **out, const agw_config *config, agw_control *ctl,
                                     char *why, size_t size);
void agw_server_free(agw_server *server);

agw_control *agw_server_control(const agw_server *server);
size_t agw_server_listeners(const agw_server *server);
/** Where listener i really listens. */
const agw_addr *agw_server_addr(const agw_server *server, size_t i);

/** false: from may not ask, which is counted and logged. For connections, as they come. */
bool agw_server_admits(agw_server *server, const agw_addr *from, agw_ns now);
/** One message, whatever carried it: the reply, borrowed until the next call, or NULL when none is
 * due. The command "subscribe events" is served here: it is about the connection. */
const GString *agw_server_take(agw_server *server, const agw_asker *asker, const char *msg,
                               size_t len, agw_ns now);
/** The same for a document without cookie: appends the reply document in its own format. false: he
 * may not ask. */
bool agw_server_take_plain(agw_server *server, const agw_asker *asker, const char *body, size_t len,
                           agw_ns now, GString *out);
/** What a connection gets that has subscribed: with a cookie of 16 hexadecimal digits (as rtpengine
 * pushes), or plain. */
void agw_server_write_push(GString *out, const agw_subscriber *subscriber, bool plain,
                           const agw_doc *event);
/** The connection ends. */
void agw_server_forget(agw_server *server, agw_subscriber *subscriber);
/** Appends the metrics for who may ask. false: from may not. */
bool agw_server_write_metrics(agw_server *server, const agw_addr *from, agw_ns now, GString *out);
/** Now and then, when there is nothing else to do: old replies go, and their memory. */
void agw_server_idle(agw_server *server, agw_ns now);
const agw_server_counters *agw_server_stats(const agw_server *server);

#endif
