/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/window.h"

#include <inttypes.h>

/* What looking at each call has delayed leaves before the window. */
static const agw_ns SETTLE = AGW_MS(100);

/* machine: the gateway's, which is usually ours, too. */
static kit_sample sample(const kit_options *o, agw_err (*usage_of)(kit_usage *out, pid_t pid))
{
    kit_sample s = {.own = kit_usage_own_cpu(), .machine = kit_usage_machine_cpu()};
    agw_err err = AGW_ERR_NOT_FOUND;
    if (agw_addr_is_set(&o->gateway_usage))
        err = kit_usage_ask(&s.gateway, &s.machine, &o->gateway_usage);
    else if (o->gateway_pid != 0)
        err = usage_of(&s.gateway, o->gateway_pid);
    if (err != AGW_OK)
        s.gateway = (kit_usage){.cpu = 0};
    s.at = agw_clock_now();
    return s;
}

kit_sample kit_sample_now(const kit_options *o)
{
    return sample(o, kit_usage_of);
}

kit_sample kit_sample_quick(const kit_options *o)
{
    return sample(o, kit_usage_quick);
}

void kit_window_open(kit_window *w, const kit_options *o, const kit_fleet *f)
{
    *w = (kit_window){.begin = kit_sample_quick(o), .arrived = f->arrived, .sent = f->sent};
}

void kit_window_close(kit_window *w, const kit_options *o, const kit_fleet *f)
{
    w->end = kit_sample_quick(o);
    w->arrived = f->arrived - w->arrived;
    w->sent = f->sent - w->sent;
}

void kit_window_run(kit_load *l, kit_fleet *f, const kit_fleet *comers, kit_window *w)
{
    const kit_options *o = &l->options;
    kit_world_for(&l->world, o->warm_up);
    kit_fleet_restart(f);
    kit_world_for(&l->world, SETTLE);
    kit_fleet_forget_times(f);
    const uint64_t up_before = comers != NULL ? comers->came_up : 0;
    kit_window_open(w, o, f);
    kit_world_for(&l->world, o->seconds);
    kit_window_close(w, o, f);
    w->came_up = comers != NULL ? comers->came_up - up_before : 0;
}

kit_shares kit_window_shares(const kit_load *l, const kit_window *w)
{
    const agw_ns length = w->end.at - w->begin.at;
    const agw_ns own = w->end.own - w->begin.own;
    const agw_ns gateway = w->end.gateway.cpu - w->begin.gateway.cpu;
    const bool elsewhere = agw_addr_is_set(&l->options.gateway_usage);
    const agw_ns others = w->end.machine - w->begin.machine - gateway - (elsewhere ? 0 : own);
    return (kit_shares){.gateway = (int)(gateway * 1000 / length),
                        .generator = (int)(own * 1000 / length),
                        .others = (int)(others * 1000 / length)};
}

const char *kit_bound(const kit_shares *cpu, bool on_time)
{
    const bool gateway_busy = cpu->gateway >= KIT_BUSY_PER_MILLE;
    const bool generator_busy = cpu->generator >= KIT_BUSY_PER_MILLE;
    if (gateway_busy && !generator_busy)
        return "gateway";
    if (!on_time)
        return generator_busy ? "generator" : "others";
    return gateway_busy || cpu->others < KIT_OTHERS_PER_MILLE ? "gateway" : "others";
}

uint64_t kit_loss_ppm(const kit_totals *t)
{
    return t->due != 0 ? t->lost * 1000000 / t->due : 0;
}

/* --- doubts ------------------------------------------------------------------------------------
 */

void kit_load_doubt(kit_load *l, bool doubtful, const char *why)
{
    if (doubtful && l->doubt == NULL)
        l->doubt = why;
}

void kit_load_doubt_fleet(kit_load *l, const kit_fleet *f, agw_ns lateness_max)
{
    kit_load_doubt(l, f->failed != 0, "calls did not come up");
    kit_load_doubt(l, f->not_started != 0, "calls could not be started on time");
    kit_load_doubt(l, kit_fleet_lateness(f) > lateness_max,
                   "the generator did not keep its schedule");
}

const char *kit_load_losses(kit_load *l)
{
    const kit_wire_stats s = kit_wire_get_stats(l->world.wire);
    const uint64_t backlog = kit_usage_backlog_drops();
    const char *why = NULL;
    if (s.send_failed != l->wire_before.send_failed)
        why = "the generator could not send";
    else if (s.missed != l->wire_before.missed)
        why = "the generator missed packets";
    else if (backlog != l->backlog_before)
        why = "the kernel dropped packets between the interfaces";
    l->wire_before = s;
    l->backlog_before = backlog;
    return why;
}

