/* SPDX-License-Identifier: BSD-3-Clause
 * The command line of soak. */
#include "bench/soak/run.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum value_kind { COUNT, NUMBER, SECONDS, TEXT } value_kind;

typedef struct option {
    const char *name;
    value_kind kind;
    size_t at; /* in soak_options */
    const char *help;
} option;

static const option OPTIONS[] = {
    {"calls", COUNT, offsetof(soak_options, calls), "calls in all [1000]"},
    {"rate", NUMBER, offsetof(soak_options, rate), "calls begun a second, at random times [50]"},
    {"concurrent", COUNT, offsetof(soak_options, concurrent), "most calls at once [1000]"},
    {"seed", COUNT, offsetof(soak_options, seed), "of all that is left to chance [1]"},
    {"speed", NUMBER, offsetof(soak_options, speed),
     "hold and ring times are so many times shorter than in life [60]"},
    {"only", TEXT, offsetof(soak_options, only), "one scenario"},
    {"idle-points", COUNT, offsetof(soak_options, idle_points),
     "so often the run pauses until no call is left [10]"},
    {"idle-seconds", SECONDS, offsetof(soak_options, idle_length),
     "least length of such a pause [22: stored replies go after 10 s, memory 10 s later]"},
    {"heap-limit", NUMBER, offsetof(soak_options, limits.heap_bytes),
     "most growth of the heap in use, bytes a call [1]"},
    {"rss-limit", NUMBER, offsetof(soak_options, limits.rss_bytes),
     "most growth of the resident set, bytes a call [16]"},
    {"samples", TEXT, offsetof(soak_options, samples), "file for one line a second (CSV)"},
    {"gateway-pid", COUNT, offsetof(soak_options, gateway_pid), "process of the gateway"},
    {"offer-timeout", SECONDS, offsetof(soak_options, offer_timeout), "as the gateway's [5]"},
    {"timeout", SECONDS, offsetof(soak_options, timeout), "as the gateway's [10]"},
    {"silent-timeout", SECONDS, offsetof(soak_options, silent_timeout), "as the gateway's [15]"},
    {"consent-grace", SECONDS, offsetof(soak_options, consent_grace), "as the gateway's [2]"},
};

void kit_soak_usage(FILE *out)
{
    fputs("usage: soak --interface=eth0 --ng=ADDRESS:PORT --gateway=ADDRESS --hosts=PREFIX "
          "--gateway-pid=PID [OPTIONS]\n\n"
          "Calls of many kinds through agwd, each with its own end; everything that arrives is "
          "checked, and when all have\nended the gateway must be as it was. One JSON object on "
          "stdout; ends with 0 when nothing failed or grew,\n2 when the measurement is not "
          "valid.\n\n",
          out);
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++)
        fprintf(out, "  --%-16s %s\n", OPTIONS[i].name, OPTIONS[i].help);
    fputs("\nscenarios:", out);
    for (size_t i = 0; i < KIT_SOAK_SCENARIO_COUNT; i++)
        fprintf(out, " %s", KIT_SOAK_SCENARIOS[i].name);
    fputs("\n", out);
}

static bool take_value(soak_options *o, const option *which, const char *value)
{
    uint8_t *field = (uint8_t *)o + which->at;
    char *end;
    if (which->kind == TEXT) {
        memcpy(field, &value, sizeof value);
        return *value != '\0';
    }
    const double number = strtod(value, &end);
    const uint32_t count = number >= 0 && number <= INT32_MAX ? (uint32_t)number : 0;
    const agw_ns time = (agw_ns)(number * 1e9);
    if (which->kind == COUNT)
        memcpy(field, &count, sizeof count);
    else if (which->kind == SECONDS)
        memcpy(field, &time, sizeof time);
    else
        memcpy(field, &number, sizeof number);
    return end != value && *end == '\0' && number >= 0 && number <= INT32_MAX;
}

static bool take(soak_options *o, const char *arg)
{
    const kit_option common = kit_world_option(&o->world, arg);
    if (common != KIT_OPTION_OTHER)
        return common == KIT_OPTION_TAKEN;
    const char *equals = strchr(arg, '=');
    if (strncmp(arg, "--", 2) != 0 || equals == NULL)
        return false;
    const size_t len = (size_t)(equals - arg) - 2;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
        if (strlen(OPTIONS[i].name) == len && strncmp(arg + 2, OPTIONS[i].name, len) == 0)
            return take_value(o, &OPTIONS[i], equals + 1);
    }
    return false;
}

static const soak_scenario *scenario_named(const char *name)
{
    for (size_t i = 0; i < KIT_SOAK_SCENARIO_COUNT; i++) {
        if (strcmp(KIT_SOAK_SCENARIOS[i].name, name) == 0)
            return &KIT_SOAK_SCENARIOS[i];
    }
    return NULL;
}

static const char *wrong_with(soak_options *o)
{
    if (!kit_world_config_complete(&o->world) || o->gateway_pid == 0)
        return "--interface, --ng, --gateway, --hosts and --gateway-pid are needed";
    if (o->calls == 0 || o->rate <= 0 || o->concurrent == 0 || o->speed <= 0)
        return "calls, rate, concurrent and speed are not 0";
    if (o->idle_points == 0 || o->idle_points >= SOAK_POINTS_MAX || o->idle_points > o->calls)
        return "idle-points is 1 to 199, and not above calls";
    if (o->only == NULL)
        return NULL;
    o->only_scenario = scenario_named(o->only);
    return o->only_scenario != NULL ? NULL : "there is no such scenario";
}

bool kit_soak_options_parse(soak_options *o, int argc, char *argv[])
{
    *o = (soak_options){.calls = 1000,
                        .rate = 50,
                        .concurrent = 1000,
                        .seed = 1,
                        .speed = 60,
                        .idle_points = 10,
                        .idle_length = AGW_S(22),
                        .limits = {.heap_bytes = 1, .rss_bytes = 16},
                        .offer_timeout = AGW_S(5),
                        .timeout = AGW_S(10),
                        .silent_timeout = AGW_S(15),
                        .consent_grace = AGW_S(2)};
    for (int i = 1; i < argc; i++) {
        if (!take(o, argv[i])) {
            fprintf(stderr, "soak: %s is not understood\n", argv[i]);
            return false;
        }
    }
    const char *wrong = wrong_with(o);
    if (wrong != NULL)
        fprintf(stderr, "soak: %s\n", wrong);
    return wrong == NULL;
}
