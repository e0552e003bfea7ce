/* SPDX-License-Identifier: BSD-3-Clause
 * Control's side of the workers: addresses, ports, slots and calls; everything that allocates does
 * it here. */
#include "agw/gateway.h"

#include "agw/call.h"
#include "agw/demux.h"
#include "agw/handshake.h"
#include "agw/recorder.h"
#include "agw/worker.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/secret.h"
#include "codecs/audio.h"
#include "net/ports.h"
#include "net/tcp.h"
#include "net/xdp.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    ADDRESS_MAX = 2 * AGW_INTERFACE_MAX,
    HANDSHAKE_THREADS_MAX = 16,
    CONTROL_SLOTS = 65536,
    PORTS_LOW = 32, /* pairs kept open in advance */
    PORTS_HIGH = 128,
    CORE_BUFFER = 512 * 1024,
    LOAD_STEP = AGW_LOAD_FULL / 20,           /* smaller differences do not tell workers apart */
    HELPERS_LIMIT = 95 * AGW_LOAD_FULL / 100, /* of the control and handshake threads */
    USUALLY = 7,                              /* of eight calls */
    USUALLY_OF = 8,
    PORTS_RESERVED = 20, /* one core port in so many is kept for urgent calls */
};

/* A new call counts as talking until it does, or until it has been silent for so long. */
static const agw_ns SILENT_FOR = AGW_S(10);
/* Then its packets have been seen by a whole window. */
static const agw_ns SEEN_AFTER = AGW_MS(AGW_LOAD_EVERY_MS * (AGW_LOAD_PROBES - 1));

/* One local address that is bound; interfaces with the same address share it. */
typedef struct address {
    agw_addr ip;
    agw_ports *ports;
    bool for_browsers;
    agw_port *access[AGW_WORKERS_MAX * AGW_ACCESS_SOCKETS_MAX]; /* access_sockets of each worker */
    agw_port *tcp[AGW_WORKERS_MAX * AGW_ACCESS_SOCKETS_MAX]; /* the same; NULL without --ice-tcp */
} address;

typedef struct worker_slot {
    agw_worker *worker;
    agw_outbox outbox;
    uint32_t *free_slots;
    size_t n_free_slots;
    size_t n_calls, n_silent;
    /* Calls that were offered codecs of ours, and of these the silent ones and those that plan
     * codec changes; CPU of a second of all these changes, and of those of silent calls, by the
     * table. */
    size_t n_open, n_silent_open, n_chained;
    uint64_t chain_us, silent_chain_us;
    agw_load load;
} worker_slot;

struct agw_gateway {
    agw_gateway_config config;
    address addresses[ADDRESS_MAX];
    size_t n_addresses;
    size_t by_interface[AGW_INTERFACE_MAX]
                       [2]; /* index into addresses by family; ADDRESS_MAX = none */
    worker_slot workers[AGW_WORKERS_MAX];
    size_t n_workers;
    agw_handshake *handshakes[HANDSHAKE_THREADS_MAX];
    size_t n_handshakes;
    agw_load handshake_load[HANDSHAKE_THREADS_MAX], control_load;
    agw_recorder *recorder; /* NULL: nothing can be recorded */
    agw_outbox recorder_box;
    agw_recording **recordings; /* all whose file is not closed yet */
    size_t n_recordings, recordings_room;
    agw_admission admission, coding_admission; /* the latter: of calls whose codecs are changed */
    agw_ns looked_at;                          /* when the loads were read last */
    agw_xdp *xdp;                              /* NULL: plain sockets */
    agw_dtls_ctx *dtls_ctx; /* of new calls; each keeps the one that it began with */
    agw_ns dtls_ctx_at;
    agw_ring *mailbox;
    int event_fd;
    agw_call_ref *calls;
    agw_rand_stock random;
};

/* A transport's resources as control holds them. */
typedef struct reservation {
    agw_transport_info info;
    agw_resource resource;
    size_t address[2]; /* whose pool the ports are of */
    bool with_worker;  /* the worker has been given it */
    bool released;     /* control does not want it any more */
    struct reservation *next;
} reservation;

typedef struct media_numbers {
    agw_media_stats stats; /* first: it is laid out by lines of the cache */
    uint32_t media_id;
    struct media_numbers *next;
} media_numbers;

struct agw_call_ref {
    agw_gateway *gw;
    size_t worker;
    agw_call *call;         /* the worker's from the first apply on */
    agw_dtls_ctx *dtls_ctx; /* one reference */
    bool applied;
    bool closed;                /* control has let go */
    bool silent;                /* counted as such, see SILENT_FOR */
    bool open;                  /* codecs may have to be changed: it was offered ours */
    uint64_t chain_us;          /* CPU of a second of the codec changes that it plans */
    agw_ns placed_at, talks_at; /* 0 = not yet */
    void *owner;
    uint32_t last_transport_id;
    reservation *reservations;
    media_numbers *medias;
    agw_recording *recording; /* NULL = none */
    bool recording_given;     /* the worker has been told of it */
    agw_call_ref *prev, *next;
};

static agw_err fail(agw_err err, char *why, size_t size, const char *fmt, ...) AGW_PRINTF(4, 5);
static agw_err fail(agw_err err, char *why, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, size, fmt, args);
    va_end(args);
    return err;
}

/* --- addresses and access ports
 * ------------------------------------------------------------------- */

/* Where the K shared ports of a worker begin in address.access. */
static size_t first_access(const agw_gateway *gw, size_t worker)
{
    return worker * gw->config.access_sockets;
}

static agw_err add_address(agw_gateway *gw, const agw_addr *ip, size_t *out, char *why, size_t size)
{
    for (size_t i = 0; i < gw->n_addresses; i++) {
        if (agw_addr_ip_equal(&gw->addresses[i].ip, ip)) {
            *out = i;
            return AGW_OK;
        }
    }
    address *a = &gw->addresses[gw->n_addresses];
    char text[AGW_ADDR_TEXT];
    a->ip = *ip;
    a->ip.port = 0;
    const agw_ports_config config = {
        .address = a->ip,
        .port_min = gw->config.port_min,
        .port_max = gw->config.port_max,
        .low = PORTS_LOW,
        .high = PORTS_HIGH,
        .tos = AGW_TOS_EF,
        .buffer_bytes = CORE_BUFFER,
    };
    const agw_err err = agw_ports_new(&a->ports, &config, agw_rand32());
    if (err != AGW_OK)
        return fail(err, why, size, "no pair of ports between %u and %u on %s", config.port_min,
                    config.port_max, agw_addr_ip_text(ip, text, sizeof text));
    *out = gw->n_addresses;
    gw->n_addresses++;
    return AGW_OK;
}

static agw_err add_interfaces(agw_gateway *gw, char *why, size_t size)
{
    for (size_t i = 0; i < gw->config.n_interfaces; i++) {
        const agw_addr *ips[2] = {&gw->config.interfaces[i].ip4, &gw->config.interfaces[i].ip6};
        for (size_t family = 0; family < 2; family++) {
            gw->by_interface[i][family] = ADDRESS_MAX;
            if (!agw_addr_is_set(ips[family]))
                continue;
            const agw_err err =
                add_address(gw, ips[family], &gw->by_interface[i][family], why, size);
            if (err != AGW_OK)
                return err;
            gw->addresses[gw->by_interface[i][family]].for_browsers |=
                !gw->config.interfaces[i].core_only;
        }
    }
    return AGW_OK;
}

