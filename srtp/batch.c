/* SPDX-License-Identifier: BSD-3-Clause
 * The order of things for a batch: which index a packet has, whether it is new, hash, compare,
 * decipher, and only then the stream's state (RFC 3711 section 3.3, RFC 7714 section 8).
 *
 * Ciphers and hashes of AES-CM run for all packets at once. On the way in this needs the indexes
 * before the packets ahead in the batch are known to be authentic; so they are guessed from the
 * state before the batch, and a packet whose index turns out to be another one is hashed again. GCM
 * gains nothing from company: it goes packet by packet. */
#include "srtp/batch.h"

#include "base/secret.h"
#include "base/wire.h"
#include "srtp/inside.h"

#include <string.h>

enum {
    RTP_HEADER = 12,
    PACKET_MAX = 65535,
};

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

static uint16_t seq_of(const agw_srtp_job *job)
{
    return agw_get16(job->data + 2);
}

static uint32_t ssrc_of(const agw_srtp_job *job)
{
    return agw_get32(job->data + 8);
}

static uint32_t roc_of(const agw_srtp_job *job)
{
    return (uint32_t)(job->index >> 16);
}

static agw_err begin(agw_srtp_job *job, agw_srtp_op *op)
{
    job->op = op;
    job->session = op->session;
    job->keys = op->session->keys;
    job->data = op->data;
    job->aad = op->data;
    job->len = op->len;
    job->is_hashed = false;
    job->has_failed = false;
    job->header_len = rtp_header_len(op->data, op->len);
    job->aad_len = job->header_len;
    return job->header_len != 0 ? AGW_OK : AGW_ERR_MALFORMED;
}

/* RFC 3711 section 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16; RFC 7714 section 8.1: two
 * zero bytes, SSRC, ROC and SEQ, XOR salt. The same but for the place of the SSRC. */
static void set_iv(agw_srtp_job *job)
{
    const size_t at = job->session->is_gcm ? 2 : 4;
    uint8_t *iv = job->iv;
    memcpy(iv, job->session->salt, AGW_SRTP_IV_LEN);
    agw_put32(iv + at, agw_get32(iv + at) ^ ssrc_of(job));
    agw_put32(iv + at + 4, agw_get32(iv + at + 4) ^ roc_of(job));
    agw_put16(iv + at + 8, (uint16_t)(agw_get16(iv + at + 8) ^ seq_of(job)));
}

static void put_roc(const agw_srtp_job *job)
{
    agw_put32(job->data + job->len, roc_of(job));
}

static void warm(const agw_srtp_backend *backend, const agw_srtp_op ops[], size_t n)
{
    for (size_t i = 0; backend->warm != NULL && i < n; i++)
        backend->warm(ops[i].session);
}

/* --- the way out -------------------------------------------------------------------------------
 */

/* From here on the index is used, whatever happens to the packet. */
static agw_err take_index(agw_srtp_job *job)
{
    agw_srtp_session *s = job->session;
    agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc_of(job));
    agw_err err = stream != NULL ? AGW_OK : agw_srtp_session_add(s, ssrc_of(job), &stream);
    if (err == AGW_OK)
        err = agw_srtp_stream_guess(stream, seq_of(job), &job->index);
    if (err != AGW_OK)
        return err;
    if (!agw_srtp_stream_is_new(stream, job->index))
        return AGW_ERR_REPLAY;
    agw_srtp_stream_note(stream, job->index);
    return AGW_OK;
}

static agw_err admit(agw_srtp_job *job, agw_srtp_op *op)
{
    AGW_ASSERT(op->session->egress);
    const agw_err err = begin(job, op);
    if (err != AGW_OK)
        return err;
    if (op->room < op->session->suite->rtp_tag_len)
        return AGW_ERR_NO_SPACE;
    return take_index(job);
}

static void finish(agw_srtp_job *job)
{
    const size_t tag_len = job->session->suite->rtp_tag_len;
    if (!job->session->is_gcm)
        memcpy(job->data + job->len, job->digest, tag_len);
    job->op->err = job->has_failed ? AGW_ERR_SYSTEM : AGW_OK;
    if (!job->has_failed)
        job->op->len += tag_len;
}

static void protect_chunk(agw_srtp_engine *e, agw_srtp_op ops[], size_t n)
{
    const agw_srtp_backend *backend = agw_srtp_backend_of(e);
    agw_srtp_job jobs[AGW_SRTP_CHUNK], *list[AGW_SRTP_CHUNK];
    size_t n_list = 0;
    warm(backend, ops, n);
    for (size_t i = 0; i < n; i++) {
        agw_srtp_job *job = &jobs[i];
        ops[i].err = admit(job, &ops[i]);
        if (ops[i].err != AGW_OK)
            continue;
        set_iv(job);
        if (job->session->is_gcm) {
            backend->seal(job);
            finish(job);
        } else {
            list[n_list] = job;
            n_list++;
        }
    }
    if (n_list == 0)
        return;
    backend->cipher(e, list, n_list);
    for (size_t i = 0; i < n_list; i++)
        put_roc(list[i]);
    backend->hash(e, list, n_list);
    for (size_t i = 0; i < n_list; i++)
        finish(list[i]);
}

/* --- the way in --------------------------------------------------------------------------------
 */

static agw_err open_envelope(agw_srtp_job *job, agw_srtp_op *op)
{
    AGW_ASSERT(!op->session->egress);
    const size_t tag_len = op->session->suite->rtp_tag_len;
    const agw_err err = begin(job, op);
    if (err != AGW_OK)
        return err;
    if (op->len - job->header_len < tag_len)
        return AGW_ERR_MALFORMED;
    job->len = op->len - tag_len;
    return AGW_OK;
}

