/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads of AMR and AMR-WB as strangers write them: the first octet chooses the layout. What is
 * split is written in both layouts, and must come back as it was. */
#include "codecs/amr_payload.h"

#include <string.h>

enum { PAYLOAD_MAX = 1 + AGW_DECODER_FRAMES_MAX * (1 + AGW_AMR_STORED_MAX) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(bool wide, const agw_payload *a, const agw_payload *b)
{
    AGW_ASSERT(a->n_frames == b->n_frames && a->mode_request == b->mode_request);
    for (unsigned i = 0; i < a->n_frames; i++) {
        uint8_t x[AGW_AMR_STORED_MAX], y[AGW_AMR_STORED_MAX];
        const size_t len = agw_amr_store(wide, &a->frames[i], x);
        AGW_ASSERT(agw_amr_store(wide, &b->frames[i], y) == len && memcmp(x, y, len) == 0);
        agw_frame loaded;
        AGW_ASSERT(agw_amr_load(wide, x, len, &loaded) == AGW_OK);
        AGW_ASSERT(loaded.kind == a->frames[i].kind && loaded.type == a->frames[i].type);
    }
}

static void write_and_split(const agw_amr_layout *layout, const agw_payload *frames)
{
    uint8_t payload[PAYLOAD_MAX];
    const size_t len = agw_amr_write(layout, frames, payload, sizeof payload);
    AGW_ASSERT(len != 0);
    agw_payload again;
    AGW_ASSERT(agw_amr_split(layout, payload, len, &again) == AGW_OK);
    check_same(layout->wide, frames, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    agw_amr_layout layout = {.wide = (data[0] & 1) != 0, .octet_aligned = (data[0] & 2) != 0};
    agw_payload out;
    if (agw_amr_split(&layout, data + 1, size - 1, &out) != AGW_OK)
        return 0;
    write_and_split(&layout, &out);
    layout.octet_aligned = !layout.octet_aligned;
    write_and_split(&layout, &out);
    return 0;
}
