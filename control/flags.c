/* SPDX-License-Identifier: BSD-3-Clause
 * Keys and words of ng requests, table by table. Values come as strings, integers or lists and are
 * read alike; a later value replaces an earlier one, lists and words add up. */
#include "control/flags.h"

#include "control/flags_text.h"
#include "dtls/cert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXTS_MAX = 256,   /* values of one key */
    UNKNOWN_MAX = 512, /* bytes of the list of unknown names */
    LIST_MAX = 128,    /* entries of one list of codecs, extensions or media types */
};

/* How rtpp-flags and scripts build a profile from words. */
enum { PART_SECURE = 1, PART_FEEDBACK = 2, PART_DTLS = 4, PART_ANY = 8 };

typedef struct bit_name {
    const char *name;
    uint32_t bit;
} bit_name;

static bool same(const char *a, const char *b)
{
    return a[0] == b[0] && agw_ng_key_equal(a, b); /* none of ours begins with a separator */
}

/* Behind prefix, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 && text[n] != '\0' ? text + n : NULL;
}

static const char *keep(agw_flags *f, const char *text)
{
    return g_string_chunk_insert(f->texts, text);
}

static void note_unknown(agw_flags *f, const char *kind, const char *name)
{
    if (f->unknown == NULL)
        f->unknown = g_string_new(NULL);
    if (f->unknown->len > UNKNOWN_MAX)
        return;
    char *clean = g_strndup(name, 64);
    g_strcanon(clean, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./= ", '?');
    g_string_append_printf(f->unknown, "%s%s %s", f->unknown->len > 0 ? ", " : "", kind, clean);
    g_free(clean);
}

/* --- values ------------------------------------------------------------------------------- */

static int32_t number_of(const char *text)
{
    char *end = NULL;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || v < 0 || v > INT32_MAX ? -1 : (int32_t)v;
}

static const char *last_of(char *const *texts)
{
    const char *last = NULL;
    for (; *texts != NULL; texts++)
        last = *texts;
    return last;
}

static void add_bits(agw_flags *f, uint32_t *out, const bit_name *names, char *const *texts)
{
    for (; *texts != NULL; texts++) {
        const bit_name *n = names;
        while (n->name != NULL && g_ascii_strcasecmp(n->name, *texts) != 0 &&
               !same(n->name, *texts))
            n++;
        if (n->name == NULL)
            note_unknown(f, "value", *texts);
        else
            *out |= n->bit;
    }
}

static const bit_name MUX_NAMES[] = {{"offer", AGW_MUX_OFFER},   {"require", AGW_MUX_REQUIRE},
                                     {"demux", AGW_MUX_DEMUX},   {"accept", AGW_MUX_ACCEPT},
                                     {"reject", AGW_MUX_REJECT}, {NULL, 0}};

static const bit_name REPLACE_NAMES[] = {{"origin", AGW_REPLACE_ORIGIN},
                                         {"session-connection", 0},
                                         {"session-name", AGW_REPLACE_SESSION_NAME},
                                         {"sdp-version", AGW_REPLACE_SDP_VERSION},
                                         {"SDP-version", AGW_REPLACE_SDP_VERSION},
                                         {"username", AGW_REPLACE_USERNAME},
                                         {"zero-address", AGW_REPLACE_ZERO_ADDRESS},
                                         {"force-increment-sdp-ver", AGW_REPLACE_FORCE_VERSION},
                                         {NULL, 0}};

static const bit_name BUNDLE_NAMES[] = {
    {"offer", AGW_BUNDLE_OFFER},     {"accept", AGW_BUNDLE_ACCEPT},
    {"require", AGW_BUNDLE_REQUIRE}, {"strict", AGW_BUNDLE_REQUIRE},
    {"reject", AGW_BUNDLE_REJECT},   {"no", AGW_BUNDLE_REJECT},
    {"off", AGW_BUNDLE_REJECT},      {NULL, 0}};

static const bit_name ICE_LITE_NAMES[] = {
    {"forward", AGW_ICE_LITE_FORWARD},   {"offer", AGW_ICE_LITE_FORWARD},
    {"backward", AGW_ICE_LITE_BACKWARD}, {"backwards", AGW_ICE_LITE_BACKWARD},
    {"reverse", AGW_ICE_LITE_BACKWARD},  {"both", AGW_ICE_LITE_FORWARD | AGW_ICE_LITE_BACKWARD},
    {"off", AGW_ICE_LITE_OFF},           {"no", AGW_ICE_LITE_OFF},
    {"none", AGW_ICE_LITE_OFF},          {NULL, 0}};

static void set_transport(agw_flags *f, const char *text)
{
    const agw_sdp_proto proto = agw_sdp_proto_parse(text);
    if (proto != AGW_SDP_OTHER)
        f->transport = proto;
    else if (strcmp(text, "accept") == 0)
        f->transport_accept = true;
    else
        note_unknown(f, "profile", text);
}

static void set_ice(agw_flags *f, const char *text)
{
    if (strcmp(text, "remove") == 0)
        f->ice = AGW_ICE_REMOVE;
    else if (strcmp(text, "force") == 0 || strcmp(text, "optional") == 0 ||
             same(text, "force-relay"))
        f->ice = AGW_ICE_FORCE;
    else if (strcmp(text, "default") == 0)
        f->ice = AGW_ICE_DEFAULT;
    else
        note_unknown(f, "ICE", text);
}

