/* SPDX-License-Identifier: BSD-3-Clause
 * The life of a session and its SSRCs, and single packets. RTP is batch.c's, SRTCP rtcp.c's. */
#include "srtp/session.h"

#include "base/prefetch.h"
#include "base/secret.h"
#include "srtp/inside.h"

#include <stdlib.h>
#include <string.h>

enum { PREFETCHED_KEYS = 256 /* bytes: all of AES-CM-128 with its hash */ };

static size_t rounded_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* One piece: the session, the back end's keys of RTP, SRTCP. */
static agw_srtp_session *make(agw_srtp_engine *e, agw_srtp_suite suite, bool egress)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    const agw_srtp_backend *backend = agw_srtp_backend_of(e);
    const size_t rtcp_at =
        rounded_up(sizeof(agw_srtp_session) + backend->key_bytes(info), alignof(agw_srtcp));
    const size_t whole = rounded_up(rtcp_at + sizeof(agw_srtcp), AGW_SRTP_KEY_ALIGN);
    uint8_t *piece = aligned_alloc(AGW_SRTP_KEY_ALIGN, whole);
    if (piece == NULL)
        return NULL;
    memset(piece, 0, whole);
    agw_srtp_session *s = (agw_srtp_session *)(void *)piece;
    s->rtcp = (agw_srtcp *)(void *)(piece + rtcp_at);
    s->bytes = (uint32_t)whole;
    s->engine = e;
    s->backend = backend;
    s->suite = info;
    s->is_gcm = suite == AGW_SRTP_AEAD_128_GCM || suite == AGW_SRTP_AEAD_256_GCM;
    s->egress = egress;
    s->streams = s->first_streams;
    s->rtcp->streams = s->rtcp->first_streams;
    s->streams_room = sizeof s->first_streams / sizeof *s->first_streams;
    return s;
}

static bool set_keys(agw_srtp_session *s, const uint8_t *key_and_salt)
{
    agw_srtp_keys rtp;
    const bool ok = agw_srtp_derive(&rtp, &s->rtcp->keys, s->suite, key_and_salt) &&
                    s->backend->set_keys(s->keys, s, &rtp);
    memcpy(s->salt, rtp.salt, sizeof s->salt);
    agw_secret_wipe(&rtp, sizeof rtp);
    return ok;
}

agw_srtp_session *agw_srtp_session_new_on(agw_srtp_engine *e, agw_srtp_suite suite,
                                          const uint8_t *key_and_salt, size_t len, bool egress)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    if (suite == AGW_SRTP_NONE || len != info->key_len + info->salt_len)
        return NULL;
    agw_srtp_session *s = make(e, suite, egress);
    if (s == NULL || set_keys(s, key_and_salt))
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
    s->backend->drop_keys(s->keys, s);
    if (s->streams != s->first_streams)
        free(s->streams);
    agw_secret_wipe(s, s->bytes);
    free(s);
}

/* --- SSRCs -------------------------------------------------------------------------------------
 */

agw_srtp_stream *agw_srtp_session_find(const agw_srtp_session *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->n_streams; i++) {
        if (s->streams[i].ssrc == ssrc)
            return &s->streams[i];
    }
    return NULL;
}

bool agw_srtp_session_has_room(const agw_srtp_session *s)
{
    return s->n_streams < AGW_SRTP_SSRC_MAX;
}

static bool grow(agw_srtp_session *s)
{
    AGW_ASSERT(s->streams_room > 0 && s->streams_room < AGW_SRTP_SSRC_MAX);
    const uint8_t room = (uint8_t)(2 * s->streams_room);
    agw_srtp_stream *streams = calloc(2u * room, sizeof *streams);
    if (streams == NULL)
        return false;
    memcpy(streams, s->streams, s->n_streams * sizeof *streams);
    memcpy(streams + room, s->rtcp->streams, s->n_streams * sizeof *streams);
    if (s->streams != s->first_streams)
        free(s->streams);
    s->streams = streams;
    s->rtcp->streams = streams + room;
    s->streams_room = room;
    return true;
}

agw_err agw_srtp_session_add(agw_srtp_session *s, uint32_t ssrc, agw_srtp_stream **out)
{
    if (!agw_srtp_session_has_room(s))
        return AGW_ERR_LIMIT;
    if (s->n_streams == s->streams_room && !grow(s))
        return AGW_ERR_SYSTEM;
    *out = &s->streams[s->n_streams];
    **out = s->rtcp->streams[s->n_streams] = (agw_srtp_stream){.ssrc = ssrc};
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

void agw_srtp_session_prefetch(const agw_srtp_session *s)
{
    agw_prefetch_span(s, sizeof *s + PREFETCHED_KEYS);
}

agw_err agw_srtp_session_roc(const agw_srtp_session *s, uint32_t ssrc, uint32_t *roc)
{
    const agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc);
    if (stream == NULL)
        return AGW_ERR_NOT_FOUND;
    *roc = stream->has_next_roc ? stream->next_roc : (uint32_t)(stream->index >> 16);
    return AGW_OK;
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

agw_err agw_srtp_session_follow(agw_srtp_session *s, const agw_srtp_session *last)
{
    for (size_t i = 0; i < last->n_streams; i++) {
        agw_srtp_stream *stream;
        const agw_err err = agw_srtp_session_add(s, last->streams[i].ssrc, &stream);
        if (err != AGW_OK)
            return err;
        *stream = last->streams[i];
        s->rtcp->streams[s->n_streams - 1] = last->rtcp->streams[i];
    }
    return AGW_OK;
}

bool agw_srtp_session_may_follow(const agw_srtp_session *s, const agw_srtp_session *last,
                                 uint32_t ssrc, uint16_t seq, uint32_t *roc)
{
    const agw_srtp_stream *mine = agw_srtp_session_find(s, ssrc);
    const agw_srtp_stream *old = agw_srtp_session_find(last, ssrc);
    uint64_t index;
    const bool has_begun = mine != NULL && mine->recent != 0; /* SRTCP alone makes an SSRC, too */
    if (old == NULL || has_begun || agw_srtp_stream_guess(old, seq, &index) != AGW_OK)
        return false;
    *roc = (uint32_t)(index >> 16);
    return *roc != 0;
}
