/* SPDX-License-Identifier: BSD-3-Clause
 * What came out against what went in, packet by packet, when all is over. The gateway may map SSRC,
 * sequence numbers, time stamps and payload types, but must do it alike for the whole stream. */
#ifndef AGW_BENCH_REPLAY_COMPARE_H
#define AGW_BENCH_REPLAY_COMPARE_H

#include "bench/kit/histogram.h"
#include "bench/replay/capture.h"

/** A packet that was played. */
typedef struct kit_played {
    const kit_capture_packet *packet;
    agw_ns due, sent_at; /* in one clock with the arrivals; 0 = never sent */
} kit_played;

/** A packet that arrived, unprotected. */
typedef struct kit_arrival {
    const uint8_t *rtp;
    size_t len;
    agw_ns at;
} kit_arrival;

/** Counts of packets; all but the first two are faults. */
typedef struct kit_faults {
    uint64_t sent, arrived;
    uint64_t lost;
    uint64_t duplicates;
    uint64_t reordered; /* behind one that was sent later */
    uint64_t payload;   /* a byte or the length differs */
    uint64_t marker;
    uint64_t pt;        /* not what the gateway's SDP promised for what was sent */
    uint64_t timestamp; /* distance to the first packet's time stamp differs */
    uint64_t sequence;  /* likewise, told by the payload */
    uint64_t ssrc;      /* another SSRC than most */
    uint64_t foreign;   /* nothing that was sent, or no RTP */
} kit_faults;

typedef struct kit_comparison {
    kit_faults faults;
    bool ssrc_mapped, seq_mapped, timestamp_mapped; /* other numbers than in the capture */
    uint8_t pt_out[128]; /* what each payload type came out as; 0xff = it did not */
    /* All between packets that were sent one after the other and both arrived. */
    kit_histogram latency;      /* from sending to arrival */
    kit_histogram timing_error; /* distance of arrivals against distance of departures */
    kit_histogram total_error;  /* distance of arrivals against the capture's distance / speed */
    kit_histogram sender_error; /* distance of departures against the capture's: our own fault */
} kit_comparison;

/** pt_expected[pt sent] = pt that must come out. */
void kit_compare(kit_comparison *out, const kit_played *played, size_t played_count,
                 const kit_arrival *arrivals, size_t arrival_count, const uint8_t pt_expected[128]);

/** Nothing lost, nothing changed, nothing added. */
bool kit_comparison_is_equal(const kit_comparison *comparison);

#endif
