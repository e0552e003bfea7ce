/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/stun_server.h"

#include "ice/stun.h"

#include <string.h>

/* The cheapest tests of all: they stand in front of the parse. The source's comes first, so that
 * one that floods leaves the others their share. */
static agw_drop take_turn(agw_stun_server *s, agw_ns now, const agw_addr *source)
{
    const agw_ns each = AGW_S(1) / s->rate;
    const agw_ns share = agw_earlier(each * AGW_STUN_SERVER_SHARE, AGW_S(1));
    if (!agw_budgets_take(s->sources, source, now, share))
        return AGW_DROP_SOURCE_RATE;
    return agw_budget_take(&s->budget, now, each, AGW_S(1)) ? AGW_DROP_NONE : AGW_DROP_STUN_RATE;
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
    const agw_drop refused = take_turn(server, now, &pkt->remote);
    if (refused != AGW_DROP_NONE)
        return refused;
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
