/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/secret.h"

#include <openssl/crypto.h>
#include <string.h>

bool agw_secret_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void agw_secret_wipe(void *p, size_t len)
{
    explicit_bzero(p, len);
}
