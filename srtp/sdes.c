/* SPDX-License-Identifier: BSD-3-Clause
 * Parsing and writing a=crypto. Whatever stands in it came from outside; keys are never logged. */
#include "srtp/sdes.h"

#include "base/secret.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    TAG_DIGITS = 9,
    LIFETIME_DIGITS = 15, /* of 2^48 packets, RFC 3711 section 9.2 */
    WSH_MIN = 64,         /* RFC 4568 section 6.3.5 */
    WSH_MAX = 128,        /* AGW_SRTP_REPLAY_WINDOW, which a test compares */
    BASE64_MAX = (AGW_SRTP_KEY_MAX + 2) / 3 * 4,
};

/* What is left of the value, and what is wrong with it. */
typedef struct text {
    const char *p, *end;
    const char *why;
    agw_err err;
} text;

static bool fail(text *t, agw_err err, const char *why)
{
    t->err = err;
    t->why = why;
    return false;
}

static bool malformed(text *t, const char *why)
{
    return fail(t, AGW_ERR_MALFORMED, why);
}

static bool unsupported(text *t, const char *why)
{
    return fail(t, AGW_ERR_UNSUPPORTED, why);
}

/* --- words -------------------------------------------------------------------------------------
 */

/* The bytes up to a separator or the end; the separator is taken, too. */
static text cut(text *t, char separator)
{
    const char *stop = memchr(t->p, separator, (size_t)(t->end - t->p));
    const text word = {.p = t->p, .end = stop != NULL ? stop : t->end};
    t->p = stop != NULL ? stop + 1 : t->end;
    return word;
}

/* Words stand between blanks; some write more than one. */
static text next_word(text *t)
{
    while (t->p < t->end && *t->p == ' ')
        t->p++;
    return cut(t, ' ');
}

static size_t length(const text *word)
{
    return (size_t)(word->end - word->p);
}

static bool take_prefix(text *word, const char *prefix)
{
    const size_t n = strlen(prefix);
    if (length(word) < n || strncasecmp(word->p, prefix, n) != 0)
        return false;
    word->p += n;
    return true;
}

/* All of the word: 1 to most digits. */
static bool number(const text *word, size_t most, uint64_t *out)
{
    *out = 0;
    for (const char *p = word->p; p < word->end; p++) {
        if (*p < '0' || *p > '9')
            return false;
        *out = *out * 10 + (uint64_t)(*p - '0');
        if ((size_t)(p - word->p) >= most)
            return false;
    }
    return length(word) > 0;
}

/* --- base64, RFC 4648 section 4 ----------------------------------------------------------------
 */

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(char c)
{
    const char *at = c != '\0' ? strchr(DIGITS, c) : NULL;
    return at != NULL ? (int)(at - DIGITS) : -1;
}

/* Exactly len bytes. Padding may be left out, as some do; digits behind the last byte may not. */
static bool decode(uint8_t *out, size_t len, const text *word)
{
    size_t digits = length(word), n = 0;
    while (digits > 0 && word->p[digits - 1] == '=' && length(word) - digits < 2)
        digits--;
    const size_t padding = length(word) - digits;
    if (digits != (len * 8 + 5) / 6 || (padding > 0 && (digits + padding) % 4 != 0))
        return false;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < digits; i++) {
        const int value = digit(word->p[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
    }
    return true;
}

/* out has room for BASE64_MAX characters and a NUL. */
static void encode(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        const size_t n = len - i < 3 ? len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? bytes[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            *out++ = k <= n ? DIGITS[bits >> (18 - 6 * k) & 63] : '=';
    }
    *out = '\0';
}

/* --- parts of the line -------------------------------------------------------------------------
 */

static bool take_tag(text *t, agw_sdes *out)
{
    uint64_t tag;
    const text word = next_word(t);
    if (!number(&word, TAG_DIGITS, &tag))
        return malformed(t, "a=crypto: the tag is not a number of up to nine digits");
    out->tag = (uint32_t)tag;
    return true;
}

static bool take_suite(text *t, agw_sdes *out)
{
    const text word = next_word(t);
    if (length(&word) == 0)
        return malformed(t, "a=crypto: no suite");
    out->suite = agw_srtp_suite_by_sdes(word.p, length(&word));
    return out->suite != AGW_SRTP_NONE || unsupported(t, "a=crypto: a suite that is not served");
}

/* "2^20", or a number of packets. */
static bool is_lifetime(text word)
{
    uint64_t value;
    const bool power = take_prefix(&word, "2^");
    return number(&word, LIFETIME_DIGITS, &value) && (power ? value <= 48 : value > 0);
}

/* Behind the key: "|lifetime", "|MKI:length", or both in this order. */
static bool take_rest_of_key(text *t, text *param)
{
    if (param->p == param->end)
        return true;
    const text first = cut(param, '|');
    if (memchr(first.p, ':', length(&first)) != NULL || param->p < param->end)
        return unsupported(t, "a=crypto: an MKI is not served");
    return is_lifetime(first) || malformed(t, "a=crypto: a lifetime that is none");
}

static bool take_key(text *t, agw_sdes *out)
{
    text param = next_word(t);
    if (memchr(param.p, ';', length(&param)) != NULL)
        return unsupported(t, "a=crypto: several keys in one line are not served");
    if (!take_prefix(&param, "inline:"))
        return malformed(t, "a=crypto: no inline key");
    const text key = cut(&param, '|');
    if (!decode(out->key, agw_sdes_key_len(out->suite), &key))
        return malformed(t, "a=crypto: the key is not base64 of the suite's length");
    return take_rest_of_key(t, &param);
}

static bool is_window(text word)
{
    uint64_t size;
    return take_prefix(&word, "WSH=") && number(&word, 4, &size) && size >= WSH_MIN &&
           size <= WSH_MAX;
}

static bool take_session_params(text *t)
{
    for (text word = next_word(t); length(&word) > 0; word = next_word(t)) {
        if (*word.p == '-' || is_window(word))
            continue;
        if (take_prefix(&word, "UNENCRYPTED_") || take_prefix(&word, "UNAUTHENTICATED_"))
            return unsupported(t, "a=crypto: media without encryption or authentication");
        return unsupported(t, "a=crypto: a session parameter that is not served");
    }
    return true;
}

/* --- the line ----------------------------------------------------------------------------------
 */

size_t agw_sdes_key_len(agw_srtp_suite suite)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    return info->key_len + info->salt_len;
}

agw_err agw_sdes_parse(agw_sdes *out, const char *value, size_t len, const char **why)
{
    text t = {.p = value, .end = value + len, .why = "", .err = AGW_OK};
    memset(out, 0, sizeof *out);
    if (take_tag(&t, out) && take_suite(&t, out) && take_key(&t, out) && take_session_params(&t))
        return AGW_OK;
    agw_sdes_wipe(out);
    *why = t.why;
    return t.err;
}

void agw_sdes_write(const agw_sdes *line, char out[AGW_SDES_TEXT])
{
    char key[BASE64_MAX + 1];
    encode(key, line->key, agw_sdes_key_len(line->suite));
    snprintf(out, AGW_SDES_TEXT, "%u %s inline:%s%s", (unsigned)line->tag,
             agw_srtp_suite_get(line->suite)->sdes, key, line->lifetime ? "|2^31" : "");
    agw_secret_wipe(key, sizeof key);
}

void agw_sdes_wipe(agw_sdes *line)
{
    agw_secret_wipe(line, sizeof *line);
}
