/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/stun_server.h"

#include "ice/stun.h"

#include <string.h>

/* The cheapest test of all: it stands in front of the parse. */
static bool take_token(agw_stun_server *s, agw_ns now)
{
    const agw_ns each = AGW_S(1) / s->rate;
    const agw_ns passed = s->filled_at == 0 ? AGW_S(1) : now - s->filled_at;
    if (passed >= AGW_S(1)) {
        s->tokens = s->rate;
        s->filled_at = now;
    } else if (passed >= each) {
        const uint32_t more = (uint32_t)(passed / each);
        s->tokens = s->tokens + more > s->rate ? s->rate : s->tokens + more;
        s->filled_at += more * each;
    }
    if (s->tokens == 0)
        return false;
    s->tokens--;
    return true;
}

/* What any client writes; nothing that asks for more than an address. */
static bool is_plain(const agw_stun_msg *msg, const agw_pkt *pkt)
{
    return msg->head.msg_class == AGW_STUN_REQUEST && msg->head.method == AGW_STUN_METHOD_BINDING &&
           msg->head.local_ufrag == NULL && msg->integrity_at == 0 && msg->unknown_count == 0 &&
           (msg->fingerprint_at == 0 || agw_stun_fingerprint_ok(msg, pkt->data, pkt->len));
}

agw_drop agw_stun_serve(agw_stun_server *server, agw_ns now, agw_pkt *pkt)
{
    if (server->rate == 0)
        return AGW_DROP_STUN_UNEXPECTED;
    if (!take_token(server, now))
        return AGW_DROP_STUN_RATE;
    agw_stun_msg msg;
    if (agw_stun_parse(&msg, pkt->data, pkt->len) != AGW_OK)
        return AGW_DROP_STUN_MALFORMED;
    if (!is_plain(&msg, pkt))
        return AGW_DROP_STUN_UNEXPECTED;
    uint8_t reply[AGW_STUN_REPLY_MAX];
    const size_t len = agw_stun_write_mapped(&msg, &pkt->remote, reply, sizeof reply);
    if (len == 0)
        return AGW_DROP_STUN_UNEXPECTED;
    memcpy(pkt->data, reply, len);
    pkt->len = len;
    return AGW_DROP_NONE;
}
