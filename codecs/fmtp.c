/* SPDX-License-Identifier: BSD-3-Clause
 * Parameters of a=fmtp to and from a format: Opus (RFC 7587), AMR and AMR-WB (RFC 4867), iLBC (RFC
 * 3952), G.729 (RFC 4856), EVS (TS 26.445 annex A.3). Names are taken without regard to case,
 * spaces do not matter. */
#include "codecs/codec.h"
#include "codecs/evs_plugin.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    OPUS_MIN_HZ = 8000, /* RFC 7587 section 6.1 */
    OPUS_MAX_HZ = 48000,
    OPUS_MIN_BPS = 6000,
    OPUS_MAX_BPS = 510000,
    VALUE_MAX = 32, /* longest value that we understand */
};

/* One name=value; value ends in NUL. */
typedef struct parameter {
    const char *name;
    size_t name_len;
    char value[VALUE_MAX];
} parameter;

static bool is_named(const parameter *p, const char *name)
{
    return strlen(name) == p->name_len && strncasecmp(p->name, name, p->name_len) == 0;
}

/* Takes the next parameter off *text; false at the end. A value that is too long for any that we
 * know is left empty. */
static bool next_parameter(const char **text, parameter *p)
{
    const char *at = *text + strspn(*text, " \t;");
    const size_t len = strcspn(at, ";");
    if (len == 0)
        return false;
    *text = at + len;
    p->name = at;
    p->name_len = strcspn(at, "= \t;");
    const char *value = at + p->name_len;
    value += strspn(value, "= \t");
    size_t n = value < at + len ? (size_t)(at + len - value) : 0;
    while (n > 0 && isspace((unsigned char)value[n - 1]))
        n--;
    if (n >= sizeof p->value)
        n = 0;
    memcpy(p->value, value, n);
    p->value[n] = '\0';
    return true;
}

/* A decimal number, all of text. */
static agw_err number(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p) && v <= UINT32_MAX; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    if (p == text || *p != '\0' || v < min || v > max)
        return AGW_ERR_MALFORMED;
    *out = (uint32_t)v;
    return AGW_OK;
}

static agw_err flag(const char *text, bool *out)
{
    uint32_t v = 0;
    const agw_err err = number(text, 0, 1, &v);
    if (err == AGW_OK)
        *out = v == 1;
    return err;
}

/* A limit that only advises: what lies outside of the range is moved to its edge. */
static agw_err limit(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
    uint32_t v = 0;
    const agw_err err = number(text, 0, UINT32_MAX, &v);
    if (err == AGW_OK)
        *out = v < min ? min : v > max ? max : v;
    return err;
}

/* ---------------------------------------------------------------- reading */

/* RFC 7587 section 6.1. */
static agw_err read_opus(agw_opus_params *opus, const parameter *p)
{
    if (is_named(p, "maxplaybackrate"))
        return limit(p->value, OPUS_MIN_HZ, OPUS_MAX_HZ, &opus->max_playback_hz);
    if (is_named(p, "maxaveragebitrate"))
        return limit(p->value, OPUS_MIN_BPS, OPUS_MAX_BPS, &opus->max_average_bps);
    if (is_named(p, "stereo"))
        return flag(p->value, &opus->stereo);
    if (is_named(p, "cbr"))
        return flag(p->value, &opus->cbr);
    if (is_named(p, "useinbandfec"))
        return flag(p->value, &opus->fec);
    if (is_named(p, "usedtx"))
        return flag(p->value, &opus->dtx);
    return AGW_OK;
}

/* "0,2,4,7" to bits. */
static agw_err read_mode_set(const char *text, unsigned modes, uint16_t *out)
{
    unsigned set = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (!isdigit((unsigned char)*p) || (unsigned)(*p - '0') >= modes)
            return AGW_ERR_MALFORMED;
        set |= 1u << (*p - '0');
        p += 1 + strspn(p + 1, " \t");
        if (*p == '\0')
            break;
        if (*p != ',')
            return AGW_ERR_MALFORMED;
        p += strspn(p + 1, " \t");
    }
    *out = (uint16_t)set;
    return set != 0 ? AGW_OK : AGW_ERR_MALFORMED;
}

/* A flag that we refuse when it is set. */
static agw_err refused_flag(const char *text, bool *unusable)
{
    bool set = false;
    const agw_err err = flag(text, &set);
    if (err != AGW_OK || !set)
        return err;
    *unusable = true;
    return AGW_ERR_UNSUPPORTED;
}

