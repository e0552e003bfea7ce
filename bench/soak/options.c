/* SPDX-License-Identifier: BSD-3-Clause
 * The command line of soak. */
#include "bench/kit/options.h"
#include "bench/soak/run.h"

#include <stddef.h>
#include <string.h>

#define ROW(name, kind, field, help) KIT_OPTION_ROW(name, kind, soak_options, field, help)
static const kit_option_row OPTIONS[] = {
    ROW("calls", COUNT, calls, "calls in all [1000]"),
    ROW("rate", NUMBER, rate, "calls begun a second, at random times [50]"),
    ROW("concurrent", COUNT, concurrent, "most calls at once [1000]"),
    ROW("seed", COUNT, seed, "of all that is left to chance [1]"),
    ROW("speed", NUMBER, speed, "hold and ring times are so many times shorter than in life [60]"),
    ROW("only", TEXT, only, "one scenario"),
    ROW("idle-points", COUNT, idle_points, "so often the run pauses until no call is left [10]"),
    ROW("idle-seconds", SECONDS, idle_length,
        "least length of such a pause [22: stored replies go after 10 s, memory 10 s later]"),
    ROW("heap-limit", NUMBER, limits.heap_bytes,
        "most growth of the heap in use, bytes a call [1]"),
    ROW("rss-limit", NUMBER, limits.rss_bytes,
        "most growth of the resident set, bytes a call [16]"),
    ROW("samples", TEXT, samples, "file for one line a second (CSV)"),
    ROW("gateway-pid", COUNT, gateway_pid, "process of the gateway"),
    ROW("offer-timeout", SECONDS, offer_timeout, "as the gateway's [5]"),
    ROW("timeout", SECONDS, timeout, "as the gateway's [10]"),
    ROW("silent-timeout", SECONDS, silent_timeout, "as the gateway's [15]"),
    ROW("consent-grace", SECONDS, consent_grace, "as the gateway's [2]"),
};
#undef ROW

static const kit_option_list LIST = {"soak", OPTIONS, sizeof OPTIONS / sizeof OPTIONS[0]};

void kit_soak_usage(FILE *out)
{
    fputs("usage: soak --interface=eth0 --ng=ADDRESS:PORT --gateway=ADDRESS --hosts=PREFIX "
          "--gateway-pid=PID [OPTIONS]\n\n"
          "Calls of many kinds through agwd, each with its own end; everything that arrives is "
          "checked, and when all have\nended the gateway must be as it was. One JSON object on "
          "stdout; ends with 0 when nothing failed or grew,\n2 when the measurement is not "
          "valid.\n\n",
          out);
    kit_option_list_help(&LIST, out);
    fputs("\nscenarios:", out);
    for (size_t i = 0; i < KIT_SOAK_SCENARIO_COUNT; i++)
        fprintf(out, " %s", KIT_SOAK_SCENARIOS[i].name);
    fputs("\n", out);
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
    if (!kit_option_list_read(&LIST, o, &o->world, 1, argc, argv))
        return false;
    const char *wrong = wrong_with(o);
    if (wrong != NULL)
        fprintf(stderr, "soak: %s\n", wrong);
    return wrong == NULL;
}
