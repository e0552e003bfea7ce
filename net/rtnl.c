/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/rtnl.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* The part of a message that is still to be read. */
typedef struct rest {
    const uint8_t *at;
    size_t len;
} rest;

typedef struct attr {
    uint16_t type;
    const uint8_t *data;
    size_t len;
} attr;

enum { TYPE_BITS = 0x3fff }; /* NLA_TYPE_MASK; above are NLA_F_NESTED and NLA_F_NET_BYTEORDER */

typedef agw_err take_attr(agw_rtnl_msg *msg, const attr *a);

/* Messages and attributes begin at multiples of four; behind the last the padding may be missing.
 */
static size_t step(size_t len, size_t limit)
{
    const size_t padded = (len + 3) & ~(size_t)3;
    return padded < limit ? padded : limit;
}

/* The fixed head of a message, copied because buf need not be aligned. */
static agw_err take_head(rest *r, void *head, size_t size)
{
    if (r->len < size)
        return AGW_ERR_TRUNCATED;
    memcpy(head, r->at, size);
    r->at += size;
    r->len -= size;
    return AGW_OK;
}

static agw_err each_attr(agw_rtnl_msg *msg, rest r, take_attr *take)
{
    while (r.len > 0) {
        struct rtattr head;
        if (r.len < sizeof head)
            return AGW_ERR_TRUNCATED;
        memcpy(&head, r.at, sizeof head);
        if (head.rta_len < sizeof head)
            return AGW_ERR_MALFORMED;
        if (head.rta_len > r.len)
            return AGW_ERR_TRUNCATED;
        const attr a = {.type = head.rta_type & TYPE_BITS,
                        .data = r.at + sizeof head,
                        .len = head.rta_len - sizeof head};
        const agw_err err = take(msg, &a);
        if (err != AGW_OK)
            return err;
        const size_t used = step(head.rta_len, r.len);
        r.at += used;
        r.len -= used;
    }
    return AGW_OK;
}

static agw_err each_nested(agw_rtnl_msg *msg, const attr *a, take_attr *take)
{
    return each_attr(msg, (rest){.at = a->data, .len = a->len}, take);
}

static agw_err take_u32(const attr *a, uint32_t *out)
{
    if (a->len != sizeof *out)
        return AGW_ERR_MALFORMED;
    memcpy(out, a->data, sizeof *out);
    return AGW_OK;
}

static agw_err take_ip(const uint8_t *data, size_t len, agw_addr *out)
{
    if (len != 4 && len != 16)
        return AGW_ERR_MALFORMED;
    *out = (agw_addr){.family = len == 4 ? AGW_FAMILY_IP4 : AGW_FAMILY_IP6};
    memcpy(out->ip, data, len);
    return AGW_OK;
}

/* Other links have longer or shorter ones: those are none for us. */
static void take_mac(const attr *a, uint8_t mac[6], bool *has)
{
    *has = a->len == 6;
    if (*has)
        memcpy(mac, a->data, 6);
}

static agw_err take_metric(agw_rtnl_msg *msg, const attr *a)
{
    return a->type == RTAX_MTU ? take_u32(a, &msg->route.mtu) : AGW_OK;
}

static agw_err take_route_attr(agw_rtnl_msg *msg, const attr *a)
{
    agw_rtnl_route *route = &msg->route;
    struct rta_cacheinfo cache;
    switch (a->type) {
    case RTA_OIF:
        return take_u32(a, &route->ifindex);
    case RTA_GATEWAY:
        return take_ip(a->data, a->len, &route->gateway);
    case RTA_VIA: /* struct rtvia: the family, 16 bits, then the address */
        return a->len < 2 ? AGW_ERR_MALFORMED : take_ip(a->data + 2, a->len - 2, &route->gateway);
    case RTA_METRICS:
        return each_nested(msg, a, take_metric);
    case RTA_CACHEINFO:
        if (a->len < sizeof cache)
            return AGW_ERR_MALFORMED;
        memcpy(&cache, a->data, sizeof cache);
        route->expires = cache.rta_expires != 0;
        return AGW_OK;
    case RTA_ENCAP:
        route->wrapped = true;
        return AGW_OK;
    default:
        return AGW_OK;
    }
}

static agw_err parse_route(agw_rtnl_msg *msg, rest r)
{
    struct rtmsg head;
    const agw_err err = take_head(&r, &head, sizeof head);
    if (err != AGW_OK)
        return err;
    msg->route.type = head.rtm_type;
    return each_attr(msg, r, take_route_attr);
}

static agw_err take_link_info(agw_rtnl_msg *msg, const attr *a)
{
    static const char vlan[] = "vlan"; /* its NUL counts: "vlan2" is another kind */
    if (a->type == IFLA_INFO_KIND)
        msg->link.vlan = a->len >= sizeof vlan && memcmp(a->data, vlan, sizeof vlan) == 0;
    return AGW_OK;
}

static agw_err take_link_attr(agw_rtnl_msg *msg, const attr *a)
{
    switch (a->type) {
    case IFLA_ADDRESS:
        take_mac(a, msg->link.mac, &msg->link.has_mac);
        return AGW_OK;
    case IFLA_MTU:
        return take_u32(a, &msg->link.mtu);
    case IFLA_LINKINFO:
        return each_nested(msg, a, take_link_info);
    default:
        return AGW_OK;
    }
}

static agw_err parse_link(agw_rtnl_msg *msg, rest r)
{
    struct ifinfomsg head;
    const agw_err err = take_head(&r, &head, sizeof head);
    if (err != AGW_OK)
        return err;
    msg->link.type = head.ifi_type;
    msg->link.flags = head.ifi_flags;
    return each_attr(msg, r, take_link_attr);
}

