/* SPDX-License-Identifier: BSD-3-Clause
 * The batch on libipsec-mb: AES-CM as one burst of ciphers and one burst of HMACs, many packets
 * side by side in wide registers; GCM by direct calls, for it gains nothing from company.
 *
 * Two managers: the widest that the processor has, and SSE with SHA-NI, which takes two packets at
 * a time where AVX-512 takes sixteen. A lone packet costs four times as much in the wide one
 * (docs/adr/0009). */
#define NO_COMPAT_IMB_API_053 /* its short names meet those of OpenSSL */

#include "base/prefetch.h"
#include "base/secret.h"
#include "srtp/inside.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDE_FROM = 12, /* packets in a burst of HMACs */
    AES_BLOCK = 16,
    ROUND_KEYS_128 = 11,
    ROUND_KEYS_MAX = 15,
    HMAC_OUT = 12, /* the library writes 12 or 20 bytes, no other tag */
    GCM_TAG = 16,
    POWERS_VAES = 11 * AES_BLOCK, /* bytes of powers of the hash key that 160 bytes of voice take */
    POWERS = 16 * AES_BLOCK,      /* without VAES: 8 of them and what is made of them */
};

typedef struct engine {
    agw_srtp_engine head;
    IMB_MGR *narrow, *wide; /* may be the same */
    IMB_JOB ciphers[AGW_SRTP_CHUNK], hashes[AGW_SRTP_CHUNK];
    size_t powers_at, powers_bytes; /* where in a gcm_key_data they stand */
} engine;

static const agw_srtp_backend backend;

static engine *engine_of(agw_srtp_engine *e)
{
    return (engine *)(void *)e;
}

static bool has(uint64_t features, uint64_t wanted)
{
    return (features & wanted) == wanted;
}

/* AES-CM: HMAC states, then the round keys, which are longer with AES-256. */
typedef struct cm_keys {
    uint32_t inner[5], outer[5];
    alignas(AES_BLOCK) uint8_t round_keys[];
} cm_keys;

/* --- keys --------------------------------------------------------------------------------------
 */

static size_t key_bytes(const agw_srtp_suite_info *suite)
{
    const size_t rounds = suite->key_len == 32 ? ROUND_KEYS_MAX : ROUND_KEYS_128;
    const size_t gcm_salt = 12;
    return suite->salt_len == gcm_salt ? sizeof(struct gcm_key_data)
                                       : sizeof(cm_keys) + rounds * AES_BLOCK;
}

static void hmac_state(IMB_MGR *m, const uint8_t key[AGW_SRTP_AUTH_LEN], uint8_t fill,
                       uint32_t out[5])
{
    uint8_t block[IMB_SHA1_BLOCK_SIZE];
    memset(block, fill, sizeof block);
    for (size_t i = 0; i < AGW_SRTP_AUTH_LEN; i++)
        block[i] ^= key[i];
    IMB_SHA1_ONE_BLOCK(m, block, out);
    agw_secret_wipe(block, sizeof block);
}

static void set_cm_keys(IMB_MGR *m, cm_keys *k, const agw_srtp_session *s,
                        const agw_srtp_keys *from)
{
    alignas(AES_BLOCK) uint8_t unused[ROUND_KEYS_MAX * AES_BLOCK]; /* to decipher blocks */
    hmac_state(m, from->auth, 0x36, k->inner);
    hmac_state(m, from->auth, 0x5c, k->outer);
    if (s->suite->key_len == IMB_KEY_256_BYTES)
        IMB_AES_KEYEXP_256(m, from->cipher, k->round_keys, unused);
    else
        IMB_AES_KEYEXP_128(m, from->cipher, k->round_keys, unused);
    agw_secret_wipe(unused, sizeof unused);
}

/* GCM keys have to be aligned to 64 bytes; the library's own declaration forgets to ask for that.
 */
static bool set_keys(void *out, const agw_srtp_session *s, const agw_srtp_keys *from)
{
    IMB_MGR *m = engine_of(s->engine)->wide; /* GCM keys look different in every manager */
    if (!s->is_gcm)
        set_cm_keys(m, out, s, from);
    else if (s->suite->key_len == IMB_KEY_256_BYTES)
        IMB_AES256_GCM_PRE(m, from->cipher, out);
    else
        IMB_AES128_GCM_PRE(m, from->cipher, out);
    return true;
}

static void drop_keys(void *keys, const agw_srtp_session *s)
{
    (void)keys, (void)s;
}

/* --- AES-CM ------------------------------------------------------------------------------------
 */

/* The burst has one key length; an empty payload is no job. */
static void cipher_burst(engine *e, agw_srtp_job *const jobs[], size_t n, IMB_KEY_SIZE_BYTES bytes)
{
    uint32_t n_burst = 0;
    for (size_t i = 0; i < n; i++) {
        const agw_srtp_job *job = jobs[i];
        if (job->session->suite->key_len != (size_t)bytes || job->len == job->header_len)
            continue;
        const cm_keys *k = job->keys;
        IMB_JOB *out = &e->ciphers[n_burst];
        n_burst++;
        out->enc_keys = k->round_keys;
        out->src = job->data + job->header_len;
        out->dst = job->data + job->header_len;
        out->msg_len_to_cipher_in_bytes = job->len - job->header_len;
        out->iv = job->iv;
    }
    if (n_burst > 0)
        AGW_ASSERT(IMB_SUBMIT_CIPHER_BURST_NOCHECK(e->wide, e->ciphers, n_burst, IMB_CIPHER_CNTR,
                                                   IMB_DIR_ENCRYPT, bytes) == n_burst);
}

