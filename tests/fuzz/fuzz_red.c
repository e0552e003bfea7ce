/* SPDX-License-Identifier: BSD-3-Clause
 * RED payloads (RFC 2198): every block lies inside, in order, and the last one reaches the end. */
#include "rtp/red.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    agw_red red;
    if (size > UINT16_MAX || agw_red_parse(&red, data, size) != AGW_OK)
        return 0;
    const uint8_t *at = data;
    AGW_ASSERT(red.n >= 1 && red.n <= AGW_RED_BLOCKS_MAX);
    for (size_t i = 0; i < red.n; i++) {
        AGW_ASSERT(red.blocks[i].data >= at && red.blocks[i].pt < 128);
        at = red.blocks[i].data + red.blocks[i].len;
    }
    AGW_ASSERT(at == data + size && red.blocks[red.n - 1].before == 0);
    return 0;
}
