/* SPDX-License-Identifier: BSD-3-Clause
 * What it costs to tell whose a packet is: agw_demux_classify(), batches of 64 RTP packets of 2000
 * calls in turn, as they come. On the access side the calls of a worker share a port, and the map
 * of remote addresses is asked; on the core side a port belongs to a call. Naming sender and port
 * is in the figure, reading is not. */
#include "agw/demux.h"
#include "agw/transport.h"
#include "base/wire.h"
#include "bench/micro/micro.h"

#include <stdlib.h>

enum { CALLS = 2000, RTP_BYTES = 172 };

typedef struct scene {
    agw_worker worker;
    agw_transport *transports; /* CALLS */
    agw_port access, *core;    /* CALLS core ports */
    agw_pkt *pkts[AGW_PKT_BATCH];
    size_t next; /* call */
} scene;

static scene s;

static agw_addr remote_of(size_t call)
{
    agw_addr a = {.family = AGW_FAMILY_IP4, .port = (uint16_t)(32768 + call * 7 % 28000)};
    agw_put32(a.ip, 0x0a630000u + (uint32_t)call);
    return a;
}

static void open_scene(void)
{
    static const uint8_t seed[16] = {1, 2, 3};
    s.worker.by_remote = agw_map_new(sizeof(agw_remote_key), seed);
    s.transports = calloc(CALLS, sizeof *s.transports);
    s.core = calloc(CALLS, sizeof *s.core);
    AGW_ASSERT(s.worker.by_remote != NULL && s.transports != NULL && s.core != NULL);
    s.access.id = 1;
    s.access.shared = true;
    for (size_t i = 0; i < CALLS; i++) {
        const agw_remote_key key = {s.access.id, remote_of(i)};
        agw_map_put(s.worker.by_remote, &key, &s.transports[i]);
        s.core[i].id = (uint32_t)(2 + i);
        s.core[i].owner = &s.transports[i];
    }
    for (size_t i = 0; i < AGW_PKT_BATCH; i++) {
        s.pkts[i] = calloc(1, sizeof *s.pkts[i]);
        AGW_ASSERT(s.pkts[i] != NULL);
        agw_pkt_reset(s.pkts[i]);
        s.pkts[i]->data[0] = 0x80;
        s.pkts[i]->len = RTP_BYTES;
    }
}

static void close_scene(void)
{
    for (size_t i = 0; i < AGW_PKT_BATCH; i++)
        free(s.pkts[i]);
    agw_map_free(s.worker.by_remote);
    free(s.transports);
    free(s.core);
}

static void classify_batch(size_t n, bool access)
{
    const size_t first = s.next;
    for (size_t i = 0; i < n; i++) {
        agw_pkt *pkt = s.pkts[i];
        pkt->verdict = AGW_UNDECIDED;
        pkt->transport = NULL;
        pkt->port = access ? &s.access : &s.core[s.next];
        pkt->remote = remote_of(s.next);
        s.next = s.next + 1 == CALLS ? 0 : s.next + 1;
    }
    agw_demux_classify(&s.worker, s.pkts, n);
    AGW_ASSERT(s.pkts[0]->transport == &s.transports[first]);
}

static void run_batches(size_t n, bool access)
{
    for (size_t left = n; left > 0;) {
        const size_t batch = left < AGW_PKT_BATCH ? left : AGW_PKT_BATCH;
        classify_batch(batch, access);
        left -= batch;
    }
}

static void run_access(size_t n)
{
    run_batches(n, true);
}

static void run_core(size_t n)
{
    run_batches(n, false);
}

int main(int argc, char *argv[])
{
    static const micro list[] = {
        {"classify_access", "classify: a packet on a port that 2000 calls share", run_access},
        {"classify_core", "classify: a packet on a port of its own", run_core},
    };
    open_scene();
    const int status = micro_main(list, sizeof list / sizeof list[0], argc, argv);
    close_scene();
    return status;
}
