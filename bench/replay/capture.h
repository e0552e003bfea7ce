/* SPDX-License-Identifier: BSD-3-Clause
 * The RTP streams of a capture file (pcap, pcapng: whatever libpcap reads), found by their looks:
 * there is no signalling. The whole file is held in memory. */
#ifndef AGW_BENCH_REPLAY_CAPTURE_H
#define AGW_BENCH_REPLAY_CAPTURE_H

#include "base/clock.h"
#include "bench/replay/dissect.h"

enum {
    KIT_CAPTURE_PTS = 8,         /* payload types of one stream that are told apart */
    KIT_CAPTURE_STREAM_MIN = 10, /* packets that make a stream */
    KIT_CAPTURE_WHY = 256,
};

/** One RTP packet of a stream. */
typedef struct kit_capture_packet {
    agw_ns at;        /* since the stream's first packet; may step back with a reordered capture */
    uint64_t ext_seq; /* sequence number without its wraps */
    const uint8_t *rtp;
    size_t len;
    agw_rtp_header header; /* of a packet that may be protected: padding belongs to the payload */
} kit_capture_packet;

/** One payload type. */
typedef struct kit_capture_pt {
    uint8_t pt;
    uint64_t packets;
    size_t longest; /* payload, bytes */
} kit_capture_pt;

typedef struct kit_capture_stream {
    agw_addr from, to;
    uint32_t ssrc;
    kit_capture_pt pts[KIT_CAPTURE_PTS]; /* as they first came */
    size_t pt_count;
    const kit_capture_packet *packets; /* as they were captured, each sequence number once */
    size_t packet_count;
    agw_ns duration;
    uint32_t clock_hz;   /* of static payload types, or guessed from the time stamps; 0 = neither */
    uint64_t lost;       /* sequence numbers that are not in the capture */
    uint64_t duplicates; /* left out */
    uint64_t reordered;  /* came behind a later one; kept where they came */
    uint64_t cut;        /* not captured whole, left out */
} kit_capture_stream;

typedef struct kit_capture kit_capture;

/** Reads the file. NULL: why says what is wrong with it. Otherwise why is "" or says why the file
 * could not be read to its end (a capture that was killed); what came before counts. */
AGW_NODISCARD kit_capture *kit_capture_open(const char *path, char why[KIT_CAPTURE_WHY]);
/** NULL is fine. Streams and packets go with it. */
void kit_capture_close(kit_capture *capture);

/** Streams, the one with most packets first. Borrowed. */
size_t kit_capture_count(const kit_capture *capture);
const kit_capture_stream *kit_capture_at(const kit_capture *capture, size_t i);

/** What was in the file. */
typedef struct kit_capture_stats {
    uint64_t frames, udp, rtp, fragments, cut;
} kit_capture_stats;
kit_capture_stats kit_capture_get_stats(const kit_capture *capture);

/** What a payload type stands for, as it is written behind a=rtpmap: ("PCMU/8000"). Static types
 * and comfort noise are known (RFC 3551), telephone-event is told by its looks, other dynamic types
 * are guessed from the clock: *guessed. "" when that is not known either. */
const char *kit_capture_codec(const kit_capture_stream *stream, const kit_capture_pt *pt,
                              bool *guessed);

#endif
