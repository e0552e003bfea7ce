/* SPDX-License-Identifier: BSD-3-Clause
 * A handshake thread: runs DTLS associations (0.4 ms of CPU each) away from the media loop.
 * Workers hand it datagrams and get datagrams, keys and ends back. */
#ifndef AGW_AGW_HANDSHAKE_H
#define AGW_AGW_HANDSHAKE_H

#include "agw/mail.h"

typedef struct agw_handshake agw_handshake;

/** One association as the worker knows it: made by the worker, named in every message about it,
 * freed by the handshake thread when AGW_MAIL_DTLS_END arrives. */
typedef struct agw_assoc agw_assoc;
/** worker: which of the thread's outboxes answers go to. Memory that runs out ends the process. */
AGW_NODISCARD agw_assoc *agw_assoc_new(size_t worker, agw_transport_name whose);

/** Starts the thread. outboxes: one per worker, copied. */
AGW_NODISCARD agw_handshake *agw_handshake_new(const agw_outbox *outboxes, size_t n_workers);
/** Stops and joins; associations that still live are freed. */
void agw_handshake_free(agw_handshake *h);

/** From the thread that started it. */
void agw_handshake_get_use(const agw_handshake *h, agw_thread_use *out);

/** An outbox toward this thread, for one sender. */
agw_outbox agw_handshake_outbox(agw_handshake *h);
/** How long it has not waited so far, in ns; any thread may ask. */
uint64_t agw_handshake_busy_ns(const agw_handshake *h);
/** Records of all its associations, ended ones too, that were not used; any thread may ask. */
uint64_t agw_handshake_drops(const agw_handshake *h, agw_dtls_drop reason);

#endif
