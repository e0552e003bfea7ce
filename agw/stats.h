/* SPDX-License-Identifier: BSD-3-Clause
 * Numbers that a worker writes and the control thread reads at any time, without asking. */
#ifndef AGW_AGW_STATS_H
#define AGW_AGW_STATS_H

#include "agw/drop.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/histogram.h"
#include "base/prefetch.h"
#include "ice/agent.h"

#include <stdalign.h>
#include <stddef.h>

/** Packets in one direction at one place. Times are agw_ns, 0 = never. */
typedef struct agw_traffic {
    agw_counter packets;
    agw_counter bytes; /* RTP or RTCP, without the SRTP trailer */
    agw_counter last_at;
} agw_traffic;

/** Codec change of what one party sends; all 0 = it passes. */
typedef struct agw_transcode_stats {
    agw_counter packets_in, packets_out;
    agw_counter late, malformed;         /* packets that came for nothing */
    agw_counter concealed_ms, by_fec_ms; /* audio that was lost: made up, restored */
    agw_counter delay_us;                /* of the jitter buffer, now */
} agw_transcode_stats;

/** One side of one media. A packet that comes in writes the first line of the cache, one that goes
 * out the second. */
typedef struct agw_end_stats {
    alignas(AGW_CACHE_LINE) agw_traffic rtp_in; /* authentic and accepted */
    agw_counter dropped;      /* of this end's ingress, once it is known to be this media's */
    agw_counter ssrc_in;      /* current SSRC, 0 = none yet */
    agw_counter pt_in;        /* last payload type that came in */
    agw_counter lost_in;      /* cumulative loss of ingress, RFC 3550 A.3 */
    agw_counter jitter_in_us; /* interarrival jitter of ingress, RFC 3550 A.8 */

    alignas(AGW_CACHE_LINE) agw_traffic rtp_out; /* sent */
    agw_counter ssrc_out;                        /* current SSRC, 0 = none yet */
    agw_counter rtt_us;        /* last round trip between us and this party; 0 = unknown */
    agw_counter loss_out_256;  /* last fraction lost that this party reported, 1/256 */
    agw_counter jitter_out_us; /* last jitter that this party reported */
    agw_traffic rtcp_in, rtcp_out;
    agw_counter dtmf_in, dtmf_out; /* digits that this party pressed, and that were played to it */
    agw_counter loss_runs_in; /* runs in which lost_in was lost: one or more packets in a row */
    agw_counter played_ms;    /* where the file stands, or stood, that this party hears */

    agw_transcode_stats transcode; /* of what this party sends */
} agw_end_stats;

typedef struct agw_media_stats {
    agw_end_stats end[2]; /* by side: 0 = the party that sent the first offer */
} agw_media_stats;

/** Sizes of batches are counted by powers of two: 1, 2 to 3, ..., 32 to 63, 64 (a full one). */
enum { AGW_BATCH_SIZES = 7 };

/** One worker. */
typedef struct agw_worker_stats {
    agw_counter busy_ns;                                           /* time not spent waiting */
    agw_counter turns, rx_packets, tx_packets, rx_bytes, tx_bytes; /* UDP payloads of every kind */
    agw_counter forwarded;                                         /* RTP and RTCP that left */
    agw_counter stun_answered;                                     /* checks of peers */
    agw_counter stun_checks; /* checks of full agents, with repetitions and those for consent */
    agw_counter stun_served; /* plain Binding requests, as STUN server */
    agw_counter tcp_open;    /* connections of ICE over TCP, now */
    agw_counter tcp_accepted;
    agw_counter tcp_refused_full, tcp_refused_host, tcp_refused_late, tcp_refused_first;
    agw_counter handshakes_done, handshakes_failed;
    agw_counter calls, transports; /* now */
    agw_counter chains;            /* codec changes of one direction, now */
    agw_counter coding_ns;         /* of busy_ns: spent on them */
    agw_counter icmp_errors, kernel_drops;
    agw_counter fast_rx, fast_tx;         /* packets that came and went by AF_XDP */
    agw_counter waits;                    /* times it gave up the processor */
    agw_counter paced_waits;              /* of these: slept to the next tick */
    agw_counter batches[AGW_BATCH_SIZES]; /* turns that read packets, by how many */
    agw_counter drops[AGW_DROP_COUNT];
    agw_counter ice_drops[AGW_ICE_DROP_COUNT]; /* STUN messages that an agent did not act on */
    agw_histogram transit; /* ns from the kernel's receiving to our sending, of sampled RTP */
} agw_worker_stats;

/** What can be seen of a thread from outside at this moment, without its help. */
typedef struct agw_thread_use {
    agw_ns cpu;  /* time of processors since its start */
    size_t mail; /* messages that wait for it */
} agw_thread_use;

#endif
