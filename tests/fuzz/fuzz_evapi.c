/* SPDX-License-Identifier: BSD-3-Clause
 * What comes back on an evapi connection: netstrings, and acknowledgements in them. */
#include "control/evapi.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *body;
    size_t left = size, len, used;
    while (agw_netstring_parse(at, left, &body, &len, &used) == AGW_OK) {
        agw_ack ack;
        AGW_ASSERT(used <= left && body >= at && body + len < at + used);
        if (agw_ack_parse(&ack, body, len))
            AGW_ASSERT(ack.seq > 0 && strlen(ack.gateway) <= AGW_ACK_GATEWAY_MAX);
        at += used;
        left -= used;
    }
    return 0;
}
