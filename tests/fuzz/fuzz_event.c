/* SPDX-License-Identifier: BSD-3-Clause
 * Telephone events as strangers write them: each eight bytes are one packet (how far timestamp and
 * clock move, then the payload). What is told must be a digit, and no more often than there were
 * packets. */
#include "rtp/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t CLOCKS[4] = {8000, 16000, 48000, 1};
    agw_rtp_event_in in = {0};
    agw_ns now = AGW_S(1);
    uint32_t timestamp = 0;
    size_t told = 0, packets = 0;
    for (; size >= 8; data += 8, size -= 8) {
        agw_rtp_event event;
        agw_rtp_digit digit = {.event = UINT8_MAX};
        timestamp += (uint32_t)data[0] << (data[1] % 25);
        now += AGW_MS(data[2]);
        AGW_ASSERT(agw_rtp_event_parse(&event, data + 4, 4) == AGW_OK);
        packets++;
        told += agw_rtp_event_take(&in, &event, data[3] >> 2 & 1, timestamp, CLOCKS[data[3] & 3],
                                   now, &digit);
        AGW_ASSERT(digit.event == UINT8_MAX || digit.event < AGW_RTP_EVENT_DIGITS);
        if (data[3] & 0x80)
            told += agw_rtp_event_ended(&in, now, &digit);
    }
    AGW_ASSERT(told <= packets);
    return 0;
}
