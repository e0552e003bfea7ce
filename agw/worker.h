/* SPDX-License-Identifier: BSD-3-Clause
 * A worker: one thread, its I/O, its mailbox and every call placed on it. This header is the
 * inside, shared by the files of this room; control sees gateway.h only. */
#ifndef AGW_AGW_WORKER_H
#define AGW_AGW_WORKER_H

#include "agw/early.h"
#include "agw/gateway.h"
#include "agw/mail.h"
#include "agw/stun_server.h"
#include "base/budget.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "net/io.h"
#include "srtp/batch.h"

#include <pthread.h>

enum {
    AGW_WORKER_SLOTS = 1 << 16,            /* transports a worker can hold */
    AGW_WORKER_SPARES = 2 * AGW_PKT_BATCH, /* packets of our own per batch: RTCP, DTLS */
};

/** Key of the map that finds a transport by where a packet came from; no padding. */
typedef struct agw_remote_key {
    uint32_t port_id;
    agw_addr remote;
} agw_remote_key;

typedef struct agw_worker {
    size_t index;
    pthread_t thread;
    bool running, stop;
    int cpu; /* -1 = not pinned */
    agw_io *io;
    agw_ring *mailbox;
    agw_outbox control;
    agw_outbox *handshakes;
    size_t n_handshakes;
    agw_srtp_engine *srtp;   /* NULL = OpenSSL; sessions of the calls here are made on it */
    agw_port **access_ports; /* shared ports that this worker reads */
    size_t n_access_ports;

    agw_ns now;      /* when the present turn began */
    int64_t wall_us; /* wall time less `now` when the worker was made: one clock for all our SRs */
    agw_timerq timers;            /* of transports */
    agw_timerq media_timers;      /* of medias */
    agw_timerq player_timers;     /* of players */
    agw_timerq chain_timers;      /* of their transcoders */
    struct agw_tap *tap;          /* where tapped packets go; NULL = nothing is recorded here */
    agw_map *by_remote;           /* agw_remote_key -> agw_transport, written by authentic checks */
    struct agw_transport **slots; /* AGW_WORKER_SLOTS */
    agw_budgets *sources;         /* what strangers have cost lately */
    agw_early *early;             /* media that waits for the SDP that names its source */
    struct agw_call *calls;       /* all that live here, linked */
    size_t calls_ended;           /* since freed memory was last settled */
    uint32_t lot;                 /* drawn last, for RTCP intervals */
    uint32_t last_number;         /* of generations and peers */
    agw_ns strays_from;           /* second in which stray ClientHellos are counted */
    unsigned strays;
    agw_ns cookies_until; /* handshakes that begin before then ask for a cookie */
    agw_stun_server stun_server;

    /* the present batch: packets received, then those made on the way */
    agw_pkt *pkts[AGW_PKT_BATCH + AGW_WORKER_SPARES];
    size_t n_received, n_spares;
    bool batch_full; /* the last one read: more may wait */
    agw_pkt *memory;

    agw_rand_stock random;

    agw_worker_stats stats;
} agw_worker;

/** Makes the worker and hands it its access ports (borrowed); the thread does not run yet. */
AGW_NODISCARD agw_worker *agw_worker_new(size_t index, const agw_io_config *io,
                                         agw_port **access_ports, size_t n_access_ports);
AGW_NODISCARD agw_err agw_worker_start(agw_worker *w);
/** After AGW_MAIL_STOP was posted: waits for the thread. */
void agw_worker_join(agw_worker *w);
/** After the join; frees calls that still live. */
void agw_worker_free(agw_worker *w);
/** From the thread that started it. */
void agw_worker_get_use(const agw_worker *w, agw_thread_use *out);
/** An outbox toward this worker, for one sender. */
agw_outbox agw_worker_outbox(agw_worker *w);

/** An empty packet that leaves with the present batch; NULL when the batch has no more of them. */
agw_pkt *agw_worker_packet(agw_worker *w);
/** Gives back the packet that agw_worker_packet() returned last: it does not leave. */
void agw_worker_give_back(agw_worker *w);
/** One turn without waiting: timers, mail, one batch. true: there may be more to do at once.
 * The thread calls it in a loop; tests call it on virtual time. */
bool agw_worker_turn(agw_worker *w, agw_ns now);

/** A DTLS packet from where no peer is. Some ClientHellos among them in one second are an attack:
 * for a minute new handshakes ask for a cookie. */
void agw_worker_note_stray(agw_worker *w, const agw_pkt *pkt);

/** Tells control about a transport. remote and detail may be NULL. */
void agw_worker_tell(agw_worker *w, const struct agw_transport *t, agw_event_kind kind,
                     const agw_addr *remote, const char *detail);

#endif
