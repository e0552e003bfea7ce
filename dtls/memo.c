/* SPDX-License-Identifier: BSD-3-Clause
 * The provider's functions run as they always do, beside a hash of ours over the same text; only
 * the last one, which computes with the curve, is left out when all is as remembered. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "dtls/memo.h"

#include "base/err.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    NAME = 32,
    POINT = 136, /* of P-521 */
    SIGNATURE = 144,
    FUNCTIONS = 40,
};

/* What makes two verifications the same. */
typedef struct question {
    char hash[NAME], curve[NAME];
    uint8_t point[POINT];
    size_t point_len;
    uint8_t text[SHA256_DIGEST_LENGTH];
    uint8_t signature[SIGNATURE];
    size_t signature_len;
} question;

/* The verification that goes on in this thread, and the last one that was good. */
static _Thread_local struct {
    const void *context; /* the provider's; NULL = none */
    question asked;
    SHA256_CTX text;
    question good;
    bool has_good;
    uint64_t used;
} memo;

static struct {
    OSSL_FUNC_signature_dupctx_fn *dupctx;
    OSSL_FUNC_signature_digest_verify_init_fn *begin;
    OSSL_FUNC_signature_digest_verify_update_fn *update;
    OSSL_FUNC_signature_digest_verify_final_fn *final;
    OSSL_FUNC_keymgmt_get_params_fn *get_params;
} theirs;

static bool note_key(question *q, void *key)
{
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, q->curve, sizeof q->curve),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, q->point, sizeof q->point),
        OSSL_PARAM_construct_end(),
    };
    if (key == NULL || theirs.get_params(key, wanted) != 1 || !OSSL_PARAM_modified(&wanted[0]) ||
        !OSSL_PARAM_modified(&wanted[1]) || wanted[1].return_size > sizeof q->point)
        return false;
    q->point_len = wanted[1].return_size;
    return true;
}

static int begin(void *context, const char *hash, void *key, const OSSL_PARAM params[])
{
    memo.context = NULL;
    memset(&memo.asked, 0, sizeof memo.asked);
    if (hash != NULL && strlen(hash) < sizeof memo.asked.hash && note_key(&memo.asked, key)) {
        memcpy(memo.asked.hash, hash, strlen(hash));
        SHA256_Init(&memo.text);
        memo.context = context;
    }
    return theirs.begin(context, hash, key, params);
}

static int update(void *context, const unsigned char *data, size_t len)
{
    if (context == memo.context)
        SHA256_Update(&memo.text, data, len);
    return theirs.update(context, data, len);
}

/* libssl finishes a copy. */
static void *duplicate(void *context)
{
    void *copy = theirs.dupctx(context);
    if (copy != NULL && context == memo.context)
        memo.context = copy;
    return copy;
}

static int final(void *context, const unsigned char *signature, size_t len)
{
    question *asked = &memo.asked;
    const bool is_noted = context == memo.context && len <= sizeof asked->signature;
    memo.context = NULL;
    if (!is_noted)
        return theirs.final(context, signature, len);
    SHA256_Final(asked->text, &memo.text);
    memcpy(asked->signature, signature, len);
    asked->signature_len = len;
    if (memo.has_good && memcmp(asked, &memo.good, sizeof *asked) == 0) {
        memo.used++;
        return 1;
    }
    const int answer = theirs.final(context, signature, len);
    if (answer == 1) {
        memcpy(&memo.good, asked, sizeof memo.good);
        memo.has_good = true;
    }
    return answer;
}

uint64_t agw_memo_used(void)
{
    return memo.used;
}

/* Of the entry that ends the table: there is no such function. */
static size_t index_of(const OSSL_DISPATCH *in, int id)
{
    size_t i = 0;
    while (in[i].function_id != 0 && in[i].function_id != id)
        i++;
    return i;
}

static bool has_all(const OSSL_DISPATCH *in, const int ids[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (in[index_of(in, ids[i])].function_id == 0)
            return false;
    }
    return true;
}

static void put(OSSL_DISPATCH *in, int id, void (*ours)(void))
{
    in[index_of(in, id)].function = ours;
}

const void *agw_memo_of(const void *ecdsa, const void *keys)
{
    static const int NEEDED[] = {OSSL_FUNC_SIGNATURE_DUPCTX, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                 OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE,
                                 OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL};
    static const int NEEDED_OF_KEYS[] = {OSSL_FUNC_KEYMGMT_GET_PARAMS};
    static OSSL_DISPATCH with[FUNCTIONS];
    const OSSL_DISPATCH *from = ecdsa, *of_keys = keys;
    const size_t n = index_of(from, 0);
    if (n >= FUNCTIONS || !has_all(from, NEEDED, sizeof NEEDED / sizeof NEEDED[0]) ||
        !has_all(of_keys, NEEDED_OF_KEYS, 1))
        return NULL;
    memcpy(with, from, n * sizeof *with);
    theirs.dupctx = OSSL_FUNC_signature_dupctx(&from[index_of(from, NEEDED[0])]);
    theirs.begin = OSSL_FUNC_signature_digest_verify_init(&from[index_of(from, NEEDED[1])]);
    theirs.update = OSSL_FUNC_signature_digest_verify_update(&from[index_of(from, NEEDED[2])]);
    theirs.final = OSSL_FUNC_signature_digest_verify_final(&from[index_of(from, NEEDED[3])]);
    theirs.get_params =
        OSSL_FUNC_keymgmt_get_params(&of_keys[index_of(of_keys, NEEDED_OF_KEYS[0])]);
    put(with, NEEDED[0], (void (*)(void))duplicate);
    put(with, NEEDED[1], (void (*)(void))begin);
    put(with, NEEDED[2], (void (*)(void))update);
    put(with, NEEDED[3], (void (*)(void)) final);
    return with;
}
