/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/rand.h"

#include "base/err.h"

#include <limits.h>
#include <openssl/rand.h>

void agw_rand_bytes(void *out, size_t len)
{
    AGW_ASSERT(len <= INT_MAX && RAND_bytes(out, (int)len) == 1);
}

uint32_t agw_rand32(void)
{
    uint32_t v;
    agw_rand_bytes(&v, sizeof v);
    return v;
}

void agw_rand_text(char *out, size_t len)
{
    static const char ICE_CHARS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    agw_rand_bytes(out, len);
    for (size_t i = 0; i < len; i++)
        out[i] = ICE_CHARS[(unsigned char)out[i] & 63];
    out[len] = '\0';
}
