/* SPDX-License-Identifier: BSD-3-Clause
 * The books of both sides beside each other, and what is told at the end. */
#include "bench/soak/run.h"

#include "bench/kit/report.h"

#include <inttypes.h>

static const char *const KINDS[] = {"webrtc-rtp", "rtp-webrtc", "rtp-rtp"};
static const char *const ENDS[SOAK_ENDS] = {"deleted", "unanswered", "inactive", "silent",
                                            "no consent"};

static void compare(soak_run *r, const char *what, uint64_t ours, int64_t theirs)
{
    if ((int64_t)ours != theirs)
        kit_soak_complain(&r->verdict, "%s: %" PRIu64 " here, %" PRId64 " at the gateway", what,
                          ours, theirs);
}

void kit_soak_close_books(soak_run *r)
{
    const soak_books *b = &r->soak.books;
    const soak_sample *g = &r->watch.now, *g0 = &r->points[0];
    if (b->failed != 0)
        kit_soak_complain(&r->verdict, "%" PRIu64 " calls have failed", b->failed);
    const uint64_t excused = r->wire.missed + r->wire.send_failed + r->backlog_drops;
    if (b->lost > excused)
        kit_soak_complain(&r->verdict,
                          "%" PRIu64 " packets are lost; %" PRIu64
                          " were missed on this side of the gateway",
                          b->lost, excused);
    if (g->kernel_drops != g0->kernel_drops)
        kit_soak_complain(&r->verdict, "the gateway's sockets had no room for %" PRId64 " packets",
                          g->kernel_drops - g0->kernel_drops);
    compare(r, "offers", b->offers, g->offers - g0->offers);
    compare(r, "answers", b->answers, g->answers - g0->answers);
    compare(r, "deletes", b->deletes, g->deletes - g0->deletes);
    /* the end of a call that has failed is anybody's guess */
    for (size_t i = 0; i < SOAK_ENDS && b->failed == 0; i++)
        compare(r, ENDS[i], b->ends[i], g->ends[i] - g0->ends[i]);
    kit_soak_judge(&r->verdict, r->points, r->n_points, &r->soak.options.limits);
}

static void report_scenarios(kit_report *out, const soak_books *b)
{
    kit_report_open(out, "scenarios");
    for (size_t i = 0; i < KIT_SOAK_SCENARIO_COUNT; i++) {
        if (b->tally[i].begun == 0)
            continue;
        kit_report_open(out, KIT_SOAK_SCENARIOS[i].name);
        kit_report_int(out, "calls", (int64_t)b->tally[i].begun);
        kit_report_int(out, "failed", (int64_t)b->tally[i].failed);
        kit_report_close(out);
    }
    kit_report_close(out);
}

static void report_failures(kit_report *out, const soak_books *b)
{
    kit_report_open(out, "failures");
    for (uint64_t i = 0; i < b->failed && i < SOAK_FAILURES_KEPT; i++) {
        const soak_failure *f = &b->failures[i];
        char number[16], text[256];
        snprintf(number, sizeof number, "%" PRIu32, f->number);
        snprintf(text, sizeof text, "%s, %s%s, step %s: %s", f->scenario->name, KINDS[f->kind],
                 f->video ? " video" : "", kit_soak_step_text(f->step), f->why);
        kit_report_text(out, number, text);
    }
    kit_report_close(out);
}

static void report_media(kit_report *out, const soak_run *r)
{
    const soak_books *b = &r->soak.books;
    kit_report_open(out, "media");
    kit_report_int(out, "sent", (int64_t)b->sent);
    kit_report_int(out, "accepted", (int64_t)b->accepted);
    kit_report_int(out, "lost", (int64_t)b->lost);
    kit_report_int(out, "missed_by_this_side", (int64_t)(r->wire.missed + r->wire.send_failed));
    kit_report_int(out, "dropped_by_kernel_queues", (int64_t)r->backlog_drops);
    kit_report_int(out, "before_the_first", (int64_t)b->late_start);
    for (size_t i = KIT_LATE; i < KIT_FINDINGS; i++)
        kit_report_int(out, kit_finding_text((kit_finding)i), (int64_t)b->found[i]);
    kit_report_close(out);
}

static void report_ends(kit_report *out, const soak_books *b)
{
    kit_report_open(out, "ends");
    for (size_t i = 0; i < SOAK_ENDS; i++)
        kit_report_int(out, ENDS[i], (int64_t)b->ends[i]);
    kit_report_close(out);
}

/* Most are as it should be: shouts, closed gates, late packets. */
static void report_drops(kit_report *out, const agw_doc *drops)
{
    kit_report_open(out, "dropped_by_the_gateway");
    for (size_t i = 0; drops != NULL && i < agw_doc_count(drops); i++) {
        int64_t n = 0;
        (void)agw_doc_number(agw_doc_at(drops, i), &n);
        kit_report_int(out, agw_doc_key_at(drops, i), n);
    }
    kit_report_close(out);
}

static void report_points(kit_report *out, const soak_run *r)
{
    kit_report_open(out, "idle_points");
    for (size_t i = 0; i < r->n_points; i++) {
        const soak_sample *p = &r->points[i];
        char name[24];
        snprintf(name, sizeof name, "%" PRIu64, p->ended);
        kit_report_open(out, name);
        kit_report_int(out, "at_ms", p->at / AGW_MS(1));
        kit_report_int(out, "rss_bytes", (int64_t)p->rss_bytes);
        kit_report_int(out, "heap_used_bytes", (int64_t)p->heap_used_bytes);
        kit_report_int(out, "heap_held_bytes", (int64_t)p->heap_held_bytes);
        kit_report_int(out, "fds", p->fds);
        kit_report_int(out, "udp_sockets", p->sockets);
        kit_report_int(out, "ports_free", p->ports_free);
        kit_report_close(out);
    }
    kit_report_close(out);
}

static void report_verdict(kit_report *out, const soak_run *r)
{
    const soak_verdict *v = &r->verdict;
    if (v->growth.judged) {
        kit_report_int(out, "heap_growth_millibytes_per_call",
                       (int64_t)(v->growth.heap_bytes * 1e3));
        kit_report_int(out, "rss_growth_millibytes_per_call", (int64_t)(v->growth.rss_bytes * 1e3));
    }
    kit_report_open(out, "complaints");
    for (size_t i = 0; i < v->count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i + 1);
        kit_report_text(out, name, v->complaints[i]);
        fprintf(stderr, "soak: %s\n", v->complaints[i]);
    }
    kit_report_close(out);
    kit_report_bool(out, "valid", r->doubt == NULL);
    kit_report_text(out, "doubt", r->doubt);
    kit_report_bool(out, "good", v->count == 0);
    if (r->doubt != NULL)
        fprintf(stderr, "soak: not valid: %s\n", r->doubt);
}

void kit_soak_report(const soak_run *r, FILE *out)
{
    const soak_books *b = &r->soak.books;
    kit_report report;
    kit_report_begin(&report, out);
    kit_report_int(&report, "seed", r->soak.options.seed);
    kit_report_int(&report, "calls", (int64_t)b->ended);
    kit_report_int(&report, "failed", (int64_t)b->failed);
    kit_report_int(&report, "milliseconds", r->watch.now.at / AGW_MS(1));
    report_scenarios(&report, b);
    report_failures(&report, b);
    report_media(&report, r);
    report_ends(&report, b);
    report_drops(&report, r->watch.drops);
    report_points(&report, r);
    report_verdict(&report, r);
    kit_report_end(&report);
}