static void close_port(agw_port **port)
{
    if (*port == NULL)
        return;
    agw_port_close(*port);
    free(*port);
    *port = NULL;
}

static void close_access_ports(agw_gateway *gw, size_t place)
{
    for (size_t a = 0; a < gw->n_addresses; a++) {
        close_port(&gw->addresses[a].access[place]);
        close_port(&gw->addresses[a].tcp[place]);
    }
}

static agw_err open_udp(agw_port **out, const agw_addr *local)
{
    const agw_port_config config = {
        .local = *local,
        .shared = true,
        .tos = AGW_TOS_EF,
        .sampled = AGW_PORT_SAMPLED_SHARED,
        .buffer_bytes = AGW_PORT_ACCESS_BUFFER,
    };
    *out = agw_heap_lines(sizeof **out);
    return *out != NULL ? agw_port_open(*out, &config) : AGW_ERR_SYSTEM;
}

static agw_err open_tcp(agw_port **out, const agw_addr *local)
{
    const agw_tcp_config config = {.local = *local, .tos = AGW_TOS_EF};
    *out = agw_heap_lines(sizeof **out);
    return *out != NULL ? agw_tcp_open(*out, &config) : AGW_ERR_SYSTEM;
}

/* The same port number on every address that browsers reach, or none of them. */
static agw_err open_access_ports(agw_gateway *gw, size_t place, uint16_t number)
{
    for (size_t a = 0; a < gw->n_addresses; a++) {
        if (!gw->addresses[a].for_browsers)
            continue;
        agw_addr local = gw->addresses[a].ip;
        local.port = number;
        agw_err err = open_udp(&gw->addresses[a].access[place], &local);
        if (err == AGW_OK && gw->config.ice_tcp)
            err = open_tcp(&gw->addresses[a].tcp[place], &local);
        if (err != AGW_OK) {
            close_access_ports(gw, place);
            return err;
        }
    }
    return AGW_OK;
}

static agw_err find_access_ports(agw_gateway *gw, size_t place, uint32_t *next, char *why,
                                 size_t size)
{
    const bool fixed = gw->config.access_port > 0;
    for (; *next <= (fixed ? (uint32_t)UINT16_MAX : gw->config.port_max); (*next)++) {
        const agw_err err = open_access_ports(gw, place, (uint16_t)*next);
        if (err == AGW_OK) {
            (*next)++;
            return AGW_OK;
        }
        if (fixed || err != AGW_ERR_EXISTS)
            return fail(err, why, size, "access port %u cannot be opened: %s", *next,
                        agw_err_text(err));
    }
    return fail(AGW_ERR_LIMIT, why, size, "no free access port");
}

/* Any shared port of a worker's place: all are granted the same. */
static const agw_port *access_port(const agw_gateway *gw, size_t place)
{
    const agw_port *port = NULL;
    for (size_t a = 0; a < gw->n_addresses && port == NULL; a++)
        port = gw->addresses[a].access[place];
    return port;
}

static void warn_about_buffer(const agw_gateway *gw)
{
    const agw_port *port = access_port(gw, 0);
    if (port != NULL && port->buffer_bytes < AGW_PORT_ACCESS_BUFFER)
        agw_log(AGW_LOG_WARN, NULL,
                "access ports have a receive buffer of %zu KiB instead of %d KiB: raise "
                "net.core.rmem_max",
                port->buffer_bytes / 1024, AGW_PORT_ACCESS_BUFFER / 1024);
}

static void tell_limits(const agw_gateway *gw)
{
    const worker_slot *slot = &gw->workers[0];
    if (gw->config.load_limit == 0)
        return;
    agw_log(AGW_LOG_INFO, NULL,
            "new calls are refused while every worker is more than %u %% busy, or its access ports "
            "take so much of the %" PRIu64 " packets/s that they are good for",
            gw->config.load_limit * 100 / AGW_LOAD_FULL, slot->load.shared_pps);
}

/* --- start and end
 * ---------------------------------------------------------------------------------- */

static void wake_control(void *owner)
{
    const agw_gateway *gw = owner;
    const uint64_t one = 1;
    if (write(gw->event_fd, &one, sizeof one) < 0)
        return; /* a full counter wakes as well */
}

/* Opens the worker's shared ports and lists them. */
static agw_err make_access_ports(agw_gateway *gw, size_t worker, uint32_t *next, agw_port **out,
                                 size_t *n, char *why, size_t size)
{
    const size_t first = first_access(gw, worker);
    *n = 0;
    for (size_t k = 0; k < gw->config.access_sockets && gw->config.access_port >= 0; k++) {
        const agw_err err = find_access_ports(gw, first + k, next, why, size);
        if (err != AGW_OK)
            return err;
        for (size_t a = 0; a < gw->n_addresses; a++) {
            if (gw->addresses[a].access[first + k] != NULL)
                out[(*n)++] = gw->addresses[a].access[first + k];
            if (gw->addresses[a].tcp[first + k] != NULL)
                out[(*n)++] = gw->addresses[a].tcp[first + k];
        }
    }
    return AGW_OK;
}

/* A call's browser may be of either family: only one of both sockets is counted on. */
static uint64_t shared_pps(const agw_gateway *gw, size_t worker)
{
    const agw_port *port = access_port(gw, first_access(gw, worker));
    if (port == NULL)
        return 0;
    return gw->config.access_sockets *
           agw_load_shared_pps(port->buffer_bytes, AGW_US(gw->config.tick_us));
}

/* With AF_XDP where there is a program; a worker whose queues cannot be opened has plain sockets if
 * that is allowed. */
static agw_worker *new_worker(const agw_gateway *gw, size_t i, agw_port **access, size_t n)
{
    const agw_io_config plain = {.tick_us = gw->config.tick_us};
    agw_io_config fast = plain;
    fast.backend = agw_io_xdp();
    fast.xdp = gw->xdp;
    fast.worker = i;
    if (gw->xdp == NULL)
        return agw_worker_new(i, &plain, access, n);
    agw_worker *w = agw_worker_new(i, &fast, access, n);
    if (w != NULL || gw->config.io == AGW_IO_CHOICE_XDP)
        return w;
    agw_log(AGW_LOG_WARN, NULL,
            "worker %zu has plain sockets, its AF_XDP queues cannot be opened: %s", i,
            strerror(errno));
    return agw_worker_new(i, &plain, access, n);
}

