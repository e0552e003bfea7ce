/* SPDX-License-Identifier: BSD-3-Clause
 * Everything that may be RTP is sorted by source, destination and SSRC; then each heap is looked at
 * and kept when it is a stream. */
#include "bench/replay/capture.h"

#include <glib.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

enum {
    JUMP = 1000,       /* sequence numbers; a stream seldom steps further */
    EVENT_PAYLOAD = 4, /* telephone-event, RFC 4733 section 2.3 */
};

/* A heap of packets; the stream is its first member, so that one is the other's address. */
typedef struct heap {
    kit_capture_stream stream;
    GArray *packets; /* of kit_capture_packet */
    agw_ns first_at; /* capture's own time */
} heap;

struct kit_capture {
    GHashTable *by_key; /* key -> heap */
    GPtrArray *heaps;   /* owns them */
    GPtrArray *bytes;   /* owns the packets' bytes */
    kit_capture_stats stats;
};

typedef struct key {
    agw_addr from, to;
    uint32_t ssrc;
} key;

static guint key_hash(gconstpointer k)
{
    guint h = 5381;
    const uint8_t *p = k;
    for (size_t i = 0; i < sizeof(key); i++)
        h = h * 33 + p[i];
    return h;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(key)) == 0;
}

static void heap_free(gpointer p)
{
    heap *h = p;
    g_array_free(h->packets, TRUE);
    g_free(h);
}

static heap *heap_of(kit_capture *c, const kit_udp *udp, uint32_t ssrc)
{
    key *k = g_new0(key, 1); /* zeroed: the hash reads its padding */
    k->from = udp->from;
    k->to = udp->to;
    k->ssrc = ssrc;
    heap *h = g_hash_table_lookup(c->by_key, k);
    if (h != NULL) {
        g_free(k);
        return h;
    }
    h = g_new0(heap, 1);
    h->stream = (kit_capture_stream){.from = udp->from, .to = udp->to, .ssrc = ssrc};
    h->packets = g_array_new(FALSE, FALSE, sizeof(kit_capture_packet));
    g_hash_table_insert(c->by_key, k, h);
    g_ptr_array_add(c->heaps, h);
    return h;
}

static void take_frame(kit_capture *c, kit_link link, const struct pcap_pkthdr *ph,
                       const uint8_t *frame)
{
    kit_udp udp;
    kit_capture_packet packet;
    const kit_frame found = kit_frame_dissect(&udp, link, frame, ph->caplen);
    c->stats.frames++;
    c->stats.fragments += found == KIT_FRAME_FRAGMENT;
    if (found != KIT_FRAME_UDP && found != KIT_FRAME_CUT)
        return;
    c->stats.udp++;
    if (!kit_udp_is_rtp(&udp, &packet.header))
        return;
    c->stats.rtp++;
    heap *h = heap_of(c, &udp, packet.header.ssrc);
    if (found == KIT_FRAME_CUT) {
        c->stats.cut++;
        h->stream.cut++;
        return;
    }
    /* with nanoseconds asked for, tv_usec holds them */
    const agw_ns at = AGW_S(ph->ts.tv_sec) + ph->ts.tv_usec;
    if (h->packets->len == 0)
        h->first_at = at;
    uint8_t *rtp = g_memdup2(udp.data, udp.len);
    g_ptr_array_add(c->bytes, rtp);
    packet.rtp = rtp;
    packet.len = udp.len;
    packet.at = at - h->first_at;
    packet.ext_seq = 0;
    g_array_append_val(h->packets, packet);
}

/* Numbers the packets without wraps; returns how many step far from the highest so far. */
static size_t number(heap *h)
{
    size_t jumps = 0;
    uint64_t highest = 0;
    for (guint i = 0; i < h->packets->len; i++) {
        kit_capture_packet *p = &g_array_index(h->packets, kit_capture_packet, i);
        if (i == 0)
            highest = 65536u + p->header.seq; /* room below for what was reordered */
        const int16_t step = (int16_t)(uint16_t)(p->header.seq - (uint16_t)highest);
        p->ext_seq = highest + (uint64_t)(int64_t)step;
        jumps += step > JUMP || step < -JUMP;
        h->stream.reordered += step < 0;
        if (step > 0)
            highest = p->ext_seq;
    }
    return jumps;
}

