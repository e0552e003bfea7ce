/* SPDX-License-Identifier: BSD-3-Clause
 * Redundant audio data (RFC 2198): one payload that holds this packet's audio and that of earlier
 * ones. */
#ifndef AGW_RTP_RED_H
#define AGW_RTP_RED_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { AGW_RED_BLOCKS_MAX = 10 };

typedef struct agw_red_block {
    uint8_t pt;
    uint16_t before;     /* so many timestamp units before the packet's own: 0 to 16383 */
    uint16_t len;        /* may be 0 */
    const uint8_t *data; /* borrowed from the payload */
} agw_red_block;

typedef struct agw_red {
    agw_red_block blocks[AGW_RED_BLOCKS_MAX]; /* the oldest first, the packet's own last */
    size_t n;                                 /* at least 1 */
} agw_red;

/** Splits a payload. AGW_ERR_TRUNCATED: a header or block runs past len; AGW_ERR_LIMIT: more blocks
 * than AGW_RED_BLOCKS_MAX. Count and drop on both. */
AGW_NODISCARD agw_err agw_red_parse(agw_red *out, const uint8_t *payload, size_t len);

#endif
