/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/rand.h"

#include "base/err.h"
#include "base/secret.h"

#include <limits.h>
#include <openssl/rand.h>
#include <string.h>

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

/* Random bytes to ice-chars. */
static void make_text(char *out, size_t len)
{
    static const char ICE_CHARS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i++)
        out[i] = ICE_CHARS[(unsigned char)out[i] & 63];
    out[len] = '\0';
}

void agw_rand_text(char *out, size_t len)
{
    agw_rand_bytes(out, len);
    make_text(out, len);
}

void agw_rand_draw(agw_rand_stock *stock, void *out, size_t len)
{
    AGW_ASSERT(len <= sizeof stock->bytes);
    if (stock->left < len) {
        agw_rand_bytes(stock->bytes, sizeof stock->bytes);
        stock->left = sizeof stock->bytes;
    }
    stock->left -= len;
    memcpy(out, stock->bytes + stock->left, len);
    agw_secret_wipe(stock->bytes + stock->left, len);
}

void agw_rand_draw_text(agw_rand_stock *stock, char *out, size_t len)
{
    agw_rand_draw(stock, out, len);
    make_text(out, len);
}
