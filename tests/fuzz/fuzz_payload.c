/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads as strangers write them, through every decoder: the first octet names codec and rate,
 * then each piece (its length in one octet, what is lost before it in the next) is one payload.
 * Frames lie within their payload, and audio within its room. */
#include "codecs/decoder.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 48 * AGW_DECODER_FRAME_MS_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(agw_decoder *d, const agw_payload *payload, const uint8_t *begin, size_t len)
{
    int16_t *pcm = malloc(ROOM * sizeof *pcm);
    AGW_ASSERT(pcm != NULL && payload->n_frames <= AGW_DECODER_FRAMES_MAX);
    for (unsigned i = 0; i < payload->n_frames; i++) {
        const agw_frame *f = &payload->frames[i];
        AGW_ASSERT(f->len == 0 || (f->data >= begin && f->data + f->len <= begin + len));
        AGW_ASSERT(f->duration_ms_x10 <= AGW_DECODER_FRAME_MS_MAX * 10);
        AGW_ASSERT(agw_decoder_decode(d, f, pcm, ROOM) <= ROOM);
    }
    free(pcm);
}

static void make_up(agw_decoder *d, const agw_frame *next)
{
    int16_t pcm[ROOM];
    AGW_ASSERT(agw_decoder_conceal(d, next, pcm, ROOM) <= ROOM);
}

static void take(agw_decoder *d, const uint8_t *bytes, size_t len, unsigned lost)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    agw_payload payload;
    AGW_ASSERT(exact != NULL);
    memcpy(exact, bytes, len);
    if (agw_decoder_split(d, exact, len, &payload) == AGW_OK) {
        AGW_ASSERT(payload.n_frames > 0 || payload.mode_request >= 0);
        for (; lost > 0; lost--)
            make_up(d, lost == 1 && payload.n_frames > 0 ? &payload.frames[0] : NULL);
        play(d, &payload, exact, len);
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t RATES[4] = {8000, 16000, 48000, 16000};
    if (size < 2)
        return 0;
    agw_codec_format format = agw_codec_plain((agw_codec_id)(data[0] % AGW_CODEC_COUNT));
    if (format.id == AGW_CODEC_AMR || format.id == AGW_CODEC_AMR_WB)
        format.amr.octet_aligned = data[1] >> 2 & 1;
    if (!agw_codec_can_decode((agw_codec_id)format.id))
        return 0;
    agw_decoder *d = agw_decoder_new(&format, RATES[data[1] & 3]);
    AGW_ASSERT(d != NULL);
    data += 2, size -= 2;
    while (size >= 2) {
        const size_t len = data[0] < size - 2 ? data[0] : size - 2;
        take(d, data + 2, len, data[1] & 3);
        if (data[1] & 0x80)
            agw_decoder_reset(d);
        data += 2 + len, size -= 2 + len;
    }
    agw_decoder_free(d);
    return 0;
}
