/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/options.h"

#include "bench/kit/options.h"

#include <stdlib.h>
#include <string.h>

enum { AS_THE_PAIR = 1000 };

static bool take_kind(void *options, const char *value)
{
    static const char *const kinds[] = {"webrtc-rtp", "rtp-webrtc", "rtp-rtp", "webrtc-sdes"};
    kit_options *o = options;
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(value, kinds[i]) == 0) {
            o->kind = (kit_call_kind)i;
            o->kind_text = kinds[i];
            return true;
        }
    }
    return false;
}

static bool take_media(void *options, const char *value)
{
    kit_options *o = options;
    o->video = strcmp(value, "video") == 0;
    return o->video || strcmp(value, "audio") == 0;
}

static bool take_gateway_dtls(void *options, const char *value)
{
    kit_options *o = options;
    o->gateway_dtls_client = strcmp(value, "active") == 0;
    return o->gateway_dtls_client || strcmp(value, "passive") == 0;
}

static bool take_suite(void *options, const char *value)
{
    kit_options *o = options;
    o->suite_text = value;
    return strcmp(value, "AES_CM_128_HMAC_SHA1_80") == 0 || strcmp(value, "AEAD_AES_128_GCM") == 0;
}

static bool take_pair(void *options, const char *value)
{
    kit_options *o = options;
    o->pair = kit_pair_find(value);
    if (o->pair != NULL)
        o->kind = o->pair->kind;
    return o->pair != NULL;
}

static bool take_talkers(void *options, const char *value)
{
    kit_options *o = options;
    o->hushed[KIT_A] = strcmp(value, "b") == 0;
    o->hushed[KIT_B] = strcmp(value, "a") == 0;
    return o->hushed[KIT_A] || o->hushed[KIT_B] || strcmp(value, "both") == 0;
}

/* "5000,20000", rising */
static bool take_p99_limits(void *options, const char *value)
{
    kit_options *o = options;
    unsigned n = 0;
    for (const char *at = value; n < KIT_P99_LIMITS; at++) {
        char *end;
        const double us = strtod(at, &end);
        const agw_ns limit = us > 0 && us < 1e8 ? (agw_ns)(us * 1e3) : 0;
        if (end == at || limit <= (n > 0 ? o->p99_limits[n - 1] : 0))
            return false;
        o->p99_limits[n++] = limit;
        o->n_p99_limits = n;
        at = end;
        if (*at != ',')
            return *at == '\0';
    }
    return false;
}

#define ROW(name, kind, field, help) KIT_OPTION_ROW(name, kind, kit_options, field, help)
static const kit_option_row OPTIONS[] = {
    ROW("calls", COUNT, calls, "calls at once [100]"),
    KIT_OPTION_ROW_OWN("kind", take_kind,
                       "webrtc-rtp, rtp-webrtc, rtp-rtp or webrtc-sdes [webrtc-rtp]"),
    KIT_OPTION_ROW_OWN("media", take_media,
                       "audio: 160 bytes, 50 a second each way; video: 1200 bytes, 250 a second in "
                       "bursts of 10 [audio]"),
    KIT_OPTION_ROW_OWN(
        "pair", take_pair,
        "codecs that the gateway changes: pcma-pcmu, pcma-g722, opus-pcma, opus-g722, "
        "opus-amr, opus-amr-wb (40 % pauses, 2 % loss) [none]"),
    ROW("speech", TEXT, speech, "of a pair: file of speech, raw, 16 bit, 16 kHz"),
    ROW("pause-percent", COUNT, pause_percent, "of the time nobody speaks [as the pair]"),
    ROW("loss-percent", COUNT, loss_percent, "of the packets are lost, each way [as the pair]"),
    ROW("coded-percent", COUNT, coded_percent, "mix: calls of --pair [70]"),
    ROW("video-percent", COUNT, video_percent, "mix: video calls; the rest passes audio [5]"),
    KIT_OPTION_ROW_OWN("talkers", take_talkers, "who sends media: a, b or both [both]"),
    ROW("pps", COUNT, pps,
        "packets a second of all --calls together, both ways [as many as --media says]"),
    KIT_OPTION_ROW_OWN("suite", take_suite,
                       "of browsers, and of phones with SDES: AES_CM_128_HMAC_SHA1_80 or "
                       "AEAD_AES_128_GCM [the former]"),
    KIT_OPTION_ROW_OWN("gateway-dtls", take_gateway_dtls,
                       "passive or active: the gateway's role [passive]"),
    ROW("seconds", SECONDS, seconds, "length of the window [3]"),
    ROW("warm-up", SECONDS, warm_up, "media before the window [1]"),
    ROW("hold", SECONDS, hold, "churn: how long a call talks [2]"),
    ROW("in-flight", COUNT, in_flight, "most set-ups under way at once [32]"),
    ROW("rate", COUNT, rate,
        "set-ups a second; 0 = as in-flight lets [0]; storm, churn, churn-search [50]"),
    ROW("step-percent", COUNT, step_percent, "searches: how close they look [5]"),
    ROW("times", COUNT, times, "overload: calls tried, in times of --calls [3]"),
    ROW("over-seconds", SECONDS, over, "overload: for so long [20]"),
    ROW("urgent-percent", COUNT, urgent_percent, "overload: how many of them are emergencies [5]"),
    KIT_OPTION_ROW_OWN(
        "p99-limit-us", take_p99_limits,
        "latency that is still well; of a search up to 4, rising, with commas between [20000]"),
    ROW("tick-us", MICROSECONDS, tick,
        "while there is media, look and send every so often; 0 = for each packet [100]"),
    ROW("seed", COUNT, seed, "of what selftest spoils [1]"),
    ROW("gateway-pid", COUNT, gateway_pid, "process whose CPU time and memory are told"),
    ROW("gateway-usage", ADDRESS, gateway_usage,
        "the same from bench/serve.mjs on another machine, ADDRESS:PORT"),
};
#undef ROW

