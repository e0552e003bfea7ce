/* SPDX-License-Identifier: BSD-3-Clause
 * A captured frame of any link type down to RTP. The first byte chooses the link type. */
#include "bench/replay/dissect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that the result points to lies in the frame. */
static void check(const kit_udp *udp, const uint8_t *frame, size_t len)
{
    AGW_ASSERT(udp->data >= frame && udp->data + udp->len <= frame + len);
    AGW_ASSERT(udp->from.family == AGW_FAMILY_IP4 || udp->from.family == AGW_FAMILY_IP6);
    AGW_ASSERT(udp->to.family == udp->from.family);
    agw_rtp_header h;
    if (!kit_udp_is_rtp(udp, &h))
        return;
    AGW_ASSERT(h.header_len + h.payload_len == udp->len && h.padding_len == 0);
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < udp->len; i++)
        sum = (uint8_t)(sum + udp->data[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t len = size - 1;
    uint8_t *frame = malloc(len == 0 ? 1 : len); /* exact size: a sanitizer sees one byte more */
    AGW_ASSERT(frame != NULL);
    memcpy(frame, data + 1, len);
    kit_udp udp;
    const kit_frame found = kit_frame_dissect(&udp, (kit_link)(data[0] % 4), frame, len);
    if (found == KIT_FRAME_UDP || found == KIT_FRAME_CUT)
        check(&udp, frame, len);
    free(frame);
    return 0;
}
