/* SPDX-License-Identifier: BSD-3-Clause
 * load: calls and media through any ng gateway. */
#include "bench/kit/sealer.h"
#include "bench/load/modes.h"

#include <string.h>

static const struct {
    const char *name;
    void (*run)(kit_load *l);
} MODES[] = {
    {"media", kit_mode_media},
    {"setup", kit_mode_setup},
    {"ng", kit_mode_ng},
    {"churn", kit_mode_churn},
    {"idle", kit_mode_idle},
    {"search", kit_mode_search},
    {"churn-search", kit_mode_churn_search},
    {"mix", kit_mode_mix},
    {"mix-search", kit_mode_mix_search},
    {"delay", kit_mode_delay},
    {"storm", kit_mode_storm},
    {"overload", kit_mode_overload},
    {"selftest", kit_mode_selftest},
};

static void describe_pair(const kit_options *o, kit_report *r)
{
    kit_report_text(r, "pair", o->pair->name);
    kit_report_int(r, "silence_a_per_mille", kit_voice_silence(o->voices[KIT_A]));
    kit_report_int(r, "silence_b_per_mille", kit_voice_silence(o->voices[KIT_B]));
    kit_report_int(r, "loss_percent", o->pair->loss_percent);
}

static void describe(kit_load *l)
{
    const kit_options *o = &l->options;
    kit_report *r = &l->report;
    kit_report_text(r, "mode", o->mode);
    kit_report_text(r, "kind", o->kind_text);
    kit_report_text(r, "media", o->video ? "video" : "audio");
    kit_report_text(r, "suite", o->suite_text);
    if (o->pair != NULL)
        describe_pair(o, r);
    kit_report_text(r, "gateway_dtls", o->gateway_dtls_client ? "active" : "passive");
    kit_report_int(r, "calls", o->calls);
    kit_report_int(r, "in_flight", o->in_flight);
    kit_report_int(r, "rate_per_s", o->rate);
    kit_report_int(r, "pps", o->pps);
    kit_report_int(r, "tick_ns", o->tick);
}

static int run(kit_load *l, void (*mode)(kit_load *l))
{
    const char *why = NULL;
    kit_options *o = &l->options;
    if (o->pair != NULL && kit_pair_voices(o->pair, o->speech, o->voices) != AGW_OK) {
        fprintf(stderr, "load: %s is no speech\n", o->speech);
        return 2;
    }
    if (kit_world_open(&l->world, &l->options.world, &why) != AGW_OK) {
        fprintf(stderr, "load: %s\n", why);
        return 2;
    }
    kit_sealer_open(&l->world);
    l->backlog_before = l->backlog_at_start = kit_usage_backlog_drops();
    l->wire_before = kit_wire_get_stats(l->world.wire);
    kit_report_begin(&l->report, stdout);
    describe(l);
    mode(l);
    kit_load_finish(l);
    kit_report_bool(&l->report, "valid", l->doubt == NULL);
    kit_report_text(&l->report, "doubt", l->doubt);
    kit_report_end(&l->report);
    kit_sealer_close(&l->world);
    kit_world_close(&l->world);
    kit_voice_free(o->voices[KIT_A]);
    kit_voice_free(o->voices[KIT_B]);
    if (l->doubt != NULL)
        fprintf(stderr, "load: not valid: %s\n", l->doubt);
    return l->doubt == NULL ? 0 : 1;
}

int main(int argc, char *argv[])
{
    static kit_load load;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        kit_options_usage(stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof MODES / sizeof MODES[0]; i++) {
        if (strcmp(argv[1], MODES[i].name) == 0)
            return kit_options_parse(&load.options, argc, argv) ? run(&load, MODES[i].run) : 2;
    }
    kit_options_usage(stderr);
    return 2;
}
