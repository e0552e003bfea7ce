/* SPDX-License-Identifier: BSD-3-Clause
 * replay: a captured RTP stream through a call of any ng gateway; is what comes out what went in?
 */
#include "bench/kit/report.h"
#include "bench/replay/options.h"
#include "bench/replay/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_EQUAL = 0, NOT_EQUAL = 1, NOT_TRIED = 2 }; /* exit status */

/* --- the streams of a file --- */

static void print_stream(size_t number, const kit_capture_stream *s)
{
    char from[AGW_ADDR_TEXT], to[AGW_ADDR_TEXT];
    printf("%-3zu 0x%08" PRIx32 " %7zu %9.3f %5" PRIu64 " %5" PRIu64 " %5" PRIu64 " %4" PRIu64
           "  %s -> %s ",
           number, s->ssrc, s->packet_count, (double)s->duration / 1e9, s->lost, s->reordered,
           s->duplicates, s->cut, agw_addr_text(&s->from, from, sizeof from),
           agw_addr_text(&s->to, to, sizeof to));
    for (size_t i = 0; i < s->pt_count; i++) {
        bool guessed;
        const char *name = kit_capture_codec(s, &s->pts[i], &guessed);
        printf(" %u %s%s (%" PRIu64 ")", s->pts[i].pt, name, guessed ? "?" : "", s->pts[i].packets);
    }
    printf("\n");
}

static void print_streams(const kit_capture *c)
{
    const kit_capture_stats f = kit_capture_get_stats(c);
    printf("%" PRIu64 " frames, %" PRIu64 " UDP, %" PRIu64 " like RTP; %" PRIu64
           " fragments, %" PRIu64 " cut\n",
           f.frames, f.udp, f.rtp, f.fragments, f.cut);
    printf(
        "#   SSRC       packets  duration  lost  late  dup.  cut  from -> to  payload types (? = "
        "guessed)\n");
    for (size_t i = 0; i < kit_capture_count(c); i++)
        print_stream(i + 1, kit_capture_at(c, i));
}

/* NULL: there is none. A number is one of the list, or else an SSRC. */
static const kit_capture_stream *choose(const kit_capture *c, const char *text)
{
    const size_t count = kit_capture_count(c);
    if (text == NULL)
        return count > 0 ? kit_capture_at(c, 0) : NULL;
    char *end;
    const unsigned long wanted = strtoul(text, &end, 0);
    if (*end != '\0')
        return NULL;
    if (wanted >= 1 && wanted <= count && strncmp(text, "0x", 2) != 0)
        return kit_capture_at(c, wanted - 1);
    for (size_t i = 0; i < count; i++) {
        if (kit_capture_at(c, i)->ssrc == wanted)
            return kit_capture_at(c, i);
    }
    return NULL;
}

/* --- what its payload types stand for --- */

static const char *named(const kit_codecs *users, uint8_t pt)
{
    for (size_t i = 0; i < users->count; i++) {
        if (users->codec[i].pt == pt)
            return users->codec[i].name;
    }
    return NULL;
}

static bool name_codecs(const kit_capture_stream *s, const kit_codecs *users, kit_codecs *out)
{
    *out = (kit_codecs){.count = s->pt_count};
    for (size_t i = 0; i < s->pt_count; i++) {
        bool guessed = false;
        const char *name = named(users, s->pts[i].pt);
        if (name == NULL)
            name = kit_capture_codec(s, &s->pts[i], &guessed);
        if (guessed)
            fprintf(stderr, "replay: payload type %u is taken for %s (--codec= says otherwise)\n",
                    s->pts[i].pt, name[0] != '\0' ? name : "nothing known");
        if (name[0] == '\0')
            return false;
        out->codec[i].pt = s->pts[i].pt;
        snprintf(out->codec[i].name, sizeof out->codec[i].name, "%s", name);
    }
    return true;
}

static bool is_video(const kit_codecs *codecs)
{
    const char *rate = strchr(codecs->codec[0].name, '/');
    return rate != NULL && strcmp(rate, "/90000") == 0;
}

/* --- what came of it --- */

typedef struct result {
    const char *verdict; /* "equal", "differs", "late", "unsure" */
    kit_wire_stats wire;
    kit_comparison comparison;
} result;

