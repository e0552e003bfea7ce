/* SPDX-License-Identifier: BSD-3-Clause
 * A provider that hands out part of what the default provider has: its tables are filtered, its
 * functions and their context stay its own. */
#include "dtls/library.h"

#include "base/err.h"
#include "dtls/memo.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { OPERATIONS = OSSL_OP__HIGHEST + 1 };

/* By operation; the first of an algorithm's names. */
static const char *const WANTED[OPERATIONS][10] = {
    [OSSL_OP_DIGEST] = {"SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512"},
    [OSSL_OP_CIPHER] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CTR"},
    [OSSL_OP_MAC] = {"HMAC"},
    [OSSL_OP_KDF] = {"TLS1-PRF"},
    [OSSL_OP_RAND] = {"CTR-DRBG", "SEED-SRC"},
    [OSSL_OP_KEYMGMT] = {"EC", "X25519", "RSA", "RSA-PSS", "ED25519"},
    [OSSL_OP_KEYEXCH] = {"ECDH", "X25519"},
    [OSSL_OP_SIGNATURE] = {"ECDSA", "RSA", "ED25519"},
    [OSSL_OP_ENCODER] = {"EC"},
    [OSSL_OP_DECODER] = {"EC", "RSA", "RSA-PSS", "ED25519"},
};

static OSSL_PROVIDER *whole; /* the default provider */
static OSSL_ALGORITHM *part[OPERATIONS];
static OSSL_LIB_CTX *library;

static bool is_named(const OSSL_ALGORITHM *a, const char *name)
{
    const size_t len = strcspn(a->algorithm_names, ":");
    return len == strlen(name) && strncmp(a->algorithm_names, name, len) == 0;
}

/* Of the keys' many forms only the one that stands in certificates is read. */
static bool is_of_certificates(const OSSL_ALGORITHM *a)
{
    return strstr(a->property_definition, "structure=SubjectPublicKeyInfo") != NULL &&
           strstr(a->property_definition, "input=der") != NULL;
}

static bool is_wanted(int operation, const OSSL_ALGORITHM *a)
{
    const char *const *name = WANTED[operation];
    while (*name != NULL && !is_named(a, *name))
        name++;
    return *name != NULL && (operation != OSSL_OP_DECODER || is_of_certificates(a));
}

static void take_part(int operation)
{
    int no_cache = 0;
    size_t n = 0, kept = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, operation, &no_cache);
    while (all != NULL && all[n].algorithm_names != NULL)
        n++;
    part[operation] = calloc(n + 1, sizeof *part[operation]);
    AGW_ASSERT(part[operation] != NULL);
    for (size_t i = 0; i < n; i++) {
        if (is_wanted(operation, &all[i]))
            part[operation][kept++] = all[i];
    }
}

static OSSL_ALGORITHM *algorithm(int operation, const char *name)
{
    OSSL_ALGORITHM *a = part[operation];
    while (a->algorithm_names != NULL && !is_named(a, name))
        a++;
    return a->algorithm_names != NULL ? a : NULL;
}

static void remember_signatures(void)
{
    OSSL_ALGORITHM *ecdsa = algorithm(OSSL_OP_SIGNATURE, "ECDSA");
    const OSSL_ALGORITHM *keys = algorithm(OSSL_OP_KEYMGMT, "EC");
    const void *with = ecdsa != NULL && keys != NULL
                           ? agw_memo_of(ecdsa->implementation, keys->implementation)
                           : NULL;
    if (with != NULL)
        ecdsa->implementation = with;
}

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    return (unsigned)operation < OPERATIONS ? part[operation] : NULL;
}

/* The groups of TLS, of which libssl leaves out those whose keys are not here. */
static int capabilities(void *context, const char *which, OSSL_CALLBACK *take, void *arg)
{
    (void)context;
    return OSSL_PROVIDER_get_capabilities(whole, which, take, arg);
}

static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                const OSSL_DISPATCH **functions, void **context)
{
    static const OSSL_DISPATCH ours[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities},
        {0, NULL},
    };
    (void)handle;
    (void)core;
    *functions = ours;
    *context = OSSL_PROVIDER_get0_provider_ctx(whole);
    return 1;
}

static void make(void)
{
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();
    whole = OSSL_PROVIDER_load(NULL, "default");
    if (made == NULL || whole == NULL) {
        OSSL_LIB_CTX_free(made);
        return;
    }
    for (int operation = 1; operation < OPERATIONS; operation++)
        take_part(operation);
    remember_signatures();
    if (OSSL_PROVIDER_add_builtin(made, "agw", init) == 1 &&
        OSSL_PROVIDER_load(made, "agw") != NULL)
        library = made;
    else
        OSSL_LIB_CTX_free(made);
}

void *agw_dtls_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make);
    return library;
}
