/* SPDX-License-Identifier: BSD-3-Clause
 * Writes connectivity checks as Chromium shapes them, by libnice's STUN library: an independent
 * writer for our reader. */
#ifndef AGW_TESTS_ICE_CHECKS_H
#define AGW_TESTS_ICE_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/stunmessage.h>

typedef struct check {
    const char *username; /* NULL: none */
    const char *pwd;      /* NULL: no MESSAGE-INTEGRITY */
    bool use_candidate;
    bool controlled; /* instead of controlling */
    bool no_role, no_priority, no_fingerprint, indication;
    uint16_t extra;  /* one more attribute of this type, 0 = none */
    uint16_t method; /* 0 = Binding */
    uint32_t priority;
    uint32_t id; /* becomes the transaction id */
} check;

static inline size_t check_write(const check *c, uint8_t *out, size_t room)
{
    static const uint16_t KNOWN[] = {0};
    static const uint8_t NETWORK_INFO[4] = {0, 1, 0, 10};
    StunAgent agent;
    int flags = STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS;
    if (!c->no_fingerprint)
        flags |= STUN_AGENT_USAGE_USE_FINGERPRINT;
    stun_agent_init(&agent, KNOWN, STUN_COMPATIBILITY_RFC5389, (StunAgentUsageFlags)flags);
    StunMessage msg = {.agent = &agent, .buffer = out, .buffer_len = room};
    StunTransactionId id = {0x21, 0x12, 0xA4, 0x42};
    memcpy(id + 4, &c->id, sizeof c->id);
    stun_message_init(&msg, c->indication ? STUN_INDICATION : STUN_REQUEST,
                      c->method != 0 ? (StunMethod)c->method : STUN_BINDING, id);
    if (c->username != NULL)
        stun_message_append_string(&msg, STUN_ATTRIBUTE_USERNAME, c->username);
    stun_message_append_bytes(&msg, (StunAttribute)0xC057, NETWORK_INFO, sizeof NETWORK_INFO);
    if (!c->no_role)
        stun_message_append64(
            &msg, c->controlled ? STUN_ATTRIBUTE_ICE_CONTROLLED : STUN_ATTRIBUTE_ICE_CONTROLLING,
            0x1122334455667788u);
    if (c->use_candidate)
        stun_message_append_flag(&msg, STUN_ATTRIBUTE_USE_CANDIDATE);
    if (!c->no_priority)
        stun_message_append32(&msg, STUN_ATTRIBUTE_PRIORITY, c->priority);
    if (c->extra != 0)
        stun_message_append32(&msg, (StunAttribute)c->extra, 0);
    return stun_agent_finish_message(&agent, &msg, (const uint8_t *)c->pwd,
                                     c->pwd != NULL ? strlen(c->pwd) : 0);
}

#endif