/* Late is the gateway's fault; where our own departures were late, or our view of the link had
 * holes, nobody knows. */
static const char *judge(const result *r, const kit_play *p, agw_ns limit, const char **doubt)
{
    const kit_comparison *c = &r->comparison;
    *doubt = NULL;
    if (r->wire.missed != 0 || r->wire.send_failed != 0 || p->refused != 0 ||
        c->faults.sent < p->config.stream->packet_count)
        *doubt = "not all was sent, or not all that arrived was seen";
    else if (!kit_comparison_is_equal(c))
        return "differs";
    else if (kit_histogram_at(&c->timing_error, 990) >= limit)
        return "late";
    else if (kit_histogram_at(&c->total_error, 990) >= limit)
        *doubt = "packets did not leave on schedule";
    return *doubt != NULL ? "unsure" : "equal";
}

static void report_stream(kit_report *r, const kit_capture_stream *s)
{
    char text[AGW_ADDR_TEXT];
    kit_report_open(r, "stream");
    snprintf(text, sizeof text, "0x%08" PRIx32, s->ssrc);
    kit_report_text(r, "ssrc", text);
    kit_report_text(r, "from", agw_addr_text(&s->from, text, sizeof text));
    kit_report_text(r, "to", agw_addr_text(&s->to, text, sizeof text));
    kit_report_int(r, "packets", (int64_t)s->packet_count);
    kit_report_int(r, "duration_ns", s->duration);
    kit_report_int(r, "lost", (int64_t)s->lost);
    kit_report_int(r, "reordered", (int64_t)s->reordered);
    kit_report_int(r, "duplicates_left_out", (int64_t)s->duplicates);
    kit_report_int(r, "cut_left_out", (int64_t)s->cut);
    kit_report_close(r);
}

/* 0xff = none */
static int64_t pt_or_none(uint8_t pt)
{
    return pt == 0xff ? -1 : pt;
}

static void report_payload_types(kit_report *r, const kit_play *p, const kit_comparison *c)
{
    kit_report_open(r, "payload_types");
    for (size_t i = 0; i < p->config.codecs->count; i++) {
        const kit_sdp_codec *codec = &p->config.codecs->codec[i];
        char captured[4];
        snprintf(captured, sizeof captured, "%u", codec->pt);
        kit_report_open(r, captured);
        kit_report_text(r, "codec", codec->name);
        kit_report_int(r, "sent", p->pt_sent[codec->pt]);
        kit_report_int(r, "expected", pt_or_none(p->pt_expected[codec->pt]));
        kit_report_int(r, "arrived", pt_or_none(c->pt_out[codec->pt]));
        kit_report_close(r);
    }
    kit_report_close(r);
}

static void report_faults(kit_report *r, const kit_faults *f)
{
    const struct {
        const char *name;
        uint64_t count;
    } all[] = {
        {"sent", f->sent},
        {"arrived", f->arrived},
        {"lost", f->lost},
        {"duplicates", f->duplicates},
        {"reordered", f->reordered},
        {"payload_differs", f->payload},
        {"marker_differs", f->marker},
        {"payload_type_differs", f->pt},
        {"timestamp_distance_differs", f->timestamp},
        {"sequence_distance_differs", f->sequence},
        {"ssrc_differs", f->ssrc},
        {"foreign", f->foreign},
    };
    kit_report_open(r, "packets");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        kit_report_int(r, all[i].name, (int64_t)all[i].count);
    kit_report_close(r);
}

