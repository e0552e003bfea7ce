/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dtmf_guard.h"

#include <glib.h>
#include <string.h>

enum {
    VOLUME = 10,
    VOLUME_MAX = 63, /* RFC 4733 section 2.3.4 */
    TONE_HZ = 400,
    TONE_MIN_HZ = 100,
    TONE_MAX_HZ = 4000,
    END_MS_MAX = 24 * 3600 * 1000,
};

static const char DIGITS[] = "0123456789*#ABCD";

/* --- reading ------------------------------------------------------------------------------- */

static bool is_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

/* The key, or, where it is not given, `missing` of it. */
static const char *read_mode(const agw_doc *request, const char *key, const char *missing,
                             agw_guard_mode *out)
{
    static const struct {
        const char *name;
        agw_guard_mode mode;
    } MODES[] = {
        {"off", {0}},
        {"drop", {.on = true, .shield = AGW_SHIELD_DROP}},
        {"silence", {.on = true, .shield = AGW_SHIELD_SILENCE}},
        {"tone", {.on = true, .shield = AGW_SHIELD_TONE}},
        {"random", {.on = true, .shield = AGW_SHIELD_RANDOM}},
        {"zero", {.on = true, .shield = AGW_SHIELD_DIGIT, .zero = true}},
        {"DTMF", {.on = true, .shield = AGW_SHIELD_DIGIT}},
    };
    const char *text = agw_doc_str(request, key);
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++) {
        if (g_ascii_strcasecmp(is_empty(text) ? missing : text, MODES[i].name) == 0) {
            *out = MODES[i].mode;
            return NULL;
        }
    }
    return "Unknown DTMF-security mode";
}

static int digit_of(char c)
{
    const char *at = strchr(DIGITS, g_ascii_toupper(c));
    return c != '\0' && at != NULL ? (int)(at - DIGITS) : -1;
}

const char *agw_dtmf_read_digit(const agw_doc *request, uint8_t *event)
{
    const char *key = agw_doc_get(request, "code") != NULL ? "code" : "digit";
    const char *text = agw_doc_str(request, key);
    int64_t code = -1;
    if (is_empty(text))
        return "No valid 'code' specified";
    if (!agw_doc_int(request, key, &code)) {
        if (strlen(text) != 1)
            return "Given 'code' is not a single digit";
        code = digit_of(text[0]);
        if (code < 0)
            return "Invalid 'code' character";
    }
    if (code < 0 || code >= (int64_t)strlen(DIGITS))
        return "Out of range 'code' specified";
    *event = (uint8_t)code;
    return NULL;
}

static void read_volume(const agw_doc *request, agw_shield_plan *out)
{
    int64_t volume = VOLUME;
    (void)agw_doc_int(request, "volume", &volume);
    out->volume = (uint8_t)ABS(CLAMP(volume, -VOLUME_MAX, VOLUME_MAX));
}

static const char *read_tones(const agw_doc *request, agw_shield_plan *out)
{
    const char *key = agw_doc_get(request, "frequencies") != NULL ? "frequencies" : "frequency";
    char **tones = agw_doc_list(request, key);
    const guint n = g_strv_length(tones);
    bool good = n <= AGW_PLAN_TONES_MAX;
    memset(out->tones_hz, 0, sizeof out->tones_hz);
    out->tones_hz[0] = TONE_HZ;
    for (guint i = 0; good && i < n; i++) {
        const guint64 hz = g_ascii_strtoull(tones[i], NULL, 10);
        good = hz >= TONE_MIN_HZ && hz <= TONE_MAX_HZ;
        out->tones_hz[i] = (uint16_t)hz;
    }
    g_strfreev(tones);
    return good ? NULL : "Out of range frequency specified";
}

static const char *read_trigger(const agw_doc *request, const char *key,
                                char out[AGW_GUARD_DIGITS_MAX + 1])
{
    const char *text = agw_doc_str(request, key);
    const size_t n = is_empty(text) ? 0 : strlen(text);
    if (n > AGW_GUARD_DIGITS_MAX)
        return "Too many digits in a trigger";
    for (size_t i = 0; i < n; i++) {
        out[i] = g_ascii_toupper(text[i]);
        if (strchr(DIGITS, out[i]) == NULL)
            return "Invalid character in a trigger";
    }
    out[n] = '\0';
    return NULL;
}

