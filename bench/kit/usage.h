/* SPDX-License-Identifier: BSD-3-Clause
 * What processes and the whole machine use, read from /proc. */
#ifndef AGW_BENCH_KIT_USAGE_H
#define AGW_BENCH_KIT_USAGE_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"

#include <sys/types.h>

typedef struct kit_usage {
    agw_ns cpu; /* of all its threads, ended ones included; exact run time, and softirq work that
                   is done in its context is in it */
    uint64_t rss_bytes;
    uint32_t fds, threads;
} kit_usage;

/** AGW_ERR_NOT_FOUND: there is no such process (any more). */
AGW_NODISCARD agw_err kit_usage_of(kit_usage *out, pid_t pid);
/** The same without descriptors (0): counting them takes a microsecond or more each. */
AGW_NODISCARD agw_err kit_usage_quick(kit_usage *out, pid_t pid);
/** The same of the gateway that bench/serve.mjs runs on another machine, and the busy time of that
 * machine. Waits for the answer, 1 s at most: AGW_ERR_AGAIN; AGW_ERR_NOT_FOUND: no gateway runs. */
AGW_NODISCARD agw_err kit_usage_ask(kit_usage *out, agw_ns *machine_cpu, const agw_addr *service);
/** CPU time of this process. */
agw_ns kit_usage_own_cpu(void);
/** Busy time of all CPUs since the machine started, interrupts included, time that a hypervisor
 * gave to others not; exact to some 10 ms. */
agw_ns kit_usage_machine_cpu(void);
/** Packets that the kernel had no room for on their way between interfaces (backlog queues of all
 * CPUs) since the machine started. */
uint64_t kit_usage_backlog_drops(void);
/** UDP sockets (IPv4 and IPv6) in the network namespace of that process. */
size_t kit_usage_udp_sockets(pid_t pid);

#endif