/* RFC 4867 sections 8.1 and 8.2. */
static agw_err read_amr(agw_amr_params *amr, unsigned modes, const parameter *p)
{
    if (is_named(p, "octet-align"))
        return flag(p->value, &amr->octet_aligned);
    if (is_named(p, "mode-set"))
        return read_mode_set(p->value, modes, &amr->mode_set);
    if (is_named(p, "mode-change-period")) {
        uint32_t period = 0;
        const agw_err err = number(p->value, 1, 2, &period);
        if (err == AGW_OK)
            amr->mode_change_period = (uint8_t)period;
        return err;
    }
    if (is_named(p, "mode-change-neighbor"))
        return flag(p->value, &amr->mode_change_neighbor);
    if (is_named(p, "crc") || is_named(p, "robust-sorting"))
        return refused_flag(p->value, &amr->unusable);
    if (is_named(p, "interleaving")) {
        amr->unusable = true;
        return AGW_ERR_UNSUPPORTED;
    }
    return AGW_OK;
}

/* --- EVS --- */

static const char *const EVS_RATES[] = {"5.9",  "7.2", "8",  "9.6", "13.2", "16.4",
                                        "24.4", "32",  "48", "64",  "96",   "128"};
static const uint32_t EVS_BPS[] = {5900,  7200,  8000,  9600,  13200, 16400,
                                   24400, 32000, 48000, 64000, 96000, 128000};
static const char *const EVS_BANDS[] = {"nb", "wb", "swb", "fb"};
enum {
    N_EVS_RATES = sizeof EVS_RATES / sizeof *EVS_RATES,
    N_EVS_BANDS = sizeof EVS_BANDS / sizeof *EVS_BANDS,
};

static int find_word(const char *const *words, int n, const char *text, size_t len)
{
    for (int i = 0; i < n; i++) {
        if (strlen(words[i]) == len && strncasecmp(words[i], text, len) == 0)
            return i;
    }
    return -1;
}

/* "a" or "a-b", both of a list in rising order. */
static agw_err read_range(const char *const *words, int n, const char *text, int *low, int *high)
{
    const size_t len = strcspn(text, "-");
    *low = *high = find_word(words, n, text, len);
    if (text[len] == '-')
        *high = find_word(words, n, text + len + 1, strlen(text + len + 1));
    return *low >= 0 && *high >= *low ? AGW_OK : AGW_ERR_MALFORMED;
}

static agw_err read_evs_rates(agw_evs_params *evs, const char *text)
{
    int low = 0, high = 0;
    const agw_err err = read_range(EVS_RATES, N_EVS_RATES, text, &low, &high);
    if (err == AGW_OK) {
        evs->min_bps = EVS_BPS[low];
        evs->max_bps = EVS_BPS[high];
    }
    return err;
}

static agw_err read_evs_bands(agw_evs_params *evs, const char *text)
{
    int low = 0, high = 0;
    const agw_err err = read_range(EVS_BANDS, N_EVS_BANDS, text, &low, &high);
    if (err == AGW_OK)
        evs->bandwidth = (uint8_t)(AGW_EVS_NB + high);
    return err;
}

static agw_err read_one_of(const char *const *words, const int8_t *values, int n, const char *text,
                           int8_t *out)
{
    const int i = find_word(words, n, text, strlen(text));
    if (i < 0)
        return AGW_ERR_MALFORMED;
    *out = values[i];
    return AGW_OK;
}

static agw_err read_evs_channels(const char *text)
{
    uint32_t n = 0;
    const agw_err err = number(text, 1, 6, &n);
    return err == AGW_OK && n > 1 ? AGW_ERR_UNSUPPORTED : err;
}

/* What is said of one direction alone is taken where it is the party's receiving. */
static agw_err read_evs(agw_evs_params *evs, const parameter *p)
{
    static const char *const CMR[] = {"-1", "0", "1"}, *const AWARE[] = {"-1", "0", "2",
                                                                         "3",  "5", "7"};
    static const int8_t CMR_VALUES[] = {-1, 0, 1}, AWARE_VALUES[] = {-1, 0, 2, 3, 5, 7};
    bool on = false;
    if (is_named(p, "evs-mode-switch"))
        return flag(p->value, &evs->io);
    if (is_named(p, "hf-only"))
        return flag(p->value, &evs->hf_only);
    if (is_named(p, "dtx") || is_named(p, "dtx-recv")) {
        const agw_err err = flag(p->value, &on);
        evs->no_dtx = err == AGW_OK && !on;
        return err;
    }
    if (is_named(p, "br") || is_named(p, "br-recv"))
        return read_evs_rates(evs, p->value);
    if (is_named(p, "bw") || is_named(p, "bw-recv"))
        return read_evs_bands(evs, p->value);
    if (is_named(p, "cmr"))
        return read_one_of(CMR, CMR_VALUES, 3, p->value, &evs->cmr);
    if (is_named(p, "ch-aw-recv"))
        return read_one_of(AWARE, AWARE_VALUES, 6, p->value, &evs->ch_aw);
    if (is_named(p, "channels") || is_named(p, "ch-recv"))
        return read_evs_channels(p->value);
    return AGW_OK;
}

