/* SPDX-License-Identifier: BSD-3-Clause
 * Audio files, read whole from memory: what libsndfile knows (WAV, MP3, FLAC, Ogg, ...), and AMR
 * and AMR-WB (RFC 4867 section 5). For threads that may take their time; what comes out does not
 * change any more and may be read by several. */
#ifndef AGW_CODECS_AUDIO_H
#define AGW_CODECS_AUDIO_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    AGW_AUDIO_FILE_MAX = 64 << 20,                         /* octets of a file */
    AGW_AUDIO_SECONDS_MAX = 1200,                          /* what is longer is refused ... */
    AGW_AUDIO_SAMPLES_MAX = AGW_AUDIO_SECONDS_MAX * 48000, /* ... or has more of one channel */
};

/** Samples of one channel; counted references, from any thread. */
typedef struct agw_audio {
    uint32_t refs; /* atomic */
    uint32_t rate_hz;
    size_t n_samples;
    int16_t samples[];
} agw_audio;

/** Silence to be written over, with one reference. NULL: no memory. */
agw_audio *agw_audio_new(uint32_t rate_hz, size_t n_samples);
agw_audio *agw_audio_ref(agw_audio *a);
/** NULL is fine. */
void agw_audio_unref(agw_audio *a);

/** How long the audio is, in ms; quick.
 *
 * @return AGW_ERR_UNSUPPORTED: no format that we know; AGW_ERR_LIMIT: too long, or too large a file
 */
AGW_NODISCARD agw_err agw_audio_probe(const uint8_t *file, size_t len, uint32_t *duration_ms);
/** Decodes all of it: channels are mixed, the rate becomes rate_hz (8000, 16000 or 48000). Errors
 * as of agw_audio_probe(); a file that breaks off gives what is there. */
AGW_NODISCARD agw_err agw_audio_read(const uint8_t *file, size_t len, uint32_t rate_hz,
                                     agw_audio **out);

#endif
