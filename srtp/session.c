/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP sessions over libsrtp2: one wildcard policy for each direction, with length checks in front
 * of every call and a bound on the number of SSRCs. */
#include "srtp/session.h"

#include "base/secret.h"
#include "base/wire.h"

#include <limits.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

enum {
    RTP_HEADER = 12,
    RTCP_HEADER = 8,   /* the part that SRTCP leaves in the clear */
    RTCP_INDEX = 4,    /* E flag and SRTCP index */
    PACKET_MAX = 65535 /* libsrtp counts in int */
};

struct agw_srtp_session {
    srtp_t ctx;
    const agw_srtp_suite_info *suite;
    agw_srtp_suite suite_id;
    bool egress;
    uint8_t ssrc_count;
    uint32_t ssrcs[AGW_SRTP_SSRC_MAX];
    uint64_t refused;
    uint8_t key[AGW_SRTP_KEY_MAX];
};

static bool is_gcm(const agw_srtp_session *s)
{
    return s->suite_id == AGW_SRTP_AEAD_128_GCM || s->suite_id == AGW_SRTP_AEAD_256_GCM;
}

static void set_crypto(srtp_policy_t *p, agw_srtp_suite suite)
{
    switch (suite) {
    case AGW_SRTP_AES_CM_128_80:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
        return;
    case AGW_SRTP_AES_CM_128_32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
        return;
    case AGW_SRTP_AES_256_CM_80:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
        return;
    case AGW_SRTP_AES_256_CM_32:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&p->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
        return;
    case AGW_SRTP_AEAD_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
        return;
    case AGW_SRTP_AEAD_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
        return;
    case AGW_SRTP_NONE:
    case AGW_SRTP_SUITES:
        return;
    }
}

static void set_policy(srtp_policy_t *p, agw_srtp_session *s)
{
    memset(p, 0, sizeof *p);
    set_crypto(p, s->suite_id);
    p->ssrc.type = s->egress ? ssrc_any_outbound : ssrc_any_inbound;
    p->key = s->key;
    p->window_size = AGW_SRTP_REPLAY_WINDOW;
}

agw_srtp_session *agw_srtp_session_new(agw_srtp_suite suite, const uint8_t *key_and_salt,
                                       size_t len, bool egress)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    if (suite == AGW_SRTP_NONE || len != info->key_len + info->salt_len)
        return NULL;
    agw_srtp_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->suite = info;
    s->suite_id = suite;
    s->egress = egress;
    memcpy(s->key, key_and_salt, len);
    srtp_policy_t policy;
    set_policy(&policy, s);
    if (srtp_create(&s->ctx, &policy) == srtp_err_status_ok)
        return s;
    s->ctx = NULL;
    agw_srtp_session_free(s);
    return NULL;
}

void agw_srtp_session_free(agw_srtp_session *s)
{
    if (s == NULL)
        return;
    if (s->ctx != NULL)
        (void)srtp_dealloc(s->ctx);
    agw_secret_wipe(s, sizeof *s);
    free(s);
}

static bool knows_ssrc(const agw_srtp_session *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->ssrc_count; i++) {
        if (s->ssrcs[i] == ssrc)
            return true;
    }
    return false;
}

/* Nobody unauthenticated gets here with AGW_OK, so strangers cannot use up the table. */
static void learn_ssrc(agw_srtp_session *s, uint32_t ssrc)
{
    if (!knows_ssrc(s, ssrc))
        s->ssrcs[s->ssrc_count++] = ssrc;
}

static bool has_room_for(agw_srtp_session *s, uint32_t ssrc)
{
    if (s->ssrc_count < AGW_SRTP_SSRC_MAX || knows_ssrc(s, ssrc))
        return true;
    s->refused++;
    return false;
}

static agw_err from_status(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return AGW_OK;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cant_check:
        return AGW_ERR_AUTH;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
        return AGW_ERR_REPLAY;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return AGW_ERR_MALFORMED;
    case srtp_err_status_key_expired:
        return AGW_ERR_LIMIT;
    default:
        return AGW_ERR_SYSTEM;
    }
}

/* Length of the RTP header with CSRCs and extension; 0 when it is not RTP or is cut. */
static size_t rtp_header_len(const uint8_t *data, size_t len)
{
    if (len < RTP_HEADER || len > PACKET_MAX || data[0] >> 6 != 2)
        return 0;
    size_t at = RTP_HEADER + 4u * (data[0] & 0x0fu);
    if (data[0] & 0x10) {
        if (at + 4 > len)
            return 0;
        at += 4 + 4u * agw_get16(data + at + 2);
    }
    return at <= len ? at : 0;
}

