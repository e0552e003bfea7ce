/* SPDX-License-Identifier: BSD-3-Clause
 * The XDP program: media of installed flows goes to the AF_XDP socket of its queue, everything else
 * (STUN, DTLS, strangers, fragments, ICMP, ARP, other queues, longer than a frame) to the kernel as
 * if we were not there. */
#include "net/xdp_flow.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#define FLOWS_MAX 131072

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, AGW_XDP_QUEUES_MAX);
    __type(key, __u32);
    __type(value, __u32);
} sockets SEC(".maps");

/* Value: the worker that the flow belongs to. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, FLOWS_MAX);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct agw_xdp_flow);
    __type(value, __u32);
} flows SEC(".maps");

/* Which worker reads this queue. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, AGW_XDP_QUEUES_MAX);
    __type(key, __u32);
    __type(value, __u32);
} owners SEC(".maps");

#define IP_MF_OR_OFFSET 0x3fff /* more fragments, or not the first one */

/* The UDP header, with the addresses noted in flow; NULL: not ours to judge. */
static __always_inline struct udphdr *read_ip4(void *at, void *end, struct agw_xdp_flow *flow)
{
    struct iphdr *ip = at;
    if ((void *)(ip + 1) > end || ip->ihl != 5 || ip->protocol != IPPROTO_UDP ||
        (ip->frag_off & bpf_htons(IP_MF_OR_OFFSET)) != 0)
        return 0;
    __builtin_memcpy(flow->local_ip, &ip->daddr, 4);
    __builtin_memcpy(flow->remote_ip, &ip->saddr, 4);
    return (struct udphdr *)(ip + 1);
}

static __always_inline struct udphdr *read_ip6(void *at, void *end, struct agw_xdp_flow *flow)
{
    struct ipv6hdr *ip = at;
    if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_UDP)
        return 0;
    __builtin_memcpy(flow->local_ip, &ip->daddr, 16);
    __builtin_memcpy(flow->remote_ip, &ip->saddr, 16);
    return (struct udphdr *)(ip + 1);
}

static __always_inline int is_sampled(const struct udphdr *udp, const void *end)
{
    const __u8 *rtp = (const __u8 *)(udp + 1);
    return (void *)(rtp + 4) <= end && rtp[3] % AGW_XDP_SAMPLED == 0;
}

/* Only of a frame that a socket takes: to the kernel the addresses matter. */
static __always_inline void stamp(void *frame, const __u32 *queue)
{
    if (!bpf_map_lookup_elem(&sockets, queue))
        return;
    const __u64 now = bpf_ktime_get_ns();
    const struct agw_xdp_stamp s = {
        .low = (__u32)now, .mark = AGW_XDP_STAMP_MARK, .high = (__u32)(now >> 32)};
    __builtin_memcpy(frame, &s, sizeof s);
}

SEC("xdp")
int agw_redirect(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    struct ethhdr *eth = data;
    struct agw_xdp_flow flow = {};
    struct udphdr *udp = 0;
    if ((void *)(eth + 1) > end || data + AGW_XDP_PACKET_MAX < end)
        return XDP_PASS;
    if (eth->h_proto == bpf_htons(ETH_P_IP))
        udp = read_ip4(eth + 1, end, &flow);
    else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
        udp = read_ip6(eth + 1, end, &flow);
    if (!udp || (void *)(udp + 1) + 1 > end)
        return XDP_PASS;
    const __u8 first = *(__u8 *)(udp + 1);
    if (first < 128 || first > 191) /* RTP and RTCP (RFC 7983) */
        return XDP_PASS;
    flow.local_port = udp->dest;
    flow.remote_port = udp->source;
    const __u32 *worker = bpf_map_lookup_elem(&flows, &flow);
    __u32 queue = ctx->rx_queue_index;
    const __u32 *owner = bpf_map_lookup_elem(&owners, &queue);
    if (!worker || !owner || *worker != *owner)
        return XDP_PASS;
    if (is_sampled(udp, end))
        stamp(eth, &queue);
    return bpf_redirect_map(&sockets, queue, XDP_PASS);
}

char LICENSE[] SEC("license") = "BSD";
