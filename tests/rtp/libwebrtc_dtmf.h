/* SPDX-License-Identifier: BSD-3-Clause
 * Packets of a digit as libwebrtc sends them (RTPSenderAudio::SendAudio): what insertDTMF of a
 * browser becomes. One event a packet of audio; a segment that is full has its last duration sent
 * in the packet that begins the next one, whose timestamp is that packet's and not the end of the
 * full one (RFC 4733 section 2.5.1.3). Ends come three times, with one timestamp each. */
#ifndef AGW_TESTS_RTP_LIBWEBRTC_DTMF_H
#define AGW_TESTS_RTP_LIBWEBRTC_DTMF_H

#include "rtp/event.h"

enum { LIBWEBRTC_SEGMENT = 0xffff, LIBWEBRTC_ENDS = 3 };

/** Begin with .event, .begin (timestamp), .left (units that it is to last) and .step (units of a
 * packet). */
typedef struct libwebrtc_dtmf {
    uint8_t event;
    bool is_over;
    uint32_t begin, left, step;
    uint32_t now; /* units since the first segment's begin */
    uint32_t segment;
} libwebrtc_dtmf;

typedef struct libwebrtc_packet {
    uint32_t timestamp;
    agw_rtp_event event;
} libwebrtc_packet;

static inline size_t libwebrtc_put(const libwebrtc_dtmf *d, uint32_t duration,
                                   libwebrtc_packet *out)
{
    const size_t n = d->is_over ? LIBWEBRTC_ENDS : 1;
    for (size_t i = 0; i < n; i++)
        out[i] = (libwebrtc_packet){.timestamp = d->begin + d->segment,
                                    .event = {.event = d->event,
                                              .end = d->is_over,
                                              .volume = 10,
                                              .duration = (uint16_t)duration}};
    return n;
}

/** What leaves with the next packet of audio; 0 = the digit is over. */
static inline size_t libwebrtc_next(libwebrtc_dtmf *d, libwebrtc_packet out[2 * LIBWEBRTC_ENDS])
{
    size_t n = 0;
    if (d->is_over)
        return 0;
    d->now += d->step;
    uint32_t duration = d->now - d->segment;
    d->is_over = d->left <= duration;
    if (duration > LIBWEBRTC_SEGMENT) {
        n = libwebrtc_put(d, LIBWEBRTC_SEGMENT, out);
        d->segment = d->now;
        duration -= LIBWEBRTC_SEGMENT;
        d->left -= LIBWEBRTC_SEGMENT;
    }
    return n + libwebrtc_put(d, duration, out + n);
}

#endif
