/* SPDX-License-Identifier: BSD-3-Clause
 * a=crypto (RFC 4568): the lines that we offer, one for each suite, and the one of theirs that is
 * taken. Each side names the key that it protects with; both keys belong to one suite and one tag.
 */
#include "base/rand.h"
#include "base/secret.h"
#include "control/negotiate_state.h"
#include "srtp/sdes.h"

#include <string.h>

static const char IN_NO_ANSWER[] = "a=crypto: an answer to something else than was offered";
static const char TWO_ANSWERS[] = "a=crypto: an answer that takes several lines";

/* --- keys --------------------------------------------------------------------------------- */

static bool same_key(const agw_key_plan *key, const agw_sdes *line)
{
    return key->epoch != 0 && key->suite == line->suite &&
           agw_secret_equal(key->key, line->key, sizeof key->key);
}

static void set_key(agw_key_plan *key, const agw_sdes *line)
{
    if (same_key(key, line))
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

void agw_keys_drop_offered(agw_link *link)
{
    if (link->offered != NULL)
        agw_secret_wipe(link->offered, link->n_offered * sizeof *link->offered);
    g_clear_pointer(&link->offered, g_free);
    link->n_offered = 0;
}

void agw_keys_forget(agw_link *link)
{
    forget(&link->now.key_in);
    forget(&link->now.key_out);
    agw_keys_drop_offered(link);
}

static bool in_use(const agw_link *link, agw_srtp_suite suite)
{
    const agw_key_plan *key = &link->now.key_out;
    return key->epoch != 0 && key->suite == suite;
}

/* --- their offer -------------------------------------------------------------------------- */

/* The less the better: what is in use, what is liked, all else in the order of the offerer. */
static size_t rank_of(const agw_sdes *line, const agw_link *link, const agw_srtp_suite_list *rather)
{
    if (link != NULL && in_use(link, line->suite))
        return 0;
    size_t i = 0;
    while (rather != NULL && i < rather->n && rather->at[i] != line->suite)
        i++;
    return 1 + (rather != NULL ? i : 0);
}

/* The best line that we can use; best is to be wiped. false: none, and why. */
static bool best_line(const agw_sdp_media *tm, const agw_link *link,
                      const agw_srtp_suite_list *rather, agw_sdes *best, const char **why)
{
    size_t rank = SIZE_MAX;
    agw_sdes line;
    const char *reason = "RTP/SAVP without fingerprint and a=crypto";
    for (size_t i = 0; i < tm->crypto.n; i++) {
        const char *value = tm->crypto.v[i];
        if (agw_sdes_parse(&line, value, strlen(value), &reason) == AGW_OK &&
            rank_of(&line, link, rather) < rank) {
            rank = rank_of(&line, link, rather);
            *best = line;
        }
        agw_sdes_wipe(&line);
    }
    if (rank == SIZE_MAX)
        *why = reason;
    return rank != SIZE_MAX;
}

bool agw_keys_offered(const agw_sdp_media *tm, const char **why)
{
    agw_sdes line = {0};
    const bool found = best_line(tm, NULL, NULL, &line, why);
    agw_sdes_wipe(&line);
    return found;
}

/* Our key serves as long as its suite does. */
static void keep_or_make_key_out(agw_link *link, agw_srtp_suite suite)
{
    if (in_use(link, suite))
        return;
    agw_sdes ours = {.suite = suite};
    agw_rand_bytes(ours.key, sizeof ours.key);
    set_key(&link->now.key_out, &ours);
    link->now.key_out.told = false;
    agw_sdes_wipe(&ours);
}

void agw_keys_take_offer(agw_link *link, const agw_sdp_media *tm, const agw_srtp_suite_list *rather)
{
    agw_sdes line = {0};
    const char *why;
    if (best_line(tm, link, rather, &line, &why)) {
        link->crypto_tag = line.tag;
        set_key(&link->now.key_in, &line);
        keep_or_make_key_out(link, line.suite);
    }
    agw_sdes_wipe(&line);
}

/* --- their answer ------------------------------------------------------------------------- */

static agw_offered_key *offered_of(const agw_link *link, const agw_sdes *line)
{
    for (size_t i = 0; i < link->n_offered; i++) {
        const agw_sdes *ours = &link->offered[i].line;
        if (ours->tag == line->tag && ours->suite == line->suite)
            return &link->offered[i];
    }
    return NULL;
}

/* RFC 4568 section 5.1.3: exactly one line is of ours; what else stands there does not count. NULL:
 * why. best is to be wiped. */
static agw_offered_key *answered(const agw_link *link, const agw_sdp_media *tm, agw_sdes *best,
                                 const char **why)
{
    agw_offered_key *found = NULL;
    agw_sdes line;
    *why = "RTP/SAVP without fingerprint and a=crypto";
    for (size_t i = 0; i < tm->crypto.n; i++) {
        const char *value = tm->crypto.v[i];
        const bool readable = agw_sdes_parse(&line, value, strlen(value), why) == AGW_OK;
        agw_offered_key *ours = readable ? offered_of(link, &line) : NULL;
        if (readable)
            *why = ours != NULL && found != NULL ? TWO_ANSWERS : IN_NO_ANSWER;
        if (ours != NULL && found != NULL)
            return NULL;
        if (ours != NULL) {
            found = ours;
            *best = line;
        }
    }
    agw_sdes_wipe(&line);
    return found;
}

bool agw_keys_answered(const agw_link *link, const agw_sdp_media *tm, const char **why)
{
    agw_sdes line = {0};
    const char *reason;
    const bool found = answered(link, tm, &line, &reason) != NULL;
    if (!found)
        *why = reason;
    agw_sdes_wipe(&line);
    return found;
}

void agw_keys_take_answer(agw_link *link, const agw_sdp_media *tm)
{
    agw_sdes line = {0};
    const char *why;
    agw_offered_key *ours = answered(link, tm, &line, &why);
    if (ours != NULL) {
        link->crypto_tag = line.tag;
        set_key(&link->now.key_in, &line);
        set_key(&link->now.key_out, &ours->line);
        link->now.key_out.told = true;
        ours->used = true;
    }
    agw_sdes_wipe(&line);
}

/* --- our offer ---------------------------------------------------------------------------- */

static uint32_t bit(agw_srtp_suite suite)
{
    return UINT32_C(1) << suite;
}

/* Suites that the sender has offered; 0 = none. */
static uint32_t suites_of(const agw_sdp_media *tm)
{
    uint32_t suites = 0;
    agw_sdes line;
    const char *why;
    for (size_t i = 0; i < tm->crypto.n; i++) {
        const char *value = tm->crypto.v[i];
        if (agw_sdes_parse(&line, value, strlen(value), &why) == AGW_OK)
            suites |= bit(line.suite);
        agw_sdes_wipe(&line);
    }
    return suites;
}

static void add_allowed(agw_srtp_suite_list *out, const agw_srtp_suite_list *from, uint32_t allowed)
{
    for (size_t i = 0; i < from->n; i++) {
        if ((allowed & bit((agw_srtp_suite)from->at[i])) != 0)
            agw_srtp_suite_list_add(out, (agw_srtp_suite)from->at[i]);
    }
}

/* What is in use, what is asked for, then the configured ones. Words that leave nothing do nothing.
 */
static agw_srtp_suite_list suites_to_offer(const agw_exchange *x, const agw_work *w,
                                           const agw_link *link)
{
    const agw_sdes_words *words = &x->next->leg[x->to].sdes;
    const agw_srtp_suite_list *all = &x->s->config->sdes_suites;
    const uint32_t theirs = words->no_new ? suites_of(w->tm) : 0;
    uint32_t allowed = ~words->never & (theirs != 0 ? theirs : UINT32_MAX);
    if (words->only != 0)
        allowed &= words->only;
    agw_srtp_suite_list out = {0};
    const agw_key_plan *now = &link->now.key_out;
    if (now->epoch != 0 && now->suite != AGW_SRTP_NONE && (allowed & bit(now->suite)) != 0)
        agw_srtp_suite_list_add(&out, (agw_srtp_suite)now->suite);
    add_allowed(&out, &words->order, allowed);
    add_allowed(&out, all, allowed);
    for (unsigned i = 1; words->only != 0 && i < AGW_SRTP_SUITES; i++) {
        if ((allowed & words->only & bit((agw_srtp_suite)i)) != 0)
            agw_srtp_suite_list_add(&out, (agw_srtp_suite)i);
    }
    return out.n > 0 ? out : *all;
}

/* The key in use, the one that was offered before and has not been used, or a new one. */
static void fill_key(agw_offered_key *out, const agw_link *link)
{
    const agw_key_plan *now = &link->now.key_out;
    if (in_use(link, out->line.suite)) {
        memcpy(out->line.key, now->key, sizeof now->key);
        out->used = true;
        return;
    }
    for (size_t i = 0; i < link->n_offered; i++) {
        const agw_offered_key *was = &link->offered[i];
        if (was->line.suite != out->line.suite || was->used)
            continue;
        memcpy(out->line.key, was->line.key, sizeof was->line.key);
        return;
    }
    agw_rand_bytes(out->line.key, sizeof out->line.key);
}

void agw_keys_for_offer(const agw_exchange *x, const agw_work *w, agw_link *link)
{
    const agw_srtp_suite_list suites = suites_to_offer(x, w, link);
    agw_offered_key *offered = g_new0(agw_offered_key, suites.n);
    for (uint32_t i = 0; i < suites.n; i++) {
        offered[i].line = (agw_sdes){.tag = i + 1, .suite = (agw_srtp_suite)suites.at[i]};
        fill_key(&offered[i], link);
    }
    agw_keys_drop_offered(link);
    link->offered = offered;
    link->n_offered = suites.n;
}

/* --- writing ------------------------------------------------------------------------------ */

static void write_line(const agw_exchange *x, agw_sdes line, agw_sdp_writer *out)
{
    char text[AGW_SDES_TEXT];
    line.lifetime = x->flags->sdes.lifetime || x->next->leg[x->to].sdes.lifetime;
    agw_sdes_write(&line, text);
    agw_sdp_write_attr(out, "crypto", text);
    agw_secret_wipe(text, sizeof text);
    agw_sdes_wipe(&line);
}

void agw_keys_write(const agw_exchange *x, const agw_link *link, agw_sdp_writer *out)
{
    const agw_key_plan *key = &link->now.key_out;
    for (size_t i = 0; x->is_offer && i < link->n_offered; i++)
        write_line(x, link->offered[i].line, out);
    if (x->is_offer)
        return;
    agw_sdes line = {.tag = link->crypto_tag, .suite = (agw_srtp_suite)key->suite};
    memcpy(line.key, key->key, sizeof line.key);
    write_line(x, line, out);
    agw_sdes_wipe(&line);
}
