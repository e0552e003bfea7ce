/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads of EVS as strangers write them: the first octet says whether hf-only=1. What is split is
 * written in both formats and must come back as it was; AMR-WB IO goes to AMR-WB and back. */
#include "codecs/amr_payload.h"
#include "codecs/evs_payload.h"

#include <string.h>

enum { PAYLOAD_MAX = 2 + AGW_DECODER_FRAMES_MAX * (1 + AGW_EVS_FRAME_MAX) + 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const agw_payload *a, const agw_payload *b)
{
    AGW_ASSERT(a->n_frames == b->n_frames);
    for (unsigned i = 0; i < a->n_frames; i++) {
        uint8_t x[AGW_EVS_FRAME_MAX], y[AGW_EVS_FRAME_MAX];
        const size_t len = agw_evs_copy(&a->frames[i], x);
        AGW_ASSERT(agw_evs_copy(&b->frames[i], y) == len && memcmp(x, y, len) == 0);
        AGW_ASSERT(a->frames[i].kind == b->frames[i].kind);
    }
}

static void write_and_split(bool compact, const agw_payload *frames)
{
    uint8_t payload[PAYLOAD_MAX];
    const size_t len = agw_evs_write(compact, frames, payload, sizeof payload);
    agw_payload again;
    AGW_ASSERT(len != 0 && agw_evs_split(false, payload, len, &again) == AGW_OK);
    check_same(frames, &again);
}

static void to_amr_and_back(bool hf_only, const uint8_t *payload, size_t size)
{
    uint8_t amr[PAYLOAD_MAX], evs[PAYLOAD_MAX];
    size_t amr_len = sizeof amr, evs_len = sizeof evs;
    agw_payload before, after;
    if (agw_evs_to_amr_wb(hf_only, payload, size, size % 2 != 0, amr, &amr_len) != AGW_OK)
        return;
    AGW_ASSERT(agw_evs_from_amr_wb(size % 2 != 0, amr, amr_len, size % 3 != 0, evs, &evs_len) ==
               AGW_OK);
    AGW_ASSERT(agw_evs_split(hf_only, payload, size, &before) == AGW_OK);
    AGW_ASSERT(agw_evs_split(false, evs, evs_len, &after) == AGW_OK);
    check_same(&before, &after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    agw_payload out;
    to_amr_and_back((data[0] & 1) != 0, data + 1, size - 1);
    if (agw_evs_split((data[0] & 1) != 0, data + 1, size - 1, &out) != AGW_OK)
        return 0;
    write_and_split(false, &out);
    write_and_split(true, &out);
    return 0;
}
