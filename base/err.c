/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

const char *agw_err_text(agw_err err)
{
    switch (err) {
    case AGW_OK:
        return "ok";
    case AGW_ERR_MALFORMED:
        return "malformed";
    case AGW_ERR_TRUNCATED:
        return "truncated";
    case AGW_ERR_NO_SPACE:
        return "no space";
    case AGW_ERR_NOT_FOUND:
        return "not found";
    case AGW_ERR_EXISTS:
        return "exists already";
    case AGW_ERR_AUTH:
        return "authentication failed";
    case AGW_ERR_REPLAY:
        return "replayed";
    case AGW_ERR_UNSUPPORTED:
        return "not supported";
    case AGW_ERR_LIMIT:
        return "limit reached";
    case AGW_ERR_SYSTEM:
        return "refused by the system";
    case AGW_ERR_STATE:
        return "not possible in this state";
    case AGW_ERR_AGAIN:
        return "nothing there now";
    }
    return "unknown error";
}

void agw_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "assertion failed: %s at %s:%d\n", cond, file, line);
    abort();
}
