/* SPDX-License-Identifier: BSD-3-Clause
 * The table of drivers, and what several of them share. */
#include "codecs/driver.h"

static const agw_codec_driver *const DRIVERS[AGW_CODEC_COUNT] = {
    [AGW_CODEC_PCMU] = &agw_pcmu_driver,   [AGW_CODEC_PCMA] = &agw_pcma_driver,
    [AGW_CODEC_G722] = &agw_g722_driver,   [AGW_CODEC_L16] = &agw_l16_driver,
    [AGW_CODEC_OPUS] = &agw_opus_driver,   [AGW_CODEC_GSM] = &agw_gsm_driver,
    [AGW_CODEC_SPEEX] = &agw_speex_driver, [AGW_CODEC_G729] = &agw_g729_driver,
    [AGW_CODEC_AMR] = &agw_amr_driver,     [AGW_CODEC_AMR_WB] = &agw_amr_driver,
    [AGW_CODEC_EVS] = &agw_evs_driver,
};

const agw_codec_driver *agw_codec_driver_of(agw_codec_id id)
{
    return id > AGW_CODEC_NONE && id < AGW_CODEC_COUNT ? DRIVERS[id] : NULL;
}

agw_err agw_driver_split_octets(const uint8_t *payload, size_t len, unsigned octets_per_ms,
                                agw_payload *out)
{
    const size_t piece = (size_t)octets_per_ms * 20;
    out->n_frames = 0;
    out->mode_request = -1;
    if (len == 0)
        return AGW_ERR_TRUNCATED;
    if (len > piece * AGW_DECODER_FRAMES_MAX)
        return AGW_ERR_MALFORMED;
    for (size_t at = 0; at < len; at += piece) {
        const size_t n = len - at < piece ? len - at : piece;
        out->frames[out->n_frames++] =
            (agw_frame){.kind = AGW_FRAME_SPEECH,
                        .duration_ms_x10 = (uint16_t)(n * 10 / octets_per_ms),
                        .len = (uint16_t)n,
                        .data = payload + at};
    }
    return AGW_OK;
}

void agw_driver_renew(void **state, void *fresh, void (*close)(void *state))
{
    if (fresh == NULL)
        return;
    close(*state);
    *state = fresh;
}
