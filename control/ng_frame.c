/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng_frame.h"

#include <string.h>

enum { LENGTH_DIGITS_MAX = 7, INT_CHARS_MAX = 21 };

static agw_err skip_cookie(agw_ng_frame *frame, const char *bytes, size_t len)
{
    const size_t most = AGW_NG_COOKIE_MAX + 1;
    const char *blank = memchr(bytes, ' ', len < most ? len : most);
    if (blank == bytes)
        return AGW_ERR_MALFORMED;
    if (blank == NULL)
        return len < most ? AGW_ERR_AGAIN : AGW_ERR_MALFORMED;
    frame->at = (size_t)(blank - bytes) + 1;
    return AGW_OK;
}

/* "i-12e" */
static agw_err skip_int(agw_ng_frame *frame, const char *bytes, size_t len)
{
    const size_t left = len - frame->at;
    const char *e = memchr(bytes + frame->at, 'e', MIN(left, (size_t)INT_CHARS_MAX + 1));
    if (e == NULL)
        return left > INT_CHARS_MAX ? AGW_ERR_MALFORMED : AGW_ERR_AGAIN;
    frame->at = (size_t)(e - bytes) + 1;
    return AGW_OK;
}

/* "5:hello" */
static agw_err skip_bytes(agw_ng_frame *frame, const char *bytes, size_t len)
{
    size_t n = 0, at = frame->at;
    while (at < len && g_ascii_isdigit(bytes[at]) && at - frame->at <= LENGTH_DIGITS_MAX)
        n = n * 10 + (size_t)(bytes[at++] - '0');
    if (at - frame->at > LENGTH_DIGITS_MAX || n > AGW_DOC_SIZE_MAX)
        return AGW_ERR_MALFORMED;
    if (at == len)
        return AGW_ERR_AGAIN;
    if (at == frame->at || bytes[at] != ':')
        return AGW_ERR_MALFORMED;
    at++;
    if (n > len - at)
        return AGW_ERR_AGAIN;
    frame->at = at + n;
    return AGW_OK;
}

static agw_err skip_token(agw_ng_frame *frame, const char *bytes, size_t len)
{
    switch (bytes[frame->at]) {
    case 'd':
    case 'l':
        frame->at++;
        return ++frame->depth <= AGW_DOC_DEPTH_MAX ? AGW_OK : AGW_ERR_MALFORMED;
    case 'e':
        frame->at++;
        return frame->depth-- > 0 ? AGW_OK : AGW_ERR_MALFORMED;
    case 'i':
        return skip_int(frame, bytes, len);
    default:
        return skip_bytes(frame, bytes, len);
    }
}

static agw_err scan_bencode(agw_ng_frame *frame, const char *bytes, size_t len)
{
    do {
        if (frame->at == len)
            return AGW_ERR_AGAIN;
        const agw_err err = skip_token(frame, bytes, len);
        if (err != AGW_OK)
            return err;
    } while (frame->depth > 0);
    return AGW_OK;
}

static void look_into_string(agw_ng_frame *frame, char c)
{
    if (frame->escaped)
        frame->escaped = false;
    else if (c == '\\')
        frame->escaped = true;
    else if (c == '"')
        frame->in_string = false;
}

static agw_err scan_json(agw_ng_frame *frame, const char *bytes, size_t len)
{
    while (frame->at < len) {
        const char c = bytes[frame->at++];
        if (frame->in_string)
            look_into_string(frame, c);
        else if (c == '"')
            frame->in_string = true;
        else if (c == '{' || c == '[')
            frame->depth++;
        else if ((c == '}' || c == ']') && --frame->depth == 0)
            return AGW_OK;
        if (frame->depth > AGW_DOC_DEPTH_MAX)
            return AGW_ERR_MALFORMED;
    }
    return AGW_ERR_AGAIN;
}

agw_err agw_ng_frame_scan(agw_ng_frame *frame, const char *bytes, size_t len, bool plain)
{
    if (!frame->has_document) {
        const agw_err err = plain ? AGW_OK : skip_cookie(frame, bytes, len);
        if (err != AGW_OK)
            return err;
        if (frame->at == len)
            return AGW_ERR_AGAIN;
        frame->has_document = true;
        frame->json = bytes[frame->at] == '{';
        if (!frame->json && bytes[frame->at] != 'd')
            return AGW_ERR_MALFORMED;
    }
    const agw_err err =
        frame->json ? scan_json(frame, bytes, len) : scan_bencode(frame, bytes, len);
    const size_t seen = err == AGW_ERR_AGAIN ? len : frame->at;
    return seen > AGW_NG_FRAME_MAX ? AGW_ERR_MALFORMED : err;
}
