/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/options.h"

#include <stdlib.h>
#include <string.h>

typedef enum value_kind {
    COUNT,   /* unsigned */
    SECONDS, /* agw_ns, written as seconds with a fraction */
    MICROSECONDS,
    ADDRESS, /* agw_addr with a port */
    WORD,    /* one of a list, see take_word() */
} value_kind;

typedef struct option {
    const char *name;
    value_kind kind;
    size_t at; /* in kit_options */
    const char *help;
} option;

static const option OPTIONS[] = {
    {"calls", COUNT, offsetof(kit_options, calls), "calls at once [100]"},
    {"kind", WORD, 0, "webrtc-rtp, rtp-webrtc or rtp-rtp [webrtc-rtp]"},
    {"media", WORD, 0,
     "audio: 160 bytes, 50 a second each way; video: 1200 bytes, 250 a second in "
     "bursts of 10 [audio]"},
    {"suite", WORD, 0, "AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM [the former]"},
    {"gateway-dtls", WORD, 0, "passive or active: the gateway's role [passive]"},
    {"seconds", SECONDS, offsetof(kit_options, seconds), "length of the window [3]"},
    {"warm-up", SECONDS, offsetof(kit_options, warm_up), "media before the window [1]"},
    {"hold", SECONDS, offsetof(kit_options, hold), "churn: how long a call talks [2]"},
    {"in-flight", COUNT, offsetof(kit_options, in_flight), "most set-ups under way at once [32]"},
    {"rate", COUNT, offsetof(kit_options, rate), "set-ups a second; 0 = as in-flight lets [0]"},
    {"step-percent", COUNT, offsetof(kit_options, step_percent), "search: how close it looks [5]"},
    {"times", COUNT, offsetof(kit_options, times),
     "overload: calls tried, in times of --calls [3]"},
    {"over-seconds", SECONDS, offsetof(kit_options, over), "overload: for so long [20]"},
    {"urgent-percent", COUNT, offsetof(kit_options, urgent_percent),
     "overload: how many of them are emergencies [5]"},
    {"p99-limit-us", MICROSECONDS, offsetof(kit_options, p99_limit),
     "search: latency that is still well [20000]"},
    {"tick-us", MICROSECONDS, offsetof(kit_options, tick),
     "while there is media, look and send every so often; 0 = for each packet [100]"},
    {"seed", COUNT, offsetof(kit_options, seed), "of what selftest spoils [1]"},
    {"gateway-pid", COUNT, offsetof(kit_options, gateway_pid),
     "process whose CPU time and memory are told"},
    {"gateway-usage", ADDRESS, offsetof(kit_options, gateway_usage),
     "the same from bench/serve.mjs on another machine, ADDRESS:PORT"},
};

void kit_options_usage(FILE *out)
{
    fputs(
        "usage: load MODE --interface=eth0 --ng=ADDRESS:PORT --gateway=ADDRESS --hosts=PREFIX "
        "[OPTIONS]\n\n"
        "Calls and media through any ng gateway, every packet checked; one JSON object on stdout. "
        "Ends with 0 when\nthe measurement is valid.\n\n"
        "  media     calls with media: CPU per packet, latency, loss\n"
        "  setup     calls one after the other, no media: CPU and time per set-up\n"
        "  ng        offer, answer and delete alone, no handshake: CPU and time per command\n"
        "  churn     calls at a rate that talk and end\n"
        "  idle      calls that are held without media: memory, sockets, before, with and after\n"
        "  search    the largest number of calls that the gateway carries\n"
        "  overload  far too many new calls for a while: what do those that talk feel, who gets "
        "in?\n"
        "  storm     set-ups at a rate while calls talk\n"
        "  selftest  as media, but spoils 1 % of what arrives: is exactly that found?\n\n",
        out);
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++)
        fprintf(out, "  --%-14s %s\n", OPTIONS[i].name, OPTIONS[i].help);
    fputs("  --spin           never sleep\n", out);
}

static bool take_word(kit_options *o, const char *name, const char *value)
{
    static const char *const kinds[] = {"webrtc-rtp", "rtp-webrtc", "rtp-rtp"};
    if (strcmp(name, "kind") == 0) {
        for (unsigned i = 0; i < 3; i++) {
            if (strcmp(value, kinds[i]) == 0) {
                o->kind = (kit_call_kind)i;
                o->kind_text = kinds[i];
                return true;
            }
        }
        return false;
    }
    if (strcmp(name, "media") == 0) {
        o->video = strcmp(value, "video") == 0;
        return o->video || strcmp(value, "audio") == 0;
    }
    if (strcmp(name, "gateway-dtls") == 0) {
        o->gateway_dtls_client = strcmp(value, "active") == 0;
        return o->gateway_dtls_client || strcmp(value, "passive") == 0;
    }
    o->suite_text = value;
    return strcmp(value, "AES_CM_128_HMAC_SHA1_80") == 0 || strcmp(value, "AEAD_AES_128_GCM") == 0;
}

static bool take_value(kit_options *o, const option *which, const char *value)
{
    char *end;
    uint8_t *field = (uint8_t *)o + which->at;
    if (which->kind == WORD)
        return take_word(o, which->name, value);
    if (which->kind == ADDRESS)
        return agw_addr_parse((agw_addr *)(void *)field, value) == AGW_OK;
    if (which->kind == COUNT) {
        const unsigned long n = strtoul(value, &end, 10);
        const unsigned count = (unsigned)n;
        memcpy(field, &count, sizeof count);
        return *value >= '0' && *value <= '9' && *end == '\0' && n <= INT32_MAX;
    }
    const double number = strtod(value, &end);
    const agw_ns time = (agw_ns)(number * (which->kind == SECONDS ? 1e9 : 1e3));
    memcpy(field, &time, sizeof time);
    return end != value && *end == '\0' && number >= 0 && number < 1e8;
}

static bool take(kit_options *o, const char *arg)
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

bool kit_options_parse(kit_options *o, int argc, char *argv[])
{
    *o = (kit_options){.mode = argc > 1 ? argv[1] : "",
                       .calls = 100,
                       .in_flight = 32,
                       .step_percent = 5,
                       .kind_text = "webrtc-rtp",
                       .suite_text = "AES_CM_128_HMAC_SHA1_80",
                       .seconds = AGW_S(3),
                       .warm_up = AGW_S(1),
                       .hold = AGW_S(2),
                       .over = AGW_S(20),
                       .times = 3,
                       .urgent_percent = 5,
                       .p99_limit = AGW_MS(20),
                       .tick = AGW_US(100),
                       .seed = 1};
    for (int i = 2; i < argc; i++) {
        if (!take(o, argv[i])) {
            fprintf(stderr, "load: %s is not understood\n", argv[i]);
            return false;
        }
    }
    if (o->calls == 0 || o->in_flight == 0 || o->seconds == 0 || o->step_percent == 0) {
        fputs("load: calls, in-flight, seconds and step-percent are not 0\n", stderr);
        return false;
    }
    if (o->world.spin)
        o->tick = 0; /* each packet alone */
    if (!kit_world_config_complete(&o->world)) {
        fputs("load: --interface, --ng, --gateway and --hosts are needed\n", stderr);
        return false;
    }
    return true;
}