static agw_err make_worker(agw_gateway *gw, size_t i, uint32_t *next_port, char *why, size_t size)
{
    worker_slot *slot = &gw->workers[i];
    agw_port *access[2 * ADDRESS_MAX * AGW_ACCESS_SOCKETS_MAX];
    size_t n;
    const agw_err err = make_access_ports(gw, i, next_port, access, &n, why, size);
    if (err != AGW_OK)
        return err;
    slot->free_slots = calloc(AGW_WORKER_SLOTS, sizeof *slot->free_slots);
    if (slot->free_slots != NULL)
        slot->worker = new_worker(gw, i, access, n);
    if (slot->free_slots == NULL || slot->worker == NULL)
        return fail(AGW_ERR_SYSTEM, why, size, "worker %zu cannot be made: %s", i, strerror(errno));
    for (uint32_t s = 0; s < AGW_WORKER_SLOTS; s++)
        slot->free_slots[s] = AGW_WORKER_SLOTS - 1 - s;
    slot->n_free_slots = AGW_WORKER_SLOTS;
    slot->outbox = agw_worker_outbox(slot->worker);
    agw_load_init(&slot->load, shared_pps(gw, i));
    slot->worker->control = (agw_outbox){.ring = gw->mailbox, .wake = wake_control, .owner = gw};
    slot->worker->stun_server.rate = gw->config.stun_rate;
    slot->worker->cpu = gw->config.pin ? (int)i : -1;
    gw->n_workers = i + 1;
    return AGW_OK;
}

static agw_err make_handshake_threads(agw_gateway *gw, char *why, size_t size)
{
    agw_outbox outboxes[AGW_WORKERS_MAX];
    size_t wanted = gw->config.handshake_threads != 0 ? gw->config.handshake_threads : 1;
    if (wanted > HANDSHAKE_THREADS_MAX)
        wanted = HANDSHAKE_THREADS_MAX;
    for (size_t i = 0; i < gw->n_workers; i++)
        outboxes[i] = agw_worker_outbox(gw->workers[i].worker);
    for (size_t i = 0; i < wanted; i++) {
        gw->handshakes[i] = agw_handshake_new(outboxes, gw->n_workers);
        if (gw->handshakes[i] == NULL)
            return fail(AGW_ERR_SYSTEM, why, size, "a handshake thread cannot be started");
        agw_load_init(&gw->handshake_load[i], 0);
        gw->n_handshakes = i + 1;
    }
    return AGW_OK;
}

/* A folder that cannot be used is no reason not to carry calls. */
static void make_recorder(agw_gateway *gw)
{
    char why[300];
    const char *folder = gw->config.recording_dir;
    if (folder == NULL || *folder == '\0')
        return;
    const agw_outbox control = {.ring = gw->mailbox, .wake = wake_control, .owner = gw};
    gw->recorder = agw_recorder_new(folder, gw->n_workers, &control, why, sizeof why);
    if (gw->recorder == NULL) {
        agw_log(AGW_LOG_WARN, NULL, "nothing can be recorded: %s", why);
        return;
    }
    gw->recorder_box = agw_recorder_outbox(gw->recorder);
    for (size_t i = 0; i < gw->n_workers; i++)
        gw->workers[i].worker->tap = agw_recorder_tap(gw->recorder, i);
}

static agw_err start_workers(agw_gateway *gw, char *why, size_t size)
{
    for (size_t i = 0; i < gw->n_workers; i++) {
        agw_worker *w = gw->workers[i].worker;
        w->handshakes = calloc(gw->n_handshakes, sizeof *w->handshakes);
        if (w->handshakes == NULL)
            return fail(AGW_ERR_SYSTEM, why, size, "out of memory");
        for (size_t h = 0; h < gw->n_handshakes; h++)
            w->handshakes[h] = agw_handshake_outbox(gw->handshakes[h]);
        w->n_handshakes = gw->n_handshakes;
        if (agw_worker_start(w) != AGW_OK)
            return fail(AGW_ERR_SYSTEM, why, size, "worker thread %zu cannot be started", i);
    }
    return AGW_OK;
}

static size_t wanted_workers(const agw_gateway *gw)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t n = gw->config.workers != 0 ? gw->config.workers : (size_t)(cores > 0 ? cores : 1);
    return n < AGW_WORKERS_MAX ? n : AGW_WORKERS_MAX;
}

static agw_err open_xdp(agw_gateway *gw, char *why, size_t size)
{
    agw_addr addresses[ADDRESS_MAX];
    if (gw->config.io == AGW_IO_CHOICE_UDP)
        return AGW_OK;
    for (size_t a = 0; a < gw->n_addresses; a++)
        addresses[a] = gw->addresses[a].ip;
    const agw_err err =
        agw_xdp_open(&gw->xdp, addresses, gw->n_addresses, wanted_workers(gw), why, size);
    if (err == AGW_OK || gw->config.io == AGW_IO_CHOICE_XDP)
        return err;
    agw_log(AGW_LOG_WARN, NULL, "packets go by plain sockets, not by AF_XDP: %s", why);
    return AGW_OK;
}

static agw_err make_workers(agw_gateway *gw, char *why, size_t size)
{
    const size_t n = wanted_workers(gw);
    uint32_t next_port =
        gw->config.access_port > 0 ? (uint32_t)gw->config.access_port : gw->config.port_min;
    for (size_t i = 0; i < n; i++) {
        const agw_err err = make_worker(gw, i, &next_port, why, size);
        if (err != AGW_OK)
            return err;
    }
    return AGW_OK;
}

/* A certificate of its own for the calls that begin from now on; false: the former one stays. */
static bool renew_certificate(agw_gateway *gw)
{
    agw_cert *cert = agw_cert_new();
    agw_dtls_ctx *ctx = cert != NULL ? agw_dtls_ctx_new(cert, gw->config.srtp_profiles) : NULL;
    gw->dtls_ctx_at = agw_clock_now();
    if (ctx == NULL)
        return false;
    agw_dtls_ctx_unref(gw->dtls_ctx);
    gw->dtls_ctx = ctx;
    return true;
}

/* Nobody misses a new certificate but a new call. */
static void renew_old_certificate(agw_gateway *gw)
{
    const agw_ns lifetime = gw->config.certificate_lifetime;
    if (lifetime == 0 || agw_clock_now() - gw->dtls_ctx_at < lifetime)
        return;
    if (renew_certificate(gw))
        agw_log(AGW_LOG_INFO, NULL, "new calls have a new DTLS certificate");
    else
        agw_log(AGW_LOG_WARN, NULL, "no new DTLS certificate can be made: the old one stays");
}

static agw_err make_shared_parts(agw_gateway *gw, char *why, size_t size)
{
    gw->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    gw->mailbox = agw_ring_new(CONTROL_SLOTS);
    if (gw->event_fd < 0 || gw->mailbox == NULL)
        return fail(AGW_ERR_SYSTEM, why, size, "out of memory or descriptors");
    if (!renew_certificate(gw))
        return fail(AGW_ERR_SYSTEM, why, size,
                    "OpenSSL refuses the certificate or the SRTP profiles");
    return AGW_OK;
}

