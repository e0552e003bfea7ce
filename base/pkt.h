/* SPDX-License-Identifier: BSD-3-Clause
 * One UDP datagram on its way through a worker: bytes, where they came from and go to, and the
 * verdict so far. */
#ifndef AGW_BASE_PKT_H
#define AGW_BASE_PKT_H

#include "base/addr.h"
#include "base/clock.h"

struct agw_port;
struct agw_way;
struct agw_transport;
struct agw_media;

enum {
    AGW_PKT_HEADROOM = 64,  /* a header extension may be added in front */
    AGW_PKT_MAX = 1824,     /* largest datagram taken; longer ones are cut and dropped */
    AGW_PKT_TAILROOM = 160, /* SRTP trailer: tag, MKI, SRTCP index */
    AGW_PKT_BATCH = 64,
};

/** What the first bytes say it is (RFC 7983, RFC 9443); set by agw_demux_classify(). */
typedef enum agw_pkt_kind {
    AGW_PKT_UNKNOWN = 0,
    AGW_PKT_STUN,
    AGW_PKT_DTLS,
    AGW_PKT_RTP,
    AGW_PKT_RTCP,
} agw_pkt_kind;

typedef enum agw_verdict {
    AGW_UNDECIDED = 0, /* the next stage looks at it */
    AGW_FORWARD,       /* goes out: `port` and `remote` say where */
    AGW_CONSUMED,      /* ours; nothing more to do */
    AGW_DROP,          /* counted under drop_reason */
} agw_verdict;

typedef struct agw_pkt {
    uint8_t *data; /* the UDP payload, inside buf */
    size_t len;
    agw_ns rx_at;      /* when the turn that read it began */
    agw_ns arrived_at; /* when the kernel received it, known of a sample only; 0 = not known */
    uint8_t verdict;
    uint8_t drop_reason; /* agw_drop, with AGW_DROP */
    uint8_t kind;
    uint8_t tos;                     /* DSCP and ECN byte; ingress: where agw_port.wants_tos */
    bool cut;                        /* longer than AGW_PKT_MAX: data is incomplete */
    struct agw_port *port;           /* ingress: where it came in; egress: where it leaves */
    agw_addr remote;                 /* ingress: source; egress: destination */
    struct agw_way *way;             /* egress: of agw_io_install(); NULL = none */
    struct agw_transport *transport; /* whose it is; NULL = nobody's yet */
    struct agw_media *media;
    uint8_t buf[AGW_PKT_HEADROOM + AGW_PKT_MAX + AGW_PKT_TAILROOM];
} agw_pkt;

/** Empties a packet for filling: data at the headroom's end, everything else zero. buf is not
 * touched. */
static inline void agw_pkt_reset(agw_pkt *pkt)
{
    pkt->data = pkt->buf + AGW_PKT_HEADROOM;
    pkt->len = 0;
    pkt->rx_at = 0;
    pkt->arrived_at = 0;
    pkt->verdict = AGW_UNDECIDED;
    pkt->drop_reason = 0;
    pkt->kind = AGW_PKT_UNKNOWN;
    pkt->tos = 0;
    pkt->cut = false;
    pkt->port = NULL;
    pkt->remote = (agw_addr){0};
    pkt->way = NULL;
    pkt->transport = NULL;
    pkt->media = NULL;
}

/** Bytes that may still be appended behind data + len. */
static inline size_t agw_pkt_room(const agw_pkt *pkt)
{
    return (size_t)(pkt->buf + sizeof pkt->buf - pkt->data) - pkt->len;
}

#endif