void kit_load_finish(kit_load *l)
{
    kit_report *r = &l->report;
    const char *why = kit_load_losses(l);
    kit_load_doubt(l, why != NULL, why);
    const kit_wire_stats s = kit_wire_get_stats(l->world.wire);
    kit_report_open(r, "wire");
    kit_report_int(r, "sent", (int64_t)s.sent);
    kit_report_int(r, "received", (int64_t)s.received);
    kit_report_int(r, "send_failed", (int64_t)s.send_failed);
    kit_report_int(r, "missed", (int64_t)s.missed);
    kit_report_int(r, "unbound", (int64_t)s.unbound);
    kit_report_int(r, "unread", (int64_t)s.unread);
    kit_report_int(r, "kernel_backlog_drops", (int64_t)(l->backlog_before - l->backlog_at_start));
    kit_report_close(r);
}

/* --- telling -----------------------------------------------------------------------------------
 */

static void report_cpu(kit_report *r, const char *who, agw_ns cpu, uint64_t n, const char *per)
{
    char name[64];
    snprintf(name, sizeof name, "%s_cpu_ns", who);
    kit_report_int(r, name, cpu);
    if (n == 0)
        return;
    snprintf(name, sizeof name, "%s_cpu_ns_per_%s", who, per);
    kit_report_int(r, name, cpu / (agw_ns)n);
}

void kit_report_cpu(kit_load *l, const kit_sample *begin, const kit_sample *end, uint64_t n,
                    const char *per)
{
    kit_report *r = &l->report;
    const agw_ns length = end->at - begin->at;
    const agw_ns own = end->own - begin->own;
    const agw_ns machine = end->machine - begin->machine;
    kit_report_int(r, "window_ns", length);
    report_cpu(r, "generator", own, n, per);
    report_cpu(r, "machine", machine, n, per);
    if (begin->gateway.threads == 0 || end->gateway.threads == 0)
        return;
    const agw_ns gateway = end->gateway.cpu - begin->gateway.cpu;
    report_cpu(r, "gateway", gateway, n, per);
    kit_report_int(r, "gateway_cpu_per_mille_of_a_core", gateway * 1000 / length);
    kit_report_int(r, "others_cpu_per_mille_of_a_core", (machine - gateway - own) * 1000 / length);
}

void kit_report_shares(kit_load *l, const char *name, const kit_shares *s)
{
    kit_report *r = &l->report;
    kit_report_open(r, name);
    kit_report_int(r, "gateway_per_mille_of_a_core", s->gateway);
    kit_report_int(r, "generator_per_mille_of_a_core", s->generator);
    kit_report_int(r, "others_per_mille_of_a_core", s->others);
    kit_report_close(r);
}

void kit_report_verdict(kit_load *l, const kit_window *w, const kit_fleet *f, bool all_up)
{
    const kit_options *o = &l->options;
    const kit_totals t = kit_fleet_totals(f);
    const kit_histogram h = kit_fleet_latency(f);
    const bool carried = all_up && kit_loss_ppm(&t) < KIT_LOSS_MAX_PPM &&
                         kit_histogram_at(&h, 990) < o->p99_limits[o->n_p99_limits - 1];
    const kit_shares cpu = kit_window_shares(l, w);
    const char *by = NULL;
    if (!carried)
        by = kit_bound(&cpu, kit_fleet_lateness(f) <= KIT_ON_TIME_NS);
    else if (cpu.generator >= KIT_BUSY_PER_MILLE)
        by = "generator";
    kit_report_bool(&l->report, "carried", carried);
    kit_report_shares(l, "cpu", &cpu);
    kit_report_text(&l->report, "bounded_by", by);
    fprintf(stderr,
            "load: %scarried; of a core: gateway %d, generator %d, others %d per mille%s%s\n",
            carried ? "" : "not ", cpu.gateway, cpu.generator, cpu.others,
            by != NULL ? "; bounded by: " : "", by != NULL ? by : "");
}

void kit_report_usage(kit_load *l, const char *name, const kit_sample *s)
{
    kit_report *r = &l->report;
    if (s->gateway.threads == 0)
        return;
    kit_report_open(r, name);
    kit_report_int(r, "rss_bytes", (int64_t)s->gateway.rss_bytes);
    kit_report_int(r, "fds", s->gateway.fds);
    kit_report_int(r, "threads", s->gateway.threads);
    if (l->options.gateway_pid != 0)
        kit_report_int(r, "udp_sockets", (int64_t)kit_usage_udp_sockets(l->options.gateway_pid));
    kit_report_close(r);
}