static void set_dtls(agw_flags *f, agw_dtls_flag *out, const char *text)
{
    if (strcmp(text, "passive") == 0)
        *out = AGW_DTLS_BE_PASSIVE;
    else if (strcmp(text, "active") == 0)
        *out = AGW_DTLS_BE_ACTIVE;
    else if (strcmp(text, "off") == 0 || strcmp(text, "no") == 0 || strcmp(text, "disable") == 0)
        *out = AGW_DTLS_OFF;
    else
        note_unknown(f, "DTLS", text);
}

static void set_family(agw_flags *f, const char *text)
{
    if (g_ascii_strcasecmp(text, "IP4") == 0)
        f->address_family = AGW_FAMILY_IP4;
    else if (g_ascii_strcasecmp(text, "IP6") == 0)
        f->address_family = AGW_FAMILY_IP6;
    else
        note_unknown(f, "address family", text);
}

static void set_addr(agw_addr *out, const char *text)
{
    agw_addr addr;
    if (agw_addr_parse_ip(&addr, text) == AGW_OK)
        *out = addr;
}

/* --- codec lists -------------------------------------------------------------------------- */

static const char *const CODEC_LISTS[AGW_CODEC_LISTS] = {
    [AGW_CODEC_STRIP] = "strip",   [AGW_CODEC_EXCEPT] = "except",
    [AGW_CODEC_OFFER] = "offer",   [AGW_CODEC_TRANSCODE] = "transcode",
    [AGW_CODEC_MASK] = "mask",     [AGW_CODEC_CONSUME] = "consume",
    [AGW_CODEC_ACCEPT] = "accept", [AGW_CODEC_IGNORE] = "ignore",
    [AGW_CODEC_SET] = "set",
};

static void add_to(agw_flags *f, GPtrArray **list, const char *text)
{
    if (*list == NULL)
        *list = g_ptr_array_new();
    if ((*list)->len < LIST_MAX)
        g_ptr_array_add(*list, g_string_chunk_insert(f->texts, text));
}

static void add_codec(agw_flags *f, agw_codec_list list, const char *text)
{
    char *plain = agw_flags_unescape(text);
    add_to(f, &f->codecs[list], plain);
    g_free(plain);
}

static int codec_list_of(const char *name)
{
    for (int i = 0; i < AGW_CODEC_LISTS; i++) {
        if (strcmp(CODEC_LISTS[i], name) == 0)
            return i;
    }
    return -1;
}

static void add_codecs(agw_flags *f, const char *list, char *const *texts)
{
    const int at = codec_list_of(list);
    if (at < 0)
        note_unknown(f, "codec", list);
    for (; at >= 0 && *texts != NULL; texts++)
        add_codec(f, (agw_codec_list)at, *texts);
}

/* "codec-strip-PCMU", "transcode-PCMA" */
static bool codec_word(agw_flags *f, const char *word)
{
    const char *name = behind(word, "transcode-");
    if (name != NULL) {
        add_codec(f, AGW_CODEC_TRANSCODE, name);
        return true;
    }
    if (same(word, "always-transcode")) {
        add_codec(f, AGW_CODEC_ACCEPT, "all");
        return true;
    }
    const char *rest = behind(word, "codec-");
    for (int i = 0; rest != NULL && i < AGW_CODEC_LISTS; i++) {
        const size_t n = strlen(CODEC_LISTS[i]);
        if (strncmp(rest, CODEC_LISTS[i], n) == 0 && (rest[n] == '-' || rest[n] == '=') &&
            rest[n + 1] != '\0') {
            add_codec(f, (agw_codec_list)i, rest + n + 1);
            return true;
        }
    }
    return false;
}

/* --- header extensions and attributes ------------------------------------------------------- */

static const char *const EXTMAP_LISTS[AGW_EXTMAP_LISTS] = {
    [AGW_EXTMAP_STRIP] = "strip", [AGW_EXTMAP_MASK] = "mask", [AGW_EXTMAP_EXCEPT] = "except"};

/* "accept" changes nothing: what passes is accepted. */
static void add_extensions(agw_flags *f, const char *list, char *const *texts)
{
    for (size_t i = 0; i < AGW_EXTMAP_LISTS; i++) {
        for (; strcmp(EXTMAP_LISTS[i], list) == 0 && *texts != NULL; texts++)
            add_to(f, &f->extmap[i], *texts);
    }
    if (*texts != NULL && strcmp(list, "accept") != 0)
        note_unknown(f, "extmap", list);
}

static void add_edit(agw_flags *f, agw_sdp_edit_kind kind, const char *type, const char *value,
                     const char *with)
{
    const bool session = strcmp(type, "none") == 0 || strcmp(type, "global") == 0;
    if (f->edits == NULL)
        f->edits = g_array_new(FALSE, FALSE, sizeof(agw_sdp_edit));
    if (f->edits->len >= AGW_SDP_EDITS_MAX || !agw_sdp_edit_is_line(value) ||
        (with != NULL && !agw_sdp_edit_is_line(with)) ||
        (kind == AGW_SDP_EDIT_SUBSTITUTE) != (with != NULL)) {
        note_unknown(f, "sdp-attr", value);
        return;
    }
    const agw_sdp_edit edit = {.kind = kind,
                               .type = session ? NULL : keep(f, type),
                               .value = keep(f, value),
                               .with = with != NULL ? keep(f, with) : NULL};
    g_array_append_val(f->edits, edit);
}

static bool edit_kind_of(const char *name, agw_sdp_edit_kind *out)
{
    static const char *const NAMES[] = {[AGW_SDP_EDIT_ADD] = "add",
                                        [AGW_SDP_EDIT_REMOVE] = "remove",
                                        [AGW_SDP_EDIT_SUBSTITUTE] = "substitute"};
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        if (strcmp(NAMES[i], name) == 0) {
            *out = (agw_sdp_edit_kind)i;
            return true;
        }
    }
    return false;
}

