/* SPDX-License-Identifier: BSD-3-Clause
 * Ethernet frames as AF_XDP hands them up: whatever is taken for a datagram lies inside the frame,
 * and survives being written and read again. */
#include "net/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t frame[AGW_FRAME_HEADERS_MAX + 65536];
    const agw_route way = {.mtu = 1500};
    agw_frame first, second;
    if (agw_frame_read(&first, data, size) != AGW_OK)
        return 0;
    AGW_ASSERT(first.payload >= data && first.payload + first.len <= data + size);
    const size_t len = agw_frame_write(frame, &way, &first);
    AGW_ASSERT(agw_frame_read(&second, frame, len) == AGW_OK);
    AGW_ASSERT(agw_addr_equal(&first.from, &second.from) && agw_addr_equal(&first.to, &second.to));
    AGW_ASSERT(second.len == first.len && memcmp(second.payload, first.payload, first.len) == 0);
    return 0;
}
