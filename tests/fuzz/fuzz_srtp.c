/* SPDX-License-Identifier: BSD-3-Clause
 * Unprotecting foreign bytes: suite and operation from the first byte, then the packet; with bit 7
 * set the packet is protected by the same key first and damaged after it, so that the fuzzer gets
 * behind the tag. */
#include "base/wire.h"
#include "srtp/hooks.h"
#include "srtp/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static agw_srtp_session *session(agw_srtp_suite suite, bool egress)
{
    const uint8_t key[AGW_SRTP_KEY_MAX] = {1, 2, 3};
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    agw_srtp_session *s = agw_srtp_session_new(suite, key, info->key_len + info->salt_len, egress);
    AGW_ASSERT(s != NULL);
    return s;
}

/* In memory of exactly the right size. */
static void unprotect(agw_srtp_session *rx, const uint8_t *data, size_t len, bool rtcp)
{
    uint8_t *buf = malloc(len > 0 ? len : 1);
    AGW_ASSERT(buf != NULL);
    memcpy(buf, data, len);
    size_t n = len;
    const agw_err err =
        rtcp ? agw_srtp_unprotect_rtcp(rx, buf, &n) : agw_srtp_unprotect(rx, buf, &n);
    AGW_ASSERT(err != AGW_OK || n < len);
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started && agw_srtp_init() != AGW_OK)
        abort();
    started = true;
    if (size < 3 || size > 1500)
        return 0;
    const agw_srtp_suite suite = (agw_srtp_suite)(1 + data[0] % (AGW_SRTP_SUITES - 1));
    const bool rtcp = data[0] & 0x40, sign = data[0] & 0x80;
    agw_srtp_session *rx = session(suite, false), *tx = session(suite, true);
    uint8_t pkt[1600];
    size_t len = size - 3;
    memcpy(pkt, data + 3, len);
    if (sign) {
        const agw_err err = rtcp ? agw_srtp_protect_rtcp(tx, pkt, &len, AGW_SRTP_TRAILER_MAX)
                                 : agw_srtp_protect(tx, pkt, &len, AGW_SRTP_TRAILER_MAX);
        if (err == AGW_OK && agw_get16(data + 1) < len)
            pkt[agw_get16(data + 1)] ^= 0x10;
    }
    unprotect(rx, pkt, len, rtcp);
    unprotect(rx, pkt, len, rtcp); /* again: replay */
    agw_srtp_session_free(rx);
    agw_srtp_session_free(tx);
    return 0;
}
