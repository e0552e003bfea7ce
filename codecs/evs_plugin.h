/* SPDX-License-Identifier: BSD-3-Clause
 * How a licensed EVS codec joins the gateway. EVS is not free: who has a licence and a library puts
 * a shared object between, which defines a constant agw_evs_plugin named agw_evs_codec, and names
 * it to the gateway (agw_evs_load()). This header needs nothing of the gateway.
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
    /** Encodes rate_hz / 50 samples with DTX; type 15: nothing is to be sent.
     *
     * @param is_io        AMR-WB IO is asked for
     * @param bitrate_bps  one that this mode has; it may change from frame to frame */
    void (*encode)(void *state, const int16_t *pcm, int is_io, uint32_t bitrate_bps,
                   agw_evs_plugin_frame *out);
} agw_evs_plugin;

#endif
