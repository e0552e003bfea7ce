/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads of one form as strangers write them, turned into another: the first octet chooses both.
 * What comes out is a payload of its form. */
#include "codecs/repack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const agw_form in = (agw_form)(data[0] & 7), out_form = (agw_form)(data[0] >> 4 & 7);
    uint8_t out[AGW_REPACK_MAX], back[AGW_REPACK_MAX];
    size_t len = sizeof out, back_len = sizeof back;
    const agw_err err = agw_repack(in, out_form, data + 1, size - 1, out, &len);
    AGW_ASSERT(err != AGW_ERR_NO_SPACE);
    if (err == AGW_OK)
        AGW_ASSERT(agw_repack(out_form, in, out, len, back, &back_len) == AGW_OK);
    return 0;
}
