/* SPDX-License-Identifier: BSD-3-Clause
 * A decoder: its driver, and around it what the driver leaves: concealment and the wanted rate. */
#include "codecs/decoder.h"
#include "codecs/conceal.h"
#include "codecs/driver.h"
#include "codecs/resample.h"

#include <stdlib.h>

enum {
    /* Longest piece at the driver's rate: 120 ms at 48 kHz, an Opus packet. */
    NATIVE_MAX = 48 * AGW_DECODER_FRAME_MS_MAX,
    FORGET_FRAMES = 3, /* made up one after the other, of 20 ms */
};

struct agw_decoder {
    const agw_decoder_driver *driver;
    void *state;
    uint16_t last; /* samples of the last frame, at the driver's rate */
    uint16_t usual;
    uint32_t made_up;     /* samples since the last frame that came */
    agw_conceal *conceal; /* NULL: the driver does it */
    agw_resample *rate;   /* NULL: the driver gives what is wanted */
};

static bool make_parts(agw_decoder *d, const agw_codec_format *format, uint32_t rate_hz)
{
    const uint32_t native =
        d->driver->rate != NULL ? d->driver->rate(format, rate_hz) : agw_codec_audio_hz(format);
    d->last = d->usual = (uint16_t)(native / 50);
    d->state = d->driver->open(format, native);
    if (d->state == NULL)
        return false;
    if (d->driver->conceal == NULL) {
        d->conceal = malloc(sizeof *d->conceal);
        if (d->conceal == NULL)
            return false;
        agw_conceal_init(d->conceal, native);
    }
    if (native == rate_hz)
        return true;
    d->rate = malloc(sizeof *d->rate);
    if (d->rate == NULL)
        return false;
    agw_resample_init(d->rate, native, rate_hz);
    return true;
}

agw_decoder *agw_decoder_new(const agw_codec_format *format, uint32_t rate_hz)
{
    if (!agw_codec_can_decode(format->id))
        return NULL;
    agw_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->driver = &agw_codec_driver_of(format->id)->decoder;
    if (make_parts(d, format, rate_hz))
        return d;
    agw_decoder_free(d);
    return NULL;
}

void agw_decoder_free(agw_decoder *d)
{
    if (d == NULL)
        return;
    if (d->state != NULL)
        d->driver->close(d->state);
    free(d->conceal);
    free(d->rate);
    free(d);
}

agw_err agw_decoder_split(const agw_decoder *d, const uint8_t *payload, size_t len,
                          agw_payload *out)
{
    return d->driver->split(d->state, payload, len, out);
}

/* Room at the driver's rate for what may come out. */
static size_t native_room(const agw_decoder *d, size_t room)
{
    const size_t ratio = d->rate == NULL ? 1 : d->rate->ratio;
    const size_t native = d->rate == NULL || !d->rate->up ? room * ratio : room / ratio;
    return native < NATIVE_MAX ? native : NATIVE_MAX;
}

static size_t conceal_native(agw_decoder *d, const agw_frame *next, int16_t *pcm, size_t room)
{
    if (d->conceal == NULL)
        return d->driver->conceal(d->state, next, pcm, room);
    const size_t n = d->last < room ? d->last : room;
    agw_conceal_fill(d->conceal, pcm, n);
    d->made_up += (uint32_t)n;
    return n;
}

/* Behind a pause the other end's state is that of silence, or of before; whichever it is, from a
 * fresh state the level (G.722) comes up from below, without a burst. */
static void forget_after_pause(agw_decoder *d)
{
    if (d->made_up >= (uint32_t)FORGET_FRAMES * d->usual && d->driver->reset != NULL)
        d->driver->reset(d->state);
    d->made_up = 0;
}

static size_t decode_native(agw_decoder *d, const agw_frame *frame, int16_t *pcm, size_t room)
{
    forget_after_pause(d);
    const size_t n = d->driver->decode(d->state, frame, pcm, room);
    if (n == 0)
        return conceal_native(d, NULL, pcm, room);
    d->last = (uint16_t)n;
    if (d->conceal != NULL)
        agw_conceal_good(d->conceal, pcm, n);
    return n;
}

size_t agw_decoder_decode(agw_decoder *d, const agw_frame *frame, int16_t *pcm, size_t room)
{
    if (d->rate == NULL)
        return decode_native(d, frame, pcm, room);
    int16_t native[NATIVE_MAX];
    const size_t n = decode_native(d, frame, native, native_room(d, room));
    return agw_resample_run(d->rate, native, n, pcm);
}

size_t agw_decoder_conceal(agw_decoder *d, const agw_frame *next, int16_t *pcm, size_t room)
{
    if (d->rate == NULL)
        return conceal_native(d, next, pcm, room);
    int16_t native[NATIVE_MAX];
    const size_t n = conceal_native(d, next, native, native_room(d, room));
    return agw_resample_run(d->rate, native, n, pcm);
}

void agw_decoder_reset(agw_decoder *d)
{
    if (d->driver->reset != NULL)
        d->driver->reset(d->state);
    if (d->conceal != NULL)
        agw_conceal_reset(d->conceal);
    if (d->rate != NULL)
        agw_resample_reset(d->rate);
    d->last = d->usual;
}
