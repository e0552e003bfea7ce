/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/quality.h"

#include "rtp/emodel.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { CODEC_TEXT = 32, PACKET_MS = 20 };

static const agw_emodel_codec *find_codec(const char *text)
{
    char name[CODEC_TEXT];
    const char *slash = strchr(text, '/');
    if (slash == NULL)
        return agw_emodel_find(NULL, 0, 0);
    g_snprintf(name, sizeof name, "%.*s", (int)MIN(slash - text, CODEC_TEXT - 1), text);
    return agw_emodel_find(name, (uint32_t)g_ascii_strtoull(slash + 1, NULL, 10), 0);
}

/* What comes in since the last sample; 64 bits are as good as for ever. */
typedef struct news {
    int64_t came, missed, runs, chained, late, concealed_ms, by_fec_ms;
} news;

static int64_t step(const agw_counter *counter, uint64_t *last)
{
    const uint64_t now = agw_counter_get(counter), before = *last;
    *last = now;
    return now > before ? (int64_t)(now - before) : 0;
}

static news take_news(agw_quality *q, const agw_end_stats *from)
{
    return (news){
        .came = step(&from->rtp_in.packets, &q->packets),
        .missed = step(&from->lost_in, &q->lost),
        .runs = step(&from->loss_runs_in, &q->runs),
        .chained = step(&from->transcode.packets_in, &q->chained),
        .late = step(&from->transcode.late, &q->late),
        .concealed_ms = step(&from->transcode.concealed_ms, &q->concealed_ms),
        .by_fec_ms = step(&from->transcode.by_fec_ms, &q->by_fec_ms),
    };
}

/* One stream all the way: both ends count the same packets. */
static int64_t loss_passed(const news *n, int64_t reported_1000)
{
    return MAX(n->missed * 1000 / (n->came + n->missed), reported_1000);
}

/* One stream to us, another one from us on. Lost is what had to be made up, whether it came or not;
 * of a long gap only the beginning is made up, so that what did not come counts where it is more.
 * What in-band FEC has restored sounds coarser than what came, and better than what was made up: it
 * is half lost. */
static int64_t loss_chained(const news *n, int64_t reported_1000)
{
    const int64_t all = n->came + n->missed;
    const int64_t gone = MAX(n->missed + n->late, n->concealed_ms / PACKET_MS);
    const int64_t lost = gone - n->by_fec_ms / PACKET_MS / 2;
    const int64_t leg_1000 = CLAMP(lost, 0, all) * 1000 / all;
    return 1000 - (1000 - leg_1000) * (1000 - reported_1000) / 1000;
}

static int64_t mos_x10_of(double r)
{
    return CLAMP((int64_t)lround(agw_emodel_mos(r) * 10), AGW_MOS_X10_MIN, AGW_MOS_X10_MAX);
}

/* What the losses are to the codec. One that predicts is wrong for a while behind each run of them,
 * so that bursts are better for it than as many losses one by one; Bpl is of the latter. The others
 * have the burst ratio of G.107. By the distances that bench/audio has measured. */
static void set_losses(agw_emodel_path *path, const agw_emodel_codec *codec,
                       const agw_quality_sample *s, const news *n)
{
    path->loss_percent = (double)s->loss_1000 / 10;
    path->burst_ratio = 1;
    if (codec->predicts && n->missed != 0)
        path->loss_percent *= (1 + (double)n->runs / (double)n->missed) / 2;
    else if (!codec->predicts)
        path->burst_ratio =
            agw_emodel_burst_ratio((uint64_t)n->came, (uint64_t)n->missed, (uint64_t)n->runs);
}

/* buffers_us: delay of all jitter buffers. */
static void judge(agw_quality_sample *s, const char *codec_text, const news *n, int64_t buffers_us)
{
    const agw_emodel_codec *codec = find_codec(codec_text);
    agw_emodel_path path = {
        .delay_ms =
            agw_emodel_delay_ms(codec, (uint32_t)s->round_trip_us, 0) + (double)buffers_us / 1e3,
    };
    set_losses(&path, codec, s, n);
    const double r = agw_emodel_r(codec, &path);
    path.delay_ms = 0;
    const double r_lq = agw_emodel_r(codec, &path);
    s->r_x10 = (int64_t)lround(r * 10);
    s->mos_x10 = mos_x10_of(r);
    s->r_lq_x10 = (int64_t)lround(r_lq * 10);
    s->mos_lq_x10 = mos_x10_of(r_lq);
}

