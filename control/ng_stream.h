/* SPDX-License-Identifier: BSD-3-Clause
 * The ng protocol on stream sockets. TCP (--listen-tcp-ng): messages back to back, any number on a
 * connection, pushed events between the replies. UNIX (--listen-unix): a document without cookie,
 * one a connection, as Kamailio up to 6.0 and OpenSIPS ask. */
#ifndef AGW_CONTROL_NG_STREAM_H
#define AGW_CONTROL_NG_STREAM_H

#include "control/server.h"

enum {
    AGW_STREAMS_MAX = 256,            /* connections */
    AGW_STREAM_OUT_MAX = 1024 * 1024, /* bytes that a slow reader may leave */
    AGW_STREAM_MESSAGE_S = 30,        /* a message that began ends so soon; so does silence
                                         before the first one */
    AGW_STREAM_IDLE_S = 3600,         /* of a connection without subscription */
};

typedef struct agw_streams agw_streams;

/** Opens the stream listeners of the configuration in the default main context; server is borrowed.
 * An old socket file that nobody listens on is replaced. On failure why says the reason. */
AGW_NODISCARD agw_err agw_streams_new(agw_streams **out, const agw_config *config,
                                      agw_server *server, char *why, size_t size);
/** Closes everything and removes the socket file. NULL is fine. */
void agw_streams_free(agw_streams *streams);

/** TCP listeners, and where listener i really listens. */
size_t agw_streams_listeners(const agw_streams *streams);
const agw_addr *agw_streams_addr(const agw_streams *streams, size_t i);

/** Now and then: closes who has been silent for too long. */
void agw_streams_idle(agw_streams *streams, agw_ns now);
const agw_streams_counters *agw_streams_stats(const agw_streams *streams);
size_t agw_streams_count(const agw_streams *streams);

#endif
