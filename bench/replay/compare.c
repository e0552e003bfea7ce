/* SPDX-License-Identifier: BSD-3-Clause
 * Arrivals are told by their sequence number, after the distance between the numbers of both sides
 * has been found from payloads; where number and payload disagree, the payload of a packet nearby
 * decides whether the packet was renumbered or spoilt. */
#include "bench/replay/compare.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum {
    VOTERS = 64, /* arrivals that say how far the numbers are apart */
    NEARBY = 64, /* packets on either side that a renumbered one is looked for among */
    NOWHERE = -1,
};

/* What is known of one packet that was sent. */
typedef struct fate {
    uint64_t ext_seq; /* sorting key */
    size_t index;     /* in `played` */
} fate;

typedef struct work {
    kit_comparison *out;
    const kit_played *played;
    size_t played_count;
    const uint8_t *pt_expected;
    fate *by_seq;       /* sorted */
    agw_ns *came_at;    /* per played; 0 = not yet */
    uint32_t ssrc;      /* of most arrivals */
    uint16_t seq_shift; /* out - in */
    uint32_t timestamp_shift;
    bool shift_known;
    uint64_t last_ext_seq;
    size_t latest; /* highest index that has arrived, + 1 */
} work;

/* A packet whose padding makes no sense is a protected one: all of it is payload. */
static bool parse(agw_rtp_header *h, const uint8_t *rtp, size_t len)
{
    return agw_rtp_parse(h, rtp, len) == AGW_OK || agw_rtp_parse_protected(h, rtp, len) == AGW_OK;
}

static bool same_payload(const kit_capture_packet *sent, const kit_arrival *a)
{
    agw_rtp_header in, out;
    if (!parse(&in, sent->rtp, sent->len) || !parse(&out, a->rtp, a->len))
        return false;
    return in.payload_len == out.payload_len &&
           memcmp(sent->rtp + in.header_len, a->rtp + out.header_len, in.payload_len) == 0;
}

static int compare_fates(const void *a, const void *b)
{
    const fate *x = a, *y = b;
    return x->ext_seq < y->ext_seq ? -1 : x->ext_seq > y->ext_seq;
}

/* Index of the packet with this number, or NOWHERE. */
static ptrdiff_t find_seq(const work *w, uint64_t ext_seq)
{
    const fate wanted = {.ext_seq = ext_seq};
    const fate *f = bsearch(&wanted, w->by_seq, w->played_count, sizeof *w->by_seq, compare_fates);
    return f == NULL ? NOWHERE : (ptrdiff_t)f->index;
}

/* The most frequent of n numbers. */
static uint32_t most_frequent(const uint32_t *numbers, size_t n)
{
    uint32_t best = 0;
    size_t best_votes = 0;
    for (size_t i = 0; i < n; i++) {
        size_t votes = 0;
        for (size_t k = 0; k < n; k++)
            votes += numbers[k] == numbers[i];
        if (votes > best_votes) {
            best_votes = votes;
            best = numbers[i];
        }
    }
    return best;
}

/* Each of the first arrivals names the distances to all equal payloads among the first packets:
 * the true distance is named by every one. */
static bool find_seq_shift(work *w, const kit_arrival *arrivals, size_t n)
{
    GArray *votes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t i = 0; i < n && i < VOTERS; i++) {
        agw_rtp_header h;
        if (!parse(&h, arrivals[i].rtp, arrivals[i].len))
            continue;
        for (size_t k = 0; k < w->played_count && k < 2 * VOTERS; k++) {
            const kit_capture_packet *sent = w->played[k].packet;
            const uint32_t shift = (uint16_t)(h.seq - sent->header.seq);
            if (same_payload(sent, &arrivals[i]))
                g_array_append_val(votes, shift);
        }
    }
    const bool found = votes->len > 0;
    if (found)
        w->seq_shift =
            (uint16_t)most_frequent((const uint32_t *)(const void *)votes->data, votes->len);
    g_array_free(votes, TRUE);
    return found;
}

static void find_ssrc(work *w, const kit_arrival *arrivals, size_t n)
{
    uint32_t seen[VOTERS];
    size_t count = 0;
    for (size_t i = 0; i < n && count < VOTERS; i++) {
        agw_rtp_header h;
        if (parse(&h, arrivals[i].rtp, arrivals[i].len))
            seen[count++] = h.ssrc;
    }
    w->ssrc = most_frequent(seen, count);
}

/* A packet near `about` that has not arrived yet and has this payload, or NOWHERE. */
static ptrdiff_t find_payload(const work *w, size_t about, const kit_arrival *a)
{
    for (size_t far = 0; far <= NEARBY; far++) {
        const size_t places[2] = {about + far, about - far};
        for (size_t side = 0; side < 2; side++) {
            const size_t i = places[side]; /* below 0 is far above */
            if (i < w->played_count && w->came_at[i] == 0 && same_payload(w->played[i].packet, a))
                return (ptrdiff_t)i;
        }
    }
    return NOWHERE;
}