agw_err agw_gateway_new(agw_gateway **out, const agw_gateway_config *config, char *why, size_t size)
{
    agw_gateway *gw = calloc(1, sizeof *gw);
    if (gw == NULL)
        return fail(AGW_ERR_SYSTEM, why, size, "out of memory");
    gw->config = *config;
    gw->admission.limit = config->load_limit;
    gw->coding_admission.limit = agw_load_coding_limit(config->load_limit);
    agw_load_init(&gw->control_load, 0);
    if (gw->config.access_sockets == 0)
        gw->config.access_sockets = 1;
    if (gw->config.access_sockets > AGW_ACCESS_SOCKETS_MAX)
        gw->config.access_sockets = AGW_ACCESS_SOCKETS_MAX;
    gw->event_fd = -1;
    agw_err err = make_shared_parts(gw, why, size);
    if (err == AGW_OK)
        err = add_interfaces(gw, why, size);
    if (err == AGW_OK)
        err = open_xdp(gw, why, size);
    if (err == AGW_OK)
        err = make_workers(gw, why, size);
    if (err == AGW_OK)
        err = make_handshake_threads(gw, why, size);
    if (err == AGW_OK)
        make_recorder(gw);
    if (err == AGW_OK)
        err = start_workers(gw, why, size);
    if (err != AGW_OK) {
        agw_gateway_free(gw);
        return err;
    }
    warn_about_buffer(gw);
    tell_limits(gw);
    agw_log(AGW_LOG_INFO, NULL, "SRTP is computed by %s",
            agw_srtp_engine_name(gw->workers[0].worker->srtp));
    for (size_t a = 0; a < gw->n_addresses; a++)
        agw_ports_refill(gw->addresses[a].ports, PORTS_HIGH);
    *out = gw;
    return AGW_OK;
}

static void free_call_ref(agw_call_ref *ref);

static void stop_threads(agw_gateway *gw)
{
    for (size_t i = 0; i < gw->n_workers; i++) {
        agw_outbox_post(&gw->workers[i].outbox, agw_mail_new(AGW_MAIL_STOP, NULL, 0));
        while (!agw_outbox_flush(&gw->workers[i].outbox))
            sched_yield();
    }
    for (size_t i = 0; i < gw->n_workers; i++)
        agw_worker_join(gw->workers[i].worker);
    for (size_t i = 0; i < gw->n_handshakes; i++)
        agw_handshake_free(gw->handshakes[i]);
}

void agw_gateway_free(agw_gateway *gw)
{
    if (gw == NULL)
        return;
    stop_threads(gw);
    for (size_t i = 0; i < gw->n_workers; i++) {
        agw_outbox_fini(&gw->workers[i].outbox);
        agw_worker_free(gw->workers[i].worker);
    }
    agw_outbox_fini(&gw->recorder_box);
    agw_recorder_free(gw->recorder);
    for (agw_mail *mail; gw->mailbox != NULL && (mail = agw_ring_pop(gw->mailbox)) != NULL;)
        agw_mail_free(mail);
    for (size_t i = 0; i < gw->n_recordings; i++)
        agw_recording_free(gw->recordings[i]);
    gw->n_recordings = 0;
    free(gw->recordings);
    while (gw->calls != NULL)
        free_call_ref(gw->calls);
    for (size_t i = 0; i < AGW_WORKERS_MAX; i++)
        free(gw->workers[i].free_slots);
    for (size_t place = 0; place < AGW_WORKERS_MAX * AGW_ACCESS_SOCKETS_MAX; place++)
        close_access_ports(gw, place);
    for (size_t a = 0; a < gw->n_addresses; a++)
        agw_ports_free(gw->addresses[a].ports);
    agw_xdp_close(gw->xdp);
    agw_dtls_ctx_unref(gw->dtls_ctx);
    agw_ring_free(gw->mailbox);
    if (gw->event_fd >= 0)
        close(gw->event_fd);
    agw_secret_wipe(&gw->random, sizeof gw->random);
    free(gw);
}

/* --- reservations
 * ------------------------------------------------------------------------------------ */

static const agw_addr *advertised(const agw_gateway *gw, size_t interface, size_t family)
{
    const agw_interface *i = &gw->config.interfaces[interface];
    const agw_addr *said = family == 0 ? &i->advertised4 : &i->advertised6;
    const agw_addr *bound = family == 0 ? &i->ip4 : &i->ip6;
    return agw_addr_is_set(said) ? said : bound;
}

static agw_addr said_address(const agw_gateway *gw, size_t interface, size_t family,
                             const agw_port *port)
{
    agw_addr addr = *advertised(gw, interface, family);
    addr.port = port->local.port;
    return addr;
}

static agw_err take_ports(agw_gateway *gw, reservation *r, size_t interface, size_t family,
                          agw_transport_kind kind)
{
    agw_resource *res = &r->resource;
    agw_ports *pool = gw->addresses[gw->by_interface[interface][family]].ports;
    r->address[family] = gw->by_interface[interface][family];
    const agw_err err = kind == AGW_TRANSPORT_PAIR
                            ? agw_ports_take_pair(pool, &res->rtp[family], &res->rtcp[family])
                            : agw_ports_take(pool, &res->rtp[family]);
    if (err != AGW_OK)
        return err;
    r->info.rtp[0] = said_address(gw, interface, family, res->rtp[family]);
    r->info.rtcp[0] = res->rtcp[family] != NULL
                          ? said_address(gw, interface, family, res->rtcp[family])
                          : r->info.rtp[0];
    return AGW_OK;
}

/* false: the interface has no shared ports. */
static bool share_ports(agw_gateway *gw, reservation *r, size_t place, size_t interface,
                        size_t first)
{
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        const size_t family = i == 0 ? first : 1 - first;
        const size_t a = gw->by_interface[interface][family];
        if (a == ADDRESS_MAX || gw->addresses[a].access[place] == NULL)
            continue;
        agw_port *port = gw->addresses[a].access[place];
        r->resource.rtp[family] = port;
        r->resource.tcp[family] = gw->addresses[a].tcp[place];
        r->info.tcp = gw->config.ice_tcp;
        r->info.rtp[n] = said_address(gw, interface, family, port);
        r->info.rtcp[n] = r->info.rtp[n];
        n++;
    }
    r->resource.shared = n != 0;
    return r->resource.shared;
}

static agw_err pick_family(const agw_gateway *gw, size_t interface, agw_family family, size_t *out)
{
    const size_t *has = gw->by_interface[interface];
    *out = family == AGW_FAMILY_IP6 || (family == AGW_FAMILY_NONE && has[0] == ADDRESS_MAX) ? 1 : 0;
    return has[*out] != ADDRESS_MAX ? AGW_OK : AGW_ERR_UNSUPPORTED;
}

static void make_credentials(agw_gateway *gw, reservation *r)
{
    agw_demux_ufrag(r->info.ufrag, r->resource.slot, &gw->random);
    agw_rand_draw_text(&gw->random, r->info.pwd, AGW_PWD_LEN);
}