static bool is_rtcp(const uint8_t *data, size_t len)
{
    return len >= RTCP_HEADER && len <= PACKET_MAX && data[0] >> 6 == 2;
}

typedef srtp_err_status_t srtp_call(srtp_t ctx, void *data, int *len);

/* What the four operations share; the caller has checked all lengths. */
static agw_err run(agw_srtp_session *s, srtp_call *call, uint8_t *data, size_t *len, uint32_t ssrc)
{
    if (!has_room_for(s, ssrc))
        return AGW_ERR_LIMIT;
    int n = (int)*len;
    const srtp_err_status_t status = call(s->ctx, data, &n);
    if (status != srtp_err_status_ok)
        return from_status(status);
    learn_ssrc(s, ssrc);
    *len = (size_t)n;
    return AGW_OK;
}

agw_err agw_srtp_protect(agw_srtp_session *s, uint8_t *data, size_t *len, size_t room)
{
    AGW_ASSERT(s->egress);
    if (rtp_header_len(data, *len) == 0)
        return AGW_ERR_MALFORMED;
    if (room < s->suite->rtp_tag_len)
        return AGW_ERR_NO_SPACE;
    return run(s, srtp_protect, data, len, agw_get32(data + 8));
}

agw_err agw_srtp_unprotect(agw_srtp_session *s, uint8_t *data, size_t *len)
{
    AGW_ASSERT(!s->egress);
    const size_t header = rtp_header_len(data, *len);
    if (header == 0 || *len - header < s->suite->rtp_tag_len)
        return AGW_ERR_MALFORMED;
    return run(s, srtp_unprotect, data, len, agw_get32(data + 8));
}

agw_err agw_srtp_protect_rtcp(agw_srtp_session *s, uint8_t *data, size_t *len, size_t room)
{
    AGW_ASSERT(s->egress);
    if (!is_rtcp(data, *len))
        return AGW_ERR_MALFORMED;
    if (room < s->suite->rtcp_tag_len + RTCP_INDEX)
        return AGW_ERR_NO_SPACE;
    return run(s, srtp_protect_rtcp, data, len, agw_get32(data + 4));
}

agw_err agw_srtp_unprotect_rtcp(agw_srtp_session *s, uint8_t *data, size_t *len)
{
    AGW_ASSERT(!s->egress);
    const size_t tag_len = s->suite->rtcp_tag_len;
    if (!is_rtcp(data, *len) || *len < RTCP_HEADER + RTCP_INDEX + tag_len)
        return AGW_ERR_MALFORMED;
    /* RFC 3711 section 3.4: index, then tag; RFC 7714 section 9.2: tag, then index. With the E bit
     * clear libsrtp would take a GCM packet as authenticated only; we never agree to that. */
    const size_t index_at = *len - RTCP_INDEX - (is_gcm(s) ? 0 : tag_len);
    if ((data[index_at] & 0x80) == 0)
        return AGW_ERR_AUTH;
    return run(s, srtp_unprotect_rtcp, data, len, agw_get32(data + 4));
}

uint64_t agw_srtp_session_refused(const agw_srtp_session *s)
{
    return s->refused;
}

agw_err agw_srtp_session_roc(const agw_srtp_session *s, uint32_t ssrc, uint32_t *roc)
{
    if (!knows_ssrc(s, ssrc) || srtp_get_stream_roc(s->ctx, ssrc, roc) != srtp_err_status_ok)
        return AGW_ERR_NOT_FOUND;
    return AGW_OK;
}

agw_err agw_srtp_session_set_roc(agw_srtp_session *s, uint32_t ssrc, uint32_t roc)
{
    if (!has_room_for(s, ssrc))
        return AGW_ERR_LIMIT;
    if (!knows_ssrc(s, ssrc)) {
        srtp_policy_t policy;
        set_policy(&policy, s);
        policy.ssrc.type = ssrc_specific;
        policy.ssrc.value = ssrc;
        if (srtp_add_stream(s->ctx, &policy) != srtp_err_status_ok)
            return AGW_ERR_SYSTEM;
        learn_ssrc(s, ssrc);
    }
    if (srtp_set_stream_roc(s->ctx, ssrc, roc) != srtp_err_status_ok)
        return AGW_ERR_SYSTEM;
    return AGW_OK;
}
