/* SPDX-License-Identifier: BSD-3-Clause
 * Messages on a stream: byte by byte or at once, the end is found at the same place, and what
 * parses as a document ends where the document does. The first byte chooses: cookie or not. */
#include "control/ng_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static agw_err in_steps(agw_ng_frame *frame, const char *bytes, size_t len, bool plain)
{
    agw_err err = AGW_ERR_AGAIN;
    for (size_t n = 0; n <= len && err == AGW_ERR_AGAIN; n++)
        err = agw_ng_frame_scan(frame, bytes, n, plain);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const bool plain = (data[0] & 1) != 0;
    const char *bytes = (const char *)data + 1;
    agw_ng_frame once = {0}, steps = {0};
    const agw_err err = agw_ng_frame_scan(&once, bytes, size - 1, plain);
    AGW_ASSERT(in_steps(&steps, bytes, size - 1, plain) == err);
    if (err != AGW_OK)
        return 0;
    AGW_ASSERT(once.at == steps.at && once.at <= size - 1);
    agw_ng_message parts = {.body = bytes, .body_len = once.at};
    if (!plain && agw_ng_split(&parts, bytes, once.at) != AGW_OK)
        return 0;
    agw_ng_format format;
    const char *why;
    agw_doc_free(agw_ng_parse(parts.body, parts.body_len, &format, &why));
    return 0;
}
