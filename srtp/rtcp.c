/* SPDX-License-Identifier: BSD-3-Clause
 * SRTCP, one packet at a time (RFC 3711 section 3.4, RFC 7714 section 9):
 *
 *   AES-CM  | 8 bytes in the clear | ciphered | E, index | tag |
 *   GCM     | 8 bytes in the clear | ciphered | tag | E, index |     E, index: hashed, too
 */
#include "base/secret.h"
#include "base/wire.h"
#include "srtp/inside.h"

#include <string.h>

enum {
    HEADER = 8, /* the part that SRTCP leaves in the clear; ends with the sender's SSRC */
    INDEX = 4,
    PACKET_MAX = 65535,
    KEYS_MAX = 4096, /* bytes of any back end's keys */
};
static const uint32_t E_FLAG = UINT32_C(1) << 31, INDEX_LAST = INT32_MAX;

/* A packet and what is made for it alone. */
typedef struct work {
    agw_srtp_job job;
    uint8_t aad[HEADER + INDEX];
    alignas(AGW_SRTP_KEY_ALIGN) uint8_t keys[KEYS_MAX];
} work;

static bool is_rtcp(const uint8_t *data, size_t len)
{
    return len >= HEADER && len <= PACKET_MAX && data[0] >> 6 == 2;
}

/* RFC 3711 section 4.1.1: the index in the place of ROC and sequence number, its upper 16 bits
 * zero; RFC 7714 section 9.1 likewise. */
static void set_iv(agw_srtp_job *job, uint32_t index)
{
    const size_t at = job->session->is_gcm ? 2 : 4;
    uint8_t *iv = job->iv;
    memcpy(iv, job->session->rtcp->keys.salt, AGW_SRTP_IV_LEN);
    agw_put32(iv + at, agw_get32(iv + at) ^ agw_get32(job->data + 4));
    agw_put32(iv + at + 6, agw_get32(iv + at + 6) ^ index);
}

/* len: of header and payload. Behind it stands what index_word was made of, for AES-CM. */
static bool begin(work *w, agw_srtp_session *s, uint8_t *data, size_t len, uint32_t index_word)
{
    const size_t key_bytes = s->backend->key_bytes(s->suite);
    AGW_ASSERT(key_bytes <= sizeof w->keys);
    memset(w->keys, 0, key_bytes);
    w->job = (agw_srtp_job){.session = s,
                            .keys = w->keys,
                            .data = data,
                            .header_len = HEADER,
                            .len = len,
                            .aad = w->aad,
                            .aad_len = sizeof w->aad};
    memcpy(w->aad, data, HEADER);
    agw_put32(w->aad + HEADER, index_word);
    set_iv(&w->job, index_word & ~E_FLAG);
    return s->backend->set_keys(w->keys, s, &s->rtcp->keys);
}

static void end(work *w)
{
    const agw_srtp_session *s = w->job.session;
    s->backend->drop_keys(w->keys, s);
    agw_secret_wipe(w->keys, s->backend->key_bytes(s->suite));
}

/* The SSRC's own memory of SRTCP. */
static agw_srtp_stream *rtcp_of(const agw_srtp_session *s, const agw_srtp_stream *stream)
{
    return &s->rtcp->streams[stream - s->streams];
}

/* --- the way out -------------------------------------------------------------------------------
 */

static agw_err take_index(agw_srtp_session *s, uint32_t ssrc, uint32_t *index)
{
    agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc);
    const agw_err err = stream != NULL ? AGW_OK : agw_srtp_session_add(s, ssrc, &stream);
    if (err != AGW_OK)
        return err;
    agw_srtp_stream *rtcp = rtcp_of(s, stream);
    if (rtcp->index >= INDEX_LAST)
        return AGW_ERR_LIMIT;
    rtcp->index++;
    *index = (uint32_t)rtcp->index;
    return AGW_OK;
}

