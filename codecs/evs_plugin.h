/* SPDX-License-Identifier: BSD-3-Clause
 * How a licensed EVS codec joins the gateway. EVS is not free: who has a licence and a library puts
 * a shared object between, which defines a constant agw_evs_plugin named agw_evs_codec, and names
 * it to the gateway (--evs-plugin). This header needs nothing of the gateway.
 *
 * The gateway reads and writes RTP payloads (TS 26.445 annex A.2), keeps the jitter buffer and the
 * clock; the plug-in sees one frame of 20 ms at a time. States of different calls are used from
 * different threads, one state never from two at once. No call may block, and only open_ and close_
 * functions may allocate. */
#ifndef AGW_CODECS_EVS_PLUGIN_H
#define AGW_CODECS_EVS_PLUGIN_H

#include <stdint.h>

#define AGW_EVS_PLUGIN_SYMBOL "agw_evs_codec"

enum {
    AGW_EVS_PLUGIN_VERSION = 1,
    AGW_EVS_PLUGIN_OCTETS = 320, /* of a frame of 128 kbit/s */
};

/** A frame as clause 7.1 orders its bits, the first one on top of octets[0]. */
typedef struct agw_evs_plugin_frame {
    uint8_t is_io;  /* 1: AMR-WB IO, types of RFC 4867; 0: EVS Primary */
    uint8_t type;   /* as in the table of contents: mode, SID (12; of AMR-WB IO 9), 14 = lost,
                       15 = NO_DATA */
    uint8_t is_bad; /* lost or damaged: to be concealed, octets say nothing */
    uint16_t bits;
    uint8_t octets[AGW_EVS_PLUGIN_OCTETS];
} agw_evs_plugin_frame;

/** Audio bandwidth: narrow, wide, super-wide and full band, to 4, 8, 16 and 20 kHz. */
typedef enum agw_evs_bandwidth {
    AGW_EVS_BANDWIDTH_ANY,
    AGW_EVS_NB,
    AGW_EVS_WB,
    AGW_EVS_SWB,
    AGW_EVS_FB,
} agw_evs_bandwidth;

/** How a frame shall be encoded; any of it may change from frame to frame. */
typedef struct agw_evs_plugin_wish {
    uint32_t bitrate_bps; /* one that the mode has */
    uint8_t is_io;        /* AMR-WB IO */
    uint8_t bandwidth;    /* agw_evs_bandwidth: at most */
    uint8_t dtx;          /* 0: the receiver wants none */
    int8_t channel_aware; /* -1: never; else the offset 2, 3, 5 or 7 at 13.2 kbit/s, 0: not asked */
} agw_evs_plugin_wish;

typedef struct agw_evs_plugin {
    uint32_t version; /* AGW_EVS_PLUGIN_VERSION */
    const char *name; /* for the log */

    /** rate_hz: of the audio: 8000, 16000 or 48000. NULL: no memory. */
    void *(*open_decoder)(uint32_t rate_hz);
    void (*close_decoder)(void *state);
    /** Writes rate_hz / 50 samples, whatever the frame is. */
    void (*decode)(void *state, const agw_evs_plugin_frame *frame, int16_t *pcm);

    void *(*open_encoder)(uint32_t rate_hz);
    void (*close_encoder)(void *state);
    /** Encodes rate_hz / 50 samples; type 15: nothing is to be sent. */
    void (*encode)(void *state, const int16_t *pcm, const agw_evs_plugin_wish *wish,
                   agw_evs_plugin_frame *out);
} agw_evs_plugin;

#endif
