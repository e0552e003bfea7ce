/* SPDX-License-Identifier: BSD-3-Clause
 * What the XDP program and the process share: the key of an installed flow. Also compiled for
 * BPF. */
#ifndef AGW_NET_XDP_FLOW_H
#define AGW_NET_XDP_FLOW_H

#include <linux/types.h>

enum {
    AGW_XDP_QUEUES_MAX = 64,
    AGW_XDP_FRAME_BYTES = 2048,
    AGW_XDP_PACKET_MAX = AGW_XDP_FRAME_BYTES - 256, /* the kernel keeps its headroom in front */
};

/** What the program writes over the Ethernet addresses of a sampled frame, which have done their
 * work: when it came, by CLOCK_MONOTONIC in ns. The mark lies where the source address begins, and
 * no sender's address has the group bit (IEEE 802.3 section 3.2.3); who forges it lies about a
 * time. */
struct agw_xdp_stamp {
    __u32 low;
    __u8 unused[2];
    __u8 mark;
    __u8 unused_too;
    __u32 high;
};

enum {
    AGW_XDP_STAMP_MARK = 0x01,
    AGW_XDP_SAMPLED = 64, /* by RTP sequence number: so many a stream lie between two samples */
};

/** A 5-tuple as it comes in; the protocol is UDP. IPv4 uses the first four bytes, the rest is 0.
 * Ports in network order. */
struct agw_xdp_flow {
    __u8 local_ip[16], remote_ip[16];
    __be16 local_port, remote_port;
};

#endif
