/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/mix.h"

#include "bench/load/modes.h"

static const agw_ns SETTLE = AGW_MS(100);

static unsigned part(unsigned calls, unsigned percent)
{
    const unsigned n = calls * percent / 100;
    return n != 0 || percent == 0 ? n : 1;
}

void kit_mix_init(kit_mix *m, kit_load *l, unsigned calls)
{
    const kit_options *o = &l->options;
    m->calls[KIT_MIX_CODED] = part(calls, o->coded_percent);
    m->calls[KIT_MIX_VIDEO] = part(calls, o->video_percent);
    m->calls[KIT_MIX_PASSED] = part(calls, 100 - o->coded_percent - o->video_percent);
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++) {
        m->options[i] = *o;
        if (i != KIT_MIX_CODED)
            m->options[i].pair = NULL;
        m->options[i].keeps_codecs = i != KIT_MIX_CODED;
        m->options[i].video = i == KIT_MIX_VIDEO;
        const kit_fleet_config config = {.room = m->calls[i] + 1, .hold = AGW_NEVER};
        kit_fleet_init(&m->fleet[i], &l->world, &m->options[i], &config);
    }
}

void kit_mix_fini(kit_mix *m)
{
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++)
        kit_fleet_fini(&m->fleet[i]);
}

/* Those of a kind talk before the next kind comes: what they cost can be seen. */
bool kit_mix_set_up(kit_mix *m)
{
    bool all = true;
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++) {
        if (m->calls[i] == 0)
            continue;
        all &= kit_fleet_set_up(&m->fleet[i], m->calls[i]);
        kit_fleet_talk(&m->fleet[i]);
        kit_world_for(m->fleet[i].world, AGW_S(1));
    }
    return all;
}

void kit_mix_run(kit_mix *m, kit_load *l, kit_window *w)
{
    kit_world_for(&l->world, l->options.warm_up);
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++)
        kit_fleet_restart(&m->fleet[i]);
    kit_world_for(&l->world, SETTLE);
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++)
        kit_fleet_forget_times(&m->fleet[i]);
    kit_window_open(w, &l->options, &m->fleet[KIT_MIX_CODED]);
    kit_world_for(&l->world, l->options.seconds);
    kit_window_close(w, &l->options, &m->fleet[KIT_MIX_CODED]);
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++)
        kit_fleet_hush(&m->fleet[i]);
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++)
        kit_fleet_drain(&m->fleet[i]);
}

void kit_mix_end(kit_mix *m)
{
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++)
        kit_fleet_end(&m->fleet[i]);
}

static void report_kind(kit_load *l, const char *name, const kit_fleet *f)
{
    kit_report *r = &l->report;
    const kit_totals t = kit_fleet_totals(f);
    const kit_histogram h = kit_fleet_latency(f);
    kit_report_open(r, name);
    kit_report_int(r, "tried", (int64_t)f->started);
    kit_report_int(r, "up", f->up);
    kit_report_int(r, "refused", (int64_t)f->refused);
    kit_report_int(r, "packets_due", (int64_t)t.due);
    kit_report_int(r, "lost", (int64_t)t.lost);
    kit_report_int(r, "loss_ppm", (int64_t)kit_loss_ppm(&t));
    kit_report_times(r, "latency", &h);
    kit_report_times(r, "latency_to_a", &f->latency[KIT_A]);
    kit_report_times(r, "latency_to_b", &f->latency[KIT_B]);
    kit_report_times(r, "generator_lateness", &f->pacer.lateness);
    kit_report_close(r);
    kit_tell(name, f, &t);
}

/* Too much is no failure here: what is asked is who feels it. */
void kit_mode_mix(kit_load *l)
{
    static const char *const NAMES[KIT_MIX_KINDS] = {"coded", "passed", "video"};
    static kit_mix m;
    kit_window w;
    kit_mix_init(&m, l, l->options.calls);
    kit_mix_set_up(&m);
    kit_mix_run(&m, l, &w);
    kit_report_cpu(l, &w.begin, &w.end, 0, "packet");
    for (unsigned i = 0; i < KIT_MIX_KINDS; i++) {
        report_kind(l, NAMES[i], &m.fleet[i]);
        kit_load_doubt(l, m.fleet[i].failed != 0, "calls did not come up");
    }
    kit_load_doubt(l, kit_fleet_lateness(&m.fleet[KIT_MIX_PASSED]) > KIT_IN_BURSTS_NS,
                   "the generator did not keep its schedule");
    kit_mix_end(&m);
    kit_mix_fini(&m);
}
