/* SPDX-License-Identifier: BSD-3-Clause
 * By libnice's STUN library, which adds MESSAGE-INTEGRITY and FINGERPRINT. */
#include "bench/kit/check.h"

#include "base/wire.h"

#include <string.h>
#include <stun/stunagent.h>
#include <stun/stunmessage.h>

enum {
    GOOG_NETWORK_INFO = 0xc057,
    NETWORK_ID_1 = 1 << 16, /* network-id 1, cost 0 */
};

static bool append(StunMessage *msg, const kit_check *c)
{
    const size_t username_len = c->username == NULL ? 0 : strlen(c->username);
    const StunAttribute role =
        c->controlling ? STUN_ATTRIBUTE_ICE_CONTROLLING : STUN_ATTRIBUTE_ICE_CONTROLLED;
    StunMessageReturn r = STUN_MESSAGE_RETURN_SUCCESS;
    if (c->username != NULL)
        r = stun_message_append_bytes(msg, STUN_ATTRIBUTE_USERNAME, c->username, username_len);
    if (r == STUN_MESSAGE_RETURN_SUCCESS)
        r = stun_message_append32(msg, (StunAttribute)GOOG_NETWORK_INFO, NETWORK_ID_1);
    if (r == STUN_MESSAGE_RETURN_SUCCESS)
        r = stun_message_append64(msg, role, c->tie_breaker);
    if (r == STUN_MESSAGE_RETURN_SUCCESS && c->nominate)
        r = stun_message_append_flag(msg, STUN_ATTRIBUTE_USE_CANDIDATE);
    if (r == STUN_MESSAGE_RETURN_SUCCESS)
        r = stun_message_append32(msg, STUN_ATTRIBUTE_PRIORITY, c->priority);
    return r == STUN_MESSAGE_RETURN_SUCCESS;
}

size_t kit_check_write(const kit_check *c, uint8_t *out, size_t room)
{
    static const uint16_t KNOWN[] = {0};
    StunAgent agent;
    stun_agent_init(&agent, KNOWN, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    uint8_t buf[KIT_CHECK_MAX + 64]; /* libnice forgets header and padding when it looks for room */
    StunMessage msg = {.agent = &agent, .buffer = buf, .buffer_len = KIT_CHECK_MAX};
    StunTransactionId id = {0}; /* libnice counts the cookie in */
    agw_put32(id, STUN_MAGIC_COOKIE);
    memcpy(id + 4, c->id, 12);
    if (!stun_message_init(&msg, STUN_REQUEST, STUN_BINDING, id) || !append(&msg, c))
        return 0;
    const size_t key_len = c->key == NULL ? 0 : strlen(c->key);
    /* Without a key libnice leaves MESSAGE-INTEGRITY out. */
    const size_t len = stun_agent_finish_message(&agent, &msg, (const uint8_t *)c->key, key_len);
    if (len == 0 || len > room)
        return 0;
    memcpy(out, buf, len);
    return len;
}
