/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/request.h"

#include <string.h>

/* FNV-1a; not 0. Who makes digests meet makes requests twice: he may do that anyhow. */
static uint32_t digest(const uint8_t *data, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ data[i]) * 16777619u;
    return h != 0 ? h : 1;
}

agw_dtls_drop agw_requests_add(agw_requests *r, const agw_fragment *request)
{
    if (request->length < 3 || request->length != 3u + request->body[2])
        return AGW_DTLS_DROP_HANDSHAKE;
    const uint32_t h = digest(request->body, request->length);
    uint32_t *const seen = &r->seen[h % AGW_REQUEST_SEEN];
    const bool again = *seen == h;
    *seen = h;
    if (!again)
        return AGW_DTLS_DROP_PROOF;
    memcpy(r->body, request->body, request->length);
    r->len = request->length;
    return AGW_DTLS_DROP_NONE;
}
