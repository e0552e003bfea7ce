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

/** A 5-tuple as it comes in; the protocol is UDP. IPv4 uses the first four bytes, the rest is 0.
 * Ports in network order. */
struct agw_xdp_flow {
    __u8 local_ip[16], remote_ip[16];
    __be16 local_port, remote_port;
};

#endif