agw_err agw_gateway_reserve(agw_gateway *gw, agw_call_ref *call, size_t interface,
                            agw_family family, agw_transport_kind kind, agw_transport_info *out)
{
    worker_slot *slot = &gw->workers[call->worker];
    size_t first;
    AGW_ASSERT(interface < gw->config.n_interfaces);
    agw_err err = pick_family(gw, interface, family, &first);
    if (err != AGW_OK)
        return err;
    if (slot->n_free_slots == 0)
        return AGW_ERR_LIMIT;
    reservation *r = calloc(1, sizeof *r);
    if (r == NULL)
        return AGW_ERR_LIMIT;
    r->address[0] = r->address[1] = ADDRESS_MAX;
    const size_t place =
        first_access(gw, call->worker) + slot->n_free_slots % gw->config.access_sockets;
    if (kind != AGW_TRANSPORT_SHARED || !share_ports(gw, r, place, interface, first))
        err = take_ports(gw, r, interface, first,
                         kind == AGW_TRANSPORT_SHARED ? AGW_TRANSPORT_MUXED : kind);
    if (err != AGW_OK) {
        free(r);
        return err;
    }
    slot->n_free_slots--;
    call->last_transport_id++;
    r->resource.slot = slot->free_slots[slot->n_free_slots];
    r->resource.id = r->info.id = call->last_transport_id;
    r->info.interface = interface;
    make_credentials(gw, r);
    r->next = call->reservations;
    call->reservations = r;
    *out = r->info;
    return AGW_OK;
}

static reservation *find_reservation(const agw_call_ref *call, uint32_t id)
{
    reservation *r = call->reservations;
    while (r != NULL && r->info.id != id)
        r = r->next;
    return r;
}

agw_err agw_gateway_new_credentials(agw_gateway *gw, agw_call_ref *call, uint32_t id,
                                    agw_transport_info *out)
{
    reservation *r = find_reservation(call, id);
    if (r == NULL)
        return AGW_ERR_NOT_FOUND;
    make_credentials(gw, r);
    *out = r->info;
    return AGW_OK;
}

static void give_ports(agw_gateway *gw, const reservation *r)
{
    if (r->resource.shared)
        return;
    for (size_t family = 0; family < 2; family++) {
        if (r->resource.rtp[family] != NULL)
            agw_ports_give(gw->addresses[r->address[family]].ports, r->resource.rtp[family]);
        if (r->resource.rtcp[family] != NULL)
            agw_ports_give(gw->addresses[r->address[family]].ports, r->resource.rtcp[family]);
    }
}

static void free_reservation(agw_call_ref *call, reservation *r)
{
    worker_slot *slot = &call->gw->workers[call->worker];
    reservation **at = &call->reservations;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    give_ports(call->gw, r);
    slot->free_slots[slot->n_free_slots] = r->resource.slot;
    slot->n_free_slots++;
    free(r);
}

void agw_gateway_release(agw_gateway *gw, agw_call_ref *call, uint32_t id)
{
    (void)gw;
    reservation *r = find_reservation(call, id);
    if (r == NULL)
        return;
    if (r->with_worker)
        r->released = true; /* until the worker lets go */
    else
        free_reservation(call, r);
}

const char *agw_gateway_fingerprint(const agw_call_ref *call, agw_hash hash,
                                    char out[AGW_FINGERPRINT_TEXT])
{
    agw_fingerprint fp;
    agw_dtls_ctx_fingerprint(call->dtls_ctx, hash, &fp);
    return agw_fingerprint_text(&fp, out, AGW_FINGERPRINT_TEXT);
}

/* --- load
 * ---------------------------------------------------------------------------------------------- */

static void set_silent(agw_call_ref *ref, bool silent)
{
    worker_slot *slot = &ref->gw->workers[ref->worker];
    if (ref->silent == silent)
        return;
    ref->silent = silent;
    slot->n_silent = silent ? slot->n_silent + 1 : slot->n_silent - 1;
    if (ref->open)
        slot->n_silent_open = silent ? slot->n_silent_open + 1 : slot->n_silent_open - 1;
    slot->silent_chain_us += silent ? ref->chain_us : -ref->chain_us;
}

static void set_open(agw_call_ref *ref, bool open)
{
    worker_slot *slot = &ref->gw->workers[ref->worker];
    if (ref->open == open)
        return;
    ref->open = open;
    slot->n_open = open ? slot->n_open + 1 : slot->n_open - 1;
    if (ref->silent)
        slot->n_silent_open = open ? slot->n_silent_open + 1 : slot->n_silent_open - 1;
}

static void set_chains(agw_call_ref *ref, uint64_t us)
{
    worker_slot *slot = &ref->gw->workers[ref->worker];
    const uint64_t more = us - ref->chain_us;
    if (us != 0)
        set_open(ref, true);
    slot->n_chained += (size_t)(us != 0) - (size_t)(ref->chain_us != 0);
    slot->chain_us += more;
    if (ref->silent)
        slot->silent_chain_us += more;
    ref->chain_us = us;
}

static bool has_talked(const agw_call_ref *ref)
{
    for (const media_numbers *m = ref->medias; m != NULL; m = m->next) {
        if (agw_counter_get(&m->stats.end[0].rtp_in.packets) != 0 ||
            agw_counter_get(&m->stats.end[1].rtp_in.packets) != 0)
            return true;
    }
    return false;
}

static void look_at_call(agw_call_ref *ref, agw_ns now)
{
    if (ref->silent && ref->talks_at == 0 && has_talked(ref))
        ref->talks_at = now;
    if (now - ref->placed_at >= SILENT_FOR ||
        (ref->talks_at != 0 && now - ref->talks_at >= SEEN_AFTER))
        set_silent(ref, false);
}

/* The youngest come first; what was old enough at the last look needs none. */
static void look_at_calls(agw_gateway *gw, agw_ns now)
{
    for (agw_call_ref *ref = gw->calls; ref != NULL; ref = ref->next) {
        if (gw->looked_at - ref->placed_at >= SILENT_FOR)
            return;
        look_at_call(ref, now);
    }
}

static void look_at_worker(worker_slot *slot, agw_ns now)
{
    const agw_worker *w = slot->worker;
    agw_load_probe probe = {.at = now,
                            .busy_ns = agw_counter_get(&w->stats.busy_ns),
                            .packets = agw_counter_get(&w->stats.rx_packets),
                            .coding_ns = agw_counter_get(&w->stats.coding_ns)};
    for (size_t i = 0; i < w->n_access_ports; i++) {
        probe.shared += agw_counter_get(&w->access_ports[i]->rx_packets);
        probe.lost += agw_counter_get(&w->access_ports[i]->rx_drops);
    }
    agw_load_note(&slot->load, &probe, slot->n_calls - slot->n_silent);
    agw_load_note_coding(&slot->load, slot->chain_us - slot->silent_chain_us);
}

static uint64_t own_cpu_ns(void)
{
    struct timespec ts = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)(AGW_S(ts.tv_sec) + ts.tv_nsec);
}

static void look_at_helpers(agw_gateway *gw, agw_ns now)
{
    const agw_load_probe own = {.at = now, .busy_ns = own_cpu_ns()};
    agw_load_note(&gw->control_load, &own, 0);
    for (size_t i = 0; i < gw->n_handshakes; i++) {
        const agw_load_probe probe = {.at = now,
                                      .busy_ns = agw_handshake_busy_ns(gw->handshakes[i])};
        agw_load_note(&gw->handshake_load[i], &probe, 0);
    }
}

static uint32_t handshake_load(const agw_gateway *gw)
{
    uint32_t most = 0;
    for (size_t i = 0; i < gw->n_handshakes; i++)
        most = gw->handshake_load[i].busy > most ? gw->handshake_load[i].busy : most;
    return most;
}