static agw_err read_ilbc(agw_codec_format *format, const parameter *p)
{
    uint32_t mode = 0;
    if (!is_named(p, "mode"))
        return AGW_OK;
    if (number(p->value, 20, 30, &mode) != AGW_OK || (mode != 20 && mode != 30))
        return AGW_ERR_MALFORMED;
    format->ilbc_mode_ms = format->ptime_ms = (uint8_t)mode;
    return AGW_OK;
}

static agw_err read_g729(agw_codec_format *format, const parameter *p)
{
    if (!is_named(p, "annexb"))
        return AGW_OK;
    format->g729_annex_b = strcasecmp(p->value, "no") != 0;
    return AGW_OK;
}

static agw_err read_parameter(agw_codec_format *format, const parameter *p)
{
    switch (format->id) {
    case AGW_CODEC_OPUS:
        return read_opus(&format->opus, p);
    case AGW_CODEC_AMR:
        return read_amr(&format->amr, 8, p);
    case AGW_CODEC_AMR_WB:
        return read_amr(&format->amr, 9, p);
    case AGW_CODEC_EVS:
        return read_evs(&format->evs, p);
    case AGW_CODEC_ILBC:
        return read_ilbc(format, p);
    case AGW_CODEC_G729:
        return read_g729(format, p);
    default:
        return AGW_OK;
    }
}

agw_err agw_codec_read_fmtp(agw_codec_format *format, const char *fmtp)
{
    parameter p = {0};
    if ((format->id == AGW_CODEC_AMR || format->id == AGW_CODEC_AMR_WB) && format->channels > 1)
        return AGW_ERR_UNSUPPORTED;
    while (fmtp != NULL && next_parameter(&fmtp, &p)) {
        const agw_err err = read_parameter(format, &p);
        if (err != AGW_OK)
            return err;
    }
    return AGW_OK;
}

/* ---------------------------------------------------------------- options of an encoder */

/* Place of the value in the list, which ends in NULL. */
static agw_err one_of(const char *value, const char *const *list, uint8_t *out)
{
    for (uint8_t i = 0; list[i] != NULL; i++) {
        if (strcasecmp(value, list[i]) == 0) {
            *out = i;
            return AGW_OK;
        }
    }
    return AGW_ERR_MALFORMED;
}

static agw_err read_opus_option(agw_opus_params *opus, const parameter *p)
{
    static const char *const APPLICATIONS[] = {"voip", "audio", "lowdelay", NULL};
    static const char *const VBR[] = {"off", "on", "constrained", NULL};
    uint32_t v = 0;
    uint8_t at = 0;
    agw_err err = AGW_ERR_UNSUPPORTED;
    if (is_named(p, "complexity") || is_named(p, "compression_level")) {
        err = number(p->value, 0, 10, &v);
        opus->effort = err == AGW_OK ? (uint8_t)(v + 1) : opus->effort;
    } else if (is_named(p, "packet_loss")) {
        err = number(p->value, 0, 100, &v);
        opus->loss_percent = err == AGW_OK ? (uint8_t)v : opus->loss_percent;
    } else if (is_named(p, "vbr")) {
        err = one_of(p->value, VBR, &at);
        opus->cbr = err == AGW_OK ? at == 0 : opus->cbr;
    } else if (is_named(p, "application")) {
        err = one_of(p->value, APPLICATIONS, &opus->application);
    } else if (is_named(p, "fec")) {
        err = flag(p->value, &opus->fec);
    } else if (is_named(p, "dtx")) {
        err = flag(p->value, &opus->dtx);
    }
    return err;
}

agw_err agw_codec_read_options(agw_codec_format *format, const char *text)
{
    enum { ONE_MAX = 64 };
    agw_err worst = AGW_OK;
    for (text += strspn(text, " :;,"); *text != '\0'; text += strspn(text, " :;,")) {
        char one[ONE_MAX] = "";
        const size_t len = strcspn(text, " :;,");
        memcpy(one, text, len < ONE_MAX ? len : 0);
        const char *at = one;
        parameter p = {0};
        agw_err err = AGW_ERR_UNSUPPORTED;
        if (format->id == AGW_CODEC_OPUS && next_parameter(&at, &p))
            err = read_opus_option(&format->opus, &p);
        worst = err != AGW_OK ? err : worst;
        text += len;
    }
    return worst;
}