void kit_report_window(kit_load *l, const kit_window *w)
{
    kit_report *r = &l->report;
    kit_report_int(r, "packets_sent", (int64_t)w->sent);
    kit_report_int(r, "packets_relayed", (int64_t)w->arrived);
    kit_report_int(r, "packets_relayed_per_s",
                   (int64_t)w->arrived * AGW_S(1) / (w->end.at - w->begin.at));
    kit_report_cpu(l, &w->begin, &w->end, w->arrived, "packet");
    if (l->options.pair != NULL && w->sent != 0)
        kit_report_int(r, "gateway_cpu_ns_per_frame",
                       (w->end.gateway.cpu - w->begin.gateway.cpu) / (agw_ns)w->sent);
}

static void report_rtcp(kit_report *r, const kit_totals *t, kit_side to)
{
    kit_report_open(r, to == KIT_A ? "rtcp_to_a" : "rtcp_to_b");
    kit_report_int(r, "sent", (int64_t)t->rtcp_sent[to == KIT_A ? KIT_B : KIT_A]);
    kit_report_int(r, "sr_seen", (int64_t)t->sr_seen[to]);
    kit_report_int(r, "rr_seen", (int64_t)t->rr_seen[to]);
    kit_report_int(r, "bad", (int64_t)t->rtcp_bad[to]);
    kit_report_close(r);
}

static void report_browsers(kit_report *r, const kit_browser_stats *s)
{
    kit_report_open(r, "browsers");
    kit_report_int(r, "checks_sent", (int64_t)s->checks_sent);
    kit_report_int(r, "checks_answered", (int64_t)s->checks_answered);
    kit_report_int(r, "checks_taken", (int64_t)s->checks_taken);
    kit_report_int(r, "stun_bad", (int64_t)s->stun_bad);
    kit_report_int(r, "dtls_dropped", (int64_t)s->dtls_dropped);
    kit_report_int(r, "unknown", (int64_t)s->unknown);
    kit_report_int(r, "other_source", (int64_t)s->other_source);
    kit_report_close(r);
}

void kit_report_totals(kit_load *l, const kit_totals *t)
{
    kit_report *r = &l->report;
    kit_report_int(r, "packets_due", (int64_t)t->due);
    kit_report_int(r, "lost", (int64_t)t->lost);
    kit_report_int(r, "loss_ppm", (int64_t)kit_loss_ppm(t));
    for (unsigned i = 0; i < KIT_FINDINGS; i++)
        kit_report_int(r, kit_finding_text((kit_finding)i), (int64_t)t->found[i]);
    kit_report_int(r, "longest_gap_ns", t->longest_gap);
    report_rtcp(r, t, KIT_A);
    report_rtcp(r, t, KIT_B);
    kit_report_int(r, "srtp_auth_failed", (int64_t)t->auth_failed);
    kit_report_int(r, "srtp_replayed", (int64_t)t->replayed);
    report_browsers(r, &t->browser);
    kit_report_int(r, "phones_other_source", (int64_t)t->phone_other_source);
}

void kit_report_latency(kit_load *l, const kit_fleet *f)
{
    kit_report *r = &l->report;
    const kit_histogram both = kit_fleet_latency(f);
    kit_report_times(r, "latency", &both);
    kit_report_times(r, "latency_to_a", &f->latency[KIT_A]);
    kit_report_times(r, "latency_to_b", &f->latency[KIT_B]);
    kit_report_times(r, "generator_lateness", &f->pacer.lateness);
}

void kit_tell(const char *what, const kit_fleet *f, const kit_totals *t)
{
    const kit_histogram h = kit_fleet_latency(f);
    fprintf(
        stderr, "load: %s: loss %" PRIu64 " ppm, latency p50 %" PRId64 " us, p99 %" PRId64 " us\n",
        what, kit_loss_ppm(t), kit_histogram_at(&h, 500) / 1000, kit_histogram_at(&h, 990) / 1000);
}

void kit_report_set_up(kit_load *l, const kit_fleet *f)
{
    kit_report *r = &l->report;
    const kit_ng_stats ng = kit_ng_get_stats(l->world.ng);
    kit_report_int(r, "started", (int64_t)f->started);
    kit_report_int(r, "came_up", (int64_t)f->came_up);
    kit_report_int(r, "failed", (int64_t)f->failed);
    kit_report_text(r, "first_failure", f->failure[0] != '\0' ? f->failure : NULL);
    kit_report_times(r, "offer", kit_ng_times(l->world.ng, KIT_NG_OFFER));
    kit_report_times(r, "answer", kit_ng_times(l->world.ng, KIT_NG_ANSWER));
    kit_report_times(r, "ice", &f->ice);
    kit_report_times(r, "dtls", &f->handshake);
    kit_report_times(r, "total", &f->total);
    kit_report_int(r, "ng_repeats", (int64_t)ng.repeats);
    kit_report_int(r, "ng_given_up", (int64_t)ng.given_up);
}
