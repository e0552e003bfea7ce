/* SPDX-License-Identifier: BSD-3-Clause
 * Events to Kamailio's evapi module: a TCP connection that is kept up, on it one netstring with a
 * JSON object for each event, sent again until {"ack": SEQ} comes back. */
#ifndef AGW_CONTROL_EVAPI_H
#define AGW_CONTROL_EVAPI_H

#include "base/addr.h"
#include "control/event_queue.h"

#include <stddef.h>

enum { AGW_EVAPI_MESSAGE_MAX = 65536 }; /* bytes of one netstring that comes in */

/** What an acknowledgement does; gateway is what it names, "" = nothing. */
typedef void agw_evapi_acked(void *arg, const char *gateway, uint64_t seq);

typedef struct agw_evapi agw_evapi;

/** Begins to connect to `to` in the default main context, and begins again with growing pauses up
 * to 5 s. Never NULL. */
agw_evapi *agw_evapi_new(const agw_addr *to, agw_evapi_acked *acked, void *arg);
/** What waits is lost. NULL is fine. */
void agw_evapi_free(agw_evapi *evapi);

/** Queues one event as agw_event_queue_push(); the bytes of json are copied. */
void agw_evapi_send(agw_evapi *evapi, uint64_t seq, const char *call_id, bool last,
                    const GString *json);
/** To be called for every acknowledgement, whoever got it. */
void agw_evapi_ack(agw_evapi *evapi, uint64_t seq);
void agw_evapi_end_call(agw_evapi *evapi, const char *call_id);
/** Nothing waits that is younger than a minute. */
bool agw_evapi_is_idle(agw_evapi *evapi);
bool agw_evapi_is_open(const agw_evapi *evapi);
uint64_t agw_evapi_lost(const agw_evapi *evapi);

/* --- what comes back: pure ---------------------------------------------------------------------
 */

/** Finds the netstring at the beginning of len bytes: "5:hello,".
 *
 * @param body  out: where its payload begins, with body_len bytes; borrowed
 * @param used  out: bytes of the whole netstring
 * @return AGW_OK; AGW_ERR_AGAIN: more has to come; AGW_ERR_MALFORMED: not a netstring, or one of
 *         more than AGW_EVAPI_MESSAGE_MAX bytes: close the connection */
AGW_NODISCARD agw_err agw_netstring_parse(const char *bytes, size_t len, const char **body,
                                          size_t *body_len, size_t *used);

enum { AGW_ACK_GATEWAY_MAX = 32 };

/** An acknowledgement. */
typedef struct agw_ack {
    uint64_t seq;
    char gateway[AGW_ACK_GATEWAY_MAX + 1]; /* the event's "gateway"; "" = not said */
} agw_ack;

/** {"ack": SEQ} with or without "gateway". false: something else, which is no business of ours. */
bool agw_ack_parse(agw_ack *out, const char *json, size_t len);

#endif
