/* SPDX-License-Identifier: BSD-3-Clause
 * A gateway without sockets and threads for tests of control: agw/gateway.h with predictable
 * answers. Pairs and muxed transports get ports 30000, 30002, ...; shared ones 20000; the n-th
 * credentials of a gateway are "AAAAaaaa", "AAABaaab", ... */
#ifndef AGW_TESTS_CONTROL_FAKE_GATEWAY_H
#define AGW_TESTS_CONTROL_FAKE_GATEWAY_H

#include "agw/gateway.h"

#define FAKE_FINGERPRINT                                                                           \
    "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                                     \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

/** A configuration with two interfaces, both families each: "access" (10.0.0.1, fd00:a::1) and
 * "core" (10.1.0.1, fd00:c::1). */
void fake_gateway_config(agw_gateway_config *config);

/** Refuse new calls / reservations from now on (AGW_ERR_LIMIT), or not. */
void fake_gateway_full(agw_gateway *gw, bool calls, bool ports);

/** What the gateway says to new calls that are not urgent (NULL = it takes them), and to those that
 * are. */
void fake_gateway_refuse(agw_gateway *gw, const char *normal, const char *urgent);
/** The same where codecs of ours are offered (NULL = not), and where an answer makes codecs change
 * for more than so much. */
void fake_gateway_refuse_codecs(agw_gateway *gw, const char *open, uint64_t chains_max_us);
/** From the one worker on that it has. */
void fake_gateway_set_workers(agw_gateway *gw, size_t n);
/** The numbers of all workers it may have, to be set. */
agw_worker_stats *fake_gateway_stats(agw_gateway *gw);

/** What control did. */
size_t fake_gateway_calls(const agw_gateway *gw);
size_t fake_gateway_transports(const agw_gateway *gw); /* reserved now, all calls */
size_t fake_gateway_applied(const agw_gateway *gw);    /* plans so far, all calls */
/** The call made last that still lives, or NULL. */
agw_call_ref *fake_gateway_last_call(const agw_gateway *gw);
/** The call's last plan, borrowed until the next one; NULL before the first. */
const agw_plan *fake_gateway_plan(const agw_call_ref *call);
size_t fake_call_transports(const agw_call_ref *call);

/** Digits ordered so far; the last one in *last. */
size_t fake_gateway_digits(const agw_gateway *gw, agw_dtmf_order *last);

/** Files and tones ordered so far; the last one in *last, its audio borrowed until the next. */
size_t fake_gateway_plays(const agw_gateway *gw, agw_play_order *last);
size_t fake_gateway_stops(const agw_gateway *gw);

/** AGW_RECORD_* of the call's last recording. */
uint32_t fake_call_outputs(const agw_call_ref *call);
/** Recordings whose files were to be removed. */
size_t fake_gateway_discarded(const agw_gateway *gw);

/** Queues an event of the call; event's owner is filled in. */
void fake_gateway_push(agw_gateway *gw, const agw_call_ref *call, const agw_event *event);

#endif
