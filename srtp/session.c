/* SPDX-License-Identifier: BSD-3-Clause
 * The life of a session, its SSRCs, and SRTCP, which libsrtp2 carries: with length checks in front
 * of every call. RTP is batch.c's. */
#include "srtp/session.h"

#include "base/prefetch.h"
#include "base/secret.h"
#include "base/wire.h"
#include "srtp/inside.h"

#include <srtp2/crypto_types.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

enum {
    RTCP_HEADER = 8,      /* the part that SRTCP leaves in the clear */
    RTCP_INDEX = 4,       /* E flag and SRTCP index */
    PACKET_MAX = 65535,   /* libsrtp counts in int */
    PREFETCHED_KEYS = 256 /* bytes: all of AES-CM-128 with its hash */
};

/* RTP is not libsrtp2's, so that it needs no cipher for it; but the kind of the RTP cipher tells it
 * whether SRTCP is GCM, and the length of its key which bits of the master key are salt. */
static void set_no_rtp(srtp_crypto_policy_t *rtp)
{
    rtp->cipher_type = SRTP_NULL_CIPHER;
    rtp->auth_type = SRTP_NULL_AUTH;
    rtp->auth_key_len = 0;
    rtp->auth_tag_len = 0;
    rtp->sec_serv = sec_serv_none;
}

static void set_crypto(srtp_policy_t *p, const agw_srtp_session *s)
{
    const bool is_long = s->suite->key_len == 32;
    if (s->is_gcm && is_long)
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
    else if (s->is_gcm)
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
    else if (is_long)
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
    p->rtp = p->rtcp;
    if (!s->is_gcm)
        set_no_rtp(&p->rtp);
}

static bool open_rtcp(agw_srtp_session *s, const uint8_t *key_and_salt, size_t len)
{
    uint8_t key[AGW_SRTP_KEY_MAX];
    srtp_policy_t p;
    memcpy(key, key_and_salt, len);
    memset(&p, 0, sizeof p);
    set_crypto(&p, s);
    p.ssrc.type = s->egress ? ssrc_any_outbound : ssrc_any_inbound;
    p.key = key;
    p.window_size = AGW_SRTP_REPLAY_WINDOW;
    const bool ok = srtp_create(&s->rtcp, &p) == srtp_err_status_ok;
    if (!ok)
        s->rtcp = NULL;
    agw_secret_wipe(key, sizeof key);
    return ok;
}

static bool open_rtp(agw_srtp_session *s, const uint8_t *key_and_salt)
{
    agw_srtp_keys keys;
    const bool ok =
        agw_srtp_derive(&keys, s->suite, key_and_salt) && s->backend->set_keys(s, &keys);
    memcpy(s->salt, keys.salt, sizeof s->salt);
    agw_secret_wipe(&keys, sizeof keys);
    return ok;
}

static agw_srtp_session *make(agw_srtp_engine *e, agw_srtp_suite suite, bool egress)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    const agw_srtp_backend *backend = agw_srtp_backend_of(e);
    const size_t bytes = sizeof(agw_srtp_session) + backend->key_bytes(info);
    const size_t whole = (bytes + AGW_SRTP_KEY_ALIGN - 1) / AGW_SRTP_KEY_ALIGN * AGW_SRTP_KEY_ALIGN;
    agw_srtp_session *s = aligned_alloc(AGW_SRTP_KEY_ALIGN, whole);
    if (s == NULL)
        return NULL;
    memset(s, 0, whole);
    s->bytes = (uint32_t)whole;
    s->engine = e;
    s->backend = backend;
    s->suite = info;
    s->is_gcm = suite == AGW_SRTP_AEAD_128_GCM || suite == AGW_SRTP_AEAD_256_GCM;
    s->egress = egress;
    s->streams = s->first_streams;
    s->streams_room = sizeof s->first_streams / sizeof *s->first_streams;
    return s;
}

agw_srtp_session *agw_srtp_session_new_on(agw_srtp_engine *e, agw_srtp_suite suite,
                                          const uint8_t *key_and_salt, size_t len, bool egress)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    if (suite == AGW_SRTP_NONE || len != info->key_len + info->salt_len)
        return NULL;
    agw_srtp_session *s = make(e, suite, egress);
    if (s == NULL)
        return NULL;
    if (open_rtp(s, key_and_salt) && open_rtcp(s, key_and_salt, len))
        return s;
    agw_srtp_session_free(s);
    return NULL;
}

agw_srtp_session *agw_srtp_session_new(agw_srtp_suite suite, const uint8_t *key_and_salt,
                                       size_t len, bool egress)
{
    return agw_srtp_session_new_on(NULL, suite, key_and_salt, len, egress);
}