static void cipher(agw_srtp_engine *head, agw_srtp_job *const jobs[], size_t n)
{
    cipher_burst(engine_of(head), jobs, n, IMB_KEY_128_BYTES);
    cipher_burst(engine_of(head), jobs, n, IMB_KEY_256_BYTES);
}

static void hash(agw_srtp_engine *head, agw_srtp_job *const jobs[], size_t n)
{
    engine *e = engine_of(head);
    for (size_t i = 0; i < n; i++) {
        IMB_JOB *out = &e->hashes[i];
        const cm_keys *k = jobs[i]->keys;
        out->src = jobs[i]->data;
        out->msg_len_to_hash_in_bytes = jobs[i]->len + AGW_SRTP_ROC_LEN;
        out->auth_tag_output = jobs[i]->digest;
        out->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)k->inner;
        out->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)k->outer;
    }
    AGW_ASSERT(IMB_SUBMIT_HASH_BURST_NOCHECK(n < WIDE_FROM ? e->narrow : e->wide, e->hashes,
                                             (uint32_t)n, IMB_AUTH_HMAC_SHA_1) == n);
}

/* --- GCM ---------------------------------------------------------------------------------------
 */

/* With VAES the library keeps 48 powers, the highest first, and a packet takes the last ones; else
 * they follow the round keys. */
static void find_powers(engine *e)
{
    const bool is_vaes = has(e->wide->features, IMB_CPUFLAGS_AVX512_T2);
    e->powers_bytes = is_vaes ? POWERS_VAES : POWERS;
    e->powers_at = is_vaes ? sizeof(struct gcm_key_data) - POWERS_VAES
                           : offsetof(struct gcm_key_data, ghash_keys);
}

static void warm(const agw_srtp_session *s)
{
    const engine *e = engine_of(s->engine);
    if (s->is_gcm)
        agw_prefetch_span(s->keys + e->powers_at, e->powers_bytes);
}

static void seal(agw_srtp_job *job)
{
    const agw_srtp_session *s = job->session;
    const IMB_MGR *m = engine_of(s->engine)->wide;
    struct gcm_context_data context;
    uint8_t *text = job->data + job->header_len;
    (s->suite->key_len == IMB_KEY_256_BYTES ? m->gcm256_enc : m->gcm128_enc)(
        job->keys, &context, text, text, job->len - job->header_len, job->iv, job->aad,
        job->aad_len, job->data + job->len, GCM_TAG);
}

/* The library deciphers as it hashes; the caller throws away what turns out to be forged. */
static bool open(agw_srtp_job *job)
{
    const agw_srtp_session *s = job->session;
    const IMB_MGR *m = engine_of(s->engine)->wide;
    struct gcm_context_data context;
    uint8_t *text = job->data + job->header_len;
    (s->suite->key_len == IMB_KEY_256_BYTES ? m->gcm256_dec : m->gcm128_dec)(
        job->keys, &context, text, text, job->len - job->header_len, job->iv, job->aad,
        job->aad_len, job->digest, GCM_TAG);
    return agw_secret_equal(job->digest, job->data + job->len, GCM_TAG);
}

static const agw_srtp_backend backend = {
    .name = "libipsec-mb",
    .key_bytes = key_bytes,
    .set_keys = set_keys,
    .drop_keys = drop_keys,
    .warm = warm,
    .cipher = cipher,
    .hash = hash,
    .seal = seal,
    .open = open,
};

/* --- life --------------------------------------------------------------------------------------
 */

/* NULL: no memory, or the library fails its own known answers. */
static IMB_MGR *manager(void (*init)(IMB_MGR *))
{
    IMB_MGR *m = alloc_mb_mgr(0);
    if (m == NULL)
        return NULL;
    init(m);
    if (imb_get_errno(m) == 0 && has(m->features, IMB_FEATURE_SELF_TEST_PASS))
        return m;
    free_mb_mgr(m);
    return NULL;
}

static bool make_managers(engine *e)
{
    const uint64_t features = imb_get_feature_flags();
    if (!has(features, IMB_CPUFLAGS_SSE))
        return false;
    e->narrow = manager(init_mb_mgr_sse);
    e->wide = e->narrow;
    if (has(features, IMB_CPUFLAGS_AVX512))
        e->wide = manager(init_mb_mgr_avx512);
    else if (has(features, IMB_CPUFLAGS_AVX2))
        e->wide = manager(init_mb_mgr_avx2);
    if (e->narrow == NULL || e->wide == NULL)
        return false;
    find_powers(e);
    return true;
}

agw_srtp_engine *agw_srtp_engine_new(void)
{
    engine *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->head.backend = &backend;
    for (size_t i = 0; i < AGW_SRTP_CHUNK; i++) {
        e->ciphers[i].iv_len_in_bytes = AGW_SRTP_IV_LEN;
        e->hashes[i].auth_tag_output_len_in_bytes = HMAC_OUT;
    }
    if (make_managers(e))
        return &e->head;
    agw_srtp_engine_free(&e->head);
    return NULL;
}

void agw_srtp_engine_free(agw_srtp_engine *e)
{
    engine *own = engine_of(e);
    if (own == NULL)
        return;
    if (own->wide != NULL && own->wide != own->narrow)
        free_mb_mgr(own->wide);
    if (own->narrow != NULL)
        free_mb_mgr(own->narrow);
    free(own);
}

const char *agw_srtp_engine_name(const agw_srtp_engine *e)
{
    return agw_srtp_backend_of(e)->name;
}