/* "add-audio-ptime:20", "substitute-none-sendrecv>sendonly", behind "sdp-attr-" */
static void edit_word(agw_flags *f, const char *word)
{
    agw_sdp_edit_kind kind;
    char **parts = g_strsplit(word, "-", 3);
    if (g_strv_length(parts) != 3 || !edit_kind_of(parts[0], &kind)) {
        note_unknown(f, "flag", word);
        g_strfreev(parts);
        return;
    }
    char *value = agw_flags_unescape(parts[2]), *with = NULL;
    char *arrow = kind == AGW_SDP_EDIT_SUBSTITUTE ? strchr(value, '>') : NULL;
    if (arrow != NULL) {
        *arrow = '\0';
        with = arrow + 1;
    }
    add_edit(f, kind, parts[1], value, with);
    g_free(value);
    g_strfreev(parts);
}

/* "extmap-strip-URI", "sdp-media-remove-video", "sdp-attr-add-audio-x" */
static bool edit_words(agw_flags *f, const char *word)
{
    const char *rest = behind(word, "sdp-attr-");
    if (rest != NULL) {
        edit_word(f, rest);
        return true;
    }
    if ((rest = behind(word, "sdp-media-remove-")) != NULL) {
        add_to(f, &f->media_remove, rest);
        return true;
    }
    rest = behind(word, "extmap-");
    for (size_t i = 0; rest != NULL && i < AGW_EXTMAP_LISTS; i++) {
        const size_t n = strlen(EXTMAP_LISTS[i]);
        if (strncmp(rest, EXTMAP_LISTS[i], n) == 0 && rest[n] == '-' && rest[n + 1] != '\0') {
            add_to(f, &f->extmap[i], rest + n + 1);
            return true;
        }
    }
    return false;
}

/* --- keys --------------------------------------------------------------------------------- */

typedef void take_key(agw_flags *f, char *const *texts);

static void take_words(agw_flags *f, char *const *texts);

static void take_call_id(agw_flags *f, char *const *t)
{
    f->call_id = keep(f, last_of(t));
}
static void take_from_tag(agw_flags *f, char *const *t)
{
    f->from_tag = keep(f, last_of(t));
}
static void take_to_tag(agw_flags *f, char *const *t)
{
    f->to_tag = keep(f, last_of(t));
}
static void take_via_branch(agw_flags *f, char *const *t)
{
    f->via_branch = keep(f, last_of(t));
}
static void take_label(agw_flags *f, char *const *t)
{
    f->label = keep(f, last_of(t));
}

static void take_to_label(agw_flags *f, char *const *t)
{
    f->to_label = keep(f, last_of(t));
}
static void take_set_label(agw_flags *f, char *const *t)
{
    f->set_label = keep(f, last_of(t));
}

static void take_direction(agw_flags *f, char *const *t)
{
    for (size_t i = 0; t[i] != NULL; i++) {
        const size_t at = f->direction[0] == NULL ? 0 : 1;
        if (f->direction[1] == NULL)
            f->direction[at] = keep(f, t[i]);
    }
}
static void take_from_interface(agw_flags *f, char *const *t)
{
    f->direction[0] = keep(f, last_of(t));
}
static void take_to_interface(agw_flags *f, char *const *t)
{
    f->direction[1] = keep(f, last_of(t));
}

static void take_received_from(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++)
        set_addr(&f->received_from, *t);
}
static void take_media_address(agw_flags *f, char *const *t)
{
    set_addr(&f->media_address, last_of(t));
}
static void take_address_family(agw_flags *f, char *const *t)
{
    set_family(f, last_of(t));
}
static void take_transport(agw_flags *f, char *const *t)
{
    set_transport(f, last_of(t));
}
static void take_ice(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++)
        set_ice(f, *t);
}
static void take_ice_lite(agw_flags *f, char *const *t)
{
    add_bits(f, &f->ice_lite, ICE_LITE_NAMES, t);
}
static void take_dtls(agw_flags *f, char *const *t)
{
    set_dtls(f, &f->dtls, last_of(t));
}
static void take_dtls_reverse(agw_flags *f, char *const *t)
{
    set_dtls(f, &f->dtls_reverse, last_of(t));
}
static void take_rtcp_mux(agw_flags *f, char *const *t)
{
    add_bits(f, &f->rtcp_mux, MUX_NAMES, t);
}
static void take_replace(agw_flags *f, char *const *t)
{
    add_bits(f, &f->replace, REPLACE_NAMES, t);
}
static void take_bundle(agw_flags *f, char *const *t)
{
    add_bits(f, &f->bundle, BUNDLE_NAMES, t);
}
/* 0: a name that we do not know. */
static uint32_t suite_bit(const char *name)
{
    const agw_srtp_suite suite = agw_srtp_suite_by_sdes(name, strlen(name));
    return suite != AGW_SRTP_NONE ? UINT32_C(1) << suite : 0;
}

static bool is_off(const char *word)
{
    return strcmp(word, "off") == 0 || strcmp(word, "no") == 0 || strcmp(word, "disable") == 0;
}

/* What is always so: padding, and a suite in use stays where it can. */
static bool is_sdes_default(const char *word)
{
    static const char *const WORDS[] = {"pad", "static", "encrypted_srtp", "encrypted_srtcp",
                                        "authenticated_srtp"};
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        if (strcmp(WORDS[i], word) == 0)
            return true;
    }
    return false;
}