/* Which packet this is; counts what that costs. */
static ptrdiff_t identify(work *w, const agw_rtp_header *h, const kit_arrival *a)
{
    const int16_t step = (int16_t)(uint16_t)(h->seq - w->seq_shift - (uint16_t)w->last_ext_seq);
    const uint64_t ext_seq = w->last_ext_seq + (uint64_t)(int64_t)step;
    const ptrdiff_t numbered = find_seq(w, ext_seq);
    if (numbered != NOWHERE && same_payload(w->played[numbered].packet, a)) {
        w->last_ext_seq = ext_seq;
        return numbered;
    }
    const ptrdiff_t alike = find_payload(w, w->latest, a);
    if (alike != NOWHERE) {
        w->out->faults.sequence++;
        return alike;
    }
    if (numbered == NOWHERE)
        w->out->faults.foreign++;
    else
        w->out->faults.payload++;
    return numbered;
}

static void check_header(work *w, const kit_capture_packet *sent, const agw_rtp_header *h)
{
    kit_comparison *out = w->out;
    const uint32_t shift = h->timestamp - sent->header.timestamp;
    if (!w->shift_known) {
        w->shift_known = true;
        w->timestamp_shift = shift;
    }
    out->faults.timestamp += shift != w->timestamp_shift;
    out->faults.marker += h->marker != sent->header.marker;
    out->faults.pt += h->pt != w->pt_expected[sent->header.pt];
    out->faults.ssrc += h->ssrc != w->ssrc;
    out->pt_out[sent->header.pt] = h->pt;
    out->ssrc_mapped = w->ssrc != sent->header.ssrc;
}

static void take(work *w, const kit_arrival *a)
{
    kit_faults *f = &w->out->faults;
    agw_rtp_header h;
    f->arrived++;
    if (!parse(&h, a->rtp, a->len)) {
        f->foreign++;
        return;
    }
    const ptrdiff_t i = identify(w, &h, a);
    if (i == NOWHERE)
        return;
    if (w->came_at[i] != 0) {
        f->duplicates++;
        return;
    }
    w->came_at[i] = a->at;
    f->reordered += (size_t)i + 1 < w->latest;
    w->latest = MAX(w->latest, (size_t)i + 1);
    check_header(w, w->played[i].packet, &h);
}

static void measure(const work *w, size_t i)
{
    kit_comparison *out = w->out;
    const kit_played *p = &w->played[i];
    if (w->came_at[i] == 0)
        return;
    kit_histogram_add(&out->latency, w->came_at[i] - p->sent_at);
    if (i == 0 || w->came_at[i - 1] == 0)
        return;
    const kit_played *before = p - 1;
    const agw_ns arrivals = w->came_at[i] - w->came_at[i - 1];
    const agw_ns departures = p->sent_at - before->sent_at;
    const agw_ns wanted = p->due - before->due;
    kit_histogram_add(&out->timing_error, llabs(arrivals - departures));
    kit_histogram_add(&out->total_error, llabs(arrivals - wanted));
    kit_histogram_add(&out->sender_error, llabs(departures - wanted));
}

static void sum_up(work *w)
{
    for (size_t i = 0; i < w->played_count; i++) {
        w->out->faults.sent += w->played[i].sent_at != 0;
        w->out->faults.lost += w->played[i].sent_at != 0 && w->came_at[i] == 0;
        measure(w, i);
    }
    w->out->seq_mapped = w->seq_shift != 0;
    w->out->timestamp_mapped = w->timestamp_shift != 0;
}

void kit_compare(kit_comparison *out, const kit_played *played, size_t played_count,
                 const kit_arrival *arrivals, size_t arrival_count, const uint8_t pt_expected[128])
{
    memset(out, 0, sizeof *out);
    memset(out->pt_out, 0xff, sizeof out->pt_out);
    work w = {
        .out = out, .played = played, .played_count = played_count, .pt_expected = pt_expected};
    w.by_seq = g_new0(fate, played_count + 1);
    w.came_at = g_new0(agw_ns, played_count + 1);
    for (size_t i = 0; i < played_count; i++)
        w.by_seq[i] = (fate){.ext_seq = played[i].packet->ext_seq, .index = i};
    qsort(w.by_seq, played_count, sizeof *w.by_seq, compare_fates);
    w.last_ext_seq = w.by_seq[0].ext_seq;
    find_ssrc(&w, arrivals, arrival_count);
    if (find_seq_shift(&w, arrivals, arrival_count)) {
        for (size_t i = 0; i < arrival_count; i++)
            take(&w, &arrivals[i]);
    } else {
        out->faults.arrived = out->faults.foreign = arrival_count;
    }
    sum_up(&w);
    g_free(w.by_seq);
    g_free(w.came_at);
}

bool kit_comparison_is_equal(const kit_comparison *c)
{
    const kit_faults *f = &c->faults;
    return f->sent > 0 && f->arrived == f->sent &&
           (f->lost | f->duplicates | f->reordered | f->payload | f->marker | f->pt | f->timestamp |
            f->sequence | f->ssrc | f->foreign) == 0;
}
