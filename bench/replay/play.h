/* SPDX-License-Identifier: BSD-3-Clause
 * Plays one stream of a capture through one call of a gateway, from party A to party B, and keeps
 * what arrives. */
#ifndef AGW_BENCH_REPLAY_PLAY_H
#define AGW_BENCH_REPLAY_PLAY_H

#include "bench/kit/call.h"
#include "bench/replay/compare.h"

typedef struct kit_play_config {
    kit_call_kind kind;
    agw_dtls_ctx *dtls;               /* borrowed; for calls with a browser */
    const kit_capture_stream *stream; /* borrowed */
    const kit_codecs *codecs; /* one for each payload type of the stream, with the same number */
    bool video;
    double speed; /* 1 = as captured, 2 = twice as fast */
} kit_play_config;

typedef struct kit_play {
    kit_world *world;
    kit_play_config config;
    kit_call call;
    kit_timer timer;
    kit_played *played; /* one per packet of the stream */
    size_t next;        /* of these, to be sent */
    kit_arrival *arrivals;
    size_t arrival_count, arrival_room;
    agw_ns last_arrival_at;
    uint64_t refused; /* packets that our own party would not send */
    /* By payload type of the capture: what it is sent as, what it must arrive as. */
    uint8_t pt_sent[128], pt_expected[128];
} kit_play;

/** The whole call: set-up, the stream, a pause for what comes late, delete. NULL, or why it could
 * not be played. kit_play_fini() in either case. */
AGW_NODISCARD const char *kit_play_run(kit_play *play, kit_world *world,
                                       const kit_play_config *config);
void kit_play_fini(kit_play *play);

#endif
