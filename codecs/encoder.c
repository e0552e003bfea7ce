/* SPDX-License-Identifier: BSD-3-Clause
 * An encoder: its driver, and the way from the rate that comes in to the driver's. */
#include "codecs/encoder.h"
#include "codecs/driver.h"
#include "codecs/resample.h"

#include <stdlib.h>

enum { NATIVE_MAX = 48 * 120 }; /* samples of the longest packet at the highest rate */

struct agw_encoder {
    const agw_encoder_driver *driver;
    void *state;
    agw_resample *rate; /* NULL: the driver takes what comes */
};

static bool make_parts(agw_encoder *e, const agw_codec_format *format, uint32_t rate_hz)
{
    const uint32_t native =
        e->driver->rate != NULL ? e->driver->rate(format, rate_hz) : agw_codec_audio_hz(format);
    e->state = e->driver->open(format, native);
    if (e->state == NULL)
        return false;
    if (native == rate_hz)
        return true;
    e->rate = malloc(sizeof *e->rate);
    if (e->rate == NULL)
        return false;
    agw_resample_init(e->rate, rate_hz, native);
    return true;
}

agw_encoder *agw_encoder_new(const agw_codec_format *format, uint32_t rate_hz)
{
    if (!agw_codec_can_encode(format->id))
        return NULL;
    agw_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->driver = &agw_codec_driver_of(format->id)->encoder;
    if (make_parts(e, format, rate_hz))
        return e;
    agw_encoder_free(e);
    return NULL;
}

void agw_encoder_free(agw_encoder *e)
{
    if (e == NULL)
        return;
    if (e->state != NULL)
        e->driver->close(e->state);
    free(e->rate);
    free(e);
}

size_t agw_encoder_encode(agw_encoder *e, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                          size_t room)
{
    if (e->rate == NULL)
        return e->driver->encode(e->state, pcm, samples, cmr, out, room);
    int16_t native[NATIVE_MAX];
    if (agw_resample_room(e->rate, samples) > NATIVE_MAX)
        return 0;
    const size_t n = agw_resample_run(e->rate, pcm, samples, native);
    return e->driver->encode(e->state, native, n, cmr, out, room);
}

void agw_encoder_adapt(agw_encoder *e, const agw_encoder_wish *wish)
{
    if (e->driver->adapt != NULL)
        e->driver->adapt(e->state, wish);
}
