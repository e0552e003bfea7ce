/* SPDX-License-Identifier: BSD-3-Clause
 * The process's part of the xdp backend: the XDP program on every interface that holds one of our
 * addresses, and which worker reads which of its queues. The worker's part is io_xdp.c.
 *
 * Needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF (kernels before 5.8: CAP_SYS_ADMIN), and lockable
 * memory (RLIMIT_MEMLOCK or CAP_IPC_LOCK): AGW_XDP_UMEM_BYTES a queue. */
#ifndef AGW_NET_XDP_H
#define AGW_NET_XDP_H

#include "base/addr.h"
#include "net/xdp_flow.h"

enum {
    AGW_XDP_INTERFACES_MAX = 16,
    AGW_XDP_FRAMES = 8192, /* of a queue: half of them wait for packets, half are for sending */
    AGW_XDP_UMEM_BYTES = AGW_XDP_FRAME_BYTES * AGW_XDP_FRAMES,
};

typedef struct agw_xdp agw_xdp;

/** One interface as workers see it. Read-only for them. */
typedef struct agw_xdp_interface {
    char name[16];
    uint32_t ifindex;
    uint32_t queues;
    bool native;              /* in the driver; false = the kernel's generic mode, slow */
    int flows_fd, sockets_fd; /* maps of its program */
} agw_xdp_interface;

/** Puts the program on the interfaces of these addresses (ports do not matter); queue q of each is
 * for worker q % workers.
 *
 * @return AGW_OK; AGW_ERR_UNSUPPORTED: built without, or an address is on no interface that can
 *         carry it (loopback); AGW_ERR_SYSTEM: the kernel refuses (capability, driver). *why (size
 *         bytes) says what, in words for an operator */
AGW_NODISCARD agw_err agw_xdp_open(agw_xdp **out, const agw_addr *addresses, size_t n,
                                   size_t workers, char *why, size_t size);
/** Takes the programs off again. All backends that use it are closed. NULL is allowed. */
void agw_xdp_close(agw_xdp *xdp);

size_t agw_xdp_workers(const agw_xdp *xdp);
size_t agw_xdp_interfaces(const agw_xdp *xdp);
const agw_xdp_interface *agw_xdp_interface_at(const agw_xdp *xdp, size_t i);

#endif