/* ---------------------------------------------------------------- writing */

typedef struct text {
    char *buf;
    size_t size, len;
} text;

/* Adds one parameter, with its ';' where it is not the first; what finds no room is left out. */
static void add(text *t, const char *one)
{
    const size_t n = strlen(one), separator = t->len > 0;
    if (t->len + separator + n >= t->size)
        return;
    if (separator != 0)
        t->buf[t->len++] = ';';
    memcpy(t->buf + t->len, one, n + 1);
    t->len += n;
}

AGW_PRINTF(2, 3) static void add_printed(text *t, const char *format, ...)
{
    char one[64];
    va_list ap;
    va_start(ap, format);
    vsnprintf(one, sizeof one, format, ap);
    va_end(ap);
    add(t, one);
}

static void write_opus(text *t, const agw_opus_params *opus)
{
    if (opus->max_playback_hz != 0)
        add_printed(t, "maxplaybackrate=%u", opus->max_playback_hz);
    if (opus->max_average_bps != 0)
        add_printed(t, "maxaveragebitrate=%u", opus->max_average_bps);
    if (opus->stereo)
        add(t, "stereo=1");
    if (opus->cbr)
        add(t, "cbr=1");
    if (opus->fec)
        add(t, "useinbandfec=1");
    if (opus->dtx)
        add(t, "usedtx=1");
}

static void write_mode_set(text *t, unsigned set)
{
    char list[sizeof "mode-set=" + 2 * 16] = "mode-set=";
    const size_t empty = strlen(list);
    size_t n = empty;
    for (unsigned mode = 0; mode < 9; mode++) {
        if ((set >> mode & 1u) != 0) {
            list[n++] = (char)('0' + mode);
            list[n++] = ',';
        }
    }
    if (n == empty)
        return;
    list[n - 1] = '\0';
    add(t, list);
}

static void write_amr(text *t, const agw_amr_params *amr)
{
    if (amr->octet_aligned)
        add(t, "octet-align=1");
    write_mode_set(t, amr->mode_set);
    if (amr->mode_change_period == 2)
        add(t, "mode-change-period=2");
    if (amr->mode_change_neighbor)
        add(t, "mode-change-neighbor=1");
    add(t, "mode-change-capability=2"); /* we can; TS 26.114 section 6.2.2 wants it said */
}

static const char *evs_rate(uint32_t bps)
{
    int i = 0;
    while (i + 1 < N_EVS_RATES && EVS_BPS[i] != bps)
        i++;
    return EVS_RATES[i];
}

static void write_evs_rates(text *t, const agw_evs_params *evs)
{
    if (evs->min_bps != evs->max_bps)
        add_printed(t, "br=%s-%s", evs_rate(evs->min_bps), evs_rate(evs->max_bps));
    else if (evs->max_bps != 0)
        add_printed(t, "br=%s", evs_rate(evs->max_bps));
}

static void write_evs(text *t, const agw_evs_params *evs)
{
    if (evs->io)
        add(t, "evs-mode-switch=1");
    if (evs->hf_only)
        add(t, "hf-only=1");
    if (evs->no_dtx)
        add(t, "dtx=0");
    write_evs_rates(t, evs);
    if (evs->bandwidth > AGW_EVS_NB && evs->bandwidth <= AGW_EVS_FB)
        add_printed(t, "bw=nb-%s", EVS_BANDS[evs->bandwidth - AGW_EVS_NB]);
    else if (evs->bandwidth == AGW_EVS_NB)
        add(t, "bw=nb");
    if (evs->cmr != 0)
        add_printed(t, "cmr=%d", evs->cmr);
    if (evs->ch_aw != 0)
        add_printed(t, "ch-aw-recv=%d", evs->ch_aw);
}

size_t agw_codec_write_fmtp(const agw_codec_format *format, char *buf, size_t size)
{
    text t = {buf, size, 0};
    if (size == 0)
        return 0;
    buf[0] = '\0';
    switch (format->id) {
    case AGW_CODEC_OPUS:
        write_opus(&t, &format->opus);
        break;
    case AGW_CODEC_AMR:
    case AGW_CODEC_AMR_WB:
        write_amr(&t, &format->amr);
        break;
    case AGW_CODEC_EVS:
        write_evs(&t, &format->evs);
        break;
    case AGW_CODEC_ILBC:
        add_printed(&t, "mode=%u", format->ilbc_mode_ms);
        break;
    case AGW_CODEC_G729:
        if (!format->g729_annex_b)
            add(&t, "annexb=no");
        break;
    default:
        break;
    }
    return t.len;
}
