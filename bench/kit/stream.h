/* SPDX-License-Identifier: BSD-3-Clause
 * RTP streams whose every packet can be told from every other: the payload names its stream, its
 * number and when it was sent, and the rest follows from these by a generator, so that the far end
 * checks each byte without having been told anything. */
#ifndef AGW_BENCH_KIT_STREAM_H
#define AGW_BENCH_KIT_STREAM_H

#include "base/clock.h"
#include "bench/kit/histogram.h"
#include "bench/kit/voice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KIT_STREAM_PAYLOAD_MIN = 28, /* mark, stream, number, time, check value */
    KIT_STREAM_WINDOW = 1024,    /* packets within which a late one is told from a duplicate */
};

/** What leaves. Plain values; the owner sets them all. */
typedef struct kit_sender {
    uint32_t stream; /* names it; never 0 */
    uint32_t ssrc;
    uint16_t first_seq;
    uint32_t first_timestamp, timestamp_step; /* per packet, or per burst for video */
    uint8_t pt;
    uint16_t payload; /* bytes, at least KIT_STREAM_PAYLOAD_MIN */
    uint32_t burst;   /* packets of one timestamp, the last one marked; 0 or 1 = audio */
    uint64_t sent;    /* packets so far = number of the next one */

    const kit_voice
        *voice;           /* what is said in 20 ms instead of all that; borrowed, NULL = stamped */
    uint16_t packets;     /* of the voice, with those that the network loses */
    uint8_t loss_percent; /* of them */
    bool paused;          /* DTX: nothing went out for the last piece */
    uint32_t random;      /* what is lost, and where the voice begins */
} kit_sender;

/** Writes the next packet (12 + payload bytes) and counts it. now: agw_clock_now() as late as
 * possible, it is what latency is measured from. Returns its length; 0: of a voice nothing goes out
 * this time, which counts as well. */
size_t kit_sender_write(kit_sender *s, uint8_t *out, agw_ns now);

typedef enum kit_finding {
    KIT_GOOD = 0,
    KIT_LATE,      /* good, but a later one came first */
    KIT_DUPLICATE, /* this number came before, or is older than the window */
    KIT_CORRUPT,   /* a payload byte is not what it should be, or its length */
    KIT_FOREIGN,   /* not of this stream, or nothing of ours at all */
    KIT_HEADER,    /* payload good; payload type, marker, SSRC, sequence or timestamp do not fit */
    KIT_FINDINGS
} kit_finding;
/** "good", "late"...; never NULL. */
const char *kit_finding_text(kit_finding finding);

/** What arrives. The gateway may renumber: SSRC, sequence and timestamp may differ from the
 * sender's, but their distance to the packet's number must stay what it was at the first one. */
typedef struct kit_checker {
    uint32_t stream;  /* whom we expect */
    uint16_t payload; /* its payload length */
    uint8_t pt;       /* expected at arrival */
    uint32_t timestamp_step, burst;
    kit_histogram *latency;      /* borrowed; NULL = not kept */
    struct kit_spoiler *spoiler; /* borrowed; NULL = none: see spoil.h */
    /* Audio that was coded anew is judged by its header: SSRC, payload type, sequence number.
     * Latency is then how much later it came than the quickest packet, both by their timestamps. */
    uint32_t voice_hz;    /* clock of the timestamps; 0 = the payload is judged */
    uint8_t loss_percent; /* so many of what comes are not seen, and not counted as lost */
    uint32_t random;
    uint64_t unseen;
    agw_ns quickest;

    uint64_t from; /* set by kit_checker_restart() */
    bool restarted;
    uint64_t arrived; /* everything, ever */
    uint64_t found[KIT_FINDINGS];
    uint64_t accepted;    /* good + late: each number once */
    uint64_t first, next; /* lowest number accepted, highest + 1 */
    bool begun;
    uint32_t ssrc, timestamp_0; /* as at number 0 */
    uint16_t seq_0;
    agw_ns last_at, longest_gap; /* between two arrivals */
    uint64_t seen[KIT_STREAM_WINDOW / 64];
} kit_checker;

/** Checks one packet (RTP, already unprotected) that arrived at `at`. */
kit_finding kit_checker_take(kit_checker *c, const uint8_t *rtp, size_t len, agw_ns at);
/** The same past the spoiler, which is who calls it. */
kit_finding kit_checker_judge(kit_checker *c, const uint8_t *rtp, size_t len, agw_ns at);
/** Begins to count anew: packets of lower numbers, which may still be on their way, are checked and
 * told, but counted nowhere any more (a corrupt one has no number). What the first packet taught
 * stays. Lost is then of the numbers [from, sent). */
void kit_checker_restart(kit_checker *c, uint64_t from);
/** Of the numbers [first, sent) those that were never accepted; call it when all has settled. All
 * of them when nothing came. */
uint64_t kit_checker_lost(const kit_checker *c, uint64_t sent);

#endif
