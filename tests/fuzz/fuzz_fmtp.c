/* SPDX-License-Identifier: BSD-3-Clause
 * Any text as a=fmtp, and as options, of any codec; what is accepted is written, and read again as
 * it was. */
#include "codecs/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const agw_codec_format *a, const agw_codec_format *b)
{
    char x[256], y[256];
    agw_codec_write_fmtp(a, x, sizeof x);
    agw_codec_write_fmtp(b, y, sizeof y);
    return a->ptime_ms == b->ptime_ms && strcmp(x, y) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const agw_codec_id id = (agw_codec_id)(1 + data[0] % (AGW_CODEC_COUNT - 1));
    char *text = calloc(1, size);
    AGW_ASSERT(text != NULL);
    memcpy(text, data + 1, size - 1);
    agw_codec_format format = agw_codec_plain(id), back = agw_codec_plain(id);
    const agw_err options = agw_codec_read_options(&back, text);
    AGW_ASSERT(options == AGW_OK || options == AGW_ERR_UNSUPPORTED || options == AGW_ERR_MALFORMED);
    AGW_ASSERT(back.opus.effort <= 11 || back.id != AGW_CODEC_OPUS);
    back = agw_codec_plain(id);
    if (agw_codec_read_fmtp(&format, text) == AGW_OK) {
        char ours[256];
        const size_t len = agw_codec_write_fmtp(&format, ours, sizeof ours);
        AGW_ASSERT(len < sizeof ours && ours[len] == '\0');
        AGW_ASSERT(agw_codec_read_fmtp(&back, ours) == AGW_OK && same(&format, &back));
        AGW_ASSERT(agw_codec_bandwidth_kbps(&format, true) > 0);
        AGW_ASSERT(agw_codec_fit_ptime(&format, data[0]) > 0);
    }
    free(text);
    return 0;
}
