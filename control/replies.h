/* SPDX-License-Identifier: BSD-3-Clause
 * Replies kept for retransmitted requests: the same source, cookie and payload get the same reply
 * and nothing runs twice. Unlike rtpengine's, the key is not the cookie alone: cookies of different
 * clients, or of one that was restarted, repeat. */
#ifndef AGW_CONTROL_REPLIES_H
#define AGW_CONTROL_REPLIES_H

#include "base/addr.h"
#include "base/clock.h"
#include "control/ng.h"

enum {
    AGW_REPLIES_COUNT_MAX = 32768,
    AGW_REPLIES_BYTES_MAX = 64 * 1024 * 1024,
    AGW_REPLIES_KEEP_S = 10,
};

typedef struct agw_replies agw_replies;

/** Which message it was. */
typedef struct agw_reply_key {
    uint64_t cookie, body; /* hashes with a secret seed */
    agw_addr from;
    uint8_t zero[4]; /* keys are compared as bytes */
} agw_reply_key;

/** With smaller bounds for tests; 0 = the bounds above. */
agw_replies *agw_replies_new(size_t count_max, size_t bytes_max);
void agw_replies_free(agw_replies *replies);

/** The key of a message of from. */
agw_reply_key agw_replies_key(const agw_replies *replies, const agw_addr *from,
                              const agw_ng_message *msg);
/** The reply to that very message, borrowed until the next call; NULL when it is new. */
const GString *agw_replies_find(agw_replies *replies, const agw_reply_key *key, agw_ns now);
/** Keeps reply (given). The oldest make room. */
void agw_replies_keep(agw_replies *replies, const agw_reply_key *key, GString *reply, agw_ns now);
/** Forgets what is too old. */
void agw_replies_expire(agw_replies *replies, agw_ns now);
size_t agw_replies_count(const agw_replies *replies);

#endif