static void report(const kit_replay_options *o, const kit_play *p, const result *res,
                   const char *failure)
{
    const kit_comparison *c = &res->comparison;
    kit_report r;
    kit_report_begin(&r, stdout);
    kit_report_text(&r, "file", o->file);
    kit_report_text(&r, "kind", o->kind_text);
    kit_report_text(&r, "suite", o->kind == KIT_CALL_RTP_RTP ? NULL : o->suite);
    kit_report_int(&r, "speed_percent", (int64_t)(o->speed * 100 + 0.5));
    report_stream(&r, p->config.stream);
    kit_report_text(&r, "failure", failure);
    kit_report_text(&r, "gateway_says",
                    p->call.error_reason[0] != '\0' ? p->call.error_reason : NULL);
    report_payload_types(&r, p, c);
    report_faults(&r, &c->faults);
    kit_report_open(&r, "mapped");
    kit_report_bool(&r, "ssrc", c->ssrc_mapped);
    kit_report_bool(&r, "sequence", c->seq_mapped);
    kit_report_bool(&r, "timestamp", c->timestamp_mapped);
    kit_report_close(&r);
    kit_report_times(&r, "latency", &c->latency);
    kit_report_times(&r, "timing_error", &c->timing_error);
    kit_report_times(&r, "total_timing_error", &c->total_error);
    kit_report_times(&r, "sender_timing_error", &c->sender_error);
    kit_report_open(&r, "link");
    kit_report_int(&r, "missed", (int64_t)res->wire.missed);
    kit_report_int(&r, "send_failed", (int64_t)res->wire.send_failed);
    kit_report_int(&r, "refused", (int64_t)p->refused);
    kit_report_close(&r);
    kit_report_text(&r, "verdict", res->verdict);
    kit_report_end(&r);
}

static agw_dtls_ctx *new_dtls(const char *suite_text)
{
    const agw_srtp_suite suite = agw_srtp_suite_by_sdes(suite_text, strlen(suite_text));
    const char *profile = agw_srtp_suite_get(suite)->use_srtp;
    agw_cert *cert = agw_cert_new();
    if (cert == NULL || profile == NULL) {
        agw_cert_free(cert);
        return NULL;
    }
    return agw_dtls_ctx_new(cert, profile);
}

static int play(const kit_replay_options *o, const kit_play_config *config)
{
    kit_world world;
    const char *why = NULL;
    if (kit_world_open(&world, &o->world, &why) != AGW_OK) {
        fprintf(stderr, "replay: %s\n", why);
        return NOT_TRIED;
    }
    kit_play p;
    result res = {.verdict = "failed"};
    const char *failure = kit_play_run(&p, &world, config);
    kit_compare(&res.comparison, p.played, p.next, p.arrivals, p.arrival_count, p.pt_expected);
    res.wire = kit_wire_get_stats(world.wire);
    if (failure == NULL)
        res.verdict = judge(&res, &p, o->p99_limit, &why);
    else
        why = failure;
    if (why != NULL)
        fprintf(stderr, "replay: %s: %s\n", res.verdict, why);
    report(o, &p, &res, failure);
    kit_play_fini(&p);
    kit_world_close(&world);
    return strcmp(res.verdict, "equal") == 0 ? ALL_EQUAL : NOT_EQUAL;
}

static int play_stream(const kit_replay_options *o, const kit_capture_stream *stream)
{
    kit_codecs codecs;
    if (!name_codecs(stream, &o->codecs, &codecs)) {
        fputs("replay: --codec= must name that payload type\n", stderr);
        return NOT_TRIED;
    }
    agw_dtls_ctx *dtls = new_dtls(o->suite);
    if (dtls == NULL) {
        fprintf(stderr, "replay: --suite=%s cannot be had\n", o->suite);
        return NOT_TRIED;
    }
    const kit_play_config config = {.kind = o->kind,
                                    .dtls = dtls,
                                    .stream = stream,
                                    .codecs = &codecs,
                                    .video = is_video(&codecs),
                                    .speed = o->speed};
    const int status = play(o, &config);
    agw_dtls_ctx_unref(dtls);
    return status;
}

int main(int argc, char *argv[])
{
    kit_replay_options o;
    if (!kit_replay_options_parse(&o, argc, argv))
        return NOT_TRIED;
    char why[KIT_CAPTURE_WHY];
    kit_capture *c = kit_capture_open(o.file, why);
    if (why[0] != '\0')
        fprintf(stderr, "replay: %s\n", why);
    if (c == NULL)
        return NOT_TRIED;
    const kit_capture_stream *stream = choose(c, o.stream);
    int status = NOT_TRIED;
    if (o.list) {
        print_streams(c);
        status = ALL_EQUAL;
    } else if (stream == NULL) {
        fputs("replay: no such RTP stream in the file (--list shows them)\n", stderr);
    } else {
        status = play_stream(&o, stream);
    }
    kit_capture_close(c);
    return status;
}
