/* SPDX-License-Identifier: BSD-3-Clause
 * A client of the ng protocol (bencode over UDP) with many requests under way at once. Works with
 * every ng gateway. */
#ifndef AGW_BENCH_KIT_NG_H
#define AGW_BENCH_KIT_NG_H

#include "base/addr.h"
#include "bench/kit/histogram.h"
#include "control/ng.h"

typedef struct kit_ng kit_ng;

/** reply: borrowed for the call; NULL = none came in time. */
typedef void (*kit_ng_taker)(void *owner, const agw_doc *reply);

/** An ordinary socket toward the gateway's control address. NULL: *why. */
AGW_NODISCARD kit_ng *kit_ng_open(const agw_addr *gateway, const char **why);
/** Requests under way are forgotten, their takers not called. */
void kit_ng_close(kit_ng *ng);

/** Sends a command (given). It is repeated after 1 s, five times in all, as Kamailio does. */
void kit_ng_send(kit_ng *ng, agw_doc *command, kit_ng_taker taker, void *owner);
/** Sends the datagram of the latest request once more, at once, as some networks do. */
void kit_ng_again(kit_ng *ng);
/** An owner that goes away: its requests under way will tell nobody. */
void kit_ng_forget(kit_ng *ng, const void *owner);
/** Takes replies, repeats and gives up what is due. */
void kit_ng_turn(kit_ng *ng, agw_ns now);
agw_ns kit_ng_deadline(const kit_ng *ng);
int kit_ng_fd(const kit_ng *ng);
size_t kit_ng_under_way(const kit_ng *ng);

/** Sends and waits; the reply is returned (agw_doc_free()), NULL = none in time. Not while requests
 * of kit_ng_send() are under way. */
AGW_NODISCARD agw_doc *kit_ng_ask(kit_ng *ng, agw_doc *command, agw_ns patience);
/** {"command": name, "call-id": ...}; call_id may be NULL. */
agw_doc *kit_ng_command(const char *name, const char *call_id);

/** From sending to when our kernel has the reply, by command. Borrowed. */
typedef enum kit_ng_kind {
    KIT_NG_OFFER,
    KIT_NG_ANSWER,
    KIT_NG_DELETE,
    KIT_NG_OTHER,
    KIT_NG_KINDS
} kit_ng_kind;
kit_histogram *kit_ng_times(kit_ng *ng, kit_ng_kind kind);
typedef struct kit_ng_stats {
    uint64_t sent, replies, repeats, given_up;
} kit_ng_stats;
kit_ng_stats kit_ng_get_stats(const kit_ng *ng);

#endif