static void add(agw_quality *q, const agw_quality_sample *s)
{
    if (q->samples == 0 || s->r_x10 < q->lowest.r_x10)
        q->lowest = *s;
    if (q->samples == 0 || s->r_x10 > q->highest.r_x10)
        q->highest = *s;
    q->sum.mos_x10 += s->mos_x10;
    q->sum.r_x10 += s->r_x10;
    q->sum.mos_lq_x10 += s->mos_lq_x10;
    q->sum.r_lq_x10 += s->r_lq_x10;
    q->sum.loss_1000 += s->loss_1000;
    q->sum.jitter_us += s->jitter_us;
    q->sum.leg_us += s->leg_us;
    q->sum.round_trip_us += s->round_trip_us;
    q->samples++;
}

/* Another source speaks: its samples begin anew, the counters are the party's and go on. */
static void follow(agw_quality *q, uint32_t ssrc)
{
    if (q->ssrc == ssrc)
        return;
    q->ssrc = ssrc;
    q->samples = 0;
    q->sum = q->lowest = q->highest = (agw_quality_sample){0};
}

bool agw_quality_take(agw_quality *q, const agw_end_stats *from, const agw_end_stats *to,
                      const char *codec, int64_t at_s, agw_quality_sample *out)
{
    const news n = take_news(q, from);
    const int64_t leg_us = (int64_t)agw_counter_get(&from->rtt_us);
    const int64_t reported_1000 = (int64_t)(agw_counter_get(&to->loss_out_256) * 1000 / 256);
    const int64_t reported_us = (int64_t)agw_counter_get(&to->jitter_out_us);
    const int64_t jitter_us = MAX((int64_t)agw_counter_get(&from->jitter_in_us), reported_us);
    const bool chained = n.chained != 0;
    follow(q, (uint32_t)agw_counter_get(&from->ssrc_in));
    if (n.came == 0)
        return false;
    agw_quality_sample s = {
        .loss_1000 = chained ? loss_chained(&n, reported_1000) : loss_passed(&n, reported_1000),
        .jitter_us = jitter_us,
        .leg_us = leg_us,
        .round_trip_us = leg_us + (int64_t)agw_counter_get(&to->rtt_us),
        .at_s = at_s,
    };
    const int64_t ours_us = (int64_t)agw_counter_get(&from->transcode.delay_us);
    judge(&s, codec, &n, chained ? ours_us + 2 * reported_us : 2 * jitter_us);
    add(q, &s);
    *out = s;
    return true;
}

agw_quality_sample agw_quality_average(const agw_quality *q)
{
    const int64_t n = q->samples;
    return (agw_quality_sample){
        .mos_x10 = (q->sum.mos_x10 + n / 2) / n,
        .r_x10 = (q->sum.r_x10 + n / 2) / n,
        .mos_lq_x10 = (q->sum.mos_lq_x10 + n / 2) / n,
        .r_lq_x10 = (q->sum.r_lq_x10 + n / 2) / n,
        .loss_1000 = q->sum.loss_1000 / n,
        .jitter_us = q->sum.jitter_us / n,
        .leg_us = q->sum.leg_us / n,
        .round_trip_us = q->sum.round_trip_us / n,
    };
}

void agw_quality_count(agw_quality_counts *counts, const agw_quality_sample *sample)
{
    counts->by_mos[sample->mos_x10 - AGW_MOS_X10_MIN]++;
    counts->sum_x10 += (uint64_t)sample->mos_x10;
}

uint64_t agw_quality_up_to(const agw_quality_counts *counts, int mos_x10)
{
    uint64_t n = 0;
    for (int i = AGW_MOS_X10_MIN; i <= MIN(mos_x10, AGW_MOS_X10_MAX); i++)
        n += counts->by_mos[i - AGW_MOS_X10_MIN];
    return n;
}