void agw_srtp_session_free(agw_srtp_session *s)
{
    if (s == NULL)
        return;
    if (s->rtcp != NULL)
        (void)srtp_dealloc(s->rtcp);
    s->backend->drop_keys(s);
    if (s->streams != s->first_streams)
        free(s->streams);
    agw_secret_wipe(s, s->bytes);
    free(s);
}

/* --- SSRCs -------------------------------------------------------------------------------------
 */

agw_srtp_stream *agw_srtp_session_find(agw_srtp_session *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->n_streams; i++) {
        if (s->streams[i].ssrc == ssrc)
            return &s->streams[i];
    }
    return NULL;
}

static bool has_room(agw_srtp_session *s)
{
    if (s->n_streams < AGW_SRTP_SSRC_MAX)
        return true;
    s->refused++;
    return false;
}

static bool grow(agw_srtp_session *s)
{
    AGW_ASSERT(s->streams_room > 0 && s->streams_room < AGW_SRTP_SSRC_MAX);
    const uint8_t room = (uint8_t)(2 * s->streams_room);
    agw_srtp_stream *streams = calloc(room, sizeof *streams);
    if (streams == NULL)
        return false;
    memcpy(streams, s->streams, s->n_streams * sizeof *streams);
    if (s->streams != s->first_streams)
        free(s->streams);
    s->streams = streams;
    s->streams_room = room;
    return true;
}

agw_err agw_srtp_session_add(agw_srtp_session *s, uint32_t ssrc, agw_srtp_stream **out)
{
    if (!has_room(s))
        return AGW_ERR_LIMIT;
    if (s->n_streams == s->streams_room && !grow(s))
        return AGW_ERR_SYSTEM;
    *out = &s->streams[s->n_streams];
    **out = (agw_srtp_stream){.ssrc = ssrc};
    s->n_streams++;
    return AGW_OK;
}

/* --- packets -----------------------------------------------------------------------------------
 */

agw_err agw_srtp_protect(agw_srtp_session *s, uint8_t *data, size_t *len, size_t room)
{
    agw_srtp_op op = {.session = s, .data = data, .len = *len, .room = room};
    agw_srtp_batch_protect(s->engine, &op, 1);
    *len = op.len;
    return op.err;
}

agw_err agw_srtp_unprotect(agw_srtp_session *s, uint8_t *data, size_t *len)
{
    agw_srtp_op op = {.session = s, .data = data, .len = *len};
    agw_srtp_batch_unprotect(s->engine, &op, 1);
    *len = op.len;
    return op.err;
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

static bool is_rtcp(const uint8_t *data, size_t len)
{
    return len >= RTCP_HEADER && len <= PACKET_MAX && data[0] >> 6 == 2;
}

typedef srtp_err_status_t srtp_call(srtp_t ctx, void *data, int *len);

/* The caller has checked all lengths. */
static agw_err run(agw_srtp_session *s, srtp_call *call, uint8_t *data, size_t *len, uint32_t ssrc)
{
    agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc);
    if (stream == NULL && !has_room(s))
        return AGW_ERR_LIMIT;
    int n = (int)*len;
    const srtp_err_status_t status = call(s->rtcp, data, &n);
    if (status != srtp_err_status_ok)
        return from_status(status);
    *len = (size_t)n;
    return stream != NULL ? AGW_OK : agw_srtp_session_add(s, ssrc, &stream);
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
    const size_t index_at = *len - RTCP_INDEX - (s->is_gcm ? 0 : tag_len);
    if ((data[index_at] & 0x80) == 0)
        return AGW_ERR_AUTH;
    return run(s, srtp_unprotect_rtcp, data, len, agw_get32(data + 4));
}

void agw_srtp_session_prefetch(const agw_srtp_session *s)
{
    agw_prefetch_span(s, sizeof *s + PREFETCHED_KEYS);
}

uint64_t agw_srtp_session_refused(const agw_srtp_session *s)
{
    return s->refused;
}

agw_err agw_srtp_session_roc(const agw_srtp_session *s, uint32_t ssrc, uint32_t *roc)
{
    for (size_t i = 0; i < s->n_streams; i++) {
        const agw_srtp_stream *stream = &s->streams[i];
        if (stream->ssrc != ssrc)
            continue;
        *roc = stream->has_next_roc ? stream->next_roc : (uint32_t)(stream->index >> 16);
        return AGW_OK;
    }
    return AGW_ERR_NOT_FOUND;
}

agw_err agw_srtp_session_set_roc(agw_srtp_session *s, uint32_t ssrc, uint32_t roc)
{
    agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc);
    const agw_err err = stream != NULL ? AGW_OK : agw_srtp_session_add(s, ssrc, &stream);
    if (err != AGW_OK)
        return err;
    stream->next_roc = roc;
    stream->has_next_roc = true;
    return AGW_OK;
}
