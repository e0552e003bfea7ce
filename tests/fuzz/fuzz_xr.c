/* SPDX-License-Identifier: BSD-3-Clause
 * Extended reports as strangers write them: a whole RTCP datagram. What is read of a block is
 * written again and must read the same. */
#include "rtp/xr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const agw_xr_block *block)
{
    uint8_t buf[64];
    agw_rtcp_writer w;
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    agw_xr_block copy;
    agw_xr_voip voip;
    size_t at = 0;
    agw_xr_read_voip(block, &voip);
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    AGW_ASSERT(agw_xr_write_voip(&w, 1, &voip) == AGW_OK);
    AGW_ASSERT(agw_rtcp_begin(&it, buf, w.len) == AGW_OK && agw_rtcp_next(&it, &p));
    AGW_ASSERT(agw_xr_next(&p, &at, &copy) && copy.len == block->len);
    for (size_t i = 0; i < copy.len; i++)
        AGW_ASSERT(i == 25 || copy.data[i] == block->data[i]); /* 25 is reserved */
}

static void read_block(const agw_xr_block *block)
{
    agw_xr_dlrr dlrr;
    if (block->type == AGW_XR_RRTR)
        (void)agw_xr_read_rrtr(block);
    for (size_t i = 0; block->type == AGW_XR_DLRR && i < agw_xr_count_dlrr(block); i++)
        agw_xr_read_dlrr(block, i, &dlrr);
    if (block->type == AGW_XR_VOIP)
        write_again(block);
}

/* Losses as the bytes say: how far the numbers move, how many are missing. */
static void count(const uint8_t *data, size_t size)
{
    agw_xr_bursts b = {0};
    agw_xr_voip voip = {0};
    uint32_t seq = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        seq += data[i];
        agw_xr_bursts_count(&b, seq, data[i + 1] % 8);
        agw_xr_bursts_report(&b, 20, &voip);
        AGW_ASSERT(agw_xr_bursts_runs(&b) <= b.lost);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    agw_xr_block block;
    if (size == 0 || size > 1500)
        return 0;
    count(data, size);
    uint8_t *copy = malloc(size);
    AGW_ASSERT(copy != NULL);
    memcpy(copy, data, size);
    if (agw_rtcp_begin(&it, copy, size) == AGW_OK) {
        while (agw_rtcp_next(&it, &p)) {
            for (size_t at = 0; p.type == AGW_RTCP_XR && agw_xr_next(&p, &at, &block);) {
                AGW_ASSERT(block.data >= copy && block.data + block.len <= copy + size);
                read_block(&block);
            }
        }
    }
    free(copy);
    return 0;
}