/* Leaves out what came before with the same number. */
static void leave_out_duplicates(heap *h)
{
    GHashTable *seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    guint kept = 0;
    for (guint i = 0; i < h->packets->len; i++) {
        kit_capture_packet *to = &g_array_index(h->packets, kit_capture_packet, kept);
        const kit_capture_packet p = g_array_index(h->packets, kit_capture_packet, i);
        if (g_hash_table_contains(seen, &p.ext_seq))
            continue;
        *to = p;
        g_hash_table_add(seen, &to->ext_seq);
        kept++;
    }
    h->stream.duplicates = h->packets->len - kept;
    g_array_set_size(h->packets, kept);
    g_hash_table_destroy(seen);
}

static void note_pt(kit_capture_stream *s, const agw_rtp_header *header)
{
    size_t i = 0;
    while (i < s->pt_count && s->pts[i].pt != header->pt)
        i++;
    if (i == KIT_CAPTURE_PTS)
        return;
    if (i == s->pt_count)
        s->pts[s->pt_count++] = (kit_capture_pt){.pt = header->pt};
    s->pts[i].packets++;
    s->pts[i].longest = MAX(s->pts[i].longest, header->payload_len);
}

/* Clock rate of a static payload type, 0 = none. */
static uint32_t static_clock(uint8_t pt)
{
    if (pt >= 25 && pt <= 34)
        return 90000;
    if (pt == 6 || pt == 10 || pt == 11 || pt == 14 || pt == 16 || pt == 17 || pt > 18)
        return 0;
    return 8000;
}

/* The usual rate nearest to what the time stamps did in the time between; 0 when none is near. */
static uint32_t guessed_clock(const heap *h)
{
    static const uint32_t usual[] = {8000, 16000, 32000, 48000, 90000};
    int64_t ticks = 0;
    const kit_capture_packet *p = (const kit_capture_packet *)(const void *)h->packets->data;
    for (guint i = 1; i < h->packets->len; i++)
        ticks += (int32_t)(p[i].header.timestamp - p[i - 1].header.timestamp);
    if (h->stream.duration <= 0 || ticks <= 0)
        return 0;
    const double hz = (double)ticks * 1e9 / (double)h->stream.duration;
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (hz > 0.8 * usual[i] && hz < 1.2 * usual[i])
            return usual[i];
    }
    return 0;
}

static bool is_stream(heap *h)
{
    if (number(h) * 10 > h->packets->len)
        return false;
    leave_out_duplicates(h);
    return h->packets->len >= KIT_CAPTURE_STREAM_MIN;
}

static void describe(heap *h)
{
    kit_capture_stream *s = &h->stream;
    const kit_capture_packet *p = (const kit_capture_packet *)(const void *)h->packets->data;
    uint64_t least = UINT64_MAX, most = 0;
    for (guint i = 0; i < h->packets->len; i++) {
        note_pt(s, &p[i].header);
        least = MIN(least, p[i].ext_seq);
        most = MAX(most, p[i].ext_seq);
        s->duration = MAX(s->duration, p[i].at);
    }
    s->packets = p;
    s->packet_count = h->packets->len;
    s->lost = most - least + 1 - h->packets->len;
    s->clock_hz = static_clock(s->pts[0].pt);
    if (s->clock_hz == 0)
        s->clock_hz = guessed_clock(h);
}

static gint by_packets(gconstpointer a, gconstpointer b)
{
    const heap *const *x = a, *const *y = b;
    return (*x)->stream.packet_count < (*y)->stream.packet_count   ? 1
           : (*x)->stream.packet_count > (*y)->stream.packet_count ? -1
                                                                   : 0;
}

static void keep_streams(kit_capture *c)
{
    g_hash_table_remove_all(c->by_key);
    GPtrArray *kept = g_ptr_array_new_with_free_func(heap_free);
    for (guint i = 0; i < c->heaps->len; i++) {
        heap *h = g_ptr_array_index(c->heaps, i);
        if (is_stream(h)) {
            describe(h);
            g_ptr_array_add(kept, h);
        } else {
            heap_free(h);
        }
    }
    g_ptr_array_set_free_func(c->heaps, NULL);
    g_ptr_array_free(c->heaps, TRUE);
    c->heaps = kept;
    g_ptr_array_sort(kept, by_packets);
}

