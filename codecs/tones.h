/* SPDX-License-Identifier: BSD-3-Clause
 * DTMF within audio (ITU-T Q.23, Q.24): digits are made of two tones, and heard in decoded audio.
 */
#ifndef AGW_CODECS_TONES_H
#define AGW_CODECS_TONES_H

#include <stddef.h>
#include <stdint.h>

enum {
    AGW_TONES_HEARD_HZ = 8000, /* rate of the audio that is listened to */
    AGW_TONES_DIGITS = 16,     /* numbered as telephone events are: 0 to 9, *, #, A to D */
    AGW_TONES_MIN_MS = 40,     /* Q.24: shorter ones are no digits */
};

/** A digit that was heard. */
typedef struct agw_tones_digit {
    uint8_t event;        /* 0 to 15 */
    uint8_t volume;       /* so many dB below 0 dBm0, 0 to 63 */
    uint32_t duration_ms; /* within 14 ms: audio is looked at in blocks of 102 samples */
} agw_tones_digit;

typedef struct agw_tones agw_tones;

/** NULL: no memory. */
agw_tones *agw_tones_new(void);
/** NULL is fine. */
void agw_tones_free(agw_tones *t);
/** Listens to n samples at AGW_TONES_HEARD_HZ. No allocation.
 *
 * @return digits that ended within them, at most room; what has no room is lost */
size_t agw_tones_hear(agw_tones *t, const int16_t *pcm, size_t n, agw_tones_digit *out,
                      size_t room);

/** Writes n samples of a digit, from sample number `from` of it on. Both tones have the same level.
 *
 * @param event    0 to 15
 * @param volume   of both tones together, so many dB below 0 dBm0 */
void agw_tones_write(uint8_t event, uint8_t volume, uint32_t rate_hz, size_t from, int16_t *pcm,
                     size_t n);

#endif