static const kit_option_list LIST = {"load", OPTIONS, sizeof OPTIONS / sizeof OPTIONS[0]};

void kit_options_usage(FILE *out)
{
    fputs(
        "usage: load MODE --interface=eth0 --ng=ADDRESS:PORT --gateway=ADDRESS --hosts=PREFIX "
        "[OPTIONS]\n\n"
        "Calls and media through any ng gateway, every packet checked; one JSON object on stdout. "
        "Ends with 0 when\nthe measurement is valid.\n\n"
        "  media         calls with media: CPU per packet, latency, loss\n"
        "  setup         calls one after the other, no media: CPU and time per set-up\n"
        "  ng            offer, answer and delete alone, no handshake: CPU and time per command\n"
        "  churn         calls at a rate that talk and end\n"
        "  idle          calls that are held without media: memory, sockets, before, with and "
        "after\n"
        "  search        the largest number of calls that the gateway carries\n"
        "  churn-search  the largest rate of churn at which nothing is lost\n"
        "  overload      far too many new calls for a while: what do those that talk feel, who "
        "gets in?\n"
        "  storm         set-ups at a rate while calls talk\n"
        "  mix           calls of --pair, audio and video that only pass: what does each kind "
        "feel?\n"
        "  mix-search    the largest number of such calls that the gateway carries\n"
        "  delay         how much later the parties of --pair hear each other\n"
        "  selftest      as media, but spoils 1 % of what arrives: is exactly that found?\n\n",
        out);
    kit_option_list_help(&LIST, out);
    fputs("  --spin             never sleep\n", out);
}

static void change_pair(kit_options *o)
{
    o->changed_pair = *o->pair;
    if (o->pause_percent != AS_THE_PAIR)
        o->changed_pair.pause_percent = o->pause_percent;
    if (o->loss_percent != AS_THE_PAIR)
        o->changed_pair.loss_percent = o->loss_percent;
    o->pair = &o->changed_pair;
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
                       .coded_percent = 70,
                       .video_percent = 5,
                       .pause_percent = AS_THE_PAIR,
                       .loss_percent = AS_THE_PAIR,
                       .p99_limits = {AGW_MS(20)},
                       .n_p99_limits = 1,
                       .tick = AGW_US(100),
                       .seed = 1};
    if (!kit_option_list_read(&LIST, o, &o->world, 2, argc, argv))
        return false;
    if (o->calls == 0 || o->in_flight == 0 || o->seconds == 0 || o->step_percent == 0) {
        fputs("load: calls, in-flight, seconds and step-percent are not 0\n", stderr);
        return false;
    }
    if (o->pair != NULL)
        change_pair(o);
    if (o->coded_percent + o->video_percent > 100 || o->pause_percent % AS_THE_PAIR > 90) {
        fputs("load: shares of a mix are 100 at most, pauses 90\n", stderr);
        return false;
    }
    if (o->pair != NULL && o->speech == NULL) {
        fputs("load: a pair wants --speech\n", stderr);
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
