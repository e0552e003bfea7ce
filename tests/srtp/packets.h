/* SPDX-License-Identifier: BSD-3-Clause
 * Small packets and keys for the SRTP tests. */
#ifndef AGW_TESTS_SRTP_PACKETS_H
#define AGW_TESTS_SRTP_PACKETS_H

#include "base/wire.h"
#include "srtp/batch.h"

#include <string.h>

enum { ROOM = 1600 };

/* Not a real key: bytes 0, 1, 2 ... */
static inline agw_srtp_session *test_session_on(agw_srtp_engine *e, agw_srtp_suite suite,
                                                bool egress)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    return agw_srtp_session_new_on(e, suite, key, info->key_len + info->salt_len, egress);
}

static inline agw_srtp_session *test_session(agw_srtp_suite suite, bool egress)
{
    return test_session_on(NULL, suite, egress);
}

/* RTP: PCMA, payload bytes are the low byte of seq. */
static inline size_t test_rtp(uint8_t *out, uint32_t ssrc, uint16_t seq, size_t payload_len)
{
    out[0] = 0x80;
    out[1] = 8;
    agw_put16(out + 2, seq);
    agw_put32(out + 4, seq * 160u);
    agw_put32(out + 8, ssrc);
    memset(out + 12, seq & 0xff, payload_len);
    return 12 + payload_len;
}

/* An RR with one block. */
static inline size_t test_rtcp(uint8_t *out, uint32_t ssrc)
{
    memset(out, 0x5a, 32);
    out[0] = 0x81;
    out[1] = 201;
    agw_put16(out + 2, 7);
    agw_put32(out + 4, ssrc);
    return 32;
}

/* splitmix64: repeatable from a printed seed */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#endif