static uint32_t number(const agw_doc *request, const char *key, uint32_t max)
{
    int64_t v = 0;
    (void)agw_doc_int(request, key, &v);
    return (uint32_t)CLAMP(v, 0, (int64_t)max);
}

static const char *read_triggers(agw_dtmf_guard *g, const agw_doc *request)
{
    const char *end = agw_doc_get(request, "trigger-end") != NULL ? "trigger-end" : "end-trigger";
    const char *why = read_trigger(request, "trigger", g->begin);
    if (why == NULL)
        why = read_trigger(request, end, g->end);
    if (why == NULL)
        why = read_mode(request, "DTMF-security-trigger", "drop", &g->at_begin);
    if (why == NULL)
        why = read_mode(request, "DTMF-security-trigger-end", "off", &g->at_end);
    g->end_digits = number(request, "trigger-end-digits", UINT16_MAX);
    g->end_after = AGW_MS((agw_ns)number(request, "trigger-end-time", END_MS_MAX));
    return why;
}

const char *agw_dtmf_guard_read(agw_dtmf_guard *g, const agw_doc *request)
{
    agw_dtmf_guard next = {.ends_at = AGW_NEVER};
    const char *why = read_mode(request, "DTMF-security", "drop", &next.mode);
    if (why == NULL &&
        (agw_doc_get(request, "code") != NULL || agw_doc_get(request, "digit") != NULL))
        why = agw_dtmf_read_digit(request, &next.shield.digit);
    if (why == NULL)
        why = read_tones(request, &next.shield);
    if (why == NULL)
        why = read_triggers(&next, request);
    read_volume(request, &next.shield);
    if (why == NULL)
        *g = next;
    return why;
}

void agw_dtmf_guard_clear(agw_dtmf_guard *g)
{
    *g = (agw_dtmf_guard){.ends_at = AGW_NEVER};
}

/* --- triggers ------------------------------------------------------------------------------ */

static bool set_mode(agw_dtmf_guard *g, agw_guard_mode mode)
{
    const bool same =
        g->mode.on == mode.on && g->mode.shield == mode.shield && g->mode.zero == mode.zero;
    g->mode = mode;
    return !same;
}

static void remember(agw_dtmf_guard *g, char digit)
{
    const size_t n = strlen(g->heard), from = n == AGW_GUARD_DIGITS_MAX ? 1 : 0;
    memmove(g->heard, g->heard + from, n - from);
    g->heard[n - from] = digit;
    g->heard[n - from + 1] = '\0';
}

static bool begin(agw_dtmf_guard *g, agw_ns now)
{
    g->begun = true;
    g->digits = 0;
    g->ends_at = g->end_after != 0 ? now + g->end_after : AGW_NEVER;
    g->heard[0] = '\0';
    return set_mode(g, g->at_begin);
}

static bool end(agw_dtmf_guard *g)
{
    g->begun = false;
    g->ends_at = AGW_NEVER;
    g->heard[0] = '\0';
    return set_mode(g, g->at_end);
}

bool agw_dtmf_guard_hear(agw_dtmf_guard *g, char digit, agw_ns now)
{
    if (g->begin[0] == '\0')
        return false;
    if (g->begun && now >= g->ends_at)
        return end(g);
    if (digit == '\0')
        return false;
    remember(g, digit);
    if (!g->begun)
        return g_str_has_suffix(g->heard, g->begin) && begin(g, now);
    g->digits++;
    const bool is_over = (g->end_digits != 0 && g->digits >= g->end_digits) ||
                         (g->end[0] != '\0' && g_str_has_suffix(g->heard, g->end));
    return is_over && end(g);
}

agw_ns agw_dtmf_guard_deadline(const agw_dtmf_guard *g)
{
    return g->begun ? g->ends_at : AGW_NEVER;
}

agw_shield_plan agw_dtmf_guard_shield(const agw_dtmf_guard *g)
{
    agw_shield_plan shield = g->shield;
    shield.mode = g->mode.on ? g->mode.shield : AGW_SHIELD_DROP;
    if (g->mode.zero)
        shield.digit = 0;
    return shield;
}