static bool seal(work *w, uint32_t index_word)
{
    agw_srtp_job *job = &w->job;
    const agw_srtp_session *s = job->session;
    const size_t tag_len = s->suite->rtcp_tag_len;
    if (s->is_gcm) {
        s->backend->seal(job);
        agw_put32(job->data + job->len + tag_len, index_word);
        return !job->has_failed;
    }
    s->backend->cipher(s->engine, &job, 1);
    agw_put32(job->data + job->len, index_word);
    s->backend->hash(s->engine, &job, 1);
    memcpy(job->data + job->len + INDEX, job->digest, tag_len);
    return !job->has_failed;
}

agw_err agw_srtp_protect_rtcp(agw_srtp_session *s, uint8_t *data, size_t *len, size_t room)
{
    work w;
    uint32_t index;
    AGW_ASSERT(s->egress);
    if (!is_rtcp(data, *len))
        return AGW_ERR_MALFORMED;
    if (room < s->suite->rtcp_tag_len + INDEX)
        return AGW_ERR_NO_SPACE;
    const agw_err err = take_index(s, agw_get32(data + 4), &index);
    if (err != AGW_OK)
        return err;
    const bool ok = begin(&w, s, data, *len, E_FLAG | index) && seal(&w, E_FLAG | index);
    end(&w);
    if (!ok)
        return AGW_ERR_SYSTEM;
    *len += s->suite->rtcp_tag_len + INDEX;
    return AGW_OK;
}

/* --- the way in --------------------------------------------------------------------------------
 */

/* AGW_OK: authentic, and deciphered. */
static agw_err open(work *w)
{
    agw_srtp_job *job = &w->job;
    const agw_srtp_session *s = job->session;
    if (s->is_gcm)
        return s->backend->open(job) ? AGW_OK : AGW_ERR_AUTH;
    s->backend->hash(s->engine, &job, 1);
    if (job->has_failed ||
        !agw_secret_equal(job->digest, job->data + job->len + INDEX, s->suite->rtcp_tag_len))
        return AGW_ERR_AUTH;
    s->backend->cipher(s->engine, &job, 1);
    return job->has_failed ? AGW_ERR_SYSTEM : AGW_OK;
}

static agw_err unprotect(agw_srtp_session *s, uint8_t *data, size_t len, uint32_t index_word)
{
    static const agw_srtp_stream unknown = {0};
    const uint32_t ssrc = agw_get32(data + 4), index = index_word & ~E_FLAG;
    agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc);
    if (stream == NULL && !agw_srtp_session_has_room(s))
        return AGW_ERR_LIMIT;
    if (!agw_srtp_stream_is_new(stream != NULL ? rtcp_of(s, stream) : &unknown, index))
        return AGW_ERR_REPLAY;
    work w;
    agw_err err = begin(&w, s, data, len, index_word) ? open(&w) : AGW_ERR_SYSTEM;
    end(&w);
    if (err == AGW_OK && stream == NULL)
        err = agw_srtp_session_add(s, ssrc, &stream);
    if (err == AGW_OK)
        agw_srtp_stream_note(rtcp_of(s, stream), index);
    return err;
}

agw_err agw_srtp_unprotect_rtcp(agw_srtp_session *s, uint8_t *data, size_t *len)
{
    AGW_ASSERT(!s->egress);
    const size_t tag_len = s->suite->rtcp_tag_len;
    if (!is_rtcp(data, *len) || *len < HEADER + INDEX + tag_len)
        return AGW_ERR_MALFORMED;
    const uint32_t index_word = agw_get32(data + *len - INDEX - (s->is_gcm ? 0 : tag_len));
    if ((index_word & E_FLAG) == 0)
        return AGW_ERR_AUTH; /* not encrypted: we never agree to that */
    const size_t plain_len = *len - INDEX - tag_len;
    const agw_err err = unprotect(s, data, plain_len, index_word);
    if (err == AGW_OK)
        *len = plain_len;
    return err;
}
