/* SPDX-License-Identifier: BSD-3-Clause
 * GSM 06.10 full rate by libgsm: 33 octets a frame of 20 ms (RFC 3551 section 4.5.8). */
#include <gsm/gsm.h>

#include "codecs/driver.h"

#include <stdlib.h>

enum { OCTETS = 33, SAMPLES = 160, SIGNATURE = 0xd };

typedef struct coder {
    void *state; /* gsm */
} coder;

static void destroy(void *state)
{
    gsm_destroy(state);
}

static void *open_gsm(const agw_codec_format *format, uint32_t rate_hz)
{
    (void)format, (void)rate_hz;
    coder *c = calloc(1, sizeof *c);
    if (c != NULL)
        c->state = gsm_create();
    if (c != NULL && c->state != NULL)
        return c;
    free(c);
    return NULL;
}

static void close_gsm(void *state)
{
    coder *c = state;
    destroy(c->state);
    free(c);
}

static void reset_gsm(void *state)
{
    coder *c = state;
    agw_driver_renew(&c->state, gsm_create(), destroy);
}

static agw_err split(const void *state, const uint8_t *payload, size_t len, agw_payload *out)
{
    (void)state;
    out->n_frames = 0;
    out->mode_request = -1;
    if (len < OCTETS)
        return AGW_ERR_TRUNCATED;
    if (len % OCTETS != 0 || len / OCTETS > AGW_DECODER_FRAMES_MAX)
        return AGW_ERR_MALFORMED;
    for (size_t at = 0; at < len; at += OCTETS) {
        if (payload[at] >> 4 != SIGNATURE)
            return AGW_ERR_MALFORMED;
        out->frames[out->n_frames++] = (agw_frame){
            .kind = AGW_FRAME_SPEECH, .duration_ms_x10 = 200, .len = OCTETS, .data = payload + at};
    }
    return AGW_OK;
}

static size_t decode(void *state, const agw_frame *frame, int16_t *pcm, size_t room)
{
    const coder *c = state;
    gsm_byte octets[OCTETS]; /* libgsm does not promise that it leaves them alone */
    if (room < SAMPLES)
        return 0;
    for (unsigned i = 0; i < OCTETS; i++)
        octets[i] = frame->data[i];
    return gsm_decode(c->state, octets, pcm) == 0 ? SAMPLES : 0;
}

static size_t encode(void *state, const int16_t *pcm, size_t samples, int cmr, uint8_t *out,
                     size_t room)
{
    const coder *c = state;
    gsm_signal frame[SAMPLES];
    size_t made = 0;
    (void)cmr;
    for (size_t at = 0; at + SAMPLES <= samples && made + OCTETS <= room; at += SAMPLES) {
        for (unsigned i = 0; i < SAMPLES; i++)
            frame[i] = pcm[at + i];
        gsm_encode(c->state, frame, out + made);
        made += OCTETS;
    }
    return made;
}

const agw_codec_driver agw_gsm_driver = {
    .decoder = {.open = open_gsm,
                .close = close_gsm,
                .split = split,
                .decode = decode,
                .reset = reset_gsm},
    .encoder = {.open = open_gsm, .close = close_gsm, .encode = encode},
};