/* Suites by name; false: another word. Names that we do not know change nothing. */
static bool take_sdes_suites(agw_sdes_words *words, const char *word)
{
    const char *value;
    if ((value = behind(word, "only-")) != NULL)
        words->only |= suite_bit(value);
    else if ((value = behind(word, "no-")) != NULL)
        words->never |= suite_bit(value);
    else if ((value = behind(word, "order:")) != NULL)
        (void)agw_srtp_suite_list_read(&words->order, value);
    else if ((value = behind(word, "offerer_pref:")) != NULL)
        (void)agw_srtp_suite_list_read(&words->taken, value);
    else
        return false;
    return true;
}

static void take_sdes_word(agw_flags *f, const char *word)
{
    agw_sdes_words *words = &f->sdes;
    words->given = true;
    if (is_off(word))
        words->off = true;
    else if (strcmp(word, "nonew") == 0)
        words->no_new = true;
    else if (strcmp(word, "lifetime") == 0)
        words->lifetime = true;
    else if (strcmp(word, "prefer") == 0)
        words->prefer = true;
    else if (!take_sdes_suites(words, word) && !is_sdes_default(word))
        note_unknown(f, "SDES", word); /* unencrypted_srtp and its kin, too: never */
}

static void take_sdes(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++)
        take_sdes_word(f, *t);
}

static void take_osrtp(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++) {
        if (is_off(*t))
            f->osrtp |= AGW_OSRTP_OFF;
        else if (strcmp(*t, "offer") == 0)
            f->osrtp |= AGW_OSRTP_OFFER;
        else if (strcmp(*t, "accept") == 0)
            f->osrtp |= AGW_OSRTP_ACCEPT;
        else
            note_unknown(f, "OSRTP", *t);
    }
}

static void take_fingerprint_hash(agw_flags *f, char *const *t)
{
    static const bit_name HASHES[] = {{"sha-256", AGW_HASH_SHA256},
                                      {"sha-384", AGW_HASH_SHA384},
                                      {"sha-512", AGW_HASH_SHA512},
                                      {NULL, 0}};
    for (; *t != NULL; t++) {
        const bit_name *n = HASHES;
        while (n->name != NULL && g_ascii_strcasecmp(n->name, *t) != 0)
            n++;
        if (n->name == NULL)
            note_unknown(f, "DTLS-fingerprint", *t);
        else
            f->dtls_hash = (uint8_t)n->bit;
    }
}
static void take_ptime(agw_flags *f, char *const *t)
{
    f->ptime = number_of(last_of(t));
}
static void take_ptime_reverse(agw_flags *f, char *const *t)
{
    f->ptime_reverse = number_of(last_of(t));
}
static void take_media_remove(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++)
        add_to(f, &f->media_remove, *t);
}
/* As the words endpoint-learning-off and its kin. */
static void take_learning(agw_flags *f, char *const *t)
{
    char *word = g_strconcat("endpoint-learning-", last_of(t), NULL);
    char *texts[2] = {word, NULL};
    take_words(f, texts);
    g_free(word);
}
static void take_tos(agw_flags *f, char *const *t)
{
    const int32_t v = number_of(last_of(t));
    f->tos = same(last_of(t), "copy") ? AGW_TOS_COPY : v <= 255 ? v : -1;
}
static void take_police(agw_flags *f, char *const *t)
{
    f->police = number_of(last_of(t));
}
static void take_delete_delay(agw_flags *f, char *const *t)
{
    f->delete_delay = number_of(last_of(t));
}
static void take_priority(agw_flags *f, char *const *t)
{
    f->priority = number_of(last_of(t));
}
static void take_notify_url(agw_flags *f, char *const *t)
{
    f->notify_url = keep(f, last_of(t));
}
static void take_xmlrpc_callback(agw_flags *f, char *const *t)
{
    f->xmlrpc_callback = keep(f, last_of(t));
}
static void take_dtmf_log_dest(agw_flags *f, char *const *t)
{
    if (agw_addr_parse(&f->dtmf_log_dest, last_of(t)) != AGW_OK)
        note_unknown(f, "DTMF-log-dest", last_of(t));
}

static int32_t mos_x10(const char *text)
{
    char *end;
    const double mos = g_ascii_strtod(text, &end);
    return end == text || *end != '\0' || !(mos >= 1 && mos <= 5) ? 0 : (int32_t)(mos * 10 + 0.5);
}

static void take_notify_word(agw_flags *f, GString *events, const char *word)
{
    enum { DEFAULT_MOS_X10 = 30 };
    const char *value;
    if ((value = behind(word, "inactivity=")) != NULL)
        f->notify.inactivity_s = MAX(number_of(value), 0);
    else if ((value = behind(word, "heartbeat=")) != NULL)
        f->notify.heartbeat_s = MAX(number_of(value), 0);
    else if ((value = behind(word, "quality=")) != NULL)
        f->notify.quality_x10 = mos_x10(value);
    else if (strcmp(word, "quality") == 0)
        f->notify.quality_x10 = DEFAULT_MOS_X10;
    else if (strcmp(word, "all") != 0)
        g_string_append_printf(events, "%s ", word);
}