static bool link_of(pcap_t *pcap, kit_link *out)
{
    switch (pcap_datalink(pcap)) {
    case DLT_EN10MB:
        *out = KIT_LINK_ETHERNET;
        return true;
    case DLT_LINUX_SLL:
        *out = KIT_LINK_SLL;
        return true;
    case DLT_LINUX_SLL2:
        *out = KIT_LINK_SLL2;
        return true;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        *out = KIT_LINK_IP;
        return true;
    default:
        return false;
    }
}

static bool read_frames(kit_capture *c, pcap_t *pcap, char why[KIT_CAPTURE_WHY])
{
    kit_link link;
    if (!link_of(pcap, &link)) {
        const char *name = pcap_datalink_val_to_name(pcap_datalink(pcap));
        snprintf(why, KIT_CAPTURE_WHY, "link type %s is not known here", name ? name : "?");
        return false;
    }
    struct pcap_pkthdr *ph;
    const uint8_t *frame;
    int got;
    while ((got = pcap_next_ex(pcap, &ph, &frame)) == 1)
        take_frame(c, link, ph, frame);
    if (got != PCAP_ERROR_BREAK) /* that is its word for the end of the file */
        snprintf(why, KIT_CAPTURE_WHY, "%s", pcap_geterr(pcap));
    return got == PCAP_ERROR_BREAK || c->stats.frames > 0;
}

kit_capture *kit_capture_open(const char *path, char why[KIT_CAPTURE_WHY])
{
    _Static_assert((int)KIT_CAPTURE_WHY >= PCAP_ERRBUF_SIZE, "libpcap writes as much");
    why[0] = '\0';
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
    if (pcap == NULL)
        return NULL;
    kit_capture *c = g_new0(kit_capture, 1);
    c->by_key = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    c->heaps = g_ptr_array_new_with_free_func(heap_free);
    c->bytes = g_ptr_array_new_with_free_func(g_free);
    const bool ok = read_frames(c, pcap, why);
    pcap_close(pcap);
    if (!ok) {
        kit_capture_close(c);
        return NULL;
    }
    keep_streams(c);
    return c;
}

void kit_capture_close(kit_capture *c)
{
    if (c == NULL)
        return;
    g_hash_table_destroy(c->by_key);
    g_ptr_array_free(c->heaps, TRUE);
    g_ptr_array_free(c->bytes, TRUE);
    g_free(c);
}

size_t kit_capture_count(const kit_capture *c)
{
    return c->heaps->len;
}

const kit_capture_stream *kit_capture_at(const kit_capture *c, size_t i)
{
    const heap *h = g_ptr_array_index(c->heaps, i);
    return &h->stream;
}

kit_capture_stats kit_capture_get_stats(const kit_capture *c)
{
    return c->stats;
}

/* RFC 3551 tables 4 and 5, what is still met. */
static const char *static_codec(uint8_t pt)
{
    switch (pt) {
    case 0:
        return "PCMU/8000";
    case 3:
        return "GSM/8000";
    case 4:
        return "G723/8000";
    case 8:
        return "PCMA/8000";
    case 9:
        return "G722/8000";
    case 13:
        return "CN/8000";
    case 15:
        return "G728/8000";
    case 18:
        return "G729/8000";
    case 31:
        return "H261/90000";
    case 34:
        return "H263/90000";
    default:
        return NULL;
    }
}

const char *kit_capture_codec(const kit_capture_stream *s, const kit_capture_pt *pt, bool *guessed)
{
    const char *name = static_codec(pt->pt);
    *guessed = name == NULL;
    if (name != NULL)
        return name;
    const bool event = pt->longest == EVENT_PAYLOAD;
    switch (s->clock_hz) {
    case 8000:
        return event ? "telephone-event/8000" : "AMR/8000";
    case 16000:
        return event ? "telephone-event/16000" : "AMR-WB/16000";
    case 48000:
        return event ? "telephone-event/48000" : "opus/48000/2";
    case 90000:
        return "VP8/90000";
    default:
        return "";
    }
}