/* CPU of a second that a call with codecs of ours in its offer needs on average, by the table. */
static uint64_t usual_us(const worker_slot *slot)
{
    return slot->n_open != 0 ? slot->chain_us / slot->n_open : 0;
}

/* What codecs will take that do not run yet, as a share of a worker's time. A call that may need
 * them and has no answer is expected to need what such calls need there on average. */
static uint32_t chain_load(const worker_slot *slot, uint64_t more_us)
{
    const uint64_t usual = slot->n_silent_open * usual_us(slot);
    const uint64_t us = usual > slot->silent_chain_us ? usual : slot->silent_chain_us;
    return agw_load_of_coding(&slot->load, us + more_us);
}

static uint32_t load_of(const worker_slot *slot)
{
    return agw_load_with(&slot->load, slot->n_silent) + chain_load(slot, 0);
}

/* As a call sees it that only passes: coding waits for packets, so it counts with no more than it
 * may have, also when it takes more than was foreseen. */
static uint32_t passing_load(const agw_gateway *gw, const worker_slot *slot)
{
    const uint32_t coding = slot->load.coding + chain_load(slot, 0),
                   most = gw->coding_admission.limit;
    const uint32_t load = load_of(slot);
    return most != 0 && coding > most ? load - (coding - most) : load;
}

/* Of calls that were offered codecs of ours nearly all were answered with them; with none to look
 * at the next one is expected to be. */
static bool is_usually_chained(const worker_slot *slot)
{
    return USUALLY_OF * slot->n_chained >= USUALLY * (slot->n_open - slot->n_silent_open);
}

/* By load in steps, then by calls: a consent check more shall not decide. */
static bool is_less_loaded(const worker_slot *a, const worker_slot *b)
{
    const uint32_t step_a = load_of(a) / LOAD_STEP, step_b = load_of(b) / LOAD_STEP;
    return step_a != step_b ? step_a < step_b : a->n_calls < b->n_calls;
}

static size_t least_loaded(const agw_gateway *gw)
{
    size_t best = 0;
    for (size_t i = 1; i < gw->n_workers; i++) {
        if (is_less_loaded(&gw->workers[i], &gw->workers[best]))
            best = i;
    }
    return best;
}

/* Reads the threads' loads when it is time. Every new call asks, and so does idle work. */
static void look(agw_gateway *gw)
{
    const agw_ns now = agw_clock_now();
    if (agw_load_due(&gw->control_load, now)) {
        look_at_helpers(gw, now);
        look_at_calls(gw, now);
        for (size_t i = 0; i < gw->n_workers; i++)
            look_at_worker(&gw->workers[i], now);
        gw->looked_at = now;
    }
    const worker_slot *next = &gw->workers[least_loaded(gw)];
    agw_admission_look(&gw->admission, passing_load(gw, next), next->load.losing);
    agw_admission_look(&gw->coding_admission,
                       load_of(next) + agw_load_of_coding(&next->load, usual_us(next)),
                       next->load.losing);
}

static bool ports_are_kept(const agw_gateway *gw)
{
    for (size_t a = 0; a < gw->n_addresses; a++) {
        agw_ports_stats stats;
        agw_ports_get_stats(gw->addresses[a].ports, &stats);
        if (stats.free < stats.total / PORTS_RESERVED)
            return true;
    }
    return false;
}

static const char FULL[] = "CPU usage limit exceeded";

const char *agw_gateway_refusal(agw_gateway *gw, bool urgent)
{
    look(gw);
    const worker_slot *next = &gw->workers[least_loaded(gw)];
    const uint32_t load =
        urgent ? agw_load_urgent_with(&next->load, next->n_silent) : load_of(next);
    if (!agw_admission_takes(&gw->admission, load, urgent))
        return FULL;
    if (!urgent && gw->admission.limit != 0 &&
        (gw->control_load.busy >= HELPERS_LIMIT || handshake_load(gw) >= HELPERS_LIMIT))
        return "Load limit exceeded";
    return !urgent && ports_are_kept(gw) ? "Ran out of ports" : NULL;
}

const char *agw_gateway_refuse_open(agw_gateway *gw, agw_call_ref *call, bool urgent)
{
    const worker_slot *slot = &gw->workers[call->worker];
    set_open(call, true);
    look(gw);
    if (urgent || !is_usually_chained(slot) || agw_admission_takes(&gw->coding_admission, 0, false))
        return NULL;
    return FULL;
}

const char *agw_gateway_refuse_chains(agw_gateway *gw, const agw_call_ref *call, uint64_t us,
                                      bool urgent)
{
    const worker_slot *slot = &gw->workers[call->worker];
    const uint64_t expected = call->open && call->silent ? usual_us(slot) : 0;
    look(gw);
    if (urgent || gw->admission.limit == 0 || us <= expected ||
        load_of(slot) + agw_load_of_coding(&slot->load, us - expected) < gw->admission.limit)
        return NULL;
    return FULL;
}

void agw_gateway_get_load(agw_gateway *gw, agw_gateway_load *out)
{
    look(gw);
    *out = (agw_gateway_load){.limit = gw->admission.limit,
                              .closed = gw->admission.closed,
                              .coding_limit = gw->coding_admission.limit,
                              .coding_closed = gw->coding_admission.closed,
                              .control = gw->control_load.busy,
                              .handshakes = handshake_load(gw)};
    if (out->limit != 0)
        out->urgent_limit = AGW_LOAD_URGENT;
}

void agw_gateway_get_worker_load(const agw_gateway *gw, size_t i, agw_worker_load *out)
{
    AGW_ASSERT(i < gw->n_workers);
    const worker_slot *slot = &gw->workers[i];
    *out = (agw_worker_load){.busy = slot->load.busy,
                             .shared = slot->load.shared,
                             .expected = load_of(slot),
                             .coding = slot->load.coding,
                             .coding_permille = slot->load.coding_permille,
                             .silent = slot->n_silent,
                             .shared_pps = slot->load.shared_pps};
}

/* --- calls
 * --------------------------------------------------------------------------------------------- */

agw_err agw_gateway_call_new(agw_gateway *gw, const char *tag, void *owner, agw_call_ref **out)
{
    const size_t worker = least_loaded(gw);
    if (gw->workers[worker].outbox.first != NULL)
        return AGW_ERR_LIMIT; /* its mailbox is full: it has more than enough to do */
    agw_call_ref *ref = calloc(1, sizeof *ref);
    if (ref == NULL)
        return AGW_ERR_LIMIT;
    renew_old_certificate(gw);
    ref->call = agw_call_new(ref, tag, gw->dtls_ctx);
    if (ref->call == NULL) {
        free(ref);
        return AGW_ERR_LIMIT;
    }
    ref->dtls_ctx = agw_dtls_ctx_ref(gw->dtls_ctx);
    ref->gw = gw;
    ref->worker = worker;
    ref->owner = owner;
    ref->next = gw->calls;
    if (ref->next != NULL)
        ref->next->prev = ref;
    gw->calls = ref;
    gw->workers[worker].n_calls++;
    ref->placed_at = agw_clock_now();
    set_silent(ref, true);
    *out = ref;
    return AGW_OK;
}

