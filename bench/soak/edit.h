/* SPDX-License-Identifier: BSD-3-Clause
 * What is changed in the kit's descriptions (one audio or video line, sendrecv): direction, a
 * second m= line, spoilt fields. */
#ifndef AGW_BENCH_SOAK_EDIT_H
#define AGW_BENCH_SOAK_EDIT_H

#include "bench/kit/sdp.h"

#include <stdbool.h>
#include <stddef.h>

/** The second m= line. */
typedef enum soak_extra {
    SOAK_EXTRA_NONE = 0, /* there never was one */
    SOAK_EXTRA_ON,
    SOAK_EXTRA_OFF, /* port 0: refused or taken away */
} soak_extra;

/** Plain values; texts are borrowed. */
typedef struct soak_edit {
    const char *direction; /* instead of "sendrecv"; NULL = as it is */
    soak_extra extra;      /* a video line behind the audio line, in BUNDLE with it where that is
                              the browser's */
    uint16_t extra_port;
    const char *extra_mid;  /* the browser's; not the first line's */
    bool wrong_fingerprint; /* one digit is changed */
    bool unknown_media;     /* m=audio becomes m=text: nothing that a gateway serves is left */
} soak_edit;

/** Changes a description of the kit in place; returns its new length. */
size_t kit_soak_edit(const soak_edit *edit, char sdp[KIT_SDP_MAX], size_t len);

/** Port of the first video line; -1 = there is none. */
int kit_soak_video_port(const char *sdp, size_t len);
/** The mid of the video line into out, "" = none. */
void kit_soak_video_mid(const char *sdp, size_t len, char *out, size_t room);

#endif