/* An index that the packet can have only if nothing ahead in the batch moves the stream far.
 * false: going by what is known now it will be refused, and costs no hash. */
static bool guess_early(agw_srtp_job *job)
{
    const agw_srtp_session *s = job->session;
    const agw_srtp_stream *stream = agw_srtp_session_find(job->session, ssrc_of(job));
    job->index = seq_of(job);
    if (stream == NULL)
        return s->n_streams < AGW_SRTP_SSRC_MAX;
    return agw_srtp_stream_guess(stream, seq_of(job), &job->index) == AGW_OK &&
           agw_srtp_stream_is_new(stream, job->index);
}

/* The roll-over counter takes the tag's place while it is hashed. */
static bool is_authentic(agw_srtp_job *job, uint64_t index)
{
    const agw_srtp_session *s = job->session;
    if (job->session->is_gcm) {
        job->index = index;
        set_iv(job);
        return s->backend->open(job);
    }
    if (!job->is_hashed || job->index != index) {
        job->index = index;
        put_roc(job);
        s->backend->hash(s->engine, &job, 1);
    }
    return !job->has_failed && agw_secret_equal(job->tag, job->digest, s->suite->rtp_tag_len);
}

static agw_err authenticate(agw_srtp_job *job)
{
    static const agw_srtp_stream unknown = {0};
    agw_srtp_session *s = job->session;
    agw_srtp_stream *stream = agw_srtp_session_find(s, ssrc_of(job));
    const agw_srtp_stream *known = stream != NULL ? stream : &unknown;
    uint64_t index = 0;
    if (agw_srtp_stream_guess(known, seq_of(job), &index) != AGW_OK)
        return AGW_ERR_LIMIT;
    if (!agw_srtp_stream_is_new(known, index))
        return AGW_ERR_REPLAY;
    if (stream == NULL && !agw_srtp_session_has_room(s))
        return AGW_ERR_LIMIT;
    if (!is_authentic(job, index))
        return AGW_ERR_AUTH;
    const agw_err err = stream != NULL ? AGW_OK : agw_srtp_session_add(s, ssrc_of(job), &stream);
    if (err == AGW_OK)
        agw_srtp_stream_note(stream, index);
    return err;
}

/* Saves the tags, then hashes. */
static void hash_early(agw_srtp_engine *e, agw_srtp_job *const jobs[], size_t n)
{
    agw_srtp_job *list[AGW_SRTP_CHUNK];
    size_t n_list = 0;
    for (size_t i = 0; i < n; i++) {
        agw_srtp_job *job = jobs[i];
        memcpy(job->tag, job->data + job->len, job->session->suite->rtp_tag_len);
        if (!guess_early(job))
            continue;
        job->is_hashed = true;
        put_roc(job);
        list[n_list] = job;
        n_list++;
    }
    if (n_list > 0)
        agw_srtp_backend_of(e)->hash(e, list, n_list);
}

static void decipher(agw_srtp_engine *e, agw_srtp_job *const jobs[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        set_iv(jobs[i]);
    if (n > 0)
        agw_srtp_backend_of(e)->cipher(e, jobs, n);
    for (size_t i = 0; i < n; i++) {
        jobs[i]->op->err = jobs[i]->has_failed ? AGW_ERR_SYSTEM : AGW_OK;
        if (!jobs[i]->has_failed)
            jobs[i]->op->len = jobs[i]->len;
    }
}

static void unprotect_chunk(agw_srtp_engine *e, agw_srtp_op ops[], size_t n)
{
    agw_srtp_job jobs[AGW_SRTP_CHUNK], *list[AGW_SRTP_CHUNK];
    size_t n_list = 0, n_authentic = 0;
    warm(agw_srtp_backend_of(e), ops, n);
    for (size_t i = 0; i < n; i++) {
        agw_srtp_job *job = &jobs[i];
        ops[i].err = open_envelope(job, &ops[i]);
        if (ops[i].err != AGW_OK)
            continue;
        if (!job->session->is_gcm) {
            list[n_list] = job;
            n_list++;
            continue;
        }
        ops[i].err = authenticate(job);
        if (ops[i].err == AGW_OK)
            ops[i].len = job->len;
    }
    hash_early(e, list, n_list);
    for (size_t i = 0; i < n_list; i++) {
        agw_srtp_job *job = list[i];
        job->op->err = authenticate(job);
        if (job->op->err != AGW_OK)
            continue;
        list[n_authentic] = job;
        n_authentic++;
    }
    decipher(e, list, n_authentic);
}

/* --- both --------------------------------------------------------------------------------------
 */

typedef void chunk_function(agw_srtp_engine *e, agw_srtp_op ops[], size_t n);

static void in_chunks(chunk_function *work, agw_srtp_engine *e, agw_srtp_op ops[], size_t n)
{
    for (size_t at = 0; at < n; at += AGW_SRTP_CHUNK) {
        const size_t left = n - at;
        const size_t some = left < AGW_SRTP_CHUNK ? left : AGW_SRTP_CHUNK;
        for (size_t i = 0; i < some; i++)
            AGW_ASSERT(ops[at + i].session->engine == e);
        work(e, ops + at, some);
    }
}

void agw_srtp_batch_protect(agw_srtp_engine *e, agw_srtp_op ops[], size_t n)
{
    in_chunks(protect_chunk, e, ops, n);
}

void agw_srtp_batch_unprotect(agw_srtp_engine *e, agw_srtp_op ops[], size_t n)
{
    in_chunks(unprotect_chunk, e, ops, n);
}