static void disown_recordings(const agw_call_ref *ref)
{
    const agw_gateway *gw = ref->gw;
    for (size_t i = 0; i < gw->n_recordings; i++) {
        if (agw_recording_owner(gw->recordings[i]) == ref)
            agw_recording_set_owner(gw->recordings[i], NULL);
    }
}

static void free_call_ref(agw_call_ref *ref)
{
    agw_gateway *gw = ref->gw;
    disown_recordings(ref);
    while (ref->reservations != NULL)
        free_reservation(ref, ref->reservations);
    for (media_numbers *next; ref->medias != NULL; ref->medias = next) {
        next = ref->medias->next;
        free(ref->medias);
    }
    if (!ref->applied)
        agw_call_free(ref->call);
    agw_dtls_ctx_unref(ref->dtls_ctx);
    if (ref->prev != NULL)
        ref->prev->next = ref->next;
    else
        gw->calls = ref->next;
    if (ref->next != NULL)
        ref->next->prev = ref->prev;
    set_silent(ref, false);
    set_chains(ref, 0);
    set_open(ref, false);
    gw->workers[ref->worker].n_calls--;
    free(ref);
}

void agw_gateway_call_free(agw_gateway *gw, agw_call_ref *call)
{
    call->closed = true;
    set_silent(call, false);
    set_chains(call, 0);
    set_open(call, false);
    if (!call->recording_given)
        agw_gateway_end_record(gw, call, false);
    if (!call->applied) {
        free_call_ref(call);
        return;
    }
    agw_mail *mail = agw_mail_new(AGW_MAIL_CLOSE, NULL, 0);
    mail->call = call->call;
    agw_outbox_post(&gw->workers[call->worker].outbox, mail);
}

agw_media_stats *agw_gateway_media_stats(agw_call_ref *call, uint32_t media_id)
{
    media_numbers *m = call->medias;
    while (m != NULL && m->media_id != media_id)
        m = m->next;
    if (m == NULL) {
        m = agw_heap_lines(sizeof *m);
        AGW_ASSERT(m != NULL);
        m->media_id = media_id;
        m->next = call->medias;
        call->medias = m;
    }
    return &m->stats;
}

static void plan_chains(agw_call_ref *call, const agw_plan *plan)
{
    uint64_t us = 0;
    for (size_t i = 0; i < plan->n_chains; i++)
        us += agw_chain_cost_us(&plan->chains[i]);
    set_chains(call, us);
}

void agw_gateway_apply(agw_gateway *gw, agw_call_ref *call, agw_plan *plan)
{
    plan_chains(call, plan);
    agw_mail *mail = agw_mail_new(AGW_MAIL_APPLY, NULL, 0);
    mail->call = call->call;
    mail->plan = plan;
    mail->recording = call->recording;
    call->recording_given = true;
    mail->resources = calloc(plan->n_transports + 1, sizeof *mail->resources);
    mail->stats = calloc(plan->n_medias + 1, sizeof(agw_media_stats *));
    AGW_ASSERT(mail->resources != NULL && mail->stats != NULL);
    for (size_t i = 0; i < plan->n_transports; i++) {
        reservation *r = find_reservation(call, plan->transports[i].id);
        AGW_ASSERT(r != NULL && !r->released);
        r->with_worker = true;
        mail->resources[i] = r->resource;
    }
    for (size_t i = 0; i < plan->n_medias; i++)
        mail->stats[i] = agw_gateway_media_stats(call, plan->medias[i].id);
    call->applied = true;
    agw_outbox_post(&gw->workers[call->worker].outbox, mail);
}

/* --- digits and recordings
 * ------------------------------------------------------------------------------- */

void agw_gateway_play_dtmf(agw_gateway *gw, agw_call_ref *call, const agw_dtmf_order *order)
{
    AGW_ASSERT(order->duration_ms > 0 && order->event < AGW_RTP_EVENT_DIGITS);
    if (!call->applied)
        return;
    agw_mail *mail = agw_mail_new(AGW_MAIL_PLAY, NULL, 0);
    mail->call = call->call;
    mail->id = order->media_id;
    mail->side = (uint8_t)order->from;
    mail->digit = (agw_rtp_event_order){.event = order->event,
                                        .volume = order->volume,
                                        .duration_ms = order->duration_ms,
                                        .pause_ms = order->pause_ms};
    agw_outbox_post(&gw->workers[call->worker].outbox, mail);
}

void agw_gateway_play_media(agw_gateway *gw, agw_call_ref *call, const agw_play_order *order)
{
    if (!call->applied)
        return;
    agw_mail *mail = agw_mail_new(AGW_MAIL_PLAY_MEDIA, NULL, 0);
    mail->call = call->call;
    mail->play = *order;
    agw_audio_ref(mail->play.audio);
    agw_outbox_post(&gw->workers[call->worker].outbox, mail);
}

void agw_gateway_stop_media(agw_gateway *gw, agw_call_ref *call, uint32_t media_id, agw_side to)
{
    if (!call->applied)
        return;
    agw_mail *mail = agw_mail_new(AGW_MAIL_STOP_MEDIA, NULL, 0);
    mail->call = call->call;
    mail->id = media_id;
    mail->side = (uint8_t)to;
    agw_outbox_post(&gw->workers[call->worker].outbox, mail);
}

static void keep_recording(agw_gateway *gw, agw_recording *rec)
{
    if (gw->n_recordings == gw->recordings_room) {
        gw->recordings_room = gw->recordings_room != 0 ? 2 * gw->recordings_room : 16;
        gw->recordings = realloc(gw->recordings, gw->recordings_room * sizeof(agw_recording *));
        AGW_ASSERT(gw->recordings != NULL);
    }
    gw->recordings[gw->n_recordings] = rec;
    gw->n_recordings++;
}

static void forget_recording(agw_gateway *gw, agw_recording *rec)
{
    for (size_t i = 0; i < gw->n_recordings; i++) {
        if (gw->recordings[i] != rec)
            continue;
        gw->n_recordings--;
        gw->recordings[i] = gw->recordings[gw->n_recordings];
        break;
    }
    agw_recording_free(rec);
}

agw_err agw_gateway_record(agw_gateway *gw, agw_call_ref *call, const agw_record_config *config)
{
    if (gw->recorder == NULL)
        return AGW_ERR_UNSUPPORTED;
    if (call->recording != NULL)
        return AGW_ERR_EXISTS;
    call->recording = agw_recording_new(config);
    call->recording_given = false;
    agw_recording_set_owner(call->recording, call);
    keep_recording(gw, call->recording);
    agw_mail *mail = agw_mail_new(AGW_MAIL_RECORD, NULL, 0);
    mail->recording = call->recording;
    agw_outbox_post(&gw->recorder_box, mail);
    return AGW_OK;
}

void agw_gateway_end_record(agw_gateway *gw, agw_call_ref *call, bool discard)
{
    (void)gw;
    if (call->recording != NULL && discard)
        agw_recording_discard(call->recording);
    if (call->recording != NULL && !call->recording_given)
        agw_recording_done(call->recording); /* no worker has heard of it */
    call->recording = NULL;
}