static void take_notify(agw_flags *f, char *const *t)
{
    GString *events = g_string_new(" ");
    f->notify = (agw_notify_words){.given = true, .inactivity_s = -1, .heartbeat_s = -1};
    bool all = false;
    for (; *t != NULL; t++) {
        all = all || strcmp(*t, "all") == 0;
        take_notify_word(f, events, *t);
    }
    f->notify.events = all ? "" : keep(f, events->str);
    g_string_free(events, TRUE);
}
static void take_supports(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++)
        f->supports_load_limit |= same(*t, "load-limit");
}
static void take_address(agw_flags *f, char *const *t)
{
    f->address = keep(f, last_of(t));
}
static void take_metadata(agw_flags *f, char *const *t)
{
    f->metadata = keep(f, last_of(t));
}
static void take_recording_file(agw_flags *f, char *const *t)
{
    f->recording_file = keep(f, last_of(t));
}
uint32_t agw_flags_record_output(const char *word)
{
    static const bit_name OUTPUTS[] = {{"pcapng", AGW_RECORD_PACKETS},
                                       {"stereo", AGW_RECORD_STEREO},
                                       {"mono", AGW_RECORD_MONO},
                                       {NULL, 0}};
    const bit_name *o = OUTPUTS;
    while (o->name != NULL && g_ascii_strcasecmp(o->name, word) != 0)
        o++;
    return o->bit;
}

static void take_recording_output(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++) {
        const uint32_t output = agw_flags_record_output(*t);
        f->record_outputs |= output;
        if (output == 0)
            note_unknown(f, "recording-output", *t);
    }
}

static void take_pause(agw_flags *f, char *const *t)
{
    if (g_ascii_strcasecmp(last_of(t), "yes") == 0) /* else of play DTMF, in ms */
        f->words |= UINT64_C(1) << AGW_WORD_PAUSE;
}

static bool is_on(const char *text)
{
    static const char *const YES[] = {"yes", "on", "1", "true", "enable"};
    for (size_t i = 0; i < G_N_ELEMENTS(YES); i++) {
        if (g_ascii_strcasecmp(text, YES[i]) == 0)
            return true;
    }
    return false;
}

static void take_record_call(agw_flags *f, char *const *t)
{
    if (is_on(last_of(t)))
        f->words |= UINT64_C(1) << AGW_WORD_RECORD_CALL;
}
static void take_generate_rtcp(agw_flags *f, char *const *t)
{
    if (is_on(last_of(t)))
        f->words |= UINT64_C(1) << AGW_WORD_GENERATE_RTCP;
    else if (is_off(last_of(t)))
        f->pass_rtcp = true;
    else
        note_unknown(f, "generate-RTCP", last_of(t));
}
static void take_drop_traffic(agw_flags *f, char *const *t)
{
    if (strcmp(last_of(t), "start") == 0)
        f->drop_traffic = AGW_DROP_TRAFFIC_START;
    else if (strcmp(last_of(t), "stop") == 0)
        f->drop_traffic = AGW_DROP_TRAFFIC_STOP;
    else
        note_unknown(f, "drop-traffic", last_of(t));
}
/* Echo is not served; that nothing is passed on is. */
static void take_media_echo(agw_flags *f, char *const *t)
{
    if (same(last_of(t), "blackhole") || same(last_of(t), "sinkhole"))
        f->drop_traffic = AGW_DROP_TRAFFIC_START;
    else
        note_unknown(f, "media-echo", last_of(t));
}
static void take_all(agw_flags *f, char *const *t)
{
    if (same(last_of(t), "all"))
        f->words |= UINT64_C(1) << AGW_WORD_ALL;
}
/* One direction for each media, and other words; several medias are opened by one. */
static void take_early_media(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++) {
        if (g_ascii_strcasecmp(*t, "sendrecv") == 0 || g_ascii_strcasecmp(*t, "sendonly") == 0)
            f->early_media = AGW_EARLY_MEDIA_OPEN;
        else if (f->early_media == AGW_EARLY_MEDIA_ABSENT &&
                 (g_ascii_strcasecmp(*t, "recvonly") == 0 ||
                  g_ascii_strcasecmp(*t, "inactive") == 0))
            f->early_media = AGW_EARLY_MEDIA_CLOSED;
    }
}
static void take_sip_code(agw_flags *f, char *const *t)
{
    const int32_t code = number_of(last_of(t));
    if (code >= 100 && code < 200)
        f->answer_kind = AGW_ANSWER_PROVISIONAL;
    else if (code >= 200 && code < 300)
        f->answer_kind = AGW_ANSWER_FINAL;
    else if (code < 300 || code > 699)
        note_unknown(f, "sip-code", last_of(t));
}
static void take_rtpp_flags(agw_flags *f, char *const *t)
{
    for (; *t != NULL; t++)
        agw_flags_parse_text(f, *t);
}

/* How a plain string of that key is read. */
typedef enum key_form {
    FORM_TEXT,  /* as it is */
    FORM_WORDS, /* split at ',' and blanks */
} key_form;

typedef struct key_rule {
    const char *name;
    key_form form;
    take_key *take; /* NULL: known, of no meaning here */
} key_rule;

