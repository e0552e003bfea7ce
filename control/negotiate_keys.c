/* SPDX-License-Identifier: BSD-3-Clause
 * a=crypto (RFC 4568): one line of ours, and the one of theirs that is taken. Each side names the
 * key that it protects with; both keys belong to one suite and one tag. */
#include "base/rand.h"
#include "base/secret.h"
#include "control/negotiate_state.h"
#include "srtp/sdes.h"

#include <string.h>

enum { OUR_TAG = 1 };

/* In the order in which they are offered: RFC 4568's mandatory one first. */
static const agw_srtp_suite SUITES[] = {
    AGW_SRTP_AES_CM_128_80, AGW_SRTP_AEAD_128_GCM,  AGW_SRTP_AES_CM_128_32,
    AGW_SRTP_AEAD_256_GCM,  AGW_SRTP_AES_256_CM_80, AGW_SRTP_AES_256_CM_32,
};

/* --- keys --------------------------------------------------------------------------------- */

/* Our key serves as long as its suite does. */
static void set_key_out(agw_link *link, agw_srtp_suite suite)
{
    agw_key_plan *key = &link->now.key_out;
    if (key->epoch != 0 && key->suite == suite)
        return;
    key->epoch++;
    key->suite = (uint8_t)suite;
    agw_rand_bytes(key->key, sizeof key->key);
}

static void set_key_in(agw_link *link, const agw_sdes *line)
{
    agw_key_plan *key = &link->now.key_in;
    if (key->epoch != 0 && key->suite == line->suite &&
        agw_secret_equal(key->key, line->key, sizeof key->key))
        return;
    key->epoch++;
    key->suite = (uint8_t)line->suite;
    memcpy(key->key, line->key, sizeof key->key);
}

static void forget(agw_key_plan *key)
{
    key->suite = AGW_SRTP_NONE;
    agw_secret_wipe(key->key, sizeof key->key);
}

void agw_keys_forget(agw_link *link)
{
    forget(&link->now.key_in);
    forget(&link->now.key_out);
}

/* --- theirs ------------------------------------------------------------------------------- */

/* wanted: the line that an answer must take, by tag and suite; NULL = the first that can be used.
 * line may hold a key afterwards. */
static bool find_line(const agw_sdp_media *tm, const agw_link *wanted, agw_sdes *line,
                      const char **why)
{
    *why = "RTP/SAVP without fingerprint and a=crypto";
    for (size_t i = 0; i < tm->crypto.n; i++) {
        const char *value = tm->crypto.v[i];
        if (agw_sdes_parse(line, value, strlen(value), why) != AGW_OK)
            continue;
        if (wanted == NULL || (line->tag == wanted->crypto_tag &&
                               line->suite == (agw_srtp_suite)wanted->now.key_out.suite))
            return true;
        *why = "a=crypto: an answer to something else than was offered";
    }
    return false;
}

static bool has_line(const agw_sdp_media *tm, const agw_link *wanted, const char **why)
{
    agw_sdes line;
    const char *reason;
    const bool found = find_line(tm, wanted, &line, &reason);
    if (!found)
        *why = reason;
    agw_sdes_wipe(&line);
    return found;
}

bool agw_keys_offered(const agw_sdp_media *tm, const char **why)
{
    return has_line(tm, NULL, why);
}

bool agw_keys_answered(const agw_link *link, const agw_sdp_media *tm, const char **why)
{
    return has_line(tm, link, why);
}

void agw_keys_take_offer(agw_link *link, const agw_sdp_media *tm)
{
    agw_sdes line;
    const char *why;
    if (find_line(tm, NULL, &line, &why)) {
        link->crypto_tag = line.tag;
        set_key_in(link, &line);
        set_key_out(link, line.suite);
    }
    agw_sdes_wipe(&line);
}

void agw_keys_take_answer(agw_link *link, const agw_sdp_media *tm)
{
    agw_sdes line;
    const char *why;
    if (find_line(tm, link, &line, &why))
        set_key_in(link, &line);
    agw_sdes_wipe(&line);
}

/* --- ours --------------------------------------------------------------------------------- */

static bool may_offer(const agw_sdes_words *words, agw_srtp_suite suite)
{
    const uint32_t bit = UINT32_C(1) << suite;
    return suite != AGW_SRTP_NONE && (words->never & bit) == 0 &&
           (words->only == 0 || (words->only & bit) != 0);
}

/* What is in use, else what is asked for, else the first that is not forbidden. */
static agw_srtp_suite suite_to_offer(const agw_sdes_words *words, const agw_link *link)
{
    const agw_key_plan *key = &link->now.key_out;
    const agw_srtp_suite now = key->epoch != 0 ? (agw_srtp_suite)key->suite : AGW_SRTP_NONE;
    if (may_offer(words, now))
        return now;
    if (may_offer(words, words->first))
        return words->first;
    for (size_t i = 0; i < G_N_ELEMENTS(SUITES); i++) {
        if (may_offer(words, SUITES[i]))
            return SUITES[i];
    }
    return SUITES[0];
}

void agw_keys_for_offer(const agw_leg *leg, agw_link *link)
{
    link->crypto_tag = OUR_TAG;
    set_key_out(link, suite_to_offer(&leg->sdes, link));
}

void agw_keys_write(const agw_link *link, agw_sdp_writer *out)
{
    const agw_key_plan *key = &link->now.key_out;
    agw_sdes line = {.tag = link->crypto_tag, .suite = (agw_srtp_suite)key->suite};
    char text[AGW_SDES_TEXT];
    memcpy(line.key, key->key, sizeof line.key);
    agw_sdes_write(&line, text);
    agw_sdp_write_attr(out, "crypto", text);
    agw_secret_wipe(text, sizeof text);
    agw_sdes_wipe(&line);
}