bool agw_gateway_get_record(const agw_call_ref *call, agw_record_view *out)
{
    if (call->recording == NULL)
        return false;
    agw_recording_get_view(call->recording, out);
    return true;
}

/* --- what workers tell
 * ----------------------------------------------------------------------------------- */

int agw_gateway_event_fd(const agw_gateway *gw)
{
    return gw->event_fd;
}

static void on_transport_gone(agw_call_ref *ref, uint32_t id)
{
    reservation *r = find_reservation(ref, id);
    if (r == NULL)
        return;
    r->with_worker = false;
    if (r->released)
        free_reservation(ref, r);
}

/* true: out holds an event for the caller. */
static bool take(agw_gateway *gw, agw_mail *mail, agw_event *out)
{
    agw_call_ref *ref = mail->ref;
    switch (mail->kind) {
    case AGW_MAIL_EVENT:
        *out = mail->event;
        out->owner = ref->owner;
        return !ref->closed;
    case AGW_MAIL_RECORDING:
        ref = agw_recording_owner(mail->recording);
        *out = mail->event;
        out->owner = ref != NULL ? ref->owner : NULL;
        return ref != NULL && !ref->closed;
    case AGW_MAIL_RECORDING_GONE:
        forget_recording(gw, mail->recording);
        return false;
    case AGW_MAIL_TRANSPORT_GONE:
        on_transport_gone(ref, mail->id);
        return false;
    case AGW_MAIL_CALL_GONE:
        free_call_ref(ref);
        return false;
    case AGW_MAIL_AUDIO_GONE: /* goes with the message */
        return false;
    default:
        AGW_ASSERT(!"a message that control does not take");
    }
    return false;
}

bool agw_gateway_next_event(agw_gateway *gw, agw_event *out)
{
    uint64_t count;
    if (read(gw->event_fd, &count, sizeof count) < 0)
        count = 0; /* nothing new was signalled; what is in the mailbox is taken all the same */
    for (agw_mail *mail; (mail = agw_ring_pop(gw->mailbox)) != NULL;) {
        const bool found = take(gw, mail, out);
        agw_mail_free(mail);
        if (found) {
            wake_control(gw); /* there may be more */
            return true;
        }
    }
    return false;
}

void agw_gateway_idle(agw_gateway *gw, size_t pairs)
{
    for (size_t a = 0; a < gw->n_addresses; a++)
        agw_ports_refill(gw->addresses[a].ports, pairs);
}

void agw_gateway_wake_workers(agw_gateway *gw)
{
    for (size_t i = 0; i < gw->n_workers; i++)
        agw_outbox_flush(&gw->workers[i].outbox);
    if (gw->recorder != NULL)
        agw_outbox_flush(&gw->recorder_box);
    look(gw);
}

size_t agw_gateway_workers(const agw_gateway *gw)
{
    return gw->n_workers;
}

const agw_worker_stats *agw_gateway_worker_stats(const agw_gateway *gw, size_t i)
{
    AGW_ASSERT(i < gw->n_workers);
    return &gw->workers[i].worker->stats;
}

void agw_gateway_get_worker_use(const agw_gateway *gw, size_t i, agw_thread_use *out)
{
    AGW_ASSERT(i < gw->n_workers);
    agw_worker_get_use(gw->workers[i].worker, out);
}

void agw_gateway_get_handshake_use(const agw_gateway *gw, agw_thread_use *out)
{
    *out = (agw_thread_use){0};
    for (size_t i = 0; i < gw->n_handshakes; i++) {
        agw_thread_use one;
        agw_handshake_get_use(gw->handshakes[i], &one);
        out->cpu += one.cpu;
        out->mail += one.mail;
    }
}

const char *agw_gateway_ice_drops(const agw_gateway *gw, size_t worker, size_t i,
                                  uint64_t *messages)
{
    const size_t reason = AGW_ICE_DROP_NONE + 1 + i;
    if (reason >= AGW_ICE_DROP_COUNT)
        return NULL;
    *messages = agw_counter_get(&agw_gateway_worker_stats(gw, worker)->ice_drops[reason]);
    return agw_ice_drop_text((agw_ice_drop)reason);
}

const char *agw_gateway_dtls_drops(const agw_gateway *gw, size_t i, uint64_t *records)
{
    const size_t reason = AGW_DTLS_DROP_NONE + 1 + i;
    if (reason >= AGW_DTLS_DROP_COUNT)
        return NULL;
    *records = 0;
    for (size_t h = 0; h < gw->n_handshakes; h++)
        *records += agw_handshake_drops(gw->handshakes[h], (agw_dtls_drop)reason);
    return agw_dtls_drop_text((agw_dtls_drop)reason);
}

void agw_gateway_ports(const agw_gateway *gw, size_t *free_ports, size_t *used_ports)
{
    *free_ports = 0;
    *used_ports = 0;
    for (size_t a = 0; a < gw->n_addresses; a++) {
        agw_addr ip;
        size_t free_here, used_here;
        agw_gateway_ports_of(gw, a, &ip, &free_here, &used_here);
        *free_ports += free_here;
        *used_ports += used_here;
    }
}

size_t agw_gateway_addresses(const agw_gateway *gw)
{
    return gw->n_addresses;
}

void agw_gateway_ports_of(const agw_gateway *gw, size_t i, agw_addr *ip, size_t *free_ports,
                          size_t *used_ports)
{
    AGW_ASSERT(i < gw->n_addresses);
    agw_ports_stats stats;
    agw_ports_get_stats(gw->addresses[i].ports, &stats);
    *ip = gw->addresses[i].ip;
    *free_ports = stats.free;
    *used_ports = stats.used;
}

const char *agw_event_kind_text(agw_event_kind kind)
{
    static const char *const TEXTS[] = {
        [AGW_EVENT_ICE_CONNECTED] = "ice-connected",
        [AGW_EVENT_ICE_SELECTED] = "ice-selected",
        [AGW_EVENT_ICE_FAILED] = "ice-failed",
        [AGW_EVENT_CONSENT_LOST] = "consent-lost",
        [AGW_EVENT_CONSENT_BACK] = "consent-back",
        [AGW_EVENT_ICE_PEER] = "ice-peer-reflexive",
        [AGW_EVENT_DTLS_ESTABLISHED] = "dtls-established",
        [AGW_EVENT_DTLS_FAILED] = "dtls-failed",
        [AGW_EVENT_DTLS_CLOSED] = "dtls-closed",
        [AGW_EVENT_BEARER_REFUSED] = "bearer-refused",
        [AGW_EVENT_LATCHED] = "latched",
        [AGW_EVENT_DTMF] = "dtmf",
        [AGW_EVENT_RECORDING_STARTED] = "recording-started",
        [AGW_EVENT_RECORDING_ENDED] = "recording-ended",
        [AGW_EVENT_RECORDING_FAILED] = "recording-failed",
    };
    AGW_ASSERT(kind < sizeof TEXTS / sizeof TEXTS[0]);
    return TEXTS[kind];
}