static const key_rule KEYS[] = {
    {"call-id", FORM_TEXT, take_call_id},
    {"callid", FORM_TEXT, take_call_id},
    {"from-tag", FORM_TEXT, take_from_tag},
    {"to-tag", FORM_TEXT, take_to_tag},
    {"via-branch", FORM_TEXT, take_via_branch},
    {"label", FORM_TEXT, take_label},
    {"from-label", FORM_TEXT, take_label},
    {"to-label", FORM_TEXT, take_to_label},
    {"set-label", FORM_TEXT, take_set_label},
    {"direction", FORM_WORDS, take_direction},
    {"from-interface", FORM_TEXT, take_from_interface},
    {"to-interface", FORM_TEXT, take_to_interface},
    {"received-from", FORM_WORDS, take_received_from},
    {"media-address", FORM_TEXT, take_media_address},
    {"address-family", FORM_TEXT, take_address_family},
    {"transport-protocol", FORM_TEXT, take_transport},
    {"ICE", FORM_WORDS, take_ice},
    {"ICE-lite", FORM_WORDS, take_ice_lite},
    {"DTLS", FORM_TEXT, take_dtls},
    {"DTLS-reverse", FORM_TEXT, take_dtls_reverse},
    {"rtcp-mux", FORM_WORDS, take_rtcp_mux},
    {"replace", FORM_WORDS, take_replace},
    {"bundle", FORM_WORDS, take_bundle},
    {"SDES", FORM_WORDS, take_sdes},
    {"OSRTP", FORM_WORDS, take_osrtp},
    {"DTLS-fingerprint", FORM_TEXT, take_fingerprint_hash},
    {"ptime", FORM_TEXT, take_ptime},
    {"ptime-reverse", FORM_TEXT, take_ptime_reverse},
    {"sdp-media-remove", FORM_WORDS, take_media_remove},
    {"endpoint-learning", FORM_TEXT, take_learning},
    {"TOS", FORM_TEXT, take_tos},
    {"police", FORM_TEXT, take_police},
    {"delete-delay", FORM_TEXT, take_delete_delay},
    {"priority", FORM_TEXT, take_priority},
    {"supports", FORM_TEXT, take_supports},
    {"notify", FORM_WORDS, take_notify},
    {"notify-url", FORM_TEXT, take_notify_url},
    {"xmlrpc-callback", FORM_TEXT, take_xmlrpc_callback},
    {"DTMF-log-dest", FORM_TEXT, take_dtmf_log_dest},
    {"flags", FORM_WORDS, take_words},
    {"rtpp-flags", FORM_TEXT, take_rtpp_flags},
    {"address", FORM_TEXT, take_address},
    {"metadata", FORM_TEXT, take_metadata},
    {"recording-file", FORM_TEXT, take_recording_file},
    {"output-destination", FORM_TEXT, take_recording_file},
    {"recording-output", FORM_WORDS, take_recording_output},
    {"pause", FORM_TEXT, take_pause},
    {"record-call", FORM_TEXT, take_record_call},
    {"drop-traffic", FORM_TEXT, take_drop_traffic},
    {"media-echo", FORM_TEXT, take_media_echo},
    {"all", FORM_TEXT, take_all},
    {"generate-RTCP", FORM_TEXT, take_generate_rtcp},
    {"P-Early-Media", FORM_WORDS, take_early_media},
    {"sip-code", FORM_TEXT, take_sip_code},
};

/* Known, and of no meaning to negotiation yet. */
static const char *const IGNORED_KEYS[] = {
    "command",
    "sdp",
    "sip-message-type",
    "sip-call-id",
    "T.38",
    "T38",
    "interface",
    "code",
    "digit",
    "duration",
    "volume",
    "file",
    "blob",
    "blob64",
    "db-id",
    "repeat-times",
    "repeat-duration",
    "start-pos",
    "delay-buffer",
    "DTMF-security",
    "DTMF-security-trigger",
    "DTMF-security-trigger-end",
    "DTMF-delay",
    "trigger",
    "trigger-end",
    "end-trigger",
    "frequencies",
    "trigger-end-time",
    "trigger-end-digits",
    "frequency",
    "audio-player",
    "template",
    "limit",
    "repacketize",
    "moh",
    "vsc",
    "to-call-id",
    "source-tag",
    "source-call-id",
    "recording-dir",
    "recording-pattern",
    "instance",
    "tags",
    "calls",
    "medias",
    "codecs",
    "log-facility",
    "user-agent",
};

/* The same for words. */
static const char *const IGNORED_WORDS[] = {
    "pad-crypto",
    "no-redis-update",
    "recrypt",
    "no-tls-id",
    "allow-asymmetric-codecs",
    "symmetric-codecs",
    "asymmetric-codecs",
    "allow-transcoding",
    "force-transcoding",
    "unidirectional",
    "no-jitter-buffer",
    "early-media",
    "block-short",
    "recording-announcement",
    "bidirectional",
    "mix",
    "inactive",
    "RTCP-mirror",
    "unsubscribe",
    "session-connection",
    "auto-bridge",
    "weight-symmetric",
    "block-media",
    "internal-relay",
    "compact",
    "start-recording",
    "media-echo",
    "siprec",
    "force",
};

/* Words with a value behind the last dash which are known and ignored. */
static const char *const IGNORED_PREFIXES[] = {
    "T38-", "T.38-", "T.38=", "delay-buffer", "DTMF-security", "vsc-", "ICE-lite",
};

static bool listed(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (same(list[i], name))
            return true;
    }
    return false;
}

static const key_rule *key_rule_of(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        if (same(KEYS[i].name, name))
            return &KEYS[i];
    }
    return NULL;
}

/* rule: the key's, NULL when it has none; texts are not looked at without a rule that takes them.
 */
static void take(agw_flags *f, const key_rule *rule, const char *key, char *const *texts)
{
    if (rule != NULL && rule->take != NULL && texts[0] != NULL)
        rule->take(f, texts);
    else if (rule == NULL && !listed(IGNORED_KEYS, G_N_ELEMENTS(IGNORED_KEYS), key))
        note_unknown(f, "key", key);
}

/* --- words -------------------------------------------------------------------------------- */

