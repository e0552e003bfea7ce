/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/replay/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kit_replay_usage(void)
{
    fputs(
        "usage: replay FILE --list\n"
        "       replay FILE --interface=eth0 --ng=ADDRESS:PORT --gateway=ADDRESS --hosts=PREFIX "
        "[OPTIONS]\n\n"
        "Plays a captured RTP stream (pcap, pcapng) through a call of any ng gateway and compares "
        "what comes out\nwith what went in; one JSON object on stdout. Ends with 0 when all is "
        "equal and in time.\n\n"
        "  --list           the streams of the file, no call\n"
        "  --stream=N|SSRC  number of the list, or SSRC in decimal or as 0x... [1, the longest]\n"
        "  --kind=KIND      webrtc-rtp, rtp-webrtc or rtp-rtp: from whom to whom [webrtc-rtp]\n"
        "  --speed=X        1 = as captured, 4 = four times as fast [1]\n"
        "  --codec=PT:NAME  what a payload type stands for, e.g. 96:H264/90000; repeatable "
        "[static ones known,\n                   dynamic ones guessed from their clock]\n"
        "  --suite=SUITE    SRTP: AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM [the former]\n"
        "  --p99-limit-us=N timing error that is still in time [2000]\n"
        "  --spin           never sleep\n",
        stderr);
}

static bool take_kind(kit_replay_options *o, const char *value)
{
    static const char *const KINDS[] = {"webrtc-rtp", "rtp-webrtc", "rtp-rtp"};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(value, KINDS[i]) == 0) {
            o->kind = (kit_call_kind)i;
            o->kind_text = KINDS[i];
            return true;
        }
    }
    return false;
}

/* "96:H264/90000" */
static bool take_codec(kit_codecs *codecs, const char *value)
{
    char *end;
    const unsigned long pt = strtoul(value, &end, 10);
    if (codecs->count == KIT_CODECS || end == value || *end != ':' || pt > 127)
        return false;
    kit_sdp_codec *c = &codecs->codec[codecs->count++];
    c->pt = (uint8_t)pt;
    const int len = snprintf(c->name, sizeof c->name, "%s", end + 1);
    return strchr(c->name, '/') != NULL && (size_t)len < sizeof c->name;
}

static bool take_number(const char *value, double least, double most, double *out)
{
    char *end;
    *out = strtod(value, &end);
    return end != value && *end == '\0' && *out >= least && *out <= most;
}

static bool take_named(kit_replay_options *o, const char *name, size_t len, const char *value)
{
    double number;
#define IS(text) (len == sizeof(text) - 1 && memcmp(name, text, len) == 0)
    if (IS("kind"))
        return take_kind(o, value);
    if (IS("codec"))
        return take_codec(&o->codecs, value);
    if (IS("speed"))
        return take_number(value, 0.01, 1000, &o->speed);
    if (IS("p99-limit-us")) {
        const bool ok = take_number(value, 0, 1e9, &number);
        o->p99_limit = (agw_ns)(number * 1e3);
        return ok;
    }
    if (IS("stream"))
        o->stream = value;
    else if (IS("suite"))
        o->suite = value;
    else if (!IS("gateway-pid")) /* told to every program, of no use here */
        return false;
#undef IS
    return true;
}

static bool take(kit_replay_options *o, const char *arg)
{
    const kit_option common = kit_world_option(&o->world, arg);
    if (common != KIT_OPTION_OTHER)
        return common == KIT_OPTION_TAKEN;
    const char *equals = strchr(arg, '=');
    if (strcmp(arg, "--list") == 0) {
        o->list = true;
    } else if (strncmp(arg, "--", 2) == 0) {
        return equals != NULL && take_named(o, arg + 2, (size_t)(equals - arg) - 2, equals + 1);
    } else {
        if (o->file != NULL)
            return false;
        o->file = arg;
    }
    return true;
}

bool kit_replay_options_parse(kit_replay_options *o, int argc, char *argv[])
{
    *o = (kit_replay_options){.kind_text = "webrtc-rtp",
                              .speed = 1,
                              .suite = "AES_CM_128_HMAC_SHA1_80",
                              .p99_limit = AGW_MS(2)};
    for (int i = 1; i < argc; i++) {
        if (!take(o, argv[i])) {
            fprintf(stderr, "replay: %s is not understood\n", argv[i]);
            return false;
        }
    }
    if (o->file == NULL) {
        kit_replay_usage();
        return false;
    }
    if (!o->list && !kit_world_config_complete(&o->world)) {
        fputs("replay: --interface, --ng, --gateway and --hosts are needed\n", stderr);
        return false;
    }
    return true;
}
