/* SPDX-License-Identifier: BSD-3-Clause
 * ITU-T G.711: PCMA and PCMU, one octet a sample at 8000 Hz. */
#ifndef AGW_CODECS_G711_H
#define AGW_CODECS_G711_H

#include <stdint.h>

enum {
    AGW_PCMU_PT = 0, /* static payload types, RFC 3551 section 6 */
    AGW_PCMA_PT = 8,
    AGW_G711_CLOCK_HZ = 8000,
    AGW_G711_FRAME = 160, /* octets of 20 ms */
};

uint8_t agw_pcma_encode(int16_t sample);
int16_t agw_pcma_decode(uint8_t octet);
uint8_t agw_pcmu_encode(int16_t sample);
int16_t agw_pcmu_decode(uint8_t octet);

#endif