static bool profile_part(agw_flags *f, const char *word)
{
    static const bit_name PARTS[] = {{"RTP", 0},          {"SRTP", PART_SECURE},
                                     {"AVP", 0},          {"AVPF", PART_FEEDBACK},
                                     {"DTLS", PART_DTLS}, {NULL, 0}};
    static const agw_sdp_proto PROFILES[8] = {AGW_SDP_RTP_AVP,   AGW_SDP_RTP_SAVP, AGW_SDP_RTP_AVPF,
                                              AGW_SDP_RTP_SAVPF, AGW_SDP_TLS_SAVP, AGW_SDP_TLS_SAVP,
                                              AGW_SDP_TLS_SAVPF, AGW_SDP_TLS_SAVPF};
    const bit_name *part = PARTS;
    while (part->name != NULL && strcmp(part->name, word) != 0)
        part++;
    if (part->name == NULL)
        return false;
    f->profile_parts |= PART_ANY | part->bit;
    f->transport = PROFILES[f->profile_parts & 7];
    return true;
}

static bool known_word(agw_flags *f, const char *word)
{
    static const char *const WORDS[] = {
#define AGW_WORD_TEXT(name, text) text,
        AGW_WORD_LIST(AGW_WORD_TEXT)
#undef AGW_WORD_TEXT
    };
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        if (same(WORDS[i], word) || g_ascii_strcasecmp(WORDS[i], word) == 0) {
            f->words |= UINT64_C(1) << i;
            return true;
        }
    }
    return false;
}

/* "replace-origin", "rtcp-mux-offer", "SDES-off", "direction=x" as single words */
static bool prefixed_word(agw_flags *f, const char *word)
{
    static const struct {
        const char *prefix;
        take_key *take;
    } PREFIXES[] = {{"replace-", take_replace}, {"rtcp-mux-", take_rtcp_mux},
                    {"SDES-", take_sdes},       {"OSRTP-", take_osrtp},
                    {"osrtp-", take_osrtp},     {"bundle-", take_bundle}};
    for (size_t i = 0; i < G_N_ELEMENTS(PREFIXES); i++) {
        const char *value = behind(word, PREFIXES[i].prefix);
        char *texts[2] = {NULL, NULL};
        if (value == NULL)
            continue;
        texts[0] = g_strdup(value);
        PREFIXES[i].take(f, texts);
        g_free(texts[0]);
        return true;
    }
    return codec_word(f, word) || edit_words(f, word);
}

static bool ignored_word(const char *word)
{
    if (listed(IGNORED_WORDS, G_N_ELEMENTS(IGNORED_WORDS), word))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(IGNORED_PREFIXES); i++) {
        if (behind(word, IGNORED_PREFIXES[i]) != NULL)
            return true;
    }
    return false;
}

static void take_pair(agw_flags *f, const char *word, const char *equals)
{
    char *key = g_strndup(word, (gsize)(equals - word));
    char *texts[2] = {g_strdup(equals + 1), NULL};
    if (same(key, "flags") || same(key, "rtpp-flags"))
        note_unknown(f, "word", word); /* no lists inside lists */
    else
        take(f, key_rule_of(key), key, texts);
    g_free(texts[0]);
    g_free(key);
}

static void take_word(agw_flags *f, const char *word)
{
    if (known_word(f, word) || prefixed_word(f, word) || profile_part(f, word))
        return;
    if (agw_sdp_proto_parse(word) != AGW_SDP_OTHER) {
        set_transport(f, word);
        return;
    }
    if (strcmp(word, "internal") == 0 || strcmp(word, "external") == 0) {
        char *texts[2] = {g_strdup(word), NULL};
        take_direction(f, texts);
        g_free(texts[0]);
        return;
    }
    const char *equals = strchr(word, '=');
    if (equals != NULL && equals != word)
        take_pair(f, word, equals);
    else if (strcmp(word, "provisional") == 0)
        f->answer_kind = AGW_ANSWER_PROVISIONAL;
    else if (!ignored_word(word))
        note_unknown(f, "flag", word);
}

static void take_words(agw_flags *f, char *const *texts)
{
    for (; *texts != NULL; texts++)
        take_word(f, *texts);
}

/* --- documents ---------------------------------------------------------------------------- */

static void add_text(GPtrArray *out, const char *text, key_form form)
{
    if (form == FORM_TEXT) {
        g_ptr_array_add(out, g_strdup(text));
        return;
    }
    char **parts = g_strsplit_set(text, ", \t[]", TEXTS_MAX); /* "[a,b]": Kamailio passes it on */
    for (char **p = parts; *p != NULL; p++) {
        if (**p != '\0')
            g_ptr_array_add(out, g_strdup(*p));
    }
    g_strfreev(parts);
}

static bool is_dict(const agw_doc *doc)
{
    return agw_doc_kind_of(doc) == AGW_DOC_DICT;
}

/* "key=value", or the key alone. */
static char *pair_text(const char *key, const char *value)
{
    return *value != '\0' ? g_strconcat(key, "=", value, NULL) : g_strdup(key);
}

/* The texts of a value: a list's elements as they are, a dictionary's as pairs, a string by its
 * form. */
static char **texts_of(const agw_doc *value, key_form form)
{
    GPtrArray *out = g_ptr_array_new();
    const char *text = agw_doc_text(value);
    if (text != NULL)
        add_text(out, text, form);
    for (size_t i = 0; text == NULL && i < agw_doc_count(value) && i < TEXTS_MAX; i++) {
        const char *element = agw_doc_text(agw_doc_at(value, i));
        if (element != NULL)
            g_ptr_array_add(out, is_dict(value) ? pair_text(agw_doc_key_at(value, i), element)
                                                : g_strdup(element));
    }
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}

