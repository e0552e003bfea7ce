/* SPDX-License-Identifier: BSD-3-Clause
 * Hearing is libspandsp's (Goertzel filters on blocks of 102 samples); what is added is how long a
 * digit must last, so that speech is none. */
#include "codecs/tones.h"

#include <math.h>
#include <spandsp.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 102, /* samples that libspandsp looks at */
    MS_SAMPLES = AGW_TONES_HEARD_HZ / 1000,
    FULL_SCALE = 32767,
    MAX_VOLUME = 63, /* RFC 4733 section 2.3.4 */
    TWIST_DB = 8,    /* Q.24: the high tone may be 4 to 8 dB weaker, or 4 dB stronger */
    REVERSE_TWIST_DB = 4,
    THRESHOLD_DBM0 = -36,
    PENDING = 8,
    LATE_MS = 8, /* a beginning is seen so much later than an end, on average */
};

/* 0 dBm0 of a sine is 3.14 dB below full scale (G.711); two tones have half the power each. */
static const double SINE_0_DBM0 = FULL_SCALE * 0.6966;

static const char DIGITS[AGW_TONES_DIGITS + 1] = "0123456789*#ABCD";
static const char ROWS[] = "123A456B789C*0#D"; /* the keypad, row by row */
static const double ROW_HZ[] = {697, 770, 852, 941}, COLUMN_HZ[] = {1209, 1336, 1477, 1633};

struct agw_tones {
    dtmf_rx_state_t *rx;
    uint64_t heard; /* samples */
    char sounding;  /* 0 = none */
    int level;      /* of it, dBm0 */
    uint64_t since; /* heard, when it began */
    size_t n_ended;
    agw_tones_digit ended[PENDING];
};

static void end_digit(agw_tones *t)
{
    const uint64_t ms = (t->heard - t->since) / MS_SAMPLES + LATE_MS;
    const char *at = t->sounding != 0 ? strchr(DIGITS, t->sounding) : NULL;
    const int below = t->level < 0 ? -t->level : 0;
    t->sounding = 0;
    if (at == NULL || ms < AGW_TONES_MIN_MS - BLOCK / MS_SAMPLES / 2 || t->n_ended == PENDING)
        return;
    t->ended[t->n_ended++] = (agw_tones_digit){
        .event = (uint8_t)(at - DIGITS),
        .volume = (uint8_t)(below < MAX_VOLUME ? below : MAX_VOLUME),
        .duration_ms = (uint32_t)ms,
    };
}

/* Two blocks have told a digit when it is reported, two others that it is over. */
static void report(void *user, int code, int level, int delay)
{
    agw_tones *t = user;
    (void)delay;
    if (t->sounding != 0)
        end_digit(t);
    t->sounding = (char)code;
    t->level = level;
    t->since = t->heard;
}

agw_tones *agw_tones_new(void)
{
    agw_tones *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->rx = dtmf_rx_init(NULL, NULL, NULL);
    if (t->rx == NULL) {
        free(t);
        return NULL;
    }
    dtmf_rx_set_realtime_callback(t->rx, report, t);
    dtmf_rx_parms(t->rx, 0, TWIST_DB, REVERSE_TWIST_DB, THRESHOLD_DBM0);
    return t;
}

void agw_tones_free(agw_tones *t)
{
    if (t == NULL)
        return;
    (void)dtmf_rx_free(t->rx);
    free(t);
}

size_t agw_tones_hear(agw_tones *t, const int16_t *pcm, size_t n, agw_tones_digit *out, size_t room)
{
    t->n_ended = 0;
    for (size_t at = 0; at < n;) { /* in small pieces, so that `heard` is right in report() */
        const size_t piece = n - at < MS_SAMPLES ? n - at : MS_SAMPLES;
        t->heard += piece;
        (void)dtmf_rx(t->rx, pcm + at, (int)piece);
        at += piece;
    }
    const size_t told = t->n_ended < room ? t->n_ended : room;
    memcpy(out, t->ended, told * sizeof *out);
    return told;
}

void agw_tones_write(uint8_t event, uint8_t volume, uint32_t rate_hz, size_t from, int16_t *pcm,
                     size_t n)
{
    const size_t key = (size_t)(strchr(ROWS, DIGITS[event]) - ROWS);
    const double low = 2 * M_PI * ROW_HZ[key / 4] / rate_hz;
    const double high = 2 * M_PI * COLUMN_HZ[key % 4] / rate_hz;
    const double peak = SINE_0_DBM0 * M_SQRT1_2 * pow(10, -volume / 20.0);
    for (size_t i = 0; i < n; i++) {
        const double at = (double)(from + i);
        pcm[i] = (int16_t)lrint(fmin(FULL_SCALE, peak * (sin(low * at) + sin(high * at))));
    }
}
