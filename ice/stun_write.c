/* SPDX-License-Identifier: BSD-3-Clause
 * Replies to checks, written by libnice's STUN library, which adds MESSAGE-INTEGRITY and
 * FINGERPRINT. It does not count header and padding when it looks for room, so it writes into a
 * buffer of ours that is larger than any reply. */
#include "ice/stun.h"

#include "base/wire.h"

#include <string.h>
#include <stun/stunagent.h>
#include <stun/stunmessage.h>

enum { SCRATCH = AGW_STUN_REPLY_MAX + 64 };

/* A message under construction. The agent is 12.8 KB and lives on the stack: a reply needs of it no
 * more than the flags, and nothing of it may be shared between threads. */
typedef struct writer {
    StunAgent agent;
    StunMessage msg;
    uint8_t buf[SCRATCH];
} writer;

static bool begin(writer *w, const agw_stun_msg *request, StunClass msg_class)
{
    static const uint16_t KNOWN[] = {0};
    stun_agent_init(&w->agent, KNOWN, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    w->msg = (StunMessage){.agent = &w->agent, .buffer = w->buf, .buffer_len = sizeof w->buf};
    StunTransactionId id = {0}; /* libnice counts the cookie in */
    agw_put32(id, STUN_MAGIC_COOKIE);
    memcpy(id + 4, request->head.id, AGW_STUN_ID);
    return stun_message_init(&w->msg, msg_class, (StunMethod)request->head.method, id);
}

static size_t finish(writer *w, const char *key, uint8_t *out, size_t room)
{
    const size_t len =
        stun_agent_finish_message(&w->agent, &w->msg, (const uint8_t *)key, strlen(key));
    if (len == 0 || len > room)
        return 0;
    memcpy(out, w->buf, len);
    return len;
}

size_t agw_stun_write_success(const agw_stun_msg *request, const agw_addr *mapped, const char *key,
                              uint8_t *out, size_t room)
{
    writer w;
    struct sockaddr_storage to;
    const socklen_t to_len = agw_addr_to_sockaddr(mapped, &to);
    if (to_len == 0 || !begin(&w, request, STUN_RESPONSE))
        return 0;
    if (stun_message_append_xor_addr(&w.msg, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &to, to_len) !=
        STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    return finish(&w, key, out, room);
}

static bool append_unknown(StunMessage *msg, const agw_stun_msg *request)
{
    uint8_t list[2 * AGW_STUN_UNKNOWN_MAX];
    for (size_t i = 0; i < request->unknown_count; i++)
        agw_put16(list + 2 * i, request->unknown[i]);
    return stun_message_append_bytes(msg, STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, list,
                                     2 * request->unknown_count) == STUN_MESSAGE_RETURN_SUCCESS;
}

size_t agw_stun_write_error(const agw_stun_msg *request, unsigned code, const char *key,
                            uint8_t *out, size_t room)
{
    writer w;
    if (!begin(&w, request, STUN_ERROR))
        return 0;
    if (stun_message_append_error(&w.msg, (StunError)code) != STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    if (code == STUN_ERROR_UNKNOWN_ATTRIBUTE && !append_unknown(&w.msg, request))
        return 0;
    return finish(&w, key, out, room);
}