typedef void take_list(agw_flags *f, const char *list, char *const *texts);

static void take_lists(agw_flags *f, const agw_doc *dict, take_list *take_one)
{
    for (size_t i = 0; is_dict(dict) && i < agw_doc_count(dict); i++) {
        char **texts = texts_of(agw_doc_at(dict, i), FORM_WORDS);
        take_one(f, agw_doc_key_at(dict, i), texts);
        g_strfreev(texts);
    }
}

/* ["a", "b"] or [["a", "b"], ["c", "d"]] */
static void take_substitutes(agw_flags *f, const char *type, const agw_doc *list)
{
    const size_t n = agw_doc_count(list);
    const char *value = n > 0 ? agw_doc_text(agw_doc_at(list, 0)) : NULL;
    const char *with = n > 1 ? agw_doc_text(agw_doc_at(list, 1)) : NULL;
    if (value != NULL && with != NULL)
        add_edit(f, AGW_SDP_EDIT_SUBSTITUTE, type, value, with);
    for (size_t i = 0; value == NULL && i < n; i++) {
        const agw_doc *pair = agw_doc_at(list, i);
        if (agw_doc_count(pair) > 1 && agw_doc_text(agw_doc_at(pair, 0)) != NULL)
            take_substitutes(f, type, pair);
    }
}

static void take_edits(agw_flags *f, const char *type, const char *command, const agw_doc *values)
{
    agw_sdp_edit_kind kind;
    if (!edit_kind_of(command, &kind)) {
        note_unknown(f, "sdp-attr", command);
        return;
    }
    if (kind == AGW_SDP_EDIT_SUBSTITUTE) {
        take_substitutes(f, type, values);
        return;
    }
    char **texts = texts_of(values, FORM_TEXT);
    for (char **t = texts; *t != NULL; t++)
        add_edit(f, kind, type, *t, NULL);
    g_strfreev(texts);
}

/* {"audio": {"add": ["ptime:20"], "remove": [...]}, "none": ...} */
static void take_attr_dict(agw_flags *f, const agw_doc *dict)
{
    for (size_t i = 0; is_dict(dict) && i < agw_doc_count(dict); i++) {
        const agw_doc *commands = agw_doc_at(dict, i);
        for (size_t k = 0; is_dict(commands) && k < agw_doc_count(commands); k++)
            take_edits(f, agw_doc_key_at(dict, i), agw_doc_key_at(commands, k),
                       agw_doc_at(commands, k));
    }
}

/* Keys with a dictionary, and "codec-strip" for a list of it alone; false: it is none of these. */
static bool take_structure(agw_flags *f, const char *key, const agw_doc *value)
{
    const char *list = behind(key, "codec-");
    if (same(key, "codec"))
        take_lists(f, value, add_codecs);
    else if (same(key, "extmap"))
        take_lists(f, value, add_extensions);
    else if (same(key, "sdp-attr"))
        take_attr_dict(f, value);
    else if (list != NULL && codec_list_of(list) >= 0) {
        char **texts = texts_of(value, FORM_WORDS);
        add_codecs(f, list, texts);
        g_strfreev(texts);
    } else
        return false;
    return true;
}

void agw_flags_init(agw_flags *out)
{
    *out = (agw_flags){.ptime = -1,
                       .ptime_reverse = -1,
                       .tos = -1,
                       .delete_delay = -1,
                       .priority = -1,
                       .police = -1};
    out->texts = g_string_chunk_new(256);
}

/* inner: the dictionary is what a rtpp-flags text stood for, which has no further one in it. */
static void parse(agw_flags *out, const agw_doc *request, bool inner)
{
    for (size_t i = 0; i < agw_doc_count(request); i++) {
        const char *key = agw_doc_key_at(request, i);
        const agw_doc *value = agw_doc_at(request, i);
        if (inner && same(key, "rtpp-flags")) {
            note_unknown(out, "key", key);
            continue;
        }
        if (take_structure(out, key, value))
            continue;
        const key_rule *rule = key_rule_of(key);
        if (rule == NULL || rule->take == NULL) {
            take(out, rule, key, NULL); /* "sdp" above all: its text is long */
            continue;
        }
        char **texts = texts_of(value, rule->form);
        take(out, rule, key, texts);
        g_strfreev(texts);
    }
}

void agw_flags_parse(agw_flags *out, const agw_doc *request)
{
    parse(out, request, false);
}

/* --- rtpp-flags --------------------------------------------------------------------------- */

void agw_flags_parse_text(agw_flags *out, const char *text)
{
    agw_doc *doc = agw_flags_text_doc(text);
    parse(out, doc, true);
    agw_doc_free(doc);
}

static void free_list(GPtrArray *list)
{
    if (list != NULL)
        g_ptr_array_free(list, TRUE);
}

void agw_flags_fini(agw_flags *flags)
{
    for (size_t i = 0; i < AGW_CODEC_LISTS; i++)
        free_list(flags->codecs[i]);
    for (size_t i = 0; i < AGW_EXTMAP_LISTS; i++)
        free_list(flags->extmap[i]);
    free_list(flags->media_remove);
    if (flags->edits != NULL)
        g_array_free(flags->edits, TRUE);
    if (flags->unknown != NULL)
        g_string_free(flags->unknown, TRUE);
    if (flags->texts != NULL)
        g_string_chunk_free(flags->texts);
    *flags = (agw_flags){.ptime = -1,
                         .ptime_reverse = -1,
                         .tos = -1,
                         .delete_delay = -1,
                         .priority = -1,
                         .police = -1};
}