static agw_err take_neigh_attr(agw_rtnl_msg *msg, const attr *a)
{
    switch (a->type) {
    case NDA_DST:
        return take_ip(a->data, a->len, &msg->neigh.addr);
    case NDA_LLADDR:
        take_mac(a, msg->neigh.mac, &msg->neigh.has_mac);
        return AGW_OK;
    default:
        return AGW_OK;
    }
}

static agw_err parse_neigh(agw_rtnl_msg *msg, rest r)
{
    struct ndmsg head;
    const agw_err err = take_head(&r, &head, sizeof head);
    if (err != AGW_OK)
        return err;
    msg->neigh.ifindex = (uint32_t)head.ndm_ifindex;
    msg->neigh.state = head.ndm_state;
    const bool ip = head.ndm_family == AF_INET || head.ndm_family == AF_INET6;
    return ip ? each_attr(msg, r, take_neigh_attr) : AGW_OK;
}

/* -errno, then the request as it came, which tells us nothing. */
static agw_err parse_error(agw_rtnl_msg *msg, rest r)
{
    int32_t error;
    const agw_err err = take_head(&r, &error, sizeof error);
    if (err != AGW_OK)
        return err;
    if (error > 0 || error == INT32_MIN)
        return AGW_ERR_MALFORMED;
    msg->error = -error;
    return AGW_OK;
}

static agw_err parse_body(agw_rtnl_msg *msg, rest r)
{
    switch (msg->type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return parse_route(msg, r);
    case RTM_NEWLINK:
    case RTM_DELLINK:
        return parse_link(msg, r);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        return parse_neigh(msg, r);
    case NLMSG_ERROR:
        return parse_error(msg, r);
    default:
        return AGW_OK;
    }
}

agw_err agw_rtnl_parse(agw_rtnl_msg *msg, const uint8_t *buf, size_t len, size_t *used)
{
    struct nlmsghdr head;
    rest r = {.at = buf, .len = len};
    const agw_err err = take_head(&r, &head, sizeof head);
    if (err != AGW_OK)
        return err;
    if (head.nlmsg_len < sizeof head)
        return AGW_ERR_MALFORMED;
    if (head.nlmsg_len > len)
        return AGW_ERR_TRUNCATED;
    *msg = (agw_rtnl_msg){.type = head.nlmsg_type, .seq = head.nlmsg_seq};
    *used = step(head.nlmsg_len, len);
    r.len = head.nlmsg_len - sizeof head;
    return parse_body(msg, r);
}

/* ---- requests ---- */

typedef struct request {
    uint8_t *buf;
    size_t len;
} request;

static void put(request *q, const void *data, size_t len)
{
    AGW_ASSERT(q->len + len <= AGW_RTNL_REQUEST);
    memcpy(q->buf + q->len, data, len);
    q->len += len;
}

/* Every attribute here is a multiple of four long: nothing to pad. */
static void put_attr(request *q, uint16_t type, const void *data, size_t len)
{
    const struct rtattr head = {.rta_len = (uint16_t)(sizeof head + len), .rta_type = type};
    put(q, &head, sizeof head);
    put(q, data, len);
}

/* The length is known at the end only. */
static request begin(uint8_t *buf)
{
    return (request){.buf = buf, .len = sizeof(struct nlmsghdr)};
}

static size_t end(const request *q, uint16_t type, uint32_t seq)
{
    const struct nlmsghdr head = {.nlmsg_len = (uint32_t)q->len,
                                  .nlmsg_type = type,
                                  .nlmsg_flags = NLM_F_REQUEST,
                                  .nlmsg_seq = seq};
    memcpy(q->buf, &head, sizeof head);
    return q->len;
}

static uint8_t ip_bytes(const agw_addr *addr)
{
    return addr->family == AGW_FAMILY_IP6 ? 16 : 4;
}

static uint8_t domain(const agw_addr *addr)
{
    return addr->family == AGW_FAMILY_IP6 ? AF_INET6 : AF_INET;
}

size_t agw_rtnl_ask_route(uint8_t buf[AGW_RTNL_REQUEST], uint32_t seq, const agw_addr *local,
                          const agw_addr *remote, unsigned flags)
{
    const uint8_t len = ip_bytes(remote), bits = (uint8_t)(len * 8);
    const struct rtmsg head = {
        .rtm_family = domain(remote), .rtm_dst_len = bits, .rtm_src_len = bits, .rtm_flags = flags};
    request q = begin(buf);
    put(&q, &head, sizeof head);
    put_attr(&q, RTA_DST, remote->ip, len);
    put_attr(&q, RTA_SRC, local->ip, len);
    return end(&q, RTM_GETROUTE, seq);
}

size_t agw_rtnl_ask_link(uint8_t buf[AGW_RTNL_REQUEST], uint32_t seq, uint32_t ifindex)
{
    const struct ifinfomsg head = {.ifi_index = (int)ifindex};
    const uint32_t without = RTEXT_FILTER_SKIP_STATS;
    request q = begin(buf);
    put(&q, &head, sizeof head);
    put_attr(&q, IFLA_EXT_MASK, &without, sizeof without);
    return end(&q, RTM_GETLINK, seq);
}

size_t agw_rtnl_ask_neigh(uint8_t buf[AGW_RTNL_REQUEST], uint32_t seq, uint32_t ifindex,
                          const agw_addr *addr)
{
    const struct ndmsg head = {.ndm_family = domain(addr), .ndm_ifindex = (int)ifindex};
    request q = begin(buf);
    put(&q, &head, sizeof head);
    put_attr(&q, NDA_DST, addr->ip, ip_bytes(addr));
    return end(&q, RTM_GETNEIGH, seq);
}
