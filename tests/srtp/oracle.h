/* SPDX-License-Identifier: BSD-3-Clause
 * Plain libsrtp2 on its own cryptography (NSS in Debian), and what a network may make of packets.
 */
#ifndef AGW_TESTS_SRTP_ORACLE_H
#define AGW_TESTS_SRTP_ORACLE_H

#include "packets.h"

#include <srtp2/srtp.h>

typedef struct packet {
    uint8_t data[ROOM];
    size_t len;
} packet;

static uint64_t seed;

static inline uint32_t below(uint32_t n)
{
    return (uint32_t)(test_random(&seed) % n);
}

static inline void oracle_policy(srtp_policy_t *p, unsigned suite, uint8_t *key,
                                 srtp_ssrc_type_t type)
{
    memset(p, 0, sizeof *p);
    switch (suite) {
    case AGW_SRTP_AES_CM_128_80:
    case AGW_SRTP_AES_CM_128_32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
        break;
    case AGW_SRTP_AES_256_CM_80:
    case AGW_SRTP_AES_256_CM_32:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
        break;
    case AGW_SRTP_AEAD_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
        break;
    default:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
        break;
    }
    if (suite == AGW_SRTP_AES_CM_128_32 || suite == AGW_SRTP_AES_256_CM_32)
        p->rtp.auth_tag_len = 4;
    p->key = key;
    p->ssrc.type = type;
    p->window_size = 128;
}

/* Under the key of test_session(). */
static inline srtp_t oracle_session(unsigned suite, srtp_ssrc_type_t type)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    srtp_policy_t p;
    srtp_t s = NULL;
    oracle_policy(&p, suite, key, type);
    return srtp_create(&s, &p) == srtp_err_status_ok ? s : NULL;
}

/* Random length, CSRCs, header extension. */
static inline void random_rtp(packet *p, uint32_t ssrc, uint16_t seq)
{
    const size_t csrcs = below(4) == 0 ? below(16) : 0;
    size_t at = 12 + 4 * csrcs;
    for (size_t i = 0; i < sizeof p->data; i++)
        p->data[i] = (uint8_t)test_random(&seed);
    p->data[0] = (uint8_t)(0x80 | csrcs);
    agw_put16(p->data + 2, seq);
    agw_put32(p->data + 8, ssrc);
    if (below(3) == 0) {
        const uint16_t words = (uint16_t)below(8);
        p->data[0] |= 0x10;
        agw_put16(p->data + at, 0xbede);
        agw_put16(p->data + at + 2, words);
        at += 4u + 4u * words;
    }
    p->len = at + below(1201);
}

static inline void damage(packet *p)
{
    if (below(4) == 0)
        p->len = below((uint32_t)p->len + 1);
    else
        p->data[below((uint32_t)p->len)] ^= (uint8_t)(1 + below(255));
}

#endif
