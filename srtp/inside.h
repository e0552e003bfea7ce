/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this room share: the session, a packet on its way, and the table of functions
 * that a crypto library (OpenSSL, libipsec-mb) fills in. */
#ifndef AGW_SRTP_INSIDE_H
#define AGW_SRTP_INSIDE_H

#include "srtp/batch.h"
#include "srtp/stream.h"

#include <stdalign.h>

enum {
    AGW_SRTP_CHUNK = 64,    /* packets that the back ends take at once */
    AGW_SRTP_IV_LEN = 16,   /* AES-CM; GCM uses the first 12 bytes */
    AGW_SRTP_AUTH_LEN = 20, /* key of HMAC-SHA1 */
    AGW_SRTP_ROC_LEN = 4,   /* hashed behind the packet */
    AGW_SRTP_KEY_ALIGN = 64,
};

struct agw_srtp_backend;
struct agw_srtcp;

struct agw_srtp_session {
    const agw_srtp_suite_info *suite;
    agw_srtp_engine *engine; /* borrowed; NULL = OpenSSL */
    const struct agw_srtp_backend *backend;
    struct agw_srtcp *rtcp; /* behind the keys */
    bool egress, is_gcm;
    uint8_t n_streams, streams_room;
    uint32_t bytes;           /* of this object and all that stands behind it */
    agw_srtp_stream *streams; /* first_streams, or on the heap when there are more */
    agw_srtp_stream first_streams[2];
    uint8_t salt[AGW_SRTP_IV_LEN];              /* session salt, zeros behind it */
    alignas(AGW_SRTP_KEY_ALIGN) uint8_t keys[]; /* the back end's, for RTP */
};

/** Session keys (RFC 3711 section 4.3). */
typedef struct agw_srtp_keys {
    uint8_t cipher[32], auth[AGW_SRTP_AUTH_LEN], salt[AGW_SRTP_IV_LEN];
} agw_srtp_keys;

/** false: OpenSSL refuses. key_and_salt is as long as the suite says; wipe both after use. */
bool agw_srtp_derive(agw_srtp_keys *rtp, agw_srtp_keys *rtcp, const agw_srtp_suite_info *suite,
                     const uint8_t *key_and_salt);

/** The SRTCP of a session. It comes every few seconds: so its keys stand here as they are, and are
 * made ready for the back end packet by packet. */
typedef struct agw_srtcp {
    agw_srtp_keys keys;
    agw_srtp_stream *streams; /* as many as the session has places for, in the same order */
    agw_srtp_stream first_streams[2];
} agw_srtcp;

/** NULL: not one that this session has. */
agw_srtp_stream *agw_srtp_session_find(const agw_srtp_session *s, uint32_t ssrc);
/** false: it serves as many SSRCs as it may; counted. */
bool agw_srtp_session_has_room(const agw_srtp_session *s);
/** A new one. AGW_ERR_LIMIT (counted); AGW_ERR_SYSTEM. Pointers to other streams end. */
AGW_NODISCARD agw_err agw_srtp_session_add(agw_srtp_session *s, uint32_t ssrc,
                                           agw_srtp_stream **out);

/** One packet on its way. */
typedef struct agw_srtp_job {
    agw_srtp_op *op;
    agw_srtp_session *session;
    void *keys; /* the back end's */
    uint8_t *data;
    size_t header_len;
    const uint8_t *aad; /* GCM: what is hashed in front of the payload */
    size_t aad_len;
    size_t len; /* header and payload; the tag stands or will stand behind */
    uint64_t index;
    bool is_hashed; /* under index */
    bool has_failed;
    uint8_t tag[16]; /* as it came */
    alignas(16) uint8_t iv[AGW_SRTP_IV_LEN];
    alignas(16) uint8_t digest[20]; /* at least the first 12 bytes */
} agw_srtp_job;

/** Lengths have been checked, IVs are set. A job that a library refuses gets has_failed. */
typedef struct agw_srtp_backend {
    const char *name;
    size_t (*key_bytes)(const agw_srtp_suite_info *suite);
    /* out: as many bytes as key_bytes() says, aligned to AGW_SRTP_KEY_ALIGN and zeroed. */
    bool (*set_keys)(void *out, const agw_srtp_session *s, const agw_srtp_keys *keys);
    void (*drop_keys)(void *keys, const agw_srtp_session *s); /* what they point to; the caller
                                                                  wipes them */
    /* Asks for the part of the keys that stands far from the session; NULL: there is none. */
    void (*warm)(const agw_srtp_session *s);
    /* AES-CM: payload, both directions */
    void (*cipher)(agw_srtp_engine *e, agw_srtp_job *const jobs[], size_t n);
    /* HMAC-SHA1 of len bytes and the roll-over counter, which stands behind them */
    void (*hash)(agw_srtp_engine *e, agw_srtp_job *const jobs[], size_t n);
    /* GCM; the tag is written or read behind the payload */
    void (*seal)(agw_srtp_job *job);
    bool (*open)(agw_srtp_job *job);
} agw_srtp_backend;

extern const agw_srtp_backend agw_srtp_openssl;

/** What every engine begins with. */
struct agw_srtp_engine {
    const agw_srtp_backend *backend;
};

static inline const agw_srtp_backend *agw_srtp_backend_of(const agw_srtp_engine *e)
{
    return e != NULL ? e->backend : &agw_srtp_openssl;
}

#endif
